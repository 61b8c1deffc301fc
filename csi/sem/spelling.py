"""Settings in lavaan's spelling, and settings of the wrong kind.

`mlr`, `two.stage`, `lv.variances`, `yuan-bentler` and `ml` (of missing answers) are MLR, two-stage, lv_variances,
yuan.bentler and fiml here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np

from csi.errors import Problem, problem

MISSING: Final = {"ml": "fiml", "direct": "fiml"}
"""lavaan's other names of full information maximum likelihood."""


def spelled(value: object, known: Iterable[str], aliases: Mapping[str, str] | None = None) -> object:
    """The known name of the same letters and digits, or what an alias stands for; else the value itself.

    Example:
        >>> spelled("two.stage", ["fiml", "two-stage"]), spelled("Direct", ["fiml"], MISSING), spelled("x", ["fiml"])
        ('two-stage', 'fiml', 'x')
    """
    if not isinstance(value, str) or value in (known := tuple(known)):
        return value
    plain = _plain(value)
    names = {_plain(name): name for name in known} | dict(aliases or {})
    return names.get(plain, value)


def _plain(name: str) -> str:
    """Letters and digits, in lower case."""
    return "".join(c for c in name.lower() if c.isalnum())


def flag_problem(name: str, value: object, *, optional: bool = False) -> list[Problem]:
    """A problem where a setting that is True or False (or None, where `optional`) is something else.

    Example:
        >>> flag_problem("std_lv", "yes")[0].say()
        'std_lv: "yes" is neither True nor False. Write std_lv=True or std_lv=False.'
    """
    if isinstance(value, bool | np.bool_) or (optional and value is None):
        return []
    en, zh = f'"{value}" is neither True nor False.', f"“{value}”既不是 True 也不是 False。"
    do = f"Write {name}=True or {name}=False."
    return [problem("E-SETTING", name, en, zh, do, f"请写 {name}=True 或 {name}=False。")]


def names_problem(name: str, value: object) -> list[Problem]:
    """A problem where a setting that names things holds something else.

    Example:
        >>> names_problem("ordered", True)[0].say()
        'ordered: True holds no names. Write ordered=("u1", "u2").'
    """
    names = value if isinstance(value, list | tuple | set | frozenset) else (value,)
    if all(isinstance(one, str) for one in names):
        return []
    en, zh = f"{value} holds no names.", f"{value} 不是名称。"
    do = _NAMED[name]
    return [problem("E-SETTING", name, en, zh, f"Write {do}.", f"请写 {do}。")]


_NAMED: Final = {
    "ordered": 'ordered=("u1", "u2")',
    "equal": 'equal=("loadings", "intercepts")',
    "free": 'free=("visual =~ x2", "x7 ~ 1")',
}
