"""Stakeholders: who has a say, and how much weight each role gets.

Salience is power + legitimacy + urgency (each on one scale); the quadrant is power by interest at the middle of the
scale. Weights add up to one within a role, and roles share alike.

Source:
    Mitchell, Agle & Wood (1997), Academy of Management Review 22(4), 853-886; Mendelow (1981), ICIS Proceedings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Text, note, problem
from csi.expectation.roles import expected_by_role
from csi.expectation.settings import check
from csi.expectation.stakeholders_words import by_whom, expectation_of, lines_of, sentences_of
from csi.survey.bases import COLUMNS, FLAGGED, SMALL, Bases
from csi.survey.codebook import Form
from csi.survey.panel import Panel
from csi.survey.side_table import Kind, labelled, side_table

MARKS: Final = ("power", "interest", "legitimacy", "urgency")
"""What is judged of each stakeholder."""

CLASSES: Final = {
    (True, True, True): "definitive",
    (True, True, False): "dominant",
    (True, False, True): "dangerous",
    (False, True, True): "dependent",
    (True, False, False): "dormant",
    (False, True, False): "discretionary",
    (False, False, True): "demanding",
    (False, False, False): "none",
}
"""Classes of Mitchell et al. by (power, legitimacy, urgency) above the middle."""


@dataclass(frozen=True, slots=True, repr=False)
class Stakeholders(Shown):
    """Who has a say.

    Attributes:
        table: id, role, power, interest, legitimacy, urgency, salience (sum of power, legitimacy, urgency), weight
            (salience over its sum in the role), overall (weight over the number of roles), quadrant ("manage",
            "satisfy", "inform", "monitor"), kind (class of Mitchell et al.).
        roles: role, n, salience (mean), share (of the salience of all).
        expectations: role, id (null for the role as a whole: its stakeholders together by their weights), kind
            ("attribute", "dimension", "overall"), name, n, mean, std_error, conf_low, conf_high of what their
            respondents expect, flag, reason, reason_zh (of few answers); empty without answers or the column
            respondents.
        scale: bounds of the marks. expected: the form. labels: names of stakeholders, roles and attributes. sentences,
        notes.
    """

    table: pl.DataFrame
    roles: pl.DataFrame
    expectations: pl.DataFrame
    scale: tuple[float, float]
    expected: Form
    labels: Mapping[str, Text]
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Stakeholders, lang: str = "en") -> str:
    """Sentences, stakeholders, roles, what they expect, notes."""
    frames = (value.table, value.roles, value.expectations)
    return lines_of(frames, value.labels, value.sentences, value.notes, lang)


def stakeholders(
    source: object,
    *,
    scale: tuple[float, float] = (1, 5),
    panel: Panel | None = None,
    expected: Form = "Ew",
    where: Mapping[str, str] | None = None,
    level: float = 0.95,
    small: int = SMALL,
    flagged: int = FLAGGED,
) -> Stakeholders:
    """Salience, weights within roles, quadrant and class of every stakeholder; what each role expects.

    Parameters:
        source: a frame or file with columns id, role, power, interest, legitimacy, urgency, and optionally zh, en
            (what a stakeholder is called in either language), role_zh, role_en, respondents (whose answers in the
            panel are theirs: "stage=first|long", a key column and its values; several joined by ";").
        scale: lowest and highest mark. panel: answers, for the means of what each role expects. expected: the form.
        where: keep only answers with these key values. level: of the intervals. small, flagged: means of fewer answers
            are withheld, or marked.

    Returns:
        A `Stakeholders`.

    Raises:
        Problems: E-STAKE (columns, cells, marks outside the scale, an id twice, a role without salience, respondents
            that cannot be read, or that nobody is), E-FORM (no expectation in the form), E-SETTING (level).

    Example:
        >>> frame = pl.DataFrame({"id": ["a", "b"], "role": ["customer"] * 2, "power": [5, 1], "interest": [4, 5],
        ...                       "legitimacy": [3, 3], "urgency": [4, 2]})
        >>> stakeholders(frame).table.select("salience", pl.col("weight").round(3), "quadrant", "kind").rows()
        [(12.0, 0.667, 'manage', 'dangerous'), (6.0, 0.333, 'inform', 'none')]
    """
    needed: dict[str, Kind] = {"id": "text", "role": "text", **dict.fromkeys(MARKS, "number")}
    optional: dict[str, Kind] = dict.fromkeys(("zh", "en", "role_zh", "role_en", "respondents"), "text")
    check(level)
    frame = side_table(source, "stakeholders", needed, optional, "E-STAKE")
    problems = [*_marks(frame, scale), *_twice(frame)]
    if problems:
        raise Problems(problems)
    low, high = scale
    middle = (low + high) / 2
    salience = pl.sum_horizontal("power", "legitimacy", "urgency")
    frame = frame.with_columns(salience.alias("salience"))
    if frame.group_by("role").agg(pl.col("salience").sum() <= 0)["salience"].any():
        en, zh = "a role has no salience at all.", "某一角色的显著性总和为 0。"
        raise Problems([problem("E-STAKE", "role", en, zh, "Use a scale from 1.", "请使用从 1 开始的量表。")])
    table = _judged(frame, middle)
    roles = table.group_by("role", maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("n"),
        pl.col("salience").mean(),
        (pl.col("salience").sum() / table["salience"].sum()).alias("share"),
    )
    en = f"marks above {middle:g} (the middle of {low:g} to {high:g}) count as high; another cut changes quadrants."
    zh = f"高于 {middle:g}（{low:g}–{high:g} 的中点）视为高；换用其他分界会改变象限。"
    labels = {**labelled(frame, "role", "role_"), **labelled(frame, "id")}
    found, attributes, notes = _expected(frame, table, panel, expected, where, level, Bases(small, flagged))
    labels = {**attributes, **labels}
    return Stakeholders(
        table=table,
        roles=roles,
        expectations=found,
        scale=scale,
        expected=expected,
        labels=labels,
        sentences=(*sentences_of(table, labels), *expectation_of(found, labels)),
        notes=(note("N-STAKE", en, zh), *notes),
    )


def _judged(frame: pl.DataFrame, middle: float) -> pl.DataFrame:
    """Weight, quadrant and class of every stakeholder.

    Parameters:
        frame: with the marks and `salience`. middle: of the scale; marks above it are high.
    """
    above = {c: (pl.col(c) > middle) for c in MARKS}
    quadrant = (
        pl.when(above["power"] & above["interest"]).then(pl.lit("manage"))
        .when(above["power"]).then(pl.lit("satisfy"))
        .when(above["interest"]).then(pl.lit("inform"))
        .otherwise(pl.lit("monitor"))
    )  # fmt: skip
    kinds = [CLASSES[row] for row in frame.select(*(above[c] for c in ("power", "legitimacy", "urgency"))).rows()]
    table = frame.with_columns(
        (pl.col("salience") / pl.col("salience").sum().over("role")).alias("weight"),
        quadrant.alias("quadrant"),
        pl.Series("kind", kinds),
    ).with_columns((pl.col("weight") / pl.col("role").n_unique()).alias("overall"))
    return table.select("id", "role", *MARKS, "salience", "weight", "overall", "quadrant", "kind")


def _expected(
    frame: pl.DataFrame,
    table: pl.DataFrame,
    panel: Panel | None,
    expected: Form,
    where: Mapping[str, str] | None,
    level: float,
    bases: Bases,
) -> tuple[pl.DataFrame, dict[str, Text], tuple[Note, ...]]:
    """What roles expect, labels of attributes, and whose expectations are not known."""
    if panel is None or "respondents" not in frame.columns or frame["respondents"].null_count() == frame.height:
        return pl.DataFrame(), {}, ()
    asked = table.with_columns(frame["respondents"])
    found, pairs = expected_by_role(asked, panel, expected, where, level)
    found = bases.withheld(found)
    names = labelled(frame, "role", "role_")
    silent = [names[r] for r in table["role"].unique(maintain_order=True) if r not in set(found["role"])]
    labels = {**pairs.labels, "overall": Text("Overall", "总体")}
    few = bases.notes(
        by_whom(found).select("who", "n", *COLUMNS).unique(maintain_order=True), (), {**names, **labelled(frame, "id")}
    )
    few = (*few, *_unheard(asked, labelled(frame, "id"), names))
    if not silent:
        return found, labels, few
    en, zh = ", ".join(t.en for t in silent), "、".join(t.zh for t in silent)
    said = f"no respondents stand for {en}: what they expect is not known here."
    return (
        found,
        labels,
        (
            *few,
            note("N-STAKE", said, f"{zh}没有对应的受访者，其期望无从得知。"),
        ),
    )


def _unheard(asked: pl.DataFrame, people: Mapping[str, Text], roles: Mapping[str, Text]) -> tuple[Note, ...]:
    """W-STAKE: stakeholders without respondents in roles that others speak for, and the weight that goes with them.

    Parameters:
        asked: id, role, weight (in the role), respondents (null where nobody stands for them).
    """
    out = []
    for part in asked.partition_by("role", maintain_order=True):
        gone = part.filter(pl.col("respondents").is_null())
        if not 0 < gone.height < part.height:
            continue
        role, share = roles[part["role"][0]], f"{gone['weight'].sum():.1%}"
        en, zh = ", ".join(people[i].en for i in gone["id"]), "、".join(people[i].zh for i in gone["id"])
        said = f"{en} ({share} of the weight of {role.en}) have no respondents; the others alone speak for {role.en}."
        out.append(
            note("W-STAKE", said, f"{zh}（占{role.zh}权重的 {share}）没有受访者：{role.zh}的期望仅由其余干系人得出。")
        )
    return tuple(out)


def _marks(frame: pl.DataFrame, scale: tuple[float, float]) -> list[Problem]:
    """Marks outside the scale."""
    out = []
    for column in MARKS:
        wrong = frame.filter(~pl.col(column).is_between(*scale))
        if wrong.height:
            told = ", ".join(f"{i}: {v:g}" for i, v in wrong.select("id", column).head(3).rows())
            en = f"{wrong.height} marks are outside {scale[0]:g} to {scale[1]:g} ({told})."
            zh = f"{wrong.height} 个评分超出 {scale[0]:g}–{scale[1]:g}（{told}）。"
            do, do_zh = "Correct them, or give scale=(low, high).", "请更正，或给出 scale=(最低, 最高)。"
            out.append(problem("E-STAKE", f'stakeholders, column "{column}"', en, zh, do, do_zh))
    return out


def _twice(frame: pl.DataFrame) -> list[Problem]:
    """Stakeholders that stand in the table more than once."""
    ids: Sequence[str] = frame.filter(pl.col("id").is_duplicated())["id"].unique(maintain_order=True).to_list()
    if not ids:
        return []
    en, zh = f"several rows for {', '.join(ids[:3])}.", f"{'、'.join(ids[:3])} 有多行。"
    return [problem("E-STAKE", 'stakeholders, column "id"', en, zh, "Keep one row each.", "每个干系人请保留一行。")]
