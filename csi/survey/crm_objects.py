"""What customer systems export, told by its header: Salesforce, HubSpot, Zoho, Fenxiang (纷享销客).

Sources of the headers: Salesforce Field Reference Guide, Case and Opportunity (labels of reports beside the names that
Data Loader writes); Salesforce Object Reference, Task and Contact; HubSpot exports as they stand in public test files
("Record ID,Deal Name,Deal Stage,Amount,Deal owner,Close Date", "Associated Contact IDs" with ";" between ids) and its
list of deal properties; Zoho CRM help, Modules and Fields. Not verified against a real export: the headers of Zoho's
id columns of other modules, HubSpot's ticket columns beyond its properties, and every label of 纷享销客 (its public API
tells the objects SalesOrderObj and CasesObj, not the labels that a Chinese export bears). `columns:` replaces any of
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from csi.errors import Text

Columns = Mapping[str, tuple[str, ...]]
"""A column of an event table -> headers that hold it, the best first."""

WON: Final = ("closed won", "closedwon", "won", "已成交", "赢单", "成交")
"""Stages of a sale that was made."""


@dataclass(frozen=True, slots=True)
class CrmObject:
    """One kind of export of one system.

    Attributes:
        system, label: whose, and of what. marks: sets of headers, one of which is all there. kinds: event table ->
            its columns, the most usual table first. only: headers and the entries that make a row count (a sale that
            was won, an order that was not voided). typed: the header that says what a case is about.
    """

    system: str
    label: Text
    marks: tuple[frozenset[str], ...]
    kinds: Mapping[str, Columns]
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    typed: tuple[str, ...] = ()


def _set(*names: str) -> frozenset[str]:
    return frozenset(names)


def _cases(
    who: tuple[str, ...],
    opened: tuple[str, ...],
    closed: tuple[str, ...],
    about: tuple[str, ...],
    way: tuple[str, ...],
    number: tuple[str, ...],
    score: tuple[str, ...],
    priority: tuple[str, ...],
    status: tuple[str, ...],
) -> dict[str, Columns]:
    """The three tables that a log of cases can be."""
    return {
        "complaints": {
            "id": who, "date": opened, "handled_score": score, "severity": priority, "attribute": about,
        },
        "contacts": {"id": who, "touchpoint": way, "time": opened, "score": score},
        "cases": {
            "attribute": about, "opened": opened, "closed": closed, "case": number, "id": who, "status": status,
            "source": way,
        },
    }  # fmt: skip


SALESFORCE_WHO: Final = ("ContactId", "Contact ID", "AccountId", "Account ID", "Account Name")
HUBSPOT_WHO: Final = ("Associated Contact IDs", "Associated Company IDs", "Associated Company")
ZOHO_WHO: Final = ("Contact Name.id", "Contact Id", "Account Name.id", "Account Id", "Account Name")
FENXIANG_WHO: Final = ("客户编号", "客户ID", "客户名称", "客户")

OBJECTS: Final[tuple[CrmObject, ...]] = (
    CrmObject(
        "Salesforce", Text("opportunities", "业务机会"),
        (_set("StageName", "CloseDate"), _set("Opportunity Name", "Close Date", "Stage")),
        {"purchases": {"id": SALESFORCE_WHO, "date": ("CloseDate", "Close Date"), "amount": ("Amount",)}},
        {"IsWon": ("true", "1"), "Won": ("true", "1"), "StageName": WON, "Stage": WON},
    ),
    CrmObject(
        "Salesforce", Text("cases", "个案"),
        (_set("CaseNumber", "Origin", "Status"), _set("Case Number", "Date/Time Opened"),
         _set("Case Number", "Opened Date"), _set("Case Number", "Case Origin", "Subject", "Created Date")),
        _cases(
            SALESFORCE_WHO, ("CreatedDate", "Date/Time Opened", "Opened Date", "Created Date"),
            ("ClosedDate", "Date/Time Closed", "Closed Date"), ("Reason", "Case Reason", "Type", "Case Type"),
            ("Origin", "Case Origin"), ("CaseNumber", "Case Number"), ("CSAT__c", "CSAT", "Satisfaction"),
            ("Priority",), ("Status",),
        ),
        typed=("Type", "Case Type", "Reason", "Case Reason"),
    ),
    CrmObject(
        "Salesforce", Text("activities", "活动"),
        (_set("WhoId", "ActivityDate"), _set("Activity Type", "Contact ID", "Date")),
        {"contacts": {
            "id": ("WhoId", "Contact ID"), "touchpoint": ("TaskSubtype", "Type", "Activity Type"),
            "time": ("ActivityDate", "Date"),
        }},
    ),
    CrmObject(
        "Salesforce", Text("contacts", "联系人"),
        (_set("LastName", "AccountId", "CreatedDate"), _set("Contact ID", "Last Name", "Account Name")),
        {"members": {"id": ("Id", "Contact ID"), "joined": ("CreatedDate", "Created Date")}},
    ),
    CrmObject(
        "HubSpot", Text("deals", "交易"),
        (_set("Record ID", "Deal Name", "Deal Stage"),),
        {"purchases": {"id": HUBSPOT_WHO, "date": ("Close Date",), "amount": ("Amount",)}},
        {"Is Closed Won": ("true", "1"), "Deal Stage": WON},
    ),
    CrmObject(
        "HubSpot", Text("tickets", "工单"),
        (_set("Ticket name", "Ticket status"), _set("Ticket ID", "Ticket status"),
         _set("Ticket Name", "Ticket Status")),
        _cases(
            HUBSPOT_WHO, ("Create date", "Create Date"), ("Close date", "Close Date"), ("Category", "Pipeline"),
            ("Source",), ("Ticket ID", "Record ID"), ("Last CSAT survey rating", "Last CSAT survey score"),
            ("Priority",), ("Ticket status", "Ticket Status"),
        ),
        typed=("Category", "Ticket category"),
    ),
    CrmObject(
        "HubSpot", Text("contacts", "联系人"),
        (_set("Record ID", "Lifecycle Stage"), _set("Record ID", "First Name", "Last Name", "Email")),
        {"members": {"id": ("Record ID",), "joined": ("Became a Customer Date", "Create Date")}},
    ),
    CrmObject(
        "Zoho CRM", Text("deals", "商机"),
        (_set("Record Id", "Deal Name", "Closing Date"), _set("Deal Owner", "Deal Name", "Closing Date")),
        {"purchases": {"id": ZOHO_WHO, "date": ("Closing Date",), "amount": ("Amount",)}},
        {"Stage": WON},
    ),
    CrmObject(
        "Zoho CRM", Text("sales orders", "销售订单"),
        (_set("SO Number", "Grand Total"), _set("Sales Order Owner", "Grand Total")),
        {"purchases": {"id": ZOHO_WHO, "date": ("Created Time", "Due Date"), "amount": ("Grand Total",)}},
    ),
    CrmObject(
        "Zoho CRM", Text("cases", "个案"),
        (_set("Case Owner", "Case Origin"), _set("Record Id", "Case Number")),
        _cases(
            ZOHO_WHO, ("Created Time",), ("Closed Time", "Modified Time"), ("Case Reason", "Type"), ("Case Origin",),
            ("Case Number",), ("Satisfaction", "Rating"), ("Priority",), ("Status",),
        ),
        typed=("Type", "Case Reason"),
    ),
    CrmObject(
        "Zoho CRM", Text("contacts", "联系人"),
        (_set("Record Id", "Contact Owner"),),
        {"members": {"id": ("Record Id",), "joined": ("Created Time",)}},
    ),
    CrmObject(
        "纷享销客", Text("sales orders", "销售订单"),
        (_set("销售订单编号", "下单日期"), _set("订单编号", "下单日期", "客户名称")),
        {"purchases": {
            "id": FENXIANG_WHO, "date": ("下单日期", "下单时间"),
            "amount": ("销售订单金额(元)", "销售订单金额（元）", "销售订单金额", "订单金额"),
        }},
        {"生命状态": ("正常", "变更中")},
    ),
    CrmObject(
        "纷享销客", Text("work orders", "工单"),
        (_set("工单编号", "工单类型"), _set("工单编号", "客户名称"), _set("工单编号", "工单状态")),
        _cases(
            FENXIANG_WHO, ("创建时间", "受理时间", "提交时间"), ("完成时间", "关闭时间", "结束时间"),
            ("问题类型", "工单类型", "问题分类", "业务类型"), ("工单来源", "来源", "受理渠道"), ("工单编号",),
            ("满意度", "满意度评分", "服务评分", "评价分数", "评分"), ("优先级", "紧急程度"), ("工单状态", "状态"),
        ),
        typed=("工单类型", "问题类型", "业务类型"),
    ),
    CrmObject(
        "纷享销客", Text("customers", "客户"),
        (_set("客户名称", "成交状态"), _set("客户名称", "客户级别", "创建时间")),
        {"members": {"id": ("客户编号", "客户ID", "客户名称"), "joined": ("成交时间", "创建时间")}},
    ),
)  # fmt: skip
"""Every export that is recognised; the first whose marks are there is taken."""
