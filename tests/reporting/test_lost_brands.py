"""A brand whose answer sheets are all gone is named, so that `csi index` cannot end as if nothing were missing."""

from dataclasses import replace

import polars as pl

import csi
from csi.reporting.soundness import lost_notes

WAVE = {"wave": "2026Q3"}


def test_a_brand_without_any_answer_sheet_left_is_named() -> None:
    study = csi.Study.read("data/telecom/study.yaml")
    panel = study.panel()
    gone = pl.col("brand") == "BD"
    rest = replace(panel, frame=panel.frame.filter(~gone), excluded=panel.frame.filter(gone))
    found = csi.index(csi.fit(study.model, rest, csi.PLS(), by=["brand", "wave"], where=WAVE))
    (note,) = lost_notes(study, rest, found, WAVE)
    assert (note.code, "Beidoutong 2026Q3" in note.text.en, "北斗通" in note.text.zh) == ("E-INDEX", True, True)
    whole = csi.index(csi.fit(study.model, panel, csi.PLS(), by=["brand", "wave"], where=WAVE))
    assert lost_notes(study, panel, whole, WAVE) == ()
