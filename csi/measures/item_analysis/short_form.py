"""A shorter form of a scale: searched honestly, and told by answers that the search has not seen.

Letters: `n` rows, `p` items of a construct, `k` of a shorter form, `m` training sets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Reason, Text, note
from csi.inference.draws import percentiles
from csi.inference.resample import drawn_weights
from csi.measures.answered import Answered, answered
from csi.measures.folds import fold_of_rows
from csi.measures.item_analysis.form_frames import TABLE, cells_frame, cells_of, picks_frame, rows_of_table
from csi.measures.item_analysis.form_request import Request, check, cover_of, rules_of
from csi.measures.item_analysis.form_search import Length, drawn, lengths_of
from csi.measures.item_analysis.short_form_words import REASONS, lines_of, sentence
from csi.measures.pairwise import pairwise_moments
from csi.moments.stack import Array, Ints
from csi.survey.panel import Panel

REDUNDANT = 0.85
"""Correlation from which two items say the same, so that a form holds one of them at most."""


@dataclass(frozen=True, slots=True, repr=False)
class ShortForm(Shown):
    """Shorter forms of every construct, one per length, and the one chosen.

    Attributes:
        table: a row per construct and length: construct, k, of (items of the full form), items (those of the form),
            search ("exhaustive", or "beam": the best 30 forms of each length, from the full one downwards), chosen,
            alpha with alpha_low and alpha_high (bootstrap, of these items), alpha_full, alpha_expected (of k items
            like them), r (correlation with the full score, corrected for shared items) with r_low and r_high,
            r_uncorrected, r_share (held_r / alpha_full), differences_kept (share of the differences between cells),
            largest_gap (largest change of a difference between two cells), level_shift (short less full mean of all
            rows), held_alpha, held_r, held_differences (worth to folds of the forms picked without them),
            optimism_alpha, optimism_r (training less held out), picked_alike (share of the training sets that pick
            this very form), reason (code of why numbers are absent).
        picks: construct, k, item, in_form, picked (share of the training sets whose form has it), rule ("keep",
            "drop" or null). cells: of the chosen forms, the cell's keys, n, full and short mean, gap.
        chosen: construct -> items, of constructs with a chosen form. criterion: name -> weight. folds, repetitions,
            replicates, level, seed. reasons: code -> what it means. sentences. notes.
    """

    table: pl.DataFrame
    picks: pl.DataFrame
    cells: pl.DataFrame
    chosen: Mapping[str, tuple[str, ...]]
    criterion: Mapping[str, float]
    folds: int
    repetitions: int
    replicates: int
    level: float
    seed: int
    reasons: Mapping[str, Reason]
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: ShortForm, lang: str = "en") -> str:
    """Forms, sentences, notes."""
    return lines_of(value.table, value.sentences, value.reasons, value.notes, lang)


def short_form(
    data: object,
    scales: object = None,
    *,
    k: int | Mapping[str, int] | None = None,
    keep: Sequence[str] = (),
    drop: Sequence[str] = (),
    cover: Mapping[str, Sequence[str]] | str | None = None,
    at_least: int | Mapping[str, int] = 1,
    criterion: str | Mapping[str, float] = "correlation",
    by: Sequence[str] | None = None,
    reliability: float = 0.7,
    correlation: float = 0.95,
    folds: int = 5,
    repetitions: int = 4,
    replicates: int = 200,
    level: float = 0.95,
    small: int = 30,
    seed: int = 1,
    na: Sequence[float] = (),
    scale: tuple[float, float] | None = None,
    weight: str | None = None,
    unit: str | None = None,
    stratum: str | None = None,
    where: Mapping[str, str] | None = None,
) -> ShortForm:
    """The best form of every length, by a stated search under stated rules, with what it keeps of the full one.

    Of every length all forms are tried where they are 10,000 at most, else the best 30 of each length are followed
    from the full form downwards. The search is repeated without each fold, and what it picks is judged by the fold:
    these are the numbers to expect of new answers. Of two items that correlate by .85 or more a form holds one at most,
    unless `keep` names both. Scores are means of items (0-100 where their bounds are known).

    Parameters:
        data: a Panel or a frame. scales: {construct: items}, a list of items, a model; a panel's constructs by default.
        k: items of the chosen form, one number or one per construct; by default the shortest whose held-out alpha is
            at least `reliability` and whose held-out correlation is at least `correlation` times the alpha of the full
            form, which is what a second full form would correlate.
        keep: items every form must hold. drop: items none may hold (they stay in the full score).
        cover: facet -> items, of which every form holds `at_least` so many; "facet": those of a panel's codebook.
        criterion: "correlation" (with the full score, corrected for shared items), "reliability" (alpha),
            "differences" (those between cells), or weights of these.
        by: columns whose combinations are cells; by default brand and wave of a panel with two or more. Cells of fewer
            than `small` rows are left out.
        folds, repetitions: of cross-validation. replicates: of the bootstrap (0: no intervals). level: of intervals.
        seed: of folds and bootstrap. na, scale, weight, unit, stratum, where: as in `csi.fit`.

    Returns:
        A `ShortForm`.

    Raises:
        Problems: rules that no form can meet, unknown items, settings out of range, all at once.

    Source:
        Levy (1967), Journal of Clinical Psychology 23(1), 84-86 (shared items); Smith, McCarthy & Anderson (2000),
        Psychological Assessment 12(1), 102-111; Stone (1974), JRSS B 36, 111-147 (cross-validation of a choice).

    Example:
        >>> rng = np.random.default_rng(1)
        >>> answers = rng.normal(size=(200, 1)) + rng.normal(size=(200, 5)) * [0.4, 0.5, 0.6, 2.0, 3.0]
        >>> frame = pl.DataFrame(answers, schema=["a", "b", "c", "d", "e"])
        >>> found = short_form(frame, {"trust": list("abcde")}, k=3, criterion="reliability", replicates=0)
        >>> found.chosen
        {'trust': ('a', 'b', 'c')}
    """
    request = Request(
        k, tuple(keep), tuple(drop), cover_of(data, cover), at_least, criterion, reliability, correlation,
        folds, repetitions, replicates, level, small, seed,
    )  # fmt: skip
    keys = _keys(data) if by is None else tuple(by)
    found = answered(
        data, scales, na=na, scale=scale, weight=weight, unit=unit, stratum=stratum, where=where, keys=keys
    )
    check(request, found)
    return _formed(found, request)


def _formed(found: Answered, request: Request) -> ShortForm:
    """Search every construct and put the tables together."""
    cell, labels = cells_of(found, request.small)
    fold = fold_of_rows(found.sample, slice(0, len(found.rows)), request.folds, request.repetitions, request.seed)
    tables, picks, cells = [], [], []
    chosen: dict[str, tuple[str, ...]] = {}
    for construct in found.scales:
        rows = _points(found, construct)
        forms = _searched(rows, found, fold, cell, request, construct)
        if isinstance(forms, str):
            tables.append(pl.DataFrame([{"construct": construct, "of": rows.shape[1], "reason": forms}], schema=TABLE))
            continue
        bounds = _bounds(rows, found, forms, request)
        table = rows_of_table(found, construct, rows, forms, bounds, cell)
        at = _chosen(table, request, construct)
        tables.append(table.with_columns(chosen=pl.col("k") == (at or -1)))
        picks.append(picks_frame(found, construct, forms, request))
        if at is not None:
            chosen[construct] = tuple(np.array(found.scales[construct])[forms[at].form].tolist())
            cells.append(cells_frame(found, construct, rows, forms[at].form, at, cell, labels))
    table = pl.concat(tables)
    codes = set(table["reason"].drop_nulls())
    asked = request.k is not None
    return ShortForm(
        table,
        pl.concat(picks) if picks else picks_frame(found, "", {}, request),
        pl.concat(cells) if cells else pl.DataFrame(),
        chosen,
        request.weights,
        request.folds,
        request.repetitions,
        request.replicates,
        request.level,
        request.seed,
        {code: REASONS[code] for code in REASONS if code in codes},
        tuple(sentence(table.filter(construct=c), found.label(c), request.weights, asked=asked) for c in found.scales),
        (*found.notes, *_notes(found, request, cell, table)),
    )


def _keys(data: object) -> tuple[str, ...]:
    """Brand and wave, where a panel has two or more of them."""
    if not isinstance(data, Panel):
        return ()
    return tuple(c for c in ("brand", "wave") if c in data.frame.columns and data.frame[c].n_unique() > 1)


def _points(found: Answered, construct: str) -> Array:
    """(n, p) answers to a construct, 0-100 where the bounds of all its items are known."""
    at = found.columns(found.scales[construct])
    low, high = found.minimum[at], found.maximum[at]
    rows = found.rows[:, at]
    return 100 * (rows - low) / (high - low) if np.isfinite(high - low).all() else rows


def _searched(
    rows: Array, found: Answered, fold: Ints, cell: Ints, request: Request, construct: str
) -> dict[int, Length] | str:
    """Length -> forms; the code of why there is none."""
    p = rows.shape[1]
    if p < 3:
        return "R-FORM-ITEMS"
    low = np.where(np.isnan(rows), np.inf, rows).min(axis=0)
    still = np.flatnonzero(np.where(np.isnan(rows), -np.inf, rows).max(axis=0) <= low)
    out = frozenset(still.tolist()) | frozenset(_twins(rows, found, request, construct))
    rules = rules_of(request, found.scales[construct], out)
    here = (~np.isnan(rows)).astype(np.float64)
    if (here.T @ here).min() < 2:
        return "R-PAIR"
    weights = request.weights
    if weights.get("differences") and int(cell.max(initial=-1)) < 1:
        return "R-FORM-CELLS"
    return lengths_of(rows, found.weight, fold, cell, rules, weights) or "R-FORM-RULES"


def _twins(rows: Array, found: Answered, request: Request, construct: str) -> list[int]:
    """Places of items that repeat another one, which no form holds beside it; those that must stay are not among them.

    Of every such pair the one that goes less with all the items is out.
    """
    names = found.scales[construct]
    cov = pairwise_moments(rows, found.weight[None])[1][0]
    sd = np.sqrt(np.diag(cov))
    with np.errstate(divide="ignore", invalid="ignore"):
        r = cov / np.outer(sd, sd)
    out: list[int] = []
    one, other = np.triu_indices(len(names), 1)
    for at in np.argsort(-r[one, other], kind="stable"):
        i, j = int(one[at]), int(other[at])
        free = [k for k in (j, i) if names[k] not in request.keep]
        if r[i, j] >= REDUNDANT and free and not {i, j} & set(out):
            out.append(min(free, key=lambda k: float(np.nansum(r[k]))))
    return out


def _bounds(
    rows: Array, found: Answered, forms: Mapping[int, Length], request: Request
) -> tuple[tuple[Array, Array], tuple[Array, Array]] | None:
    """Low and high ends of alpha and of the correlation, length by length."""
    if not request.replicates:
        return None
    weights = drawn_weights(found.sample, request.replicates, request.seed)
    alpha, r = drawn(rows, weights, [one.form for one in forms.values()])
    return percentiles(alpha, request.level), percentiles(r, request.level)


def _chosen(table: pl.DataFrame, request: Request, construct: str) -> int | None:
    """The length asked for, or the shortest that is good enough; None where there is none."""
    if request.k is not None:
        wanted = request.k.get(construct, -1) if isinstance(request.k, Mapping) else request.k
        return wanted if wanted in table["k"] else None
    fine = (pl.col("held_alpha") >= request.reliability) & (pl.col("r_share") >= request.correlation)
    return next(iter(table.filter(fine)["k"].to_list()), None)


def _notes(found: Answered, request: Request, cell: Ints, table: pl.DataFrame) -> tuple[Note, ...]:
    rounds = request.folds * request.repetitions
    en = f"held-out numbers: the search repeated without each of {request.folds} folds, {request.repetitions} times"
    en = f"{en} ({rounds} training sets); intervals are of the items shown, not of the search."
    zh = f"留出数值：在去掉 {request.folds} 折之一的训练集上重复搜索 {request.repetitions} 轮（共 {rounds} 个训练集）；"
    zh = f"{zh}区间针对所列题项，不含搜索本身的不确定性。"
    told = [note("N-FORM-HELD", en, zh)]
    if len(found.rows) / request.folds < 30:
        en = f"folds of {len(found.rows) // request.folds} rows are small: held-out numbers are rough."
        zh = f"每折仅约 {len(found.rows) // request.folds} 行，留出数值较粗略。"
        told.append(note("W-FORM-FOLDS", en, zh))
    left = int((cell < 0).sum())
    if found.keys.width and left:
        en = f"{left} rows of cells with fewer than {request.small} rows are not in the differences."
        zh = f"单元样本量不足 {request.small} 的 {left} 行未计入差异比较。"
        told.append(note("N-FORM-CELLS", en, zh))
    if "beam" in table["search"].drop_nulls():
        en = "beam: not all forms of these lengths were tried; the best 30 of each length were followed downwards."
        zh = "beam：这些长度未穷举，每个长度保留最佳 30 个短版并逐步缩短。"
        told.append(note("N-FORM-BEAM", en, zh))
    return tuple(told)
