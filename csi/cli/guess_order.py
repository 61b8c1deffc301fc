"""The order of words on a scale: by customary ladders of words, and by how Chinese and English say degrees."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from csi.survey.readers.labelled import reason_of
from csi.survey.worded import plain

LADDERS: Final = """
poor; fair; good; very good; excellent
very poor, terrible, very bad, awful; poor, bad; fair, average, ok, okay, acceptable, neutral; good;
  very good, excellent, great
terrible; poor; average; good; excellent
poor; fair, average; good; excellent
poor; average, fair; good
below average; average; above average
never; rarely, seldom; sometimes, occasionally; often, frequently, usually, most of the time; always
never; rarely, seldom; occasionally; sometimes; often, frequently; usually; always
not at all; a little, slightly; somewhat, moderately; quite a bit, very much, a lot; extremely, a great deal
far below expectations; below expectations; met expectations, meets expectations; above expectations,
  exceeded expectations, exceeds expectations;
  far above expectations, far exceeded expectations, far exceeds expectations
definitely not, definitely would not, definitely will not;
  probably not, probably would not, probably will not;
  might or might not, maybe, not sure, unsure, undecided;
  probably, probably yes, probably would, probably will; definitely, definitely yes, definitely would, definitely will
很差, 非常差, 极差; 差, 较差, 比较差; 一般, 中等, 及格, 中; 良, 良好, 好, 较好, 比较好; 优, 优秀, 很好, 非常好, 极好
差, 不及格; 一般, 中, 及格; 良, 良好; 优, 优秀
从不, 从来不, 从来没有, 从未; 很少, 极少, 偶尔; 有时, 有时候; 经常, 常常; 总是, 一直
从不, 从来不, 从未; 偶尔, 很少; 经常, 常常; 总是, 一直
远低于预期, 远低于期望; 低于预期, 略低于预期, 低于期望; 符合预期, 达到预期, 与预期相符, 符合期望; 高于预期, 超出预期,
  略高于预期, 超过预期, 高于期望, 超出期望; 远高于预期, 远超预期, 远超出预期, 远高于期望
"""
"""Words by point, lowest first: points apart by ;, words for the same point by a comma."""

KNOWN: Final = tuple(
    tuple(frozenset(word.strip() for word in point.split(",")) for point in line.split(";"))
    for line in LADDERS.replace("\n  ", " ").strip().split("\n")
)
"""The same, as sets."""

MIDDLE: Final = (
    r"一般般?|中立|普通|尚可|还可以|还行|中等|适中|说不上|说不清楚?|无所谓|不好说|不确定|不一定|持平|差不多|既不.*也不.*|"
    r"neutral|neither|neither .* n?or .*|undecided|unsure|not sure|average|ok|okay|so-so|indifferent|mixed|"
    r"(about )?the same|no difference|might or might not.*|it depends|no change"
)
"""What stands in the middle."""

ZH: Final = (
    (r"一点也不|一点都不|根本不|毫不|绝不", -3.4), (r"不太|不大|不怎么|不是很|不是特别|不很|不够", -1.2), (r"不", -2.0),
    (r"完全|绝对|极其|极为|极|强烈", 3.3), (r"非常|十分|特别|肯定|一定", 3.0), (r"很|相当", 2.8),
    (r"比较|较为|较", 1.5), (r"还算|基本上?|大致|可能|大概|也许|应该", 1.2), (r"有一?点儿?|有些|稍微?|略微?", 1.0),
)  # fmt: skip
"""How Chinese says degrees: the beginning of a word, and how far from the middle it is; below 0 turned over."""

EN: Final = (
    (r"not at all", -3.4), (r"not (very|so|too|that|really|particularly)", -1.2), (r"not", -2.0),
    (r"extremely|completely|totally|absolutely|entirely|fully", 3.3),
    (r"very|strongly|highly|definitely|much|really", 3.0),
    (r"mostly|moderately|generally|largely", 1.8), (r"quite|fairly|rather|reasonably", 1.6),
    (r"somewhat|partly|probably|tend to|partially|mildly", 1.3), (r"slightly|a little|a bit", 1.0),
)  # fmt: skip
"""The same in English."""

PLAINLY: Final = 2.0
"""How far a word without a degree is from the middle."""

OPPOSITE: Final = {
    "差": "好", "糟": "好", "糟糕": "好", "坏": "好", "低": "高", "慢": "快", "少": "多", "难": "容易", "困难": "容易",
    "贵": "便宜", "弱": "强", "反对": "赞成", "讨厌": "喜欢", "失望": "满意", "消极": "积极", "负面": "正面",
    "bad": "good", "poor": "good", "negative": "positive", "worse": "better", "difficult": "easy", "hard": "easy",
    "low": "high", "slow": "fast", "expensive": "cheap", "oppose": "favor", "false": "true",
}  # fmt: skip
"""Words that say the contrary of another."""

STRAIGHT: Final = {"不错": "好", "satisfactory": "satisfied"}
"""Words that are another in other letters."""

TURNED: Final = re.compile(
    r"(?:dis|un|in)(satisfied|satisfactory|agree|likely|important|happy|favou?rable|comfortable|willing|true|clear|"
    r"helpful|reliable|friendly|interested|acceptable|fair|reasonable|convenient|pleasant|like)\b"
)
"""English words turned over by their beginning."""

UNIPOLAR: Final = (r"not at all", r"slightly|a little", r"moderately|somewhat", r"very", r"extremely")
"""Five degrees from nothing on: not at all satisfied, ..., extremely satisfied."""


@dataclass(frozen=True, slots=True)
class Degree:
    """How far a word is from the middle (0) and in which direction, and of what it speaks."""

    value: float
    stem: str


def order_of(words: Sequence[str]) -> tuple[dict[str, int], int] | None:
    """The codes of words from 1, lowest first, and the points of their scale; None where the order is not known.

    Points that nobody named are counted where the other side of the scale has them.

    Example:
        >>> order_of(["满意", "非常不满意", "一般", "非常满意"])
        ({'非常不满意': 1, '一般': 3, '满意': 4, '非常满意': 5}, 5)
        >>> order_of(["Agree", "Strongly agree", "Disagree", "Strongly disagree"])[1], order_of(["红", "绿"])
        (4, None)
    """
    if len({plain(w) for w in words}) < max(len(words), 2):
        return None
    return _unipolar(words) or _degrees(words) or _ladder(words)


def degree_of(word: str) -> Degree | None:
    """The degree of a word.

    Example:
        >>> degree_of("不太满意"), degree_of("Very dissatisfied"), degree_of("一般")
        (Degree(value=-1.2, stem='满意'), Degree(value=-3.0, stem='satisfied'), Degree(value=0.0, stem=''))
    """
    text = plain(word)
    if re.fullmatch(MIDDLE, text):
        return Degree(0.0, "")
    steps = EN if text.isascii() else ZH
    blank = r"\s+" if text.isascii() else ""
    value, sign, stem = PLAINLY, 1.0, STRAIGHT.get(text, text)
    while stem not in STRAIGHT and (step := next((s for s in steps if re.match(f"(?:{s[0]}){blank}", stem)), None)):
        rest = re.sub(f"^(?:{step[0]}){blank}", "", stem, count=1)
        if not rest:
            break
        if step[1] < 0:
            value, sign = (value if step[1] == -PLAINLY else -step[1]), -sign
        else:
            value = 1.2 if sign < 0 and value == PLAINLY and step[1] > PLAINLY else step[1]
        stem = rest
    return _turned(value * sign, STRAIGHT.get(stem, stem))


def _turned(value: float, stem: str) -> Degree | None:
    """A degree with its word turned to the better one of a pair."""
    found = TURNED.match(stem)
    if found:
        return Degree(-value, STRAIGHT.get(found[1], found[1]) + stem[found.end() :])
    if stem in OPPOSITE:
        return Degree(-value, OPPOSITE[stem])
    return Degree(value, stem) if re.fullmatch(r"[\u4e00-\u9fff]{1,12}|[a-z][a-z' ]{1,30}", stem) else None


def _degrees(words: Sequence[str]) -> tuple[dict[str, int], int] | None:
    """Codes by degrees: all words speak of one thing, some with a degree or beside a middle."""
    told = {w: degree_of(w) for w in words}
    found = {w: d for w, d in told.items() if d is not None}
    values = [d.value for d in found.values()]
    plainly = all(abs(v) == PLAINLY for v in values)
    if len(found) < len(words) or len(set(values)) < len(values) or len({d.stem for d in found.values()} - {""}) != 1:
        return None
    if plainly or (0.0 in values and len(values) == 2 and all(v in (0.0, PLAINLY, -PLAINLY) for v in values)):
        return None
    below, above = (sorted(abs(v) for v in values if v * sign > 0) for sign in (-1, 1))
    side = max(len(below), len(above))
    even = len(below) == len(above) > 1 and 0.0 not in values
    points = 2 * side + (not even)
    codes = {}
    for word, degree in found.items():
        own, other = (below, above) if degree.value < 0 else (above, below)
        far = 0 if degree.value == 0 else _step(abs(degree.value), own, other if len(other) > len(own) else own)
        codes[word] = side + 1 - far if degree.value <= 0 else points - side + far
    codes = dict(sorted(codes.items(), key=lambda pair: pair[1]))
    return (codes, points) if len(set(codes.values())) == len(codes) else None


def _step(value: float, own: Sequence[float], longer: Sequence[float]) -> int:
    """Which step from the middle a degree is, where the longer side of the scale has all steps."""
    if len(own) == len(longer):
        return own.index(value) + 1
    near = [min((abs(step - one), place) for place, step in enumerate(longer, 1))[1] for one in own]
    return near[own.index(value)]


def _unipolar(words: Sequence[str]) -> tuple[dict[str, int], int] | None:
    """Codes of degrees from nothing on: "not at all" beside slight, moderate or extreme ones, and nothing contrary."""
    codes: dict[str, int] = {}
    stems: set[str] = set()
    for word in words:
        found = next(
            ((p, m) for p, d in enumerate(UNIPOLAR, 1) if (m := re.match(rf"(?:{d})\s+(?=\w)", plain(word)))), None
        )
        if found is None:
            return None
        codes[word] = found[0]
        stems.add(plain(word)[found[1].end() :])
    telling = {1} < set(codes.values()) and len(stems) == 1 and len(set(codes.values())) == len(codes)
    return (dict(sorted(codes.items(), key=lambda pair: pair[1])), len(UNIPOLAR)) if telling else None


def _ladder(words: Sequence[str]) -> tuple[dict[str, int], int] | None:
    """Codes by the first customary ladder that holds all words, one for each point where there is such a one."""
    hits = []
    for ladder in KNOWN:
        places = {w: next((p for p, same in enumerate(ladder, 1) if plain(w) in same), 0) for w in words}
        if all(places.values()) and len(set(places.values())) == len(words):
            hits.append((dict(sorted(places.items(), key=lambda pair: pair[1])), len(ladder)))
    whole = [hit for hit in hits if len(hit[0]) == hit[1]]
    told = [hit for hit in hits if len(words) > 2]
    return next(iter([*whole, *told]), None)


def unsure(codes: Sequence[str]) -> list[str]:
    """The words of a scale's middle that may mean "don't know" as well.

    Example:
        >>> unsure(["同意", "不确定", "不同意"])
        ['不确定']
    """
    return [word for word in codes if reason_of(word)]
