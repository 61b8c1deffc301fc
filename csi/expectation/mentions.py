"""Coded mentions from interviews and focus groups: what was said of which attribute, asked about or unasked.

A mention is unaided when the person brought the attribute up; expectations that come up unaided are explicit, those
that come up only when asked about are implicit.

Letters: `r` respondents, `a` attributes.

Source:
    Ojasalo (2001), Managing Service Quality 11(3), 200-212 (explicit and implicit expectations).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import polars as pl
from scipy.special import ndtri

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Reason, Text, did_you_mean, note, problem, reason
from csi.expectation.mentions_words import kind_of, lines_of, sentences_of
from csi.inference.draws import quantile
from csi.inference.settings import check_settings
from csi.inference.shares import wilson
from csi.measures.consistency.krippendorff import Level, alpha_of, coincidences
from csi.measures.tidy import said_once, with_reasons
from csi.moments.stack import Array
from csi.survey.placed import placed
from csi.survey.side_table import side_table

AIDED: Final = {
    **dict.fromkeys(("1", "1.0", "true", "yes", "aided", "prompted", "是", "提示"), True),
    **dict.fromkeys(("0", "0.0", "false", "no", "unaided", "spontaneous", "否", "未提示", "自发"), False),
}
"""Ways to write that a mention was aided."""

VALENCE: Final = {
    **dict.fromkeys(("-1", "-1.0", "negative", "neg", "负", "负面"), -1.0),
    **dict.fromkeys(("0", "0.0", "neutral", "中", "中性"), 0.0),
    **dict.fromkeys(("1", "1.0", "+1", "positive", "pos", "正", "正面"), 1.0),
}
"""Ways to write how a mention sounds."""

COLUMNS: Final = ("attribute", "aided", "valence", "coder")
"""Columns beside id."""

JUDGED: Final[Mapping[str, Level]] = {"mentioned": "nominal", "aided": "nominal", "valence": "nominal"}
"""What coders may agree on."""


@dataclass(frozen=True, slots=True, repr=False)
class Mentions(Shown):
    """What was mentioned.

    Attributes:
        table: attribute, respondents, mentioned, unaided (respondents), share_mentioned, explicitness (unaided /
            mentioned), conf_low, conf_high (Wilson), kind ("explicit", "implicit", "open"), valence (mean, -1 to 1),
            negative (share of those who mention it), reason, reason_zh (why valence is absent).
        agreement: what ("mentioned", "aided", "valence"), coders, units, alpha (nominal), conf_low, conf_high, reason,
            reason_zh (why alpha is absent); empty with one coder.
        rows: respondent, attribute, unaided, valence: one row per respondent and attribute, coders put together.
        respondents, level, replicates, seed, labels, sentences, notes. reasons: code -> why numbers are absent.
    """

    table: pl.DataFrame
    agreement: pl.DataFrame
    rows: pl.DataFrame
    respondents: int
    level: float
    replicates: int
    seed: int
    labels: Mapping[str, Text]
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()
    reasons: Mapping[str, Reason] = field(default_factory=dict)


@text.register
def _(value: Mentions, lang: str = "en") -> str:
    """Sentences, attributes, agreement, reasons, notes."""
    below = (value.reasons, value.notes)
    return lines_of(value.table, value.agreement, value.sentences, below, value.labels, lang)


NOT_CODED: Final = reason("R-NOT-CODED", "no valence was coded for an attribute.", "有属性未编码倾向，无法给出均值。")
CODED_ONCE: Final = reason(
    "R-CODED-ONCE",
    "no agreement: nothing was judged by two coders.",
    "无法计算一致性：没有任何内容由两名编码员共同判断。",
)
NO_VARIATION: Final = reason(
    "R-NO-VARIATION",
    "no agreement: all judgements are the same, so there is nothing to agree on beyond chance.",
    "无法计算一致性：所有判断都相同，无法与随机一致相区分。",
)
NO_BOUNDS: Final = reason(
    "R-NO-BOUNDS",
    "no interval of agreement: in some resampled interviews all judgements are the same.",
    "无法给出一致性的区间：部分重抽样中所有判断都相同。",
)


def mentions(
    source: object,
    *,
    attributes: Mapping[str, Text] | Sequence[str] | None = None,
    respondents: int | None = None,
    replicates: int = 1000,
    seed: int = 1,
    level: float = 0.95,
) -> Mentions:
    """Explicitness of every attribute with Wilson intervals, and agreement of the coders.

    A respondent mentions an attribute when at least half of those who coded the interview say so; unaided when more
    than half of these do. Intervals of alpha are percentiles over resampled interviews.

    Parameters:
        source: a frame or a file with columns id, attribute, aided (yes or no), and optionally valence (-1, 0, 1;
            negative, neutral, positive) and coder. A row without an attribute is an interview that mentions nothing.
        attributes: known attributes (with labels); others are refused. respondents: how many were interviewed, where
            the table does not have those who mention nothing.
        replicates, seed, level: of the intervals.

    Returns:
        A `Mentions`.

    Raises:
        Problems: E-MENTIONS, all at once; E-SETTING, E-BOOT.

    Source:
        Krippendorff (2011). Agrees with its published example to the printed digits (tests/measures/test_agreement.py).

    Example:
        >>> frame = pl.DataFrame({"id": [1, 1, 2, 3], "attribute": ["speed", "price", "speed", "speed"],
        ...                       "aided": [0, 1, 0, 1]})
        >>> mentions(frame).table.select("attribute", "mentioned", "unaided", pl.col("explicitness").round(3)).rows()
        [('speed', 3, 2, 0.667), ('price', 1, 0, 0.0)]
    """
    check_settings(level, replicates, seed)
    frame = _read(source, attributes)
    rows, people = _together(frame)
    base = _base(respondents, people)
    table = _table(rows, base, level)
    agreement, why = _agreement(frame, replicates, seed, level)
    silent = [NOT_CODED if v is None else None for v in table["valence"]]
    every = said_once([*silent, *why])
    labels = dict(attributes) if isinstance(attributes, Mapping) else {}
    labels = {a: labels.get(a, Text(a, a)) for a in table["attribute"]}
    return Mentions(
        table=with_reasons(table, silent),
        agreement=with_reasons(agreement, why),
        rows=rows,
        respondents=base,
        level=level,
        replicates=replicates,
        seed=seed,
        labels=labels,
        sentences=sentences_of(table, agreement, labels),
        notes=_notes(agreement, base),
        reasons=every,
    )


def _read(source: object, attributes: Mapping[str, Text] | Sequence[str] | None) -> pl.DataFrame:
    """id, attribute, aided, valence, coder; one row per coded mention, attribute null where nothing was mentioned.

    Raises:
        Problems: E-MENTIONS.
    """
    raw = side_table(source, "mentions", {"id": "text"}, dict.fromkeys(COLUMNS, "text"), "E-MENTIONS")
    found = [_no_column(c, raw) for c in ("attribute", "aided") if c not in raw.columns]
    if found:
        raise Problems(found)
    raw = raw.with_columns(pl.lit(None, pl.String).alias(c) for c in ("valence", "coder") if c not in raw.columns)
    said = pl.col("attribute").is_not_null()
    frame = raw.with_columns(
        pl.col("aided").str.to_lowercase().replace_strict(AIDED, default=None, return_dtype=pl.Boolean).alias("_aided"),
        pl.col("valence").str.to_lowercase().replace_strict(VALENCE, default=None, return_dtype=pl.Float64).alias("_v"),
        pl.col("coder").fill_null(""),
    )
    found += _strange(frame, "aided", said & pl.col("_aided").is_null(), Text("yes or no", "“是/否”"))
    wrong = pl.col("valence").is_not_null() & pl.col("_v").is_null()
    found += _strange(frame, "valence", wrong, Text("-1, 0 or 1", "“-1、0、1”"))
    found += _unknown(frame, attributes)
    if found:
        raise Problems(found)
    return frame.select("id", "attribute", "coder", aided="_aided", valence="_v")


def _no_column(column: str, raw: pl.DataFrame) -> Problem:
    """A column that is not there."""
    en, zh = f"no column {column}.", f"缺少列 {column}。"
    do, do_zh = (
        "Columns are id, attribute, aided, [valence], [coder].",
        "应有列：id、attribute、aided、[valence]、[coder]。",
    )
    del raw
    return problem("E-MENTIONS", "mentions", en, zh, do, do_zh)


def _strange(frame: pl.DataFrame, column: str, wrong: pl.Expr, what: Text) -> list[Problem]:
    """Values that are none of those known."""
    bad = frame.with_row_index("_row").filter(wrong)
    if not bad.height:
        return []
    cells = placed(bad["_row"].to_list(), bad[column].to_list(), "mentions")
    en, zh = f"{bad.height} values are not {what.en} ({cells.en}).", f"{bad.height} 个取值不是{what.zh}（{cells.zh}）。"
    do, do_zh = f"Write {what.en}.", f"请写{what.zh}。"
    return [problem("E-MENTIONS", f'mentions, column "{column}"', en, zh, do, do_zh)]


def _unknown(frame: pl.DataFrame, attributes: Mapping[str, Text] | Sequence[str] | None) -> list[Problem]:
    """Attributes that the codebook does not have; a table without any."""
    seen = frame["attribute"].drop_nulls().unique(maintain_order=True).to_list()
    if not seen:
        en, zh = "no row names an attribute.", "没有任何一行写明属性。"
        return [problem("E-MENTIONS", "mentions", en, zh, "Code at least one mention.", "请至少编码一条提及。")]
    out = []
    known = None if attributes is None else list(attributes)
    for name in seen if known is not None else []:
        if known is not None and name not in known:
            hint = did_you_mean(name, known)
            en, zh = f'attribute "{name}" is not in the codebook.', f"编码簿中没有属性“{name}”。"
            out.append(Problem("E-MENTIONS", "mentions", Text(en, zh), hint))
    return out


def _base(given: int | None, people: int) -> int:
    """How many were interviewed.

    Raises:
        Problems: E-MENTIONS, fewer than the table has.
    """
    if given is None or given >= people:
        return given or people
    en, zh = f"respondents = {given}, but the table has {people}.", f"respondents = {given}，但表中已有 {people} 人。"
    do, do_zh = "Count everybody who was interviewed.", "请给出全部受访人数。"
    raise Problems([problem("E-MENTIONS", "respondents", en, zh, do, do_zh)])


def _together(frame: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """One row per respondent and attribute, coders put together; how many respondents the table has."""
    coders = frame.group_by("id").agg(pl.col("coder").n_unique().alias("coders"))
    own = (
        frame.filter(pl.col("attribute").is_not_null())
        .group_by("id", "attribute", "coder", maintain_order=True)
        .agg((~pl.col("aided")).any().alias("unaided"), pl.col("valence").mean())
    )
    both = own.group_by("id", "attribute", maintain_order=True).agg(
        pl.len().alias("by"), pl.col("unaided").mean().alias("share"), pl.col("valence").mean()
    )
    kept = both.join(coders, on="id", maintain_order="left").filter(2 * pl.col("by") >= pl.col("coders"))
    rows = kept.select("id", "attribute", (pl.col("share") > 0.5).alias("unaided"), "valence")
    return rows.rename({"id": "respondent"}), coders.height


def _table(rows: pl.DataFrame, base: int, level: float) -> pl.DataFrame:
    """One row per attribute, most mentioned first."""
    found = (
        rows.group_by("attribute", maintain_order=True)
        .agg(
            pl.len().cast(pl.Int64).alias("mentioned"),
            pl.col("unaided").sum().cast(pl.Int64),
            pl.col("valence").mean(),
            (pl.col("valence") < 0).mean().alias("negative"),
        )
        .sort("mentioned", descending=True, maintain_order=True)
    )
    n = found["mentioned"].to_numpy().astype(np.float64)
    p = found["unaided"].to_numpy() / n
    low, high = wilson(p, n, np.full(len(p), float(ndtri(0.5 + level / 2))))
    return found.select(
        "attribute",
        pl.lit(base, dtype=pl.Int64).alias("respondents"),
        "mentioned",
        "unaided",
        (pl.col("mentioned") / base).alias("share_mentioned"),
        pl.Series("explicitness", p),
        pl.Series("conf_low", low),
        pl.Series("conf_high", high),
        pl.Series("kind", [kind_of(a, b) for a, b in zip(low, high, strict=True)]),
        "valence",
        "negative",
    )


def _agreement(
    frame: pl.DataFrame, replicates: int, seed: int, level: float
) -> tuple[pl.DataFrame, list[Reason | None]]:
    """Alpha of what coders judge, over the interviews that two or more coded, and why one is absent."""
    schema = {"what": pl.String, "coders": pl.Int64, "units": pl.Int64}
    schema |= dict.fromkeys(("alpha", "conf_low", "conf_high"), pl.Float64)
    coders = frame["coder"].unique(maintain_order=True).sort().to_list()
    if len(coders) < 2:
        return pl.DataFrame(schema=schema), []
    people = frame["id"].unique(maintain_order=True).to_list()
    attributes = frame["attribute"].drop_nulls().unique(maintain_order=True).to_list()
    cube = _cube(frame, coders, people, attributes)
    rows: list[tuple[object, ...]] = []
    why: list[Reason | None] = []
    for what, values in cube.items():
        shared = np.isfinite(values).sum(axis=0) > 1
        distinct, pairs = coincidences(values.reshape(len(coders), -1))
        if distinct.size < 2 or not shared.any():
            rows.append((what, len(coders), int(shared.sum()), None, None, None))
            why.append(NO_VARIATION if shared.any() else CODED_ONCE)
            continue
        by_person = pairs.reshape(len(people), len(attributes), *pairs.shape[1:]).sum(axis=1)
        bounds = _bounds(distinct, by_person, replicates, seed, level)
        value = float(alpha_of(distinct, pairs.sum(axis=0), JUDGED[what]))
        rows.append((what, len(coders), int(shared.sum()), value, *bounds))
        why.append(NO_BOUNDS if bounds[0] is None else None)
    return pl.DataFrame(rows, schema=schema, orient="row"), why


def _cube(frame: pl.DataFrame, coders: list[str], people: list[str], attributes: list[str]) -> dict[str, Array]:
    """What -> (coders, respondents, attributes); NaN where a coder did not code the interview or saw no mention."""
    at = {name: {v: i for i, v in enumerate(values)} for name, values in
          (("coder", coders), ("id", people), ("attribute", attributes))}  # fmt: skip
    shape = (len(coders), len(people), len(attributes))
    mentioned, aided, valence = (np.full(shape, np.nan) for _ in range(3))
    for person, attribute, coder, prompted, tone in frame.rows():
        c, r = at["coder"][coder], at["id"][person]
        mentioned[c, r] = np.where(np.isfinite(mentioned[c, r]), mentioned[c, r], 0.0)
        if attribute is None:
            continue
        a = at["attribute"][attribute]
        mentioned[c, r, a] = 1.0
        aided[c, r, a] = min(float(prompted), aided[c, r, a]) if np.isfinite(aided[c, r, a]) else float(prompted)
        if tone is not None:
            valence[c, r, a] = tone
    return {"mentioned": mentioned, "aided": aided, "valence": valence}


def _bounds(
    distinct: Array, by_person: Array, replicates: int, seed: int, level: float
) -> tuple[float | None, float | None]:
    """Percentiles of alpha over resampled interviews."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, len(by_person)])))
    people = len(by_person)
    counts = rng.multinomial(people, np.full(people, 1 / people), size=replicates).astype(np.float64)
    drawn = alpha_of(distinct, np.einsum("br,rvw->bvw", counts, by_person))
    ordered, tail = np.sort(drawn)[:, None], (1 - level) / 2
    low, high = (float(quantile(ordered, np.array([share]))[0]) for share in (tail, 1 - tail))
    return (low, high) if np.isfinite(low) and np.isfinite(high) else (None, None)


def _notes(agreement: pl.DataFrame, base: int) -> tuple[Note, ...]:
    """What explicit means; where agreement is low or unknown."""
    en = f"explicit: more than half of those who mention it do so unasked (interval above one half); base {base}"
    zh = f"显性：提及者中超过一半为自发提及（区间高于 0.5）；受访 {base} 人。访谈样本不代表总体比例。"
    notes = [note("N-MENTIONS", f"{en} respondents; interviews are no sample of shares in the market.", zh)]
    if not agreement.height:
        en, zh = "one coder: agreement is not known.", "仅有一名编码员，无法评估一致性。"
        return (*notes, note("W-CODERS", en, zh))
    low = agreement.filter(pl.col("alpha") < TENTATIVE)["what"].to_list()
    if low:
        en = f"coders agree too little to build on (alpha below {TENTATIVE}): {', '.join(low)}."
        notes.append(note("W-CODERS", en, f"编码一致性不足（alpha < {TENTATIVE}）：{'、'.join(low)}。"))
    return tuple(notes)


TENTATIVE: Final = 0.667
"""Alpha below which conclusions are not drawn (Krippendorff 2004, p. 241)."""
