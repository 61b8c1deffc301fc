"""What a questionnaire is held against: its scales, groups, criteria, and the form that is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from csi.errors import Text


@dataclass(frozen=True, slots=True)
class Rated:
    """Who rated what: a column per rater, or the columns of a long table (its unit, its rater, its score).

    Attributes:
        columns: one per rater. unit, rater, score: of a long table. values: the categories in order, where they are
            words or some were not used. file: of the ratings; "" for columns of the answers.
    """

    columns: tuple[str, ...] = ()
    unit: str = ""
    rater: str = ""
    score: str = ""
    values: tuple[str, ...] = ()
    file: str = ""


@dataclass(frozen=True, slots=True)
class Validating:
    """What a questionnaire is held against, beside the answers themselves.

    Attributes:
        scales: construct -> items; empty for those of the model. groups: keys of groups. known: key -> its groups from
            the lowest score up. columns: key -> column of the data that no key role holds. labels: key -> its name.
        methods: trait -> method -> items (a multitrait-multimethod design).
        raters: judgement -> who rated it.
        short: length of short forms; None for half of each scale.
    """

    scales: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    known: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, Text] = field(default_factory=dict)
    criterion: tuple[str, ...] = ()
    marker: tuple[str, ...] = ()
    methods: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    retest: tuple[str, ...] = ()
    raters: Mapping[str, Rated] = field(default_factory=dict)
    short: int | None = None
    keep: tuple[str, ...] = ()
