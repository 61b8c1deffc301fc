"""Tables of comments: themes with their share of voice and tone, expectations from wording, all by cell.

Shares are of writers or of mentions, with Wilson intervals at the effective number that the design leaves
(`csi.inference.shares`; comments of one writer, and of one cluster, go together); means have t intervals.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import polars as pl

from csi.behaviour.comments_read import Design
from csi.inference.linearised import means
from csi.inference.shares import shares
from csi.moments.stack import Ints
from csi.survey.keyed import rows_of

LOW, HIGH = 0.45, 0.55
"""A tone below is negative, above positive."""

THEMES: Final = (
    "share", "share_low", "share_high", "voice", "voice_low", "voice_high", "tone", "tone_low", "tone_high", "negative",
    "negative_low", "negative_high",
)  # fmt: skip
WHOLE: Final = ("tone", "tone_low", "tone_high", "negative", "negative_low", "negative_high", "positive")
EXPECTED: Final = ("below", "met", "better", "balance", "balance_low", "balance_high")


def cells_of(rows: pl.DataFrame, by: Sequence[str]) -> list[dict[str, object]]:
    """Every cell with comments, in order."""
    return rows.select(by).unique().sort(by, nulls_last=True).to_dicts() if by else [{}]


def whole_table(rows: pl.DataFrame, design: Design, by: Sequence[str], level: float) -> pl.DataFrame:
    """Writers, comments and their tone, per cell."""
    return _framed(
        by, ("n", "comments"), WHOLE,
        ({**cell, "n": part["id"].n_unique(), "comments": part.height, **_toned(part, design, level, WHOLE)}
         for cell, part in _parts(rows, by)),
    )  # fmt: skip


def expected_table(rows: pl.DataFrame, design: Design, by: Sequence[str], level: float) -> pl.DataFrame:
    """Of the comments that compare with what was expected: how many got less, as much, more; their mean -1 to 1."""
    return _framed(by, ("n", "comments"), EXPECTED, _expected(rows, design, by, level))


def theme_table(
    rows: pl.DataFrame, found: pl.DataFrame, design: Design, by: Sequence[str], attributes: Sequence[str], level: float
) -> pl.DataFrame:
    """Every attribute in every cell: writers who mention it, share of writers, share of voice, tone.

    Parameters:
        rows: comments that are read. found: row, attribute, tone of every mention.
    """
    return _framed((*by, "attribute"), ("n", "mentions"), THEMES, _themes(rows, found, design, by, attributes, level))


def _parts(rows: pl.DataFrame, by: Sequence[str]) -> Iterator[tuple[dict[str, object], pl.DataFrame]]:
    """Cells with their rows."""
    for cell in cells_of(rows, by):
        part = rows_of(rows, cell)
        if part.height:
            yield cell, part


def _toned(part: pl.DataFrame, design: Design, level: float, names: Sequence[str]) -> dict[str, float]:
    """Mean tone and the shares that sound bad and good."""
    own, tone = design.of(_at(part)), part["tone"].to_numpy()
    found = means(tone[:, None], *own)
    low, high = found.interval(level)
    bad = shares((tone < LOW)[:, None], np.ones((len(tone), 1), dtype=bool), own, level)
    good = float((own[0] * (tone > HIGH)).sum() / own[0].sum())
    values = (found.mean[0], max(low[0], 0.0), min(high[0], 1.0), *(b[0] for b in bad), good)
    return dict(zip(names, map(float, values), strict=True))


def _expected(rows: pl.DataFrame, design: Design, by: Sequence[str], level: float) -> Iterator[dict[str, Any]]:
    """A row per cell in which somebody compares."""
    for cell, part in _parts(rows.filter(pl.col("disconfirmation").is_not_null()), by):
        own, value = design.of(_at(part)), part["disconfirmation"].to_numpy().astype(np.float64)
        found = means(value[:, None], *own)
        low, high = found.interval(level)
        parts = [float((own[0] * (value == v)).sum() / own[0].sum()) for v in (-1, 0, 1)]
        numbers = (*parts, found.mean[0], max(low[0], -1.0), min(high[0], 1.0))
        yield {**cell, "n": part["id"].n_unique(), "comments": part.height} | dict(
            zip(EXPECTED, map(float, numbers), strict=True)
        )


def _themes(
    rows: pl.DataFrame, found: pl.DataFrame, design: Design, by: Sequence[str], attributes: Sequence[str], level: float
) -> Iterator[dict[str, Any]]:
    """A row per cell and attribute that is mentioned there."""
    said = found.join(rows.select("row", "id", "text", "_at", *by), on="row").sort("id", "text", "attribute", "tone")
    for cell, part in _parts(rows, by):
        mine = rows_of(said, cell)
        if not mine.height:
            continue
        names = [a for a in attributes if (mine["attribute"] == a).any()]
        who = part.select("id", "_at").unique("id", maintain_order=True)
        by_writer = mine.select("id", "attribute").unique()
        mark = np.column_stack([who["id"].is_in(by_writer.filter(attribute=a)["id"].to_list()) for a in names])
        reach = shares(mark, np.ones(mark.shape, dtype=bool), design.of(_at(who)), level)
        voiced = np.column_stack([(mine["attribute"] == a).to_numpy() for a in names])
        voice = shares(voiced, np.ones(voiced.shape, dtype=bool), design.of(_at(mine)), level)
        for k, name in enumerate(names):
            own = mine.filter(pl.col("attribute") == name)
            heard = own.filter(pl.col("tone").is_not_null())
            tone = _toned(heard, design, level, WHOLE) if heard.height else dict.fromkeys(WHOLE, np.nan)
            yield {
                **cell, "attribute": name, "n": int(mark[:, k].sum()), "mentions": own.height,
                **{c: float(v[k]) for c, v in zip(THEMES[:6], (*reach, *voice), strict=True)},
                **{c: tone[c] for c in THEMES[6:]},
            }  # fmt: skip


def per_person(rows: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """id, attribute, n (mentions), tone (mean), negative (share), extreme (the tone farthest from neutral).

    Example:
        >>> rows = pl.DataFrame({"row": [0, 1], "id": ["a", "a"]})
        >>> found = pl.DataFrame({"row": [0, 1], "attribute": ["speed"] * 2, "tone": [0.1, 0.6]})
        >>> per_person(rows, found).row(0)
        ('a', 'speed', 2, 0.35, 0.5, 0.1)
    """
    far = (pl.col("tone") - 0.5).abs()
    return (
        found.join(rows.select("row", "id"), on="row", maintain_order="left")
        .group_by("id", "attribute")
        .agg(
            pl.len().cast(pl.Int64).alias("n"),
            pl.col("tone").sort().mean(),
            (pl.col("tone") < LOW).mean().alias("negative"),
            pl.col("tone").sort_by(far, "tone", descending=[True, False], nulls_last=True).first().alias("extreme"),
        )
        .sort("id", "attribute")
    )


def _at(part: pl.DataFrame) -> Ints:
    """Where the rows of a part are in the design."""
    return part["_at"].to_numpy().astype(np.int64)


def _framed(
    by: Sequence[str], counts: Sequence[str], numbers: Sequence[str], rows: Iterator[dict[str, Any]]
) -> pl.DataFrame:
    """Rows as a frame, null where a number is not one."""
    kinds = dict.fromkeys(by, pl.String) | dict.fromkeys(counts, pl.Int64) | dict.fromkeys(numbers, pl.Float64)
    frame = pl.DataFrame(list(rows), schema=kinds)
    return frame.with_columns(pl.col(list(numbers)).fill_nan(None))
