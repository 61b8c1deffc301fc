"""Rivals of a card as cards of their own, so that everything that works on a card works on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product

from csi.errors import Text
from csi.models.card import Card
from csi.models.card_parts import Arrow, Block, Rival, Target


def contest(card: Card, name: str) -> tuple[Card, Card]:
    """What is compared: the card (or its measurement of some constructs) and its rival.

    Parameters:
        card: a card. name: of one of its rivals.

    Returns:
        two cards without hypotheses and rivals.

    Example:
        >>> from csi.models.cards import read_card
        >>> own, rival = contest(read_card("servqual"), "one_factor")
        >>> len(own.constructs), list(rival.constructs)
        (6, ['service_quality', 'satisfaction'])
    """
    rival = card.rivals[name]
    among = rival.among or tuple(card.constructs)
    own = _only(card, among)
    own = _bare(own, {} if rival.among else card.paths)
    constructs = _constructs(own, rival)
    paths: Mapping[str, tuple[str, ...]] = {}
    if not rival.among:
        places: dict[str, tuple[str, ...]] = {name: (new,) for name, new in rival.renamed.items()}
        places |= {name: card.constructs[name].of for name in rival.apart}
        paths = rival.paths if rival.paths is not None else _rewritten(card.arrows, places)
    target = rival.renamed.get(own.index.target, own.index.target)
    target = next(iter(constructs)) if target in rival.apart else target
    other = replace(
        own,
        title=Text(rival.en, rival.zh),
        constructs=constructs,
        paths=paths,
        index=Target(target),
        layout=_places(own, rival, constructs),
        covariances={} if rival.merge or rival.apart else own.covariances,
    )
    return own, other


def merged(rival: Rival, items: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    """The items of a rival's constructs.

    Example:
        >>> merged(Rival("", "", merge={"affect": ("pa", "na")}), {"pa": ["a"], "na": ["b"], "sat": ["s"]})
        {'affect': ['a', 'b'], 'sat': ['s']}
    """
    new = {name: [i for part in parts for i in items.get(part, ())] for name, parts in rival.merge.items()}
    gone = {part for parts in rival.merge.values() for part in parts}
    kept = {n: b for n, b in items.items() if n not in gone and (not rival.among or n in rival.among)}
    return {**{n: b for n, b in new.items() if b}, **kept}


def _only(card: Card, names: Iterable[str]) -> Card:
    """The card's constructs of these names, and its index if it is one of them."""
    kept = [n for n in card.constructs if n in set(names)]
    target = card.index.target if card.index.target in kept else kept[0]
    paths = card.paths if len(kept) == len(card.constructs) else {}
    return replace(
        _bare(card, paths),
        constructs={n: card.constructs[n] for n in kept},
        layout={n: card.layout[n] for n in kept if n in card.layout},
        index=Target(target),
        covariances={x: tuple(y for y in ys if y in kept) for x, ys in card.covariances.items() if x in kept},
    )


def _bare(card: Card, paths: Mapping[str, tuple[str, ...]]) -> Card:
    """The card with these paths and nothing that rests on its own."""
    return replace(
        card, paths=paths, hypotheses={}, contrasts={}, zeros={}, rivals={}, asymmetry={}, trends={}, simulated={}
    )


def _constructs(card: Card, rival: Rival) -> dict[str, Block]:
    """Blocks of a rival: merged ones in the place of their first part, higher ones behind their last."""
    out: dict[str, Block] = {}
    first = {parts[0]: new for new, parts in rival.merge.items()}
    gone = {part for parts in rival.merge.values() for part in parts} | set(rival.apart)
    last = {parts[-1]: new for new, parts in rival.higher.items()}
    for name, block in card.constructs.items():
        if name in first:
            out[first[name]] = Block(rival.zh, rival.en, scale=block.scale, form=block.form)
        if name not in gone:
            out[name] = block
        if name in last:
            out[last[name]] = Block(rival.zh, rival.en, of=rival.higher[last[name]])
    return out


def _rewritten(arrows: Iterable[Arrow], places: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Arrows between new names, each once; a sign that parts disagree on is dropped, and so is an arrow to itself."""
    signs: dict[tuple[str, str], set[str]] = {}
    for arrow in arrows:
        ends = (places.get(n, (n,)) for n in (arrow.outcome, arrow.predictor))
        for y, x in (pair for pair in product(*ends) if pair[0] != pair[1]):
            signs.setdefault((y, x), set()).add(arrow.sign)
    out: dict[str, tuple[str, ...]] = {}
    for (y, x), found in signs.items():
        sign = next(iter(found)) if len(found) == 1 else ""
        out[y] = (*out.get(y, ()), f"{sign}{x}")
    return out


def _places(card: Card, rival: Rival, constructs: Iterable[str]) -> dict[str, tuple[float, float]]:
    """Where constructs stand: a new one in the middle of its parts, a higher one beside them."""
    parts = {**rival.merge, **rival.higher}
    if not card.layout:
        return {}
    out = {}
    for name in constructs:
        if name in parts:
            xs, ys = zip(*(card.layout[p] for p in parts[name]), strict=True)
            aside = 250.0 if name in rival.higher else 0.0
            out[name] = (sum(xs) / len(xs) + aside, sum(ys) / len(ys))
        else:
            out[name] = card.layout[name]
    return out
