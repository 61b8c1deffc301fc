"""The committed tables of discriminant, criterion and known-groups validity hold; the slow test makes some again."""

from __future__ import annotations

from types import ModuleType

import calibration as cal
import numpy as np
import polars as pl
import pytest

STUDY = "separation_coverage.py"


def test_the_committed_tables_hold(study: ModuleType) -> None:
    covered, nulls = cal.read("separation_coverage"), cal.read("separation_nulls")
    assert covered["panels"].unique().to_list() == nulls["panels"].unique().to_list() == [study.PANELS]
    assert study.failures(covered, nulls) == []
    assert len(study.failures(covered.with_columns(coverage=pl.lit(0.9)), nulls)) == covered.height
    assert len(study.failures(covered, nulls.with_columns(at_5=pl.lit(0.1)))) == nulls.height
    assert study.page(covered, nulls) == (cal.HERE / "separation_coverage.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_study_again(study: ModuleType) -> None:
    one = next(s for s in study.studies() if s.name == "groups alike")
    runs = cal.over(one.one, study.PANELS)[:, 0]
    saved = cal.read("separation_coverage").filter(study="groups alike")["coverage"].item()
    assert ((runs[:, 2] <= 0.5) & (runs[:, 3] >= 0.5)).mean() == pytest.approx(saved, abs=1e-6)
    assert np.isfinite(runs).all()
