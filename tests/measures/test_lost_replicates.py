"""Heavy loss of replicates is a warning, in the notes of a bootstrap and in the diagnosis; a light one is a note."""

import warnings

import numpy as np
import polars as pl
import pytest

import csi

WEAK = "f =~ y1 + y2 + y3\ng =~ y4 + y5\ng ~ f"


def two_factors(loading, r, n, seed):
    """Two constructs of three and two items with equal loadings."""
    rng = np.random.default_rng(seed)
    F = rng.multivariate_normal([0, 0], [[1, r], [r, 1]], n)
    noise = np.sqrt(1 - loading**2) * rng.normal(size=(n, 5))
    return pl.DataFrame(F[:, [0, 0, 0, 1, 1]] * loading + noise, schema=[f"y{i}" for i in range(1, 6)])


@pytest.fixture(scope="module")
def weak():
    est = csi.fit(csi.Model.parse(WEAK), two_factors(0.45, 0.3, 120, 5), csi.SEM())
    return csi.bootstrap(est, n=100, seed=1)


def test_a_heavy_loss_is_a_warning_with_its_share(weak):
    share = 1 - weak.replicates.usable.mean()
    assert share > 0.05
    told = next(n for n in weak.notes if n.code == "W-REPLICATES")
    assert f"{100 * share:.0f} % of the replicates have no solution" in told.say("en")
    assert "csi.verify" in told.say("en")
    assert f"{100 * share:.0f}% 的重抽样无解" in told.say("zh")
    codes = [n.code for n in weak.notes]
    assert codes.index("W-REPLICATES") < codes.index("N-REPLICATES")


def test_the_diagnosis_reports_lost_and_improper_replicates(weak):
    found = {f.code: f for f in csi.verify(weak, refit=False).findings}
    solved, kept = weak.replicates.usable[:, 0], weak.replicates.admissible[:, 0]
    assert found["W-REPLICATES"].severity == "warning"
    assert found["W-REPLICATES"].what.en.startswith(f"{(~solved).sum()} of 100 replicates")
    improper = int((solved & ~kept).sum())
    assert improper > 5
    assert found["W-IMPROPER"].what.en.startswith(f"{improper} of {solved.sum()} replicates with a solution")
    assert "negative variance" in found["W-IMPROPER"].what.en


def test_sound_replicates_leave_no_warning():
    est = csi.fit(csi.Model.parse(WEAK), two_factors(0.9, 0.5, 300, 1), csi.SEM())
    boot = csi.bootstrap(est, n=100, seed=1)
    assert boot.replicates.usable.all()
    assert not [n for n in boot.notes if "REPLICATES" in n.code]
    assert not {"W-REPLICATES", "N-REPLICATES", "W-IMPROPER", "N-IMPROPER"} & set(csi.verify(boot).codes)


def test_a_search_that_runs_off_leaves_no_warnings_of_the_numerics():
    est = csi.fit(csi.Model.parse(WEAK), two_factors(0.3, 0.3, 80, 2), csi.SEM())
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        boot = csi.bootstrap(est, n=100, seed=1)
    assert not boot.replicates.usable.all()
