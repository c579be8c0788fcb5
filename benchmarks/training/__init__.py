"""Epochs of laten beside those of other libraries, at equal network, batch, data and precision."""
