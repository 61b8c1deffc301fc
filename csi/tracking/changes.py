"""Change against the previous and the year-ago wave: difference, joint standard error, test, what could be found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problems, Text, did_you_mean, note, problem
from csi.estimate.given import check_kind
from csi.moments.stack import Array
from csi.tracking.breaks import Break, between, break_notes, check_breaks, forms_of, methods, stage, wall
from csi.tracking.cell_pairs import new_cells, places_of
from csi.tracking.contrasts import (
    basis_note,
    construct_place,
    contrasts,
    detectable_differences,
    half_widths,
    holm,
    pair_shares,
    t_tests,
)
from csi.tracking.gate_applied import (
    EVIDENCE,
    UNTESTED,
    check_gate,
    evidence_frame,
    evidence_of,
    freed,
    freed_note,
    gate_notes,
    weighed,
    withheld_note,
    withheld_text,
)
from csi.tracking.gate_shown import Comparable, Evidence
from csi.tracking.index import Index
from csi.tracking.show import shown
from csi.tracking.waves import Against, check_waves, reference_wave, wave_order

Family = Literal["release", "table"]


@dataclass(frozen=True, slots=True, repr=False)
class Changes(Shown):
    """Changes of indices between waves.

    Attributes:
        table: tidy; key columns (brand, ...), wave, construct, against ("previous" or "year"), reference (its wave),
            change, std_error, statistic, df, p_value, p_holm, significant, half_width, conf_low, conf_high,
            smallest_significant, minimal_detectable, link (those a change goes through, null where no break lies
            between), evidence ("comparable", "after freeing", "not comparable", "not tested"), items and bias (what
            differs, its effect on the change in points), bias_error, adjusted (the change less the bias), reason and
            reason_zh (null unless change is null). A change that is comparable after freeing only has no test.
            `half_width` is half the interval at the level of the test's own Holm step: |change| > half_width exactly
            where significant; conf_low and conf_high are of the single change, not adjusted for the others.
        waves: the order of waves. family: "release" (Holm within the tests of one wave) or "table" (all tests).
        level: of tests and intervals.

    Example:
        >>> import csi
        >>> frame = pl.DataFrame({"a": [1, 4, 7, 9, 3, 6, 8, 9], "wave": ["1"] * 4 + ["2"] * 4}).with_columns(b="a")
        >>> model = csi.Model.parse("use =~ a" + chr(10) + "joy =~ b" + chr(10) + "joy ~ use")
        >>> made = csi.index(csi.fit(model, frame, csi.PLS(), by=["wave"], scale=(1, 10)))
        >>> csi.changes(made, "joy").waves
        ('1', '2')
    """

    table: pl.DataFrame
    waves: tuple[str, ...]
    family: Family
    level: float
    notes: tuple[Note, ...] = ()


def changes(
    index: Index,
    construct: str | Sequence[str] = "satisfaction",
    against: Sequence[Against] = ("previous", "year"),
    waves: Sequence[str] | None = None,
    per_year: int = 4,
    wave: str | None = None,
    small: int = 0,
    family: Family = "release",
    breaks: Sequence[Break] = (),
    gate: Comparable | None = None,
    *,
    anyway: bool = False,
) -> Changes:
    """`Delta = I_t - I_s` of every cell against its previous and year-ago wave, from unrounded values.

    The standard error comes from the joint replicates, so that weights shared by both waves and respondents who
    answered in both enter with their covariance. The test is t with the design degrees of freedom of both cells.

    Parameters:
        index: an index by wave. construct: one or several. against: "previous", "year" or both.
        waves: their order, gaps included (as the index's cells stand by default). per_year: waves in a year.
        wave: only changes up to this wave's release (all waves by default).
        small: cells with fewer rows are not compared.
        family: Holm within the tests of one wave ("release": all brands, references and constructs) or all ("table").
        breaks: where the measurement changed; nothing is compared across one without a link, and with one the earlier
            wave counts in points of the later form and the link's error enters. Waves of one form are compared in its
            own points.
        gate: what `csi.comparable` found of the same cells; a change that is not comparable is then withheld with its
            reason, unless `anyway`. Without one every change is marked "not tested".

    Returns:
        Changes; one row per cell, construct and reference wave that the series reaches back to.

    Raises:
        Problems: E-WAVE, E-CONSTRUCT, E-AGAINST.

    Source:
        Holm (1979) for the family; Wolter (2007), chapter 2, for replicate variances of differences.

    Example:
        >>> import csi
        >>> answers = {"a": [1, 4, 7, 9, 3, 6, 8, 9], "b": [2, 4, 8, 9, 3, 5, 9, 9], "wave": ["1"] * 4 + ["2"] * 4}
        >>> frame = pl.DataFrame(answers).with_columns(c="a", d="b")
        >>> model = csi.Model.parse("use =~ a + b" + chr(10) + "joy =~ c + d" + chr(10) + "joy ~ use")
        >>> est = csi.fit(model, frame, csi.PLS(), by=["wave"], scale=(1, 10))
        >>> table = changes(csi.index(est), "joy").table
        >>> table["reference"][0], round(table["change"][0], 1)
        ('1', 11.0)
    """
    do = Text("Give what csi.index(est) returns.", "请给出 csi.index(est) 的结果。")
    check_kind("index", index, Index, Text("an index", "指数"), do)
    names = [construct] if isinstance(construct, str) else list(construct)
    places = [construct_place(index, name) for name in names]
    order = _check(index, against, waves, wave)
    check_breaks(breaks, order)
    check_gate(gate, index)
    pairs = list(_pairs(index, against, order, per_year, wave))
    series = _Series(tuple(breaks), order, small, gate, anyway=anyway)
    table = _frame(index, _rows(index, places, pairs, series), family)
    told = break_notes(breaks, [index.constructs[j] for j in places])
    known = (*gate_notes(gate), *(() if anyway else (*freed_note(table), *withheld_note(table))))
    notes = (*_family_note(table, family), basis_note(index), *told, *new_cells(index, order), *_alone(index), *known)
    return Changes(table, order, family, index.level, notes)


def _known(gate: Comparable | None, index: Index, construct: str, pair: _Pair, series: _Series) -> Evidence:
    """The evidence of a comparison; there is none without an earlier cell, nor across a break, where a link stands in
    its place.
    """
    wave = str(index.cells["wave"][pair.cell])
    apart = pair.earlier is None or between(series.breaks, series.order, pair.reference, wave, construct)
    return evidence_of(None if apart else gate, index, construct, pair.cell, pair.earlier or 0)


def _alone(index: Index) -> tuple[Note, ...]:
    """That there is nothing to compare with."""
    if index.cells["wave"].n_unique() > 1:
        return ()
    en, zh = "There is a single wave, so nothing has changed yet.", "只有一期数据，尚无变化可言。"
    return (note("N-ONE-WAVE", en, zh),)


@dataclass(frozen=True, slots=True)
class _Series:
    """The breaks of a series, its order of waves, the smallest cell that is compared, and what stands beside."""

    breaks: tuple[Break, ...]
    order: tuple[str, ...]
    small: int
    gate: Comparable | None = None
    anyway: bool = False


@dataclass(frozen=True, slots=True)
class _Pair:
    """A cell and the earlier cell it is compared with (None when that brand has no answers there)."""

    cell: int
    earlier: int | None
    against: str
    reference: str


def _check(index: Index, against: Sequence[Against], waves: Sequence[str] | None, wave: str | None) -> tuple[str, ...]:
    """The order of waves, after every argument was checked."""
    if "wave" not in index.cells.columns:
        en, zh = "the index has no cells by wave.", "该指数没有按期分组的单元。"
        do, do_zh = 'Fit with by=("brand", "wave").', "请用 by=(“brand”, “wave”) 拟合。"
        raise Problems([problem("E-WAVE", "changes", en, zh, do, do_zh)])
    unknown = [a for a in against if a not in get_args(Against)]
    if unknown:
        hint = did_you_mean(unknown[0], get_args(Against))
        en, zh = f'against="{unknown[0]}" is not a comparison.', f"against=“{unknown[0]}”不是可用的比较方式。"
        raise Problems([problem("E-AGAINST", "changes", en, zh, hint.en, hint.zh)])
    order = tuple(waves) if waves else wave_order(index.cells)
    check_waves(order, index.cells["wave"].to_list(), [] if wave is None else [wave])
    return order


def _pairs(
    index: Index, against: Sequence[Against], waves: Sequence[str], per_year: int, only: str | None
) -> Iterator[_Pair]:
    """Every cell with each earlier wave of the same brand it is compared with."""
    place = places_of(index)
    for (*entity, wave), cell in place.items():
        for kind in against:
            reference = reference_wave(str(wave), kind, waves, per_year)
            if reference is not None and only in {None, wave}:
                yield _Pair(cell, place.get((*entity, reference)), kind, reference)


def _rows(index: Index, places: Sequence[int], pairs: Sequence[_Pair], series: _Series) -> pl.DataFrame:
    """One row per pair and construct: numbers, or the reason why there are none.

    Parameters:
        places: columns of the constructs.
    """
    keys = [k for k in index.cells.columns if k != "n"]
    now = np.repeat([p.cell for p in pairs], len(places)).astype(np.int64)
    known = [_known(series.gate, index, index.constructs[j], pair, series) for pair in pairs for j in places]
    at_hand = [_difference(index, j, pair) for pair in pairs for j in places]
    known = weighed(known, np.array(at_hand, dtype=np.float64))
    why = [_reason(index, j, pair, series) for pair in pairs for j in places]
    why = [w or withheld_text(e, anyway=series.anyway) for w, e in zip(why, known, strict=True)]
    head = index.cells.select(keys)[now.tolist()]
    texts = {
        "construct": [index.constructs[j] for j in places] * len(pairs),
        "against": [p.against for p in pairs for _ in places],
        "reference": [p.reference for p in pairs for _ in places],
        "link": [_link(index, j, pair, series) for pair in pairs for j in places],
        "reason": [None if r is None else r[0] for r in why],
        "reason_zh": [None if r is None else r[1] for r in why],
    }
    numbers = {name: np.full(now.size, np.nan) for name in MEASURED}
    steps = [stage(series.breaks, series.order, p.reference, str(index.cells["wave"][p.cell])) for p in pairs]
    for at, j in enumerate(places):
        for step, form in forms_of(index, j, series.breaks, series.order, steps).items():
            every = range(at, now.size, len(places))
            mine = [row for row in every if why[row] is None and steps[row // len(places)] == step]
            for name, found in _tested(form, j, [pairs[row // len(places)] for row in mine]).items():
                numbers[name][mine] = found
    for name in UNTESTED:
        numbers[name][freed(known, anyway=series.anyway)] = np.nan
    made = pl.DataFrame({**texts, **numbers}, schema_overrides=dict.fromkeys(texts, pl.String()))
    beside = evidence_frame(known).with_columns(adjusted=made["change"].fill_nan(None) - pl.col("bias"))
    return pl.concat([head, made, beside], how="horizontal")


def _difference(index: Index, construct: int, pair: _Pair) -> float:
    """The change as it stands; NaN without an earlier cell."""
    if pair.earlier is None:
        return float("nan")
    now, then = index.values[[pair.cell, pair.earlier], construct]
    return float(now - then)


def _tested(index: Index, construct: int, pairs: Sequence[_Pair]) -> dict[str, Array]:
    """The numbers of the pairs that can be compared."""
    earlier = [p.cell if p.earlier is None else p.earlier for p in pairs]
    found = contrasts(index, construct, pair_shares(index, [p.cell for p in pairs], earlier))
    test = t_tests(found.estimate, found.std_error, found.df, index.level)
    smallest, detectable = detectable_differences(found.std_error, found.df, index.level)
    return {
        "change": found.estimate,
        "std_error": found.std_error,
        "statistic": test.statistic,
        "df": found.df,
        "p_value": test.p_value,
        "conf_low": test.conf_low,
        "conf_high": test.conf_high,
        "smallest_significant": smallest,
        "minimal_detectable": detectable,
    }


def _link(index: Index, construct: int, pair: _Pair, series: _Series) -> str | None:
    """The links that a comparison goes through."""
    wave = str(index.cells["wave"][pair.cell])
    return methods(series.breaks, series.order, pair.reference, wave, index.constructs[construct])


def _reason(index: Index, construct: int, pair: _Pair, series: _Series) -> tuple[str, str] | None:
    """Why a comparison cannot be made."""
    if pair.earlier is None:
        return f"no answers in {pair.reference}.", f"{pair.reference} 期没有数据。"
    n, small = index.n_of(construct), series.small
    if min(n[pair.cell], n[pair.earlier]) < small:
        return f"fewer than {small} answers in a wave.", f"某一期样本量不足 {small}。"
    wave = str(index.cells["wave"][pair.cell])
    apart = wall(series.breaks, series.order, pair.reference, wave, index.constructs[construct])
    if apart is not None:
        return apart.text.en, apart.text.zh
    if not np.isfinite(index.values[[pair.cell, pair.earlier], construct]).all():
        return "no index in one of the waves.", "其中一期没有指数。"
    return None


MEASURED = (
    "change", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high", "smallest_significant",
    "minimal_detectable",
)  # fmt: skip
"""The numbers of one comparison by itself."""

NUMBERS = (
    "change", "std_error", "statistic", "df", "p_value", "p_holm", "half_width", "conf_low", "conf_high",
    "smallest_significant", "minimal_detectable",
)  # fmt: skip
"""The numeric columns of a table of changes."""


def _frame(index: Index, table: pl.DataFrame, family: Family) -> pl.DataFrame:
    """The rows as a table, with Holm's p-values within their family."""
    keys = [k for k in index.cells.columns if k != "n"]
    group = table["wave"].to_numpy() if family == "release" else np.zeros(table.height)
    adjusted, half = np.full((2, table.height), np.nan)
    p_values, std_errors, df = (table[c].fill_null(float("nan")).to_numpy() for c in ("p_value", "std_error", "df"))
    for release in np.unique(group):
        members = group == release
        adjusted[members] = holm(p_values[members])
        half[members] = half_widths(p_values[members], std_errors[members], df[members], index.level)
    numeric = [pl.col(name).fill_nan(None) for name in NUMBERS]
    table = table.with_columns(pl.Series("p_holm", adjusted), pl.Series("half_width", half)).with_columns(numeric)
    significant = (pl.col("p_holm") < 1.0 - index.level).alias("significant")
    tests = ["p_value", "p_holm"]
    order = [*keys, "construct", "against", "reference", "change", "std_error", "statistic", "df", *tests]
    tail = ["smallest_significant", "minimal_detectable", "link", *EVIDENCE, "adjusted", "reason", "reason_zh"]
    rest = ["significant", "half_width", "conf_low", "conf_high", *tail]
    return table.with_columns(significant).select([*order, *rest])


def _family_note(table: pl.DataFrame, family: Family) -> tuple[Note, ...]:
    """Which tests Holm's correction counts together, where there are any."""
    tested = table.drop_nulls("p_value")
    if not tested.height:
        return ()
    if family == "table":
        en = f"Holm's correction counts all {tested.height} tests of the table."
        return (note("N-FAMILY", en, f"Holm 校正以表中全部 {tested.height} 个检验为一族。"),)
    size = max(tested.group_by("wave").len()["len"].to_list(), default=0)
    en = f"Holm's correction counts the tests of one wave's release together (at most {size})."
    return (note("N-FAMILY", en, f"Holm 校正以同一期发布的检验为一族（最多 {size} 个）。"),)


@text.register
def _(value: Changes, lang: str = "en") -> str:
    """The table and the notes."""
    return shown(Text("Changes", "指数变动").say(lang), value.table, value.notes, lang)
