"""The changes that a survey could have found: the smallest significant one, and the one found with 80 % power."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from csi.errors import Text
from csi.reporting.style import share
from csi.reporting.tables import printed

AGAINST = {"previous": Text("vs previous", "较上期"), "year": Text("vs year ago", "较去年同期")}


def detectable(changes: Mapping[str, pl.DataFrame], level: float) -> tuple[Text, ...]:
    """Two sentences, the ranges over the cells told: t_{1 - alpha/2} SE, and (t_{1 - alpha/2} + t_{.8}) SE.

    Parameters:
        changes: "previous", "year" -> columns smallest_significant and minimal_detectable. level: of the tests.

    Example:
        >>> frame = pl.DataFrame({"smallest_significant": [2.39, 2.71], "minimal_detectable": [3.42, 3.88]})
        >>> for said in detectable({"previous": frame}, 0.95):
        ...     print(said.en)
        Minimal detectable change (t: significant in a single test at 5%): vs previous 2.4–2.7.
        Minimal detectable change (80% power, single test at 5%): vs previous 3.4–3.9.
    """
    alpha, out = share(1 - level, 0), []
    for column, how in (
        (
            "smallest_significant",
            Text(f"t: significant in a single test at {alpha}", f"t：单次检验水平 {alpha} 下显著"),
        ),
        ("minimal_detectable", Text(f"80% power, single test at {alpha}", f"功效 80%，单次检验水平 {alpha}")),
    ):
        spans = {a: _span(changes[a][column]) for a in AGAINST if a in changes}
        told = [(AGAINST[a], span) for a, span in spans.items() if span]
        if told:
            en, zh = (", ".join(f"{w.en} {s}" for w, s in told), "、".join(f"{w.zh} {s}" for w, s in told))
            said = Text(f"Minimal detectable change ({how.en}): {en}.", f"最小可检出变化（{how.zh}）：{zh}。")
            out.append(said)
    return tuple(out)


def _span(values: pl.Series) -> str:
    """The smallest and the largest, once where they are printed alike; nothing without values."""
    known = values.drop_nulls().drop_nans().to_list()
    return "–".join(dict.fromkeys(printed(v, "score") for v in (min(known), max(known)))) if known else ""
