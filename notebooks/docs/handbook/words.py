"""Headings and short sentences of the pages that are made, in both languages."""

from csi.errors import Text

FORMULA = Text("Formula", "公式")
SOURCE = Text("Source of the formula", "公式来源")
THRESHOLD = Text("Customary threshold", "惯用标准")
SET_BY = Text("Set by", "标准出处")
NO_THRESHOLD = Text("Custom has none.", "无惯用标准。")
NOTE = Text("Note", "说明")
ALSO = Text("Also found as", "亦可写作")
PRINTED = Text("At the command line", "命令行")
NAME = Text("Name", "名称")
WHAT = Text("What it is", "含义")
CODE = Text("Code", "代码")
REMEDY = Text("What to do", "如何处理")
OPTION = Text("Option", "选项")
MEANING = Text("What it says", "说明")
USAGE = Text("Usage", "用法")
BACK = Text("All of them", "返回列表")
NEEDS = Text("What it needs", "所需数据")
READS = Text("How to read it", "如何解读")
LIMITS = Text("Limits", "局限")
YEAR = Text("Year", "年份")
DIAGRAM = Text("Diagram", "路径图")
CARD = Text("The card", "模型卡内容")

MEASURES = Text("Measures", "指标")
MEASURES_LEAD = Text(
    "Every measure that csi prints: its formula, where that comes from, the customary threshold and whose it is. "
    "A threshold is a custom, not a test. `csi explain NAME` prints the same.",
    "csi 输出的每个指标：公式、公式来源、惯用标准及其出处。惯用标准只是惯例，并非检验。"
    "`csi explain 名称 --lang zh` 输出相同内容。",
)
CODES = Text("Message codes", "消息代码")
CODES_LEAD = Text(
    "Every message bears a code. **E** stops and says what to change; **W** is a doubt about a number; **N** says "
    "how a number was made; **R** is the reason why there is none. `csi explain CODE` prints the same.",
    "每条消息都有代码。**E** 表示必须修改后才能继续；**W** 表示数值存疑；**N** 说明数值如何得到；"
    "**R** 是没有数值的原因。`csi explain 代码 --lang zh` 输出相同内容。",
)
KINDS = {
    "E": Text("Problems: what must be changed", "问题：须修改之处"),
    "W": Text("Doubts: what makes a number doubtful", "存疑：数值可疑之处"),
    "N": Text("Notes: how a number was made", "说明：数值如何得到"),
    "R": Text("Reasons: why there is no number", "原因：为何没有数值"),
    "": Text("Marks under tables of measures", "指标表下的标注"),
}
MODELS = Text("Models and cards", "模型与模型卡")
MODELS_LEAD = Text(
    "The model library: cards (a YAML file each, no code) and models with code of their own. `csi models NAME` prints "
    "the same; a card of yours is a file like these ([how to write one](howto/own-model.md)).",
    "模型库：模型卡（每张为一个 YAML 文件，无需代码）与带有自身代码的模型。`csi models 名称 --lang zh` 输出相同内容；"
    "您也可以自己写一张（[如何写](howto/own-model.md)）。",
)
API = Text("Python reference", "Python 参考")
API_LEAD = Text(
    "Every public name of `csi`, from its docstring. All examples on these pages run in the tests.",
    "`csi` 的全部公开名称，取自其 docstring（英文）。这些页面中的示例都在测试中运行。",
)
API_ZH = Text("", "以下内容取自英文 docstring。")
VERBS_TITLE = Text("Command line", "命令行")
VERBS_LEAD = Text(
    "One verb per question. Exit codes: 0 fine, 1 problems found, 2 usage, 3 not converged or inadmissible.",
    "一个命令回答一个问题。退出码：0 正常，1 发现问题，2 用法有误，3 未收敛或解不可用。",
)
ROOMS = {
    "survey": Text("Reading answers", "读取答卷"),
    "models": Text("Models", "模型"),
    "moments": Text("Moments", "矩"),
    "estimate": Text("Estimation", "估计"),
    "sem": Text("Covariance models", "协方差模型"),
    "pls": Text("Composite models", "合成模型"),
    "engines": Text("Third-party engines", "第三方引擎"),
    "inference": Text("Resampling and intervals", "重抽样与区间"),
    "simulation": Text("Simulation", "模拟"),
    "measures": Text("Judging fits, constructs, questionnaires", "评估：拟合、构念、问卷"),
    "importance": Text("Drivers and decisions", "驱动因素与决策"),
    "behaviour": Text("What customers feel and do", "情感与行为"),
    "expectation": Text("Expectation beside experience", "期望与体验"),
    "tracking": Text("Index, waves, comparability", "指数、期次与可比性"),
    "claims": Text("Model cards on a panel", "模型卡的检验"),
    "study": Text("Study files", "研究文件"),
    "reporting": Text("Reports", "报告"),
    "errors": Text("Problems", "问题"),
}
