"""What pages about constraints start from: simulated visits that keep some, as a frame and a file."""

import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
n = 300
start = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n), unit="D")
STATES = {"Oslo": "Ost", "Moss": "Ost", "Voss": "Vest", "Bergen": "Vest", "Rome": "Lazio", "Latina": "Lazio"}
city = rng.choice(list(STATES), n)
state = [STATES[c] for c in city]
a, b = rng.integers(0, 50, n), rng.integers(0, 50, n)
df = pd.DataFrame(
    {
        "start": start,
        "end": start + pd.to_timedelta(rng.integers(1, 30, n), unit="D"),
        "a": a,
        "b": b,
        "total": a + b,
        "city": city,
        "zip": [f"{c[:2]} {k}" for c, k in zip(city, rng.integers(0, 2, n), strict=True)],
        "state": state,
        "country": ["IT" if s == "Lazio" else "NO" for s in state],
        "share": rng.random(n).round(3),
    }
)
df.to_csv("visits.csv", index=False)
