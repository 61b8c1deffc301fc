"""Which items of a codebook measure the constructs of a card."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import get_args

from csi.errors import Note, Problem, Problems, Text, did_you_mean, note, problem
from csi.models.card import Block, Card
from csi.models.cards import read_card
from csi.survey.codebook import Codebook, Form

FORMS: tuple[Form, ...] = get_args(Form)


def blocks_of(
    card: Card,
    codebook: Codebook,
    constructs: Mapping[str, str] | None = None,
    without: Iterable[str] = (),
    lang: str = "en",
) -> dict[str, tuple[str, ...]]:
    """The items of every construct of a card that a codebook has items for.

    A construct is looked up under the name given in `constructs`, else under its own, else under the card's other names
    for it. Of a construct's items those in the card's form count, else the items in that form whose facet bears the
    name, else those asked as perceived, else all; under another name only those in the card's form count where the
    codebook has any of that form. A name that is a form ("Ew") and no construct stands for all items of that form.

    Parameters:
        card: a card. codebook: what was asked. constructs: {card's name: codebook's name}. without: constructs left
            out. lang: language of messages.

    Returns:
        {construct: items}; constructs made of constructs and optional ones without items are absent.

    Raises:
        Problems: E-ROLE for every construct that needs items and has none, E-CONSTRUCT for unknown names.

    Example:
        >>> from csi.survey.codebook import Item, Scale
        >>> seven = Scale("seven", 1, 7)
        >>> items = (Item("c1", "conf", seven, Text("", ""), form="D"), Item("s1", "satisfaction", seven, Text("", "")))
        >>> book = Codebook(items, {}, {})
        >>> blocks_of(read_card("ecm"), book, without=["usefulness", "continuance"])
        {'confirmation': ('c1',), 'satisfaction': ('s1',)}
    """
    given = {card.named(name): source for name, source in (constructs or {}).items()}
    left_out = {card.named(name) for name in without}
    unknown = [*_unknown(card, codebook, given, left_out)]
    if unknown:
        raise Problems(unknown, lang)
    wanted = {n: b for n, b in card.constructs.items() if n not in left_out and not b.of}
    found = {n: items_of(n, b, codebook, given) for n, b in wanted.items()}
    absent = [n for n, items in found.items() if not items and not wanted[n].optional]
    if absent:
        raise Problems([no_items(card, n, codebook) for n in absent], lang)
    return {n: items for n, items in found.items() if items}


def items_of(name: str, block: Block, codebook: Codebook, given: Mapping[str, str]) -> tuple[str, ...]:
    """The items of one construct, under the first name that has any.

    Example:
        >>> items_of("satisfaction", read_card("ecm").constructs["satisfaction"], Codebook((), {}, {}), {})
        ()
    """
    asked = {i.form for i in codebook.items}
    for source in (given[name],) if given.get(name) else (name, *block.alias):
        exact = codebook.items_of(source, block.form) or tuple(
            i.name for i in codebook.items if i.facet == source and i.form == block.form
        )
        near = source in (name, given.get(name)) or block.form not in asked
        items = exact or ((codebook.items_of(source, "P") or codebook.items_of(source)) if near else ())
        if not items and source in FORMS:
            items = tuple(i.name for i in codebook.items if i.form == source)
        if items:
            return items
    return ()


def other_forms(card: Card, codebook: Codebook, items: Mapping[str, tuple[str, ...]]) -> tuple[Note, ...]:
    """N-ITEM-FORM: constructs measured by items asked in another form than the card's, and which.

    A codebook of one form throughout tells no forms apart, so that none is the wrong one.

    Example:
        >>> from csi.survey.codebook import Item, Scale
        >>> one = Item("x1", "", Scale("seven", 1, 7), Text("", ""), form="P", facet="functional")
        >>> two = Item("x2", "", Scale("seven", 1, 7), Text("", ""), form="Ew", facet="service")
        >>> card, book = read_card("expectation_facets"), Codebook((one, two), {}, {})
        >>> print(other_forms(card, book, {"functional": ("x1",)})[0].say())
        card expectation_facets asks "functional" (Function expected) in form Ew; x1 is asked in form P and stands in.
    """
    notes = []
    told = len({i.form for i in codebook.items}) > 1
    for name, block in items.items() if told else ():
        wanted = card.constructs[name]
        asked = {i: codebook[i].form for i in block if i in codebook.names and codebook[i].form != wanted.form}
        if not asked:
            continue
        forms = list(dict.fromkeys(asked.values()))
        listed, listed_zh = ", ".join(asked), "、".join(asked)
        many = len(asked) > 1
        notes.append(
            note(
                "N-ITEM-FORM",
                f'card {card.id} asks "{name}" ({wanted.en}) in form {wanted.form}; {listed} {"are" if many else "is"} '
                f"asked in form {', '.join(forms)} and {'stand' if many else 'stands'} in.",
                f"模型卡 {card.id} 的“{name}”（{wanted.zh}）应以 {wanted.form} 形式询问；"
                f"现以 {'、'.join(forms)} 形式的 {listed_zh} 代替。",
            )
        )
    return tuple(notes)


def _unknown(card: Card, codebook: Codebook, given: Mapping[str, str], left_out: Iterable[str]) -> Iterator[Problem]:
    """Names in `constructs` and `without` that neither card nor codebook know."""
    known = [*codebook.constructs, *(i.construct for i in codebook.items if i.construct)]
    for name, source in given.items():
        for one, names, place, place_zh in (
            (name, list(card.constructs), f"card {card.id}", f"模型卡 {card.id}"),
            (source, [*dict.fromkeys(known), *FORMS], "the codebook", "编码簿"),
        ):
            if one and known and one not in names:
                what = Text(f'"{one}" is not a construct of {place}.', f"{place_zh}中没有构念“{one}”。")
                yield Problem("E-CONSTRUCT", "", what, did_you_mean(one, names))
    for name in (n for n in left_out if n not in card.constructs):
        what = Text(f'"{name}" is not a construct of card {card.id}.', f"模型卡 {card.id} 中没有构念“{name}”。")
        yield Problem("E-CONSTRUCT", "", what, did_you_mean(name, card.constructs))


def no_items(card: Card, name: str, codebook: Codebook) -> Problem:
    """A construct of the card that no item of the codebook measures, and what may be done."""
    block = card.constructs[name]
    have, have_zh = ", ".join(codebook.constructs), "、".join(codebook.constructs)
    form = "" if block.form == "P" else f", form {block.form}"
    form_zh = "" if block.form == "P" else f"，形式 {block.form}"
    other, other_zh = _instead(card)
    return problem(
        "E-ROLE",
        "",
        f'card {card.id} needs items for "{name}" ({block.en}, {block.count("en")}{form}); the codebook has none '
        f"(its constructs: {have}).",
        f"模型卡 {card.id} 需要“{name}”（{block.zh}，{block.count('zh')}{form_zh}），"
        f"编码簿中没有（其构念：{have_zh}）。",
        f"Give items `construct: {name}`, map it with `constructs: {{{name}: ...}}`, "
        f"or drop it with `without: [{name}]`.{other}",
        f"请给题项写 construct: {name}，或用 constructs: {{{name}: ……}} 对应，或用 without: [{name}] 去掉。{other_zh}",
    )


def _instead(card: Card) -> tuple[str, str]:
    """The card to take where the data of this one are lacking, and what it takes."""
    if not card.instead:
        return "", ""
    other = read_card(card.instead)
    needs = [n for n, b in other.constructs.items() if not b.optional and not b.of]
    return (
        f" Or take card {other.id}, which needs {', '.join(needs)}.",
        f"也可改用模型卡 {other.id}（需要 {'、'.join(needs)}）。",
    )
