"""What a questionnaire is held against: its scales, groups, criteria, and the form that is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from csi.errors import Text


@dataclass(frozen=True, slots=True)
class Validating:
    """What a questionnaire is held against, beside the answers themselves.

    Attributes:
        scales: construct -> items; empty for those of the model. groups: keys of groups. known: key -> its groups from
            the lowest score up. columns: key -> column of the data that no key role holds. labels: key -> its name.
        methods: trait -> method -> items (a multitrait-multimethod design).
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
    short: int | None = None
    keep: tuple[str, ...] = ()
