"""Kano's classes, as a section."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import polars as pl

from csi.errors import Text
from csi.expectation.kano import Kano, kano
from csi.expectation.kano_words import CLASSES, HEADINGS, LEGACY, SURE
from csi.reporting.drawn import figure
from csi.reporting.figures import kano_map
from csi.reporting.methods.method import Method, tabled, texts_of
from csi.reporting.methods.needs import forms
from csi.reporting.section import Figure, Kind, Section
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.panel import Panel

SHOWN: dict[str, Kind] = {
    "attribute": "text", "n": "count", "class": "text", "support": "share", "cs_plus": "coefficient",
    "cs_plus_low": "coefficient", "cs_plus_high": "coefficient", "cs_minus": "coefficient",
    "cs_minus_low": "coefficient", "cs_minus_high": "coefficient", **dict.fromkeys("MOAIRQ", "count"),
}  # fmt: skip
STRENGTH: dict[str, Kind] = {
    "attribute": "text", "n": "count", "total_strength": "share", "category_strength": "share", "functional": "number",
    "dysfunctional": "number", "legacy": "text",
}  # fmt: skip
LEAST = 1000
"""Fewest resamples behind the support of a class."""


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """The class of every attribute with its bootstrap support and coefficients."""
    settings = study.settings
    found = kano(
        panel, by=options.by, where=options.where, replicates=max(settings.replicates, LEAST), seed=settings.seed,
        level=settings.level,
        small=settings.small, flagged=settings.flagged,
    )  # fmt: skip
    classes = {f"class {code}": text for code, text in CLASSES.items()}
    frame = found.table.with_columns(
        (pl.lit("class ") + pl.col("category")).alias("class"),
        pl.col("fong").replace_strict({True: "apart", False: "not apart"}, return_dtype=pl.String).alias("legacy"),
    )
    texts = {**texts_of(study), **found.labels, **classes, **LEGACY}
    headings = {**HEADINGS, "class": HEADINGS["category"], "legacy": HEADINGS["fong"]}
    strength = Text(
        "Strength and means of the two questions (liked 4 to disliked −2)", "强度与两问均值（喜欢 4 至不喜欢 −2）"
    )
    title, more = _counted(found), found.sentences
    return Section(
        key="kano",
        title=title,
        subtitle=Text(
            "CS+: what having it adds to satisfaction; CS-: what lacking it takes away; support: bootstrap share "
            "of the class; M must-be, O one-dimensional, A attractive, I indifferent, R reverse, Q questionable",
            "CS+：具备时增加的满意；CS-：不具备时减少的满意；支持度：自助法中该类别的占比；"
            "M 必备、O 期望、A 魅力、I 无差异、R 反向、Q 可疑",
        ),
        figures=_drawn(found, texts, title),
        paragraphs=more,
        tables=(
            tabled("kano", Text("Kano's classes", "Kano 分类"), frame, SHOWN, headings, texts),
            tabled("strength", strength, frame, STRENGTH, headings, texts),
        ),
        notes=found.notes,
        data={"kano": found.table},
    )


def _counted(found: Kano) -> Text:
    """How many attributes are of which class; the model's name where there are several cells."""
    if found.table["attribute"].n_unique() < found.table.height:
        return METHOD.title
    told = found.table.filter(pl.col("category").is_not_null())
    if not told.height:
        return found.sentences[0] if found.sentences else METHOD.title
    sure = told.filter(pl.col("support") >= SURE)
    open_ = told.height - sure.height
    many = {code: int((sure["category"] == code).sum()) for code in CLASSES}
    en = [f"{n} {CLASSES[code].en}" for code, n in many.items() if n] + ([f"{open_} not decided"] if open_ else [])
    zh = [f"{CLASSES[code].zh} {n} 个" for code, n in many.items() if n] + ([f"未定 {open_} 个"] if open_ else [])
    whole = told.height
    return Text(f"Of {whole} attributes, {', '.join(en)}", f"{whole} 个属性中：{'，'.join(zh)}")


def _drawn(found: Kano, texts: Mapping[str, Text], title: Text) -> tuple[Figure, ...]:
    """What attributes add and take away; none where there are several cells."""
    if found.table["attribute"].n_unique() < found.table.height:
        return ()
    frame = found.table.filter(pl.col("category").is_not_null())
    if not frame.height:
        return ()
    frame = frame.with_columns((pl.col("support") >= SURE).alias("sure"))
    return (figure("kano_map", title, partial(kano_map, frame, labels=texts)),)


METHOD = Method(
    name="kano",
    number=0,
    title=Text("Kano's classes of attributes", "Kano 模型"),
    needs=(forms("Kf", "Kd"),),
    tell=tell,
)
