"""A day's answers added to what a study's earlier answers said; the index follows without reading those again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path

import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Text, note, problem
from csi.estimate.fit import fit
from csi.reporting.append_checks import check_batch, check_close, closed_with, late_notes
from csi.reporting.counted import counted
from csi.reporting.soundness import NUMBERS, suppressed
from csi.reporting.usable import completed
from csi.study.estimator import estimator_of
from csi.study.fitted import base_of, indexed
from csi.study.panel import read_study_panel
from csi.study.study import Study, given_study
from csi.survey.bases import Bases
from csi.survey.datafile import DataFile
from csi.survey.panel import Panel
from csi.tracking.index import Index
from csi.tracking.show import shown
from csi.tracking.store import Store, added, added_problems, already, ordered, read_store, to_bytes

SUFFIX = ".moments.npz"
"""Of the store beside a study file."""


@dataclass(frozen=True, slots=True, repr=False)
class Appended(Shown):
    """A study's stored moments after an addition.

    Attributes:
        table: the index of every cell, as `Index.table`; cells below the study's base with their answers and why they
            have no number.
        index: at full precision, of cells with enough answers; None where no cell has them. store: the moments.
        path: their file.
        new: key columns, added (answers of this addition), n (now). batches: name, sha256, rows, used, in order.
        left_out: rows of this addition that were without all answers, of how many
            that the study's rules keep. notes. sentences.
    """

    table: pl.DataFrame
    index: Index | None
    store: Store
    path: Path
    new: pl.DataFrame
    left_out: tuple[int, int]
    notes: tuple[Note, ...] = ()

    @property
    def batches(self) -> pl.DataFrame:
        """What was added so far."""
        rows = [(b.name, b.sha256, b.rows, b.used) for b in self.store.batches]
        schema = {"name": pl.String, "sha256": pl.String, "rows": pl.Int64, "used": pl.Int64}
        return pl.DataFrame(rows, schema=schema, orient="row")

    @property
    def sentences(self) -> tuple[Text, ...]:
        """How many answers came, to how many cells, and how many there are."""
        came, cells, total = int(self.new["added"].sum()), self.new.height, int(self.store.sums.n.sum())
        count = len(self.store.batches)
        said = "1 batch" if count == 1 else f"{count} batches"
        came_en = "1 answer" if came == 1 else f"{came} answers"
        left, every = self.left_out
        if left:
            where = f"{cells} {'cell' if cells == 1 else 'cells'}"
            en = f"{came_en} added to {where} ({left} of {every} rows left out, with absent answers);"
            en += f" {total} in all, {said}."
            zh = f"{cells} 个单元新增 {came} 份答卷（{every} 行中有 {left} 行因缺答未计入）；"
            return (Text(en, f"{zh}共 {total} 份，{count} 批。"),)
        if not cells:
            en = f"Nothing was added; {total} answers, {said}."
            return (Text(en, f"未追加数据；现有 {total} 份答卷，{count} 批。"),)
        en = f"{came_en} added to {cells} {'cell' if cells == 1 else 'cells'}; {total} in all, {said}."
        return (Text(en, f"{cells} 个单元新增 {came} 份答卷；共 {total} 份，{count} 批。"),)


def append(
    study: Study | str | Path,
    file: str | Path | None = None,
    store: str | Path | None = None,
    wave: str = "",
    brand: str = "",
    *,
    close: Sequence[str] = (),
    late: bool = False,
    anyway: bool = False,
) -> Appended:
    """Add a file of answers to a study's stored moments; the index and its bounds follow.

    Moments add exactly, so what comes out is what all rows together give. The store begins with the data files that the
    study names; once it exists, their rows are not read again.

    Parameters:
        study: a study file's path or a `Study`. file: the new answers, laid out as the study's data; None only begins
            the store, or shows it. store: its file (beside the study file by default). wave, brand: of a file that does
            not say so itself. close: waves that take no more answers from now on. late: let answers of closed waves in.
        anyway: let answers in that seem to be on another scale, or whose weights are of another size.

    Returns:
        Appended. Standard errors hold the weights fixed (those that contain the weights' uncertainty need the rows).

    Raises:
        Problems: everything wrong with study or answers; E-BATCH (the batch, or a respondent of it, is counted
            already), E-CLOSED, E-SCALE, E-WEIGHT, E-WAVE (a wave to be closed has no answers), E-STORE, E-SETTING
            (absent answers treated in a way that needs all rows). Nothing is written then.

    Source:
        Chan, Golub & LeVeque (1983), The American Statistician 37(3), 242-247.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "telecom.moments.npz"
        >>> append("data/telecom/study.yaml", store=path).sentences[0].en
        '13279 answers added to 48 cells (958 of 14237 rows left out, with absent answers); 13279 in all, 1 batch.'
    """
    study = given_study(study)
    _check(study)
    path = Path(store) if store is not None else study.path.with_suffix(SUFFIX)
    before = read_store(path) if path.exists() else None
    fresh: list[tuple[Study, Panel]] = []
    if before is None:
        fresh.append(_read(study))
    if file is not None:
        one = DataFile(Path(file), wave=wave, brand=brand, rename=_rename(study))
        _check_file(Path(file))
        if before is not None:  # a file that was counted needs no reading
            _refuse(before, Path(file))
        fresh.append(_read(replace(study, data=(one,))))
    parts = [counted(said, panel) for said, panel in fresh]
    if file is not None:
        known = before if before is not None else parts[0]
        found = added_problems(known, parts[-1])
        if found:
            raise Problems(found)
        check_batch(known, parts[-1], fresh[-1][1], late=late, anyway=anyway)
    after = reduce(added, parts if before is None else [before, *parts])
    full = completed(study, fresh[0][1])[0] if fresh else _with_waves(study, after)
    after = ordered(after, {"brand": tuple(full.brands), "wave": full.waves})
    check_close(after, closing := [close] if isinstance(close, str) else list(close))
    after = replace(after, closed=closed_with(after, closing))
    if fresh or closing:
        _write(path, after)
    return _appended(full, before, after, path, tuple(n for _, panel in fresh for n in panel.notes))


def _check(study: Study) -> None:
    """Settings under which moments of days add up.

    Raises:
        Problems: E-SETTING.
    """
    found: list[Problem] = []
    settings = study.settings
    if settings.missing != "listwise":
        en = f"absent answers treated {settings.missing} need all rows together."
        zh = f"缺失值按 {settings.missing} 处理时需要全部原始行。"
        do, do_zh = "Set missing: listwise, or use csi index.", "请设置 missing: listwise，或使用 csi index。"
        found.append(problem("E-SETTING", f"{study.path}, estimate", en, zh, do, do_zh))
    if settings.imputations:
        en, zh = "imputed copies need all rows together.", "多重插补需要全部原始行。"
        do, do_zh = "Leave imputations out, or use csi index.", "请去掉 imputations，或使用 csi index。"
        found.append(problem("E-SETTING", f"{study.path}, estimate", en, zh, do, do_zh))
    if found:
        raise Problems(found)


def _check_file(path: Path) -> None:
    """The file of a batch is there.

    Raises:
        Problems: E-FILE.
    """
    if not path.is_file():
        do, do_zh = "Check the path.", "请检查路径。"
        raise Problems([problem("E-FILE", str(path), "no such file.", "文件不存在。", do, do_zh)])


def _refuse(store: Store, path: Path) -> None:
    """Raise when the same bytes were counted before."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    for old in store.batches:
        if digest in old.sha256.split("+"):
            raise Problems([already(str(path), old)])


def _rename(study: Study) -> Mapping[str, str]:
    """How the study's files name its columns, when they all do alike."""
    first = study.data[0].rename
    return first if all(f.rename == first for f in study.data) else {}


def _read(study: Study) -> tuple[Study, Panel]:
    """The study and the panel of its files, both with every brand and wave."""
    return completed(study, read_study_panel(study, part=True))


def _with_waves(study: Study, store: Store) -> Study:
    """The study with the waves of its store, when it lists none itself."""
    names = tuple(dict.fromkeys(store.cells["wave"])) if "wave" in store.cells.columns else ()
    return study if study.waves else replace(study, waves=names)


def _write(path: Path, store: Store) -> None:
    """The store on disk, whole or not at all.

    Raises:
        Problems: E-OUT.
    """
    fresh = path.with_name(path.name + ".new")
    try:
        fresh.write_bytes(to_bytes(store))
        os.replace(fresh, path)  # noqa: PTH105 - atomic on every system
    except OSError as error:
        en, zh = f"the store cannot be written: {error.strerror}.", f"无法写入存储文件：{error.strerror}。"
        do, do_zh = "Choose another file with --store.", "请用 --store 指定其他文件。"
        raise Problems([problem("E-OUT", str(path), en, zh, do, do_zh)]) from error


def _appended(study: Study, before: Store | None, after: Store, path: Path, notes: tuple[Note, ...]) -> Appended:
    """The index of the cells with enough answers, and what came."""
    made, none = _made(study, after)
    late = late_notes(before, after, base_of(study))
    told = (*notes, *late, *(none if made is None else made.notes), _kept_note(after), *_names_note(after))
    table = _table(study, after, made)
    fresh = after.batches[0 if before is None else len(before.batches) :]
    left = sum(b.rows - b.used for b in fresh), sum(b.rows for b in fresh)
    return Appended(table, made, after, path, _new(before, after), left, tuple(dict.fromkeys(told)))


def _made(study: Study, store: Store) -> tuple[Index | None, tuple[Note, ...]]:
    """The index; where no cell has enough answers none, and what is said then."""
    try:
        return stored_index(study, store), ()
    except Problems as found:
        if any(p.code != "E-BASE" for p in found.problems):
            raise
        return None, tuple(Note(p.code, p.what) for p in found.problems)


def _table(study: Study, store: Store, made: Index | None) -> pl.DataFrame:
    """The index of every cell that was counted; those of too few answers have their n and the reason alone."""
    keys = store.cells.columns
    constructs = list(study.model.names if made is None else made.constructs)
    every = store.counted.join(pl.DataFrame({"construct": constructs}), how="cross", maintain_order="left_right")
    if made is None:
        blank = [pl.lit(None, kind).alias(name) for name, kind in EMPTY.items()]
        return suppressed(every.select(*keys, "construct", "n").with_columns(blank), _bases(study))
    own = made.table.drop("n")
    whole = every.join(own, on=[*keys, "construct"], how="left", nulls_equal=True, maintain_order="left")
    named = dict(zip(made.constructs, made.formulas, strict=True))
    whole = whole.with_columns(pl.col("formula").fill_null(pl.col("construct").replace_strict(named)))
    return suppressed(whole.select(made.table.columns), _bases(study))


def _bases(study: Study) -> Bases:
    """The study's limits; a mean and its spread take two answers."""
    return Bases(max(study.settings.small, 2), study.settings.flagged)


EMPTY = dict.fromkeys(("formula", "reason", "reason_zh"), pl.String()) | dict.fromkeys(NUMBERS, pl.Float64())
"""Columns of an index that nothing is known of."""


def stored_index(study: Study, store: Store) -> Index:
    """The study's index from stored moments, weights held fixed.

    Raises:
        Problems: E-BASE, too few answers in every cell; as `csi.index`.
    """
    settings = study.settings
    moments = store.moments(least=max(settings.small, 2))
    base = base_of(study)
    if not moments.n.size or (base is not None and base not in moments.cells["wave"].to_list()):
        where = "" if not moments.n.size else str(base)
        en = f"no cell has {max(settings.small, 2)} answers yet" + (f" in the base wave {base}." if where else ".")
        zh = f"{f'基期 {base} ' if where else ''}尚无样本量达到 {max(settings.small, 2)} 的单元。"
        do, do_zh = "Append more answers, or lower small under report.", "请追加答卷，或调低 report 中的 small。"
        raise Problems([problem("E-BASE", where, en, zh, do, do_zh)])
    est = fit(study.model, moments, estimator_of(settings))
    return indexed(
        replace(study, settings=replace(settings, index_errors="bootstrap")), replace(est, level=settings.level)
    )


def _new(before: Store | None, after: Store) -> pl.DataFrame:
    """Cells with answers of this addition."""
    now = after.counted
    if before is None:
        return now.with_columns(added="n").select(*after.cells.columns, "added", "n")
    was = before.counted.rename({"n": "was"})
    both = now.join(was, on=after.cells.columns, how="left", nulls_equal=True, maintain_order="left")
    both = both.with_columns(added=pl.col("n") - pl.col("was").fill_null(0))
    return both.filter(pl.col("added") > 0).select(*after.cells.columns, "added", "n")


def _kept_note(store: Store) -> Note:
    """Where the standard errors come from."""
    en = "From stored moments: standard errors hold the weights fixed and take rows as independent (Kish's n for"
    en += f" weights); csi index on all rows has the full ones. Batches: {len(store.batches)}."
    zh = "由已存的矩得出：标准误将权重视为固定、各行视为独立（加权时用 Kish 有效样本量）；"
    zh += f"完整标准误请对全部数据用 csi index。批次：{len(store.batches)}。"
    return note("N-STORE", en, zh)


def _names_note(store: Store) -> tuple[Note, ...]:
    """That doubled respondents cannot be seen."""
    if store.seen.size:
        return ()
    en = "Respondents have no names, so that one who is in two batches is counted twice."
    return (note("W-STORE-NAMES", en, "受访者没有编号，若同一人出现在两批中会被重复计入。"),)


@text.register
def _(value: Appended, lang: str = "en") -> str:
    """The sentence, then the table of the index with its notes."""
    title = value.sentences[0].say(lang)
    return shown(title, value.table, value.notes, lang)
