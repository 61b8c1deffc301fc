"""`SEM(...)`: settings in, an `Estimate` out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from csi.errors import Note, Problem, Problems, note, one_of, problem
from csi.estimate.estimate import Estimate
from csi.models.model import Model
from csi.moments.stack import Missing, Moments
from csi.sem.interaction import Interaction, Pairs
from csi.sem.method import METHODS, Errors, Information, Method, Testing
from csi.sem.moderated import moderated
from csi.sem.reasons import CAUSES
from csi.sem.spelling import MISSING, flag_problem, names_problem, spelled
from csi.sem.table import Kind

Bounds = Literal["standard", "pos.var"]
Likelihood = Literal["normal", "wishart"]
Parameterization = Literal["delta", "theta"]
_MISSING = ("listwise", "pairwise", "fiml", "two-stage")


@dataclass(frozen=True, slots=True)
class SEM:
    """Covariance-based structural equation models; every setting means what it means in lavaan.

    Parameters:
        estimator: "ML", "GLS", "ULS", "WLS", "DWLS"; robust and scaled "MLM", "MLMV", "MLMVS", "MLR", "MLF", "ULSM",
            "ULSMV", "ULSMVS", "WLSM", "WLSMV", "WLSMVS". None: "ML", or "WLSMV" where items are ordinal.
        missing: "listwise", "fiml" (pattern-wise maximum likelihood), "two-stage" (EM moments, corrected errors),
            "pairwise" (ordinal items). "two-stage" with "MLR" has the errors and the scaled
            test of lavaan's missing = "robust.two.stage"; lavaan's missing = "two.stage" keeps normal-theory errors
            under MLR too (here estimator="ML") and prints a Yuan-Bentler test beside.
            Words may be spelled as in lavaan: "mlr", "two.stage", "lv.variances", "ml".
        ordered: ordinal items, beside those of which the model states thresholds (`u1 | t1`). groups: the column of a
            multi-group model. equal: what is equal over groups, such as ("loadings", "intercepts"). free: exceptions,
            such as ("visual =~ x2", "x7 ~ 1").
        meanstructure: whether means are modelled; None: where the model, groups or missing answers need them. lavaan
            models them wherever rows share clusters (`unit=`), and its robust test is that of meanstructure=True here.
        std_lv: latents with variance 1 instead of marker items. growth: latent means free, item intercepts 0.
        bounds: "standard" or "pos.var". information: "expected", "observed", "first.order"; None: the estimator's own.
        se, test: override what the estimator's name stands for. likelihood: "normal" or "wishart".
        parameterization: of ordinal items, "delta" or "theta".
        fixed_x: moments of exogenous observed predictors are taken from the sample. None: so for maximum likelihood;
            least squares (GLS, ULS, WLS, DWLS) estimates them, for what it minimises is the distance of all moments.
        conditional_x: with ordinal items, everything is conditional on exogenous observed predictors: each item is
            regressed on them (probit, or linear where it is continuous) and the model explains slopes and residual
            correlations. None: so, unless fixed_x=False. False: predictors are modelled jointly with the items.
        interaction: how `a:b` of latents is estimated, by products of indicators ("double-mean-centred" or
            "orthogonal") or as latent moderated structural equations ("lms"). pairs: items are multiplied "matched"
            (first with first, ...) or "all" with all; None: matched where both have as many.

    Source: Jöreskog (1969), Psychometrika 34; Bollen (1989); Rosseel (2012), J. of Statistical Software 48(2).
    Agrees: lavaan 0.6-14 within 1e-5 of an estimate or 1e-4 of its standard error (tests/sem).

    Example:
        >>> SEM(estimator="MLR").name
        'SEM (MLR)'
    """

    estimator: str | None = None
    missing: Missing = "listwise"
    ordered: tuple[str, ...] = ()
    groups: str | None = None
    equal: tuple[str, ...] = ()
    free: tuple[str, ...] = ()
    meanstructure: bool | None = None
    std_lv: bool = False
    growth: bool = False
    bounds: Bounds | None = None
    information: Information | None = None
    se: Errors | None = None
    test: Testing | None = None
    likelihood: Likelihood = "normal"
    parameterization: Parameterization = "delta"
    fixed_x: bool | None = None
    interaction: Interaction = "double-mean-centred"
    pairs: Pairs | None = None
    conditional_x: bool | None = None

    def __post_init__(self) -> None:
        """All settings are known values, in lavaan's spelling or ours, and go together.

        Raises:
            Problems: E-SETTING, each with the closest known value.
        """
        found: list[Problem] = []
        for name in ("ordered", "equal", "free"):
            given = getattr(self, name)
            wrong = names_problem(name, given)
            object.__setattr__(self, name, () if wrong else (given,) if isinstance(given, str) else tuple(given))
            found += wrong
        for name, known in _WORDS.items():
            given = getattr(self, name)
            if given is not None and given not in known:
                object.__setattr__(self, name, spelled(given, known, _ALIASES.get(name)))
        object.__setattr__(self, "equal", tuple(spelled(kind, get_args(Kind)) for kind in self.equal))
        found += _known(self)
        if found:
            raise Problems(found)

    @property
    def method(self) -> Method:
        """What the settings stand for."""
        base = METHODS[self.estimator or ("WLSMV" if self.ordered else "ML")]
        information = self.information or base.information
        if self.information is None and self.missing == "fiml":
            information = "observed" if base.information == "expected" else base.information
        se, test = self.se or base.se, self.test or base.test
        if se == "robust.huber.white" and self.information is None:
            information = "observed"
        if self.information == "first.order" and se == "standard":
            se = "first.order"
        if self.missing == "two-stage":
            se = self.se or ("robust.two.stage" if base.se.startswith("robust") else "two.stage")
            test = self.test or "satorra.bentler"
            information = self.information or "observed"
        return Method(base.fitting, se, test, information)

    @property
    def given(self) -> bool:
        """Whether exogenous observed predictors are taken as given."""
        if self.ordered:
            return self.conditional
        return self.method.fitting == "ML" if self.fixed_x is None else self.fixed_x

    @property
    def conditional(self) -> bool:
        """Whether an ordinal model is conditional on exogenous observed predictors."""
        return bool(self.ordered) and (self.fixed_x is not False if self.conditional_x is None else self.conditional_x)

    @property
    def name(self) -> str:
        """Name for tables."""
        return f"SEM ({self.estimator or ('WLSMV' if self.ordered else 'ML')})"

    @property
    def causes(self) -> tuple[str, ...]:
        """What the codes of `Convergence.cause` mean."""
        return CAUSES

    @property
    def threads(self) -> bool:
        """Whether `solve` may run in several threads at once."""
        return True

    def needs(self, model: Model) -> tuple[str, ...]:
        """Columns it wants from the data."""
        return model.observed

    def solve(self, model: Model, moments: Moments, like: Estimate | None = None) -> Estimate:
        """Fit every slice of `moments`.

        Raises:
            Problems: a model or data that cannot be fitted, all problems at once.
        """
        if self.groups in model.observed:
            raise Problems([_no_group(str(self.groups))])
        known = self.knowing(model)
        est = moderated(known, model, moments, bare=like is not None)
        if known is self or like is not None:
            return est
        return replace(est, notes=(*est.notes, _by_thresholds([n for n in known.ordered if n not in self.ordered])))

    def knowing(self, model: Model) -> SEM:
        """The same with the items of which a model states thresholds among the ordinal ones, as lavaan has it.

        Raises:
            Problems: settings that do not go with ordinal items.

        Example:
            >>> SEM().knowing(Model.parse("f =~ u1 + u2 + u3; u2 | t1")).ordered
            ('u2',)
        """
        new = tuple(dict.fromkeys(t.item for t in model.thresholds if t.item not in self.ordered))
        return replace(self, ordered=(*self.ordered, *new)) if new else self


def _no_group(name: str) -> Problem:
    """Groups by an item of the model, within which it does not vary."""
    en = f"{name} is an item of the model; within a group all answers to it are the same."
    zh = f"{name} 是模型中的题项，组内其回答全部相同。"
    do, do_zh = "Group by another column, or take it out of the model.", "请改用其他列分组，或将其移出模型。"
    return problem("E-SETTING", "groups", en, zh, do, do_zh)


def _by_thresholds(names: Sequence[str]) -> Note:
    """A note on items that thresholds of the model make ordinal."""
    listed, listed_zh = ", ".join(names), "、".join(names)
    en = (
        f"the model states thresholds of {listed}: they are taken as ordinal, as if named in ordered= (lavaan does so)."
    )
    zh = f"模型给出了 {listed_zh} 的阈值：按有序题项处理，如同列于 ordered=（与 lavaan 一致）。"
    return note("N-THRESHOLDS", en, zh)


_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "estimator": tuple(METHODS),
    "missing": _MISSING,
    "likelihood": get_args(Likelihood),
    "parameterization": get_args(Parameterization),
    "interaction": get_args(Interaction),
    "pairs": get_args(Pairs),
    "bounds": get_args(Bounds),
    "information": get_args(Information),
    "se": get_args(Errors),
    "test": get_args(Testing),
}
"""Settings that are one word, and the words."""

_ALIASES: Final = {"missing": MISSING}
_OPTIONAL = ("estimator", "pairs", "bounds", "information", "se", "test")


def _known(settings: SEM) -> list[Problem]:
    """What is wrong with the settings."""
    found = []
    for name, words in _WORDS.items():
        if getattr(settings, name) is not None or name not in _OPTIONAL:
            found += one_of(name, getattr(settings, name), words)
    for kind in settings.equal:
        found += one_of("equal", kind, get_args(Kind))
    for name in ("std_lv", "growth"):
        found += flag_problem(name, getattr(settings, name))
    for name in ("fixed_x", "meanstructure", "conditional_x"):
        found += flag_problem(name, getattr(settings, name), optional=True)
    if settings.groups is not None and not isinstance(settings.groups, str):
        en, zh = f"{settings.groups} is not the name of one column.", f"{settings.groups} 不是一列的名称。"
        found.append(problem("E-SETTING", "groups", en, zh, 'Write groups="school".', '请写 groups="school"。'))
    return [*found, *_together(settings)]


def _together(settings: SEM) -> list[Problem]:
    """Which of the settings, each fine alone, do not go together."""
    found = []
    if (settings.equal or settings.free) and settings.groups is None:
        en, zh = "equal= and free= speak of groups, and there are none.", "equal= 与 free= 针对分组，而未设定分组。"
        found.append(
            problem(
                "E-SETTING", "groups", en, zh, 'Name the column, groups="school".', '请指定分组列，如 groups="school"。'
            )
        )
    found += _conditions(settings)
    base = METHODS.get(str(settings.estimator or "ML"), METHODS["ML"]).fitting
    if str(settings.missing) in {"fiml", "two-stage"} and base != "ML":
        en = f'missing="{settings.missing}" goes with maximum likelihood, not with {settings.estimator}.'
        zh = f'missing="{settings.missing}" 只能用于极大似然估计，不能与 {settings.estimator} 同用。'
        found.append(
            problem("E-SETTING", "missing", en, zh, 'Use estimator="ML" or "MLR".', '请用 estimator="ML" 或 "MLR"。')
        )
    if settings.missing == "fiml" and str(settings.estimator) in {"MLM", "MLMV", "MLMVS"}:
        en = f"{settings.estimator} needs complete rows; with incomplete ones its robust counterpart is MLR."
        zh = f"{settings.estimator} 需要完整数据；含缺失时对应的稳健方法是 MLR。"
        found.append(problem("E-SETTING", "missing", en, zh, 'Use estimator="MLR".', '请用 estimator="MLR"。'))
    if settings.ordered and settings.estimator is not None and base in {"ML", "GLS"}:
        en = f"{settings.estimator} takes items for continuous; ordinal items need WLSMV, ULSMV, WLS or DWLS."
        zh = f"{settings.estimator} 将题项视为连续变量；有序题项需用 WLSMV、ULSMV、WLS 或 DWLS。"
        found.append(problem("E-SETTING", "estimator", en, zh, 'Use estimator="WLSMV".', '请用 estimator="WLSMV"。'))
    return found


def _conditions(settings: SEM) -> list[Problem]:
    """What does not go with `conditional_x=True`."""
    if settings.conditional_x is not True:
        return []
    if not settings.ordered:
        en = "conditional_x=True is for models with ordinal items (ordered=)."
        zh = "conditional_x=True 只用于含有序题项（ordered=）的模型。"
        do = "Leave it out: maximum likelihood with fixed_x takes predictors as given already."
        do_zh = "请去掉该设定：极大似然估计在 fixed_x 下已将预测变量视为给定。"
        return [problem("E-SETTING", "conditional_x", en, zh, do, do_zh)]
    if settings.fixed_x is False:
        en = "conditional_x=True takes exogenous predictors as given and fixed_x=False estimates their moments."
        zh = "conditional_x=True 将外生预测变量视为给定，而 fixed_x=False 要估计其矩，两者矛盾。"
        return [problem("E-SETTING", "conditional_x", en, zh, "Use one of them.", "请只用其一。")]
    return []
