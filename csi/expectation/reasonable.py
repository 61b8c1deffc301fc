"""Are expectations reasonable? Each is held against what the industry delivers.

    z = (E - m) / (s sqrt(1 + 1 / n)),   unreasonable where z > z_(1 - alpha)

m, s and n are mean, standard deviation and number of the industry's *delivered* performance. Where that limit lies
beyond the scale nobody could cross it, so the benchmark's 90th percentile takes its place; where that is the top of the
scale there is no answer.

Source:
    Ojasalo (2001), Managing Service Quality 11(3), 200-212 (realistic and unrealistic expectations).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from scipy.special import ndtri

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Reason, Text, note, problem, reason
from csi.estimate.given import check_panel
from csi.expectation.composites import doubts
from csi.expectation.forms import Matched, matched
from csi.expectation.reasonable_words import action_of, advice_of, lines_of, sentences_of
from csi.expectation.scores import finite
from csi.inference.linearised import Design
from csi.inference.settings import level_problems
from csi.inference.shares import shares
from csi.measures.tidy import with_reasons
from csi.moments.sample import sample_of
from csi.moments.stack import Array, Sample
from csi.survey.bases import FLAGGED, SMALL, Bases, without
from csi.survey.codebook import Form
from csi.survey.keyed import stacked
from csi.survey.panel import Panel
from csi.survey.side_table import Kind, side_table

ALPHAS: Final = (0.10, 0.05, 0.01)
"""Shares of the industry above a limit; the table of sensitivity has all, the decision takes the middle one."""

GIVEN: Final = ("benchmark", "benchmark_sd", "benchmark_n", "rule", "limit", "feasible", "date")
"""Columns of the table that are no answers."""

PERCENTILE: Final = 0.90
"""Where no benchmark is given, expectations above this share of the sample's own stand out."""


@dataclass(frozen=True, slots=True, repr=False)
class Reasonable(Shown):
    """Which expectations the industry could meet.

    Attributes:
        table: the cell's key columns, attribute, n, expected (mean), benchmark, benchmark_sd, benchmark_n, rule
            ("normal", "percentile", "within-sample"), limit, z (of the mean expectation), unreasonable (share of
            respondents), conf_low, conf_high (Wilson), feasible, date, advice, flag, reason, reason_zh
            (of few answers; of a limit at the scale's top, which is null).
        actions: key columns, attribute, part ("reasonable", "unreasonable"), share, action ("meet", "explain_date",
            "meet_or_explain", "explain_alternative"), date.
        sensitivity: key columns, attribute, alpha, limit, unreasonable, conf_low, conf_high, reason, reason_zh (of
            null: a limit beyond the scale, no benchmark, nobody who answered).
        expected: the form. industry, alpha, level, labels, sentences, notes.
    """

    table: pl.DataFrame
    actions: pl.DataFrame
    sensitivity: pl.DataFrame
    expected: Form
    industry: str
    alpha: float
    level: float
    labels: Mapping[str, Text]
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Reasonable, lang: str = "en") -> str:
    """Sentences, attributes, sensitivity, notes."""
    return lines_of((value.table, value.sensitivity), value.sentences, value.notes, value.labels, lang)


def reasonable(
    panel: Panel,
    benchmarks: object = None,
    *,
    expected: Form | None = None,
    industry: str = "",
    attributes: Sequence[str] | None = None,
    feasible: Mapping[str, bool] | None = None,
    by: Sequence[str] = (),
    where: Mapping[str, str] | None = None,
    alpha: float = 0.05,
    level: float = 0.95,
    small: int = SMALL,
    flagged: int = FLAGGED,
) -> Reasonable:
    """Share of respondents whose expectation lies above what the industry delivers, and what to do about it.

    Reasonable and feasible now: meet it. Reasonable but not now: explain, with a date. Unreasonable: explain and offer
    alternatives.

    Parameters:
        panel: answers with a codebook. benchmarks: a frame or file with columns attribute, mean, sd, n, and optionally
            industry, p90 (90th percentile), feasible (yes or no), date. Without it the sample's own 90th percentile
            stands in, and is labelled so.
        expected: form of the expectations, Es where it is asked, else Ed. industry: whose benchmarks, where there are
            several. attributes: only these. feasible: attribute -> can it be met now, in place of the column.
        by: key columns that make cells, such as segment. where: keep only rows with these key values.
        alpha: of the industry above the limit. level: of intervals. small, flagged: fewer answers: withheld, marked.

    Returns:
        A `Reasonable`. The limit is a rule, not a fact (`sensitivity` has three); intervals take it as given: those of
        the own 90th percentile cover 95 % of shares above the limit shown, as little as 67 % above the population's.

    Raises:
        Problems: E-FORM, E-BENCH (no row for an attribute, a mean outside the scale, a limit beyond the scale and no
            percentile), E-SETTING.

    Example:
        >>> import csi
        >>> from csi.survey.codebook import Codebook, Item, Scale
        >>> item = Item("s1", "service", Scale("ten", 1, 10), Text("Claims speed", "理赔速度"), "speed", "Es")
        >>> frame = pl.DataFrame({"s1": [6.0, 7, 9, 10]})
        >>> panel = csi.Panel(frame, Codebook((item,), {}, {}), frame.cast(pl.String))
        >>> bench = pl.DataFrame({"attribute": ["speed"], "mean": [5.0], "sd": [1.5], "n": [200], "feasible": ["yes"]})
        >>> reasonable(panel, bench, small=0).table.select(pl.col("limit").round(2), "unreasonable", "advice").row(0)
        (7.47, 0.5, 'meet')
    """
    check_panel(panel)
    _settings(alpha, level)
    bases = Bases(small, flagged)
    form = expected or ("Es" if any(i.form == "Es" for i in panel.codebook.items) else "Ed")
    asked = matched(panel, (form,), attributes)
    sample = sample_of(panel, asked.every, by, missing="pairwise", where=where)
    rules = _within(sample, asked) if benchmarks is None else _rules(benchmarks, asked, sample, industry, alpha)
    if feasible is not None:
        rules = rules.with_columns(pl.Series("feasible", [feasible.get(a) for a in asked.attributes], dtype=pl.Boolean))
    keys = sample.cells.drop("n")
    parts = [_cell(sample, rules, cell, level) for cell in range(sample.cells.height)]
    more = [_sensitivity(sample, rules, cell, alpha, level) for cell in range(sample.cells.height)]
    table = bases.withheld(stacked(keys, parts), keep=GIVEN)
    sensitivity = without(stacked(keys, more), table, [*keys.columns, "attribute"])
    return Reasonable(
        table=table,
        actions=_actions(table, keys.columns),
        sensitivity=sensitivity,
        expected=form,
        industry=industry,
        alpha=alpha,
        level=level,
        labels=asked.labels,
        sentences=(
            *bases.sentences(table),
            *sentences_of((table, sensitivity), asked.labels, keys.columns, alpha, within=benchmarks is None),
        ),
        notes=(
            *bases.notes(table, keys.columns, asked.labels),
            *_notes(rules, asked.labels, alpha, within=benchmarks is None),
            *doubts(sample),
        ),
    )


def limit_of(mean: Array, sd: Array, n: Array, alpha: float) -> Array:
    """Above this lies a share alpha of the industry: m + z s sqrt(1 + 1 / n).

    Example:
        >>> limit_of(np.array([5.0]), np.array([1.5]), np.array([200.0]), 0.05).round(4).tolist()
        [7.4734]
    """
    return np.asarray(mean + ndtri(1 - alpha) * sd * np.sqrt(1 + 1 / n))


def _rules(source: object, asked: Matched, sample: Sample, industry: str, alpha: float) -> pl.DataFrame:
    """Benchmark, rule and limit of every attribute.

    Raises:
        Problems: E-BENCH.
    """
    needed: dict[str, Kind] = {"attribute": "text", "mean": "number", "sd": "number", "n": "number"}
    optional: dict[str, Kind] = {"industry": "text", "p90": "number", "feasible": "flag", "date": "text"}
    bench = side_table(source, "benchmarks", needed, optional, "E-BENCH")
    for column, kind in (("industry", pl.String), ("p90", pl.Float64), ("feasible", pl.Boolean), ("date", pl.String)):
        if column not in bench.columns:
            bench = bench.with_columns(pl.lit(None, kind).alias(column))
    known = bench["industry"].drop_nulls().unique(maintain_order=True).to_list()
    if known and (industry not in known) and (industry or len(known) > 1):
        en, zh = (
            f'benchmarks are of {", ".join(known)}; industry = "{industry}".',
            f"基准所属行业：{'、'.join(known)}；industry = “{industry}”。",
        )
        raise Problems([problem("E-BENCH", "industry", en, zh, "Name one of them.", "请指定其中之一。")])
    own = bench.filter(pl.col("industry") == industry) if known and industry else bench
    rows = pl.DataFrame({"attribute": list(asked.attributes)}).join(
        own, on="attribute", how="left", maintain_order="left"
    )
    low, high = sample.minimum, sample.maximum
    _refuse(rows, own, low, high, industry)
    limit = limit_of(rows["mean"].to_numpy(), rows["sd"].to_numpy(), rows["n"].to_numpy(), alpha)
    p90 = rows["p90"].to_numpy()
    beyond = limit >= high
    hopeless = [a for a, b, p in zip(rows["attribute"], beyond, p90, strict=True) if b and not np.isfinite(p)]
    if hopeless:
        en = f"the limit m + z s lies beyond the scale for {', '.join(hopeless)}, and no p90 is given."
        zh = f"{'、'.join(hopeless)} 的界限 m + z·s 超出量表，且未给出 p90。"
        do = "Add a column p90 (the benchmark's 90th percentile), or take a larger alpha=."
        raise Problems(
            [problem("E-BENCH", "benchmarks", en, zh, do, "请补充列 p90（基准的 90 分位数），或取更大的 alpha=。")]
        )
    return rows.with_columns(
        pl.Series("rule", np.where(beyond, "percentile", "normal")),
        pl.Series("limit", finite(np.where(~beyond, limit, np.where(p90 < high, p90, np.nan)))),
    )


AT_TOP: Final = reason(
    "R-BENCH-TOP",
    "no share: the industry's 90th percentile is the top of the scale, above which nobody can expect anything.",
    "无法给出占比：行业基准的 90 分位数即量表上限，期望不可能更高。",
)
"""Why an attribute whose limit is the top of the scale has no share: it could be nothing but 0."""


def _refuse(rows: pl.DataFrame, own: pl.DataFrame, low: Array, high: Array, industry: str) -> None:
    """Refuse attributes without a benchmark, twice in the table, or with one that cannot be theirs."""
    out: list[Problem] = []
    twice = own.filter(pl.col("attribute").is_duplicated())["attribute"].unique(maintain_order=True).to_list()
    if twice:
        en, zh = f"several benchmarks for {', '.join(twice)}.", f"{'、'.join(twice)} 有多个基准。"
        raise Problems(
            [problem("E-BENCH", "benchmarks", en, zh, "Keep one, or name industry=.", "请保留一个，或给出 industry=。")]
        )
    for j, row in enumerate(rows.iter_rows(named=True)):
        name = row["attribute"]
        if row["mean"] is None:
            of = f"({industry}, {name})" if industry else name
            en, zh = f"no benchmark for {of}.", f"缺少 {of} 的基准。"
            do = "Add a row with mean, sd, n, or leave it out with attributes=."
            out.append(
                problem("E-BENCH", "benchmarks", en, zh, do, "请补充一行 mean、sd、n，或用 attributes= 去掉该属性。")
            )
        elif (p90 := row["p90"]) is not None and not row["mean"] <= p90 <= high[j]:
            en = f"{name}: p90 {p90:g} does not lie between the mean {row['mean']:g} and the scale's top {high[j]:g}."
            zh = f"{name}：p90 为 {p90:g}，不在均值 {row['mean']:g} 与量表上限 {high[j]:g} 之间。"
            do = "Give the benchmark's 90th percentile, on the attribute's scale."
            out.append(problem("E-BENCH", "benchmarks", en, zh, do, "请给出该属性量程上的基准 90 分位数。"))
        elif not low[j] <= row["mean"] <= high[j] or row["sd"] <= 0 or row["n"] < 2:
            en = f"{name}: mean {row['mean']:g}, sd {row['sd']:g}, n {row['n']:g}, scale {low[j]:g} to {high[j]:g}."
            zh = (
                f"{name}：均值 {row['mean']:g}、标准差 {row['sd']:g}、n = {row['n']:g}，量表为 {low[j]:g}–{high[j]:g}。"
            )
            do = "The mean lies on the attribute's scale, sd above 0, n at least 2."
            out.append(
                problem("E-BENCH", "benchmarks", en, zh, do, "均值应在该属性的量程内，标准差大于 0，n 至少为 2。")
            )
    if out:
        raise Problems(out)


def _within(sample: Sample, asked: Matched) -> pl.DataFrame:
    """The sample's own 90th percentile as the limit."""
    limits = [_percentile(sample.rows[:, j], sample.weight) for j in range(len(asked.attributes))]
    blank = dict.fromkeys(("mean", "sd", "n", "p90"), pl.lit(None, pl.Float64))
    rows = pl.DataFrame({"attribute": list(asked.attributes), "limit": limits})
    return rows.with_columns(
        **blank,
        feasible=pl.lit(None, pl.Boolean),
        date=pl.lit(None, pl.String),
        rule=pl.lit("within-sample"),
    )


def _percentile(x: Array, weight: Array) -> float:
    """The smallest answer that at least 90 % of the weight does not exceed."""
    seen = np.isfinite(x)
    order = np.argsort(x[seen], kind="stable")
    share = np.cumsum(weight[seen][order]) / weight[seen].sum()
    return float(x[seen][order][np.searchsorted(share, PERCENTILE - 1e-12)])


def _cell(sample: Sample, rules: pl.DataFrame, cell: int, level: float) -> pl.DataFrame:
    """The table of one cell."""
    rows = np.flatnonzero(sample.cell == cell)
    x, w = sample.rows[rows], sample.weight[rows]
    seen = np.isfinite(x)
    limit = rules["limit"].to_numpy()
    known = np.isfinite(limit)
    found = shares(x > limit, seen, Design.of(sample, rows), level)
    p, low, high = (np.where(known, v, np.nan) for v in found)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (w @ np.where(seen, x, 0.0)) / (w @ seen)
        z = (mean - rules["mean"].to_numpy()) / (rules["sd"].to_numpy() * np.sqrt(1 + 1 / rules["n"].to_numpy()))
    feasible = rules["feasible"].to_list()
    advice = [advice_of(a, f) if k else None for a, f, k in zip(low, feasible, known, strict=True)]
    table = pl.DataFrame(
        {
            "attribute": rules["attribute"],
            "n": seen.sum(axis=0).astype(np.int64),
            "expected": finite(mean),
            "benchmark": rules["mean"],
            "benchmark_sd": rules["sd"],
            "benchmark_n": rules["n"],
            "rule": rules["rule"],
            "limit": rules["limit"],
            "z": finite(z),
            "unreasonable": finite(p),
            "conf_low": finite(low),
            "conf_high": finite(high),
            "feasible": rules["feasible"],
            "date": rules["date"],
            "advice": pl.Series(advice, dtype=pl.String),
        }
    )
    return with_reasons(table, [None if k else AT_TOP for k in known])


def _sensitivity(sample: Sample, rules: pl.DataFrame, cell: int, alpha: float, level: float) -> pl.DataFrame:
    """Shares under three limits; absent where a limit lies beyond the scale, and without benchmarks."""
    rows = np.flatnonzero(sample.cell == cell)
    x = sample.rows[rows]
    design = Design.of(sample, rows)
    mean, sd, n = (rules[c].to_numpy() for c in ("mean", "sd", "n"))
    parts = []
    for each in sorted({*ALPHAS, alpha}, reverse=True):
        limit = limit_of(mean, sd, n, each)
        inside = np.isfinite(limit) & (limit < sample.maximum)
        found = [np.where(inside, v, np.nan) for v in shares(x > limit, np.isfinite(x), design, level)]
        numbers = dict(zip(("unreasonable", "conf_low", "conf_high"), map(finite, found), strict=True))
        head = {"attribute": rules["attribute"], "alpha": [each] * rules.height, "limit": finite(limit)}
        seen = np.isfinite(x).any(axis=0)
        why = [
            None if ok else _untold(lim, top) for ok, lim, top in zip(inside & seen, limit, sample.maximum, strict=True)
        ]
        parts.append(with_reasons(pl.DataFrame(head | numbers), why))
    return pl.concat(parts)


NO_BENCH: Final = reason("R-NO-BENCH", "no benchmark.", "没有基准。")
BEYOND: Final = reason("R-BEYOND", "no share: the limit lies beyond the scale.", "无法给出占比：界限超出量表。")
NOBODY: Final = reason("R-NO-ANSWERS", "nobody answered.", "无人作答。")


def _untold(limit: float, top: float) -> Reason:
    """Why there is no share above a limit."""
    return NO_BENCH if not np.isfinite(limit) else BEYOND if limit >= top else NOBODY


def _actions(table: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """What to do about the reasonable and the unreasonable part of each attribute."""
    rows = []
    for row in table.filter(pl.col("limit").is_not_null()).iter_rows(named=True):
        head = {k: row[k] for k in (*keys, "attribute")}
        share = row["unreasonable"]
        left = None if share is None else 1 - share
        rows.append(
            {**head, "part": "reasonable", "share": left, "action": action_of(row["feasible"]), "date": row["date"]}
        )
        rows.append({**head, "part": "unreasonable", "share": share, "action": "explain_alternative", "date": None})
    return pl.DataFrame(rows, schema_overrides={"share": pl.Float64, "date": pl.String})


def _settings(alpha: float, level: float) -> None:
    """Refuse settings out of range."""
    found = level_problems(level)
    if not 0 < alpha < 0.5:
        en, zh = f"alpha = {alpha:g} is not between 0 and 0.5.", f"alpha = {alpha:g} 不在 0 与 0.5 之间。"
        found.append(problem("E-SETTING", "alpha", en, zh, "Write 0.05.", "请写 0.05。"))
    if found:
        raise Problems(found)


def _notes(rules: pl.DataFrame, labels: Mapping[str, Text], alpha: float, *, within: bool) -> tuple[Note, ...]:
    """What the limit is; where it is another one; feasibility that is not known."""
    notes = []
    if within:
        en = "no benchmark: the limit is the sample's own 90th percentile, which says who stands out, not what is"
        en += " reasonable; intervals are of the share above the limit that is shown, and take it as given."
        zh = "未给出行业基准：界限为样本自身的 90 分位数，只说明谁的期望偏高，不说明是否合理；"
        zh += "区间针对高于所示界限的占比，并视该界限为已知。"
        notes.append(note("W-BENCH", en, zh))
    else:
        en = (
            f"unreasonable: above the limit m + z s that {100 * alpha:g} % of the industry's deliveries exceed (if they"
        )
        en += " are normal); a rule, not a fact (see the table of three limits)."
        zh = f"不合理：高于界限 m + z·s，即（按正态）行业交付水平中仅 {100 * alpha:g}% 超过的水平；"
        zh += "这是规则而非事实（见三个界限的表）。"
        notes.append(note("N-BENCH", en, zh))
    for told, en, zh in (
        (
            pl.col("limit").is_not_null(),
            "the benchmark's 90th percentile is the limit, which 10 % of the industry's deliveries exceed.",
            "改用基准的 90 分位数为界限，行业交付水平中有 10% 超过它。",
        ),
        (pl.col("limit").is_null(), AT_TOP.text.en, AT_TOP.text.zh),
    ):
        moved = [labels[a] for a in rules.filter(told, rule="percentile")["attribute"]]
        if moved:
            names, names_zh = ", ".join(t.en for t in moved), "、".join(t.zh for t in moved)
            there = f"m + z s lies beyond the scale for {names}: {en}"
            notes.append(note("W-BENCH", there, f"{names_zh} 的 m + z·s 超出量表：{zh}"))
    if rules["feasible"].null_count():
        en = "where feasibility is not known, the reasonable part is to be met or explained."
        notes.append(note("N-FEASIBLE", en, "未说明当前可行性的属性，对合理部分只能给出“满足或解释”。"))
    return tuple(notes)
