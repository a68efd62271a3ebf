"""A zoo of layers and losses as people write them in NumPy, right, and what people get wrong in them.

Every class is one entry, tried on two geometries. `zoo.toml` holds the planted bugs, each one wrong piece of code.
"""

from acai.teaching.zoo.catalogue import BUGS, ENTRIES, Entry, ZooBug

__all__ = ["BUGS", "ENTRIES", "Entry", "ZooBug"]
