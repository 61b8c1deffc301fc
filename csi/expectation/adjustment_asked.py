"""What an adjustment of expectation is asked of: its series, the two occasions, complete rows; refusals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl

from csi.errors import Note, Problem, Problems, note, problem
from csi.expectation.change_asked import series_of
from csi.expectation.followed import Followed, complete_note, followed
from csi.expectation.wide import wide
from csi.inference.linearised import Design, Known
from csi.moments.stack import Array, Ints
from csi.survey.codebook import Form
from csi.survey.panel import Panel

FORMS: Final[Mapping[str, Form]] = {"A": "Ew", "B": "P"}
"""Forms taken where a construct has several: expectation and experience."""

OCCASIONS: Final = 2


@dataclass(frozen=True, slots=True)
class Occasions:
    """Complete rows of two occasions.

    Attributes:
        initial, adjusted, outcome: (n,). experience: (n,), None where it was not asked. flag: (n,) 0 or 1, NaN where
            it is not known; None without one. weight, unit: (n,). stratum: (units,). drawn: (B, n) resamples.
        waves: first and last. people: who answered anything. table: of `followed`. notes. known: margins.
    """

    initial: Array
    adjusted: Array
    outcome: Array
    experience: Array | None
    flag: Array | None
    weight: Array
    unit: Ints
    stratum: Ints
    drawn: Array
    waves: tuple[str, ...]
    people: int
    table: pl.DataFrame
    notes: tuple[Note, ...]
    known: Known | None = None

    @property
    def design(self) -> Design:
        """That of the rows."""
        return Design(self.weight, self.unit, self.stratum, self.known)


def form_of(panel: Panel, name: str | None, letter: str, form: Form | None) -> Form | None:
    """The form of items: the one asked for, else that of the series where a construct has it among several.

    Parameters:
        letter: "A" for an expectation, "B" for an experience.
    """
    if form is not None or name is None:
        return form
    forms = {panel.codebook[i].form for i in panel.codebook.items_of(name, None)}
    return FORMS[letter] if len(forms) > 1 and FORMS[letter] in forms else None


def beside_of(panel: Panel, of: str, beside: str | None) -> str | None:
    """The experience: the construct named, else the expectation's own where it was asked as perceived too."""
    own = panel.codebook.items_of(of, "P") and {panel.codebook[i].form for i in panel.codebook.items_of(of, None)}
    return beside or (of if own and len(own) > 1 else None)


def asked_series(
    panel: Panel,
    of: str,
    outcome: str,
    beside: str | None,
    flag: str | None,
    forms: Mapping[str, Form | None],
) -> dict[str, tuple[str, ...]]:
    """Items of the expectation (A), the experience (B) and the outcome (Y).

    Raises:
        Problems: E-ROLE, E-FORM, E-SCALE, all at once.
    """
    asked: dict[str, tuple[str | None, Form | None]] = {
        "A": (of, form_of(panel, of, "A", forms.get("A"))),
        "B": (beside, form_of(panel, beside, "B", forms.get("B"))),
        "Y": (outcome, form_of(panel, outcome, "B", None)),
    }
    series = series_of(panel, asked, None, flag)
    taken = {i for letter, items in series.items() if letter != "Y" for i in items}
    if taken & set(series["Y"]):
        en = f'"{outcome}" is the expectation or the experience itself.'
        zh = f"“{outcome}”就是期望或体验本身。"
        do, do_zh = "Name what is to be explained: --outcome NAME.", "请另行指定要解释的构念：--outcome 名称。"
        raise Problems([problem("E-ROLE", "outcome", en, zh, do, do_zh)])
    return series


def occasions_of(
    panel: Panel,
    series: Mapping[str, Sequence[str]],
    flag: str | None,
    waves: Sequence[str] | None,
    where: Mapping[str, str] | None,
    returning: float,
    least: int,
    replicates: int,
    seed: int,
) -> Occasions:
    """Complete rows of the first and the last of the waves.

    Raises:
        Problems: E-WAVE (one wave, repeated cross-sections, three waves named), E-BASE (few people, nobody answered the
            outcome in the last wave), and see `csi.expectation.wide.wide`.
    """
    if waves is not None and len(set(waves)) != OCCASIONS:
        en = f"{len(set(waves))} waves are named; an adjustment lies between two."
        zh = f"指定了 {len(set(waves))} 期；期望调整只涉及前后两期。"
        raise Problems([problem("E-WAVE", "waves", en, zh, "Name two, oldest first.", "请按先后指定两期。")])
    items = list(dict.fromkeys(i for names in series.values() for i in names))
    also = [flag] if flag else []
    data = wide(panel, items, waves=waves, where=where, returning=returning, what="adjustment", also=also)
    if len(data.waves) > OCCASIONS:
        ends = (data.waves[0], data.waves[-1])
        data = wide(panel, items, waves=ends, where=where, returning=returning, what="adjustment", also=also)
    flags = data.frame[flag].cast(pl.Float64).fill_null(np.nan).to_numpy() if flag else None
    return _complete(followed(data, series), flags, least, replicates, seed)


def _complete(data: Followed, flags: Array | None, least: int, replicates: int, seed: int) -> Occasions:
    """The rows with all that is needed."""
    before, after = data.values["A"].T
    experience = data.values["B"][:, 1] if "B" in data.values else None
    outcome = data.values["Y"][:, 1]
    columns = [before, after, outcome, *([experience] if experience is not None else [])]
    whole = np.isfinite(np.column_stack(columns)).all(axis=1)
    found = _few(data, [before, after, experience, outcome], int(whole.sum()), least)
    if found:
        raise Problems(found)
    kept = data.drawn(replicates, seed)[:, whole]
    return Occasions(
        initial=before[whole],
        adjusted=after[whole],
        outcome=outcome[whole],
        experience=None if experience is None else experience[whole],
        flag=None if flags is None else flags[whole].astype(np.float64),
        weight=data.weight[whole],
        unit=data.unit[whole],
        stratum=data.stratum,
        drawn=kept,
        waves=data.waves,
        people=len(whole),
        table=data.table,
        notes=(*data.notes, *complete_note(int(whole.sum()), len(whole))),
        known=data.design.at(whole).known,
    )


def _few(data: Followed, columns: Sequence[Array | None], whole: int, least: int) -> list[Problem]:
    """Too few complete rows, and which question it is for."""
    if whole >= least:
        return []
    names = (
        ("expectation before", "此前的期望"),
        ("expectation after", "此后的期望"),
        ("experience", "体验"),
        ("the outcome", "结果"),
    )
    counts = [(n, int(np.isfinite(x).sum())) for n, x in zip(names, columns, strict=True) if x is not None]
    told, told_zh = (", ".join(f"{n[0]} {c}" for n, c in counts), "、".join(f"{n[1]} {c}" for n, c in counts))
    first, last = data.waves
    en = f"{whole} people answered all that is needed in {first} and {last} ({told}); {least} are needed."
    zh = f"在 {first} 与 {last} 均作答者仅 {whole} 人（{told_zh}），至少需要 {least} 人。"
    do = "Experience and outcome are those of the last wave; choose other waves (waves=)."
    do_zh = "体验与结果取最后一期；可另选期次（waves=）。"
    return [problem("E-BASE", "adjustment", en, zh, do, do_zh)]


def with_flag(rows: Occasions) -> tuple[Occasions, tuple[Note, ...]]:
    """The rows of which the flag is known.

    Raises:
        Problems: E-CAUSAL (nobody has it, or everybody).
    """
    if rows.flag is None:
        return rows, ()
    known = np.isfinite(rows.flag)
    seen = set(rows.flag[known].tolist())
    if len(seen) < OCCASIONS:
        en = "everybody has the flag, or nobody: there is nothing to compare with."
        zh = "所有人均有该标记，或均没有：无可比较。"
        do, do_zh = "Flag those who had the intervention 1, the others 0.", "请将接受干预者标为 1，其余为 0。"
        raise Problems([problem("E-CAUSAL", "flag", en, zh, do, do_zh)])
    lost = int((~known).sum())
    if not lost:
        return rows, ()
    kept = replace(
        rows,
        initial=rows.initial[known],
        adjusted=rows.adjusted[known],
        outcome=rows.outcome[known],
        experience=None if rows.experience is None else rows.experience[known],
        flag=rows.flag[known],
        weight=rows.weight[known],
        unit=rows.unit[known],
        drawn=rows.drawn[:, known],
        known=rows.design.at(known).known,
    )
    en = f"{lost} people of whom the flag is not known are left out of what concerns it."
    return kept, (note("N-FLAG", en, f"有 {lost} 名受访者标记未知，与标记有关的结果未纳入。"),)
