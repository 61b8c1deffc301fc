"""How large a difference between groups a step of the ladder leaves room for: expected changes with their intervals.

    difference = EPC - EPC of the parameter it is held equal to,   SE = |difference| / sqrt(X2)

with X2 the score test of releasing that equality alone.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from csi.errors import Problems, Text
from csi.estimate.estimate import Estimate
from csi.measures.invariance_words import fixed, signed
from csi.measures.ladder import Key, Step
from csi.measures.partial import OF, equality_tests
from csi.sem.fitted import fitted

Z95 = float(ndtri(0.975))


@dataclass(frozen=True, slots=True)
class Room:
    """The held parameter that is expected to differ most.

    Attributes:
        key: lhs, op, rhs. group: where it differs from the first. value, low, high: the expected difference and its
            95 % interval: of loadings and intercepts in standard deviations of the item (constructs having variance 1
            in the first group), of residual variances in variances of the item; of ordinal items in the units of their
            latent responses.
    """

    key: Key
    group: str
    value: float
    low: float
    high: float

    def text(self, least: float) -> Text:
        """One sentence; `least` rows in the smallest group."""
        name = f"{self.key[0]} ~ 1" if self.key[1] == "~1" else " ".join(self.key)
        value, low, high = signed(self.value, 2), fixed(self.low, 2), fixed(self.high, 2)
        return Text(
            f"The largest expected difference of a held parameter is {value} (standardised; {name} in "
            f"{self.group}; 95 % interval {low} to {high}; smallest group: {least:.0f} rows).",
            f"被约束参数的预期差异最大为 {value}（标准化；{self.group} 组的 {name}；95% 区间 {low} 至 "
            f"{high}；最小组 {least:.0f} 行）。",
        )


def no_room(least: float) -> Text:
    """The sentence where no difference can be expected by score tests."""
    return Text(f"The smallest group has {least:.0f} rows.", f"最小组为 {least:.0f} 行。")


def room_of(est: Estimate, step: Step, ordinal: Collection[str]) -> Room | None:
    """The largest expected difference of what a step holds equal; None where no score test tells.

    Parameters:
        est: the step, fitted with constructs of variance 1 in the first group. ordinal: names of ordinal items.

    Source:
        Saris, Satorra & van der Veld (2009), Structural Equation Modeling 16(4):561-582 (expected changes with
        intervals beside tests); Bentler & Chou (1992), Sociological Methods & Research 21(2).

    Example:
        >>> import csi
        >>> one = [[1.0, 0.5, 0.4, 0.4], [0.5, 1.0, 0.5, 0.4], [0.4, 0.5, 1.0, 0.5], [0.4, 0.4, 0.5, 1.0]]
        >>> data = csi.Moments.grouped(
        ...     {g: csi.Moments.of("abcd", one, n=200, mean=[0, 0, 0, d]) for g, d in (("zh", 0.0), ("en", 0.1))}
        ... )
        >>> settings = csi.SEM(groups="language", equal=("loadings", "intercepts"), std_lv=True)
        >>> found = room_of(csi.fit(csi.Model.parse("f =~ a + b + c + d"), data, settings), "scalar", ())
        >>> found.key, round(found.value, 3)
        (('d', '~1', ''), 0.1)
    """
    if step not in OF or not est.convergence.converged.all():
        return None
    try:
        tests = equality_tests(est, step, set(ordinal))
    except Problems:
        return None
    size = _units(est, step, ordinal)
    found = []
    for row in tests.drop_nulls("x2").iter_rows(named=True):
        item = row["rhs"] if row["op"] == "=~" else row["lhs"]
        own = row["op"] == OF[step] and item in size and (row["op"] != "~~" or row["lhs"] == row["rhs"])
        if own and row["x2"] > 0:
            value = (row["epc"] - row["epc_first"]) / size[item]
            half = Z95 * abs(value) / row["x2"] ** 0.5
            found.append(Room((row["lhs"], row["op"], row["rhs"]), row["group"], value, value - half, value + half))
    return max(found, key=lambda room: abs(room.value), default=None)


def _units(est: Estimate, step: Step, ordinal: Collection[str]) -> dict[str, float]:
    """What differences of every item's parameters are measured in: its pooled standard deviation or variance."""
    fit = fitted(est)
    rows = np.array([group.n[0] for group in fit.groups])
    variances = np.array([np.diagonal(group.cov[0]) for group in fit.groups])
    pooled = rows @ variances / rows.sum()
    measured = zip(fit.layout.table.observed, pooled.tolist(), strict=True)
    return {n: 1.0 if n in ordinal else v if step == "strict" else v**0.5 for n, v in measured if v > 0}
