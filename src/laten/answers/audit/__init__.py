"""Judge a fitted model: bounds, exact values, gaps and calibration, beside what its guide says.

Nothing here changes the model.
"""
