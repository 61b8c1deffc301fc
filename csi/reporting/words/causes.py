"""What goes with satisfaction and what to improve first: the model, the map, the chain, the stages.

Cross-sectional answers earn "associated", not "effect"; "total effect" stays the technical term.
"""

from __future__ import annotations

from collections.abc import Sequence

from csi.errors import Text
from csi.reporting.tables import printed, signed
from csi.reporting.words.facts import Named
from csi.reporting.words.phrases import capital, listed, lowered, sentence

EMPTY = Text("", "")
LEVEL = Text("The groups do not differ significantly", "各组之间差异不显著")


def model(target: Text, drivers: Sequence[Named], paths: int, significant: int) -> Text:
    """Which constructs go most closely with the target, and how many paths hold.

    Parameters:
        drivers: constructs with their standardised total effect on `target` as `value` and the verdict of its test.
        paths, significant: how many paths the model has and how many are significant.

    Returns:
        At most two drivers are named: the largest significant one and the next if it is at least half as large.

    Example:
        >>> quality = Named(Text("Perceived quality", "感知质量"), 0.62, significant=True)
        >>> said = model(Text("Satisfaction", "满意度"), [quality], 9, 7)
        >>> said.en
        'Satisfaction goes most closely with perceived quality; 7 of 9 paths are significant'
        >>> said.zh
        '与满意度关联最强的是感知质量，9 条路径中 7 条显著'
    """
    real = sorted((d for d in drivers if d.significant), key=lambda d: -abs(d.value))
    counted = held_paths(significant, paths)
    if not real:
        none = Text(
            f"no total effect on {lowered(target).en} can be told from zero", f"对{target.zh}的总效应均与零无显著差异"
        )
        return sentence(none, counted)
    strong = [d.label for d in real[:2] if abs(d.value) >= abs(real[0].value) / 2]
    names = listed([lowered(s) for s in strong])
    return sentence(
        Text(f"{capital(target.en)} goes most closely with {names.en}", f"与{target.zh}关联最强的是{names.zh}"), counted
    )


def held_paths(significant: int, paths: int) -> Text:
    """How many paths are significant.

    Example:
        >>> held_paths(6, 6).zh, held_paths(0, 6).en, held_paths(1, 1).zh
        ('6 条路径全部显著', 'none of the 6 paths is significant', '唯一的路径显著')
    """
    if paths == 1:
        said = "significant" if significant else "not significant"
        return Text(f"the only path is {said}", f"唯一的路径{'' if significant else '不'}显著")
    if significant == paths:
        return Text(f"all {paths} paths are significant", f"{paths} 条路径全部显著")
    if not significant:
        return Text(f"none of the {paths} paths is significant", f"{paths} 条路径均不显著")
    are = "is" if significant == 1 else "are"
    return Text(f"{significant} of {paths} paths {are} significant", f"{paths} 条路径中 {significant} 条显著")


def points(driver: Text, target: Text, effect: float) -> Text:
    """One point of the driver in points of the target (unstandardised total effect on 0-100 scales).

    Example:
        >>> points(Text("Perceived quality", "感知质量"), Text("Satisfaction", "满意度"), 0.453).zh
        '感知质量每高 1 分，满意度相应高 0.45 分（总效应，为关联而非实验结论）。'
    """
    way = Text("higher", "高") if effect >= 0 else Text("lower", "低")
    size = printed(abs(effect), "number")
    return Text(
        f"One point more of {lowered(driver).en} goes with {size} points {way.en} {lowered(target).en} "
        "(total effect; an association, not an experiment).",
        f"{driver.zh}每高 1 分，{target.zh}相应{way.zh} {size} 分（总效应，为关联而非实验结论）。",
    )


def priorities(weak: Sequence[Text], drivers: int, items: Sequence[Text] = (), perhaps: Sequence[Text] = ()) -> Text:
    """What to improve first: the important and weak ones, the most rewarding first.

    Parameters:
        weak: constructs that are important and weak. drivers: how many there are.
        items: items that surely are; they speak, as items, where no construct does.
        perhaps: items that the estimate puts there, the draws not surely; they speak, hedged, where no other does.

    Example:
        >>> priorities([Text("Complaints", "投诉"), Text("Price", "资费")], 6)
        Text(en='Start with complaints and price', zh='先改进投诉与资费')
        >>> priorities([], 6).zh
        '没有既重要又薄弱的环节'
        >>> priorities([], 6, perhaps=[Text("Fair", "合理")]).en
        'No construct is both important and weak; the item “Fair” may be'
    """
    if drivers < 2:
        return Text("One driver only: nothing to rank", "只有一个驱动因素，无从排序")
    if not weak and items:
        some = _quoted(items)
        return Text(
            f"Start with the item{'s' if len(items) > 1 else ''} {some.en}; no construct is both important and weak",
            f"先改进题项{some.zh}，构念层面没有既重要又薄弱的环节",
        )
    if not weak and perhaps:
        some = _quoted(perhaps)
        return Text(
            f"No construct is both important and weak; the item{'s' if len(perhaps) > 1 else ''} {some.en} may be",
            f"构念层面没有既重要又薄弱的环节，题项{some.zh}可能是",
        )
    if not weak:
        return Text("Nothing is both important and weak", "没有既重要又薄弱的环节")
    names = listed([lowered(w) for w in weak[:3]])
    return Text(f"Start with {names.en}", f"先改进{names.zh}")


def _quoted(items: Sequence[Text]) -> Text:
    """The first two wordings in quotation marks."""
    return listed([Text(f"“{i.en}”", f"“{i.zh}”") for i in items[:2]])


def chain(constructs: Sequence[Named], *, sector: bool) -> Text:
    """The focal brand's constructs against the sector mean; without a sector, its highest and lowest.

    Example:
        >>> image = Named(Text("Image", "品牌形象"), 78.0, 2.0, True)
        >>> value = Named(Text("Perceived value", "感知价值"), 66.0, -0.4, False)
        >>> chain([image, value], sector=True)
        Text(en='Image is above the sector mean', zh='品牌形象高于行业均值')
        >>> chain([image, value], sector=False).zh
        '品牌形象最高（78.0），感知价值最低（66.0）'
    """
    if not constructs:
        return Text("No index could be computed", "没有可计算的指数")
    if not sector:
        return _extremes(constructs)
    above = [c.label for c in constructs if c.significant and c.difference > 0]
    below = [c.label for c in constructs if c.significant and c.difference < 0]
    if not above and not below:
        return Text("No construct differs significantly from the sector mean", "各构念与行业均值均无显著差异")
    every = len(constructs)
    return sentence(_side(above, every, "above", "高于"), _side(below, every, "below", "低于"))


def stages(
    cells: Sequence[Named],
    differing: Sequence[tuple[Text, Text, float]],
    *,
    level: Text = LEVEL,
) -> Text:
    """Which groups (stages of the relationship, segments) differ: the lowest first, else the pair furthest apart.

    Parameters:
        cells: groups with their index. differing: every pair that differs significantly, corrected over all pairs:
            the lower group, the higher one, and how far apart they are.
        level: what to say where no pair differs.

    Example:
        >>> first, trial, long = (Text(n, n) for n in ("First use", "Trial", "Long-term"))
        >>> groups = [Named(first, 71.0), Named(trial, 73.4), Named(long, 74.2)]
        >>> stages(groups, [(first, long, 3.2)]).en
        'First use is the lowest group, 3.2 points below long-term'
        >>> stages(groups, [(first, long, 3.2), (first, trial, 2.4)]).en
        'First use is the lowest group, significantly below every other'
        >>> stages(groups, [(trial, long, 0.8)]).en
        'Trial scores 0.8 points lower than long-term'
    """
    if len(cells) < 2:
        return Text("Too few groups may be published to be compared", "可公布的分组不足两个，无从比较")
    if not differing:
        return level
    lowest = min(cells, key=lambda c: c.value).label
    above = [(high, gap) for low, high, gap in differing if low == lowest]
    if not above:
        low, high, gap = max(differing, key=lambda d: d[2])
        size, more = printed(gap, "score"), len(differing) - 1
        rest = Text(f"{more} more {'pair differs' if more == 1 else 'pairs differ'}", f"另有 {more} 对差异显著")
        first = Text(f"{low.en} scores {size} points lower than {lowered(high).en}", f"{low.zh}比{high.zh}低 {size} 分")
        return sentence(first, rest if more else EMPTY)
    if len(above) == 1:
        high, gap = above[0]
        size = printed(gap, "score")
        return Text(
            f"{lowest.en} is the lowest group, {size} points below {lowered(high).en}",
            f"{lowest.zh}是最低的一组，比{high.zh}低 {size} 分",
        )
    names = listed([lowered(h) for h, _ in above])
    names = Text("every other", "其他各组") if len(above) == len(cells) - 1 else names
    return Text(
        f"{lowest.en} is the lowest group, significantly below {names.en}",
        f"{lowest.zh}是最低的一组，显著低于{names.zh}",
    )


def gain(target: Text, step: float, expected: float) -> Text:
    """What a step of one driver would be associated with, in words.

    Example:
        >>> gain(Text("Satisfaction", "满意度"), 5, 2.31).en
        'satisfaction +2.3 per +5'
    """
    return Text(
        f"{lowered(target).en} {signed(expected)} per {signed(step, 'count')}",
        f"每 {signed(step, 'count')} 分，{target.zh} {signed(expected)} 分",
    )


def _extremes(constructs: Sequence[Named]) -> Text:
    high, low = max(constructs, key=lambda c: c.value), min(constructs, key=lambda c: c.value)
    if high is low:
        return Text(
            f"{high.label.en} stands at {printed(high.value, 'score')}",
            f"{high.label.zh}为 {printed(high.value, 'score')}",
        )
    return sentence(
        Text(
            f"highest: {lowered(high.label).en} ({printed(high.value, 'score')})",
            f"{high.label.zh}最高（{printed(high.value, 'score')}）",
        ),
        Text(
            f"lowest: {lowered(low.label).en} ({printed(low.value, 'score')})",
            f"{low.label.zh}最低（{printed(low.value, 'score')}）",
        ),
    )


def _side(names: Sequence[Text], every: int, en: str, zh: str) -> Text:
    """Up to three by name, more by their number."""
    if not names:
        return EMPTY
    if len(names) == every > 3:
        return Text(f"all {every} constructs are {en} the sector mean", f"全部 {every} 个构念{zh}行业均值")
    if len(names) > 3:
        return Text(
            f"{len(names)} of {every} constructs are {en} the sector mean",
            f"{every} 个构念中 {len(names)} 个{zh}行业均值",
        )
    joined = listed([lowered(n) for n in names])
    return Text(f"{joined.en} {'is' if len(names) == 1 else 'are'} {en} the sector mean", f"{joined.zh}{zh}行业均值")
