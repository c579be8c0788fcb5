"""Code of the article, in the order in which the article runs it; a section is included by its name.

The pages in both languages run these same lines, so that they show the same numbers.
"""

# --8<-- [start:digits]
import laten as lt

digits = lt.read("digits")["x"]
train, test = digits[:1500], digits[1500:]
p = lt.Network(
    z=lt.Normal(8),
    x=lt.Bernoulli((8, 8)).given("z", via=lt.MLP(128)),
)
vae = lt.VAE(p, epochs=100, seed=0).fit(train)
# --8<-- [end:digits]

# --8<-- [start:factors]
asia = lt.read_bif("docs/asia.bif")
print(asia.query("lung"))
print(asia.query("lung", {"dysp": "yes"}))
print(asia.query("lung", {"dysp": "yes", "smoke": "no"}))
# --8<-- [end:factors]

# --8<-- [start:asia]
print(lt.explain(asia, {"dysp": "yes"}, ["lung"]))
# --8<-- [end:asia]

# --8<-- [start:count]
for latents in (3, 8, 20, 64):
    terms = 100.0**latents
    years = terms / 1e9 / 3.15e7
    print(f"{latents:2} latents: {terms:.0e} terms, {years:.0e} years")
# --8<-- [end:count]

# --8<-- [start:world]
import numpy as np

X, NOISE = 2.0, 0.6
grid = np.linspace(-12, 12, 48_001)
cell = grid[1] - grid[0]


def log_normal(value, mean, sd):
    return -0.5 * ((value - mean) / sd) ** 2 - np.log(sd) - 0.5 * np.log(2 * np.pi)


log_joint = log_normal(grid, 0, 1) + log_normal(X, grid**2, NOISE)
log_p_x = np.log(np.sum(np.exp(log_joint)) * cell)
log_posterior = log_joint - log_p_x
print(f"log p(x) = {log_p_x:.6f}")
# --8<-- [end:world]


# --8<-- [start:identity]
def elbo_and_kl(mean, sd):
    log_q = log_normal(grid, mean, sd)
    q = np.exp(log_q) * cell
    return np.sum(q * (log_joint - log_q)), np.sum(q * (log_q - log_posterior))


for mean, sd in ((0.0, 1.0), (0.0, 1.5), (1.4, 1.0), (1.4, 0.2)):
    elbo, kl = elbo_and_kl(mean, sd)
    total = elbo + kl
    print(f"q = N({mean}, {sd}): ELBO {elbo:8.4f} + KL {kl:7.4f} = {total:.4f}")
# --8<-- [end:identity]

# --8<-- [start:readings]
mean, sd = 1.4, 0.2
q = np.exp(log_normal(grid, mean, sd)) * cell
energy = np.sum(q * log_joint)
entropy = 0.5 * np.log(2 * np.pi * np.e * sd**2)
fit = np.sum(q * log_normal(X, grid**2, NOISE))
from_prior = 0.5 * (mean**2 + sd**2 - 1 - 2 * np.log(sd))
gap = elbo_and_kl(mean, sd)[1]
for name, a, b in (
    ("energy + entropy", energy, entropy),
    ("reconstruction - KL", fit, -from_prior),
    ("log p(x) - gap", log_p_x, -gap),
):
    print(f"{name:20} {a:8.4f} {b:+8.4f} = {a + b:.4f}")
# --8<-- [end:readings]

# --8<-- [start:jensen]
rng = np.random.default_rng(0)
z = mean + sd * rng.standard_normal(100_000)
log_p = log_normal(z, 0, 1) + log_normal(X, z**2, NOISE)
w = np.exp(log_p - log_normal(z, mean, sd))
print(f"log of the mean of w   {np.log(w.mean()):.4f}")
print(f"mean of the log of w   {np.log(w).mean():.4f}")
# --8<-- [end:jensen]


# --8<-- [start:gradients]
def slope(z):
    return -z - (z**2 - X) / NOISE**2 * 2 * z


noise = rng.standard_normal(100_000)
z = mean + sd * noise
f = log_normal(z, 0, 1) + log_normal(X, z**2, NOISE)
for name, draws in (
    ("score function", f * noise / sd),
    ("reparameterised", slope(z)),
):
    error = draws.std() / len(draws) ** 0.5
    print(f"{name:16} mean {draws.mean():.3f} ± {error:.3f}, sd of a draw {draws.std():.3f}")
# --8<-- [end:gradients]

# --8<-- [start:estimators]
import jax
import jax.numpy as jnp

from laten.training.objectives import Batch

batch = Batch({"x": jnp.asarray(test[:100] > 127, jnp.float32)}, {})
keys = jax.random.split(jax.random.key(0), 200)
fresh = lt.VAE(p, epochs=1, learning_rate=1e-6).fit(train)
for when, model in (("before training", fresh.model_), ("after", vae.model_)):
    for name, kl in (("A", "sampled"), ("B", "closed")):
        of_each = jax.vmap(lt.Elbo(kl=kl), in_axes=(None, None, 0))
        bounds = np.array(of_each(model, batch, keys).bound)
        mean_, sd_ = bounds.mean(), bounds.std()
        print(f"{when:16} estimator {name}: {mean_:.3f} nats, sd {sd_:.3f}")
# --8<-- [end:estimators]

# --8<-- [start:questions]
print(vae.log_likelihood(test, 1000))
# --8<-- [end:questions]

# --8<-- [start:table]
clinic = lt.read("clinic")
table = lt.VAE(epochs=40, seed=0).fit(clinic)
columns = ["age", "smoker", "drug", "pain", "crp", "cost"]
print(clinic.loc[[3, 4, 5], columns])
print(table.impute(clinic.loc[[3, 4, 5]])[columns])
print(table.predict_proba(clinic.loc[[4]], "smoker").round(2))
# --8<-- [end:table]

# --8<-- [start:ladder]
print(vae.audit(test, ["bounds", "ais", "gap"], rows=40, draws=1000, bridges=100))
# --8<-- [end:ladder]
