"""The report as an executed notebook: a thin skin over the same sections, with the same bytes on every run."""

from __future__ import annotations

import html
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen
from tempfile import TemporaryFile
from typing import Any

import csi
from csi.errors import Problems, Text, problem

Book = dict[str, Any]
"""A notebook as plain values (nbformat 4.5)."""

METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def notebook(
    study: str,
    wave: str,
    sections: Sequence[tuple[str, Text]],
    title: Text,
    *,
    languages: Sequence[str] = ("zh", "en"),
    kind: str = "quarterly",
    replicates: int = 1000,
    errors: str = "bootstrap",
) -> Book:
    """A notebook that makes the report and shows its sections one by one; not yet run.

    Parameters:
        study: the study file as the notebook will open it (relative to the notebook's folder).
        wave, languages, kind, replicates, errors: as for `csi.report`; they stand in a cell tagged "parameters", which
            a tool may follow with a cell of other values. sections: those to show, with what they are called.
        title: over the notebook.
    """
    asked = {"study": study, "wave": wave, "languages": ",".join(languages), "kind": kind}
    own = "\n".join(
        f"{name} = {value!r}" for name, value in (asked | {"replicates": replicates, "errors": errors}).items()
    )
    cells = [
        ("markdown", f"# {literal(_both(title, languages))}"),
        ("code", own),
        ("code", MADE),
    ]
    for key, name in sections:
        cells += [("markdown", f"## {_both(name, languages)}"), ("code", f'r.section("{key}")')]
    book = from_cells(cells)
    book["cells"][1]["metadata"] = {"tags": ["parameters"]}
    return book


MADE = """import csi

r = csi.report(
    study, wave=wave, lang=languages, kind=kind, replicates=replicates, errors=errors
)
r"""
"""The cell after the parameters."""


def with_sources(done: Book, book: Book) -> Book:
    """An executed notebook with the sources of another, cell by cell.

    Example:
        >>> with_sources(from_cells([("code", "1")]), from_cells([("code", "2")]))["cells"][0]["source"]
        '2'
    """
    pairs = zip(done["cells"], book["cells"], strict=True)
    return {**done, "cells": [{**cell, "source": other["source"]} for cell, other in pairs]}


def to_percent(book: Book) -> str:
    r"""The notebook as a script of cells that editors and JupyterLab (with jupytext) open: the percent format.

    Example:
        >>> to_percent(from_cells([("markdown", "# A"), ("code", "1 + 1")])).splitlines()
        ['# %% [markdown]', '# # A', '', '# %%', '1 + 1']
    """
    return "\n\n".join(_percent(cell) for cell in book["cells"]) + "\n"


def _percent(cell: Book) -> str:
    """One cell with its mark."""
    source = cell["source"]
    if cell["cell_type"] != "code":
        return "\n".join(["# %% [markdown]", *(f"# {line}".rstrip() for line in source.splitlines())])
    tags = cell["metadata"].get("tags")
    return f"# %%{f' tags={json.dumps(tags)}' if tags else ''}\n{source}"


def literal(text: str) -> str:
    r"""A text as markdown shows it letter by letter: on one line, without HTML, links, emphasis or formulas.

    Example:
        >>> literal("<b> *A* [x](y)\n$z$ Q1, App")
        '&lt;b&gt; \\*A\\* \\[x\\]\\(y\\) \\$z\\$ Q1, App'
    """
    plain = html.escape(" ".join(text.split()), quote=False)
    return re.sub(r"([\\`*_{}\[\]()#!|~$])", r"\\\1", plain)


def from_cells(cells: Sequence[tuple[str, str]]) -> Book:
    """A notebook of (kind, source) cells with ids that count, so that the same cells give the same bytes.

    Example:
        >>> [c["id"] for c in from_cells([("markdown", "# A"), ("code", "1 + 1")])["cells"]]
        ['cell-01', 'cell-02']
    """
    made = []
    for number, (kind, source) in enumerate(cells, start=1):
        cell: Book = {"cell_type": kind, "id": f"cell-{number:02d}", "metadata": {}, "source": source}
        made.append({**cell, "execution_count": None, "outputs": []} if kind == "code" else cell)
    return {"cells": made, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}


def execute(book: Book, folder: Path) -> Book:
    """Run every cell in `folder` with this very interpreter; outputs keep no time, no address, no stream.

    Parameters:
        book: the notebook. folder: the working directory of its kernel.

    Returns:
        The notebook with its outputs.

    Raises:
        Problems: E-NOTEBOOK with the error when a cell fails.
    """
    with executing(book, folder) as finished:
        return finished()


@contextmanager
def executing(book: Book, folder: Path) -> Iterator[Callable[[], Book]]:
    """Run the notebook beside the work of the `with` block; the function it gives waits for the executed notebook.

    When the block fails, or ends without asking for it, the notebook's process ends with it.
    """
    with TemporaryFile("w+", encoding="utf-8") as source:
        json.dump(book, source)
        source.seek(0)
        command = [sys.executable, "-m", "csi.reporting.runner", str(folder)]
        with Popen(command, stdin=source, stdout=PIPE, stderr=PIPE, env=environment()) as process:  # noqa: S603 - our own module
            try:
                yield lambda: _finished(process)
            finally:
                process.terminate()


def _finished(process: Popen[bytes]) -> Book:
    """Wait for the notebook; a cell that failed raises."""
    out, said = process.communicate()
    if process.returncode == 0:
        return cleaned(json.loads(out))
    if out:
        error = json.loads(out)
        what = f"{error['name']}: {error['value']}"
    else:
        what = said.decode(errors="replace").strip().rsplit("\n", 1)[-1]
    en, zh = f"the notebook could not be run: {what}", f"笔记本运行失败：{what}"
    do, do_zh = "Open it and run its cells to see more.", "请打开笔记本并运行各单元格以了解详情。"
    raise Problems([problem("E-NOTEBOOK", "notebook.ipynb", en, zh, do, do_zh)])


def cleaned(book: Book) -> Book:
    """Drop what differs between runs: printed streams, timings, the kernel's version.

    Example:
        >>> book = from_cells([("code", "1")])
        >>> book["cells"][0]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "3.1 s"}]
        >>> cleaned(book)["cells"][0]["outputs"]
        []
    """
    return {**book, "metadata": METADATA, "cells": [_cleaned_cell(cell) for cell in book["cells"]]}


def _cleaned_cell(cell: Book) -> Book:
    if cell["cell_type"] != "code":
        return cell
    outputs = [o for o in cell["outputs"] if o["output_type"] != "stream"]
    metadata = {k: v for k, v in cell["metadata"].items() if k != "execution"}
    return {**cell, "outputs": outputs, "metadata": metadata}


def without_outputs(book: Book) -> Book:
    """The notebook as it is kept under version control.

    Example:
        >>> without_outputs(from_cells([("code", "1")]))["cells"][0]["execution_count"] is None
        True
    """
    bare = [
        {**c, "outputs": [], "execution_count": None} if c["cell_type"] == "code" else c for c in cleaned(book)["cells"]
    ]
    return {**cleaned(book), "cells": bare}


def to_text(book: Book) -> str:
    """The .ipynb file: sorted keys, UTF-8, sources and outputs as lists of lines, one final newline.

    Example:
        >>> to_text(from_cells([("markdown", "# 甲")])).splitlines()[:3]
        ['{', ' "cells": [', '  {']
    """
    lined = {**book, "cells": [_lined(cell) for cell in book["cells"]]}
    return json.dumps(lined, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def from_text(text: str) -> Book:
    r"""The notebook of an .ipynb file whose outputs are cleared; the inverse of `to_text`.

    Example:
        >>> book = from_cells([("markdown", "# A\nB"), ("code", "1")])
        >>> from_text(to_text(book)) == book
        True
    """
    book: Book = json.loads(text)
    return {**book, "cells": [{**c, "source": "".join(c["source"])} for c in book["cells"]]}


def _lined(cell: Book) -> Book:
    """Texts as lists of lines, as notebooks are stored."""
    made = {**cell, "source": cell["source"].splitlines(keepends=True)}
    if cell["cell_type"] == "code":
        made["outputs"] = [_lined_output(o) for o in cell["outputs"]]
    return made


def _lined_output(output: Book) -> Book:
    data = output.get("data", {})
    lines = {kind: text.splitlines(keepends=True) if isinstance(text, str) else text for kind, text in data.items()}
    return {**output, "data": lines} if "data" in output else output


def environment() -> dict[str, str]:
    """This process's environment, with the package importable and one thread per BLAS call."""
    home = str(Path(csi.__file__).parents[1])
    path = os.pathsep.join([home, *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"}


def _both(text: Text, languages: Sequence[str]) -> str:
    return " · ".join(dict.fromkeys(text.say(lang) for lang in languages))
