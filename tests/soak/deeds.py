"""The commands that write files: what each is given, what it writes when nothing disturbs it, and what may be there after harm."""

import base64
import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import jobs, material
from .ledger import Fault
from .loopback import ADDRESS, MD5
from .server import Ended, Server

BYSTANDERS = (".pre-commit-config.yaml", ".git-credentials", ".clang-format", ".model-notes.npz", "own file-.part.npy")


@dataclass(frozen=True)
class Deed:
    """A command.

    Attributes
    ----------
    name : str
    words : callable
        Given the folder of things to read and the folder to write into, what is behind `acai` (or "@module:function", …).
    writes : bool
        Whether it writes files.
    refines : tuple of str
        Names of files that grow while it runs, so that they may be neither old nor new when it is stopped.
    """

    name: str
    words: Callable[[Path, Path], list[object]]
    writes: bool = True
    refines: tuple[str, ...] = ()


def _job(name: str) -> str:
    return f"@{jobs.__name__}:{name}"


def _train(model: str) -> Callable[[Path, Path], list[object]]:
    return lambda given, room: ["train", "--data", "triplets", given / "plays.tsv", "--model", model, "--out", room / "m.npz"]


def _features(*more: str) -> Callable[[Path, Path], list[object]]:
    return lambda given, room: ["features", given / "music", "--cache", room / "cache", *more]


def _classify(given: Path, room: Path) -> list[object]:
    return [
        "classify", given / "music", "--cache", room / "cache", "--out", room / "c.png", "--folds", 2, "--repeats", 1, "--epochs", 1
    ]


def _demo(given: Path, room: Path) -> list[object]:
    return ["demo", "--out", room / "demo", "--songs", 16, "--users", 30, "--epochs", 2]


def _report(given: Path, room: Path) -> list[object]:
    return [
        "report", "--plays", given / "own.tsv", "--audio", given / "music", "--epochs", 2, "--factors", 2, "--out", room / "r.html"
    ]


def _evaluate(given: Path, room: Path) -> list[object]:
    models = ["Baseline", "UserKNN", "SVD:n_factors=3"]
    return ["evaluate", "--data", "triplets", given / "plays.tsv", "--models", *models, "--plot", room / "e.png"]


def _cold_start(given: Path, room: Path) -> list[object]:
    return [
        "evaluate", "cold-start", "--songs", 14, "--users", 20, "--epochs", 1, "--folds", 2, "--plot", room / "l.png"
    ]


def _save(kind: str) -> Callable[[Path, Path], list[object]]:
    return lambda given, room: [_job("save_again_and_again"), kind, room / f"{kind}.npz"]


def _download(given: Path, room: Path) -> list[object]:
    return [_job("download"), f"{os.environ[ADDRESS]} {MD5}", room / "data"]


def _reproduce_momentum(given: Path, room: Path) -> list[object]:
    return ["reproduce", "momentum", "--data", given / "u.data", "--plot", room / "p.png"]


def _recommend(given: Path, room: Path) -> list[object]:
    return ["recommend", "--data", "triplets", given / "plays.tsv", "--user", "user 3"]


DEEDS = {
    deed.name: deed
    for deed in (
        Deed("train", _train("SGD:n_epochs=100")),
        Deed("features", _features(), refines=("index",)),
        Deed("save ratings", _save("ratings")),
        Deed("download", _download, refines=("soak.bin.part",)),
        Deed("train ALS", _train("ALS:n_epochs=10,n_factors=8")),
        Deed("report", _report, refines=("index",)),
        Deed("save model", _save("model")),
        Deed("mfcc", _features("--kind", "mfcc", "--jobs", "2"), refines=("index",)),
        Deed("demo", _demo),
        Deed("checkpoint", lambda given, room: [_job("train_with_checkpoint"), room / "c.npz", room / "a.npz"], refines=("c.npz",)),
        Deed("save network", _save("network")),
        Deed("classify", _classify, refines=("index",)),
        Deed("evaluate", _evaluate),
        Deed("evaluate cold-start", _cold_start),
        Deed("reproduce momentum", _reproduce_momentum),
        Deed("reproduce surprise", lambda given, room: ["reproduce", "surprise", "--data", given / "u.data"], writes=False),
        Deed("gradcheck", lambda given, room: ["gradcheck", "--geometries", 1], writes=False),
        Deed("recommend", _recommend, writes=False),
    )
}


def give(folder: Path) -> None:
    """Write what the commands read."""
    R = material.ratings(60, 50)
    (folder / "plays.tsv").write_text("".join(f"{u}\t{i}\t{r:g}\n" for u, i, r in R.triplets()))
    lines = [f"{u}\t{i}\t{r:g}\t978300760\n" for u, i, r in material.ratings(30, 40, 0.4, seed=1).triplets()]
    (folder / "u.data").write_text("".join(lines))
    tracks = ["ann/1.wav", "ann/2.ogg", "bob/1.flac", "bob/2.mp3", "cid/1.wav"]
    (folder / "own.tsv").write_text("".join(f"me\t{track}\t{n + 1}\nyou\t{track}\t{5 - n}\n" for n, track in enumerate(tracks)))
    material.music(folder / "music")


def bystanders(room: Path) -> None:
    """Files of the user's that are there already, changed long ago, with names that may be taken for temporary ones."""
    for place in (room, room / "cache", room / "data", room / "demo"):
        place.mkdir(exist_ok=True)
        for name in BYSTANDERS:
            (place / name).write_text(name)
            os.utime(place / name, (material.OLD, material.OLD))


def snapshot(folder: Path) -> dict[str, str]:
    """The digest of every file under a folder, by name; hidden ones, too."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found[path.relative_to(folder).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def perform(server: Server, deed: Deed, given: Path, room: Path, **how: object) -> Ended:
    """Run the command in its room."""
    words = deed.words(given, room)
    return server.run(*words, cwd=room, XDG_CACHE_HOME=str(room / "cache"), HOME=str(room / "cache"), **how)


def rehearse(server: Server, given: Path, folder: Path, names: list[str]) -> None:
    """Run each command undisturbed, and keep how long it takes and which files it leaves."""
    known = {}
    for name in names:
        deed, room = DEEDS[name], folder / "rehearsal"
        room.mkdir()
        bystanders(room)
        ended = perform(server, deed, given, room, limit=600)  # the first time, kernels may have to be compiled
        if ended.code != 0:
            raise RuntimeError(f"{name} fails undisturbed: exit code {ended.code}: {ended.err[-2000:]}")
        known[name] = {"seconds": ended.seconds, "files": snapshot(room)}
        shutil.rmtree(room)
    (folder / "rehearsed.json").write_text(json.dumps(known))


def rehearsed(folder: Path) -> dict[str, dict]:
    """What `rehearse` kept."""
    return json.loads((folder / "rehearsed.json").read_text())


def examine(deed: Deed, before: dict[str, str], after: dict[str, str], expected: dict[str, str]) -> list[Fault]:
    """The faults of a room whose command was stopped: files that are neither as before nor as they should be."""
    faults = []
    for name, digest in before.items():
        if after.get(name) not in (digest, expected.get(name, digest)) and Path(name).name not in deed.refines:
            state = "is gone" if name not in after else "is neither the old nor the new one"
            faults.append(Fault("lost", f"{deed.name}: {name} {state}"))
    for name in after.keys() - before.keys():
        if name in expected and after[name] != expected[name] and Path(name).name not in deed.refines:
            faults.append(Fault("lost", f"{deed.name}: {name} is half written"))
    return faults


def examine_rerun(deed: Deed, ended: Ended, after: dict[str, str], expected: dict[str, str]) -> list[Fault]:
    """The faults of a room in which the command has run to its end after it was stopped: any difference."""
    faults = []
    if ended.code is None:
        return [Fault("hung", f"{deed.name}: run again, it does not end: {' '.join(ended.err.split())[-1500:]}")]
    if ended.code != 0:
        return [Fault("lost", f"{deed.name}: run again, it ends with {ended.code}: {ended.err.strip()[-300:]}")]
    for name, digest in expected.items():
        if name not in after:
            faults.append(Fault("lost", f"{deed.name}: run again, {name} is missing"))
        elif after[name] != digest:
            faults.append(Fault("silent", f"{deed.name}: run again, {name} differs from that of an undisturbed run"))
    extra = sorted(after.keys() - expected.keys())
    return faults + ([Fault("left over", f"{deed.name}: run again, there remain {extra}")] if extra else [])


def traceback_of_acai(err: str) -> bool:
    """Whether a traceback was printed that passes through acai (one that does not is of Python's own start or end)."""
    return "Traceback" in err and f"{os.sep}acai{os.sep}" in err


def broken(path: Path) -> str:
    """What is wrong with a picture, a sound or a page; "" if it is whole."""
    import soundfile

    raw = path.read_bytes()
    if path.suffix == ".png" and not raw.endswith(b"IEND\xaeB`\x82"):
        return "the picture is cut off"
    if path.suffix == ".wav" and soundfile.info(path).frames < 0.99 * 10 * 22050:
        return "the sound is cut off"
    if path.suffix == ".html":
        text = raw.decode()
        if not text.rstrip().endswith("</html>"):
            return "the page is cut off"
        seconds = 10 if "SYNTHETIC" in text else 3.4
        for source in text.split("data:audio/mpeg;base64,")[1:]:
            if soundfile.info(io.BytesIO(base64.b64decode(source.partition("'")[0]))).duration < 0.97 * seconds:
                return "a sound on the page is cut off"
    return ""
