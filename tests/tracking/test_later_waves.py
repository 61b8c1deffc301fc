"""What was published of a wave stays: its replicates do not depend on which later waves, or other brands, are read."""

import numpy as np
import polars as pl
import pytest

import csi
from csi.inference.resample import plan_of
from csi.moments.sample import sample_of

ITEMS = ("use1", "use2", "use3", "joy1", "joy2")
WAVES = ("2", "9", "10")  # "10" sorts before the others as text
DESIGNS = {
    "rows": {},
    "respondents": {"unit": "id"},
    "weights": {"unit": "id", "weight": "weight"},
    "strata": {"unit": "id", "stratum": "town"},
}


@pytest.fixture(scope="module")
def frame(survey):
    made = survey(n=40, waves=WAVES, brands=("A", "B", "C"))
    return made.with_columns(town=pl.Series(["n", "s"] * (made.height // 2)))


def multiplicities(frame, kind="multinomial", **design):
    """Respondent -> (B,) how often it counts."""
    frame = frame.with_row_index("row").sort("id")
    sample = sample_of(frame, ITEMS, by=["brand", "wave"], **design)
    drawn = np.concatenate([m for _, m in plan_of(sample, 300, 5, kind).blocks()])
    names = frame["id"].gather(sample.place.tolist()).to_list()
    return {name: drawn[:, unit].tolist() for name, unit in zip(names, sample.unit.tolist(), strict=True)}


@pytest.mark.parametrize("kind", ["multinomial", "bayesian"])
@pytest.mark.parametrize("design", ["respondents", "strata"])
def test_draws_of_a_wave_are_its_own(frame, design, kind):
    every = multiplicities(frame, kind, **DESIGNS[design])
    for part in (frame.filter(pl.col("wave") != "10"), frame.filter(pl.col("wave") == "2")):
        few = multiplicities(part, kind, **DESIGNS[design])
        assert all(every[name] == drawn for name, drawn in few.items())
    if design == "respondents":  # a declared stratum holds all its brands
        some = multiplicities(frame.filter(pl.col("brand") != "B"), kind, **DESIGNS[design])
        assert all(every[name] == drawn for name, drawn in some.items())


def test_strata_are_drawn_apart(frame):
    every = multiplicities(frame)
    cells = [np.array([every[f"{b}{w}{i}"] for i in range(40)]).mean(axis=0) for b in "ABC" for w in WAVES]
    firsts = np.array([every[f"{b}{w}0"] for b in "ABC" for w in WAVES])
    assert np.abs(np.corrcoef(firsts) - np.eye(9)).max() < 0.35
    assert np.allclose(cells, 1.0, atol=1e-4)


@pytest.mark.parametrize("design", DESIGNS)
def test_a_published_error_stays_when_a_wave_is_added(model, frame, design):
    def indexed(data):
        est = csi.fit(model, data, csi.PLS(), by=["brand", "wave"], scale=(1, 10), **DESIGNS[design])
        return csi.index(csi.bootstrap(est, 200, seed=3), weights="base", base="2").table

    then = indexed(frame.filter(pl.col("wave") != "10"))
    now = indexed(frame).filter(pl.col("wave") != "10")
    for column in ("index", "std_error", "conf_low", "conf_high"):
        np.testing.assert_array_equal(now[column], then[column])
    assert then["std_error"].null_count() == 0


def test_changes_of_a_wave_stay_too(model, frame):
    def moved(data):
        est = csi.fit(model, data, csi.PLS(), by=["brand", "wave"], scale=(1, 10), unit="id")
        made = csi.index(csi.bootstrap(est, 200, seed=3), weights="base", base="2")
        return csi.changes(made, "Joy").table.filter(wave="9", against="previous")

    then, now = moved(frame.filter(pl.col("wave") != "10")), moved(frame)
    for column in ("change", "std_error", "p_value", "p_holm"):
        np.testing.assert_allclose(now[column], then[column], rtol=1e-9)


def test_resamples_of_resamples_are_their_own_too(frame):
    samples = [
        sample_of(part, ITEMS, by=["brand", "wave"], unit="id")
        for part in (frame, frame.filter(pl.col("wave") != "10"))
    ]
    found = []
    for sample in samples:
        plan = plan_of(sample, 20, 4)
        once = next(plan.blocks())[1][7]
        twice = plan.within(7, once, 3)
        cell = sample.cells.with_row_index("at").filter(brand="B", wave="9")["at"][0]
        found.append(twice[:, sample.unit[sample.cell == cell]])
    np.testing.assert_array_equal(*found)
