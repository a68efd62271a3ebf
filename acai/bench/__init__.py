"""Benchmarks: acai beside the libraries that people would use instead. `acai bench` runs them and prints their table.

Each row is a `Row`: what is done, beside which library, and how acai's time is allowed to compare. This package is the only
one that may load a competitor, and only while a row runs.
"""
