"""The keys of models that read tables of events, with their types."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class EventOptionsForm(BaseModel):
    """What models of purchases, complaints, recovery and programmes take: see `csi.study.options.Options`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    chose: str = ""
    rebought: str = ""
    outcomes: list[str] = []
    prior: str = ""
    before: str = ""
    adjust_for: list[str] = []
    top: str = ""
    hypothetical: str = ""
    period: Literal["", "week", "month", "quarter"] = ""
    within: float = Field(default=0.0, ge=0)
    unit: Literal["", "day", "week", "month", "year"] = ""
    hazard: Literal["", "cox", "cloglog", "logit"] = ""
    asked: dict[str, Annotated[str, BeforeValidator(str)]] = {}
    ends: dict[str, str] = {}
