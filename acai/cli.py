"""The command `acai`: each of its words is a function of `acai/commands`; its signature makes the options, its docstring helps."""

import argparse
import ast
import importlib
import inspect
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import UnionType
from typing import Literal, get_args, get_origin

from acai import __version__
from acai.errors import InputError, unknown
from acai.interrupts import InterruptRecord
from acai.terminal import complain, safe_output

COMMANDS = {  # what is typed: the module of acai/commands that has the function of that name
    "demo": "listen", "report": "listen", "recommend": "models", "train": "models", "evaluate": "models",
    "evaluate cold-start": "sound", "features": "sound", "classify": "sound", "data": "data", "download": "data",
    "reproduce surprise": "reproduce", "reproduce momentum": "reproduce", "reproduce lastfm": "reproduce",
    "gradcheck": "gradcheck",
}
LEAST = {"seed": 0, "epochs": 1, "factors": 1, "geometries": 1, "repeats": 1, "n": 1, "k": 1, "folds": 2}  # of any command


def main(argv: list[str] | None = None) -> None:
    """Run one command: exit code 0 when it did its work, 2 with one line when the input was at fault, 130 after Ctrl-C.

    After SIGTERM it is 143. Two exceptions: `gradcheck` exits with 1 where a gradient is wrong, and before the line that
    says what is wrong with the options themselves, argparse prints how the command is used.
    """
    with safe_output(), InterruptRecord() as interrupts:
        try:
            run(sys.argv[1:] if argv is None else argv)
            if sys.stdout is not None:
                sys.stdout.flush()  # or a full disk would be noticed only after the exit code
        except BrokenPipeError:  # the reader of our output (`| head`) has seen enough
            pass
        except KeyboardInterrupt:
            interrupts.pressed = True
        except (InputError, OSError) as mistake:  # OSError: the disk is full, a folder is not ours
            if not interrupts.pressed:
                complain(f"acai: {mistake}")
                sys.exit(2)
        except Exception:
            if not interrupts.pressed:  # or else it is what became of Ctrl-C on its way through a library
                raise
        if interrupts.pressed:
            complain("")
            complain("acai: stopped")
            sys.exit(128 + interrupts.number)


def run(argv: list[str]) -> None:
    """Do what one command line says."""
    n_words = 2 if " ".join(argv[:2]) in COMMANDS else 1
    name = " ".join(argv[:n_words])
    if name in COMMANDS:
        module = importlib.import_module(f"acai.commands.{COMMANDS[name]}")
        command = getattr(module, function_name(name))
        given = vars(parser_of(name, command).parse_args(argv[n_words:]))
        for word, least in LEAST.items():
            if given.get(word) is not None and given[word] < least:
                raise InputError(f"{option(word)} {given[word]}; expected {least} or more")
        command(**given)
    elif name == "--version":
        print(f"acai {__version__}")
    elif name in ("", "-h", "--help"):
        print(overview())
    else:
        raise unknown("command", name, COMMANDS, n=len(COMMANDS))


def overview() -> str:
    """What `acai --help` says: a line a command."""
    lines = "\n".join(f"  {name:<20} {summary(name)}" for name in COMMANDS)
    return (
        "usage: acai COMMAND …\n\nA music recommender written from scratch in NumPy, to be read beside its equations.\n\n"
        f"commands:\n{lines}\n\n`acai COMMAND --help` says more about one of them, `acai --version` which acai this is."
    )


def function_name(command: str) -> str:
    """`evaluate cold-start` is the function `evaluate_cold_start`."""
    return re.sub("[ -]", "_", command)


def option(word: str) -> str:
    """`with_rated` is typed `--with-rated`, `n` is `-n`."""
    return ("-" if len(word) == 1 else "--") + word.replace("_", "-")


def summary(name: str) -> str:
    """The first line of a command's docstring."""
    return docstring(Path(__file__).parent / "commands" / f"{COMMANDS[name]}.py", function_name(name)).splitlines()[0]


def docstring(source: Path, function: str) -> str:
    """The docstring of a function, read from its file.

    To import all that the commands need would take a second, and `python -OO` drops docstrings from what it imports.
    """
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name == function:
            return ast.get_docstring(node) or ""
    raise LookupError(f"{source} has no function {function}")


def parser_of(name: str, command: Callable[..., None]) -> argparse.ArgumentParser:
    """A parser whose arguments are the parameters of a function.

    Those before the `*` of the signature go by their place; those behind it are options. What has no default must be given.
    In the docstring's section Parameters, each has two lines: its name and, after a colon, what the help calls its value;
    then, indented, the help itself, to which the default is added.
    """
    about, _, parameters = docstring(Path(inspect.getfile(command)), command.__name__).partition("\n\nParameters\n----------\n")
    entries = re.findall(r"^(\w+)(?: : (.*))?\n((?:    .*\n?)+)", parameters, re.MULTILINE)
    documented = {word: (value, " ".join(text.split()).replace("%", "%%")) for word, value, text in entries}
    parser = argparse.ArgumentParser(f"acai {name}", description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.color = False  # from Python 3.14 on, argparse would colour the help with what `safe_output` escapes
    for word, parameter in inspect.signature(command).parameters.items():
        default = parameter.default
        value, text = documented[word]
        how = reading(parameter.annotation)
        if value:
            how["metavar"] = tuple(value.split()) if isinstance(how.get("nargs"), int) else value
        if default is not parameter.empty:
            how["default"] = default
            text += "" if default is None or default is False else f" (default: {default})"
        if parameter.kind is parameter.KEYWORD_ONLY:
            parser.add_argument(option(word), required="default" not in how, help=text, **how)
        else:
            parser.add_argument(word, nargs="?" if "default" in how else None, help=text, **how)
    return parser


def reading(annotation: object) -> dict[str, object]:
    """What argparse is told of a type: `int`, `bool` (a flag), `list[str]`, `tuple[str, str]`, `Literal["a"]`, `int | None`."""
    inner = get_args(annotation)
    if isinstance(annotation, UnionType):
        return reading(inner[0])
    if annotation is bool:
        return {"action": "store_true"}
    if get_origin(annotation) is Literal:
        return {"choices": inner}
    if get_origin(annotation) is list:
        return {"type": inner[0], "nargs": "+"}
    if get_origin(annotation) is tuple:
        return {"type": inner[0], "nargs": len(inner)}
    return {"type": annotation}
