"""Answer what a user asks of a fitted model: fill, predict, score, embed, explain, audit.

Takes the user's containers and returns them; no scikit-learn, no constructor options (see `estimator/`).
"""
