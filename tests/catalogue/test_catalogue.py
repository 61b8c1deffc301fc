import ast
import re
from pathlib import Path

import pytest
import yaml

import csi
from csi.catalogue import codes, entry, explain, guide, guides, meaning, names
from csi.errors import Problems
from csi.reporting.methods import METHODS

PACKAGE = Path(csi.__file__).parent
CODE = re.compile(r"[EWNR]-[A-Z0-9][A-Z0-9-]+")
SAYS = {"note", "reason", "problem", "Note", "Reason", "Problem"}
MEASURES = (
    "loading weight path r2 f2 alpha rho_a rho_c ave htmt fornell_larcker vif cross_loading direct_effect "
    "indirect_effect "
    "total_effect index importance performance std_error percentile_interval bca_interval change rank_interval"
)


def used_codes():
    """Codes in the package's source: constants that look like one, and first arguments of note, reason, problem."""
    found = set()
    said = re.compile(rf"{CODE.pattern}|\b({'|'.join(SAYS)})\(")
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if said.search(text) else ():
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
                found.add(node.value)
            called = isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in SAYS
            if called and node.args and isinstance(getattr(node.args[0], "value", None), str):
                found.add(node.args[0].value)
    return found


def test_every_code_used_in_the_package_has_a_meaning():
    used = used_codes()
    assert len(used) > 50
    assert sorted(used - set(codes())) == []


def test_the_measures_of_the_package_are_in_it():
    assert set(MEASURES.split()) <= set(names())


def test_entries_are_complete_in_both_languages():
    for name in names():
        found = entry(name)
        assert re.search(r"[\u4e00-\u9fff]", found.label.zh), name
        assert found.label.en, name
        assert found.formula, name
        assert found.source, name
        if found.threshold is not None:
            assert found.threshold.source, name
            assert re.search(r"[\u4e00-\u9fff]", found.threshold.text.zh), name


def test_meanings_are_complete_in_both_languages():
    for code in codes():
        found = meaning(code)
        for text in (found.text, found.remedy):
            assert text.en.endswith("."), code
            assert text.zh.endswith("。"), code
            assert re.search(r"[\u4e00-\u9fff]", text.zh), code
            assert not re.search(r"[\u4e00-\u9fff]", text.en), code


def test_no_field_of_the_files_goes_unread():
    for file, known in (
        ("catalogue.yaml", {"zh", "en", "formula", "source", "threshold", "note", "aliases"}),
        ("problems.yaml", {"zh", "en", "do", "do_zh"}),
    ):
        text = (PACKAGE / "catalogue" / file).read_text(encoding="utf-8")
        raw = yaml.safe_load(text)
        assert {key for fields in raw.values() for key in fields} <= known
        keys = re.findall(r"^([\w-]+):", text, re.MULTILINE)
        assert len(keys) == len(set(keys))


def test_aliases_lead_to_one_entry_each():
    every = [n for name in names() for n in (name, *entry(name).aliases)]
    assert len(every) == len(set(every))
    assert entry("Composite Reliability").name == "rho_c"
    assert entry("IPMA").name == "importance_performance_map"
    assert entry("jn").name == "johnson_neyman"
    assert entry("htmt2").name == "htmt2"


def test_unknown_words_are_met_with_a_guess():
    with pytest.raises(Problems, match='Did you mean "htmt"'):
        entry("htmtt")
    with pytest.raises(Problems, match="是否应为“E-CYCLE”"):
        explain("E-CICLE", "zh")


def test_explain_prints_threshold_and_its_source():
    lines = explain("htmt", "zh")
    assert "0.85" in " ".join(lines)
    assert "Henseler" in " ".join(lines)
    assert explain("e-cycle")[0] == "E-CYCLE: The arrows run in a circle (a -> b -> a)."


def test_every_model_with_code_of_its_own_has_a_guide_in_both_languages():
    assert set(guides()) == {*METHODS}
    for name in guides():
        found = guide(name)
        assert found is not None
        for text in (found.about, found.reads, found.limits):
            assert text.en
            assert re.search("[\u4e00-\u9fff]", text.zh), name
        assert found.formula.en
        assert found.formula.zh
        assert found.source


def test_a_formula_has_no_english_words_in_chinese():
    """Symbols, functions and names stay; words of three letters or more beside them do not."""
    kept = {"max", "min", "sum", "sqrt", "logit", "argmax", "alpha", "log", "var", "NPS", "MSA", "MSS", "GORICA"}
    kept |= {"Johnson", "Krippendorff", "Wald", "Rand", "means"}
    for name in guides():
        found = guide(name)
        assert found is not None
        assert set(re.findall(r"[A-Za-z]{3,}", found.formula.zh)) <= kept, name


def test_words_are_found_by_what_they_hold():
    assert explain("ACSI") == explain("acsi_index") == explain("index")
    with pytest.raises(Problems, match="F1 to F7; rates beside it are T2B"):
        explain("F8")
    with pytest.raises(Problems, match='Did you mean "rebased_index"'):
        explain("rebased")


def test_formula_ids_are_explained_as_they_are_printed():
    """F2 beside an index is its formula; f2 is Cohen's."""
    for i in range(1, 8):
        assert entry(f"F{i}").name == f"index_f{i}"
    assert entry("f2").name == "f2"
    assert "ACSI" in explain("F2")[0]
    assert "大写 F2" in " ".join(explain("F2", "zh"))
