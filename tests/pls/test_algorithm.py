from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from csi.errors import Problems
from csi.estimate.fit import fit
from csi.models.model import Construct, Model, Path, Term
from csi.moments.linear import solve
from csi.pls import algorithm
from csi.pls.algorithm import Design, solve_stack
from csi.pls.estimator import PLS


def chain(mode: str = "A") -> Model:
    operator = "<~" if mode == "B" else "=~"
    blocks = {"x": ("x1", "x2", "x3"), "m": ("m1", "m2"), "y": ("y1", "y2", "y3")}
    constructs = tuple(Construct(n, operator, tuple(Term(i) for i in items), mode) for n, items in blocks.items())
    return Model(constructs, (Path("m", Term("x")), Path("y", Term("x")), Path("y", Term("m"))))


def answers(n: int = 200, seed: int = 5) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    m = 0.6 * x + 0.8 * rng.normal(size=n)
    y = 0.3 * x + 0.5 * m + 0.7 * rng.normal(size=n)
    noise = rng.normal(size=(n, 8))
    columns = np.column_stack([x, x, x, m, m, y, y, y]) + 0.7 * noise
    return pl.DataFrame(np.round(columns * 2 + 5), schema=["x1", "x2", "x3", "m1", "m2", "y1", "y2", "y3"])


def test_solve_matches_lapack_and_marks_singular() -> None:
    rng = np.random.default_rng(0)
    raw = rng.normal(size=(20, 6, 4))
    A = np.einsum("bij,bik->bjk", raw, raw)
    Y = rng.normal(size=(20, 4, 2))
    np.testing.assert_allclose(solve(A, Y), np.linalg.solve(A, Y), rtol=1e-9, atol=1e-12)
    singular = np.ones((1, 2, 2))
    assert np.isnan(solve(singular, np.ones((1, 2, 1)))).all()


@pytest.mark.parametrize("mode", ["A", "B"])
def test_fixed_point_by_scores(mode: str) -> None:
    """The textbook iteration on scores reproduces the weights found from correlations alone."""
    frame = answers()
    estimate = fit(chain(mode), frame, PLS(tolerance=1e-12))
    Z = frame.to_numpy()
    Z = (Z - Z.mean(0)) / Z.std(0, ddof=1)
    blocks = [slice(0, 3), slice(3, 5), slice(5, 8)]
    arrows = {1: [0], 2: [0, 1]}
    w = [np.ones(3), np.ones(2), np.ones(3)]
    for _ in range(200):
        Y = np.column_stack([Z[:, b] @ v for b, v in zip(blocks, w, strict=True)])
        Y /= Y.std(0, ddof=1)
        E = np.zeros((3, 3))
        for j, k in arrows.items():
            E[j, k] = np.linalg.lstsq(Y[:, k], Y[:, j], rcond=None)[0]
            for predictor in k:
                E[predictor, j] = np.corrcoef(Y[:, predictor], Y[:, j])[0, 1]
        proxies = Y @ E.T
        if mode == "A":
            w = [Z[:, b].T @ proxies[:, j] for j, b in enumerate(blocks)]
        else:
            w = [np.linalg.lstsq(Z[:, b], proxies[:, j], rcond=None)[0] for j, b in enumerate(blocks)]
    Y = np.column_stack([Z[:, b] @ v for b, v in zip(blocks, w, strict=True)])
    expected = np.concatenate([v / s for v, s in zip(w, Y.std(0, ddof=1), strict=True)])
    np.testing.assert_allclose(estimate.solution.weights[0], expected, atol=1e-9)


def test_a_slice_does_not_depend_on_its_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    raw = rng.normal(size=(40, 60, 8)) + rng.normal(size=(40, 60, 1))
    R = np.stack([np.corrcoef(x.T) for x in raw])
    arrows = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0]], dtype=bool)
    design = Design(np.array([0, 0, 0, 1, 1, 2, 2, 2]), arrows, np.array([False, True, False]), np.ones(3, dtype=bool))
    together = solve_stack(R, design, "path", 1e-7, 300)
    monkeypatch.setattr(algorithm, "BATCH", 7)
    apart = solve_stack(R, design, "path", 1e-7, 300)
    assert np.array_equal(together.weights, apart.weights)
    assert np.array_equal(together.paths, apart.paths)


def test_orientation_follows_the_measurement_not_the_path() -> None:
    """A negative path stays negative: scores are oriented by their own items."""
    frame = answers().with_columns(-pl.col("y1", "y2", "y3") + 10)
    solution = fit(chain(), frame, PLS()).solution
    assert (solution.loadings > 0).all()
    assert solution.paths[0, 2, 1] < 0


def test_constant_item_is_named() -> None:
    with pytest.raises(Problems, match="x2"):
        fit(chain(), answers().with_columns(pl.lit(5.0).alias("x2")), PLS())


def test_identical_items_in_mode_b_are_collinear() -> None:
    frame = answers().with_columns(pl.col("x1").alias("x2"))
    with pytest.raises(Problems, match="collinear"):
        fit(chain("B"), frame, PLS())
    assert fit(chain("A"), frame, PLS()).convergence.converged.all()


def test_failing_cell_leaves_the_others_alone() -> None:
    good, bad = answers(), answers(seed=6).with_columns(pl.lit(3.0).alias("m1"))
    frame = pl.concat([good.with_columns(brand=pl.lit("a")), bad.with_columns(brand=pl.lit("b"))])
    both = fit(chain(), frame, PLS(), by=["brand"])
    alone = fit(chain(), good, PLS())
    assert both.convergence.converged.tolist() == [True, False]
    assert "m1" in both.convergence.reasons[1].say("en")
    np.testing.assert_array_equal(both.values[0], alone.values[0])
    assert np.isnan(both.values[1]).all()


def test_no_convergence_is_reported_not_raised() -> None:
    estimate = fit(chain(), answers(), PLS(max_iterations=1, tolerance=1e-15))
    assert not estimate.convergence.converged.any()
    assert "iterations" in estimate.convergence.reasons[0].say("en")


def test_item_in_two_constructs_and_lone_construct() -> None:
    constructs = (*chain().constructs, Construct("z", "=~", (Term("x1"),)))
    with pytest.raises(Problems) as caught:
        fit(Model(constructs, chain().paths), answers(), PLS())
    assert {p.code for p in caught.value.problems} == {"E-ITEM-TWICE", "E-PATH"}
