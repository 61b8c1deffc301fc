"""Does a construct measure the same in every wave? Configural, metric, scalar, each against the last that stands.

Source:
    Meredith (1993), Psychometrika 58, 525-543; Widaman, Ferrer & Conger (2010), Child Development Perspectives 4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Final, Literal

import polars as pl

from csi.errors import Note, Problems, Text, note
from csi.estimate.estimate import Estimate
from csi.expectation.change_models import Series, Step, measured
from csi.measures.fit_measures import FitMeasures, fit_measures
from csi.measures.nested import lrt

Fit = Callable[[Sequence[str]], Estimate]
"""Fits the lines of a model."""

STEPS: Final[tuple[Step, ...]] = ("configural", "metric", "scalar")

FREED: Final[Mapping[Step, Literal["loading", "intercept"]]] = {"metric": "loading", "scalar": "intercept"}
"""What a step holds equal."""

KEPT = 2
"""So many items of a construct stay equal."""

SCHEMA: Final = {
    "series": pl.String, "step": pl.String, "released": pl.String, "chi2": pl.Float64, "df": pl.Float64,
    "p_value": pl.Float64, "cfi": pl.Float64, "rmsea": pl.Float64, "delta_chi2": pl.Float64, "delta_df": pl.Float64,
    "delta_p": pl.Float64, "delta_cfi": pl.Float64, "verdict": pl.String,
}  # fmt: skip

TITLES: Final[Mapping[Step, Text]] = {
    "configural": Text("configural", "构形"),
    "metric": Text("metric", "载荷"),
    "scalar": Text("scalar", "标量"),
}


@dataclass(frozen=True, slots=True)
class Climbed:
    """The ladder of one series.

    Attributes:
        series: with what was released, held equal as far as it stands. table: series, step, released, chi2, df,
            p_value, cfi, rmsea, delta_chi2, delta_df, delta_p, delta_cfi (against the last step that stands), verdict.
        sentences, notes.
    """

    series: Series
    table: pl.DataFrame
    sentences: tuple[Text, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class _Rung:
    """A series held equal so far, and its fit."""

    series: Series
    fit: Estimate


def climb(series: Series, fit: Fit, name: Text, *, alpha: float, partial: bool) -> Climbed:
    """Hold loadings, then intercepts equal over waves; a step stands when its chi-square difference has p >= alpha.

    Parameters:
        series: with its items. fit: fits lines of a model. name: of the construct, for sentences. alpha: of the tests.
        partial: where a step fails, set the item free whose release lowers chi-square most, as long as two items stay
            equal, until the step stands.

    Returns:
        A `Climbed`; two items have no configural step (it has more parameters than the data have moments).
    """
    if series.single:
        return Climbed(series, pl.DataFrame(schema=SCHEMA), (), (_one_item(name),))
    steps = STEPS if len(series.items) > 2 else STEPS[1:]
    first = replace(series, step=steps[0])
    last = _Rung(first, fit(held(first)))
    rows = [_row(series.letter, last, None, "baseline")]
    said: list[Text] = []
    for step in steps[1:]:
        made = _rung(last, fit, step)
        stands = _p(last, made) >= alpha
        rows.append(_row(series.letter, made, last, "not rejected" if stands else "rejected"))
        if not stands and partial:
            made, stands = _partly(last, made, fit, step, alpha)
            rows += [_row(series.letter, made, last, "partial")] if stands else []
        said.append(_sentence(name, step, made.series, rows[-1], stands=stands))
        if not stands:
            break
        last = made
    table = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    return Climbed(last.series, table, tuple(said), _without_first(name) if len(series.items) == 2 else ())


def held(series: Series) -> list[str]:
    """A step of the ladder: factors that go together as they will, from equal intercepts on with free means."""
    return [*measured(series), *(f"{level} ~ 1" for level in series.levels if series.step == "scalar")]


def _rung(last: _Rung, fit: Fit, step: Step) -> _Rung:
    """The next step of what stands."""
    series = replace(last.series, step=step)
    return _Rung(series, fit(held(series)))


def _partly(last: _Rung, whole: _Rung, fit: Fit, step: Step, alpha: float) -> tuple[_Rung, bool]:
    """The step with as few items set free as it takes; whether it stands."""
    made = whole
    while True:
        kept = [i for i in made.series.items if i not in made.series.released]
        if len(kept) <= KEPT:
            return made, False
        tried = [t for item in kept if (t := _freed(made.series, item, fit, step)) is not None]
        if not tried:
            return made, False
        made = min(tried, key=lambda rung: _chi2(rung.fit))
        if _p(last, made) >= alpha:
            return made, True


def _freed(series: Series, item: str, fit: Fit, step: Step) -> _Rung | None:
    """The step with one more item of its own in every wave; the scale is set by one that is equal."""
    released = {**series.released, item: FREED[step]}
    order = sorted(series.items, key=lambda i: i in released)
    made = replace(series, items=tuple(order), released=released)
    try:
        return _Rung(made, fit(held(made)))
    except Problems:
        return None


def measures_of(found: FitMeasures) -> dict[str, float]:
    """chi2, df, p_value, cfi, rmsea, srmr of one cell: scaled and robust where there are such."""
    robust = "chi2_scaled" in found
    names = {
        "chi2": ("chi2_scaled", "chi2"), "df": ("df_scaled", "df"), "p_value": ("p_value_scaled", "p_value"),
        "cfi": ("cfi_robust", "cfi"), "rmsea": ("rmsea_robust", "rmsea"), "srmr": ("srmr",),
    }  # fmt: skip
    kept = {key: ways if robust else ways[-1:] for key, ways in names.items()}
    return {key: float(next((found[n] for n in ways if n in found), float("nan"))) for key, ways in kept.items()}


def _chi2(est: Estimate) -> float:
    """The unscaled chi-square."""
    return float(fit_measures(est)["chi2"])


def _p(wide: _Rung, narrow: _Rung) -> float:
    """The p-value of the difference; 0 where it has none."""
    value = _difference(wide, narrow)[2]
    return 0.0 if value is None else value


def _difference(wide: _Rung, narrow: _Rung) -> tuple[float | None, float | None, float | None]:
    """(Scaled) chi-square difference, degrees of freedom, p."""
    row = lrt(wide=wide.fit, narrow=narrow.fit).table.row(-1, named=True)
    return row["chi2_diff"], row["df_diff"], row["p_value"]


def _row(letter: str, rung: _Rung, last: _Rung | None, verdict: str) -> list[object]:
    """A row of the ladder."""
    own = measures_of(fit_measures(rung.fit))
    numbers = [_known(own[c]) for c in ("chi2", "df", "p_value", "cfi", "rmsea")]
    against: list[float | None] = [None] * 4
    if last is not None:
        before = measures_of(fit_measures(last.fit))
        against = [*_difference(last, rung), _known(own["cfi"] - before["cfi"])]
    released = ", ".join(f"{item} ({what})" for item, what in rung.series.released.items())
    return [letter, rung.series.step, released or None, *numbers, *against, verdict]


def _known(value: float) -> float | None:
    """A number; None where it is not finite."""
    return value if isfinite(value) else None


def _one_item(name: Text) -> Note:
    """That nothing can be tested."""
    en = f"{name.en} is one item: that it means the same in every wave is assumed, not tested; its change includes "
    en += "error of answers where a model has no term for it."
    zh = f"{name.zh}仅有一个题项：各期含义一致属于假定，无法检验；模型未设误差项时，变化中含回答误差。"
    return note("N-LONG-ONE", en, zh)


def _without_first(name: Text) -> tuple[Note, ...]:
    """That two items leave nothing to compare equal loadings with."""
    en = f"{name.en} has two items: equal loadings are where its ladder begins, not what it tests."
    zh = f"{name.zh}仅有两个题项：检验从载荷相等开始，载荷相等本身不作检验。"
    return (note("N-LONG-TWO", en, zh),)


def _sentence(name: Text, step: Step, series: Series, row: Sequence[object], *, stands: bool) -> Text:
    """What a step found; what fails is named."""
    what = Text("loadings", "载荷") if step == "metric" else Text("intercepts", "截距")
    own = [item for item, kind in series.released.items() if kind == FREED[step]]
    p = row[list(SCHEMA).index("delta_p")]
    said, said_zh = (f" (p = {p:.3f})", f"（p = {p:.3f}）") if isinstance(p, float) else ("", "")
    if not stands:
        en = f"{name.en}: {what.en} differ between waves{said}, so its means must not be compared."
        return Text(en, f"{name.zh}：{what.zh}在各期不等{said_zh}，均值不可比较。")
    if own:
        en = f"{name.en}: {what.en} are equal over waves but those of {', '.join(own)}{said}."
        return Text(en, f"{name.zh}：除 {'、'.join(own)} 外，{what.zh}各期相等{said_zh}。")
    en = f"{name.en}: equal {what.en} over waves are not rejected{said}."
    return Text(en, f"{name.zh}：{what.zh}各期相等，未被拒绝{said_zh}。")
