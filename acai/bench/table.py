"""The table as text, and as Markdown between two markers of the README."""

from collections.abc import Callable, Sequence
from pathlib import Path

from acai.bench.growth import Growth
from acai.bench.row import Row
from acai.bench.rows import ROWS, Result
from acai.errors import InputError

HEADER = ("work", "against", "acai", "theirs", "ratio", "goal", "share of peak", "compiling")
OF_GROWTH = ("model", "entries", "ns per entry and epoch", "ratings, MiB", "peak, MiB")
BEGIN, END = "<!-- acai bench{}: written by the command -->", "<!-- end of acai bench{} -->"


def cells(row: Row, result: Result) -> tuple[str, ...]:
    """Write the cells of one row that was measured."""
    of = {"product": "of a matrix product", "copy": "of a copy", "": ""}[result.of]
    return (
        row.work, row.against or "–", seconds(result.ours), seconds(result.theirs),
        "–" if result.ratio is None else f"{result.ratio:.2f}", f"{row.goal:g}{' ' * bool(row.unit)}{row.unit}",
        "–" if result.share is None else f"{100 * result.share:.2g} % {of}", seconds(result.compiled or None),
    )


def seconds(t: float | None) -> str:
    """Write a time with three digits; "–" for none."""
    if t is None:
        return "–"
    return f"{t * 1000:.3g} ms" if t < 0.9995 else f"{t:.3g} s" if t < 999.5 else f"{t:.0f} s"


def as_text(result: Result) -> str:
    """Write one row for the terminal: a row that was not measured says why."""
    row = ROWS[result.name]
    if result.figure is None or not result.agrees:
        return f"  {row.name:<20} {'left out: ' + result.left_out if result.left_out else 'DISAGREES: ' + result.agreement}"
    _, against, ours, theirs, ratio, goal, share, compiled = cells(row, result)
    verdict = "reached" if result.figure <= row.goal else "missed"
    return (
        f"  {row.name:<20} {ours:>8} {theirs:>8} {ratio:>6}  at most {goal:<8} {verdict:<8} {share:<26} compiling {compiled:<8} "
        f"{result.n_turns} turns; {against}; {result.agreement}"
    )


def growth_cells(found: Growth) -> tuple[str, ...]:
    """Write the cells of one step of growth."""
    return (found.model, f"{found.n_entries:,}", f"{found.nanoseconds:.3g}", f"{found.ratings_mib:.0f}", f"{found.peak_mib:.0f}")


def growth_as_text(found: Growth) -> str:
    """Write one step of growth for the terminal."""
    model, entries, ns, held, peak = growth_cells(found)
    return f"  {model:<18} {entries:>12} entries {ns:>8} ns per entry and epoch, {held:>7} MiB of ratings, {peak:>7} MiB at most"


def markdown(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Write a table in Markdown."""
    return "\n".join(f"| {' | '.join(line)} |" for line in (header, ["---"] * len(header), *lines))


def into_readme(path: Path, results: Sequence[Result], machine: str) -> None:
    """Write the measured rows into the README's table; a row that was left out keeps the line that it has."""
    by_name = {result.name: result for result in results if not result.left_out and result.agrees}

    def table(old: str) -> str:
        kept = {tuple(line.strip("| ").split(" | ")[:2]): line for line in old.splitlines() if line.startswith("| ")}
        lines = []
        for row in ROWS.values():
            if row.name in by_name:
                lines.append(markdown((), [cells(row, by_name[row.name])]).splitlines()[-1])
            elif (row.work, row.against or "–") in kept:
                lines.append(kept[row.work, row.against or "–"])
        return "\n".join([f"{machine}.\n", markdown(HEADER, []), *lines])

    _replace(path, "", table)


def growth_into_readme(path: Path, found: Sequence[Growth], machine: str) -> None:
    """Write the table of growth into the README."""
    table = markdown(OF_GROWTH, [growth_cells(step) for step in found])
    _replace(path, " --growth", lambda old: f"{machine}.\n\n{table}")


def expect_place(path: Path, growth: bool) -> None:
    """Refuse a file without markers before the work begins, not after it."""
    _parts(path, " --growth" if growth else "")


def _replace(path: Path, options: str, new: Callable[[str], str]) -> None:
    """Replace what stands between the markers of a command with these options."""
    before, old, after = _parts(path, options)
    path.write_text(f"{before}\n\n{new(old)}\n\n{after}", encoding="utf-8")


def _parts(path: Path, options: str) -> tuple[str, str, str]:
    """Split the text at the markers: what is before, with the first; what is between; what is after, with the second."""
    begin, end = BEGIN.format(options), END.format(options)
    text = path.read_text(encoding="utf-8")
    if text.count(begin) != 1 or text.count(end) != 1:
        raise InputError(f"{path} has no place for the table; expected one line {begin} and below it {end}")
    before, rest = text.split(begin)
    old, after = rest.split(end)
    return before + begin, old, end + after
