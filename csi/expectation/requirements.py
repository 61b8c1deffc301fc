"""Requirements and what they are worth (quality function deployment), and whether attributes moved with them.

    absolute weight = importance x (target / current)^(1 / k) x sales point
    technical weight_j = sum_i absolute weight_i r_ij,   r in {0, 1, 3, 9}

k is 1/2 for a must-be attribute, 1 for a one-dimensional, 2 for an attractive one (Kano's curve); the raw ratio where
no class is used.

Source:
    Akao (1990), Quality Function Deployment; Tan & Shen (2000), Total Quality Management 11(8), 1141-1151 (Kano's
    exponent).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Text, note, problem
from csi.expectation.forms import named
from csi.expectation.gap import gap
from csi.expectation.requirements_words import lines_of, sentences_of
from csi.survey.codebook import Form
from csi.survey.panel import Panel
from csi.survey.side_table import Kind, in_labels, labelled, side_table

KANO_K: Final = {"M": 0.5, "O": 1.0, "A": 2.0}
"""Exponents of Kano's classes."""

STRENGTHS: Final = (0.0, 1.0, 3.0, 9.0)
"""How strongly a technical characteristic serves a requirement."""

MARKS: Final = ("importance", "current", "target")
"""Numbers that every requirement needs."""


@dataclass(frozen=True, slots=True, repr=False)
class Requirements(Shown):
    """What requirements are worth.

    Attributes:
        table: requirement, attribute, importance, current, target, kano, improvement (the ratio, raised where Kano's
            class is used), sales_point, weight (absolute), percent, rank, distance (importance x (target - current)).
        technical: characteristic, weight, percent, rank; empty without a relation matrix.
        status: requirement, attribute, wave, status, gap, std_error, conf_low, conf_high, change (of the gap since the
            wave before); empty without statuses or a panel of waves.
        kano: whether Kano's exponents were used. labels: names of requirements. sentences, notes.
    """

    table: pl.DataFrame
    technical: pl.DataFrame
    status: pl.DataFrame
    kano: bool
    labels: Mapping[str, Text]
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Requirements, lang: str = "en") -> str:
    """Sentences, requirements, technical characteristics, before and after, notes."""
    table, technical, status = (
        in_labels(f, value.labels, ("requirement", "attribute", "characteristic", "status"), lang)
        for f in (value.table, value.technical, value.status)
    )
    return lines_of((table, technical, status), value.sentences, value.notes, lang)


def requirements(
    source: object,
    *,
    relations: object = None,
    status: object = None,
    panel: Panel | None = None,
    importance: Mapping[str, float] | None = None,
    kano: Mapping[str, str] | bool = False,
    expected: Form = "Ew",
    perceived: Form = "P",
    where: Mapping[str, str] | None = None,
) -> Requirements:
    """Weights of requirements, of technical characteristics, and the gap of their attributes wave by wave.

    Parameters:
        source: a frame or file with columns requirement, attribute, importance, current, target, and optionally
            sales_point (1 to 1.5, 1 where absent), kano (M, O, A), zh and en (what it is called in either language).
        relations: a frame or file with columns requirement, characteristic, strength (0, 1, 3 or 9), and optionally zh
            and en (what the characteristic is called). status: a frame or file with columns requirement, wave, status
            (such as open, done), optionally zh and en (of the status). panel: answers of the waves (`csi.gap` by wave).
            expected, perceived, where: of those gaps.
        importance: attribute -> importance in place of the column, such as shares of `csi.formation` or stated points.
        kano: whether to raise improvement by Kano's exponent; a mapping attribute -> class takes the column's place.

    Returns:
        A `Requirements`.

    Raises:
        Problems: E-REQUIRE (columns, cells, numbers not above 0, unknown requirements, a pair related twice, strengths
            other than 0, 1, 3, 9, classes other than M, O, A), E-FORM.

    Example:
        >>> frame = pl.DataFrame({"requirement": ["r1", "r2"], "attribute": ["speed", "kind"], "importance": [5, 3],
        ...                       "current": [2, 4], "target": [4, 4], "sales_point": [1.5, 1.0]})
        >>> requirements(frame).table.select("requirement", "weight", pl.col("percent").round(1)).rows()
        [('r1', 15.0, 83.3), ('r2', 3.0, 16.7)]
    """
    numbers: tuple[str, ...] = MARKS if importance is None else MARKS[1:]
    needed: dict[str, Kind] = {"requirement": "text", "attribute": "text", **dict.fromkeys(numbers, "number")}
    optional: dict[str, Kind] = {"importance": "number", "sales_point": "number", "kano": "text"}
    optional |= dict.fromkeys(("zh", "en"), "text")
    frame = side_table(
        source, "requirements", needed, {c: k for c, k in optional.items() if c not in needed}, "E-REQUIRE"
    )
    labels = labelled(frame, "requirement")
    frame = _completed(frame, importance, kano)
    table = _weighed(frame, used=kano is not False)
    technical, called = _technical(relations, table)
    moved, states = _status(status, table, panel, expected, perceived, where)
    labels = {**_attributes(table, panel), **states, **called, **labels}
    return Requirements(
        table=table,
        technical=technical,
        status=moved,
        kano=kano is not False,
        labels=labels,
        sentences=sentences_of((table, technical, moved), labels),
        notes=_notes(kano is not False, importance is not None, moved["change"].drop_nulls().len() > 0),
    )


def _attributes(table: pl.DataFrame, panel: Panel | None) -> dict[str, Text]:
    """What attributes are called in the codebook; without one a name prints itself."""
    items = () if panel is None else reversed(panel.codebook.items)
    asked = {(i.attribute or i.name): named(i.label, i.attribute or i.name) for i in items}
    return {a: asked.get(a, Text(a, a)) for a in table["attribute"]}


def _completed(
    frame: pl.DataFrame, importance: Mapping[str, float] | None, kano: Mapping[str, str] | bool
) -> pl.DataFrame:
    """Sales points, classes and importance filled in and checked.

    Raises:
        Problems: E-REQUIRE.
    """
    for column, kind in (("sales_point", pl.Float64), ("kano", pl.String)):
        if column not in frame.columns:
            frame = frame.with_columns(pl.lit(None, kind).alias(column))
    if importance is not None:
        own = [importance.get(a) for a in frame["attribute"]]
        frame = frame.with_columns(pl.Series("importance", own, dtype=pl.Float64))
    if isinstance(kano, Mapping):
        frame = frame.with_columns(pl.Series("kano", [kano.get(a) for a in frame["attribute"]], dtype=pl.String))
    frame = frame.with_columns(pl.col("sales_point").fill_null(1.0))
    found = [*_positive(frame), *_classes(frame, asked=kano is not False), *_doubled(frame)]
    if found:
        raise Problems(found)
    return frame


def _positive(frame: pl.DataFrame) -> list[Problem]:
    """Numbers that are absent or not above 0."""
    out = []
    for column in (*MARKS, "sales_point"):
        wrong = frame.filter(pl.col(column).is_null() | (pl.col(column) <= 0))["requirement"].to_list()
        if wrong:
            listed, zh_ = ", ".join(wrong[:5]), "、".join(wrong[:5])
            en, zh = f"{column} is absent or not above 0 for {listed}.", f"{zh_} 的 {column} 缺失或不大于 0。"
            do, do_zh = "Give a number above 0 (a ratio is made of it).", "请给出大于 0 的数值（需要计算比值）。"
            out.append(problem("E-REQUIRE", f'requirements, column "{column}"', en, zh, do, do_zh))
    return out


def _classes(frame: pl.DataFrame, *, asked: bool) -> list[Problem]:
    """Classes that have no exponent."""
    if not asked:
        return []
    wrong = frame.filter(pl.col("kano").is_null() | ~pl.col("kano").is_in(list(KANO_K)))
    if not wrong.height:
        return []
    told = ", ".join(f"{r}: {k}" for r, k in wrong.select("requirement", "kano").head(5).rows())
    en, zh = f"no exponent for these classes of Kano ({told}).", f"以下 Kano 类别没有指数（{told}）。"
    do = "Classes are M, O, A; leave out requirements of other classes, or set kano=False."
    return [problem("E-REQUIRE", "kano", en, zh, do, "可用类别：M、O、A；请去掉其他类别的需求，或设 kano=False。")]


def _doubled(frame: pl.DataFrame) -> list[Problem]:
    """Requirements that stand in the table more than once."""
    names = frame.filter(pl.col("requirement").is_duplicated())["requirement"].unique(maintain_order=True).to_list()
    if not names:
        return []
    en, zh = f"several rows for {', '.join(names[:5])}.", f"{'、'.join(names[:5])} 有多行。"
    return [problem("E-REQUIRE", "requirements", en, zh, "Keep one row each.", "每个需求请保留一行。")]


def _weighed(frame: pl.DataFrame, *, used: bool) -> pl.DataFrame:
    """Absolute weights, percents and ranks."""
    power = np.array([1 / KANO_K[c] if used else 1.0 for c in frame["kano"]], dtype=np.float64)
    ratio = (frame["target"] / frame["current"]).to_numpy() ** power
    weight = frame["importance"].to_numpy() * ratio * frame["sales_point"].to_numpy()
    table = frame.with_columns(pl.Series("improvement", ratio), pl.Series("weight", weight)).with_columns(
        (100 * pl.col("weight") / pl.col("weight").sum()).alias("percent"),
        pl.col("weight").rank("min", descending=True).cast(pl.Int64).alias("rank"),
    )
    head = ("requirement", "attribute", "importance", "current", "target", "kano", "improvement", "sales_point")
    distance = (pl.col("importance") * (pl.col("target") - pl.col("current"))).alias("distance")
    return table.select(*head, "weight", "percent", "rank", distance)


NAMES: Final[Mapping[str, Kind]] = {"zh": "text", "en": "text"}
"""What something is called in either language."""


def _technical(source: object, table: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, Text]]:
    """Weights of technical characteristics, and what these are called.

    Raises:
        Problems: E-REQUIRE.
    """
    schema = {"characteristic": pl.String, "weight": pl.Float64, "percent": pl.Float64, "rank": pl.Int64}
    if source is None:
        return pl.DataFrame(schema=schema), {}
    needed: dict[str, Kind] = {"requirement": "text", "characteristic": "text", "strength": "number"}
    frame = side_table(source, "relations", needed, NAMES, "E-REQUIRE")
    found = _strangers(frame, table, "relations")
    pairs = frame.filter(pl.struct("requirement", "characteristic").is_duplicated())
    for one in pairs.select("requirement", "characteristic").unique(maintain_order=True).iter_rows():
        en, zh = f"several rows for {one[0]} and {one[1]}.", f"{one[0]} 与 {one[1]} 有多行。"
        found.append(problem("E-REQUIRE", "relations", en, zh, "Keep one strength.", "请只保留一个强度。"))
    wrong = sorted(set(frame["strength"].to_list()) - set(STRENGTHS))
    if wrong:
        listed = ", ".join(f"{v:g}" for v in wrong[:5])
        en, zh = f"strengths are 0, 1, 3 or 9, not {listed}.", f"关联强度应为 0、1、3、9，而不是 {listed}。"
        found.append(problem("E-REQUIRE", "relations", en, zh, "Correct them.", "请更正。"))
    if found:
        raise Problems(found)
    joined = frame.join(table.select("requirement", "weight"), on="requirement", maintain_order="left")
    out = joined.group_by("characteristic", maintain_order=True).agg((pl.col("weight") * pl.col("strength")).sum())
    total = float(out["weight"].sum())
    out = out.with_columns(
        (100 * pl.col("weight") / total if total > 0 else pl.lit(None, pl.Float64)).alias("percent"),
        pl.col("weight").rank("min", descending=True).cast(pl.Int64).alias("rank"),
    )
    return out, labelled(frame, "characteristic")


def _strangers(frame: pl.DataFrame, table: pl.DataFrame, place: str) -> list[Problem]:
    """Requirements that are not in the table."""
    names = [r for r in frame["requirement"].unique(maintain_order=True) if r not in set(table["requirement"])]
    if not names:
        return []
    en, zh = f"unknown requirements: {', '.join(names[:5])}.", f"未知的需求：{'、'.join(names[:5])}。"
    return [problem("E-REQUIRE", place, en, zh, "Add them to the requirements.", "请先将其加入需求表。")]


def _status(
    source: object,
    table: pl.DataFrame,
    panel: Panel | None,
    expected: Form,
    perceived: Form,
    where: Mapping[str, str] | None,
) -> tuple[pl.DataFrame, dict[str, Text]]:
    """The status of every requirement beside the gap of its attribute, wave by wave; what statuses are called.

    Raises:
        Problems: E-REQUIRE, E-FORM.
    """
    kinds = {"requirement": pl.String, "attribute": pl.String, "wave": pl.String, "status": pl.String}
    schema = kinds | dict.fromkeys(("gap", "std_error", "conf_low", "conf_high", "change"), pl.Float64)
    if source is None:
        return pl.DataFrame(schema=schema), {}
    frame = side_table(source, "status", {"requirement": "text", "wave": "text", "status": "text"}, NAMES, "E-REQUIRE")
    names = labelled(frame, "status")
    found = _strangers(frame, table, "status")
    waves = _waves(panel)
    unknown = [w for w in frame["wave"].unique(maintain_order=True) if panel is not None and w not in waves]
    if unknown:
        en, zh = f"the panel has no wave {', '.join(unknown)}.", f"面板中没有期次 {'、'.join(unknown)}。"
        found.append(
            problem("E-REQUIRE", "status", en, zh, f"Waves: {', '.join(waves)}.", f"期次：{'、'.join(waves)}。")
        )
    if found:
        raise Problems(found)
    frame = frame.join(table.select("requirement", "attribute"), on="requirement", maintain_order="left")
    if panel is None:
        blank = [pl.lit(None, pl.Float64).alias(c) for c in ("gap", "std_error", "conf_low", "conf_high", "change")]
        return frame.with_columns(blank).select(list(schema)), names
    gaps = gap(panel, expected, perceived, by=["wave"], where=where, outcome="").table.filter(kind="attribute")
    own = gaps.select("wave", pl.col("name").alias("attribute"), "gap", "std_error", "conf_low", "conf_high")
    order = {w: i for i, w in enumerate(waves)}
    out = frame.join(own, on=["wave", "attribute"], how="left", maintain_order="left")
    out = out.with_columns(pl.col("wave").replace_strict(order, return_dtype=pl.Int64).alias("_at"))
    out = out.sort("requirement", "_at", maintain_order=True)
    return out.with_columns(pl.col("gap").diff().over("requirement").alias("change")).select(list(schema)), names


def _waves(panel: Panel | None) -> tuple[str, ...]:
    """The waves of a panel in their order; of one that states none, as they are written."""
    if panel is None or panel.waves or "wave" not in panel.frame.columns:
        return () if panel is None else panel.waves
    return tuple(panel.frame["wave"].cast(pl.String).drop_nulls().unique().sort())


def _notes(kano: bool, given: bool, moved: bool) -> tuple[Note, ...]:
    """How weights were made; what a change of a gap is."""
    en = "weights are products of judgements: a ranking aid, without sampling error"
    zh = "权重是各项判断的乘积：仅供排序参考，不含抽样误差"
    en += "; improvement is raised by Kano's exponent (M 2, O 1, A 1/2)." if kano else "."
    zh += "；改进率已按 Kano 类别取幂（M 为 2，O 为 1，A 为 1/2）。" if kano else "。"
    notes = [note("N-REQUIRE", en, zh)]
    if not given:
        en = "importance comes from the table; where answers allow it, take derived importance instead."
        notes.append(note("N-REQUIRE", en, "重要性取自表格；数据允许时宜改用推导的重要性。"))
    if moved:
        en = "before and after: a gap that moves while a requirement is met need not move because of it."
        notes.append(note("N-STATUS", en, "前后对比：需求落实期间差距的变化，不一定由其引起。"))
    return tuple(notes)
