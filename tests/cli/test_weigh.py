"""`weights:` of a study file and `csi weigh`: margins met, told without small categories, mistakes at their lines."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.cli.shell import main
from csi.cli.studied import opened
from csi.study import read_study
from csi.study.fitted import fitted
from csi.study.panel import read_study_panel

STUDY = """csi: 1
study: weighed
data: [{file: a.csv}]
keys: {respondent: id, wave: wave, stratum: strat}
codebook:
  scales: {ten: {min: 1, max: 10}}
  constructs: {satisfaction: {en: Satisfaction, zh: 满意}, loyalty: {en: Loyalty, zh: 忠诚}}
  items:
    - {name: s1, construct: satisfaction, scale: ten}
    - {name: s2, construct: satisfaction, scale: ten}
    - {name: l1, construct: loyalty, scale: ten}
model: {text: "satisfaction =~ s1 + s2\\nloyalty =~ l1\\nloyalty ~ satisfaction"}
waves: {order: [2026Q1, 2026Q2]}
bootstrap: {n: 200}
"""
WEIGHTS = """weights:
  rake:
    sex: {女: 0.51, 男: 0.49}
    age: age.csv
  by: [wave]
  base: w0
  trim: {max: 3}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two waves of 120 answers, the margins of age, and the study without its weights."""
    rng, n = np.random.default_rng(5), 240
    f = rng.normal(size=n)
    answers = {c: np.clip(np.round(6 + f + rng.normal(size=n)), 1, 10).astype(int) for c in ("s1", "s2", "l1")}
    frame = pl.DataFrame(
        {
            "id": [f"p{i}" for i in range(n)],
            "wave": ["2026Q1", "2026Q2"] * (n // 2),
            "sex": rng.choice(["女", "男"], n, p=[0.65, 0.35]),
            "age": rng.choice(["young", "old"], n, p=[0.7, 0.3]),
            "strat": rng.choice(["n", "s"], n),
            "w0": rng.uniform(0.5, 2, n).round(3),
            **answers,
        }
    )
    frame.write_csv(tmp_path / "a.csv")
    (tmp_path / "age.csv").write_text("age,share\nyoung,40\nold,60\n", encoding="utf-8")
    (tmp_path / "study.yaml").write_text(STUDY + WEIGHTS, encoding="utf-8")
    return tmp_path


def said(folder: Path, weights: str, files: dict[str, str] | None = None) -> list[csi.errors.Problem]:
    """The problems of the study with these weights."""
    for name, text in (files or {}).items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "study.yaml").write_text(STUDY + weights, encoding="utf-8")
    with pytest.raises(csi.Problems) as found:
        read_study_panel(read_study(folder / "study.yaml"))
    return list(found.value.problems)


def test_a_study_weighs_its_answers_and_rakes_again(folder: Path) -> None:
    study, panel = opened(folder / "study.yaml")
    shares = panel.frame.group_by("wave", "sex").agg(pl.col("weight").sum())
    for wave in panel.waves:
        one = {r["sex"]: r["weight"] for r in shares.filter(wave=wave).iter_rows(named=True)}
        assert one["女"] / sum(one.values()) == pytest.approx(0.51, abs=2e-6)
    est = fitted(study, panel)
    women = (panel.frame["sex"] == "女").to_numpy() & (panel.frame["wave"] == "2026Q1").to_numpy()
    first = (panel.frame["wave"] == "2026Q1").to_numpy()
    again = est.sample.raking.again(np.random.default_rng(1).uniform(0, 2, (5, est.sample.raking.stratum.size)))
    share = again[:, women].sum(axis=1) / again[:, first].sum(axis=1)
    assert share == pytest.approx(np.full(5, 0.51), abs=1e-5)


def test_the_verb_prints_and_writes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weigh", str(folder / "study.yaml"), "--lang", "en", "--to", str(folder / "w.csv")]) == 0
    told = capsys.readouterr().out
    assert "Raked to sex, age by wave: converged" in told
    assert "51.0%" in told
    written = pl.read_csv(folder / "w.csv")
    assert {"weight", "base_weight"} <= set(written.columns)
    assert written.height == 240
    assert main(["weigh", str(folder / "study.yaml"), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)["weights"]
    assert record["converged"]
    assert len(record["groups"]) == 2


def test_small_categories_are_not_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = STUDY.replace("bootstrap", "report: {small: 60}\nbootstrap") + WEIGHTS
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    main(["weigh", str(folder / "study.yaml"), "--lang", "en"])
    lines = [one for one in capsys.readouterr().out.splitlines() if " sex " in one]
    assert lines
    assert all(one.count("–") == 2 for one in lines)


def test_the_check_says_how_it_ended(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", str(folder / "study.yaml"), "--lang", "zh"])
    assert "按 sex、age 进行边际加权" in capsys.readouterr().out


def test_a_study_without_margins_says_what_to_add(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    assert main(["weigh", str(folder / "study.yaml"), "--lang", "en"]) != 0
    assert "weights: {rake:" in capsys.readouterr().err


ABSENT = "E-MARGIN-ABSENT"
MISTAKES = {
    "does not sum": ("weights:\n  rake:\n    sex: {女: 0.5, 男: 0.4}\n", "study.yaml:17", "E-MARGIN"),
    "of an absent category": (
        "weights:\n  rake:\n    sex: {女: 0.5, 男: 0.4, x: 0.1}\n",
        "study.yaml:17",
        "E-MARGIN-ABSENT",
    ),
    "no column": ("weights:\n  rake:\n    gender: {f: 0.5, m: 0.5}\n", "study.yaml:17", "E-BY"),
    "no file": ("weights:\n  rake:\n    age: nowhere.csv\n", "study.yaml:17", "E-FILE"),
    "no key": ("weights:\n  rake: {sex: {女: 0.5, 男: 0.5}}\n  by: [shop]\n", "study.yaml:17", "E-BY"),
    "a small population": ("weights:\n  population: 3\n", "study.yaml:16", "E-FPC"),
    "a stratum without one": ("weights:\n  population: {n: 5000}\n", "study.yaml:16", "E-FPC"),
}


BY = "weights:\n  rake:\n    sex: {women}\n  by: [wave]\n"


def test_a_mistake_is_told_once_with_its_cells(folder: Path) -> None:
    found = said(folder, BY.replace("women", "女: 0.5, 男: 0.4"))
    assert [p.where for p in found] == ["study.yaml:17"]
    assert "the margin sex sums to 0.9" in found[0].what.en
    found = said(folder, BY.replace("women", "女: 0.5, 男: 0.4, x: 0.1"))
    assert [p.what.en[:44] for p in found] == ['nobody in every cell (2) has sex "x", whose ']
    assert found[0].what.zh.startswith("没有 sex 为“x”的受访者（全部 2 个单元）")
    found = said(folder, BY.replace("women", "女: 1"))
    assert len(found) == 1
    assert "occurs in every cell (2) (" in found[0].what.en


def test_margins_of_waves_without_by_are_named(folder: Path) -> None:
    table = "wave,age,share\n2026Q1,young,40\n2026Q1,old,60\n2026Q2,young,45\n2026Q2,old,55\n"
    found = said(folder, "weights: {rake: {age: age.csv}}\n", {"age.csv": table})
    assert len(found) == 1
    assert "once for each wave, which `by` does not name" in found[0].what.en
    assert found[0].remedy.zh.startswith("请写 by: [wave]")


def test_margins_over_waves_together_are_noted(folder: Path) -> None:
    (folder / "study.yaml").write_text(STUDY + "weights: {rake: {sex: {女: 0.5, 男: 0.5}}}\n", encoding="utf-8")
    _, panel = opened(folder / "study.yaml")
    assert "by: [wave]" in next(n.text.zh for n in panel.notes if n.code == "N-MARGIN-WHOLE")


def test_what_absent_values_count_as_is_a_category_of_the_margin(folder: Path) -> None:
    frame = pl.read_csv(folder / "a.csv").with_columns(pl.when(pl.int_range(pl.len()) > 5).then("sex").alias("sex"))
    frame.write_csv(folder / "a.csv")
    text = "weights:\n  rake: {sex: {女: 0.5, 男: 0.5}}\n  by: [wave]\n  missing: {sex: zz, age: old}\n"
    found = said(folder, text)
    assert [(p.code, p.where) for p in found] == [("E-MARGIN-MISSING", "study.yaml:18")] * 2
    assert "Write one of 女, 男" in found[0].remedy.en
    assert "age" in found[1].what.zh


@pytest.mark.parametrize("what", MISTAKES)
def test_mistakes_are_told_at_their_lines(folder: Path, what: str) -> None:
    weights, place, code = MISTAKES[what]
    found = said(folder, weights)
    assert {p.code for p in found} == {code}
    assert found[0].where == place
    assert found[0].what.zh
    assert found[0].remedy.zh


def test_a_mistake_in_a_file_of_margins_names_its_row(folder: Path) -> None:
    found = said(folder, WEIGHTS, {"age.csv": "age,share\nyoung,forty\nold,60\n"})
    assert found[0].where == "age.csv:2"


def test_finite_populations_shrink_errors(folder: Path) -> None:
    def error(weights: str) -> float:
        (folder / "study.yaml").write_text(STUDY + weights, encoding="utf-8")
        est = fitted(*opened(folder / "study.yaml"))
        return float(est.replicates.mean[:, 0, 0].std(ddof=1))

    whole = error("")
    fraction = 60 / 80
    finite = error("weights: {population: {n: 80, s: 80}}\n")
    assert finite / whole == pytest.approx(np.sqrt(1 - fraction), rel=0.2)


def test_replicate_weights_made_of_the_design_are_the_studys_errors(folder: Path) -> None:
    """Of raked weights, in the study file and by the function: the same errors, margins met in each replicate."""
    made_here = "replicate_weights: {make: bootstrap, count: 100, seed: 4}\n"
    (folder / "study.yaml").write_text(STUDY + WEIGHTS + made_here, encoding="utf-8")
    study, panel = opened(folder / "study.yaml")
    est = fitted(study, panel)
    plain = fitted(study, panel, errors=False)
    made = csi.make_replicates(panel, "bootstrap", 100, 4)
    theirs = csi.replicate_weights(plain, made)
    np.testing.assert_array_equal(est.std_error, theirs.std_error)
    women, first = ((panel.frame[c] == v).to_numpy() for c, v in (("sex", "女"), ("wave", "2026Q1")))
    weights = made.weights.to_numpy().T
    share = weights[:, women & first].sum(axis=1) / weights[:, first].sum(axis=1)
    assert share == pytest.approx(np.full(100, 0.51), abs=1e-5)


def test_the_verb_writes_replicate_weights(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = STUDY + "replicate_weights: {make: bootstrap, count: 100, seed: 4}\n"
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    assert main(["weigh", str(folder / "study.yaml"), "--lang", "zh", "--to", str(folder / "w.csv")]) == 0
    assert "由抽样设计生成 100 个（bootstrap）" in capsys.readouterr().out
    written = pl.read_csv(folder / "w.csv")
    assert {"rw1", "rw100"} <= set(written.columns)
    main(["weigh", str(folder / "study.yaml"), "--json"])
    assert json.loads(capsys.readouterr().out)["replicate_weights"]["scale"] == pytest.approx(1 / 99)


REPLICATES = {
    "neither": ("{scale: 1}", ["needs columns and kind"]),
    "too few": ("{make: bootstrap, count: 30}", ["30 resamples are too few"]),
    "both": ("{make: jkn, columns: [rw*]}", ["`columns` belongs to columns"]),
    "a count of the design": ("{make: jk1, count: 9}", ["count is for make: bootstrap"]),
    "rho of another": ("{make: brr, rho: 0.3}", ["rho belongs to make: fay"]),
    "a seed of columns": ("{columns: [w0], kind: jk1, seed: 3}", ["`seed` belongs to make"]),
    "no pairs": ("{make: brr}", ["units; balanced half-samples need two"]),
}


@pytest.mark.parametrize("what", REPLICATES)
def test_replicate_weights_that_cannot_be_made(folder: Path, what: str) -> None:
    keys, words = REPLICATES[what]
    found = said(folder, f"replicate_weights: {keys}\n")
    assert all(any(word.replace("needs", "need") in p.what.en for p in found) for word in words)
    assert all(p.where in {"study.yaml:15", "replicate_weights"} for p in found)


def test_margins_that_are_not_met_end_with_code_3(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = WEIGHTS.replace("trim: {max: 3}", "trim: {max: 1.02, min: 0.99}")
    assert weights != WEIGHTS
    (folder / "study.yaml").write_text(STUDY + weights, encoding="utf-8")
    assert main(["weigh", str(folder / "study.yaml"), "--lang", "en"]) == 3
    assert "not all margins are met" in capsys.readouterr().out


def test_waves_without_answers_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = STUDY.replace("2026Q2]", "2026Q2, 2026Q3]", 1)
    assert text != STUDY
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    main(["check", str(folder / "study.yaml"), "--lang", "en"])
    assert "No answer is of wave 2026Q3" in capsys.readouterr().out


def test_weights_with_separators_are_told(folder: Path) -> None:
    frame = pl.read_csv(folder / "a.csv").with_columns(pl.lit("1,200").alias("heavy"))
    frame.write_csv(folder / "a.csv")
    text = STUDY.replace("keys: {", "keys: {weight: heavy, ", 1)
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(csi.Problems) as found:
        read_study_panel(read_study(folder / "study.yaml"))
    assert "write 1200, not 1,200" in str(found.value)


def test_checks_that_need_resamples_draw_them_beside_replicate_weights(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = STUDY.replace("bootstrap: {n: 200}", "replicate_weights: {make: jkn}")
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    words = ["robustness", str(folder / "study.yaml"), "--bootstrap", "100", "--lang", "en"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "Replicate weights are no resamples" in said
    assert "low" in said
