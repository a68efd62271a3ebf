"""Tables in HTML for notebooks and reports."""

from collections.abc import Iterable, Sequence


def html_table(rows: Iterable[Sequence[str]], header: Sequence[str] = (), style: str = "text-align:left") -> str:
    """Build a table from cells that are already HTML: `html.escape` any text. `style` is the CSS of each cell."""
    with_style = f" style='{style}'" if style else ""

    def table_row(tag: str, cells: Sequence[str]) -> str:
        return "<tr>" + "".join(f"<{tag}{with_style}>{cell}</{tag}>" for cell in cells) + "</tr>"

    head = table_row("th", header) if header else ""
    return "<table>" + head + "".join(table_row("td", row) for row in rows) + "</table>"
