"""What a recipe states about people who answer again and about what happens to them, as rows of the truth."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import expit, gammaincinv, ndtr

from csi.simulation.event_parts import EventsPart, MembersPart, PurchasesPart
from csi.simulation.events_bought import MONTH, WEEK
from csi.simulation.recipe import Recipe

Row = tuple[str, str, str, str, float]
"""brand, wave, kind, name, value."""


def stated_events(recipe: Recipe) -> Iterator[Row]:
    """Rows with empty brand and wave.

    kinds: "move" (`stage>stage`), "flag" (points by lot), "reach", "touchpoint" (mean score), "failure", "recovery"
    (points of `recovery: construct`), "complaint" (log-odds, 1 the constant), "handled", "case" (days, points while
    open), "text" (log-odds of writing; shares of attributes), "bgnbd", "amount", "members" (log-odds, lift, extra a
    month: what a member spends more in a month, while nobody leaves), "spell".

    Example:
        >>> list(stated_events(Recipe.model_construct()))
        []
    """
    for kind, name, value in (*_panel(recipe), *_said(recipe), *_bought(recipe.events)):
        yield "", "", kind, name, float(value)


def _panel(recipe: Recipe) -> Iterator[tuple[str, str, float]]:
    """Moves of stages and what is done by lot."""
    if recipe.panel is None:
        return
    for stage, moves in recipe.panel.moves.items():
        yield from (("move", f"{stage}>{goal}", share) for goal, share in moves.items())
    for flag in recipe.panel.flags:
        yield from (("flag", f"{flag.name}: {name}", points) for name, points in flag.lifts.items())


def _said(recipe: Recipe) -> Iterator[tuple[str, str, float]]:
    """Contacts, failures, complaints, cases, comments."""
    events = recipe.events or EventsPart()
    if events.contacts is not None:
        for name, touchpoint in events.contacts.touchpoints.items():
            yield "reach", name, touchpoint.reach
            yield "touchpoint", name, touchpoint.mean
    if events.failures is not None:
        yield "failure", "rate", events.failures.rate
        for name, recovery in events.failures.recovery.items():
            yield from (("recovery", f"{name}: {what}", points) for what, points in recovery.lifts.items())
    if events.complaints is not None:
        yield from (
            ("complaint", "1", events.complaints.constant),
            ("complaint", events.complaints.follows, events.complaints.slope),
        )
        yield "handled", "share", events.complaints.handled
        yield from (("handled", what, points) for what, points in events.complaints.lifts.items())
    for name, case in (events.cases.attributes if events.cases else {}).items():
        yield from (("case", f"{name}: days", case.days), ("case", f"{name}: open", case.lift))
    if events.texts is not None:
        yield from (("text", "1", events.texts.constant), ("text", events.texts.follows, events.texts.slope))
        yield from (("text", f"share: {name}", share) for name, share in events.texts.attributes.items())


def _bought(events: EventsPart | None) -> Iterator[tuple[str, str, float]]:
    """Purchases, members, spells."""
    if events is None:
        return
    if events.purchases is not None:
        yield from (("bgnbd", name, getattr(events.purchases, name)) for name in ("r", "alpha", "a", "b"))
        yield from (("amount", name, getattr(events.purchases, name)) for name in ("p", "q", "gamma"))
        if events.members is not None:
            yield from (("members", name, getattr(events.members, name)) for name in ("constant", "slope", "lift"))
            yield "members", "extra a month", extra_a_month(events.purchases, events.members)
    if events.spells is not None:
        yield from (("spell", "1", events.spells.constant), ("spell", events.spells.follows, events.spells.slope))


def extra_a_month(part: PurchasesPart, club: MembersPart) -> float:
    """What members spend more in a month than they would without: `lift E[rate | member] E[amount]`.

    Parameters:
        part: with nobody leaving. club: logit of joining in the normal score of the rate.
    """
    z = (np.arange(20_000) + 0.5) / 20_000 * 16 - 8
    weight = np.exp(-(z**2) / 2) * expit(club.constant + club.slope * z)
    rate = gammaincinv(part.r, ndtr(z)) / part.alpha
    amount = part.p * part.gamma / (part.q - 1)
    return float(club.lift * amount * (weight @ rate) / weight.sum() * MONTH / WEEK)
