"""Known groups and criteria: R's numbers, weights and clusters, and what cannot be compared."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import nct

import csi
from csi.measures.separation.criterion import Criterion, criterion
from csi.measures.separation.differences import hedges_interval, welch_anova
from csi.measures.separation.known_groups import known_groups
from csi.measures.separation.scored import scored_rows

SCALES = {"trust": ["q1", "q2", "q3"]}
ORDER = ["low", "mid", "high"]
R_ONEWAY = [9.02431828868, 2.0, 90.9492593299, 2.65969884359e-04]
R_ETA2 = 20.94666667 / (20.94666667 + 166.31259259)
R_T = [4.18029703943, 80.0344636622, 7.38613882916e-05, 0.483193951912, 1.36125049253]
R_COR = [0.758538352658, 0.681070876608, 0.819212686687]


def answers() -> pl.DataFrame:
    """Three groups of 60, 50 and 40 people with rising means, and what they spent."""
    rng, n = np.random.default_rng(11), 150
    kind, mu = np.repeat(ORDER, [60, 50, 40]), np.repeat([0, 0.4, 1.0], [60, 50, 40])
    f = mu + rng.normal(size=n)
    items = {f"q{i}": np.round(4 + f + 0.7 * rng.normal(size=n)) for i in (1, 2, 3)}
    return pl.DataFrame({**items, "kind": kind, "spent": np.round(10 + 3 * f + 2 * rng.normal(size=n), 1)})


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    return answers()


def test_differences_are_those_of_r(frame: pl.DataFrame) -> None:
    """R 4.2.2: oneway.test and t.test (Welch) of the mean of q1 to q3, aov for eta squared."""
    found = known_groups(frame, "kind", SCALES, expected=ORDER)
    whole = found.tests.row(0, named=True)
    assert [whole[k] for k in ("statistic", "df_between", "df_within", "p_value")] == pytest.approx(R_ONEWAY, rel=1e-8)
    assert whole["eta2"] == pytest.approx(R_ETA2, rel=1e-8)
    pair = found.pairs.filter(group="high", other="low").row(0, named=True)
    numbers = [pair[k] for k in ("statistic", "df", "p_value", "conf_low", "conf_high")]
    assert numbers == pytest.approx(R_T, rel=1e-8)
    assert found.groups == tuple(ORDER)
    assert found.pairs["as_expected"].to_list()[-1] in (True, False)
    assert pair["as_expected"] is True
    assert "high" in found.sentences[1].en
    assert "符合预期" in found.sentences[0].zh


def test_two_groups_by_f_are_two_groups_by_t(frame: pl.DataFrame) -> None:
    two = known_groups(frame.filter(pl.col("kind") != "mid"), "kind", SCALES)
    assert two.tests["statistic"].item() == pytest.approx(two.pairs["statistic"].item() ** 2, rel=1e-9)
    assert two.pairs["as_expected"].item() is None


def test_the_interval_of_g_contains_what_it_should() -> None:
    """At the ends of the interval t lies at its 2.5 % and 97.5 % points."""
    low, high = hedges_interval(0.6, 25, 35, 0.95)
    root = np.sqrt(25 * 35 / 60)
    j = 1 - 3 / (4 * 58 - 1)
    assert nct.cdf(0.6 * root, 58, low / j * root) == pytest.approx(0.975, abs=1e-3)
    assert nct.cdf(0.6 * root, 58, high / j * root) == pytest.approx(0.025, abs=1e-3)
    far = hedges_interval(12.0, 25, 35, 0.95)
    assert far[0] < 12 < far[1] * 1.1


def test_clusters_and_weights_move_the_errors(frame: pl.DataFrame) -> None:
    more = frame.with_columns(w=1.0 + (pl.col("spent") > 10).cast(pl.Float64), u=pl.int_range(pl.len()) // 5)
    simple = known_groups(more, "kind", SCALES).pairs
    weighed = known_groups(more, "kind", SCALES, weight="w").pairs
    clustered = known_groups(more, "kind", SCALES, unit="u").pairs
    assert (weighed["difference"] - simple["difference"]).abs().min() > 1e-3
    assert (clustered["difference"] - simple["difference"]).abs().max() < 1e-9
    assert (clustered["p_value"] - simple["p_value"]).abs().max() > 0
    alike = known_groups(more.with_columns(one=pl.lit(2.0)), "kind", SCALES, weight="one").pairs
    np.testing.assert_allclose(alike["p_value"], simple["p_value"])
    assert known_groups(more, "kind", SCALES, unit="u").tests["statistic"].item() > 0


def test_small_groups_are_withheld(frame: pl.DataFrame) -> None:
    few = frame.with_columns(kind=pl.when(pl.int_range(pl.len()) < 12).then(pl.lit("rare")).otherwise("kind"))
    found = known_groups(few, "kind", SCALES)
    rare = found.table.filter(group="rare").row(0, named=True)
    assert (rare["n"], rare["mean"], rare["flag"]) == (12, None, "suppressed")
    assert "rare" not in set(found.pairs["group"]) | set(found.pairs["other"])
    assert found.tests["df_between"].item() == 2.0


@pytest.fixture(scope="module")
def related(frame: pl.DataFrame) -> Criterion:
    return criterion(frame, "spent", {**SCALES, "first": ["q1"]})


def test_the_correlation_is_that_of_r_and_the_correction_spearmans(related: Criterion, frame: pl.DataFrame) -> None:
    """R 4.2.2: cor.test; Fisher's interval differs by its error (1 / sqrt(n - 3) there, the rows' own here)."""
    row = related.table.filter(construct="trust").row(0, named=True)
    assert row["correlation"] == pytest.approx(R_COR[0], rel=1e-10)
    assert row["conf_low"] == pytest.approx(R_COR[1], abs=0.03)
    assert row["conf_high"] == pytest.approx(R_COR[2], abs=0.03)
    X = frame.select("q1", "q2", "q3").to_numpy()
    S = np.cov(X.T)
    alpha = 1.5 * (1 - np.trace(S) / S.sum())
    assert row["alpha"] == pytest.approx(alpha, rel=1e-12)
    assert row["corrected"] == pytest.approx(row["correlation"] / np.sqrt(alpha), rel=1e-12)
    both = criterion(frame, {"spent": 0.8}, SCALES).table.row(0, named=True)
    assert both["corrected"] == pytest.approx(row["correlation"] / np.sqrt(alpha * 0.8), rel=1e-12)


def test_errors_of_corrected_correlations_are_those_of_resamples(frame: pl.DataFrame) -> None:
    """The standard error behind the interval, against 300 bootstraps of the same rows."""
    row = criterion(frame, "spent", SCALES).table.row(0, named=True)
    rng, n = np.random.default_rng(3), frame.height
    X, y = frame.select("q1", "q2", "q3").to_numpy(), frame["spent"].to_numpy()
    drawn = rng.multinomial(n, np.full(n, 1 / n), 300).astype(float)

    def corrected(w: np.ndarray) -> float:
        one = scored_rows(X, w)
        r = np.cov(one.score, y, aweights=w)
        return r[0, 1] / np.sqrt(r[0, 0] * r[1, 1] * one.alpha)

    spread = np.std([np.arctanh(min(corrected(w), 0.9999)) for w in drawn])
    half = (np.arctanh(row["corrected_high"]) - np.arctanh(row["corrected_low"])) / 2 / 1.976
    assert half == pytest.approx(spread, rel=0.2)


def test_a_single_item_has_a_correlation_and_a_reason(related: Criterion) -> None:
    row = related.table.filter(construct="first").row(0, named=True)
    assert row["correlation"] is not None
    assert (row["corrected"], row["reason"]) == (None, "single_item")
    assert "without the scale's error" in related.sentences[0].en
    later = criterion(answers(), "spent", SCALES, timing="predictive")
    assert "later" in later.sentences[0].en
    assert "预测效度" in csi.display.text(later, "zh")


def test_scores_and_criteria_that_do_not_vary_have_a_reason(frame: pl.DataFrame) -> None:
    flat = frame.with_columns(spent=pl.lit(3.0), q1=pl.lit(2.0), q2=pl.lit(2.0), q3=pl.lit(2.0))
    assert criterion(flat, "spent", SCALES).table["reason"].item() == "R-FLAT"
    assert criterion(frame.head(8), "spent", SCALES).table["reason"].item() == "R-FEW-ROWS"
    means = known_groups(flat, "kind", SCALES)
    assert means.pairs["g"].null_count() == 3


def test_welch_by_hand() -> None:
    """Welch (1951) reduces to t squared for two groups."""
    F, between, within = welch_anova(np.array([1.0, 3.0]), np.array([1.0, 2.0]), np.array([12.0, 8.0]))
    assert pytest.approx(4 / (1 / 12 + 4 / 8)) == F
    assert between == 1
    assert within == pytest.approx((1 / 12 + 0.5) ** 2 / ((1 / 12) ** 2 / 11 + 0.25 / 7))


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda f: known_groups(f, "nobody", SCALES), "nobody"),
        (lambda f: known_groups(f, "kind", SCALES, expected=["low", "top"]), "top"),
        (lambda f: known_groups(f.filter(kind="low"), "kind", SCALES), "no groups"),
        (lambda f: known_groups(f, "spent", SCALES), "no groups"),
        (lambda f: known_groups(f, 3, SCALES), "column of groups"),
        (lambda f: known_groups(f, "kind", SCALES, level=2), "level"),
        (lambda f: criterion(f, "kind", SCALES), "holds text"),
        (lambda f: criterion(f, "nothing", SCALES), "nothing"),
        (lambda f: criterion(f, {"spent": 1.4}, SCALES), "between 0 and 1"),
        (lambda f: criterion(f, [], SCALES), "columns of the data"),
        (lambda f: criterion(f, "spent", SCALES, timing="later"), "timing"),
        (lambda f: criterion(f, "spent", {"trust": ["q9"]}), "q9"),
    ],
)
def test_what_cannot_be_compared_is_told(ask, said: str, frame: pl.DataFrame) -> None:
    with pytest.raises(csi.Problems, match=said):
        ask(frame)
