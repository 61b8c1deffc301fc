"""Sum scores, components and GSCA: what their weights are, and what all composite estimators share."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems
from csi.pls.gsca import GSCA
from csi.pls.sum_scores import SumScores

TEXT = "x =~ x1 + x2 + x3\nm =~ m1 + m2\ny =~ y1 + y2 + y3\nm ~ x\ny ~ x + m"
ITEMS = ("x1", "x2", "x3", "m1", "m2", "y1", "y2", "y3")
BLOCKS = (slice(0, 3), slice(3, 5), slice(5, 8))
ESTIMATORS = [
    csi.PLS(),
    csi.PLS(modes={"x": "B"}),
    csi.PLS(units="raw"),
    csi.PLS(consistent=True),
    SumScores(),
    SumScores(weights="raw"),
    SumScores(weights="pca"),
    GSCA(),
]


def answers(n: int = 150, seed: int = 5) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    m = 0.6 * x + 0.8 * rng.normal(size=n)
    y = 0.3 * x + 0.5 * m + 0.7 * rng.normal(size=n)
    columns = np.column_stack([x, x, x, m, m, y, y, y]) + 0.7 * rng.normal(size=(n, 8))
    spread = np.array([1.0, 2.0, 1.5, 1.0, 3.0, 1.0, 1.2, 0.8])
    return pl.DataFrame(np.round(columns * spread * 2 + 5), schema=list(ITEMS))


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: e.name)
def test_weights_of_rows_are_rows_repeated(estimator) -> None:
    frame = answers().with_columns(w=pl.Series(np.random.default_rng(2).integers(1, 5, 150)))
    weighted = csi.fit(TEXT, frame, estimator, weight="w")
    repeated = csi.fit(TEXT, frame.select(pl.all().repeat_by("w")).explode(pl.all()).drop("w"), estimator)
    np.testing.assert_allclose(weighted.values, repeated.values, rtol=0, atol=1e-9)
    plain = csi.fit(TEXT, frame.drop("w"), estimator)
    assert np.abs(weighted.values - plain.values).max() > 1e-3


@pytest.mark.parametrize(("kind", "scale"), [("equal", True), ("raw", False)])
def test_sums_are_sums(kind: str, scale: bool) -> None:
    """Correlations and regressions of sums formed row by row."""
    frame = answers()
    Z = frame.to_numpy()
    Z = Z / Z.std(axis=0, ddof=1) if scale else Z
    scores = np.column_stack([Z[:, b].sum(axis=1) for b in BLOCKS])
    solution = csi.fit(TEXT, frame, SumScores(weights=kind)).solution
    cor = np.corrcoef(scores, rowvar=False)
    np.testing.assert_allclose(solution.construct_cor[0], cor, atol=1e-12)
    np.testing.assert_allclose(solution.paths[0, 2, :2], np.linalg.solve(cor[:2, :2], cor[:2, 2]), atol=1e-12)
    loadings = [np.corrcoef(frame[i], scores[:, k])[0, 1] for k, b in enumerate(BLOCKS) for i in ITEMS[b]]
    np.testing.assert_allclose(solution.loadings[0], loadings, atol=1e-12)


def test_pca_weights_are_those_of_the_singular_value_decomposition() -> None:
    frame = answers()
    Z = frame.to_numpy()
    Z = (Z - Z.mean(axis=0)) / Z.std(axis=0, ddof=1)
    solution = csi.fit(TEXT, frame, SumScores(weights="pca")).solution
    for b in BLOCKS:
        first = np.linalg.svd(Z[:, b], full_matrices=False)[2][0]
        score = Z[:, b] @ (first * np.sign(first.sum()))
        np.testing.assert_allclose(solution.weights[0, b], np.abs(first) / score.std(ddof=1), atol=1e-12)


def test_raw_units_are_the_textbook_iteration_on_raw_items() -> None:
    """Mode A as covariances of centred items with proxies of unit scores (Lohmöller 1989), path weighting."""
    frame = answers()
    X = frame.to_numpy() - frame.to_numpy().mean(axis=0)
    w = [np.ones(3), np.ones(2), np.ones(3)]
    for _ in range(300):
        Y = np.column_stack([X[:, b] @ v for b, v in zip(BLOCKS, w, strict=True)])
        Y /= Y.std(axis=0, ddof=1)
        C = np.corrcoef(Y, rowvar=False)
        slopes = np.linalg.solve(C[:2, :2], C[:2, 2])
        E = np.array([[0, C[0, 1], C[0, 2]], [C[0, 1], 0, C[1, 2]], [slopes[0], slopes[1], 0]])
        w = [X[:, b].T @ (Y @ E[j]) for j, b in enumerate(BLOCKS)]
    Y = np.column_stack([X[:, b] @ v for b, v in zip(BLOCKS, w, strict=True)])
    expected = np.concatenate([v / s for v, s in zip(w, Y.std(axis=0, ddof=1), strict=True)])
    est = csi.fit(TEXT, frame, csi.PLS(units="raw", tolerance=1e-12))
    np.testing.assert_allclose(est.solution.weights[0] / est.moments.sd[0], expected, atol=1e-9)


def gsca_loss(w: np.ndarray, R: np.ndarray, measured: bool) -> float:
    """Sum of squared errors of GSCA per row, from the formula: scores by scores, items by their score."""
    W = np.zeros((8, 3))
    for k, b in enumerate(BLOCKS):
        W[b, k] = w[b] / np.sqrt(w[b] @ R[b, b] @ w[b])
    C, RW = W.T @ R @ W, R @ W
    slopes = np.linalg.solve(C[:2, :2], C[:2, 2])
    loss = (1 - C[0, 1] ** 2) + (1 - slopes @ C[:2, 2])
    if measured:
        loss += sum(1 - RW[i, k] ** 2 for k, b in enumerate(BLOCKS) for i in range(b.start, b.stop))
    return float(loss)


@pytest.mark.parametrize("operator", ["=~", "<~"])
def test_gsca_is_at_the_minimum_of_its_criterion(operator: str) -> None:
    est = csi.fit(TEXT.replace("=~", operator), answers(), GSCA(tolerance=1e-11))
    R, w = est.moments.cor[0], est.solution.weights[0]
    best = gsca_loss(w, R, operator == "=~")
    rng = np.random.default_rng(1)
    for size in (1e-3, 1e-2, 0.1):
        for _ in range(50):
            assert gsca_loss(w + size * rng.normal(size=8), R, operator == "=~") > best - 1e-13
    slope = [
        (gsca_loss(w + h, R, operator == "=~") - gsca_loss(w - h, R, operator == "=~")) / 2e-5 for h in np.eye(8) * 1e-5
    ]
    np.testing.assert_allclose(slope, 0.0, atol=1e-7)


@pytest.mark.parametrize("estimator", [csi.PLS(modes={"x": "B"}), GSCA()], ids=["mode B", "GSCA"])
def test_collinear_block_is_named(estimator) -> None:
    frame = answers().with_columns(x3=pl.col("x1") + pl.col("x2"))
    with pytest.raises(Problems, match="the items of x are collinear") as caught:
        csi.fit(TEXT, frame, estimator)
    assert caught.value.problems[0].code == "E-COLLINEAR"
    assert csi.fit(TEXT, frame, csi.PLS()).convergence.converged.all()


def test_collinear_predictors_are_named() -> None:
    frame = answers().with_columns(m1=pl.col("x1"), m2=pl.col("x2"))
    text = TEXT.replace("x1 + x2 + x3", "x1 + x2")
    copies = frame.with_columns(x1=pl.col("m1") * 2 + 1, x2=pl.col("m2") * 2 + 1)
    with pytest.raises(Problems, match="the predictors of y are collinear"):
        csi.fit(text, copies, SumScores())


def test_settings_that_do_not_exist() -> None:
    with pytest.raises(Problems, match='Did you mean "raw"'):
        SumScores(weights="row")
    with pytest.raises(Problems, match="must be positive"):
        GSCA(tolerance=0.0)
    with pytest.raises(Problems, match="standardised items"):
        csi.PLS(consistent=True, units="raw")


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: e.name)
def test_everything_downstream_reads_them(estimator) -> None:
    """Index, bootstrap, effects, reliability, validity, drivers."""
    frame = answers().with_columns(pl.all().clip(1, 10))
    boot = csi.bootstrap(csi.fit(TEXT, frame, estimator, scale=(1, 10)), 100, seed=1)
    assert csi.index(boot).table.filter(construct="y")["index"].is_between(0, 100).all()
    assert csi.effects(boot).table["std_error"].null_count() == 0
    assert csi.reliability(boot).table.filter(construct="y")["rho_c"].null_count() == 0
    assert csi.validity(boot).table.height == 3
    assert csi.drivers(boot, "y").table.height == 2
