"""What the page about audits starts from: a model of some digits, and digits that it has not seen."""

import laten as lt

digits = lt.read("digits")["x"]
vae = lt.VAE(latent=6, width=64, epochs=10).fit(digits[:300])
held_out = digits[1700:1750]
