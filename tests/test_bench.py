"""`acai bench`: how turns are taken, and what is left out and why."""

import importlib
import itertools
import re

import pytest

from acai.bench import alone, machine, rows, table, turns
from acai.bench.growth import Growth
from acai.bench.row import PACKAGES, Contest, Data, Disagreement, LeftOut, Row, competitor, expect_agreement
from acai.cli import main

NOT_COMPARED = {"user-lists", "demo", "help"}  # they need neither a library nor data
DONE = {"ours": 0.5, "theirs": 1.0, "ratio": 0.5, "share": 0.25, "of": "product", "compiled": 3.0, "n_turns": 7}


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(turns, "PAUSE", 0)


def contest(ours: list[float], theirs: list[float] | None) -> Contest:
    """Two sides, whose runs take what the lists say, again and again."""
    now = [0.0]

    def side(durations):
        times = itertools.cycle(durations)

        def work() -> None:
            now[0] += next(times)

        return work

    return Contest(side(ours), theirs and side(theirs), str, clock=lambda: now[0])


def test_the_figure_is_the_median_of_the_ratios_of_turns():
    found = turns.take_turns(contest([1.0, 9.0, 2.0], [2.0, 3.0, 4.0]))
    assert found == (2.0, 3.0, 0.5, turns.MOST)  # a disturbed turn counts as one


def test_quick_work_is_repeated_in_a_turn_and_alone_has_no_ratio():
    calls = []
    quick = contest([0.01], None)
    found = turns.take_turns(Contest(lambda: (calls.append(1), quick.ours()), None, str, clock=quick.clock, scale=50))
    assert found.ours == pytest.approx(0.5) and found.ratio is None and len(calls) == 1 + 15 * 5


@pytest.mark.parametrize("name", sorted(set(rows.ROWS) - NOT_COMPARED))
def test_a_row_without_its_library_or_data_is_left_out_with_what_to_do(name, monkeypatch):
    monkeypatch.setattr("acai.bench.plays.generated", None)
    result = rows.measure_here(rows.ROWS[name], Data()) if name == "recommend" else without_libraries(name, monkeypatch)
    assert result.agrees and result.figure is None
    what_to_do = r"(pip install 'acai\[bench\]'|`acai download [\w-]+` gets it, then give --\w+ PATH)"
    assert re.fullmatch(f"needs .*{what_to_do}", result.left_out)
    assert f"left out: {result.left_out}" in table.as_text(result)


def without_libraries(name: str, monkeypatch) -> rows.Result:
    def missing(module: str):
        raise ImportError(f"No module named {module!r}")

    monkeypatch.setattr(importlib, "import_module", missing)
    return rows.measure_here(rows.ROWS[name], Data())


def test_only_what_is_compared_can_be_asked_for():
    with pytest.raises(KeyError):
        competitor("numpy")
    assert set(PACKAGES) == {"torch", "surprise", "implicit", "cornac"}


def test_sides_that_disagree_are_not_timed():
    def agree() -> str:
        return expect_agreement(float("nan"), 1e-5, "predictions")

    def never() -> None:
        raise AssertionError("timed")

    result = rows.measure_here(Row("help", "", "", 1.0, lambda data: Contest(never, never, agree)), Data())
    assert not result.agrees and result.ours is None
    assert table.as_text(result).endswith("DISAGREES: predictions differ by nan; expected at most 1e-05")
    with pytest.raises(Disagreement):
        expect_agreement(2e-5, 1e-5, "x")
    assert expect_agreement(1e-5, 1e-5, "x") == "x differ by 1e-05"


def test_the_measuring_process_has_no_slow_blas_and_an_empty_cache(monkeypatch, tmp_path):
    for name in machine.SLOWING:
        monkeypatch.setenv(name, "x")
    found = machine.environment(tmp_path)
    assert not {*machine.SLOWING} & set(found) and found["NUMBA_CACHE_DIR"] == str(tmp_path)


def test_the_command_exits_with_1_if_results_differ(monkeypatch, capsys):
    monkeypatch.setattr(rows, "this_machine", lambda: "a machine")
    results = {"help": rows.Result("help", **DONE), "sgd": rows.Result("sgd", agreement="RMSE", agrees=False)}
    monkeypatch.setattr(rows, "measured", lambda name, data: results[name])
    for names, code in (["help"], 0), (["help", "sgd"], 1):
        with pytest.raises(SystemExit) as end:
            main(["bench", "--only", *names, "--json"])
        assert end.value.code == code and '"machine": "a machine"' in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["bench", "--only", "hlep"])
    assert capsys.readouterr().err.startswith("acai: no row 'hlep'; there is: help, ")


def test_a_row_that_was_left_out_keeps_its_line_in_the_readme(tmp_path):
    file = tmp_path / "README.md"
    file.write_text(f"before\n{table.BEGIN.format('')}\n{table.END.format('')}\nafter\n", encoding="utf-8")
    first = [rows.Result(name, **DONE) for name in ("sgd", "help")]
    table.into_readme(file, first, "one machine")
    lines = file.read_text(encoding="utf-8").splitlines()
    table.into_readme(file, [rows.Result("help", **DONE | {"ours": 0.25}), rows.Result("sgd", left_out="no data")], "another")
    again = file.read_text(encoding="utf-8").splitlines()
    assert [(a, b) for a, b in zip(lines, again, strict=True) if a != b] == [
        ("one machine.", "another."), *((a, a.replace("500 ms", "250 ms")) for a in lines if "acai --help" in a)
    ]
    assert again[0] == "before" and again[-1] == "after"
    table.into_readme(file, [], "another")
    assert file.read_text(encoding="utf-8").splitlines() == again


def test_growth_has_a_table_of_its_own(tmp_path):
    file = tmp_path / "README.md"
    file.write_text(f"{table.BEGIN.format(' --growth')}\n{table.END.format(' --growth')}\n", encoding="utf-8")
    step = Growth("SGD", 1_000_000, 12.34, 100.2, 200.4)
    table.growth_into_readme(file, [step], "a machine")
    assert "| SGD | 1,000,000 | 12.3 | 100 | 200 |\n" in file.read_text(encoding="utf-8")
    assert "12.3 ns per entry and epoch" in table.growth_as_text(step)


def test_where_processor_time_is_unknown_the_row_says_so(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "resource", None)
    with pytest.raises(LeftOut, match="needs the module resource"):
        alone.processor_seconds()
