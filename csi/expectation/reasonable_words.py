"""How reasonable expectations read, and what is to be done about each kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from csi.display import fixed
from csi.errors import Note, Text
from csi.measures.shown import based, told
from csi.survey.bases import told_cells
from csi.survey.keyed import of_cell, rows_of

HEADINGS: Final = {
    "attribute": Text("attribute", "属性"),
    "n": Text("n", "样本量"),
    "expected": Text("expected", "期望"),
    "benchmark": Text("benchmark", "行业基准"),
    "benchmark_sd": Text("SD", "标准差"),
    "benchmark_n": Text("n of benchmark", "基准样本量"),
    "rule": Text("limit by", "界限依据"),
    "limit": Text("limit", "界限"),
    "z": Text("z of the mean", "均值的 z"),
    "unreasonable": Text("unreasonable", "不合理占比"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "feasible": Text("feasible now", "当前可行"),
    "date": Text("from", "可满足时间"),
    "advice": Text("advice", "建议"),
    "alpha": Text("share of the industry above", "行业中高于界限者"),
    "part": Text("part", "部分"),
    "share": Text("share", "占比"),
    "action": Text("action", "行动"),
}
ACTIONS: Final = {
    "meet": Text("meet it", "予以满足"),
    "explain_date": Text("explain, with a date", "说明原因并给出时间"),
    "meet_or_explain": Text("meet it, or explain with a date", "满足，或说明并给出时间"),
    "explain_alternative": Text("explain, offer alternatives", "解释并提供替代方案"),
}
RULES: Final = {
    "normal": Text("mean and SD", "均值与标准差"),
    "percentile": Text("90th percentile", "90 分位数"),
    "within-sample": Text("own sample's 90th percentile", "本样本 90 分位数"),
}
PARTS: Final = {"reasonable": Text("reasonable", "合理"), "unreasonable": Text("unreasonable", "不合理")}
MOST: Final = 0.5
"""An attribute is advised to be explained when more than this share is clearly unreasonable."""


def action_of(feasible: bool | None) -> str:
    """What to do about a reasonable expectation.

    Example:
        >>> action_of(True), action_of(False), action_of(None)
        ('meet', 'explain_date', 'meet_or_explain')
    """
    return "meet_or_explain" if feasible is None else "meet" if feasible else "explain_date"


def advice_of(low: float, feasible: bool | None) -> str:
    """What to do about an attribute: explain where most expectations are clearly unreasonable, else as the reasonable.

    Parameters:
        low: lower bound of the share that is unreasonable.

    Example:
        >>> advice_of(0.6, True), advice_of(0.4, True)
        ('explain_alternative', 'meet')
    """
    return "explain_alternative" if low > MOST else action_of(feasible)


def sentences_of(
    frames: tuple[pl.DataFrame, pl.DataFrame],
    labels: Mapping[str, Text],
    keys: Sequence[str],
    alpha: float,
    *,
    within: bool,
) -> tuple[Text, ...]:
    """Per cell: the attribute most expectations of which are unreasonable; what to do about each.

    Parameters:
        frames: table and sensitivity of a `Reasonable`. alpha: of the industry above the limit.
    """
    out: list[Text] = []
    for cell, part in told_cells(frames[0], keys):
        others = rows_of(frames[1], cell)
        said = [_worst(part, others, labels, alpha, within=within)]
        out += of_cell(cell, [*said, *([] if within else [_advised(part, labels)])])
    return tuple(out)


def _worst(part: pl.DataFrame, others: pl.DataFrame, labels: Mapping[str, Text], alpha: float, *, within: bool) -> Text:
    """Where expectations exceed the limit most, which limit that is, and where another limit has another first."""
    row = part.sort("unreasonable", descending=True, nulls_last=True).row(0, named=True)
    if row["unreasonable"] is None:
        return Text("No share can be given.", "无法给出占比。")
    name, share = labels[row["attribute"]], f"{100 * row['unreasonable']:.1f}%"
    share_zh = f"{100 * row['unreasonable']:.1f}%"
    bounds = f"{100 * row['conf_low']:.1f} to {100 * row['conf_high']:.1f}%"
    bounds_zh = f"{100 * row['conf_low']:.1f}–{100 * row['conf_high']:.1f}%"
    if within:
        en = (
            f"Expectations stand out most for {name.en}: {share} ({bounds}) lie above the sample's own 90th percentile."
        )
        return Text(en, f"“{name.zh}”的偏高期望最多：{share_zh}（{bounds_zh}）高于样本自身的 90 分位数。")
    if row["unreasonable"] == 0:
        return Text("No expectation lies above the limits.", "没有期望高于所设界限。")
    at, of = fixed(row["limit"]), "10" if row["rule"] == "percentile" else f"{100 * alpha:g}"
    en = f"{share} ({bounds}) expect more of {name.en} than {at}, which {of}% of the industry's deliveries exceed: the"
    zh = f"{share_zh}（{bounds_zh}）对“{name.zh}”的期望高于 {at}（行业交付水平中仅 {of}% 超过），为各属性之最"
    moved = _elsewhere(row["attribute"], others.filter(pl.col("alpha") != alpha), labels)
    return Text(f"{en} most of all attributes{moved.en}.", f"{zh}{moved.zh}。")


def _elsewhere(first: str, others: pl.DataFrame, labels: Mapping[str, Text]) -> Text:
    """Limits under which another attribute comes first."""
    en, zh = [], []
    for part in others.drop_nulls("unreasonable").partition_by("alpha", maintain_order=True):
        row = part.sort("unreasonable", descending=True).row(0, named=True)
        if row["attribute"] != first:
            share, of, name = f"{100 * row['unreasonable']:.1f}%", f"{100 * row['alpha']:g}%", labels[row["attribute"]]
            en.append(f"{name.en} ({share}) at the limit that {of} exceed")
            zh.append(f"若界限取行业 {of} 超过的水平则为“{name.zh}”（{share}）")
    return Text(f"; {', '.join(en)}", f"；{'，'.join(zh)}") if en else Text("", "")


def _advised(part: pl.DataFrame, labels: Mapping[str, Text]) -> Text:
    """Attributes by what to do about them."""
    en, zh = [], []
    for action, said in ACTIONS.items():
        names = [labels[a] for a in part.filter(advice=action)["attribute"]]
        if names:
            en.append(f"{said.en}: {', '.join(n.en for n in names)}")
            zh.append(f"{said.zh}：{'、'.join(n.zh for n in names)}")
    whole = "; ".join(en)
    return Text(whole[:1].upper() + whole[1:] + ".", "；".join(zh) + "。")


def in_words(frame: pl.DataFrame, labels: Mapping[str, Text], lang: str) -> pl.DataFrame:
    """A frame with attributes, rules and actions in words."""
    out = frame
    words = (("attribute", labels), ("rule", RULES), ("advice", ACTIONS), ("action", ACTIONS), ("part", PARTS))
    for column, known in words:
        if column in out.columns:
            out = out.with_columns(pl.col(column).replace({k: t.say(lang) or k for k, t in known.items()}))
    return out


def lines_of(
    frames: tuple[pl.DataFrame, pl.DataFrame],
    sentences: Sequence[Text],
    notes: Sequence[Note],
    labels: Mapping[str, Text],
    lang: str,
) -> str:
    """Sentences, attributes, sensitivity, notes."""
    found, sensitivity = frames
    shown = found.drop("benchmark_sd", "benchmark_n")
    shown = shown.select(c for c in shown.columns if shown[c].null_count() < shown.height)
    lines = [*(s.say(lang) for s in sentences), "", based(in_words(shown, labels, lang), HEADINGS, lang), ""]
    if sensitivity["unreasonable"].null_count() < sensitivity.height:
        lines += [based(in_words(sensitivity, labels, lang), HEADINGS, lang), ""]
    return "\n".join([*lines, *told((), notes, lang)])
