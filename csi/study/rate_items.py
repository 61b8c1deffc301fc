"""The rates of a study file, and what is wrong with their items, each at its line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from csi.behaviour.price_tolerance import branch_problems, name_taken
from csi.errors import Problem
from csi.study.positions import Document, Loc
from csi.study.schema_telling import RatesForm
from csi.study.settings import RatesPlan
from csi.survey.codebook import Codebook
from csi.tracking.rate_checks import box_problems, scale_problems, twice, unknown_items

PRICE = "price_tolerance"
"""The item that is made."""


def rates_plan(form: RatesForm | None) -> RatesPlan | None:
    """The rates of a study file."""
    if form is None:
        return None
    own = form.kcsi
    kcsi = None if own is None else (tuple(own.elements), own.overall, own.repurchase)
    price = form.tolerance
    tolerance = None if price is None else (price.rebuy, price.higher, price.lower, price.likely, price.most)
    return RatesPlan(tuple(form.top_boxes), tuple(form.csat), form.complaint, form.nps, form.boxes, kcsi, tolerance)


def rate_problems(form: RatesForm, book: Codebook, document: Document) -> Iterator[Problem]:
    """Items that are not in the codebook, that a list names twice, or whose scale a rate is not made for."""
    placed = [*_items(form)]
    for loc, item, boxed in placed:
        place = document.place(("rates", *loc))
        wrong = [*unknown_items(book, [item], place), *(box_problems(book, [item], form.boxes) if boxed else ())]
        yield from (replace(one, where=place) for one in wrong)
    for key, item in (("complaint", form.complaint), ("nps", form.nps)):
        asked = {key: item or None}
        for one in scale_problems(book, asked.get("complaint"), asked.get("nps")):
            yield replace(one, where=document.place(("rates", key)))
    for loc, items in _lists(form):
        yield from twice(items, document.place(("rates", *loc)))
    if (price := form.tolerance) is not None:
        for one in branch_problems(book, price.rebuy, price.higher, price.lower, price.likely):
            yield replace(one, where=document.place(("rates", "tolerance", one.where)))
        if PRICE in book.names:
            yield replace(name_taken(PRICE), where=document.place(("rates", "tolerance")))


def _lists(form: RatesForm) -> Iterator[tuple[Loc, Sequence[str]]]:
    """Lists of items and where they stand."""
    yield ("top_boxes",), form.top_boxes
    yield ("csat",), form.csat
    if form.kcsi is not None:
        yield ("kcsi", "elements"), form.kcsi.elements


def _items(form: RatesForm) -> Iterator[tuple[Loc, str, bool]]:
    """Every item that is named: where, and whether its highest answers are counted."""
    for loc, items in _lists(form):
        yield from (((*loc, at), item, loc != ("csat",)) for at, item in enumerate(items))
    yield from (((key,), item, False) for key, item in (("complaint", form.complaint), ("nps", form.nps)) if item)
    if (own := form.kcsi) is not None:
        yield ("kcsi", "overall"), own.overall, True
        yield ("kcsi", "repurchase"), own.repurchase, True
    if (price := form.tolerance) is not None:
        yield from (
            (("tolerance", key), item, False)
            for key, item in (("rebuy", price.rebuy), ("higher", price.higher), ("lower", price.lower))
        )
