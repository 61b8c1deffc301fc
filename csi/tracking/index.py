"""The index: 0-100 from unstandardised outer weights, with a standard error that knows the weights are estimated.

Letters: `c` cells, `g` weight groups, `p` items, `q` constructs, `B` replicates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, cast, get_args

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Reason, Text, one_of, problem, reason
from csi.estimate.estimate import Estimate, Factors
from csi.estimate.given import check_estimate
from csi.estimate.unrolled import on_items
from csi.inference.bootstrap import check_strata
from csi.inference.intervals import Evidence, curve_of, limits
from csi.inference.resample import rows_behind
from csi.inference.uncertainty import NESTED, as_draws
from csi.measures.tidy import number_column
from csi.moments.asked import check_within
from csi.moments.stack import Array, Ints, Sample
from csi.tracking.index_answers import Answers, answers_of
from csi.tracking.index_deff import Effective, effective_note, worth_of
from csi.tracking.index_drawn import Request, Second, drawn_indices, scores, second_of
from csi.tracking.index_fit import Weights, item_bounds, item_places, key_columns
from csi.tracking.index_formula import equal_weights, formulas_of, given_formula
from csi.tracking.index_influence import Influence, influence_of
from csi.tracking.index_table import index_notes, index_table, weight_table, with_items
from csi.tracking.index_variance import replicate_sd
from csi.tracking.index_weights import Given, Rule, base_wave, check_rule, default_rule
from csi.tracking.rolling import window_problems
from csi.tracking.show import shown
from csi.tracking.waves import wave_order

Interval = Literal["t", "percentile", "basic", "normal", "bc", "bca", "studentised", "double"]
StdError = Literal["replicates", "linearised", "fixed"]


@dataclass(frozen=True, slots=True, repr=False)
class Index(Shown):
    """Index values of every construct in every cell.

    Attributes:
        table: tidy; key columns (`brand`, `wave`, ... as present), construct, formula (id, see `formulas`), index,
            std_error, conf_low, conf_high, n (answers behind the construct, see `answers`), n_effective (n /
            design_effect), design_effect (of the index, see `effective`), std_error_fixed (weights held fixed), reason
            and reason_zh (null unless index is null).
        weights: tidy; construct, item, weight (relative, sums to 1 per construct), std_error, plus the key columns of
            the cells that estimated them.
        constructs, cells: axes of the arrays. values: (c, q). replicates: (B, c, q) or None; NaN where unusable.
        rule: which cells estimate the weights: "own", "entity", "wave", "base", "pooled" or "given". base: the base
            wave when anchored. level, scheme (the engine's name), seed.
        degrees_of_freedom: (c, q) resampling units minus strata behind each index.
        influence: what every respondent adds to the indices; covariances of cells without replicates come from it.
        sample: the rows behind the cells (None when fitted from moments alone).
        formulas: (q) the id of each construct's formula: F1 or F2 (ACSI; one answer scale or several), F3
            (performance), F4 (KCSI), F5 (equal weights), F6 (factor scores), F7; T2B, CR, ... of `csi.rates`.
        stated_df: degrees of freedom that replicate weights bring for every comparison, else None. With such weights
            (and the jackknife) `replicates` holds 2B numbers whose spread, not whose quantiles, has a meaning.
        estimated: the weights behind it, by group and replicate. means: of other columns of the same rows under its
            resampling. factors: how the replicates add up to variances (see `Replicates`).
        linked: construct's column -> (c, c) errors of links between forms, common to the cells before a break.
        effective: what the design effect is of: "design" (strata, clusters, weights), "replicates" (the survey's
            replicate weights), or "kish" (unequal weights alone) where neither is known.
        copies: the indices of completed data sets that `csi.pool` combined; comparisons combine theirs.
        answers: how many answers, and which rows, are behind each index: of a construct the item with fewest in the
            cell counts. `cells` counts rows.

    Example:
        >>> import csi
        >>> frame = pl.DataFrame({"a": [1, 4, 7, 10], "b": [2, 4, 8, 9], "c": [1, 5, 5, 9]})
        >>> model = csi.Model.parse("use =~ a + b" + chr(10) + "joy =~ c" + chr(10) + "joy ~ use")
        >>> csi.index(csi.fit(model, frame, csi.PLS(), scale=(1, 10))).rule
        'own'
    """

    table: pl.DataFrame
    weights: pl.DataFrame
    constructs: tuple[str, ...]
    cells: pl.DataFrame
    values: Array
    replicates: Array | None
    rule: str
    base: str | None
    level: float
    scheme: str
    seed: int | None
    degrees_of_freedom: npt.NDArray[np.float64] | None = None
    reasons: tuple[Reason, ...] = ()
    notes: tuple[Note, ...] = ()
    influence: Influence | None = None
    sample: Sample | None = None
    stated_df: float | None = None
    formulas: tuple[str, ...] = ()
    estimated: Weights | None = None
    means: Callable[[Sample], Array] | None = None
    factors: Factors | None = None
    linked: Mapping[int, Array] = field(default_factory=dict)
    effective: Effective = "kish"
    copies: tuple[Index, ...] = ()
    answers: Answers | None = None

    def n_of(self, construct: int) -> Ints:
        """(c,) answers behind the indices of a construct's column."""
        if self.answers is None:
            return self.cells["n"].cast(pl.Int64).to_numpy()
        return self.answers.n[:, construct]

    def cells_of(self, construct: int) -> pl.DataFrame:
        """The cells with the answers behind a construct's indices as `n`."""
        return self.cells.with_columns(pl.Series("n", self.n_of(construct)))

    @property
    def basis(self) -> StdError:
        """Whose standard errors `std_error` and every comparison have: "replicates", "linearised" or "fixed" (weights
        held fixed).
        """
        if self.copies:
            return self.copies[0].basis
        if self.replicates is not None:
            return "replicates"
        return "fixed" if self.influence is None or self.influence.full is None else "linearised"

    @property
    def measured(self) -> pl.DataFrame:
        """The table without constructs that have no items and so no index: products of constructs."""
        return with_items(self.table, self.reasons)


def index(
    est: Estimate,
    by: Sequence[str] | None = None,
    weights: Rule | None = None,
    base: str | None = None,
    given: Given | None = None,
    level: float | None = None,
    interval: Interval = "t",
    formula: str | None = None,
    std_error: StdError | None = None,
    window: int = 4,
) -> Index:
    """The 0-100 index of every construct in every cell.

    `I_c = sum_k a_k 100 (xbar_kc - l_k) / (u_k - l_k)`, `a_k = w_k (u_k - l_k) / sum_j w_j (u_j - l_j)`,
    `w_k = w~_k / s_k`: the unstandardised outer weight, with s_k from the sample that estimated w~_k. Anchoring to a
    base wave freezes w_k. The standard error contains the uncertainty of the weights: after `bootstrap` by its refits
    (cells, base wave and pooled groups share one resampling plan), else linearised, from what every respondent adds to
    the cell's means and, through the gradient of the weights, to the weights. `std_error_fixed` holds them fixed.

    Parameters:
        est: a fitted stack of cells, with or without replicates.
        by: key columns of the index's cells, among those `est` was fitted by (all of them by default).
        weights: which cells estimate the weights: "own", "entity" (a brand over its waves), "wave" (a wave over its
            brands), "rolling" (a wave and those before it in a window, over their brands), "base" (one wave over its
            brands), "pooled" (all cells), "given". By default "base" with several waves, "wave" with several brands in
            one wave, "own" for one cell.
        base: the base wave under "base" (the first by default).
        given: relative weights of the 0-100 items under "given", construct -> item -> weight.
        level: of the intervals (the estimate's by default).
        interval: "t" (replicate standard error, design degrees of freedom), or of bootstrap draws "percentile",
            "basic", "normal", "bc", "bca" (units left out of the whole panel one by one), "studentised" or "double"
            (every replicate resampled 50 times), as in `csi.bootstrap`; cut at 0 and 100.
        formula: "F1" or "F2" (ACSI), "F3" (performance) and "F7" (every construct) use outer weights, "F5" or "equal"
            equal ones, "F6" or "factor" those of factor scores, loading / error variance. By default F6 of a covariance
            model, else F1 where the items of a construct share one answer scale and F2 where not. F4 is `csi.kcsi`.
        std_error: "replicates", "linearised" (no refits, whatever replicates there are), or "fixed" (weights held
            fixed). By default replicates where there are some, else linearised, else fixed; a note says which.
        window: waves of a rolling window.

    Returns:
        Index. A construct with a weight that is not positive has no value but a reason naming the item.

    Raises:
        Problems: E-SCALE (no theoretical bounds), E-RANGE (means of given moments beyond them), E-WEIGHTS, E-WAVE,
            E-BY, E-GIVEN, E-ENGINE, E-FORMULA, E-SETTING (standard errors or intervals that cannot be made
            here).

    Source:
        Fornell et al. (1996), Journal of Marketing 60(4), appendix; of each formula `csi.tracking.formulas`; Binder
        (1983), Int. Statistical Review 51, for linearisation.

    Example:
        >>> import csi
        >>> frame = pl.DataFrame({"a": [1, 4, 7, 10], "b": [2, 4, 8, 9], "c": [1, 5, 5, 9], "d": [2, 3, 8, 8]})
        >>> model = csi.Model.parse("use =~ a + b; joy =~ c + d; joy ~ use".replace("; ", chr(10)))
        >>> est = csi.fit(model, frame, csi.PLS(), scale=(1, 10))
        >>> [round(v, 1) for v in index(est).table["index"]]
        [51.5, 45.9]
    """
    check_estimate(est)
    check_errors(est, std_error)
    if (wrong := window_problems(window)) and weights == "rolling":
        raise Problems(wrong)
    est = est if std_error in {None, "replicates"} else replace(est, replicates=None)
    fit, est = est, on_items(est)
    keys = _keys(est, by)
    asked = given_formula(est, formula, weights, given)
    given = equal_weights(est) if asked == "F5" else given
    weighting, anchor = _rule(est, keys, weights, base, given)
    request = Request(tuple(keys), weighting, anchor, given, window)
    cells = request.cells(est)
    _check_bounds(cells)
    _check_interval(est, interval)
    estimated = request.weights(est, cells)
    found = _assemble(cells, estimated, weighting, anchor, est.level if level is None else level, asked, std_error)
    return _with_intervals(found, second_of(fit, request, found.values, interval), interval)


def _keys(est: Estimate, by: Sequence[str] | None) -> list[str]:
    """The key columns of the index, in the order of the estimate's."""
    have = key_columns(est)
    wanted = have if by is None else [by] if isinstance(by, str) else list(by)
    unknown = [k for k in wanted if k not in have]
    if unknown:
        raise Problems([_unknown_key(k, have) for k in unknown])
    return [k for k in have if k in wanted]


def _unknown_key(key: str, have: Sequence[str]) -> Problem:
    en = f'the estimate has no cells by "{key}" (it has: {", ".join(have) or "one cell"}).'
    zh = f"估计结果没有按“{key}”分组的单元（现有：{'、'.join(have) or '仅一个单元'}）。"
    do, do_zh = "Name it in by= when fitting.", "请在拟合时写入 by=。"
    return problem("E-BY", "index", en, zh, do, do_zh)


def _rule(
    est: Estimate, keys: list[str], weights: str | None, base: str | None, given: Given | None
) -> tuple[Rule, str | None]:
    """The effective rule and base wave."""
    cells = est.moments.cells.select([*keys, "n"])
    rule = weights or ("given" if given is not None else "base" if base is not None else default_rule(cells))
    found = check_rule(rule, keys, given is not None)
    if found:
        raise Problems(found)
    return cast("Rule", rule), base_wave(base, wave_order(cells)) if rule == "base" else None


def _check_bounds(est: Estimate) -> None:
    """Raise when no construct can be put on the 0-100 scale."""
    low, high = item_bounds(est)
    known = np.isfinite(low) & np.isfinite(high) & (high > low)
    sol = est.solution
    complete = [known[sol.block == j].all() for j in range(len(sol.constructs)) if (sol.block == j).any()]
    if not any(complete):
        items = [i for i, ok in zip(sol.items, known, strict=True) if not ok]
        en = f"the theoretical bounds of {', '.join(items)} are unknown."
        zh = f"{'、'.join(items)} 的理论上下限未知。"
        do = "Give the items a scale in the codebook, or scale=(minimum, maximum) when fitting a frame."
        do_zh = "请在编码簿中为题项指定量表，或在拟合数据框时给出 scale=(最小值, 最大值)。"
        raise Problems([problem("E-SCALE", "index", en, zh, do, do_zh)])
    if est.sample is None:  # of rows, every answer was looked at
        check_within(sol.items, est.moments.mean[:, item_places(est)], low, high, Text("means", "均值"))


def _assemble(
    cells: Estimate,
    weights: Weights,
    rule: Rule,
    base: str | None,
    level: float,
    formula: str | None,
    asked: StdError | None,
) -> Index:
    """Values, reasons, replicates, variances, table and notes; intervals are still to come."""
    sol, places, bounds = cells.solution, item_places(cells), item_bounds(cells)
    of = weights.groups.of_index
    values = scores(cells.moments.mean[:, places], weights.values[of], bounds, sol)
    answers = answers_of(cells)
    reasons = _reasons(values, weights, cells, answers)
    for c, j in reasons:
        values[c, j] = np.nan
    drawn = _replicates(cells, weights, values)
    influence = influence_of(cells, weights, values)
    if asked == "linearised" and influence.full is None:
        if weights.source is not None or cells.sample is None:
            raise Problems([no_influence(cells)])
        influence = replace(influence, full=influence.fixed)
    influence = influence if asked != "fixed" else replace(influence, full=None, weights=None)
    worth, full = worth_of(cells, weights, values, influence, answers), influence.full
    linear = None if drawn is not None or full is None else influence
    df = _degrees(cells, answers)
    std_error = None if drawn is None else replicate_sd(drawn)
    std_error = std_error if linear is None or full is None else linear.errors(full)
    none = np.full_like(values, np.nan)
    ids = formulas_of(sol, *bounds, formula)
    table = index_table(cells, values, std_error, (worth, answers.n), (none, none), reasons, ids)
    notes = index_notes(rule, base, cells, weights, ids, linearised=linear is not None)
    return Index(
        table=table,
        weights=weight_table(sol, weights, None if linear is None else linear.weights),
        constructs=sol.constructs,
        cells=cells.moments.cells,
        values=values,
        replicates=drawn,
        rule=rule,
        base=base,
        level=level,
        scheme=cells.settings.name,
        seed=cells.replicates.seed if cells.replicates else None,
        degrees_of_freedom=df,
        reasons=tuple(dict.fromkeys(reasons.values())),
        notes=(*notes, *effective_note(worth.of, worth.deff)),
        influence=influence,
        sample=cells.sample,
        stated_df=stated_degrees(cells),
        formulas=ids,
        estimated=weights,
        means=None if cells.replicates is None else cells.replicates.means,
        factors=None if cells.replicates is None else cells.replicates.factors,
        effective=worth.of,
        answers=answers,
    )


def _reasons(values: Array, weights: Weights, cells: Estimate, answers: Answers) -> dict[tuple[int, int], Reason]:
    """(cell, construct) -> why there is no index: weights first, then bounds, then answers."""
    low, high = item_bounds(cells)
    sol, found = cells.solution, {}
    for c in range(values.shape[0]):
        for j, name in enumerate(sol.constructs):
            mine = sol.block == j
            unknown = [sol.items[k] for k in np.flatnonzero(mine & ~(high > low))]
            why = weights.reasons.get((int(weights.groups.of_index[c]), j))
            if unknown:
                en = f"{name}: the theoretical bounds of {', '.join(unknown)} are unknown."
                why = reason("E-SCALE", en, f"{name}：{'、'.join(unknown)} 的理论上下限未知。")
            elif why is None and not np.isfinite(values[c, j]):
                why = _without_mean(name, int(answers.n[c, j]), cells.convergence.reasons.get(c))
            if why is not None:
                found[c, j] = why
    return found


def _without_mean(construct: str, n: int, failed: Reason | None) -> Reason:
    """Why a cell has no means: moments that could not be made of its answers, else a silent item."""
    if n and failed is not None:
        return reason("R-NO-MEANS", f"{construct}: {failed.text.en}", f"{construct}：{failed.text.zh}")
    en, zh = f"{construct}: an item has no answers here.", f"{construct}：有题项在此单元无人作答。"
    return reason("R-NO-ANSWERS", en, zh)


def _replicates(cells: Estimate, weights: Weights, values: Array) -> Array | None:
    """(B, c, q) indices of the replicates; of given weights numbers whose spread has a meaning."""
    rep = cells.replicates
    if rep is None:
        return None
    drawn = drawn_indices(cells, rep, weights, values)
    return drawn if rep.factors is None else as_draws(drawn, values, rep.factors)


def _degrees(cells: Estimate, answers: Answers) -> Array:
    """(c, q) design degrees of freedom, or those of the replicate weights; n - 1 from moments alone."""
    stated = stated_degrees(cells)
    if stated is not None:
        return np.full(answers.n.shape, stated)
    if cells.sample is None:
        return np.repeat(cells.moments.n[:, None] - 1.0, answers.n.shape[1], axis=1)
    return answers.degrees(cells.sample)


def stated_degrees(cells: Estimate) -> float | None:
    """Degrees of freedom that replicate weights bring with them."""
    rep = cells.replicates
    return None if rep is None or rep.factors is None else rep.factors.df


def _with_intervals(found: Index, second: Second, interval: Interval) -> Index:
    """The index with its limits: t with its standard error (that of fixed weights where it is all), or of the draws."""
    values, drawn, df = found.values, found.replicates, found.degrees_of_freedom
    column = "std_error_fixed" if found.basis == "fixed" else "std_error"
    std_error = found.table[column].fill_null(float("nan")).to_numpy().reshape(values.shape)
    kind, draws = ("t", np.empty((0, *values.shape))) if drawn is None else (interval, drawn)
    spread = np.full_like(values, np.nan) if df is None else df
    evidence = Evidence(values, std_error, draws, second.accelerations, second.errors, second.ranks, spread)
    low, high = (np.where(np.isfinite(limit), limit, np.nan) for limit in limits(curve_of(kind, evidence), found.level))
    columns = {"conf_low": np.clip(low, 0.0, 100.0), "conf_high": np.clip(high, 0.0, 100.0)}
    return replace(found, table=found.table.with_columns(**{c: number_column(v) for c, v in columns.items()}))


def check_errors(est: Estimate, asked: str | None) -> None:
    """Raise for standard errors that do not exist, or that need replicates where there are none."""
    found = [] if asked is None else one_of("std_error", asked, get_args(StdError))
    if asked == "replicates" and est.replicates is None:
        en, zh = "there are no replicates.", "没有重抽样结果。"
        do = "Call csi.bootstrap first, or leave std_error out."
        found.append(problem("E-SETTING", "std_error", en, zh, do, "请先调用 csi.bootstrap，或省略 std_error。"))
    if found:
        raise Problems(found)


def no_influence(cells: Estimate) -> Problem:
    """Why linearised standard errors cannot contain the uncertainty of the weights."""
    en, zh = "the weights have no influence function here", "此处的权重没有影响函数"
    if cells.sample is None:
        en, zh = "linearised errors need the rows", "线性化标准误需要原始行"
    elif cells.sample.missing == "em":
        en, zh = f"{en} (missing: em)", f"{zh}（missing: em）"
    do = 'Call csi.bootstrap first, or use std_error="fixed".'
    do_zh = "请先调用 csi.bootstrap，或使用 std_error=“fixed”。"
    return problem("E-SETTING", "std_error", f"{en}.", f"{zh}。", do, do_zh)


def _check_interval(est: Estimate, interval: str) -> None:
    """Raise for a kind of interval that does not exist, or that these replicates cannot give."""
    found = one_of("interval", interval, get_args(Interval))
    if not found and interval != "t" and est.replicates is not None and est.replicates.factors is not None:
        en = f'"{interval}" needs bootstrap draws; replicates of kind "{est.replicates.kind}" give t intervals.'
        zh = f"“{interval}”需要自助样本；“{est.replicates.kind}”重复样本只能给出 t 区间。"
        found.append(problem("E-SETTING", "interval", en, zh, 'Use interval="t".', "请使用 interval=“t”。"))
    if not found and interval != "t" and est.replicates is None:
        en, zh = f'"{interval}" needs bootstrap draws.', f"“{interval}”需要自助样本。"
        found.append(problem("E-SETTING", "interval", en, zh, "Call csi.bootstrap first.", "请先调用 csi.bootstrap。"))
    if not found and interval in NESTED:
        check_strata(rows_behind(est))
    if found:
        raise Problems(found)


@text.register
def _(value: Index, lang: str = "en") -> str:
    """The table and the notes."""
    return shown(Text("Index", "指数").say(lang), value.measured, value.notes, lang)
