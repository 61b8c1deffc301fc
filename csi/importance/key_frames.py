"""Frames of what drivers are worth: wide, long, by pairs, agreement of metrics, differences between cells.

Letters: `k` drivers, `x` pairs, `M` metrics, `b` cells, `B` replicates.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Final

import numpy as np
import polars as pl

from csi.importance.key_measured import LMG, Measured
from csi.importance.metrics import LISTED, METRICS, RANKED, agreement, dominance, dominance_of, ranks_of
from csi.inference.adjust import holm
from csi.inference.draws import standard_error
from csi.inference.intervals import p_value, percentile
from csi.measures.tidy import tidy
from csi.moments.stack import Array

SURE: Final = 1e-9


def wide_frame(cells: pl.DataFrame, names: Sequence[str], found: Measured, level: float) -> pl.DataFrame:
    """One row per driver: sign, share, rank, and every metric that has a value."""
    share = found.value[:, -1]
    rank, low, high, first = ranked(share, found.shares, level)
    numbers = {
        "share": share, "conf_low": found.conf_low[:, -1], "conf_high": found.conf_high[:, -1], "rank": rank,
        "rank_low": low, "rank_high": high, "first_share": first,
    }  # fmt: skip
    numbers |= {name: found.value[:, i] for i, name in enumerate(METRICS)}
    beta = found.value[:, list(METRICS).index("beta")]
    signs = [None if not np.isfinite(v) else "-" if v < 0 else "+" for v in beta.reshape(-1)]
    frame = tidy(cells, pl.DataFrame({"driver": list(names)}), numbers, {"sign": signs})
    keys = [c for c in cells.columns if c != "n"]
    frame = frame.select(*keys, "driver", "sign", pl.exclude(*keys, "driver", "sign"))
    return frame.with_columns(pl.col("rank", "rank_low", "rank_high").round(0).cast(pl.Int64))


def ranked(share: Array, draws: Array, level: float) -> tuple[Array, Array, Array, Array]:
    """Ranks (b, k), the limits of those of the draws, and how often each driver is first."""
    rank, nothing = ranks_of(share), np.full_like(share, np.nan)
    if not len(draws):
        return rank, nothing, nothing, nothing
    each = ranks_of(draws)
    known = np.isfinite(each).all(axis=2).sum(axis=0)[:, None]
    side = (1 - level) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        first = np.where(known > 0, (each == 1).sum(axis=0) / np.maximum(known, 1), np.nan)
    usable = np.where(np.isfinite(each).any(axis=0), each, 0.0)
    low = np.nanquantile(usable, side, axis=0, method="inverted_cdf")
    high = np.nanquantile(usable, 1 - side, axis=0, method="inverted_cdf")
    blank = np.where(known > 0, 1.0, np.nan)
    return rank, low * blank, high * blank, first


def metric_frame(cells: pl.DataFrame, names: Sequence[str], found: Measured) -> pl.DataFrame:
    """One row per driver and metric, with intervals."""
    metrics = [*METRICS, "share"]
    rows = [(d, m) for d in names for m in metrics]
    labels = pl.DataFrame(rows, schema={"driver": pl.String, "metric": pl.String}, orient="row")
    arrays = {
        "estimate": found.value,
        "std_error": found.std_error,
        "conf_low": found.conf_low,
        "conf_high": found.conf_high,
    }
    frame = tidy(cells, labels, {n: a.transpose(0, 2, 1).reshape(len(a), -1) for n, a in arrays.items()})
    return frame.filter(pl.col("estimate").is_not_null())


def pair_frame(cells: pl.DataFrame, names: Sequence[str], found: Measured) -> pl.DataFrame:
    """One row per pair of drivers: the difference of shares, its p by Holm within the cell, which dominates how."""
    k = len(names)
    rows = list(combinations(names, 2))
    labels = pl.DataFrame(rows, schema={"driver": pl.String, "other": pl.String}, orient="row")
    complete, conditional = _dominance(found, k)
    adjusted = np.reshape([holm(p) for p in found.gaps_p], found.gaps_p.shape)
    numbers = {
        "difference": found.gaps, "std_error": found.gaps_error, "conf_low": found.gaps_low,
        "conf_high": found.gaps_high, "p_value": found.gaps_p, "p_adjusted": adjusted, "complete": complete,
        "conditional": conditional,
    }  # fmt: skip
    ahead = found.value[:, LMG]
    kinds = [
        _kind(complete[c, x], conditional[c, x], ahead[c, i] - ahead[c, j])
        for c in range(len(ahead))
        for x, (i, j) in enumerate(combinations(range(k), 2))
    ]
    return tidy(cells, labels, numbers, {"dominates": kinds})


def _dominance(found: Measured, k: int) -> tuple[Array, Array]:
    """Both kinds of dominance of every cell; NaN where drivers are too many or collinear."""
    nothing = np.full_like(found.gaps, np.nan)
    known = np.isfinite(found.value[:, LMG]).all(axis=1)
    if k > LISTED or not known.any():
        return nothing, nothing.copy()
    if found.subsets is None:
        told = dominance(found.cor[known, 1:, 1:], found.cor[known, 1:, 0])
    else:
        told = dominance_of(found.subsets[known], k)
    out = nothing, nothing.copy()
    for whole, part in zip(out, told, strict=True):
        whole[known] = part
    return out


def _kind(complete: float, conditional: float, ahead: float) -> str | None:
    """The strongest dominance that holds for the one with more LMG."""
    if not np.isfinite(ahead) or ahead == 0:
        return None
    wanted = 1.0 if ahead > 0 else 0.0
    if complete == wanted:
        return "complete"
    return "conditional" if conditional == wanted else "general"


def agreement_frame(cells: pl.DataFrame, found: Measured) -> pl.DataFrame:
    """Rank correlations of the metrics that order drivers."""
    at = [list(METRICS).index(m) for m in RANKED]
    pairs = list(combinations(range(len(RANKED)), 2))
    labels = pl.DataFrame([(RANKED[i], RANKED[j]) for i, j in pairs], schema=["metric", "other"], orient="row")
    values = np.stack([[agreement(cell[at])[i, j] for i, j in pairs] for cell in found.value])
    return tidy(cells, labels, {"rank_correlation": values}).filter(pl.col("rank_correlation").is_not_null())


FULL: Final = 6
"""Cells up to which every pair is compared; of more, each with the first."""


def differences_frame(cells: pl.DataFrame, names: Sequence[str], found: Measured, level: float) -> pl.DataFrame:
    """Differences of shares between cells, tested by the draws, p-values by Holm over all of them."""
    keys = [c for c in cells.columns if c != "n"]
    schema = {"driver": pl.String, "cell": pl.String, "other": pl.String}
    b = cells.height
    if b < 2 or not len(found.shares):
        return pl.DataFrame(schema=schema)
    pairs = list(combinations(range(b), 2)) if b <= FULL else [(0, c) for c in range(1, b)]
    called = [" ".join(str(v) for v in row) for row in cells.select(keys).iter_rows()]
    share, draws = found.value[:, -1], found.shares
    value = np.stack([share[i] - share[j] for i, j in pairs])
    moved = np.stack([draws[:, i] - draws[:, j] for i, j in pairs], axis=1)
    low, high = percentile(moved, level)
    p = p_value(value, moved)
    rows = [(d, called[i], called[j]) for i, j in pairs for d in names]
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    numbers = {"difference": value, "std_error": standard_error(moved), "conf_low": low, "conf_high": high}
    numbers |= {"p_value": p, "p_adjusted": holm(p.reshape(-1))}
    return frame.with_columns(pl.Series(n, np.asarray(a).reshape(-1)).fill_nan(None) for n, a in numbers.items())
