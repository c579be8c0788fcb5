"""The studio: a local page in which a table is looked at, a model is learned, and asked.

The page computes nothing: every number on it comes from `answers/`, `synthetic/` and `plots/contents/`.
"""
