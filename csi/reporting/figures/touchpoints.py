"""Touchpoints on a map: how many customers meet one against how it is scored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from csi.errors import Text
from csi.reporting import style
from csi.reporting.figures.importance import importance_map

ACROSS: Final = Text("Reach: percent of customers", "触达率（%）")
UP: Final = Text("Mean score (0–100)", "平均评分（0–100）")


def touchpoint_map(
    frame: pl.DataFrame,
    *,
    lang: str,
    labels: Mapping[str, Text],
    finding: str = "",
    width: int = style.HALF,
) -> str:
    """Points with a cross for both intervals; the means split four fields, often met and scored low is shaded.

    Parameters:
        frame: `touchpoint`, `reach`, `reach_low`, `reach_high` (shares), `mean`, `conf_low`, `conf_high` (0-100).
        lang: "zh" or "en". labels: names. finding: the sentence read aloud. width: 508, 1040 or 360.

    Returns:
        SVG.

    Example:
        >>> data = pl.DataFrame({"touchpoint": ["shop", "app"], "reach": [0.7, 0.4], "reach_low": [0.6, 0.3],
        ...     "reach_high": [0.8, 0.5], "mean": [60.0, 75.0], "conf_low": [55.0, 71.0], "conf_high": [65.0, 79.0]})
        >>> drawing = touchpoint_map(data, lang="en", labels={})
        >>> drawing.count("<circle"), "percent of customers" in drawing
        (2, True)
    """
    named = {
        "touchpoint": "name",
        "mean": "performance",
        "conf_low": "performance_low",
        "conf_high": "performance_high",
    }
    shares = {"importance": "reach", "importance_low": "reach_low", "importance_high": "reach_high"}
    points = frame.select(
        *(pl.col(c).alias(other) for c, other in named.items()),
        *((100 * pl.col(s)).alias(c) for c, s in shares.items()),
    )
    axes = (ACROSS, UP)
    return importance_map(points, lang=lang, labels=labels, finding=finding, width=width, axes=axes)
