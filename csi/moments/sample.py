"""From a panel or a frame to rows ready for counting: items, cells, weights, resampling units, absences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
import polars as pl

from csi.errors import Note, Problem, Problems, did_you_mean, note, problem
from csi.moments.asked import check_within, codes_of, rows_asked, scale_of
from csi.moments.assembled import answers_of, assemble, bounds_of, check_columns, frame_of, with_design
from csi.moments.bare import bare_columns, bare_rows, sorting
from csi.moments.compiled import arranged
from csi.moments.doubts import code_notes, grid_notes, infinite_notes, never_together, skip_notes, unit_notes
from csi.moments.groups import cells_with_all_groups, with_groups
from csi.moments.raked import drawn_fractions, raking_of
from csi.moments.stack import Array, Ints, Missing, Sample
from csi.survey.panel import Panel
from csi.survey.weighing import Weighted


def sample_of(
    data: object,
    items: Sequence[str],
    by: Sequence[str] = (),
    *,
    missing: Missing = "listwise",
    weight: str | None = None,
    unit: str | None = None,
    stratum: str | None = None,
    fpc: str | None = None,
    na: Sequence[float] = (),
    scale: tuple[float, float] | None = None,
    where: Mapping[str, str] | None = None,
    group: str | None = None,
) -> Sample:
    """Rows of `items` grouped into cells by the key columns `by`.

    Parameters:
        data: a Panel (keys by role name) or a frame (polars, pandas, ... through narwhals).
        items: p item names.
        by: key columns that make cells, such as ("brand", "wave"); none for one cell.
        missing: "listwise" (rows with an absent answer leave, counted in a note); "pairwise", "mean", "em",
            "fiml" and "two-stage" keep them, and only rows without any answer leave.
        weight, unit, stratum: columns of a bare frame; a Panel brings its own.
        fpc: column with the finite population of each row's stratum (its units), or the fraction of it that was drawn.
        na: codes of a bare frame that mean "no answer". scale: (minimum, maximum) of a bare frame's items, which no
            answer may leave.
        where: keep only rows with these key values, such as {"wave": "2026Q3"}.
        group: column with the groups of a multi-group model, in order of first appearance.

    Returns:
        Sample sorted by cell, group, unit and answers.

    Raises:
        Problems: unknown or non-numeric items, answers outside the scale, bad weights, no rows left, a group without
            rows.

    Example:
        >>> frame = pl.DataFrame({"q1": [1, 2, 9], "q2": [3, 4, 5]})
        >>> sample_of(frame, ["q1", "q2"], na=[9], scale=(1, 5)).rows.shape
        (2, 2)
    """
    na, scale, where = codes_of(na), scale_of(scale), rows_asked(where)
    weighing = data.weighing if isinstance(data, Panel | Weighted) else None
    frame, roles = frame_of(data, {"weight": weight, "unit": unit, "stratum": stratum, "fraction": fpc})
    if not (roles or by or where or group or isinstance(data, Panel)):
        bare = _bare(frame, tuple(items), missing, na, scale)
        if bare is not None:
            return bare
    keys = [*by, *where, *roles.values(), *([group] if group else [])]
    _check_groups(items, by)
    check_columns(frame, items, keys, roles.get("weight", ""))
    whole = drawn_fractions(frame.with_row_index("_place"), roles)
    frame, groups, said = with_groups(_chosen(whole, where), group)
    endless = infinite_notes(frame, items)
    frame = with_design(_numeric(frame, items, na), roles)
    if scale and not isinstance(data, Panel) and _leaves(frame, items, scale):
        check_within(items, answers_of(frame, items), *scale)
    complete, notes = _treat(frame, items, missing)
    if complete.height == 0:
        raise Problems([_no_rows(frame, items)])
    if isinstance(data, Panel):
        notes += skip_notes(data.reasons[frame["_place"].to_list()], items, missing)
    notes += [*grid_notes(frame["_rounded"]), *endless, *_silent_cells(frame, complete, items, by)]
    alone = complete["_unit"].null_count() if "unit" in roles else 0
    if alone < complete.height or not isinstance(data, Panel):
        notes += unit_notes(roles.get("unit", ""), alone, complete.height)
    complete, left = cells_with_all_groups(complete, by, groups)
    minimum, maximum = bounds_of(data, items, scale)
    sample = assemble(complete, tuple(items), tuple(by), missing, [*said, *notes, *left], (minimum, maximum), data)
    if not isinstance(data, Panel):
        sample = replace(sample, notes=(*sample.notes, *code_notes(sample.names, sample.rows)))
    if weighing is not None and roles.get("weight") == "weight":
        nested = isinstance(data, Panel) and "cluster" in frame.columns
        sample = replace(sample, raking=raking_of(weighing, with_design(whole, roles), by, sample, nested=nested))
    return replace(sample, groups=groups) if group else replace(sample, group=None)


def _bare(
    frame: pl.DataFrame,
    items: tuple[str, ...],
    missing: Missing,
    na: Sequence[float],
    scale: tuple[float, float] | None,
) -> Sample | None:
    """A sample without cells, design or groups, by array operations alone; None where something must be told first."""
    if not frame.height:
        return None
    low, high = scale or (np.nan, np.nan)
    known = None if len(na) else arranged(frame, items)
    if known is None:
        columns = bare_columns(frame, items)
        read = None if columns is None else bare_rows(columns, na)
        if read is None or (missing == "mean" and np.isnan(read).any()):
            return None
        if scale:
            check_within(items, read, low, high)
        place, notes = _kept(read, missing)
        rows, ends = read[place], None
    else:
        (rows, place, ends), notes = known, ()
        if scale:
            check_within(items, ends, low, high, whole=rows)
    if not place.size:
        return None
    n = place.size
    return Sample(
        names=items,
        rows=rows,
        weight=np.ones(n),
        cell=np.zeros(n, dtype=np.int64),
        unit=np.arange(n, dtype=np.int64),
        stratum=np.zeros(n, dtype=np.int64),
        cells=_one_cell(n).clone(),
        minimum=np.full(len(items), float(low)),
        maximum=np.full(len(items), float(high)),
        missing=missing,
        notes=(*notes, *code_notes(items, rows, ends)),
        place=place,
    )


def _kept(rows: Array, missing: Missing) -> tuple[Ints, tuple[Note, ...]]:
    """The rows that stay under the treatment of absent answers, sorted; what is said of the rest."""
    absent = np.isnan(rows)
    if not absent.any():
        return sorting(rows), ()
    touched, empty = absent.any(axis=1), absent.all(axis=1)
    place = np.flatnonzero(~(touched if missing == "listwise" else empty))
    return place[sorting(rows[place])], _told(missing, int(touched.sum()), len(rows), int(empty.sum()))


@lru_cache(maxsize=64)
def _one_cell(n: int) -> pl.DataFrame:
    """The `cells` of a sample without key columns."""
    return pl.Series("n", [n], dtype=pl.Int64).to_frame()


def regroup(sample: Sample, by: Sequence[str]) -> Sample:
    """The same rows, units and strata with coarser cells: those that share the key columns `by` become one.

    Example:
        >>> frame = pl.DataFrame({"q1": [1, 2, 4], "b": ["x", "y", "y"]})
        >>> regroup(sample_of(frame, ["q1"], by=["b"]), []).cells["n"].to_list()
        [3]
    """
    keys = sample.cells.select(list(by)) if by else pl.DataFrame({"": [0] * sample.cells.height})
    groups = keys.unique(maintain_order=True)
    group_of = keys.join(groups.with_row_index("group"), on=keys.columns, how="left", maintain_order="left")["group"]
    cell = group_of.to_numpy().astype(np.int64)[sample.cell]
    order = np.lexsort((cell,) if sample.group is None else (sample.group, cell))
    counts = np.bincount(cell, minlength=groups.height)
    cells = groups.with_columns(pl.Series("n", counts)).select([*by, "n"])
    return replace(
        sample,
        rows=sample.rows[order],
        weight=sample.weight[order],
        cell=cell[order],
        unit=sample.unit[order],
        cells=cells,
        group=None if sample.group is None else sample.group[order],
        place=None if sample.place is None else sample.place[order],
    )


def select(sample: Sample, keep: Sequence[bool]) -> Sample:
    """Only the cells where `keep` is true; units and strata stay as they are, so that resampling stays joint.

    Example:
        >>> frame = pl.DataFrame({"q1": [1, 2, 4], "b": ["x", "y", "y"]})
        >>> select(sample_of(frame, ["q1"], by=["b"]), [False, True]).rows.ravel().tolist()
        [2.0, 4.0]
    """
    kept = np.asarray(keep, dtype=bool)
    rows = kept[sample.cell]
    renumbered = np.cumsum(kept) - 1
    return replace(
        sample,
        rows=sample.rows[rows],
        weight=sample.weight[rows],
        cell=renumbered[sample.cell[rows]].astype(np.int64),
        unit=sample.unit[rows],
        cells=sample.cells.filter(pl.Series(kept)),
        group=None if sample.group is None else sample.group[rows],
        place=None if sample.place is None else sample.place[rows],
    )


def _chosen(frame: pl.DataFrame, where: Mapping[str, str]) -> pl.DataFrame:
    """The rows with these key values.

    Raises:
        Problems: a value that no row has, with the closest one.
    """
    problems = []
    for key, value in where.items():
        have = frame[key].cast(pl.String).unique().drop_nulls().to_list()
        if value not in have:
            hint = did_you_mean(value, have)
            en, zh = f'no row has {key} "{value}".', f"没有 {key} 为“{value}”的行。"
            problems.append(problem("E-WHERE", "where", en, zh, hint.en, hint.zh))
    if problems:
        raise Problems(problems)
    return frame.filter(*(pl.col(key).cast(pl.String) == value for key, value in where.items())) if where else frame


def _silent_cells(frame: pl.DataFrame, complete: pl.DataFrame, items: Sequence[str], by: Sequence[str]) -> list[Note]:
    """A note for every cell that lost all its rows, with the items nobody answered there."""
    if not by:
        return []
    keys = [pl.col(k).cast(pl.String) for k in by]
    left = complete.select(keys).unique()
    lost = frame.select(*keys, *(pl.col(i).is_null().alias(i) for i in items)).join(
        left, on=list(by), how="anti", nulls_equal=True
    )
    notes = []
    for cell in lost.partition_by(list(by), maintain_order=True):
        key = cell.select(by).row(0)
        named, named_zh = (
            " ".join(absent if v is None else str(v) for v in key) for absent in ("(absent)", "（缺失）")
        )
        silent = [i for i in items if cell[i].all()]
        en = f"{named}: none of its {cell.height} rows is complete" + (f" ({', '.join(silent)})" if silent else "")
        zh = f"{named_zh}：{cell.height} 行中没有完整的行" + (f"（{'、'.join(silent)} 无人作答）" if silent else "")
        notes.append(note("W-CELL-EMPTY", f"{en}, so this cell has no result.", f"{zh}，该单元没有结果。"))
    return notes


def _check_groups(items: Sequence[str], by: Sequence[str]) -> None:
    """No column is an item and makes groups at once."""
    both = [name for name in dict.fromkeys(by) if name in items]
    en = "it is an item of the model, so it cannot also make the groups: within a group it would not vary."
    zh = "它是模型的题项，不能同时用来分组：组内它不再变化。"
    do = "Group by another column, or by a copy of it with few classes and take the item out of the model."
    do_zh = "请用其他列分组；或将其归并为少数类别的副本用于分组，并将该题项移出模型。"
    if both:
        raise Problems([problem("E-SETTING", f'by = "{name}"', en, zh, do, do_zh) for name in both])


def _numeric(frame: pl.DataFrame, items: Sequence[str], na: Sequence[float]) -> pl.DataFrame:
    """Items with the codes `na` and non-finite entries turned into null; whole numbers keep their small type."""
    codes = [float(c) for c in na]
    whole = [] if codes else [i for i in items if frame.schema[i].is_integer()]
    rest = [i for i in items if i not in set(whole)]
    frame = frame.with_columns([pl.col(name).cast(pl.Float64).alias(name) for name in rest])
    absent = [pl.when(pl.col(i).is_finite() & ~pl.col(i).is_in(codes)).then(pl.col(i)).alias(i) for i in rest]
    return frame.with_columns(absent)


def _leaves(frame: pl.DataFrame, items: Sequence[str], scale: tuple[float, float]) -> bool:
    """Whether any answer is outside the scale."""
    columns = [frame[i] for i in dict.fromkeys(items)]
    low, high = ([getattr(c, end)() for c in columns] for end in ("min", "max"))
    return any(x is not None and x < scale[0] for x in low) or any(x is not None and x > scale[1] for x in high)


def _treat(frame: pl.DataFrame, items: Sequence[str], missing: Missing) -> tuple[pl.DataFrame, list[Note]]:
    """Rows to keep under the treatment of absent answers, and what to say about it."""
    absent = pl.any_horizontal(pl.col(items).is_null())
    rows = frame.filter(absent).height
    if rows == 0:
        return frame, []
    silent = pl.all_horizontal(pl.col(items).is_null())
    notes = [*_told(missing, rows, frame.height, frame.filter(silent).height)]
    notes += never_together(frame, items) if missing == "mean" else ()
    return frame.filter(~(absent if missing == "listwise" else silent)), notes


def _told(missing: Missing, rows: int, of: int, silent: int) -> tuple[Note, ...]:
    """What is said about `rows` rows of `of` that have an absent answer, `silent` of them without any answer."""
    if not rows:
        return ()
    if missing == "listwise":
        en = f"{rows} of {of} rows have an absent answer and are left out (listwise)."
        return (note("N-LISTWISE", en, f"{of} 行中有 {rows} 行含缺失，已按行删除。"),)
    label = _TREATMENTS[missing]
    en = f"{rows} of {of} rows have an absent answer; treated by {label[0]}"
    en += f"; {silent} of them have no answer at all and are left out." if silent else "."
    zh = f"{of} 行中有 {rows} 行含缺失，按{label[1]}处理"
    zh += f"；其中 {silent} 行完全没有作答，已删除。" if silent else "。"
    return (note("N-MISSING", en, zh),)


_TREATMENTS = {
    "pairwise": ("pairwise moments", "成对计算"),
    "mean": ("mean replacement", "均值替换"),
    "em": ("moments by maximum likelihood (EM)", "EM 算法估计的极大似然矩"),
    "fiml": ("full information maximum likelihood", "全信息极大似然法"),
    "two-stage": (
        "the two-stage method (saturated moments by maximum likelihood)",
        "两阶段法（先以极大似然估计饱和矩）",
    ),
}


def _no_rows(frame: pl.DataFrame, items: Sequence[str]) -> Problem:
    """No row is complete: name the items nobody answered, if that is why."""
    silent = [i for i in items if frame[i].null_count() == frame.height] if frame.height else []
    if silent:
        listed = ", ".join(silent)
        return problem(
            "E-EMPTY",
            f"item {listed}" if len(silent) == 1 else f"items {listed}",
            f"none of the {frame.height} rows has an answer, so no row is complete.",
            f"{frame.height} 行中无人作答，因此没有完整的行。",
            "Take the item out of the model, or check its column and its missing codes.",
            "请将该题项移出模型，或检查其列名与缺失值编码。",
        )
    return problem(
        "E-EMPTY",
        "data",
        f"no row is left to analyse ({frame.height} before absent answers were treated).",
        f"没有可供分析的行（处理缺失之前为 {frame.height} 行）。",
        'Keep incomplete rows, or check the missing codes. With csi.SEM: missing="fiml" or "two-stage" for ML and MLR,'
        ' "pairwise" for ordinal items; with composites (csi.PLS and others): "em", "pairwise" or "mean".',
        '请保留不完整的行，或检查缺失值编码。csi.SEM：ML 与 MLR 可用 missing="fiml" 或 "two-stage"，'
        '有序题项可用 "pairwise"；合成变量方法（csi.PLS 等）：可用 "em"、"pairwise" 或 "mean"。',
    )
