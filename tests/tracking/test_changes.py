"""Changes between waves: joint errors, tests, Holm, gaps."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy import stats

from csi.errors import Problems
from csi.estimate.fit import fit
from csi.inference.bootstrap import bootstrap
from csi.pls.estimator import PLS
from csi.tracking.changes import changes
from csi.tracking.contrasts import holm, joint_covariance, minimal_detectable, smallest_significant, t_test
from csi.tracking.index import index

CELLS = ["brand", "wave"]
WAVES = ("w1", "w2", "w3")


def booted(model, frame, n=300, unit="id"):
    return bootstrap(fit(model, frame, PLS(), by=CELLS, scale=(1, 10), unit=unit), n=n, seed=11)


@pytest.fixture(scope="module")
def made(model, survey):
    return index(booted(model, survey()))


@pytest.fixture(scope="module")
def panel(model, survey):
    return index(booted(model, survey(overlap=True)))


def test_holm_by_hand():
    # sorted .01 .02 .03 .04 -> .04 .06 .06 .06; order of the input kept, NaN outside the family
    p = holm([0.03, 0.01, np.nan, 0.04, 0.02])
    np.testing.assert_allclose(p, [0.06, 0.04, np.nan, 0.06, 0.06])
    assert holm([0.6, 0.9]).tolist() == [1.0, 1.0]
    assert holm([]).size == 0


def test_t_test_against_scipy():
    test = t_test(2.4, 1.1, 58, 0.95)
    assert test.p_value == pytest.approx(2 * stats.t.sf(2.4 / 1.1, 58), rel=1e-12)
    assert (test.conf_low, test.conf_high) == pytest.approx(stats.t.interval(0.95, 58, 2.4, 1.1))
    assert np.isnan(t_test(2.4, 0.0, 58, 0.95).p_value)
    assert np.isnan(t_test(2.4, 1.0, 0, 0.95).p_value)


def test_what_could_be_found():
    assert smallest_significant(1.0) == pytest.approx(1.959964, abs=1e-6)
    assert minimal_detectable(1.0) == pytest.approx(2.801585, abs=1e-6)


def test_change_is_the_difference_of_unrounded_values(made):
    table = changes(made, "Joy").table
    row = table.filter((pl.col("brand") == "B") & (pl.col("wave") == "w3"))
    assert row["change"][0] == made.values[5, 1] - made.values[4, 1]
    assert row["reference"][0] == "w2"
    drawn = made.replicates[:, 5, 1] - made.replicates[:, 4, 1]
    assert row["std_error"][0] == pytest.approx(np.std(drawn, ddof=1), rel=1e-9)
    assert row["statistic"][0] == pytest.approx(row["change"][0] / np.std(drawn, ddof=1), rel=1e-9)


def test_degrees_of_freedom_count_units_and_strata(made, panel):
    # separate respondents: 160 units in two cells that are strata; the same respondents: 80 units, one stratum
    assert changes(made, "Joy").table["df"].unique().to_list() == [158.0]
    assert changes(panel, "Joy").table["df"].unique().to_list() == [79.0]


def test_shared_respondents_make_the_change_surer(panel):
    table = changes(panel, "Use").table
    apart = [np.hypot(*np.std(panel.replicates[:, [t, t - 1], 0], axis=0, ddof=1)) for t in (1, 2, 4, 5)]
    assert (table["std_error"].to_numpy() < 0.75 * np.array(apart)).all()


def test_shared_weights_are_common_to_both_waves(model, survey):
    # far from each other in level but alike in profile, the error of common weights cancels in the change
    made = index(booted(model, survey(n=60, seed=4)))
    j = made.constructs.index("Use")
    V = joint_covariance(made, j, np.array([4, 5]))
    assert V[0, 1] == pytest.approx(np.cov(made.replicates[:, 4, j], made.replicates[:, 5, j])[0, 1])


def test_fixed_errors_know_the_overlap_too(model, survey):
    apart = index(fit(model, survey(), PLS(), by=CELLS, scale=(1, 10), unit="id"), std_error="fixed")
    shared = index(fit(model, survey(overlap=True), PLS(), by=CELLS, scale=(1, 10), unit="id"), std_error="fixed")
    one, two = changes(apart, "Use"), changes(shared, "Use")
    assert two.table["std_error"].mean() < 0.75 * one.table["std_error"].mean()
    assert "N-FIXED-WEIGHTS" in [n.code for n in one.notes]
    expected = np.hypot(*apart.table.filter(pl.col("construct") == "Use")["std_error_fixed"][:2])
    assert one.table["std_error"][0] == pytest.approx(expected)


def test_replicate_and_fixed_errors_are_close(made, model, survey):
    fixed = changes(index(fit(model, survey(), PLS(), by=CELLS, scale=(1, 10), unit="id")), "Joy").table
    ratio = changes(made, "Joy").table["std_error"].to_numpy() / fixed["std_error"].to_numpy()
    assert np.all((ratio > 0.8) & (ratio < 1.25))


def test_year_ago_and_previous(made):
    table = changes(made, "Joy", per_year=2).table
    assert table.select("wave", "against", "reference").rows()[:3] == [
        ("w2", "previous", "w1"),
        ("w3", "previous", "w2"),
        ("w3", "year", "w1"),
    ]


def test_holm_within_a_release_or_the_table(made):
    release = changes(made, ["Use", "Joy"], per_year=2)
    last = release.table.filter(pl.col("wave") == "w3")
    assert last.height == 8
    np.testing.assert_allclose(last["p_holm"], holm(last["p_value"].to_list()))
    whole = changes(made, ["Use", "Joy"], per_year=2, family="table")
    np.testing.assert_allclose(whole.table["p_holm"], holm(whole.table["p_value"].to_list()))
    assert "8" in release.notes[0].say()
    assert "12" in whole.notes[0].say()


def test_one_release(made):
    assert changes(made, "Joy", wave="w3").table["wave"].unique().to_list() == ["w3"]


def test_significant_follows_the_adjusted_p(made):
    lifted = made.values.copy()
    lifted[2] += 30.0
    table = changes(replace(made, values=lifted), "Joy").table
    assert table["significant"].to_list() == (table["p_holm"] < 0.05).to_list()
    assert table.filter((pl.col("brand") == "A") & (pl.col("wave") == "w3"))["significant"][0]


def test_a_gap_in_the_series_is_not_bridged(model, survey):
    frame = survey().filter((pl.col("brand") != "A") | (pl.col("wave") != "w2"))
    table = changes(index(booted(model, frame, n=100)), "Joy", waves=WAVES).table
    row = table.filter((pl.col("brand") == "A") & (pl.col("wave") == "w3"))
    assert row["change"][0] is None
    assert "w2" in row["reason"][0]
    assert "w2" in row["reason_zh"][0]


def test_small_cells_are_not_compared_and_leave_the_family(model, survey):
    frame = pl.concat([survey(brands=("A",)), survey(n=10, brands=("B",), seed=9)])
    table = changes(index(booted(model, frame, n=100)), "Joy", small=30).table
    few = table.filter(pl.col("brand") == "B")
    assert few["change"].null_count() == few["p_holm"].null_count() == 2
    assert few["reason"].str.contains("30").all()
    rest = table.filter(pl.col("brand") == "A")
    assert rest["p_holm"].to_list() == rest["p_value"].to_list()


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"construct": "Joyy"}, "E-CONSTRUCT"),
        ({"construct": "Joy", "wave": "w7"}, "E-WAVE"),
        ({"construct": "Joy", "waves": ("w1", "w2")}, "E-WAVE"),
        ({"construct": "Joy", "against": ("month",)}, "E-AGAINST"),
    ],
)
def test_bad_settings(made, settings, code):
    with pytest.raises(Problems) as error:
        changes(made, **settings)
    assert [p.code for p in error.value.problems] == [code]


def test_needs_waves(model, survey):
    with pytest.raises(Problems, match="by wave"):
        changes(index(fit(model, survey(), PLS(), by=["brand"], scale=(1, 10))), "Joy")


def test_case_of_the_construct_does_not_matter(made):
    assert changes(made, "joy").table["construct"].unique().to_list() == ["Joy"]


def test_a_change_is_significant_where_it_is_larger_than_the_smallest_significant(made):
    """The printed bound is that of the test that is made (t), not of z."""
    table = changes(made, "Joy").table.drop_nulls("p_value")
    beyond = table["change"].abs() > table["smallest_significant"]
    assert (beyond == (table["p_value"] < 0.05)).all()
    truth = stats.t.ppf(0.975, table["df"].to_numpy()) * table["std_error"].to_numpy()
    np.testing.assert_allclose(table["smallest_significant"], truth, rtol=1e-12)
    more = stats.t.ppf(0.8, table["df"].to_numpy()) * table["std_error"].to_numpy()
    np.testing.assert_allclose(table["minimal_detectable"], truth + more, rtol=1e-12)
    assert smallest_significant(1.0, df=6) == pytest.approx(2.446912, abs=1e-6)
