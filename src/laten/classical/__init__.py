"""Discrete networks with tables, linear-Gaussian ones, and what can be said of them exactly."""
