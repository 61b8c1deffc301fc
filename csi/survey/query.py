"""A question to a database whose answer is the answers: the statement, where it goes, and how that may be told."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

SERVERS: Final = ("postgresql", "postgres")
"""Schemes of PostgreSQL; everything without a scheme is the file of a DuckDB database."""

SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
HIDDEN: Final = "***"


@dataclass(frozen=True, slots=True)
class Query:
    """A query of a database, read through ADBC.

    Attributes:
        sql: one statement that reads (SELECT, WITH ... SELECT, VALUES, TABLE, FROM).
        database: the file of a DuckDB database, ":memory:", a PostgreSQL address (postgresql://host/name), or $NAME for
            an environment variable that holds one of them, so that no password stands in a file. The address is never
            printed or recorded with its user, password or parameters.

    Example:
        >>> Query("select id, sat1 from answers", "answers.duckdb").kind
        'duckdb'
        >>> Query("select 1", "postgresql://ana:secret@db.example/sat?sslmode=require").shown
        'postgresql://db.example/sat'
    """

    sql: str
    database: str

    @property
    def address(self) -> str:
        """The database, an environment variable in its place replaced; "" where there is no such variable."""
        name = self.variable
        return os.environ.get(name, "").strip() if name else self.database

    @property
    def variable(self) -> str:
        """The environment variable that holds the address; "" where none does.

        Example:
            >>> Query("select 1", "$SURVEYS").variable, Query("select 1", "${SURVEYS}").variable
            ('SURVEYS', 'SURVEYS')
        """
        named = re.fullmatch(r"\$(?:\{(\w+)\}|(\w+))", self.database.strip())
        return (named[1] or named[2]) if named else ""

    @property
    def kind(self) -> str:
        """Whose database it is: "duckdb", "postgresql", or the scheme of an address that csi does not know."""
        scheme = SCHEME.match(self.address)
        if not scheme:
            return "duckdb"
        return "postgresql" if scheme[1].lower() in SERVERS else scheme[1].lower()

    @property
    def shown(self) -> str:
        """The database as messages and records name it: without user, password or parameters."""
        if self.variable:
            return f"${self.variable}"
        if self.kind == "duckdb":
            return self.database.replace("\\", "/").rsplit("/", 1)[-1]
        return shown_address(self.database)

    def without_secrets(self, text: str) -> str:
        """A driver's message without the address's user and password.

        Example:
            >>> asked = Query("select 1", "postgresql://ana:p%40ss@db/sat")
            >>> asked.without_secrets('user "ana" failed, password p@ss')
            'user "***" failed, password ***'
        """
        out = text.replace(self.address, self.shown) if self.address else text
        for secret in secrets_of(self.address):
            out = out.replace(secret, HIDDEN)
        return out


def shown_address(address: str) -> str:
    """An address without user, password and parameters.

    Example:
        >>> shown_address("postgresql://ana:secret@db.example:5433/sat?password=x")
        'postgresql://db.example:5433/sat'
    """
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{re.split('[?#]', rest, maxsplit=1)[0].rpartition('@')[2]}"


def secrets_of(address: str) -> list[str]:
    """User, password and values of parameters in an address, as typed and decoded, the longest first.

    Example:
        >>> secrets_of("postgresql://ana:p%40ss@db/sat?sslpassword=key")
        ['p%40ss', 'p@ss', 'ana', 'key']
    """
    if not SCHEME.match(address):
        return []
    rest = address.partition("://")[2]
    user, _, password = rest.rpartition("@")[0].partition(":") if "@" in rest else ("", "", "")
    typed = [user, password, *re.findall(r"[?&][^=&]*(?:password|user|token|key)[^=&]*=([^&#]+)", rest)]
    every = {one for word in typed for one in (word, unquote(word)) if one}
    return sorted(every, key=lambda word: (-len(word), word))


def has_password(address: str) -> bool:
    """Whether a password stands in an address.

    Example:
        >>> has_password("postgresql://ana@db/sat"), has_password("postgresql://ana:secret@db/sat")
        (False, True)
    """
    if not SCHEME.match(address):
        return False
    try:
        parts = urlsplit(address)
        return bool(parts.password) or "password=" in parts.query
    except ValueError:
        return "@" in address
