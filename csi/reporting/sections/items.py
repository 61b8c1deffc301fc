"""The questionnaire, item by item: how it was answered and how well it loads."""

from __future__ import annotations

from functools import partial

import numpy as np
import polars as pl

from csi.errors import Text
from csi.reporting import figures, words
from csi.reporting.analysis import Analysis
from csi.reporting.drawn import figure
from csi.reporting.section import Section
from csi.reporting.sections.drawn import percent
from csi.reporting.sections.measurement import LOADING, loading_frame

MISSING = 0.05
"""A share of absent answers worth a look, among those who were asked."""


def items(a: Analysis) -> Section:
    """Wording, answers, loading with interval, mean and missing share of every item of the model."""
    answers, missing = shares_of(a), missing_of(a)
    frame = item_frame(a, answers, missing)
    title = items_finding(frame)
    low, high = _range(a, frame["item"].to_list())
    draw = partial(_draw, a, frame, (low, high))
    level = percent(a.index.level)
    return Section(
        key="items",
        title=title,
        subtitle=Text(
            f"{a.brand_labels[a.focal].en}: answers from {low:g} to {high:g}, loading with {level} interval, mean, "
            f"missing; answers and mean {weighted(a).en} over all who answered the item; coloured: loading below "
            f".708, more than {MISSING:.0%} missing",
            f"{a.brand_labels[a.focal].zh}：{low:g}–{high:g} 分的回答分布、载荷与 {level} 区间、均值与缺失；"
            f"分布与均值{weighted(a).zh}，含答过该题的全部受访者；着色处为载荷低于 0.708 或缺失超过 {MISSING:.0%}",
        ),
        figures=(figure("items", title, draw),),
        data={"items": frame.drop("shares", "doubtful"), "answers": answers, "missing": missing},
    )


def _draw(a: Analysis, frame: pl.DataFrame, scale: tuple[float, float], *, lang: str, finding: str, width: int) -> str:
    """The figure with each item's wording in the language drawn."""
    worded = frame.with_columns(wording=pl.Series([a.study.codebook.label(i, lang) for i in frame["item"].to_list()]))
    return figures.item_table(worded, labels=a.construct_labels, scale=scale, lang=lang, finding=finding, width=width)


def items_finding(frame: pl.DataFrame) -> Text:
    """The sentence over the items."""
    doubtful = frame.filter(pl.col("doubtful"))["item"].to_list()
    return words.items([Text(i, i) for i in doubtful], frame.height)


def item_frame(a: Analysis, answers: pl.DataFrame, missing: pl.DataFrame) -> pl.DataFrame:
    """construct, item, wording, shares (list), loading, conf_low, conf_high, mean, sd, missing, n, doubtful."""
    mine = focal_rows(a)
    shares = dict(answers.group_by("item", maintain_order=True).agg("share").iter_rows())
    not_asked = dict(missing.filter(reason="not_asked").select("item", "n").iter_rows())
    rows = []
    for construct in a.model.constructs:
        for item in construct.items:
            if item not in mine.columns:
                continue
            column, skipped = mine[item], not_asked.get(item, 0)
            mean, sd = weighted_mean(column, mine["weight"] if "weight" in mine.columns else None)
            rows.append(
                {
                    "construct": construct.name,
                    "item": item,
                    "wording": a.study.codebook.label(item, a.study.language),
                    "shares": shares[item],
                    "mean": mean,
                    "sd": sd,
                    "missing": (column.null_count() - skipped) / max(column.len() - skipped, 1),
                    "n": column.len() - column.null_count(),
                }
            )
    frame = pl.DataFrame(rows)
    doubt = (pl.col("missing") > MISSING) | (pl.col("sd") == 0)
    if a.cell is None:
        none = [pl.lit(None, pl.Float64).alias(c) for c in ("loading", "conf_low", "conf_high")]
        return frame.with_columns(*none, doubt.alias("doubtful"))
    loads = loading_frame(a.cell).select("item", "loading", "conf_low", "conf_high", "mode", "n_items")
    frame = frame.join(loads, on="item", how="left", maintain_order="left")
    weak = (pl.col("loading") < LOADING) & (pl.col("mode") == "A") & (pl.col("n_items") > 1)
    return frame.with_columns((weak.fill_null(value=False) | doubt).alias("doubtful")).drop("mode", "n_items")


def weighted_mean(answers: pl.Series, weights: pl.Series | None) -> tuple[float | None, float | None]:
    """Mean and standard deviation of the answers there are, `sum w x / sum w` and `sqrt(n/(n-1) sum w d^2 / sum w)`.

    Parameters:
        answers: nulls take no part. weights: of the same rows; None weighs all alike.

    Example:
        >>> weighted_mean(pl.Series([1.0, 4.0, None]), pl.Series([2.0, 1.0, 5.0]))
        (2.0, 2.0)
    """
    given = answers.is_not_null()
    x = answers.filter(given).cast(pl.Float64).to_numpy()
    w = np.ones(x.size) if weights is None else weights.filter(given).cast(pl.Float64).to_numpy()
    if x.size < 1 or not w.sum() > 0:
        return None, None
    mean = float(w @ x / w.sum())
    return mean, float(np.sqrt(x.size / (x.size - 1) * (w @ (x - mean) ** 2) / w.sum())) if x.size > 1 else None


def weighted(a: Analysis) -> Text:
    """Whether the study has design weights, as a word."""
    has = "weight" in a.panel.frame.columns
    return Text("weighted", "已加权") if has else Text("unweighted", "未加权")


def focal_rows(a: Analysis) -> pl.DataFrame:
    """The kept answers of the focal brand at the wave, one row per respondent."""
    return a.panel.frame.filter((pl.col("brand") == a.focal) & (pl.col("wave") == a.wave))


def _range(a: Analysis, items_: list[str]) -> tuple[float, float]:
    low, high = a.study.codebook.bounds(items_)
    return min(low), max(high)


def shares_of(a: Analysis) -> pl.DataFrame:
    """item, answer, share of the given answers (weighted), n (how many): every point of the item's scale."""
    mine, rows = focal_rows(a), []
    for item in (i for i in a.model.items if i in mine.columns):
        scale = a.study.codebook[item].scale
        points = [scale.minimum + i for i in range(round(scale.maximum - scale.minimum) + 1)]
        given = mine.filter(pl.col(item).is_not_null())
        rounded = given[item].round().to_numpy()
        w = given["weight"].to_numpy() if "weight" in mine.columns else np.ones(given.height)
        for p in points:
            here = rounded == p
            share = float(w[here].sum() / w.sum()) if given.height else 0.0
            rows.append({"item": item, "answer": p, "share": share, "n": int(here.sum())})
    return pl.DataFrame(rows, schema={"item": pl.String, "answer": pl.Float64, "share": pl.Float64, "n": pl.Int64})


def missing_of(a: Analysis) -> pl.DataFrame:
    """item, reason, n: why answers of the focal brand are absent at the wave."""
    frame, reasons = a.panel.frame, a.panel.reasons
    schema = {"item": pl.String, "reason": pl.String, "n": pl.Int64}
    if reasons.height != frame.height:
        return pl.DataFrame(schema=schema)
    mine = reasons.filter((frame["brand"] == a.focal) & (frame["wave"] == a.wave))
    rows = [
        {"item": item, "reason": reason, "n": n}
        for item in a.model.items
        if item in mine.columns
        for reason, n in mine[item].drop_nulls().value_counts(sort=True).sort(item).iter_rows()
    ]
    return pl.DataFrame(rows, schema=schema)
