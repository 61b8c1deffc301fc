"""What respondents who answered in two waves bring to a test of change: their covariance, and how much it saves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Text, note
from csi.moments.stack import Ints, Sample
from csi.survey.bases import SMALL
from csi.tracking.cell_pairs import places_of
from csi.tracking.classes import rows_of
from csi.tracking.contrasts import construct_place, joint_covariance
from csi.tracking.index import Index
from csi.tracking.show import shown
from csi.tracking.waves import wave_order


@dataclass(frozen=True, slots=True, repr=False)
class Overlap(Shown):
    """Covariances of neighbouring waves.

    Attributes:
        table: key columns, wave, reference (the wave before), n_before, n, common (resampling units, respondents as a
            rule, with rows in both), correlation (of the two indices' sampling errors), std_error (of the change),
            std_error_apart (what it would be were the waves independent), saved (1 - std_error^2 / std_error_apart^2:
            below 0 where the covariance is negative), reason and reason_zh.

    Example:
        >>> import csi
        >>> rows = {"id": [1, 2, 3, 4] * 2, "a": [1, 4, 7, 9, 3, 5, 9, 9], "wave": ["1"] * 4 + ["2"] * 4}
        >>> frame = pl.DataFrame(rows).with_columns(b="a")
        >>> model = csi.Model.parse("use =~ a" + chr(10) + "joy =~ b" + chr(10) + "joy ~ use")
        >>> est = csi.fit(model, frame, csi.PLS(), by=["wave"], scale=(1, 10), unit="id")
        >>> overlap(csi.index(est), "joy", small=0).table["common"].to_list()
        [4]
    """

    table: pl.DataFrame
    construct: str
    notes: tuple[Note, ...] = ()


def overlap(
    index: Index, construct: str = "satisfaction", waves: Sequence[str] | None = None, small: int = SMALL
) -> Overlap:
    """`var(I_t) + var(I_s) - 2 cov(I_t, I_s)` of every change, beside the sum of the variances alone.

    Parameters:
        index: an index by wave. construct: whose. waves: their order. small: cells with fewer answers are not told.

    Raises:
        Problems: E-CONSTRUCT; E-SETTING for what is no index.

    Source:
        Kish (1965), Survey Sampling, 12.4: the variance of a change between overlapping samples.

    Example:
        >>> import csi
        >>> rows = {"id": [1, 2, 3, 4] * 2, "a": [1, 4, 7, 9, 3, 5, 9, 9], "wave": ["1"] * 4 + ["2"] * 4}
        >>> model = csi.Model.parse("use =~ a" + chr(10) + "joy =~ b" + chr(10) + "joy ~ use")
        >>> frame = pl.DataFrame(rows).with_columns(b="a")
        >>> made = csi.index(csi.fit(model, frame, csi.PLS(), by=["wave"], scale=(1, 10), unit="id"))
        >>> overlap(made, "joy", small=0).table["reference"].to_list()
        ['1']
    """
    j = construct_place(index, construct)
    order = tuple(waves) if waves else wave_order(index.cells) if "wave" in index.cells.columns else ()
    keys = [k for k in index.cells.columns if k != "n"]
    rows = []
    place = places_of(index) if order else {}
    for (*entity, wave), cell in place.items():
        at = order.index(str(wave))
        earlier = place.get((*entity, order[at - 1])) if at else None
        if earlier is not None:
            rows.append([*entity, str(wave), order[at - 1], *_row(index, j, cell, earlier, small)])
    schema = {**{k: pl.String() for k in [*(k for k in keys if k != "wave"), "wave", "reference"]}, **KINDS}
    table = pl.DataFrame(rows, schema, orient="row").with_columns(
        pl.col(name).fill_nan(None) for name, kind in KINDS.items() if kind == pl.Float64
    )
    return Overlap(table, index.constructs[j], _told(table))


KINDS = {
    "n_before": pl.Int64(), "n": pl.Int64(), "common": pl.Int64(), "correlation": pl.Float64(),
    "std_error": pl.Float64(), "std_error_apart": pl.Float64(), "saved": pl.Float64(), "reason": pl.String(),
    "reason_zh": pl.String(),
}  # fmt: skip


def _row(index: Index, construct: int, cell: int, earlier: int, small: int) -> list[object]:
    """The numbers of a change, or why there are none."""
    n = index.n_of(construct)
    both = None if index.sample is None else _common(index.sample, cell, earlier)
    head: list[object] = [int(n[earlier]), int(n[cell]), both]
    if min(n[cell], n[earlier]) < small:
        en, zh = f"fewer than {small} answers in a wave.", f"某一期样本量不足 {small}。"
        return [int(n[earlier]), int(n[cell]), None, *[None] * 4, en, zh]
    v = joint_covariance(index, construct, np.array([cell, earlier], dtype=np.int64))
    apart = v[0, 0] + v[1, 1]
    change = apart - 2.0 * v[0, 1]
    if not (np.isfinite(v).all() and apart > 0):
        return [*head, *[None] * 4, "no standard error.", "没有标准误。"]
    r = v[0, 1] / np.sqrt(v[0, 0] * v[1, 1]) if min(v[0, 0], v[1, 1]) > 0 else np.nan
    saved = 1.0 - change / apart
    return [*head, float(r), float(np.sqrt(max(change, 0.0))), float(np.sqrt(apart)), float(saved), None, None]


def _common(sample: Sample, cell: int, earlier: int) -> int:
    """Resampling units with rows in both cells."""
    one, other = (_units(sample, c) for c in (cell, earlier))
    return int(np.intersect1d(one, other).size)


def _units(sample: Sample, cell: int) -> Ints:
    return np.unique(sample.unit[rows_of(sample, cell)])


def _told(table: pl.DataFrame) -> tuple[Note, ...]:
    """What the shared respondents save."""
    told = table.filter(pl.col("saved").is_not_null() & (pl.col("common") > 0))
    if not told.height:
        return ()
    low, high = float(told["saved"].min()), float(told["saved"].max())  # type: ignore[arg-type]  # a column of numbers
    en = f"Because some answered in both waves, the variance of a change is {_percent(low)} to {_percent(high)} smaller"
    en += " than that of independent samples (negative: larger); the standard errors printed for changes contain it."
    zh = f"由于部分受访者两期均作答，变化的方差比独立样本小 {_percent(low)} 至 {_percent(high)}（负值为更大）；"
    return (note("N-OVERLAP", en, f"{zh}变化的标准误已计入。"),)


def _percent(share: float) -> str:
    return f"{share:.0%}"


@text.register
def _(value: Overlap, lang: str = "en") -> str:
    """The table and the notes."""
    return shown(Text("Overlap of waves", "各期重叠").say(lang), value.table, value.notes, lang)
