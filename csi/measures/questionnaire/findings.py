"""What the rules of the advice find in each part of a validation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import polars as pl

from csi.catalogue.advice import rules
from csi.measures.answered import Answered
from csi.measures.consistency.of_scales import Consistency
from csi.measures.factors.efa import Efa
from csi.measures.item_analysis.items import Items
from csi.measures.questionnaire.advice import Finding
from csi.measures.questionnaire.factor_model import FactorModel
from csi.measures.response.irt import Irt
from csi.measures.separation.discriminant import Discriminant

CORE = 3
"""Items below which a construct has no factor of its own."""


def limit(rule: str) -> float:
    """The limit of a rule.

    Raises:
        ValueError: the rule has none.

    Example:
        >>> limit("item_rest")
        0.3
    """
    found = rules()[rule].limit
    if found is None:
        raise ValueError(f"the rule {rule} has no limit")
    return found


def of_items(found: Items) -> Iterator[Finding]:
    """Items that nobody answers, do not vary, run against the others, go little with them, or lie at an end."""
    alphas = dict(found.scales.select("construct", "alpha").iter_rows())
    for row in found.table.iter_rows(named=True):
        name = row["item"]
        if not row["n"]:
            yield Finding("unanswered", name)
            continue
        if row["sd"] is not None and row["sd"] == 0:
            yield Finding("constant", name)
            continue
        yield from _correlated(row, alphas.get(row["construct"]))
        if row["missing"] is not None and row["missing"] > limit("missing"):
            yield Finding("missing", name, row["missing"])
        for end in ("ceiling", "floor"):
            if row[end] is not None and row[end] > limit(end):
                yield Finding(end, name, row[end])
        if row["skew"] is not None and abs(row["skew"]) > limit("skew"):
            yield Finding("skew", name, row["skew"])
        if row["categories"] is not None and row["used"] is not None and row["used"] < row["categories"]:
            yield Finding("unused", name, float(row["categories"] - row["used"]))
        if row["clear_reversals"]:
            yield Finding("disordered", name, float(len(str(row["clear_reversals"]).split(", "))))


def _correlated(row: Mapping[str, Any], alpha: float | None) -> Iterator[Finding]:
    """What an item's correlation with the rest says; one that clearly runs backwards is to be reversed."""
    rest, dropped = row["item_rest"], row["alpha_if_dropped"]
    with_others = row["loading"] if row["loading"] is not None else rest
    if row["reverse_coding"] == "suspected" and with_others is not None and with_others <= limit("negative"):
        yield Finding("negative", str(row["item"]), with_others)
    elif rest is not None and rest < limit("against"):
        yield Finding("against", str(row["item"]), rest)
    elif rest is not None and rest < limit("item_rest"):
        yield Finding("item_rest", str(row["item"]), rest)
    if alpha is not None and dropped is not None and dropped - alpha > limit("dropped"):
        yield Finding("dropped", str(row["item"]), dropped - alpha)


def of_pairs(found: Items) -> Iterator[Finding]:
    """Pairs that ask the same, or share more than their construct; each told of its second item."""
    for row in found.pairs.filter(pl.col("finding").is_not_null()).iter_rows(named=True):
        alike = row["polychoric"] if row["polychoric"] is not None else row["r"]
        if row["finding"] in ("identical", "redundant") and alike is not None and alike > 0:
            yield Finding("redundant", row["other"], alike, row["item"])
        elif row["q3_adjusted"] is not None and row["q3_adjusted"] > limit("local"):
            yield Finding("local", row["other"], row["q3_adjusted"], row["item"])


def of_factors(found: FactorModel) -> Iterator[Finding]:
    """Items that measure their construct too little."""
    for row in found.loadings.iter_rows(named=True):
        value = row["loading"]
        if value is not None and abs(value) < limit("loading"):
            yield Finding("loading_low" if abs(value) < limit("loading_low") else "loading", row["item"], value)


def of_constructs(answers: Answered, found: Consistency | None, factors: FactorModel | None) -> Iterator[Finding]:
    """Constructs of one or two items, not reliable or too alike, and those that share too little with their items."""
    for construct, items in answers.scales.items():
        if len(items) < CORE:
            yield Finding("single" if len(items) == 1 else "pair", construct, kind="construct")
        value = None if found is None else found.value(construct, "omega_total", "implied")
        if value is not None and value < limit("unreliable"):
            yield Finding("unreliable", construct, value, kind="construct")
        elif value is not None and value > limit("too_alike"):
            yield Finding("too_alike", construct, value, kind="construct")
    if factors is not None:
        table = factors.loadings.with_columns(pl.len().over("construct").alias("k"))
        shared = table.group_by("construct", maintain_order=True).agg((pl.col("loading") ** 2).mean().alias("ave"))
        for construct, ave in shared.iter_rows():
            if ave is not None and ave < limit("convergent"):
                yield Finding("convergent", construct, ave, kind="construct")


def of_separation(found: Discriminant) -> Iterator[Finding]:
    """Pairs of constructs that can hardly be told apart, told of the second."""
    for row in found.table.iter_rows(named=True):
        value = row["htmt"]
        if value is not None and value >= limit("distinct_some"):
            rule = "distinct" if value >= limit("distinct") else "distinct_some"
            yield Finding(rule, row["other"], value, row["construct"], kind="construct")


def of_response(found: Irt) -> Iterator[Finding]:
    """Items whose answers tell little of the construct, and thresholds out of order."""
    for row in found.table.iter_rows(named=True):
        if row["a"] is not None and abs(row["a"]) < limit("slope"):
            yield Finding("slope", row["item"], row["a"])


def of_dimensions(found: Efa) -> Iterator[Finding]:
    """Items that load on another factor than their construct's, or on a second one as well."""
    for row in found.table.iter_rows(named=True):
        own, other = row["loading"], row["other_loading"]
        if row["verdict"] == "elsewhere" and own is not None and abs(own) >= limit("elsewhere"):
            yield Finding("elsewhere", row["item"], own, row["stands_for"] or "")
        elif other is not None and abs(other) >= limit("cross"):
            yield Finding("cross", row["item"], other, found.stands_for.get(row["other"], ""))


def of_ranges(answers: Answered) -> Iterator[Finding]:
    """Constructs whose items span ranges of different length: the scales where they are known, else the answers."""
    known = np.isfinite(answers.minimum) & np.isfinite(answers.maximum)
    here = ~np.isnan(answers.rows)
    high = np.where(here, answers.rows, -np.inf).max(axis=0, initial=-np.inf)
    low = np.where(here, answers.rows, np.inf).min(axis=0, initial=np.inf)
    spans = np.where(known, answers.maximum - answers.minimum, high - low)
    for construct, items in answers.scales.items():
        own = spans[answers.columns(items)]
        own = own[np.isfinite(own) & (own > 0)]
        if own.size > 1 and own.max() / own.min() > limit("ranges"):
            yield Finding("ranges", construct, float(own.max() / own.min()), kind="construct")
