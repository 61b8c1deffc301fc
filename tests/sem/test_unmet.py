"""What published moments lack and a model asks for: means, groups."""

import numpy as np
import pytest

import csi

NAMES = ["a", "b", "c", "d"]
COV = 0.5 * np.eye(4) + 0.5
MODEL = "f =~ a + b + c + d"


def moments(**mean: list[float]) -> csi.Moments:
    return csi.Moments.of(NAMES, COV, 200, **mean)


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        (MODEL, {"meanstructure": True}),
        (MODEL, {"growth": True}),
        (f"{MODEL}\na ~ 1", {}),
    ],
)
def test_a_mean_structure_needs_means(text, settings) -> None:
    with pytest.raises(csi.Problems) as caught:
        csi.fit(text, moments(), csi.SEM(**settings))
    (found,) = caught.value.problems
    assert found.code == "E-MEANS"
    assert "mean=[...]" in found.remedy.en
    assert "没有均值" in found.what.zh
    csi.fit(text, moments(mean=[1.0, 2.0, 3.0, 4.0]), csi.SEM(**settings))


def test_groups_without_means_compare_covariances_alone() -> None:
    both = csi.Moments.grouped({"x": moments(), "y": moments()})
    est = csi.fit(MODEL, both, csi.SEM(groups="g", equal=("loadings",)))
    assert not (est.table["op"] == "~1").any()
    assert csi.fit_measures(est)["df"] == 7
    with pytest.raises(csi.Problems, match="without means"):
        csi.fit(MODEL, both, csi.SEM(groups="g", equal=("loadings", "intercepts")))


def test_moments_of_one_group_are_not_several() -> None:
    with pytest.raises(csi.Problems) as caught:
        csi.fit(MODEL, moments(), csi.SEM(groups="school", meanstructure=True))
    assert [p.code for p in caught.value.problems] == ["E-GROUP", "E-MEANS"]
    assert 'groups="school"' in caught.value.problems[0].what.zh


def test_means_stay_known_through_items_slices_and_groups() -> None:
    assert not moments().of_items(["b", "a"]).of_slice(0).known_means
    assert moments(mean=[0.0] * 4).of_items(["b", "a"]).known_means
    assert not csi.Moments.grouped({"x": moments(), "y": moments(mean=[0.0] * 4)}).known_means
