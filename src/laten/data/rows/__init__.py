"""Rows of compact arrays and masks, made from frames, matrices and dicts of arrays, and turned back into them.

No guessing of what a column is (see `schema/`).
"""
