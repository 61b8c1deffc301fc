"""How many segments: information criteria, how well segments are told apart, and what the criteria agree on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from csi.errors import Text
from csi.moments.stack import Array

CRITERIA = ("aic", "aic3", "aic4", "bic", "caic", "hq", "mdl5")
PAIRS = (("aic3", "caic"), ("aic3", "bic"), ("aic4", "bic"))
"""Criteria whose agreement settles the number, in this order (Hair et al., 2016; Sarstedt et al., 2011)."""

APART = 0.5
"""Normed entropy below which segments are hardly told apart (Ringle, Sarstedt & Mooi, 2010)."""

PER_PREDICTOR = 10
"""Rows per predictor that the smallest segment should have for its regressions (Hair et al., 2016)."""


def criteria(loglik: float, parameters: int, n: float) -> dict[str, float]:
    """-2 lnL + c N with c = 2 (AIC), 3, 4, ln n (BIC), ln n + 1 (CAIC), 2 ln ln n (HQ), 5 ln n (MDL5).

    Parameters:
        loglik: lnL. parameters: N, free. n: rows.

    Source:
        Sarstedt, Becker, Ringle & Schwaiger (2011), Schmalenbach Business Review 63, 34-62, table 1.

    Example:
        >>> criteria(-100.0, 3, 100.0)["aic3"]
        209.0
    """
    log = float(np.log(n))
    factor = {"aic": 2.0, "aic3": 3.0, "aic4": 4.0, "bic": log, "caic": log + 1, "hq": 2 * np.log(log), "mdl5": 5 * log}
    return {name: float(-2 * loglik + factor[name] * parameters) for name in CRITERIA}


def entropy(posterior: Array, w: Array) -> float:
    """E = -sum_i w_i sum_k P_ik ln P_ik.

    Example:
        >>> round(entropy(np.array([[0.5, 0.5]]), np.ones(1)), 6)
        0.693147
    """
    safe = np.where(posterior > 0, posterior, 1.0)
    return float(-(w @ (posterior * np.log(safe)).sum(axis=1)))


def normed_entropy(posterior: Array, w: Array) -> float:
    """EN = 1 - E / (n ln K): 1 where everybody belongs to one segment, 0 where nobody can be placed.

    Source:
        Ramaswamy, DeSarbo, Reibstein & Robinson (1993), Marketing Science 12, 103-124.

    Example:
        >>> normed_entropy(np.array([[1.0, 0.0], [0.0, 1.0]]), np.ones(2))
        1.0
    """
    return 1.0 - entropy(posterior, w) / (float(w.sum()) * float(np.log(posterior.shape[1])))


def non_fuzzy(posterior: Array, w: Array) -> float:
    """NFI = (K sum_ik w_i P_ik^2 / n - 1) / (K - 1).

    Source:
        Roubens (1978), Fuzzy Sets and Systems 1, 239-253.

    Example:
        >>> non_fuzzy(np.array([[0.5, 0.5]]), np.ones(1))
        0.0
    """
    K = posterior.shape[1]
    return float((K * (w @ (posterior**2).sum(axis=1)) / w.sum() - 1) / (K - 1))


def entropy_criterion(posterior: Array, w: Array, loglik: float, one: float) -> float:
    """NEC = E / (lnL(K) - lnL(1)); 1 for one segment; smaller is better.

    Source:
        Celeux & Soromenho (1996), Journal of Classification 13, 195-212.
    """
    return entropy(posterior, w) / (loglik - one) if loglik > one else float("inf")


def chosen(table: pl.DataFrame) -> tuple[int, tuple[str, str] | None]:
    """The number of segments the criteria settle on, and the pair that agreed; the BIC's where none does.

    Example:
        >>> frame = pl.DataFrame({"segments": [1, 2], **{c: [9.0, 8.0] for c in CRITERIA}})
        >>> chosen(frame)
        (2, ('aic3', 'caic'))
    """
    best = best_by(table)
    for pair in PAIRS:
        if best[pair[0]] == best[pair[1]]:
            return best[pair[0]], pair
    return best["bic"], None


def best_by(table: pl.DataFrame) -> dict[str, int]:
    """Criterion -> the number of segments at its minimum.

    Example:
        >>> best_by(pl.DataFrame({"segments": [1, 2], **{c: [9.0, 8.0] for c in CRITERIA}}))["bic"]
        2
    """
    rows = table.drop_nulls("bic")
    return {c: int(rows.sort(c, "segments")["segments"][0]) for c in CRITERIA}


def recommendation(table: pl.DataFrame, tried: Sequence[int], predictors: int) -> tuple[Text, ...]:
    """What the criteria, the entropy and the sizes say, in sentences.

    Parameters:
        table: as `Fimix.table`. tried: numbers of segments. predictors: the most an outcome has.
    """
    best, (number, pair) = best_by(table), chosen(table)
    row = table.row(by_predicate=pl.col("segments") == number, named=True)
    said = [_number(best, number, pair)]
    if number == 1:
        said.append(_one(pair))
    elif row["en"] < APART:
        en = f"They are hardly told apart (EN = {row['en']:.2f}, below {APART:.2f}): read them with caution."
        said.append(Text(en, f"但各细分难以区分（EN = {row['en']:.2f}，低于 {APART:.2f}），解读须谨慎。"))
    else:
        said.append(Text(f"They are told apart (EN = {row['en']:.2f}).", f"各细分可以区分（EN = {row['en']:.2f}）。"))
    if number > 1 and row["smallest_n"] < PER_PREDICTOR * predictors:
        least = PER_PREDICTOR * predictors
        en = f"The smallest has {row['smallest_n']:.0f} rows, fewer than the {least} its regressions ask for."
        said.append(Text(en, f"最小的细分只有 {row['smallest_n']:.0f} 行，少于其回归所需的 {least} 行。"))
    if number == max(tried) and number > 1:
        en = f"{number} is the most that was tried: try more."
        said.append(Text(en, f"{number} 是所尝试的最大个数，请尝试更多。"))
    return tuple(said)


def _one(pair: tuple[str, str] | None) -> Text:
    """What one segment means: that a pair of criteria asks for no more, or that the criteria cannot decide."""
    if pair is None:
        en = "They do not decide whether segments are called for; one model is kept."
        return Text(en, "这些准则无法判定是否需要划分细分，此处保留单一模型。")
    return Text(
        "By these criteria no segments are called for; one model is kept.", "这两项准则不要求划分细分，保留单一模型。"
    )


def _number(best: dict[str, int], number: int, pair: tuple[str, str] | None) -> Text:
    """What the criteria settle on, within the bounds of MDL5 (low) and AIC (high)."""
    plural = "segment" if number == 1 else "segments"
    if pair is not None:
        a, b = (name.upper() for name in pair)
        return Text(f"{a} and {b} agree on {number} {plural}.", f"{a} 与 {b} 一致指向 {number} 个细分。")
    spread = ", ".join(f"{name.upper()} {best[name]}" for name in ("aic3", "aic4", "bic", "caic"))
    low, high = best["mdl5"], best["aic"]
    en = f"The criteria disagree ({spread}); between {low} (MDL5) and {high} (AIC), BIC's {number} is shown."
    return Text(en, f"各准则不一致（{spread}）；在 {low}（MDL5）与 {high}（AIC）之间，此处显示 BIC 的 {number} 个。")
