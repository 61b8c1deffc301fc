"""What can be wrong with a card itself: names it does not have, chains without arrows, blocks without items."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from csi.errors import Problems, Text, did_you_mean
from csi.models.card_parts import Arrow, CardFault, Fault, Loc, arrow_of
from csi.models.card_text import SCALES
from csi.models.composites import find_cycle
from csi.models.syntax.evaluate import compile_expression

if TYPE_CHECKING:
    from csi.models.card import Card


def faults(card: Card) -> Iterator[Fault]:
    """Everything that is wrong with a card, each with its place in the file."""
    arrows, wrong = _arrows(card.paths, ("paths",))
    yield from wrong
    yield from _names(card, arrows)
    for name, block in card.constructs.items():
        if block.scale not in SCALES:
            listed = ", ".join(SCALES)
            said = Text(
                f'unknown scale "{block.scale}" (known: {listed})', f"未知量表“{block.scale}”（可用：{listed}）"
            )
            yield Fault(said, ("constructs", name, "scale"), did_you_mean(block.scale, SCALES))
    yield from _higher(card)
    if not wrong:  # a chain along an arrow that cannot be read is no fault of its own
        yield from _chains(card, arrows)
    for name, rival in card.rivals.items():
        yield from _rival(card, name)
        if rival.paths is not None:
            known = (*card.constructs, *rival.merge, *rival.higher)
            others, wrong = _arrows(rival.paths, ("rivals", name, "paths"))
            yield from wrong
            yield from _unknown(_of_paths(rival.paths, others, ("rivals", name, "paths")), known, f"rivals.{name}")


def _arrows(paths: Mapping[str, Sequence[str]], at: Loc) -> tuple[list[Arrow], list[Fault]]:
    """The arrows of some paths that can be read, and faults of the others."""
    read, wrong = [], []
    for outcome, texts in paths.items():
        for place, text in enumerate(texts):
            try:
                read.append(arrow_of(outcome, text))
            except CardFault as fault:
                wrong.append(Fault(fault.text, (*at, outcome, place)))
    return read, wrong


def _of_paths(paths: Mapping[str, Sequence[str]], arrows: Sequence[Arrow], at: Loc) -> list[tuple[str, Loc]]:
    """Every name in some paths with its place."""
    names: list[tuple[str, Loc]] = [(outcome, (*at, outcome)) for outcome in paths]
    count: dict[str, int] = {}
    for arrow in arrows:
        place = count.get(arrow.outcome, 0)
        texts = paths[arrow.outcome]
        while arrow.predictor not in texts[place]:
            place += 1
        names.append((arrow.predictor, (*at, arrow.outcome, place)))
        count[arrow.outcome] = place + 1
    return names


def _listed(key: str, of: Mapping[str, Sequence[str]]) -> list[tuple[str, Loc]]:
    """Names of a mapping of lists with their places."""
    outer: list[tuple[str, Loc]] = [(y, (key, y)) for y in of]
    return outer + [(x, (key, y, k)) for y, xs in of.items() for k, x in enumerate(xs)]


def _names(card: Card, arrows: Sequence[Arrow]) -> Iterator[Fault]:
    """Names that are no constructs; constructs without a place."""
    known = tuple(card.constructs)
    used: list[tuple[str, Loc]] = [(card.index.target, ("index", "target"))]
    used += _of_paths(card.paths, arrows, ("paths",))
    used += [(name, ("layout", name)) for name in card.layout]
    for key, of in (("zeros", card.zeros), ("asymmetry", card.asymmetry), ("covariances", card.covariances)):
        used += _listed(key, of)
    used += [(y, ("simulated", y)) for y in card.simulated]
    used += [(x, ("simulated", y, x)) for y, xs in card.simulated.items() for x in xs]
    yield from _unknown(used, known, "")
    lost = sorted(set(known) - set(card.layout))
    if card.layout and lost:
        said = Text(f"without a place in the layout: {', '.join(lost)}", f"布局中缺少位置：{'、'.join(lost)}")
        yield Fault(said, ("layout",))
    pairs = {(a.outcome, a.predictor) for a in arrows}
    for y, xs in card.zeros.items():
        for k, x in enumerate(xs):
            if (y, x) in pairs:
                said = Text(f"{y} ~ {x} is claimed to be zero and to be a path", f"{y} ~ {x} 同时被列为零路径与路径")
                yield Fault(said, ("zeros", y, k))


def _unknown(names: Sequence[tuple[str, Loc]], known: Sequence[str], where: str) -> Iterator[Fault]:
    """Names the card does not have, each at every place where it stands."""
    place, place_zh = (f" ({where})", f"（{where}）") if where else ("", "")
    for name, at in names:
        if name not in known:
            said = Text(f"not a construct of this card{place}: {name}", f"不是该模型卡的构念{place_zh}：{name}")
            yield Fault(said, at, did_you_mean(name, known))


def _higher(card: Card) -> Iterator[Fault]:
    """Constructs made of constructs: of known ones, without items, each part in one of them, no circle."""
    higher = {name: block.of for name, block in card.constructs.items() if block.of}
    places: list[tuple[str, Loc]] = [
        (part, ("constructs", name, "of", k)) for name, of in higher.items() for k, part in enumerate(of)
    ]
    yield from _unknown(places, tuple(card.constructs), "of")
    for name in higher:
        if card.constructs[name].items is not None:
            said = Text(f"{name} is made of constructs and cannot have items", f"{name} 由构念构成，不能再有题项")
            yield Fault(said, ("constructs", name, "items"))
    seen: set[str] = set()
    for part, at in places:
        if part in seen:
            yield Fault(Text(f"{part} is part of two constructs", f"{part} 同时属于两个高阶构念"), at)
        seen.add(part)
    circle = find_cycle(higher)
    if circle:
        chain = " > ".join(circle)
        yield Fault(Text(f"made of itself: {chain}", f"循环构成：{chain}"), ("constructs", circle[0], "of"))


def _chains(card: Card, arrows: Sequence[Arrow]) -> Iterator[Fault]:
    """Hypotheses that follow arrows, contrasts of hypotheses."""
    steps = {(a.predictor, a.outcome) for a in arrows}
    for name, chain in card.hypotheses.items():
        if not set(pairwise(chain_of(chain))) <= steps:
            said = Text(
                f"hypothesis {name} follows an arrow the card does not have: {chain}",
                f"假设 {name} 含有该模型卡没有的路径：{chain}",
            )
            yield Fault(said, ("hypotheses", name))
    for path in card.trends:
        outcome, _, predictor = path.partition("~")
        if (predictor.strip(), outcome.strip()) not in steps:
            said = Text(f"trends: the card has no arrow {path}", f"trends：该模型卡没有路径 {path}")
            yield Fault(said, ("trends", path))
    for name, formula in card.contrasts.items():
        at = ("contrasts", name)
        try:
            labels = compile_expression(formula).labels
        except Problems as error:
            what = error.problems[0].what
            yield Fault(Text(f"contrast {name} cannot be read: {what.en}", f"对比 {name} 无法解析：{what.zh}"), at)
            continue
        wrong = sorted(set(labels) - set(card.hypotheses))
        if wrong:
            said = Text(
                f"contrast {name} names what is no hypothesis of this card: {', '.join(wrong)}",
                f"对比 {name} 中的 {'、'.join(wrong)} 不是该模型卡的假设",
            )
            yield Fault(said, at, did_you_mean(wrong[0], card.hypotheses) if card.hypotheses else None)


def _rival(card: Card, name: str) -> Iterator[Fault]:
    """A rival's constructs: parts known, new names new, something different."""
    rival, at = card.rivals[name], ("rivals", name)
    parts: list[tuple[str, Loc]] = [
        (part, (*at, key, new, k))
        for key, of in (("merge", rival.merge), ("higher", rival.higher))
        for new, parts in of.items()
        for k, part in enumerate(parts)
    ]
    parts_and_among = [*parts, *((one, (*at, "among", k)) for k, one in enumerate(rival.among))]
    yield from _unknown(parts_and_among, tuple(card.constructs), f"rivals.{name}")
    for key, of in (("merge", rival.merge), ("higher", rival.higher)):
        for new in (n for n in of if n in card.constructs):
            said = Text(f"rivals.{name}: {new} is a construct already", f"rivals.{name}：构念 {new} 已存在")
            yield Fault(said, (*at, key, new))
    for k, one in enumerate(rival.apart):
        if one not in card.constructs or not card.constructs[one].of:
            said = Text(f"rivals.{name}: {one} is not made of constructs", f"rivals.{name}：{one} 不是高阶构念")
            yield Fault(said, (*at, "apart", k))
    if rival.paths is None and not parts and not rival.apart:
        said = Text(
            f"rivals.{name} claims nothing else: give paths, merge, higher or apart",
            f"rivals.{name} 没有不同之处：请写 paths、merge、higher 或 apart",
        )
        yield Fault(said, at)


def chain_of(text: str) -> tuple[str, ...]:
    """`a > b > c` as names.

    Example:
        >>> chain_of("a > b>c")
        ('a', 'b', 'c')
    """
    return tuple(part.strip() for part in text.split(">"))
