"""Do the intervals cover, do the tests hold their level? An ECSI-type model, n = 250, ten-point items, PLS.

    python tests/slow/coverage.py [PANELS]          (make check-slow runs it in full: about ten minutes on two cores)

Truth is PLS on the exact moments of the population's ten-point answers (`population.yaml`).

1. Coverage of nominal 95 % intervals over 2,000 panels, path weighting. Gated: paths and indices (coverage within 92.5
   and 97 %, mean standard error / Monte Carlo standard deviation within .95 and 1.05). Tabled only, because they are
   bounded or biased: R2, indirect effects, HTMT, AVE.
2. Tests of change over 2,000 panels of three brands and three waves in which nothing changes; weights anchored to the
   first wave. Gated: rejections of the satisfaction index and over all constructs (4 to 6.5 % at 5 %), and the
   familywise rate of the six tests of a release after Holm (at most 6 %).
"""

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import polars as pl

import csi
from csi.inference.bootstrap import uncertainty
from csi.measures.effects import total_effects
from csi.measures.reliability import MEASURES, measure
from csi.measures.validity import htmt_of
from csi.simulation import cells_of, draw_answers, model_of, population_moments, population_of, read_recipe
from csi.simulation.streams import uniforms

HERE = Path(__file__).parent
SIZE, PANELS, REPLICATES, CHANGE_REPLICATES = 250, 2000, 500, 200
BRANDS, WAVES = "ABC", "123"
SCALE = (1, 10)


@cache
def stated():
    """Recipe, model, population, and the shift of its only cell."""
    recipe = read_recipe(HERE / "population.yaml")
    population = population_of(recipe)
    return recipe, model_of(recipe), population, cells_of(recipe, population)[0].shift


@cache
def truth():
    """The estimator on the exact moments of the ten-point answers."""
    recipe, model, _, _ = stated()
    return csi.fit(model, population_moments(recipe), csi.PLS(tolerance=1e-12))


def sample(study, number, **keys):
    """250 respondents; the study, the number and the keys name their random numbers."""
    recipe, _, population, shift = stated()
    shape = (SIZE, len(population.items))
    uniform = uniforms(recipe.seed, f"{study} {number}", "/".join(keys.values()), "answers", shape)
    answers = draw_answers(population, np.repeat(shift, SIZE, axis=0), uniform)
    frame = pl.DataFrame(answers, schema=list(population.items))
    return frame.with_columns(pl.lit(value).alias(key) for key, value in keys.items())


# --- 1. coverage


@cache
def layout():
    """What is judged besides the index: kind and name of each quantity, and where it stands in the arrays."""
    solution = truth().solution
    names, direct = solution.constructs, solution.paths[0]
    indirect = total_effects(solution.paths)[0] - direct
    paths, through = np.argwhere(direct != 0), np.argwhere(np.abs(indirect) > 1e-10)
    r2 = np.flatnonzero(np.isfinite(solution.r2[0]))
    pairs = np.argwhere(np.tri(len(names), k=-1, dtype=bool))
    several = np.flatnonzero(np.bincount(solution.block) > 1)
    labels = [("path", f"{names[j]} ~ {names[k]}") for j, k in paths]
    labels += [("r2", names[j]) for j in r2]
    labels += [("indirect", f"{names[j]} ~ {names[k]}") for j, k in through]
    labels += [("htmt", f"{names[j]}, {names[k]}") for j, k in pairs]
    labels += [("ave", names[j]) for j in several]
    return labels, paths, r2, through, pairs, several


def quantities(moments, solution):
    """(m, k) everything but the index, in the order of `layout`."""
    _, paths, r2, through, pairs, several = layout()
    indirect = total_effects(solution.paths) - solution.paths
    parts = (
        solution.paths[:, paths[:, 0], paths[:, 1]],
        solution.r2[:, r2],
        indirect[:, through[:, 0], through[:, 1]],
        htmt_of()(moments, solution)[:, pairs[:, 0], pairs[:, 1]],
        measure(moments, solution)[:, MEASURES.index("ave"), several],
    )
    return np.concatenate(parts, axis=1)


def panel(number):
    """One panel: (6, k) estimate, standard error, and the limits of two kinds of interval.

    The kinds are percentile and BCa; for the indices percentile and t.
    """
    frame, model = sample("coverage", number), stated()[1]
    boot = csi.bootstrap(csi.fit(model, frame, csi.PLS(), scale=SCALE), n=REPLICATES, seed=number)
    plain = uncertainty(boot, quantities)
    bca = uncertainty(replace(boot, interval="bca"), quantities)
    found = np.stack([plain.value, plain.std_error, plain.conf_low, plain.conf_high, bca.conf_low, bca.conf_high])[:, 0]
    by_t, by_draws = csi.index(boot).table, csi.index(boot, interval="percentile").table
    columns = (by_t["index"], by_t["std_error"], *(t[c] for t in (by_draws, by_t) for c in ("conf_low", "conf_high")))
    return np.concatenate([found, np.stack([c.to_numpy() for c in columns])], axis=1)


def coverage(panels):
    """The table: one row per quantity and kind of interval."""
    labels = layout()[0] + [("index", c) for c in truth().solution.constructs]
    true = truth()
    right = np.concatenate([quantities(true.moments, true.solution)[0], csi.index(true).table["index"].to_numpy()])
    found = over(panel, panels)
    rows = []
    for k, (kind, name) in enumerate(labels):
        estimate, std_error = found[:, 0, k], found[:, 1, k]
        spread = estimate.std(ddof=1)
        for interval, low, high in (("percentile", 2, 3), ("t" if kind == "index" else "bca", 4, 5)):
            below, above = right[k] < found[:, low, k], right[k] > found[:, high, k]
            rows.append(
                {
                    "kind": kind,
                    "quantity": name,
                    "interval": interval,
                    "truth": right[k],
                    "bias": estimate.mean() - right[k],
                    "mc_sd": spread,
                    "se_ratio": std_error.mean() / spread,
                    "coverage": 1 - (below | above).mean(),
                    "truth_below": below.mean(),
                    "truth_above": above.mean(),
                    "panels": panels,
                }
            )
    return pl.DataFrame(rows)


# --- 2. tests of change


def release(number):
    """A panel without any change: the smallest Holm p of the release's satisfaction tests, then every p (1 + 7 * 6)."""
    cells = [sample("change", number, brand=b, wave=w) for w in WAVES for b in BRANDS]
    estimate = csi.fit(stated()[1], pl.concat(cells), csi.PLS(), by=["brand", "wave"], scale=SCALE)
    index = csi.index(csi.bootstrap(estimate, n=CHANGE_REPLICATES, seed=number), weights="base", base=WAVES[0])
    tests = {"waves": list(WAVES), "per_year": 2}
    last = csi.changes(index, "satisfaction", **tests).table.filter(pl.col("wave") == WAVES[-1])
    every = csi.changes(index, list(index.constructs), **tests).table.filter(pl.col("wave") == WAVES[-1])
    every = every.sort("construct", "against", "brand", maintain_order=True)
    return np.concatenate([[last["p_holm"].min()], every["p_value"].to_numpy()])


def changes(panels):
    """The table: rejections by construct and reference wave, and the familywise rate."""
    found = over(release, panels)
    p = found[:, 1:].reshape(panels, len(truth().solution.constructs), 2, len(BRANDS))
    names = [*sorted(truth().solution.constructs), "all"]
    rows = [("any of 6 after Holm", "both", *(np.mean(found[:, 0] <= a) for a in (0.01, 0.05, 0.1)), panels)]
    for j, name in enumerate(names):
        for k, against in enumerate(("previous", "year")):
            mine = p[:, :, k] if name == "all" else p[:, j, k]
            rows.append((name, against, *(np.mean(mine <= a) for a in (0.01, 0.05, 0.1)), panels))
    return pl.DataFrame(rows, schema=["construct", "against", "at_1", "at_5", "at_10", "panels"], orient="row")


# --- both


def over(one, panels):
    """`one(number)` for every panel, stacked; two processes at most."""
    spawn = get_context("spawn")  # a forked process would wait for polars' threads for ever
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1), mp_context=spawn) as pool:
        return np.stack(list(pool.map(one, range(panels), chunksize=20)))


def failures(covered, changed):
    """Sentences about what misses a gate."""
    gated = covered.filter(pl.col("kind").is_in(["path", "index"]))
    wrong = gated.filter(~pl.col("coverage").is_between(0.925, 0.97) | ~pl.col("se_ratio").is_between(0.95, 1.05))
    said = [
        f"{r['kind']} {r['quantity']} ({r['interval']}): coverage {r['coverage']:.3f}, SE ratio {r['se_ratio']:.3f}"
        for r in wrong.iter_rows(named=True)
    ]
    for r in changed.iter_rows(named=True):
        family = r["against"] == "both"
        single = r["construct"] in {"satisfaction", "all"} and not 0.04 <= r["at_5"] <= 0.065
        if (family and r["at_5"] > 0.06) or single:
            said.append(f"{r['construct']} against {r['against']}: {r['at_5']:.3f} rejected at 5 %")
    return said


def page(covered, changed):
    """Both tables as Markdown."""
    part = partial(_markdown, digits=3)
    gated = covered.filter(pl.col("kind").is_in(["path", "index"]))
    others = covered.filter(~pl.col("kind").is_in(["path", "index"]))
    summary = others.group_by("kind", "interval", maintain_order=True).agg(
        quantities=pl.len(),
        coverage_lowest=pl.col("coverage").min(),
        coverage_median=pl.col("coverage").median(),
        coverage_highest=pl.col("coverage").max(),
        se_ratio_lowest=pl.col("se_ratio").min(),
        se_ratio_highest=pl.col("se_ratio").max(),
        bias_largest=pl.col("bias").abs().max(),
    )
    n, m = covered["panels"][0], changed["panels"][0]
    return f"""# Coverage of intervals and level of tests

Written by `tests/slow/coverage.py`: {n:,} panels of an ECSI-type model (`population.yaml`), n = {SIZE}, ten-point
items, PLS with path weighting, {REPLICATES} bootstrap replicates. Truth is PLS on the exact moments of the answers.
`truth_below`: share of intervals that lie above the truth; `truth_above`: below it.

## Paths and indices (gated: coverage .925-.970, SE ratio .95-1.05)

{part(gated.drop("panels"))}

## Bounded or biased quantities (not gated; every row in coverage.csv)

{part(summary)}

## Tests of change where nothing changes

{m:,} panels of three brands and three waves, n = {SIZE} a cell, weights anchored to the first wave, {CHANGE_REPLICATES}
replicates. Share of p-values at or below 1, 5 and 10 %. Gated at 5 %: satisfaction and all constructs .040-.065; any
rejection among the six tests of a release after Holm at most .060.

{part(changed.drop("panels"))}
"""


def _markdown(frame, digits):
    head = ["| " + " | ".join(frame.columns) + " |", "|" + "---|" * frame.width]
    cells = ((f"{v:.{digits}f}" if isinstance(v, float) else str(v) for v in row) for row in frame.iter_rows())
    return "\n".join([*head, *("| " + " | ".join(row) + " |" for row in cells)])


def main():
    panels = int(sys.argv[1]) if len(sys.argv) > 1 else PANELS
    covered, changed = (t.with_columns(pl.col(pl.Float64).round(6)) for t in (coverage(panels), changes(panels)))
    text = page(covered, changed)
    print(text)
    if panels == PANELS:
        for name, table in (("coverage", covered), ("changes", changed)):
            (HERE / f"{name}.csv").write_text(table.write_csv(), encoding="utf-8", newline="\n")
        (HERE / "coverage.md").write_text(text, encoding="utf-8", newline="\n")
    missed = failures(covered, changed)
    print("\n".join(missed) if missed else "Every gate is met.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
