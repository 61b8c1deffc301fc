"""The sampling design of an overlap sample: clusters and strata of the respondents who answered both forms.

Letters: `n` respondents, `u` units (clusters, else respondents), `r` shapes of a link's error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.errors import Note, Problem, Problems, problem
from csi.moments.design import design_of_rows
from csi.moments.stack import Array, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """Units and strata: unit (n,) of each respondent, stratum (u,) of each unit."""

    unit: Ints
    stratum: Ints
    notes: tuple[Note, ...] = ()

    @property
    def plain(self) -> bool:
        """Whether every respondent is drawn by itself from one stratum."""
        return self.stratum.size == self.unit.size and not self.stratum.any()

    def spread(self, influence: Array) -> Array:
        """(r, r) variance of the sum of what respondents (n, r) add, from the totals of units around their stratum's.

        `sum_h n_h / (n_h - 1) sum_{u in h} (t_u - mean_h) (t_u - mean_h)'`.

        Source:
            Wolter (2007), Introduction to Variance Estimation, 6.2.

        Example:
            >>> pairs = Design(np.array([0, 0, 1, 1]), np.zeros(2, dtype=np.int64))
            >>> pairs.spread(np.array([[0.5], [0.5], [-0.5], [-0.5]])).tolist()
            [[4.0]]
        """
        many = self.stratum.size
        total = np.stack([np.bincount(self.unit, column, many) for column in influence.T], axis=1)
        size = np.bincount(self.stratum)
        sums = np.stack([np.bincount(self.stratum, column, size.size) for column in total.T], axis=1)
        apart = total - (sums / size[:, None])[self.stratum]
        factor = (size / np.maximum(size - 1.0, 1.0))[self.stratum]
        found: Array = (apart * factor[:, None]).T @ apart
        return found

    def drawn(self, count: int, seed: int) -> Iterator[Array]:
        """(n,) how often each respondent counts, resample by resample.

        Respondents by themselves are drawn n out of n; units of strata n_h - 1 out of n_h, with weight n_h / (n_h - 1).

        Source:
            Rao & Wu (1988), JASA 83, 231-241.
        """
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed])))
        n = self.unit.size
        if self.plain:
            for _ in range(count):
                yield np.bincount(rng.integers(n, size=n), minlength=n).astype(np.float64)
            return
        members = [np.flatnonzero(self.stratum == h) for h in range(int(self.stratum.max()) + 1)]
        for _ in range(count):
            times = np.zeros(self.stratum.size)
            for mine in members:
                k = mine.size
                taken = np.bincount(rng.integers(k, size=max(k - 1, 1)), minlength=k)
                times[mine] = taken * (k / max(k - 1, 1))
            yield times[self.unit]


def design_of(
    cluster: Sequence[object] | None, stratum: Sequence[object] | None, kept: npt.NDArray[np.bool_]
) -> Design:
    """The design of the respondents who stay; each by itself, in one stratum, where nothing is said.

    Raises:
        Problems: E-LINK, another number of names than of respondents; a single cluster.

    Example:
        >>> design_of(None, None, np.ones(3, dtype=bool)).plain
        True
    """
    columns = {"_unit": cluster, "_stratum": stratum}
    found = [_unpaired(name[1:], said, kept.size) for name, said in columns.items() if said is not None]
    wrong = [p for p in found if p is not None]
    if wrong:
        raise Problems(wrong)
    size = int(kept.sum())
    named = {
        name: pl.Series(size * [None], dtype=pl.String)
        if said is None
        else pl.Series(list(said), strict=False).cast(pl.String).filter(pl.Series(kept))
        for name, said in columns.items()
    }
    unit, strata, notes = design_of_rows(pl.DataFrame(named), np.zeros(size, dtype=np.int64), nested=True)
    if strata.size < 2:
        en, zh = "all respondents of the overlap sample are of one cluster.", "重叠样本的受访者全部属于同一群。"
        do, do_zh = "Ask respondents of more clusters both forms.", "请让更多群的受访者回答两种形式。"
        raise Problems([problem("E-LINK", "link", en, zh, do, do_zh)])
    return Design(unit, strata, notes)


def _unpaired(name: str, said: Sequence[object], size: int) -> Problem | None:
    """Another number of clusters or strata than of respondents."""
    if len(said) == size:
        return None
    what, what_zh = ("clusters", "群") if name == "unit" else ("strata", "层")
    en, zh = f"{len(said)} {what} for {size} respondents.", f"{size} 名受访者对应 {len(said)} 个{what_zh}。"
    return problem("E-LINK", "link", en, zh, "Give one of each per respondent.", "请每位受访者各给一个。")
