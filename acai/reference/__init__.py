"""Every numbered equation of the README as nested loops, term by term: the slow reference that the fast code is tested against.

One file for each part of the README: `data` (D), `cf` (C), `nn` (N), `sound` and `content` (A), `metrics` (E). They use only
loops and plain arithmetic, so that each function can be checked against its equation by eye.
"""
