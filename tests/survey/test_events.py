"""Tables of events: what is read, what is refused and with which words, how they join."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import csi
from csi.errors import Problems
from csi.survey.dates import Dates, read_dates
from csi.survey.event_kinds import KINDS
from csi.survey.events import joined, read_events

BOUGHT: dict[str, list[Any]] = {"id": ["a", "a", "b"], "date": ["2026-01-05", "2026-02-01", "2026-02-03"]}


def said(source: object, kind: str, **more: Any) -> list[tuple[str, str, str]]:
    """Code, English and Chinese of what is refused."""
    with pytest.raises(Problems) as caught:
        read_events(source, kind, **more)
    return [(p.code, p.what.en, p.what.zh) for p in caught.value.problems]


def test_columns_hold_what_their_kind_says() -> None:
    events = read_events(pl.DataFrame({**BOUGHT, "amount": ["5", "7.5", ""], "shop": ["x", "y", "z"]}), "purchases")
    assert events.frame.schema == {"id": pl.String, "date": pl.Date, "amount": pl.Float64, "shop": pl.String}
    assert events.last == date(2026, 2, 3)


def test_other_columns_are_numbers_where_every_cell_is_one() -> None:
    spells = pl.DataFrame({"id": [1, 2], "duration": [20, 17], "event": [1, 0], "fin": [0, 1], "race": ["black", "2"]})
    found = read_events(spells, "spells").frame
    assert found["fin"].to_list() == [0.0, 1.0]
    assert found["race"].to_list() == ["black", "2"]
    assert found["event"].to_list() == [True, False]


def test_files_and_renamed_columns(tmp_path: Path) -> None:
    path = tmp_path / "sold.csv"
    path.write_text("customer;paid\nk1;31.01.2026\nk2;02.02.2026\n", encoding="utf-8")
    events = read_events(path, "purchases", columns={"id": "customer", "date": "paid"})
    assert events.frame["date"].to_list() == [date(2026, 1, 31), date(2026, 2, 2)]
    assert events.name == "sold.csv"


def test_all_problems_at_once() -> None:
    frame = pl.DataFrame({"id": ["a", ""], "date": ["2026-01-05", "soon"], "amount": ["x", "3"]})
    found = said(frame, "purchases")
    assert [code for code, _, _ in found] == ["E-EVENT"] * 3
    assert found[1][1] == "1 cell is no date: row 2: 'soon'."
    assert found[1][2] == "1 个单元格不是日期：第 2 行：'soon'。"


@pytest.mark.parametrize(
    ("kind", "frame", "expected"),
    [
        ("purchases", {**BOUGHT, "amount": [5, -3, 2]}, "1 row: amounts below 0 (row 2: -3.0)."),
        ("spells", {"id": ["a"], "event": [1], "start": ["2026-02-01"], "end": ["2026-01-01"]}, "end before start"),
        ("spells", {"id": ["a"], "event": [1], "duration": [0]}, "durations of 0 or less"),
        ("spells", {"id": ["a"], "event": [2], "duration": [3]}, "not yes or no"),
        ("spells", {"id": ["a"], "event": [1]}, "no columns start and end or duration."),
        ("members", {"id": ["a"], "joined": ["2026-02-01"], "left": ["2025-02-01"]}, "left before joined"),
        ("cases", {"attribute": ["speed"], "opened": ["2026-02-01"], "closed": ["2026-01-31"]}, "closed before opened"),
        ("purchases", {"id": ["a"]}, "no column date"),
        ("purchases", {"id": [], "date": []}, "no rows."),
        ("purchases", {"id": ["a"], "date": ["03/04/2026"]}, "can be read as 2026-04-03 and as 2026-03-04."),
        ("purchases", {"id": ["a", "b"], "date": ["2026-03-31", "31.12.2026"]}, "written in several ways"),
        ("contacts", {"id": ["a"], "touchpoint": [""]}, "not filled in"),
        ("contacts", {"id": ["a"], "touchpoint": ["x"], "score": ["inf"]}, "not a number"),
        ("visits", {"id": ["a"]}, 'no kind of events called "visits"'),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(kind: str, frame: dict[str, list[Any]], expected: str) -> None:
    found = said(pl.DataFrame(frame), kind)
    assert any(expected in en for _, en, _ in found)
    assert all(zh and zh != en for _, en, zh in found)


def test_handling_of_people_who_did_not_complain_is_a_fault_of_design() -> None:
    frame = pl.DataFrame({"id": ["a", "b"], "complained": [0, 1], "handled_score": [4, 5]})
    assert [code for code, _, _ in said(frame, "complaints")] == ["E-DESIGN"]


def test_times_move_to_the_zone_where_days_begin() -> None:
    met = pl.DataFrame({"id": ["a"], "touchpoint": ["web"], "time": ["2026-03-31T23:30:00Z"]})
    found = read_events(met, "contacts", timezone="Asia/Shanghai").frame["time"].to_list()
    assert found == [datetime(2026, 4, 1, 7, 30)]  # noqa: DTZ001 - local time


@pytest.mark.parametrize(
    ("cells", "zone", "expected"),
    [
        (["2026-03-31T23:30:00Z", "2026-03-31T23:30:00+08:00"], "", "several offsets"),
        (["2026-03-31T23:30:00Z", "2026-03-31 10:00"], "", "some times carry an offset"),
        (["2026-03-31T23:30:00Z"], "Peking", "no time zone"),
    ],
)
def test_zones_that_do_not_say_when_are_refused(cells: list[str], zone: str, expected: str) -> None:
    met = pl.DataFrame({"id": ["a"] * len(cells), "touchpoint": ["web"] * len(cells), "time": cells})
    assert any(expected in en for _, en, _ in said(met, "contacts", timezone=zone))


def test_frames_with_times_of_a_zone_keep_their_moment() -> None:
    times = pl.Series("time", [datetime(2026, 3, 31, 23, 30)]).dt.replace_time_zone("UTC")  # noqa: DTZ001
    met = pl.DataFrame({"id": ["a"], "touchpoint": ["web"], "time": times})
    found = read_events(met, "contacts", timezone="Asia/Shanghai").frame["time"].to_list()
    assert found == [datetime(2026, 4, 1, 7, 30)]  # noqa: DTZ001 - local time


def test_every_way_to_write_a_day_is_read() -> None:
    for cell in (
        "2026-03-31",
        "2026/3/31",
        "2026.03.31",
        "2026年3月31日",
        "20260331",
        "31.03.2026",
        "03/31/2026",
        "31-03-2026",
    ):
        found, bad = read_dates(pl.Series("d", [cell, None]), Dates(), "x", "E-EVENT")
        assert (found[0], bad) == (datetime(2026, 3, 31), []), cell  # noqa: DTZ001


def test_a_way_that_is_given_decides() -> None:
    bought = pl.DataFrame({"id": ["a"], "date": ["03/04/2026"]})
    assert read_events(bought, "purchases", dates="%d/%m/%Y").frame["date"].to_list() == [date(2026, 4, 3)]
    assert said(bought, "purchases", dates="%Y-%m-%d")[0][1].startswith('1 cell is no date (written as "%Y-%m-%d")')


def test_events_after_the_last_day_are_counted_and_left_out() -> None:
    events = read_events(pl.DataFrame(BOUGHT), "purchases", until="2026-02-01")
    assert events.frame.height == 2
    assert events.last == date(2026, 2, 1)
    assert [n.code for n in events.notes] == ["N-EVENT-LATE"]


def test_a_last_day_before_every_event_is_refused() -> None:
    for lang, words in (("en", "every row is after 2020-01-01"), ("zh", "所有行均晚于 2020-01-01")):
        with pytest.raises(Problems) as caught:
            read_events(pl.DataFrame(BOUGHT), "purchases", until="2020-01-01", lang=lang)
        assert [p.code for p in caught.value.problems] == ["E-EVENT"]
        assert words in str(caught.value)


def test_repeated_rows_are_kept_and_counted() -> None:
    events = read_events(pl.DataFrame({"id": ["a", "a"], "date": ["2026-01-05"] * 2}), "purchases")
    assert events.frame.height == 2
    assert events.notes[0].text.en == "1 row is there again, the same in every column; kept."


def test_contacts_without_order_say_so() -> None:
    events = read_events(pl.DataFrame({"id": ["a"], "touchpoint": ["x"]}), "contacts")
    assert [n.code for n in events.notes] == ["N-NO-ORDER"]


def test_empty_comments_and_very_long_ones_are_read() -> None:
    words = ["", "👍👍", "好" * 350_000, "fine"]
    events = read_events(pl.DataFrame({"id": list("abcd"), "text": words}), "texts")
    assert events.frame["text"].to_list() == [None, *words[1:]]


def test_every_kind_reads_a_row_of_its_columns() -> None:
    cells = {"text": "a", "words": "b", "number": "1", "flag": "1", "date": "2026-01-01", "time": "2026-01-01 10:00"}
    for name, kind in KINDS.items():
        frame = pl.DataFrame({c: [cells[holds]] for c, holds in kind.columns.items()})
        assert read_events(frame, name).frame.columns == list(kind.columns)


def test_events_of_people_who_did_not_answer_are_counted(panel_of_ids: Any) -> None:
    events = joined(read_events(pl.DataFrame(BOUGHT), "purchases"), panel_of_ids(["a", "c"]))
    assert events.frame["id"].to_list() == ["a", "a"]
    assert events.notes[-1].text.en == "1 of 2 ids in purchases did not answer (b); left out."
    with pytest.raises(Problems, match="no event is of somebody who answered"):
        joined(events, panel_of_ids(["x", "y"]))


@pytest.fixture
def panel_of_ids() -> Any:
    """Answers of these people."""
    from csi.errors import Text  # noqa: PLC0415
    from csi.survey.codebook import Codebook, Item, Scale  # noqa: PLC0415

    book = Codebook((Item("q1", "sat", Scale("ten", 1, 10), Text("Content", "满意")),), {}, {"respondent": "id"})
    return lambda ids: csi.read_panel(pl.DataFrame({"id": ids, "q1": [5] * len(ids)}), book)


def test_rows_of_files_are_counted_with_their_header_and_said_so(tmp_path):
    path = tmp_path / "bought.csv"
    path.write_text("id,date,amount\na,2026-01-05,5\nb,2026-01-06,-3\n", encoding="utf-8")
    with pytest.raises(Problems) as caught:
        read_events(path, "purchases")
    (found,) = caught.value.problems
    assert found.what.en == "1 row: amounts below 0 (row 3: -3.0; the header is row 1)."
    assert found.what.zh == "1 行金额为负（第 3 行：-3.0；表头为第 1 行）。"
    path.write_text("id,date\na,soon\nb,2026-01-06\n", encoding="utf-8")
    with pytest.raises(Problems) as caught:
        read_events(path, "purchases")
    assert "row 2: 'soon'; the header is row 1" in caught.value.problems[0].what.en
