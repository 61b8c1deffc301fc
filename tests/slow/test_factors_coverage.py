"""The committed table of rotated loadings is of the study's panels; the slow test makes it again."""

from __future__ import annotations

from types import ModuleType

import calibration as cal
import pytest

STUDY = "factors_coverage.py"


def test_the_committed_table_covers(study: ModuleType) -> None:
    covered = cal.read("factors_coverage")
    assert covered["panels"].unique().to_list() == [study.PANELS]
    assert covered["coverage"].min() >= 0.9
    assert covered["coverage"].max() <= 0.97
    assert study.failures(covered) == []
    for name in ("apart", "across"):
        known = {(r["kind"], r["quantity"]): r["truth"] for r in covered.filter(study=name).iter_rows(named=True)}
        assert known == pytest.approx(study.truth(name), abs=1e-4)


@pytest.mark.slow
def test_the_study_again(made_again: str) -> None:
    assert "Every gate is met" in made_again
