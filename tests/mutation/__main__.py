"""Do the tests notice mistakes? Plant one after the other, and run the tests that run the changed line.

    python -m tests.mutation                                     # everything: about an hour on two cores
    python -m tests.mutation --sample 60                         # at most 60 mutants of each module, drawn by --seed
    python -m tests.mutation --modules acai.evaluation.metrics acai.nn.conv
    python -m tests.mutation --match "acai.evaluation.metrics:auc"  # only mutants whose name contains this

It needs the `test` extra, and kernels that are compiled: run the tests once before, for a test that takes more than 8 s is
not asked. A mutant is killed when a test fails, or does not end. Survivors that no test can kill, because they mean the
same, are in `equivalent.toml` with the reason; every other survivor is a gap in the tests. It ends with exit code 1 if one
survives without explanation, or if fewer than 92 % are killed.

Kernels are mutated as Python (`.py_func`); tests/test_kernels.py compares them with what is compiled.
How much of acai the tests run at all is measured by

    python -m coverage run -m pytest -m "not notebook"; python -m coverage combine; python -m coverage report
"""

import argparse
import ast
import random
import sys
import tomllib
from collections import Counter
from pathlib import Path

from tests.mutation import workers
from tests.mutation.mutants import mutants
from tests.mutation.survey import survey, tests_for

EQUIVALENT = Path(__file__).with_name("equivalent.toml")
TESTS = {  # by the beginning of a module's name
    "acai.cf": [
        "test_cf_*.py", "test_kernels.py", "test_metrics.py", "test_ids.py", "test_settings.py", "test_changed_settings.py",
        "test_odd_arguments.py", "test_held_out.py",
    ],
    "acai.nn": ["test_nn_*.py", "test_grad*.py", "test_kernels.py", "test_odd_arguments.py", "test_training.py", "test_bugs.py"],
    "acai.gradcheck": ["test_grad*.py", "test_nn_*.py", "test_bugs.py", "test_zoo.py"],
    "acai.evaluation": [
        "test_metrics.py", "test_cf_*.py", "test_comparing.py", "test_cross_fitting.py", "test_held_out.py", "test_search.py",
        "test_odd_arguments.py", "test_ids.py",
    ],
    "acai.files": [
        "test_files*.py", "test_cf_models.py", "test_cf_saving.py", "test_nn_network.py", "test_audio_models.py",
        "test_atomic.py", "test_checkpoint.py", "test_damage.py",
    ],
}
LEAST_KILLED = 0.92


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__.partition("\n")[0])
    parser.add_argument("--modules", nargs="+", default=all_modules(), help="as in acai.nn.conv")
    parser.add_argument("--sample", type=int, help="how many mutants of each module (default: all)")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--match", default="", help="only mutants whose name contains this")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    given = parser.parse_args()
    workers.warm_up()
    counts: dict[str, Counter] = {}
    for python_kernels in (False, True):
        for prefix, patterns in TESTS.items():
            modules = [name for name in given.modules if name.startswith(prefix) and name.endswith(".kernels") == python_kernels]
            if not modules:
                continue
            tests = sorted({str(path) for pattern in patterns for path in Path("tests").glob(pattern)})
            found = survey(modules, tests, python_kernels)
            print(f"{prefix}: {len(found['seconds'])} tests; not asked, for they are skipped, fail or take too long:", flush=True)
            print(*(f"    {name}\n" for name in found["left_out"]), sep="", flush=True)
            for module in modules:
                counts[module] = run_module(module, found, python_kernels, given)
    report(counts)
    total = sum(counts.values(), Counter())
    return int(total["survived"] > 0 or total["killed"] < LEAST_KILLED * total["mutants"])


def all_modules() -> list[str]:
    """The modules of acai that the tests of TESTS are about."""
    files = [path for path in sorted(Path("acai").rglob("*.py")) if path.name != "__init__.py"]
    names = [".".join(path.with_suffix("").parts) for path in files]
    return [name for name in names if name.startswith(tuple(TESTS))]


def run_module(module: str, found: dict, python_kernels: bool, given: argparse.Namespace) -> Counter:
    """Count what becomes of the mutants of one module, and say which survive."""
    explained = equivalent()
    every = list(enumerate(mutants(ast.parse(workers.source(module)[1]), module)))
    names = {str(mutant) for _, mutant in every}
    for name in explained:
        if name.startswith(f"{module}:") and name not in names:
            print(f"  {EQUIVALENT.name} explains a mutant that is no more: {name}")
    chosen = [(number, mutant) for number, mutant in every if given.match in str(mutant)]
    if given.sample and given.sample < len(chosen):
        chosen = random.Random(f"{given.seed} {module}").sample(chosen, given.sample)
    work, alive = [], set()
    for number, mutant in chosen:
        tests = tests_for(mutant, found)
        expected = sum(found["seconds"][name] for name in tests)
        work.append(workers.Work(number, mutant, tests, 30 + 5 * expected))
        if not tests:
            alive.add(number)
    alive |= workers.survivors([one for one in work if one.tests], given.jobs, python_kernels)

    counts = Counter(mutants=len(work))
    for one in work:
        name, reason = str(one.mutant), explained.get(str(one.mutant))
        if one.number not in alive:
            counts["killed"] += 1
            if reason:
                print(f"  killed, though {EQUIVALENT.name} says that it cannot be: {name}")
        elif reason:
            counts["explained"] += 1
        else:
            counts["survived"] += 1
            print(f"  survived {len(one.tests)} tests, line {one.mutant.lines.start}: {name}")
    print(f"{module}: {dict(counts)}", flush=True)
    return counts


def equivalent() -> dict[str, str]:
    """Why no test can tell a mutant from the code, by its name."""
    groups = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))["equivalent"]
    return {name: group["reason"] for group in groups for name in group["mutants"]}


def report(counts: dict[str, Counter]) -> None:
    """The table at the end."""
    columns = "mutants", "killed", "explained", "survived"
    print(f"\n{'module':<24}" + "".join(f"{column:>11}" for column in columns))
    for module, row in {**counts, "total": sum(counts.values(), Counter())}.items():
        share = row["killed"] / max(1, row["mutants"])
        print(f"{module:<24}" + "".join(f"{row[column]:>11}" for column in columns) + f"{share:>8.1%} killed")


if __name__ == "__main__":
    sys.exit(main())
