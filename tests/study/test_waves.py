"""How many waves a year has: by the names of the waves, and in agreement with what the study file says."""

import pytest

from csi.errors import Problems
from csi.study import read_study
from csi.study.waves import contradicts, per_year


@pytest.mark.parametrize(
    ("names", "many"),
    [
        (["2026Q1", "2026Q2"], 4),
        (["2026Q1", "2026Q2", "2026Q3"], 4),
        (["2025年4季度", "2026年1季度"], 4),
        (["2025年第四季度", "2026年第一季度"], 4),
        (["2026-01", "2026-02"], 12),
        (["2026年9月", "2026年10月"], 12),
        (["2025H2", "2026H1"], 2),
        (["2025年上半年", "2025年下半年"], 2),
        (["2024", "2025"], 1),
        (["2024年"], 1),
        (["2025Q2", "2025Q4"], 4),
        (["2025Q2", "2025Q4", "2026Q2"], 2),
        (["wave 1", "wave 2"], None),
        (["2025", "2026Q1"], None),
        (["2026-13", "2026-14"], None),
        ([], None),
    ],
)
def test_the_names_of_waves_tell_how_many_a_year_has(names, many):
    assert per_year(names) == many


def test_a_survey_in_every_second_quarter_may_say_two_a_year_and_four():
    assert not contradicts(["2025Q2", "2025Q4"], 2)
    assert not contradicts(["2025Q2", "2025Q4"], 4)
    assert contradicts(["2025Q2", "2025Q4"], 3)
    assert contradicts(["2025Q2", "2025Q3", "2026Q1"], 2)


def test_a_study_whose_waves_contradict_per_year_is_refused_at_its_line(write_study):
    with pytest.raises(Problems) as error:
        read_study(write_study(("base: 2024Q1", "base: 2024Q1, per_year: 2")))
    (found,) = error.value.problems
    assert (found.code, found.where) == ("E-WAVE", "study.yaml:9")
    assert "per_year: 4" in found.remedy.en
    assert "per_year: 4" in found.remedy.zh


def test_without_per_year_the_names_decide(write_study):
    assert read_study(write_study()).settings.waves_per_year == 4
    months = (("[2024Q1, 2024Q2], base: 2024Q1", "[2024-01, 2024-02], base: 2024-01"),)
    assert read_study(write_study(*months)).settings.waves_per_year == 12
    years = (("[2024Q1, 2024Q2], base: 2024Q1", "[2023, 2024], base: 2023"),)
    assert read_study(write_study(*years)).settings.waves_per_year == 1
