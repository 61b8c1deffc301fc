"""What `csi track` says of the changes it could have found."""

from __future__ import annotations

import polars as pl

from csi.errors import Language, Text
from csi.reporting.style import share
from csi.reporting.tables import printed

AGAINST = {"previous": Text("vs previous", "较上期"), "year": Text("vs year ago", "较去年同期")}


def detectable(table: pl.DataFrame, level: float, lang: Language) -> tuple[str, ...]:
    """One sentence: the true change that a single test finds with 80 % probability, over the cells printed.

    Parameters:
        table: of `csi.track`. level: of its tests.

    Example:
        >>> table = pl.DataFrame({"minimal_detectable_previous": [3.42, 3.88, None]})
        >>> detectable(table, 0.95, "en")
        ('Minimal detectable change (80% power, single test at 5%): vs previous 3.4–3.9.',)
    """
    parts = []
    for against, words in AGAINST.items():
        column = f"minimal_detectable_{against}"
        found = table[column].drop_nulls().drop_nans().to_list() if column in table.columns else []
        if found:
            ends = dict.fromkeys(printed(v, "score") for v in (min(found), max(found)))
            parts.append(f"{words.say(lang)} {'–'.join(ends)}")
    if not parts:
        return ()
    alpha = share(1 - level, 0)
    said = Text(
        f"Minimal detectable change (80% power, single test at {alpha}): {', '.join(parts)}.",
        f"最小可检出变化（功效 80%，单次检验水平 {alpha}）：{'、'.join(parts)}。",
    )
    return (said.say(lang),)
