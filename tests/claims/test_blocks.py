"""Items of a card's constructs, and what is said of those that lack."""

import pytest

from csi.claims.blocks import blocks_of, other_forms
from csi.errors import Problems, Text
from csi.models.cards import read_card
from csi.survey.codebook import Codebook, Item, Scale

SEVEN = Scale("seven", 1, 7)


def book(*items):
    made = [
        Item(name, construct, SEVEN, Text(name, name), form=form, facet="".join(facet))
        for name, construct, form, *facet in items
    ]
    return Codebook(tuple(made), {c: Text(c, c) for c in dict.fromkeys(i.construct for i in made)}, {})


def test_short_names_of_the_literature_are_known():
    found = blocks_of(
        read_card("ecm"),
        book(("c1", "conf", "D"), ("u1", "pu", "P"), ("s1", "sat", "P"), ("k1", "cont", "P"), ("k2", "cont", "P")),
    )
    assert found == {
        "confirmation": ("c1",),
        "usefulness": ("u1",),
        "satisfaction": ("s1",),
        "continuance": ("k1", "k2"),
    }


def test_the_card_s_form_goes_before_perceived_and_perceived_before_the_rest():
    codebook = book(("p", "expectation", "P"), ("e", "expectation", "Ew"), ("x", "perceived_quality", "Es"),
                    ("y", "perceived_quality", "P"), ("s", "satisfaction", "Es"))  # fmt: skip
    found = blocks_of(read_card("edt_inferred"), codebook)
    assert found == {"expectation": ("e",), "performance": ("y",), "satisfaction": ("s",)}


def test_a_form_stands_for_all_its_items():
    codebook = book(("e1", "tangibles", "Ew"), ("e2", "empathy", "Ew"), ("p1", "empathy", "P"), ("w1", "wom", "P"))
    assert blocks_of(read_card("formation"), codebook)["will"] == ("e1", "e2")
    named = blocks_of(read_card("formation"), codebook, {"will": "empathy"})
    assert named["will"] == ("e2",)


def test_a_missing_construct_says_what_it_needs_and_what_may_be_done_instead():
    codebook = book(("s1", "satisfaction", "P"), ("k1", "continuance", "P"), ("u1", "usefulness", "P"))
    with pytest.raises(Problems) as caught:
        blocks_of(read_card("ecm"), codebook)
    (found,) = caught.value.problems
    assert found.code == "E-ROLE"
    assert found.what.en == (
        'card ecm needs items for "confirmation" (Confirmation, 3 items, form D); the codebook has none '
        "(its constructs: satisfaction, continuance, usefulness)."
    )
    assert "Or take card edt_inferred, which needs expectation, performance, satisfaction." in found.remedy.en
    assert "期望确认，3 个题项，形式 D" in found.what.zh
    assert "edt_inferred（需要 expectation、performance、satisfaction）" in found.remedy.zh


def test_every_missing_construct_is_named_and_optional_ones_are_not():
    with pytest.raises(Problems) as caught:
        blocks_of(read_card("trust_consumer"), book(("t1", "trust", "P")))
    said = [p.what.en.split('"')[1] for p in caught.value.problems]
    assert said == ["reliable", "transparency", "satisfaction", "loyalty"]


def test_unknown_names_are_refused_with_the_nearest():
    codebook = book(("s1", "satisfaction", "P"))
    with pytest.raises(Problems) as caught:
        blocks_of(read_card("ecm"), codebook, {"confirm": "satisfaction", "usefulness": "satisfacton"}, ["trust"])
    assert [p.code for p in caught.value.problems] == ["E-CONSTRUCT"] * 3
    assert "confirmation" in caught.value.problems[0].remedy.en
    assert "satisfaction" in caught.value.problems[1].remedy.zh


def test_other_names_serve_as_keys_of_what_is_mapped_and_left_out():
    codebook = book(("c1", "mine", "D"), ("s1", "satisfaction", "P"))
    found = blocks_of(read_card("ecm"), codebook, {"conf": "mine"}, ["pu", "cont"])
    assert found == {"confirmation": ("c1",), "satisfaction": ("s1",)}


def test_facets_are_found_by_the_codebook_s_facet_in_the_card_s_form():
    facets = ("functional", "quality", "service", "emotional", "price")
    rows = [(f"{f}{form}", "tangibles", form, f) for f in facets for form in ("Ew", "P")]
    codebook = book(*rows, ("cause", "price", "P"), ("s1", "satisfaction", "P"))
    found = blocks_of(read_card("expectation_facets"), codebook)
    assert found == {**{f: (f"{f}Ew",) for f in facets}, "satisfaction": ("s1",)}


def test_another_name_in_another_form_is_not_taken_where_the_form_is_asked():
    named = {"expectation": "Ew", "perceived_quality": "P", "satisfaction": "P", "disconfirmation": "D", "dcong": "D"}
    rows = [(f"{name}1", name, form) for name, form in named.items()]
    codebook = book(*rows, ("g1", "des", "P"), ("z1", "tangibles", "Ed"))
    with pytest.raises(Problems) as caught:
        blocks_of(read_card("edt_desire"), codebook)
    assert [p.what.en.split('"')[1] for p in caught.value.problems] == ["desire"]


def test_a_facet_that_is_not_asked_as_expectation_is_told():
    """Items of another form stand in where there is no other, and it is said; one form throughout says nothing."""
    card = read_card("expectation_facets")
    facets = [(f"{f}{k}", "", "Ew", f) for f in ("functional", "quality", "service") for k in (1, 2)]
    codebook = book(*facets, ("emotional1", "", "P", "emotional"), ("s1", "satisfaction", "P"))
    items = {**{f: (f"{f}1", f"{f}2") for f in ("functional", "quality", "service")}, "emotional": ("emotional1",)}
    (told,) = other_forms(card, codebook, {**items, "satisfaction": ("s1",)})
    assert told.code == "N-ITEM-FORM"
    assert "emotional1 is asked in form P and stands in" in told.text.en
    assert "现以 P 形式的 emotional1 代替" in told.text.zh
    plain = book(("e1", "expectation", "P"), ("s1", "satisfaction", "P"))
    assert other_forms(read_card("acsi"), plain, {"expectation": ("e1",)}) == ()
