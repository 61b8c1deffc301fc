"""Items of a questionnaire one by one: answered how, by whom not, and how each goes with the others of its construct.

Letters: `n` rows with any answer, `p` items, `k` items of one construct.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problems, Reason, Text, is_number, note, problem, whole
from csi.measures.answered import Answered, answered
from csi.measures.item_analysis.distribution import distribution
from csi.measures.item_analysis.frames import (
    categories_frame,
    ends_of,
    missing_frame,
    pairs_frame,
    scale_use_frame,
    time_frame,
)
from csi.measures.item_analysis.items_words import REASONS, lines_of, sentences_of
from csi.measures.item_analysis.of_construct import OfConstruct, of_construct
from csi.measures.pairwise import pairwise_moments
from csi.measures.tidy import number_column
from csi.moments.stack import Array
from csi.survey.panel import Panel


@dataclass(frozen=True, slots=True, repr=False)
class Items(Shown):
    """What the answers say about every item.

    Attributes:
        table: a row per construct and item: construct, item, n, missing (weighted share of the rows with any answer),
            mean, sd, skew, kurtosis (type 1, in excess of 3), floor, ceiling (shares at the ends), bounds ("scale", or
            "observed" where the scale is not known), item_rest (correlation with the sum of the others), item_total
            (with the mean of all, uncorrected), item_total_std (of standardised items), item_total_smc (the item's own
            variance replaced by what it shares), loading (one factor, minres), alpha_if_dropped, omega_if_dropped,
            categories (offered), used, unused (which), disorder (share of the steps between neighbouring categories
            down which the mean rest score falls), reversed_steps (which), clear_reversals (those down by more than
            1.645 standard errors of independent rows), alpha_if_reversed, reverse_coding ("suspected": a negative
            item-rest correlation or loading, and turning the item over raises alpha; "negative": turning it over does
            not), reason (codes of why numbers are absent).
        scales: a row per construct: items, n (rows with any of its answers), alpha, alpha_std, omega (one factor by
            minres, over the variance it implies), mean_r, reason.
        categories: construct, item, category, n, share, mean_rest (of the other items), se, reason.
        pairs: construct, other_construct, item, other, n, r, polychoric (of close pairs), q3, q3_adjusted (residual
            correlation after one factor, less the mean of its construct), finding ("identical", "redundant",
            "dependent"), reason.
        missing: item, reason, n, share of the rows. scale_use: measure, n, mean, sd, p10, median, p90, reason. time:
            the same of the durations given; "fast" is the share of less than half the median.
        reasons: code -> what it means. redundant, dependent: the limits used. sentences. notes.
    """

    table: pl.DataFrame
    scales: pl.DataFrame
    categories: pl.DataFrame
    pairs: pl.DataFrame
    missing: pl.DataFrame
    scale_use: pl.DataFrame
    time: pl.DataFrame
    reasons: Mapping[str, Reason]
    redundant: float
    dependent: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Items, lang: str = "en") -> str:
    """Items, what stands out, notes."""
    return lines_of(value.table, value.sentences, value.reasons, value.notes, lang)


def items(
    data: object,
    scales: object = None,
    *,
    redundant: float = 0.85,
    dependent: float = 0.2,
    small: int = 10,
    duration: str | None = None,
    times: Mapping[str, str] | None = None,
    na: Sequence[float] = (),
    scale: tuple[float, float] | None = None,
    weight: str | None = None,
    where: Mapping[str, str] | None = None,
) -> Items:
    """Item analysis of every construct: distribution, item-rest correlation, alpha and omega if dropped, categories.

    Absent answers: every covariance comes from the rows that answer both items. Weights enter means, shares,
    covariances and what is made of them; n counts rows. Items without variance leave their construct's statistics.

    Parameters:
        data: a Panel or a frame. scales: {construct: items}, a list of items, a model; a panel's constructs by default.
        redundant: correlation (polychoric where both items are categories) from which a pair says the same.
        dependent: residual correlation, less the mean of its construct, above which a pair depends on each other.
        small: answers below which a category's mean rest score is not given.
        duration: column with the time a respondent took; of a Panel "duration" by default. times: item -> column with
            the time its answer took.
        na, scale, weight, where: as in `csi.fit`.

    Returns:
        An `Items`.

    Raises:
        Problems: unknown or doubled items, limits outside 0 to 1, columns of time that hold no numbers.

    Source:
        Henrysson (1963), Psychometrika 28(2), 211-218; Yen (1984), Applied Psychological Measurement 8(2), 125-145;
        Christensen, Makransky & Horton (2017), 41(3), 178-194. Item statistics of R's psych 2.2.9 agree to 1e-9.

    Example:
        >>> a, b, c, d = [1, 2, 3, 4, 5], [2, 1, 3, 5, 4], [1, 3, 2, 4, 5], [5, 4, 3, 1, 2]
        >>> found = items(pl.DataFrame({"a": a, "b": b, "c": c, "d": d}), {"trust": list("abcd")}, scale=(1, 5))
        >>> found.table.select("item", pl.col("item_rest").round(3), "reverse_coding").rows()[2:]
        [('c', 0.7, None), ('d', -0.943, 'suspected')]
    """
    _check(redundant, dependent, small)
    asked = _durations(data, duration, times)
    found = answered(data, scales, na=na, scale=scale, weight=weight, where=where, keys=list(asked.values()))
    cov = pairwise_moments(found.rows, found.weight[None])[1][0]
    each = {c: _one(found, cov, c) for c in found.scales}
    kinds, categories = categories_frame(found, small)
    table = _table(found, each, kinds)
    pairs = pairs_frame(found, cov, each, redundant, dependent)
    summary = _scales(found, each)
    frames = (table, summary, categories, pairs, use := scale_use_frame(found))
    codes = {code for f in frames for cell in f["reason"].drop_nulls().unique() for code in cell.split()}
    return Items(
        table,
        summary,
        categories,
        pairs,
        missing_frame(found),
        use,
        time_frame(found, asked),
        {code: REASONS[code] for code in REASONS if code in codes},
        redundant,
        dependent,
        sentences_of(table, summary, pairs, redundant, dependent),
        (*found.notes, *_notes(found, table)),
    )


def _one(found: Answered, cov: Array, construct: str) -> OfConstruct:
    at = found.columns(found.scales[construct])
    return of_construct(found.rows[:, at], found.weight, cov[np.ix_(at, at)])


def _durations(data: object, duration: str | None, times: Mapping[str, str] | None) -> dict[str, str]:
    """Of what -> column with its time; "" stands for the whole questionnaire."""
    if duration is None and isinstance(data, Panel) and "duration" in data.frame.columns:
        duration = "duration"
    return {**({} if duration is None else {"": duration}), **dict(times or {})}


def _table(found: Answered, each: Mapping[str, OfConstruct], kinds: pl.DataFrame) -> pl.DataFrame:
    """One row per construct and item."""
    low, high, known = ends_of(found)
    d = distribution(found.rows, found.weight, low, high)
    names = [i for of in found.scales.values() for i in of]
    at = found.columns(names)
    total = found.weight.sum()
    absent = (np.isnan(found.rows) * found.weight[:, None]).sum(axis=0) / total
    columns: dict[str, object] = {
        "construct": [c for c, of in found.scales.items() for _ in of],
        "item": names,
        "n": d.n[at],
        "missing": absent[at],
    }
    columns |= {
        name: number_column(getattr(d, name)[at]) for name in ("mean", "sd", "skew", "kurtosis", "floor", "ceiling")
    }
    columns["bounds"] = ["scale" if known[j] else "observed" for j in at]
    joined = {name: np.concatenate([getattr(e, name) for e in each.values()]) for name in _STATISTICS}
    columns |= {name: number_column(values) for name, values in joined.items()}
    columns["reverse_coding"] = pl.Series(_reverse_coding(found, each, joined), dtype=pl.String)
    frame = pl.DataFrame(columns)
    told = pl.Series("reason", [code for e in each.values() for code in e.reasons])
    categories = kinds.drop("reason", "construct", "item")
    why = _joined(told, kinds["reason"])
    order = ["construct", "item", "n", "missing", "mean", "sd", "skew", "kurtosis", "floor", "ceiling", "bounds"]
    frame = pl.concat([frame, categories], how="horizontal").with_columns(why)
    return frame.select(*order, *_BEFORE, *categories.columns, "alpha_if_reversed", "reverse_coding", "reason")


_BEFORE = (
    "item_rest", "item_total", "item_total_std", "item_total_smc", "loading", "alpha_if_dropped", "omega_if_dropped",
)  # fmt: skip
_STATISTICS = (*_BEFORE, "alpha_if_reversed")


def _joined(*columns: pl.Series) -> pl.Series:
    """Codes of several columns in one text; null without any."""
    told = [" ".join(dict.fromkeys(" ".join(c or "" for c in row).split())) for row in zip(*columns, strict=True)]
    return pl.Series("reason", [t or None for t in told], dtype=pl.String)


def _reverse_coding(found: Answered, each: Mapping[str, OfConstruct], joined: Mapping[str, Array]) -> list[str | None]:
    """Whether items look as if they were worded the other way."""
    alpha = np.concatenate([np.full(len(found.scales[c]), e.alpha) for c, e in each.items()])
    negative = (joined["item_rest"] < 0) | (joined["loading"] < 0)
    helps = joined["alpha_if_reversed"] > alpha
    return [("suspected" if h else "negative") if n else None for n, h in zip(negative, helps, strict=True)]


def _scales(found: Answered, each: Mapping[str, OfConstruct]) -> pl.DataFrame:
    answers = [int((~np.isnan(found.of(c))).any(axis=1).sum()) for c in each]
    numbers = {
        name: number_column(np.array([getattr(e, name) for e in each.values()]))
        for name in ("alpha", "alpha_std", "omega", "mean_r")
    }
    return pl.DataFrame(
        {
            "construct": list(each),
            "items": [len(found.scales[c]) for c in each],
            "n": answers,
            **numbers,
            "reason": pl.Series([e.why or None for e in each.values()], dtype=pl.String),
        }
    )


def _check(redundant: float, dependent: float, small: int) -> None:
    found = []
    for setting, value in (("redundant", redundant), ("dependent", dependent)):
        if not is_number(value) or not 0 < value <= 1:
            en, zh = (
                f"a correlation between 0 and 1 is expected, not {value!r}.",
                f"应为 0 到 1 之间的相关系数，而不是 {value!r}。",
            )
            found.append(problem("E-SETTING", setting, en, zh, f"Write {setting}=0.8, say.", f"例如 {setting}=0.8。"))
    found += whole("small", small)
    if found:
        raise Problems(found)


def _notes(found: Answered, table: pl.DataFrame) -> tuple[Note, ...]:
    told = []
    if found.weighted:
        en = "weights enter means, shares, covariances and what is made of them; n counts rows."
        told.append(note("N-ITEMS-WEIGHTED", en, "权重用于均值、占比、协方差及由其得出的数值；n 为行数。"))
    constant = table.filter(pl.col("reason").str.contains("R-CONSTANT"))["item"].unique(maintain_order=True).to_list()
    if constant:
        en = f"without variance, so not in the statistics of their construct: {', '.join(constant)}."
        zh = f"取值无差异，未计入所属构念的统计量：{'、'.join(constant)}。"
        told.append(note("N-ITEMS-CONSTANT", en, zh))
    n, most = len(found.rows), max(len(of) for of in found.scales.values())
    if n <= most:
        en = f"{n} rows are no more than the {most} items of a construct: its numbers say next to nothing."
        zh = f"只有 {n} 行，不多于一个构念的 {most} 个题项：其数值几乎没有意义。"
        told.append(note("W-ITEMS-ROWS", en, zh))
    observed = table.filter(bounds="observed")["item"].unique(maintain_order=True).to_list()
    if observed:
        en = "the ends of the scale are the lowest and highest answers given, as the scale is not known: "
        zh = "量表上下限未知，以实际最低与最高回答为端点："
        told.append(note("N-ITEMS-BOUNDS", f"{en}{', '.join(observed[:10])}.", f"{zh}{'、'.join(observed[:10])}。"))
    return tuple(told)
