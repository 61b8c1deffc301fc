"""How loyalty goes with satisfaction along its range: a line that may bend, as one straight line hides thresholds.

    loyalty = b0 + b1 S + sum_k c_k max(S - knot_k, 0)

Letters: `n` rows, `k` knots.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import polars as pl

from csi.behaviour.asked import Scored, scored
from csi.behaviour.loyalty_types import absent
from csi.display import Shown, fixed, text
from csi.errors import Note, Problems, Reason, Text, note, problem, reason
from csi.inference.adjust import adjust
from csi.inference.linearised import Design, Known, critical, means, p_of_t
from csi.inference.sandwich import Slopes, robust_slopes
from csi.measures.shown import based, told
from csi.measures.tidy import with_reasons
from csi.moments.stack import Array, Ints
from csi.survey.bases import FLAGGED, SMALL, Bases, following, told_cells, without
from csi.survey.keyed import of_cell, rows_of, stacked
from csi.survey.panel import Panel

CLEAR = 0.05
"""A bend with a smaller p-value (Holm over the knots) is called one."""

POINTS = 51
"""Points between the lowest and the highest answer at which the curve is drawn out."""

FEWEST = 10
"""A segment with fewer rows has no slope of its own."""

HEADINGS: Final = {
    "start": Text("from", "起"),
    "end": Text("to", "止"),
    "n": Text("n", "样本量"),
    "slope": Text("slope", "斜率"),
    "std_error": Text("SE", "标准误"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "change": Text("change", "变化"),
    "p_change": Text("p (Holm)", "p（Holm）"),
    "mean": Text("mean", "均值"),
    "fitted": Text("fitted", "拟合值"),
}


@dataclass(frozen=True, slots=True, repr=False)
class LoyaltyCurve(Shown):
    """The satisfaction-loyalty curve of every cell.

    Attributes:
        table: one row per segment: key columns, start, end (satisfaction 0-100), n, slope (points of loyalty per point
            of satisfaction), std_error, conf_low, conf_high, change (of slope against the segment before), p_change
            (Holm over the knots of a cell), flag, reason, reason_zh (of few answers in the cell, or none that differ).
        curve: key columns, start, end (bands of satisfaction), n, mean (of loyalty), conf_low, conf_high, fitted (mean
            of the curve), flag, reason, reason_zh (of few answers in the band).
        line: the curve drawn out over the answers there are: key columns, satisfaction, fitted, conf_low, conf_high
            (pointwise: each covers its own point, not the whole curve).
        fits: key columns, n, r2, then of one straight line r2_straight, slope, std_error, conf_low, conf_high; flag,
            reason, reason_zh.
        knots: where the line may bend. satisfaction, loyalty: the constructs. labels, level, sentences, notes.
    """

    table: pl.DataFrame
    curve: pl.DataFrame
    line: pl.DataFrame
    fits: pl.DataFrame
    knots: tuple[float, ...]
    satisfaction: str
    loyalty: str
    labels: Mapping[str, Text]
    level: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: LoyaltyCurve, lang: str = "en") -> str:
    """Sentences, segments, bands, notes."""
    lines = [*(s.say(lang) for s in value.sentences), "", based(value.table, HEADINGS, lang), ""]
    lines += [based(value.curve, HEADINGS, lang), ""]
    return "\n".join([*lines, *told((), value.notes, lang)])


def loyalty_curve(
    panel: Panel,
    satisfaction: str = "satisfaction",
    loyalty: str = "loyalty",
    *,
    knots: Sequence[float] = (50.0, 75.0),
    bands: int = 10,
    by: Sequence[str] = (),
    where: Mapping[str, str] | None = None,
    level: float = 0.95,
    small: int = SMALL,
    flagged: int = FLAGGED,
) -> LoyaltyCurve:
    """Slopes of loyalty on satisfaction by segment, whether they differ, and mean loyalty by band of satisfaction.

    Parameters:
        panel: answers with a codebook. satisfaction, loyalty: constructs or items; scores are means of their items on
            0-100. knots: satisfaction where the line may bend; those with fewer than 10 rows to a side are left out.
        bands: how many bands of equal width `curve` has. by: key columns that make cells. where: keep only rows with
            these key values. level: of the intervals. small, flagged: cells, and bands of
            `curve`, of fewer answers are withheld, or marked.

    Returns:
        A `LoyaltyCurve`; errors follow the design (weights, clusters, strata) and allow for leverage (HC2; CR2
        by units), with degrees of freedom of their own; null where satisfaction or loyalty does not vary.

    Raises:
        Problems: no such construct (E-ROLE), items without bounds (E-SCALE), knots out of order or outside 0 to 100
            (E-SETTING), a level outside (0, 1).

    Source:
        Jones & Sasser (1995), Harvard Business Review 73(6), 88-99, on the curve; Bell & McCaffrey (2002),
        Survey Methodology 28(2), on the errors.

    Example:
        >>> from csi.survey.codebook import Codebook, Item, Scale
        >>> hundred = Scale("hundred", 0, 100)
        >>> book = Codebook(tuple(Item(n, n, hundred, Text(n, n)) for n in ("sat", "loy")), {}, {})
        >>> x = np.linspace(0, 100, 101)
        >>> frame = pl.DataFrame({"sat": x, "loy": 20 + 0.2 * x + 0.8 * np.maximum(x - 75, 0)})
        >>> panel = Panel(frame, book, frame.cast(pl.String))
        >>> loyalty_curve(panel, "sat", "loy").table["slope"].round(6).to_list()
        [0.2, 0.2, 1.0]
    """
    _check(knots, bands)
    bases = Bases(small, flagged)
    found = scored(panel, (satisfaction, loyalty), by, where, level)
    keys = found.sample.cells.drop("n")
    cells = [_cell(found, cell, tuple(knots), bands, level, small) for cell in range(found.sample.cells.height)]
    segments, banded, line, fits = (stacked(keys, parts) for parts in zip(*cells, strict=True))
    used, used_zh = ", ".join(f"{k:g}" for k in knots), "、".join(f"{k:g}" for k in knots)
    told_ = note(
        "N-LOYALTY-CURVE",
        f"the line may bend at satisfaction {used}; other knots give other slopes.",
        f"曲线可在满意度 {used_zh} 处转折；结点不同，斜率也不同。",
    )
    fits = bases.withheld(fits)
    segments = following(segments, fits, keys.columns, keep=("start", "end", "n"))
    banded, line = (without(frame, fits, keys.columns) for frame in (banded, line))
    banded = bases.withheld(banded)
    said = _sentences(segments, fits, keys.columns, found.labels[satisfaction], found.labels[loyalty])
    return LoyaltyCurve(
        table=segments,
        curve=banded,
        line=line,
        fits=fits,
        knots=tuple(knots),
        satisfaction=satisfaction,
        loyalty=loyalty,
        labels=found.labels,
        level=level,
        sentences=(*bases.sentences(fits), *said),
        notes=(told_, *bases.notes(fits, keys.columns), *found.sample.notes),
    )


def _cell(
    found: Scored, cell: int, knots: tuple[float, ...], bands: int, level: float, small: int
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Segments, bands, line and R2 of one cell."""
    scores, design = found.rows(cell)
    x, y = scores.T
    edges = _edges(x, knots) if len(x) >= small else [0.0, 100.0]
    inner = edges[1:-1]
    if len(inner) and not independent(
        np.column_stack([np.ones_like(x), *(np.clip(x, a, b) for a, b in pairwise(edges))])
    ):
        edges, inner = [0.0, 100.0], []  # too few different answers to tell a bend
    # in terms of the segments' own slopes: piece k of S
    pieces = _pieces(x, edges)
    fit = least_squares(pieces, y, *design)
    own = np.eye(len(pieces) + 1)[1:]
    b, error = fit.slopes, fit.error_of(own)
    straight = least_squares([x], y, *design)
    bends = [x, *(np.maximum(x - k, 0.0) for k in inner)]
    hinge = least_squares(bends, y, *design)
    turns = np.eye(len(bends) + 1)[2:]
    with np.errstate(divide="ignore", invalid="ignore"):
        t = hinge.slopes[2:] / hinge.error_of(turns)
        p = adjust(p_of_t(t, hinge.df_of(turns)), "holm") if inner else np.empty(0)
    reach = critical(level, fit.df_of(own)) * error
    at = np.searchsorted(inner, x, side="right")
    segments = pl.DataFrame(
        {
            "start": edges[:-1],
            "end": edges[1:],
            "n": [int((at == k).sum()) for k in range(len(pieces))],
            "slope": b[1:],
            "std_error": error,
            "conf_low": b[1:] - reach,
            "conf_high": b[1:] + reach,
            "change": [None, *np.diff(b[1:]).tolist()],
            "p_change": [None, *p.tolist()],
        },
        schema_overrides={"change": pl.Float64, "p_change": pl.Float64},
    ).with_columns(pl.col("slope", "std_error", "conf_low", "conf_high", "change", "p_change").fill_nan(None))
    fitted = b[0] + sum(slope * piece for slope, piece in zip(b[1:], pieces, strict=True))
    fits = pl.DataFrame({"n": [len(x)], "r2": [fit.r2], **_straight(straight, level)})
    fits = fits.with_columns(pl.col(pl.Float64).fill_nan(None))
    fits = with_reasons(fits, [_absent(x, y, fit)])
    banded = _bands(x, y, fitted, design, bands, level)
    return segments, banded, _line(fit, edges, x, level), fits


def _straight(fit: Fitted, level: float) -> dict[str, list[float]]:
    """R2 and slope of one straight line."""
    own = np.array([[0.0, 1.0]])
    b, error = float(fit.slopes[1]), float(fit.error_of(own)[0])
    reach = float(critical(level, fit.df_of(own))[0]) * error
    named = {"r2_straight": fit.r2, "slope": b, "std_error": error, "conf_low": b - reach, "conf_high": b + reach}
    return {name: [value] for name, value in named.items()}


ALIKE: Final = reason(
    "R-CONSTANT",
    "no slope: satisfaction or loyalty is the same throughout.",
    "无法给出斜率：满意度或忠诚没有变异。",
)
FEW: Final = reason("R-FEW", "no slope: too few answers for it.", "无法给出斜率：样本过少。")


def _absent(x: Array, y: Array, fit: Fitted) -> Reason | None:
    """Why a cell has no slopes, or slopes without errors."""
    if x.size and (np.ptp(x) == 0 or np.ptp(y) == 0):
        return ALIKE
    if not np.isfinite(fit.slopes).all():
        return FEW if x.size else absent(0, np.zeros(1))
    return absent(x.size, np.array([fit.robust.design_df if fit.robust else 0.0]))


def _pieces(x: Array, edges: Sequence[float]) -> list[Array]:
    """What of x lies in each segment."""
    return [np.clip(x, a, b) - a for a, b in pairwise(edges)]


def _line(fit: Fitted, edges: Sequence[float], x: Array, level: float) -> pl.DataFrame:
    """The curve with its pointwise limits, from the lowest answer to the highest, bends among the points."""
    low, high = (float(x.min()), float(x.max())) if x.size else (0.0, 0.0)
    at = np.unique([*np.linspace(low, high, POINTS), *(e for e in edges if low < e < high)])
    rows = np.column_stack([np.ones_like(at), *_pieces(at, edges)])
    value = rows @ fit.slopes
    reach = critical(level, fit.df_of(rows)) * fit.error_of(rows)
    frame = pl.DataFrame(
        {"satisfaction": at, "fitted": value, "conf_low": value - reach, "conf_high": value + reach},
    )
    return frame.with_columns(pl.all().fill_nan(None)).filter(pl.col("fitted").is_not_null())


@dataclass(frozen=True, slots=True)
class Fitted:
    """Slopes (k,) with their robust covariance and its degrees of freedom; None where there are none. R2."""

    slopes: Array
    robust: Slopes | None
    r2: float

    def error_of(self, L: Array) -> Array:
        """(m,) standard errors of combinations L b; NaN without degrees of freedom."""
        if self.robust is None:
            return np.full(len(L), np.nan)
        spread = np.maximum(np.einsum("ij,jk,ik->i", L, self.robust.cov, L), 0.0)
        return np.where(self.df_of(L) > 0, np.sqrt(spread), np.nan)

    def df_of(self, L: Array) -> Array:
        """(m,) their degrees of freedom; 0 without any."""
        return np.zeros(len(L)) if self.robust is None else self.robust.df_of(L)


def least_squares(
    columns: Sequence[Array], y: Array, weight: Array, unit: Ints, stratum: Ints, known: Known | None = None
) -> Fitted:
    """Weighted least squares on a constant and columns, with the covariance of the slopes (HC2; CR2 by units).

    NaN where the columns cannot be told apart, rows do not outnumber them, or y is the same throughout.

    Parameters:
        columns: (n,) each. y, weight: (n,). unit: (n,). stratum: (units,). known: margins and populations.

    Example:
        >>> x, rows = np.arange(5.0), np.arange(5)
        >>> found = least_squares([x], 1 + 2 * x, np.ones(5), rows, np.zeros(5, dtype=np.int64))
        >>> found.slopes.round(6).tolist(), round(found.r2, 6)
        ([1.0, 2.0], 1.0)
    """
    X = np.column_stack([np.ones_like(y), *columns])
    n, k = X.shape
    if n <= k or np.ptp(y) == 0 or not independent(X):
        return Fitted(np.full(k, np.nan), None, float("nan"))
    found = robust_slopes(X, y, weight, unit, stratum, known)
    left = y - X @ found.slopes
    centre = (weight * y).sum() / weight.sum()
    r2 = 1 - (weight * left**2).sum() / (weight * (y - centre) ** 2).sum()
    return Fitted(found.slopes, found if found.design_df > 0 else None, float(r2))


def independent(X: Array) -> bool:
    """Whether no column follows from the others, to rounding.

    Example:
        >>> independent(np.column_stack([np.ones(3), [1.0, 2, 4]])), independent(np.ones((3, 2)))
        (True, False)
    """
    size = np.sqrt((X**2).sum(axis=0))
    return bool(len(X) > 0 and (size > 0).all() and np.linalg.matrix_rank(X / size, tol=1e-9) == X.shape[1])


def _edges(x: Array, knots: tuple[float, ...]) -> list[float]:
    """0, the knots with enough rows on either side, 100."""
    kept: list[float] = []
    for knot in knots:
        below = (x < knot) & (x >= (kept[-1] if kept else -np.inf))
        if below.sum() >= FEWEST and (x >= knot).sum() >= FEWEST:
            kept.append(float(knot))
    return [0.0, *kept, 100.0]


def _bands(x: Array, y: Array, fitted: Array, design: Design, bands: int, level: float) -> pl.DataFrame:
    """Mean loyalty in bands of satisfaction that anybody is in, and the mean of the curve there."""
    width = 100 / bands
    at = np.minimum((x / width).astype(np.int64), bands - 1)
    rows = []
    for band in np.unique(at):
        own = at == band
        one = means(y[own][:, None], *(mine := design.at(own)))
        low, high = one.interval(level)
        curve = float((mine.weight * fitted[own]).sum() / mine.weight.sum())
        numbers = (float(v[0]) for v in (one.mean, low, high))
        rows.append((band * width, (band + 1) * width, int(own.sum()), *numbers, curve))
    columns = ["start", "end", "n", "mean", "conf_low", "conf_high", "fitted"]
    return pl.DataFrame(rows, schema=columns, orient="row").with_columns(
        pl.col("conf_low", "conf_high", "fitted").fill_nan(None)
    )


def _check(knots: Sequence[float], bands: int) -> None:
    """Refuse knots out of order or range, and too few bands."""
    found = []
    if list(knots) != sorted(set(knots)) or any(not 0 < k < 100 for k in knots):
        en = f"knots = {tuple(knots)} do not rise between 0 and 100."
        zh = f"knots = {tuple(knots)} 未在 0 与 100 之间递增。"
        found.append(problem("E-SETTING", "knots", en, zh, "Write (50, 75).", "请写 (50, 75)。"))
    if bands < 2:
        en, zh = f"bands = {bands} is below 2.", f"bands = {bands} 小于 2。"
        found.append(problem("E-SETTING", "bands", en, zh, "Write 10.", "请写 10。"))
    if found:
        raise Problems(found)


def _sentences(
    frame: pl.DataFrame, fits: pl.DataFrame, keys: Sequence[str], satisfaction: Text, loyalty: Text
) -> tuple[Text, ...]:
    """Where the slope changes, cell by cell; without a bend, the slope of one straight line."""
    made: list[Text] = []
    for cell, rows in told_cells(frame, keys):
        bends = rows.filter(pl.col("p_change") < CLEAR)
        if not bends.height:
            line = rows_of(fits, cell).row(0, named=True)
            en, zh = _unbent(line, rows.height > 1, satisfaction, loyalty)
        else:
            row = bends.sort("p_change").row(0, named=True)
            before, after = (fixed(v) for v in (row["slope"] - row["change"], row["slope"]))
            way, way_zh = ("steeper", "变陡") if row["change"] > 0 else ("flatter", "变平")
            at = f"{row['start']:g}"
            en = f"above {at} of {satisfaction.en} the curve of {loyalty.en} is {way}: "
            en += f"{after} points per point, {before} below"
            zh = f"{satisfaction.zh}高于 {at} 后，{loyalty.zh}曲线{way_zh}：每分 {after} 分，此前 {before} 分"
        made += of_cell(cell, [Text(f"{en if cell else en[:1].upper() + en[1:]}.", f"{zh}。")])
    return tuple(made)


def _unbent(line: Mapping[str, float | None], tested: bool, satisfaction: Text, loyalty: Text) -> tuple[str, str]:
    """A line without a bend, one whose bend could not be looked for, and none at all."""
    slope, low, high = (line[c] for c in ("slope", "conf_low", "conf_high"))
    if slope is None:
        en = f"no slope is told: {satisfaction.en} or {loyalty.en} is the same throughout, or rows are too few"
        return en, f"无法给出斜率：{satisfaction.zh}或{loyalty.zh}没有变异，或样本过少"
    shown = fixed(slope) if low is None or high is None else f"{fixed(slope)} [{fixed(low)}, {fixed(high)}]"
    if tested:
        en = f"no bend is shown: a point of {satisfaction.en} goes with {shown} points of {loyalty.en} along"
        return (
            f"{en} one straight line",
            f"未见转折：按一条直线，{satisfaction.zh}每高 1 分，{loyalty.zh}相应高 {shown} 分",
        )
    en = f"a point of {satisfaction.en} goes with {shown} points of {loyalty.en}; too few answers beside the knots"
    zh = f"{satisfaction.zh}每高 1 分，{loyalty.zh}相应高 {shown} 分；结点两侧的不同回答过少，未检验转折"
    return f"{en} to look for a bend", zh
