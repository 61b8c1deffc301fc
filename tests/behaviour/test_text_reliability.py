"""Reliability of the tone: alpha against the general formula, a planted rho, the item in a model, refusals."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import csi
from csi.behaviour.text_reliability import _sums, interval_alpha
from csi.errors import Problems
from csi.measures.consistency.krippendorff import krippendorff
from tests.behaviour.test_comments import answers, table


def coded(n=400, seed=2, noise=0.5, coders=2, model=0.5):
    """Comments with a truth, scores and codes of it with errors; the reliability of the scores."""
    rng = np.random.default_rng(1000 + seed)
    panel, factor = answers(n, seed)
    score = factor + model * rng.normal(size=n)
    codes = [factor + noise * rng.normal(size=n) for _ in range(coders)]
    parts = [
        table(["很好"] * n, ids=[f"p{i}" for i in range(n)], score=score.tolist(), human_score=c.tolist(),
              coder=[f"c{k}"] * n)
        for k, c in enumerate(codes)
    ]  # fmt: skip
    return panel, pl.concat(parts), 1 / (1 + model**2)


def scored(panel, said, **more):
    return csi.comments(said, panel, scale=(-9, 9), human_scale=(-9, 9), **more)


def test_alpha_is_krippendorffs():
    rng = np.random.default_rng(1)
    values = rng.integers(1, 6, (3, 30)).astype(float)
    values[0, :10] = np.nan
    values[1:, 25:] = np.nan
    codes = [(u, f"c{c}", v) for c, row in enumerate(values) for u, v in enumerate(row) if np.isfinite(v)]
    frame = pl.DataFrame(codes, schema=["row", "coder", "value"], orient="row")
    found = interval_alpha(_sums(pl.Series("row", range(30)), frame), np.ones((1, 30)))
    assert found[0] == pytest.approx(krippendorff(values, "interval"), abs=1e-12)


@pytest.mark.slow
def test_a_planted_reliability_comes_back():
    found = []
    for seed in range(40):
        panel, said, truth = coded(200, seed)
        found.append(scored(panel, said, replicates=100).reliability.rho[0])
    error = np.std(found, ddof=1) / np.sqrt(len(found))
    assert abs(np.mean(found) - truth) < 3 * error + 0.01


def test_coders_of_one_comment_are_one_comment():
    panel, said, _ = coded(120)
    found = scored(panel, said)
    assert found.rows.height == 120
    assert (found.reliability.n, found.reliability.coders) == (120, 2)
    confusion = found.reliability.confusion
    assert confusion.select(pl.sum_horizontal("negative", "neutral", "positive").sum()).item() == 120


def test_one_coder_gives_a_lower_bound_and_says_so():
    panel, said, truth = coded(300, coders=1, noise=1.0)
    found = scored(panel, said)
    assert found.reliability.rho[0] < truth
    assert any(n.code == "W-CODERS" and "下界" in n.text.zh for n in found.notes)


def test_few_codes_give_no_reliability_and_no_item():
    panel, said, _ = coded(40)
    found = scored(panel, said)
    assert found.reliability.rho is None
    with pytest.raises(Problems) as raised:
        csi.text_indicator(found, panel, "sat")
    assert raised.value.problems[0].code == "E-TEXT"
    assert "40 comments have human codes, 50 are needed" in raised.value.problems[0].what.en
    assert "至少需要 50 条" in raised.value.problems[0].what.zh


def test_the_item_enters_a_model_with_its_error():
    panel, said, truth = coded(600, 5)
    found = scored(panel, said.filter(pl.col("id").is_in([f"p{i}" for i in range(400)])))
    made = csi.text_indicator(found, panel, "sat")
    value, low, high = found.reliability.rho
    assert low < truth < high
    wrote = made.panel.frame["txt"].drop_nulls().to_numpy()
    assert len(wrote) == 400
    assert made.table["error"][1] == pytest.approx((1 - value) * wrote.var())
    est = csi.fit("sat =~ s1 + s2 + s3\n" + made.lines(), made.panel, csi.SEM(missing="fiml"))
    row = est.table.filter((pl.col("lhs") == "txt") & (pl.col("op") == "~~")).row(0, named=True)
    assert row["estimate"] == pytest.approx(made.table["error"][1], rel=1e-8)
    three = made.sensitivity("sat =~ s1 + s2 + s3", csi.SEM(missing="fiml"))
    errors = three.filter((pl.col("lhs") == "txt") & (pl.col("op") == "~~"))["estimate"].to_list()
    assert errors == sorted(errors, reverse=True)
    assert len(errors) == 3


@pytest.mark.parametrize(
    ("settings", "code"),
    [({"reliability": 1.4}, "E-TEXT"), ({"construct": "sta"}, "E-ROLE"), ({"item": "s1"}, "E-SETTING")],
)
def test_what_cannot_be_an_item_is_refused(settings, code):
    panel, said, _ = coded(60)
    asked = {"construct": "sat", "reliability": 0.7, **settings}
    with pytest.raises(Problems) as raised:
        csi.text_indicator(scored(panel, said), panel, asked.pop("construct"), **asked)
    assert [p.code for p in raised.value.problems] == [code]


def test_tones_all_alike_are_no_item():
    panel, _ = answers(100)
    found = csi.comments(table(["很好"] * 60), panel)
    with pytest.raises(Problems) as raised:
        csi.text_indicator(found, panel, "sat", reliability=0.7)
    assert "得分全部相同" in raised.value.problems[0].what.zh


def test_comments_of_one_writer_are_resampled_together():
    """Who writes the same four times says no more: the interval of r stays, it does not halve."""
    panel, said, _ = coded(120, 3)
    once = scored(panel, said, replicates=300).reliability.table
    four = pl.concat([said.with_columns(pl.col("text") + "！" * k) for k in range(4)])
    again = scored(panel, four, replicates=300)
    assert again.reliability.n == 480
    row, more = (t.row(by_predicate=pl.col("measure") == "r", named=True) for t in (once, again.reliability.table))
    assert (more["value"], more["conf_low"], more["conf_high"]) == pytest.approx(
        (row["value"], row["conf_low"], row["conf_high"])
    )
    few = said.with_columns(pl.lit("p0").alias("id"), pl.col("text") + pl.col("id"))
    told = scored(panel, few, replicates=300).reliability
    assert told.table["conf_low"].null_count() == 4
    assert "区间" not in told.sentences[0].zh
