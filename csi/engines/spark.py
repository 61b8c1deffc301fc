"""Answers in a Spark frame: every executor sums its own rows by `mapInArrow`, and only the sums of cells come back.

The sums are those of `csi.moments.stream_batch`, so what a cluster finds has the same bits as the local pass over the
same rows. Executors need csi and its dependencies installed; `PYSPARK_PYTHON` names their interpreter.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
import polars as pl

from csi.errors import MissingPackage, Problem, Problems, did_you_mean, problem
from csi.moments.stream_batch import total
from csi.moments.streamed import Task, Weights, repeated_problem
from csi.moments.sums import CellSums
from csi.survey.cells import shown
from csi.survey.codebook import Codebook
from csi.survey.columns import column_of
from csi.survey.datafile import DataFile
from csi.survey.panel import Source as Origin

SCHEMA: Final = "cells string, limbs binary, facts binary"
"""What a partition sends: names of its cells, their sums, and counts of its items."""
WHOLE: Final = ("tinyint", "smallint", "int", "bigint", "boolean")
INSTALL: Final = 'Spark frames need pyspark and pyarrow: pip install "csi[spark]"'


@dataclass(frozen=True, slots=True)
class SparkRows:
    """Rows of a Spark frame.

    Attributes:
        frame: the frame. columns: study name -> column. kinds: study name -> Spark's type. roles: keys there are.
        constants: keys that are the same in all rows. fastest: rows that took fewer seconds are left out.
    """

    frame: Any
    columns: Mapping[str, str]
    kinds: Mapping[str, str]
    roles: tuple[str, ...]
    constants: Mapping[str, str]
    fastest: float = 0.0

    @property
    def place(self) -> str:
        """Its name in messages."""
        return "spark"

    def fractions(self, item: str) -> bool:
        """Whether a column may hold fractions."""
        return self.kinds[item] not in WHOLE

    def weights(self, where: Mapping[str, str]) -> Weights:
        """The weights of the rows with these key values."""
        from pyspark.sql import functions as sql  # optional: only where a frame of it was given

        chosen = self._chosen(where).select(sql.col(self._quoted("weight")).cast("double").alias("w"))
        good = sql.col("w").isNotNull() & (sql.col("w") > 0) & (sql.col("w") < float("inf"))
        known = sql.when(good, sql.col("w"))
        rows, sums, largest, count = chosen.agg(
            sql.count(sql.lit(1)), sql.sum(known), sql.max(known), sql.count(known)
        ).collect()[0]
        return Weights(int(rows), float(sums or 0.0), float(largest or 0.0), int(rows) - int(count))

    def sums(self, task: Task) -> CellSums:
        """The sums of one pass on the cluster."""
        from pyspark.sql import functions as sql  # optional: only where a frame of it was given

        given = [sql.col(self._quoted(n)).alias(n) for n in task.names if n in self.columns]
        given += [sql.lit(self.constants[n]).alias(n) for n in task.names if n in self.constants]
        parts = self._chosen(task.where).select(*given).mapInArrow(partial(_partition, task), SCHEMA)
        few = parts.repartition(FEW).mapInArrow(partial(_gathered, task), SCHEMA)
        return total([task.tally().sums(), *(_unpacked(task, *row) for row in few.collect())])

    def coded(self, codes: Mapping[str, Sequence[float]], where: Mapping[str, str]) -> dict[str, int]:
        """How many answers to each item are one of its codes."""
        from pyspark.sql import functions as sql  # optional: only where a frame of it was given

        names = [n for n in codes if n in self.columns]
        hits = [sql.col(self._quoted(n)).cast("double").isin([*codes[n]]) for n in names]
        counts = [sql.sum(sql.when(hit, 1).otherwise(0)) for hit in hits]
        row = self._chosen(where).agg(*counts).collect()[0] if counts else ()
        return {n: int(many or 0) for n, many in zip(names, row, strict=True)}

    def repeated(self, keys: Sequence[str]) -> list[Problem]:
        """Who answers twice under these keys."""
        from pyspark.sql import functions as sql  # optional: only where a frame of it was given

        names = [key for key in keys if key in self.columns]
        texts = [sql.trim(sql.col(self._quoted(n)).cast("string")).alias(n) for n in names]
        rows = (
            self.frame.select(*texts).replace("", None).dropna().groupBy(*names).agg(sql.count(sql.lit(1)).alias("_n"))
        )
        again = rows.filter(sql.col("_n") > 1)
        few = again.limit(5).collect()
        if not few:
            return []
        said = [(" / ".join(shown(row[n]) for n in names), row["_n"]) for row in few]
        listed, listed_zh = (
            "; ".join(f"{w} ({n} rows)" for w, n in said),
            "；".join(f"{w}（{n} 行）" for w, n in said),
        )
        return [repeated_problem("spark", names, again.count(), (listed, listed_zh))]

    def words(self, codes: Mapping[str, Sequence[str]]) -> list[Problem]:
        """Columns of items are numeric here, so there is no text in them."""
        return [p for p in (self._text(name) for name in codes) if p is not None]

    def _text(self, name: str) -> Problem | None:
        return None if _numeric(self.kinds[name]) else _no_number(self.columns[name], self.kinds[name])

    def outside(self, task: Task) -> list[Problem]:
        """Which answers lie outside their scale."""
        from pyspark.sql import functions as sql  # optional: only where a frame of it was given

        found = []
        for one in task.codings:
            x = sql.col(self._quoted(one.name)).cast("double")
            bad = ((x < one.low) | (x > one.high)) & ~x.isin([*one.codes, float("nan")])
            rows = self._chosen(task.where).filter(bad).select(x).distinct().limit(6).collect()
            if rows:
                scale = f"{one.low:g}-{one.high:g}"
                en, zh = f"outside its scale {scale}", f"超出量表范围 {scale}"
                found.append(self._values("E-RANGE", one.name, en, zh, [f"{row[0]:g}" for row in rows]))
        return found

    def blank(self, key: str) -> list[Problem]:
        """That rows have a blank key."""
        en, zh = f"{key} is blank in some rows.", f"部分行的 {key} 为空。"
        do, do_zh = "Fill in the cells or filter the frame.", "请补全，或先筛选数据。"
        return [problem("E-KEY", f"spark, column {self.columns.get(key, key)}", en, zh, do, do_zh)]

    def heavy(self, where: Mapping[str, str]) -> list[Problem]:
        """That weights are no positive numbers."""
        bad = self.weights(where).bad
        en, zh = f"{bad} weights are not positive numbers.", f"{bad} 个权重不是正数。"
        do = "Correct them, or leave out the key `weight` to weigh all respondents alike."
        do_zh = "请更正；如各受访者等权，请删去关键列 weight。"
        return [problem("E-WEIGHT", f"spark, column {self.columns['weight']}", en, zh, do, do_zh)]

    def origins(self) -> tuple[Origin, ...]:
        """What was read; a frame of a cluster has no hash."""
        used = tuple(dict.fromkeys(self.columns.values()))
        return (Origin("spark", "", 0, used, tuple(c for c in self.frame.columns if c not in used)),)

    def _quoted(self, name: str) -> str:
        return f"`{self.columns[name]}`"

    def _chosen(self, where: Mapping[str, str]) -> Any:  # noqa: ANN401 - a frame of pyspark
        """The rows with these key values that took long enough."""
        from pyspark.sql import functions as sql  # optional: only where a frame of it was given

        frame = self.frame
        for key, value in where.items():
            same = sql.trim(sql.col(self._quoted(key)).cast("string")) == value if key in self.columns else None
            frame = frame.filter(sql.lit(self.constants[key] == value) if same is None else same)
        if self.fastest and "duration" in self.columns:
            seconds = sql.col(self._quoted("duration")).cast("double")
            frame = frame.filter(seconds.isNull() | (seconds >= self.fastest))
        return frame

    def _values(self, code: str, name: str, en: str, zh: str, values: list[str]) -> Problem:
        few = ", ".join(shown(v) for v in values[:5])
        do, do_zh = "Declare the code in the codebook, or correct it.", "请在编码簿中声明该代码，或更正。"
        place = f"spark, column {self.columns[name]}"
        return problem(
            code, place, f"answers to {name} are {en}: {few}.", f"题项 {name} 的回答{zh}：{few}。", do, do_zh
        )


FEW: Final = 8
"""Partitions in which the sums of all others are added before they come here."""


def _partition(task: Task, batches: Iterator[Any]) -> Iterator[Any]:
    """The sums of one partition, on an executor."""
    yield _packed(task.of(_arrow(b) for b in batches))


def _gathered(task: Task, batches: Iterator[Any]) -> Iterator[Any]:
    """The sums of several partitions as one."""
    rows = [row for batch in batches for row in zip(*(batch.column(k).to_pylist() for k in range(3)), strict=True)]
    if rows:
        yield _packed(total([_unpacked(task, *row) for row in rows]))


def _arrow(batch: Any) -> pl.DataFrame:  # noqa: ANN401 - a batch of pyarrow
    """A batch as a frame, without a copy; text of numbers as numbers."""
    frame = pl.from_arrow(batch)
    if not isinstance(frame, pl.DataFrame):
        raise TypeError("a batch of Arrow is a frame")
    return frame


def _packed(sums: CellSums) -> Any:  # noqa: ANN401 - a batch of pyarrow
    import pyarrow as pa  # optional: on executors of Spark

    facts = np.concatenate([sums.absent.astype(np.float64), sums.outside.astype(np.float64), sums.rounded])
    columns = [[json.dumps(sums.cells)], [sums.limbs.tobytes()], [facts.tobytes()]]
    kinds = [pa.string(), pa.binary(), pa.binary()]
    arrays = [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, names=["cells", "limbs", "facts"])


def _unpacked(task: Task, cells: str, limbs: bytes, facts: bytes) -> CellSums:
    """What `_packed` sent."""
    tally, p = task.tally(), len(task.codings)
    named = [tuple(cell) for cell in json.loads(cells)]
    tally.cells = {cell: k for k, cell in enumerate(named)}
    tally.limbs = np.frombuffer(limbs, dtype=np.int64).reshape(len(named), *tally.limbs.shape[1:])
    numbers = np.frombuffer(facts)
    tally.counts = numbers[: 2 * p].reshape(2, p).T.astype(np.int64)
    tally.rounded = numbers[2 * p :].copy()
    return tally.sums()


def is_spark(source: object) -> bool:
    """Whether a value is a frame of pyspark, told without loading it.

    Example:
        >>> is_spark(pl.DataFrame())
        False
    """
    return type(source).__module__.startswith("pyspark.sql") and hasattr(source, "mapInArrow")


def table_of(name: str) -> Any:  # noqa: ANN401 - a frame of pyspark
    """A table of the Spark session that is running, or that starts with this machine's settings.

    Raises:
        MissingPackage: pyspark is not installed. Problems: E-STREAM, there is no such table.
    """
    try:
        from pyspark.errors import AnalysisException  # optional: a study names a table
        from pyspark.sql import SparkSession  # optional: a study names a table
    except ImportError:
        raise MissingPackage(INSTALL) from None
    try:
        return SparkSession.builder.getOrCreate().table(name)
    except AnalysisException as error:
        said = str(error).splitlines()[0][:160]
        do, do_zh = "Check its name in the session's catalogue.", "请检查会话目录中的表名。"
        raise Problems([problem("E-STREAM", f"spark: {name}", f"{said}", f"{said}", do, do_zh)]) from None


def spark_rows(
    frame: Any,  # noqa: ANN401 - a frame of pyspark
    codebook: Codebook,
    roles: Sequence[str],
    file: DataFile,
    fastest: float = 0.0,
) -> SparkRows:
    """A frame of pyspark as a source of rows.

    Raises:
        Problems: columns that are not there, items that can hold no numbers. MissingPackage: pyarrow is not installed.
    """
    _check_installed()
    constants = {r: v for r, v in (("wave", file.wave), ("brand", file.brand)) if v}
    wanted = {n: column_of(n, codebook, file) for n in (*roles, *codebook.names) if n not in constants}
    kinds, found = dict(frame.dtypes), []
    for name, column in wanted.items():
        if column not in kinds:
            hint = did_you_mean(column, list(kinds))
            found.append(problem("E-COLUMN", "spark", f'no column "{column}" (needed for {name}).',
                                 f"没有“{column}”列（{name} 需要）。", hint.en, hint.zh))  # fmt: skip
        elif name in codebook.names and not _numeric(kinds[column]):
            found.append(_no_number(column, kinds[column]))
    if found:
        raise Problems(found)
    return SparkRows(frame, wanted, {n: kinds[c] for n, c in wanted.items()}, tuple(roles), constants, fastest)


def _no_number(column: str, kind: str) -> Problem:
    en, zh = f"an item must be numeric, this column is {kind}.", f"题项必须为数值，此列类型为 {kind}。"
    do, do_zh = "Cast it in the frame, for example to tinyint.", "请先在数据中转换类型，例如 tinyint。"
    return problem("E-TYPE", f"spark, column {column}", en, zh, do, do_zh)


def _numeric(kind: str) -> bool:
    return kind in {*WHOLE, "float", "double"} or kind.startswith("decimal")


def _check_installed() -> None:
    if find_spec("pyarrow") is None:
        raise MissingPackage(INSTALL)
