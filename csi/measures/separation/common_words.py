"""How checks of common method variance read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import polars as pl

from csi.display import table
from csi.errors import Note, Reason, Text
from csi.measures.shown import told

CHECKS: Final = {
    "full_collinearity": Text("full collinearity (largest VIF)", "全共线性（最大 VIF）"),
    "method_equal": Text("method factor, equal loadings (share)", "方法因子，载荷相等（占比）"),
    "method_free": Text("method factor, free loadings (share)", "方法因子，载荷自由（占比）"),
    "marker_partial": Text("marker, partial correlations (lost)", "标记变量偏相关（失去显著性的个数）"),
    "marker_equal": Text("marker factor (share)", "标记因子（占比）"),
    "marker_restricted": Text("marker, correlations biased (chi2)", "标记变量，相关是否有偏（卡方差）"),
    "harman": Text("Harman's first factor (share)", "Harman 首个因子（占比）"),
}
MODELS: Final = {
    "factors": Text("factors", "各构念因子"),
    "one_factor": Text("one factor", "单一因子"),
    "method_equal": Text("+ method, equal", "＋方法因子（等载荷）"),
    "method_free": Text("+ method, free", "＋方法因子（自由载荷）"),
    "marker_baseline": Text("marker apart", "标记变量独立"),
    "marker_equal": Text("+ marker, equal", "＋标记因子（等载荷）"),
    "marker_free": Text("+ marker, free", "＋标记因子（自由载荷）"),
    "marker_restricted": Text("correlations held", "固定相关"),
}
VERDICTS: Final = {
    "raised": Text("raised", "有迹象"),
    "doubtful": Text("doubtful", "存疑"),
    "not raised": Text("not raised", "未见迹象"),
}
HEADINGS: Final = {
    "check": Text("check", "检查"),
    "value": Text("value", "数值"),
    "limit": Text("limit", "界限"),
    "p_value": Text("p", "p 值"),
    "verdict": Text("verdict", "判断"),
    "model": Text("model", "模型"),
    "against": Text("against", "对照模型"),
    "chi2": Text("chi2", "卡方"),
    "df": Text("df", "自由度"),
    "cfi": Text("cfi", "CFI"),
    "rmsea": Text("rmsea", "RMSEA"),
    "chi2_diff": Text("chi2_diff", "卡方差"),
    "df_diff": Text("df_diff", "自由度差"),
    "method_share": Text("method share", "方法占比"),
    "reason": Text("reason", "原因"),
}


def sentences_of(checks: pl.DataFrame, partial: pl.DataFrame) -> tuple[Text, ...]:
    """One sentence on how many checks are raised, one on what a marker takes away."""
    told_ = checks.drop_nulls("verdict")
    raised, which = _with_verdict(told_, "raised")
    doubtful, unsure = _with_verdict(told_, "doubtful")
    en = (
        f"{raised} of {told_.height} checks of common method variance {'is' if raised == 1 else 'are'} raised{which.en}"
    )
    zh = f"{told_.height} 项共同方法变异检查中，有 {raised} 项提示存在{which.zh}"
    if doubtful:
        en, zh = (
            f"{en}; {doubtful} {'is' if doubtful == 1 else 'are'} doubtful{unsure.en}",
            f"{zh}；{doubtful} 项存疑{unsure.zh}",
        )
    caution, caution_zh = "; a check that is not raised is no evidence of absence.", "；未提示并不等于不存在。"
    found = [Text(en + caution, zh + caution_zh)]
    if partial.height:
        before = partial.filter(pl.col("p_value") < 0.05).height
        after = partial.filter((pl.col("p_value") < 0.05) & (pl.col("p_adjusted") < 0.05)).height
        found.append(
            Text(
                f"Of {before} correlations that differ from 0, {after} still do without the marker's share.",
                f"{before} 个显著的构念相关中，扣除与标记变量共有的部分后仍有 {after} 个显著。",
            )
        )
    return tuple(found)


def _with_verdict(checks: pl.DataFrame, verdict: str) -> tuple[int, Text]:
    """How many checks have a verdict, and which they are."""
    found = [CHECKS[c] for c in checks.filter(verdict=verdict)["check"]]
    if not found:
        return 0, Text("", "")
    return len(found), Text(f": {' and '.join(t.en for t in found)}", f"：{'、'.join(t.zh for t in found)}")


def lines_of(
    checks: pl.DataFrame,
    models: pl.DataFrame,
    sentences: Sequence[Text],
    reasons: Iterable[Reason],
    notes: Iterable[Note],
    lang: str,
) -> list[str]:
    """Checks, models, sentences, reasons, notes."""
    headings = {c: t.say(lang) for c, t in HEADINGS.items()}
    words = {k: t.say(lang) for k, t in (CHECKS | VERDICTS).items()}
    named = {k: t.say(lang) for k, t in MODELS.items()}
    lines = [Text("Common method variance", "共同方法变异").say(lang)]
    lines.append(table(checks.with_columns(pl.col("check", "verdict").replace(words)), headings=headings))
    if models.height:
        about = Text("Models with and without a method", "含与不含方法因子的模型").say(lang)
        kept = [c for c in models.columns if models[c].null_count() < models.height]
        shown = models.select(kept).with_columns(pl.col("model", "against").replace(named))
        lines += ["", about, table(shown, headings=headings)]
    also = Text("also", "另见").say(lang) + " .collinearity, .loadings, .correlations"
    return [*lines, also, "", *(s.say(lang) for s in sentences), *told(reasons, notes, lang)]
