"""A stack of two cells under nonlinear constraints says of each what its own fit says: the tangents differ."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import csi

TEXT = "visual =~ x1 + a*x2 + b*x3; textual =~ x4 + c*x5 + e*x6; a*b == 0.5"
NARROW = f"{TEXT}; c*c + e == 2"
CELLS = ("north", "south")


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    draw = np.random.default_rng(8)
    visual = draw.normal(size=400)
    textual = 0.4 * visual + draw.normal(size=400)
    steep = np.repeat([[1.0, 0.7, 0.6], [1.0, 1.3, 0.4]], 200, axis=0)
    items = np.concatenate([visual[:, None] * steep, textual[:, None] * np.array([1.0, 1.1, 0.9])], axis=1)
    items = items + draw.normal(size=items.shape) * 0.8
    return pl.DataFrame({f"x{j + 1}": items[:, j] for j in range(6)}).with_columns(
        cell=pl.Series(np.repeat(CELLS, 200))
    )


def fits(rows, text, **settings):
    """The stack, and each cell alone."""
    model = csi.Model.parse(text)
    alone = {c: csi.fit(model, rows.filter(cell=c), csi.SEM(**settings)) for c in CELLS}
    return csi.fit(model, rows, csi.SEM(**settings), by=["cell"]), alone


READ = {
    "residuals": lambda est, _: csi.residuals(est, "standardised").table,
    "measures": lambda est, _: csi.fit_measures(est).table,
    "indices": lambda est, _: csi.modification_indices(est).sort("lhs", "op", "rhs"),
    "scores": lambda est, _: csi.score_tests(est).table,
    "changes": lambda est, _: csi.score_tests(est).changes,
    "nested": lambda est, wide: csi.lrt(wide, est, method="satorra2000").table,
}
BY_COVARIANCES = {k: READ[k] for k in ("residuals", "measures", "indices", "scores", "changes")}


@pytest.mark.parametrize(
    ("settings", "reads"),
    [({}, BY_COVARIANCES), ({"estimator": "MLM"}, READ), ({"estimator": "MLR", "missing": "fiml"}, BY_COVARIANCES)],
    ids=["ML", "MLM", "FIML"],
)
def test_a_cell_in_a_stack_is_the_cell_alone(rows, settings, reads):
    stack, alone = fits(rows, NARROW, **settings)
    wide, wides = fits(rows, TEXT, **settings)
    assert stack.convergence.converged.all()
    # the two tangents are not the same: what the first cell says of the second would be wrong
    first, second = stack.extra["sem"].tangents
    assert np.abs(first.N @ first.N.T - second.N @ second.N.T).max() > 0.01
    for name, read in reads.items():
        together = read(stack, wide)
        for cell in CELLS:
            own, here = read(alone[cell], wides[cell]), together.filter(cell=cell).drop("cell")
            numbers = [c for c in own.columns if own[c].dtype == pl.Float64]
            assert own.select(pl.exclude(numbers)).equals(here.select(pl.exclude(numbers))), name
            a, b = own.select(numbers).to_numpy(), here.select(numbers).to_numpy()
            np.testing.assert_allclose(b, a, rtol=1e-9, atol=1e-9, err_msg=f"{name}, {cell}")


def test_the_doctor_reads_every_cell_of_a_curved_stack(rows):
    stack, alone = fits(rows, NARROW)
    found = csi.verify(stack)
    told = {f.code for f in found.findings}
    assert told == {f.code for est in alone.values() for f in csi.verify(est).findings}
