"""`csi VERB --help` in Chinese: headings of argparse and what its options say."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from importlib.resources import files

from csi.errors import Text

HEADINGS = {"positional arguments": "位置参数", "options": "选项"}


class Chinese(argparse.HelpFormatter):
    """Help whose usage is headed in Chinese."""

    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[argparse._MutuallyExclusiveGroup],
        prefix: str | None = None,
    ) -> None:
        """The usage under its own heading."""
        super().add_usage(usage, actions, groups, "用法：" if prefix is None else prefix)


def in_chinese(parser: argparse.ArgumentParser, what: Text) -> None:
    """Put the words of a parser's help in Chinese, where every one of them is known; else all of it in English.

    Parameters:
        what: the verb does.

    Example:
        >>> parser = argparse.ArgumentParser(prog="csi explain")
        >>> action = parser.add_argument("--wave", help="one wave")
        >>> in_chinese(parser, Text("explain", "解释"))
        >>> action.help, parser.description
        ('一个期次', '解释')
    """
    words = known()
    if untold(parser, words):
        parser.description = what.en
        return
    # set before argparse does, which cuts the English heading off by its length
    parser.usage = parser.format_usage().removeprefix("usage: ").rstrip().replace("%", "%%")
    parser.description, parser.formatter_class = what.zh, Chinese
    for action in parser._actions:  # noqa: SLF001 - argparse offers no other list
        if action.help:
            action.help = words[action.help].replace("%", "%%")
    for group in parser._action_groups:  # noqa: SLF001 - same
        group.title = HEADINGS.get(group.title or "", group.title)


def untold(parser: argparse.ArgumentParser, words: Mapping[str, str]) -> list[str]:
    """What the options of a parser say that has no Chinese words."""
    return [a.help for a in parser._actions if a.help and a.help not in words]  # noqa: SLF001 - argparse offers no other list


def known() -> Mapping[str, str]:
    """English words of options -> Chinese ones."""
    from csi.yamlfile import strings  # only who asks for help waits for it

    found: dict[str, str] = strings((files("csi") / "catalogue" / "help.yaml").read_text(encoding="utf-8"))
    return found
