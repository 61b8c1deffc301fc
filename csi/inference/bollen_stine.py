"""The Bollen-Stine bootstrap: how a model's chi-square is distributed in data like these if the model were true."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl
from threadpoolctl import threadpool_limits

from csi.display import Shown, least_p
from csi.errors import Problem, Problems, problem, whole
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_estimate
from csi.estimate.shown import p_is
from csi.inference.resample import resampling_of, rows_behind
from csi.moments.pearson import cell_slices, cell_stack
from csi.moments.stack import Array, Sample
from csi.sem.fitted import Fitted, fitted


@dataclass(frozen=True, slots=True, repr=False)
class BollenStine(Shown):
    """What `bollen_stine` found.

    Attributes:
        statistic: (b,) chi-square of the model. p_value: (b,). draws: (n, b) chi-squares of the replicates, NaN where
            a replicate has no solution. usable: (n, b).
    """

    statistic: Array
    p_value: Array
    draws: Array
    usable: npt.NDArray[np.bool_]

    @property
    def table(self) -> pl.DataFrame:
        """One row per cell: statistic, p_value, replicates, usable."""
        return pl.DataFrame(
            {
                "statistic": self.statistic,
                "p_value": self.p_value,
                "replicates": [len(self.draws)] * len(self.p_value),
                "usable": self.usable.sum(axis=0),
            }
        )

    def __repr__(self) -> str:
        told = zip(self.p_value, self.usable.sum(axis=0), strict=True)
        p = ", ".join(p_is(float(v), least_p(int(n))) for v, n in told)
        return f"Bollen-Stine p {p} ({len(self.draws)} replicates, {int((~self.usable).sum())} without a solution)"


def bollen_stine(est: Estimate, n: int = 1000, seed: int = 1) -> BollenStine:
    """Bootstrap p-value of the test of exact fit.

    Rows are transformed so that the model holds exactly, z_i = (y_i - ybar) S^(-1/2) Sigma^(1/2) + mu, resampled as in
    `bootstrap`, and the model is fitted to every resample:

        p = (1 + number of chi2* >= chi2) / (1 + number of usable replicates)

    Parameters:
        est: a fit of `csi.SEM` to complete continuous rows. n: replicates. seed: the same seed gives the same bits.

    Raises:
        Problems: no rows, absent answers, ordinal items, interactions, fewer than 100 replicates.

    Source: Bollen & Stine (1992), Sociological Methods & Research 21(2):205-229.

    Example:
        >>> import polars as pl
        >>> import csi
        >>> rng = np.random.default_rng(1)
        >>> f = rng.standard_normal(200)
        >>> frame = pl.DataFrame({f"y{i}": f + rng.standard_normal(200) for i in range(4)})
        >>> est = csi.fit(csi.Model.parse("f =~ y0 + y1 + y2 + y3"), frame, csi.SEM())
        >>> bool(bollen_stine(est, n=100).p_value[0] > 0.05)
        True
    """
    check_estimate(est)
    fit, sample = fitted(est), rows_behind(est)
    found = _problems(est, fit, sample, n)
    if found:
        raise Problems(found)
    held = transformed(sample, fit)
    plan = resampling_of(sample, n, seed)
    held = plan.seen(held)
    c = sample.cells.height
    draws, usable = np.full((n, c), np.nan), np.zeros((n, c), dtype=bool)
    with threadpool_limits(1):
        for first, multiplicity in plan.blocks():
            some = slice(first, first + len(multiplicity))
            for number, rows in enumerate(cell_slices(held)):
                again = est.settings.solve(est.model, cell_stack(held, number, rows, multiplicity), est)
                settled = again.convergence.converged
                draws[some, number] = np.where(settled, fitted(again).test.statistic, np.nan)
                usable[some, number] = settled
    beyond = (draws >= fit.test.statistic).sum(axis=0)
    return BollenStine(fit.test.statistic, (1 + beyond) / (1 + usable.sum(axis=0)), draws, usable)


def transformed(sample: Sample, fit: Fitted) -> Sample:
    """The rows moved and turned until their moments are those the model implies.

    Parameters:
        sample: complete rows. fit: the model's fit to their moments, one slice per cell.
    """
    rows = sample.rows.copy()
    names = fit.layout.table.observed
    at = np.array([sample.names.index(name) for name in names], dtype=np.int64)
    group = np.zeros(len(rows), dtype=np.int64) if sample.group is None else sample.group
    for s in range(sample.cells.height):
        for g, part in enumerate(fit.groups):
            here = np.flatnonzero((sample.cell == s) & (group == g))
            turn = _root(part.cov[s], -0.5) @ _root(part.at.Sigma[s], 0.5)
            level = part.at.mu[s] if fit.layout.means else part.mean[s]
            rows[np.ix_(here, at)] = (rows[np.ix_(here, at)] - part.mean[s]) @ turn + level
    return replace(sample, rows=rows)


def _root(S: Array, power: float) -> Array:
    """A power of a positive definite matrix."""
    values, vectors = np.linalg.eigh(S)
    out: Array = (vectors * values**power) @ vectors.T
    return out


def _problems(est: Estimate, fit: Fitted, sample: Sample, n: int) -> list[Problem]:
    """What the Bollen-Stine bootstrap cannot do."""
    found = []
    found += whole("n", n)
    if not whole("n", n) and n < 100:
        en, zh = f"{n} replicates are too few for a p-value.", f"{n} 次重抽样不足以给出 p 值。"
        found.append(problem("E-BOOT", "n", en, zh, "Use 1000 or more.", "请使用 1000 次以上。"))
    if np.isnan(sample.rows).any():
        en, zh = "the Bollen-Stine bootstrap needs complete rows.", "Bollen-Stine 自助法需要完整的数据行。"
        do, do_zh = 'Fit the model with missing="listwise".', '请用 missing="listwise" 拟合模型。'
        found.append(problem("E-BOOT", "estimate", en, zh, do, do_zh))
    if fit.layout.table.rules.ordered or any(c.product_of for c in est.model.constructs):
        en = "the Bollen-Stine bootstrap is for continuous items without interactions."
        zh = "Bollen-Stine 自助法只适用于不含交互项的连续题项。"
        do, do_zh = "Read the scaled test instead.", "请改看校正后的检验。"
        found.append(problem("E-BOOT", "estimate", en, zh, do, do_zh))
    return found
