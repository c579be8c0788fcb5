"""One column: its kind, how its cells are parsed, encoded and decoded, and what becomes of rare or unseen levels.

No whole tables (see `rows/`, `schema/`) and no files (see `files/`).
"""
