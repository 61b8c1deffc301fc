"""`rake(data, margins)`: weights under which the answers have known margins; one margin of joint cells post-stratifies.

Letters: `n` rows, `k` categories.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import polars as pl
from narwhals.typing import IntoFrame

from csi.errors import Problem, Problems, Text, did_you_mean, problem
from csi.estimate.given import check_kind
from csi.inference.margin_faults import OF, Fault, Faults, told_once
from csi.inference.margin_shares import shares_of
from csi.inference.margins import Given, Said, said_margins
from csi.inference.raked_words import doubts, not_settled, unmet, whole_notes
from csi.moments.raked import APART
from csi.moments.raking import ITERATIONS, TOLERANCE, Fitted, Margin, fit_margins, kish
from csi.moments.stack import Array, Ints
from csi.survey.panel import Panel
from csi.survey.readers.frames import to_polars
from csi.survey.weighing import Weighing, Weighted

BASE = "base_weight"
"""The column of a raked panel with the weights as they were."""


def rake(
    data: Panel | IntoFrame,
    margins: Mapping[object, Given],
    *,
    by: Sequence[str] | str = (),
    base: str | None = None,
    trim: tuple[float, float] | None = None,
    missing: Mapping[str, str] | str = "refuse",
    household: str | None = None,
    tolerance: float = TOLERANCE,
    iterations: int = ITERATIONS,
    places: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Panel | Weighted:
    """The same answers with weights that meet margins, made by iterative proportional fitting from base weights.

    Every estimate of a raked panel takes the weights, and every bootstrap, jackknife and replicate weight rakes again,
    so that standard errors know which shares are fixed. What raking did stands in `weighing`.

    Parameters:
        data: a Panel or a frame.
        margins: column -> its shares: {"gender": {"f": 0.51, "m": 0.49}, "age": "age.csv"}; shares (sum 1),
            percentages (100) or counts of a population; a file or frame may have the columns of `by`. A margin of joint
            cells is written "gender*age": with that one alone it is post-stratification.
        by: columns in whose cells the margins hold, each by itself, such as ["wave", "brand"].
        base: column of base weights; a panel brings its own weight unless named.
        trim: (smallest, largest) weight as multiples of the group's mean; what is cut goes to the others.
        missing: what an absent value of a raked column is: "refuse" (a problem), "apart" (a category of its own, with
            its weighted share of the answers), or {column: category}.
        household: column that names the household, to see whether weights are per household.
        tolerance: largest deviation of a margin as a share of its group. iterations: turns over the margins at most.
        places, folder: where margins are said (for messages), and what their files are relative to.

    Returns:
        The panel with the columns `weight` (raked) and `base_weight`; of a frame a `Weighted`. Without counts in the
        margins the weights of a group keep the sum of its base weights.

    Raises:
        Problems: margins that do not sum, of absent categories, categories without a margin, absent values, weights
            that are not positive, margins that no weights can meet; all at once.

    Source: Deming & Stephan (1940); Deville, Sarndal & Sautory (1993); Kish (1992).
    Agrees: R's survey (rake, postStratify) to 1e-9, tests/reference/weights.

    Example:
        >>> frame = pl.DataFrame({"sex": ["f", "f", "m", "m"], "age": ["y", "o", "y", "o"], "q": [1, 2, 3, 4]})
        >>> made = rake(frame, {"sex": {"f": 0.6, "m": 0.4}, "age": {"y": 50, "o": 50}})
        >>> made.frame["weight"].round(3).to_list(), made.weighing.converged
        ([1.2, 1.2, 0.8, 0.8], True)
    """
    frame = _frame(data)
    check_kind(
        "margins",
        margins,
        Mapping,
        Text("margins", "边际"),
        Text('Give {"gender": {"f": 0.5, "m": 0.5}}.', '请给出 {"gender": {"f": 0.5, "m": 0.5}}。'),
    )
    cells = (by,) if isinstance(by, str) else tuple(by)
    said = said_margins(margins, cells, places or {}, folder)
    start = base or ("weight" if isinstance(data, Panel) and "weight" in frame.columns else "")
    found = [*(p for one in said for p in one.problems), *_settings(trim, tolerance, iterations, said)]
    found += _columns(frame, said, cells, start, household)
    found += _stands(missing, said, places or {})
    if found:
        raise Problems(found)
    asked = _Asked(cells, start, trim, missing, tolerance, iterations)
    weight, fitted, record = _weighed(frame, said, asked, places or {})
    told = doubts(record, weight, frame[household] if household else None)
    told = (*told, *(whole_notes(frame, record) if isinstance(data, Panel) else ()))
    record = replace(record, notes=told)
    columns = [pl.Series("weight", fitted.weight), *([pl.Series(BASE, weight)] if start else [])]
    if isinstance(data, Panel):
        return replace(data, frame=frame.with_columns(columns), weighing=record, notes=(*data.notes, *told))
    return Weighted(frame.with_columns(columns), record)


@dataclass(frozen=True, slots=True)
class _Asked:
    """The settings of `rake`."""

    by: tuple[str, ...]
    base: str
    trim: tuple[float, float] | None
    missing: Mapping[str, str] | str
    tolerance: float
    iterations: int


def _weighed(
    frame: pl.DataFrame, said: Sequence[Said], asked: _Asked, places: Mapping[str, str]
) -> tuple[Array, Fitted, Weighing]:
    """Base weights, raked ones, and the record.

    Raises:
        Problems: what is wrong with weights, values and margins together; margins that no weights meet.
    """
    weight, found = _base(frame, asked.base)
    codes, absent = _texts(frame, said, asked.missing)
    problems = [*found, *absent]
    group, names = _groups(frame, asked.by)
    made = _margins(said, codes, weight, group, names)
    problems += made.problems
    if problems:
        raise Problems(problems)
    fitted = fit_margins(
        weight, made.margins, group, bounds=asked.trim, tolerance=asked.tolerance, iterations=asked.iterations
    )
    converged = bool((fitted.deviation <= asked.tolerance).all())
    if not converged and asked.trim is None:
        raise Problems([not_settled(fitted, unmet(fitted.weight, made.margins, made.labels), places)])
    record = Weighing(
        by=asked.by,
        variables=tuple(s.variables for s in said),
        apart=tuple(v for v in codes if bool((codes[v] == APART).any())),
        stands=dict(asked.missing) if isinstance(asked.missing, Mapping) else {},
        base=asked.base,
        bounds=asked.trim,
        margins=_margin_table(made, weight, fitted.weight, asked.by),
        groups=_group_table(fitted, group, names, asked.by),
        iterations=fitted.iterations,
        tolerance=asked.tolerance,
        converged=converged,
    )
    return weight, fitted, record


def _frame(data: object) -> pl.DataFrame:
    """The rows of a panel or a frame."""
    if isinstance(data, Panel):
        return data.frame
    return data if isinstance(data, pl.DataFrame) else to_polars(cast("IntoFrame", data), "data")


def _settings(trim: object, tolerance: float, iterations: int, said: Sequence[Said]) -> list[Problem]:
    """Bounds, tolerance and turns that make no sense; no margin at all."""
    found = []
    if not said:
        en, zh = "no margin is given.", "没有给出边际。"
        do, do_zh = (
            "Give at least one, such as gender: {f: 0.51, m: 0.49}.",
            "请至少给出一个，例如 gender: {f: 0.51, m: 0.49}。",
        )
        found.append(problem("E-MARGIN", "margins", en, zh, do, do_zh))
    bounds = trim if isinstance(trim, Sequence) and len(trim) == 2 else None
    if trim is not None and not (bounds and 0 <= bounds[0] < 1 < bounds[1]):
        en, zh = (
            f"trim = {trim} is no pair of multiples of the mean weight around 1.",
            f"trim = {trim} 不是围绕 1 的平均权重倍数。",
        )
        do, do_zh = "Use (0.2, 5), say.", "例如 (0.2, 5)。"
        found.append(problem("E-SETTING", "trim", en, zh, do, do_zh))
    if not 0 < tolerance < 1:
        en, zh = (
            f"tolerance must lie between 0 and 1, not {tolerance}.",
            f"tolerance 应介于 0 与 1 之间，而不是 {tolerance}。",
        )
        found.append(problem("E-SETTING", "tolerance", en, zh, "Use 1e-6.", "例如 1e-6。"))
    if iterations < 1:
        en, zh = f"iterations must be 1 or more, not {iterations}.", f"iterations 至少为 1，而不是 {iterations}。"
        found.append(problem("E-SETTING", "iterations", en, zh, "Use 500.", "例如 500。"))
    return found


def _columns(
    frame: pl.DataFrame, said: Sequence[Said], by: Sequence[str], base: str, household: str | None
) -> list[Problem]:
    """Columns that the data lack."""
    wanted = [(v, s.place) for s in said for v in s.variables] + [(b, "by") for b in by]
    wanted += [(base, "base")] if base else []
    wanted += [(household, "household")] if household else []
    found = []
    for name, place in dict(wanted).items():
        if name not in frame.columns:
            hint = did_you_mean(name, frame.columns)
            en, zh = f'the data have no column "{name}".', f"数据中没有“{name}”列。"
            found.append(
                problem("E-MARGIN" if place not in ("by", "base") else "E-ROLE", place, en, zh, hint.en, hint.zh)
            )
    return found


def _stands(missing: object, said: Sequence[Said], places: Mapping[str, str]) -> list[Problem]:
    """What absent values count as: columns that are not raked, categories that their margins do not have."""
    if not isinstance(missing, Mapping):
        return [] if missing in ("refuse", "apart") else [_no_treatment(missing, places)]
    have: dict[str, set[str]] = {}
    for one in said:
        for line in one.lines:
            parts = line.category.split("*")
            for name, part in zip(one.variables, parts, strict=False):
                have.setdefault(name, set()).add(part)
        for name in one.variables:
            have.setdefault(name, set())
    found = []
    for name, stand in missing.items():
        place = places.get(f"missing:{name}", places.get("missing", f'missing["{name}"]'))
        if name not in have:
            hint = did_you_mean(str(name), list(have))
            en, zh = f'missing names "{name}", which is not raked.', f"missing 写了“{name}”，而它不在边际中。"
            do = f"{hint.en} Raked are {', '.join(have)}.".lstrip()
            do_zh = f"{hint.zh}边际中的列：{'、'.join(have)}。"
            found.append(problem("E-MARGIN-MISSING", place, en, zh, do, do_zh))
        elif have[name] and stand not in have[name]:
            every = sorted(have[name])
            en = f'missing counts absent {name} as "{stand}", which is no category of its margin.'
            zh = f"missing 将缺失的 {name} 归入“{stand}”，而其边际中没有该类别。"
            do = f"Write one of {', '.join(every)}, or missing: apart (a category of its own)."
            do_zh = f"请写 {'、'.join(every)} 之一，或 missing: apart（单独作为一类）。"
            found.append(problem("E-MARGIN-MISSING", place, en, zh, do, do_zh))
    return found


def _no_treatment(missing: object, places: Mapping[str, str]) -> Problem:
    en, zh = f'missing="{missing}" is no treatment of absent values.', f"missing=“{missing}”不是缺失值的处理方式。"
    do, do_zh = 'Use "refuse", "apart", or {column: category}.', "请用 refuse、apart 或 {列: 类别}。"
    return problem("E-SETTING", places.get("missing", "missing"), en, zh, do, do_zh)


def _base(frame: pl.DataFrame, base: str) -> tuple[Array, list[Problem]]:
    """(n,) base weights, 1 without a column; a problem where one is not positive."""
    if not base:
        return np.ones(frame.height), []
    column = frame[base].cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy()
    bad = np.flatnonzero(~(np.isfinite(column) & (column > 0)))
    if not bad.size:
        return column.copy(), []
    rows = ", ".join(_who(frame, int(i)) for i in bad[:5]) + (", ..." if bad.size > 5 else "")
    en = f"{bad.size} of {frame.height} base weights are zero, negative, infinite or absent ({rows})."
    zh = f"{frame.height} 个基础权重中有 {bad.size} 个为零、负数、无穷或缺失（{rows}）。"
    do, do_zh = "Correct them, or remove these rows.", "请更正这些权重，或删除相应的行。"
    return column, [problem("E-WEIGHT", f'column "{base}"', en, zh, do, do_zh)]


def _who(frame: pl.DataFrame, row: int) -> str:
    """A row by its respondent, else by its number."""
    return str(frame["respondent"][row]) if "respondent" in frame.columns else f"row {row}"


def _texts(
    frame: pl.DataFrame, said: Sequence[Said], missing: Mapping[str, str] | str
) -> tuple[dict[str, pl.Series], list[Problem]]:
    """Every raked column as text without absences, and what is wrong with those that have any."""
    columns, found = {}, []
    for one in said:
        for name in (v for v in one.variables if v not in columns):
            values = words_of(frame[name])
            stand = missing.get(name) if isinstance(missing, Mapping) else None
            absent = values.null_count()
            if absent and stand is None and missing != "apart":
                rows = [i for i, v in enumerate(values) if v is None][:5]
                listed = ", ".join(_who(frame, i) for i in rows) + (", ..." if absent > len(rows) else "")
                en = f"{absent} of {frame.height} respondents have no {name} ({listed}), so no margin weighs them."
                zh = f"{frame.height} 名受访者中有 {absent} 名缺少 {name}（{listed}），无法按边际加权。"
                do = (
                    f"Say what they count as: missing: {{{name}: CATEGORY}}, or missing: apart (a category of its own)."
                )
                do_zh = f"请说明如何处理：missing: {{{name}: 类别}}，或 missing: apart（单独作为一类）。"
                found.append(problem("E-MARGIN-MISSING", one.place, en, zh, do, do_zh))
            columns[name] = values.fill_null(stand or APART)
    return columns, found


def words_of(column: pl.Series) -> pl.Series:
    """A column as text: whole numbers without a point, blanks as absent.

    Example:
        >>> words_of(pl.Series([1.0, 2.5, None])).to_list(), words_of(pl.Series([" a", ""])).to_list()
        (['1.0', '2.5', None], ['a', None])
    """
    if column.dtype.is_float():
        whole = column.drop_nulls().drop_nans()
        column = column.fill_nan(None)
        if bool((whole == whole.round()).all()):
            column = column.cast(pl.Int64, strict=False)
    text = column.cast(pl.String).str.strip_chars()
    return text.set(text == "", None)


def _groups(frame: pl.DataFrame, by: Sequence[str]) -> tuple[Ints, list[tuple[str, ...]]]:
    """(n,) the cell of `by` of each row, and the names of the cells, in order of appearance."""
    if not by:
        return np.zeros(frame.height, dtype=np.int64), [()]
    keys = frame.select(pl.col(b).cast(pl.String).fill_null("") for b in by)
    cells = keys.unique(maintain_order=True).with_row_index("_group")
    code = keys.join(cells, on=list(by), how="left", maintain_order="left")["_group"].to_numpy().astype(np.int64)
    return code, [tuple(row[1:]) for row in cells.iter_rows()]


@dataclass(frozen=True, slots=True)
class _Made:
    """Margins ready to be met, the name of each of their categories, and what is wrong."""

    margins: list[Margin]
    labels: list[list[tuple[tuple[str, ...], str, str]]]
    problems: list[Problem]


def _margins(
    said: Sequence[Said], codes: Mapping[str, pl.Series], weight: Array, group: Ints, names: Sequence[tuple[str, ...]]
) -> _Made:
    """Every margin in every group as numbers."""
    whole = np.bincount(group, weight, minlength=len(names))
    rows = np.bincount(group, minlength=len(names))
    margins: list[Margin] = []
    labels, faults = [], list[Fault]()
    totals: dict[int, tuple[float, Said]] = {}
    parts = []
    for one in said:
        joint = pl.DataFrame([codes[v].alias(str(i)) for i, v in enumerate(one.variables)])
        text = joint.select(pl.concat_str(pl.all(), separator="*")).to_series().to_numpy().astype(str)
        category, own = np.unique(text, return_inverse=True)
        code = np.full(text.size, -1, dtype=np.int64)
        label: list[tuple[tuple[str, ...], str, str]] = []
        share: list[float] = []
        of: list[int] = []
        for g, name in enumerate(names):
            here = np.flatnonzero(group == g)
            present = np.unique(own[here])
            have = {str(category[c]): float(weight[here[own[here] == c]].sum()) / whole[g] for c in present}
            try:
                shares, count = shares_of(one, name, have, int(rows[g]))
            except Faults as error:
                faults += error.faults
                continue
            if count is not None:
                if g in totals and abs(totals[g][0] - count) > 0.005 * count:
                    faults.append(_unlike(one, totals[g][1], count, totals[g][0], name))
                totals.setdefault(g, (count, one))
            code[here] = len(label) + np.searchsorted(present, own[here])
            label += [(name, one.name, c) for c in have]
            share += [shares[c] for c in have]
            of += [g] * len(have)
        parts.append((code, np.array(share), np.array(of, dtype=np.int64)))
        labels.append(label)
    problems = told_once(faults, len(names))
    if not problems:
        size = np.array([totals[g][0] if g in totals else whole[g] for g in range(len(names))])
        margins = [Margin(code, share * size[of], of) for code, share, of in parts]
    return _Made(margins, labels, problems)


def _unlike(one: Said, other: Said, count: float, before: float, group: tuple[str, ...]) -> Fault:
    en = f"the margin {one.name} counts {count:,.0f} people{OF}, {other.name} {before:,.0f}."
    zh = f"边际 {one.name} 合计 {count:,.0f} 人{OF}，而 {other.name} 合计 {before:,.0f} 人。"
    do, do_zh = "Give both for the same population, or give shares.", "请给出同一总体的人数，或改用比例。"
    return Fault("E-MARGIN", one.place, en, zh, do, do_zh, group)


def _margin_table(made: _Made, before: Array, after: Array, by: Sequence[str]) -> pl.DataFrame:
    """Shares of every category before and after, beside what they should be."""
    rows = []
    for margin, label in zip(made.margins, made.labels, strict=True):
        many = margin.target.size
        count = np.bincount(margin.code, minlength=many)
        weights = (margin.target, *(np.bincount(margin.code, w, minlength=many) for w in (before, after)))
        shares = [w / np.bincount(margin.group, w)[margin.group] for w in weights]
        rows += [
            (*group, name, category, int(count[i]), *(float(s[i]) for s in shares))
            for i, (group, name, category) in enumerate(label)
        ]
    schema = {**dict.fromkeys(by, pl.String), "margin": pl.String, "category": pl.String, "n": pl.Int64}
    schema |= dict.fromkeys(("target", "before", "after"), pl.Float64)
    return pl.DataFrame(rows, schema=schema, orient="row")


def _group_table(fitted: Fitted, group: Ints, names: Sequence[tuple[str, ...]], by: Sequence[str]) -> pl.DataFrame:
    """What weighting costs every group."""
    n, effect, effective = kish(fitted.weight, group)
    total = np.bincount(group, fitted.weight)
    relative = fitted.weight / (total / n)[group]
    low, high = np.full(n.size, np.inf), np.zeros(n.size)
    np.minimum.at(low, group, relative)
    np.maximum.at(high, group, relative)
    cut = np.bincount(group, fitted.trimmed.astype(np.float64)) / n
    columns = {b: pl.Series([name[i] for name in names], dtype=pl.String) for i, b in enumerate(by)}
    numbers = {"n": n.astype(np.int64), "design_effect": effect, "effective_n": effective, "smallest": low}
    numbers |= {"largest": high, "trimmed": cut, "deviation": fitted.deviation, "sum": total}
    return pl.DataFrame({**columns, **numbers})
