"""`make_replicates(data, kind)`: replicate weights of a design: bootstrap, jackknife, balanced half-samples, Fay.

Letters: `n` rows, `u` units, `h` strata, `R` replicates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import polars as pl
from narwhals.typing import IntoFrame

from csi.display import Shown
from csi.errors import Note, Problem, Problems, Text, problem
from csi.estimate.given import check_kind
from csi.inference.hadamard import hadamard
from csi.inference.resample import OneOut, Plan, on_grid, shrunken
from csi.inference.settings import check_settings
from csi.moments.raked import designed
from csi.moments.raking import Raking
from csi.moments.stack import Array, Ints
from csi.survey.panel import Panel

Made = Literal["bootstrap", "jk1", "jkn", "brr", "fay"]
KINDS: tuple[Made, ...] = ("bootstrap", "jk1", "jkn", "brr", "fay")


@dataclass(frozen=True, slots=True, repr=False)
class MadeWeights(Shown):
    """Replicate weights with all that their variance takes; `csi.replicate_weights(est, made)` uses them.

    Attributes:
        weights: one row per row of the data, R columns: full weight times multiplicity, raked where weights are raked.
        kind, rho, scale, rscales: as in `csi.replicate_weights`. df: degrees of freedom. notes: on the design.
    """

    weights: pl.DataFrame
    kind: Made
    rho: float | None
    scale: float
    rscales: tuple[float, ...]
    df: float
    notes: tuple[Note, ...] = ()


def make_replicates(
    data: Panel | IntoFrame,
    kind: Made = "bootstrap",
    n: int = 500,
    seed: int = 1,
    *,
    rho: float = 0.3,
    weight: str | None = None,
    unit: str | None = None,
    stratum: str | None = None,
    fpc: str | None = None,
    prefix: str = "rw",
) -> MadeWeights:
    """Replicate weights of a design: those that a survey office publishes, made here.

    "bootstrap": Rao and Wu's rescaled bootstrap, n_h - 1 of a stratum's n_h units drawn with replacement. "jk1": one
    unit left out at a time, the others n / (n - 1) times. "jkn": within strata, n_h / (n_h - 1) times. "brr": of two
    units in each stratum one counts twice, by the rows of a Hadamard matrix of more than h rows. "fay": the one counts
    2 - rho times, the other rho times. Raked weights are raked again in every replicate. Finite populations: "jk1" and
    "jkn" by rscales (1 - f_h), the others by sqrt(1 - f_h) in the multiplicities.

    Parameters:
        data: a Panel, what `csi.rake` returned, or a frame.
        kind: "bootstrap", "jk1", "jkn", "brr" or "fay". n, seed: of the bootstrap. rho: of Fay, 0 to below 1.
        weight, unit, stratum, fpc: columns of a frame, as in `csi.fit`. prefix: of the columns: rw1, rw2, ...

    Returns:
        `MadeWeights`.

    Raises:
        Problems: E-REPLICATES for strata that do not have two units (brr, fay) or have only one; bad settings.

    Source: Rao & Wu (1988), JASA 83:231-241; Wolter (2007), Introduction to Variance Estimation, 3-4; Judkins (1990).
    Agrees: R's survey (as.svrepdesign: JK1, JKn, BRR, Fay), tests/reference/weights.

    Example:
        >>> frame = pl.DataFrame({"q": [1, 2, 4], "w": [1.0, 1.0, 2.0]})
        >>> made = make_replicates(frame, "jk1", weight="w")
        >>> made.weights.row(0), round(made.scale, 3)
        ((0.0, 1.5, 1.5), 0.667)
    """
    check_settings(0.95, n, seed)
    wanted = Text("one of " + ", ".join(KINDS), "以下之一：" + "、".join(KINDS))
    check_kind("kind", kind if kind in KINDS else object(), str, wanted, Text('Use "bootstrap".', '例如 "bootstrap"。'))
    if not 0 <= rho < 1:
        en, zh = f"rho lies from 0 to below 1, not {rho}.", f"rho 应满足 0 ≤ rho < 1，而不是 {rho}。"
        raise Problems([problem("E-SETTING", "rho", en, zh, "Use rho=0.3, say.", "例如 rho=0.3。")])
    roles = {"weight": weight, "unit": unit, "stratum": stratum, "fraction": fpc}
    design, names, notes = designed(data, roles)
    found = _problems(design, names, kind, n)
    if found:
        raise Problems(found)
    multiplicity, scale, rscales, df = _made(design, kind, n, seed, rho if kind == "fay" else 0.0)
    weights = on_grid(design.again(multiplicity))
    columns = [pl.Series(f"{prefix}{r + 1}", one) for r, one in enumerate(weights)]
    return MadeWeights(pl.DataFrame(columns), kind, rho if kind == "fay" else None, scale, rscales, df, notes)


def _made(design: Raking, kind: str, n: int, seed: int, rho: float) -> tuple[Array, float, tuple[float, ...], float]:
    """(R, units) multiplicities, scale, rscales, degrees of freedom."""
    stratum, fraction = design.stratum, design.fraction
    units, strata = stratum.size, int(np.unique(stratum).size)
    if kind == "bootstrap":
        plan = Plan(stratum, n, seed, "multinomial", design.stream, fraction)
        drawn = np.concatenate([m for _, m in plan.blocks()])
        return drawn, 1 / (n - 1), (1.0,) * n, float(units - strata)
    if kind in ("jk1", "jkn"):
        of = stratum * 0 if kind == "jk1" else stratum
        size = np.bincount(of)[of].astype(np.float64)
        left = np.concatenate([m for _, m in OneOut(of).blocks()])
        finite = np.ones(units) if fraction is None else 1 - fraction[stratum]
        if kind == "jk1":
            return left, (units - 1) / units, tuple(finite.tolist()), float(units - 1)
        return left, 1.0, tuple(((size - 1) / size * finite).tolist()), float(units - strata)
    drawn = 1 + (1 - rho) * halves(stratum)
    scale = 1 / (len(drawn) * (1 - rho) ** 2)
    return shrunken(on_grid(drawn), stratum, fraction), scale, (1.0,) * len(drawn), float(strata)


def halves(stratum: Ints) -> Array:
    """(R, units) +1 for the unit of each pair that a half-sample takes, -1 for the other.

    Parameters:
        stratum: (units,), two units in each.

    Example:
        >>> signs = halves(np.array([0, 0, 1, 1]))
        >>> (signs[:, 0] @ signs[:, 2], (signs[:, 0] + signs[:, 1]).tolist())
        (np.float64(0.0), [0.0, 0.0, 0.0, 0.0])
    """
    signs = hadamard(int(np.unique(stratum).size) + 1)[:, 1:]
    order = np.argsort(stratum, kind="stable")
    found = np.empty((len(signs), stratum.size))
    for h in range(stratum.size // 2):
        found[:, order[2 * h]], found[:, order[2 * h + 1]] = signs[:, h], -signs[:, h]
    return found


def design_problems(data: Panel, kind: Made, n: int, where: str) -> list[Problem]:
    """What stands against making replicate weights of a panel's design, told at a place of one's own.

    Parameters:
        kind, n: as in `make_replicates`.
    """
    design, names, _ = designed(data, {})
    return [replace(one, where=where) for one in _problems(design, names, kind, n)]


MOST = 50_000_000
"""Replicates times rows that are made: five arrays of so many numbers are 2 GB."""


def _problems(design: Raking, names: tuple[str, ...], kind: str, n: int) -> list[Problem]:
    """Strata that a kind cannot halve, designs of one unit, and weights too many for memory.

    Parameters:
        names: (h,) of the strata. n: replicates of the bootstrap.
    """
    size = np.bincount(design.stratum)
    if design.stratum.size < 2:
        en, zh = "there is one unit, so nothing can be left out.", "只有一个抽样单元，无从构造重复权重。"
        return [problem("E-REPLICATES", "unit", en, zh, "Look at unit= and stratum=.", "请检查 unit= 与 stratum=。")]
    many = {"bootstrap": n, "jk1": design.stratum.size, "jkn": design.stratum.size}.get(kind, 0)
    if many * design.weight.size > MOST:
        rows = design.weight.size
        en = f"{many:,} replicate weights of {rows:,} rows are more than {MOST:,} numbers."
        zh = f"{rows:,} 行的 {many:,} 个重复权重超过 {MOST:,} 个数。"
        do = (
            "Name the clusters that were drawn, use fewer replicates of a bootstrap, or linearised errors of the index."
        )
        do_zh = "请写明所抽的聚类，改用次数较少的 bootstrap，或使用指数的线性化标准误。"
        return [problem("E-REPLICATES", "n" if kind == "bootstrap" else "kind", en, zh, do, do_zh)]
    wrong = np.flatnonzero(size != 2) if kind in ("brr", "fay") else np.flatnonzero(size == 0)
    found = []
    for h in wrong[:5].tolist():
        en = f"stratum {names[h]} has {size[h]} units; balanced half-samples need two in every stratum."
        zh = f"层 {names[h]} 有 {size[h]} 个抽样单元；平衡半样本法要求每层恰有两个。"
        do = 'Use kind="jkn" or "bootstrap", or pair the units into strata of two.'
        do_zh = '请用 kind="jkn" 或 "bootstrap"，或将抽样单元两两配层。'
        found.append(problem("E-REPLICATES", "stratum", en, zh, do, do_zh))
    return found
