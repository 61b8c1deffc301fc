"""Do the parts of a recipe about people who answer again, and about what happens to them, agree with the rest?"""

from __future__ import annotations

from collections.abc import Iterator

from csi.errors import Problem, problem
from csi.simulation.reading import Place
from csi.simulation.recipe import Recipe
from csi.survey.period import days_of

Named = tuple[str, list[str], tuple[str, str], Place]
Found = tuple[Place, Problem]
TOLERANCE = 1e-9
MOVED = ("construct or item", "构念或题项")


def names_of_events(recipe: Recipe) -> Iterator[Named]:
    """Every name these parts use: the name, what is known, what it should be (en, zh), and where it stands."""
    moved = [*recipe.constructs, *(i.name for i in recipe.rated)]
    yield from _of_panel(recipe, moved)
    yield from _of_lifts(recipe, moved)
    events = recipe.events
    if events is None:
        return
    for part in ("contacts", "complaints", "texts", "purchases", "spells"):
        own = getattr(events, part)
        if own is not None:
            yield own.follows, moved, MOVED, ("events", part, "follows")
    perceived = [i.attribute for i in recipe.rated if i.attribute and i.form == "P"]
    for part in ("cases", "texts"):
        own = getattr(events, part)
        for name in own.attributes if own is not None else ():
            yield name, perceived, ("perceived attribute", "感知属性"), ("events", part, "attributes", name)
    waves = events.contacts.waves if events.contacts is not None else ()
    yield from ((w, list(recipe.waves), ("wave", "期次"), ("events", "contacts", "waves")) for w in waves)


def _of_panel(recipe: Recipe, moved: list[str]) -> Iterator[Named]:
    """Stages, waves, scales and what is lifted of people who answer again."""
    if recipe.panel is None:
        return
    stages, waves, scales = [g.name for g in recipe.stages], list(recipe.waves), list(recipe.scales)
    for stage, shares in recipe.panel.moves.items():
        yield from ((s, stages, ("stage", "阶段"), ("panel", "moves", stage)) for s in (stage, *shares))
    for k, flag in enumerate(recipe.panel.flags):
        yield flag.since, waves, ("wave", "期次"), ("panel", "flags", k, "since")
        yield flag.scale, scales, ("scale", "量表"), ("panel", "flags", k, "scale")
        yield from ((n, moved, MOVED, ("panel", "flags", k, "lifts", n)) for n in flag.lifts)


def _of_lifts(recipe: Recipe, moved: list[str]) -> Iterator[Named]:
    """What complaints and failures lift."""
    events = recipe.events
    if events is not None and events.complaints is not None:
        yield from ((n, moved, MOVED, ("events", "complaints", "lifts", n)) for n in events.complaints.lifts)
    if events is not None and events.failures is not None:
        for name, recovery in events.failures.recovery.items():
            at: Place = ("events", "failures", "recovery", name)
            yield from ((n, moved, MOVED, (*at, "lifts", n)) for n in recovery.lifts)


def numbers_of_events(recipe: Recipe) -> Iterator[Found]:
    """Shares that do not sum to 1, parts that need another, waves without days, days in the wrong order."""
    panel, events = recipe.panel, recipe.events
    for stage, moves in (panel.moves if panel else {}).items():
        yield from _sum(sum(moves.values()), ("panel", "moves", stage))
    if events is None:
        return
    for part, other in (("cases", "complaints"), ("members", "purchases")):
        if getattr(events, part) is not None and getattr(events, other) is None:
            en, zh = f"{part} come of {other}, which are not there.", f"{part} 来自 {other}，但配方中没有。"
            yield ("events", part), problem("E-RECIPE", "", en, zh, f"Add {other}.", f"请补充 {other}。")
    for name in recipe.waves:
        if days_of(name) is None:
            en, zh = f'wave "{name}" does not say its days.', f"期次“{name}”未说明日期。"
            do, do_zh = "Name waves after their period, such as 2026Q1.", "请以期间命名期次，如 2026Q1。"
            yield ("waves",), problem("E-WAVE", "", en, zh, do, do_zh)
    if panel is None and len(recipe.waves) > 1:
        en, zh = "events follow people, and every wave has new ones.", "事件跟踪同一批人，而各期受访者不同。"
        do, do_zh = "Add panel: {again: 0.5}.", "请补充 panel: {again: 0.5}。"
        yield ("events",), problem("E-RECIPE", "", en, zh, do, do_zh)
    for shares, place in _shares(recipe):
        yield from _sum(sum(shares), place)
    bought = events.purchases
    if bought is not None and bought.start >= bought.until:
        en, zh = "purchases end before they start.", "购买记录的结束日早于开始日。"
        yield ("events", "purchases"), problem("E-RECIPE", "", en, zh, "Swap the days.", "请对调日期。")


def _shares(recipe: Recipe) -> Iterator[tuple[list[float], Place]]:
    """What must sum to 1."""
    events = recipe.events
    if events is None:
        return
    if events.failures is not None:
        yield [r.share for r in events.failures.recovery.values()], ("events", "failures", "recovery")
    if events.cases is not None:
        yield [a.share for a in events.cases.attributes.values()], ("events", "cases", "attributes")
        if events.cases.sources:
            yield list(events.cases.sources.values()), ("events", "cases", "sources")
    if events.texts is not None:
        yield list(events.texts.attributes.values()), ("events", "texts", "attributes")


def _sum(total: float, place: Place) -> Iterator[Found]:
    """Shares that do not sum to 1."""
    if abs(total - 1) > TOLERANCE:
        what = (f"the shares sum to {total:g}.", f"各项占比之和为 {total:g}。")
        yield place, problem("E-SHARE", "", *what, "Make them sum to 1.", "请使其合计为 1。")
