"""How answers are weighed: margins, bounds, base weights, populations."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from csi.study.schema_survey import Part, _listed


def _numbers(value: Any) -> Any:  # noqa: ANN401 - whatever stands in the file
    """A text that is a number is one; others are names of columns."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return value


class TrimForm(Part):
    """`{max: 5, min: 0.2}`: bounds of weights, as multiples of the mean weight of a group."""

    max: float = Field(gt=1, allow_inf_nan=False)
    min: float = Field(default=0.0, ge=0, lt=1)


class WeightsForm(Part):
    """`{rake: {gender: {f: 0.51, m: 0.49}, age: age.csv}, by: [wave, brand], base: w, trim: {max: 5}}`.

    A margin of joint cells is written `gender*age`. `population`: the size of the population, of each stratum, or a
    column with it.
    """

    rake: dict[str, dict[str, float] | str] = {}
    by: Annotated[list[str], BeforeValidator(_listed)] = []
    base: str = ""
    trim: TrimForm | None = None
    missing: Literal["refuse", "apart"] | dict[str, str] = "refuse"
    household: str = ""
    tolerance: float = Field(default=1e-6, gt=0, lt=1)
    iterations: int = Field(default=500, ge=1)
    population: Annotated[float | dict[str, float] | str | None, BeforeValidator(_numbers)] = None
