"""The command `acai`: each command is a function in `acai/commands`; its signature gives the options, its docstring the help."""

import argparse
import ast
import gc
import importlib
import inspect
import re
import signal
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from acai import __version__
from acai.errors import InputError, unknown
from acai.interrupts import InterruptRecord
from acai.settings import Limits, checked
from acai.terminal import complain, safe_output

COMMANDS = {  # each command: the module of acai/commands that contains its function
    "demo": "listen", "report": "listen", "recommend": "models", "train": "models", "evaluate": "evaluating",
    "evaluate cold-start": "sound", "features": "sound", "classify": "sound", "data": "data", "download": "data",
    "reproduce surprise": "reproduce", "reproduce momentum": "reproduce", "reproduce lastfm": "reproduce",
    "gradcheck": "gradcheck", "bench": "bench", "read": "read", "course": "classroom", "progress": "classroom",
    "grade": "classroom",
}


def main(argv: list[str] | None = None) -> None:
    """Run one command: exit code 0 on success, 2 with a one-line message if the input was wrong, 130 after Ctrl-C.

    After SIGTERM it is 143. Two exceptions: `gradcheck` exits with 1 if a gradient is wrong, and if the options themselves
    are wrong, argparse prints the usage of the command before the message.
    """
    try:
        with safe_output(), InterruptRecord() as interrupts:
            run_reporting(sys.argv[1:] if argv is None else argv, interrupts)
    except KeyboardInterrupt:  # in the moments before and after it is recorded
        complain("acai: stopped")
        sys.exit(128 + signal.SIGINT)


def run_reporting(argv: list[str], interrupts: InterruptRecord) -> None:
    """Run the command of one command line, and report what ends it early."""
    gc.set_threshold(100_000)  # importing makes many objects and no garbage: looking for it takes a tenth of a short command
    try:
        run(argv)
        if sys.stdout is not None:
            sys.stdout.flush()  # otherwise a full disk would be noticed only after the exit code
    except BrokenPipeError:  # the reader of our output (`| head`) has stopped reading
        pass
    except KeyboardInterrupt:
        interrupts.pressed = True
    except (InputError, OSError) as mistake:  # OSError: the disk is full, a folder is not writable
        if not interrupts.pressed:
            complain(f"acai: {mistake}")
            sys.exit(2)
    except Exception:
        if not interrupts.pressed:  # otherwise it is what a library made of Ctrl-C
            raise
    if interrupts.pressed:
        complain("")
        complain("acai: stopped")
        sys.exit(128 + interrupts.number)


def run(argv: list[str]) -> None:
    """Run the command with the options of one command line."""
    n_words = 2 if " ".join(argv[:2]) in COMMANDS else 1
    name = " ".join(argv[:n_words])
    if name in COMMANDS:
        module = importlib.import_module(f"acai.commands.{COMMANDS[name]}")
        command = getattr(module, function_name(name))
        given = vars(parser_of(name, command).parse_args(argv[n_words:]))
        for word, parameter in inspect.signature(command).parameters.items():
            limits = limits_of(parameter.annotation)
            if limits is not None and given[word] is not None:
                checked(option(word), given[word], limits=limits)
        command(**given)
    elif name == "--version":
        print(f"acai {__version__}")
    elif name in ("", "-h", "--help"):
        print(overview())
    elif argv[1:] in ([], ["-h"], ["--help"]) and any(command.startswith(f"{name} ") for command in COMMANDS):
        print(f"usage: acai {name} WHAT …\n\n{summaries(name)}\n\n`acai {name} WHAT --help` says more about one of them.")
    else:
        raise unknown("command", name, COMMANDS, n=len(COMMANDS))


def overview() -> str:
    """Write the text of `acai --help`: one line per command."""
    return (
        "usage: acai COMMAND …\n\nA music recommender written from scratch in NumPy, to be read beside its equations.\n\n"
        f"commands:\n{summaries()}\n\n`acai COMMAND --help` says more about one of them, `acai --version` which acai this is."
    )


def summaries(group: str = "") -> str:
    """Write one line per command: of all, or of a group such as `reproduce`."""
    names = [name for name in COMMANDS if name.startswith(f"{group} ") or not group]
    return "\n".join(f"  {name:<20} {summary(name)}" for name in names)


def function_name(command: str) -> str:
    """Name the function of a command: `evaluate_cold_start` for `evaluate cold-start`."""
    return re.sub("[ -]", "_", command)


def option(word: str) -> str:
    """Name the option of a parameter: `--with-rated` for `with_rated`, `-n` for `n`."""
    return ("-" if len(word) == 1 else "--") + word.replace("_", "-")


def summary(name: str) -> str:
    """Return the first line of a command's docstring."""
    return docstring(Path(__file__).parent / "commands" / f"{COMMANDS[name]}.py", function_name(name)).splitlines()[0]


def docstring(source: Path, function: str) -> str:
    """Read the docstring of a function from its source file.

    Importing everything the commands need would take a second, and `python -OO` removes the docstrings of imported modules.
    """
    for node in ast.walk(parsed(source)):
        if isinstance(node, ast.FunctionDef) and node.name == function:
            return ast.get_docstring(node) or ""
    raise LookupError(f"{source} has no function {function}")


@cache
def parsed(source: Path) -> ast.Module:
    """Parse a source file once, however many commands it has."""
    return ast.parse(source.read_text(encoding="utf-8"))


def parser_of(name: str, command: Callable[..., None]) -> argparse.ArgumentParser:
    """Make a parser whose arguments are the parameters of a function.

    Parameters before the `*` of the signature are positional; those after it are options. Without a default, an argument is
    required. In the docstring's section Parameters, each has two parts: its name and, after a colon, what the help calls its
    value; then, indented, the help itself, to which the default is added.
    """
    about, _, parameters = docstring(Path(inspect.getfile(command)), command.__name__).partition("\n\nParameters\n----------\n")
    entries = re.findall(r"^(\w+)(?: : (.*))?\n((?:    .*\n?)+)", parameters, re.MULTILINE)
    documented = {word: (value, " ".join(text.split()).replace("%", "%%")) for word, value, text in entries}
    parser = argparse.ArgumentParser(f"acai {name}", description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    if sys.version_info >= (3, 14):
        parser.color = False  # argparse colours the help with escape sequences, which `safe_output` would print as text
    for word, parameter in inspect.signature(command).parameters.items():
        default = parameter.default
        value, text = documented[word]
        options = argument_options(parameter.annotation)
        if value:
            options["metavar"] = tuple(value.split()) if isinstance(options.get("nargs"), int) else value
        if default is not parameter.empty:
            options["default"] = default
            if default is not None and default is not False:
                text += f" (default: {default})"
        if parameter.kind is parameter.KEYWORD_ONLY:
            parser.add_argument(option(word), required="default" not in options, help=text, **options)
        else:
            parser.add_argument(word, nargs="?" if "default" in options else None, help=text, **options)
    return parser


def argument_options(annotation: object) -> dict[str, Any]:
    """Tell argparse how to read a type: `int`, `bool` (a flag), `list[str]`, `tuple[str, str]`, `Literal["a"]`, `int | None`."""
    inner = get_args(annotation)
    if get_origin(annotation) in (UnionType, Union, Annotated):
        return argument_options(inner[0])
    if annotation is bool:
        return {"action": "store_true"}
    if get_origin(annotation) is Literal:
        return {"choices": inner}
    if get_origin(annotation) is list:
        return {"type": inner[0], "nargs": "+"}
    if get_origin(annotation) is tuple:
        return {"type": inner[0], "nargs": len(inner)}
    return {"type": annotation}


def limits_of(annotation: object) -> Limits | None:
    """Find the limits of a number's type, such as `Count` or `Seed | None`; None if it has none."""
    kinds = (annotation, *get_args(annotation))
    metadata = [item for kind in kinds for item in getattr(kind, "__metadata__", ())]
    return next((item for item in metadata if isinstance(item, Limits)), None)
