"""A quarterly report tells its parts or says why not; what goes with the score, and which groups differ."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from csi.reporting.build import told
from csi.reporting.sections import KINDS, build, planned, with_models
from csi.reporting.sections.behaviour import consequences, merged, own_scores
from csi.reporting.sections.items import focal_rows
from csi.study.settings import Telling


@pytest.fixture(scope="module")
def made(analysis):
    return {key: build(key, analysis) for key in ("segments", "behaviour")}


def test_what_is_not_told_is_said_with_its_reason(analysis):
    """One sentence each, under the last section; what is switched off is said to be."""
    off = replace(analysis.study.settings, telling=Telling(sections={"trend": False}))
    short = replace(analysis, study=replace(analysis.study, settings=off))
    notes = [n.text for n in told(short, ("chain", "method"), ("en",)).sections[-1].notes if n.code == "N-UNTOLD"]
    assert len(notes) == len(KINDS["quarterly"]) + 3 - 2
    assert any("Trend (switched off" in t.en for t in notes)
    assert all(t.en.endswith(").") and t.zh.endswith("）。") for t in notes)
    said = [n for n in told(analysis, KINDS["quarterly"], ("en",)).sections[-1].notes if n.code == "N-UNTOLD"]
    assert len(said) == 3


def test_models_that_the_study_allows_stand_in_their_place():
    keys = planned("quarterly", brands=2, waves=2, keys=("stage",), methods=("gap", "text", "kano"))
    assert keys.index("gap") == keys.index("stages") - 1
    assert keys.index("text") == keys.index("reliability") - 1
    assert "kano" not in keys
    assert with_models(["method"], ["gap"]) == ["gap", "method"]
    assert "segments" not in planned("quarterly", brands=2, waves=2, keys=())
    assert "behaviour" not in planned("quarterly", brands=2, waves=2, keys=(), followed=False)


def test_shares_by_band_are_those_of_the_answers(made, analysis):
    frame, mine, score = made["behaviour"].data["behaviour"], focal_rows(analysis), own_scores(analysis)
    top = frame.drop_nulls("share").row(0, named=True)
    edges = merged(score[np.isfinite(score)], analysis.study.settings.small)
    answer = mine[top["item"]].cast(pl.Float64).fill_null(np.nan).to_numpy()
    band = list(dict.fromkeys(frame["band"])).index(top["band"])
    here = (np.digitize(score, edges) == band) & np.isfinite(score) & np.isfinite(answer)
    weight = mine["weight"].to_numpy() if "weight" in mine.columns else np.ones(mine.height)
    scale = analysis.study.codebook[top["item"]].scale
    assert top["n"] == here.sum() >= analysis.study.settings.small
    assert top["share"] == pytest.approx(np.average(answer[here] >= scale.maximum - 1, weights=weight[here]))
    assert top["conf_low"] < top["share"] < top["conf_high"]
    assert set(frame["item"]) <= set(consequences(analysis))


def test_the_score_of_respondents_averages_to_the_index(analysis):
    mine, score = focal_rows(analysis), own_scores(analysis)
    whole = np.isfinite(score)
    weight = mine["weight"].to_numpy() if "weight" in mine.columns else np.ones(mine.height)
    row = analysis.index.table.filter(brand=analysis.focal, wave=analysis.wave, construct=analysis.target)
    assert np.average(score[whole], weights=weight[whole]) == pytest.approx(row["index"][0], abs=0.5)


def test_a_group_is_called_lower_only_where_the_pair_is_significant(made):
    for name, pairs in made["segments"].data.items():
        key = name.removeprefix("pairs_")
        said = made["segments"].figures[[f.name for f in made["segments"].figures].index(f"by_{key}")].finding.en
        assert ("points below" in said) == bool(pairs["significant"].any())
