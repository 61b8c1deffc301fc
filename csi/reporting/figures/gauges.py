"""Measures of fit as gauges: the value on its scale, the customary limit as a tick, the verdict in a word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import Scale, known, say


def gauges(
    rows: Sequence[Mapping[str, object]],
    *,
    lang: str,
    labels: Mapping[str, Text],
    finding: str = "",
    width: int = style.FULL,
) -> str:
    """One row per measure: name, scale from bad to good, interval where there is one, number, verdict.

    Parameters:
        rows: `name`, `value`, `low`, `high` (ends of the scale), `limits` (ticks), `good` (bool), `verdict` (Text),
            optionally `conf_low`, `conf_high`.
        lang: "zh" or "en". labels: names of measures. finding: the sentence read aloud. width: 1040, 508 or 360.

    Returns:
        SVG.

    Example:
        >>> row = {"name": "cfi", "value": 0.97, "low": 0.8, "high": 1.0, "limits": [0.9, 0.95], "good": True,
        ...        "verdict": Text("good", "良好")}
        >>> "good" in gauges([row], lang="en", labels={})
        True
    """
    narrow = width < style.HALF
    left, right = (66.0, 128.0) if narrow else (110.0, 250.0)
    parts: list[str] = []
    y = 4.0
    for row in rows:
        y += 30 if not parts else 46
        x = Scale(float(str(row["low"])), float(str(row["high"])), left, width - right)
        parts += _row(row, x, y, lang, labels)
    return svg.drawing(width, y + 26, parts, finding, lang)


def _row(row: Mapping[str, object], x: Scale, y: float, lang: str, labels: Mapping[str, Text]) -> list[str]:
    value, good = row["value"], bool(row["good"])
    ink = style.FOCAL if good else style.WARN
    parts = [
        svg.words(0, y + 4.5, say(str(row["name"]), labels, lang), fill=style.INK, bold=True),
        svg.line((x.start, y), (x.end, y), style.TRACK, 6),
    ]
    limits = row["limits"]
    for limit in limits if isinstance(limits, list) else []:
        parts.append(svg.line((x(limit), y - 9), (x(limit), y + 9), style.FAINT, 1.2, "2 2"))
        said = style.coefficient(limit, lang)
        parts.append(svg.words(x(limit), y + 20, said, size=11, fill=style.MUTED, anchor="middle"))
    low, high = row.get("conf_low"), row.get("conf_high")
    if known(low) and known(high):
        parts.append(svg.line((x.kept(float(low)), y), (x.kept(float(high)), y), ink, 2.4))
    if not known(value):
        return [*parts, svg.words(x.end + 18, y + 4.5, style.ABSENT, fill=style.MUTED)]
    verdict = row["verdict"]
    parts.append(svg.dot(x.kept(float(value)), y, 6, ink, style.PAPER, 1.4))
    parts.append(svg.words(x.end + 18, y + 5, style.coefficient(float(value), lang, 3), size=14, fill=ink, bold=True))
    said = verdict.say(lang) if isinstance(verdict, Text) else ""
    parts.append(svg.words(x.end + 72, y + 5, said, size=12.5, fill=style.TEXT))
    return parts
