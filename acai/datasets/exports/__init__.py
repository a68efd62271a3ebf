"""Exports of one's own listening: one file for each service, and `history.py`, which reads any of them."""
