"""Power of the test of one parameter of a covariance model, from the population a model with values describes."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal, get_args

import numpy as np
from scipy.special import chdtri, chndtr

from csi.errors import Problem, Problems, Text, one_of
from csi.estimate.estimate import Estimate
from csi.estimate.given import model_of
from csi.measures.sizing.population import Key, Population, held, parameter_of, population_of
from csi.measures.sizing.power import Asked, Power, impossible, sentence, smallest_effect, smallest_n
from csi.models.model import Model
from csi.moments.stack import Moments
from csi.sem.estimator import SEM
from csi.sem.fitted import fitted

Way = Literal["lrt", "wald"]
MANY = 10**6
"""People of whom a population's moments are taken."""

ROUNDING = 1e-6
"""A chi2 of so many people that is below this is none."""

TESTS: Final = {
    "lrt": Text("the likelihood-ratio test of", "似然比检验："),
    "wald": Text("the Wald test of", "Wald 检验："),
}


def noncentrality(population: Population, key: Key, test: Way = "lrt") -> float:
    """Noncentrality per person of the test that a parameter is 0: F of the model without it, or (estimate / error)^2.

    Source:
        Satorra & Saris (1985), Psychometrika 50(1), 83-90.

    Example:
        >>> text = "x =~ .8*x1 + .8*x2 + .7*x3; y =~ .7*y1 + .7*y2 + .6*y3; y ~ .3*x"
        >>> population = population_of(Model.parse(text))
        >>> round(noncentrality(population, ("y", "~", "x")), 4)
        0.054
    """
    if test == "lrt":
        est = at_population(population, held(population.model, key, 0.0))
        drop = float(fitted(est).test.statistic[0])
        return drop / MANY if drop > ROUNDING else 0.0  # a parameter of 0 costs nothing
    est = at_population(population, population.model)
    k = next(i for i, r in enumerate(est.rows) if (r.lhs, r.op, r.rhs) == key)
    if est.std_error is None or not np.isfinite(est.std_error[0, k]):
        raise Problems([_fixed(key)])
    return float((est.values[0, k] / est.std_error[0, k]) ** 2) / MANY


def at_population(population: Population, model: Model) -> Estimate:
    """A model fitted to the moments of a population, factors with (residual) variance 1."""
    moments = Moments.of(population.names, population.cov * (MANY / (MANY - 1)), MANY)
    return replace(SEM(), std_lv=True).solve(model, moments)


def wald_power(noncentral: float, significance: float = 0.05) -> float:
    """P(chi-square(1, lambda) > its critical point).

    Example:
        >>> round(wald_power(7.849), 3)
        0.8
    """
    return 1 - float(chndtr(chdtri(1, significance), 1, noncentral))


def power_path(
    model: Model | str,
    parameter: str,
    *,
    effect: float | None = None,
    n: int | None = None,
    power: float | None = None,
    test: Way = "lrt",
    significance: float = 0.05,
) -> Power:
    """People, power or size of one parameter of a covariance model: give `n`, `power`, or both to find the effect.

    The model's text states the population, standardised: "x =~ .8*x1 + .8*x2; y =~ .7*y1 + .7*y2; y ~ .3*x". It is
    then fitted to that population with the parameter at 0; what this costs in fit is the noncentrality.

    Parameters:
        model: with a value for every arrow. parameter: such as "y ~ x" or "a ~~ b".
        effect: its value, in place of the model's. n: people. power.
        test: "lrt" (Satorra & Saris) or "wald". significance: of the test, two-sided.

    Returns:
        A `Power`.

    Raises:
        Problems: an arrow without a value, values no population has, an effect of 0, fewer people than parameters.

    Source:
        Satorra & Saris (1985), Psychometrika 50(1), 83-90. Noncentralities agree with lavaan 0.6-14 within 1e-5
        (tests/measures/sizing).

    Example:
        >>> text = "x =~ .8*x1 + .8*x2 + .7*x3; y =~ .7*y1 + .7*y2 + .6*y3; y ~ .3*x"
        >>> power_path(text, "y ~ x", power=0.8).n, round(power_path(text, "y ~ x", n=200).power, 3)
        (146, 0.907)
    """
    wrong = one_of("test", test, get_args(Way))
    claim = model_of(model, also=wrong)
    key = parameter_of(claim, parameter)
    found = n is not None and power is not None
    own = None if found else _value(claim, key) if effect is None else effect
    claim = claim if own is None else held(claim, key, own)
    population = population_of(claim if own is not None else held(claim, key, 0.0))
    least = len(at_population(population, population.model).rows)
    if own == 0:
        wrong = [_nothing(" ".join(key))]
    asked = Asked(n, power, own if effect is None or not found else effect, "effect", -10.0, 10.0, least, significance)
    asked.problems(*wrong)
    if n is None and power is not None:
        each = noncentrality(population, key, test)
        n = smallest_n(lambda m: wald_power(m * each, significance), power, least)
    elif own is None and n is not None and power is not None:
        people, top = n, _largest(claim, key)
        own = smallest_effect(
            lambda b: wald_power(people * noncentrality(population_of(held(claim, key, b)), key, test), significance),
            power,
            0.0,
            top,
            1e-7,
        )
        population = population_of(held(claim, key, own))
    people, own = int(n or 0), float(own or 0.0)
    reached = wald_power(people * noncentrality(population, key, test), significance)
    name = Text(" ".join(key), " ".join(key))
    way = Text(f"{TESTS[test].en} {name.en}", f"{name.zh} 的{TESTS[test].zh.rstrip('：')}")
    told = sentence(asked.solved, people, reached, way, Text(f"it is {own:.3g}", f"其值为 {own:.3g}"), name)
    settings = {"parameter": name.en, "test": test}
    return Power("path", asked.solved, people, reached, own, name, significance, settings, (told,), population.notes)


def _value(model: Model, key: Key) -> float | None:
    """The value the text gives the parameter."""
    values = [population_value for population_value in _stated(model, key) if population_value is not None]
    return values[0] if values else None


def _stated(model: Model, key: Key) -> list[float | None]:
    lhs, op, rhs = key
    terms = {
        "=~": [t for c in model.constructs if c.name == lhs for t in c.indicators],
        "~": [p.predictor for p in model.paths if p.outcome == lhs],
        "~~": [c.rhs for c in model.covariances if c.lhs == lhs],
    }[op]
    return [m.fixed for t in terms if t.name == rhs for m in t.modifiers]


def _largest(model: Model, key: Key) -> float:
    """The largest value of the parameter that a population can have, by halving."""
    low, high = 0.0, 1.0
    for _ in range(20):
        middle = (low + high) / 2
        try:
            population_of(held(model, key, middle))
        except Problems:
            high = middle
        else:
            low = middle
    return low


def _nothing(name: str) -> Problem:
    en, zh = f"{name} is 0 in this population: there is nothing to find.", f"该总体中 {name} 为 0，没有可发现的效应。"
    return impossible("effect", en, zh, "Write a value other than 0.", "请写一个非零的值。")


def _fixed(key: Key) -> Problem:
    name = " ".join(key)
    en, zh = (
        f"{name} is not free in the model, so that it has no Wald test.",
        f"{name} 在模型中不是自由参数，没有 Wald 检验。",
    )
    return impossible("parameter", en, zh, 'Use test="lrt".', '请用 test="lrt"。')
