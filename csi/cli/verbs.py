"""The verbs and their one-line help; the file of the same name is loaded when its verb is asked for."""

from __future__ import annotations

from typing import Final

from csi.errors import Text

VERBS: Final[dict[str, Text]] = {
    "init": Text("write a study file and a codebook to start from", "由导出数据生成研究文件与编码簿的初稿"),
    "check": Text("say what is read, what the rules did, and what is wrong", "检查数据、规则效果与所有问题"),
    "quality": Text(
        "what each rule finds in the answers and moves the index by; where rows went",
        "各规则命中的答卷、对指数的影响与答卷去向",
    ),
    "missing": Text(
        "absent answers: reasons, patterns, Little's test, and the index under each treatment",
        "缺失回答：原因、模式、Little 检验与各种处理下的指数",
    ),
    "weigh": Text(
        "weigh answers to margins: before and after, convergence, design effect, effective n",
        "按边际加权：加权前后、收敛、设计效应、有效样本量",
    ),
    "fit": Text(
        "estimate the model in every brand and wave, or a model text on a data file",
        "按品牌与期次估计模型，或用模型文本拟合数据文件",
    ),
    "compare": Text(
        "one model by several estimators: does what is read depend on them",
        "用多种估计方法拟合同一模型，看结论是否依赖方法",
    ),
    "assess": Text(
        "judge a composite model: fit, R², f², Q², VIF, criteria, tetrads",
        "评估合成模型：拟合、R²、f²、Q²、VIF、信息准则、四元组",
    ),
    "predict": Text(
        "how well a composite model predicts respondents it has not seen",
        "合成模型对未见受访者的预测能力（PLSpredict、CVPAT）",
    ),
    "scores": Text(
        "every respondent's score on every construct, of the rows of a fit or of new ones",
        "每位受访者在各构念上的得分（原数据或新数据）",
    ),
    "index": Text("the 0-100 index with its standard error", "0–100 指数及其标准误"),
    "tree": Text(
        "industries, sectors, a nation: the index up a tree, with an audit", "按行业、部门、全国逐级汇总的指数与核对表"
    ),
    "track": Text("changes against the previous and the year-ago wave", "与上期及去年同期相比的变化"),
    "waves": Text(
        "cross-sections or a panel, what changed in the questionnaire, who left",
        "各期是横截面还是追踪样本、问卷有何变化、谁流失",
    ),
    "league": Text(
        "ranks of brands with intervals, how ranks vary by chance, medals", "品牌排名及其区间、名次的抽样分布与奖牌榜"
    ),
    "batch": Text(
        "a record for every brand in every wave; restartable, failures listed",
        "逐品牌逐期生成记录；可续跑，失败单元列出原因",
    ),
    "append": Text(
        "add a day's answers to stored moments; the index follows", "将当日答卷追加到已存的矩，指数随之更新"
    ),
    "coding": Text(
        "replay the study's coding on the next wave's export; list what does not fit",
        "在下一期导出数据上沿用研究的编码，列出不相符之处",
    ),
    "diff": Text("what changed between two runs: data, settings, numbers", "两次运行之间的变化：数据、设置与数值"),
    "comparable": Text(
        "may brands and waves be compared, and what would items that differ move",
        "品牌与期次是否可比，相异题项会带来多少点的影响",
    ),
    "expectation": Text(
        "expectation beside experience: gaps, Kano's classes, recommendation", "期望与体验：差距、Kano 分类、净推荐值"
    ),
    "drivers": Text("what is associated with the target, and how well it is done", "驱动因素与重要性—表现"),
    "whatif": Text(
        "what if drivers were raised: points of the target that go with that, what it costs",
        "若提高驱动因素：目标相应变化多少分、成本几何",
    ),
    "plan": Text(
        "the best plan under a budget: which levels of which levers", "预算之内的最优方案：提高哪些杠杆、提高多少"
    ),
    "ipa": Text(
        "attributes by importance (stated, derived) and performance: quadrants and how sure they are",
        "属性的重要性（自述、推算）与表现：象限及其把握",
    ),
    "groups": Text(
        "may groups be compared (MICOM), and which paths differ between them", "各组是否可比（MICOM），哪些路径不同"
    ),
    "mediation": Text("indirect effects, and the kind of each mediation", "间接效应与中介类型"),
    "slopes": Text("moderated arrows: simple slopes and regions of significance", "调节效应：简单斜率与显著区域"),
    "nca": Text("necessary conditions: what no high outcome goes without", "必要条件：高结果所不可缺少的"),
    "power": Text(
        "people a study needs, what it would find, how small an effect it could see",
        "研究需要多少人、能发现什么、能看到多小的效应",
    ),
    "validate": Text(
        "is this a good questionnaire, and what exactly should change", "问卷是否可用，哪些题项应保留、改写或删除"
    ),
    "report": Text(
        "write the report: page, notebook, tables, numbers, record", "生成报告：网页、笔记本、表格、数值与记录"
    ),
    "robustness": Text("could a path be endogenous, or bent?", "路径是否可能内生或非线性"),
    "segments": Text(
        "search for people whom one model does not fit: FIMIX or POS", "寻找单一模型不适用的人群：FIMIX 或 POS"
    ),
    "simulate": Text("draw a panel with known truth from a recipe", "按配方生成真值已知的模拟数据"),
    "models": Text("list the model cards, show or draw one", "列出、查看或绘制模型卡"),
    "explain": Text("what a measure or a message code means", "解释指标或消息代码"),
}
