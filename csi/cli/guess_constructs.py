"""Which construct a question is of: by its name, and by what it asks in Chinese or English."""

from __future__ import annotations

import re
from collections.abc import Iterable

from csi.cli.guess_keys import local_of

MET = r"满意|(与|和|跟|同).*(期望|预期|理想).*(相比|比较|差)|(符合|达到|超出|超过|满足).*(期望|预期)"
"""Satisfaction, also when it is asked as a comparison with what was expected or with an ideal."""

WORDS = {
    "image": ("ima?g", "形象"),
    "expectation": ("exp|cuex", "期望|预期"),
    "perceived_quality": ("qua|perq", "质量|品质"),
    "product_quality": ("prod", "产品质量"),
    "service_quality": ("serv", "服务质量"),
    "perceived_value": ("val|perv", "价值|性价比|物有所值|价格(合理|公道|公平|水平)"),
    "satisfaction": ("sat|cusa", MET),
    "complaints": ("comp?l?|cusco", "抱怨|投诉"),
    "loyalty": ("loy|cusl", "忠诚|推荐|再次(购买|选择|使用)|继续使用|复购|回购"),
    "trust": ("trust", "信任"),
}
"""Construct -> how its columns usually begin, and what their question speaks of in Chinese."""

ASKED = {
    "image": r"\b(image|reputation)\b|well.known|trustworthy brand",
    "expectation": r"\bexpect(ed|ation)?",
    "perceived_quality": r"\bquality\b|\breliab",
    "product_quality": r"\bproduct quality\b",
    "service_quality": r"\b(service quality|quality of (the |our )?service|staff|employees)\b",
    "perceived_value": r"\b(value|price|worth|money|afford)",
    "satisfaction": r"\b(dis)?satisf|\b(compar\w+|close) .*\b(expect|ideal)|\b(meet|met|exceed)\w* .*\bexpect",
    "complaints": r"\bcomplain",
    "loyalty": r"\b(recommend|loyal|again|renew|repurchase|stay with|switch|continue (to )?(use|using|buy))",
    "trust": r"\b(trust|honest|keeps? (its|their) promise)",
}
"""Construct -> what its question speaks of in English; satisfaction is looked for before expectation."""


def construct_of(column: str, constructs: Iterable[str]) -> str:
    """The construct whose words the question begins with (or, in Chinese, contains); "" when none.

    Example:
        >>> construct_of("7、与预期相比是否满意", ["expectation", "satisfaction"])
        'satisfaction'
    """
    label, named = local_of(column), list(constructs)
    for construct in named:
        begins, speaks = WORDS.get(construct, (re.escape(construct), ""))
        if re.match(f"{re.escape(construct)}|{begins}", label, re.IGNORECASE) or (speaks and re.search(speaks, label)):
            met = construct == "expectation" and "satisfaction" in named and re.search(MET, label)
            return "satisfaction" if met else construct
    return ""


def construct_asked(wording: str, constructs: Iterable[str]) -> str:
    """The construct that a question as asked speaks of, in Chinese or English; "" when none.

    Example:
        >>> construct_asked("Overall, how satisfied are you?", ["expectation", "satisfaction"])
        'satisfaction'
        >>> construct_asked("您对服务质量的总体评价", ["service_quality", "perceived_quality"])
        'service_quality'
    """
    named = list(constructs)
    if not wording or (not re.search(r"[\u4e00-\u9fff]", wording) and not re.search(r"\s", wording.strip())):
        return ""
    if re.search(r"[\u4e00-\u9fff]", wording):
        spoken = {name: WORDS[name][1] for name in named if name in WORDS}
        if "satisfaction" in named and re.search(MET, wording):
            return "satisfaction"
        hits = [name for name, words in spoken.items() if words and re.search(words, wording)]
    else:
        told = {name: ASKED[name] for name in ("satisfaction", *named) if name in ASKED and name in named}
        hits = [name for name, words in told.items() if re.search(words, wording, re.IGNORECASE)]
    exact = [name for name in hits if name in ("service_quality", "product_quality")]
    return (exact or hits or [""])[0]
