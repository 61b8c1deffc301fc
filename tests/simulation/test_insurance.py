"""The study of insurers is what its recipe and its README say, byte for byte."""

from pathlib import Path

import polars as pl
import pytest

import csi
from csi.reporting.methods.library import methods_of, options_of, refuse_foreign, told_in
from csi.simulation import population_of, read_recipe, simulate

FOLDER = Path(__file__).parents[2] / "data" / "insurance"


@pytest.fixture(scope="module")
def drawn():
    return simulate(FOLDER / "recipe.yaml")


@pytest.fixture(scope="module")
def panel():
    return csi.Study.read(FOLDER / "study.yaml").panel()


def test_the_committed_files_are_regenerated_byte_for_byte(drawn, tmp_path):
    written = drawn.write(tmp_path)
    assert {p.name for p in written} == {"panel.csv", "codebook.yaml", "study.yaml", "truth.csv", "mentions.csv"}
    for path in written:
        assert path.read_bytes() == (FOLDER / path.name).read_bytes(), path.name


def test_it_is_what_its_readme_says(drawn):
    sizes = drawn.frame["insurer"].value_counts()["count"]
    assert sizes.min() >= 590
    assert sizes.max() <= 610
    assert (FOLDER / "panel.csv").stat().st_size < 1_200_000
    pairs = [i.attribute for i in drawn.codebook.items if i.form == "Ew" and i.attribute]
    assert len(pairs) == 22
    assert pairs[0] == "tan1"
    assert pairs[-1] == "emp22"


def test_who_is_asked_what(panel):
    asked = panel.reasons.select(pl.all().fill_null("") != "not_asked")
    stage = panel.frame["stage"]
    customers = (stage != "never").to_numpy()
    for item, whom in (
        ("tan1_P", customers),
        ("sat1", customers),
        ("overall", customers),
        ("chose", ~customers),
        ("first1", (stage == "first").to_numpy()),
        ("exper1", (stage == "long").to_numpy()),
    ):
        assert (asked[item].to_numpy() == whom).all(), item
    complained = (panel.frame["complained"] == 1).fill_null(value=False).to_numpy()
    assert not (asked["chand1"].to_numpy() & ~complained).any()
    for item in ("tan1_Ew", "exp1", "wom1", "reliability_I", "speed_Kf", "speed_Ed"):
        assert asked[item].all(), item


def test_the_order_of_formation_is_planted_and_once_against_the_textbooks():
    population = population_of(read_recipe(FOLDER / "recipe.yaml"))
    at = population.constructs.index
    slopes = {v.stage: v.paths[at("expectation")] for v in population.variants}

    def order(stage, names):
        return sorted(names, key=lambda n: -slopes[stage][at(n)])

    assert order("", ["judge", "advert", "wom"]) == ["wom", "advert", "judge"]
    assert order("first", ["advert", "wom", "first"]) == ["first", "wom", "advert"]
    assert order("long", ["judge", "wom", "exper"]) == ["exper", "wom", "judge"]


def test_few_accept_less_than_they_want(panel):
    for name in ("speed", "papers", "fit", "terms"):
        swapped = panel.frame[f"{name}_Ea"] > panel.frame[f"{name}_Ed"]
        assert swapped.mean() < 0.05, name


def test_its_index_has_positive_weights_for_every_insurer(panel):
    study = csi.Study.read(FOLDER / "study.yaml")
    found = csi.fit(study.model, panel, csi.PLS(), by=["brand"])
    assert found.convergence.converged.all()
    assert found.solution.weights.min() > 0


def test_the_report_tells_every_model_of_one_wave():
    """All models but those of several waves, of tables of events and of journeys; options are those a model takes."""
    study = csi.Study.read(FOLDER / "study.yaml")
    models = methods_of(study)
    beyond = {m.name for m in models if m.panel or any("under tables:" in n.add.en for n in m.needs)}
    assert {m.name for m in models} - set(told_in(study)) == {"cjd", "justice", "lifecycle_loyalty"} | beyond
    for model in models:
        refuse_foreign(model, options_of(study, model.name))


def test_the_readme_shows_how_to_get_the_truth(panel, monkeypatch):
    monkeypatch.chdir(FOLDER.parents[1])
    code = (FOLDER / "README.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    said = {}
    exec(code, said)  # noqa: S102 - the page's own example, committed beside the data
    found = csi.run_card("ecm", panel, replicates=100, rivals=False).table
    true = said["truth"].table.filter(pl.col("op") == "~").rename({"lhs": "outcome", "rhs": "predictor"})
    both = found.join(true, on=["outcome", "predictor"], suffix="_true")
    assert both.height == 5
    z = (both["estimate"] - both["estimate_true"]) / both["std_error"]
    assert z.abs().max() < 4
