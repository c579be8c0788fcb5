"""The command line: what can be typed, and how data come in and results go out.

Each command is one function in `work/`; no mathematics.
"""
