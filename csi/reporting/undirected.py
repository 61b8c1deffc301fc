"""Marks that turn the direction of writing, taken out of names: one left open turns every sentence behind it around."""

from __future__ import annotations

import re
from typing import Final

MARKS: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Embeddings, overrides and isolates of Unicode's bidirectional algorithm; letters keep their own direction."""


def undirected(text: str) -> str:
    r"""Text without them.

    Example:
        >>> undirected("a\u202eb")
        'ab'
    """
    return MARKS.sub("", text)
