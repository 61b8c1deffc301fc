"""One batch under way: every cell's record kept or made, block by block."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from csi.errors import CsiError, Problems, Reason, reason
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit_sample
from csi.moments.sample import sample_of
from csi.moments.stack import Ints, Sample
from csi.reporting.batch_cells import Marks, blocks_of, marks_of, part_of, sources_of
from csi.reporting.batch_records import Cell, Kept, added, kept_in, ordered, said_of_runs, say_runs
from csi.reporting.cell_marks import cell_marks
from csi.reporting.record import codebook_hash, data_hash, versions
from csi.reporting.soundness import bases_of, suppressed, unweighed
from csi.study.estimator import estimator_of
from csi.study.fitted import indexed, with_replicates
from csi.study.study import Study
from csi.survey.bases import Bases
from csi.survey.panel import Panel
from csi.tracking.index import Index

Tell = Callable[[int, int], None]
"""Told (done, all) after each block."""


@dataclass(frozen=True, slots=True)
class Ran:
    """The cells of a run with their records, and the numbers of those whose record is of an earlier run."""

    names: list[Cell]
    places: list[Kept]
    old: frozenset[int]


@dataclass(frozen=True, slots=True)
class Run:
    """One batch under way: rows in cells, what each cell depends on, where its record goes."""

    study: Study
    panel: Panel
    keys: list[str]
    folder: Path
    sample: Sample
    names: list[Cell]
    sources: list[Ints]
    marks: Marks
    name: str
    before: dict[Cell, Kept]
    answers: Mapping[Cell, Mapping[str, str]]

    @classmethod
    def of(cls, study: Study, panel: Panel, keys: list[str], folder: Path) -> Run:
        """Rows by cell, read and sorted once."""
        estimator = estimator_of(study.settings)
        sample = sample_of(panel, estimator.needs(study.model), keys, missing=estimator.missing)
        names: list[Cell] = list(sample.cells.select(keys).iter_rows()) if keys else [()]
        sources = sources_of(study, sample)
        marks = marks_of(study, panel, sample, sources)
        name = hashlib.sha256(json.dumps(marks.settings, sort_keys=True).encode()).hexdigest()[:16]
        return cls(
            study, panel, keys, folder, sample, names, sources, marks, name, kept_in(folder), _answers(panel, keys)
        )

    def all(self, tell: Tell, executor: Executor | None = None) -> Ran:
        """Every cell: records that are still right stay, the others are made block by block, here or by an executor."""
        self.say()
        count = len(self.names)
        found = {c: self.before[n] for c, n in enumerate(self.names) if self.right(c)}
        old = set(found)
        blocks = [*blocks_of([c for c in range(count) if c not in found], self.sources)]
        made = map(self.block, blocks) if executor is None else executor.map(_worked, map(self.only, blocks), blocks)
        for bodies in made:
            found |= dict(zip(bodies, added(self.folder, [*bodies.values()]), strict=True))
            tell(len(found), count)
        silent = self.silent()
        last = added(self.folder, silent) if silent else []
        lost: list[Cell] = [tuple(b["cell"].values()) for b in silent]
        names, places = [*self.names, *lost], [*(found[c] for c in range(count)), *last]
        ordered(self.folder, places)
        return Ran(names, places, frozenset(old))

    def only(self, cells: list[int]) -> Run:
        """What some cells need of the run: their rows and those that give their outer weights; numbers stay."""
        part = np.unique(np.concatenate([np.array(cells), self.sources[cells[0]]]).astype(np.int64))
        sample, here = self.sample, np.isin(self.sample.cell, part)
        n = pl.when(pl.int_range(pl.len()).is_in(part.tolist())).then("n").otherwise(0).alias("n")
        few = replace(
            sample,
            rows=sample.rows[here],
            weight=sample.weight[here],
            cell=sample.cell[here],
            unit=sample.unit[here],
            cells=sample.cells.with_columns(n),
            group=None if sample.group is None else sample.group[here],
            place=None if sample.place is None else sample.place[here],
        )
        panel = self.panel
        if self.study.settings.replicate_weights is None:
            panel = replace(
                panel, frame=panel.frame.clear(), reasons=panel.reasons.clear(), excluded=None, flagged=None
            )
        return replace(self, sample=few, panel=panel, before={})

    def say(self) -> None:
        """What all records of this run share, beside what earlier ones shared."""
        said = {
            "study": {"name": self.study.name, "sha256": self.study.sha256},
            "hashes": {
                "data": data_hash(self.panel),
                "codebook": codebook_hash(self.study.codebook),
                "files": {s.name: s.sha256 for s in self.panel.sources},
            },
            "rows": self.panel.frame.height,
            "seed": self.study.settings.seed,
            "settings": self.marks.settings,
            "versions": versions(),
        }
        used = {one.mark[0] for one in self.before.values()}
        runs = {name: run for name, run in said_of_runs(self.folder).items() if name in used}
        say_runs(self.folder, {**runs, self.name: said})

    def mark(self, c: int) -> tuple[str, str, str]:
        """What a cell's numbers come from."""
        return self.name, self.marks.data[c], self.marks.weights[c]

    def right(self, c: int) -> bool:
        """Whether the record at hand is of the same rows and settings; what failed is tried again."""
        one = self.before.get(self.names[c])
        return one is not None and one.mark == self.mark(c) and one.row["status"] != "failed"

    def block(self, cells: list[int]) -> dict[int, dict[str, Any]]:
        """The records of some cells; when they fail together, each half by itself."""
        try:
            return self.together(cells)
        except Exception as error:  # noqa: BLE001 - the promise of a batch: whatever happens to a cell, the others go on
            if len(cells) == 1:
                settings = self.study.settings
                rule = {"rule": settings.index_weights, "base": None, "scheme": estimator_of(settings).name}
                return {cells[0]: self.record(cells[0], "failed", rule, _reason(error))}
            half = len(cells) // 2
            return self.block(cells[:half]) | self.block(cells[half:])

    def together(self, cells: list[int]) -> dict[int, dict[str, Any]]:
        """The records of some cells from one stack of moments."""
        part = np.unique(np.concatenate([np.array(cells), self.sources[cells[0]]]).astype(np.int64))
        settings = self.study.settings
        few = part_of(self.sample, part, drawn=settings.index_errors == "bootstrap")
        est = fit_sample(self.study.model, few, estimator_of(settings))
        made = indexed(self.study, with_replicates(self.study, self.panel, est))
        place = {int(c): i for i, c in enumerate(part)}
        numbers = _Numbers.of(self, est, made)
        return {c: numbers.record(self, c, place[c]) for c in cells}

    def record(
        self, c: int, status: str, numbers: Mapping[str, object] | None = None, why: Reason | None = None
    ) -> dict[str, Any]:
        """The object of a cell's line."""
        cell = dict(zip(self.keys, self.names[c], strict=True))
        run, data, weights = self.mark(c)
        head = {"cell": cell, "status": status, "reason": _told(why), "n": int(self.sample.cells["n"][c])}
        told = self.answers.get(self.names[c], {})
        return {**head, "run": run, "data": data, "weights_of": weights, **told, **self.target(), **(numbers or {})}

    def target(self) -> dict[str, str]:
        """The construct whose index the tables show."""
        return {"target": self.study.settings.target}

    def silent(self) -> list[dict[str, Any]]:
        """The records of cells left aside, and of those without a single usable row."""
        found = []
        for one in self.panel.aside:
            first, more = one.problems[0], len(one.problems) - 1
            en = first.what.en + (f" And {more} more problems." if more else "")
            zh = first.what.zh + (f"另有 {more} 个问题。" if more else "")
            only = {"brand": self.panel.brands[0], "wave": self.panel.waves[0]}  # of a study that has no such key
            found.append((tuple(one.cell.get(k, only.get(k)) for k in self.keys), reason(first.code, en, zh)))
        if self.keys:
            here = self.panel.frame.select(pl.col(k).cast(pl.String) for k in self.keys).unique(maintain_order=True)
            lost = here.join(self.sample.cells, on=self.keys, how="anti", nulls_equal=True, maintain_order="left")
            none = reason("R-EMPTY", "none of its rows is complete.", "没有完整的行。")
            found += [(name, none) for name in lost.iter_rows()]
        rest = {"run": self.name, "data": "", "weights_of": "", **self.target()}
        return [
            {"cell": dict(zip(self.keys, name, strict=True)), "status": "failed", "reason": _told(why), "n": 0, **rest}
            for name, why in found
        ]


def _worked(run: Run, cells: list[int]) -> dict[int, dict[str, Any]]:
    """The records of some cells, in a process of an executor."""
    return run.block(cells)


@dataclass(frozen=True, slots=True)
class _Numbers:
    """The numbers of a block by cell: the index's rows, outer weights, paths, and why a cell has none."""

    index: Mapping[Cell, list[dict[str, Any]]]
    weights: Mapping[Cell, list[dict[str, Any]]]
    by: list[int]
    paths: Mapping[Cell, list[dict[str, Any]]]
    reasons: Mapping[int, Reason]
    rule: Mapping[str, object]

    @classmethod
    def of(cls, run: Run, est: Estimate, made: Index) -> _Numbers:
        """Of one fit and its index."""
        table = suppressed(made.table, bases_of(run.study))
        paths = est.table.filter(pl.col("op") == "~").select(*run.keys, "lhs", "rhs", "estimate")
        shared = [k for k, key in enumerate(run.keys) if key in made.weights.columns and made.rule != "base"]
        return cls(
            _by_cell(table, run.keys),
            _by_cell(unweighed(made.weights, made.cells, run.study.settings.small), [run.keys[k] for k in shared]),
            shared,
            _by_cell(paths, run.keys),
            est.convergence.reasons,
            {"rule": made.rule, "base": made.base, "scheme": made.scheme},
        )

    def record(self, run: Run, c: int, place: int) -> dict[str, Any]:
        """The record of a cell."""
        name = run.names[c]
        rows = self.index[name]
        mine = next((r for r in rows if r["construct"] == run.study.settings.target), None)
        hopeless = self.reasons.get(place)
        small = (int(run.sample.cells["n"][c]) if mine is None else int(mine["n"])) < run.study.settings.small
        why, status = hopeless, "done"
        if small:
            why, status = Bases(run.study.settings.small).reason, "withheld"
        elif why is None and mine is not None and mine["index"] is None:
            why = reason("R-INDEX", str(mine["reason"]), str(mine["reason_zh"]))
        if why is not None and status == "done":
            status = "failed"
        if status == "failed" and self.rule["rule"] == "own":  # alone or beside others, such a cell has no numbers
            return run.record(c, status, self.rule, why)
        numbers = {
            **({} if mine is None else {"n": mine["n"]}),
            **self.rule,
            "index": rows,
            "weights": self.weights.get(tuple(name[k] for k in self.by), []),
            "paths": [] if hopeless is not None or small else self.paths.get(name, []),
        }
        return run.record(c, status, numbers, why)


def _answers(panel: Panel, keys: Sequence[str]) -> dict[Cell, dict[str, str]]:
    """Marks of the answers of every cell, by which `csi diff` tells whether another verb had the same."""
    found = {}
    for row in cell_marks(panel, keys):
        cell = tuple(None if row[k] is None else str(row[k]) for k in keys)
        found[cell] = {k: str(row[k]) for k in ("answers", "weighted")}
    return found


def _by_cell(table: pl.DataFrame, keys: list[str]) -> dict[Cell, list[dict[str, Any]]]:
    """The rows of a table by cell, without the columns that name it."""
    found: dict[Cell, list[dict[str, Any]]] = {}
    names = list(table.select(keys).iter_rows()) if keys else [()] * table.height
    for name, row in zip(names, table.drop(keys, strict=False).iter_rows(named=True), strict=True):
        found.setdefault(name, []).append(row)
    return found


def _told(why: Reason | None) -> dict[str, str] | None:
    """A reason as a record has it."""
    return None if why is None else {"code": why.code, "en": why.text.en, "zh": why.text.zh}


def _reason(error: Exception) -> Reason:
    """Why a cell failed, in words."""
    if isinstance(error, Problems):
        first = error.problems[0]
        return Reason(first.code, first.what)
    said = str(error) if isinstance(error, CsiError) else f"{type(error).__name__}: {error}"
    return reason("R-BATCH", f"unexpected: {said}", f"意外错误：{said}")
