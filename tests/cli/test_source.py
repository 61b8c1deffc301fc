"""Every verb on one model takes a STUDY like `csi index`, and gives what the functions give for its cell."""

import json
from pathlib import Path

import polars as pl
import pytest

import csi
from csi.cli import main

SOURCE = Path("data/telecom")
WAVES = ("2023Q4", "2026Q2", "2026Q3")
WHERE = {"brand": "YA", "wave": "2026Q2"}
CELL = ("--brand", "YA", "--wave", "2026Q2")
FEW = ("--bootstrap", "100")
STUDY = "the study"
"""Stands for its path."""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """The telecom study with the answers of three waves, its base among them."""
    folder = tmp_path_factory.mktemp("telecom")
    rows = pl.read_csv(SOURCE / "panel.csv", infer_schema=False)
    rows.filter(pl.col("quarter").is_in(WAVES)).write_csv(folder / "panel.csv")
    for name in ("study.yaml", "codebook.yaml"):
        (folder / name).write_bytes((SOURCE / name).read_bytes())
    return folder / "study.yaml"


@pytest.fixture(scope="module")
def study(path):
    return csi.Study.read(path)


@pytest.fixture(scope="module")
def est(study):
    return csi.fit(study.model, study.panel(), csi.PLS(), where=WHERE)


@pytest.fixture
def asked(capsys):
    def run(verb, *words):
        code = main([verb, *(str(w) for w in words), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


def column(rows, name):
    return pl.DataFrame(rows, infer_schema_length=None)[name].to_list()


def test_predict(asked, path, est, study) -> None:
    code, found = asked("predict", path, *CELL, "--repetitions", "2")
    assert code == 0
    theirs = csi.predict(est, 10, 2, seed=study.settings.seed)
    assert column(found["items"], "q2_predict") == pytest.approx(theirs.table["q2_predict"].to_list(), abs=1e-12)


def test_assess(asked, path, est) -> None:
    code, found = asked("assess", path, *CELL, "--bootstrap", "0")
    assert code == 0
    theirs = csi.fit_measures(est).table["value"].to_list()
    assert column(found["fit_measures"], "value") == pytest.approx(theirs, abs=1e-12)


def test_mediation_with_the_bootstrap_of_the_study(asked, path, est, study) -> None:
    code, found = asked("mediation", path, *CELL, *FEW, "--from", "image", "--to", "loyalty")
    assert code == 0
    boot = csi.bootstrap(est, 100, study.settings.seed)
    theirs = csi.mediation(boot, "image", "loyalty").table
    assert column(found["effects"], "conf_low") == pytest.approx(theirs["conf_low"].to_list(), abs=1e-12)


def test_segments(asked, path, est, study) -> None:
    code, found = asked("segments", path, *CELL, "--k", "1,2", "--starts", "3")
    assert code == 0
    theirs = csi.fimix(est, [1, 2], starts=3, seed=study.settings.seed).table
    assert column(found["criteria"], "loglik") == pytest.approx(theirs["loglik"].to_list(), abs=1e-9)


def test_robustness(asked, path, est, study) -> None:
    code, found = asked("robustness", path, *CELL, *FEW)
    assert code == 0
    theirs = csi.nonlinear(csi.bootstrap(est, 100, study.settings.seed)).table
    assert column(found["quadratic"], "conf_low") == pytest.approx(theirs["conf_low"].to_list(), abs=1e-12)


def test_nca_of_the_target_and_all_that_leads_to_it(asked, path, est, study) -> None:
    code, found = asked("nca", path, *CELL, "--permutations", "99")
    assert code == 0
    names = ["image", "expectation", "perceived_quality", "perceived_value"]
    theirs = csi.nca(est, names, "satisfaction", permutations=99, seed=study.settings.seed).table
    assert sorted(set(column(found["effects"], "condition"))) == sorted(names)
    assert sorted(column(found["effects"], "effect")) == pytest.approx(sorted(theirs["effect"].to_list()), abs=1e-12)


def test_groups_of_a_study_by_its_keys(asked, path, study) -> None:
    code, found = asked("groups", path, "--by", "segment", "--permutations", "99", "--bootstrap", "0")
    assert code == 0
    assert {g["group"] for g in found["groups"]} == {"contract", "prepaid", "family"}
    frame = study.panel().frame.filter(wave="2026Q3")
    assert sum(g["n"] for g in found["groups"]) == frame.select(study.model.items).drop_nulls().height


def test_scores(asked, path, est) -> None:
    code, found = asked("scores", path, *CELL, "--kind", "0-100")
    assert code == 0
    theirs = csi.scores(est, None, "0-100")["satisfaction"].to_list()
    assert column(found["scores"], "satisfaction") == pytest.approx(theirs, abs=1e-9)


def test_compare_takes_the_study_s_rivals_and_target(asked, path, est) -> None:
    code, found = asked("compare", path, *CELL, *FEW)
    assert code == 0
    assert list(found["estimators"]) == ["pls", "plsc", "mlr", "sum", "gsca"]
    assert found["target"] == "satisfaction"
    paths = [row for row in found["side_by_side"] if row["part"] == "path"]
    assert paths[0]["value_pls"] == pytest.approx(est.solution.paths[0][est.solution.paths[0] != 0][0], abs=1e-9)


def test_slopes_of_a_study_with_a_product(asked, tmp_path, path, study) -> None:
    text = path.read_text(encoding="utf-8")
    folder = path.parent.resolve()
    for name in ("panel.csv", "codebook.yaml"):
        text = text.replace(name, str(folder / name))
    product = "model:\n  text: |\n    satisfaction ~ image + perceived_value + image:perceived_value\n"
    other = tmp_path / "study.yaml"
    other.write_text(text.replace("model: {card: ecsi_mobile}\n", product), encoding="utf-8")
    code, found = asked("slopes", other, *CELL, *FEW)
    assert code == 0
    panel = study.panel()
    own = csi.Study.read(other)
    theirs = csi.fit(own.model, panel, csi.PLS(), where=WHERE)
    assert column(found["interaction"], "estimate") == pytest.approx(
        [theirs.table.filter(lhs="satisfaction", rhs="image:perceived_value", op="~")["estimate"][0]], abs=1e-9
    )


@pytest.mark.parametrize(
    ("verb", "words", "code", "said"),
    [
        ("predict", (STUDY, "more.csv"), 2, "a study names its own data"),
        ("predict", ("model.lav",), 2, "DATA"),
        ("assess", (STUDY, "--na", "99"), 2, "not for a study: --na"),
        ("segments", ("y =~ a + b", "x.csv", "--brand", "ZX"), 2, "not for a model text: --brand"),
        ("mediation", (STUDY, "--brand", "Zhongxn"), 1, "Zhongxun"),
        ("compare", (STUDY, "--by", "stge"), 1, "stage"),
        ("compare", (STUDY, "--estimators", "pls,plz"), 1, "plz"),
        ("nca", (STUDY, "--na", "99"), 2, "not for a study"),
        ("nca", ("answers.csv",), 2, "--x, --y"),
        ("groups", (STUDY,), 2, "--by"),
        ("robustness", (STUDY, "--wave", "2031Q1"), 1, "2031Q1"),
    ],
)
def test_what_does_not_go_together(asked, path, verb, words, code, said) -> None:
    words = [path if word is STUDY else word for word in words]
    ended, found = asked(verb, *words, "--lang", "en")
    assert ended == code
    assert said in " ".join(f"{p['what']} {p['remedy']}" for p in found["problems"])
    ended, found = asked(verb, *words, "--lang", "zh")
    assert ended == code


def test_names_of_constructs_in_words(capsys, path) -> None:
    assert main(["mediation", str(path), *CELL, *FEW, "--from", "image", "--to", "loyalty", "--lang", "zh"]) == 0
    shown = capsys.readouterr().out
    assert "品牌形象 -> 顾客满意度 -> 顾客忠诚" in shown
    assert "satisfaction" not in shown


@pytest.mark.parametrize(
    "verb", [("nca", "--permutations", "99"), ("robustness", *FEW), ("predict", "--repetitions", "1")]
)
def test_english_sentences_name_constructs_in_words(capsys, path, study, verb):
    main([verb[0], str(path), *CELL, *verb[1:], "--lang", "en"])
    out = capsys.readouterr().out
    said = [line for line in out.splitlines() if ": " in line and not line.startswith("Note")]
    names = {c: study.codebook.label(c, "en") for c in study.model.names}
    assert any(line.startswith(f"{names['expectation']}: ") for line in said)
    for line in said:
        assert not any(line.startswith(f"{code}: ") or f" for {code} (" in line for code in names)
        assert "perceived_" not in line
