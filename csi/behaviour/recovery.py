"""Failure and recovery: does a recovered failure leave customers above those without one, outcome by outcome?

    paradox = E[y | failure, recovery top] - E[y | no failure]

Plain, by regression on what came before (a line each), and weighted so that every group stands for all customers
(inverse of its chance); severity, which only a failure has, is held at its mean among failures. With a wave before,
also the change of the same people. All are differences between customers whom nobody assigned.

Source:
    McCollough & Bharadwaj (1992), AMA conference; de Matos, Henrique & Rossi (2007), J. of Service Research 10, 60-77;
    Lunceford & Davidian (2004), Statistics in Medicine 23, 2937-2960; Austin (2009), Statistics in Medicine 28.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from csi.behaviour.asked import scored
from csi.behaviour.incidents import elsewhere, incidents, places
from csi.behaviour.recovery_groups import top_level
from csi.behaviour.recovery_ways import Failure, contrast_rows, overlap_rows
from csi.behaviour.recovery_words import HEADINGS, SAID, recovery_notes, recovery_sentences
from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Text, did_you_mean, note, problem
from csi.inference.adjust import adjust
from csi.measures.shown import based, told
from csi.moments.stack import Array
from csi.survey.bases import FLAGGED, SMALL, Bases
from csi.survey.events import Events, joined, read_events
from csi.survey.keyed import stacked
from csi.survey.panel import Panel

OUTCOMES: Final = ("satisfaction", "repurchase", "recommendation", "loyalty")
"""Outcomes that are taken where nobody names them and the codebook has them."""


@dataclass(frozen=True, slots=True, repr=False)
class Recovery(Shown):
    """Contrasts of failure and recovery.

    Attributes:
        table: key columns, outcome, contrast ("recovered - none", "failed - none", "recovered - failed"), way
            "plain", "regression", "weighting" or "within"; first, second (rows), n (the smaller), difference
            (0-100), std_error, df, conf_low, conf_high, p_value, p_adjusted (Holm over outcomes), flag, reason.
        groups: key columns, group, outcome, n, mean, std_error, conf_low, conf_high, and flags.
        overlap: key columns, name (what was weighted for), group, n, n_effective (after weighting), lowest (chance to
            be in the group), before, after (standardised distance from all customers).
        adjusted: what came before and is adjusted for. top: recovery that counts as full. labels, level.
        sentences, notes.
    """

    table: pl.DataFrame
    groups: pl.DataFrame
    overlap: pl.DataFrame
    adjusted: tuple[str, ...]
    top: str
    labels: Mapping[str, Text]
    level: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Recovery, lang: str = "en") -> str:
    """Sentences, contrasts, groups, overlap, notes."""
    lines = [*(s.say(lang) for s in value.sentences), ""]
    named = {k: t.say(lang) for k, t in {**SAID, **value.labels}.items()}
    for frame in (value.table, value.groups, value.overlap):
        if frame.height:
            words = [c for c in ("outcome", "contrast", "way", "group", "name") if c in frame.columns]
            shown = frame.drop("df", strict=False).with_columns(pl.col(c).replace(named) for c in words)
            lines += [based(shown, HEADINGS, lang), ""]
    return "\n".join([*lines, *told((), value.notes, lang)])


def recovery(
    panel: Panel,
    complaints: Events | object,
    outcomes: Sequence[str] = (),
    *,
    prior: str | None = None,
    before: str | None = None,
    adjust_for: Sequence[str] = (),
    top: str | None = None,
    by: Sequence[str] = (),
    where: Mapping[str, str] | None = None,
    level: float = 0.95,
    small: int = SMALL,
    flagged: int = FLAGGED,
) -> Recovery:
    """What customers say after a failure that was recovered, after one that was not, and without any.

    Parameters:
        panel: answers with respondents. complaints: a table (id, failure, recovery, severity, wave), see
            `csi.read_events`; without failures marked "no" it is a log of failures. outcomes: constructs or items; by
            default those of `OUTCOMES` that there are. prior: construct or item on satisfaction before the failure.
        before: the wave before; outcomes of the same people there make the version within persons, and the first
            outcome there is adjusted for; where no wave is chosen the next one is after it. adjust_for: further columns
            of answers that are numbers, or constructs, such as tenure. top: the recovery that counts as full; by
            default the largest number, or "top", "full", "yes".
        by, where, level, small, flagged: as in `csi.nps`; no contrast of a group smaller than `small` is told.

    Returns:
        A `Recovery`; without anything to adjust for, the plain contrast alone, and a note that says so.

    Raises:
        Problems: E-EVENT (nobody failed, nobody without a failure, ids that do not join), E-DESIGN (recovery or
            severity of people without a failure), E-ROLE, E-WAVE, E-SETTING.

    Example:
        >>> OUTCOMES[:2]  # what is compared where nobody names it
        ('satisfaction', 'repurchase')
    """
    events = joined(read_events(complaints, "complaints"), panel)
    lost = elsewhere(panel.frame, events)
    book = panel.codebook
    wanted = tuple(outcomes) or tuple(o for o in OUTCOMES if book.items_of(o))
    _check(panel, wanted, before, where)
    columns = [c for c in adjust_for if c in panel.frame.columns and c not in book.names]
    constructs = [*([prior] if prior else []), *(c for c in adjust_for if c not in columns)]
    now, chosen = _after(panel, before, where or {})
    rows = scored(panel, list(dict.fromkeys([*wanted, *constructs])), by, now, level)
    sample, bases = rows.sample, Bases(small, flagged)
    place = places(sample)
    answers = panel.frame[place.tolist()]
    met, notes = incidents(answers, events, "failure")
    full = top_level(met["recovery"], top, events.name)
    group = _groups(met, full)
    _both(group, events.name)
    names = list(rows.labels)
    x = {c: rows.scores[:, names.index(c)] for c in constructs} | {c: _column(answers, c) for c in columns}
    earlier = _earlier(panel, answers, wanted, before, now, level) if before is not None else {}
    if earlier:
        x[f"{wanted[0]}@{before}"] = earlier[wanted[0]]
    data = Failure(
        sample, group, {o: rows.scores[:, names.index(o)] for o in wanted}, x,
        met["severity"].fill_null(np.nan).to_numpy(), earlier, level,
    )  # fmt: skip
    keys = sample.cells.drop("n")
    on, cells = keys.columns, range(sample.cells.height)
    plain = _holm(stacked(keys, [contrast_rows(data, c) for c in cells]), on)
    table = bases.withheld(plain)
    groups = bases.withheld(stacked(keys, [data.means(c) for c in cells]))
    overlap = bases.withheld(stacked(keys, [overlap_rows(data, c) for c in cells]))
    labels = {**rows.labels, **{c: Text(c, c) for c in columns}}
    if earlier:
        first = rows.labels[wanted[0]]
        labels[f"{wanted[0]}@{before}"] = Text(f"{first.en} in {before}", f"{before} 期{first.zh}")
    said = recovery_sentences(table, on, labels, level)
    unknown = int(met.filter(pl.col("happened"))["recovery"].null_count())
    more = recovery_notes(tuple(labels[c] for c in x), overlap, unknown, within=bool(earlier), severity=data.graded)
    joins = (*events.notes, *lost, *notes)
    every = (*chosen, *more, *joins, *bases.notes(table, on, {**SAID, **labels}), *sample.notes)
    return Recovery(table, groups, overlap, tuple(x), full, labels, level, (*bases.sentences(table), *said), every)


def _after(panel: Panel, before: str | None, where: Mapping[str, str]) -> tuple[Mapping[str, str], tuple[Note, ...]]:
    """The rows after the failure: of the wave chosen, else of the next one, which is said."""
    if before is None or "wave" in where:
        return where, ()
    now = _next(panel, before)
    en = f"customers of {now}, the wave after {before}; another one is chosen with --wave (where=)."
    zh = f"取 {before} 的下一期 {now} 的顾客；可用 --wave（where=）另选一期。"
    return {**where, "wave": now}, (note("N-RECOVERY-WAVE", en, zh),)


def _next(panel: Panel, before: str) -> str:
    """The wave after another; "" after the last."""
    return next(iter(panel.waves[panel.waves.index(before) + 1 :]), "")


def _groups(met: pl.DataFrame, top: str) -> Array:
    """(n,) 0 without a failure, 1 recovered, 2 failed without full recovery, NaN where it is not known."""
    failed, same = met["happened"], met["recovery"] == top
    frame = pl.DataFrame({"f": failed, "t": same})
    code = pl.when(~pl.col("f")).then(0.0).when(pl.col("t")).then(1.0).when(~pl.col("t")).then(2.0)
    return frame.select(code.alias("g"))["g"].fill_null(np.nan).to_numpy()


def _both(group: Array, name: str) -> None:
    """Refuse answers in which nobody, or everybody, had a failure."""
    none, some = int((group == 0).sum()), int((group > 0).sum())
    if some and none:
        return
    if not some:
        en = "nobody who answered had a failure whose recovery is known."
        zh = "没有受访者经历过已知补救结果的失误。"
        do, do_zh = "Give failure and recovery of those who had one.", "请给出经历失误者的 failure 与 recovery。"
    else:
        en, zh = (
            "everybody who answered had a failure: there is nobody to compare with.",
            "所有受访者都经历过失误，没有可比对象。",
        )
        do, do_zh = "Keep the answers of customers without a failure.", "请保留未经历失误的顾客的答卷。"
    raise Problems([problem("E-EVENT", name, en, zh, do, do_zh)])


def _column(answers: pl.DataFrame, name: str) -> Array:
    """A column of answers as numbers."""
    return answers[name].cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()


def _earlier(
    panel: Panel, answers: pl.DataFrame, wanted: Sequence[str], before: str, now: Mapping[str, str], level: float
) -> dict[str, Array]:
    """Outcomes of the same people in the wave before, NaN where they did not answer."""
    rows = scored(panel, wanted, (), {**now, "wave": before}, level)
    place = places(rows.sample)
    then = panel.frame[place.tolist()]
    on = [c for c in ("respondent", "brand") if c in then.columns]
    known = then.select(on).with_columns(pl.Series(o, rows.scores[:, j]) for j, o in enumerate(rows.labels))
    found = answers.select(on).join(known.unique(on), on=on, how="left", maintain_order="left")
    if not found.select(pl.any_horizontal(pl.col(list(rows.labels)).is_not_null()).any()).item():
        en, zh = f"nobody answered both in {before} and after.", f"没有人在 {before} 期与之后都作答。"
        do, do_zh = "Leave before out; people must repeat.", "请去掉 before；须为同一批受访者。"
        raise Problems([problem("E-WAVE", "before", en, zh, do, do_zh)])
    return {o: found[o].fill_null(np.nan).to_numpy() for o in wanted}


def _holm(frame: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """p_adjusted over the outcomes of a contrast told in one way."""
    if not frame.height:
        return frame.with_columns(p_adjusted=pl.lit(None, dtype=pl.Float64))
    parts = frame.with_row_index("_at").partition_by(*keys, "contrast", "way", maintain_order=True)
    made = []
    for part in parts:
        p = part["p_value"].fill_null(np.nan).to_numpy()
        known, out = np.isfinite(p), np.full(len(p), np.nan)
        out[known] = adjust(p[known], "holm")
        made.append(part.with_columns(pl.Series("p_adjusted", out).fill_nan(None)))
    return pl.concat(made).sort("_at").drop("_at")


def _check(panel: Panel, wanted: Sequence[str], before: str | None, where: Mapping[str, str] | None) -> None:
    """Refuse no outcome, and a wave before that is not there or is not before."""
    found = []
    if not wanted:
        en, zh = (
            "no outcome is named, and the codebook has none of the usual.",
            "未指定结果变量，编码簿中也没有常用的结果构念。",
        )
        found.append(
            problem(
                "E-ROLE", "outcomes", en, zh, 'Write outcomes=["satisfaction"].', '请写 outcomes=["satisfaction"]。'
            )
        )
    if before is not None and before not in panel.waves:
        what = Text(f'there is no wave "{before}".', f"没有“{before}”这一期。")
        found.append(Problem("E-WAVE", "before", what, did_you_mean(before, panel.waves)))
    elif before is not None:
        after = (where or {}).get("wave", _next(panel, before))
        if after == before or not after:
            en = f"{before} is before the failure: the answers after it must be of another wave."
            zh = f"{before} 是失误之前的一期：失误之后的答卷须来自另一期。"
            do = "Choose a later wave with --wave (where=), or an earlier one as before."
            do_zh = "请用 --wave（where=）选择更晚的一期，或将 before 改为更早的一期。"
            found.append(problem("E-WAVE", "before", en, zh, do, do_zh))
    if found:
        raise Problems(found)
