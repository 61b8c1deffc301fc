"""The measurement model behind a model: its factors with variance 1, all correlated, and no arrows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

from csi.errors import Note, Problems, Reason, note, problem
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit_sample
from csi.measures.reliability import NO_ITEMS, SINGLE
from csi.measures.validity import COMPOSITE
from csi.models.model import Model
from csi.models.nouns import Construct, Covariance, Modifier, Path, Term
from csi.sem.estimator import SEM

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Factors:
    """Which constructs are factors, and the model of them alone.

    Attributes:
        model: factors and residual covariances of their items. names: the factors. without: construct -> why it is
            none. notes: what of the model was left out.
    """

    model: Model
    names: tuple[str, ...]
    without: dict[str, Reason]
    notes: tuple[Note, ...] = ()

    @property
    def pairs(self) -> list[Pair]:
        """Every two factors, in order."""
        return list(combinations(self.names, 2))


def factors_of(model: Model) -> Factors:
    """The factors of a model: reflective constructs of two items or more.

    Loadings are free, whatever the model fixes them to; what one label equals stays equal.

    Example:
        >>> found = factors_of(Model.parse("a =~ x1 + x2; b =~ y1 + y2; c =~ z1; b ~ a; c ~ b"))
        >>> found.names, found.without["c"].code
        (('a', 'b'), 'single_item')
    """
    why = {c.name: _not_a_factor(model, c) for c in model.constructs}
    kept = [c for c in model.constructs if why[c.name] is None]
    items = {i for c in kept for i in c.items}
    pairs = {(c.lhs, c.rhs.name) for c in model.covariances if c.lhs in items and c.rhs.name in items}
    among = tuple(Covariance(a, Term(b)) for a, b in sorted(pairs) if a != b)
    said: tuple[Note, ...] = ()
    if model.constraints:
        en = "constraints between labels are left out of the measurement model; equal labels stay equal."
        said = (note("N-CONSTRAINTS-LEFT", en, "测量模型未采用标签之间的约束；相同标签的参数仍相等。"),)
    claim = Model(
        tuple(replace(c, indicators=tuple(_freed(t) for t in c.indicators)) for c in kept),
        covariances=among,
        thresholds=tuple(t for t in model.thresholds if t.item in items),
        labels={c.name: model.labels[c.name] for c in kept if c.name in model.labels},
    )
    return Factors(claim, tuple(c.name for c in kept), {n: r for n, r in why.items() if r is not None}, said)


def _not_a_factor(model: Model, construct: Construct) -> Reason | None:
    """Why a construct has no disattenuated correlations."""
    if construct.operator == "<~":
        return COMPOSITE
    if construct.product_of or not construct.items or any(i in model.names for i in construct.items):
        return NO_ITEMS
    return SINGLE if len(construct.items) == 1 else None


def _freed(term: Term) -> Term:
    """A loading without its fixed value; labels stay."""
    labels = tuple(Modifier(label=m.label) for m in term.modifiers)
    return Term(term.name, labels if any(m.label for m in labels) else ())


def with_correlation(model: Model, pair: Pair, value: float) -> Model:
    """The measurement model with the correlation of one pair fixed; it is one where factors have variance 1.

    Example:
        >>> print(with_correlation(Model.parse("a =~ x1 + x2; b =~ y1 + y2"), ("a", "b"), 0.9))
        a =~ x1 + x2
        b =~ y1 + y2
        a ~~ 0.9*b
    """
    fixed = Covariance(pair[0], Term(pair[1], (Modifier(fixed=value),)))
    return replace(model, covariances=(*model.covariances, fixed))


def refitted(est: Estimate, model: Model, estimator: SEM | None = None) -> Estimate:
    """Another model fitted to what an estimate was fitted to, factors with variance 1.

    Parameters:
        estimator: other settings; None: those of the estimate, maximum likelihood where it is of composites.
    """
    own = estimator or (est.settings if isinstance(est.settings, SEM) else SEM())
    _check_one_group(own)
    kept = {t.item for t in model.thresholds} | set(model.items)
    settings = replace(own, std_lv=True, ordered=tuple(i for i in own.ordered if i in kept))
    if est.sample is not None and est.sample.missing == settings.missing:
        return fit_sample(model, est.sample, settings)
    return settings.solve(model, est.moments)


def _check_one_group(settings: SEM) -> None:
    """Correlations of one group at a time.

    Raises:
        Problems: E-SETTING.
    """
    if settings.groups is not None:
        en = "factor correlations are judged in one group at a time."
        zh = "因子相关需逐组判断。"
        do = f'Fit every group as a cell: csi.fit(model, data, csi.SEM(), by=["{settings.groups}"]).'
        do_zh = f'请将各组作为单元拟合：csi.fit(model, data, csi.SEM(), by=["{settings.groups}"])。'
        raise Problems([problem("E-SETTING", "groups", en, zh, do, do_zh)])


def chained(model: Model) -> Model:
    """The same constructs, all joined by arrows: scores of all, whatever the arrows.

    Example:
        >>> print(chained(Model.parse("a =~ x1 + x2; b =~ y1; a ~ b")))
        a =~ x1 + x2
        b =~ y1
        b ~ a
    """
    own = [c for c in model.constructs if c.items and not any(i in model.names for i in c.items)]
    return Model(
        tuple(replace(c, indicators=tuple(Term(t.name) for t in c.indicators)) for c in own),
        tuple(Path(own[-1].name, Term(c.name)) for c in own[:-1]),
    )
