"""What a study file or the command line says about one further model: its forms, constructs, outcome, files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Final, Literal

from csi.errors import Text
from csi.survey.codebook import Form

Shape = Literal["", "difference", "growth", "dual", "coupled", "lagged", "within"]
"""Models of change over waves."""


@dataclass(frozen=True, slots=True)
class Options:
    """Options of one model; "" and empty stand for the model's own default.

    Attributes:
        perceived, expected, desired, adequate: forms of items. outcome: a construct or an item. item: an item.
        band: gaps at most this large count as met. of: an attribute or dimension. errors: of slopes.
            inconsistent: what becomes of answers with adequate above desired. points: of each dimension of service
            quality. drivers: constructs or items that explain the outcome. shares: how what they explain together is
            divided. cuts: scores (0-100) up to which answers are low and from which they are high. limit: impact
            asymmetry above it is no hybrid. constructs: the model's construct -> the codebook's. without: constructs
            left out. optional: optional arrows that are in; None for all. estimator: as in `estimate:`.
        absorbing: the stage that nobody leaves. only: construct or item -> the stages that can have it, "first+long".
        stages: the model's stage -> the panel's. causes: the model's cause -> the codebook's construct.
        chose, rebought: items answered 0 or 1. industry: whose benchmarks. steps: touchpoints or stages in order.
            scores: the lowest and the highest that contacts can be given. beside: a second construct or item. flag: an
            item answered 0 or 1. shape: a model of change. since: a wave. benchmarks, stakeholders, mentions,
            requirements, relations, status, lexicon: files. analyser: who scores comments.
        outcomes: constructs or items compared. prior: satisfaction before. before: the wave before. adjust_for: what
            else came before. top: the recovery that counts as full. hypothetical: a column of the table of complaints.
            period: week, month or quarter. ends: wave -> its last day.
        by: key columns that make cells. where: keep only rows with these key values.
        given: the names of the options that were set.

    Example:
        >>> Options(expected="Es", given=("expected",)).expected
        'Es'
    """

    perceived: Form | None = None
    expected: Form | None = None
    desired: Form | None = None
    adequate: Form | None = None
    outcome: str = ""
    item: str = ""
    band: float = 0.0
    of: str = ""
    errors: Literal["", "robust", "hc3", "classical"] = ""
    inconsistent: Literal["", "drop", "swap", "error"] = ""
    points: Mapping[str, float] = field(default_factory=dict)
    drivers: tuple[str, ...] = ()
    shares: Literal["", "johnson", "lmg"] = ""
    cuts: tuple[float, ...] = ()
    limit: float = 0.0
    constructs: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    optional: tuple[str, ...] | None = None
    estimator: str = ""
    stages: Mapping[str, str] = field(default_factory=dict)
    causes: Mapping[str, str] = field(default_factory=dict)
    absorbing: str = ""
    only: Mapping[str, str] = field(default_factory=dict)
    chose: str = ""
    rebought: str = ""
    industry: str = ""
    steps: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()
    beside: str = ""
    flag: str = ""
    shape: Shape = ""
    since: str = ""
    benchmarks: Path | None = None
    stakeholders: Path | None = None
    mentions: Path | None = None
    requirements: Path | None = None
    relations: Path | None = None
    status: Path | None = None
    lexicon: Path | None = None
    analyser: Literal["", "score", "lexicon", "packages"] = ""
    outcomes: tuple[str, ...] = ()
    prior: str = ""
    before: str = ""
    adjust_for: tuple[str, ...] = ()
    top: str = ""
    hypothetical: str = ""
    period: Literal["", "week", "month", "quarter"] = ""
    within: float = 0.0
    unit: Literal["", "day", "week", "month", "year"] = ""
    hazard: Literal["", "cox", "cloglog", "logit"] = ""
    asked: Mapping[str, str] = field(default_factory=dict)
    ends: Mapping[str, str] = field(default_factory=dict)
    by: tuple[str, ...] = ()
    where: Mapping[str, str] = field(default_factory=dict)
    given: tuple[str, ...] = ()


HELP: Final[Mapping[str, Text]] = {
    "perceived": Text("form of the perceptions (P)", "感知的形式（P）"),
    "expected": Text("form of the expectations: Ew, Es, Ed, Ei or Ea", "期望的形式：Ew、Es、Ed、Ei 或 Ea"),
    "desired": Text("form of the desired level (Ed)", "理想水平的形式（Ed）"),
    "adequate": Text("form of the adequate level (Ea)", "可接受水平的形式（Ea）"),
    "outcome": Text("a construct or item that is to be explained", "被解释的构念或题项"),
    "item": Text("the question the model is about", "模型所用的题项"),
    "band": Text("gaps at most this large count as met (0)", "不超过该值的差距算作达到（0）"),
    "of": Text("an attribute or a dimension (overall)", "某一属性或维度（默认总体）"),
    "errors": Text("errors of slopes: robust, hc3 or classical", "斜率的标准误：robust、hc3 或 classical"),
    "inconsistent": Text("adequate above desired: drop, swap or error", "可接受高于理想时：drop、swap 或 error"),
    "points": Text("points of each dimension, such as 100 in all", "各维度的分配分数，例如合计 100"),
    "drivers": Text("constructs or items that explain the outcome", "解释结果的构念或题项"),
    "shares": Text("shares of R2: johnson or lmg", "R² 份额：johnson 或 lmg"),
    "cuts": Text("low up to, high from, such as 25,75 (0-100)", "低分上限与高分下限，如 25,75（0–100）"),
    "limit": Text("impact asymmetry above it is no hybrid (0.1)", "影响不对称高于该值者不算混合因素（0.1）"),
    "constructs": Text("the model's construct = the codebook's", "模型的构念 = 编码簿的构念"),
    "without": Text("constructs to leave out", "不纳入的构念"),
    "optional": Text("which optional arrows are in", "纳入哪些可选路径"),
    "estimator": Text("pls, plsc, ml, mlr ...", "pls、plsc、ml、mlr 等"),
    "stages": Text("the model's stage = the data's", "模型的阶段 = 数据中的阶段"),
    "causes": Text("the model's cause = the codebook's construct", "模型的成因 = 编码簿的构念"),
    "absorbing": Text("the stage that nobody leaves, such as churned", "不可离开的阶段，如流失"),
    "only": Text("what can be asked at which stages, use=first+long", "可询问该题项的阶段，如 use=first+long"),
    "chose": Text("item answered 0 or 1: did a prospect choose", "0/1 题项：潜在客户是否选择"),
    "rebought": Text("of buyers: bought again (0 or 1), or satisfaction", "购买者：是否复购（0/1）或满意度"),
    "industry": Text("whose benchmarks", "采用哪个行业的基准"),
    "steps": Text("touchpoints or stages in order, for drop-off", "按次序的触点或阶段（计算流失）"),
    "scores": Text("lowest and highest score, such as 1,10", "评分的最低与最高，如 1,10"),
    "beside": Text("a second construct or item, followed beside", "同时追踪的另一构念或题项"),
    "flag": Text("item answered 0 or 1, such as a training", "0/1 题项，如是否接受培训"),
    "shape": Text(
        "difference, growth, dual, coupled, lagged or within", "difference、growth、dual、coupled、lagged 或 within"
    ),
    "since": Text("first wave after an intervention; first day observed", "干预后的首期；观察的首日"),
    "benchmarks": Text("file: industry, attribute, mean, sd, n", "文件：industry, attribute, mean, sd, n"),
    "stakeholders": Text("file: id, role, power, interest ...", "文件：id, role, power, interest 等"),
    "mentions": Text("file: id, attribute, aided, valence, coder", "文件：id, attribute, aided, valence, coder"),
    "requirements": Text("file: requirement, attribute, target ...", "文件：requirement, attribute, target 等"),
    "relations": Text("file: requirement, characteristic, strength", "文件：requirement, characteristic, strength"),
    "status": Text("file: requirement, wave, status", "文件：requirement, wave, status"),
    "lexicon": Text("file: attribute, term [zh, en]", "文件：attribute, term [zh, en]"),
    "analyser": Text("tone by score, lexicon or packages", "情感得分来源：score、lexicon 或 packages"),
    "outcomes": Text("constructs or items that are compared", "相比较的构念或题项"),
    "prior": Text("satisfaction before the failure", "失误之前的满意度"),
    "before": Text("the wave before the failure", "失误之前的一期"),
    "adjust_for": Text("what else came before, such as tenure", "失误之前的其他变量，如关系年限"),
    "top": Text("the recovery that counts as full", "何种补救算作完全补救"),
    "hypothetical": Text("column: handling imagined without a complaint", "列名：未投诉者对处理方式的设想"),
    "period": Text("week, month or quarter", "week（周）、month（月）或 quarter（季）"),
    "within": Text("time in which a purchase counts (26 weeks)", "在多长时间内购买算作复购（26 周）"),
    "unit": Text("time in days, weeks, months or years: week", "时间单位：day、week、month 或 year"),
    "hazard": Text("model of leaving: cox, cloglog or logit", "流失模型：cox、cloglog 或 logit"),
    "asked": Text("day of a wave's interviews, 2026Q1=2026-03-31", "各期访问日，如 2026Q1=2026-03-31"),
    "ends": Text("a wave = its last day, such as w1=2026-03-31", "期次 = 期末日，如 w1=2026-03-31"),
}
"""What each option says; those not named here (by, where) have their own flags."""

MAPPINGS: Final = ("constructs", "stages", "causes", "points", "only", "asked", "ends")
"""Options that take pairs, `{ours: theirs}` in a study file, `ours=theirs,...` on the command line."""

LISTS: Final = ("without", "optional", "drivers", "steps", "outcomes", "adjust_for")
"""Options that take names."""

FILES: Final = ("benchmarks", "stakeholders", "mentions", "requirements", "relations", "status", "lexicon")
"""Options that name a file beside the study file."""


def merged(study: Options, asked: Options) -> Options:
    """The options of a study file with those asked for in their place.

    Example:
        >>> merged(Options(item="rec", given=("item",)), Options(band=1.0, given=("band",))).item
        'rec'
    """
    names = [f.name for f in fields(Options) if f.name != "given"]
    values = {n: getattr(asked if n in asked.given else study, n) for n in names}
    return Options(**values, given=tuple(dict.fromkeys((*study.given, *asked.given))))
