"""The gate in use: every difference of a table with its evidence, and what is not comparable withheld."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.errors import Note, Problems, Reason, Text, note, problem, reason
from csi.measures.invariance_words import signed
from csi.moments.stack import Array
from csi.tracking.gate_shown import NOT_RUN, Comparable, Evidence
from csi.tracking.gate_verdicts import Verdict
from csi.tracking.gate_words import minus
from csi.tracking.index import Index

Bools = npt.NDArray[np.bool_]

EVIDENCE = {"evidence": pl.String(), "items": pl.String(), "bias": pl.Float64(), "bias_error": pl.Float64()}
"""Columns beside a difference: the verdict, the items that differ, their effect on the difference in index points and
its standard error (null where nothing differs).
"""


def evidence_of(gate: Comparable | None, index: Index, construct: str, i: int, j: int) -> Evidence:
    """The evidence of the difference of cells i and j; "not tested" where no gate was run."""
    return NOT_RUN if gate is None else gate.evidence(construct, *(gate.cell_of(index, c) for c in (i, j)))


def evidence_frame(known: Sequence[Evidence]) -> pl.DataFrame:
    """The columns of `EVIDENCE`, a row per difference.

    Example:
        >>> evidence_frame([Evidence("comparable", ("a",), 0.2, 0.1)]).row(0)
        ('comparable', None, None, None)
    """
    tells = [e.verdict in {"after freeing", "not comparable"} for e in known]
    columns = {
        "evidence": [e.verdict for e in known],
        "items": [", ".join(e.items) or None if yes else None for e, yes in zip(known, tells, strict=True)],
        "bias": [e.bias if yes else None for e, yes in zip(known, tells, strict=True)],
        "bias_error": [e.std_error if yes else None for e, yes in zip(known, tells, strict=True)],
    }
    return pl.DataFrame(columns, schema=EVIDENCE).with_columns(pl.col(pl.Float64).fill_nan(None))


UNFAVOURABLE: Final[tuple[Verdict, ...]] = ("not tested", "comparable", "after freeing", "not comparable")
"""Verdicts, the least favourable last; "not tested" only where nothing was tested."""

UNTESTED: Final = ("statistic", "p_value")
"""Numbers of a test that a difference which is comparable only after freeing does not have."""


def weighed(known: Sequence[Evidence], differences: Array) -> list[Evidence]:
    """The evidence beside its differences: "not comparable" where what was set free moves one by its own size or more.

    Parameters:
        differences: (m,) of the index, as they stand.

    Example:
        >>> [e.verdict for e in weighed([Evidence("after freeing", ("a",), -5.0)] * 2, np.array([-4.0, -8.0]))]
        ['not comparable', 'after freeing']
    """
    return [
        replace(e, verdict="not comparable", outweighed=True)
        if e.verdict == "after freeing" and abs(e.bias) >= abs(float(d))
        else e
        for e, d in zip(known, differences, strict=True)
    ]


def freed(known: Sequence[Evidence], *, anyway: bool) -> Bools:
    """(m,) differences that are comparable after freeing only, so that their own size is not tested."""
    return np.array([e.verdict == "after freeing" and not anyway for e in known], dtype=np.bool_)


def freed_note(frame: pl.DataFrame) -> tuple[Note, ...]:
    """How differences that are comparable after freeing are given."""
    if not (frame["evidence"] == "after freeing").any():
        return ()
    en = (
        "Comparable after freeing: the difference as it stands has no test and leaves Holm's family; adjusted is it "
        "less the effect of the freed items, without a p-value, as the joint error of the two is not computed. Where "
        "that effect is as large as the difference, it is withheld as not comparable (anyway=True, --anyway tests all)."
    )
    zh = (
        "放开后可比：原差异不作检验，也不计入 Holm 校正的族；“调整后”为原差异减去放开题项的影响，"
        "因未计算二者的联合误差而不给 p 值。该影响不小于差异本身时，按不可比处理，不予给出"
        "（anyway=True 或 --anyway 对全部差异作检验）。"
    )
    return (note("N-FREED", en, zh),)


def withheld_text(found: Evidence, *, anyway: bool) -> tuple[str, str] | None:
    """Why a difference is withheld, in both languages; None where it is not."""
    why = withheld(found, anyway=anyway)
    return None if why is None else (why.text.en, why.text.zh)


def withheld(found: Evidence, *, anyway: bool, named: Text | None = None) -> Reason | None:
    """Why a difference is not printed: its cells are not comparable. None where it is, or where it is asked for.

    Parameters:
        named: what the items that differ are called; their names by default.
    """
    if anyway or found.verdict != "not comparable":
        return None
    called = named or Text(", ".join(found.items), "、".join(found.items))
    items, items_zh = called.en, called.zh
    if found.rule == "item":
        en = f"not comparable: {items} {'do' if len(found.items) > 1 else 'does'} not measure alike in both."
        return reason("R-NOT-COMPARABLE", en, f"不可比：{items_zh} 前后测量不等值。")
    if not found.items or found.bias != found.bias:
        return reason(
            "R-NOT-COMPARABLE", "not comparable (no single item accounts for it).", "不可比（无法归于单个题项）。"
        )
    size = minus(signed(found.bias, 1))
    if found.outweighed:
        return reason(
            "R-NOT-COMPARABLE",
            f"not comparable: {items} moves the difference by about {size} points, as much as it is or more.",
            f"不可比：{items_zh} 使差异偏移约 {size} 分，不小于差异本身。",
        )
    if found.rule == "micom":
        return reason(
            "R-NOT-COMPARABLE",
            f"not comparable: composed otherwise, {items} most; pooled for own weights move it by {size} points.",
            f"不可比：构成不同（{items_zh} 差异最大）；以合并权重代替自身权重使差异变动 {size} 分。",
        )
    return reason(
        "R-NOT-COMPARABLE",
        f"not comparable: {items} moves the difference by about {size} points.",
        f"不可比：{items_zh} 使差异偏移约 {size} 分。",
    )


def gate_notes(gate: Comparable | None) -> tuple[Note, ...]:
    """What was run, or that nothing was."""
    if gate is not None:
        return gate.notes
    en = "Whether waves and brands are comparable (measurement invariance) was not tested."
    return (note("N-NOT-TESTED", en, "未检验各期与各品牌之间的可比性（测量不变性）。"),)


def withheld_note(frame: pl.DataFrame) -> tuple[Note, ...]:
    """How many differences of a table are withheld, and how to see them."""
    count = int((frame["evidence"] == "not comparable").sum())
    if not count:
        return ()
    what = f"{count} difference{'s are' if count > 1 else ' is'} not comparable"
    en = f"{what} and withheld, out of Holm's family too (anyway=True, --anyway gives them)."
    zh = f"{count} 个差异不可比，不予给出，也不计入 Holm 校正的族（可用 anyway=True 或 --anyway 查看）。"
    return (note("W-NOT-COMPARABLE", en, zh),)


def least_favourable(found: Sequence[Evidence]) -> Verdict:
    """The least favourable verdict of several; "not tested" only where none was tested.

    Example:
        >>> least_favourable([Evidence("comparable"), Evidence("not tested"), Evidence("after freeing")])
        'after freeing'
    """
    return max((e.verdict for e in found), key=UNFAVOURABLE.index, default="not tested")


def check_gate(gate: Comparable | None, index: Index) -> None:
    """Raise where the gate judged other cells.

    Raises:
        Problems: E-GATE.
    """
    if gate is None or set(gate.places) >= set(rows_of(index)):
        return
    en, zh = "it judged other cells than those of the index.", "其检验的单元与指数的单元不同。"
    do, do_zh = "Give csi.comparable(index) of the same index.", "请给出对同一指数的 csi.comparable(index)。"
    raise Problems([problem("E-GATE", "gate", en, zh, do, do_zh)])


def rows_of(index: Index) -> Mapping[tuple[object, ...], int]:
    """Key values of every cell -> its number."""
    keys = [k for k in index.cells.columns if k != "n"]
    return {row: i for i, row in enumerate(index.cells.select(keys).iter_rows())}
