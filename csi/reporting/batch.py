"""Every company in every wave from one study file: a record per cell, restartable; a failing cell stops nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import CsiError, Note, Problems, Reason, Text, note, problem, reason
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit_sample
from csi.moments.sample import sample_of
from csi.moments.stack import Ints, Sample
from csi.reporting.batch_cells import blocks_of, keys_of, record_path, sources_of
from csi.reporting.numbers import to_json
from csi.reporting.record import codebook_hash, data_hash, versions
from csi.reporting.section import Column, Headline, Report, Section, Table
from csi.reporting.soundness import suppressed
from csi.reporting.tables import Kind
from csi.reporting.usable import completed
from csi.reporting.write import prepared, written
from csi.reporting.xlsx import workbook
from csi.study.estimator import estimator_of
from csi.study.fitted import base_of, indexed, with_replicates
from csi.study.study import Study, given_study
from csi.survey.keyed import grouping
from csi.survey.panel import Panel
from csi.tracking.index import Index
from csi.tracking.index_fit import subset
from csi.tracking.show import shown

Tell = Callable[[int, int], None]
NUMBERS = ("n_effective", "index", "std_error", "conf_low", "conf_high")


@dataclass(frozen=True, slots=True, repr=False)
class Batch(Shown):
    """What a batch did.

    Attributes:
        table: a row per cell: key columns, n, n_effective, index, std_error, conf_low, conf_high (of the study's
            target), status ("done", "skipped": the record was there already, or "failed"), reason, reason_zh, record
            (its path in the folder). folder: of the records. notes. sentences.
    """

    table: pl.DataFrame
    folder: Path
    construct: str
    notes: tuple[Note, ...] = ()

    @property
    def failed(self) -> pl.DataFrame:
        """The cells that failed, with their reasons."""
        return self.table.filter(pl.col("status") == "failed")

    @property
    def sentences(self) -> tuple[Text, ...]:
        """How many cells are done, were there already, failed."""
        done, kept, bad = ((self.table["status"] == s).sum() for s in ("done", "skipped", "failed"))
        en = f"{self.table.height} cells: {done} done, {kept} unchanged since an earlier run, {bad} failed."
        return (Text(en, f"共 {self.table.height} 个单元：完成 {done} 个，沿用此前结果 {kept} 个，失败 {bad} 个。"),)


def batch(
    study: Study | str | Path,
    out: str | Path = "batch",
    by: Sequence[str] = ("brand", "wave"),
    tell: Tell | None = None,
) -> Batch:
    """The index of every cell of a study, a record per cell.

    The answers are read once. Cells are worked out in blocks and written block by block, so that a run that was
    stopped goes on where it was: a cell is skipped when its rows, the rows that determine its weights, and the study
    are those of its record.

    Parameters:
        study: a study file's path or a `Study`. out: the folder of records (OUT/cells/BRAND/WAVE.json), of
            summary.csv and summary.xlsx. by: keys that make cells. tell: told (done, all) after each block.

    Returns:
        Batch. A cell without usable answers, whose model cannot be fitted, or whose target has no index is "failed"
        with its reason; the others go on.

    Raises:
        Problems: of the study and its answers as a whole; E-BY; E-OUT.

    Example:
        >>> import tempfile
        >>> from dataclasses import replace
        >>> study = Study.read("data/telecom/study.yaml")
        >>> study = replace(study, settings=replace(study.settings, index_errors="fixed"))
        >>> folder = tempfile.mkdtemp()
        >>> batch(study, folder).sentences[0].en
        '48 cells: 48 done, 0 unchanged since an earlier run, 0 failed.'
        >>> batch(study, folder).sentences[0].en
        '48 cells: 0 done, 48 unchanged since an earlier run, 0 failed.'
    """
    study = given_study(study)
    _check(study)
    study, panel = completed(study, study.panel())
    keys = grouping(panel.frame.columns, [by] if isinstance(by, str) else by)
    run = _Run.of(study, panel, keys, Path(out))
    with prepared(Path(out)):
        rows = run.all(tell or _silent)
        made = _finished(run, rows)
        _summarise(made, study)
    return made


def _check(study: Study) -> None:
    """Settings under which cells can be worked out apart.

    Raises:
        Problems: E-SETTING.
    """
    if study.settings.imputations:
        en, zh = "a batch does not pool imputed copies.", "批量运行不合并多重插补的各份数据。"
        do, do_zh = "Leave imputations out, or use csi index.", "请去掉 imputations，或使用 csi index。"
        raise Problems([problem("E-SETTING", f"{study.path}, estimate", en, zh, do, do_zh)])


def _silent(done: int, of: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class _Run:
    """One batch under way: rows in cells, what each cell depends on, where its record goes."""

    study: Study
    panel: Panel
    keys: list[str]
    folder: Path
    sample: Sample
    sources: list[Ints]
    marks: list[str]
    said: Mapping[str, object]

    @classmethod
    def of(cls, study: Study, panel: Panel, keys: list[str], folder: Path) -> _Run:
        """Rows by cell, read and sorted once."""
        estimator = estimator_of(study.settings)
        sample = sample_of(panel, estimator.needs(study.model), keys, missing=estimator.missing)
        rule = study.settings.index_weights
        sources = sources_of(rule, sample, base_of(study))
        if study.settings.covariance and rule != "own":  # weights from loadings of the cells that the rule names
            sources = sources_of("base" if rule == "base" else "pooled", sample, base_of(study))
        hashes = {"data": data_hash(panel), "codebook": codebook_hash(study.codebook)}
        said = {
            "study": {"name": study.name, "sha256": study.sha256},
            "hashes": hashes,
            "seed": study.settings.seed,
            "versions": versions(),
        }
        settings = {**asdict(study.settings), "codebook": hashes["codebook"], "model": str(study.model), **versions()}
        mark = f"{study.sha256}{json.dumps(settings, sort_keys=True, default=str)}{study.waves}"
        return cls(study, panel, keys, folder, sample, sources, keys_of(sample, sources, mark), said)

    def cell(self, c: int) -> dict[str, str]:
        """The key values of a cell."""
        return dict(zip(self.keys, self.sample.cells.select(self.keys).row(c), strict=True))

    def path(self, c: int) -> Path:
        """Where a cell's record goes."""
        return record_path(self.folder, list(self.cell(c).values()))

    def all(self, tell: Tell) -> dict[int, tuple[str, Mapping[str, object]]]:
        """Every cell's status and record: those at hand are read, the others worked out block by block."""
        count = self.sample.cells.height
        found: dict[int, tuple[str, Mapping[str, object]]] = {}
        for c in range(count):
            body = kept(self.path(c), self.marks[c])
            if body is not None:
                found[c] = ("skipped", body)
        todo = [c for c in range(count) if c not in found]
        for block in blocks_of(todo, self.sources):
            for c, body in self.block(block).items():
                found[c] = (str(body["status"]), body)
                path = self.path(c)
                path.parent.mkdir(parents=True, exist_ok=True)
                written(path.parent, {path.name: to_json(body).encode()})
            tell(len(found), count)
        return found

    def block(self, cells: list[int]) -> dict[int, dict[str, object]]:
        """The records of some cells; when they fail together, each half by itself."""
        try:
            return self.together(cells)
        except Exception as error:  # noqa: BLE001 - the promise of a batch: whatever happens to a cell, the others go on
            if len(cells) == 1:
                return {cells[0]: self.record(cells[0], "failed", why=_reason(error))}
            half = len(cells) // 2
            return self.block(cells[:half]) | self.block(cells[half:])

    def together(self, cells: list[int]) -> dict[int, dict[str, object]]:
        """The records of some cells from one stack of moments."""
        part = np.unique(np.concatenate([np.array(cells), *(self.sources[c] for c in cells[:1])]).astype(np.int64))
        est = fit_sample(self.study.model, subset(self.sample, part), estimator_of(self.study.settings))
        made = indexed(self.study, with_replicates(self.study, self.panel, est))
        place = {int(c): i for i, c in enumerate(part)}
        frames = _by_cell(suppressed(made.table, self.study.settings.small), self.keys)
        paths = _by_cell(est.table.filter(pl.col("op") == "~"), self.keys)
        return {c: self.of_index(c, place[c], est, made, frames, paths) for c in cells}

    def of_index(
        self, c: int, place: int, est: Estimate, made: Index, frames: Mapping[object, pl.DataFrame],
        paths: Mapping[object, pl.DataFrame],
    ) -> dict[str, object]:  # fmt: skip
        """The record of a cell that the block has numbers of."""
        name = tuple(self.cell(c).values())
        table = frames[name]
        mine = table.filter(pl.col("construct") == self.study.settings.target)
        why = hopeless = est.convergence.reasons.get(place)
        small = self.sample.cells["n"][c] < self.study.settings.small
        if why is None and not small and mine.height and mine["index"][0] is None:
            why = reason("R-INDEX", str(mine["reason"][0]), str(mine["reason_zh"][0]))
        numbers = {
            "rule": made.rule,
            "base": made.base,
            "scheme": made.scheme,
            "index": table.to_dicts(),
            "weights": _weights_of(made, self.cell(c)).to_dicts(),
            "paths": [] if hopeless else paths[name].select("lhs", "rhs", "estimate").to_dicts(),
        }
        return self.record(c, "done" if why is None else "failed", numbers, why)

    def record(
        self, c: int, status: str, numbers: Mapping[str, object] | None = None, why: Reason | None = None
    ) -> dict[str, object]:
        """The object of a cell's file."""
        told = None if why is None else {"code": why.code, "en": why.text.en, "zh": why.text.zh}
        head = {"verb": "batch", "cell": self.cell(c), "status": status, "reason": told, "key": self.marks[c]}
        return {**head, "n": int(self.sample.cells["n"][c]), **self.said, **(numbers or {})}


def kept(path: Path, mark: str) -> Mapping[str, object] | None:
    """A record that is done and comes from the same rows and settings; None where there is none."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    good = isinstance(body, dict) and body.get("key") == mark and body.get("status") == "done"
    return body if good else None


def _reason(error: Exception) -> Reason:
    """Why a cell failed, in words."""
    if isinstance(error, Problems):
        first = error.problems[0]
        return Reason(first.code, first.what)
    said = str(error) if isinstance(error, CsiError) else f"{type(error).__name__}: {error}"
    return reason("R-BATCH", f"unexpected: {said}", f"意外错误：{said}")


def _by_cell(table: pl.DataFrame, keys: list[str]) -> dict[object, pl.DataFrame]:
    """The rows of a table by cell."""
    if not keys:
        return {(): table}
    return dict(table.partition_by(keys, as_dict=True, maintain_order=True).items())


def _weights_of(made: Index, cell: Mapping[str, str]) -> pl.DataFrame:
    """The weights behind a cell: its own, or those of its group."""
    keys = [k for k in cell if k in made.weights.columns]
    if made.rule == "base" or not keys:
        return made.weights
    return made.weights.filter(*(pl.col(k) == cell[k] for k in keys))


def _finished(run: _Run, found: Mapping[int, tuple[str, Mapping[str, object]]]) -> Batch:
    """The table of all cells, cells without a single usable row among them."""
    target, rows = run.study.settings.target, []
    for c in range(run.sample.cells.height):
        status, body = found[c]
        index = body.get("index") or []
        mine: Mapping[str, object] = (
            next((r for r in index if r["construct"] == target), {}) if isinstance(index, list) else {}
        )
        told = body.get("reason") or {"en": mine.get("reason"), "zh": mine.get("reason_zh")}
        said = (told["en"], told["zh"]) if isinstance(told, Mapping) else (None, None)
        place = run.path(c).relative_to(run.folder).as_posix()
        rows.append((*run.cell(c).values(), body["n"], *(mine.get(k) for k in NUMBERS), status, *said, place))
    schema = dict.fromkeys(run.keys, pl.String()) | {"n": pl.Int64()} | dict.fromkeys(NUMBERS, pl.Float64())
    schema |= dict.fromkeys(("status", "reason", "reason_zh", "record"), pl.String())
    table = pl.concat([pl.DataFrame(rows, schema=schema, orient="row"), _silent_cells(run, schema)])
    notes = (*run.panel.notes, *(n for n in run.sample.notes if n.code != "W-CELL-EMPTY"))
    en, zh = "Below the base a cell has no number but its reason.", "样本量不足的单元没有数值，只有原因。"
    return Batch(table, run.folder, target, tuple(dict.fromkeys((*notes, note("N-BATCH", en, zh)))))


def _silent_cells(run: _Run, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Cells of the answers that have no usable row."""
    if not run.keys:
        return pl.DataFrame(schema=schema)
    here = run.panel.frame.select(pl.col(k).cast(pl.String) for k in run.keys).unique(maintain_order=True)
    lost = here.join(run.sample.cells, on=run.keys, how="anti", nulls_equal=True, maintain_order="left")
    en, zh = "none of its rows is complete.", "没有完整的行。"
    empty = {"n": 0, "status": "failed", "reason": en, "reason_zh": zh}
    return lost.select(
        pl.col(name) if name in run.keys else pl.lit(empty.get(name), dtype=kind).alias(name)
        for name, kind in schema.items()
    )


def _summarise(made: Batch, study: Study) -> None:
    """summary.csv and summary.xlsx beside the records.

    Raises:
        Problems: E-OUT.
    """
    label = study.codebook.label(made.construct, "en"), study.codebook.label(made.construct, "zh")
    title = Text(f"{label[0]}: index of every cell", f"{label[1]}：各单元指数")
    kinds: dict[str, Kind] = {
        "n": "count",
        "n_effective": "count",
        "index": "score",
        "std_error": "number",
        "conf_low": "score",
        "conf_high": "score",
    }
    heads = {**HEADINGS, **{k: Text(k, k) for k in made.table.columns if k not in HEADINGS}}
    columns = tuple(Column(k, heads[k], kinds.get(k, "text")) for k in made.table.columns)
    table = Table("cells", title, made.table, columns, texts=STATUS)
    section = Section("cells", title, made.sentences[0], tables=(table,), notes=made.notes)
    nan = float("nan")
    head = Headline(title, made.sentences[0], nan, nan, nan, (), Text("", ""))
    report = Report(study.title, head, (section,), {})
    sheet = workbook(report, ("zh", "en") if study.language == "zh" else ("en", "zh"))
    written(made.folder, {"summary.csv": made.table.write_csv().encode(), "summary.xlsx": sheet})


HEADINGS = {
    "brand": Text("brand", "品牌"),
    "wave": Text("wave", "期次"),
    "stage": Text("stage", "阶段"),
    "segment": Text("segment", "细分"),
    "n": Text("n", "样本量"),
    "n_effective": Text("effective n", "有效样本量"),
    "index": Text("index", "指数"),
    "std_error": Text("SE", "标准误"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "status": Text("status", "状态"),
    "reason": Text("reason", "原因（英文）"),
    "reason_zh": Text("reason (zh)", "原因"),
    "record": Text("record", "记录"),
}
STATUS = {"done": Text("done", "完成"), "skipped": Text("unchanged", "沿用"), "failed": Text("failed", "失败")}


@text.register
def _(value: Batch, lang: str = "en") -> str:
    """The sentence, the failures, the notes."""
    title = value.sentences[0].say(lang)
    rows = value.failed if value.failed.height else value.table.head(20)
    return shown(title, rows.drop("record"), value.notes, lang)
