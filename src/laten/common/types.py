"""Shared array annotations. A value is one example's; batches appear only where they are mapped over."""

from jaxtyping import Array, Bool, Float, Int

Key = Array  # a typed JAX key, or an array of them
Raw = Float[Array, " raw"]  # raw parameters of one node, as a net puts them out
Features = Float[Array, " features"]  # what a value is to a net
Values = dict[str, Array]  # node name -> value of the node's event shape
Masks = dict[str, Array]  # node name -> True where a site is observed

__all__ = ["Array", "Bool", "Features", "Float", "Int", "Key", "Masks", "Raw", "Values"]
