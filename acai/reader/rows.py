"""The README cut into rows: each equation with the text that belongs to it, and everything else between them."""

from dataclasses import dataclass, field

from acai.reader.markdown import Block

LINKS = "↳"  # the line below an equation, which leads to the code; the reader shows the code instead


@dataclass
class Row:
    """A stretch of the README: one equation with its prose, or prose without an equation."""

    blocks: list[Block] = field(default_factory=list)
    part: str = ""  # the heading of its part, for the symbols: "Part C: collaborative filtering"
    section: str = ""
    level: int = 1  # of the last heading before its equation

    @property
    def ids(self) -> list[str]:
        """The ids of its equations: one, as a rule."""
        return [name for block in self.blocks for name in block.ids]

    @property
    def latex(self) -> str:
        """The equation."""
        return "\n".join(block.text for block in self.blocks if block.ids)

    @property
    def prose(self) -> str:
        """The paragraphs around the equation."""
        return "\n\n".join(block.text for block in self.blocks if block.kind == "paragraph")


def rows_of(blocks: list[Block]) -> list[Row]:
    """Cut a list of blocks into rows.

    The paragraph directly before an equation introduces it. Paragraphs and unnumbered formulas after it still belong to it,
    up to the next introduction, or to something of another kind: a heading, a table, code, a list.
    """
    blocks = [block for block in blocks if not block.text.startswith(LINKS)]
    rows: list[Row] = [Row()]
    part = section = ""
    level = 1
    for number, block in enumerate(blocks):
        if block.kind == "heading":
            section, level = block.text, int(block.info)
            part = section if block.info == "2" else part
        if _begins(blocks, number, rows[-1]):
            rows.append(Row())
        rows[-1].blocks.append(block)
        rows[-1].part, rows[-1].section, rows[-1].level = part, section, level
    return [row for row in rows if row.blocks]


def _begins(blocks: list[Block], number: int, row: Row) -> bool:
    """Whether a new row begins with this block."""
    block = blocks[number]
    if block.kind == "heading":
        return not all(before.kind == "heading" for before in row.blocks)
    if row.blocks and row.blocks[-1].kind == "heading" and _introduces(blocks, number):
        return False
    if block.ids:
        return bool(row.ids)
    if _introduces(blocks, number):
        return True
    return bool(row.ids) and block.kind not in ("paragraph", "equation")


def _introduces(blocks: list[Block], number: int) -> bool:
    """Whether a block is the paragraph directly before a numbered equation."""
    following = blocks[number + 1 : number + 2]
    return blocks[number].kind == "paragraph" and any(block.ids for block in following)
