"""The evidence of comparability behind numbers that differ between two runs, from what the gate left in the records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

import polars as pl

from csi.errors import Note, Text, note
from csi.reporting.diff_read import Facts
from csi.tracking.gate_lines import ASK, MOST, PASSED
from csi.tracking.gate_verdicts import Verdict
from csi.tracking.gate_words import VERDICTS, evidence_text, kind_of

_COMPARED: Final = ("index", "change", "significant", "rank", "rank_low", "rank_high")
_KEYS: Final = ("brand", "wave", "stage", "segment")


def evidence_of(a: Facts, b: Facts, numbers: pl.DataFrame) -> tuple[Note, ...]:
    """A line on each record's evidence, one where they say the same; none where no index, change or rank differs.

    Parameters:
        numbers: with `status`.
    """
    if numbers.filter(pl.col("status") == "changed", pl.col("quantity").is_in(_COMPARED)).is_empty():
        return ()
    before, after = (sets_text(f.sets) for f in (a, b))
    if before == after:
        return (note("N-EVIDENCE", f"Comparability (both): {after.en}.", f"可比性（两次相同）：{after.zh}。"),)
    en = f"Comparability, before: {before.en}. After: {after.en}."
    return (note("N-EVIDENCE", en, f"可比性，之前：{before.zh}。之后：{after.zh}。"),)


def sets_text(sets: tuple[Mapping[str, object], ...] | None) -> Text:
    """What the gate found in a few words, as `gate_lines.evidence_line` says it of a gate.

    Example:
        >>> sets_text(({"between": "brand", "wave": "2026", "verdict": "comparable", "rule": "ladder"},)).en
        'brands: metric and scalar passed (1 set)'
    """
    if sets is None:
        return Text(f"not tested; {ASK.en}", f"未检验；{ASK.zh}")
    passed: dict[tuple[str, str], int] = {}
    rest = []
    for row in sets:
        if row.get("verdict") == "comparable":
            kind = str(row.get("between")), str(row.get("rule"))
            passed[kind] = passed.get(kind, 0) + 1
        elif row.get("verdict") in VERDICTS:
            rest.append(_told(row))
    good = [_passed(between, rule, k) for (between, rule), k in passed.items()]
    more = len(rest) - MOST
    last = [Text(f"{more} more sets did not pass", f"另有 {more} 组未通过")] if more > 0 else []
    every = [*good, *rest[:MOST], *last] or [Text("nothing to compare", "没有可比较的单元")]
    return Text("; ".join(t.en for t in every), "；".join(t.zh for t in every))


def _passed(between: str, rule: str, k: int) -> Text:
    """How many sets of one kind passed."""
    kind, said = kind_of(between, {}), PASSED.get(rule, Text("passed", "通过"))
    return Text(f"{kind.en}: {said.en} ({k} set{'' if k == 1 else 's'})", f"{kind.zh}：{said.zh}（{k} 组）")


def _told(row: Mapping[str, object]) -> Text:
    """A set that did not pass, or was not tested."""
    kind = kind_of(str(row.get("between")), {})
    shared = [str(row[k]) for k in _KEYS if row.get(k)]
    where = Text(f" ({', '.join(shared)})" if shared else "", f"（{'、'.join(shared)}）" if shared else "")
    items = [i for i in str(row.get("items") or "").split(", ") if i]
    bias = row.get("bias")
    size = float(bias) if isinstance(bias, int | float) else float("nan")
    said = evidence_text(cast("Verdict", row["verdict"]), items, size)
    return Text(f"{kind.en}{where.en}: {said.en}", f"{kind.zh}{where.zh}：{said.zh}")
