"""Rules over a questionnaire's numbers: what each says, what to do, its limit and whose it is (`advice.yaml`)."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

from csi.errors import Text
from csi.yamlfile import strings

Action = Literal["keep", "look", "add", "reword", "reverse", "drop"]
"""What can be done with an item or a construct, from what can stay to what cannot."""

ACTIONS: Mapping[str, Text] = {
    "keep": Text("keep", "保留"),
    "look": Text("look at", "留意"),
    "add": Text("add items", "增加题项"),
    "reword": Text("reword", "改写"),
    "reverse": Text("reverse coding", "反向计分"),
    "drop": Text("drop", "删除"),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what it says of a number, what to do, the limit (None where there is none), and whose it is."""

    action: Action
    says: Text
    limit: float | None
    source: str


@functools.cache
def rules() -> Mapping[str, Rule]:
    """Every rule by its name.

    Example:
        >>> rules()["item_rest"].limit, rules()["item_rest"].source
        (0.3, 'Nunnally & Bernstein (1994)')
    """
    text = (files("csi.catalogue") / "advice.yaml").read_text(encoding="utf-8")
    raw: Mapping[str, Mapping[str, Any]] = strings(text)
    return {name: _rule(said) for name, said in raw.items()}


def _rule(said: Mapping[str, Any]) -> Rule:
    limit = float(said["limit"]) if "limit" in said else None
    return Rule(said["action"], Text(said["en"], said["zh"]), limit, said["source"])
