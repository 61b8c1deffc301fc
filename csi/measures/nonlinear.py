"""Are the paths straight? A quadratic term for each, and Ramsey's RESET for each outcome.

Letters: `n` rows, `q` constructs, `r` predictors of an outcome.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import fdtrc

from csi.display import Shown, table, text
from csi.errors import Note, Problems, Text, note, problem
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_estimate
from csi.inference.adjust import holm
from csi.inference.uncertainty import two_sided
from csi.measures.copula_words import HEADINGS
from csi.measures.fimix import outcomes_of, predictors_at
from csi.measures.score_rows import centred_products, over_scores, p_of_families, score_rows, slopes_of
from csi.measures.shown import told
from csi.moments.stack import Array

WHAT = "nonlinear"
MORE = {
    "predictor": Text("predictor", "预测变量"),
    "linear": Text("slope at the mean", "均值处斜率"),
    "f2": Text("f2", "f²"),
    "statistic": Text("F", "F"),
    "df1": Text("df1", "df1"),
    "df2": Text("df2", "df2"),
}


@dataclass(frozen=True, slots=True, repr=False)
class Nonlinear(Shown):
    """Signs of bent relations.

    Attributes:
        table: outcome, predictor, estimate (of the squared standardised score, added alone to the regression of the
            outcome), linear (the slope at the mean beside it), f2 and, with replicates, std_error, conf_low, conf_high,
            p_value, p_holm (over all squares, from t with the replicates' standard error).
        reset: outcome, n, powers (of the fitted values), statistic (F), df1, df2, p_value.
        level. sentences: one per outcome. notes.
    """

    table: pl.DataFrame
    reset: pl.DataFrame
    level: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Nonlinear, lang: str = "en") -> str:
    """Quadratic terms, RESET, sentences, notes."""
    heads = {c: t.say(lang) for c, t in (HEADINGS | MORE).items()}
    lines = [table(value.table, headings=heads), "", table(value.reset.drop("powers"), headings=heads), ""]
    return "\n".join([*lines, *(s.say(lang) for s in value.sentences), *told((), value.notes, lang)])


def reset_test(y: Array, X: Array, w: Array, powers: Sequence[int] = (2, 3)) -> tuple[float, int, int, float]:
    """Ramsey's RESET: F of powers of the fitted values added to the regression.

    F = ((SS0 - SS1) / m) / (SS1 / (n - r - 1 - m)), m powers added to r predictors and an intercept.

    Parameters:
        y: (n,). X: (n, r). w: (n,) weights with mean 1.

    Returns:
        F, m, n - r - 1 - m, p.

    Source:
        Ramsey (1969), Journal of the Royal Statistical Society B 31, 350-371.
    Agrees: R lmtest 0.9-40 (resettest, power = 2:3) to 1e-8 (tests/measures).

    Example:
        >>> x = np.linspace(-1, 1, 30)
        >>> bend = reset_test(x + x**2 + 0.1 * np.cos(40 * x), x[:, None], np.ones(30))
        >>> bend[1:3], bend[3] < 1e-6
        ((2, 26), True)
    """
    one = np.column_stack([np.ones(len(y)), X])
    before, fitted = _residuals(y, one, w)
    spread = np.sqrt(np.average((fitted - fitted.mean()) ** 2, weights=w))
    z = (fitted - np.average(fitted, weights=w)) / (spread if spread > 0 else 1.0)
    after, _ = _residuals(y, np.column_stack([one, *(z**power for power in powers)]), w)
    m, df = len(powers), len(y) - one.shape[1] - len(powers)
    F = ((before - after) / m) / (after / df)
    return float(F), m, df, float(fdtrc(m, df, max(F, 0.0)))


def _residuals(y: Array, X: Array, w: Array) -> tuple[float, Array]:
    """Weighted sum of squared residuals, and the fitted values."""
    root = np.sqrt(w)
    fitted = X @ np.linalg.lstsq(X * root[:, None], y * root, rcond=None)[0]
    return float(w @ (y - fitted) ** 2), fitted


def nonlinear(est: Estimate, powers: Sequence[int] = (2, 3)) -> Nonlinear:
    """Quadratic effects of each path, and RESET of each outcome, on the standardised scores.

    Every square enters its outcome's regression alone; after `csi.bootstrap(est)` it has a percentile interval and a
    p-value. RESET needs no replicates; it takes the scores as given and errors of one variance.

    Parameters:
        est: a PLS estimate of one cell with its rows. powers: of the fitted values in RESET.

    Returns:
        A `Nonlinear`.

    Raises:
        Problems: E-ROWS, E-CELLS, E-PATHS, E-SETTING, E-FEW.

    Source:
        Sarstedt, Ringle, Cheah, Ting, Moisescu & Radomir (2020), Tourism Economics 26(4), 531-554.

    Example:
        >>> import csi
        >>> a = np.linspace(-1, 1, 40)
        >>> answers = pl.DataFrame({"a1": a, "b1": a + a**2 + 0.1 * np.sin(50 * a)})
        >>> found = nonlinear(csi.fit("a =~ a1; b =~ b1; b ~ a", answers, csi.PLS()))
        >>> found.reset["p_value"][0] < 0.001, found.table["estimate"][0] > 0.3
        (True, True)
    """
    check_estimate(est)
    rows = score_rows(est, WHAT)
    outcomes = outcomes_of(est)
    _check(est, outcomes, powers, len(rows.scores))
    names, pairs = est.solution.constructs, [(y, x) for y in outcomes for x in _squared(est, y)]

    def products(Z: Array, w: Array) -> Array:
        return centred_products(np.column_stack([Z, Z**2]), w)

    def quantity(G: Array) -> Array:
        return np.hstack([_bent(G, names.index(y), predictors_at(est, y), x) for y, x in pairs])

    value = quantity(products(rows.scores, rows.weight)[None]).reshape(-1, 3)
    columns = {"estimate": value[:, 0], "linear": value[:, 1], "f2": value[:, 2]}
    found = over_scores(est, rows, products, quantity)
    if found is not None:
        columns |= {
            c: getattr(found, c).reshape(-1, 3)[:, 0] for c in ("std_error", "conf_low", "conf_high", "p_value")
        }
        columns["p_holm"] = holm(p_of_families(est, found).reshape(-1, 3)[:, 0])
    labels = {"outcome": [y for y, _ in pairs], "predictor": [names[x] for _, x in pairs]}
    frame = pl.DataFrame({**labels, **columns})
    w = rows.weight * len(rows.weight) / rows.weight.sum()
    tests = [_reset(est, rows.scores, w, y, powers) for y in outcomes]
    reset = pl.DataFrame(tests)
    notes = (*rows.notes, *_notes(rows.weight, drawn=found is not None), *two_sided(est))
    return Nonlinear(frame, reset, est.level, _sentences(frame, reset, 1 - est.level), notes)


def _squared(est: Estimate, outcome: str) -> list[int]:
    """Predictors whose square is not in the model already: neither products nor factors of their own square."""
    names = est.solution.constructs
    products = {c.name: c.product_of for c in est.model.constructs if c.product_of}
    there = {factors[0] for name, factors in products.items() if len(set(factors)) == 1 and name in names}
    return [k for k in predictors_at(est, outcome) if names[k] not in products and names[k] not in there]


def _bent(G: Array, y: int, at: list[int], x: int) -> Array:
    """(b, 3) coefficient of the square, slope of the predictor beside it, and f2 of the square.

    Parameters:
        G: (b, 2q, 2q) cross-products of scores and squared scores about their means. y, at, x: outcome, predictors,
            whose square.
    """
    some = [*at, G.shape[1] // 2 + x]
    slopes, without = slopes_of(G, some, y), slopes_of(G, at, y)
    before = G[:, y, y] - (without * G[:, at, y]).sum(axis=1)
    after = G[:, y, y] - (slopes * G[:, some, y]).sum(axis=1)
    f2 = (before - after) / np.where(after > 0, after, np.nan)
    known = np.asarray(np.isfinite(without).all(axis=1, keepdims=True))
    return np.where(known, np.column_stack([slopes[:, -1], slopes[:, at.index(x)], f2]), np.nan)


def _reset(est: Estimate, Z: Array, w: Array, outcome: str, powers: Sequence[int]) -> dict[str, object]:
    y = est.solution.constructs.index(outcome)
    F, df1, df2, p = reset_test(Z[:, y], Z[:, predictors_at(est, outcome)], w, powers)
    said = ", ".join(map(str, powers))
    return {"outcome": outcome, "n": len(Z), "powers": said, "statistic": F, "df1": df1, "df2": df2, "p_value": p}


def _check(est: Estimate, outcomes: Sequence[str], powers: Sequence[int], n: int) -> None:
    found = []
    if not powers or any(power < 2 for power in powers) or len(set(powers)) < len(powers):
        en, zh = "powers are different whole numbers from 2.", "powers 应为从 2 起的不同整数。"
        found.append(problem("E-SETTING", "powers", en, zh, "Use powers=(2, 3).", "例如 powers=(2, 3)。"))
    least = max(len(predictors_at(est, y)) for y in outcomes) + len(powers) + 2
    if n <= least:
        en, zh = f"{n} rows are too few for the test.", f"{n} 行不足以做该检验。"
        do, do_zh = f"More than {least} are needed.", f"需要多于 {least} 行。"
        found.append(problem("E-FEW", WHAT, en, zh, do, do_zh))
    if found:
        raise Problems(found)


def _sentences(frame: pl.DataFrame, reset: pl.DataFrame, alpha: float) -> tuple[Text, ...]:
    """One per outcome: what RESET says, and which squares are significant after Holm's adjustment over all."""
    p = frame["p_holm"] if "p_holm" in frame.columns else [1.0] * frame.height
    pairs = frame.select("outcome", "predictor").rows()
    bent = {pair for pair, value in zip(pairs, p, strict=True) if value < alpha}
    said = []
    for row in reset.iter_rows(named=True):
        y, value = row["outcome"], row["p_value"]
        tail = "RESET p < 0.001" if value < 0.001 else f"RESET p = {value:.3f}"
        squares = [x for outcome, x in sorted(bent) if outcome == y]
        if row["p_value"] >= alpha and not squares:
            said.append(Text(f"{y}: no sign of bent relations ({tail}).", f"{y}：没有非线性的迹象（{tail}）。"))
            continue
        en = f"; squares that differ from 0: {', '.join(squares)}" if squares else ""
        zh = f"；显著的二次项：{'、'.join(squares)}" if squares else ""
        said.append(Text(f"{y}: signs of bent relations ({tail}){en}.", f"{y}：存在非线性的迹象（{tail}）{zh}。"))
    return tuple(said)


def _notes(weight: Array, *, drawn: bool) -> list[Note]:
    said = []
    if not drawn:
        en = "quadratic terms have no standard errors; call csi.bootstrap(est) first."
        said.append(note("N-NONLINEAR-BOOT", en, "二次项没有标准误；请先 csi.bootstrap(est)。"))
    if np.ptp(weight) > 0:
        en = "RESET takes weighted rows for a simple random sample; the bootstrap of the squares knows the design."
        said.append(note("N-RESET-WEIGHTS", en, "RESET 将加权样本视为简单随机样本；二次项的自助法考虑了抽样设计。"))
    return said
