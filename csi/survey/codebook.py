"""What was asked: items, scales, missing codes with their reasons, and the key columns.

The nouns only; `csi.study` reads them from YAML and reports problems with file and line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from csi.errors import Text

Form = Literal["P", "Ew", "Es", "Ed", "Ea", "Ei", "D", "I", "Kf", "Kd", "T"]
"""What an item asks about its attribute: perceived, expected (will, should, desired, adequate, ideal), direct
disconfirmation, importance, Kano functional and dysfunctional, text score."""

MissingReason = Literal["skipped", "dont_know", "refused", "not_asked", "empty", "out_of_range", "not_a_number"]
"""Why an answer is absent. The first four are declared in the codebook, `empty` is a blank cell, the last two are what
the rules made of an impossible entry."""

KEY_ROLES = (
    "respondent", "wave", "brand", "weight", "stratum", "cluster", "stage", "segment", "duration",
)  # fmt: skip
"""Roles a column can have besides being an item; in a `Panel.frame` the columns bear these names."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The answer scale of an item: theoretical bounds, the codes that mean "no answer", and code -> words for it.

    Example:
        >>> Scale("five", 1, 5, labels={"5": ("很满意", "Very satisfied")}).labels["5"]
        ('很满意', 'Very satisfied')
    """

    name: str
    minimum: float
    maximum: float
    missing: Mapping[str, MissingReason] = field(default_factory=dict)
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Item:
    """One question: an (attribute, form) pair that measures a construct on a scale.

    `column` is its name in the export when that differs from `name`. A reversed item is turned over
    (`minimum + maximum - x`) when the panel is read. `facet` is what kind of expectation it is about (functional,
    quality, service, emotional, delivery, price, or a word of your own).
    """

    name: str
    construct: str
    scale: Scale
    label: Text
    attribute: str = ""
    form: Form = "P"
    reverse: bool = False
    column: str = ""
    facet: str = ""


@dataclass(frozen=True, slots=True)
class Codebook:
    """All items, the labels of constructs, and which export columns play which key role.

    Example:
        >>> ten = Scale("ten", 1, 10, {"98": "dont_know"})
        >>> item = Item("sat1", "satisfaction", ten, Text("Overall satisfaction", "总体满意程度"))
        >>> book = Codebook((item,), {"satisfaction": Text("Satisfaction", "顾客满意")}, {"respondent": "id"})
        >>> book.items_of("satisfaction"), book.label("satisfaction", "zh")
        (('sat1',), '顾客满意')
    """

    items: tuple[Item, ...]
    constructs: Mapping[str, Text]
    keys: Mapping[str, str]

    def __getitem__(self, name: str) -> Item:
        for item in self.items:
            if item.name == name:
                return item
        raise KeyError(name)

    def scale(self, name: str) -> Scale:
        """The scale of a name, as the first item on it has it."""
        return next(item.scale for item in self.items if item.scale.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        """Item names in questionnaire order."""
        return tuple(i.name for i in self.items)

    def items_of(self, construct: str, form: Form | None = None) -> tuple[str, ...]:
        """Names of the items of `construct` (of one `form` when given), in order."""
        return tuple(i.name for i in self.items if i.construct == construct and form in (None, i.form))

    def bounds(self, names: Iterable[str]) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Theoretical minima and maxima of `names`, in their order."""
        scales = [self[n].scale for n in names]
        return tuple(s.minimum for s in scales), tuple(s.maximum for s in scales)

    def label(self, name: str, lang: str = "en") -> str:
        """The label of an item or a construct; the name itself when it has none."""
        if name in self.constructs:
            return self.constructs[name].say(lang) or name
        for item in self.items:
            if item.name == name:
                return item.label.say(lang) or name
        return name
