"""What `csi track` says of the changes it could have found."""

from __future__ import annotations

import polars as pl

from csi.errors import Language
from csi.reporting.detectable import AGAINST, detectable

COLUMNS = ("smallest_significant", "minimal_detectable")


def detectable_lines(table: pl.DataFrame, level: float, lang: Language) -> tuple[str, ...]:
    """A line for each version of the minimal detectable change, over the cells printed.

    Parameters:
        table: of `csi.track`. level: of its tests.

    Example:
        >>> table = pl.DataFrame({"smallest_significant_year": [2.39], "minimal_detectable_year": [3.42]})
        >>> detectable_lines(table, 0.95, "en")[1]
        'Minimal detectable change (80% power, single test at 5%): vs year ago 3.4.'
    """
    given = [a for a in AGAINST if f"minimal_detectable_{a}" in table.columns]
    changes = {a: table.select(pl.col(f"{c}_{a}").alias(c) for c in COLUMNS) for a in given}
    return tuple(said.say(lang) for said in detectable(changes, level))
