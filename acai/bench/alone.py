"""What acai is compared with is itself: lists from similar users at size, and how long its commands take."""

import subprocess
import sys
import tempfile
from collections.abc import Hashable
from functools import partial

import numpy as np

from acai.bench.made_up import generated
from acai.bench.row import Contest, Data, LeftOut, Row, Work, expect_agreement, expect_data

AT_SIZE = (200_000, 50_000, 10_000_000)
ASKED, TIMED = 10_000, 200  # users whose lists the row is about, and those who are timed


def lists_from_users(data: Data) -> Contest:
    """Prepare lists of 10 from `UserKNN`, for some users spread evenly over the matrix."""
    from acai.cf import UserKNN

    R = generated(*AT_SIZE)
    model = UserKNN(similarity="cosine").fit(R)
    users = list(R.users[:: R.n_users // TIMED][:TIMED])

    def ours() -> dict[Hashable, list[tuple[Hashable, float]]]:
        return dict(model.recommend_all(users))

    def agree() -> str:
        lists = [(user, song, score) for user, songs in dict(model.recommend_all(users[:3])).items() for song, score in songs]
        who, what, scores = zip(*lists)
        return expect_agreement(float(np.abs(model.predict(who, what) - scores).max()), 1e-5, "lists and `predict`")

    listeners = np.diff(R.csc.indptr).astype(float)
    met = sum(float(listeners[R.csr[[R.row(user)]].indices].sum()) for user in users)  # entries of everybody's rows
    return Contest(ours, None, agree, Work(8 * met, "copy"), scale=ASKED / TIMED)


def processor_seconds() -> float:
    """Return the processor time that finished child processes have taken."""
    try:
        import resource
    except ImportError:
        raise LeftOut("needs the module resource, which Windows does not have") from None
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(*words: str) -> str:
    """Run a command of acai and return what it prints."""
    done = subprocess.run([sys.executable, "-m", "acai", *words], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return done.stdout.decode()


def same_output(*words: str) -> str:
    """Run a command twice, first with compiling, and compare what it prints."""
    return expect_agreement(float(run(*words) != run(*words)), 0, "two runs")


def help_command(data: Data) -> Contest:
    """Prepare the list of commands."""
    return Contest(partial(run, "--help"), None, partial(same_output, "--help"), clock=processor_seconds)


def recommend_command(data: Data) -> Contest:
    """Prepare a recommendation for one user, from reading the file to the list."""
    path = expect_data(data.ml100k, "ml100k", "movielens-100k")
    words = "recommend", "--data", "movielens-100k", str(path), "--user", "42"
    return Contest(partial(run, *words), None, partial(same_output, *words), clock=processor_seconds)


def demo_command(data: Data) -> Contest:
    """Prepare the whole demo; the first run compiles and is not counted."""

    def demo() -> str:
        with tempfile.TemporaryDirectory() as folder:
            run("demo", "--out", folder)
        return "it ran"

    return Contest(demo, None, demo)


ROWS = [
    Row("user-lists", "lists from `UserKNN` for 10,000 users at 200,000 × 50,000 × 10 million", "", 100.0, lists_from_users, "s"),
    Row("demo", "`acai demo` (second run)", "", 20.0, demo_command, "s"),
    Row("help", "`acai --help`", "", 0.08, help_command, "s CPU"),
    Row("recommend", "`acai recommend` on ML-100k", "", 0.8, recommend_command, "s CPU"),
]
