"""Item statistics against psych::alpha: from committed covariances in every clone, and from rows where at hand."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.measures.item_analysis.distribution import distribution
from csi.measures.item_analysis.of_construct import of_construct

KNOWN = json.loads((Path(__file__).parents[2] / "reference" / "items" / "psych_alpha.json").read_text("utf-8"))
CASES = KNOWN["cases"]
CLOSE = {"rel": 0, "abs": KNOWN["provenance"]["tolerance"]}
DATA = os.environ.get("CSI_REFERENCE_DIR")
needs_rows = pytest.mark.skipif(not DATA, reason="row-level data: set CSI_REFERENCE_DIR")


@pytest.mark.parametrize("name", CASES)
def test_item_statistics_equal_those_of_psych(name):
    case = CASES[name]
    cov, stats = np.array(case["cov"]), case["item_stats"]
    found = of_construct(np.full((2, len(cov)), np.nan), np.ones(2), cov)
    assert found.item_rest.tolist() == pytest.approx(stats["r.drop"], **CLOSE)
    assert found.item_total_std.tolist() == pytest.approx(stats["std.r"], **CLOSE)
    assert found.item_total_smc.tolist() == pytest.approx(stats["r.cor"], **CLOSE)
    assert found.alpha == pytest.approx(case["total"]["raw_alpha"], **CLOSE)
    assert found.alpha_std == pytest.approx(case["total"]["std.alpha"], **CLOSE)
    assert found.mean_r == pytest.approx(case["total"]["average_r"], **CLOSE)
    if len(cov) > 2:
        assert found.alpha_if_dropped.tolist() == pytest.approx(case["alpha_drop"]["raw_alpha"], **CLOSE)
    else:
        assert np.isnan(found.alpha_if_dropped).all()
        assert set(found.reasons) == {"R-TWO-ITEMS"}


def frame_of(file: str, case: dict) -> pl.DataFrame:
    path = Path(DATA) / "data" / file.removesuffix(".csv") / file
    assert hashlib.sha256(path.read_bytes()).hexdigest() == case["data_sha256"]
    frame = pl.read_csv(path, infer_schema_length=None, null_values=["", "NA"])
    return frame.with_columns((7 - pl.col(case["turned"])).name.keep()) if case["turned"] else frame


@needs_rows
@pytest.mark.parametrize("file", sorted({case["data"] for case in CASES.values()}))
def test_the_rows_lead_to_the_same_table(file):
    cases = {n: c for n, c in CASES.items() if c["data"] == file and n != "bfi A as asked"}
    turned = [i for c in cases.values() for i in c["turned"]]
    frame = frame_of(file, {**next(iter(cases.values())), "turned": turned})
    table = csi.items(frame, {n: c["items"] for n, c in cases.items()}).table
    for name, case in cases.items():
        rows, stats = table.filter(construct=name), case["item_stats"]
        for column, of in (
            ("n", "n"),
            ("mean", "mean"),
            ("sd", "sd"),
            ("item_total", "raw.r"),
            ("item_rest", "r.drop"),
        ):
            assert rows[column].to_list() == pytest.approx(stats[of], **CLOSE), (name, column)
        if len(case["items"]) > 2:
            assert rows["alpha_if_dropped"].to_list() == pytest.approx(case["alpha_drop"]["raw_alpha"], **CLOSE)


@needs_rows
def test_shape_equals_that_of_fifty_items_of_big5():
    known = json.loads((Path(DATA) / "reference" / "survey_big5.json").read_text("utf-8"))["items"]
    names = [f"{c}{k}" for c in "ENACO" for k in range(1, 11)][:20]
    frame = pl.read_csv(Path(DATA) / "data" / "big5" / "big5.tsv", separator="\t", columns=names)
    rows = frame.cast(pl.Float64).with_columns(pl.all().replace(0.0, None)).to_numpy()
    found = distribution(rows, np.ones(len(rows)), np.ones(len(names)), np.full(len(names), 5.0))
    for j, name in enumerate(names):
        said = [found.n[j], found.mean[j], found.sd[j], found.skew[j], found.kurtosis[j]]
        of = ("n_valid", "mean", "sd", "skew_type1", "kurt_type1_excess")
        assert said == pytest.approx([known[name][k] for k in of], **CLOSE), name


@needs_rows
def test_one_factor_reaches_the_omega_of_psych():
    """psych stops its search earlier: its loadings are known to 1e-4."""
    known = json.loads((Path(DATA) / "reference" / "reliability.json").read_text("utf-8"))
    for construct, of in (("PERQ", "omega_perq_1f"), ("IMAG", "omega_mobi_imag_1f")):
        case = CASES[f"mobi {construct}"]
        found = of_construct(np.full((2, len(case["cov"])), np.nan), np.ones(2), np.array(case["cov"]))
        loadings = [row[0] for row in known[of]["schmid_leiman"]["values"]]
        assert found.loading.tolist() == pytest.approx(loadings, abs=1e-4)
