"""Targets of an index: which cell has which, and whether it is reached, as far as the interval tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import polars as pl

from csi.display import Shown, fixed, text
from csi.errors import Note, Problem, Problems, Text, did_you_mean, note, problem
from csi.estimate.given import check_kind
from csi.survey.bases import SMALL
from csi.survey.keyed import cell_name
from csi.tracking.index import Index
from csi.tracking.show import shown

Attained = Literal["reached", "missed", "undecided"]
ATTAINED: Final[Mapping[str, Text]] = {
    "reached": Text("reached", "已达到"),
    "missed": Text("missed", "未达到"),
    "undecided": Text("cannot be told", "无法判断"),
}
"""The verdicts in words."""

LOWEST, HIGHEST = -100.0, 100.0
COLUMNS: Final = ("target", "gap", "gap_low", "gap_high", "attained")
"""What targets add to a table of indices."""


@dataclass(frozen=True, slots=True)
class Target:
    """A value that a construct's index is to reach.

    Parameters:
        value: 0-100 (a net promoter score, and a price tolerance, from -100). construct: of which construct or rate;
            of the one that is judged where empty. brand: of which brand; of all where empty.
        wave: in which wave, or in all whose names begin so ("2026"); in all where empty.

    Raises:
        Problems: E-TARGETS.

    Example:
        >>> Target(75, brand="A", wave="2026").value
        75
    """

    value: float
    construct: str = ""
    brand: str = ""
    wave: str = ""

    def __post_init__(self) -> None:
        found = value_problems(self.value, LOWEST, "targets")
        if found:
            raise Problems(found)

    @property
    def keys(self) -> tuple[str, str, str]:
        """What it is of."""
        return self.construct, self.brand, self.wave

    def fits(self, cell: Mapping[str, object], construct: str) -> bool:
        """Whether it is a target of a cell's construct."""
        here = not self.construct or self.construct.casefold() == construct.casefold()
        return here and self.brand in {"", cell.get("brand")} and within(str(cell.get("wave") or ""), self.wave)

    @property
    def rank(self) -> tuple[int, int, int]:
        """How particular it is: a wave before a year, then a brand."""
        return len(self.wave), int(bool(self.brand)), int(bool(self.construct))


@dataclass(frozen=True, slots=True, repr=False)
class Targets(Shown):
    """Which targets are reached.

    Attributes:
        table: a row per cell and construct that has a target; keys, construct, n, index, conf_low, conf_high, target,
            gap (index - target), gap_low, gap_high, attained ("reached", "missed", "undecided"; null where there is no
            published index).
        sentences: one per row that is judged in its brand's last wave of the table.
    """

    table: pl.DataFrame
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


def targets(index: Index, given: Sequence[Target], construct: str = "satisfaction", *, small: int = SMALL) -> Targets:
    """Every target against the index of its cells.

    Reached: the whole interval lies at or above the target; missed: all of it below; else it cannot be told.

    Parameters:
        index: of `csi.index`, `csi.rates` or `csi.kcsi`. given: the targets; the most particular counts (a wave before
            a year, then a brand), among equals the last. construct: that of targets that name none.
        small: cells of fewer answers are not judged.

    Returns:
        Targets.

    Raises:
        Problems: E-TARGETS for a construct or brand that the index does not have (a wave may be still to come).

    Example:
        >>> import csi
        >>> answers = {"a": [1, 4, 7, 9, 3, 6, 8, 9], "b": [2, 4, 8, 9, 3, 5, 9, 9], "wave": ["1"] * 4 + ["2"] * 4}
        >>> frame = pl.DataFrame(answers).with_columns(c="a", d="b")
        >>> model = csi.Model.parse("use =~ a + b" + chr(10) + "joy =~ c + d" + chr(10) + "joy ~ use")
        >>> made = csi.index(csi.fit(model, frame, csi.PLS(), by=["wave"], scale=(1, 10)))
        >>> targets(made, [Target(100), Target(75, wave="2")], "joy", small=2).table["attained"].to_list()
        ['undecided', 'undecided']
    """
    do = Text("Give what csi.index(est) returns.", "请给出 csi.index(est) 的结果。")
    check_kind("index", index, Index, Text("an index", "指数"), do)
    found = unknown_targets(given, index.constructs, index.cells)
    if found:
        raise Problems(found)
    table = aimed(index.table, given, construct).filter(pl.col("target").is_not_null())
    few = pl.col("n") < small
    numbers = ("index", "conf_low", "conf_high", "gap", "gap_low", "gap_high", "attained")
    keys = [k for k in index.cells.columns if k != "n"]
    table = table.with_columns(pl.when(~few).then(pl.col(c)).alias(c) for c in numbers)
    table = table.select(*keys, "construct", "n", "index", "conf_low", "conf_high", *COLUMNS)
    return Targets(table, tuple(_sentences(table, keys)), (target_note(index.level),))


def aimed(table: pl.DataFrame, given: Sequence[Target], construct: str = "") -> pl.DataFrame:
    """The columns of `COLUMNS` at a table of indices: the target of every row and what the interval says of it.

    Parameters:
        table: with construct, index, conf_low, conf_high and its keys. construct: that of targets that name none.

    Example:
        >>> row = {"brand": ["A"], "construct": ["joy"], "index": [77.4], "conf_low": [75.8], "conf_high": [79.0]}
        >>> aimed(pl.DataFrame(row), [Target(75)], "joy").select("target", "gap_low", "attained").row(0)
        (75.0, 0.7999999999999972, 'reached')
    """
    order = sorted(given, key=lambda t: t.rank)
    own = [t if t.construct or not construct else Target(t.value, construct, t.brand, t.wave) for t in order]
    values = [
        next((float(t.value) for t in reversed(own) if t.fits(row, str(row["construct"]))), None)
        for row in table.iter_rows(named=True)
    ]
    goal = pl.col("target")
    gaps = {"gap": "index", "gap_low": "conf_low", "gap_high": "conf_high"}
    aimed_at = table.with_columns(pl.Series("target", values, dtype=pl.Float64))
    told = pl.col("index").is_not_null() & goal.is_not_null()
    below = pl.when(pl.col("conf_high") < goal).then(pl.lit("missed")).otherwise(pl.lit("undecided"))
    sure = pl.when(pl.col("conf_low") >= goal).then(pl.lit("reached")).otherwise(below)
    return aimed_at.with_columns(
        *((pl.col(c) - goal).alias(name) for name, c in gaps.items()),
        attained=pl.when(told).then(sure),
    )


def within(wave: str, period: str) -> bool:
    """Whether a wave is a period, or one of those whose names begin with it.

    Example:
        >>> within("2026Q1", "2026"), within("10", "1"), within("2026Q1", "")
        (True, False, True)
    """
    return not period or wave == period or (wave.startswith(period) and not wave[len(period)].isdigit())


def attained(low: float | None, high: float | None, target: float) -> Attained:
    """What an interval says of a target.

    Example:
        >>> attained(75.8, 79.0, 75), attained(75.8, 79.0, 80), attained(None, None, 75)
        ('reached', 'missed', 'undecided')
    """
    if low is not None and low >= target:
        return "reached"
    return "missed" if high is not None and high < target else "undecided"


def target_text(value: float, low: float | None, high: float | None, target: float, attained: str) -> Text:
    """What is said of one target.

    Example:
        >>> target_text(77.4, 75.8, 79.0, 80, "missed").en
        'the target 80 is missed: 77.4 (75.8–79.0).'
    """
    span = "" if low is None or high is None else f" ({fixed(low, 1)}–{fixed(high, 1)})"
    span_zh = span.replace(" (", "（").replace(")", "）")
    said = fixed(value, 1)
    if attained == "undecided":
        en = f"whether the target {target:g} is reached cannot be told: {said}{span}."
        return Text(en, f"是否达到目标 {target:g} 无法判断：{said}{span_zh}。")
    return Text(
        f"the target {target:g} is {ATTAINED[attained].en}: {said}{span}.",
        f"{ATTAINED[attained].zh}目标 {target:g}：{said}{span_zh}。",
    )


def target_note(level: float) -> Note:
    """What the verdicts mean."""
    share = f"{100 * level:.10g}%"
    en = f"A target is reached where the whole {share} interval lies at or above it, missed where all of it lies below;"
    en += " each cell by itself, without correction for several."
    zh = f"{share} 区间整体不低于目标为“已达到”，整体低于目标为“未达到”，否则无法判断；各单元分别判断，未作多重校正。"
    return note("N-TARGETS", en, zh)


def value_problems(value: object, lowest: float, place: str) -> list[Problem]:
    """A target that no index can have.

    Example:
        >>> [p.code for p in value_problems(120, 0, "targets")]
        ['E-TARGETS']
    """
    fine = isinstance(value, int | float) and not isinstance(value, bool) and lowest <= value <= HIGHEST
    if fine:
        return []
    en, zh = f"{value} is not a target between {lowest:g} and 100.", f"{value} 不是 {lowest:g} 与 100 之间的目标值。"
    do, do_zh = "Write {value: 75}, say.", "例如写作 {value: 75}。"
    return [problem("E-TARGETS", place, en, zh, do, do_zh)]


def unknown_targets(given: Sequence[Target], constructs: Sequence[str], cells: pl.DataFrame) -> list[Problem]:
    """Constructs and brands that an index does not have."""
    brands = [str(v) for v in cells["brand"].unique(maintain_order=True)] if "brand" in cells.columns else []
    found = []
    for one in given:
        for kind, name, names in (("construct", one.construct, constructs), ("brand", one.brand, brands)):
            if name and name.casefold() not in {n.casefold() for n in names}:
                found.append(unknown(kind, name, names, "targets"))
    return found


WORDS: Final = {"construct": "构念", "brand": "品牌", "wave": "期次"}


def unknown(kind: str, name: str, names: Sequence[str], place: str) -> Problem:
    """A target of something that is not there, with the nearest that is."""
    hint = did_you_mean(name, names)
    en, zh = f'a target names the {kind} "{name}", which is not there.', f"目标所指的{WORDS[kind]}“{name}”不存在。"
    return problem("E-TARGETS", place, en, zh, hint.en, hint.zh)


def _sentences(table: pl.DataFrame, keys: Sequence[str]) -> list[Text]:
    """What is said of the last wave of every brand and construct."""
    judged = table.filter(pl.col("attained").is_not_null())
    entity = [*(k for k in keys if k != "wave"), "construct"]
    said = []
    for row in judged.group_by(entity, maintain_order=True).last().iter_rows(named=True):
        name = cell_name({k: row[k] for k in (*keys, "construct")})
        words = target_text(row["index"], row["conf_low"], row["conf_high"], row["target"], row["attained"])
        said.append(Text(f"{name.en}: {words.en}", f"{name.zh}：{words.zh}"))
    return said


@text.register
def _(value: Targets, lang: str = "en") -> str:
    """The sentences, the table, the notes."""
    body: Any = shown(Text("Targets", "目标").say(lang), value.table, value.notes, lang)
    return "\n".join([*(t.say(lang) for t in value.sentences), body])
