"""The trend says which changes the wave could have found, by t and with power, in both languages."""

import numpy as np
import polars as pl
import pytest
from scipy import stats

from csi.reporting.detectable import detectable
from csi.reporting.tables import printed

ERRORS = np.array([1.2, 1.4])


@pytest.mark.parametrize("level", [0.95, 0.90])
def test_both_versions_are_named(level):
    z = stats.norm.ppf((1 + level) / 2)
    factors = {"smallest_significant": z, "minimal_detectable": z + stats.norm.ppf(0.8)}
    frame = pl.DataFrame({name: factor * ERRORS for name, factor in factors.items()})
    simple, powered = detectable({"previous": frame, "year": frame.clear()}, level)
    for said, factor in ((simple, z), (powered, factors["minimal_detectable"])):
        ends = "–".join(printed(v, "score") for v in factor * ERRORS)
        assert said.en.endswith(f"vs previous {ends}.")
        assert said.zh.endswith(f"较上期 {ends}。")
    assert "t: significant" in simple.en
    assert "80% power" in powered.en
    assert "功效 80%" in powered.zh


def test_nothing_is_said_without_changes():
    frame = pl.DataFrame({"smallest_significant": [None], "minimal_detectable": [None]}, schema_overrides=dict.fromkeys(
        ("smallest_significant", "minimal_detectable"), pl.Float64))  # fmt: skip
    assert detectable({"previous": frame}, 0.95) == ()
