"""Alerts: rules over the tracking table, each told with the number that set it off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import polars as pl

from csi.display import Shown, fixed, text
from csi.errors import Note, Problem, Problems, Text, note, one_of, problem
from csi.estimate.given import check_kind
from csi.survey.keyed import cell_name
from csi.tracking.track import Tracking

When = Literal["fell", "rose", "below", "small", "not comparable"]
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
        when: "fell", "rose" (a significant change after Holm's correction), "below" (the index under `target`),
            "small" (fewer answers than are published or read without care), "not comparable" (a change whose
            measurement is not the same). against: what changes are taken against. target: 0-100, of "below".
        brand: only this brand.

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
    """A target where there is nothing to be below, or none where there is.

    Example:
        >>> [p.code for p in target_problems("fell", 75, "alerts")], target_problems("fell", None, "alerts")
        (['E-ALERT'], [])
    """
    if when == "below" and target is None:
        do, do_zh = "Write {when: below, target: 75}, say.", "例如写作 {when: below, target: 75}。"
        return [problem("E-ALERT", place, "`below` needs a target.", "below 需要 target。", do, do_zh)]
    if when != "below" and target is not None:
        en, zh = f"`target` has no meaning with `{when}`.", f"target 与 {when} 不能同用。"
        return [problem("E-ALERT", place, en, zh, "Leave it out, or use below.", "请去掉，或改用 below。")]
    return []


@dataclass(frozen=True, slots=True, repr=False)
class Alerts(Shown):
    """What the rules found.

    Attributes:
        table: a row per alert: key columns, when, against, value (the change, the index, n or the bias), limit (the
            target or the base), sure (whether the interval is on one side of the target; null elsewhere). notes.
        sentences: one per row.
    """

    table: pl.DataFrame
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


def alerts(tracking: Tracking, rules: Sequence[Alert], where: Mapping[str, str] | None = None) -> Alerts:
    """The rules that cells of a tracking table break.

    Parameters:
        tracking: of `csi.track`. rules: in order. where: only cells with these key values, such as {"wave": "2026Q3"}.

    Returns:
        Alerts; none where every rule holds. A cell that is not published sets off "small" alone.

    Raises:
        Problems: E-ALERT, a brand the table does not have.

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
    _check_brands(tracking, rules)
    table = tracking.table
    for key, wanted in (where or {}).items():
        table = table.filter(pl.col(key) == wanted) if key in table.columns else table
    keys = table.columns[: table.columns.index("construct")]
    rows: list[tuple[Any, ...]] = []
    said: list[Text] = []
    for rule in rules:
        for cell in table.iter_rows(named=True):
            if rule.brand and cell.get("brand") != rule.brand:
                continue
            found = _broken(rule, cell, tracking)
            if found is not None:
                value, limit, sure, words = found
                name = cell_name({k: cell[k] for k in keys})
                against = rule.against if rule.when in {"fell", "rose", "not comparable"} else None
                rows.append((*(cell[k] for k in keys), rule.when, against, value, limit, sure))
                said.append(Text(f"{name.en}: {words.en}", f"{name.zh}：{words.zh}"))
    schema: dict[str, Any] = dict.fromkeys(keys, pl.String) | {"when": pl.String, "against": pl.String}
    schema |= {"value": pl.Float64, "limit": pl.Float64, "sure": pl.Boolean}
    return Alerts(pl.DataFrame(rows, schema=schema, orient="row"), tuple(said), _notes(rules))


def _check_brands(tracking: Tracking, rules: Sequence[Alert]) -> None:
    """Every brand that a rule names is in the table.

    Raises:
        Problems: E-ALERT.
    """
    table = tracking.table
    known = set(table["brand"].unique()) if "brand" in table.columns else set()
    found = []
    for rule in rules:
        if rule.brand and rule.brand not in known:
            en, zh = f'there is no brand "{rule.brand}".', f"没有“{rule.brand}”这个品牌。"
            do, do_zh = "Name a brand of the table, or none.", "请写明表中的品牌，或不写。"
            found.append(problem("E-ALERT", "alerts", en, zh, do, do_zh))
    if found:
        raise Problems(found)


Found = tuple[float | None, float | None, bool | None, Text]


def _broken(rule: Alert, cell: Mapping[str, Any], tracking: Tracking) -> Found | None:
    """What a cell breaks a rule by; None where it keeps it."""
    if rule.when == "small":
        return _small(cell, tracking)
    if cell["flag"] == "suppressed":
        return None
    if rule.when == "below":
        return _below(cell, rule.target or 0.0)
    if rule.when == "not comparable":
        return _unlike(cell, rule.against)
    change: float | None = cell.get(f"change_{rule.against}")
    if change is None or not cell.get(f"significant_{rule.against}") or (change < 0) != (rule.when == "fell"):
        return None
    a, size = AGAINST[rule.against], fixed(abs(change), 1)
    en, zh = ("fell", "下降") if rule.when == "fell" else ("rose", "上升")
    words = Text(f"the index {en} by {size} points against {a.en}.", f"指数较{a.zh}{zh} {size} 分。")
    return change, None, None, words


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


def _unlike(cell: Mapping[str, Any], against: str) -> Found | None:
    """A change whose two waves do not measure the same."""
    if cell.get(f"evidence_{against}") != "not comparable":
        return None
    a, items = AGAINST[against], cell.get(f"items_{against}") or ""
    en = f"the change against {a.en} is not comparable" + (f" ({items})." if items else ".")
    zh = f"较{a.zh}的变化不可比" + (f"（{items}）。" if items else "。")
    return cell.get(f"bias_{against}"), None, None, Text(en, zh)


def _notes(rules: Sequence[Alert]) -> tuple[Note, ...]:
    """That changes are judged by the tests of the table."""
    if not any(rule.when in {"fell", "rose"} for rule in rules):
        return ()
    en = "Alerts on changes take the tests of the table (after Holm's correction)."
    return (note("N-ALERT", en, "变化预警采用表中的检验（经 Holm 校正）。"),)


@text.register
def _(value: Alerts, lang: str = "en") -> str:
    """The sentences, one line each."""
    if not value.sentences:
        return Text("No alert.", "没有预警。").say(lang)
    lines = (t.say(lang) for t in value.sentences)
    return "\n".join([Text("Alerts", "预警").say(lang), *lines, *(f"* {n.say(lang)}" for n in value.notes)])
