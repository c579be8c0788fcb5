"""scikit-learn's FactorAnalysis or PCA: the linear-Gaussian network in closed form, or nearly so.

Run by `benchmarks.training` under laten's own interpreter. The bound reported is log p(x) itself.
"""

from exchange import Arrays, Clock, serve
from measure import peak_gib
from sklearn.decomposition import PCA, FactorAnalysis


def work(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """Fits and measures."""
    kind = {"FactorAnalysis": FactorAnalysis, "PCA": PCA}[arguments["kind"]]
    model = kind(n_components=arguments["latent"], random_state=arguments["seed"])
    with clock("fit"):
        model.fit(arrays["train"])
    arguments["notes"] |= {"gib": peak_gib(), "bound": float(model.score(arrays["test"]))}
    return {}


if __name__ == "__main__":
    serve(work, ("scikit-learn",))
