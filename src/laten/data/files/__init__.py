"""Read and write files: format by extension, whole or not at all.

Nothing here interprets a column (see `schema/`).
"""
