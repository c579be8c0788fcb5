"""Cells of text to numbers, dates, durations and truth values, and back: by rules, of which each use is recorded.

No files (see `files/`) and no kinds (see `schema/`): what comes out are columns of a frame and their `Notation`.
"""
