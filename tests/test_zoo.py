"""The gradient check on the zoo: right layers are right, and every bug is blamed on the right arrays."""

import pytest

from acai.teaching.zoo import BUGS, ENTRIES, hunting


def unexpected(outcomes):
    """What the check got wrong, to be read."""
    return [f"{outcome.name}, {outcome.where}: {outcome.report}" for outcome in outcomes if not outcome.is_expected]


def test_the_zoo_is_large_and_every_bug_is_one_piece_of_code():
    assert len(ENTRIES) >= 60 and len(BUGS) >= 250 and all(len(entry.cases) == 2 for entry in ENTRIES)
    assert len({bug.name for bug in BUGS}) == len(BUGS) and len({entry.name for entry in ENTRIES}) == len(ENTRIES)
    for bug in BUGS:
        assert bug.entry.source.count(bug.old) == 1, bug.name


def outcomes(entry, kind, arrays=()):
    """Alone on one geometry, and between its neighbours on the other. (With twenty seeds, it is both on both.)"""
    return [hunting.outcome(kind, arrays, case, neighbours, 0) for case, neighbours in zip(entry.cases, (False, True))]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_right_layers_are_right(entry):
    assert unexpected(outcomes(entry, entry.kind)) == []


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_bugs_are_found_and_blamed_on_the_right_arrays(bug):
    assert unexpected(outcomes(bug.entry, bug.broken(), bug.arrays)) == []


@pytest.mark.zoo
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_with_twenty_seeds(entry):
    assert unexpected(hunting.of_entry(entry, range(20))) == []
    for bug in BUGS:
        if bug.entry is entry:
            assert unexpected(hunting.of_bug(bug, range(20))) == []
