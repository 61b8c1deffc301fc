"""`csi whatif` and `csi plan` on a study: what a person reads, what a machine gets, what is refused."""

from __future__ import annotations

import json


def test_levers_of_a_study(asked, study):
    code, out, err = asked(
        "whatif",
        study,
        "--raise",
        "perceived_quality=5",
        "--cost",
        "1000",
        "--worth",
        "200",
        "--bootstrap",
        "100",
        "--lang",
        "en",
    )
    assert (code, err) == (0, "")
    for said in ("5 points more", "associated with", "breaks even", "Levers and what they lead to"):
        assert said in out
    code, out, _ = asked("whatif", study, "--raise", "perceived_quality=0.01", "--bootstrap", "0", "--lang", "zh")
    assert code == 0
    assert " 0.01 " in out.split("杠杆及其指向的构念")[1]
    assert "相应" in out
    assert "杠杆" in out


def test_a_plan_of_a_study(asked, study):
    plan = ("plan", study, "--lever", "perceived_quality=5:20,10:60", "--budget", "30", "--bootstrap", "100")
    code, out, err = asked(*plan, "--lang", "en")
    assert (code, err) == (0, "")
    assert "the best plan is" in out
    code, out, _ = asked(*plan, "--json")
    found = json.loads(out)
    assert found["chosen"] == {"perceived_quality": 5.0}
    assert found["cost"] == 20


def test_metrics_of_drivers(asked, study):
    code, out, err = asked("drivers", study, "--metrics", "--bootstrap", "100", "--lang", "en")
    assert (code, err) == (0, "")
    for said in ("Importance of the drivers", "LMG", "Pairs of drivers", "accounts for"):
        assert said in out


def test_metrics_are_compared_between_cells(asked, study):
    code, out, err = asked("drivers", study, "--by", "brand", "--bootstrap", "100", "--lang", "en")
    assert (code, err) == (0, "")
    for said in ("Differences of shares between cells", "p (Holm)", "Zhongxun: ", "by more than sampling error"):
        assert said in out
    code, out, _ = asked("drivers", study, "--by", "wave", "--bootstrap", "100", "--json")
    found = json.loads(out)
    assert {row["cell"] for row in found["differences"]} | {row["other"] for row in found["differences"]} == {
        row["wave"] for row in found["metrics"]
    }
    code, _, err = asked("drivers", study, "--by", "colour", "--lang", "en")
    assert code == 1
    assert "--by: " in err
    assert "respondent" not in err
    code, _, err = asked("drivers", study, "--desired", "120", "--bootstrap", "100", "--lang", "en")
    assert code == 1
    assert "--desired: " in err
    assert "Use --desired 85" in err


def test_a_name_given_twice_is_refused(asked, study):
    twice = ("--raise", "perceived_quality=5", "--raise", "perceived_quality=3", "--bootstrap", "0")
    code, _, err = asked("whatif", study, *twice, "--lang", "en")
    assert code == 1
    assert '"perceived_quality" was given 2 times' in err
    code, _, err = asked("plan", study, "--lever", "perceived_quality=5:1,5:2", "--budget", "3", "--lang", "en")
    assert code == 2
    assert "two costs" in err


def test_what_is_refused(asked, study):
    assert asked("whatif", study, "--raise", "quality", "--lang", "en")[0] == 2
    assert asked("plan", study, "--lever", "perceived_quality=5", "--budget", "3", "--lang", "en")[0] == 2
    code, _, err = asked("whatif", study, "--raise", "percieved_quality=5", "--bootstrap", "0", "--lang", "en")
    assert code == 1
    assert "quality" in err
