"""The works that a paper's sentences cite: listed in APA style, and as BibTeX to copy."""

from __future__ import annotations

import polars as pl

from csi.errors import Text
from csi.reporting.analysis import Analysis
from csi.reporting.formats import BIBTEX
from csi.reporting.section import Section
from csi.reporting.sections.paper.works import apa, bibtex, keys_in, lettered, works
from csi.reporting.sections.paper.writing import methods


def references_section(a: Analysis) -> Section:
    """Every work cited and no other."""
    years = lettered(keys_in(methods(a)))
    keys = sorted(years, key=lambda k: apa(works()[k], years[k]).casefold())
    listed = [apa(works()[k], years[k]) for k in keys]
    many = len(keys)
    return Section(
        key="references",
        title=Text(f"{many} works cited", f"引用文献 {many} 篇"),
        subtitle=Text(
            f"As BibTeX below, and in {BIBTEX} beside the report", f"BibTeX 见下，亦存于报告同目录的 {BIBTEX}"
        ),
        paragraphs=tuple(Text(t, t) for t in listed),
        data={"references": pl.DataFrame({"key": keys, "apa": listed}, schema={"key": pl.String, "apa": pl.String})},
        code=bibtex(keys),
    )
