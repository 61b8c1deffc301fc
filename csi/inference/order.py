"""`order(values, hypotheses, ...)`: which order of influence do the data prefer?

Two views of one set of quantities: the share of resamples in which an order holds ("bootstrap support"), and GORICA
weights from the estimates with their full covariance.

Letters: `k` quantities, `B` draws.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Text, note, problem, seed_problems, whole
from csi.estimate.given import check_kind
from csi.inference.gorica import SIMULATED, complement, fitted, simulated, unconstrained, weights
from csi.inference.hypothesis import Hypothesis, chain, hypotheses_of
from csi.inference.order_words import lines_of, sentences_of
from csi.moments.stack import Array

FULL: Final = 5
"""So many quantities have a table of all their orders; of more, the orders seen are listed."""

LISTED: Final = 20
"""Orders listed where there are more than `FULL` quantities."""


@dataclass(frozen=True, slots=True, repr=False)
class Order(Shown):
    """Hypotheses about the order of k quantities, beside what the data prefer.

    Attributes:
        table: hypothesis, loglik, penalty, gorica, weight (within the set with the unconstrained one),
            complement_gorica, weight_complement (of the hypothesis against everything but itself), support (share of
            draws in which it holds; null without draws, and with equalities); the last row is "unconstrained".
        ranking: order ("a > b > c"), support, preferred (the order of the estimates); without draws only the latter.
        values: name -> estimate. covariance: (k, k). draws: B, 0 without. simulated, seed: behind the penalty.
        labels: name -> label. sentences, notes.
    """

    table: pl.DataFrame
    ranking: pl.DataFrame
    values: Mapping[str, float]
    covariance: Array
    draws: int
    simulated: int
    seed: int
    labels: Mapping[str, Text]
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Order, lang: str = "en") -> str:
    """Sentences, hypotheses, orders, notes."""
    return lines_of(value.table, value.ranking, value.sentences, value.notes, lang)


def order(
    values: Mapping[str, float],
    hypotheses: str | Sequence[str],
    covariance: npt.ArrayLike | None = None,
    draws: npt.ArrayLike | None = None,
    *,
    simulations: int = SIMULATED,
    seed: int = 1,
    labels: Mapping[str, Text] | None = None,
) -> Order:
    """Bootstrap support and GORICA weights of hypotheses about the order of quantities, and of all their orders.

    Parameters:
        values: name -> estimate, k of them. hypotheses: such as "wom > advert > judge", "a = b > 0"; several as a list
            or with semicolons. covariance: (k, k) of the estimates; that of the draws when it is left out.
        draws: (B, k) the quantities on bootstrap replicates; rows with NaN do not count.
        simulations, seed: draws behind the penalties, and where they start. labels: name -> label.

    Returns:
        An `Order`.

    Raises:
        Problems: E-ORDER (hypotheses that cannot be read, neither covariance nor draws, a covariance that is none),
            E-SETTING.

    Source:
        Altinisik et al. (2021); Kuiper, Hoijtink & Silvapulle (2011). Agrees with the published iris example of R's
        gorica within the simulated penalty (tests/inference/test_order.py).

    Example:
        >>> found = order({"a": 3.0, "b": 2.0, "c": 1.0}, "a > b > c", np.eye(3) / 25)
        >>> found.table["hypothesis"].to_list(), bool(found.table["weight_complement"][0] > 0.9)
        (['a > b > c', 'unconstrained'], True)
    """
    wanted = Text("a value under each name", "以名称标明的各数值")
    check_kind("values", values, Mapping, wanted, Text('Write {"a": 0.5, "b": 0.3}.', '请写 {"a": 0.5, "b": 0.3}。'))
    names = list(values)
    x = np.array([values[n] for n in names], dtype=np.float64)
    claims = hypotheses_of(hypotheses, names)
    drawn = None if draws is None else np.asarray(draws, dtype=np.float64)
    V = _covariance(x, covariance, drawn, simulations, seed)
    usable = None if drawn is None else drawn[np.isfinite(drawn).all(axis=1)]
    noise = simulated(V, simulations, seed)
    found = _table(claims, x, V, noise, usable)
    ranking = _ranking(names, x, usable)
    count = 0 if usable is None else len(usable)
    said = labels or {n: Text(n, n) for n in names}
    return Order(
        table=found,
        ranking=ranking,
        values=dict(zip(names, x.tolist(), strict=True)),
        covariance=V,
        draws=count,
        simulated=simulations,
        seed=seed,
        labels=said,
        sentences=sentences_of(found, ranking),
        notes=_notes(count, simulations, seed),
    )


def holds(claim: Hypothesis, draws: Array) -> float | None:
    """Share of draws in which all inequalities hold strictly; None where the hypothesis has equalities.

    Example:
        >>> claim = hypotheses_of("a > b", ["a", "b"])[0]
        >>> holds(claim, np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 1.0], [3.0, 1.0]]))
        0.75
    """
    if len(claim.equal) or not len(draws):
        return None
    return float(((draws @ claim.above.T) > 0).all(axis=1).mean())


def _table(claims: Sequence[Hypothesis], x: Array, V: Array, noise: Array, draws: Array | None) -> pl.DataFrame:
    """Hypotheses, then the unconstrained one."""
    fits = [fitted(c, x, V, noise) for c in claims]
    others = [complement(c, x, V, noise) for c in claims]
    free = unconstrained(V)
    shares = weights(np.array([f.gorica for f in [*fits, free]]))
    rows: list[dict[str, object]] = []
    for claim, fit, other, share in zip(claims, fits, others, shares, strict=False):
        against = weights(np.array([fit.gorica, other.gorica]))[0]
        rows.append(
            {
                "hypothesis": claim.text,
                "loglik": fit.loglik,
                "penalty": fit.penalty,
                "gorica": fit.gorica,
                "weight": float(share),
                "complement_gorica": other.gorica,
                "weight_complement": float(against),
                "support": None if draws is None else holds(claim, draws),
            }
        )
    last = {"loglik": free.loglik, "penalty": free.penalty, "gorica": free.gorica, "weight": float(shares[-1])}
    rows.append({"hypothesis": "unconstrained", **last})
    floats = ("loglik", "penalty", "gorica", "weight", "complement_gorica", "weight_complement", "support")
    return pl.DataFrame(rows, schema={"hypothesis": pl.String, **dict.fromkeys(floats, pl.Float64)})


def _ranking(names: Sequence[str], x: Array, draws: Array | None) -> pl.DataFrame:
    """Every order with its share of the draws, most frequent first; the estimates' own is marked."""
    own = tuple(np.argsort(-x, kind="stable").tolist())
    kinds = {"order": pl.String, "support": pl.Float64, "preferred": pl.Boolean}
    if draws is None or not len(draws):
        return pl.DataFrame([{"order": chain([names[i] for i in own]), "preferred": True}], schema=kinds)
    orders, counts = np.unique(np.argsort(-draws, axis=1, kind="stable"), axis=0, return_counts=True)
    seen = {tuple(o): float(c / len(draws)) for o, c in zip(orders.tolist(), counts.tolist(), strict=True)}
    every = list(permutations(range(len(names)))) if len(names) <= FULL else [*{own: 0, **dict.fromkeys(seen)}]
    ranked = sorted(every, key=lambda o: (-seen.get(o, 0.0), o))
    kept = ranked if len(names) <= FULL else ranked[:LISTED]
    rows = [
        {"order": chain([names[i] for i in o]), "support": seen.get(o, 0.0), "preferred": o == own}
        for o in dict.fromkeys([*kept, own])
    ]
    return pl.DataFrame(rows, schema=kinds)


def _covariance(x: Array, given: npt.ArrayLike | None, draws: Array | None, simulations: int, seed: int) -> Array:
    """The covariance of the estimates, checked together with the settings."""
    found: list[Problem] = [*whole("simulations", simulations), *seed_problems(seed)]
    if not found and simulations < 1000:
        en, zh = f"{simulations} draws are too few for a penalty.", f"{simulations} 次模拟不足以得到惩罚项。"
        found.append(problem("E-SETTING", "simulations", en, zh, "Take at least 1000.", "请至少取 1000。"))
    k = len(x)
    V = np.empty((0, 0))
    if given is None and draws is None:
        en, zh = (
            "an order is judged by a covariance or by draws; neither is given.",
            "判断次序需要协方差或重抽样结果，两者均未给出。",
        )
        found.append(
            problem("E-ORDER", "covariance", en, zh, "Give covariance= or draws=.", "请给出 covariance= 或 draws=。")
        )
    elif draws is not None and (draws.ndim != 2 or draws.shape[1] != k):
        en, zh = (
            f"draws have shape {draws.shape}; they need a column for each of {k} quantities.",
            f"draws 的形状为 {draws.shape}；应为 {k} 个量各一列。",
        )
        found.append(problem("E-ORDER", "draws", en, zh, "Give (B, k) draws.", "请给出 (B, k) 的数组。"))
    else:
        V = (
            np.atleast_2d(np.cov(draws[np.isfinite(draws).all(axis=1)].T))
            if given is None and draws is not None
            else np.asarray(given, dtype=np.float64)
        )
        if (
            V.shape != (k, k)
            or not np.isfinite(V).all()
            or not np.isfinite(x).all()
            or np.linalg.eigvalsh(V).min() <= 0
        ):
            en, zh = (
                f"no positive definite {k} x {k} covariance of finite estimates.",
                f"没有 {k} × {k} 的正定协方差，或估计值不是有限数。",
            )
            do = "Check that every quantity varies and none is a sum of the others."
            found.append(problem("E-ORDER", "covariance", en, zh, do, "请检查各量是否有变异、是否互为线性组合。"))
    if found:
        raise Problems(found)
    return V


def _notes(draws: int, simulations: int, seed: int) -> tuple[Note, ...]:
    """What stands behind the numbers."""
    en = f"GORICA's penalty is simulated ({simulations} draws, seed {seed}); a weight is evidence relative to the set"
    zh = f"GORICA 惩罚项由模拟得到（{simulations} 次，种子 {seed}）；权重是所列假设之间的相对证据，不是假设为真的概率。"
    notes = [note("N-GORICA", f"{en}, not the probability that a hypothesis is true.", zh)]
    if draws:
        en = (
            f"support is the share of {draws} bootstrap resamples in which the order holds; it is neither a p-value nor"
        )
        zh = f"支持度为 {draws} 次重抽样中次序成立的比例；它既不是 p 值，也不是置信水平。"
        notes.append(note("N-SUPPORT", f"{en} a level of confidence.", zh))
    return tuple(notes)
