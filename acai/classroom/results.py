"""The results of a class: as a table, CSV, JSON, and one page of feedback per student."""

import csv
import io
import json
from collections.abc import Iterable
from html import escape

from acai.classroom.grading import Result, say
from acai.html_table import html_table
from acai.teaching.exercises.texts import TASKS, find
from acai.teaching.exercises.wrong import Wrong
from acai.terminal import one_line

PAGE = """<!doctype html>
<html lang="{language}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{name}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
td {{ vertical-align: top; padding: .3rem .8rem .3rem 0; border-top: 1px solid #ddd }}
code {{ background: #f2f2f2 }}
</style>
<h1>{name}</h1>
<p>{summary}</p>
{table}
{notes}
</html>
"""


class Results(dict[str, Result]):
    """The result of each student, by name."""

    @property
    def exercises(self) -> list[str]:
        """The exercises of all notebooks that anybody handed in, in their order."""
        named = {name for result in self.values() for name in result.marks}
        return [name for name in TASKS if name in named]

    def n_solved(self, student: str) -> int:
        """Count what a student has solved."""
        return sum(mark.ok for mark in self[student].marks.values())

    def table(self) -> str:
        """Return a table as text: a line per student, a column per exercise."""
        names = self.exercises
        width = max([len(one_line(name)) for name in self], default=0)
        lines = [f"{k:>3} = {name}" for k, name in enumerate(names, 1)]
        lines += ["", " " * width + "  " + " ".join(f"{k:>2}" for k in range(1, len(names) + 1)) + "  solved  seconds  notes"]
        for student in sorted(self):
            result = self[student]
            marks = " ".join(f" {self._mark(student, name)}" for name in names)
            notes = one_line("; ".join(result.notes))
            solved = f"{self.n_solved(student)}/{len(names)}"
            lines.append(f"{one_line(student):<{width}}  {marks}  {solved:>6}  {result.seconds:>7.1f}  {notes[:160]}".rstrip())
        return "\n".join(lines)

    def _mark(self, student: str, name: str) -> str:
        mark = self[student].marks.get(name)
        return "·" if mark is None else "✓" if mark.ok else "✗"

    def csv(self) -> str:
        """Return CSV: a line per student, 1 or 0 per exercise."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["student", "solved", "of", "seconds", *self.exercises, "notes"])
        for student in sorted(self):
            result = self[student]
            marks = [int(name in result.marks and result.marks[name].ok) for name in self.exercises]
            writer.writerow([
                _no_formula(student), sum(marks), len(marks), f"{result.seconds:.1f}", *marks, _no_formula("; ".join(result.notes)),
            ])
        return text.getvalue()

    def json(self) -> str:
        """Return JSON: for each student and exercise whether it is solved, the hint that was received, and the seconds."""
        students = {}
        for student in sorted(self):
            result = self[student]
            marks = {name: self._entry(student, name) for name in self.exercises}
            students[student] = {
                "solved": self.n_solved(student), "of": len(marks), "seconds": round(result.seconds, 1), "exercises": marks,
                "notes": result.notes,
            }
        return json.dumps(students, indent=1, ensure_ascii=False) + "\n"

    def _entry(self, student: str, name: str) -> dict[str, object]:
        mark = self[student].marks.get(name)
        if mark is None:
            return {"ok": False, "hint": say(Wrong("not-handed-in")), "seconds": 0.0}
        return {"ok": mark.ok, "hint": mark.hint, "seconds": round(mark.seconds, 3)}

    def page(self, student: str, language: str = "en") -> str:
        """Return the feedback for one student, as a page of HTML."""
        rows = []
        for name in self.exercises:
            entry = self._entry(student, name)
            words = say(Wrong("right")) if entry["ok"] else str(entry["hint"])
            rows.append([self._mark(student, name), escape(name), escape(find(name).title), escape(words)])
        return PAGE.format(
            language=escape(language), name=escape(student), table=html_table(rows, style=""),
            summary=escape(say(Wrong("progress", solved=self.n_solved(student), n=len(rows)))),
            notes=_paragraphs(self[student].notes),
        )


def _paragraphs(lines: Iterable[str]) -> str:
    return "".join(f"<p>{escape(line)}</p>" for line in lines)


def _no_formula(text: str) -> str:
    """Keep a spreadsheet from taking somebody's text for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
