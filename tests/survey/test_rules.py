"""Each rule on rows by hand: whom it hits, whom it leaves, and what stays on record."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from csi.errors import Problems, Text
from csi.survey import Rules, read_panel
from csi.survey.codebook import Codebook, Item, Scale
from csi.survey.rule_words import RULE_WORDS
from csi.survey.rules import TESTS
from csi.survey.signs import agreements, distances

FIVE = Scale("five", 1, 5, {"9": "dont_know", "8": "not_asked"})


def book(p, reverse=(), **keys):
    items = tuple(Item(f"q{k}", "sat", FIVE, Text("", ""), reverse=f"q{k}" in reverse) for k in range(1, p + 1))
    return Codebook(items, {}, {"respondent": "id", **keys})


def answers(*rows, **columns):
    data = {f"q{k + 1}": [str(r[k]) for r in rows] for k in range(len(rows[0]))}
    return pl.DataFrame({"id": [f"r{i}" for i in range(len(rows))], **data, **columns})


def hit(panel, rule):
    """The respondents that a rule flags or drops."""
    rows = [f for f in (panel.flagged, panel.excluded) if f is not None]
    return sorted(r for f in rows for r in f.filter(pl.col("rule") == rule)["respondent"])


def off(**rules):
    return Rules(straight_lining="off", **rules)


def test_average_run_is_answers_over_runs():
    """4 4 4 2 2 1 has runs of 3, 2 and 1: on average 2; 3 3 3 3 5 5 has 4 and 2: 3."""
    frame = answers([4, 4, 4, 2, 2, 1], [3, 3, 3, 3, 5, 5], [1, 2, 1, 2, 1, 2])
    panel = read_panel(frame, book(6), rules=off(average_run="flag", average_run_items=3))
    assert hit(panel, "average_run") == ["r1"]
    assert hit(read_panel(frame, book(6), rules=off(average_run="flag", average_run_items=2)), "average_run") == [
        "r0",
        "r1",
    ]


def test_variability_is_the_standard_deviation_as_a_share_of_the_scale():
    """1 5 1 5: shares 0 1 0 1, sd .5774; 3 3 3 4: sd .125; a single answer has none."""
    frame = answers([1, 5, 1, 5], [3, 3, 3, 4], [3, "", "", ""])
    panel = read_panel(frame, book(4), rules=off(variability="flag", variability_below=0.1250001))
    assert hit(panel, "variability") == ["r1"]
    assert hit(read_panel(frame, book(4), rules=off(variability="flag", variability_below=0.125)), "variability") == []


def test_relative_speed_counts_questions_asked_and_knows_the_wave():
    """Wave a: 10, 5 and 2.5 s per question, median 5; the third is twice as fast. The fourth is alone in wave b."""
    rows = [[1, 2, 3, 4], [2, 3, 4, 5], [3, 4, 8, 8], [1, 1, 2, 2]]
    frame = answers(*rows, w=["a", "a", "a", "b"], s=["40", "20", "5", "2"])
    panel = read_panel(frame, book(4, wave="w", duration="s"), rules=off(speeders_relative="drop"))
    assert hit(panel, "speeders_relative") == ["r2"]
    assert panel.dropped.frame["respondent"].to_list() == ["r2"]


def test_the_answers_of_another_are_those_of_the_same_wave_and_vary():
    rows = [[1, 2, 3, 4], [1, 2, 3, 4], [5, 5, 5, 5], [5, 5, 5, 5], [1, 2, 3, 4], [1, 2, "", ""], [1, 2, "", ""]]
    frame = answers(*rows, w=["a", "a", "a", "a", "b", "a", "a"])
    panel = read_panel(frame, book(4, wave="w"), rules=off(patterns="flag", patterns_items=3))
    assert hit(panel, "patterns") == ["r0", "r1"]


def test_devices_are_counted_by_wave_and_leave_no_trace():
    rows = [[1, 2], [2, 3], [3, 4], [4, 5], [5, 1]]
    frame = answers(*rows, w=["a", "a", "b", "b", "b"], ip=["x", "x", "x", "", ""])
    rules = off(devices="drop", device="ip")
    panel = read_panel(frame, book(2, wave="w"), rules=rules)
    assert hit(panel, "devices") == ["r0", "r1"]
    for left in (panel.frame, panel.excluded, panel.dropped.frame):
        assert not {"ip", "device"} & set(left.columns)
    assert "device" not in panel.codebook.keys


def test_attention_by_item_and_by_column_as_number_and_as_text():
    rows = [[1, 3], [1, 2], [1, ""], [2, 3]]
    frame = answers(*rows, check=["blue", "blue", "", "red"], num=["４", "4", "4.0", "5"])
    rules = off(attention={"q2": 3, "check": "blue", "num": 4})
    panel = read_panel(frame, book(2), rules=rules)
    assert hit(panel, "inattentive") == ["r1", "r3"]
    assert hit(read_panel(frame, book(2), rules=replace(rules, attention_failed=2)), "inattentive") == ["r3"]
    assert not {"check", "num"} & set(panel.frame.columns)


def test_contradictions_turn_reversed_items_over():
    """q2 is reversed: 5 and 1 agree, 5 and 5 are four points apart."""
    frame = answers([5, 1], [5, 5], [4, 3], [1, ""])
    panel = read_panel(frame, book(2, reverse=("q2",)), rules=off(contradictions=(("q1", "q2", 3),)))
    assert hit(panel, "contradictory") == ["r1"]


def test_nonresponse_is_a_share_of_what_was_asked():
    """Of 4: 3 of 4 absent; 1 of 2 asked absent (not more than half); 2 of 3 asked absent."""
    frame = answers([1, 9, "", 9], [1, "", 8, 8], [1, "", 9, 8], [1, 2, 3, 4])
    panel = read_panel(frame, book(4), rules=off(nonresponse="flag"))
    assert hit(panel, "nonresponse") == ["r0", "r2"]


def test_a_question_that_a_wave_does_not_put_is_no_nonresponse():
    """q3 and q4 are blank throughout wave a, which does not ask them."""
    rows = [[1, 2, "", ""], [2, "", "", ""], [1, 2, 3, 4], [1, "", "", ""]]
    panel = read_panel(answers(*rows, w=["a", "a", "b", "b"]), book(4, wave="w"), rules=off(nonresponse="flag"))
    assert hit(panel, "nonresponse") == ["r3"]


def test_distances_are_those_of_the_closed_form():
    """D^2 of complete rows sums to (n - 1) p; a row's D^2 over one item is its squared standard score."""
    rng = np.random.default_rng(3)
    rows = rng.standard_normal((60, 4)) @ np.triu(np.ones((4, 4)))
    squared, o = distances(rows)
    assert squared.sum() == pytest.approx(59 * 4, rel=1e-12)
    centred = rows - rows.mean(axis=0)
    own = np.einsum("ni,ij,nj->n", centred, np.linalg.inv(np.cov(rows.T)), centred)
    assert squared == pytest.approx(own, rel=1e-10)
    rows[0, 1:] = np.nan
    squared, o = distances(rows)
    assert o[0] == 1
    assert squared[0] == pytest.approx((rows[0, 0] - rows[:, 0].mean()) ** 2 / rows[:, 0].var(ddof=1), rel=1e-10)


def test_an_outlier_is_flagged_and_an_item_that_does_not_vary_takes_no_part():
    rng = np.random.default_rng(1)
    base = rng.integers(2, 5, 80)
    rows = [[int(b), int(np.clip(b + rng.integers(-1, 2), 1, 5)), 3] for b in base]
    rows[7] = [5, 1, 3]
    panel = read_panel(answers(*rows), book(3), rules=off(outliers="flag"))
    assert hit(panel, "outliers") == ["r7"]


def test_agreement_is_the_correlation_within_a_row_over_pairs_that_go_together():
    """Three pairs of twins and one antonym; a row that answers its twins alike agrees, one that does not does not."""
    rng = np.random.default_rng(5)
    first = rng.integers(1, 6, (400, 4)).astype(float)
    rows = np.column_stack([first, first[:, :3], 6 - first[:, 3]])
    rows[0] = [1, 3, 5, 2, 5, 3, 1, 2]
    found = agreements(rows, 0.9)
    assert found[1:] == pytest.approx(np.ones(399), abs=0.05)
    mean = rows.mean(axis=0)
    a = rows[0, :4] - mean[:4]
    b = np.append(rows[0, 4:7] - mean[4:7], -(rows[0, 7] - mean[7]))
    assert found[0] == pytest.approx(np.corrcoef(a, b)[0, 1], rel=1e-10)
    assert found[0] < 0


def test_what_is_dropped_keeps_its_hits_and_the_flow_adds_up():
    rows = [[4] * 12, [4] * 12, [1, 2] * 6, ["", *[""] * 11], [2, 1] * 6]
    frame = answers(*rows, w=["a", "b", "a", "a", "b"], s=["10", "90", "10", "90", "90"])
    rules = Rules(speeders="drop", straight_lining="flag", empty_rows="drop")
    panel = read_panel(frame, book(12, wave="w", duration="s"), rules=rules)
    assert panel.frame["respondent"].to_list() == ["r1", "r4"]
    assert panel.hits.to_dict(as_series=False) == {
        "empty_rows": [False, False], "speeders": [False, False], "straight_lining": [True, False],
    }  # fmt: skip
    assert panel.dropped.hits["straight_lining"].to_list() == [True, False]
    wave_a = panel.flow.filter(pl.col("wave") == "a")
    assert wave_a.select("rule", "rows").rows() == [
        ("read", 3), ("empty_rows", 1), ("speeders", 2), ("straight_lining", 0), ("kept", 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (off(contradictions=(("q1", "nope", 2),)), '"nope" is no item'),
        (off(contradictions=(("q1", "q1", 2),)), "cannot contradict itself"),
        (off(contradictions=(("q1", "q2", 5),)), "the length of their scale"),
        (off(attention={"respondent": 3}), "the name of a key"),
        (off(attention={"q1": 3}, attention_failed=2), "there are 1 checks"),
        (off(devices="flag"), "needs the column of the device"),
        (off(device="gone", devices="flag"), 'no column "gone"'),
        (off(attention={"gone": 3}), 'no column "gone"'),
        (off(speeders_relative="flag"), "needs the key `duration`"),
    ],
)
def test_a_rule_that_cannot_work_is_told_with_its_place(rules, said):
    with pytest.raises(Problems) as error:
        read_panel(answers([1, 2], [2, 3]), book(2), rules=rules)
    assert said in error.value.problems[0].say("en")
    assert error.value.problems[0].say("zh") != error.value.problems[0].say("en")


def test_all_rules_have_words_and_thresholds_with_a_source():
    assert set(RULE_WORDS) == {*TESTS, "duplicates", "empty_rows"}
    assert all(w.label.zh and w.what.zh and w.source.en for w in RULE_WORDS.values())
