"""Estimated paths beside the signs that a card expects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from csi.errors import Note, Reason, Text, note
from csi.estimate.estimate import Estimate
from csi.inference.lost import lost_share
from csi.measures.effects import Effects
from csi.measures.findings import number
from csi.measures.tidy import cells_of
from csi.models.model import Model

AS_EXPECTED, AGAINST, OPEN, FREE = "as expected", "against", "open", "free"
"""A path's verdict: its interval excludes 0 on the expected side, on the other, not at all; the card takes no side."""

MOST = 0.5
"""With more than this share of replicates lost there is no verdict."""

NUMBERS = ("estimate", "std_error", "conf_low", "conf_high")


def verdict(expected: str, low: float | None, high: float | None) -> str | None:
    """What an interval says about an expected sign; None without an interval.

    Parameters:
        expected: "+", "-", "" (no side taken) or "0" (claimed to be zero, which an interval around 0 does not show:
            see `csi.claims.absence`). low, high: limits.

    Example:
        >>> verdict("+", 0.1, 0.4), verdict("-", 0.1, 0.4), verdict("+", -0.1, 0.4), verdict("0", -0.1, 0.4)
        ('as expected', 'against', 'open', 'open')
    """
    if low is None or high is None or not np.isfinite([low, high]).all():
        return None
    apart = "+" if low > 0 else "-" if high < 0 else ""
    if expected == "0":
        return OPEN if not apart else AGAINST
    if not expected:
        return FREE
    return OPEN if not apart else AS_EXPECTED if apart == expected else AGAINST


def signed_paths(
    est: Estimate, found: Effects, withheld: Mapping[int, Reason], zeros: Sequence[tuple[str, str]] = ()
) -> pl.DataFrame:
    """Direct effects of a model's arrows with their expected signs.

    Parameters:
        est: the fit. found: its effects. withheld: cell -> why its paths are not to be read; their numbers are blanked.
        zeros: (outcome, predictor) of arrows claimed to be zero; only these are returned where there are any.

    Returns:
        key columns, outcome, predictor, expected ("+", "-", "", "0"), estimate, std_error, conf_low, conf_high,
        verdict, optional, withheld (code).
    """
    direct = found.table.filter(pl.col("effect") == "direct")
    asked = [
        (p.outcome, p.predictor.name, "0" if (p.outcome, p.predictor.name) in zeros else p.sign, p.optional)
        for p in est.model.paths
        if not zeros or (p.outcome, p.predictor.name) in zeros
    ]
    schema = {"outcome": pl.String, "predictor": pl.String, "expected": pl.String, "optional": pl.Boolean}
    claims = pl.DataFrame(asked, schema=schema, orient="row").with_row_index("_order")
    cells = cells_of(est).with_row_index("_cell")
    keys = [c for c in cells.columns if c not in ("_cell", "n")]
    joined = direct.join(claims, on=["outcome", "predictor"], how="inner")
    joined = joined.join(cells.drop("n"), on=keys, how="left") if keys else joined.with_columns(_cell=pl.lit(0))
    joined = joined.sort("_cell", "_order", maintain_order=True)
    missing = [pl.lit(None, dtype=pl.Float64).alias(c) for c in NUMBERS if c not in joined.columns]
    codes = [withheld[int(c)].code if int(c) in withheld else None for c in joined["_cell"]]
    joined = joined.with_columns(*missing, pl.Series("withheld", codes, dtype=pl.String))
    shown = pl.col("withheld").is_null()
    joined = joined.with_columns(pl.when(shown).then(pl.col(c)).otherwise(None).alias(c) for c in NUMBERS)
    lost = lost_most(est)
    told = [
        None if lost[int(cell)] else verdict(*row)
        for cell, *row in joined.select("_cell", "expected", "conf_low", "conf_high").iter_rows()
    ]
    joined = joined.with_columns(pl.Series("verdict", told, dtype=pl.String))
    group = [c for c in ("group",) if c in joined.columns]
    return joined.select(*keys, *group, "outcome", "predictor", "expected", *NUMBERS, "verdict", "optional", "withheld")


def lost_most(est: Estimate) -> list[bool]:
    """Whether most replicates of each cell have no solution: what is left says nothing about signs."""
    if est.replicates is None:
        return [False] * len(est.values)
    return [bool(share > MOST) for share in lost_share(est.replicates)]


def unjudged(est: Estimate) -> tuple[Note, ...]:
    """N-VERDICT: that there are no verdicts, where most replicates have no solution."""
    cells = cells_of(est).drop("n")
    if not any(lost_most(est)):
        return ()
    at = [" ".join(map(str, cells.row(c))) for c, lost in enumerate(lost_most(est)) if lost and cells.width]
    en, zh = f" ({', '.join(at)})" if at else "", f"（{'、'.join(at)}）" if at else ""
    said = f"no verdict on signs{en}: most replicates have no solution, so that intervals say nothing about them."
    return (note("N-VERDICT", said, f"不作符号判断{zh}：多数重抽样无解，区间不足为据。"),)


def sign_notes(table: pl.DataFrame, model: Model) -> tuple[Note, ...]:
    """W-SIGN: one note per path that contradicts the card with an interval that excludes 0.

    Example:
        >>> frame = pl.DataFrame({"outcome": ["y"], "predictor": ["x"], "expected": ["+"], "estimate": [-0.3],
        ...     "conf_low": [-0.5], "conf_high": [-0.1], "verdict": ["against"]})
        >>> print(sign_notes(frame, Model(()))[0].say())
        x -> y: the card expects +, the estimate is -0.30 [-0.50, -0.10].
    """
    keys = table.columns[: table.columns.index("outcome")]
    notes = []
    for row in table.filter(pl.col("verdict") == AGAINST).iter_rows(named=True):
        cell = " ".join(str(row[k]) for k in keys if row[k])
        place, place_zh = (f"{cell}: ", f"{cell}：") if cell else ("", "")
        x, y = row["predictor"], row["outcome"]
        value = f"{number(row['estimate'])} [{number(row['conf_low'])}, {number(row['conf_high'])}]"
        en = (
            f"{place}{model.label(x)} -> {model.label(y)}: the card expects {row['expected']}, the estimate is {value}."
        )
        zh = (
            f"{place_zh}{model.label(x, 'zh')} → {model.label(y, 'zh')}：模型卡预期 {row['expected']}，估计为 {value}。"
        )
        notes.append(note("W-SIGN", en, zh))
    return tuple(notes)


def sign_sentences(table: pl.DataFrame, model: Model) -> tuple[Text, ...]:
    """How many paths are as expected, and which are not."""
    told = table.filter(pl.col("expected").is_in(["+", "-"]), pl.col("verdict").is_not_null())
    if not told.height:
        return ()
    keys = table.columns[: table.columns.index("outcome")]
    count = {v: told.filter(pl.col("verdict") == v).height for v in (AS_EXPECTED, OPEN, AGAINST)}
    en = f"{count[AS_EXPECTED]} of {told.height} signed paths are as expected"
    zh = f"{told.height} 条有预期符号的路径中，{count[AS_EXPECTED]} 条符合预期"
    for which, said, said_zh in (
        (OPEN, "not distinguishable from 0", "与 0 无显著差异"),
        (AGAINST, "against expectation", "与预期相反"),
    ):
        if count[which]:
            names = [_path(row, model, keys) for row in told.filter(pl.col("verdict") == which).iter_rows(named=True)]
            en += f"; {said}: {_listed([n.en for n in names], ', ')}"
            zh += f"；{said_zh}：{_listed([n.zh for n in names], '、')}"
    return (Text(f"{en}.", f"{zh}。"),)


def _path(row: Mapping[str, object], model: Model, keys: Sequence[str]) -> Text:
    """A path in words, with its cell where there are several."""
    x, y = str(row["predictor"]), str(row["outcome"])
    cell = " ".join(str(row[k]) for k in keys if row[k])
    en, zh = f"{model.label(x)} -> {model.label(y)}", f"{model.label(x, 'zh')} → {model.label(y, 'zh')}"
    return Text(f"{en} ({cell})", f"{zh}（{cell}）") if cell else Text(en, zh)


def _listed(names: Sequence[str], comma: str, most: int = 4) -> str:
    """The first names, and that there are more."""
    return comma.join(names[:most]) + (f"{comma}..." if len(names) > most else "")
