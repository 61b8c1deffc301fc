"""`simultaneous(boot)`: intervals that all hold at once, and p-values of the family, from the largest |t| drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.display import Shown, significant, table, text
from csi.errors import Note, Problem, Problems, Text, note, problem
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_estimate
from csi.inference.draws import quantile, shares_at
from csi.inference.intervals import Alternative
from csi.inference.pooled import copies_of
from csi.inference.settings import check_settings
from csi.inference.uncertainty import replicates_behind
from csi.moments.stack import Array

_SIDES = {"two-sided": np.abs, "greater": np.positive, "less": np.negative}


@dataclass(frozen=True, slots=True, repr=False)
class Simultaneous(Shown):
    """Intervals that all hold at once.

    Attributes:
        table: the cell's key columns, lhs, op, rhs, group, estimate, std_error, conf_low, conf_high (null on an open
            side), p_value (for the family: p < 1 - level exactly where the interval excludes zero).
        critical: standard errors on each side; 1.96 would be a single interval's at 95 %. tests: how many.
        replicates: draws that have a solution for every parameter of the family. level, sentences, notes.
    """

    table: pl.DataFrame
    critical: float
    tests: int
    replicates: int
    level: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


def simultaneous(boot: Estimate, op: str = "~", level: float | None = None) -> Simultaneous:
    """Intervals and p-values of all parameters of a kind in all cells together, as one family.

        t*_k = (theta*_k - theta_k) / SE_k,   c = quantile of max_k |t*_k| at the level,   theta_k +- c SE_k

    Correlations among the estimates enter by themselves, so the intervals are no wider than Bonferroni's but for
    the draws' own error. No p-value is below 1 / (B + 1).

    Parameters:
        boot: an estimate after `csi.bootstrap`; its `alternative` says whether intervals are one-sided.
        op: the family, such as "~" (paths) or "=~" (loadings). level: of all intervals together (the estimate's).

    Raises:
        Problems: no bootstrap draws, or no parameter of this kind with a standard error.

    Source: Romano & Wolf (2005), Econometrica 73:1237-1282 (single step); Westfall & Young (1993).

    Example:
        >>> import polars as pl
        >>> import csi
        >>> answers = {"a1": [1, 4, 7, 9, 5, 2], "a2": [2, 4, 8, 9, 5, 3], "b1": [1, 5, 6, 9, 3, 2]}
        >>> model = csi.Model.parse("a =~ a1 + a2" + chr(10) + "b =~ b1" + chr(10) + "b ~ a")
        >>> boot = csi.bootstrap(csi.fit(model, pl.DataFrame(answers), csi.PLS()), n=200)
        >>> simultaneous(boot).tests
        1
    """
    check_estimate(boot)
    level = boot.level if level is None else level
    check_settings(level)
    if boot.replicates is None and copies_of(boot):
        raise Problems([_pooled()])
    draws = replicates_behind(boot).values
    of = _family(boot, op)
    value, std_error = boot.values[of], cast("Array", boot.std_error)[of]
    away = (draws[:, of] - value) / std_error
    away = away[np.isfinite(away).all(axis=1)]
    side = _SIDES[boot.alternative]
    largest = np.sort(side(away).max(axis=1))
    least = 1.0 / (largest.size + 1.0)
    reached = quantile(largest[:, None], np.array([level]))[0]
    critical = float(reached) if least < 1 - level else float("inf")
    beyond = shares_at(np.repeat(largest[:, None], value.size, axis=1), side(value / std_error))[0]
    p = np.clip(1 - beyond, least, 1.0)
    return _told(boot, of, (value, std_error, critical, p), largest.size, level)


def _pooled() -> Problem:
    """Completed copies have no draws of all copies together."""
    en = "it is pooled over completed copies, whose draws are not draws of one estimate."
    zh = "该估计由多份插补数据合并而成，各份的重抽样不能视为同一估计的重抽样。"
    do = "Use csi.family(pooled), whose p-values are pooled."
    return problem("E-BOOT", "estimate", en, zh, do, "请使用 csi.family(合并后的估计)，其 p 值已按 Rubin 规则合并。")


def _family(boot: Estimate, op: str) -> npt.NDArray[np.bool_]:
    """(b, k) True for the parameters of the kind that vary."""
    replicates = replicates_behind(boot)
    if replicates.factors is not None or boot.std_error is None:
        en = f'simultaneous intervals need bootstrap draws, not replicates of kind "{replicates.kind}".'
        zh = f"联合区间需要自助样本，而不是“{replicates.kind}”重复样本。"
        do = "Use csi.bootstrap(est), or csi.family(est)."
        do_zh = "请使用 csi.bootstrap(est)，或 csi.family(est)。"
        raise Problems([problem("E-BOOT", "estimate", en, zh, do, do_zh)])
    of: npt.NDArray[np.bool_] = np.isfinite(boot.std_error) & np.array([r.op == op for r in boot.rows])
    if not of.any():
        known = ", ".join(dict.fromkeys(r.op for r in boot.rows))
        en, zh = f'no parameter "{op}" has a standard error.', f"没有带标准误的“{op}”参数。"
        raise Problems([problem("E-SETTING", "op", en, zh, f"Use one of: {known}.", f"可用：{known}。")])
    return of


def _told(
    boot: Estimate, of: npt.NDArray[np.bool_], found: tuple[Array, Array, float, Array], usable: int, level: float
) -> Simultaneous:
    """The table, and what the family says."""
    value, std_error, critical, p = found
    side = cast("Alternative", boot.alternative)
    low = np.full_like(value, -np.inf) if side == "less" else value - critical * std_error
    high = np.full_like(value, np.inf) if side == "greater" else value + critical * std_error
    numbers = {"conf_low": low, "conf_high": high, "p_value": p}
    keys = [c for c in boot.table.columns if c not in _NUMBERS]
    frame = boot.table.filter(pl.Series(of.reshape(-1))).select(*keys, "estimate", "std_error")
    frame = frame.with_columns(pl.Series(name, _open(v)) for name, v in numbers.items())
    m, hits, share = value.size, int((p < 1 - level).sum()), f"{100 * level:g}"
    en = f"All {m} intervals hold together with {share} % confidence ({critical:.2f} standard errors); "
    en += f"{hits} exclude zero."
    zh = f"{m} 个区间同时成立的置信度为 {share}%（{critical:.2f} 个标准误）；其中 {hits} 个不含零。"
    draws = f"{usable} draws have a solution in every cell.", f"{usable} 次重抽样在每个单元均有解。"
    return Simultaneous(frame, critical, m, usable, level, (Text(en, zh),), (note("N-SIMULTANEOUS", *draws),))


_NUMBERS = {"estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high", "std_lv", "std_all", "label"}


def _open(limit: Array) -> list[float | None]:
    """Numbers, null where infinite."""
    return [float(v) if np.isfinite(v) else None for v in limit]


@text.register
def _(value: Simultaneous, lang: str = "en") -> str:
    """The table, the sentence and the notes."""
    frame = value.table.select(c for c in value.table.columns if value.table[c].null_count() < value.table.height)
    said = [s.say(lang) for s in value.sentences] + [f"* {n.say(lang)}" for n in value.notes]
    return "\n".join([table(frame, significant), *said])
