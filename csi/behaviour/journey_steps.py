"""What contacts tell by themselves: who meets a touchpoint, how it is scored, what comes next, where people stop.

Shares and means follow the design: contacts of one customer, or of one cluster, are not independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from csi.behaviour.journey_asked import Walked
from csi.behaviour.loyalty_types import share_interval
from csi.inference.linearised import means
from csi.moments.stack import Array, Ints
from csi.survey.bases import Bases
from csi.survey.disclosure import apart, beside

END: Final = "(end)"
"""What follows the last contact."""

APART: Final = 3
"""Two answers at the top and two at the bottom are others where bounds are at least this far apart."""


def _shares(flags: Array, weight: Array, unit: Ints, stratum: Ints, level: float) -> dict[str, Array]:
    """Columns share, conf_low, conf_high of flags (n, k)."""
    found = means(flags, weight, unit, stratum)
    low, high = share_interval(found, weight, level)
    return {"share": found.mean, "std_error": found.std_error, "conf_low": low, "conf_high": high}


def reached(walk: Walked, level: float, bases: Bases) -> pl.DataFrame:
    """A row per touchpoint: reach of all customers, then n (who scored it) with mean, top-2 and bottom-2 share."""
    count = len(walk.touchpoints)
    met = walk.met(walk.touch, count)
    found = _shares(met, walk.weight, walk.unit, walk.stratum, level)
    frame = pl.DataFrame(
        {
            "touchpoint": list(walk.touchpoints),
            "base": np.full(count, walk.size),
            "met": met.sum(axis=0).astype(np.int64),
            "reach": found["share"],
            "reach_low": found["conf_low"],
            "reach_high": found["conf_high"],
            "contacts": np.bincount(walk.touch, minlength=count),
        }
    )
    frame = pl.concat([frame, _scored(walk, walk.touch, count, level)], how="horizontal")
    frame = frame.with_columns(pl.col(pl.Float64).fill_nan(None))
    if walk.size < bases.small:
        return bases.withheld(frame, count="base", keep=("n",))
    frame = bases.withheld(frame)
    few = pl.col("met") < bases.small  # so few met it that even their number would tell who they are
    hidden = [pl.when(~few).then(pl.col(c)).alias(c) for c in ("reach", "reach_low", "reach_high", "contacts")]
    return frame.with_columns(hidden).sort(
        "reach", "met", "touchpoint", descending=[True, True, False], nulls_last=True
    )


def _scored(walk: Walked, codes: Ints, count: int, level: float) -> pl.DataFrame:
    """N (customers), mean (0-100) with its interval, mean_raw, top2, bottom2 of the scores of each code."""
    rows = []
    names = ("mean", "std_error", "conf_low", "conf_high", "mean_raw", "top2", "bottom2")
    for code in range(count):
        at = np.flatnonzero((codes == code) & np.isfinite(walk.score))
        if not at.size or walk.bounds is None:
            rows.append({"n": 0, **dict.fromkeys(names)})
            continue
        who, (low, high) = walk.person[at], walk.bounds
        boxed = [walk.raw[at] >= high - 1, walk.raw[at] <= low + 1]
        x = np.column_stack([walk.score[at], walk.raw[at], *boxed]).astype(np.float64)
        found = means(x, walk.weight[who], walk.unit[who], walk.stratum)
        below, above = found.interval(level)
        wide = high - low >= APART
        values = (
            found.mean[0], found.std_error[0], max(below[0], 0.0), min(above[0], 100.0), found.mean[1],
            *(found.mean[2:] if wide else (np.nan, np.nan)),
        )  # fmt: skip
        rows.append({"n": len(np.unique(who)), **{k: float(v) for k, v in zip(names, values, strict=True)}})
    schema = {"n": pl.Int64, **dict.fromkeys(names, pl.Float64)}
    return pl.DataFrame(rows, schema=schema).with_columns(pl.col(pl.Float64).fill_nan(None))


def staged(walk: Walked, level: float, bases: Bases) -> pl.DataFrame:
    """A row per touchpoint and stage that met: reach, n, mean with its interval; stages by their usual place."""
    if not walk.stages:
        return pl.DataFrame()
    size = len(walk.stages)
    both = np.where(walk.stage >= 0, walk.touch * size + walk.stage, -1)
    met = walk.met(both, len(walk.touchpoints) * size)
    found = _shares(met, walk.weight, walk.unit, walk.stratum, level)
    frame = pl.DataFrame(
        {
            "touchpoint": np.repeat(walk.touchpoints, size).tolist(),
            "stage": list(walk.stages) * len(walk.touchpoints),
            "met": met.sum(axis=0).astype(np.int64),
            "reach": found["share"],
        }
    )
    more = _scored(walk, both, met.shape[1], level).select("n", "mean", "std_error", "conf_low", "conf_high")
    frame = pl.concat([frame, more], how="horizontal").filter(pl.col("met") > 0)
    told = bases.withheld(frame).with_columns(pl.when(pl.col("met") >= bases.small).then("reach").alias("reach"))
    told = _apart(told, _unstaged(walk), bases)
    usual = {name: at for at, name in enumerate(usual_order(walk, walk.stage, walk.stages))}
    return told.sort("touchpoint", pl.col("stage").replace_strict(usual))


def _unstaged(walk: Walked) -> list[int]:
    """Customers who scored each touchpoint at no known stage."""
    at = (walk.stage < 0) & np.isfinite(walk.score)
    return [len(np.unique(walk.person[at & (walk.touch == t)])) for t in range(len(walk.touchpoints))]


def _apart(frame: pl.DataFrame, unstaged: Sequence[int], bases: Bases) -> pl.DataFrame:
    """The frame without means that, with the touchpoint's own, would give away that of a stage of few customers."""
    names = frame["touchpoint"].unique().sort().to_list()
    shown = np.ones(frame.height, dtype=bool)
    for name, rest in zip(names, unstaged, strict=True):
        at = np.flatnonzero((frame["touchpoint"] == name).to_numpy() & (frame["n"] > 0).to_numpy())
        shown[at] = apart(frame["n"].to_numpy()[at], bases.small, rest)
    more, why = pl.Series(~shown) & frame["flag"].ne_missing(pl.Series(["suppressed"])), beside(bases.small)
    hidden = [pl.when(~more).then(pl.col(c)).alias(c) for c in ("mean", "std_error", "conf_low", "conf_high", "flag")]
    said = {"reason": why.en, "reason_zh": why.zh}
    return frame.with_columns(
        *hidden, *(pl.when(more).then(pl.lit(t)).otherwise(pl.col(c)).alias(c) for c, t in said.items())
    )


def usual_order(walk: Walked, codes: Ints, names: Sequence[str]) -> list[str]:
    """Names by the mean place (0 first, 1 last) of their contacts; in their own order where none is known."""
    known = walk.ordered[walk.person] & (codes >= 0)
    if not known.any():
        return list(names)
    first = np.searchsorted(walk.person, walk.person)
    count = np.bincount(walk.person, minlength=walk.size)[walk.person]
    place = (np.arange(len(walk.person)) - first + 0.5) / count
    where = [
        float(place[known & (codes == c)].mean()) if (known & (codes == c)).any() else 2.0 for c in range(len(names))
    ]
    return [names[c] for c in sorted(range(len(names)), key=lambda c: (where[c], c))]


def moves(walk: Walked, level: float, bases: Bases) -> pl.DataFrame:
    """What comes after each touchpoint: share of its contacts followed by each other one, or by none (`END`)."""
    if not walk.ordered[walk.person].any() or len(walk.touchpoints) < 2:
        return pl.DataFrame()
    known = np.flatnonzero(walk.ordered[walk.person])
    who, touch = walk.person[known], walk.touch[known]
    last = np.append(who[1:] != who[:-1], True)
    count = len(walk.touchpoints)
    after = np.where(last, count, np.append(touch[1:], 0))
    names, frames = [*walk.touchpoints, END], []
    for code in range(count):
        at = np.flatnonzero(touch == code)
        if not at.size:
            continue
        people = who[at]
        flags = (after[at][:, None] == np.arange(count + 1)).astype(np.float64)
        found = _shares(flags, walk.weight[people], walk.unit[people], walk.stratum, level)
        here = {"touchpoint": [names[code]] * (count + 1), "next": names, "contacts": [at.size] * (count + 1)}
        frames.append(pl.DataFrame({**here, "n": [len(np.unique(people))] * (count + 1), **found}))
    return bases.withheld(pl.concat(frames).with_columns(pl.col(pl.Float64).fill_nan(None)))


def funnel(walk: Walked, steps: Sequence[str], level: float, bases: Bases) -> pl.DataFrame:
    """Who comes as far as each step, and what share of those at a step goes no further.

    Parameters:
        steps: touchpoints or stages in order, each counted where it comes at or after the step before; without, the
            first contact, the second, and so on.
    """
    if not walk.ordered[walk.person].any():
        return pl.DataFrame()
    there, names = _named(walk, steps) if steps else _numbered(walk, bases)
    use = walk.ordered
    flags, weight, unit = there[use], walk.weight[use], walk.unit[use]
    reach = _shares(flags, weight, unit, walk.stratum, level)
    rows = []
    for k, name in enumerate(names):
        at = flags[:, k] > 0
        on = flags[at, k + 1] if k + 1 < len(names) else np.empty(0)
        lost: dict[str, float | None] = {"drop_off": None, "conf_low": None, "conf_high": None}
        if on.size:
            found = _shares(1 - on[:, None], weight[at], unit[at], walk.stratum, level)
            lost = {c: float(found[k_][0]) for c, k_ in zip(lost, ("share", "conf_low", "conf_high"), strict=True)}
        rows.append(
            {"step": name, "base": int(use.sum()), "n": int(at.sum()), "reach": float(reach["share"][k]), **lost}
        )
    kinds = {"step": pl.String, "base": pl.Int64, "n": pl.Int64, **dict.fromkeys(("reach", *lost), pl.Float64)}
    return bases.withheld(pl.DataFrame(rows, schema=kinds).with_columns(pl.col(pl.Float64).fill_nan(None)))


def _numbered(walk: Walked, bases: Bases) -> tuple[Array, list[str]]:
    """(m, k) whether a customer has at least 1, 2, ... contacts, as far as enough customers do, at most ten."""
    count = np.bincount(walk.person, minlength=walk.size)
    most = max((k for k in range(1, 11) if (walk.ordered & (count >= k)).sum() >= max(bases.small, 1)), default=1)
    return (count[:, None] >= np.arange(1, most + 1)).astype(np.float64), [str(k) for k in range(1, most + 1)]


def _named(walk: Walked, steps: Sequence[str]) -> tuple[Array, list[str]]:
    """(m, k) whether a customer met every step so far in this order."""
    codes = walk.touch if set(steps) <= set(walk.touchpoints) else walk.stage
    names = walk.touchpoints if codes is walk.touch else walk.stages
    wanted = [names.index(s) for s in steps]
    at = np.zeros(walk.size, dtype=np.int64)
    for who, code in zip(walk.person, codes, strict=True):
        while at[who] < len(wanted) and code == wanted[at[who]]:
            at[who] += 1
    return (at[:, None] > np.arange(len(wanted))).astype(np.float64), list(steps)
