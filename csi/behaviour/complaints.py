"""Complaints in two parts: who complains, and how complaints were handled among those who did.

    rate = share of customers who complained,  logit P(complained) = b0 + b1 satisfaction + ...

Handling is missing by design for everybody else and is never filled in. What customers who did not complain imagine
(as the mobile ECSI asks them) is another question and stands in a row of its own.

Source:
    Fornell & Wernerfelt (1987), J. of Marketing Research 24, 337-346; Tenenhaus et al. (2005), Computational Statistics
    & Data Analysis 48, 159-205 (the hypothetical question); Wilson (1927), JASA 22, 209-212.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtri

from csi.behaviour.asked import Scored, scored
from csi.behaviour.complaints_words import HEADINGS, MEANING, SAID, complaint_sentences
from csi.behaviour.incidence import logit
from csi.behaviour.incidents import HANDLED, elsewhere, handling, incidents, places
from csi.behaviour.loyalty_curve import independent
from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Text, did_you_mean, note
from csi.inference.linearised import Design, critical, means, p_of_t
from csi.inference.sandwich import robust_slopes
from csi.measures.shown import based, told
from csi.moments.stack import Array, Ints
from csi.survey.bases import FLAGGED, SMALL, Bases, following
from csi.survey.events import Events, joined, read_events
from csi.survey.keyed import of_cell, stacked
from csi.survey.panel import Panel

STEP: Final = 10
"""Points (0-100) of a driver that odds and percentage points are told for."""

EVENTS: Final = 10
"""Complainants, and others, for every slope of the logistic regression."""

SPARE: Final = 4
"""Complainants beyond the columns of a regression."""


@dataclass(frozen=True, slots=True, repr=False)
class Complaints(Shown):
    """Complaints of every cell.

    Attributes:
        table: key columns, customers, n (their answers of which it is known), complainants (answers), rate,
            std_error, conf_low, conf_high (Wilson, with the design's effective n), flag, reason, reason_zh.
        incidence: key columns, n, name (of the driver), slope (logit, per point), std_error, p_value, odds, odds_low,
            odds_high (ratio per 10 points), points, points_low, points_high (percentage points per 10 points, mean over
            customers), and the flag of the cell.
        handling: key columns, question ("handled", "hypothetical"), n, missing (without a score: of complaints those
            that were not handled), mean, std_error, conf_low, conf_high (as scored), and flags of their own.
        after: key columns, name ("complained", "not handled", "handled"), n (complainants, or others where fewer),
            estimate, std_error, conf_low, conf_high, p_value: the outcome (0-100) of complainants less that of others
            at mean handling, of those whose complaint was not handled, and per point of handling; without rows where no
            outcome was named.
        selection: key columns, name, n (complainants, or others where fewer), complained, others (means), difference,
            std_error, conf_low, conf_high, p_value: whom handling is told of.
        satisfaction, outcome, labels, level, sentences, notes.
    """

    table: pl.DataFrame
    incidence: pl.DataFrame
    handling: pl.DataFrame
    after: pl.DataFrame
    selection: pl.DataFrame
    satisfaction: str
    outcome: str
    labels: Mapping[str, Text]
    level: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Complaints, lang: str = "en") -> str:
    """Sentences, every table with rows, notes."""
    lines = [*(s.say(lang) for s in value.sentences), ""]
    named = {k: t.say(lang) for k, t in {**SAID, **value.labels}.items()}
    for frame in (value.table, value.incidence, value.handling, value.after, value.selection):
        if frame.height:
            shown = frame.with_columns(pl.col(c).replace(named) for c in ("name", "question") if c in frame.columns)
            lines += [based(shown, HEADINGS, lang), ""]
    return "\n".join([*lines, *told((), value.notes, lang)])


def complaints(
    panel: Panel,
    complaints: Events | object,
    *,
    satisfaction: str = "satisfaction",
    drivers: Sequence[str] = (),
    outcome: str | None = None,
    hypothetical: str | None = None,
    by: Sequence[str] = (),
    where: Mapping[str, str] | None = None,
    level: float = 0.95,
    small: int = SMALL,
    flagged: int = FLAGGED,
) -> Complaints:
    """The complaint rate, who complains, and how complaints were handled.

    Parameters:
        panel: answers with respondents. complaints: a table (id, complained, handled_score, date, wave), see
            `csi.read_events`; one that says nothing but yes is a log, and whoever is not in it did not complain. Where
            any complaint has a handled_score, one without was not handled.
        satisfaction: construct or item that incidence is explained by. drivers: others beside it. outcome: construct or
            item compared between complainants and others. hypothetical: column of the table with the answers of
            customers who did not complain to how a complaint would be handled; told apart, never pooled.
        by, where, level, small, flagged: as in `csi.nps`.

    Returns:
        A `Complaints`; where nobody or everybody complained, the rate alone with its interval.

    Raises:
        Problems: E-EVENT (ids that do not join, several answers of a person), E-DESIGN (handling scored by people who
            did not complain), E-ROLE, E-SCALE, E-SETTING.

    Example:
        >>> from csi.survey.codebook import Codebook, Item, Scale
        >>> book = Codebook((Item("s", "satisfaction", Scale("ten", 1, 10), Text("Satisfied", "满意")),), {}, {})
        >>> frame = pl.DataFrame({"respondent": [str(i) for i in range(40)], "s": [1.0 + i % 10 for i in range(40)]})
        >>> panel = Panel(frame, book, frame.select("s").cast(pl.String))
        >>> log = pl.DataFrame({"id": ["0", "1", "10", "21"], "handled_score": [3, 4, 5, 8]})
        >>> complaints(panel, log).table["rate"].to_list()
        [0.1]
    """
    events = joined(read_events(complaints, "complaints"), panel)
    lost = elsewhere(panel.frame, events)
    _check(events, hypothetical)
    names = list(dict.fromkeys([satisfaction, *drivers]))
    every = [*names, *([outcome] if outcome and outcome not in names else [])]
    rows = scored(panel, every, by, where, level)
    sample, bases = rows.sample, Bases(small, flagged)
    place = places(sample)
    more = (hypothetical,) if hypothetical else ()
    met, notes = incidents(panel.frame[place.tolist()], events, "complained", more)
    met = met.with_columns(handling(met).alias("handled"), panel.frame["respondent"][place.tolist()].alias("who"))
    x = _Told(rows, met, names, outcome or "", hypothetical or "", level)
    keys = sample.cells.drop("n")
    cells = range(sample.cells.height)
    plain = pl.concat([keys, pl.DataFrame([_rate(x, c) for c in cells], infer_schema_length=None)], how="horizontal")
    table = bases.withheld(plain.with_columns(pl.col(pl.Null).cast(pl.Float64)))
    incidence = stacked(keys, [_incidence(x, c) for c in cells])
    on = keys.columns
    scores = bases.withheld(stacked(keys, [_handling(x, c) for c in cells]))
    after = bases.withheld(stacked(keys, [_after(x, c) for c in cells]))
    selection = bases.withheld(stacked(keys, [_selection(x, c) for c in cells]))
    incidence = following(incidence, table, on, keep=("n", "name")) if incidence.height else incidence
    told_of = [c for c in cells if plain["n"][c] >= small]  # what is said of a withheld cell would tell its counts
    few = tuple(n for c in told_of for n in _few(x, c, of=dict(keys.row(c, named=True)) if on else {}))
    said = complaint_sentences(table, incidence, scores, after, on, rows.labels, names[0], outcome or "", level)
    joins = (*events.notes, *lost, *notes)
    notes = (*_meaning(x), *joins, *few, *bases.notes(table, on), *sample.notes)
    return Complaints(table, incidence, scores, after, selection, satisfaction, outcome or "", rows.labels, level,
                      (*bases.sentences(table), *said), notes)  # fmt: skip


_OTHER: Final = Text(
    "what customers who did not complain imagine is another question than how complaints were handled; the two stand "
    "apart and are not pooled.",
    "未投诉者对处理方式的设想与投诉的实际处理是两个不同的问题，分别列出，不予合并。",
)


def _meaning(x: _Told) -> Iterator[Note]:
    """What slopes are, and how scores of handling are read."""
    yield note("N-COMPLAINTS", MEANING.en, MEANING.zh)
    if x.hypothetical:
        yield note("N-HYPOTHETICAL", _OTHER.en, _OTHER.zh)
    if x.met["handled"].is_not_null().any():
        yield note("N-HANDLED", HANDLED.en, HANDLED.zh)


@dataclass(frozen=True, slots=True)
class _Told:
    """Rows with their scores and what happened."""

    rows: Scored
    met: pl.DataFrame
    names: list[str]
    outcome: str
    hypothetical: str
    level: float

    def of(self, cell: int) -> tuple[Ints, Array, Array]:
        """Places of a cell's rows of whom it is known, whether they complained (1, 0), their weights."""
        there = self.met["happened"].is_not_null().to_numpy()
        at = np.flatnonzero((self.rows.sample.cell == cell) & there)
        y = self.met["happened"].fill_null(value=False).to_numpy()[at].astype(np.float64)
        return at, y, self.rows.sample.weight[at]

    def numbers(self, column: str, at: Ints) -> Array:
        """A column of what happened, NaN where absent."""
        return self.met[column].cast(pl.Float64).fill_null(np.nan).to_numpy()[at]

    def score(self, name: str, at: Ints) -> Array:
        """Scores 0-100 of a construct."""
        column = list(self.rows.labels).index(name)
        out: Array = self.rows.scores[at, column]
        return out


def _rate(x: _Told, cell: int) -> dict[str, float | int | None]:
    """The share that complained, with Wilson's limits."""
    at, y, w = x.of(cell)
    people = x.met["who"][at.tolist()].n_unique()
    out: dict[str, float | int | None] = {"customers": people, "n": len(at), "complainants": int(y.sum())}
    if not len(at):
        return {**out, **dict.fromkeys(("rate", "std_error", "conf_low", "conf_high"))}
    found = means(y[:, None], *Design.of(x.rows.sample, at))
    p, error = float(found.mean[0]), float(found.std_error[0])
    kish = float(w.sum() ** 2 / (w**2).sum())
    effective = p * (1 - p) / error**2 if np.isfinite(error) and error > 0 else kish
    simple = found.df[0] == len(at) - 1 and np.ptp(w) == 0
    z = float(ndtri(0.5 + x.level / 2)) if simple or not found.df[0] > 0 else float(critical(x.level, found.df)[0])
    low, high = wilson(p, effective, z)
    error_told = error if np.isfinite(error) else None
    return {**out, "rate": p, "std_error": error_told, "conf_low": low, "conf_high": high}


def wilson(p: float, n: float, z: float) -> tuple[float, float]:
    """Limits of a share p of (effective) n answers at the point z.

    Example:
        >>> [round(v, 4) for v in wilson(0.1, 50, 1.959964)]
        [0.0435, 0.2136]
    """
    centre, whole = p + z**2 / (2 * n), 1 + z**2 / n
    reach = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return float(max((centre - reach) / whole, 0.0)), float(min((centre + reach) / whole, 1.0))


def _incidence(x: _Told, cell: int) -> pl.DataFrame:
    """Slopes of the logistic regression."""
    at, y, w = x.of(cell)
    X = np.column_stack([np.ones(len(at)), *(x.score(n, at) for n in x.names)])
    kept = np.isfinite(X).all(axis=1)
    X, y, w, at = X[kept], y[kept], w[kept], at[kept]
    found = None
    if min(y.sum(), len(y) - y.sum()) >= EVENTS * len(x.names):
        found = logit(X, y, w)
    if found is None:
        empty = dict.fromkeys(_SLOPES, pl.Float64)
        return pl.DataFrame(schema={"n": pl.Int64, "name": pl.String, **empty})
    _, unit, stratum, known = Design.of(x.rows.sample, at)
    b, m = found.of_slopes(unit, stratum, known=known), found.margins(unit, stratum, known)
    reach, wide = critical(x.level, b.df) * b.std_error, critical(x.level, m.df) * m.std_error
    p = p_of_t(b.statistic, b.df)
    limits = [np.exp(STEP * (b.mean + side * reach)) for side in (0, -1, 1)]
    points = [100 * STEP * (m.mean + side * wide) for side in (0, -1, 1)]
    columns = [v[1:] for v in (b.mean, b.std_error, p, *limits, *points)]
    numbers = dict(zip(_SLOPES, columns, strict=True))
    return pl.DataFrame({"n": np.full(len(x.names), len(at)), "name": x.names, **numbers})


_SLOPES: Final = (
    "slope", "std_error", "p_value", "odds", "odds_low", "odds_high", "points", "points_low", "points_high",
)  # fmt: skip


def _few(x: _Told, cell: int, of: Mapping[str, object]) -> list[Note]:
    """Why a cell has no slopes."""
    at, y, _ = x.of(cell)
    yes, no = int(y.sum()), int(len(y) - y.sum())
    least = EVENTS * len(x.names)
    if min(yes, no) >= least:
        return []
    en = f"who complains is not explained: {yes} complained and {no} did not; {least} of each are needed."
    zh = f"未解释谁会投诉：有投诉 {yes} 份，无投诉 {no} 份；两者各需至少 {least} 份。"
    if not yes and len(at):
        en, zh = "nobody complained: there is a rate, and nothing to explain.", "无人投诉：仅给出投诉率，无从解释。"
    if not no and len(at):
        en, zh = (
            "everybody complained: there is a rate, and nothing to explain.",
            "所有人都投诉：仅给出投诉率，无从解释。",
        )
    said = of_cell(of, [Text(en, zh)])[0]
    return [note("N-COMPLAINTS-FEW", said.en, said.zh)]


def _handling(x: _Told, cell: int) -> pl.DataFrame:
    """Mean of handling among those who complained; of the hypothetical answers of the others."""
    at, y, _ = x.of(cell)
    rows = []
    asked = [("handled", "handled_score", y == 1)]
    if x.hypothetical:
        asked.append(("hypothetical", x.hypothetical, y == 0))
    for question, column, mine in asked:
        value = x.numbers(column, at)
        kept = mine & np.isfinite(value)
        missing = int(mine.sum() - kept.sum())
        told_of: tuple[float | None, ...] = (None,) * 4
        if kept.any():
            one = means(value[kept][:, None], *Design.of(x.rows.sample, at[kept]))
            low, high = one.interval(x.level)
            told_of = tuple(_known(v[0]) for v in (one.mean, one.std_error, low, high))
        rows.append((question, missing, int(kept.sum()), *told_of))
    schema = {"question": pl.String, "missing": pl.Int64, "n": pl.Int64, **dict.fromkeys(
        ("mean", "std_error", "conf_low", "conf_high"), pl.Float64)}  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")


def _known(value: float) -> float | None:
    """A number that is one."""
    return float(value) if np.isfinite(value) else None


_DIFFERENCES: Final = ("std_error", "conf_low", "conf_high", "p_value")


def _after(x: _Told, cell: int) -> pl.DataFrame:
    """The outcome of complainants less that of others at mean handling, and along handling."""
    schema = {"name": pl.String, "n": pl.Int64, "estimate": pl.Float64, **dict.fromkeys(_DIFFERENCES, pl.Float64)}
    if not x.outcome:
        return pl.DataFrame(schema=schema)
    at, c, w = x.of(cell)
    y, handled = x.score(x.outcome, at), x.numbers("handled_score", at)
    known = np.isfinite(y)
    y, c, w, handled, at = y[known], c[known] == 1, w[known], handled[known], at[known]
    every, done = bool(x.met["handled"].is_null().all()), np.isfinite(handled)  # no scores: all complaints together
    own = c & (done | every)
    rows = _beside(x, "complained", at, (y, w, own), ~c)
    if rows and not every:
        rows += _beside(x, "not handled", at, (y, w, c & ~done), ~c)
        # at mean handling the difference is that of the means; its error without handling allows for the mean's own
        score = np.where(own, np.nan_to_num(handled) - (w * own) @ np.nan_to_num(handled) / (w @ own), 0.0)
        rows += _beside(x, "handled", at, (y, w, own), ~c, score)
    return pl.DataFrame(rows, schema=schema, orient="row")


def _beside(
    x: _Told, name: str, at: Ints, of: tuple[Array, Array, NDArray[np.bool_]], others: NDArray[np.bool_],
    score: Array | None = None,
) -> list[tuple[str | int | float | None, ...]]:  # fmt: skip
    """The outcome of some complainants less that of others, or along their scores; no row of too few.

    Parameters:
        of: the outcome, weights, and who they are.
    """
    y, _, own = of
    kept = own | others
    yes, no = int(own.sum()), int(others.sum())
    X = np.column_stack([np.ones(int(kept.sum())), own[kept], *([] if score is None else [score[kept]])])
    if min(yes, no) <= SPARE or not independent(X):
        return []
    found = robust_slopes(X, y[kept], *Design.of(x.rows.sample, at[kept]))
    told_of = judged(found.slopes[-1:], found.std_error[-1:], found.df[-1:], x.level)
    n = min(yes, no) if score is None else yes
    return [(name, n, float(found.slopes[-1]), *(_known(told_of[k][0]) for k in _DIFFERENCES))]


def judged(estimate: Array, error: Array, df: Array, level: float) -> dict[str, Array]:
    """Columns std_error, conf_low, conf_high, p_value by t."""
    reach = critical(level, df) * error
    with np.errstate(divide="ignore", invalid="ignore"):
        p = p_of_t(estimate / error, df)
    return {"std_error": error, "conf_low": estimate - reach, "conf_high": estimate + reach, "p_value": p}


def _selection(x: _Told, cell: int) -> pl.DataFrame:
    """How complainants differ from the others in the scores."""
    at, c, _ = x.of(cell)
    rows = []
    for name in x.rows.labels:
        y = x.score(name, at)
        kept = np.isfinite(y)
        yes = int(c[kept].sum())
        if yes < 2 or yes > kept.sum() - 2:
            continue
        X = np.column_stack([np.ones(int(kept.sum())), c[kept]])
        found = robust_slopes(X, y[kept], *Design.of(x.rows.sample, at[kept]))
        told_of = {
            k: float(v[0]) for k, v in judged(found.slopes[1:], found.std_error[1:], found.df[1:], x.level).items()
        }
        rows.append(
            (
                name,
                min(yes, int(kept.sum()) - yes),
                found.slopes.sum(),
                found.slopes[0],
                found.slopes[1],
                *told_of.values(),
            )
        )
    numbers = dict.fromkeys(("complained", "others", "difference", *_DIFFERENCES), pl.Float64)
    return pl.DataFrame(rows, schema={"name": pl.String, "n": pl.Int64, **numbers}, orient="row")


def _check(events: Events, hypothetical: str | None) -> None:
    """Refuse a column that is not there."""
    if hypothetical and hypothetical not in events.frame.columns:
        what = Text(
            f'there is no column "{hypothetical}" in {events.name}.', f"{events.name} 中没有“{hypothetical}”列。"
        )
        raise Problems([Problem("E-ROLE", events.name, what, did_you_mean(hypothetical, events.frame.columns))])
