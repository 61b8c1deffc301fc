"""Exploratory factor analysis: loadings, their fit, and whether items belong where they were meant to.

Letters: `p` items, `m` factors, `q` constructs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, is_number, one_of, problem, seed_problems, whole
from csi.measures.factors.correlations import Correlations, correlated
from csi.measures.factors.efa_words import lines_of, notes_of
from csi.measures.factors.extraction import Extracted, Method, extract
from csi.measures.factors.intervals import Spread, Way, spread_of
from csi.measures.factors.parallel import by_chance
from csi.measures.factors.placed import aligned, congruence
from csi.measures.factors.placing import Placing, placing_of
from csi.measures.factors.retained import freedom, leading
from csi.measures.factors.solution_fit import fit_of
from csi.measures.factors.solution_tables import items_table, loadings_table, variance_table
from csi.measures.factors.turned import GENERAL, Rotation, Turned, turned
from csi.models.model import Model
from csi.moments.stack import Array

Claim = Literal["intended", "placed", "bifactor"]

RESAMPLES = 500
"""Of the parallel analysis that says how many factors a single scale gets."""


@dataclass(frozen=True, slots=True, repr=False)
class Efa(Shown):
    """A factor solution. Factors stand by the variance they account for; loadings of each sum to a positive number.

    Attributes:
        table: one row per item: item, intended (construct), factor (of its greatest loading; of the group factors in a
            bifactor solution), stands_for (the construct that factor stands for), loading, other and other_loading (the
            next greatest), communality, uniqueness, complexity (Hofmann), verdict ("as intended", "clear" where nothing
            was intended, "elsewhere", "cross-loading", "weak").
        loadings: item, factor, loading, structure (correlation of item and factor), std_error, conf_low, conf_high
            (null without resamples). variance: factor, stands_for, ss_loadings, proportion, cumulative.
        fit: chi2, df, p_value, rmsea (90 % interval), tli, bic, srmr, rms, crms, chi2_residual, objective; NaN where
            the correlations are not positive definite.
        factors: F1, F2, ... (general, F1, ... of a bifactor rotation). pattern, structure: (p, m). phi: (m, m).
            uniqueness: (p,). stands_for: factor -> construct.
        similarity: factor, construct, congruence (of the factor with the construct's items alone, equally loaded).
        adjusted_rand: agreement of placed and intended groups (None without two constructs); as_intended: share of the
            items placed with their construct's factor.
        method, rotation, starts, minima (different solutions found by the starts), minima_share (of the starts that
            ended in this one), settled (extraction and rotation). heywood: items without uniqueness.
        correlations: of the items. replicates (usable ones), level, notes.
    """

    table: pl.DataFrame
    loadings: pl.DataFrame
    variance: pl.DataFrame
    fit: dict[str, float]
    factors: tuple[str, ...]
    pattern: Array
    structure: Array
    phi: Array
    uniqueness: Array
    stands_for: dict[str, str]
    similarity: pl.DataFrame
    adjusted_rand: float | None
    as_intended: float | None
    method: Method
    rotation: Rotation
    starts: int
    minima: int
    minima_share: float
    settled: bool
    heywood: tuple[str, ...]
    correlations: Correlations
    replicates: int
    level: float
    notes: tuple[Note, ...] = ()

    def congruence(self, other: Efa) -> pl.DataFrame:
        """Tucker's congruence with another solution of the same items (another group, wave, method).

        Returns:
            one row per factor: factor, other (the factor of `other` it goes with), congruence.

        Raises:
            Problems: other items.
        """
        if set(self.correlations.names) != set(other.correlations.names):
            en, zh = "the two solutions have different items.", "两个解的题项不同。"
            do, do_zh = "Analyse the same items in both.", "请对相同题项做两次分析。"
            raise Problems([problem("E-SETTING", "other", en, zh, do, do_zh)])
        place = [other.correlations.names.index(n) for n in self.correlations.names]
        theirs = other.pattern[place]
        inner = congruence(self.pattern, theirs)
        if self.pattern.shape[1] == theirs.shape[1]:
            best, _ = aligned(theirs, self.pattern)
        else:
            best = np.argmax(np.abs(inner), axis=1)
        columns = {
            "factor": list(self.factors),
            "other": [other.factors[k] for k in best.tolist()],
            "congruence": inner[np.arange(len(self.factors)), best],
        }
        return pl.DataFrame(columns)

    def model(self, kind: Claim = "intended") -> Model:
        """A measurement model for `csi.fit`: the constructs as intended, as items were placed, or a bifactor model.

        Parameters:
            kind: "intended"; "placed" (every item with the factor of its greatest loading, weak items left out);
                "bifactor" (a general factor of all items beside the intended constructs, none of them correlated).

        Raises:
            Problems: another kind, or nothing to make it of.

        Example:
            >>> rng = np.random.default_rng(1)
            >>> f = np.repeat(rng.normal(size=(200, 2)), 3, axis=1)
            >>> frame = pl.DataFrame(f + rng.normal(size=(200, 6)), schema=list("abcdef"))
            >>> print(efa(frame, items={"one": ["a", "b", "c"], "two": ["d", "e", "f"]}).model("intended"))
            one =~ a + b + c
            two =~ d + e + f
        """
        wrong = one_of("kind", kind, get_args(Claim))
        if wrong:
            raise Problems(wrong)
        blocks = {name: list(items) for name, items in self.correlations.scales.items()}
        if kind == "placed":
            strong = self.table.filter(pl.col("verdict") != "weak").group_by("factor", maintain_order=True)
            blocks = {str(name): found["item"].to_list() for (name,), found in strong}
        lines = [f"{name} =~ {' + '.join(items)}" for name, items in blocks.items()]
        if kind == "bifactor":
            lines.insert(0, f"general =~ {' + '.join(self.correlations.names)}")
            every = ["general", *blocks]
            lines += [f"{a} ~~ 0*{b}" for k, a in enumerate(every) for b in every[k + 1 :]]
        return Model.parse("\n".join(lines))


@text.register
def _(value: Efa, lang: str = "en") -> str:
    """Fit and agreement in a sentence, then loadings, variance and correlations of the factors."""
    return lines_of(value, lang)


def efa(
    data: object,
    n_factors: int | None = None,
    *,
    items: object = None,
    method: Method = "minres",
    rotation: Rotation = "oblimin",
    gamma: float = 0.0,
    power: int = 4,
    starts: int | None = None,
    replicates: int = 0,
    level: float = 0.95,
    seed: int = 1,
    **further: Any,  # noqa: ANN401 - those of `correlations`
) -> Efa:
    """Common factors of items, rotated, with their fit and their agreement with what was intended.

    With `method="ml"` this is the measurement part of an exploratory structural equation model (ESEM) of one block of
    factors: the unrestricted model's chi-square, CFI, TLI and RMSEA, which no rotation changes, and loadings and factor
    correlations rotated by geomin, oblimin or towards the intended constructs ("target"), with errors where there are
    `replicates` (of resamples; there are none by a formula). Paths between such factors are not estimated.

    Parameters:
        data: correlations of `csi.correlations`, a Panel or a frame. items, further: as in `csi.correlations`.
        n_factors: how many; by default as many as constructs, or, of a single scale, as many as parallel analysis of
            components keeps (one at least).
        method: "minres", "ml" or "pa" (principal axes, stopped where the communalities' sum moves by less than .001).
        rotation: "oblimin", "promax" and "geomin" (factors may correlate), "varimax", "bifactor" and "bigeomin" (a
            general factor beside others, none correlated), "target" (towards the intended constructs), "none".
        gamma: of oblimin. power: of promax. starts: of the rotation; 1 for oblimin and 30 for geomin, bifactor and
            target by default. replicates: resamples for errors of the loadings (0: none, else 100 or more). level: of
            their intervals. seed: of starts and resamples.

    Returns:
        An `Efa`.

    Raises:
        Problems: unusable settings, more factors than so many items can tell, maximum likelihood of correlations that
            are not positive definite, and what `csi.correlations` raises.

    Source: Harman & Jones (1966), Psychometrika 31, 351-368; Joreskog (1967), 32, 443-482; ESEM: Asparouhov & Muthen
        (2009), Structural Equation Modeling 16, 397-438; rotations in
        `csi.measures.factors.criteria`; verdicts: Howard (2016), International Journal of Human-Computer Interaction
        32, 51-62 (.40 on one factor, below .30 on others, .20 between them). Loadings agree with R's psych and
        GPArotation to .0001.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> f = np.repeat(rng.normal(size=(200, 2)), 3, axis=1)
        >>> frame = pl.DataFrame(f + rng.normal(size=(200, 6)), schema=list("abcdef"))
        >>> found = efa(frame, items={"one": ["a", "b", "c"], "two": ["d", "e", "f"]})
        >>> found.as_intended, found.fit["df"], found.table["verdict"].unique().to_list()
        (1.0, 4, ['as intended'])
    """
    _check(
        n_factors, method, rotation, {"starts": starts, "replicates": replicates, "power": power}, gamma, level, seed
    )
    given = correlated(data, items, further)
    m = _number(given, n_factors, seed)
    _check_number(given, m, method, rotation)
    found = extract(given.matrix[None], m, method)
    placing = placing_of(given)
    aim = placing.aim if rotation == "target" else None
    turn = turned(found.loadings, rotation, gamma=gamma, power=power, aim=aim, starts=starts, seed=seed)
    way = Way(m, method, rotation, gamma, power, aim)
    spread = spread_of(given, way, turn.loadings[0], replicates, seed) if replicates else None
    return _made(given, (found, turn), placing, way, spread, level)


def _made(
    given: Correlations,
    solution: tuple[Extracted, Turned],
    placing: Placing,
    way: Way,
    spread: Spread | None,
    level: float,
) -> Efa:
    """The result of one solution."""
    found, turn = solution
    L, phi, uniqueness = turn.loadings[0], turn.phi[0], found.uniqueness[0]
    general = way.rotation in GENERAL and way.m > 1
    names = tuple((["general"] if general else []) + [f"F{k}" for k in range(1, way.m + 1 - general)])
    placed = placing.of(L, names, general=general)
    heywood = tuple(np.array(given.names)[found.heywood[0]].tolist())
    settled = bool(found.converged[0] or way.method == "pa") and bool(turn.converged[0])
    fit = fit_of(given.matrix, L, phi, uniqueness, given.n, given.pair_n)
    return Efa(
        table=items_table(given, placing, placed, L, phi, uniqueness),
        loadings=loadings_table(given.names, names, L, L @ phi, spread, level),
        variance=variance_table(names, placed.stands_for, L, phi),
        fit=fit,
        factors=names,
        pattern=L,
        structure=L @ phi,
        phi=phi,
        uniqueness=uniqueness,
        stands_for=placed.stands_for,
        similarity=placed.similarity,
        adjusted_rand=placed.adjusted_rand,
        as_intended=placed.share,
        method=way.method,
        rotation=way.rotation,
        starts=turn.starts,
        minima=int(turn.minima[0]),
        minima_share=float(turn.share[0]),
        settled=settled,
        heywood=heywood,
        correlations=given,
        replicates=0 if spread is None else spread.usable,
        level=level,
        notes=(*given.notes, *notes_of(given, way, turn, heywood, settled)),
    )


def _check(
    n_factors: object,
    method: object,
    rotation: object,
    numbers: dict[str, Any],
    gamma: object,
    level: object,
    seed: object,
) -> None:
    """Every setting, all at once."""
    found = [*one_of("method", method, get_args(Method)), *one_of("rotation", rotation, get_args(Rotation))]
    found += seed_problems(seed)
    least = {"n_factors": 1, "starts": 1, "replicates": 0, "power": 2}
    for name, value in {"n_factors": n_factors, **numbers}.items():
        if value is None and name in {"n_factors", "starts"}:
            continue
        wrong = whole(name, value)
        if not wrong and int(str(value)) < least[name]:
            en, zh = (
                f"{value} is too small; {least[name]} or more is expected.",
                f"{value} 过小，应不小于 {least[name]}。",
            )
            wrong = [problem("E-SETTING", name, en, zh, f"Write {name}={least[name]}.", f"请写 {name}={least[name]}。")]
        if not wrong and name == "replicates" and 0 < int(str(value)) < 100:
            en, zh = f"{value} resamples are too few for an interval.", f"{value} 次重抽样不足以给出区间。"
            wrong = [problem("E-BOOT", name, en, zh, "Use 0, or 100 and more.", "请用 0，或 100 次以上。")]
        found += wrong
    if not is_number(level) or not 0 < float(str(level)) < 1:
        en, zh = f"level is between 0 and 1, not {level}.", f"level 应在 0 与 1 之间，而不是 {level}。"
        found.append(problem("E-SETTING", "level", en, zh, "Use level=0.95.", "请用 level=0.95。"))
    if not is_number(gamma):
        en, zh = f"gamma is a number, not {gamma!r}.", f"gamma 应为数字，而不是 {gamma!r}。"
        found.append(problem("E-SETTING", "gamma", en, zh, "Use gamma=0.", "请用 gamma=0。"))
    if found:
        raise Problems(found)


def _number(given: Correlations, asked: int | None, seed: int) -> int:
    """As asked, as intended, or by parallel analysis."""
    if asked is not None:
        return int(asked)
    if len(given.scales) > 1:
        return len(given.scales)
    p = len(given.names)
    drawn = by_chance(given.thresholds, (given.n, p), RESAMPLES, seed)
    high = np.quantile(np.linalg.eigvalsh(drawn)[:, ::-1], 0.95, axis=0)
    return max(1, min(leading(given.eigenvalues > high), _most(p)))


def _most(p: int) -> int:
    """The most factors p items can tell."""
    return max((m for m in range(p) if freedom(p, m) >= 0), default=0)


def _check_number(given: Correlations, m: int, method: Method, rotation: Rotation) -> None:
    """What the items cannot tell, or the matrix cannot bear."""
    found: list[Problem] = []
    p, most = len(given.names), _most(len(given.names))
    if m > most:
        en = f"{m} factors of {p} items leave no degrees of freedom; {most} can be told at most."
        zh = f"{p} 个题项取 {m} 个因子已无自由度；最多可识别 {most} 个。"
        do, do_zh = "Ask for fewer factors, or add items.", "请减少因子数，或增加题项。"
        found.append(problem("E-FACTORS", "n_factors", en, zh, do, do_zh))
    if method == "ml" and not given.definite:
        least = given.smallest if given.repair is None else float(given.eigenvalues[-1])
        en = f"maximum likelihood needs positive definite correlations; the least eigenvalue is {least:.2g}."
        zh = f"极大似然要求相关矩阵正定；最小特征值为 {least:.2g}。"
        do = 'Use method="minres", csi.correlations(repair="nearest"), or leave out an item that follows from others.'
        do_zh = "请用 method=“minres”、csi.correlations(repair=“nearest”)，或去掉可由其他题项推出的题项。"
        found.append(problem("E-NOT-DEFINITE", "method", en, zh, do, do_zh))
    if rotation == "target" and m != len(given.scales):
        en = f"a target of {len(given.scales)} constructs needs as many factors, not {m}."
        zh = f"以 {len(given.scales)} 个构念为目标时，因子数须相同，而不是 {m}。"
        do, do_zh = (
            "Leave n_factors out, or name the constructs under items.",
            "请省略 n_factors，或在 items 中写明构念。",
        )
        found.append(problem("E-FACTORS", "n_factors", en, zh, do, do_zh))
    if found:
        raise Problems(found)
