"""Every numbered equation of the README as nested loops, word for word: the slow truth that the fast code is tested against.

One file for each part of the README: `data` (D), `cf` (C), `nn` (N), `sound` and `content` (A), `metrics` (E). Loops and
plain arithmetic only, so that each function can be checked by eye against its equation.
"""
