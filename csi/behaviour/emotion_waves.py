"""Emotion over waves: whose patterns change, and whether strong negative emotion is gone after a complaint was handled.

Source:
    Westbrook & Oliver (1991), Journal of Consumer Research 18(1), 84-91 (patterns); differences of shares: Newcombe
    (1998), Statistics in Medicine 17, 873-890 (hybrid of Wilson's limits).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
import polars as pl

from csi.behaviour.asked import Scored, scored
from csi.behaviour.emotion_patterns import EmotionPatterns, emotion_patterns, labels_of
from csi.behaviour.incidents import HANDLED, elsewhere, handling, incidents
from csi.behaviour.lifecycle import Lifecycle, lifecycle
from csi.behaviour.partition import nearest
from csi.behaviour.transitions import design_of, shares
from csi.display import Shown, fixed, text
from csi.errors import Note, Problem, Problems, Text, did_you_mean, note, problem
from csi.estimate.given import check_panel
from csi.inference.linearised import between
from csi.inference.settings import check_settings
from csi.measures.shown import based, told
from csi.moments.stack import Array
from csi.survey.bases import FLAGGED, SMALL, Bases
from csi.survey.events import Events, joined, read_events
from csi.survey.panel import Panel

GROUPS: Final = {
    "handled": Text("complaint handled", "投诉已处理"),
    "not handled": Text("complaint not handled", "投诉未处理"),
    "no complaint": Text("no complaint", "未投诉"),
}
OUTCOMES: Final = {
    "not negative": Text("negative emotion low a wave later", "下一期消极情感低"),
    "turned positive": Text("negative low and positive high a wave later", "下一期消极低且积极高"),
}
HEADINGS: Final = {
    "group": Text("customers", "顾客"),
    "outcome": Text("outcome", "结果"),
    "n": Text("n", "样本量"),
    "count": Text("of these", "其中人数"),
    "share": Text("share", "占比"),
    "std_error": Text("SE", "标准误"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "difference": Text("handled less not handled", "已处理减未处理"),
}


@dataclass(frozen=True, slots=True, repr=False)
class EmotionWaves(Shown):
    """Negative emotion a wave later, by what became of the complaint, and moves between patterns.

    Attributes:
        table: of customers with strong negative emotion, all pairs of waves together: group ("handled", "not handled",
            "no complaint"), outcome ("not negative", "turned positive"), n, count, share, std_error, conf_low,
            conf_high (Wilson, by the design), flag, reason, reason_zh; no rows where nothing says what was handled.
        difference: outcome, difference (share handled less share not handled), conf_low, conf_high (Newcombe, with the
            correlation of both shares where clusters or people are in both groups); no rows where a group is withheld.
        patterns: a `Lifecycle` whose stages are the patterns of the first wave, applied to all waves.
        cut, positive, negative, level, sentences, notes.
    """

    table: pl.DataFrame
    difference: pl.DataFrame
    patterns: Lifecycle
    cut: float
    positive: str
    negative: str
    level: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: EmotionWaves, lang: str = "en") -> str:
    """Sentences, shares by group, their difference, the patterns, notes."""
    words = {k: t.say(lang) for k, t in {**GROUPS, **OUTCOMES}.items()}
    lines = [*(s.say(lang) for s in value.sentences), ""]
    for frame in (value.table, value.difference):
        if frame.height:
            named = frame.with_columns(pl.col(c).replace(words) for c in ("group", "outcome") if c in frame.columns)
            lines += [based(named, HEADINGS, lang), ""]
    return "\n".join([*lines, *told((), value.notes, lang), "", text(value.patterns, lang)])


def emotion_waves(
    panel: Panel,
    positive: str = "positive",
    negative: str = "negative",
    *,
    handled: str = "",
    complaints: object | None = None,
    cut: float = 50.0,
    patterns: int | None = None,
    where: Mapping[str, str] | None = None,
    seed: int = 1,
    level: float = 0.95,
    small: int = SMALL,
    flagged: int = FLAGGED,
) -> EmotionWaves:
    """Shares of customers whose strong negative emotion is low a wave later, complaint handled against not handled.

    P(negative low at the next wave | negative high at a wave, group), of customers seen in both; every pair of
    successive waves together. Handling is not assigned by lot: the difference is an association, never an effect.

    Parameters:
        panel: answers with respondent and wave. positive, negative: constructs; scores 0-100. handled: an item answered
            at the later wave, 1 handled, 0 not handled, absent without a complaint. complaints: instead of it a table
            of complaints (id, complained, handled_score, perhaps wave: that of the strong emotion), read as in
            `csi.complaints`: one without a handled_score was not handled. Without either only patterns are told.
        cut: scores above it are high. patterns: how many are looked for at the first wave. where, seed, level, small,
            flagged: as in `csi.emotion_patterns`.

    Returns:
        An `EmotionWaves`.

    Raises:
        Problems: E-ROLE, E-SCALE (handled is not answered 0 or 1), E-WAVE (customers cannot be followed), E-EVENT,
            E-SETTING, E-DUPLICATE.

    Example:
        >>> from csi.survey.codebook import Codebook, Item, Scale
        >>> ten, yes = Scale("ten", 0, 10), Scale("yes", 0, 1)
        >>> ok = Item("ok", "ok", yes, Text("Handled", "已处理"))
        >>> book = Codebook((*(Item(n, n, ten, Text(n, n)) for n in ("glad", "angry")), ok), {}, {})
        >>> rows = {"respondent": [str(i) for i in range(80)] * 2, "wave": ["1"] * 80 + ["2"] * 80}
        >>> angry = [9.0, 8, 9, 1] * 20 + [1.0, 2, 9, 1] * 10 + [9.0, 8, 9, 1] * 10
        >>> frame = pl.DataFrame({**rows, "glad": [10 - a for a in angry], "angry": angry,
        ...                       "ok": [None] * 80 + [1.0] * 40 + [0.0] * 40})
        >>> panel = Panel(frame, book, frame.select("glad", "angry", "ok").cast(pl.String), ("1", "2"))
        >>> found = emotion_waves(panel, "glad", "angry", handled="ok")
        >>> found.table.filter(outcome="not negative").select("group", "n", pl.col("share").round(3)).rows()[:2]
        [('handled', 30, 0.667), ('not handled', 30, 0.0)]
    """
    check_panel(panel)
    check_settings(level, 1000, seed)
    _check(panel, handled, complaints, cut)
    found = scored(panel, (positive, negative), (), where, level)
    keyed = _keyed(panel, found)
    base = _first(panel, positive, negative, patterns, where, seed, level)
    centres = base.table.select("positive", "negative").to_numpy()
    kinds = base.table["pattern"].to_list()
    named = labels_of(kinds, centres, base.table["count"].to_numpy() >= small)
    moved = lifecycle(
        _placed(panel, keyed, kinds, centres), kinds, labels={**base.labels, **named}, where=where, level=level,
        small=small, flagged=flagged, seed=seed,
    )  # fmt: skip
    if not moved.transitions.height:
        raise Problems([_not_followed(next(n for n in moved.notes if n.code == "E-WAVE"))])
    bases = Bases(small, flagged)
    both = _followed(keyed, moved.waves)
    grouped, said = _handled(panel, both, handled, complaints)
    table = bases.withheld(_table(grouped, cut, level)) if grouped.height else _EMPTY
    gap = _differences(table, grouped, cut)
    notes = (
        *_meaning(compared=table.height > 0),
        *said,
        *bases.notes(table.filter(outcome="not negative").drop("outcome"), [], GROUPS),
        *base.notes,
    )
    sentences = (*_sentences(table, gap, level), *_of_patterns(moved.sentences[1:]))
    return EmotionWaves(table, gap, moved, cut, positive, negative, level, sentences, notes)


_EMPTY: Final = pl.DataFrame(
    schema=dict.fromkeys(("group", "outcome"), pl.String)
    | dict.fromkeys(("n", "count"), pl.Int64)
    | dict.fromkeys(("share", "std_error", "conf_low", "conf_high"), pl.Float64)
    | dict.fromkeys(("flag", "reason", "reason_zh"), pl.String)
)


def _check(panel: Panel, handled: str, complaints: object | None, cut: float) -> None:
    """Refuse what names no waves, respondents or answers of 0 and 1.

    Raises:
        Problems: E-WAVE, E-ROLE, E-SCALE, E-SETTING, all at once.
    """
    found: list[Problem] = []
    lacking = [c for c in ("respondent", "wave") if c not in panel.frame.columns]
    if lacking:
        en, zh = f"no column in the role {' or '.join(lacking)}.", f"没有角色为 {'、'.join(lacking)} 的列。"
        do, do_zh = "Emotion over waves needs the same customers twice.", "跨期情感分析需要同一批顾客的两期数据。"
        found.append(problem("E-WAVE", "emotion_waves", en, zh, do, do_zh))
    if not 0 < cut < 100:
        en, zh = f"cut = {cut:g} is not between 0 and 100.", f"cut = {cut:g} 不在 0 与 100 之间。"
        found.append(problem("E-SETTING", "cut", en, zh, "Write 50.", "请写 50。"))
    if handled and complaints is not None:
        en, zh = "handled= and complaints= are both given.", "同时给出了 handled= 与 complaints=。"
        found.append(problem("E-SETTING", "handled", en, zh, "Give one of them.", "请只给出其一。"))
    elif handled and handled not in panel.codebook.names:
        hint = did_you_mean(handled, panel.codebook.names)
        en, zh = f'the codebook has no item "{handled}".', f"编码簿中没有题项“{handled}”。"
        found.append(problem("E-ROLE", "handled", en, zh, hint.en, hint.zh))
    elif handled and not set(panel.frame[handled].drop_nulls().unique()) <= {0.0, 1.0}:
        en, zh = f"{handled} has answers other than 0 and 1.", f"{handled} 含有 0 与 1 以外的回答。"
        do, do_zh = "Code handled 1, not handled 0, no complaint missing.", "请编码：已处理 1，未处理 0，未投诉为缺失。"
        found.append(problem("E-SCALE", handled, en, zh, do, do_zh))
    if found:
        raise Problems(found)


def _not_followed(why: Note) -> Problem:
    """Customers who do not come again."""
    do, do_zh = "Ask the same customers in two waves.", "请在两期中询问同一批顾客。"
    return problem("E-WAVE", "emotion_waves", why.text.en, why.text.zh, do, do_zh)


def _keyed(panel: Panel, found: Scored) -> pl.DataFrame:
    """Every row with both scores, its keys, and its place in the panel."""
    place = found.sample.place
    at = np.arange(found.sample.weight.size) if place is None else place
    scores = pl.DataFrame(found.scores, schema=["_positive", "_negative"])
    rows = panel.frame.with_row_index("_place").select(pl.all().gather(at.tolist()))
    both = pl.concat([rows, scores], how="horizontal")
    return both.filter(pl.all_horizontal(pl.col("_positive", "_negative").is_finite())).sort("_place")


def _first(
    panel: Panel,
    positive: str,
    negative: str,
    count: int | None,
    where: Mapping[str, str] | None,
    seed: int,
    level: float,
) -> EmotionPatterns:
    """The patterns of the first wave."""
    waves = panel.waves or tuple(panel.frame["wave"].unique().sort())
    chosen = {**(where or {}), "wave": waves[0]}
    return emotion_patterns(
        panel, positive, negative, outcome="", patterns=count, where=chosen, seed=seed, level=level, small=0, flagged=0
    )


def _placed(panel: Panel, keyed: pl.DataFrame, kinds: list[str], centres: Array) -> Panel:
    """The panel with the nearest pattern of the first wave as stage."""
    own = nearest(keyed.select("_positive", "_negative").to_numpy(), centres)
    kind = pl.Series("stage", [kinds[k] for k in own], dtype=pl.String)
    frame = keyed.drop("_place", "_positive", "_negative", *(["stage"] if "stage" in keyed.columns else []))
    return replace(panel, frame=frame.with_columns(kind))


def _followed(keyed: pl.DataFrame, waves: tuple[str, ...]) -> pl.DataFrame:
    """Customers of a wave with their scores in the next (`_later_...`)."""
    who = [c for c in ("respondent", "brand") if c in keyed.columns]
    later = keyed.drop([c for c in ("weight", "cluster", "stratum", "_place") if c in keyed.columns])
    parts = []
    for first, second in pairwise(waves):
        then = later.filter(wave=second).rename({c: f"_later_{c}" for c in later.columns if c not in who})
        parts.append(keyed.filter(wave=first).join(then, on=who, how="inner", maintain_order="left"))
    return pl.concat(parts)


def _handled(
    panel: Panel, both: pl.DataFrame, item: str, complaints: object | None
) -> tuple[pl.DataFrame, tuple[Note, ...]]:
    """The followed customers with the column `group`."""
    if item:
        said = pl.col(f"_later_{item}")
        return both.with_columns(_group(said.is_not_null(), said == 1)), ()
    if complaints is None:
        return both.clear().with_columns(pl.lit("").alias("group")), ()
    events: Events = joined(read_events(complaints, "complaints"), panel)
    lost = elsewhere(panel.frame, events)
    met, notes = incidents(both, events, "complained")
    well = handling(met)
    notes = (*events.notes, *lost, *notes)
    if well.is_null().all():
        en, zh = "no complaint has a handled_score: only patterns are told.", "投诉均无 handled_score：仅给出情感模式。"
        return both.clear().with_columns(pl.lit("").alias("group")), (*notes, note("N-HANDLED", en, zh))
    told_ = both.with_columns(met["happened"].alias("_met"), well.alias("_well"))
    told_ = told_.filter(pl.col("_met").is_not_null()).with_columns(_group(pl.col("_met"), pl.col("_well")))
    return told_.drop("_met", "_well"), (*notes, note("N-HANDLED", HANDLED.en, HANDLED.zh))


def _group(complained: pl.Expr, well: pl.Expr) -> pl.Expr:
    """handled, not handled, no complaint."""
    return (
        pl.when(complained & well)
        .then(pl.lit("handled"))
        .when(complained)
        .then(pl.lit("not handled"))
        .otherwise(pl.lit("no complaint"))
        .alias("group")
    )


def _table(grouped: pl.DataFrame, cut: float, level: float) -> pl.DataFrame:
    """Shares of those with strong negative emotion, group by group."""
    strong = grouped.filter(pl.col("_negative") > cut)
    rows = []
    for group in GROUPS:
        own = strong.filter(group=group)
        found = shares(_outcomes(own, cut), *design_of(own), level)
        for j, outcome in enumerate(OUTCOMES):
            numbers = (found.share[j], found.std_error[j], found.low[j], found.high[j])
            rows.append((group, outcome, own.height, int(found.count[j]), *(float(x) for x in numbers)))
    schema = {c: k for c, k in _EMPTY.schema.items() if c not in ("flag", "reason", "reason_zh")}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.col(pl.Float64).fill_nan(None))


def _differences(table: pl.DataFrame, grouped: pl.DataFrame, cut: float) -> pl.DataFrame:
    """Handled less not handled, with Newcombe's limits from those of the shares and their correlation."""
    rows = []
    for outcome in OUTCOMES if table.height else ():
        pair = [table.filter(group=g, outcome=outcome).row(0, named=True) for g in ("handled", "not handled")]
        if any(r["conf_low"] is None for r in pair):
            continue
        a, b = pair
        gap, phi = a["share"] - b["share"], _together(grouped, outcome, cut)
        low = gap - _reach(a["share"] - a["conf_low"], b["conf_high"] - b["share"], phi)
        high = gap + _reach(a["conf_high"] - a["share"], b["share"] - b["conf_low"], phi)
        rows.append((outcome, gap, float(low), float(high)))
    schema = {"outcome": pl.String} | dict.fromkeys(("difference", "conf_low", "conf_high"), pl.Float64)
    return pl.DataFrame(rows, schema=schema, orient="row")


def _reach(one: float, other: float, phi: float) -> float:
    """How far a limit of a difference lies from it, from those of two shares with correlation phi."""
    return float(np.sqrt(max(one**2 - 2 * phi * one * other + other**2, 0.0)))


def _together(grouped: pl.DataFrame, outcome: str, cut: float) -> float:
    """Correlation of the shares of both groups: 0 unless they share clusters, or people in several waves."""
    both = grouped.filter((pl.col("_negative") > cut) & pl.col("group").is_in(["handled", "not handled"]))
    y = _outcomes(both, cut)[:, list(OUTCOMES).index(outcome)]
    weight, unit, stratum = design_of(both)
    z = np.zeros((both.height, 3))
    for k, group in enumerate(("handled", "not handled")):
        w = weight * (both["group"] == group).to_numpy()
        z[:, k] = w * (y - w @ y / w.sum()) / w.sum()
    z[:, 2] = z[:, 0] + z[:, 1]
    one, other, whole = between(z, np.ones(z.shape, dtype=bool), unit, stratum)[0]
    return float((whole - one - other) / (2 * np.sqrt(one * other))) if one > 0 and other > 0 else 0.0


def _outcomes(rows: pl.DataFrame, cut: float) -> Array:
    """(n, 2) whether negative emotion is low a wave later, and positive high besides."""
    calm = (rows["_later__negative"] <= cut).to_numpy().astype(np.float64)
    return np.column_stack([calm, calm * (rows["_later__positive"] > cut).to_numpy()])


def _of_patterns(said: tuple[Text, ...]) -> tuple[Text, ...]:
    """Sentences on moves between stages as those on moves between patterns."""
    return tuple(Text(t.en, t.zh.replace("原阶段", "原模式")) for t in said)


def _sentences(table: pl.DataFrame, gap: pl.DataFrame, level: float) -> tuple[Text, ...]:
    """The share of either group, and how far they differ."""
    rows = {r["group"]: r for r in table.filter(outcome="not negative").iter_rows(named=True)}
    out: list[Text] = []
    if gap.height:
        one, two = rows["handled"], rows["not handled"]
        row = gap.row(0, named=True)
        sure = row["conf_low"] > 0 or row["conf_high"] < 0
        a, b = f"{fixed(100 * one['share'], 1)}%", f"{fixed(100 * two['share'], 1)}%"
        span = f"{fixed(100 * row['difference'], 1)} [{fixed(100 * row['conf_low'], 1)}, "
        span += f"{fixed(100 * row['conf_high'], 1)}]"
        verb = "is associated" if sure else "is not clearly associated"
        en = f"A handled complaint {verb} with negative emotion that is low a wave later: {a} against {b} of those not "
        en += f"handled, difference {span} points ({100 * level:g}% interval)."
        zh = f"投诉得到处理与下一期消极情感低{'相关' if sure else '没有明确关联'}：已处理者 {a}，未处理者 {b}，"
        out.append(Text(en, f"{zh}相差 {span} 个百分点（{100 * level:g}% 区间）。"))
    elif table.height:
        said = ", ".join(f"{GROUPS[g].en} {r['n']}" for g, r in rows.items())
        said_zh = "，".join(f"{GROUPS[g].zh} {r['n']} 人" for g, r in rows.items())
        en = f"Too few customers with strong negative emotion to compare handled complaints with others ({said})."
        out.append(Text(en, f"消极情感强烈的顾客过少，无法比较投诉处理与否（{said_zh}）。"))
    return tuple(out)


def _meaning(*, compared: bool) -> tuple[Note, ...]:
    """What the comparison and the patterns may be read as."""
    en = "patterns are those of the first wave, applied to all; a change of pattern is partly chance in the answers."
    zh = "模式取自首期并应用于各期；模式变化部分来自回答的随机波动。"
    notes = [note("N-PATTERN-MOVES", en, zh)]
    if compared:
        en = "who has a complaint handled is not chosen by lot, and strong emotions come down by themselves: the "
        zh = "投诉是否得到处理并非随机分配，强烈情感也会自行回落：该差异是关联，不是处理的效应。"
        notes.append(note("E-CAUSAL", f"{en}difference is an association, not what handling does.", zh))
    return tuple(notes)
