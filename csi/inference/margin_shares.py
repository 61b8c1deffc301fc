"""The shares of a margin in one cell, held to the categories that answered."""

from __future__ import annotations

from collections.abc import Mapping

from csi.errors import did_you_mean
from csi.inference.margin_faults import MUCH, OF, Fault, Faults
from csi.inference.margins import Said, lines_of, sized
from csi.moments.raked import APART


def shares_of(
    said: Said, group: tuple[str, ...], have: Mapping[str, float], rows: int
) -> tuple[dict[str, float], float | None]:
    """Category -> share of one margin in one group, for the categories there are.

    Parameters:
        group: its cell of `by`. have: category -> share of the weights. rows: its respondents.

    Raises:
        Faults: E-MARGIN, E-MARGIN-ABSENT.
    """
    lines = lines_of(said, group)
    if not lines:
        en, zh = f"the margin {said.name} has no numbers{OF}.", f"边际 {said.name} 缺少数值{OF}。"
        do, do_zh = "Add its rows, or rake without `by`.", "请补充相应的行，或不按 by 分组。"
        raise Faults([Fault("E-MARGIN", said.place, en, zh, do, do_zh, group)])
    shares, count = sized(said, lines, rows, group)
    apart = next((c for c in have if APART in c.split("*")), None)
    asked = {c: s for c, s in shares.items() if s > 0 or c in have}
    place = {t.category: t.place for t in lines}
    found = []
    for c in [c for c in asked if c not in have]:
        hint = did_you_mean(c, [h for h in have if h not in shares])
        do = f"{hint.en} Merge it with another category, in the margin and in the data.".lstrip()
        do_zh = f"{hint.zh}请在边际与数据中将其与其他类别合并。"
        en = f'nobody{OF} has {said.name} "{c}", whose share should be {asked[c]:.3g}.'
        zh = f"没有 {said.name} 为“{c}”的受访者{OF}，而其占比应为 {asked[c]:.3g}。"
        found.append(Fault("E-MARGIN-ABSENT", place.get(c, said.place), en, zh, do, do_zh, group))
    for c in [c for c in have if c not in shares and APART not in c.split("*")]:
        hint = did_you_mean(c, [s for s in shares if s not in have])
        en = f'{said.name} "{c}" occurs{OF} ({MUCH} % of the answers) but has no margin.'
        zh = f"{said.name} 为“{c}”的受访者{OF}占 {MUCH}%，但边际中没有该类别。"
        do, do_zh = f"{hint.en} Give its share (0 is none).".lstrip(), f"{hint.zh}请给出其占比（不能为 0）。"
        found.append(Fault("E-MARGIN", said.place, en, zh, do, do_zh, group, 100 * have[c]))
    for c in [c for c in have if shares.get(c) == 0]:
        en = f'the margin of {said.name} "{c}" is 0, but {MUCH} % of the answers{OF} are of it.'
        zh = f"{said.name} 为“{c}”的边际为 0，但{OF}有 {MUCH}% 的答卷属于该类。"
        do, do_zh = (
            "Take these respondents out, or give the category a share.",
            "请删除这些受访者，或给该类别一个占比。",
        )
        found.append(Fault("E-MARGIN", place.get(c, said.place), en, zh, do, do_zh, group, 100 * have[c]))
    if found:
        raise Faults(found)
    rest = 1 - sum(have[c] for c in have if c not in shares)
    return {c: shares[c] * rest if c in shares else have[c] for c in have}, count if apart is None else None
