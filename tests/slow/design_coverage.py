"""Do intervals and tests of change hold under a survey's design? Strata, clusters, panels, informative weights; PLS.

    python tests/slow/design_coverage.py [PANELS]          (make check-slow runs it in full: about 15 minutes of a core)

Two waves between which nothing changes, about 300 respondents each. Strata differ in level (main constructs) and in the
share of people that a respondent stands for; people with a higher `result` answer more often (.65 against .35) and
weigh less for it, so the weights are informative: unweighted indices are about five points off. Truth is PLS on the
moments of two million answers of the population (`composites_population.yaml` with its strata and units), where the
path from `noise` to `result` is zero.

1. *clusters anew*: 10 strata of 6 clusters, others in the second wave (intraclass correlation of a response .08).
2. *same clusters*: the same clusters, other respondents. 3. *pairs of clusters*: 30 strata of 2, the same clusters.
4. *same respondents*: 10 strata of 60 people who may answer in each wave (correlation of a response .3).

Panels are brands of one fit (their strata and units are their own), with weights of the index from both waves of a
brand; the jackknife runs on every panel alone, with weights of the first wave. Bootstrap of 299 (paths percentile,
normal, t, BC; indices t, percentile, BC), jackknife t (1, 3), and replicate weights in columns, t: JKn and bootstrap
(2), BRR, Fay and JK2 (3). The t interval of paths was added after the others were seen to fall short.

Gated, as stated before the run: paths and indices of the first wave, coverage within 92.5 and 97 %, mean standard
error / Monte Carlo standard deviation within .95 and 1.05; tests of change, over the five constructs, and of the zero
path 4 to 6.5 % at 5 %.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache, partial

import calibration as cal
import numpy as np
import polars as pl
from scipy.linalg import hadamard

import csi
from csi.inference.intervals import Evidence, curve_of, limits
from csi.moments.pearson import moments_of
from csi.moments.sample import sample_of
from csi.simulation import draw_answers, model_of, population_of, read_recipe

TABLES = ("design_coverage", "design_nulls")
DRAWS, COLUMNS, SCALE, EVERYONE = 299, 200, (1, 10), 2_000_000
WAVES = ("1", "2")
DRAWN, OF_INDEX = ("percentile", "normal", "t", "bc"), ("t", "percentile", "bc")
SETTINGS, BATCH = csi.PLS(tolerance=1e-6), 20
ROLES = {"weight": "weight", "stratum": "stratum", "unit": "unit", "scale": SCALE}
MAIN = ("first", "second", "result")
FEW = """Percentile, normal and BC intervals take 60 clusters with unequal weights for infinitely many: errors are up to
  5 % too small, and 30 or 50 degrees of freedom count. The t intervals of the same resamples are held (paths .928 to
  .945), and so are all t intervals of indices: interval="t" is for such samples, and the estimate says so
  (N-CLUSTERS-T)."""
PAIRED = """Leaving one of two clusters out and counting the other twice: errors of paths are 2 to 7 % too small (the
  jackknife, JK2; less with Fay's weights). BRR, and the bootstrap by t, are held; the estimate says so
  (N-JACKKNIFE-PAIRS)."""
REASONS = (
    (r"(clusters anew|same clusters|pairs of clusters): (path|index) .* \((percentile|normal|bc)\)", FEW),
    (r"(clusters anew|same clusters|pairs of clusters): zero path, (percentile|normal|bc)", FEW),
    (r"pairs of clusters: path .* \((columns fay t|columns jk2 t|jackknife t)\)", PAIRED),
)


@dataclass(frozen=True, kw_only=True)
class Design:
    """strata, units in each, people asked in each unit and wave, whether units stay, correlation within a unit."""

    strata: int
    units: int
    people: int
    stay: bool
    within: float
    columns: tuple[str, ...] = ()
    jackknife: bool = False


SIX, TWO = {"strata": 10, "units": 6, "people": 10}, {"strata": 30, "units": 2, "people": 10}
DESIGNS = {
    "clusters anew": Design(**SIX, stay=False, within=0.08, jackknife=True),
    "same clusters": Design(**SIX, stay=True, within=0.08, columns=("jkn", "bootstrap")),
    "pairs of clusters": Design(**TWO, stay=True, within=0.08, columns=("brr", "fay", "jk2"), jackknife=True),
    "same respondents": Design(strata=10, units=60, people=1, stay=True, within=0.3),
}


@cache
def stated():
    """Recipe, model, population."""
    recipe = read_recipe(cal.HERE / "composites_population.yaml")
    return recipe, model_of(recipe), population_of(recipe)


def of_strata(design):
    """Level and share of the people of every stratum."""
    at = np.linspace(-1.0, 1.0, design.strata)
    share = np.exp(-0.7 * at)
    return 0.35 * at, share / share.sum()


def responses(design, rng, stratum, effect):
    """(n, p) answers of people in strata with their units' effects (n, 2) on main and other constructs."""
    population = stated()[2]
    main = np.isin(np.array(population.constructs)[population.block], MAIN)
    level = of_strata(design)[0][stratum]
    shift = np.where(main, (level + effect[:, 0])[:, None], effect[:, [1]])
    return draw_answers(population, shift, rng.random((stratum.size, main.size)))


def chance(answers):
    """(n,) how probable an answer is: people with a higher result answer more often."""
    items = [i for i, name in enumerate(stated()[2].items) if name.startswith("r")]
    return np.where(answers[:, items].mean(axis=1) >= 7, 0.65, 0.35)


@cache
def truth(name):
    """PLS on the moments of everybody in the population."""
    design, rng = DESIGNS[name], np.random.default_rng([20261125, 0])
    parts, many = [], 50_000
    for _ in range(EVERYONE // many):
        stratum = rng.choice(design.strata, many, p=of_strata(design)[1])
        parts.append(responses(design, rng, stratum, np.sqrt(design.within) * rng.standard_normal((many, 2))))
    frame = pl.DataFrame(np.concatenate(parts).astype(np.int8), schema=list(stated()[2].items))
    sample = sample_of(frame, stated()[2].items, scale=SCALE)
    return csi.PLS(tolerance=1e-10).solve(stated()[1], moments_of(sample))


def panel(name, number):
    """Answers of both waves with their weights, strata, units."""
    design = DESIGNS[name]
    rng = np.random.default_rng([20261125, 1 + list(DESIGNS).index(name), number])
    units = design.strata * design.units
    share = of_strata(design)[1]
    effect = np.sqrt(design.within) * rng.standard_normal((2, units, 2))
    frames = []
    for wave in range(2):
        unit = np.repeat(np.arange(units), design.people)
        stratum = unit // design.units
        answers = responses(design, rng, stratum, effect[0 if design.stay else wave][unit])
        p = chance(answers)
        there = rng.random(p.size) < p
        weight = (share[stratum] * design.strata / p)[there]
        name_of = unit if design.stay else unit + wave * units
        frame = pl.DataFrame(answers[there], schema=list(stated()[2].items))
        design_of = {"weight": weight, "stratum": stratum[there], "unit": name_of[there]}
        frames.append(
            frame.with_columns(pl.lit(WAVES[wave]).alias("wave"), **{k: pl.Series(v) for k, v in design_of.items()})
        )
    return pl.concat(frames)


@cache
def columns(name, kind):
    """(R, units) factors of replicate weights, and the constants of their kind."""
    design = DESIGNS[name]
    units = design.strata * design.units
    stratum, one = np.arange(units) // design.units, np.arange(units)
    together = stratum[:, None] == stratum
    if kind == "jkn":
        out = np.where(together, design.units / (design.units - 1), 1.0) * (1 - np.eye(units))
        return out, {"rscales": np.full(units, (design.units - 1) / design.units)}
    if kind == "bootstrap":
        rng = np.random.default_rng([20261125, 9])
        picks = rng.integers(0, design.units, (COLUMNS, design.strata, design.units - 1))
        counts = (picks[..., None] == np.arange(design.units)).sum(axis=2).reshape(COLUMNS, units)
        return counts * design.units / (design.units - 1), {}
    if kind == "jk2":
        return np.where(together, 2.0, 1.0)[::2] * (1 - np.eye(units))[::2], {}
    signs = hadamard(32)[:, 1 : design.strata + 1][:, stratum] * np.where(one % 2 == 0, 1, -1)
    return (np.where(signs > 0, 1.7, 0.3), {"rho": 0.3}) if kind == "fay" else (np.where(signs > 0, 2.0, 0.0), {})


@cache
def layout():
    """Names and places of the paths; the zero path comes first."""
    model = stated()[1]
    names = model.names
    arrows = [(names.index(p.outcome), names.index(p.predictor.name)) for p in model.paths]
    zero = (names.index("result"), names.index("noise"))
    paths = np.array([zero, *(a for a in arrows if a != zero)])
    return [("path", f"{names[j]} ~ {names[k]}") for j, k in paths], paths


def quantities(_, solution):
    """(m, k) the paths."""
    paths = layout()[1]
    return solution.paths[:, paths[:, 0], paths[:, 1]]


def ways(name):
    """What paths and indices are judged by."""
    by = [f"columns {k} t" for k in DESIGNS[name].columns]
    by += ["jackknife t"] if DESIGNS[name].jackknife else []
    return [*DRAWN, *by], [*OF_INDEX, *by]


def batch(name, first):
    """`BATCH` panels as brands of one fit, whose units and strata are their own: (BATCH, width) of `study_of`.

    Paths (6, kinds, k) and indices (4, kinds, q) of the first wave, p of change (ways, q), point of the paths (k).
    """
    frames = [panel(name, number).with_columns(brand=pl.lit(f"{number:05d}")) for number in range(first, first + BATCH)]
    tag = [pl.format("{}-{}", "brand", c).alias(c) for c in ("stratum", "unit")]
    frame = pl.concat(frames).with_columns(place="unit").with_columns(tag)
    est = csi.fit(stated()[1], frame, SETTINGS, by=["brand", "wave"], **ROLES)
    boot = csi.bootstrap(est, n=DRAWS, seed=first)
    draws = boot.replicates.over(quantities)
    mine = est.moments.cells["wave"].to_numpy() == WAVES[0]
    paths = [cal.told_of_cells(boot, quantities, kind, draws)[mine] for kind in DRAWN]
    index = csi.index(boot, weights="entity")
    indices, change = _indices(index, mine, OF_INDEX), [_changes(index)]
    others = []
    for kind in DESIGNS[name].columns:
        factor, constants = columns(name, kind)
        weights = frame["weight"].to_numpy()[:, None] * factor[:, frame["place"].to_numpy()].T
        df = np.linalg.matrix_rank(factor) - 1.0
        others.append(csi.replicate_weights(est, weights, kind=kind, df=df, **constants))
    for other in others:
        paths.append(cal.told_of_cells(other, quantities, "t")[mine])
        index = csi.index(other, weights="entity")
        indices += _indices(index, mine, ("t",))
        change.append(_changes(index))
    if DESIGNS[name].jackknife:
        left = zip(*(alone(part) for part in frames), strict=True)
        for kept, found in zip((paths, indices, change), left, strict=True):
            kept.append(np.stack(found))
    point = quantities(None, est.solution)[mine]
    parts = (np.stack(paths, axis=2), np.stack(indices, axis=2), np.stack(change, axis=1), point)
    return np.concatenate([part.reshape(BATCH, -1) for part in parts], axis=1)


def alone(frame):
    """The jackknife of one panel: paths (6, k), indices (4, q), p of change (q)."""
    left = csi.jackknife(csi.fit(stated()[1], frame.drop("brand"), SETTINGS, by="wave", **ROLES))
    index = csi.index(left)
    first = index.cells["wave"].to_numpy() == WAVES[0]
    assert first[0]  # what `told` speaks of
    return cal.told(left, quantities, "t"), _indices(index, first, ("t",))[0][0], _changes(index)[0]


def _indices(index, mine, kinds):
    """Of each kind (m, 4, q): value, standard error and limits in the cells of the first wave."""
    value = index.values[mine]
    error = index.table["std_error"].to_numpy().reshape(index.values.shape)[mine]
    df = index.degrees_of_freedom[mine]
    known = Evidence(value, error, index.replicates[:, mine], df=df)
    return [np.stack([value, error, *limits(curve_of(kind, known), 0.95)], axis=1) for kind in kinds]


def _changes(index):
    """(m, q) p-values of the change of every construct, brand by brand."""
    table = csi.changes(index, list(index.constructs), against=["previous"], waves=list(WAVES)).table
    keys = [c for c in ("brand",) if c in table.columns]
    place = pl.col("construct").replace_strict({c: i for i, c in enumerate(index.constructs)})
    return table.sort(*keys, place)["p_value"].to_numpy().reshape(-1, len(index.constructs))


def study_of(name, panels):
    """Rows of coverage and rejections of one design."""
    labels = layout()[0]
    right = quantities(None, truth(name).solution)[0]
    level = csi.index(truth(name))
    k, q = len(labels), len(level.constructs)
    of_paths, of_index = ways(name)
    found = np.concatenate(cal.over(partial(batch, name), panels // BATCH, range(1, panels + 1, BATCH)))
    cut = np.cumsum([6 * len(of_paths) * k, 4 * len(of_index) * q, (1 + len(of_paths[len(DRAWN) :])) * q])
    told, indices, change, point = np.split(found, cut, axis=1)
    told = told.reshape(panels, 6, len(of_paths), k)
    indices = indices.reshape(panels, 4, len(of_index), q)
    change = change.reshape(panels, -1, q)
    rows, nulls = [], []
    for i, kind in enumerate(of_paths):
        rows += cal.coverage_rows(name, labels, kind, right, point, told[:, :3, i], {"path"})
        nulls.append(cal.null_row(name, f"zero path, {kind}", told[:, 3, i, 0], "level"))
    for i, kind in enumerate(of_index):
        names = [("index", c) for c in level.constructs]
        rows += cal.coverage_rows(name, names, kind, level.values[0], indices[:, 0, i], indices[:, 1:, i], {"index"})
    for i, kind in enumerate(["bootstrap t", *of_paths[len(DRAWN) :]]):
        nulls.append(cal.null_row(name, f"change, {kind}", change[:, i], "level", q))
    return rows, nulls


def tables(panels):
    """Coverage and rejections under every design."""
    made = [study_of(name, panels) for name in DESIGNS]
    rows, nulls = ([r for part in parts for r in part] for parts in zip(*made, strict=True))
    return {"design_coverage": pl.DataFrame(rows), "design_nulls": pl.DataFrame(nulls)}


def failures(covered, nulls):
    """What misses a gate and is not disclosed."""
    misses = cal.missed(covered, nulls)
    return cal.failures(misses, cal.because(misses, REASONS))


def page(covered, nulls):
    """All tables as Markdown."""
    return f"""# Coverage and tests of change under a survey's design

Written by `tests/slow/design_coverage.py`: {covered["panels"][0]:,} panels of each design, two waves of about 300
weighted respondents. Nominal coverage is 95 %. `truth_below`: largest share of intervals that lie above the truth;
`truth_above`: below it.
Every row is in `design_coverage.csv`.

## Paths and indices (gated: coverage .925-.970, SE ratio .95-1.05)

{cal.markdown(cal.spans(covered).drop("gate"))}

## Tests where nothing is there (gated: .040-.065 at 5 %; Monte Carlo errors in brackets)

`change`: all five constructs between the two waves. `zero path`: the path from noise to result.

{cal.markdown(cal.rates(nulls))}

## Misses of a gate

{cal.grouped_section(cal.missed(covered, nulls), REASONS)}
"""


if __name__ == "__main__":
    sys.exit(cal.run(tables, page, failures, "design_coverage"))
