"""`laten serve`: the questions to fitted models over HTTP, for programs. Needs the extra `laten[serve]`.

No pages, no training, and no mathematics: answers come from `estimator/`. `safety.py` knows no web framework, so that
whoever serves pages can stand behind it as well.
"""
