"""Types of loyalty and the satisfaction-loyalty curve: hand cases, statsmodels, planted bends, refusals."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from scipy.stats import t

import csi
from csi.display import text
from csi.errors import Problems, Text
from csi.inference.sandwich import robust_slopes
from csi.survey.codebook import Codebook, Item, Scale

HUNDRED = Scale("hundred", 0, 100)


def panel_of(columns, scale=HUNDRED, **keys):
    book = Codebook(tuple(Item(n, n, scale, Text(n.title(), f"题{n}")) for n in columns), {}, {})
    frame = pl.DataFrame({k: np.asarray(v, dtype=float) for k, v in columns.items()}).with_columns(
        *(pl.Series(k, v) for k, v in keys.items())
    )
    return csi.Panel(frame, book, frame.select(*columns).cast(pl.String))


def crossed():
    sizes = {"both": 40, "feel": 30, "buy": 20, "none": 10}
    feel = [80.0] * (sizes["both"] + sizes["feel"]) + [20.0] * (sizes["buy"] + sizes["none"])
    buy = [80.0] * sizes["both"] + [20.0] * sizes["feel"] + [80.0] * sizes["buy"] + [20.0] * sizes["none"]
    return panel_of({"feel": feel, "buy": buy})


def test_the_four_types_of_a_hand_case():
    found = csi.loyalty_types(crossed(), "feel", "buy")
    assert found.table["type"].to_list() == ["loyalty", "latent", "spurious", "none"]
    assert found.table["share"].to_list() == pytest.approx([0.4, 0.3, 0.2, 0.1], abs=1e-12)
    assert found.table["count"].to_list() == [40, 30, 20, 10]
    p, n = 0.4, 100
    error = np.sqrt(p * (1 - p) / (n - 1))
    reach = t.ppf(0.975, n - 1) * error / (p * (1 - p))
    logit = np.log(p / (1 - p))
    expected = [1 / (1 + np.exp(-(logit + s * reach))) for s in (-1, 1)]
    row = found.table.row(0, named=True)
    assert row["std_error"] == pytest.approx(error, abs=1e-12)
    assert [row["conf_low"], row["conf_high"]] == pytest.approx(expected, abs=1e-12)


def test_cut_points_are_printed_and_move_the_shares():
    found = csi.loyalty_types(crossed(), "feel", "buy", cuts=(90.0, 50.0))
    assert found.table["share"].to_list() == pytest.approx([0, 0, 0.6, 0.4], abs=1e-12)
    z = t.ppf(0.975, 99)
    assert found.table["conf_low"][0] == 0
    assert found.table["conf_high"][0] == pytest.approx(z**2 / (100 + z**2))  # Wilson's, of nobody
    assert "above 90 of Feel and above 50 of Buy" in text(found, "en")
    assert "高于 90" in text(found, "zh")
    assert "虚假忠诚 60" in found.sentences[0].zh


def test_weights_and_cells_are_respected():
    panel = crossed()
    frame = panel.frame.with_columns(weight=pl.Series([2.0] * 40 + [1.0] * 60), brand=pl.Series(["A", "B"] * 50))
    weighted = csi.loyalty_types(replace(panel, frame=frame), "feel", "buy")
    assert weighted.table["share"][0] == pytest.approx(80 / 140, abs=1e-12)
    cells = csi.loyalty_types(replace(panel, frame=frame), "feel", "buy", by=["brand"])
    assert cells.table["brand"].to_list() == ["A"] * 4 + ["B"] * 4


def curved(n=600, seed=3, bend=0.9):
    draw = np.random.default_rng(seed)
    x = np.round(draw.uniform(0, 100, n))
    y = np.clip(10 + 0.2 * x + bend * np.maximum(x - 75, 0) + draw.normal(0, 5, n), 0, 100)
    return panel_of({"sat": x, "loy": y}), x, y


def test_slopes_and_errors_are_least_squares():
    panel, x, y = curved()
    found = csi.loyalty_curve(panel, "sat", "loy")
    pieces = np.column_stack([np.clip(x, a, b) - a for a, b in ((0, 50), (50, 75), (75, 100))])
    ols = sm.OLS(y, sm.add_constant(pieces)).fit(cov_type="HC2")
    assert found.table["slope"].to_numpy() == pytest.approx(ols.params[1:], abs=1e-9)
    assert found.table["std_error"].to_numpy() == pytest.approx(ols.bse[1:], abs=1e-9)
    df = robust_slopes(sm.add_constant(pieces), y, np.ones(600), np.arange(600)).df[1:]
    reach = t.ppf(0.975, df) * ols.bse[1:]
    assert found.table["conf_high"].to_numpy() == pytest.approx(ols.params[1:] + reach, abs=1e-9)
    assert found.fits["r2"].item() == pytest.approx(ols.rsquared, abs=1e-9)
    assert found.fits["r2_straight"].item() == pytest.approx(sm.OLS(y, sm.add_constant(x)).fit().rsquared, abs=1e-9)


def test_the_band_is_that_of_the_fitted_mean():
    """statsmodels, OLS with HC2: the interval of the mean at each point of the curve; t with each point's own df."""
    panel, x, y = curved()
    line = csi.loyalty_curve(panel, "sat", "loy").line

    def pieces(at):
        return np.column_stack([np.ones_like(at), *(np.clip(at, a, b) - a for a, b in ((0, 50), (50, 75), (75, 100)))])

    ols = sm.OLS(y, pieces(x)).fit(cov_type="HC2", use_t=True)
    at = pieces(line["satisfaction"].to_numpy())
    told = ols.get_prediction(at)
    assert line["fitted"].to_numpy() == pytest.approx(told.predicted_mean, abs=1e-9)
    reach = t.ppf(0.975, robust_slopes(pieces(x), y, np.ones(600), np.arange(600)).df_of(at)) * told.se_mean
    low, high = told.predicted_mean - reach, told.predicted_mean + reach
    assert line["conf_low"].to_numpy() == pytest.approx(low, abs=1e-8)
    assert line["conf_high"].to_numpy() == pytest.approx(high, abs=1e-8)
    assert {50.0, 75.0} <= set(line["satisfaction"])
    assert (line["satisfaction"].min(), line["satisfaction"].max()) == (x.min(), x.max())


def test_where_there_is_no_fit_there_is_no_line():
    found = csi.loyalty_curve(panel_of({"sat": [60.0] * 40, "loy": np.linspace(20, 90, 40)}), "sat", "loy")
    assert not found.line.height


def test_clusters_make_errors_of_clusters():
    panel, x, y = curved()
    groups = np.arange(600) // 10
    clustered = replace(panel, frame=panel.frame.with_columns(cluster=pl.Series(groups).cast(pl.String)))
    found = csi.loyalty_curve(clustered, "sat", "loy")
    X = sm.add_constant(np.column_stack([np.clip(x, a, b) - a for a, b in ((0, 50), (50, 75), (75, 100))]))
    e, A = sm.OLS(y, X).fit().resid, np.linalg.inv(X.T @ X)
    sums = []
    for g in range(60):
        own = X[groups == g]
        values, vectors = np.linalg.eigh(np.eye(len(own)) - own @ A @ own.T)  # CR2: its inverse square root
        sums.append(own.T @ ((vectors / np.sqrt(values)) @ vectors.T) @ e[groups == g])
    errors = np.sqrt(np.diagonal(A @ np.transpose(sums) @ np.array(sums) @ A))
    assert found.table["std_error"].to_numpy() == pytest.approx(errors[1:], abs=1e-9)


@pytest.mark.parametrize(
    ("sat", "loy"),
    [([60.0] * 40, np.linspace(20, 90, 40)), (np.linspace(0, 100, 40), [50.0] * 40), ([60.0, 70.0], [1.0, 2.0])],
)
def test_what_does_not_vary_has_no_slope(sat, loy):
    found = csi.loyalty_curve(panel_of({"sat": sat, "loy": loy}), "sat", "loy", small=0)
    assert found.table["slope"].null_count() == found.table.height
    assert found.table["p_change"].null_count() == found.table.height
    assert found.fits["r2"].item() is None
    assert found.sentences[0].en.startswith("No slope is told")
    assert found.sentences[0].zh.startswith("无法给出斜率")
    assert "nan" not in text(found, "en").lower()


def test_two_answers_make_a_line_without_a_bend():
    draw = np.random.default_rng(3)
    x = np.repeat([60.0, 80.0], 20)
    y = np.clip(x + draw.normal(0, 5, 40), 0, 100)
    found = csi.loyalty_curve(panel_of({"sat": x, "loy": y}), "sat", "loy")
    assert found.table["slope"].to_list() == pytest.approx([(y[20:].mean() - y[:20].mean()) / 20])
    assert "too few answers beside the knots" in found.sentences[0].en
    assert "未检验转折" in found.sentences[0].zh


def test_three_rows_have_one_degree_of_freedom():
    found = csi.loyalty_curve(panel_of({"sat": [60.0, 70, 80], "loy": [1.0, 2, 7]}), "sat", "loy", small=0)
    fit = sm.OLS([1.0, 2, 7], sm.add_constant(np.array([60.0, 70, 80]))).fit(cov_type="HC2")
    row = found.table.row(0, named=True)
    assert row["std_error"] == pytest.approx(fit.bse[1], rel=1e-8)
    assert row["conf_high"] == pytest.approx(0.3 + t.ppf(0.975, 1) * fit.bse[1], rel=1e-8)


def test_a_planted_bend_is_found_and_a_straight_line_has_none():
    bent = csi.loyalty_curve(curved()[0], "sat", "loy")
    assert bent.table["p_change"][2] < 0.001 < bent.table["p_change"][1]
    assert bent.sentences[0].en.startswith("Above 75 of Sat the curve of Loy is steeper")
    assert bent.sentences[0].zh.startswith("题sat高于 75 后，题loy曲线变陡")
    straight = csi.loyalty_curve(curved(bend=0.0)[0], "sat", "loy")
    assert straight.table["p_change"].drop_nulls().min() > 0.05
    assert straight.sentences[0].en.startswith("No bend is shown")
    assert straight.sentences[0].zh.startswith("未见转折")


def test_without_a_bend_the_slope_told_is_that_of_one_straight_line():
    panel, x, y = curved(bend=0.0)
    found = csi.loyalty_curve(panel, "sat", "loy")
    ols = sm.OLS(y, sm.add_constant(x)).fit(cov_type="HC2")
    row = found.fits.row(0, named=True)
    assert row["slope"] == pytest.approx(ols.params[1], abs=1e-9)
    assert row["std_error"] == pytest.approx(ols.bse[1], abs=1e-9)
    assert row["conf_low"] < ols.params[1] < row["conf_high"]
    told = "{slope:.2f} [{conf_low:.2f}, {conf_high:.2f}]".format(**row)
    assert f"{told} points of Loy along one straight line." in found.sentences[0].en
    assert f"未见转折：按一条直线，题sat每高 1 分，题loy相应高 {told} 分" in found.sentences[0].zh
    assert found.table["slope"].round(2).n_unique() > 1


def test_a_cell_without_a_bend_is_told_by_its_own_line():
    panel, x, y = curved(bend=0.0)
    frame = panel.frame.with_columns(brand=pl.Series([None, "B"] * 300, dtype=pl.String))
    found = csi.loyalty_curve(replace(panel, frame=frame), "sat", "loy", by=["brand"])
    for row, said in zip(found.fits.iter_rows(named=True), found.sentences, strict=True):
        at = slice(1, None, 2) if row["brand"] == "B" else slice(0, None, 2)
        assert row["slope"] == pytest.approx(np.polyfit(x[at], y[at], 1)[0], abs=1e-9)
        assert f"{row['slope']:.2f} [" in said.en


def test_bands_are_means_of_rows():
    panel, x, y = curved()
    found = csi.loyalty_curve(panel, "sat", "loy", bands=5)
    assert found.curve["n"].sum() == 600
    first = found.curve.row(0, named=True)
    assert first["mean"] == pytest.approx(y[x < 20].mean(), abs=1e-9)
    assert first["conf_low"] < first["mean"] < first["conf_high"]


def test_bands_of_few_answers_are_withheld():
    _, x, y = curved()
    keep = (x >= 20) | (np.arange(600) < 40)
    few = csi.loyalty_curve(panel_of({"sat": x[keep], "loy": y[keep]}), "sat", "loy", bands=5).curve
    first = few.row(0, named=True)
    assert 0 < first["n"] < 30
    assert (first["mean"], first["conf_low"], first["fitted"], first["flag"]) == (None, None, None, "suppressed")
    assert first["reason_zh"] == "样本量不足 30，不予发布。"
    assert few.filter(pl.col("n") >= 30)["mean"].null_count() == 0


def test_a_knot_without_rows_below_it_is_left_out():
    draw = np.random.default_rng(1)
    x = draw.uniform(60, 100, 200)
    found = csi.loyalty_curve(panel_of({"sat": x, "loy": np.clip(x + draw.normal(0, 3, 200), 0, 100)}), "sat", "loy")
    assert found.table["start"].to_list() == [0.0, 75.0]


def refused(call, *args, **options):
    with pytest.raises(Problems) as caught:
        call(*args, **options)
    return [(p.code, p.what.en, p.what.zh) for p in caught.value.problems]


def test_what_is_refused():
    panel = crossed()
    found = refused(csi.loyalty_types, panel, "feeling", "buy", level=2)
    assert [code for code, _, _ in found] == ["E-ROLE", "E-SETTING"]
    assert found[0][1:] == ('the codebook has no construct or item "feeling".', "编码簿中没有构念或题项“feeling”。")
    ((code, en, zh),) = refused(csi.loyalty_types, panel, "feel", "buy", cuts=(50.0, 120.0))
    assert (code, en, zh) == ("E-SETTING", "cut 120 is not from 0 to below 100.", "分界点 120 不在 0 至 100 之间。")
    two = refused(csi.loyalty_curve, panel, "feel", "buy", knots=(75, 50), bands=1)
    assert [en for _, en, _ in two] == ["knots = (75, 50) do not rise between 0 and 100.", "bands = 1 is below 2."]
    assert two[0][2] == "knots = (75, 50) 未在 0 与 100 之间递增。"


def test_what_has_no_slope_or_no_error_says_why():
    flat = csi.loyalty_curve(panel_of({"sat": [50.0] * 40, "loy": np.arange(40.0)}), "sat", "loy")
    assert flat.table["slope"].null_count() == flat.table.height
    assert flat.table["reason"].to_list() == ["no slope: satisfaction or loyalty is the same throughout."]
    assert flat.fits["reason_zh"].to_list() == ["无法给出斜率：满意度或忠诚没有变异。"]
    assert "the same throughout" in text(flat, "en")
    few = csi.loyalty_curve(panel_of({"sat": [10.0, 60.0], "loy": [1.0, 5.0]}), "sat", "loy", small=0)
    assert few.fits["reason"].to_list() == ["no slope: too few answers for it."]
    alone = csi.loyalty_types(panel_of({"sat": [10.0], "loy": [60.0]}), "sat", "loy", small=0)
    assert alone.table["share"].to_list() == [0, 0, 1, 0]
    assert set(alone.table["reason"]) == {"no errors: all rows come from one unit."}
    assert set(alone.table["reason_zh"]) == {"没有标准误：所有行同属一个抽样单元。"}
    assert csi.loyalty_types(crossed(), "feel", "buy").table["reason"].null_count() == 4
