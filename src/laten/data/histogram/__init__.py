"""Histograms of a column of numbers: where the bins begin and end, and how a number is drawn inside one.

No families: the distribution over bins is `families/binned.py`.
"""
