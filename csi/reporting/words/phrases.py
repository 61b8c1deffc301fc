"""The small change of both languages: lists, wave names, capital letters."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from csi.errors import Text
from csi.reporting import style

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DIGITS = "一二三四"


def listed(names: Sequence[Text]) -> Text:
    """Names joined as each language joins them.

    Example:
        >>> listed([Text("price", "资费"), Text("complaints", "投诉"), Text("image", "形象")])
        Text(en='price, complaints and image', zh='资费、投诉和形象')
        >>> listed([Text("price", "资费"), Text("complaints", "投诉")]).zh
        '资费与投诉'
        >>> listed([Text("signs and lifts", "导向与通行"), Text("shops", "商店")]).zh
        '导向与通行、商店'
    """
    en = [n.say("en") for n in names]
    zh = [n.say("zh") for n in names]
    if len(names) <= 1:
        return Text("".join(en), "".join(zh))
    return Text(f"{', '.join(en[:-1])} and {en[-1]}", _joined_zh(zh))


def _joined_zh(names: Sequence[str]) -> str:
    """Two by 与, more by 、 and 和; names that hold such a word themselves by 、 alone."""
    if any(c in name for name in names for c in "与和"):
        return "、".join(names)
    return f"{names[0]}与{names[1]}" if len(names) == 2 else f"{'、'.join(names[:-1])}和{names[-1]}"


def lowered(label: Text) -> Text:
    """A label inside an English sentence: its first letter falls unless the first word is an acronym.

    Example:
        >>> lowered(Text("Perceived value", "感知价值")).en, lowered(Text("SMS service", "短信")).en
        ('perceived value', 'SMS service')
    """
    first = label.en.split(" ", 1)[0]
    en = label.en[:1].lower() + label.en[1:] if first[1:] == first[1:].lower() else label.en
    return Text(en, label.zh)


def capital(text: str) -> str:
    """The first letter of an English sentence."""
    return text[:1].upper() + text[1:]


def begun_heading(heading: Text) -> Text:
    """The heading of a column, in English with a capital letter.

    Example:
        >>> begun_heading(Text("what is done", "处理")).en
        'What is done'
    """
    return Text(capital(heading.en), heading.zh)


def begun(said: str, lang: str = "en") -> str:
    """A note as it stands on a page: an English one begins with a capital letter, unless with a name or a symbol.

    Example:
        >>> begun("everybody is moved."), begun("p_holm counts all."), begun("loy3: no loading.")
        ('Everybody is moved.', 'p_holm counts all.', 'loy3: no loading.')
    """
    return capital(said) if lang == "en" and _WORD.match(said) else said


_WORD = re.compile(r"[a-z]{2,}(?=[ ,-])|a (?=[a-z])")
"""A word that no colon follows: before a colon stand names, of items or settings."""


def sentence(*clauses: Text) -> Text:
    """Clauses as one title: comma in Chinese, semicolon in English; empty ones fall away.

    Example:
        >>> sentence(Text("up 2.0 points", "上升 2.0 分"), Text("", ""), Text("level with A", "与 A 持平"))
        Text(en='Up 2.0 points; level with A', zh='上升 2.0 分，与 A 持平')
    """
    kept = [c for c in clauses if c.en or c.zh]
    return Text(capital("; ".join(c.en for c in kept)), "，".join(c.zh for c in kept))


def wave_name(wave: str) -> Text:
    """A wave in words; a name that follows no known pattern stays as it is.

    Example:
        >>> wave_name("2026Q3"), wave_name("2026-07").zh, wave_name("pilot").zh
        (Text(en='2026 Q3', zh='2026 年第三季度'), '2026 年 7 月', 'pilot')
    """
    if m := re.fullmatch(r"(\d{4})[- ]?[Qq]([1-4])", wave):
        return Text(f"{m[1]} Q{m[2]}", f"{m[1]} 年第{_DIGITS[int(m[2]) - 1]}季度")
    if m := re.fullmatch(r"(\d{4})[- ]?[Hh]([12])", wave):
        return Text(f"{m[1]} H{m[2]}", f"{m[1]} 年{'上' if m[2] == '1' else '下'}半年")
    if (m := re.fullmatch(r"(\d{4})[- ]?[Mm]?(\d{2})", wave)) and 1 <= int(m[2]) <= 12:
        return Text(f"{_MONTHS[int(m[2]) - 1]} {m[1]}", f"{m[1]} 年 {int(m[2])} 月")
    if re.fullmatch(r"\d{4}", wave):
        return Text(wave, f"{wave} 年")
    return Text(wave, wave)


def period(per_year: int) -> Text:
    """What one wave is called when there are `per_year` of them.

    Example:
        >>> period(4), period(7).en
        (Text(en='quarter', zh='季度'), 'wave')
    """
    names = {1: Text("year", "年"), 2: Text("half-year", "半年"), 4: Text("quarter", "季度"), 12: Text("month", "月")}
    return names.get(per_year, Text("wave", "期"))


def arrows(text: str, labels: Mapping[str, Text]) -> Text:
    """`a -> b -> c` by the names of its constructs.

    Example:
        >>> arrows("a -> b", {"a": Text("Image", "形象")})
        Text(en='Image → b', zh='形象 → b')
    """
    names = [labels.get(n, Text(n, n)) for n in text.split(" -> ")]
    return Text(" → ".join(n.en for n in names), " → ".join(n.zh or n.en for n in names))


def named(text: Text, labels: Mapping[str, Text], proper: Mapping[str, Text] | None = None) -> Text:
    """A sentence of a measure, with constructs under their names in words instead of their codes.

    Parameters:
        labels: of constructs; their first letter falls inside a sentence. proper: names such as those of brands, which
            stay as they are.

    Example:
        >>> named(Text("joy ~ use differs", "joy ~ use 有别"), {"joy": Text("Joy", "快乐"), "use": Text("Use", "使用")})
        Text(en='Joy ~ use differs', zh='快乐 ~ 使用有别')
    """
    text = numbered(text)
    called = {**{name: lowered(label) for name, label in labels.items()}, **(proper or {})}
    if not called:
        return text
    codes = "|".join(re.escape(name) for name in sorted(called, key=len, reverse=True))
    found = re.compile(rf"(?<![A-Za-z0-9_.])({codes})(?![A-Za-z0-9_.])")
    en = found.sub(lambda hit: called[hit[1]].en, text.en)
    zh = found.sub(lambda hit: f"\x02{called[hit[1]].zh or called[hit[1]].en}\x03", text.zh)
    zh = re.sub(rf"(?<={_HAN}) (?=\x02{_HAN})|(?<={_HAN}\x03) (?={_HAN})", "", zh)
    return Text(capital(en), re.sub("[\x02\x03]", "", zh))


def numbered(text: Text) -> Text:
    """A sentence with its numbers as each language sets them: APA without the zero of what cannot pass 1, true minus.

    Example:
        >>> numbered(Text("p = 0.040, path -0.672, from 1-10", "p = 0.040，路径 -0.672"))
        Text(en='p = .040, path −0.672, from 1-10', zh='p = 0.040，路径 −0.672')
        >>> numbered(Text("p = .481", "p = .481")).zh
        'p = 0.481'
    """
    en = _BOUNDED.sub(r"\1.", text.en)
    zh = re.sub(r"(?<![\w.)])\.(?=\d)", "0.", text.zh)
    return Text(_NEGATIVE.sub(style.MINUS, en), _NEGATIVE.sub(style.MINUS, zh))


def set_marks(content: str) -> str:
    """Brackets inside full-width brackets are tortoise-shell ones; a percent sign stands at its number; typed signs and
    names of statistics as they are set.

    Example:
        >>> set_marks("P - E, a -> b, 0-100: R2 lower"), set_marks("chi2(4) and Q2predict")
        ('P − E, a → b, 0–100: R² lower', 'χ²(4) and Q²predict')
        >>> set_marks("（不显著；± 为 99% 水平（Holm 校正））"), set_marks("a 95 % interval, p >= 0.05")
        ('（不显著；± 为 99% 水平〔Holm 校正〕）', 'a 95% interval, p ≥ 0.05')
    """
    said = re.sub(r"(?<=\d) %(?!\w)", "%", content)
    for typed, sign in _TYPED.items():
        said = re.sub(typed, sign, said)
    if said.count("（") < 2:
        return said
    depth, made = 0, []
    for c in said:
        depth -= c == "）" and depth > 0
        made.append({"（": "〔", "）": "〕"}.get(c, c) if depth else c)
        depth += c == "（"
    return "".join(made)


def set_in_chinese(content: str) -> str:
    """A space between Chinese and Latin letters or digits, none beside full-width marks.

    Example:
        >>> set_in_chinese("基于2026 年（见 A） 与B")
        '基于 2026 年（见 A）与 B'
    """
    spaced = re.sub(r"(?<=[\u4e00-\u9fff])(?=[A-Za-z0-9])|(?<=[A-Za-z0-9%])(?=[\u4e00-\u9fff])", " ", content)
    return re.sub(r"(?<=[（），。；：、]) +| +(?=[（），。；：、])", "", spaced)


_BOUNDED: Final = re.compile(r"(\b(?:p|r|AVE|CFI|TLI|RMSEA|SRMR|HTMT)(?: \([^()]*\))? ?[=<>≤≥]? ?|R²? ?= ?)0\.(?=\d)")
"""Statistics that cannot pass 1, up to the zero that APA leaves out."""
_TYPED: Final = {
    " >= ": " ≥ ",
    " <= ": " ≤ ",
    " -> ": " → ",
    r"\b0-100\b": "0–100",
    r"\bR2\b": "R²",
    r"\bQ2predict\b": "Q²predict",
    r"\bchi2\b": "χ²",
    r"\b([A-Za-z]\d?) - (?=[A-Z]|[a-z]\d)": r"\1 − ",
}
"""Signs as they are typed where letters are few, and as they are set."""
_HAN: Final = "[\u4e00-\u9fff]"
_NEGATIVE: Final = re.compile(r"(?<![\w.)\-–])-(?=\.?\d)")
"""The hyphen that stands for a minus: nothing before it that it could join."""


def p_said(value: float | None, least: float = 0.0) -> Text:
    """A p-value with its sign: p = .021, p < .001, p ≤ .002 at the floor of its draws.

    Example:
        >>> p_said(0.0213), p_said(0.00001).zh, p_said(0.002, 0.002).en
        (Text(en='p = .021', zh='p = 0.021'), 'p < 0.001', 'p ≤ .002')
    """
    said = {lang: style.p_value(value, lang, least) for lang in ("en", "zh")}
    return Text(*(f"p {s}" if s[0] in "<≤" else f"p = {s}" for s in said.values()))
