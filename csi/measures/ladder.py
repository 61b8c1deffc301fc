"""The ladder of measurement invariance: which parameters each step holds equal over groups.

    configural   the same items measure the same constructs          strict   + equal residual variances
    metric       equal loadings                                      means    + equal latent means
    scalar       + equal intercepts

Ordinal items have a step `thresholds` before `metric` (`csi/measures/ordinal_ladder.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

from csi.errors import Note, Problem, Problems, Text, note, one_of, problem
from csi.models.model import Model
from csi.models.nouns import Claim, Construct, Intercept, Modifier, Term
from csi.sem.estimator import SEM

Step = Literal["configural", "thresholds", "metric", "scalar", "strict", "means"]
Key = tuple[str, str, str]
"""lhs, op, rhs of a parameter that may differ over groups."""

CONTINUOUS: tuple[Step, ...] = ("configural", "metric", "scalar", "strict", "means")
ORDINAL: tuple[Step, ...] = ("configural", "thresholds", "metric", "scalar", "strict", "means")
NEEDS: dict[Step, tuple[Step, ...]] = {
    "configural": (),
    "thresholds": (),
    "metric": ("thresholds",),
    "scalar": ("thresholds", "metric"),
    "strict": ("thresholds", "metric", "scalar"),
    "means": ("thresholds", "metric", "scalar"),
}
"""What a step holds equal besides its own, also where those steps were not asked for."""

KINDS: dict[Step, str] = {"metric": "loadings", "scalar": "intercepts", "strict": "residuals", "means": "means"}
_OPERATOR = re.compile(r"(=~|~~|~1|~|\|)")


def steps_of(asked: Sequence[str] | None, *, ordinal: bool) -> tuple[Step, ...]:
    """The steps in their order, configural first.

    Raises:
        Problems: E-SETTING, a step that does not exist.

    Example:
        >>> steps_of(["scalar", "metric"], ordinal=False)
        ('configural', 'metric', 'scalar')
    """
    order = ORDINAL if ordinal else CONTINUOUS
    if asked is None:
        return order
    found = [p for name in asked for p in one_of("steps", name, ORDINAL)]
    if found:
        raise Problems(found)
    return tuple(s for s in order if s == "configural" or s in asked)


def measurement(model: Model) -> tuple[Model, tuple[Note, ...]]:
    """The measurement part of a model: constructs and their items, free covariances instead of arrows.

    Raises:
        Problems: E-INVARIANCE, constructs that are composites.

    Example:
        >>> print(measurement(Model.parse("f =~ a + b + c; g =~ d + e; g ~ f"))[0])
        f =~ a + b + c
        g =~ d + e
    """
    composites = [c.name for c in model.constructs if c.operator == "<~"]
    if composites:
        raise Problems([_composite(name) for name in composites])
    if not model.paths and not model.defined:
        return model, ()
    constructs = tuple(c for c in model.constructs if not c.product_of)
    kept = replace(model, constructs=constructs, paths=(), defined=(), constraints=())
    labels = {m.label for t in _terms(kept) for m in t if m.label}
    constraints = tuple(
        c for c in model.constraints if set(re.findall(r"[A-Za-z_.]\w*", c.lhs + " " + c.rhs)) <= labels
    )
    en = "arrows are left out: the ladder is about measurement, and constructs covary freely."
    told = note("N-MEASUREMENT", en, "阶梯只检验测量部分：路径不纳入，构念之间自由相关。")
    return replace(kept, constraints=constraints), (told,)


def _terms(claim: Claim) -> list[tuple[Modifier, ...]]:
    """Modifiers of everything stated."""
    said = [t.modifiers for c in claim.constructs for t in c.indicators]
    return said + [c.rhs.modifiers for c in claim.covariances] + [i.modifiers for i in claim.intercepts]


def _composite(name: str) -> Problem:
    return problem(
        "E-INVARIANCE",
        f'construct "{name}"',
        "it is a composite (<~); this ladder is about constructs that their items reflect (=~).",
        "它是合成构念（<~），而本阶梯针对由题项反映的构念（=~）。",
        "Leave it out, or declare it with =~ where its items reflect it.",
        "请将其移除；若题项反映该构念，请改用 =~ 声明。",
    )


def keys_of(texts: Iterable[str]) -> tuple[Key, ...]:
    """`"visual =~ x2"`, `"x3 ~ 1"` as lhs, op, rhs.

    Example:
        >>> keys_of(["visual =~ x2", "x3 ~ 1"])
        (('visual', '=~', 'x2'), ('x3', '~1', ''))
    """
    found = []
    for text in texts:
        lhs, op, rhs = [*_OPERATOR.split(text.replace(" ", ""), maxsplit=1), "", ""][:3]
        found.append((lhs, op, rhs))
    return tuple(found)


def exempt(released: Iterable[Key]) -> frozenset[Key]:
    """What may differ once `released` may: an item whose loading differs is not asked for an equal intercept, one whose
    intercept differs not for an equal residual variance.

    Example:
        >>> sorted(exempt([("f", "=~", "x")]))
        [('f', '=~', 'x'), ('x', '~1', ''), ('x', '~~', 'x')]
    """
    out = set(released)
    for lhs, op, rhs in tuple(out):
        if op == "=~":
            out |= {(rhs, "~1", ""), (rhs, "~~", rhs)}
        elif op == "~1":
            out.add((lhs, "~~", lhs))
    return frozenset(out)


def continuous_step(model: Model, settings: SEM, held: frozenset[Step], released: Iterable[Key]) -> tuple[Model, SEM]:
    """The model and settings of a step on continuous items.

    Parameters:
        settings: of the ladder, with its `groups`. held: the steps whose equalities are in force. released: exceptions.

    Example:
        >>> settings = SEM(groups="school")
        >>> claim, held = Model.parse("f =~ a + b + c"), frozenset({"metric"})
        >>> model, settings = continuous_step(claim, settings, held, [("f", "=~", "a")])
        >>> print(model, settings.equal, settings.free)
        f =~ NA*a + 1*b + c ('loadings',) ('a~1', 'a~~a', 'f=~a')
    """
    free = exempt(released)
    equal = dict.fromkeys([*settings.equal, *(kind for step, kind in KINDS.items() if step in held)])
    moved = model if settings.std_lv else replace(model, constructs=tuple(_remarked(c, free) for c in model.constructs))
    means = {i.lhs for i in model.intercepts}
    # the mean of a higher-order construct has no place beside free means of the constructs it explains
    higher = [c.name for c in model.constructs if set(c.items) & set(model.names) and c.name not in means]
    fixed = tuple(Intercept(name, (Modifier(fixed=0.0),)) for name in higher)
    modelled = settings.meanstructure is not False
    texts = tuple(sorted("".join(key) for key in free if modelled or key[1] != "~1"))
    return replace(moved, intercepts=(*model.intercepts, *fixed)), replace(settings, equal=tuple(equal), free=texts)


def _remarked(construct: Construct, free: frozenset[Key]) -> Construct:
    """A construct whose marker is an item with an equal loading."""
    first, *rest = construct.indicators
    if (construct.name, "=~", first.name) not in free or any(m.fixed is not None or m.free for m in first.modifiers):
        return construct
    at = next((i for i, t in enumerate(rest) if (construct.name, "=~", t.name) not in free and not t.modifiers), None)
    if at is None:
        return construct
    marked = [Term(t.name, (Modifier(fixed=1.0),)) if i == at else t for i, t in enumerate(rest)]
    return replace(construct, indicators=(Term(first.name, (Modifier(free=True),)), *marked))


TITLES: dict[Step, Text] = {
    "configural": Text("Configural (same pattern)", "形态等值（结构相同）"),
    "thresholds": Text("Thresholds (equal thresholds)", "阈值等值（阈值相等）"),
    "metric": Text("Metric (equal loadings)", "度量等值（载荷相等）"),
    "scalar": Text("Scalar (equal intercepts)", "标量等值（截距相等）"),
    "strict": Text("Strict (equal residual variances)", "严格等值（残差方差相等）"),
    "means": Text("Means (equal latent means)", "均值相等（潜变量均值相等）"),
}
"""What each step is called."""
