import pytest

from csi.models.check import check_composites, check_model
from csi.models.composites import find_cycle
from csi.models.model import Construct, Defined, Model, Path, Term

TWO = (Construct("a", "=~", (Term("a1"),)), Construct("b", "=~", (Term("b1"),)))


def codes(problems):
    return [p.code for p in problems]


def test_a_sound_model_has_no_problems():
    assert check_composites(Model.parse("a =~ a1; b =~ b1; b ~ a")) == []


def test_an_item_in_two_constructs():
    model = Model.parse("a =~ x1 + x2; b =~ x2 + x3; b ~ a")
    assert check_model(model) == []
    (found,) = check_composites(model)
    assert (found.code, "x2" in found.what.zh, "a、b" in found.what.zh) == ("E-ITEM-TWICE", True, True)


def test_a_cycle_is_named():
    model = Model.parse("a =~ a1; b =~ b1; c =~ c1; b ~ a; c ~ b; a ~ c")
    assert check_model(model) == []
    (found,) = check_composites(model)
    assert found.code == "E-CYCLE"
    assert "a -> b -> c -> a" in found.what.en


def test_a_construct_without_items():
    (found,) = check_model(Model((*TWO, Construct("c", "=~", ())), (Path("b", Term("a")),)))
    assert (found.code, found.what.zh) == ("E-CONSTRUCT", "构念“c”没有题项。")


def test_a_phantom_construct_is_refused_for_composites_only():
    model = Model.parse("a =~ a1; f =~ 0; b =~ b1; f ~ a; b ~ f")
    assert check_model(model) == []
    (found,) = check_composites(model)
    assert (found.code, '"f"' in found.what.en) == ("E-CONSTRUCT", True)


@pytest.mark.parametrize(
    "text",
    [
        "f =~ x1 + x2 + x3; g =~ x3 + x4 + x5; g ~ f",
        "a =~ a1 + a2; b =~ b1 + b2; a ~ b + z1; b ~ a + z2",
        "f =~ x1; y ~ f + w; w ~ x1",
        "g =~ a + b; a =~ a1 + a2; b =~ b1 + b2; y ~ g",
        "a =~ a1 + a2; b =~ b1 + b2; y =~ y1; y ~ a + b + a:b",
        "f =~ x1 + x2; x1 ~~ x2; f ~ 0*1; x1 ~ 1; u | t1",
    ],
)
def test_what_covariance_models_allow(text):
    assert check_model(Model.parse(text)) == []


def test_a_path_to_a_name_without_items_is_refused_for_composites():
    model = Model.parse("a =~ a1; b =~ b1; b ~ a + age + b1")
    assert check_model(model) == []
    assert codes(check_composites(model)) == ["E-CONSTRUCT", "E-CONSTRUCT"]


def test_a_product_of_an_unmeasured_name():
    assert codes(check_composites(Model.parse("a =~ a1; b =~ b1; b ~ a + a:age"))) == ["E-CONSTRUCT"]


def test_a_construct_no_arrow_touches():
    (found,) = check_composites(Model.parse("a =~ a1; b =~ b1; c =~ c1; b ~ a"))
    assert (found.code, '"c"' in found.what.en) == ("E-PATH", True)


def test_parts_of_a_higher_order_construct_need_no_arrow():
    assert check_composites(Model.parse("g =~ a + b; a =~ a1; b =~ b1; y =~ y1; y ~ g")) == []


@pytest.mark.parametrize(
    ("model", "code"),
    [
        (Model(TWO, (Path("b", Term("a")), Path("b", Term("a")))), "E-DUPLICATE"),
        (Model((Construct("a", "=~", (Term("x"), Term("x"))),)), "E-DUPLICATE"),
        (Model(TWO, (Path("a", Term("a")),)), "E-PATH"),
        (Model((*TWO, TWO[0])), "E-DUPLICATE"),
        (Model(TWO, (Path("b", Term("a")),), defined=(Defined("d", "p*q"),)), "E-LABEL"),
    ],
)
def test_models_not_made_from_text_are_checked_too(model, code):
    assert code in codes(check_model(model))


def test_find_cycle_looks_beyond_the_first_start():
    assert find_cycle({"a": ["b"], "c": ["d"], "d": ["c"]}) == ("c", "d", "c")
    assert find_cycle({"a": ["b", "c"], "b": ["d"], "c": ["d"]}) == ()


def test_find_cycle_walks_chains_of_any_length():
    chain = {f"n{i}": [f"n{i + 1}"] for i in range(5000)}
    assert find_cycle(chain) == ()
    assert len(find_cycle(chain | {"n5000": ["n0"]})) == 5002
