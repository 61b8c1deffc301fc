"""The feedback loop: open issues by attribute and wave, how fast they are closed, what customers score afterwards.

    open at the end of a wave = open before + opened + reopened - closed

Cases are a firm's own log, counted as they stand. Joined to the answers by respondent and day they say what customers
score while a case of theirs is open and after it was closed. Nobody opens or closes cases by lot: associations.

Source:
    Goodman (2019), Strategic customer service, 2nd ed. (issues, contacts, closing the loop); Kaplan & Meier (1958),
    JASA 53, 457-481 (time to close).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final, Literal

import numpy as np
import polars as pl

from csi.behaviour.asked import headings, level_problems
from csi.behaviour.feedback_based import apart_by_group, both_told, hidden_note
from csi.behaviour.feedback_cases import Cases, Span, busiest, cases_of, speed, status
from csi.behaviour.feedback_scores import changes, differences, items_of, pairs_of, rows_of, standing, touchpoints
from csi.behaviour.feedback_words import GROUPS_SAID, HEADINGS, MEANING, feedback_sentences
from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Text, note, problem
from csi.estimate.given import check_panel
from csi.measures.shown import based, told
from csi.survey.bases import FLAGGED, SMALL, Bases
from csi.survey.events import Events, joined, read_events
from csi.survey.panel import Panel
from csi.survey.period import days_of

Period = Literal["month", "quarter", "year"]
WORDED: Final = ("attribute", "group", "other", "source", "touchpoint")
MONTHS: Final[Mapping[str, int]] = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True, slots=True, repr=False)
class Feedback(Shown):
    """Issues of customers and what became of them.

    Attributes:
        table: attribute ("" all), wave (or calendar period), open_before, opened, reopened, closed, open, age (median
            days of those open at its end).
        speed: attribute ("" all), n (times a case was opened), people, reopened, closed, open, oldest (days), median,
            conf_low, conf_high (days until half are closed, Kaplan-Meier), flag, reason, reason_zh.
        sources: source, and the same; without rows where cases do not say where they came in.
        standing: attribute, group ("open", "closed", "none" at the end of the wave), n (customers), answers, mean
            (0-100), std_error, conf_low, conf_high, and flags; without rows where cases and answers are not joined.
        changes: attribute, group ("closed", "open", "new", "none" between two waves), n, answers, before, after,
            change, std_error, conf_low, conf_high, and flags; without rows where nobody answered twice.
        differences: attribute, group, other, adjusted (at the same score before), n (customers of the smaller group),
            difference (of changes), std_error, conf_low, conf_high, p_value.
        touchpoints: touchpoint, contacts (made while a case was open), n (customers who scored them), mean, others
            (mean of other contacts), difference, std_error, conf_low, conf_high, and flags.
        last: the last day observed. labels, level, sentences, notes.
    """

    table: pl.DataFrame
    speed: pl.DataFrame
    sources: pl.DataFrame
    standing: pl.DataFrame
    changes: pl.DataFrame
    differences: pl.DataFrame
    touchpoints: pl.DataFrame
    last: date
    labels: Mapping[str, Text]
    level: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Feedback, lang: str = "en") -> str:
    """Sentences, every table with rows, notes."""
    lines = [*(s.say(lang) for s in value.sentences), ""]
    named = {k: t.say(lang) for k, t in {**GROUPS_SAID, **value.labels}.items()}
    for frame in (value.table, value.speed, value.sources, value.standing, value.changes, value.differences,
                  value.touchpoints):  # fmt: skip
        if frame.height:
            worded = [c for c in WORDED if c in frame.columns]
            lines += [based(frame.with_columns(pl.col(c).replace(named) for c in worded), HEADINGS, lang), ""]
    return "\n".join([*lines, *told((), value.notes, lang)])


def feedback(
    cases: Events | object,
    panel: Panel | None = None,
    contacts: Events | object | None = None,
    *,
    ends: Mapping[str, date | str] | None = None,
    period: Period = "quarter",
    where: Mapping[str, str] | None = None,
    level: float = 0.95,
    small: int = SMALL,
    flagged: int = FLAGGED,
) -> Feedback:
    """Open issues by attribute and wave, the time to close them, and what customers score when they are closed.

    Parameters:
        cases: `Events` of kind "cases" or a table with attribute, opened, and closed, id, case, status, source, brand
            as there are; several rows of a case are the times it was opened. panel: the answers; joined by respondent
            (and brand), by the attribute of the items, and by the last day of each wave. contacts: a table of contacts
            (id, touchpoint, time, score): those made while a case was open stand beside the others. ends: wave -> its
            last day; without, the days of the period it is named after (2026, 2026Q3, 2026-07). period: "month",
            "quarter" or "year": what cases are counted by where there are no waves with days. where: only answers (and
            cases of a brand) with these key values. level: of the intervals. small, flagged: values of fewer customers
            (cases, where cases have no ids) are withheld, or marked; so are more, where all attributes together would
            give them away. Counts of cases are told.

    Returns:
        A `Feedback`.

    Raises:
        Problems: E-EVENT (ids that do not join, a case opened again before it was closed, status against closing day),
            E-WAVE (days of waves that do not rise), E-SETTING.

    Example:
        >>> rows = {"attribute": ["app"] * 3, "opened": ["2026-01-05", "2026-02-01", "2026-03-20"],
        ...         "closed": ["2026-01-09", "2026-02-21", None]}
        >>> feedback(pl.DataFrame(rows), period="month", small=0).table["open"].to_list()[:3]
        [0, 0, 1]
    """
    _check(period, level, panel)
    events = read_events(cases, "cases")
    brand = (where or {}).get("brand")
    if brand is not None and "brand" in events.frame.columns:
        events = replace(events, frame=events.frame.filter(brand=brand))
        if not events.frame.height:
            raise Problems([_nothing(events.name, brand)])
    run = cases_of(events)
    waves, notes = ((), ()) if panel is None else _waves(panel, ends)
    spans = waves or _calendar(run, period)
    names = ["", *busiest(run, "attribute")]
    bases = Bases(small, flagged)
    count = status(run, spans, names)
    fast = _based(speed(run, "attribute", names, level), bases)
    sources = busiest(run, "source") if "source" in run.frame.columns else []
    came = _based(speed(run, "source", sources, level), bases) if sources else fast.clear()
    met, more = _joined(run, events, panel, waves, names[1:], where, bases, level)
    touched, of_contacts = _touched(run, contacts, panel, bases, level)
    labels = _labels(panel, (*names, *sources, *touched["touchpoint"]))
    said = feedback_sentences(count, fast, met.changes, met.differences, touched, labels, run.last, level)
    whole = (note("N-FEEDBACK", MEANING.en, MEANING.zh), *_over(spans, run.last))
    every = (*whole, *events.notes, *notes, *more, *of_contacts)
    shown = (*bases.notes(fast, [], labels), *_few(met, bases, labels))
    return Feedback(count, fast, came, met.standing, met.changes, met.differences, touched, run.last, labels, level,
                    said, (*every, *shown))  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Met:
    """Tables of cases joined to answers."""

    standing: pl.DataFrame
    changes: pl.DataFrame
    differences: pl.DataFrame


_TEXTS: Final[dict[str, type[pl.DataType]]] = dict.fromkeys(("flag", "reason", "reason_zh"), pl.String)
_HEAD: Final = {"attribute": pl.String, "group": pl.String, "n": pl.Int64, "answers": pl.Int64}
_NOTHING: Final = _Met(
    pl.DataFrame(schema=_HEAD | dict.fromkeys(("mean", "std_error", "conf_low", "conf_high"), pl.Float64) | _TEXTS),
    pl.DataFrame(
        schema=_HEAD
        | dict.fromkeys(("before", "after", "change", "std_error", "conf_low", "conf_high"), pl.Float64)
        | _TEXTS
    ),
    pl.DataFrame(
        schema=dict.fromkeys(("attribute", "group", "other"), pl.String)
        | {"adjusted": pl.Boolean, "n": pl.Int64}
        | dict.fromkeys(("difference", "std_error", "conf_low", "conf_high", "p_value"), pl.Float64)
    ),
)
_UNTOUCHED: Final = pl.DataFrame(
    schema={"touchpoint": pl.String, "contacts": pl.Int64, "n": pl.Int64}
    | dict.fromkeys(("mean", "others", "difference", "std_error", "conf_low", "conf_high"), pl.Float64)
    | _TEXTS
)


def _check(period: str, level: float, panel: Panel | None) -> None:
    """Refuse settings that mean nothing."""
    found: list[Problem] = level_problems(level)
    if period not in MONTHS:
        en, zh = f'period = "{period}" is none of month, quarter, year.', f"period = “{period}”无效。"
        found.append(problem("E-SETTING", "period", en, zh, "Write quarter.", "请写 month、quarter 或 year。"))
    if found:
        raise Problems(found)
    if panel is not None:
        check_panel(panel)


def _nothing(name: str, brand: str) -> Problem:
    """No case of the brand."""
    en, zh = f'no case is of brand "{brand}".', f"没有品牌“{brand}”的问题单。"
    return problem("E-EVENT", name, en, zh, "Choose a brand of the table.", "请选择表中的品牌。")


def _waves(panel: Panel, ends: Mapping[str, date | str] | None) -> tuple[tuple[Span, ...], tuple[Note, ...]]:
    """The waves with their days; none, and why, where a day is not known.

    Raises:
        Problems: E-WAVE for days that cannot be read or do not rise, or waves that are not there.
    """
    names = panel.waves or (
        tuple(panel.frame["wave"].cast(pl.String).unique().sort()) if "wave" in panel.frame.columns else ()
    )
    given = _given(ends or {}, names)
    spans: list[Span] = []
    for name in names:
        own = days_of(name)
        last = given.get(name) or (own[1] if own else None)
        if last is None:
            en = f'wave "{name}" does not say its days: cases are counted by calendar and not joined; write ends.'
            zh = f"期次“{name}”未说明日期：问题按日历计数，未与答卷关联；请写明 ends（期末日期）。"
            return (), (note("N-FEEDBACK-DAYS", en, zh),)
        start = spans[-1].last + timedelta(days=1) if spans else (own[0] if own and name not in given else date.min)
        spans.append(Span(name, start, last))
    if any(s.first > s.last for s in spans):
        listed = ", ".join(f"{s.name} {s.last}" for s in spans)
        en, zh = f"the last days of waves do not rise ({listed}).", f"各期期末日期未递增（{listed}）。"
        do, do_zh = "Give waves in order with their last days.", "请按先后顺序给出各期期末日期。"
        raise Problems([problem("E-WAVE", "ends", en, zh, do, do_zh)])
    return tuple(spans), ()


def _given(ends: Mapping[str, date | str], names: Sequence[str]) -> dict[str, date]:
    """The last days as days.

    Raises:
        Problems: E-WAVE.
    """
    out: dict[str, date] = {}
    found = []
    for name, said in ends.items():
        try:
            out[name] = said if isinstance(said, date) else date.fromisoformat(said)
        except (TypeError, ValueError):
            en, zh = f'"{said}" is not a day.', f"“{said}”不是日期。"
            do, do_zh = "Write days as 2026-03-31.", "请写成 2026-03-31 的形式。"
            found.append(problem("E-WAVE", f"ends, {name}", en, zh, do, do_zh))
        if name not in names:
            en, zh = f'the answers have no wave "{name}".', f"答卷中没有期次“{name}”。"
            listed = ", ".join(names)
            found.append(problem("E-WAVE", "ends", en, zh, f"Waves: {listed}.", f"期次：{listed}。"))
    if found:
        raise Problems(found)
    return out


def _calendar(run: Cases, period: Period) -> tuple[Span, ...]:
    """Calendar periods from the first case to the last day."""
    first = run.frame["opened"].min()
    day = first if isinstance(first, date) else run.last
    step, spans = MONTHS[period], []
    start = date(day.year, (day.month - 1) // step * step + 1, 1)
    while start <= run.last:
        month = start.month - 1 + step
        after = date(start.year + month // 12, month % 12 + 1, 1)
        number = (start.month - 1) // step + 1
        name = {"month": f"{start:%Y-%m}", "quarter": f"{start.year}Q{number}", "year": str(start.year)}[period]
        spans.append(Span(name, start, after - timedelta(days=1)))
        start = after
    return tuple(spans)


def _based(frame: pl.DataFrame, bases: Bases) -> pl.DataFrame:
    """Times of few customers withheld; counts of cases stay."""
    counts = ("people", "reopened", "closed", "open", "oldest")
    people = pl.coalesce("people", "n").alias("_base")
    told = frame.with_columns(people).select(frame.columns[0], "_base", *frame.columns[1:])
    return bases.withheld(told, "_base", keep=("n", *counts)).drop("_base")


def _joined(
    run: Cases, events: Events, panel: Panel | None, spans: tuple[Span, ...], names: Sequence[str],
    where: Mapping[str, str] | None, bases: Bases, level: float,
) -> tuple[_Met, tuple[Note, ...]]:  # fmt: skip
    """Scores by the state of cases, their changes from wave to wave."""
    if panel is None or not spans:
        return _NOTHING, ()
    if "id" not in run.frame.columns:
        en = "cases have no ids: they are not joined to answers."
        return _NOTHING, (note("N-FEEDBACK-IDS", en, "问题单没有顾客编号，未与答卷关联。"),)
    mine = joined(replace(events, frame=run.frame.filter(pl.col("id").is_not_null()), notes=()), panel)
    asked = [a for a in names if items_of(panel, a)]
    notes = list(mine.notes)
    if lacking := [a for a in names if a not in asked]:
        en = f"no question is asked of {', '.join(lacking)}: counted, not joined to scores."
        notes.append(note("N-FEEDBACK-ATTRIBUTE", en, f"问卷未询问 {'、'.join(lacking)}：只作计数，未与评分关联。"))
    if not asked:
        return _NOTHING, tuple(notes)
    rows = rows_of(Cases(mine.frame, run.last), panel, spans, asked, where, level)
    every = ["", *rows.attributes]
    state = apart_by_group(bases.withheld(standing(rows, every, level)), bases)
    pairs = pairs_of(rows, spans)
    if not pairs.height:
        en = "nobody scored an attribute in two successive waves: no change after closing can be told."
        notes.append(note("N-FEEDBACK-ONCE", en, "没有顾客在相邻两期对同一属性评分，无法给出关闭之后的变化。"))
        return _Met(state, _NOTHING.changes, _NOTHING.differences), tuple(notes)
    moved = apart_by_group(bases.withheld(changes(pairs, every, level)), bases)
    return _Met(state, moved, both_told(differences(pairs, every, bases.small, level), moved)), tuple(notes)


def _touched(
    run: Cases, contacts: Events | object | None, panel: Panel | None, bases: Bases, level: float
) -> tuple[pl.DataFrame, tuple[Note, ...]]:
    """Contacts made while a case of the customer was open."""
    if contacts is None:
        return _UNTOUCHED, ()
    met = read_events(contacts, "contacts")
    met = met if panel is None else joined(met, panel)
    lacking = [k for k, f in (("id", run.frame), ("time", met.frame)) if k not in f.columns]
    if lacking:
        en = f"contacts and cases are not joined: no column {lacking[0]}."
        return _UNTOUCHED, (note("N-FEEDBACK-IDS", en, f"接触与问题单未关联：缺少列 {lacking[0]}。"),)
    frame = met.frame.with_row_index("_row").with_columns(day=pl.col("time").cast(pl.Date))
    if "score" not in frame.columns:
        frame = frame.with_columns(pl.lit(np.nan).alias("score"))
    runs = run.frame.select("id", "opened", "closed").drop_nulls("id")
    both = frame.select("_row", "id", "day").join(runs, on="id")
    open_then = both.filter(
        pl.col("opened") <= pl.col("day"), pl.col("closed").is_null() | (pl.col("day") <= pl.col("closed"))
    )
    waiting = pl.col("_row").is_in(open_then["_row"].unique().to_list())
    told_of = frame.with_columns(waiting.alias("waiting"), pl.col("score").fill_null(np.nan))
    found = bases.withheld(touchpoints(told_of, level), "least", keep=("contacts", "n"))
    return found.drop("least"), met.notes


def _labels(panel: Panel | None, names: Iterable[str]) -> dict[str, Text]:
    """What attributes, sources and touchpoints are called; "" is all."""
    names = tuple(names)
    plain = {n: Text(n, n) for n in names}
    own = headings(panel.codebook, names) if panel is not None else {}
    return {**plain, **own, "": Text("all", "全部")}


def _over(spans: Sequence[Span], last: date) -> tuple[Note, ...]:
    """Waves that end after the last day observed."""
    late = [s.name for s in spans if s.last > last]
    if not late:
        return ()
    en = f"{', '.join(late)} ends after the last day observed ({last}); cases are counted up to that day."
    return (note("N-FEEDBACK-UNTIL", en, f"{'、'.join(late)} 的期末晚于最后观测日（{last}），计数截至该日。"),)


def _few(met: _Met, bases: Bases, labels: Mapping[str, Text]) -> tuple[Note, ...]:
    """Withheld or marked scores and changes, by attribute and state."""
    out: list[Note] = []
    for frame in (met.standing, met.changes):
        pairs = frame.select("attribute", "group").rows()
        said = {"|".join(p): _paired(labels[p[0]], GROUPS_SAID[p[1]]) for p in pairs}
        named = frame.select(
            pl.concat_str("attribute", "group", separator="|").alias("name"), pl.exclude("attribute", "group")
        )
        out += (*bases.notes(named, [], said), *hidden_note(named, said, bases))
    return tuple(dict.fromkeys(out))


def _paired(attribute: Text, group: Text) -> Text:
    """An attribute and a state."""
    return Text(f"{attribute.en} ({group.en})", f"{attribute.zh}（{group.zh}）")
