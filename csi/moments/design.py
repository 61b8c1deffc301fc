"""Who is resampled together with whom: units (clusters, respondents, rows) and their strata.

Letters: `n` rows, `u` units.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import polars as pl

from csi.errors import Note, note
from csi.moments.stack import Array, Ints
from csi.survey.design_notes import alone_note, listed

GRID = 2.0**20
"""Weights are multiples of 1 / GRID, so that sums over integer answers are exact whatever their order."""


def design_of_rows(
    frame: pl.DataFrame, cell: Ints, *, nested: bool = False, group: Ints | None = None
) -> tuple[Ints, Ints, tuple[Note, ...]]:
    """Units and strata of rows.

    A unit is what `_unit` names: a cluster (within its stratum when `nested`, because cluster numbers often start again
    in each stratum), a respondent, else the row itself. Its stratum is the declared one together with the waves it
    answered in, because waves are drawn anew; where nothing is declared, the cells it answered in, because quotas fix
    their sizes. Units that came back (panels, several brands) share a stratum with those of the same pattern. A stratum
    with a single unit says nothing about variance: such strata are merged, and a note counts them.

    Parameters:
        frame: n rows sorted by cell, with `_unit` (null for rows without one), `_stratum`, perhaps `wave`.
        cell: (n,) cell of each row. nested: unit names are unique only within a stratum.
        group: (n,) group of each row in a multi-group model; units are drawn within groups, whose sizes stay fixed.

    Returns:
        unit (n,), stratum (u,), notes.

    Source:
        Rao & Wu (1988), JASA 83:231-241; Lohr (2010), Sampling, 5.5 (combining strata with one unit).

    Example:
        >>> rows = pl.DataFrame({"_unit": ["a", "b", "a", "c"], "_stratum": [None] * 4})
        >>> unit, stratum, _ = design_of_rows(rows, np.array([0, 0, 1, 1]))
        >>> unit.tolist()
        [0, 1, 0, 2]
    """
    label = _labels(frame["_stratum"])
    declared = bool((label != "").any())
    unit = _units(frame["_unit"], label, nested=nested)
    occasion = _codes(frame["wave"]) if declared and "wave" in frame.columns else cell if not declared else cell * 0
    if group is not None:
        occasion = occasion * (int(group.max()) + 1) + group
    first = np.full(int(unit.max()) + 1, unit.size)
    np.minimum.at(first, unit, np.arange(unit.size))
    stratum = _crossed(label[first], _patterns(unit, occasion))
    moved = int(np.unique(unit[label != label[first][unit]]).size)
    notes = [_moved(moved)] if moved else []
    stratum, alone = _merged(stratum, _numbered(label[first]))
    if alone.size and declared:
        named = sorted(str(label[first][u]) or "-" for u in alone)
        notes.append(alone_note(len(named), listed(named), listed(named, "、")))
    return unit, stratum, tuple(notes)


def streams_of(frame: pl.DataFrame, stratum: Ints, by: Sequence[str], group: Ints) -> Ints | None:
    """(h,) the number that the draws of each stratum come from, made of what the stratum is called.

    Its name is its declared stratum with the cells, waves and groups it has rows in. So a stratum is drawn alike
    whatever other strata there are: a later wave of other respondents leaves the replicates of earlier ones as they
    are. Strata of one name, where there are any, are told apart by their order. None for one stratum without a name.

    Parameters:
        frame: n rows, with `_stratum`, `by`, perhaps `wave`. stratum, group: (n,) of each row.

    Example:
        >>> rows = pl.DataFrame({"_stratum": ["n"] * 3, "wave": ["1", "2", "10"]})
        >>> early = streams_of(rows[:2], np.array([0, 1]), ["wave"], np.zeros(2, dtype=np.int64))
        >>> every = streams_of(rows, np.array([0, 2, 1]), ["wave"], np.zeros(3, dtype=np.int64))
        >>> early.tolist() == every[[0, 2]].tolist()
        True
    """
    keys = [k for k in dict.fromkeys((*by, "wave")) if k in frame.columns]
    if not keys and not stratum.any() and frame["_stratum"].null_count() == frame.height:
        return None
    named = frame.select(
        pl.concat_str([pl.col(k).cast(pl.String).fill_null("") for k in ("_stratum", *keys)], separator="\x1e").alias(
            "name"
        ),
        stratum=pl.Series(stratum),
        group=pl.Series(group),
    )
    each = named.unique().sort("stratum", "name", "group")
    words = each.group_by("stratum", maintain_order=True).agg(
        pl.concat_str("name", pl.col("group").cast(pl.String), separator="\x1f").str.join("\x1d").alias("name")
    )
    again = words.with_columns(pl.int_range(pl.len()).over("name").alias("again")).sort("stratum")
    return np.array(
        [_number(f"{name}\x1c{k}") for name, k in again.select("name", "again").iter_rows()], dtype=np.int64
    )


def _number(name: str) -> int:
    """A number of 62 bits that a text always gives."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big") >> 2


def layers_of(stratum: pl.Series, unit: Ints) -> Ints | None:
    """(u,) code of the declared stratum of each unit, that of its first row; None where none is declared.

    Parameters:
        stratum: (n,) declared strata. unit: (n,) unit of each row.

    Example:
        >>> layers_of(pl.Series(["n", "s", "s"]), np.array([0, 1, 1])).tolist()
        [0, 1]
    """
    label = _labels(stratum)
    if not (label != "").any():
        return None
    first = np.full(int(unit.max()) + 1, unit.size)
    np.minimum.at(first, unit, np.arange(unit.size))
    return _numbered(label[first])


def fraction_of(fraction: pl.Series, stratum: Ints) -> Array | None:
    """(h,) sampling fraction of each stratum, the mean of its rows; 0 where none is known, None where none at all is.

    Parameters:
        fraction: (n,) of each row. stratum: (n,) of each row.

    Example:
        >>> fraction_of(pl.Series([0.5, 0.5, None]), np.array([0, 0, 1])).tolist()
        [0.5, 0.0]
    """
    if fraction.null_count() == fraction.len():
        return None
    known = np.nan_to_num(fraction.to_numpy().astype(np.float64))
    return np.bincount(stratum, known) / np.maximum(np.bincount(stratum), 1)


def _labels(stratum: pl.Series) -> np.ndarray:
    """(n,) declared strata as text, empty where none is declared."""
    if stratum.null_count() == stratum.len():
        return np.zeros(stratum.len(), dtype="<U1")
    return np.asarray(stratum.cast(pl.String).fill_null("").to_numpy().astype(str))


def _units(names: pl.Series, label: np.ndarray, *, nested: bool) -> Ints:
    """(n,) unit of each row; rows without a name are units of their own, in their sorted order."""
    if names.null_count() == names.len():
        return np.arange(names.len(), dtype=np.int64)
    own = pl.Series([f"\x1e{i:09d}" for i in range(names.len())])
    keys = names.zip_with(names.is_not_null(), own).to_numpy().astype(str)
    return _numbered(np.char.add(np.char.add(label, "\x1f"), keys) if nested else keys)


def _codes(column: pl.Series) -> Ints:
    return _numbered(column.cast(pl.String).fill_null("").to_numpy().astype(str))


def _numbered(values: np.ndarray) -> Ints:
    """The rank of each value among the distinct ones."""
    if values.dtype.kind == "U" and not (values != "").any():
        return np.zeros(values.size, dtype=np.int64)
    return np.asarray(np.unique(values, return_inverse=True)[1], dtype=np.int64)


def _patterns(unit: Ints, occasion: Ints) -> Ints:
    """(u,) code of the set of occasions (waves or cells) in which each unit has rows."""
    if unit.size == int(unit.max()) + 1:  # everybody has one row: one occasion, coded as its text sorts
        codes, own = np.unique(occasion, return_inverse=True)
        alone = np.empty(unit.size, dtype=np.int64)
        alone[unit] = _numbered(codes.astype(str))[own]
        return alone
    pairs = np.unique(np.stack([unit, occasion], axis=1), axis=0)
    sets = pl.DataFrame(pairs, schema=["unit", "occasion"]).group_by("unit", maintain_order=True).agg("occasion")
    listed = sets.select(pl.col("occasion").cast(pl.List(pl.String)).list.join(","))["occasion"]
    return _numbered(listed.to_numpy().astype(str))


def _crossed(label: np.ndarray, pattern: Ints) -> Ints:
    """(u,) code of label and pattern together."""
    return _numbered(_numbered(label) * (int(pattern.max()) + 1) + pattern)


def _merged(stratum: Ints, label: Ints) -> tuple[Ints, Ints]:
    """Strata with one unit joined to a neighbour, of the same declared stratum if there is one; those units.

    Parameters:
        stratum: (u,). label: (u,) code of the declared stratum.
    """
    size = np.bincount(stratum)
    alone = np.flatnonzero((size == 1)[stratum])
    if not alone.size or size.size == 1:
        return stratum, alone[:0]
    named = np.zeros(size.size, dtype=np.int64)
    named[stratum] = label
    target = np.arange(size.size)
    for code in np.flatnonzero(size == 1):
        if size[target[code]] > 1:
            continue
        others = [k for k in (code + 1, code - 1) if 0 <= k < size.size]
        kin = next((k for k in others if named[k] == named[code]), others[0])
        joined = target[kin]
        size[joined] += size[target[code]]
        target[target == target[code]] = joined
    return _numbered(target[stratum]), alone


def _moved(units: int) -> Note:
    return note(
        "N-STRATUM-MOVED",
        f"{units} units lie in more than one stratum; the first one is used.",
        f"有 {units} 个抽样单元出现在多个层中，按其首个层处理。",
    )
