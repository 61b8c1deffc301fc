"""What a recipe says beyond items: pairs of forms, routes, paths of a stage, Kano, points, outcomes, mentions."""

import numpy as np
import polars as pl
import pytest

from csi.errors import Problems
from csi.expectation.kano import classes
from csi.simulation import Recipe, check, clean, draw_answers, population_moments, population_of, simulate

CODES = {"97": "not_asked"}


def recipe(**changed):
    seven = {"scale": "seven", "loading": 0.8}
    base = {
        "recipe": "small",
        "seed": 7,
        "scales": {
            "seven": {"min": 1, "max": 7, "missing": CODES},
            "five": {"min": 1, "max": 5},
            "binary": {"min": 0, "max": 1, "missing": CODES},
            "hundred": {"min": 0, "max": 100},
        },
        "constructs": {
            "wom": {},
            "advert": {},
            "speed_expected": {"as": "speed", "en": "Speed, expected", "zh": "期望的速度"},
            "speed": {"en": "Speed", "zh": "速度"},
            "handling": {},
        },
        "topics": {"features": {"en": "Features", "zh": "功能"}},
        "paths": {"speed_expected": {"wom": 0.5, "advert": 0.2}, "speed": {"speed_expected": 0.3}},
        "items": (
            {"name": "w1", "construct": "wom", "mean": 4.5, "sd": 1.3, **seven},
            {"name": "a1", "construct": "advert", "mean": 4.5, "sd": 1.3, **seven},
            {"name": "h1", "construct": "handling", "mean": 4.0, "sd": 1.5, **seven},
        ),
        "attributes": tuple(
            {
                "name": name,
                **seven,
                "forms": {
                    "Ew": {"construct": "speed_expected", "mean": 5.8, "sd": 1.0},
                    "P": {"construct": "speed", "mean": 5.0, "sd": 1.2, "loading": 0.7},
                },
            }
            for name in ("fast", "prompt")
        ),
        "brands": ({"name": "A"},),
        "waves": ("1",),
        "cell_size": {"least": 6000, "most": 6000},
        "stages": (
            {"name": "never", "share": 0.4},
            {"name": "long", "share": 0.6, "paths": {"speed_expected": {"wom": 0.1, "advert": 0.6}}},
        ),
    }
    return Recipe(**{**base, **changed})


KANO = {"name": "app", "construct": "features", "scale": "five", "classes": {"M": 0.6, "A": 0.3, "Q": 0.1}}
POINTS = {"scale": "hundred", "step": 10, "concentration": 6, "shares": {"speed": 0.7, "handling": 0.3}}
SCORES = {"e": {"constructs": ["speed_expected"], "centre": 4}, "p": {"constructs": ["speed"], "centre": 4}}


def test_every_form_of_an_attribute_is_an_item_of_one_construct_in_the_codebook():
    book = simulate(recipe()).codebook
    found = [(i.name, i.construct, i.attribute, i.form) for i in book.items if i.attribute]
    assert found == [
        ("fast_Ew", "speed", "fast", "Ew"),
        ("fast_P", "speed", "fast", "P"),
        ("prompt_Ew", "speed", "prompt", "Ew"),
        ("prompt_P", "speed", "prompt", "P"),
    ]
    assert "speed_expected" not in book.constructs
    assert book.label("speed") == "Speed"


def test_a_stage_has_its_own_paths_in_moments_draws_and_truth():
    truth = simulate(recipe(cell_size={"least": 5, "most": 5})).truth
    paths = {n: v for k, n, v in truth.select("kind", "name", "value").iter_rows() if k == "path"}
    assert paths["speed_expected~wom"] == 0.5
    assert paths["long: speed_expected~wom"] == 0.1
    assert "long: speed~speed_expected" not in paths
    for stage, wom, advert in (("never", 0.5, 0.2), ("long", 0.1, 0.6)):
        moments = population_moments(recipe(), by=(), stages=[stage])
        sd = np.sqrt(np.diag(moments.cov[0]))
        cor = moments.cov[0] / np.outer(sd, sd)
        at = [moments.names.index(n) for n in ("w1", "a1", "fast_Ew")]
        # a rounded answer carries its response a little less than fully; the ratio is the stated one
        assert cor[at[0], at[2]] / cor[at[1], at[2]] == pytest.approx(wom / advert, rel=0.01)
        drawn = simulate(recipe()).frame.filter(pl.col("stage") == stage)
        assert drawn.select(pl.corr("w1", "fast_Ew")).item() == pytest.approx(cor[at[0], at[2]], abs=0.05)


def test_answers_of_one_population_do_not_depend_on_naming_its_variant():
    plain = recipe(stages=())
    population = population_of(plain)
    u = np.random.default_rng(3).random((200, len(population.items)))
    zero = np.zeros((1, len(population.items)))
    assert (draw_answers(population, zero, u) == draw_answers(population, zero, u, np.zeros(200, dtype=int))).all()


def test_routes_leave_the_code_for_not_asked_and_means_are_of_those_asked():
    routed = recipe(
        routes=({"ask": ["speed"], "if": {"stage": ["long"]}}, {"ask": ["h1"], "if": {"fast_P": ["1", "2", "3"]}}),
        stages=(
            {"name": "never", "share": 0.4, "shift": {"speed": -20}},
            {"name": "long", "share": 0.6},
        ),
    )
    drawn = simulate(routed)
    never = drawn.frame.filter(pl.col("stage") == "never")
    long = drawn.frame.filter(pl.col("stage") == "long")
    assert set(never["fast_P"]) == {97}
    assert 97 not in set(long["fast_P"])
    assert 97 not in set(never["fast_Ew"])
    assert set(never["h1"]) == {97}
    assert ((long["h1"] == 97) == (long["fast_P"] > 3)).all()
    truth = drawn.truth.filter((pl.col("kind") == "mean") & (pl.col("name") == "fast_P"))["value"].item()
    assert truth == pytest.approx(5.0, abs=1e-9)
    assert long["fast_P"].mean() == pytest.approx(truth, abs=4 * 1.2 / np.sqrt(long.height))


def test_kano_pairs_fall_into_their_classes_at_the_stated_shares():
    frame = simulate(recipe(kano=(KANO,))).frame
    assert frame.columns[-2:] == ["app_Kf", "app_Kd"]
    share = classes(frame["app_Kf"].to_numpy().astype(float), frame["app_Kd"].to_numpy().astype(float)).mean(axis=0)
    assert share == pytest.approx([0.6, 0, 0.3, 0, 0, 0.1], abs=4 * np.sqrt(0.25 / 6000))  # M O A I R Q


def test_points_sum_to_the_total_and_have_the_stated_means():
    drawn = simulate(recipe(points=(POINTS,), routes=({"ask": ["speed"], "if": {"stage": ["long"]}},)))
    frame = drawn.frame
    assert (frame["speed_I"] + frame["handling_I"]).unique().to_list() == [100]
    assert (frame["speed_I"] % 10).unique().to_list() == [0]
    # Polya's urn: variance of a share p (1 - p) (1/m + (1 - 1/m) / (1 + concentration)), m steps
    sd = 100 * np.sqrt(0.21 * (0.1 + 0.9 / 7))
    assert frame["speed_I"].mean() == pytest.approx(70, abs=4 * sd / np.sqrt(6000))
    assert frame["speed_I"].std() == pytest.approx(sd, rel=0.06)
    item = drawn.codebook["speed_I"]
    assert (item.construct, item.attribute, item.form, item.label.zh) == ("speed", "speed", "I", "速度")


def test_outcomes_have_the_stated_slopes():
    planned = recipe(
        scores=SCORES,
        outcomes=(
            {"name": "overall", "scale": "seven", "constant": 3.6, "slopes": {"p": 0.5, "e * p": 0.2}, "sd": 0.7},
            {"name": "chose", "scale": "binary", "link": "logit", "constant": -0.5, "slopes": {"e": 0.7}},
        ),
        cell_size={"least": 20000, "most": 20000},
    )
    drawn = simulate(planned)
    f = drawn.frame
    e, p = ((f[f"fast_{form}"] + f[f"prompt_{form}"]).to_numpy() / 2 - 4 for form in ("Ew", "P"))
    X = np.column_stack([np.ones(f.height), e, p, e * p])
    y = f["overall"].to_numpy()
    inside = (y > 1) & (y < 7)
    b, *_ = np.linalg.lstsq(X, y, rcond=None)
    assert inside.mean() > 0.9
    assert b == pytest.approx([3.6, 0, 0.5, 0.2], abs=0.06)  # the ends of the scale pull in the slopes a little
    for low, high in ((-1.0, 0.6), (2.4, 3.1)):
        mine = (e > low) & (e < high)
        expected = 1 / (1 + np.exp(0.5 - 0.7 * e[mine]))
        assert f["chose"].to_numpy()[mine].mean() == pytest.approx(expected.mean(), abs=4 * 0.5 / np.sqrt(mine.sum()))
    slopes = drawn.truth.filter(pl.col("kind") == "slope")
    assert dict(slopes.select("name", "value").iter_rows()) == {
        "overall~1": 3.6,
        "overall~p": 0.5,
        "overall~e*p": 0.2,
        "chose~1": -0.5,
        "chose~e": 0.7,
    }


def test_mentions_are_as_often_and_agree_as_far_as_stated(tmp_path):
    said = {"fast": {"unaided": 0.6, "aided": 0.5, "valence": [0.2, 0.3, 0.5]}}
    drawn = simulate(recipe(mentions={"respondents": 4000, "coders": ["A", "B"], "agreement": 0.8, "attributes": said}))
    wide = drawn.mentions.drop_nulls().pivot(on="coder", index=["id", "attribute", "aided"], values="valence")
    named = 0.6 + 0.4 * 0.5
    assert wide.height / 4000 == pytest.approx(named, abs=4 * np.sqrt(named * (1 - named) / 4000))
    assert 1 - wide["aided"].mean() == pytest.approx(0.6 / named, abs=0.04)
    assert (wide["A"] == wide["B"]).mean() == pytest.approx(0.8**2 + 2 * 0.1**2, abs=4 * 0.5 / np.sqrt(wide.height))
    noted = [0.8 * v + 0.1 * (1 - v) for v in (0.2, 0.3, 0.5)]
    assert [(wide["A"] == v).mean() for v in (-1, 0, 1)] == pytest.approx(noted, abs=0.04)
    assert set(wide["id"]) <= set(drawn.frame["respondent"])
    half = {"respondents": 4000, "coders": ["A", "B"], "notice": 0.5, "attributes": said}
    seen = simulate(recipe(mentions=half)).mentions
    assert seen.height == seen.unique(["id", "coder"]).height == 8000  # every coder read every interview
    both = seen.with_columns(pl.col("attribute").is_not_null()).pivot(on="coder", index="id", values="attribute")
    assert both.select(pl.col("A").mean()).item() == pytest.approx(named / 2, abs=0.035)
    assert (both["A"] & both["B"]).mean() == pytest.approx(named / 4, abs=0.03)
    assert "mentions.csv" in {p.name for p in drawn.write(tmp_path)}
    assert simulate(recipe(cell_size={"least": 5, "most": 5})).mentions is None


def test_a_clean_draw_has_neither_fieldwork_nor_weights():
    dirty = recipe(
        careless={"speeders": 0.2},
        missing=({"reason": "not_asked", "rate": 0.2, "items": ["speed"]},),
        weight_spread=0.5,
        stages=({"name": "never", "share": 0.4, "sample": 0.8}, {"name": "long", "share": 0.6, "sample": 0.2}),
    )
    assert 97 in set(simulate(dirty).frame["prompt_P"])
    assert 97 not in set(simulate(dirty).frame["prompt_Ew"])
    frame = simulate(clean(dirty, 5000)).frame
    assert 97 not in set(frame["prompt_P"])
    assert frame["weight"].unique().to_list() == [1.0]
    assert (frame["stage"] == "never").mean() == pytest.approx(0.4, abs=0.03)


WRONG = {
    "a construct listed under nothing": (
        {"constructs": {"wom": {}, "advert": {}, "speed": {}, "handling": {}, "speed_expected": {"as": "sped"}}},
        "E-NAME", "sped", "不是本配方中的构念或主题",
    ),
    "a path of a stage": (
        {"stages": ({"name": "never", "share": 1, "paths": {"speed": {"wim": 0.2}}},)},
        "E-NAME", "wim", "“wim”不是本配方中的构念",
    ),
    "a route to nothing": (
        {"routes": ({"ask": ["spead"], "if": {"stage": ["long"]}},)},
        "E-NAME", "spead", "题项或构念",
    ),
    "a route by no stage": ({"routes": ({"ask": ["speed"], "if": {"stage": ["old"]}},)}, "E-NAME", "old", "阶段"),
    "a route by nothing": ({"routes": ({"ask": ["speed"], "if": {"colour": ["red"]}},)}, "E-NAME", "colour", "题项"),
    "a route without a code": (
        {"kano": (KANO,), "routes": ({"ask": ["features"], "if": {"stage": ["long"]}},)},
        "E-REASON", "app_Kf", "没有“not_asked”代码",
    ),
    "classes": ({"kano": ({**KANO, "classes": {"M": 0.6, "A": 0.3}},)}, "E-SHARE", "0.9", "占比之和为 0.9"),
    "a scale of Kano": ({"kano": ({**KANO, "scale": "seven"},)}, "E-SCALE", "from 1 to 7", "量表为 1—7"),
    "an unknown scale": ({"kano": ({**KANO, "scale": "fife"},)}, "E-NAME", "fife", "量表"),
    "steps": ({"points": ({**POINTS, "step": 30},)}, "E-SHARE", "steps of 30", "步长 30"),
    "points over nothing": (
        {"points": ({**POINTS, "shares": {"speed": 0.7, "hand": 0.3}},)},
        "E-NAME", "hand", "构念或主题",
    ),
    "slopes of nothing": (
        {"scores": SCORES, "outcomes": ({"name": "y", "scale": "seven", "constant": 1, "slopes": {"e * q": 1}},)},
        "E-NAME", '"q"', "得分",
    ),
    "a logit on seven points": (
        {"outcomes": ({"name": "y", "scale": "seven", "link": "logit", "constant": 1},)},
        "E-SCALE", "the answers from 0 to 1", "回答取值 0—1",
    ),
    "mentions of nothing": (
        {"mentions": {"respondents": 5, "coders": ["A"], "attributes": {"slow": {"unaided": 1, "valence": [0, 0, 1]}}}},
        "E-NAME", "slow", "属性",
    ),
    "an item with a construct's name": (
        {"outcomes": ({"name": "features", "scale": "seven", "constant": 1},)},
        "E-TWICE", "name of an item and of a construct", "既是题项名又是构念名",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_agree_is_said_in_both_languages(case):
    changed, code, en, zh = WRONG[case]
    with pytest.raises(Problems) as error:
        check(recipe(**changed))
    mine = [p for p in error.value.problems if p.code == code]
    assert any(en in p.what.en for p in mine)
    assert any(zh in p.what.zh for p in mine)


def test_a_stage_whose_paths_cannot_be_is_named():
    stages = ({"name": "never", "share": 1.0, "paths": {"speed": {"wom": 1.1}}},)
    with pytest.raises(Problems) as error:
        population_of(recipe(stages=stages))
    assert [(p.code, p.where) for p in error.value.problems] == [("E-R2", "stages, never, paths, speed")]
