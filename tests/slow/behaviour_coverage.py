"""Do intervals of recommendation and loyalty cover, and does the test of a bend hold its level? n = 250.

    python tests/slow/behaviour_coverage.py [PANELS]        (about three minutes on one core for 2,000)

Answers are whole numbers on their scales, so truth is the same function on 300,000 rows. "rows": simple random
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
from scipy.stats import t

import csi
from csi.errors import Text
from csi.survey.codebook import Codebook, Item, Scale

SIZE, TRUTH, TOGETHER = 250, 300_000, 100
TEN, HUNDRED = Scale("ten", 0, 10), Scale("hundred", 0, 100)
STUDIES = ("rows", "clusters", "weights")
START, SLOPES, KNOTS = 20.0, (0.2, 0.4, 0.8), (50.0, 75.0)
GATED = ("nps", "difference", "type", "slope", "band")
TESTS = (("one knot", "level"), ("two knots, Holm, any", "at most"), ("difference of two groups", "level"))
DISCLOSED: dict[str, str] = {}


def book() -> Codebook:
    """Recommendation twice, satisfaction, attitude and patronage, loyalty bent and straight."""
    blocks = {"sat": 3, "att": 2}
    items = [Item(n, n, TEN, Text(n, n)) for n in ("rec", "high", "buy")]
    items += [Item(f"{c}{i}", c, TEN, Text(c, c)) for c, m in blocks.items() for i in range(1, m + 1)]
    items += [Item(n, n, HUNDRED, Text(n, n)) for n in ("bent", "straight")]
    return Codebook(tuple(items), {}, {})


BOOK = book()


def answers(rows: int, number: int, study: str, size: int = SIZE) -> csi.Panel:
    """Panels of `size` rows, one per brand."""
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
    columns["brand"] = np.char.zfill((np.arange(rows) // size).astype(str), 4)
    columns["segment"] = np.where(rng.random(rows) < 1 / 3, "A", "B")
    if study == "clusters":
        columns["cluster"] = unit.astype(str)
    if study == "weights":
        columns["weight"] = np.exp(0.3 * person + 0.35 * rng.normal(size=rows))
    frame = pl.DataFrame(columns).with_columns(pl.col(BOOK.names).cast(pl.Float64))
    absent = frame.with_columns(pl.lit(None, dtype=pl.String).alias(n) for n in BOOK.names).select(BOOK.names)
    return csi.Panel(frame, BOOK, absent)


def whole(x: np.ndarray) -> np.ndarray:
    """Whole numbers from 0 to 10."""
    return np.clip(np.round(x), 0, 10)


def described(panel: csi.Panel) -> pl.DataFrame:
    """brand, kind, name, estimate, std_error, conf_low, conf_high of scores, types, segments and bands."""
    by = ["brand"]
    frames = [told(csi.nps(panel, "rec", by=by).table, "nps", "rec", "nps")]
    frames.append(told(csi.nps(panel, "high", by=by).table, "nps near its end", "high", "nps"))
    for cuts, kind in (((50.0, 50.0), "type"), ((85.0, 85.0), "type near its end")):
        types = csi.loyalty_types(panel, "att", "buy", cuts=cuts, by=by).table
        frames.append(told(types, kind, pl.col("type"), "share"))
    curve = csi.loyalty_curve(panel, "sat", "bent", knots=KNOTS, bands=5, by=by)
    segment = pl.format("from {}", pl.col("start").cast(pl.Int64))
    frames.append(told(curve.table, "slope", segment, "slope"))
    # a band's standard error is not printed: half its interval by the point of t
    point = pl.Series([float(t.ppf(0.975, max(n - 1, 1))) for n in curve.curve["n"]])
    half = (pl.col("conf_high") - pl.col("conf_low")) / (2 * point)
    bands = curve.curve.with_columns(std_error=half).filter(pl.col("start").is_between(20, 80))
    frames.append(told(bands, "band", segment, "mean"))
    return pl.concat([*frames, differing(panel)])


def differing(panel: csi.Panel) -> pl.DataFrame:
    """The two groups of every brand compared."""
    parts = []
    for brand in panel.frame["brand"].unique(maintain_order=True):
        found = csi.nps(panel, "rec", by=["segment"], where={"brand": brand}).differences
        parts.append(found.with_columns(brand=pl.lit(brand)))
    return told(pl.concat(parts), "difference", "rec", "difference")


def told(frame: pl.DataFrame, kind: str, name: str | pl.Expr, estimate: str) -> pl.DataFrame:
    """The columns of `described`."""
    p = "p_value" if kind == "difference" else pl.lit(None, dtype=pl.Float64)
    label = pl.lit(name) if isinstance(name, str) else name
    return frame.select("brand", kind=pl.lit(kind), name=label, estimate=estimate, std_error="std_error",
                        conf_low="conf_low", conf_high="conf_high", p=p)  # fmt: skip


def bends(panel: csi.Panel) -> np.ndarray:
    """(brands, 2) p of true claims: one knot; two knots after Holm (the smallest)."""
    found = []
    for knots in ((60.0,), KNOTS):
        table = csi.loyalty_curve(panel, "sat", "straight", knots=knots, by=["brand"]).table
        found.append(table.group_by("brand", maintain_order=True).agg(pl.col("p_change").min())["p_change"])
    return np.column_stack([p.cast(pl.Float64).fill_null(np.nan).to_numpy() for p in found])


def chunk(number: int) -> np.ndarray:
    """(100, 3, quantities + 3, 4): panels, studies; the last three rows hold p-values."""
    every = []
    for study in STUDIES:
        panel = answers(TOGETHER * SIZE, number, study)
        frame = described(panel)
        brands = panel.frame["brand"].unique(maintain_order=True)
        keys = frame.select("kind", "name").unique(maintain_order=True).sort("kind", "name")
        full = (
            pl.DataFrame({"brand": brands})
            .join(keys, how="cross")
            .join(frame, on=["brand", "kind", "name"], how="left")
        )
        numbers = full.select(TOLD).cast(pl.Float64).fill_null(np.nan).to_numpy().reshape(len(brands), -1, 4)
        p = frame.filter(kind="difference")["p"].fill_null(np.nan).to_numpy()
        tail = np.full((len(brands), 3, 4), np.nan)
        tail[:, :2, 0], tail[:, 2, 0] = bends(panel), p
        every.append(np.concatenate([numbers, tail], axis=1))
    return np.stack(every, axis=1)


TOLD = ("estimate", "std_error", "conf_low", "conf_high")


def tables(panels: int) -> dict[str, pl.DataFrame]:
    """Coverage and rejections."""
    runs = np.concatenate(list(cal.over(chunk, max(1, panels // TOGETHER))))
    covered, nulls = [], []
    for at, study in enumerate(STUDIES):
        labels = described(answers(TRUTH, 0, study, TRUTH)).sort("kind", "name")
        truth = labels["estimate"].to_numpy().copy()
        truth[(labels["kind"] == "slope").to_numpy()] = SLOPES
        truth[(labels["kind"] == "difference").to_numpy()] = 0.0
        mine, q = runs[:, at], labels.height
        point, found = mine[:, :q, 0], mine[:, :q, 1:].swapaxes(1, 2)
        pairs = list(labels.select("kind", "name").iter_rows())
        covered += cal.coverage_rows(study, pairs, "as printed", truth, point, found, GATED)
        nulls += [cal.null_row(study, test, mine[:, q + j, 0], gate) for j, (test, gate) in enumerate(TESTS)]
    return {"behaviour_coverage": pl.DataFrame(covered), "behaviour_nulls": pl.DataFrame(nulls)}


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
