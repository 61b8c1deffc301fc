"""Keys of a study file that say how to estimate: what goes together, at its line; what they make; what init tells."""

import re
from pathlib import Path
from typing import get_args

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems
from csi.simulation.texts import FURTHER
from csi.study.estimator import estimator_of
from csi.study.fitted import fitted, fixed_weights, indexed, with_replicates
from csi.study.read import study_fields
from csi.study.schema import StudyForm
from csi.study.schema_estimate import BootstrapForm, EstimateForm
from csi.study.schema_survey import ReplicatesForm, RulesForm
from csi.study.schema_telling import ComparabilityForm, IndexForm, ReportForm, SectionName
from csi.study.study import Study

TELECOM = Path("data/telecom/study.yaml")


def codes(write_study, line, lang="en"):
    with pytest.raises(Problems) as error:
        study_fields(write_study(("csi: 1", f"csi: 1\n{line}")))
    assert all(p.what.zh and p.what.en for p in error.value.problems)
    return [(p.code, p.where.split(":")[1], p.what.say(lang)) for p in error.value.problems]


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("estimate: {estimator: gcsa}", "E-VALUE", "gcsa"),
        ("estimate: {estimator: MLR, weighting: factorial}", "E-SETTING", "weighting"),
        ("estimate: {estimator: mlr, modes: {quality: B}}", "E-SETTING", "modes"),
        ("estimate: {estimator: mlr, missing: em}", "E-SETTING", "em"),
        ("estimate: {missing: fiml}", "E-SETTING", "fiml"),
        ("estimate: {modes: {qualty: B}}", "E-CONSTRUCT", "qualty"),
        ("estimate: {modes: {quality: C}}", "E-VALUE", "C"),
        ("estimate: {ordered: [q1]}", "E-SETTING", "ordered"),
        ("estimate: {estimator: wlsmv, ordered: [q9]}", "E-ITEM", "q9"),
        ("estimate: {estimator: plsc, consistent: no}", "E-SETTING", "plsc"),
        ("estimate: {estimator: sum, consistent: yes}", "E-SETTING", "consistent"),
        ("estimate: {estimator: gsca, interaction: product}", "E-SETTING", "interaction"),
        ("estimate: {interaction: lms}", "E-SETTING", "lms"),
        ("estimate: {estimator: mlr, interaction: product}", "E-SETTING", "product"),
        ("estimate: {imputations: 1}", "E-IMPUTE", "copy"),
        ("estimate: {imputations: 5, missing: em}", "E-IMPUTE", "em"),
        ("replicate_weights: {columns: [w*], kind: fay}", "E-SETTING", "rho"),
        ("replicate_weights: {columns: [w*], kind: jk1, rho: 0.3}", "E-SETTING", "rho"),
        ("replicate_weights: {columns: [], kind: jk1}", "E-VALUE", "empty"),
        ("bootstrap: {n: 20}", "E-BOOT", "20 resamples"),
        ("bootstrap: {n: 99}", "E-BOOT", "99 resamples"),
        ("report: {sections: {mediaton: yes}}", "E-VALUE", '"report.sections.mediaton"'),
        ("report: {desired: 120}", "E-VALUE", "120"),
    ],
)
def test_what_does_not_go_together_is_named_at_its_line(write_study, line, code, said) -> None:
    found = codes(write_study, line)
    assert [c for c, _, _ in found] == [code]
    assert found[0][1] == "2"
    assert said in found[0][2]


def test_everything_at_once(write_study) -> None:
    line = (
        "estimate: {estimator: mlr, weighting: factorial, imputations: 1}\nindex: {weights: own, target: satisfaction}"
    )
    with pytest.raises(Problems) as error:
        study_fields(write_study(("csi: 1", f"csi: 1\n{line}"), ("\nindex: {target: satisfaction}", "")))
    assert [p.code for p in error.value.problems] == ["E-SETTING", "E-IMPUTE", "E-SETTING"]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("", "PLS (path)"),
        ("estimate: {consistent: yes}", "PLSc (path)"),
        ("estimate: {estimator: PLSc, weighting: centroid}", "PLSc (centroid)"),
        ("estimate: {estimator: MLR, missing: fiml}", "SEM (MLR)"),
        ("estimate: {estimator: sem, ordered: [all]}", "SEM (WLSMV)"),
        ("estimate: {estimator: gsca}", "GSCA"),
        ("estimate: {estimator: raw}", "sum scores (raw)"),
    ],
)
def test_the_estimator_a_study_names(write_study, line, name) -> None:
    study = Study.read(write_study(("csi: 1", f"csi: 1\n{line}")))
    assert estimator_of(study.settings).name == name


def test_options_reach_the_estimator(write_study) -> None:
    line = "estimate: {modes: {quality: b}, higher_order: embedded, interaction: orthogonal, missing: em}"
    made = estimator_of(Study.read(write_study(("csi: 1", f"csi: 1\n{line}"))).settings)
    assert (made.modes, made.higher_order, made.interaction, made.missing) == (
        {"quality": "B"},
        "embedded",
        "orthogonal",
        "em",
    )


WEIGHTED = "keys: {respondent: id, wave: quarter, weight: }"


def replicated(write_study, tmp_path):
    """A study of 40 people, leave-one-out weights beside the answers."""
    rng = np.random.default_rng(3)
    f = rng.integers(2, 9, 40)
    columns = {
        "id": [f"p{i}" for i in range(40)],
        "quarter": ["2024Q1", "2024Q2"] * 20,
        "q1": f,
        "q2": 11 - np.clip(f + rng.integers(-1, 2, 40), 1, 10),
        "满意度": np.clip(f + rng.integers(-1, 2, 40), 1, 10),
        **{f"rw{j}": np.where(np.arange(40) == j, 0.0, 40 / 39) for j in range(40)},
    }
    path = write_study(
        ("csi: 1", "csi: 1\nreplicate_weights: {columns: rw*, kind: jk1}"),
        ("waves: {order: [2024Q1, 2024Q2], base: 2024Q1}", "waves: {order: [2024Q1, 2024Q2]}"),
    )
    pl.DataFrame(columns).write_csv(tmp_path / "answers.csv")
    return Study.read(path)


def test_replicate_weights_of_a_study_are_those_of_the_function(write_study, tmp_path) -> None:
    study = replicated(write_study, tmp_path)
    panel = study.panel()
    assert panel.frame.columns[-40:] != list(panel.frame.columns[:40])
    ours = fitted(study, panel, by=("wave",))
    plain = csi.fit(study.model, panel, csi.PLS(), by="wave")
    theirs = csi.replicate_weights(plain, panel, "rw*", kind="jk1")
    np.testing.assert_array_equal(ours.std_error, theirs.std_error)
    made = indexed(study, with_replicates(study, panel, plain))
    assert made.table["std_error"].null_count() == 0


@pytest.mark.parametrize("n", [0, 100])
def test_no_resamples_and_enough_of_them_are_fine(write_study, n) -> None:
    assert Study.read(write_study(("csi: 1", f"csi: 1\nbootstrap: {{n: {n}}}"))).settings.replicates == n


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ("rw3", ["1 replicate weight gives no variance"]),
        ("[rw1, rw2, q1]", ['"q1" is "q1" already']),
        ("[rw1, rw2, 满意度]", ['"满意度" is "s1" already']),
        ("id", ['"id" is "respondent" already', "1 replicate weight gives no variance"]),
    ],
)
def test_columns_that_cannot_be_replicate_weights_are_refused_when_the_answers_are_read(
    write_study, tmp_path, columns, said
) -> None:
    replicated(write_study, tmp_path)
    path = tmp_path / "study.yaml"
    path.write_text(path.read_text("utf-8").replace("columns: rw*", f"columns: {columns}"), encoding="utf-8")
    with pytest.raises(Problems) as error:
        Study.read(path).panel()
    assert [p.code for p in error.value.problems] == ["E-REPWEIGHTS"] * len(said)
    assert all(word in p.what.en and p.what.zh for word, p in zip(said, error.value.problems, strict=True))


def test_replicate_weights_that_are_not_there_or_no_weights(write_study, tmp_path) -> None:
    study = replicated(write_study, tmp_path)
    text = (tmp_path / "answers.csv").read_text("utf-8")
    (tmp_path / "answers.csv").write_text(text.replace(",0.0", ",-1", 1), encoding="utf-8")
    with pytest.raises(Problems) as error:
        study.panel()
    assert [p.code for p in error.value.problems] == ["E-WEIGHT"]
    (tmp_path / "answers.csv").write_text(text.replace("rw", "repw"), encoding="utf-8")
    with pytest.raises(Problems) as error:
        study.panel()
    assert [p.code for p in error.value.problems] == ["E-COLUMN"]


def telecom(tmp_path, line, n=100):
    """The demonstration study with another `estimate` line."""
    text = re.sub("^estimate:.*$", line, TELECOM.read_text("utf-8"), flags=re.MULTILINE).replace("n: 1000", f"n: {n}")
    for name in ("panel.csv", "codebook.yaml"):
        text = text.replace(name, str((TELECOM.parent / name).resolve()))
    path = tmp_path / "study.yaml"
    path.write_text(text, encoding="utf-8")
    return Study.read(path)


def test_the_index_of_a_covariance_model_weighs_items_by_its_base_wave(tmp_path) -> None:
    study = telecom(tmp_path, "estimate: {estimator: mlr}")
    panel = study.panel()
    est = fitted(study, panel, errors=False)
    base = csi.fit(study.model, panel, csi.SEM(estimator="MLR"), by=["brand"], where={"wave": "2023Q4"})
    L, n = base.solution.loadings, base.moments.n
    at = [k for k, i in enumerate(base.solution.items) if i.startswith("sat")]
    sd = base.moments.sd[:, [base.moments.names.index(base.solution.items[k]) for k in at]]
    by_hand = (n[:, None] * L[:, at] / (1 - L[:, at] ** 2) / sd).sum(axis=0)
    ours = np.array(list(fixed_weights(study, est)["satisfaction"].values()))
    np.testing.assert_allclose(
        ours / ours.sum(), by_hand / by_hand.sum(), rtol=1e-6
    )  # two searches, each settled to about 1e-8
    made = indexed(study, with_replicates(study, panel, est))
    table = made.table
    assert table["index"].null_count() == 0
    assert table["std_error"].null_count() == 0
    (said,) = [n.text for n in made.notes if n.code == "N-INDEX-SEM"]
    assert f"estimated on the base wave 2023Q4 (cells: {len(n)})" in said.en
    assert f"估计自基期 2023Q4（{len(n)} 个单元）" in said.zh


def test_imputed_copies_are_pooled(tmp_path) -> None:
    study = telecom(tmp_path, "estimate: {imputations: 2}")
    est = fitted(study, study.panel(), where={"brand": "ZX", "wave": "2026Q3"})
    assert est.extra["pooling"].m == 2
    with pytest.raises(Problems) as error:
        csi.report(study, "2026Q3")
    assert [p.code for p in error.value.problems] == ["E-IMPUTE"]


def test_every_key_is_documented() -> None:
    page = Path("csi/study/README.md").read_text("utf-8")
    for form in (
        StudyForm,
        EstimateForm,
        BootstrapForm,
        ReplicatesForm,
        RulesForm,
        IndexForm,
        ReportForm,
        ComparabilityForm,
    ):
        for name in form.model_fields:
            assert re.search(rf"[`{{ ,]{name}\b", page), (form.__name__, name)
    for word in (*get_args(SectionName), *get_args(EstimateForm.model_fields["missing"].annotation)):
        assert word in page, word


def test_the_keys_that_init_tells_of_are_right(tmp_path) -> None:
    """Taking the hash away from each line that is a key gives a study that reads."""
    for line in FURTHER.splitlines():
        key = re.match(r"# ((estimate|bootstrap|report): .*)$", line)
        if key:
            text = re.sub(rf"^{key[2]}:.*$\n?", "", TELECOM.read_text("utf-8"), flags=re.MULTILINE) + key[1] + "\n"
            for name in ("panel.csv", "codebook.yaml"):
                text = text.replace(name, str((TELECOM.parent / name).resolve()))
            path = tmp_path / "study.yaml"
            path.write_text(text, encoding="utf-8")
            assert Study.read(path).name == "telecom"


def rewritten(tmp_path, old, new):
    """The study of `replicated` with something else in its text."""
    path = tmp_path / "study.yaml"
    path.write_text(path.read_text("utf-8").replace(old, new), encoding="utf-8")
    return Study.read(path)


@pytest.mark.parametrize("said", ["[" + ", ".join(["0.5"] * 20 + ["0.75"] * 20) + "]", "0.975"])
def test_a_study_says_the_factors_of_stratified_jackknife_weights(write_study, tmp_path, said) -> None:
    replicated(write_study, tmp_path)
    study = rewritten(tmp_path, "kind: jk1", f"kind: jkn, rscales: {said}")
    panel = study.panel()
    each = [0.5] * 20 + [0.75] * 20 if said.startswith("[") else [0.975] * 40
    plain = csi.fit(study.model, panel, csi.PLS(), by="wave")
    theirs = csi.replicate_weights(plain, panel, "rw*", kind="jkn", rscales=each)
    np.testing.assert_array_equal(fitted(study, panel, by=("wave",)).std_error, theirs.std_error)
    study = rewritten(tmp_path, f"kind: jkn, rscales: {said}", "kind: other, scale: 0.4")
    theirs = csi.replicate_weights(plain, panel, "rw*", kind="other", scale=0.4)
    np.testing.assert_array_equal(fitted(study, panel, by=("wave",)).std_error, theirs.std_error)


def test_factors_that_do_not_fit_are_told_when_the_study_or_its_answers_are_read(write_study, tmp_path) -> None:
    replicated(write_study, tmp_path)
    with pytest.raises(Problems, match="needs rscales"):
        rewritten(tmp_path, "kind: jk1", "kind: jkn")
    study = rewritten(tmp_path, "kind: jkn", "kind: jkn, rscales: [0.5, 0.5]")
    with pytest.raises(Problems, match="40 columns of replicate weights and 2 rscales"):
        study.panel()
    with pytest.raises(Problems) as error:
        rewritten(tmp_path, "rscales: [0.5, 0.5]", "rscales: [-0.5]")
    assert len(error.value.problems) == 1


def test_replicate_weights_that_are_all_zero_are_told_when_the_answers_are_read(write_study, tmp_path) -> None:
    study = replicated(write_study, tmp_path)
    file = tmp_path / "answers.csv"
    pl.read_csv(file).with_columns(rw3=pl.lit(0.0)).write_csv(file)
    with pytest.raises(Problems) as error:
        study.panel()
    assert [p.code for p in error.value.problems] == ["E-REPWEIGHTS"]
    assert error.value.problems[0].where == "answers.csv, column rw3"
