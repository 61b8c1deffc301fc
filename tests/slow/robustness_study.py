"""Level and power of the checks around a PLS model, and how well known segments are found, over simulated panels.

Run: python tests/slow/robustness_study.py [levels] [copulas] [segments]; writes robustness_levels.csv,
robustness_copulas.csv, robustness_segments.csv and robustness.md beside it. One process; 10 to 30 minutes.

Gated, as stated before the run of 2,000 panels: permutation tests of ceilings reject at most alpha + 3 Monte Carlo
errors; RESET on normal or skewed predictors, bootstrapped squares and copula terms (two tests per panel, n = 400,
lognormal predictors) reject 4 to 6.5 % at 5 %.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
from scipy.optimize import linear_sum_assignment
from scipy.stats import gamma, norm

import csi
from csi.importance.ceiling_draws import permuted_effects
from csi.importance.ceilings import ceiling_of, permutation_p
from csi.measures.nonlinear import reset_test

HERE = Path(__file__).parent
PANELS, BOOTED, ALPHAS = 2000, 2000, (0.01, 0.05, 0.10)
DRAWS, NULL_ROWS = 200, 400
SHAPES = {"lognormal": 0.9, "gamma": 2.0, "mild": 8.0, "near normal": 40.0}
SIZES, PLANTED = (250, 1000), 200
SEGMENTS = {1: 40, 2: 40, 3: 40}
MODEL = "A =~ a0\nB =~ b0\nY =~ y0\nY ~ A + B"
GROUPS = "A =~ a0 + a1\nB =~ b0 + b1\nY =~ y0 + y1\nZ =~ z0 + z1\nY ~ A + B\nZ ~ Y + A"


def shares(check: str, p: np.ndarray) -> list[dict[str, object]]:
    """Rejections of one check at the usual levels."""
    return [{"check": check, "alpha": a, "tests": p.size, "rejected": float((p < a + 1e-12).mean())} for a in ALPHAS]


def levels(panels: int = PANELS, booted: int = BOOTED) -> pl.DataFrame:
    """Rejections where the null hypothesis holds: permutation of ceilings, RESET, squares, copula terms."""
    return pl.DataFrame([*unresampled(panels), *resampled(booted)])


def unresampled(panels: int) -> list[dict[str, object]]:
    """Permutation of ceilings, and RESET."""
    rows = []
    for name, draw in (("continuous", _uniform), ("ten points", _points)):
        p = {kind: np.empty(panels) for kind in ("ce_fdh", "cr_fdh")}
        for i in range(panels):
            x, y = draw(np.random.default_rng([1, i]))
            for kind, found in p.items():
                d = ceiling_of(x, y, kind).effect
                found[i] = permutation_p(d, permuted_effects(x, y, kind, 499, i))
        rows += [r for kind, found in p.items() for r in shares(f"nca {kind}, {name}", found)]
    reset = [csi.nonlinear(_straight(i, 250)).reset["p_value"].to_numpy() for i in range(panels)]
    rows += shares("reset, normal scores", np.concatenate(reset))
    plain = [_plain_reset(np.random.default_rng([2, i])) for i in range(panels)]
    return rows + shares("reset, skewed predictors", np.array(plain))


def resampled(booted: int) -> list[dict[str, object]]:
    """Squares of the scores and copula terms, bootstrapped."""
    squares, terms = [], []
    for i in range(booted):
        est = csi.bootstrap(csi.fit(MODEL, answers(i, NULL_ROWS, "lognormal", 0.0), csi.PLS()), DRAWS, seed=i)
        squares.append(csi.nonlinear(est).table["p_value"].to_numpy())
        found = csi.copula(est).table
        alone = found.filter(pl.col("term") == "copula(" + pl.col("endogenous") + ")")
        terms.append(alone["p_value"].to_numpy())
    rows = shares("square, bootstrap", np.concatenate(squares))
    return rows + shares("copula term, bootstrap", np.concatenate(terms))


def _uniform(rng: np.random.Generator) -> np.ndarray:
    return rng.uniform(size=(2, 100))


def _points(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(1, 11, (2, 100)).astype(float)


def _straight(seed: int, n: int) -> csi.Estimate:
    """A PLS model whose composites are jointly normal."""
    rng = np.random.default_rng([3, seed])
    a, b = rng.normal(size=(2, n))
    y = 0.4 * a + 0.3 * b + 0.8 * rng.normal(size=n)
    items = {f"{k}{i}": v + 0.5 * rng.normal(size=n) for k, v in (("a", a), ("b", b), ("y", y)) for i in range(3)}
    model = "A =~ a0 + a1 + a2\nB =~ b0 + b1 + b2\nY =~ y0 + y1 + y2\nY ~ A + B"
    return csi.fit(model, pl.DataFrame(items), csi.PLS())


def _plain_reset(rng: np.random.Generator) -> float:
    """RESET of a straight regression on two skewed predictors with normal errors."""
    x = rng.exponential(size=(250, 2))
    return reset_test(x @ [0.4, 0.3] + rng.normal(size=250), x, np.ones(250))[3]


def answers(seed: int, n: int, shape: str, entangled: float) -> pl.DataFrame:
    """A and B of one shape; the error of Y and the normal score of A correlate by `entangled`. True path of A: 0.4."""
    rng = np.random.default_rng([4, seed, n])
    u, v, b = rng.normal(size=(3, n))
    a, b = (_shaped(z, shape) for z in (u, b))
    error = entangled * u + np.sqrt(1 - entangled**2) * v
    return pl.DataFrame({"a0": a, "b0": b, "y0": 0.4 * a + 0.3 * b + 0.8 * error})


def _shaped(z: np.ndarray, shape: str) -> np.ndarray:
    """A standardised variable of this shape, monotone in normal scores."""
    k = SHAPES[shape]
    if shape == "lognormal":
        return (np.exp(k * z) - np.exp(k**2 / 2)) / np.sqrt((np.exp(k**2) - 1) * np.exp(k**2))
    return (gamma.ppf(norm.cdf(z), k) - k) / np.sqrt(k)


def copulas(panels: int = PLANTED) -> pl.DataFrame:
    """Path of an endogenous predictor with and without its copula term, and how often the term is significant.

    Paths are turned back into units of the population (score units times sd(y) / sd(a)).
    """
    rows = []
    for shape in SHAPES:
        for n in SIZES:
            found = np.array([_planted(i, n, shape) for i in range(panels)])
            plain, term, p, overlap = found.T
            row = {"shape": shape, "n": n, "panels": panels, "truth": 0.4, "overlap": overlap.mean()}
            row |= {"without": plain.mean(), "with_term": term.mean(), "sd_with_term": term.std(ddof=1)}
            rows.append(row | {"power": float((p < 0.05).mean())})
    return pl.DataFrame(rows)


def _planted(seed: int, n: int, shape: str) -> tuple[float, float, float, float]:
    frame = answers(seed, n, shape, 0.5)
    est = csi.bootstrap(csi.fit(MODEL, frame, csi.PLS()), 200, seed=seed)
    found = csi.copula(est, ["A"])
    unit = frame["y0"].std() / frame["a0"].std()
    one = found.table.filter(endogenous="A")
    plain = found.table.filter(endogenous="", term="A")["estimate"][0]
    own = one.filter(term="A")["estimate"][0]
    p, overlap = one.filter(term="copula(A)")["p_value"][0], found.checks.filter(regressor="A")["overlap"][0]
    return plain * unit, own * unit, p, overlap


TRUTH = {
    1: [(0.7, 0.3, 0.5, 0.3)],
    2: [(0.8, 0.0, 0.7, 0.2), (-0.2, 0.8, -0.3, 0.6)],
    3: [(0.85, 0.0, 0.8, 0.0), (0.0, 0.85, -0.6, 0.4), (-0.7, -0.3, 0.1, 0.85)],
}
"""Paths Y ~ A, Y ~ B, Z ~ Y, Z ~ A of each segment."""


def mixed(seed: int, number: int, n: int = 400) -> tuple[pl.DataFrame, np.ndarray]:
    """Answers of `number` segments, and who is in which."""
    rng = np.random.default_rng([5, seed, number])
    segment = np.sort(rng.choice(number, n, p=np.arange(number, 0, -1) / (number * (number + 1) / 2)))
    paths = np.array(TRUTH[number])[segment]
    a, b, e, f = rng.normal(size=(4, n))
    y = paths[:, 0] * a + paths[:, 1] * b + 0.45 * e
    z = paths[:, 2] * y + paths[:, 3] * a + 0.45 * f
    parts = {"a": a, "b": b, "y": y, "z": z}
    return pl.DataFrame({f"{k}{i}": v + 0.2 * rng.normal(size=n) for k, v in parts.items() for i in range(2)}), segment


def segments() -> pl.DataFrame:
    """How often each criterion finds the number of segments, and how many rows are put where they belong."""
    return pl.DataFrame([row for number, panels in SEGMENTS.items() for row in _found(number, panels)])


def _found(number: int, panels: int) -> Iterator[dict[str, object]]:
    hits: dict[str, list[float]] = {}
    for seed in range(panels):
        frame, truth = mixed(seed, number)
        est = csi.fit(GROUPS, frame, csi.PLS())
        made = csi.fimix(est, (1, 2, 3, 4), starts=10, seed=seed)
        for name in ("aic", "aic3", "aic4", "bic", "caic", "mdl5"):
            chosen = made.table.drop_nulls(name).sort(name)["segments"][0]
            hits.setdefault(f"number by {name}", []).append(chosen == number)
        hits.setdefault("number recommended", []).append(made.choice == number)
        if number > 1:
            hits.setdefault("rows placed, fimix", []).append(placed(made.members(number)["segment"].to_numpy(), truth))
            if seed < 20:
                found = csi.pos(est, number, starts=3, seed=seed)
                hits.setdefault("rows placed, pos", []).append(placed(found.members()["segment"].to_numpy(), truth))
    yield from ({"segments": number, "what": k, "panels": len(v), "share": float(np.mean(v))} for k, v in hits.items())


def placed(labels: np.ndarray, truth: np.ndarray) -> float:
    """Share of rows in the right segment under the best naming of the segments."""
    counts = np.zeros((truth.max() + 1, labels.max()))
    np.add.at(counts, (truth, labels - 1), 1)
    return float(counts[linear_sum_assignment(-counts)].sum() / len(truth))


def written() -> str:
    """The tables as one page."""
    parts = ["# Checks around a PLS model: level, power, recovery", "", (__doc__ or "").split("\n")[0], ""]
    for title, name in (
        ("Rejections under the null hypothesis", "levels"),
        ("An endogenous predictor (correlation .5 with the error)", "copulas"),
        ("Known segments", "segments"),
    ):
        frame = pl.read_csv(HERE / f"robustness_{name}.csv")
        rule = "|" + "---|" * frame.width
        lines = [
            "| " + " | ".join(f"{v:.3f}" if isinstance(v, float) else str(v) for v in r) + " |" for r in frame.rows()
        ]
        parts += [f"## {title}", "", "| " + " | ".join(frame.columns) + " |", rule, *lines, ""]
    return "\n".join(parts)


if __name__ == "__main__":
    for name in sys.argv[1:] or ["levels", "copulas", "segments"]:
        made = {"levels": levels, "copulas": copulas, "segments": segments}[name]()
        made.write_csv(HERE / f"robustness_{name}.csv", float_precision=4)
    if all((HERE / f"robustness_{name}.csv").exists() for name in ("levels", "copulas", "segments")):
        (HERE / "robustness.md").write_text(written(), encoding="utf-8")
