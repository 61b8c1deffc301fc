"""Columns that rules read and that are neither keys nor items: attention items, a device, an interviewer, a mode."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

from csi.errors import Language, Problem, Problems, Text, did_you_mean, problem
from csi.survey.codebook import KEY_ROLES, Codebook
from csi.survey.datafile import Raw
from csi.survey.rules import Rules

DEVICE_KEY, INTERVIEWER, MODE = "device", "interviewer", "mode"

Place = Callable[[str], str]
"""The place of a key under `rules`, for messages."""


def named_columns(rules: Rules, codebook: Codebook) -> dict[str, str]:
    """Name in the panel -> column of the export, of all columns that the rules name and the codebook does not know."""
    own = {n: n for n in rules.attention if n not in codebook.names and n not in codebook.keys}
    roles = ((DEVICE_KEY, rules.device), (INTERVIEWER, rules.interviewer), (MODE, rules.mode))
    return own | {name: column for name, column in roles if column}


def passing(rules: Rules, codebook: Codebook) -> tuple[str, ...]:
    """The columns that end with the rules: nothing of a device or a check enters the panel."""
    stay = (INTERVIEWER, MODE)
    return tuple(name for name in named_columns(rules, codebook) if name not in stay)


def without(codebook: Codebook, names: Collection[str]) -> Codebook:
    """The codebook without these keys."""
    return replace(codebook, keys={role: column for role, column in codebook.keys.items() if role not in names})


def with_rule_columns(codebook: Codebook, raws: Sequence[Raw], rules: Rules, lang: Language = "en") -> Codebook:
    """The codebook with the columns that the rules name among its keys.

    Raises:
        Problems: E-RULES for what `rule_problems` finds; E-COLUMN for a column that no export has.
    """
    wanted = named_columns(rules, codebook)
    have = list(dict.fromkeys(column for raw in raws for column in raw.frame.columns))
    found = list(rule_problems(rules, codebook))
    for name, column in wanted.items():
        if column not in have:
            files = ", ".join(raw.name for raw in raws)
            what = Text(
                f'no column "{column}" (needed by the rules: {name}).', f"没有“{column}”列（规则 {name} 需要）。"
            )
            hint = did_you_mean(column, have)
            found.append(Problem("E-COLUMN", files, what, hint))
    if found:
        raise Problems(found, lang)
    new = {name: column for name, column in wanted.items() if name not in codebook.keys}
    return replace(codebook, keys={**codebook.keys, **new}) if new else codebook


def rule_problems(rules: Rules, codebook: Codebook, place: Place = "rules: {}".format) -> Iterator[Problem]:
    """What is wrong with the lists of the rules: names that are no items, pairs on two scales, a limit off the scale.

    Parameters:
        place: the place of a key under `rules`.
    """
    names = codebook.names
    for a, b, limit in rules.contradictions:
        where = place("contradictions")
        for one in (a, b):
            if one not in names:
                hint = did_you_mean(one, names)
                what = Text(f'"{one}" is no item of the codebook.', f"“{one}”不是编码簿中的题项。")
                yield Problem("E-RULES", where, what, hint)
        if a in names and b in names:
            yield from _pair(codebook, a, b, limit, where)
    for name in rules.attention:
        if name in KEY_ROLES:
            en, zh = f'"{name}" is the name of a key, not of a question.', f"“{name}”是关键列的名称，不是题目。"
            do, do_zh = "Name the item or the column of the check.", "请写检测题的题项名或列名。"
            yield problem("E-RULES", place("attention"), en, zh, do, do_zh)
    if rules.attention and rules.attention_failed > len(rules.attention):
        en = f"attention_failed is {rules.attention_failed}, but there are {len(rules.attention)} checks."
        zh = f"attention_failed 为 {rules.attention_failed}，而检测题只有 {len(rules.attention)} 道。"
        do, do_zh = "Lower it, or add checks.", "请调低该值，或增加检测题。"
        yield problem("E-RULES", place("attention_failed"), en, zh, do, do_zh)
    if rules.devices != "off" and not rules.device:
        en, zh = "the rule needs the column of the device.", "该规则需要设备列。"
        do, do_zh = "Write `device: COLUMN`, or set devices: off.", "请写 device: 列名，或设置 devices: off。"
        yield problem("E-RULES", place("devices"), en, zh, do, do_zh)
    yield from _twice(rules, codebook, place)


def _pair(codebook: Codebook, a: str, b: str, limit: float, where: str) -> Iterator[Problem]:
    """A pair that cannot contradict itself."""
    one, other = codebook[a].scale, codebook[b].scale
    span = one.maximum - one.minimum
    if a == b:
        en, zh = f"{a} cannot contradict itself.", f"{a} 不会与自身矛盾。"
        yield problem("E-RULES", where, en, zh, "Name two items.", "请写两个不同的题项。")
    elif (one.minimum, one.maximum) != (other.minimum, other.maximum):
        bounds = [f"{s.minimum:g}-{s.maximum:g}" for s in (one, other)]
        en = f"{a} and {b} are on two scales ({bounds[0]}, {bounds[1]}), so their points do not compare."
        zh = f"{a} 与 {b} 的量表不同（{bounds[0]}、{bounds[1]}），分值不可比。"
        yield problem("E-RULES", where, en, zh, "Pair items of one scale.", "请使用同一量表的题项。")
    elif not 0 < limit <= span:
        en = f"the limit {limit:g} of {a} and {b} is not above 0 and at most {span:g}, the length of their scale."
        zh = f"{a} 与 {b} 的界限 {limit:g} 应大于 0 且不超过量表长度 {span:g}。"
        do, do_zh = f"Write [{a}, {b}, {span / 2:g}], say.", f"例如 [{a}, {b}, {span / 2:g}]。"
        yield problem("E-RULES", where, en, zh, do, do_zh)


def _twice(rules: Rules, codebook: Codebook, place: Place) -> Iterator[Problem]:
    """A name that the codebook uses otherwise."""
    for name, column in named_columns(rules, codebook).items():
        other = codebook.keys.get(name)
        if name in codebook.names or (other is not None and other != column):
            en, zh = f'"{name}" is the name of another column already.', f"“{name}”已是另一列的名称。"
            do, do_zh = "Rename that item or group.", "请更改该题项或分组的名称。"
            yield problem("E-RULES", place(name), en, zh, do, do_zh)
