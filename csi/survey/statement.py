"""Whether an SQL statement only reads: what can be known of it without asking a database."""

from __future__ import annotations

import re
from typing import Final

from csi.errors import Text

SKIPPED: Final = re.compile(
    r"""--[^\n]*                      # a comment to the end of the line
      | /\*.*?(?:\*/|\Z)              # a comment
      | \$(\w*)\$.*?(?:\$\1\$|\Z)     # a text between $tag$
      | [eE]'(?:\\.|''|[^'\\])*'      # a text with escapes
      | '(?:''|[^'])*'                # a text
      | "(?:""|[^"])*"                # a quoted name
    """,
    re.VERBOSE | re.DOTALL,
)
"""What holds no words of the language."""

READS: Final = frozenset(
    {"select", "with", "from", "values", "table", "pivot", "unpivot", "summarize", "describe", "show"}
)
"""First words of statements that read."""

WRITES: Final = frozenset(
    {
        "alter", "analyze", "attach", "begin", "call", "checkpoint", "comment", "commit", "copy", "create", "delete",
        "detach", "do", "drop", "execute", "export", "grant", "import", "insert", "install", "load", "lock", "merge",
        "pragma", "prepare", "refresh", "reindex", "reset", "revoke", "rollback", "set", "truncate", "update", "use",
        "vacuum",
    }
)  # fmt: skip
"""First words of statements that write, or change what the next one does."""


def why_not_a_query(sql: str) -> Text | None:
    """Why a statement is not run; None for one that, as far as its words tell, only reads.

    The database is opened for reading besides: this tells it before anything is asked, in the user's language.

    Example:
        >>> why_not_a_query("select 'drop table x' as t from answers -- delete") is None
        True
        >>> why_not_a_query("with a as (select 1) delete from answers").en
        'it would write (DELETE)'
        >>> why_not_a_query("select 1; drop table answers").en
        'it holds several statements'
    """
    bare = SKIPPED.sub(lambda found: '""' if found[0][0] == '"' else "''" if found[0][-1] == "'" else " ", sql).strip()
    bare = re.sub(r"[;\s]+\Z", "", bare)
    if not bare:
        return Text("it is empty", "语句为空")
    if ";" in bare:
        return Text("it holds several statements", "含有多条语句")
    first = re.match(r"[\s(]*(\w+)", bare)
    word = first[1].lower() if first else ""
    if word in WRITES:
        return _writes(word)
    if word not in READS:
        return Text("it does not begin with SELECT or WITH", "不是以 SELECT 或 WITH 开头的查询")
    inner = re.search(rf"[()]\s*({'|'.join(sorted(WRITES))})\s+(?![,)=<>])\w", bare, re.IGNORECASE)
    if inner and (word == "with" or bare[inner.start()] == "("):
        return _writes(inner[1])
    into = re.search(r"\bselect\b[^()]*?\binto\s+\w", bare, re.IGNORECASE)
    return _writes("select into") if into else None


def ordered(sql: str) -> bool:
    """Whether the rows of a query come in an order that it states.

    Example:
        >>> ordered("select * from a order by id"), ordered("select row_number() over (order by id) from a")
        (True, False)
    """
    bare = SKIPPED.sub(" ", sql)
    while (inner := re.sub(r"\([^()]*\)", " ", bare)) != bare:
        bare = inner
    return re.search(r"\border\s+by\b", bare, re.IGNORECASE) is not None


def _writes(word: str) -> Text:
    return Text(f"it would write ({word.upper()})", f"该语句会写入数据（{word.upper()}）")
