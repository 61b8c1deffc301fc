"""Where the focal brand stands and how it moved: the headline, the trend's and the league's finding."""

from __future__ import annotations

from collections.abc import Sequence

from csi.errors import Text
from csi.reporting.tables import printed
from csi.reporting.words.facts import Change, Gap, Standing
from csi.reporting.words.phrases import listed, lowered, period, sentence

EMPTY = Text("", "")
_LAST = {1: "上年", 2: "上一个半年", 4: "上季度", 12: "上月"}


def movement(previous: Change | None, year: Change | None, per_year: int = 4, untold: Text | None = None) -> Text:
    """How the index moved; only a significant change is told as one.

    Parameters:
        previous, year: the change against the previous wave and against the wave a year ago; None where there is none.
        per_year: waves in a year, which names the period. untold: why no change is told although there are earlier
            waves; None for a first measurement.

    Returns:
        A clause without a subject.

    Example:
        >>> movement(None, Change(2.0, 1.5, True)).zh
        '一年上升 2.0 分'
        >>> movement(Change(-1.8, 1.5, True), Change(2.0, 1.5, True)).en
        'up 2.0 points in a year but down 1.8 on the previous quarter'
        >>> movement(None, None).zh
        '首次测量，尚无可比的前期'
    """
    if per_year == 1:  # the previous wave is the year-ago wave
        previous, year = None, year or previous
    span = period(per_year)
    on = Text(f"on the previous {span.en}", f"较{_LAST.get(per_year, '上期')}")
    if year is not None and year.significant:
        clause = Text(f"{_way(year).en} {_size(year)} points in a year", f"一年{_way(year).zh} {_size(year)} 分")
        if previous is None or not previous.significant or previous.difference * year.difference > 0:
            return clause
        back = Text(
            f" but {_way(previous).en} {_size(previous)} {on.en}",
            f"，但{on.zh}{_way(previous).zh} {_size(previous)} 分",
        )
        return Text(clause.en + back.en, clause.zh + back.zh)
    if previous is not None and previous.significant:
        return Text(
            f"{_way(previous).en} {_size(previous)} points {on.en}", f"{on.zh}{_way(previous).zh} {_size(previous)} 分"
        )
    if year is not None:
        return Text("no significant change in a year", "一年来无显著变化")
    if previous is not None:
        return Text(f"no significant change {on.en}", f"{on.zh}无显著变化")
    first = Text("first measurement, with nothing earlier to compare", "首次测量，尚无可比的前期")
    return first if untold is None else untold


def headline(
    now: Standing,
    weak: Sequence[Text] = (),
    *,
    most: Text | None = None,
    previous: Change | None = None,
    year: Change | None = None,
    per_year: int = 4,
    untold: Text | None = None,
) -> Text:
    """The answer first: the focal brand's place (or, alone, its movement) and its weak points or largest gain.

    Parameters:
        now: the league at this wave. A year's movement against a rival is told only where `Gap.since` is significant:
            that one gap is significant and another is not says nothing about the difference between them.
        weak: labels of constructs that are important and tested to be weak, the most rewarding first; two are named.
        most: the driver whose expected gain is larger than every other's; named where nothing is weak.
        previous, year, per_year, untold: see `movement`; they speak when there is no rival.

    Returns:
        One sentence without a full stop.

    Source:
        Gelman & Stern (2006), The American Statistician 60(4): significant beside not significant is no difference.

    Example:
        >>> rival = Gap(Text("Yun'an", "云安"), 77.3, -0.8, False, since=Change(2.4, 1.9, True))
        >>> now = Standing(Text("Zhongxun", "中讯"), 76.5, (rival,))
        >>> headline(now, [Text("Complaints", "投诉")]).zh
        '中讯一年来相对领先的云安提高 2.4 分，目前差异不显著，短板在投诉'
        >>> level = Standing(now.focal, 76.5, (Gap(rival.brand, 77.3, -0.8, False),))
        >>> headline(level, most=Text("Perceived quality", "感知质量")).zh
        '中讯与领先的云安差异不显著（相差 0.8 分），提升感知质量的预期增益最大'
    """
    if now.value is None:
        return Text(
            f"{now.focal.en}: no index this {period(per_year).en}", f"{now.focal.zh}本{period(per_year).zh}不公布指数"
        )
    if now.rivals:
        first = _place(now)
    else:
        moved = movement(previous, year, per_year, untold)
        first = Text(f"{now.focal.en}: {moved.en}", f"{now.focal.zh}{moved.zh}")
    return sentence(first, _weakness(weak, alone=not now.rivals) if weak else _reward(most))


def trend(
    now: Standing,
    *,
    previous: Change | None = None,
    year: Change | None = None,
    per_year: int = 4,
    untold: Text | None = None,
) -> Text:
    """What the lines show: how the focal brand moved and how it stands to the strongest rival now.

    Example:
        >>> rival = Gap(Text("Yun'an", "云安"), 75.7, 0.8, False)
        >>> said = trend(Standing(Text("Zhongxun", "中讯"), 76.5, (rival,)), year=Change(2.0, 1.5, True))
        >>> said.en
        "Up 2.0 points in a year; no significant difference from Yun'an (gap 0.8)"
        >>> said.zh
        '一年上升 2.0 分，与云安差异不显著（相差 0.8 分）'
    """
    if now.value is None:
        return Text("No index this time", "本期不公布指数")
    return sentence(movement(previous, year, per_year, untold), _relation(now))


def league(leaders: Sequence[Text], behind: Sequence[Text], suppressed: Sequence[Text] = ()) -> Text:
    """Who is highest, who does not differ from that brand, who is below it; nothing of the others among themselves.

    Parameters:
        leaders: the highest brand and those that do not differ from it significantly, highest first.
        behind: brands significantly below the highest, highest first. suppressed: brands with too few answers.

    Example:
        >>> a, b, c = Text("A", "甲"), Text("B", "乙"), Text("C", "丙")
        >>> league([a, b], [c]).zh
        '甲最高，乙与其差异不显著，丙显著低于甲'
    """
    if len(leaders) + len(behind) <= 1:
        alone = Text("Only one brand: nothing to rank", "只有一个品牌，无从排名")
        alone = alone if leaders else Text("No brand has an index to rank", "没有可供排名的指数")
        return sentence(alone, _left_out(suppressed))
    return sentence(_front(leaders, behind), _left_out(suppressed))


def _way(change: Change) -> Text:
    return Text("up", "上升") if change.difference > 0 else Text("down", "下降")


def _size(change: Change) -> str:
    return printed(abs(change.difference), "score")


def _place(now: Standing) -> Text:
    """The focal brand against its rivals."""
    if all(g.behind for g in now.rivals):
        return Text(f"{now.focal.en} leads the sector", f"{now.focal.zh}领先行业")
    return _level_place(now) if now.level else _trailing_place(now)


def _level_place(now: Standing) -> Text:
    """Nobody is significantly ahead: moved against the strongest rival, highest, or not told apart from the leader."""
    rival, me = _top(now), now.focal
    first = now.value is not None and now.value >= rival.value
    if rival.since is not None and rival.since.significant:
        return _moved(me, rival, rival.since, leader=not first)
    if not first:
        return Text(
            f"{me.en} does not differ significantly from the leader, {rival.brand.en} ({_gap(rival).en})",
            f"{me.zh}与领先的{rival.brand.zh}差异不显著（{_gap(rival).zh}）",
        )
    beside = sorted((g for g in now.rivals if not g.behind), key=lambda g: -g.value)
    if len(beside) == 1:
        return Text(
            f"{me.en} is highest but does not differ significantly from {rival.brand.en} ({_gap(rival).en})",
            f"{me.zh}最高，但与{rival.brand.zh}差异不显著（{_gap(rival).zh}）",
        )
    both = Text(listed([g.brand for g in beside]).en, "、".join(g.brand.zh for g in beside))
    others = both if len(beside) == 2 else Text(f"{len(beside)} brands", f"另外 {len(beside)} 个品牌")
    return Text(
        f"{me.en} is highest but does not differ significantly from {others.en}",
        f"{me.zh}最高，但与{others.zh}差异均不显著",
    )


def _moved(me: Text, rival: Gap, since: Change, *, leader: bool) -> Text:
    """What a year added to the gap to the strongest rival, where that itself is significant."""
    size = printed(abs(since.difference), "score")
    name = Text(f"the leader, {rival.brand.en},", f"领先的{rival.brand.zh}") if leader else rival.brand
    way = Text("gained", "提高") if since.difference > 0 else Text("lost", "下降")
    on = "on" if since.difference > 0 else "to"
    return Text(
        f"{me.en} {way.en} {size} points {on} {name.en} in a year and does not differ significantly from it now",
        f"{me.zh}一年来相对{name.zh}{way.zh} {size} 分，目前差异不显著",
    )


def _trailing_place(now: Standing) -> Text:
    """Somebody is significantly ahead: last, or behind, and by how much more or less than a year ago."""
    leader, me = _top(now), now.focal
    if all(g.ahead for g in now.rivals) and len(now.rivals) > 1:
        return Text(f"{me.en} is last in the sector", f"{me.zh}居行业末位")
    short, since = printed(abs(leader.difference), "score"), leader.since
    tail = EMPTY
    if since is not None and since.significant:
        size = printed(abs(since.difference), "score")
        way = Text("fewer", "缩小") if since.difference > 0 else Text("more", "扩大")
        tail = Text(f", {size} {way.en} than a year ago", f"，差距一年来{way.zh} {size} 分")
    return Text(
        f"{me.en} trails the leader, {leader.brand.en}, by {short} points{tail.en}",
        f"{me.zh}落后领先的{leader.brand.zh} {short} 分{tail.zh}",
    )


def _gap(rival: Gap) -> Text:
    """How far a rival is, without a verdict."""
    size = printed(abs(rival.difference), "score")
    return Text(f"gap {size}", f"相差 {size} 分")


def _top(now: Standing) -> Gap:
    """The highest rival; when some are significantly ahead, the highest of those."""
    return max([g for g in now.rivals if g.ahead] or now.rivals, key=lambda g: g.value)


def _weakness(weak: Sequence[Text], *, alone: bool = False) -> Text:
    """The one or two weak points; without rivals the subject may be plural ("All respondents"), so no "its"."""
    if not weak:
        return EMPTY
    names = listed([lowered(w) for w in weak[:2]])
    if alone:
        return Text(f"weak {'points' if len(weak[:2]) > 1 else 'point'}: {names.en}", f"短板在{names.zh}")
    are = "are its weak points" if len(weak[:2]) > 1 else "is its weak point"
    return Text(f"{names.en} {are}", f"短板在{names.zh}")


def _reward(most: Text | None) -> Text:
    if most is None:
        return EMPTY
    name = lowered(most)
    return Text(f"most to gain from {name.en}", f"提升{name.zh}的预期增益最大")


def _relation(now: Standing) -> Text:
    if not now.rivals:
        return EMPTY
    leader = _top(now)
    if all(g.behind for g in now.rivals):
        return Text("ahead of every rival", "领先所有对手")
    if now.level:
        return Text(
            f"no significant difference from {leader.brand.en} ({_gap(leader).en})",
            f"与{leader.brand.zh}差异不显著（{_gap(leader).zh}）",
        )
    short = printed(abs(leader.difference), "score")
    return Text(f"{short} points behind {leader.brand.en}", f"落后{leader.brand.zh} {short} 分")


def _front(leaders: Sequence[Text], behind: Sequence[Text]) -> Text:
    """Who differs from the highest and who does not; that is all that was asked of each."""
    first, *others = leaders
    if not behind:
        return Text(
            f"No brand differs significantly from {first.en}, the highest", f"没有品牌与最高的{first.zh}有显著差异"
        )
    rest, be = listed(behind), "is" if len(behind) == 1 else "are"
    if not others:
        lower = Text(f"{rest.en} {be} significantly lower", f"{rest.zh}显著落后")
        return sentence(Text(f"{first.en} leads alone", f"{first.zh}单独领先"), lower)
    lower = Text(f"{rest.en} {be} significantly below {first.en}", f"{rest.zh}显著低于{first.zh}")
    same, do = listed(others), "does" if len(others) == 1 else "do"
    return sentence(
        Text(
            f"{first.en} is highest, from which {same.en} {do} not differ significantly",
            f"{first.zh}最高，{same.zh}与其差异不显著",
        ),
        lower,
    )


def _left_out(suppressed: Sequence[Text]) -> Text:
    if not suppressed:
        return EMPTY
    names = listed(suppressed)
    return Text(
        f"{names.en} {'has' if len(suppressed) == 1 else 'have'} too few answers to rank",
        f"{names.zh}样本不足，不参与排名",
    )
