"""What estimators of composites need of a model, whatever the data: read off once and kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from csi.errors import Problem, Problems, Text, did_you_mean, problem
from csi.estimate.estimate import Row
from csi.models.check import check_composites
from csi.models.model import Model
from csi.models.nouns import Mode
from csi.moments.stack import Ints, Moments
from csi.pls.algorithm import Design
from csi.pls.composed_problems import absent_items, composed_problems


@dataclass(frozen=True, slots=True, eq=False)
class Blueprint:
    """The model of plain composites, drawn for estimation.

    Attributes:
        model. items: (p) construct by construct. design: the model as indices. modes: "A" or "B" per construct.
        rows: names of the parameters: loadings, outer weights, paths. outcome, predictor: the constructs at the ends
            of each path.
        unused: what the model says and composites do not use.
    """

    model: Model
    items: tuple[str, ...]
    design: Design
    modes: tuple[Mode, ...]
    rows: tuple[Row, ...]
    outcome: Ints
    predictor: Ints
    unused: tuple[Text, ...]

    def order(self, moments: Moments) -> Ints | None:
        """(p,) positions of the items in `moments`; None where some are absent."""
        if moments.names == self.items:
            return np.arange(len(self.items))
        position = {name: i for i, name in enumerate(moments.names)}
        found = [position.get(name, -1) for name in self.items]
        return None if -1 in found else np.array(found, dtype=np.int64)


def blueprint_of(
    model: Model, moments: Moments, modes: Mapping[str, Mode] | None = None, *, consistent: bool = False
) -> tuple[Blueprint, Ints]:
    """The blueprint of a model, and the positions of its items in `moments`.

    Parameters:
        modes: construct -> "A" or "B" where it is not what the model says. consistent: whether constructs of several
            items that are measured by `=~` in mode A are factors to be corrected.

    Raises:
        Problems: the model cannot be fitted by composites, items are absent from the moments, or `modes` names a
            construct that the model does not have.

    Example:
        >>> moments = Moments.of(["y", "x"], np.eye(2), n=9)
        >>> drawn, order = blueprint_of(Model.parse("a =~ x; b =~ y; b ~ a"), moments)
        >>> drawn.items, order.tolist()
        (('x', 'y'), [1, 0])
    """
    found = _drawn(model, tuple((modes or {}).items()), consistent=consistent)
    if isinstance(found, Blueprint):
        order = found.order(moments)
        if order is not None:
            return found, order
        found = ()
    raise Problems([*found, *absent_items(model, moments)])


def composite_problems(model: Model) -> list[Problem]:
    """What keeps a model from being fitted by composites, its higher-order constructs and products included."""
    return [*check_composites(model), *composed_problems(model)]


@lru_cache(maxsize=64)
def _drawn(model: Model, modes: tuple[tuple[str, Mode], ...], *, consistent: bool) -> Blueprint | tuple[Problem, ...]:
    """The blueprint, or what keeps the model from being fitted."""
    asked = dict(modes)
    problems = [*composite_problems(model), *unknown(model, asked)]
    if problems:
        return tuple(problems)
    design = design_of(model, asked, consistent=consistent)
    outcome, predictor = np.nonzero(design.arrows)
    return Blueprint(
        model=model,
        items=tuple(i for c in model.constructs for i in c.items),
        design=design,
        modes=tuple("B" if b else "A" for b in design.mode_b.tolist()),
        rows=_rows(model, outcome, predictor),
        outcome=outcome,
        predictor=predictor,
        unused=unused_by_composites(model),
    )


def design_of(model: Model, modes: Mapping[str, Mode] | None = None, *, consistent: bool = False) -> Design:
    """The model as indices; factors are corrected constructs only where the estimator is `consistent`."""
    names = model.names
    number = {name: j for j, name in enumerate(names)}
    arrows = np.zeros((len(names), len(names)), dtype=bool)
    for path in model.paths:
        arrows[number[path.outcome], number[path.predictor.name]] = True
    block = np.repeat(np.arange(len(names)), [len(c.items) for c in model.constructs])
    mode_b = np.array([(modes or {}).get(c.name, c.mode) == "B" for c in model.constructs])
    several = np.array([c.operator == "=~" and len(c.items) > 1 for c in model.constructs])
    return Design(block.astype(np.int64), arrows, mode_b, several & ~mode_b & consistent)


def _rows(model: Model, outcome: Ints, predictor: Ints) -> tuple[Row, ...]:
    """Loadings, outer weights, paths."""
    measured = [(c.name, i) for c in model.constructs for i in c.items]
    names = model.names
    return (
        *(Row(c, "=~", i) for c, i in measured),
        *(Row(c, "<~", i) for c, i in measured),
        *(Row(names[y], "~", names[x]) for y, x in zip(outcome.tolist(), predictor.tolist(), strict=True)),
    )


def unknown(model: Model, modes: Mapping[str, Mode]) -> list[Problem]:
    """Constructs of `modes` that the model does not have."""
    return [
        problem(
            "E-CONSTRUCT",
            "modes",
            f'the model has no construct "{name}".',
            f"模型中没有构念“{name}”。",
            (hint := did_you_mean(name, model.names)).en,
            hint.zh,
        )
        for name in modes
        if name not in model.names
    ]


def unused_by_composites(model: Model) -> tuple[Text, ...]:
    """What a model text says and composites do not use."""
    terms = [t for c in model.constructs for t in c.indicators] + [p.predictor for p in model.paths]
    said = {
        Text("covariances", "协方差"): bool(model.covariances),
        Text("intercepts", "截距"): bool(model.intercepts),
        Text("constraints", "约束"): bool(model.constraints),
        Text("defined parameters", "自定义参数"): bool(model.defined),
        Text("thresholds and scaling factors", "阈值与尺度因子"): bool(model.thresholds or model.scalings),
        Text("fixed values and start values", "固定值与初始值"): any(
            m.fixed is not None or m.start is not None for t in terms for m in t.modifiers
        ),
    }
    return tuple(words for words, present in said.items() if present)
