"""How long work shows on standard error: a spinner by rich for a person, a line now and then where nobody looks."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[int, int], None]
"""Told (done, all) now and then."""

EVERY = 20.0
"""Seconds between the lines where standard error is no terminal."""


@contextmanager
def working(message: str, *, quiet: bool) -> Iterator[Progress]:
    """Show `message` with a spinner while the block runs, and how much is done once the block tells; nothing if quiet.

    Where standard error is no terminal, a line every 20 seconds says how much is done.

    Example:
        >>> with working("Resampling", quiet=True) as tell:
        ...     tell(1, 2)
    """
    if quiet:
        yield _silent
        return
    if not sys.stderr.isatty():
        yield lines(message, time.monotonic)
        return
    from rich.console import Console  # loaded only for a person at a terminal

    with Console(stderr=True).status(message) as status:
        yield lambda done, of: status.update(f"{message} {done}/{of}")


def lines(message: str, clock: Callable[[], float]) -> Progress:
    """What prints `message 300/1000` on standard error, at most every 20 seconds by `clock`.

    Example:
        >>> tell = lines("Permuting", iter([0.0, 1.0]).__next__)
        >>> tell(1, 10)
    """
    last = clock()

    def tell(done: int, of: int) -> None:
        nonlocal last
        if (now := clock()) - last >= EVERY:
            last = now
            print(f"{message} {done}/{of}", file=sys.stderr, flush=True)

    return tell


def _silent(done: int, of: int) -> None:
    """Tell nobody."""
