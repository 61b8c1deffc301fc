"""The balance point: an expectation too low does not attract, one too high does not satisfy.

    A(E) = logit^-1(a0 + a1 E)              prospects: do they choose?
    R(E) = logit^-1(c0 + c1 P_ + c2 E)      buyers: do they buy again (or: how satisfied are they)?
    E* = argmax A(E) R(E)    where a1 (1 - A) = -c2 (1 - R)

Both logs are concave in E, so there is one maximum; it lies inside the scale only where expectation attracts (a1 > 0)
and disappoints (c2 < 0).

Letters: `n` rows, `B` replicates, `g` points of the scale.

Source:
    Boulding, Kalra, Staelin & Zeithaml (1993), Journal of Marketing Research 30, 7-27 (expectations raise perceptions
    and lower satisfaction); the objective is the product of the two chances.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from scipy.special import expit

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Text, capped, did_you_mean, note, problem
from csi.estimate.given import check_panel
from csi.expectation.balance_words import lines_of, sentences_of
from csi.expectation.composites import Composite, composite, doubts, items_named, scores
from csi.expectation.forms import matched
from csi.expectation.gap_words import left_out
from csi.expectation.logit import logits
from csi.inference.draws import percentiles
from csi.inference.resample import Resampling, resampling_of
from csi.inference.settings import check_settings
from csi.moments.sample import sample_of
from csi.moments.stack import Array, Ints, Sample
from csi.survey.bases import FLAGGED, SMALL, Bases, published, untold, without
from csi.survey.codebook import Codebook, Form
from csi.survey.keyed import stacked
from csi.survey.panel import Panel

"""Draws the multiplicities of units, block by block."""

LEAST: Final = 50
"""Rows that each side needs."""

GRID: Final = 61
"""Points of the scale at which the curves are told."""

HALVINGS: Final = 60
"""Of the interval that holds the balance point."""


@dataclass(frozen=True, slots=True, repr=False)
class Balance(Shown):
    """Where attraction and satisfaction balance.

    Attributes:
        table: the cell's key columns, n (rows of the smaller side), prospects, buyers (rows), balance (E*, in points of
            the scale), conf_low, conf_high, boundary ("", "low", "high": the end of the scale that is best where
            nothing inside it is),
            at_boundary (share of replicates), expected (mean of prospects), perceived (mean of buyers), promise_gap
            (E* - perceived) with gap_low, gap_high, attraction, satisfaction, product (at E*), flag, reason,
            reason_zh (of few answers, or why a cell cannot be told).
        slopes: of cells that are told: key columns, side ("attraction", "satisfaction"), name, estimate, std_error,
            conf_low, conf_high.
        curves: key columns, expectation, attraction, satisfaction, product, with _low and _high each.
        scale: bounds of expectation. replicates, seed, level, sentences, notes.
    """

    table: pl.DataFrame
    slopes: pl.DataFrame
    curves: pl.DataFrame
    scale: tuple[float, float]
    replicates: int
    seed: int
    level: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Balance, lang: str = "en") -> str:
    """Sentences, the balance point, slopes, notes."""
    return lines_of(value.table, value.slopes, value.sentences, value.notes, lang)


def balance(
    panel: Panel,
    chose: str | None = None,
    rebought: str | None = None,
    *,
    expected: Form = "Ew",
    perceived: Form = "P",
    attributes: Sequence[str] | None = None,
    by: Sequence[str] = (),
    where: Mapping[str, str] | None = None,
    replicates: int = 1000,
    seed: int = 1,
    level: float = 0.95,
    small: int = SMALL,
    flagged: int = FLAGGED,
) -> Balance:
    """The expectation that makes choosing and coming back together most likely, with a bootstrap interval.

    Parameters:
        panel: answers with a codebook. chose: item (or construct) of prospects, answered 0 or 1; the item "chose"
            when it is left out. rebought: of buyers, the item "rebought" when it is left out; a satisfaction construct
            will do and is put on 0 to 1 by its scale.
        expected, perceived: forms; both are means over the attributes asked in both. attributes: only these.
        by: key columns that make cells. where: keep only rows with these key values.
        replicates, seed: of the bootstrap. level: of the percentile intervals. small, flagged: cells in which fewer
            answered on either side are withheld, or marked.

    Returns:
        A `Balance`. Without prospects only the satisfaction side is told, and there is no balance point. A cell of
        several that cannot be told is null, with the reason.

    Raises:
        Problems: E-ROLE (no outcome of buyers, an item that is not there, a choice with more than two answers or that
            is the outcome of buyers too), E-FORM, E-ROWS (a side with too few rows, or
            without both outcomes), E-SETTING.

    Example:
        >>> round(float(balance_point(np.array([[-4.0, 1.0]]), np.array([[4.0, -1.0]]), (1.0, 7.0))[0][0]), 6)
        4.0
    """
    check_panel(panel)
    check_settings(level, replicates, seed)
    bases = Bases(small, flagged)
    first, second = _outcomes(panel, chose, rebought)
    pairs = matched(panel, (perceived, expected), attributes)
    book = panel.codebook
    E, P = (composite(book, form, pairs.items[form]) for form in (expected, perceived))
    parts = [E, P, second, *([first] if first is not None else [])]
    sample = sample_of(
        panel, list(dict.fromkeys(i for p in parts for i in p.items)), by, missing="pairwise", where=where
    )
    Z = scores(sample, parts)
    if not np.isfinite(Z[:, 3:]).any():
        parts, first = parts[:3], None
    keys = sample.cells.drop("n")
    cells = [_told(sample, Z, parts, c, replicates, seed, level) for c in range(sample.cells.height)]
    problems = [p for cell in cells for p in cell.why]
    if problems and not any(cell.frames for cell in cells):
        raise Problems(capped(problems))
    table = bases.withheld(stacked(keys, [cell.row for cell in cells]), keep=("prospects", "buyers"))
    told = [c for c, cell in enumerate(cells) if cell.frames]
    frames = (stacked(keys[told], [cells[c].frames[i] for c in told]) for i in range(2))
    slopes, curves = (without(frame, table, keys.columns) for frame in frames)
    return Balance(
        table=table,
        slopes=slopes,
        curves=curves,
        scale=(E.low, E.high),
        replicates=replicates,
        seed=seed,
        level=level,
        sentences=(*bases.sentences(table), *sentences_of(table, slopes, keys.columns, level)),
        notes=(
            *bases.notes(table, keys.columns),
            *untold(table, keys.columns),
            *_notes(parts, published(table, keys.columns).filter(pl.col("reason").is_null()), first is None),
            *left_out(pairs),
            *doubts(sample, "N-NOT-ASKED"),
        ),
    )


def balance_point(attraction: Array, satisfaction: Array, scale: tuple[float, float]) -> tuple[Array, Array]:
    """Where log A + log R is largest within the scale, by halving.

    Parameters:
        attraction, satisfaction: (B, 2) intercept and slope of the two logits in E. scale: bounds of E.

    Returns:
        (B,) best expectations; (B,) -1 at the lower end, 1 at the upper, 0 inside. NaN coefficients give NaN.

    Example:
        >>> point, end = balance_point(np.array([[0.0, 0.5]]), np.array([[0.0, 0.2]]), (1.0, 7.0))
        >>> point.tolist(), end.tolist()
        ([7.0], [1.0])
    """
    low, high = (np.full(len(attraction), bound, dtype=np.float64) for bound in scale)
    rising = _rise(attraction, satisfaction, low), _rise(attraction, satisfaction, high)
    end = np.where(rising[0] <= 0, -1.0, np.where(rising[1] >= 0, 1.0, 0.0))
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        up = _rise(attraction, satisfaction, middle) > 0
        low, high = np.where(up, middle, low), np.where(up, high, middle)
    point = np.where(end < 0, scale[0], np.where(end > 0, scale[1], (low + high) / 2))
    blank = np.where(np.isfinite(attraction + satisfaction).all(axis=1), 1.0, np.nan)
    return point * blank, end * blank


def _rise(attraction: Array, satisfaction: Array, E: Array) -> Array:
    """Slope of log A + log R at E: a1 (1 - A) + c2 (1 - R)."""
    parts = [s[:, 1] * expit(-(s[:, 0] + s[:, 1] * E)) for s in (attraction, satisfaction)]
    return np.asarray(parts[0] + parts[1])


def _outcomes(panel: Panel, chose: str | None, rebought: str | None) -> tuple[Composite | None, Composite]:
    """The outcomes of prospects (None without) and of buyers.

    Raises:
        Problems: E-ROLE.
    """
    book = panel.codebook
    found: list[Problem] = []
    parts = []
    for name, asked in (("chose", chose), ("rebought", rebought)):
        items = items_named(book, asked or name)
        parts.append(composite(book, name, items) if items else None)
        if asked and not items:
            hint = did_you_mean(asked, [*book.constructs, *book.names])
            en, zh = f'"{asked}" is no item or construct.', f"“{asked}”不是题项或构念。"
            found.append(problem("E-ROLE", name, en, zh, hint.en, hint.zh))
    found += _not_a_choice(book, parts[0], chose or "chose")
    found += _twice(parts[0], parts[1])
    if parts[1] is None and not found:
        en = "balance needs an outcome of buyers (bought again, or satisfaction); there is no item rebought."
        zh = "平衡点分析需要购买者的结果（是否复购或满意度）；没有题项 rebought。"
        found.append(problem("E-ROLE", "rebought", en, zh, "Name it: rebought=...", "请给出 rebought=。"))
    if found or parts[1] is None:
        raise Problems(found)
    return parts[0], parts[1]


def _not_a_choice(book: Codebook, choice: Composite | None, name: str) -> Iterator[Problem]:
    """An outcome of prospects that has more than two answers."""
    for item in (book[i] for i in (choice.items if choice else ())):
        low, high = item.scale.minimum, item.scale.maximum
        if high - low != 1:
            said = item.name if item.name == name else f"{name} ({item.name})"
            en = f"{said} is answered {low:g} to {high:g}; whether a prospect chose is answered 0 or 1."
            zh = f"{said} 的量程为 {low:g}–{high:g}；潜在客户是否选择应以 0/1 作答。"
            do = "Name an item with a scale {min: 0, max: 1}; a rating of buyers belongs to rebought."
            do_zh = "请指定量表为 {min: 0, max: 1} 的题项；购买者的评分请写在 rebought。"
            yield problem("E-ROLE", "chose", en, zh, do, do_zh)


def _twice(choice: Composite | None, again: Composite | None) -> Iterator[Problem]:
    """One item that stands for the choice of prospects and for what buyers did."""
    both = [i for i in (choice.items if choice else ()) if again and i in again.items]
    if both:
        listed, listed_zh = ", ".join(both), "、".join(both)
        en = f"{listed} is named for both sides: prospects choose, buyers come back."
        zh = f"{listed_zh} 同时用于两侧：潜在客户是选择，购买者是复购。"
        do, do_zh = "Name two different items: chose and rebought.", "请分别指定两个不同的题项：chose 与 rebought。"
        yield problem("E-ROLE", "chose", en, zh, do, do_zh)


@dataclass(frozen=True, slots=True)
class _Cell:
    """The row of a cell; its slopes and curves, or why there are none."""

    row: pl.DataFrame
    frames: tuple[pl.DataFrame, ...] = ()
    why: tuple[Problem, ...] = ()


def _told(
    sample: Sample, Z: Array, parts: Sequence[Composite], cell: int, replicates: int, seed: int, level: float
) -> _Cell:
    """Balance, slopes and curves of one cell."""
    rows = sample.cell == cell
    unit = [(p.low, p.high) for p in parts]
    y = [(Z[:, j] - unit[j][0]) / (unit[j][1] - unit[j][0]) for j in range(2, len(parts))]
    buyers = np.flatnonzero(rows & np.isfinite(Z[:, :3]).all(axis=1))
    prospects = np.flatnonzero(rows & np.isfinite(Z[:, 0]) & np.isfinite(y[1])) if len(y) > 1 else np.empty(0, np.int64)
    place = " ".join(str(v) for v in sample.cells.drop("n").row(cell)) if sample.cells.width > 1 else "data"
    sides = [("buyers", buyers, y[0])] + ([("prospects", prospects, y[1])] if len(y) > 1 else [])
    head = {"n": [min(len(r) for _, r, _ in sides)], "prospects": [prospects.size], "buyers": [buyers.size]}
    if why := _enough(sides, place):
        told: dict[str, list[object]] = {"reason": [why[0].what.en], "reason_zh": [why[0].what.zh]}
        return _Cell(pl.DataFrame(head | {c: [None] for c in NUMBERS} | told, schema_overrides=NUMBERS), why=why)
    one = np.ones(len(Z))
    plan = resampling_of(sample, replicates, seed)
    R = _fits(sample, np.column_stack([one, Z[:, 1], Z[:, 0]]), y[0], buyers, plan)
    A = _fits(sample, np.column_stack([one, Z[:, 0]]), y[1], prospects, plan) if len(y) > 1 else None
    means = _means(sample, Z[:, 1], buyers, plan)
    line = np.column_stack([R[:, 0] + R[:, 1] * means, R[:, 2]])
    scale = unit[0]
    average = None if A is None else float(np.average(Z[prospects, 0], weights=sample.weight[prospects]))
    said: dict[str, list[object]] = {"reason": [None], "reason_zh": [None]}
    row = pl.DataFrame(
        head | _point(A, line, means, scale, average, level) | said, schema_overrides={**NUMBERS, **TOLD}
    )
    return _Cell(row.select(*head, *NUMBERS, *TOLD), (_slopes(A, R, level), _curves(A, line, scale, level)))


NUMBERS: Final = {
    **dict.fromkeys(("balance", "conf_low", "conf_high", "at_boundary", "expected", "perceived"), pl.Float64),
    **dict.fromkeys(("promise_gap", "gap_low", "gap_high", "attraction", "satisfaction", "product"), pl.Float64),
    "boundary": pl.String,
}  # fmt: skip
TOLD: Final[dict[str, type[pl.DataType]]] = {"reason": pl.String, "reason_zh": pl.String}


def _enough(sides: Sequence[tuple[str, Ints, Array]], place: str) -> tuple[Problem, ...]:
    """Sides with too few rows, or with one outcome alone."""
    out: list[Problem] = []
    zh_of = {"buyers": "购买者", "prospects": "潜在客户"}
    for name, rows, y in sides:
        if len(rows) < LEAST or np.ptp(y[rows]) == 0:
            count = len(rows)
            en = f"{count} {name} with every answer; {LEAST} are needed, with both outcomes among them."
            zh = f"{zh_of[name]}中回答完整的有 {count} 人；至少需要 {LEAST} 人，且两种结果都要出现。"
            do = "Pool cells, or name another outcome."
            out.append(problem("E-ROWS", place, en, zh, do, "请合并单元，或换用其他结果变量。"))
    return tuple(out)


def _every(sample: Sample, rows: Ints, plan: Resampling) -> Iterator[Array]:
    """(B, rows) weights: those of the rows, then of the replicates."""
    yield sample.weight[rows][None]
    seen = plan.seen(sample)
    unit, weight = seen.unit[rows], seen.weight[rows]
    for _, multiplicity in plan.blocks():
        yield weight * multiplicity[:, unit]


def _fits(sample: Sample, X: Array, y: Array, rows: Ints, plan: Resampling) -> Array:
    """(1 + B, k) coefficients: those of the rows, then of the replicates."""
    centre = X[rows].mean(axis=0) * np.array([0.0, *np.ones(X.shape[1] - 1)])
    own = X[rows] - centre
    b = np.concatenate([logits(own, y[rows], w) for w in _every(sample, rows, plan)])
    b[:, 0] -= b[:, 1:] @ centre[1:]
    return b


def _means(sample: Sample, x: Array, rows: Ints, plan: Resampling) -> Array:
    """(1 + B,) weighted means."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.concatenate([w @ x[rows] / w.sum(axis=1) for w in _every(sample, rows, plan)])


def _point(
    A: Array | None, line: Array, means: Array, scale: tuple[float, float], average: float | None, level: float
) -> dict[str, list[object]]:
    """The balance point and what stands at it; absent without prospects."""
    found: dict[str, list[object]] = {c: [None] for c in NUMBERS}
    found["perceived"] = [float(means[0])]
    found["expected"] = [average]
    if A is None or not np.isfinite([*A[0], *line[0]]).all():
        return found
    point, end = balance_point(A, line, scale)
    at = [float(expit(s[0, 0] + s[0, 1] * point[0])) for s in (A, line)]
    low, high = percentiles(point[1:, None], level)
    gap = percentiles((point - means)[1:, None], level)
    ends = end[1:][np.isfinite(end[1:])]
    numbers = (
        point[0], low[0], high[0], {-1.0: "low", 0.0: "", 1.0: "high"}[float(end[0])],
        float((ends != 0).mean()) if ends.size else None, average, means[0], point[0] - means[0], gap[0][0], gap[1][0],
        at[0], at[1], at[0] * at[1],
    )  # fmt: skip
    names = ("balance", "conf_low", "conf_high", "boundary", "at_boundary", "expected", "perceived", "promise_gap",
             "gap_low", "gap_high", "attraction", "satisfaction", "product")  # fmt: skip
    return {name: [v if v is None or isinstance(v, str) else float(v)] for name, v in zip(names, numbers, strict=True)}


def _slopes(A: Array | None, R: Array, level: float) -> pl.DataFrame:
    """Slopes of the two logits."""
    rows = []
    sides = [("satisfaction", "perceived", R[:, 1]), ("satisfaction", "expected", R[:, 2])]
    if A is not None:
        sides = [("attraction", "expected", A[:, 1]), *sides]
    for side, name, b in sides:
        usable = b[1:][np.isfinite(b[1:])]
        low, high = percentiles(b[1:, None], level)
        error = float(usable.std(ddof=1)) if usable.size > 1 else np.nan
        values = [float(v) if np.isfinite(v) else None for v in (b[0], error, low[0], high[0])]
        rows.append((side, name, *values))
    numbers = dict.fromkeys(("estimate", "std_error", "conf_low", "conf_high"), pl.Float64)
    return pl.DataFrame(rows, schema={"side": pl.String, "name": pl.String, **numbers}, orient="row")


def _curves(A: Array | None, line: Array, scale: tuple[float, float], level: float) -> pl.DataFrame:
    """Attraction, satisfaction and their product over the scale."""
    E = np.linspace(*scale, GRID)
    satisfaction = expit(line[:, :1] + line[:, 1:] * E)
    drawn = {"satisfaction": satisfaction}
    if A is not None:
        attraction = expit(A[:, :1] + A[:, 1:] * E)
        drawn = {"attraction": attraction, "satisfaction": satisfaction, "product": attraction * satisfaction}
    columns: dict[str, Array | pl.Series] = {"expectation": E}
    for name in ("attraction", "satisfaction", "product"):
        if name in drawn:
            low, high = percentiles(drawn[name][1:], level)
            columns |= {name: drawn[name][0], f"{name}_low": low, f"{name}_high": high}
        else:
            blank = pl.Series([None] * GRID, dtype=pl.Float64)
            columns |= {name: blank, f"{name}_low": blank, f"{name}_high": blank}
    return pl.DataFrame(columns).with_columns(pl.col(pl.Float64).fill_nan(None))


def _notes(parts: Sequence[Composite], table: pl.DataFrame, alone: bool) -> tuple[Note, ...]:
    """What is missing, what an outcome between 0 and 1 is, what the curves may be read as."""
    notes = []
    if alone:
        en = "no prospects: attraction is unknown; only the satisfaction side is shown, without a balance point."
        notes.append(note("W-BALANCE", en, "没有潜在客户数据：吸引力一侧未知，仅给出满意一侧，无法得到平衡点。"))
    elif table["balance"].null_count():
        en = "an outcome is separated by expectation (one logit does not settle): no balance point can be given."
        notes.append(note("W-BALANCE", en, "某一结果被期望完全分开（logit 不收敛），无法给出平衡点。"))
    elif (table["boundary"] != "").any():
        en = "no balance inside the scale: expectation does not both attract and disappoint; the better end is named."
        notes.append(
            note("W-BALANCE", en, "量表内没有平衡点：期望没有同时表现出吸引与失望两种作用，仅给出较优的一端。")
        )
    if any(p.low != 0.0 or p.high != 1.0 for p in parts[2:]):
        en = "an outcome that is not 0 or 1 is put on 0 to 1 by its scale (fractional logit)."
        notes.append(note("N-FRACTIONAL", en, "非 0/1 的结果变量已按量表换算为 0–1（分数 logit）。"))
    en = "the curves are associations across people; raising one person's expectation need not move along them."
    return (*notes, note("N-BALANCE", en, "曲线反映人群间的相关；提高某人的期望不一定沿曲线变化。"))
