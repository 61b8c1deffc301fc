"""Whether the questionnaire measures groups alike: the ladder of invariance, items that favour a group."""

from __future__ import annotations

from functools import partial
from typing import Any

import polars as pl

from csi.errors import Note, Text
from csi.measures.item_bias.dif import Dif
from csi.measures.ladder import TITLES
from csi.measures.questionnaire.validate import Validation
from csi.reporting import figures, style, words
from csi.reporting.drawn import figure
from csi.reporting.section import Column, Emphasis, Section, Table
from csi.reporting.sections.fit import LIMITS, POOR
from csi.reporting.sections.invariance import HELD, VERDICTS
from csi.reporting.validation.held import labels_of, listed

DRAWN = 8
"""Items whose curves are drawn."""


def fairness_section(v: Validation) -> Section | None:
    """One line per step of each key's ladder; the items that favour a group with their size; their curves."""
    if not (v.ladders or v.dif):
        return None
    title = fairness_finding(v)
    tables = [t for t in (_ladders(v), _bias(v)) if t is not None]
    drawn = []
    for key, found in v.dif.items():
        lines = curves(found)
        if lines.height:
            said = words.sentence(_biased(v, key, found))
            drawn.append(figure(f"v_bias_{key}", said, partial(_curves, v, lines)))
    notes: tuple[Note, ...] = tuple(n for one in v.ladders.values() for n in one.notes)
    notes += tuple(n for found in v.dif.values() for n in found.notes)
    frames = {f"ladder_{k}": one.table for k, one in v.ladders.items()}
    frames |= {f"dif_{k}": one.table for k, one in v.dif.items()}
    return Section(
        key="v_fairness",
        title=title,
        subtitle=Text(
            "Equal measurement step by step; items answered differently by people alike in the construct",
            "逐步检验测量等价；构念水平相同者作答不同的题项",
        ),
        figures=tuple(drawn),
        tables=tuple(tables),
        notes=tuple(dict.fromkeys(notes)),
        data=frames,
    )


def fairness_finding(v: Validation) -> Text:
    """How far each ladder holds, and how many items favour a group."""
    parts = []
    for key, one in v.ladders.items():
        rows = one.table.to_dicts()
        held = [r["step"] for r in rows if r["verdict"] in HELD]
        fell = next((r["step"] for r in rows if r["verdict"] == "rejected"), None)
        name = v.asked.labels.get(key, Text(key, key))
        if rows and poor_base(rows[0]):
            en, zh = (style.coefficient(rows[0]["cfi"], lang, 3) for lang in ("en", "zh"))
            parts.append(Text(f"by {name.en} not even the pattern fits (CFI {en})",
                              f"按{name.zh}，形态等值模型本身拟合不佳（CFI {zh}）"))  # fmt: skip
        if fell is not None:
            step = _short(fell)
            parts.append(Text(f"by {name.en} invariance is rejected at the {step.en.lower()} step",
                              f"按{name.zh}，测量不变性在{step.zh}被拒绝"))  # fmt: skip
        elif held:
            step = _short(held[-1])
            parts.append(Text(f"by {name.en} invariance is not rejected up to the {step.en.lower()} step",
                              f"按{name.zh}，直至{step.zh}均未拒绝不变性"))  # fmt: skip
    parts += [_biased(v, key, found) for key, found in v.dif.items()]
    return words.sentence(*parts) if parts else Text("Not told", "未给出")


def poor_base(row: dict[str, Any]) -> bool:
    """Whether the configural model fits poorly, by the limits of the page's headline."""
    return any(row.get(k) is not None and LIMITS[k].verdict(row[k]) == POOR for k in ("cfi", "rmsea"))


def _biased(v: Validation, key: str, found: Dif) -> Text:
    name = v.asked.labels.get(key, Text(key, key))
    flagged = biased_items(found)
    if not flagged:
        return Text(f"no item favours a group of {name.en}", f"没有题项偏向某一{name.zh}组")
    parts = []
    for group, items in favoured(found).items():
        said, who = listed(v, items), v.asked.labels.get(group, Text(group, group))
        verb = "is" if len(items) == 1 else "are"
        parts.append(Text(f"{said.en} {verb} answered higher by {name.en} {who.en} of equal standing",
                          f"构念水平相同时，{name.zh}“{who.zh}”对{said.zh}的回答更高"))  # fmt: skip
    if not parts:
        said = listed(v, flagged)
        return Text(f"{said.en} {'works' if len(flagged) == 1 else 'work'} differently by {name.en}",
                    f"{said.zh}按{name.zh}的作答方式不同")  # fmt: skip
    return Text("; ".join(t.en for t in parts), "；".join(t.zh for t in parts))


def favoured(found: Dif) -> dict[str, list[str]]:
    """Group -> flagged items that its people answer higher than others who are alike in the construct."""
    by: dict[str, list[str]] = {}
    flagged = found.table.filter(pl.col("flagged").fill_null(value=False))
    for row in flagged.iter_rows(named=True):
        size = row["smd"] if row.get("smd") is not None else row["effect"]
        if size:
            items = by.setdefault(row["focal"] if size > 0 else row["reference"], [])
            items += [row["item"]] if row["item"] not in items else []
    return by


def biased_items(found: Dif) -> list[str]:
    """Items flagged in some comparison."""
    flagged = found.table.filter(pl.col("flagged").fill_null(value=False))
    return flagged["item"].unique(maintain_order=True).to_list()


def _short(step: str) -> Text:
    title = {str(k): t for k, t in TITLES.items()}[step]
    return Text(title.en.split(" (")[0], title.zh.split("（")[0])


def _ladders(v: Validation) -> Table | None:
    frames = [one.table.with_columns(pl.lit(key).alias("by")) for key, one in v.ladders.items()]
    if not frames:
        return None
    frame = pl.concat(frames, how="diagonal_relaxed")
    columns = (
        Column("by", Text("Groups", "分组")),
        Column("step", Text("Step", "步骤")),
        Column("chi2", Text("χ²", "χ²"), "score"),
        Column("df", Text("df", "df"), "count"),
        Column("cfi", Text("CFI", "CFI"), "index"),
        Column("rmsea", Text("RMSEA", "RMSEA"), "index"),
        Column("delta_cfi", Text("ΔCFI", "ΔCFI"), "index"),
        Column("delta_p", Text("p of Δχ²", "Δχ² 的 p"), "p"),
        Column("verdict", Text("Verdict", "判断")),
    )
    emphasis: Emphasis = {
        (i, "verdict"): "warn" for i, said in enumerate(frame["verdict"].to_list()) if said == "rejected"
    }
    texts = {**labels_of(v), **{str(k): t for k, t in TITLES.items()}, **VERDICTS}
    shown = tuple(c for c in columns if c.name in frame.columns)
    return Table("v_ladders", Text("Ladder of invariance", "测量不变性逐步检验"), frame, shown, emphasis, texts)


def _bias(v: Validation) -> Table | None:
    frames = [
        found.table.filter(pl.col("flagged").fill_null(value=False)).with_columns(pl.lit(key).alias("by"))
        for key, found in v.dif.items()
    ]
    if not frames or not sum(f.height for f in frames):
        return None
    frame = pl.concat(frames, how="diagonal_relaxed")
    columns = (
        Column("by", Text("Groups", "分组")),
        Column("item", Text("Item", "题项")),
        Column("focal", Text("Group", "组")),
        Column("reference", Text("against", "对照组")),
        Column("effect", Text("Log odds", "对数优势"), "number"),
        Column("r2", Text("ΔR²", "ΔR²"), "index"),
        Column("class_jodoin", Text("Class (R²)", "等级（R²）")),
        Column("smd", Text("SMD", "SMD"), "number"),
        Column("class_ets", Text("Class (ETS)", "等级（ETS）")),
        Column("p_holm", Text("p (Holm)", "p（Holm）"), "p"),
    )
    shown = tuple(c for c in columns if c.name in frame.columns)
    title = Text("Items that favour a group", "偏向某组的题项")
    return Table("v_bias", title, frame, shown, texts=labels_of(v))


def curves(found: Dif) -> pl.DataFrame:
    """Expected answers by group of the flagged items, the largest first."""
    size = found.table.filter(pl.col("flagged").fill_null(value=False)).sort("r2", descending=True, nulls_last=True)
    items = size["item"].unique(maintain_order=True).to_list()[:DRAWN]
    return found.curves.filter(pl.col("item").is_in(items)).select(
        pl.col("item").alias("panel"), pl.col("group").alias("series"),
        pl.col("score").cast(pl.Float64).alias("x"), pl.col("expected").alias("y"),
    )  # fmt: skip


def _curves(v: Validation, lines: pl.DataFrame, *, lang: str, finding: str, width: int) -> str:
    return figures.panels(
        lines, lang=lang, labels=labels_of(v), finding=finding, width=width,
        across=Text("score on the scale", "量表得分"), up=Text("expected answer to the item", "题项的期望得分"),
    )  # fmt: skip
