"""What is computed when it is first read: most fits of a stack are never asked for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Later(Generic[T]):
    """A value that is made once, when it is first read.

    Example:
        >>> asked = []
        >>> sum_ = Later(lambda: asked.append("once") or 1 + 1)
        >>> sum_.value, sum_.value, asked
        (2, 2, ['once'])
    """

    __slots__ = ("_found", "_make")

    def __init__(self, make: Callable[[], T]) -> None:
        self._make: Callable[[], T] | None = make
        self._found: T | None = None

    @property
    def value(self) -> T:
        """The value."""
        if self._make is not None:
            self._found, self._make = self._make(), None
        return self._found  # type: ignore[return-value]  # made above

    def __reduce__(self) -> tuple[Callable[[T], Later[T]], tuple[T]]:
        """What is stored is the value, not the way to it."""
        return known, (self.value,)


def known(value: T) -> Later[T]:
    """A value that is there already."""
    return Later(lambda: value)
