"""Stages, moves, homogeneity, churn: hand cases, scipy, planted chains, every refusal."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy.stats import chi2_contingency, hypergeom, t
from scipy.stats.contingency import expected_freq

import csi
from csi.behaviour.absorption import ahead
from csi.behaviour.homogeneity import homogeneity
from csi.behaviour.transitions import Moves, moves_of, shares, wilson
from csi.display import text
from csi.errors import Problems, Text
from csi.survey.codebook import Codebook, Item, Scale

STAGES = ("new", "regular", "loyal", "gone")
CHAIN = np.array([[0.5, 0.3, 0.1, 0.1], [0.0, 0.7, 0.2, 0.1], [0.0, 0.1, 0.85, 0.05], [0, 0, 0, 1.0]])


def walked(n, waves, rng, start=(0.5, 0.3, 0.2), chain=CHAIN):
    """(waves, n) stages of customers who follow a chain."""
    at = rng.choice(len(start), n, p=start)
    out = [at]
    for _ in range(waves - 1):
        at = (rng.random(n)[:, None] > np.cumsum(chain, axis=1)[at]).sum(axis=1)
        out.append(at)
    return np.array(out)


def panel_of(stages, names=STAGES, **columns):
    """A panel of (waves, n) stages; other columns are of the same shape."""
    waves, n = stages.shape
    frame = pl.DataFrame(
        {
            "respondent": [f"c{i}" for _ in range(waves) for i in range(n)],
            "wave": [f"w{t + 1}" for t in range(waves) for _ in range(n)],
            "stage": [names[k] for k in stages.reshape(-1)],
            **{c: np.asarray(v, dtype=float).reshape(-1) for c, v in columns.items() if c != "item"},
        }
    )
    items = (Item("use1", "usage", Scale("five", 1, 5), Text("Use", "使用")),) if "use1" in columns else ()
    return csi.Panel(
        frame,
        Codebook(items, {}, {}),
        frame.select(i.name for i in items).cast(pl.String),
        tuple(frame["wave"].unique().sort()),
    )


@pytest.fixture(scope="module")
def panel():
    return panel_of(walked(600, 4, np.random.default_rng(3)))


def test_counts_and_shares_of_a_hand_case():
    first = np.repeat([0, 1], [60, 40])
    then = np.concatenate([np.repeat([0, 1], [45, 15]), np.repeat([0, 1], [10, 30])])
    found = csi.lifecycle(panel_of(np.array([first, then]), ("a", "b")))
    rows = found.transitions.filter(from_wave="w1")
    assert rows["count"].to_list() == [45, 15, 10, 30]
    assert rows["share"].to_list() == pytest.approx([0.75, 0.25, 0.25, 0.75], abs=1e-12)
    # Wilson (1927) by hand: (p + z2/2n -+ z sqrt(p q / n + z2 / 4 n2)) / (1 + z2/n)
    z, n, p = 1.959963984540054, 60, 0.75
    middle, half = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert rows["conf_low"][0] == pytest.approx((middle - half) / (1 + z**2 / n), abs=1e-12)
    assert rows["conf_high"][0] == pytest.approx((middle + half) / (1 + z**2 / n), abs=1e-12)
    assert found.table["share"].to_list() == pytest.approx([0.6, 0.4, 0.55, 0.45], abs=1e-12)


def test_homogeneity_is_anderson_and_goodmans_and_scipys(panel):
    found = csi.lifecycle(panel, STAGES, absorbing="gone")
    each = found.transitions.filter(pl.col("from_wave") != "all")
    total = {"x2": 0.0, "g2": 0.0, "df": 0}
    for origin in STAGES[:3]:
        counts = (
            each.filter(origin=origin).pivot("goal", index="from_wave", values="count").drop("from_wave").to_numpy()
        )
        counts = counts[:, counts.sum(axis=0) > 0]
        pearson, ratio = (chi2_contingency(counts, correction=False, lambda_=v) for v in (None, "log-likelihood"))
        row = found.tests.filter(origin=origin).row(0, named=True)
        assert (row["x2"], row["g2"]) == pytest.approx((pearson.statistic, ratio.statistic), rel=1e-10)
        assert (row["p_value"], row["p_g2"]) == pytest.approx((pearson.pvalue, ratio.pvalue), rel=1e-8)
        assert row["df"] == pearson.dof
        assert row["least"] == pytest.approx(expected_freq(counts).min())
        total = {"x2": total["x2"] + row["x2"], "g2": total["g2"] + row["g2"], "df": total["df"] + row["df"]}
    whole = found.tests.filter(origin="all").row(0, named=True)
    assert {k: whole[k] for k in total} == pytest.approx(total)


def test_expected_counts_are_the_row_times_the_pooled_share(panel):
    found = csi.lifecycle(panel, STAGES).transitions
    pooled = found.filter(from_wave="all", origin="new", goal="regular")["share"].item()
    row = found.filter(from_wave="w2", origin="new", goal="regular").row(0, named=True)
    assert row["expected"] == pytest.approx(row["n"] * pooled)


def test_small_expected_counts_take_tables_with_the_same_margins():
    rng = np.random.default_rng(5)
    pair, goal = np.repeat([0, 1], 40), np.concatenate([np.repeat([0, 1], [39, 1]), np.repeat([0, 1], [33, 7])])
    moves = Moves(pair, pair * 0, goal, np.ones(80), np.arange(80), np.zeros(80, dtype=np.int64))
    test = homogeneity(moves, [0], 30, seed=2)[1]
    assert test.how == "same margins"
    # exact, by the hypergeometric law of the first row given the margins
    law = hypergeom(80, 8, 40)
    exact = sum(law.pmf(k) for k in range(9) if abs(k - 4) >= 3)
    assert test.p_value == pytest.approx(exact, abs=4 * np.sqrt(exact / 2000))
    weighted = replace(moves, weight=rng.uniform(0.5, 1.5, 80))
    none = homogeneity(weighted, [0], 30, seed=2)[1]
    assert none.p_value is None
    assert none.reason.code == "R-EXPECTED"


def test_the_design_changes_errors_and_the_test():
    # every customer five times over, as a cluster: X2 / 5 is the test of the fifth
    rng = np.random.default_rng(8)
    pair, goal = np.repeat([0, 1], 200), rng.integers(0, 3, 400)
    own = np.arange(400)
    one = Moves(pair, pair * 0, goal, np.ones(400), own, np.zeros(400, dtype=np.int64))
    many = Moves(*(np.repeat(v, 5) for v in (pair, pair * 0, goal, np.ones(400), own)), one.stratum)
    plain, design = homogeneity(one, [0], 30, 1)[1], homogeneity(many, [0], 30, 1)[1]
    assert design.how == "design"
    assert design.x2 == pytest.approx(5 * plain.x2)
    assert design.p_value == pytest.approx(plain.p_value, abs=0.01)


def test_shares_by_the_design_take_the_effective_number():
    flags = np.eye(2)[np.repeat([0, 1, 0, 1], [30, 20, 10, 40])]
    plan = np.ones(100), np.arange(100), np.zeros(100, dtype=np.int64)
    clusters = np.ones(100), np.repeat(np.arange(10), 10), np.zeros(10, dtype=np.int64)
    alone, together = shares(flags, *plan, 0.95), shares(flags, *clusters, 0.95)
    assert together.std_error[0] > 2 * alone.std_error[0]
    size = 0.4 * 0.6 / together.std_error[0] ** 2
    low, high = wilson(np.array([0.4]), np.array([size]), np.array([t.ppf(0.975, 9)]))
    assert (together.low[0], together.high[0]) == pytest.approx((low[0], high[0]))


def test_time_until_gone_is_that_of_the_chain_and_its_error_that_of_resamples():
    rng = np.random.default_rng(11)
    stages = walked(400, 3, rng)
    names = pl.DataFrame(
        {
            "respondent": [f"c{i}" for _ in range(3) for i in range(400)],
            "wave": [str(t) for t in range(3) for _ in range(400)],
            "stage": [STAGES[k] for k in stages.reshape(-1)],
        }
    )
    moves = moves_of(names, ["0", "1", "2"], STAGES)
    found = ahead(moves, 4, 3, 3, 0.95)
    counts = np.zeros((4, 4))
    np.add.at(counts, (moves.origin, moves.goal), 1)
    p = counts[:3] / counts[:3].sum(axis=1, keepdims=True)
    assert found.value[:, 3] == pytest.approx(np.linalg.solve(np.eye(3) - p[:, :3], np.ones(3)))
    whole = np.vstack([p, [0, 0, 0, 1]])
    assert found.value[:, 2] == pytest.approx(np.linalg.matrix_power(whole, 3)[:3, 3])
    drawn = []
    for _ in range(400):
        who = np.bincount(rng.integers(0, 400, 400), minlength=400)[moves.unit].astype(float)
        drawn.append(ahead(replace(moves, weight=who), 4, 3, 3, 0.95).value)
    drawn = np.array(drawn)
    assert found.std_error[:, :3] == pytest.approx(np.std(drawn[:, :, :3], axis=0), rel=0.15)
    # times are skewed; their interval is made on the log
    assert found.std_error[:, 3] / found.value[:, 3] == pytest.approx(np.std(np.log(drawn[:, :, 3]), axis=0), rel=0.15)


@pytest.mark.slow
def test_planted_chains_are_recovered():
    rng = np.random.default_rng(20)
    shares_, times = [], []
    for _ in range(200):
        found = csi.lifecycle(panel_of(walked(150, 3, rng)), STAGES, absorbing="gone", small=1)
        shares_.append(found.transitions.filter(from_wave="all")["share"].to_numpy().reshape(3, 4))
        times.append(found.ahead.filter(quantity="absorbed", waves=2)["value"].to_numpy())
    middle, error = np.mean(shares_, axis=0), np.std(shares_, axis=0) / np.sqrt(200)
    assert (np.abs(middle - CHAIN[:3]) <= 4 * error + 1e-12).all()
    true = np.linalg.matrix_power(CHAIN, 2)[:3, 3]
    assert (np.abs(np.mean(times, axis=0) - true) < 4 * np.std(times, axis=0) / np.sqrt(200) + 0.002).all()


def test_weights_of_the_first_wave_count():
    stages = np.array([np.zeros(80, dtype=int), np.repeat([0, 1], 40)])
    weight = np.array([np.repeat([3.0, 1.0], 40), np.ones(80)])
    found = csi.lifecycle(panel_of(stages, ("a", "b"), weight=weight), ("a", "b"))
    assert found.transitions.filter(from_wave="w1", origin="a")["share"].to_list() == pytest.approx([0.75, 0.25])
    assert found.table.filter(wave="w2")["share"].to_list() == pytest.approx([0.5, 0.5])


def test_small_rows_are_withheld_and_cannot_be_worked_out():
    stages = np.array([np.repeat([0, 1], [100, 12]), np.zeros(112, dtype=int), np.repeat([0, 1], [60, 52])])
    found = csi.lifecycle(panel_of(stages, ("a", "b")))
    rows = found.transitions.filter(origin="b")
    assert rows["share"].is_null().all()
    assert rows["count"].is_null().all()
    assert any(n.code == "E-BASE" for n in found.notes)
    # of origin a: 100 in the first pair, 112 in the second, both told
    assert found.transitions.filter(origin="a", from_wave="all")["n"][0] == 212
    few = np.array([np.repeat([0, 1], [100, 12]), np.repeat([0, 1], [12, 100]), np.repeat([0, 1], [60, 52])])
    told = csi.lifecycle(panel_of(few, ("a", "b"))).transitions
    assert told.filter(from_wave="all", origin="a")["n"][0] == 100
    assert told.filter(from_wave="w2", origin="a")["share"].is_null().all()


def test_what_is_ahead_tells_nothing_of_few_customers_on_the_way():
    """Of 100 "a" 12 go to "b", of whom 9 are gone next: shares gone from "a" after two waves would tell that."""
    first = np.repeat([0, 1], [100, 12])
    then = np.concatenate([np.repeat([0, 1, 2], [80, 12, 8]), np.repeat([1, 2], [3, 9])])
    found = csi.lifecycle(panel_of(np.array([first, then]), ("a", "b", "gone")), ["a", "b", "gone"], absorbing="gone")
    assert found.transitions.filter(from_wave="w1", origin="a")["share"].null_count() == 0
    assert found.ahead["n"].unique().to_list() == [12]
    assert found.ahead.unique("origin", maintain_order=True)["at_risk"].to_list() == [100, 12]
    assert found.ahead["value"].null_count() == found.ahead.height
    told = csi.lifecycle(panel_of(np.array([first, then]), ("a", "b", "gone")), ["a", "b", "gone"], absorbing="gone",
                         small=10)  # fmt: skip
    p = told.ahead.filter(origin="a", waves=2)["value"].item()
    assert p == pytest.approx(0.08 + 0.8 * 0.08 + 0.12 * 0.75)


def test_what_is_ahead_is_of_the_moves_that_are_pooled():
    few = np.array([np.repeat([0, 1], [100, 12]), np.repeat([0, 1], [12, 100]), np.repeat([0, 1], [4, 108])])
    found = csi.lifecycle(panel_of(few, ("a", "b")), ["a", "b"], absorbing="b")
    one = found.ahead.filter(origin="a", waves=1).row(0, named=True)
    assert one["n"] == found.transitions.filter(from_wave="all", origin="a")["n"][0] == 100
    assert one["value"] == pytest.approx(
        found.transitions.filter(from_wave="all", origin="a", goal="b")["share"].item()
    )


def test_a_repeated_cross_section_has_sizes_only(panel):
    frame = panel.frame.with_columns(pl.concat_str("wave", "respondent").alias("respondent"))
    found = csi.lifecycle(replace(panel, frame=frame), STAGES, absorbing="gone")
    assert not found.transitions.height
    assert not found.tests.height
    assert not found.ahead.height
    note = next(n for n in found.notes if n.code == "E-WAVE")
    assert "repeated cross-section" in note.text.en
    assert "横断面" in note.text.zh
    assert found.table.height == 16
    one = csi.lifecycle(replace(panel, frame=panel.frame.filter(wave="w1"), waves=("w1",)), STAGES)
    assert "one wave" in next(n for n in one.notes if n.code == "E-WAVE").text.en
    nobody = csi.lifecycle(replace(panel, frame=panel.frame.drop("respondent")), STAGES)
    assert any(n.code == "E-WAVE" for n in nobody.notes)


def test_cells_and_both_languages(panel):
    frame = panel.frame.with_columns(
        pl.when(pl.col("respondent").str.len_chars() % 2 == 0).then(pl.lit("A")).otherwise(pl.lit("B")).alias("brand")
    )
    found = csi.lifecycle(replace(panel, frame=frame), STAGES, absorbing="gone", by=["brand"])
    assert set(found.table["brand"]) == set(found.transitions["brand"]) == set(found.tests["brand"]) == {"A", "B"}
    said = csi.lifecycle(panel, STAGES, absorbing="gone", labels={"gone": Text("Churned", "已流失")})
    assert "Churned" in text(said, "en")
    assert "已流失" in text(said, "zh")
    assert "n" in said.table.columns


def refused(panel, *args, **more):
    with pytest.raises(Problems) as caught:
        csi.lifecycle(panel, *args, **more)
    assert all(p.what.zh != p.what.en for p in caught.value.problems)
    return [p.code for p in caught.value.problems], str(caught.value)


def test_refusals_of_stages(panel):
    assert refused(replace(panel, frame=panel.frame.drop("stage")))[0] == ["E-STAGE"]
    codes, said = refused(panel, ("new", "regular", "gone"))
    assert codes == ["E-STAGE"]
    assert "loyal" in said
    assert refused(panel, (*STAGES, "new"))[0] == ["E-STAGE"]
    assert refused(panel, STAGES, absorbing="churned")[0] == ["E-STAGE"]
    codes, said = refused(panel, STAGES, absorbing="loyal")
    assert codes == ["E-STAGE"]
    assert "lead out of" in said
    gone = replace(panel, frame=panel.frame.with_columns(pl.lit("gone").alias("stage")))
    codes, said = refused(gone, STAGES, absorbing="gone")
    assert codes == ["E-STAGE"]
    assert "every customer" in said
    one = replace(panel, frame=panel.frame.filter(respondent="c0"))
    codes, said = refused(one, STAGES)
    assert codes == ["E-STAGE"]
    assert "1 customer " in said
    twice = replace(panel, frame=pl.concat([panel.frame, panel.frame.head(1)]))
    assert refused(twice, STAGES)[0] == ["E-DUPLICATE"]
    assert refused(panel, STAGES, by=["colour"])[0] == ["E-BY"]
    assert refused(panel, STAGES, level=2.0)[0] == ["E-SETTING"]


def test_answers_at_a_stage_that_cannot_have_them_are_refused():
    stages = walked(100, 2, np.random.default_rng(1))
    filled = panel_of(stages, use1=np.full(stages.shape, 3.0))
    codes, said = refused(filled, STAGES, only={"usage": ["regular", "loyal"]})
    assert codes == ["E-DESIGN"]
    assert "regular, loyal" in said
    fine = panel_of(stages, use1=np.where((stages == 1) | (stages == 2), 3.0, np.nan))
    fine = replace(fine, frame=fine.frame.with_columns(pl.col("use1").fill_nan(None)))
    assert csi.lifecycle(fine, STAGES, only={"usage": ["regular", "loyal"]}).table.height
    assert refused(fine, STAGES, only={"age": ["new"], "use1": ["old"]})[0] == ["E-ROLE", "E-STAGE"]


def test_rows_without_a_stage_are_noted_and_nobody_churning_has_a_reason(panel):
    some = panel.frame.with_columns(pl.when(pl.int_range(pl.len()) < 7).then(None).otherwise("stage").alias("stage"))
    found = csi.lifecycle(replace(panel, frame=some), STAGES)
    assert "7 of 2400" in next(n for n in found.notes if n.code == "W-STAGE").text.en
    stay = np.array([[0] * 50 + [1] * 50, [1] * 50 + [0] * 50])
    never = csi.lifecycle(panel_of(stay, ("a", "b")), ("a", "b", "gone"), absorbing="gone")
    assert never.ahead["value"].is_null().all()
    assert "nobody can reach" in never.ahead["reason"][0]
    everyone = csi.lifecycle(panel_of(np.array([[0] * 40, [3] * 40])), STAGES, absorbing="gone")
    time = everyone.ahead.filter(quantity="time", origin="new").row(0, named=True)
    assert (time["value"], time["conf_low"]) == (1.0, None)


@pytest.mark.parametrize(
    ("later", "en", "zh"), [(62, ", which overlap)", "有重叠）"), (95, ", which do not overlap)", "不重叠）")]
)
def test_the_first_sentence_says_whether_two_intervals_overlap(later, en, zh):
    stages = np.array([[1] * 60 + [0] * 40, [1] * later + [0] * (100 - later)])
    said = csi.lifecycle(panel_of(stages), STAGES).sentences[0]
    assert en in said.en
    assert zh in said.zh
    assert "change" not in said.en
