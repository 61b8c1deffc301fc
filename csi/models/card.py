"""A model card: everything that distinguishes one satisfaction model from another, as data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import ClassVar, Literal, cast

from csi.errors import Note, Problem, Problems, Text, did_you_mean, note
from csi.models.card_problems import bare_text, no_items, shared_item, unknown_construct
from csi.models.card_text import blank_codebook, description
from csi.models.nouns import Claim, Construct, Mode, Path, Sign, Term

ItemForm = Literal["P", "Ew", "Es", "Ed", "Ea", "Ei", "D", "I", "Kf", "Kd", "T"]
"""What the items of a block ask (the forms of a codebook)."""

_STRICT: dict[str, str] = {"extra": "forbid"}
"""pydantic refuses a field that a card does not know (a misspelt one)."""

_ARROW = re.compile(r"(?P<sign>[+-]?)\s*(?P<name>\w+)\s*(?P<optional>\??)")


@dataclass(frozen=True, slots=True)
class Block:
    """A construct of a card: labels, how many items the card's authors use, their scale and form, and its mode.

    `items` is (fewest, most), or None where the sources do not say.

    Example:
        >>> Block("感知价值", "Perceived value", (2, 2)).count("en")
        '2 items'
    """

    __pydantic_config__: ClassVar[dict[str, str]] = _STRICT

    zh: str
    en: str
    items: tuple[int, int] | None = None
    scale: str = "ten"
    form: ItemForm = "P"
    mode: Mode = "A"
    note: Text | None = None

    @property
    def counts(self) -> Text:
        """The number of items in words."""
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
    """What data the card needs beyond its items."""

    columns: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    min_n_per_group: int = 100


@dataclass(frozen=True, slots=True)
class Target:
    """The construct that is published as the index."""

    target: str


@dataclass(frozen=True, slots=True)
class Card:
    """A model of the library.

    Attributes:
        id, title, year, cite: what it is and where it comes from.
        constructs: {name: Block} in reading order. paths: {outcome: ("+predictor", "-predictor", "predictor?")}.
        index: the published construct. layout: {construct: (x, y)} on a grid 1040 wide, y downwards.
        provisional: why its arrows are not yet verified against the original; None for the others.
        requires, hypotheses ({name: "a > b > c"}, chains of paths).

    Example:
        >>> from csi.models.cards import read_card
        >>> card = read_card("acsi")
        >>> card.title.en, card.index.target, len(card.arrows)
        ('American Customer Satisfaction Index (ACSI)', 'satisfaction', 9)
    """

    __pydantic_config__: ClassVar[dict[str, str]] = _STRICT

    id: str
    title: Text
    year: int
    cite: tuple[str, ...]
    constructs: Mapping[str, Block]
    paths: Mapping[str, tuple[str, ...]]
    index: Target
    layout: Mapping[str, tuple[float, float]]
    provisional: Text | None = None
    requires: Requires = field(default_factory=Requires)
    hypotheses: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = set(self.constructs)
        named = {self.index.target, *self.paths, *self.layout, *(a.predictor for a in self.arrows)}
        if named - known:
            raise ValueError(f"not a construct of this card: {', '.join(sorted(named - known))}")
        if known - set(self.layout):
            raise ValueError(f"without a place in the layout: {', '.join(sorted(known - set(self.layout)))}")
        steps = {(a.predictor, a.outcome) for a in self.arrows}
        for name, chain in self.hypotheses.items():
            names = [part.strip() for part in chain.split(">")]
            if not set(pairwise(names)) <= steps:
                raise ValueError(f"hypothesis {name} follows an arrow the card does not have: {chain}")

    @property
    def arrows(self) -> tuple[Arrow, ...]:
        """The paths, parsed."""
        return tuple(_arrow(outcome, text) for outcome, texts in self.paths.items() for text in texts)

    @property
    def labels(self) -> dict[str, Text]:
        """Labels of the constructs."""
        return {name: Text(block.en, block.zh) for name, block in self.constructs.items()}

    def fill(
        self,
        items: Mapping[str, Sequence[str]],
        *,
        optional: bool | Iterable[str] = True,
        without: Iterable[str] = (),
        lang: str = "en",
    ) -> Claim:
        """The card with items: a claim.

        Parameters:
            items: {construct: item names}, for every construct not left out.
            optional: which optional arrows are in: True all, False none, or their names ("loyalty~image").
            without: constructs left out, with their arrows. lang: language of messages.

        Returns:
            constructs in the card's order, then paths with expected signs.

        Raises:
            Problems: missing, empty or unknown blocks, items used twice, unknown names in `optional` or `without`.

        Example:
            >>> from csi.models.cards import read_card
            >>> items = {"expectation": ["x"], "perceived_value": ["v"], "satisfaction": ["s"], "loyalty": ["l"]}
            >>> read_card("scsb").fill(items, without=["complaints"]).predictors("loyalty")
            ('satisfaction',)
        """
        left_out = tuple(without)
        chosen = optional if isinstance(optional, bool) else tuple(_plain(name) for name in optional)
        problems = [*self._block_problems(items, left_out), *self._choice_problems(chosen, left_out)]
        if problems:
            raise Problems(problems, lang)
        kept = {name: block for name, block in self.constructs.items() if name not in left_out}
        arrows = (a for a in self.arrows if {a.outcome, a.predictor} <= set(kept) and _chosen(a, chosen))
        return Claim(
            tuple(_construct(name, block.mode, items[name]) for name, block in kept.items()),
            tuple(Path(a.outcome, Term(a.predictor), a.sign, a.optional) for a in arrows),
        )

    def doubts(self, items: Mapping[str, Sequence[str]]) -> tuple[Note, ...]:
        """Notes on blocks with fewer or more items than the card's authors use; such a model is fitted all the same.

        Example:
            >>> from csi.models.cards import read_card
            >>> print(read_card("acsi").doubts({"satisfaction": ["s1"]})[0].say())
            Card acsi uses 3 items for "satisfaction"; 1 given.
        """
        given = {name: (len(items[name]), block) for name, block in self.constructs.items() if name in items}
        return tuple(
            note(
                "N-ITEM-COUNT",
                f'Card {self.id} uses {block.count("en")} for "{name}"; {n} given.',
                f"模型卡 {self.id} 的“{name}”使用 {block.count('zh')}，实际给出 {n} 个。",
            )
            for name, (n, block) in given.items()
            if block.items is not None and not block.items[0] <= n <= block.items[1]
        )

    def describe(self, lang: str = "en") -> tuple[str, ...]:
        """The card as lines a person reads.

        Example:
            >>> from csi.models.cards import read_card
            >>> read_card("acsi").describe("zh")[0]
            'acsi  美国顾客满意度指数（ACSI），1994'
        """
        return description(self, lang)

    def codebook_text(self, lang: str = "en") -> str:
        """A blank codebook (YAML) with the card's constructs and item counts, to fill in and save as codebook.yaml.

        The wording of instruments is their authors' and is not shipped.

        Example:
            >>> from csi.models.cards import read_card
            >>> print(read_card("acsi").codebook_text().splitlines()[0])
            # Codebook for card acsi: American Customer Satisfaction Index (ACSI)
        """
        return blank_codebook(self, lang)

    def _block_problems(self, items: Mapping[str, Sequence[str]], left_out: tuple[str, ...]) -> list[Problem]:
        """Blocks that are missing, empty, unknown or share items."""
        where = f"card {self.id}"
        wanted = {name: block for name, block in self.constructs.items() if name not in left_out}
        lacking = (n for n in wanted if not items.get(n))
        problems = [no_items(where, n, self.labels[n], wanted[n].counts) for n in lacking]
        problems += [unknown_construct(where, n, wanted) for n in items if n not in self.constructs]
        problems += [bare_text(where, n, block) for n, block in items.items() if isinstance(block, str) and block]
        owners: dict[str, list[str]] = {}
        for name, block in ((n, b) for n, b in items.items() if n not in left_out):
            for item in () if isinstance(block, str) else block:
                owners.setdefault(item, []).append(name)
        problems += [shared_item(where, item, names) for item, names in owners.items() if len(names) > 1]
        return problems

    def _choice_problems(self, chosen: bool | tuple[str, ...], left_out: tuple[str, ...]) -> list[Problem]:
        """Unknown names in `optional` and `without`."""
        where = f"card {self.id}"
        marked = [a.name for a in self.arrows if a.optional]
        problems = [unknown_construct(where, n, self.constructs) for n in left_out if n not in self.constructs]
        for name in () if isinstance(chosen, bool) else (n for n in chosen if n not in marked):
            hint = did_you_mean(name, marked) if marked else Text("This card has none.", "该模型卡没有可选路径。")
            what = Text(f'"{name}" is not an optional arrow.', f"“{name}”不是可选路径。")
            problems.append(Problem("E-CARD", where, what, hint))
        return problems


def _arrow(outcome: str, text: str) -> Arrow:
    """`+image?` read."""
    match = _ARROW.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            f'not an arrow: "{text}" (write "+image", "-image" or "image", with "?" behind an optional one)'
        )
    return Arrow(outcome, match["name"], cast("Sign", match["sign"]), match["optional"] == "?")


def _construct(name: str, mode: Mode, items: Sequence[str]) -> Construct:
    return Construct(name, "=~" if mode == "A" else "<~", tuple(Term(i) for i in items), mode)


def _chosen(arrow: Arrow, chosen: bool | tuple[str, ...]) -> bool:
    """Whether an arrow is in."""
    return not arrow.optional or (chosen if isinstance(chosen, bool) else arrow.name in chosen)


def _plain(name: str) -> str:
    """`loyalty ~ image` without blanks."""
    return "".join(name.split())
