"""Empty codebooks of the models that compare forms of attributes: what each of them asks, to fill in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from csi.errors import Text
from csi.expectation.formation import CAUSES, EIGHT
from csi.expectation.kano_words import CODING
from csi.expectation.stages import STAGE_CAUSES
from csi.models.card_text import SCALES
from csi.models.cards import read_card
from csi.survey.codebook import Form

OWN_SCALE: Final[Mapping[Form, str]] = {"Kf": "five", "Kd": "five", "I": "percent"}
"""Forms that are not asked on the scale of the others."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Questions of a construct that are no attributes: how many, on which scale, in which form."""

    label: Text
    count: int
    scale: str = "seven"
    form: Form = "P"


@dataclass(frozen=True, slots=True)
class Blank:
    """What a model asks.

    Attributes:
        dimensions: {construct: (label, {attribute: facet})}. forms: in which every attribute is asked.
        weights: whether each dimension has its points of 100 (form I). also: {construct: questions}.
        keys: roles of key columns. files: options of `models:` that name a table, with its columns.
        tables: tables of events (`tables:`), with their columns.
        card: the card whose constructs and path model are used besides.
    """

    dimensions: Mapping[str, tuple[Text, Mapping[str, str]]] = field(default_factory=dict)
    forms: tuple[Form, ...] = ()
    weights: bool = False
    also: Mapping[str, Asked] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, str] = field(default_factory=dict)
    items: Mapping[str, str] = field(default_factory=dict)
    card: str = ""


def _attributes(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "")


SERVICE = {"service": (Text("Service", "服务"), _attributes("attribute1", "attribute2", "attribute3"))}
FACETS = {
    "offer": (
        Text("Offer", "产品与服务"),
        {f: f for f in ("functional", "quality", "service", "emotional", "delivery", "price")},
    )
}
QUALITY = {
    "tangibles": (Text("Tangibles", "有形性"), _attributes(*(f"tan{k}" for k in range(1, 5)))),
    "reliability": (Text("Reliability", "可靠性"), _attributes(*(f"rel{k}" for k in range(5, 10)))),
    "responsiveness": (Text("Responsiveness", "响应性"), _attributes(*(f"res{k}" for k in range(10, 14)))),
    "assurance": (Text("Assurance", "保证性"), _attributes(*(f"ass{k}" for k in range(14, 18)))),
    "empathy": (Text("Empathy", "移情性"), _attributes(*(f"emp{k}" for k in range(18, 23)))),
}
FEATURES = {"features": (Text("Features", "产品特性"), _attributes("feature1", "feature2", "feature3"))}
SATISFIED = {"satisfaction": Asked(Text("Satisfaction", "满意"), 3)}
EXPECTED = {"expectation": Asked(Text("Expectation", "期望"), 3, form="Ew")}
PERFORMED = {"performance": Asked(Text("Experience", "体验"), 3)}
OVERALL = {"overall": Asked(Text("Overall quality", "总体质量"), 1)}
LOYAL = {"loyalty": Asked(Text("Loyalty (attitude)", "忠诚（态度）"), 3)}

BLANKS: Final[Mapping[str, Blank]] = {
    "gap": Blank(SERVICE, ("P", "Ew")),
    "edt_inferred": Blank(SERVICE, ("P", "Ew"), also=SATISFIED),
    "servqual": Blank(QUALITY, ("P", "Es"), weights=True, also=OVERALL),
    "surface": Blank(SERVICE, ("P", "Ew"), also=SATISFIED),
    "tolerance": Blank(SERVICE, ("P", "Ed", "Ea")),
    "promise": Blank(SERVICE, ("P", "Ew"), also=SATISFIED),
    "lifecycle": Blank(also=SATISFIED, keys=("respondent", "wave", "stage")),
    "emotion_waves": Blank(
        also={
            "positive": Asked(Text("Positive emotion", "积极情感"), 5, "five"),
            "negative": Asked(Text("Negative emotion", "消极情感"), 5, "five"),
            "handled": Asked(Text("Complaint handled", "投诉已处理"), 1, "binary"),
        },
        keys=("respondent", "wave"),
    ),
    "kano": Blank(FEATURES, ("Kf", "Kd")),
    "nps": Blank(also={"recommendation": Asked(Text("Would recommend", "推荐意愿"), 1, "eleven"), **SATISFIED}),
    "complaints": Blank(also=SATISFIED, tables={"complaints": "id, complained, handled_score"}),
    "recovery": Blank(also=SATISFIED, tables={"complaints": "id, failure, recovery, severity"}),
    "feedback": Blank(SERVICE, ("P",), tables={"cases": "case, id, attribute, opened, closed, source"}),
    "programme": Blank(also=SATISFIED, tables={"members": "id, joined", "purchases": "id, date, amount"}),
    "emotion_patterns": Blank(
        also={
            "positive": Asked(Text("Positive emotion", "积极情感"), 5, "five"),
            "negative": Asked(Text("Negative emotion", "消极情感"), 5, "five"),
            **SATISFIED,
        }
    ),
    "journey": Blank(also=SATISFIED, tables={"contacts": "id, touchpoint, seq, score, stage"}),
    "loyalty_types": Blank(also={**LOYAL, "repurchase": Asked(Text("Repurchase", "再次购买"), 2)}),
    "loyalty_curve": Blank(also={**SATISFIED, **LOYAL}),
    "repurchase": Blank(also=SATISFIED, tables={"purchases": "id, date, brand"}),
    "churn": Blank(also=SATISFIED, tables={"spells": "id, start, end, event, brand"}),
    "attitude": Blank(also={**SATISFIED, **LOYAL}, keys=("respondent",), tables={"purchases": "id, date"}),
    "bgnbd": Blank(also=SATISFIED, tables={"purchases": "id, date, amount"}),
    "drivers": Blank(card="csi_value"),
    "penalty_reward": Blank(QUALITY, ("P",), also=SATISFIED),
    "ipa": Blank(SERVICE, ("P", "I"), also=SATISFIED),
    "kinds": Blank(FACETS, ("P", "Ew"), also=SATISFIED),
    "mentions": Blank(SERVICE, ("P",), files={"mentions": "id, attribute, aided, valence, coder"}),
    "formation": Blank(also={**EXPECTED, **{c: Asked(CAUSES[c], 2) for c in EIGHT}}),
    "formation_by_stage": Blank(also={**EXPECTED, **{c: Asked(CAUSES[c], 2) for c in STAGE_CAUSES}}, keys=("stage",)),
    "reasonable": Blank(SERVICE, ("P", "Ed"), files={"benchmarks": "industry, attribute, mean, sd, n"}),
    "balance": Blank(
        SERVICE,
        ("P", "Ew"),
        also={
            "chose": Asked(Text("Chose (prospects)", "已选择（潜在客户）"), 1, "binary"),
            "rebought": Asked(Text("Bought again (buyers)", "已复购（购买者）"), 1, "binary"),
        },
        items={"chose": "chose1", "rebought": "rebought1"},
    ),
    "change": Blank(also=EXPECTED, keys=("respondent", "wave")),
    "intervention": Blank(
        also={**SATISFIED, "training": Asked(Text("Had the training", "接受培训"), 1, "binary")},
        keys=("respondent", "wave"),
        items={"flag": "training1"},
    ),
    "adjustment": Blank(
        also={
            **EXPECTED,
            **PERFORMED,
            **SATISFIED,
            "training": Asked(Text("Had the training", "接受培训"), 1, "binary"),
        },
        keys=("respondent", "wave"),
        items={"flag": "training1"},
    ),
    "dynamic": Blank(SERVICE, ("P", "Ew", "Es"), keys=("respondent", "wave", "stage")),
    "text": Blank(SERVICE, ("P",), also=SATISFIED, tables={"texts": "id, text, date, wave, human_score, coder"}),
    "stakeholders": Blank(
        SERVICE, ("P", "Ew"), files={"stakeholders": "id, role, power, interest, legitimacy, urgency"}
    ),
    "requirements": Blank(
        SERVICE, ("P", "Ew"), files={"requirements": "requirement, attribute, importance, current, target"}
    ),
}
"""By the name of the model."""


def blank_of(name: str, title: Text, lang: str = "en") -> str:
    """A codebook in YAML with one blank item per question that a model asks, to fill in and save as codebook.yaml.

    Parameters:
        name, title: of the model. lang: language of the comments.

    Example:
        >>> print(blank_of("kano", Text("Kano", "卡诺")).splitlines()[-1])
          - {name: feature3_Kd, construct: features, attribute: feature3, form: Kd, scale: five, column: , zh: , en: }
    """
    blank = BLANKS[name]
    if blank.card:
        card = read_card(blank.card)
        say = Text(
            f"# {title.en}: of any model in which something leads to satisfaction, such as {{card: {card.id}}}:",
            f"# {title.zh}：适用于任何有路径指向满意的模型，例如 {{card: {card.id}}}：",
        )
        return f"{say.say(lang)}\n{card.codebook_text(lang)}"
    items = [*_items(blank)]
    used = dict.fromkeys(str(i["scale"]) for i in items)
    lines = [*_heading(name, title, blank, lang), "scales:"]
    lines += [f"  {s}: {{min: {SCALES[s][0]}, max: {SCALES[s][1]}, missing: {{}}}}" for s in used]
    lines.append("constructs:")
    lines += [f"  {n}: {{zh: {label.zh}, en: {label.en}}}" for n, label in _constructs(blank)]
    lines.append("items:")
    for item in items:
        said = ", ".join(f"{key}: {value}" for key, value in item.items())
        lines.append(f"  - {{{said}, column: , zh: , en: }}")
    return "\n".join(lines) + "\n"


def _heading(name: str, title: Text, blank: Blank, lang: str) -> Iterator[str]:
    """What the file is of, how it is filled in, and what the study file says besides."""
    yield Text(f"# Codebook for model {name}: {title.en}", f"# 模型 {name} 的编码簿：{title.zh}").say(lang)
    yield Text(
        "# Fill in the wording (zh, en) and, where it differs, the column of your export; add or delete items freely.",
        "# 请填写题项措辞（zh、en），列名与导出文件不同时填写 column；题项可增可减。",
    ).say(lang)
    if blank.forms:
        yield Text(
            "# Items of one attribute are one question in several forms; an attribute of yours has a name of its own.",
            "# 同一 attribute 的题项是同一问题的不同形式；您的每个属性各取一名。",
        ).say(lang)
    if "Kf" in blank.forms:
        en = "# Kf: how do you feel if it is there? Kd: and if it is not?"
        zh = "# Kf：具备时感受如何；Kd：不具备时感受如何。"
        yield Text(f"{en} {CODING.en}.", f"{zh}{CODING.zh}。").say(lang)
    for kind, columns in blank.tables.items():
        said = Text(
            f"# In study.yaml: tables: {{{kind}: {kind}.csv}} (columns {columns})",
            f"# 在 study.yaml 中：tables: {{{kind}: {kind}.csv}}（列 {columns}）",
        )
        yield said.say(lang)
    for key in blank.keys:
        said = Text(f"# In study.yaml: keys: {{{key}: its column}}", f"# 在 study.yaml 中：keys: {{{key}: 列名}}")
        yield said.say(lang)


def _constructs(blank: Blank) -> Iterator[tuple[str, Text]]:
    """Constructs with their labels."""
    yield from ((name, label) for name, (label, _) in blank.dimensions.items())
    yield from ((name, asked.label) for name, asked in blank.also.items())


def _items(blank: Blank) -> Iterator[dict[str, str]]:
    """Every question with its construct, attribute, form and scale."""
    for construct, (_, attributes) in blank.dimensions.items():
        for attribute, facet in attributes.items():
            for form in blank.forms:
                scale = OWN_SCALE.get(form, "seven")
                yield {"name": f"{attribute}_{form}", "construct": construct, "attribute": attribute, "form": form,
                       "scale": scale} | ({"facet": facet} if facet else {})  # fmt: skip
    for construct in blank.dimensions if blank.weights else ():
        yield {"name": f"{construct}_I", "construct": construct, "attribute": construct, "form": "I",
               "scale": OWN_SCALE["I"]}  # fmt: skip
    for construct, asked in blank.also.items():
        for number in range(1, asked.count + 1):
            yield {"name": f"{construct}{number}", "construct": construct, "form": asked.form, "scale": asked.scale}
