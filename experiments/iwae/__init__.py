"""Experiments of Burda, Grosse & Salakhutdinov, "Importance Weighted Autoencoders" (2016)."""
