"""Krippendorff's alpha: his published example, hand cases."""

from __future__ import annotations

import numpy as np
import pytest

from csi.measures.consistency.krippendorff import krippendorff

NAN = np.nan
PUBLISHED = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
)
"""Krippendorff (2011), Computing Krippendorff's alpha-reliability, section D: four observers, twelve units."""


@pytest.mark.parametrize(("level", "printed"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_the_published_example(level, printed):
    assert krippendorff(PUBLISHED, level) == pytest.approx(printed, abs=5e-4)


def test_two_observers_and_binary_values_as_published():
    """Section A of the same paper: ten units, alpha = .095."""
    values = np.array([[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]], dtype=float)
    assert krippendorff(values) == pytest.approx(0.095, abs=5e-4)


def test_agreement_that_is_whole_and_none():
    assert krippendorff(np.array([[1.0, 2, 3], [1.0, 2, 3]])) == 1.0
    assert np.isnan(krippendorff(np.ones((2, 4))))
    assert np.isnan(krippendorff(np.full((2, 4), np.nan)))
    assert krippendorff(np.array([[1.0, 2], [2.0, 1]])) < 0


def test_a_unit_with_one_coder_does_not_count():
    more = np.column_stack([PUBLISHED, [9, NAN, NAN, NAN]])
    assert krippendorff(more) == pytest.approx(krippendorff(PUBLISHED))
