"""The sector: the mean over the brands of a wave, and each brand's distance from it.

Letters: `k` brands of a wave.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Text, did_you_mean, note, problem
from csi.moments.stack import Array, Ints
from csi.tracking.contrasts import (
    basis_note,
    construct_covariance,
    construct_place,
    contrast,
    design_df,
    joint_covariance,
    t_test,
)
from csi.tracking.index import Index
from csi.tracking.league import tested
from csi.tracking.places import brand_of, ranked
from csi.tracking.show import shown


@dataclass(frozen=True, slots=True, repr=False)
class Sector(Shown):
    """The mean over brands, and each brand's distance from it.

    Attributes:
        table: one row per wave; wave, construct, index, std_error, conf_low, conf_high, df, brands (how many).
        differences: one row per cell; keys, construct, difference, std_error, statistic, df, p_value, p_holm (within
            the wave), significant, half_width (as in `League.pairs`), conf_low, conf_high.
    """

    table: pl.DataFrame
    differences: pl.DataFrame
    notes: tuple[Note, ...] = ()


def sector(
    index: Index,
    construct: str = "satisfaction",
    shares: Mapping[str, float] | None = None,
    small: int = 0,
) -> Sector:
    """The weighted mean over the brands of each wave, and each brand's difference from it.

    `S_t = sum_j v_j I_jt`, v normalised over the brands with an index in the wave; variances from the joint replicates.

    Parameters:
        shares: brand label -> v (equal by default); several keys are joined by " / ".
        small: brands with fewer rows stay out.

    Raises:
        Problems: E-CONSTRUCT, E-SHARE.

    Example:
        >>> import csi
        >>> rows = [(x, x, b) for b, xs in {"A": (1, 2, 3, 2), "B": (8, 9, 10, 9)}.items() for x in xs]
        >>> frame = pl.DataFrame(rows, schema=["a", "b", "brand"], orient="row").with_columns(c="a", d="b")
        >>> model = csi.Model.parse("use =~ a + b" + chr(10) + "joy =~ c + d" + chr(10) + "joy ~ use")
        >>> est = csi.fit(model, frame, csi.PLS(), by=["brand"], scale=(1, 10))
        >>> round(sector(csi.index(est), "joy").table["index"][0], 2)
        50.0
    """
    j = construct_place(index, construct)
    _check_shares(index, shares)
    has_waves = "wave" in index.cells.columns
    waves = index.cells["wave"].unique(maintain_order=True).to_list() if has_waves else [None]
    means, differences = [], []
    for wave in waves:
        cells = ranked(index, j, wave, small)
        if cells.size == 0:
            continue
        v = np.array([1.0 if shares is None else shares[brand_of(index, int(c))] for c in cells])
        v /= v.sum()
        means.append(_mean_row(index, j, wave, cells, v))
        differences.append((cells, *_from_mean(index, j, cells, v)))
    equal = shares is None
    en = "Sector mean: brands weighted equally." if equal else "Sector mean: brands weighted by the given shares."
    zh = "行业均值：各品牌等权。" if equal else "行业均值：各品牌按给定份额加权。"
    table = pl.DataFrame(means) if means else pl.DataFrame()
    return Sector(table, _differences(index, j, differences), (note("N-SECTOR", en, zh), basis_note(index)))


def _check_shares(index: Index, shares: Mapping[str, float] | None) -> None:
    """Every brand has a positive share."""
    if shares is None:
        return
    labels = dict.fromkeys(brand_of(index, c) for c in range(index.cells.height))
    found: list[Problem] = []
    for label in labels:
        if not shares.get(label, 0.0) > 0:
            hint = did_you_mean(label, shares)
            en, zh = f'no positive share for "{label}".', f"“{label}”没有正的份额。"
            found.append(problem("E-SHARE", "shares", en, zh, hint.en, hint.zh))
    if found:
        raise Problems(found)


def _mean_row(index: Index, construct: int, wave: str | None, cells: Ints, v: Array) -> dict[str, object]:
    """One wave's sector mean."""
    mean = contrast(index, construct, cells, v)
    test = t_test(mean.estimate, mean.std_error, mean.df, index.level)
    return {
        **({} if wave is None else {"wave": wave}),
        "construct": index.constructs[construct],
        "index": mean.estimate,
        "std_error": mean.std_error,
        "conf_low": test.conf_low,
        "conf_high": test.conf_high,
        "df": mean.df,
        "brands": cells.size,
    }


def _differences(index: Index, construct: int, of_waves: Sequence[tuple[Ints, Array, Array, Array]]) -> pl.DataFrame:
    """The brands' differences of every wave, each wave a family of tests."""
    if not of_waves:
        return pl.DataFrame()
    cells, difference, std_error, df = (np.concatenate(parts) for parts in zip(*of_waves, strict=True))
    keys: Sequence[str] = [k for k in index.cells.columns if k != "n"]
    brands: pl.DataFrame = index.cells.select(keys)[cells.tolist()]
    head = brands.with_columns(pl.lit(index.constructs[construct]).alias("construct"))
    families = tuple(len(of_wave[0]) for of_wave in of_waves)
    return pl.concat([head, tested(difference, std_error, df, index.level, families)], how="horizontal")


def _from_mean(index: Index, construct: int, cells: Ints, v: Array) -> tuple[Array, Array, Array]:
    """Each brand's difference from the sector mean (which contains it), with standard error and degrees of freedom."""
    covariance = joint_covariance(index, construct, cells)
    L = np.eye(cells.size) - v
    difference = L @ index.values[cells, construct]
    std_error = np.sqrt(np.maximum(((L @ covariance) * L).sum(axis=1), 0.0))
    return difference, std_error, np.full(cells.size, design_df(index, construct, cells))


def from_own_mean(index: Index, cell: int, constructs: Sequence[str]) -> pl.DataFrame:
    """How far each of some constructs lies from their mean in one cell, `I_j - mean_k I_k`, Holm over the constructs.

    Parameters:
        cell: its number among `index.cells`. constructs: at least two.

    Returns:
        One row per construct with an index there: construct, then the columns of a test as in `Sector.differences`.
    """
    every = np.array([construct_place(index, c) for c in constructs], dtype=np.int64)
    places = every[np.isfinite(index.values[cell, every])]
    k = places.size
    L = np.eye(k) - 1.0 / max(k, 1)
    covariance = construct_covariance(index, cell, places)
    std_error = np.sqrt(np.maximum(((L @ covariance) * L).sum(axis=1), 0.0))
    df = np.full(k, design_df(index, places.tolist(), np.array([cell])))
    names = pl.DataFrame({"construct": [index.constructs[j] for j in places]}, schema={"construct": pl.String})
    found = tested(L @ index.values[cell, places], std_error, df, index.level, (k,))
    return pl.concat([names, found], how="horizontal")


@text.register
def _(value: Sector, lang: str = "en") -> str:
    """The table and the notes."""
    return shown(Text("Sector mean", "行业均值").say(lang), value.table, value.notes, lang)
