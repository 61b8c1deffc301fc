"""A report on disk: page, notebook, tables, numbers, record; the same input gives the same bytes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from csi.errors import Problems, problem
from csi.reporting.build import LANGUAGES, check_languages, planned_for, ready, told_as
from csi.reporting.html import render_html
from csi.reporting.notebook import Book, executing, notebook, to_text
from csi.reporting.numbers import numbers, to_json
from csi.reporting.section import Report
from csi.reporting.sections import heading
from csi.reporting.xlsx import workbook
from csi.study.panel import read_study_panel
from csi.study.study import Study, given_study

FILES = ("report.html", "notebook.ipynb", "tables.xlsx", "numbers.json", "record.json")
"""What `write_report` leaves in a wave's folder."""


def write_report(
    study: Study | str | Path,
    out: str | Path = "reports",
    wave: str | None = None,
    lang: str | Sequence[str] = LANGUAGES,
    *,
    kind: str = "quarterly",
    execute: bool = True,
) -> Path:
    """Write a wave's report into OUT/WAVE and return that folder.

    The notebook runs beside the page: its kernel makes the report again from the study file, so its cells show what the
    code gives. Nothing is written before everything succeeded.

    Parameters:
        study: a study file's path or a `Study`. out: the folder of reports. wave: the last one with answers by default.
        lang: "zh", "en" or both. kind: "quarterly", "researcher", "validation" or "expectation".
        execute: False leaves the notebook unrun.

    Returns:
        The folder, with the files of `FILES`.

    Raises:
        Problems: everything wrong with the input, or E-OUT when the folder cannot be written.
    """
    return report_in(study, out, wave, lang, kind=kind, execute=execute)[0]


def report_in(
    study: Study | str | Path,
    out: str | Path = "reports",
    wave: str | None = None,
    lang: str | Sequence[str] = LANGUAGES,
    *,
    kind: str = "quarterly",
    execute: bool = True,
) -> tuple[Path, Report]:
    """Write a wave's report as `write_report` does, and return the folder and the report itself."""
    languages = check_languages(lang)
    study = given_study(study)
    panel = read_study_panel(study)
    study, panel, wave = ready(study, panel, wave, kind)
    keys = planned_for(study, panel, kind)
    with prepared(Path(out) / (wave or study.name or "report")) as folder:
        path = relative(study.path, folder)
        named = [(k, heading(k, study)) for k in keys]
        book = notebook(path, wave, named, study.title, languages=languages, kind=kind)
        with running(book, folder, execute=execute) as finished:
            report = told_as(kind, study, panel, wave, keys, languages)
            files = contents(report)
            done = finished() if report.keys == keys else None
        if done is None:  # the answers carry no model: the notebook is made again without its sections
            named = [(k, heading(k, study)) for k in report.keys]
            book = notebook(path, wave, named, study.title, languages=languages, kind=kind)
            with running(book, folder, execute=execute) as finished:
                done = finished()
        return written(folder, {**files, "notebook.ipynb": to_text(done).encode()}), report


@contextmanager
def running(book: Book, folder: Path, *, execute: bool) -> Iterator[Callable[[], Book]]:
    """The notebook running beside the `with` block (see `executing`), or as it is when not to be executed."""
    if not execute:
        yield lambda: book
        return
    with executing(book, folder) as finished:
        yield finished


def contents(report: Report) -> dict[str, bytes]:
    """The bytes of every file but the notebook."""
    return {
        "report.html": render_html(report, report.languages).encode(),
        "tables.xlsx": workbook(report, report.languages),
        "numbers.json": to_json(numbers(report)).encode(),
        "record.json": to_json(report.record).encode(),
    }


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
        yield folder
    except BaseException:
        with suppress(OSError):  # a folder that is not empty stays
            for made in fresh:
                made.rmdir()
        raise


def written(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write the files and return the folder.

    Raises:
        Problems: E-OUT.
    """
    try:
        for name, content in files.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        en, zh = f"cannot write {error.filename}: {error.strerror}.", f"无法写入 {error.filename}：{error.strerror}。"
        do, do_zh = "Close the file or choose another folder with --out.", "请关闭该文件，或用 --out 指定其他文件夹。"
        raise Problems([problem("E-OUT", str(folder), en, zh, do, do_zh)]) from error
    return folder
