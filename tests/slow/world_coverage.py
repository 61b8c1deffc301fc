"""Do the models of time, events and words find what the demonstration study of customers over time plants?

python tests/slow/world_coverage.py [panels]      (writes world_coverage.csv beside it; 200 panels: ten minutes)

The recipe of data/retail, 400 customers who all answer everything in three quarters, nobody leaving (`a: 0` but for
BG/NBD), drawn anew for every panel. Truth is what the recipe states; of shares that no formula gives (emotion, changes
after closing) it is the same share in one draw of 40,000. Counted: how often 95 % limits hold the truth.

Gate: within 3 binomial errors of .95 below, no limit above; the mean estimate within 4 Monte Carlo errors of the truth
where the truth is exact.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

import csi
from csi.behaviour.feedback_cases import Span, cases_of
from csi.behaviour.feedback_scores import differences, pairs_of, rows_of
from csi.behaviour.transitions import flags_of, moves_of, shares
from csi.simulation import clean, codebook_of, read_recipe, simulate
from csi.survey.events import Events
from csi.survey.panel import Panel
from csi.survey.period import days_of

HERE = Path(__file__).parent
RECIPE = HERE.parents[1] / "data" / "retail" / "recipe.yaml"
PANELS, SIZE, LARGE = 200, 400, 40_000
EXACT = {"peak-end", "complaint", "recovery", "intervention", "move", "text", "reach"}
"""Kinds whose truth is exact and whose estimates are without bias."""


@cache
def recipe():
    """Without fieldwork; nobody leaves, so that what members spend more is known."""
    whole = clean(read_recipe(RECIPE), SIZE)
    stay = whole.events.purchases.model_copy(update={"a": 0.0})
    again = whole.panel.model_copy(update={"returning": 1.0})
    events = whole.events.model_copy(update={"purchases": stay})
    levels = {"LJ": {**whole.levels["LJ"], "expectation": (73.0, 69.5, 66.0)}}
    return whole.model_copy(update={"events": events, "panel": again, "levels": levels})


def drawn(seed, size=SIZE, **parts):
    """A panel and its tables."""
    made = simulate(clean(recipe().model_copy(update=parts), size), seed=seed)
    book = codebook_of(made.recipe)
    roles = {v: k for k, v in made.recipe.columns.items() if v in made.frame.columns}
    frame = made.frame.rename(roles).drop("duration", "brand")
    items = [i.name for i in book.items]
    frame = frame.with_columns(pl.col(items).cast(pl.Float64))
    panel = Panel(frame, book, frame.select(pl.col(items).cast(pl.String)), made.recipe.waves)
    bought = made.recipe.events.purchases
    until = {"purchases": bought.until if bought else None, "cases": days_of(made.recipe.waves[-1])[1]}
    tables = {}
    for kind, table in made.tables.items():
        flags = [c for c in ("complained", "failure", "event") if c in table.columns]
        typed = table.with_columns(pl.col(flags).cast(pl.Boolean))
        numbers = [c for c in ("score", "handled_score", "severity", "human_score") if c in table.columns]
        tables[kind] = Events(kind, typed.with_columns(pl.col(numbers).cast(pl.Float64)), until.get(kind), kind)
    return panel, tables


def of_lifecycle(panel, tables):
    """Shares of moves, all pairs of waves together."""
    stages = ("new", "regular", "loyal", "lapsed")
    moved, stated = moves_of(panel.frame, panel.waves, stages), recipe().panel.moves
    for k, origin in enumerate(stages):
        own = moved.of(moved.origin == k)
        found = shares(flags_of(own.goal, 4), own.weight, own.unit, own.stratum, 0.95)
        for j, goal in enumerate(stages):
            if 0 < stated[origin].get(goal, 0) < 1:
                yield "move", f"{origin}>{goal}", stated[origin][goal], found.share[j], found.low[j], found.high[j]


def of_journey(panel, tables):
    """Weights of mean, peak and end; reach."""
    found = csi.journey(tables["contacts"], panel, "trip", scores=(1, 10), small=0)
    slopes = recipe().outcomes[0].slopes
    for row in found.peak_end.filter(model="peak_end").iter_rows(named=True):
        yield "peak-end", row["term"], slopes[f"contact_{row['term']}"] / 0.09, *limits(row)
    for row in found.table.iter_rows(named=True):
        true = recipe().events.contacts.touchpoints[row["touchpoint"]].reach
        yield "reach", row["touchpoint"], true, row["reach"], row["reach_low"], row["reach_high"]


def of_complaints(panel, tables):
    """The slope of complaining, a wave."""
    found = csi.complaints(panel, tables["complaints"], where={"wave": "2026Q2"}, small=0)
    row = found.incidence.row(0, named=True)
    low, high = (np.log(row[c]) / 10 for c in ("odds_low", "odds_high"))
    yield "complaint", "satisfaction", recipe().events.complaints.slope, row["slope"], low, high


def of_recovery(panel, tables):
    """Satisfaction after a failure by recovery, by every way."""
    found = csi.recovery(panel, tables["complaints"], ["satisfaction"], before="2026Q1", top="full",
                         where={"wave": "2026Q2"}, small=0)  # fmt: skip
    part = recipe().events.failures.recovery
    full = part["full"].lifts["satisfaction"]
    less = [part[k] for k in ("none", "part")]
    other = sum(p.share * p.lifts["satisfaction"] for p in less) / sum(p.share for p in less)
    truth = {"recovered - none": full, "failed - none": other, "recovered - failed": full - other}
    for row in found.table.iter_rows(named=True):
        yield "recovery", f"{row['contrast']}, {row['way']}", truth[row["contrast"]], *limits(row)


def of_intervention(panel, tables):
    """What advice by lot adds to satisfaction, in points of 1-10."""
    row = (
        csi.intervention(panel, "satisfaction", "advice", small=0)
        .table.filter(quantity="difference")
        .row(0, named=True)
    )
    yield "intervention", "advice", 0.09 * recipe().panel.flags[0].lifts["satisfaction"], *limits(row)


def of_change(panel, tables):
    """The mean slope of expectation, in points of its first item."""
    found = csi.change(panel, "expectation", "growth", form="Ew", small=0).table
    row = found.filter(pl.col("quantity") == "mean_slope").row(0, named=True)
    yield "change", "slope", drift(), *limits(row)


@cache
def drift():
    """The mean change of the first item from wave to wave: half of that over all three."""
    means = simulate(recipe(), seed=1).truth.filter(kind="mean", name="exp1")["value"]
    return (means[2] - means[0]) / 2


def of_emotion(panel, tables):
    """How much more often strong negative emotion is low a wave later where the complaint was handled."""
    found = csi.emotion_waves(panel, complaints=tables["complaints"], patterns=2, small=0)
    for row in found.difference.iter_rows(named=True):
        yield "emotion", row["outcome"], calmed()[row["outcome"]], row["difference"], row["conf_low"], row["conf_high"]


def of_feedback(panel, tables):
    """Changes of scores, case closed less case still open."""
    for name, adjusted, value, low, high in closing(panel, tables):
        yield "feedback", f"{name}, {'same' if adjusted else 'plain'}", after()[name, adjusted], value, low, high


def closing(panel, tables):
    """Differences of changes by attribute and way."""
    spans = [Span(w, *days_of(w)) for w in panel.waves]
    rows = rows_of(cases_of(tables["cases"]), panel, spans, ["delivery", "service"], None, 0.95)
    found = differences(pairs_of(rows, spans), ["delivery", "service"], 0, 0.95).filter(group="closed", other="open")
    return found.select("attribute", "adjusted", "difference", "conf_low", "conf_high").rows()


@cache
def large():
    """One draw of many customers without purchases."""
    events = recipe().events.model_copy(update={"purchases": None, "members": None, "texts": None, "contacts": None})
    return drawn(77, LARGE, events=events, outcomes=())


@cache
def calmed():
    """The differences of shares among many."""
    panel, tables = large()
    found = csi.emotion_waves(panel, complaints=tables["complaints"], patterns=2, small=0).difference
    return dict(found.select("outcome", "difference").rows())


@cache
def after():
    """The differences of changes among many."""
    return {(name, adjusted): value for name, adjusted, value, *_ in closing(*large())}


def of_programme(panel, tables):
    """What members spend more in a month."""
    found = csi.programme(tables["members"], tables["purchases"], small=0).table
    for way in ("cohorts", "weighted"):
        yield "programme", way, extra(), *limits(found.filter(way=way).row(0, named=True))


@cache
def extra():
    """What the truth says of a member's month."""
    truth = simulate(recipe(), seed=1).truth
    return truth.filter(kind="members", name="extra a month")["value"][0]


def of_bgnbd(panel, tables):
    """The parameters of purchasing."""
    own = recipe().events.purchases.model_copy(update={"a": read_recipe(RECIPE).events.purchases.a})
    events = recipe().events.model_copy(update={"purchases": own, "members": None, "contacts": None, "texts": None})
    _, leaving = drawn(int(panel.frame["sat1"].sum() * 7), SIZE, events=events, waves=recipe().waves[:1], outcomes=(),
                       routes=(), levels={}, panel=recipe().panel.model_copy(update={"flags": ()}))  # fmt: skip
    for row in csi.bgnbd(leaving["purchases"]).table.iter_rows(named=True):
        name = {"v": "gamma"}.get(row["parameter"], row["parameter"])
        yield "bgnbd", row["parameter"], getattr(own, name), *limits(row)


def of_texts(panel, tables):
    """Shares of voice; the tone against the true one."""
    found = csi.comments(tables["texts"], panel, small=0)
    shares = recipe().events.texts.attributes
    for row in found.table.iter_rows(named=True):
        yield "text", row["attribute"], shares[row["attribute"]], row["voice"], row["voice_low"], row["voice_high"]


def limits(row):
    """Estimate, low, high."""
    return row["estimate"] if "estimate" in row else row["difference"], row["conf_low"], row["conf_high"]


MODELS = (of_lifecycle, of_journey, of_complaints, of_recovery, of_intervention, of_change, of_emotion, of_feedback,
          of_programme, of_bgnbd, of_texts)  # fmt: skip


def one(seed, size=SIZE, models=MODELS):
    """Every quantity of one panel: kind, name, truth, estimate, low, high."""
    panel, tables = drawn(seed, size)
    rows = [row for model in models for row in model(panel, tables)]
    names = ("kind", "name", "truth", "estimate", "low", "high")
    return pl.DataFrame(
        rows, schema=dict.fromkeys(names[:2], pl.String) | dict.fromkeys(names[2:], pl.Float64), orient="row"
    )


def study(panels=PANELS):
    """Coverage and mean of every quantity."""
    return summed(pl.concat([one(1000 + k) for k in range(panels)]))


def summed(whole):
    """Panels, truth, mean estimate, its Monte Carlo error and coverage of every quantity."""
    known = pl.col("low").is_not_null() & pl.col("high").is_not_null()
    inside = (pl.col("low") <= pl.col("truth")) & (pl.col("truth") <= pl.col("high"))
    return whole.group_by("kind", "name", maintain_order=True).agg(
        known.sum().alias("panels"),
        pl.col("truth").first(),
        pl.col("estimate").mean().alias("mean"),
        (pl.col("estimate").std() / pl.len().sqrt()).alias("error"),
        inside.filter(known).mean().alias("coverage"),
    )


def missed(table):
    """Quantities that miss their gate."""
    least = 0.95 - 3 * (0.95 * 0.05 / table["panels"]).sqrt()
    low = table.with_columns(least=least).filter(pl.col("coverage") < pl.col("least"))
    off = table.filter(
        pl.col("kind").is_in(sorted(EXACT)) & ((pl.col("mean") - pl.col("truth")).abs() > 4 * pl.col("error"))
    )
    return sorted({f"{k}: {n}" for frame in (low, off) for k, n in frame.select("kind", "name").rows()})


if __name__ == "__main__":
    made = study(int(sys.argv[1]) if len(sys.argv) > 1 else PANELS)
    made.with_columns(pl.col(pl.Float64).round(4)).write_csv(HERE / "world_coverage.csv")
    sys.stdout.write("Every gate is met.\n" if not missed(made) else f"Missed: {missed(made)}\n")
