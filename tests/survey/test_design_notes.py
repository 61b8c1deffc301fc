"""Strata and clusters that a wave lacks, strata with a single unit: named, with the rule that is followed."""

from __future__ import annotations

import polars as pl

import csi
from csi.errors import Text
from csi.moments.sample import sample_of
from csi.survey.codebook import Codebook, Item, Scale

BOOK = Codebook((Item("q", "sat", Scale("five", 1, 5), Text("Content", "满意")),), {}, {})


def read(rows: list[tuple[str, str, str]]) -> csi.Panel:
    """Answers of (wave, stratum, cluster)."""
    frame = pl.DataFrame(rows, schema=["wave", "s", "u"], orient="row").with_columns(q=pl.int_range(pl.len()) % 5 + 1)
    return csi.read_panel(frame, BOOK, keys={"wave": "wave", "stratum": "s", "cluster": "u"})


def told(panel: csi.Panel) -> dict[str, Text]:
    return {n.code: n.text for n in panel.notes if "STRATUM" in n.code or "CLUSTER" in n.code}


def test_a_stratum_without_answers_in_a_wave_is_named() -> None:
    rows = [(w, s, f"{s}{u}") for w in ("2025", "2026") for s in ("north", "south") for u in (1, 2, 1, 2)]
    found = told(read([r for r in rows if r[:2] != ("2026", "south")]))
    assert list(found) == ["N-STRATUM-WAVE", "N-CLUSTER-WAVE"]
    assert "stratum south answered in wave 2026" in found["N-STRATUM-WAVE"].en
    assert "weights stay as they are" in found["N-STRATUM-WAVE"].en
    assert "2 个聚类" in found["N-CLUSTER-WAVE"].zh
    assert told(read(rows)) == {}


def test_new_clusters_in_every_wave_are_nothing_to_tell() -> None:
    assert told(read([(w, s, f"{w}{s}{u}") for w in ("2025", "2026") for s in "ab" for u in (1, 2)])) == {}


def test_a_stratum_with_one_cluster_is_named_with_the_rule() -> None:
    panel = read([("2026", s, u) for s, u in (("a", "1"), ("a", "2"), ("b", "3"), ("b", "3"), ("c", "4"), ("c", "5"))])
    of_panel, of_sample = told(panel)["N-STRATUM-ALONE"], sample_of(panel, ["q"]).notes[0].text
    assert of_panel.en.startswith("stratum b (wave 2026) has a single unit")
    assert of_sample.en.startswith("stratum b has a single unit; for variances it is joined")
    assert of_sample.zh.startswith("1 个层（b）")
