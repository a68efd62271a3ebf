"""The gradient check let loose on the zoo: what it says of every layer, right and broken, alone and between neighbours."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from acai.gradcheck import Report, check
from acai.teaching.zoo.catalogue import BUGS, ENTRIES, Case, Entry, ZooBug, placed


@dataclass(frozen=True)
class Outcome:
    """One verdict, beside what it should be.

    Attributes
    ----------
    name : str
        The layer, or the bug.
    arrays : tuple of str
        The arrays that are wrong; none of a right layer.
    where : str
        The geometry, the seed, and whether it was alone.
    """

    name: str
    arrays: tuple[str, ...]
    where: str
    report: Report

    @property
    def is_expected(self) -> bool:
        """Whether a right layer is right, or a bug wrong, and attributed to the right arrays."""
        named = {array.split(".")[-1] for array in self.report.wrong_arrays}
        return (self.report.verdict == "wrong" and named == set(self.arrays)) if self.arrays else self.report.ok


def outcomes(entry: Entry, kind: type, arrays: tuple[str, ...], seeds: Iterable[int]) -> Iterator[Outcome]:
    """Check a class on every geometry of its entry with every seed, alone and between its neighbours."""
    for seed in seeds:
        for case in entry.cases:
            for neighbours in (False, True):
                yield outcome(kind, arrays, case, neighbours, seed)


def outcome(kind: type, arrays: tuple[str, ...], case: Case, neighbours: bool, seed: int) -> Outcome:
    """Check a class on one geometry, alone or between its neighbours."""
    where = f"{_geometry(case)}, seed {seed}{', between neighbours' * neighbours}"
    layer = kind(**case.arguments)
    between = None if neighbours else case.between
    checked = placed(layer, case) if neighbours else layer
    return Outcome(kind.__qualname__, arrays, where, check(checked, case.x, case.target, between=between, seed=seed))


def of_entry(entry: Entry, seeds: Iterable[int]) -> list[Outcome]:
    """Every outcome of a right layer."""
    return list(outcomes(entry, entry.kind, (), seeds))


def of_bug(bug: ZooBug, seeds: Iterable[int]) -> list[Outcome]:
    """Every outcome of a planted bug."""
    return list(outcomes(bug.entry, bug.broken(), bug.arrays, seeds))


def table(n_seeds: int) -> Iterator[tuple[str, list[Outcome], list[Outcome]]]:
    """For every layer its name, its own outcomes, and those of its bugs."""
    for entry in ENTRIES:
        own = of_entry(entry, range(n_seeds))
        bugs = [outcome for bug in BUGS if bug.entry is entry for outcome in of_bug(bug, range(n_seeds))]
        yield entry.name, own, bugs


def _geometry(case: Case) -> str:
    shape = case.x if isinstance(case.x, tuple) else f"indices of shape {case.x.shape}"
    return f"{shape} {case.arguments or ''}".strip()
