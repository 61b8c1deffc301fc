"""Differences in differences of members and others: by cohort of joining, with weights, and by two-way fixed effects.

Letters: `u` customers, `t` periods, g the period of joining, k periods since. Of cohort g, members are compared with
customers who never joined; the first purchase of both is before the first of the two periods:

    ATT(g, k) = mean_members(y_{g+k} - y_{g-1}) - mean_others w (y_{g+k} - y_{g-1}),  w = e / (1 - e)
    ATT(k) = sum_g n_g ATT(g, k) / sum_g n_g,  e = P(member | what was spent before)

Source:
    Callaway & Sant'Anna (2021), J. of Econometrics 225, 200-230 (cohorts against those never treated); Goodman-Bacon
    (2021), J. of Econometrics 225, 254-277 (what two-way fixed effects mix); Bertrand, Duflo & Mullainathan (2004), QJE
    119, 249-275 (errors clustered by unit).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import fdtrc

from csi.behaviour.incidence import Logit, logit
from csi.behaviour.programme_panel import NEVER, Spending
from csi.moments.stack import Array, Ints

FEWEST: Final = 5
"""Members and others that a cohort must have."""
Flags = NDArray[np.bool_]
ROUNDS, SETTLED = 2000, 1e-9
"""Of taking out the means of customers and of periods."""


@dataclass(frozen=True, slots=True)
class Changes:
    """ATT(k) with the influence of every customer.

    Attributes:
        lags: k periods since joining. value: (k,). influence: (u, k) times u. members: (k,) behind each.
        others: how many never joined. group: (u,) period of joining, `NEVER` for others. n_effective: of the others,
            where they are weighted. overlap: covariate, group, before, after (standardised), n_effective, lowest;
            without rows where nothing is weighted.
    """

    lags: Ints
    value: Array
    influence: Array
    members: Ints
    others: int
    group: Ints
    n_effective: float
    overlap: pl.DataFrame

    def error(self, L: Array) -> tuple[Array, Array]:
        """Standard errors of combinations L ATT and their degrees of freedom (`_df`, one by one)."""
        z = self.influence @ L.T / len(self.influence)
        return np.sqrt((z**2).sum(axis=0)), np.array([self._df(row[None, :]) for row in L])

    def _df(self, L: Array) -> float:
        """Degrees of freedom of the covariance V = sum V_g of L ATT, a part for each cohort and one for the others.

            q (q + 1) / sum_g (tr (V_g V^-1)^2 + (tr V_g V^-1)^2) / (n_g - 1);  of one combination Welch's

        Source:
            Krishnamoorthy & Yu (2004), Statistics & Probability Letters 66, 161-169 (groups that vary unlike).
        """
        z, q = self.influence @ L.T, len(L)
        inverse = np.linalg.pinv(z.T @ z, hermitian=True)
        spread = 0.0
        for g in np.unique(self.group):
            own = z[self.group == g]
            n = self.n_effective if g == NEVER else float((np.abs(own).max(axis=1) > 0).sum())
            part = own.T @ own @ inverse
            spread += float((part * part.T).sum() + np.trace(part) ** 2) / max(n - 1, 1.0)
        return max(q * (q + 1) / spread, 1.0) if spread > 0 else 0.0

    def joint(self, at: Ints) -> tuple[float, int, float, float]:
        """F, its degrees of freedom and p of ATT = 0 at several lags (Hotelling's); NaN where they cannot be told."""
        q, z = len(at), self.influence[:, at] / len(self.influence)
        V = z.T @ z
        df = self._df(np.eye(len(self.value))[at])
        left = df - q + 1
        if left <= 0 or np.linalg.matrix_rank(V, hermitian=True) < q:
            return np.nan, q, left, np.nan
        F = float(self.value[at] @ np.linalg.solve(V, self.value[at])) / q * left / df
        return F, q, left, float(fdtrc(q, left, F))


def changes(data: Spending, *, weighted: bool, widest: int) -> Changes | None:
    """ATT by periods since joining, against the period before it; None where no cohort can be compared.

    Parameters:
        weighted: others weighted to resemble the members of a cohort in what they spent before and since when.
        widest: periods before and after that are told.
    """
    u, t = data.spent.shape
    lags = np.arange(-widest, widest + 1)
    total, members = np.zeros((u, lags.size)), np.zeros(lags.size, dtype=np.int64)
    value, shown = np.zeros(lags.size), []
    never = data.joined == NEVER
    used, effective = np.zeros(u, dtype=bool), np.inf
    for g in np.unique(data.joined[data.joined > 0]):
        before = data.since < g - 1
        mine, others = before & (data.joined == g), before & never
        if mine.sum() < FEWEST or others.sum() < FEWEST:
            continue
        rows = np.flatnonzero(mine | others)
        member = mine[rows]
        chance = None
        if weighted:
            chance, table = _chance(data, rows, member, int(g))
            if chance is None:
                continue
            shown.append(table)
            effective = min(effective, _kish((chance.mu / (1 - chance.mu))[~member]))
        used |= mine | others
        for j, k in enumerate(lags):
            if not 0 <= g + k < t or k == -1:
                continue
            alive = data.since[rows] < g + min(int(k), -1)
            own, rest = member & alive, ~member & alive
            if own.sum() < FEWEST or rest.sum() < FEWEST:
                continue
            y = data.spent[rows, g + k] - data.spent[rows, g - 1]
            one, influence = _apart(y, own, rest, chance)
            n = int(own.sum())
            value[j] += n * one
            total[rows, j] += n * influence * u / len(rows)
            members[j] += n
    there = members > 0
    if not there.any():
        return None
    count = members[there]
    overlap, others = pl.concat(shown) if shown else pl.DataFrame(), int((used & never).sum())
    return Changes(
        lags[there], value[there] / count, total[:, there] / count, count, others, data.joined,
        float(min(effective, others)), overlap,
    )  # fmt: skip


def _apart(y: Array, own: Flags, rest: Flags, chance: Logit | None) -> tuple[float, Array]:
    """Mean of members less (weighted) mean of others, and the influence of rows, times their number."""
    n = len(y)
    weight = np.ones(n) if chance is None else chance.mu / (1 - chance.mu)
    held = np.where(rest, weight, 0.0)
    a, b = y[own].mean(), held @ y / held.sum()
    effective = _kish(weight[rest])
    out = np.zeros(n)
    # both with n - 1 in the variance
    out[own] = np.sqrt(own.sum() / (own.sum() - 1)) * n * (y[own] - a) / own.sum()
    out -= np.sqrt(effective / (effective - 1)) * n * held * (y - b) / held.sum()
    if chance is not None:
        out -= chance.influence @ ((held * (y - b)) @ chance.X / held.sum())
    return float(a - b), out


def _kish(weight: Array) -> float:
    """Effective number of rows."""
    return float(weight.sum() ** 2 / (weight**2).sum())


def covariates(data: Spending, rows: Ints, g: int) -> dict[str, Array]:
    """What is known of customers before period g - 1: what they spent a period, and since when they buy.

    The period g - 1, against which changes are told, is left out: others chosen for a high value there would fall back.

    Source:
        Daw & Hatfield (2018), Health Services Research 53, 4138-4156 (matching on the reference makes bias).
    """
    before = data.spent[rows, : g - 1]
    known = np.arange(g - 1) >= data.since[rows, None]
    mean = (before * known).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return {"mean": mean, "periods": (g - data.since[rows]).astype(np.float64)}


def _chance(data: Spending, rows: Ints, member: Flags, g: int) -> tuple[Logit | None, pl.DataFrame]:
    """Chances of membership of every row; None where members are told apart perfectly."""
    x = {k: v for k, v in covariates(data, rows, g).items() if np.ptp(v) > 0}
    X = np.column_stack([np.ones(len(rows)), *x.values()])
    while X.shape[1] > 1 and np.linalg.matrix_rank(X / np.sqrt((X**2).mean(axis=0))) < X.shape[1]:
        x.popitem()
        X = X[:, :-1]
    found = logit(X, member.astype(np.float64), np.ones(len(rows)))
    if found is None:
        return None, pl.DataFrame()
    odds = np.where(member, 1.0, found.mu / (1 - found.mu))
    lines = []
    for name, v in x.items():
        sd = v[member].std() or 1.0
        plain = (v[member].mean() - v[~member].mean()) / sd
        after = (v[member].mean() - np.average(v[~member], weights=odds[~member])) / sd
        lines.append((g, name, int(member.sum()), int((~member).sum()), _kish(odds[~member]), plain, after,
                      float(found.mu[member].max()), float(found.mu[~member].max())))  # fmt: skip
    schema = ["cohort", "name", "n", "others", "n_effective", "before", "after", "highest_member", "highest_other"]
    return found, pl.DataFrame(lines, schema=schema, orient="row")


def two_way(data: Spending) -> tuple[float, float, float, int, int] | None:
    """Slope of membership with fixed effects of customers and periods, clustered error, df, members, others.

    Periods up to that of a customer's first purchase and the period of joining are left out.
    """
    _, t = data.spent.shape
    period = np.arange(t)[None, :]
    joined = data.joined[:, None]
    here = (period > data.since[:, None]) & (period != joined)
    d = ((joined != NEVER) & (period > joined)).astype(np.float64)
    both = ((d * here).sum(axis=1) > 0) & (((1 - d) * here).sum(axis=1) > 0)
    rows = np.flatnonzero(both | ((data.joined == NEVER) & (here.sum(axis=1) > 1)))
    members = int(both.sum())
    if members < FEWEST or rows.size - members < FEWEST:
        return None
    here, y, d = here[rows], data.spent[rows], d[rows]
    resid = [_within(v, here) for v in (d, y)]
    size = float((resid[0] ** 2).sum())
    if size < SETTLED:
        return None
    b = float((resid[0] * resid[1]).sum()) / size
    score = (resid[0] * (resid[1] - b * resid[0])).sum(axis=1)
    u = len(rows)
    error = float(np.sqrt((score**2).sum() * u / (u - 1))) / size
    return b, error, float(min(members, u - members) - 1), members, u - members


def _within(v: Array, here: Array) -> Array:
    """V less the means of its rows and columns where it is there, by turns until both are 0."""
    out = np.where(here, v, 0.0)
    rows, columns = np.maximum(here.sum(axis=1, keepdims=True), 1), np.maximum(here.sum(axis=0, keepdims=True), 1)
    scale = max(float(np.abs(out).max()), 1e-30)
    for _ in range(ROUNDS):
        out = np.where(here, out - out.sum(axis=1, keepdims=True) / rows, 0.0)
        away = out.sum(axis=0, keepdims=True) / columns
        out = np.where(here, out - away, 0.0)
        if float(np.abs(away).max()) < SETTLED * scale:
            break
    return out
