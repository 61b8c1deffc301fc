"""Do intervals of shares, of contrasts between chains and of differences between stages cover, and do their tests hold?

    python tests/slow/shares_coverage.py [PANELS]        (about six minutes on one core for 1,000)

Percentile intervals of 399 resamples, or as printed; nominal 95 %. Truth is the same function of a large population.
"card": the emotion card by PLS, 250 rows, composite population, 399 resamples: shares of R2, relative weights, total
effects and correlations of what leads to satisfaction, and the contrast of the two indirect effects; in "card, even"
both chains are alike. "facets": three facets in two forms and satisfaction, 250 rows. "stages": three stages of 110
rows with unequal error variances and predictors, one slope the same at all; "stages, clusters": clusters of 5 that span
the stages. "reasonable": shares above an industry's limit, and above the sample's own 90th percentile. "sides": slopes
on either side (cards' asymmetry, promise, tolerance), errors that grow with the predictor, 250 rows, nothing there.
Gated: total effects, contrasts, differences between stages, gaps of facets, shares above a given limit (92.5 to 97 %,
mean standard error / Monte Carlo deviation within .95 and 1.05); tests at 5 % (4 to 6.5 %; of contrasts at most 5 % and
three errors, as of indirect effects). Tabled: relative weights, shares of R2, shares near 0, the own percentile.
"""

from __future__ import annotations

import sys

import calibration as cal
import numpy as np
import polars as pl
from scipy.special import ndtr

import csi
from csi.claims.asymmetries import asymmetries
from csi.claims.chains import contrasts
from csi.errors import Text
from csi.models.cards import read_card
from csi.models.model import Model
from csi.simulation import population_moments, recipe_of_card, simulate
from csi.survey.codebook import Codebook, Item, Scale

PANELS, SIZE, TRUTH, REPLICATES, TOGETHER = 1000, 250, 300_000, 399, 50
STAGE_SIZE, NINE, WIDE = 110, Scale("nine", 1, 9), Scale("wide", -99, 99)
GATED = ("total effect", "contrast", "between stages", "facet gap", "above a limit")
DISCLOSED: dict[str, str] = {}
CARD = read_card("emotion")
PATHS = {
    "card": {"positive": {"performance": 0.6}, "negative": {"performance": -0.4},
             "satisfaction": {"performance": 0.3, "positive": 0.35, "negative": -0.2}},
    "card, even": {"positive": {"performance": 0.5}, "negative": {"performance": -0.5},
                   "satisfaction": {"performance": 0.3, "positive": 0.25, "negative": -0.25}},
}  # fmt: skip
Rows = list[tuple[str, str, str, float, float, float, float]]
"""study, kind, quantity, estimate, standard error, limits."""


def of_card(study: str, number: int, many: int) -> list[pl.DataFrame]:
    """Shares and the contrast of `many` panels; number 0 is the population."""
    recipe = recipe_of_card(CARD, n=many * SIZE, seed=20261125 + number, population="composite", paths=PATHS[study])
    items = {n: [i.name for i in recipe.items if i.of == n] for n in CARD.constructs if n != "loyalty"}
    model = Model.card.of(CARD, items, covariance=False, without=("loyalty",))
    if not number:
        est = csi.fit(model, population_moments(recipe), csi.PLS())
    else:
        frame = simulate(recipe).frame.select(model.items)
        frame = frame.with_columns(panel=(pl.int_range(pl.len()) // SIZE).cast(pl.String).str.zfill(4))
        est = csi.bootstrap(csi.fit(model, frame, csi.PLS(), by="panel"), REPLICATES, number)
    made = []
    table = csi.driver_shares(est).table
    kinds = {"share": "share of R2", "weight": "relative weight", "total_effect": "total effect",
             "correlation": "correlation"}  # fmt: skip
    blank = pl.lit(None, dtype=pl.Float64)
    panel = pl.col("panel") if number else pl.lit("0")
    for column, kind in kinds.items():
        ends = [pl.col(f"{column}_conf_{e}") if number else blank for e in ("low", "high")]
        width = (ends[1] - ends[0]) / (2 * 1.96)
        made.append(table.select(panel=panel, kind=pl.lit(kind), name="construct", estimate=column, std_error=width,
                                 conf_low=ends[0], conf_high=ends[1]))  # fmt: skip
    found = contrasts(CARD, est)
    made.append(found.select(panel=panel, kind=pl.lit("contrast"), name="contrast", estimate="estimate",
                             std_error="std_error", conf_low="conf_low", conf_high="conf_high"))  # fmt: skip
    return made


def whole(x: np.ndarray) -> np.ndarray:
    """Whole numbers from 1 to 9."""
    return np.clip(np.round(x), 1, 9)


def panel_of(columns: dict[str, np.ndarray], book: Codebook) -> csi.Panel:
    """A panel of complete answers."""
    frame = pl.DataFrame(columns).with_columns(pl.col(book.names).cast(pl.Float64).fill_nan(None))
    return csi.Panel(
        frame, book, frame.with_columns(pl.lit(None, dtype=pl.String).alias(n) for n in book.names).select(book.names)
    )


FACETS = ("functional", "service", "price")
FACET_BOOK = Codebook(
    (
        *(Item(f"{f}_{q}{i}", q, NINE, Text(q, q), f"{q}{i}", f, facet=q)
          for f in ("P", "Ew") for q in FACETS for i in (1, 2)),
        *(Item(f"sat{i}", "satisfaction", NINE, Text("s", "s"), f"sat{i}") for i in (1, 2)),
    ), {}, {},
)  # fmt: skip


def of_facets(rows: int, number: int) -> pl.DataFrame:
    """Gaps of facets, and the shares of what they explain."""
    rng = np.random.default_rng([20261126, number])
    person, wish = 0.7 * rng.normal(size=(2, rows))
    columns, gaps = {}, []
    for j, q in enumerate(FACETS):
        E, P = 6.2 + wish + 0.5 * rng.normal(size=rows), 5.4 + 0.3 * j + person + 0.9 * rng.normal(size=rows)
        gaps.append(P - E)
        for i in (1, 2):
            columns[f"Ew_{q}{i}"] = whole(E + 0.6 * rng.normal(size=rows))
            columns[f"P_{q}{i}"] = whole(P + 0.6 * rng.normal(size=rows))
    sat = 5.5 + 0.5 * gaps[0] + 0.25 * gaps[1] + rng.normal(size=rows)
    columns |= {f"sat{i}": whole(sat + 0.6 * rng.normal(size=rows)) for i in (1, 2)}
    draws = REPLICATES if number else 100
    found = csi.kinds(panel_of(columns, FACET_BOOK), replicates=draws, seed=number + 1).facets
    gap = found.select(kind=pl.lit("facet gap"), name="facet", estimate="gap", std_error="std_error",
                       conf_low="conf_low", conf_high="conf_high")  # fmt: skip
    width = (pl.col("share_high") - pl.col("share_low")) / (2 * 1.96)
    share = found.select(kind=pl.lit("facet share"), name="facet", estimate="share", std_error=width,
                         conf_low="share_low", conf_high="share_high")  # fmt: skip
    return pl.concat([gap, share])


STAGES = {"never": (0.6, 0.3, 0.8, 1.0), "first": (0.3, 0.3, 1.2, 1.2), "long": (0.1, 0.3, 1.6, 0.7)}
"""Slopes of word of mouth and advertising, error, spread of the causes."""
STAGE_BOOK = Codebook(
    (
        *(Item(c, c, WIDE, Text(c, c)) for c in ("wom", "advert")),
        Item("e", "service", WIDE, Text("e", "e"), "a", "Ew"),
    ), {}, {},
)  # fmt: skip


def of_stages(number: int, *, clustered: bool) -> tuple[pl.DataFrame, list[float]]:
    """Differences of slopes between stages; p of the one slope that is the same (three pairs)."""
    rng = np.random.default_rng([20261127, number])
    units = len(STAGES) * STAGE_SIZE // 5
    unit = np.tile(np.arange(units), 5)
    stage = np.repeat(list(STAGES), STAGE_SIZE)
    shared = rng.normal(size=(3, units))[:, unit] * (0.6 if clustered else 0.0)
    slopes, more, noise, spread = (np.repeat([s[k] for s in STAGES.values()], STAGE_SIZE) for k in range(4))
    wom, advert = spread * (rng.normal(size=(2, unit.size)) + shared[:2])
    error = noise * (1 + 0.3 * np.abs(wom)) * (rng.normal(size=unit.size) + shared[2])
    columns = {"wom": wom, "advert": advert, "e": slopes * wom + more * advert + error, "stage": stage}
    if clustered:
        columns["cluster"] = unit.astype(str)
    panel = panel_of(columns, STAGE_BOOK)
    found = csi.formation_by_stage(panel, causes=("wom", "advert"), hypotheses={}, replicates=100).across
    name = pl.format("{}: {} less {}", "cause", "first", "second")
    told = found.select(kind=pl.lit("between stages"), name=name, estimate="difference", std_error="std_error",
                        conf_low="conf_low", conf_high="conf_high")  # fmt: skip
    return told, found.filter(cause="advert")["p_value"].to_list()


LIMITS = pl.DataFrame({"attribute": ["slow", "fast"], "mean": [5.0, 6.4], "sd": [1.2, 1.2], "n": [200, 200]})
LIMIT_BOOK = Codebook(tuple(Item(a, "service", NINE, Text(a, a), a, "Es") for a in ("slow", "fast")), {}, {})
CENTRES, SPREAD = {"slow": 6.2, "fast": 5.6}, float(np.hypot(0.8, 1.2))


def above(attribute: str, limit: float) -> float:
    """Share of the population that answers above a limit."""
    return float(ndtr((CENTRES[attribute] - np.floor(limit) - 0.5) / SPREAD))


def of_limits(rows: int, number: int) -> pl.DataFrame:
    """Shares above a limit; above the sample's own 90th percentile, and less the population's share above it."""
    rng = np.random.default_rng([20261128, number])
    person = rng.normal(size=rows)
    columns = {a: whole(m + 0.8 * person + 1.2 * rng.normal(size=rows)) for a, m in CENTRES.items()}
    panel = panel_of(columns, LIMIT_BOOK)
    made = []
    for benchmarks, kind in ((LIMITS, "above a limit"), (None, "above the own 90th percentile")):
        found = csi.reasonable(panel, benchmarks).table
        width = (pl.col("conf_high") - pl.col("conf_low")) / (2 * 1.97)
        made.append(found.select(kind=pl.lit(kind), name="attribute", estimate="unreasonable", std_error=width,
                                 conf_low="conf_low", conf_high="conf_high"))  # fmt: skip
    there = pl.Series([above(a, x) for a, x in found.select("attribute", "limit").iter_rows()])
    moved = made[1].with_columns(pl.col("estimate", "conf_low", "conf_high") - there,
                                 kind=pl.lit("above the percentile that is printed"))  # fmt: skip
    kind = pl.when(pl.col("name") == "fast").then(pl.lit("above a limit, near 0")).otherwise("kind")
    return pl.concat([made[0].with_columns(kind=kind), made[1], moved])


SIDE_BOOK = Codebook(
    (
        *(Item(f, "service", WIDE, Text(f, f), "a", f) for f in ("P", "Ew", "Ea", "Ed")),
        *(Item(n, n, WIDE, Text(n, n)) for n in ("even", "trust", "one", "two", "through")),
    ), {}, {},
)  # fmt: skip
SIDED = ("card: below or above the mean", "promise: short or over", "zone: below, within, above")
TRUST = read_card("trust_sss")


def of_sides(rows: int, number: int) -> list[float]:
    """p of true claims: card's asymmetry, promise, zone."""
    rng = np.random.default_rng([20261129, number])
    wish, person, one, two = rng.normal(size=(4, rows))
    Ea = np.round(4 + wish + 0.5 * rng.normal(size=rows))
    Ed = Ea + np.round(1.5 + np.abs(rng.normal(size=rows)))
    Ew, P = np.round(5 + wish + 0.5 * rng.normal(size=rows)), np.round(5.2 + 0.6 * wish + 1.3 * person)
    noise = (1 + 0.2 * np.abs(P - Ew)) * rng.normal(size=rows)
    even, through = 0.4 * (P - Ew) + 0.2 * P + noise, 0.3 * Ea + 0.5 * P + noise
    trust = 0.4 * one + 0.3 * (0.5 * one + two) + (1 + 0.3 * np.abs(one)) * rng.normal(size=rows)
    columns = {"P": P, "Ew": Ew, "Ea": Ea, "Ed": Ed, "even": even, "through": through, "trust": trust, "one": one,
               "two": 0.5 * one + two}  # fmt: skip
    panel = panel_of(columns, SIDE_BOOK)
    outcome, causes = next(iter(TRUST.asymmetry.items()))
    items = {outcome: ("trust",), causes[0]: ("one",), causes[1]: ("two",)}
    card = asymmetries(TRUST, items, panel)["difference_p"][0]
    kept = csi.promise(panel, outcome="even").slopes.filter(kind="overall")["difference_p"][0]
    zone = csi.tolerance(panel, outcome="through").slopes.filter(kind="overall")["p_equal"][0]
    return [np.nan if p is None else p for p in (card, kept, zone)]


NAMES = ["kind", "name"]
TOLD = ("estimate", "std_error", "conf_low", "conf_high")


def numbers(frame: pl.DataFrame) -> np.ndarray:
    """(quantities, 4)."""
    return frame.sort(NAMES).select(TOLD).cast(pl.Float64).fill_null(np.nan).to_numpy()


def single(number: int) -> np.ndarray:
    """(quantities + 9, 4) of the studies that take a panel at a time; the last rows hold p-values."""
    plain, p = of_stages(number, clustered=False)
    grouped, p_grouped = of_stages(number, clustered=True)
    frames = [of_facets(SIZE, number), plain, grouped, of_limits(SIZE, number)]
    tests = np.full((9, 4), np.nan)
    tests[:, 0] = [*p, *p_grouped, *of_sides(SIZE, number)]
    return np.concatenate([*(numbers(f) for f in frames), tests])


def tables(panels: int) -> dict[str, pl.DataFrame]:
    """Coverage and rejections."""
    covered, nulls = [], []
    for study in PATHS:
        truth = pl.concat(of_card(study, 0, 1)).sort(NAMES)
        runs = [pl.concat(of_card(study, c, TOGETHER)) for c in range(1, max(1, panels // TOGETHER) + 1)]
        each = [numbers(f) for c in runs for f in c.partition_by("panel", maintain_order=True)]
        covered += rows(study, truth, np.stack(each))
        at = truth["kind"].to_list().index("contrast")
        if abs(truth["estimate"][at]) < 2e-3:
            ends = np.stack(each)[:, at, 2:]
            outside = np.where((ends[:, 0] > 0) | (ends[:, 1] < 0), 0.0, 1.0)  # rejected at 5 %, or not
            nulls.append(cal.null_row(study, "contrast that is 0, by its interval", outside, "conservative"))
    runs = cal.over(single, panels)
    true = {"facets": of_facets(TRUTH, 0), "stages": planted(), "stages, clusters": planted(),
            "reasonable": of_limits(TRUTH, 0)}  # fmt: skip
    start = 0
    for study, frame in true.items():
        covered += rows(study, frame.sort(NAMES), runs[:, start : start + frame.height])
        start += frame.height
    for j, study in enumerate(("stages", "stages, clusters")):
        p = runs[:, start + 3 * j : start + 3 * j + 3, 0]
        nulls.append(cal.null_row(study, "same slope at two stages", p, "level"))
    nulls += [cal.null_row("sides", s, runs[:, start + 6 + j, 0], "level") for j, s in enumerate(SIDED)]
    return {"shares_coverage": pl.DataFrame(covered), "shares_nulls": pl.DataFrame(nulls)}


def planted() -> pl.DataFrame:
    """The differences between stages."""
    names, values = [], []
    for k, cause in enumerate(("wom", "advert")):
        for a, b in (("never", "first"), ("never", "long"), ("first", "long")):
            names.append(f"{cause}: {a} less {b}")
            values.append(STAGES[a][k] - STAGES[b][k])
    return pl.DataFrame({"kind": "between stages", "name": names, "estimate": values})


def rows(study: str, truth: pl.DataFrame, found: np.ndarray) -> list[dict[str, object]]:
    """Lines of one study."""
    pairs, at = list(truth.select(NAMES).iter_rows()), truth["estimate"].to_numpy()
    return cal.coverage_rows(study, pairs, "as printed", at, found[..., 0], found[..., 1:].swapaxes(1, 2), GATED)


def page(covered: pl.DataFrame, nulls: pl.DataFrame) -> str:
    """The tables as Markdown."""
    missed = cal.missed(covered, nulls)
    parts = [
        "# Intervals of shares, contrasts and differences between stages",
        (__doc__ or "").strip().split("\n\n", 1)[1].replace("    python", "python", 1),
        "## Coverage of 95 % intervals",
        cal.markdown(cal.spans(covered)),
        cal.markdown(covered.select("study", "kind", "quantity", "truth", "coverage", "truth_below", "truth_above",
                                    "se_ratio", "usable", "gate")),
        "## Rejections of true claims",
        cal.markdown(cal.rates(nulls)),
        "## Missed gates",
        cal.disclosed_section(missed, DISCLOSED),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def failures(covered: pl.DataFrame, nulls: pl.DataFrame) -> list[str]:
    """Misses that are not disclosed."""
    return cal.failures(cal.missed(covered, nulls), DISCLOSED)


if __name__ == "__main__":
    sys.exit(cal.run(tables, page, failures, "shares_coverage", PANELS))
