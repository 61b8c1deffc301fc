"""The rows behind checks.json. `python population.py > rows.csv` for the R script."""

import numpy as np

COLUMNS = ("normal", "skewed", "flat", "heavy", "x1", "x2", "y")


def rows():
    """(150, 7), rounded to six digits; x1 has ties."""
    rng = np.random.Generator(np.random.PCG64(21))
    n = 150
    x1 = np.round(rng.exponential(size=n), 1)
    x2 = 0.5 * x1 + rng.normal(size=n)
    y = 0.4 * x1 + 0.3 * x2 + 0.15 * x2**2 + rng.normal(size=n)
    columns = (rng.normal(size=n), rng.gamma(2.0, size=n), rng.uniform(size=n), rng.standard_t(3, size=n), x1, x2, y)
    return np.round(np.column_stack(columns), 6)


if __name__ == "__main__":
    print(",".join(COLUMNS))
    print("\n".join(",".join(f"{v:.6f}" for v in row) for row in rows()))
