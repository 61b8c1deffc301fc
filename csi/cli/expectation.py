"""`csi expectation STUDY --model NAME`: one model of the library on a study's answers."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Final, get_args

from csi.cli.answer import Answer, Grid
from csi.cli.grids import of_table
from csi.cli.studied import cell_arguments, chosen, opened, provenance
from csi.errors import Language, Problems, Text, problem
from csi.reporting.methods import METHODS, run_method
from csi.reporting.section import Section
from csi.study.explain import apart
from csi.study.options import FILES, HELP, LISTS, MAPPINGS, Options, Shape
from csi.survey.codebook import Form

NAMES: Final = tuple(METHODS)
FORMS: Final = ("perceived", "expected", "desired", "adequate")
KEYS: Final = ("brand", "wave", "stage", "segment")
CHOICES: Final = {
    **dict.fromkeys(FORMS, get_args(Form)),
    "inconsistent": ("drop", "swap", "error"),
    "errors": ("robust", "hc3", "classical"),
    "shares": ("johnson", "lmg"),
    "analyser": ("score", "lexicon", "packages"),
    "unit": ("day", "week", "month", "year"),
    "hazard": ("cox", "cloglog", "logit"),
    "shape": tuple(s for s in get_args(Shape) if s),
}
"""Options that take one of some words."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study, the model, its options, the cells."""
    cell_arguments(parser)
    add = parser.add_argument
    add("--model", required=True, metavar="NAME", help=f"{', '.join(NAMES)}, or a card (csi models lists all)")
    add("--by", metavar="KEYS", default="", help="cells, such as brand,wave (default: one)")
    for name, text in HELP.items():
        shape = "FORM" if name in FORMS else "FILE" if name in FILES else "A=B,..." if name in MAPPINGS else "X"
        add(f"--{name}", metavar=shape, help=text.en)


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """The model's finding, tables and notes, of all answers or of the brand and wave asked for."""
    asked = options_of(args)
    study, panel = opened(args.study)
    where = chosen(study, panel, args.brand, args.wave)
    given = (*asked.given, *(("where",) if where else ()))
    values = {f.name: getattr(asked, f.name) for f in fields(Options)}
    section = run_method(study, panel, args.model, Options(**{**values, "where": where, "given": given}))
    return Answer(
        blocks=blocks(section, lang),
        data={**dict(section.data), "level": study.settings.level},
        notes=(*panel.notes, *section.notes, *(n for t in section.tables for n in t.notes)),
        record={**provenance(study, panel), **dict(section.data)},
    )


def blocks(section: Section, lang: Language) -> tuple[str | Grid, ...]:
    """A section at the prompt: its finding, its sentences, its tables."""
    said = [s.say(lang) for s in (section.title, *section.paragraphs, section.subtitle)]
    return (*(line for line in said if line), *(of_table(t, lang) for t in section.tables))


def options_of(args: argparse.Namespace) -> Options:
    """The options that were given on the command line.

    Raises:
        Problems: E-OPTION for what cannot be read, all at once.
    """
    values: dict[str, object] = {}
    problems = []
    for name in HELP:
        text = getattr(args, name)
        if text is None:
            continue
        value = read_option(name, text)
        if value is None:
            wanted = _wanted(name)
            en, zh = f'"{text}" is not {wanted.en}.', f"“{text}”不是{apart(wanted.zh)}。"
            problems.append(problem("E-OPTION", f"--{name}", en, zh, HELP[name].en + ".", HELP[name].zh + "。"))
        values[name] = value
    by = tuple(k.strip() for k in args.by.split(",") if k.strip())
    wrong = [k for k in by if k not in KEYS]
    if wrong:
        listed = ", ".join(KEYS)
        en, zh = f"{', '.join(wrong)} is not a key that makes cells.", f"{'、'.join(wrong)} 不是可分组的关键列。"
        problems.append(problem("E-OPTION", "--by", en, zh, f"Keys: {listed}.", f"可用：{'、'.join(KEYS)}。"))
    if problems:
        raise Problems(problems)
    if by:
        values["by"] = by
    return Options(**values, given=tuple(values))  # type: ignore[arg-type]  # each value was read for its name


def read_option(name: str, text: str) -> object:
    """An option's value from its text; None where it cannot be read.

    Example:
        >>> read_option("stages", "never=prospect, long=loyal"), read_option("band", "x")
        ({'never': 'prospect', 'long': 'loyal'}, None)
    """
    if name in READERS:
        return READERS[name](text)
    if name in CHOICES:
        return text if text in CHOICES[name] else None
    if name in LISTS:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if name in MAPPINGS:
        return _pairs(text)
    return Path(text) if name in FILES else text


def _two(text: str) -> tuple[float, ...] | None:
    """`25,75` read: two numbers of 0 or more that rise."""
    found = [_size(part) for part in text.split(",")]
    sizes = tuple(x for x in found if x is not None)
    return sizes if len(sizes) == len(found) == 2 and sizes[0] < sizes[1] else None


def _pairs(text: str) -> dict[str, str] | None:
    """`a=b,c=d` read."""
    split = [[p.strip() for p in part.split("=")] for part in text.split(",")]
    return {p[0]: p[1] for p in split} if all(len(p) == 2 and all(p) for p in split) else None


def _points(text: str) -> dict[str, float] | None:
    """`a=1,b=2` read as numbers of 0 or more."""
    sizes = {name: _size(value) for name, value in (_pairs(text) or {}).items()}
    known = {name: value for name, value in sizes.items() if value is not None}
    return known if known and len(known) == len(sizes) else None


def _size(text: str) -> float | None:
    """A number of 0 or more."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value >= 0 else None


def _wanted(name: str) -> Text:
    """What an option takes, in words."""
    if name in FORMS:
        listed = ", ".join(get_args(Form))
        return Text(f"a form ({listed})", f"题项形式（{listed}）")
    if name in CHOICES:
        *first, last = CHOICES[name]
        return Text(f"{', '.join(first)} or {last}", f"{'、'.join(first)} 或 {last}")
    if name in MAPPINGS:
        pairs = "tangibles=11,reliability=32" if name == "points" else "never=prospect,long=loyal"
        return Text(f"pairs such as {pairs}", f"{pairs} 这样的对应")
    if name in ("cuts", "scores"):
        return Text("two rising numbers such as 25,75", "两个递增的数，如 25,75")
    return Text("a number of 0 or more", "不小于 0 的数")


READERS: Final[Mapping[str, Callable[[str], object]]] = {
    "points": _points,
    "cuts": _two,
    "scores": _two,
    "band": _size,
    "limit": _size,
    "within": _size,
}
"""Options with a form of their own; None where it cannot be read."""
