"""Traits by methods: Campbell and Fiske's criteria, and what of each measure is trait, method and error."""

from __future__ import annotations

import polars as pl

from csi.errors import Note, Text
from csi.measures.questionnaire.validate import Validation
from csi.measures.separation.mtmm import CRITERIA, HEADINGS, Mtmm
from csi.reporting import words
from csi.reporting.section import Column, Section, Table
from csi.reporting.validation.held import labels_of


def _reasons(found: Mtmm) -> tuple[Note, ...]:
    """Which models have no proper solution."""
    notes = []
    for code, why in found.reasons.items():
        models = found.models.filter(reason=code)["model"].to_list()
        notes.append(Note(code, Text(f"{', '.join(models)}: {why.text.en}", f"{'、'.join(models)}：{why.text.zh}")))
    return tuple(notes)


def traits_section(v: Validation) -> Section | None:
    """The criteria counted, the models, the shares of variance."""
    if v.mtmm is None:
        return None
    found = v.mtmm
    counted = found.table.filter(pl.col("of").is_not_null())
    met, of = int(counted["met"].sum() or 0), int(counted["of"].sum() or 0)
    title = words.sentence(
        Text(f"{met} of {of} comparisons of traits by methods are as they should be",
             f"多特质-多方法的 {of} 项比较中有 {met} 项符合要求")
    )  # fmt: skip
    criteria = (
        Column("criterion", HEADINGS["criterion"]),
        Column("met", HEADINGS["met"], "count"),
        Column("of", HEADINGS["of"], "count"),
        Column("value", HEADINGS["value"], "coefficient"),
    )
    models = (
        Column("model", HEADINGS["model"]),
        Column("chi2", Text("χ²", "χ²"), "score"),
        Column("df", Text("df", "df"), "count"),
        Column("p_value", Text("p", "p"), "p"),
        Column("cfi", Text("CFI", "CFI"), "index"),
        Column("rmsea", Text("RMSEA", "RMSEA"), "index"),
    )
    shares = (
        Column("trait", HEADINGS["trait"]),
        Column("method", HEADINGS["method"]),
        Column("trait_share", Text("of the trait", "特质占比"), "share"),
        Column("method_share", Text("of the method", "方法占比"), "share"),
        Column("error_share", Text("error", "误差占比"), "share"),
    )
    texts = {**labels_of(v), **CRITERIA}
    tables = [
        Table(
            "v_traits", Text("Campbell and Fiske's criteria", "Campbell-Fiske 准则"), found.table, criteria, texts=texts
        ),
        Table("v_trait_models", Text("Models", "模型"), found.models, models),
    ]
    improper = found.models.filter(pl.col("reason").is_not_null())
    if found.shares["trait_share"].count() and found.model not in improper["model"].to_list():
        heading = Text(f"Shares of variance ({found.model})", f"方差占比（{found.model}）")
        tables.append(Table("v_trait_shares", heading, found.shares, shares, texts=texts))
    return Section(
        key="v_traits",
        title=title,
        subtitle=Text(
            "Validities (one trait, two methods) against correlations of different traits",
            "同特质异方法相关与异特质相关的比较",
        ),
        tables=tuple(tables),
        paragraphs=found.sentences,
        notes=(*found.notes, *_reasons(found)),
        data={"criteria": found.table, "matrix": found.matrix, "shares": found.shares, "trait_models": found.models},
    )
