"""The committed tables of drivers between cells and of shares by band meet their gates; or are made again (slow)."""

from __future__ import annotations

from types import ModuleType

import calibration as cal
import pytest

STUDY = "drivers_coverage.py"


def test_the_committed_tables_meet_the_gates(study: ModuleType) -> None:
    cal.check_committed("drivers", study, study.PANELS)


@pytest.mark.slow
def test_the_study_again(made_again: str) -> None:
    assert "Every gate is met" in made_again
