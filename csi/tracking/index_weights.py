"""Which cells estimate the outer weights, and what the weights become on the 0-100 scale.

Letters: `e` cells of the estimate, `c` cells of the index, `g` groups, `p` items, `q` constructs, `B` replicates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import polars as pl

from csi.errors import Problem, Problems, Reason, did_you_mean, problem, reason
from csi.estimate.estimate import Convergence, Solution
from csi.moments.stack import Array, Ints

Rule = Literal["own", "entity", "wave", "rolling", "base", "pooled", "given"]
"""Which cells estimate the weights: the cell itself, its brand over all waves, its wave over all brands, a window of
waves, one base wave, all cells, or nobody (they are given)."""

Given = Mapping[str, Mapping[str, float]]
"""Relative weights of the 0-100 items, construct -> item -> weight (scaled to sum 1 here)."""


@dataclass(frozen=True, slots=True)
class Groups:
    """The cells that estimate weights together.

    Attributes:
        of_estimate: (e,) group of each cell of the estimate, -1 where its answers take no part.
        of_index: (c,) group whose weights each cell of the index uses.
        cells: one row per group with the key columns that name it.
    """

    of_estimate: Ints
    of_index: Ints
    cells: pl.DataFrame


def default_rule(cells: pl.DataFrame) -> Rule:
    """The rule where none is asked: "base" with several waves, "wave" with several brands, "own" for one cell.

    Example:
        >>> default_rule(pl.DataFrame({"brand": ["A", "B"], "wave": ["1", "1"]}))
        'wave'
    """
    if "wave" in cells.columns and cells["wave"].n_unique() > 1:
        return "base"
    return "wave" if cells.height > 1 else "own"


def check_rule(rule: str, keys: Sequence[str], given: bool) -> list[Problem]:
    """Problems of the rule's name, of `given` without weights or the reverse, and of a missing wave."""
    known = get_args(Rule)
    found: list[Problem] = []
    if rule not in known:
        hint = did_you_mean(rule, known)
        en, zh = f'weights="{rule}" is not a weight rule.', f"weights=“{rule}”不是权重规则。"
        found.append(problem("E-WEIGHTS", "index", en, zh, hint.en, hint.zh))
    if rule in {"base", "entity", "rolling"} and "wave" not in keys:
        en, zh = f'weights="{rule}" needs cells by wave.', f"weights=“{rule}”需要按期分组的单元。"
        do, do_zh = 'Fit with by=("brand", "wave"), or use "own".', "请用 by=(“brand”, “wave”) 拟合，或改用“own”。"
        found.append(problem("E-WAVE", "index", en, zh, do, do_zh))
    if (rule == "given") != given:
        en, zh = 'weights="given" and the argument given belong together.', "weights=“given”与参数 given 必须同时出现。"
        do, do_zh = "Pass given={construct: {item: weight}}.", "请传入 given={构念: {题项: 权重}}。"
        found.append(problem("E-GIVEN", "index", en, zh, do, do_zh))
    return found


def base_wave(base: str | None, waves: Sequence[str]) -> str:
    """The base wave: `base`, or the first of `waves`; an unknown one raises."""
    if base is None:
        return waves[0]
    if base not in waves:
        hint = did_you_mean(base, waves)
        en, zh = f'the base wave "{base}" is not among the waves.', f"基期“{base}”不在各期之中。"
        raise Problems([problem("E-WAVE", "index", en, zh, hint.en, hint.zh)])
    return base


def groups_of(rule: Rule, estimate_cells: pl.DataFrame, index_cells: pl.DataFrame, base: str | None) -> Groups:
    """The weight groups of a rule.

    Parameters:
        rule: how cells share weights. estimate_cells: key columns and `n` (e rows). index_cells: the keys of the
            index, a subset of those, and `n` (c rows). base: the base wave under "base".

    Returns:
        `Groups`; a single group has no key columns, except under "base" (the wave).

    Example:
        >>> cells = pl.DataFrame({"brand": ["A", "A", "B", "B"], "wave": ["1", "2", "1", "2"]})
        >>> groups_of("base", cells, cells, "1").of_estimate.tolist()
        [0, -1, 0, -1]
        >>> groups_of("entity", cells, cells, None).of_index.tolist()
        [0, 0, 1, 1]
    """
    if rule == "base":
        taking_part = (estimate_cells["wave"] == base).to_numpy()
        one = np.zeros(index_cells.height, dtype=np.int64)
        return Groups(np.where(taking_part, 0, -1), one, pl.DataFrame({"wave": [base]}))
    keys = {
        "own": [k for k in index_cells.columns if k != "n"],
        "entity": [k for k in index_cells.columns if k not in {"wave", "n"}],
        "wave": [k for k in index_cells.columns if k == "wave"],
        "rolling": ["wave"],
    }.get(rule, [])
    cells, of_index = number(index_cells, keys)
    return Groups(match(estimate_cells, cells), of_index, cells)


def coarser(cells: pl.DataFrame, keys: Sequence[str]) -> Groups:
    """Groups of the cells that agree in `keys`; each is its own index cell."""
    distinct, place = number(cells, keys)
    return Groups(place, np.arange(int(place.max()) + 1), distinct)


def number(cells: pl.DataFrame, keys: Sequence[str]) -> tuple[pl.DataFrame, Ints]:
    """Distinct rows of `keys` in order of appearance, and the number of each row of `cells` among them."""
    if not keys:
        return pl.DataFrame(), np.zeros(cells.height, dtype=np.int64)
    distinct = cells.select(keys).unique(maintain_order=True)
    return distinct, match(cells, distinct)


def match(cells: pl.DataFrame, groups: pl.DataFrame) -> Ints:
    """(rows of cells,) the row of `groups` with the same key values, -1 where there is none."""
    if not groups.columns:
        return np.zeros(cells.height, dtype=np.int64)
    place = {row: i for i, row in enumerate(groups.iter_rows())}
    return np.array([place.get(row, -1) for row in cells.select(groups.columns).iter_rows()], dtype=np.int64)


def given_weights(given: Given, solution: Solution) -> Array:
    """(p,) relative weights from a mapping; NaN for constructs it does not name.

    Raises:
        Problems: unknown constructs, items that are missing or not of the construct, weights that are not positive.
    """
    relative = np.full(len(solution.items), np.nan)
    found: list[Problem] = []
    for name, weights in given.items():
        if name not in solution.constructs:
            hint = did_you_mean(name, solution.constructs)
            en, zh = f'given: unknown construct "{name}".', f"given：未知构念“{name}”。"
            found.append(problem("E-GIVEN", "index", en, zh, hint.en, hint.zh))
            continue
        places = np.flatnonzero(solution.block == solution.constructs.index(name))
        items = [solution.items[k] for k in places]
        found += _given_problems(name, weights, items)
        values = np.array([weights.get(item, np.nan) for item in items])
        relative[places] = values / values.sum() if values.sum() > 0 else np.nan
    if found:
        raise Problems(found)
    return relative


def _given_problems(name: str, weights: Mapping[str, float], items: Sequence[str]) -> list[Problem]:
    """Items that do not match the construct, and weights that are not positive."""
    found = []
    if set(weights) != set(items):
        en = f'given: "{name}" needs exactly one weight for each of {", ".join(items)}.'
        zh = f"given：“{name}”须为 {'、'.join(items)} 各给一个权重。"
        found.append(problem("E-GIVEN", "index", en, zh, "List each item once.", "请逐一列出题项。"))
    wrong = [i for i, w in weights.items() if not (np.isfinite(w) and w > 0)]
    if wrong:
        en = f'given: weights of "{name}" must be positive numbers ({", ".join(wrong)}).'
        zh = f"given：“{name}”的权重必须为正数（{'、'.join(wrong)}）。"
        found.append(problem("E-GIVEN", "index", en, zh, "Correct or remove the item.", "请更正或删去该题项。"))
    return found


def weight_reasons(
    relative: Array, solution: Solution, convergence: Convergence | None
) -> dict[tuple[int, int], Reason]:
    """Why a construct has no index under the weights of a group: (group, construct) -> reason.

    Parameters:
        relative: (g, p) relative weights. convergence: how the groups' fits ended; None for given weights.
    """
    reasons: dict[tuple[int, int], Reason] = {}
    for j, name in enumerate(solution.constructs):
        places = np.flatnonzero(solution.block == j)
        for g in range(relative.shape[0]):
            why = _weight_reason(name, relative[g, places], [solution.items[k] for k in places])
            doubt = None if convergence is None else convergence.reasons.get(g)
            if convergence is not None and not convergence.converged[g]:
                why = doubt or reason("R-CONVERGE", "the weights did not converge.", "权重的迭代未收敛。")
            elif why is not None and why.code == "R-NO-WEIGHTS":
                why = doubt or why
            if why is not None:
                reasons[g, j] = why
    return reasons


def _weight_reason(name: str, relative: Array, items: Sequence[str]) -> Reason | None:
    """The reason of one construct in one group, or None when all its weights are positive."""
    if not items:
        return reason("R-NO-ITEMS", f"{name} has no items of its own.", f"{name} 没有自己的题项。")
    if not np.all(np.isfinite(relative)):
        return reason("R-NO-WEIGHTS", f"{name} has no weights.", f"{name} 没有可用的权重。")
    wrong = [item for item, w in zip(items, relative, strict=True) if w <= 0]
    if not wrong:
        return None
    en = f"{name}: the outer weight of {', '.join(wrong)} is not positive; no index is given."
    zh = f"{name}：{'、'.join(wrong)} 的外部权重不为正，不给出指数。"
    return reason("R-WEIGHT-SIGN", en, zh)
