"""Tables in HTML, as notebooks and reports show them."""

from collections.abc import Iterable, Sequence


def html_table(rows: Iterable[Sequence[str]], header: Sequence[str] = (), style: str = "text-align:left") -> str:
    """A table of cells that are HTML already: `html.escape` whatever may contain markup. `style` is the CSS of each cell."""
    lines = [*([("th", header)] if header else []), *(("td", row) for row in rows)]
    with_style = f" style='{style}'" if style else ""
    cells = ("".join(f"<{tag}{with_style}>{cell}</{tag}>" for cell in line) for tag, line in lines)
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in cells)}</table>"
