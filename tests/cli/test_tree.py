"""`csi tree` and the rates of `csi index`, and the report's section, on the study of a small nation."""

import json
import re
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import csi
from csi.reporting.xlsx import workbook

STUDY = Path("data/sectors/study.yaml")


def test_a_tree_for_a_person(asked):
    code, out, err = asked("tree", STUDY, "--bootstrap", "100", "--lang", "en")
    assert (code, err) == (0, "")
    assert out.startswith("Nation stands at 71.1 in 2026 (95% interval ")
    for said in ("Consumer goods", "Banks", "Other cars", "(F1) · 2026", "Rebased: 2023 = 100"):
        assert said in out
    code, out, _ = asked("tree", STUDY, "--bootstrap", "100", "--lang", "zh", "--level", "industry")
    assert "银行" in out
    assert re.search(
        "其下消费品（73.1）(显著高于|与)服务（69.6）(差异不显著)?：相差 .* 分，95% 区间 .* 至 .*，p = 0", out
    )
    assert "安行汽车" not in out.split("注：")[0].split("其下")[1]


def test_an_audit_that_adds_up(asked):
    code, out, _ = asked("tree", STUDY, "--bootstrap", "0", "--audit", "--json")
    found = json.loads(out)
    assert code == 0
    audit = pl.DataFrame(found["audit"])
    sums = audit.group_by("parent", "wave").agg(pl.col("contribution").sum(), pl.col("parent_index").first())
    assert (sums["contribution"] - sums["parent_index"]).abs().max() < 1e-10
    nodes = {(r["node"], r["wave"]): r["index"] for r in found["tree"]}
    assert all(nodes[r["parent"], r["wave"]] == pytest.approx(r["parent_index"]) for r in sums.to_dicts())
    code, out, _ = asked("tree", STUDY, "--bootstrap", "0", "--audit", "--wave", "2024", "--lang", "zh")
    assert "核对表" in out
    assert "430" in out


@pytest.fixture
def altered(tmp_path):
    """The study of the small nation with other text, structure, weights or answers."""

    def write(*pairs, structure=None, weights=None, panel=None):
        text = STUDY.read_text("utf-8").replace("bootstrap: {n: 400", "bootstrap: {n: 0")
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        changed = {"structure.csv": structure, "weights.csv": weights, "panel.csv": panel}
        for name in ("panel.csv", "codebook.yaml", "structure.csv", "weights.csv"):
            if changed.get(name) is None:
                text = text.replace(name, str((STUDY.parent / name).resolve()))
            else:
                (tmp_path / name).write_text(changed[name]((STUDY.parent / name).read_text("utf-8")), encoding="utf-8")
        (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
        return tmp_path / "study.yaml"

    return write


def lines(keep):
    """A change of a file: only the lines that `keep` says, in what form it says."""
    return lambda text: "\n".join(new for line in text.splitlines() if (new := keep(line)) is not None) + "\n"


def test_a_tree_over_imputed_copies(asked, altered):
    path = altered(("bootstrap: {n: 0", "estimate: {imputations: 2}\nbootstrap: {n: 100"))
    code, out, err = asked("tree", path, "--json", "--lang", "zh")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert all(r["conf_low"] < r["index"] < r["conf_high"] for r in found["tree"])
    assert any("Rubin" in n for n in map(str, found["notes"]))


BAD = {
    "a gap": ({"weights": lines(lambda x: None if x.startswith("GB,2025") else x)}, "GB", "2025"),
    "negative weights of the product": (
        {"weights": lines(lambda x: "goods,2025,-0.4," if x.startswith("goods,2025") else x)}, "goods", "-0.4",
    ),
    "zero weights of the product": (
        {"weights": lines(lambda x: "goods,2025,0," if x.startswith("goods,2025") else x)}, "goods", "0",
    ),
    "a company in two industries": ({"structure": lambda t: t + "GB,airlines,company,,\n"}, "GB", "airlines"),
    "a parent without leaves": ({"structure": lambda t: t + "insurers,services,industry,,\n"}, "insurers", "insurers"),
    "a company renamed": (
        {"structure": lambda t: t.replace("GB,", "GC,"), "weights": lambda t: t.replace("GB,", "GC,")}, "GC", "GB",
    ),
}  # fmt: skip


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_told_in_words(asked, altered, what, lang):
    changed, *said = BAD[what]
    code, out, err = asked("tree", altered(**changed), "--lang", lang)
    assert (code, out) == (1, "")
    assert all(word in err for word in said), err
    assert "Traceback" not in err
    assert ("。" in err) == (lang == "zh")


def test_a_wave_that_cannot_be_the_base(asked):
    code, _, err = asked("tree", STUDY, "--bootstrap", "0", "--base", "2019", "--lang", "en")
    assert code == 1
    assert 'there is no wave "2019"' in err


def test_a_new_company_in_mid_series(asked, altered):
    path = altered(panel=lines(lambda x: None if ",2023,GB," in x or ",2024,GB," in x else x),
                   weights=lines(lambda x: None if x.startswith(("GB,2023", "GB,2024")) else x))  # fmt: skip
    code, out, err = asked("tree", path, "--lang", "en")
    assert (code, err) == (0, "")
    assert "New in the tree: Guangxin Bank (2025)." in out
    code, out, _ = asked("tree", path, "--lang", "zh", "--wave", "2025")
    assert "新进入：广信银行（2025）" in out


def test_a_company_renamed_in_mid_series(asked, altered):
    path = altered(
        ("  - {name: IA,", "  - {name: GX, zh: 广信新银行, en: New Bank}\n  - {name: IA,"),
        panel=lines(lambda x: x.replace(",GB,", ",GX,") if ",2026,GB," in x else x),
    )
    code, out, err = asked("tree", path, "--lang", "en")
    assert (code, err) == (0, "")
    assert "Perhaps renamed: New Bank comes in 2026, where Guangxin Bank leaves." in out
    assert "可能更名" in asked("tree", path, "--lang", "zh")[1]


def later(text):
    """Company BX is BN from 2025 on."""
    return "\n".join(
        re.sub(r"\bBX\b", "BN", row) if re.search(r"\b202[56]\b", row) else row for row in text.split("\n")
    )


@pytest.mark.parametrize("structure", [pytest.param("old", marks=pytest.mark.slow), "both"])
def test_tables_of_a_tree_follow_a_renamed_company(asked, altered, structure):
    """Structure and weights name it as it was: one leaf, with every number as without the new name."""
    doubled = lambda text: text + "BN,cars,,,\n"  # noqa: E731 - beside BX
    path = altered(
        ("  - {name: BX, ", "  - {name: BN, was: [BX], "),
        structure=doubled if structure == "both" else str,
        weights=later,
        panel=later,
    )
    code, out, err = asked("tree", path, "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    mine = {r["wave"]: r for r in found["tree"] if r["node"] == "BN"}
    assert list(mine) == ["2023", "2024", "2025", "2026"]
    assert "BX" not in {r["node"] for r in found["tree"]}
    for lang, said in (("en", "weights.csv: earlier names are read as those of the study: BX -> BN"), ("zh", "旧名称")):
        for verb in ("tree", "check"):
            assert said in asked(verb, path, "--lang", lang)[1]
    plain = {(r["node"], r["wave"]): r for r in json.loads(asked("tree", altered(), "--json")[1])["tree"]}
    assert mine["2024"]["index"] == pytest.approx(plain["BX", "2024"]["index"])
    for row in found["tree"]:
        assert row["index"] == pytest.approx(plain["BX" if row["node"] == "BN" else row["node"], row["wave"]]["index"])


def test_a_company_in_two_industries_under_two_names_is_told(asked, altered):
    path = altered(
        ("  - {name: BX, ", "  - {name: BN, was: [BX], "),
        structure=lambda text: text + "BN,banks,,,\n",
        weights=later,
        panel=later,
    )
    code, _, err = asked("check", path, "--lang", "en")
    assert code == 1
    assert '"BN" stands under' in err


def test_a_single_wave(asked, altered):
    path = altered(
        ("{order: [2023, 2024, 2025, 2026], base: 2023,", "{order: [2026], base: 2026,"),
        ("index: {target: satisfaction, weights: base, base: 2023}", "index: {target: satisfaction}"),
        ("weights: weights.csv, base: 2023", "weights: weights.csv"),
        panel=lines(lambda x: x if x.startswith("id") or ",2026," in x else None),
        weights=lines(lambda x: x if x.startswith("entity") or ",2026," in x else None),
    )
    code, out, err = asked("tree", path, "--lang", "en")
    assert (code, err) == (0, "")
    assert "A single wave: no changes." in out


def test_all_cells_under_the_base(asked, altered):
    path = altered(panel=lines(lambda x: x if x.startswith("id") or x.split(",")[0][-1] == "7" else None))
    out = asked("tree", path, "--json")[1]
    table = pl.DataFrame(json.loads(out)["tree"], infer_schema_length=None)
    small = table.filter(pl.col("leaves").is_null() & (pl.col("n") < 30))
    assert small.height > 30
    assert set(small["flag"]) == {"suppressed"}
    assert table["index"].null_count() == table.height
    assert table.filter(pl.col("node") == "nation")["reason"].unique().to_list() == ["no leaf has 30 answers here."]


def test_weights_are_restated_on_request(asked):
    first, latest = (
        pl.DataFrame(json.loads(asked("tree", STUDY, "--errors", "fixed", "--json", *more)[1])["audit"]).filter(
            (pl.col("child") == "AX") & (pl.col("wave") == "2024")
        )
        for more in ((), ("--restate",))
    )
    assert (first["weight"][0], first["as_of"][0][:4]) == (430.0, "2025")
    assert (latest["weight"][0], latest["as_of"][0][:4]) == (436.0, "2026")
    out = asked("tree", STUDY, "--errors", "fixed", "--audit", "--wave", "2024", "--lang", "zh")[1]
    assert "发布日期" in out


def test_parents_stand_under_the_tracking_table(asked):
    code, out, _ = asked("track", STUDY, "--errors", "linearised", "--no-gate", "--lang", "en")
    assert code == 0
    head, under = out.split("Parents: weighted means of what is below them")
    assert "Consumer goods" not in head
    assert "Consumer goods" in under
    code, out, _ = asked("track", STUDY, "--errors", "linearised", "--no-gate", "--json")
    found = json.loads(out)
    assert {r["node"] for r in found["tree"]} >= {"nation", "goods"}
    assert {r["against"] for r in found["tree_changes"]} == {"previous"}
    assert "Parents:" not in asked("track", STUDY, "--errors", "fixed", "--no-gate", "--brand", "AX", "--lang", "en")[1]


def test_levels_and_studies_without_a_tree(asked):
    code, _, err = asked("tree", STUDY, "--bootstrap", "0", "--level", "industri", "--lang", "en")
    assert code == 1
    assert 'Did you mean "industry"?' in err
    code, _, err = asked("tree", "data/telecom/study.yaml", "--bootstrap", "0", "--lang", "zh")
    assert code == 1
    assert "该研究没有汇总树" in err


def test_rates_stand_under_the_index(asked):
    code, out, _ = asked("index", STUDY, "--bootstrap", "0", "--lang", "en", "--brand", "AX", "--wave", "2026")
    assert code == 0
    assert "Satisfaction, index 0-100 (F1)" in out
    assert "KCSI" in out
    assert "CSAT" in out
    code, out, _ = asked("index", STUDY, "--bootstrap", "0", "--json")
    ids = {r["formula"] for r in json.loads(out)["rates"]}
    assert ids == {"F4", "T2B", "CSAT"}


@pytest.fixture(scope="module")
def report():
    study = csi.Study.read(STUDY)
    return csi.report(replace(study, settings=replace(study.settings, replicates=100)), lang=("zh", "en"))


def test_the_report_has_a_section(report):
    keys = report.keys
    assert keys.index("league") < keys.index("tree") < keys.index("chain")
    section = report.section("tree")
    assert section.title.zh.startswith("全国（2026）为 71.1")
    assert {"tree", "tree_changes", "tree_audit", "tree_pairs"} == set(section.data)
    for lang in ("zh", "en"):
        svg = section.figures[0].draw(lang)
        assert svg.count("<polyline") == 7
        assert ("Nation" if lang == "en" else "全国") in svg
    assert [t.name for t in section.tables] == ["tree", "audit"]


def test_the_workbook_holds_the_audit(report, tmp_path):
    path = tmp_path / "tables.xlsx"
    path.write_bytes(workbook(report, ("en",)))
    sheet = pl.read_excel(path, sheet_name="tree", has_header=False, infer_schema_length=None)
    cells = {str(v) for column in sheet for v in column if v is not None}
    assert {"Airlines", "contribution", "Jiangnan Air"} <= cells


def test_a_report_up_to_an_earlier_wave(report):
    study = csi.Study.read(STUDY)
    early = csi.report(replace(study, settings=replace(study.settings, replicates=100)), "2024", "en")
    assert early.section("tree").data["tree"]["wave"].unique().sort().to_list() == ["2023", "2024"]


def test_a_break_of_the_study_is_not_crossed(asked, altered):
    file = altered(("per_year: 1", "per_year: 1, breaks: [{wave: 2025, what: scale}]"))
    code, out, _ = asked("tree", file, "--wave", "2025", "--json", "--lang", "en")
    assert code == 0
    top = {r["wave"]: r for r in json.loads(out)["changes"] if r["node"] == "nation"}
    assert {w: r["change"] is None for w, r in top.items()} == {"2024": False, "2025": True, "2026": False}
    assert "the answer scale changed in 2025" in top["2025"]["reason"]


@pytest.mark.parametrize("verb", ["check", "tree"])
def test_check_finds_what_the_tree_refuses(asked, altered, verb):
    path = altered(weights=lines(lambda x: None if x.startswith("AX,") else x))
    code, out, err = asked(verb, path, "--lang", "en")
    assert code != 0
    assert 'weights.csv: no weight of "AX" for 2023, 2024, 2025, 2026.' in out + err
