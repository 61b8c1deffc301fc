"""Drawing respondents: answers, groups, weights, seconds, and everything that goes wrong in fieldwork.

Every cell has its own streams of random numbers, keyed by the names of its wave and brand and by what is drawn, so that
adding a wave or a brand, or changing one rate, leaves all other numbers as they were. The streams use only the raw
64-bit output of PCG64 (which numpy guarantees not to change), turned into uniforms and by the normal quantile into
normals: the same panel on every platform.
"""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import ndtri

from csi.moments.stack import Array, Ints
from csi.simulation.blueprint import Group
from csi.simulation.further import further_answers
from csi.simulation.population import Cell, Population
from csi.simulation.recipe import Recipe
from csi.simulation.routes import unasked

STREAMS = (
    "size", "answers", "groups", "weight", "seconds", "careless", "ticks", "missing",
    "kano", "points", "outcomes", "mentions",
)  # fmt: skip
"""What is drawn, each from its own stream."""


def uniforms(seed: int, wave: str, brand: str, what: str, shape: tuple[int, ...]) -> Array:
    """Uniform numbers in (0, 1) for one purpose in one cell.

    Example:
        >>> uniforms(1, "2026Q3", "A", "answers", (2,)).round(6)
        array([0.698173, 0.462308])
    """
    key = (zlib.crc32(wave.encode()), zlib.crc32(brand.encode()), STREAMS.index(what))
    source = np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key))
    raw = np.asarray(source.random_raw(int(np.prod(shape))), dtype=np.uint64)
    return ((raw >> np.uint64(11)).astype(np.float64) + 0.5).reshape(shape) / 2.0**53


def draw_answers(population: Population, shift: Array, uniform: Array, variant: Ints | None = None) -> Ints:
    """Answers of respondents whose responses are moved by `shift`.

        y = L z + shift,   x = minimum + #{j: y >= tau_j},   L L' = item_cor

    Parameters:
        population: what is true.
        shift: (n, p) in units of the responses.
        uniform: (n, p) in (0, 1).
        variant: (n,) place of the relations each lives by; None is the first for all.

    Returns:
        (n, p) answers on the items' scales.
    """
    y = ndtri(uniform)
    for place, relations in enumerate(population.variants):
        mine = slice(None) if len(population.variants) == 1 or variant is None else variant == place
        y[mine] = y[mine] @ np.linalg.cholesky(relations.item_cor).T
        if variant is None:
            break
    y += shift
    passed: Ints = (y[:, :, None] >= population.tau).sum(-1)
    return passed + population.minimum.astype(np.int64)


def draw_cell(recipe: Recipe, population: Population, groups: tuple[Group, ...], cell: Cell, seed: int) -> pl.DataFrame:
    """One cell of the panel as an export would hold it.

    Returns:
        Key columns (named by the recipe), then the items: codes on their scales, missing codes, or null where blank.
    """

    def draw(what: str, *shape: int) -> Array:
        return uniforms(seed, cell.wave, cell.brand, what, shape)

    size = recipe.cell_size
    n = size.least + int(draw("size", 1)[0] * (size.most - size.least + 1))
    p = len(population.items)
    group = _pick(np.array([g.sample for g in groups]), draw("groups", n))
    answers = draw_answers(population, cell.shift[group], draw("answers", n, p), cell.variant[group])
    further = further_answers(recipe, answers, draw)
    kind, seconds = _careless(recipe, draw("careless", n), draw("seconds", n))
    answers = _contaminate(answers, kind, draw("ticks", n, p), population)
    codes = _turned(recipe, np.concatenate([answers, further], axis=1))
    blank = np.broadcast_to((kind == 3)[:, None], codes.shape).copy()
    skipped = unasked(recipe, groups, group, codes) & ~blank
    codes, blank = _missing(recipe, codes, blank, draw("missing", len(recipe.missing), n, codes.shape[1]))
    codes, blank = np.where(skipped, _not_asked(recipe), codes), blank & ~skipped
    weight = _weights(groups, group, recipe.weight_spread, draw("weight", n))
    return _frame(recipe, cell, groups, group, weight, seconds, codes, blank)


def _pick(share: Array, uniform: Array) -> Ints:
    """Group numbers (n,) at the given shares."""
    edges = np.cumsum(share / share.sum())
    return np.searchsorted(edges[:-1], uniform, side="right")


def _careless(recipe: Recipe, uniform: Array, pace: Array) -> tuple[Ints, Ints]:
    """How each respondent behaves (0 careful, 1 straight-liner, 2 speeder, 3 leaves at once), and seconds (n,)."""
    c = recipe.careless
    edges = np.cumsum([c.straight_liners, c.speeders, c.break_offs])
    kind = np.array([1, 2, 3, 0])[np.searchsorted(edges, uniform, side="right")]
    calm = np.maximum(c.seconds * np.exp(0.35 * ndtri(pace)), c.speeder_seconds + 15)
    rushed = c.speeder_seconds * (0.35 + 0.6 * pace)
    seconds = np.where(np.isin(kind, (2, 3)), rushed, np.where(kind == 1, 0.5 * calm + c.speeder_seconds / 2, calm))
    return kind, np.rint(seconds).astype(np.int64)


def _contaminate(answers: Ints, kind: Ints, uniform: Array, population: Population) -> Ints:
    """Straight-liners give the answer nearest their own mean throughout; speeders tick the upper half at random."""
    low, high = population.minimum, population.maximum
    score = ((answers - low) / (high - low)).mean(axis=1, keepdims=True)
    straight = np.rint(low + score * (high - low))
    middle = np.ceil((low + high) / 2)
    random = middle + np.floor(uniform * (high - middle + 1))
    out = np.where((kind == 1)[:, None], straight, answers)
    return np.where((kind == 2)[:, None], random, out).astype(np.int64)


def _turned(recipe: Recipe, answers: Ints) -> Ints:
    """Reversed items as they stand on the questionnaire."""
    out = answers.copy()
    for k, item in enumerate(recipe.asked):
        if item.reverse:
            scale = recipe.scale_of(item)
            out[:, k] = scale.min + scale.max - out[:, k]
    return out


def _missing(
    recipe: Recipe, codes: Ints, blank: npt.NDArray[np.bool_], uniform: Array
) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Missing codes where a rule of the recipe strikes (the first one that does), blanks for the reason "empty"."""
    questions = recipe.asked
    codes, blank, open_ = codes.copy(), blank.copy(), ~blank
    for rule, u in zip(recipe.missing, uniform, strict=True):
        columns = recipe.places(rule.items) if rule.items else list(range(len(questions)))
        struck = (u[:, :1] if rule.together else u[:, columns]) < rule.rate
        for place, k in enumerate(columns):
            hit = struck[:, 0 if rule.together else place] & open_[:, k]
            open_[hit, k] = False
            if rule.reason == "empty":
                blank[hit, k] = True
                continue
            scale = recipe.scale_of(questions[k])
            codes[hit, k] = next(int(code) for code, why in scale.missing.items() if why == rule.reason)
    return codes, blank


def _not_asked(recipe: Recipe) -> Ints:
    """(k,) every question's code for "not asked"; 0 where its scale has none (then no route leads to it)."""
    codes = [{why: int(code) for code, why in recipe.scale_of(q).missing.items()} for q in recipe.asked]
    return np.array([own.get("not_asked", 0) for own in codes])


def _weights(groups: tuple[Group, ...], group: Ints, spread: float, uniform: Array) -> Array:
    """Design weights (n,): population share over sample share of the group, times a log-normal part, three decimals."""
    share = np.array([g.share for g in groups])
    sample = np.array([g.sample for g in groups])
    noise = np.exp(spread * ndtri(uniform) - spread**2 / 2)
    weight: Array = np.maximum(np.round((share / sample)[group] * noise, 3), 0.001)
    return weight


def _frame(
    recipe: Recipe,
    cell: Cell,
    groups: tuple[Group, ...],
    group: Ints,
    weight: Array,
    seconds: Ints,
    codes: Ints,
    blank: npt.NDArray[np.bool_],
) -> pl.DataFrame:
    """The columns of a cell in the order of an export."""
    n = len(group)
    t = recipe.waves.index(cell.wave) + 1
    b = [x.name for x in recipe.brands].index(cell.brand) + 1
    of_brand, of_row = len(str(len(recipe.brands))), len(str(recipe.cell_size.most))
    keys: dict[str, object] = {
        recipe.column("respondent"): [f"{t}{b:0{of_brand}d}{i:0{of_row}d}" for i in range(1, n + 1)],
        recipe.column("wave"): [cell.wave] * n,
        recipe.column("brand"): [cell.brand] * n,
        recipe.column("weight"): weight,
    }
    if recipe.stages:
        keys[recipe.column("stage")] = [groups[g].stage for g in group]
    if recipe.segments:
        keys[recipe.column("segment")] = [groups[g].segment for g in group]
    keys[recipe.column("duration")] = seconds
    frame = pl.DataFrame(keys)
    items = [
        pl.Series(i.column or i.name, codes[:, k]).set(pl.Series(blank[:, k]), None) for k, i in enumerate(recipe.asked)
    ]
    return frame.with_columns(items)
