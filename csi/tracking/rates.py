"""Indices made of shares of answers: KCSI, and the rates printed beside an index.

Shares are means of indicator columns, so their errors are the design's (linearised), and the result is an `Index`:
changes, leagues and trees take it like any other.

Letters: `n` rows, `m` columns, `c` cells, `q` measures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from csi.errors import Note, Problems, note, problem
from csi.estimate.given import check_panel
from csi.inference.linearised import critical
from csi.measures.tidy import number_column
from csi.moments.sample import sample_of
from csi.moments.stack import Array, Ints, Sample
from csi.survey.codebook import Scale
from csi.survey.panel import Panel
from csi.tracking.formulas import KCSI
from csi.tracking.index import Index
from csi.tracking.index_answers import Answers, answers_behind
from csi.tracking.index_deff import Effective, effective_note, known_design, ratio, simple_variances
from csi.tracking.index_influence import fixed_influence
from csi.tracking.index_table import effective_columns, formula_note
from csi.tracking.rate_checks import box_problems, boxes_problems, scale_problems, twice, unknown_items

PROMOTER, PASSIVE = 9, 7


@dataclass(frozen=True, slots=True)
class Part:
    """A measure: its name and formula, and the items whose recoded means it adds up, with their weights."""

    name: str
    formula: str
    items: Mapping[str, float]
    recode: Callable[[Array, Scale], Array]
    low: float = 0.0
    high: float = 100.0


def top_box(answers: Array, scale: Scale, boxes: int = 2) -> Array:
    """100 where an answer is one of the `boxes` highest, 0 where not; absent stays absent.

    Example:
        >>> top_box(np.array([5.0, 6.0, 7.0, np.nan]), Scale("seven", 1, 7)).tolist()
        [0.0, 100.0, 100.0, nan]
    """
    return np.where(np.isnan(answers), np.nan, 100.0 * (answers > scale.maximum - boxes))


def satisfied(answers: Array, scale: Scale) -> Array:
    """100 where an answer reaches three quarters of the scale: 4 and 5 of 5, 6 and 7 of 7, 8 to 10 of 10.

    Example:
        >>> satisfied(np.array([3.0, 4.0, 5.0]), Scale("five", 1, 5)).tolist()
        [0.0, 100.0, 100.0]
    """
    cut = scale.minimum + 0.75 * (scale.maximum - scale.minimum)
    return np.where(np.isnan(answers), np.nan, 100.0 * (answers >= cut))


def complained(answers: Array, scale: Scale) -> Array:
    """100 where a yes-no item is answered by its higher code.

    Example:
        >>> complained(np.array([0.0, 1.0]), Scale("yes", 0, 1)).tolist()
        [0.0, 100.0]
    """
    return np.where(np.isnan(answers), np.nan, 100.0 * (answers == scale.maximum))


def promoters(answers: Array, scale: Scale) -> Array:  # noqa: ARG001 - recodes share one form
    """100 for 9 and 10, 0 for 7 and 8, -100 for less.

    Example:
        >>> promoters(np.array([9.0, 8.0, 6.0]), Scale("nps", 0, 10)).tolist()
        [100.0, 0.0, -100.0]
    """
    signs = np.where(answers >= PROMOTER, 100.0, np.where(answers >= PASSIVE, 0.0, -100.0))
    return np.where(np.isnan(answers), np.nan, signs)


def as_asked(answers: Array, scale: Scale) -> Array:  # noqa: ARG001 - recodes share one form
    """The answers as they are (a price tolerance in percent)."""
    return answers


def kcsi(
    panel: Panel,
    elements: Sequence[str],
    overall: str,
    repurchase: str,
    by: Sequence[str] = ("brand", "wave"),
    *,
    boxes: int = 2,
    shares: tuple[float, float, float] = KCSI,
    where: Mapping[str, str] | None = None,
    level: float = 0.95,
) -> Index:
    """F4: 50 % satisfaction with the elements, 30 % overall, 20 % repurchase; shares of the two highest answers.

    Parameters:
        panel: answers with a codebook. elements: items of product, service, image; their shares are averaged.
        overall, repurchase: items. by: key columns that make cells (those the panel has).
        boxes: how many of the highest answers count. shares: of the three parts. where: keep only these key values.
        level: of intervals.

    Returns:
        Index of "kcsi" and of its parts "elements", "overall", "repurchase", all of the respondents who answered every
        one of the items, with design-based errors; nothing is estimated beyond shares, so no uncertainty of weights is
        left out.

    Raises:
        Problems: E-ITEM, E-TWICE, E-SCALE (no more answers than boxes), E-SETTING (shares that do not sum to 1, boxes),
            E-BY.

    Source:
        Korea Management Association Consulting, KCSI: structure of the index (seven-point scales, top two answers).

    Example:
        >>> from csi.errors import Text
        >>> from csi.survey.codebook import Codebook, Item
        >>> items = tuple(Item(n, "s", Scale("seven", 1, 7), Text(n, n)) for n in ("e1", "e2", "all", "again"))
        >>> answers = {"e1": [7, 6, 3, 2], "e2": [6, 2, 2, 2], "all": [6, 7, 6, 1], "again": [7] * 4}
        >>> frame = pl.DataFrame(answers).cast(pl.Float64)
        >>> made = kcsi(Panel(frame, Codebook(items, {}, {}), frame.cast(pl.String)), ["e1", "e2"], "all", "again")
        >>> made.table["index"].to_list()  # .5 (50 + 25) / 2 + .3 75 + .2 100
        [61.25, 37.5, 75.0, 100.0]
    """
    check_panel(panel)
    names = [elements] if isinstance(elements, str) else list(elements)
    asked = [*names, overall, repurchase]
    found = [*unknown_items(panel.codebook, asked, "kcsi"), *boxes_problems(boxes), *twice(names, "elements")]
    found += box_problems(panel.codebook, asked, boxes)
    if not names:
        en, zh = "no element is named.", "未指定任何要素题项。"
        found.append(problem("E-ITEM", "elements", en, zh, "Name at least one item.", "请至少写出一个题项。"))
    if len(shares) != len(KCSI) or not np.isclose(sum(shares), 1.0) or min(shares) < 0:
        en, zh = f"the shares {shares} are not three parts of 1.", f"shares={shares} 不是合计为 1 的三部分。"
        found.append(problem("E-SETTING", "shares", en, zh, "Write (0.5, 0.3, 0.2).", "请写 (0.5, 0.3, 0.2)。"))
    if found:
        raise Problems(found)
    top, box = (lambda x, scale: top_box(x, scale, boxes)), f"T{boxes}B"
    each = {e: 1.0 / len(names) for e in names}
    whole: dict[str, float] = {}
    for item, share in [*((e, shares[0] / len(names)) for e in names), (overall, shares[1]), (repurchase, shares[2])]:
        whole[item] = whole.get(item, 0.0) + share
    parts = [
        Part("kcsi", "F4", whole, top),
        Part("elements", box, each, top),
        Part("overall", box, {overall: 1.0}, top),
        Part("repurchase", box, {repurchase: 1.0}, top),
    ]
    return measured(panel, parts, by, where, level, f"KCSI (top-{boxes}-box)", together=True)


def rates(
    panel: Panel,
    *,
    top_boxes: Sequence[str] = (),
    csat: Sequence[str] = (),
    complaint: str | None = None,
    nps: str | None = None,
    tolerance: str | None = None,
    boxes: int = 2,
    by: Sequence[str] = ("brand", "wave"),
    where: Mapping[str, str] | None = None,
    level: float = 0.95,
) -> Index:
    """What is printed beside an index: top-box shares, share of the satisfied, complaint rate, NPS, price tolerance.

    Parameters:
        panel: answers with a codebook. top_boxes: items whose share of the `boxes` highest answers is wanted.
        csat: items whose share of answers from three quarters of the scale is wanted (4 and 5 of 5).
        complaint: a yes-no item. nps: an item asked from 0 to 10 (`csi.nps` has its own interval and distribution).
        tolerance: an item in percent of the price, as `csi.price_tolerance` makes it.
        by: key columns that make cells (those the panel has). where: keep only these key values. level: of intervals.

    Returns:
        Index with one measure per rate, in percent (NPS from -100 to 100), each over those who answered its item, with
        design-based errors; its table's `n` counts them.

    Raises:
        Problems: E-ITEM, E-TWICE, E-SCALE (NPS not from 0 to 10, a complaint with more than two answers, no more
            answers than boxes), E-SETTING, E-BY.

    Source:
        Linearised errors of shares: Lohr (2010), Sampling: Design and Analysis, 9.1.

    Example:
        >>> from csi.errors import Text
        >>> from csi.survey.codebook import Codebook, Item
        >>> book = Codebook((Item("sat", "s", Scale("ten", 1, 10), Text("sat", "满意")),), {}, {})
        >>> frame = pl.DataFrame({"sat": [10.0, 9, 8, 5]})
        >>> panel = Panel(frame, book, frame.cast(pl.String))
        >>> rates(panel, top_boxes=["sat"], csat=["sat"]).table.select("construct", "formula", "index").rows()
        [('top_box_sat', 'T2B', 50.0), ('csat_sat', 'CSAT', 75.0)]
    """
    check_panel(panel)
    top, sat = ([top_boxes] if isinstance(top_boxes, str) else top_boxes), ([csat] if isinstance(csat, str) else csat)
    single = [i for i in (complaint, nps, tolerance) if i is not None]
    found = [
        *unknown_items(panel.codebook, [*top, *sat, *single], "rates"),
        *boxes_problems(boxes),
        *twice(top, "top_boxes"),
        *twice(sat, "csat"),
        *box_problems(panel.codebook, top, boxes),
        *scale_problems(panel.codebook, complaint, nps),
    ]
    if not (top or sat or single):
        en, zh = "no rate is asked for.", "未指定任何指标。"
        found.append(problem("E-ITEM", "rates", en, zh, 'Write complaint="...", say.', "例如写 complaint=“...”。"))
    if found:
        raise Problems(found)
    parts = [Part(f"top_box_{i}", f"T{boxes}B", {i: 1.0}, lambda x, s: top_box(x, s, boxes)) for i in top]
    parts += [Part(f"csat_{i}", "CSAT", {i: 1.0}, satisfied) for i in sat]
    parts += [Part("complaint_rate", "CR", {complaint: 1.0}, complained)] if complaint else []
    parts += [Part("nps", "NPS", {nps: 1.0}, promoters, -100.0)] if nps else []
    if tolerance:
        scale = panel.codebook[tolerance].scale
        parts.append(Part("price_tolerance", "PT", {tolerance: 1.0}, as_asked, scale.minimum, scale.maximum))
    return measured(panel, parts, by, where, level, "shares of answers")


def measured(
    panel: Panel,
    parts: Sequence[Part],
    by: Sequence[str],
    where: Mapping[str, str] | None,
    level: float,
    scheme: str,
    *,
    together: bool = False,
) -> Index:
    """Measures of every cell with their design-based covariances, as an `Index`.

    Parameters:
        together: the parts make one measure, of those who answered all items; else each item is of its answers.
    """
    items = list(dict.fromkeys(i for part in parts for i in part.items))
    keys = [k for k in by if k in panel.frame.columns]
    sample = sample_of(panel, items, keys, missing="pairwise", where=where)
    columns = [(j, item, share) for j, part in enumerate(parts) for item, share in part.items.items()]
    recoded = [_recoded(panel, parts[j], i, sample.rows[:, items.index(i)], sample.place) for j, i, _ in columns]
    rows, partly = replace(sample, rows=np.column_stack(recoded)), 0
    if together:
        rows, partly = _complete(rows)
    block = np.array([j for j, _, _ in columns], dtype=np.int64)
    share = np.array([s for _, _, s in columns])
    cells, q = sample.cells.height, len(parts)
    each = _means(rows)
    values = np.column_stack([(each * share)[:, block == j].sum(axis=1) for j in range(q)])
    gradient = np.broadcast_to(share, (cells, share.size)) + np.where(np.isfinite(each), 0.0, np.nan)
    blocks = [np.flatnonzero(block == j) for j in range(q)]
    influence = fixed_influence(rows, np.arange(block.size), gradient, blocks)
    answers = answers_behind(rows, blocks)
    df, std_error = answers.degrees(rows), influence.errors(influence.fixed)
    of, deff = _design_effects(rows, gradient, blocks, std_error**2, answers)
    reach = critical(level, df.reshape(-1)).reshape(df.shape) * std_error
    low, high = np.array([p.low for p in parts]), np.array([p.high for p in parts])
    table = pl.DataFrame(
        {
            **{k: sample.cells[k].gather(np.repeat(np.arange(cells), q)) for k in keys},
            "construct": [p.name for p in parts] * cells,
            "formula": [p.formula for p in parts] * cells,
            "index": number_column(values),
            "std_error": number_column(std_error),
            "conf_low": number_column(np.clip(values - reach, low, high)),
            "conf_high": number_column(np.clip(values + reach, low, high)),
            "n": answers.n.reshape(-1),
            **effective_columns(answers.n.reshape(-1).astype(np.float64), deff),
            "std_error_fixed": number_column(std_error),
            **_why(values, parts),
        }
    )
    return Index(
        table=table,
        weights=pl.DataFrame(
            {"construct": [parts[j].name for j, _, _ in columns], "item": [i for _, i, _ in columns], "weight": share}
        ),
        constructs=tuple(p.name for p in parts),
        cells=sample.cells,
        values=values,
        replicates=None,
        rule="given",
        base=None,
        level=level,
        scheme=scheme,
        seed=None,
        degrees_of_freedom=df,
        notes=(
            formula_note([p.formula for p in parts]),
            *_said(sample, len(sample.rows), partly, together=together),
            *_former_note(panel, parts),
            *effective_note(of, deff),
        ),
        influence=influence,
        sample=rows,
        formulas=tuple(p.formula for p in parts),
        effective=of,
        answers=answers,
    )


def _recoded(panel: Panel, part: Part, item: str, answers: Array, place: Ints | None) -> Array:
    """(n,) an item's answers as its measure counts them, in every wave on the scale that it was asked on there.

    Answers that were turned into the codebook's scale are turned back. A recommendation is no recommendation on another
    scale: absent there.
    """
    scale = panel.codebook[item].scale
    found = part.recode(answers, scale)
    if part.recode is as_asked or place is None:
        return found
    for wave, ends in ((w, scales[item]) for w, scales in panel.former.items() if item in scales):
        at = (panel.frame["wave"] == wave).to_numpy()[place]
        share = (answers[at] - scale.minimum) / (scale.maximum - scale.minimum)
        old = np.round(ends[0] + share * (ends[1] - ends[0]), 9)
        found[at] = np.nan if part.recode is promoters else part.recode(old, Scale(scale.name, *ends))
    return found


def _former_note(panel: Panel, parts: Sequence[Part]) -> tuple[Note, ...]:
    """Which waves have boxes of another scale, and measures that another scale does not have."""
    counted = [(p, i) for p in parts for i in p.items if p.recode is not as_asked]
    asked = {w: [i for _, i in counted if i in scales] for w, scales in panel.former.items()}
    waves = [w for w, items in asked.items() if items]
    if not waves:
        return ()
    items = list(dict.fromkeys(i for w in waves for i in asked[w]))
    en = f"In {', '.join(waves)} the shares of {', '.join(items)} are of the scale asked there, not of today's."
    zh = f"{'、'.join(waves)} 中 {'、'.join(items)} 的占比按当期所用量程计算，而非现行量程。"
    if gone := [p.name for p, i in counted if i in items and p.recode is promoters]:
        en += f" {', '.join(gone)} needs answers from 0 to 10 and has none there."
        zh += f"{'、'.join(gone)} 需要 0–10 的回答，故当期无值。"
    return (note("N-RATES-FORMER", en, zh),)


def _complete(sample: Sample) -> tuple[Sample, int]:
    """The rows with no answers where one is absent, and how many had some."""
    known = np.isfinite(sample.rows)
    whole = np.asarray(known.all(axis=1))
    partly = int((known.any(axis=1) & ~whole).sum())
    return replace(sample, rows=np.where(whole[:, None], sample.rows, np.nan)), partly


def _means(sample: Sample) -> Array:
    """(c, m) weighted means of the columns."""
    weight, cells = sample.weight[:, None] * np.isfinite(sample.rows), sample.cells.height
    top, total = (
        np.stack([np.bincount(sample.cell, column, cells) for column in values.T], axis=1)
        for values in (weight * np.nan_to_num(sample.rows), weight)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(top / total)


def _design_effects(
    rows: Sample, gradient: Array, blocks: Sequence[Ints], variance: Array, answers: Answers
) -> tuple[Effective, Array]:
    """(c, q) design effects among those who answered every item of a measure, and what they are of."""
    if known_design(rows):
        places = np.arange(gradient.shape[1])
        counted = np.column_stack([np.isfinite(rows.rows[:, mine]).all(axis=1) for mine in blocks])
        return "design", ratio(variance, simple_variances(rows, places, gradient, blocks, counted))
    return "kish", answers.kish(rows)


def _why(values: Array, parts: Sequence[Part]) -> dict[str, pl.Series]:
    """Columns of reasons: nobody answered."""
    absent = ~np.isfinite(values)
    en = [
        f"{p.name}: nobody answered here on its scale." if gone else None
        for row in absent
        for p, gone in zip(parts, row, strict=True)
    ]
    zh = [
        f"{p.name}：此单元无人按其量程作答。" if gone else None
        for row in absent
        for p, gone in zip(parts, row, strict=True)
    ]
    return {"reason": pl.Series(en, dtype=pl.String), "reason_zh": pl.Series(zh, dtype=pl.String)}


def _said(sample: Sample, rows: int, partly: int, *, together: bool) -> tuple[Note, ...]:
    """How the errors were made, and of whose answers."""
    whose = ("each item over those who answered it", "各题以其作答者计算")
    if together:
        whose = ("over those who answered all its items", "以全部题项均作答者计算")
    said = [
        note(
            "N-RATES",
            f"Standard errors are the design's (linearised); {whose[0]}.",
            f"标准误为设计型（线性化）；{whose[1]}。",
        ),
        note("N-SAMPLING-ONLY", "Intervals cover sampling error only.", "区间仅反映抽样误差。"),
    ]
    if not together:
        return (*said, *sample.notes)
    if partly:
        en = f"KCSI: {partly} of {rows} rows answered only some of its items and are left out."
        said.append(note("N-LISTWISE", en, f"KCSI：{rows} 行中有 {partly} 行仅答了部分题项，已按行删除。"))
    return (*said, *(n for n in sample.notes if n.code != "N-MISSING"))
