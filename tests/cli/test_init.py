"""First drafts from exports: platform columns, missing codes, scales, periods, places, and what is left out."""

import json

import pytest
import yaml

from csi.cli import main
from csi.cli.guess_constructs import construct_of
from csi.cli.guess_scales import scale_of
from csi.models.cards import card_names, read_card

PLATFORM = """\
序号,提交答卷时间,所用时间,来源,来自IP,品牌,期次,1、总体满意度,2、与期望相比的满意度,3、质量总体评价,4．可靠性,5、是否投诉,6、您的性别
1,2026/1/1 10:00:11,60秒,微信,117.1.0.0(北京-北京),甲店,2026年3季度,8,10,-3,9,0,女
2,2026/1/2 10:01:11,61秒,微信,117.1.1.1(北京-北京),乙店,2026年4季度,(跳过),9,10,(空),1,男
3,2026/1/2 10:01:11,61秒,微信,117.1.1.1(北京-北京),乙店,2026年4季度,7,-2,1,2,1,男
"""


@pytest.fixture
def drafted(tmp_path, capsys):
    """Write an export, draft from it; give the machine's answer, the study and the codebook."""

    def run(text, *words, name="export.csv", out=""):
        export = tmp_path / name
        export.write_text(text, encoding="utf-8")
        folder = tmp_path / out
        code = main(["init", str(export), "--out", str(folder), "--json", "--lang", "zh", *words])
        seen = capsys.readouterr().out
        assert code == 0, seen
        study, codebook = (yaml.safe_load((folder / f"{n}.yaml").read_text("utf-8")) for n in ("study", "codebook"))
        return json.loads(seen), study, codebook

    return run


def test_questions_with_platform_codes_are_kept_and_the_codes_declared(drafted):
    found, _, codebook = drafted(PLATFORM, "--card", "ecsi_mobile")
    assert found["roles"] == {"respondent": "序号", "duration": "所用时间", "brand": "品牌", "wave": "期次"}
    assert {c: k for c, k in found["items"].items() if k} == {
        "1、总体满意度": "satisfaction",
        "2、与期望相比的满意度": "satisfaction",
        "3、质量总体评价": "perceived_quality",
        "5、是否投诉": "complaints",
    }
    scales = codebook["scales"]
    assert scales["ten"]["missing"] == {-3: "skipped", "(跳过)": "skipped", -2: "empty", "(空)": "empty"}
    assert (scales["binary"]["min"], scales["binary"]["max"]) == (0, 1)
    labels = {item["column"]: item["zh"] for item in codebook["items"]}
    assert labels["1、总体满意度"] == "总体满意度"


def test_every_unused_column_is_listed_with_its_reason(drafted, tmp_path, capsys):
    found, _, _ = drafted(PLATFORM)
    why = {entry["column"]: entry["why"] for entry in found["unused"]}
    assert set(why) == {"提交答卷时间", "来源", "来自IP", "4．可靠性", "6、您的性别"}
    assert why["6、您的性别"] == "不是数字：“女”、“男”"
    main(["init", str(tmp_path / "export.csv"), "--force", "--lang", "zh"])
    printed = capsys.readouterr().out
    assert all(column in printed and reason in printed for column, reason in why.items())


def test_declared_codes_let_the_answers_be_read(drafted, tmp_path, capsys):
    text = "id,brand,image1,image2,exp1,qua1,val1,sat1,sat2,com1,loy1\n"
    text += "".join(f"{i},A,{5 + i % 5},{6 + i % 4},-3,9,(跳过),8,97,-2,{1 + i % 10}\n" for i in range(40))
    drafted(text.replace("-3,9", "7,9", 1))
    assert main(["check", str(tmp_path / "study.yaml"), "--lang", "en"]) == 0
    assert "not numbers" not in capsys.readouterr().err
    study = yaml.safe_load((tmp_path / "study.yaml").read_text("utf-8"))
    assert "perceived_value" not in study["model"]["text"]  # nobody answered it: no scale to see


@pytest.mark.parametrize(
    ("seen", "scale"),
    [
        ({0, 1}, (0, 1)),
        ({1, 2, 5}, (1, 5)),
        ({1, 6}, (1, 7)),
        ({3, 9}, (1, 10)),
        ({0, 5}, (0, 10)),
        ({0, 60}, (0, 100)),
        ({1}, (1, 5)),
        ({300}, None),
    ],
)
def test_the_narrowest_scale_that_holds_every_answer(seen, scale):
    assert scale_of(seen) == scale


def test_a_yes_no_question_among_scores_keeps_its_own_scale(drafted):
    _, _, codebook = drafted("id,q1,q2,q3\n1,8,0,10\n2,9,1,1\n3,4,0,99\n")
    assert set(codebook["scales"]) == {"ten", "binary"}
    assert codebook["scales"]["ten"]["missing"] == {99: "refused"}
    assert codebook["scales"]["binary"]["missing"] == {}


def test_99_is_an_answer_on_a_scale_of_100(drafted):
    _, _, codebook = drafted("id,sat1\n1,88\n2,99\n3,40\n")
    assert codebook["scales"]["percent"] == {"min": 0, "max": 100, "missing": {}}


@pytest.mark.parametrize(
    ("question", "construct"),
    [
        ("7、与预期相比是否满意", "satisfaction"),
        ("与期望相比", "satisfaction"),
        ("与理想的运营商相比", "satisfaction"),
        ("服务符合预期", "satisfaction"),
        ("2、入网前的期望", "expectation"),
        ("3．总体质量", "perceived_quality"),
        ("Q4：价格合理", "perceived_value"),
        ("exp2", "expectation"),
        ("其他建议", ""),
    ],
)
def test_words_of_satisfaction_decide_before_expectation(question, construct):
    assert construct_of(question, read_card("ecsi_mobile").constructs) == construct


@pytest.mark.parametrize(
    ("waves", "many"), [(("2026Q1", "2026Q2"), 4), (("2026-01", "2026-02"), 12), (("2026H1", "2026H2"), 2)]
)
def test_periods_in_a_year_follow_the_names_of_waves(drafted, waves, many):
    _, study, _ = drafted(f"id,wave,sat1\n1,{waves[0]},8\n2,{waves[1]},9\n")
    assert study["waves"] == {"order": list(waves), "base": waves[0], "per_year": many}


def test_waves_whose_names_do_not_tell_leave_it_out_with_a_comment(drafted, tmp_path):
    _, study, _ = drafted("id,wave,sat1\n1,first,8\n2,second,9\n")
    assert "per_year" not in study["waves"]
    assert "# per_year:" in (tmp_path / "study.yaml").read_text(encoding="utf-8")


def test_the_export_is_named_as_seen_from_the_study_file(drafted):
    _, study, _ = drafted("id,sat1\n1,8\n2,9\n", out="new/place")
    assert study["data"] == [{"file": "../../export.csv"}]


@pytest.mark.parametrize(("lang", "said"), [("en", "Try `csi init {} --encoding gb18030`."), ("zh", "请运行 csi init")])
def test_an_export_in_another_encoding_names_the_option(tmp_path, capsys, lang, said):
    export = tmp_path / "export.csv"
    export.write_bytes("序号,总体满意度,服务质量\n1,8,9\n".encode("gb18030"))
    assert main(["init", str(export), "--lang", lang]) == 1
    err = capsys.readouterr().err
    assert said.format(export) in err
    assert f"csi init {export} --encoding gb18030" in err
    assert main(["init", str(export), "--encoding", "gb18030", "--quiet"]) == 0


def test_a_column_named_like_a_construct_gets_a_name_of_its_own(drafted):
    _, _, codebook = drafted("id,satisfaction,loyalty\n1,8,7\n2,9,3\n")
    constructs = {name for card in card_names() for name in read_card(card).constructs}
    assert {item["column"] for item in codebook["items"]} == {"satisfaction", "loyalty"}
    assert not constructs & {item["name"] for item in codebook["items"]}
