"""What a link is: the new score of every old one, its errors, and who they come from.

Letters: `m` points of the 0-100 grid, `r` shapes that a link's error is made of, `k` rows of data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from csi.display import Shown, fixed, text
from csi.errors import Note, Text
from csi.moments.stack import Array, Ints
from csi.tracking.show import shown

Method = Literal["mean", "linear", "equipercentile", "items", "stated", "given"]
"""From an overlap sample: same mean; same mean and spread; same distribution. From common items: same factor. Without
either: the ends of the scales are stated to correspond; or shift and slope are given."""

GRID = np.linspace(0.0, 100.0, 101)
"""The points of the old form at which a link is kept."""


@dataclass(frozen=True, slots=True, eq=False)
class Behind:
    """The respondents behind a link, in rows of the data that the index was made from.

    Attributes:
        place: (k,) positions of rows in the data as read. who: (k,) which respondent each row is of.
        influence: (respondents, r) what each adds to the link's error. shapes: (r, m) the error they add up to.
    """

    place: Ints
    who: Ints
    influence: Array
    shapes: Array

    @property
    def count(self) -> int:
        """How many respondents they are."""
        return int(np.unique(self.who).size)


@dataclass(frozen=True, slots=True, repr=False)
class Link(Shown):
    """What 0-100 scores of an old form are on a new one.

    Attributes:
        table: old, new, std_error at every tenth point. method. n: respondents who answered both forms, or behind the
            factor of common items (0 without).
        mapped: (m,) new score at each point of the grid 0, 1, ..., 100. covariance: (m, m) of their sampling errors.
        sentence: what the link says. behind: its respondents among those of the data, None where it is not known who
        they are: they then count as independent of every wave. p_value: that common items measure alike (NaN without).
        reach: lowest and highest old score, 0-100, of those who answered both forms; None without them.
    """

    table: pl.DataFrame
    method: Method
    n: int
    mapped: Array
    covariance: Array
    sentence: Text
    notes: tuple[Note, ...] = ()
    behind: Behind | None = None
    p_value: float = float("nan")
    reach: tuple[float, float] | None = None

    def of(self, scores: Array) -> Array:
        """New scores of old ones; beyond the grid the link goes on as straight as at its end."""
        first, last = self.mapped[1] - self.mapped[0], self.mapped[-1] - self.mapped[-2]
        inside = np.interp(scores, GRID, self.mapped)
        below, above = np.minimum(scores - GRID[0], 0.0), np.maximum(scores - GRID[-1], 0.0)
        return np.asarray(inside + first * below + last * above)


def made_link(
    method: Method,
    n: int,
    mapped: Array,
    covariance: Array,
    at: float,
    notes: tuple[Note, ...],
    behind: Behind | None = None,
    named: Text | None = None,
) -> Link:
    """The link with its table and sentence.

    Parameters:
        at: the old score of the sentence. named: the method in words, where they are its own.
    """
    errors = np.sqrt(np.maximum(np.diagonal(covariance), 0.0))
    places = np.arange(0, GRID.size, 10)
    table = pl.DataFrame({"old": GRID[places], "new": mapped[places], "std_error": errors[places]})
    there = float(np.interp(at, GRID, mapped))
    error = float(np.interp(at, GRID, errors))
    en = f"{fixed(at, 1)} points of the old form are {fixed(there, 1)} of the new one (standard error {fixed(error)})"
    zh = f"旧形式的 {fixed(at, 1)} 分相当于新形式的 {fixed(there, 1)} 分（标准误 {fixed(error)}）"
    words = named or _named(n)[method]
    said = Text(f"{en}; {words.en}.", f"{zh}；{words.zh}。")
    return Link(table, method, n, mapped, covariance, said, notes, behind)


def _named(n: int) -> Mapping[Method, Text]:
    """The methods in words."""
    both, both_zh = f"{n} respondents answered both", f"{n} 人两种形式均作答"
    return {
        "mean": Text(f"mean linking, {both}", f"均值衔接，{both_zh}"),
        "linear": Text(f"linear linking, {both}", f"线性衔接，{both_zh}"),
        "equipercentile": Text(f"equipercentile, {both}", f"等百分位衔接，{both_zh}"),
        "items": Text("common items", "共同题项衔接"),
        "stated": Text("stated", "约定"),
        "given": Text("given", "外部给定"),
    }


@text.register
def _(value: Link, lang: str = "en") -> str:
    """The sentence, the table and the notes."""
    return "\n".join([value.sentence.say(lang), shown(Text("Link", "衔接").say(lang), value.table, value.notes, lang)])
