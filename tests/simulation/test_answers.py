import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import multivariate_normal

from csi.simulation.answers import calibrate, covariance, cut_points, mean_and_variance


def test_covariance_equals_the_sum_over_bivariate_normal_cells():
    tau = np.array([[-1.2, -0.1, 0.4, 1.5], [-2.0, -0.7, 0.9, 1.1]])
    for rho in (-0.6, 0.3, 0.85):
        normal = multivariate_normal([0, 0], [[1, rho], [rho, 1]])
        both = sum(normal.cdf([-a, -b]) - ndtr(-a) * ndtr(-b) for a in tau[0] for b in tau[1])
        got = covariance(tau, np.array([[1, rho], [rho, 1]]))[0, 1]
        assert got == pytest.approx(both, abs=1e-6)  # the reference integrates numerically to about 1e-6


def test_covariance_of_two_halves_is_the_arcsine_law():
    for rho in (-0.9, 0.1, 0.97):
        got = covariance(np.zeros((2, 1)), np.array([[1, rho], [rho, 1]]))[0, 1]
        assert got == pytest.approx(np.arcsin(rho) / (2 * np.pi), abs=1e-11)


def test_mean_and_variance_by_hand():
    mean, variance = mean_and_variance(np.array([[0.0, np.inf], [-np.inf, 0.0]]), np.array([1.0, 1.0]))
    assert mean == pytest.approx([1.5, 2.5])
    assert variance == pytest.approx([0.25, 0.25])


def test_calibrated_answers_have_the_stated_mean_and_sd_on_any_scale():
    mean, sd = np.array([7.6, 3.9, 0.5]), np.array([1.8, 1.1, 0.5])
    skew, low, high = np.array([0.2, -0.1, 0.0]), np.array([1.0, 1.0, 0.0]), np.array([10.0, 5.0, 1.0])
    location, spread, miss = calibrate(mean, sd, skew, low, high)
    got, variance = mean_and_variance(cut_points(location, spread, skew, low, high), low)
    assert got[:2] == pytest.approx(mean[:2], abs=1e-9)
    assert np.sqrt(variance[:2]) == pytest.approx(sd[:2], abs=1e-9)
    assert miss[:2].max() < 1e-9


def test_an_impossible_shape_is_missed_by_much():
    one = np.ones(1)
    assert calibrate(9.8 * one, 3.0 * one, 0 * one, one, 10 * one)[2][0] > 0.01


def test_positive_skew_makes_the_lower_tail_long():
    one = np.ones(1)
    tau = cut_points(*calibrate(7 * one, 1.5 * one, 0.3 * one, one, 10 * one)[:2], 0.3 * one, one, 10 * one)[0]
    p = -np.diff(np.concatenate([[1.0], ndtr(-tau), [0.0]]))
    x = np.arange(1, 11)
    assert (p * (x - 7) ** 3).sum() < -0.5
