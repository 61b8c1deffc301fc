r"""tables.tex: every table of a report as LaTeX with booktabs, escaped; the same bytes each time."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

from csi.display import width
from csi.errors import Language
from csi.reporting.renderers.outline import Printed, is_list, outline, pieces, plain, symbol_first
from csi.reporting.section import Report

_SPECIAL: Final[Mapping[str, str]] = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "\u2212": "$-$",
    "±": r"$\pm$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "×": r"$\times$",
    "²": r"\textsuperscript{2}",
    "–": "--",
    "…": r"\ldots{}",
    "→": r"$\rightarrow$",
    "↔": r"$\leftrightarrow$",
    "≈": r"$\approx$",
    "∞": r"$\infty$",
    "•": r"\textbullet{}",
    "[": "{[}",
    "]": "{]}",
}
_GREEK: Final = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "Δ": "Delta", "η": "eta", "θ": "theta", "κ": "kappa",
    "λ": "lambda", "μ": "mu", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "phi", "χ": "chi", "ω": "omega", "ξ": "xi",
}  # fmt: skip
LONG: Final = 40
"""Rows beyond which a table runs over pages."""
PACKAGES: Final[Mapping[str, Sequence[str]]] = {
    "zh": (r"\documentclass[UTF8]{ctexart}",),
    "en": (
        r"\documentclass{article}",
        r"\usepackage{iftex}",
        r"\ifpdftex\usepackage[T1]{fontenc}\else\usepackage{fontspec}\fi",
    ),
}
USED: Final = ("booktabs", "longtable", "caption", "adjustbox", "placeins")
CHINESE: Final = (
    r"\ifpdftex\PackageError{csi}{Chinese names need XeLaTeX or LuaLaTeX}{}\else\usepackage[scheme=plain]{ctex}\fi",
    r'\ifxetex\xeCJKDeclareCharClass{Default}{"2018,"2019,"201C,"201D}\fi',
)
"""What an English document with Chinese names needs; its quotation marks stay narrow."""
_HAN: Final = re.compile(r"[\u2e80-\u9fff\uff00-\uffef]")
_LATIN: Final = frozenset(map(chr, range(0xA0, 0x180))) | frozenset("–—‘’“”€™†‡‰‹›")
WORDS: Final = 34
"""Columns of words wider than this, in letters, are set in lines."""


def tex(report: Report, lang: Language) -> bytes:
    r"""The report's tables as a LaTeX document that compiles by itself and whose tables can be taken one by one.

    English compiles with any engine; with Chinese names, as Chinese does, with xelatex or lualatex (ctex). A character
    that the fonts lack is printed as its code. Tables bear labels by section and name.

    Parameters:
        report: what to write. lang: "zh" or "en".

    Returns:
        The file's content.
    """
    told = outline(report, lang, draw=False)
    body = [rf"\title{{{escaped(told.title)}}}", r"\date{}", r"\begin{document}", r"\maketitle"]
    for part in told.parts:
        if part.tables:
            body += ["", r"\FloatBarrier", rf"\section*{{{escaped(part.title)}}}"]
        body += [tabular(table, lang, label=f"tab:{part.key}-{table.name}") for table in part.tables]
    lines = [*PACKAGES[lang], rf"\usepackage{{{','.join(USED)}}}", r"\usepackage[margin=2cm]{geometry}"]
    lines += [r"\captionsetup{position=top,skip=6pt}", *_letters("".join(body), lang)]
    return "\n".join([*lines, *body, r"\end{document}", ""]).encode()


def _letters(body: str, lang: Language) -> list[str]:
    r"""What a document needs for the letters of other scripts in it: Chinese fonts, or the codes of those without one.

    Example:
        >>> _letters("é 50", "en"), [line[:18] for line in _letters("質 📱", "zh")]
        ([], ['\\usepackage{iftex,', '\\newunicodechar{質}', '\\newunicodechar{📱}'])
    """
    others = sorted({c for c in body if c > "\x7f"} - _LATIN)
    lost = [c for c in others if not (_HAN.match(c) and _in_chinese(c))]
    lines = [*CHINESE] if lang == "en" and len(lost) < len(others) else []
    if lost:
        lines.append(r"\usepackage{iftex,newunicodechar}")
    for c in lost:
        code, at = f"U+{ord(c):04X}", f'"{ord(c):X}'
        own = rf"\ifpdftex {code}\else\iffontchar\font{at} \symbol{{{at}}}\else {code}\fi\fi"
        lines.append(rf"\newunicodechar{{{c}}}{{{own}}}")
    return lines


def _in_chinese(character: str) -> bool:
    """Whether every Chinese font holds a character."""
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def escaped(text: str) -> str:
    r"""A text that LaTeX prints letter by letter.

    Example:
        >>> print(escaped("50% of \\A_B {x} $y$ ρA"))
        50\% of \textbackslash{}A\_B \{x\} \$y\$ $\rho$\textsubscript{A}
    """
    made = []
    for piece, place in pieces(plain(text)):
        said = "".join(_letter(c) for c in piece)
        made.append(rf"\textsubscript{{{said}}}" if place else said)
    return "".join(made)


def tabular(table: Printed, lang: Language = "zh", *, label: str = "") -> str:
    """A table with its caption, three lines and notes; one of many rows runs over pages.

    Parameters:
        lang: English headings that are statistics (p, n, SE) stand in italics. label: what `ref` calls it.
    """
    columns = "".join(_columns(table))
    caption = rf"\caption{{{escaped(table.title)}}}" if table.title else ""
    caption += rf"\label{{{re.sub(r'[^A-Za-z0-9:-]', '-', label)}}}" if label and caption else ""
    heads = _line([_head(h, lang) for h in table.heads])
    body = [
        _line([_cell(cell, table.marks.get((row, place))) for place, cell in enumerate(cells)])
        for row, cells in enumerate(table.cells)
    ]
    notes = [rf"\par\smallskip{{\footnotesize {escaped(note)}}}" for note in table.notes]
    if len(table.cells) > LONG:
        opening = [rf"\begin{{longtable}}{{{columns}}}", *([caption + r" \\"] if caption else []), r"\toprule", heads]
        return "\n".join([*opening, r"\midrule", r"\endhead", *body, r"\bottomrule", r"\end{longtable}", *notes])
    opening = [r"\begin{table}[htbp]", r"\centering\small", *([caption] if caption else [])]
    opening += [r"\begin{adjustbox}{max width=\textwidth}", rf"\begin{{tabular}}{{{columns}}}"]
    lines = [*opening, r"\toprule", heads, r"\midrule", *body, r"\bottomrule", r"\end{tabular}", r"\end{adjustbox}"]
    return "\n".join([*lines, *notes, r"\end{table}"])


def _columns(table: Printed) -> list[str]:
    """Numbers to the right, words to the left, sentences in lines of their own width."""
    made = []
    for place, numeric in enumerate(table.numeric):
        widest = max((width(row[place]) for row in table.cells), default=0)
        sentence = r"p{0.72\textwidth}" if is_list(table) else r"p{0.3\textwidth}"
        made.append("r" if numeric else sentence if widest > WORDS else "l")
    return made


def _head(text: str, lang: Language) -> str:
    symbol, rest = symbol_first(text, lang)
    return (rf"\textit{{{symbol}}}" if symbol else "") + escaped(rest)


def _cell(text: str, mark: str | None) -> str:
    said = escaped(text)
    return rf"\textbf{{{said}}}" if mark and said else said


def _line(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _letter(character: str) -> str:
    if character in _GREEK:
        return rf"$\{_GREEK[character]}$"
    if unicodedata.category(character) in {"Cf", "Co", "Cn"}:  # marks that turn the direction of a line, and the like
        return ""
    return _SPECIAL.get(character, character)
