"""Fit the weights of a model: the compiled loop, its settings, progress, validation and recovery.

No tables and no images: rows arrive as arrays, and results leave as a model and its history.
"""
