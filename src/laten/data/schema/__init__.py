"""What the columns of a table are: inferred with reasons, edited, written as TOML, checked against other tables.

No cell is encoded here (see `columns/`, `rows/`).
"""
