"""The rows behind mixtools.json: two segments with other slopes. `python population.py > rows.csv` for the R script."""

import numpy as np


def rows():
    """(300, 3): x1, x2, y, rounded to six digits."""
    rng = np.random.Generator(np.random.PCG64(7))
    x = rng.normal(size=(300, 2))
    first = rng.random(300) < 0.6
    y = np.where(first, 0.8 * x[:, 0] + 0.1 * x[:, 1], 0.5 * x[:, 1] - 0.6 * x[:, 0])
    y = y + rng.normal(size=300) * np.where(first, 0.4, 0.6)
    return np.round(np.column_stack([x, y]), 6)


if __name__ == "__main__":
    print("x1,x2,y")
    print("\n".join(",".join(f"{v:.6f}" for v in row) for row in rows()))
