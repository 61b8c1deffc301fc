"""Do intervals of what levers go with cover? n = 250, answers rounded to 1-10 and cut at the top.

    python tests/slow/levers_coverage.py [PANELS]        (about six minutes of a core for 1,000)

a -> b -> c and a -> c, three items each, means near 7.5, so that some have no room left. `csi.whatif`: a up by 5 points
and b by 3, the same held, a alone by 5 and by 20 (many stop at the end of the scale). "PLS": percentile intervals of
399 resamples; "SEM": by the delta method. Truth is the same number of 300,000 respondents. Limits take what is left of
the points at the end of the scale as known, which the study includes. Nominal 95 %; gated: coverage (92.5 to 97 %),
mean standard error / Monte Carlo deviation (.95 to 1.05). With 1,000 panels the Monte Carlo error of a coverage is
.007, of a ratio about .022.
"""

from __future__ import annotations

import sys

import calibration as cal
import numpy as np
import polars as pl

import csi

PANELS, SIZE, TRUTH, REPLICATES, TOGETHER = 1000, 250, 300_000, 399, 20
MODEL = "a =~ a1 + a2 + a3; b =~ b1 + b2 + b3; c =~ c1 + c2 + c3; b ~ a; c ~ a + b"
ASKED = {
    "a 5, b 3": ({"a": 5, "b": 3}, False),
    "a 5, b 3, held": ({"a": 5, "b": 3}, True),
    "a 5": ({"a": 5}, False),
    "a 20": ({"a": 20}, False),
}
GATED = ("lever",)
DISCLOSED: dict[str, str] = {}


def answers(rows: int, number: int) -> pl.DataFrame:
    """Respondents."""
    rng = np.random.default_rng([20261123, number])
    a = rng.normal(size=rows)
    b = 0.5 * a + 0.85 * rng.normal(size=rows)
    c = 0.35 * a + 0.45 * b + 0.7 * rng.normal(size=rows)
    columns = {
        f"{m}{k}": v + 0.7 * rng.normal(size=rows) for m, v in zip("abc", (a, b, c), strict=True) for k in (1, 2, 3)
    }
    return pl.DataFrame({n: np.clip(np.round(7.5 + 1.6 * v), 1, 10) for n, v in columns.items()})


def of_batch(engine: str, number: int, many: int) -> np.ndarray:
    """(panels, quantities, 4) estimate, standard error, limits of the target; number 0 is the population."""
    rows = SIZE if number else TRUTH
    panels = [answers(rows, number * TOGETHER + i).with_columns(panel=pl.lit(f"{i:03d}")) for i in range(many)]
    settings = csi.PLS() if engine == "PLS" else csi.SEM()
    est = csi.fit(MODEL, pl.concat(panels), settings, by="panel", scale=(1, 10))
    est = csi.bootstrap(est, REPLICATES, number) if number and engine == "PLS" else est
    return np.stack([told(csi.whatif(est, asked, "c", held=held)) for asked, held in ASKED.values()], axis=1)


def told(found: object) -> np.ndarray:
    """(panels, 4) of the target."""
    columns = [pl.col(n).cast(pl.Float64) for n in ("change", "std_error", "conf_low", "conf_high")]
    return found.table.filter(pl.col("role") == "target").select(columns).fill_null(np.nan).to_numpy()


def tables(panels: int) -> dict[str, pl.DataFrame]:
    """Coverage."""
    lines = []
    for engine, kind in (("PLS", "percentile"), ("SEM", "delta")):
        truth = of_batch(engine, 0, 1)[0, :, 0]
        batches = range(1, max(1, panels // TOGETHER) + 1)
        found = np.concatenate([of_batch(engine, c, TOGETHER) for c in batches])
        labels = [("lever", name) for name in ASKED]
        lines += cal.coverage_rows(engine, labels, kind, truth, found[..., 0], found[..., 1:].swapaxes(1, 2), GATED)
    return {"levers_coverage": pl.DataFrame(lines)}


def page(covered: pl.DataFrame) -> str:
    """The table as Markdown."""
    return cal.page("What levers go with", __doc__ or "", covered, None, DISCLOSED)


def failures(covered: pl.DataFrame) -> list[str]:
    """Misses that are not disclosed."""
    return cal.failures(cal.missed(covered), DISCLOSED)


if __name__ == "__main__":
    sys.exit(cal.run(tables, page, failures, "levers_coverage", PANELS))
