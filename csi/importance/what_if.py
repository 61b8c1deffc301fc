"""What if levers were raised: the target's index points that are associated with points of its drivers.

    change_y = sum_l [(I - B)^-1]_yl r_l,   r_l = mean of min(max(x_il + asked_l, 0), 100) - x_il

B holds the paths in index points; every respondent is moved by what was asked and stops at the end of the 0-100 scale.

Letters: `q` constructs, `L` levers, `b` cells, `n` respondents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problems, Reason, Text
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_estimate
from csi.estimate.unrolled import on_items
from csi.importance.drivers import check_target
from csi.importance.lever_costs import costs_of
from csi.importance.lever_effects import Judged, judged, kind_of
from csi.importance.lever_shifts import Shift, shifted
from csi.importance.levers import asked_of, check_levers, check_money, obstacles
from csi.importance.what_if_words import lines_of, notes_of, quoted, sentences_of
from csi.measures.tidy import cells_of, said_once, tidy
from csi.moments.stack import Array

TOP = 100.0

SURE = 1e-9
"""A standard error up to this is that of a number which was given."""


@dataclass(frozen=True, slots=True, repr=False)
class WhatIf(Shown):
    """Levers raised by so many points, and what goes with that. Each frame starts with the cell's key columns.

    Attributes:
        table: one row per lever, then per construct that levers lead to: construct (or item), role ("lever", "between",
            "target"), now (0-100), asked, room (points left up to 100), change (points of the mean; of a lever what is
            left of `asked` at the end of the scale, and what other levers bring it), std_error, conf_low, conf_high
            (of what follows from the model, not of what was asked), after (now + change), at_end (of a lever: share
            of respondents at 0 or 100 after what was asked), reason (code).
        alone: one row per lever: lever, asked, change, std_error, conf_low, conf_high: of the target, were this lever
            alone raised.
        costs: per cell with a cost: cost, change, per_point (cost of one point of the target) with per_point_low,
            per_point_high, worth (of one point), net (worth x change - cost), net_low, net_high, breaks_even (share of
            draws in which net is above 0); empty without a cost.
        target, asked (construct or item -> points), held, level, labels, sentences. reasons: code -> Reason. notes.
    """

    table: pl.DataFrame
    alone: pl.DataFrame
    costs: pl.DataFrame
    target: str
    asked: Mapping[str, float]
    held: bool
    level: float
    labels: Mapping[str, Text]
    sentences: tuple[Text, ...]
    reasons: Mapping[str, Reason]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: WhatIf, lang: str = "en") -> str:
    """Sentences, what moves, levers alone, costs, notes."""
    return lines_of(value.sentences, (value.table, value.alone, value.costs), value.labels, value.notes, lang)


def whatif(
    est: Estimate,
    levers: Mapping[str, float],
    target: str = "satisfaction",
    *,
    held: bool = False,
    cost: float | None = None,
    worth: float | None = None,
) -> WhatIf:
    """Index points of the target that are associated with points of its drivers, several levers at once.

    Every respondent's score of a lever is moved by what was asked and stops at 0 and 100; what is left of it goes
    through the model's paths to the target. Paths are averages over all respondents, those at the end of its scale
    included, so that only the target's mean stops there. Rises of several levers add up, what one brings another
    included; with `held` each ends where it was put.

    Parameters:
        est: a fitted PLS or covariance model; intervals come from its replicates, else (covariance models) from the
            covariance of its parameters. levers: construct or item -> points asked, such as {"quality": 5}; negative
            lowers. A point of an item (of its own 0-100 scale) is as many points of its construct as it weighs in it.
        target: an endogenous construct. held: whether levers end exactly where they were put.
        cost: of it all, in any unit. worth: of one point of the target, in that unit.

    Returns:
        A `WhatIf`; a cell whose paths `csi.verify` withholds has a reason in place of numbers.

    Raises:
        Problems: E-TARGET; E-SETTING (no levers, a lever the target does not follow from, points that are no number or
            beyond 100, an item beside its own construct, a cost below 0, a worth not above 0 or without a cost);
            E-WHATIF where no cell may be read (not identified, not converged, constructs that cannot be told apart), or
            nothing is on 0-100.

    Source:
        Total effects: Bollen (1989), ch. 8; points: Fornell et al. (1996), Ringle & Sarstedt (2016).

    Example:
        >>> import csi
        >>> answers = {"a1": [1, 4, 7, 9, 5], "a2": [2, 4, 8, 9, 5], "b1": [1, 5, 6, 9, 3], "b2": [3, 4, 8, 8, 2]}
        >>> model = csi.Model.parse("a =~ a1 + a2; b =~ b1 + b2; b ~ a")
        >>> est = csi.fit(model, pl.DataFrame(answers), csi.PLS(), scale=(1, 10))
        >>> print(whatif(est, {"a": 5}, "b").sentences[0].en)
        5 points more a are associated with 4.4 points more b.
    """
    check_estimate(est)
    check_target(est, target)
    if problems := [*check_levers(est, levers, target), *check_money(cost, worth)]:
        raise Problems(problems)
    est, own = on_items(est), {c: float(points) for c, points in levers.items()}
    told, asked = asked_of(est, list(own), target, held=held)
    why = obstacles(est, list(dict.fromkeys(est.solution.constructs[k] for k in asked.told)))
    shift = shifted(est, asked.told, np.array([*own.values()]), asked.items)
    found = judged(est, asked, shift.rise)
    lost = np.array([w is not None for w in why])
    numbers = _numbers(shift, found, lost)
    table = _table(est, told, own, numbers, why)
    labels = {c: Text(est.model.label(c), est.model.label(c, "zh")) for c in told}
    costs = costs_of(cells_of(est), numbers, found.draws[:, :, len(told) - 1], (len(told) - 1, cost, worth))
    kind = kind_of(est)
    return WhatIf(
        table=table,
        alone=_alone(est, own, len(told), numbers),
        costs=costs,
        target=target,
        asked=own,
        held=held,
        level=est.level,
        labels=labels,
        sentences=sentences_of(table, costs, quoted(labels, est.model), est.level),
        reasons=said_once(why),
        notes=notes_of(est, kind, held=held, rows=shift.rows),
    )


def _numbers(shift: Shift, found: Judged, lost: Array) -> dict[str, Array]:
    """(b, K + L) of the constructs told, then of the target by each lever alone: changes as they stop at the ends."""
    (b, K), L = shift.now.shape, shift.rise.shape[1]
    place = [*range(K), *[K - 1] * L]
    ends = np.concatenate([shift.at_end, np.full((b, K), np.nan)], axis=1)
    change = shift.left(place, found.value)
    now = shift.now[:, place]
    numbers = {"now": now, "room": TOP - now, "change": change, "after": now + change, "at_end": ends}
    known = {"std_error": found.std_error}
    known |= {
        n: shift.left(place, limit) for n, limit in (("conf_low", found.conf_low), ("conf_high", found.conf_high))
    }
    given = ~(found.std_error > SURE)
    numbers |= {name: np.where(given, np.nan, array) for name, array in known.items()}
    return {name: np.where(lost[:, None], np.nan, array) for name, array in numbers.items()}


def _table(
    est: Estimate, told: list[str], own: Mapping[str, float], numbers: Mapping[str, Array], why: list[Reason | None]
) -> pl.DataFrame:
    """One row per lever, then per construct that they lead to."""
    K = len(told)
    roles = ["lever"] * len(own) + ["between"] * (K - len(own) - 1) + ["target"]
    labels = pl.DataFrame({"construct": told, "role": roles})
    points = np.array([*own.values(), *[np.nan] * (K - len(own))])
    order = ("now", "asked", "room", "change", "std_error", "conf_low", "conf_high", "after", "at_end")
    every = {**{n: a[:, :K] for n, a in numbers.items()}, "asked": np.repeat(points[None], len(why), axis=0)}
    codes = [None if w is None else w.code for w in why for _ in told]
    return tidy(cells_of(est), labels, {n: every[n] for n in order}, {"reason": codes})


def _alone(est: Estimate, own: Mapping[str, float], K: int, numbers: Mapping[str, Array]) -> pl.DataFrame:
    """What the target would change by, were each lever alone raised."""
    labels = pl.DataFrame({"lever": list(own)}, schema={"lever": pl.String})
    asked = np.repeat(np.array([*own.values()])[None], len(numbers["now"]), axis=0)
    parts = {n: numbers[n][:, K:] for n in ("change", "std_error", "conf_low", "conf_high")}
    return tidy(cells_of(est), labels, {"asked": asked, **parts})
