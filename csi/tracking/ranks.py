"""Ranks of brands: sets that hold jointly, from the largest of all pairwise t statistics, and how ranks vary by chance.

With t_ij = (I_i - I_j) / SE_ij and draws D of the errors from their joint distribution, brand i stands above j where
t_ij exceeds the quantile of max D_ij / SE_ij over all ordered pairs; the pairs found are taken out and the quantile is
drawn again until no more are found. A brand's ranks run from 1 + those above it to k - those below it, and all brands'
sets hold at once.

Letters: `k` brands of a wave, `m` draws.

Source:
    Mogstad, Romano, Shaikh & Wilhelm (2024), Review of Economic Studies 91(1), 476-518, section 3; Romano & Wolf
    (2005), JASA 100, 94-108, for the steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import special

from csi.display import Shown, text
from csi.errors import Note, Problems, Text, note, seed_problems
from csi.measures.tidy import number_column
from csi.moments.stack import Array
from csi.tracking.contrasts import basis_note, construct_place, contrast_df, joint_covariance, pair_shares
from csi.tracking.index import Index
from csi.tracking.places import brand_of, ranked
from csi.tracking.show import shown

Bools = npt.NDArray[np.bool_]
Single = npt.NDArray[np.float32]
LEAST, MOST, WORK = 2_000, 20_000, 200_000_000
"""Fewest and most draws, and about how many pairs times draws are worth it."""

CHUNK = 128
"""Draws worked on together. Results do not depend on it."""


@dataclass(frozen=True, slots=True)
class Joint:
    """What ranks of one wave are drawn from: values (k,), best first, covariance (k, k), degrees of freedom."""

    values: Array
    covariance: Array
    df: float

    @property
    def errors(self) -> Array:
        """(k, k) standard errors of the differences; NaN where two do not vary apart."""
        variance = np.diagonal(self.covariance)
        squared = variance[:, None] + variance - 2.0 * self.covariance
        return np.sqrt(np.where(squared > 1e-12 * (variance[:, None] + variance), squared, np.nan))

    def drawn(self, draws: int, seed: int) -> Array:
        """(k, m) draws of the errors: multivariate t (normal without degrees of freedom) with the joint covariance."""
        rng = np.random.default_rng([seed, self.values.size])
        values, vectors = np.linalg.eigh(np.nan_to_num(self.covariance))
        z = (vectors * np.sqrt(np.maximum(values, 0.0))) @ rng.standard_normal((values.size, draws))
        if not np.isfinite(self.df):
            return np.asarray(z)
        return np.asarray(z / np.sqrt(rng.chisquare(self.df, draws) / self.df))


def draws_for(k: int) -> int:
    """How many draws k brands get.

    Example:
        >>> draws_for(8), draws_for(400)
        (20000, 2000)
    """
    return int(np.clip(WORK // max(k * k, 1), LEAST, MOST))


def apart(joint: Joint, level: float, seed: int = 1) -> Bools:
    """(k, k) True where the brand of the row stands above that of the column, all statements together at the level.

    Parameters:
        joint: values and covariance. level: probability that no statement is false. seed: of the draws.

    Example:
        >>> apart(Joint(np.array([80.0, 70.0, 69.0]), np.eye(3), np.inf), 0.95).astype(int).tolist()
        [[0, 1, 1], [0, 0, 0], [0, 0, 0]]
    """
    k, errors = joint.values.size, joint.errors
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.nan_to_num((joint.values[:, None] - joint.values) / errors, nan=-np.inf)
        inverse = np.nan_to_num(1.0 / errors).astype(np.float32)
    open_, found = np.isfinite(errors) & ~np.eye(k, dtype=bool), np.zeros((k, k), dtype=bool)
    if k < 2 or not open_.any():
        return found
    z = joint.drawn(draws_for(k), seed).astype(np.float32)
    largest = _ceilings(z, joint)
    while open_.any():
        largest = _lowered(largest, z, inverse, open_, level)
        new = open_ & (t > np.quantile(largest, level))
        if not new.any():
            break
        found, open_ = found | new, open_ & ~new
    return found


def _ceilings(z: Single, joint: Joint) -> Single:
    """(m,) values that the largest (z_i - z_j) / SE_ij over all pairs does not exceed.

    With any v_i > 0, z_i - z_j <= sqrt(z_i^2 / v_i + z_j^2 / v_j) sqrt(v_i + v_j) for z_i > 0 > z_j (Cauchy-Schwarz);
    what all brands of a draw share is taken out first, and v is the variance of what is left.
    """
    errors, covariance = joint.errors, np.nan_to_num(joint.covariance)
    v = np.diagonal(covariance) - 2.0 * covariance.mean(axis=1) + covariance.mean()
    v = np.maximum(v, 1e-12 * v.max())
    factor = float(np.nanmax(np.sqrt(v[:, None] + v) / errors, initial=0.0))
    a = (z - z.mean(axis=0, dtype=np.float64)) / np.sqrt(v)[:, None]
    bound = np.sqrt(np.maximum(a.max(axis=0), 0.0) ** 2 + np.minimum(a.min(axis=0), 0.0) ** 2)
    return np.asarray((factor * bound * (1 + 1e-4)).astype(np.float32))


def _lowered(ceilings: Single, z: Single, inverse: Single, open_: Bools, level: float) -> Single:
    """(m,) largest statistics over the open pairs, exact in their upper tail from the level's quantile on.

    Draws are taken from the highest ceiling down, until as many values as lie above the quantile are at least the next
    ceiling; the others keep their ceilings, which lie below the quantile and do not change it.
    """
    out, order = ceilings.copy(), np.argsort(-ceilings, kind="stable")
    tail = min(out.size - int((out.size - 1) * level) + 1, out.size)
    for i in range(0, out.size, CHUNK):
        part = order[i : i + CHUNK]
        out[part] = _largest(z[:, part], inverse, open_)
        done, rest = out[order[: i + CHUNK]], order[i + CHUNK :]
        if done.size >= tail and rest.size and np.partition(done, done.size - tail)[done.size - tail] >= out[rest[0]]:
            break
    return out


def _largest(z: Single, inverse: Single, open_: Bools) -> Single:
    """(m,) largest (z_i - z_j) / SE_ij over the open ordered pairs, at least 0."""
    up, down = (np.where(side, inverse, np.float32(0.0)) for side in (open_, open_.T))
    both = np.array_equal(up, down)
    parts = (z[:, i : i + CHUNK] for i in range(0, z.shape[1], CHUNK))
    return np.concatenate([_largest_of(np.ascontiguousarray(part), up, down, both=both) for part in parts])


def _largest_of(z: Single, up: Single, down: Single, *, both: bool) -> Single:
    """The same for some draws, few enough to stay near the processor."""
    best = np.zeros(z.shape[1], dtype=np.float32)
    room = np.empty_like(z)
    for i in range(len(z) - 1):
        d, scaled = z[i] - z[i + 1 :], room[i + 1 :]
        np.multiply(d, up[i, i + 1 :, None], out=scaled)
        if both:
            np.abs(scaled, out=scaled)
        np.maximum(best, scaled.max(axis=0), out=best)
        if not both:
            np.multiply(d, down[i, i + 1 :, None], out=scaled)
            np.maximum(best, -scaled.min(axis=0), out=best)
    return best


def joint_of(index: Index, construct: int, cells: npt.NDArray[np.int64], covariance: Array, df: Array) -> Joint:
    """Values, covariance (k, k) and the least degrees of freedom of a pair."""
    known = df[df > 0]
    return Joint(index.values[cells, construct], covariance, float(known.min()) if known.size else np.inf)


@dataclass(frozen=True, slots=True, repr=False)
class RankProbabilities(Shown):
    """How the ranks of one wave's brands vary by chance: their sampling distribution, which is no interval.

    Attributes:
        table: one row per brand, best first; its keys, n, index, rank, expected_rank, first (probability of rank 1).
        ranks: brand (label), rank, probability. above: brand, other, probability that brand > other.
        construct, wave: of what. draws, seed: of the ranks. sentences, notes.
    """

    table: pl.DataFrame
    ranks: pl.DataFrame
    above: pl.DataFrame
    construct: str
    wave: str | None
    draws: int
    seed: int
    sentences: tuple[Text, ...] = ()
    notes: tuple[Note, ...] = ()


def rank_probabilities(
    index: Index,
    wave: str | None = None,
    construct: str = "satisfaction",
    small: int = 0,
    seed: int = 1,
    named: Mapping[str, Text] | None = None,
) -> RankProbabilities:
    """`P(rank = r)` of every brand and `P(A > B)` of every pair, around the values found.

    Ranks are counted in draws from the joint (multivariate t) distribution of the indices with their covariance;
    P(A > B) is that of the difference, by formula. Both describe how a repetition of the survey would turn out if the
    values found were true; for statements about the true ranks use `pairwise`.

    Parameters:
        index: an index of several brands. wave: which wave (not needed where there is one). construct: which construct.
        small: brands with fewer rows stay out, as do those without a standard error. seed: of the draws.
        named: what brands are called in sentences.

    Raises:
        Problems: E-WAVE, E-CONSTRUCT.

    Source:
        Goldstein & Spiegelhalter (1996), JRSS A 159, 385-443, on ranks and their uncertainty.

    Example:
        >>> import csi
        >>> groups = {"A": (1, 2, 3, 2), "B": (8, 9, 10, 9), "C": (8, 9, 9, 10)}
        >>> rows = [(x, x, b) for b, xs in groups.items() for x in xs]
        >>> frame = pl.DataFrame(rows, schema=["a", "b", "brand"], orient="row").with_columns(c="a", d="b")
        >>> model = csi.Model.parse("use =~ a + b" + chr(10) + "joy =~ c + d" + chr(10) + "joy ~ use")
        >>> made = csi.index(csi.fit(model, frame, csi.PLS(), by=["brand"], scale=(1, 10)))
        >>> rank_probabilities(made, construct="joy").table.select("brand", pl.col("first").round(1)).rows()
        [('B', 0.5), ('C', 0.5), ('A', 0.0)]
    """
    if wrong := seed_problems(seed):
        raise Problems(wrong)
    j = construct_place(index, construct)
    cells = ranked(index, j, wave, small)
    covariance = joint_covariance(index, j, cells) if cells.size else np.empty((0, 0))
    known = np.isfinite(np.diagonal(covariance))
    cells, covariance = cells[known], covariance[np.ix_(known, known)]
    labels, k = [brand_of(index, int(c)) for c in cells], cells.size
    above, below = np.triu_indices(k, 1)
    df = contrast_df(index, j, pair_shares(index, cells[above], cells[below])) if k > 1 else np.empty(0)
    joint = joint_of(index, j, cells, covariance, df)
    draws = draws_for(k)
    share = rank_shares(joint, draws, seed)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (joint.values[:, None] - joint.values) / joint.errors
    beats = special.stdtr(joint.df, t) if np.isfinite(joint.df) else special.ndtr(t)
    keys = [c for c in index.cells.columns if c != "wave"]
    table = (
        index.cells_of(j)
        .select(keys)[cells.tolist()]
        .with_columns(
            index=number_column(joint.values),
            rank=pl.Series(np.arange(1, k + 1)),
            expected_rank=number_column(share @ np.arange(1, k + 1)),
            first=number_column(share[:, 0] if k else np.empty(0)),
        )
    )
    every = np.arange(k)
    return RankProbabilities(
        table=table,
        ranks=pl.DataFrame(
            {
                "brand": [labels[i] for i in np.repeat(every, k)],
                "rank": np.tile(every + 1, k),
                "probability": number_column(share),
            }
        ),
        above=_above(labels, beats),
        construct=index.constructs[j],
        wave=wave,
        draws=draws,
        seed=seed,
        sentences=_sentences([(named or {}).get(b, Text(b, b)) for b in labels], share),
        notes=(_distribution_note(draws, seed), basis_note(index)),
    )


def _above(labels: list[str], beats: Array) -> pl.DataFrame:
    """A row per ordered pair of brands: the probability that the first is above."""
    row, column = np.nonzero(~np.eye(len(labels), dtype=bool))
    names = {"brand": [labels[i] for i in row], "other": [labels[i] for i in column]}
    schema = dict.fromkeys(names, pl.String())
    return pl.DataFrame(names, schema=schema).with_columns(probability=number_column(beats[row, column]))


def rank_shares(joint: Joint, draws: int, seed: int) -> Array:
    """(k, k) share of draws in which each brand has each rank.

    Example:
        >>> rank_shares(Joint(np.array([9.0, 1.0]), np.eye(2) / 100, np.inf), 2000, 1).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    k = joint.values.size
    order = np.argsort(-(joint.values[:, None] + joint.drawn(draws, seed)), axis=0, kind="stable")
    counts = np.stack([np.bincount(order[r], minlength=k) for r in range(k)], axis=1) if k else np.empty((0, 0))
    return np.asarray(counts / draws, dtype=np.float64)


def _sentences(labels: list[Text], share: Array) -> tuple[Text, ...]:
    """How often the brand on top would be on top again."""
    if len(labels) < 2:
        return ()
    p = 100.0 * share[0, 0]
    en = f"{labels[0].en} would come first in {p:.0f}% of such surveys if the values found were the true ones."
    return (Text(en, f"若所得数值即为真值，{labels[0].zh}在 {p:.0f}% 的同类调查中会排第一。"),)


def _distribution_note(draws: int, seed: int) -> Note:
    en = (
        f"Mean ranks and P(first): the distribution of ranks ({draws} draws, seed {seed}), no intervals: those are from"
    )
    en += " pairwise tests."
    zh = f"平均名次与 P(第一) 为名次的抽样分布，并非区间（{draws} 次抽取，种子 {seed}）；名次区间由两两检验得出。"
    return note("N-RANK-DRAWS", en, zh)


@text.register
def _(value: RankProbabilities, lang: str = "en") -> str:
    """The brands, what is said of the first, the notes."""
    title = Text("Ranks by chance", "名次的抽样分布").say(lang)
    said = "\n".join(s.en if lang == "en" else s.zh for s in value.sentences)
    return "\n".join(part for part in (shown(title, value.table, value.notes, lang), said) if part)
