"""Do intervals of change over waves and of interventions cover, and do their tests hold their level?

    python tests/slow/waves_coverage.py [PANELS]        (about ten minutes on one core for 2,000)

`csi.change` and `csi.intervention` as called. Latent difference of 250 people with a flag, a quarter of whom leave with
what they said first (one item); of a construct of three items with skewed errors, its ladder of invariance climbed
first; of 30 clusters of 8. Growth of one item over three waves, skewed errors, 15 % absent at random. Cross-lagged
slopes where nobody has an own mean (three waves), and between departures from own means where everybody has (four).
Interventions: 60 of 180 people, errors of the treated twice as large, in two waves; in four, 15 % of answers absent; in
four where the treated leave before the last (a fifth of the others) and waves differ; 8 of 24 clusters of 10; without a
control group; without a wave before. Truth is exact. Nulls: no mean change, no difference by the flag, a zero lag
across, no difference between groups, equal loadings and intercepts, equal trends before (any wave, Holm).
Gated: means, mean changes, slopes, lags, differences by the flag, differences of interventions and their groups
(92.5 to 97 %, mean standard error / Monte Carlo deviation within .95 and 1.05); tests at 5 % (4 to 6.5 %; trends before
at most 5 % and three errors). Tabled: variances and covariances.
"""

from __future__ import annotations

import sys
from functools import partial

import numpy as np
import panels
from panels import Held, Label, Study, Told

import csi
from csi.survey.codebook import Scale

WIDE = Scale("wide", -999, 999)
GATED = ("mean", "lag", "flag", "difference", "group")
DISCLOSED: dict[str, str] = {}


def skewed(rng: np.random.Generator, *size: int) -> np.ndarray:
    """Errors of variance 1 and skewness 1.2."""
    return (rng.gamma(2.8, size=size) - 2.8) / np.sqrt(2.8)


def told(found: csi.Change, model: str, truth: dict[Label, float], tests: dict[str, str]) -> Told:
    """Rows of a model, and p-values of those that are 0."""
    own = found.table.filter(model=model)
    p = dict(own.select("quantity", "p_value").rows())
    return panels.rows_of(own, {q: (k, q) for k, q in truth}, "quantity"), {t: p[q] for t, q in tests.items()}


FLAGGED = {
    ("mean", "mean_initial"): 5.0, ("mean", "mean_change"): 0.3, ("flag", "flag_initial"): 0.4,
    ("flag", "flag_change"): 0.0, ("variance", "variance_initial"): 1.49, ("variance", "variance_change"): 1.23,
    ("variance", "covariance"): -0.49,
}  # fmt: skip


def flagged(rng: np.random.Generator, n: int = 250) -> Told:
    """One item twice, a flag; who was low at first leaves more often."""
    z = (rng.random(n) < 0.4).astype(float)
    person = 5 + 0.4 * z + rng.normal(size=n)
    y = np.column_stack([person, person + 0.3 + 0.5 * rng.normal(size=n)]) + 0.7 * rng.normal(size=(n, 2))
    y[rng.random(n) < 1 / (1 + np.exp(1.2 + 0.6 * (y[:, 0] - 5))), 1] = np.nan
    columns = {"e": y, "z": np.column_stack([z, z])}
    found = csi.change(panels.panel_of(columns, {"E": ["e"], "Z": ["z"]}, WIDE), "E", flag="z")
    return told(found, "difference", FLAGGED, {"flag_change = 0": "flag_change"})


MEASURED = {
    ("mean", "mean_initial"): 5.0, ("mean", "mean_change"): 0.0, ("variance", "variance_initial"): 1.0,
    ("variance", "variance_change"): 0.5, ("variance", "covariance"): -0.1,
}  # fmt: skip


def measured(rng: np.random.Generator, n: int = 250) -> Told:
    """Three items twice."""
    one = rng.normal(size=n)
    level = np.column_stack([5 + one, 5 + 0.9 * one + np.sqrt(0.49) * rng.normal(size=n)])
    columns = {}
    for name, slope, start in (("a", 1.0, 0.0), ("b", 0.9, 0.5), ("c", 0.8, 1.0)):
        unique = 0.3 * rng.normal(size=(n, 1))
        columns[name] = start + slope * level + unique + 0.6 * skewed(rng, n, 2)
    found = csi.change(panels.panel_of(columns, {"E": [*columns]}, WIDE), "E")
    rows, p = told(found, "difference", MEASURED, {"mean_change = 0": "mean_change"})
    ladder = dict(found.ladder.unique("step", keep="first", maintain_order=True).select("step", "delta_p").rows())
    return rows, p | {"equal loadings": ladder["metric"], "equal intercepts": ladder.get("scalar")}


CLUSTERED = {("mean", "mean_initial"): 5.0, ("mean", "mean_change"): 0.0}


def clustered(rng: np.random.Generator, units: int = 30, size: int = 8) -> Told:
    """One item twice, clusters that share level and change."""
    of = np.repeat(np.arange(units), size)
    level, move = 0.5 * rng.normal(size=(2, units))[:, of]
    person = 5 + level + rng.normal(size=of.size)
    y = np.column_stack([person, person + move]) + 0.7 * rng.normal(size=(of.size, 2))
    panel = panels.panel_of({"e": y}, {"E": ["e"]}, WIDE, cluster=of.astype(str))
    return told(csi.change(panel, "E"), "difference", CLUSTERED, {"mean_change = 0": "mean_change"})


GROWN = {
    ("mean", "mean_initial"): 5.0, ("mean", "mean_slope"): 0.0, ("variance", "variance_initial"): 1.0,
    ("variance", "variance_slope"): 0.25, ("variance", "covariance"): -0.1,
}  # fmt: skip


def grown(rng: np.random.Generator, n: int = 250) -> Told:
    """One item three times."""
    i = rng.normal(size=n)
    s = -0.1 * i + np.sqrt(0.24) * rng.normal(size=n)
    y = 5 + i[:, None] + s[:, None] * np.arange(3) + 0.7 * skewed(rng, n, 3)
    y[:, 1:][rng.random((n, 2)) < 0.15] = np.nan
    found = csi.change(panels.panel_of({"e": y}, {"E": ["e"]}, WIDE), "E", "growth")
    return told(found, "growth", GROWN, {"mean_slope = 0": "mean_slope"})


LAGGED = {("lag", "keeps"): 0.5, ("lag", "from_other"): 0.0, ("lag", "to_other"): 0.2, ("lag", "other_keeps"): 0.4}
OWN = {**LAGGED, ("variance", "variance_own_A"): 1.0, ("variance", "variance_own_B"): 1.0,
       ("variance", "covariance_own"): 0.4}  # fmt: skip


def lags(rng: np.random.Generator, model: str, waves: int, own: float, n: int = 250) -> Told:
    """Two items: departures with lags, about means of their own (`own`: their standard deviation)."""
    shared = rng.multivariate_normal([0, 0], [[1, 0.3], [0.3, 1]], size=(waves, n))
    at, made = shared[0], []
    for t in range(waves):
        at = at if t == 0 else at @ np.array([[0.5, 0.2], [0.0, 0.4]]) + 0.8 * shared[t]
        made.append(at)
    mean = own * rng.multivariate_normal([0, 0], [[1, 0.4], [0.4, 1]], size=n)
    y = np.stack(made, axis=1) + mean[:, None]
    panel = panels.panel_of({"a": y[..., 0], "b": y[..., 1]}, {"A": ["a"], "B": ["b"]}, WIDE)
    found = csi.change(panel, "A", model, beside="B")
    return told(found, model, LAGGED if model == "lagged" else OWN, {"from_other = 0": "from_other"})


GROUPS = ("before_treated", "before_control", "after_treated", "after_control", "change_treated", "change_control")


def groups(*values: float) -> dict[Label, float]:
    """Truths of groups in the order of `GROUPS`, and of the difference."""
    return {**{("group", g): v for g, v in zip(GROUPS, values[:-1], strict=True)},
            ("difference", "difference"): values[-1]}  # fmt: skip


def judged(y: np.ndarray, had: np.ndarray, start: int, truth: dict[Label, float], **keys: np.ndarray) -> Told:
    """`csi.intervention` of answers (n, W)."""
    waves = np.arange(y.shape[1])
    z = (had[:, None] & (waves >= start)).astype(float)
    panel = panels.panel_of({"e": y, "z": z}, {"E": ["e"], "Z": ["z"]}, WIDE, **keys)
    found = csi.intervention(panel, "E", "z")
    p = {"difference = 0": found.table["p_value"][-1]}
    if found.events.height > 1:
        after = found.events.filter(period="after")
        p["a wave after = 0"] = after["p_value"][-1]
        before = found.events.filter(period="before")
        p["equal trends before"] = min(csi.adjust(before["p_value"].to_numpy(), "holm")) if before.height else None
    return panels.rows_of(found.table, {q: (k, q) for k, q in truth}, "quantity"), p


TWO = groups(5.5, 5.0, 5.7, 5.2, 0.2, 0.2, 0.0)
PATH = np.array([0.0, 0.3, -0.2, 0.8])
"""What every wave adds for everybody."""


def people(rng: np.random.Generator, waves: int, n: int = 180) -> tuple[np.ndarray, np.ndarray]:
    """Answers and who is treated: a third, half a point higher, errors twice as large."""
    had = np.arange(n) < n // 3
    person = 5 + 0.5 * had + rng.normal(size=n)
    path = np.array([0.0, 0.2]) if waves == 2 else PATH
    return person[:, None] + path + (1 + had[:, None]) * 0.5 * rng.normal(size=(n, waves)), had


def two(rng: np.random.Generator) -> Told:
    """Two waves."""
    return judged(*people(rng, 2), 1, TWO)


FOUR = {("difference", "difference"): 0.0}


def four(rng: np.random.Generator, *, leaving: bool) -> Told:
    """Four waves; answers absent at random, or the last one of most of the treated."""
    y, had = people(rng, 4)
    if leaving:
        y[rng.random(had.size) < np.where(had, 0.6, 0.2), 3] = np.nan
    else:
        y[rng.random(y.shape) < 0.15] = np.nan
    return judged(y, had, 2, FOUR)


def by_cluster(rng: np.random.Generator, units: int = 24, size: int = 10) -> Told:
    """Clusters are treated as a whole."""
    of = np.repeat(np.arange(units), size)
    had = of < units // 3
    shared = np.cumsum(0.4 * rng.normal(size=(units, 2)), axis=1)[of]
    y = 5 + shared + rng.normal(size=(of.size, 1)) + np.array([0.0, 0.2]) + 0.5 * rng.normal(size=(of.size, 2))
    return judged(y, had, 1, FOUR, cluster=of.astype(str))


def lesser(rng: np.random.Generator, *, alone: bool) -> Told:
    """Everybody treated, or no wave before."""
    y, had = people(rng, 2)
    y = y - np.array([0.0, 0.2]) if alone else y - 0.5 * had[:, None]
    return judged(y, had | alone, 1 if alone else 0, FOUR)


LEVEL = {"difference = 0": "level"}


def studies() -> tuple[Study, ...]:
    """Populations and how they are told."""
    return (
        Study("difference, one item", flagged, FLAGGED, {"flag_change = 0": "level"}),
        Study("difference, three items", measured, MEASURED,
              {"mean_change = 0": "level", "equal loadings": "level", "equal intercepts": "level"}),
        Study("difference, 30 clusters", clustered, CLUSTERED, {"mean_change = 0": "level"}),
        Study("growth", grown, GROWN, {"mean_slope = 0": "level"}),
        Study("cross-lagged", partial(lags, model="lagged", waves=3, own=0.0), LAGGED, {"from_other = 0": "level"}),
        Study("random intercepts", partial(lags, model="within", waves=4, own=1.0), OWN, {"from_other = 0": "level"}),
        Study("intervention, two waves", two, TWO, LEVEL),
        Study("intervention, four waves", partial(four, leaving=False), FOUR,
              {**LEVEL, "a wave after = 0": "level", "equal trends before": "at most"}),
        Study("intervention, the treated leave", partial(four, leaving=True), FOUR,
              {**LEVEL, "equal trends before": "at most"}),
        Study("intervention, 24 clusters", by_cluster, FOUR, LEVEL),
        Study("intervention, no control", partial(lesser, alone=True), FOUR, LEVEL),
        Study("intervention, nothing before", partial(lesser, alone=False), FOUR, LEVEL),
    )  # fmt: skip


HELD = Held("waves", "Change over waves, interventions", __doc__, GATED, DISCLOSED, studies)
tables, page, failures = HELD.tables, HELD.page, HELD.failures
TABLES = ("waves_coverage", "waves_nulls")

if __name__ == "__main__":
    sys.exit(HELD.run())
