"""Raking, post-stratification, finite populations and made replicate weights: R's survey, and hand-worked numbers."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.inference.hadamard import hadamard
from csi.inference.linearised import between
from csi.inference.make_replicates import halves
from csi.moments.sample import sample_of

HERE = Path(__file__).parents[1] / "reference/weights"
SAID = json.loads((HERE / "weights.json").read_text(encoding="utf-8"))
GRID = 4e-6
"""What the grid of the weights (2^-20) leaves of full precision, relative."""

SEX, AGE = {"f": 5200, "m": 4800}, {"y": 2700, "m": 4100, "o": 3200}
CELLS = {"f*y": 1400, "f*m": 2100, "f*o": 1700, "m*y": 1300, "m*m": 2000, "m*o": 1500}
ROLES = {"unit": "cluster", "stratum": "stratum"}
MODEL = csi.Model.parse("a =~ q\nb =~ q2\nb ~ a")


def answers() -> pl.DataFrame:
    """The rows R saw, their clusters named apart, and a second item for the model."""
    text = (HERE / "answers.csv").read_bytes()
    assert hashlib.sha256(text).hexdigest() == SHA
    frame = pl.read_csv(text)
    second = (pl.col("q") * 3 + pl.int_range(pl.len()) % 4).alias("q2")
    return frame.with_columns(second, pl.concat_str("stratum", "unit").alias("cluster"))


SHA = "25d273466c71155de99f0a60186e9ddf5a703126f2e214bd8c13b3d3e8748ae4"


def raked(**more) -> object:
    return csi.rake(answers(), {"sex": SEX, "age": AGE}, base="w", tolerance=1e-10, **more)


def mean_and_error(est: csi.Estimate, *, centred: bool = False) -> tuple[float, float]:
    """The mean of q and its standard error from the replicates of an estimate."""
    rep, at = est.replicates, est.moments.names.index("q")
    mean = float(est.moments.mean[0, at])
    drawn = rep.mean[:, 0, at]
    centre = drawn.mean() if centred else mean
    return mean, float(np.sqrt((rep.factors.factor * (drawn - centre) ** 2).sum()))


def test_raked_weights_are_those_of_r() -> None:
    made = raked()
    assert np.allclose(made.frame["weight"].to_numpy(), SAID["rake"]["weights"], rtol=1e-8)
    assert made.weighing.converged
    assert made.weighing.groups["sum"][0] == pytest.approx(10_000, rel=1e-9)


def test_one_margin_of_joint_cells_is_post_stratification() -> None:
    made = csi.rake(answers(), {"sex*age": CELLS}, base="w")
    assert np.allclose(made.frame["weight"].to_numpy(), SAID["post"]["weights"], rtol=1e-9)
    assert made.weighing.iterations == 1


@pytest.mark.parametrize("kind", ["jkn", "jk1", "brr", "fay"])
def test_made_replicates_have_the_variance_of_r(kind: str) -> None:
    frame = answers()
    design = {} if kind == "jk1" else ROLES
    made = csi.make_replicates(frame, kind, rho=0.3, weight="w", **design)
    est = csi.replicate_weights(csi.fit(MODEL, frame, csi.PLS(), weight="w", **design), made)
    mean, error = mean_and_error(est)
    near = 1e-5 if kind in ("jkn", "jk1") else 0.01  # half-samples depend on the matrix, to second order
    assert mean == pytest.approx(SAID[kind]["mean"][0], rel=GRID)
    assert error == pytest.approx(SAID[kind]["se"][0], rel=near)


@pytest.mark.parametrize("kind", ["brr", "fay"])
def test_raking_again_is_that_of_r_half_sample_by_half_sample(kind: str) -> None:
    """R's own half-samples, raked here."""
    made = raked()
    sample = sample_of(made, ["q"], **ROLES)
    said, cluster = SAID[f"{kind}_units"], made.frame["cluster"].to_list()
    drawn = np.array([said[c] for c in dict(zip(sample.raking.unit.tolist(), cluster, strict=True)).values()])
    order = np.array(list(dict.fromkeys(sample.raking.unit.tolist())))
    multiplicity = np.empty((drawn.shape[1], order.size))
    multiplicity[:, order] = drawn.T
    weights = sample.raking.again(multiplicity)
    q = made.frame["q"].to_numpy()
    means = weights @ q / weights.sum(axis=1)
    scale = 1 / len(means) if kind == "brr" else 1 / (len(means) * 0.7**2)
    error = np.sqrt(scale * ((means - SAID["rake"]["taylor"]["mean"][0]) ** 2).sum())
    assert error == pytest.approx(SAID[f"{kind}_raked"]["se"][0], rel=1e-5)


def test_made_jackknife_weights_are_raked_as_by_r() -> None:
    made = raked()
    est = csi.replicate_weights(csi.fit(MODEL, made, csi.PLS(), **ROLES), csi.make_replicates(made, "jkn", **ROLES))
    mean, error = mean_and_error(est)
    assert mean == pytest.approx(SAID["rake"]["taylor"]["mean"][0], rel=GRID)
    assert error == pytest.approx(SAID["jkn_raked"]["se"][0], rel=1e-5)


def test_the_jackknife_rakes_again_and_knows_the_finite_population() -> None:
    est = csi.jackknife(csi.fit(MODEL, raked(), csi.PLS(), **ROLES))
    rep = est.replicates
    drawn = rep.mean[:, 0, est.moments.names.index("q")]
    centre = np.array([drawn[rep.factors.centre == c].mean() for c in rep.factors.centre])
    error = np.sqrt((rep.factors.factor * (drawn - centre) ** 2).sum())
    assert error == pytest.approx(SAID["jkn_raked"]["se"][0], rel=1e-3)  # R: about the estimate, here: stratum means
    finite = csi.make_replicates(answers(), "jkn", weight="w", fpc="N", **ROLES)
    fitted = csi.fit(MODEL, answers(), csi.PLS(), weight="w", fpc="N", **ROLES)
    assert mean_and_error(csi.replicate_weights(fitted, finite))[1] == pytest.approx(SAID["jkn_fpc"]["se"][0], rel=1e-5)


def test_the_bootstrap_knows_margins_and_the_finite_population() -> None:
    def spread(data, **more) -> float:
        boot = csi.bootstrap(csi.fit(MODEL, data, csi.PLS(), **ROLES, **more), 4000)
        return float(boot.replicates.mean[:, 0, boot.moments.names.index("q")].std(ddof=1))

    frame = answers()
    assert spread(frame, weight="w") == pytest.approx(SAID["taylor"]["se"][0], rel=0.04)
    assert spread(frame, weight="w", fpc="N") == pytest.approx(SAID["taylor_fpc"]["se"][0], rel=0.04)
    assert spread(raked()) == pytest.approx(SAID["jkn_raked"]["se"][0], rel=0.04)


def test_linearised_errors_know_the_margins() -> None:
    made = raked()
    sample = sample_of(made, ["q"], **ROLES)
    mean = np.average(sample.rows[:, 0], weights=sample.weight)
    z = sample.raking.residual(sample.rows - mean, sample.weight, sample.place) * sample.weight[:, None]
    variance, _ = between(z / sample.weight.sum(), np.ones(z.shape, dtype=bool), sample.unit, sample.stratum)
    assert np.sqrt(variance[0]) == pytest.approx(SAID["rake"]["taylor"]["se"][0], rel=0.02)
    assert np.sqrt(variance[0]) == pytest.approx(SAID["jkn_raked"]["se"][0], rel=0.02)


def test_hadamard_halves_add_up_exactly_for_a_total() -> None:
    """Hand-worked: for totals the half-sample variance is the sum of squared differences of the pairs."""
    stratum, z = np.repeat(np.arange(5), 2), np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0, 5.0, 3.0])
    signs = halves(stratum)
    drawn = (1 + signs) @ z
    assert float(((drawn - z.sum()) ** 2).mean()) == pytest.approx(4 + 9 + 16 + 16 + 4, rel=1e-12)
    for least in (1, 3, 10, 13, 30, 61):
        made = hadamard(least)
        assert len(made) >= least
        assert (made @ made.T == len(made) * np.eye(len(made))).all()


def test_what_the_bootstrap_leaves_is_one_minus_the_fraction() -> None:
    """Hand-worked: everybody of a stratum asked has no sampling error; half of it asked, half of the variance."""
    frame = pl.DataFrame({"s": ["a"] * 4 + ["b"] * 4, "q": [1.0, 2, 5, 9, 3, 3, 4, 8], "N": [4] * 4 + [8] * 4})
    made = csi.make_replicates(frame, "jkn", stratum="s", fpc="N")
    total = made.weights.to_numpy().T @ frame["q"].to_numpy()
    variance = (made.scale * np.array(made.rscales) * (total - 35) ** 2).sum()
    assert variance == pytest.approx(0.5 * 4 * np.var([3, 3, 4, 8], ddof=1), rel=1e-6)


def test_trimmed_weights_stay_within_their_bounds() -> None:
    loose, made = raked(), raked(trim=(0.6, 1.6))
    groups = made.weighing.groups
    assert loose.weighing.groups["largest"][0] > 1.6
    assert groups["largest"][0] <= 1.6 + 1e-6
    assert groups["smallest"][0] >= 0.6 - 1e-6
    assert 0 < groups["trimmed"][0] < 0.6
    assert groups["design_effect"][0] < loose.weighing.groups["design_effect"][0]
    assert made.weighing.converged
    assert groups["deviation"][0] <= 1e-10


def test_kish_is_of_the_weights() -> None:
    made = raked()
    w = made.frame["weight"].to_numpy()
    assert made.weighing.groups["design_effect"][0] == pytest.approx(1 + (w.std() / w.mean()) ** 2, rel=1e-12)
    assert made.weighing.groups["effective_n"][0] == pytest.approx(w.sum() ** 2 / (w**2).sum(), rel=1e-12)


def test_the_order_of_rows_and_the_rows_of_an_analysis_change_nothing() -> None:
    """One plan for the whole panel: an item that some did not answer leaves the others' replicates as they are."""
    frame = answers().with_row_index("k")
    some = frame.with_columns(q3=pl.when(pl.col("k") % 9 == 0).then(None).otherwise(pl.col("q")))
    made = csi.rake(some, {"sex": SEX, "age": AGE}, base="w")
    few = csi.Model.parse("a =~ q3\nb =~ q2\nb ~ a")
    one = csi.bootstrap(csi.fit(MODEL, made, csi.PLS(), **ROLES), 100)
    other = csi.bootstrap(csi.fit(few, made, csi.PLS(), **ROLES), 100)
    assert len(other.sample.rows) < len(one.sample.rows)
    kept = (frame["k"] % 9 != 0).to_numpy()
    raking = one.sample.raking
    again = raking.again(np.ones((1, raking.stratum.size)))[0]
    assert np.allclose(again, raking.weight, rtol=1e-6)
    assert np.array_equal(other.sample.raking.weight, raking.weight)
    assert kept.sum() == len(other.sample.rows)


MISTAKES = {
    "does not sum": ({"sex": {"f": 0.5, "m": 0.4}}, "E-MARGIN", "sums to 0.9"),
    "of an absent category": ({"sex": {"f": 0.5, "m": 0.4, "x": 0.1}}, "E-MARGIN-ABSENT", '"x"'),
    "without a margin": ({"age": {"y": 0.5, "m": 0.5}}, "E-MARGIN", '"o" occurs'),
    "zero": ({"age": {"y": 0.5, "m": 0.5, "o": 0}}, "E-MARGIN", "is 0, but"),
    "negative": ({"sex": {"f": 1.5, "m": -0.5}}, "E-MARGIN", "-0.5"),
    "no number": ({"sex": {"f": "half", "m": 0.5}}, "E-MARGIN", "half"),
    "no column": ({"gender": {"f": 0.5, "m": 0.5}}, "E-MARGIN", "gender"),
    "two populations": ({"sex": SEX, "age": {"y": 3000, "m": 4100, "o": 3200}}, "E-MARGIN", "10,300"),
    "a file that is not there": ({"sex": "nowhere.csv"}, "E-FILE", "nowhere.csv"),
    "none": ({}, "E-MARGIN", "no margin"),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_margins_that_cannot_be_are_told(what: str) -> None:
    margins, code, said = MISTAKES[what]
    with pytest.raises(csi.Problems, match=said) as found:
        csi.rake(answers(), margins)
    assert found.value.problems[0].code == code
    assert all(p.what.zh and p.remedy.en and p.remedy.zh for p in found.value.problems)


def test_all_mistakes_come_at_once() -> None:
    with pytest.raises(csi.Problems) as found:
        csi.rake(answers().with_columns(w=-pl.col("w")), {"sex": {"f": 0.5}, "age": {"y": 9}}, base="w")
    assert len(found.value.problems) >= 3


def test_absent_values_are_refused_or_stated() -> None:
    frame = answers().with_columns(sex=pl.when(pl.int_range(pl.len()) < 9).then(None).otherwise("sex"))
    half = {"sex": {"f": 0.5, "m": 0.5}}
    with pytest.raises(csi.Problems, match="9 of 226 respondents have no sex") as found:
        csi.rake(frame, half)
    assert found.value.problems[0].code == "E-MARGIN-MISSING"
    apart = csi.rake(frame, half, missing="apart").weighing.margins
    share = apart.filter(pl.col("category") == "(absent)")
    assert share["after"][0] == pytest.approx(9 / 226)
    stated = csi.rake(frame, half, missing={"sex": "f"}).weighing.margins
    assert stated["category"].to_list() == ["f", "m"]
    assert stated["after"].to_list() == pytest.approx([0.5, 0.5])


def test_margins_that_empty_cells_keep_apart_are_told() -> None:
    frame = pl.DataFrame({"a": ["x"] * 5 + ["y"] * 5, "b": ["p"] * 5 + ["q"] * 5})
    with pytest.raises(csi.Problems, match="no weights meet all margins") as found:
        csi.rake(frame, {"a": {"x": 0.5, "y": 0.5}, "b": {"p": 0.7, "q": 0.3}})
    assert found.value.problems[0].code == "E-RAKE"


def test_weights_of_households_are_noticed() -> None:
    frame = answers().with_columns(home=pl.int_range(pl.len()) // 2, hw=10.0 + (pl.int_range(pl.len()) // 2) % 5)
    made = csi.rake(frame, {"sex": SEX}, base="hw", household="home")
    assert [n.code for n in made.weighing.notes] == ["N-WEIGHT-HOUSEHOLD"]
    people = csi.rake(frame, {"sex": SEX}, base="w", household="home")
    assert not [n for n in people.weighing.notes if n.code == "N-WEIGHT-HOUSEHOLD"]


def test_designs_that_cannot_be_halved_are_told() -> None:
    frame = answers()
    with pytest.raises(csi.Problems, match="need two in every stratum") as found:
        csi.make_replicates(frame, "brr", stratum="stratum")
    assert found.value.problems[0].code == "E-REPLICATES"
    with pytest.raises(csi.Problems, match="population of s0") as found:
        csi.fit(MODEL, frame.with_columns(N=pl.lit(1.5)), csi.PLS(), fpc="N", **ROLES)
    assert found.value.problems[0].code == "E-FPC"


def test_a_table_of_margins_may_differ_by_cell(tmp_path: Path) -> None:
    frame = answers().with_columns(
        wave=pl.when(pl.int_range(pl.len()) % 2 == 0).then(pl.lit("1")).otherwise(pl.lit("2"))
    )
    (tmp_path / "sex.csv").write_text("wave,sex,share\n1,f,60\n1,m,40\n2,f,0.3\n2,m,0.7\n", encoding="utf-8")
    made = csi.rake(frame, {"sex": tmp_path / "sex.csv"}, by="wave")
    after = {(w, c): a for w, c, a in made.weighing.margins.select("wave", "category", "after").iter_rows()}
    assert after["1", "f"] == pytest.approx(0.6)
    assert after["2", "f"] == pytest.approx(0.3)
    (tmp_path / "sex.csv").write_text("wave,sex,share\n1,f,60\n1,m,40\n2,f,half\n2,m,0.7\n", encoding="utf-8")
    with pytest.raises(csi.Problems, match=r"sex.csv:4: .*half"):
        csi.rake(frame, {"sex": tmp_path / "sex.csv"}, by="wave")


def test_bounds_that_margins_cannot_meet_hold_and_the_group_keeps_its_sum():
    """One woman of ten is to be half of all: within 1.5 times the mean she cannot be."""
    frame = pl.DataFrame({"sex": ["f"] + ["m"] * 9, "q": [1.0] * 10})
    found = csi.rake(frame, {"sex": {"f": 0.5, "m": 0.5}}, trim=(0.5, 1.5), iterations=50)
    weight = found.frame["weight"].to_numpy()
    assert weight.sum() == pytest.approx(10, rel=1e-6)
    assert weight.max() / weight.mean() == pytest.approx(1.5, rel=1e-6)
