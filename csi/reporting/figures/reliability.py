"""The measurement table: loadings as whiskers, reliabilities, AVE and the largest HTMT, each against its threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import known, loading_marks, say
from csi.reporting.text_width import text_width

_CONSTRUCT = Text("Construct", "构念")
_ITEMS = Text("Items", "题项")
_LOADINGS = Text("Standardised loadings", "标准化载荷")
_HTMT = Text("Max HTMT", "HTMT 最大")

FLOORS = {"alpha": 0.70, "rho_a": 0.70, "rho_c": 0.70, "ave": 0.50}
HTMT_CEILING = 0.85


def reliability_table(
    frame: pl.DataFrame,
    *,
    lang: str,
    labels: Mapping[str, Text],
    finding: str = "",
    width: int = style.FULL,
) -> str:
    """One row per construct in a three-line table; what misses a threshold is bold in the warning colour.

    Parameters:
        frame: `construct`, `loadings` (list), `alpha`, `rho_a`, `rho_c`, `ave`, `htmt_max`; nulls print a dash.
        lang: "zh" or "en".
        labels: construct names.
        finding: the sentence read aloud.
        width: 1040; up to 640 two lines stand per construct.

    Returns:
        SVG.

    Source: thresholds of Hair et al. (2019): .708, .70, .50; HTMT .85 of Henseler et al. (2015).

    Example:
        >>> data = pl.DataFrame({"construct": ["image"], "loadings": [[0.8, 0.9]], "alpha": [0.65], "rho_a": [0.8],
        ...                      "rho_c": [0.9], "ave": [0.7], "htmt_max": [0.6]})
        >>> ".65" in reliability_table(data, lang="en", labels={})
        True
    """
    rows = frame.to_dicts()
    if width <= style.SHEET:
        return _narrow(rows, labels, lang, finding, width)
    step, top = 31.0, 34.0
    height = top + step * len(rows) + 6
    edges = [width - 388 + 76 * i for i in range(5)]
    edges[-1] = width - 4
    parts = _heads(width, edges, lang)
    for i, row in enumerate(rows):
        y = top + step * (i + 0.5)
        parts.append(svg.words(4, y + 4.5, svg.shorten(say(row["construct"], labels, lang), 208, 13, lang=lang)))
        loadings = [v for v in row["loadings"] or [] if known(v)]
        parts.append(svg.words(258, y + 4.5, str(len(loadings)), anchor="end"))
        parts += loading_marks(loadings, 279, y, 210, lang)
        parts.append(svg.words(506, y + 4.5, _reach(loadings, lang), size=12, fill=style.MUTED))
        parts += _numbers(row, edges, y + 4.5, lang)
        if i + 1 < len(rows):
            parts.append(svg.line((0, top + step * (i + 1)), (width, top + step * (i + 1)), style.HAIR))
    parts.append(svg.line((0, height - 5), (width, height - 5), style.INK, 1.6))
    return svg.drawing(width, height, parts, finding, lang)


def _heads(width: float, edges: Sequence[float], lang: str) -> list[str]:
    parts = [svg.line((0, 1), (width, 1), style.INK, 1.6), svg.line((0, 33), (width, 33), style.INK, 0.9)]
    for x, said, anchor in ((4, _CONSTRUCT, "start"), (258, _ITEMS, "end"), (284, _LOADINGS, "start")):
        parts.append(svg.words(x, 22, said.say(lang), size=12.5, fill=style.MUTED, anchor=anchor))
    named = ("α", "ρA", "ρC", "AVE", _HTMT.say(lang))
    return parts + [_greek(edge, 22, head) for edge, head in zip(edges, named, strict=True)]


def _greek(x: float, y: float, said: str) -> str:
    """A heading at the right edge; the letter after rho stands below the line."""
    if said[0] != "ρ" or len(said) == 1:
        return svg.words(x, y, said, size=12.5, fill=style.MUTED, anchor="end")
    low = text_width(said[1:], 10) + 1
    return svg.words(x - low, y, said[0], size=12.5, fill=style.MUTED, anchor="end") + svg.words(
        x, y + 3.5, said[1:], size=10, fill=style.MUTED, anchor="end"
    )


def _reach(loadings: Sequence[float], lang: str) -> str:
    if not loadings:
        return ""
    low, high = style.coefficient(min(loadings), lang), style.coefficient(max(loadings), lang)
    return low if low == high else f"{low}–{high}"


def _numbers(row: Mapping[str, float | None], edges: Sequence[float], y: float, lang: str) -> list[str]:
    parts = []
    for x, key in zip(edges, ("alpha", "rho_a", "rho_c", "ave", "htmt_max"), strict=True):
        weak = _weak(key, row[key])
        ink = style.WARN if weak else style.TEXT
        parts.append(svg.words(x, y, style.coefficient(row[key], lang), fill=ink, bold=weak, anchor="end"))
    return parts


def _weak(key: str, value: float | None) -> bool:
    if value is None or not known(value):
        return False
    return value > HTMT_CEILING if key == "htmt_max" else value < FLOORS[key]


def _narrow(
    rows: Sequence[Mapping[str, object]], labels: Mapping[str, Text], lang: str, finding: str, width: float
) -> str:
    step = 62.0
    parts = [svg.line((0, 1), (width, 1), style.INK, 1.6)]
    for i, row in enumerate(rows):
        y = step * i
        name = svg.shorten(say(str(row["construct"]), labels, lang), width - 214, 13, bold=True, lang=lang)
        parts.append(svg.words(0, y + 24, name, bold=True, fill=style.INK))
        held = row["loadings"] if isinstance(row["loadings"], list) else []
        loadings = [v for v in held if isinstance(v, float) and known(v)]
        parts.append(svg.words(width, y + 24, _reach(loadings, lang), size=12, fill=style.MUTED, anchor="end"))
        parts += loading_marks(loadings, width - 206, y + 20, 130, lang)
        each = (width - 4) / 5
        for k, (key, said) in enumerate(
            (("alpha", "α"), ("rho_a", "ρA"), ("rho_c", "ρC"), ("ave", "AVE"), ("htmt_max", "HTMT"))
        ):
            value = row[key]
            number = value if isinstance(value, float) else None
            weak = _weak(key, number)
            x = each * k
            parts.append(svg.words(x, y + 47, said, size=11, fill=style.MUTED))
            ink = style.WARN if weak else style.TEXT
            parts.append(
                svg.words(
                    x + (33 if key == "htmt_max" else 25),
                    y + 47,
                    style.coefficient(number, lang),
                    size=12.5,
                    fill=ink,
                    bold=weak,
                )
            )
        last = i + 1 == len(rows)
        parts.append(
            svg.line((0, y + step - 2), (width, y + step - 2), style.INK if last else style.HAIR, 1.6 if last else 1)
        )
    return svg.drawing(width, step * len(rows), parts, finding, lang)
