"""Do intervals of gaps, zones, promises and surfaces cover, and do their tests hold their level? n = 250.

    python tests/slow/forms_coverage.py [PANELS]        (about seven minutes on one core for 2,000)

Answers are whole numbers from 1 to 9, so truth is the same function on a million rows. "rows": simple random samples;
"clusters": 50 clusters of 5, intraclass correlation about .2. A third of the respondents give no points of 100 and take
the others' mean. The surface's outcome is a known quadratic of whole E and P with errors whose spread grows with E, so
that its truth is exact and equal variances do not hold; in the nulls it is a plain difference, or symmetric.
Gated: gaps, MSA and MSS, position, net share, a1 to a5 (92.5 to 97 %, mean standard error / Monte Carlo deviation
within .95 and 1.05). Tabled: shares near 0 (their Wilson bounds, no standard error), tests with classical errors.
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
POINT = {False: 1.9695, True: 2.0096}
"""The point of t with 249 degrees of freedom; with 49, where there are clusters."""
NINE, WIDE, HUNDRED = Scale("nine", 1, 9), Scale("wide", -999, 999), Scale("hundred", 0, 100)
DIMENSIONS = ("speed", "care", "price")
B = np.array([0.0, -0.3, 0.5, 0.05, 0.04, -0.06])
DIFFERENCE = np.array([0.0, -0.4, 0.4, 0.0, 0.0, 0.0])
GATED = ("gap", "zone", "net", "surface")
DISCLOSED: dict[str, str] = {
    "rows: surface a5 (t or Wilson)": (
        "Chance, as far as can be seen: panels 2,001 to 7,000 of the same study have a ratio of 1.001 (Monte Carlo"
        " error .010) and cover 95.4 %; the estimates of these 2,000 spread by more."
    )
}


def book() -> Codebook:
    """Three dimensions of two attributes in four forms, points, an outcome."""
    items = [
        Item(f"{form}_{d}{i}", d, NINE, Text(d, d), f"{d}{i}", form)
        for form in ("P", "Ew", "Ea", "Ed")
        for d in DIMENSIONS
        for i in (1, 2)
    ]
    items += [Item(f"points_{d}", "points", HUNDRED, Text(d, d), d, "I") for d in DIMENSIONS]
    items += [Item(n, n, WIDE, Text(n, n)) for n in ("curved", "plain", "even")]
    return Codebook(tuple(items), {}, {})


BOOK = book()


def answers(rows: int, number: int, *, clustered: bool) -> csi.Panel:
    """One panel."""
    rng = np.random.default_rng([20261122, number])
    unit = np.arange(rows) // 5 if clustered else np.arange(rows)
    shared = rng.normal(size=unit[-1] + 1)[unit] * (0.5 if clustered else 0.0)
    person, wish = (0.8 * rng.normal(size=(2, rows))) + shared
    columns: dict[str, object] = {}
    for number_of, d in enumerate(DIMENSIONS):
        for i in (1, 2):
            low = 3.5 + 0.7 * wish + 0.7 * rng.normal(size=rows)
            columns[f"Ea_{d}{i}"] = whole(low)
            columns[f"Ed_{d}{i}"] = np.maximum(whole(low + 2.5 + 0.8 * rng.normal(size=rows)), columns[f"Ea_{d}{i}"])
            columns[f"Ew_{d}{i}"] = whole(5.5 + 0.6 * wish + 0.9 * rng.normal(size=rows))
            columns[f"P_{d}{i}"] = whole(4.6 + 0.4 * number_of + person + 0.4 * wish + 0.9 * rng.normal(size=rows))
    raw = np.exp(np.column_stack([0.3 * person, np.zeros(rows), -0.3 * person]) + 0.4 * rng.normal(size=(rows, 3)))
    given = np.where((rng.random(rows) < 1 / 3)[:, None], np.nan, np.round(100 * raw / raw.sum(axis=1, keepdims=True)))
    columns |= {f"points_{d}": given[:, j] for j, d in enumerate(DIMENSIONS)}
    E, P = (np.asarray(columns[f"{form}_speed1"], dtype=float) - 5 for form in ("Ew", "P"))
    apart = rng.normal(size=unit[-1] + 1)[unit] * (0.8 if clustered else 0.0)
    noise = (1 + 0.25 * (E + 4)) * rng.normal(size=rows) + apart
    terms = np.column_stack([np.ones(rows), E, P, E**2, E * P, P**2])
    columns |= {
        "curved": terms @ B + noise,
        "plain": terms @ DIFFERENCE + noise,
        "even": 0.4 * (P - E) + 0.2 * P + noise,
    }
    frame = pl.DataFrame({**columns, **({"cluster": unit.astype(str)} if clustered else {})})
    frame = frame.with_columns(pl.col(BOOK.names).cast(pl.Float64).fill_nan(None))
    reasons = frame.with_columns(pl.lit(None, dtype=pl.String).alias(n) for n in BOOK.names).select(BOOK.names)
    return csi.Panel(frame, BOOK, reasons)


def whole(x: np.ndarray) -> np.ndarray:
    """Whole numbers from 1 to 9."""
    return np.clip(np.round(x), 1, 9)


def described(panel: csi.Panel, *, clustered: bool) -> pl.DataFrame:
    """kind, name, estimate, std_error, conf_low, conf_high of gaps, zones and promises."""
    quality = csi.servqual(panel, "Ew", dimensions=DIMENSIONS, structure=False, outcome="").table
    zone = csi.tolerance(panel, outcome="").table.filter(pl.col("name").is_in(["speed1", "overall"]))
    kept = csi.promise(panel, outcome="").table.filter(pl.col("name").is_in(["speed1", "overall"]))
    absent = pl.lit(None, dtype=pl.Float64)
    frames = [
        quality.select(kind=pl.lit("gap"), name="name", estimate="score", std_error="std_error", conf_low="conf_low",
                       conf_high="conf_high")
    ]  # fmt: skip
    frames += [
        zone.select(kind=pl.lit("zone"), name=pl.col("name") + f" {c}", estimate=c, std_error=f"{c}_std_error",
                    conf_low=f"{c}_low", conf_high=f"{c}_high")
        for c in ("msa", "mss", "position")
    ]  # fmt: skip
    frames += [
        source.select(kind=pl.lit("share"), name=pl.col("name") + f" {c}", estimate=c, std_error=absent,
                      conf_low=f"{c}_low", conf_high=f"{c}_high")
        for source, columns in ((zone, ("below", "within", "above")), (kept, ("broken", "kept", "exceeded")))
        for c in columns
    ]  # fmt: skip
    half = (pl.col("net_high") - pl.col("net_low")) / 2
    frames.append(
        kept.select(kind=pl.lit("net"), name="name", estimate="net", std_error=half / POINT[clustered],
                    conf_low="net_low", conf_high="net_high")
    )  # fmt: skip
    return pl.concat(frames)


def surfaces(panel: csi.Panel) -> tuple[pl.DataFrame, list[float]]:
    """a1 to a5 of the quadratic outcome; p of true claims: the difference (robust, classical), equal slopes."""
    curved = csi.surface(panel, of="speed1", outcome="curved", replicates=100).table.head(5)
    plain = csi.surface(panel, of="speed1", outcome="plain", replicates=100).claims.row(2, named=True)
    even = csi.surface(panel, of="speed1", outcome="even", replicates=100).asymmetry.row(0, named=True)
    told = curved.select(kind=pl.lit("surface"), name="quantity", estimate="estimate", std_error="std_error",
                         conf_low="conf_low", conf_high="conf_high")  # fmt: skip
    return told, [plain["p_value"], plain["p_classical"], even["difference_p"]]


def one(number: int) -> np.ndarray:
    """(2, quantities + 3, 4): both studies; the last three rows hold p-values."""
    both = []
    for clustered in (False, True):
        panel = answers(SIZE, number, clustered=clustered)
        told, p = surfaces(panel)
        frame = pl.concat([described(panel, clustered=clustered), told])
        numbers = frame.select("estimate", "std_error", "conf_low", "conf_high").cast(pl.Float64).to_numpy()
        both.append(np.vstack([numbers, np.column_stack([p, np.full((3, 3), np.nan)])]))
    return np.stack(both)


def tables(panels: int) -> dict[str, pl.DataFrame]:
    """Coverage and rejections."""
    runs = cal.over(one, panels)
    covered, nulls = [], []
    for study, clustered in (("rows", False), ("clusters", True)):
        large = described(answers(TRUTH, 0, clustered=clustered), clustered=clustered)
        exact = pl.DataFrame({"kind": ["surface"] * 5, "name": [f"a{i}" for i in range(1, 6)], "estimate": planted()})
        labels = pl.concat([large.select("kind", "name", "estimate"), exact])
        mine = runs[:, int(clustered)]
        q = labels.height
        point, found = mine[:, :q, 0], mine[:, :q, 1:].swapaxes(1, 2).copy()
        shares = np.array([k == "share" for k in labels["kind"]])
        found[:, 0, shares] = (found[:, 2] - found[:, 1])[:, shares] / (2 * POINT[clustered])
        pairs = list(labels.select("kind", "name").iter_rows())
        truth = labels["estimate"].to_numpy()
        covered += cal.coverage_rows(study, pairs, "t or Wilson", truth, point, found, GATED)
        for j, (test, gate) in enumerate(
            (("difference, robust", "level"), ("difference, classical", "tabled"), ("equal slopes, robust", "level"))
        ):
            nulls.append(cal.null_row(study, test, mine[:, q + j, 0], gate))
    return {"forms_coverage": pl.DataFrame(covered), "forms_nulls": pl.DataFrame(nulls)}


def planted() -> list[float]:
    """a1 to a5 of the quadratic."""
    b = B
    return [b[1] + b[2], b[3] + b[4] + b[5], b[1] - b[2], b[3] - b[4] + b[5], b[3] - b[5]]


def page(covered: pl.DataFrame, nulls: pl.DataFrame) -> str:
    """The tables as Markdown."""
    return cal.page("Intervals of gaps, zones, promises and surfaces", __doc__ or "", covered, nulls, DISCLOSED)


def failures(covered: pl.DataFrame, nulls: pl.DataFrame) -> list[str]:
    """Misses that are not disclosed."""
    return cal.failures(cal.missed(covered, nulls), DISCLOSED)


if __name__ == "__main__":
    sys.exit(cal.run(tables, page, failures, "forms_coverage"))
