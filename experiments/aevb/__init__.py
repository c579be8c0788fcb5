"""The experiments of Kingma & Welling, "Auto-Encoding Variational Bayes" (2014), one command a figure."""
