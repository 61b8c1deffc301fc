"""Contacts, complaints, cases and comments of a wave, with known truth.

Letters: `n` respondents.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import yaml
from scipy.special import expit, ndtri

from csi.moments.stack import Array, Ints
from csi.simulation.event_parts import CasesPart, ComplaintsPart, ContactsPart, TextsPart

TONES: Final = (-1, 0, 1)


def contacts(
    part: ContactsPart, score: Array, uniform: Array, ids: list[str], first: date, wave: str
) -> tuple[pl.DataFrame, dict[str, Array]]:
    """The table (id, touchpoint, seq, time, score, stage, wave) and mean, peak and end of every respondent (0-100).

    Parameters:
        part: as stated. score: (n,) of what they go with. uniform: (n, touchpoints, 3) in (0, 1). first: day of the
            wave.
    """
    names = list(part.touchpoints)
    stated = part.touchpoints.values()
    met = uniform[:, :, 0] < np.array([t.reach for t in stated])
    plain = np.array([t.mean for t in stated]) + part.pull * (score[:, None] - part.centre) / 10
    given = np.clip(np.rint(plain + part.sd * ndtri(uniform[:, :, 1])), part.min, part.max)
    hundred = 100 * (given - part.min) / (part.max - part.min)
    who, place = np.nonzero(met)
    seq = np.cumsum(met, axis=1)[who, place]
    day = 3 + 9 * place + np.floor(7 * uniform[who, place, 2])
    frame = pl.DataFrame(
        {
            "id": [ids[k] for k in who],
            "touchpoint": [names[k] for k in place],
            "seq": seq,
            "time": [first + timedelta(days=int(d)) for d in day],
            "score": given[who, place].astype(np.int64),
            "stage": [part.touchpoints[names[k]].stage for k in place],
            "wave": [wave] * len(who),
        }
    )
    if not any(t.stage for t in stated):
        frame = frame.drop("stage")
    return frame, _terms(hundred, met, part.centre)


def _terms(hundred: Array, met: np.ndarray, centre: float) -> dict[str, Array]:
    """Mean, peak and end of the contacts met, in their order."""
    any_met = met.any(axis=1)
    last = met.shape[1] - 1 - np.argmax(met[:, ::-1], axis=1)
    with np.errstate(invalid="ignore"):
        mean = np.where(met, hundred, 0).sum(axis=1) / met.sum(axis=1)
    found = {
        "contact_mean": mean,
        "contact_peak": np.where(met, hundred, -np.inf).max(axis=1),
        "contact_end": hundred[np.arange(len(met)), last],
    }
    return {k: np.where(any_met, v, centre) for k, v in found.items()}


def complained(part: ComplaintsPart, score: Array, uniform: Array) -> tuple[Array, Array]:
    """(n,) whether each complains; the score of the handling, NaN where nothing was handled.

    Parameters:
        part: as stated. score: (n,) that incidence depends on. uniform: (n, 3) in (0, 1).
    """
    yes = uniform[:, 0] < expit(part.constant + part.slope * score)
    given = np.clip(np.rint(part.mean + part.sd * ndtri(uniform[:, 2])), part.min, part.max)
    return yes, np.where(yes & (uniform[:, 1] < part.handled), given, np.nan)


def cases(
    part: CasesPart, ids: list[str], opened: list[date | None], uniform: Array, until: date, wave: str
) -> pl.DataFrame:
    """The runs of cases that come of complaints: case, id, attribute, opened, closed, source.

    Parameters:
        part: as stated. ids, opened: n respondents and the day of their complaint. uniform: (n, 7) in (0, 1). until:
            what is closed later is open.
    """
    names = list(part.attributes)
    edges = np.cumsum([part.attributes[n].share for n in names])
    sources = list(part.sources)
    rows: list[tuple[Any, ...]] = []
    for name, day, u in zip(ids, opened, uniform, strict=True):
        if day is None or u[0] >= part.share:
            continue
        attribute = names[min(int(np.searchsorted(edges, u[1] * edges[-1], side="right")), len(names) - 1)]
        source = _chosen(part.sources, sources, u[2])
        mean = part.attributes[attribute].days
        closed = day + timedelta(days=int(np.ceil(-np.log(u[3]) * mean)))
        case = f"{wave}-{name}"
        rows.append((case, name, attribute, day, closed if closed <= until else None, source))
        again = closed + timedelta(days=1 + int(20 * u[5]))
        if closed <= until and u[4] < part.reopened and again <= until:
            shut = again + timedelta(days=int(np.ceil(-np.log(u[6]) * mean)))
            rows.append((case, name, attribute, again, shut if shut <= until else None, source))
    kinds = {"case": pl.String, "id": pl.String, "attribute": pl.String, "opened": pl.Date, "closed": pl.Date}
    frame = pl.DataFrame(rows, schema={**kinds, "source": pl.String}, orient="row")
    return frame if sources else frame.drop("source")


def _chosen(shares: Mapping[str, float], names: list[str], uniform: float) -> str | None:
    """A name by its share."""
    if not names:
        return None
    edges = np.cumsum(list(shares.values()))
    return names[min(int(np.searchsorted(edges, uniform * edges[-1], side="right")), len(names) - 1)]


def texts(
    part: TextsPart, score: Array, of: Mapping[str, Array], uniform: Array, ids: list[str], first: date, wave: str
) -> pl.DataFrame:
    """The table: id, date, wave, text, true_tone, true_attribute.

    Parameters:
        part: as stated. score: (n,) that writing depends on. of: attribute -> (n,) its score, that the tone depends on.
        uniform: (n, 8) in (0, 1).
    """
    names = list(part.attributes)
    edges = np.cumsum(list(part.attributes.values()))
    writes = uniform[:, 0] < expit(part.constant + part.slope * score)
    rows: list[tuple[Any, ...]] = []
    for k in np.flatnonzero(writes):
        u = uniform[k]
        attribute = names[min(int(np.searchsorted(edges, u[1] * edges[-1], side="right")), len(names) - 1)]
        good = u[2] < expit((of[attribute][k] - part.centre) / part.spread)
        tone = 0 if u[3] < part.neutral else 1 if good else -1
        language = "en" if u[4] < part.english else "zh"
        said = sentence(language, attribute, tone, u[5], u[6])
        rows.append((ids[k], first + timedelta(days=int(85 * u[7])), wave, said, tone, attribute))
    schema = {"id": pl.String, "date": pl.Date, "wave": pl.String, "text": pl.String}
    return pl.DataFrame(rows, schema={**schema, "true_tone": pl.Int64, "true_attribute": pl.String}, orient="row")


def coded(frame: pl.DataFrame, part: TextsPart, uniform: Array) -> pl.DataFrame:
    """The first comments twice, with what two people coded (human_score, coder); the others once, without.

    Parameters:
        frame: comments. part: how many, and how often off by one. uniform: (coded, 2, 2) in (0, 1).
    """
    n = min(part.coded, frame.height)
    tone = frame["true_tone"].to_numpy()[:n]
    rows = []
    for j, coder in enumerate(("A", "B")):
        step = np.where(uniform[:n, j, 1] < 0.5, -1, 1)
        said = np.where(uniform[:n, j, 0] < part.miss, np.clip(tone + step, -1, 1), tone)
        rows.append(frame.head(n).with_columns(pl.Series("human_score", said), coder=pl.lit(coder)))
    rest = frame.slice(n).with_columns(
        pl.lit(None, pl.Int64).alias("human_score"), pl.lit(None, pl.String).alias("coder")
    )
    whole = pl.concat([pl.concat(rows).with_columns(pl.col("human_score").cast(pl.Int64)), rest])
    return whole.sort("wave", "id", "coder", maintain_order=True)


def sentence(language: str, attribute: str, tone: int, first: float, second: float) -> str:
    """A comment of a language on an attribute with a tone.

    Parameters:
        language: "zh" or "en". attribute: one of the wordings' or any other, which is named as it is. tone: -1, 0, 1.
        first, second: in (0, 1), which name and which wording.

    Example:
        >>> sentence("en", "delivery", 1, 0.1, 0.1), sentence("zh", "delivery", -1, 0.1, 0.1)
        ('The delivery was excellent.', '配送太差了。')
    """
    said = _wordings()[language]
    names = said["attributes"].get(attribute, [attribute.replace("_", " ")])
    patterns = said["tones"][{-1: "bad", 0: "plain", 1: "good"}[tone]]
    return str(patterns[int(second * len(patterns))]).format(names[int(first * len(names))])


@cache
def _wordings() -> dict[str, Any]:
    """Names and wordings of both languages."""
    text = Path(__file__).with_name("comments.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def severity(uniform: Array) -> Ints:
    """(n,) 1 to 5, alike often."""
    out: Ints = (1 + np.floor(5 * uniform)).astype(np.int64)
    return out
