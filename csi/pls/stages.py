"""What is estimated after what: a model with higher-order constructs or products as plain models in a row.

Disjoint stages: in stage s every construct above level s stands back for its components, which take over its arrows;
in the next stage their scores measure it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from csi.models.model import Model
from csi.models.nouns import Claim, Construct, Path, Term

HigherOrder = Literal["two-stage", "embedded", "repeated"]
Interaction = Literal["two-stage", "product", "orthogonal"]


@dataclass(frozen=True, slots=True)
class Levels:
    """Who is made of whom: `components` of each higher-order construct, `products` with their factors, `plain` (the
    constructs that stand on arrows and are no products), and `level` of every construct that is no product (0: items).
    """

    components: Mapping[str, tuple[str, ...]]
    products: Mapping[str, tuple[str, ...]]
    plain: tuple[str, ...]
    level: Mapping[str, int]

    @property
    def highest(self) -> int:
        """The level of the highest construct."""
        return max(self.level.values(), default=0)

    def stand_ins(self, name: str, stage: int) -> tuple[str, ...]:
        """The constructs that stand for one in a stage: itself from its own level on.

        Example:
            >>> levels = levels_of(Model.parse("a =~ x; b =~ y; top =~ a + b; z =~ w; z ~ top"))
            >>> levels.stand_ins("top", 0), levels.stand_ins("top", 1)
            (('a', 'b'), ('top',))
        """
        if self.level[name] <= stage:
            return (name,)
        return tuple(s for part in self.components[name] for s in self.stand_ins(part, stage))


@lru_cache(maxsize=256)
def is_composed(model: Claim) -> bool:
    """Whether a model has higher-order constructs or products.

    Example:
        >>> is_composed(Model.parse("a =~ x; y =~ z; y ~ a + a:a"))
        True
    """
    return is_higher(model) or any(c.product_of for c in model.constructs)


@lru_cache(maxsize=256)
def is_higher(model: Claim) -> bool:
    """Whether a model has constructs made of constructs.

    Example:
        >>> is_higher(Model.parse("a =~ x; y =~ z; y ~ a + a:a"))
        False
    """
    names = set(model.names)
    return any(t.name in names for c in model.constructs for t in c.indicators)


def levels_of(model: Claim) -> Levels:
    """The levels of a model without circles."""
    names = set(model.names)
    components = {c.name: c.items for c in model.constructs if names & set(c.items)}
    products = {c.name: c.product_of for c in model.constructs if c.product_of}
    below = {part for parts in components.values() for part in parts}
    level: dict[str, int] = {}

    def height(name: str) -> int:
        if name not in level:
            level[name] = 1 + max(height(p) for p in components[name]) if name in components else 0
        return level[name]

    for name in model.names:
        if name not in products:
            height(name)
    return Levels(components, products, tuple(n for n in model.names if n not in below and n not in products), level)


def stage_model(model: Claim, levels: Levels, stage: int, products: Mapping[str, tuple[str, ...]]) -> Model:
    """The plain model of a stage.

    Parameters:
        products: the columns that measure each product in this stage; products without columns are left out.

    Example:
        >>> model = Model.parse("a =~ x1 + x2; b =~ y; top =~ a + b; z =~ w; z ~ top")
        >>> print(stage_model(model, levels_of(model), 0, {}))
        a =~ x1 + x2
        b =~ y
        z =~ w
        z ~ a + b
    """
    kept = {s for name in levels.plain for s in levels.stand_ins(name, stage)}
    constructs = [c for c in model.constructs if c.name in kept]
    constructs += [_measured_by(name, columns) for name, columns in products.items()]
    stand_ins = {name: levels.stand_ins(name, stage) for name in levels.plain} | {name: (name,) for name in products}
    return Model(tuple(constructs), tuple(_paths(model, stand_ins)))


def repeated_model(model: Claim, levels: Levels, products: Mapping[str, tuple[str, ...]]) -> Model:
    """The plain model of the repeated indicators: every level at once, each construct measured by the items below it.

    Arrows join the levels: from the components to a construct formed of them (`<~`), to the components from a
    construct that they reflect (`=~`).
    """
    constructs, arrows = [], []
    for c in model.constructs:
        if c.product_of:
            continue
        if c.name not in levels.components:
            constructs.append(c)
            continue
        terms = tuple(Term(repeated_name(c.name, item)) for item in items_below(model, levels, c.name))
        constructs.append(Construct(c.name, c.operator, terms, c.mode))
        pairs = [(c.name, p) if c.operator == "<~" else (p, c.name) for p in levels.components[c.name]]
        arrows += [Path(outcome, Term(predictor)) for outcome, predictor in pairs]
    constructs += [_measured_by(name, columns) for name, columns in products.items()]
    stand_ins = {name: (name,) for name in (*levels.plain, *products)}
    return Model(tuple(constructs), (*_paths(model, stand_ins), *arrows))


def score_model(model: Claim, levels: Levels, products: Mapping[str, tuple[str, ...]]) -> Model:
    """The plain model of the second stage of the embedded approach: scores measure everything.

    A higher-order construct has the scores of its components, any other construct its own score.
    """
    constructs = []
    for c in (c for c in model.constructs if c.name in levels.plain):
        own = c.name not in levels.components
        constructs.append(_measured_by(c.name, (score_name(c.name),)) if own else c)
    constructs += [_measured_by(name, columns) for name, columns in products.items()]
    return Model(tuple(constructs), tuple(_paths(model, {n: (n,) for n in (*levels.plain, *products)})))


def items_below(model: Claim, levels: Levels, name: str) -> tuple[str, ...]:
    """The items of a construct, through its components where it has some."""
    if name not in levels.components:
        return model[name].items
    return tuple(i for part in levels.components[name] for i in items_below(model, levels, part))


def repeated_name(construct: str, item: str) -> str:
    """What an item is called where it measures a higher-order construct once more."""
    return f"{construct}<{item}"


def score_name(construct: str) -> str:
    """What the score of a construct is called where it measures its construct."""
    return f"{construct}."


def _measured_by(name: str, columns: Iterable[str]) -> Construct:
    """A composite in mode A."""
    return Construct(name, "<~", tuple(Term(c) for c in columns), "A")


def _paths(model: Claim, stand_ins: Mapping[str, tuple[str, ...]]) -> Iterable[Path]:
    """The arrows of the model between those who stand for its constructs."""
    found = [
        (y, x)
        for path in model.paths
        for y in stand_ins.get(path.outcome, ())
        for x in stand_ins.get(path.predictor.name, ())
    ]
    return (Path(y, Term(x)) for y, x in dict.fromkeys(found))
