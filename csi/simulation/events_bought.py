"""Purchases, members of a programme and spells of customers, with known truth.

Letters: `n` customers.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import numpy as np
import polars as pl
from scipy.special import betaincinv, expit, gammaincinv, ndtr, ndtri

from csi.moments.stack import Array
from csi.simulation.event_parts import MembersPart, PurchasesPart, SpellsPart

MOST: Final = 150
"""Purchases a customer can make."""

MONTH: Final = 365.25 / 12
WEEK: Final = 7.0


def normal_scores(score: Array, uniform: Array) -> Array:
    """(n,) normal scores of ranks; ties by lot."""
    order = np.lexsort((uniform, score))
    rank = np.empty(len(score))
    rank[order] = np.arange(1, len(score) + 1)
    out: Array = ndtri((rank - 0.5) / len(score))
    return out


def rates(part: PurchasesPart, score: Array, uniform: Array) -> tuple[Array, Array]:
    """(n,) weekly rates and their normal scores: gamma whatever `tie` is.

    Parameters:
        part: r, alpha, tie. score: (n,) that the rates go with. uniform: (n, 2) in (0, 1).
    """
    z = part.tie * normal_scores(score, uniform[:, 0]) + np.sqrt(1 - part.tie**2) * ndtri(uniform[:, 1])
    return gammaincinv(part.r, ndtr(z)) / part.alpha, z


def bought(part: PurchasesPart, rate: Array, uniform: Array, first: Array) -> tuple[Array, Array]:
    """Days of purchases since the start, and when each customer left.

    Parameters:
        part: as stated. rate: (n,) weekly. uniform: (n, 1 + 2 MOST) in (0, 1). first: (n,) day of the first purchase.

    Returns:
        (n, MOST + 1) days, NaN where there is none; (n,) the day of the last purchase of customers who left, infinite
        for others.

    Source: Fader, Hardie & Lee (2005), Marketing Science 24(2), 275-284, section 2.
    """
    n, gaps = len(rate), uniform[:, 1 : 1 + MOST]
    leaving = betaincinv(part.a, part.b, uniform[:, 0]) if part.a > 0 else np.zeros(n)
    with np.errstate(divide="ignore"):
        steps = -np.log(gaps) / rate[:, None] * WEEK
    days = np.concatenate([first[:, None], first[:, None] + np.cumsum(steps, axis=1)], axis=1)
    left = uniform[:, 1 + MOST :] < leaving[:, None]
    gone = np.where(left.any(axis=1), left.argmax(axis=1), MOST)
    # after repeat purchase k (from 1) a customer is gone with their own chance
    last = days[np.arange(n), np.minimum(gone + 1, MOST)]
    ended = np.where(left.any(axis=1), last, np.inf)
    whole = (part.until - part.start).days
    return np.where((days <= ended[:, None]) & (days <= whole), days, np.nan), ended


def purchases(
    part: PurchasesPart, ids: list[str], days: Array, uniform: Array, joined: Array, lift: float
) -> pl.DataFrame:
    """The table: id, date, amount.

    Parameters:
        part: p, q, gamma. ids: n. days: (n, k), NaN without. uniform: (n, 1 + k) in (0, 1). joined: (n,) day of
            joining, NaN without; from it on amounts are (1 + lift) times what they were.
    """
    own = gammaincinv(part.q, uniform[:, 0]) / part.gamma
    amount = gammaincinv(part.p, uniform[:, 1:]) / own[:, None]
    with np.errstate(invalid="ignore"):
        amount = np.where(days >= joined[:, None], amount * (1 + lift), amount)
    who, place = np.nonzero(np.isfinite(days))
    when = [part.start + timedelta(days=int(d)) for d in days[who, place]]
    rows = {"id": [ids[k] for k in who], "date": when, "amount": np.maximum(amount[who, place].round(2), 0.01)}
    return pl.DataFrame(rows, schema={"id": pl.String, "date": pl.Date, "amount": pl.Float64})


def members(part: MembersPart, start: date, z: Array, first: Array, uniform: Array) -> Array:
    """(n,) days since the start on which members join, NaN for others; nobody before the first purchase.

    Parameters:
        part: as stated. start: day 0. z: (n,) normal scores of the rate. first: (n,) day of the first purchase.
        uniform: (n, 2) in (0, 1).
    """
    joins = uniform[:, 0] < expit(part.constant + part.slope * z)
    span = (part.last - part.first).days
    day = (part.first - start).days + np.floor(uniform[:, 1] * (span + 1))
    out: Array = np.where(joins & (day > first), day, np.nan)
    return out


def spells(part: SpellsPart, start: date, ids: list[str], score: Array, uniform: Array) -> pl.DataFrame:
    """The table: id, start, end, event (1 left, 0 still a customer on the last day)."""
    hazard = np.exp(part.constant + part.slope * (score - part.centre) / 10)
    days = np.ceil(-np.log(uniform) / hazard * MONTH)
    whole = (part.until - start).days
    left = days <= whole
    end = [start + timedelta(days=int(min(d, whole))) for d in days]
    return pl.DataFrame({"id": ids, "start": [start] * len(ids), "end": end, "event": left.astype(np.int64)})
