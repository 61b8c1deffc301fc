"""What we claim: constructs, their items, and the arrows between them. One noun for every engine.

`Model.parse(text)` reads lavaan text, `Model.card("acsi", items=...)` a card of the model library.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Self, overload

from csi.display import Shown, text
from csi.errors import Text
from csi.models.card import Card
from csi.models.cards import read_card
from csi.models.nouns import (
    Claim,
    Constraint,
    Construct,
    Covariance,
    Defined,
    Intercept,
    Modifier,
    Path,
    Scaling,
    Term,
    Threshold,
)
from csi.models.syntax.build import parse_claim
from csi.models.syntax.write import write_claim

__all__ = [
    "Claim",
    "Constraint",
    "Construct",
    "Covariance",
    "Defined",
    "Intercept",
    "Model",
    "Modifier",
    "Path",
    "Scaling",
    "Term",
    "Threshold",
]


class _FromCard:
    """Makes models of one class from cards: what `Model.card` is on the class."""

    def __init__(self, model: type[Model]) -> None:
        self._model = model

    def __call__(
        self,
        name: str,
        items: Mapping[str, Sequence[str]],
        *,
        optional: bool | Iterable[str] = True,
        without: Iterable[str] = (),
        covariance: bool = False,
        lang: str = "en",
    ) -> Model:
        """See `Model`."""
        return self.of(read_card(name, lang), items, optional, without, covariance=covariance, lang=lang)

    def of(
        self,
        card: Card,
        items: Mapping[str, Sequence[str]],
        optional: bool | Iterable[str] = True,
        without: Iterable[str] = (),
        *,
        covariance: bool = False,
        lang: str = "en",
    ) -> Model:
        """A model from a card that was read before."""
        claim = card.fill(items, optional=optional, without=without, covariance=covariance, lang=lang)
        kept = set(claim.names)
        labels = {c: label for c, label in card.labels.items() if c in kept}
        layout = {c: place for c, place in card.layout.items() if c in kept}
        return self._model(
            claim.constructs, claim.paths, claim.covariances, from_card=card.id, labels=labels, layout=layout
        )


class _Card:
    """On the class the maker of models from cards, on a model the name of the card it came from."""

    @overload
    def __get__(self, model: None, owner: type[Model]) -> _FromCard: ...

    @overload
    def __get__(self, model: Model, owner: type[Model]) -> str: ...

    def __get__(self, model: Model | None, owner: type[Model]) -> _FromCard | str:
        """The maker, or the name."""
        return _FromCard(owner) if model is None else model.from_card


@dataclass(frozen=True, slots=True, repr=False)
class Model(Shown, Claim):
    """The claim. `Model.parse(text)` reads lavaan text, `Model.card(name, items=...)` a model card; `str(model)` writes
    lavaan text that parses back to an equal claim.

    `labels` holds zh/en construct names, `layout` diagram positions {construct: (x, y)} on a grid 1040 wide with y
    downwards. `model.card` (the same as `from_card`) names the card it came from, "" when it came from text.

    `Model.card(name, items, optional=True, without=(), covariance=False, lang="en")` makes a model from a card:
    `items` gives each construct's items, `optional` says which optional arrows are in (all, none, or those into or out
    of named constructs written "outcome~predictor"), `without` drops constructs with their arrows, `covariance` says
    that a covariance engine will fit it (formative higher-order constructs are then common factors of their parts).

    Example:
        >>> model = Model.parse("sat =~ s1 + s2; loy =~ l1; loy ~ sat")
        >>> print(model)
        sat =~ s1 + s2
        loy =~ l1
        loy ~ sat
        >>> items = {"expectation": ["x1"], "perceived_value": ["v1", "v2"], "satisfaction": ["s1", "s2", "s3"],
        ...          "complaints": ["c1"], "loyalty": ["l1", "l2"]}
        >>> Model.card("scsb", items=items).card
        'scsb'
    """

    from_card: str = ""
    labels: Mapping[str, Text] = field(default_factory=dict, hash=False)
    layout: Mapping[str, tuple[float, float]] = field(default_factory=dict, hash=False)

    def __hash__(self) -> int:
        return Claim.__hash__(self)

    card = _Card()

    @classmethod
    def parse(cls, text: str, name: str = "model", lang: str = "en") -> Self:
        """A model from lavaan text.

        `f =~ x1 + x2` measured by, `c <~ x1 + x2` made of, `y ~ x` explained by (`a:b` an interaction, `y ~ 1` an
        intercept), `x ~~ z` varies with, `u | t1 + t2` thresholds and `u ~*~ 1*u` the scale of an ordinal item,
        `ind := a*b` a definition, `a == b`, `a > 0`, `a <= 1` constraints. `f =~ 0` is a construct without items.

        Before a term: a value (`1*x`), a label (`a*x`), `NA*x` free, `c(a, b)*x` one per group, `start(0.5)*x` or
        `0.5?x`, `lower(0)*x`, `upper(1)*x`, `equal("f=~x2")*x3`.

        Parameters:
            text: the model text. name: what messages call it, such as "model.txt". lang: language of messages.

        Raises:
            Problems: every problem of the text at once, each pointing at its place.

        Source: the language is lavaan's (Rosseel, 2012, Journal of Statistical Software 48(2), section 3).

        Example:
            >>> Model.parse("f =~ x1 + x2 + x3").items
            ('x1', 'x2', 'x3')
        """
        claim = parse_claim(text, name, lang)
        return cls(*(getattr(claim, part.name) for part in fields(claim)))

    def label(self, name: str, lang: str = "en") -> str:
        """The label of a construct; its name when it has none.

        Example:
            >>> Model.parse("f =~ x1").label("f", "zh")
            'f'
        """
        return self.labels[name].say(lang) if name in self.labels else name

    def __str__(self) -> str:
        return write_claim(self)


@text.register
def _(value: Model, lang: str = "en") -> str:
    """The text of a model, under a line that counts its parts."""
    count = Text(
        "Model: "
        + ", ".join(
            f"{n} {word}{'' if n == 1 else 's'}"
            for n, word in (
                (len(value.constructs), "construct"),
                (len(value.items), "item"),
                (len(value.paths), "path"),
            )
        ),
        f"模型：{len(value.constructs)} 个构念，{len(value.items)} 个题项，{len(value.paths)} 条路径",
    )
    source = Text(f" (card {value.from_card})", f"（模型卡 {value.from_card}）") if value.from_card else Text("", "")
    return f"{count.say(lang)}{source.say(lang)}\n{value}"


def product_labels(model: Model, labels: Mapping[str, Text]) -> dict[str, Text]:
    """Products of constructs named by their factors in words, where they have no name of their own.

    Example:
        >>> model = Model.parse("x =~ x1; z =~ z1; y =~ y1; y ~ x + z + x:z")
        >>> product_labels(model, {"x": Text("Image", "形象"), "z": Text("Value", "价值")})["x:z"].zh
        '形象 × 价值'
    """
    found = {}
    for c in model.constructs:
        own = labels.get(c.name, Text(c.name, c.name))
        if c.product_of and own.en == c.name:
            parts = [labels.get(f, Text(f, f)) for f in c.product_of]
            found[c.name] = Text(" × ".join(p.en for p in parts), " × ".join(p.zh for p in parts))
    return found
