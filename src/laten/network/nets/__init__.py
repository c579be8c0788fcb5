"""Nets: recipes for the function between a node's parents and its raw parameters.

A net knows sizes and keys, never nodes, families or data.
"""
