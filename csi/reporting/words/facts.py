"""What the sentences are made of: numbers that already carry the verdict of their test."""

from __future__ import annotations

from dataclasses import dataclass

from csi.errors import Text


@dataclass(frozen=True, slots=True)
class Change:
    """A difference in index points between two waves, with the verdict of its test.

    `half_width` is half the confidence interval of the difference, at `level`; None where there was no test.
    """

    difference: float
    half_width: float | None
    significant: bool
    level: float | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """A rival seen from the focal brand: its index and `difference` = focal minus rival, with the verdict.

    `since` is how much `difference` changed in a year, with the verdict on that change; None where it is not known.
    """

    brand: Text
    value: float
    difference: float
    significant: bool
    since: Change | None = None

    @property
    def ahead(self) -> bool:
        """Whether the rival stands above the focal brand by more than sampling error."""
        return self.significant and self.difference < 0

    @property
    def behind(self) -> bool:
        """Whether the rival stands below the focal brand by more than sampling error."""
        return self.significant and self.difference > 0


@dataclass(frozen=True, slots=True)
class Standing:
    """One wave of the league from the focal brand's seat: `rivals` in any order; `value` None when suppressed."""

    focal: Text
    value: float | None
    rivals: tuple[Gap, ...] = ()

    @property
    def leader(self) -> Gap | None:
        """The rival with the highest index; None when there is no rival."""
        return max(self.rivals, key=lambda g: g.value, default=None)

    @property
    def lowest(self) -> Gap | None:
        """The rival with the lowest index; None when there is no rival."""
        return min(self.rivals, key=lambda g: g.value, default=None)

    @property
    def level(self) -> bool:
        """Whether no rival is significantly ahead."""
        return self.value is not None and not any(g.ahead for g in self.rivals)


@dataclass(frozen=True, slots=True)
class Named:
    """A construct, item or stage with a number and, where it was tested, whether it differs from its reference."""

    label: Text
    value: float
    difference: float = 0.0
    significant: bool = False
