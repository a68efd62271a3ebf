"""The small mistakes that are planted: each changes one place of a module's syntax tree, and is taken back afterwards.

Not changed: text (docstrings, f-strings, the message of an error, what a progress bar says), type hints, decorators,
`__repr__`, imports for type hints. A string chooses between behaviours in too few places to be worth the many that only speak.
"""

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

COMPARISONS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}
ARITHMETIC = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
    ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}
UNCHANGED_FIELDS = {"annotation", "returns", "decorator_list", "type_comment", "exc", "cause", "msg", "names", "type_params"}
UNCHANGED_FUNCTIONS = {"__repr__", "_repr_png_", "_repr_html_"}
SYMMETRIC_CALLS = {"maximum", "minimum", "max", "min", "clip", "array_equal", "dot"}  # their arguments are not exchanged
UNCHANGED_CALLS = {"tqdm", "warn", "InputError"}  # apart from their first argument, they only say something


@dataclass(frozen=True)
class Mutant:
    """One change to one module."""

    module: str
    where: str  # the function or class it is in, or "" for the module itself
    function: str  # the outermost function whose code it changes, or "" where it runs while the module is imported
    change: str  # the code before and after
    lines: range  # the changed code
    statement: range  # the statement around it, without the body of a compound one

    def __str__(self) -> str:
        return f"{self.module}:{self.where}: {self.change}"


def mutants(tree: ast.Module, module: str) -> Iterator[Mutant]:
    """Every mutant in turn. While one is looked at, `tree` contains it; compile the tree to run it."""
    seen: Counter[str] = Counter()
    for where, function, node, changed, statement in _walk(tree, "", "", tree):
        change = f"{_text(node)} → {_text(changed)}"
        seen[where + change] += 1
        if seen[where + change] > 1:
            change += f" (no. {seen[where + change]})"
        lines = range(node.lineno, node.end_lineno + 1)
        if getattr(statement, "body", None):
            last = max(statement.lineno, statement.body[0].lineno - 1)
        else:
            last = statement.end_lineno
        yield Mutant(module, where, function, change, lines, range(statement.lineno, last + 1))


def _text(node: ast.AST) -> str:
    """The code of a node in one line, of a compound statement the first line only."""
    return ast.unparse(node).partition("\n")[0]


def _walk(parent: ast.AST, where: str, function: str, statement: ast.AST) -> Iterator[tuple]:
    for field, value in ast.iter_fields(parent):
        if field in UNCHANGED_FIELDS:
            continue
        code_of = function or (where if isinstance(parent, ast.FunctionDef) and field == "body" else "")
        siblings = value if isinstance(value, list) else [value]
        for k, node in enumerate(siblings):
            if not isinstance(node, ast.AST) or _only_speaks(parent, field, k, node):
                continue
            inside = node if isinstance(node, ast.stmt) else statement
            for changed in _alternatives(node, parent, field):
                ast.copy_location(changed, node)
                ast.fix_missing_locations(changed)
                _put(parent, field, k, changed)
                yield where, code_of, node, changed, inside
                _put(parent, field, k, node)
            name = f"{where}.{node.name}".lstrip(".") if isinstance(node, ast.FunctionDef | ast.ClassDef) else where
            yield from _walk(node, name, code_of, inside)


def _put(parent: ast.AST, field: str, k: int, node: ast.AST) -> None:
    value = getattr(parent, field)
    if isinstance(value, list):
        value[k] = node
    else:
        setattr(parent, field, node)


def _only_speaks(parent: ast.AST, field: str, k: int, node: ast.AST) -> bool:
    """Whether a change here would change words alone."""
    if isinstance(node, ast.JoinedStr | ast.Import | ast.ImportFrom):
        return True
    if isinstance(node, ast.FunctionDef) and node.name in UNCHANGED_FUNCTIONS:
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True  # a docstring
    if isinstance(node, ast.If) and _text(node.test) == "TYPE_CHECKING":
        return True
    if isinstance(node, ast.Assign | ast.AugAssign) and "__doc__" in _text(node):
        return True
    if isinstance(node, ast.keyword) and node.arg == "repr":
        return True
    if isinstance(parent, ast.Call):
        called = _text(parent.func).rpartition(".")[2]
        return called in UNCHANGED_CALLS and field in ("args", "keywords") and (field, k) != ("args", 0)
    return False


def _alternatives(node: ast.AST, parent: ast.AST, field: str) -> Iterator[ast.AST]:
    """What may stand in the place of a node."""
    if isinstance(node, ast.stmt):
        yield from _statements(node)
    elif isinstance(node, ast.expr):
        if field == "test" and not isinstance(parent, ast.Assert):
            yield ast.UnaryOp(ast.Not(), node)
        yield from _expressions(node, parent)


def _statements(node: ast.stmt) -> Iterator[ast.stmt]:
    if isinstance(node, ast.AugAssign):
        yield ast.Pass()
        yield ast.Assign([_stored(node.target)], node.value)
        if type(node.op) in ARITHMETIC:
            yield ast.AugAssign(node.target, ARITHMETIC[type(node.op)](), node.value)
    elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute | ast.Subscript):
        yield ast.Pass()
    elif isinstance(node, ast.Expr | ast.Raise) and not isinstance(getattr(node, "value", None), ast.Yield | ast.YieldFrom):
        yield ast.Pass()
    elif isinstance(node, ast.Break):
        yield ast.Continue()
    elif isinstance(node, ast.Continue):
        yield ast.Break()
    elif isinstance(node, ast.Return) and node.value is not None:
        yield ast.Return(ast.Constant(None))


def _stored(target: ast.expr) -> ast.expr:
    target = copy.deepcopy(target)
    target.ctx = ast.Store()
    return target


def _expressions(node: ast.expr, parent: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
        yield ast.Compare(node.left, [COMPARISONS[type(node.ops[0])](), *node.ops[1:]], node.comparators)
        if len(node.ops) > 1:
            yield ast.Compare(node.left, [node.ops[0], COMPARISONS[type(node.ops[1])]()], node.comparators)
    elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        yield ast.BinOp(node.left, ARITHMETIC[type(node.op)](), node.right)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not | ast.Invert):
        yield node.operand
    elif isinstance(node, ast.Constant):
        yield from _constants(node, parent)
    elif isinstance(node, ast.Call):
        yield from _calls(node)


def _constants(node: ast.Constant, parent: ast.AST) -> Iterator[ast.Constant]:
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int) and not isinstance(parent, ast.UnaryOp):
        yield ast.Constant(node.value + 1)
        if node.value > 0:
            yield ast.Constant(node.value - 1)
    elif isinstance(node.value, float) and node.value:
        yield ast.Constant(2 * node.value)
    elif isinstance(node.value, float):
        yield ast.Constant(1.0)


def _calls(node: ast.Call) -> Iterator[ast.Call]:
    first_two = node.args[:2]
    symmetric = _text(node.func).rpartition(".")[2] in SYMMETRIC_CALLS
    if len(first_two) == 2 and not symmetric and not any(isinstance(argument, ast.Starred) for argument in first_two):
        yield ast.Call(node.func, [*reversed(first_two), *node.args[2:]], node.keywords)
    for keyword in node.keywords if _text(node.func) not in UNCHANGED_CALLS else ():
        if keyword.arg != "repr":
            yield ast.Call(node.func, node.args, [other for other in node.keywords if other is not keyword])
    if isinstance(node.func, ast.Name) and node.func.id == "range":
        stop = min(len(node.args) - 1, 1)
        fewer = ast.BinOp(node.args[stop], ast.Sub(), ast.Constant(1))
        yield ast.Call(node.func, [*node.args[:stop], fewer, *node.args[stop + 1 :]], [])
