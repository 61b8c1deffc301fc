"""Packages that only some renderers need: whether they are here, and what to install where they are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Final

from csi.errors import Problems, problem

EXTRA: Final[Mapping[str, str]] = {"docx": "office", "pptx": "office", "pdf": "pdf"}
"""Kind of file -> the extra that brings its packages."""
PACKAGE: Final[Mapping[str, str]] = {"docx": "python-docx", "pptx": "python-pptx"}
"""Module -> what it is called where it is installed from, where that differs."""


def needed(wanted: Mapping[str, Sequence[str]]) -> None:
    """Refuse, in one message, kinds of files whose packages are absent.

    Parameters:
        wanted: kind of file -> the modules it needs.

    Raises:
        Problems: E-PACKAGE, one for each kind.

    Example:
        >>> needed({"html": ("jinja2",)})
    """
    found = []
    for kind, modules in wanted.items():
        absent = [m for m in modules if find_spec(m) is None]
        if absent:
            names = ", ".join(PACKAGE.get(m, m) for m in absent)
            extras = EXTRA.get(kind, kind)
            en, zh = f"a report as {kind} needs {names}.", f"输出 {kind} 报告需要 {names}。"
            do, do_zh = f'Install it: pip install "csi[{extras}]".', f'请安装：pip install "csi[{extras}]"。'
            found.append(problem("E-PACKAGE", kind, en, zh, do, do_zh))
    if found:
        raise Problems(found)
