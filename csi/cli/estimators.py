"""Names of estimators as typed: pls, plsc, sum, pca and gsca beside those of a covariance model (ml, mlr, ...)."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Final, cast

from csi.cli.fit_options import ONLY_MODEL, given, listed
from csi.errors import Problem, Problems, problem
from csi.estimate.protocol import Estimator
from csi.models.nouns import Mode
from csi.moments.stack import Missing
from csi.pls.composed import Ways
from csi.pls.estimator import PLS
from csi.pls.gsca import GSCA
from csi.pls.inner import Scheme
from csi.pls.sum_scores import SumScores
from csi.sem.estimator import SEM

COMPOSITES: Final = ("pls", "plsc", "sum", "raw", "pca", "gsca")
"""Estimators whose scores are weighted sums of items."""

OF_PLS: Final = ("weighting", "modes", "higher_order")
"""Options of pls and plsc alone."""

OF_COMPOSITES: Final = ("imputations",)
"""Options of composites alone."""

SHARED: Final = (
    "estimator",
    "missing",
    "na",
    "weight",
    "unit",
    "stratum",
    "seed",
    "interval",
    "one_sided",
    "improper",
    "adjust",
    "jackknife",
    "replicate_weights",
    "replicate_kind",
    "rho",
    "rscales",
    "by",
    "where",
    "show_anyway",
    "interaction",
)
"""Options of a model text that every estimator takes; the others are those of a covariance model."""


def is_composite(name: str | None) -> bool:
    """Whether the name is that of a composite estimator.

    Example:
        >>> is_composite("PLSc"), is_composite("ML"), is_composite(None)
        (True, False, False)
    """
    return name is not None and name.lower() in COMPOSITES


def composite_of(
    name: str,
    missing: str = "listwise",
    weighting: str = "path",
    modes: str | None = None,
    ways: Ways | None = None,
) -> Estimator:
    """The settings of a composite estimator; `ways` of higher-order constructs and products are for PLS alone.

    Raises:
        Problems: E-SETTING, a value that is none of the setting.

    Example:
        >>> composite_of("plsc", modes="image=B").name
        'PLSc (path)'
    """
    kind, how = name.lower(), cast("Missing", missing)
    if kind == "gsca":
        return GSCA(missing=how)
    if kind in {"sum", "raw", "pca"}:
        return SumScores(weights="equal" if kind == "sum" else "raw" if kind == "raw" else "pca", missing=how)
    made = PLS(weighting=cast("Scheme", weighting), missing=how, consistent=kind == "plsc", modes=modes_of(modes))
    return made if ways is None else replace(made, higher_order=ways.higher_order, interaction=ways.interaction)


def modes_of(text: str | None) -> dict[str, Mode]:
    """`image=B,value=A` as a mapping.

    Raises:
        Problems: an entry without a mode.

    Example:
        >>> modes_of("image=B, value=a")
        {'image': 'B', 'value': 'A'}
    """
    pairs = [entry.partition("=") for entry in listed(text)]
    wrong = [name for name, sign, _ in pairs if not sign]
    if wrong:
        en, zh = f"{', '.join(wrong)}: no mode is named.", f"{'、'.join(wrong)}：没有写明模式。"
        raise Problems([problem("E-SETTING", "--modes", en, zh, "Write --modes image=B.", "请写作 --modes image=B。")])
    return {name.strip(): cast("Mode", mode.strip().upper()) for name, _, mode in pairs}


def covariance_of(name: str, missing: str = "listwise") -> SEM:
    """The settings of a covariance model: ml, mlr, ..., or `sem` for ML.

    Example:
        >>> covariance_of("mlr").name
        'SEM (MLR)'
    """
    return SEM(estimator=None if name.lower() == "sem" else name.upper(), missing=cast("Missing", missing))


def clashes(args: argparse.Namespace) -> list[Problem]:
    """Options that the estimator does not take."""
    composite = is_composite(args.estimator)
    own = [name for name in ONLY_MODEL if name not in SHARED and name not in OF_PLS + OF_COMPOSITES]
    barred = own if composite else [*OF_PLS, *OF_COMPOSITES]
    if composite and args.estimator.lower() not in {"pls", "plsc"}:
        barred += [*OF_PLS, "interaction"]
    found = given(args, {name: ONLY_MODEL[name] for name in barred})
    engine = args.estimator.lower() if composite else "a covariance model"
    engine_zh = args.estimator.lower() if composite else "协方差模型"
    return [
        problem(
            "E-SETTING",
            option,
            f"{engine} does not take this option.",
            f"{engine_zh} 不接受该选项。",
            "Leave it out." if composite else "Leave it out, or use --estimator pls.",
            "请去掉该选项。" if composite else "请去掉该选项，或使用 --estimator pls。",
        )
        for option in found
    ]
