"""Words as a page sets them: where lines may break, statistics, letters below the line, Chinese among English."""

from __future__ import annotations

import re
from typing import Final

from markupsafe import Markup, escape

from csi.reporting.renderers.outline import symbol_first, without_stop
from csi.reporting.words.phrases import set_marks

FEW, MANY = 4, 8
"""A phrase of fewer Chinese letters, such as `5.0 分，`, stays with its neighbour; one of more may break inside."""
_RHO: Final = re.compile(r"(?:ρ_?|\brho_)([AaCc])\b")
_STATISTIC: Final = re.compile(r"(?<![\w.<])(p|t|z|n|N|M|SD|SE|df|r) (=|&lt;|&gt;|≤|≥) ?(?=[\d.−])")
"""A statistic before its value."""
_INTERVAL: Final = re.compile(r"(?<=\[)([+−]?[\d.]+%?,) (?=[+−]?[\d.]+%?\])")
_FORMULA: Final = re.compile(r"(formula|公式) (?=F\d)")
_CHINESE: Final = re.compile("[\u3000-\u9fff\uff01-\uff60]*[\u3001-\u303f\uff01-\uff60][\u3000-\u9fff\uff01-\uff60]*")
"""Chinese words with full-width marks among them, which English text would set narrow."""
_SOFT: Final = re.compile(
    "(?<=.)(?=与|和(?![谐平睦])|而|及(?![格时])|相对)"
    "|(?:(?<=的)(?!确|是)|(?<=[于为])|(?<=是)(?!否)|(?<=时)(?![间期刻候段长])|(?<=年来))(?![，；：、。）”」》])"
)
"""Where a long Chinese phrase breaks best: before what joins, after particles."""
_PAIRS: Final = {"“": "”", "「": "」", "《": "》"}


def set_text(content: str, lang: str = "zh") -> Markup:
    r"""A text with `ρA` and `rho_c` below the line, statistics unbroken; in English in italics, and Chinese marked.

    Example:
        >>> set_text("ρA < 1")
        Markup('ρ<sub>A</sub> &lt; 1')
        >>> set_text("p (Holm)", "en"), set_text("RESET p < .001, n = 30", "en")
        (Markup('<i>p</i> (Holm)'), Markup('RESET <i>p</i>\xa0&lt;\xa0.001, <i>n</i>\xa0=\xa030'))
        >>> set_text("43.6% [40.7, 46.5]"), phrases("占 43.6% [40.7, 46.5]")
        (Markup('43.6% [40.7,\xa046.5]'), Markup('占 43.6% [40.7,\xa046.5]'))
        >>> set_text("of 质量，好 <b>", "en")
        Markup('of <span lang="zh-CN">质量，好</span> &lt;b&gt;')
    """
    text = _RHO.sub(lambda m: f"ρ<sub>{m[1].upper()}</sub>", str(escape(set_marks(content))))
    text = _INTERVAL.sub("\\1\xa0", _FORMULA.sub("\\1\xa0", text))
    if lang != "en":
        return Markup(_STATISTIC.sub("\\1\xa0\\2\xa0", text))  # noqa: S704 - escaped
    symbol, _ = symbol_first(content, lang)
    text = f"<i>{symbol}</i>{text[len(symbol) :]}" if symbol else _STATISTIC.sub("<i>\\1</i>\xa0\\2\xa0", text)
    return Markup(_CHINESE.sub(r'<span lang="zh-CN">\g<0></span>', text))  # noqa: S704 - escaped


def phrases(content: str, lang: str = "zh") -> Markup:
    r"""A heading without its full stop; a Chinese one as phrases, broken after marks, not inside words or quotations.

    Example:
        >>> phrases("赶上领先者，短板在资费")
        Markup('<span>赶上领先者，</span><span>短板在资费</span>')
        >>> phrases("满意度最高的是甲，5.0 分，短板在资费")
        Markup('<span>满意度最高的是<wbr>甲，<wbr>5.0\xa0分，</span><span>短板在资费</span>')
        >>> phrases("题项“贵，但值得”可能是，其余不是")
        Markup('<span>题项“贵，<wbr>但值得”可能是，</span><span>其余不是</span>')
        >>> phrases("与满意度关联最强的是质量", "zh"), phrases("up, < 1", "en")
        (Markup('与满意度关联最强的是<wbr>质量'), Markup('up, &lt; 1'))
    """
    content = without_stop(content)
    if lang != "zh":
        return set_text(content, lang)
    pieces = _split(set_marks(content))
    joined: list[str] = []
    for piece in pieces:
        if joined and min(_letters(joined[-1]), _letters(piece)) < FEW:
            joined[-1] += piece
        else:
            joined.append(piece)
    if len(joined) < 2:
        return _soft("".join(joined))
    return Markup("").join(Markup("<span>{}</span>").format(_soft(piece)) for piece in joined)


def _split(content: str) -> list[str]:
    """The text cut after its marks, but for those inside a quotation."""
    pieces, closing = [""], ""
    for before, c in zip(" " + content, content, strict=False):
        ends = not closing and before in "，；：、。" and c not in "，；：、。”）"
        pieces = [*pieces, c] if ends else [*pieces[:-1], pieces[-1] + c]
        closing = _PAIRS.get(c, "") if not closing else "" if c == closing else closing
    return [piece for piece in pieces if piece]


def _soft(piece: str) -> Markup:
    """A phrase with a number unbroken from its unit and, where it is long, with places to break at."""
    piece = _INTERVAL.sub("\\1\xa0", piece)
    said = str(escape(re.sub(r"(?<=[\d%]) (?=[\u4e00-\u9fff])", "\xa0", piece)))
    if _letters(piece) > MANY:
        said = _SOFT.sub("<wbr>", said)
    return Markup(re.sub("(?<=，)(?=.)", "<wbr>", said))  # noqa: S704 - escaped


def _letters(piece: str) -> int:
    """How many Chinese letters a phrase has."""
    return sum("\u4e00" <= c <= "\u9fff" for c in piece)
