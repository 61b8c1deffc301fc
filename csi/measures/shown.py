"""How measures of constructs read at the prompt: their frames with headings in both languages, long ones counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import polars as pl

from csi.display import Number, significant, table
from csi.errors import Note, Reason, Text
from csi.estimate.shown import p_column
from csi.survey.bases import HEADINGS as OF_BASES
from csi.survey.bases import in_words

ROWS = 40
"""So many rows of a frame are printed; the rest is counted."""

HEADINGS: Final = {
    "group": Text("group", "组"),
    "construct": Text("construct", "构念"),
    "other": Text("other", "另一构念"),
    "outcome": Text("outcome", "结果变量"),
    "predictor": Text("predictor", "预测变量"),
    "effect": Text("effect", "效应"),
    "chain": Text("chain", "路径链"),
    "predictors": Text("predictors", "预测变量个数"),
    "n_items": Text("n_items", "题项数"),
    "loadings": Text("loadings", "载荷"),
    "moderator": Text("moderator", "调节变量"),
    "at": Text("at (SD)", "取值（标准差）"),
    "kind": Text("kind", "类型"),
    "low": Text("low", "下界"),
    "high": Text("high", "上界"),
    "region": Text("region", "区域"),
    "share": Text("share", "占比"),
    "estimate": Text("estimate", "估计值"),
    "std_error": Text("std_error", "标准误"),
    "conf_low": Text("conf_low", "区间下限"),
    "conf_high": Text("conf_high", "区间上限"),
    "upper": Text("upper", "单侧上限"),
    "verdict": Text("verdict", "判断"),
    "reason": Text("reason", "原因"),
    "r2": Text("r2", "R²"),
    "r2_adjusted": Text("r2_adjusted", "调整后 R²"),
    "measure": Text("measure", "指标"),
    "value": Text("value", "值"),
    "scaled": Text("scaled", "校正"),
    "robust": Text("robust", "稳健"),
    "saturated": Text("saturated", "饱和模型"),
    "step": Text("step", "步骤"),
    "released": Text("released", "放开数"),
    "model": Text("model", "模型"),
    "constraint": Text("constraint", "约束"),
    "label": Text("label", "标签"),
    "row": Text("row", "行"),
    "chi2": Text("chi2", "卡方"),
    "x2": Text("x2", "卡方"),
    "df": Text("df", "自由度"),
    "p_value": Text("p_value", "p 值"),
    "statistic": Text("statistic", "统计量"),
    "cfi": Text("cfi", "CFI"),
    "tli": Text("tli", "TLI"),
    "rmsea": Text("rmsea", "RMSEA"),
    "rmsea_conf_low": Text("rmsea_conf_low", "RMSEA 下限"),
    "rmsea_conf_high": Text("rmsea_conf_high", "RMSEA 上限"),
    "srmr": Text("srmr", "SRMR"),
    "nfi": Text("nfi", "NFI"),
    "logl": Text("logl", "对数似然"),
    "aic": Text("aic", "AIC"),
    "bic": Text("bic", "BIC"),
    "delta_chi2": Text("delta_chi2", "卡方增量"),
    "delta_df": Text("delta_df", "自由度增量"),
    "delta_p": Text("delta_p", "增量 p 值"),
    "delta_cfi": Text("delta_cfi", "CFI 变化"),
    "delta_rmsea": Text("delta_rmsea", "RMSEA 变化"),
    "chi2_diff": Text("chi2_diff", "卡方差"),
    "df_diff": Text("df_diff", "自由度差"),
    "mean": Text("mean", "均值"),
    "in_sd": Text("in_sd", "以标准差计"),
    "epc": Text("epc", "预期变化"),
    "epc_first": Text("epc_first", "另一参数的预期变化"),
    "std_all": Text("std_all", "标准化"),
    "std_lv": Text("std_lv", "潜变量标准化"),
    "difference": Text("difference", "差异"),
    "in_se": Text("in_se", "以标准误计"),
    "agree": Text("agree", "一致"),
    "base": Text("base", "统计量"),
    "gamma": Text("gamma", "四阶矩"),
    "test": Text("test", "检验"),
}
WORDS: Final = {
    "direct": Text("direct", "直接"),
    "indirect": Text("indirect", "间接"),
    "total": Text("total", "总效应"),
    "factor": Text("factor", "因子"),
    "composite": Text("composite", "合成"),
    "pass": Text("pass", "通过"),
    "doubtful": Text("doubtful", "存疑"),
    "fail": Text("fail", "未通过"),
    "baseline": Text("baseline", "基准"),
    "not rejected": Text("not rejected", "未拒绝"),
    "partial": Text("partial", "部分成立"),
    "rejected": Text("rejected", "拒绝"),
    "void": Text("void", "无意义"),
    "unsettled": Text("unsettled", "未定"),
    "equivalent": Text("equivalent", "等同"),
    "not tested": Text("not tested", "未检验"),
}
WORDED: Final = ("effect", "verdict", "loadings")
"""Columns of words."""


def listing(
    frame: pl.DataFrame, lang: str, number: Number | Mapping[str, Number] = significant, words: Sequence[str] = WORDED
) -> str:
    """A frame as text: headings, words and flags in the language; names of variables and of columns unknown stay.

    Parameters:
        number: as of `csi.display.table`. words: columns whose values are words, or names of columns.

    Example:
        >>> print(listing(pl.DataFrame({"lhs": ["f"], "chi2_ml": [2.5], "verdict": ["partial"]}), "zh"))
        lhs  卡方 ml  判断
        ---  -------  --------
        f        2.5  部分成立
    """
    said = {word: text.say(lang) for word, text in (HEADINGS | WORDS).items()}
    kept = frame.with_columns(pl.col(c).replace(said) for c in words if c in frame.columns)
    flags = {True: Text("yes", "是").say(lang), False: Text("no", "否").say(lang)}
    flagged = [c for c, kind in frame.schema.items() if kind == pl.Boolean]
    kept = kept.with_columns(pl.col(c).replace_strict(flags, return_dtype=pl.String) for c in flagged)
    headings = {c: _heading(c) for c in frame.columns} if lang == "zh" else {}
    return table(kept, number, headings)


def _heading(column: str) -> str:
    """The Chinese heading of a column; what follows a known name is kept behind it, as in `estimate_ml`."""
    if column in HEADINGS:
        return HEADINGS[column].zh
    known = max((name for name in HEADINGS if column.startswith(f"{name}_")), key=len, default="")
    return f"{HEADINGS[known].zh} {column[len(known) + 1 :]}" if known else column


def part(title: Text, frame: pl.DataFrame, lang: str, place: str, most: int = ROWS, least: float = 0.0) -> list[str]:
    """Lines of one frame under its title; nothing for a frame without rows. Columns without a value are left out.

    Parameters:
        place: where everything is, such as ".table". most: rows that are printed. least: the least p-value that the
            draws can give (0: none are draws); one there is a bound.

    Example:
        >>> print(*part(Text("R2", "R²"), pl.DataFrame({"r2": [0.5, 0.25]}), "en", ".r2", most=1), sep=chr(10))
        R2
         r2
        ---
        0.5
        ... 1 more row in .r2
    """
    if not frame.height:
        return []
    kept = frame.select(c for c in frame.columns if frame[c].null_count() < frame.height)
    lines = [title.say(lang), _listed(kept.head(most), lang, least)]
    rest = kept.height - most
    if rest > 0:
        lines.append(
            Text(f"... {rest} more row{'s' * (rest > 1)} in {place}", f"……另有 {rest} 行，见 {place}").say(lang)
        )
    return lines


def _listed(frame: pl.DataFrame, lang: str, least: float) -> str:
    """A frame as text, p-values of draws as `p_text` has them."""
    if not least or "p_value" not in frame.columns:
        return listing(frame, lang)
    prints: dict[str, Number] = {c: significant for c, kind in frame.schema.items() if kind.is_float()}
    return listing(frame.with_columns(p_column(frame, "p_value", least)), lang, prints)


def based(frame: pl.DataFrame, headings: Mapping[str, Text], lang: str) -> str:
    """A frame as text with headings of its own, flags of few answers in words.

    Example:
        >>> from csi.survey.bases import Bases
        >>> print(based(Bases().withheld(pl.DataFrame({"n": [40, 9], "gap": [0.5, 2.0]})), {}, "en"))
         n  gap  base
        --  ---  ---------------
        40  0.5  few answers
         9    -  too few answers
    """
    return table(in_words(frame, lang), headings={c: t.say(lang) for c, t in {**OF_BASES, **headings}.items()})


def told(reasons: Iterable[Reason], notes: Iterable[Note], lang: str) -> list[str]:
    """Why values are absent and what is doubtful, a line each.

    Example:
        >>> from csi.errors import note
        >>> told([], [note("N-FEW", "few rows.", "行数少。")], "en")
        ['* few rows.']
    """
    return [f"* {r.say(lang)}" for r in reasons] + [f"* {n.say(lang)}" for n in notes]
