"""The ladder on ordinal items: what is free and what fixed in each step, so that each is identified.

    configural   thresholds and loadings free; latent means 0 and variances 1; intercepts 0, scales 1 in every group
    thresholds   equal; intercepts and scales free in the later groups (items of three or more categories)
    metric       + loadings equal; latent variances free in the later groups
    scalar       + intercepts 0 everywhere; latent means free in the later groups
    strict       + scales 1 everywhere (equal residual variances; theta parameterisation)
    means        + latent means 0 everywhere

With one threshold (two categories) or none held equal, the scale of an item waits for its loading. Where a step adds no
restriction (two-category items until `scalar`), it has as many parameters as the one before and is no test.

Source:
    Wu & Estabrook (2016), Psychometrika 81:1014-1045. Agrees with semTools 0.5-6, measEq.syntax(ID.cat =
    "Wu.Estabrook.2016"), but for `metric` with two-category items, whose scales semTools holds at 1 there: that model
    does not contain the scalar one (tests/measures).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from csi.errors import Problem, Problems, problem
from csi.measures.ladder import Key, Step, exempt
from csi.models.model import Model
from csi.models.nouns import Construct, Covariance, Intercept, Modifier, Scaling, Term, Threshold
from csi.sem.estimator import SEM

FREE, ONE, ZERO = Modifier(free=True), Modifier(fixed=1.0), Modifier(fixed=0.0)


@dataclass(frozen=True, slots=True)
class _Rung:
    """A step: g groups, thresholds per ordinal item, the steps in force, what may differ, and the parameterisation."""

    g: int
    thresholds: Mapping[str, int]
    held: frozenset[Step]
    free: frozenset[Key]
    theta: bool

    def shared(self, key: Key, step: Step) -> tuple[Modifier, ...]:
        """Modifiers of a free parameter: one label for all groups where `step` is in force."""
        held = step in self.held and key not in self.free
        label = f"{key[0]}{key[1]}{key[2]}".replace("=~", ".by.").replace("~~", ".with.").replace("~1", ".on.1")
        return (Modifier(free=True, label=label.replace("|", ".cut.") if held else None),) * self.g

    def later(self, first: Modifier, *, free: bool) -> tuple[Modifier, ...]:
        """Fixed in the first group; free in the later ones, or fixed at the same value."""
        return (first, *((FREE if free else first,) * (self.g - 1)))

    def equal_thresholds(self, item: str) -> int:
        """How many thresholds of an item are held equal."""
        if "thresholds" not in self.held:
            return 0
        return sum((item, "|", f"t{t + 1}") not in self.free for t in range(self.thresholds[item]))

    def equal_loading(self, constructs: Iterable[Construct], item: str) -> bool:
        """Whether a loading of the item is held equal."""
        of = [c.name for c in constructs if item in c.items]
        return "metric" in self.held and any((name, "=~", item) not in self.free for name in of)


def ordinal_step(
    model: Model, settings: SEM, thresholds: Mapping[str, int], g: int, held: frozenset[Step], released: Iterable[Key]
) -> tuple[Model, SEM]:
    """The model and settings of a step on ordinal (or ordinal and continuous) items.

    Parameters:
        model: a measurement model. thresholds: number per ordinal item. g: number of groups. held: the steps in force.
        released: exceptions.

    Raises:
        Problems: E-INVARIANCE, a construct of constructs.

    Example:
        >>> settings = SEM(groups="g", ordered=("a", "b", "c"), parameterization="theta")
        >>> cut = dict.fromkeys("abc", 1)
        >>> model, _ = ordinal_step(Model.parse("f =~ a + b + c"), settings, cut, 2, frozenset({"thresholds"}), ())
        >>> print(str(model).splitlines()[-2])
        b | c(NA, NA)*t1 + c(b.cut.t1, b.cut.t1)*t1
    """
    higher = [c.name for c in model.constructs if set(c.items) & set(model.names)]
    if higher:
        raise Problems([_higher(name) for name in higher])
    rung = _Rung(g, thresholds, held, exempt(released), settings.parameterization == "theta")
    made = replace(
        model,
        constructs=tuple(_loadings(c, rung) for c in model.constructs),
        covariances=_variances(model, rung),
        intercepts=_intercepts(model, rung),
        thresholds=tuple(
            Threshold(item, f"t{t + 1}", rung.shared((item, "|", f"t{t + 1}"), "thresholds"))
            for item, count in thresholds.items()
            for t in range(count)
        ),
        scalings=() if rung.theta else tuple(Scaling(i, _scale(model, rung, i)) for i in thresholds),
    )
    return made, replace(settings, std_lv=True, equal=(), free=())


def _higher(name: str) -> Problem:
    return problem(
        "E-INVARIANCE",
        f'construct "{name}"',
        "it is made of constructs; with ordinal items the ladder takes first-order constructs only.",
        "它由其他构念构成；题项为有序变量时，本阶梯只处理一阶构念。",
        "Test the constructs it is made of.",
        "请检验构成它的一阶构念。",
    )


def _loadings(construct: Construct, rung: _Rung) -> Construct:
    """Free loadings, equal from `metric` on; values that were fixed stay, but for a marker's."""
    terms = []
    for position, term in enumerate(construct.indicators):
        fixed = [m for m in term.modifiers if m.fixed is not None]
        if fixed and not (position == 0 and fixed[0].fixed == 1.0):
            terms.append(term)
        else:
            terms.append(Term(term.name, rung.shared((construct.name, "=~", term.name), "metric")))
    return replace(construct, indicators=tuple(terms))


def _variances(model: Model, rung: _Rung) -> tuple[Covariance, ...]:
    """Latent variances, residual variances (of continuous items; in theta also of ordinal ones), stated covariances."""
    kept = [c for c in model.covariances if c.lhs != c.rhs.name]
    kept += [Covariance(c.name, Term(c.name, rung.later(ONE, free=_spread(c, rung)))) for c in model.constructs]
    for item in model.items:
        if item not in rung.thresholds:
            kept.append(Covariance(item, Term(item, rung.shared((item, "~~", item), "strict"))))
        elif rung.theta:
            kept.append(Covariance(item, Term(item, _scale(model, rung, item))))
    return tuple(kept)


def _spread(construct: Construct, rung: _Rung) -> bool:
    """Whether the latent variance of the later groups is identified."""
    equal = [i for i in construct.items if "metric" in rung.held and (construct.name, "=~", i) not in rung.free]
    known = [i for i in equal if i not in rung.thresholds or rung.equal_thresholds(i) > 1]
    return bool(known) or ("scalar" in rung.held and bool(equal))


def _scale(model: Model, rung: _Rung, item: str) -> tuple[Modifier, ...]:
    """Residual variance (theta) or scale (delta) of an ordinal item: free in the later groups once it is identified."""
    identified = rung.equal_thresholds(item) > 1 or rung.equal_loading(model.constructs, item)
    strict = "strict" in rung.held and (item, "~~", item) not in rung.free
    return rung.later(ONE, free="thresholds" in rung.held and identified and not strict)


def _intercepts(model: Model, rung: _Rung) -> tuple[Intercept, ...]:
    """Intercepts of items and means of constructs."""
    out = []
    for item in model.items:
        key = (item, "~1", "")
        if item not in rung.thresholds:
            out.append(Intercept(item, rung.shared(key, "scalar")))
            continue
        open_ = rung.equal_thresholds(item) > 0 and ("scalar" not in rung.held or key in rung.free)
        out.append(Intercept(item, rung.later(ZERO, free=open_)))
    free = "scalar" in rung.held and "means" not in rung.held
    return (*out, *(Intercept(c.name, rung.later(ZERO, free=free)) for c in model.constructs))
