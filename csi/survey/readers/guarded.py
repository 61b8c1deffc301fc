"""Libraries that end a damaged file with a panic: it becomes an exception like any other, and prints nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from polars.exceptions import PanicException


@contextmanager
def guarded() -> Iterator[None]:
    """What polars panics about is raised as a `ValueError`; what it writes to standard error meanwhile is dropped.

    A damaged Arrow or Parquet file makes polars panic: an exception no `except Exception` catches, with a page of
    stack on the process's standard error, which Python's `sys.stderr` does not pass.

    Raises:
        ValueError: in place of the panic.

    Example:
        >>> with guarded():
        ...     2 + 2
        4
    """
    try:
        with silently():
            yield
    except PanicException as error:
        raise ValueError(str(error)) from error


@contextmanager
def silently() -> Iterator[None]:
    """Nothing reaches the standard error: of damaged pages polars tells there, thread by thread, before it raises."""
    try:
        kept = os.dup(2)
    except OSError:  # no standard error, nothing to keep from it
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
