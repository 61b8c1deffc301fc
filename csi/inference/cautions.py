"""Where a kind of interval is known to fall short, or to be too wide: what tests/slow measured, said where it applies.

Letters: `B` replicates, `b` cells, `k` parameters.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from csi.errors import Note, note
from csi.estimate.estimate import Estimate, Replicates
from csi.inference.draws import quantile
from csi.inference.uncertainty import Uncertainty, degrees
from csi.moments.stack import Array, Sample

HEAVY = 1.3
"""A standard error so many times that of the middle two thirds of the draws is made by a few draws far away."""

DRAWS = 200
"""Fewer draws than this say too little about their tails."""

DF = 60
"""Degrees of freedom of clusters up to which normal and percentile limits were seen to be too near."""

MOST = 3
"""Paths named in a note; the rest is counted."""


def cautions(boot: Estimate, sample: Sample, found: Uncertainty, replicates: Replicates) -> tuple[Note, ...]:
    """Notes on intervals of this estimate that simulations found not to hold, or to be wider than they need be.

    Parameters:
        boot: the estimate with its interval. sample: the rows. found: (b, k) what the replicates say.

    Source: tests/slow/README.md, 2,000 panels each.
    """
    notes: list[Note] = []
    if replicates.factors is None:
        notes += [*_tails(boot, found), *_products(boot), *_clusters(boot, sample, replicates)]
    else:
        notes += _pairs(sample, replicates)
    return (*notes, *_mode_b(boot, found))


def _paths(boot: Estimate) -> list[int]:
    """Positions of the paths among the parameters."""
    return [i for i, row in enumerate(boot.rows) if row.op == "~"]


def _named(boot: Estimate, at: Iterable[int]) -> tuple[str, str]:
    """Paths by name, the first of many."""
    names = [f"{boot.rows[i].lhs} ~ {boot.rows[i].rhs}" for i in dict.fromkeys(at)]
    more = f", ... ({len(names)})" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more, "、".join(names[:MOST]) + more.replace(", ", "、")


def heaviness(draws: Array) -> Array:
    """(...) standard deviation of draws (B, ...) over half the width of their middle 68.3 %; NaN where they are few.

    1 for a normal distribution, whose 84.13 % and 15.87 % quantiles are two standard deviations apart.

    Example:
        >>> draws = np.random.default_rng(1).standard_normal((2000, 1))
        >>> float(heaviness(draws)[0].round(1)), bool(heaviness(np.append(draws, [[400.0]], axis=0))[0] > 5)
        (1.0, True)
    """
    usable = np.isfinite(draws).sum(axis=0)
    ordered = np.sort(draws, axis=0)
    low, high = (quantile(ordered, np.full(draws.shape[1:], share)) for share in (0.158655, 0.841345))
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt(np.nansum((draws - np.nansum(draws, axis=0) / usable) ** 2, axis=0) / (usable - 1))
        ratio: Array = np.where((usable >= DRAWS) & (high > low), 2 * spread / (high - low), np.nan)
    return ratio


def _tails(boot: Estimate, found: Uncertainty) -> list[Note]:
    """Paths whose standard error a few replicates decide."""
    at = _paths(boot)
    ratio = heaviness(found.draws[:, :, at]) if at else np.empty((1, 0))
    worst = np.nan_to_num(ratio).max(axis=0)
    far = np.flatnonzero(worst > HEAVY)
    if not far.size:
        return []
    names, names_zh = _named(boot, [at[i] for i in far[np.argsort(-worst[far])].tolist()])
    en = f"{names}: a few replicates lie far away and make the standard error up to {worst.max():.1f} times what the "
    en += "others show; percentile limits do not hang on them, normal, t and basic ones are too wide."
    zh = f"{names_zh}：少数重抽样结果离得很远，使标准误达到其余结果所示的 {worst.max():.1f} 倍；"
    return [note("W-TAILS", en, f"{zh}百分位区间不受其左右，normal、t、basic 区间过宽。")]


def _products(boot: Estimate) -> list[Note]:
    """Bias-corrected limits of products that have weights of their own."""
    way = getattr(boot.settings, "interaction", None)
    if boot.interval not in ("bc", "bca") or way not in ("product", "orthogonal"):
        return []
    if not any(c.product_of for c in boot.model.constructs):
        return []
    en = f'interval="{boot.interval}" of products made of items covers as little as 90 % where it should cover 95 %: '
    en += 'use interval="percentile", or interaction="two-stage".'
    zh = f"由题项乘积构成的交互项，interval=“{boot.interval}” 的 95% 区间覆盖率可低至 90%："
    return [note("W-BC-PRODUCTS", en, f"{zh}请用 interval=“percentile”，或 interaction=“two-stage”。")]


def _clusters(boot: Estimate, sample: Sample, replicates: Replicates) -> list[Note]:
    """Limits that take a few dozen clusters with unequal weights for infinitely many."""
    df = degrees(replicates)
    clustered = sample.stratum.size < len(sample.rows) and float(np.ptp(sample.weight)) > 0
    if not clustered or boot.interval in ("t", "studentised", "double") or not 1 <= df.min() <= DF:
        return []
    en = (
        f"clusters with unequal weights and {df.min():.0f} degrees of freedom: {boot.interval} limits cover 91 to 94 % "
    )
    en += 'instead of 95 %; interval="t" of the same resamples holds.'
    zh = f"聚类抽样、权重不等、自由度为 {df.min():.0f}：{boot.interval} 的 95% 区间覆盖率约为 91%–94%；"
    return [note("N-CLUSTERS-T", en, f"{zh}同样的重抽样请用 interval=“t”。")]


def _pairs(sample: Sample, replicates: Replicates) -> list[Note]:
    """The jackknife of two units a stratum."""
    sizes = np.bincount(sample.stratum)
    left = replicates.kind == "jackknife" and (sizes == 2).sum() > (sizes > 2).sum()
    halves = (
        replicates.kind == "jkn" and replicates.factors is not None and bool((replicates.factors.factor == 0.5).all())
    )
    if not (left or halves or replicates.kind in ("jk2", "fay")):
        return []
    en = (
        "where one of two units of a stratum is left out or counts twice, errors of paths are 2 to 7 % too small (95 % "
    )
    en += 'limits cover 92 to 94 %); BRR weights, or csi.bootstrap(est) with interval="t", hold.'
    zh = "每层两个抽样单元、去一留一（或加倍）时，路径的标准误偏小 2%–7%（95% 区间覆盖率约 92%–94%）；"
    return [note("N-JACKKNIFE-PAIRS", en, f"{zh}BRR 权重，或 csi.bootstrap(est) 并用 interval=“t” 则可靠。")]


def _mode_b(boot: Estimate, found: Uncertainty) -> list[Note]:
    """Paths of mode B constructs that are not told apart from zero."""
    fit = boot.solution
    if fit.weights is None or "B" not in fit.modes:
        return []
    sizes = np.bincount(fit.block, minlength=len(fit.constructs))
    formed = {c for c, mode, size in zip(fit.constructs, fit.modes, sizes, strict=True) if mode == "B" and size > 1}
    around = np.atleast_1d(((found.conf_low <= 0) & (found.conf_high >= 0)).any(axis=0))
    at = [i for i in _paths(boot) if boot.rows[i].rhs in formed and around[i]]
    if not at:
        return []
    names, names_zh = _named(boot, at)
    en = f"{names}: mode B weights of a construct that explains nothing adapt in resamples more than in the data, so "
    en += "errors are 6 to 10 % too large and the test careful: a zero path is rejected in 3 to 4 % of samples at 5 %."
    zh = f"{names_zh}：无解释力的构念，其模式 B 权重在重抽样中比在数据中更易迁就，标准误偏大 6%–10%，检验偏保守："
    return [note("N-MODE-B", en, f"{zh}5% 水平下零路径约在 3%–4% 的样本中被拒绝。")]
