"""1,000 bootstrap refits where one answer in ten is absent: PLS on maximum likelihood moments (EM in every replicate),
and the two-stage covariance fit. The rows are those of `bootstrap.py`.
"""

import runpy
from pathlib import Path

import numpy as np
import polars as pl

import csi

COMMON = runpy.run_path(str(Path(__file__).with_name("bootstrap.py")))
REFITS = 1000


def with_holes(frame: pl.DataFrame) -> pl.DataFrame:
    """Ten percent of the answers absent, completely at random."""
    rows = frame.to_numpy().astype(np.float64)
    rows[np.random.default_rng(1).random(rows.shape) < 0.1] = np.nan
    return pl.DataFrame(rows, schema=frame.columns).fill_nan(None)


def main() -> None:
    """Print both times."""
    name, blocks, frame = COMMON["rows"]()
    items = [item for block in blocks.values() for item in block]
    holes, model = with_holes(frame.select(items)), csi.Model.parse(COMMON["model_text"](blocks))
    print(f"ECSI on {name} ({holes.height} rows, {holes.drop_nulls().height} complete), {REFITS} refits, one process:")
    for settings in (csi.PLS(missing="em"), csi.SEM(missing="two-stage")):
        est = csi.fit(model, holes, settings)
        taken = COMMON["seconds"](lambda est=est: csi.bootstrap(est, n=REFITS, seed=1))
        print(
            f"  {settings.name}, {settings.missing:10s} {taken:6.2f} s"
            + " (aim: below 10)" * (settings.missing == "em")
        )


if __name__ == "__main__":
    main()
