"""The containers that tables come in, made plain frames and arrays, and turned back into what they were.

Nothing of what a column means (see `schema/`).
"""
