"""The comparability gate by MICOM: composites judged by weights, what is said of intercepts, errors of the effect."""

import numpy as np
import polars as pl
import pytest

import csi
from csi.display import text
from csi.errors import Problems
from csi.study.schema_telling import ComparabilityForm
from csi.tracking.gate_applied import withheld
from csi.tracking.gate_words import set_sentence

FORMED = "joy <~ a + b + c + d\nuse =~ e + f\nuse ~ joy"
SPREAD = np.array([0.0, 0.5, 1.0, -1.0])


def draw(rng, n, level=0.0, formed=(1.0, 1.0, 1.0, 1.0)):
    """Four items whose sum by the weights `formed` moves two others."""
    items = 5.5 + level + SPREAD + 1.2 * rng.normal(size=(n, 4)) + 0.7 * rng.normal(size=(n, 1))
    score = (items - 5.5 - SPREAD) @ np.array(formed) / np.sum(formed)
    return np.column_stack([items, 5 + score[:, None] + 0.7 * rng.normal(size=(n, 2))])


def fitted(cells, model=FORMED, key="wave", settings=None):
    parts = [pl.DataFrame(rows, schema=list("abcdef")).with_columns(pl.lit(k).alias(key)) for k, rows in cells.items()]
    return csi.fit(csi.Model.parse(model), pl.concat(parts), settings or csi.PLS(), by=[key], scale=(-10, 30))


@pytest.fixture(scope="module")
def est():
    """w1 and w2 alike but for their level; in w3 item b weighs three times as much, d a fifth."""
    rng = np.random.default_rng(3)
    return fitted({"w1": draw(rng, 400), "w2": draw(rng, 400, 0.4), "w3": draw(rng, 400, 0.2, (1, 3, 1, 0.2))})


@pytest.fixture(scope="module")
def found(est):
    return csi.comparable(est)


def test_planted_weights_are_found_and_only_their_pairs(found):
    pairs = found.pairs.filter(pl.col("construct") == "joy")
    verdicts = {(r["cell_1"], r["cell_2"]): r["verdict"] for r in pairs.iter_rows(named=True)}
    assert verdicts == {("w1", "w2"): "comparable", ("w1", "w3"): "not comparable", ("w2", "w3"): "not comparable"}
    named = pairs.filter(pl.col("verdict") == "not comparable")["items"]
    assert set(named) <= {"b", "d"}


def test_two_items_and_formed_items_take_micom_by_default(found):
    assert found.sets["rule"].to_list() == ["micom", "micom"]
    assert found.sets["p_scalar"].null_count() == found.sets["p_metric"].null_count() == 2
    use = found.sets.filter(pl.col("construct") == "use").row(0, named=True)
    assert use["verdict"] == "comparable"
    assert use["c"] > 0.999


def test_the_p_is_that_of_micom(est, found):
    """The same exchanges, seed and statistic as `csi.micom` over all groups."""
    over = csi.micom(est, permutations=1000, seed=1).omnibus
    for name in ("joy", "use"):
        mine = found.sets.filter(pl.col("construct") == name)
        theirs = over.filter(pl.col("construct") == name)
        assert mine["p_composition"][0] == pytest.approx(theirs["p_c"][0], abs=1e-12)
        assert mine["c"][0] == pytest.approx(theirs["c"][0], abs=1e-12)


def test_the_effect_is_pooled_less_own_with_the_error_of_both(est, found):
    """By hand from two indices; the linearised error against 400 joint resamples of both."""
    boot = csi.bootstrap(est, n=400, seed=5)
    own, pooled = csi.index(boot, weights="own"), csi.index(boot, weights="pooled")
    q = own.constructs.index("joy")
    shift = pooled.values[:, q] - own.values[:, q]
    drawn = pooled.replicates[:, :, q] - own.replicates[:, :, q]
    rows = found.pairs.filter(pl.col("construct") == "joy")
    i, j = np.triu_indices(3, 1)
    assert rows["bias"].to_numpy() == pytest.approx(shift[i] - shift[j], abs=1e-10)
    error = (drawn[:, i] - drawn[:, j]).std(axis=0, ddof=1)
    assert rows["std_error"].to_numpy() == pytest.approx(error, rel=0.15)


def test_reflective_blocks_by_request(est):
    rng = np.random.default_rng(4)
    reflective = fitted(
        {"w1": draw(rng, 300), "w2": draw(rng, 300, 1.0)}, "joy =~ a + b + c + d\nuse =~ e + f\nuse ~ joy"
    )
    ladder = csi.comparable(reflective, construct="joy")
    asked = csi.comparable(reflective, construct="joy", rule="micom", permutations=199)
    assert (ladder.sets["rule"][0], asked.sets["rule"][0]) == ("ladder", "micom")
    assert asked.sets["verdict"].to_list() == ["comparable"]
    strict = csi.comparable(est, rule="ladder", construct="joy")
    assert strict.sets["verdict"].to_list() == ["not tested"]
    assert "form the construct" in strict.sets["reason"][0]


def test_a_pair_of_waves_in_both_languages(found):
    en, zh = (text(found, lang).replace("\n", " ") for lang in ("en", "zh"))
    assert "equal composition is rejected" in en
    assert "equal intercepts are not tested" in en
    assert "step 3" in en
    assert "Changes of CFI" not in en
    assert "changes of CFI" not in en
    assert "构成相同被拒绝" in zh
    assert "截距相等未检验" in zh.replace(" ", "")
    said = set_sentence(found.judged[0])
    assert "the weight that differs most: " in said.en
    assert "合并权重" in said.zh


def test_a_difference_of_composition_is_withheld_with_its_words(found):
    why = withheld(found.evidence("joy", 2, 0), anyway=False)
    assert why is not None
    assert "composed otherwise" in why.text.en
    assert "构成不同" in why.text.zh
    assert withheld(found.evidence("joy", 0, 1), anyway=False) is None


def test_many_cells_are_told_apart_together():
    """Eight waves, the third composed otherwise: by max-T its pairs alone are not comparable."""
    rng = np.random.default_rng(6)
    est = fitted({f"w{t}": draw(rng, 300, 0.1 * t, (0.3, 3, 1, 0.2) if t == 2 else (1, 1, 1, 1)) for t in range(8)})
    pairs = csi.comparable(est, construct="joy", permutations=199).pairs
    touched = pl.any_horizontal(pl.col("cell_1", "cell_2") == "w2")
    assert set(pairs.filter(touched)["verdict"]) == {"not comparable"}
    assert set(pairs.filter(~touched)["verdict"]) == {"comparable"}


@pytest.mark.slow
def test_false_alarms_of_small_panels_stay_near_the_level():
    """100 panels of two waves of 80 that differ in level alone: at .05 more than 11 rejections have p < .005."""
    rng = np.random.default_rng(7)
    rejected = 0
    for _ in range(100):
        est = fitted({"w1": draw(rng, 80), "w2": draw(rng, 80, 0.5)})
        rejected += csi.comparable(est, construct="joy", permutations=99).sets["p_value"][0] < 0.05
    assert rejected <= 11


def test_permutations_are_never_too_few_for_the_family(est):
    """Two sets at .001 need 2000, whatever is asked for."""
    found = csi.comparable(est, alpha=0.001, permutations=99)
    assert found.judged[0].composed.run.n == 2000
    assert found.sets["verdict"].to_list() == ["not comparable", "comparable"]


def test_weights_that_nobody_estimated(est):
    made = csi.index(est, formula="F5")
    found = csi.comparable(made, rule="micom", construct="joy")
    assert found.sets["verdict"].to_list() == ["not tested"]
    assert "not estimated by a composite model" in found.sets["reason"][0]
    assert "合成模型" in found.sets["reason_zh"][0]


def test_a_cell_without_a_solution_stays_out():
    rng = np.random.default_rng(9)
    flat = draw(rng, 100)
    flat[:, 4] = 5.0
    est = fitted({"w1": draw(rng, 200), "w2": draw(rng, 200), "w3": flat})
    found = csi.comparable(csi.index(est, weights="pooled"), construct="joy", permutations=99)
    row = found.pairs.filter(pl.col("cell_2") == "w3").row(0, named=True)
    assert row["verdict"] == "not tested"
    assert "no solution" in row["reason"]
    assert found.pairs.filter(pl.col("cell_2") == "w2")["verdict"].to_list() == ["comparable"]


@pytest.mark.parametrize("asked", [{"rule": "luck"}, {"permutations": 5}])
def test_bad_settings(est, asked):
    with pytest.raises(Problems) as error:
        csi.comparable(est, **asked)
    assert {p.code for p in error.value.problems} == {"E-SETTING"}


def test_the_study_file_names_the_rule():
    assert ComparabilityForm(rule="micom").rule == "micom"
    assert ComparabilityForm().rule is None
    with pytest.raises(ValueError, match="rule"):
        ComparabilityForm(rule="luck")
