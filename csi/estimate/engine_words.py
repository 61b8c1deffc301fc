"""Names of estimators and of treatments of absent answers in both languages."""

from __future__ import annotations

from csi.errors import Text

SCHEMES = {
    "path": "路径加权",
    "factorial": "因子加权",
    "centroid": "重心加权",
    "raw units": "原始单位",
    "sum scores": "合计分",
    "SEM": "协方差结构模型",
}
"""Words within the short names of estimators."""

TREATMENTS = {
    "listwise": Text("listwise deletion", "按行删除"),
    "pairwise": Text("pairwise moments", "成对计算"),
    "em": Text("moments by maximum likelihood (EM)", "EM 算法估计的极大似然矩"),
    "mean": Text("mean replacement", "均值替换"),
    "fiml": Text("full-information maximum likelihood", "完全信息极大似然（FIML）"),
    "two-stage": Text("two-stage maximum likelihood", "两阶段极大似然"),
}
"""By the name of the setting `missing`."""


def engine_words(name: str) -> Text:
    """The short name of an estimator; Chinese takes its own words and full-width brackets.

    Example:
        >>> engine_words("PLS (path)"), engine_words("PLSc (centroid, raw units)").zh
        (Text(en='PLS (path)', zh='PLS（路径加权）'), 'PLSc（重心加权，原始单位）')
    """
    zh = name
    for word, own in SCHEMES.items():
        zh = zh.replace(word, own)
    return Text(name, zh.replace(", ", "，").replace(" (", "（").replace(")", "）"))


def missing_words(name: str) -> Text:
    """How absent answers are treated.

    Example:
        >>> missing_words("listwise").zh
        '按行删除'
    """
    return TREATMENTS.get(name, Text(name, name))
