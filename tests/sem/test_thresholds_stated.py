"""Items of which a model states thresholds are ordinal without being named.

Expected: lavaan 0.6.14, cfa("f =~ u1 + u2 + u3 + u4; u1|t1; u2|t1", datCat) of semTools: u1 and u2 are ordered, DWLS,
chi-square 1.629 (scaled 5.399), df 2; as printed, hence 5e-4.
"""

import os
from pathlib import Path

import polars as pl
import pytest

import csi
from csi.cli import main

BARE = "f =~ u1 + u2 + u3 + u4"
STATED = f"{BARE}\nu1 | t1\nu2 | t1"


@pytest.fixture(scope="module")
def answers() -> pl.DataFrame:
    """Eight ordinal items of 200 people."""
    place = os.environ.get("CSI_REFERENCE_DIR")
    if place is None:
        pytest.skip("CSI_REFERENCE_DIR is not set: these models need the rows")
    return pl.read_csv(Path(place) / "data/semtools/datCat.csv", null_values=["NA"])


def test_stated_thresholds_make_items_ordinal_as_in_lavaan(answers):
    est = csi.fit(STATED, answers, csi.SEM())
    assert set(est.settings.ordered) == {"u1", "u2"}
    found = {name: csi.fit_measures(est)[name] for name in ("chi2", "chi2_scaled", "df")}
    assert found == pytest.approx({"chi2": 1.629, "chi2_scaled": 5.399, "df": 2}, abs=5e-4)
    assert "N-THRESHOLDS" in [n.code for n in est.notes]


def test_it_is_the_fit_that_names_them(answers):
    stated, named = csi.fit(STATED, answers, csi.SEM()), csi.fit(BARE, answers, csi.SEM(ordered=("u1", "u2")))
    assert stated.table.select("lhs", "op", "rhs").height == named.table.height
    key = ["lhs", "op", "rhs"]
    both = stated.table.join(named.table, on=key, suffix="_named")
    assert both.height == named.table.height
    assert both["estimate"].to_list() == pytest.approx(both["estimate_named"].to_list(), abs=1e-7)
    assert "N-THRESHOLDS" not in [n.code for n in csi.fit(STATED, answers, stated.settings).notes]


def test_named_and_stated_items_are_ordinal_together(answers):
    est = csi.fit(f"{BARE}\nu1 | t1", answers, csi.SEM(ordered="u3"))
    assert set(est.settings.ordered) == {"u1", "u3"}


def test_an_estimator_for_continuous_items_is_refused(answers):
    with pytest.raises(csi.Problems) as told:
        csi.fit(STATED, answers, csi.SEM(estimator="ML"))
    assert [(p.code, p.where) for p in told.value.problems] == [("E-SETTING", "estimator")]


def test_a_resampled_fit_stays_ordinal(answers):
    boot = csi.bootstrap(csi.fit(STATED, answers, csi.SEM()), 100, seed=1)
    assert boot.table.filter(pl.col("op") == "|")["std_error"].is_not_null().all()


def test_the_command_line_tells_the_estimator(answers, tmp_path, capsys):
    answers.write_csv(tmp_path / "data.csv")
    (tmp_path / "model.lav").write_text(STATED, encoding="utf-8")
    assert main(["fit", str(tmp_path / "model.lav"), str(tmp_path / "data.csv"), "--json"]) == 0
    assert '"estimator": "WLSMV"' in capsys.readouterr().out
