"""A model card: everything that distinguishes one satisfaction model from another, as data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from csi.errors import Note, Problem, Problems, Text, did_you_mean, note
from csi.models.card_faults import faults
from csi.models.card_parts import STRICT, Arrow, Block, CardFault, Engine, Requires, Rival, Target, arrows_of
from csi.models.card_problems import bare_text, made_of, no_items, shared_item, unknown_construct
from csi.models.card_text import blank_codebook, description
from csi.models.nouns import Claim, Construct, Covariance, Path, Term

__all__ = ["Arrow", "Block", "Card", "Requires", "Rival", "Target"]


@dataclass(frozen=True, slots=True)
class Card:
    """A model of the library.

    Attributes:
        id, title, year, cite: what it is and where it comes from.
        constructs: {name: Block} in reading order. paths: {outcome: ("+predictor", "-predictor", "predictor?")}.
        index: the published construct. layout: {construct: (x, y)} on a grid 1040 wide, y
            downwards; without it diagrams are layered along the arrows.
        provisional: why its arrows are not yet verified against the original; None for the others.
        requires, hypotheses ({name: "a > b > c"}, chains of paths).
        contrasts: {name: "first - abs(second)"}, formulas of the indirect effects that hypotheses name.
        zeros: {outcome: (predictor, ...)}, arrows that the card claims to be absent; they are tested.
        covariances: {construct: (construct, ...)}, disturbances that go together (covariance models).
        asymmetry: {outcome: (construct, ...)}, whose slopes below and above their means are compared.
        trends: {"outcome~predictor": rises or falls}, what slopes do along the groups, in their order.
        rivals: {name: Rival}. engines: which families can fit it. instead: the card to take where this one's data lack.
        simulated: {outcome: {predictor: standardised path}} of a population to try it on, where not the default; of an
            outcome that is named, predictors that are not are 0.
        number: its place among the twelve models of expectation and satisfaction; 0 for what stands around them.

    Example:
        >>> from csi.models.cards import read_card
        >>> card = read_card("acsi")
        >>> card.title.en, card.index.target, len(card.arrows)
        ('American Customer Satisfaction Index (ACSI)', 'satisfaction', 9)
    """

    __pydantic_config__: ClassVar[dict[str, str]] = STRICT

    id: str
    title: Text
    year: int
    cite: tuple[str, ...]
    constructs: Mapping[str, Block]
    paths: Mapping[str, tuple[str, ...]]
    index: Target
    layout: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    provisional: Text | None = None
    requires: Requires = field(default_factory=Requires)
    hypotheses: Mapping[str, str] = field(default_factory=dict)
    contrasts: Mapping[str, str] = field(default_factory=dict)
    zeros: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    covariances: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    asymmetry: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    trends: Mapping[str, Literal["rises", "falls"]] = field(default_factory=dict)
    rivals: Mapping[str, Rival] = field(default_factory=dict)
    engines: tuple[Engine, ...] = ("pls", "plsc", "cb")
    instead: str = ""
    simulated: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    number: int = 0

    def __post_init__(self) -> None:
        found = tuple(faults(self))
        if found:
            every = [f.text for f in found]
            raise CardFault(Text("; ".join(t.en for t in every), "；".join(t.zh for t in every)), found)

    @property
    def arrows(self) -> tuple[Arrow, ...]:
        """The paths, parsed."""
        return arrows_of(self.paths)

    @property
    def labels(self) -> dict[str, Text]:
        """Labels of the constructs."""
        return {name: Text(block.en, block.zh) for name, block in self.constructs.items()}

    def named(self, name: str) -> str:
        """The card's own name of a construct, given that, one of its other names or its first word, if of one only.

        Example:
            >>> from csi.models.cards import read_card
            >>> read_card("ecm").named("conf"), read_card("perval").named("price"), read_card("ecm").named("trust")
            ('confirmation', 'price_value', 'trust')
        """
        if name in self.constructs:
            return name
        other = [n for n, block in self.constructs.items() if name in block.alias]
        other = other or [n for n in self.constructs if n.startswith(f"{name}_")]
        return other[0] if len(other) == 1 else name

    def absent(self, items: Mapping[str, Sequence[str]], without: Iterable[str] = ()) -> tuple[str, ...]:
        """Constructs that a model with these items does not have: those left out, optional ones without items, and
        constructs all of whose parts are among them.

        Example:
            >>> from csi.models.cards import read_card
            >>> read_card("kmv").absent({}, without=["trust"])[:3]
            ('termination_cost', 'benefits', 'shared_values')
        """
        out = {n for n, b in self.constructs.items() if b.optional and not b.of and not items.get(n)} | set(without)
        while True:
            more = {n for n, b in self.constructs.items() if b.of and set(b.of) <= out} - out
            if not more:
                return tuple(n for n in self.constructs if n in out)
            out |= more

    def fill(
        self,
        items: Mapping[str, Sequence[str]],
        *,
        optional: bool | Iterable[str] = True,
        without: Iterable[str] = (),
        covariance: bool = False,
        lang: str = "en",
    ) -> Claim:
        """The card with items: a claim.

        Parameters:
            items: {construct: item names}, for every construct not left out and not optional.
            optional: which optional arrows are in: True all, False none, or their names ("loyalty~image").
            without: constructs left out, with their arrows.
            covariance: for a covariance model: formative higher-order constructs are common factors of their parts,
                and disturbances that the card lets go together do. lang: language of messages.

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
        named = tuple(without)
        chosen = optional if isinstance(optional, bool) else tuple(_plain(name) for name in optional)
        left_out = self.absent(items, named)
        problems = [*self._block_problems(items, left_out), *self._choice_problems(chosen, named)]
        if problems:
            raise Problems(problems, lang)
        kept = {name: block for name, block in self.constructs.items() if name not in left_out}
        arrows = (a for a in self.arrows if {a.outcome, a.predictor} <= set(kept) and _chosen(a, chosen))
        pairs = ((x, y) for x, ys in self.covariances.items() for y in ys if covariance and {x, y} <= set(kept))
        return Claim(
            tuple(_construct(n, block, items, kept, covariance=covariance) for n, block in kept.items()),
            tuple(Path(a.outcome, Term(a.predictor), a.sign, a.optional) for a in arrows),
            tuple(Covariance(x, Term(y)) for x, y in pairs),
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
        wanted = {name: block for name, block in self.constructs.items() if name not in left_out and not block.of}
        lacking = (n for n in wanted if not items.get(n))
        problems = [no_items(where, n, self.labels[n], wanted[n].counts) for n in lacking]
        problems += [unknown_construct(where, n, wanted) for n in items if n not in self.constructs]
        problems += [
            made_of(where, n, self.constructs[n].of)
            for n in items
            if n in self.constructs and n not in wanted and self.constructs[n].of and items[n]
        ]
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


def _construct(
    name: str, block: Block, items: Mapping[str, Sequence[str]], kept: Iterable[str], *, covariance: bool
) -> Construct:
    """A construct with its items, or its parts."""
    parts = [p for p in block.of if p in kept] if block.of else items[name]
    mode = "A" if block.of and covariance else block.mode
    return Construct(name, "=~" if mode == "A" else "<~", tuple(Term(p) for p in parts), mode)


def _chosen(arrow: Arrow, chosen: bool | tuple[str, ...]) -> bool:
    """Whether an arrow is in."""
    return not arrow.optional or (chosen if isinstance(chosen, bool) else arrow.name in chosen)


def _plain(name: str) -> str:
    """`loyalty ~ image` without blanks."""
    return "".join(name.split())
