"""Typing by the codebook, and the rules: each bad input one message, each doubtful one counted."""

from dataclasses import replace

import polars as pl
import pytest

from csi.errors import Problems, Text
from csi.survey import DataFile, Rules, read_panel
from csi.survey.codebook import Codebook, Item, Scale


def codes(error):
    return [problem.code for problem in error.value.problems]


def notes(panel):
    return {note.code for note in panel.notes}


def effect(panel, rule):
    return next(e for e in panel.audit if e.rule == rule)


def rows(**columns):
    height = len(next(iter(columns.values())))
    return pl.DataFrame({"id": [f"r{i}" for i in range(height)], **columns})


def test_missing_reasons_reversal_and_counts(book):
    panel = read_panel(rows(s1=["4", "8", "9", "(跳过)", ""], s2=["1", "2", "8.0", "5", "3"]), book)
    assert panel.frame["s1"].to_list() == [4.0, None, None, None]
    assert panel.frame["s2"].to_list() == [5.0, 4.0, 1.0, 3.0]
    assert panel.reasons["s1"].to_list() == [None, "dont_know", "skipped", "empty"]
    assert panel.reasons["s2"].null_count() == 4
    assert (effect(panel, "empty").cells, effect(panel, "reverse").cells) == (1, 4)
    assert panel.excluded["respondent"].to_list() == ["r2"]
    assert panel.excluded["s1"].to_list() == ["9"]


def test_full_width_digits_are_read_and_counted(book):
    panel = read_panel(rows(s1=["４", "　5 "], s2=["３．５", "1"]), book)
    assert panel.frame["s1"].to_list() == [4.0, 5.0]
    assert panel.frame["s2"].to_list() == [2.5, 5.0]
    assert effect(panel, "full_width_digits").cells == 2


def test_text_in_a_numeric_item_names_column_rows_and_values(book, write):
    text = "id,s1,s2\na,4,1\nb,四,1\nc,NaN,1\nd,inf,x\n"
    with pytest.raises(Problems) as error:
        read_panel(write(text), book)
    assert codes(error) == ["E-NUMBER", "E-NUMBER"]
    said = error.value.problems[0].say("en")
    assert said.startswith("answers.csv, column s1:")
    assert 'row 3 "四", row 4 "NaN", row 5 "inf"' in said
    assert "第 3 行“四”" in error.value.problems[0].say("zh")


def test_text_as_missing_when_the_rules_say_so(book):
    panel = read_panel(rows(s1=["4", "x", "5"], s2=["1", "2", "3"]), book, rules=Rules(not_a_number="missing"))
    assert panel.reasons["s1"].to_list() == [None, "not_a_number", None]
    assert effect(panel, "not_a_number").detail == "s1 1"


def test_values_outside_the_scale(book):
    frame = rows(s1=["4", "55", "0"], s2=["1", "2", "-1"])
    with pytest.raises(Problems) as error:
        read_panel(frame, book)
    assert codes(error) == ["E-RANGE", "E-RANGE"]
    assert 'row 1 "55", row 2 "0"' in error.value.problems[0].say()
    panel = read_panel(frame, book, rules=Rules(out_of_range="missing"))
    assert panel.reasons["s1"].to_list() == [None, "out_of_range"]
    assert panel.excluded["rule"].to_list() == ["empty_rows"]


@pytest.mark.parametrize("bad", ["0", "-1.5", "", "heavy", "NaN"])
def test_bad_weights(book, bad):
    keyed = replace(book, keys={"respondent": "id", "weight": "w"})
    with pytest.raises(Problems) as error:
        read_panel(rows(s1=["4", "5"], s2=["1", "2"], w=["1", bad]), keyed)
    assert codes(error) == ["E-WEIGHT"]
    assert "row 1" in str(error.value)


def test_duplicate_respondent_in_a_wave(book):
    keyed = replace(book, keys={"respondent": "id", "wave": "w"})
    frame = pl.DataFrame(
        {"id": ["a", "a", "a", "b"], "w": ["1", "1", "2", "1"], "s1": ["1", "2", "3", "4"], "s2": ["1"] * 4}
    )
    with pytest.raises(Problems, match=r"a / 1 \(rows 0, 1\)") as error:
        read_panel(frame, keyed)
    assert codes(error) == ["E-DUPLICATE"]
    first = read_panel(frame, keyed, rules=Rules(duplicates="first"))
    last = read_panel(frame, keyed, rules=Rules(duplicates="last"))
    assert first.frame["s1"].to_list() == [1.0, 3.0, 4.0]
    assert last.frame["s1"].to_list() == [2.0, 3.0, 4.0]
    assert first.excluded["row in the file"].to_list() == [1]


@pytest.mark.parametrize("blank", ["id", "w"])
@pytest.mark.parametrize("rule", ["stop", "first", "last"])
def test_blank_keys_are_one_problem_and_no_duplicates(book, blank, rule):
    keyed = replace(book, keys={"respondent": "id", "wave": "w"})
    frame = pl.DataFrame({"id": ["a", "a", "b"], "w": ["1", "1", "1"], "s1": ["1", "2", "3"], "s2": ["1"] * 3})
    frame = frame.with_columns(pl.Series(blank, [None, None, "1"]))
    with pytest.raises(Problems) as error:
        read_panel(frame, keyed, rules=Rules(duplicates=rule))
    assert codes(error) == ["E-KEY"]


def test_speeders(book):
    keyed = replace(book, keys={"respondent": "id", "duration": "t"})
    frame = rows(s1=["4", "5", "3"], s2=["1", "2", "3"], t=["85秒", "12", "60"])
    panel = read_panel(frame, keyed, rules=Rules(speeders="drop"))
    assert panel.frame["duration"].to_list() == [85.0, 60.0]
    assert effect(panel, "speeders").rows == 1
    flagged = read_panel(frame, keyed, rules=Rules(speeders="flag"))
    assert flagged.frame.height == 3
    assert flagged.flagged["respondent"].to_list() == ["r1"]


def test_speeders_without_a_duration(book):
    with pytest.raises(Problems, match="needs the key `duration`"):
        read_panel(rows(s1=["4", "5"], s2=["1", "2"]), book, rules=Rules(speeders="drop"))


def test_straight_lining_counts_runs_within_one_scale():
    five, ten = Scale("five", 1, 5), Scale("ten", 1, 10)
    items = [Item(f"a{i}", "x", five, Text("", "")) for i in range(4)] + [Item("b", "x", ten, Text("", ""))]
    book = Codebook(tuple(items), {}, {"respondent": "id"})
    answers = {
        "run": ["3", "3", "3", "3", "1"],
        "blank": ["3", "", "3", "3", "1"],
        "broken": ["3", "3", "1", "3", "1"],
        "scales": ["1", "1", "3", "3", "3"],
    }
    columns = zip(*answers.values(), strict=True)
    frame = pl.DataFrame({"id": list(answers), **dict(zip(book.names, columns, strict=True))})
    rules = Rules(straight_lining="drop", straight_lining_items=3)
    panel = read_panel(frame, book, rules=rules)
    assert panel.excluded["respondent"].to_list() == ["run", "blank"]
    four = read_panel(frame, book, rules=replace(rules, straight_lining_items=4))
    assert four.excluded["respondent"].to_list() == ["run"]


def test_straight_lining_looks_at_answers_before_they_are_turned_over(book):
    frame = rows(s1=["5", "5"], s2=["5", "1"])
    panel = read_panel(frame, book, rules=Rules(straight_lining="flag", straight_lining_items=2))
    assert panel.flagged["respondent"].to_list() == ["r0"]


def test_doubtful_items_get_notes():
    ten = Scale("ten", 1, 10)
    book = Codebook(
        tuple(Item(n, "x", ten, Text("", "")) for n in ("a", "copy", "same", "none")), {}, {"respondent": "id"}
    )
    frame = rows(a=["4", "5", ""], copy=["4", "5", ""], same=["7", "7", "7"], none=["", "", ""])
    panel = read_panel(frame, book)
    assert {"N-CONSTANT", "N-IDENTICAL", "N-ALL-MISSING"} <= notes(panel)
    assert any("a, copy" in note.say() for note in panel.notes)


def test_a_fraction_among_whole_numbers_is_noted():
    ten = Scale("ten", 1, 10)
    book = Codebook(tuple(Item(n, "x", ten, Text("", "")) for n in ("a", "slider")), {}, {"respondent": "id"})
    whole = [str(1 + k % 10) for k in range(40)]
    panel = read_panel(rows(a=[*whole[1:], "7.5"], slider=["1.5", "7.5"] * 10 + whole[20:]), book)
    (told,) = [n for n in panel.notes if n.code == "N-FRACTION"]
    assert "Item a" in told.text.en
    assert "1 answers (7.5)" in told.text.en
    assert panel.frame["a"].to_list()[-1] == 7.5


def test_one_respondent_and_none(book):
    with pytest.raises(Problems) as error:
        read_panel(rows(s1=["4"], s2=["2"]), book)
    assert codes(error) == ["E-ROWS"]
    with pytest.raises(Problems) as error:
        read_panel(rows(s1=["9", "8"], s2=["9", ""]), book)
    assert codes(error) == ["E-EMPTY"]
    assert "empty_rows 2" in str(error.value)


def test_missing_columns_all_at_once(book):
    with pytest.raises(Problems) as error:
        read_panel(pl.DataFrame({"ID": ["a"], "S1": ["4"], "s2": ["1"]}), book)
    assert codes(error) == ["E-COLUMN", "E-COLUMN"]
    assert 'no column "id"' in str(error.value)


def test_blank_and_unknown_keys(book):
    keyed = replace(book, keys={"respondent": "id", "wave": "w", "brand": "b", "stage": "g"})
    frame = pl.DataFrame(
        {"id": ["a", "", "c"], "w": ["2024Q1", "２０２４Q1", ""], "b": ["A", "A", "Z"], "g": ["new", "old", ""],
         "s1": ["1", "2", "3"], "s2": ["1", "2", "4"]}
    )  # fmt: skip
    with pytest.raises(Problems) as error:
        read_panel(frame, keyed, waves=["2024Q1"], brands=["A", "B"], stages=["new"])
    assert sorted(codes(error)) == ["E-BRAND", "E-KEY", "E-KEY", "E-STAGE", "E-WAVE"]
    assert 'Did you mean "2024Q1"?' in str(error.value)


def test_waves_from_several_files_with_other_names(book, write):
    old = DataFile(
        write("nr,q1,q2\n1,4,2\n2,5,1\n", "2010.csv"), wave="2010", rename={"respondent": "nr", "s1": "q1", "s2": "q2"}
    )
    new = DataFile(write("id,s1,w\n1,3,0.5\n2,2,1.5\n", "2011.csv"), wave="2011", rename={"s2": "", "weight": "w"})
    panel = read_panel([new, old], book, waves=["2010", "2011"])
    assert panel.waves == ("2010", "2011")
    assert panel.frame["weight"].to_list() == [0.5, 1.5, 1.0, 1.0]
    assert panel.reasons.filter(panel.frame["wave"] == "2011")["s2"].to_list() == ["not_asked", "not_asked"]
    assert {"N-WEIGHT", "N-NOT-IN-WAVE", "N-RESPONDENTS-APART"} <= notes(panel)
    fresh = read_panel([new, old], book, waves=["2010", "2011"], respondents="new")
    assert fresh.frame["respondent"].n_unique() == 4
    assert "N-RESPONDENTS" not in notes(fresh)


def test_items_not_asked_in_the_same_waves_stand_in_one_note(book):
    keyed = replace(book, keys={"respondent": "id", "wave": "w"})
    panel = read_panel(
        rows(s1=["1", "", "3"], s2=["1", "", "3"], w=["W1", "W2", "W3"]), keyed, rules=Rules(empty_rows="flag")
    )
    said = [n.text for n in panel.notes if n.code == "N-NOT-IN-WAVE"]
    assert [t.en for t in said] == ["Items s1, s2 have no answers in W2."]
    assert [t.zh for t in said] == ["题项 s1、s2 在 W2 没有回答。"]


def test_wave_order_is_natural_without_a_study(book):
    keyed = replace(book, keys={"respondent": "id", "wave": "w"})
    panel = read_panel(rows(s1=["1", "2", "3"], s2=["1", "2", "3"], w=["W10", "W2", "W1"]), keyed)
    assert panel.waves == ("W1", "W2", "W10")


def test_personal_columns_never_enter(book):
    frame = rows(s1=["4", "5"], s2=["1", "2"], 来自IP=["1.2.3.4", "5.6.7.8"], phone=["139", "138"])
    panel = read_panel(frame, book)
    assert panel.sources[0].unused == ("来自IP", "phone")
    for table in (panel.frame, panel.reasons):
        assert not {"来自IP", "phone"} & set(table.columns)


def test_rename_of_an_unknown_name(book, write):
    file = DataFile(write("id,s1,s2\na,1,2\nb,2,3\n"), rename={"s9": "s1"})
    with pytest.raises(Problems, match='rename: "s9"'):
        read_panel(file, book)


def test_two_files_of_one_name_and_one_content(book, tmp_path):
    files = []
    for wave in ("1", "2"):
        path = tmp_path / wave / "answers.csv"
        path.parent.mkdir()
        path.write_text("id,s1,s2\na,4,2\nb,5,1\n", encoding="utf-8")
        files.append(DataFile(path, wave=wave))
    panel = read_panel(files, book)
    assert "N-SAME-FILE" in notes(panel)
    assert panel.frame.height == 4


def test_a_file_without_a_wave_among_files_with_one(book, write):
    one = DataFile(write("id,s1,s2\na,4,2\n", "one.csv"), wave="1")
    two = DataFile(write("id,s1,s2\nb,4,2\n", "two.csv"))
    with pytest.raises(Problems, match=r"two\.csv has no wave"):
        read_panel([one, two], book)


def test_an_item_called_like_a_key(book):
    odd = replace(book, items=(replace(book.items[0], name="weight"), book.items[1]))
    with pytest.raises(Problems) as error:
        read_panel(rows(weight=["1", "2"], s2=["1", "2"]), odd)
    assert "E-NAME" in codes(error)


def test_hostile_text_in_keys_is_kept_as_it_is(book):
    keyed = replace(book, keys={"respondent": "id", "brand": "b"})
    names = ["=cmd|' /C calc'!A0", "<script>alert(1)</script>"]
    panel = read_panel(rows(s1=["1", "2"], s2=["1", "2"], b=names), keyed)
    assert sorted(panel.brands) == sorted(names)


def test_messages_bear_hostile_values_on_one_short_line(book):
    with pytest.raises(Problems) as error:
        read_panel(rows(s1=["4", "\x1b[31mred\nline" + "x" * 500], s2=["1", "2"]), book)
    said = error.value.problems[0].say()
    assert said.isprintable()
    assert len(said) < 400


def test_the_wrong_column_as_brand_is_one_problem(book):
    keyed = replace(book, keys={"respondent": "id", "brand": "id"})
    with pytest.raises(Problems) as error:
        read_panel(rows(s1=["4"] * 50, s2=["1"] * 50), keyed, brands=["A"])
    assert codes(error) == ["E-BRAND"]
    assert "50 values of brand" in str(error.value)


def test_lazy_frames_and_nested_columns_beside_the_answers(book):
    frame = rows(s1=["4", "5"], s2=["1", "2"], extra=[[1, 2], [3]]).lazy()
    assert read_panel(frame, book).frame.height == 2


def test_one_wrong_answer_and_several_are_told_in_their_grammar(book, write):
    with pytest.raises(Problems) as one:
        read_panel(write("id,s1,s2\na,x,7\nb,2,3\nc,3,3\nd,2,2\n"), book)
    with pytest.raises(Problems) as several:
        read_panel(write("id,s1,s2\na,x,7\nb,y,6\nc,3,3\nd,2,2\n"), book)
    assert [p.what.en.partition(":")[0] for p in one.value.problems] == [
        "1 answer to s1 is not a number",
        "1 answer to s2 lies outside its scale 1-5",
    ]
    assert [p.what.en.partition(":")[0] for p in several.value.problems] == [
        "2 answers to s1 are not numbers",
        "2 answers to s2 lie outside its scale 1-5",
    ]


def test_a_column_that_is_not_there_shows_both_ways_to_rename(book, write):
    with pytest.raises(Problems) as found:
        read_panel(write("id,s1,sat2\na,1,2\nb,2,3\n"), book)
    assert 'rename: {s2: ""}' in found.value.problems[0].remedy.en
    assert "rename: {s2: THAT COLUMN}" in found.value.problems[0].remedy.en
    assert "rename: {s2: 该列名}" in found.value.problems[0].remedy.zh
