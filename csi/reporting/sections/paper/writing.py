"""The methods of a paper as sentences, written from the settings: nothing in them is typed by hand."""

from __future__ import annotations

from collections.abc import Iterable

from csi.errors import Text
from csi.estimate.estimate import Estimate
from csi.reporting import style, words
from csi.reporting.analysis import Analysis
from csi.reporting.section import Section
from csi.reporting.sections.drawn import percent
from csi.reporting.sections.fit import LIMITS
from csi.reporting.sections.grouped import key_of
from csi.reporting.sections.measurement import DISTINCT, LOADING, RELIABLE, VARIANCE
from csi.reporting.sections.method import INTERVALS, RESAMPLING, formula_of
from csi.reporting.sections.model import cell_of
from csi.reporting.sections.paper.checked import checked
from csi.reporting.sections.paper.facts import absent_share, used
from csi.reporting.sections.paper.settings import software
from csi.reporting.sections.paper.works import cited, keys_in
from csi.reporting.sections.prediction import FOLDS, REPETITIONS
from csi.reporting.tables import printed
from csi.reporting.words.phrases import capital

COMPOSITES = {
    "pls": Text("partial least squares path modelling [@lohmoller1989]", "偏最小二乘路径模型[@lohmoller1989]"),
    "plsc": Text(
        "consistent partial least squares (PLSc) [@lohmoller1989; @dijkstra2015]",
        "一致偏最小二乘（PLSc）[@lohmoller1989; @dijkstra2015]",
    ),
    "gsca": Text("generalised structured component analysis [@hwang2004]", "广义结构成分分析（GSCA）[@hwang2004]"),
    "sum": Text("regressions among sum scores of standardised items", "标准化题项合计分之间的回归"),
    "raw": Text("regressions among sum scores of the items as answered", "原始题项合计分之间的回归"),
    "pca": Text("regressions among first principal components", "各构念第一主成分之间的回归"),
}
"""Estimators of composites in a sentence."""

LATENTS = {
    "ml": Text("maximum likelihood [@joreskog1969]", "极大似然法[@joreskog1969]"),
    "sem": Text("maximum likelihood [@joreskog1969]", "极大似然法[@joreskog1969]"),
    "mlr": Text(
        "maximum likelihood with robust (sandwich) standard errors and a scaled test statistic (MLR) [@yuan2000]",
        "稳健极大似然法（MLR，夹心标准误与校正检验统计量）[@yuan2000]",
    ),
    "mlm": Text(
        "maximum likelihood with a mean-adjusted test statistic (MLM) [@satorra2001]",
        "均值校正的极大似然法（MLM）[@satorra2001]",
    ),
    "wlsmv": Text(
        "diagonally weighted least squares of polychoric correlations with an adjusted test (WLSMV) [@muthen1984]",
        "多分格相关的对角加权最小二乘法，均值与方差校正（WLSMV）[@muthen1984]",
    ),
}
"""Estimators of covariance models in a sentence; others by their name alone."""

ABSENT = {
    "listwise": Text("respondents with an absent answer were left out (listwise)", "含缺失的答卷整份剔除（按行删除）"),
    "pairwise": Text("covariances used every pair of answers there is (pairwise)", "协方差按成对可用回答计算"),
    "mean": Text("absent answers were replaced by the item's mean", "缺失以题项均值替换"),
    "em": Text("moments were estimated by the EM algorithm [@dempster1977]", "矩由 EM 算法估计[@dempster1977]"),
    "fiml": Text(
        "every answer was used by full-information maximum likelihood [@enders2001]",
        "以完全信息极大似然利用全部回答[@enders2001]",
    ),
    "two-stage": Text(
        "saturated moments were estimated first, the model then (two-stage)", "先估计饱和矩，再估计模型（两阶段）"
    ),
}
"""What became of absent answers, by the setting."""


def writing_section(a: Analysis) -> Section:
    """The methods in paragraphs: sample, model and estimation, uncertainty, criteria."""
    said = methods(a)
    return Section(
        key="writing",
        title=Text("Methods, to be quoted as they stand", "方法段落，可直接引用"),
        subtitle=Text("Written from the settings; the works cited are listed below", "由设定自动写成；所引文献见下文"),
        paragraphs=tuple(cited(t, keys_in(said)) for t in said),
    )


def methods(a: Analysis) -> tuple[Text, ...]:
    """The paragraphs, their works still marked `[@key]`."""
    parts = (_sample(a), _model(a), _errors(a), _measured(a), _structure(a), checked(a))
    return tuple(_joined(p) for p in parts if p)


def _joined(sentences: Iterable[Text]) -> Text:
    """Sentences as a paragraph; Chinese ones without spaces."""
    said = [s for s in sentences if s.en]
    return Text(" ".join(f"{capital(s.en)}." for s in said), "".join(f"{s.zh}。" for s in said))


def _sample(a: Analysis) -> list[Text]:
    """Answers, wave, absences, weights, limits of what is printed."""
    n, brand, wave = used(a), a.brand_labels[a.focal], words.wave_name(a.wave)
    share, how = style.share(absent_share(a)), ABSENT[a.study.settings.missing]
    weighted = "weight" in a.panel.frame.columns
    small, flagged = a.study.settings.small, a.study.settings.flagged
    of = Text(f" of {brand.en}", brand.zh) if len(a.brands) > 1 else Text("", "")
    when = Text(f" in {wave.en}", f"{wave.zh}") if wave.en else Text("", "")
    return [
        Text(
            f"the model rests on {n} answers of customers{of.en}{when.en}", f"模型基于{when.zh}{of.zh}顾客的 {n} 份答卷"
        ),
        Text(f"{share} of the answers to the items were absent; {how.en}", f"题项回答缺失 {share}，{how.zh}")
        if absent_share(a)
        else Text("no answer to an item is absent", "题项回答没有缺失"),
        Text("design weights enter every estimate", "全部估计使用设计权重")
        if weighted
        else Text("all answers count alike", "各答卷等权"),
        Text(
            f"nothing is printed of cells with fewer than {small} answers, and cells below {flagged} are marked",
            f"答卷少于 {small} 份的单元不公布，少于 {flagged} 份的加注",
        ),
    ]


def _model(a: Analysis) -> list[Text]:
    """Constructs, items, paths; estimator, algorithm and software."""
    m, s, est = a.model, a.study.settings, cell_of(a).estimate
    made = [c for c, mode in zip(est.solution.constructs, est.solution.modes, strict=True) if mode == "B"]
    formed = [a.label(c) for c in made] if not s.covariance else []
    names = words.listed([words.lowered(f) for f in formed])
    kinds = (
        Text(
            f"; {names.en} {'is' if len(formed) == 1 else 'are'} formative, the others reflective",
            f"；其中{names.zh}为形成型，其余为反映型",
        )
        if formed
        else Text(", all measured reflectively", "，均为反映型测量")
    )
    counted = Text(
        f"the model has {len(m.names)} constructs, {len(m.items)} items and {len(m.paths)} paths{kinds.en}",
        f"模型含 {len(m.names)} 个构念、{len(m.items)} 个题项与 {len(m.paths)} 条路径{kinds.zh}",
    )
    return [counted, _estimated(a)]


def _estimated(a: Analysis) -> Text:
    """The estimator with its algorithm, and the software."""
    s, est, soft = a.study.settings, cell_of(a).estimate, software()
    if s.covariance:
        name = s.estimator.upper()
        how = LATENTS.get(s.estimator, Text(name, f" {name} "))
        return Text(f"it was estimated by {how.en}, in {soft.en}", f"以{how.zh}估计，软件为 {soft.zh}")
    how = COMPOSITES[s.estimator]
    rounds, small = int(est.convergence.iterations[0]), tiny(s.tolerance)
    scheme = {"path": "路径加权", "factorial": "因子加权", "centroid": "重心加权"}[s.weighting]
    told = Text("", "")
    if s.estimator in {"pls", "plsc"}:
        told = Text(
            f" with the {s.weighting} weighting scheme (stop criterion {small}, reached after {rounds} iterations)",
            f"（{scheme}，收敛标准 {small}，{rounds} 次迭代收敛）",
        )
    return Text(f"it was estimated by {how.en}{told.en}, in {soft.en}", f"以{how.zh}估计{told.zh}，软件为 {soft.zh}")


def tiny(value: float) -> str:
    """A small number as it is set: 1e-7.

    Example:
        >>> tiny(1e-7)
        '1e-7'
    """
    return f"{value:.0e}".replace("e-0", "e-")


def _errors(a: Analysis) -> list[Text]:
    """Resamples, kind and level of intervals, seed; which are the delta method's."""
    s, est = a.study.settings, cell_of(a).estimate
    level = percent(est.level)
    if s.replicate_weights is not None:
        way = s.replicate_weights.kind
        return [
            Text(
                f"standard errors and {level} intervals come from replicate weights ({way})",
                f"标准误与 {level} 区间来自重复权重（{way}）",
            )
        ]
    if est.replicates is None:
        return [
            Text(
                f"standard errors are those of the estimator, intervals normal ({level})",
                f"标准误为估计方法自身的标准误，区间为 {level} 正态区间",
            )
        ]
    work = "[@efron1979; @efron1987]" if s.interval == "bca" else "[@efron1979]"
    drawn, kind, many = RESAMPLING[s.resampling], INTERVALS[s.interval], printed(est.replicates.n, "count")
    said = Text(
        f"standard errors and two-sided {level} {kind.en} intervals come from {many} bootstrap resamples {work}: "
        f"{drawn.en}, seed {s.seed}",
        f"标准误与双侧 {level} {kind.zh}区间来自 {many} 次自助抽样{work}：{drawn.zh}，随机种子 {s.seed}",
    )
    own = Text("those of standardised parameters come from the delta method", "标准化参数的标准误由 Delta 法得到")
    same = Text("tests of single paths are not adjusted for their number", "单条路径的检验未作多重比较校正")
    return [said, *_lost(est), *([own] if s.covariance else []), same]


def _lost(est: Estimate) -> list[Text]:
    """How many resamples have no solution, where there are such."""
    if est.replicates is None:
        return []
    gone = int((~est.replicates.usable[:, 0]).sum())
    en = f"{printed(gone, 'count')} of them had no solution and were left out"
    return [Text(en, f"其中 {printed(gone, 'count')} 次无解，未计入")] if gone else []


RELIABILITIES = {
    "alpha": Text("Cronbach's α [@cronbach1951]", "Cronbach's α[@cronbach1951]"),
    "rho_a": Text("ρA [@dijkstra2015]", "ρA[@dijkstra2015]"),
    "rho_c": Text("ρC [@werts1974]", "ρC[@werts1974]"),
}
"""Reliabilities in a sentence, by their columns; those that an engine has not are in no table and in no sentence."""


def _measured(a: Analysis) -> list[Text]:
    """By what the measurement is judged, and whose cut-offs these are."""
    c = {
        k: Text(style.coefficient(v), style.coefficient(v, "zh"))
        for k, v in (("v", VARIANCE), ("r", RELIABLE), ("d", DISTINCT))
    }
    load = Text(style.coefficient(LOADING, "en", 3), style.coefficient(LOADING, "zh", 3))
    tabled = cell_of(a).reliability.table
    names = words.listed([said for name, said in RELIABILITIES.items() if tabled[name].count()])
    reliable = Text(f", {names.en} {c['r'].en}", f"，{names.zh} 达到 {c['r'].zh}") if names.en else Text("", "")
    return [
        Text(
            f"loadings should reach {load.en}{reliable.en}, AVE {c['v'].en} [@fornell1981; @hair2019]",
            f"载荷应达到 {load.zh}{reliable.zh}，AVE 达到 {c['v'].zh}[@fornell1981; @hair2019]",
        ),
        Text(
            f"constructs count as distinct where HTMT is below {c['d'].en} [@henseler2015]",
            f"HTMT 低于 {c['d'].zh} 视为可区分[@henseler2015]",
        ),
        Text(
            "common method variance was looked for by full collinearity, VIF at most 3.3 [@kock2015], and by a method "
            "factor [@podsakoff2003]",
            "共同方法变异以完全共线性（VIF 不高于 3.3[@kock2015]）与方法因子[@podsakoff2003]检查",
        ),
        _limits(),
    ]


def _limits() -> Text:
    """Whose limits of global fit these are: the stricter ones of one work, each lenient one of its own."""
    limits = {k: (LIMITS[k].good, LIMITS[k].fair) for k in ("cfi", "rmsea", "srmr")}
    en, zh = ([f"{style.coefficient(v, lang)}" for pair in limits.values() for v in pair] for lang in ("en", "zh"))
    return Text(
        f"factors fit well from CFI {en[0]}, RMSEA {en[2]} and SRMR {en[4]} on [@hu1999], acceptably from CFI {en[1]} "
        f"[@bentler1980], RMSEA {en[3]} [@browne1993] and SRMR {en[5]} [@schermelleh2003]",
        f"公因子拟合以 CFI {zh[0]}、RMSEA {zh[2]}、SRMR {zh[4]} 为良好[@hu1999]，"
        f"以 CFI {zh[1]}[@bentler1980]、RMSEA {zh[3]}[@browne1993]、SRMR {zh[5]}[@schermelleh2003]为可接受",
    )


def _structure(a: Analysis) -> list[Text]:
    """By what the structure is judged: size, prediction, mediation, groups, performance; and what it may claim."""
    s = a.study.settings
    found = [
        Text(
            "an f² of .02, .15 and .35 is read as small, medium and large [@cohen1988]",
            "f² 以 0.02、0.15、0.35 为小、中、大[@cohen1988]",
        ),
        Text(
            "mediation is called complementary, competitive or indirect-only by the signs and intervals of its parts "
            "[@zhao2010]",
            "中介按各部分的符号与区间分为互补、竞争与仅间接中介[@zhao2010]",
        ),
        *_groups(a),
    ]
    if s.covariance:
        found.append(
            Text(
                "residual correlations and modification indices [@sorbom1989] show local misfit; "
                "no parameter was freed because of them",
                "以残差相关与修正指数[@sorbom1989]查看局部不拟合，未据此释放任何参数",
            )
        )
    else:
        found += [
            Text(
                "an R² of .25, .50 and .75 is read as weak, moderate and substantial [@hair2011]",
                "R² 以 0.25、0.50、0.75 为弱、中、强[@hair2011]",
            ),
            Text(
                f"prediction was judged out of sample with {FOLDS} folds and {REPETITIONS} repetitions, by Q²predict "
                "above 0 [@shmueli2019] and by CVPAT [@liengaard2021]",
                f"预测力以 {FOLDS} 折、{REPETITIONS} 次重复的样本外 Q²predict 大于 0[@shmueli2019]"
                "与 CVPAT[@liengaard2021]评价",
            ),
        ]
    found += _performance(a)
    found.append(
        Text(
            "the answers are cross-sectional: paths are read as associations, not as effects of an intervention",
            "答卷为横截面数据：路径解读为关联，而非干预效果",
        )
    )
    return found


OUTER = Text(
    "indices of 0–100 are means of the items by their unstandardised outer weights [@fornell1996]",
    "0–100 指数为按非标准化外部权重的题项加权均值[@fornell1996]",
)
INDICES = {
    "F3": Text(
        "indices of 0–100 are means of the rescaled items by their outer weights [@ringle2016]",
        "0–100 指数为换算到 0–100 的题项按外部权重的加权均值[@ringle2016]",
    ),
    "F5": Text("indices of 0–100 are means of the items by equal weights", "0–100 指数为题项的等权均值"),
    "F6": Text(
        "indices of 0–100 are means of the items by the weights of their factor scores, loading over error variance "
        "[@bartlett1937]",
        "0–100 指数为按因子得分权重（载荷除以误差方差）的题项加权均值[@bartlett1937]",
    ),
}
"""How an index is made, by its formula; others by outer weights."""


def _performance(a: Analysis) -> list[Text]:
    """Importance on its scale, and the weights of the index, as the engine has them."""
    importance = Text(
        "performance is the index, importance the unstandardised total effect on the target [@ringle2016]",
        "表现为指数得分，重要性为对目标构念的非标准化总效应[@ringle2016]",
    )
    if a.study.settings.covariance:
        importance = Text(
            "performance is the index, importance the total effect of a factor in points of the target per point of "
            "its own",
            "表现为指数得分，重要性为因子的总效应，即自身每变化 1 分目标构念相应变化的分数",
        )
    return [importance, INDICES.get(formula_of(a), OUTER)]


def _groups(a: Analysis) -> list[Text]:
    """Whether groups may be compared, where there are two."""
    if key_of(a.study, a.panel, a.wave) is None:
        return []
    ladder = Text(
        "invariance of factors was tested step by step, by the scaled difference of chi-square and the change of CFI "
        "[@meredith1993; @satorra2001; @cheung2002]",
        "因子不变性逐步检验，依据校正卡方差与 CFI 变化[@meredith1993; @satorra2001; @cheung2002]",
    )
    if a.study.settings.covariance:
        return [ladder]
    return [
        ladder,
        Text(
            "paths of groups were compared only where MICOM found no difference in the composition of the composites "
            "[@henseler2016]",
            "仅在 MICOM 未见合成构成差异时比较各组路径[@henseler2016]",
        ),
    ]
