"""The keys of models that read tables of events, with their types."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


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
    ends: dict[str, str] = {}
