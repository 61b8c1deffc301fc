"""Studies with one thing wrong: one message with the place and the remedy, never a traceback or an empty table."""

import argparse
import json

import polars as pl
import pytest

import csi
from csi.cli.studied import LEAST, resamples

TARGET = "satisfaction"


@pytest.fixture
def broken(study, tmp_path):
    """The small study with other answers or another study file."""

    def make(answers=None, edit=None):
        panel = pl.read_csv(study.parent / "panel.csv", infer_schema=False)
        (panel if answers is None else answers(panel)).write_csv(tmp_path / "panel.csv")
        (tmp_path / "codebook.yaml").write_bytes((study.parent / "codebook.yaml").read_bytes())
        text = study.read_text(encoding="utf-8")
        (tmp_path / "study.yaml").write_text(text if edit is None else edit(text), encoding="utf-8")
        return tmp_path / "study.yaml"

    return make


def without_lines(*starts):
    """An edit that drops lines."""
    return lambda text: "\n".join(line for line in text.splitlines() if not line.startswith(starts))


def no_wave(text):
    """No wave key, no waves, weights by the default rule."""
    text = without_lines("waves:", "index:")(text)
    return text.replace("wave: quarter, ", "").replace("respondent: id, ", "")


def neither(text):
    """No wave and no brand."""
    return without_lines("brands:", "  - {name:")(no_wave(text).replace("brand: operator, ", ""))


def set_where(item, value, condition):
    """An answer replaced in some rows."""
    return lambda panel: panel.with_columns(
        pl.when(condition)
        .then(pl.lit(value) if value is None or isinstance(value, str) else value)
        .otherwise(item)
        .alias(item)
    )


LAST = pl.col("quarter") == "2026Q3"
CELL = LAST & (pl.col("operator") == "YA")


@pytest.mark.parametrize("edit", [no_wave, neither], ids=["no_wave", "neither"])
@pytest.mark.parametrize("verb", ["check", "index", "fit", "drivers"])
def test_a_study_without_waves_or_brands_prints_no_such_column(asked, broken, verb, edit):
    options = ("--bootstrap", "0") if verb != "check" else ()
    code, out, err = asked(verb, broken(edit=edit), "--lang", "en", *options)
    assert (code, err) == (0, "")
    headings = [line.split() for line in out.splitlines() if "Satisfaction" in line or line.startswith(("brand", "n"))]
    assert not any("wave" in words for words in headings)
    assert "\nwave " not in out
    assert ("Zhongxun" in out) == (edit is no_wave)


def test_all_respondents_are_one_cell(asked, broken):
    path = broken(edit=neither)
    found = json.loads(asked("index", path, "--bootstrap", "0", "--json")[1])
    rows = [r for r in found["index"] if r["construct"] == TARGET]
    assert len(rows) == 1
    assert 60 < rows[0]["index"] < 90


def test_changes_need_waves(asked, broken):
    path = broken(edit=no_wave)
    code, out, err = asked("track", path, "--lang", "en")
    assert (code, out) == (1, "")
    assert err.startswith(f"{path}: the study has no waves, and a change needs two of them. Name the column")
    assert "the study has no waves. Leave --wave out" in asked("index", path, "--wave", "2026Q3", "--lang", "en")[2]


@pytest.mark.parametrize("verb", ["check", "index", "fit", "track", "drivers", "report"])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            set_where("img2", None, LAST),
            "item img2 has no answers in 2026Q3 (all brands). Listwise deletion leaves n = 0.",
        ),
        (set_where("img2", None, pl.lit(value=True)), "item img2 of the model has no answer at all."),
        (set_where("qua3", "7", pl.lit(value=True)), "answers to item qua3 of the model are the same (7)."),
    ],
    ids=["wave", "everywhere", "constant"],
)
def test_an_unusable_item_is_one_message(asked, broken, tmp_path, verb, change, said):
    path = broken(change)
    options = ("--out", tmp_path / "reports") if verb == "report" else ()
    code, _, err = asked(verb, path, "--lang", "en", *options)
    assert code == 1
    assert len(err.splitlines()) == 1
    assert err.startswith("panel.csv, column ")
    assert said in err
    assert not (tmp_path / "reports").exists()


def test_an_unanswered_item_of_another_wave_is_no_obstacle(asked, broken):
    path = broken(set_where("img2", None, LAST))
    assert asked("index", path, "--wave", "2026Q2", "--bootstrap", "0")[0] == 0


def test_a_small_cell_is_suppressed_for_people_and_machines(asked, broken):
    path = broken(lambda p: p.filter(~CELL | (CELL.cum_sum() <= 3)))
    code, out, err = asked("index", path, "--bootstrap", "0", "--lang", "en")
    assert (code, err) == (0, "")
    assert "fewer than 30 answers; suppressed." in out
    found = json.loads(asked("index", path, "--bootstrap", "0", "--json")[1])["index"]
    small = [r for r in found if r["brand"] == "YA" and r["wave"] == "2026Q3"]
    assert {r["n"] for r in small} == {3}
    assert all(r["index"] is None and r["conf_low"] is None and r["std_error_fixed"] is None for r in small)
    assert all(r["index"] is not None for r in found if r["n"] >= 30)
    code, _, err = asked("drivers", path, "--brand", "YA", "--lang", "en")
    assert code == 1
    assert err.startswith("Yunan · 2026Q3: 3 answers, below the base of 30; nothing is told of it.")


@pytest.mark.parametrize(("lang", "said"), [("en", "Too few answers to be told (n = 11"), ("zh", "样本量过少（n = 11")])
def test_paths_of_a_small_cell_are_withheld(asked, broken, lang, said):
    path = broken(lambda p: p.filter(~CELL | (CELL.cum_sum() <= 12)))
    code, out, _ = asked("fit", path, "--brand", "YA", "--bootstrap", "0", "--lang", lang)
    assert code in (0, 3)
    assert said in out
    assert "E-BASE" in out or ("fewer than 30 answers" if lang == "en" else "样本量不足 30") in out
    answer = json.loads(asked("fit", path, "--bootstrap", "0", "--json")[1])
    few = [r for r in answer["estimates"] if r["brand"] == "YA" and r["wave"] == "2026Q3"]
    assert few
    assert {(r["estimate"], r["flag"], r["reason"]) for r in few} == {(None, "suppressed", "R-BASE")}
    assert all(r["estimate"] is not None for r in answer["estimates"] if r["flag"] is None)
    (cell,) = [r for r in answer["cells"] if r["brand"] == "YA" and r["wave"] == "2026Q3"]
    assert (cell["n"], cell["r2"], cell["flag"]) == (11, None, "suppressed")
    assert cell["reason_zh"] == "样本量不足 30，不予发布。"


def reversed_in(condition):
    """Answers to sat1 turned over in some rows."""
    turned = pl.col("sat1").cast(pl.Int64)
    return set_where("sat1", (11 - turned).cast(pl.String), condition & (turned <= 10))


@pytest.mark.parametrize("verb", ["index", "track"])
def test_a_negative_weight_of_one_cell_is_named(asked, broken, verb):
    code, out, _ = asked(verb, broken(reversed_in(CELL)), "--bootstrap", "0", "--lang", "en")
    assert code == 0
    assert (
        "Yunan 2026Q3: the outer weight of sat1 is negative there; the published index uses the base wave's weights. "
        "Check the direction" in out
    )
    assert "no index" not in out


@pytest.mark.parametrize(("verb", "lang"), [("index", "en"), ("track", "zh")])
def test_without_convergence_the_cells_the_fit_and_the_remedy_are_named(asked, broken, verb, lang):
    path = broken(edit=lambda t: t + "\nestimate: {tolerance: 1e-300}")
    code, out, _ = asked(verb, path, "--bootstrap", "0", "--lang", lang)
    assert code == 3
    said = {
        "en": "No index for Zhongxun 2026Q3, Yunan 2026Q3: weights of the base wave 2025Q3: no convergence",
        "zh": "中讯 2026Q3、云安 2026Q3 没有指数：基期 2025Q3 的权重：迭代 300 次仍未收敛",
    }
    assert said[lang] in out
    assert {"en": "Raise tolerance under estimate", "zh": "请放宽 estimate 中的 tolerance"}[lang] in out
    assert "have no usable solution" not in out


def test_drivers_name_the_cell_that_did_not_converge(asked, broken):
    path = broken(edit=lambda t: t + "\nestimate: {tolerance: 1e-300}")
    code, out, _ = asked("drivers", path, "--bootstrap", "0", "--lang", "en")
    assert code == 3
    assert "Zhongxun 2026Q3: no usable model: no convergence after 300 iterations" in out


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda t: t + "\nestimate: {tolerance: 1e-300}", "No index for Zhongxun 2026Q3"),
        (None, "the outer weight of sat1 is not positive"),
    ],
    ids=["not_converged", "negative"],
)
def test_a_report_without_an_index_ends_with_code_3(asked, broken, tmp_path, edit, said):
    change = reversed_in(pl.lit(value=True)) if edit is None else None
    out_dir = tmp_path / "reports"
    code, out, err = asked("report", broken(change, edit), "--out", out_dir, "--lang", "en", "--to", "html")
    assert (code, err) == (3, "")
    assert said in out
    page = (out_dir / "2026Q3" / "report.html").read_text(encoding="utf-8")
    assert "Start with" not in page
    assert "improve first" not in page.replace("Not told: What to improve first", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("index", "--bootstrap", "-5"), "参数 --bootstrap: 重抽样次数应为 0 或不少于 100，而不是 -5"),
        (("drivers", "--bootstrap", "99"), "参数 --bootstrap: 重抽样次数应为 0 或不少于 100，而不是 99"),
        (("report", "--kind", "foo"), "参数 --kind: 不可用的取值：'foo'"),
    ],
)
def test_options_out_of_range_are_usage_errors(asked, words, said):
    verb, *options = words
    code, out, err = asked(verb, "no/such/study.yaml", *options, "--lang", "zh")
    assert (code, out) == (2, "")
    assert said in err


def test_a_brand_without_answers_in_a_wave_is_said(asked, broken):
    path = broken(lambda p: p.filter(~CELL))
    code, out, err = asked("index", path, "--brand", "YA", "--wave", "2026Q3", "--lang", "en")
    assert (code, out) == (1, "")
    assert err == "there are no answers for Yunan 2026Q3. Choose another wave or brand.\n"


def test_brands_that_are_not_listed_are_taken_from_the_data(asked, broken, tmp_path):
    path = broken(edit=without_lines("brands:", "  - {name:"))
    code, out, _ = asked("index", path, "--bootstrap", "0", "--lang", "en")
    assert code == 0
    assert {line.split()[0] for line in out.splitlines() if line.split()[1:2] == ["2026Q3"]} == {"YA", "ZX"}
    code, out, err = asked("report", path, "--out", tmp_path / "reports", "--lang", "en")
    assert (code, out) == (1, "")
    assert err.startswith(f"{path}: there are 2 brands and none of them is the focal one.")
    assert "brands: [{name: " in err
    assert not (tmp_path / "reports").exists()


def test_the_command_line_asks_for_as_many_resamples_as_the_package():
    frame = pl.DataFrame({"a": [1.0, 2, 3, 5, 4, 6, 9, 7], "b": [2.0, 1, 4, 3, 6, 5, 8, 9]})
    est = csi.fit("x =~ a; y =~ b; y ~ x", frame, csi.PLS())
    assert csi.bootstrap(est, resamples(str(LEAST)), seed=1).replicates.n == LEAST
    with pytest.raises(csi.Problems):
        csi.bootstrap(est, LEAST - 1, seed=1)
    with pytest.raises(argparse.ArgumentTypeError):
        resamples(str(LEAST - 1))
