"""Every verb on a small study: what a person reads, what a machine gets, and how it ends."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import polars as pl
import pytest

from csi.cli.studied import resampled
from csi.models.cards import card_names
from csi.study import read_study

pytestmark = pytest.mark.usefixtures("gate_once")

ROOT = Path(__file__).parents[2]


def test_check_tells_what_was_read(asked, study):
    code, out, err = asked("check", study)
    assert (code, err) == (0, "")
    for said in ("小型研究", "panel.csv", "答题过快", "中讯", "2026Q3", "未使用的列", "stage, segment", "未发现问题"):
        assert said in out


def test_check_counts_add_up(machine, study):
    found = machine("check", study)
    read = sum(f["rows"] for f in found["files"])
    dropped = sum(r["rows"] for r in found["rules"] if r["action"] == "drop")
    assert sum(c["n"] for c in found["cells"]) == read - dropped
    assert len(found["cells"]) == 10


def test_check_says_everything_that_is_wrong_at_once(asked, study, tmp_path):
    broken = tmp_path / "study.yaml"
    text = (
        study.read_text(encoding="utf-8")
        .replace("panel.csv", "pannel.csv")
        .replace("target: satisfaction", "target: satisfation")
    )
    broken.write_text(text, encoding="utf-8")
    (tmp_path / "codebook.yaml").write_bytes((study.parent / "codebook.yaml").read_bytes())
    code, out, err = asked("check", broken, "--lang", "en")
    assert (code, out) == (1, "")
    assert "pannel.csv" in err
    assert 'Did you mean "satisfaction"?' in err
    assert all(line.startswith(str(tmp_path)) or "study.yaml:" in line for line in err.splitlines())


def test_fit_shows_the_focal_brand_with_intervals(asked, study):
    code, out, _ = asked("fit", study, "--lang", "en")
    assert code == 0
    assert "Zhongxun · 2026Q3" in out
    assert "10 of 10 cells converged." in out
    assert "low" in out


def test_fit_for_machines_covers_every_cell(machine, study):
    found = machine("fit", study, "--bootstrap", "0")
    assert len(found["cells"]) == 10
    assert {(r["brand"], r["wave"]) for r in found["estimates"]} == {(c["brand"], c["wave"]) for c in found["cells"]}
    assert all(r["std_error"] is None for r in found["shown"])


def test_index_by_brand_and_wave(machine, study):
    found = machine("index", study)
    satisfaction = [r for r in found["index"] if r["construct"] == "satisfaction"]
    assert len(satisfaction) == 10
    assert all(0 < r["index"] < 100 and r["std_error"] > 0 for r in satisfaction)
    assert (found["rule"], found["base"]) == ("base", "2025Q3")


def test_index_says_that_its_intervals_are_t(asked, study):
    other = study.with_name("bca.yaml")
    other.write_text(study.read_text("utf-8").replace("seed: 7}", "seed: 7, interval: bca}"), "utf-8")
    assert "t intervals; interval: bca" in " ".join(asked("index", other, "--lang", "en")[1].split())
    assert "t intervals; interval" not in asked("index", study, "--lang", "en")[1]


def test_index_takes_every_kind_of_interval(asked, machine, study):
    found = {k: machine("index", study, "--interval", k, "--bootstrap", "100")["index"] for k in ("t", "bca", "double")}
    low = {k: [r["conf_low"] for r in rows if r["conf_low"] is not None] for k, rows in found.items()}
    assert len({len(v) for v in low.values()}) == 1
    assert low["t"] != low["bca"] != low["double"]
    assert asked("index", study, "--interval", "bcb", "--lang", "en")[0] == 2


def test_index_prints_one_decimal_of_the_same_number(asked, machine, study):
    value = next(
        r["index"]
        for r in machine("index", study, "--wave", "2026Q3", "--brand", "中讯")["index"]
        if r["construct"] == "satisfaction"
    )
    assert f" {value:.1f} " in asked("index", study, "--wave", "2026Q3", "--brand", "ZX")[1]


def test_track_gives_changes_against_both_references(machine, study):
    found = machine("track", study, "--wave", "2026Q3")
    assert {
        (r["brand"], r["against"], r["reference"]) for r in found["changes"] if r["construct"] == "satisfaction"
    } == {(b, a, w) for b in ("ZX", "YA") for a, w in (("previous", "2026Q2"), ("year", "2025Q3"))}


def test_track_of_one_brand_lists_its_waves(asked, study):
    code, out, _ = asked("track", study, "--brand", "Zhongxun", "--lang", "en")
    assert code == 0
    waves = ["2025Q3", "2025Q4", "2026Q1", "2026Q2", "2026Q3"]
    told = [line.split()[1] for line in out.splitlines() if line.startswith("Zhongxun")]
    assert told == [*waves, *waves]  # the index, then its changes


def test_drivers_are_sorted_by_importance(asked, machine, study):
    found = machine("drivers", study)
    assert found["cell"] == {"brand": "ZX", "wave": "2026Q3"}
    assert {r["construct"] for r in found["drivers"]} == {
        "image",
        "expectation",
        "perceived_quality",
        "perceived_value",
    }
    order = [r["construct"] for r in sorted(found["drivers"], key=lambda r: -r["importance"])]
    (told,) = found["sentences"]
    out = asked("drivers", study, "--lang", "en")[1]
    assert told["en"] in out
    assert told["zh"] in asked("drivers", study, "--lang", "zh")[1]
    labels = {
        "image": "Image",
        "expectation": "Expect",
        "perceived_quality": "Perceived quality",
        "perceived_value": "Perceived value",
    }
    places = [out.index(f"\n{labels[c]}") for c in order]
    assert places == sorted(places)


@pytest.mark.parametrize("verb", ["fit", "index", "track", "drivers"])
def test_an_unknown_cell_is_named_with_a_hint(asked, study, verb):
    code, out, err = asked(verb, study, "--wave", "2026Q4", "--brand", "Zhongxn", "--lang", "en")
    assert (code, out) == (1, "")
    assert 'there is no brand "Zhongxn". Did you mean "Zhongxun"?' in err
    assert 'there is no wave "2026Q4"' in err


@pytest.mark.parametrize("verb", ["check", "fit", "index", "track", "drivers", "report"])
def test_a_missing_study_file_is_one_line(asked, tmp_path, verb):
    code, out, err = asked(verb, tmp_path / "no.yaml")
    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert "no.yaml" in err


def test_a_negative_weight_ends_with_code_3(asked, study, tmp_path):
    for name in ("codebook.yaml", "study.yaml"):
        (tmp_path / name).write_bytes((study.parent / name).read_bytes())
    panel = pl.read_csv(study.parent / "panel.csv", infer_schema=False)
    turned = pl.col("sat1").cast(pl.Int64)
    panel.with_columns(pl.when(turned <= 10).then(11 - turned).otherwise(turned).alias("sat1")).write_csv(
        tmp_path / "panel.csv"
    )
    code, out, err = asked("index", tmp_path / "study.yaml", "--bootstrap", "0", "--lang", "en")
    assert (code, err) == (3, "")
    assert "sat1" in out


def test_a_record_holds_the_study_hash_the_seed_and_the_numbers(asked, study, tmp_path):
    asked("index", study, "--quiet", "--record", tmp_path / "record.json")
    record = json.loads((tmp_path / "record.json").read_text(encoding="utf-8"))
    assert record["seed"] == 7
    assert len(record["study"]["sha256"]) == 64
    assert len(record["index"]) == 70


def test_models_lists_every_card(machine):
    assert [m["id"] for m in machine("models")["models"]] == list(card_names())


@pytest.mark.parametrize("name", card_names())
def test_models_draws_every_card(asked, tmp_path, name):
    code, out, _ = asked("models", name, "--draw", tmp_path / "model.svg", "--lang", "zh")
    assert code == 0
    assert name in out
    assert ET.fromstring((tmp_path / "model.svg").read_text(encoding="utf-8")).tag.endswith("svg")  # noqa: S314 - our own file


def test_explain_a_measure_and_a_code(asked):
    assert "Henseler" in asked("explain", "htmt", "--lang", "en")[1]
    assert "E-SCALE" in asked("explain", "e-scale", "--lang", "zh")[1]
    code, _, err = asked("explain", "htmtt", "--lang", "en")
    assert (code, 'Did you mean "htmt"?' in err) == (1, True)


def test_simulate_writes_a_study_that_checks(asked, tmp_path):
    code, out, _ = asked("simulate", ROOT / "data/telecom/recipe.yaml", "--out", tmp_path)
    assert code == 0
    assert {p.name for p in tmp_path.iterdir()} == {"panel.csv", "codebook.yaml", "study.yaml", "truth.csv"}
    assert (tmp_path / "panel.csv").read_bytes() == (ROOT / "data/telecom/panel.csv").read_bytes()
    assert str(tmp_path / "study.yaml") in out


def test_init_then_check(asked, study, tmp_path):
    export = tmp_path / "answers.csv"
    export.write_bytes((study.parent / "panel.csv").read_bytes())
    code, out, _ = asked("init", export, "--card", "ecsi_mobile", "--lang", "zh")
    assert code == 0
    assert "24" in out
    code, out, err = asked("check", tmp_path / "study.yaml")
    assert (code, err) == (0, "")
    assert asked("init", export, "--lang", "en")[0] == 1
    assert asked("init", export, "--force", "--quiet")[0] == 0


def test_init_understands_chinese_headers(machine, tmp_path):
    export = tmp_path / "导出.csv"
    rows = [
        "序号,季度,品牌,总体满意度,与期望相比满意程度,您是否会再次购买,意见",
        "1,2026Q1,甲,7,8,9,好",
        "2,2026Q1,乙,5,98,10,",
    ]
    export.write_text("\n".join(rows), encoding="utf-8")
    found = machine("init", export, "--card", "scsb", "--lang", "zh")
    assert found["roles"] == {"respondent": "序号", "wave": "季度", "brand": "品牌"}
    assert found["items"]["总体满意度"] == "satisfaction"
    assert found["items"]["您是否会再次购买"] == "loyalty"
    assert "complaints" in found["missing"]
    assert "column: 总体满意度" in (tmp_path / "codebook.yaml").read_text(encoding="utf-8")


def test_a_report_of_an_unknown_wave_writes_nothing(asked, study, tmp_path):
    code, out, err = asked("report", study, "--wave", "2026Q9", "--out", tmp_path / "r", "--lang", "en")
    assert (code, out) == (1, "")
    assert 'there is no wave "2026Q9"' in err
    assert not (tmp_path / "r").exists()


def test_a_report_folder_that_is_a_file_is_one_line(asked, study, tmp_path):
    (tmp_path / "r").write_text("", encoding="utf-8")
    code, out, err = asked("report", study, "--out", tmp_path / "r", "--lang", "en")
    assert (code, out) == (1, "")
    assert "cannot make the folder" in err


def test_a_card_is_drawn_into_a_file_of_its_name_when_none_is_given(asked, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = asked("models", "acsi", "--draw", "--lang", "en")
    assert (code, err) == (0, "")
    assert "Written: acsi.svg" in out
    assert (tmp_path / "acsi.svg").read_text(encoding="utf-8").startswith("<svg")
    code, out, err = asked("models", "--draw", "acsi", "--lang", "en")
    assert (code, out) == (1, "")
    assert "csi models acsi --draw" in err


def test_a_study_given_to_simulate_is_one_line_with_the_right_verb(asked, study, tmp_path):
    code, out, err = asked("simulate", study, "--out", tmp_path, "--lang", "en")
    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert f"csi check {study}" in err


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_slip_in_the_model_text_is_pointed_at(asked, study, tmp_path, lang):
    text = "model:\n  text: |\n    satisfaction =~ sat1 + sat2\n    loyalty =~ loy1\n    loyalty ~ + satisfaction"
    broken = tmp_path / "study.yaml"
    broken.write_text(study.read_text(encoding="utf-8").replace("model: {card: ecsi_mobile}", text), encoding="utf-8")
    for name in ("codebook.yaml", "panel.csv"):
        (tmp_path / name).write_bytes((study.parent / name).read_bytes())
    code, _, err = asked("check", broken, "--lang", lang)
    first, line, caret, remedy = err.splitlines()
    assert code == 1
    place = {"en": "study.yaml:18 (model, line 3, column 11): ", "zh": "study.yaml:18（模型，第 3 行，第 11 列）："}
    assert first.startswith(place[lang])
    assert (line, caret) == ("    loyalty ~ + satisfaction", "              ^")
    assert remedy.startswith("    ")
    assert not remedy.startswith("     ")


@pytest.mark.parametrize("verb", ["fit", "drivers", "index", "track"])
def test_every_verb_with_intervals_says_what_they_cover(asked, study, verb):
    out = asked(verb, study, "--lang", "en")[1]
    assert out.count("Intervals cover sampling error only") == 1


@pytest.mark.parametrize(
    ("lang", "heading", "claims"), [("en", "go with", ("points give", "can ease")), ("zh", "相应", ("对应", "放宽"))]
)
def test_drivers_are_associated_and_nothing_more(asked, study, lang, heading, claims):
    out = asked("drivers", study, "--lang", lang)[1]
    assert heading in out
    assert not any(claim in out for claim in claims)


def test_a_first_study_finds_its_waves_by_what_they_say(asked, tmp_path):
    export = tmp_path / "export.csv"
    export.write_text("id,date,sat1,sat2\n1,2024Q1,7,8\n2,2024Q1,6,5\n3,2024Q2,9,10\n4,2024Q2,3,4\n", encoding="utf-8")
    asked("init", str(export), "--out", str(tmp_path / "study"))
    text = (tmp_path / "study" / "study.yaml").read_text("utf-8")
    assert "wave: date" in text
    assert "per_year: 4" in text


def test_league_ranks_the_brands_of_a_wave(asked, machine, study):
    found = machine("league", study, "--wave", "2026Q3", "--bootstrap", "0")
    assert [r["brand"] for r in found["league"]] == [
        r["brand"] for r in sorted(found["league"], key=lambda r: r["rank"])
    ]
    assert {r["brand"] for r in found["ranks"]} == {"ZX", "YA"}
    code, out, _ = asked("league", study, "--errors", "linearised", "--lang", "zh")
    assert code == 0
    assert "联合区间" in out
    assert "抽样分布" in out
    assert "名次区间由同一组检验得出" in out
    assert not re.search(r"\b(rank|ZX|YA)\b", out.split("注：")[0])
    assert (
        "名次区间由各期两两比较（Holm 校正）得出" in asked("track", study, "--errors", "linearised", "--lang", "zh")[1]
    )
    linear = ("--errors", "linearised")
    league, tracked = machine("league", study, *linear)["league"], machine("track", study, *linear)["tracking"]
    now = {r["brand"]: (r["rank_low"], r["rank_high"]) for r in tracked if r["wave"] == "2026Q3"}
    assert now == {r["brand"]: (r["rank_low"], r["rank_high"]) for r in league}


def test_a_report_takes_the_errors_that_other_verbs_take(asked, study):
    """Read with the study: an unknown number of resamples is refused by name, a known one is the study's."""
    code, _, err = asked("report", study, "--errors", "linearised", "--bootstrap", "7", "--lang", "en")
    assert code == 2
    assert "expected 0 or at least 100 resamples" in err
    said = resampled(read_study(study), 0, "linearised").settings
    assert (said.replicates, said.index_errors) == (0, "linearised")
    assert resampled(read_study(study), None, None).settings == read_study(study).settings


@pytest.mark.parametrize(("lang", "words"), [("en", "only 2 brands"), ("zh", "只有 2 个")])
def test_medals_need_three_brands(asked, study, lang, words):
    code, out, err = asked("league", study, "--medals", "--bootstrap", "0", "--lang", lang)
    assert code == 1
    assert words in err
    assert {"en": "ranks with joint 95% intervals", "zh": "名次及其 95% 联合区间"}[lang] in out


@pytest.mark.parametrize(("errors", "note"), [("linearised", "N-LINEARISED"), ("fixed", "N-FIXED-WEIGHTS")])
def test_index_errors_may_be_chosen(machine, study, errors, note):
    found = machine("index", study, "--errors", errors)
    assert note in {n["code"] for n in found["notes"]}
