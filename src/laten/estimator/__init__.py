"""`laten.VAE`: prepare data, fit, ask, save and load, with the face that scikit-learn expects.

No mathematics and no training logic: both live below.
"""
