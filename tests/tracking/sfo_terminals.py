"""Four real waves of airport passengers by terminal: answers of SFO's surveys 2010-2013 in one frame.

Satisfaction is the airport as a whole; amenities are art, restaurants and shops; way-finding is signs, walkways and
screens. 1 unacceptable to 5 outstanding; 6 (never used) and 0 (blank) are absent. A cluster is a day, gate and airline.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

import csi

ITEMS = ("art", "food", "shops", "signs", "walk", "screens", "whole")
COLUMNS = {
    "2010": ["Q6A", "Q6B", "Q6C", "Q6D", "Q6E", "Q6F", "Q6N"],
    "2011": ["Q8A", "Q8B", "Q8C", "Q8D", "Q8E", "Q8F", "Q8N"],
    "2012": ["Q8A_ART", "Q8B_FOOD", "Q8C_SHOP", "Q8D_SIGNS", "Q8E_WALK", "Q8F_SCREENS", "Q8N_WHOLE"],
    "2013": ["Q7A_ART", "Q7B_FOOD", "Q7C_SHOPS", "Q7D_SIGNS", "Q7E_WALK", "Q7F_SCREENS", "Q7O_WHOLE"],
}
PLACES = {
    "2010": ("TERM", {"1": "T1", "2": "INT", "3": "T3"}),
    "2011": ("TERM", {"1": "T1", "2": "T2", "3": "T3", "4": "INT"}),
    "2012": ("BAREA", {"A": "INT", "B": "T1", "C": "T1", "D": "T2", "F": "T3", "G": "INT"}),
}
GATES = {"2010": "GATENUM", "2011": "GATE", "2012": "GATE", "2013": "GATE"}
DAY = {"1": "am", "2": "mid", "3": "pm"}
MODEL = """amenities =~ art + food + shops
wayfinding =~ signs + walk + screens
satisfaction =~ whole
satisfaction ~ amenities + wayfinding"""


def answers(folder: Path) -> pl.DataFrame:
    """Rows of all waves: year, terminal, time of day, cluster and the items."""
    return pl.concat([_wave(folder, year) for year in COLUMNS])


def _wave(folder: Path, year: str) -> pl.DataFrame:
    raw = pl.read_csv(folder / f"sfo_{year}.csv", infer_schema=False, encoding="utf8-lossy")
    if year in PLACES:
        column, names = PLACES[year]
        terminal = pl.col(column).replace_strict(names, default=None, return_dtype=pl.String)
    else:
        gate = pl.col("GATE").cast(pl.Int64)
        terminal = (
            pl.when(gate.is_between(20, 48)).then(pl.lit("T1")).when(gate.is_between(50, 59)).then(pl.lit("T2"))
            .when(gate.is_between(60, 90)).then(pl.lit("T3")).otherwise(pl.lit("INT"))
        )  # fmt: skip
    points = [pl.col(c).cast(pl.Float64, strict=False).alias(i) for c, i in zip(COLUMNS[year], ITEMS, strict=True)]
    made = raw.select(
        pl.lit(year).alias("wave"),
        terminal.alias("brand"),
        pl.col("STRATA").replace_strict(DAY, default=None, return_dtype=pl.String).alias("daytime"),
        pl.concat_str(pl.lit(year), "INTDATE", GATES[year], "AIRLINE", separator="|", ignore_nulls=True).alias(
            "cluster"
        ),
        *points,
    )
    return made.with_columns(pl.when(pl.col(i).is_between(1, 5)).then(pl.col(i)).alias(i) for i in ITEMS)


def fitted(rows: pl.DataFrame, by: tuple[str, ...] = ("brand", "wave")) -> csi.Estimate:
    """The model in every terminal and year."""
    model = csi.Model.parse(MODEL)
    return csi.fit(model, rows, csi.PLS(missing="pairwise"), by=by, scale=(1, 5), unit="cluster")
