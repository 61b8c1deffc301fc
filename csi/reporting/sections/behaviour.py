"""What goes with the score: how many of each band say they will stay, buy again, recommend."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import numpy as np
import polars as pl

from csi.behaviour.transitions import shares
from csi.errors import Text, note
from csi.moments.stack import Array
from csi.reporting import style, words
from csi.reporting.analysis import Analysis, published_weights
from csi.reporting.drawn import figure
from csi.reporting.figures.shares import share_panels
from csi.reporting.section import Column, Section, Table
from csi.reporting.sections.drawn import few, percent
from csi.reporting.sections.items import focal_rows
from csi.survey.disclosure import apart

EDGES = (50.0, 70.0, 85.0)
"""Where bands of the 0-100 score begin, above the first."""
TOP = 2
"""So many points at the upper end of a scale count as agreement (top two boxes)."""
Edges = tuple[float, ...]


def named(edges: Edges) -> dict[str, Text]:
    """The bands between some edges, in words, lowest first.

    Example:
        >>> [t.en for t in named((70.0, 85.0)).values()]
        ['below 70', '70 to 85', '85 and above']
    """
    if not edges:
        return {"all": Text("all respondents", "全体受访者")}
    low, high = f"{edges[0]:g}", f"{edges[-1]:g}"
    between = {f"{a:g}-{b:g}": Text(f"{a:g} to {b:g}", f"{a:g}–{b:g} 分") for a, b in pairwise(edges)}
    first, last = Text(f"below {low}", f"{low} 分以下"), Text(f"{high} and above", f"{high} 分及以上")
    return {f"-{low}": first, **between, f"{high}-": last}


def merged(score: Array, small: int) -> Edges:
    """The edges that leave enough scores in every band: a band of few goes to its smaller neighbour.

    Example:
        >>> merged(np.array([40.0] * 5 + [60.0] * 50 + [80.0] * 90 + [90.0] * 70), 30)
        (70.0, 85.0)
    """
    edges = list(EDGES)
    while edges:
        n = np.bincount(np.digitize(score, edges), minlength=len(edges) + 1)
        least = int(np.argmin(n))
        if n[least] >= small:
            break
        sides = [k for k in (least - 1, least + 1) if 0 <= k < len(n)]
        other = min(sides, key=lambda k: int(n[k]))
        edges.pop(min(least, other))
    return tuple(edges)


def consequences(a: Analysis) -> list[str]:
    """Items of the constructs that the target leads to."""
    reached, front = set[str](), [a.target]
    while front:
        here = front.pop()
        new = {p.outcome for p in a.model.paths if p.predictor.name == here} - reached
        reached |= new
        front += sorted(new)
    return [i for c in a.model.constructs if c.name in reached for i in c.items if i not in a.model.names]


def behaviour(a: Analysis) -> Section:
    """Top two boxes of every consequence by band of the target's score, with intervals; small bands stay empty."""
    frame, bands = band_frame(a)
    title = finding(a, frame, bands)
    shown = frame.filter(pl.col("share").is_not_null())
    labels = {**bands, **{f"panel {i}": a.study.codebook[i].label for i in frame["item"].unique().to_list()}}
    drawn = shown.select(panel="item", name="band", share="share", low="conf_low", high="conf_high")
    draw = partial(share_panels, drawn, labels=labels)
    brand, level = a.brand_labels[a.focal], percent(a.index.level)
    columns = (
        Column("item", Text("Answer", "回答")),
        Column("band", Text(f"{a.label(a.target).en} (0–100)", f"{a.label(a.target).zh}（0–100）")),
        Column("share", Text("Top two boxes", "最高两档"), "share"),
        Column("conf_low", Text("from", "下限"), "share"),
        Column("conf_high", Text("to", "上限"), "share"),
        Column("n", Text("n", "样本量"), "count"),
    )
    texts = {**bands, **{i: a.study.codebook[i].label for i in frame["item"].unique().to_list()}}
    table = Table("behaviour", Text("By band of the score", "按得分区间"), frame, columns, texts=texts)
    return Section(
        key="behaviour",
        title=title,
        subtitle=Text(
            f"{brand.en}: share that gives one of the two highest answers, by band of the respondent's own score, with "
            f"{level} intervals; {few(a)} stays empty",
            f"{brand.zh}：按受访者自身得分区间，选择最高两档回答的比例与 {level} 区间；{few(a)} 留空",
        ),
        figures=(figure("behaviour", title, draw),) if shown.height else (),
        tables=(table,),
        notes=(ASSOCIATED,),
        data={"behaviour": frame},
    )


ASSOCIATED = note(
    "N-INTENTIONS",
    "Stated intentions in the same interview as the score: associated, not an effect, and not yet behaviour.",
    "意向与得分出自同一次访问：为关联而非效果，亦非实际行为。",
)


def own_scores(a: Analysis) -> Array:
    """The target's score of each respondent, 0-100, with the published weights; NaN without every answer."""
    mine = focal_rows(a)
    given = published_weights(a.index, a.focal, a.wave).get(a.target, {})
    items = [i for i in given if i in mine.columns]
    if not items:
        return np.full(mine.height, np.nan)
    w = np.array([given[i] for i in items])
    parts = []
    for item in items:
        scale = a.study.codebook[item].scale
        answer = mine[item].cast(pl.Float64).fill_null(np.nan).to_numpy()
        parts.append(100 * (answer - scale.minimum) / (scale.maximum - scale.minimum))
    return np.asarray(np.stack(parts, axis=1) @ w / w.sum())


def band_frame(a: Analysis) -> tuple[pl.DataFrame, dict[str, Text]]:
    """item, band, share, conf_low, conf_high, n; and the bands in words.

    Bands of few answers are joined; one that is still of few to an item, or gives such a one away, has no number.
    """
    mine, score = focal_rows(a), own_scores(a)
    edges = merged(score[np.isfinite(score)], a.study.settings.small)
    bands = named(edges)
    band = np.where(np.isfinite(score), np.digitize(score, edges), -1)
    weight = mine["weight"].cast(pl.Float64).to_numpy() if "weight" in mine.columns else np.ones(mine.height)
    rows: list[dict[str, object]] = []
    for item in (i for i in consequences(a) if i in mine.columns):
        top = a.study.codebook[item].scale.maximum - TOP + 1
        answer = mine[item].cast(pl.Float64).fill_null(np.nan).to_numpy()
        given = np.isfinite(answer)
        n = np.array([int(((band == k) & given).sum()) for k in range(len(bands))])
        told = apart(n, a.study.settings.small, int(((band < 0) & given).sum()))
        found = band_shares(score, answer, weight, edges, top, a.index.level)
        for k, name in enumerate(bands):
            row: dict[str, object] = {"item": item, "band": name, "share": None, "conf_low": None, "conf_high": None}
            row |= {"n": int(n[k]) if told[k] else None, "share_reason": None if told[k] else few(a)}
            if told[k]:
                row |= dict(zip(("share", "conf_low", "conf_high"), found[k] or (None,) * 3, strict=True))
            rows.append(row)
    text, number = pl.String, pl.Float64
    schema = {"item": text, "band": text, "share": number, "conf_low": number, "conf_high": number, "n": pl.Int64}
    return pl.DataFrame(rows, schema={**schema, "share_reason": text}), bands


def band_shares(
    score: Array, answer: Array, weight: Array, edges: Edges, top: float, level: float
) -> list[tuple[float, float, float] | None]:
    """Share of each band whose answer is at least `top`, with its interval; None of a band without answers.

    Parameters:
        score, answer, weight: (n,) of respondents; NaN where absent. edges: where bands begin, above the first.

    Example:
        >>> score, answer = np.array([60.0, 60, 90, 90]), np.array([5.0, 9, 9, 10])
        >>> [round(s[0], 2) for s in band_shares(score, answer, np.ones(4), (70.0,), 9, 0.95)]
        [0.5, 1.0]
    """
    band = np.where(np.isfinite(score), np.digitize(score, edges), -1)
    out: list[tuple[float, float, float] | None] = []
    for k in range(len(edges) + 1):
        here = (band == k) & np.isfinite(answer)
        count = int(here.sum())
        if not count:
            out.append(None)
            continue
        flags = (answer[here] >= top).astype(np.float64)[:, None]
        found = shares(flags, weight[here], np.arange(count), np.zeros(count, dtype=np.int64), level)
        out.append((float(found.share[0]), float(found.low[0]), float(found.high[0])))
    return out


def finding(a: Analysis, frame: pl.DataFrame, bands: dict[str, Text]) -> Text:
    """The consequence whose highest and lowest published band are furthest apart; that none can be told apart."""
    best: tuple[float, dict[str, float], dict[str, float], str] | None = None
    for item in frame["item"].unique(maintain_order=True).to_list():
        told = frame.filter((pl.col("item") == item) & pl.col("share").is_not_null())
        if told.height < 2:
            continue
        low, high = told.row(0, named=True), told.row(told.height - 1, named=True)
        gap = high["share"] - low["share"]
        if high["conf_low"] > low["conf_high"] and (best is None or gap > best[0]):
            best = (gap, low, high, item)
    if best is not None:
        _, low, high, item = best
        label = a.study.codebook[item].label
        named_ = [bands[str(r["band"])] for r in (high, low)]
        size = [style.share(r["share"], 0) for r in (high, low)]
        return Text(
            f"“{label.en}”: {size[0]} of those at {named_[0].en}, {size[1]} at {named_[1].en}",
            f"“{label.zh}”：{named_[0].zh}者为 {size[0]}，{named_[1].zh}者为 {size[1]}",
        )
    target = words.lowered(a.label(a.target))
    if not frame["share"].count():
        return Text("Too few answers in every band to tell behaviour", "各得分区间答卷过少，无法给出行为意向")
    return Text(f"No intention is told apart between bands of {target.en}", f"各{target.zh}得分区间的意向无法区分")
