"""Robust errors, their degrees of freedom and joint tests: R's clubSandwich, their definition, hand cases."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import fdtrc

from csi.inference.sandwich import robust_slopes

REFERENCE = json.loads((Path(__file__).parents[1] / "reference/leverage/expected.json").read_text(encoding="utf-8"))


def formed():
    """The forty rows of the reference, by formula."""
    i = np.arange(40)
    a, b, g, w = (i * 7) % 11, np.round(((i * 5) % 13) ** 1.5, 3), (i * i) % 9, 1 + (i % 4) * 0.5
    y = 1 + 0.5 * a - 0.2 * ((i * 5) % 13) ** 1.5 + 0.02 * a * ((i * 5) % 13) ** 1.5
    y = np.round(y + (1 + 0.3 * a) * np.sin(3.7 * i) + np.cos(g * 2.1), 3)
    return np.column_stack([np.ones(40), a, b, a * b]), y, g, w


CLAIMS = {"slopes": np.eye(4)[1:], "two": np.array([[0.0, 1, -1, 0], [0, 0, 0, 1]])}


@pytest.mark.parametrize("case", ["rows", "clusters", "weighted clusters"])
def test_errors_and_degrees_of_freedom_are_those_of_clubsandwich(case):
    X, y, g, w = formed()
    wanted = REFERENCE[case]
    weight = w if case.startswith("weighted") else np.ones(40)
    found = robust_slopes(X, y, weight, np.arange(40) if case == "rows" else g)
    assert found.slopes == pytest.approx(wanted["b"], rel=1e-9)
    assert found.std_error == pytest.approx(wanted["se"], rel=1e-9)
    assert found.df == pytest.approx(wanted["df"], rel=1e-8)
    for name, L in CLAIMS.items():
        if name not in wanted:
            continue
        q, eta, away = len(L), found.joint_df(L), L @ found.slopes
        value = away @ np.linalg.solve(L @ found.cov @ L.T, away) * (eta - q + 1) / (eta * q)
        f, left, p = wanted[name]
        assert (value, eta - q + 1) == pytest.approx((f, left), rel=1e-7)
        assert fdtrc(q, eta - q + 1, value) == pytest.approx(p, rel=1e-6)


def by_definition(X, weight, unit, L):
    """Degrees of freedom from n by n matrices: p_g = T_g e, e normal with variances 1 / weight."""
    root = np.sqrt(weight)
    Z = X * root[:, None]
    A = np.linalg.inv(Z.T @ Z)
    M = np.eye(len(X)) - Z @ A @ Z.T
    T = []
    for u in np.unique(unit):
        own = np.flatnonzero(unit == u)
        values, vectors = np.linalg.eigh(M[np.ix_(own, own)])
        T.append(L @ A @ Z[own].T @ ((vectors / np.sqrt(values)) @ vectors.T) @ M[own])
    mean = sum(t @ t.T for t in T)
    values, vectors = np.linalg.eigh(mean)
    T = [(vectors / np.sqrt(values)).T @ t for t in T]
    spread = 0.0
    for t in T:
        for s in T:
            C = t @ s.T
            spread += np.outer(np.diagonal(C), np.diagonal(C)).sum() + np.trace(C @ C)
    q = len(L)
    return q * (q + 1) / spread


@pytest.mark.parametrize("clustered", [False, True])
def test_degrees_of_freedom_are_those_of_their_definition(clustered):
    X, y, g, w = formed()
    unit = g if clustered else np.arange(40)
    found = robust_slopes(X, y, w, unit)
    for L in (np.eye(4)[:1], np.eye(4)[3:], *CLAIMS.values()):
        assert found.joint_df(L) == pytest.approx(by_definition(X, w, unit, L), rel=1e-8)
    many = np.random.default_rng(3).normal(size=(11, 4))
    assert found.df_of(many) == pytest.approx([found.joint_df(row[None]) for row in many], rel=1e-9)


def test_two_groups_have_welch_errors():
    y = np.array([1.0, 2, 4, 7, 8, 12, 3, 5])
    X = np.column_stack([np.ones(8), [1.0, 1, 1, 0, 0, 0, 0, 0]])
    found = robust_slopes(X, y, np.ones(8), np.arange(8))
    assert found.cov[1, 1] == pytest.approx(y[:3].var(ddof=1) / 3 + y[3:].var(ddof=1) / 5, rel=1e-12)
    alike = (1 / 3 + 1 / 5) ** 2 / (1 / (9 * 2) + 1 / (25 * 4))  # Welch's formula where variances are alike
    assert found.df[1] == pytest.approx(alike, rel=1e-12)


def test_a_mean_has_n_less_1_and_a_mean_of_clusters_units_less_1():
    y, one = np.arange(12.0) ** 1.5, np.ones((12, 1))
    rows = robust_slopes(one, y, np.ones(12), np.arange(12))
    assert rows.std_error[0] == pytest.approx(y.std(ddof=1) / np.sqrt(12))
    assert rows.df[0] == pytest.approx(11)
    groups = robust_slopes(one, y, np.ones(12), np.repeat(np.arange(4), 3))
    assert groups.std_error[0] == pytest.approx(y.reshape(4, 3).mean(axis=1).std(ddof=1) / 2)
    assert groups.df[0] == pytest.approx(3)


def test_a_cluster_that_alone_determines_a_slope_leaves_the_others_their_errors():
    rng = np.random.default_rng(6)
    unit = np.repeat(np.arange(10), 5)
    X = np.column_stack([np.ones(50), rng.normal(size=50), np.where(unit == 3, rng.normal(size=50), 0.0)])
    found = robust_slopes(X, X @ [1.0, 0.5, 1.0] + rng.normal(size=50), np.ones(50), unit)
    assert np.isfinite(found.cov).all()
    assert found.cov[1, 1] > 0
    assert found.df[1] > 3
    assert found.df[2] == 0
    assert found.joint_df(np.eye(3)[1:]) == 0


def test_the_order_of_rows_and_the_names_of_units_make_no_difference():
    X, y, g, w = formed()
    turn = np.random.default_rng(1).permutation(40)
    one, two = robust_slopes(X, y, w, g), robust_slopes(X[turn], y[turn], w[turn], 2 * g[turn] + 3)
    assert two.std_error == pytest.approx(one.std_error, rel=1e-9)
    assert two.df == pytest.approx(one.df, rel=1e-9)
