"""What each command does, one file a command; imported when the command runs.

No options (see `options.py`) and no mathematics (see `answers/`).
"""
