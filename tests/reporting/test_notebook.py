"""Notebooks: fixed ids, clean outputs, errors as problems; the three that ship run."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from csi.errors import Problems, Text
from csi.reporting.headings import HEADINGS
from csi.reporting.notebook import (
    execute,
    executing,
    from_cells,
    from_text,
    notebook,
    to_percent,
    to_text,
    without_outputs,
)

OWN = """study = '../study.yaml'
wave = '2026Q3'
languages = 'zh,en'
kind = 'quarterly'
replicates = 200
errors = 'fixed'"""
MADE = """import csi

r = csi.report(
    study, wave=wave, lang=languages, kind=kind, replicates=replicates, errors=errors
)
r"""
SHIPPED = Path(__file__).parents[2] / "notebooks"


def test_the_notebook_is_a_thin_skin():
    book = notebook(
        "../study.yaml",
        "2026Q3",
        [(k, HEADINGS[k]) for k in ("trend", "model")],
        Text("T", "题"),
        languages=("zh", "en"),
        replicates=200,
        errors="fixed",
    )
    assert book["cells"][1]["metadata"] == {"tags": ["parameters"]}
    assert '# %% tags=["parameters"]\nstudy = ' in to_percent(book)
    compile(to_percent(book), "notebook.py", "exec")
    assert [c["source"] for c in book["cells"]] == [
        "# 题 · T",
        OWN,
        MADE,
        "## 趋势 · Trend",
        'r.section("trend")',
        "## 模型 · Model",
        'r.section("model")',
    ]
    assert [c["id"] for c in book["cells"]] == [f"cell-{i:02d}" for i in range(1, 8)]


def test_outputs_are_kept_but_streams_and_times_are_not(tmp_path):
    book = from_cells([("markdown", "# A"), ("code", "import os\nprint('x')\nos.getcwd() == os.path.realpath('.')")])
    done = execute(book, tmp_path)
    (output,) = done["cells"][1]["outputs"]
    assert output["data"]["text/plain"] == "True"
    assert "execution" not in done["cells"][1]["metadata"]
    assert done["metadata"]["language_info"] == {"name": "python"}
    bare = without_outputs(done)
    assert to_text(bare) == to_text(book)


def test_a_failing_cell_is_a_problem_without_a_traceback(tmp_path):
    with pytest.raises(Problems, match="ZeroDivisionError: division by zero") as caught:
        execute(from_cells([("code", "1 / 0")]), tmp_path)
    assert "Traceback" not in str(caught.value)


def test_the_block_that_fails_ends_the_notebook(tmp_path):
    slow = from_cells([("code", "import time; time.sleep(60)")])
    with pytest.raises(KeyError), executing(slow, tmp_path):
        raise KeyError


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.ipynb")), ids=lambda p: p.stem)
def test_shipped_notebooks_are_short_and_clean(path):
    text = path.read_text(encoding="utf-8")
    book = from_text(text)
    assert 8 <= len(book["cells"]) <= 12
    assert all(c["outputs"] == [] and c["execution_count"] is None for c in book["cells"] if c["cell_type"] == "code")
    assert to_text(from_cells([(c["cell_type"], c["source"]) for c in book["cells"]])) == text


def test_shipped_notebooks_run():
    """All at once; each cell that shows a section shows a picture or a table."""
    books = {p.stem: from_text(p.read_text(encoding="utf-8")) for p in sorted(SHIPPED.glob("*.ipynb"))}
    assert set(books) == {"expectation", "quarterly", "researcher", "validator"}
    with ExitStack() as stack:
        running = {name: stack.enter_context(executing(book, SHIPPED)) for name, book in books.items()}
        done = {name: finished() for name, finished in running.items()}
    for book in done.values():
        for cell in book["cells"]:
            if "r.section(" in "".join(cell["source"]):
                shown = "".join(cell["outputs"][0]["data"]["text/html"])
                assert "<svg" in shown or "<table" in shown
