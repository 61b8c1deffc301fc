"""Customers and the touchpoints they met, in the order in which they met them.

Letters: `m` customers, `N` contacts, `t` touchpoints, `u` units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl

from csi.behaviour.asked import scored
from csi.errors import Note, Problem, Problems, note, problem
from csi.estimate.given import check_panel
from csi.moments.sample import sample_of
from csi.moments.stack import Array, Ints
from csi.survey.events import Events, joined
from csi.survey.panel import Panel

TIES: Final = ("wave", "brand")
"""Columns of contacts that say which row of a respondent they belong to."""


@dataclass(frozen=True, slots=True)
class Walked:
    """Customers with their contacts.

    Attributes:
        weight, unit: (m,). stratum: (u,) of each unit. overall: (m,) 0-100, NaN where absent; None where not asked for.
        person, touch, stage: (N,) index of each contact's customer, touchpoint, stage (-1 without), customer by
            customer in order. raw, score: (N,) as given and on 0-100, NaN where absent. ordered: (m,) whether the order
            of the customer's contacts is known; all false where there is no order.
        touchpoints, stages: names. bounds: of the raw scores, None without scores. notes.
    """

    weight: Array
    unit: Ints
    stratum: Ints
    overall: Array | None
    person: Ints
    touch: Ints
    stage: Ints
    raw: Array
    score: Array
    ordered: np.ndarray
    touchpoints: tuple[str, ...]
    stages: tuple[str, ...]
    bounds: tuple[float, float] | None
    notes: tuple[Note, ...]

    @property
    def size(self) -> int:
        """Customers."""
        return len(self.weight)

    def met(self, codes: Ints, count: int) -> Array:
        """(m, count) 1 where a customer has a contact with that code.

        Parameters:
            codes: (N,) such as `touch`; negative ones count nowhere.
        """
        flags = np.zeros((self.size, count))
        at = codes >= 0
        flags[self.person[at], codes[at]] = 1.0
        return flags


def walked(
    events: Events,
    panel: Panel | None,
    overall: str,
    where: Mapping[str, str] | None,
    bounds: Sequence[float],
    level: float,
) -> Walked:
    """Contacts joined to customers.

    Raises:
        Problems: ids that do not join, nobody left (E-EVENT), several rows of a respondent that contacts cannot tell
            apart (E-ROLE), scores outside their bounds or all alike without bounds (E-SCALE), level (E-SETTING).
    """
    frame, notes = events.frame, events.notes
    if panel is None:
        people = frame["id"].unique().sort()
        keys = pl.DataFrame({"id": people, "_person": np.arange(len(people))})
        ones, strata = np.ones(len(people)), np.zeros(len(people), dtype=np.int64)
        design, y = (ones, np.arange(len(people)), strata), None
        linked = ["id"]
        en = "without answers the base of reach is everybody with a contact."
        notes = (*notes, note("N-JOURNEY-BASE", en, "没有答卷数据时，触达率以有接触者为基数。"))
    else:
        check_panel(panel)
        mine = joined(events, panel)
        frame, notes = mine.frame, mine.notes
        keys, linked, design, y, more = _people(panel, frame, overall, where, level)
        notes = (*notes, *more)
    own = frame.join(keys, on=linked, how="inner", maintain_order="left")
    if not own.height:
        en, zh = "no contact is of the respondents chosen.", "所选受访者没有任何接触记录。"
        do, do_zh = (
            "Choose others, or check wave and brand of the contacts.",
            "请改选受访者，或检查接触表的期次与品牌。",
        )
        raise Problems([problem("E-EVENT", events.name or "contacts", en, zh, do, do_zh)])
    if len(linked) > 1 and own.height < frame.height and not where:
        lost = frame.height - own.height
        en, zh = (
            f"{lost} contacts are of a wave or brand without an answer; left out.",
            f"{lost} 条接触所属期次或品牌没有答卷，未计入。",
        )
        notes = (*notes, note("N-EVENT-JOIN", en, zh))
    return _arranged(own, design, y, bounds, notes)


def _people(
    panel: Panel, frame: pl.DataFrame, overall: str, where: Mapping[str, str] | None, level: float
) -> tuple[pl.DataFrame, list[str], tuple[Array, Ints, Ints], Array | None, tuple[Note, ...]]:
    """Rows of the panel: keys of the contacts, design, overall score."""
    every = replace(panel, frame=panel.frame.with_columns(pl.lit(1.0).alias("_met")))
    sample = sample_of(every, ["_met"], where=where)
    place = np.arange(len(sample.rows)) if sample.place is None else sample.place
    own = panel.frame[place.tolist()]
    links = [k for k in TIES if k in frame.columns and k in own.columns and frame[k].null_count() == 0]
    there, notes = _in_waves(own, frame, links, sample.notes)
    place = place[there]
    own = panel.frame[place.tolist()]
    keys = own.select(pl.col("respondent").cast(pl.String).alias("id"), *(pl.col(k).cast(pl.String) for k in links))
    twice = int(keys.is_duplicated().sum())
    if twice:
        raise Problems([_several(twice, [k for k in TIES if k in own.columns and k not in links])])
    y = None
    if overall:
        found = scored(panel, [overall], (), where, level)
        whole = np.full(panel.frame.height, np.nan)
        at = np.arange(len(found.scores)) if found.sample.place is None else found.sample.place
        whole[at] = found.scores[:, 0]
        y = whole[place]
    design = (sample.weight[there], sample.unit[there], sample.stratum)
    keys = keys.with_columns(pl.Series("_person", np.arange(keys.height)))
    return keys, ["id", *links], design, y, notes


def _in_waves(
    own: pl.DataFrame, frame: pl.DataFrame, links: Sequence[str], notes: tuple[Note, ...]
) -> tuple[np.ndarray, tuple[Note, ...]]:
    """(n,) whether a row is of a wave that has contacts: a table that does not cover a wave says nothing of it."""
    everybody = np.ones(own.height, dtype=bool)
    if "wave" not in links:
        return everybody, notes
    there = own["wave"].cast(pl.String).is_in(frame["wave"].cast(pl.String).unique().to_list())
    if there.all():
        return everybody, notes
    without = own.filter(~there)["wave"].cast(pl.String).unique(maintain_order=True).to_list()
    en = f"no contact is of {', '.join(without)}: answers of these waves are left out of the base."
    zh = f"{'、'.join(without)} 没有接触记录：这些期次的答卷不计入基数。"
    return there.to_numpy(), (*notes, note("N-JOURNEY-BASE", en, zh))


def _several(rows: int, keys: Sequence[str]) -> Problem:
    """Rows of one respondent that contacts do not tell apart."""
    named, named_zh = " or ".join(keys) or "wave", "或 ".join(keys) or "wave"
    en = f"{rows} answers are of respondents who answered more than once; contacts do not say to which they belong."
    zh = f"有 {rows} 份答卷的受访者不止一次作答，而接触表未说明属于哪一次。"
    do = f"Give contacts a column {named}, or choose one with where= (--wave, --brand)."
    do_zh = f"请为接触表增加 {named_zh} 列，或以 where=（--wave、--brand）选取其一。"
    return problem("E-ROLE", "contacts", en, zh, do, do_zh)


def _arranged(
    own: pl.DataFrame,
    design: tuple[Array, Ints, Ints],
    y: Array | None,
    bounds: Sequence[float],
    notes: tuple[Note, ...],
) -> Walked:
    """Contacts in order as arrays."""
    order = [c for c in ("seq", "time") if c in own.columns and own[c].null_count() < own.height]
    kept = [c for c in ("score", "stage") if c in own.columns]
    own = own.sort(["_person", *order, "touchpoint", *kept], nulls_last=True)
    names = tuple(own["touchpoint"].unique().sort().to_list())
    stages: tuple[str, ...] = ()
    stage = np.full(own.height, -1)
    if "stage" in own.columns and own["stage"].null_count() < own.height:
        stages = tuple(own["stage"].drop_nulls().unique().sort().to_list())
        stage = own["stage"].replace_strict(dict(zip(stages, range(len(stages)), strict=True)), default=-1).to_numpy()
    raw = own["score"].to_numpy().astype(np.float64) if "score" in own.columns else np.full(own.height, np.nan)
    person = own["_person"].to_numpy().astype(np.int64)
    ordered, more = _ordered(own, order, len(design[0]))
    ends = _bounds(raw, bounds)
    touch = own["touchpoint"].replace_strict(dict(zip(names, range(len(names)), strict=True))).to_numpy()
    score = raw if ends is None else 100 * (raw - ends[0]) / (ends[1] - ends[0])
    stage, touch = stage.astype(np.int64), touch.astype(np.int64)
    return Walked(*design, y, person, touch, stage, raw, score, ordered, names, stages, ends, (*notes, *more))


def _ordered(own: pl.DataFrame, order: Sequence[str], size: int) -> tuple[np.ndarray, tuple[Note, ...]]:
    """(m,) whether a customer's contacts have one order; how many customers have not."""
    if not order:
        en = "contacts have neither seq nor time: transitions, drop-off, peak and end are refused; add one of them."
        zh = "接触表既无 seq 也无 time：转移、流失、峰值与终点无法计算；请补充其一。"
        return np.zeros(size, dtype=bool), (note("E-ROLE", en, zh),)
    first = own[order[0]].is_null()
    tied = own.select("_person", *order).is_duplicated()
    doubtful = own.filter(first | tied)["_person"].unique().to_numpy()
    known = np.ones(size, dtype=bool)
    known[doubtful] = False
    if not doubtful.size:
        return known, ()
    en = f"{doubtful.size} customers have contacts in no known order (no {order[0]}, or the same one twice): they "
    zh = f"{doubtful.size} 位顾客的接触次序不明（{order[0]} 缺失或重复）：不计入转移、流失、峰值与终点。"
    return known, (note("W-JOURNEY-ORDER", f"{en}are left out of transitions, drop-off, peak and end.", zh),)


def _bounds(raw: Array, asked: Sequence[float]) -> tuple[float, float] | None:
    """The lowest and the highest score there can be.

    Raises:
        Problems: E-SCALE.
    """
    seen = raw[np.isfinite(raw)]
    if len(asked):
        low, high = (float(v) for v in asked) if len(asked) == 2 else (0.0, 0.0)
        if not low < high:
            en, zh = (
                f"scores = {tuple(asked)} are no two bounds, low before high.",
                f"scores = {tuple(asked)} 不是由低到高的两个界限。",
            )
            raise Problems([problem("E-SCALE", "scores", en, zh, "Write (1, 10).", "请写 (1, 10)。")])
        out = int(((seen < low) | (seen > high)).sum())
        if out:
            en = f"{out} scores of contacts are not between {low:g} and {high:g}."
            zh = f"有 {out} 个接触评分不在 {low:g} 与 {high:g} 之间。"
            raise Problems([problem("E-SCALE", "scores", en, zh, "Correct them, or the bounds.", "请更正评分或界限。")])
        return (low, high) if seen.size else None
    if not seen.size:
        return None
    if np.ptp(seen) == 0:
        en, zh = f"every score is {seen[0]:g}, so the scale is not known.", f"所有评分均为 {seen[0]:g}，无法得知量程。"
        raise Problems(
            [problem("E-SCALE", "scores", en, zh, "Give scores=(low, high).", "请给出 scores=(最低, 最高)。")]
        )
    return float(seen.min()), float(seen.max())
