"""Replicates that are solutions, but improper ones, are kept and counted by what is wrong with them."""

import numpy as np
import polars as pl
import pytest

import csi
from csi.estimate.estimate import Row
from csi.models.syntax.build import parse_claim
from csi.sem.implied import implied, matrices
from csi.sem.improper import beyond_of, improper_of, variances_of
from csi.sem.layout import layout_of
from csi.sem.table import Rules, table_of

TWO = "f =~ a + b + c\ng =~ d + e + h"


def rows(n=60):
    """Two factors with weak items and n so small that negative variances come up."""
    rng = np.random.default_rng(5)
    f, g = rng.multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], size=n).T
    load = np.array([0.9, 0.6, 0.5])
    answers = np.column_stack([f[:, None] * load, g[:, None] * load]) + 0.6 * rng.normal(size=(n, 6))
    return pl.DataFrame(answers, schema=list("abcdeh"))


@pytest.fixture(scope="module")
def boot():
    return csi.bootstrap(csi.fit(csi.Model.parse(TWO), rows(), csi.SEM()), n=400, seed=1)


def test_negative_variances_are_counted_and_kept(boot):
    found = boot.replicates
    variances = [i for i, r in enumerate(boot.rows) if r.op == "~~" and r.lhs == r.rhs]
    negative = found.usable & (found.values[:, :, variances] < -1e-8).any(axis=2)
    counts = {r["cause"]: r["replicates"] for r in found.counts.iter_rows(named=True)}
    assert 0 < negative.sum() == counts["negative variance"]
    assert not found.admissible[negative].any()
    assert np.isfinite(found.values[negative]).all()
    said = [n.say("en") for n in boot.notes if "negative variance" in n.say("en")]
    assert said == [f"{negative.sum()} of 400 replicates: negative variance (kept)."]


def test_proper_solutions_are_admissible(boot):
    found = boot.replicates
    cor = found.solution.construct_cor[:, 0, 1].reshape(found.usable.shape)
    apart = found.usable & (np.abs(cor) < 1)
    variances = [i for i, r in enumerate(boot.rows) if r.op == "~~" and r.lhs == r.rhs]
    assert found.admissible[apart & (found.values[:, :, variances] > 0).all(axis=2)].all()


def test_latents_that_correlate_beyond_one_are_named():
    layout = layout_of(table_of(parse_claim(TWO), Rules()))
    theta = np.ones((2, layout.count))
    at = next(i for i, r in zip(layout.table.index, layout.table.rows, strict=True) if r.key == ("f", "~~", "g"))
    theta[:, at] = [0.9, 1.1]
    block = layout.blocks[0]
    flat = np.zeros((2, block.size))
    flat[:, block.fixed[0]] = block.fixed[2]
    named = [Row(*r.key) for r in layout.table.rows]
    values = np.array([[theta[s, i] if i >= 0 else 1.0 for i in layout.table.index] for s in range(2)])
    found = improper_of(variances_of(named), values, beyond_of(layout, [implied(block, matrices(block, flat, theta))]))
    assert found["latent covariances not positive definite"].tolist() == [False, True]
    assert found["negative variance"].tolist() == [False, False]


def test_weights_of_composites_are_counted_as_before():
    est = csi.fit(csi.Model.parse(TWO + "\ng ~ f"), rows(), csi.PLS())
    boot = csi.bootstrap(est, n=200, seed=1)
    negative = (boot.replicates.solution.weights < 0).any(axis=1).reshape(200, 1)
    assert np.array_equal(boot.replicates.admissible, ~negative)


def test_dropping_improper_replicates_is_said_and_counted(boot):
    est = csi.fit(csi.Model.parse(TWO), rows(), csi.SEM())
    left = csi.bootstrap(est, n=400, seed=1, improper="drop")
    found = left.replicates
    assert np.array_equal(found.admissible, boot.replicates.admissible)
    assert np.array_equal(found.usable, boot.replicates.usable & boot.replicates.admissible)
    assert np.isnan(found.values[~found.usable]).all()
    said = [n.say("en") for n in left.notes if "negative variance" in n.say("en")]
    assert said
    assert all(s.endswith("(left out).") for s in said)
    kept, dropped = boot.std_error[0], left.std_error[0]
    assert np.nanmean(dropped) < np.nanmean(kept)


def test_policies_are_known_by_name():
    est = csi.fit(csi.Model.parse(TWO), rows(), csi.SEM())
    with pytest.raises(csi.Problems, match="keep"):
        csi.bootstrap(est, n=100, improper="redraw")


def test_the_doctor_names_what_was_dropped():
    left = csi.bootstrap(csi.fit(csi.Model.parse(TWO), rows(), csi.SEM()), n=400, seed=1, improper="drop")
    said = [f.what.say("en") for f in csi.verify(left).findings if "REPLICATES" in f.code]
    assert len(said) == 1
    assert "no proper solution" in said[0]
    assert "negative variance" in said[0]
