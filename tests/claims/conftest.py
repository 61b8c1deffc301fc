"""Panels in which cards hold, and one run of each that several tests look at."""

import functools
import os
from dataclasses import replace
from pathlib import Path

import pytest

import csi
from csi.models.cards import read_card
from csi.simulation import recipe_of_card, simulate


@functools.cache
def simulated(name, n=400, seed=1, paths=()):
    planted = {y: dict(row) for y, row in paths}
    card = read_card(name)
    made = simulate(recipe_of_card(card, n=n, seed=seed, paths=planted))
    group = card.requires.group
    return csi.read_panel(made.frame, replace(made.codebook, keys={group: group} if group else {}))


@functools.cache
def ran(name, engine="pls", replicates=200):
    estimator = csi.SEM() if engine == "sem" else csi.PLS(consistent=engine == "plsc")
    return csi.run_card(name, simulated(name), estimator=estimator, replicates=replicates)


@pytest.fixture
def panel_of():
    return simulated


@pytest.fixture(scope="module")
def panels():
    return simulated


@pytest.fixture
def run_of():
    return ran


@pytest.fixture
def reference_dir():
    folder = os.environ.get("CSI_REFERENCE_DIR")
    if not folder:
        pytest.skip("row-level data: set CSI_REFERENCE_DIR to the folder that holds data/ and reference/")
    return Path(folder)
