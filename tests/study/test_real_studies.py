"""Five real data sets, each read by a study file of at most 40 lines; what is found is held to other programs or to the
rows themselves (see the README beside each study).
"""

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.study.estimator import estimator_of
from csi.study.fitted import indexed

STUDIES = Path(__file__).parents[1] / "reference" / "studies"
FOLDERS = {"sfo": "sfo_2010_2013", "hcahps": "hcahps", "big5": "big5", "bfi": "bfi", "insteval": "insteval"}
LINES = 40


@pytest.fixture
def opened(reference_dir, tmp_path):
    """The study and its answers, its files beside copies of the data."""

    def _open(name):
        for file in (STUDIES / name).glob("*.yaml"):
            shutil.copy(file, tmp_path)
        for file in (reference_dir / "data" / FOLDERS[name]).iterdir():
            if file.suffix in {".csv", ".tsv"}:
                shutil.copy(file, tmp_path)
        study = csi.Study.read(tmp_path / "study.yaml")
        return study, study.panel()

    return _open


def truth(reference_dir, name):
    return json.loads((reference_dir / "reference" / name).read_text("utf-8"))


@pytest.mark.parametrize("name", FOLDERS)
def test_a_study_file_has_at_most_forty_lines_and_says_what_was_found(name):
    assert len((STUDIES / name / "study.yaml").read_text("utf-8").splitlines()) <= LINES
    assert "**What was found.**" in (STUDIES / name / "README.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "rows"), [("sfo", 14133), ("hcahps", 4580), ("big5", 19718), ("bfi", 2800), ("insteval", 73421)]
)
def test_every_row_is_read(opened, name, rows):
    _, panel = opened(name)
    assert panel.frame.height == rows


def test_sfo_gains_in_2012_as_welchs_test_says(opened, reference_dir):
    study, panel = opened("sfo")
    found = csi.waves(study)
    assert found.repeats.kind == "cross-sections"
    assert found.repeats.high < 0.1
    assert set(found.changes["what"]) == {"renamed", "new column", "column left"}
    made = indexed(study, csi.fit(study.model, panel, estimator_of(study.settings), by=["wave"]))
    row = csi.changes(made, against=("previous",), per_year=1).table.filter(wave="2012").row(0, named=True)
    welch = truth(reference_dir, "survey_sfo.json")["wave_change_whole_welch"][1]
    assert row["change"] == pytest.approx(25 * welch["diff"], rel=1e-9)
    # the factor n / (n - 1) counts all 3,521 rows of the wave, Welch's the 3,348 that answered
    assert row["statistic"] == pytest.approx(welch["t"], rel=1e-5)
    assert row["p_value"] == pytest.approx(welch["p"], rel=1e-3)  # other degrees of freedom, 6867 and 7005


def test_hcahps_is_a_panel_of_states_whose_changes_are_paired(opened):
    study, panel = opened("hcahps")
    made = indexed(study, csi.fit(study.model, panel, estimator_of(study.settings), by=["brand", "wave"]))
    wide = panel.frame.filter(brand="H_COMP_1").pivot("wave", index="respondent", values="top")
    values = made.table.filter(construct="satisfaction", brand="H_COMP_1")
    assert values["index"].to_list() == pytest.approx([wide[w].mean() for w in values["wave"]], rel=1e-9)
    apart = (wide["07_2019"] - wide["07_2018"]).to_numpy()
    row = csi.changes(made, against=("previous",)).table.filter(brand="H_COMP_1", wave="07_2019").row(0, named=True)
    assert row["change"] == pytest.approx(apart.mean(), abs=1e-9)
    # states without 2016 stand in a stratum of their own, so the error is a little below that of one sample of pairs
    assert row["std_error"] == pytest.approx(apart.std(ddof=1) / np.sqrt(apart.size), rel=0.03)
    assert csi.waves(study).repeats.kind == "panel"


def test_hcahps_texts_are_no_weights(opened, tmp_path):
    """ "300 or more" is not made into a number."""
    opened("hcahps")
    rows = pl.read_csv(tmp_path / "responses.csv", infer_schema=False).rename({"response_rate": "top"})
    study = csi.Study.read(tmp_path / "study.yaml")
    book = csi.Codebook((study.codebook["top"],), {}, {"weight": "completed_surveys", "respondent": "facility_id"})
    first = rows.filter(release_period="07_2015").select("facility_id", "completed_surveys", top_box_percentage="top")
    with pytest.raises(csi.Problems) as error:
        csi.read_panel(first, book)
    assert {p.code for p in error.value.problems} >= {"E-WEIGHT"}
    assert "300 or more" in str(error.value)


def test_big5_has_the_counts_means_and_alpha_of_psych(opened, reference_dir):
    study, panel = opened("big5")
    known = truth(reference_dir, "survey_big5.json")
    for item in study.codebook.items:
        mean = known["items"][item.name]["mean"]
        assert panel.frame[item.name].count() == known["items"][item.name]["n_valid"]
        assert panel.frame[item.name].mean() == pytest.approx(6 - mean if item.reverse else mean, rel=1e-9)
    assert panel.excluded.height * 50 == known["n_missing_cells"]
    table = csi.reliability(csi.fit(study.model, panel, csi.PLS())).table.filter(construct="extraversion")
    alpha = known["alpha_E_reversed"]["total"]["raw_alpha"]
    assert table["alpha"][0] == pytest.approx(alpha, rel=1e-9)


def test_bfi_fits_as_lavaan_says(opened, reference_dir):
    study, panel = opened("bfi")
    est = csi.fit(study.model, panel, estimator_of(study.settings))
    fit = truth(reference_dir, "ordinal_bfi_reversed.json")["WLSMV"]["fit"]
    table = dict(csi.fit_measures(est).table.select("measure", "value").iter_rows())
    for name, theirs in (
        ("chi2", "chisq"),
        ("cfi", "cfi"),
        ("chi2_scaled", "chisq.scaled"),
        ("cfi_scaled", "cfi.scaled"),
    ):
        assert table[name] == pytest.approx(fit[theirs], rel=1e-6), name


def test_insteval_has_the_error_of_lecturers_not_of_ratings(opened):
    study, panel = opened("insteval")
    made = indexed(study, csi.fit(study.model, panel, estimator_of(study.settings), by=["brand"]))
    table = made.table.filter(construct="satisfaction")
    for dept, value, error in table.select("brand", "index", "std_error").iter_rows():
        rows = panel.frame.filter(brand=dept).with_columns(p=25 * (pl.col("y") - 1))
        y = rows["p"].to_numpy()
        assert value == pytest.approx(y.mean(), rel=1e-9)
        sums = rows.group_by("cluster").agg((pl.col("p") - y.mean()).sum())["p"].to_numpy()
        assert error == pytest.approx(np.sqrt(sums.size / (sums.size - 1) * (sums**2).sum()) / y.size, rel=1e-6)
        assert error > 2.5 * y.std() / np.sqrt(y.size)
