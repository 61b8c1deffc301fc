"""SERVQUAL: gaps by dimension, weighted by the points that respondents give; SERVPERF without expectations.

    g_rj = mean over attributes i of dimension j of P_rij - E_rij,   SQ_r = sum_j w_rj g_rj,   sum_j w_rj = 1

Letters: `n` rows, `d` dimensions.

Source:
    Parasuraman, Zeithaml & Berry (1988), J. of Retailing 64(1), 12-40; (1991), 67(4), 420-450 (points). P alone:
    Cronin & Taylor (1992), J. of Marketing 56(3), 55-68.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Text, problem
from csi.estimate.given import check_panel
from csi.expectation.forms import Matched, matched
from csi.expectation.scores import Scores, answered_mean, finite, scores_of
from csi.expectation.servqual_structure import Asked, Structure, predictive, reliabilities, structure_of
from csi.expectation.servqual_weights import Points, points_of, weighted
from csi.expectation.servqual_words import lines_of, notes_of, of_structure, sentences_of
from csi.expectation.settings import check, outcome_of
from csi.inference.adjust import adjust
from csi.inference.linearised import Design, Means, means
from csi.moments.sample import sample_of
from csi.moments.stack import Array, Ints, Sample
from csi.survey.bases import FLAGGED, SMALL, Bases
from csi.survey.codebook import Form
from csi.survey.keyed import stacked
from csi.survey.panel import Panel

FIVE: Final = ("tangibles", "reliability", "responsiveness", "assurance", "empathy")
"""The dimensions of 1988, in the order of the questionnaire."""
WHOLES: Final = {
    "overall": Text("Overall, unweighted", "总体（未加权）"),
    "weighted": Text("Overall, weighted", "总体（加权）"),
}
EXPECTED: Final[tuple[Form, ...]] = ("Ew", "Es", "Ed", "Ei")
"""Forms that may be what is expected; the first that is asked counts."""


@dataclass(frozen=True, slots=True, repr=False)
class Servqual(Shown):
    """Service quality by dimension and overall. Frames start with the cell's key columns.

    Attributes:
        table: kind ("dimension", "overall", "weighted"), name, n, weight (mean share of the points), expected,
            perceived (means), score (gap; without expectations the perception), sd, std_error, statistic, df, p_value,
            p_adjusted (Holm over the dimensions of a cell), conf_low, conf_high; no p-values without expectations.
        reliability: form ("P", "E", "G"), dimension, n, n_items, alpha, omega (of a one-factor model, implied
            denominator).
        predictive: model ("perceived", "gap", "both"), n, predictors, r2, r2_adjusted, restrictions, df, f, p_value
            (robust, against "both"), f_classical, p_classical. Empty without an outcome.
        structure: form, model ("five" - as many factors as dimensions -, "second", "one"), n, chi2, df, p_value, cfi,
            tli, rmsea, srmr, bic, chi2_diff, df_diff, p_diff (against the model before it), reason.
        htmt: form, dimension, other, htmt, upper (one-sided 95 % bound).
        form: of the expectations, "" for SERVPERF. points: whose weights ("respondents", "given", "").
        dimensions, outcome, labels, level, sentences, notes.
    """

    table: pl.DataFrame
    reliability: pl.DataFrame
    predictive: pl.DataFrame
    structure: pl.DataFrame
    htmt: pl.DataFrame
    form: Asked
    points: str
    dimensions: tuple[str, ...]
    outcome: str
    labels: Mapping[str, Text]
    level: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Servqual, lang: str = "en") -> str:
    """Sentences, the frames, notes."""
    frames = (value.table, value.reliability, value.predictive, value.structure, value.htmt)
    return lines_of(frames, value.sentences, value.notes, value.labels, lang)


def servqual(
    panel: Panel,
    expected: Asked | None = None,
    *,
    dimensions: Sequence[str] | None = None,
    weights: Mapping[str, float] | None = None,
    outcome: str | None = None,
    by: Sequence[str] = (),
    where: Mapping[str, str] | None = None,
    structure: bool = True,
    replicates: int = 500,
    seed: int = 1,
    level: float = 0.95,
    small: int = SMALL,
    flagged: int = FLAGGED,
) -> Servqual:
    """Gaps by dimension, overall and weighted by the points of 100, with what stands behind them.

    Parameters:
        panel: answers with a codebook; an attribute's dimension is the construct of its item of form P.
        expected: form of the expectations; None takes the first of Ew, Es, Ed, Ei that is asked; where none is, or with
            "", perceptions are told alone (SERVPERF).
        dimensions: constructs; None takes the five of 1988 where the codebook has any of them, else those with pairs.
        weights: points per dimension; None reads each respondent's from items of form I whose attribute is the
            dimension's name. Points need not sum to 100. Respondents without points take the mean of the others'.
        outcome: an overall judgement ("satisfaction"); "" for none. by: key columns of cells. where: keys of rows kept.
        structure: whether to fit the factor models (MLR, listwise). replicates, seed: of the bounds of HTMT. level.
        small, flagged: values of fewer answers are withheld, or marked.

    Returns:
        A `Servqual`.

    Raises:
        Problems: E-ROLE (a dimension without items, no dimensions, no such outcome), E-FORM, E-SCALE (see `csi.gap`),
            E-POINTS (weights that are negative, all 0 or of other dimensions), E-SETTING.

    Source:
        Parasuraman, Zeithaml & Berry (1988, 1991); Cronin & Taylor (1992). Variances are linearised, those of points
        from other respondents included.

    Example:
        >>> import csi
        >>> from csi.survey.codebook import Codebook, Item, Scale
        >>> seven = Scale("seven", 1, 7)
        >>> items = [Item(f"{f}{d}", d, seven, Text(d, d), d + "1", f) for d in ("speed", "care") for f in ("P", "Ew")]
        >>> answers = {"Pspeed": [4, 5, 3, 5], "Ewspeed": [6, 6, 5, 6], "Pcare": [6, 6, 7, 5], "Ewcare": [6, 5, 6, 5]}
        >>> frame = pl.DataFrame(answers).cast(pl.Float64)
        >>> panel = csi.Panel(frame, Codebook(tuple(items), {}, {}), frame.cast(pl.String))
        >>> servqual(panel, weights={"speed": 75, "care": 25}, small=0).table.select("name", "score").rows()
        [('speed', -1.5), ('care', 0.5), ('overall', -0.5), ('weighted', -1.0)]
    """
    check(level, replicates=replicates)
    bases = Bases(small, flagged)
    pairs = _pairs(panel, form := _form(panel, expected), dimensions)
    target, points = outcome_of(panel, outcome, pairs.every), points_of(panel, pairs.dimensions, weights)
    items = dict.fromkeys([*pairs.every, *target[1], *points.items])
    sample = sample_of(panel, list(items), by, missing="pairwise", where=where)
    tables, compared, normalised = _cells(sample, pairs, points, target[1], form, level)
    keys, labels = sample.cells.drop("n"), {**pairs.labels, **WHOLES}
    made = _structures(panel, pairs, form, where, sample, (replicates, seed), small) if structure else Structure()
    table = bases.withheld(stacked(keys, tables))
    told_by = bases.withheld(stacked(keys, compared)) if compared else pl.DataFrame()
    said = sentences_of(table, told_by, made, labels, keys.columns, form, 1 - level)
    doubts = (*bases.notes(table, keys.columns, labels), *of_structure(made, keys.columns), *sample.notes)
    return Servqual(
        table=table,
        reliability=_consistencies(sample, pairs, form, bases),
        predictive=told_by,
        structure=made.fits,
        htmt=made.htmt,
        form=form,
        points=points.source,
        dimensions=pairs.dimensions,
        outcome=target[0],
        labels=labels,
        level=level,
        sentences=(*bases.sentences(table), *said),
        notes=(*notes_of(pairs, form, points, normalised, len(sample.rows), FIVE), *doubts),
    )


def _cells(
    sample: Sample, pairs: Matched, points: Points, outcome: Sequence[str], form: Asked, level: float
) -> tuple[list[pl.DataFrame], list[pl.DataFrame], int]:
    """The tables of all cells, what explains the outcome there, and how many points were normalised."""
    tables: list[pl.DataFrame] = []
    compared: list[pl.DataFrame] = []
    normalised = 0
    for cell in range(sample.cells.height):
        rows = np.flatnonzero(sample.cell == cell)
        scores, plan = scores_of(pairs, sample.rows[rows]), Design.of(sample, rows)
        told, off = _table(scores, points, _answers(sample, rows, points.items), plan, form, level)
        tables.append(told)
        normalised += off
        if outcome:
            y = answered_mean(_answers(sample, rows, outcome))
            compared.append(predictive(scores, form, y, plan))
    return tables, compared, normalised


def _consistencies(sample: Sample, pairs: Matched, form: Asked, bases: Bases) -> pl.DataFrame:
    """Reliabilities of every cell."""
    each = [reliabilities(pairs, form, sample, sample.cell == cell) for cell in range(sample.cells.height)]
    return bases.withheld(stacked(sample.cells.drop("n"), each), keep=("n_items",))


def _structures(
    panel: Panel,
    pairs: Matched,
    form: Asked,
    where: Mapping[str, str] | None,
    sample: Sample,
    drawing: tuple[int, int],
    small: int,
) -> Structure:
    """Factor models and HTMT of every cell."""
    keys = sample.cells.drop("n")
    made = [structure_of(panel, pairs, form, where, sample, c, drawing, small) for c in range(sample.cells.height)]
    return Structure(stacked(keys, [one.fits for one in made]), stacked(keys, [one.htmt for one in made]))


def _answers(sample: Sample, rows: Ints, items: Sequence[str]) -> Array:
    """(n, items) answers of some rows."""
    return sample.rows[rows][:, [sample.names.index(i) for i in items]]


def _form(panel: Panel, asked: Asked | None) -> Asked:
    """The form of the expectations; "" where perceptions stand alone."""
    check_panel(panel)
    if asked is not None:
        return asked
    there = {i.form for i in panel.codebook.items}
    return next((f for f in EXPECTED if f in there), "")


def _pairs(panel: Panel, form: Asked, asked: Sequence[str] | None) -> Matched:
    """The attributes of the dimensions.

    Raises:
        Problems: E-ROLE for every dimension without items, or where no dimension is known.
    """
    book = panel.codebook
    have = [i.construct for i in book.items if i.form == "P"]
    known = asked or [d for d in FIVE if any(f in have for f in FIVE)]
    if not known and not form:
        en = "perceptions alone do not say which constructs are dimensions of service quality."
        zh = "只有感知题项时，无法判断哪些构念是服务质量的维度。"
        listed = ", ".join(FIVE)
        do, do_zh = (
            f"Name them: dimensions=[...], or call them {listed}.",
            f"请写 dimensions=[...]，或命名为 {listed}。",
        )
        raise Problems([problem("E-ROLE", "servqual", en, zh, do, do_zh)])
    empty = [_empty(d, form) for d in known if d not in have]
    if empty:
        raise Problems(empty)
    pairs = matched(panel, ("P", form) if form else ("P",))
    chosen = known or pairs.dimensions
    bare = [_empty(d, form) for d in chosen if d not in pairs.dimension]
    if bare:
        raise Problems(bare)
    keep = [j for j, d in enumerate(pairs.dimension) if d in chosen]
    lone = {
        a: f
        for a, f in pairs.lone.items()
        if any((i.attribute or i.name) == a and i.construct in chosen for i in book.items)
    }
    return replace(
        pairs,
        attributes=tuple(pairs.attributes[j] for j in keep),
        dimension=tuple(pairs.dimension[j] for j in keep),
        items={f: tuple(names[j] for j in keep) for f, names in pairs.items.items()},
        lone=lone,
    )


def _empty(name: str, form: Asked) -> Problem:
    """A dimension without items."""
    forms = f"P and {form}" if form else "P"
    en = f'servqual needs items of dimension "{name}" (form {forms}); the codebook has none.'
    zh = f"servqual 需要维度“{name}”的题项（形式 {forms.replace(' and ', '、')}），编码簿中没有。"
    do = f"Give items construct: {name}, or name the dimensions there are: dimensions=[...]."
    return problem("E-ROLE", name, en, zh, do, f"请为题项写 construct: {name}，或写明现有维度：dimensions=[...]。")


def _table(
    scores: Scores, points: Points, answers: Array, plan: Design, form: Asked, level: float
) -> tuple[pl.DataFrame, int]:
    """The table of one cell, and how many respondents' points did not sum to 100."""
    d = scores.of("dimension")
    P = scores.values["P"]
    value = P - scores.values[form] if form else P
    E = scores.values[form] if form else np.full_like(P, np.nan)
    at = np.array([*d, len(scores.names) - 1])
    joint = weighted(value[:, d], P[:, d], E[:, d], points, answers, plan[0])
    columns = [
        np.column_stack([x[:, at], own]) for x, own in ((value, joint.score), (P, joint.perceived), (E, joint.expected))
    ]
    found = means(np.concatenate(columns, axis=1), *plan)
    m = len(at) + 1
    names = [*(scores.names[j] for j in at), "weighted"]
    kinds = ["dimension"] * len(d) + ["overall", "weighted"]
    numbers = _numbers(found, m, len(d), form, level)
    numbers["sd"][-1] = joint.sd
    frame = pl.DataFrame(
        {"kind": kinds, "name": names, "n": np.array([*found.n[: m - 1], joint.n]).astype(np.int64)}
        | {"weight": finite(np.array([*joint.weight, np.nan, np.nan]))}
        | {c: finite(x) for c, x in numbers.items()}
    )
    return (frame if points.source else frame[:-1]), joint.normalised


def _numbers(found: Means, m: int, dimensions: int, form: str, level: float) -> dict[str, Array]:
    """Columns of the table."""
    low, high = (x[:m] for x in found.interval(level))
    p, adjusted = found.p_value[:m] if form else np.full(m, np.nan), np.full(m, np.nan)
    adjusted[:dimensions] = adjust(p[:dimensions], "holm")
    adjusted[dimensions:] = p[dimensions:]
    return {
        "expected": found.mean[2 * m :],
        "perceived": found.mean[m : 2 * m],
        "score": found.mean[:m],
        "sd": found.sd[:m].copy(),
        "std_error": found.std_error[:m],
        "statistic": found.statistic[:m] if form else np.full(m, np.nan),
        "df": found.df[:m].astype(np.float64),
        "p_value": p,
        "p_adjusted": adjusted,
        "conf_low": low,
        "conf_high": high,
    }
