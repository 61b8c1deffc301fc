"""Fit measures of a covariance or a composite model: `fit_measures(est)`.

Letters: `b` slices (cells), `g` groups.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Reason, Text, did_you_mean, note, reason
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_estimate
from csi.measures.composite_fit import composite_measures
from csi.measures.fit_families import every_measure
from csi.measures.fit_names import LAVAAN
from csi.measures.shown import listing
from csi.measures.tidy import cells_of, said_once, tidy, unsolved
from csi.moments.stack import Array
from csi.sem.fitted import fitted

LEVEL = 0.90
"""Level of the RMSEA interval."""

CLOSE, NOT_CLOSE = 0.05, 0.08
"""RMSEA of close fit and of not-close fit (Browne & Cudeck 1993; MacCallum, Browne & Sugawara 1996)."""

UNDEFINED = reason("undefined", "its denominator is 0.", "分母为 0。")


NEGATIVE_DF = reason(
    "negative_df",
    "the model has more free parameters than there are moments (df < 0): it has no fit.",
    "自由参数多于可用的矩（df < 0），无法评价拟合。",
)
COUNTED = {"npar", "df", "df_scaled"}
"""What is told of a model with more parameters than moments; what is told of the independence model stays."""


class UnknownMeasure(KeyError, Problems):
    """A fit measure of that name does not exist, or this fit has no such form of it; a `KeyError`, as of any mapping.

    Example:
        >>> print(UnknownMeasure("cfii", ["chi2", "cfi", "tli"]))
        cfii: there is no fit measure of this name. Did you mean "cfi"?
    """

    def __init__(self, name: object, known: Iterable[str], lang: str = "en") -> None:
        names = list(known)
        Problems.__init__(self, [_unknown(name, names)], lang)

    def __str__(self) -> str:
        return Problems.__str__(self)


def _unknown(name: object, names: list[str]) -> Problem:
    """Why a fit has no measure of this name."""
    key = str(LAVAAN.get(name, name) if isinstance(name, str) else name)
    plain, _, form = key.rpartition("_")
    if form in {"scaled", "robust"} and plain in names:
        zh = {"scaled": "校正", "robust": "稳健"}[form]
        if any(n.endswith(f"_{form}") for n in names):
            what = Text(f"{plain} has no {form} form.", f"{plain} 没有{zh}形式。")
        else:
            en = f"this fit has no {form} test, so {plain} has no {form} form."
            what = Text(en, f"该拟合没有{zh}检验，因此 {plain} 没有{zh}形式。")
        do = Text(f'Read "{plain}", or fit with a robust estimator.', f"请读取“{plain}”，或改用稳健估计量拟合。")
        return Problem("E-MEASURE", str(name), what, do)
    what = Text("there is no fit measure of this name.", "没有这一名称的拟合指标。")
    return Problem(
        "E-MEASURE", str(name), what, did_you_mean(str(name), {*names, *(k for k, v in LAVAAN.items() if v in names)})
    )


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class FitMeasures(Shown, Mapping[str, "float | Array"]):
    """Fit measures of every cell; a mapping from name to value.

    `fm["cfi"]` is a float for one cell and an array (b,) for several; lavaan's names ("chisq", "rmsea.ci.lower") are
    known too. A value that cannot be computed is NaN here and null in `table`, with its reason beside it.

    Attributes:
        arrays: name -> (b,). reasons: name -> why it is absent. settings: level of the RMSEA interval and its
            hypotheses of close and not-close fit. cells: key columns of each slice. failed: (b,) why a cell has no
            solution. notes.
    """

    arrays: Mapping[str, Array]
    reasons: Mapping[str, Reason]
    settings: Mapping[str, float]
    cells: pl.DataFrame
    failed: tuple[Reason | None, ...]
    notes: tuple[Note, ...] = field(default=())

    def __getitem__(self, name: str) -> float | Array:
        key = LAVAAN.get(name, name)
        if key in self.settings:
            return self.settings[key]
        if key not in self.arrays:
            raise UnknownMeasure(name, self.arrays)
        values = self.arrays[key]
        return float(values[0]) if values.size == 1 else values

    def __contains__(self, name: object) -> bool:
        key = LAVAAN.get(name, name) if isinstance(name, str) else name
        return key in self.arrays or key in self.settings

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays)

    @property
    def table(self) -> pl.DataFrame:
        """One row per cell and measure: key columns, measure, value, reason (the code where it is absent)."""
        names = list(self.arrays)
        values = np.stack([self.arrays[n] for n in names], axis=1)
        codes = [
            None if np.isfinite(v) else (why or self.reasons.get(name, UNDEFINED)).code
            for why, row in zip(self.failed, values, strict=True)
            for name, v in zip(names, row, strict=True)
        ]
        return tidy(self.cells, pl.DataFrame({"measure": names}), {"value": values}, {"reason": codes})

    @property
    def why(self) -> dict[str, Reason]:
        """Code -> reason, of everything that is absent."""
        absent = [r for n, r in self.reasons.items() if not np.isfinite(self.arrays[n]).all()]
        return said_once([*absent, *self.failed])


HEADLINE = (
    *("chi2", "df", "p_value", "p_value_peba4", "cfi", "tli", "rmsea", "rmsea_conf_low", "rmsea_conf_high", "srmr"),
    *("aic", "bic"),
)
"""What is shown first; `table` has everything."""

OF_COMPOSITES = ("srmr", "d_uls", "d_g", "d_ml", "nfi", "chi2", "df", "rms_theta")
"""What is shown first of a composite model."""

DESCRIPTIVE = note(
    "N-PLS-FIT",
    "fit of a composite model is descriptive; csi.exact_fit tests it. Beside each value: the saturated model.",
    "合成模型的拟合指标仅供描述，检验请用 csi.exact_fit；另列饱和模型的数值。",
)


def fit_measures(
    est: Estimate, *, level: float = LEVEL, close: float = CLOSE, not_close: float = NOT_CLOSE
) -> FitMeasures:
    """How well a model fits: tests, incremental and absolute indices, residuals, information criteria.

    Of a composite model (PLS, sum scores): SRMR, d_ULS, d_G, d_ML, NFI and others of the estimated model, and of the
    saturated one under names such as "srmr_saturated"; RMS_theta.

    Parameters:
        est: a fit by `csi.SEM` or of composites. level: of the RMSEA interval. close, not_close: RMSEA of its two
            hypotheses (both of `csi.SEM` alone).

    Returns:
        A `FitMeasures`.

    Raises:
        Problems: the estimate is neither of `csi.SEM` nor of composites.

    Source:
        The formulas' own docstrings. Agrees with lavaan 0.6-14 within 1e-4 (tests/sem), and for composites with cSEM
        0.6.1 and ADANCO 2.2 within 1e-6 (tests/measures/test_composite_fit.py).

    Example:
        >>> import csi
        >>> cov = [[2.0, 0.9, 0.8, 0.7], [0.9, 1.5, 0.6, 0.3], [0.8, 0.6, 1.2, 0.4], [0.7, 0.3, 0.4, 1.1]]
        >>> model = csi.Model.parse("f =~ a + b + c + d")
        >>> est = csi.fit(model, csi.Moments.of(["a", "b", "c", "d"], cov, n=200), csi.SEM())
        >>> found = csi.fit_measures(est)
        >>> round(found["cfi"], 3), found["df"]
        (0.974, 2.0)
    """
    check_estimate(est)
    composite = "sem" not in est.extra and est.solution.weights is not None
    hypotheses = {} if composite else {"rmsea_level": level, "rmsea_close": close, "rmsea_not_close": not_close}
    with np.errstate(invalid="ignore", divide="ignore"):
        arrays, reasons = composite_measures(est) if composite else every_measure(fitted(est), hypotheses)
    if not composite and fitted(est).df < 0:
        arrays = {
            n: a if n in COUNTED or n.startswith("baseline") else np.full_like(a, np.nan) for n, a in arrays.items()
        }
        reasons = dict.fromkeys(arrays, NEGATIVE_DF)
    failed = unsolved(est)
    usable = np.array([r is None for r in failed], dtype=bool)
    if not usable.all():
        arrays = {name: np.where(usable, values, np.nan) for name, values in arrays.items()}
    products = any(c.product_of for c in est.model.constructs)
    notes = (*est.notes, DESCRIPTIVE) if composite and not products else est.notes
    return FitMeasures(arrays, reasons, hypotheses, cells_of(est), tuple(failed), notes)


@text.register
def _text(found: FitMeasures, lang: str = "en") -> str:
    """The headline: one row per measure for one cell, one row per cell for several; then reasons and notes."""
    title = Text("Fit measures", "拟合指标").say(lang)
    frame = _single(found) if len(found.failed) == 1 else _several(found)
    more = Text("All measures: .table", "全部指标：.table").say(lang)
    shown = {f"{head}{form}" for head in headline(found) for form in ("", *(f"_{f}" for f in FORMS))}
    kept = shown & set(found.reasons)
    why = said_once([*(found.reasons[n] for n in found.reasons if n in kept), *found.failed])
    told = [f"* {r.say(lang)}" for r in why.values()] + [f"* {n.say(lang)}" for n in found.notes]
    return "\n".join([title, listing(frame, lang, words=("measure",)), more, *told])


FORMS = ("scaled", "robust", "saturated")
"""Forms of a measure that stand beside it."""


def headline(found: FitMeasures) -> list[str]:
    """What is shown first: of a covariance model, or of composites."""
    return [n for n in (OF_COMPOSITES if "d_uls" in found.arrays else HEADLINE) if n in found.arrays]


def _single(found: FitMeasures) -> pl.DataFrame:
    """Measures of one cell, with their scaled, robust and saturated forms beside them."""
    names = headline(found)
    columns = {"value": names, **{form: [f"{n}_{form}" for n in names] for form in FORMS}}
    shown = {c: [_finite(found.arrays.get(n), 0) for n in keys] for c, keys in columns.items()}
    kept = {c: values for c, values in shown.items() if c == "value" or any(v is not None for v in values)}
    return pl.DataFrame({"measure": names, **kept}, schema_overrides=dict.fromkeys(kept, pl.Float64))


def _several(found: FitMeasures) -> pl.DataFrame:
    """One row per cell."""
    names = headline(found)
    columns = {n: [_finite(found.arrays[n], i) for i in range(len(found.failed))] for n in names}
    return found.cells.hstack(pl.DataFrame(columns, schema_overrides=dict.fromkeys(names, pl.Float64)))


def _finite(values: Array | None, i: int) -> float | None:
    """A number, None where it is absent."""
    return float(values[i]) if values is not None and np.isfinite(values[i]) else None
