"""Drawing respondents: answers, groups, weights, seconds, and everything that goes wrong in fieldwork.

Every cell has its own streams of random numbers, keyed by the names of its wave and brand and by what is drawn, so that
adding a wave or a brand, or changing one rate, leaves all other numbers as they were. The streams use only the raw
64-bit output of PCG64 (which numpy guarantees not to change), turned into uniforms and by the normal quantile into
normals: the same panel on every platform.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import ndtr, ndtri

from csi.moments.stack import Array, Ints
from csi.simulation.blueprint import Group, moved_shares
from csi.simulation.further import further_answers
from csi.simulation.lives import Lives
from csi.simulation.population import Cell, Population
from csi.simulation.recipe import Recipe
from csi.simulation.routes import blanks, unasked
from csi.simulation.streams import uniforms

LASTING = ("size", "groups", "weight")
"""What is drawn once for people who answer in every wave."""


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


def draw_cell(
    recipe: Recipe, population: Population, groups: tuple[Group, ...], cell: Cell, seed: int, life: Lives | None = None
) -> pl.DataFrame:
    """One cell of the panel as an export would hold it.

    Parameters:
        recipe, population, groups, cell, seed: what is drawn. life: what happens to the brand's respondents, up to this
            wave; goes on by it.

    Returns:
        Key columns (named by the recipe), then the items: codes on their scales, missing codes, or null where blank.
    """

    def draw(what: str, *shape: int) -> Array:
        lasts = recipe.panel is not None and what in LASTING
        return uniforms(seed, "" if lasts else cell.wave, cell.brand, what, shape)

    size = recipe.cell_size
    n = size.least + int(draw("size", 1)[0] * (size.most - size.least + 1))
    p = len(population.items)
    group, ids = _group(recipe, groups, cell, seed, draw("groups", n)), respondents(recipe, cell, n)
    shift = cell.shift[group] + (0.0 if life is None else life.lift(cell, group, ids))
    answers = draw_answers(population, shift, _again(recipe, cell, seed, draw("answers", n, p)), cell.variant[group])
    terms = {} if life is None else life.terms(cell, answers, ids)
    further = further_answers(recipe, answers, draw, terms)
    if life is not None:
        life.follow(cell, answers, ids)
        further = np.concatenate([further, life.flags(cell.wave, n)], axis=1)
    kind, seconds = _careless(recipe, draw("careless", n), draw("seconds", n))
    answers = _contaminate(answers, kind, draw("ticks", n, p), population)
    codes = _turned(recipe, np.concatenate([answers, further], axis=1))
    blank = np.broadcast_to((kind == 3)[:, None], codes.shape).copy()
    skipped = unasked(recipe, groups, group, codes, cell.wave, life.complaining if life else None) & ~blank
    codes, blank = _missing(recipe, codes, blank, draw("missing", len(recipe.missing), n, codes.shape[1]))
    codes, blank = np.where(skipped, _not_asked(recipe), codes), np.where(skipped, blanks(recipe), blank)
    weight = _weights(groups, group, recipe.weight_spread, draw("weight", n))
    frame = _frame(recipe, cell, groups, group, weight, seconds, codes, blank, ids)
    return frame.filter(_returning(recipe, cell, seed, n))


def respondents(recipe: Recipe, cell: Cell, n: int) -> list[str]:
    """Names of n respondents: their wave (where new people answer), brand and number."""
    t = "" if recipe.panel is not None else str(recipe.waves.index(cell.wave) + 1)
    b = [x.name for x in recipe.brands].index(cell.brand) + 1
    of_brand, of_row = len(str(len(recipe.brands))), len(str(recipe.cell_size.most))
    return [f"{t}{b:0{of_brand}d}{i:0{of_row}d}" for i in range(1, n + 1)]


def _again(recipe: Recipe, cell: Cell, seed: int, uniform: Array) -> Array:
    """Uniforms of which a part lasts over waves: `z = sqrt(again) z_person + sqrt(1 - again) z_wave`."""
    if recipe.panel is None:
        return uniform
    lasting = ndtri(uniforms(seed, "", cell.brand, "lasting", uniform.shape))
    again = recipe.panel.again
    mixed: Array = ndtr(np.sqrt(again) * lasting + np.sqrt(1 - again) * ndtri(uniform))
    return mixed


def _group(recipe: Recipe, groups: tuple[Group, ...], cell: Cell, seed: int, uniform: Array) -> Ints:
    """Group numbers (n,): by the sample's shares, and for people who answer again moved from wave to wave."""
    group = _pick(np.array([g.sample for g in groups]), uniform)
    if recipe.panel is None or not recipe.panel.moves:
        return group
    chance = np.cumsum(moved_shares(recipe, groups), axis=1)
    for wave in recipe.waves[1 : recipe.waves.index(cell.wave) + 1]:
        u = uniforms(seed, wave, cell.brand, "moves", (len(group),))
        group = np.minimum((u[:, None] >= chance[group]).sum(axis=1), len(groups) - 1)
    return group


def _returning(recipe: Recipe, cell: Cell, seed: int, n: int) -> pl.Series:
    """(n,) who answers in this wave."""
    if recipe.panel is None or cell.wave == recipe.waves[0]:
        return pl.Series([True] * n)
    return pl.Series(uniforms(seed, cell.wave, cell.brand, "returning", (n,)) < recipe.panel.returning)


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
    ids: list[str],
) -> pl.DataFrame:
    """The columns of a cell in the order of an export."""
    n = len(group)
    keys: dict[str, object] = {
        recipe.column("respondent"): ids,
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
