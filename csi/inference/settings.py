"""What resampling can be asked for, checked all at once."""

from __future__ import annotations

from typing import Any, Literal, get_args

from csi.errors import Problem, Problems, is_number, one_of, problem, seed_problems, whole
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


def check_settings(level: float, n: int = 1000, seed: int = 1, **named: str) -> None:
    """Raise when a setting makes no sense, all at once.

    Parameters:
        level: of intervals. n, seed: of random resamples. named: setting -> value, of those with a list of values.

    Raises:
        Problems: E-SETTING with the closest name, E-BOOT.
    """
    found = [p for name, value in named.items() for p in one_of(name, value, get_args(_KNOWN[name]))]
    found += whole("n", n)
    if not whole("n", n) and n < 100:
        en, zh = f"{n} resamples are too few for an interval.", f"{n} 次重抽样不足以给出区间。"
        do, do_zh = "Use at least 100, better 1000 or more.", "请至少使用 100 次，最好 1000 次以上。"
        found.append(problem("E-BOOT", "n", en, zh, do, do_zh))
    found += seed_problems(seed)
    found += level_problems(level)
    if found:
        raise Problems(found)


def level_problems(level: float) -> list[Problem]:
    """What is wrong with a level."""
    if is_number(level) and 0.5 <= level < 1:
        return []
    en, zh = f"a level lies between 0.5 and 1, not at {level!r}.", f"置信水平应在 0.5 与 1 之间，而不是 {level!r}。"
    return [problem("E-SETTING", "level", en, zh, "Use level=0.95, say.", "例如 level=0.95。")]
