"""The register of worked examples, in which each module of this package enters its own."""

from collections.abc import Callable

Example = Callable[[], tuple[object, ...]]  # returns what the loops, the fast code and, if there is any, the plain code give
EXAMPLES: dict[str, Example] = {}


def example_of(*ids: str) -> Callable[[Example], Example]:
    """Register the worked example of some equations."""

    def register(function: Example) -> Example:
        EXAMPLES.update(dict.fromkeys(ids, function))
        return function

    return register
