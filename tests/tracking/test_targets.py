"""Targets by hand: which cell has which, what its interval says; the benchmark of the tracking table."""

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems
from csi.tracking.contrasts import joint_covariance
from csi.tracking.index import index
from csi.tracking.sector import sector
from csi.tracking.targets import aimed


@pytest.fixture(scope="module")
def made(model, survey):
    panel = pl.concat([survey(n=120, brands=("A", "B", "C")), survey(n=20, brands=("D",), seed=4)])
    return index(csi.fit(model, panel, csi.PLS(), by=["brand", "wave"], scale=(1, 10), unit="id"))


def cells(*rows):
    return pl.DataFrame(rows, schema=["brand", "wave", "construct", "index", "conf_low", "conf_high"], orient="row")


def test_the_most_particular_target_counts():
    table = cells(
        ("A", "2025Q4", "joy", 70.0, 68.0, 72.0), ("A", "2026Q1", "joy", 70.0, 68.0, 72.0),
        ("A", "2026Q2", "joy", 70.0, 68.0, 72.0), ("B", "2026Q2", "joy", 70.0, 68.0, 72.0),
    )  # fmt: skip
    given = [
        csi.Target(71, brand="A", wave="2026Q2"),
        csi.Target(60, wave="2026"),
        csi.Target(61, wave="2026", brand="A"),
        csi.Target(50),
        csi.Target(99, construct="use"),
    ]
    assert aimed(table, given, "joy")["target"].to_list() == [50.0, 61.0, 71.0, 60.0]
    assert aimed(table, [csi.Target(50), csi.Target(55)], "joy")["target"].to_list() == [55.0] * 4


def test_the_verdict_is_of_the_interval():
    rows = [
        ("A", "1", "joy", v, lo, hi) for v, lo, hi in ((76, 75, 77), (74, 73, 75), (73, 71, 74.9), (80, None, None))
    ]
    rows.append(("A", "1", "joy", None, None, None))
    found = aimed(cells(*rows), [csi.Target(75)], "joy")
    assert found["attained"].to_list() == ["reached", "undecided", "missed", "undecided", None]
    assert found["gap"].to_list() == [1.0, -1.0, -2.0, 5.0, None]
    assert found["gap_low"].to_list()[:3] == [0.0, -2.0, -4.0]
    assert aimed(cells(*rows), [csi.Target(75, brand="B")], "joy")["target"].null_count() == 5


def test_targets_of_an_index(made):
    found = csi.targets(made, [csi.Target(0), csi.Target(100, "Use", brand="B")], "Joy")
    assert found.table.height == 12 + 3
    assert set(found.table.filter(pl.col("brand") != "D", construct="Joy")["attained"]) == {"reached"}
    assert set(found.table.filter(construct="Use")["attained"]) == {"missed"}
    few = found.table.filter(brand="D")
    assert few["attained"].null_count() == few.height  # 20 answers a cell
    assert few["index"].null_count() == few.height
    assert len(found.sentences) == 3 + 1
    assert all(t.zh and t.en for t in found.sentences)
    assert "已达到" in csi.display.text(found, "zh")


def test_bad_targets(made):
    for value in (101, -101, float("nan"), "75"):
        with pytest.raises(Problems) as caught:
            csi.Target(value)
        assert [p.code for p in caught.value.problems] == ["E-TARGETS"]
    with pytest.raises(Problems) as caught:
        csi.targets(made, [csi.Target(75, "Joyy"), csi.Target(75, brand="Q")], "Joy")
    assert [p.code for p in caught.value.problems] == ["E-TARGETS"] * 2
    assert all(p.what.zh for p in caught.value.problems)


def test_the_tracking_table_judges_targets(made):
    table = csi.track(made, "Joy", targets=[csi.Target(0), csi.Target(100, brand="B"), csi.Target(1, "Use")]).table
    mine = table.filter(pl.col("brand") != "D")
    assert mine["attained"].to_list() == [{"B": "missed"}.get(b, "reached") for b in mine["brand"]]
    few = table.filter(brand="D")
    assert few["attained"].null_count() == 3
    assert few["target"].to_list() == [0.0] * 3
    assert table.columns[-3:] == ["flag", "reason", "reason_zh"]
    assert "target" not in csi.track(made, "Joy").table.columns


def test_the_distance_from_the_mean_of_the_brands(made):
    table = csi.track(made, "Joy").table.filter(pl.col("wave") == "w2", pl.col("brand") != "D")
    j = made.constructs.index("Joy")
    at = [i for i, (b, w) in enumerate(made.cells.select("brand", "wave").rows()) if w == "w2" and b != "D"]
    values, V = made.values[at, j], joint_covariance(made, j, np.array(at))
    np.testing.assert_allclose(table["benchmark"], [values.mean()] * 3, rtol=1e-12)
    np.testing.assert_allclose(table["difference_benchmark"], values - values.mean(), atol=1e-10)
    L = np.eye(3) - 1 / 3
    np.testing.assert_allclose(table["std_error_benchmark"], np.sqrt(np.diag(L @ V @ L.T)), rtol=1e-9)
    theirs = sector(made, "Joy", small=30).differences.filter(pl.col("wave") == "w2").sort("brand")
    np.testing.assert_allclose(table["p_holm_benchmark"], theirs["p_holm"], rtol=1e-9)


def test_the_distance_from_one_brand(made):
    table = csi.track(made, "Joy", benchmark="B").table.filter(pl.col("wave") == "w2")
    own = {r["brand"]: r for r in table.iter_rows(named=True)}
    assert own["B"]["difference_benchmark"] is None
    assert own["D"]["difference_benchmark"] is None  # suppressed
    pairs = csi.pairwise(made, "w2", "Joy", small=30).pairs
    pair = pairs.filter(pl.col("above").is_in(["A", "B"]) & pl.col("below").is_in(["A", "B"])).row(0, named=True)
    sign = 1 if pair["above"] == "A" else -1
    assert own["A"]["difference_benchmark"] == pytest.approx(sign * pair["difference"], abs=1e-10)
    assert own["A"]["std_error_benchmark"] == pytest.approx(pair["std_error"], rel=1e-9)
    with pytest.raises(Problems) as caught:
        csi.track(made, "Joy", benchmark="Q")
    assert [p.code for p in caught.value.problems] == ["E-BRAND"]
    assert "benchmark" not in csi.track(made, "Joy", benchmark=None).table.columns


def test_a_wave_of_one_brand_has_no_benchmark(model, survey):
    est = csi.fit(model, survey(brands=("A",)), csi.PLS(), by=["brand", "wave"], scale=(1, 10))
    assert "benchmark" not in csi.track(est, "Joy").table.columns
