"""Johnson and Neyman's region: for which values of the moderator the slope differs from 0.

    |b + g z| >= c sqrt(V_bb + 2 z V_bg + z^2 V_gg)

with the slope b at the moderator's mean, its change g per standard deviation, and their covariance V over replicates.

Letters: `b` slices of a stack, `B` replicates, `n` rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import polars as pl
from scipy.special import ndtri

from csi.display import Shown, text
from csi.errors import Note, Problems, Text, problem
from csi.estimate.estimate import Estimate, Solution
from csi.estimate.given import check_estimate
from csi.inference.pooled import copies_of
from csi.inference.replicates import Quantity
from csi.inference.uncertainty import two_sided, uncertainty
from csi.measures.findings import number
from csi.measures.shown import part, told
from csi.measures.slopes import Moderation, base, bend, chosen_of
from csi.measures.tidy import cells_of, tidy
from csi.models.model import Model
from csi.moments.stack import Array, Moments

Kind = Literal["everywhere", "nowhere", "outside", "inside", "above", "below"]

RANGE = 3.0
"""The moderator is looked at within so many standard deviations of its mean."""

KINDS: dict[str, Text] = {
    "everywhere": Text("everywhere", "处处显著"),
    "nowhere": Text("nowhere", "处处不显著"),
    "outside": Text("outside", "区间外显著"),
    "inside": Text("inside", "区间内显著"),
    "above": Text("above", "高于界点时显著"),
    "below": Text("below", "低于界点时显著"),
}


@dataclass(frozen=True, slots=True)
class Region:
    """Where a slope differs from 0: bounds `low` and `high` (NaN where there is none), `kind` says on which side."""

    kind: Kind
    low: float
    high: float

    def holds(self, z: Array) -> Array:
        """1 where the slope differs from 0 at z.

        Example:
            >>> Region("outside", -1.0, 2.0).holds(np.array([-2.0, 0.0, 3.0])).tolist()
            [1.0, 0.0, 1.0]
        """
        if self.kind in ("everywhere", "nowhere"):
            return np.full(np.shape(z), float(self.kind == "everywhere"))
        if self.kind in ("above", "below"):
            bound = self.high if np.isnan(self.low) else self.low
            return np.asarray(z > bound if self.kind == "above" else z < bound, dtype=np.float64)
        within = (z > self.low) & (z < self.high)
        return np.asarray(within if self.kind == "inside" else ~within, dtype=np.float64)


def region(slope: float, change: float, V: Array, critical: float) -> Region:
    """The values z for which |slope + change z| reaches `critical` standard errors.

    Parameters:
        slope, change: the slope at z = 0 and its change per unit of z. V: (2, 2) their covariance. critical: such as
            1.96, or the t quantile of a regression.

    Returns:
        A `Region`; bounds beyond any z are NaN.

    Source:
        Johnson & Neyman (1936), Statistical Research Memoirs 1; Bauer & Curran (2005), Multivariate Behavioral
        Research 40(3), eq. 11-13.

    Example:
        >>> found = region(0.0, 1.0, np.diag([0.04, 0.0]), 2.0)
        >>> found.kind, round(found.low, 6), round(found.high, 6)
        ('outside', -0.4, 0.4)
    """
    c2 = critical**2
    A, B, C = change**2 - c2 * V[1, 1], 2 * (slope * change - c2 * V[0, 1]), slope**2 - c2 * V[0, 0]
    if abs(A) < TINY * max(change**2, c2 * abs(V[1, 1]), TINY):
        if abs(B) < TINY:
            return Region("everywhere" if C >= 0 else "nowhere", np.nan, np.nan)
        return Region("above" if B > 0 else "below", float(-C / B), np.nan)
    inner = B * B - 4 * A * C
    if inner < 0:
        return Region("everywhere" if A > 0 else "nowhere", np.nan, np.nan)
    root = np.sqrt(inner)
    low, high = sorted(((-B - root) / (2 * A), (-B + root) / (2 * A)))
    return Region("outside" if A > 0 else "inside", float(low), float(high))


TINY = 1e-12
"""Relative size below which the quadratic is a line."""


def within_range(found: Region, reach: float = RANGE) -> Region:
    """The region as seen within `reach` standard deviations: a bound beyond is dropped.

    Example:
        >>> within_range(Region("outside", -9.0, 1.0)).kind
        'above'
    """
    if found.kind not in ("outside", "inside"):
        return found
    low, high = abs(found.low) <= reach, abs(found.high) <= reach
    if low and high:
        return found
    if not low and not high:
        middle = bool(found.holds(np.zeros(1))[0])
        return Region("everywhere" if middle else "nowhere", np.nan, np.nan)
    bound = found.low if low else found.high
    upper = bool(found.holds(np.array([reach]))[0])
    return Region("above" if upper else "below", bound, np.nan)


@dataclass(frozen=True, slots=True, repr=False)
class JohnsonNeyman(Shown):
    """Regions of significance of moderated arrows. Each frame starts with the cell's key columns.

    Attributes:
        table: outcome, predictor, moderator, low and high (bounds in standard deviations of the moderator, within
            three of its mean), region ("outside", "inside", "above", "below", "everywhere", "nowhere"), share (of
            respondents with such a moderator, 0-1; null without rows).
        curve: outcome, predictor, moderator, at (-3 to 3), estimate, std_error, conf_low, conf_high: the slope with its
            band.
        level, sentences, notes.
    """

    table: pl.DataFrame
    curve: pl.DataFrame
    level: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: JohnsonNeyman, lang: str = "en") -> str:
    """Bounds, sentences, notes."""
    shown = value.table.with_columns(pl.col("region").replace({k: t.say(lang) for k, t in KINDS.items()}))
    title = Text("Where the slope differs from 0 (Johnson-Neyman)", "斜率显著区域（Johnson-Neyman）")
    lines = part(title, shown, lang, ".table")
    return "\n".join([*lines, *(s.say(lang) for s in value.sentences), *told((), value.notes, lang)])


def johnson_neyman(
    est: Estimate, predictor: str | None = None, moderator: str | None = None, outcome: str | None = None
) -> JohnsonNeyman:
    """For which values of its moderator an arrow differs from 0, at the estimate's level.

    The covariance of the slope and its change comes from the replicates; the critical value is the normal quantile.
    The level holds for each value of the moderator by itself, not for all of them at once.

    Parameters:
        est: a composite estimate with products after `bootstrap`. predictor, moderator, outcome: as in `simple_slopes`.

    Returns:
        A `JohnsonNeyman`.

    Raises:
        Problems: no products, no replicates.

    Source:
        Johnson & Neyman (1936); Bauer & Curran (2005).

    Example:
        >>> import csi
        >>> x, z, e = np.random.default_rng(1).normal(size=(3, 200))
        >>> frame = pl.DataFrame({"x1": x, "z1": z, "y1": 0.5 * x * z + e})
        >>> est = csi.fit("x =~ x1; z =~ z1; y =~ y1; y ~ x + z + x:z", frame, csi.PLS())
        >>> johnson_neyman(csi.bootstrap(est, 200)).table["region"].to_list()
        ['outside']
    """
    check_estimate(est)
    chosen = chosen_of(est, predictor, moderator, outcome)
    copies = copies_of(est) or (est,)
    if any(one.replicates is None for one in copies):
        en, zh = "the region needs the errors of replicates.", "显著区域需要重抽样得到的标准误。"
        do, do_zh = "Call csi.bootstrap(est) first.", "请先调用 csi.bootstrap(est)。"
        raise Problems([problem("E-BOOT", "johnson_neyman", en, zh, do, do_zh)])
    c = float(ndtri(0.5 + est.level / 2))
    z = np.round(np.linspace(-RANGE, RANGE, 61), 10)
    rows, curves, sentences = [], [], []
    for m in chosen:
        value, V = _line_and_covariances(copies, partial(_line, est.model, m))
        regions = [
            within_range(region(v[0], v[1], cov, c)) if np.isfinite(cov).all() and np.isfinite(v).all() else None
            for v, cov in zip(value, V, strict=True)
        ]
        shares = [None if r is None else _share(est, m, cell, r) for cell, r in enumerate(regions)]
        rows += [(cell, m, r, s) for cell, (r, s) in enumerate(zip(regions, shares, strict=True))]
        curves.append(_curve(est, m, value, V, z, c))
        if regions[0] is not None:
            sentences.append(_sentence(est, m, regions[0], shares[0]))
    rows.sort(key=lambda row: row[0])
    return JohnsonNeyman(
        _table(est, rows, len(chosen)),
        pl.concat(curves),
        est.level,
        tuple(sentences),
        (*est.notes, *two_sided(est)),
    )


def _line_and_covariances(copies: Sequence[Estimate], line: Quantity) -> tuple[Array, Array]:
    """(b, 2) the line of a slope and (b, 2, 2) its covariance; of several copies W + (1 + 1/m) B, as Rubin's rules."""
    found = [uncertainty(one, line) for one in copies]
    value, within = (np.mean(a, axis=0) for a in ([f.value for f in found], [_covariances(f.draws) for f in found]))
    if len(copies) == 1:
        return value, within
    away = np.stack([f.value for f in found]) - value
    between = np.einsum("mbi,mbj->bij", away, away) / (len(copies) - 1)
    return value, within + (1 + 1 / len(copies)) * between


def _line(model: Model, m: Moderation, _: Moments, solution: Solution) -> Array:
    """(b, 2) the slope at the moderator's mean and its change per standard deviation."""
    return np.stack([base(solution, m), bend(model, solution, m)], axis=1)


def _covariances(draws: Array) -> Array:
    """(b, 2, 2) covariances of the draws (B, b, 2), unusable ones left out."""
    found = np.full((draws.shape[1], 2, 2), np.nan)
    for cell in range(draws.shape[1]):
        kept = draws[np.isfinite(draws[:, cell]).all(axis=1), cell]
        if len(kept) > 2:
            found[cell] = np.cov(kept.T)
    return found


def _share(est: Estimate, m: Moderation, cell: int, found: Region) -> float | None:
    """Weighted share of the cell's respondents whose moderator lies where the slope differs from 0."""
    sample, W = est.sample, est.solution.item_weights
    if sample is None or W is None:
        return None
    at = [sample.names.index(i) for i in est.solution.items]
    own = [est.moments.names.index(i) for i in est.solution.items]
    rows = sample.cell == cell
    with np.errstate(divide="ignore", invalid="ignore"):
        Z = (sample.rows[rows][:, at] - est.moments.mean[cell, own]) / est.moments.sd[cell, own]
    scores = np.nan_to_num(Z) @ W[cell][:, est.solution.constructs.index(m.moderator)]
    return float(np.average(found.holds(scores), weights=sample.weight[rows]))


def _curve(est: Estimate, m: Moderation, value: Array, V: Array, z: Array, c: float) -> pl.DataFrame:
    """The slope along the moderator with its pointwise band."""
    slope = value[:, [0]] + value[:, [1]] * z
    error = np.sqrt(V[:, [0], [0]] + 2 * z * V[:, [0], [1]] + z**2 * V[:, [1], [1]])
    labels = pl.DataFrame({"outcome": m.outcome, "predictor": m.predictor, "moderator": m.moderator, "at": z})
    numbers = {
        "estimate": slope,
        "std_error": error,
        "conf_low": slope - c * error,
        "conf_high": slope + c * error,
    }
    return tidy(cells_of(est), labels, numbers)


def _table(est: Estimate, rows: list[tuple[int, Moderation, Region | None, float | None]], per: int) -> pl.DataFrame:
    """One row per cell and arrow."""
    chosen = [m for _, m, _, _ in rows[:per]]
    labels = pl.DataFrame(
        {
            "outcome": [m.outcome for m in chosen],
            "predictor": [m.predictor for m in chosen],
            "moderator": [m.moderator for m in chosen],
        }
    )

    def column(values: list[float | None]) -> Array:
        return np.array([np.nan if v is None else v for v in values], dtype=np.float64).reshape(-1, per)

    numbers = {
        "low": column([None if r is None else r.low for _, _, r, _ in rows]),
        "high": column([None if r is None else r.high for _, _, r, _ in rows]),
    }
    kinds = [None if r is None else str(r.kind) for _, _, r, _ in rows]
    frame = tidy(cells_of(est), labels, numbers, {"region": kinds})
    return frame.with_columns(pl.Series("share", [s for *_, s in rows], dtype=pl.Float64))


def _sentence(est: Estimate, m: Moderation, found: Region, share: float | None) -> Text:
    """Where the slope differs from 0, in words."""
    y, x, z = ((est.model.label(n), est.model.label(n, "zh")) for n in (m.outcome, m.predictor, m.moderator))
    low, high = number(found.low), number(found.high)
    where = {
        "everywhere": Text(f"for every {z[0]} within 3 SD", f"在{z[1]}均值上下 3 个标准差内处处显著"),
        "nowhere": Text(f"for no {z[0]} within 3 SD", f"在{z[1]}均值上下 3 个标准差内处处不显著"),
        "outside": Text(
            f"where {z[0]} is below {low} or above {high} SD", f"在{z[1]}低于 {low} 或高于 {high} 个标准差时显著"
        ),
        "inside": Text(f"where {z[0]} is between {low} and {high} SD", f"在{z[1]}介于 {low} 与 {high} 个标准差时显著"),
        "above": Text(f"where {z[0]} is above {low} SD", f"在{z[1]}高于 {low} 个标准差时显著"),
        "below": Text(f"where {z[0]} is below {low} SD", f"在{z[1]}低于 {low} 个标准差时显著"),
    }[found.kind]
    held = Text("", "") if share is None else Text(f" ({share:.0%} of respondents)", f"（占受访者 {share:.0%}）")
    en = f"The slope of {y[0]} on {x[0]} differs from 0 {where.en}{held.en}."
    return Text(en, f"{x[1]}对{y[1]}的斜率{where.zh}{held.zh}。")
