"""The notebooks beside the pages, run, as pages: their text, their code and what every cell shows."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from csi.reporting.notebook import Book, executing, from_text, without_outputs
from handbook.page import LANGUAGES, Page
from handbook.prose import HERE

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
    """A page for each notebook; all run at once."""
    books = {n: from_text((FOLDER / f"{n}.ipynb").read_text(encoding="utf-8")) for n in NAMES}
    if run:
        with ExitStack() as stack:
            running = {n: stack.enter_context(executing(without_outputs(b), FOLDER)) for n, b in books.items()}
            books = {n: finished() for n, finished in running.items()}
    return [_page(name, book, shown) for name, book in books.items()]


def _page(name: str, book: Book, shown: Shown) -> Page:
    """One notebook; its prose is in both languages already."""
    parts = []
    for at, cell in enumerate(book["cells"]):
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(text)
            continue
        parts.append(f"```python\n{text}\n```")
        parts += [_output(name, at, output, shown) for output in cell.get("outputs", [])]
    head = {"en": f"*The notebook is `notebooks/{name}.ipynb`.*", "zh": f"*笔记本文件：`notebooks/{name}.ipynb`。*"}
    title, *rest = parts
    body = {lang: "\n\n".join([title, head[lang], *rest]) for lang in LANGUAGES}
    return Page(f"tutorials/{name}.md", body, boost=1.5)


def _output(name: str, at: int, output: dict[str, Any], shown: Shown) -> str:
    """What one cell shows: its page or table, else its text."""
    data = output.get("data", {})
    if "text/html" in data:
        return shown.place(name, at, "".join(data["text/html"]))
    said = "".join(data.get("text/plain", "")) or "".join(output.get("text", ""))
    return f"````text\n{said.rstrip()}\n````"
