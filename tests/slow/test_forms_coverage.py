"""The committed tables of gaps, zones, promises and surfaces meet their gates; the slow test makes them again."""

from __future__ import annotations

from types import ModuleType

import calibration as cal
import pytest

STUDY = "forms_coverage.py"


def test_the_committed_tables_meet_the_gates(study: ModuleType) -> None:
    cal.check_committed("forms", study)
    assert set(cal.read("forms_coverage")["kind"]) == {"gap", "zone", "share", "net", "surface"}


def test_the_planted_surface_is_what_the_features_say(study: ModuleType) -> None:
    found = cal.read("forms_coverage").filter(study="rows", kind="surface")
    assert found["truth"].to_list() == pytest.approx(study.planted(), abs=1e-6)
    assert found["bias"].abs().max() < 0.02


@pytest.mark.slow
def test_the_study_again(made_again: str) -> None:
    assert "Every gate is met" in made_again
