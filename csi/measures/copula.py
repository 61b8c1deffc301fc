"""Gaussian copulas: is a predictor entangled with the error of its outcome, and what is its path without that?

Letters: `n` rows, `q` constructs, `r` predictors of an outcome.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, get_args

import numpy as np
import polars as pl
from scipy.special import ndtri

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Text, did_you_mean, one_of, problem
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_estimate
from csi.inference.adjust import holm
from csi.inference.uncertainty import two_sided
from csi.measures.copula_words import ALIKE, ALIKE_MANY, MANY, lines_of, notes_of, sentences_of
from csi.measures.fimix import outcomes_of, predictors_at
from csi.measures.normality import cramer_von_mises, lilliefors
from csi.measures.score_rows import ScoreRows, centred_products, over_scores, p_of_families, score_rows, slopes_of
from csi.moments.stack import Array

Distribution = Literal["adjusted", "original"]
"""rank / (n + 1), or the empirical distribution function with its ends put at 1e-7 and 1 - 1e-7."""

DISCRETE = 10
"""A regressor with so many different values or fewer has no usable distribution function."""

MOST = 5
"""Predictors of an outcome that may be examined together: 31 combinations."""

WHAT = "copula"


@dataclass(frozen=True, slots=True, repr=False)
class Copula(Shown):
    """Regressions with copula terms, in every combination of the regressors that may be endogenous.

    Attributes:
        table: outcome, endogenous ("" for the model as it is, "A", "B", "A + B"), term (a predictor, or "copula(A)"),
            estimate and, with replicates, std_error, conf_low, conf_high, p_value, p_holm (of terms alone in their
            regression: over those of the outcome, from t with the replicates' standard error).
        checks: regressor, n, distinct, skewness, kurtosis (excess), lilliefors, lilliefors_p, cramer_von_mises,
            cramer_von_mises_p, overlap (squared correlation of the regressor and its copula term: at 1 the two cannot
            be told apart), verdict ("usable"; "near normal" where a test does not reject normality at 5 % or the
            overlap exceeds .95, .98 from 1,000 rows on; "discrete").
        distribution, level. sentences: one per outcome. notes.
    """

    table: pl.DataFrame
    checks: pl.DataFrame
    distribution: Distribution
    level: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Copula, lang: str = "en") -> str:
    """Checks, the copula terms, sentences, notes."""
    return lines_of(value.checks, value.table, value.sentences, value.notes, lang)


def copula_term(x: Array, w: Array, distribution: Distribution = "adjusted") -> Array:
    """Phi^-1(F(x)) of a regressor under weights.

    adjusted: F = (W_< + (W_= + u) / 2) / (W + u), u the mean weight: rank / (n + 1) with ties at their mean rank.
    original: F = W_<= / W, at least 1e-7 and at most 1 - 1e-7.

    Parameters:
        x: (n,). w: (n,) weights; rows with weight 0 have a value but no influence.

    Source:
        Park & Gupta (2012), Marketing Science 31, 567-586 (original); the ends of the distribution function bias it in
        regressions with an intercept: Becker, Proksch & Ringle (2022), Journal of the Academy of Marketing Science 50.

    Example:
        >>> copula_term(np.array([3.0, 1.0, 2.0]), np.ones(3)).round(4).tolist()
        [0.6745, -0.6745, 0.0]
    """
    values, at = np.unique(x, return_inverse=True)
    mass = np.bincount(at, weights=w, minlength=values.size)
    upto = np.cumsum(mass)
    if distribution == "original":
        share = np.clip(upto / upto[-1], 1e-7, 1 - 1e-7)
    else:
        unit = w.mean()
        share = (upto - mass + (mass + unit) / 2) / (upto[-1] + unit)
    return np.asarray(ndtri(share)[at], dtype=np.float64)


def copula(
    est: Estimate, endogenous: Sequence[str] | None = None, *, distribution: Distribution = "adjusted"
) -> Copula:
    """Gaussian copula terms for every predictor that may be endogenous, alone and in every combination.

    Each outcome is regressed on its predictors and Phi^-1(F(x)) of some of them, with an intercept. Scores and copula
    terms are formed anew in every replicate of `csi.bootstrap(est)`; intervals and p-values are percentile ones, those
    adjusted for their number are of t with the replicates' standard error.

    Parameters:
        est: a PLS estimate of one cell with its rows; bootstrap it first. endogenous: constructs in question; by
            default every predictor with more than ten different values. distribution: as in `copula_term`.

    Returns:
        A `Copula`.

    Raises:
        Problems: E-ROWS, E-CELLS, E-PATHS; E-COPULA: a regressor named that is discrete or predicts nothing, none left,
            or more than five for one outcome.

    Source:
        Park & Gupta (2012); Hult, Hair, Proksch, Sarstedt, Pinkwart & Ringle (2018), Journal of International Marketing
        26(3), 1-21 (all combinations, in PLS-SEM).

    Example:
        >>> import csi
        >>> rng = np.random.default_rng(1)
        >>> a = rng.exponential(size=100)
        >>> answers = pl.DataFrame({"a1": a, "b1": a + rng.normal(size=100)})
        >>> found = copula(csi.fit("a =~ a1; b =~ b1; b ~ a", answers, csi.PLS()))
        >>> found.table.select("endogenous", "term").rows()
        [('', 'a'), ('a', 'a'), ('a', 'copula(a)')]
    """
    check_estimate(est)
    rows = score_rows(est, WHAT)
    checks = _checks(est, rows, distribution)
    usable = _candidates(est, endogenous, checks, one_of("distribution", distribution, get_args(Distribution)))
    plans = [plan for y in outcomes_of(est) for plan in _plans(est, y, usable)]

    def products(Z: Array, w: Array) -> Array:
        terms = [copula_term(Z[:, k], w, distribution) for k in _needed(plans)]
        return centred_products(np.column_stack([Z, *terms]), w)

    def quantity(G: Array) -> Array:
        return _fitted(plans, G, len(est.solution.constructs))

    labels = [label for plan in plans for label in plan.labels(est)]
    frame = pl.DataFrame(labels, schema=dict.fromkeys(("outcome", "endogenous", "term"), pl.String), orient="row")
    found = over_scores(est, rows, products, quantity)
    columns = {"estimate": quantity(products(rows.scores, rows.weight)[None])[0]}
    if found is not None:
        columns |= {name: getattr(found, name) for name in ("std_error", "conf_low", "conf_high", "p_value")}
    frame = frame.with_columns(pl.Series(name, values) for name, values in columns.items())
    if found is not None:
        frame = frame.with_columns(_families(frame, p_of_families(est, found)))
    told = notes_of(checks.filter(pl.col("regressor").is_in(usable)), len(rows.scores), drawn=found is not None)
    sentences = sentences_of(frame, 1 - est.level) if found is not None else ()
    return Copula(frame, checks, distribution, est.level, sentences, (*rows.notes, *told, *two_sided(est)))


def _families(frame: pl.DataFrame, p: Array) -> pl.Series:
    """Holm's p of the copula terms that are alone in their regression, a family per outcome; null elsewhere."""
    alone = (frame["term"] == "copula(" + frame["endogenous"] + ")").to_numpy()
    found = np.full(len(p), np.nan)
    for outcome in frame["outcome"].unique():
        mine = alone & (frame["outcome"] == outcome).to_numpy()
        found[mine] = holm(p[mine])
    return pl.Series("p_holm", found).fill_nan(None)


@dataclass(frozen=True, slots=True)
class _Plan:
    """One regression: positions of outcome, predictors, and the predictors with a copula term."""

    outcome: int
    predictors: tuple[int, ...]
    terms: tuple[int, ...]

    def labels(self, est: Estimate) -> list[tuple[str, str, str]]:
        """Outcome, endogenous regressors, term."""
        names = est.solution.constructs
        inside = " + ".join(names[k] for k in self.terms)
        said = [names[k] for k in self.predictors] + [f"copula({names[k]})" for k in self.terms]
        return [(names[self.outcome], inside, term) for term in said]


def _plans(est: Estimate, outcome: str, usable: Sequence[str]) -> list[_Plan]:
    """The regressions of one outcome: without copula terms, then with every combination."""
    names = est.solution.constructs
    y, xs = names.index(outcome), tuple(predictors_at(est, outcome))
    some = [k for k in xs if names[k] in usable]
    return [_Plan(y, xs, chosen) for size in range(len(some) + 1) for chosen in combinations(some, size)]


def _needed(plans: Sequence[_Plan]) -> list[int]:
    """The constructs whose copula terms some plan has."""
    return sorted({k for plan in plans for k in plan.terms})


def _fitted(plans: Sequence[_Plan], G: Array, q: int) -> Array:
    """(b, m) slopes of all plans, one after another, from cross-products (b, q + t, q + t) of scores and terms."""
    place = {k: q + i for i, k in enumerate(_needed(plans))}
    return np.hstack(
        [slopes_of(G, [*plan.predictors, *(place[k] for k in plan.terms)], plan.outcome) for plan in plans]
    )


def _checks(est: Estimate, rows: ScoreRows, distribution: Distribution) -> pl.DataFrame:
    """How far from normal each predictor is, and how alike it and its copula term are."""
    names = est.solution.constructs
    at = sorted({k for y in outcomes_of(est) for k in predictors_at(est, y)})
    products = {c.name for c in est.model.constructs if c.product_of}
    return pl.DataFrame(
        [_check(names[k], rows.scores[:, k], rows.weight, distribution) for k in at if names[k] not in products]
    )


def _check(name: str, x: Array, w: Array, distribution: Distribution) -> dict[str, object]:
    z = (x - x.mean()) / x.std()
    (D, D_p), (W2, W2_p) = lilliefors(x), cramer_von_mises(x)
    distinct = int(np.unique(np.round(x, 9)).size)
    overlap = float(np.corrcoef(x, copula_term(x, w, distribution))[0, 1] ** 2)
    near = max(D_p, W2_p) >= 0.05 or overlap > (ALIKE if len(x) < MANY else ALIKE_MANY)
    return {
        "regressor": name,
        "n": len(x),
        "distinct": distinct,
        "skewness": float((z**3).mean()),
        "kurtosis": float((z**4).mean() - 3),
        "lilliefors": D,
        "lilliefors_p": D_p,
        "cramer_von_mises": W2,
        "cramer_von_mises_p": W2_p,
        "overlap": overlap,
        "verdict": "discrete" if distinct <= DISCRETE else "near normal" if near else "usable",
    }


def _candidates(
    est: Estimate, endogenous: Sequence[str] | None, checks: pl.DataFrame, found: list[Problem]
) -> tuple[str, ...]:
    """The regressors in question."""
    verdict: Mapping[str, str] = dict(checks.select("regressor", "verdict").rows())
    asked = tuple(endogenous) if endogenous is not None else tuple(c for c, v in verdict.items() if v != "discrete")
    for name in asked:
        if name not in verdict:
            hint = did_you_mean(name, verdict)
            en, zh = f'"{name}" predicts nothing in the model.', f"“{name}”在模型中不是预测变量。"
            found.append(problem("E-COPULA", WHAT, en, zh, hint.en, hint.zh))
        elif verdict[name] == "discrete":
            en = f'"{name}" has {DISCRETE} different values or fewer: its distribution function has too few steps.'
            zh = f"“{name}”的不同取值不超过 {DISCRETE} 个：其分布函数台阶过少。"
            do, do_zh = "Use instruments, or measure it with more items.", "请使用工具变量，或用更多题项测量。"
            found.append(problem("E-COPULA", WHAT, en, zh, do, do_zh))
    if not asked:
        en, zh = "no predictor is continuous enough for a copula.", "没有足够连续的预测变量可用高斯 copula。"
        do, do_zh = "Measure constructs with several items.", "请用多个题项测量构念。"
        found.append(problem("E-COPULA", WHAT, en, zh, do, do_zh))
    for y in outcomes_of(est):
        many = [x for x in est.model.predictors(y) if x in asked]
        if len(many) > MOST:
            en, zh = (
                f"{y} has {len(many)} regressors in question; at most {MOST}.",
                f"{y} 有 {len(many)} 个，最多 {MOST} 个。",
            )
            found.append(
                problem("E-COPULA", WHAT, en, zh, "Name some with endogenous.", "请用 endogenous 指明其中一部分。")
            )
    if found:
        raise Problems(found)
    return asked
