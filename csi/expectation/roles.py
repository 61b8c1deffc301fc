"""What the respondents behind stakeholders expect: means by stakeholder and by role.

A role's mean puts its stakeholders together by their weights in the role, of those who have respondents:

    mean_role = sum_s v_s mean_s,   v_s = weight_s / sum of the weights of stakeholders with respondents

Letters: `n` rows, `m` names (attributes, dimensions, overall), `s` stakeholders of a role.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.errors import Problem, Problems, did_you_mean, problem
from csi.expectation.forms import Matched, matched
from csi.expectation.scores import Scores, finite, scores_of
from csi.inference.linearised import Design, Means, means
from csi.moments.sample import sample_of
from csi.moments.stack import Array, Sample
from csi.survey.codebook import Form
from csi.survey.panel import Panel

KEYS: Final = ("brand", "wave", "stage", "segment")
"""Columns of a panel that may say who a respondent is."""

WHO: Final = "who "
"""Columns of whom a row stands for; the space keeps them apart from those of a file."""

NUMBERS: Final = ("mean", "std_error", "conf_low", "conf_high")
Flags = npt.NDArray[np.bool_]


def expected_by_role(
    table: pl.DataFrame, panel: Panel, expected: Form, where: Mapping[str, str] | None, level: float
) -> tuple[pl.DataFrame, Matched]:
    """Means of expectation of every role and stakeholder with respondents.

    Parameters:
        table: id, role, weight (in the role), respondents: whose answers are theirs, "stage=first|long" (a key column
            of the panel and its values), several such conditions joined by ";"; null where none are.
        panel: the answers. expected: the form. where: keep only rows with these key values. level: of intervals.

    Returns:
        role, id (null for the role as a whole), kind, name, n, mean, std_error, conf_low, conf_high; and the
        attributes behind it. Errors follow the design, within the stakeholders (a domain each).

    Raises:
        Problems: E-STAKE (a condition that cannot be read, names no key column, or fits nobody), E-FORM.
    """
    wanted = {i: _conditions(told) for i, told in table.select("id", "respondents").rows() if told}
    pairs = matched(panel, (expected,))
    known = [k for k in KEYS if k in panel.frame.columns]
    wrong = [p for i, rule in wanted.items() for p in _unreadable(i, rule, known)]
    if wrong:
        raise Problems(wrong)
    frame = panel.frame.with_columns(_met(rule).alias(f"{WHO}{i}") for i, rule in wanted.items())
    pattern = pl.concat_str([pl.col(f"{WHO}{i}").cast(pl.Int8).cast(pl.String) for i in wanted]).alias(WHO)
    sample = sample_of(
        replace(panel, frame=frame.with_columns(pattern)), list(pairs.every), [WHO], missing="pairwise", where=where
    )
    cells = sample.cells[WHO].to_list()
    belongs = {i: np.array([c[at] == "1" for c in cells])[sample.cell] for at, i in enumerate(wanted)}
    wrong = [_nobody(i, table.filter(id=i)["respondents"].item()) for i, own in belongs.items() if not own.any()]
    if wrong:
        raise Problems(wrong)
    scores = scores_of(pairs, sample.rows)
    frames = [frame for role in _roles(table) for frame in _frames(role, belongs, scores, sample, level)]
    return pl.concat(frames), pairs


def _conditions(told: str) -> dict[str, tuple[str, ...]]:
    """Key -> values of "stage=first|long; brand=A"; a part that is none of this has no values."""
    parts = [part.partition("=") for part in told.split(";") if part.strip()]
    return {k.strip(): tuple(v.strip() for v in values.split("|") if v.strip()) for k, _, values in parts}


def _unreadable(stakeholder: str, rule: Mapping[str, Sequence[str]], known: Sequence[str]) -> Iterator[Problem]:
    """Conditions without values, and keys that the panel does not have."""
    place = 'stakeholders, column "respondents"'
    for key, values in rule.items():
        if not values:
            en, zh = f'{stakeholder}: "{key}" cannot be read.', f"{stakeholder}：无法识别“{key}”。"
            do, do_zh = "Write key=value|value, such as stage=first|long.", "请写成 键=值|值，例如 stage=first|long。"
            yield problem("E-STAKE", place, en, zh, do, do_zh)
        elif key not in known:
            hint = did_you_mean(key, known)
            en = f'{stakeholder}: the answers have no key column "{key}" (they have {", ".join(known) or "none"}).'
            zh = f"{stakeholder}：数据中没有关键列“{key}”（现有：{'、'.join(known) or '无'}）。"
            yield problem("E-STAKE", place, en, zh, hint.en, hint.zh)


def _nobody(stakeholder: str, told: str) -> Problem:
    """A condition that fits no respondent."""
    en, zh = f"{stakeholder}: nobody answers to {told}.", f"{stakeholder}：没有受访者符合 {told}。"
    do, do_zh = "Check the values against the data, or leave the cell empty.", "请核对取值，或将该单元格留空。"
    return problem("E-STAKE", 'stakeholders, column "respondents"', en, zh, do, do_zh)


def _met(rule: Mapping[str, Sequence[str]]) -> pl.Expr:
    """Whether a row meets a rule."""
    met = [pl.col(key).cast(pl.String).is_in(list(values)) for key, values in rule.items()]
    return pl.all_horizontal(met).fill_null(value=False)


def _roles(table: pl.DataFrame) -> list[pl.DataFrame]:
    """The stakeholders with respondents, role by role."""
    return table.filter(pl.col("respondents").is_not_null()).partition_by("role", maintain_order=True)


def _frames(
    role: pl.DataFrame, belongs: Mapping[str, Flags], scores: Scores, sample: Sample, level: float
) -> Iterator[pl.DataFrame]:
    """The role as a whole, then its stakeholders."""
    (values,) = scores.values.values()
    every = np.arange(len(sample.rows))
    name = role["role"][0]
    members = [belongs[i] for i in role["id"]]
    whole = _together(values, members, role["weight"].to_numpy(), Design.of(sample, every))
    yield _frame(name, None, scores, whole, level)
    for stakeholder, own in zip(role["id"], members, strict=True):
        rows = np.flatnonzero(own)
        yield _frame(name, stakeholder, scores, means(values[rows], *Design.of(sample, rows)), level)


def _together(values: Array, members: Sequence[Flags], weight: Array, of: Design) -> Means:
    """Means over stakeholders by their weights, with linearised errors.

    Parameters:
        values: (n, m). members: s of (n,). weight: (s,) of the stakeholders. of: weights and units of rows, strata.
    """
    w = of.weight
    columns = []
    for x in values.T:
        seen = np.isfinite(x)
        share = np.zeros(len(x))  # weight of each row in the role's mean
        pull = np.zeros(len(x))  # what it adds to the error
        there = [(v, np.where(m & seen, w, 0.0)) for v, m in zip(weight, members, strict=True) if (m & seen).any()]
        for v, own in there:
            part = v / sum(u for u, _ in there) * own / own.sum()
            share += part
            pull += part * (np.where(seen, x, 0.0) - (own @ np.where(seen, x, 0.0)) / own.sum())
        rows = np.flatnonzero(share > 0)
        centre = float(share[rows] @ x[rows]) if rows.size else np.nan
        mine = of.at(rows)
        columns.append(means((centre + pull[rows] / mine.weight * mine.weight.sum())[:, None], *mine))
    return Means(*(np.concatenate([getattr(c, part) for c in columns]) for part in Means.__slots__))


def _frame(role: str, stakeholder: str | None, scores: Scores, found: Means, level: float) -> pl.DataFrame:
    """One block of the table."""
    low, high = found.interval(level)
    m = len(scores.names)
    head = {"role": [role] * m, "id": pl.Series([stakeholder] * m, dtype=pl.String), "kind": list(scores.kinds)}
    numbers = dict(zip(NUMBERS, (found.mean, found.std_error, low, high), strict=True))
    counted = {"name": list(scores.names), "n": found.n.astype(np.int64)}
    return pl.DataFrame(head | counted | {c: finite(x) for c, x in numbers.items()})
