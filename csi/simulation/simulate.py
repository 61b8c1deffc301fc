"""A panel with known truth, from a recipe."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from csi.errors import Text
from csi.estimate.given import check_kind
from csi.models.model import Model
from csi.simulation.blueprint import cells_of, codebook_of, groups_of, model_of, population_of
from csi.simulation.checks import check, read_recipe
from csi.simulation.draw import draw_cell
from csi.simulation.lives import Lives, tables_of
from csi.simulation.mentions import mentions_of
from csi.simulation.parts import CarelessPart, SizePart
from csi.simulation.recipe import Recipe
from csi.simulation.texts import codebook_text, study_text
from csi.simulation.truth import truth_table
from csi.survey.codebook import Codebook


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a recipe gives.

    Attributes:
        recipe: the recipe. seed: the seed used. frame: the panel as an export holds it (missing codes, blanks, careless
            respondents and all). codebook, model: what was asked and what was claimed.
        truth: brand, wave, kind, name, value of the uncontaminated population (see `truth_table`).
        codebook_text, study_text: the two YAML files that go with the panel. mentions: coded mentions of interviews, or
            None. tables: kind of event (purchases, contacts, ...) -> its table, of what happened to the respondents.
    """

    recipe: Recipe
    seed: int
    frame: pl.DataFrame
    codebook: Codebook
    model: Model
    truth: pl.DataFrame
    codebook_text: str
    study_text: str
    mentions: pl.DataFrame | None = None
    tables: dict[str, pl.DataFrame] = field(default_factory=dict)

    def write(self, folder: str | Path) -> tuple[Path, ...]:
        """Write panel.csv, codebook.yaml, study.yaml, truth.csv, and mentions and tables of events where there are.

        Parameters:
            folder: files that are there are replaced.

        Returns:
            The paths.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        texts = {
            "panel.csv": self.frame.write_csv(),
            "codebook.yaml": self.codebook_text,
            "study.yaml": self.study_text,
            "truth.csv": self.truth.with_columns(pl.col("value").round(6)).write_csv(),
        }
        if self.mentions is not None:
            texts["mentions.csv"] = self.mentions.write_csv()
        texts |= {f"{kind}.csv": table.write_csv() for kind, table in self.tables.items()}
        for name, text in texts.items():
            (folder / name).write_bytes(text.encode("utf-8"))
        return tuple(folder / name for name in texts)


def simulate(recipe: Recipe | str | Path, seed: int | None = None) -> Simulation:
    """Draw a panel (brands x waves x respondents) from a stated population.

    Parameters:
        recipe: a `Recipe` or the path of a recipe file.
        seed: instead of the recipe's own.

    Returns:
        The panel with its codebook, study file and truth.

    Raises:
        Problems: everything in the recipe that must be changed.

    Example:
        >>> from csi.simulation import Recipe, simulate
        >>> one = {"construct": "sat", "mean": 7.6, "sd": 1.8}
        >>> recipe = Recipe(recipe="tiny", seed=1, scales={"ten": {"min": 1, "max": 10}}, constructs={"sat": {}},
        ...     paths={},
        ...     items=({"name": "s1", **one}, {"name": "s2", **one}), brands=({"name": "A"},), waves=("1", "2"),
        ...     cell_size={"least": 100, "most": 100})
        >>> simulate(recipe).frame.columns
        ['respondent', 'wave', 'brand', 'weight', 'duration', 's1', 's2']
    """
    wanted = Text("a recipe or the path of its file", "配方或其文件路径")
    do = Text('Write csi.simulate("recipe.yaml").', '请写 csi.simulate("recipe.yaml")。')
    check_kind("recipe", recipe, (Recipe, str, Path), wanted, do)
    if not isinstance(recipe, Recipe):
        recipe = read_recipe(recipe)
    check(recipe)
    seed = recipe.seed if seed is None else seed
    population = population_of(recipe)
    groups, cells = groups_of(recipe), cells_of(recipe, population)
    lives = (
        {b.name: Lives(recipe, population, b.name, seed) for b in recipe.brands}
        if recipe.panel or recipe.events
        else {}
    )
    frame = pl.concat([draw_cell(recipe, population, groups, c, seed, lives.get(c.brand)) for c in cells])
    tables = tables_of(list(lives.values()), recipe, seed)
    texts = codebook_text(recipe), study_text(recipe, "panel.csv", "codebook.yaml")
    truth = truth_table(recipe, population, cells)
    mentions = mentions_of(recipe, cells, frame, seed)
    return Simulation(recipe, seed, frame, codebook_of(recipe), model_of(recipe), truth, *texts, mentions, tables)


def clean(recipe: Recipe, n: int) -> Recipe:
    """The same population without fieldwork: `n` respondents a cell, none careless, no answer missing, equal weights.

    What an estimator finds in a large clean draw is its population value (where no exact moments are at hand).

    Parameters:
        recipe: a checked recipe. n: respondents a cell.

    Example:
        >>> from csi.simulation import Recipe
        >>> recipe = Recipe(recipe="tiny", seed=1, scales={"ten": {"min": 1, "max": 10}}, constructs={"sat": {}},
        ...     paths={}, items=({"name": "s1", "construct": "sat", "mean": 7.6, "sd": 1.8},), brands=({"name": "A"},),
        ...     waves=("1",), cell_size={"least": 100, "most": 110}, missing=({"reason": "empty", "rate": 0.2},))
        >>> simulate(clean(recipe, 500)).frame["s1"].null_count()
        0
    """
    groups = {
        name: tuple(g.model_copy(update={"sample": None}) for g in getattr(recipe, name))
        for name in ("stages", "segments")
    }
    plain = {"careless": CarelessPart(), "missing": (), "weight_spread": 0.0, "cell_size": SizePart(least=n, most=n)}
    return recipe.model_copy(update=plain | groups)
