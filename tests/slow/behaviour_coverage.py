"""Do intervals of recommendation and loyalty cover, and does the test of a bend hold its level? n = 250.

    python tests/slow/behaviour_coverage.py [PANELS]        (about six minutes on one core for 2,000)

Answers are whole numbers on their scales, so truth is the same function on a million rows. "rows": simple random
samples; "clusters": 50 clusters of 5, intraclass correlation about .2; "weights": weights with a coefficient of
variation of about .5 that go with the answers. Recommendation: a middling item and one that nearly all recommend
(detractors about 3 %), intervals as printed (adjusted Wald); the difference of two groups of unequal size, and its test
where the groups are alike. Loyalty types at (50, 50), and at (85, 85) where one share is near 0. The curve: loyalty by
satisfaction as answered, a line in it (null) or bent at 50 and 75, errors that grow with satisfaction; truth is exact.
Gated: scores, shares of types between .1 and .9, slopes of segments, band means, differences (92.5 to 97 %, mean
standard error / Monte Carlo deviation within .95 and 1.05), bends at 5 % (4 to 6.5 %; after Holm at most 5 % and three
errors). Tabled: shares near 0 and the score near its end.
"""

from __future__ import annotations

import sys

import calibration as cal
import numpy as np
import polars as pl

import csi
from csi.errors import Text
from csi.survey.codebook import Codebook, Item, Scale

SIZE, TRUTH = 250, 1_000_000
TEN, HUNDRED = Scale("ten", 0, 10), Scale("hundred", 0, 100)
STUDIES = ("rows", "clusters", "weights")
START, SLOPES, KNOTS = 20.0, (0.2, 0.4, 0.8), (50.0, 75.0)
GATED = ("nps", "difference", "type", "slope", "band")
DISCLOSED: dict[str, str] = {}


def book() -> Codebook:
    """Recommendation twice, satisfaction, attitude and patronage, loyalty bent and straight."""
    items = [Item(n, n, TEN, Text(n, n)) for n in ("rec", "high", "sat1", "sat2", "sat3", "att1", "att2", "buy")]
    items = [Item(i.name, i.name.rstrip("123"), i.scale, i.label) for i in items]
    items += [Item(n, n, HUNDRED, Text(n, n)) for n in ("bent", "straight")]
    return Codebook(tuple(items), {}, {})


BOOK = book()


def answers(rows: int, number: int, study: str) -> csi.Panel:
    """One panel."""
    rng = np.random.default_rng([20261124, number])
    unit = np.arange(rows) // 5 if study == "clusters" else np.arange(rows)
    clustered = 0.5 if study == "clusters" else 0.0
    person = rng.normal(size=rows) + clustered * rng.normal(size=unit[-1] + 1)[unit]
    columns: dict[str, object] = {"rec": whole(7.6 + 1.3 * person + 1.6 * rng.normal(size=rows))}
    columns["high"] = whole(9.7 + 0.9 * person + 1.0 * rng.normal(size=rows))
    for i in (1, 2, 3):
        columns[f"sat{i}"] = whole(6.2 + 1.8 * person + 1.3 * rng.normal(size=rows))
    for i in (1, 2):
        columns[f"att{i}"] = whole(5.4 + 1.6 * person + 1.4 * rng.normal(size=rows))
    columns["buy"] = whole(5.8 + 1.0 * person + 2.2 * rng.normal(size=rows))
    x = 10 * np.mean([np.asarray(columns[f"sat{i}"], dtype=float) for i in (1, 2, 3)], axis=0)
    shared = rng.uniform(-1, 1, size=unit[-1] + 1)[unit] if study == "clusters" else np.zeros(rows)
    noise = (4 + 0.08 * x) * (rng.uniform(-1, 1, rows) + 0.7 * shared)
    edges = (0.0, *KNOTS, 100.0)
    bent = START + sum(s * (np.clip(x, a, b) - a) for s, a, b in zip(SLOPES, edges, edges[1:], strict=False))
    columns |= {"bent": bent + noise, "straight": START + 0.5 * x + noise}
    # two groups, a third and two thirds; by cluster in half of the clusters only
    columns["brand"] = np.where(rng.random(rows) < 1 / 3, "A", "B")
    if study == "clusters":
        columns["cluster"] = unit.astype(str)
    if study == "weights":
        columns["weight"] = np.exp(0.3 * person + 0.35 * rng.normal(size=rows))
    frame = pl.DataFrame(columns).with_columns(pl.col(BOOK.names).cast(pl.Float64))
    return csi.Panel(frame, BOOK, frame.select(pl.lit(None, dtype=pl.String).alias(n) for n in BOOK.names))


def whole(x: np.ndarray) -> np.ndarray:
    """Whole numbers from 0 to 10."""
    return np.clip(np.round(x), 0, 10)


TOLD = ("estimate", "std_error", "conf_low", "conf_high")


def described(panel: csi.Panel) -> pl.DataFrame:
    """kind, name, estimate, std_error, conf_low, conf_high of scores, types, segments and bands."""
    frames = []
    for item, kind in (("rec", "nps"), ("high", "nps near its end")):
        frames.append(told(csi.nps(panel, item).table, kind, item, "nps"))
    for item, kind in (("rec", "difference"),):
        frames.append(told(csi.nps(panel, item, by=["brand"]).differences, kind, item, "difference"))
    for cuts, kind in (((50.0, 50.0), "type"), ((85.0, 85.0), "type near its end")):
        types = csi.loyalty_types(panel, "att", "buy", cuts=cuts).table
        frames.append(told(types, kind, pl.col("type"), "share"))
    curve = csi.loyalty_curve(panel, "sat", "bent", knots=KNOTS, bands=5)
    segment = pl.format("from {}", pl.col("start").cast(pl.Int64))
    frames.append(told(curve.table, "slope", segment, "slope"))
    bands = curve.curve.filter(pl.col("start") >= 20).with_columns(std_error=pl.lit(None, dtype=pl.Float64))
    frames.append(told(bands, "band", segment, "mean"))
    return pl.concat(frames)


def told(frame: pl.DataFrame, kind: str, name: str | pl.Expr, estimate: str) -> pl.DataFrame:
    """The columns of `described`."""
    label = pl.lit(name) if isinstance(name, str) else name
    return frame.select(kind=pl.lit(kind), name=label, estimate=estimate, std_error="std_error", conf_low="conf_low",
                        conf_high="conf_high")  # fmt: skip


def tests(panel: csi.Panel) -> list[float]:
    """p of true claims: one knot; two knots after Holm (the smallest); groups that are alike."""
    one = csi.loyalty_curve(panel, "sat", "straight", knots=(60.0,)).table["p_change"][1]
    two = csi.loyalty_curve(panel, "sat", "straight", knots=KNOTS).table["p_change"].drop_nulls().min()
    return [one, two, csi.nps(panel, "rec", by=["brand"]).differences["p_value"][0]]


TESTS = (("one knot", "level"), ("two knots, Holm, any", "at most"), ("difference of two groups", "level"))


def one(number: int) -> np.ndarray:
    """(3, quantities + 3, 4): the studies; the last three rows hold p-values."""
    every = []
    for study in STUDIES:
        panel = answers(SIZE, number, study)
        numbers = described(panel).select(TOLD).cast(pl.Float64).to_numpy()
        every.append(np.vstack([numbers, np.column_stack([tests(panel), np.full((3, 3), np.nan)])]))
    return np.stack(every)


def tables(panels: int) -> dict[str, pl.DataFrame]:
    """Coverage and rejections."""
    runs = cal.over(one, panels)
    covered, nulls = [], []
    for at, study in enumerate(STUDIES):
        labels = described(answers(TRUTH, 0, study))
        truth = labels["estimate"].to_numpy().copy()
        slopes = np.array([k == "slope" for k in labels["kind"]])
        truth[slopes] = SLOPES
        mine = runs[:, at]
        q = labels.height
        point, found = mine[:, :q, 0], mine[:, :q, 1:].swapaxes(1, 2).copy()
        bands = np.array([k == "band" for k in labels["kind"]])
        found[:, 0, bands] = (found[:, 2] - found[:, 1])[:, bands] / (2 * POINT)
        pairs = list(labels.select("kind", "name").iter_rows())
        covered += cal.coverage_rows(study, pairs, "as printed", truth, point, found, GATED)
        nulls += [cal.null_row(study, test, mine[:, q + j, 0], gate) for j, (test, gate) in enumerate(TESTS)]
    return {"behaviour_coverage": pl.DataFrame(covered), "behaviour_nulls": pl.DataFrame(nulls)}


POINT = 1.99
"""About the point of t in the bands, whose standard errors are not printed."""


def page(covered: pl.DataFrame, nulls: pl.DataFrame) -> str:
    """The tables as Markdown."""
    missed = cal.missed(covered, nulls)
    parts = [
        "# Intervals of recommendation and loyalty",
        (__doc__ or "").strip().split("\n\n", 1)[1].replace("    python", "python", 1),
        "## Coverage of 95 % intervals",
        cal.markdown(cal.spans(covered)),
        cal.markdown(covered.select("study", "kind", "quantity", "truth", "coverage", "truth_below", "truth_above",
                                    "se_ratio", "usable", "gate")),
        "## Rejections of true claims",
        cal.markdown(cal.rates(nulls)),
        "## Missed gates",
        cal.disclosed_section(missed, DISCLOSED),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def failures(covered: pl.DataFrame, nulls: pl.DataFrame) -> list[str]:
    """Misses that are not disclosed."""
    return cal.failures(cal.missed(covered, nulls), DISCLOSED)


if __name__ == "__main__":
    sys.exit(cal.run(tables, page, failures, "behaviour_coverage"))
