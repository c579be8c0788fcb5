"""Networks of discrete tables, exactly: BIF files, elimination, Bayes' theorem with numbers, a learned guide.

No tables of data (see `data/`).
"""
