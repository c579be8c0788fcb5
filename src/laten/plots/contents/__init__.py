"""The arrays behind every picture, computed from a fitted `VAE`; plots draw them and compute nothing.

No matplotlib here.
"""
