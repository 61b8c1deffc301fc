from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from csi.errors import Problems
from csi.simulation import (
    Recipe,
    cells_of,
    check,
    draw_answers,
    population_moments,
    population_of,
    read_recipe,
    simulate,
)

ITEMS = tuple(
    {"name": f"{c}{k}", "construct": name, "loading": 0.6 + 0.1 * k, "mean": 7.0 + 0.2 * k, "sd": 1.7, "skew": 0.2}
    for c, name in (("q", "quality"), ("s", "satisfaction"))
    for k in (1, 2, 3)
)


def small(**changed):
    base = {
        "recipe": "small",
        "seed": 7,
        "scales": {"ten": {"min": 1, "max": 10, "missing": {"97": "not_asked", "98": "dont_know"}}},
        "constructs": {"quality": {}, "satisfaction": {}},
        "paths": {"satisfaction": {"quality": 0.6}},
        "items": ITEMS,
        "brands": ({"name": "A"}, {"name": "B"}),
        "waves": ("1", "2"),
        "cell_size": {"least": 190, "most": 210},
        "levels": {"A": {"satisfaction": (70.0, 74.0)}, "B": {"quality": 61.5}},
        "segments": (
            {"name": "x", "share": 0.7, "sample": 0.4, "shift": {"satisfaction": 6}},
            {"name": "y", "share": 0.3, "sample": 0.6},
        ),
    }
    return Recipe(**{**base, **changed})


def codes(error):
    return sorted(p.code for p in error.value.problems)


def test_levels_hold_exactly_in_the_population():
    truth = simulate(small()).truth.filter(pl.col("kind") == "level")
    level = {(b, w, n): v for b, w, n, v in truth.select("brand", "wave", "name", "value").iter_rows()}
    assert level["A", "1", "satisfaction"] == pytest.approx(70, abs=1e-9)
    assert level["A", "2", "satisfaction"] == pytest.approx(74, abs=1e-9)
    assert level["B", "2", "quality"] == pytest.approx(61.5, abs=1e-9)


def test_population_moments_agree_with_a_large_draw():
    recipe = small(cell_size={"least": 1, "most": 1})
    population, moments = population_of(recipe), population_moments(recipe)
    cell = cells_of(recipe, population)[2]
    rng = np.random.default_rng(5)
    group = rng.choice(2, size=200_000, p=cell.share)
    answers = draw_answers(population, cell.shift[group], rng.random((200_000, 6)))
    assert answers.mean(axis=0) == pytest.approx(moments.mean[2], abs=5 * 1.7 / np.sqrt(200_000))
    assert np.cov(answers.T) == pytest.approx(moments.cov[2], abs=0.06)


def test_a_pooled_slice_is_the_mixture_of_its_cells():
    cells, wave = population_moments(small()), population_moments(small(), by=("wave",))
    second = cells.cov + cells.mean[:, :, None] * cells.mean[:, None, :]
    first = np.array(cells.cells["wave"] == "1")
    assert wave.mean[0] == pytest.approx(cells.mean[first].mean(axis=0))
    assert wave.cov[0] == pytest.approx(second[first].mean(axis=0) - np.outer(wave.mean[0], wave.mean[0]))


def test_weights_undo_unequal_sampling():
    frame = simulate(small(cell_size={"least": 4000, "most": 4000})).frame
    share = frame.group_by("segment").agg(n=pl.len(), w=pl.col("weight").sum()).sort("segment")
    assert share["n"][0] / share["n"].sum() == pytest.approx(0.4, abs=0.02)
    assert share["w"][0] / share["w"].sum() == pytest.approx(0.7, abs=0.02)


def test_a_new_wave_or_brand_leaves_the_rest_as_it_was():
    short = simulate(small()).frame
    longer = simulate(
        small(waves=("1", "2", "3"), levels={"A": {"satisfaction": (70.0, 74.0, 71.0)}, "B": {"quality": 61.5}})
    ).frame
    assert longer.filter(pl.col("wave") != "3").equals(short)


def test_another_rate_leaves_the_answers_as_they_were():
    plain = simulate(small()).frame
    holes = simulate(small(missing=({"reason": "dont_know", "rate": 0.1},))).frame
    same = [plain[i].to_numpy() == holes[i].to_numpy() for i in ("q1", "s3")]
    told = [holes[i].to_numpy() == 98 for i in ("q1", "s3")]
    assert all((s | t).all() for s, t in zip(same, told, strict=True))
    assert 0.05 < np.mean(told) < 0.15


def test_the_seed_decides():
    assert simulate(small()).frame.equals(simulate(small()).frame)
    assert not simulate(small()).frame.equals(simulate(small(), seed=8).frame)


def test_careless_respondents_and_blocks_not_asked():
    drawn = simulate(
        small(
            cell_size={"least": 1000, "most": 1000},
            careless={"straight_liners": 0.1, "speeders": 0.1, "break_offs": 0.05},
            missing=({"reason": "not_asked", "rate": 0.1, "items": ("s1", "s2"), "together": True},),
        )
    ).frame
    items = [i["name"] for i in ITEMS]
    blank = drawn.filter(pl.all_horizontal(pl.col(items).is_null()))
    full = drawn.filter(pl.all_horizontal(pl.col(items).is_not_null() & (pl.col(items) <= 10)))
    same = full.filter(pl.all_horizontal(pl.col(items) == pl.col("q1")))
    assert blank.height / 4000 == pytest.approx(0.05, abs=0.015)
    assert same.height / full.height > 0.09
    assert drawn.filter(pl.col("duration") < 60).height / 4000 == pytest.approx(0.15, abs=0.025)
    assert drawn.filter((pl.col("s1") == 97) != (pl.col("s2") == 97)).height == 0
    assert drawn.filter(pl.col("s1") == 97).height / 4000 == pytest.approx(0.095, abs=0.02)


def test_a_reversed_item_is_turned_over_in_the_export():
    items = ({**ITEMS[0], "reverse": True}, *ITEMS[1:])
    plain, turned = simulate(small()).frame, simulate(small(items=items)).frame
    assert (plain["q1"] + turned["q1"]).unique().to_list() == [11]
    assert plain["q2"].equals(turned["q2"])


def test_a_composite_population_has_its_paths_in_the_composites():
    items = tuple({**i, "weight": 1 + k} for k, i in enumerate(ITEMS))
    population = population_of(small(population="composite", items=items))
    w = np.array([1.0, 2.0, 3.0, 0, 0, 0]), np.array([0, 0, 0, 4.0, 5.0, 6.0])
    a, b = w
    S = population.item_cor
    assert (a @ S @ b) / np.sqrt((a @ S @ a) * (b @ S @ b)) == pytest.approx(0.6)


def test_all_disagreements_come_at_once():
    with pytest.raises(Problems) as error:
        check(
            small(
                paths={"satisfaktion": {"quality": 0.6}},
                levels={"A": {"satisfaction": (70.0, 74.0, 71.0)}, "C": {"quality": 120.0}},
                missing=({"reason": "refused", "rate": 0.1},),
                waves=("1", "1"),
            )
        )
    assert codes(error) == ["E-LENGTH", "E-LEVEL", "E-NAME", "E-NAME", "E-REASON", "E-TWICE"]
    assert 'Did you mean "satisfaction"?' in str(error.value)


def test_impossible_populations_say_what_to_change():
    with pytest.raises(Problems) as error:
        population_of(small(paths={"satisfaction": {"quality": 1.2}}))
    assert codes(error) == ["E-R2"]
    with pytest.raises(Problems) as error:
        population_of(small(paths={"satisfaction": {"quality": 0.5}, "quality": {"satisfaction": 0.5}}))
    assert codes(error) == ["E-CYCLE"]
    with pytest.raises(Problems) as error:
        population_of(small(items=({**ITEMS[0], "mean": 9.9, "sd": 3.0}, *ITEMS[1:])))
    assert codes(error) == ["E-SHAPE"]


def test_a_recipe_file_reports_every_line(tmp_path: Path):
    path = tmp_path / "recipe.yaml"
    path.write_text("csi: 1\nrecipe: x\nseed: many\nbrandz: []\nseed: 2\n", encoding="utf-8")
    with pytest.raises(Problems) as error:
        read_recipe(path)
    assert "recipe.yaml:5" in str(error.value)
    path.write_text("csi: 1\nrecipe: x\nseed: many\nbrandz: []\n", encoding="utf-8")
    with pytest.raises(Problems) as error:
        read_recipe(path)
    said = str(error.value)
    assert f"{path}:3" in said
    assert '"brandz" is not a known key. Did you mean "brands"?' in said
    assert '"waves" is missing.' in said


@pytest.mark.parametrize("content", ["", "- a\n", "a: [1\n", "a: 1\n  b: 2\n"])
def test_what_is_not_a_recipe_is_a_problem_not_a_traceback(tmp_path: Path, content: str):
    path = tmp_path / "recipe.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(Problems):
        read_recipe(path)
    with pytest.raises(Problems):
        read_recipe(tmp_path)


def test_texts_are_yaml_and_say_what_the_recipe_says():
    drawn = simulate(small(study={"title": {"en": "A: b, {c}", "zh": "标题"}}))
    study = yaml.safe_load(drawn.study_text)
    assert study["title"]["en"] == "A: b, {c}"
    assert study["keys"]["respondent"] == "respondent"
    assert [i["name"] for i in yaml.safe_load(drawn.codebook_text)["items"]] == [i["name"] for i in ITEMS]
    assert drawn.codebook["q1"].construct == "quality"
    assert drawn.model.predictors("satisfaction") == ("quality",)
