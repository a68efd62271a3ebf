"""A small worked example for every equation: a function that returns what loops, fast and plain code give."""

from acai.reader.examples import evaluation, factors, neighbours, network, plays, sound, steps
from acai.reader.examples.registry import EXAMPLES

__all__ = ["EXAMPLES", "evaluation", "factors", "neighbours", "network", "plays", "sound", "steps"]
