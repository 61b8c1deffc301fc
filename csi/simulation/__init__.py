"""Panels with known truth, from a stated population: for demonstrations, tests, coverage and power."""

from csi.simulation.blueprint import cells_of, codebook_of, groups_of, model_of, population_of
from csi.simulation.checks import check, read_recipe
from csi.simulation.draw import draw_answers
from csi.simulation.of_card import recipe_of_card
from csi.simulation.population import Cell, Population
from csi.simulation.recipe import Recipe
from csi.simulation.simulate import Simulation, clean, simulate
from csi.simulation.tracked import Tracked
from csi.simulation.truth import moments_of_cells, population_moments

__all__ = [
    "Cell",
    "Population",
    "Recipe",
    "Simulation",
    "Tracked",
    "cells_of",
    "check",
    "clean",
    "codebook_of",
    "draw_answers",
    "groups_of",
    "model_of",
    "moments_of_cells",
    "population_moments",
    "population_of",
    "read_recipe",
    "recipe_of_card",
    "simulate",
]
