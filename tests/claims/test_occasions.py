"""Cards of two occasions on waves of the same people: the same as on rows that hold both; refusals; recall."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems, Text
from csi.models.cards import read_card
from csi.survey.codebook import Codebook, Item, Scale

WIDE = Scale("wide", -99, 99)
FORMS = {"expectation": "Ew", "disconfirmation": "D"}
ASKED = {
    "ect": {
        1: ("expectation", "attitude", "intention"),
        2: ("disconfirmation", "satisfaction", "attitude", "intention"),
    },
    "ecm_panel": {
        1: ("usefulness", "attitude"),
        2: ("disconfirmation", "satisfaction", "usefulness", "attitude"),
    },
}
SETTINGS = {"replicates": 0, "rivals": False, "estimator": csi.SEM()}


def levels(n, seed, depends):
    """Levels of every construct on both occasions; disconfirmation goes with expectation by `depends`."""
    rng = np.random.default_rng(seed)
    e = rng.normal(size=n)
    att0 = 0.5 * e + 0.8 * rng.normal(size=n)
    int0 = 0.6 * att0 + 0.8 * rng.normal(size=n)
    use0 = rng.normal(size=n)
    disc = depends * e + rng.normal(size=n)
    sat = 0.3 * e + 0.6 * disc + 0.6 * rng.normal(size=n)
    use1 = 0.4 * use0 + 0.3 * disc + 0.2 * sat + 0.7 * rng.normal(size=n)
    att1 = 0.4 * att0 + 0.4 * sat + 0.2 * use1 + 0.6 * rng.normal(size=n)
    int1 = 0.4 * int0 + 0.2 * sat + 0.3 * att1 + 0.6 * rng.normal(size=n)
    return {
        1: {"expectation": e, "attitude": att0, "intention": int0, "usefulness": use0},
        2: {"disconfirmation": disc, "satisfaction": sat, "attitude": att1, "intention": int1, "usefulness": use1},
    }


def item(name, construct):
    stem = construct.partition("_")[0]
    return Item(name, construct, WIDE, Text(name, name), form=FORMS.get(stem, "P"))


def panels(card, n=400, seed=1, depends=0.0):
    """The same answers in two waves, and in one row per person."""
    rng = np.random.default_rng(seed + 1000)
    truth, parts, row = levels(n, seed, depends), {1: {}, 2: {}}, {}
    for t, constructs in ASKED[card].items():
        for c in constructs:
            for k in (1, 2, 3):
                answers = 5 + truth[t][c] + 0.5 * rng.normal(size=n)
                parts[t][f"{c}{k}"] = row[f"{c}{k}_{t}"] = answers
    ids = [f"p{i:04d}" for i in range(n)]
    frames = [pl.DataFrame({"respondent": ids, "wave": [w] * n, **parts[t]}) for t, w in ((1, "before"), (2, "after"))]
    long = pl.concat(frames, how="diagonal")
    names = [c for c in long.columns if c not in ("respondent", "wave")]
    in_waves = panel_of(long, {i: i[:-1] for i in names}, ("before", "after"))
    ends = {"1": "before", "2": "after"}
    in_rows = panel_of(pl.DataFrame({"respondent": ids, **row}), {i: f"{i[:-3]}_{ends[i[-1]]}" for i in row}, ())
    return in_waves, in_rows


def panel_of(frame, constructs, waves):
    items = tuple(item(i, c) for i, c in constructs.items())
    none = pl.DataFrame({i: [None] * frame.height for i in constructs}, schema=dict.fromkeys(constructs, pl.String))
    return csi.Panel(frame, Codebook(items, {}, {}), none, waves)


@pytest.mark.parametrize("card", ["ect", "ecm_panel"])
def test_two_waves_are_the_same_as_one_row(card):
    in_waves, in_rows = panels(card)
    one, two = (csi.run_card(card, p, **SETTINGS) for p in (in_waves, in_rows))
    assert one.table.select("outcome", "predictor").equals(two.table.select("outcome", "predictor"))
    assert one.table["estimate"].to_numpy() == pytest.approx(two.table["estimate"].to_numpy(), abs=1e-9)
    assert [n.code for n in one.notes if n.code in ("N-OCCASIONS", "W-RETRO")] == ["N-OCCASIONS"]
    assert [n.code for n in two.notes if n.code in ("N-OCCASIONS", "W-RETRO")] == ["W-RETRO"]
    assert set(one.table.filter(pl.col("expected") != "0")["verdict"]) == {"as expected"}


@pytest.mark.slow
def test_independence_of_disconfirmation_is_rejected_about_as_often_as_alpha_says():
    """200 panels in which it holds: about 5 % rejections."""
    p = []
    for seed in range(200):
        found = (
            csi.run_card("ect", panels("ect", 200, seed)[0], **SETTINGS).table.filter(expected="0").row(0, named=True)
        )
        p.append(found["p_value"])
    assert np.mean(np.array(p) < 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


def test_independence_of_disconfirmation_is_tested_on_two_waves():
    gone = csi.run_card("ect", panels("ect", depends=0.5)[0], **SETTINGS).table.filter(expected="0").row(0, named=True)
    assert gone["p_value"] < 0.01
    assert gone["estimate"] > 0.2


@pytest.mark.slow
def test_paths_of_ecm_panel_are_recovered_on_average():
    """200 panels: unstandardised slopes of usefulness and attitude after."""
    wanted = {
        ("usefulness_after", "usefulness_before"): 0.4, ("usefulness_after", "disconfirmation_after"): 0.3,
        ("usefulness_after", "satisfaction_after"): 0.2, ("attitude_after", "attitude_before"): 0.4,
        ("attitude_after", "satisfaction_after"): 0.4, ("attitude_after", "usefulness_after"): 0.2,
    }  # fmt: skip
    found = []
    for seed in range(200):
        est = csi.run_card("ecm_panel", panels("ecm_panel", 200, seed)[0], **SETTINGS).estimate.table
        rows = {(r["lhs"], r["rhs"]): r["estimate"] for r in est.filter(op="~").iter_rows(named=True)}
        found.append([rows[key] for key in wanted])
    values = np.array(found)
    error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    assert (np.abs(values.mean(axis=0) - list(wanted.values())) < 4 * error + 0.005).all()


def test_new_people_are_refused_and_a_wave_alone_too():
    in_waves, _ = panels("ect")
    ids = [f"q{i}" for i in range(in_waves.frame.height)]
    fresh = replace(in_waves, frame=in_waves.frame.with_columns(respondent=pl.Series(ids)))
    for panel, more, words in (
        (fresh, {}, ("ect: 2 waves but only 0% of ids occur twice", "重复横截面")),
        (in_waves, {"where": {"wave": "after"}}, ("takes two waves, not one", "需要两期")),
    ):
        with pytest.raises(Problems) as error:
            csi.run_card("ect", panel, **SETTINGS, **more)
        assert error.value.problems[0].code == "E-WAVE"
        assert words[0] in error.value.problems[0].say("en")
        assert words[1] in error.value.problems[0].say("zh")


def test_people_of_one_wave_are_counted():
    in_waves, _ = panels("ect")
    left = replace(in_waves, frame=in_waves.frame[:-50], reasons=in_waves.reasons[:-50])
    run = csi.run_card("ect", left, **SETTINGS)
    note = next(n for n in run.notes if n.code == "N-OCCASIONS")
    assert "50 people of one wave only" in note.text.en
    assert "50 人未纳入" in note.text.zh
    assert run.cells["n"].item() == 350


def test_the_card_names_its_source():
    card = read_card("ecm_panel")
    assert "Bhattacherjee" in card.cite[0]
    assert card.paths["attitude_after"] == ("+attitude_before", "+satisfaction_after", "+usefulness_after")
