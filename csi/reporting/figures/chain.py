"""All constructs of the model in causal order: the focal brand against its sector."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import Scale, known, say, whisker
from csi.reporting.text_width import text_width

_SECTOR = Text("Sector", "行业")
_CHANGE = Text("Change", "较上期")
_GAP = Text("vs sector", "与行业差")


def index_chain(
    frame: pl.DataFrame,
    *,
    lang: str,
    labels: Mapping[str, Text],
    focal: str,
    finding: str = "",
    width: int = style.FULL,
) -> str:
    """One row per construct: a ring for the sector, a dot with its interval for the focal brand, value and change.

    Parameters:
        frame: `construct`, `index`, `conf_low`, `conf_high`, `sector`, `change`, `significant`; rows in causal order.
            `change` is against the previous wave; the wide drawing adds the difference from the sector.
        lang: "zh" or "en".
        labels: construct names, and the focal brand's.
        focal: the brand whose values `index` holds.
        finding: the sentence read aloud.
        width: 1040, 508 or 360.

    Returns:
        SVG.

    Example:
        >>> data = pl.DataFrame({"construct": ["image"], "index": [74.8], "conf_low": [73.0], "conf_high": [76.0],
        ...                      "sector": [73.1], "change": [0.4], "significant": [False]})
        >>> index_chain(data, lang="en", labels={}, focal="A").count("<circle")
        2
    """
    rows = frame.to_dicts()
    size = 12.5 if width < style.HALF else 13
    names = max((text_width(say(r["construct"], labels, lang), size, lang=lang) for r in rows), default=0)
    left = min(names, 138 if width < style.HALF else 190) + 12
    right = 98 if width < style.HALF else 172 if width > style.HALF else 98
    values = [r[k] for r in rows for k in ("index", "conf_low", "conf_high", "sector") if known(r.get(k))]
    ticks = svg.steps(max(min(values, default=0) - 0.5, 0), min(max(values, default=100) + 0.5, 100), 4)
    step, top = 38.0, 38.0
    height = top + step * len(rows) + 26
    x = Scale(ticks[0], ticks[-1], left, width - right)
    parts, whole = [], all(tick == int(tick) for tick in ticks)
    for tick in ticks:
        parts.append(svg.line((x(tick), top - 6), (x(tick), height - 24), style.HAIR))
        said = style.score(tick, 0 if whole else 1)
        parts.append(svg.words(x(tick), height - 7, said, size=11.5, fill=style.MUTED, anchor="middle"))
    for i, row in enumerate(rows):
        parts += _row(row, top + step * (i + 0.5), x, labels, lang, size, wide=right > 100)
    if right > 100:
        at = x.end + 18
        if any(known(r.get("change")) for r in rows):
            parts.append(svg.words(at + 38, top - 12, _CHANGE.say(lang), size=11.5, fill=style.MUTED))
        if any(known(r.get("sector")) for r in rows):
            parts.append(svg.words(at + 148, top - 12, _GAP.say(lang), size=11.5, fill=style.MUTED, anchor="end"))
    parts += _key(rows, x, top, say(focal, labels, lang), lang)
    return svg.drawing(width, height, parts, finding, lang)


def _row(
    row: Mapping[str, float | str | bool | None],
    y: float,
    x: Scale,
    labels: Mapping[str, Text],
    lang: str,
    size: float,
    *,
    wide: bool,
) -> list[str]:
    name = svg.shorten(say(str(row["construct"]), labels, lang), x.start - 12, size, lang=lang)
    parts = [svg.words(0, y + 4.5, name, size=size)]
    value, sector = _float(row.get("index")), _float(row.get("sector"))
    low, high = _float(row.get("conf_low")), _float(row.get("conf_high"))
    if value is None:
        return [*parts, svg.words(x.end + 16, y + 4.5, style.ABSENT, fill=style.MUTED)]
    if sector is not None:
        tone = style.FOCAL_PALE if value >= sector else style.shade(style.WARN, style.PAPER, 0.7)
        parts.append(svg.line((x(sector), y), (x(value), y), tone, 7))
    if low is not None and high is not None:
        parts.append(whisker(x, y, low, high, style.FOCAL, 1.6))
    if sector is not None:
        parts.append(
            svg.dot(x(sector), y, 4.6, style.PAPER, style.STEEL, 1.6, tip=f"{_SECTOR.say(lang)} {style.score(sector)}")
        )
    parts.append(
        svg.dot(
            x(value), y, 5, style.FOCAL, style.PAPER, 1.2, tip=f"{name} {style.score(value)} ({style.span(low, high)})"
        )
    )
    at = x.end + 18
    parts.append(svg.words(at, y + 4.5, style.score(value), size=14, fill=style.FOCAL, bold=True))
    delta, sure = _float(row.get("change")), bool(row.get("significant"))
    if delta is not None:
        mark = (style.FOCAL if delta > 0 else style.WARN) if sure else style.FAINT
        ink = (style.FOCAL if delta > 0 else style.WARN) if sure else style.MUTED
        if round(delta, 1) != 0:
            parts.append(svg.triangle(at + 44, y, 8, mark, up=delta > 0))
        parts.append(svg.words(at + 52, y + 4.5, style.score(abs(delta)), size=12, fill=ink, bold=sure))
    if wide and sector is not None:
        gap = style.change(value - sector)
        parts.append(svg.words(at + 148, y + 4.5, gap, size=12, fill=style.MUTED, anchor="end"))
    return parts


def _key(rows: list[dict[str, float | str | bool | None]], x: Scale, top: float, brand: str, lang: str) -> list[str]:
    """Who is who, written above the first row that has both marks."""
    if not rows:
        return []
    first = rows[0]
    value, sector = _float(first.get("index")), _float(first.get("sector"))
    if value is None or sector is None:
        return []
    word = _SECTOR.say(lang)
    own, other = x(value), x(sector)
    said = text_width(word, 11.5, lang=lang)
    brand = svg.shorten(brand, x.end - said - 24, 11.5, bold=True, lang=lang)
    wide = text_width(brand, 11.5, bold=True, lang=lang)
    half = (wide + said) / 2 + 8
    if abs(own - other) < half:
        middle, side = (own + other) / 2, 1 if own >= other else -1
        own, other = middle + side * half / 2, middle - side * half / 2
        start = min(own - wide / 2, other - said / 2)
        moved = max(-start, 0.0) + min(x.end - start - wide - said - 16, 0.0)
        own, other = own + moved, other + moved
    y = top - 12
    return [
        svg.words(own, y, brand, size=11.5, fill=style.FOCAL, bold=True, anchor="middle", halo=True),
        svg.words(other, y, word, size=11.5, fill=style.TEXT, anchor="middle", halo=True),
    ]


def _float(value: float | str | bool | None) -> float | None:
    return float(value) if isinstance(value, int | float) and known(value) else None
