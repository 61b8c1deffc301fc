"""Where the focal brand stands and how it moved: the headline, the trend's and the league's finding."""

from __future__ import annotations

from collections.abc import Sequence

from csi.errors import Text
from csi.reporting.tables import printed
from csi.reporting.words.facts import Change, Gap, Standing
from csi.reporting.words.phrases import listed, lowered, period, sentence

EMPTY = Text("", "")
_LAST = {1: "上年", 2: "上一个半年", 4: "上季度", 12: "上月"}


def movement(previous: Change | None, year: Change | None, per_year: int = 4) -> Text:
    """How the index moved; only a significant change is told as one.

    Parameters:
        previous, year: the change against the previous wave and against the wave a year ago; None where there is none.
        per_year: waves in a year, which names the period.

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
    return Text("first measurement, with nothing earlier to compare", "首次测量，尚无可比的前期")


def headline(
    now: Standing,
    weak: Sequence[Text] = (),
    *,
    before: Standing | None = None,
    previous: Change | None = None,
    year: Change | None = None,
    per_year: int = 4,
) -> Text:
    """The answer first: the focal brand's place (or, alone, its movement) and its weak points.

    Parameters:
        now: the league at this wave. before: the league a year ago, None when there was none.
        weak: labels of constructs that are important and weak, the most rewarding first; at most two are named.
        previous, year, per_year: see `movement`; they speak when there is no rival.

    Returns:
        One sentence without a full stop.

    Example:
        >>> ahead = Gap(Text("Yun'an", "云安"), 75.7, 0.8, False)
        >>> once = Gap(Text("Yun'an", "云安"), 74.6, -2.5, True)
        >>> now = Standing(Text("Zhongxun", "中讯"), 76.5, (ahead,))
        >>> then = Standing(Text("Zhongxun", "中讯"), 72.1, (once,))
        >>> headline(now, [Text("Complaints", "投诉")], before=then).zh
        '中讯赶上行业领先者，短板在投诉'
    """
    if now.value is None:
        return Text(
            f"{now.focal.en}: no index this {period(per_year).en}", f"{now.focal.zh}本{period(per_year).zh}不公布指数"
        )
    if now.rivals:
        first = _place(now, before)
    else:
        moved = movement(previous, year, per_year)
        first = Text(f"{now.focal.en}: {moved.en}", f"{now.focal.zh}{moved.zh}")
    return sentence(first, _weakness(weak))


def trend(
    now: Standing,
    earlier: Sequence[Standing] = (),
    *,
    previous: Change | None = None,
    year: Change | None = None,
    per_year: int = 4,
) -> Text:
    """What the lines show: how the focal brand moved and how it stands to the strongest rival.

    Parameters:
        earlier: the league at the earlier waves, oldest first; they decide what happens "for the first time".

    Example:
        >>> rival = Gap(Text("Yun'an", "云安"), 75.7, 0.8, False)
        >>> ahead = Gap(Text("Yun'an", "云安"), 75.0, -3.0, True)
        >>> zhongxun = Text("Zhongxun", "中讯")
        >>> then = Standing(zhongxun, 72.0, (ahead,))
        >>> trend(Standing(zhongxun, 76.5, (rival,)), [then], year=Change(2.0, 1.5, True))
        Text(en="Up 2.0 points in a year; level with Yun'an for the first time", zh='一年上升 2.0 分，首次与云安并肩')
    """
    if now.value is None:
        return Text("No index this time", "本期不公布指数")
    return sentence(movement(previous, year, per_year), _relation(now, earlier))


def league(leaders: Sequence[Text], behind: Sequence[Text], suppressed: Sequence[Text] = ()) -> Text:
    """Who leads, who does not differ from the leader, who is lower.

    Parameters:
        leaders: the highest brand and those that do not differ from it significantly, highest first.
        behind: brands significantly below the highest, highest first. suppressed: brands with too few answers.

    Example:
        >>> a, b, c = Text("A", "甲"), Text("B", "乙"), Text("C", "丙")
        >>> league([a, b], [c])
        Text(en='A and B lead and do not differ; C is significantly lower', zh='甲与乙领先，彼此差异不显著，丙显著落后')
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


def _place(now: Standing, before: Standing | None) -> Text:
    """The focal brand against its rivals, in the light of a year ago."""
    if all(g.behind for g in now.rivals):
        return Text(f"{now.focal.en} leads the sector", f"{now.focal.zh}领先行业")
    return _level_place(now, before) if now.level else _trailing_place(now, before)


def _level_place(now: Standing, before: Standing | None) -> Text:
    """Nobody is significantly ahead: caught up, first within error, or level."""
    leader, me = _top(now), now.focal
    if before is not None and before.value is not None and before.rivals and not before.level:
        return Text(f"{me.en} draws level with the leader", f"{me.zh}赶上行业领先者")
    if now.value is not None and now.value >= leader.value:
        beside = sorted((g for g in now.rivals if not g.behind), key=lambda g: -g.value)
        if len(beside) > 2:
            return Text(
                f"{me.en} shares the lead with {len(beside)} brands", f"{me.zh}与另外 {len(beside)} 个品牌同处领先"
            )
        names = listed([g.brand for g in beside])
        joined = "、".join(g.brand.zh for g in beside)
        return Text(f"{me.en} shares the lead with {names.en}", f"{me.zh}与{joined}同处领先")
    return Text(f"{me.en} is level with the leader, {leader.brand.en}", f"{me.zh}与领先的{leader.brand.zh}不分上下")


def _trailing_place(now: Standing, before: Standing | None) -> Text:
    """Somebody is significantly ahead: lost the lead, last, or behind."""
    leader, me = _top(now), now.focal
    if before is not None and before.level and before.rivals:
        return Text(f"{me.en} falls behind the leader, {leader.brand.en}", f"{me.zh}被领先的{leader.brand.zh}拉开")
    if all(g.ahead for g in now.rivals) and len(now.rivals) > 1:
        return Text(f"{me.en} is last in the sector", f"{me.zh}居行业末位")
    short = printed(abs(leader.difference), "score")
    return Text(
        f"{me.en} trails the leader, {leader.brand.en}, by {short} points",
        f"{me.zh}落后领先的{leader.brand.zh} {short} 分",
    )


def _top(now: Standing) -> Gap:
    """The highest rival; when some are significantly ahead, the highest of those."""
    return max([g for g in now.rivals if g.ahead] or now.rivals, key=lambda g: g.value)


def _weakness(weak: Sequence[Text]) -> Text:
    if not weak:
        return EMPTY
    names = listed([lowered(w) for w in weak[:2]])
    are = "are its weak points" if len(weak[:2]) > 1 else "is its weak point"
    return Text(f"{names.en} {are}", f"短板在{names.zh}")


def _relation(now: Standing, earlier: Sequence[Standing]) -> Text:
    if not now.rivals:
        return EMPTY
    leader = _top(now)
    known = [s for s in earlier if s.value is not None and s.rivals]
    if all(g.behind for g in now.rivals):
        first = known and not any(all(g.behind for g in s.rivals) for s in known)
        return Text("ahead of every rival" + _first_en(first), f"{'首次' if first else ''}领先所有对手")
    if now.level:
        first = known and not any(s.level for s in known)
        return Text(
            f"level with {leader.brand.en}" + _first_en(first),
            f"{'首次' if first else ''}与{leader.brand.zh}{'并肩' if first else '不分上下'}",
        )
    short = printed(abs(leader.difference), "score")
    return Text(f"{short} points behind {leader.brand.en}", f"落后{leader.brand.zh} {short} 分")


def _first_en(first: object) -> str:
    return " for the first time" if first else ""


def _front(leaders: Sequence[Text], behind: Sequence[Text]) -> Text:
    names = listed(leaders)
    if not behind:
        return Text(
            f"No brand differs significantly from {leaders[0].en}, the highest",
            f"没有品牌与最高的{leaders[0].zh}有显著差异",
        )
    rest = listed(behind)
    lower = Text(f"{rest.en} {'is' if len(behind) == 1 else 'are'} significantly lower", f"{rest.zh}显著落后")
    if len(leaders) == 1:
        return sentence(Text(f"{names.en} leads alone", f"{names.zh}单独领先"), lower)
    if len(leaders) == 2:
        return sentence(Text(f"{names.en} lead and do not differ", f"{names.zh}领先，彼此差异不显著"), lower)
    return sentence(Text(f"{names.en} form the leading group", f"{names.zh}同处第一梯队"), lower)


def _left_out(suppressed: Sequence[Text]) -> Text:
    if not suppressed:
        return EMPTY
    names = listed(suppressed)
    return Text(
        f"{names.en} {'has' if len(suppressed) == 1 else 'have'} too few answers to rank",
        f"{names.zh}样本不足，不参与排名",
    )
