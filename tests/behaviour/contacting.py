"""Contacts with known truth: who meets what, how it is scored, and an overall judgement made of it."""

from __future__ import annotations

import numpy as np
import polars as pl

from csi.errors import Text
from csi.survey.codebook import Codebook, Item, Scale
from csi.survey.panel import Panel

TOUCHPOINTS = ("search", "shop", "app", "call", "delivery", "service")
MET = (0.7, 0.5, 0.6, 0.4, 0.8, 0.35)


def answered(values, **more):
    """A panel of one question from 0 to 100, a respondent a row."""
    hundred = Scale("hundred", 0, 100)
    book = Codebook((Item("overall", "satisfaction", hundred, Text("Overall satisfaction", "总体满意")),), {}, {})
    keys = {"respondent": [str(k) for k in range(len(values))], **more}
    frame = pl.DataFrame({**keys, "overall": np.asarray(values, dtype=np.float64)})
    return Panel(frame, book, frame.select("overall").cast(pl.String))


def walks(rng, n, *, visits=6, centre=60.0, spread=18.0):
    """Contacts of n customers in order: scores of 0 to 100 with a part of their own, 3 to `visits` of them."""
    own = rng.normal(0, 0.6 * spread, n)
    count = rng.integers(3, visits + 1, n)
    who = np.repeat(np.arange(n), count)
    seq = np.concatenate([np.arange(c) for c in count])
    touch = rng.choice(len(TOUCHPOINTS), who.size, p=np.array(MET) / sum(MET))
    score = np.clip(centre + own[who] + rng.normal(0, spread, who.size), 0, 100)
    return pl.DataFrame(
        {
            "id": [str(k) for k in who],
            "touchpoint": [TOUCHPOINTS[t] for t in touch],
            "seq": seq + 1,
            "score": score,
        }
    )


def remembered(rng, contacts, n, weights, noise=8.0):
    """Overall judgements: intercept, mean, peak, end with these weights, errors larger where the mean is low."""
    terms = contacts.group_by("id").agg(
        mean=pl.mean("score"), peak=pl.max("score"), end=pl.col("score").sort_by("seq").last()
    )
    terms = terms.sort(pl.col("id").cast(pl.Int64)).select("mean", "peak", "end").to_numpy()
    uneven = noise * (1.6 - terms[:, 0] / 100)
    return weights[0] + terms @ np.array(weights[1:]) + rng.normal(0, 1, n) * uneven


def touched(rng, n, slopes, meets, noise=6.0, centre=60.0):
    """Contacts at most once a touchpoint, and overall = 40 + sum met (b (score - centre) + d) + error."""
    met = rng.random((n, len(TOUCHPOINTS))) < np.array(MET)
    score = rng.normal(centre, 15, met.shape)
    overall = 40 + (met * (np.array(slopes) * (score - centre) + np.array(meets))).sum(axis=1) + rng.normal(0, noise, n)
    who, touch = np.nonzero(met)
    contacts = pl.DataFrame(
        {
            "id": [str(k) for k in who],
            "touchpoint": [TOUCHPOINTS[t] for t in touch],
            "seq": np.arange(who.size),
            "score": score[met],
        }
    )
    return contacts, overall
