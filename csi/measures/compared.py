"""The groups of an estimate that can be compared: those with a name, rows and a solution; and the contests among them.

Letters: `c` groups (cells), `q` constructs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from math import ceil, floor

import numpy as np

from csi.display import least_p
from csi.errors import Note, Problem, Problems, Text, is_number, note, problem, seed_problems, whole
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit_sample
from csi.inference.permutation import BLOCK, Permuted, Statistic, permutation, shared_units
from csi.inference.resample import rows_behind
from csi.moments.sample import select

ABSENT = Text("(absent)", "（缺失）")
"""A group that has no name in the data."""

NAMED = 10
"""Groups that cannot be compared are named one by one up to so many."""

LEAST = 10
"""A group with fewer rows is not compared: its fit follows single answers."""

MOST = 40
"""More groups than this are not compared pair by pair."""

USUAL = 1000
"""So many permutations where the number is not given and a family of tests does not need more."""

LEAST_PERMUTATIONS = 99
"""Fewer permutations cannot reach p = .01."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Groups that can be compared.

    Attributes:
        est: the estimate with these groups alone. names: (c) labels. overlapping: units with rows in several groups.
        notes: which groups were left out, and why.
    """

    est: Estimate
    names: tuple[str, ...]
    overlapping: int
    notes: tuple[Note, ...]

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Every two groups, in order."""
        return tuple(combinations(range(len(self.names)), 2))

    @property
    def sizes(self) -> tuple[int, ...]:
        """(c) rows of each group."""
        return tuple(int(n) for n in self.est.moments.cells["n"])


def compared(est: Estimate) -> Compared:
    """The groups of `est` that can be compared; each that cannot is named in a note.

    Raises:
        Problems: E-ROWS without rows; E-GROUPS with fewer than two groups left, each reason told, or too many groups.
    """
    sample = rows_behind(est)
    keys = sample.cells.drop("n")
    names = [_named(row) for row in keys.iter_rows()] if keys.width else [Text("", "")] * len(est.values)
    why = [_unfit(est, cell, keys.row(cell) if keys.width else ()) for cell in range(len(names))]
    keep = [w is None for w in why]
    left = [(name, w) for name, w in zip(names, why, strict=True) if w is not None]
    if sum(keep) < 2 or sum(keep) > MOST:
        raise Problems(_too_few(sum(keep), left) if sum(keep) < 2 else [_too_many(sum(keep))])
    kept = est if all(keep) else fit_sample(est.model, select(sample, keep), est.settings)
    notes = _left(left, len(why))
    chosen = tuple(n.en for n, k in zip(names, keep, strict=True) if k)
    return Compared(kept, chosen, shared_units(rows_behind(kept)), notes)


def permutations_needed(tests: int, alpha: float) -> int:
    """The least number B of permutations with which the strongest of so many tests can be rejected by Holm.

    The smallest p is 1 / (B + 1), and Holm multiplies it by the number of tests.

    Example:
        >>> permutations_needed(1, 0.05), permutations_needed(66, 0.05)
        (20, 1320)
    """
    return floor(tests / alpha + 1e-9)


def usual_permutations(tests: int, alpha: float) -> int:
    """1000, or more where a family of so many tests needs them, in whole blocks.

    Example:
        >>> usual_permutations(3, 0.05), usual_permutations(66, 0.05)
        (1000, 1500)
    """
    return max(USUAL, ceil(permutations_needed(tests, alpha) / BLOCK) * BLOCK)


def check_counts(n: int | None, seed: int, alpha: float) -> list[Problem]:
    """Problems with the number of permutations (None: as many as needed), the seed or the level."""
    found: list[Problem] = []
    if n is not None:
        found += whole("permutations", n)
    if n is not None and not found and n < LEAST_PERMUTATIONS:
        en, zh = f"{n} permutations are too few for a p-value.", f"{n} 次置换不足以给出 p 值。"
        do, do_zh = "Use at least 99, better 999 or more.", "请至少使用 99 次，最好 999 次以上。"
        found.append(problem("E-SETTING", "permutations", en, zh, do, do_zh))
    found += seed_problems(seed)
    if not (is_number(alpha) and 0 < alpha < 0.5):
        en, zh = (
            f"a level of a test lies between 0 and 0.5, not at {alpha}.",
            f"检验水平应在 0 与 0.5 之间，而不是 {alpha}。",
        )
        found.append(problem("E-SETTING", "alpha", en, zh, "Use alpha=0.05, say.", "例如 alpha=0.05。"))
    return found


@dataclass(frozen=True, slots=True)
class Contests:
    """Permutations among all groups, and among the two of each pair as if there were no others.

    Attributes:
        whole: all groups exchanged. pairs: (g, h) -> the rows of these two exchanged.
    """

    whole: Permuted
    pairs: dict[tuple[int, int], Permuted]

    @property
    def least(self) -> float:
        """The least p-value that every contest can give."""
        return least_p(min(int(run.usable.sum()) for run in (self.whole, *self.pairs.values())))

    @property
    def lost(self) -> int:
        """Permutations in which a group had no solution."""
        runs = {id(run): run for run in (self.whole, *self.pairs.values())}
        return sum(int((~run.usable).sum()) for run in runs.values())

    @property
    def drawn(self) -> int:
        """Permutations of all contests."""
        runs = {id(run): run for run in (self.whole, *self.pairs.values())}
        return sum(run.n for run in runs.values())


def contests(
    groups: Compared,
    statistic: Callable[[Estimate], Statistic],
    n: int,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> Contests:
    """Permute all groups together, and every pair alone: a third group says nothing about whether two are alike."""
    runs = 1 + (len(groups.pairs) if len(groups.names) > 2 else 0)

    def of(est: Estimate, run: int) -> Permuted:
        told = None if progress is None else lambda done, _: progress(run * n + done, runs * n)
        return permutation(est, statistic, n, seed, progress=told)

    whole = of(groups.est, 0)
    if runs == 1:
        return Contests(whole, {groups.pairs[0]: whole})
    return Contests(whole, {pair: of(_of_pair(groups.est, pair), k + 1) for k, pair in enumerate(groups.pairs)})


def _of_pair(est: Estimate, pair: tuple[int, int]) -> Estimate:
    """The estimate of two groups alone."""
    keep = [cell in pair for cell in range(len(est.values))]
    return fit_sample(est.model, select(rows_behind(est), keep), est.settings)


def _unfit(est: Estimate, cell: int, key: tuple[object, ...]) -> Text | None:
    """Why a cell is no group that can be compared."""
    n = int(est.moments.n[cell])
    if any(v is None for v in key):
        return Text(f"{n} rows have no group.", f"有 {n} 行没有组别。")
    if not est.convergence.converged[cell]:
        why = est.convergence.reasons.get(cell)
        return Text("no solution.", "无解。") if why is None else why.text
    if n < LEAST:
        return Text(f"{n} rows are too few; {LEAST} are needed.", f"仅有 {n} 行，至少需要 {LEAST} 行。")
    if not np.isfinite(est.values[cell]).all():
        return Text("no solution.", "无解。")
    return None


def _left(left: list[tuple[Text, Text]], groups: int) -> tuple[Note, ...]:
    """Groups that take no part, one by one while they are few."""
    if len(left) > NAMED:
        names, names_zh = ", ".join(n.en for n, _ in left[:3]), "、".join(n.zh for n, _ in left[:3])
        en = f"left out: {len(left)} of {groups} groups, which are too small or have no solution ({names}, ...)."
        zh = f"未参与比较：{groups} 组中的 {len(left)} 组，行数过少或无解（{names_zh} 等）。"
        return (note("W-GROUP-LEFT", en, zh),)
    return tuple(note("W-GROUP-LEFT", f"left out: {n.en}: {w.en}", f"未参与比较：{n.zh}：{w.zh}") for n, w in left)


def _named(key: tuple[object, ...]) -> Text:
    """A group by its key; what the key lacks is said to be absent."""
    parts = [(ABSENT.en, ABSENT.zh) if v is None else (str(v), str(v)) for v in key]
    return Text(" ".join(en for en, _ in parts), " ".join(zh for _, zh in parts))


def _too_few(count: int, left: list[tuple[Text, Text]]) -> list[Problem]:
    """Fewer than two groups: say so, and why others were left out."""
    en = f"a comparison needs two groups or more; there {'is one' if count else 'is none'}."
    zh = f"比较至少需要两组，现有 {count} 组。"
    do = 'Fit with by="brand", say, so that every group is a cell; mend or merge groups that cannot be compared.'
    do_zh = '请用 by="brand" 等拟合，使每组成为一个单元；无法比较的组请修正或合并。'
    if len(left) > NAMED:
        en = f"of {count + len(left)} groups {len(left)} cannot be compared: are these measurements rather than groups?"
        zh = f"{count + len(left)} 组中有 {len(left)} 组无法比较：分组列是否为数值而不是组别？"
        do = f"Cut the column into a few groups of {LEAST} rows or more, such as under 35 and 35 or more."
        do_zh = f"请先把它分成少数几组（每组至少 {LEAST} 行，例如 35 岁以下、35 岁及以上），另存为一列。"
        return [problem("E-GROUPS", "groups", en, zh, do, do_zh)]
    found = [problem("E-GROUPS", "groups", en, zh, do, do_zh)]
    return found + [problem("E-GROUPS", f'group "{name.en}"', why.en, why.zh) for name, why in left]


def _too_many(count: int) -> Problem:
    en = f"{count} groups make {count * (count - 1) // 2} pairs; at most {MOST} groups are compared."
    zh = f"{count} 组共有 {count * (count - 1) // 2} 对；最多比较 {MOST} 组。"
    do, do_zh = "Choose groups with where=, or merge some.", "请用 where= 选取若干组，或合并部分组。"
    return problem("E-GROUPS", "groups", en, zh, do, do_zh)
