"""The first cause and remedy that `verify` names are those that broke the model; sound models are left alone.

Data are drawn with fixed seeds from models whose defect is known: unrelated items, items in the wrong block, the same
item twice, omitted residual covariances, negative variances of latent variables, constructs that are one.
"""

import numpy as np
import polars as pl
import pytest

import csi
from csi.display import text
from csi.measures.admissible import verify
from csi.measures.admissible_evidence import chance, elsewhere, twins, unrelated
from csi.measures.admissible_freed import widened
from csi.measures.admissible_search import relation_of
from csi.measures.admissible_trial import changed
from csi.sem.fitted import fitted

THREE = "f1 =~ y1 + y2 + y3\nf2 =~ y4 + y5 + y6\nf3 =~ y7 + y8 + y9\nf3 ~ f1 + f2"
TWO = "f1 =~ y1 + y2 + y3\nf2 =~ y4 + y5 + y6\nf2 ~ f1"
GOOD = [0.8, 0.7, 0.7]


def equal(q, r):
    return np.full((q, q), r) + (1 - r) * np.eye(q)


def draw(seed, n, cor, loadings):
    rng = np.random.default_rng(seed)
    factors = rng.multivariate_normal(np.zeros(len(cor)), cor, n, method="eigh")
    where = [(f, loading) for f, block in enumerate(loadings) for loading in block]
    rows = {
        f"y{i + 1}": loading * factors[:, f] + np.sqrt(1 - loading**2) * rng.normal(size=n)
        for i, (f, loading) in enumerate(where)
    }
    return rows, rng


def copied(rows, rng, item, of, sign=1.0):
    own = rows[of] / rows[of].std()
    return rows | {item: sign * (0.98 * own + 0.2 * rng.normal(size=len(own)))}


def found(syntax, rows, **settings):
    frame = rows if isinstance(rows, pl.DataFrame) else pl.DataFrame(rows)
    return verify(csi.fit(csi.Model.parse(syntax), frame, csi.SEM(**settings)))


def first(diagnosis):
    return diagnosis.findings[0]


@pytest.mark.parametrize(
    ("seed", "syntax", "cor", "loadings", "items", "left"),
    [
        (1, THREE, 0.4, [[0.8, 0, 0], GOOD, GOOD], {"y2", "y3"}, "f1 rests on y1 alone"),
        (2, THREE, 0.5, [[0, 0, 0.8], GOOD, GOOD], {"y1", "y2"}, "f1 rests on y3 alone"),
        (3, TWO, 0.5, [GOOD, [0.8, 0, 0]], {"y5", "y6"}, "f2 rests on y4 alone"),
        (4, TWO, 0.5, [GOOD, [0, 0, 0]], {"y4", "y5", "y6"}, "f2 measures nothing"),
        (
            5,
            THREE.replace("y9", "y9 + y10"),
            0.4,
            [GOOD, GOOD, [0.7, 0, 0.7, 0]],
            {"y8", "y10"},
            "f3 rests on y7, y9 alone",
        ),
    ],
)
@pytest.mark.parametrize("n", [250, 400])
def test_unrelated_items_are_named_first_and_to_be_dropped(seed, syntax, cor, loadings, items, left, n):
    rows, _ = draw([seed, n], n, equal(len(loadings), cor), loadings)
    worst = first(found(syntax, rows))
    assert worst.code in {"E-ITEM-UNRELATED", "W-ITEM-UNRELATED"}
    assert set(worst.parameters) == items
    assert left in worst.cause.en
    assert "drop" in worst.remedy.en
    assert "wrong columns or codes" in worst.remedy.en


def test_what_unrelated_items_bring_about_is_put_down_to_them():
    rows, _ = draw([9, 2], 200, equal(3, 0.5), [[0, 0, 0.8], GOOD, GOOD])
    diagnosis = found(THREE, rows)
    items, *others = diagnosis.errors
    assert items.code == "E-ITEM-UNRELATED"
    assert others
    for f in others:
        assert f.cause.en.startswith("Most likely brought about by y1, y2: without y1, y2 this is gone")
        assert f.remedy.en == "Mend that first (see E-ITEM-UNRELATED)."
        assert "去掉 y1、y2 后即消失" in f.cause.zh
    assert not diagnosis.usable


def test_an_unrelated_marker_is_named_first():
    rows, _ = draw([0, 7], 200, equal(3, 0.5), [[0, 0.8, 0.7], GOOD, GOOD])
    worst = first(found(THREE, rows))
    assert worst.code in {"E-ITEM-UNRELATED", "W-ITEM-UNRELATED"}
    assert worst.parameters == ("y1",)
    assert "f1 rests on y2, y3 alone" in worst.cause.en


def test_one_unrelated_item_among_four_is_no_more_than_a_note():
    rows, _ = draw(11, 300, equal(2, 0.5), [[0.8, 0.7, 0.7, 0], GOOD])
    diagnosis = found("f1 =~ y1 + y2 + y3 + y4\nf2 =~ y5 + y6 + y7\nf2 ~ f1", rows)
    assert diagnosis.codes == ("N-ITEM-UNRELATED",)
    assert first(diagnosis).parameters == ("y4",)
    assert diagnosis.usable


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("cor", [0.2, 0.5])
def test_an_item_in_the_wrong_block_is_to_be_moved(seed, cor):
    rows, _ = draw([seed, 3], 300, equal(3, cor), [GOOD, [*GOOD, 0.7], GOOD])
    diagnosis = found("f1 =~ y1 + y2 + y3 + y7\nf2 =~ y4 + y5 + y6\nf3 =~ y8 + y9 + y10\nf3 ~ f1 + f2", rows)
    worst = first(diagnosis)
    assert worst.code == "W-ITEM-ELSEWHERE"
    assert worst.parameters == ("y7",)
    assert "y7 goes with f2 rather than f1" in worst.what.en
    assert "freeing f2 =~ y7 lowers chi2 by about" in worst.cause.en
    assert worst.remedy.en.startswith("Move y7 to f2 (f2 =~ ... + y7)")


def test_blocks_that_run_together_because_of_swapped_items_are_not_to_be_merged():
    rows, _ = draw([1, 4], 250, equal(2, 0.3), [GOOD, GOOD])
    diagnosis = found("f1 =~ y1 + y2 + y4\nf2 =~ y3 + y5 + y6\nf2 ~ f1", rows)
    assert "ITEM-ELSEWHERE" in first(diagnosis).code
    assert set(first(diagnosis).parameters) <= {"y3", "y4"}
    close = next(f for f in diagnosis.findings if f.code == "W-COLL")
    assert "Most likely brought about by" in close.cause.en
    assert "this is gone" in close.cause.en
    assert "Merge" not in " ".join(f.remedy.en for f in diagnosis.findings)


@pytest.mark.parametrize(("item", "of", "sign"), [("y3", "y2", 1), ("y3", "y1", 1), ("y4", "y3", 1), ("y3", "y2", -1)])
def test_the_same_item_twice_is_named_and_one_to_be_dropped(item, of, sign):
    rows, rng = draw(21, 300, equal(2, 0.5), [GOOD, GOOD])
    diagnosis = found(TWO, copied(rows, rng, item, of, sign))
    worst = first(diagnosis)
    assert worst.code in {"E-ITEM-TWIN", "W-ITEM-TWIN"}
    a, b = sorted((item, of))
    assert worst.what.en.startswith(f"{a} and {b} are nearly the same item")
    assert ("sign turned" in worst.what.en) == (sign < 0)
    assert worst.remedy.en.startswith(f"Drop one of {a} and {b}")
    assert "ITEM-ELSEWHERE" not in " ".join(diagnosis.codes)


def test_a_copy_in_the_other_block_is_why_two_factors_seem_one():
    rows, rng = draw(0, 400, equal(2, 0.5), [GOOD, GOOD])
    diagnosis = found(TWO, copied(rows, rng, "y4", "y3"))
    worst = first(diagnosis)
    assert worst.code == "E-ITEM-TWIN"
    assert "tie f1 and f2 together" in worst.cause.en
    assert {"E-COLL", "W-COLL"} <= set(diagnosis.codes)
    for f in diagnosis.findings:
        assert f is worst or f.code == "N-REFIT" or "without y4 this is gone" in f.cause.en
    refit = next(f for f in diagnosis.findings if f.code == "N-REFIT")
    assert "E-ITEM-TWIN" in refit.remedy.en  # never "report the bounded fit"


def higher_order(negative):
    """Three first-order factors of three items whose correlations give f1 a negative residual variance."""
    r12, r13, r23 = negative
    phi = np.array([[1, r12, r13], [r12, 1, r23], [r13, r23, 1]])
    Lambda = np.kron(np.eye(3), np.full((3, 1), 0.8))
    cov = Lambda @ phi @ Lambda.T + 0.36 * np.eye(9)
    return csi.Moments.of([f"y{i + 1}" for i in range(9)], cov, n=300)


def test_an_impossible_latent_matrix_names_the_negative_variance_behind_it_first():
    # h explains r12 r13 / r23 = 1.283 of the variance .64 of f1: its residual variance is -.28 * .64
    syntax = "f1 =~ y1 + y2 + y3\nf2 =~ y4 + y5 + y6\nf3 =~ y7 + y8 + y9\nh =~ f1 + f2 + f3"
    diagnosis = verify(csi.fit(csi.Model.parse(syntax), higher_order((0.7, 0.55, 0.3)), csi.SEM()))
    npd = next(f for f in diagnosis.findings if f.code == "E-NPD")
    assert npd.cause.en.startswith("The residual variance of f1 is negative (-0.18, ")
    assert "h explains more of f1 than there is" in npd.cause.en
    assert npd.cause.zh.startswith("f1 的残差方差为负")
    assert "f1 ~~ 0*f1" in npd.remedy.en
    assert "f2" not in npd.remedy.en


def test_a_slope_without_variance_is_to_be_held_at_0():
    time = np.array([[1, 0], [1, 1], [1, 2], [1, 3]])
    cov = time @ [[1, 0.02], [0.02, -0.02]] @ time.T + np.diag([0.5, 0.5, 0.5, 0.5])
    moments = csi.Moments.of(["y1", "y2", "y3", "y4"], cov, n=200, mean=time @ [0.0, 0.4])
    zero = "".join(f"\ny{t} ~ 0*1" for t in range(1, 5))
    syntax = f"i =~ 1*y1 + 1*y2 + 1*y3 + 1*y4\ns =~ 0*y1 + 1*y2 + 2*y3 + 3*y4\ni ~ 1\ns ~ 1{zero}"
    worst = first(verify(csi.fit(csi.Model.parse(syntax), moments, csi.SEM(meanstructure=True))))
    assert worst.code == "E-NPD"
    assert worst.cause.en.startswith("The variance of s is negative (-0.020")
    assert "s ~~ 0*s" in worst.remedy.en


def omitted(r):
    """Four items of one factor with loadings .95, .8, .8, .6 and a residual covariance of the second and third."""
    loadings = np.array([0.95, 0.8, 0.8, 0.6])
    cov = np.outer(loadings, loadings) + np.diag(1 - loadings**2)
    cov[1, 2] = cov[2, 1] = cov[1, 2] + r
    return csi.Moments.of(["a", "b", "c", "d"], cov, n=400)


def test_a_heywood_case_by_an_omitted_covariance_says_which():
    est = csi.fit(csi.Model.parse("f =~ a + b + c + d"), omitted(-0.3), csi.SEM())
    heywood = first(verify(est))
    assert heywood.code == "E-HEYWOOD"
    assert heywood.parameters == ("a ~~ a",)
    assert "b and c .340, where a alone would make it .578" in heywood.cause.en
    drop = est.extra["sem"].test.statistic[0]  # with b ~~ c free the model is the one that made the moments
    assert f"With b ~~ c free chi2 is lower by {drop:.0f}" in heywood.cause.en
    assert heywood.remedy.en.startswith("Free b ~~ c where the wording of the items explains it")
    assert "放开 b ~~ c 后" in heywood.cause.zh


def test_two_items_without_relations_are_to_be_held_equal():
    # the loading of a is sqrt(.56 * .08 / .04) = 1.06, made of correlations that 200 rows do not tell from 0
    cov = [[1, 0.56, 0.08, 0.06], [0.56, 1, 0.04, 0.03], [0.08, 0.04, 1, 0.56], [0.06, 0.03, 0.56, 1]]
    moments = csi.Moments.of("abcd", cov, n=200)
    diagnosis = verify(csi.fit(csi.Model.parse("f =~ a + b; g =~ c + d; f ~~ g"), moments, csi.SEM()))
    worst = first(diagnosis)
    assert "HEYWOOD" in worst.code
    assert "has only 2 items and leans on its relation to others" in worst.cause.en
    assert worst.remedy.en.startswith("Hold the two loadings equal (f =~ 1*a + 1*b)")


@pytest.mark.parametrize("seed", [19, 20, 56])
def test_predictors_that_are_one_are_to_be_merged_whether_or_not_the_search_settles(seed):
    rows, _ = draw([seed, 5], 150, np.array([[1, 1, 0.5], [1, 1, 0.5], [0.5, 0.5, 1]]), [GOOD, GOOD, GOOD])
    est = csi.fit(csi.Model.parse(THREE), pl.DataFrame(rows), csi.SEM())
    diagnosis = verify(est)
    assert diagnosis.withheld
    assert first(diagnosis).severity == "error"
    assert "f1 and f2" in first(diagnosis).cause.en
    assert first(diagnosis).remedy.en.startswith("Merge f1 and f2")
    assert "ITEM" not in " ".join(diagnosis.codes)
    assert relation_of(fitted(est), 0).cause.en.startswith("f1 and f2 are nearly one and the same (correlation ")


@pytest.mark.parametrize("kind", ["ordinal", "fiml", "groups"])
def test_causes_are_found_in_every_kind_of_fit(kind):
    rows, rng = draw([33, len(kind)], 400, equal(3, 0.4), [GOOD, [*GOOD, 0.7], GOOD])
    syntax = "f1 =~ y1 + y2 + y3 + y7\nf2 =~ y4 + y5 + y6\nf3 =~ y8 + y9 + y10\nf3 ~ f1 + f2"
    if kind == "ordinal":
        rows = {name: np.digitize(v, [-1, 0, 0.8]) for name, v in rows.items()}
        diagnosis = found(syntax, rows, ordered=tuple(rows))
    elif kind == "fiml":
        holes = {name: np.where(rng.random(400) < 0.1, np.nan, v) for name, v in rows.items()}
        diagnosis = found(syntax, pl.DataFrame(holes).fill_nan(None), missing="fiml")
    else:
        rows["g"] = np.where(np.arange(400) % 2 == 0, "a", "b")
        diagnosis = found(syntax, rows, groups="g")
    assert first(diagnosis).code == "W-ITEM-ELSEWHERE"
    assert first(diagnosis).parameters == ("y7",)
    places = {f.place for f in diagnosis.findings if "ELSEWHERE" in f.code}
    assert places == ({"a", "b"} if kind == "groups" else {""})


def test_ordinal_copies_are_judged_by_their_latent_responses():
    rows, rng = draw(3, 400, equal(2, 0.4), [GOOD, GOOD])
    rows["y3"] = 0.98 * rows["y2"] + 0.1 * rng.normal(size=400)
    steps = {name: np.digitize(v, [-1, 0, 0.8]) for name, v in rows.items()}
    worst = first(found(TWO, steps, ordered=tuple(steps)))
    assert "ITEM-TWIN" in worst.code
    assert "y2 and y3" in worst.what.en


def sound(kind, seed):
    rng = np.random.default_rng([seed, 99])
    n = int(rng.choice([150, 250, 400]))
    cor = float(rng.choice([0.2, 0.5, 0.75]))
    loadings = [rng.uniform(0.6, 0.9, 3) for _ in range(3)]
    rows, _ = draw([seed, 98], n, equal(3, cor), loadings)
    if kind == "paths":
        return THREE, rows, {}
    if kind == "reversed":
        return THREE, rows | {"y2": -rows["y2"], "y7": -rows["y7"]}, {}
    if kind == "two items":
        rows, _ = draw([seed, 98], n, equal(3, 0.6), loadings)
        return "f1 =~ y1 + y2\nf2 =~ y4 + y5\nf3 =~ y7 + y8 + y9\nf3 ~ f1 + f2", rows, {}
    if kind == "higher order":
        return "f1 =~ y1 + y2 + y3\nf2 =~ y4 + y5 + y6\nf3 =~ y7 + y8 + y9\nh =~ f1 + f2 + f3", rows, {}
    steps = {name: np.digitize(v, [-1, 0, 0.8]) for name, v in rows.items()}
    return THREE, steps, {"ordered": tuple(steps)}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["paths", "reversed", "two items", "higher order", "ordinal"])
def test_sound_models_raise_no_alarm(kind, seed):
    syntax, rows, settings = sound(kind, seed)
    diagnosis = found(syntax, rows, **settings)
    assert [f.say() for f in diagnosis.findings if f.severity != "fine" or "ITEM" in f.code] == []


def test_evidence_is_symmetric_in_sign_and_order():
    rows, _ = draw(8, 300, equal(2, 0.4), [[0.8, 0.7, 0], GOOD])
    Y = np.column_stack(list(rows.values()))
    turned = Y * [1, -1, 1, 1, -1, 1]
    blocks = {"f": (0, 1, 2), "g": (3, 4, 5)}
    for R in (np.corrcoef(Y.T), np.corrcoef(turned.T)):
        assert unrelated(R, blocks, chance(300))["f"][0] == (2,)
        assert twins(R, range(6)) == {}
        assert elsewhere(R, {"f": (0, 1), "g": (3, 4, 5)}) == []


def test_a_model_is_mended_with_all_that_hangs_on_the_item():
    model = csi.Model.parse("f =~ a + b + c; g =~ d + e + k; a ~~ d; b ~ 1; a ~ 1; g ~ f")
    mended = str(changed(model, {"a"}, {"k": "f"})).splitlines()
    assert mended == ["f =~ b + c + k", "g =~ d + e", "g ~ f", "b ~ 1"]
    labelled = csi.Model.parse("f =~ a + l*b + l*c; g =~ d + e; x := l")
    assert changed(labelled, {"b"}, {}) is None
    assert "a ~~ d + b" in str(widened(model, "a ~~ b"))


def test_causes_read_in_both_languages():
    rows, _ = draw([1, 250], 250, equal(3, 0.4), [[0.8, 0, 0], GOOD, GOOD])
    diagnosis = found(THREE, rows)
    en, zh = text(diagnosis), text(diagnosis, "zh")
    assert "y2, y3 are hardly related to the other items of f1 (mean correlation with the rest: y2 ." in en
    assert "y2、y3 与 f1 的其他题项几乎无关（与其余题项的平均相关：y2 ." in zh
    assert "drop y2, y3 from f1 and find it others, or let y1 stand for it" in en
    assert "将 y2、y3 从 f1 中去掉，并补充其他题项；或只用 y1" in zh
