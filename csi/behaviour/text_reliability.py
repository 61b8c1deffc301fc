"""How reliable the tone of a comment is, from the codes of people.

    rho = r^2 / rel(m),   rel(m) = c a / (1 + (c - 1) a)

r is the correlation of the tone with the mean of the human codes, a Krippendorff's alpha of the coders (interval), c
the (harmonic) mean number of coders of a comment: Spearman and Brown's step to the mean of c coders.

Letters: `u` comments, `c` coders, `B` replicates.

Source:
    Krippendorff (2011), Computing Krippendorff's alpha-reliability; Spearman (1904), American Journal of Psychology 15,
    72-101 (attenuation). Intervals are percentiles over resampled writers (or their clusters) with all their comments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import polars as pl

from csi.behaviour.comments_tables import HIGH, LOW
from csi.display import Shown, fixed, text
from csi.errors import Note, Reason, Text, note, reason
from csi.inference.draws import quantile
from csi.measures.shown import based, told
from csi.moments.stack import Array, Ints

ENOUGH: Final = 50
"""Comments with human codes from which a reliability is stated."""

WRITERS: Final = 10
"""Writers, or clusters of them, that intervals need."""

HEADINGS: Final = {
    "measure": Text("measure", "指标"),
    "value": Text("value", "值"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "human": Text("people say", "人工编码"),
    "negative": Text("scored negative", "评为负面"),
    "neutral": Text("scored neutral", "评为中性"),
    "positive": Text("scored positive", "评为正面"),
}
MEASURES: Final = {
    "alpha": Text("Krippendorff's alpha of the coders", "编码员的 Krippendorff α"),
    "human": Text("reliability of the mean code", "编码均值的信度"),
    "r": Text("correlation with the mean code", "与编码均值的相关"),
    "rho": Text("reliability of the tone", "文本得分的信度"),
}
SIDES: Final = {
    "negative": Text("negative", "负面"),
    "neutral": Text("neutral", "中性"),
    "positive": Text("positive", "正面"),
}

NO_CODES: Final = reason(
    "R-TEXT-FEW", f"fewer than {ENOUGH} comments have human codes.", f"人工编码的评论不足 {ENOUGH} 条。"
)
NO_SPREAD: Final = reason(
    "R-TEXT-ALIKE", "codes or tones are all alike, or do not go together.", "编码或得分全部相同，或两者不相关。"
)


@dataclass(frozen=True, slots=True, repr=False)
class TextReliability(Shown):
    """Reliability of the tone of a comment.

    Attributes:
        table: measure ("alpha", "human", "r", "rho"), value, conf_low, conf_high. confusion: human ("negative",
            "neutral", "positive"), comments scored negative, neutral, positive; empty below the smallest base.
        n: comments with human codes and a tone. coders: how many. level, replicates, seed, sentences, notes, reasons.
    """

    table: pl.DataFrame
    confusion: pl.DataFrame
    n: int
    coders: int
    level: float
    replicates: int
    seed: int
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()
    reasons: Mapping[str, Reason] = field(default_factory=dict)

    @property
    def rho(self) -> tuple[float, float | None, float | None] | None:
        """The reliability and its bounds; None where it is not known."""
        row = self.table.row(by_predicate=pl.col("measure") == "rho", named=True)
        return None if row["value"] is None else (row["value"], row["conf_low"], row["conf_high"])


@text.register
def _(value: TextReliability, lang: str = "en") -> str:
    """Sentences, the numbers, the confusion table, notes."""
    lines = [*(s.say(lang) for s in value.sentences), "", based(worded(value.table, lang), HEADINGS, lang), ""]
    if value.confusion.height:
        lines += [based(worded(value.confusion, lang), HEADINGS, lang), ""]
    return "\n".join([*lines, *told(value.reasons.values(), value.notes, lang)])


def worded(frame: pl.DataFrame, lang: str) -> pl.DataFrame:
    """Names of measures and sides in words."""
    words = {k: t.say(lang) for k, t in (MEASURES if "measure" in frame.columns else SIDES).items()}
    return frame.with_columns(pl.col(frame.columns[0]).replace(words))


def text_reliability(
    rows: pl.DataFrame, codes: pl.DataFrame, *, small: int, replicates: int, seed: int, level: float
) -> TextReliability | None:
    """Agreement of coders, correlation with the tone, and the reliability that follows.

    Parameters:
        rows: row, id, text, tone, human, unit (of resampling). codes: row, coder, value. small: the least comments to
            tell the confusion.

    Returns:
        None without human codes.
    """
    both = rows.filter(pl.col("human").is_not_null() & pl.col("tone").is_not_null()).sort("id", "text")
    mine = codes.filter(pl.col("row").is_in(both["row"].to_list()))
    if not mine.height:
        return None
    coders = mine["coder"].n_unique()
    x, y = both["tone"].to_numpy(), both["human"].to_numpy()
    sums = _sums(both["row"], mine)
    values: dict[str, float] = dict.fromkeys(MEASURES, np.nan)
    bounds: dict[str, tuple[float, float]] = {}
    why: Reason | None = NO_CODES
    if both.height >= ENOUGH:
        bounds = _bounds(x, y, sums, _in_order(both["unit"].to_numpy()), replicates, seed, level)
        values = {k: float(v[0]) for k, v in _numbers(x, y, sums, np.ones((1, len(x)))).items()}
        why = None if np.isfinite(values["rho"]) else NO_SPREAD
    table = pl.DataFrame(
        [(k, values[k], *bounds.get(k, (np.nan, np.nan))) for k in MEASURES],
        schema=["measure", "value", "conf_low", "conf_high"], orient="row",
    ).with_columns(pl.col("value", "conf_low", "conf_high").cast(pl.Float64).fill_nan(None))  # fmt: skip
    found = TextReliability(
        table=table, confusion=_confusion(x, y) if both.height >= max(small, 1) else _confusion(x[:0], y[:0]),
        n=both.height, coders=coders, level=level, replicates=replicates, seed=seed, sentences=(),
        notes=_notes(values, sums, coders), reasons={} if why is None else {why.code: why},
    )  # fmt: skip
    return _said(found)


def _said(found: TextReliability) -> TextReliability:
    """With its sentence."""
    if found.rho is None:
        en = f"{found.n} comments have human codes: no reliability of the tone is stated."
        zh = f"有人工编码的评论 {found.n} 条：不给出文本得分的信度。"
    else:
        value, low, high = found.rho
        span = span_zh = ""
        if low is not None and high is not None:
            span = f"{100 * found.level:g}% interval {fixed(low)} to {fixed(high)}; "
            span_zh = f"{100 * found.level:g}% 区间 {fixed(low)} 至 {fixed(high)}；"
        en = f"The tone has reliability {fixed(value)} ({span}{found.n} comments"
        en += f" coded by {found.coders} {'person' if found.coders == 1 else 'people'})."
        zh = f"文本得分的信度为 {fixed(value)}（{span_zh}{found.n} 条评论，"
        zh += f"{found.coders} 名编码员）。"
    return TextReliability(**{n: getattr(found, n) for n in found.__slots__} | {"sentences": (Text(en, zh),)})


def _sums(order: pl.Series, codes: pl.DataFrame) -> Array:
    """(4, u) codes, their sum, their squares' sum, and squares within, of each comment in order."""
    each = codes.group_by("row").agg(
        pl.len().cast(pl.Float64).alias("m"), pl.col("value").sort().sum().alias("s"),
        (pl.col("value").sort() ** 2).sum().alias("q"),
    )  # fmt: skip
    joined = order.to_frame("row").join(each, on="row", how="left", maintain_order="left")
    m, s, q = (joined[c].to_numpy().astype(np.float64) for c in ("m", "s", "q"))
    return np.stack([m, s, q, np.maximum(q - s**2 / m, 0.0)])


def interval_alpha(sums: Array, times: Array) -> Array:
    """(B,) Krippendorff's alpha for numbers, from sums over the coders of each comment.

    Parameters:
        sums: (4, u) codes, sum, sum of squares, squares within. times: (B, u) how often each comment counts.

    Example:
        >>> m, s, q = np.array([2.0, 2, 2]), np.array([2.0, 4, 3]), np.array([2.0, 8, 5])
        >>> interval_alpha(np.stack([m, s, q, q - s**2 / m]), np.ones((1, 3))).round(4).tolist()
        [0.4444]
    """
    m, s, q, within = sums
    paired = np.where(m > 1, 1.0, 0.0)
    n, total, squares = (times @ (paired * v) for v in (m, s, q))
    inner = times @ (paired * 2 * m * within / np.where(m > 1, m - 1, 1.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        chance = 2 * (squares - total**2 / n) / (n - 1)
        return np.where(chance > 1e-12, 1 - inner / n / chance, np.nan)


def _numbers(x: Array, y: Array, sums: Array, times: Array) -> dict[str, Array]:
    """What the table tells, (B,) each."""
    total = times.sum(axis=1)
    mx, my = times @ x / total, times @ y / total
    sx, sy = times @ x**2 / total - mx**2, times @ y**2 / total - my**2
    with np.errstate(divide="ignore", invalid="ignore"):
        r = np.where((sx > 1e-12) & (sy > 1e-12), (times @ (x * y) / total - mx * my) / np.sqrt(sx * sy), np.nan)
        alpha = interval_alpha(sums, times)
        count = total / (times @ (1 / sums[0]))  # harmonic mean of coders
        human = np.where(np.isfinite(alpha), count * alpha / (1 + (count - 1) * alpha), 1.0)
        rho = np.where((human > 0) & (r > 0), np.minimum(r**2 / human, 1.0), np.nan)
    return {"alpha": alpha, "human": human, "r": r, "rho": rho}


def _in_order(unit: Ints) -> Ints:
    """(u,) units numbered as they appear."""
    _, first, own = np.unique(unit, return_index=True, return_inverse=True)
    rank = np.empty(first.size, dtype=np.int64)
    rank[np.argsort(first)] = np.arange(first.size)
    return rank[own]


def _bounds(
    x: Array, y: Array, sums: Array, unit: Ints, replicates: int, seed: int, level: float
) -> dict[str, tuple[float, float]]:
    """Percentiles over resampled units, each with all its comments; none of fewer than `WRITERS` of them."""
    u = int(unit.max()) + 1
    if u < WRITERS:
        return {}
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, u])))
    times = rng.multinomial(u, np.full(u, 1 / u), size=replicates).astype(np.float64)[:, unit]
    out = {}
    for name, drawn in _numbers(x, y, sums, times).items():
        known = np.sort(drawn[np.isfinite(drawn)])[:, None]
        if len(known) >= 0.95 * replicates and len(known) > 1:
            low, high = (float(quantile(known, np.array([p]))[0]) for p in ((1 - level) / 2, (1 + level) / 2))
            out[name] = (low, high)
    return out


def _confusion(x: Array, y: Array) -> pl.DataFrame:
    """Comments by what people and the analyser say."""
    side = [np.where(v < LOW, 0, np.where(v > HIGH, 2, 1)) for v in (y, x)]
    rows = [(name, *(int(((side[0] == k) & (side[1] == j)).sum()) for j in range(3))) for k, name in enumerate(SIDES)]
    kinds = {"human": pl.String} | dict.fromkeys(SIDES, pl.Int64)
    return pl.DataFrame(rows if len(x) else [], schema=kinds, orient="row")


def _notes(values: Mapping[str, float], sums: Array, coders: int) -> tuple[Note, ...]:
    """Whose agreement is not known, what was capped, what coders do not share."""
    notes = []
    if coders < 2 or not (sums[0] > 1).any():
        en = "no comment has two coders: their mean is taken to be without error, so the reliability is a lower bound."
        notes.append(note("W-CODERS", en, "没有评论由两名编码员编码：视编码均值无误差，因此该信度为下界。"))
    elif np.isfinite(values["alpha"]) and values["alpha"] < 0.667:
        en = f"coders agree too little to build on (alpha {fixed(values['alpha'])}, below 0.667)."
        notes.append(note("W-CODERS", en, f"编码一致性不足（α = {fixed(values['alpha'])}，低于 0.667）。"))
    if values["rho"] == 1.0:
        en = "r^2 is above what the coders' reliability allows: the reliability is cut at 1."
        notes.append(note("N-TEXT-RHO", en, "r² 超过编码信度所允许的水平：信度截断为 1。"))
    return tuple(notes)
