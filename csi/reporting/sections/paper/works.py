"""The works a paper rests on: cited in its sentences, listed in APA style, given as BibTeX."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from csi.errors import Text
from csi.reporting.words.phrases import set_in_chinese

CITED: Final = re.compile(r"\s?\[(@[\w@; ]+)\]")
"""`[@hair2019; @cohen1988]` in a sentence: the works it rests on."""

ACCENTS: Final = {'{\\"o}': "ö", '{\\"u}': "ü", "{\\'e}": "é", "\\&": "&", "--": "–", "{": "", "}": ""}
"""How BibTeX writes what a page prints; the braces that keep capitals go last."""


@dataclass(frozen=True, slots=True)
class Work:
    """A work: its key, its entry as BibTeX has it, and its fields as they are printed."""

    key: str
    entry: str
    fields: Mapping[str, str]

    @property
    def authors(self) -> tuple[tuple[str, str], ...]:
        """(family name, given names) of every author."""
        return _people(self.fields["author"])


def _people(names: str) -> tuple[tuple[str, str], ...]:
    """Names as BibTeX has them, apart."""
    people = (name.split(", ", 1) for name in names.split(" and "))
    return tuple((family, given) for family, given in people)


@functools.cache
def works() -> Mapping[str, Work]:
    """Every work of `works.bib` by its key.

    Example:
        >>> works()["cohen1988"].authors
        (('Cohen', 'Jacob'),)
    """
    text = (Path(__file__).parent / "works.bib").read_text(encoding="utf-8")
    return {w.key: w for w in map(_work, text.splitlines()) if w}


def _work(line: str) -> Work | None:
    """A line of the file: an entry."""
    begun = re.match(r"@\w+\{(\w+), ", line)
    if begun is None:
        return None
    inner = line[begun.end() : -1]
    parts = re.findall(r"(\w+) = \{((?:[^{}]|\{[^{}]*\})*)\}", inner)
    return Work(begun[1], line, {name: _plain(value) for name, value in parts})


def _plain(value: str) -> str:
    for written, printed in ACCENTS.items():
        value = value.replace(written, printed)
    return value


def keys_in(texts: Iterable[Text]) -> tuple[str, ...]:
    """The works that sentences cite, in alphabetical order of their keys.

    Example:
        >>> keys_in([Text("Power [@cohen1988; @kock2018].", "")])
        ('cohen1988', 'kock2018')
    """
    found = {key for t in texts for group in CITED.findall(t.en) for key in re.findall(r"@(\w+)", group)}
    return tuple(sorted(found))


def lettered(keys: Iterable[str]) -> Mapping[str, str]:
    """The year of each of some works; those of the same authors and year with a letter, in the order of their titles.

    Example:
        >>> dict(lettered(["dijkstra2015", "dijkstra2015csda", "hair2019"]))
        {'dijkstra2015csda': '2015a', 'dijkstra2015': '2015b', 'hair2019': '2019'}
    """
    some = sorted(set(keys), key=lambda k: (works()[k].fields["author"], works()[k].fields["title"].casefold()))
    same: dict[tuple[str, str], list[str]] = {}
    for key in some:
        same.setdefault((works()[key].fields["author"], works()[key].fields["year"]), []).append(key)
    return {
        key: year + (chr(ord("a") + place) if len(group) > 1 else "")
        for (_, year), group in same.items()
        for place, key in enumerate(group)
    }


def cited(text: Text, among: Iterable[str] = ()) -> Text:
    """A sentence with its works as readers know them: (Hair et al., 2019); in Chinese （Hair 等，2019）.

    Parameters:
        among: every work that the text around cites, so that those of the same authors and year bear letters.

    Example:
        >>> cited(Text("at least .70 [@hair2019; @cohen1988]", "不低于 0.70[@hair2019]"))
        Text(en='at least .70 (Cohen, 1988; Hair et al., 2019)', zh='不低于 0.70（Hair 等，2019）')
    """
    years = lettered([*among, *keys_in([text])])

    def named(found: re.Match[str], lang: str) -> str:
        some = [works()[key] for key in sorted(re.findall(r"@(\w+)", found[1]))]
        said = [f"{_who(w, lang)}{', ' if lang == 'en' else '，'}{years.get(w.key, w.fields['year'])}" for w in some]
        return f" ({'; '.join(said)})" if lang == "en" else f"（{'；'.join(said)}）"

    zh = CITED.sub(lambda m: named(m, "zh"), text.zh)
    return Text(CITED.sub(lambda m: named(m, "en"), text.en), set_in_chinese(zh))


def _who(work: Work, lang: str) -> str:
    """The authors within a sentence."""
    names = [family for family, _ in work.authors]
    if len(names) > 2:
        return f"{names[0]} et al." if lang == "en" else f"{names[0]} 等"
    return (" & " if lang == "en" else " 与 ").join(names)


def apa(work: Work, year: str = "") -> str:
    """A work as APA style lists it.

    Parameters:
        year: with its letter, where the list has another work of the same authors and year.

    Example:
        >>> apa(works()["kock2015"])[:78]
        'Kock, N. (2015). Common method bias in PLS-SEM: A full collinearity assessment'
        >>> apa(works()["browne1993"])[77:]
        'In K. A. Bollen & J. S. Long (Eds.), Testing structural equation models (pp. 136–162). Sage.'
    """
    f, people = work.fields, [f"{family}, {_initials(given)}" for family, given in work.authors]
    who = people[0] if len(people) == 1 else f"{', '.join(people[:-1])}, & {people[-1]}"
    edition = f" ({f['edition']} ed.)" if "edition" in f else ""
    head = f"{who} ({year or f['year']}). {f['title']}{edition}."
    if "booktitle" in f:
        editors = " & ".join(f"{_initials(given)} {family}" for family, given in _people(f["editor"]))
        return f"{head} In {editors} (Eds.), {f['booktitle']} (pp. {f['pages']}). {f['publisher']}."
    if "journal" not in f:
        return f"{head} {f['publisher']}."
    number = f"({f['number']})" if "number" in f else ""
    doi = f" doi:{f['doi']}" if "doi" in f else ""
    return f"{head} {f['journal']}, {f['volume']}{number}, {f['pages']}.{doi}"


def slanted(work: Work) -> str:
    """The part of a work's line that APA sets in italics: the journal and its volume, or the title of the book.

    Example:
        >>> slanted(works()["kock2015"]), slanted(works()["browne1993"])
        ('International Journal of e-Collaboration, 11', 'Testing structural equation models')
    """
    f = work.fields
    return f"{f['journal']}, {f['volume']}" if "journal" in f else f.get("booktitle", f["title"])


def _initials(given: str) -> str:
    """Jun-Hwa -> J.-H., Joseph F. -> J. F."""
    return " ".join("-".join(f"{part[0]}." for part in name.split("-")) for name in given.split())


def bibtex(keys: Sequence[str]) -> str:
    """The entries of some works, a field on a line.

    Example:
        >>> print(bibtex(["cohen1988"]).splitlines()[0])
        @book{cohen1988,
    """
    laid = (re.sub(r"(, )(?=\w+ = \{)", ",\n  ", works()[key].entry) for key in keys)
    return "".join(f"{entry[:-1]}\n}}\n" for entry in laid)
