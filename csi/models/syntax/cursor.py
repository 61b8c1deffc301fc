"""A place in a run of tokens, and what is thrown when the token there cannot stand there."""

from __future__ import annotations

from collections.abc import Sequence

from csi.errors import CsiError, Text
from csi.models.syntax.tokens import Token


class Stumble(CsiError):
    """The statement cannot be read past `token`; caught per statement and turned into a problem.

    Example:
        >>> from csi.models.syntax.tokens import tokens
        >>> Stumble(tokens("x")[0], "E-SYNTAX", "odd.", "奇怪。", "Look.", "请看。").what.zh
        '奇怪。'
    """

    def __init__(self, token: Token, code: str, en: str, zh: str, do: str, do_zh: str) -> None:
        super().__init__(en)
        self.token, self.code, self.what, self.remedy = token, code, Text(en, zh), Text(do, do_zh)


class Cursor:
    """Reads tokens one after another; behind the last one stands an `end` token.

    Example:
        >>> from csi.models.syntax.tokens import tokens
        >>> cursor = Cursor(tokens("a + b"))
        >>> cursor.take().text, cursor.at_mark("+"), cursor.take().text, cursor.peek().text
        ('a', True, '+', 'b')
    """

    def __init__(self, run: Sequence[Token]) -> None:
        """`run`: the tokens of one statement, the last of kind `end`; `depth` counts open brackets."""
        self._run = run
        self._at = 0
        self.depth = 0

    def peek(self, ahead: int = 0) -> Token:
        """The token here (or `ahead` tokens on), not taken."""
        return self._run[min(self._at + ahead, len(self._run) - 1)]

    def take(self) -> Token:
        """The token here; the cursor moves on."""
        token = self.peek()
        self._at += 1
        return token

    def at_mark(self, *marks: str) -> bool:
        """Whether one of `marks` stands here."""
        token = self.peek()
        return token.kind == "mark" and token.text in marks

    def at_end(self) -> bool:
        """Whether the statement is over."""
        return self.peek().kind == "end"

    def expect_mark(self, mark: str) -> None:
        """Take `mark`, or stumble."""
        token = self.take()
        if token.kind != "mark" or token.text != mark:
            raise Stumble(
                token,
                "E-SYNTAX",
                f'{found(token).en}; "{mark}" was expected.',
                f"{found(token).zh}，此处应为“{mark}”。",
                f'Put "{mark}" there.',
                f"请在此处写“{mark}”。",
            )

    def expect_end(self) -> None:
        """Stumble when something is left over."""
        if not self.at_end():
            token = self.peek()
            raise Stumble(
                token,
                "E-SYNTAX",
                f"{found(token).en} cannot stand here.",
                f"{found(token).zh}，不能写在这里。",
                'Join terms with "+", or begin a new line (or use ";") for a new statement.',
                "各项之间用“+”连接；新的语句请另起一行或用“;”分开。",
            )


def found(token: Token) -> Text:
    """What stands at a token, in words.

    Example:
        >>> from csi.models.syntax.tokens import tokens
        >>> found(tokens("x")[1]).en
        'the line ends'
    """
    if token.kind == "end":
        return Text("the line ends", "此行在这里结束")
    return Text(f'"{token.typed}"', f"这里是“{token.typed}”")
