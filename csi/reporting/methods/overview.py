"""What every model told says, in one table: the first section of a report on expectation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from csi.errors import Text
from csi.reporting.section import Column, Section, Table

KEY = "overview"


def overview(sections: Sequence[Section], names: Mapping[str, Text]) -> Section:
    """One line per model: its name and its finding.

    Parameters:
        sections: of the models, in order. names: key -> what the model is called.

    Example:
        >>> told = Section("gap", Text("Short by 0.5", "低 0.5 分"), Text("", ""))
        >>> overview([told], {"gap": Text("Gap", "差距")}).title.zh
        '1 个模型的结论'
    """
    frame = pl.DataFrame(
        {
            "model": [s.key for s in sections],
            "finding": [f"finding of {s.key}" for s in sections],
            "finding_en": [s.title.en for s in sections],
            "finding_zh": [s.title.zh for s in sections],
        }
    )
    texts = {**{s.key: names[s.key] for s in sections}, **{f"finding of {s.key}": s.title for s in sections}}
    columns = (Column("model", Text("Model", "模型")), Column("finding", Text("Finding", "结论")))
    named = Text("Models and findings", "模型与结论")
    table = Table("overview", named, frame, columns, texts=texts, anchors=tuple(s.key for s in sections))
    many = len(sections)
    title = Text(f"What {many} models say", f"{many} 个模型的结论")
    return Section(
        key=KEY,
        title=title,
        subtitle=Text(
            "Each has its section below; those that the columns do not allow are named by csi check",
            "详见以下各节；现有列不支持的模型由 csi check 列出",
        ),
        tables=(table,),
        data={"overview": frame.drop("finding")},
    )
