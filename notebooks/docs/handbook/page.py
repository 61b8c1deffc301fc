"""A page in both languages, and markdown that says what a text says, letter by letter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from csi.errors import Language, Text

LANGUAGES: tuple[Language, ...] = ("en", "zh")
CHINESE = "\u3000-\u303f\u4e00-\u9fff\uff00-\uffef“”‘’—…"
WRAPPED = re.compile(rf"(?<=[{CHINESE}])\n(?=[{CHINESE}])")
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
        return head + joined(self.body[lang]).rstrip() + "\n"


def joined(text: str) -> str:
    r"""Lines of Chinese that go on in the next line without a blank between them; blocks of code stay.

    Example:
        >>> joined("指数\n变化\n\n```text\n甲\n乙\n```").splitlines()
        ['指数变化', '', '```text', '甲', '乙', '```']
    """
    parts = re.split(r"(^(`{3,})[^\n]*\n.*?^\2$)", text, flags=re.MULTILINE | re.DOTALL)
    return "".join(WRAPPED.sub("", p) if i % 3 == 0 else p for i, p in enumerate(parts) if i % 3 != 2)


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
