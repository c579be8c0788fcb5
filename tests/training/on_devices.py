"""Trains tiny models on one device and on two, in one process, and prints what came of each as JSON."""

import json
import os
import sys
import tempfile
from pathlib import Path

os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=2"

import re
import warnings

import jax
import jax.numpy as jnp
import numpy as np

import laten as lt
from laten.data.rows.presentation import Presentation, Store, present
from laten.data.rows.rows import Rows
from laten.data.rows.spool import SpoolWriter
from laten.network.model import build_model
from laten.training import devices
from laten.training.epochs import Training, train
from laten.training.settings import Settings
from laten.training.task import Task
from laten.training.windows import Windows

RNG = np.random.default_rng(0)
X = (RNG.normal(size=(300, 2)) @ RNG.normal(size=(2, 4)) + 0.5 * RNG.normal(size=(300, 4))).astype(np.float32)
GREY = RNG.integers(0, 256, size=(300, 4)).astype(np.uint8)
NUMBERS = lt.Network(z=lt.Normal(2), x=lt.Normal(4).given("z", via=lt.MLP(8, dropout=0.2)))
PIXELS = lt.Network(z=lt.Normal(2), x=lt.Bernoulli(4).given("z", via=lt.MLP(8)))
SETTINGS = Settings(epochs=8, batch_size=60, learning_rate=1e-2, patience=0)


def task(objective, copies=1, grey=False):
    network = PIXELS if grey else NUMBERS
    models = [build_model(network, lt.guide_for(network), jax.random.key(i)) for i in range(copies)]
    store = Store({"x": jnp.asarray(GREY if grey else X)}, {})
    presentation = Presentation(intensities=("x",)) if grey else Presentation(hide=("x",))
    held, rest = np.arange(60, dtype=np.int32), np.arange(60, 300, dtype=np.int32)
    return Task(models[0], objective, store, presentation, 0.0, {}, rest, held, tuple(models[1:]))


def ends(*arguments, **options):
    """The last bounds, of trained and of held-out rows."""
    last = train(task(*arguments, **options), SETTINGS, devices=ON).history[-1]
    return [last["bound"], last["valid_bound"]]


def in_windows():
    """The same of rows that lie on the disk: three windows, the last with fewer rows."""
    with tempfile.TemporaryDirectory() as folder:
        writer = SpoolWriter(Path(folder), {"x": np.dtype(np.float32)})
        writer.append(Rows({"x": X[60:]}, 240, {}))
        windows = Windows(writer.finish({"key": "k"}), 100)
        held = task(lt.Elbo())._replace(
            store=Store({"x": jnp.asarray(X[:80])}, {}), train=np.arange(60, 80, dtype=np.int32)
        )
        last = train(held._replace(windows=windows), SETTINGS, devices=ON).history[-1]
        windows.close()
    return [last["bound"], last["valid_bound"]]


def exchanges(objective):
    """How many exchanges the compiled loop has."""
    run = Training(task(objective), SETTINGS, mesh=devices.mesh_of(2))
    order = devices.shared_out(np.zeros((20, 60), np.int32), run.mesh)
    bounds = (np.int32(0),) * 3
    text = run.loop.run.lower(run.state, run.sums, run.task.store, order, run.key, *bounds).compile().as_text()
    return re.findall(r" (all-\w+|collective-\w+|reduce-scatter)\(", text)


def shown(mesh):
    """What is drawn of a batch: binarised pixels, and hidden cells."""
    store = devices.everywhere(Store({"x": jnp.asarray(GREY), "y": jnp.asarray(X)}, {}), mesh)
    index = devices.shared_out(np.arange(60, dtype=np.int32)[None], mesh)
    how = Presentation(intensities=("x",), hide=("y",))
    seen = jax.jit(lambda s, i: present(jax.random.key(1), s, i[0], how, devices.drawn_alike(mesh)))(store, index)
    return [np.asarray(x).tolist() for x in jax.tree.leaves(seen)]


CASES = {
    "means over rows": lambda: ends(lt.Elbo(), copies=2),
    "looks at the batch": lambda: ends(lt.Elbo(trim=0.2, free_bits=0.1), grey=True),
}
if sys.argv[1:] == ["all"]:
    CASES = {
        "iwae": lambda: ends(lt.Iwae(3)),
        "sleep": lambda: ends(lt.WakeSleep()),
        "one copy": lambda: ends(lt.Elbo()),
        "windows": in_windows,
    }
found = {}
for ON in (None, 2):
    found[ON or 1] = {name: case() for name, case in CASES.items()}
found["drawn alike"] = shown(None) == shown(devices.mesh_of(2))
found["exchanges"] = exchanges(lt.Elbo())
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    found["uneven"] = Settings(batch_size=61).planned(300, 2).batch_size
    found["told"] = [str(w.message) for w in told]
for name, wrong in (("too many", lambda: devices.mesh_of(3)), ("too few", lambda: Settings().planned(1, 2))):
    try:
        wrong()
    except lt.LatenError as error:
        found[name] = str(error)
json.dump(found, sys.stdout)
