"""The study file: what is right becomes nouns; what is wrong is named with its line, all at once."""

import pytest

from csi.errors import Problems, Text
from csi.study import Study, read_panel, read_study
from csi.study.codebook import read_codebook


def problems_of(path):
    with pytest.raises(Problems) as error:
        read_study(path)
    return error.value


def expect_one(path, code, place, *words):
    """Exactly one problem, with its code, its place and words that its sentence must hold."""
    error = problems_of(path)
    assert [(p.code, p.where) for p in error.problems] == [(code, place)], str(error)
    for word in words:
        assert word in str(error)
    assert error.problems[0].what.zh
    return error.problems[0]


def test_a_study_and_its_panel(write_study):
    study = Study.read(write_study())
    assert (study.name, study.title, study.waves, study.focal) == (
        "shop",
        Text("Shop", "商店"),
        ("2024Q1", "2024Q2"),
        "A",
    )
    assert study.codebook.keys == {"respondent": "id", "wave": "quarter"}
    assert study.codebook["q2"].reverse
    assert study.model.names == ("quality", "satisfaction")
    assert (study.settings.base_wave, study.settings.index_weights) == ("2024Q1", "base")
    panel = study.panel()
    assert panel.frame.rows() == [("a", "2024Q1", 7.0, 8.0, 8.0), ("b", "2024Q2", None, 10.0, 10.0)]
    assert panel.reasons["q1"].to_list() == [None, "refused"]


def test_the_hash_follows_study_and_codebook(write_study):
    first = read_study(write_study()).sha256
    assert read_study(write_study()).sha256 == first
    assert read_study(write_study(codebook=[("Good", "Fine")])).sha256 != first


def test_inline_codebook_says_the_same(write_study, tmp_path):
    path = write_study()
    inline = "codebook:\n" + "".join(
        f"  {line}\n" for line in (tmp_path / "codebook.yaml").read_text("utf-8").splitlines()
    )
    path.write_text(path.read_text("utf-8").replace("codebook: codebook.yaml\n", inline), encoding="utf-8")
    study = read_study(path)
    assert study.codebook.names == ("q1", "q2", "s1")


def test_scalars_stay_texts(write_study):
    study = read_study(write_study(("[2024Q1, 2024Q2]", "[010, 12:30, no, 2024Q1]")))
    assert study.waves == ("010", "12:30", "no", "2024Q1")


def test_missing_study_codebook_data_and_model_files(write_study, tmp_path):
    with pytest.raises(Problems, match="there is no file"):
        read_study(tmp_path / "stduy.yaml")
    expect_one(write_study(("codebook.yaml", "code.yaml")), "E-FILE", "study.yaml:7", "code.yaml")
    expect_one(write_study(("answers.csv", "anwsers.csv")), "E-FILE", "study.yaml:6", 'Did you mean "answers.csv"')
    path = write_study(("text: |", "file: model.txt #"), ("    quality =~ q1 + q2\n", ""),
                       ("    satisfaction =~ s1\n", ""), ("    satisfaction ~ quality\n", ""))  # fmt: skip
    expect_one(path, "E-FILE", "study.yaml:13", "model.txt")


def test_unknown_keys_get_a_suggestion(write_study):
    expect_one(write_study(("base:", "bsae:")), "E-KEY-UNKNOWN", "study.yaml:9", 'Did you mean "base"?')
    expect_one(
        write_study(("{file: answers.csv}", "{file: answers.csv, enconding: gbk}")),
        "E-KEY-UNKNOWN",
        "study.yaml:6",
        '"encoding"',
    )
    expect_one(write_study(codebook=[("reverse: yes", "revers: yes")]), "E-KEY-UNKNOWN", "codebook.yaml:8", '"reverse"')


def test_all_problems_come_at_once_in_the_order_of_the_files(write_study):
    error = problems_of(
        write_study(
            ("study: shop", "studdy: shop"),
            (
                "index: {target: satisfaction}",
                "index: {target: satisfaction, weights: bsae}\nbootstrap: {n: many, level: 95}",
            ),
            codebook=[("max: 10", "max: ten"), ("99: refused", "99: refuse")],
        )
    )
    assert [(p.code, p.where) for p in error.problems] == [
        ("E-KEY-MISSING", "study.yaml"), ("E-VALUE", "study.yaml:17"), ("E-VALUE", "study.yaml:18"),
        ("E-VALUE", "study.yaml:18"), ("E-KEY-UNKNOWN", "study.yaml:2"), ("E-VALUE", "codebook.yaml:2"),
        ("E-VALUE", "codebook.yaml:2"),
    ]  # fmt: skip
    assert 'Did you mean "base"?' in str(error)


def test_messages_in_the_language_of_the_study(write_study):
    error = problems_of(write_study(("language: en", "language: zh"), ("base: 2024Q1", "base: 2024Q3")))
    assert str(error) == "study.yaml:9: 未知的期“2024Q3”。是否应为“2024Q2”？可用名称：2024Q1、2024Q2。"


@pytest.mark.parametrize(
    ("old", "new", "line", "word"),
    [
        ("study: shop", "study：shop", 2, "："),
        ("[2024Q1, 2024Q2]", "[2024Q1，2024Q2]", 9, "`2024Q1, 2024Q2`"),
        ("{name: A, zh: 甲", "{name: A，zh: 甲", 11, "，"),
        ("waves: {order: [2024Q1, 2024Q2]", "waves: {order: ［2024Q1, 2024Q2］", 9, "［"),
        ("csi: 1", "csi: １", 1, "`1`"),
        ("index: {target", "bootstrap: {n: １０００}\nindex: {target", 17, "`1000`"),
        ("  - {name: A, zh: 甲, en: Alpha, focal: true}", "  - name：A", 11, "："),
    ],
)
def test_full_width_typing_is_explained(write_study, old, new, line, word):
    error = problems_of(write_study((old, new)))
    assert any(p.where == f"study.yaml:{line}" and word in str(error) for p in error.problems), str(error)


def test_a_full_width_comma_in_a_list(write_study):
    expect_one(
        write_study(("order: [2024Q1, 2024Q2]", "order: 2024Q1，2024Q2")), "E-VALUE", "study.yaml:9", "2024Q1, 2024Q2"
    )


def test_yaml_slips(write_study, tmp_path):
    expect_one(write_study(("  - {file: answers.csv}", "\t- {file: answers.csv}")), "E-TAB", "study.yaml:6")
    expect_one(write_study(("title: {zh: 商店, en: Shop}", "title: {zh: 商店, en: Shop")), "E-YAML", "study.yaml:4")
    expect_one(
        write_study(("title: {zh: 商店, en: Shop}", "title: {zh: 商店，很大, en: Shop")), "E-YAML", "study.yaml:4"
    )
    expect_one(write_study(("study: shop", "study: shop\nstudy: shop2")), "E-KEY-TWICE", "study.yaml:3")
    expect_one(write_study(("study: shop", "study: &a shop\nsector: *a")), "E-YAML", "study.yaml")
    path = tmp_path / "study.yaml"
    for content, code in (
        (b"", "E-EMPTY"),
        (b"just words", "E-YAML"),
        (b"[" * 5000, "E-YAML"),
        ("名: 店".encode("gbk"), "E-ENCODING"),
    ):
        path.write_bytes(content)
        assert [p.code for p in problems_of(path).problems] == [code]


def test_names_that_do_not_exist(write_study):
    expect_one(write_study(("base: 2024Q1", "base: 2023Q1")), "E-WAVE", "study.yaml:9", "2023Q1")
    expect_one(
        write_study(("index: {target: satisfaction}", "report: {events: [{wave: 2025Q1, en: x}]}")),
        "E-WAVE",
        "study.yaml:17",
    )
    expect_one(
        write_study(("target: satisfaction", "target: satisfation")), "E-TARGET", "study.yaml:17", '"satisfaction"'
    )
    expect_one(write_study(codebook=[("construct: quality, scale: ten, zh", "construct: qualty, scale: ten, zh")]),
        "E-CONSTRUCT", "codebook.yaml:7", 'Did you mean "quality"?')  # fmt: skip
    expect_one(
        write_study(codebook=[("scale: ten, column", "scale: tne, column")]), "E-SCALE", "codebook.yaml:9", '"ten"'
    )
    expect_one(write_study(("=~ s1", "=~ s7")), "E-ITEM", "study.yaml:15", '"s7"', "q1, q2, s1")


def test_an_item_in_two_constructs(write_study):
    twice = [("  - {name: s1,", "  - {name: q1, construct: satisfaction, scale: ten, column: z}\n  - {name: s1,")]
    found = expect_one(write_study(codebook=twice), "E-ITEM-TWICE", "codebook.yaml:9", "codebook.yaml:7")
    assert "quality" in found.what.zh
    error = problems_of(write_study(("=~ s1", "=~ s1 + q1")))
    assert [p.code for p in error.problems] == ["E-ITEM-TWICE"]
    assert '"q1" is in 2 constructs: quality, satisfaction' in str(error)


def test_codebook_slips(write_study):
    expect_one(write_study(codebook=[("column: 满意度", "column: q1")]), "E-COLUMN", "codebook.yaml:9", "q1 and s1")
    expect_one(write_study(codebook=[("min: 1, max: 10", "min: 10, max: 1")]), "E-SCALE", "codebook.yaml:2")
    expect_one(write_study(codebook=[("99: refused", "9: refused")]), "E-SCALE", "codebook.yaml:2", "inside its range")
    for name in ("weight", "quality", "1st", "two words"):
        error = problems_of(write_study(("=~ s1", "=~ q1"), codebook=[("name: s1", f"name: {name}")]))
        assert ("E-NAME", "codebook.yaml:9") in [(p.code, p.where) for p in error.problems]


def test_more_than_one_focal_brand_and_names_twice(write_study):
    second = ("focal: true}", "focal: true}\n  - {name: A, focal: yes}")
    error = problems_of(write_study(second, ("[2024Q1, 2024Q2]", "[2024Q1, 2024Q2, 2024Q1]")))
    assert sorted((p.code, p.where) for p in error.problems) == [
        ("E-FOCAL", "study.yaml:12"), ("E-TWICE", "study.yaml:12"), ("E-TWICE", "study.yaml:9"),
    ]  # fmt: skip


def test_model_text_points_at_the_line_of_the_study_file(write_study):
    error = problems_of(write_study(("satisfaction ~ quality", "satisfaction ~ + quality")))
    assert error.problems[0].where.startswith("study.yaml:16 (model, line 3, column")
    error = problems_of(write_study(("satisfaction ~ quality", "satisfaction ~ qualty")))
    assert error.problems[0].where.startswith("study.yaml:16")


def test_a_cycle_in_the_paths(write_study):
    circle = ("satisfaction ~ quality", "satisfaction ~ quality\n    quality ~ satisfaction")
    error = problems_of(write_study(circle))
    assert error.problems[0].where == "study.yaml:13"
    assert "circle" in str(error)


CARD = (("  text: |\n    quality =~ q1 + q2\n    satisfaction =~ s1\n    satisfaction ~ quality\n", "  card: scsb\n"),)


def test_a_card_whose_constructs_the_codebook_lacks(write_study):
    error = problems_of(write_study(*CARD))
    assert {(p.code, p.where) for p in error.problems} == {("E-ROLE", "study.yaml:13")}
    said = str(error)
    for word in ("expectation", "perceived_value", "complaints", "loyalty", "items", "quality, satisfaction"):
        assert word in said


def test_a_card_by_mapping_and_leaving_out(write_study):
    card = "  card: scsb\n  constructs: {perceived_value: quality}\n  without: [expectation, complaints, loyalty]\n"
    study = read_study(write_study((CARD[0][0], card)))
    assert study.model.names == ("perceived_value", "satisfaction")
    assert study.model["perceived_value"].items == ("q1", "q2")


def test_unknown_card_and_unknown_mapping(write_study):
    error = problems_of(write_study((CARD[0][0], "  card: acsii\n")))
    assert error.problems[0].where.startswith("study.yaml:13")
    assert "acsi" in str(error)
    error = problems_of(write_study((CARD[0][0], "  card: scsb\n  constructs: {percieved_value: quality}\n")))
    assert 'Did you mean "perceived_value"?' in str(error)


def test_two_models_are_one_too_many(write_study):
    expect_one(write_study(("  text: |", "  card: acsi\n  text: |")), "E-MODEL", "study.yaml:12", "card and text")


def test_hostile_labels_are_kept_as_texts(write_study):
    study = read_study(write_study(("en: Alpha", 'en: "<script>alert(1)</script>"'), ("en: Shop", 'en: "=cmd|x"')))
    assert study.brands["A"].en == "<script>alert(1)</script>"
    assert study.title.en == "=cmd|x"


def test_speeders_need_a_duration(write_study):
    expect_one(write_study(("index:", "rules: {speeders: drop}\nindex:")), "E-KEY", "study.yaml:17", "duration")


def test_answers_with_a_codebook_alone(write_study, tmp_path):
    write_study()
    panel = read_panel(
        tmp_path / "answers.csv", tmp_path / "codebook.yaml", keys={"respondent": "id", "wave": "quarter"}
    )
    assert panel.waves == ("2024Q1", "2024Q2")
    assert read_codebook(tmp_path / "codebook.yaml").keys == {}
    with pytest.raises(Problems, match="there is no file"):
        read_panel(tmp_path / "answers.csv", tmp_path / "nothing.yaml")


def test_problems_of_the_answers_speak_the_language_of_the_study(write_study, tmp_path):
    path = write_study(("language: en", "language: zh"))
    (tmp_path / "answers.csv").write_text(
        "id,quarter,q1,q2,满意度\na,2024Q1,7,3,好\nb,2024Q9,1,1,10\n", encoding="utf-8"
    )
    with pytest.raises(Problems) as error:
        read_study(path).panel()
    assert sorted(p.code for p in error.value.problems) == ["E-NUMBER", "E-WAVE"]
    assert "第 2 行“好”" in str(error.value)


def test_control_characters_and_a_folder_instead_of_a_file(write_study, tmp_path):
    path = write_study(("en: Shop", "en: Sh\x00op"))
    assert [(p.code, p.where) for p in problems_of(path).problems] == [("E-YAML", "study.yaml:3")]
    assert [p.code for p in problems_of(tmp_path).problems] == ["E-FILE"]


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ("{name: A, focal: true}", Text("A", "A")),
        ("{name: A, zh: 甲, focal: true}", Text("甲", "甲")),
        ("{name: A, en: Alpha, focal: true}", Text("Alpha", "Alpha")),
    ],
)
def test_a_brand_without_a_label_is_called_by_what_there_is(write_study, said, label):
    study = read_study(write_study(("{name: A, zh: 甲, en: Alpha, focal: true}", said)))
    assert study.brands["A"] == label


def test_a_measurement_model_without_arrows_is_for_covariance_engines(write_study):
    arrow = ("    satisfaction ~ quality\n", "")
    composites = problems_of(write_study(arrow))
    assert {p.code for p in composites.problems} == {"E-PATH"}
    study = read_study(write_study(arrow, ("index: {", "estimate: {estimator: ml}\nindex: {")))
    assert study.model.names == ("quality", "satisfaction")
    assert not study.model.paths
