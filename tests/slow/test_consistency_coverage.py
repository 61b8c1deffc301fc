"""The committed tables of reliability and agreement meet their gates; the slow test makes them again."""

from __future__ import annotations

from types import ModuleType

import calibration as cal
import pytest

STUDY = "consistency_coverage.py"


def test_the_committed_tables_meet_the_gates(study: ModuleType) -> None:
    cal.check_committed("consistency", study, study.PANELS)


@pytest.mark.slow
def test_the_study_again(made_again: str) -> None:
    assert "Every gate is met" in made_again
