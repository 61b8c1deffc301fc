"""Latent interactions by products of indicators and by LMS.

Products: columns and models by semTools and lavaan (tests/reference/interaction/products.R).
LMS: a simulated population with a known interaction; identities the likelihood must obey.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems
from csi.moments.pearson import moments_of as pearson
from csi.moments.sample import sample_of
from csi.sem.implied import template
from csi.sem.interaction import product_moments, products_of
from csi.sem.lms import Data, Terms, given, log_likelihood, nodes_of, row_scores
from csi.sem.prepare import prepare
from tests.sem.lavaan_cases import HOLZINGER, frame_of

REFERENCE = Path(__file__).parents[1] / "reference" / "interaction" / "products.json"
HOLZ = (
    "visual =~ x1 + x2 + x3; textual =~ x4 + x5 + x6; speed =~ x7 + x8 + x9; speed ~ visual + textual + visual:textual"
)
XZ = "X =~ x1 + x2 + x3; Z =~ z1 + z2 + z3; Y =~ y1 + y2 + y3; Y ~ a*X + b*Z + g*X:Z"


def simulated(n, seed, interaction=0.3):
    """Y = 0.5 X + 0.3 Z + interaction X Z + 0.7 e, cor(X, Z) = 0.4, loadings 1, 0.8, 0.9, residual sd 0.5."""
    rng = np.random.default_rng(seed)
    xi = rng.standard_normal((n, 2)) @ np.linalg.cholesky([[1, 0.4], [0.4, 1]]).T
    y = 0.5 * xi[:, 0] + 0.3 * xi[:, 1] + interaction * xi[:, 0] * xi[:, 1] + 0.7 * rng.standard_normal(n)
    columns = {}
    for name, f in (("x", xi[:, 0]), ("z", xi[:, 1]), ("y", y)):
        for j, loading in enumerate((1, 0.8, 0.9), start=1):
            columns[f"{name}{j}"] = 3 + loading * f + 0.5 * rng.standard_normal(n)
    return pl.DataFrame(columns)


def path(est, rhs, column="estimate"):
    return est.table.filter(op="~", rhs=rhs)[column].item()


@pytest.mark.parametrize(
    ("case", "settings"),
    [("matched", {}), ("all", {"pairs": "all"}), ("orthogonal_all", {"interaction": "orthogonal", "pairs": "all"})],
)
def test_agrees_with_products_made_by_semtools(case, settings):
    saved = json.loads(REFERENCE.read_text("utf-8"))[case]
    est = csi.fit(csi.Model.parse(HOLZ), frame_of("holzinger", HOLZINGER), csi.SEM(**settings))
    found = csi.fit_measures(est)
    assert found["chisq"] == pytest.approx(saved["chisq"], rel=1e-7)
    assert found["df"] == saved["df"]
    for name, value, se in zip(("visual", "textual", "visual:textual"), saved["est"], saved["se"], strict=True):
        assert path(est, name) == pytest.approx(value, abs=1e-4 * se)
        assert path(est, name, "std_error") == pytest.approx(se, rel=1e-5)
    assert "N-INTERACTION" in [n.code for n in est.notes]


@pytest.mark.parametrize("way", ["double-mean-centred", "orthogonal"])
def test_every_slice_is_centred_anew(way):
    frame = simulated(40, 1)
    model = csi.Model.parse(XZ)
    moments = pearson(sample_of(frame, model.observed))
    w = np.random.default_rng(2).integers(0, 3, size=(2, 40)).astype(float)
    kept = moments.rows
    stack = csi.Moments(
        moments.names,
        *(np.repeat(getattr(moments, n), 2, axis=0) for n in ("n", "sum_w", "sum_w2", "mean", "cov")),
        moments.cells,
        moments.minimum,
        moments.maximum,
        rows=type(kept)(kept.rows, (w,), kept.units),
    )
    found = product_moments(stack, products_of(model), way)
    at = [moments.names.index(n) for n in ("x1", "z1")]
    span = [moments.names.index(n) for n in ("x1", "x2", "x3", "z1", "z2", "z3")]
    for s in range(2):
        rows = np.repeat(kept.rows[0], w[s].astype(int), axis=0)
        centred = rows - rows.mean(axis=0)
        if way == "orthogonal":
            raw = rows[:, at[0]] * rows[:, at[1]]
            design = np.column_stack([np.ones(len(rows)), rows[:, span]])
            own = raw - design @ np.linalg.lstsq(design, raw, rcond=None)[0]
        else:
            own = centred[:, at[0]] * centred[:, at[1]]
        both = np.column_stack([rows, own])
        expected = np.cov(both.T, bias=True)[-1] * 40 / 39
        place = found.names.index("x1:z1")
        assert found.cov[s, place, : len(moments.names)] == pytest.approx(expected[:-1], abs=1e-10)
        assert found.cov[s, place, place] == pytest.approx(expected[-1], rel=1e-10)
        assert found.mean[s, place] == pytest.approx(0, abs=1e-12)


def test_products_in_a_bootstrap_and_in_groups():
    frame = simulated(300, 3).with_columns(g=pl.Series(["a", "b"] * 150))
    est = csi.fit(csi.Model.parse(XZ), frame, csi.SEM())
    boot = csi.bootstrap(est, n=200, seed=1)
    assert boot.table.filter(op="~", rhs="X:Z")["std_error"].item() == pytest.approx(
        path(est, "X:Z", "std_error"), rel=0.4
    )
    grouped = csi.fit(
        csi.Model.parse(XZ.replace("a*", "").replace("b*", "").replace("g*", "")), frame, csi.SEM(groups="g")
    )
    alone = csi.fit(csi.Model.parse(XZ), frame.filter(pl.col("g") == "a"), csi.SEM(meanstructure=True))
    assert grouped.table.filter(op="~", rhs="X:Z", group="a")["estimate"].item() == pytest.approx(
        path(alone, "X:Z"), abs=1e-6
    )


def test_products_need_rows_and_two_first_order_parts():
    model = csi.Model.parse(XZ)
    moments = pearson(sample_of(simulated(50, 1), model.observed)).without_rows()
    with pytest.raises(Problems, match="need the rows"):
        csi.fit(model, moments, csi.SEM())
    uneven = csi.Model.parse("X =~ x1 + x2 + x3; Z =~ z1 + z2; Y =~ y1 + y2 + y3; Y ~ X + Z + X:Z")
    with pytest.raises(Problems, match="one to one") as caught:
        csi.fit(uneven, simulated(100, 1), csi.SEM(pairs="matched"))
    assert [p.code for p in caught.value.problems] == ["E-INTERACTION"]
    assert products_of(uneven)[0].columns == ("x1:z1", "x1:z2", "x2:z1", "x2:z2", "x3:z1", "x3:z2")


def test_lms_recovers_a_known_interaction():
    est = csi.fit(csi.Model.parse(XZ), simulated(2000, 11), csi.SEM(interaction="lms"))
    for name, truth in (("X", 0.5), ("Z", 0.3), ("X:Z", 0.3)):
        assert abs(path(est, name) - truth) < 3 * path(est, name, "std_error")
    assert path(est, "X:Z", "std_error") == pytest.approx(0.02, abs=0.006)
    assert est.convergence.converged.all()


def test_lms_test_of_the_interaction_agrees_with_its_standard_error():
    est = csi.fit(csi.Model.parse(XZ), simulated(500, 1), csi.SEM(interaction="lms"))
    wald = (path(est, "X:Z") / path(est, "X:Z", "std_error")) ** 2
    found = est.extra["lms"]
    assert found.statistic[0] == pytest.approx(wald, rel=0.15)
    assert found.p_value[0] < 1e-6
    # the product by the standard deviations of its parts
    sd = {n: np.sqrt(est.table.filter(lhs=n, op="~~", rhs=n)["estimate"].item()) for n in ("X", "Z")}
    spread = path(est, "X:Z") * sd["X"] * sd["Z"] / path(est, "X:Z", "std_all")
    assert path(est, "X", "std_all") == pytest.approx(path(est, "X") * sd["X"] / spread)


def _likelihood():
    """A task at arbitrary parameters."""
    frame, plain = simulated(60, 5), csi.Model.parse(XZ.replace(" + g*X:Z", ""))
    moments = pearson(sample_of(frame, plain.observed))
    prepared = prepare(csi.SEM(meanstructure=True), plain, moments)
    block, group = prepared.layout.blocks[0], prepared.groups[0]
    start = csi.fit(plain, moments, csi.SEM(meanstructure=True)).extra["sem"]
    z, node = nodes_of(np.array([0.3]))
    flat = template(block, group.cov, group.mean)[0]
    return block, flat, start, Terms((1,), (2,), (0,), (0,)), Data(group.rows.rows[0], np.ones(60), z, node)


def test_lms_without_interaction_is_the_linear_model():
    block, flat, start, terms, data = _likelihood()
    value, slope = log_likelihood(block, flat, np.append(start.theta[0], 0.0), terms, data)
    assert value == pytest.approx(start.loglik[0], rel=1e-10)
    assert np.abs(slope[:-1]).max() < 1e-4
    at = given(block, flat, np.append(start.theta[0], 0.0)[None], terms, data.z)
    cov = np.einsum("q,qij->ij", data.node, at.Sigma[0])
    d = at.mu[0] - data.node @ at.mu[0]
    assert cov + (d * data.node[:, None]).T @ d == pytest.approx(start.groups[0].at.Sigma[0], abs=1e-7)


def test_lms_gradient_is_that_of_finite_differences():
    block, flat, start, terms, data = _likelihood()
    theta = np.append(start.theta[0], 0.2)
    _, slope = log_likelihood(block, flat, theta, terms, data)
    h = 1e-5
    steps = np.eye(theta.size) * h
    numeric = [
        (
            log_likelihood(block, flat, theta + s, terms, data)[0]
            - log_likelihood(block, flat, theta - s, terms, data)[0]
        )
        / (2 * h)
        for s in steps
    ]
    assert slope == pytest.approx(np.array(numeric), rel=1e-5, abs=1e-4)
    assert row_scores(block, flat, theta, terms, data).sum(axis=0) == pytest.approx(slope, rel=1e-9, abs=1e-8)


def test_lms_says_what_it_cannot_fit():
    with pytest.raises(Problems) as caught:
        csi.fit(csi.Model.parse(XZ + "; a == b"), simulated(60, 1), csi.SEM(interaction="lms", missing="fiml"))
    assert len(caught.value.problems) == 2
    assert {p.code for p in caught.value.problems} == {"E-INTERACTION"}


def test_a_quadratic_term_shares_the_nodes_of_its_construct():
    text = XZ.replace("; Y ~ a*X + b*Z + g*X:Z", "; Y ~ X + Z + X:Z + X:X")
    est = csi.fit(csi.Model.parse(text), simulated(300, 2), csi.SEM(interaction="lms"))
    by_products = csi.fit(csi.Model.parse(text), simulated(300, 2), csi.SEM())
    for name in ("X:Z", "X:X"):
        assert abs(path(est, name) - path(by_products, name)) < path(est, name, "std_error")
    assert abs(path(est, "X:X")) < 2 * path(est, "X:X", "std_error")
    with pytest.raises(Problems, match="no chi-square"):
        csi.fit_measures(est)
