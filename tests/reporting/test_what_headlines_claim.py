"""What stands over a section on expectation is what its own numbers say: which slope, limit, sign, and whose n."""

import functools
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

import csi
from csi.reporting.methods.card_finding import finding
from csi.reporting.methods.library import run_method
from csi.reporting.sections import behind

STUDY = csi.Study.read(Path(__file__).parents[2] / "data" / "insurance" / "study.yaml")


@functools.cache
def panel():
    return STUDY.panel()


@functools.cache
def section(name):
    return run_method(STUDY, panel(), name)


@functools.cache
def run(name):
    own = {"desire": "claims"} if name == "edt_desire" else None
    return csi.run_card(name, panel(), constructs=own, replicates=200)


def test_a_curve_without_a_bend_is_told_by_the_slope_of_its_straight_line():
    told = section("loyalty_curve")
    straight, table = told.data["fits"]["slope"].item(), told.data["slopes"]
    assert f"{straight:.2f}" not in [f"{v:.2f}" for v in table["slope"]]  # of no segment
    assert f"goes with {straight:.2f} [" in told.title.en
    assert f"相应高 {straight:.2f} [" in told.title.zh


def test_who_expects_too_much_is_told_by_the_limit_and_by_nobody_below_it():
    told = section("reasonable")
    rows = {r["attribute"]: r for r in told.data["reasonable"].iter_rows(named=True)}
    limit = rows["terms"]["limit"]
    assert limit == pytest.approx(5.6 + 1.6448536 * 1.4 * (1 + 1 / 4100) ** 0.5)  # of benchmarks.csv, by hand
    assert f"expect more of Exclusions made clear than {limit:.2f}, which 5% of the industry's deliveries exceed" in (
        told.title.en
    )
    assert f"高于 {limit:.2f}（行业交付水平中仅 5% 超过）" in told.title.zh
    ten = told.data["limits"].filter(alpha=0.1).sort("unreasonable", descending=True)["attribute"][0]
    assert (ten, "at the limit that 10% exceed" in told.title.en, "若界限取行业 10% 超过" in told.title.zh) == (
        "amount" if ten == "amount" else "speed", True, True,
    )  # fmt: skip
    assert (rows["amount"]["limit"], rows["amount"]["unreasonable"], rows["amount"]["advice"]) == (None, None, None)
    assert not any("Fair amount paid" in s.en for s in told.paragraphs)
    assert any("top of the scale" in n.text.en and "量表上限" in n.text.zh for n in told.notes)


@pytest.mark.parametrize(
    ("name", "table", "en", "zh"),
    [
        ("servqual", "predictive", "What explains “Quality of service overall”", "对“总体服务质量”的解释"),
        ("promise", "slopes", "Quality of service overall: a breach", "总体服务质量：违背承诺"),
    ],
)
def test_an_outcome_called_as_a_row_keeps_its_own_label(name, table, en, zh):
    (own,) = (t for t in section(name).tables if t.name == table)
    assert en in own.title.en
    assert zh in own.title.zh


def test_an_index_says_what_is_explained_and_apart_from_it_what_moves_it_most():
    said = finding(run("acsi"))
    explained, first = said.en.split("; point for point, customer satisfaction goes most with ")
    assert "is explained, and" in explained
    assert first
    assert "的变动最大" in said.zh
    gains = run("acsi").impact.filter(target="satisfaction").sort("gain", descending=True)
    assert first.startswith(run("acsi").model.label(gains["construct"][0]).lower())


def test_drivers_that_cannot_be_told_apart_are_not_ranked():
    told = section("drivers")
    top, second = told.data["drivers"].sort("share", descending=True).head(2).iter_rows(named=True)
    assert top["share_conf_low"] < second["share"] < top["share"] < second["share_conf_high"]
    assert told.title.en.endswith("which accounts for most cannot be told")
    assert told.title.zh.endswith("孰大尚不能区分")
    assert all(f"({r['share']:.1%})" in told.title.en for r in (top, second))


def test_what_kano_leaves_undecided_is_of_no_kind():
    told = section("kinds")
    rows = told.data["surprise"]
    open_ = rows.filter(pl.col("support") < 0.95)
    assert open_.height
    assert set(open_["kind"]) == {"undecided"}
    assert "undecided" not in rows.filter(pl.col("support") >= 0.95)["kind"].to_list()
    (said,) = (p for p in told.paragraphs if p.en.startswith("Basic"))
    assert "undecided: A personal adviser" in said.en
    assert "尚未判定：专属顾问" in said.zh


def test_whose_cfi_is_whose():
    card, rival = run("loyalty").rivals.to_dicts()
    said = finding(run("loyalty"))
    short = [f"{r['cfi']:.3f}".removeprefix("0") for r in (card, rival)]
    assert said.en.endswith(f"CFI {short[0]} against the rival's {short[1]}")
    assert said.zh.endswith(f"CFI {card['cfi']:.3f}，竞争模型为 {rival['cfi']:.3f}")
    (told,) = [s for s in run("loyalty").sentences if "one factor" in s.en]
    assert f"Δχ² = {rival['chi2_diff']:.0f}, Δdf = 3, p < .001; CFI {short[1]}, the card's {short[0]})" in told.en
    assert f"CFI {short[1]}，模型卡 {short[0]}）" in told.zh


def test_a_contrast_has_the_sign_of_its_sentence():
    row = run("edt_desire").contrasts.row(0, named=True)
    assert row["conf_high"] < 0  # desires minus expectations
    said = finding(run("edt_desire"))
    assert said.en.startswith("Expectations congruency carries more to satisfaction than desires congruency")
    assert f"effects is {-row['estimate']:.3f} [{-row['conf_high']:.3f}, {-row['conf_low']:.3f}]" in said.en
    assert f"差值 {-row['estimate']:.3f} [" in said.zh
    turned = run("edt_desire").contrasts.with_columns(
        estimate=-pl.col("estimate"), conf_low=-pl.col("conf_high"), conf_high=-pl.col("conf_low")
    )
    other = finding(replace(run("edt_desire"), contrasts=turned))
    assert other.en.startswith("Desires congruency carries more")
    assert f"effects is {-row['estimate']:.3f} [" in other.en


def test_a_masthead_counts_the_interviews_of_the_brand_it_tells():
    many = SimpleNamespace(wave="2026Q3", n={"AH": 404, "TC": 430, "HH": 400}, focal="AH")
    assert behind(many).en.endswith("404 interviews behind the index (of 1,234, 3 brands)")
    assert behind(many).zh.endswith("指数基于 404 份答卷（3 个品牌共 1,234 份）")
    one = SimpleNamespace(wave="2026Q3", n={"AH": 404}, focal="AH")
    assert behind(one).en.endswith("404 interviews behind the index")


def test_a_surface_tells_its_stationary_point_as_answered_too():
    frames = {t.name: t.frame for t in section("surface").tables}
    row = {r["quantity"]: r for r in frames["surface"].iter_rows(named=True)}
    for name in ("expected", "perceived"):
        apart = [row[f"{name}_at"][c] - row[f"{name}0"][c] for c in ("estimate", "conf_low", "conf_high")]
        assert apart == pytest.approx([4.0] * 3)  # the middle of 1 to 7
    texts = next(t.texts for t in section("surface").tables if t.name == "surface")
    assert texts["expected_at"].en == "stationary point, E as answered"
    assert texts["expected_at"].zh == "驻点（期望，按答案量程）"


def test_what_a_section_quotes_it_shows():
    names = [t.name for t in section("edt_inferred").tables]
    assert {"coefficients", "surface"} <= set(names)  # b1, b2 and the stationary point of its sentences and notes


@pytest.mark.parametrize("name", ["loyalty_types", "loyalty_curve", "reasonable", "surface", "promise"])
def test_english_lines_begin_with_a_capital(name):
    told = section(name)
    for said in (told.title.en, told.subtitle.en, *(n.text.en for n in told.notes)):
        word = said.split(" ", 1)[0].rstrip(",:;")
        assert not (word.isalpha() and word.islower() and len(word) > 1), said


def test_types_of_loyalty_are_told_as_what_customers_do():
    said = section("loyalty_types").title
    share = dict(section("loyalty_types").data["types"].select("type", "share").iter_rows())
    assert said.en.startswith(f"{share['loyalty']:.1%} [")
    assert "] of customers are loyal in attitude and in what they do; " in said.en
    assert "] keep buying without attachment (spurious loyalty)" in said.en
    assert "（无情感认同而持续购买）" in said.zh


@pytest.mark.parametrize("name", ["servqual", "surface", "loyalty_curve"])
def test_questions_not_asked_are_counted_and_not_listed_by_code(name):
    (said,) = (n.text for n in section(name).notes if n.code == "N-NOT-ASKED")
    assert "questions (477 of 1777 rows)" in said.en
    assert "个题项（1777 行中 477 行）" in said.zh
    assert not any(code in said.en + said.zh for code in ("tan1_P", "sat1"))
