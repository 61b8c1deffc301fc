"""What was planted among the insurers is found: every model against the population's own value.

Truth is the same quantity in the population (exact moments, or a large draw without fieldwork); a finding may differ
from it by its own sampling error only. With some hundred comparisons the bound is four and a half standard errors.
"""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.simulation import clean, codebook_of, population_moments, read_recipe, simulate

FOLDER = Path(__file__).parents[2] / "data" / "insurance"
BOUND = 4.5
CUSTOMERS = ("first", "long")


@pytest.fixture(scope="module")
def recipe():
    return read_recipe(FOLDER / "recipe.yaml")


@pytest.fixture(scope="module")
def panel():
    return csi.Study.read(FOLDER / "study.yaml").panel()


@pytest.fixture(scope="module")
def moments(recipe):
    """Exact moments of the answers of all customers."""
    return population_moments(recipe, by=(), stages=CUSTOMERS)


@pytest.fixture(scope="module")
def many(recipe):
    """A large draw without fieldwork: 18,000 respondents, absent answers null."""
    frame = simulate(clean(recipe, 6_000)).frame
    items = [q.name for q in recipe.asked]
    codes = {q.name: [int(c) for c in recipe.scale_of(q).missing] for q in recipe.asked}
    return frame.with_columns(pl.when(~pl.col(i).is_in(codes[i])).then(pl.col(i).cast(pl.Float64)) for i in items)


@pytest.fixture(scope="module")
def whole(many, recipe):
    """The large draw as a panel: what a function finds here is its population value, but for a fifth of an error."""
    roles = {recipe.column(r): r for r in ("respondent", "wave", "brand", "weight", "stage", "segment")}
    frame = many.drop(recipe.column("duration")).rename(roles)
    reasons = many.select(
        pl.when(pl.col(q.name).is_null()).then(pl.lit("not_asked")).alias(q.name) for q in recipe.asked
    )
    return csi.Panel(frame, codebook_of(recipe), reasons)


@pytest.fixture(scope="module")
def truth():
    table = pl.read_csv(FOLDER / "truth.csv")
    return {(k, n): v for k, n, v in table.filter(pl.col("brand") == "").select("kind", "name", "value").iter_rows()}


def test_gaps(panel, moments):
    table = csi.gap(panel).table.filter(pl.col("kind") == "attribute")
    mean = dict(zip(moments.names, moments.mean[0], strict=True))
    true = np.array([mean[f"{a}_P"] - mean[f"{a}_Ew"] for a in table["name"]])
    z = (table["gap"].to_numpy() - true) / table["std_error"].to_numpy()
    assert len(z) == 22
    assert np.abs(z).max() < BOUND
    assert table.sort("gap")["name"].head(2).to_list() == ["res11", "rel5"]


def off(found, true, key, value, error):
    """How far, in standard errors, the values of a table lie from those of the same table in the population."""
    both = found.join(true, on=key, how="inner", suffix="_true").drop_nulls([value, error, f"{value}_true"])
    assert both.height >= max(1, found.drop_nulls([value, error]).height - 2)
    return np.abs((both[value] - both[f"{value}_true"]).to_numpy()) / both[error].to_numpy()


@pytest.mark.slow
def test_expected_quality_does_not_stand_equal_and_opposite(panel, whole):
    found, true = (csi.gap(p, outcome="overall").constraint for p in (panel, whole))
    for side in ("expected", "perceived"):
        assert off(found, true, "name", f"b_{side}", f"std_error_{side}").max() < BOUND
    assert found.filter(pl.col("name") == "overall")["p_difference"].item() < 0.001


@pytest.mark.slow
def test_the_surface_of_overall_quality(panel, whole, truth):
    found, true = (csi.surface(p, outcome="overall", replicates=100) for p in (panel, whole))
    assert off(found.coefficients, true.coefficients, "term", "estimate", "std_error").max() < BOUND
    assert off(found.table, true.table, "quantity", "estimate", "std_error").max() < BOUND
    # in the population the stated slopes, but for the ends of the ten-point scale
    got = dict(true.coefficients.select("term", "estimate").iter_rows())
    got |= {"error": dict(true.coefficients.select("term", "std_error").iter_rows())}
    names = {"b1": "expected", "b2": "experienced", "b3": "expected*expected"}
    names |= {"b4": "expected*experienced", "b5": "experienced*experienced"}
    for term, name in names.items():
        assert abs(got[term] - truth["slope", f"overall~{name}"]) < BOUND * got["error"][term] + 0.03, term
    claims = dict(found.claims.select("claim", "p_value").iter_rows())
    assert claims["additive"] < 0.001
    assert claims["difference"] < 0.001
    assert found.asymmetry["b_short"].item() > found.asymmetry["b_over"].item()


@pytest.mark.slow
def test_the_stationary_point_lies_where_it_is_planted(whole, truth):
    found = csi.surface(whole, outcome="overall", replicates=1000)
    slope = {n: truth["slope", f"overall~{n}"] for n in ("expected", "experienced")}
    square, mixed, other = (
        truth["slope", f"overall~{n}"] for n in ("expected*expected", "expected*experienced", "experienced*experienced")
    )
    curvature = np.array([[2 * square, mixed], [mixed, 2 * other]])
    planted = np.linalg.solve(curvature, [-slope["expected"], -slope["experienced"]])
    rows = {r["quantity"]: r for r in found.table.iter_rows(named=True)}
    assert not found.reasons
    for name, at in zip(("expected0", "perceived0"), planted, strict=True):
        assert rows[name]["conf_low"] < at < rows[name]["conf_high"], (name, rows[name])


@pytest.mark.slow
def test_what_forms_expectation(panel, whole):
    found, true = (csi.formation(p, outcome="expectation", replicates=100) for p in (panel, whole))
    assert off(found.table, true.table, "cause", "slope", "std_error").max() < BOUND
    ranked = true.table.sort("share", descending=True)["cause"].to_list()
    assert ranked[0] == "wom"
    assert set(ranked[-3:]) == {"role", "need", "social"}  # these lead to what should be, is desired or accepted
    assert found.table.sort("share", descending=True)["cause"].item(0) == "wom"


@pytest.mark.slow
def test_what_forms_expectation_at_each_stage(panel, whole):
    found, true = (csi.formation_by_stage(p, outcome="expectation", replicates=200) for p in (panel, whole))
    assert off(found.table, true.table, ["stage", "cause"], "slope", "std_error").max() < BOUND
    shares = {s: t.sort("share", descending=True)["cause"].to_list() for (s,), t in true.table.group_by("stage")}
    assert shares["never"] == ["wom", "advert", "judge"]
    assert shares["first"][:3] == ["first", "wom", "advert"]
    assert shares["long"][:3] == ["exper", "wom", "judge"]
    declared = found.orders.filter("declared")
    support = dict(declared.select("stage", "support").iter_rows())
    weight = dict(declared.select("stage", "weight_complement").iter_rows())
    assert support["never"] > 0.5
    assert support["first"] > 0.5
    assert support["long"] < 0.05
    assert weight["long"] < 0.05
    assert min(weight["never"], weight["first"]) > 0.5


def test_classes_of_kano(panel, truth, recipe):
    table = csi.kano(panel, replicates=200).table
    for row in table.iter_rows(named=True):
        share = {c: truth.get(("class", f"{row['attribute']}: {c}"), 0.0) for c in "MOAIRQ"}
        se = np.sqrt(1.2 * np.array([s * (1 - s) for s in share.values()]) / row["n"])
        got = np.array([row[c] for c in share]) / row["n"]
        assert (np.abs(got - list(share.values())) <= BOUND * se).all(), row["attribute"]
        assert row["category"] == max(share, key=lambda c: share[c])
    assert table.height == len(recipe.kano)


@pytest.mark.slow
def test_recommendation(panel, many):
    found = csi.nps(panel, "likely").table.row(0, named=True)
    asked = many["likely"].drop_nulls()
    true = 100 * ((asked >= 9).mean() - (asked <= 6).mean())
    se = np.hypot(found["std_error"], 100 * 0.82 / np.sqrt(len(asked)))
    assert abs(found["nps"] - true) < BOUND * se


def test_points(panel, truth):
    names = [f"{d}_I" for d in ("tangibles", "reliability", "responsiveness", "assurance", "empathy")]
    points = panel.frame.drop_nulls(names)
    assert (points.select(pl.sum_horizontal(names)).to_series() == 100).all()
    for name in names:
        w = points["weight"].to_numpy()
        got, sd = np.average(points[name].to_numpy(), weights=w), points[name].std()
        assert abs(got - truth["points", name]) < BOUND * sd * np.sqrt((w**2).sum()) / w.sum()


@pytest.mark.slow
def test_the_zone_of_tolerance(panel, whole):
    found, true = (csi.tolerance(p) for p in (panel, whole))
    for gap in ("msa", "mss", "width", "position"):
        assert off(found.table, true.table, ["kind", "name"], gap, f"{gap}_std_error").max() < BOUND
    for share in ("below", "within", "above"):
        half = (pl.col(f"{share}_high") - pl.col(f"{share}_low")) / (2 * 1.96)
        table = found.table.with_columns(half.alias("error"))
        assert off(table, true.table, ["kind", "name"], share, "error").max() < BOUND
    # what is planted: exclusions explained badly, below what is acceptable; nothing else is
    short = true.table.filter((pl.col("kind") == "attribute") & (pl.col("msa") < 0))["name"].to_list()
    assert short == ["terms"]
    assert found.table.filter(pl.col("msa_high") < 0)["name"].to_list() == ["terms"]
    assert found.inconsistent < 0.03


@pytest.mark.slow
def test_promises_kept(panel, whole):
    found, true = (csi.promise(p, outcome="overall") for p in (panel, whole))
    for share in ("broken", "exceeded"):
        half = (pl.col(f"{share}_high") - pl.col(f"{share}_low")) / (2 * 1.96)
        table = found.table.with_columns(half.alias("error"))
        assert off(table, true.table, ["kind", "name"], share, "error").max() < BOUND
    slopes = found.slopes.filter(pl.col("name") == "overall")
    assert slopes["difference_p"].item() < 0.001
    assert slopes["b_short"].item() > slopes["b_over"].item()


CARDS = {
    "acsi": {},
    "acsi_government": {},
    "ccsi": {},
    "csi_value": {},
    "ecm": {},
    "ecsi": {},
    "ecsi_mobile": {"without": ["complaints"]},
    "edt": {},
    "edt_desire": {"constructs": {"desire": "claims"}},
    "edt_inferred": {},
    "emotion": {},
    "expectation_facets": {"without": ["price"]},
    "formation": {"constructs": {"will": "expectation"} | dict.fromkeys(("should", "desired", "adequate"), "claims")},
    "hkcsi": {},
    "jcsi": {},
    "kmv": {},
    "loyalty": {},
    "ncsb": {"constructs": {"price": "price_value", "affective_commitment": "commitment"}},
    "perval": {},
    "promise": {},
    "scsb": {},
    "servqual": {},
    "trust_consumer": {},
    "trust_sss": {},
}  # fmt: skip
"""Cards as the study runs them: which construct of the codebook is meant where names differ."""

PATH = ["outcome", "predictor"]


@pytest.mark.slow
@pytest.mark.parametrize("card", CARDS)
def test_every_card_recovers_its_paths(panel, whole, card):
    """The same estimator in the population; a card whose complainants are drawn by an answer has no other truth."""
    options = {"replicates": 100, "rivals": False, **CARDS[card]}
    found, true = (csi.run_card(card, p, **options).table for p in (panel, whole))
    assert off(found, true, PATH, "estimate", "std_error").max() < BOUND
    assert not found.filter(verdict="against").height
    # every path with a sign has that sign in the population, but for the few that are planted at nearly nothing
    against = true.filter((pl.col("expected").is_in(["+", "-"])) & (pl.col("verdict") == "against"))
    assert not against.height


def test_a_card_that_reads_complaints_as_their_handling_is_told_its_sign_is_wrong(panel):
    """Satisfaction raises how complaints are handled; given whether one complained instead, it lowers it."""
    found = csi.run_card("ecsi_mobile", panel, replicates=100, rivals=False)
    assert [n.text.en.split(":")[0] for n in found.notes if n.code == "W-SIGN"] == [
        "Customer satisfaction -> Complaint handling"
    ]


@pytest.mark.slow
def test_covariance_models_find_the_planted_paths(whole, truth):
    """Constructs free of error, as the recipe states them; answers on seven points cost a hundredth or two."""
    planted = {
        "kmv": ("commitment~trust", "commitment~termination_cost", "leaving~commitment", "conflict~trust"),
        "ecm": ("continuance~satisfaction", "continuance~usefulness"),
        "edt": ("disconfirmation~expectation", "disconfirmation~performance"),
    }
    for card, names in planted.items():
        table = csi.run_card(card, whole, estimator=csi.SEM(), rivals=False).table
        got = {f"{y}~{x}": v for y, x, v in table.select("outcome", "predictor", "estimate").iter_rows()}
        for name in names:
            stated = truth["path", name.replace("performance", "perceived_quality")]
            assert got[name] == pytest.approx(stated, abs=0.03), (card, name)


@pytest.mark.slow
def test_rival_models(panel):
    """What is planted: two emotions, five dimensions under one, trust and commitment between, one value behind four."""
    kept = {}
    for card in ("emotion", "servqual", "kmv", "loyalty", "perval"):
        run = csi.run_card(card, panel, replicates=100, **CARDS[card])
        kept |= {r["rival"]: r["p_value"] for r in run.rivals.iter_rows(named=True) if r["p_value"] is not None}
    assert max(kept[r] for r in ("one_bipolar", "responsive_assurance")) < 0.001
    assert min(kept[r] for r in ("without_mediation", "second_order", "dimensions_apart")) > 0.001


@pytest.mark.slow
def test_servqual_weighed_by_points(panel, whole, truth):
    found, true = (csi.servqual(p, outcome="overall") for p in (panel, whole))
    assert off(found.table, true.table, ["kind", "name"], "score", "std_error").max() < BOUND
    weights = dict(true.table.drop_nulls("weight").select("name", "weight").iter_rows())
    for name, weight in weights.items():
        assert 100 * weight == pytest.approx(truth["points", f"{name}_I"], abs=0.6)
    r2 = dict(found.predictive.select("model", "r2").iter_rows())
    assert r2["both"] > max(r2["perceived"], r2["gap"]) + 0.02
    p = {(f, m): v for f, m, v in found.structure.select("form", "model", "p_diff").iter_rows()}
    assert p["P", "second"] > 0.001  # planted: one quality behind five dimensions
    assert p["P", "one"] < 0.001


@pytest.mark.slow
def test_the_balance_point(panel, whole, truth):
    found, true = (csi.balance(p, chose="chose", rebought="rebought", replicates=200) for p in (panel, whole))
    assert off(found.slopes, true.slopes, ["side", "name"], "estimate", "std_error").max() < BOUND
    # in the population: what is planted, at the buyers' mean perception
    a0, a1 = truth["slope", "chose~1"], truth["slope", "chose~expected"]
    c0, c1, c2 = (truth["slope", f"rebought~{n}"] for n in ("1", "experienced", "expected"))
    grid = np.linspace(-3, 3, 60001)
    mean = true.table["perceived"].item() - 4
    both = 1 / (1 + np.exp(-a0 - a1 * grid)) / (1 + np.exp(-c0 - c1 * mean - c2 * grid))
    planted = 4 + grid[both.argmax()]
    for row in (t.table.row(0, named=True) for t in (found, true)):
        assert row["boundary"] == ""
        assert row["conf_low"] < planted < row["conf_high"]


@pytest.mark.slow
def test_what_is_reasonable(panel, whole):
    found, true = (csi.reasonable(p, FOLDER / "benchmarks.csv", expected="Ed") for p in (panel, whole))
    half = (pl.col("conf_high") - pl.col("conf_low")) / (2 * 1.96)
    table = found.table.with_columns(half.alias("error"))
    assert off(table, true.table, "attribute", "unreasonable", "error").max() < BOUND
    advice = dict(true.table.select("attribute", "advice").iter_rows())
    assert advice["notice"] == "meet"
    assert advice["followup"] == "explain_date"
    assert advice["papers"] == "explain_alternative"


@pytest.mark.slow
def test_what_roles_expect(panel, whole):
    found, true = (csi.stakeholders(FOLDER / "stakeholders.csv", panel=p).expectations for p in (panel, whole))
    found, true = (t.with_columns(pl.col("id").fill_null("")) for t in (found, true))
    assert off(found, true, ["id", "kind", "name"], "mean", "std_error").max() < BOUND
    assert found["role"].unique().to_list() == ["customer"]
    assert set(found["id"]) == {"", "policyholders", "prospects"}


@pytest.mark.slow
def test_requirements_stand_beside_their_gaps(panel, whole):
    tables = [FOLDER / f"{n}.csv" for n in ("requirements", "relations", "status")]
    found, true = (csi.requirements(tables[0], relations=tables[1], status=tables[2], panel=p) for p in (panel, whole))
    assert off(found.status, true.status, "requirement", "gap", "std_error").max() < BOUND
    weight = {r["requirement"]: r["weight"] for r in found.table.iter_rows(named=True)}
    assert weight["R1"] == pytest.approx(5 * 6 / 4.9 * 1.5)
    automatic = found.technical.filter(characteristic="straight_through")["weight"].item()
    assert automatic == pytest.approx(9 * weight["R1"] + 9 * weight["R2"] + 3 * weight["R5"])


@pytest.mark.slow
def test_patterns_of_emotion(panel, whole):
    """The number of patterns found again most surely has about the same centres and shares as in the population.

    Finer divisions of these answers, which spread without gaps, differ between samples.
    """
    choice = csi.emotion_patterns(panel, replicates=100).choice
    surest = choice.sort("stability", descending=True)["patterns"][0]
    found, true = (csi.emotion_patterns(p, patterns=surest, replicates=100) for p in (panel, whole))
    assert true.choice["stability"].item() > 0.8
    for name, within in (("share", 0.06), ("positive", 4), ("negative", 4), ("outcome", 2.5)):
        assert (found.table[name] - true.table[name]).abs().max() < within, name
    assert found.table["pattern"][0] == true.table["pattern"][0] == "positive"
    assert found.table["outcome"].is_sorted(descending=True)


@pytest.mark.slow
def test_types_of_loyalty_and_the_curve(panel, whole):
    found, true = (csi.loyalty_types(p).table for p in (panel, whole))
    assert off(found, true, "type", "share", "std_error").max() < BOUND
    found, true = (csi.loyalty_curve(p) for p in (panel, whole))
    assert off(found.table, true.table, ["start", "end"], "slope", "std_error").max() < BOUND
    # satisfaction raises loyalty along a straight line: no bend is planted
    assert found.table["p_change"].drop_nulls().min() > 0.001


def test_kinds_of_expectation(panel):
    found = csi.kinds(panel, FOLDER / "mentions.csv", replicates=200)
    kind = dict(found.surprise.select("attribute", "kind").iter_rows())
    assert {a for a, k in kind.items() if k == "basic"} == {"speed", "notice", "terms", "progress"}
    assert {a for a, k in kind.items() if k == "latent"} == {"plain"}
    assert set(found.facets["facet"]) == {"functional", "emotional", "delivery", "service", "quality"}


@pytest.mark.slow
def test_coders_agree_as_far_as_planted(recipe):
    found = csi.mentions(FOLDER / "mentions.csv", replicates=200)
    many = recipe.model_copy(update={"mentions": recipe.mentions.model_copy(update={"respondents": 3000})})
    true = csi.mentions(simulate(clean(many, 3000)).mentions, replicates=200)
    both = found.agreement.join(true.agreement, on="what", suffix="_true")
    for row in both.iter_rows(named=True):
        error = max((row["conf_high"] - row["conf_low"]) / (2 * 1.96), 1e-9)
        assert abs(row["alpha"] - row["alpha_true"]) < BOUND * error + 1e-9, row["what"]
    kinds = dict(true.table.select("attribute", "kind").iter_rows())
    for attribute, kind in found.table.select("attribute", "kind").iter_rows():
        assert kind in ("open", kinds[attribute]), attribute


def test_mentions_are_coded_as_planted(truth):
    """Shares by the truth; agreement by a large draw of interviews."""
    table = pl.read_csv(FOLDER / "mentions.csv")
    people = table["id"].n_unique()
    assert people == 180
    rows = (
        table.drop_nulls("attribute")
        .group_by("attribute", "coder")
        .agg(n=pl.len(), unaided=(1 - pl.col("aided")).sum())
    )
    for attribute, coder, n, unaided in rows.select("attribute", "coder", "n", "unaided").iter_rows():
        for got, kinds in ((n, ("unaided", "aided")), (unaided, ("unaided",))):
            share = 0.95 * sum(truth[kind, attribute] for kind in kinds)
            assert abs(got / people - share) < BOUND * np.sqrt(share * (1 - share) / people), (attribute, coder)
