"""What customers said and what they did afterwards: does the score go with buying again, or with leaving?

Letters: `n` rows of answers, `m` drivers, `k` covariates.

Source:
    LaBarbera & Mazursky (1983), J. of Marketing Research 20, 393-404 (satisfaction before repurchase); Binder (1992),
    Biometrika 79, 139-147 (Cox's model with the design); Binder (1983), Int. Statistical Review 51, 279-292.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import numpy as np
import polars as pl

from csi.behaviour.asked import scored
from csi.behaviour.attitude_numbers import Beside, apart_of, bands_of, curves_of, hazards_of, shares_of
from csi.behaviour.attitude_words import HEADINGS, SAID, attitude_notes, attitude_sentences
from csi.behaviour.buying import Unit, unit_problems
from csi.behaviour.follow import Followed, followed, interviews
from csi.behaviour.hazard import FEWEST
from csi.behaviour.incidents import places
from csi.behaviour.repurchase import WITHIN, within_problems
from csi.behaviour.watched import Waited, events_of
from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Text, did_you_mean, note, problem
from csi.estimate.given import check_panel
from csi.measures.shown import based, told
from csi.moments.stack import Array, Ints
from csi.survey.bases import FLAGGED, SMALL, Bases
from csi.survey.events import Events, joined
from csi.survey.keyed import of_cell, stacked
from csi.survey.panel import Panel

USUAL: Final = ("satisfaction", "loyalty")
"""Constructs that are set beside behaviour where nobody names any."""


@dataclass(frozen=True, slots=True, repr=False)
class Attitude(Shown):
    """Scores beside what was done after the interview.

    Attributes:
        hazard: key columns, model ("alone", each driver by itself; "together"), name, n, events, slope (log ratio of
            hazards, a point), std_error, df, ratio, ratio_low, ratio_high (of 10 points), p_value, flag, reason,
            reason_zh.
        within: key columns, model, name, n (observed for `span`), events, odds, odds_low, odds_high (of 10 points),
            points, points_low, points_high (percentage points of 10 points), p_value, flag, reason, reason_zh.
        bands: key columns, name, band, n, events, share (that did it within `span`), conf_low, conf_high, flag, reason,
            reason_zh.
        curve: key columns, band (of the first driver), time, n, events, survival, std_error, conf_low, conf_high.
        risk: key columns, band, time (round times), n: how many are still watched then.
        checks: key columns, name, statistic, df, p_value, trend: whether ratios stay over time, drivers together.
        tests: key columns, chi2, df, p_value: whether the bands of the first driver differ.
        joins: what, count.
        waited ("repurchase" or "churn"), drivers, span, unit, cuts, labels, level, sentences, notes.
    """

    hazard: pl.DataFrame
    within: pl.DataFrame
    bands: pl.DataFrame
    curve: pl.DataFrame
    risk: pl.DataFrame
    checks: pl.DataFrame
    tests: pl.DataFrame
    joins: pl.DataFrame
    waited: Waited
    drivers: tuple[str, ...]
    span: float
    unit: Unit
    cuts: tuple[float, ...]
    labels: Mapping[str, Text]
    level: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Attitude, lang: str = "en") -> str:
    """Sentences, hazards, shares, bands, the check, joins, notes."""
    lines = [*(s.say(lang) for s in value.sentences), ""]
    named = {k: t.say(lang) for k, t in {**SAID, **value.labels}.items()}
    for frame in (value.hazard, value.within, value.bands, value.checks, value.joins):
        if frame.height:
            columns = [c for c in ("name", "model", "what") if c in frame.columns]
            shown = frame.drop("df", "slope", "std_error", strict=False)
            lines += [based(shown.with_columns(pl.col(c).replace(named) for c in columns), HEADINGS, lang), ""]
    return "\n".join([*lines, *told((), value.notes, lang)])


def attitude(
    panel: Panel,
    events: Events | object,
    drivers: Sequence[str] = (),
    *,
    asked: Mapping[str, str | date] | str | date | None = None,
    scores: pl.DataFrame | None = None,
    adjust_for: Sequence[str] = (),
    within: float | None = None,
    unit: Unit = "week",
    cuts: Sequence[float] = (50.0, 75.0),
    by: Sequence[str] = (),
    where: Mapping[str, str] | None = None,
    level: float = 0.95,
    small: int = SMALL,
    flagged: int = FLAGGED,
) -> Attitude:
    """Whether what customers said goes with what they did after the interview: hazards, shares within a time, bands.

    Joined by respondent (and brand where both have it). Only events after the day of the interview count; who was asked
    again is followed to the next interview by hazards, and for the whole time by shares. Weights, strata and clusters
    of the answers make slopes and errors.

    Parameters:
        panel: answers with respondents. events: purchases (id, date), the outcome is buying again, or spells (id,
            start, end, event), the outcome is leaving; see `csi.read_events`. drivers: constructs or items, scored
            0-100; satisfaction and loyalty without. asked: the day of the interviews, {wave: day} or one day; without,
            the last day of the time that a wave is named after (2026Q1, 2026-06). scores: of a fitted model
            (`csi.scores` or `csi.factor_scores`: `row` and a column per driver) in place of means of items.
            adjust_for: constructs or items that came before, beside the drivers together. within: time in which shares
            are told, in units; half a year without. cuts: where bands of scores end. by, where, level, small, flagged:
            as in `csi.nps`.

    Returns:
        An `Attitude`; a cell with fewer than 5 events for every slope has bands only.

    Raises:
        Problems: E-EVENT (ids that do not join, no day of the interview, durations without dates, nothing happened
            after the interviews), E-ROLE, E-SCALE, E-SETTING.

    Example:
        >>> from csi.survey.codebook import Codebook, Item, Scale
        >>> book = Codebook((Item("s", "satisfaction", Scale("ten", 1, 10), Text("Satisfied", "满意")),), {}, {})
        >>> frame = pl.DataFrame({"respondent": [str(i) for i in range(60)], "s": [1.0 + i % 10 for i in range(60)]})
        >>> panel = Panel(frame, book, frame.select("s").cast(pl.String))
        >>> log = pl.DataFrame({"id": [str(i) for i in range(60)],
        ...                     "date": [f"2026-{2 + (i % 7 + 9 - i % 10) // 3:02d}-01" for i in range(60)]})
        >>> found = attitude(panel, log, asked="2026-01-01", within=10, small=0)
        >>> bool(found.hazard["ratio"][0] > 1), found.bands["share"].round(2).to_list()
        (True, [0.03, 0.42, 0.83])
    """
    names = _drivers(panel, drivers, [*unit_problems(unit), *within_problems(within), *_cut(cuts)])
    log = joined(events_of(events), panel)
    rows = scored(panel, list(dict.fromkeys([*names, *adjust_for])), by, where, level)
    sample, bases, place = rows.sample, Bases(small, flagged), places(rows.sample)
    if scores is not None:
        rows = replace(rows, scores=_given(scores, list(rows.labels), place))
    answers = panel.frame[place.tolist()]
    days, supposed = interviews(answers, asked, log.name)
    done = followed(answers, log, days, unit)
    if not done.event.any():
        raise Problems([_nothing(log.name, done.waited)])
    span = WITHIN[unit] if within is None else float(within)
    x = Beside(rows, done, names, list(dict.fromkeys(adjust_for)), span, tuple(float(c) for c in cuts), level)
    keys, cells = sample.cells.drop("n"), range(sample.cells.height)
    slopes, judged = zip(*(hazards_of(x, c) for c in cells), strict=True)
    hazards, checks = bases.withheld(stacked(keys, slopes)), stacked(keys, judged)
    shares = bases.withheld(stacked(keys, [shares_of(x, c) for c in cells]))
    bands = bases.withheld(stacked(keys, [bands_of(x, c) for c in cells]))
    curve, risk = (stacked(keys, f) for f in zip(*(curves_of(x, c, small) for c in cells), strict=True))
    tests = stacked(keys, [apart_of(x, c, small) for c in cells])
    few = [n for c in cells for n in _few(x, c, slopes[c].height, keys)]
    said = attitude_sentences(hazards, bands, keys.columns, rows.labels, names, done.waited, span, unit)
    doubts = (*log.notes, *supposed, *done.notes, *few, *bases.notes(bands, keys.columns, rows.labels), *sample.notes)
    units = np.min(hazards["df"].drop_nulls().to_numpy(), initial=np.inf)
    notes = (*attitude_notes(done.waited, checks, x.cuts, model=scores is not None, units=float(units)), *doubts)
    return Attitude(
        hazards, shares, bands, curve, risk, checks, tests, _joins(answers, log, done), done.waited, tuple(names), span,
        unit, x.cuts, rows.labels, level, said or bases.sentences(bands), notes,
    )  # fmt: skip


def _few(x: Beside, cell: int, told_of: int, keys: pl.DataFrame) -> list[Note]:
    """Why a cell has no slopes."""
    at, _ = x.of(cell, x.names[:1])
    events = int(x.done.event[at].sum())
    if told_of:
        return []
    en = "scores tell who did it first without fail, or do not differ: no finite slope."
    zh = "得分可完全区分发生先后，或得分无差异：斜率不存在有限值。"
    if events < FEWEST:
        en = f"{events} of {len(at)} did it after the interview; {FEWEST} are needed for a slope."
        zh = f"访问之后 {len(at)} 人中只有 {events} 人发生该行为；估计斜率至少需要 {FEWEST} 人。"
    said = of_cell(dict(keys.row(cell, named=True)) if keys.width else {}, [Text(en, zh)])[0]
    return [note("N-ATTITUDE-FEW", said.en, said.zh)]


def _joins(answers: pl.DataFrame, log: Events, done: Followed) -> pl.DataFrame:
    """How many answers, people and events met."""
    people = answers["respondent"].cast(pl.String).unique()
    mine = log.frame["id"].unique()
    rows = [
        ("answers", answers.height),
        ("respondents", len(people)),
        ("with events", int(people.is_in(mine.to_list()).sum())),
        ("followed", int((done.time > 0).sum())),
        ("happened", int(done.event.sum())),
    ]
    return pl.DataFrame(rows, schema={"what": pl.String, "count": pl.Int64}, orient="row")


def _drivers(panel: Panel, drivers: Sequence[str], wrong: list[Problem]) -> list[str]:
    """The drivers named, else those of the usual ones that the codebook has; what is wrong so far is refused."""
    check_panel(panel)
    if wrong:
        raise Problems(wrong)
    if isinstance(drivers, str):
        return [drivers]
    names = list(dict.fromkeys(drivers)) or [n for n in USUAL if panel.codebook.items_of(n)]
    if names:
        return names
    en, zh = "the codebook has neither satisfaction nor loyalty.", "编码簿中既没有 satisfaction 也没有 loyalty。"
    raise Problems([problem("E-ROLE", "drivers", en, zh, "Name drivers=[...].", "请写 drivers=[…]。")])


def _given(scores: pl.DataFrame, names: list[str], place: Ints) -> Array:
    """Scores of a fitted model, at the rows of the sample."""
    wanted = [n for n in ("row", *names) if n not in scores.columns]
    if wanted:
        found = []
        for name in wanted:
            what = Text(f'the scores have no column "{name}".', f"得分表没有“{name}”列。")
            found.append(Problem("E-ROLE", "scores", what, did_you_mean(name, scores.columns)))
        raise Problems(found)
    at = pl.DataFrame({"row": place}).with_columns(pl.col("row").cast(pl.Int64))
    own = scores.with_columns(pl.col("row").cast(pl.Int64)).unique("row", keep="first")
    found_at = at.join(own, on="row", how="left", maintain_order="left")
    out: Array = found_at.select(pl.col(n).cast(pl.Float64).fill_null(np.nan) for n in names).to_numpy()
    return out


def _nothing(name: str, waited: Waited) -> Problem:
    """Nobody did it after the interview."""
    what = Text("bought", "购买") if waited == "repurchase" else Text("left", "流失")
    en, zh = f"nobody {what.en} after the interview: 0 events.", f"访问之后无人{what.zh}：0 个事件。"
    do, do_zh = "Observe longer, or check the days: asked, until.", "请延长观察期，或核对日期（asked、until）。"
    return problem("E-EVENT", name, en, zh, do, do_zh)


def _cut(cuts: Sequence[float]) -> list[Problem]:
    """A problem where cuts are not rising between 0 and 100."""
    inside = all(isinstance(c, int | float) and 0 < c < 100 for c in cuts)
    if cuts and inside and list(cuts) == sorted(set(cuts)):
        return []
    en, zh = f"cuts = {list(cuts)} do not rise between 0 and 100.", f"cuts = {list(cuts)} 不是 0 与 100 之间递增的数。"
    return [problem("E-SETTING", "cuts", en, zh, "Write [50, 75].", "请写 [50, 75]。")]
