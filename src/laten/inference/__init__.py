"""Ask a model about rows: importance sampling, posteriors, HMC, and the questions that are mapped over rows.

Arrays in, arrays out: no frames, no training, nothing for one kind of answer alone (see `answers/`).
"""
