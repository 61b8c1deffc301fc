"""The answers that weights.R was run on: simulated, 12 strata of two clusters, no file of anybody.

python tests/reference/weights/answers.py > tests/reference/weights/answers.csv
"""

from __future__ import annotations

import numpy as np


def main() -> None:
    """Print the answers."""
    rng = np.random.default_rng(20261123)
    print("stratum,unit,N,sex,age,w,q")
    for h in range(12):
        for u in range(2):
            level = rng.normal(0, 0.6) + 0.1 * h
            for _ in range(int(rng.integers(7, 12))):
                sex, age = rng.choice(["f", "m"], p=[0.6, 0.4]), rng.choice(["y", "m", "o"], p=[0.4, 0.35, 0.25])
                shift = {"f": 0.4, "m": 0.0}[str(sex)] + {"y": -0.6, "m": 0.0, "o": 0.8}[str(age)]
                q = int(np.clip(round(6 + level + shift + rng.normal(0, 1.5)), 1, 10))
                print(f"s{h},u{u},{8 + h},{sex},{age},{rng.uniform(20, 80):.4f},{q}")


if __name__ == "__main__":
    main()
