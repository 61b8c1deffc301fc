"""The retail study asks what the cards of waves, stages, journeys and complaints need: asked of whom, found again."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.reporting.methods.library import told_in
from csi.simulation import clean, read_recipe, simulate

FOLDER = Path(__file__).parents[2] / "data" / "retail"
CARDS = {
    "ect": {},
    "lifecycle_loyalty": {"constructs": {"brand": "attitude"}},
    "cjd": {"constructs": {"loyalty": "loyalty"}},
    "justice": {"constructs": {"repurchase": "loyalty"}, "without": ["negative"]},
}
FAR = 4.5
"""Standard errors that an estimate may lie from its population value."""


@pytest.fixture(scope="module")
def study():
    return csi.Study.read(FOLDER / "study.yaml")


@pytest.fixture(scope="module")
def large():
    """Many customers, without the tables that cards do not read; nobody away."""
    recipe = read_recipe(FOLDER / "recipe.yaml")
    events = recipe.events.model_copy(update=dict.fromkeys(("purchases", "members", "texts", "contacts", "cases")))
    panel = recipe.panel.model_copy(update={"returning": 1.0})
    made = simulate(clean(recipe.model_copy(update={"events": events, "outcomes": (), "panel": panel}), 12_000), seed=3)
    return csi.read_panel(made.frame, made.codebook, waves=made.recipe.waves)


def test_a_report_tells_the_cards_and_how_expectation_is_made_anew(study):
    assert {*CARDS, "dynamic"} <= set(told_in(study))


def test_questions_are_asked_of_those_the_recipe_says(study):
    frame = pl.read_csv(FOLDER / "panel.csv").rename({"quarter": "wave"})
    last = pl.col("wave") == "2026Q3"
    said = pl.read_csv(FOLDER / "complaints.csv").select("id", "wave", "complained")
    joined = frame.join(said, on=["id", "wave"], how="left")
    assert joined.filter(last, complained=1)["han1"].null_count() == 0
    assert joined.filter(~last | (pl.col("complained") == 0))["han1"].drop_nulls().is_empty()
    assert frame.filter(last)["val1"].null_count() == 0
    assert frame.filter(~last)["val1"].drop_nulls().is_empty()
    assert frame.filter(pl.col("wave") == "2026Q2")["att1"].drop_nulls().is_empty()
    assert frame.filter(pl.col("wave") != "2026Q2")["att1"].null_count() == 0
    truth = pl.read_csv(FOLDER / "truth.csv").filter(kind="mean", name="att1")
    assert truth["wave"].to_list() == ["2026Q1", "2026Q3"]


@pytest.mark.slow
@pytest.mark.parametrize("card", CARDS)
def test_cards_find_the_paths_of_the_population(card, study, large):
    asked = CARDS[card]
    where = None if card == "ect" else {"wave": "2026Q3"}
    found = csi.run_card(card, study.panel(), replicates=200, where=where, rivals=False, **asked).table
    truth = csi.run_card(card, large, replicates=200, where=where, rivals=False, **asked).table
    keys = [c for c in ("stage", "outcome", "predictor") if c in found.columns]
    both = found.join(truth, on=keys, suffix="_true").drop_nulls("estimate")
    assert both.height >= 4
    se = (both["conf_high"] - both["conf_low"]) / (2 * 1.96)
    far = np.abs((both["estimate"] - both["estimate_true"]) / se)
    assert far.max() < FAR, both.with_columns(far=far).select(*keys, "estimate", "estimate_true", "far")


@pytest.mark.slow
def test_what_the_cards_claim_is_planted(large):
    ect = csi.run_card("ect", large, replicates=200, rivals=False).table
    absent = ect.filter(outcome="disconfirmation_after", predictor="expectation_before").row(0, named=True)
    assert abs(absent["estimate"]) < 0.04
    assert absent["verdict"] == "as expected"
    found = csi.run_card("cjd", large, replicates=100, where={"wave": "2026Q3"}, rivals=False).table
    slopes = dict(found.filter(outcome="loyalty").select("predictor", "estimate").rows())
    assert slopes["utilitarian"] > slopes["hedonic"] > 0.05
    where = {"wave": "2026Q3"}
    found = csi.run_card(
        "lifecycle_loyalty", large, replicates=100, where=where, rivals=False, **CARDS["lifecycle_loyalty"]
    )
    value = dict(found.table.filter(outcome="intention", predictor="value").select("stage", "estimate").rows())
    assert value["new"] > value["regular"] > value["loyal"]
