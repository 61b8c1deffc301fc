import copy
import dataclasses
import pickle

from csi.display import text
from csi.models.model import Model

TEXT = "sat =~ s1 + s2\nloy =~ l1\nloy ~ sat"


def test_str_is_the_text_and_repr_counts_the_parts():
    model = Model.parse(TEXT)
    assert str(model) == TEXT
    assert repr(model) == f"Model: 2 constructs, 3 items, 1 path\n{TEXT}"
    assert text(model, "zh").splitlines()[0] == "模型：2 个构念，3 个题项，1 条路径"


def test_card_is_a_maker_on_the_class_and_a_name_on_a_model():
    model = Model.parse(TEXT)
    assert model.card == ""
    assert dataclasses.replace(model, from_card="mine").card == "mine"
    items = {
        "expectation": ["e"],
        "perceived_value": ["v"],
        "satisfaction": ["s"],
        "complaints": ["c"],
        "loyalty": ["l"],
    }
    assert repr(Model.card("scsb", items=items)).splitlines()[0] == "Model: 5 constructs, 5 items, 6 paths (card scsb)"


def test_equal_models_are_equal_whatever_the_spacing():
    assert Model.parse(TEXT) == Model.parse(TEXT.replace(" ", "  ").replace("\n", " ; "))


def test_a_model_is_hashed_by_what_it_compares_and_its_hash_stays_out_of_pickles():
    first, second = Model.parse("f =~ a + b; g =~ c; g ~ f"), Model.parse("f  =~ a + b\ng =~ c\ng ~ f")
    assert hash(first) == hash(second) == hash(first)
    assert hash(dataclasses.replace(first, paths=())) != hash(first)
    assert pickle.dumps(first) == pickle.dumps(second)
    assert hash(copy.deepcopy(first)) == hash(first)
