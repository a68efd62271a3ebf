"""A line of the loops with numbers in place of its variables: sums are written out term by term."""

import ast
import math
import re
from collections.abc import Collection, Mapping
from numbers import Number

import numpy as np

MOST_TERMS = 8
MOST_NUMBERS = 16  # of an array that is written out
Names = Mapping[str, object]


def short(value: object) -> str:
    """Return a value in few characters: a number with four digits, a small array in full, a large one by its shape."""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (complex, np.complexfloating)):
        return f"{complex(value):.3g}"
    if isinstance(value, (float, np.floating)):
        return f"{float(value):.4g}"
    if isinstance(value, (list, tuple, np.ndarray)):
        return _short_array(value)
    return ""


def _short_array(value: list[object] | tuple[object, ...] | np.ndarray) -> str:
    try:
        array = np.asarray(value)
    except ValueError:  # rows of different lengths
        return f"{len(value)} items"
    if array.dtype.kind not in "biufc":
        return f"{len(value)} items" if array.ndim else ""
    shape = " × ".join(map(str, array.shape))
    if array.size > MOST_NUMBERS:
        return f"an array of {shape}" if array.ndim > 1 else f"{array.size} numbers"
    numbers = str(array.astype(int).tolist() if array.dtype.kind in "biu" else np.round(array, 3).tolist())
    return f"{numbers} ({shape})" if array.ndim > 1 else numbers


class Substitution(ast.NodeTransformer):
    """Puts values into an expression. Functions of `math` and arithmetic stay, everything else becomes its value."""

    def __init__(self, names: Names, functions: Names, is_term: bool = False) -> None:
        self.names, self.functions = names, functions
        self.is_term = is_term  # of a sum, in which a condition is only 1 or 0

    def value(self, node: ast.expr) -> object:
        """Return the value of an expression."""
        code = compile(ast.Expression(ast.fix_missing_locations(node)), "<equation>", "eval")
        return eval(code, {**self.functions, **self.names})

    def _leaf(self, node: ast.expr) -> ast.expr:
        value = self.value(node)
        text = short(int(value)) if isinstance(value, (bool, np.bool_)) else short(value)
        if not text:
            return node
        in_brackets = isinstance(value, Number) and (text.startswith("-") or "j" in text)
        return ast.Name(f"({text})" if in_brackets else text)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Put in the value of a variable, or of a constant of the file."""
        is_value = node.id in self.names or isinstance(self.functions.get(node.id), Number)
        return self._leaf(node) if is_value and isinstance(node.ctx, ast.Load) else node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """Put in one entry of an array."""
        return self._leaf(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """Put in an attribute, such as `y.size`."""
        return self._leaf(node)

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        """Put values into a condition, in the brackets that mean 1 where it holds and 0 elsewhere: "[2 > 0]"."""
        return ast.Name(f"[{ast.unparse(ast.fix_missing_locations(self._condition(node)))}]".replace("==", "="))

    def _condition(self, node: ast.expr) -> ast.expr:
        condition: ast.expr = Comparison(self.names, self.functions).visit(node)
        return condition

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        """Put values into both branches and the condition; within a sum, and where an argument may be missing, take the branch."""
        is_about_an_argument = isinstance(node.test, ast.Compare) and isinstance(node.test.ops[0], ast.Is | ast.IsNot)
        if self.is_term or is_about_an_argument:
            chosen: ast.expr = self.visit(node.body if self.value(node.test) else node.orelse)
            return chosen
        return ast.IfExp(self._condition(node.test), self.visit(node.body), self.visit(node.orelse))

    def visit_ListComp(self, node: ast.ListComp) -> ast.expr:
        """Write out the entries of a list."""
        terms = self._terms(node)
        return ast.List(terms if len(terms) <= MOST_TERMS else [*terms[: MOST_TERMS - 1], ast.Name("…")], ast.Load())

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.expr:
        """Leave a generator as it is: only sums are written out."""
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        """Leave a function as it is."""
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Write out a sum; keep a function of `math`; put in the value of any other call."""
        function = ast.unparse(node.func)
        if function in ("sum", "mean") and len(node.args) == 1:
            terms = self._terms(node.args[0])
            if terms:
                total = _added(terms)
                return total if function == "sum" else ast.BinOp(total, ast.Div(), ast.Constant(len(terms)))
        if function in ("max", "min") and isinstance(node.args[0], ast.GeneratorExp):
            return ast.Call(ast.Name(function), self._terms(node.args[0]), [])
        if function == "any" and not self.is_term and isinstance(node.args[0], ast.GeneratorExp):
            terms = self._terms(node.args[0], Comparison)
            return ast.BoolOp(ast.Or(), terms) if terms else ast.Name("False")
        name = function.removeprefix("math.")
        is_of_math = hasattr(math, name) and function in (f"math.{name}", name) and name not in self.names
        if function in ("max", "min", "abs", "float") or is_of_math or any(isinstance(part, ast.ListComp) for part in node.args):
            return ast.Call(ast.Name(name), [self.visit(argument) for argument in node.args], [])
        return self._leaf(node)

    def whole(self, node: ast.expr) -> ast.expr:
        """Put values into a whole expression; if that is one call, such as "solve(left, right)", the call stays."""
        drawn: ast.expr = self.visit(node)
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and isinstance(drawn, ast.Name)
        if isinstance(node, ast.Call) and is_call and not any(isinstance(part, ast.GeneratorExp) for part in node.args):
            return ast.Call(node.func, [self.visit(argument) for argument in node.args], [])
        return drawn

    def _terms(self, node: ast.expr, kind: type["Substitution"] | None = None) -> list[ast.expr]:
        """Return the terms of a sum over a generator or a list; `kind` puts the values into each."""
        if not isinstance(node, (ast.GeneratorExp, ast.ListComp)):
            values = self.value(node)
            return [ast.Name(_in_sum(value)) for value in values] if isinstance(values, Collection) else []
        targets = sorted({name.id for part in node.generators for name in ast.walk(part.target) if isinstance(name, ast.Name)})
        own = ast.Tuple([ast.Name(name, ast.Load()) for name in targets], ast.Load())
        rows = self.value(ast.ListComp(own, node.generators))
        if not isinstance(rows, list):
            return []
        inside = ast.unparse(node.elt)
        terms: list[ast.expr] = []
        for row in rows:
            term = ast.parse(inside, mode="eval").body
            names = {**self.names, **dict(zip(targets, row))}
            terms.append((kind or Substitution)(names, self.functions, is_term=True).visit(term))
        return terms


def _in_sum(value: float) -> str:
    """Return a number as a term of a sum, a negative one in brackets."""
    return f"({value:.4g})" if value < 0 else f"{value:.4g}"


class Comparison(Substitution):
    """Puts values into what is compared, and leaves the comparison: "108000 − 0 < 86400"."""

    def _leaf(self, node: ast.expr) -> ast.expr:
        value = self.value(node)
        return ast.Name(str(bool(value))) if isinstance(value, (bool, np.bool_)) else super()._leaf(node)

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        """Put values into both sides."""
        return ast.Compare(self.visit(node.left), node.ops, [self.visit(side) for side in node.comparators])


def _added(terms: list[ast.expr]) -> ast.expr:
    """Join terms by plus signs; the middle of many is left out."""
    if len(terms) > MOST_TERMS:
        terms = [*terms[: MOST_TERMS - 1], ast.Name("…"), terms[-1]]
    total = terms[0]
    for term in terms[1:]:
        total = ast.BinOp(total, ast.Add(), term)
    return total


def substituted(expression: str, names: Names, functions: Names) -> str:
    """Return an expression with numbers in place of its variables, in the usual notation."""
    whole = ast.parse(expression, mode="eval").body
    tree = Substitution(names, functions).whole(whole)
    text = ast.unparse(ast.fix_missing_locations(tree))
    text = re.sub(r"(?<=[(])\((-[\d.e+-]+)\)(?=[,)])", r"\1", text)  # max((-1)) is max(-1)
    text = re.sub(r"\babs\(\(([^()]*)\)\)|\babs\(([^()]*)\)", lambda match: f"|{match[1] or match[2]}|", text)
    return text.replace(" ** ", "^").replace(" * ", " · ").replace("sqrt(", "√(").replace(" - ", " − ")
