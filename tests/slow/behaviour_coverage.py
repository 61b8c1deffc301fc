"""Do intervals of recommendation and loyalty cover, and does the test of a bend hold its level? n = 250.

    python tests/slow/behaviour_coverage.py [PANELS]        (about a minute on one core for 2,000)

The functions behind `csi.nps`, its differences, `csi.loyalty_types` and `csi.loyalty_curve`, on arrays. Answers are
whole numbers on their scales, so truth is the same function on 300,000 rows. "rows": simple random samples; "clusters":
50 clusters of 5, intraclass correlation about .2; "weights": weights with a coefficient of variation of about .5 that
go with the answers. Recommendation: a middling item and one that nearly all recommend (detractors about 3 %), intervals
as printed (adjusted Wald); the difference of two groups of unequal size that are alike, and its test. Loyalty types at
(50, 50), and at (85, 85) where shares are near 0. The curve: loyalty by satisfaction as answered, a line in it (null)
or bent at 50 and 75, errors that grow with satisfaction; truth of slopes is exact.
Gated: scores, shares of types between .1 and .9, slopes of segments, band means, differences (92.5 to 97 %, mean
standard error / Monte Carlo deviation within .95 and 1.05), tests at 5 % (4 to 6.5 %; after Holm at most 5 % and three
errors). Tabled: types at (85, 85) and the score near its end.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from itertools import pairwise
from types import SimpleNamespace

import calibration as cal
import numpy as np
import polars as pl
from scipy.special import ndtri

from csi.behaviour.loyalty_curve import least_squares
from csi.behaviour.loyalty_types import logit_interval
from csi.behaviour.nps import adjusted, sign_of
from csi.behaviour.nps_pairs import differences
from csi.inference.adjust import adjust
from csi.inference.linearised import critical, means, p_of_t

SIZE, TRUTH, TOGETHER, LEVEL = 250, 300_000, 100, 0.95
STUDIES = ("rows", "clusters", "weights")
START, SLOPES, KNOTS = 20.0, (0.2, 0.4, 0.8), (50.0, 75.0)
EDGES = (0.0, *KNOTS, 100.0)
BANDS = (20, 40, 60, 80)
TYPES = ("loyalty", "latent", "spurious", "none")
GATED = ("nps", "difference", "type", "slope", "band")
TESTS = (("one knot", "level"), ("two knots, Holm, any", "at most"), ("difference of two groups", "level"))
DISCLOSED: dict[str, str] = {}


def answers(rows: int, number: int, study: str) -> dict[str, np.ndarray]:
    """Columns of one draw: rec, high, feel and buy (0 to 100), x (satisfaction), bent, straight, group, weight."""
    rng = np.random.default_rng([20261124, number])
    unit = np.arange(rows) // 5 if study == "clusters" else np.arange(rows)
    clustered = 0.5 if study == "clusters" else 0.0
    person = rng.normal(size=rows) + clustered * rng.normal(size=unit[-1] + 1)[unit]
    rec = whole(7.6 + 1.3 * person + 1.6 * rng.normal(size=rows))
    high = whole(9.7 + 0.9 * person + 1.0 * rng.normal(size=rows))
    x = 10 * np.mean([whole(6.2 + 1.8 * person + 1.3 * rng.normal(size=rows)) for _ in range(3)], axis=0)
    feel = 10 * np.mean([whole(5.4 + 1.6 * person + 1.4 * rng.normal(size=rows)) for _ in range(2)], axis=0)
    buy = 10 * whole(5.8 + 1.0 * person + 2.2 * rng.normal(size=rows))
    shared = rng.uniform(-1, 1, size=unit[-1] + 1)[unit] if study == "clusters" else np.zeros(rows)
    noise = (4 + 0.08 * x) * (rng.uniform(-1, 1, rows) + 0.7 * shared)
    bent = START + sum(s * (np.clip(x, a, b) - a) for s, (a, b) in zip(SLOPES, pairwise(EDGES), strict=True))
    group = np.where(rng.random(rows) < 1 / 3, 0, 1)
    weight = np.exp(0.3 * person + 0.35 * rng.normal(size=rows)) if study == "weights" else np.ones(rows)
    return {
        "rec": rec, "high": high, "feel": feel, "buy": buy, "x": x, "bent": bent + noise,
        "straight": START + 0.5 * x + noise, "group": group, "weight": weight,
    }  # fmt: skip


def whole(x: np.ndarray) -> np.ndarray:
    """Whole numbers from 0 to 10."""
    return np.clip(np.round(x), 0, 10)


def scores(f: Mapping[str, np.ndarray], plan: tuple[np.ndarray, ...]) -> Iterator[tuple[str, str, tuple[float, ...]]]:
    """Scores of the two items and the difference of the groups, in points."""
    w = plan[0]
    for item, kind in (("rec", "nps"), ("high", "nps near its end")):
        sign = sign_of(f[item])
        n, found = len(sign), means(sign[:, None], *plan)
        p, d = (float((w * (sign == v)).sum() / w.sum()) for v in (1, -1))
        error = float(found.std_error[0]) * np.sqrt((n - 1) / n)
        plain = found.df[0] == n - 1 and np.ptp(w) == 0
        point = float(ndtri(0.975)) if plain else float(critical(LEVEL, found.df)[0])
        low, high = adjusted(p, d, ((p + d) - (p - d) ** 2) / error**2, point)
        yield kind, item, (100 * (p - d), 100 * error, 100 * low, 100 * high)


def types(f: Mapping[str, np.ndarray], plan: tuple[np.ndarray, ...]) -> Iterator[tuple[str, str, tuple[float, ...]]]:
    """Shares of types of loyalty, cut in the middle and high up."""
    for cut, kind in ((50, "type"), (85, "type near its end")):
        a, b = f["feel"] > cut, f["buy"] > cut
        found = means(np.column_stack([a & b, a & ~b, ~a & b, ~a & ~b]).astype(float), *plan)
        low, high = logit_interval(found.mean, found.std_error, found.df, LEVEL)
        for j, name in enumerate(TYPES):
            yield kind, name, (found.mean[j], found.std_error[j], low[j], high[j])


def curve(f: Mapping[str, np.ndarray], plan: tuple[np.ndarray, ...]) -> Iterator[tuple[str, str, tuple[float, ...]]]:
    """Slopes of segments and means of bands."""
    w, unit, stratum = plan
    fit = least_squares([np.clip(f["x"], a, b) - a for a, b in pairwise(EDGES)], f["bent"], *plan)
    own = np.eye(len(EDGES))[1:]
    error = fit.error_of(own)
    reach = critical(LEVEL, fit.df_of(own)) * error
    for j, start in enumerate(EDGES[:-1]):
        b = fit.slopes[1 + j]
        yield "slope", f"from {start:.0f}", (b, error[j], b - reach[j], b + reach[j])
    at = np.minimum((f["x"] / 20).astype(int), 4)
    for k in BANDS:
        inside = at == k // 20
        found = means(f["bent"][inside][:, None], w[inside], unit[inside], stratum)
        low, high = found.interval(LEVEL)
        yield "band", f"from {k}", (found.mean[0], found.std_error[0], low[0], high[0])


def bends(f: Mapping[str, np.ndarray], plan: tuple[np.ndarray, ...]) -> list[float]:
    """p of true claims: one knot; two knots after Holm (the smallest)."""
    found = []
    for knots in ((60.0,), KNOTS):
        fit = least_squares([f["x"], *(np.maximum(f["x"] - k, 0) for k in knots)], f["straight"], *plan)
        turns = np.eye(2 + len(knots))[2:]
        p = p_of_t(fit.slopes[2:] / fit.error_of(turns), fit.df_of(turns))
        found.append(float(np.min(adjust(p, "holm"))))
    return found


def described(f: Mapping[str, np.ndarray], study: str) -> tuple[dict[tuple[str, str], tuple[float, ...]], list[float]]:
    """{(kind, name): estimate, error, limits} and the p-values of TESTS."""
    n = len(f["rec"])
    unit = np.arange(n) // 5 if study == "clusters" else np.arange(n)
    weight = f["weight"] / f["weight"].mean()
    plan = weight, unit, np.zeros(unit[-1] + 1, dtype=np.int64)
    told = {(kind, name): row for part in (scores, types, curve) for kind, name, row in part(f, plan)}
    sample = SimpleNamespace(cell=f["group"], weight=weight, unit=unit, layer=None)
    row = differences(sample, sign_of(f["rec"]), {0: "A", 1: "B"}, LEVEL).row(0, named=True)
    told["difference", "rec"] = tuple(row[c] for c in ("difference", "std_error", "conf_low", "conf_high"))
    return told, [*bends(f, plan), row["p_value"]]


def chunk(number: int) -> np.ndarray:
    """(100, 3, quantities + 3, 4): panels, studies; the last three rows hold p-values."""
    every = []
    for study in STUDIES:
        f, panels = answers(TOGETHER * SIZE, number, study), []
        for k in range(TOGETHER):
            told, p = described({c: v[k * SIZE : (k + 1) * SIZE] for c, v in f.items()}, study)
            tail = np.full((len(p), 4), np.nan)
            tail[:, 0] = p
            panels.append(np.concatenate([np.array(list(told.values()), dtype=float), tail]))
        every.append(np.stack(panels))
    return np.stack(every, axis=1)


def tables(panels: int) -> dict[str, pl.DataFrame]:
    """Coverage and rejections."""
    runs = np.concatenate(list(cal.over(chunk, max(1, panels // TOGETHER))))
    covered, nulls = [], []
    for at, study in enumerate(STUDIES):
        told, _ = described(answers(TRUTH, 0, study), study)
        planted = {("slope", f"from {a:.0f}"): s for a, s in zip(EDGES, SLOPES, strict=False)}
        planted["difference", "rec"] = 0.0
        truth = np.array([planted.get(key, row[0]) for key, row in told.items()])
        mine, q = runs[:, at], len(told)
        point, found = mine[:, :q, 0], mine[:, :q, 1:].swapaxes(1, 2)
        covered += cal.coverage_rows(study, list(told), "as printed", truth, point, found, GATED)
        nulls += [cal.null_row(study, test, mine[:, q + j, 0], gate) for j, (test, gate) in enumerate(TESTS)]
    return {"behaviour_coverage": pl.DataFrame(covered), "behaviour_nulls": pl.DataFrame(nulls)}


def page(covered: pl.DataFrame, nulls: pl.DataFrame) -> str:
    """The tables as Markdown."""
    return cal.page("Intervals of recommendation and loyalty", __doc__ or "", covered, nulls, DISCLOSED)


def failures(covered: pl.DataFrame, nulls: pl.DataFrame) -> list[str]:
    """Misses that are not disclosed."""
    return cal.failures(cal.missed(covered, nulls), DISCLOSED)


if __name__ == "__main__":
    sys.exit(cal.run(tables, page, failures, "behaviour_coverage"))
