"""The works that a paper's sentences cite: listed in APA style, and as BibTeX to copy."""

from __future__ import annotations

import polars as pl

from csi.errors import Text
from csi.reporting.analysis import Analysis
from csi.reporting.formats import BIBTEX
from csi.reporting.section import Section
from csi.reporting.sections.paper.works import apa, bibtex, keys_in, lettered, slanted, works
from csi.reporting.sections.paper.writing import methods


def references_section(a: Analysis) -> Section:
    """Every work cited and no other."""
    years = lettered(keys_in(methods(a)))
    keys = sorted(years, key=lambda k: apa(works()[k], years[k]).casefold())
    listed = [apa(works()[k], years[k]) for k in keys]
    lines, many = {"key": keys, "apa": listed}, len(keys)
    return Section(
        key="references",
        title=Text(f"{many} works cited", f"引用文献 {many} 篇"),
        subtitle=Text(
            f"In APA style; as BibTeX in {BIBTEX} beside the report", f"APA 格式；BibTeX 见报告同目录的 {BIBTEX}"
        ),
        paragraphs=tuple(Text(t, t) for t in listed),
        data={"references": pl.DataFrame(lines, schema=dict.fromkeys(lines, pl.String))},
        slanted=tuple(slanted(works()[k]) for k in keys),
        code=bibtex(keys),
    )
