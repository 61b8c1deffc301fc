import itertools

import pytest
import yaml

from csi.errors import Problems
from csi.models.card_rivals import contest, merged
from csi.models.cards import card_from, card_names, read_card
from csi.models.check import check_composites
from csi.models.model import Model

CARDS = card_names()
FOUR = ("emotional_value", "social_value", "quality_value", "price_value")
MOBI = {
    "image": [f"IMAG{i}" for i in range(1, 6)],
    "expectation": [f"CUEX{i}" for i in range(1, 4)],
    "perceived_quality": [f"PERQ{i}" for i in range(1, 8)],
    "perceived_value": ["PERV1", "PERV2"],
    "satisfaction": [f"CUSA{i}" for i in range(1, 4)],
    "complaints": ["CUSCO"],
    "loyalty": [f"CUSL{i}" for i in range(1, 4)],
}


def filled(name, **options):
    card = read_card(name)
    return Model.card(name, items=items_of(card), **options)


def items_of(card):
    return {c: [f"{c}{i}" for i in range((b.items or (1, 2))[1])] for c, b in card.constructs.items() if not b.of}


def arrows(model):
    return {p.outcome: model.predictors(p.outcome) for p in model.paths}


def test_the_library():
    national = {"scsb", "acsi", "acsi_government", "ncsb", "ecsi", "ecsi_mobile", "ccsi", "jcsi", "hkcsi"}
    expectation = {
        "ecm",
        "ecm_panel",
        "ect",
        "edt",
        "edt_desire",
        "edt_inferred",
        "formation",
        "promise",
        "expectation_facets",
    }
    others = {
        "servqual",
        "emotion",
        "perval",
        "csi_value",
        "loyalty",
        "cjd",
        "kmv",
        "trust_consumer",
        "trust_sss",
        "justice",
        "lifecycle_loyalty",
    }
    assert set(CARDS) == national | expectation | others


def test_cards_that_are_not_verified_say_so():
    unsure = {name for name in CARDS if read_card(name).provisional is not None}
    national, others = {"acsi_government", "ccsi", "jcsi", "hkcsi"}, {"formation", "promise", "expectation_facets"}
    assert unsure == national | others | {"kmv", "trust_consumer", "cjd", "justice"}


@pytest.mark.parametrize("name", CARDS)
def test_every_card_makes_a_model_that_composites_can_fit(name):
    model = filled(name)
    assert check_composites(model) == []
    assert model.card == name
    assert set(model.labels) == set(model.layout) == set(model.names)
    assert all(model.label(c, "zh") != c and model.label(c, "en") != c for c in model.names)


@pytest.mark.parametrize("name", CARDS)
def test_the_text_of_a_card_model_parses_to_the_same_claim(name):
    model = filled(name)
    again = Model.parse(str(model))
    assert {c.name: (c.operator, c.items) for c in again.constructs} == {
        c.name: (c.operator, c.items) for c in model.constructs
    }
    assert arrows(again) == arrows(model)


def test_the_mobile_card_is_the_model_of_tenenhaus_and_others_2005():
    model = Model.card("ecsi_mobile", items=MOBI)
    assert arrows(model) == {
        "expectation": ("image",),
        "perceived_quality": ("expectation",),
        "perceived_value": ("expectation", "perceived_quality"),
        "satisfaction": ("image", "expectation", "perceived_quality", "perceived_value"),
        "complaints": ("satisfaction",),
        "loyalty": ("image", "satisfaction", "complaints"),
    }
    assert len(model.items) == 24
    assert {p.sign for p in model.paths} == {"+"}


def test_signs_of_the_swedish_and_american_cards():
    for name in ("scsb", "acsi"):
        signs = {(p.outcome, p.predictor.name): p.sign for p in filled(name).paths}
        assert signs["complaints", "satisfaction"] == "-"
        assert signs["loyalty", "complaints"] == ""
        assert signs["loyalty", "satisfaction"] == "+"
    assert len(filled("acsi").paths) == 9
    assert len(filled("scsb").paths) == 6


def test_optional_arrows_of_the_chinese_card():
    assert read_card("ccsi").provisional is not None
    assert len(filled("ccsi").paths) == 12
    assert len(filled("ccsi", optional=False).paths) == 9
    some = filled("ccsi", optional=["loyalty ~ image"])
    assert [(p.outcome, p.predictor.name) for p in some.paths if p.optional] == [("loyalty", "image")]


def test_without_drops_constructs_and_their_arrows():
    items = {k: v for k, v in MOBI.items() if k != "complaints"}
    model = Model.card("ecsi_mobile", items=items, without=["complaints"])
    assert model.predictors("loyalty") == ("image", "satisfaction")
    assert "complaints" not in model.layout


def test_items_of_a_left_out_construct_do_not_matter():
    assert Model.card("ecsi_mobile", items=MOBI, without=["complaints"]).items.count("CUSCO") == 0


def test_other_item_counts_are_noted_not_refused():
    card = read_card("ecsi_mobile")
    assert card.doubts(MOBI) == ()
    (doubt,) = card.doubts(MOBI | {"image": ["i1"]})
    assert doubt.say("zh") == "模型卡 ecsi_mobile 的“image”使用 5 个题项，实际给出 1 个。"
    assert Model.card("ecsi_mobile", items=MOBI | {"image": ["i1"]})["image"].items == ("i1",)


def refused(name, items, **options):
    with pytest.raises(Problems) as caught:
        Model.card(name, items=items, **options)
    return caught.value.problems


def test_missing_blocks_are_all_named_with_their_counts():
    problems = refused("ecsi_mobile", {"satisfaction": ["s1"], "image": []})
    assert [p.code for p in problems] == ["E-ROLE"] * 6
    assert problems[2].what.en == 'no items for "perceived_quality" (Perceived quality); the card expects 7 items.'
    assert problems[2].what.zh == "缺少“perceived_quality”（感知质量）的题项，该模型卡需要 7 个题项。"


def test_unknown_blocks_shared_items_and_bare_texts():
    problems = refused("ecsi_mobile", MOBI | {"satisfation": ["x"], "complaints": "CUSCO", "loyalty": ["CUSA1"]})
    assert [p.code for p in problems] == ["E-CONSTRUCT", "E-ITEMS", "E-ITEM-TWICE"]
    assert problems[0].remedy.en == 'Did you mean "satisfaction"?'


def test_unknown_cards_and_options():
    with pytest.raises(Problems, match='Did you mean "ecsi"'):
        read_card("escsi")
    assert [p.code for p in refused("ecsi_mobile", MOBI, optional=["loyalty~image"], without=["trust"])] == [
        "E-CONSTRUCT",
        "E-CARD",
    ]


@pytest.mark.parametrize("name", CARDS)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_blank_codebook_has_the_card_s_constructs_and_counts(name, lang):
    card = read_card(name)
    book = yaml.safe_load(card.codebook_text(lang))
    assert list(book["constructs"]) == list(card.constructs)
    for construct, block in card.constructs.items():
        asked = 0 if block.of else (block.items or (1, 1))[1]
        assert sum(i["construct"] == construct for i in book["items"]) == asked
    assert {i["scale"] for i in book["items"]} == set(book["scales"])


def test_the_description_says_provisional_and_marks_optional_arrows():
    lines = "\n".join(read_card("ccsi").describe("zh"))
    assert "暂定" in lines
    assert "+image?" in lines
    assert "GB/T 19038-2009" in lines
    assert "暂定" not in "\n".join(read_card("acsi").describe("zh"))


def test_a_card_of_one_s_own(tmp_path):
    text = """
        id: mine
        title: {zh: 我的, en: Mine}
        year: 2026
        cite: [me]
        constructs: {use: {zh: 使用, en: Use}, joy: {zh: 愉悦, en: Joy, mode: B}}
        paths: {joy: [+use]}
        index: {target: joy}
        layout: {use: [0, 0], joy: [1, 0]}
    """
    file = tmp_path / "mine.yaml"
    file.write_text(text, encoding="utf-8")
    model = Model.card(str(file), items={"use": ["u1"], "joy": ["j1", "j2"]})
    assert (model["joy"].operator, model["joy"].mode, model.card) == ("<~", "B", "mine")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("paths: {joy: [+use]}", "paths: {joy: [+usage]}"), "usage"),
        (("index:", "indx:"), "indx"),
        (("joy: [1, 0]}", "jo: [1, 0]}"), "jo"),
        (("[+use]", "['*use']"), "*use"),
        (("year: 2026", "year: soon"), "year"),
        (("cite: [me]", "cite: [me"), "x.yaml"),
    ],
)
def test_a_wrong_card_says_what_is_wrong(change, said):
    text = (
        "id: mine\ntitle: {zh: 我的, en: Mine}\nyear: 2026\ncite: [me]\n"
        "constructs: {use: {zh: 使用, en: Use}, joy: {zh: 愉悦, en: Joy}}\n"
        "paths: {joy: [+use]}\nindex: {target: joy}\nlayout: {use: [0, 0], joy: [1, 0]}\n"
    )
    with pytest.raises(Problems) as caught:
        card_from(text.replace(*change), "x.yaml")
    assert all(p.code == "E-CARD" for p in caught.value.problems)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", CARDS)
def test_constructs_of_a_layout_do_not_overlap_and_stay_on_the_sheet(name):
    places = read_card(name).layout.values()
    assert all(70 <= x <= 970 and y >= 45 for x, y in places)
    for (x1, y1), (x2, y2) in itertools.combinations(places, 2):
        assert abs(x1 - x2) >= 150 or abs(y1 - y2) >= 90


def test_a_construct_of_constructs_is_formative_for_composites_and_a_factor_for_covariances():
    model = filled("perval")
    assert (model["value"].operator, model["value"].items) == (
        "<~",
        ("emotional_value", "social_value", "quality_value", "price_value"),
    )
    assert filled("perval", covariance=True)["value"].operator == "=~"
    assert filled("loyalty")["loyalty"].operator == "=~"


def test_disturbances_that_go_together_are_of_covariance_models_only():
    assert filled("emotion").covariances == ()
    (pair,) = filled("emotion", covariance=True).covariances
    assert (pair.lhs, pair.rhs.name) == ("positive", "negative")


def test_optional_constructs_without_items_are_left_out_with_their_arrows():
    card = read_card("trust_consumer")
    items = {n: b for n, b in items_of(card).items() if n != "complaint_handling"}
    assert card.absent(items) == ("complaint_handling",)
    model = Model.card("trust_consumer", items=items)
    assert model.predictors("trust") == ("reliable", "transparency")
    assert "complaint_handling" not in model.layout


def test_a_construct_of_constructs_goes_with_the_last_of_its_parts():
    card = read_card("perval")
    assert card.absent(items_of(card), without=FOUR)[-1] == "value"
    items = {n: b for n, b in items_of(card).items() if n != "social_value"}
    assert Model.card("perval", items=items, without=["social_value"])["value"].items == (
        "emotional_value",
        "quality_value",
        "price_value",
    )


def test_items_given_to_a_construct_of_constructs_are_refused():
    card = read_card("perval")
    (found,) = refused("perval", items_of(card) | {"value": ["v1"]})
    assert found.code == "E-ITEMS"
    assert found.what.en == f'"value" is made of {", ".join(FOUR)} and has no items of its own.'
    assert found.what.zh.startswith(f"“value”由 {'、'.join(FOUR)} 构成")


@pytest.mark.parametrize(("name", "rival"), [(n, r) for n in CARDS for r in read_card(n).rivals])
def test_a_rival_is_a_card_of_the_same_items(name, rival):
    card = read_card(name)
    own, other = contest(card, rival)
    claim = card.rivals[rival]
    filled_own = own.fill({n: b for n, b in items_of(card).items() if n in own.constructs}, covariance=True)
    filled_other = other.fill(merged(claim, items_of(card)), covariance=True)
    assert sorted(filled_own.items) == sorted(filled_other.items)
    assert (filled_own.constructs, filled_own.paths) != (filled_other.constructs, filled_other.paths)
    assert bool(filled_own.paths) == bool(filled_other.paths) == (not claim.among)


def test_arrows_of_merged_higher_and_separated_constructs():
    def arrows_of(name, rival):
        return [(a.outcome, a.sign, a.predictor) for a in contest(read_card(name), rival)[1].arrows]

    assert arrows_of("servqual", "one_factor") == [("satisfaction", "+", "service_quality")]
    assert arrows_of("servqual", "second_order") == [("satisfaction", "+", "service_quality")]
    apart = arrows_of("perval", "dimensions_apart")
    assert [x for y, _, x in apart if y == "satisfaction"] == [
        "emotional_value",
        "social_value",
        "quality_value",
        "price_value",
    ]
    assert [x for y, _, x in apart if y == "loyalty"] == [
        "satisfaction",
        "emotional_value",
        "social_value",
        "quality_value",
        "price_value",
    ]


MINE = """
id: mine
title: {zh: 我的, en: Mine}
year: 2026
cite: [me]
constructs:
  a: {zh: 甲, en: A}
  b: {zh: 乙, en: B}
  c: {zh: 丙, en: C, of: [a, b]}
  d: {zh: 丁, en: D}
paths: {d: [+c]}
index: {target: d}
layout: {a: [0, 0], b: [0, 1], c: [1, 0], d: [2, 0]}
"""


@pytest.mark.parametrize(
    ("change", "en", "zh"),
    [
        (("of: [a, b]", "of: [a, x]"), "not a construct of this card (of): x", "不是该模型卡的构念（of）：x"),
        (("of: [a, b]", "of: [a, b], items: [2, 2]"), "c is made of constructs and cannot have items", "不能再有题项"),
        (("D}", "D, of: [a]}"), "a is part of two constructs", "a 同时属于两个高阶构念"),
        (("en: A}", "en: A, of: [c]}"), "made of itself: a > c > a", "循环构成"),
        (("en: A}", "en: A, scale: six}"), 'unknown scale "six"', "未知量表“six”"),
        (("paths:", "zeros: {d: [c]}\npaths:"), "d ~ c is claimed to be zero and", "同时被列为零路径与路径"),
        (("paths:", "contrasts: {k: one - two}\npaths:"), "no hypothesis of this card: one, two", "不是该模型卡"),
        (("paths:", "contrasts: {k: one -}\npaths:"), "contrast k cannot be read", "对比 k 无法解析"),
        (("paths:", "hypotheses: {h: a > d}\npaths:"), "follows an arrow the card does not have", "没有的路径"),
        (("paths:", "rivals: {r: {zh: 敌, en: x}}\npaths:"), "rivals.r claims nothing else", "没有不同之处"),
        (("paths:", "rivals: {r: {zh: 敌, en: x, merge: {d: [a, b]}}}\npaths:"), "is a construct already", "已存在"),
        (("paths:", "rivals: {r: {zh: 敌, en: x, apart: [d]}}\npaths:"), "not made of constructs", "不是高阶"),
        (("paths:", "rivals: {r: {zh: 敌, en: x, paths: {d: [x]}}}\npaths:"), "(rivals.r): x", "（rivals.r）：x"),
        (("index: {target: d}", "index: {target: e}"), "not a construct of this card: e", "不是该模型卡的构念：e"),
    ],
)  # fmt: skip
def test_a_fault_of_a_card_is_said_in_both_languages(change, en, zh):
    card_from(MINE, "mine.yaml")
    with pytest.raises(Problems) as caught:
        card_from(MINE.replace(*change), "mine.yaml")
    (found,) = caught.value.problems
    assert found.code == "E-CARD"
    assert en in found.what.en
    assert zh in found.what.zh
