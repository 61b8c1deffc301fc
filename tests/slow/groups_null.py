"""Do the tests between groups hold their level? Equal groups, ten-point items, PLS, every kind of p-value.

    python tests/slow/groups_null.py [PANELS]          (make check-slow runs it in full: about ten minutes)

2,000 panels each of two groups of 150 and of three groups of 100 respondents of one population, so that every
hypothesis is true. A rate is the share of rejections over panels and over the parameters (constructs, pairs) of its
kind; its Monte Carlo error is that of the panels' means. Gated: rates of permutation p at most alpha + 3 errors at .01,
.05 and .10; Henseler's, the parametric and Welch's test of paths 4 to 6.5 % at 5 %. Asymptotic tests of total effects,
R2, loadings and weights are tabled only: they are bounded, or products.
"""

import sys
from pathlib import Path

import numpy as np
import polars as pl

import csi

HERE = Path(__file__).parent
DESIGNS = {"2 x 150": (150, 150), "3 x 100": (100, 100, 100)}
PANELS, PERMUTATIONS, RESAMPLES = 2000, 199, 300
ALPHAS = (0.01, 0.05, 0.10)
LOADINGS = (0.85, 0.8, 0.7)
MODEL = csi.Model.parse("a =~ a1 + a2 + a3; b =~ b1 + b2 + b3; s =~ s1 + s2 + s3; b ~ a; s ~ a + b")
BY_REPLICATES = ("p_henseler", "p_parametric", "p_welch")


def panel(design, number):
    """One panel: groups of one population."""
    sizes = DESIGNS[design]
    rng = np.random.default_rng([list(DESIGNS).index(design), number])
    n = sum(sizes)
    a = rng.normal(size=n)
    b = 0.5 * a + np.sqrt(0.75) * rng.normal(size=n)
    s = 0.3 * a + 0.4 * b + np.sqrt(0.63) * rng.normal(size=n)
    loading = np.array(LOADINGS)
    items = [x[:, None] * loading + np.sqrt(1 - loading**2) * rng.normal(size=(n, 3)) for x in (a, b, s)]
    answers = np.clip(np.round(6.5 + 1.8 * np.hstack(items)), 1, 10)
    names = [f"{c}{i}" for c in "abs" for i in (1, 2, 3)]
    return pl.DataFrame(answers, schema=names).with_columns(g=pl.Series(np.repeat(list("xyz")[: len(sizes)], sizes)))


def p_values(design, number):
    """Test -> its p-values, one per parameter, construct or pair."""
    est = csi.fit(MODEL, panel(design, number), csi.PLS(), by="g")
    found = csi.mga(est, PERMUTATIONS, number, bootstraps=RESAMPLES, anyway=True)
    gate = found.micom
    out = {f"MICOM {what}, pairs": gate.table[f"p_{p}"] for what, p in STEPS}
    for kind in found.table["kind"].unique(maintain_order=True):
        rows = found.table.filter(kind=kind)
        out |= {f"{kind}, {p.removeprefix('p_')}": rows[p] for p in ("p_permutation", *BY_REPLICATES)}
        if found.omnibus.height:
            over = found.omnibus.filter(kind=kind)
            out |= {f"{kind}, all groups, {p.removeprefix('p_')}": over[p] for p in ("p_spread", "p_range")}
    if found.omnibus.height:
        out |= {f"MICOM {what}, all groups": gate.omnibus[f"p_{p}"] for what, p in STEPS}
    for (what, how), rows in found.distances.group_by("compared", "distance", maintain_order=True):
        whole = pl.col("group_1").is_null()
        out[f"distance, {what}, {how}"] = rows.filter(whole)["p_value"]
        if rows.height > 1:
            out[f"distance, {what}, {how}, pairs"] = rows.filter(~whole)["p_value"]
    return {name: p.to_numpy() for name, p in out.items()}


STEPS = (("step 2, composition", "c"), ("step 3, means", "mean"), ("step 3, variances", "variance"))


def rates(design, panels):
    """The table of one design: a row per test."""
    drawn = [p_values(design, number) for number in range(1, panels + 1)]
    rows = []
    for test in drawn[0]:
        p = np.array([one[test] for one in drawn])
        row = {"design": design, "test": test, "tests": p.shape[1], "panels": panels}
        for alpha in ALPHAS:
            share = (p <= alpha + 1e-12).mean(axis=1)
            name = f"at_{round(100 * alpha)}"
            row |= {name: share.mean(), f"{name}_error": share.std(ddof=1) / np.sqrt(panels)}
        rows.append(row)
    return pl.DataFrame(rows)


def kind_of(test):
    """ "permutation", "asymptotic" (gated) or "tabled"."""
    if not test.endswith(tuple(p.removeprefix("p_") for p in BY_REPLICATES)):
        return "permutation"
    return "asymptotic" if test.startswith("path,") else "tabled"


def failures(table):
    """Gates that are missed, in words."""
    out = []
    for row in table.iter_rows(named=True):
        kind, place = kind_of(row["test"]), f"{row['design']}, {row['test']}"
        for alpha in ALPHAS:
            name = f"at_{round(100 * alpha)}"
            if kind == "permutation" and row[name] > alpha + 3 * max(row[f"{name}_error"], 1e-12):
                out.append(f"{place}: {row[name]:.4f} at {alpha}")
        if kind == "asymptotic" and not 0.04 <= row["at_5"] <= 0.065:
            out.append(f"{place}: {row['at_5']:.4f} at 0.05")
    return out


def page(table):
    """The table as a page."""
    lines = [
        "# Level of the tests between groups",
        "",
        f"Written by `tests/slow/groups_null.py`: {table['panels'][0]:,} panels of equal groups per design, nine",
        f"ten-point items, three constructs, PLS, {PERMUTATIONS} permutations, {RESAMPLES} bootstrap resamples. A rate",
        "is over panels and over the `tests` of its kind; in brackets its Monte Carlo error. Gated: permutation tests",
        "at most alpha + 3 errors; Henseler's, the parametric and Welch's test of paths within .04 and .065 at .05.",
        "Others are tabled only.",
        "",
        "| design | test | tests | at .01 | at .05 | at .10 | gated |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in table.iter_rows(named=True):
        cells = [f"{row[f'at_{k}']:.4f} ({row[f'at_{k}_error']:.4f})" for k in (1, 5, 10)]
        gated = {"tabled": "no"}.get(kind_of(row["test"]), "yes")
        lines.append(f"| {row['design']} | {row['test']} | {row['tests']} | {' | '.join(cells)} | {gated} |")
    return "\n".join(lines) + "\n"


def main():
    panels = int(sys.argv[1]) if len(sys.argv) > 1 else PANELS
    table = pl.concat([rates(design, panels) for design in DESIGNS])
    print(page(table))
    if panels == PANELS:
        table.write_csv(HERE / "groups_null.csv", float_precision=6)
        table = pl.read_csv(HERE / "groups_null.csv")
        (HERE / "groups_null.md").write_text(page(table), encoding="utf-8")
    missed = failures(table)
    print("\n".join(missed))
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
