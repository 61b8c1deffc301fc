"""Scores 0-100 of constructs that behaviour is told by, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from csi.errors import Problem, Problems, Text, did_you_mean, problem
from csi.estimate.given import check_panel
from csi.inference.linearised import Design
from csi.moments.sample import sample_of
from csi.moments.stack import Array, Ints, Sample
from csi.survey.codebook import Codebook
from csi.survey.panel import Panel

HALF = 0.5
"""A score needs answers to this share of the items."""


@dataclass(frozen=True, slots=True)
class Scored:
    """Rows of a panel with the scores of some constructs.

    Attributes:
        sample: the rows. scores: (n, m), 0-100, NaN with answers to fewer than half of the items.
        labels: name -> label.
    """

    sample: Sample
    scores: Array
    labels: Mapping[str, Text]

    def places(self, cell: int) -> Ints:
        """Which rows of the sample they are: those of a cell that have every score."""
        return np.flatnonzero((self.sample.cell == cell) & np.isfinite(self.scores).all(axis=1))

    def rows(self, cell: int) -> tuple[Array, Design]:
        """Scores and design of the rows of a cell that have every score."""
        at = self.places(cell)
        return self.scores[at], Design.of(self.sample, at)


def level_problems(level: object) -> list[Problem]:
    """A problem where the level of an interval is not between 0 and 1; else none.

    Example:
        >>> level_problems(0.9), [p.code for p in level_problems(95)]
        ([], ['E-SETTING'])
    """
    if isinstance(level, int | float) and 0 < level < 1:
        return []
    said = f"{level:g}" if isinstance(level, int | float) else repr(level)
    en, zh = f"level = {said} is not between 0 and 1.", f"level = {said} 不在 0 与 1 之间。"
    return [problem("E-SETTING", "level", en, zh, "Write 0.95.", "请写 0.95。")]


def scored(
    panel: Panel, names: Sequence[str], by: Sequence[str], where: Mapping[str, str] | None, level: float
) -> Scored:
    """Mean of the items of each construct, on 0-100.

    Raises:
        Problems: no such construct or item (E-ROLE), items without bounds (E-SCALE), a level outside (0, 1), all at
            once.
    """
    check_panel(panel)
    book = panel.codebook
    items = {n: book.items_of(n, "P") or book.items_of(n) or ((n,) if n in book.names else ()) for n in names}
    found = [_absent(n, [*book.constructs, *book.names]) for n, have in items.items() if not have]
    scales = {i: book[i].scale for have in items.values() for i in have}
    found += [_unbounded(i) for i, scale in scales.items() if not scale.maximum > scale.minimum]
    found += level_problems(level)
    if found:
        raise Problems(found)
    every = list(dict.fromkeys(i for have in items.values() for i in have))
    sample = sample_of(panel, every, by, missing="pairwise", where=where)
    low, high = (np.array(bound, dtype=np.float64) for bound in book.bounds(every))
    hundred = 100 * (sample.rows - low) / (high - low)
    scores = [_mean(hundred[:, [every.index(i) for i in have]]) for have in items.values()]
    labels = {n: Text(book.label(n, "en"), book.label(n, "zh")) for n in names}
    return Scored(sample, np.column_stack(scores), labels)


def headings(book: Codebook, names: Sequence[str]) -> dict[str, Text]:
    """What the codebook calls attributes, touchpoints, stages: a heading of that name, else the one question about it.

    Example:
        >>> headings(Codebook((), {"shop": Text("Shop", "门店")}, {}), ("shop", "app"))["shop"].zh
        '门店'
    """
    out = {}
    for name in names:
        about = [i for i in book.items if i.attribute == name and i.form == "P"]
        if name in book.constructs:
            out[name] = Text(book.label(name, "en"), book.label(name, "zh"))
        elif len(about) == 1:
            out[name] = Text(about[0].label.en or name, about[0].label.zh or name)
    return out


def _mean(x: Array) -> Array:
    """(n,) means over items, of rows with at least half of them."""
    seen = np.isfinite(x)
    count = seen.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(count >= HALF * x.shape[1], np.where(seen, x, 0.0).sum(axis=1) / count, np.nan)


def _absent(name: str, known: Sequence[str]) -> Problem:
    """A construct or item the codebook does not have."""
    what = Text(f'the codebook has no construct or item "{name}".', f"编码簿中没有构念或题项“{name}”。")
    return Problem("E-ROLE", "", what, did_you_mean(name, known))


def _unbounded(item: str) -> Problem:
    """An item whose scale has no two bounds."""
    en, zh = f"the bounds of {item} are unknown.", f"{item} 的上下限未知。"
    return problem("E-SCALE", item, en, zh, "Declare its scale in the codebook.", "请在编码簿中声明其量表。")
