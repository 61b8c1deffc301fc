"""One scale, one focal group against the reference: purified matching score, logistic and Mantel-Haenszel statistics.

Letters: `n` rows, `i` items, `g` groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from csi.inference.adjust import holm
from csi.measures.item_bias.logistic import JODOIN_GIERL, Logistic, classed, logistic
from csi.measures.item_bias.mantel import Mantel, classes, mantel
from csi.measures.item_bias.tables import Tables, tables
from csi.measures.response.marginal import Bools
from csi.moments.stack import Array, Ints

ROUNDS: Final = 10
"""Of purification at most."""

LEAST: Final = 3
"""Items of a scale below which there is nothing to match on; items that stay in the score at least."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Of one scale and its groups, the first of them the reference.

    Attributes:
        tables, logistic. mantel: of two groups. anchors: (i,) items of the score.
        rounds: of purification; 0 where nothing left the score. settled: whether its items came out the same again.
    """

    tables: Tables
    logistic: Logistic
    mantel: Mantel | None
    anchors: Bools
    rounds: int = 0
    settled: bool = True

    @property
    def categories(self) -> Ints:
        """(i,) how many answers of each item occur."""
        return np.array([c.size for c in self.tables.codes], dtype=np.int64)


def compare(rows: Array, group: Ints, groups: int, *, purify: bool, alpha: float, methods: Sequence[str]) -> Compared:
    """Statistics of every item; items that function differently leave the score on which the others are matched.

    They do where a test is significant (Holm over the items) and its class is not A: by the logistic tests and, of two
    groups, by Mantel's. An item is always part of its own score.

    Parameters:
        rows: (n, i) answers on whole steps, NaN where absent. group: (n,) from 0, the reference first. purify:
            score again without the items found, until the same items come out. methods: whose tests count.

    Source:
        Holland & Thayer (1988), in Test validity, 129-145; French & Maller (2007), Educational and Psychological
        Measurement 67, 373-393.
    """
    anchors = np.ones(rows.shape[1], bool)
    seen, rounds, settled = [anchors], 0, True
    now = _scored(rows, group, groups, anchors)
    while purify:
        clean = _clean(now, alpha, methods)
        if (clean == anchors).all():
            break
        settled = not any((clean == one).all() for one in seen) and clean.sum() >= LEAST - 1 and rounds < ROUNDS
        if not settled:
            break
        anchors, rounds = clean, rounds + 1
        seen.append(anchors)
        now = _scored(rows, group, groups, anchors)
    return replace(now, rounds=rounds, settled=settled)


def _scored(rows: Array, group: Ints, groups: int, anchors: Bools) -> Compared:
    """The statistics with a score of these items."""
    told = tables(rows, group, groups, anchors)
    sizes = np.array([c.size for c in told.codes], dtype=np.int64)
    two = mantel(told.counts, told.value, sizes) if groups == 2 else None
    return Compared(told, logistic(told.counts, told.value), two, anchors)


def _clean(now: Compared, alpha: float, methods: Sequence[str]) -> Bools:
    """(i,) which items do not function differently."""
    wrong = np.zeros(now.anchors.size, bool)
    if "logistic" in methods or now.mantel is None:
        classes_ = np.array(classed(now.logistic.r2, now.logistic.p, JODOIN_GIERL, alpha))
        wrong |= (holm(now.logistic.p) < alpha) & np.isin(classes_, ["B", "C"])
    if "mantel" in methods and now.mantel is not None:
        classes_ = np.array(classes(now.mantel, now.categories, alpha))
        wrong |= (holm(now.mantel.p) < alpha) & np.isin(classes_, ["B", "C", "BB", "CC"])
    return ~wrong
