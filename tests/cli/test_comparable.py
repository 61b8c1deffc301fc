"""`csi comparable`, and the evidence in `csi track`."""

import polars as pl
import pytest


@pytest.fixture(scope="module")
def shifted(study, tmp_path_factory):
    """The small study, two of three items of satisfaction answered otherwise by one brand in the last wave."""
    folder = tmp_path_factory.mktemp("shifted")
    panel = pl.read_csv(study.parent / "panel.csv", infer_schema=False)
    here = (pl.col("operator") == "YA") & (pl.col("quarter") == "2026Q3")
    moved = []
    for item, step in (("sat1", 1), ("sat2", -2)):
        value = pl.col(item).cast(pl.Int64, strict=False)
        new = (value + step).clip(1, 10).cast(pl.String)
        moved.append(pl.when(here & value.is_between(1, 10)).then(new).otherwise(pl.col(item)).alias(item))
    panel.with_columns(moved).write_csv(folder / "panel.csv")
    for name in ("codebook.yaml", "study.yaml"):
        (folder / name).write_bytes((study.parent / name).read_bytes())
    return folder / "study.yaml"


def test_every_set_of_brands_and_waves(machine, study):
    found = machine("comparable", study)
    assert {(s["between"], s["brand"], s["wave"]) for s in found["sets"]} == {
        *(("brand", None, w) for w in ("2025Q3", "2025Q4", "2026Q1", "2026Q2", "2026Q3")),
        *(("wave", b, None) for b in ("ZX", "YA")),
    }
    assert {s["construct"] for s in found["sets"]} == {"satisfaction"}
    assert len(found["pairs"]) == 5 + 2 * 10


def test_it_prints_verdicts_and_what_was_run(asked, study):
    code, out, _ = asked("comparable", study, "--lang", "en")
    assert code == 0
    assert "7 sets of cells tested" in out
    assert "convention without a nominal error rate" in out
    code, out, _ = asked("comparable", study, "--lang", "zh", "--wave", "2026Q3")
    assert code == 0
    assert "检验 3 组单元" in out  # the brands of the wave, the waves of both brands


def test_all_constructs_and_a_level(machine, study):
    asked_for = ("--construct", "all", "--between", "brand", "--alpha", "0.01", "--wave", "2026Q3")
    found = machine("comparable", study, *asked_for)
    assert found["alpha"] == 0.01
    verdicts = {s["construct"]: s["verdict"] for s in found["sets"]}
    assert verdicts["complaints"] == "not tested"
    rules = {s["construct"]: s["rule"] for s in found["sets"]}
    assert (rules["satisfaction"], rules["perceived_value"]) == ("ladder", "micom")


def test_an_unknown_key(asked, study):
    code, _, err = asked("comparable", study, "--between", "mode", "--lang", "en")
    assert code == 1
    assert 'the study has no key "mode"' in err
    assert "研究中没有键“mode”" in asked("comparable", study, "--between", "mode", "--lang", "zh")[2]


def test_items_that_differ_are_named_and_the_change_is_withheld(asked, machine, shifted):
    found = machine("comparable", shifted, "--between", "brand", "--wave", "2026Q3")
    (pair,) = found["pairs"]
    assert pair["verdict"] == "not comparable"
    tracked = machine("track", shifted, "--wave", "2026Q3")
    row = next(r for r in tracked["tracking"] if r["brand"] == "YA")
    assert row["evidence_previous"] == "not comparable"
    assert row["change_previous"] is None
    other = next(r for r in tracked["tracking"] if r["brand"] == "ZX")
    assert other["change_previous"] is not None
    out = asked("track", shifted, "--wave", "2026Q3", "--lang", "en")[1]
    assert "not comparable: " in out
    assert "不可比：" in asked("track", shifted, "--wave", "2026Q3", "--lang", "zh")[1]


def test_withheld_changes_on_request_and_without_tests(machine, shifted):
    row = next(r for r in machine("track", shifted, "--wave", "2026Q3", "--anyway")["tracking"] if r["brand"] == "YA")
    assert row["change_previous"] is not None
    assert row["evidence_previous"] == "not comparable"
    row = next(r for r in machine("track", shifted, "--wave", "2026Q3", "--no-gate")["tracking"] if r["brand"] == "YA")
    assert row["evidence_previous"] == "not tested"
    assert row["change_previous"] is not None


def test_a_study_switches_it_off_or_sets_its_level(machine, study):
    text = study.read_text("utf-8")
    try:
        study.write_text(text + "\ncomparability: {gate: no}\n", encoding="utf-8")
        rows = machine("track", study, "--wave", "2026Q3")["tracking"]
        assert {r["evidence_previous"] for r in rows} == {"not tested"}
        study.write_text(text + "\ncomparability: {between: [brand], alpha: 0.01}\n", encoding="utf-8")
        found = machine("comparable", study)
        assert {s["between"] for s in found["sets"]} == {"brand"}
        assert found["alpha"] == 0.01
        rows = machine("track", study, "--wave", "2026Q3")["tracking"]
        assert {r["evidence_previous"] for r in rows} == {"not tested"}
    finally:
        study.write_text(text, encoding="utf-8")


def test_micom_on_request_of_the_command_or_the_study(asked, machine, study):
    words = ("comparable", study, "--between", "brand", "--wave", "2026Q3")
    found = machine(*words, "--rule", "micom")
    assert [s["rule"] for s in found["sets"]] == ["micom"]
    assert found["sets"][0]["p_scalar"] is None
    assert found["sets"][0]["p_composition"] > 0
    code, out, _ = asked(*words, "--rule", "micom", "--lang", "en")
    assert code == 0
    assert "p weights" in out
    assert "p intercepts" not in out
    assert "intercepts are not tested" in " ".join(out.split())
    text = study.read_text("utf-8")
    try:
        study.write_text(text + "\ncomparability: {rule: micom}\n", encoding="utf-8")
        assert [s["rule"] for s in machine(*words)["sets"]] == ["micom"]
        rows = machine("track", study, "--wave", "2026Q3")["tracking"]
        assert "not tested" not in {r["evidence_previous"] for r in rows}
    finally:
        study.write_text(text, encoding="utf-8")
