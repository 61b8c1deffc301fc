"""Whether constructs are distinct: HTMT, Fornell-Larcker, cross-loadings, and collinearity (VIF).

Letters: `p` items, `q` constructs, `b` slices of a stack, `...` any leading axes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Reason, Text, note, reason
from csi.estimate.estimate import Estimate, Solution
from csi.estimate.given import check_estimate
from csi.estimate.later import Later
from csi.inference.pooled import copies_of, pooled
from csi.inference.replicates import Quantity
from csi.inference.uncertainty import uncertainty
from csi.measures.blocks import block_sum, correlations, diagonal, membership
from csi.measures.indicators import (
    indicator_cor,
    indicator_cov,
    indicator_names,
    indicators,
    members,
    owners,
    within,
)
from csi.measures.reliability import FORMATIVE, NO_ITEMS, NOT_COMPUTABLE, ave
from csi.measures.shown import part, told
from csi.measures.tidy import cell_codes, cells_of, said_once, solved_only, tidy, uncertain, unsolved
from csi.models.model import Model
from csi.moments import compiled
from csi.moments.linear import inverse
from csi.moments.stack import Array, Moments

GATE = 0.90
"""HTMT at or above this says the constructs are not distinct (Henseler, Ringle & Sarstedt 2015)."""

COMPOSITE = reason(
    "composite",
    "HTMT compares factors; it is undefined for a composite.",
    "HTMT 只适用于反映型构念，对复合（形成型）构念没有定义。",
)

PART_OF = reason(
    "part_of",
    "one of the two constructs is made of the other; they need not be distinct.",
    "其中一个构念由另一个组成，无需区分。",
)


def htmt(cor: Array, member: Array, *, signed: bool = False) -> Array:
    """Heterotrait-monotrait ratio: mean correlation between two blocks / geometric mean of those within them.

    Absolute correlations by default; `signed` averages the correlations with their signs (a block's mean within may
    then be too small to divide by, which gives NaN). The mean within a single item is 1.

    Parameters:
        cor: (..., p, p) item correlations. member: (p, q). signed: keep the signs.

    Returns:
        (..., q, q), symmetric, 1 on the diagonal.

    Source:
        Henseler, Ringle & Sarstedt (2015), J. of the Academy of Marketing Science 43; absolute values as in seminr.

    Example:
        >>> cor = np.array([[1.0, 0.5, 0.3], [0.5, 1.0, 0.3], [0.3, 0.3, 1.0]])
        >>> htmt(cor, np.array([[1.0, 0], [1, 0], [0, 1]]))[0, 1].round(6).item()
        0.424264
    """
    k = member.sum(axis=0)
    sums = block_sum(cor if signed else np.abs(cor), member)
    with np.errstate(divide="ignore", invalid="ignore"):
        within = np.where(k > 1, (diagonal(sums) - k) / (k * (k - 1)), 1.0)
        within = np.where(within > 0, within, np.nan)
        ratio = sums / (k[:, None] * k) / np.sqrt(within[..., :, None] * within[..., None, :])
    found, at = np.asarray(np.abs(ratio), dtype=np.float64), np.arange(len(k))
    found[..., at, at] = 1.0
    return found


def vif(cor: Array) -> Array:
    """Variance inflation factors: the diagonal of the inverse correlation matrix, 1 / (1 - R2 on the others).

    Parameters:
        cor: (..., k, k) correlations of k predictors.

    Returns:
        (..., k); 1 for a single predictor, inf for a predictor that the others determine.

    Source:
        Marquardt (1970), Technometrics 12.

    Example:
        >>> vif(np.array([[1.0, 0.6], [0.6, 1.0]])).round(6).tolist()
        [1.5625, 1.5625]
    """
    k = cor.shape[-1]
    inflation = diagonal(inverse(cor.reshape(-1, k, k))).reshape(cor.shape[:-1])
    finite = np.asarray(np.isfinite(cor).all(axis=(-2, -1)))[..., None]
    return np.where(finite & np.isnan(inflation), np.inf, inflation)


def fornell_larcker(construct_cor: Array, ave_values: Array) -> Array:
    """(..., q, q): the square root of AVE on the diagonal, correlations of the constructs elsewhere.

    Source:
        Fornell & Larcker (1981), Journal of Marketing Research 18(1).
    """
    return np.where(np.eye(ave_values.shape[-1], dtype=bool), np.sqrt(ave_values)[..., None, :], construct_cor)


class Pairs(NamedTuple):
    """HTMT of every pair with its verdict."""

    table: pl.DataFrame
    reasons: Mapping[str, Reason]
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Validity(Shown):
    """Discriminant validity and collinearity in every cell. Each frame starts with the cell's key columns.

    Where a cell has no usable solution, what comes from the solution is null and `reason` bears the code; HTMT and the
    outer VIF come from the answers alone.

    Attributes:
        table: one row per pair of constructs: construct, other, htmt, with replicates conf_low, conf_high and upper
            (one-sided 95 % bound); `verdict`: "fail" (htmt >= .90), "doubtful" (only the upper bound is), "pass", or
            null with the code of a `reason`.
        fornell_larcker: construct, other, value (root of AVE where construct = other, else the correlation), passes
            (on the diagonal: whether the root of AVE exceeds every correlation of the construct).
        cross_loadings: item, construct, loading, own (whether the item belongs to the construct).
        vif_inner: outcome, predictor, vif (from construct correlations; 1 for a single predictor).
        vif_outer: construct, item, vif (among the items of a block; 1 for a single item).
        constructs: (q). htmt: (b, q, q) before anything is withheld. reasons: code -> Reason. level, notes.
        pairs, frames: what the table and the other frames are made of, when they are first read.
    """

    constructs: tuple[str, ...]
    htmt: Array
    level: float
    pairs: Later[Pairs]
    frames: Mapping[str, Later[pl.DataFrame]]

    @property
    def table(self) -> pl.DataFrame:
        """HTMT of every pair."""
        return self.pairs.value.table

    @property
    def reasons(self) -> Mapping[str, Reason]:
        """Why values are absent."""
        return self.pairs.value.reasons

    @property
    def notes(self) -> tuple[Note, ...]:
        """Pairs that fail."""
        return self.pairs.value.notes

    @property
    def fornell_larcker(self) -> pl.DataFrame:
        """Roots of AVE beside correlations."""
        return self.frames["fornell_larcker"].value

    @property
    def cross_loadings(self) -> pl.DataFrame:
        """Every item with every construct."""
        return self.frames["cross_loadings"].value

    @property
    def vif_inner(self) -> pl.DataFrame:
        """Collinearity of predictors."""
        return self.frames["vif_inner"].value

    @property
    def vif_outer(self) -> pl.DataFrame:
        """Collinearity of the items of a block."""
        return self.frames["vif_outer"].value


@text.register
def _(value: Validity, lang: str = "en") -> str:
    """HTMT of every pair, why values are absent, notes; the other frames are named."""
    lines = part(Text("Discriminant validity (HTMT)", "区分效度（HTMT）"), value.table, lang, ".table")
    more = Text("also", "另见").say(lang) + " .fornell_larcker, .cross_loadings, .vif_inner, .vif_outer"
    return "\n".join([*lines, more, *told(value.reasons.values(), value.notes, lang)])


def validity(est: Estimate, *, signed: bool = False) -> Validity:
    """HTMT with intervals, Fornell-Larcker, cross-loadings and VIF of an estimate.

    A point value of HTMT >= .90 fails the gate; when only its one-sided 95 % upper bound reaches .90 the pair is
    doubtful and a note says so. HTMT is withheld for composites (`<~`, mode B); a single item counts with 1.

    Percentile intervals of HTMT cover at every size (93 to 95.5 %, nominal 95 %, n = 250); BCa misses small values (it
    covers 87 % at HTMT .26), where absolute correlations push the resamples up. Use "percentile" where a
    pair may have little in common (tables in tests/slow/coverage.csv).

    Parameters:
        est: a fitted model; after `bootstrap` HTMT has intervals. signed: average correlations with their signs.

    Returns:
        A `Validity`.

    Source:
        The formulas' own docstrings. Agrees with seminr 2.3.4 on ECSI mobi to 1e-8.

    Example:
        >>> import csi
        >>> answers = {"a1": [1, 4, 7, 9, 5], "a2": [2, 4, 8, 9, 5], "b1": [1, 5, 6, 9, 3], "b2": [3, 4, 8, 8, 2]}
        >>> model = csi.Model.parse("a =~ a1 + a2; b =~ b1 + b2; b ~ a")
        >>> est = csi.fit(model, pl.DataFrame(answers), csi.PLS(), scale=(1, 10))
        >>> validity(est).table.select(pl.col("htmt").round(3), "verdict").row(0)
        (0.954, 'fail')
    """
    check_estimate(est)
    quantity = htmt_of(signed=signed)
    found = uncertain(est, quantity, scale="ratio") if copies_of(est) else None
    values = quantity(est.moments, est.solution) if found is None else found.value
    return Validity(
        constructs=est.solution.constructs,
        htmt=values,
        level=est.level,
        pairs=Later(lambda: _pairs(est, quantity, values)),
        frames={
            "fornell_larcker": Later(lambda: _fornell_larcker(est)),
            "cross_loadings": Later(lambda: _cross_loadings(est)),
            "vif_inner": Later(lambda: _vif_inner(est)),
            "vif_outer": Later(lambda: _vif_outer(est)),
        },
    )


def htmt_of(*, signed: bool = False) -> Quantity:
    """HTMT as a measure on a stack, for `Replicates.over`: (Moments, Solution) -> (b, q, q)."""

    def of(moments: Moments, solution: Solution) -> Array:
        cov = indicator_cov(moments, solution)
        known = compiled.htmt(cov, owners(solution), len(solution.constructs), signed=signed)
        return htmt(correlations(cov), members(solution), signed=signed) if known is None else known

    return of


def _pairs(est: Estimate, quantity: Quantity, values: Array) -> Pairs:
    """The table of pairs with their verdicts.

    Parameters:
        quantity: HTMT of a stack. values: (b, q, q), that of the estimate.
    """
    names = est.solution.constructs
    i, j = np.tril_indices(len(names), -1)
    why = [_without_htmt(est, k) for k in range(len(names))]
    found = uncertain(est, quantity, scale="ratio")
    own = [why[a] or why[b] or _part_of(est, a, b) for a, b in zip(i.tolist(), j.tolist(), strict=True)]
    withheld = np.array([w is not None for w in own], dtype=bool)
    point = np.where(withheld, np.nan, values[:, i, j])
    numbers = {"htmt": point}
    upper = None
    if found is not None:
        bounds = {
            "conf_low": found.conf_low,
            "conf_high": found.conf_high,
            "upper": _upper(est, found.draws, quantity),
        }
        numbers |= {name: np.where(np.isfinite(point), bound[:, i, j], np.nan) for name, bound in bounds.items()}
        upper = numbers["upper"]
    verdicts = _verdicts(point, upper)
    code = [[w or cell or NOT_COMPUTABLE for w in own] for cell in unsolved(est)]
    texts = {
        "verdict": [v for row in verdicts for v in row],
        "reason": [
            None if v else w.code
            for row, each in zip(verdicts, code, strict=True)
            for v, w in zip(row, each, strict=True)
        ],
    }
    labels = pl.DataFrame({"construct": [names[a] for a in i], "other": [names[b] for b in j]}, schema_overrides=_TEXT)
    used = [w for row, each in zip(verdicts, code, strict=True) for v, w in zip(row, each, strict=True) if not v]
    reasons = said_once([*used, *unsolved(est)])
    table = tidy(cells_of(est), labels, numbers, texts)
    return Pairs(table, reasons, _notes(est.model, labels, verdicts, point, upper))


def _upper(est: Estimate, drawn: Array, quantity: Quantity) -> Array:
    """The one-sided 95 % upper bound, of the kind that the estimate's intervals are."""
    one_sided = replace(est, alternative="less", level=0.95)
    if copies_of(est):
        return pooled(one_sided, quantity, "ratio").conf_high
    return uncertainty(one_sided, quantity, drawn.reshape(-1, *drawn.shape[2:])).conf_high


_TEXT = {"construct": pl.String, "other": pl.String, "outcome": pl.String, "predictor": pl.String, "item": pl.String}


def _without_htmt(est: Estimate, k: int) -> Reason | None:
    """Why construct number `k` takes no part in HTMT."""
    if not (owners(est.solution) == k).any():
        return NO_ITEMS
    name = est.solution.constructs[k]
    composite = name in est.model.names and est.model[name].operator == "<~"
    if est.solution.modes[k] == "B":
        return FORMATIVE
    return COMPOSITE if composite else None


def _part_of(est: Estimate, one: int, other: int) -> Reason | None:
    """Why two constructs are not held apart: one is made of the other."""
    return PART_OF if within(est.solution, one, other) else None


def _verdicts(point: Array, upper: Array | None) -> list[list[str | None]]:
    """Per cell and pair: fail, doubtful, pass, or None where there is no value."""
    bound = point if upper is None else upper
    table = np.select([~np.isfinite(point), point >= GATE, bound >= GATE], ["", "fail", "doubtful"], default="pass")
    return [[str(v) or None for v in row] for row in table]


def _notes(
    model: Model, labels: pl.DataFrame, verdicts: list[list[str | None]], point: Array, upper: Array | None
) -> tuple[Note, ...]:
    """One note per pair that fails the gate or whose upper bound does, in any cell."""
    notes = []
    for m, (one, other) in enumerate(labels.rows()):
        seen = [row[m] for row in verdicts]
        a, b = (model.label(name) for name in (one, other))
        a_zh, b_zh = (model.label(name, "zh") for name in (one, other))
        if "fail" in seen:
            worst = np.nanmax(point[:, m])
            en = f'"{a}" and "{b}" are not distinct: HTMT {worst:.3f} (limit {GATE:.2f}).'
            zh = f"“{a_zh}”与“{b_zh}”区分不开：HTMT 为 {worst:.3f}（界限 {GATE:.2f}）。"
            notes.append(note("htmt_fail", en, zh))
        elif "doubtful" in seen and upper is not None:
            worst = np.nanmax(upper[:, m])
            en = f'"{a}" and "{b}": the 95 % upper bound of HTMT, {worst:.3f}, reaches {GATE:.2f}.'
            zh = f"“{a_zh}”与“{b_zh}”：HTMT 的 95% 单侧上限为 {worst:.3f}，达到界限 {GATE:.2f}。"
            notes.append(note("htmt_upper", en, zh))
    return tuple(notes)


def _fornell_larcker(est: Estimate) -> pl.DataFrame:
    solution = est.solution
    q = len(solution.constructs)
    table = fornell_larcker(solution.construct_cor, ave(indicators(est.moments, solution).loadings, members(solution)))
    kin = np.array([[a == b or within(solution, a, b) for a in range(q)] for b in range(q)], dtype=bool)
    off = np.where(kin, -np.inf, np.abs(table))
    passes = diagonal(table) > off.max(axis=-1)
    i, j = np.tril_indices(len(solution.constructs))
    names = solution.constructs
    labels = pl.DataFrame({"construct": [names[a] for a in i], "other": [names[b] for b in j]}, schema_overrides=_TEXT)
    numbers = solved_only(est, {"value": table[:, i, j]})
    frame = tidy(cells_of(est), labels, numbers, {"reason": cell_codes(est, len(i))})
    known = np.isfinite(diagonal(table)) & np.array([r is None for r in unsolved(est)])[:, None]
    flags = [
        bool(passes[s, a]) if a == b and known[s, a] else None
        for s in range(len(table))
        for a, b in zip(i, j, strict=True)
    ]
    return frame.with_columns(pl.Series("passes", flags, dtype=pl.Boolean))


def _cross_loadings(est: Estimate) -> pl.DataFrame:
    solution = est.solution
    p, q = len(solution.items), len(solution.constructs)
    labels = pl.DataFrame(
        {
            "item": np.repeat(np.array(solution.items, dtype=object), q).tolist(),
            "construct": list(solution.constructs) * p,
            "own": (solution.block[:, None] == np.arange(q)).reshape(-1),
        }
    )
    loadings = solution.cross_loadings
    if loadings is None:
        own = membership(solution.block, q) > 0
        loadings = np.where(own, solution.loadings[..., None], np.nan)
    numbers = solved_only(est, {"loading": loadings.reshape(len(loadings), -1)})
    return tidy(cells_of(est), labels, numbers, {"reason": cell_codes(est, p * q)})


def _vif_inner(est: Estimate) -> pl.DataFrame:
    """VIF of the predictors of each endogenous construct."""
    names = est.solution.constructs
    rows, columns = [], []
    for outcome in names:
        predictors = [x for x in est.model.predictors(outcome) if x in names]
        if predictors:
            at = [names.index(x) for x in predictors]
            columns.append(vif(est.solution.construct_cor[:, at][:, :, at]))
            rows += [(outcome, x) for x in predictors]
    labels = pl.DataFrame(rows, schema={"outcome": pl.String, "predictor": pl.String}, orient="row")
    numbers = solved_only(est, {"vif": _side_by_side(columns, len(est.moments.n))})
    return tidy(cells_of(est), labels, numbers, {"reason": cell_codes(est, len(rows))})


def _vif_outer(est: Estimate) -> pl.DataFrame:
    """VIF of each item among the items of its block."""
    solution = est.solution
    names, owner = indicator_names(solution), owners(solution)
    cor = indicator_cor(est.moments, solution)
    rows, columns = [], []
    for k, name in enumerate(solution.constructs):
        at = np.flatnonzero(owner == k)
        if len(at):
            columns.append(vif(cor[:, at][:, :, at]))
            rows += [(name, names[i]) for i in at]
    labels = pl.DataFrame(rows, schema={"construct": pl.String, "item": pl.String}, orient="row")
    return tidy(cells_of(est), labels, {"vif": _side_by_side(columns, len(est.moments.n))})


def _side_by_side(columns: list[Array], b: int) -> Array:
    return np.concatenate(columns, axis=-1) if columns else np.empty((b, 0))
