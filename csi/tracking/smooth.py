"""Views of a series over its waves: rolling means, exponentially weighted means, and control limits.

Letters: `t` waves of one brand, `c` cells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Reason, Text, is_number, note, one_of, problem
from csi.estimate.given import check_kind
from csi.moments.stack import Array, Ints
from csi.tracking.breaks import Break, break_notes, bridged, check_breaks
from csi.tracking.contrasts import basis_note, construct_place, contrast, joint_covariance, t_test
from csi.tracking.index import Index
from csi.tracking.show import shown
from csi.tracking.too_few import check_base, left_out
from csi.tracking.unlimited import FEWEST, Series, passed_over, unlimited
from csi.tracking.waves import check_waves, wave_order

View = Literal["rolling", "ewma"]
Chart = Literal["individuals", "ewma"]

D2 = 2.0 / np.pi**0.5
"""Mean range of two standard normal numbers, 1.128."""


@dataclass(frozen=True, slots=True, repr=False)
class Smoothed(Shown):
    """A smoothed series.

    Attributes:
        table: keys, wave, construct, formula, index, smoothed, std_error, conf_low, conf_high, waves (how many enter).
    """

    table: pl.DataFrame
    view: View
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Control(Shown):
    """A control chart of every brand.

    Attributes:
        table: keys, wave, construct, formula, index, statistic (the index, or its exponentially weighted mean), centre,
            low, high (the limits), beyond (outside them; null without limits), sampling (standard error of the index),
            between (standard deviation of the brand's true level from wave to wave, beyond sampling), reason, reason_zh
            (why there are no limits: too few waves so far, with enough answers, with an index, on this side of a break,
            in the baseline; null where there are).
    """

    table: pl.DataFrame
    chart: Chart
    notes: tuple[Note, ...] = ()


def smooth(
    index: Index,
    construct: str = "satisfaction",
    view: View = "rolling",
    *,
    window: int = 4,
    weight: float = 0.3,
    waves: Sequence[str] | None = None,
    breaks: Sequence[Break] = (),
    small: int = 0,
) -> Smoothed:
    """Rolling or exponentially weighted means of an index over its waves.

    "rolling": the mean of a wave and the `window - 1` before it. "ewma": `z_t = weight I_t + (1 - weight) z_(t-1)`,
    begun at the first wave. Both are weighted sums of indices, so their standard errors come from the joint covariance
    of the waves: shared respondents and shared weights enter. A break without a link begins the series anew.

    Parameters:
        index: an index by wave. window: waves of a rolling mean. weight: of the newest wave, in (0, 1].
        waves: their order. breaks: where the measurement changed. small: waves with fewer rows take no part.

    Returns:
        Smoothed.

    Raises:
        Problems: E-SETTING, E-WAVE, E-CONSTRUCT, E-BREAK; E-BASE, every wave has too few rows.

    Source:
        Roberts (1959), Technometrics 1(3), 239-250.

    Example:
        >>> import csi
        >>> answers = {"a": [1, 4, 7, 9, 3, 6, 8, 9], "b": [2, 4, 8, 9, 3, 5, 9, 9], "wave": ["1"] * 4 + ["2"] * 4}
        >>> frame = pl.DataFrame(answers).with_columns(c="a", d="b")
        >>> model = csi.Model.parse("use =~ a + b" + chr(10) + "joy =~ c + d" + chr(10) + "joy ~ use")
        >>> made = csi.index(csi.fit(model, frame, csi.PLS(), by=["wave"], scale=(1, 10)))
        >>> smooth(made, "joy").table.select(pl.col("index", "smoothed").round(1)).rows()
        [(50.1, 50.1), (61.1, 55.6)]
    """
    found = [*one_of("view", view, get_args(View)), *_wrong(window, weight)]
    if found:
        raise Problems(found)
    index, j, order = _opened(index, construct, waves, breaks)
    check_base(index, j, small)
    rows = []
    series = Series(index, j, order, tuple(breaks), small)
    for run in series.runs():
        for t in range(run.size):
            shares = _rolling(t, window) if view == "rolling" else _exponential(t, weight)
            cells = run[t - shares.size + 1 : t + 1]
            rows.append(_smoothed(index, j, cells, shares))
    said = f"{window} waves" if view == "rolling" else f"weight {weight:g} on the newest wave"
    zh = f"{window} 期" if view == "rolling" else f"最新一期权重 {weight:g}"
    view_zh = "滚动均值" if view == "rolling" else "指数加权均值"
    en = f"Smoothed ({view}, {said}): a view, not the index of the wave."
    told = note("N-SMOOTHED", en, f"平滑（{view_zh}，{zh}）：仅为视图，并非当期指数。")
    known = (*left_out(index, j, small), *passed_over(series), *_old_form(index, j, breaks, order))
    notes = (told, *known, basis_note(index), *break_notes(breaks, [index.constructs[j]]))
    return Smoothed(_frame(index, j, rows), view, notes)


def control(
    index: Index,
    construct: str = "satisfaction",
    chart: Chart = "individuals",
    *,
    limit: float = 3.0,
    weight: float = 0.2,
    baseline: Sequence[str] | None = None,
    waves: Sequence[str] | None = None,
    breaks: Sequence[Break] = (),
    small: int = 0,
) -> Control:
    """Control limits of every brand: is a wave within what sampling and the usual to and fro explain?

    A brand's true level varies around its centre with standard deviation tau, and each wave adds its sampling error:
    limits are `centre +- limit sqrt(tau^2 + SE_t^2)`, the centre the mean of the baseline. With d the differences of
    consecutive waves, `tau^2 = max(0, (pi / 2 mean(|d|)^2 - mean(SE_d^2)) / 2)`: the moving range, less the design's
    own variance. "ewma" holds `z_t = weight I_t + (1 - weight) z_(t-1)`, begun at the centre, against the limits of the
    same weighted sum. The centre's own error is not in the limits.

    Parameters:
        limit: standard deviations from the centre to a limit. weight: of the newest wave under "ewma".
        baseline: the waves that set centre and tau (all by default; then a jump widens its own limits).
        waves, breaks, small: as in `smooth`; each part of a broken series has a centre of its own.

    Returns:
        Control; brands with fewer than four waves in a part have no limits.

    Raises:
        Problems: as `smooth`.

    Source:
        Shewhart (1931); Montgomery (2019), Introduction to Statistical Quality Control, 6.4 and 9.2; Laney (2002),
        Quality Engineering 14(4), 531-537, for variation between beside variation within.

    Example:
        >>> import csi
        >>> rows = [(w, x + s) for w in range(6) for x in (2, 5, 7, 8) for s in (w % 2,)]
        >>> frame = pl.DataFrame(rows, schema=["wave", "a"], orient="row").with_columns(pl.col("wave").cast(str), b="a")
        >>> model = csi.Model.parse("use =~ a" + chr(10) + "joy =~ b" + chr(10) + "joy ~ use")
        >>> made = csi.index(csi.fit(model, frame, csi.PLS(), by=["wave"], scale=(1, 10)))
        >>> control(made, "joy").table["beyond"].any()
        False
    """
    found = [*one_of("chart", chart, get_args(Chart)), *_wrong(1, weight)]
    if not is_number(limit) or not limit > 0:
        found.append(
            problem("E-SETTING", "limit", "limit must be positive.", "limit 须为正数。", "Give 3.", "例如 3。")
        )
    if baseline is not None and not len(baseline):
        en, zh = "the baseline has no waves.", "基线没有任何期次。"
        do, do_zh = "Name some, or leave baseline out for all.", "请写出期次；省略 baseline 则用全部。"
        found.append(problem("E-SETTING", "baseline", en, zh, do, do_zh))
    if found:
        raise Problems(found)
    index, j, order = _opened(index, construct, waves, breaks, baseline or ())
    check_base(index, j, small)
    rows: list[dict[str, object]] = []
    series = Series(index, j, order, tuple(breaks), small)
    for run in series.runs():
        rows += _charted(index, j, run, chart, (limit, weight), baseline)
    en = f"Limits at {limit:g} standard deviations of sampling and of the usual variation between waves together."
    told = note("N-CONTROL", en, f"控制限为抽样误差与各期常态波动合计的 {limit:g} 倍标准差。")
    why, few = unlimited(series, baseline)
    known = (*left_out(index, j, small), *passed_over(series), *_old_form(index, j, breaks, order), *few)
    notes = (told, *known, *break_notes(breaks, [index.constructs[j]]))
    return Control(_reasoned(index, _frame(index, j, rows), why), chart, notes)


def _reasoned(index: Index, table: pl.DataFrame, why: Mapping[int, Reason]) -> pl.DataFrame:
    """The chart with the reasons why some of its rows have no limits."""
    keys = [k for k in index.cells.columns if k != "n"]
    told = [(*index.cells.select(keys).row(c), r.text.en, r.text.zh) for c, r in why.items()]
    schema = {k: index.cells.schema[k] for k in keys} | dict.fromkeys(("reason", "reason_zh"), pl.String())
    return table.join(pl.DataFrame(told, schema=schema, orient="row"), on=keys, how="left", maintain_order="left")


def moving_range(values: Array) -> float:
    """Standard deviation of a steady series by the mean range of neighbours, `mean |x_t - x_(t-1)| / 1.128`.

    Source: Montgomery (2019), 6.4.

    Example:
        >>> round(moving_range(np.array([49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1])), 3)
        1.664
    """
    return float(np.abs(np.diff(values)).mean() / D2)


def weighted_mean(values: Array, centre: float, weight: float) -> Array:
    """Exponentially weighted means begun at a centre.

    Source: Roberts (1959).

    Example:
        >>> weighted_mean(np.array([52.0, 47.0]), 50.0, 0.3).round(2).tolist()
        [50.6, 49.52]
    """
    found, at = np.empty(values.size), centre
    for t, value in enumerate(values):
        at = weight * value + (1.0 - weight) * at
        found[t] = at
    return found


def _wrong(window: int, weight: float) -> list[Problem]:
    """Settings that cannot be."""
    found = []
    if not (isinstance(window, int) and window >= 1):
        do, do_zh = "Give a whole number of waves, such as 4.", "请给出整数期数，例如 4。"
        found.append(problem("E-SETTING", "window", f"a window of {window} waves.", f"窗口为 {window} 期。", do, do_zh))
    if not is_number(weight) or not 0 < weight <= 1:
        en, zh = f"weight is {weight}, not between 0 and 1.", f"weight 为 {weight}，不在 0 与 1 之间。"
        found.append(problem("E-SETTING", "weight", en, zh, "Give 0.2 or 0.3.", "例如 0.2 或 0.3。"))
    return found


def _opened(
    index: Index, construct: str, waves: Sequence[str] | None, breaks: Sequence[Break], asked: Sequence[str] = ()
) -> tuple[Index, int, tuple[str, ...]]:
    """The index with earlier waves in points of the later forms, the construct's column, the order of waves."""
    do = Text("Give what csi.index(est) returns.", "请给出 csi.index(est) 的结果。")
    check_kind("index", index, Index, Text("an index", "指数"), do)
    j = construct_place(index, construct)
    if "wave" not in index.cells.columns:
        en, zh = "the index has no cells by wave.", "该指数没有按期分组的单元。"
        do_en, do_zh = 'Fit with by=("brand", "wave").', "请用 by=(“brand”, “wave”) 拟合。"
        raise Problems([problem("E-WAVE", "smooth", en, zh, do_en, do_zh)])
    order = tuple(waves) if waves else wave_order(index.cells)
    check_waves(order, index.cells["wave"].to_list(), asked)
    check_breaks(breaks, order)
    return (bridged(index, j, breaks, order) if breaks else index), j, order


def _old_form(index: Index, construct: int, breaks: Sequence[Break], order: Sequence[str]) -> tuple[Note, ...]:
    """That waves before a link are told in points of the new form, unlike in a table of indices."""
    linked = [b.wave for b in breaks if b.link_of(index.constructs[construct]) is not None]
    if not linked:
        return ()
    last = max(linked, key=order.index)
    en = f"Indices before {last} stand here in points of the form of {last}, through the link; tables of the index"
    zh = f"此处 {last} 期之前的指数已按衔接换算为 {last} 期形式的分值；指数表则以各期自身形式的分值列出。"
    return (note("N-VIEW-LINKED", f"{en} show them in points of their own form.", zh),)


def _rolling(t: int, window: int) -> Array:
    """Shares of a rolling mean; fewer waves at the start."""
    k = min(window, t + 1)
    return np.full(k, 1.0 / k)


def _exponential(t: int, weight: float) -> Array:
    """Shares of all waves so far, the oldest first; the first wave has what is left."""
    shares = np.asarray(weight * (1.0 - weight) ** np.arange(t, -1, -1), dtype=np.float64)
    shares[0] = (1.0 - weight) ** t
    return shares


def _smoothed(index: Index, construct: int, cells: Ints, shares: Array) -> dict[str, object]:
    """One wave's mean with its interval."""
    made = contrast(index, construct, cells, shares)
    test = t_test(made.estimate, made.std_error, made.df, index.level)
    return {
        "cell": int(cells[-1]),
        "index": float(index.values[cells[-1], construct]),
        "smoothed": made.estimate,
        "std_error": made.std_error,
        "conf_low": test.conf_low,
        "conf_high": test.conf_high,
        "waves": float(cells.size),
    }


def _charted(
    index: Index, construct: int, run: Ints, chart: Chart, settings: tuple[float, float], baseline: Sequence[str] | None
) -> list[dict[str, object]]:
    """The chart of one brand's part of the series."""
    limit, weight = settings
    values = index.values[run, construct]
    wave = index.cells["wave"].gather(run.tolist())
    of = np.flatnonzero([baseline is None or w in baseline for w in wave])
    covariance = joint_covariance(index, construct, run)
    sampling = np.diagonal(covariance)
    k = values.size
    centre = float(values[of].mean()) if of.size else np.nan
    tau, low, high = np.nan, np.full(k, np.nan), np.full(k, np.nan)
    statistic = values if chart == "individuals" else weighted_mean(values, centre, weight)
    if of.size >= FEWEST:
        step = np.eye(k)[of[1:]] - np.eye(k)[of[:-1]]
        own = np.einsum("ij,jk,ik->i", step, covariance, step)
        tau2 = max(0.0, (2.0 * moving_range(values[of]) ** 2 - float(own.mean())) / 2.0)
        tau, variance = tau2**0.5, tau2 + sampling
        if chart == "ewma":
            whole = tau2 * np.eye(k) + covariance
            shares = [np.pad(weight * (1 - weight) ** np.arange(t, -1, -1), (0, k - t - 1)) for t in range(k)]
            variance = np.array([w @ whole @ w for w in shares])
        low, high = centre - limit * np.sqrt(variance), centre + limit * np.sqrt(variance)
    return [
        {
            "cell": int(cell),
            "index": float(values[t]),
            "statistic": float(statistic[t]),
            "centre": centre,
            "low": float(low[t]),
            "high": float(high[t]),
            "beyond": bool(statistic[t] < low[t] or statistic[t] > high[t]) if np.isfinite(low[t]) else None,
            "sampling": float(np.sqrt(sampling[t])),
            "between": tau,
        }
        for t, cell in enumerate(run)
    ]


def _frame(index: Index, construct: int, rows: Sequence[dict[str, object]]) -> pl.DataFrame:
    """Rows with the keys of their cells, in the order of the cells."""
    keys = [k for k in index.cells.columns if k != "n"]
    numbers = pl.DataFrame(list(rows), infer_schema_length=None).sort("cell")
    numbers = numbers.with_columns(pl.col("^beyond$").cast(pl.Boolean))
    head = index.cells.select(keys)[numbers["cell"].to_list()]
    told = head.with_columns(
        construct=pl.lit(index.constructs[construct]),
        formula=pl.lit(index.formulas[construct] if index.formulas else None, dtype=pl.String),
    )
    rest = numbers.drop("cell", "construct", strict=False)
    return pl.concat([told, rest], how="horizontal").with_columns(pl.col(pl.Float64).fill_nan(None))


@text.register
def _(value: Smoothed, lang: str = "en") -> str:
    """The table and the notes."""
    return shown(Text("Smoothed series", "平滑序列").say(lang), value.table, value.notes, lang)


@text.register
def _(value: Control, lang: str = "en") -> str:
    """The table and the notes."""
    return shown(Text("Control chart", "控制图").say(lang), value.table, value.notes, lang)
