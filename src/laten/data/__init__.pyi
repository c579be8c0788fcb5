"""Public sub-packages and modules; `__init__.py` imports them when they are first used."""

from . import constraints as constraints
from . import datasets as datasets
