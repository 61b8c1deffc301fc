"""Tables of events beside the answers: which kinds there are, and the columns of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from csi.errors import Text

Holds = Literal["text", "number", "flag", "date", "time", "words"]
"""What a column holds; "words" are texts that may be empty."""


@dataclass(frozen=True, slots=True)
class EventKind:
    """A kind of table.

    Attributes:
        label: what it is called. needed, optional: column -> what it holds. either: columns of which one set is needed.
        time: the column that says when, "" for tables without.
    """

    label: Text
    needed: Mapping[str, Holds]
    optional: Mapping[str, Holds] = field(default_factory=dict)
    either: tuple[tuple[str, ...], ...] = ()
    time: str = ""

    @property
    def columns(self) -> dict[str, Holds]:
        """Every column the kind knows."""
        return {**self.needed, **self.optional}


KINDS: Final[Mapping[str, EventKind]] = {
    "purchases": EventKind(
        Text("Purchases", "购买记录"),
        {"id": "text", "date": "date"},
        {"amount": "number", "brand": "text"},
        time="date",
    ),
    "spells": EventKind(
        Text("Customer spells", "顾客存续"),
        {"id": "text", "event": "flag"},
        {"start": "date", "end": "date", "duration": "number", "entered": "date", "entry": "number", "brand": "text"},
        either=(("start", "end"), ("duration",)),
        time="start",
    ),
    "contacts": EventKind(
        Text("Contacts at touchpoints", "触点接触"),
        {"id": "text", "touchpoint": "text"},
        {"seq": "number", "time": "time", "score": "number", "stage": "text", "wave": "text", "brand": "text"},
        time="time",
    ),
    "complaints": EventKind(
        Text("Complaints and failures", "投诉与失误"),
        {"id": "text"},
        {
            "date": "date", "complained": "flag", "handled_score": "number", "failure": "flag", "severity": "number",
            "recovery": "text", "attribute": "text", "wave": "text", "brand": "text",
        },
        time="date",
    ),
    "texts": EventKind(
        Text("Comments", "文本评论"),
        {"id": "text", "text": "words"},
        {
            "lang": "text", "date": "date", "wave": "text", "brand": "text", "attribute": "text", "score": "number",
            "human_score": "number", "coder": "text",
        },
        time="date",
    ),
    "members": EventKind(
        Text("Members of a programme", "会员名单"), {"id": "text", "joined": "date"}, {"left": "date"}, time="joined"
    ),
    "cases": EventKind(
        Text("Open and closed cases", "问题处理单"),
        {"attribute": "text", "opened": "date"},
        {"case": "text", "id": "text", "closed": "date", "status": "text", "source": "text", "brand": "text"},
        time="opened",
    ),
}  # fmt: skip
"""Kinds of event tables."""

BESIDE: Final = ("benchmarks", "stakeholders", "mentions", "requirements", "relations", "status")
"""Tables beside the answers that hold no events; the model that reads one checks it."""
