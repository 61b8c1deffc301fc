"""What the library says of its settings, said in the words of `csi fit`: `estimator="MLR"` is `--estimator MLR`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from csi.cli.fit_options import ONLY_MODEL
from csi.errors import Note, Problem, Text

NAMES: Final = tuple(ONLY_MODEL)
"""The settings of a fit that are options too."""

QUOTED: Final = r'(?:"[^"“”]*"|“[^"“”]*”)'
SETTING: Final = re.compile(
    rf"(?<![\w.-])({'|'.join(sorted(NAMES, key=len, reverse=True))})="
    rf"({QUOTED}(?:(?:, or |, | or |、|或| 或 ){QUOTED})*|\[[^\]]*\]|\(\.\.\.\)|True|False|[\d.]*\d|)"
)
"""A setting with its value, its values ("MLR", "MLM" or "DWLS"), or without one (`na=`)."""

PLACE: Final = re.compile(rf"`({'|'.join(NAMES)})`")
RESAMPLED: Final = re.compile(r"csi\.bootstrap(?:\(est\))?")
SWITCHES: Final = {
    "fixed_x=True": "--fixed-x",
    "fixed_x=False": "--random-x",
    "meanstructure=False": "--no-meanstructure",
    "conditional_x=False": "--no-conditional-x",
}


def in_options(text: str) -> str:
    """The sentence with options in the place of settings.

    Example:
        >>> in_options('Use estimator="MLR" or "MLM", or csi.bootstrap; declare codes with na=.')
        'Use --estimator MLR or MLM, or --bootstrap; declare codes with --na.'
    """
    optioned = SETTING.sub(_option, RESAMPLED.sub("--bootstrap", text))
    return PLACE.sub(lambda found: _dashed(found[1]), optioned)


def _both(text: Text) -> Text:
    """A text in both languages, each in the words of the command line."""
    return Text(in_options(text.en), in_options(text.zh))


def of_problems(problems: Iterable[Problem]) -> list[Problem]:
    """Problems in the words of the command line."""
    return [replace(p, where=_place(p.where), what=_both(p.what), remedy=_both(p.remedy)) for p in problems]


def of_notes(notes: Iterable[Note]) -> tuple[Note, ...]:
    """Notes in the words of the command line."""
    return tuple(replace(n, text=_both(n.text)) for n in notes)


def _option(found: re.Match[str]) -> str:
    """`--name value` of one setting."""
    name, value = found[1], found[2]
    if name == "fixed_x" or value in {"True", "False"}:
        return SWITCHES.get(found[0], _dashed(name))
    listed = ",".join(re.findall(r'"([^"]*)"', value)) if value.startswith("[") else re.sub(r'["“”]', "", value)
    return f"{_dashed(name)} {listed}".rstrip()


def _place(where: str) -> str:
    """The option a problem is about, where it is about a setting."""
    return _dashed(where) if where in NAMES else where


def _dashed(name: str) -> str:
    """The option of a setting."""
    return "--" + name.replace("_", "-")
