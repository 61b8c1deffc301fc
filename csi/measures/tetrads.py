"""Confirmatory tetrad analysis: whether the items of a block can have one common factor, `cta(est)`.

Letters: `p` items, `t` tetrads of a block, `b` cells, `B` replicates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
import polars as pl
from scipy.special import ndtr, ndtri

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Reason, Text, is_number, problem, reason, seed_problems, whole
from csi.estimate.estimate import Estimate
from csi.inference.resample import resampling_of, rows_behind
from csi.measures.blocks import correlations, item_cov
from csi.measures.shown import part, told
from csi.measures.tidy import cells_of, said_once, tidy
from csi.moments.pearson import moments_under
from csi.moments.stack import Array, Moments, Sample

Tetrad = tuple[int, int, int, int]
"""(g, h, i, j) for the tetrad r_gh r_ij - r_gi r_hj."""

FEW_ITEMS = reason(
    "few_items",
    "a block needs four items for its tetrads.",
    "区块至少需要四个题项才能构成四元组。",
)
RANK = 1e-9
"""A tetrad whose gradient keeps a smaller share of its length is redundant."""


def tetrad(cor: Array, which: Tetrad) -> Array:
    """(...,) r_gh r_ij - r_gi r_hj; 0 in the population when one factor accounts for the four items.

    Example:
        >>> loadings = np.array([0.9, 0.8, 0.7, 0.6])
        >>> round(float(tetrad(np.outer(loadings, loadings), (0, 1, 2, 3))), 12)
        0.0
    """
    g, h, i, j = which
    return np.asarray(cor[..., g, h] * cor[..., i, j] - cor[..., g, i] * cor[..., h, j], dtype=np.float64)


@lru_cache(maxsize=64)
def independent_tetrads(items: int) -> tuple[Tetrad, ...]:
    """The m (m - 3) / 2 tetrads of m items that imply all others under one factor.

    Taken in order as long as their gradients, at a one-factor correlation matrix, are linearly independent.

    Source:
        Bollen & Ting (1993), Sociological Methodology 23; Hipp & Bollen (2003), Sociological Methodology 33.

    Example:
        >>> independent_tetrads(4), [len(independent_tetrads(m)) for m in (3, 5, 6)]
        (((0, 1, 2, 3), (0, 1, 3, 2)), [0, 5, 9])
    """
    wanted = items * (items - 3) // 2
    loadings = 0.5 + 0.4 * np.sqrt(np.arange(items) + 1) / np.sqrt(items + 1)
    cor = np.outer(loadings, loadings)
    at = {pair: k for k, pair in enumerate(combinations(range(items), 2))}
    basis, found = np.empty((0, len(at))), list[Tetrad]()
    for quad in combinations(range(items), 4):
        for order in ((0, 1, 2, 3), (0, 1, 3, 2), (0, 2, 3, 1)):
            which = (quad[order[0]], quad[order[1]], quad[order[2]], quad[order[3]])
            gradient = _gradient(cor, which, at)
            left = gradient - basis.T @ (basis @ gradient)
            left -= basis.T @ (basis @ left)
            if np.linalg.norm(left) > RANK * np.linalg.norm(gradient) ** 0.5 and len(found) < wanted:
                basis = np.vstack([basis, left / np.linalg.norm(left)])
                found.append(which)
        if len(found) == wanted:
            break
    return tuple(found)


def _gradient(cor: Array, which: Tetrad, at: Mapping[tuple[int, int], int]) -> Array:
    """(pairs,) derivatives of a tetrad by the correlations."""
    g, h, i, j = which
    out = np.zeros(len(at))
    for one, other, sign in (((g, h), (i, j), 1.0), ((g, i), (h, j), -1.0)):
        out[at[min(one), max(one)]] += sign * cor[other]
        out[at[min(other), max(other)]] += sign * cor[one]
    return out


@dataclass(frozen=True, slots=True, repr=False)
class TetradAnalysis(Shown):
    """What `cta` found.

    Attributes:
        table: key columns, construct, tetrad ("x1 x2 x3 x4" for r12 r34 - r13 r24), value, std_error, statistic,
            p_value, p_adjusted (Bonferroni within the construct), conf_low, conf_high (bias-corrected, Bonferroni).
        constructs: key columns, construct, mode, tetrads, away (how many intervals leave 0 out), verdict ("pass": one
            factor is not rejected; "fail": rejected), reason.
        level, n, seed. notes, reasons.
    """

    table: pl.DataFrame
    constructs: pl.DataFrame
    level: float
    n: int
    seed: int
    notes: tuple[Note, ...]
    reasons: Mapping[str, Reason]

    @property
    def sentences(self) -> tuple[Text, ...]:
        """One sentence per cell and construct that has tetrads."""
        keys = self.constructs.columns[: self.constructs.columns.index("construct")]
        found = []
        for row in self.constructs.drop_nulls("verdict").iter_rows(named=True):
            place = " ".join(str(row[k]) for k in keys)
            en, zh = (f"{place}: ", f"{place}：") if place else ("", "")
            name, away, count = row["construct"], row["away"], row["tetrads"]
            if row["verdict"] == "fail":
                found.append(
                    Text(
                        f"{en}{name}: one common factor is rejected ({away} of {count} tetrads differ from 0).",
                        f"{zh}{name}：单一公因子被拒绝（{count} 个四元组中有 {away} 个不为 0）。",
                    )
                )
            else:
                found.append(
                    Text(
                        f"{en}{name}: one common factor is not rejected ({count} tetrads).",
                        f"{zh}{name}：未拒绝单一公因子（{count} 个四元组）。",
                    )
                )
        return tuple(found)


@text.register
def _(value: TetradAnalysis, lang: str = "en") -> str:
    """Verdicts per construct in words, tetrads, why there are none."""
    title = Text(
        f"Tetrad analysis ({value.n} replicates, {value.level:.0%} intervals adjusted by Bonferroni)",
        f"四元组分析（{value.n} 次重抽样，{value.level:.0%} 区间经 Bonferroni 校正）",
    )
    shown = value.table.select(pl.exclude("statistic", "p_value"))
    lines = part(title, shown, lang, ".table") or [title.say(lang)]
    lines += [s.say(lang) for s in value.sentences]
    return "\n".join([*lines, *told(value.reasons.values(), value.notes, lang)])


def cta(est: Estimate, n: int = 1000, seed: int = 1, *, level: float = 0.90) -> TetradAnalysis:
    """Whether the items of every block can be reflections of one factor (CTA-PLS).

    If one factor accounts for the items, every tetrad r_gh r_ij - r_gi r_hj is 0. Of each block the tetrads that imply
    the others are tested; intervals are 2 tau - mean(tau*) -+ z SE*, with z at (1 - level) / 2 over their number. One
    that leaves 0 out rejects the reflective measurement of the block. Which tetrads are tested depends on the order of
    the items. Blocks of fewer than four items are not tested.

    Parameters:
        est: a fit from rows; only its blocks are used. n: bootstrap replicates, as in `bootstrap`. seed: recorded.
        level: familywise, of a block's intervals together.

    Returns:
        A `TetradAnalysis`.

    Raises:
        Problems: no rows, fewer than 100 replicates, a level outside .5-1.

    Source:
        Gudergan, Ringle, Wende & Will (2008), Journal of Business Research 61(12); Bollen & Ting (2000), Psychological
        Methods 5(1).

    Example:
        >>> import csi
        >>> rng = np.random.default_rng(1)
        >>> f = rng.standard_normal((200, 1))
        >>> frame = pl.DataFrame(f + rng.standard_normal((200, 5)), schema=["a1", "a2", "a3", "a4", "y"])
        >>> est = csi.fit("A =~ a1 + a2 + a3 + a4; Y =~ y; Y ~ A", frame, csi.PLS())
        >>> print(cta(est, n=200).sentences[0].en)
        A: one common factor is not rejected (2 tetrads).
    """
    found = _problems(n, seed, level)
    if found:
        raise Problems(found)
    sample, solution = rows_behind(est), est.solution
    blocks = {c: np.flatnonzero(solution.block == k) for k, c in enumerate(solution.constructs)}
    chosen = [(c, _placed(at)) for c, at in blocks.items() if at.size >= 4]
    value = _values(est.moments, solution.items, chosen)
    draws = _draws(sample, solution.items, chosen, n, seed)
    count = np.concatenate([np.full(len(t), len(t)) for _, t in chosen]) if chosen else np.empty(0)
    numbers = _tested(value, draws, count, level)
    labels = pl.DataFrame(
        [(c, " ".join(solution.items[k] for k in t)) for c, several in chosen for t in several],
        schema={"construct": pl.String, "tetrad": pl.String},
        orient="row",
    )
    constructs = _constructs(est, blocks, labels, numbers)
    return TetradAnalysis(
        table=tidy(cells_of(est), labels, numbers),
        constructs=constructs,
        level=level,
        n=n,
        seed=seed,
        notes=est.notes,
        reasons=said_once([FEW_ITEMS] if constructs["reason"].drop_nulls().len() else []),
    )


def _placed(at: np.ndarray) -> list[Tetrad]:
    """The tetrads of a block, as positions among all items."""
    return [(int(at[g]), int(at[h]), int(at[i]), int(at[j])) for g, h, i, j in independent_tetrads(int(at.size))]


def _values(moments: Moments, items: tuple[str, ...], chosen: list[tuple[str, list[Tetrad]]]) -> Array:
    """(b, t) all tetrads, block by block."""
    cor = correlations(item_cov(moments, items))
    found = [tetrad(cor, which) for _, several in chosen for which in several]
    return np.stack(found, axis=1) if found else np.empty((len(cor), 0))


def _draws(sample: Sample, items: tuple[str, ...], chosen: list[tuple[str, list[Tetrad]]], n: int, seed: int) -> Array:
    """(B, b, t) tetrads of the replicates; nothing is refitted."""
    c, plan = sample.cells.height, resampling_of(sample, n, seed)
    seen = plan.seen(sample)
    parts = [
        _values(moments_under(seen, multiplicity).without_rows(), items, chosen) for _, multiplicity in plan.blocks()
    ]
    joined = np.concatenate(parts)
    return joined.reshape(n, c, joined.shape[1])


def _tested(value: Array, draws: Array, count: Array, level: float) -> dict[str, Array]:
    """Bias-corrected intervals and p-values, adjusted for the number of tetrads of a block: (b, t) each."""
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.nanstd(draws, axis=0, ddof=1) if draws.size else np.empty_like(value)
        centre = 2 * value - np.nanmean(draws, axis=0) if draws.size else np.empty_like(value)
        z = ndtri(1 - (1 - level) / 2 / np.maximum(count, 1))
        statistic = centre / error
    p = 2 * ndtr(-np.abs(statistic))
    return {
        "value": value,
        "std_error": error,
        "statistic": statistic,
        "p_value": p,
        "p_adjusted": np.minimum(p * count, 1.0),
        "conf_low": centre - z * error,
        "conf_high": centre + z * error,
    }


def _constructs(
    est: Estimate, blocks: Mapping[str, np.ndarray], labels: pl.DataFrame, numbers: Mapping[str, Array]
) -> pl.DataFrame:
    """The verdict on every construct."""
    cells = cells_of(est)
    outside = (numbers["conf_low"] > 0) | (numbers["conf_high"] < 0)
    owner = labels["construct"].to_numpy().astype(str)
    rows, codes = [], []
    for s in range(cells.height):
        for c, at in blocks.items():
            own = owner == c
            away = int(outside[s, own].sum())
            known = bool(own.any() and np.isfinite(numbers["conf_low"][s, own]).all())
            rows.append((int(own.sum()), away if known else None, ("fail" if away else "pass") if known else None))
            codes.append(None if known else FEW_ITEMS.code if at.size < 4 else "not_computable")
    modes = list(est.solution.modes)
    frame = tidy(cells, pl.DataFrame({"construct": list(blocks), "mode": modes}), {})
    schema = {"tetrads": pl.Int64, "away": pl.Int64, "verdict": pl.String}
    judged = pl.DataFrame(rows, schema=schema, orient="row")
    return pl.concat([frame, judged], how="horizontal").with_columns(pl.Series("reason", codes, dtype=pl.String))


def _problems(n: int, seed: int, level: float) -> list[Problem]:
    """Settings that make no sense, all at once."""
    found = []
    found += whole("n", n)
    if not whole("n", n) and n < 100:
        en, zh = f"{n} replicates are too few for an interval.", f"{n} 次重抽样不足以给出区间。"
        found.append(problem("E-BOOT", "n", en, zh, "Use 1000 or more.", "请使用 1000 次以上。"))
    found += seed_problems(seed)
    if not (is_number(level) and 0.5 <= level < 1):
        en, zh = f"a level lies between 0.5 and 1, not at {level}.", f"置信水平应在 0.5 与 1 之间，而不是 {level}。"
        found.append(problem("E-SETTING", "level", en, zh, "Use level=0.90, say.", "例如 level=0.90。"))
    return found
