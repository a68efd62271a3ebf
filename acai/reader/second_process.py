"""The planted bugs checked in a second process, while the first builds the rest of the page."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # importing it takes long, and the second process should start at once
    from acai.teaching.bugs import Bug

PACKAGE = Path(__file__).parents[1]
COMMAND = [sys.executable, "-P", "-c", "from acai.reader.second_process import main; main()"]
Check = Callable[["Bug"], str]


@contextmanager
def second_process() -> Iterator[Check | None]:
    """Check all planted bugs in a second process, which starts here and is over at the end of the block, whatever happened.

    It is a new process and not a fork, which threads would not survive, and has a session of its own: Ctrl-C reaches the first,
    which ends it.

    Yields
    ------
    callable or None
        The same as `acai.reader.planted.verdict`, but the first call waits for the second process, and raises RuntimeError with
        what it reported if a check failed. None where there is no second core.
    """
    if not has_second_core():
        yield None
        return
    folders = [str(PACKAGE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    variables = os.environ | {"PYTHONPATH": os.pathsep.join(folders)}
    with subprocess.Popen(
        COMMAND, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as process:

        @cache
        def verdicts() -> dict[str, str]:
            output, errors = process.communicate()
            if process.returncode:
                reason = errors.decode(errors="replace") or "it reported nothing"
                raise RuntimeError(f"the process that checks the planted bugs ended with {process.returncode}: {reason}")
            found: dict[str, str] = json.loads(output)
            return found

        try:
            yield lambda bug: verdicts()[bug.name]
        finally:
            process.kill()


def has_second_core() -> bool:
    """Whether two processes can run at once."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) > 1
    return (os.cpu_count() or 1) > 1


def main() -> None:
    """Print what the gradient check says about each planted bug, as JSON."""
    from acai.reader.planted import verdict
    from acai.teaching.bugs import CATALOGUE

    json.dump({bug.name: verdict(bug) for bug in CATALOGUE}, sys.stdout)
