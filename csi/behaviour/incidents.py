"""What happened to respondents: complaints and failures joined to rows of answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
import polars as pl

from csi.errors import Note, Problem, Problems, Text, note, problem
from csi.moments.stack import Ints, Sample
from csi.survey.events import Events

Flag = Literal["complained", "failure"]
"""Which of the two a table is read for."""

JOINS: Final = ("wave", "brand")
"""Keys that join beside the respondent where both tables have them."""

SHOWN: Final = 3
"""Names that a message lists."""

NUMBERS: Final = ("handled_score", "severity")
TEXTS: Final = ("recovery",)


def incidents(
    rows: pl.DataFrame, events: Events, flag: Flag, more: tuple[str, ...] = ()
) -> tuple[pl.DataFrame, tuple[Note, ...]]:
    """What the table says of each row of answers.

    A table with both yes and no in `flag` is an answer of each person: whoever is not in it is not known. A table of
    nothing but yes (or without the column) is a log: whoever is not in it had none. Of several events of a person the
    last counts (by date, else as the table stands), of severities the largest.

    Parameters:
        rows: n rows with respondent, and the keys of `JOINS` it has. events: of kind "complaints". flag: the column.
        more: further columns that are numbers.

    Returns:
        n rows: happened (null where not known), times, handled_score, severity, recovery, more; and notes.

    Raises:
        Problems: E-EVENT where a person answered several times and the table does not say which time it is about;
            E-DESIGN where something is said of people to whom nothing happened.

    Example:
        >>> from csi.survey.events import read_events
        >>> log = read_events(pl.DataFrame({"id": ["a"], "handled_score": [7]}), "complaints")
        >>> incidents(pl.DataFrame({"respondent": ["a", "b"]}), log, "complained")[0]["happened"].to_list()
        [True, False]
    """
    frame = _whole(events.frame, flag, more)
    on = ["id", *(c for c in JOINS if c in events.frame.columns and c in rows.columns)]
    found = [*_several(rows, on, events.name), *_said_of_none(frame, flag, events.name, more)]
    if found:
        raise Problems(found)
    if "date" in frame.columns:
        frame = frame.sort("date", maintain_order=True, nulls_last=False)
    named = frame.group_by(on, maintain_order=True).agg(
        pl.col(flag).any().alias("happened"),
        pl.col(flag).sum().alias("times"),
        *(pl.col(c).drop_nulls().last() for c in ("handled_score", *TEXTS, *more)),
        pl.col("severity").max(),
    )
    keys = rows.select(pl.col("respondent").cast(pl.String).alias("id"), *on[1:])
    joined = keys.join(named, on=on, how="left", maintain_order="left", nulls_equal=True)
    log = bool(frame[flag].all())
    if log:
        joined = joined.with_columns(pl.col("happened").fill_null(value=False), pl.col("times").fill_null(0))
    return joined.drop(on), _how(joined, flag, log=log, name=events.name)


HANDLED: Final = Text(
    "a complaint with a handled_score was handled, one without was not.",
    "有 handled_score 的投诉视为已处理，没有的视为未处理。",
)
"""How an empty score is read, by every model, where any complaint has one."""


def handling(met: pl.DataFrame) -> pl.Series:
    """(n,) whether the complaint of each row was handled (`HANDLED`); null without one, or where none has a score.

    Example:
        >>> handling(pl.DataFrame({"happened": [True, True, False], "handled_score": [4.0, None, None]})).to_list()
        [True, False, None]
    """
    own = pl.col("happened") & pl.col("handled_score").is_not_null().any()
    return met.select(pl.when(own).then(pl.col("handled_score").is_not_null()).alias("handled"))["handled"]


def elsewhere(panel: pl.DataFrame, events: Events) -> tuple[Note, ...]:
    """How many rows of events are of a wave or brand in which the customer did not answer.

    Raises:
        Problems: E-EVENT where that is so of all of them.

    Example:
        >>> from csi.survey.events import read_events
        >>> log = read_events(pl.DataFrame({"id": ["a", "a"], "wave": ["1", "2"]}), "complaints", place="log")
        >>> elsewhere(pl.DataFrame({"respondent": ["a"], "wave": ["2"]}), log)[0].say("en")
        '1 row of log is of a wave in which the customer did not answer; left out.'
    """
    on = [c for c in JOINS if c in events.frame.columns and c in panel.columns]
    there = panel.select(pl.col("respondent").alias("id"), *on).cast(pl.String)
    lost = events.frame.select("id", *on).cast(pl.String).join(there, on=["id", *on], how="anti", nulls_equal=True)
    if not on or not lost.height:
        return ()
    if lost.height == events.frame.height:
        raise Problems([_nowhere(panel, events, on)])
    count, name = lost.height, events.name
    rows, named, named_zh = (
        "row" if count == 1 else "rows", " or ".join(on), "或".join({"wave": "期次", "brand": "品牌"}[c] for c in on),
    )  # fmt: skip
    en = f"{count} {rows} of {name} {'is' if count == 1 else 'are'} of a {named} in which the customer did not answer; "
    zh = f"{name} 中有 {count} 行所属{named_zh}没有该顾客的答卷，未计入。"
    return (note("N-EVENT-JOIN", f"{en}left out.", zh),)


def _nowhere(panel: pl.DataFrame, events: Events, on: Sequence[str]) -> Problem:
    """E-EVENT: no event is of a wave or brand of the answers."""
    theirs, ours = (
        "; ".join(f"{c} {', '.join(frame[c].cast(pl.String).drop_nulls().unique().sort()[:SHOWN])}" for c in on)
        for frame in (events.frame, panel)
    )
    en = f"no row is of a wave or brand in which its customer answered ({theirs}; answers: {ours})."
    zh = f"没有任何一行所属的期次或品牌有该顾客的答卷（{theirs}；答卷：{ours}）。"
    do, do_zh = "Write waves and brands as in the answers.", "期次与品牌的写法须与答卷一致。"
    return problem("E-EVENT", events.name, en, zh, do, do_zh)


def places(sample: Sample) -> Ints:
    """(n,) of each row in the panel's frame."""
    return np.arange(len(sample.weight)) if sample.place is None else sample.place


def _whole(frame: pl.DataFrame, flag: Flag, more: tuple[str, ...]) -> pl.DataFrame:
    """The table with every column that is used."""
    absent = dict.fromkeys((*NUMBERS, *more), pl.Float64) | dict.fromkeys(TEXTS, pl.String)
    made = [pl.lit(None, dtype=t).alias(c) for c, t in absent.items() if c not in frame.columns]
    if flag not in frame.columns:
        made.append(pl.lit(value=True).alias(flag))
    return frame.with_columns(made).filter(pl.col(flag).is_not_null())


def _several(rows: pl.DataFrame, on: list[str], name: str) -> list[Problem]:
    """E-EVENT: people who answered several times."""
    keys = rows.select("respondent", *on[1:])
    again = keys.filter(keys.is_duplicated())["respondent"].n_unique()
    if not again:
        return []
    en = f"{again} respondents answered several times, and the table does not say which time it is about."
    zh = f"有 {again} 名受访者多次作答，表中没有说明所指的是哪一次。"
    do, do_zh = (
        "Give it a column wave, or keep one wave with --wave (where=).",
        "请补充 wave 列，或用 --wave（where=）只保留一期。",
    )
    return [problem("E-EVENT", name, en, zh, do, do_zh)]


def _said_of_none(frame: pl.DataFrame, flag: Flag, name: str, more: tuple[str, ...]) -> list[Problem]:
    """E-DESIGN: what only those it happened to can say, said of others."""
    wanted = {"complained": ("handled_score",), "failure": ("severity", "recovery")}[flag]
    found = []
    for column in (c for c in wanted if c not in more):
        said = ~pl.col(flag) & pl.col(column).is_not_null()
        count = frame.filter(said).height
        if count:
            en = f"{column} present for {count} customers with {flag} = 0."
            zh = f"{count} 名 {flag} = 0 的顾客却有 {column}。"
            do, do_zh = f"Leave it empty where {flag} is 0.", f"{flag} 为 0 时请留空。"
            found.append(problem("E-DESIGN", name, en, zh, do, do_zh))
    return found


def _how(joined: pl.DataFrame, flag: Flag, *, log: bool, name: str) -> tuple[Note, ...]:
    """How people who are not in the table were read, and of how many the last of several counts."""
    notes = []
    if log:
        en = f"{name} says nothing but yes of {flag}: respondents who are not in it are taken to have had none."
        notes.append(note("N-INCIDENT-LOG", en, f"{name} 中 {flag} 全为“是”：不在表中的受访者按“没有”处理。"))
    elif unknown := joined["happened"].null_count():
        are = "answer is" if unknown == 1 else "answers are"
        en = (
            f"{unknown} {are} of respondents who are not in {name}: whether it happened to them is not known; left out."
        )
        notes.append(
            note("N-INCIDENT-UNKNOWN", en, f"有 {unknown} 份答卷的受访者不在 {name} 中，是否发生未知，未计入。")
        )
    if several := joined.filter(pl.col("times") > 1).height:
        have = "answer has" if several == 1 else "answers have"
        en = f"{several} {have} several in {name}: the last counts, and the largest severity."
        zh = f"有 {several} 份答卷在 {name} 中对应多次：以最后一次为准，严重程度取最大值。"
        notes.append(note("N-INCIDENT-LAST", en, zh))
    return tuple(notes)
