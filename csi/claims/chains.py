"""Chains of arrows that a card names, their mediation, and contrasts between them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import polars as pl

from csi.claims.signs import NUMBERS, verdict
from csi.errors import Text
from csi.estimate.estimate import Estimate, Solution
from csi.measures.effects import along
from csi.measures.findings import number
from csi.measures.mediation import KINDS, NO_DIRECT, Mediation
from csi.measures.tidy import cell_codes, cells_of, solved_only, tidy, uncertain
from csi.models.card import Card
from csi.models.card_faults import chain_of
from csi.models.model import Model
from csi.models.syntax.evaluate import compile_expression
from csi.moments.stack import Array, Moments

Chains = Mapping[str, tuple[str, ...]]


def named_chains(card: Card, model: Model) -> dict[str, tuple[str, ...]]:
    """The card's hypotheses whose arrows the model has.

    Example:
        >>> from csi.models.cards import read_card
        >>> card = read_card("ecm")
        >>> items = {n: [n + "1"] for n in card.constructs}
        >>> len(named_chains(card, Model.card("ecm", items=items)))
        3
    """
    arrows = {(p.predictor.name, p.outcome) for p in model.paths}
    chains = {name: chain_of(text) for name, text in card.hypotheses.items()}
    return {n: c for n, c in chains.items() if set(pairwise(c)) <= arrows}


def hypotheses(card: Card, model: Model, found: Mediation | None) -> pl.DataFrame:
    """The specific indirect effects that the card names, with expected sign, kind of mediation and verdict.

    The kind is left open where the direct path is not in the model.

    Returns:
        key columns, hypothesis, chain, expected, estimate, std_error, conf_low, conf_high, kind, verdict.
    """
    chains = named_chains(card, model)
    if found is None or not chains:
        return pl.DataFrame()
    signs = {(p.predictor.name, p.outcome): p.sign for p in model.paths}
    rows = pl.DataFrame(
        [(n, " -> ".join(c), _sign(c, signs)) for n, c in chains.items()],
        schema={"hypothesis": pl.String, "chain": pl.String, "expected": pl.String},
        orient="row",
    ).with_row_index("_order")
    specific = found.table.filter(pl.col("effect") == "specific")
    keys = specific.columns[: specific.columns.index("outcome")]
    joined = specific.with_row_index("_at").join(rows, on="chain", how="inner")
    first = joined.group_by(keys, maintain_order=True).agg(pl.col("_at").min().alias("_cell")) if keys else None
    joined = joined.join(first, on=keys, how="left") if first is not None else joined.with_columns(_cell=pl.lit(0))
    joined = joined.sort("_cell", "_order", maintain_order=True)
    missing = [pl.lit(None, dtype=pl.Float64).alias(c) for c in NUMBERS if c not in joined.columns]
    joined = joined.with_columns(*missing)
    own = joined.select(pl.concat_str("predictor", pl.lit(" "), "outcome")).to_series().is_in(_beside(model))
    joined = joined.with_columns(kind=pl.when(own).then(pl.col("kind")).otherwise(None))
    told = [verdict(*row) for row in joined.select("expected", "conf_low", "conf_high").iter_rows()]
    joined = joined.with_columns(pl.Series("verdict", told, dtype=pl.String))
    return joined.select(*keys, "hypothesis", "chain", "expected", *NUMBERS, "kind", "verdict")


def _beside(model: Model) -> list[str]:
    """Pairs with an arrow of their own, "predictor outcome"; only beside one can a mediation be of a kind."""
    return [f"{p.predictor.name} {p.outcome}" for p in model.paths]


def _sign(chain: tuple[str, ...], signs: Mapping[tuple[str, str], str]) -> str:
    """The sign that a chain of signed arrows makes; none where one of them has none."""
    steps = [signs[step] for step in pairwise(chain)]
    if "" in steps:
        return ""
    return "-" if steps.count("-") % 2 else "+"


def contrasts(card: Card, est: Estimate) -> pl.DataFrame:
    """The card's formulas of indirect effects, standardised, with intervals where there are replicates.

    Returns:
        key columns, contrast, formula, estimate, std_error, conf_low, conf_high, reason (code).
    """
    chains = named_chains(card, est.model)
    formulas = {n: compile_expression(f) for n, f in card.contrasts.items()}
    known = {n: f for n, f in formulas.items() if set(f.labels) <= set(chains)}
    if not known:
        return pl.DataFrame()

    def quantity(_: Moments, solution: Solution) -> Array:
        values = {n: along(solution.paths, c, solution.constructs) for n, c in chains.items()}
        return np.stack([f.evaluate(values) for f in known.values()], axis=-1)

    found = uncertain(est, quantity, kept=True)
    numbers = {"estimate": quantity(est.moments, est.solution) if found is None else found.value}
    none = np.full_like(numbers["estimate"], np.nan)
    numbers |= {
        "std_error": none if found is None else found.std_error,
        "conf_low": none if found is None else found.conf_low,
        "conf_high": none if found is None else found.conf_high,
    }
    labels = pl.DataFrame({"contrast": list(known), "formula": [card.contrasts[n] for n in known]})
    return tidy(cells_of(est), labels, solved_only(est, numbers), {"reason": cell_codes(est, labels.height)})


def chain_sentences(table: pl.DataFrame, model: Model) -> tuple[Text, ...]:
    """What each named chain comes to."""
    if not table.height:
        return ()
    keys = table.columns[: table.columns.index("hypothesis")]
    made = []
    for row in table.filter(pl.col("conf_low").is_not_null()).iter_rows(named=True):
        names = str(row["chain"]).split(" -> ")
        cell = " ".join(str(row[k]) for k in keys if row[k])
        place, place_zh = (f"{cell}: ", f"{cell}：") if cell else ("", "")
        value = f"{number(row['estimate'])} [{number(row['conf_low'])}, {number(row['conf_high'])}]"
        open_ = f"{names[0]} {names[-1]}" not in _beside(model)
        kind = NO_DIRECT if open_ else KINDS.get(row["kind"] or "", Text("", ""))
        en = f"{place}{' -> '.join(model.label(n) for n in names)}: indirect effect {value}"
        zh = f"{place_zh}{' → '.join(model.label(n, 'zh') for n in names)}：间接效应 {value}"
        made.append(Text(f"{en}, {kind.en}." if kind.en else f"{en}.", f"{zh}，{kind.zh}。" if kind.zh else f"{zh}。"))
    return tuple(made)


def contrast_sentences(table: pl.DataFrame) -> tuple[Text, ...]:
    """Whether each contrast differs from 0."""
    if not table.height:
        return ()
    keys = table.columns[: table.columns.index("contrast")]
    made = []
    for row in table.filter(pl.col("conf_low").is_not_null()).iter_rows(named=True):
        cell = " ".join(str(row[k]) for k in keys if row[k])
        place, place_zh = (f"{cell}: ", f"{cell}：") if cell else ("", "")
        value = f"{number(row['estimate'])} [{number(row['conf_low'])}, {number(row['conf_high'])}]"
        apart = row["conf_low"] > 0 or row["conf_high"] < 0
        en = "differs from 0" if apart else "is not distinguishable from 0"
        zh = "与 0 有显著差异" if apart else "与 0 无显著差异"
        made.append(Text(f"{place}{row['formula']} = {value} {en}.", f"{place_zh}{row['formula']} = {value}，{zh}。"))
    return tuple(made)
