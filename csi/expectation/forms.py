"""Attributes asked in several forms: what is expected of them beside what is perceived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, get_args

from csi.errors import Problem, Problems, Text, did_you_mean, problem
from csi.survey.codebook import Codebook, Form, Item
from csi.survey.panel import Panel

FORMS: Final[Mapping[Form, Text]] = {
    "P": Text("perceived", "感知"),
    "Ew": Text("expected (will be)", "预测性期望"),
    "Es": Text("expected (should be)", "规范性期望"),
    "Ed": Text("desired", "理想水平（期望得到）"),
    "Ea": Text("adequate", "可接受水平"),
    "Ei": Text("ideal", "最理想水平"),
    "D": Text("compared with expectations", "与期望相比"),
    "I": Text("importance", "重要性"),
    "Kf": Text("if it is there (Kano)", "具备时的感受（Kano 正向）"),
    "Kd": Text("if it is not there (Kano)", "不具备时的感受（Kano 反向）"),
    "T": Text("from text", "文本得分"),
}
"""What each form of an item asks."""


Asked = Mapping[str, Mapping[Form, Item]]
"""attribute -> form -> item."""


@dataclass(frozen=True, slots=True)
class Matched:
    """Attributes that were asked in every one of some forms.

    Attributes:
        attributes: k names, in questionnaire order. dimension: (k,) construct of each, that of its first form.
        items: form -> (k,) item of each attribute. labels: name -> label of attributes and dimensions. lone: attributes
            that lack a form, with the forms they lack.
    """

    attributes: tuple[str, ...]
    dimension: tuple[str, ...]
    items: Mapping[Form, tuple[str, ...]]
    labels: Mapping[str, Text]
    lone: Mapping[str, tuple[Form, ...]]

    @property
    def every(self) -> tuple[str, ...]:
        """All items, form by form."""
        return tuple(name for names in self.items.values() for name in names)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Constructs of the attributes, in order of first appearance."""
        return tuple(dict.fromkeys(self.dimension))


def matched(
    panel: Panel, forms: Sequence[Form], attributes: Sequence[str] | None = None, *, same_scale: bool = True
) -> Matched:
    """The attributes of a panel's codebook that have every one of `forms`.

    Parameters:
        forms: such as ("P", "Ew"); the first names an attribute's dimension (its construct) and its label.
        attributes: only these; None takes all that have the first form and another of the forms, and where P is none of
            the forms (Kano's pairs) all that have any.
        same_scale: whether the forms of an attribute must share their bounds.

    Raises:
        Problems: E-SETTING (no such form), E-FORM (nothing is matched, a named attribute lacks a form, two items
            share attribute and form), E-SCALE (the forms of an attribute differ in range).

    Example:
        >>> import polars as pl
        >>> from csi.errors import Text
        >>> from csi.survey.codebook import Codebook, Item, Scale
        >>> seven = Scale("seven", 1, 7)
        >>> items = [Item(f"{f}1", "speed", seven, Text("Fast", "快"), "fast", f) for f in ("P", "Ew")]
        >>> panel = Panel(pl.DataFrame(), Codebook(tuple(items), {}, {}), pl.DataFrame())
        >>> found = matched(panel, ("P", "Ew"))
        >>> found.attributes, found.items["Ew"]
        (('fast',), ('Ew1',))
    """
    _known(forms)
    book = panel.codebook
    table = _by_attribute(book, forms)
    problems = _unasked(attributes or (), table, forms)
    if problems:
        raise Problems(problems)
    chosen = [a for a in table if (a in attributes if attributes is not None else _takes_part(a, table, forms))]
    lone = {a: tuple(f for f in forms if f not in table[a]) for a in chosen if len(table[a]) < len(forms)}
    both = [a for a in chosen if a not in lone]
    if not both:
        raise Problems([_nothing(forms, table)])
    found = [*_doubled(book, both, forms), *(_scales(table, both, forms) if same_scale else ())]
    if found:
        raise Problems(found)
    labels = {a: named(table[a][forms[0]].label, a) for a in both}
    dimension = tuple(table[a][forms[0]].construct for a in both)
    return Matched(
        attributes=tuple(both),
        dimension=dimension,
        items={f: tuple(table[a][f].name for a in both) for f in forms},
        labels={**{c: named(book.constructs.get(c), c) for c in dimension}, **labels},
        lone=lone,
    )


def named(label: Text | None, name: str) -> Text:
    """A label, and the name itself in a language in which there is none.

    Example:
        >>> named(Text("Fast", ""), "fast").zh, named(None, "fast").en
        ('fast', 'fast')
    """
    return Text(name, name) if label is None else Text(label.en or name, label.zh or name)


def _known(forms: Sequence[Form]) -> None:
    """Refuse forms that do not exist, or one form twice."""
    wrong = [f for f in forms if f not in get_args(Form)]
    if wrong or len(set(forms)) < len(forms):
        named = ", ".join(wrong or forms)
        en, zh = (
            f"{named}: forms are {', '.join(get_args(Form))}, each once.",
            f"{named}：形式应取自 {'、'.join(get_args(Form))}，且不重复。",
        )
        raise Problems([problem("E-SETTING", "forms", en, zh, "Name two different forms.", "请给出两种不同的形式。")])


def _by_attribute(book: Codebook, forms: Sequence[Form]) -> dict[str, dict[Form, Item]]:
    """Attribute -> form -> item, of the forms asked for; an item without an attribute is one of its own name."""
    found: dict[str, dict[Form, Item]] = {}
    for item in book.items:
        if item.form in forms:
            found.setdefault(item.attribute or item.name, {}).setdefault(item.form, item)
    return found


def _takes_part(name: str, table: Asked, forms: Sequence[Form]) -> bool:
    """Whether an attribute is meant: it has a later form, or stands in a dimension of which another has them all.

    A plain item, which names no attribute, is none: nothing could be its other form.
    """
    own = table[name]
    if "P" not in forms:
        return True
    if not any(item.attribute for item in own.values()):
        return False
    if any(f in own for f in forms[1:]):
        return True
    beside = (o for o in table.values() if forms[0] in o and o[forms[0]].construct == own[forms[0]].construct)
    return any(all(f in other for f in forms) for other in beside)


def _unasked(attributes: Sequence[str], table: Asked, forms: Sequence[Form]) -> list[Problem]:
    """Named attributes that are not there, or lack a form."""
    out = []
    for name in attributes:
        if name not in table:
            hint = did_you_mean(name, table)
            en, zh = f'no item asks about "{name}" in {_listed(forms)}.', f"没有题项以 {_listed(forms)} 询问“{name}”。"
            out.append(problem("E-FORM", name, en, zh, hint.en, hint.zh))
        elif lacking := [f for f in forms if f not in table[name]]:
            out.append(_lacks(name, lacking, forms))
    return out


def _lacks(name: str, lacking: Sequence[Form], forms: Sequence[Form]) -> Problem:
    """An attribute without a form."""
    en = f'attribute "{name}" is not asked as {_listed(lacking)}.'
    zh = f"属性“{name}”没有以 {_listed(lacking)} 提问。"
    do = f"Add the item with form: {lacking[0]}, or leave the attribute out; the comparison needs {_listed(forms)}."
    return problem(
        "E-FORM", name, en, zh, do, f"请补充 form: {lacking[0]} 的题项，或去掉该属性；比较需要 {_listed(forms)}。"
    )


def _nothing(forms: Sequence[Form], table: Asked) -> Problem:
    """No attribute has all forms."""
    there = [f for f in forms if any(f in own for own in table.values())]
    gone = [f for f in forms if f not in there]
    said = f"no item has form {_listed(gone)}" if gone else "but no attribute has them all"
    said_zh = f"没有形式为 {_listed(gone)} 的题项" if gone else "但没有属性同时具备"
    en = f"no attribute is asked as {_listed(forms)}: {said}."
    zh = f"没有属性同时以 {_listed(forms)} 提问：{said_zh}。"
    do = "Give the items of one attribute the same attribute: and their own form: in the codebook."
    return problem(
        "E-FORM", "codebook", en, zh, do, "请在编码簿中为同一属性的题项写同一 attribute:，并分别写明 form:。"
    )


def _doubled(book: Codebook, names: Sequence[str], forms: Sequence[Form]) -> list[Problem]:
    """Attributes with several items of one form: which of them is meant?"""
    asked: dict[tuple[str, Form], list[str]] = {}
    for item in book.items:
        if item.form in forms and (item.attribute or item.name) in names:
            asked.setdefault((item.attribute or item.name, item.form), []).append(item.name)
    out = []
    for (name, form), items in asked.items():
        if len(items) > 1:
            listed = ", ".join(items)
            en, zh = (
                f"several items ask about {name} as {form}: {listed}.",
                f"多个题项以 {form} 询问 {name}：{listed}。",
            )
            do, do_zh = "Give them different attributes.", "请为它们写不同的 attribute。"
            out.append(problem("E-FORM", name, en, zh, do, do_zh))
    return out


def _scales(table: Asked, names: Sequence[str], forms: Sequence[Form]) -> list[Problem]:
    """Attributes whose forms differ in range."""
    out = []
    for name in names:
        ranges = {f: (table[name][f].scale.minimum, table[name][f].scale.maximum) for f in forms}
        if len(set(ranges.values())) > 1:
            told = ", ".join(f"{f} {low:g}-{high:g}" for f, (low, high) in ranges.items())
            en, zh = f"the forms of {name} differ in range: {told}.", f"{name} 的各形式量程不同：{told}。"
            own = {f: table[name][f] for f in forms}
            listed = ", ".join(f"{i.name} (scale: {i.scale.name})" for i in own.values())
            do = f"In the codebook give these items one scale, or rescale the answers of one: {listed}."
            do_zh = f"请在编码簿中为这些题项写同一量表，或换算其一：{listed.replace(', ', '、')}。"
            out.append(problem("E-SCALE", name, en, zh, do, do_zh))
    return out


def _listed(forms: Sequence[Form]) -> str:
    return ", ".join(forms)
