"""Do the parts of a recipe agree? Every disagreement is a problem with its line; none stops the search for more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from csi.errors import Problem, Problems, problem
from csi.simulation.checks_events import names_of_events, numbers_of_events
from csi.simulation.checks_further import names_further, numbers_further, unknown
from csi.simulation.reading import Lines, Place, read_yaml, validated, where
from csi.simulation.recipe import Recipe

Spot = Callable[[Place], str]
CONSTRUCT, ITEM = ("construct", "构念"), ("item", "题项")


def read_recipe(path: str | Path) -> Recipe:
    """Read and check a recipe file.

    Parameters:
        path: the YAML file.

    Raises:
        Problems: everything that must be changed, each with file and line.

    Example:
        >>> read_recipe("nowhere.yaml")
        Traceback (most recent call last):
        csi.errors.Problems: nowhere.yaml: no such file. Check the path.
    """
    value, lines = read_yaml(Path(path))
    recipe = validated(Recipe, value, Path(path), lines)
    check(recipe, Path(path), lines)
    return recipe


def check(recipe: Recipe, path: Path | str = "recipe", lines: Lines | None = None) -> None:
    """Raise every disagreement between the parts of a recipe at once.

    Raises:
        Problems: unknown names, lists of the wrong length, shares that do not sum to 1, names twice, ...
    """

    def spot(place: Place) -> str:
        return where(path, lines or {}, place)

    found = [*_names(recipe, spot), *_twice(recipe, spot), *_numbers(recipe, spot), *_reasons(recipe, spot)]
    further = (*numbers_further(recipe), *numbers_of_events(recipe))
    found += [replace(one, where=spot(place)) for place, one in further]
    if found:
        raise Problems(found)


def _names(recipe: Recipe, spot: Spot) -> Iterator[Problem]:
    """Names that point nowhere, and constructs without items."""
    for name, known, kind, place in (*_mentions(recipe), *names_further(recipe), *names_of_events(recipe)):
        yield from unknown(name, known, kind, spot(place))
    for name in recipe.constructs:
        if name not in {i.of for i in recipe.rated}:
            what = (f'construct "{name}" has no item.', f"构念“{name}”没有题项。")
            remedy = ("Add an item or remove the construct.", "请添加题项或删除该构念。")
            yield problem("E-EMPTY", spot(("constructs", name)), *what, *remedy)


Mention = tuple[str, list[str], tuple[str, str], Place]


def _mentions(recipe: Recipe) -> Iterator[Mention]:
    """Every name a recipe uses: the name, what is known, what it should be (en, zh), and where it stands."""
    constructs, scales = list(recipe.constructs), list(recipe.scales)
    for k, entry in enumerate(recipe.items):
        yield entry.of, constructs, CONSTRUCT, ("items", k, "construct")
        if entry.scale:
            yield entry.scale, scales, ("scale", "量表"), ("items", k, "scale")
    for section, table in (("paths", recipe.paths), ("correlations", recipe.correlations)):
        for outcome, row in table.items():
            yield from ((name, constructs, CONSTRUCT, (section, outcome)) for name in (outcome, *row))
    for section, groups in (("stages", recipe.stages), ("segments", recipe.segments)):
        for k, group in enumerate(groups):
            yield from ((name, constructs, CONSTRUCT, (section, k, "shift", name)) for name in group.shift)
    yield from _mentions_of_brands_and_items(recipe)


def _mentions_of_brands_and_items(recipe: Recipe) -> Iterator[Mention]:
    """The names under `levels`, `item_shifts` and `missing`."""
    constructs, items = list(recipe.constructs), [i.name for i in recipe.rated]
    brands = [b.name for b in recipe.brands]
    tables = (("levels", recipe.levels, constructs, CONSTRUCT), ("item_shifts", recipe.item_shifts, items, ITEM))
    for section, table, known, kind in tables:
        for brand, row in table.items():
            yield brand, brands, ("brand", "品牌"), (section, brand)
            yield from ((name, known, kind, (section, brand, name)) for name in row)
    for k, rule in enumerate(recipe.missing):
        named = [*(q.name for q in recipe.asked), *constructs, *recipe.topics]
        yield from ((name, named, ITEM, ("missing", k, "items")) for name in rule.items)


def _twice(recipe: Recipe, spot: Spot) -> Iterator[Problem]:
    """Names that stand twice."""
    lists = {
        "items": [i.name for i in recipe.asked],
        "brands": [b.name for b in recipe.brands],
        "waves": list(recipe.waves),
        "stages": [g.name for g in recipe.stages],
        "segments": [g.name for g in recipe.segments],
    }
    for section, names in lists.items():
        for k, name in enumerate(names):
            if name in names[:k]:
                what = (f'"{name}" stands twice under {section}.', f"“{name}”在 {section} 中重复出现。")
                yield problem("E-TWICE", spot((section, k)), *what, "Keep one of them.", "请只保留一个。")
    for name in {q.name for q in recipe.asked} & {*recipe.constructs, *recipe.topics}:
        what = (f'"{name}" is the name of an item and of a construct.', f"“{name}”既是题项名又是构念名。")
        yield problem("E-TWICE", spot(("items",)), *what, "Give the item another name.", "请给题项改名。")


def _numbers(recipe: Recipe, spot: Spot) -> Iterator[Problem]:
    """Shares that do not sum to 1, sizes the wrong way round, scales without a range, and what `_series` finds."""
    yield from _series(recipe, spot)
    for section, groups in (("stages", recipe.stages), ("segments", recipe.segments)):
        for total in (sum(g.share for g in groups), sum(g.sample or g.share for g in groups)):
            if groups and abs(total - 1) > 1e-9:
                what = (f"the shares sum to {total:g}.", f"各组占比之和为 {total:g}。")
                yield problem("E-SHARE", spot((section,)), *what, "Make them sum to 1.", "请使其合计为 1。")
                break
    if recipe.cell_size.least > recipe.cell_size.most:
        what = ("`least` is above `most`.", "least 大于 most。")
        yield problem("E-SIZE", spot(("cell_size",)), *what, "Swap them.", "请对调两者。")
    for name, scale in recipe.scales.items():
        if scale.min >= scale.max:
            what = (f'scale "{name}" has no range.', f"量表“{name}”没有取值范围。")
            yield problem("E-SCALE", spot(("scales", name)), *what, "Set min below max.", "请使 min 小于 max。")


def _series(recipe: Recipe, spot: Spot) -> Iterator[Problem]:
    """Lists that are not one number per wave, and levels off the scale."""
    waves = len(recipe.waves)
    for section, table in (("levels", recipe.levels), ("item_shifts", recipe.item_shifts)):
        for place, value in ((((section, brand, name)), v) for brand, row in table.items() for name, v in row.items()):
            if isinstance(value, tuple) and len(value) != waves:
                what = (f"{len(value)} numbers for {waves} waves.", f"共有 {waves} 期，却给出 {len(value)} 个数。")
                remedy = ("Give one number, or one per wave.", "请给出一个数，或每期一个数。")
                yield problem("E-LENGTH", spot(place), *what, *remedy)
            if section == "levels" and not np.all((np.array(value) > 0) & (np.array(value) < 100)):
                what = ("a level lies outside 0-100.", "水平值超出 0—100。")
                yield problem("E-LEVEL", spot(place), *what, "Levels are index points.", "水平值的单位是指数分。")


def _reasons(recipe: Recipe, spot: Spot) -> Iterator[Problem]:
    """Reasons for a missing answer that a scale has no code for (a blank needs none)."""
    for k, rule in enumerate(recipe.missing):
        for item in (recipe.asked[at] for at in recipe.places(rule.items or [q.name for q in recipe.asked])):
            if item.scale and item.scale not in recipe.scales:
                continue
            if rule.reason != "empty" and rule.reason not in recipe.scale_of(item).missing.values():
                what = (f'the scale has no code for "{rule.reason}".', f"量表中没有“{rule.reason}”的缺失代码。")
                remedy = ("Add the code to the scale.", "请在量表中补充该代码。")
                yield problem("E-REASON", spot(("missing", k)), *what, *remedy)
                break
