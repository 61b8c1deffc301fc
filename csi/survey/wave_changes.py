"""What changed in the questionnaire between waves: items added, dropped or reworded, other scales, other labels."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Final, Literal

from csi.errors import Note, Problem, Text, note, problem
from csi.survey.asked import Asked
from csi.survey.codebook import Codebook
from csi.survey.doubts import CHANCE
from csi.survey.former import Ends, Former

What = Literal["added", "dropped", "returned", "reworded", "scale", "labels", "renamed", "new column", "column left"]

WHAT: Final[Mapping[str, Text]] = {
    "added": Text("item added", "新增题项"),
    "dropped": Text("item dropped", "取消题项"),
    "returned": Text("item asked again", "恢复题项"),
    "reworded": Text("item reworded", "题干改写"),
    "scale": Text("another answer scale", "答题量表改变"),
    "labels": Text("answers labelled otherwise", "选项文字改变"),
    "renamed": Text("another column", "列名改变"),
    "new column": Text("new column, read by no item", "新列（无题项读取）"),
    "column left": Text("column that left, read by no item", "不再有的列（无题项读取）"),
}
"""The kinds of change, in the order in which they are told."""

COLUMNS: Final = ("renamed", "new column", "column left")
"""Kinds that are of the export alone."""

BREAKING: Final = ("scale", "added", "dropped", "returned", "reworded", "labels")
"""Kinds that may move an index by themselves; another name of a column does not."""

SHARE: Final = 0.05
"""A part of a scale that fewer use than this may stay unused by chance or by mood, and says nothing of the scale."""


@dataclass(frozen=True, slots=True)
class WaveChange:
    """One change of one item.

    Attributes:
        wave: the first wave of the new form. before: the wave it is compared with. was, now: the two forms. evidence:
            what shows it. declared: the study file says a break of that wave (for a scale: of this item's).
    """

    wave: str
    before: str
    item: str
    what: What
    was: str
    now: str
    evidence: Text
    declared: bool = False


def wave_changes(
    asked: Sequence[Asked], waves: Sequence[str], former: Sequence[Former] = (), breaks: Sequence[str] = ()
) -> tuple[WaveChange, ...]:
    """What changed between each wave and the one before, item by item.

    Parameters:
        asked: how every item stood in every wave. waves: oldest first. former: scales declared of earlier waves.
        breaks: waves at which the study declares a break.

    Example:
        >>> old = Asked("1", "q", "1.csv", "Q1", "How content are you?", dict.fromkeys(range(1, 6), 60))
        >>> new = Asked("2", "q", "2.csv", "Q1", "How content are you?", dict.fromkeys(range(1, 11), 30))
        >>> [(c.what, c.was, c.now) for c in wave_changes([old, new], ["1", "2"])]
        [('scale', '1-5', '1-10')]
    """
    every: dict[str, dict[str, list[Asked]]] = defaultdict(lambda: defaultdict(list))
    for one in asked:
        every[one.item][one.wave].append(one)
    found: list[WaveChange] = []
    for item, by_wave in every.items():
        known = [w for w in waves if w in by_wave]
        last: Asked | None = None
        for before, wave in pairwise(known):
            then, now = _joined(by_wave[before]), _joined(by_wave[wave])
            last = then if then.n else last
            found += _of_pair(item, then, now, last, former, waves, breaks)
    place = {w: i for i, w in enumerate(waves)}
    kinds = list(WHAT)
    return tuple(sorted(found, key=lambda c: (place[c.wave], kinds.index(c.what))))


def _joined(parts: Sequence[Asked]) -> Asked:
    """An item in one wave, whatever files it stands in."""
    if len(parts) == 1:
        return parts[0]
    told = max(parts, key=lambda one: one.n)
    answers: dict[float, int] = {}
    for one in parts:
        for x, n in one.answers.items():
            answers[x] = answers.get(x, 0) + n
    return Asked(told.wave, told.item, told.file, told.column, told.wording, answers, told.labels)


def _of_pair(
    item: str,
    then: Asked,
    now: Asked,
    last: Asked | None,
    former: Sequence[Former],
    waves: Sequence[str],
    breaks: Sequence[str],
) -> Iterator[WaveChange]:
    """The changes of an item from one wave to the next; an item asked again is held against when it was last asked."""
    said = now.wave in breaks
    if not then.n and now.n:
        what: What = "added" if last is None else "returned"
        yield WaveChange(now.wave, then.wave, item, what, "", now.column, _count(now), said)
    if then.n and not now.n:
        yield WaveChange(now.wave, then.wave, item, "dropped", then.column, "", _count(then), said)
    if last is None or not now.n:
        return
    words = [*_reworded(last, now, said=said)]
    yield from words
    yield from _rescaled(last, now, former, waves)
    yield from _relabelled(last, now, said=said)
    if last.column != now.column and not (words and (last.wording, now.wording) == (last.column, now.column)):
        yield WaveChange(now.wave, last.wave, item, "renamed", last.column, now.column, Text("columns", "列名"), said)


def _count(one: Asked) -> Text:
    """How many answered."""
    return Text(f"{one.n:,} answers in {one.wave}", f"{one.wave} 期 {one.n:,} 个回答")


def _reworded(then: Asked, now: Asked, *, said: bool) -> Iterator[WaveChange]:
    """Another wording, but for punctuation, space, width and the question's number."""
    one, other = plain_wording(then.wording), plain_wording(now.wording)
    if not (one and other) or one == other:
        return
    alike = SequenceMatcher(None, one, other, autojunk=False).ratio()
    why = Text(f"wording {alike:.0%} alike", f"题干相似度 {alike:.0%}")
    yield WaveChange(now.wave, then.wave, now.item, "reworded", then.wording, now.wording, why, said)


def plain_wording(text: str) -> str:
    """A question without its number, punctuation, space, width and case.

    Example:
        >>> plain_wording("Q7. Overall, how content are you?") == plain_wording("7、 overall how content are you")
        True
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = plain.lstrip(" \t(（[【q第题0123456789.:：、_-)）]】") or plain
    return "".join(c for c in plain if unicodedata.category(c)[0] in "LNM")


def _rescaled(then: Asked, now: Asked, former: Sequence[Former], waves: Sequence[str]) -> Iterator[WaveChange]:
    """Another scale: stated, told by the labels, or by answers that one wave has many of and the other none."""
    stated = _stated(then, now, former, waves)
    told = _by_labels(then, now) or _by_answers(then, now)
    if stated is None and told is None:
        return
    was, given, why = told or (_ends(*then.ends), _ends(*now.ends), Text("declared", "已声明"))
    if stated is not None and stated.scale is not None:
        was = _ends(*stated.scale)
    yield WaveChange(now.wave, then.wave, now.item, "scale", was, given, why, stated is not None)


def _stated(then: Asked, now: Asked, former: Sequence[Former], waves: Sequence[str]) -> Former | None:
    """The declared change of an item's scale between two waves."""
    place = {w: i for i, w in enumerate(waves)}
    mine = (f for f in former if now.item in f.items and f.wave in place and (f.scale is not None or f.sure))
    return next((f for f in mine if place[then.wave] < place[f.wave] <= place[now.wave]), None)


def _by_labels(then: Asked, now: Asked) -> tuple[str, str, Text] | None:
    """Value labels of other codes."""
    one, other = (sorted(_numbers(x.labels)) for x in (then, now))
    if len(one) < 2 or len(other) < 2 or (one[0], one[-1]) == (other[0], other[-1]):
        return None
    why = Text(f"value labels: {len(one)} and {len(other)} codes", f"选项标签：{len(one)} 个与 {len(other)} 个代码")
    return _ends(one[0], one[-1]), _ends(other[0], other[-1]), why


def _numbers(labels: Mapping[str, str]) -> Iterator[float]:
    for code in labels:
        try:
            yield float(code)
        except ValueError:
            continue


def _by_answers(then: Asked, now: Asked) -> tuple[str, str, Text] | None:
    """Answers beyond the other wave's ends, too many for nobody there to give them by chance."""
    best: tuple[float, Text] | None = None
    for wide, narrow in ((now, then), (then, now)):
        low, high = narrow.ends
        for side, beyond in (("above", high), ("below", low)):
            steps = {x: n for x, n in wide.answers.items() if (x > beyond if side == "above" else x < beyond)}
            k = sum(steps.values())
            share = k / (wide.n + 1)
            sure = low < high and share >= SHARE and (1.0 - share) ** narrow.n < CHANCE and _unbroken(beyond, steps)
            if sure and (best is None or share > best[0]):
                best = share, _beyond(wide, narrow, side, beyond, k)
    return None if best is None else (_ends(*then.ends), _ends(*now.ends), best[1])


def _unbroken(end: float, steps: Iterable[float]) -> bool:
    """Whether answers go on from an end step by step; a code such as 9 beyond 5 stands by itself."""
    return all(abs(b - a) <= 1.0 for a, b in pairwise(sorted([end, *steps])))


def _beyond(wide: Asked, narrow: Asked, side: str, end: float, k: int) -> Text:
    """How many answers of one wave lie where the other has none."""
    en = f"{k / wide.n:.0%} of {wide.wave}'s answers are {side} {end:g}, none of {narrow.wave}'s {narrow.n:,}"
    zh_side = "高于" if side == "above" else "低于"
    zh = f"{wide.wave} 期 {k / wide.n:.0%} 的回答{zh_side} {end:g}，{narrow.wave} 期的 {narrow.n:,} 个回答中没有"
    return Text(en, zh)


def _ends(low: float, high: float) -> str:
    return f"{low:g}-{high:g}"


def _relabelled(then: Asked, now: Asked, *, said: bool) -> Iterator[WaveChange]:
    """Other words for the same code."""
    unlike = [c for c, t in then.labels.items() if c in now.labels and plain_wording(t) != plain_wording(now.labels[c])]
    if unlike:
        was, new = (" / ".join(f"{c} {x.labels[c]}" for c in unlike[:SHOWN]) for x in (then, now))
        why = Text(f"value labels of {len(unlike)} codes", f"{len(unlike)} 个代码的选项标签")
        yield WaveChange(now.wave, then.wave, now.item, "labels", was, new, why, said)


SHOWN: Final = 3
"""Labels, items that a sentence names."""


def change_notes(changes: Sequence[WaveChange]) -> Iterator[Note]:
    """One note per wave and kind of change that nobody declared; another column's name is none."""
    groups: dict[tuple[str, str], list[WaveChange]] = defaultdict(list)
    for one in changes:
        if one.what in {"reworded", "labels"} and not one.declared:
            groups[one.wave, one.what].append(one)
    for (wave, what), found in groups.items():
        names = [c.item for c in found]
        en, zh = _named(names)
        word = WHAT[what]
        said = f"In {wave} {word.en}: {en}. An index across it mixes what was asked with what was felt: see csi waves,"
        said += " and declare a break under waves, breaks, if the meaning changed."
        said_zh = f"{wave} 期{word.zh}：{zh}。跨越该处的指数变化混有问法的变化：见 csi waves；若含义改变，请在"
        yield note("W-REWORDED", said, f"{said_zh} waves 的 breaks 中声明断点。")


def _named(names: Sequence[str]) -> tuple[str, str]:
    """The first names and how many there are."""
    more = len(names) - SHOWN
    en, zh = ", ".join(names[:SHOWN]), "、".join(names[:SHOWN])
    return (f"{en} and {more} more", f"{zh} 等 {len(names)} 个") if more > 0 else (en, zh)


def rescaled_problems(changes: Sequence[WaveChange], asked: Sequence[Asked], codebook: Codebook) -> Iterator[Problem]:
    """Where answers lie outside the codebook's scale because a wave was asked on another one: what to write.

    Only changes that nobody declared, of items whose answers leave their scale in one of the two waves.
    """
    every = [(*key, *one) for key, found in rescaled(changes, asked).items() for one in found]
    for wave, before, names, was, now in every:
        several = sum(1 for other in every if other[:2] == (wave, before)) > 1
        scales = [codebook[name].scale for name in names]
        if all(s.minimum <= min(was[0], now[0]) and max(was[1], now[1]) <= s.maximum for s in scales):
            continue
        en, zh = _named(names)
        said = f"from {wave} on {en} seem to be asked on {_ends(*now)}, in {before} on {_ends(*was)}."
        said_zh = f"自 {wave} 期起 {zh} 的量表似为 {_ends(*now)}，{before} 期为 {_ends(*was)}。"
        whose = f", items: [{', '.join(names)}]" if several else ""
        entry = f"waves: {{breaks: [{{wave: {wave}, what: scale, scale: [{was[0]:g}, {was[1]:g}]{whose}}}]}}"
        do = (
            f"Give the codebook the scale of today ({_ends(*now)}) and declare the former one, {entry}; csi waves STUDY"
        )
        do += " says what was seen."
        do_zh = f"请在编码簿中写现行量表（{_ends(*now)}），并声明原量表：{entry}；依据见 csi waves 研究文件。"
        yield problem("E-SCALE-WAVE", "waves: breaks", said, said_zh, do, do_zh)


Scales = tuple[tuple[str, ...], Ends, Ends]
"""Items, and the ends that they were answered between before and since."""


def rescaled(changes: Sequence[WaveChange], asked: Sequence[Asked]) -> dict[tuple[str, str], tuple[Scales, ...]]:
    """(wave, wave before) -> items whose scale changed undeclared, those of the same two scales together, most first.

    Items are taken together because the lowest answer of a single one may be given by nobody.
    """
    stood: dict[tuple[str, str], list[Asked]] = defaultdict(list)
    for one in asked:
        if one.answers:
            stood[one.wave, one.item].append(one)
    groups: dict[tuple[str, str], list[list[tuple[Asked, Asked]]]] = defaultdict(list)
    for change in changes:
        if change.what != "scale" or change.declared:
            continue
        pair = _joined(stood[change.before, change.item]), _joined(stood[change.wave, change.item])
        found = groups[change.wave, change.before]
        home = next((group for group in found if _alike(pair, group)), None)
        if home is None:
            found.append([pair])
        else:
            home.append(pair)
    return {key: tuple(_scales(g) for g in sorted(found, key=len, reverse=True)) for key, found in groups.items()}


def _scales(group: Sequence[tuple[Asked, Asked]]) -> Scales:
    was, now = (_pooled([pair[i].ends for pair in group]) for i in (0, 1))
    return tuple(pair[1].item for pair in group), was, now


def _alike(pair: tuple[Asked, Asked], group: Sequence[tuple[Asked, Asked]]) -> bool:
    """Whether an item may have been asked on a group's scales: what one leaves unused is unused by chance."""
    return all(_by_chance(pair[i], _joined([one[i] for one in group])) for i in (0, 1))


def _by_chance(one: Asked, other: Asked) -> bool:
    """Whether answers of either that lie beyond the other's may be missing there by chance."""
    for wide, narrow in ((one, other), (other, one)):
        low, high = narrow.ends
        beyond = sum(n for x, n in wide.answers.items() if x < low or x > high)
        if (1.0 - beyond / (wide.n + 1)) ** narrow.n < CHANCE:
            return False
    return True


def _pooled(ends: Sequence[Ends]) -> Ends:
    return min(low for low, _ in ends), max(high for _, high in ends)


def proposed(
    changes: Sequence[WaveChange], asked: Sequence[Asked], waves: Sequence[str], of: Collection[str] | None = None
) -> tuple[str, ...]:
    """Entries for `waves: breaks:` that nobody wrote yet, a line each, oldest first.

    Parameters:
        of: the items that matter (of the model), None for all.

    Example:
        >>> old = Asked("1", "q", "1.csv", "Q1", answers=dict.fromkeys(range(1, 6), 60))
        >>> new = Asked("2", "q", "2.csv", "Q1", answers=dict.fromkeys(range(1, 11), 30))
        >>> proposed(wave_changes([old, new], ["1", "2"]), [old, new], ["1", "2"])
        ('- {wave: "2", what: scale, scale: [1, 5], items: [q], en: "another answer scale: q", zh: "答题量表改变：q"}',)
    """
    changes = [c for c in changes if of is None or c.item in of]
    scales = {wave: found for (wave, _), found in rescaled(changes, asked).items()}
    lines = []
    for wave in waves:
        mine = [c for c in changes if c.wave == wave and c.what in BREAKING and not c.declared]
        if not mine:
            continue
        parts = {k: _named([c.item for c in mine if c.what == k]) for k in WHAT if any(c.what == k for c in mine)}
        en = "; ".join(f"{WHAT[k].en}: {names[0]}" for k, names in parts.items())
        zh = "；".join(f"{WHAT[k].zh}：{names[1]}" for k, names in parts.items())
        first, *more = [
            f"scale, scale: [{was[0]:g}, {was[1]:g}], items: [{', '.join(names)}]"
            for names, was, _ in scales.get(wave, ())
        ] or ["questionnaire"]
        lines.append(f'- {{wave: "{wave}", what: {first}, en: "{en}", zh: "{zh}"}}')
        lines += [f'- {{wave: "{wave}", what: {what}}}' for what in more]
    return tuple(lines)
