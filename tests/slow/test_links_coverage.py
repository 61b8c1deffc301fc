"""The committed tables of changes through links meet their gates; the slow test makes some of them again."""

from __future__ import annotations

from types import ModuleType

import calibration as cal
import numpy as np
import pytest

STUDY = "links_coverage.py"


def test_the_committed_tables_meet_the_gates(study: ModuleType) -> None:
    cal.check_committed("links", study)


def test_counting_a_parallel_run_as_independent_would_miss() -> None:
    table = cal.read("links_coverage").filter(kind="as if independent")
    assert (table["se_ratio"] > cal.RATIO[1]).all()
    assert (table["coverage"] > cal.COVERAGE[1]).all()


@pytest.mark.slow
def test_the_study_again(study: ModuleType) -> None:
    runs = cal.over(study.parallel, study.PANELS).reshape(study.PANELS, 4, 4)
    saved = cal.read("links_coverage").filter(study="parallel run")
    inside = (runs[:, :, 2] <= 0) & (runs[:, :, 3] >= 0)
    np.testing.assert_allclose(inside.mean(axis=0), saved["coverage"].to_numpy(), atol=1e-3)
