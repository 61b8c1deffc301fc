"""The gradient of PLS weights on the item correlations, held to central differences of the fixed point."""

import json
from pathlib import Path

import numpy as np
import pytest

from csi.models.model import Model
from csi.moments.stack import Moments
from csi.pls.algorithm import solve_stack
from csi.pls.blueprint import blueprint_of
from csi.pls.sum_scores import score_weights
from csi.pls.weight_gradient import component_gradient, pls_gradient

MOBI = Path(__file__).parents[1] / "reference" / "mobi"
STEP = 1e-5


@pytest.fixture(scope="module")
def mobi():
    m = json.loads((MOBI / "moments.json").read_text(encoding="utf-8"))
    text = (MOBI / "model.txt").read_text(encoding="utf-8")
    return Model.parse(text), Moments.of(m["names"], np.array(m["cov"]), n=m["n"])


def tangent(weights, design, seed=1):
    """Random slopes that do not see the scale of a block."""
    slope = np.random.default_rng(seed).normal(size=(6, weights.size))
    for start, stop in design.spans:
        w = weights[start:stop]
        slope[:, start:stop] -= np.outer(slope[:, start:stop] @ w, w) / (w @ w)
    return slope


def moved(R, by):
    """R with each pair of items moved up, then down."""
    i, j = np.triu_indices(len(R), 1)
    many, k = np.repeat(R[None], 2 * i.size, axis=0), np.arange(i.size)
    for rows, step in ((k, by), (k + i.size, -by)):
        many[rows, i, j] += step
        many[rows, j, i] += step
    return many, (i, j)


@pytest.mark.parametrize("units", ["standardised", "raw"])
@pytest.mark.parametrize("modes", [{}, {"Image": "B", "Satisfaction": "B"}])
@pytest.mark.parametrize("scheme", ["path", "factorial", "centroid"])
def test_the_gradient_is_that_of_the_fixed_point(mobi, scheme, modes, units):
    drawn, order = blueprint_of(*mobi, modes)
    R, sd = mobi[1].cor[0][np.ix_(order, order)], mobi[1].sd[0, order]

    def weights(many, sds, like=None):
        raw = np.broadcast_to(sds, (len(many), sd.size)) if units == "raw" else None
        return solve_stack(many, drawn.design, scheme, 1e-14, 5000, like, sd=raw).weights

    w = weights(R[None], sd)[0]
    slope = tangent(w, drawn.design)
    raw = sd[None] if units == "raw" else None
    found = pls_gradient(R[None], w[None], drawn.design, scheme, slope[None], raw)
    many, (i, j) = moved(R, STEP)
    ends = weights(many, sd, w)
    numeric = (ends[: i.size] - ends[i.size :]) @ slope.T / (2 * STEP)
    np.testing.assert_allclose(2 * found.cor[0][:, i, j].T, numeric, atol=1e-7)
    sds = sd * np.exp(STEP * np.concatenate([np.eye(sd.size), -np.eye(sd.size)]))
    ends = weights(np.repeat(R[None], len(sds), axis=0), sds, w)
    numeric = (ends[: sd.size] - ends[sd.size :]) @ slope.T / (2 * STEP)
    np.testing.assert_allclose(found.log_sd[0].T, numeric, atol=1e-7)


def test_a_stack_is_its_slices(mobi):
    drawn, order = blueprint_of(*mobi)
    R = mobi[1].cor[0][np.ix_(order, order)]
    stack = np.stack([R, 0.9 * R + 0.1 * np.eye(len(R)), np.full_like(R, np.nan)])
    w = solve_stack(stack, drawn.design, "path", 1e-13, 5000).weights
    slope = np.stack([tangent(one, drawn.design) if np.isfinite(one).all() else np.zeros((6, len(R))) for one in w])
    together = pls_gradient(stack, w, drawn.design, "path", slope).cor
    for b in (0, 1):
        alone = pls_gradient(stack[[b]], w[[b]], drawn.design, "path", slope[[b]]).cor[0]
        np.testing.assert_allclose(together[b], alone, rtol=1e-9, atol=1e-12)
    assert np.isnan(together[2]).all()


def test_the_first_component_moves_as_its_gradient_says(mobi):
    drawn, order = blueprint_of(*mobi)
    R, sd = mobi[1].cor[0][np.ix_(order, order)], mobi[1].sd[:, order]

    def weights(many):
        made = score_weights(many, np.repeat(sd, len(many), axis=0), drawn.design, "pca")
        return np.concatenate(
            [_unit(made[:, a:z], many[:, a:z, a:z]) for a, z in drawn.design.spans], axis=1
        )  # fmt: skip

    w = weights(R[None])[0]
    slope = tangent(w, drawn.design)
    found = component_gradient(R[None], w[None], drawn.design, slope[None]).cor[0]
    many, (i, j) = moved(R, STEP)
    ends = weights(many)
    numeric = (ends[: i.size] - ends[i.size :]) @ slope.T / (2 * STEP)
    np.testing.assert_allclose(2 * found[:, i, j].T, numeric, atol=1e-7)


def _unit(w, R):
    """Weights that give a score of variance 1, pointing up."""
    w = w * np.sign(w.sum(axis=1, keepdims=True))
    return w / np.sqrt(np.einsum("bi,bij,bj->b", w, R, w))[:, None]
