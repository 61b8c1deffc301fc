"""What to change in a questionnaire: rules over its numbers, each with the number, the limit and whose it is.

A rule looks at one item, one construct or one pair; it says what to do, never silently. What no rule speaks against is
kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import polars as pl

from csi.catalogue.advice import Action, rules

SEVERITY: tuple[Action, ...] = get_args(Action)
"""From what can stay to what cannot."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found: of an item, a construct or a pair (`other`), with its number."""

    rule: str
    name: str
    value: float | None = None
    other: str = ""
    kind: Literal["item", "construct"] = "item"


def advice_table(findings: Iterable[Finding], scales: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """Every finding with its rule, number, limit and source; items and constructs without any are kept.

    Parameters:
        findings: what rules found. scales: construct -> items.

    Returns:
        frame: kind ("item", "construct"), construct, name, other, action, rule, says, says_zh, value, limit, source;
        in the order of the questionnaire, what is worst first.

    Example:
        >>> made = advice_table([Finding("missing", "t1", 0.09)], {"trust": ["t1", "t2"]})
        >>> made.select("name", "action", "value").rows()
        [('trust', 'keep', None), ('t1', 'reword', 0.09), ('t2', 'keep', None)]
    """
    own = {i: c for c, items in scales.items() for i in items} | {c: c for c in scales}
    order = {name: k for k, name in enumerate(n for c, items in scales.items() for n in (c, *items))}
    found = list(dict.fromkeys(findings))
    said = {(f.kind, f.name) for f in found}
    quiet = [("construct", c) for c in scales if ("construct", c) not in said]
    quiet += [("item", i) for items in scales.values() for i in items if ("item", i) not in said]
    rows = [_row(f, own) for f in found]
    rows += [
        {"kind": kind, "construct": own[name], "name": name, "other": "", "action": "keep", "rule": "", "says": "",
         "says_zh": "", "value": None, "limit": None, "source": ""}
        for kind, name in quiet
    ]  # fmt: skip
    rows.sort(key=lambda r: (order.get(str(r["name"]), 0), r["kind"] == "item", -SEVERITY.index(r["action"])))
    return pl.DataFrame(rows, schema=SCHEMA)


SCHEMA = {
    **dict.fromkeys(("kind", "construct", "name", "other", "action", "rule", "says", "says_zh"), pl.String),
    "value": pl.Float64,
    "limit": pl.Float64,
    "source": pl.String,
}


def _row(found: Finding, own: Mapping[str, str]) -> dict[str, object]:
    rule = rules()[found.rule]
    return {
        "kind": found.kind,
        "construct": own.get(found.name, ""),
        "name": found.name,
        "other": found.other,
        "action": rule.action,
        "rule": found.rule,
        "says": rule.says.en,
        "says_zh": rule.says.zh,
        "value": found.value,
        "limit": rule.limit,
        "source": rule.source,
    }


def decisions(table: pl.DataFrame) -> pl.DataFrame:
    """The hardest action of every item, and how many rules speak against it.

    Example:
        >>> made = advice_table([Finding("missing", "t1", 0.09)], {"trust": ["t1", "t2"]})
        >>> decisions(made).rows()
        [('trust', 't1', 'reword', 1), ('trust', 't2', 'keep', 0)]
    """
    items = table.filter(kind="item")
    worst = pl.col("action").replace_strict({a: k for k, a in enumerate(SEVERITY)}, return_dtype=pl.Int64)
    made = items.group_by("construct", "name", maintain_order=True).agg(
        worst.max().alias("worst"), (pl.col("rule") != "").sum().cast(pl.Int64).alias("rules")
    )
    return made.select(
        "construct", "name",
        pl.col("worst").replace_strict(dict(enumerate(SEVERITY)), return_dtype=pl.String).alias("action"), "rules",
    )  # fmt: skip
