"""What each section is called: over its cell in the notebook, and where it cannot be told."""

from __future__ import annotations

from csi.errors import Text

HEADINGS = {
    "alerts": Text("Alerts", "预警"),
    "trend": Text("Trend", "趋势"),
    "tracking": Text("Tracking table", "跟踪表"),
    "views": Text("Smoothed, and within limits", "平滑与控制图"),
    "rates": Text("Rates", "其他指标"),
    "decomposition": Text("Why it changed", "变化的原因"),
    "league": Text("League", "排名"),
    "comparability": Text("Comparability", "可比性"),
    "shrunken": Text("Small brands beside the mean", "小样本品牌的收缩值"),
    "tree": Text("Up the tree", "逐级汇总"),
    "chain": Text("Constructs", "各构念"),
    "model": Text("Model", "模型"),
    "priorities": Text("What to improve first", "先改进什么"),
    "stages": Text("Brands, stages and segments", "品牌、阶段与客群"),
    "reliability": Text("Reliability", "信度"),
    "items": Text("Questionnaire", "问卷题项"),
    "loadings": Text("Loadings", "载荷"),
    "validity": Text("Discriminant validity", "区分效度"),
    "structure": Text("Structural model", "结构模型"),
    "fieldwork": Text("Fieldwork", "收回与清理"),
    "method": Text("Method", "数据与方法"),
    "fit": Text("Fit of the factors", "公因子模型拟合"),
    "invariance": Text("Invariance", "测量不变性"),
    "mediation": Text("What goes through what", "中介与总效应"),
    "slopes": Text("Moderation", "调节效应"),
    "prediction": Text("Prediction", "预测力"),
    "groups": Text("Groups", "组间比较"),
    "robustness": Text("Estimators side by side", "方法稳健性"),
    "necessary": Text("What is needed", "必要条件"),
    "overview": Text("What the models say", "各模型的结论"),
}
"""What each section is called."""
