"""A spinner for long work: by rich, on standard error, and only when a person is looking."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def working(message: str, *, quiet: bool) -> Iterator[None]:
    """Show `message` with a spinner while the block runs; nothing when quiet or not on a terminal.

    Example:
        >>> with working("Resampling", quiet=True):
        ...     pass
    """
    if quiet or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console  # loaded only for a person at a terminal

    with Console(stderr=True).status(message):
        yield
