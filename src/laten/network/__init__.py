"""Declare a Bayesian network, derive its guide, and hold their weights as a model; the log-weight of a draw.

No data frames, no training, no bounds averaged over rows: everything here sees one example.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
