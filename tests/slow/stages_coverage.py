"""Do differences between stages and shares above a limit cover, and do tests of two-sided slopes hold their level?

    python tests/slow/stages_coverage.py [PANELS]        (half a minute on one core for 2,000)

The functions behind `csi.formation_by_stage`, `csi.reasonable`, `csi.promise`, `csi.tolerance` and cards' `asymmetry`,
on arrays. "stages": three stages of 110 rows with unequal spread of causes and errors that grow with a cause; one slope
is the same at all stages, so truth is exact. "stages, clusters": clusters of 5 that span the stages. "reasonable": 250
rows, shares above an industry's limit, truth from the normal law. "sides": 250 rows, errors that grow with distance,
slopes alike on both sides. Gated: differences, shares above a limit (92.5 to 97 %, mean standard error / Monte Carlo
deviation within .95 and 1.05); tests at 5 % (4 to 6.5 %). Tabled: the share near 0.
"""

from __future__ import annotations

import sys
from types import SimpleNamespace

import calibration as cal
import numpy as np
import polars as pl
from scipy.special import ndtr

from csi.claims.asymmetries import _slopes
from csi.expectation.asymmetry import asymmetry
from csi.expectation.stages import _across
from csi.expectation.tolerance_slopes import _one
from csi.inference.shares import shares

SIZE, STAGE_SIZE, POINT = 250, 110, 1.9695
STAGES = {"never": (0.6, 0.3, 0.8, 1.0), "first": (0.3, 0.3, 1.2, 1.2), "long": (0.1, 0.3, 1.6, 0.7)}
"""Slopes of word of mouth and advertising, error, spread of the causes."""
CENTRES, SPREAD, LIMITS = (6.2, 5.6), float(np.hypot(0.8, 1.2)), (6.98, 8.4)
TESTS = ("card: below or above the mean", "promise: short or over", "zone: below, within, above")
GATED = ("between stages", "above a limit")
DISCLOSED: dict[str, str] = {}


def stages(number: int, *, clustered: bool) -> tuple[np.ndarray, list[float]]:
    """(6, 4) differences, and p of the three that are 0."""
    rng = np.random.default_rng([20261127, number])
    units = 3 * STAGE_SIZE // 5
    unit = np.tile(np.arange(units), 5)
    shared = rng.normal(size=(3, units))[:, unit] * (0.6 if clustered else 0.0)
    slopes, more, noise, spread = (np.repeat([s[k] for s in STAGES.values()], STAGE_SIZE) for k in range(4))
    wom, advert = spread * (rng.normal(size=(2, unit.size)) + shared[:2])
    error = noise * (1 + 0.3 * np.abs(wom)) * (rng.normal(size=unit.size) + shared[2])
    Z = np.column_stack([slopes * wom + more * advert + error, wom, advert])
    own = (unit if clustered else np.arange(unit.size)).reshape(3, -1)
    cells = {
        stage: SimpleNamespace(names=("wom", "advert"), Z=part, n=STAGE_SIZE, weight=np.ones(STAGE_SIZE), unit=u,
                               stratum=None)
        for stage, part, u in zip(STAGES, Z.reshape(3, -1, 3), own, strict=True)
    }  # fmt: skip
    found = _across(cells, 0.95).sort("cause", maintain_order=True)
    told = found.select("difference", "std_error", "conf_low", "conf_high").to_numpy()
    return told, found.filter(cause="advert")["p_value"].to_list()


def planted() -> list[tuple[str, float]]:
    """Names and differences, as `stages` has them."""
    pairs = [("never", "first"), ("never", "long"), ("first", "long")]
    return [
        (f"{cause}: {a} less {b}", STAGES[a][k] - STAGES[b][k])
        for k, cause in ((1, "advert"), (0, "wom"))
        for a, b in pairs
    ]


def sides(number: int) -> list[float]:
    """p of true claims: a card's asymmetry, promise, zone."""
    rng = np.random.default_rng([20261129, number])
    wish, person, one, two = rng.normal(size=(4, SIZE))
    Ea = np.round(4 + wish + 0.5 * rng.normal(size=SIZE))
    Ed = Ea + np.round(1.5 + np.abs(rng.normal(size=SIZE)))
    Ew, P = np.round(5 + wish + 0.5 * rng.normal(size=SIZE)), np.round(5.2 + 0.6 * wish + 1.3 * person)
    noise = (1 + 0.2 * np.abs(P - Ew)) * rng.normal(size=SIZE)
    even, through, two = 0.4 * (P - Ew) + 0.2 * P + noise, 0.3 * Ea + 0.5 * P + noise, 0.5 * one + two
    trust = 0.4 * one + 0.3 * two + (1 + 0.3 * np.abs(one)) * rng.normal(size=SIZE)
    plan = np.ones(SIZE), np.arange(SIZE), np.zeros(SIZE, dtype=np.int64)
    d = np.column_stack([one, two])
    card = _slopes(trust, d - d.mean(axis=0), plan, 0.95)[0]["difference_p"]
    kept = asymmetry(P, Ew, even, plan, 0.95)["difference_p"]
    zone = _one((P, Ea, Ed), through, plan, 0.95)["p_equal"]
    return [np.nan if p is None else float(p) for p in (card, kept, zone)]


def limits(number: int) -> np.ndarray:
    """(2, 4) shares above a limit."""
    rng = np.random.default_rng([20261128, number])
    person = rng.normal(size=SIZE)
    x = np.column_stack([np.clip(np.round(m + 0.8 * person + 1.2 * rng.normal(size=SIZE)), 1, 9) for m in CENTRES])
    plan = np.ones(SIZE), np.arange(SIZE), np.zeros(SIZE, dtype=np.int64)
    p, low, high = shares(x > np.array(LIMITS), np.isfinite(x), plan, 0.95)
    return np.column_stack([p, (high - low) / (2 * POINT), low, high])


def one(number: int) -> np.ndarray:
    """(23, 4): differences without and with clusters, shares; the last nine rows hold p-values."""
    plain, p = stages(number, clustered=False)
    grouped, more = stages(number, clustered=True)
    tests = np.full((9, 4), np.nan)
    tests[:, 0] = [*p, *more, *sides(number)]
    return np.concatenate([plain, grouped, limits(number), tests])


def tables(panels: int) -> dict[str, pl.DataFrame]:
    """Coverage and rejections."""
    runs = cal.over(one, panels)
    names, values = zip(*planted(), strict=True)
    above = [float(ndtr((m - np.floor(x) - 0.5) / SPREAD)) for m, x in zip(CENTRES, LIMITS, strict=True)]
    between = [("between stages", n) for n in names]
    limit = [("above a limit", "slow"), ("above a limit, near 0", "fast")]
    covered, nulls = [], []
    for study, at, labels, truth in (
        ("stages", slice(0, 6), between, values),
        ("stages, clusters", slice(6, 12), between, values),
        ("reasonable", slice(12, 14), limit, above),
    ):
        mine = runs[:, at]
        point, found = mine[..., 0], mine[..., 1:].swapaxes(1, 2)
        covered += cal.coverage_rows(study, labels, "t or Wilson", np.array(truth), point, found, GATED)
    for study, at in (("stages", slice(14, 17)), ("stages, clusters", slice(17, 20))):
        nulls.append(cal.null_row(study, "same slope at two stages", runs[:, at, 0], "level"))
    nulls += [cal.null_row("sides", test, runs[:, 20 + j, 0], "level") for j, test in enumerate(TESTS)]
    return {"stages_coverage": pl.DataFrame(covered), "stages_nulls": pl.DataFrame(nulls)}


def page(covered: pl.DataFrame, nulls: pl.DataFrame) -> str:
    """The tables as Markdown."""
    return cal.page(
        "Differences between stages, shares above a limit, two-sided slopes",
        __doc__ or "",
        covered,
        nulls,
        DISCLOSED,
        ranges=False,
    )


def failures(covered: pl.DataFrame, nulls: pl.DataFrame) -> list[str]:
    """Misses that are not disclosed."""
    return cal.failures(cal.missed(covered, nulls), DISCLOSED)


if __name__ == "__main__":
    sys.exit(cal.run(tables, page, failures, "stages_coverage"))
