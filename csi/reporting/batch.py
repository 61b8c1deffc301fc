"""Every company in every wave from one study file: a record per cell, restartable; a failing cell stops nothing."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problems, Text, problem
from csi.moments.pools import check_executor
from csi.reporting.batch_notes import notes_of
from csi.reporting.batch_records import RECORDS, Record, lines
from csi.reporting.batch_run import Ran, Run, Tell
from csi.reporting.batch_summary import summarise
from csi.reporting.usable import completed
from csi.reporting.write import prepared
from csi.study.panel import read_study_panel
from csi.study.study import Study, given_study
from csi.survey.keyed import grouping
from csi.tracking.show import shown

SCHEMA: dict[str, pl.DataType] = {
    "n": pl.Int64(),
    "formula": pl.String(),
    "n_effective": pl.Float64(),
    "index": pl.Float64(),
    "std_error": pl.Float64(),
    "conf_low": pl.Float64(),
    "conf_high": pl.Float64(),
    "status": pl.String(),
    "kept": pl.Boolean(),
    "reason": pl.String(),
    "reason_zh": pl.String(),
    "record": pl.Int64(),
}


@dataclass(frozen=True, slots=True, repr=False)
class Batch(Shown):
    """What a batch did.

    Attributes:
        table: a row per cell: key columns, n, n_effective, index, std_error, conf_low, conf_high (of the target),
            status ("done", "withheld": fewer answers than the study's base, or "failed"), kept (the record of an
            earlier run was still right), reason, reason_zh, record (its line in records.jsonl, from 1).
        folder: of the records. construct: the target. notes. sentences.
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
    def without(self) -> pl.DataFrame:
        """The cells without a number, failed or withheld, with their reasons; those that failed first."""
        order = pl.col("status") != "failed"
        return self.table.filter(pl.col("status") != "done").sort(order, maintain_order=True)

    @property
    def sentences(self) -> tuple[Text, ...]:
        """How many cells are done, withheld, failed, and how many were there already."""
        done, few, bad = ((self.table["status"] == s).sum() for s in ("done", "withheld", "failed"))
        cells, kept = self.table.height, self.table["kept"].sum()
        en = f"{cells} cells: {done} done, {few} withheld, {bad} failed; {kept} of them unchanged since an earlier run."
        zh = f"共 {cells} 个单元：完成 {done} 个，不予发布 {few} 个，失败 {bad} 个；其中沿用此前结果 {kept} 个。"
        return (Text(en, zh),)

    def record(self, *cell: str) -> Record:
        """The record of a cell, by the values of its keys.

        Raises:
            Problems: E-WHERE, no such cell.
        """
        keys = [k for k in self.table.columns if k not in SCHEMA]
        rows = self.table.filter(*(pl.col(k) == v for k, v in zip(keys, cell, strict=False)))
        if len(cell) != len(keys) or rows.height != 1:
            asked = " ".join(map(str, cell))
            en, zh = f'there is no cell "{asked}".', f"没有“{asked}”这个单元。"
            do, do_zh = f"Give {', '.join(keys)}.", f"请给出 {'、'.join(keys)}。"
            raise Problems([problem("E-WHERE", "record", en, zh, do, do_zh)])
        wanted = rows["record"].item()
        return next(body for k, (_, _, body) in enumerate(lines(self.folder / RECORDS), 1) if k == wanted)


def batch(
    study: Study | str | Path,
    out: str | Path = "batch",
    by: Sequence[str] = ("brand", "wave"),
    tell: Tell | None = None,
    executor: Executor | None = None,
) -> Batch:
    """The index of every cell of a study, a record per cell.

    The answers are read once, and cells are worked out in blocks. Every block's records are written before the next,
    so that a run that was stopped goes on where it was. A record stays when nothing that its numbers come from has
    changed: the cell's answers with their weights and units, those of the cells that give it its outer weights, the
    model, the settings of the estimation and the versions of the packages; labels and what reports tell are none of it.

    Parameters:
        study: a study file's path or a `Study`. out: the folder of records.jsonl (a cell per line), runs.json (what
            lines share: settings, hashes, versions), summary.csv and summary.xlsx. by: keys that make cells.
        tell: told (done, all) after each block. executor: works out blocks of cells (any of `concurrent.futures`, or
            one with its `map`; processes started by "spawn" or "forkserver", as a fork would wait for ever); this
            process without. The records are the same.

    Returns:
        Batch. A cell that holds text, numbers outside the scale, a respondent twice or a bad weight, that has no usable
        answers, whose model cannot be fitted, or whose target has no index is "failed" with its reason; the others go
        on without it. Bootstrap errors draw all units together: those of a kept record are of the draws of its run.

    Raises:
        Problems: of the study and its answers as a whole; E-BY; E-OUT; E-FORK.

    Example:
        >>> import tempfile
        >>> from dataclasses import replace
        >>> study = Study.read("data/telecom/study.yaml")
        >>> study = replace(study, settings=replace(study.settings, index_errors="fixed"))
        >>> folder = tempfile.mkdtemp()
        >>> batch(study, folder).sentences[0].en
        '48 cells: 48 done, 0 withheld, 0 failed; 0 of them unchanged since an earlier run.'
        >>> batch(study, folder).sentences[0].en
        '48 cells: 48 done, 0 withheld, 0 failed; 48 of them unchanged since an earlier run.'
    """
    study = given_study(study)
    check_executor(executor, study.language)
    _check(study)
    asked = [by] if isinstance(by, str) else list(by)
    study, panel = completed(study, read_study_panel(study, aside=asked))
    keys = grouping(panel.frame.columns, asked)
    with prepared(Path(out)) as folder:
        run = Run.of(study, panel, keys, folder)
        made = _told(run, run.all(tell or _silent, executor))
        summarise(study, folder, made.table, made.sentences[0], made.notes)
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


def _told(run: Run, ran: Ran) -> Batch:
    """The table of all cells, and what is to be said of them."""
    rows = [
        (*name, *({**one.row, "kept": c in ran.old, "record": c + 1}[k] for k in SCHEMA))
        for c, (name, one) in enumerate(zip(ran.names, ran.places, strict=True))
    ]
    table = pl.DataFrame(rows, schema={**dict.fromkeys(run.keys, pl.String()), **SCHEMA}, orient="row")
    notes = [*run.panel.notes, *(n for n in run.sample.notes if n.code != "W-CELL-EMPTY"), *notes_of(run, ran)]
    return Batch(table, run.folder, run.study.settings.target, tuple(dict.fromkeys(notes)))


@text.register
def _(value: Batch, lang: str = "en") -> str:
    """The sentence, the cells without a number, the notes."""
    title = value.sentences[0].say(lang)
    rows = value.without if value.without.height else value.table.head(20)
    return shown(title, rows.drop("record", "kept"), value.notes, lang)
