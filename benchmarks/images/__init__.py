"""Networks of images: likelihoods against published ones, and the speed of convolutions."""
