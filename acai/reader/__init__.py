"""The reader: one page with the README's prose and equations on the left, and the code that computes them on the right.

README.md stays the only source of prose and mathematics. Everything else is discovered when the page is built: the code by
the ids in its comments and docstrings, the tests by the loops that they call.
"""
