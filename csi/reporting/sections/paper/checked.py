"""What else was asked of the model, as sentences of the methods: each only where the report shows it."""

from __future__ import annotations

from csi.errors import Text
from csi.measures.exact_fit import can_be_tested
from csi.reporting import words
from csi.reporting.analysis import Analysis
from csi.reporting.sections.model import cell_of
from csi.reporting.sections.paper.checks import SEGMENTS, STARTS
from csi.reporting.sections.paper.global_fit import resamples
from csi.reporting.sections.robustness import name_of, others_of


def checked(a: Analysis) -> list[Text]:
    """Exact fit, bent relations, endogenous predictors, unobserved segments, other estimators."""
    composite = not a.study.settings.covariance
    found = []
    if composite and _shown(a, "global_fit") and can_be_tested(cell_of(a).estimate):
        found.append(_exact(a))
    if composite and _shown(a, "checks"):
        found += _robust()
    if _shown(a, "robustness") and others_of(a):
        names = words.listed([name_of(n) for n in others_of(a)])
        found.append(
            Text(
                f"the model was estimated again by {names.en}; what is more than two standard errors away is marked",
                f"另以{names.zh}重新估计模型，相差超过两个标准误者加以标注",
            )
        )
    return found


def _shown(a: Analysis, key: str) -> bool:
    """Whether the study leaves a section of the paper in."""
    return a.study.settings.telling.sections.get(key, True)


def _exact(a: Analysis) -> Text:
    many = resamples(a.study.settings)
    return Text(
        f"exact fit was tested by {many} bootstrap resamples of a model that holds: SRMR, d_ULS and d_G beside their "
        "quantiles [@dijkstra2015csda]",
        f"以模型为真的 {many} 次自助抽样检验精确拟合，将 SRMR、d_ULS、d_G 与其分位数比较[@dijkstra2015csda]",
    )


def _robust() -> list[Text]:
    """RESET, copulas and FIMIX; the section of the checks says of each why it could not be made, where it could not."""
    return [
        Text(
            "bent relations were looked for by RESET [@ramsey1969], endogenous predictors by Gaussian copulas where "
            "their scores are far enough from normal [@park2012; @hult2018]",
            "以 RESET 检查非线性[@ramsey1969]，在得分足够偏离正态时以高斯 copula 检查内生性[@park2012; @hult2018]",
        ),
        Text(
            f"unobserved segments were looked for by FIMIX with {SEGMENTS[0]} to {SEGMENTS[-1]} segments and {STARTS} "
            "random starts, where there are respondents enough [@hahn2002]",
            f"样本足够时用 FIMIX（{SEGMENTS[0]}–{SEGMENTS[-1]} 个细分，{STARTS} 个随机起点）查未观测异质性[@hahn2002]",
        ),
    ]
