"""Every public name says what it does, and where they apply shapes, nats and errors; a wrong docstring is found."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "tools"))
from docsite import docstrings


def test_public_names_have_shapes_units_and_errors(capsys):
    names = [name for name, _ in docstrings.public()]
    assert docstrings.faults() == []
    with capsys.disabled():
        print(f"\n{len(names)} public names with a docstring, shapes, units and errors", end=" ")
    assert {"VAE.impute", "Schema.check", "constraints.Sum", "datasets.load", "Normal.log_prob"} <= set(names)


def log_prob(value: "np.ndarray") -> "np.ndarray":
    """returns it."""
    raise docstrings.laten.DataError("no")


def nothing(value):
    pass


@pytest.mark.parametrize(
    ("value", "lack"),
    [
        (log_prob, "not with a verb"),
        (log_prob, "no shape"),
        (log_prob, "no nats"),
        (nothing, "no docstring"),
    ],
)
def test_what_a_docstring_lacks_is_found(value, lack):
    assert any(lack in each for each in docstrings.lacks(value.__name__, value))


def test_an_error_of_a_callee_counts():
    assert docstrings.raises(docstrings.laten.Bernoulli) == {"DeclarationError"}
