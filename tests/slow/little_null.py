"""Does Little's test hold its level where answers are absent completely at random?

    python tests/slow/little_null.py [PANELS]        (some minutes on one core for 2,000)

Six or twelve items with loadings of .8 on one factor; each answer is absent with the stated chance, whatever it is.
Normal answers and five-point ones (cut at -1.2, -0.4, 0.4, 1.0: skewed). Gated at .05, two-sided: .040 to .065. The
power against answers of item 2 that are absent in 30 % of the rows with a high item 1 is tabled beside.
"""

from __future__ import annotations

import sys

import calibration as cal
import numpy as np
import polars as pl

from csi.moments.little import little

CUTS = (-1.2, -0.4, 0.4, 1.0)
DESIGNS = {
    "normal, n = 200, 6 items, 5 % absent": (200, 6, 0.05, False),
    "normal, n = 500, 6 items, 10 % absent": (500, 6, 0.10, False),
    "normal, n = 2000, 12 items, 3 % absent": (2000, 12, 0.03, False),
    "five points, n = 500, 6 items, 10 % absent": (500, 6, 0.10, True),
    "five points, n = 2000, 12 items, 3 % absent": (2000, 12, 0.03, True),
}


def panel(name: str, number: int, *, depends: bool = False) -> np.ndarray:
    """(n, p) answers with absences."""
    n, p, share, coarse = DESIGNS[name]
    rng = np.random.default_rng([20261123, list(DESIGNS).index(name), number])
    x = 0.8 * rng.standard_normal((n, 1)) + 0.6 * rng.standard_normal((n, p))
    rows = np.digitize(x, CUTS).astype(float) if coarse else x
    out = rows.copy()
    out[rng.random((n, p)) < share] = np.nan
    if depends:
        out[(x[:, 0] > 0.5) & (rng.random(n) < 0.3), 1] = np.nan
    return out


def study(panels: int = cal.PANELS) -> pl.DataFrame:
    """One row per design, and one of power."""
    rows = []
    for name in DESIGNS:
        p = np.array([little(panel(name, i)).p_value for i in range(1, panels + 1)])
        rows.append(cal.null_row(name, "Little's test", p, "level"))
    name = "five points, n = 500, 6 items, 10 % absent"
    some = min(panels, 500)
    p = np.array([little(panel(name, i, depends=True)).p_value for i in range(1, some + 1)])
    rows.append(cal.null_row(f"{name}, more where item 1 is high", "Little's test", p, "tabled"))
    return pl.DataFrame(rows)


DISCLOSED = {
    "five points, n = 500, 6 items, 10 % absent: Little's test": "too few rejections (.035): few points have "
    "short tails, so the means of patterns of one or two rows stray less than the chi-squared expects; held with fewer "
    "small patterns (n = 2000, 3 % absent)",
}
"""What misses its gate, and why."""


def undisclosed(table: pl.DataFrame) -> dict[str, str]:
    """Misses that `DISCLOSED` does not name, and names there that no longer miss."""
    missed = cal.missed(nulls=table)
    return {k: missed.get(k, "no longer missed") for k in missed.keys() ^ DISCLOSED.keys()}


if __name__ == "__main__":
    made = study(int(sys.argv[1]) if len(sys.argv) > 1 else cal.PANELS)
    made.write_csv(cal.HERE / "little_null.csv")
    print(made)
    print(cal.missed(nulls=made))
    sys.exit(bool(undisclosed(made)))
