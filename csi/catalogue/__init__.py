"""What every measure means: name, labels, formula, source, and the customary threshold with its own source.

Beside it, what every message code means and what to do about it, and what each model of the library is for. All three
are data (`catalogue.yaml`, `problems.yaml`, `guides.yaml`).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from csi.errors import Problem, Problems, Text, did_you_mean
from csi.yamlfile import strings


@dataclass(frozen=True, slots=True)
class Threshold:
    """A customary limit and who set it.

    Example:
        >>> entry("ave").threshold.text.en
        'at least .50'
    """

    text: Text
    source: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A measure or an index.

    Example:
        >>> entry("cr").name
        'rho_c'
    """

    name: str
    label: Text
    formula: str
    source: str
    threshold: Threshold | None = None
    note: Text | None = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a message code means and what to do about it.

    Example:
        >>> meaning("E-CYCLE").remedy.en
        'Take one of the named arrows out, or use an engine for non-recursive models.'
    """

    code: str
    text: Text
    remedy: Text


@dataclass(frozen=True, slots=True)
class Guide:
    """What a model of the library is for and how it is read.

    Example:
        >>> guide("gap").source[:28]
        'Parasuraman, Zeithaml & Berr'
    """

    name: str
    about: Text
    formula: Text
    reads: Text
    limits: Text
    source: str

    def lines(self, lang: str = "en") -> tuple[str, ...]:
        """The guide in lines a person reads.

        Example:
            >>> guide("nps").lines("zh")[0]
            '推荐者（9–10 分）占比减去贬损者（0–6 分）占比，并给出完整分布。'
        """
        heads = {
            "formula": (Text("Formula: ", "公式："), self.formula),
            "reads": (Text("How to read it: ", "解读："), self.reads),
            "limits": (Text("Limits: ", "局限："), self.limits),
            "source": (Text("Source: ", "来源："), Text(self.source, self.source)),
        }
        return (self.about.say(lang), *(head.say(lang) + said.say(lang) for head, said in heads.values()))


def guides() -> tuple[str, ...]:
    """The models that have a guide.

    Example:
        >>> guides()[0]
        'gap'
    """
    return tuple(_guides())


def guide(name: str) -> Guide | None:
    """The guide of a model; None where it has none (cards describe themselves)."""
    return _guides().get(name)


def names() -> tuple[str, ...]:
    """Every measure, in the catalogue's order.

    Example:
        >>> names()[:3]
        ('loading', 'weight', 'path')
    """
    return tuple(_entries())


def codes() -> tuple[str, ...]:
    """Every message code, sorted.

    Example:
        >>> "E-SCALE" in codes()
        True
    """
    return tuple(sorted(_meanings()))


def entry(name: str, lang: str = "en") -> Entry:
    """A measure by its name or an alias ("cr", "ipma"); case, blanks and hyphens do not matter, but that F2 is an index
    formula and f2 Cohen's effect size.

    Parameters:
        name: the measure. lang: language of the message.

    Raises:
        Problems: when there is none of that name.

    Example:
        >>> entry("htmt").threshold.text.en
        'below .85; below .90 for conceptually similar constructs'
    """
    known = _known()
    wanted = name.strip() if name.strip() in known else name.strip().lower().replace("-", "_").replace(" ", "_")
    if wanted not in known:
        what = Text(f'there is no measure "{name}".', f"没有指标“{name}”。")
        raise Problems([Problem("E-WORD", "", what, _hint(wanted, known))], lang)
    return _entries()[known[wanted]]


FORMULAS = Text(
    "Formulas of an index are F1 to F7; rates beside it are T2B, CSAT, NPS, CR and PT.",
    "指数公式为 F1 至 F7；指数以外的指标为 T2B、CSAT、NPS、CR 与 PT。",
)
"""What ids there are."""


def _hint(wanted: str, known: Mapping[str, str]) -> Text:
    """What was meant: an id of a formula, a name that holds the word, or one that is much alike."""
    if re.fullmatch(r"f\d+", wanted):
        return FORMULAS
    holding = [name for name in known if len(wanted) > 2 and wanted in name]
    return did_you_mean(min(holding, key=len) if holding else wanted, known)


def meaning(code: str, lang: str = "en") -> Meaning:
    """What a message code means.

    Parameters:
        code: such as "E-SCALE". lang: language of the message.

    Raises:
        Problems: when there is no such code.

    Example:
        >>> meaning("e-scale").code
        'E-SCALE'
    """
    wanted = _codes().get(code.strip().casefold(), code)
    if wanted not in _meanings():
        what = Text(f'there is no code "{code}".', f"没有代码“{code}”。")
        raise Problems([Problem("E-WORD", "", what, did_you_mean(wanted, _meanings()))], lang)
    return _meanings()[wanted]


def look_up(word: str, lang: str = "en") -> Entry | Meaning:
    """The measure or the message code of that name.

    Parameters:
        word: "htmt", "E-SCALE". lang: language of the message.

    Raises:
        Problems: when the word is neither.

    Example:
        >>> look_up("vif").name, look_up("E-YAML").code
        ('vif', 'E-YAML')
    """
    known = word.strip().casefold() in _codes()
    if known or word.strip()[:2].upper() in {"E-", "W-", "N-", "R-"}:
        return meaning(word, lang)
    return entry(word, lang)


def explain(word: str, lang: str = "en") -> tuple[str, ...]:
    """A measure or a message code in lines a person reads.

    Parameters:
        word: "htmt", "E-SCALE". lang: "en" or "zh".

    Raises:
        Problems: when the word is neither.

    Example:
        >>> for line in explain("ave"):
        ...     print(line[:56])
        ave: Average variance extracted (AVE)
          Formula:   AVE = mean of lambda^2 over the construct's
          Source:    Fornell, C., & Larcker, D. F. (1981). Evalu
          Threshold: at least .50
                     (Fornell, C., & Larcker, D. F. (1981). Jour
    """
    found = look_up(word, lang)
    if isinstance(found, Meaning):
        return (f"{found.code}: {found.text.say(lang)}", f"  {found.remedy.say(lang)}")
    return _lines(found, lang)


def _lines(found: Entry, lang: str) -> tuple[str, ...]:
    """An entry in lines."""
    colon = Text(": ", "：").say(lang)
    lines = [f"{found.name}{colon}{found.label.say(lang)}"]
    lines.append(f"{Text('  Formula:   ', '  公式：').say(lang)}{found.formula}")
    lines.append(f"{Text('  Source:    ', '  来源：').say(lang)}{found.source}")
    if found.threshold is not None:
        lines.append(f"{Text('  Threshold: ', '  惯用标准：').say(lang)}{found.threshold.text.say(lang)}")
        lines.append(f"{Text('             ', '            ').say(lang)}({found.threshold.source})")
    if found.note is not None:
        lines.append(f"{Text('  Note:      ', '  说明：').say(lang)}{found.note.say(lang)}")
    return tuple(lines)


@functools.cache
def _entries() -> Mapping[str, Entry]:
    """The catalogue, read once."""
    return {name: _entry(name, raw) for name, raw in _read("catalogue.yaml").items()}


@functools.cache
def _known() -> Mapping[str, str]:
    """Names and aliases -> the name."""
    return {alias: e.name for e in _entries().values() for alias in (e.name, *e.aliases)}


@functools.cache
def _codes() -> Mapping[str, str]:
    """Codes as they may be typed -> as they are."""
    return {code.casefold(): code for code in _meanings()}


@functools.cache
def _meanings() -> Mapping[str, Meaning]:
    """The message codes, read once."""
    raw = _read("problems.yaml")
    return {c: Meaning(c, Text(r["en"], r["zh"]), Text(r["do"], r["do_zh"])) for c, r in raw.items()}


@functools.cache
def _guides() -> Mapping[str, Guide]:
    """The guides, read once."""
    return {name: _guide(name, raw) for name, raw in _read("guides.yaml").items()}


def _guide(name: str, raw: Mapping[str, Any]) -> Guide:
    """One guide of the file."""
    reads, limits = (Text(raw[k]["en"], raw[k]["zh"]) for k in ("reads", "limits"))
    said = raw["formula"]
    formula = Text(said, said) if isinstance(said, str) else Text(said["en"], said["zh"])
    return Guide(name, Text(raw["en"], raw["zh"]), formula, reads, limits, raw["source"])


def _entry(name: str, raw: Mapping[str, Any]) -> Entry:
    """One entry of the file."""
    limit, said = raw.get("threshold"), raw.get("note")
    return Entry(
        name,
        Text(raw["en"], raw["zh"]),
        raw["formula"],
        raw["source"],
        Threshold(Text(limit["en"], limit["zh"]), limit["source"]) if limit else None,
        Text(said["en"], said["zh"]) if said else None,
        tuple(raw.get("aliases", ())),
    )


def _read(file: str) -> dict[str, dict[str, Any]]:
    """A YAML file beside this one, every scalar a string."""
    text = (files("csi.catalogue") / file).read_text(encoding="utf-8")
    loaded: dict[str, dict[str, Any]] = strings(text)
    return loaded
