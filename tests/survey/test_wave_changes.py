"""Changes of a questionnaire are seen in the files: items, wordings, scales, labels; and the design in the names."""

import numpy as np
import polars as pl
import pytest

from csi.errors import Problems, Text
from csi.survey.asked import Asked
from csi.survey.codebook import Codebook, Item, Scale
from csi.survey.datafile import DataFile
from csi.survey.former import Former
from csi.survey.read import read_panel
from csi.survey.repeats import repeats_of
from csi.survey.wave_changes import change_notes, plain_wording, proposed, wave_changes
from csi.survey.wave_columns import column_changes

WAVES = ["1", "2", "3"]


def book(low=1, high=10, names=("q1", "q2", "q3")):
    scale = Scale("s", low, high, {"99": "refused"})
    items = tuple(Item(n, "sat", scale, Text(n, n)) for n in names)
    return Codebook(items, {"sat": Text("Satisfaction", "满意")}, {"respondent": "id", "wave": "w"})


def rows(wave, n, high, seed=1, names=("q1", "q2", "q3")):
    rng = np.random.default_rng(seed)
    columns = {name: rng.integers(1, high + 1, n) for name in names}
    return pl.DataFrame({"id": [f"{wave}-{i}" for i in range(n)], "w": [wave] * n, **columns})


def kinds(changes):
    return {(c.wave, c.item, c.what) for c in changes}


def test_a_scale_from_5_to_10_is_seen_in_the_answers_and_its_entry_is_proposed():
    panel = read_panel([rows("1", 200, 5), rows("2", 200, 10, 2)], book())
    changes = wave_changes(panel.asked, panel.waves)
    assert kinds(changes) == {("2", q, "scale") for q in ("q1", "q2", "q3")}
    assert {(c.was, c.now, c.declared) for c in changes} == {("1-5", "1-10", False)}
    (line,) = proposed(changes, panel.asked, panel.waves)
    assert 'wave: "2", what: scale, scale: [1, 5], items: [q1, q2, q3]' in line


def test_a_declared_scale_is_marked_and_not_proposed_again():
    former = [Former("2", ("q1", "q2", "q3"), (1, 5), sure=True)]
    panel = read_panel([rows("1", 200, 5), rows("2", 200, 10, 2)], book(), former=former)
    changes = wave_changes(panel.asked, panel.waves, former, ["2"])
    assert all(c.declared for c in changes)
    assert len(changes) == 3
    assert proposed(changes, panel.asked, panel.waves) == ()


@pytest.mark.parametrize(("first", "second"), [(5, 5), (10, 10), (7, 7)])
def test_waves_on_one_scale_have_no_change(first, second):
    panel = read_panel([rows("1", 200, first), rows("2", 200, second, 2)], book())
    assert wave_changes(panel.asked, panel.waves) == ()


def test_a_code_beyond_the_scale_is_no_scale():
    """9 for "refused" that nobody declared stands by itself; 6 to 10 go on step by step."""
    old = Asked("1", "q", "1.csv", "q", answers={float(x): 60 for x in range(1, 6)})
    code = Asked("2", "q", "2.csv", "q", answers={**{float(x): 60 for x in range(1, 6)}, 9.0: 60})
    ten = Asked("2", "q", "2.csv", "q", answers={float(x): 30 for x in range(1, 11)})
    assert wave_changes([old, code], ["1", "2"]) == ()
    assert kinds(wave_changes([old, ten], ["1", "2"])) == {("2", "q", "scale")}


def test_few_answers_say_nothing_of_a_scale():
    old = Asked("1", "q", "1.csv", "q", answers={3.0: 4, 5.0: 4})
    new = Asked("2", "q", "2.csv", "q", answers={float(x): 2 for x in range(1, 11)})
    assert wave_changes([old, new], ["1", "2"]) == ()


def test_answers_off_the_codebooks_scale_name_the_change_beside_the_cells():
    with pytest.raises(Problems) as error:
        read_panel([rows("1", 200, 5), rows("2", 200, 10, 2)], book(high=5))
    found = [p for p in error.value.problems if p.code == "E-SCALE-WAVE"]
    assert len(found) == 1
    assert "asked on 1-10, in 1 on 1-5" in found[0].what.en
    assert "{wave: 2, what: scale, scale: [1, 5]}" in found[0].remedy.en
    assert "自 2 期起" in found[0].what.zh


def test_items_added_dropped_and_asked_again():
    files = [
        rows("1", 50, 10, names=("q1", "q2")).with_columns(q3=pl.lit(None, pl.Int64)),
        rows("2", 50, 10, names=("q1", "q3")).with_columns(q2=pl.lit(None, pl.Int64)),
        rows("3", 50, 10),
    ]
    panel = read_panel(files, book())
    changes = wave_changes(panel.asked, panel.waves)
    assert kinds(changes) == {("2", "q3", "added"), ("2", "q2", "dropped"), ("3", "q2", "returned")}
    assert proposed(changes, panel.asked, panel.waves, of=["q1"]) == ()
    assert len(proposed(changes, panel.asked, panel.waves)) == 2


def test_another_column_is_told_and_breaks_nothing(tmp_path):
    rows("1", 50, 10).write_csv(tmp_path / "1.csv")
    rows("2", 50, 10).rename({"q2": "Q2_NEW"}).write_csv(tmp_path / "2.csv")
    files = [DataFile(tmp_path / "1.csv"), DataFile(tmp_path / "2.csv", rename={"q2": "Q2_NEW"})]
    panel = read_panel(files, book())
    (change,) = wave_changes(panel.asked, panel.waves)
    assert (change.what, change.was, change.now) == ("renamed", "q2", "Q2_NEW")
    assert proposed([change], panel.asked, panel.waves) == ()
    assert not list(change_notes([change]))


def test_a_reworded_question_is_told_with_both_wordings():
    one = Asked("1", "q", "1.csv", "q", "Q7. Overall, how content are you?", {5.0: 100})
    same = Asked("2", "q", "2.csv", "q", "12） overall how content are you", {5.0: 100})
    other = Asked("3", "q", "3.csv", "q", "Overall, how content are you with your bank?", {5.0: 100})
    (change,) = wave_changes([one, same, other], WAVES)
    assert (change.wave, change.what) == ("3", "reworded")
    assert change.was == same.wording
    (told,) = change_notes([change])
    assert told.code == "W-REWORDED"
    assert not list(change_notes(wave_changes([one, same, other], WAVES, breaks=["3"])))


def test_wordings_in_chinese_are_held_against_each_other_without_number_and_width():
    assert plain_wording("7、您对服务的满意程度（１－１０）") == plain_wording("第8题 您对服务的满意程度(1-10)")
    assert plain_wording("您对服务的满意程度") != plain_wording("您对产品的满意程度")


def test_value_labels_tell_a_scale_and_other_words():
    five = {str(k): f"point {k}" for k in range(1, 6)}
    ten = {str(k): f"point {k}" for k in range(1, 11)}
    one = Asked("1", "q", "1.sav", "q", answers={5.0: 10}, labels=five)
    more = Asked("2", "q", "2.sav", "q", answers={5.0: 10}, labels=ten)
    named = Asked("2", "q", "2.sav", "q", answers={5.0: 10}, labels={**five, "5": "delighted"})
    (scale,) = wave_changes([one, more], ["1", "2"])
    assert (scale.what, scale.was, scale.now) == ("scale", "1-5", "1-10")
    (labels,) = wave_changes([one, named], ["1", "2"])
    assert (labels.what, labels.was, labels.now) == ("labels", "5 point 5", "5 delighted")


def test_answers_in_words_are_answers():
    """A wave exported in words beside one in codes: the same scale, and no item is dropped."""
    scale = Scale("s", 1, 5, labels={str(k): (f"word {k}",) for k in range(1, 6)})
    words = Codebook((Item("q1", "sat", scale, Text("q", "q")),), {}, {"respondent": "id", "wave": "w"})
    first = rows("1", 100, 5, names=("q1",))
    second = rows("2", 100, 5, 2, names=("q1",)).with_columns(pl.concat_str(pl.lit("Word "), "q1").alias("q1"))
    panel = read_panel([first.with_columns(pl.col("q1").cast(pl.String)), second], words)
    assert [one.n for one in panel.asked] == [100, 100]
    assert wave_changes(panel.asked, panel.waves) == ()


def people(sets, seed=0, r=0.7):
    rng = np.random.default_rng(seed)
    mood = {p: rng.normal() for p in sorted(set().union(*sets))}
    frame = [
        {"respondent": p, "wave": w, "q": r * mood[p] + (1 - r) * rng.normal()}
        for w, one in zip(WAVES, sets, strict=False)
        for p in sorted(one)
    ]
    return pl.DataFrame(frame)


def ids(start, stop):
    return {f"p{i:04d}" for i in range(start, stop)}


def test_designs_are_told_from_the_names():
    cases = {
        "cross-sections": [ids(0, 100), ids(100, 200), ids(200, 300)],
        "panel": [ids(0, 100), ids(5, 100), ids(10, 105)],
        "overlapping": [ids(0, 100), ids(80, 180), ids(160, 260)],
        "rotating": [ids(0, 100), ids(50, 150), ids(100, 200)],
    }
    for kind, sets in cases.items():
        assert repeats_of(people(sets), ["q"], WAVES).kind == kind


def test_a_rotating_panel_of_many_waves_is_told_by_equal_stays():
    waves = [str(t) for t in range(8)]
    sets = [ids(50 * t, 50 * t + 150) for t in range(8)]
    rng = np.random.default_rng(1)
    frame = pl.DataFrame(
        [{"respondent": p, "wave": w, "q": rng.normal()} for w, one in zip(waves, sets, strict=True) for p in one]
    )
    found = repeats_of(frame, [], waves)
    assert found.kind == "rotating"
    assert "stayed 3 waves" in found.evidence.en
    assert found.table["retention"].to_list()[1] == pytest.approx(100 / 150)


def test_numbers_that_start_again_are_strangers():
    rng = np.random.default_rng(3)
    frame = pl.DataFrame([{"respondent": str(i), "wave": w, "q": rng.normal()} for w in WAVES for i in range(900)])
    found = repeats_of(frame, ["q"], WAVES)
    assert found.kind == "restarted"
    assert "respondents: new" in found.follows.en
    assert found.high < 0.1


def test_said_new_people_whose_answers_agree_are_doubted():
    frame = people([ids(0, 200), ids(0, 200), ids(0, 200)])
    frame = frame.with_columns(pl.concat_str("wave", "respondent", separator="/").alias("respondent"))
    found = repeats_of(frame, ["q"], WAVES, "new")
    assert found.kind == "cross-sections"
    assert "respondents: same" in found.follows.en
    assert found.agreement > 0.5


def test_who_came_stayed_came_back_and_left():
    found = repeats_of(people([{"a", "b", "c"}, {"a", "d"}, {"a", "b"}]), ["q"], WAVES)
    assert found.table.rows() == [
        ("1", 3, 3, None, None, None, None),
        ("2", 2, 1, 1, 0, 2, pytest.approx(1 / 3)),
        ("3", 2, 0, 1, 1, 1, 0.5),
    ]


def texts(wave, header, **more):
    rng = np.random.default_rng(int(wave))
    answers = {header: rng.integers(1, 11, 40), "q2": rng.integers(1, 11, 40), **more}
    return pl.DataFrame({"id": [f"{wave}-{i}" for i in range(40)], "w": [wave] * 40, **answers})


def test_a_reworded_header_is_reworded_and_tells_both_texts():
    """The header is the question: another text under the same item is not merely another column."""
    old, new = "3、您对配送速度满意吗？", "4、总体来看，您对配送是否满意？"
    asked = [Asked("1", "q1", "1.csv", old, old, {5.0: 40}), Asked("2", "q1", "2.csv", new, new, {5.0: 40})]
    (found,) = wave_changes(asked, ["1", "2"])
    assert (found.what, found.was, found.now) == ("reworded", old, new)
    moved = Asked("2", "q1", "2.csv", "4、您对配送速度满意吗", "4、您对配送速度满意吗", {5.0: 40})
    assert [c.what for c in wave_changes([asked[0], moved], ["1", "2"])] == ["renamed"]


def test_headers_that_are_questions_are_wordings(tmp_path):
    one, other = "How content are you with the delivery?", "Thinking of the last month, how content were you?"
    for wave, header in (("1", one), ("2", other)):
        texts(wave, header, q3=[5] * 40).write_csv(tmp_path / f"{wave}.csv")
    files = [DataFile(tmp_path / f"{w}.csv", rename={"q1": h}) for w, h in (("1", one), ("2", other))]
    panel = read_panel(files, book())
    assert {(c.what, c.was, c.now) for c in wave_changes(panel.asked, panel.waves)} == {("reworded", one, other)}


def test_columns_that_came_and_went_are_listed_and_a_lost_question_is_found_again(tmp_path):
    one, other = "How content are you with the delivery?", "How content are you with our delivery times?"
    texts("1", one, q3=[5] * 40, age=[30] * 40, both=[1] * 40).write_csv(tmp_path / "1.csv")
    texts("2", other, q3=[5] * 40, region=["N"] * 40, both=[1] * 40).write_csv(tmp_path / "2.csv")
    files = [DataFile(tmp_path / f"{w}.csv", rename={"q1": header}) for w, header in (("1", one), ("2", ""))]
    panel = read_panel(files, book())
    found = list(column_changes(panel.sources, panel.asked, panel.waves))
    assert [(c.what, c.item, c.was, c.now) for c in found] == [
        ("reworded", "q1", one, other),
        ("new column", "region", "", "region"),
        ("column left", "age", "age", ""),
    ]
    assert "rename: {q1:" in found[0].evidence.en


def test_two_scales_that_changed_at_one_wave_are_both_told():
    """1-5 became 1-10 for some items and 1-7 became 0-10 for others: two entries, each with its items."""
    names = ("a1", "a2", "b1", "b2")
    frames = []
    for wave, ends in (("1", {"a": (1, 5), "b": (1, 7)}), ("2", {"a": (1, 10), "b": (0, 10)})):
        rng = np.random.default_rng(7)
        columns = {n: rng.integers(ends[n[0]][0], ends[n[0]][1] + 1, 300) for n in names}
        frames.append(pl.DataFrame({"id": [f"{wave}-{i}" for i in range(300)], "w": [wave] * 300, **columns}))
    panel = read_panel(frames, book(0, 10, names))
    changes = wave_changes(panel.asked, panel.waves)
    assert {(c.item, c.was, c.now) for c in changes} == {
        *((n, "1-5", "1-10") for n in names[:2]),
        *((n, "1-7", "0-10") for n in names[2:]),
    }
    first, second = proposed(changes, panel.asked, panel.waves)
    assert "scale: [1, 5], items: [a1, a2]" in first
    assert "scale: [1, 7], items: [b1, b2]" in second
    with pytest.raises(Problems) as error:
        read_panel(frames, book(1, 5, names))
    told = [p for p in error.value.problems if p.code == "E-SCALE-WAVE"]
    assert ["items: [a1, a2]" in p.remedy.en for p in told] == [True, False]
    assert ["scale: [1, 7], items: [b1, b2]" in p.remedy.en for p in told] == [False, True]


def numbered(n, same, seed=5):
    """Two waves under the numbers 1 to n, of the same people or of others."""
    rng = np.random.default_rng(seed)
    mood = rng.normal(size=n)
    parts = []
    for wave in ("1", "2"):
        own = mood if same else rng.normal(size=n)
        q = np.clip(np.round(5.5 + 1.8 * own[:, None] + rng.normal(size=(n, 3))), 1, 10)
        parts.append(
            pl.DataFrame({"id": [str(i + 1) for i in range(n)], "w": wave, "q1": q[:, 0], "q2": q[:, 1], "q3": q[:, 2]})
        )
    return pl.concat(parts)


@pytest.mark.parametrize(("n", "same", "kind"), [(12, True, "untold"), (40, False, "untold"), (60, True, "panel")])
def test_numbers_of_which_few_answers_cannot_tell_whose_they_are(n, same, kind):
    panel = read_panel(numbered(n, same), book())
    found = repeats_of(panel.frame, panel.codebook.names, panel.waves)
    assert found.kind == kind
    recurring = panel.frame["respondent"].n_unique() < panel.frame.height
    assert recurring == (kind == "panel")
    assert ("N-RESPONDENTS-APART" in {n.code for n in panel.notes}) == (kind == "untold")
    if kind == "untold":
        assert "no covariance of an overlap is used" in found.follows.en
        assert "{respondents: same}" in found.follows.zh


def test_what_the_study_says_of_its_respondents_stands():
    for said, kind, people in (("same", "panel", 40), ("new", "cross-sections", 80)):
        panel = read_panel(numbered(40, same=False), book(), respondents=said)
        assert panel.frame["respondent"].n_unique() == people
        assert repeats_of(panel.frame, panel.codebook.names, panel.waves, said).kind == kind
        assert not [n for n in panel.notes if "RESPONDENTS" in n.code]


def test_names_that_are_no_running_numbers_are_the_same_people():
    frame = numbered(40, same=False).with_columns(pl.col("id") + "@example.org")
    assert repeats_of(read_panel(frame, book()).frame, ["q1", "q2", "q3"], ["1", "2"]).kind == "panel"
