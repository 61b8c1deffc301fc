"""Composites in a covariance model: `c <~ x1 + x2 + x3` as ordinary loadings, with the weights as parameters.

For a block x with c = w'x, w_1 = 1, the model

    x_j = lambda_j c + e_j (j > 1),   x_1 = c - sum_j w_j x_j,   cov(e, everything outside the block) = 0

is the Henseler-Ogasawara specification: the e_j (freely correlated) span its excrescent variables, no item has a
measurement error, and the block's own covariances are not restricted. It is written with latents n_j = -x_j as

    c =~ 1*x_1 + n_j,   n_j =~ -1*x_j + w_j*x_1,   x_j ~~ 0*x_j

so weights are free parameters with standard errors of their own: labels, bounds and fixed weights need nothing more.

The independence model of CFI, TLI and NFI holds a composite's items uncorrelated too. lavaan 0.6-14, which takes them
for exogenous, leaves them correlated: with imag1 to imag3 of `satisfaction` as a composite, sat1 to sat4 and loy1 to
loy3 as factors, its CFI is .98491 (df 42) where it is .98835 (df 45) here.

Source:
    Ogasawara (2007), J. of Multivariate Analysis 98; Henseler (2021), Composite-based structural equation modeling;
    Schuberth (2023), Psychological Methods 28(4):843-859; Yu, Schuberth & Henseler (2023), Statistical Papers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from csi.errors import Problem, problem
from csi.models.nouns import Claim, Construct, Covariance, Intercept, Modifier, Term
from csi.moments.stack import Array

REST = "-"
"""What the name of n_j = -x_j begins with; no name of a model text does."""


@dataclass(frozen=True, slots=True)
class Composite:
    """A composite block: its name, its items with the one whose weight is fixed first, and that weight.

    Example:
        >>> Composite("c", ("x1", "x2"), 1.0).rests
        ('-x2',)
    """

    name: str
    items: tuple[str, ...]
    unit: float

    @property
    def rests(self) -> tuple[str, ...]:
        """Names of the n_j."""
        return tuple(REST + item for item in self.items[1:])


def composites_of(claim: Claim) -> tuple[Composite, ...]:
    """The composites of a model.

    Example:
        >>> from csi.models.syntax.build import parse_claim
        >>> composites_of(parse_claim("c <~ x1 + x2; y ~ c"))
        (Composite(name='c', items=('x1', 'x2'), unit=1.0),)
    """
    return tuple(_composite(c) for c in claim.constructs if c.operator == "<~" and c.indicators)


@lru_cache(maxsize=64)
def expanded(claim: Claim, *, growth: bool = False) -> Claim:
    """The same model with every composite written as loadings.

    Parameters:
        claim: without problems of `composite_problems`. growth: latent means are free by default; those of n_j are 0.

    Returns:
        a claim of `=~` constructs only; the composites' names are kept.

    Example:
        >>> from csi.models.syntax.build import parse_claim
        >>> [(c.name, c.items) for c in expanded(parse_claim("c <~ x1 + x2; y ~ c")).constructs]
        [('c', ('x1', '-x2')), ('-x2', ('x2', 'x1'))]
    """
    made = {c.name: c for c in composites_of(claim)}
    if not made:
        return claim
    constructs: list[Construct] = []
    covariances = list(claim.covariances)
    said = {(c.lhs, c.rhs.name) for c in covariances}
    for construct in claim.constructs:
        if construct.name in made:
            constructs += _block(construct, made[construct.name])
            covariances += [c for c in _spread(made[construct.name]) if (c.lhs, c.rhs.name) not in said]
        else:
            constructs.append(construct)
    fixed = Modifier(fixed=0.0)
    means = [Intercept(n, (fixed,)) for c in made.values() for n in c.rests] if growth else []
    return replace(
        claim,
        constructs=tuple(constructs),
        covariances=tuple(covariances),
        intercepts=(*claim.intercepts, *means),
    )


def _composite(construct: Construct) -> Composite:
    """Items in the order of the block: the first with a fixed weight sets the unit, else the first."""
    held = [t for t in construct.indicators if t.modifiers and all(m.fixed for m in t.modifiers)]
    first = held[0] if held else construct.indicators[0]
    rest = tuple(t.name for t in construct.indicators if t is not first)
    unit = first.modifiers[0].fixed if held else None
    return Composite(construct.name, (first.name, *rest), unit or 1.0)


def _block(construct: Construct, made: Composite) -> Iterator[Construct]:
    """Loadings of the composite and of the n_j."""
    terms = {t.name: t for t in construct.indicators}
    label = terms[made.items[0]].modifiers
    first = tuple(Modifier(fixed=1 / made.unit, label=m.label) for m in label) or (Modifier(fixed=1 / made.unit),)
    yield Construct(
        made.name,
        "=~",
        (Term(made.items[0], first), *(Term(n, (Modifier(free=True),)) for n in made.rests)),
    )
    for item, rest in zip(made.items[1:], made.rests, strict=True):
        weights = tuple(m if m.fixed is None else replace(m, fixed=m.fixed / made.unit) for m in terms[item].modifiers)
        yield Construct(rest, "=~", (Term(item, (Modifier(fixed=-1.0),)), Term(made.items[0], weights)))


def _spread(made: Composite) -> Iterator[Covariance]:
    """No measurement errors; free covariances of what the composite leaves, and a free variance of the composite."""
    free = (Modifier(free=True),)
    for item in made.items:
        yield Covariance(item, Term(item, (Modifier(fixed=0.0),)))
    yield Covariance(made.name, Term(made.name, free))
    for i, a in enumerate(made.rests):
        for b in made.rests[i:]:
            yield Covariance(a, Term(b, free))


def composite_problems(claim: Claim, ordered: Sequence[str] = ()) -> list[Problem]:
    """What keeps composites from being estimated, all at once.

    A composite whose weights nothing outside identifies, items shared with another construct, an item with a
    measurement error, weights relative to a first weight other than 1, ordinal items.

    Example:
        >>> from csi.models.syntax.build import parse_claim
        >>> [p.code for p in composite_problems(parse_claim("c <~ x1 + x2"))]
        ['E-COMPOSITE']
    """
    return [p for c in claim.constructs if c.operator == "<~" for p in _problems(claim, c, set(ordered))]


def _problems(claim: Claim, construct: Construct, ordered: set[str]) -> Iterator[Problem]:
    """One composite."""
    name, items = construct.name, construct.items
    where = f'composite "{name}"'
    held = [t for t in construct.indicators if t.modifiers and all(m.fixed is not None for m in t.modifiers)]
    if len(items) > len(held) and len(items) > 1 and not _outside(claim, construct):
        yield problem(
            "E-COMPOSITE",
            where,
            "nothing outside the block is related to it, so its weights are not identified.",
            "该合成变量与模型其他部分没有联系，其权重无法识别。",
            f"Add a path or a covariance with {name}, or fix its weights ({name} <~ 1*{items[0]} + 1*{items[-1]}).",
            f"请补充与 {name} 相连的路径或协方差，或固定其权重（{name} <~ 1*{items[0]} + 1*{items[-1]}）。",
        )
    for item in items:
        others = [c.name for c in claim.constructs if c.name != name and item in c.items]
        named = {n for p in claim.paths for n in (p.outcome, p.predictor.name)}
        named |= {n for c in claim.covariances for n in (c.lhs, c.rhs.name) if item not in claim.names}
        if others or item in named:
            yield problem(
                "E-COMPOSITE",
                where,
                f'item "{item}" has other relations in the model; a composite speaks for its items.',
                f"题项“{item}”在模型中另有关系；合成变量代表其全部题项。",
                f"Relate {name} instead of {item}, or take {item} out of the composite.",
                f"请改为让 {name} 与之相连，或将 {item} 移出该合成变量。",
            )
        if item in ordered:
            yield problem(
                "E-COMPOSITE",
                where,
                f'item "{item}" is ordinal; a composite is a sum of observed values.',
                f"题项“{item}”为有序题项；合成变量是观测值的加权和。",
                "Take it as continuous, or measure the construct with =~.",
                "请将其视为连续变量，或用“=~”测量该构念。",
            )
    made = _composite(construct)
    loose = [t.name for t in construct.indicators if t.name != made.items[0] and t not in held and t.modifiers]
    labelled = any(m.label for t in construct.indicators if t.name == made.items[0] for m in t.modifiers)
    if made.unit != 1.0 and (loose or labelled):
        yield problem(
            "E-COMPOSITE",
            where,
            "weights are relative to the fixed one, which must be 1.",
            "其他权重以固定的那个权重为单位，该权重须为 1。",
            f"Write {name} <~ 1*{made.items[0]} + ..., and the other weights relative to it.",
            f"请写成 {name} <~ 1*{made.items[0]} + …，其余权重以它为单位。",
        )


def _outside(claim: Claim, construct: Construct) -> bool:
    """Whether a path, a covariance or a construct of higher order relates a composite to something outside."""
    name = construct.name
    if any(name in (p.outcome, p.predictor.name) for p in claim.paths):
        return True
    if any(name in c.items for c in claim.constructs if c.name != name):
        return True
    apart = {
        frozenset((c.lhs, c.rhs.name))
        for c in claim.covariances
        if c.rhs.modifiers and all(m.fixed == 0 for m in c.rhs.modifiers)
    }
    stated = {frozenset((c.lhs, c.rhs.name)) for c in claim.covariances if c.lhs != c.rhs.name} - apart
    if any(name in pair for pair in stated):
        return True
    outcomes = {p.outcome for p in claim.paths} | {i for c in claim.constructs for i in c.items}
    return any(
        c.name not in outcomes and c.name != name and frozenset((name, c.name)) not in apart for c in claim.constructs
    )


def start_weights(cov: Array, block: Sequence[int], others: Sequence[int]) -> Array:
    """(b, j) weights that correlate a block best with everything else, the first one 1: its first canonical variate.

    Parameters:
        cov: (b, n, n) covariances. block: j places of the items. others: places of what is outside.

    Source: Hotelling (1936); in the population of a composite model these are the weights.

    Example:
        >>> S = np.array([[[1.0, 0.2, 0.6], [0.2, 1.0, 0.6], [0.6, 0.6, 1.0]]])
        >>> start_weights(S, [0, 1], [2]).round(6).tolist()
        [[1.0, 1.0]]
    """
    own, cross, outer = cov[:, block][:, :, block], cov[:, block][:, :, others], cov[:, others][:, :, others]
    sd = np.sqrt(np.maximum(np.diagonal(own, axis1=1, axis2=2), 1e-12))
    if not others or len(block) == 1:
        equal: Array = sd[:, :1] / sd
        return equal
    ridge = 1e-3 * np.einsum("bii->bi", outer).mean(axis=1)
    explained = cross @ np.linalg.solve(outer + ridge[:, None, None] * np.eye(len(others)), cross.swapaxes(1, 2))
    small = 1e-6 * np.einsum("bii->bi", own).mean(axis=1)
    L = np.linalg.cholesky(own + small[:, None, None] * np.eye(len(block)))
    half = np.linalg.solve(L, np.linalg.solve(L, explained).swapaxes(1, 2))
    top = np.linalg.eigh(half)[1][:, :, -1:]
    w = np.linalg.solve(L.swapaxes(1, 2), top)[:, :, 0] * sd
    w = w * np.where(w[:, :1] < 0, -1.0, 1.0)
    least = 0.1 * np.abs(w).max(axis=1)
    w[:, 0] = np.maximum(w[:, 0], least)
    out: Array = w / w[:, :1] * sd[:, :1] / sd
    return out
