"""A panel of the same people over waves, a row per person: who came back, and their answers side by side.

A person is a respondent, or a respondent with a brand where several brands were answered for. Repeated cross-sections
(new people in every wave) are told apart by the share of people seen in two waves or more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from csi.errors import Note, Problem, Problems, did_you_mean, note, problem
from csi.moments.raked import designed
from csi.moments.raking import Raking
from csi.survey.panel import Panel

RETURNING = 0.3
"""Least share of people seen in two waves or more; with fewer the waves are taken for repeated cross-sections."""

STILL = 0.1
"""Answers of one id in two waves that correlate less than this, all of them, look like those of two people."""


@dataclass(frozen=True, slots=True)
class Wide:
    """A row per person.

    Attributes:
        frame: `item_1` ... `item_W` (answers in each wave, null where absent), what was asked for besides (the largest
            value), `person`, and `weight`, `unit`, `stratum` where the panel has them.
        waves: their names, oldest first. people: rows. returning: share of people seen in two waves or more.
        seen: (W,) people of each wave. notes. raking: margins of the panel (`_first`: the row of a person's weight);
            None where it is not raked.
    """

    frame: pl.DataFrame
    waves: tuple[str, ...]
    people: int
    returning: float
    seen: tuple[int, ...]
    notes: tuple[Note, ...] = ()
    raking: Raking | None = None

    def role(self, name: str) -> str | None:
        """The column "weight", "unit" or "stratum"; None where the panel has none."""
        return name if name in self.frame.columns else None


def named(item: str, wave: int) -> str:
    """The column of an item in a wave, counted from 1.

    Example:
        >>> named("sat1", 2)
        'sat1_2'
    """
    return f"{item}_{wave}"


def wide(
    panel: Panel,
    items: Sequence[str],
    *,
    waves: Sequence[str] | None = None,
    where: Mapping[str, str] | None = None,
    least: int = 2,
    returning: float = RETURNING,
    what: str = "change",
    also: Sequence[str] = (),
) -> Wide:
    """Answers to `items` in every wave, side by side for each person.

    Parameters:
        panel: answers. items: their names. waves: which, oldest first; all by default. where: only rows with these key
            values. least: how many waves are needed. returning: least share of people seen twice or more. what: who
            asks, for messages. also: columns of which the largest value is kept (a flag raised in any wave).

    Returns:
        A `Wide`. Weights and strata are those of the first wave of a person.

    Raises:
        Problems: E-WAVE: no respondents or waves, an unknown wave, too few waves, people who do not come back (repeated
            cross-sections); E-WHERE; E-DUPLICATE: a person twice in a wave.

    Example:
        >>> import csi
        >>> from csi.errors import Text
        >>> from csi.survey.codebook import Codebook, Item, Scale
        >>> book = Codebook((Item("e", "expectation", Scale("s", 1, 7), Text("E", "E")),), {}, {})
        >>> frame = pl.DataFrame({"respondent": ["a", "b", "a"], "wave": ["1", "1", "2"], "e": [5.0, 4.0, 6.0]})
        >>> found = wide(csi.Panel(frame, book, frame.select(pl.lit(None, pl.String).alias("e"))), ["e"])
        >>> found.frame.select("e_1", "e_2").rows(), found.returning
        ([(5.0, 6.0), (4.0, None)], 0.5)
    """
    _check_keys(panel, what)
    frame = _kept(panel.frame.with_row_index("_first"), where)
    order = _order(panel, frame, waves, least, what)
    frame = frame.filter(pl.col("wave").is_in(order), pl.col("respondent").is_not_null())
    frame, people = _people(frame)
    _check_once(frame, what)
    frame = frame.filter(~pl.all_horizontal(pl.col(list(items)).is_null()))
    counts = frame.group_by("person", maintain_order=True).len()["len"].to_numpy()
    share = float((counts > 1).mean()) if counts.size else 0.0
    _check_returning(share, counts.size, order, returning, what)
    seen = tuple(frame.filter(wave=w)["person"].n_unique() for w in order)
    joined = _side_by_side(frame, items, order, _besides(frame, also))
    notes = (*people, *_weighted(joined), *_strangers(joined, items, len(order)), *_one_wave(share))
    raking = None if panel.weighing is None or "weight" not in frame.columns else designed(panel, {})[0]
    return Wide(joined, tuple(order), joined.height, share, seen, notes, raking)


def _check_keys(panel: Panel, what: str) -> None:
    """Respondents and waves are named."""
    found = []
    for role, en, zh in (("respondent", "respondents", "受访者编号"), ("wave", "waves", "期次")):
        if role not in panel.frame.columns:
            do = f"Name their column under keys: {{{role}: column}}; without ids over waves use csi track."
            do_zh = f"请在 keys 中写明：{{{role}: 列名}}；各期之间没有编号时请用 csi track。"
            found.append(problem("E-WAVE", what, f"the data have no column of {en}.", f"数据没有{zh}列。", do, do_zh))
    if found:
        raise Problems(found)


def _kept(frame: pl.DataFrame, where: Mapping[str, str] | None) -> pl.DataFrame:
    """The rows with these key values."""
    found = []
    for key, value in (where or {}).items():
        have = frame[key].cast(pl.String).unique().drop_nulls().to_list() if key in frame.columns else []
        if value not in have:
            hint = did_you_mean(value, have)
            en, zh = f'no row has {key} "{value}".', f"没有 {key} 为“{value}”的行。"
            found.append(problem("E-WHERE", "where", en, zh, hint.en, hint.zh))
    if found:
        raise Problems(found)
    return frame.filter(*(pl.col(k).cast(pl.String) == v for k, v in (where or {}).items())) if where else frame


def _order(panel: Panel, frame: pl.DataFrame, waves: Sequence[str] | None, least: int, what: str) -> list[str]:
    """The waves, oldest first."""
    present = frame["wave"].drop_nulls().unique().to_list()
    known = [w for w in panel.waves if w in present] or sorted(present)
    found: list[Problem] = []
    for wave in waves or ():
        if wave not in known:
            hint = did_you_mean(wave, known)
            en, zh = f'there is no wave "{wave}".', f"没有“{wave}”这一期。"
            found.append(problem("E-WAVE", what, en, zh, hint.en, hint.zh))
    order = [w for w in known if waves is None or w in waves]
    if not found and len(order) < least:
        en = f"{len(order)} wave{'s' * (len(order) != 1)} ({', '.join(order)}); this model needs at least {least}."
        zh = f"仅有 {len(order)} 期（{'、'.join(order)}）；该模型至少需要 {least} 期。"
        do = "Add waves of the same people, or ask for a model of fewer waves; csi track tells waves one by one."
        do_zh = "请补充同一批受访者的期次，或改用所需期次更少的模型；逐期结果见 csi track。"
        found.append(problem("E-WAVE", what, en, zh, do, do_zh))
    if found:
        raise Problems(found)
    return order


def _people(frame: pl.DataFrame) -> tuple[pl.DataFrame, tuple[Note, ...]]:
    """The frame with `person`; where respondents answer for several brands, each pair is one."""
    keys = ["respondent", *(["brand"] if "brand" in frame.columns and frame["brand"].n_unique() > 1 else [])]
    frame = frame.with_columns(pl.struct(keys).rank("dense").alias("person"))
    if len(keys) == 1 or frame.group_by("respondent").agg(pl.col("brand").n_unique())["brand"].max() == 1:
        return frame, ()
    en = "respondents answered for several brands: a row is a respondent with a brand; errors are by respondent."
    zh = "受访者评价了多个品牌：每行为一名受访者与一个品牌；标准误按受访者聚类。"
    return frame, (note("N-WIDE-BRANDS", en, zh),)


def _check_once(frame: pl.DataFrame, what: str) -> None:
    """Nobody is there twice in one wave."""
    twice = frame.group_by("person", "wave").len().filter(pl.col("len") > 1).height
    if twice:
        en = f"{twice} respondents occur more than once in a wave."
        zh = f"有 {twice} 名受访者在同一期内重复出现。"
        do, do_zh = "Keep one row each (rules: duplicates).", "请每人每期只保留一行（见 rules 的 duplicates）。"
        raise Problems([problem("E-DUPLICATE", what, en, zh, do, do_zh)])


def _check_returning(share: float, people: int, order: Sequence[str], least: float, what: str) -> None:
    """People come back."""
    if people and share >= least:
        return
    en = f"{len(order)} waves but only {100 * share:.0f}% of ids occur twice: a repeated cross-section."
    zh = f"共 {len(order)} 期，但只有 {100 * share:.0f}% 的编号出现两次以上：属于重复横截面数据。"
    do = "Use csi track for means by wave; change within people needs a panel of the same people."
    do_zh = "各期均值请用 csi track；个体变化需要同一批受访者的追踪数据。"
    raise Problems([problem("E-WAVE", what, en, zh, do, do_zh)])


def _besides(frame: pl.DataFrame, also: Sequence[str]) -> pl.DataFrame:
    """Per person: the columns of the design, and the largest value of what was asked for."""
    unit = "cluster" if "cluster" in frame.columns else "respondent"
    design = [pl.col(c).first() for c in ("weight", "stratum", "_first") if c in frame.columns]
    largest = [pl.col(c).max() for c in also]
    ordered = frame.sort("person", maintain_order=True)
    unit_first = pl.col(unit).first().alias("unit")
    return ordered.group_by("person", maintain_order=True).agg(*design, unit_first, *largest)


def _side_by_side(
    frame: pl.DataFrame, items: Sequence[str], order: Sequence[str], besides: pl.DataFrame
) -> pl.DataFrame:
    """A row per person."""
    joined = besides
    for t, wave in enumerate(order, start=1):
        part = frame.filter(wave=wave).select("person", *(pl.col(c).cast(pl.Float64).alias(named(c, t)) for c in items))
        joined = joined.join(part, on="person", how="left", maintain_order="left")
    return joined


def _weighted(joined: pl.DataFrame) -> tuple[Note, ...]:
    """Whose weights they are."""
    if "weight" not in joined.columns or joined["weight"].n_unique() == 1:
        return ()
    en = "weights are those of the first wave of each person; they do not answer for people who left."
    zh = "权重取每位受访者首期的权重，并未校正中途退出者。"
    return (note("N-WIDE-WEIGHT", en, zh),)


def _strangers(joined: pl.DataFrame, items: Sequence[str], waves: int) -> tuple[Note, ...]:
    """Whether ids of two waves look like those of the same people."""
    found = []
    for item in items:
        for t in range(1, waves):
            pair = joined.select(named(item, t), named(item, t + 1)).drop_nulls().to_numpy()
            if len(pair) >= 30 and (pair.std(axis=0) > 0).all():
                found.append(float(np.corrcoef(pair.T)[0, 1]))
    if not found or max(found) >= STILL:
        return ()
    en = f"answers of one id in two waves hardly correlate (at most {max(found):.2f}): ids may be row numbers."
    zh = f"同一编号在两期的回答几乎不相关（最大 {max(found):.2f}）：编号可能只是行号。"
    return (note("W-IDS", en, zh),)


def _one_wave(share: float) -> tuple[Note, ...]:
    """How many came back, and what stands in for those who did not."""
    if share == 1:
        return ()
    en = f"{100 * share:.0f}% of people answered in two waves or more; answers of the others are kept, and absent ones "
    en += "taken as missing at random given the answers there are (FIML)."
    zh = f"{100 * share:.0f}% 的受访者参加了两期以上；其余受访者的回答保留，缺失视为给定已有回答下的随机缺失（FIML）。"
    return (note("N-RETURNING", en, zh),)
