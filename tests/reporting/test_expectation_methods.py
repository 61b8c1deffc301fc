"""What forms expectation and what follows from it, as sections of a study: reached, told in both languages, drawn."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

import csi
from csi.cli import main
from csi.errors import Problems
from csi.reporting.methods.library import allowed, run_method
from csi.study.options import Options

_spec = importlib.util.spec_from_file_location("forming", Path(__file__).parents[1] / "expectation/forming.py")
forming = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(forming)

STUDY = """csi: 1
study: cover
language: en
data: [{file: answers.csv}]
codebook: codebook.yaml
keys: {respondent: id, stage: phase}
model: {text: "wom =~ wom1 + wom2; satisfaction =~ sat; satisfaction ~ wom"}
index: {target: satisfaction}
bootstrap: {n: 0}
models:
  formation: {causes: {past: judge, promise: advert}}
  formation_by_stage: {stages: {never: new, first: one, long: old}}
  reasonable: {benchmarks: bench.csv}
  mentions: {mentions: mentions.csv}
  kinds: {mentions: mentions.csv}
  stakeholders: {stakeholders: who.csv}
  requirements: {requirements: wanted.csv, relations: relations.csv}
"""
FILES = {
    "bench.csv": "attribute,mean,sd,n,feasible,date\nspeed,4,1,300,yes,\nkind,5,1,300,no,2027-06\n",
    "mentions.csv": "id,attribute,aided,coder\n1,speed,0,A\n1,speed,0,B\n2,kind,1,A\n2,kind,1,B\n",
    "who.csv": "id,role,power,interest,legitimacy,urgency\nLi,customer,5,4,4,5\nWang,agent,2,5,3,2\n",
    "wanted.csv": "requirement,attribute,importance,current,target\nfaster,speed,5,2,4\nkinder,kind,3,3,4\n",
    "relations.csv": "requirement,characteristic,strength\nfaster,system,9\nkinder,staff,9\nkinder,system,1\n",
}
NAMES = (
    "formation",
    "formation_by_stage",
    "kinds",
    "mentions",
    "reasonable",
    "balance",
    "stakeholders",
    "requirements",
)


def line(name, construct, attribute, form, scale="seven", facet="''"):
    """An item of a codebook."""
    head = f"name: {name}, construct: {construct}, attribute: {attribute}, form: {form}, scale: {scale}"
    return f"  - {{{head}, zh: {attribute}, en: {attribute.title()}, facet: {facet}}}"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Three stages of 150; two attributes in forms Ew, P and Es; choices."""
    folder = tmp_path_factory.mktemp("cover")
    panel = forming.staged(150, names={"never": "new", "first": "one", "long": "old"})
    rng = np.random.default_rng(3)
    frame = panel.frame.rename({"stage": "phase"})
    n = frame.height
    buyer = (frame["phase"] != "new").to_numpy()
    e = frame.select(pl.mean_horizontal("e1", "e2")).to_series().to_numpy()
    p = np.clip(np.round(4.6 + rng.normal(size=(n, 2))), 1, 7)
    chose = np.where(buyer, np.nan, rng.random(n) < expit(-4 + e))
    again = np.where(buyer, rng.random(n) < expit(1 + 0.8 * p.mean(axis=1) - 0.9 * e), np.nan)
    more = {"p_speed": p[:, 0], "p_kind": p[:, 1], "s_speed": np.clip(np.round(6 + rng.normal(size=n)), 1, 7)}
    more |= {
        "s_kind": np.clip(np.round(5 + rng.normal(size=n)), 1, 7),
        "sat": p[:, 0],
        "chose": chose,
        "rebought": again,
    }
    frame = frame.with_columns(pl.Series(c, v).fill_nan(None) for c, v in more.items()).with_row_index("id")
    frame.write_csv(folder / "answers.csv", float_precision=3)
    lines = ["scales:", "  seven: {min: 1, max: 7}", "  yes: {min: 0, max: 1}", "constructs:"]
    names = ("wom", "advert", "judge", "first", "exper", "service", "satisfaction", "choice")
    lines += [f"  {c}: {{en: {c.title()}, zh: {c}}}" for c in names]
    lines += ["items:"]

    for i in panel.codebook.items:
        own = {"e1": "speed", "e2": "kind"}.get(i.name)
        lines.append(line(i.name, i.construct, own or i.name, i.form, facet="service" if own else "''"))
    for short, form in (("p", "P"), ("s", "Es")):
        lines += [line(f"{short}_{a}", "service", a, form, facet="service") for a in ("speed", "kind")]
    lines.append(line("sat", "satisfaction", "sat", "P"))
    lines += [line(c, "choice", c, "P", "'yes'") for c in ("chose", "rebought")]
    (folder / "codebook.yaml").write_text("\n".join(lines).replace("  yes:", "  'yes':"), encoding="utf-8")
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder / "study.yaml"


@pytest.mark.parametrize("name", NAMES)
def test_every_method_is_told_in_both_languages_and_drawn(study, name):
    read = csi.Study.read(study)
    section = run_method(read, read.panel(), name)
    assert section.key == name
    assert section.title.en != section.title.zh
    assert all(t.frame.height for t in section.tables)
    for table in section.tables:
        assert all(c.heading.zh for c in table.columns)
    for figure in section.figures:
        for lang in ("en", "zh"):
            assert figure.draw(lang).startswith("<svg")
            assert 'width="360"' in figure.narrow(lang)
    if name in ("formation", "formation_by_stage", "reasonable", "balance"):
        assert section.figures


@pytest.mark.parametrize(
    ("name", "lang", "words"),
    [
        ("formation", "en", ("The causes account for", "Shares of R2")),
        ("formation", "zh", ("各成因共解释期望方差", "占 R² 份额")),
        ("formation_by_stage", "en", ("Never used", "Orders that are said to hold", "Wom > Advert > Judge")),
        ("formation_by_stage", "zh", ("从未使用", "所称的影响次序")),
        ("reasonable", "zh", ("不合理占比", "解释并提供替代方案")),
        ("balance", "en", ("Balance point", "Logit slopes")),
        ("requirements", "en", ("faster weighs most", "Technical characteristics")),
    ],
)
def test_the_verb_prints_the_section(study, capsys, name, lang, words):
    assert main(["expectation", str(study), "--model", name, "--lang", lang]) == 0
    out = capsys.readouterr().out
    assert all(word in out for word in words), out


def test_options_reach_the_models(study, tmp_path):
    read = csi.Study.read(study)
    told = run_method(read, read.panel(), "formation", Options(without=("promise",), given=("without",)))
    assert told.data["formation"]["cause"].to_list() == ["wom", "past"]
    changed = run_method(read, read.panel(), "formation_by_stage", Options(without=("advert",), given=("without",)))
    assert "advert" not in changed.data["stages"]["cause"].to_list()
    status = tmp_path / "status.csv"
    status.write_text("requirement,wave,status\nnone,w1,open\n", encoding="utf-8")
    with pytest.raises(Problems, match="unknown requirements: none"):
        run_method(read, read.panel(), "requirements", Options(status=status, given=("status",)))


def test_what_a_study_lacks_is_named(study, capsys):
    main(["check", str(study), "--json", "--lang", "en"])
    models = {m["name"]: m["lacks"] for m in json.loads(capsys.readouterr().out)["models"]}
    assert all(models[name] == [] for name in NAMES)
    plain = csi.Study.read("data/telecom/study.yaml")
    lacking = {m.name: [n.what.en for n in needs] for m, needs in allowed(plain)}
    assert "at least two causes of expectation" in lacking["formation"][-1]
    assert lacking["stakeholders"] == ["a table of stakeholders"]
    assert any("bought again" in what for what in lacking["balance"])


NO_GROUPS = ("kinds", "mentions", "requirements", "stakeholders", "formation_by_stage")


@pytest.mark.parametrize("name", NO_GROUPS)
def test_groups_of_a_model_that_makes_none_are_refused(study, capsys, name):
    for lang, words in (("en", f"{name} makes no cells: by (--by)"), ("zh", f"{name} 不分单元计算：by（--by）")):
        assert main(["expectation", str(study), "--model", name, "--by", "stage", "--lang", lang]) == 1
        assert words in capsys.readouterr().err


def test_mentions_are_of_no_wave(study):
    read = csi.Study.read(study)
    with pytest.raises(Problems) as raised:
        run_method(read, read.panel(), "mentions", Options(where={"stage": "new"}, given=("where",)))
    (problem,) = raised.value.problems
    assert (problem.code, problem.say("en").count("reads no answers")) == ("E-OPTION", 1)
    assert "不读取" in problem.say("zh")


@pytest.mark.parametrize(
    ("asked", "en", "zh"),
    [
        (
            ["formation", "--causes", "wom=nobody,past=judge,promise=advert"],
            '"nobody" (cause wom) is no construct',
            "“nobody”（成因 wom）不是构念",
        ),
        (["formation", "--without", "wm"], 'without: "wm" is no cause of formation', "“wm”不是 formation 的成因"),
        (["balance", "--chose", "sat"], "sat is answered 1 to 7", "sat 的量程为 1–7"),
    ],
)
def test_what_an_option_names_wrongly_is_refused(study, capsys, asked, en, zh):
    for lang, words in (("en", en), ("zh", zh)):
        assert main(["expectation", str(study), "--model", *asked, "--lang", lang]) == 1
        assert words in capsys.readouterr().err
