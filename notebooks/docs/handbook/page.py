"""A page in both languages, and markdown that says what a text says, letter by letter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from csi.errors import Language, Text

LANGUAGES: tuple[Language, ...] = ("en", "zh")
SPECIAL = re.compile(r"([\\`*_\[\]#|~])")


@dataclass(frozen=True)
class Page:
    """One page of the site.

    Attributes:
        path: below a language's folder, such as "measures/htmt.md". body: its markdown by language.
        files: what lies beside the page, by path below the language's folder: language -> text.
        boost: how far up a search lists it. wide: without a table of contents beside it.
    """

    path: str
    body: Mapping[Language, str]
    files: Mapping[str, Mapping[Language, str]] = field(default_factory=dict)
    boost: float = 1.0
    wide: bool = False

    def text(self, lang: Language) -> str:
        """What is written to the file."""
        lines = [f"search:\n  boost: {self.boost:g}"] if self.boost != 1.0 else []
        lines += ["hide: [toc]"] if self.wide else []
        head = "\n".join(["---", *lines, "---\n\n"]) if lines else ""
        return head + self.body[lang].rstrip() + "\n"


def literal(text: str) -> str:
    r"""A text whose marks are no markdown and no HTML, on one line.

    Example:
        >>> literal("a_b < c*d")
        'a\\_b &lt; c\\*d'
    """
    said = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return SPECIAL.sub(r"\\\1", said)


def fenced(text: str, kind: str = "text") -> str:
    """Lines as they stand, in a block of code."""
    return f"````{kind}\n{text.rstrip()}\n````"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A markdown table of cells that are markdown already."""
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def both(en: str, zh: str) -> Mapping[Language, str]:
    """One text in both languages."""
    return {"en": en, "zh": zh}


def each(page: object, *texts: Text) -> tuple[str, ...]:
    """The texts in one language, literally."""
    return tuple(literal(t.say(str(page))) for t in texts)
