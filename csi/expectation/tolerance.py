"""The zone of tolerance: whether experience lies below what is adequate, within the zone, or above what is desired.

    MSA = P - Ea (service adequacy),  MSS = P - Ed (service superiority),  width = Ed - Ea

Letters: `n` rows, `k` attributes, `m` names (attributes, dimensions, overall).

Source:
    Zeithaml, Berry & Parasuraman (1993), J. of the Academy of Marketing Science 21(1), 1-12; Parasuraman, Zeithaml &
    Berry (1994), J. of Retailing 70(3), 201-230 (three-column format).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Text, one_of, problem
from csi.estimate.given import check_panel
from csi.expectation.forms import Matched, matched
from csi.expectation.scores import Scores, apart, by_cell, finite, holm
from csi.expectation.settings import check, outcome_of
from csi.expectation.tolerance_slopes import slopes_of
from csi.expectation.tolerance_words import lines_of, notes_of, sentences_of
from csi.inference.linearised import Design, Means, critical, means
from csi.inference.shares import shares
from csi.moments.sample import sample_of
from csi.moments.stack import Array, Sample
from csi.survey.bases import FLAGGED, SMALL, Bases
from csi.survey.codebook import Form
from csi.survey.keyed import stacked
from csi.survey.panel import Panel

Inconsistent = Literal["drop", "swap", "error"]
Ends = tuple[Form | Literal[""], Form | Literal[""]]
Flags = npt.NDArray[np.bool_]
MOST: Final = 0.05
"""Share of answers with adequate above desired from which they are refused unless the caller says what to do."""


@dataclass(frozen=True, slots=True, repr=False)
class Tolerance(Shown):
    """Where experience lies. Frames start with the cell's key columns.

    Attributes:
        table: kind ("attribute", "dimension", "overall"), name, n, adequate, desired, perceived (means); msa, mss, each
            with _std_error, _low, _high, _p, _p_adjusted (Holm over both tests of all attributes, or dimensions, of a
            cell); width and position (mean MSA / mean width) with _std_error, _low, _high; below, within, above (shares
            of respondents) with _low, _high. Columns of a form that was not asked are null. flag, reason, reason_zh
            (of few answers).
        slopes: kind, name, n, n_below, n_within, n_above, b_below, b_within, b_above (slopes of the outcome in P below
            Ea, between Ea and Ed, above Ed), each with _low, _high, _p; p_equal (that all are equal), r2. Empty without
            an outcome.
        perceived, adequate, desired: the forms; "" where not asked. inconsistent: share of answers with adequate above
            desired. on_inconsistent: what became of them. outcome, labels, level, sentences, notes.
    """

    table: pl.DataFrame
    slopes: pl.DataFrame
    perceived: Form
    adequate: Form | Literal[""]
    desired: Form | Literal[""]
    inconsistent: float
    on_inconsistent: Inconsistent
    outcome: str
    labels: Mapping[str, Text]
    level: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Tolerance, lang: str = "en") -> str:
    """Sentences, gaps, shares, slopes, notes."""
    return lines_of((value.table, value.slopes), value.sentences, value.notes, value.labels, lang)


def tolerance(
    panel: Panel,
    adequate: Form = "Ea",
    desired: Form = "Ed",
    perceived: Form = "P",
    *,
    attributes: Sequence[str] | None = None,
    outcome: str | None = None,
    by: Sequence[str] = (),
    where: Mapping[str, str] | None = None,
    on_inconsistent: Inconsistent | None = None,
    level: float = 0.95,
    small: int = SMALL,
    flagged: int = FLAGGED,
) -> Tolerance:
    """Adequacy, superiority, the zone and the shares below, within and above it.

    Parameters:
        panel: answers with a codebook in which items name their attribute and form. adequate, desired, perceived: the
            forms; where the questionnaire has only one of adequate and desired, that gap is told alone.
        attributes: only these. outcome: a construct or item for the slopes on either side of the knots ("satisfaction"
            where there is one); "" for none. by: key columns that make cells. where: keep only rows with these key
            values.
        on_inconsistent: what becomes of an attribute's answers with adequate above desired: "drop" them, "swap" the
            two, or "error"; None drops them where they are at most 5 % and refuses more. level: of intervals.
        small, flagged: values of fewer answers are withheld, or marked.

    Returns:
        A `Tolerance`.

    Raises:
        Problems: E-ZOT (adequate above desired), E-FORM, E-SCALE (see `csi.gap`), E-ROLE, E-SETTING.

    Source:
        Parasuraman, Zeithaml & Berry (1994). Shares: Korn & Graubard (1998).

    Example:
        >>> import csi
        >>> from csi.survey.codebook import Codebook, Item, Scale
        >>> nine = Scale("nine", 1, 9)
        >>> items = [Item(f, "service", nine, Text("Fast", "快"), "fast", f) for f in ("P", "Ea", "Ed")]
        >>> frame = pl.DataFrame({"P": [4.0, 6, 9, 6], "Ea": [5.0, 5, 6, 4], "Ed": [8.0, 8, 8, 8]})
        >>> panel = csi.Panel(frame, Codebook(tuple(items), {}, {}), frame.cast(pl.String))
        >>> tolerance(panel, small=0).table.select("msa", "mss", "width", "position", "below", "within", "above").row(0)
        (1.25, -1.75, 3.0, 0.4166666666666667, 0.25, 0.5, 0.25)
    """
    check_panel(panel)
    check(level)
    bases = Bases(small, flagged)
    _known(on_inconsistent)
    forms = _asked(panel, adequate, desired, perceived)
    pairs = matched(panel, forms, attributes)
    target = outcome_of(panel, outcome, pairs.every)
    sample = sample_of(panel, [*pairs.every, *target[1]], by, missing="pairwise", where=where)
    zone = _ends(forms, adequate, desired)
    sample, share, action = _consistent(sample, pairs, zone, on_inconsistent)
    tables, slopes = [], []
    for scores, plan, y in by_cell(sample, pairs, bool(target[1])):
        P, (A, D) = scores.values[perceived], (scores.values[f] if f else None for f in zone)
        tables.append(_table(scores, P, A, D, plan, level))
        if y is not None:
            slopes.append(slopes_of(scores, (P, A, D), y, plan, level))
    keys = sample.cells.drop("n")
    table, labels = bases.withheld(stacked(keys, tables)), {**pairs.labels, "overall": Text("Overall", "总体")}
    return Tolerance(
        table=table,
        slopes=bases.withheld(stacked(keys, slopes)) if slopes else pl.DataFrame(),
        perceived=perceived,
        adequate=zone[0],
        desired=zone[1],
        inconsistent=share,
        on_inconsistent=action,
        outcome=target[0],
        labels=labels,
        level=level,
        sentences=(*bases.sentences(table), *sentences_of(table, labels, keys.columns, 1 - level)),
        notes=(*bases.notes(table, keys.columns, labels), *notes_of(pairs, zone, share, action), *sample.notes),
    )


def _asked(panel: Panel, adequate: Form, desired: Form, perceived: Form) -> tuple[Form, ...]:
    """The forms to be compared: both ends of the zone, or the one that the questionnaire has."""
    there = {i.form for i in panel.codebook.items}
    ends = [f for f in (adequate, desired) if f in there]
    return (perceived, *(ends or (adequate, desired)))


def _ends(forms: Sequence[Form], adequate: Form, desired: Form) -> Ends:
    """The ends of the zone that are asked; "" for the other."""
    return (adequate if adequate in forms else "", desired if desired in forms else "")


def _known(asked: str | None) -> None:
    """Refuse an unknown action."""
    found = one_of("on_inconsistent", asked, ("drop", "swap", "error")) if asked is not None else []
    if found:
        raise Problems(found)


def _consistent(
    sample: Sample, pairs: Matched, zone: Ends, asked: Inconsistent | None
) -> tuple[Sample, float, Inconsistent]:
    """The answers with adequate at most desired, the share that was not, and what became of it.

    Raises:
        Problems: E-ZOT.
    """
    if "" in zone:
        return sample, 0.0, asked or "drop"
    k, names = len(pairs.attributes), list(pairs.items)
    at = [names.index(f) * k for f in zone if f]
    A, D = (sample.rows[:, a : a + k] for a in at)
    both = np.isfinite(A) & np.isfinite(D)
    wrong = both & (np.where(both, A, 0.0) > np.where(both, D, 0.0))
    share = float(wrong.sum() / both.sum()) if both.any() else 0.0
    if wrong.any() and (asked == "error" or (asked is None and share > MOST)):
        raise Problems([_refused(pairs, wrong, both, share, asked)])
    rows = sample.rows.copy()
    if asked == "swap":
        rows[:, at[0] : at[0] + k] = np.where(wrong, D, A)
        rows[:, at[1] : at[1] + k] = np.where(wrong, A, D)
    else:
        rows[:, at[0] : at[0] + k] = np.where(wrong, np.nan, A)
    return replace(sample, rows=rows), share, asked or "drop"


def _refused(pairs: Matched, wrong: Flags, both: Flags, share: float, asked: str | None) -> Problem:
    """The refusal, with the attributes that are worst."""
    each = np.where(both.sum(axis=0) > 0, wrong.sum(axis=0) / np.maximum(both.sum(axis=0), 1), 0.0)
    order = [j for j in np.argsort(-each, kind="stable")[:3] if each[j] > 0]
    listed = ", ".join(f"{pairs.attributes[j]} {100 * each[j]:.1f} %" for j in order)
    limit, limit_zh = (
        ("none allowed", "不允许") if asked == "error" else (f"max {100 * MOST:g} %", f"上限 {100 * MOST:g}%")
    )
    en = f"{100 * share:.1f} % of answers have adequate above desired ({limit}): {listed}."
    zh = f"{100 * share:.1f}% 的回答中可接受水平高于理想水平（{limit_zh}）：{listed.replace(', ', '、')}。"
    how = 'on_inconsistent="drop" (--inconsistent drop, models: {tolerance: {inconsistent: drop}})'
    do = f"Say what to do: {how}, or swap; or look at the wording and the order of the columns."
    do_zh = f"请指定处理方式：{how}，或 swap；或检查题项措辞与列的顺序。"
    return problem("E-ZOT", "tolerance", en, zh, do, do_zh)


def _table(scores: Scores, P: Array, A: Array | None, D: Array | None, plan: Design, level: float) -> pl.DataFrame:
    """The table of one cell."""
    blank = np.full_like(P, np.nan)
    seen = np.isfinite(P)
    msa, mss = (blank if x is None else apart(P, x) for x in (A, D))
    width = blank if A is None or D is None else apart(D, A)
    m = len(scores.names)
    ends = [blank if x is None else x for x in (A, D)]
    found = means(np.concatenate([msa, mss, width, *ends, P], axis=1), *plan)
    mean = found.mean.reshape(6, m)
    columns = {"adequate": mean[3], "desired": mean[4], "perceived": mean[5], **_gaps(scores, found, level)}
    columns |= _position(msa, width, mean, plan, level)
    marks = {"below": None if A is None else msa < 0, "above": None if D is None else mss > 0}
    if A is not None and D is not None:
        marks["within"] = (msa >= 0) & (mss <= 0)
    for name in ("below", "within", "above"):
        mark = marks.get(name)
        share = (np.full(m, np.nan),) * 3 if mark is None else shares(mark, seen, plan, level)
        columns |= dict(zip((name, f"{name}_low", f"{name}_high"), share, strict=True))
    head = {"kind": list(scores.kinds), "name": list(scores.names), "n": seen.sum(axis=0)}
    return pl.DataFrame(head | {c: finite(x) for c, x in columns.items()})


def _gaps(scores: Scores, found: Means, level: float) -> dict[str, Array]:
    """Columns of both gaps and of the width; Holm over both gaps of all names of a kind."""
    m = len(scores.names)
    low, high = found.interval(level)
    p = found.p_value[: 2 * m]
    adjusted = holm(scores, p)
    out: dict[str, Array] = {}
    for number, name in enumerate(("msa", "mss", "width")):
        own = slice(number * m, (number + 1) * m)
        out |= {name: found.mean[own], f"{name}_std_error": found.std_error[own]}
        out |= {f"{name}_low": low[own], f"{name}_high": high[own]}
        if name != "width":
            out |= {f"{name}_p": p[own], f"{name}_p_adjusted": adjusted[own]}
    return out


def _position(msa: Array, width: Array, mean: Array, plan: Design, level: float) -> dict[str, Array]:
    """Mean MSA / mean width with the error of a ratio: 0 at adequate, 1 at desired."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(mean[2] > 0, mean[0] / mean[2], np.nan)
        away = means((msa - ratio * width) / np.where(mean[2] > 0, mean[2], np.nan), *plan)
    reach = critical(level, away.df) * away.std_error
    return {
        "position": ratio,
        "position_std_error": away.std_error,
        "position_low": ratio - reach,
        "position_high": ratio + reach,
    }
