"""How importance of drivers reads: which comes first and how sure that is, whether methods and cells agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from csi.display import Number, table
from csi.errors import Note, Text, note
from csi.estimate.shown import p_column
from csi.importance.driver_shares import orders_sampled
from csi.importance.drivers_words import ROWS
from csi.importance.lmg import MOST
from csi.importance.metrics import METRICS, RANKED
from csi.measures.shown import told

HEADINGS: Final = {
    **METRICS,
    "driver": Text("driver", "驱动因素"),
    "other": Text("other", "另一项"),
    "cell": Text("cell", "单元"),
    "sign": Text("sign", "符号"),
    "share": Text("share", "份额"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "rank": Text("rank", "名次"),
    "rank_low": Text("from", "最前"),
    "rank_high": Text("to", "最后"),
    "first_share": Text("first in", "居首比例"),
    "difference": Text("difference", "差异"),
    "std_error": Text("SE", "标准误"),
    "p_value": Text("p", "p 值"),
    "p_adjusted": Text("p (Holm)", "p 值（Holm）"),
    "complete": Text("complete", "完全优势"),
    "conditional": Text("conditional", "条件优势"),
    "dominates": Text("dominance", "优势类型"),
    "metric": Text("metric", "指标"),
    "rank_correlation": Text("rank correlation", "等级相关"),
}
KINDS: Final = {
    "complete": Text("complete", "完全"),
    "conditional": Text("conditional", "条件"),
    "general": Text("general", "总体"),
}
_SHARES: Final = ("share", "difference", "std_error", "conf_low", "conf_high", "first_share", "complete", "conditional")
NUMBERS: Final[dict[str, Number]] = {
    **dict.fromkeys((*METRICS, "rank_correlation"), lambda v: f"{v:.3f}"),
    **dict.fromkeys(_SHARES, lambda v: f"{v:.0%}"),
    **dict.fromkeys(("p_value", "p_adjusted"), lambda v: f"{v:.3f}" if v >= THOUSANDTH else "< .001"),
}
THOUSANDTH: Final = 0.001
MINUS: Final = "\u2212"
SIGNS: Final = {"-": Text(MINUS, MINUS)}
"""How signs are printed."""
TITLES: Final = (
    Text("Importance of the drivers", "驱动因素的重要性"),
    Text("Pairs of drivers (differences of shares)", "驱动因素两两比较（份额之差）"),
    Text("Do methods agree on the order?", "各方法的排序是否一致"),
    Text("Differences of shares between cells", "单元之间的份额差异"),
)
LOW_AGREEMENT: Final = 0.7
INFLATED: Final = 5.0
"""VIF from which coefficients are said to be unsteady."""


def sentences_of(
    found: pl.DataFrame,
    pairs: pl.DataFrame,
    agreement: pl.DataFrame,
    differences: pl.DataFrame,
    labels: Mapping[str, Text],
    outcome: str,
    level: float,
) -> tuple[Text, ...]:
    """Per cell the first driver and whether it is clearly first, where methods disagree; what differs between cells."""
    keys = found.columns[: found.columns.index("driver")]
    out = []
    for part in found.partition_by(keys, maintain_order=True) if keys else [found]:
        known = part.filter(pl.col("share").is_not_null()).sort("share", descending=True)
        if known.height < 2:
            continue
        cell, same = " ".join(str(part[k][0]) for k in keys), [pl.col(k) == part[k][0] for k in keys]
        said = [_first(known, pairs.filter(*same), labels, outcome, level)]
        said += [*_order(known, agreement.filter(*same), labels), *_turned(known, labels)]
        out += [Text(f"{cell}: {s.en}", f"{cell}：{s.zh}") if cell else s for s in said]
    return (*out, *_between(differences, labels, 1 - level))


def _first(known: pl.DataFrame, pairs: pl.DataFrame, labels: Mapping[str, Text], outcome: str, level: float) -> Text:
    """The driver with the largest share."""
    top, second = known.row(0, named=True), known.row(1, named=True)
    name, other, of = labels[top["driver"]], labels[second["driver"]], labels[outcome]
    en = f"{name.en} accounts for {top['share']:.0%} of what is explained of {of.en}"
    zh = f"{of.zh}的已解释部分中，{name.zh}占 {top['share']:.0%}"
    if top["conf_low"] is None:
        return Text(f"{en}, the most of {known.height} drivers.", f"{zh}，在 {known.height} 个驱动因素中最多。")
    en += f" ({level:.0%} interval {top['conf_low']:.0%} to {top['conf_high']:.0%})"
    zh += f"（{level:.0%} 区间 {top['conf_low']:.0%} 至 {top['conf_high']:.0%}）"
    mine = pairs.filter((pl.col("driver") == top["driver"]) | (pl.col("other") == top["driver"]))
    if mine["p_value"].count() == mine.height and bool((mine["p_value"] < 1 - level).all()):
        return Text(f"{en}, more than every other driver.", f"{zh}，多于其他任何驱动因素。")
    en += f"; that it comes before {other.en} ({second['share']:.0%}) and all others is not certain (first in "
    en += f"{top['first_share']:.0%} of the draws)."
    zh += f"；但尚不能断定其先于{other.zh}（{second['share']:.0%}）等（在 {top['first_share']:.0%} 的抽样中居首）。"
    return Text(en, zh)


def _order(known: pl.DataFrame, agreement: pl.DataFrame, labels: Mapping[str, Text]) -> list[Text]:
    """Whether the methods put the same driver first, and order the drivers alike."""
    firsts: dict[str, list[str]] = {}
    for metric in RANKED:
        if known[metric].count() == known.height:
            top = known.sort(metric, descending=True)["driver"][0]
            firsts.setdefault(top, []).append(metric)
    if len(firsts) > 1:
        en = "; ".join(f"{labels[d].en}: {', '.join(METRICS[m].en for m in ms)}" for d, ms in firsts.items())
        zh = "；".join(f"{labels[d].zh}：{'、'.join(METRICS[m].zh for m in ms)}" for d, ms in firsts.items())
        return [Text(f"Methods put different drivers first ({en}).", f"各方法的首位驱动因素不同（{zh}）。")]
    least = agreement["rank_correlation"].min() if agreement.height else None
    if isinstance(least, float) and least < LOW_AGREEMENT:
        en = f"Methods agree on the first driver, less on the others (smallest rank correlation {least:.2f})."
        return [Text(en, f"各方法的首位驱动因素一致，其余排序不尽相同（最小等级相关 {least:.2f}）。")]
    return [Text("All methods put the same driver first.", "各方法的首位驱动因素一致。")] if firsts else []


def _turned(known: pl.DataFrame, labels: Mapping[str, Text]) -> list[Text]:
    """Drivers whose coefficient and correlation have different signs."""
    rows = known.filter((pl.col("beta").round(2) * pl.col("correlation").round(2)) < 0).iter_rows(named=True)
    said = [(labels[r["driver"]], f"{r['beta']:.2f}".replace("-", MINUS), f"{r['correlation']:.2f}") for r in rows]
    if not said:
        return []
    said = [(name, beta, r.replace("-", MINUS)) for name, beta, r in said]
    en = "; ".join(f"{name.en} (beta {beta}, correlation {r})" for name, beta, r in said)
    zh = "；".join(f"{name.zh}（标准化回归系数 {beta}，相关 {r}）" for name, beta, r in said)
    tail = "suppression by the other drivers: its share has no direction"
    return [Text(f"Signs of beta and correlation differ: {en}; {tail}.",
                 f"标准化回归系数与相关的符号相反：{zh}；这是其他驱动因素的抑制效应，其份额不代表方向。")]  # fmt: skip


def _between(differences: pl.DataFrame, labels: Mapping[str, Text], alpha: float) -> list[Text]:
    """Which shares differ between cells."""
    if not differences.height:
        return []
    clear = differences.filter(pl.col("p_adjusted") < alpha)
    if not clear.height:
        return [
            Text("No share differs between cells by more than sampling error.", "各单元的份额差异均不超出抽样误差。")
        ]
    rows = clear.sort("p_adjusted").head(3).iter_rows(named=True)
    said = [(labels[r["driver"]], r["cell"], r["other"], r["difference"]) for r in rows]
    en = "; ".join(f"{d.en} ({100 * v:+.0f} points of share, {c} against {o})" for d, c, o, v in said)
    zh = "；".join(f"{d.zh}（{c} 相对 {o}，{100 * v:+.0f} 个百分点）" for d, c, o, v in said)
    return [Text(f"Shares differ between cells: {en}.", f"份额在单元之间有差异：{zh}。")]


def lines_of(
    sentences: Sequence[Text],
    frames: Sequence[pl.DataFrame],
    labels: Mapping[str, Text],
    notes: Sequence[Note],
    lang: str,
    least: float = 0.0,
) -> str:
    """Sentences, frames that hold something, notes."""
    lines = [s.say(lang) for s in sentences]
    words = {c: t.say(lang) for c, t in labels.items()}
    metrics = {m: t.say(lang) for m, t in METRICS.items()}
    heads = {c: t.say(lang) for c, t in HEADINGS.items()}
    for title, frame in zip(TITLES, frames, strict=True):
        if not frame.height:
            continue
        shown = frame.select(c for c in frame.columns if frame[c].null_count() < frame.height)
        both = metrics if "metric" in shown.columns else words
        kinds = {k: t.say(lang) for k, t in KINDS.items()}
        shown = shown.with_columns(
            pl.col(c).replace({**both, **(kinds if c == "dominates" else {})})
            for c in ("driver", "other", "metric", "dominates")
            if c in shown.columns and not (c == "other" and "cell" in shown.columns)
        )
        if "sign" in shown.columns:
            shown = shown.with_columns(pl.col("sign").replace({c: t.say(lang) for c, t in SIGNS.items()}))
        raw = {"p_value": "", "p_adjusted": "p_value"}
        shown = shown.with_columns(p_column(shown, c, least, of) for c, of in raw.items() if c in shown.columns)
        lines += ["", title.say(lang), table(shown.head(ROWS), NUMBERS, heads)]
    return "\n".join([*lines, *told((), notes, lang)])


HUNDREDS: Final = 500
"""Respondents of the smallest cell below which tests between cells are told to be a little too ready."""


def between_note() -> Note:
    """What tests between cells are worth, as measured in `tests/slow/drivers_coverage.py`.

    Example:
        >>> between_note().code
        'N-KEY-BETWEEN'
    """
    en = (
        "tests between cells reject a little too often in cells of a few hundred (of differences that were 0, 6 to 8 % "
    )
    en += "at 5 % and 2 % at 1 %, cells of 150 and 300): take a p near the level as open."
    zh = "每单元几百人时，单元间的检验略偏宽松（150 与 300 人、真实差异为 0 时，5% 水平拒绝 6%–8%，1% 水平 2%）："
    return note("N-KEY-BETWEEN", en, f"{zh}p 值接近水平时不宜下结论。")


def notes_of(found: pl.DataFrame, k: int, family: str, *, drawn: bool) -> tuple[Note, ...]:
    """What shares are, Pratt's warning, collinearity, sampled orders."""
    en = "importance is derived from these answers and is an association; it is not the importance customers state."
    out = [note("N-KEY-DRIVERS", en, "重要性由本次回答推算，属于关联，不等同于顾客自述的重要性。")]
    if family != "linear":
        en = "shares are of the R2 of every subset's logit; CAR and Pratt need a linear R2."
        out.append(note("N-KEY-LOGIT", en, "份额取自各子集 logit 的 R²；CAR 与 Pratt 需要线性 R²。"))
    if (found["pratt"] < 0).any():
        en = "Pratt's measure is negative for some driver (suppression): do not read it as a share."
        out.append(note("W-PRATT", en, "某些驱动因素的 Pratt 值为负（抑制效应），不可当作份额解读。"))
    if (found["vif"] > INFLATED).any():
        en = f"VIF above {INFLATED:g}: coefficients are unsteady; LMG and relative weights tend to be alike."
        out.append(note("W-KEY-VIF", en, f"VIF 超过 {INFLATED:g}：系数不稳定，LMG 与相对权重趋于相近。"))
    if found["share"].null_count():
        en = "where drivers are collinear nothing is told."
        out.append(note("W-COLLINEAR", en, "驱动因素共线时不给出结果。"))
    if k > MOST:
        out.append(orders_sampled(k))
    if not drawn:
        en = "no draws here, so that ranks have no intervals."
        out.append(note("N-KEY-NO-DRAWS", en, "没有抽样，名次没有区间。"))
    return tuple(out)
