"""Links by common items: against lavaan, by hand, between waves, and what is refused."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import sparse

from csi.display import text
from csi.errors import Problems
from csi.estimate.fit import fit
from csi.inference.bootstrap import bootstrap
from csi.models.model import Model
from csi.pls.estimator import PLS
from csi.sem.estimator import SEM
from csi.sem.fitted import fitted
from csi.sem.row_influence import row_influence
from csi.tracking.breaks import Break, bridged
from csi.tracking.changes import changes
from csi.tracking.contrasts import joint_covariance
from csi.tracking.gate import comparable
from csi.tracking.index import index
from csi.tracking.link import link
from csi.tracking.link_shared import units_of
from csi.tracking.link_waves import item_link

from . import link_population as population

REFERENCE = Path(__file__).parents[1] / "reference" / "links"
TEN = ((1, 10), (1, 10))
MODEL = Model.parse("Joy =~ a + b + c + d\nUse =~ e\nJoy ~ Use")


def linked(anchors=("a", "b", "c"), *, absent=0.0, **changed):
    old, new = population.drawn(absent=absent)
    return link(old, new.with_columns(**changed), "items", anchors=anchors, scales=TEN)


def waves(n=400, shift=0.0, seed=5, overlap=0, forms=(0, 1, 1), **more):
    """Rows of several waves by their forms; the first `overlap` respondents of each wave are the same people."""
    rng, rows = np.random.default_rng(seed), []
    people = rng.normal(size=(overlap, 1))
    for t, which in enumerate(forms):
        factor = np.concatenate([people, rng.normal(size=(n - overlap, 1))]) + shift * t
        noise = population.RESIDUAL * rng.normal(size=(n, 4))
        answers = population.INTERCEPT[which] + population.LOADING[which] * factor + noise
        names = [f"p{i}" if i < overlap else f"w{t}r{i}" for i in range(n)]
        made = pl.DataFrame(np.clip(np.round(answers), 1, 10), schema=list(population.ITEMS))
        rows.append(made.with_columns(wave=pl.lit(f"w{t + 1}"), id=pl.Series(names), e=made["a"]))
    return pl.concat(rows).with_columns(**more)


def indexed(frame, **settings):
    return index(fit(MODEL, frame, PLS(), by=["wave"], scale=(1, 10), unit="id"), **settings)


@pytest.fixture(scope="module")
def made():
    return indexed(waves())


@pytest.mark.parametrize(("name", "absent"), [("complete", 0.0), ("absent", 0.08)])
def test_the_line_its_error_and_its_test_are_lavaan_s(name, absent, tmp_path):
    population.written(tmp_path / "rows.csv", absent=absent)
    told = json.loads((REFERENCE / "provenance.json").read_text(encoding="utf-8"))["data_sha256"]
    assert hashlib.sha256((tmp_path / "rows.csv").read_bytes()).hexdigest() == told[f"{name}.csv"]
    expected = json.loads((REFERENCE / "lavaan.json").read_text(encoding="utf-8"))[name]
    found = linked(absent=absent)
    errors = np.sqrt(np.diag(found.covariance))
    for point in (0, 50, 100):
        value, error = expected[f"at{point}"]
        assert abs(found.mapped[point] - value) < 1e-4 * error
        assert errors[point] == pytest.approx(error, rel=1e-5)
    assert found.mapped[1] - found.mapped[0] == pytest.approx(expected["slope"][0], rel=1e-5)
    p = min(1.0, 2 * min(expected["metric"], expected["scalar"]))
    assert found.p_value == pytest.approx(p, abs=1e-6)
    assert f"p = {p:.3f}".replace("0.", ".") in found.sentence.en


def test_rows_influence_parameters_as_the_sandwich_says():
    old, new = population.drawn(absent=0.08)
    rows = pl.concat([old.with_columns(form=pl.lit("o")), new.with_columns(form=pl.lit("n"))]).fill_nan(None)
    est = fit("f =~ a + b + c + d", rows, SEM(groups="form", estimator="MLR", missing="fiml"))
    parts = row_influence(est)
    assert [len(p) for p in parts] == [int(g.n[0]) for g in fitted(est).groups]
    total = sum(p.T @ p for p in parts)
    np.testing.assert_allclose(total, fitted(est).vcov[0], rtol=1e-8, atol=1e-14)


def test_items_of_other_names_are_each_form_s_own():
    old, new = population.drawn()
    renamed = link(old, new.rename({"d": "other"}), "items", scales=TEN)
    np.testing.assert_allclose(renamed.mapped, linked().mapped, atol=1e-12)


def test_the_truth_is_recovered():
    rng = np.random.default_rng(11)
    old, new = (
        pl.DataFrame(population.form(rng, 40000, g, m), schema=list(population.ITEMS)) for g, m in ((0, 0.0), (1, 0.4))
    )
    found = link(old, new, "items", anchors=["a", "b", "c"], scales=TEN)
    points = 100 / 9 / 4
    at = points * (population.INTERCEPT - 1).sum(axis=1)
    slope = points * population.LOADING.sum(axis=1)
    truth = at[1] + slope[1] / slope[0] * (np.array([0.0, 100.0]) - at[0])
    errors = np.sqrt(np.diag(found.covariance))[[0, 100]]
    assert (np.abs(found.mapped[[0, 100]] - truth) < 3.5 * errors).all()
    assert errors.max() < 0.2


def test_between_waves_with_equal_weights_it_is_the_link_of_the_rows(made):
    frame = waves()
    given = {"Joy": dict.fromkeys("abcd", 0.25), "Use": {"e": 1.0}}
    equal = indexed(frame, weights="given", given=given)
    found = item_link(equal, "w2", "Joy", anchors=["a", "b", "c"])
    columns = list(population.ITEMS)
    parts = [frame.filter(wave=w).select(columns) for w in ("w1", "w2")]
    rows = link(*parts, "items", anchors=["a", "b", "c"], scales=TEN)
    np.testing.assert_allclose(found.mapped, rows.mapped, atol=1e-9)
    np.testing.assert_allclose(np.diag(found.covariance), np.diag(rows.covariance), rtol=0.01)
    same = item_link(equal, "w2", "Joy", changed=["d"])
    np.testing.assert_array_equal(same.mapped, found.mapped)


def test_a_linked_change_is_of_the_factor_alone(made):
    found = item_link(made, "w2", "Joy", changed=["d"])
    table = changes(made, "Joy", breaks=[Break("w2", link={"Joy": found})])
    row = table.table.filter(wave="w2").row(0, named=True)
    raw = changes(made, "Joy").table.filter(wave="w2")["change"][0]
    assert raw < -3  # the new wording of d alone
    assert abs(row["change"]) < 3.5 * row["std_error"]
    assert row["link"] == "items"
    assert {"N-BREAK-LINKED", "N-LINK-SHARED"} <= {n.code for n in table.notes}
    later = table.table.filter(wave="w3").row(0, named=True)
    assert later["link"] is None


@pytest.mark.slow
def test_the_error_of_a_linked_change_is_that_of_refitting_everything():
    est = fit(MODEL, waves(), PLS(), by=["wave"], scale=(1, 10), unit="id")
    found = index(est)
    one = [Break("w2", link={"Joy": item_link(found, "w2", "Joy", changed=["d"])})]
    told = changes(found, "Joy", breaks=one).table.filter(wave="w2")["std_error"][0]
    rng, frame, drawn = np.random.default_rng(3), waves(), []
    for _ in range(40):
        drawing = [
            part.sample(part.height, with_replacement=True, seed=int(rng.integers(1 << 30)))
            for part in frame.partition_by("wave", maintain_order=True)
        ]
        rows = pl.concat(drawing)
        again = index(fit(MODEL, rows.drop("id"), PLS(), by=["wave"], scale=(1, 10)))
        made = item_link(again, "w2", "Joy", changed=["d"], alpha=1e-9)
        moved = changes(again, "Joy", breaks=[Break("w2", link={"Joy": made})]).table.filter(wave="w2")["change"][0]
        drawn.append(moved)
    assert told == pytest.approx(np.std(drawn, ddof=1), rel=0.25)
    without = [replace(one[0], link={"Joy": replace(one[0].link["Joy"], behind=None)})]
    apart = changes(found, "Joy", breaks=without).table.filter(wave="w2")["std_error"][0]
    assert apart > told  # counted as independent of the waves it comes from


def test_replicates_and_influence_agree_across_a_link():
    est = fit(MODEL, waves(), PLS(), by=["wave"], scale=(1, 10), unit="id")
    one, two = index(est), index(bootstrap(est, n=600, seed=3))
    breaks = [Break("w2", link={"Joy": item_link(one, "w2", "Joy", changed=["d"])})]
    errors = [changes(x, "Joy", breaks=breaks).table["std_error"].to_numpy() for x in (one, two)]
    np.testing.assert_allclose(errors[0], errors[1], rtol=0.12)


def test_two_breaks_each_with_common_items():
    frame = waves(forms=(0, 1, 0))
    made = indexed(frame)
    breaks = [Break(w, link={"Joy": item_link(made, w, "Joy", changed=["d"])}) for w in ("w2", "w3")]
    table = changes(made, "Joy", ["previous", "year"], per_year=2, breaks=breaks).table
    across = table.filter(against="year").row(0, named=True)
    assert across["link"] == "items + items"
    assert abs(across["change"]) < 3.5 * across["std_error"]
    V = joint_covariance(bridged(made, 0, breaks, ("w1", "w2", "w3")), 0, np.arange(3))
    assert (np.linalg.eigvalsh(V) > 0).all()


def test_the_gate_does_not_stand_in_the_way_of_a_link(made):
    breaks = [Break("w2", link={"Joy": item_link(made, "w2", "Joy", changed=["d"])})]
    gate = comparable(made, "wave", "Joy")
    raw = changes(made, "Joy", gate=gate).table.filter(wave="w2")
    assert raw["evidence"][0] == "not comparable"
    table = changes(made, "Joy", breaks=breaks, gate=gate).table
    assert table.filter(wave="w2")["change"].null_count() == 0
    assert table.filter(wave="w2")["evidence"][0] == "not tested"
    assert table.filter(wave="w3")["evidence"][0] != "not tested"


def test_anchors_that_moved_are_refused_by_name():
    with pytest.raises(Problems) as said:
        linked(b=pl.col("b") + 0.8)
    found = said.value.problems[0]
    assert found.code == "E-LINK-ANCHORS"
    assert "b differs most" in found.say("en")
    assert "b 差异最大" in found.say("zh")
    assert "Name b among the changed items" in found.say("en")
    with pytest.raises(Problems) as said:
        linked(anchors=("a", "b"), b=pl.col("b") + 0.8)
    assert "which of them changed cannot be told" in said.value.problems[0].say("en")
    assert "无法判断哪一个改变" in said.value.problems[0].say("zh")


def _short(frame):
    return frame.head(60)


@pytest.mark.parametrize(
    ("change", "settings", "code", "en", "zh"),
    [
        (None, {"anchors": ["a"]}, "E-LINK", "1 common item (a)", "仅有 1 个共同题项"),
        (None, {"anchors": list("abcd")}, "E-LINK", "no item changed", "没有题项改动"),
        (None, {"anchors": ["a", "x"]}, "E-LINK", '"x"', "“x”"),
        (lambda f: f.select("a", "b"), {"anchors": ["a", "b"]}, "E-LINK", "2 items", "仅有 2 个题项"),
        (lambda f: f.drop("d"), {"anchors": ["a", "b"]}, "E-LINK", "items of its own", "独有题项"),
        (_short, {"anchors": ["a", "b", "c"]}, "E-LINK-ITEMS", "asks for 100", "至少需要 100"),
        (
            lambda f: f.with_columns(d=float("nan")),
            {"anchors": ["a", "b", "c"]},
            "E-LINK-ITEMS",
            "nobody answered d",
            "无人回答 d",
        ),
        (lambda f: f.with_columns(d=5.0), {"anchors": ["a", "b", "c"]}, "E-LINK-ITEMS", "are the same", "回答全部相同"),
        (
            lambda f: f.with_columns(d=pl.lit("x")),
            {"anchors": ["a", "b", "c"]},
            "E-LINK",
            "text, not numbers",
            "含文字",
        ),
    ],
)
def test_what_cannot_be_linked_by_items(change, settings, code, en, zh):
    old, new = population.drawn()
    if change and settings["anchors"] == ["a", "b"] and change(old).width == 2:
        old = change(old)
    with pytest.raises(Problems) as said:
        link(old, change(new) if change else new, "items", scales=TEN, **settings)
    found = said.value.problems[0]
    assert found.code == code
    assert en in found.say("en")
    assert zh in found.say("zh")


@pytest.mark.parametrize(
    ("arguments", "code", "en"),
    [
        ({"wave": "w9"}, "E-WAVE", 'no wave "w9"'),
        ({"wave": "w1"}, "E-WAVE", "no wave with answers"),
        ({"anchors": ["a"]}, "E-LINK", "1 common item"),
        ({"construct": "Use", "anchors": ["e"]}, "E-LINK", "1 items"),
        ({}, "E-LINK", "either the common or the changed"),
        ({"anchors": ["a", "b"], "changed": ["d"]}, "E-LINK", "either the common or the changed"),
    ],
)
def test_waves_that_cannot_be_linked(made, arguments, code, en):
    with pytest.raises(Problems) as said:
        item_link(made, **({"wave": "w2", "construct": "Joy"} | arguments))
    assert said.value.problems[0].code == code
    assert en in said.value.problems[0].say("en")


def test_links_without_the_rows_or_waves():
    frame = waves()
    with pytest.raises(Problems) as said:
        item_link(index(fit(MODEL, frame, PLS(), scale=(1, 10))), "w2", "Joy", changed=["d"])
    assert said.value.problems[0].code == "E-ROWS"


def test_two_breaks_at_one_wave_are_one_too_many(made):
    with pytest.raises(Problems) as said:
        changes(made, "Joy", breaks=[Break("w2"), Break("w2", "mode")])
    assert said.value.problems[0].code == "E-BREAK"
    assert "two breaks at w2" in said.value.problems[0].say("en")
    assert "两个断点" in said.value.problems[0].say("zh")


def test_respondents_of_an_overlap_sample_are_found_among_those_of_the_waves():
    frame = waves()
    mine = frame.filter(wave="w2").head(120)
    rng = np.random.default_rng(8)
    new = mine.select((pl.sum_horizontal(list("abcd")) - 4) / 36 * 100).to_series().to_numpy()
    old = np.clip(new - 5 + 4 * rng.normal(size=new.size), 0, 100)
    found = link(old, new, "mean", who=mine["id"].to_list(), among=frame["id"].to_list())
    made = indexed(frame)
    units = units_of(found.behind, made.sample)
    assert found.behind.count == 120
    assert isinstance(units, sparse.csc_matrix)
    own = (new - old) - (new - old).mean()
    np.testing.assert_allclose(np.sort(units.toarray()[:, 0])[[0, -1]], np.sort(own / 120)[[0, -1]], atol=1e-12)
    assert link(old, new, "mean", who=["nobody"] * 120, among=frame["id"].to_list()).behind is None
    with pytest.raises(Problems) as said:
        link(old, new, "mean", who=["one"], among=frame["id"].to_list())
    assert "1 names for 120 respondents" in said.value.problems[0].say("en")


@pytest.mark.parametrize("method", ["mean", "linear", "equipercentile"])
def test_what_respondents_add_to_an_overlap_link_is_its_derivative(method):
    rng = np.random.default_rng(2)
    x = np.clip(np.round(60 + 15 * rng.normal(size=600)), 0, 100)
    y = np.clip(np.round(0.9 * x + 10 + 6 * rng.normal(size=600)), 0, 100)
    names = [str(i) for i in range(600)]
    found = link(x, y, method, who=names, among=names)
    added = found.behind.influence @ found.behind.shapes
    middle = slice(40, 81)
    np.testing.assert_allclose(added.sum(axis=0)[middle], 0, atol=1e-3)
    spread = np.sqrt((added**2).sum(axis=0))[middle]
    rel = 0.25 if method == "equipercentile" else 0.01
    np.testing.assert_allclose(spread, np.sqrt(np.diag(found.covariance))[middle], rtol=rel)


def test_a_parallel_run_counts_its_own_respondents():
    """The new wave's respondents all answer the old form too: what is left is the change of the old form."""
    rng, frame = np.random.default_rng(9), waves(forms=(0, 0))
    given = {"Joy": dict.fromkeys("abcd", 0.25), "Use": {"e": 1.0}}
    made = indexed(frame, weights="given", given=given)
    points = frame.select("id", "wave", y=(pl.sum_horizontal(list("abcd")) - 4) / 36 * 100)
    now = points.filter(wave="w2")
    old = now["y"].to_numpy() * 0.5 + 20 + 12 * rng.normal(size=now.height)
    old = np.clip(old, 0, 100)
    one = link(old, now["y"].to_numpy(), "mean", who=now["id"].to_list(), among=frame["id"].to_list())
    row = changes(made, "Joy", breaks=[Break("w2", link=one)]).table.row(0, named=True)
    before = points.filter(wave="w1")["y"].to_numpy()
    # I_2 - (I_1 + mean(new) - mean(old)) = mean(old) - I_1: two independent means
    assert row["change"] == pytest.approx(old.mean() - before.mean(), abs=1e-9)
    expected = np.sqrt(old.var(ddof=1) / old.size + before.var(ddof=1) / before.size)
    assert row["std_error"] == pytest.approx(expected, rel=1e-6)
    apart = link(old, now["y"].to_numpy(), "mean")
    wide = changes(made, "Joy", breaks=[Break("w2", link=apart)]).table["std_error"][0]
    assert wide > 1.2 * expected


def test_it_prints_in_both_languages():
    assert "factor means linked by the common items a, b, c" in text(linked(), "en")
    assert "按共同题项 a、b、c 衔接因子均值" in text(linked(), "zh")
