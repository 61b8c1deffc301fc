"""Which files a report can be written as, what each is called, and which packages it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Final

from csi.errors import Language, Problems, did_you_mean, problem
from csi.reporting.html import render_html
from csi.reporting.renderers.extras import needed
from csi.reporting.section import Report


@dataclass(frozen=True, slots=True)
class Document:
    """A kind of file of which each language has its own: its name with a place for it, its packages, what makes it."""

    name: str
    modules: tuple[str, ...]
    maker: str

    def render(self, report: Report, lang: Language) -> bytes:
        """The file's bytes; what makes it is loaded when it is asked for."""
        make: Callable[[Report, Language], bytes] = resolve_name(f"csi.reporting.renderers.{self.maker}")
        return make(report, lang)


DOCUMENTS: Final[Mapping[str, Document]] = {
    "docx": Document("report.{}.docx", ("docx", "typst"), "docx:docx"),
    "pdf": Document("report.{}.pdf", ("typst",), "pdf:pdf"),
    "tex": Document("tables.{}.tex", (), "tex:tex"),
    "pptx": Document("slides.{}.pptx", ("pptx", "typst"), "pptx:pptx"),
}
USUAL: Final = ("html", "notebook", "xlsx")
"""What a report is written as when nothing is said."""
ONCE: Final = {"html": "report.html", "notebook": "notebook.ipynb", "xlsx": "tables.xlsx", "py": "notebook.py"}
FORMATS: Final = (*ONCE, *DOCUMENTS)
BIBTEX: Final = "references.bib"
"""The works that a paper names, beside it."""
ALWAYS: Final = ("numbers.json", "record.json", "manifest.json")


def check_formats(to: str | Sequence[str]) -> tuple[str, ...]:
    """The kinds of files asked for, each once; their packages are there.

    Raises:
        Problems: E-REPORT-TO, E-PACKAGE.

    Example:
        >>> check_formats("xlsx，html,xlsx")
        ('xlsx', 'html')
    """
    asked = to.replace("，", ",").split(",") if isinstance(to, str) else list(to)
    names = tuple(dict.fromkeys(name.strip().lower().lstrip(".") for name in asked if name.strip()))
    names = tuple(dict.fromkeys("notebook" if n == "ipynb" else n for n in names))
    unknown = [n for n in names if n not in FORMATS]
    if unknown or not names:
        found = []
        for name in unknown or [""]:
            hint = did_you_mean(name, FORMATS)
            en, zh = f'"{name}" is not what a report can be written as.', f"报告不能写为“{name}”。"
            found.append(problem("E-REPORT-TO", "to", en, zh, hint.en, hint.zh))
        raise Problems(found)
    needed({n: DOCUMENTS[n].modules for n in names if n in DOCUMENTS})
    return names


def names_of(to: Sequence[str], languages: Sequence[Language]) -> tuple[str, ...]:
    """The files of a report, in order.

    Example:
        >>> names_of(["html", "docx"], ["zh", "en"])
        ('report.html', 'report.zh.docx', 'report.en.docx', 'numbers.json', 'record.json', 'manifest.json')
    """
    made = [[ONCE[k]] if k in ONCE else [DOCUMENTS[k].name.format(lang) for lang in languages] for k in to]
    return (*(name for names in made for name in names), *ALWAYS)


def rendered(report: Report, to: Sequence[str]) -> dict[str, bytes]:
    """The bytes of every file but the notebook and the numbers."""
    made: dict[str, bytes] = {}
    if "html" in to:
        made[ONCE["html"]] = render_html(report, report.languages).encode()
    if "xlsx" in to:
        workbook: Callable[[Report, Sequence[Language]], bytes] = resolve_name("csi.reporting.xlsx:workbook")
        made[ONCE["xlsx"]] = workbook(report, report.languages)
    for kind in to:
        if kind in DOCUMENTS:
            one = DOCUMENTS[kind]
            made |= {one.name.format(lang): one.render(report, lang) for lang in report.languages}
    return made
