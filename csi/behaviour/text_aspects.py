"""Which attributes a comment is about: a lexicon of terms, from the codebook and from a table of the user's."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from csi.errors import Text
from csi.survey.codebook import Codebook
from csi.survey.side_table import labelled, side_table

LONG: Final = 12
"""A label of more Chinese characters, or of more than 4 words, is a question and no term."""


def lexicon_of(source: object, book: Codebook | None) -> tuple[dict[str, tuple[str, ...]], dict[str, Text]]:
    """Attribute -> its terms in small letters, and labels.

    Parameters:
        source: {attribute: terms}, a frame or a file with columns attribute, term (and zh, en: labels), or None.
        book: its attributes with the labels of their items, short ones, are terms too.

    Raises:
        Problems: E-TEXT for a table that cannot be read.

    Example:
        >>> lexicon_of({"speed": ["快", "Waiting time"]}, None)[0]
        {'speed': ('快', 'waiting time')}
    """
    terms, labels = _of_book(book) if book is not None else ({}, {})
    if source is None:
        return terms, labels
    if isinstance(source, Mapping):
        own = {str(a): [str(t) for t in ([every] if isinstance(every, str) else every)] for a, every in source.items()}
    else:
        needed, optional = {"attribute": "text", "term": "text"}, {"zh": "text", "en": "text"}
        frame = side_table(source, _name(source), needed, optional, "E-TEXT")  # type: ignore[arg-type]  # literals
        own = dict(frame.group_by("attribute", maintain_order=True).agg("term").rows())
        labels |= labelled(frame, "attribute") if {"zh", "en"} & set(frame.columns) else {}
    for attribute, every in own.items():
        said = (*terms.get(attribute, ()), *(t.strip().lower() for t in every if t.strip()))
        terms[attribute] = tuple(dict.fromkeys(said))
    return terms, {a: labels.get(a, Text(a, a)) for a in terms}


def _of_book(book: Codebook) -> tuple[dict[str, tuple[str, ...]], dict[str, Text]]:
    """Terms and labels of a codebook's attributes."""
    terms: dict[str, tuple[str, ...]] = {}
    labels: dict[str, Text] = {}
    for item in book.items:
        if not item.attribute:
            continue
        said = [t.strip().lower() for t in (item.attribute.replace("_", " "), item.label.zh, item.label.en)]
        short = [t for t in said if t and len(re.findall(r"[\u4e00-\u9fff]", t)) <= LONG and len(t.split()) <= 4]
        terms[item.attribute] = tuple(dict.fromkeys((*terms.get(item.attribute, ()), *short)))
        own = Text(item.label.en or item.attribute, item.label.zh or item.attribute)
        labels.setdefault(item.attribute, own)
    return terms, labels


def mentioned(said: pl.DataFrame, terms: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """Clauses that name an attribute: row, sentence, attribute, and what `said` has of the clause.

    Example:
        >>> said = pl.DataFrame({"row": [0, 1], "sentence": [0, 0], "clause": ["理赔很快", "the price is fair"]})
        >>> mentioned(said, {"speed": ["理赔"], "price": ["price"]}).select("row", "attribute").rows()
        [(0, 'speed'), (1, 'price')]
    """
    parts = [
        said.filter(pl.col("clause").str.contains(pattern)).with_columns(pl.lit(attribute).alias("attribute"))
        for attribute, pattern in ((a, _pattern(t)) for a, t in terms.items() if t)
    ]
    empty = said.clear().with_columns(pl.lit(None, pl.String).alias("attribute"))
    return pl.concat([empty, *parts]).sort("row", "sentence", maintain_order=True)


def _pattern(terms: Sequence[str]) -> str:
    """Terms as one pattern; Latin ones as whole words, also in the plural."""
    said = [
        rf"\b{re.escape(t)}(?:s|es)?\b" if re.fullmatch(r"[\w .'’&/-]*[a-z][\w .'’&/-]*", t, re.ASCII) else re.escape(t)
        for t in terms
    ]
    return "|".join(s.replace(r"\ ", " ") for s in said)


def _name(source: object) -> str:
    """What messages call the table."""
    return Path(source).name if isinstance(source, str | Path) else "lexicon"
