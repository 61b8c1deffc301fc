"""Do item response models recover what made the answers, and do their tests of fit hold their level?

    python tests/slow/irt_recovery.py [PANELS]        (some minutes on one core for 250)

Six items of five categories, theta normal; graded response (slopes 0.8 to 2.2, thresholds -1.5 to 1.5, moved from item
to item) and partial credit (standard deviation of theta 1.3); n = 500 and 1,000. bias: mean estimate less the truth, in
standard deviations of the estimates, the largest of the kind; coverage and SE ratio of a kind are over its parameters
(estimate -+ 1.96 standard errors, observed information), gated: coverage .925 to
.970, SE ratio .90 to 1.10 (250 panels tell a ratio to .05). Nulls: S-X2 of every item at .05, two-sided gate .040 to
.065; M2 of the scale at most alpha + 3 errors at .01, .05, .10.
"""

from __future__ import annotations

import sys

import calibration as cal
import numpy as np
import polars as pl

import csi

ITEMS, POINTS, PANELS = 6, 5, 250
SLOPES = np.linspace(0.8, 2.2, ITEMS)
STEPS = np.linspace(-1.5, 1.5, POINTS - 1) + np.linspace(-0.5, 0.5, ITEMS)[:, None]
DEVIATION = 1.3
DESIGNS = [(kind, n) for kind in ("grm", "pcm") for n in (500, 1000)]
RATIO = (0.9, 1.1)
NAMES = [f"x{k}" for k in range(ITEMS)]


def panel(kind: str, n: int, number: int) -> pl.DataFrame:
    """Answers 1 to 5."""
    rng = np.random.default_rng([20261123, n, len(kind), ord(kind[0]), number])
    theta = rng.standard_normal((n, 1, 1))
    if kind == "grm":
        above = SLOPES[:, None] * (theta - STEPS) + rng.logistic(size=(n, ITEMS, 1)) > 0
        rows = 1.0 + above.sum(axis=2)
    else:
        eta = np.concatenate([np.zeros((n, ITEMS, 1)), np.cumsum(DEVIATION * theta - STEPS, axis=2)], axis=2)
        rows = 1.0 + (eta + rng.gumbel(size=eta.shape)).argmax(axis=2)
    return pl.DataFrame(rows, schema=NAMES)


def truth(kind: str) -> dict[str, np.ndarray]:
    """Kind of parameter -> its values."""
    thresholds = {"threshold": STEPS.ravel()}
    return {"slope": SLOPES, **thresholds} if kind == "grm" else {"deviation": np.array([DEVIATION]), **thresholds}


def one(kind: str, n: int, number: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Kind of parameter -> (2, k) estimates and errors; p-values of S-X2 of the items and of M2."""
    found = csi.irt(panel(kind, n, number), {"s": NAMES}, kind)
    steps = found.thresholds.select("b", "std_error").to_numpy().T
    first = (
        found.table.select("a", "a_std_error")
        if kind == "grm"
        else found.fit.select("deviation", "deviation_std_error")
    )
    name = "slope" if kind == "grm" else "deviation"
    p = [*found.table["s_x2_p"].to_list(), found.fit["m2_p"][0]]
    return {name: first.to_numpy().T, "threshold": steps}, np.array(p, dtype=float)


def study(panels: int = PANELS) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A row per design and kind of parameter; a row per design and test."""
    rows, nulls = [], []
    for kind, n in DESIGNS:
        told = [one(kind, n, number) for number in range(1, panels + 1)]
        for name, true in truth(kind).items():
            made = np.stack([estimates[name] for estimates, _ in told])
            inside = np.abs(made[:, 0] - true) < 1.959964 * made[:, 1]
            spread = made[:, 0].std(axis=0, ddof=1)
            bias = (made[:, 0].mean(axis=0) - true) / spread
            rows.append(
                {
                    "model": kind,
                    "n": n,
                    "kind": name,
                    "parameters": true.size,
                    "panels": panels,
                    "usable": int(np.isfinite(made).all(axis=(1, 2)).sum()),
                    "bias": float(bias[np.abs(bias).argmax()]),
                    "mean_difference": float((made[:, 0] - true).mean()),
                    "se_ratio": float((made[:, 1].mean(axis=0) / spread).mean()),
                    "coverage": float(inside.mean()),
                    "lowest": float(inside.mean(axis=0).min()),
                }
            )
        p = np.stack([values for _, values in told])
        nulls += [cal.null_row(f"{kind}, n = {n}", "S-X2", p[:, :-1], "level"),
                  cal.null_row(f"{kind}, n = {n}", "M2", p[:, -1], "at most")]  # fmt: skip
    return pl.DataFrame(rows), pl.DataFrame(nulls)


DISCLOSED: dict[str, str] = {}
"""What misses its gate, and why."""


def missed(covered: pl.DataFrame, nulls: pl.DataFrame) -> dict[str, str]:
    """What is outside its gate."""
    said = cal.missed(nulls=nulls)
    for r in covered.iter_rows(named=True):
        if not (cal.COVERAGE[0] <= r["coverage"] <= cal.COVERAGE[1] and RATIO[0] <= r["se_ratio"] <= RATIO[1]):
            place = f"{r['model']}, n = {r['n']}: {r['kind']}"
            said[place] = f"coverage {r['coverage']:.4f}, SE ratio {r['se_ratio']:.4f}"
    return said


if __name__ == "__main__":
    covered, nulls = study(int(sys.argv[1]) if len(sys.argv) > 1 else PANELS)
    covered.write_csv(cal.HERE / "irt_recovery.csv", float_precision=4)
    nulls.write_csv(cal.HERE / "irt_nulls.csv", float_precision=5)
    print(covered, nulls, missed(covered, nulls))
    sys.exit(bool(missed(covered, nulls).keys() ^ DISCLOSED.keys()))
