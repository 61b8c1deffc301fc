"""`csi fit --estimator plsc`, `csi compare`, and studies that ask for another estimator than PLS."""

import json

import numpy as np
import polars as pl
import pytest

import csi

TEXT = "image =~ i1 + i2 + i3\nvalue =~ v1 + v2\nsat =~ s1 + s2 + s3\nvalue ~ image\nsat ~ image + value\n"


@pytest.fixture(scope="module")
def answers() -> pl.DataFrame:
    rng = np.random.default_rng(3)
    image = rng.normal(size=300)
    value = 0.5 * image + 0.85 * rng.normal(size=300)
    sat = 0.5 * image + 0.3 * value + 0.7 * rng.normal(size=300)
    columns = np.column_stack([image] * 3 + [value] * 2 + [sat] * 3)
    x = np.clip(np.round(5.5 + 1.3 * (columns + 0.7 * rng.normal(size=columns.shape))), 1, 10)
    names = ["i1", "i2", "i3", "v1", "v2", "s1", "s2", "s3"]
    return pl.DataFrame(x, schema=names).with_columns(brand=pl.Series(["A", "B"] * 150))


@pytest.fixture
def files(answers, tmp_path):
    (tmp_path / "model.lav").write_text(TEXT, encoding="utf-8")
    answers.write_csv(tmp_path / "answers.csv")
    return str(tmp_path / "model.lav"), str(tmp_path / "answers.csv")


SETTINGS = {
    "pls": csi.PLS(),
    "plsc": csi.PLS(consistent=True),
    "sum": csi.SumScores(),
    "raw": csi.SumScores(weights="raw"),
    "pca": csi.SumScores(weights="pca"),
    "gsca": csi.GSCA(),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_machine_gets_what_the_library_finds(asked, files, answers, name) -> None:
    code, out, err = asked("fit", *files, "--estimator", name.upper(), "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    est = csi.fit(TEXT, answers, SETTINGS[name])
    assert found["estimator"] == est.settings.name
    assert [r["estimate"] for r in found["parameters"]] == est.values[0].tolist()
    assert {r["construct"]: r["r2"] for r in found["r2"]} == {
        "value": est.solution.r2[0, 1],
        "sat": est.solution.r2[0, 2],
    }
    assert found["fit_measures"]


def test_a_person_reads_paths_items_and_constructs(asked, files) -> None:
    code, out, _ = asked(
        "fit", *files, "--estimator", "plsc", "--modes", "image=B", "--bootstrap", "100", "--lang", "en"
    )
    assert code == 0
    assert "PLSc (path)" in out.splitlines()[0]
    for said in ("converged after", "SRMR", "Paths (standardised)", "Items", "Constructs", "factor", "low"):
        assert said in out
    code, out, _ = asked("fit", *files, "--estimator", "gsca", "--by", "brand", "--lang", "zh")
    assert code == 0
    assert "R² sat" in out
    assert "合成" in out


def test_options_of_another_estimator_are_told(asked, files) -> None:
    code, out, err = asked("fit", *files, "--estimator", "pls", "--ordered", "all", "--groups", "brand", "--lang", "en")
    assert code == 2
    assert "--ordered: pls does not take this option" in out + err
    assert "--groups: pls does not take this option" in out + err
    code, out, err = asked("fit", *files, "--estimator", "MLR", "--modes", "image=B", "--lang", "en")
    assert code == 2
    assert "--modes: a covariance model does not take this option" in out + err
    code, out, err = asked("fit", *files, "--estimator", "sum", "--weighting", "centroid", "--lang", "en")
    assert code == 2
    code, out, err = asked("fit", *files, "--estimator", "pls", "--modes", "imgae=B", "--lang", "en")
    assert code == 1
    assert 'Did you mean "image"' in out + err


def test_compare_says_whether_it_matters(asked, files, answers) -> None:
    code, out, err = asked("compare", *files, "--scale", "1,10", "--bootstrap", "100", "--lang", "en")
    assert (code, err) == (0, "")
    assert "By 5 estimators" in out
    for said in ("Paths (standardised)", "Total effects on sat", "Order of the drivers of sat", "Index"):
        assert said in out
    code, out, _ = asked("compare", *files, "--estimators", "pls,ml,sum", "--by", "brand", "--scale", "1,10", "--json")
    found = json.loads(out)
    assert code == 0
    assert list(found["estimators"]) == ["pls", "ml", "sum"]
    assert {r["part"] for r in found["side_by_side"]} == {"path", "index", "total effect", "driver rank", "rank"}
    made = csi.compare(
        csi.bootstrap(csi.fit(TEXT, answers, csi.PLS(), by=["brand"], scale=(1, 10)), 500, seed=1),
        csi.fit(TEXT, answers, csi.SEM(estimator="ML"), by=["brand"], scale=(1, 10)),
        csi.fit(TEXT, answers, csi.SumScores(), by=["brand"], scale=(1, 10)),
    )
    assert [r["value_ml"] for r in found["side_by_side"]] == made.side_by_side["value_2"].to_list()
    assert found["verdict"]["en"] == made.verdict.en


def test_compare_tells_what_is_wrong(asked, files) -> None:
    code, out, err = asked("compare", *files, "--estimators", "pls", "--lang", "en")
    assert code == 2
    code, out, err = asked("compare", *files, "--estimators", "pls,mlrr", "--lang", "en")
    assert code == 1
    assert 'Did you mean "mlr"' in out + err
    code, out, err = asked("compare", *files, "--scale", "10,1")
    assert code == 2
    code, out, err = asked("compare", *files, "--target", "satt", "--lang", "en")
    assert code == 1
    assert 'Did you mean "sat"' in out + err


@pytest.mark.parametrize(("name", "said"), [("plsc", "PLSc (path)"), ("sum", "sum scores"), ("gsca", "GSCA")])
def test_a_study_may_ask_for_another_estimator(asked, study, tmp_path, name, said) -> None:
    text = study.read_text("utf-8") + f"\nestimate: {{estimator: {name}}}\n"
    own = study.with_name(f"{name}.yaml")
    own.write_text(text, encoding="utf-8")
    code, out, err = asked("index", own, "--json", "--bootstrap", "0")
    assert code == 0, out + err
    found = json.loads(out)
    assert said in json.dumps(found)
    code, out, err = asked("fit", own, "--bootstrap", "0", "--json")
    assert json.loads(out)["engine"] == said


def test_a_study_reports_by_consistent_pls(asked, study, tmp_path) -> None:
    own = study.with_name("report_plsc.yaml")
    own.write_text(study.read_text("utf-8") + "\nestimate: {estimator: plsc}\n", encoding="utf-8")
    code, out, err = asked("report", own, "--out", tmp_path / "out", "--lang", "en", "--to", "html")
    assert code == 0, out + err
    page = next((tmp_path / "out").rglob("*.html")).read_text("utf-8")
    assert "PLSc (path)" in page
    assert "computed from consistent (factor) loadings" in page
