"""The command `acai`: one module of `acai/commands` for each of its words."""

import argparse
import importlib
import sys

from acai import __version__
from acai.errors import InputError, unknown

COMMANDS = {
    "demo": "hear a small made-up world of music, from its plays to songs that nobody has played",
    "report": "your own music on one page to read and to hear, with songs you have never played",
    "recommend": "recommend songs to one user of a data set",
    "train": "fit a model to a data set and keep it in a file",
    "evaluate": "compare models by what they predict and recommend",
    "reproduce": "run again what others have published, and what the README claims",
    "data": "list the data sets: what is known, what is present, on what terms",
    "download": "fetch a data set, after its terms have been accepted",
    "evaluate cold-start": "how well can songs that nobody has played be recommended?",
    "features": "turn a folder of sound files into features, on all cores, once",
    "classify": "learn to tell the sub-folders of a folder of music apart, and be tested on tracks held out",
    "gradcheck": "prove the gradients of every layer, or of your own",
}


def main(argv: list[str] | None = None) -> None:
    """Run one command: exit code 0 when it did its work, 2 with one line when the input was at fault, 130 after Ctrl-C."""
    argv = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(
        prog="acai",
        description="A music recommender written from scratch in NumPy, to be read beside its equations.",
        epilog="commands:\n" + "\n".join(f"  {name:<20} {line}" for name, line in COMMANDS.items())
        + "\n\n`acai COMMAND --help` says more about one of them.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"acai {__version__}")
    parser.add_argument("command", metavar="COMMAND", help="one of those below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="what the command takes")
    if not argv:
        parser.print_help()
        return
    n_words = 2 if " ".join(argv[:2]) in COMMANDS else 1
    try:
        parser.parse_args(argv[:1])
        chosen = " ".join(argv[:n_words])
        if chosen not in COMMANDS:
            raise unknown("command", chosen, COMMANDS, n=len(COMMANDS))
        command = importlib.import_module("acai.commands." + chosen.split()[-1].replace("-", "_"))
        command_parser = argparse.ArgumentParser(
            prog=f"acai {chosen}", description=command.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        command.add_arguments(command_parser)
        command.run(command_parser.parse_args(argv[n_words:]))
    except InputError as mistake:
        sys.exit(_complain(mistake))
    except KeyboardInterrupt:
        print("\nacai: stopped", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output (`| head`) has seen enough
        sys.stderr.close()


def _complain(mistake: InputError) -> int:
    print(f"acai: {mistake}", file=sys.stderr)
    return 2
