"""What was planted among the insurers is found: every model against the population's own value.

Truth is the same quantity in the population (exact moments, or a large draw without fieldwork); a finding may differ
from it by its own sampling error only. With some hundred comparisons the bound is four and a half standard errors.
"""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.simulation import clean, population_moments, read_recipe, simulate

FOLDER = Path(__file__).parents[2] / "data" / "insurance"
BOUND = 4.5
CUSTOMERS = ("first", "long")


@pytest.fixture(scope="module")
def recipe():
    return read_recipe(FOLDER / "recipe.yaml")


@pytest.fixture(scope="module")
def panel():
    return csi.Study.read(FOLDER / "study.yaml").panel()


@pytest.fixture(scope="module")
def moments(recipe):
    """Exact moments of the answers of all customers."""
    return population_moments(recipe, by=(), stages=CUSTOMERS)


@pytest.fixture(scope="module")
def many(recipe):
    """A large draw without fieldwork: 36,000 respondents, absent answers null."""
    frame = simulate(clean(recipe, 12_000)).frame
    items = [q.name for q in recipe.asked]
    codes = {q.name: [int(c) for c in recipe.scale_of(q).missing] for q in recipe.asked}
    return frame.with_columns(pl.when(~pl.col(i).is_in(codes[i])).then(pl.col(i).cast(pl.Float64)) for i in items)


@pytest.fixture(scope="module")
def truth():
    table = pl.read_csv(FOLDER / "truth.csv")
    return {(k, n): v for k, n, v in table.filter(pl.col("brand") == "").select("kind", "name", "value").iter_rows()}


def test_gaps(panel, moments):
    table = csi.gap(panel).table.filter(pl.col("kind") == "attribute")
    mean = dict(zip(moments.names, moments.mean[0], strict=True))
    true = np.array([mean[f"{a}_P"] - mean[f"{a}_Ew"] for a in table["name"]])
    z = (table["gap"].to_numpy() - true) / table["std_error"].to_numpy()
    assert len(z) == 22
    assert np.abs(z).max() < BOUND
    assert table.sort("gap")["name"].head(2).to_list() == ["res11", "rel5"]


def test_expected_quality_does_not_stand_equal_and_opposite(panel, many):
    found = csi.gap(panel, outcome="overall").constraint.filter(pl.col("name") == "overall")
    attributes = [c for c in many.columns if c.endswith("_Ew")]
    dims = dict(zip(("tan", "rel", "res", "ass", "emp"), range(5), strict=True))
    rows = many.filter(pl.col("stage") != "never")

    def score(form):
        own = [[a[:-3] + f"_{form}" for a in attributes if a.startswith(d)] for d in dims]
        return np.mean([rows.select(pl.mean_horizontal(o)).to_series().to_numpy() for o in own], axis=0)

    X = np.column_stack([np.ones(rows.height), score("Ew"), score("P")])
    b, *_ = np.linalg.lstsq(X, rows["overall"].to_numpy(), rcond=None)
    row = found.row(0, named=True)
    assert abs(row["b_expected"] - b[1]) < BOUND * row["std_error_expected"]
    assert abs(row["b_perceived"] - b[2]) < BOUND * row["std_error_perceived"]
    assert row["p_difference"] < 0.001


def test_classes_of_kano(panel, truth, recipe):
    table = csi.kano(panel, replicates=200).table
    for row in table.iter_rows(named=True):
        share = {c: truth.get(("class", f"{row['attribute']}: {c}"), 0.0) for c in "MOAIRQ"}
        se = np.sqrt(1.2 * np.array([s * (1 - s) for s in share.values()]) / row["n"])
        got = np.array([row[c] for c in share]) / row["n"]
        assert (np.abs(got - list(share.values())) <= BOUND * se).all(), row["attribute"]
        assert row["category"] == max(share, key=lambda c: share[c])
    assert table.height == len(recipe.kano)


def test_recommendation(panel, many):
    found = csi.nps(panel, "likely").table.row(0, named=True)
    asked = many["likely"].drop_nulls()
    true = 100 * ((asked >= 9).mean() - (asked <= 6).mean())
    se = np.hypot(found["std_error"], 100 * 0.82 / np.sqrt(len(asked)))
    assert abs(found["nps"] - true) < BOUND * se


def test_points(panel, truth):
    names = [f"{d}_I" for d in ("tangibles", "reliability", "responsiveness", "assurance", "empathy")]
    points = panel.frame.drop_nulls(names)
    assert (points.select(pl.sum_horizontal(names)).to_series() == 100).all()
    for name in names:
        w = points["weight"].to_numpy()
        got, sd = np.average(points[name].to_numpy(), weights=w), points[name].std()
        assert abs(got - truth["points", name]) < BOUND * sd * np.sqrt((w**2).sum()) / w.sum()
