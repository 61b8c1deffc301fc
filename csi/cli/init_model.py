"""The model of a first study file: the card where the export has its questions, else what of it can be said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from csi.errors import Text
from csi.models.card import Card
from csi.simulation.texts import flow

GUESSED = Text(
    "# the arrows below are a beginning, not a claim: say which construct leads to which",
    "# 以下路径仅为起点，并非结论：请写明各构念之间的因果关系",
)


def blocks_named(card: Card, items: Mapping[str, Sequence[str]]) -> list[str]:
    """The constructs that have items, those of the card first."""
    return [c for c in card.constructs if items.get(c)] + [c for c in items if c not in card.constructs and items[c]]


def target_of(card: Card, present: Sequence[str]) -> str:
    """The construct that becomes the index: the card's, else satisfaction, else the last."""
    return next((c for c in (card.index.target, "satisfaction") if c in present), present[-1] if present else "")


def models_of(card: Card, items: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Lines `model: ...` to try in turn, each with the target of its index.

    The card; the card without the constructs that nobody was asked about; its arrows among those that were, each
    construct without one leading to the target.

    Parameters:
        items: construct -> names of its items.
    """
    present = blocks_named(card, items)
    absent = [c for c in card.constructs if c not in present]
    yield f"model: {flow({'card': card.id})}", card.index.target
    if absent and card.index.target in present and len(card.constructs) - len(absent) > 1:
        yield f"model: {flow({'card': card.id, 'without': absent})}", card.index.target
    if len(present) > 1:
        target = target_of(card, present)
        yield "model:\n  text: |\n" + "\n".join(f"    {line}" for line in _lines(card, items, present, target)), target


def _lines(card: Card, items: Mapping[str, Sequence[str]], present: Sequence[str], target: str) -> Iterator[str]:
    """Measurement and arrows, in lavaan's language."""
    yield from (f"{c} =~ {' + '.join(items[c])}" for c in present)
    arrows = [(a.outcome, a.predictor) for a in card.arrows if {a.outcome, a.predictor} <= set(present)]
    touched = {c for pair in arrows for c in pair}
    arrows += [(target, c) for c in present if c not in touched and c != target]
    if target not in {c for pair in arrows for c in pair}:
        arrows.append((target, next(c for c in present if c != target)))
    for outcome in dict.fromkeys(o for o, _ in arrows):
        yield f"{outcome} ~ {' + '.join(dict.fromkeys(p for o, p in arrows if o == outcome))}"
