"""Do the parts of a recipe behind its items agree: forms, routes, Kano pairs, points, outcomes, mentions?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from csi.errors import Problem, did_you_mean, problem
from csi.simulation.further import TERMS, factors
from csi.simulation.reading import Place
from csi.simulation.recipe import Recipe
from csi.simulation.routes import HAPPENED

Named = tuple[str, list[str], tuple[str, str], Place]
Found = tuple[Place, Problem]

TOLERANCE = 1e-9

GROUPS = {"stage": "阶段", "segment": "细分", "wave": "期次"}
"""What a route may go by beside answers."""


def names_further(recipe: Recipe) -> Iterator[Named]:
    """Every name these parts use: the name, what is known, what it should be (en, zh), and where it stands."""
    constructs = list(recipe.constructs)
    headings = [*constructs, *recipe.topics]
    construct, heading = ("construct", "构念"), ("construct or topic", "构念或主题")
    for name, part in recipe.constructs.items():
        if part.listed:
            yield part.listed, headings, heading, ("constructs", name, "as")
    for k, attribute in enumerate(recipe.attributes):
        for form, own in attribute.forms.items():
            yield own.of, constructs, construct, ("attributes", k, "forms", form)
    for section in ("kano", "outcomes"):
        for k, question in enumerate(getattr(recipe, section)):
            if question.of:
                yield question.of, headings, heading, (section, k, "construct")
    for k, points in enumerate(recipe.points):
        yield from ((name, headings, heading, ("points", k, "shares", name)) for name in points.shares)
    for score, own_score in recipe.scores.items():
        yield from ((name, constructs, construct, ("scores", score)) for name in own_score.constructs)
    yield from _of_stages(recipe, constructs)
    yield from _of_outcomes(recipe)
    yield from _of_routes(recipe, headings)
    yield from _of_scales(recipe)


def _of_stages(recipe: Recipe, constructs: list[str]) -> Iterator[Named]:
    """Paths of a stage."""
    for k, stage in enumerate(recipe.stages):
        for outcome, row in stage.paths.items():
            for name in (outcome, *row):
                yield name, constructs, ("construct", "构念"), ("stages", k, "paths", outcome)


def _of_outcomes(recipe: Recipe) -> Iterator[Named]:
    """Scores that slopes belong to; attributes that are mentioned."""
    for k, outcome in enumerate(recipe.outcomes):
        for term in outcome.slopes:
            for name in factors(term):
                yield name, [*recipe.scores, *TERMS], ("score", "得分"), ("outcomes", k, "slopes", term)
    if recipe.mentions is not None:
        known = list(dict.fromkeys(q.attribute for q in recipe.rated if q.attribute))
        for name in recipe.mentions.attributes:
            yield name, known, ("attribute", "属性"), ("mentions", "attributes", name)


def _of_routes(recipe: Recipe, headings: list[str]) -> Iterator[Named]:
    """What routes ask, and on what condition."""
    questions = [q.name for q in recipe.asked]
    groups = {
        "stage": [g.name for g in recipe.stages], "segment": [g.name for g in recipe.segments],
        "wave": list(recipe.waves),
    }  # fmt: skip
    happened = [HAPPENED] if recipe.events is not None and recipe.events.complaints is not None else []
    for k, route in enumerate(recipe.routes):
        for name in route.ask:
            yield name, [*questions, *headings], ("question or construct", "题项或构念"), ("routes", k, "ask")
        for name, values in route.when.items():
            if name not in groups:
                yield name, [*groups, *happened, *questions], ("question", "题项"), ("routes", k, "if", name)
            for value in values if name in groups else ():
                yield value, groups[name], (name, GROUPS[name]), ("routes", k, "if", name)


def _of_scales(recipe: Recipe) -> Iterator[Named]:
    """Scales of attributes, pairs, points and outcomes."""
    for section in ("attributes", "kano", "points", "outcomes"):
        for k, part in enumerate(getattr(recipe, section)):
            if part.scale:
                yield part.scale, list(recipe.scales), ("scale", "量表"), (section, k, "scale")


def numbers_further(recipe: Recipe) -> Iterator[Found]:
    """Shares that do not sum to 1, scales that cannot hold the answers, totals no steps make, routes without a code."""
    for k, part in enumerate(recipe.kano):
        yield from _sum(part.classes.values(), ("kano", k, "classes"))
        yield from _holds(recipe, part.scale, 1, 5, ("kano", k, "scale"))
    for k, points in enumerate(recipe.points):
        yield from _sum(points.shares.values(), ("points", k, "shares"))
        yield from _holds(recipe, points.scale, 0, points.total, ("points", k, "scale"))
        if points.total % points.step:
            what = (f"steps of {points.step} never make {points.total}.", f"步长 {points.step} 凑不成 {points.total}。")
            do = ("Choose a step that divides the total.", "请选择能整除总数的步长。")
            yield ("points", k, "step"), problem("E-SHARE", "", *what, *do)
    for k, outcome in enumerate(recipe.outcomes):
        if outcome.link == "logit":
            yield from _holds(recipe, outcome.scale, 0, 1, ("outcomes", k, "scale"))
    if recipe.mentions is not None:
        for name, said in recipe.mentions.attributes.items():
            yield from _sum(said.valence, ("mentions", "attributes", name, "valence"))
    yield from _codes(recipe)


def _sum(shares: Iterable[float], place: Place) -> Iterator[Found]:
    total = sum(shares)
    if abs(total - 1) > TOLERANCE:
        what = (f"the shares sum to {total:g}.", f"各项占比之和为 {total:g}。")
        yield place, problem("E-SHARE", "", *what, "Make them sum to 1.", "请使其合计为 1。")


def _holds(recipe: Recipe, name: str, low: int, high: int, place: Place) -> Iterator[Found]:
    scale = recipe.scales.get(name) or next(iter(recipe.scales.values()))
    if (scale.min, scale.max) != (low, high):
        what = (
            f"the scale runs from {scale.min} to {scale.max}, the answers from {low} to {high}.",
            f"量表为 {scale.min}—{scale.max}，而回答取值 {low}—{high}。",
        )
        do = (f"Name a scale with min {low} and max {high}.", f"请使用 min 为 {low}、max 为 {high} 的量表。")
        yield place, problem("E-SCALE", "", *what, *do)


def _codes(recipe: Recipe) -> Iterator[Found]:
    """Routes that lead past a question whose scale has no code for it."""
    for k, route in enumerate(recipe.routes):
        for question in () if route.blank else (recipe.asked[at] for at in recipe.places(route.ask)):
            if question.scale and question.scale not in recipe.scales:
                continue
            if "not_asked" not in recipe.scale_of(question).missing.values():
                what = (
                    f'the scale of {question.name} has no code for "not_asked".',
                    f"{question.name} 的量表没有“not_asked”代码。",
                )
                do = ("Add the code to the scale.", "请在量表中补充该代码。")
                yield ("routes", k, "ask"), problem("E-REASON", "", *what, *do)
                break


def unknown(name: str, known: Iterable[str], kind: tuple[str, str], at: str) -> Iterator[Problem]:
    """A problem if `name` is not `known`."""
    known = list(known)
    if name not in known:
        remedy = did_you_mean(name, known)
        what = (f'"{name}" is not a {kind[0]} of this recipe.', f"“{name}”不是本配方中的{kind[1]}。")
        yield problem("E-NAME", at, *what, remedy.en, remedy.zh)
