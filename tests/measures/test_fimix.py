"""Mixture segmentation: by hand, against mixtools, on populations with known segments, and where it must refuse."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.display import text
from csi.errors import Problems
from csi.measures.mixture import Regressions, climb, one_segment, search
from csi.measures.segment_criteria import chosen, criteria, recommendation

HERE = Path(__file__).parents[1] / "reference" / "mixture"
MODEL = "A =~ a0 + a1\nB =~ b0 + b1\nY =~ y0 + y1\nZ =~ z0 + z1\nY ~ A + B\nZ ~ Y + A"


def reference_rows():
    spec = importlib.util.spec_from_file_location("population", HERE / "population.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.rows()


def two_groups(n=300, seed=5, apart=True):
    """Answers in which the first 60 % are led by A and the others by B; and who is who."""
    rng = np.random.default_rng(seed)
    first = np.arange(n) < 0.6 * n
    a, b = rng.normal(size=(2, n))
    led = first if apart else np.ones(n, dtype=bool)
    y = np.where(led, 0.85 * a, 0.85 * b - 0.3 * a) + 0.4 * rng.normal(size=n)
    z = np.where(led, 0.8 * y, -0.3 * y + 0.6 * a) + 0.4 * rng.normal(size=n)
    parts = {"a": a, "b": b, "y": y, "z": z}
    items = {f"{k}{i}": v + 0.25 * rng.normal(size=n) for k, v in parts.items() for i in range(2)}
    return pl.DataFrame(items), first


@pytest.fixture(scope="module")
def est():
    return csi.fit(MODEL, two_groups()[0], csi.PLS())


@pytest.fixture(scope="module")
def found(est):
    return csi.fimix(est, (1, 2, 3), starts=12)


def test_one_segment_is_least_squares_with_a_normal_likelihood(est, found):
    names = list(est.solution.constructs)
    cor, n = est.solution.construct_cor[0], 300
    loglik = 0.0
    for outcome, predictors in (("Y", ["A", "B"]), ("Z", ["Y", "A"])):
        at, y = [names.index(x) for x in predictors], names.index(outcome)
        r2 = cor[y, at] @ np.linalg.solve(cor[np.ix_(at, at)], cor[y, at])
        psi = (1 - r2) * (n - 1) / n
        loglik += -n / 2 * (np.log(2 * np.pi * psi) + 1)
    assert found.table["loglik"][0] == pytest.approx(loglik, rel=1e-12)
    paths = found.paths.filter(segments=1)
    own = [
        est.solution.paths[0, names.index(y), names.index(x)] for y, x in paths.select("outcome", "predictor").rows()
    ]
    assert paths["estimate"].to_list() == pytest.approx(own, abs=1e-10)
    assert found.r2.filter(segments=1)["r2"].to_list() == pytest.approx(
        [est.solution.r2[0, names.index(y)] for y in ("Y", "Z")]
    )


@pytest.mark.parametrize(("record", "intercept"), [("two", False), ("two_intercept", True)])
def test_a_mixture_of_two_regressions_is_that_of_mixtools(record, intercept):
    expected = json.loads((HERE / "mixtools.json").read_text("utf-8"))[record]
    rows = reference_rows()
    X = np.column_stack([np.ones(len(rows)), rows[:, :2]]) if intercept else rows[:, :2]
    made = search(Regressions(rows[:, 2:], (X,), np.ones(len(rows))), 2, 12, 1, 1e-11, 20_000)
    assert made.loglik[0] == pytest.approx(expected["loglik"], abs=1e-6)
    order = np.argsort(-made.share[0])
    assert made.share[0, order] == pytest.approx(expected["share"], abs=1e-4)
    assert made.beta[0][0, order].ravel() == pytest.approx(expected["beta"], abs=1e-4)
    assert made.psi[0, order, 0] == pytest.approx(expected["variance"], abs=1e-4)


def test_em_never_goes_down_and_ends_where_the_gradient_vanishes():
    rows = reference_rows()
    design = Regressions(rows[:, 2:], (rows[:, :2],), np.ones(len(rows)))
    made = search(design, 3, 12, 2, 1e-11, 20_000)
    floor = 1e-3 * one_segment(design).psi[0, 0]
    before = made.loglik[0]
    for _ in range(5):
        following = climb(design, made.of([0]), floor, -np.inf, 1)
        assert following.loglik[0] >= before - 1e-9
        before = following.loglik[0]

    def loglik(beta, psi):
        log = np.log(made.share[0]) - 0.5 * np.log(2 * np.pi * psi)
        log = log - 0.5 * (rows[:, [2]] - rows[:, :2] @ beta.T) ** 2 / psi
        return np.log(np.exp(log).sum(axis=1)).sum()

    beta, psi = made.beta[0][0], made.psi[0, :, 0]
    assert loglik(beta, psi) == pytest.approx(made.loglik[0])
    for k in range(3):
        for j in range(2):
            step = np.zeros_like(beta)
            step[k, j] = 1e-5
            slope = (loglik(beta + step, psi) - loglik(beta - step, psi)) / 2e-5
            assert abs(slope) < 0.01


def test_criteria_by_hand():
    made = criteria(-500.0, 7, 200.0)
    log = np.log(200)
    expected = [1014, 1021, 1028, 1000 + 7 * log, 1000 + 7 * (log + 1), 1000 + 14 * np.log(log), 1000 + 35 * log]
    assert list(made.values()) == pytest.approx(expected)


def test_entropies_by_hand(found):
    P = found.posterior[2]
    row = found.table.row(1, named=True)
    E = -(P * np.log(np.where(P > 0, P, 1))).sum()
    assert row["en"] == pytest.approx(1 - E / (len(P) * np.log(2)))
    assert row["nfi"] == pytest.approx(2 * (P**2).sum() / len(P) - 1)
    assert row["nec"] == pytest.approx(E / (row["loglik"] - found.table["loglik"][0]))
    assert found.table["parameters"].to_list() == [6, 13, 20]


def test_known_segments_are_recovered(found):
    truth = two_groups()[1]
    members = found.members()
    assert found.choice == 2
    assert "agree on 2 segments" in found.sentences[0].en
    assert members["place"].to_list() == list(range(300))
    assert ((members["segment"] == 1).to_numpy() == truth).mean() > 0.85
    shares = found.sizes.filter(segments=2)["share"].to_list()
    assert shares == pytest.approx([0.6, 0.4], abs=0.05)
    first = found.paths.filter(segments=2, segment=1, outcome="Y", predictor="A")["estimate"][0]
    second = found.paths.filter(segments=2, segment=2, outcome="Y", predictor="A")["estimate"][0]
    assert first > 0.7
    assert second < 0


def test_one_population_asks_for_no_segments():
    est = csi.fit(MODEL, two_groups(apart=False)[0], csi.PLS())
    made = csi.fimix(est, (1, 2, 3), starts=8)
    assert made.choice == 1
    assert "no segments are called for" in made.sentences[1].en


def test_the_same_seed_and_any_order_of_rows_give_the_same_numbers(est, found):
    frame = two_groups()[0]
    again = csi.fimix(csi.fit(MODEL, frame.reverse(), csi.PLS()), (1, 2, 3), starts=12)
    assert again.table["loglik"].to_list() == pytest.approx(found.table["loglik"].to_list(), abs=1e-9)
    assert again.members()["segment"].to_list()[::-1] == found.members()["segment"].to_list()


def test_weights_count_as_copies():
    frame, _ = two_groups(120)
    copies = pl.concat([frame, frame.head(60)])
    weighted = frame.with_columns(w=pl.Series([2.0] * 60 + [1.0] * 60))
    one = csi.fimix(csi.fit(MODEL, copies, csi.PLS()), 2, starts=10, tolerance=1e-10)
    two = csi.fimix(csi.fit(MODEL, weighted, csi.PLS(), weight="w"), 2, starts=10, tolerance=1e-10)
    a, b = (m.paths["estimate"].to_numpy() for m in (one, two))
    assert a == pytest.approx(b, abs=0.02)  # scores have divisor n - 1, so copies are not exactly weights


def test_disagreeing_criteria_and_blurred_segments_are_said():
    base = {"segments": [1, 2, 3], "en": [None, 0.3, 0.4], "smallest_n": [100, 15, 4]}
    values = {"aic": [9, 8, 7], "aic3": [9, 8, 7], "aic4": [9, 8, 7], "bic": [9, 7, 8], "caic": [7, 8, 9]}
    frame = pl.DataFrame({**base, **values, "hq": [1, 2, 3], "mdl5": [1, 2, 3]})
    assert chosen(frame) == (2, None)
    said = recommendation(frame, (1, 2, 3), 2)
    assert [s.en.split(" ")[0] for s in said] == ["The", "They", "The"]
    assert "disagree" in said[0].en
    assert "细分" in said[2].zh


def test_what_it_prints_in_both_languages(found):
    assert "AIC3" in text(found)
    assert "细分个数" in text(found, "zh")


def codes_of(call):
    with pytest.raises(Problems) as caught:
        call()
    return [p.code for p in caught.value.problems]


def test_more_segments_than_the_rows_allow_are_refused(est):
    few = csi.fit(MODEL, two_groups(20)[0], csi.PLS())
    assert codes_of(lambda: csi.fimix(few, (2, 9), starts=0)) == ["E-SEGMENTS", "E-SETTING"]
    assert codes_of(lambda: csi.fimix(est, ())) == ["E-SEGMENTS"]


def test_a_segment_that_empties_is_a_reason_not_a_number():
    rng = np.random.default_rng(1)
    a = rng.normal(size=12)
    frame = pl.DataFrame({"a": a, "b": 0.5 * a + 0.1 * rng.normal(size=12)})
    est = csi.fit("A =~ a\nB =~ b\nB ~ A", frame, csi.PLS())
    made = csi.fimix(est, (1, 4), starts=3)
    assert made.table["loglik"].null_count() == 1
    assert made.table["reason"].to_list() == [None, "segment_empties"]
    assert "segment_empties" in made.reasons
    assert "a segment lost its rows" in text(made)
    assert codes_of(lambda: csi.fimix(est, 4, starts=3)) == ["E-SEGMENTS"]


def test_absent_answers_and_missing_rows_are_told():
    frame = two_groups(80)[0].with_columns(a0=pl.when(pl.int_range(80) < 3).then(None).otherwise("a0"))
    made = csi.fimix(csi.fit(MODEL, frame, csi.PLS(missing="pairwise")), 1)
    assert [n.code for n in made.notes] == ["N-ROWS-LEFT"]
    kept = csi.fimix(csi.fit(MODEL, frame, csi.PLS(missing="mean")), 1)
    assert len(kept.members()) == 80
    moments = csi.fit(MODEL, csi.fit(MODEL, two_groups(80)[0], csi.PLS()).moments, csi.PLS())
    assert codes_of(lambda: csi.fimix(moments)) == ["E-ROWS"]


def test_scores_of_consistent_pls_are_said_to_be_scores():
    made = csi.fimix(csi.fit(MODEL, two_groups(120)[0], csi.PLS(consistent=True)), 1)
    assert [n.code for n in made.notes] == ["N-SCORES"]


def test_products_are_products_of_scores():
    est = csi.fit(MODEL + "\nY ~ A:B", two_groups()[0], csi.PLS())
    made = csi.fimix(est, 1)
    own = [est.solution.paths[0, 2, list(est.solution.constructs).index(x)] for x in ("A", "B", "A:B")]
    found = made.paths.filter(outcome="Y")
    assert found["predictor"].to_list() == ["A", "B", "A:B"]
    assert found["estimate"].to_list() == pytest.approx(own, abs=1e-4)
    apart = csi.fit(MODEL + "\nY ~ A:B", two_groups()[0], csi.PLS(interaction="product"))
    assert codes_of(lambda: csi.fimix(apart, 1)) == ["E-ENGINE"]


def test_a_model_without_paths_is_refused():
    frame = two_groups(80)[0]
    est = csi.fit("A =~ a0 + a1\nB =~ b0 + b1\nB ~ A", frame, csi.PLS())
    assert codes_of(lambda: csi.fimix(pairs_only(est))) == ["E-PATHS"]


def pairs_only(est):
    return replace(est, model=replace(est.model, paths=()))
