"""What a model with values says of the population: the covariances of its observed variables, and the model to fit.

Values are standardised ones: whatever has no variance stated has variance 1, its residual what the values leave of it.

Letters: `p` observed variables, `v` variables with the latent ones.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from csi.errors import Note, Problem, Problems, did_you_mean, note
from csi.measures.sizing.power import impossible
from csi.models.model import Model
from csi.models.nouns import Covariance, Modifier, Path, Term
from csi.moments.stack import Array

NAMED = re.compile(r"^\s*([\w.:]+)\s*(=~|~~|~)\s*([\w.:]+)\s*$")
TINY = 1e-10
Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Population:
    """A population, and the model without its values.

    Attributes:
        names: p observed variables. cov: (p, p). values: what the text fixes, (lhs, op, rhs) -> value. model: the same
            arrows, all free. notes: what the text leaves open.
    """

    names: tuple[str, ...]
    cov: Array
    values: dict[Key, float]
    model: Model
    notes: tuple[Note, ...] = ()


def population_of(model: Model) -> Population:
    """The population a model with values describes.

    Raises:
        Problems: E-POWER: an arrow without a value, values that explain more than everything, a circle of arrows.

    Example:
        >>> found = population_of(Model.parse("x =~ .8*x1 + .8*x2; y =~ .7*y1 + .7*y2; y ~ .5*x"))
        >>> found.cov[0].round(3).tolist(), found.model.items
        ([1.0, 0.64, 0.28, 0.28], ('x1', 'x2', 'y1', 'y2'))
    """
    found = _kinds(model)
    if found:
        raise Problems(found)
    values, absent = _values(model)
    if absent:
        raise Problems(_unstated(absent))
    latent = [c.name for c in model.constructs if c.items]
    names = [*latent, *model.observed]
    cov, found = implied_cov(names, values)
    if not found:
        at = [names.index(n) for n in model.observed]
        cov = cov[np.ix_(at, at)]
        if np.linalg.eigvalsh(cov)[0] <= TINY:
            en, zh = (
                "no population has these covariances: their matrix is not positive definite.",
                "不存在这样的总体：协方差矩阵非正定。",
            )
            found = [impossible("model", en, zh, "Lower loadings, paths or covariances.", "请减小载荷、路径或协方差。")]
    if found:
        raise Problems(found)
    return Population(model.observed, cov, values, freed(model), _apart(model, values))


def implied_cov(names: Sequence[str], values: dict[Key, float]) -> tuple[Array, list[Problem]]:
    """(v, v) covariances (I - A)^-1 S (I - A)^-T of all variables, residual variances found from the top down.

    Parameters:
        values: loadings, paths and (co)variances.

    Source:
        McArdle & McDonald (1984), British J. of Mathematical and Statistical Psychology 37.

    Example:
        >>> cov, _ = implied_cov(["x", "y"], {("y", "~", "x"): 0.6})
        >>> cov.tolist()
        [[1.0, 0.6], [0.6, 1.0]]
    """
    at = {n: k for k, n in enumerate(names)}
    A, S, stated = np.zeros((len(names),) * 2), np.zeros((len(names),) * 2), dict[int, float]()
    for (lhs, op, rhs), value in values.items():
        if op == "=~":
            A[at[rhs], at[lhs]] = value
        elif op == "~":
            A[at[lhs], at[rhs]] = value
        elif lhs == rhs:
            stated[at[lhs]] = value
        else:
            S[at[lhs], at[rhs]] = S[at[rhs], at[lhs]] = value
    order = _ordered(A)
    if order is None:
        en, zh = "arrows that run in a circle have no standardised values here.", "此处不支持循环路径的标准化取值。"
        return S, [impossible("model", en, zh, "Take one arrow of the circle out.", "请去掉循环中的一条路径。")]
    found = []
    for j in order:
        if j in stated:
            S[j, j] = stated[j]
            continue
        T = np.linalg.inv(np.eye(len(names)) - A)
        own = float(T[j] @ S @ T[j])
        if own > 1 - TINY and A[j].any():
            en = f"the values explain more than all of it ({own:.3g} of a variance of 1)."
            zh = f"所给数值解释的方差超过全部（方差为 1，已解释 {own:.3g}）。"
            found.append(impossible(names[j], en, zh, "Lower its loadings or paths.", "请减小其载荷或路径系数。"))
        S[j, j] = max(1 - own, 0.0)
    T = np.linalg.inv(np.eye(len(names)) - A)
    return np.asarray(T @ S @ T.T), found


def _ordered(A: Array) -> list[int] | None:
    """Variables with what explains them first; None where arrows run in a circle."""
    left, order = set(range(len(A))), list[int]()
    while left:
        free = [j for j in sorted(left) if not any(A[j, k] for k in left)]
        if not free:
            return None
        order += free
        left -= set(free)
    return order


def _kinds(model: Model) -> list[Problem]:
    """What has no population of this kind."""
    found = []
    for c in model.constructs:
        if c.operator == "<~" or c.product_of:
            en, zh = "composites and products have no population here.", "此处不支持合成构念与交互项的总体。"
            do, do_zh = "Take factors (=~) without interactions.", "请使用反映型构念（=~），不含交互项。"
            found.append(impossible(c.name, en, zh, do, do_zh))
    return found


def _terms(model: Model) -> list[tuple[Key, Term]]:
    """Every statement of the text."""
    loadings = [((c.name, "=~", t.name), t) for c in model.constructs for t in c.indicators]
    paths = [((p.outcome, "~", p.predictor.name), p.predictor) for p in model.paths]
    return [*loadings, *paths, *(((c.lhs, "~~", c.rhs.name), c.rhs) for c in model.covariances)]


def _values(model: Model) -> tuple[dict[Key, float], list[Key]]:
    """What the text fixes, and what it leaves without a value."""
    values, absent = {}, []
    for key, term in _terms(model):
        fixed = [m.fixed for m in term.modifiers if m.fixed is not None]
        if fixed:
            values[key] = float(fixed[0])
        else:
            absent.append(key)
    return values, absent


def _unstated(absent: Sequence[Key]) -> list[Problem]:
    """Arrows without a value."""
    named = [" ".join(key) for key in absent]
    more = ", ..." if len(named) > 5 else ""
    en = f"the population needs a value of every arrow; none is given of {', '.join(named[:5])}{more}."
    zh = f"总体中的每个参数都需给出数值；下列参数没有：{'、'.join(named[:5])}{more}。"
    do = f"Write the values as in {absent[0][0]} {absent[0][1]} 0.5*{absent[0][2]}."
    do_zh = f"请写明数值，例如 {absent[0][0]} {absent[0][1]} 0.5*{absent[0][2]}。"
    return [impossible("model", en, zh, do, do_zh)]


def _apart(model: Model, values: dict[Key, float]) -> tuple[Note, ...]:
    """A note on constructs that nothing explains and of which no correlation is stated."""
    explained = {p.outcome for p in model.paths} | {i for c in model.constructs for i in c.items}
    first = [c.name for c in model.constructs if c.items and c.name not in explained]
    pairs = [(a, b) for k, a in enumerate(first) for b in first[k + 1 :]]
    open_ = [(a, b) for a, b in pairs if (a, "~~", b) not in values and (b, "~~", a) not in values]
    if not open_:
        return ()
    listed, listed_zh = ", ".join(f"{a} ~~ {b}" for a, b in open_[:5]), "、".join(f"{a} ~~ {b}" for a, b in open_[:5])
    more, more_zh = (", ...", "等") if len(open_) > 5 else ("", "")
    en = f"no correlation is stated of {listed}{more}: it is 0 in this population."
    return (note("N-POWER-ZERO", en, f"未给出 {listed_zh}{more_zh} 的相关：在该总体中取 0。"),)


def freed(model: Model) -> Model:
    """The same arrows without values; labels stay, stated variances go.

    Example:
        >>> print(freed(Model.parse("x =~ .8*x1 + .8*x2; y ~ .5*x")))
        x =~ x1 + x2
        y ~ x
    """
    return replace(
        model,
        constructs=tuple(replace(c, indicators=tuple(_free(t) for t in c.indicators)) for c in model.constructs),
        paths=tuple(replace(p, predictor=_free(p.predictor)) for p in model.paths),
        covariances=tuple(replace(c, rhs=_free(c.rhs)) for c in model.covariances if c.lhs != c.rhs.name),
    )


def _free(term: Term) -> Term:
    labels = tuple(Modifier(label=m.label) for m in term.modifiers if m.label)
    return Term(term.name, labels)


def parameter_of(model: Model, named: object) -> Key:
    """The parameter a text such as "y ~ x" names.

    Raises:
        Problems: E-POWER where it is none of the model's.

    Example:
        >>> parameter_of(Model.parse("x =~ x1 + x2; y ~ x"), "y~x")
        ('y', '~', 'x')
    """
    match = NAMED.match(named) if isinstance(named, str) else None
    keys = [key for key, _ in _terms(model)]
    if match:
        lhs, op, rhs = match.groups()
        for key in ((lhs, op, rhs), (rhs, op, lhs)) if op == "~~" else ((lhs, op, rhs),):
            if key in keys:
                return key
    hint = did_you_mean(str(named), [" ".join(k) for k in keys])
    en, zh = f"{named!r} is no parameter of the model.", f"{named!r} 不是模型中的参数。"
    raise Problems([impossible("parameter", en, zh, hint.en, hint.zh)])


def held(model: Model, key: Key, value: float) -> Model:
    """The model with one parameter fixed.

    Example:
        >>> print(held(Model.parse("x =~ x1 + x2; y ~ x"), ("y", "~", "x"), 0.0))
        x =~ x1 + x2
        y ~ 0*x
    """
    fixed = (Modifier(fixed=value),)
    lhs, op, rhs = key

    def term(t: Term, *own: str) -> Term:
        return Term(t.name, fixed) if (*own, t.name) == (lhs, op, rhs) else t

    return replace(
        model,
        constructs=tuple(
            replace(c, indicators=tuple(term(t, c.name, "=~") for t in c.indicators)) for c in model.constructs
        ),
        paths=tuple(Path(p.outcome, term(p.predictor, p.outcome, "~"), p.sign, p.optional) for p in model.paths),
        covariances=tuple(Covariance(c.lhs, term(c.rhs, c.lhs, "~~")) for c in model.covariances),
    )
