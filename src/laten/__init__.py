"""Variational autoencoders seen as Bayesian networks.

    import laten as lt

    vae = lt.VAE().fit(df)

Public names stand in `__init__.pyi`. Each is imported when it is first used, so that `import laten` costs nothing and
`laten --help` does not wait for JAX.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
