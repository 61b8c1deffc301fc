"""Alerts: rules over the tracking table, each told with the number that set it off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import polars as pl

from csi.display import Shown, fixed, text
from csi.errors import Note, Problem, Problems, Text, note, one_of, problem
from csi.estimate.given import check_kind
from csi.survey.keyed import ABSENT
from csi.tracking.targets import attained, target_note, target_text
from csi.tracking.track import Tracking

When = Literal["fell", "rose", "below", "missed", "reached", "undecided", "small", "not comparable"]
AIMED: Final = ("below", "missed", "reached", "undecided")
"""Rules about a target: the alert's own, or that of the cell."""

Against = Literal["previous", "year"]
CHANCE: Final = {
    True: Text(" (beyond chance)", "（超出抽样误差）"),
    False: Text(" (not beyond chance)", "（未超出抽样误差）"),
}
AGAINST: Final = {"previous": Text("the previous wave", "上期"), "year": Text("a year ago", "去年同期")}


@dataclass(frozen=True, slots=True)
class Alert:
    """One rule.

    Parameters:
        when: "fell", "rose" (a significant change after Holm's correction), "below" (the index under the target),
            "missed", "reached", "undecided" (the interval below the target, at or above it, on both sides), "small"
            (fewer answers than are published or read without care), "not comparable" (a change whose measurement is
            not the same). against: what changes are taken against. target: 0-100, in place of the cell's own
            (`csi.track(targets=...)`). brand: only this brand.

    Raises:
        Problems: E-ALERT, E-SETTING.

    Example:
        >>> Alert("below", target=75).target
        75
    """

    when: When
    against: Against = "previous"
    target: float | None = None
    brand: str = ""

    def __post_init__(self) -> None:
        found = [*one_of("when", self.when, get_args(When)), *one_of("against", self.against, get_args(Against))]
        found += target_problems(self.when, self.target, "alerts")
        if found:
            raise Problems(found)


def target_problems(when: str, target: float | None, place: str) -> list[Problem]:
    """A target where there is nothing to hold against it.

    Example:
        >>> [p.code for p in target_problems("fell", 75, "alerts")], target_problems("fell", None, "alerts")
        (['E-ALERT'], [])
    """
    if when in AIMED or target is None:
        return []
    en, zh = f"`target` has no meaning with `{when}`.", f"target 与 {when} 不能同用。"
    return [problem("E-ALERT", place, en, zh, "Leave it out, or use below.", "请去掉，或改用 below。")]


def aimless(when: str, place: str) -> Problem:
    """A rule about targets where there is none.

    Example:
        >>> aimless("missed", "alerts").code
        'E-ALERT'
    """
    en, zh = f"`{when}` needs a target.", f"{when} 需要目标值。"
    do = f"Write {{when: {when}, target: 75}}, say, or targets: [{{value: 75}}]."
    do_zh = f"例如写作 {{when: {when}, target: 75}}，或另写 targets: [{{value: 75}}]。"
    return problem("E-ALERT", place, en, zh, do, do_zh)


@dataclass(frozen=True, slots=True, repr=False)
class Alerts(Shown):
    """What the rules found.

    Attributes:
        table: a row per alert: key columns, construct, formula, when, against, value (the change, the index, n or the
            bias), limit (the target or the base), sure (whether the interval is on one side of the target; null
            elsewhere). notes.
        sentences: one per row.
    """

    table: pl.DataFrame
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


def alerts(
    tracking: Tracking,
    rules: Sequence[Alert],
    where: Mapping[str, str] | None = None,
    labels: Mapping[str, Text] | None = None,
) -> Alerts:
    """The rules that cells of a tracking table break.

    Parameters:
        tracking: of `csi.track`. rules: in order. where: only cells with these key values, such as {"wave": "2026Q3"}.
        labels: of brands and items, for the sentences.

    Returns:
        Alerts; none where every rule holds. A cell that is not published sets off "small" alone.

    Raises:
        Problems: E-ALERT, a brand the table does not have, a rule about targets where there is none.

    Example:
        >>> import csi
        >>> answers = {"a": [1, 4, 7, 9, 3, 6, 8, 9], "b": [2, 4, 8, 9, 3, 5, 9, 9], "wave": ["1"] * 4 + ["2"] * 4}
        >>> frame = pl.DataFrame(answers).with_columns(c="a", d="b")
        >>> model = csi.Model.parse("use =~ a + b" + chr(10) + "joy =~ c + d" + chr(10) + "joy ~ use")
        >>> made = csi.track(csi.fit(model, frame, csi.PLS(), by=["wave"], scale=(1, 10)), "joy", small=2)
        >>> [t.en for t in alerts(made, [Alert("below", target=75)], {"wave": "2"}).sentences]
        ['2: the index 61.1 is below the target 75 (not beyond chance).']
    """
    kind, do = Text("a tracking table", "跟踪结果"), Text("Give what csi.track returns.", "请给出 csi.track 的结果。")
    check_kind("tracking", tracking, Tracking, kind, do)
    _check_rules(tracking, rules)
    names, table = labels or {}, tracking.table
    for key, wanted in (where or {}).items():
        table = table.filter(pl.col(key) == wanted) if key in table.columns else table
    keys, of = table.columns[: table.columns.index("construct")], ("construct", "formula")
    rows: list[tuple[Any, ...]] = []
    said: list[Text] = []
    for rule in rules:
        for cell in table.iter_rows(named=True):
            if rule.brand and cell.get("brand") != rule.brand:
                continue
            found = _broken(rule, cell, tracking, names)
            if found is not None:
                value, limit, sure, words = found
                against = rule.against if rule.when in {"fell", "rose", "not comparable"} else None
                rows.append((*(cell[k] for k in keys), *(cell[k] for k in of), rule.when, against, value, limit, sure))
                said.append(_said([cell[k] for k in keys if cell[k] != ""], words, names))
    schema: dict[str, Any] = dict.fromkeys((*keys, *of, "when", "against"), pl.String)
    schema |= {"value": pl.Float64, "limit": pl.Float64, "sure": pl.Boolean}
    return Alerts(pl.DataFrame(rows, schema=schema, orient="row"), tuple(said), _notes(rules, tracking.index.level))


def applicable(tracking: Tracking, rules: Sequence[Alert]) -> tuple[Alert, ...]:
    """The rules that a table can be held to: of brands it has; about targets, where there are any.

    Example:
        >>> import csi
        >>> answers = {"a": [1, 4, 7, 9, 3, 6, 8, 9], "wave": ["1"] * 4 + ["2"] * 4}
        >>> model = csi.Model.parse("use =~ a" + chr(10) + "joy =~ b" + chr(10) + "joy ~ use")
        >>> frame = pl.DataFrame(answers).with_columns(b="a")
        >>> made = csi.track(csi.fit(model, frame, csi.PLS(), by=["wave"], scale=(1, 10)), "joy", small=2)
        >>> [rule.when for rule in applicable(made, [Alert("missed"), Alert("fell"), Alert("fell", brand="A")])]
        ['fell']
    """
    table = tracking.table
    brands = {"", *(table["brand"].unique() if "brand" in table.columns else [])}
    aimed = "target" in table.columns
    return tuple(r for r in rules if r.brand in brands and (aimed or r.target is not None or r.when not in AIMED))


def _said(cell: Sequence[Any], words: Text, labels: Mapping[str, Text]) -> Text:
    """A sentence with its cell before it."""
    cells = [labels.get(str(v), Text(str(v), str(v))) if v is not None else ABSENT for v in cell]
    en, zh = " ".join(t.say("en") for t in cells), " ".join(t.say("zh") for t in cells)
    if not cells:
        return Text(words.en[:1].upper() + words.en[1:], words.zh)
    return Text(f"{en}: {words.en}", f"{zh}：{words.zh}")


def _check_rules(tracking: Tracking, rules: Sequence[Alert]) -> None:
    """Every brand that a rule names is in the table, every rule about targets has one.

    Raises:
        Problems: E-ALERT.
    """
    table = tracking.table
    known = set(table["brand"].unique()) if "brand" in table.columns else set()
    found = []
    for rule in rules:
        if rule.when in AIMED and rule.target is None and "target" not in table.columns:
            found.append(aimless(rule.when, "alerts"))
        if rule.brand and rule.brand not in known:
            en, zh = f'there is no brand "{rule.brand}".', f"没有“{rule.brand}”这个品牌。"
            do, do_zh = "Name a brand of the table, or none.", "请写明表中的品牌，或不写。"
            found.append(problem("E-ALERT", "alerts", en, zh, do, do_zh))
    if found:
        raise Problems(found)


Found = tuple[float | None, float | None, bool | None, Text]


def _broken(rule: Alert, cell: Mapping[str, Any], tracking: Tracking, labels: Mapping[str, Text]) -> Found | None:
    """What a cell breaks a rule by; None where it keeps it."""
    if rule.when == "small":
        return _small(cell, tracking)
    if cell["flag"] == "suppressed":
        return None
    if rule.when in AIMED:
        target = cell.get("target") if rule.target is None else rule.target
        return None if target is None or cell["index"] is None else _aimed(rule.when, cell, float(target))
    if rule.when == "not comparable":
        return _unlike(cell, rule.against, labels)
    change: float | None = cell.get(f"change_{rule.against}")
    if change is None or not cell.get(f"significant_{rule.against}") or (change < 0) != (rule.when == "fell"):
        return None
    a, size = AGAINST[rule.against], fixed(abs(change), 1)
    en, zh = ("fell", "下降") if rule.when == "fell" else ("rose", "上升")
    words = Text(f"the index {en} by {size} points against {a.en}.", f"指数较{a.zh}{zh} {size} 分。")
    return change, None, None, words


def _aimed(when: str, cell: Mapping[str, Any], target: float) -> Found | None:
    """An index against its target."""
    if when == "below":
        return _below(cell, target)
    value, low, high = cell["index"], cell["conf_low"], cell["conf_high"]
    found = attained(low, high, target)
    if found != when:
        return None
    return value, target, found != "undecided", target_text(value, low, high, target, found)


def _small(cell: Mapping[str, Any], tracking: Tracking) -> Found | None:
    """Too few answers to publish, or to read without care."""
    n = int(cell["n"])
    if n >= max(tracking.flagged, tracking.small):
        return None
    hidden = n < tracking.small
    limit = tracking.small if hidden else tracking.flagged
    en, zh = ("not published", "不予发布") if hidden else ("read with care", "请谨慎解读")
    return (
        float(n),
        float(limit),
        None,
        Text(f"{n} answers, fewer than {limit}: {en}.", f"样本量 {n}，不足 {limit}：{zh}。"),
    )


def _below(cell: Mapping[str, Any], target: float) -> Found | None:
    """An index under its target, and whether that is beyond chance."""
    value, high = cell["index"], cell["conf_high"]
    if value is None or value >= target:
        return None
    sure = None if high is None else bool(high < target)
    how = Text("", "") if sure is None else CHANCE[sure]
    said = fixed(value, 1)
    words = Text(
        f"the index {said} is below the target {target:g}{how.en}.", f"指数 {said} 低于目标 {target:g}{how.zh}。"
    )
    return value, target, sure, words


def _unlike(cell: Mapping[str, Any], against: str, labels: Mapping[str, Text]) -> Found | None:
    """A change whose two waves do not measure the same."""
    if cell.get(f"evidence_{against}") != "not comparable":
        return None
    a, named = AGAINST[against], [i for i in (cell.get(f"items_{against}") or "").split(", ") if i]
    items = [labels.get(i, Text(i, i)) for i in named]
    en = f"the change against {a.en} is not comparable"
    en += f" ({', '.join(t.say('en') for t in items)})." if items else "."
    zh = f"较{a.zh}的变化不可比" + (f"（{'、'.join(t.say('zh') for t in items)}）。" if items else "。")
    return cell.get(f"bias_{against}"), None, None, Text(en, zh)


def _notes(rules: Sequence[Alert], level: float) -> tuple[Note, ...]:
    """That changes are judged by the tests of the table, targets by the intervals of single cells."""
    out = []
    if any(rule.when in {"fell", "rose"} for rule in rules):
        en = "Alerts on changes take the tests of the table (after Holm's correction)."
        out.append(note("N-ALERT", en, "变化预警采用表中的检验（经 Holm 校正）。"))
    if any(rule.when in AIMED for rule in rules):
        out.append(target_note(level))
    return tuple(out)


@text.register
def _(value: Alerts, lang: str = "en") -> str:
    """The sentences, one line each."""
    if not value.sentences:
        return Text("No alert.", "没有预警。").say(lang)
    lines = (t.say(lang) for t in value.sentences)
    return "\n".join([Text("Alerts", "预警").say(lang), *lines, *(f"* {n.say(lang)}" for n in value.notes)])
