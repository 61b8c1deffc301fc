"""What resampling can be asked for, checked all at once."""

from __future__ import annotations

from typing import Any, Literal, get_args

from csi.errors import Problem, Problems, one_of, problem
from csi.inference.intervals import Alternative, Interval
from csi.inference.resample import Kind

Improper = Literal["keep", "drop"]
"""What becomes of replicates with an improper solution."""

Weighting = Literal["brr", "fay", "jk1", "jk2", "jkn", "bootstrap", "sdr", "other"]
"""Kinds of replicate weights."""

_KNOWN: dict[str, Any] = {
    "interval": Interval,
    "resampling": Kind,
    "alternative": Alternative,
    "improper": Improper,
    "kind": Weighting,
}


def check_settings(level: float, n: int | None = None, seed: int | None = None, **named: str) -> None:
    """Raise when a setting makes no sense, all at once.

    Parameters:
        level: of intervals. n, seed: of random resamples. named: setting -> value, of those with a list of values.

    Raises:
        Problems: E-SETTING with the closest name, E-BOOT.
    """
    found = [p for name, value in named.items() for p in one_of(name, value, get_args(_KNOWN[name]))]
    if n is not None and n < 100:
        en, zh = f"{n} resamples are too few for an interval.", f"{n} 次重抽样不足以给出区间。"
        do, do_zh = "Use at least 100, better 1000 or more.", "请至少使用 100 次，最好 1000 次以上。"
        found.append(problem("E-BOOT", "n", en, zh, do, do_zh))
    if seed is not None and seed < 0:
        en, zh = f"a seed is a whole number from 0, not {seed}.", f"种子应为非负整数，而不是 {seed}。"
        found.append(problem("E-SETTING", "seed", en, zh, "Use seed=1, say.", "例如 seed=1。"))
    found += level_problems(level)
    if found:
        raise Problems(found)


def level_problems(level: float) -> list[Problem]:
    """What is wrong with a level."""
    if 0.5 <= level < 1:
        return []
    en, zh = f"a level lies between 0.5 and 1, not at {level}.", f"置信水平应在 0.5 与 1 之间，而不是 {level}。"
    return [problem("E-SETTING", "level", en, zh, "Use level=0.95, say.", "例如 level=0.95。")]
