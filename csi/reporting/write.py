"""A report on disk: page, notebook, tables, numbers, record; the same input gives the same bytes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from csi.errors import Language, Problems, problem
from csi.reporting.build import LANGUAGES, check_languages, planned_for, ready, told_as
from csi.reporting.formats import BIBTEX, USUAL, check_formats, names_of, rendered
from csi.reporting.manifest import MANIFEST, Asked, to_bytes
from csi.reporting.notebook import Book, executing, notebook, to_percent, to_text, with_sources
from csi.reporting.numbers import numbers, to_json
from csi.reporting.section import Report
from csi.reporting.sections import heading
from csi.study.panel import read_study_panel
from csi.study.study import Study, given_study
from csi.survey.panel import Panel

FILES = names_of(USUAL, LANGUAGES)
"""What `write_report` leaves in a wave's folder when nothing else is asked for."""


def write_report(
    study: Study | str | Path,
    out: str | Path = "reports",
    wave: str | None = None,
    lang: str | Sequence[str] = LANGUAGES,
    *,
    kind: str = "quarterly",
    execute: bool = True,
    to: str | Sequence[str] = USUAL,
) -> Path:
    """Write a wave's report into OUT/WAVE and return that folder.

    The notebook runs beside the page: its kernel makes the report again from the study file, so its cells show what the
    code gives. Nothing is written before everything succeeded.

    Parameters:
        study: a study file's path or a `Study`. out: the folder of reports. wave: the last one with answers by default.
        lang: "zh", "en" or both. kind: "quarterly", "paper", "validation" or "expectation".
        execute: False leaves the notebook unrun.
        to: kinds of files, such as "html,docx" (`csi.reporting.formats.FORMATS`); the numbers and the record are always
            there.

    Returns:
        The folder, with the files of `FILES` unless `to` says otherwise.

    Raises:
        Problems: everything wrong with the input, E-OUT when the folder cannot be written, E-REPORT-TO for an unknown
            kind of file, E-PACKAGE when it needs a package that is not installed.
    """
    return report_in(study, out, wave, lang, kind=kind, execute=execute, to=to)[0]


def report_in(
    study: Study | str | Path,
    out: str | Path = "reports",
    wave: str | None = None,
    lang: str | Sequence[str] = LANGUAGES,
    *,
    kind: str = "quarterly",
    execute: bool = True,
    to: str | Sequence[str] = USUAL,
) -> tuple[Path, Report]:
    """Write a wave's report as `write_report` does, and return the folder and the report itself."""
    languages, to = check_languages(lang), check_formats(to)
    study = given_study(study)
    panel = read_study_panel(study)
    study, panel, wave = ready(study, panel, wave, kind)
    with prepared(Path(out) / (wave or study.name or "report")) as folder:
        path = relative(study.path, folder)
        files, report = files_of(study, panel, wave, languages, folder, path=path, kind=kind, execute=execute, to=to)
        return written(folder, files), report


def files_of(
    study: Study,
    panel: Panel,
    wave: str,
    languages: tuple[Language, ...],
    folder: Path,
    *,
    path: str,
    kind: str,
    execute: bool,
    to: Sequence[str],
    now: str = "",
) -> tuple[dict[str, bytes], Report]:
    """The bytes of every file of a report, the manifest last, and the report itself; nothing is written.

    Parameters:
        study, panel, wave: as of `ready`. folder: where the notebook runs. path: the study file as seen from there.
        now: where it is, when it has gone from `path` since.
    """
    own = study.settings

    def book_of(keys: Sequence[str], path: str) -> Book:
        named = [(k, heading(k, study)) for k in keys]
        return notebook(
            path, wave, named, study.title,
            languages=languages, kind=kind, replicates=own.replicates, errors=own.index_errors,
        )  # fmt: skip

    keys = planned_for(study, panel, kind)
    shown = "notebook" in to
    with running(book_of(keys, now or path), folder, execute=execute and shown) as finished:
        report = told_as(kind, study, panel, wave, keys, languages)
        files = contents(report, to)
        done = finished() if report.keys == keys or not shown else None
    if done is None:  # the answers carry no model: the notebook is made again without its sections
        with running(book_of(report.keys, now or path), folder, execute=execute) as finished:
            done = finished()
    book = book_of(report.keys, path)
    if shown:
        files["notebook.ipynb"] = to_text(with_sources(done, book)).encode()
    if "py" in to:
        files["notebook.py"] = to_percent(book).encode()
    asked = Asked(
        study=path,
        wave=wave,
        kind=kind,
        languages=languages,
        to=tuple(to),
        executed=execute and shown,
        replicates=own.replicates,
        errors=own.index_errors,
    )
    return {**files, MANIFEST: to_bytes(asked, files)}, report


@contextmanager
def running(book: Book, folder: Path, *, execute: bool) -> Iterator[Callable[[], Book]]:
    """The notebook running beside the `with` block (see `executing`), or as it is when not to be executed."""
    if not execute:
        yield lambda: book
        return
    with executing(book, folder) as finished:
        yield finished


def contents(report: Report, to: Sequence[str] = USUAL) -> dict[str, bytes]:
    """The bytes of every file but the notebook."""
    told = {"numbers.json": to_json(numbers(report)).encode(), "record.json": to_json(report.record).encode()}
    works = "".join(s.code for s in report.sections if s.key == "references")
    return {**rendered(report, to), **({BIBTEX: works.encode()} if works else {}), **told}


def relative(path: Path, folder: Path) -> str:
    """The study file as seen from the report's folder, with forward slashes."""
    return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()


@contextmanager
def prepared(folder: Path) -> Iterator[Path]:
    """The folder, made when it is not there; when the work in it fails, folders made for it go again while empty.

    Raises:
        Problems: E-OUT.
    """
    fresh = [f for f in (folder, *folder.parents) if not f.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        en, zh = f"cannot make the folder: {error.strerror}.", f"无法建立文件夹：{error.strerror}。"
        do, do_zh = "Choose another folder with --out.", "请用 --out 指定其他文件夹。"
        raise Problems([problem("E-OUT", str(folder), en, zh, do, do_zh)]) from error
    try:
        _check_writable(folder)
        yield folder
    except BaseException:
        with suppress(OSError):  # a folder that is not empty stays
            for made in fresh:
                made.rmdir()
        raise


def _check_writable(folder: Path) -> None:
    """Raise where a folder may only be read.

    Raises:
        Problems: E-OUT.
    """
    if not os.access(folder, os.W_OK):
        en, zh = "this folder may only be read.", "该文件夹只可读取，不能写入。"
        do, do_zh = "Choose another folder with --out.", "请用 --out 指定其他文件夹。"
        raise Problems([problem("E-OUT", str(folder), en, zh, do, do_zh)])


def written(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write the files and return the folder: all of them aside first, then each under its name, so that none is half.

    Raises:
        Problems: E-OUT.
    """
    asides = {name: folder / f".{name}.{os.getpid()}.part" for name in files}
    name, stopped = "", None
    try:
        for name, content in files.items():
            asides[name].write_bytes(content)
        for name, aside in asides.items():
            try:
                aside.replace(folder / name)
            except KeyboardInterrupt as interrupt:  # the others follow, so that none stays of another run
                stopped = interrupt
                if aside.exists():
                    aside.replace(folder / name)
        if stopped is not None:
            raise stopped
    except OSError as error:
        place, said = folder / name, error.strerror
        en, zh = f"cannot write {place}: {said}.", f"无法写入 {place}：{said}。"
        do, do_zh = "Close the file or choose another folder with --out.", "请关闭该文件，或用 --out 指定其他文件夹。"
        raise Problems([problem("E-OUT", str(folder), en, zh, do, do_zh)]) from error
    finally:
        for aside in asides.values():
            with suppress(OSError):
                aside.unlink(missing_ok=True)
    return folder
