"""What pages about a table start from: rows of `clinic`, a model of some of them, and both as files."""

from pathlib import Path

import laten as lt

df = lt.read("clinic")
train, new, held_out = df[:300], df[1700:1750], df[1800:1850]
vae = lt.VAE(latent=4, width=32, epochs=10).fit(train)
vae.save("clinic.laten")
vae.save("patients.laten")
files = {"clinic": train, "patients": train, "new": new, "holes": new, "pasien": train, "baru": new}
for name, rows in files.items():
    rows.to_csv(f"{name}.csv", index=False)
Path("network.bif").write_text("""network risk {}
variable age { type discrete [ 3 ] { 30, 40, 50 }; }
variable bmi { type discrete [ 3 ] { 20, 25, 30 }; }
variable risk { type discrete [ 2 ] { no, yes }; }
probability ( age ) { table 0.3, 0.4, 0.3; }
probability ( bmi ) { table 0.3, 0.4, 0.3; }
probability ( risk | age ) { (30) 0.9, 0.1; (40) 0.8, 0.2; (50) 0.6, 0.4; }
""")
