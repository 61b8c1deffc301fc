"""Rows that share a unit, and standard errors that do not know it."""

import numpy as np
import polars as pl
import pytest

import csi

MODEL = csi.Model.parse("f =~ x1 + x2 + x3 + x4")
N = 240


def panel() -> pl.DataFrame:
    """240 rows in 40 clusters of six, by a formula; town p has a single `half`, and there is but `one`."""
    i = np.arange(N)
    cluster = i // 6
    f = np.sin(7.0 * cluster) + np.cos(3.1 * i)
    items = {f"x{j}": f + np.sin((2 + j) * 1.3 * i + j) for j in range(1, 5)}
    town = np.where(i < 60, "p", "q")
    half = np.where(i < 60, 0, cluster)
    ordinal = {f"u{j}": np.digitize(items[f"x{j}"], [-0.8, 0.8]) for j in range(1, 5)}
    return pl.DataFrame({**items, **ordinal, "cluster": cluster, "one": 1, "town": town, "half": half})


def notes(est, code="N-CLUSTERS"):
    return [n.text for n in est.notes if n.code == code]


@pytest.mark.parametrize("settings", [{}, {"estimator": "MLM"}, {"information": "first.order"}, {"missing": "fiml"}])
def test_standard_errors_that_ignore_clusters_are_told(settings):
    (said,) = notes(csi.fit(MODEL, panel(), csi.SEM(**settings), unit="cluster"))
    assert said.en.startswith("240 rows come from 40 units (clusters)")
    assert 'estimator="MLR" or csi.bootstrap' in said.en
    assert "40 个抽样单元" in said.zh


@pytest.mark.parametrize(
    ("settings", "design"),
    [({"estimator": "MLR"}, {"unit": "cluster"}), ({"se": "none"}, {"unit": "cluster"}), ({}, {})],
)
def test_nothing_is_told_where_there_is_nothing_to_tell(settings, design):
    assert notes(csi.fit(MODEL, panel(), csi.SEM(**settings), **design)) == []


def test_ordinal_items_have_the_bootstrap_alone():
    items = tuple(f"u{j}" for j in range(1, 5))
    model = csi.Model.parse("f =~ " + " + ".join(items))
    (said,) = notes(csi.fit(model, panel(), csi.SEM(ordered=items), unit="cluster"))
    assert said.en.endswith("do not know it (csi.bootstrap does).")


def test_the_bootstrap_draws_clusters_and_takes_the_note_away():
    est = csi.fit(MODEL, panel(), csi.SEM(), unit="cluster")
    boot = csi.bootstrap(est, 100, seed=1)
    assert int(boot.replicates.units[0]) == 40
    assert notes(boot) == []


@pytest.mark.parametrize("settings", [{"estimator": "MLR"}, {"estimator": "MLR", "missing": "fiml"}])
def test_a_single_cluster_is_refused(settings):
    with pytest.raises(csi.Problems) as raised:
        csi.fit(MODEL, panel(), csi.SEM(**settings), unit="one")
    (found,) = raised.value.problems
    assert (found.code, found.where) == ("E-CLUSTERS", "unit")
    assert csi.fit(MODEL, panel(), csi.SEM(), unit="one").std_error[0, 1] > 0.01


def test_a_cell_of_one_cluster_has_no_errors_and_is_named():
    est = csi.fit(MODEL, panel(), csi.SEM(estimator="MLR"), ["town"], unit="half")
    free = est.table.filter((pl.col("op") == "=~") & (pl.col("rhs") == "x2"))
    assert free["std_error"].is_null().to_list() == [True, False]
    assert free["estimate"].is_null().to_list() == [False, False]
    assert "(p)" in notes(est, "N-CLUSTERS-ONE")[0].en


def test_fewer_clusters_than_parameters_are_noted():
    few = panel().filter(pl.col("cluster") < 7)
    (said,) = notes(csi.fit(MODEL, few, csi.SEM(estimator="MLR"), unit="cluster"), "N-CLUSTERS-FEW")
    assert said.en.startswith("7 clusters are fewer than the 8 free parameters")


def test_the_doctor_does_not_mistake_a_single_cluster_for_an_illness():
    est = csi.fit(MODEL, panel(), csi.SEM(estimator="MLR"), ["town"], unit="half")
    assert not {"E-IDENT", "E-EMPIRICAL", "E-COLL"} & {f.code for f in csi.verify(est).findings}
