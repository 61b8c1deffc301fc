"""What each model of change is asked: its quantities read off a fit, or why they are withheld."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

import numpy as np
import polars as pl
from scipy.special import ndtri

from csi.errors import Note, Problems, Reason, Text, note, reason
from csi.estimate.estimate import Estimate
from csi.expectation.change_models import Series, coupled, difference, dual, growth, lagged, within
from csi.expectation.longitudinal import Fit, measures_of
from csi.inference.linearised import critical, p_of_t
from csi.measures.fit_measures import fit_measures

MODELS: Final[Mapping[str, tuple[int, Text]]] = {
    "difference": (2, Text("latent difference", "潜在差异")),
    "growth": (3, Text("latent growth", "潜在增长")),
    "dual": (4, Text("dual change", "双重变化")),
    "coupled": (4, Text("coupled dual change", "耦合双重变化")),
    "lagged": (3, Text("cross-lagged", "交叉滞后")),
    "within": (3, Text("random-intercept cross-lagged", "随机截距交叉滞后")),
}
"""Models: how many waves they need, and what they are called."""

PAIRED: Final = ("coupled", "lagged", "within")
"""Models of two series."""

Key = tuple[str, str, str]
"""lhs, op, rhs; or the label of a parameter, "label" and ""."""

NOT_INVARIANT = reason(
    "R-NOT-INVARIANT",
    "what is measured is not the same in every wave, so change is not told.",
    "各期测量不等值，故不给出变化。",
)
IMPROPER = reason(
    "R-NPD",
    "the variances of people's own means or of departures from them are not positive (definite): this model does not "
    "hold of these answers.",
    "个体均值或其偏离的方差非正（定）：该模型不适用于这些数据。",
)
UNSETTLED = reason("R-CONVERGE", "the search did not settle.", "估计未收敛。")

SCHEMA: Final = {
    "model": pl.String, "quantity": pl.String, "estimate": pl.Float64, "std_error": pl.Float64,
    "statistic": pl.Float64, "p_value": pl.Float64, "conf_low": pl.Float64, "conf_high": pl.Float64,
    "std": pl.Float64, "reason": pl.String,
}  # fmt: skip
FITS: Final = {
    "model": pl.String, "n": pl.Int64, "chi2": pl.Float64, "df": pl.Float64, "p_value": pl.Float64,
    "cfi": pl.Float64, "rmsea": pl.Float64, "srmr": pl.Float64, "reason": pl.String,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """One model: its rows of the table and of the fits, its text, why it is withheld, notes."""

    rows: list[list[object]]
    fit: list[object]
    lines: tuple[str, ...]
    reason: Reason | None = None
    notes: tuple[Note, ...] = ()


def quantities(model: str, one: Series, other: Series | None, *, flag: str = "") -> dict[str, Key]:
    """Name -> where a fit has it.

    Example:
        >>> quantities("growth", Series("A", ("x",), 3), None)["mean_slope"]
        ('sA', '~1', '')
    """
    a, b = one.letter, other.letter if other else ""
    first = one.levels[0]
    means = {
        "difference": _pair(first, f"d{a}", "initial", "change"),
        "growth": _pair(f"i{a}", f"s{a}", "initial", "slope"),
        "dual": _pair(f"{a}1", f"S{a}", "initial", "constant") | {"proportional": (f"b{a}", "label", "")},
        "coupled": _pair(f"{a}1", f"S{a}", "initial", "constant")
        | {"proportional": (f"b{a}", "label", ""), "coupling": ("xi", "label", "")},
    }
    if model not in means:
        lags = {"keeps": "a", "from_other": "b", "to_other": "c", "other_keeps": "d"}
        spread = {f"variance_own_{s}": (f"r{s}", "~~", f"r{s}") for s in (a, b) if model == "within"}
        own = {"covariance_own": (f"r{a}", "~~", f"r{b}")} if model == "within" else {}
        return {name: (label, "label", "") for name, label in lags.items()} | spread | own
    found = means[model]
    changing = [key for key in found if key.startswith("mean_")]
    flags = {f"flag_{key[5:]}": (found[key][0], "~", flag) for key in changing if flag}
    return found | flags


def _pair(first: str, second: str, one: str, two: str) -> dict[str, Key]:
    """Means, variances and covariance of a beginning and its change."""
    return {
        f"mean_{one}": (first, "~1", ""), f"mean_{two}": (second, "~1", ""),
        f"variance_{one}": (first, "~~", first), f"variance_{two}": (second, "~~", second),
        "covariance": (first, "~~", second),
    }  # fmt: skip


def lines_of(model: str, one: Series, other: Series | None, times: Sequence[float], flag: str = "") -> list[str]:
    """The text of a model, with what the flag goes with.

    Example:
        >>> lines_of("difference", Series("A", ("x",), 2), None, (), "z")[-2:]
        ['x_1 ~ z', 'dA ~ z']
    """
    alone: dict[str, Callable[[], list[str]]] = {
        "difference": lambda: difference(one), "growth": lambda: growth(one, times), "dual": lambda: dual(one),
    }  # fmt: skip
    if model in alone:
        lines = alone[model]()
    elif other is None:
        return []
    else:
        lines = {"coupled": coupled, "lagged": lagged, "within": within}[model](one, other)
    if not flag or model in ("lagged", "within"):
        return lines
    keys = quantities(model, one, other, flag=flag)
    return [*lines, *(f"{lhs} ~ {flag}" for name, (lhs, _, _) in keys.items() if name.startswith("flag_"))]


def told(model: str, lines: Sequence[str], keys: Mapping[str, Key], fit: Fit, level: float, df: float = inf) -> Told:
    """One model fitted, or why it is withheld.

    Parameters:
        df: degrees of freedom of t (clusters less strata); infinite takes the normal law.
    """
    try:
        est = fit(lines)
    except Problems as error:
        failed = Reason("R-CHANGE-FIT", error.problems[0].what)
        return Told(_absent(model, keys, failed), [model, *[None] * 7, failed.code], tuple(lines), failed)
    measures = measures_of(fit_measures(est))
    why = None if est.convergence.converged.all() else UNSETTLED
    why = why or (IMPROPER if model == "within" and _improper(est) else None)
    row: list[object] = [
        model,
        int(est.moments.n[0]),
        *(_number(measures[c]) for c in list(FITS)[2:-1]),
        why.code if why else None,
    ]
    if why is not None:
        return Told(_absent(model, keys, why), row, tuple(lines), why, est.notes)
    rows: list[list[object]] = [[model, name, *_read(est, key, level, df), None] for name, key in keys.items()]
    doubt = (_negative(model),) if _improper(est) else ()
    return Told(rows, row, tuple(lines), None, (*est.notes, *doubt))


def _absent(model: str, keys: Mapping[str, Key], why: Reason) -> list[list[object]]:
    """Rows without values."""
    return [[model, name, *[None] * 7, why.code] for name in keys]


def absent(model: str, keys: Mapping[str, Key], why: Reason) -> Told:
    """A model that is not fitted."""
    return Told(_absent(model, keys, why), [model, *[None] * 7, why.code], (), why)


def _improper(est: Estimate) -> bool:
    """Whether a variance is negative or latent covariances are not positive definite."""
    return any(bool(flags.any()) for flags in est.convergence.improper.values())


def _negative(model: str) -> Note:
    """A variance below 0."""
    name = MODELS[model][1]
    en = f"{name.en}: a variance is negative, or latent covariances are not positive definite; read its means only."
    zh = f"{name.zh}：存在负方差，或潜变量协方差非正定；仅均值可供参考。"
    return note("W-NPD", en, zh)


def _read(est: Estimate, key: Key, level: float, df: float) -> list[float | None]:
    """estimate, std_error, statistic, p_value, bounds, standardised."""
    lhs, op, rhs = key
    which = pl.col("label") == lhs if op == "label" else _row_of(lhs, op, rhs)
    found = est.table.filter(which)
    if not found.height:
        return [None] * 7
    row = found.row(0, named=True)
    value, error = row["estimate"], row["std_error"]
    at = np.array([df])
    point = float(ndtri(0.5 + level / 2) if df == inf else critical(level, at)[0])
    bounds = [None, None] if error is None else [value - point * error, value + point * error]
    p = row["p_value"]
    if df < inf and row["statistic"] is not None:
        p = _number(float(p_of_t(np.array([row["statistic"]]), at)[0]))
    return [value, error, row["statistic"], p, *bounds, row["std_all"] if op != "~1" else None]


def _row_of(lhs: str, op: str, rhs: str) -> pl.Expr:
    """A parameter, in whichever order a covariance names its two."""
    names = (pl.col("lhs") == lhs) & (pl.col("rhs") == rhs)
    turned = (pl.col("lhs") == rhs) & (pl.col("rhs") == lhs) if op == "~~" else names
    return (pl.col("op") == op) & (names | turned)


def _number(value: float) -> float | None:
    """A number; None where it is not finite."""
    return value if abs(value) < float("inf") else None
