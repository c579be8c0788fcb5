"""`vae.audit`: which estimators fit a model, what they find, and how it is said."""
