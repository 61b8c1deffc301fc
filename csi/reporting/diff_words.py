"""What changed between two runs, in words computed from the tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from csi.display import fixed
from csi.errors import Note, Text, note
from csi.reporting.diff_evidence import evidence_of
from csi.reporting.diff_read import Facts
from csi.tracking.gate_words import minus
from csi.tracking.index_table import formula_note

PARTS: Final = {
    "data": Text("Data and study", "数据与研究文件"),
    "cells": Text("Answers by cell", "各单元样本量"),
    "settings": Text("Settings", "设置"),
    "versions": Text("Versions", "版本"),
    "numbers": Text("Numbers", "数值"),
}

QUANTITIES: Final = {
    "index": Text("index", "指数"),
    "std_error": Text("standard error", "标准误"),
    "conf_low": Text("lower limit", "区间下限"),
    "conf_high": Text("upper limit", "区间上限"),
    "weight": Text("weight", "权重"),
    "change": Text("change", "变化"),
    "significant": Text("significance of a change", "变化的显著性"),
    "rank": Text("rank", "名次"),
    "rank_low": Text("lower rank", "名次下限"),
    "rank_high": Text("upper rank", "名次上限"),
    "omega": Text("omega", "ω"),
    "alpha": Text("alpha", "α"),
    "item_rest": Text("item-rest correlation", "题余相关"),
    "loading": Text("loading", "载荷"),
    "htmt": Text("HTMT", "HTMT"),
    "cfi": Text("CFI", "CFI"),
    "rmsea": Text("RMSEA", "RMSEA"),
    "srmr": Text("SRMR", "SRMR"),
}

DECIMALS: Final = {
    "weight": 3, "std_error": 2, "rank": 0, "rank_low": 0, "rank_high": 0, "significant": 0, "omega": 2, "alpha": 2,
    "item_rest": 2, "loading": 2, "htmt": 2, "cfi": 3, "rmsea": 3, "srmr": 3,
}  # fmt: skip
"""Digits a quantity is printed with, where it is not one."""

_DATA: Final = {
    "data": Text("the data are other data", "数据不同"),
    "codebook": Text("the codebook differs", "编码簿不同"),
    "study": Text("the study file differs", "研究文件不同"),
}

_FILE: Final = {"new": Text("is new", "为新增"), "gone": Text("is gone", "已移除"), "differs": Text("differs", "不同")}

_MOST: Final = 4
"""Settings that a sentence names."""


def sentences_of(
    data: pl.DataFrame, cells: pl.DataFrame, settings: pl.DataFrame, versions: pl.DataFrame, numbers: pl.DataFrame
) -> tuple[Text, ...]:
    """One sentence per part that changed; one alone when nothing did."""
    found = [*_of_data(data, settings), *_of_cells(cells), *_of_settings(settings), *_of_versions(versions)]
    differs = numbers.filter(pl.col("status") != "same")
    for name in numbers["quantity"].unique(maintain_order=True):
        found += _of_quantity(name, differs.filter(pl.col("quantity") == name))
    if not found:
        return (Text("Nothing changed.", "没有任何变化。"),)
    if differs.is_empty() and numbers.height:
        count = numbers.height
        found.append(Text(f"All {count} numbers are the same.", f"全部 {count} 个数值均未变化。"))
    return tuple(found)


def _of_data(data: pl.DataFrame, settings: pl.DataFrame) -> list[Text]:
    """Hashes and rows."""
    found = []
    for part, before, after in data.iter_rows():
        if part == "rows":
            en, zh = f"rows read {before or '-'} -> {after or '-'}", f"读入行数 {before or '-'} → {after or '-'}"
            found.append(Text(en, zh))
        elif part.startswith("files."):
            name = part.removeprefix("files.")
            how = (
                ("is new", "为新增")
                if before is None
                else ("is gone", "已移除")
                if after is None
                else ("differs", "不同")
            )
            found.append(Text(f"file {name} {how[0]}", f"文件 {name} {how[1]}"))
        elif part in _DATA:
            alone = part == "study" and settings.is_empty()
            known = _DATA[part]
            found.append(Text(f"{known.en} (in no setting)", f"{known.zh}（设置未变）") if alone else known)
    if not found:
        return []
    en, zh = "; ".join(t.en for t in found), "；".join(t.zh for t in found)
    return [Text(f"{en[0].upper()}{en[1:]}.", f"{zh}。")]


def _of_cells(cells: pl.DataFrame) -> list[Text]:
    """How many cells have other answers, in all."""
    if cells.is_empty():
        return []
    found = []
    moved = cells.filter(pl.col("what").is_in(["rows", "new", "gone"]))
    if moved.height:
        k, a, b = moved.height, int(moved["before"].sum()), int(moved["after"].sum())
        en = "1 cell has" if k == 1 else f"{k} cells have"
        found.append(Text(f"{en} another number of answers ({a} -> {b}).", f"{k} 个单元的样本量不同（{a} → {b}）。"))
    for what, en, zh in (("answers", "other answers", "答卷"), ("design weights", "other design weights", "抽样权重")):
        k = cells.filter(pl.col("what") == what).height
        if k:
            has = "1 cell has" if k == 1 else f"{k} cells have"
            found.append(Text(f"{has} as many answers but {en}.", f"{k} 个单元样本量相同而{zh}不同。"))
    return found


def _of_settings(settings: pl.DataFrame) -> list[Text]:
    """Settings by name with both values."""
    if settings.is_empty():
        return []
    said = [f"{name} {_short(a)} -> {_short(b)}" for name, a, b in settings.head(_MOST).iter_rows()]
    more = settings.height - _MOST
    en = "; ".join(said) + (f"; and {more} more" if more > 0 else "")
    zh = "；".join(s.replace(" -> ", " → ") for s in said) + (f"；另有 {more} 项" if more > 0 else "")
    return [Text(f"Settings: {en}.", f"设置：{zh}。")]


def _of_versions(versions: pl.DataFrame) -> list[Text]:
    """Packages whose version differs."""
    if versions.is_empty():
        return []
    said = [f"{name} {a or '-'} -> {b or '-'}" for name, a, b in versions.iter_rows()]
    return [Text(f"Versions: {'; '.join(said)}.", f"版本：{'；'.join(said).replace(' -> ', ' → ')}。")]


def _of_quantity(name: str, rows: pl.DataFrame) -> list[Text]:
    """Numbers of one kind: the largest difference named, the others counted."""
    found, said = [], QUANTITIES[name]
    moved = rows.filter(pl.col("status") == "changed").sort(pl.col("difference").abs(), descending=True)
    if moved.height:
        found.append(_largest(name, moved))
    for status, en, zh in (("new", "new", "新增"), ("gone", "gone", "消失")):
        k = rows.filter(pl.col("status") == status).height
        if k:
            values = "value is" if k == 1 else "values are"
            found.append(Text(f"{said.en}: {k} {values} {en}.", f"{said.zh}：{k} 个值{zh}。"))
    rounding = rows.filter(pl.col("status") == "rounding")
    if rounding.height:
        k, most = rounding.height, max(rounding["difference"].abs().to_list())
        differ = "value differs" if k == 1 else "values differ"
        en = f"{said.en}: {k} {differ} by less than is printed (at most {most:.2g})."
        found.append(Text(en, f"{said.zh}：{k} 个值的差异小于显示位数（最大 {most:.2g}）。"))
    return found


def _largest(name: str, moved: pl.DataFrame) -> Text:
    """The number that moved most, and how many others moved."""
    row, k, said = moved.row(0, named=True), moved.height, QUANTITIES[name]
    place = _place(row)
    if name == "significant":
        en = f"{said.en}: {k} {'differs' if k == 1 else 'differ'}, of {place} for one."
        return Text(en, f"{said.zh}：{k} 处不同，例如 {place}。")
    digits = DECIMALS.get(name, 1)
    a, b = (minus(fixed(row[k], digits)) for k in ("before", "after"))
    d = minus(f"{row['difference']:+.{digits}f}")
    if k == 1:
        return Text(f"{said.en}: {place} {a} -> {b} ({d}).", f"{said.zh}：{place} {a} → {b}（{d}）。")
    en = f"{said.en}: {k} values changed, most of all {place} {a} -> {b} ({d})."
    return Text(en, f"{said.zh}：{k} 个值改变，变化最大的是 {place} {a} → {b}（{d}）。")


def _place(row: dict[str, object]) -> str:
    """Which number it is."""
    keys: Sequence[str] = ("brand", "wave", "stage", "segment", "construct", "item", "against")
    return " ".join(str(row[k]) for k in keys if row.get(k))


def _short(value: str | None) -> str:
    """A setting's value on one line."""
    said = "-" if value is None else " ".join(value.split()) or '""'
    return said if len(said) <= 40 else f"{said[:37]}..."


def notes_of(a: Facts, b: Facts, numbers: pl.DataFrame, untold: Sequence[str] = ()) -> tuple[Note, ...]:
    """What could not be compared, because one record does not hold it; the evidence behind what differs.

    Parameters:
        untold: constructs of numbers that one record alone tells, once per number.
    """
    found = []
    one, other = ({name for name, _ in f.numbers} for f in (a, b))
    alone = sorted(one ^ other)
    if alone:
        en = f"Only one of the records holds: {', '.join(QUANTITIES[n].en for n in alone)}; not compared."
        zh = f"仅一份记录包含：{'、'.join(QUANTITIES[n].zh for n in alone)}；未作比较。"
        found.append(note("N-DIFF-ALONE", en, zh))
    if untold:
        k, names = len(untold), list(dict.fromkeys(untold))
        some, some_zh = ", ".join(names[:_MOST]), "、".join(names[:_MOST])
        more = len(names) > _MOST
        count = "1 number" if k == 1 else f"{k} numbers"
        en = f"{count} of cells that both have in one of the records alone ({some}{', ...' if more else ''});"
        zh = f"两份记录共有的单元中，{k} 个数值只见于一份记录（{some_zh}{' 等' if more else ''}），未作比较。"
        found.append(note("N-DIFF-ALONE", f"{en} not compared.", zh))
    if numbers.is_empty():
        en, zh = "The records have no number in common.", "两份记录没有共同的数值。"
        found.append(note("N-DIFF-NUMBERS", en, zh))
    if not (a.data and b.data):
        en, zh = "At least one of them says nothing of its data.", "至少一份记录没有数据来源信息。"
        found.append(note("N-DIFF-DATA", en, zh))
    ids = {str(v) for f in (a, b) for k, v in f.settings.items() if k.startswith("formula.")}
    moved = numbers.filter((pl.col("quantity") == "index") & ~pl.col("status").is_in(["same", "rounding"]))
    if ids and moved.height:
        found.append(formula_note(sorted(ids)))
    return (*found, *evidence_of(a, b, numbers))
