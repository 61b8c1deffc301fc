"""Tables of an item analysis: categories, pairs, absent answers, scale use, time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from csi.errors import Problems, problem
from csi.measures.answered import Answered
from csi.measures.blocks import correlations
from csi.measures.item_analysis.categories import SURE, Categories, categories_of, possible, rest_scores, steps
from csi.measures.item_analysis.close_pairs import CATEGORIES, TABLES, codes_of, polychorics
from csi.measures.item_analysis.of_construct import OfConstruct
from csi.measures.item_analysis.scale_use import acquiescence, as_asked, habits, summary
from csi.measures.pairwise import counts
from csi.measures.tidy import number_column
from csi.moments.stack import Array, Ints

CLOSE = 0.25
"""A pair is close when its Pearson correlation is less than this below the limit of redundancy."""

PAIRED = 20
"""Rows with both answers below which a pair has no polychoric correlation."""

SAME = 1 - 1e-9
"""Absolute correlation of items that are one."""


def ends_of(found: Answered) -> tuple[Array, Array, np.ndarray]:
    """(p,) ends of each item's scale, observed ones where they are not known (NaN without answers); which are known."""
    known = np.isfinite(found.minimum) & np.isfinite(found.maximum)
    here = ~np.isnan(found.rows)
    low = np.where(here, found.rows, np.inf).min(axis=0, initial=np.inf)
    high = np.where(here, found.rows, -np.inf).max(axis=0, initial=-np.inf)
    low, high = (np.where(here.any(axis=0), end, np.nan) for end in (low, high))
    return np.where(known, found.minimum, low), np.where(known, found.maximum, high), known


def categories_frame(found: Answered, small: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What the categories of every item come to (a row per construct and item), and every category."""
    each: list[dict[str, object]] = []
    every = []
    for construct, names in found.scales.items():
        at = found.columns(names)
        rest = rest_scores(found.rows[:, at])
        for i, (name, j) in enumerate(zip(names, at.tolist(), strict=True)):
            values = possible(found.rows[:, j], found.minimum[j], found.maximum[j])
            if values is None:
                each.append({"construct": construct, "item": name, "reason": "R-CATEGORIES"})
                continue
            one = categories_of(found.rows[:, j], rest[:, i], found.weight, values, small)
            each.append({"construct": construct, "item": name, **_order(one, alone=len(names) == 1)})
            every.append(_category_rows(construct, name, one, alone=len(names) == 1))
    order = pl.DataFrame(each, schema=_ORDER)
    return order, pl.concat(every) if every else pl.DataFrame(schema=_CATEGORY)


_ORDER = {
    "construct": pl.String,
    "item": pl.String,
    "categories": pl.Int64,
    "used": pl.Int64,
    "unused": pl.String,
    "disorder": pl.Float64,
    "reversed_steps": pl.String,
    "clear_reversals": pl.String,
    "reason": pl.String,
}
_CATEGORY = {
    "construct": pl.String,
    "item": pl.String,
    "category": pl.Float64,
    "n": pl.Int64,
    "share": pl.Float64,
    "mean_rest": pl.Float64,
    "se": pl.Float64,
    "reason": pl.String,
}


def _order(one: Categories, *, alone: bool) -> dict[str, object]:
    """Which categories are used, and whether their order is that of the rest of the scale."""
    low, high, z = steps(one)
    down = z < 0
    said, clear = (
        ", ".join(f"{one.value[a]:g}>{one.value[b]:g}" for a, b in zip(low[which], high[which], strict=True))
        for which in (down, z < -SURE)
    )
    unused = ", ".join(f"{v:g}" for v in one.value[one.n == 0])
    return {
        "categories": one.value.size,
        "used": int((one.n > 0).sum()),
        "unused": unused or None,
        "disorder": float(down.mean()) if low.size else None,
        "reversed_steps": said or None,
        "clear_reversals": clear or None,
        "reason": None if low.size or alone else "R-STEPS",
    }


def _category_rows(construct: str, name: str, one: Categories, *, alone: bool) -> pl.DataFrame:
    why = "R-ONE-ITEM" if alone else "R-CATEGORY-BASE"
    return pl.DataFrame(
        {
            "construct": [construct] * one.value.size,
            "item": [name] * one.value.size,
            "category": one.value,
            "n": one.n,
            "share": number_column(one.share),
            "mean_rest": number_column(one.rest),
            "se": number_column(one.error),
            "reason": pl.Series([None if np.isfinite(r) else why for r in one.rest], dtype=pl.String),
        },
        schema_overrides=_CATEGORY,
    )


def pairs_frame(
    found: Answered, cov: Array, each: Mapping[str, OfConstruct], redundant: float, dependent: float
) -> pl.DataFrame:
    """Every pair of items: Pearson, polychoric where close, residual correlation within a construct, the finding."""
    p = len(found.names)
    i, j = np.triu_indices(p, 1)
    r = correlations(cov)[i, j]
    n = counts(found.rows)[i, j].astype(np.int64)
    poly, poly_why = _polychoric(found, i, j, np.where(n < PAIRED, np.nan, r), redundant)
    home = _homes(found)
    q3, adjusted = np.full((p, p), np.nan), np.full((p, p), np.nan)
    why = np.full((p, p), "R-ACROSS", dtype=object)
    for construct, one in each.items():
        at = np.ix_(found.columns(found.scales[construct]), found.columns(found.scales[construct]))
        q3[at], adjusted[at], why[at] = one.q3, one.q3_adjusted, one.q3_reason
    top = np.where(np.isfinite(poly), poly, r)
    finding = np.where(
        np.abs(r) >= SAME,
        "identical",
        np.where(np.abs(top) >= redundant, "redundant", np.where(adjusted[i, j] > dependent, "dependent", "")),
    )
    reasons = [
        " ".join(dict.fromkeys(f"{'R-PAIR' if np.isnan(v) else a} {b}".split()))
        for v, a, b in zip(r, poly_why, why[i, j], strict=True)
    ]
    names = np.array(found.names, dtype=object)
    return pl.DataFrame(
        {
            "construct": [home[a] for a in names[i]],
            "other_construct": [home[b] for b in names[j]],
            "item": pl.Series(names[i].tolist(), dtype=pl.String),
            "other": pl.Series(names[j].tolist(), dtype=pl.String),
            "n": n,
            "r": number_column(r),
            "polychoric": number_column(poly),
            "q3": number_column(q3[i, j]),
            "q3_adjusted": number_column(adjusted[i, j]),
            "finding": pl.Series([f or None for f in finding.tolist()], dtype=pl.String),
            "reason": pl.Series([w or None for w in reasons], dtype=pl.String),
        },
        schema_overrides={"construct": pl.String, "other_construct": pl.String},
    )


def _homes(found: Answered) -> dict[str, str]:
    """Item -> the first construct it belongs to."""
    home: dict[str, str] = {}
    for construct, names in found.scales.items():
        for name in names:
            home.setdefault(name, construct)
    return home


def _polychoric(found: Answered, i: Ints, j: Ints, r: Array, redundant: float) -> tuple[Array, list[str]]:
    """(t,) polychoric correlations of the closest pairs, and the code of why the others have none.

    Parameters:
        i, j: (t,) places of the items. r: (t,) their correlations, NaN where too few rows answer both.
    """
    codes, many = codes_of(found.rows)
    few = (many[i] <= CATEGORIES) & (many[j] <= CATEGORIES)
    close = np.abs(np.nan_to_num(r)) >= redundant - CLOSE
    use = np.flatnonzero(few & close)
    use = use[np.argsort(-np.abs(r[use]), kind="stable")][:TABLES]
    poly = np.full(r.size, np.nan)
    poly[use] = polychorics(codes, many, found.weight, np.stack([i[use], j[use]], axis=1))
    return poly, [
        "" if np.isfinite(v) else "R-CATEGORIES" if not f else "R-NOT-CLOSE" if np.isfinite(a) else "R-PAIR-FEW"
        for v, f, a in zip(poly, few, r, strict=True)
    ]


def missing_frame(found: Answered) -> pl.DataFrame:
    """Absent answers of every item by reason, as shares of the rows with any answer."""
    rows = [
        {"item": item, "reason": why, "n": count, "share": count / max(len(found.rows), 1)}
        for item in found.names
        for why, count in sorted(found.reasons.get(item, {}).items())
    ]
    return pl.DataFrame(rows, schema={"item": pl.String, "reason": pl.String, "n": pl.Int64, "share": pl.Float64})


_SUMMARY = {
    "n": pl.Int64,
    "mean": pl.Float64,
    "sd": pl.Float64,
    "p10": pl.Float64,
    "median": pl.Float64,
    "p90": pl.Float64,
}


def scale_use_frame(found: Answered) -> pl.DataFrame:
    """How respondents use the scale, summarised over them."""
    low, high, _ = ends_of(found)
    turned = np.array([name in found.reversed for name in found.names])
    asked = as_asked(found.rows, low, high, turned)
    odd = (high - low) % 2 == 0
    measures = {**habits(asked), "middle": habits(asked[:, odd])["middle"]}
    pairs = _directions(found)
    why = {**dict.fromkeys(measures, "R-FEW-ANSWERS"), **({} if odd.any() else {"middle": "R-NO-MIDDLE"})}
    measures["acquiescence"] = acquiescence(asked, pairs) if pairs else np.full(len(asked), np.nan)
    why["acquiescence"] = "R-FEW-ANSWERS" if pairs else "R-ONE-DIRECTION"
    rows: list[dict[str, object]] = []
    for name, values in measures.items():
        told = summary(values, found.weight)
        rows.append({"measure": name, **told, "reason": None if told["n"] else why[name]})
    frame = pl.DataFrame(rows, schema={"measure": pl.String, **_SUMMARY, "reason": pl.String})
    return frame.with_columns(pl.col(pl.Float64).fill_nan(None))


def _directions(found: Answered) -> Sequence[tuple[Ints, Ints]]:
    """Places of the items of each direction, for constructs that have both."""
    both = []
    for names in found.scales.values():
        sides = [[n for n in names if (n in found.reversed) is turned] for turned in (False, True)]
        if all(sides):
            both.append((found.columns(sides[0]), found.columns(sides[1])))
    return both


def time_frame(found: Answered, asked: Mapping[str, str]) -> pl.DataFrame:
    """How long respondents took, over the questionnaire ("all") and per item, and how many were fast.

    Raises:
        Problems: E-NUMBER, where a column holds no numbers.
    """
    rows: list[dict[str, object]] = []
    problems = []
    for of, column in asked.items():
        values = found.keys[column].cast(pl.Float64, strict=False)
        if values.null_count() > found.keys[column].null_count():
            en, zh = "its times are not numbers.", "其中的时间不是数值。"
            do, do_zh = "Give seconds as numbers.", "请以数值给出秒数。"
            problems.append(problem("E-NUMBER", f'column "{column}"', en, zh, do, do_zh))
            continue
        seconds = values.fill_null(np.nan).to_numpy()
        told = summary(seconds, found.weight)
        here = np.isfinite(seconds)
        fast = (
            float(np.average(seconds[here] < 0.5 * told["median"], weights=found.weight[here])) if told["n"] else None
        )
        rows.append({"of": of or "all", **told, "fast": fast})
    if problems:
        raise Problems(problems)
    frame = pl.DataFrame(rows, schema={"of": pl.String, **_SUMMARY, "fast": pl.Float64})
    return frame.with_columns(pl.col(pl.Float64).fill_nan(None))
