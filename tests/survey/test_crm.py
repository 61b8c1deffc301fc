"""Exports of Salesforce, HubSpot, Zoho CRM and 纷享销客 as tables of events."""

import json
from datetime import date, datetime

import polars as pl
import pytest
import yaml

import csi
from csi.cli import main
from csi.errors import Problems
from csi.survey.crm import recognise
from csi.survey.crm_objects import OBJECTS
from csi.survey.dates import Dates, read_dates
from csi.survey.event_kinds import KINDS
from csi.survey.events import read_events

DEALS = """\
Record ID,Deal Name,Deal Stage,Pipeline,Amount,Close Date,Deal owner,Associated Contact,Associated Contact IDs
7001,王芳 - plan A,Closed won,Sales,"$1,250.50",2026-03-31 10:30,Sam,王芳 (fang@example.cn),8001;8002
7002,Li - plan B,Closed lost,Sales,900,2026-04-01 09:00,Sam,Li (li@example.cn),8002
7003,No contact,Closed won,Sales,100,2026-04-02 09:00,Sam,,
"""
OPPORTUNITIES = """\
Id,AccountId,ContactId,Name,StageName,Amount,CloseDate,CreatedDate,OwnerId
0061,0011,0031,Deal A,Closed Won,100.0,2026-03-31,2026-03-01T02:00:00.000+0000,0051
0062,0012,0032,Deal B,Prospecting,50.0,2026-05-31,2026-03-02T02:00:00.000+0000,0051
"""
CASE_REPORT = """\
Case Number,Contact ID,Contact Name,Subject,Case Origin,Priority,Type,Date/Time Opened,Status
00001,0031,Ana Lee,broken,Phone,High,Complaint,"3/31/2026, 4:05 PM",Closed
00002,0032,Bo Li,how to,Web,Low,Question,"4/1/2026, 12:10 AM",New
00003,0032,Bo Li,late,Email,Low,Complaint,"4/15/2026, 9:00 AM",New
"""
TICKETS = """\
Ticket ID,Ticket name,Ticket status,Priority,Source,Create date,Associated Contact IDs
1,cannot log in,Closed,HIGH,EMAIL,2026-03-31 10:30,8001
2,late parcel,New,LOW,CHAT,2026-04-01 10:30,8002
"""
ZOHO = """\
Record Id,Deal Owner,Deal Name,Amount,Closing Date,Stage,Account Name,Contact Name,Email
zcrm_1,Sam,A,100,2026-03-31,Closed Won,Acme,Ana Lee,ana@example.com
zcrm_2,Sam,B,80,2026-04-30,Qualification,Bolt,Bo Li,bo@example.com
"""
ORDERS = """\
销售订单编号,客户名称,客户编号,联系人,联系电话,下单日期,销售订单金额(元),生命状态,负责人
20260331-01,远山商贸,C001,王芳,13800000000,2026-03-31,"12,500.00",正常,李雷
20260401-01,清河食品,C002,赵云,13900000000,2026-04-01,800.00,作废,李雷
"""
WORK_ORDERS = """\
工单编号,工单类型,客户编号,客户名称,联系电话,优先级,满意度,创建时间,工单状态,来源
WO1,投诉,C001,远山商贸,13800000000,紧急,2,2026-03-31 10:00,已完成,电话
WO2,安装,C002,清河食品,13900000000,低,5,2026-04-01 11:00,已完成,微信
"""


@pytest.mark.parametrize(
    ("text", "kind", "label", "rows"),
    [
        (DEALS, "purchases", "HubSpot deals", [("8001", date(2026, 3, 31), 1250.5)]),
        (OPPORTUNITIES, "purchases", "Salesforce opportunities", [("0031", date(2026, 3, 31), 100.0)]),
        (ZOHO, "purchases", "Zoho CRM deals", [("Acme", date(2026, 3, 31), 100.0)]),
        (ORDERS, "purchases", "纷享销客 sales orders", [("C001", date(2026, 3, 31), 12500.0)]),
        (
            CASE_REPORT, "contacts", "Salesforce cases",
            [("0031", "Phone", datetime(2026, 3, 31, 16, 5)), ("0032", "Web", datetime(2026, 4, 1, 0, 10)),  # noqa: DTZ001
             ("0032", "Email", datetime(2026, 4, 15, 9, 0))],  # noqa: DTZ001
        ),
    ],
)  # fmt: skip
def test_exports_become_events_by_their_header(tmp_path, text, kind, label, rows):
    path = tmp_path / "export.csv"
    path.write_text(text, encoding="utf-8")
    events = read_events(path, kind)
    assert events.frame.rows() == rows
    told = [n for n in events.notes if n.code == "N-CRM"]
    assert label in told[0].text.en
    assert "识别为" in told[0].text.zh


def test_cases_that_are_complaints_are_told_from_others(tmp_path):
    path = tmp_path / "cases.csv"
    path.write_text(CASE_REPORT, encoding="utf-8")
    events = read_events(path, "complaints")
    assert events.frame.select("id", "complained", "severity").rows() == [("0031", True, 3.0), ("0032", True, 1.0)]
    said = " ".join(n.text.en for n in events.notes)
    assert "1 row left out" in said
    assert "High = 3" in said
    path.write_text(TICKETS, encoding="utf-8")
    events = read_events(path, "complaints")
    assert events.frame.height == 2
    assert any("no case is marked as a complaint" in n.text.en for n in events.notes)


def test_work_orders_of_a_chinese_system(tmp_path):
    path = tmp_path / "工单.csv"
    path.write_text(WORK_ORDERS, encoding="gb18030")
    with pytest.raises(Problems, match="encoding: gb18030"):
        read_events(path, "complaints")
    path.write_text(WORK_ORDERS, encoding="utf-8-sig")
    events = read_events(path, "complaints")
    assert events.frame.select("id", "handled_score", "severity").rows() == [("C001", 2.0, 4.0)]


def test_nothing_that_names_people_leaves_the_reader(tmp_path):
    for text, kind in ((DEALS, "purchases"), (CASE_REPORT, "contacts"), (ZOHO, "purchases"), (ORDERS, "purchases")):
        path = tmp_path / "export.csv"
        path.write_text(text, encoding="utf-8")
        events = read_events(path, kind)
        seen = str(events.frame.to_dict(as_series=False)) + str(events.notes)
        assert not any(word in seen for word in ("王芳", "Ana", "example", "13800000000", "李雷", "Sam"))


def test_columns_that_the_user_names_go_before_the_recognised_ones(tmp_path):
    path = tmp_path / "deals.csv"
    path.write_text(ZOHO, encoding="utf-8")
    events = read_events(path, "purchases", columns={"id": "Record Id"})
    assert events.frame.rows() == [("zcrm_1", date(2026, 3, 31), 100.0)]


def test_an_export_of_other_events_is_refused_with_what_it_holds(tmp_path):
    path = tmp_path / "tickets.csv"
    path.write_text(TICKETS, encoding="utf-8")
    with pytest.raises(Problems) as caught:
        read_events(path, "purchases")
    (found,) = caught.value.problems
    assert "HubSpot tickets, which holds complaints or contacts or cases, not purchases" in found.what.en
    assert found.remedy.zh


def test_bad_cells_of_an_export_are_told_all_at_once(tmp_path):
    path = tmp_path / "deals.csv"
    text = DEALS.replace("2026-03-31 10:30", "soon").replace("$1,250.50", "much")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Problems) as caught:
        read_events(path, "purchases")
    assert len(caught.value.problems) == 2
    mixed = "Id,AccountId,StageName,Amount,CloseDate\n1,a,Won,5,2026-03-31\n2,b,Won,5,31.03.2026\n3,c,Won,5,3/31/2026\n"
    path.write_text(mixed, encoding="utf-8")
    with pytest.raises(Problems, match="several ways"):
        read_events(path, "purchases")
    path.write_text("Id,AccountId,StageName,Amount,CloseDate,Amount\n1,a,Won,5,2026-03-31,7\n", encoding="utf-8")
    assert read_events(path, "purchases").frame["amount"].to_list() == [5.0]


def test_a_plain_table_is_left_as_it_is():
    bought = pl.DataFrame({"id": ["a"], "date": ["2026-01-05"], "amount": [5.0], "shop": ["x"]})
    assert csi.read_events(bought, "purchases").frame.columns == ["id", "date", "amount", "shop"]


def test_every_export_is_of_kinds_that_exist_and_marks_tell_them_apart():
    for what in OBJECTS:
        for marks in what.marks:
            found = recognise(sorted(marks))
            assert found is not None
            assert found.what is what
        for kind, columns in what.kinds.items():
            assert set(columns) <= set(KINDS[kind].columns)


@pytest.mark.parametrize(
    ("cell", "hour"), [("3/31/2026 12:05 AM", 0), ("3/31/2026, 1:05 pm", 13), ("3/31/2026 12:05 PM", 12)]
)
def test_hours_before_and_after_noon(cell, hour):
    found, bad = read_dates(pl.Series("d", [cell]), Dates(), "x", "E-EVENT")
    assert (found.dt.hour().to_list(), bad) == ([hour], [])


def test_init_writes_the_tables_of_a_study(tmp_path, capsys):
    (tmp_path / "answers.csv").write_text("id,sat1,sat2\n8001,8,9\n8002,7,7\n", encoding="utf-8")
    for name, text in (("deals", DEALS), ("tickets", TICKETS), ("met", "id,touchpoint,score\n8001,web,3\n")):
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    files = [str(tmp_path / f"{n}.csv") for n in ("deals", "tickets", "met")]
    assert main(["init", str(tmp_path / "answers.csv"), "--events", *files, "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["tables"]) == {"purchases", "complaints", "contacts"}
    study = yaml.safe_load((tmp_path / "study.yaml").read_text(encoding="utf-8"))
    assert study["tables"]["purchases"]["columns"] == {
        "id": "Associated Contact IDs", "date": "Close Date", "amount": "Amount",
    }  # fmt: skip
    assert study["tables"]["contacts"] == {"file": "met.csv"}
    purchases = study["tables"]["purchases"]
    assert read_events(tmp_path / purchases["file"], "purchases", columns=purchases["columns"]).frame.height == 1
    (tmp_path / "odd.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    odd = ["init", str(tmp_path / "answers.csv"), "--force", "--events", str(tmp_path / "odd.csv")]
    assert main([*odd, "--lang", "en"]) == 1
    assert "no table of events that csi knows" in capsys.readouterr().err


def test_satisfaction_in_words_is_left_out_and_said(tmp_path):
    path = tmp_path / "cases.csv"
    path.write_text(WORK_ORDERS.replace("紧急,2,", "紧急,不满意,").replace("低,5,", "低,满意,"), encoding="utf-8")
    events = read_events(path, "complaints")
    assert "handled_score" not in events.frame.columns
    assert any("holds no numbers" in n.text.en for n in events.notes)


def test_rows_are_named_as_they_stand_in_the_file(tmp_path):
    path = tmp_path / "deals.csv"
    lost = "7000,Old,Closed lost,Sales,,,Sam,,\n"
    path.write_text(DEALS.replace("7001", lost + "7001").replace("2026-03-31 10:30", "soon"), encoding="utf-8")
    with pytest.raises(Problems, match="row 3: 'soon'"):
        read_events(path, "purchases")


def test_stages_that_nobody_won_are_said(tmp_path):
    path = tmp_path / "deals.csv"
    path.write_text(DEALS.replace("Closed won", "Gewonnen"), encoding="utf-8")
    events = read_events(path, "purchases")
    assert events.frame.height == 2
    assert any("every row counts" in n.text.en for n in events.notes)
    path.write_text("Record ID,Deal Name,Deal Stage,Close Date,Associated Contact IDs\n1,a,Closed won,2026-03-31,\n")
    with pytest.raises(Problems, match="no rows"):
        read_events(path, "purchases")
