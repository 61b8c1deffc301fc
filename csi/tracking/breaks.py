"""Breaks of a series (another questionnaire, mode or scale) and what a link says across them.

Letters: `c` cells, `m` points of a link's grid.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from csi.display import fixed
from csi.errors import Note, Problems, Reason, Text, did_you_mean, note, problem, reason
from csi.moments.stack import Array, Ints
from csi.tracking.index import Index
from csi.tracking.link_curve import GRID, Link
from csi.tracking.link_shared import Carried, error_covariance
from csi.tracking.row_points import row_points

What = Literal["questionnaire", "mode", "scale", "sample", "other"]

WORDS: Mapping[str, Text] = {
    "questionnaire": Text("the questionnaire changed", "问卷改版"),
    "mode": Text("the mode of interviewing changed", "调查方式改变"),
    "scale": Text("the answer scale changed", "答题量表改变"),
    "sample": Text("the sampling changed", "抽样方式改变"),
    "other": Text("the measurement changed", "测量方式改变"),
}
"""What broke the series."""


@dataclass(frozen=True, slots=True)
class Break:
    """From `wave` on the measurement is another one.

    Attributes:
        wave: the first wave of the new form. what: which kind. text: its words, where the kind does not say enough.
        link: what scores before are in the new form: one link for every construct, or construct -> link.
        refused: why a link that was asked for could not be made, else None.
        doubt: why it is taken for a break though nobody declared it. only: the constructs it is of; None for all.

    Example:
        >>> Break("2025Q1", "scale").said.en
        'the answer scale changed in 2025Q1'
    """

    wave: str
    what: What = "questionnaire"
    text: Text = field(default_factory=lambda: Text("", ""))
    link: Link | Mapping[str, Link] | None = None
    refused: Reason | None = None
    doubt: Reason | None = None
    only: frozenset[str] | None = None

    def link_of(self, construct: str) -> Link | None:
        """The link of a construct's index."""
        return self.link.get(construct) if isinstance(self.link, Mapping) else self.link

    @property
    def said(self) -> Text:
        """What happened and when."""
        words = WORDS[self.what]
        more = f" ({self.text.say('en')})" if self.text.say("en") else ""
        more_zh = f"（{self.text.say('zh')}）" if self.text.say("zh") else ""
        return Text(f"{words.en} in {self.wave}{more}", f"{self.wave} 期{words.zh}{more_zh}")


def check_breaks(breaks: Sequence[Break], order: Sequence[str]) -> None:
    """Raise for a break at a wave that does not exist, or at the first, which has nothing before it; for two at one.

    Raises:
        Problems: E-BREAK.
    """
    found = []
    for at, one in enumerate(breaks):
        if one.wave in [b.wave for b in breaks[:at]]:
            en, zh = f"two breaks at {one.wave}.", f"{one.wave} 期有两个断点。"
            do, do_zh = "Join them to one break with one link.", "请合并为一个断点，只给一个衔接。"
            found.append(problem("E-BREAK", "breaks", en, zh, do, do_zh))
        elif one.wave not in order:
            hint = did_you_mean(one.wave, order)
            en, zh = f'a break at "{one.wave}", which is no wave.', f"断点“{one.wave}”不在各期之中。"
            found.append(problem("E-BREAK", "breaks", en, zh, hint.en, hint.zh))
        elif one.wave == order[0]:
            en, zh = f"a break at {one.wave}, the first wave.", f"断点 {one.wave} 为首期。"
            do, do_zh = "Name the first wave of the new form.", "请写明新形式的首期。"
            found.append(problem("E-BREAK", "breaks", en, zh, do, do_zh))
    if found:
        raise Problems(found)


def between(
    breaks: Sequence[Break], order: Sequence[str], earlier: str, later: str, construct: str | None = None
) -> list[Break]:
    """The breaks that a comparison of two waves goes across, oldest first; of a construct those that are of it.

    Example:
        >>> [b.wave for b in between([Break("w2"), Break("w4")], ["w1", "w2", "w3", "w4"], "w1", "w3")]
        ['w2']
    """
    place = {w: i for i, w in enumerate(order)}
    mine = [b for b in breaks if construct is None or b.only is None or construct in b.only]
    crossed = [b for b in mine if place[earlier] < place[b.wave] <= place[later]]
    return sorted(crossed, key=lambda b: place[b.wave])


def wall(breaks: Sequence[Break], order: Sequence[str], earlier: str, later: str, construct: str) -> Reason | None:
    """Why two waves are not compared: a break without a link lies between them."""
    for one in between(breaks, order, earlier, later, construct):
        if one.doubt is not None:
            return one.doubt
        if one.link_of(construct) is None:
            why = one.refused
            if why is not None:
                en = f"{one.said.en}, and the link is refused: {why.text.en}"
                return reason("R-LINK-REFUSED", en, f"{one.said.zh}，且衔接被拒绝：{why.text.zh}")
            en = f"{one.said.en}, and no link is given."
            return reason("R-BREAK", en, f"{one.said.zh}，且未给出衔接。")
    return None


def methods(breaks: Sequence[Break], order: Sequence[str], earlier: str, later: str, construct: str) -> str | None:
    """The links that a comparison of two waves goes through."""
    links = [b.link_of(construct) for b in between(breaks, order, earlier, later, construct)]
    return " + ".join(one.method for one in links if one is not None) or None


def bridged(index: Index, construct: int, breaks: Sequence[Break], order: Sequence[str]) -> Index:
    """The index with a construct's earlier waves in points of the later forms, as far as links reach.

    A cell before a linked break gets `I + sum_i d_i (e(y_i) - y_i) / sum_i d_i`, y the index scores of its respondents;
    its sampling error is stretched as the scores are. The link's error is common to all cells it maps: it is added to
    their covariance (`Index.linked`): in every comparison across the break, cancelling within the old form.
    Respondents behind a link who answered in the waves enter with their covariance (`csi.tracking.link_shared`).

    Raises:
        Problems: E-LINK where an index lies outside all scores that its link was found on.
    """
    if index.copies:
        each = tuple(bridged(copy, construct, breaks, order) for copy in index.copies)
        return replace(index, values=np.mean([copy.values for copy in each], axis=0), copies=each)
    name = index.constructs[construct]
    place = {w: i for i, w in enumerate(order)}
    at = np.array([place[w] for w in index.cells["wave"].to_list()])
    c = index.cells.height
    values, factor = index.values[:, construct].copy(), np.ones(c)
    scores = [_scores(index, construct, i) for i in range(c)]
    carried: list[Carried] = []
    start = 0
    for one in sorted(breaks, key=lambda b: place[b.wave]):
        made = one.link_of(name)
        if one.only is not None and name not in one.only:
            continue
        if made is None:
            start = place[one.wave]
            continue
        mapped: Ints = np.flatnonzero((at >= start) & (at < place[one.wave]) & np.isfinite(values))
        _check_reach(made, values[mapped], one.wave)
        hat, stretch = np.zeros((c, GRID.size)), np.ones(c)
        for i in mapped:
            y, d = scores[i]
            moved = made.of(y)
            hat[i] = _hat(y, d)
            values[i] += d @ (moved - y) / d.sum()
            stretch[i] = _stretch(y, moved, d, made)
            scores[i] = (moved, d)
        factor *= stretch
        carried = [replace(x, hat=x.hat * stretch[:, None]) for x in carried] + [Carried(made, hat)]
    error = error_covariance(index, construct, carried, factor)
    return _carried(index, construct, values, factor, error)


def _check_reach(made: Link, values: Array, wave: str) -> None:
    """Raise where an index lies outside all scores that the link was found on.

    Raises:
        Problems: E-LINK.
    """
    if made.reach is None or not values.size:
        return
    low, high = made.reach
    if low - 1e-9 <= values.min() and values.max() <= high + 1e-9:
        return
    en = f"those who answered both forms scored {fixed(low, 1)} to {fixed(high, 1)} (0-100) on the old one; indices "
    en += f"before {wave} are {fixed(float(values.min()), 1)} to {fixed(float(values.max()), 1)}."
    zh = f"同时回答两种形式者在旧形式上得 {fixed(low, 1)} 至 {fixed(high, 1)} 分（0–100），"
    zh += f"{wave} 之前的指数为 {fixed(float(values.min()), 1)} 至 {fixed(float(values.max()), 1)}。"
    do = "Say what scales the scores are on, scales: [[min, max], [min, max]], or use method: stated."
    do_zh = "请以 scales: [[最小, 最大], [最小, 最大]] 说明得分所在的量表，或改用 method: stated。"
    raise Problems([problem("E-LINK", f"waves: breaks {wave}", en, zh, do, do_zh)])


def stage(breaks: Sequence[Break], order: Sequence[str], earlier: str, later: str) -> int:
    """How many breaks, oldest first, two waves are bridged over: those up to the later one, none within one form.

    Example:
        >>> breaks, order = [Break("w2"), Break("w4")], ["w1", "w2", "w3", "w4"]
        >>> [stage(breaks, order, *pair) for pair in (("w1", "w2"), ("w2", "w3"), ("w3", "w4"))]
        [1, 0, 2]
    """
    if not between(breaks, order, earlier, later):
        return 0
    place = {w: i for i, w in enumerate(order)}
    return sum(place[b.wave] <= place[later] for b in breaks)


def forms_of(
    index: Index, construct: int, breaks: Sequence[Break], order: Sequence[str], stages: Iterable[int]
) -> dict[int, Index]:
    """The index bridged over its first breaks, by their number; 0 is the index as it was measured."""
    oldest = sorted(breaks, key=lambda b: order.index(b.wave))
    return {k: bridged(index, construct, oldest[:k], order) if k else index for k in sorted({0, *stages})}


def _scores(index: Index, construct: int, cell: int) -> tuple[Array, Array]:
    """Index scores of a cell's respondents and their weights; the index itself where there are no rows."""
    found = row_points(index, construct, cell)
    if found is None or index.sample is None or not found[0].size:
        return index.values[[cell], construct], np.ones(1)
    rows, points = found
    return points, index.sample.weight[rows]


def _hat(y: Array, d: Array) -> Array:
    """(m,) weights of the grid's points that interpolate and average scores."""
    at = np.clip(y, GRID[0], GRID[-1])
    low = np.minimum(at.astype(np.int64), GRID.size - 2)
    share = at - low
    found = np.bincount(low, d * (1 - share), GRID.size) + np.bincount(low + 1, d * share, GRID.size)
    weights: Array = found / d.sum()
    return weights


def _stretch(y: Array, moved: Array, d: Array, made: Link) -> float:
    """How the spread of scores changes under the link: its slope, where there is no spread to see."""
    w = d / d.sum()
    before, after = (float(np.sqrt(w @ (v - w @ v) ** 2)) for v in (y, moved))
    if before > 0:
        return after / before
    return float((made.of(y + 1.0) - made.of(y - 1.0))[0] / 2.0)


def _carried(index: Index, construct: int, values: Array, factor: Array, error: Array) -> Index:
    """The index with new values of one construct and everything that goes with them."""
    every = index.values.copy()
    every[:, construct] = values
    drawn = index.replicates
    if drawn is not None:
        drawn = drawn.copy()
        drawn[:, :, construct] = values + factor * (drawn[:, :, construct] - index.values[:, construct])
    influence = None if index.influence is None else index.influence.stretched(construct, factor)
    linked = {**index.linked, construct: error + index.linked.get(construct, 0.0)}
    return replace(index, values=every, replicates=drawn, influence=influence, linked=linked)


def break_notes(breaks: Sequence[Break], constructs: Sequence[str]) -> tuple[Note, ...]:
    """What is said of breaks and links under a table of changes."""
    notes: list[Note] = []
    for one in breaks:
        if one.doubt is not None:
            if one.only is None or one.only & set(constructs):
                notes.append(note("W-SCALE-BREAK", _capital(one.doubt.text.en), one.doubt.text.zh))
            continue
        links = {id(x): x for x in (one.link_of(c) for c in constructs) if x is not None}
        if not links and one.refused is not None:
            why = one.refused.text
            en, zh = f"{one.said.en}; the link is refused: {why.en}", f"{one.said.zh}；衔接被拒绝：{why.zh}"
            notes.append(note("W-LINK-REFUSED", _capital(en), zh))
        elif not links:
            en, zh = f"{one.said.en}: no change is printed across it.", f"{one.said.zh}：不跨越该处比较。"
            notes.append(note("N-BREAK", _capital(en), zh))
        for made in links.values():
            en, zh = f"{one.said.en}; linked: {made.sentence.en}", f"{one.said.zh}；已衔接：{made.sentence.zh}"
            notes += [note("N-BREAK-LINKED", _capital(en), zh), *made.notes, *_who(made)]
    return tuple(notes)


def _who(made: Link) -> tuple[Note, ...]:
    """Whether the respondents behind a link are known among those of the waves."""
    if made.method in {"stated", "given"}:
        return ()
    if made.behind is None:
        en = (
            "No respondent behind the link is known among those of the waves (they are looked for by name under waves: "
        )
        en += "{respondents: same}): its error counts as independent."
        zh = "衔接样本的受访者未与各期受访者对应（仅在 waves: {respondents: same} 时核对姓名）：其误差按独立处理。"
        return (note("N-LINK-APART", en, zh),)
    if made.method == "items":
        en = "The link is made of the waves' own respondents; the standard errors contain their covariance."
        return (note("N-LINK-SHARED", en, "衔接由各期受访者自身估计；其与指数的协方差已计入标准误。"),)
    n = made.behind.count
    en = f"{n} respondents behind the link also answered in the waves; the standard errors contain their covariance."
    return (note("N-LINK-SHARED", en, f"衔接样本中有 {n} 名受访者也在各期中作答；其协方差已计入标准误。"),)


def _capital(said: str) -> str:
    return said[0].upper() + said[1:]
