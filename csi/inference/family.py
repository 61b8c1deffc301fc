"""`family(boot)`: every path of an estimate as one family of tests, with adjusted p-values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast, get_args

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.display import Shown, significant, table, text
from csi.errors import Note, Problems, Text, note, one_of, problem
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_estimate
from csi.inference.adjust import Method, adjust
from csi.inference.intervals import Alternative, Evidence, curve_of, p_of
from csi.inference.uncertainty import degrees
from csi.moments.stack import Array

FAMILYWISE = ("holm", "hochberg", "bonferroni", "sidak")
"""Methods that keep the chance of any false rejection; the others keep the share of false ones among the rejected."""

NAMES = {
    "holm": "Holm",
    "hochberg": "Hochberg",
    "bonferroni": "Bonferroni",
    "sidak": "Šidák",
    "bh": "Benjamini and Hochberg",
    "by": "Benjamini and Yekutieli",
}


@dataclass(frozen=True, slots=True, repr=False)
class Family(Shown):
    """What `family` found.

    Attributes:
        table: the cell's key columns, lhs, op, rhs, group, estimate, std_error, p_value (of the single test),
            p_adjusted (held against the level of the family). method, level, tests (how many), sentences, notes.
    """

    table: pl.DataFrame
    method: str
    level: float
    tests: int
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


def family(est: Estimate, method: Method = "holm", op: str = "~") -> Family:
    """All parameters of a kind in all cells as one family; p-values adjusted for their number.

    After `csi.bootstrap` p is that of t = theta / SE, SE the standard deviation of the replicates, whatever kind of
    interval was asked for: a family asks how small small p-values are, and those of percentiles are never below
    2 / (n + 1) and a little too near in the far tail (Holm: 6.5 % false rejections at 5 %; this p 5.7 %; ten tests,
    n = 250, tests/slow/families.md). Jackknife, replicate weights, imputed copies, covariance models bring their own.

    Parameters:
        est: an estimate with standard errors. method: one of `csi.adjust`. op: the family, "~" (paths) or "=~".

    Raises:
        Problems: no standard errors, an unknown method, no parameter of this kind.

    Source: Holm (1979) and the others of `csi.adjust`.

    Example:
        >>> import polars as pl
        >>> import csi
        >>> answers = {"a1": [1, 4, 7, 9, 5, 2], "a2": [2, 4, 8, 9, 5, 3], "b1": [1, 5, 6, 9, 3, 2]}
        >>> boot = csi.bootstrap(csi.fit("a =~ a1 + a2; b =~ b1; b ~ a", pl.DataFrame(answers), csi.PLS()), n=200)
        >>> family(boot).tests
        1
    """
    check_estimate(est)
    found = one_of("method", method, get_args(Method))
    if found:
        raise Problems(found)
    if est.std_error is None or est.p_value is None:
        en, zh = "the estimate has no standard errors to test with.", "该估计没有标准误，无法检验。"
        do, do_zh = "Call csi.bootstrap(est) first.", "请先调用 csi.bootstrap(est)。"
        raise Problems([problem("E-BOOT", "estimate", en, zh, do, do_zh)])
    of = _members(est, op)
    single = p_of_t(est)
    p = single[of]
    adjusted = adjust(p, method)
    keys = [c for c in est.table.columns if c not in _NUMBERS]
    frame = est.table.filter(pl.Series(of.reshape(-1))).select(*keys, "estimate", "std_error")
    frame = frame.with_columns(pl.Series("p_value", p), pl.Series("p_adjusted", adjusted)).with_columns(
        pl.col("p_value", "p_adjusted").fill_nan(None)
    )
    return Family(frame, method, est.level, p.size, (_sentence(adjusted, method, est.level),), _notes(est))


def p_of_t(est: Estimate) -> Array:
    """(b, k) p-values for families: of t with the replicates' standard error, else those of the estimate."""
    if est.replicates is None or est.std_error is None:
        return cast("Array", est.p_value)
    df = degrees(est.replicates)[:, None] + np.zeros_like(est.values)
    curve = curve_of("t", Evidence(est.values, est.std_error, est.replicates.values, df=df))
    return p_of(curve, cast("Alternative", est.alternative))


def _members(est: Estimate, op: str) -> npt.NDArray[np.bool_]:
    """(b, k) True for the parameters of the kind that vary."""
    error = cast("Array", est.std_error)
    of: npt.NDArray[np.bool_] = np.isfinite(error) & np.array([r.op == op for r in est.rows], dtype=bool)
    if not of.any():
        known = ", ".join(dict.fromkeys(r.op for r in est.rows))
        en, zh = f'no parameter "{op}" has a standard error.', f"没有带标准误的“{op}”参数。"
        raise Problems([problem("E-SETTING", "op", en, zh, f"Use one of: {known}.", f"可用：{known}。")])
    return of


def _sentence(p: Array, method: str, level: float) -> Text:
    """How many of the family are told apart from zero."""
    alpha, hits = 1 - level, int((p < 1 - level).sum())
    kept, kept_zh = (
        ("any false one", "出现任何误判的概率") if method in FAMILYWISE else ("the share of false ones", "误判所占比例")
    )
    name = NAMES[method]
    en = f"{hits} of {p.size} differ from zero after {name}'s adjustment ({kept} is held to {100 * alpha:g} %)."
    zh = f"{p.size} 个检验中，经 {name} 校正后有 {hits} 个显著不为零（{kept_zh}控制在 {100 * alpha:g}%）。"
    return Text(en, zh)


def _notes(est: Estimate) -> tuple[Note, ...]:
    if est.replicates is None or est.replicates.factors is not None:
        return ()
    en = f"p is that of t with the standard error of {est.replicates.n} resamples, not of the {est.interval} interval."
    zh = f"p 值取自以 {est.replicates.n} 次重抽样标准误计算的 t 检验，而非 {est.interval} 区间。"
    return (note("N-FAMILY-T", en, zh),)


_NUMBERS = {"estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high", "std_lv", "std_all", "label"}


@text.register
def _(value: Family, lang: str = "en") -> str:
    """The table, the sentence and the notes."""
    frame = value.table.select(c for c in value.table.columns if value.table[c].null_count() < value.table.height)
    said = [s.say(lang) for s in value.sentences] + [f"* {n.say(lang)}" for n in value.notes]
    return "\n".join([table(frame, significant), *said])
