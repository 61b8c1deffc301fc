"""Moments given as a matrix: what cannot be covariances is refused by name."""

import numpy as np
import pytest

from csi.errors import Problems
from csi.moments.stack import Moments

SOUND = [[1.0, 0.5, 0.4], [0.5, 1.0, 0.4], [0.4, 0.4, 1.0]]


def told(cov, n=200):
    with pytest.raises(Problems) as raised:
        Moments.of(["a", "b", "c"], cov, n=n)
    assert all(p.code == "E-MOMENTS" and p.what.zh != p.what.en for p in raised.value.problems)
    return [(p.where, p.what.en) for p in raised.value.problems]


def test_a_matrix_that_is_not_symmetric():
    cov = np.array(SOUND)
    cov[1, 0] = 0.1
    assert told(cov) == [("cov", "the matrix is not symmetric: a with b is 0.5, b with a is 0.1.")]


def test_a_number_of_rows_below_one_and_a_wrong_matrix_at_once():
    assert [where for where, _ in told(np.tril(SOUND), n=-3)] == ["n", "cov"]
    assert told(SOUND, n=float("nan"))[0][0] == "n"


def test_a_matrix_of_another_size():
    assert told([[1.0, 0.5], [0.5, 1.0]]) == [("cov", "the matrix is 2 x 2, of 3 items.")]


def test_rounding_is_no_asymmetry():
    cov = np.array(SOUND)
    cov[1, 0] += 1e-12
    assert Moments.of(["a", "b", "c"], cov, n=200).cov.shape == (1, 3, 3)
