"""Power of every parameter of a covariance model by Monte Carlo: draw samples, fit them all at once, count.

Letters: `B` samples, `p` observed variables, `k` parameters, `n` people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl
from scipy.special import ndtri

from csi.display import Shown, table, text
from csi.errors import Note, Problem, Problems, Text, note, seed_problems
from csi.estimate.estimate import Estimate
from csi.estimate.given import model_of
from csi.measures.sizing.path_power import at_population
from csi.measures.sizing.population import Population, population_of
from csi.measures.sizing.power import impossible, number, size
from csi.measures.tidy import number_column
from csi.models.model import Model
from csi.moments.stack import Moments
from csi.sem.estimator import SEM

DRAWN: Final = ("ML", "GLS")
"""Estimators that know the moments alone, which is what is drawn."""

HEADINGS: Final = {
    "population": Text("population", "总体值"),
    "mean": Text("mean", "均值"),
    "bias": Text("bias", "偏差"),
    "sd": Text("sd", "标准差"),
    "std_error": Text("std. error", "平均标准误"),
    "coverage": Text("coverage", "覆盖率"),
    "power": Text("power", "功效"),
    "mc_error": Text("MC error", "模拟误差"),
    "usable": Text("fits", "可用拟合数"),
}
FEW = 0.95
"""Share of fits that must converge for no note."""


@dataclass(frozen=True, slots=True, repr=False)
class ModelPower(Shown):
    """What samples of a population gave.

    Attributes:
        table: n, lhs, op, rhs, population (value in the population of the model as fitted), mean, bias, sd (over the
            samples), std_error (the mean of those estimated), coverage (of the intervals), power (of the test that it
            is 0), mc_error (of power), usable (fits counted).
        fits: n, samples, converged, improper (solutions with a negative variance or the like, which are counted).
        significance, replicates, seed. sentences, notes.
    """

    table: pl.DataFrame
    fits: pl.DataFrame
    significance: float
    replicates: int
    seed: int
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: ModelPower, lang: str = "en") -> str:
    """Every parameter, how fits ended, sentences, notes."""
    headings = {c: t.say(lang) for c, t in HEADINGS.items()}
    said = [*(s.say(lang) for s in value.sentences), *(f"* {n.say(lang)}" for n in value.notes)]
    return "\n".join([table(value.table, headings=headings), "", table(value.fits, headings=headings), "", *said])


def drawn_moments(population: Population, n: int, replicates: int, rng: np.random.Generator) -> Moments:
    """A stack of B sample moments of n people each, normally distributed: Wishart covariances by Bartlett's factors.

    Source:
        Bartlett (1933), Proc. Royal Society of Edinburgh 53; Smith & Hocking (1972), Applied Statistics 21.

    Example:
        >>> population = population_of(Model.parse("x =~ .8*x1 + .8*x2; y =~ .7*y1 + .7*y2; y ~ .5*x"))
        >>> drawn_moments(population, 100, 3, np.random.default_rng(1)).cov.shape
        (3, 4, 4)
    """
    p = len(population.names)
    L = np.linalg.cholesky(population.cov)
    A = np.tril(rng.standard_normal((replicates, p, p)), -1)
    A[:, np.arange(p), np.arange(p)] = np.sqrt(rng.chisquare(n - 1 - np.arange(p), (replicates, p)))
    F = L @ A
    mean = rng.standard_normal((replicates, p)) @ L.T / np.sqrt(n)
    count, unknown = np.full(replicates, float(n)), np.full(p, np.nan)
    cells = pl.DataFrame({"sample": np.arange(replicates), "n": np.full(replicates, n)})
    cov = F @ F.swapaxes(1, 2) / (n - 1)
    return Moments(population.names, count, count, count, mean, cov, cells, unknown, unknown)


def power_model(
    model: Model | str,
    n: int | Sequence[int] | None = None,
    *,
    analysis: Model | str | None = None,
    replicates: int = 1000,
    significance: float = 0.05,
    estimator: SEM | None = None,
    seed: int = 1,
) -> ModelPower:
    """Power, bias and coverage of every parameter, and how often the model converges, by Monte Carlo.

    Parameters:
        model: the population, standardised, with a value for every arrow: "y ~ .3*x".
        n: people, or several numbers of them. analysis: another model to fit; None: the same with all values free.
        replicates: samples of each n. significance: of the tests; intervals have 1 - significance.
        estimator: `csi.SEM` with "ML" or "GLS". Factors have (residual) variance 1. seed: of the draws.

    Returns:
        A `ModelPower`.

    Raises:
        Problems: an arrow without a value, values no population has, fewer people than parameters, an estimator that
            needs rows.

    Source:
        Muthén & Muthén (2002), Structural Equation Modeling 9(4), 599-620.

    Example:
        >>> text = "x =~ .8*x1 + .8*x2; y =~ .7*y1 + .7*y2; y ~ .5*x"
        >>> found = power_model(text, 150, replicates=200)
        >>> row = found.table.filter(op="~").row(0, named=True)
        >>> 0.9 < row["power"] <= 1, 0.9 < row["coverage"] <= 1
        (True, True)
    """
    sizes = tuple(n) if isinstance(n, list | tuple) else (n,)
    problems = [*_settings(replicates, significance, estimator), *seed_problems(seed)]
    population = population_of(model_of(model, also=problems))
    fitting = population.model if analysis is None else model_of(analysis)
    truth = at_population(population, fitting)
    least = max(len(truth.rows), len(population.names)) + 1
    problems = [p for one in sizes for p in _people(one, least)]
    if problems:
        raise Problems(problems)
    settings = replace(estimator or SEM(), std_lv=True)
    rng = np.random.Generator(np.random.PCG64(seed))
    tables, fits = [], []
    for one in (int(s) for s in sizes if s is not None):
        est = settings.solve(fitting, drawn_moments(population, one, replicates, rng))
        counted, ended = _counted(est, truth, one, significance)
        tables.append(counted)
        fits.append(ended)
    frame, ends = pl.concat(tables), pl.concat(fits)
    notes = (*population.notes, *_unsettled(ends))
    return ModelPower(frame, ends, significance, replicates, seed, _sentences(frame, ends), notes)


def _settings(replicates: object, significance: object, estimator: object) -> list[Problem]:
    """What is wrong with the request."""
    found = [*size(replicates, 10, "replicates"), *number("significance", significance, 0, 1)]
    if estimator is None:
        return found
    fine = isinstance(estimator, SEM) and (estimator.estimator or "ML") in DRAWN and estimator.missing == "listwise"
    if not fine or (isinstance(estimator, SEM) and (estimator.ordered or estimator.groups)):
        en = (
            "moments are drawn, no rows: estimators that need rows (robust, ordinal, FIML, groups, PLS) have none here."
        )
        zh = "此处抽取的是矩而非数据行：需要数据行的估计方法（稳健、有序、FIML、多组、PLS）不适用。"
        do, do_zh = 'Use csi.SEM() or csi.SEM(estimator="GLS").', '请用 csi.SEM() 或 csi.SEM(estimator="GLS")。'
        found.append(impossible("estimator", en, zh, do, do_zh))
    return found


def _people(n: object, least: int) -> list[Problem]:
    """What is wrong with a number of people."""
    why = Text("a model needs more people than it has parameters", "样本量须多于模型参数个数")
    return size(n, least, why=why)


def _counted(est: Estimate, truth: Estimate, n: int, significance: float) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What the fits of one n say of every parameter, and how they ended."""
    error = np.full_like(est.values, np.nan) if est.std_error is None else est.std_error
    free = np.flatnonzero(np.isfinite(error).any(axis=0) & (np.nan_to_num(error) > 0).any(axis=0))
    value, error, true = est.values[:, free], error[:, free], truth.values[0, free]
    fine = est.convergence.converged[:, None] & np.isfinite(value) & np.isfinite(error) & (error > 0)
    z = float(ndtri(1 - significance / 2))
    value, error = np.where(fine, value, np.nan), np.where(fine, error, np.nan)
    usable = fine.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nanmean(value, axis=0)
        power = (np.abs(value) > z * error).sum(axis=0) / usable
        coverage = (np.abs(value - true) <= z * error).sum(axis=0) / usable
        columns = {
            "population": true,
            "mean": mean,
            "bias": mean - true,
            "sd": np.nanstd(value, axis=0, ddof=1),
            "std_error": np.nanmean(error, axis=0),
            "coverage": coverage,
            "power": power,
            "mc_error": np.sqrt(power * (1 - power) / usable),
        }
    rows = [est.rows[k] for k in free.tolist()]
    names = {"n": [n] * len(rows)} | {c: [getattr(r, c) for r in rows] for c in ("lhs", "op", "rhs")}
    frame = pl.DataFrame({**names, **{c: number_column(v) for c, v in columns.items()}, "usable": usable})
    ended = est.convergence
    improper = np.zeros(len(ended.converged), dtype=bool)
    for flags in ended.improper.values():
        improper |= flags
    share = {"converged": [float(ended.converged.mean())], "improper": [float(improper.mean())]}
    return frame, pl.DataFrame({"n": [n], "samples": [len(improper)], **share})


def _unsettled(ends: pl.DataFrame) -> tuple[Note, ...]:
    """A note where many fits did not end."""
    few = ends.filter(pl.col("converged") < FEW)
    if not few.height:
        return ()
    n, share = few.select("n", "converged").row(0)
    en = f"of n = {n} only {100 * share:.0f} % of the fits converged; power is that of the others."
    return (note("W-POWER-CONVERGE", en, f"n = {n} 时只有 {100 * share:.0f}% 的拟合收敛；功效仅就其计算。"),)


def _sentences(frame: pl.DataFrame, ends: pl.DataFrame) -> tuple[Text, ...]:
    """One sentence per n: the path (or covariance, or loading) found least often."""
    found = []
    for n, samples in ends.select("n", "samples").rows():
        own = frame.filter(n=n, op="~")
        own = own if own.height else frame.filter(pl.col("n") == n, pl.col("lhs") != pl.col("rhs"))
        if not own.height:
            continue
        row = own.sort("power", maintain_order=True).row(0, named=True)
        name = f"{row['lhs']} {row['op']} {row['rhs']}"
        found.append(
            Text(
                f"With {n} people the parameter found least often is {name}: power {row['power']:.3f} "
                f"(+/- {1.96 * row['mc_error']:.3f}, {samples} samples), coverage {row['coverage']:.3f}.",
                f"样本为 {n} 人时，最难发现的参数是 {name}：功效 {row['power']:.3f}"
                f"（±{1.96 * row['mc_error']:.3f}，{samples} 个样本），覆盖率 {row['coverage']:.3f}。",
            )
        )
    return tuple(found)
