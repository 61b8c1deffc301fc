"""What a second person needs: correlations with means and deviations, the model's text, hashes and the command."""

from __future__ import annotations

import numpy as np
import polars as pl

from csi.errors import Text
from csi.reporting.analysis import Analysis
from csi.reporting.record import data_hash
from csi.reporting.section import Column, Section, Table
from csi.reporting.sections.model import cell_of
from csi.reporting.sections.paper.facts import Fact, listing

LEAST = 100
"""Resamples that `--bootstrap` takes at least; a study file may have fewer."""


def appendix_section(a: Analysis) -> Section:
    """Correlations of constructs on the page, those of items in the files; syntax; how to make it again."""
    frame, items = construct_frame(a), item_frame(a)
    names = [c for c in frame.columns if c != "construct"]
    columns = (Column("construct", Text("Construct", "构念")), *(Column(c, a.label(c), "coefficient") for c in names))
    shown = frame.with_columns(pl.lit("").alias(f"{c}_reason") for c in names)
    many = len(items)
    return Section(
        key="appendix",
        title=Text("What is needed to repeat this", "复现所需的材料"),
        subtitle=Text(
            f"Correlations, means and deviations of the {many} items are in tables.xlsx and numbers.json",
            f"{many} 个题项的相关、均值与标准差见 tables.xlsx 与 numbers.json",
        ),
        tables=(
            Table(
                "construct_correlations",
                Text("Correlations of constructs", "构念相关"),
                shown,
                columns,
                texts=a.construct_labels,
            ),
            listing("syntax", Text("Model and provenance", "模型与来源"), _facts(a)),
        ),
        data={"construct_correlations": frame, "item_correlations": items},
        code=f"{a.model}\n",
    )


def construct_frame(a: Analysis) -> pl.DataFrame:
    """construct, then a column per construct: the lower triangle of their correlations in the model."""
    solution = cell_of(a).estimate.solution
    cor, names = np.asarray(solution.construct_cor)[0], solution.constructs
    rows = [
        {"construct": x, **{y: float(cor[i, j]) if j <= i else None for j, y in enumerate(names)}}
        for i, x in enumerate(names)
    ]
    return pl.DataFrame(rows, schema={"construct": pl.String, **dict.fromkeys(names, pl.Float64)})


def item_frame(a: Analysis) -> pl.DataFrame:
    """item, mean, sd, then a column per item: the lower triangle of the correlations the model was fitted to."""
    moments = cell_of(a).estimate.moments
    cov, mean, names = np.asarray(moments.cov)[0], np.asarray(moments.mean)[0], moments.names
    sd = np.sqrt(np.diag(cov))
    cor = cov / np.outer(sd, sd)
    rows = [
        {"item": x, "mean": float(mean[i]), "sd": float(sd[i])}
        | {y: float(cor[i, j]) if j <= i else None for j, y in enumerate(names)}
        for i, x in enumerate(names)
    ]
    return pl.DataFrame(rows, schema={"item": pl.String, **dict.fromkeys(("mean", "sd", *names), pl.Float64)})


def _facts(a: Analysis) -> list[Fact]:
    """The model line by line; data, study file, seed and command."""
    lines: dict[str, list[str]] = {"=~": [], "<~": [], "~": []}
    for line in str(a.model).splitlines():
        sign = next((s for s in ("=~", "<~", "~") if f" {s} " in line), "~")
        lines[sign].append(line)
    kinds = {"=~": Text("Measured by", "测量"), "<~": Text("Made of", "构成"), "~": Text("Paths", "路径")}
    facts = [(kinds[s], Text("; ".join(some), "；".join(some))) for s, some in lines.items() if some]
    digest = data_hash(a.panel)[:16]
    wave = f" --wave {a.wave}" if len(a.study.waves) > 1 else ""
    command = f"csi report {a.study.path.name}{wave} --kind paper{_resampling(a)}"
    return [
        *facts,
        (Text("Data", "数据"), Text(f"SHA-256 {digest}…", f"SHA-256 {digest}…")),
        (Text("Study file", "研究文件"), Text(f"SHA-256 {a.study.sha256[:16]}…", f"SHA-256 {a.study.sha256[:16]}…")),
        (Text("Seed", "随机种子"), Text(str(a.study.settings.seed), str(a.study.settings.seed))),
        (Text("Command", "命令"), Text(command, command)),
    ]


def _resampling(a: Analysis) -> str:
    """How the errors were asked for, whether by the study file or by the command: what `csi report` takes of it."""
    s = a.study.settings
    many = f" --bootstrap {s.replicates}" if s.replicates == 0 or s.replicates >= LEAST else ""
    return f"{many} --errors {s.index_errors}"
