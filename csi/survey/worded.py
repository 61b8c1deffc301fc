"""Answers given in words ("满意", "Agree"): which code each word has, and what to say where nobody told."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from csi.errors import Problem, problem
from csi.survey.codebook import Codebook, Item, Scale
from csi.survey.columns import ROW, Picked

CUSTOMARY: Final = """
很不满意 非常不满意 极不满意; 不满意 不太满意 比较不满意; 一般 中立 说不上; 满意 比较满意; 很满意 非常满意 十分满意
非常不同意 完全不同意 很不同意; 不同意 不太同意 比较不同意; 一般 中立 不确定 说不清; 同意 比较同意; 非常同意 完全同意
非常不符合 完全不符合; 不符合 不太符合 比较不符合; 一般 不确定 中立; 符合 比较符合; 非常符合 完全符合
很差 非常差; 差 较差 比较差; 一般 中等; 好 较好 比较好; 很好 非常好
非常不愿意 很不愿意; 不愿意 不太愿意 比较不愿意; 一般 不确定 中立; 愿意 比较愿意; 非常愿意 很愿意
非常不可能 很不可能 肯定不会; 不可能 不太可能 可能不会; 一般 不确定; 可能 比较可能 可能会; 非常可能 很可能 肯定会
非常不重要 很不重要; 不重要 不太重要 比较不重要; 一般; 重要 比较重要; 非常重要 很重要
从不 从来没有; 很少 偶尔; 有时; 经常; 总是 一直
very_dissatisfied extremely_dissatisfied; dissatisfied somewhat_dissatisfied; neutral neither
  neither_satisfied_nor_dissatisfied; satisfied somewhat_satisfied; very_satisfied extremely_satisfied
strongly_disagree completely_disagree; disagree somewhat_disagree; neutral neither undecided
  neither_agree_nor_disagree; agree somewhat_agree; strongly_agree completely_agree
very_poor terrible; poor bad; fair average ok acceptable neutral; good; very_good excellent
very_unlikely extremely_unlikely not_at_all_likely; unlikely somewhat_unlikely; neutral
  neither_likely_nor_unlikely; likely somewhat_likely; very_likely extremely_likely
not_at_all_important very_unimportant; slightly_important unimportant; moderately_important neutral
  ; important; very_important extremely_important
never; rarely; sometimes; often; always
"""
"""Customary words of five points, lowest first, a set of words for each point; a blank within a word is _."""

STANDARD: Final = tuple(
    tuple(tuple(word.replace("_", " ") for word in point.split()) for point in line.split(";"))
    for line in CUSTOMARY.replace("\n  ", " ").strip().split("\n")
)
"""The same, by set and point."""

MANY: Final = 5
"""Fewer cells that are no numbers are slips."""

LISTED: Final = 8
"""Words that a message names."""


def plain(text: str) -> str:
    """A word as it is compared: lower case, no blanks around, one blank within.

    Example:
        >>> plain("  Very  Satisfied ")
        'very satisfied'
    """
    return " ".join(text.replace("\u3000", " ").split()).lower()


def words_of(item: Item, picked: Picked) -> dict[str, str]:
    """The code of each word of an item: by the value labels of the file, overruled by the scale's `labels`."""
    labels = picked.raw.labels.get(picked.columns.get(item.name, ""), {})
    told = {plain(word): code for code, label in labels.items() for word in {label, *label.split(" / ")}}
    told |= {plain(word): code for code, words in item.scale.labels.items() for word in words}
    return {word: code for word, code in told.items() if not _is_number(word)}


def coded(text: pl.Expr, words: Mapping[str, str]) -> pl.Expr:
    """Text with the codes of its words; what is no word stays.

    Example:
        >>> frame = pl.DataFrame({"q": ["Very  satisfied", "4", None, "x"]})
        >>> frame.select(coded(pl.col("q"), {"very satisfied": "5"}))["q"].to_list()
        ['5', '4', None, 'x']
    """
    if not words:
        return text
    return text.replace_strict(words, default=None, return_dtype=pl.String).fill_null(
        compared(text).replace_strict(words, default=None, return_dtype=pl.String).fill_null(text)
    )


def compared(text: pl.Expr) -> pl.Expr:
    """As `plain`, for a column."""
    return text.str.replace_all(r"[\s\u3000]+", " ").str.strip_chars().str.to_lowercase()


def worded(picked: Picked, codebook: Codebook) -> dict[str, int]:
    """How many answers of each item were read from words, where there are any.

    Answers that mean the absence of one are counted, too.
    """
    items = [(i, words) for i in codebook.items if i.name not in picked.absent and (words := words_of(i, picked))]
    counts = picked.frame.select(compared(pl.col(i.name)).is_in(list(w)).sum().alias(i.name) for i, w in items)
    found = counts.collect(engine="in-memory") if items else pl.DataFrame()
    return {name: int(found[name][0]) for name in found.columns if found[name][0]}


def proposed(words: Sequence[str], scale: Scale) -> dict[str, str]:
    """Codes for words by their own numbers ("5 - very good"), or by customary words; empty where neither tells.

    Example:
        >>> proposed(["满意", "很不满意"], Scale("five", 1, 5))
        {'1': '很不满意', '4': '满意'}
        >>> proposed(["5 - best", "1 - worst"], Scale("five", 1, 5))
        {'1': '1 - worst', '5': '5 - best'}
    """
    leading = {word: found[1] for word in words if (found := re.match(r"(\d+)\s*[-–—.:：、=分(（]", word.strip()))}
    if 1 < len(leading) == len(words) == len(set(leading.values())):
        return {code: word for word, code in sorted(leading.items(), key=lambda pair: int(pair[1]))}
    if scale.maximum - scale.minimum != POINTS - 1:
        return {}
    best: dict[str, str] = {}
    for custom in STANDARD:
        points = {word: place for place, same in enumerate(custom) for word in same}
        hits = {f"{scale.minimum + points[plain(w)]:g}": w for w in words if plain(w) in points}
        best = hits if len(hits) > len(best) else best
    return dict(sorted(best.items(), key=lambda pair: float(pair[0])))


POINTS: Final = 5
"""Points of the customary words."""


def word_scales(
    bad: Mapping[tuple[str, str], pl.DataFrame], codebook: Codebook, answered: Mapping[str, int]
) -> dict[tuple[str, str], pl.DataFrame]:
    """The scales of files whose items hold words, not slips: all their cells that are no numbers, with their item.

    Parameters:
        bad: (file, item) -> cells that are no numbers: `typed`, `ROW`. answered: file -> its answer sheets.
    """
    pooled: dict[tuple[str, str], list[pl.DataFrame]] = {}
    for (file, name), rows in bad.items():
        cells = rows.select(pl.col(ROW).alias("row"), pl.col("typed").str.strip_chars(), pl.lit(name).alias("item"))
        pooled.setdefault((file, codebook[name].scale.name), []).append(cells)
    found = {}
    for (file, scale), parts in pooled.items():
        cells = pl.concat(parts)
        if in_words(cells["typed"], answered[file] * len(parts), codebook.scale(scale)):
            found[file, scale] = cells
    return found


def in_words(typed: pl.Series, answered: int, scale: Scale) -> bool:
    """Whether the cells that are no numbers are answers in words: customary ones, or most of what is there."""
    words = typed.drop_nulls().unique().to_list()
    if any(re.fullmatch(r"[\d.,，．\s]+", w) for w in words):
        return False
    return bool(scale.labels) or bool(proposed(words, scale)) or (typed.len() >= MANY and 2 * typed.len() > answered)


def word_problem(file: str, scale: Scale, every: pl.DataFrame) -> Problem:
    """The words of one scale that have no code, each with how often and where first."""
    words = every.group_by("typed", maintain_order=True).agg(pl.len().alias("n"), pl.first("row"), pl.first("item"))
    some = list(words.head(LISTED).iter_rows(named=True))
    more = words.height - len(some)
    listed = ", ".join(f'"{_shown(w["typed"])}" ({w["n"]}, row {w["row"]} of {w["item"]})' for w in some)
    listed_zh = "、".join(f"“{_shown(w['typed'])}”（{w['n']} 个，{w['item']} 第 {w['row']} 行）" for w in some)
    items = every["item"].unique(maintain_order=True).to_list()
    names = ", ".join(items[:LISTED]) + (", ..." if len(items) > LISTED else "")
    hint = proposed([str(w) for w in words["typed"].to_list()], scale)
    known = {code: text for code, same in scale.labels.items() for text in same[:1]}
    lines = ", ".join(f"{c}: {_yaml(t)}" for c, t in {**known, **hint}.items()) or f"{scale.minimum:g}: WORD, ..."
    count = f"1 answer ({names}) is a word" if every.height == 1 else f"{every.height} answers ({names}) are words"
    ask, ask_zh = ("for example", "例如") if hint else ("in the form", "格式")
    return problem(
        "E-LABELS",
        f"{file}, scale {scale.name}",
        f"{count} without a code: {listed}{', ...' if more > 0 else '.'}",
        f"有 {every.height} 个回答（{names}）是没有代码的文字：{listed_zh}{'……' if more > 0 else '。'}",
        f"State their codes at scale {scale.name} of the codebook, {ask} labels: {{{lines}}}; a word that means no "
        "answer belongs under `missing`.",
        f"请在编码簿量表 {scale.name} 中写明各文字的代码，{ask_zh} labels: {{{lines}}}；"
        "表示无回答的文字请写入 missing。",
    )


def _yaml(text: str) -> str:
    """A word as it stands in a file of YAML."""
    return text if re.fullmatch(r"[^\W\d_][\w ]*", text) else f'"{_shown(text)}"'


def _shown(text: str) -> str:
    """A word in one line of at most 40 characters."""
    one = "".join(c if c.isprintable() else "·" for c in text)
    return one if len(one) <= 40 else one[:40] + "..."


def _is_number(text: str) -> bool:
    """Whether a word is a number by itself."""
    try:
        return float(text) == float(text)
    except ValueError:
        return False
