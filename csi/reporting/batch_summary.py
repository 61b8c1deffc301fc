"""What stands beside the records of a batch: summary.csv and summary.xlsx, a row per cell."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl

from csi.errors import Note, Text
from csi.reporting.section import Column, Headline, Kind, Report, Section, Table
from csi.reporting.sheets import to_csv
from csi.reporting.write import written
from csi.reporting.xlsx import workbook
from csi.study.study import Study

FILES: Final = ("summary.csv", "summary.xlsx")
HEADINGS: Final = {
    "formula": Text("formula", "公式"),
    "brand": Text("brand", "品牌"),
    "wave": Text("wave", "期次"),
    "stage": Text("stage", "阶段"),
    "segment": Text("segment", "细分"),
    "n": Text("n", "样本量"),
    "n_effective": Text("effective n", "有效样本量"),
    "index": Text("index", "指数"),
    "std_error": Text("SE", "标准误"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "status": Text("status", "状态"),
    "kept": Text("unchanged", "沿用"),
    "reason": Text("reason", "原因（英文）"),
    "reason_zh": Text("reason (zh)", "原因"),
    "record": Text("record (line)", "记录（行）"),
}
STATUS: Final = {
    "done": Text("done", "完成"),
    "withheld": Text("withheld", "不予发布"),
    "failed": Text("failed", "失败"),
    "true": Text("yes", "是"),
    "false": Text("no", "否"),
}
_KINDS: Final[dict[str, Kind]] = {
    "n": "count",
    "n_effective": "count",
    "index": "score",
    "std_error": "number",
    "conf_low": "score",
    "conf_high": "score",
    "record": "count",
}


def summarise(study: Study, folder: Path, table: pl.DataFrame, said: Text, notes: tuple[Note, ...]) -> None:
    """Write the table of all cells in both forms; of the workbook a sheet per language.

    Raises:
        Problems: E-OUT.
    """
    target = study.settings.target
    label = study.codebook.label(target, "en"), study.codebook.label(target, "zh")
    title = Text(f"{label[0]}: index of every cell", f"{label[1]}：各单元指数")
    shown = table.with_columns(pl.col("kept").cast(pl.String))
    heads = {**HEADINGS, **{k: Text(k, k) for k in table.columns if k not in HEADINGS}}
    columns = tuple(Column(k, heads[k], _KINDS.get(k, "text")) for k in table.columns)
    one = Table("cells", title, shown, columns, texts=STATUS)
    section = Section("cells", title, said, tables=(one,), notes=notes)
    nan = float("nan")
    head = Headline(title, said, nan, nan, nan, (), Text("", ""))
    report = Report(study.title, head, (section,), {})
    sheet = workbook(report, ("zh", "en") if study.language == "zh" else ("en", "zh"))
    written(folder, {"summary.csv": to_csv(table), "summary.xlsx": sheet})
