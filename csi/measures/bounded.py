"""The same model with variances kept from being negative, and what that changes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from csi.errors import Problems, Text
from csi.estimate.estimate import Estimate
from csi.measures.directions import at_bound
from csi.measures.findings import Finding, listed, number
from csi.sem.estimator import SEM, Bounds
from csi.sem.fitted import Fitted, fitted

FAR = 10.83
"""A bounded solution whose chi2 is larger by more (p = .001 of one degree of freedom) is not recommended."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A parameter that moved by more than its standard error: before, after, and the standard error before."""

    parameter: str
    before: float
    after: float
    std_error: float


@dataclass(frozen=True, slots=True)
class Refit:
    """A bounded refit of one cell.

    Attributes:
        cell: number of the slice. bounds: the setting. converged: whether it settled. chi2: before (NaN of a search
            that did not settle) and after. df.
        at_bound: parameters at their bounds. moved: parameters that moved by more than a standard error, most first.
        estimate: the bounded fit of this cell alone.
    """

    cell: int
    bounds: str
    converged: bool
    chi2: tuple[float, float]
    df: int
    at_bound: tuple[str, ...]
    moved: tuple[Moved, ...]
    estimate: Estimate

    @property
    def difference(self) -> float:
        """How much worse the bounded model fits, in chi-square."""
        return self.chi2[1] - self.chi2[0]


def refits(est: Estimate, cells: Collection[int], bounds: Bounds) -> list[Refit]:
    """The bounded refit of `cells`; none where the settings know no bounds, have them already, or it cannot be fitted.

    Source:
        De Jonckheere & Rosseel (2022), Structural Equation Modeling 29(3) (bounded estimation).
    """
    if not cells or not isinstance(est.settings, SEM) or est.settings.bounds is not None:
        return []
    settings = replace(est.settings, bounds=bounds)
    found = ((cell, _alone(est, settings, cell)) for cell in sorted(cells))
    return [_refit(est, after, cell, bounds) for cell, after in found if after is not None]


def _alone(est: Estimate, settings: SEM, cell: int) -> Estimate | None:
    """One cell fitted with bounds; None where that is refused, or where it alone has other parameters."""
    try:
        after = settings.solve(est.model, est.moments.of_slice(cell))
    except Problems:
        return None
    return after if fitted(after).layout.table.names == fitted(est).layout.table.names else None


def _refit(before: Estimate, after: Estimate, cell: int, bounds: Bounds) -> Refit:
    """What changed in one cell; `after` holds it alone."""
    old, new = fitted(before), fitted(after)
    return Refit(
        cell=cell,
        bounds=bounds,
        converged=bool(after.convergence.converged[0]),
        chi2=(
            float(old.test.statistic[cell]) if before.convergence.converged[cell] else float("nan"),
            float(new.test.statistic[0]),
        ),
        df=new.df,
        at_bound=at_bounds(new, 0),
        moved=_moved(old, new, cell),
        estimate=after,
    )


def at_bounds(fit: Fitted, cell: int) -> tuple[str, ...]:
    """Names of the parameters at one of their bounds."""
    return tuple(fit.layout.table.names[int(i)] for i in np.flatnonzero(at_bound(fit, cell)))


def of_bounds(fit: Fitted, cell: int, place: str) -> list[Finding]:
    """Estimates that stopped at a bound."""
    held = at_bounds(fit, cell)
    if not held:
        return []
    what = Text(f"At a bound: {listed(held)}.", f"落在界上：{listed(held, 'zh')}。")
    cause = Text("Without it the estimate would go further.", "若无界限，估计值会越过该处。")
    do = Text(
        "A constraint of the model that binds leaves no standard error; the test of fit counts the parameter as free.",
        "模型约束起作用时没有标准误；拟合检验仍将该参数计为自由参数。",
    )
    return [Finding("W-BOUND", "warning", cell, place, held, what, cause, do)]


def _moved(old: Fitted, new: Fitted, cell: int) -> tuple[Moved, ...]:
    """Parameters that moved by more than their standard error before."""
    before, after = old.theta[cell], new.theta[0]
    with np.errstate(invalid="ignore", divide="ignore"):
        se = np.sqrt(np.diagonal(old.vcov[cell]))
        size = np.abs(after - before) / se
    order = [int(i) for i in np.argsort(-np.nan_to_num(size)) if size[i] > 1]
    names = old.layout.table.names
    return tuple(Moved(names[i], float(before[i]), float(after[i]), float(se[i])) for i in order)


def of_refit(refit: Refit, place: str, left: Collection[str]) -> Finding:
    """What a bounded refit changes, as a finding.

    Parameters:
        left: codes of the errors and warnings that remain in the bounded solution.
    """
    title, title_zh = f'Refitted with bounds="{refit.bounds}"', f'以 bounds="{refit.bounds}" 重新拟合'
    if not refit.converged:
        what = Text(f"{title}: it does not converge.", f"{title_zh}：未收敛。")
        return Finding("N-REFIT", "fine", refit.cell, place, (), what, Text("", ""), Text("", ""))
    held, held_zh = listed(refit.at_bound), listed(refit.at_bound, "zh")
    en = f"{title}: chi2 {number(refit.chi2[0])} becomes {number(refit.chi2[1])} (+{number(refit.difference)})"
    zh = f"{title_zh}：卡方由 {number(refit.chi2[0])} 变为 {number(refit.chi2[1])}（+{number(refit.difference)}）"
    if np.isnan(refit.chi2[0]):
        en = f"{title}: chi2 {number(refit.chi2[1])}; without bounds the search did not settle"
        zh = f"{title_zh}：卡方为 {number(refit.chi2[1])}；不加界时搜索未收敛"
    if refit.at_bound:
        en, zh = f"{en}, with {held} at the bound", f"{zh}，{held_zh} 落在界上"
    what = Text(f"{en}.", f"{zh}。")
    moved = [m for m in refit.moved if m.parameter not in refit.at_bound]
    if np.isnan(refit.chi2[0]):
        cause = Text("", "")
    elif moved:
        told = "; ".join(f"{m.parameter} {number(m.before)} to {number(m.after)}" for m in moved[:4])
        told_zh = "；".join(f"{m.parameter} 由 {number(m.before)} 变为 {number(m.after)}" for m in moved[:4])
        cause = Text(f"Moved by more than a standard error: {told}.", f"变动超过一个标准误：{told_zh}。")
    else:
        cause = Text("No other parameter moves by more than its standard error.", "其他参数的变动均不超过其标准误。")
    return Finding(
        "N-REFIT",
        "fine",
        refit.cell,
        place,
        refit.at_bound,
        what,
        cause,
        _verdict(refit, moved, left),
        refit.difference,
    )


def _verdict(refit: Refit, moved: list[Moved], left: Collection[str]) -> Text:
    """Whether the bounded solution may be used."""
    if left:
        codes = listed(sorted(left))
        return Text(f"It does not mend {codes}.", f"未能解决 {codes}。")
    if np.isnan(refit.chi2[0]):
        return Text(
            "It is the minimum within these bounds only: do not report it as the fit of the model; change the model.",
            "它只是界内的极小点：请勿作为模型的拟合结果报告，应修改模型。",
        )
    if refit.difference > FAR:
        return Text(
            "The bounds cost far too much fit: do not report the bounded solution; change the model.",
            "加界使拟合大幅变差：请勿报告加界的解，应修改模型。",
        )
    if not moved and refit.difference < 3.84:
        return Text("The conclusions do not hang on it: report the bounded fit.", "结论不受影响，可报告加界后的结果。")
    return Text("Report both fits, or change the model.", "请同时报告两种结果，或修改模型。")
