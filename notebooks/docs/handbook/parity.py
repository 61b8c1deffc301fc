"""The parity sheet: committed numbers of other programs beside ours (`tests/reference/parity.csv`), as a page."""

from __future__ import annotations

import csv
from itertools import groupby

from csi.errors import Language, Text
from handbook.page import LANGUAGES, Page, literal, table
from handbook.prose import ROOT

SHEET = ROOT / "tests" / "reference" / "parity.csv"
QUANTITIES = {
    "estimates": Text("estimates", "估计值"),
    "standard errors": Text("standard errors", "标准误"),
    "fit measures": Text("fit measures", "拟合指标"),
    "composite fit": Text("fit of composites", "合成模型拟合"),
    "weights": Text("outer weights", "外部权重"),
    "loadings": Text("loadings", "载荷"),
    "cross loadings": Text("cross-loadings", "交叉载荷"),
    "paths": Text("paths", "路径系数"),
    "construct cor": Text("correlations of constructs", "构念相关"),
    "score cor": Text("correlations of scores", "得分相关"),
    "r2": Text("R²", "R²"),
    "htmt": Text("HTMT", "HTMT"),
    "alpha": Text("alpha", "α"),
    "rho_a": Text("rho_A", "ρA"),
    "rho_c": Text("rho_c", "ρC"),
    "ave": Text("AVE", "AVE"),
    "total effects": Text("total effects", "总效应"),
    "omega": Text("omega", "ω"),
    "alpha, its error, lambda 6": Text("alpha, its error, lambda 6", "α、其标准误与 λ6"),
}
HEADS = {
    "data": Text("data", "数据"),
    "case": Text("case", "模型与设置"),
    "quantity": Text("quantity", "数量"),
    "compared": Text("numbers", "个数"),
    "worst": Text("the worst", "相差最大者"),
    "reference": Text("reference", "参照值"),
    "ours": Text("csi", "csi"),
    "difference": Text("difference", "差"),
    "tolerance": Text("tolerance", "容差"),
    "file": Text("provenance", "出处"),
}
TITLE = Text("Parity with other programs", "与其他软件对照")
LEAD = Text(
    "Each line is a kind of number of one case: how many numbers were compared, and the one that differs most by the "
    "standard of its tolerance, with both values. {numbers:,} numbers in {lines} lines, {wrong} beyond tolerance. "
    "The sheet is `tests/reference/parity.csv`, written by `python -m tests.reference.parity`; every reference number "
    "stands below `tests/reference` in the file named last, with software, version, command, hash of the data and "
    "tolerance. Tests hold csi to these and to further numbers; the README lists all of them.",
    "每一行是一个算例中的一类数值：比较了多少个，以及相对于容差相差最大的一个，并列出两者的值。"
    "共 {lines} 行、{numbers:,} 个数值，"
    "超出容差的有 {wrong} 个。本表为 `tests/reference/parity.csv`，"
    "由 `python -m tests.reference.parity` 写成；每个参照值保存在"
    "最后一列所示的 `tests/reference` 文件中，附软件、版本、命令、数据哈希值与容差。"
    "测试以这些及更多数值检验 csi，完整清单见 README。",
)
SUMMARY = {
    "program": Text("program", "软件"),
    "lines": Text("lines", "行数"),
    "numbers": Text("numbers", "个数"),
    "share": Text("largest difference / tolerance", "最大差 / 容差"),
}

Row = dict[str, str]


def rows() -> list[Row]:
    """The lines of the sheet, by program."""
    with SHEET.open(encoding="utf-8", newline="") as file:
        return sorted(csv.DictReader(file), key=lambda row: row["program"].casefold())


def parity() -> Page:
    """The sheet in both languages."""
    return Page("evidence/parity.md", {lang: sheet(rows(), lang) for lang in LANGUAGES}, boost=0.6, wide=True)


def sheet(found: list[Row], lang: Language) -> str:
    """The page: how many numbers, a line per program, then all lines."""
    counts = {
        "lines": len(found),
        "numbers": sum(int(row["compared"]) for row in found),
        "wrong": sum(float(row["difference"]) > float(row["tolerance"]) for row in found),
    }
    programs = [(name, list(some)) for name, some in groupby(found, lambda row: row["program"])]
    parts = [f"# {TITLE.say(lang)}", LEAD.say(lang).format(**counts)]
    parts += [table([h.say(lang) for h in SUMMARY.values()], [_summed(name, some) for name, some in programs])]
    for name, some in programs:
        heads = [h.say(lang) for h in HEADS.values()]
        parts += [f"## {literal(name)}", table(heads, [_line(row, lang) for row in some])]
    return "\n\n".join(parts)


def _summed(name: str, some: list[Row]) -> tuple[str, ...]:
    """A program in one line."""
    share = max(float(row["difference"]) / float(row["tolerance"]) for row in some)
    return literal(name), str(len(some)), f"{sum(int(row['compared']) for row in some):,}", f"{share:.2g}"


def _line(row: Row, lang: Language) -> tuple[str, ...]:
    """A line of the sheet: values to nine digits, differences and tolerances to two."""
    quantity = QUANTITIES[row["quantity"]].say(lang)
    numbers = (f"{float(row['reference']):.9g}", f"{float(row['ours']):.9g}")
    apart = (f"{float(row['difference']):.1e}", f"{float(row['tolerance']):.1e}")
    told = (literal(row["data"]), literal(row["case"]), quantity, row["compared"], literal(row["worst"]))
    return (*told, *numbers, *apart, f"`{row['file']}`")
