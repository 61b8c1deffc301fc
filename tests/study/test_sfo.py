"""Four real waves of an airport survey: names change every year, 6 means never used, 0 is blank, weights in two waves.

Expected numbers: reference/survey_sfo.json (R 4.2.2, psych 2.2.9, on the same files), full precision. Tolerance 1e-9:
sums of at most 3,900 small integers, only the order of additions differs.
"""

import json

import numpy as np
import pytest

from csi.study import read_study


@pytest.fixture(scope="session")
def expected(reference_dir):
    return json.loads((reference_dir / "reference" / "survey_sfo.json").read_text("utf-8"))


def test_means_of_every_item_in_every_wave(sfo_study, expected):
    panel = read_study(sfo_study).panel()
    assert panel.waves == ("2010", "2011", "2012", "2013")
    for wave in panel.waves:
        truth = expected["waves"][wave]
        rows = panel.frame.filter(panel.frame["wave"] == wave)
        for item, want in truth["items"].items():
            answers = rows.select(item, "weight").drop_nulls()
            assert answers.height == want["n_valid"], (wave, item)
            assert answers[item].mean() == pytest.approx(want["mean"], rel=1e-9)
            if "weighted_mean" in want:
                mean = np.average(answers[item], weights=answers["weight"])
                assert mean == pytest.approx(want["weighted_mean"], rel=1e-9)
                assert answers["weight"].sum() == pytest.approx(want["sum_w"], rel=1e-9)


def test_nothing_is_lost(sfo_study, expected):
    panel = read_study(sfo_study).panel()
    for source, wave in zip(panel.sources, panel.waves, strict=True):
        assert source.rows == expected["waves"][wave]["n_rows"]
    assert panel.frame.height + panel.excluded.height == sum(source.rows for source in panel.sources)
    assert set(panel.excluded["rule"]) == {"empty_rows"}
    assert panel.frame["respondent"].n_unique() == panel.frame.height
    reasons = {effect.rule for effect in panel.audit if effect.action == "missing"}
    assert reasons == {"empty", "not_asked"}


def test_weights_missing_in_two_waves_are_noted(sfo_study):
    panel = read_study(sfo_study).panel()
    note = next(note for note in panel.notes if note.code == "N-WEIGHT")
    assert "sfo_2011.csv, sfo_2012.csv" in note.say()
    without = panel.frame.filter(panel.frame["wave"].is_in(["2011", "2012"]))
    assert without["weight"].unique().to_list() == [1.0]
