"""The study of customers over time is what its recipe and its page say, byte for byte; recipes that cannot be."""

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

import csi
from csi.errors import Problems
from csi.reporting.methods.library import methods_of, options_of, refuse_foreign, told_in
from csi.simulation import read_recipe, simulate
from csi.survey.event_kinds import KINDS

FOLDER = Path(__file__).parents[2] / "data" / "retail"
HAN = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def drawn():
    return simulate(FOLDER / "recipe.yaml")


@pytest.fixture(scope="module")
def truth():
    rows = pl.read_csv(FOLDER / "truth.csv").filter(pl.col("wave") == "").select("kind", "name", "value").rows()
    return {(kind, name): value for kind, name, value in rows}


def test_the_committed_files_are_regenerated_byte_for_byte(drawn, tmp_path):
    written = {p.name for p in drawn.write(tmp_path)}
    assert written | {"recipe.yaml", "README.md"} == {p.name for p in FOLDER.iterdir()}
    for name in written:
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), name
    assert sum(p.stat().st_size for p in FOLDER.iterdir()) < 400_000


def test_the_study_reads_all_its_tables_and_allows_their_models():
    study = csi.Study.read(FOLDER / "study.yaml")
    assert set(study.tables) == {"contacts", "complaints", "cases", "texts", "purchases", "members", "spells"}
    people = set(study.panel().frame["respondent"].cast(pl.String))
    assert len(people) == 420
    for kind in study.tables:
        events = study.table(kind)
        assert set(events.frame["id"]) <= people, kind
        assert set(KINDS[kind].needed) <= set(events.frame.columns)
    assert {"change", "intervention", "lifecycle", "journey", "emotion_waves", "bgnbd", "complaints", "recovery",
            "programme", "feedback", "text", "repurchase", "churn", "attitude"} <= set(told_in(study))  # fmt: skip
    for model in methods_of(study):
        refuse_foreign(model, options_of(study, model.name))


def test_the_same_people_answer_and_answers_go_together(drawn):
    wide = drawn.frame.filter(pl.col("exp1") < 98).pivot(on="quarter", index="id", values="exp1").drop_nulls()
    found = np.corrcoef(wide.drop("id").to_numpy().T)
    assert 0.4 < found[0, 1] < 0.6
    assert 0.4 < found[1, 2] < 0.6
    assert abs(drawn.frame.filter(pl.col("quarter") != "2026Q1").height / 840 - 0.95) < 0.03


def test_a_later_wave_leaves_the_earlier_as_they_were(drawn):
    recipe = read_recipe(FOLDER / "recipe.yaml")
    levels = {"LJ": {**recipe.levels["LJ"], "expectation": (73.0, 69.0, 66.0, 60.0)}}
    longer = simulate(recipe.model_copy(update={"waves": (*recipe.waves, "2026Q4"), "levels": levels}))
    assert longer.frame.filter(pl.col("quarter") != "2026Q4").equals(drawn.frame)
    assert longer.tables["purchases"].equals(drawn.tables["purchases"])


def test_stated_shares_are_drawn(drawn, truth):
    said = drawn.tables["complaints"]
    assert abs(said["failure"].mean() - truth["failure", "rate"]) < 3 * np.sqrt(0.35 * 0.65 / said.height)
    assert said.filter(failure=0)["recovery"].null_count() == said.filter(failure=0).height
    assert said.filter(complained=0)["handled_score"].null_count() == said.filter(complained=0).height
    last = drawn.tables["contacts"]
    for name, count in last.group_by("touchpoint").len().rows():
        reach = truth["reach", name]
        assert abs(count / 420 - reach) < 4 * np.sqrt(reach * (1 - reach) / 420)
    written = drawn.tables["texts"].unique(["id", "wave"])
    share = written["true_attribute"].value_counts(normalize=True)
    for name, got in share.rows():
        assert abs(got - truth["text", f"share: {name}"]) < 4 * np.sqrt(0.25 / written.height)
    for name in ("delivery", "service", "app", "price"):
        assert all(t for t in written.filter(true_attribute=name)["text"])


MET = {"advert": {"reach": 1, "mean": 5}}
BAD = [
    ({"events": {"cases": {"attributes": {"delivery": {"share": 1, "days": 5}}}}}, "come of complaints"),
    ({"waves": ["w1", "w2", "w3"]}, "does not say its days"),
    ({"panel": None}, "every wave has new ones"),
    ({"events": {"complaints": {"follows": "mood", "constant": 0, "slope": 0}}}, '"mood" is not'),
    ({"events": {"contacts": {"follows": "satisfaction", "waves": ["2031Q1"], "touchpoints": MET}}},
     '"2031Q1" is not a wave'),
    ({"events": {"texts": {"follows": "satisfaction", "constant": 0, "slope": 0, "attributes": {"app": 0.5}}}},
     "sum to 0.5"),
    ({"panel": {"again": 0.5, "moves": {"new": {"gone": 1.0}}}}, '"gone" is not a stage'),
    ({"panel": {"again": 0.5, "moves": {"new": {"new": 0.4}}}}, "sum to 0.4"),
    ({"panel": {"again": 1.5}}, "less than 1"),
    ({"events": {"failures": {"rate": 0.2, "recovery": {"full": {"share": 1, "lifts": {"joy": 5}}}}}}, '"joy" is not'),
    ({"events": {"purchases": {"start": "2026-05-01", "until": "2026-01-01", "r": 1, "alpha": 5, "follows": "sat1"}}},
     "end before they start"),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "words"), BAD)
def test_recipes_that_cannot_be_are_refused_in_words(parts, words, tmp_path):
    said = yaml.safe_load((FOLDER / "recipe.yaml").read_text(encoding="utf-8"))
    if "events" in parts:
        said.pop("outcomes")
    path = tmp_path / "recipe.yaml"
    plain = {k: v for k, v in {**said, **parts}.items() if v is not None}
    path.write_text(yaml.safe_dump(plain, allow_unicode=True, sort_keys=False), encoding="utf-8")
    with pytest.raises(Problems) as caught:
        read_recipe(path)
    found = caught.value.problems
    assert any(words in p.what.en for p in found), [p.what.en for p in found]
    assert all(HAN.search(p.what.zh) for p in found)
