"""Marks that turn the direction of writing, taken out of names: one left open turns every sentence behind it around."""

from __future__ import annotations

from typing import Final

MARKS: Final = dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
"""Embeddings, overrides and isolates of Unicode's bidirectional algorithm; letters keep their own direction."""


def undirected(text: str) -> str:
    r"""Text without them.

    Example:
        >>> undirected("a\u202eb")
        'ab'
    """
    return text.translate(MARKS)
