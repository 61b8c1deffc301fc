"""How things look and how numbers are written: colours, sizes, and the digits of each language.

One focal colour, one warning colour, greys for everything else; the same two mean the same thing in every figure.
Text greys keep a contrast of at least 4.5:1 on the paper.
"""

from __future__ import annotations

import math

from csi.display import at_floor, p_digits, rounded_up

PAPER = "#fcfbf7"
INK = "#1b2126"
TEXT = "#33393d"
MUTED = "#5f6468"
FAINT = "#8c8f8d"
HAIR = "#e4e1d8"
TRACK = "#e1ddd2"
STEEL = "#3c454c"
FOCAL = "#0b7a6e"
FOCAL_DARK = "#06433d"
FOCAL_PALE = "#b9d9d3"
WARN = "#b8431f"
WARN_PALE = "#f6e8e2"
OTHERS = ("#5b6b78", "#8c6d49", "#6f7375", "#68775d", "#856981", "#4f6a6d", "#816f55")

SANS = "CSI Sans, Noto Sans SC, Noto Sans CJK SC, Source Han Sans SC, PingFang SC, Microsoft YaHei, sans-serif"
SERIF = "CSI Serif, CSI Sans, Noto Serif SC, Noto Serif CJK SC, Source Han Serif SC, Songti SC, serif"

FULL = 1040
HALF = 508
PHONE = 360
SHEET, HALF_SHEET = 640, 312
"""Of drawings for A4: 17 cm for so many units, so that letters of 10 units are 7.5 points high."""

AA = 4.5
"""The contrast that text needs on what it stands on."""

MINUS = "\u2212"
ABSENT = "–"


def brand_colour(rank: int) -> str:
    """The grey of the brand at place `rank` (0-based) among those that are not focal.

    Example:
        >>> brand_colour(0) == brand_colour(len(OTHERS))
        True
    """
    return OTHERS[rank % len(OTHERS)]


def _absent(value: float | None) -> bool:
    return value is None or not math.isfinite(value)


def score(value: float | None, decimals: int = 1) -> str:
    """A 0-100 value with one decimal.

    Example:
        >>> score(76.46), score(None)
        ('76.5', '–')
    """
    return ABSENT if value is None or _absent(value) else _minus(f"{value:.{decimals}f}")


def change(value: float | None, decimals: int = 1) -> str:
    """A signed difference with a true minus; a rounded zero has no sign.

    Example:
        >>> change(0.72), change(-2.0), change(0.01)
        ('+0.7', '−2.0', '0.0')
    """
    if value is None or _absent(value):
        return ABSENT
    digits = f"{value:+.{decimals}f}"
    return digits[1:] if float(digits) == 0 else _minus(digits)


def coefficient(value: float | None, lang: str = "en", decimals: int = 2) -> str:
    """A standardised value: APA drops the leading zero (.62), Chinese journals keep it (0.62).

    Example:
        >>> coefficient(0.62), coefficient(-0.04), coefficient(0.62, "zh"), coefficient(1.02)
        ('.62', '−.04', '0.62', '1.02')
    """
    if value is None or _absent(value):
        return ABSENT
    digits = f"{value:.{decimals}f}"
    if float(digits) == 0:
        digits = digits.lstrip("-")
    if lang != "zh":
        digits = digits.replace("0.", ".", 1) if abs(float(digits)) < 1 else digits
    return _minus(digits)


def p_value(value: float | None, lang: str = "en", least: float = 0.0) -> str:
    """A p-value with three decimals, never zero; one at the floor of its draws is a bound.

    Parameters:
        value: the p-value. lang: "zh" or "en". least: the least that its permutations or resamples can give.

    Example:
        >>> p_value(0.0213), p_value(0.0000213), p_value(0.0000213, "zh"), p_value(1 / 300, least=1 / 300)
        ('.021', '< .001', '< 0.001', '≤ .004')
    """
    if value is None or _absent(value):
        return ABSENT
    if value < 0.001:
        return "< 0.001" if lang == "zh" else "< .001"
    if at_floor(value, least):
        return f"≤ {coefficient(rounded_up(value), lang, 3)}"
    return coefficient(value, lang, p_digits(value, least))


def share(value: float | None, decimals: int = 1) -> str:
    """A fraction as a percentage.

    Example:
        >>> share(0.0874), share(-0.339)
        ('8.7%', '−33.9%')
    """
    return ABSENT if value is None or _absent(value) else _minus(f"{100 * value:.{decimals}f}") + "%"


def count(value: float | None) -> str:
    """A whole number in groups of three.

    Example:
        >>> count(2642)
        '2,642'
    """
    return ABSENT if value is None or _absent(value) else f"{value:,.0f}"


def span(low: float | None, high: float | None, lang: str = "en", *, of: str = "score") -> str:
    """An interval: 75.4–77.6 for scores, ".55, .69" for coefficients (a dash would read as minus).

    A bound that excludes zero but rounds to it brings a third decimal.

    Example:
        >>> span(75.41, 77.6), span(-0.04, 0.1, of="coefficient")
        ('75.4–77.6', '−.04, .10')
        >>> span(0.0031, 0.262, of="coefficient")
        '.003, .262'
    """
    if low is None or high is None or _absent(low) or _absent(high):
        return ""
    if of == "score":
        return f"{score(low)}–{score(high)}"
    sided = (low > 0 or high < 0) and min(abs(low), abs(high)) < 0.005  # .00 would read as holding zero
    return f"{coefficient(low, lang, 3 if sided else 2)}, {coefficient(high, lang, 3 if sided else 2)}"


def shade(low: str, high: str, part: float) -> str:
    """The colour `part` (0-1) of the way from `low` to `high`.

    Example:
        >>> shade("#000000", "#ffffff", 0.5)
        '#808080'
    """
    part = min(max(part, 0.0), 1.0)
    pairs = [(int(low[i : i + 2], 16), int(high[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{int(a + (b - a) * part + 0.5):02x}" for a, b in pairs)


def readable_on(fill: str) -> str:
    """Ink, white or black on `fill`: the first with a contrast of 4.5, which one of them always has (WCAG 2 AA).

    Example:
        >>> readable_on("#ffffff") == INK, readable_on("#06433d")
        (True, '#ffffff')
    """
    return next(ink for ink in (INK, "#ffffff", "#000000") if contrast(ink, fill) >= AA)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21.

    Source: WCAG 2.2, definition of contrast ratio.

    Example:
        >>> round(contrast("#000000", "#ffffff"))
        21
        >>> contrast(MUTED, PAPER) > 4.5
        True
    """
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _minus(digits: str) -> str:
    if digits.startswith("-") and float(digits) == 0:
        return digits[1:]
    return digits.replace("-", MINUS)
