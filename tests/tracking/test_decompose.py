"""Why an index changed: three parts that add up, their errors, and what is said of them."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import polars as pl
import pytest

from csi.display import text
from csi.errors import Problems
from csi.estimate.fit import fit
from csi.estimate.later import known
from csi.inference.bootstrap import bootstrap
from csi.inference.jackknife import jackknife
from csi.pls.estimator import PLS
from csi.tracking.cell_pairs import pairs_of
from csi.tracking.classes import classes_of
from csi.tracking.contrasts import basis_note
from csi.tracking.decompose import decompose
from csi.tracking.decompose_numbers import _added, _vector, numbers_of, setting_of
from csi.tracking.decompose_spread import KEPT, Memory, derivative
from csi.tracking.index import index
from csi.tracking.shapley import State, level, split
from csi.tracking.structural import brought

CELLS = ["brand", "wave"]
PARTS = ["means", "weights", "composition"]


def with_classes(frame, shares=(0.3, 0.4, 0.55), seed=5):
    """A class per respondent, whose share moves from wave to wave and whose answers differ."""
    rng = np.random.default_rng(seed)
    share = frame["wave"].replace_strict(["w1", "w2", "w3"], list(shares), return_dtype=pl.Float64).to_numpy()
    new = rng.random(frame.height) < share
    items = [c for c in frame.columns if c.startswith(("use", "joy"))]
    moved = [pl.Series(c, np.clip(frame[c].to_numpy() + 1.5 * new, 1, 10)) for c in items]
    return frame.with_columns(*moved, who=pl.Series(np.where(new, "new", "old")))


@pytest.fixture(scope="module")
def frame(survey):
    return with_classes(survey())


@pytest.fixture(scope="module")
def own(model, frame):
    est = bootstrap(fit(model, frame, PLS(), by=CELLS, scale=(1, 10), unit="id"), n=300, seed=11)
    return index(est, weights="own")


@pytest.fixture(scope="module")
def found(own, frame):
    return decompose(own, by="who", construct="Use", data=frame)


def change_of(made, table):
    """The changes of the index behind the rows of a table."""
    j = made.constructs.index(table["construct"][0])
    place = {row: i for i, row in enumerate(made.cells.select(CELLS).iter_rows())}
    rows = table.select("brand", "wave", "reference").iter_rows()
    return np.array([made.values[place[b, t], j] - made.values[place[b, s], j] for b, t, s in rows])


def sums(table):
    return table.filter(pl.col("part") != "total").group_by(*CELLS, maintain_order=True).agg(pl.col("change").sum())


def test_shares_are_the_mean_over_all_orders_of_switching():
    rng = np.random.default_rng(1)
    states = []
    for _ in range(2):
        shares = rng.dirichlet(np.ones(4), size=3).T
        states.append({"weights": rng.dirichlet(np.ones(3)), "shares": shares, "means": rng.uniform(0, 100, (4, 3))})
    names, gains = ("means", "weights", "shares"), np.zeros(3)
    for order in permutations(range(3)):
        now = dict(states[0])
        for i in order:
            before = level(State(**now))
            now[names[i]] = states[1][names[i]]
            gains[i] += (level(State(**now)) - before) / 6
    both = split(State(**states[0]), State(**states[1]))
    np.testing.assert_allclose(both.parts, gains, rtol=0, atol=1e-12)
    assert both.parts.sum() == pytest.approx(level(State(**states[1])) - level(State(**states[0])), abs=1e-12)


def test_parts_add_up_to_the_change(found, own):
    total = found.table.filter(part="total")
    assert total.height == 4
    np.testing.assert_allclose(total["change"], change_of(own, total), rtol=0, atol=1e-12)
    np.testing.assert_allclose(sums(found.table)["change"], total["change"], rtol=0, atol=1e-10)


@pytest.mark.parametrize("rule", ["own", "base", "wave", "entity", "pooled"])
@pytest.mark.parametrize("missing", ["listwise", "pairwise", "mean", "em"])
def test_parts_add_up_whatever_the_weights_and_absences(model, frame, rule, missing):
    rng = np.random.default_rng(3)
    gone = [
        pl.when(pl.Series(rng.random(frame.height) < 0.15)).then(None).otherwise(pl.col(c)).alias(c)
        for c in ("use1", "joy2")
    ]
    holes = frame.with_columns(gone)
    est = fit(model, holes, PLS(missing=missing), by=CELLS, scale=(1, 10), unit="id", weight="weight")
    made = index(est, weights=rule)
    for construct in ("Use", "Joy"):
        table = decompose(made, by="who", construct=construct, data=holes).table
        whole = change_of(made, table.filter(part="total"))
        np.testing.assert_allclose(sums(table)["change"], whole, rtol=0, atol=1e-10)


def test_items_and_classes_add_up_to_their_parts(found):
    for table, parts in ((found.items, PARTS[:2]), (found.classes, ["means", "composition"])):
        for part in parts:
            got = table.filter(part=part).group_by(*CELLS, maintain_order=True).agg(pl.col("change").sum())
            expected = found.table.filter(part=part)
            np.testing.assert_allclose(got["change"], expected["change"], rtol=0, atol=1e-10)


def test_one_item_by_hand(model):
    rows = [("1", "old", 3.0), ("1", "old", 4.0), ("1", "new", 8.0), ("2", "old", 3.0), ("2", "new", 8.0)]
    data = pl.DataFrame(rows, schema=["wave", "who", "x"], orient="row")
    data = data.with_columns([pl.col("x").alias(c) for c in ("use1", "use2", "use3", "joy1", "joy2")])
    made = index(fit(model, data, PLS(), by=["wave"], scale=(1, 10)))
    table = decompose(made, by="who", construct="Joy", data=data).table
    # shares 2/3, 1/3 -> 1/2, 1/2; means 3.5, 8 -> 3, 8: composition 1/6 x mean gap 4.75, means -0.5 x mean share 7/12
    expected = {"means": -0.5 * 7 / 12 * 100 / 9, "weights": 0.0, "composition": 4.75 / 6 * 100 / 9}
    for part, value in expected.items():
        assert table.filter(part=part)["change"][0] == pytest.approx(value, abs=1e-10)


def test_influence_is_the_derivative_along_a_unit_s_weight(model, frame):
    # weights held fixed: raising one respondent's weight by e moves every number by e x influence
    est = fit(model, frame, PLS(), by=CELLS, scale=(1, 10), unit="id", weight="weight")
    made = index(est, weights="wave")
    classes = classes_of(made.sample, "who", frame)
    setting = replace(setting_of(made, 0, classes), loads=known(()))
    pair = pairs_of(made, 1, None, None, None, 0)[0][1]
    old, new = setting.state(pair.earlier), setting.state(pair.cell)
    slopes, p = derivative(old, new, _vector), old.weights.size
    sides = [_added(setting, cell, state) for cell, state in ((pair.earlier, old), (pair.cell, new))]
    units = np.union1d(sides[0].units, sides[1].units)
    z = np.zeros((units.size, slopes[0].shape[1]))
    for side, slope in zip(sides, slopes, strict=True):
        z[np.searchsorted(units, side.units)] += side.values @ slope[p:]
    for unit in (0, 17, units.size - 1):
        row = made.sample.unit == units[unit]
        moved = []
        for step in (1e-5, -1e-5):
            weight = made.sample.weight * np.where(row, 1 + step, 1.0)
            other = replace(setting, sample=replace(made.sample, weight=weight))
            moved.append(_vector(other.state(pair.earlier), other.state(pair.cell)))
        np.testing.assert_allclose(z[unit], (moved[0] - moved[1]) / 2e-5, rtol=1e-4, atol=1e-9)


def test_errors_of_influence_replicates_and_jackknife_are_close(model, frame):
    est = fit(model, frame, PLS(), by=CELLS, scale=(1, 10), unit="id")
    plain = decompose(index(est), by="who", construct="Use", data=frame)
    boot = decompose(index(bootstrap(est, n=600, seed=3)), by="who", construct="Use", data=frame)
    jack = decompose(index(jackknife(est)), by="who", construct="Use", data=frame)
    tested = pl.col("part").is_in(["total", "means", "composition"])
    errors = [d.table.filter(tested)["std_error"].to_numpy() for d in (plain, boot, jack)]
    np.testing.assert_allclose(errors[0], errors[1], rtol=0.15)
    np.testing.assert_allclose(errors[0], errors[2], rtol=0.05)
    assert "N-LINEARISED" in [n.code for n in plain.notes]
    assert "N-JOINT-REPLICATES" in [n.code for n in boot.notes]


def test_shared_weights_are_zero_by_construction(model, frame):
    made = index(fit(model, frame, PLS(), by=CELLS, scale=(1, 10), unit="id"), weights="base")
    table = decompose(made, by="who", construct="Use", data=frame)
    part = table.table.filter(part="weights")
    assert part["change"].to_list() == [0.0] * 4
    assert part["std_error"].to_list() == [0.0] * 4
    assert part["held"].all()
    assert part["p_value"].null_count() == 4
    assert "N-PART-WEIGHTS" in [n.code for n in table.notes]
    assert "0 by construction" in table.sentences[0].en
    assert "按构造为 0" in table.sentences[0].zh


def test_a_raked_margin_contributes_nothing(model, frame):
    counts = frame.group_by(*CELLS, "who").len()
    raked = frame.join(counts, on=[*CELLS, "who"]).with_columns(weight=0.5 / pl.col("len")).drop("len")
    est = fit(model, raked, PLS(), by=CELLS, scale=(1, 10), unit="id", weight="weight")
    found = decompose(index(est), by="who", construct="Use", data=raked)
    part = found.table.filter(part="composition")
    np.testing.assert_allclose(part["change"], 0.0, atol=1e-3)  # the grid of the weights
    assert part["held"].all()
    assert part["std_error"].to_list() == [0.0] * 4
    assert "N-RAKED" in [n.code for n in found.notes]


def test_without_classes_there_is_no_composition(own):
    found = decompose(own, construct="Use")
    assert found.table.filter(part="composition")["change"].to_list() == [0.0] * 4
    assert "N-NO-CLASSES" in [n.code for n in found.notes]
    assert found.classes.is_empty()
    assert "composition" not in found.sentences[0].en


def test_the_estimate_fitted_by_the_class_says_the_same(model, frame, found):
    est = fit(model, frame, PLS(), by=[*CELLS, "who"], scale=(1, 10), unit="id")
    again = decompose(est, by="who", construct="Use", weights="own")
    on = [*CELLS, "part"]
    both = found.table.select(*on, "change").join(again.table.select(*on, other="change"), on=on)
    assert both.height == 16
    np.testing.assert_allclose(both["change"], both["other"], rtol=0, atol=1e-9)


def test_sentences_name_the_leading_part(found):
    first = found.table.filter((pl.col("brand") == "A") & (pl.col("wave") == "w2"))
    leader = first.filter(pl.col("leads"))["part"][0]
    sizes = dict(first.filter(pl.col("part") != "total").select("part", pl.col("change").abs()).iter_rows())
    assert leader == max(sizes, key=sizes.get)
    assert len(found.sentences) == 4
    assert found.sentences[0].en.startswith("A, Use, w2 against w1: ")
    assert found.sentences[0].zh.startswith("A，Use，w2 期较 w1 期：")


def test_between_and_cells(own, frame):
    one = decompose(own, ("w1", "w3"), "who", "Use", cells={"brand": "B"}, data=frame)
    assert one.table.select("brand", "wave", "reference").unique().rows() == [("B", "w3", "w1")]


def test_drivers_add_up_to_the_change(model, frame, own):
    found = decompose(own, by="who", construct="Joy", data=frame, drivers=model)
    total = found.drivers.filter(part="total")
    parts = found.drivers.filter(pl.col("part") != "total").group_by(*CELLS, maintain_order=True)
    np.testing.assert_allclose(parts.agg(pl.col("change").sum())["change"], total["change"], rtol=0, atol=1e-10)
    assert found.drivers.filter(part="driver")["driver"].unique().to_list() == ["Use"]
    assert "N-STRUCTURAL" in [n.code for n in found.notes]


def test_drivers_by_hand():
    # x -> m -> y and x -> y; x moves 4, m moves 3 of which 0.5 x 4 is carried from x
    slopes = np.array([[0, 0, 0], [0.5, 0, 0], [0.2, 0.4, 0]], dtype=float)
    later = slopes.copy()
    later[2, 0] = 0.4
    old, new = np.array([60.0, 65.0, 70.0]), np.array([64.0, 68.0, 74.0])
    got = brought(old, slopes, new, later, 50.0)
    mean = (slopes + later) / 2
    x = 4 * (mean[2, 0] + 0.4 * 0.5)
    m = (3 - 0.5 * 4) * 0.4
    effects = 0.2 * (62 - 50)
    np.testing.assert_allclose(got, [x, m, effects, 4 - x - m - effects], atol=1e-12)


@pytest.mark.parametrize(
    ("change", "code", "en", "zh"),
    [
        ({"by": "region"}, "E-CLASS", 'no column "region"', "没有可用于分类的列"),
        ({"by": "who", "data": None}, "E-CLASS", "is not known", "不知道"),
        ({"by": "who", "data": "short"}, "E-CLASS", "not of the rows", "不符"),
        ({"by": "wave"}, "E-CLASS", "cells of its own", "已按"),
        ({"between": ("w1", "w9")}, "E-WAVE", 'no wave "w9"', "没有“w9”"),
        ({"between": ("w3", "w1")}, "E-WAVE", "is not before", "不早于"),
        ({"cells": {"brand": "Z"}}, "E-WHERE", 'brand "Z"', "没有 brand"),
        ({"cells": {"region": "Z"}}, "E-WHERE", 'no key "region"', "没有键"),
        ({"construct": "Jo"}, "E-CONSTRUCT", "no construct", "没有构念"),
        ({"drivers": True}, "E-SETTING", "structural model", "结构模型"),
    ],
)
def test_bad_input(own, frame, model, change, code, en, zh):
    data = {"short": frame.head(10)}.get(change.get("data"), frame) if "data" not in change else change["data"]
    data = frame.head(10) if isinstance(data, str) else data
    with pytest.raises(Problems) as said:
        decompose(
            own, **{"by": "who", "construct": "Use", "data": data} | {k: v for k, v in change.items() if k != "data"}
        )
    assert [p.code for p in said.value.problems] == [code]
    assert en in said.value.problems[0].say("en")
    assert zh in said.value.problems[0].say("zh")


def test_a_driver_that_nothing_leads_to(own, frame, model):
    with pytest.raises(Problems, match="nothing leads to Use"):
        decompose(own, construct="Use", drivers=model)


def test_a_single_wave(model, survey):
    made = index(fit(model, survey(waves=("w1",)), PLS(), by=CELLS, scale=(1, 10)))
    with pytest.raises(Problems) as said:
        decompose(made, construct="Use")
    assert said.value.problems[0].code == "E-WAVE"
    assert "single wave" in said.value.problems[0].say("en")
    assert "只有一期" in said.value.problems[0].say("zh")


def test_an_index_without_waves(model, survey):
    made = index(fit(model, survey(), PLS(), by=["brand"], scale=(1, 10)))
    with pytest.raises(Problems, match="no cells by wave"):
        decompose(made, construct="Use")


def test_a_class_that_is_empty_in_one_wave(model, frame):
    kept = frame.filter(~((pl.col("brand") == "A") & (pl.col("wave") == "w2") & (pl.col("who") == "new")))
    found = decompose(index(fit(model, kept, PLS(), by=CELLS, scale=(1, 10))), by="who", construct="Use", data=kept)
    rows = found.table.filter(pl.col("reason").is_not_null())
    assert rows.select("brand", "wave").rows() == [("A", "w2"), ("A", "w3")]
    assert 'who "new" answered in w2' in rows["reason"][0]
    assert "“new”在 w2 期无人作答" in rows["reason_zh"][0]
    assert found.table.filter(part="total", brand="B")["change"].null_count() == 0


def test_a_wave_without_a_base_and_a_brand_in_mid_series(model, frame):
    kept = frame.filter(~((pl.col("brand") == "B") & (pl.col("wave") == "w1")))
    found = decompose(index(fit(model, kept, PLS(), by=CELLS, scale=(1, 10))), by="who", construct="Use", data=kept)
    row = found.table.filter(brand="B", wave="w2")
    assert row["reason"].to_list() == ["no answers in w1."]
    assert row["reason_zh"].to_list() == ["w1 期没有数据。"]
    told = next(n for n in found.notes if n.code == "N-NEW-CELL")
    assert "B (w2)" in told.say("en")
    assert "B（w2）" in told.say("zh")


def test_small_cells_are_not_decomposed(own, frame):
    found = decompose(own, by="who", construct="Use", data=frame, small=500)
    assert found.table["reason"].unique().to_list() == ["fewer than 500 answers in a wave."]
    assert "未作分解" in found.sentences[0].zh


def test_rows_without_a_class_are_a_class(model, frame):
    holes = frame.with_columns(who=pl.when(pl.int_range(pl.len()) % 5 == 0).then(None).otherwise("who"))
    made = index(fit(model, holes, PLS(), by=CELLS, scale=(1, 10)))
    found = decompose(made, by="who", construct="Use", data=holes)
    assert "(absent)" in found.classes["class"].to_list()
    assert "N-CLASS-ABSENT" in [n.code for n in found.notes]


def test_a_pooled_index_has_no_rows(own):
    with pytest.raises(Problems, match="rows behind"):
        decompose(replace(own, sample=None, estimated=None), construct="Use")


def test_it_prints_in_both_languages(found):
    assert text(found, "en").startswith("A, Use")
    assert "指数变化的分解" in text(found, "zh")


def test_numbers_do_not_depend_on_the_order_of_rows(model, frame):
    def of(data):
        est = fit(model, data, PLS(), by=CELLS, scale=(1, 10), unit="id")
        return decompose(index(est), by="who", construct="Use", data=data).table.sort(*CELLS, "part")

    one, two = of(frame), of(frame.sample(fraction=1.0, shuffle=True, seed=2))
    np.testing.assert_allclose(one["change"], two["change"], atol=1e-9)
    np.testing.assert_allclose(one["std_error"], two["std_error"], atol=1e-9)


def test_reasons_of_numbers(own, frame):
    broken = replace(own, values=np.where(np.arange(6)[:, None] == 1, np.nan, own.values))
    setting = setting_of(broken, 0, classes_of(own.sample, "who", frame))
    pair = pairs_of(broken, 1, None, None, None, 0)[0][0]
    assert numbers_of(setting, pair).code == "R-NO-INDEX"


def test_linearised_parts_add_up_to_the_linearised_change(model, survey):
    # with weights of its own every wave has a weights' part, whose error comes from the influence on the weights;
    # of 160 answers the second order still makes bootstrap errors a third larger than the first
    frame = with_classes(survey(n=320))
    est = fit(model, frame, PLS(), by=CELLS, scale=(1, 10), unit="id")
    made = index(est, weights="wave")
    setting = setting_of(made, 0, classes_of(made.sample, "who", frame))
    pair = pairs_of(made, 1, None, None, None, 0)[0][0]
    numbers = numbers_of(setting, pair)
    whole = np.zeros(numbers.value.size)
    whole[:3] = 1.0
    assert np.sqrt(whole @ numbers.covariance @ whole) == pytest.approx(numbers.total_error, rel=1e-6)
    boot = index(bootstrap(est, n=600, seed=3), weights="wave")
    plain, drawn = (
        decompose(i, by="who", construct="Use", data=frame).table.filter(part="weights") for i in (made, boot)
    )
    np.testing.assert_allclose(plain["std_error"], drawn["std_error"], rtol=0.3)


def test_equal_shares_by_chance_are_not_held(model, frame):
    # unweighted: the same counts in both waves happen, and their error is that of any other counts
    kept = frame.with_columns(who=pl.when(pl.int_range(pl.len()) % 2 == 0).then(pl.lit("new")).otherwise(pl.lit("old")))
    found = decompose(index(fit(model, kept, PLS(), by=CELLS, scale=(1, 10))), by="who", construct="Use", data=kept)
    part = found.table.filter(part="composition")
    np.testing.assert_allclose(part["change"], 0.0, atol=1e-12)
    assert not part["held"].any()
    assert (part["std_error"] > 0).all()


def test_shared_respondents_make_the_parts_surer(model, survey):
    errors = []
    for overlap in (False, True):
        rows = survey(overlap=overlap)
        made = index(fit(model, rows, PLS(), by=CELLS, scale=(1, 10), unit="id"), weights="pooled")
        errors.append(decompose(made, construct="Use").table.filter(part="means")["std_error"].to_numpy())
    assert (errors[1] < 0.75 * errors[0]).all()


def test_weights_of_which_no_error_is_known_have_none(model, frame):
    made = index(fit(model, frame, PLS(), by=CELLS, scale=(1, 10), unit="id"), weights="wave")
    setting = replace(setting_of(made, 0, classes_of(made.sample, "who", frame)), loads=known(()))
    numbers = numbers_of(setting, pairs_of(made, 1, None, None, None, 0)[0][0])
    assert np.isnan(numbers.error(1))
    assert numbers.error(0) > 0
    assert numbers.error(2) > 0


def test_a_table_of_reasons_alone_has_its_columns(own, frame):
    found = decompose(own, by="who", construct="Use", data=frame, small=500)
    assert {"change", "std_error", "p_holm", "held", "leads"} <= set(found.table.columns)
    assert found.table["change"].null_count() == found.table.height == 4


def test_what_is_remembered_does_not_matter(model, frame, monkeypatch):
    est = fit(model, frame, PLS(), by=CELLS, scale=(1, 10), unit="id", weight="weight")
    made = index(est, weights="own")
    whole = decompose(made, by="who", construct="Use", data=frame)
    monkeypatch.setattr("csi.tracking.decompose_spread.KEPT", 2)
    again = decompose(made, by="who", construct="Use", data=frame)
    assert KEPT > 2
    for name in ("table", "items", "classes"):
        left, right = (getattr(x, name).select(pl.col(pl.Float64)).to_numpy() for x in (whole, again))
        np.testing.assert_allclose(left, right, rtol=1e-12, atol=1e-12)
    kept = Memory()
    for number in range(5):
        kept.cell(number, lambda: None)
    assert len(kept.cells) == 2


def test_standard_errors_of_few_resamples_say_how_far_their_number_moves_them(own):
    few, many = basis_note(own), basis_note(replace(own, replicates=np.zeros((1000, 6, 2))))
    assert few.text.en.endswith("300 joint replicates, whose number alone moves them by about 4%.")  # 1 / sqrt(600)
    assert "约有 4% 的随机误差" in few.text.zh
    assert many.text.en == "Standard errors of differences from 1000 joint replicates."
