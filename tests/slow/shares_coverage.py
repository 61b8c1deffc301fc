"""Do intervals of shares of R2 and of contrasts between chains cover? n = 250.

    python tests/slow/shares_coverage.py [PANELS]        (about two minutes of a core for 1,000)

Percentile intervals of 399 resamples (of gaps t by the design); nominal 95 %. Truth is the same function of a large
population. "card": the emotion card by PLS, composite population: shares of R2, relative weights, total effects and
correlations of what leads to satisfaction (`csi.driver_shares`), and the contrast of the two indirect effects that
`csi.run_card` tells; in "card, even" both chains are alike. "facets": `csi.kinds`, three facets in two forms and
satisfaction, of which one has no weight of its own. Gated: total effects, contrasts, gaps of facets (92.5 to 97 %, mean
standard error / Monte Carlo deviation within .95 and 1.05); the test of a contrast that is 0, by its interval at 5 %
(at most 5 % and three errors). Tabled, as bounded: relative weights, shares of R2; half an interval over 1.96 stands
for their standard error. With 1,000 panels the Monte Carlo error of a coverage is .007, of a ratio about .022.
"""

from __future__ import annotations

import sys

import calibration as cal
import numpy as np
import polars as pl

import csi
from csi.claims.chains import contrasts
from csi.errors import Text
from csi.models.cards import read_card
from csi.models.model import Model
from csi.simulation import population_moments, recipe_of_card, simulate
from csi.survey.codebook import Codebook, Item, Scale

PANELS, SIZE, TRUTH, REPLICATES, TOGETHER = 1000, 250, 300_000, 399, 50
NINE = Scale("nine", 1, 9)
GATED = ("total effect", "contrast", "facet gap")
DISCLOSED: dict[str, str] = {}
CARD = read_card("emotion")
PATHS = {
    "card": {"positive": {"performance": 0.6}, "negative": {"performance": -0.4},
             "satisfaction": {"performance": 0.3, "positive": 0.35, "negative": -0.2}},
    "card, even": {"positive": {"performance": 0.5}, "negative": {"performance": -0.5},
                   "satisfaction": {"performance": 0.3, "positive": 0.25, "negative": -0.25}},
}  # fmt: skip
Rows = list[tuple[str, str, str, float, float, float, float]]
"""study, kind, quantity, estimate, standard error, limits."""


def of_card(study: str, number: int, many: int) -> list[pl.DataFrame]:
    """Shares and the contrast of `many` panels; number 0 is the population."""
    recipe = recipe_of_card(CARD, n=many * SIZE, seed=20261125 + number, population="composite", paths=PATHS[study])
    items = {n: [i.name for i in recipe.items if i.of == n] for n in CARD.constructs if n != "loyalty"}
    model = Model.card.of(CARD, items, covariance=False, without=("loyalty",))
    if not number:
        est = csi.fit(model, population_moments(recipe), csi.PLS())
    else:
        frame = simulate(recipe).frame.select(model.items)
        frame = frame.with_columns(panel=(pl.int_range(pl.len()) // SIZE).cast(pl.String).str.zfill(4))
        est = csi.bootstrap(csi.fit(model, frame, csi.PLS(), by="panel"), REPLICATES, number)
    made = []
    table = csi.driver_shares(est).table
    kinds = {"share": "share of R2", "weight": "relative weight", "total_effect": "total effect",
             "correlation": "correlation"}  # fmt: skip
    blank = pl.lit(None, dtype=pl.Float64)
    panel = pl.col("panel") if number else pl.lit("0")
    for column, kind in kinds.items():
        ends = [pl.col(f"{column}_conf_{e}") if number else blank for e in ("low", "high")]
        width = (ends[1] - ends[0]) / (2 * 1.96)
        made.append(table.select(panel=panel, kind=pl.lit(kind), name="construct", estimate=column, std_error=width,
                                 conf_low=ends[0], conf_high=ends[1]))  # fmt: skip
    found = contrasts(CARD, est)
    made.append(found.select(panel=panel, kind=pl.lit("contrast"), name="contrast", estimate="estimate",
                             std_error="std_error", conf_low="conf_low", conf_high="conf_high"))  # fmt: skip
    return made


def whole(x: np.ndarray) -> np.ndarray:
    """Whole numbers from 1 to 9."""
    return np.clip(np.round(x), 1, 9)


def panel_of(columns: dict[str, np.ndarray], book: Codebook) -> csi.Panel:
    """A panel of complete answers."""
    frame = pl.DataFrame(columns).with_columns(pl.col(book.names).cast(pl.Float64).fill_nan(None))
    return csi.Panel(
        frame, book, frame.with_columns(pl.lit(None, dtype=pl.String).alias(n) for n in book.names).select(book.names)
    )


FACETS = ("functional", "service", "price")
FACET_BOOK = Codebook(
    (
        *(Item(f"{f}_{q}{i}", q, NINE, Text(q, q), f"{q}{i}", f, facet=q)
          for f in ("P", "Ew") for q in FACETS for i in (1, 2)),
        *(Item(f"sat{i}", "satisfaction", NINE, Text("s", "s"), f"sat{i}") for i in (1, 2)),
    ), {}, {},
)  # fmt: skip


def of_facets(rows: int, number: int) -> pl.DataFrame:
    """Gaps of facets, and the shares of what they explain."""
    rng = np.random.default_rng([20261126, number])
    person, wish = 0.7 * rng.normal(size=(2, rows))
    columns, gaps = {}, []
    for j, q in enumerate(FACETS):
        E, P = 6.2 + wish + 0.5 * rng.normal(size=rows), 5.4 + 0.3 * j + person + 0.9 * rng.normal(size=rows)
        gaps.append(P - E)
        for i in (1, 2):
            columns[f"Ew_{q}{i}"] = whole(E + 0.6 * rng.normal(size=rows))
            columns[f"P_{q}{i}"] = whole(P + 0.6 * rng.normal(size=rows))
    sat = 5.5 + 0.5 * gaps[0] + 0.25 * gaps[1] + rng.normal(size=rows)
    columns |= {f"sat{i}": whole(sat + 0.6 * rng.normal(size=rows)) for i in (1, 2)}
    draws = REPLICATES if number else 100
    found = csi.kinds(panel_of(columns, FACET_BOOK), replicates=draws, seed=number + 1).facets
    gap = found.select(kind=pl.lit("facet gap"), name="facet", estimate="gap", std_error="std_error",
                       conf_low="conf_low", conf_high="conf_high")  # fmt: skip
    width = (pl.col("share_high") - pl.col("share_low")) / (2 * 1.96)
    share = found.select(kind=pl.lit("facet share"), name="facet", estimate="share", std_error=width,
                         conf_low="share_low", conf_high="share_high")  # fmt: skip
    return pl.concat([gap, share])


NAMES = ["kind", "name"]
TOLD = ("estimate", "std_error", "conf_low", "conf_high")


def numbers(frame: pl.DataFrame) -> np.ndarray:
    """(quantities, 4)."""
    return frame.sort(NAMES).select(TOLD).cast(pl.Float64).fill_null(np.nan).to_numpy()


def single(number: int) -> np.ndarray:
    """(quantities, 4) of a panel with facets."""
    return numbers(of_facets(SIZE, number))


def tables(panels: int) -> dict[str, pl.DataFrame]:
    """Coverage and rejections."""
    covered, nulls = [], []
    for study in PATHS:
        truth = pl.concat(of_card(study, 0, 1)).sort(NAMES)
        runs = [pl.concat(of_card(study, c, TOGETHER)) for c in range(1, max(1, panels // TOGETHER) + 1)]
        each = [numbers(f) for c in runs for f in c.partition_by("panel", maintain_order=True)]
        covered += rows(study, truth, np.stack(each))
        at = truth["kind"].to_list().index("contrast")
        if abs(truth["estimate"][at]) < 2e-3:
            ends = np.stack(each)[:, at, 2:]
            outside = np.where((ends[:, 0] > 0) | (ends[:, 1] < 0), 0.05, 1.0)  # an interval tells of one level
            nulls.append(cal.null_row(study, "contrast that is 0, by its interval", outside, "conservative"))
    covered += rows("facets", of_facets(TRUTH, 0).sort(NAMES), cal.over(single, panels))
    return {"shares_coverage": pl.DataFrame(covered), "shares_nulls": pl.DataFrame(nulls)}


def rows(study: str, truth: pl.DataFrame, found: np.ndarray) -> list[dict[str, object]]:
    """Lines of one study."""
    pairs, at = list(truth.select(NAMES).iter_rows()), truth["estimate"].to_numpy()
    return cal.coverage_rows(
        study, pairs, "percentile; gaps t", at, found[..., 0], found[..., 1:].swapaxes(1, 2), GATED
    )


def page(covered: pl.DataFrame, nulls: pl.DataFrame) -> str:
    """The tables as Markdown."""
    return cal.page("Intervals of shares and contrasts", __doc__ or "", covered, nulls, DISCLOSED)


def failures(covered: pl.DataFrame, nulls: pl.DataFrame) -> list[str]:
    """Misses that are not disclosed."""
    return cal.failures(cal.missed(covered, nulls), DISCLOSED)


if __name__ == "__main__":
    sys.exit(cal.run(tables, page, failures, "shares_coverage", PANELS))
