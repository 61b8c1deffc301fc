"""The notebooks beside the pages, run, as pages: their text, their code and what every cell shows."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from csi.errors import Language
from csi.reporting.notebook import Book, executing, from_text, without_outputs
from handbook.page import LANGUAGES, Page
from handbook.prose import HERE, UNRUN

FOLDER = HERE.parent
NAMES = ("quarterly", "researcher", "validator", "expectation")


@dataclass
class Shown:
    """What cells show, put into the finished pages: HTML would not survive markdown."""

    html: dict[str, str] = field(default_factory=dict)

    def place(self, name: str, at: int, html: str) -> str:
        """A place in a page that `fill` fills."""
        key = f"cell-{name}-{at}"
        self.html[key] = html
        return f'<div class="cell" id="{key}"></div>'

    def fill(self, page: str) -> str:
        """A finished page with what its cells show."""
        return re.sub(r'<div class="cell" id="(cell-\w+-\d+)"></div>', lambda m: self._one(m[1]), page)

    def _one(self, key: str) -> str:
        """One cell."""
        return f'<div class="cell" id="{key}">{self.html[key]}</div>'


def tutorials(shown: Shown, *, run: bool = True) -> list[Page]:
    """A page for each notebook, its reports in the page's language; the notebooks of a language run at once."""
    told: dict[str, dict[Language, str]] = {name: {} for name in NAMES}
    for lang in LANGUAGES:
        for name, book in _ran(lang, run=run).items():
            told[name][lang] = _page(name, book, shown, lang, run=run)
    return [Page(f"tutorials/{name}.md", body, boost=1.5) for name, body in told.items()]


def _ran(lang: Language, *, run: bool) -> dict[str, Book]:
    """The notebooks, run where `run`."""
    books = {n: from_text(spoken((FOLDER / f"{n}.ipynb").read_text(encoding="utf-8"), lang)) for n in NAMES}
    if not run:
        return books
    with ExitStack() as stack:
        running = {n: stack.enter_context(executing(without_outputs(b), FOLDER)) for n, b in books.items()}
        return {n: finished() for n, finished in running.items()}


def spoken(text: str, lang: Language) -> str:
    """A notebook's text (JSON) whose reports are in a language; the demonstration study's own is Chinese."""
    if lang == "zh":
        return text
    return re.sub(r"(csi\.report\([^)]*)\)", lambda found: found[1] + ', lang=\\"en\\")', text)


def _page(name: str, book: Book, shown: Shown, lang: Language, *, run: bool) -> str:
    """One notebook; its prose is in both languages already. Where it was not run, it says so and shows no output."""
    parts = []
    for at, cell in enumerate(book["cells"]):
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(text)
            continue
        parts.append(f"```python\n{text}\n```")
        parts += [_output(f"{name}_{lang}", at, output, shown) for output in cell.get("outputs", []) if run]
    head = {"en": f"*The notebook is `notebooks/{name}.ipynb`.*", "zh": f"*笔记本文件：`notebooks/{name}.ipynb`。*"}
    title, *rest = parts
    return "\n\n".join([title, head[lang], *([] if run else [UNRUN[lang]]), *rest])


def _output(name: str, at: int, output: dict[str, Any], shown: Shown) -> str:
    """What one cell shows: its page or table, else its text."""
    data = output.get("data", {})
    if "text/html" in data:
        return shown.place(name, at, "".join(data["text/html"]))
    said = "".join(data.get("text/plain", "")) or "".join(output.get("text", ""))
    return f"````text\n{said.rstrip()}\n````"
