"""The scales as correlated common factors: how well they fit, the loadings, and where they do not fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from csi.errors import Note, Problems, note, problem
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit
from csi.measures.answered import Answered
from csi.measures.fit_measures import fit_measures
from csi.measures.residuals import residuals
from csi.measures.standardised import standardised
from csi.sem.estimator import SEM

MOST = 40
"""Ordinal items up to which the model is fitted to polychoric correlations: its weights grow with the fourth power."""
LEAST = 3
"""Items that a single factor needs to be identified."""
VERSION = {"WLSMV": "scaled", "MLR": "robust"}
"""The version of CFI, TLI and RMSEA that belongs to an estimator."""


@dataclass(frozen=True, slots=True)
class FactorModel:
    """Correlated factors, one per scale of several items.

    Attributes:
        estimate: the fit. estimator: "WLSMV" (ordinal) or "MLR". version: of the measures ("scaled", "robust").
        measures: chi2, df, p_value, cfi, tli, rmsea, rmsea_low, rmsea_high, srmr.
        loadings: construct, item, loading, std_error, conf_low, conf_high (standardised; a factor points where most
            of its items do, whichever is its first).
        correlations: construct, other, estimate, std_error, conf_low, conf_high.
        residuals: first, second, residual (of correlations; positive: more alike than the model says). notes.
    """

    estimate: Estimate
    estimator: str
    version: str
    measures: Mapping[str, float]
    loadings: pl.DataFrame
    correlations: pl.DataFrame
    residuals: pl.DataFrame
    notes: tuple[Note, ...] = ()


def model_text(scales: Mapping[str, Sequence[str]]) -> str:
    """Every scale of several items as a factor, in lavaan's language.

    Example:
        >>> model_text({"trust": ["t1", "t2"], "one": ["q"]})
        'trust =~ t1 + t2'
    """
    return "\n".join(f"{c} =~ {' + '.join(items)}" for c, items in scales.items() if len(items) > 1)


def factor_model(
    data: object,
    answers: Answered,
    *,
    ordinal: bool,
    where: Mapping[str, str] | None = None,
    na: Sequence[float] = (),
) -> FactorModel:
    """The scales of several items as correlated factors, fitted to the answers.

    Ordinal items are fitted by WLSMV to polychoric correlations, others by MLR (full information where answers are
    absent).

    Parameters:
        data: what `answers` were read from. answers: the scales. ordinal: whether items are treated as ordered
            categories. where, na: as in `csi.fit`.

    Raises:
        Problems: no scale of several items, a single one of two, or what the fit refuses.

    Example:
        >>> import numpy as np
        >>> from csi.measures.answered import answered
        >>> noise = np.random.default_rng(1).normal(size=(300, 4))
        >>> frame = pl.DataFrame({f"q{k}": noise[:, 3] + noise[:, k] for k in range(3)})
        >>> factor_model(frame, answered(frame, ["q0", "q1", "q2"]), ordinal=False).measures["df"]
        0.0
    """
    scales = {c: items for c, items in answers.scales.items() if len(items) > 1}
    if not scales or (len(scales) == 1 and max(len(i) for i in scales.values()) < LEAST):
        en, zh = (
            "one scale of two items, or none, has no test of its fit.",
            "仅有一个两题量表或没有多题量表，无法检验拟合。",
        )
        do, do_zh = "Name scales of three and more items.", "请给出三题及以上的量表。"
        raise Problems([problem("E-SCALES", "scales", en, zh, do, do_zh)])
    items = tuple(dict.fromkeys(i for of in scales.values() for i in of))
    notes: tuple[Note, ...] = ()
    if ordinal and len(items) > MOST:
        en = f"{len(items)} ordinal items, more than {MOST}: the factor model takes them as numbers (MLR)."
        notes = (
            note("N-MANY-ORDINAL", en, f"有序题项共 {len(items)} 个，超过 {MOST} 个：因子模型按数值处理（MLR）。"),
        )
        ordinal = False
    absent = bool((answers.rows != answers.rows).any())
    settings = _settings(items, ordinal=ordinal, absent=absent)
    est = fit(model_text(scales), data, settings, where=where, na=na)
    name = "WLSMV" if ordinal else "MLR"
    tidy = _oriented(standardised(est), tuple(scales))
    return FactorModel(
        estimate=est,
        estimator=name,
        version=VERSION[name],
        measures=_measures(est, VERSION[name]),
        loadings=_part(tidy.filter(op="=~"), "construct", "item", "loading"),
        correlations=_part(
            tidy.filter(pl.col("op") == "~~", pl.col("lhs") != pl.col("rhs"), pl.col("lhs").is_in(list(scales))),
            "construct", "other", "estimate",
        ),
        residuals=_residuals(est),
        notes=(*notes, *est.notes),
    )  # fmt: skip


def _settings(items: tuple[str, ...], *, ordinal: bool, absent: bool) -> SEM:
    if ordinal:
        return SEM(estimator="WLSMV", ordered=items, missing="pairwise" if absent else "listwise")
    return SEM(estimator="MLR", missing="fiml" if absent else "listwise")


def _measures(est: Estimate, version: str) -> dict[str, float]:
    """The measures of the version that belongs to the estimator."""
    table = fit_measures(est).table.drop_nulls("value")
    found: dict[str, float] = dict(zip(table["measure"], table["value"], strict=True))
    names = {name: (f"{name}_{version}", name) for name in ("cfi", "tli", "rmsea")}
    names |= {f"rmsea_{end}": (f"rmsea_conf_{end}_{version}", f"rmsea_conf_{end}") for end in ("low", "high")}
    names |= {name: (f"{name}_scaled", name) for name in ("chi2", "p_value")}
    names |= {"df": ("df", "df"), "srmr": ("srmr", "srmr")}
    return {name: float(found[k]) for name, tried in names.items() if (k := next((t for t in tried if t in found), ""))}


def _oriented(tidy: pl.DataFrame, factors: Sequence[str]) -> pl.DataFrame:
    """Loadings and correlations of factors that point where most of their items point, not where the first does."""
    loads = (
        tidy.filter(pl.col("op") == "=~").group_by("lhs").agg(pl.col("estimate").sign().sum(), total=pl.sum("estimate"))
    )
    back = [f for f, signs, total in loads.iter_rows() if (signs or total or 0.0) < 0]
    one, two = pl.col("lhs").is_in(back), pl.col("rhs").is_in(back)
    both = (pl.col("op") == "~~") & pl.col("lhs").is_in(factors) & pl.col("rhs").is_in(factors) & (one != two)
    turn = ((pl.col("op") == "=~") & one) | both
    value, low, high = pl.col("estimate"), pl.col("conf_low"), pl.col("conf_high")
    return tidy.with_columns(
        estimate=pl.when(turn).then(-value).otherwise(value),
        conf_low=pl.when(turn).then(-high).otherwise(low),
        conf_high=pl.when(turn).then(-low).otherwise(high),
    )


def _part(rows: pl.DataFrame, first: str, second: str, value: str) -> pl.DataFrame:
    """Rows of the standardised table under names of their own."""
    return rows.select(
        pl.col("lhs").alias(first), pl.col("rhs").alias(second), pl.col("estimate").alias(value),
        "std_error", "conf_low", "conf_high",
    )  # fmt: skip


def _residuals(est: Estimate) -> pl.DataFrame:
    """Residual correlations of every pair of items, the largest first."""
    table = residuals(est, "cor").table.filter(pl.col("op") == "~~", pl.col("lhs") != pl.col("rhs"))
    found = table.select(pl.col("lhs").alias("first"), pl.col("rhs").alias("second"), pl.col("value").alias("residual"))
    return found.sort(pl.col("residual").abs(), descending=True, maintain_order=True)
