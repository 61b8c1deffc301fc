import numpy as np
import pytest

from csi.simulation.population import (
    causal_order,
    composite_correlations,
    construct_correlations,
    factor_correlations,
)


def test_construct_correlations_reproduce_their_own_regressions():
    paths = np.zeros((4, 4))
    paths[1, 0], paths[2, [0, 1]], paths[3, [0, 2]] = 0.5, (0.2, 0.6), (0.3, 0.4)
    order = [3, 1, 0, 2]  # constructs may stand in any order
    shuffled = paths[np.ix_(order, order)]
    cor, r2 = construct_correlations(shuffled, np.eye(4))
    for j in range(4):
        x = np.flatnonzero(shuffled[j])
        if x.size:
            b = np.linalg.solve(cor[np.ix_(x, x)], cor[x, j])
            assert b == pytest.approx(shuffled[j, x])
            assert r2[j] == pytest.approx(b @ cor[x, j])


def test_given_correlations_hold_between_exogenous_constructs():
    paths = np.zeros((3, 3))
    paths[2, :2] = 0.4
    given = np.array([[0, 0.3, 0], [0.3, 0, 0], [0, 0, 0]])
    cor, r2 = construct_correlations(paths, given)
    assert cor[0, 1] == 0.3
    assert cor[2, 0] == pytest.approx(0.4 + 0.4 * 0.3)
    assert r2[2] == pytest.approx(2 * 0.4 * 0.52)


def test_a_cycle_is_refused():
    with pytest.raises(ValueError, match="cycle"):
        causal_order(np.array([[0, 0.5], [0.5, 0]]))


def test_composites_have_variance_one_and_the_stated_correlation():
    block = np.array([0, 0, 0, 1, 1])
    weights = np.array([1.0, 2.0, 1.5, 1.0, 1.0])
    R = np.array([[1, 0.55], [0.55, 1]])
    cor, loadings = composite_correlations(weights, np.array([0.4, 0.6]), block, R)
    w = np.zeros((5, 2))
    for c in (0, 1):
        mine = block == c
        w[mine, c] = weights[mine] / np.sqrt(weights[mine] @ cor[np.ix_(mine, mine)] @ weights[mine])
    assert w.T @ cor @ w == pytest.approx(R)
    assert loadings == pytest.approx((cor @ w)[np.arange(5), block])
    assert np.linalg.eigvalsh(cor)[0] > 0


def test_factor_correlations_by_hand():
    cor = factor_correlations(np.array([0.8, 0.5]), np.array([0, 1]), np.array([[1, 0.5], [0.5, 1]]))
    assert cor[0, 1] == pytest.approx(0.2)
    assert cor[0, 0] == 1
