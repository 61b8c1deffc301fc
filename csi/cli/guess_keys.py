"""Which columns of an export are keys, and which the survey platform added: by their names, never by their answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from csi.errors import Text
from csi.survey.readers.platforms.limesurvey import code_of

ROLES: Final = {
    "respondent": r"(resp(ondent)?[_ ]?(id)?|response_?id|id|uid|_uuid|case(_?id)?|record(_?id)?|"
    r"序号|编号|问卷编号|受访者(编号)?|答卷(编号|序号|id)|受访者 ?id)",
    "wave": r"(wave|quarter|period|year|month|round|期次|季度|期|年份|月份|波次|调查期)",
    "brand": r"(brand|operator|company|firm|airline|bank|store|provider|retailer|insurer|hotel|"
    r"品牌|运营商|公司|企业|门店|航空公司|银行)",
    "weight": r"(weights?|wt|w|权重|加权)",
    "stratum": r"(strat(um|a)|层|分层)",
    "cluster": r"(cluster|psu|群|抽样单元)",
    "stage": r"(stage|phase|阶段)",
    "segment": r"(segment|customer_?type|细分|客户类型|用户类型)",
    "duration": r"(_?duration( \(in seconds\))?|seconds|time_?spent|interview_?time|用时|答题时长|所用时间|答题用时)",
}
"""Key role -> what its column is usually called."""

FIRST: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "qualtrics": {
        "respondent": ("ResponseId", "ResponseID", "Response ID"),
        "duration": ("Duration (in seconds)", "Duration__in_seconds_", "Duration"),
    },
    "kobo": {"respondent": ("_uuid", "_id"), "duration": ("_duration",)},
    "odk": {"respondent": ("KEY", "meta-instanceID"), "duration": ("_duration",)},
    "surveymonkey": {"respondent": ("Respondent ID", "RespondentID", "respondent_id", "受访者 ID", "受访者ID")},
    "limesurvey": {
        "respondent": ("id", "Response ID", "答卷 ID", "答复 ID"),
        "duration": ("interviewtime", "Total time", "总时间"),
    },
    "wjx": {"respondent": ("序号",), "duration": ("所用时间",)},
    "tencent": {"respondent": ("编号",), "duration": ("答题时长",)},
    "wenjuan": {"respondent": ("number", "seq", "序号"), "duration": ("答题时长",)},
}
"""Platform -> key role -> its columns, the best first: they go before all that is merely called so."""

ADDED: Final[Mapping[str, str]] = {
    "qualtrics": r"(Start|End|Recorded)Date|Start Date|End Date|Recorded Date|Status|Response Type|Progress|Finished|"
    r"ResponseSet|DistributionChannel|UserLanguage|.*_(First|Last|Page) (Click|Submit)|.*_Click Count|"
    r".*_(Browser|Version|Operating System|Resolution)|Q_\w+|SC\d+|.*_DO(_\w+)?",
    "kobo": r"start|end|today|audit|formhub/uuid|meta/\w+|deviceid|simserial|subscriberid|phonenumber|username|"
    r"_id|_uuid|_root_uuid|_submission_time|_submission__\w+|_submitted_by|_validation_status|_notes|_status|_tags|"
    r"__version__|_version_?|_index|_parent_index|_parent_table_name|_duration|_attachments|_geolocation|_edited|"
    r"_xform_id(_string)?|_bamboo_dataset_id|_media_\w+|_total_media|_date_modified|_supplementalDetails|"
    r"_\w+_(latitude|longitude|altitude|precision)",
    "odk": r"SubmissionDate|start|end|today|KEY|instanceID|meta[-/:]\w+|SubmitterI[Dd]|SubmitterName|"
    r"Attachments(Present|Expected)|Status|ReviewState|DeviceID|Edits|FormVersion|formdef_version",
    "surveymonkey": r"Collector ?ID|collector_id|Date (Created|Modified)|date_(created|modified)|Custom Data \d+|"
    r"收集器 ?ID|(创建|修改)日期|自定义数据 ?\d+",
    "limesurvey": r"submitdate|lastpage|startlanguage|seed|startdate|datestamp|refurl|token|groupTime\d+|\w+Time|"
    r"Date (submitted|started|last action)|Last page|Start language|Seed|Referrer URL|Access code|"
    r"(Group|Question) time: .*|提交日期|最后一页|起始语言|开始日期|最后操作日期|引用网址|种子",
    "wjx": r"提交答卷时间|来源|来源详情|总分|得分|提交时间",
    "tencent": r"数据版本|开始答题时间|结束答题时间|用户类型|自定义字段|(智能)?清洗数据结果|语言|UA|Referrer",
    "wenjuan": r"number|seq|start|finish|开始时间|结束时间|答题状态|来源|渠道|status",
    "google": r"timestamp|时间戳记?|時間戳記|タイムスタンプ|score|total score|得分|总分",
}
"""Platform -> columns that it adds to the answers: neither items nor characteristics of people."""

ALWAYS: Final = (
    r"StartDate|EndDate|RecordedDate|ResponseSet|DistributionChannel|UserLanguage|"
    r"_submission_time|_validation_status|_submitted_by|__version__|_index|_uuid|_id|_notes|_tags|_status|formhub/uuid|"
    r"submitdate|lastpage|startlanguage|refurl|interviewtime|groupTime\d+|Collector ?ID|collector_id|Custom Data \d+|"
    r"提交答卷时间|来源详情|来自IP|总分"
)
"""The same where the platform is not recognised: names that nobody gives a question."""

SYSTEM: Final = Text("added by the platform, not an answer", "平台附加的列，不是回答")

NO_ANSWER: Final = (
    (r"(.*[^A-Za-z])?IP(地址)?|ip_?address", Text("an address, not an answer", "网络地址，不是回答")),
    (r"(提交|开始|结束|答卷|作答).*时间|.*(_at|_?date|timestamp)", Text("a date or time", "日期或时间")),
    (r"来源(详情)?|渠道|source|channel", Text("where the answers came from", "答卷来源")),
)
"""Columns that survey platforms add, and why they are no answers."""

NUMBER: Final = re.compile(r"[Qq]?\d+\s*[、.．:：]\s*|_\d+_(?=[A-Za-z])")
GROUPED: Final = re.compile(r"(?:\w+[/.])+(?=[A-Za-z_]\w*(?:\[\w+\])?$)|(?:[A-Za-z_]\w*-)+(?=[A-Za-z_]\w*$)", re.ASCII)
"""The groups before the name of a question: g1/sat1, g1-sat1."""

SUB: Final = re.compile(r"\s*[\[［][^\[\]［］]*[\]］]$")
"""The sub-question at the end of a name: sat[SQ001]."""


def roles_of(columns: Iterable[str], platform: str = "") -> dict[str, str]:
    """The key columns by their names: those of the platform, else the first of each role.

    Example:
        >>> roles_of(["StartDate", "Duration (in seconds)", "ResponseId", "Q1"], "qualtrics")
        {'respondent': 'ResponseId', 'duration': 'Duration (in seconds)'}
    """
    names = list(columns)
    first, called = FIRST.get(platform, {}).items(), {plain_of(c, platform): c for c in reversed(names)}
    found = {role: next(called[c] for c in told if c in called) for role, told in first if set(told) & set(called)}
    for column in names:
        if column in found.values() or (platform and added(column, platform)):
            continue
        for role, pattern in ROLES.items():
            if role not in found and re.fullmatch(pattern, local_of(column), re.IGNORECASE):
                found[role] = column
                break
    return found


def added(column: str, platform: str = "") -> bool:
    """Whether a column was added by the survey platform.

    Example:
        >>> added("Progress", "qualtrics"), added("Progress"), added("refurl")
        (True, False, True)
    """
    names = rf"{ALWAYS}|{ADDED[platform]}" if platform in ADDED else ALWAYS
    plain = plain_of(column, platform)
    return re.fullmatch(names, plain, re.IGNORECASE if platform == "google" else 0) is not None


def plain_of(column: str, platform: str = "") -> str:
    """A heading as the platform names the column: without the question behind the code of LimeSurvey.

    Example:
        >>> plain_of("id. Response ID", "limesurvey"), plain_of("id. Response ID")
        ('id', 'id. Response ID')
    """
    return code_of(column) if platform == "limesurvey" else column.strip()


def no_answer(column: str, platform: str = "") -> Text | None:
    """Why a column is known by its name to hold no answers; None for all others."""
    label = label_of(plain_of(column, platform))
    for pattern, why in NO_ANSWER:
        if re.fullmatch(pattern, label, re.IGNORECASE):
            return why
    if added(column, platform):
        return SYSTEM
    for role, pattern in ROLES.items():
        if re.fullmatch(pattern, label, re.IGNORECASE):
            return Text(f"another column is the {role} already", f"已有其他列作为 {role}")
    return None


def label_of(column: str) -> str:
    """The question without its number.

    Example:
        >>> label_of("1、总体满意度"), label_of("Q12. Overall"), label_of("q1"), label_of("_1_Service_quality")
        ('总体满意度', 'Overall', 'q1', 'Service_quality')
    """
    return NUMBER.sub("", column.strip(), count=1) if NUMBER.match(column.strip()) else column.strip()


def local_of(column: str) -> str:
    """The question without its number and without the groups it stands in.

    Example:
        >>> local_of("g1/sat1"), local_of("visit-g1-sat1"), local_of("sat[SQ001]"), local_of("Fast and/or cheap?")
        ('sat1', 'sat1', 'sat[SQ001]', 'Fast and/or cheap?')
    """
    label = label_of(column)
    return GROUPED.sub("", label, count=1) if GROUPED.match(label) else label


def stem_of(column: str) -> str:
    """The same without the sub-question.

    Example:
        >>> stem_of("g1/sat[SQ001]"), stem_of("您的评价 [速度]")
        ('sat', '您的评价')
    """
    return SUB.sub("", local_of(column)) or column
