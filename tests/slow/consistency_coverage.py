"""Do the intervals of reliability coefficients and of intraclass correlations cover?

    python tests/slow/consistency_coverage.py [PANELS]      (about two minutes of a core for 400)

Bootstrap intervals are of 200 resamples on the logit scale; nominal 95 %. Truth is the coefficient of the population's
covariances. "congeneric": five normal items with loadings from .5 to .8, n = 200: `csi.consistency`, and `csi.omega` by
the delta method. "parallel": five normal items with one loading, n = 150, where Feldt's interval is exact. "ordinal":
five items of five categories cut from a factor, n = 300: categorical omega's truth is the true share of variance of the
sum of the answers. "raters": forty subjects by three raters who differ in level, drawn anew in every panel (of ICC1
anew for every subject), 1,000 panels: limits of intraclass correlations have no standard error, so that they are held
as tests of the truth.

Gated: alpha (Feldt's where it is exact; Duhachek and Iacobucci's; the bootstrap's), omega total, lambda2, lambda6,
categorical omega, ordinal alpha (92.5 to 97 %, mean standard error / Monte Carlo deviation within .95 and 1.05), give
or take two Monte Carlo errors of 400 panels (.011 and .035); the truth of an intraclass correlation lies outside in 5 %
of the panels and three errors at most. Tabled: Feldt's where loadings differ, rho_a, the greatest lower bound and the
best split half, which chance makes larger than the population's, maximal reliability.
"""

from __future__ import annotations

import sys
from functools import cache

import calibration as cal
import numpy as np
import polars as pl
from scipy.special import ndtri

import csi
from csi.measures.consistency.categorical import categorical_omega
from csi.measures.consistency.coefficients import OMEGA, Kind, of_stack

SEED, PANELS, RATED, REPLICATES = 20261124, 400, 1000, 200
TOLD = ("estimate", "std_error", "conf_low", "conf_high")
LOADINGS = {
    "congeneric": np.array([0.5, 0.6, 0.65, 0.7, 0.8]),
    "parallel": np.full(5, 0.7),
    "ordinal": np.array([0.5, 0.6, 0.65, 0.7, 0.8]),
}
SIZES = {"congeneric": 200, "parallel": 150, "ordinal": 300}
CUTS = np.array([-1.2, -0.4, 0.3, 1.1]) + np.array([[-0.3], [-0.1], [0.0], [0.1], [0.3]])
ASKED = {
    "congeneric": ("alpha", "omega_total", "lambda2", "lambda6", "glb", "lambda4", "maximal", "rho_a"),
    "parallel": ("alpha",),
    "ordinal": ("alpha", "alpha_ordinal", "omega_categorical"),
}
GATED = ("alpha", "omega", "lambda", "ordinal")
KINDS = {"lambda2": "lambda", "lambda6": "lambda", "alpha_ordinal": "ordinal", "omega_categorical": "ordinal"}
FORMS = ("ICC1", "ICC2", "ICC3", "ICC1k", "ICC2k", "ICC3k")
PEOPLE, RATERS, VARIANCES = 40, 3, (1.0, 0.25, 0.8)


def correlations(study: str) -> np.ndarray:
    """The population's correlations (of the responses behind, where items are ordinal)."""
    common = np.outer(LOADINGS[study], LOADINGS[study])
    return common + np.diag(1 - np.diag(common))


def drawn(study: str, rng: np.random.Generator) -> pl.DataFrame:
    """Answers of one panel."""
    cor = correlations(study)
    rows = rng.normal(size=(SIZES[study], len(cor))) @ np.linalg.cholesky(cor).T
    if study == "ordinal":
        rows = np.stack([np.digitize(rows[:, j], CUTS[j]) for j in range(len(cor))], axis=1) + 1.0
    return pl.DataFrame(rows, schema=[f"q{j}" for j in range(len(cor))])


@cache
def truth(study: str) -> dict[str, float]:
    """Coefficient -> its value in the population."""
    cor = correlations(study)
    if study == "ordinal":
        return ordinal_truth(cor)
    found = of_stack(cor[None], 1e9)
    named = {kind.coefficient: kind for kind in found} | {"omega_total": OMEGA[0]}
    return {name: float(found[named[name]][0]) for name in ASKED[study]}


def ordinal_truth(cor: np.ndarray) -> dict[str, float]:
    """Of the sum of the answers, by the normal distribution: variances, covariances and what the factor makes."""
    common, steps = np.outer(LOADINGS["ordinal"], LOADINGS["ordinal"]), np.ones(CUTS.shape)
    share = categorical_omega(CUTS, steps, common, cor).value
    rng = np.random.default_rng([SEED, 0])
    total = np.zeros((5, 5))
    for _ in range(20):
        rows = rng.normal(size=(200_000, 5)) @ np.linalg.cholesky(cor).T
        total += np.cov(np.stack([np.digitize(rows[:, j], CUTS[j]) for j in range(5)]))
    alphas = (of_stack(V[None], 1e9)[Kind("alpha")][0] for V in (total, cor))
    return dict(zip(("alpha", "alpha_ordinal"), map(float, alphas), strict=True)) | {"omega_categorical": share}


def labels(study: str) -> list[tuple[str, str]]:
    """(kind, quantity) of what a panel tells, in its order."""
    told = []
    for name in ASKED[study]:
        if name == "alpha":
            exact = "alpha" if study == "parallel" else "alpha where loadings differ"
            told += [(exact, "alpha, Feldt"), ("alpha", "alpha, Duhachek-Iacobucci"), ("alpha", "alpha, bootstrap")]
        elif name == "omega_total":
            told += [("omega", "omega_total, bootstrap"), ("omega", "omega_total, delta")]
        else:
            told.append((KINDS.get(name, "best of many"), name))
    return told


def one(study: str, number: int) -> np.ndarray:
    """(quantities, 4) of one panel; half an interval over 1.96 stands for an error that is not told."""
    frame = drawn(study, np.random.default_rng([SEED, list(SIZES).index(study), number]))
    table = csi.consistency(frame, frame.columns, n=REPLICATES, seed=number + 1).table
    found = []
    for name in ASKED[study]:
        rows = table.filter(pl.col("coefficient") == name)
        if name in ("omega_total", "omega_categorical"):
            rows = rows.filter(denominator="implied")
        found += [row[:4] for row in rows.select(TOLD).iter_rows()][: 3 if name == "alpha" else 1]
        if name == "omega_total":
            est = csi.fit(f"f =~ {'+'.join(frame.columns)}", frame, csi.SEM())
            found.append(csi.omega(est).table.select(TOLD).row(0))
    values = np.array([[np.nan if v is None else v for v in row] for row in found], dtype=float)
    blank = np.isnan(values[:, 1])
    values[blank, 1] = (values[blank, 3] - values[blank, 2]) / (2 * ndtri(0.975))
    return values


def congeneric(number: int) -> np.ndarray:
    """One panel."""
    return one("congeneric", number)


def parallel(number: int) -> np.ndarray:
    """One panel."""
    return one("parallel", number)


def ordinal(number: int) -> np.ndarray:
    """One panel."""
    return one("ordinal", number)


def rated(number: int) -> np.ndarray:
    """(6,) .05 where the limits of a form miss the truth, else 1."""
    rng = np.random.default_rng([SEED, 9, number])
    people, raters, noise = (np.sqrt(v) for v in VARIANCES)
    scores = people * rng.normal(size=(PEOPLE, 1)) + raters * rng.normal(size=RATERS)
    scores = scores + noise * rng.normal(size=(PEOPLE, RATERS))
    table = csi.icc(pl.DataFrame(scores, schema=[*"abc"])).table
    limits = table.select("conf_low", "conf_high").to_numpy()
    true = np.array([icc_truth(form) for form in FORMS])
    return np.where((limits[:, 0] <= true) & (true <= limits[:, 1]), 1.0, 0.05)


def icc_truth(form: str) -> float:
    """A form of the population; raters are another draw for every subject in ICC1 alone (see `one_way`)."""
    people, raters, noise = VARIANCES
    single = people / (people + noise + (0 if form.startswith("ICC3") else raters))
    return RATERS * single / (1 + (RATERS - 1) * single) if form.endswith("k") else single


def one_way(number: int) -> np.ndarray:
    """(2,) the same of ICC1 and ICC1k where every subject has raters of its own."""
    rng = np.random.default_rng([SEED, 10, number])
    people, raters, noise = (np.sqrt(v) for v in VARIANCES)
    scores = people * rng.normal(size=(PEOPLE, 1)) + np.hypot(raters, noise) * rng.normal(size=(PEOPLE, RATERS))
    table = csi.icc(pl.DataFrame(scores, schema=[*"abc"])).table.filter(pl.col("form").is_in(["ICC1", "ICC1k"]))
    limits = table.select("conf_low", "conf_high").to_numpy()
    true = np.array([icc_truth("ICC1"), icc_truth("ICC1k")])
    return np.where((limits[:, 0] <= true) & (true <= limits[:, 1]), 1.0, 0.05)


RUNS = {"congeneric": congeneric, "parallel": parallel, "ordinal": ordinal}


def tables(panels: int) -> dict[str, pl.DataFrame]:
    """Coverage, and how often limits of intraclass correlations miss."""
    covered = []
    for study, run in RUNS.items():
        found, told = cal.over(run, panels), labels(study)
        true = np.array([truth(study)[name.split(",")[0]] for _, name in told])
        rows = cal.coverage_rows(study, told, "95 %", true, found[:, :, 0], found[:, :, 1:].swapaxes(1, 2), GATED)
        covered += rows
    many = RATED if panels >= PANELS else panels
    raters, alone = cal.over(rated, many), cal.over(one_way, many)
    nulls = [cal.null_row("raters", f"{FORMS[j]}, by its interval", raters[:, [j]], "at most") for j in (1, 2, 4, 5)]
    nulls += [
        cal.null_row("raters", f"ICC1{k}, by its interval", alone[:, [j]], "at most") for j, k in ((0, ""), (1, "k"))
    ]
    return {"consistency_coverage": pl.DataFrame(covered), "consistency_nulls": pl.DataFrame(nulls)}


def page(covered: pl.DataFrame, nulls: pl.DataFrame) -> str:
    """The tables as Markdown."""
    return cal.page("Reliability and agreement", __doc__, covered, nulls, near(covered, nulls), ranges=False)


def near(covered: pl.DataFrame, nulls: pl.DataFrame) -> dict[str, str]:
    """Place -> that it misses a gate by less than two Monte Carlo errors."""
    n = covered["panels"].cast(pl.Float64)
    moved = covered.with_columns(
        coverage=within(covered["coverage"], cal.COVERAGE, 2 * np.sqrt(0.05 * 0.95 / n)),
        se_ratio=within(covered["se_ratio"], cal.RATIO, 2 / np.sqrt(2 * n)),
    )
    beyond = cal.missed(moved, nulls)
    return {place: "Within two Monte Carlo errors." for place in cal.missed(covered, nulls) if place not in beyond}


def failures(covered: pl.DataFrame, nulls: pl.DataFrame) -> list[str]:
    """What misses a gate by more than two Monte Carlo errors."""
    return cal.failures(cal.missed(covered, nulls), near(covered, nulls))


def within(values: pl.Series, gate: tuple[float, float], error: pl.Series) -> pl.Series:
    """Values less what two Monte Carlo errors make of their distance from the gate."""
    x, wide = values.to_numpy(), np.asarray(error)
    return pl.Series(
        np.where(x < gate[0], np.minimum(x + wide, gate[0]), np.where(x > gate[1], np.maximum(x - wide, gate[1]), x))
    )


if __name__ == "__main__":
    sys.exit(cal.run(tables, page, failures, "consistency_coverage", PANELS))
