"""What a card is made of: blocks, arrows, what data it needs, and rivals."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, cast

from csi.errors import Text
from csi.models.nouns import Mode, Sign

ItemForm = Literal["P", "Ew", "Es", "Ed", "Ea", "Ei", "D", "I", "Kf", "Kd", "T"]
"""What the items of a block ask (the forms of a codebook)."""

Engine = Literal["pls", "plsc", "cb"]
"""Families of engines: PLS, consistent PLS, covariance-based."""

STRICT: dict[str, str] = {"extra": "forbid"}
"""pydantic refuses a field that a card does not know (a misspelt one)."""

_ARROW = re.compile(r"(?P<sign>[+-]?)\s*(?P<name>\w+)\s*(?P<optional>\??)")


Loc = tuple[str | int, ...]
"""A place in a card file: keys and positions from the top."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in a card: what, where, and what was probably meant."""

    text: Text
    at: Loc = ()
    hint: Text | None = None


class CardFault(ValueError):
    """What is wrong in a card, said in both languages, one by one in `faults`.

    Example:
        >>> CardFault(Text("no arrow.", "没有路径。")).text.zh
        '没有路径。'
    """

    def __init__(self, said: Text, faults: tuple[Fault, ...] = ()) -> None:
        self.text = said
        self.faults = faults or (Fault(said),)
        super().__init__(said.en)


@dataclass(frozen=True, slots=True)
class Block:
    """A construct of a card: labels, how many items the card's authors use, their scale and form, and its mode.

    Attributes:
        items: (fewest, most), or None where the sources do not say.
        mode: "A" reflective, "B" formative.
        of: the constructs a higher-order construct is made of; it has no items of its own.
        optional: whether the model may be fitted without it, where the data have no items for it.
        alias: other names under which a codebook may have it.
        asked: the item or key that says (1 or 0) who was asked its items at all, such as "complained".

    Example:
        >>> Block("感知价值", "Perceived value", (2, 2)).count("en")
        '2 items'
        >>> Block("感知价值", "Perceived value", of=("get", "give")).count("zh")
        '由 get、give 构成'
    """

    __pydantic_config__: ClassVar[dict[str, str]] = STRICT

    zh: str
    en: str
    items: tuple[int, int] | None = None
    scale: str = "ten"
    form: ItemForm = "P"
    mode: Mode = "A"
    note: Text | None = None
    of: tuple[str, ...] = ()
    optional: bool = False
    alias: tuple[str, ...] = ()
    asked: str = ""

    @property
    def counts(self) -> Text:
        """The number of items in words; what it is made of, where it has none."""
        if self.of:
            return Text(f"made of {', '.join(self.of)}", f"由 {'、'.join(self.of)} 构成")
        if self.items is None:
            return Text("1 or more items", "1 个以上题项")
        low, high = self.items
        number = str(low) if low == high else f"{low}-{high}"
        return Text(f"{number} item{'' if high == 1 else 's'}", f"{number} 个题项")

    def count(self, lang: str = "en") -> str:
        """The number of items in words, in one language."""
        return self.counts.say(lang)


@dataclass(frozen=True, slots=True)
class Arrow:
    """A path of a card: expected sign ("" when the card takes no side) and whether published variants leave it out.

    Example:
        >>> Arrow("loyalty", "image", "+", optional=True).name
        'loyalty~image'
    """

    outcome: str
    predictor: str
    sign: Sign
    optional: bool

    @property
    def name(self) -> str:
        """How `optional=[...]` names it."""
        return f"{self.outcome}~{self.predictor}"


@dataclass(frozen=True, slots=True)
class Requires:
    """What data the card needs beyond its items.

    Attributes:
        columns, optional: key columns. min_n_per_group: fewest rows of a group.
        group: the key column whose groups the card is about, such as "stage". levels: its groups, in order.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = STRICT

    columns: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    min_n_per_group: int = 100
    group: str = ""
    levels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """The construct that is published as the index."""

    target: str


@dataclass(frozen=True, slots=True)
class Rival:
    """Another claim about the same items, which the card is compared with.

    Attributes:
        zh, en: what it claims.
        paths: its arrows, instead of the card's (None keeps them).
        merge: {new construct: constructs whose items it takes}: are they one?
        higher: {new construct: its dimensions}: does something stand behind them? Arrows of a dimension become its.
        apart: higher-order constructs that are left out; their parts take their arrows.
        among: only these constructs are compared, as a measurement model without arrows (covariance models only).

    Example:
        >>> Rival("一个因子", "one factor", merge={"quality": ("tangibles", "empathy")}).renamed
        {'tangibles': 'quality', 'empathy': 'quality'}
    """

    __pydantic_config__: ClassVar[dict[str, str]] = STRICT

    zh: str
    en: str
    paths: Mapping[str, tuple[str, ...]] | None = None
    merge: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    higher: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    apart: tuple[str, ...] = ()
    among: tuple[str, ...] = ()

    @property
    def renamed(self) -> dict[str, str]:
        """Construct of the card -> the construct that takes its place in arrows."""
        return {part: new for new, parts in (*self.merge.items(), *self.higher.items()) for part in parts}


def arrow_of(outcome: str, text: str) -> Arrow:
    """`+image?` read.

    Example:
        >>> arrow_of("loyalty", "+image?").optional
        True
    """
    match = _ARROW.fullmatch(text.strip())
    if match is None:
        raise CardFault(
            Text(
                f'not an arrow: "{text}" (write "+image", "-image" or "image", with "?" behind an optional one)',
                f"不是路径：“{text}”（请写 +image、-image 或 image；可选路径后加 ?）",
            )
        )
    return Arrow(outcome, match["name"], cast("Sign", match["sign"]), match["optional"] == "?")


def arrows_of(paths: Mapping[str, tuple[str, ...]]) -> tuple[Arrow, ...]:
    """The arrows of `paths`, parsed.

    Example:
        >>> [a.name for a in arrows_of({"joy": ("+use",)})]
        ['joy~use']
    """
    return tuple(arrow_of(outcome, text) for outcome, texts in paths.items() for text in texts)
