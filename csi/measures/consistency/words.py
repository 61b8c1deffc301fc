"""What coefficients of consistency, their models and intervals are called, and why one is absent."""

from __future__ import annotations

from typing import Final

from csi.errors import Reason, Text, reason
from csi.measures.reliability import NOT_COMPUTABLE, SINGLE

COEFFICIENTS: Final = {
    "alpha": Text("alpha", "α"),
    "alpha_std": Text("standardised alpha", "标准化 α"),
    "alpha_ordinal": Text("ordinal alpha (not the sum score's reliability)", "有序 α（不是总分的信度）"),
    "omega_total": Text("omega total", "ω 总"),
    "omega_hierarchical": Text("omega hierarchical", "ω 层次"),
    "omega_subscale": Text("omega of a group factor", "ω 组因子"),
    "omega_partial": Text("omega, other factors taken out", "ω（剔除其他因子）"),
    "omega_categorical": Text("categorical omega", "分类 ω"),
    "omega_higher": Text("omega of a higher-order factor", "ω 高阶"),
    "rho_a": Text("rho_a", "ρA"),
    "rho_c": Text("rho_c", "ρC"),
    "maximal": Text("maximal reliability", "最大信度"),
    "glb": Text("greatest lower bound", "最大下界"),
    "split_half_max": Text("best split half (lambda4)", "最佳折半（λ4）"),
    "split_half_min": Text("worst split half", "最差折半"),
    "split_half_mean": Text("mean of the split halves", "折半均值"),
    **{f"lambda{i}": Text(f"lambda{i}", f"λ{i}") for i in range(1, 7)},
    **{f"mu{i}": Text(f"mu{i}", f"μ{i}") for i in range(4)},
}
MODELS: Final = {
    "none": Text("none", "无"),
    "polychorics": Text("polychorics", "多分格相关"),
    "one factor, ML": Text("one factor, ML", "单因子（ML）"),
    "one factor, minres": Text("one factor, minres", "单因子（最小残差）"),
    "one factor of polychorics, minres": Text("one factor of polychorics, minres", "多分格相关的单因子（最小残差）"),
    "3-factor Schmid-Leiman": Text("3-factor Schmid-Leiman", "三因子 Schmid-Leiman"),
}
DENOMINATORS: Final = {"implied": Text("implied", "模型隐含"), "observed": Text("observed", "观测")}
INTERVALS: Final = {
    "feldt": Text("Feldt", "Feldt"),
    "duhachek-iacobucci": Text("Duhachek-Iacobucci", "Duhachek-Iacobucci"),
    "bootstrap logit": Text("bootstrap, logit", "自助法（logit）"),
    "bootstrap normal": Text("bootstrap, normal", "自助法（正态）"),
    "bootstrap percentile": Text("bootstrap, percentile", "自助法（百分位）"),
    "rows logit": Text("by rows, logit", "逐行线性化（logit）"),
    "rows normal": Text("by rows, normal", "逐行线性化（正态）"),
    "delta logit": Text("delta method, logit", "delta 法（logit）"),
    "delta normal": Text("delta method, normal", "delta 法（正态）"),
}
HEADINGS: Final = {
    "construct": Text("construct", "构念"),
    "coefficient": Text("coefficient", "系数"),
    "n_items": Text("items", "题项数"),
    "n": Text("n", "n"),
    "estimate": Text("estimate", "估计值"),
    "std_error": Text("std. error", "标准误"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "interval": Text("interval", "区间"),
    "model": Text("model", "模型"),
    "denominator": Text("denominator", "分母"),
    "reason": Text("reason", "原因"),
}

TWO = reason(
    "two_items",
    "two items: the loadings of a factor are not identified (alpha is then Spearman and Brown's).",
    "只有两个题项，因子载荷不可识别（此时 α 即 Spearman-Brown 系数）。",
)
CONSTANT = reason(
    "zero_variance",
    "an item has no variance: everybody gave it the same answer.",
    "有题项没有方差：所有人的回答相同。",
)
FEW = reason(
    "few_rows",
    "no more rows than items: the covariances have no inverse and no factor can be fitted.",
    "行数不多于题项数：协方差矩阵不可逆，无法拟合因子。",
)
THIN = reason(
    "few_for_polychorics",
    "fewer than thirty people answered: the error of polychoric correlations is not known from so few.",
    "作答不足三十人：样本过少，无法得知多分格相关的误差。",
)
NOBODY = reason("no_rows", "fewer than three people answered the scale.", "回答该量表的人不足三名。")
IMPROPER = reason(
    "improper",
    "the factor is not proper: an item's error variance is at or below zero (a Heywood case), or there is no solution.",
    "因子解不合理：有题项的误差方差不大于零（Heywood 情形），或没有解。",
)
SINGULAR = reason(
    "singular",
    "items predict each other perfectly (two are alike, say): the covariances have no inverse.",
    "题项可被彼此完全预测（例如两题回答完全相同）：协方差矩阵不可逆。",
)
UNORDERED = reason(
    "not_ordinal",
    "an item has more than ten different answers, or answers that are no whole numbers: it is not taken as ordinal.",
    "有题项的取值超过十种或不是整数，不作为有序题项处理。",
)
SHORT = reason(
    "few_for_general",
    "a general factor beside group factors needs six items or more.",
    "一般因子加组因子至少需要六个题项。",
)
DESIGN = reason(
    "of_simple_samples",
    "this interval is of simple random samples; with weights or clusters read the bootstrap's.",
    "该区间只适用于简单随机样本；有权重或整群时请看自助法区间。",
)
REASONS: Final = (
    SINGLE, TWO, CONSTANT, FEW, THIN, NOBODY, IMPROPER, SINGULAR, UNORDERED, SHORT, DESIGN, NOT_COMPUTABLE,
)  # fmt: skip


def say(known: dict[str, Text], word: str | None, lang: str) -> str | None:
    """A word of the tables in the language; itself where it is not known.

    Example:
        >>> say(DENOMINATORS, "implied", "zh")
        '模型隐含'
    """
    return None if word is None else known[word].say(lang) if word in known else word


def reason_of(code: str | None) -> Reason | None:
    """The reason behind a code of a table.

    Example:
        >>> reason_of("two_items").say()[:9]
        'two items'
    """
    return next((r for r in REASONS if r.code == code), None)
