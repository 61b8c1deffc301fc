"""Brands over waves with known truth: levels that move, items that measure a chain of constructs, answers on a scale.

An answer is a normal variable rounded to the scale, so every cell's item means are known exactly, and the index of a
cell is that of its means under weights from the population's moments.

Letters: `b` brands, `w` waves, `n` respondents, `p` items, `q` constructs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import special

from csi.moments.stack import Array, Ints


@dataclass(frozen=True)
class Tracked:
    """A population of brands over waves.

    Parameters:
        levels: (b, w) level of each brand in each wave, in standard deviations of the constructs.
        blocks: items of each construct; every construct leads to the next.
        loadings: (p,) of the items on their construct, in scale points. noise: (p,) their own standard deviations.
        start: (p,) mean answers at level 0. slope: of each construct on the one before. scale: least and most answer.

    Example:
        >>> population = Tracked.plain(np.zeros((2, 3)), (3, 2))
        >>> population.panel(5, 1).shape, population.means.shape
        ((30, 8), (2, 3, 5))
    """

    levels: Array
    blocks: tuple[int, ...]
    loadings: Array
    noise: Array
    start: Array
    slope: float = 0.6
    scale: tuple[int, int] = (1, 10)

    @classmethod
    def plain(cls, levels: Array, blocks: Sequence[int], *, spread: float = 0.8) -> Tracked:
        """Items whose loadings, noise and means differ within a block, so that weights matter.

        Parameters:
            spread: half the range of the items' means within a block, in scale points.
        """
        within = np.concatenate([np.linspace(-1.0, 1.0, m) if m > 1 else np.zeros(1) for m in blocks])
        return cls(levels, tuple(blocks), 1.3 + 0.3 * within, 1.1 - 0.2 * within, 6.8 + spread * within)

    @cached_property
    def block(self) -> Ints:
        """(p,) construct of each item."""
        return np.repeat(np.arange(len(self.blocks)), self.blocks).astype(np.int64)

    @property
    def items(self) -> tuple[str, ...]:
        """Item names: c1_1, c1_2, ..., c2_1, ..."""
        return tuple(f"c{j + 1}_{i + 1}" for j, m in enumerate(self.blocks) for i in range(m))

    @property
    def model(self) -> str:
        """The model's text: c1 leads to c2, c2 to c3, ..."""
        names = iter(self.items)
        lines = [f"c{j + 1} =~ " + " + ".join(next(names) for _ in range(m)) for j, m in enumerate(self.blocks)]
        return "\n".join([*lines, *(f"c{j + 1} ~ c{j}" for j in range(1, len(self.blocks)))])

    @property
    def means(self) -> Array:
        """(b, w, p) exact mean answers: `E x = l + sum_{a > l} P(z > a - 1/2)`, ends of the scale included."""
        low, high = self.scale
        centre = self.start + self.loadings * self.levels[..., None]
        cuts = np.arange(low, high) + 0.5
        sd = np.sqrt(self.loadings**2 + self.noise**2)
        return np.asarray(low + special.ndtr((centre[..., None] - cuts) / sd[:, None]).sum(axis=-1))

    def panel(self, n: int, seed: int, again: float | None = None) -> pl.DataFrame:
        """Answers of n respondents of every brand in every wave: items, brand, wave, id.

        Parameters:
            n: per cell. seed: of the draws. again: correlation of a respondent's construct scores between waves where
                the same respondents answer in every wave; None draws new respondents.
        """
        rng = np.random.default_rng([20261122, seed])
        b, w = self.levels.shape
        scores = rng.standard_normal((len(self.blocks), b, w, n))
        if again is not None:
            lasting = rng.standard_normal((len(self.blocks), b, 1, n))
            scores = np.sqrt(again) * lasting + np.sqrt(1.0 - again) * scores
        rows = self._answers(scores.reshape(len(self.blocks), -1), np.repeat(self.levels.reshape(-1), n), rng)
        cells = np.arange(b * w * n)
        brand, wave, who = cells // (w * n), cells // n % w, cells % n
        keys = pl.DataFrame(
            {
                "brand": [f"b{i + 1}" for i in brand.tolist()],
                "wave": [f"w{i + 1:02d}" for i in wave.tolist()],
                "id": brand * n + who if again is not None else cells,
            }
        )
        return pl.DataFrame(dict(zip(self.items, rows.T, strict=True))).hstack(keys)

    def _answers(self, f: Array, level: Array, rng: np.random.Generator) -> npt.NDArray[np.int8]:
        """(n, p) answers from independent scores (q, n), which are chained here."""
        for j in range(1, len(f)):
            f[j] = self.slope * f[j - 1] + np.sqrt(1.0 - self.slope**2) * f[j]
        z = (f + level)[self.block].T * self.loadings + self.start
        z += self.noise * rng.standard_normal(z.shape)
        return np.clip(np.rint(z), *self.scale).astype(np.int8)
