"""The comparability gate: verdicts, effects in points by hand, and what cannot be tested."""

import numpy as np
import polars as pl
import pytest

import csi
from csi.display import text
from csi.errors import Problems
from csi.tracking.gate_sets import sets_of

LOADINGS = np.array([1.0, 1.1, 0.9, 1.2])
MODEL = "joy =~ a + b + c + d\nuse =~ e\njoy ~ use"


def draw(rng, n, level=0.0, shift=(0.0, 0.0, 0.0, 0.0)):
    factor = rng.normal(level, 1.1, n)
    rows = 5.5 + factor[:, None] * LOADINGS + rng.normal(0, 0.9, (n, 4)) + np.array(shift)
    return np.column_stack([rows, factor + rng.normal(0, 1, n) + 5])


def frame_of(cells, key="wave"):
    parts = [pl.DataFrame(rows, schema=list("abcde")).with_columns(pl.lit(name).alias(key)) for name, rows in cells]
    return pl.concat(parts)


def fitted(frame, by=("wave",), model=MODEL):
    return csi.fit(csi.Model.parse(model), frame, csi.PLS(), by=list(by), scale=(-10, 30))


@pytest.fixture(scope="module")
def waves():
    """w1 and w2 alike; in w3 item b is answered half a point higher by the same respondents."""
    rng = np.random.default_rng(3)
    return {"w1": draw(rng, 400), "w2": draw(rng, 400, 0.4), "w3": draw(rng, 400, 0.2, (0, 0.5, 0, 0))}


@pytest.fixture(scope="module")
def found(waves):
    return csi.comparable(csi.index(fitted(frame_of(waves.items()))), construct="joy")


def test_a_shifted_item_is_named_and_the_pairs_that_it_touches(found):
    verdicts = {(r["cell_1"], r["cell_2"]): (r["verdict"], r["items"]) for r in found.pairs.iter_rows(named=True)}
    assert verdicts["w1", "w2"][0] == "comparable"
    assert verdicts["w1", "w3"] == verdicts["w2", "w3"] == ("after freeing", "b")
    (one,) = found.judged
    assert one.free == {("b", "~1", "")}


def test_the_bias_is_the_weight_times_the_shift(waves):
    """The same respondents twice, item b moved by 0.5: the bias is 0.5 points of b, but for rounding."""
    again = waves["w1"] + np.array([0, 0.5, 0, 0, 0])
    made = csi.index(fitted(frame_of([("w1", waves["w1"]), ("w2", again)])))
    found = csi.comparable(made, "wave", "joy")
    row = found.pairs.row(0, named=True)
    weight = made.weights.filter(pl.col("item") == "b")["weight"][0]
    assert row["verdict"] == "after freeing"
    assert row["bias"] == pytest.approx(-0.5 * weight * 100 / 40, abs=1e-6)
    assert row["bias"] == pytest.approx(row["difference"], abs=1e-6)  # nothing else differs


def test_identical_cells_are_comparable(waves):
    made = csi.index(fitted(frame_of([("w1", waves["w1"]), ("w2", waves["w1"])])))
    found = csi.comparable(made, construct="joy")
    assert found.pairs["verdict"].to_list() == ["comparable"]
    assert abs(found.pairs["bias"][0]) < 1e-6
    assert found.sets["p_holm"][0] == pytest.approx(1.0)


def test_evidence_turns_with_the_difference(found):
    forth, back = found.evidence("joy", 0, 2), found.evidence("joy", 2, 0)
    assert forth.verdict == back.verdict == "after freeing"
    assert forth.bias == -back.bias < 0
    assert back.short.en == f"comparable after freeing b (+{back.bias:.1f})"


def test_the_lone_item_is_not_tested(waves):
    found = csi.comparable(fitted(frame_of(waves.items())), construct="use")
    assert found.sets["verdict"].to_list() == ["not tested"]
    assert "1 item" in found.sets["reason"][0]
    assert "仅有 1 个题项" in found.sets["reason_zh"][0]
    assert found.pairs["verdict"].unique().to_list() == ["not tested"]


def test_two_shifted_items_of_three_leave_no_anchors():
    rng = np.random.default_rng(8)
    cells = {"w1": draw(rng, 800), "w2": draw(rng, 800, 0.0, (0.9, -0.9, 0, 0))}
    model = "joy =~ a + b + c\nuse =~ e\njoy ~ use"
    found = csi.comparable(fitted(frame_of(cells.items()), model=model), construct="joy")
    row = found.pairs.row(0, named=True)
    assert row["verdict"] == "not comparable"
    assert set(row["items"].split(", ")) <= {"a", "b", "c"}
    assert row["items"]


def test_every_other_pair_survives_one_bad_cell():
    rng = np.random.default_rng(9)
    cells = {"w1": draw(rng, 800), "w2": draw(rng, 800, 0.3), "w3": draw(rng, 800, 0.0, (1.0, -1.0, 0, 0))}
    model = "joy =~ a + b + c\nuse =~ e\njoy ~ use"
    pairs = csi.comparable(fitted(frame_of(cells.items()), model=model), construct="joy").pairs
    verdicts = dict(zip(zip(pairs["cell_1"], pairs["cell_2"], strict=True), pairs["verdict"], strict=True))
    assert verdicts == {("w1", "w2"): "comparable", ("w1", "w3"): "not comparable", ("w2", "w3"): "not comparable"}


def test_sets_differ_in_one_key(waves):
    both = [frame_of(waves.items()).with_columns(brand=pl.lit(b)) for b in "AB"]
    made = csi.index(fitted(pl.concat(both), by=("brand", "wave")))
    sets = sets_of(made, None, ["joy"], 30, ())
    assert [(s.between, dict(s.keys), s.labels) for s in sets] == [
        *(("brand", {"wave": w}, ("A", "B")) for w in ("w1", "w2", "w3")),
        *(("wave", {"brand": b}, ("w1", "w2", "w3")) for b in "AB"),
    ]
    assert [s.between for s in sets_of(made, ["wave"], ["joy"], 30, ())] == ["wave", "wave"]


def test_small_and_constant_cells_stay_out(waves):
    few, constant = waves["w2"][:20], waves["w3"].copy()
    constant[:, 2] = 5.0
    made = csi.index(
        fitted(frame_of([("w1", waves["w1"]), ("w2", few), ("w3", waves["w2"]), ("w4", constant)])), weights="pooled"
    )
    found = csi.comparable(made, construct="joy")
    pairs = {(r["cell_1"], r["cell_2"]): r for r in found.pairs.iter_rows(named=True)}
    assert pairs["w1", "w3"]["verdict"] == "comparable"
    assert "fewer than 30" in pairs["w1", "w2"]["reason"]
    assert "不足 30" in pairs["w1", "w2"]["reason_zh"]
    assert pairs["w1", "w4"]["reason"] == "all answers to c are the same."
    assert pairs["w1", "w4"]["reason_zh"] == "c 的回答全部相同。"
    assert [n.code for n in found.notes].count("N-GATE-LEFT") == 2


def test_ordinal_items_climb_their_own_ladder():
    rng = np.random.default_rng(5)
    cells = {
        w: np.clip(np.round(draw(rng, 500, 0, s) / 2), 1, 4) for w, s in (("w1", (0,) * 4), ("w2", (0, 1.0, 0, 0)))
    }
    found = csi.comparable(fitted(frame_of(cells.items())), construct="joy", ordered=("a", "b", "c", "d"))
    row = found.pairs.row(0, named=True)
    assert (row["verdict"], row["items"]) == ("after freeing", "b")
    weight = found.index.weights.filter(pl.col("item") == "b")["weight"][0]
    raw = cells["w1"][:, 1].mean() - cells["w2"][:, 1].mean()
    assert row["bias"] == pytest.approx(raw * weight * 2.5, abs=3 * row["std_error"])


def test_absent_answers_take_full_information(waves):
    rng = np.random.default_rng(1)
    frame = frame_of(waves.items())
    holes = [pl.when(pl.Series(rng.random(frame.height) < 0.1)).then(None).otherwise(pl.col(c)).alias(c) for c in "ab"]
    est = csi.fit(
        csi.Model.parse(MODEL), frame.with_columns(holes), csi.PLS(missing="mean"), by=["wave"], scale=(-10, 30)
    )
    verdicts = csi.comparable(est, construct="joy").pairs["verdict"].to_list()
    assert verdicts == ["comparable", "after freeing", "after freeing"]


@pytest.mark.parametrize(
    ("asked", "code", "en", "zh"),
    [
        ({"between": "mode"}, "E-BY", 'no cells by "mode"', "没有按“mode”划分"),
        ({"between": "brand"}, "E-GATE", 'all cells have brand "A"', "所有单元的 brand 均为“A”"),
        ({"construct": "luck"}, "E-CONSTRUCT", 'no construct "luck"', "没有构念“luck”"),
        ({"alpha": 5}, "E-SETTING", "alpha = 5", "alpha = 5"),
    ],
)
def test_bad_questions(waves, asked, code, en, zh):
    made = csi.index(fitted(frame_of(waves.items()).with_columns(brand=pl.lit("A")), by=("brand", "wave")))
    with pytest.raises(Problems) as error:
        csi.comparable(made, **asked)
    (found,) = error.value.problems
    assert found.code == code
    assert en in found.say("en")
    assert zh in found.say("zh")


def test_one_cell_has_nothing_to_compare(waves):
    with pytest.raises(Problems, match="one cell only") as error:
        csi.comparable(csi.index(fitted(frame_of([("w1", waves["w1"])]), by=())))
    assert error.value.problems[0].code == "E-GATE"


def test_moments_alone_are_refused():
    data = csi.Moments.of("ab", [[1.0, 0.5], [0.5, 1.0]], n=200, mean=[3.0, 3.0], scale=(1, 5))
    est = csi.fit(csi.Model.parse("x =~ a\ny =~ b\ny ~ x"), data, csi.PLS())
    with pytest.raises(Problems) as error:
        csi.comparable(csi.index(est))
    assert error.value.problems[0].code == "E-ROWS"


def test_formed_constructs_are_not_tested_by_a_ladder(waves):
    est = fitted(frame_of(waves.items()), model="joy <~ a + b + c + d\nuse =~ e\njoy ~ use")
    found = csi.comparable(est, construct="joy", rule="ladder")
    assert found.sets["verdict"].to_list() == ["not tested"]
    assert "form the construct" in found.sets["reason"][0]


def test_it_reads_in_both_languages(found):
    en, zh = text(found).replace("\n", " "), text(found, "zh")
    assert "comparable after freeing" in en
    assert "With b (intercept) free the rest is not" in en
    assert "放开b（截距）后其余未被拒绝" in zh.replace("\n", "").replace(" ", "")
    assert "convention" in en
    assert "惯例" in zh.replace("\n", "")


def test_respondents_in_several_cells_are_told(waves):
    frame = frame_of(waves.items()).with_columns(id=pl.Series(list(range(400)) * 3))
    est = csi.fit(csi.Model.parse(MODEL), frame, csi.PLS(), by=["wave"], scale=(-10, 30), unit="id")
    assert "W-GATE-OVERLAP" in [n.code for n in csi.comparable(est, construct="joy").notes]


def test_of_many_cells_alignment_names_those_that_differ():
    """Nine waves, item b half a point higher in the seventh: its pairs alone are touched, by the weight times .5."""
    rng = np.random.default_rng(11)
    cells = {f"w{t}": draw(rng, 500, 0.1 * t, (0, 0.5 * (t == 6), 0, 0)) for t in range(9)}
    found = csi.comparable(fitted(frame_of(cells.items())), construct="joy")
    (one,) = found.judged
    assert one.rule == "alignment"
    touched = pl.any_horizontal(pl.col("cell_1", "cell_2") == "w6")
    assert set(found.pairs.filter(touched)["verdict"]) == {"after freeing"}
    assert set(found.pairs.filter(touched)["items"]) == {"b"}
    assert set(found.pairs.filter(~touched)["verdict"]) == {"comparable"}
    weight = found.index.weights.filter(pl.col("item") == "b")["weight"][0]
    row = found.pairs.filter(pl.col("cell_1") == "w6").row(0, named=True)
    assert row["bias"] == pytest.approx(0.5 * weight * 2.5, abs=3 * row["std_error"])
    assert 0 < row["std_error"] < 0.3
    assert "alignment" in found.sentences[0].en


def test_of_many_cells_two_items_of_three_in_one_of_them():
    rng = np.random.default_rng(12)
    cells = {f"w{t}": draw(rng, 600, 0.1 * t, (0.9 * (t == 2), -0.9 * (t == 2), 0, 0)) for t in range(8)}
    found = csi.comparable(
        fitted(frame_of(cells.items()), model="joy =~ a + b + c\nuse =~ e\njoy ~ use"), construct="joy"
    )
    touched = pl.any_horizontal(pl.col("cell_1", "cell_2") == "w2")
    assert set(found.pairs.filter(touched)["verdict"]) == {"not comparable"}
    assert set(found.pairs.filter(~touched)["verdict"]) == {"comparable"}


@pytest.mark.slow
def test_sixty_groups_at_once_with_one_too_small_and_one_constant():
    rng = np.random.default_rng(6)
    rows = {f"g{k:02d}": draw(rng, 120, 0.3 * (k % 3), (0.0, 0.0, 1.5 * (k == 7), 0.0)) for k in range(60)}
    rows["g20"] = rows["g20"][:12]
    rows["g30"][:, 1] = 5.0
    found = csi.comparable(fitted(frame_of(rows.items(), "land"), by=("land",)), "land", "joy")
    (one,) = found.judged
    assert (one.rule, len(one.cells.labels)) == ("alignment", 58)
    assert set(one.cells.left_out) == {"g20", "g30"}
    said = " ".join(n.say("en") for n in found.notes)
    assert "g20: not tested, fewer than 30 answers" in said
    assert "g30: not tested, all answers to b are the same" in said
    said = " ".join(n.say("zh") for n in found.notes)
    assert "g20：未检验，样本量不足 30" in said
    assert "g30：未检验，b 的回答全部相同" in said
    assert found.pairs.height == 60 * 59 // 2
    worst = found.pairs.filter(pl.col("verdict").is_in(["after freeing", "not comparable"]))
    with_seven = worst.filter((pl.col("cell_1") == "g07") | (pl.col("cell_2") == "g07"))
    assert with_seven.height == 57
    assert with_seven["items"].str.contains("c").all()


def test_a_rejected_set_names_an_item_and_its_effect_although_no_item_alone_is_significant():
    """Equal cells at a loose level: whatever is rejected has an item set free, and so an effect and its error."""
    rejected = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        frame = frame_of([("w1", draw(rng, 150)), ("w2", draw(rng, 150, 0.4))])
        (one,) = csi.comparable(fitted(frame), construct="joy", alpha=0.4).judged
        rejected += one.rejected
        if one.rejected:
            assert one.free
            assert one.std_error[0] > 0
    assert rejected > 2
