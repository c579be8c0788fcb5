"""Measure synthetic rows beside real ones: likeness, detection, usefulness, privacy.

Knows tables only, so that rows of any generator can be judged.
"""
