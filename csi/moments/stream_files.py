"""Streamed answers in Parquet files on this machine: threads over batches, or processes over parts of files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Final

import numpy as np
import polars as pl

from csi.errors import Problem, Text, problem
from csi.moments.stream_batch import total
from csi.moments.streamed import Task, Weights, repeated_problem, threaded
from csi.moments.sums import CellSums
from csi.survey.cells import clean, number, said
from csi.survey.panel import Source as Origin
from csi.survey.parquet_answers import BATCH, ROW, ParquetFile, batches, row_of, some_of
from csi.survey.parquet_footer import row_groups

PART: Final = 16 * BATCH
"""Rows of a part of a file that a process of a pool sums."""
CHUNK: Final = 1 << 24
HELD: Final = 1 << 24
"""Rows whose keys are looked through at a time for those who answer twice: 8 bytes of each are held."""


@dataclass(frozen=True, slots=True)
class Files:
    """Parquet files as one source of rows.

    Attributes:
        files: one after another. roles: the key columns they have. executor: takes parts of the files (any of
            `concurrent.futures`, or one that has its `map`); threads of this process without.
    """

    files: tuple[ParquetFile, ...]
    roles: tuple[str, ...]
    executor: Executor | None = None

    @property
    def place(self) -> str:
        """Names of the files."""
        return ", ".join(file.name for file in self.files)

    def fractions(self, item: str) -> bool:
        """Whether a column may hold fractions in one of the files."""
        kinds = [file.kinds[item] for file in self.files if item in file.kinds]
        return any(not (kind.is_integer() or kind in {pl.Boolean, pl.Null}) for kind in kinds)

    def weights(self, where: Mapping[str, str]) -> Weights:
        """The weights of the rows with these key values."""
        value = pl.col("weight").cast(pl.Float64)
        told = (pl.len(), value.count(), value.sum(), value.max(), value.min())
        plain = [row_of(file, ["weight"], where, [x.alias(str(k)) for k, x in enumerate(told)]) for file in self.files]
        if all(
            rows == count and np.isfinite(sums) and (not rows or least > 0) for rows, count, sums, _, least in plain
        ):
            rows, _, sums, largest, _ = zip(*plain, strict=True)
            return Weights(sum(rows), float(np.sum(sums)), max((v or 0.0 for v in largest), default=0.0), 0)
        known = value.is_finite() & (value > 0)
        held = value.filter(known)
        wanted = (
            pl.len().alias("rows"),
            held.sum().alias("total"),
            held.max().alias("largest"),
            known.sum().alias("good"),
        )
        found = [row_of(file, ["weight"], where, wanted) for file in self.files]
        rows, sums, largest, good = zip(*found, strict=True)
        return Weights(
            sum(rows), float(np.sum(sums)), max((v or 0.0 for v in largest), default=0.0), sum(rows) - sum(good)
        )

    def sums(self, task: Task) -> CellSums:
        """The sums of one pass over all files."""
        if self.executor is not None:
            return total([*self.executor.map(partial(_part, task), self._parts())])
        every = (batches(file, task.names, task.where) for file in self.files)
        return threaded(task, chain.from_iterable(every), pl.thread_pool_size())

    def _parts(self) -> Iterator[ParquetFile]:
        """The files in parts of whole row groups, about `PART` rows each."""
        for file in self.files:
            start = rows = 0
            groups = row_groups(file.path)
            for count in groups:
                rows += count
                if rows >= PART:
                    yield replace(file, start=start, rows=rows)
                    start, rows = start + rows, 0
            if rows or not groups:
                yield replace(file, start=start, rows=rows if groups else None)

    def coded(self, codes: Mapping[str, Sequence[float]], where: Mapping[str, str]) -> dict[str, int]:
        """How many answers to each item are one of its codes."""
        found = dict.fromkeys(codes, 0)
        for file in self.files:
            names = [n for n in codes if n in file.columns]
            wanted = [pl.col(n).cast(pl.Float64, strict=False).is_in(list(codes[n])).sum().alias(n) for n in names]
            for name, many in zip(names, row_of(file, names, where, wanted) if names else (), strict=True):
                found[name] += int(many or 0)
        return found

    def repeated(self, keys: Sequence[str]) -> list[Problem]:
        """Who answers twice under these keys, with rows. Hashes of `HELD` rows are held at a time."""
        text, named = _key_text(keys)
        every = [replace(file, fastest=0.0) for file in self.files]
        parts = max(1, -(-sum(sum(row_groups(file.path)) for file in every) // HELD))
        for part in range(parts):
            mine = named & (text.hash() % parts == part)
            found = [some_of(file, keys, [text.hash().alias("hash")], mine)["hash"] for file in every]
            hashes = np.sort(np.concatenate([one.to_numpy() for one in found]))
            again = np.unique(hashes[1:][hashes[1:] == hashes[:-1]])
            if again.size:
                few = text.hash().is_in(pl.Series(again[:64]).implode())
                wanted = [text.alias("who"), pl.col(ROW)]
                rows = [some_of(file, keys, wanted, named & few).with_columns(file=pl.lit(file.name)) for file in every]
                return _twice(pl.concat(rows), keys, again.size, several=len(every) > 1)
        return []

    def words(self, codes: Mapping[str, Sequence[str]]) -> list[Problem]:
        """Text in columns of items, with its rows; columns of numbers hold none."""
        return [p for file in self.files for p in words(file, codes)]

    def outside(self, task: Task) -> list[Problem]:
        """Which answers lie outside their scale, with their rows."""
        found = []
        for file in self.files:
            names = [c.name for c in task.codings if c.name in file.columns]
            frame = file.scan(names, task.where, numbered=True)
            for coding in (c for c in task.codings if c.name in file.columns):
                x = pl.col(coding.name).cast(pl.Float64)
                bad = x.is_finite() & ~x.is_in(list(coding.codes)) & ((x < coding.low) | (x > coding.high))
                rows = frame.filter(bad).select(ROW, coding.name)
                count = rows.select(pl.len()).collect().item()
                if count:
                    found.append(_outside(file, coding.name, count, rows.head(6).collect(), (coding.low, coding.high)))
        return found

    def blank(self, key: str) -> list[Problem]:
        """Which rows have a blank key."""
        text = pl.col(key).cast(pl.String).str.strip_chars(" \t\r\n\u3000")
        found = []
        for file in (f for f in self.files if key in f.columns):
            rows = file.scan([key], {}, numbered=True).filter(text.is_null() | (text == ""))
            listed = rows.head(6).collect()
            if listed.height:
                at, few = _group(file, listed[ROW]), ", ".join(str(r) for r in listed[ROW].head(5))
                en, zh = f"{key} is blank in rows {few} ({at.en}).", f"第 {few} 行的 {key} 为空（{at.zh}）。"
                do, do_zh = "Fill in the cells or remove the rows.", "请补全单元格或删去这些行。"
                found.append(problem("E-KEY", f"{file.name}, column {file.columns[key]}", en, zh, do, do_zh))
        return found

    def heavy(self, where: Mapping[str, str]) -> list[Problem]:
        """Which rows have no positive weight."""
        value = pl.col("weight").cast(pl.Float64)
        found = []
        for file in (f for f in self.files if "weight" in f.columns):
            bad = ~(value.is_finite() & (value > 0)).fill_null(value=False)
            rows = file.scan(["weight"], where, numbered=True).filter(bad)
            count, listed = rows.select(pl.len()).collect().item(), rows.head(6).collect()
            if count:
                shown, shown_zh = said(listed[ROW], listed["weight"])
                group = _group(file, listed[ROW])
                many = (
                    f"{count:,} weights are not positive numbers" if count > 1 else "1 weight is not a positive number"
                )
                en, zh = f"{many}: {shown} ({group.en}).", f"{count} 个权重不是正数：{shown_zh}（{group.zh}）。"
                do = "Correct them, or leave out the key `weight` to weigh all respondents alike."
                do_zh = "请更正；如各受访者等权，请删去关键列 weight。"
                found.append(problem("E-WEIGHT", f"{file.name}, column {file.columns['weight']}", en, zh, do, do_zh))
        return found

    def origins(self) -> tuple[Origin, ...]:
        """The files with their hashes, for the record."""
        return tuple(_origin(file) for file in self.files)


def _key_text(keys: Sequence[str]) -> tuple[pl.Expr, pl.Expr]:
    """The keys of a row as one text, and whether none of them is blank."""
    texts = [pl.col(key).cast(pl.String).str.strip_chars(" \t\r\n\u3000") for key in keys]
    return pl.concat_str(texts, separator=" / "), pl.all_horizontal(t.is_not_null() & (t != "") for t in texts)


def _twice(rows: pl.DataFrame, keys: Sequence[str], many: int, *, several: bool) -> list[Problem]:
    """The problem of those who answer twice, the first few with their rows."""
    groups = rows.group_by("who", maintain_order=True).agg("file", ROW).filter(pl.col(ROW).list.len() > 1)
    if groups.is_empty():
        return []
    few = groups.head(5).rows()
    at = [
        ", ".join(f"{f} {r}" if several else f"{r}" for f, r in zip(files[:4], n[:4], strict=True))
        for _, files, n in few
    ]
    listed = "; ".join(f"{who} (rows {a})" for (who, *_), a in zip(few, at, strict=True))
    listed_zh = "；".join(f"{who}（第 {a} 行）" for (who, *_), a in zip(few, at, strict=True))
    return [repeated_problem(few[0][1][0], keys, many, (listed, listed_zh))]


def _part(task: Task, file: ParquetFile) -> CellSums:
    """The sums of a part of a file, in a process of a pool."""
    return task.of(batches(file, task.names, task.where))


def _group(file: ParquetFile, rows: pl.Series) -> Text:
    """The row group in which the first of some rows stands."""
    first, start = int(rows[0]), 0
    for k, count in enumerate(row_groups(file.path), 1):
        start += count
        if first <= start:
            return Text(f"the first in row group {k}", f"首个位于行组 {k}")
    return Text("row groups unknown", "行组未知")


def _outside(file: ParquetFile, name: str, count: int, rows: pl.DataFrame, ends: tuple[float, float]) -> Problem:
    """Answers outside the scale of their item, with their rows."""
    listed, listed_zh = said(rows[ROW], rows[name])
    at, column = _group(file, rows[ROW]), file.columns[name]
    scale = f"{ends[0]:g}-{ends[1]:g}"
    many = f"{count:,} answers to {name} lie" if count > 1 else f"1 answer to {name} lies"
    en = f"{many} outside its scale {scale}: {listed} ({at.en})."
    zh = f"题项 {name} 有 {count} 个回答超出量表范围 {scale}：{listed_zh}（{at.zh}）。"
    do = "Declare the code as missing in the codebook, correct the scale, or set rules: out_of_range: missing."
    do_zh = "请在编码簿中把该代码声明为缺失，或更正量表，或设置 rules 中的 out_of_range: missing。"
    return problem("E-RANGE", f"{file.name}, column {column}", en, zh, do, do_zh)


def words(file: ParquetFile, codes: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    """Cells of text columns that are no numbers, blanks or codes of no answer.

    Parameters:
        codes: item -> its codes of no answer, as text.
    """
    for name, known in codes.items():
        if file.kinds.get(name) != pl.String:
            continue
        text = clean(pl.col(file.columns[name]))
        bad = text.is_not_null() & (text != "") & number(text).is_null() & ~text.is_in(list(known))
        frame = pl.scan_parquet(file.path, row_index_name=ROW, row_index_offset=1).filter(bad)
        count = frame.select(pl.len()).collect().item()
        if count:
            rows = frame.select(ROW, file.columns[name]).head(6).collect()
            listed, listed_zh = said(rows[ROW], rows[file.columns[name]])
            at = _group(file, rows[ROW])
            many = (
                f"{count:,} answers to {name} are not numbers" if count > 1 else f"1 answer to {name} is not a number"
            )
            en = f"{many}: {listed} ({at.en})."
            zh = f"题项 {name} 有 {count} 个回答不是数字：{listed_zh}（{at.zh}）。"
            do = "Declare them in the codebook, correct them, or set rules: not_a_number: missing."
            do_zh = "请在编码簿中声明，或更正，或设置 rules 中的 not_a_number: missing。"
            yield problem("E-NUMBER", f"{file.name}, column {file.columns[name]}", en, zh, do, do_zh)


def _origin(file: ParquetFile) -> Origin:
    digest = hashlib.sha256()
    with file.path.open("rb") as opened:
        while chunk := opened.read(CHUNK):
            digest.update(chunk)
    used = tuple(dict.fromkeys(file.columns.values()))
    unused = tuple(c for c in pl.scan_parquet(file.path).collect_schema() if c not in used)
    return Origin(file.name, digest.hexdigest(), sum(row_groups(file.path)), used, unused)
