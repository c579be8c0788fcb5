"""A slice of the fuzz run: `make fuzz` is the rest. `LATEN_FUZZ=N` sets the number of inputs."""

import os
import warnings

import pytest

import laten as lt
from fuzz.kept import corpus
from fuzz.mutants import mutant, read

INPUTS = int(os.environ.get("LATEN_FUZZ", "210"))


def test_good_files_are_read(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, files in corpus(tmp_path).items():
            for raw in files:
                read(name, raw, tmp_path, True)


def test_mutated_files_are_read_or_refused(tmp_path):
    refused = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in range(INPUTS):
            name, raw, more = mutant(number, str(tmp_path))
            try:
                read(name, raw, tmp_path, more)
            except lt.LatenError:
                refused += 1
            except Exception as error:
                pytest.fail(f"input {number}, {name}: {type(error).__name__}: {error!s:.200}")
    assert 0.3 * INPUTS < refused < INPUTS  # neither is all read, nor all refused
