"""How an estimate reads at the prompt: what was fitted to how many rows, how it ended, the first cell's parameters.

What an engine keeps in `extra` may have a sentence of its own (`Headline`), such as the test of fit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

import polars as pl

from csi.display import significant, table
from csi.errors import Text

if TYPE_CHECKING:
    from csi.estimate.estimate import Estimate

ROWS = 40
"""So many parameters are printed; the rest is counted."""

REASONS = 3
"""So many failed cells are named; the rest is counted."""

HEADINGS: Final = {
    "group": Text("group", "组"),
    "estimate": Text("estimate", "估计值"),
    "std_error": Text("std_error", "标准误"),
    "p_value": Text("p", "p 值"),
    "conf_low": Text("conf_low", "区间下限"),
    "conf_high": Text("conf_high", "区间上限"),
    "std_all": Text("std_all", "标准化"),
}


@runtime_checkable
class Headline(Protocol):
    """A part of `Estimate.extra` that says something in one sentence."""

    def headline(self, cell: int) -> Text:
        """The sentence about slice `cell`."""


def lines_of(est: Estimate, lang: str = "en") -> str:
    """The text of an estimate, in lines."""
    lines = [_fitted(est).say(lang), _ended(est).say(lang), *_failed(est, lang)]
    if len(est.values) > 1:
        named = " ".join(str(v) for v in est.moments.cells.select(pl.exclude("n")).row(0))
        lines += ["", Text(f"First cell: {named}", f"第一个单元：{named}").say(lang)]
    lines += [part.headline(0).say(lang) for part in est.extra.values() if isinstance(part, Headline)]
    k = len(est.rows)
    shown, number = min(k, ROWS), len(est.values) * k
    lines += ["", _grid(est, shown, lang)]
    if number > shown:
        lines.append(
            Text(f"... {number - shown} more rows in .table", f"……另有 {number - shown} 行，见 .table").say(lang)
        )
    return "\n".join([*lines, *(f"* {n.say(lang)}" for n in est.notes)])


def p_text(p: float) -> str:
    """A p-value for the prompt.

    Example:
        >>> p_text(0.0421), p_text(1e-9), p_text(float("nan"))
        ('0.042', '<.001', '-')
    """
    if math.isnan(p):
        return "-"
    return "<.001" if p < 0.001 else f"{p:.3f}"


def _fitted(est: Estimate) -> Text:
    """Engine, cells, rows, groups."""
    n = [f"{v:.0f}" for v in est.moments.n.tolist()]
    name = est.settings.name
    if len(n) > 1:
        keys = " x ".join(c for c in est.moments.cells.columns if c != "n")
        low, high = f"{est.moments.n.min():.0f}", f"{est.moments.n.max():.0f}"
        en = f"{name}: {len(n)} cells ({keys}), n = {low} to {high}"
        return Text(en, f"{name}：{len(n)} 个单元（{keys}），n = {low} 至 {high}")
    parts = zip(est.moments.groups, est.moments.parts, strict=True)
    sizes = [f"{label} {part.n[0]:.0f}" for label, part in parts]
    inside, inside_zh = (f" ({', '.join(sizes)})", f"（{'、'.join(sizes)}）") if sizes else ("", "")
    return Text(f"{name}: n = {n[0]}{inside}", f"{name}：n = {n[0]}{inside_zh}")


def _ended(est: Estimate) -> Text:
    """How the search ended, and how often it was repeated."""
    ended, b = est.convergence, len(est.values)
    good = int(ended.converged.sum())
    boot = "" if est.replicates is None else f"; {est.replicates.n} resamples, seed {est.replicates.seed}"
    boot_zh = "" if est.replicates is None else f"；重抽样 {est.replicates.n} 次，种子 {est.replicates.seed}"
    if b > 1:
        return Text(f"{good} of {b} cells converged{boot}", f"{b} 个单元中 {good} 个收敛{boot_zh}")
    rounds = int(ended.iterations[0])
    en, zh = (
        (f"converged after {rounds} iteration{'s' * (rounds != 1)}", f"迭代 {rounds} 次后收敛")
        if good
        else ("no solution", "无解")
    )
    return Text(en + boot, zh + boot_zh)


def _failed(est: Estimate, lang: str) -> Iterator[str]:
    """Why cells have no usable solution."""
    keys = est.moments.cells.select(pl.exclude("n"))
    reasons = list(est.convergence.reasons.items())
    for cell, why in reasons[:REASONS]:
        named = " ".join(str(v) for v in keys.row(cell)) if keys.width else ""
        yield f"* {named}{Text(': ', '：').say(lang) if named else ''}{why.say(lang)}"
    more = len(reasons) - REASONS
    if more > 0:
        yield Text(f"* ... {more} more, see .convergence.reasons", f"* ……另有 {more} 个，见 .convergence.reasons").say(
            lang
        )


def _grid(est: Estimate, shown: int, lang: str) -> str:
    """The first parameters of the first cell; columns without a number are left out."""
    numbers = ["estimate", "std_error", "p_value", *(["conf_low", "conf_high"] if est.replicates else []), "std_all"]
    frame = est.table.head(len(est.rows)).select("lhs", "op", "rhs", "group", *numbers)
    kept = [c for c in frame.columns if c in {"lhs", "op", "rhs", "estimate"} or frame[c].null_count() < frame.height]
    headings = {c: text.say(lang) for c, text in HEADINGS.items()} | {"lhs": "", "op": "", "rhs": ""}
    return table(frame.select(kept).head(shown), dict.fromkeys(numbers, significant) | {"p_value": p_text}, headings)
