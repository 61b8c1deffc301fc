"""What a statement cannot be, said at the token that shows it. Each function raises a `Stumble`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from csi.errors import Text
from csi.models.syntax.cursor import Cursor, Stumble, found
from csi.models.syntax.tokens import Token


def refuse_lone(cursor: Cursor) -> NoReturn:
    """Refuse a line that says nothing."""
    token = cursor.peek()
    if token.text in BLOCKS and cursor.peek(1).text == ":":
        raise Stumble(
            token,
            "E-SYNTAX",
            f'"{token.text}:" blocks are not read.',
            f"不支持“{token.text}:”分块写法。",
            "Give one modifier per group with c(...), as in f =~ c(a1, a2)*x1.",
            "请用 c(...) 逐组给出，例如 f =~ c(a1, a2)*x1。",
        )
    raise Stumble(
        token,
        "E-SYNTAX",
        "this statement has no operator.",
        "此语句没有运算符。",
        'Use "=~" (measured by), "<~" (made of), "~" (explained by) or "~~" (varies with); '
        'end the line before with "+" if this one belongs to it.',
        "请使用“=~”（由……测量）、“<~”（由……构成）、“~”（由……解释）或“~~”（协方差）；"
        "若本行续接上一行，上一行应以“+”结尾。",
    )


_INSTEAD = {
    "~=": Text('Write "=~".', "请写“=~”。"),
    "≤": Text('Write "<=".', "请写“<=”。"),
    "≥": Text('Write ">=".', "请写“>=”。"),
    "<-": Text('Write "outcome ~ predictor".', "请写“结果 ~ 预测变量”。"),
    "->": Text('Write "outcome ~ predictor", the outcome first.', "请写“结果 ~ 预测变量”，结果在前。"),
}


def refuse_operator(token: Token) -> NoReturn:
    """Refuse an operator of another language (or another release of this one)."""
    known = Text(
        'Use "=~", "<~", "~", "~~", "|", "~*~", ":=", "==", "<" or ">".',
        "可用：“=~”“<~”“~”“~~”“|”“~*~”“:=”“==”“<”“>”。",
    )
    remedy = _INSTEAD.get(token.text, known)
    en, zh = f'"{token.typed}" is not an operator here.', f"“{token.typed}”不是可用的运算符。"
    raise Stumble(token, "E-OPERATOR", en, zh, remedy.en, remedy.zh)


def refuse_misplaced(token: Token) -> NoReturn:
    """Refuse what stands where an operator belongs."""
    raise Stumble(
        token,
        "E-SYNTAX",
        f"{found(token).en}; an operator was expected.",
        f"{found(token).zh}，此处应为运算符。",
        'Left of the operator stand one name, or several joined by "+"; a name with blanks needs quotes.',
        "运算符左边写一个名称，或用“+”连接的几个名称；名称含空格时请加英文引号。",
    )


def refuse_left(token: Token) -> NoReturn:
    """Refuse a modifier left of the operator: `efa("a")*f =~ x1`."""
    if token.text == "efa":
        en, zh = "exploratory blocks (efa) are not estimated.", "不估计探索性因子块（efa）。"
        do, do_zh = "State which items load on which construct.", "请写明每个构念由哪些题项测量。"
    else:
        en, zh = f'"{token.typed}(...)" stands left of the operator.', f"“{token.typed}(...)”写在运算符左边。"
        do, do_zh = "Modifiers stand on the right: f =~ start(0.5)*x1.", "修饰应写在右边：f =~ start(0.5)*x1。"
    raise Stumble(token, "E-MODIFIER", en, zh, do, do_zh)


BLOCKS = ("level", "group")
"""What begins a block of a model text in lavaan."""


def begins_block(part: Sequence[Token]) -> bool:
    """Whether a statement is `group: 1` or the like.

    Example:
        >>> from csi.models.syntax.tokens import tokens
        >>> begins_block(tokens("group: 1")), begins_block(tokens("group ~ x"))
        (True, False)
    """
    return len(part) > 1 and part[0].text in BLOCKS and part[1].text == ":"


def refuse_number(token: Token) -> NoReturn:
    """Refuse `y ~ 3`."""
    raise Stumble(
        token,
        "E-SYNTAX",
        f"a number stands alone: {token.typed}.",
        f"数字 {token.typed} 单独出现。",
        f'Write "{token.typed}*1" for an intercept fixed at it, "{token.typed}*x" for the path from x.',
        f"若固定截距，请写“{token.typed}*1”；若固定路径，请写“{token.typed}*x”。",
    )
