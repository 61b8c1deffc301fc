"""First guesses from an export: which column is a key, which is an item, on what scale, of which construct."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import polars as pl

from csi.cli.guess_kinds import Kind, kind_of
from csi.cli.guess_reverse import candidates, constant
from csi.errors import Text
from csi.study.waves import per_year
from csi.survey.cells import shown
from csi.survey.datafile import Raw
from csi.survey.personal import VALUES
from csi.survey.readers.labelled import reason_of

ROLES = {
    "respondent": r"(resp(ondent)?(_?id)?|id|uid|case(_?id)?|record(_?id)?|序号|编号|问卷编号|受访者(编号)?|答卷编号)",
    "wave": r"(wave|quarter|period|year|month|round|期次|季度|期|年份|月份|波次|调查期)",
    "brand": r"(brand|operator|company|firm|airline|bank|store|provider|retailer|insurer|hotel|"
    r"品牌|运营商|公司|企业|门店|航空公司|银行)",
    "weight": r"(weights?|wt|w|权重|加权)",
    "stratum": r"(strat(um|a)|层|分层)",
    "cluster": r"(cluster|psu|群|抽样单元)",
    "stage": r"(stage|phase|阶段)",
    "segment": r"(segment|customer_?type|细分|客户类型|用户类型)",
    "duration": r"(duration|seconds|time_?spent|interview_?time|用时|答题时长|所用时间|答题用时)",
}
"""Key role -> what its column is usually called."""

NO_ANSWER = (
    (r"(.*[^A-Za-z])?IP(地址)?|ip_?address", Text("an address, not an answer", "网络地址，不是回答")),
    (r"(提交|开始|结束|答卷|作答).*时间|.*(_at|_?date|timestamp)", Text("a date or time", "日期或时间")),
    (r"来源(详情)?|渠道|source|channel", Text("where the answers came from", "答卷来源")),
    (r".*(姓名|手机|电话|邮箱|微信号|openid|phone|e?mail)", Text("names a person; never read", "个人信息，不读取")),
)
"""Columns that survey platforms add, and why they are no answers."""

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

MOST_WAVES = 120
"""A column with more periods than this is a date of interview, not a wave."""

SCALES = ((0, 1), (1, 5), (1, 7), (1, 10), (0, 10), (0, 100))
CODES = {
    "97": "not_asked", "98": "dont_know", "99": "refused", "88": "dont_know",
    "-1": "skipped", "-2": "empty", "-3": "skipped", "-9": "refused",
    "(跳过)": "skipped", "（跳过）": "skipped", "(空)": "empty", "（空）": "empty",
}  # fmt: skip
"""What exports write where there is no answer, with the reason (Chinese platforms: -3 and (跳过), -2 and (空))."""

PLAIN = re.compile(r"[A-Za-z_]\w*")
NUMBER = re.compile(r"[Qq]?\d+\s*[、.．:：]\s*")


@dataclass(frozen=True, slots=True)
class Guess:
    """What the columns probably are.

    `roles` {role: column}, `items` {column: construct or ""}, `scales` {column: (min, max)}, `codes` {scale: {code:
    reason}} as they occur, `unused` {column: why} for every other column, `wording` {column: the question as asked}
    where the export says it, `kinds` {column: what it is} of the questions that are no items, `against` {column:
    (correlation, answers)} of the items that run against the rest of their block, `labels` {scale: {code: label}},
    `constant`: columns to which everybody gave one answer.
    """

    roles: Mapping[str, str]
    items: Mapping[str, str]
    scales: Mapping[str, tuple[int, int]]
    codes: Mapping[tuple[int, int], Mapping[str, str]]
    unused: Mapping[str, Text]
    wording: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    against: Mapping[str, tuple[float, int]] = field(default_factory=dict)
    labels: Mapping[tuple[int, int], Mapping[str, str]] = field(default_factory=dict)
    constant: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """The whole numbers and the missing codes in a column; `odd` are the first entries that are neither, `declared` the
    codes with reasons that the file itself says.
    """

    numbers: frozenset[int]
    codes: frozenset[str]
    odd: tuple[str, ...] = ()
    declared: Mapping[str, str] = field(default_factory=dict)


def guess(frame: pl.DataFrame, constructs: Iterable[str], raw: Raw | None = None) -> Guess:
    """What the columns of an export (all text) probably are.

    Parameters:
        frame: every column as text. constructs: those of the model, in order. raw: what its reader knows beside: the
            wording of questions, value labels, codes that the file itself declares missing.

    Example:
        >>> frame = pl.DataFrame({"id": ["1", "2"], "sat1": ["7", "98"], "q": ["3", "-3"], "sex": ["f", "m"]})
        >>> found = guess(frame, ["satisfaction"])
        >>> found.roles, found.items, found.scales["sat1"], found.codes[1, 5]
        ({'respondent': 'id'}, {'sat1': 'satisfaction', 'q': ''}, (1, 7), {'-3': 'skipped'})
        >>> found.unused["sex"].en
        'not numbers: "f", "m"'
    """
    known = raw or Raw("", "", frame)
    roles, named = {**periods_in(frame), **roles_of(frame.columns)}, list(constructs)
    left = [c for c in frame.columns if c not in roles.values()]
    unused = {c: why for c in left if (why := no_answer(c))}
    seen = {c: seen_in(frame[c], declared(known, c), labelled(known, c)) for c in left if c not in unused}
    scales = scales_of(seen)
    kinds = {c: kind_of(c, known.wording.get(c, ""), frame[c]) for c in left if c in seen and c not in scales}
    unused |= {c: why_not(seen[c], quoted=bool(seen[c].numbers) or kind == "segment") for c, kind in kinds.items()}
    items = {c: construct_of(c, named) or construct_asked(known.wording.get(c, ""), named) for c in scales}
    return Guess(
        roles,
        items,
        scales,
        codes_of(seen, scales),
        {c: unused[c] for c in left if c in unused},
        dict(known.wording),
        kinds,
        candidates(frame, blocks_of(items), scales),
        labels_of(known, scales),
        constant(frame, scales),
    )


def declared(raw: Raw, column: str) -> dict[str, str]:
    """The codes of a column that mean no answer: declared by the file, or said by their labels."""
    said = {code: reason_of(label) for code, label in raw.labels.get(column, {}).items()}
    return {**{c: why for c, why in said.items() if why and c not in SURELY}, **raw.missing.get(column, {})}


SURELY = frozenset(["0", "1", "2", "3", "4", "5"])
"""Codes that are answers though their label speaks of none, unless the file declares them missing."""


def labelled(raw: Raw, column: str) -> frozenset[int]:
    """The codes that bear a label and are answers: whole numbers that nobody need have given."""
    none = declared(raw, column)
    codes = [_number(code) for code in raw.labels.get(column, {}) if code not in none]
    return frozenset(round(c) for c in codes if c is not None and c == round(c))


def labels_of(raw: Raw, scales: Mapping[str, tuple[int, int]]) -> dict[tuple[int, int], dict[str, str]]:
    """The value labels of each scale, where all columns that bear some bear the same."""
    found: dict[tuple[int, int], dict[str, str]] = {}
    several: set[tuple[int, int]] = set()
    for column, scale in scales.items():
        none = declared(raw, column)
        pairs = {code: label for code, label in raw.labels.get(column, {}).items() if code not in none}
        if pairs:
            several |= {scale} if found.setdefault(scale, pairs) != pairs else set()
    return {scale: pairs for scale, pairs in found.items() if scale not in several}


def blocks_of(items: Mapping[str, str]) -> dict[str, list[str]]:
    """The items of each construct, and those of none by the beginning of their names."""
    blocks: dict[str, list[str]] = {}
    for column, construct in items.items():
        blocks.setdefault(construct or f"?{prefix(column)}", []).append(column)
    return blocks


def periods_in(frame: pl.DataFrame) -> dict[str, str]:
    """The wave, when no column is called so but the entries of one name quarters, months or half-years.

    Example:
        >>> periods_in(pl.DataFrame({"date": ["2024Q1", "2024Q2", "2024Q1"], "age": ["31", "45", "28"]}))
        {'wave': 'date'}
    """
    for column in frame.columns:
        names = frame[column].drop_nulls().unique(maintain_order=True).head(MOST_WAVES + 1).to_list()
        if 2 <= len(names) <= MOST_WAVES and (per_year(names) or 0) > 1:
            return {"wave": column}
    return {}


def roles_of(columns: Iterable[str]) -> dict[str, str]:
    """The key columns by their names, the first of each role."""
    found: dict[str, str] = {}
    for column in columns:
        for role, pattern in ROLES.items():
            if role not in found and re.fullmatch(pattern, label_of(column), re.IGNORECASE):
                found[role] = column
                break
    return found


def label_of(column: str) -> str:
    """The question without its number.

    Example:
        >>> label_of("1、总体满意度"), label_of("Q12. Overall"), label_of("q1")
        ('总体满意度', 'Overall', 'q1')
    """
    return NUMBER.sub("", column.strip(), count=1) if NUMBER.match(column.strip()) else column.strip()


def no_answer(column: str) -> Text | None:
    """Why a column is known by its name to hold no answers; None for all others."""
    label = label_of(column)
    for role, pattern in ROLES.items():
        if re.fullmatch(pattern, label, re.IGNORECASE):
            return Text(f"another column is the {role} already", f"已有其他列作为 {role}")
    return next((why for pattern, why in NO_ANSWER if re.fullmatch(pattern, label, re.IGNORECASE)), None)


def seen_in(
    column: pl.Series, declared: Mapping[str, str] | None = None, labelled: Collection[int] = frozenset()
) -> Seen:
    """What a column holds.

    Parameters:
        declared: {code: reason} that the file itself says. labelled: answers that bear a label.
    """
    none = declared or {}
    entries = column.drop_nulls().str.strip_chars(" \t\r\n\u3000").unique(maintain_order=True)
    typed = [entry for entry in entries.to_list() if entry]
    codes = frozenset(entry for entry in typed if entry in CODES and entry not in none)
    numbers: set[int] = set()
    odd: list[str] = []
    for entry in (e for e in typed if e not in none):
        value = _number(entry)
        if value is not None and value == round(value):
            numbers.add(round(value))
        elif entry not in CODES:
            odd.append(entry)
    said = {code: why for code, why in none.items() if code in typed}
    return Seen(frozenset(numbers | set(labelled) if numbers else numbers), codes, tuple(odd[:2]), said)


def _number(entry: str) -> float | None:
    """The finite number an entry is."""
    try:
        value = float(entry)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def scales_of(seen: Mapping[str, Seen]) -> dict[str, tuple[int, int]]:
    """The scale of each column that has one; questions of a `block` share theirs.

    A question answered by 0 and 1 alone keeps its own scale. 97, 98 and 99 are codes unless the answers go beyond 10.
    """
    answers = {c: _answers(s.numbers) for c, s in seen.items() if not s.odd}
    blocks: dict[str, set[int]] = {}
    for column, numbers in answers.items():
        if not numbers <= {0, 1}:
            blocks.setdefault(block(column), set()).update(numbers)
    found = {c: scale_of(n if n <= {0, 1} and 0 in n else blocks.get(block(c), n)) for c, n in answers.items() if n}
    return {c: scale for c, scale in found.items() if scale}


def _answers(numbers: frozenset[int]) -> frozenset[int]:
    """The numbers that are no missing codes."""
    plain = frozenset(n for n in numbers if str(n) not in CODES)
    return plain if not plain or max(plain) <= 10 else frozenset(n for n in numbers if n >= 0)


def scale_of(seen: Collection[int]) -> tuple[int, int] | None:
    """The narrowest usual scale that holds all values; None when none does. Nobody's 0 makes no yes-no question.

    Example:
        >>> scale_of({0, 1}), scale_of({1, 4}), scale_of({0, 9}), scale_of({1})
        ((0, 1), (1, 5), (0, 10), (1, 5))
    """
    fits = [s for s in SCALES if seen and s[0] <= min(seen) and max(seen) <= s[1] and (s != (0, 1) or 0 in seen)]
    return fits[0] if fits else None


def codes_of(seen: Mapping[str, Seen], scales: Mapping[str, tuple[int, int]]) -> dict[tuple[int, int], dict[str, str]]:
    """The missing codes that occur on each scale, but for numbers that are answers on it."""
    found: dict[tuple[int, int], dict[str, str]] = {scale: {} for scale in scales.values()}
    for column, scale in scales.items():
        for code in (c for c in CODES if c in seen[column].codes):
            value = _number(code)
            if value is None or not scale[0] <= value <= scale[1]:
                found[scale][code] = CODES[code]
        for code, why in seen[column].declared.items():
            value = _number(code)
            if value is None or not scale[0] <= value <= scale[1]:
                found[scale][code] = why
    return found


def why_not(seen: Seen, *, quoted: bool = True) -> Text:
    """Why a column is no question on a scale; entries are quoted where asked, and never one that may name a person."""
    if seen.odd and not (quoted and all(_harmless(entry) for entry in seen.odd)):
        return Text("not numbers", "不是数字")
    if seen.odd:
        listed = ", ".join(f'"{shown(entry)}"' for entry in seen.odd)
        kind = ("not whole numbers", "不是整数") if all(map(_number, seen.odd)) else ("not numbers", "不是数字")
        return Text(f"{kind[0]}: {listed}", f"{kind[1]}：{'、'.join(f'“{shown(entry)}”' for entry in seen.odd)}")
    if not seen.numbers or not _answers(seen.numbers):
        return Text("no answer at all", "没有任何回答")
    low, high = min(seen.numbers), max(seen.numbers)
    return Text(f"{low} to {high} is no usual scale", f"取值 {low} 到 {high}，不是常见量表")


def _harmless(entry: str) -> bool:
    """Whether an entry is short and no address or number of a person."""
    return len(entry) <= LONGEST and not re.search(VALUES, entry)


LONGEST = 24
"""Longer entries are people's own words."""


def block(column: str) -> str:
    """The questions that share a scale: those of one name but for a number, unless that name is a mere Q.

    Example:
        >>> block("sat2"), block("Q1_2"), block("Q4"), block("V12"), block("PERQ7")
        ('sat', 'Q1', 'Q4', 'V12', 'PERQ')
    """
    stem = prefix(column)
    if re.fullmatch(PLAIN_STEM, stem, re.IGNORECASE) is None:
        return stem
    return re.sub(r"(?<=\d)[_.\-]\d+$", "", label_of(column)) or column


PLAIN_STEM = r"[qvx]|qid|var|item|question|题|题目|问题|第?"
"""Names that number all questions of a questionnaire, whatever their scale."""


def prefix(column: str) -> str:
    """The name without its closing number: items of one block share it.

    Example:
        >>> prefix("PERQ7"), prefix("总体满意度2"), prefix("12、总体满意度")
        ('PERQ', '总体满意度', '总体满意度')
    """
    return re.sub(r"[\d_.\- ]+$", "", label_of(column))


def construct_of(column: str, constructs: Iterable[str]) -> str:
    """The construct whose words the question begins with (or, in Chinese, contains); "" when none.

    Example:
        >>> construct_of("7、与预期相比是否满意", ["expectation", "satisfaction"])
        'satisfaction'
    """
    label, named = label_of(column), list(constructs)
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
