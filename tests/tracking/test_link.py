"""Links between two forms, and changes across the breaks they bridge."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from csi.display import text
from csi.errors import Problems, Text
from csi.estimate.fit import fit
from csi.inference.bootstrap import bootstrap
from csi.pls.estimator import PLS
from csi.tracking.breaks import Break, bridged
from csi.tracking.changes import changes
from csi.tracking.contrasts import joint_covariance
from csi.tracking.decompose import decompose
from csi.tracking.index import index
from csi.tracking.link import GRID, link
from csi.tracking.linked_series import linked_series
from csi.tracking.smooth import control, smooth
from csi.tracking.track import track

CELLS = ["brand", "wave"]


def pairs(n=400, rho=0.8, seed=3):
    rng = np.random.default_rng(seed)
    both = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], size=n)
    return np.clip(60 + 12 * both[:, 0], 0, 100), np.clip(66 + 9 * both[:, 1], 0, 100)


@pytest.fixture(scope="module")
def linear():
    return link(*pairs())


@pytest.fixture(scope="module")
def made(model, survey):
    return index(fit(model, survey(), PLS(), by=CELLS, scale=(1, 10), unit="id"))


def test_mean_and_linear_links_by_hand():
    x, y = pairs()
    np.testing.assert_allclose(link(x, y, "mean").mapped, GRID + y.mean() - x.mean(), atol=1e-12)
    slope = y.std() / x.std()
    np.testing.assert_allclose(link(x, y).mapped, y.mean() + slope * (GRID - x.mean()), atol=1e-12)
    error = np.std(y - x, ddof=1) / np.sqrt(x.size)
    np.testing.assert_allclose(np.sqrt(np.diag(link(x, y, "mean").covariance)), error, rtol=1e-12)


def test_the_error_of_a_linear_link_is_kolen_and_brennan_s():
    # single group, normal scores: var e(x) = s_y^2 (1 - rho) (2 + (1 + rho) z^2) / n
    n, rho = 40000, 0.8
    x, y = pairs(n, rho)
    got = np.diag(link(x, y).covariance)[[36, 60, 84]]
    z = np.array([-2.0, 0.0, 2.0])
    np.testing.assert_allclose(got, 81 * (1 - rho) * (2 + (1 + rho) * z**2) / n, rtol=0.05)


def test_an_equipercentile_link_follows_a_monotone_transform():
    x = np.repeat(np.arange(5, 96, 5.0), 40)
    y = 100 * (x / 100) ** 2
    made = link(x, y, "equipercentile")
    np.testing.assert_allclose(made.of(np.arange(5, 96, 5.0)), 100 * (np.arange(5, 96, 5.0) / 100) ** 2, atol=1e-9)
    assert made.of(np.array([0.0, 100.0])).tolist() == [0.0, 100.0]


def test_equipercentile_and_linear_agree_where_both_hold():
    x, y = pairs(3000)
    one, two = link(x, y, "equipercentile"), link(x, y)
    middle = slice(40, 81)
    np.testing.assert_allclose(one.mapped[middle], two.mapped[middle], atol=1.0)
    errors = [np.sqrt(np.diag(m.covariance))[60] for m in (one, two)]
    assert 0.7 < errors[0] / errors[1] < 2.0  # fewer assumptions, larger errors
    np.testing.assert_array_equal(one.covariance, link(x, y, "equipercentile").covariance)


def test_weights_and_absent_scores():
    x, y = pairs()
    doubled = link(np.concatenate([x, x[:50], [np.nan]]), np.concatenate([y, y[:50], [1.0]]), "linear")
    weighted = link(x, y, weight=np.where(np.arange(x.size) < 50, 2.0, 1.0))
    np.testing.assert_allclose(doubled.mapped, weighted.mapped, atol=1e-12)


@pytest.mark.parametrize("method", ["mean", "linear"])
def test_clusters_and_strata_of_an_overlap_sample(method):
    """Everybody twice in a cluster of two is everybody once; strata by their own totals around their own means."""
    x, y = pairs()
    twice = link(np.tile(x, 2), np.tile(y, 2), method, cluster=[*range(x.size)] * 2)
    np.testing.assert_allclose(twice.covariance, link(x, y, method).covariance, rtol=1e-9, atol=1e-15)
    town, street = [*np.repeat(["a", "b"], 200)], [*np.repeat(np.arange(100), 2), *np.repeat(np.arange(100), 2)]
    found = link(x, y, method, cluster=street, stratum=town)
    apart = (y - x) - (y - x).mean()
    total = apart.reshape(2, 100, 2).sum(axis=2) / x.size  # 100 streets in each town
    if method == "mean":
        expected = 100 / 99 * ((total - total.mean(axis=1, keepdims=True)) ** 2).sum()
        np.testing.assert_allclose(found.covariance, expected, rtol=1e-9)


def test_resamples_of_clusters():
    x, y = pairs(600)
    names = [*np.repeat(np.arange(300), 2)]
    plain, whole = (link(x, y, "equipercentile", cluster=c) for c in (None, names))
    np.testing.assert_array_equal(plain.mapped, whole.mapped)
    each = link(np.repeat(x, 2), np.repeat(y, 2), "equipercentile", cluster=[*np.repeat(np.arange(600), 2)])
    assert each.covariance[60, 60] == pytest.approx(plain.covariance[60, 60], rel=0.25)
    alone = link(np.repeat(x, 2), np.repeat(y, 2), "equipercentile")
    assert each.covariance[60, 60] > 1.5 * alone.covariance[60, 60]


@pytest.mark.parametrize(
    ("design", "en"),
    [
        ({"cluster": [1, 2]}, "2 clusters for 400 respondents"),
        ({"stratum": [1]}, "1 strata for 400"),
        ({"cluster": ["a"] * 400}, "of one cluster"),
    ],
)
def test_designs_that_cannot_be(design, en):
    with pytest.raises(Problems, match=en):
        link(*pairs(), **design)


def test_scales_of_five_and_ten_points():
    rng = np.random.default_rng(4)
    five, ten = rng.integers(1, 6, 100), rng.integers(1, 11, 100)
    made = link(five, ten, "mean", scales=((1, 5), (1, 10)))
    expected = 100 * (ten.mean() - 1) / 9 - 100 * (five.mean() - 1) / 4
    assert made.mapped[0] == pytest.approx(expected)


def test_a_stated_link_is_flagged():
    made = link(method="stated")
    np.testing.assert_array_equal(made.mapped, GRID)
    assert made.covariance.max() == 0
    assert [n.code for n in made.notes] == ["W-LINK-STATED"]


@pytest.mark.parametrize(
    ("arguments", "code", "en", "zh"),
    [
        ({"method": "spline"}, "E-SETTING", "spline", "spline"),
        ({}, "E-LINK", "needs the scores", "需要同时回答"),
        ({"old": [1.0] * 40, "new": [2.0] * 30}, "E-LINK", "do not pair", "无法配对"),
        ({"old": np.arange(20.0), "new": np.arange(20.0)}, "E-LINK", "asks for 30", "至少需要 30"),
        (
            {"old": np.arange(400.0) / 4, "new": np.arange(400.0) / 4, "method": "equipercentile"},
            "E-LINK",
            "asks for 500",
            "至少需要 500",
        ),
        ({"old": np.arange(60.0), "new": np.arange(60.0) * 3}, "E-LINK", "beyond their scale", "超出其量表"),
        ({"old": np.ones(60), "new": np.arange(60.0)}, "E-LINK", "no spread", "没有变异"),
    ],
)
def test_bad_links(arguments, code, en, zh):
    with pytest.raises(Problems) as said:
        link(**arguments)
    assert said.value.problems[0].code == code
    assert en in said.value.problems[0].say("en")
    assert zh in said.value.problems[0].say("zh")


def test_no_change_is_printed_across_a_break(made):
    table = changes(made, "Use", breaks=[Break("w2", "scale")])
    rows = table.table.filter(wave="w2")
    assert rows["change"].null_count() == 2
    assert rows["reason"][0] == "the answer scale changed in w2, and no link is given."
    assert rows["reason_zh"][0] == "w2 期答题量表改变，且未给出衔接。"
    assert table.table.filter(wave="w3")["change"].null_count() == 0
    assert "N-BREAK" in [n.code for n in table.notes]


def test_a_linked_change_is_in_points_of_the_new_form(made, linear):
    plain = changes(made, "Use").table.filter(wave="w2")
    table = changes(made, "Use", breaks=[Break("w2", "scale", link=linear)]).table
    row, j = table.filter(wave="w2"), made.constructs.index("Use")
    for b, brand in enumerate(("A", "B")):
        old, new = made.values[3 * b, j], made.values[3 * b + 1, j]
        got = row.filter(brand=brand)
        assert got["change"][0] == pytest.approx(new - linear.of(np.array([old]))[0], abs=1e-9)
        assert got["link"][0] == "linear"
        slope = linear.mapped[1] - linear.mapped[0]
        V = joint_covariance(made, j, np.array([3 * b, 3 * b + 1]))
        error = np.interp(old, GRID, np.diag(linear.covariance))
        # the covariance of a linear link is quadratic between the grid's points: compare at the mean's own place
        at = np.array([1, old - 60.0])
        lines = np.array([[1, g - 60.0] for g in (50.0, 70.0)])
        corner = np.linalg.inv(lines) @ linear.covariance[np.ix_([50, 70], [50, 70])] @ np.linalg.inv(lines).T
        assert error == pytest.approx(at @ corner @ at, rel=1e-2)
        expected = np.sqrt(slope**2 * V[0, 0] + V[1, 1] - 2 * slope * V[0, 1] + at @ corner @ at)
        assert got["std_error"][0] == pytest.approx(expected, rel=1e-6)
    assert (row["std_error"] > plain["std_error"] * 0.7).all()
    assert table.filter(wave="w3")["link"].null_count() == 2


def test_the_series_of_a_trend_is_carried_as_its_changes_are(made, linear):
    """Both waves before a linked break; nothing before a wall; the line ends where the new form begins."""
    order, j = ["w1", "w2", "w3"], made.constructs.index("Use")
    found = linked_series(made, j, [Break("w3", link=linear)], order).filter(brand="A")
    assert found.select("wave", "carried").rows() == [("w1", True), ("w2", True), ("w3", False)]
    moved = changes(made, "Use", breaks=[Break("w3", link=linear)]).table.filter(brand="A", wave="w3")
    assert found["index"][2] - found["index"][1] == pytest.approx(moved["change"][0], abs=1e-9)
    assert found["index"][2] == pytest.approx(made.values[2, j])
    plain = np.sqrt(joint_covariance(made, j, np.array([1]))[0, 0])
    slope = linear.mapped[1] - linear.mapped[0]
    assert found["std_error"][1] > slope * plain  # the link's own error is in it
    walled = linked_series(made, j, [Break("w2"), Break("w3", link=linear)], order).filter(brand="A")
    assert walled["wave"].to_list() == ["w2", "w3"]
    assert linked_series(made, j, [Break("w2")], order).height == 0


def test_the_link_s_error_cancels_within_the_old_form(made, linear):
    table = changes(
        made,
        "Use",
        breaks=[
            Break(
                "w3",
                "mode",
                link=replace(linear, mapped=GRID + 5.0, covariance=link(*pairs(), method="mean").covariance),
            )
        ],
    ).table
    plain = changes(made, "Use").table
    one, two = (t.filter(wave="w2")["std_error"].to_numpy() for t in (table, plain))
    np.testing.assert_allclose(one, two, rtol=1e-9)
    across = [t.filter(wave="w3")["std_error"].to_numpy() for t in (table, plain)]
    shift = link(*pairs(), method="mean").covariance[0, 0]
    np.testing.assert_allclose(across[0] ** 2, across[1] ** 2 + shift, rtol=1e-9)


def test_links_follow_each_other(made, linear):
    twice = [Break("w3", "mode", link=linear), Break("w2", "scale", link=linear)]
    j = made.constructs.index("Use")
    got = bridged(made, j, twice, ("w1", "w2", "w3")).values[:, j]
    expected = made.values[:, j].copy()
    expected[[0, 3]] = linear.of(linear.of(expected[[0, 3]]))
    expected[[1, 4]] = linear.of(expected[[1, 4]])
    np.testing.assert_allclose(got, expected, atol=1e-9)
    table = changes(made, "Use", against=["year"], per_year=2, breaks=twice).table
    assert table["link"].to_list() == ["linear + linear"] * 2


def test_an_unlinked_break_behind_a_linked_one_is_a_wall(made, linear):
    table = changes(made, "Use", ["previous", "year"], per_year=2, breaks=[Break("w2"), Break("w3", link=linear)]).table
    assert table.filter(against="previous", wave="w2")["change"].null_count() == 2
    assert table.filter(against="previous", wave="w3")["change"].null_count() == 0
    assert table.filter(against="year")["change"].null_count() == 2


def test_replicates_are_linked_too(model, survey, linear):
    est = bootstrap(fit(model, survey(), PLS(), by=CELLS, scale=(1, 10), unit="id"), n=400, seed=2)
    fixed = (
        changes(
            index(fit(model, survey(), PLS(), by=CELLS, scale=(1, 10), unit="id")),
            "Use",
            breaks=[Break("w2", link=linear)],
        )
        .table["std_error"]
        .to_numpy()
    )
    drawn = changes(index(est), "Use", breaks=[Break("w2", link=linear)]).table["std_error"].to_numpy()
    np.testing.assert_allclose(drawn, fixed, rtol=0.2)


def test_a_link_of_one_construct_leaves_the_others_apart(made, linear):
    table = changes(made, ["Use", "Joy"], breaks=[Break("w2", link={"Use": linear})]).table.filter(wave="w2")
    assert table.filter(construct="Use")["change"].null_count() == 0
    assert table.filter(construct="Joy")["change"].null_count() == 2


@pytest.mark.parametrize(
    ("wave", "en", "zh"), [("w9", "which is no wave", "不在各期之中"), ("w1", "the first wave", "为首期")]
)
def test_breaks_at_waves_that_cannot_be(made, wave, en, zh):
    for call in (changes, decompose):
        with pytest.raises(Problems) as said:
            call(made, construct="Use", breaks=[Break(wave)])
        assert said.value.problems[0].code == "E-BREAK"
        assert en in said.value.problems[0].say("en")
        assert zh in said.value.problems[0].say("zh")


def test_nothing_is_split_across_a_break(made, linear):
    found = decompose(
        made, construct="Use", breaks=[Break("w2", "questionnaire", Text("new wording", "新措辞"), linear)]
    )
    row = found.table.filter(brand="A", wave="w2")
    assert "not comparable across it" in row["reason"][0]
    assert "新措辞" in row["reason_zh"][0]
    assert found.table.filter(brand="A", wave="w3", part="total")["change"].null_count() == 0


def test_a_decomposition_tells_the_change_through_a_link(made, linear):
    breaks = [Break("w2", "scale", link=linear)]
    row = decompose(made, construct="Use", breaks=breaks).table.filter(brand="A", wave="w2")
    linked = changes(made, "Use", ["previous"], breaks=breaks).table.filter(brand="A", wave="w2")
    assert row["part"].to_list() == ["total"]
    for name in ("change", "std_error", "p_value", "conf_low", "conf_high"):
        assert row[name][0] == pytest.approx(linked[name][0], rel=1e-9)
    said = decompose(made, construct="Use", breaks=breaks).sentences[0]
    assert "through the link; not split, the answer scale changed in w2" in said.en
    assert "经衔接" in said.zh
    assert decompose(made, construct="Use", breaks=[Break("w2")]).table["change"][0] is None


def test_waves_of_one_form_are_compared_in_its_own_points(made, linear):
    j = made.constructs.index("Use")
    row = changes(made, "Use", ["previous"], breaks=[Break("w3", link=linear)]).table.filter(brand="A", wave="w2")
    assert row["change"][0] == pytest.approx(made.values[1, j] - made.values[0, j], abs=1e-12)
    assert row["link"][0] is None


@pytest.mark.parametrize("view", [smooth, control])
def test_views_say_that_earlier_waves_are_in_points_of_the_new_form(made, linear, view):
    told = {n.code: n.text for n in view(made, "Use", breaks=[Break("w2", link=linear)]).notes}
    assert "Indices before w2 stand here in points of the form of w2" in told["N-VIEW-LINKED"].en
    assert "w2 期之前的指数已按衔接换算" in told["N-VIEW-LINKED"].zh
    assert "N-VIEW-LINKED" not in [n.code for n in view(made, "Use", breaks=[Break("w2")]).notes]


def test_a_chart_without_limits_says_why(made):
    told = {n.code: n.text for n in control(made, "Use").notes}
    assert "fewer than 4 waves" in told["N-CONTROL-FEW"].en
    assert "A / w1-w3, B / w1-w3" in told["N-CONTROL-FEW"].en
    assert "A / w1-w3、B / w1-w3" in told["N-CONTROL-FEW"].zh


def test_the_tracking_table_knows_breaks(made):
    table = track(made, "Use", breaks=[Break("w2")], small=2).table
    assert table.filter(pl.col("wave") == "w2")["change_previous"].null_count() == 2


def test_a_single_wave_and_a_new_brand_are_noted(model, survey):
    one = changes(index(fit(model, survey(waves=("w1",)), PLS(), by=CELLS, scale=(1, 10))), "Use")
    assert one.table.is_empty()
    assert "只有一期" in next(n for n in one.notes if n.code == "N-ONE-WAVE").say("zh")
    late = survey().filter(~((pl.col("brand") == "B") & (pl.col("wave") == "w1")))
    told = changes(index(fit(model, late, PLS(), by=CELLS, scale=(1, 10))), "Use").notes
    assert "B (w2)" in next(n for n in told if n.code == "N-NEW-CELL").say("en")


def test_it_prints_in_both_languages(linear):
    assert "linear linking, 400 respondents answered both" in text(linear, "en")
    assert "线性衔接" in text(linear, "zh")


def test_an_index_outside_the_scores_of_its_link_is_not_carried(made):
    old, new = pairs()
    few = link(old / 25, new / 25)  # scores of 1 to 5 read as points of 0 to 100
    assert few.reach == (old.min() / 25, old.max() / 25)
    with pytest.raises(Problems) as caught:
        changes(made, "Use", breaks=[Break("w2", "scale", link=few)])
    (found,) = caught.value.problems
    assert found.code == "E-LINK"
    assert f"scored {few.reach[0]:.1f} to {few.reach[1]:.1f} (0-100)" in found.what.en
    assert "scales:" in found.remedy.zh


def test_where_nobody_behind_a_link_is_known_the_note_says_when_names_are_looked_for(made, linear):
    notes = changes(made, "Use", breaks=[Break("w2", "scale", link=linear)]).notes
    (told,) = (n for n in notes if n.code == "N-LINK-APART")
    assert "respondents: same" in told.say("en")
    assert "respondents: same" in told.say("zh")
