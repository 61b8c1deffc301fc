"""What a published matrix does not have and a model or its settings ask for."""

from __future__ import annotations

from collections.abc import Iterator

from csi.errors import Problem, problem
from csi.moments.stack import Moments


def unmet(groups: str | None, moments: Moments, *, means: bool, missing: str) -> Iterator[Problem]:
    """Groups, or means, that are asked for and that published moments do not have.

    Parameters:
        groups: the setting. means: whether the model has a mean structure. missing: absent answers need rows, of which
            another message speaks.

    Example:
        >>> [p.code for p in unmet("school", Moments.of(["a"], [[1.0]], n=9), means=True, missing="listwise")]
        ['E-GROUP', 'E-MEANS']
    """
    if groups is not None and not moments.groups:
        en = f'the moments have no groups, and groups="{groups}" asks for several.'
        zh = f'给出的矩没有分组，而 groups="{groups}" 要求多组。'
        do = 'Give the moments of each group, csi.Moments.grouped({"a": ..., "b": ...}), or a frame with that column.'
        do_zh = '请用 csi.Moments.grouped({"a": ..., "b": ...}) 给出各组的矩，或使用含该列的数据框。'
        yield problem("E-GROUP", "groups", en, zh, do, do_zh)
    if means and not moments.known_means and missing not in {"fiml", "two-stage"}:
        en = "the model has a mean structure, and the moments come without means."
        zh = "模型包含均值结构，而给出的矩没有均值。"
        do = (
            "Give them, csi.Moments.of(names, cov, n, mean=[...]), or leave intercepts, growth= and meanstructure= out."
        )
        do_zh = "请给出均值 csi.Moments.of(names, cov, n, mean=[...])，或去掉截距、growth= 与 meanstructure=。"
        yield problem("E-MEANS", "data", en, zh, do, do_zh)
