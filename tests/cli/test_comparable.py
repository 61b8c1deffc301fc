"""`csi comparable`, and the evidence in `csi track`."""

import json

import numpy as np
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
    assert 'the study has no key "mode", and the data have no column of that name' in err
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


@pytest.mark.slow
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


@pytest.fixture(scope="module")
def spoken(study, tmp_path_factory):
    """The small study with languages, modes (sat2 a point higher by phone), a column of one value and one of rare
    values; no wave was asked by both `agency` values.
    """
    folder = tmp_path_factory.mktemp("spoken")
    rng = np.random.default_rng(8)
    panel = pl.read_csv(study.parent / "panel.csv", infer_schema=False)
    mode = pl.Series("Q3", rng.choice(["web", "phone"], panel.height))
    value = pl.col("sat2").cast(pl.Int64, strict=False)
    moved = (value - 2).clip(1, 10).cast(pl.String)
    rare = np.where(np.arange(panel.height) % 200 == 0, "rare", rng.choice(["often", "seldom"], panel.height))
    panel.with_columns(
        pl.Series("LANG", rng.choice(["zh", "en", ""], panel.height, p=[0.5, 0.4, 0.1])),
        mode,
        only=pl.lit("all"),
        rare=pl.Series(rare),
        many=pl.Series(rng.integers(0, 10_000, panel.height).astype(str)),
        agency=pl.when(pl.col("quarter") < "2026Q1").then(pl.lit("old")).otherwise(pl.lit("new")),
    ).with_columns(
        sat2=pl.when((pl.col("Q3") == "phone") & value.is_between(1, 10)).then(moved).otherwise("sat2"),
    ).write_csv(folder / "panel.csv")
    (folder / "codebook.yaml").write_bytes((study.parent / "codebook.yaml").read_bytes())
    said = "comparability: {between: [brand, {name: language, column: LANG}, "
    said += "{name: mode, column: Q3, zh: 访问方式, en: modes of interview}], within: []}"
    (folder / "study.yaml").write_text(study.read_text("utf-8") + f"\n{said}\n", encoding="utf-8")
    return folder / "study.yaml"


def test_any_columns_as_groups_by_the_study_file(asked, machine, spoken):
    found = machine("comparable", spoken)
    by = {s["between"]: s for s in found["sets"] if s["between"] != "brand"}
    assert set(by) == {"language", "mode"}
    assert by["language"]["cells"] == 2  # the blank is no language
    assert by["language"]["verdict"] == "comparable"
    assert by["mode"]["verdict"] in {"after freeing", "not comparable"}
    assert "sat2" in by["mode"]["items"]
    assert sum(s["between"] == "brand" for s in found["sets"]) == 5
    assert len({s["p_holm"] for s in found["sets"]}) > 1
    out = asked("comparable", spoken, "--lang", "en")[1]
    assert "modes of interview" in out
    assert "7 sets of cells tested" in out
    assert "Holm over 5 sets" in " ".join(out.split())
    assert "Holm over 2 sets" in " ".join(out.split())
    out = asked("comparable", spoken, "--lang", "zh")[1]
    assert "访问方式" in out
    assert "语言" in out


def test_any_column_by_the_command_inside_brands_and_waves_or_not(machine, spoken):
    words = ("comparable", spoken, "--between", "LANG")
    assert [(s["brand"], s.get("wave")) for s in machine(*words, "--within", "brand")["sets"]] == [
        ("ZX", None),
        ("YA", None),
    ]
    assert len(machine(*words, "--within", "none")["sets"]) == 1
    both = machine(*words, "--between", "Q3", "--within", "wave", "--wave", "2026Q3")["sets"]
    assert [(s["between"], s["wave"]) for s in both] == [("LANG", "2026Q3"), ("Q3", "2026Q3")]


def test_groups_below_the_base_stay_out(asked, spoken, machine):
    found = machine("comparable", spoken, "--between", "rare", "--within", "none")
    assert found["sets"][0]["cells"] == 2
    assert {p["verdict"] for p in found["pairs"] if "rare" in {p["cell_1"], p["cell_2"]}} == {"not tested"}
    assert (
        "rare: not tested, fewer than 30 answers"
        in asked("comparable", spoken, "--between", "rare", "--within", "none", "--lang", "en")[1]
    )
    assert (
        "rare：未检验，样本量不足 30"
        in asked("comparable", spoken, "--between", "rare", "--within", "none", "--lang", "zh")[1]
    )


@pytest.mark.parametrize(
    ("key", "en", "zh"),
    [
        ("only", 'all answers have only "all"', "所有答卷的 only 均为“all”"),
        ("many", "these are no groups", "不是分组"),
        ("agency", "within one brand and wave all answers have the same agency", "所有答卷的 agency 都相同"),
        ("sat1", '"sat1" is the item sat1, not a group', "“sat1”是题项 sat1"),
        ("operator", 'column "operator" is the key brand already. Write "brand".', "“operator”列已是关键列 brand"),
        ("LANGUAGE", 'the study has no key "LANGUAGE", and the data have no column', "研究中没有键“LANGUAGE”"),
        ("respondent", 'the study has no key "respondent"', "研究中没有键“respondent”"),
    ],
)
def test_what_is_no_grouping(asked, study, spoken, key, en, zh):
    words = ("comparable", spoken, "--between", key)
    if key == "agency":
        words = (*words, "--within", "brand", "--within", "wave")
    code, _, err = asked(*words, "--lang", "en")
    assert code == 1
    assert en in " ".join(err.split())
    code, _, err = asked(*words, "--lang", "zh")
    assert code == 1
    assert zh in err.replace("\n", "")


def test_a_column_of_the_study_file_that_the_data_lack(asked, spoken):
    text = spoken.read_text("utf-8")
    try:
        spoken.write_text(text.replace("column: LANG", "column: LNG"), encoding="utf-8")
        code, _, err = asked("comparable", spoken, "--lang", "en")
        assert code == 1
        assert 'no key "LNG"' in err
        assert "LANG" in err  # what was meant
        spoken.write_text(text.replace("name: language", "name: cells"), encoding="utf-8")
        code, _, err = asked("comparable", spoken, "--lang", "zh")
        assert code == 1
        assert "分组不能命名为“cells”" in err
    finally:
        spoken.write_text(text, encoding="utf-8")


@pytest.mark.slow
def test_every_table_of_differences_bears_its_evidence(asked, machine, study, shifted):
    """`csi index`, `league` and `track --explain`: one line each, and what fails has no rank and is named."""
    out = asked("index", study, "--bootstrap", "0", "--lang", "en")[1]
    assert "Comparability: brands (2026Q3): metric and scalar passed." in " ".join(out.split())
    out = asked("index", study, "--bootstrap", "0", "--lang", "zh", "--no-gate")[1]
    assert "可比性：未检验（--no-gate）。" in out
    out = " ".join(asked("league", shifted, "--errors", "linearised", "--lang", "en")[1].split())
    assert "brands (2026Q3): not comparable: item " in out
    assert "not with all" in out
    found = machine("league", shifted, "--errors", "linearised")
    assert {p["evidence"] for p in found["pairs"]} == {"not comparable"}
    assert found["pairs"][0]["difference"] is None
    assert {(r["rank_low"], r["rank_high"]) for r in found["league"]} == {(1, 2)}
    anyway = machine("league", shifted, "--errors", "linearised", "--anyway")
    assert anyway["pairs"][0]["difference"] is not None
    out = " ".join(asked("track", shifted, "--errors", "linearised", "--explain", "--lang", "en")[1].split())
    assert "waves (Yunan): not comparable: item " in out
    assert "2026Q3 against 2026Q2: not decomposed, not comparable: " in out
    out = asked("track", shifted, "--errors", "linearised", "--explain", "--lang", "zh")[1]
    assert "2026Q3 期较 2026Q2 期：未作分解，不可比：" in out


def test_what_was_not_tested_says_what_to_ask(asked, study):
    text = study.read_text("utf-8")
    try:
        study.write_text(text + "\ncomparability: {gate: no}\n", encoding="utf-8")
        out = asked("index", study, "--bootstrap", "0", "--lang", "en")[1]
        assert "not tested (comparability: {gate: no}); ask with gate: yes or csi comparable STUDY" in " ".join(
            out.split()
        )
        assert "可改为 gate: yes" in asked("league", study, "--errors", "linearised", "--lang", "zh")[1]
        study.write_text(text + "\ncomparability: {rule: micom}\n", encoding="utf-8")
        assert "MICOM refits every cell" in asked("index", study, "--bootstrap", "0", "--lang", "en")[1]
    finally:
        study.write_text(text, encoding="utf-8")


@pytest.mark.slow
def test_alignment_of_all_cells_names_the_one_that_differs(asked, machine, shifted, tmp_path):
    found = machine("comparable", shifted, "--align", "--record", tmp_path / "record.json")
    assert len(found["aligned"]) == 10
    assert {(r["brand"], r["wave"]) for r in found["aligned"] if r["mean"] == 0} == {("ZX", "2025Q3")}
    differing = {(r["item"], r["parameter"]): r["differing"] for r in found["aligned_items"]}
    assert {key for key, cells in differing.items() if "YA · 2026Q3" in cells} >= {("sat2", "intercept")}
    assert len(found["aligned_parameters"]) == 10 * 3 * 2
    out = " ".join(asked("comparable", shifted, "--align", "--lang", "en")[1].split())
    assert "Satisfaction: aligned factor means, in standard deviations from Zhongxun · 2025Q3" in out
    assert "Yunan · 2026Q3" in out
    assert "Rank correlation of indices and aligned means over 10 cells" in out
    out = asked("comparable", shifted, "--align", "fixed", "--wave", "2026Q3", "--lang", "zh")[1]
    assert "顾客满意度：对齐的因子均值（以 中讯 为参照，单位为其标准差）" in out
    assert "固定对齐（FIXED" in out
    record = json.loads((tmp_path / "record.json").read_text("utf-8"))
    assert record["aligned"] == found["aligned"]


@pytest.mark.slow
def test_alignment_of_any_column_and_of_constructs_without_three_items(asked, machine, spoken):
    words = ("comparable", spoken, "--between", "rare", "--within", "brand", "--align", "--construct", "all")
    found = machine(*words)
    assert {(r["brand"], r["rare"]) for r in found["aligned"]} == {
        (brand, group) for brand in ("ZX", "YA") for group in ("often", "seldom")
    }
    assert {r["construct"] for r in found["aligned"]} >= {"satisfaction", "loyalty"}
    out = asked(*words, "--lang", "en")[1]
    assert "Perceived value: not aligned: 2 items" in out
    assert "Zhongxun · rare: not aligned, fewer than 30 answers" in out
    assert "中讯 · rare：未对齐，样本量不足 30" in asked(*words, "--lang", "zh")[1]


def test_alignment_stays_within_one_answer_scale(asked, machine, study):
    text = study.read_text("utf-8")
    try:
        said = text.replace("per_year: 4}", "per_year: 4, breaks: [{wave: 2026Q1, what: scale}]}")
        study.write_text(said, encoding="utf-8")
        found = machine("comparable", study, "--align")
        assert {r["wave"] for r in found["aligned"]} == {"2026Q1", "2026Q2", "2026Q3"}
        assert "Waves before 2026Q1 take no part" in asked("comparable", study, "--align", "--lang", "en")[1]
    finally:
        study.write_text(text, encoding="utf-8")
