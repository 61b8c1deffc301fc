"""`csi fit MODEL DATA` with every way of repeating a fit."""

import json

import numpy as np
import polars as pl
import pytest

import csi
from csi.cli import main

MODEL = "f =~ x1 + x2\ng =~ y1 + y2\ng ~ f\n"
N = 80


@pytest.fixture(scope="module")
def frame():
    draw = np.random.default_rng(3)
    f = draw.normal(size=N)
    g = 0.4 * f + draw.normal(size=N)
    items = {f"{x}{j}": np.round(v + draw.normal(size=N), 2) for x, v in (("x", f), ("y", g)) for j in (1, 2)}
    weights = {f"rw{r + 1}": np.where(np.arange(N) // 4 == r, 0.0, 20 / 19) for r in range(20)}
    return pl.DataFrame({**items, **weights})


@pytest.fixture
def machine(frame, tmp_path, capsys):
    (tmp_path / "model.lav").write_text(MODEL, encoding="utf-8")
    frame.write_csv(tmp_path / "answers.csv")

    def run(*words, code=0):
        ended = main(["fit", str(tmp_path / "model.lav"), str(tmp_path / "answers.csv"), *words, "--json"])
        seen = capsys.readouterr()
        assert ended == code, seen.out + seen.err
        return json.loads(seen.out)

    return run


def path(found):
    return next(r for r in found["parameters"] if r["op"] == "~")


@pytest.fixture(scope="module")
def est(frame):
    return csi.fit(csi.Model.parse(MODEL), frame, csi.PLS())


def test_kinds_of_intervals(machine, est):
    for kind in ("basic", "normal", "bc", "studentised"):
        found = path(machine("--estimator", "pls", "--bootstrap", "100", "--seed", "2", "--interval", kind))
        own = csi.bootstrap(est, n=100, seed=2, interval=kind).table.filter(op="~").row(0, named=True)
        assert (found["conf_low"], found["p_value"]) == pytest.approx((own["conf_low"], own["p_value"]), rel=1e-9)


@pytest.mark.parametrize(("words", "side"), [(["--one-sided"], "greater"), (["--one-sided", "less"], "less")])
def test_one_sided(machine, est, words, side):
    found = path(machine("--estimator", "pls", "--bootstrap", "100", *words))
    own = csi.bootstrap(est, n=100, alternative=side).table.filter(op="~").row(0, named=True)
    assert (found["conf_low"] is None) == (side == "less")
    assert (found["conf_high"] is None) == (side == "greater")
    assert found["p_value"] == pytest.approx(own["p_value"], rel=1e-9)


def test_jackknife_and_replicate_weights(machine, est, frame):
    found = path(machine("--estimator", "pls", "--jackknife"))
    assert found["std_error"] == pytest.approx(csi.jackknife(est).table.filter(op="~")["std_error"][0], rel=1e-9)
    found = path(machine("--estimator", "pls", "--replicate-weights", "rw*", "--replicate-kind", "jk1"))
    own = csi.replicate_weights(est, frame, "rw*", kind="jk1").table.filter(op="~")["std_error"][0]
    assert found["std_error"] == pytest.approx(own, rel=1e-9)


def test_what_excludes_each_other_is_said(machine):
    said = {
        "exclude each other": ["--jackknife", "--bootstrap", "100"],
        "kind of the replicate weights": ["--replicate-weights", "rw*"],
        "repeated fits": ["--one-sided"],
        "made of bootstrap draws": ["--interval", "bca"],
        'no column "rv': ["--replicate-weights", "rv*", "--replicate-kind", "brr"],
        "percentile": ["--bootstrap", "100", "--interval", "percentil"],
    }
    for words, asked in said.items():
        found = machine("--estimator", "pls", *asked, code=1)
        assert words in json.dumps(found, ensure_ascii=False).replace('\\"', '"'), asked


def test_jkn_takes_its_factors(machine, est, frame, tmp_path):
    own = csi.replicate_weights(est, frame, "rw*", kind="jkn", rscales=[0.75] * 20).table.filter(op="~")["std_error"][0]
    words = ("--estimator", "pls", "--replicate-weights", "rw*", "--replicate-kind", "jkn")
    assert path(machine(*words, "--rscales", ",".join(["0.75"] * 20)))["std_error"] == pytest.approx(own)
    column = pl.Series("factor", [0.75] * 20 + [None] * (N - 20))
    frame.with_columns(column).write_csv(tmp_path / "answers.csv")
    assert path(machine(*words, "--rscales", "factor"))["std_error"] == pytest.approx(own)
    told = machine(*words, code=1)["problems"]
    assert "rscales" in json.dumps(told)
    told = machine(*words, "--rscales", "0.5,0.5", code=1)["problems"]
    assert "20 numbers" in json.dumps(told)
    told = machine("--estimator", "pls", "--rscales", "0.5", code=1)["problems"]
    assert "--rscales" in json.dumps(told)


@pytest.mark.parametrize("method", ["holm", "by"])
def test_paths_as_a_family(machine, est, method):
    found = machine("--estimator", "pls", "--bootstrap", "200", "--adjust", method)["family"]
    own = csi.family(csi.bootstrap(est, n=200), method).table
    assert [r["p_adjusted"] for r in found] == pytest.approx(own["p_adjusted"].to_list(), rel=1e-9)


def test_a_family_reads_in_both_languages(frame, tmp_path, capsys):
    (tmp_path / "model.lav").write_text(MODEL, encoding="utf-8")
    frame.write_csv(tmp_path / "answers.csv")
    for lang, head, said in (
        ("en", "Paths as one family (Holm)", "1 of 1 differ"),
        ("zh", "全部路径作为一族", "经 Holm"),
    ):
        words = [str(tmp_path / "model.lav"), str(tmp_path / "answers.csv"), "--adjust", "holm", "--lang", lang]
        main(["fit", *words])
        seen = capsys.readouterr().out
        assert head in seen
        assert said in seen


def test_no_family_without_tests_or_a_method(tmp_path, frame, capsys):
    (tmp_path / "model.lav").write_text(MODEL, encoding="utf-8")
    frame.write_csv(tmp_path / "answers.csv")
    files = [str(tmp_path / "model.lav"), str(tmp_path / "answers.csv"), "--estimator", "pls", "--lang", "en"]
    assert main(["fit", *files, "--adjust", "holm"]) == 1
    assert "Call --bootstrap first." in capsys.readouterr().err
    assert main(["fit", *files, "--bootstrap", "100", "--adjust", "holmes"]) == 1
    assert 'Did you mean "holm"?' in capsys.readouterr().err
