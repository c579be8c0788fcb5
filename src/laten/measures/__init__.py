"""How good synthetic rows are: `laten.quality(real, synthetic, holdout)`; docs/quality.md defines every measure.

The folder is not called `quality`: importing any file of a package `laten.quality` would put the package in the place
of the function `laten.quality`.
"""
