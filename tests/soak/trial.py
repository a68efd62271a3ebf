"""Calling something that may refuse: what came of it, and whether that is a fault."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from acai.errors import InputError

from .ledger import Fault
from .worker import described


@dataclass(frozen=True)
class Trial:
    """What came of a call: its value, or that it was refused, or the faults."""

    value: object = None
    refused: bool = False
    faults: tuple[Fault, ...] = ()

    @property
    def succeeded(self) -> bool:
        """Whether there is a value."""
        return not self.refused and not self.faults


def attempt(what: str, function: Callable[[], object]) -> Trial:
    """Call a function: an InputError in one line refuses, any other exception is a fault."""
    try:
        return Trial(function())
    except InputError as error:
        message = str(error)
        if any(unicodedata.category(sign) == "Cc" for sign in message):
            return Trial(refused=True, faults=(Fault("foreign", f"{what}: a message with control characters {message!r}"),))
        return Trial(refused=True)
    except Exception as error:
        return Trial(faults=(Fault("foreign", f"{what}: {described(error)}"),))
