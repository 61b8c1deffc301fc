"""Rows that share a unit: which standard errors know it, and when there are too few units for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl

from csi.errors import Note, Problem, note, problem
from csi.moments.stack import Ints, Moments
from csi.sem.method import Method

ROBUST = {"robust.huber.white", "robust.two.stage"}
"""Standard errors that sum casewise scores over clusters before they square them."""


def counts_of(groups: Sequence[Moments]) -> tuple[Ints, Ints]:
    """(c, g) rows and (c, g) distinct units of each cell and group; empty where there are no rows.

    Example:
        >>> from csi.moments.stack import RowPass
        >>> from dataclasses import replace
        >>> rows = RowPass((np.zeros((3, 1)),), (np.ones((1, 3)),), (np.array([7, 7, 9]),))
        >>> [x.tolist() for x in counts_of((replace(Moments.of(["a"], [[1.0]], n=3), rows=rows),))]
        [[[3]], [[2]]]
    """
    passed = [group.rows for group in groups if group.rows is not None]
    rows = np.array([[u.size for u in one.units] for one in passed], dtype=np.int64).T
    units = np.array([[_distinct(u) for u in one.units] for one in passed], dtype=np.int64).T
    return rows, units


def _distinct(units: Ints) -> int:
    """How many different units there are.

    Example:
        >>> _distinct(np.array([3, 5, 8])), _distinct(np.array([8, 3, 8]))
        (3, 2)
    """
    if (units[1:] > units[:-1]).all():  # as they mostly come
        return int(units.size)
    return int(np.unique(units).size)


def alone(groups: Sequence[Moments], method: Method) -> list[Problem]:
    """A problem where cluster-robust standard errors are asked for and every cell has a single cluster in a group."""
    if not _clustered(method):
        return []
    lone = _alone(*counts_of(groups))
    if not lone.size or not lone.all():
        return []
    en = "all rows come from one cluster; cluster-robust standard errors need two, and better fifty or more."
    zh = "所有行同属一个聚类；聚类稳健标准误至少需要两个聚类，最好五十个以上。"
    do, do_zh = "Name the column of the clusters, or leave unit= out.", "请指定聚类所在的列，或去掉 unit=。"
    return [problem("E-CLUSTERS", "unit", en, zh, do, do_zh)]


def cluster_notes(
    groups: Sequence[Moments], method: Method, cells: pl.DataFrame, free: int, *, ordinal: bool = False
) -> tuple[Note, ...]:
    """What a reader must know where rows share units.

    Parameters:
        groups: the moments of each group with their rows. cells: key columns of the cells. free: number of working
            parameters. ordinal: no estimator of ordinal items knows clusters.
    """
    rows, units = counts_of(groups)
    if not (units < rows).any() or method.se == "none":
        return ()
    if method.se not in ROBUST:
        return (_unknown(int(rows.sum()), int(units.sum()), ordinal=ordinal),)
    lone, count = _alone(rows, units), units.sum(axis=1)
    found = [_lone(_named(cells, np.flatnonzero(lone)))] if lone.any() else []
    few = ~lone & (count < free) & (units < rows).any(axis=1)
    return (*found, *([_few(int(count[few].min()), free)] if few.any() else []))


def _clustered(method: Method) -> bool:
    """Whether casewise scores are summed over clusters, for standard errors or the test."""
    return method.se in ROBUST | {"first.order"} or method.test.startswith("yuan")


def _alone(rows: Ints, units: Ints) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """(c,) True where a group of a cell has many rows of one unit."""
    return np.asarray(((units == 1) & (rows > 1)).any(axis=1)) if rows.size else np.zeros(0, dtype=bool)


def _named(cells: pl.DataFrame, at: Iterable[int]) -> list[str]:
    """Key values of some cells."""
    keys = cells.select(pl.exclude("n"))
    return [" ".join(str(v) for v in keys.row(int(i))) for i in at]


def _unknown(rows: int, units: int, *, ordinal: bool) -> Note:
    """Standard errors that take every row for a unit of its own."""
    way = "csi.bootstrap does" if ordinal else 'estimator="MLR" or csi.bootstrap do'
    way_zh = "csi.bootstrap" if ordinal else ' estimator="MLR" 或 csi.bootstrap'
    many = "1 unit (cluster)" if units == 1 else f"{units} units (clusters)"
    en = f"{rows} rows come from {many}, and these standard errors do not know it ({way})."
    zh = f"{rows} 行来自 {units} 个抽样单元（聚类），而该估计方法的标准误未考虑这一点（可改用{way_zh}）。"
    return note("N-CLUSTERS", en, zh)


def _lone(cells: list[str]) -> Note:
    """Cells without cluster-robust standard errors."""
    listed = ", ".join(cells[:3]) + (", ..." if len(cells) > 3 else "")
    en = f"{len(cells)} cells have a single cluster and thus no cluster-robust standard errors ({listed})."
    return note("N-CLUSTERS-ONE", en, f"{len(cells)} 个单元只有一个聚类，因此没有聚类稳健标准误（{listed}）。")


def _few(clusters: int, free: int) -> Note:
    """Fewer clusters than parameters: the middle of the sandwich is singular."""
    en = f"{clusters} clusters are fewer than the {free} free parameters; read standard errors and tests with care."
    zh = f"聚类数 {clusters} 少于自由参数个数 {free}，请谨慎解读标准误与校正检验。"
    return note("N-CLUSTERS-FEW", en, zh)
