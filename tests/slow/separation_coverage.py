"""Do intervals and tests of discriminant, criterion and known-groups validity cover and hold their level?

    python tests/slow/separation_coverage.py [PANELS]        (about two minutes on one core for 500)

"constructs": three factors of three items each (loadings .8, .7, .6), n = 300, that correlate .3, .3 and .9: factor
correlations by `csi.discriminant`, and the difference test against the cut-off .9 where the correlation is .9.
"ordinal": the same cut into five categories, n = 400, by WLSMV: factor correlations, HTMT and, of the close pair (the
others come too near 0), HTMT2 of the polychoric correlations, on the log scale. "one": two constructs that are one,
n = 300: the difference test against 1, at the edge of what can be. "criterion": a scale of
four alike items of reliability .727, n = 200, and a criterion that correlates .5 with what they measure, or not at all
(`csi.criterion`; alpha is then the reliability, so that the corrected correlation is .5). "groups": three groups of 40,
60 and 80 people with standard deviations 1, 1.5 and 2, of which the first two have one mean (`csi.known_groups`);
"groups alike": equal standard deviations, g = .5. "clusters": two groups of 20 clusters of six people each, a quarter
of the variance between clusters. Tabled, 500 panels of each; held to within three Monte Carlo errors of 95 % coverage,
of a ratio of 1 of mean standard error to Monte Carlo deviation (half an interval by its t, or on Fisher's z, stands for
the error), and of 5 % rejections (that against 1: at most).
"""

from __future__ import annotations

import sys

import calibration as cal
import numpy as np
import polars as pl
from panels import Held, Study, Told
from scipy.special import stdtrit

import csi
from csi.measures.separation.heterotrait import htmt2
from csi.measures.validity import htmt

CUTS = (-1.2, -0.5, 0.3, 1.0)
"""Where answers in five categories part."""
PANELS, ERRORS = 500, 3.0
SAFE = ("r = 1",)
"""Tests that may reject less often than they say."""

DISCLOSED: dict[str, str] = {}
LOADINGS = np.array([0.8, 0.7, 0.6])
PHI = np.array([[1, 0.3, 0.3], [0.3, 1, 0.9], [0.3, 0.9, 1]])
TEXT = "a =~ a1 + a2 + a3; b =~ b1 + b2 + b3; c =~ c1 + c2 + c3"


def constructs(rng: np.random.Generator) -> Told:
    """Three factors, two of them close."""
    f = rng.multivariate_normal(np.zeros(3), PHI, 300)
    rows = {
        f"{c}{i + 1}": LOADINGS[i] * f[:, k] + np.sqrt(1 - LOADINGS[i] ** 2) * rng.normal(size=300)
        for k, c in enumerate("abc")
        for i in range(3)
    }
    found = csi.discriminant(TEXT, pl.DataFrame(rows), replicates=0).table
    columns = ("correlation", "std_error", "conf_low", "conf_high")
    told = {
        ("correlation", f"{r['construct']} - {r['other']}"): tuple(r[c] for c in columns)
        for r in found.rows(named=True)
    }
    return told, {"r = cut-off": found.filter(construct="b", other="c")["p_cutoff"].item()}


def ordinal(rng: np.random.Generator) -> Told:
    """Three factors behind answers in five categories."""
    f = rng.multivariate_normal(np.zeros(3), PHI, 400)
    rows = {
        f"{c}{i + 1}": np.digitize(LOADINGS[i] * f[:, k] + np.sqrt(1 - LOADINGS[i] ** 2) * rng.normal(size=400), CUTS)
        for k, c in enumerate("abc")
        for i in range(3)
    }
    how = csi.SEM(estimator="WLSMV", ordered=tuple(rows))
    found = csi.discriminant(TEXT, pl.DataFrame(rows), estimator=how, tests="close", replicates=0).table
    columns = ("correlation", "std_error", "conf_low", "conf_high")
    told = {}
    for r in found.rows(named=True):
        pair = f"{r['construct']} - {r['other']}"
        told[("correlation, ordinal", pair)] = tuple(r[c] for c in columns)
        for kind in ("htmt", "htmt2") if pair == "b - c" else ("htmt",):
            value, low, high = (
                np.nan if r[c] is None else float(np.log(r[c])) for c in (kind, f"{kind}_low", f"{kind}_high")
            )
            told[(kind, pair)] = (value, (high - low) / 2 / 1.96, low, high)
    return told, {}


def population_htmt() -> dict[tuple[str, str], float]:
    """Logarithms of HTMT and HTMT2 of the population's correlations."""
    load = np.kron(np.eye(3), LOADINGS[:, None])
    R = load @ PHI @ load.T
    np.fill_diagonal(R, 1.0)
    member = np.kron(np.eye(3), np.ones((3, 1)))
    return {
        (kind, f"{'abc'[i]} - {'abc'[j]}"): float(np.log(ratio(R, member)[i, j]))
        for kind, ratio in (("htmt", htmt), ("htmt2", htmt2))
        for i, j in ((0, 1), (0, 2), (1, 2))
        if kind == "htmt" or (i, j) == (1, 2)
    }


def one(rng: np.random.Generator) -> Told:
    """Two constructs that are one."""
    f = rng.normal(size=300)
    rows = {
        f"{c}{i + 1}": LOADINGS[i] * f + np.sqrt(1 - LOADINGS[i] ** 2) * rng.normal(size=300)
        for c in "ab"
        for i in range(3)
    }
    found = csi.discriminant("a =~ a1 + a2 + a3; b =~ b1 + b2 + b3", pl.DataFrame(rows), replicates=0).table
    return {}, {"r = 1": found["p_one"].item()}


def criteria(rng: np.random.Generator) -> Told:
    """A scale with a criterion, and with nothing."""
    n = 200
    f = rng.normal(size=n)
    rows = {f"x{i}": f + np.sqrt(1.5) * rng.normal(size=n) for i in range(4)}
    rows |= {"y": 0.5 * f + np.sqrt(0.75) * rng.normal(size=n), "nothing": rng.normal(size=n)}
    found = csi.criterion(pl.DataFrame(rows), ["y", "nothing"], {"scale": ["x0", "x1", "x2", "x3"]}).table
    r, none = found.rows(named=True)
    told = {
        ("criterion", "r"): _on_z(r["correlation"], r["conf_low"], r["conf_high"], n),
        ("corrected", "r"): _on_z(r["corrected"], r["corrected_low"], r["corrected_high"], n),
    }
    return told, {"r = 0": none["p_value"]}


def _on_z(value: float, low: float, high: float, n: int) -> tuple[float, float, float, float]:
    """All of it on Fisher's z, where the interval is even."""
    z, a, b = np.arctanh([value, low, high]).tolist()
    return z, (b - a) / 2 / float(stdtrit(n - 1, 0.975)), a, b


def _pair(frame: pl.DataFrame, kind: str, name: str, *, g: bool = False) -> dict[tuple[str, str], tuple[float, ...]]:
    """One difference, as it is or in standard deviations."""
    r = frame.row(0, named=True)
    if g:
        return {(kind, name): (r["g"], (r["g_high"] - r["g_low"]) / 2 / 1.96, r["g_low"], r["g_high"])}
    error = r["difference"] / r["statistic"] if r["statistic"] else np.nan
    return {(kind, name): (r["difference"], error, r["conf_low"], r["conf_high"])}


def _scores(rng: np.random.Generator, mean: np.ndarray, sd: np.ndarray | float) -> dict[str, np.ndarray]:
    """Two items whose mean has this mean and standard deviation."""
    score, apart = mean + sd * rng.normal(size=mean.size), rng.normal(size=mean.size)
    return {"q1": score + apart, "q2": score - apart}


def groups(rng: np.random.Generator) -> Told:
    """Three groups of unequal size and spread."""
    size = [40, 60, 80]
    kind, mean, sd = (np.repeat(v, size) for v in (["a", "b", "c"], [0.0, 0.0, 0.6], [1.0, 1.5, 2.0]))
    frame = pl.DataFrame({**_scores(rng, mean, sd), "kind": kind})
    found = csi.known_groups(frame, "kind", {"s": ["q1", "q2"]}).pairs
    told = _pair(found.filter(group="c", other="a"), "difference", "unequal spread")
    level = pl.DataFrame({**_scores(rng, 0 * mean, sd), "kind": kind})
    F = csi.known_groups(level, "kind", {"s": ["q1", "q2"]}).tests["p_value"].item()
    return told, {
        "two means (Welch's t)": found.filter(group="b", other="a")["p_value"].item(),
        "three means (Welch's F)": F,
    }


def alike(rng: np.random.Generator) -> Told:
    """Two groups of one spread, half a standard deviation apart."""
    kind, mean = (np.repeat(v, [40, 60]) for v in (["a", "b"], [0.0, 0.5]))
    frame = pl.DataFrame({**_scores(rng, mean, 1.0), "kind": kind})
    return _pair(csi.known_groups(frame, "kind", {"s": ["q1", "q2"]}).pairs, "g", "half a deviation", g=True), {}


def clusters(rng: np.random.Generator) -> Told:
    """Two groups of twenty clusters each, with one mean."""
    unit = np.repeat(np.arange(40), 6)
    kind = np.where(unit < 20, "a", "b")
    mean = 0.5 * rng.normal(size=40)[unit]
    frame = pl.DataFrame({**_scores(rng, mean, np.sqrt(0.75)), "kind": kind, "unit": unit})
    found = csi.known_groups(frame, "kind", {"s": ["q1", "q2"]}, unit="unit").pairs
    return _pair(found, "difference, clusters", "by cluster"), {"two means by cluster": found["p_value"].item()}


def studies() -> tuple[Study, ...]:
    """Populations and how they are told."""
    pairs = {("correlation", f"{x} - {y}"): PHI["abc".index(x), "abc".index(y)] for x, y in ("ab", "ac", "bc")}
    half = float(np.arctanh(0.5))
    reliability = 4 / (4 + 1.5)
    return (
        Study("constructs", constructs, pairs, {"r = cut-off": "tabled"}),
        Study("ordinal", ordinal, {("correlation, ordinal", k[1]): v for k, v in pairs.items()} | population_htmt()),
        Study("one", one, {}, {"r = 1": "tabled"}),
        Study("criterion", criteria, {("criterion", "r"): float(np.arctanh(0.5 * np.sqrt(reliability))),
                                      ("corrected", "r"): half}, {"r = 0": "tabled"}),
        Study("groups", groups, {("difference", "unequal spread"): 0.6},
              {"two means (Welch's t)": "tabled", "three means (Welch's F)": "tabled"}),
        Study("groups alike", alike, {("g", "half a deviation"): 0.5}),
        Study("clusters", clusters, {("difference, clusters", "by cluster"): 0.0}, {"two means by cluster": "tabled"}),
    )  # fmt: skip


def failures(covered: pl.DataFrame, nulls: pl.DataFrame) -> list[str]:
    """What lies farther than three Monte Carlo errors from what it should be."""
    found = []
    for r in covered.iter_rows(named=True):
        off = abs(r["coverage"] - 0.95) / np.sqrt(0.95 * 0.05 / r["usable"])
        apart = abs(r["se_ratio"] - 1) * np.sqrt(2 * r["usable"])
        if max(off, apart) > ERRORS:
            place = f"{r['study']}: {r['kind']} {r['quantity']}"
            found.append(f"{place}: coverage {r['coverage']:.4f}, SE ratio {r['se_ratio']:.4f}")
    for r in nulls.iter_rows(named=True):
        off = (r["at_5"] - 0.05) / np.sqrt(0.05 * 0.95 / r["usable"])
        if off > ERRORS or (off < -ERRORS and r["test"] not in SAFE):
            found.append(f"{r['study']}: {r['test']}: rejects {r['at_5']:.4f} at .05")
    return found


HELD = Held("separation", "Discriminant, criterion and known-groups validity", __doc__, (), DISCLOSED, studies)
tables, page = HELD.tables, HELD.page
TABLES = ("separation_coverage", "separation_nulls")

if __name__ == "__main__":
    sys.exit(cal.run(tables, page, failures, "separation_coverage", PANELS))
