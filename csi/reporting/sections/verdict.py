"""The answer first: the headline of a report."""

from __future__ import annotations

import math

from csi.errors import Text
from csi.reporting import words
from csi.reporting.analysis import Analysis
from csi.reporting.section import Headline
from csi.reporting.sections.drawn import formula_id, here
from csi.reporting.sections.measurement import measurement_finding
from csi.reporting.sections.priorities import most_to_gain, weak_points
from csi.reporting.sections.standings import change, standing, untold
from csi.reporting.tables import printed


def headline(a: Analysis, kind: str = "quarterly") -> Headline:
    """Kicker, sentence, the focal brand's index with its interval and changes, and the line under the sentence.

    The sentence of a paper judges the measurement.
    """
    row = here(a, a.target).filter(brand=a.focal).row(0, named=True)
    told = _changes(a, change(a, "previous"), change(a, "year"))
    return Headline(
        kicker=_kicker(a),
        sentence=_sentence(a, kind),
        value=_number(row["index"]),
        conf_low=_number(row["conf_low"]),
        conf_high=_number(row["conf_high"]),
        changes=tuple((said, c.difference, _number(c.half_width), c.significant) for said, c in told),
        dateline=_dateline(a),
        level=a.index.level,
        levels=tuple(c.level for _, c in told),
    )


def _sentence(a: Analysis, kind: str) -> Text:
    if kind == "paper" and a.cell is not None:
        return measurement_finding(a, a.cell)
    return words.headline(
        standing(a, a.wave),
        [a.label(c) for c in weak_points(a)],
        most=most_to_gain(a),
        previous=change(a, "previous"),
        year=change(a, "year"),
        per_year=a.study.settings.waves_per_year,
        untold=untold(a),
    )


def _kicker(a: Analysis) -> Text:
    """The study's title, and the sector where the title does not name it."""
    title, sector = a.study.title, a.study.sector
    pairs = ((title.en, sector.en), (title.zh, sector.zh))
    en, zh = (" • ".join(t for t in (name, "" if of in name else of) if t) for name, of in pairs)
    return Text(en, zh)


def _changes(
    a: Analysis, previous: words.Change | None, year: words.Change | None
) -> tuple[tuple[Text, words.Change], ...]:
    """The changes that are told, each with what it is against."""
    rows = []
    if previous is not None and a.previous is not None and a.study.settings.waves_per_year > 1:
        rows.append((Text(f"vs {words.wave_name(a.previous).en}", "环比"), previous))
    if year is not None and a.year_ago is not None:
        rows.append((Text("vs a year ago", "同比"), year))
    return tuple(rows)


def _dateline(a: Analysis) -> Text:
    """Wave, brands, usable answers, the formula of the index."""
    wave, brands, total = words.wave_name(a.wave), len(a.n), printed(sum(a.n.values()), "count")
    many = Text(f"{brands} brands", f"{brands} 个品牌") if brands > 1 else Text("", "")
    ids = formula_id(a)
    formula = Text(ids.en.removeprefix(", "), ids.zh.removeprefix("，"))
    parts = (wave, many, Text(f"{total} usable interviews", f"{total} 份有效答卷"), formula)
    return Text(" • ".join(p.en for p in parts if p.en), " • ".join(p.zh for p in parts if p.zh))


def behind(a: Analysis) -> Text:
    """Wave, the interviews behind the focal brand's index, and of how many they are where there are several brands."""
    wave, total = words.wave_name(a.wave), printed(sum(a.n.values()), "count")
    own = printed(a.n[a.focal], "count")
    of = f" (of {total}, {len(a.n)} brands)" if len(a.n) > 1 else ""
    of_zh = f"（{len(a.n)} 个品牌共 {total} 份）" if len(a.n) > 1 else ""
    many = Text(f"{own} interviews behind the index{of}", f"指数基于 {own} 份答卷{of_zh}")
    return Text(" • ".join(t for t in (wave.en, many.en) if t), " • ".join(t for t in (wave.zh, many.zh) if t))


def _number(value: float | None) -> float:
    return math.nan if value is None else value
