"""Answers from a database: one query of DuckDB or PostgreSQL through ADBC (the extra `sql`)."""

from __future__ import annotations

import hashlib
import importlib
import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import polars as pl
from polars.exceptions import PolarsError

from csi.errors import Note, Problem, Problems, note, problem
from csi.survey.datafile import DataFile, Raw, as_text
from csi.survey.query import Query, has_password
from csi.survey.readers.guarded import guarded
from csi.survey.statement import ordered, why_not_a_query

DRIVERS: Final = {"duckdb": ("adbc_driver_duckdb", "duckdb"), "postgresql": ("adbc_driver_postgresql",) * 2}
"""Whose database -> the module of its ADBC driver, and the package that brings it."""

LONGEST: Final = 300
"""Characters of a driver's message that are passed on."""

WAIT: Final = "15"
"""Seconds that a server has to answer, where nobody said otherwise."""


def read(file: DataFile, query: Query) -> Raw:
    """The rows of a query as text, in the order it states, else in the order of their cells.

    The connection is opened for reading and nothing is committed. The hash is of the answer (names, and every cell as
    text), so that the record tells whether the same query gave the same answers later.

    Raises:
        Problems: E-SQL for a statement that is no query, no such database, a package that is not installed, a
            connection that is refused, a query that fails, columns of one name, no rows.
    """
    found = list(_unusable(file, query))
    if found:
        raise Problems(found)
    try:
        with _connected(file, query) as connection, connection.cursor() as cursor:
            frame = _answer(file, query, cursor)
    except (PolarsError, ValueError, ArithmeticError) as error:
        raise Problems([_failed(file, query, error)]) from error
    text = as_text(frame)
    if not ordered(query.sql):
        text = text.sort(text.columns, nulls_last=True, maintain_order=True)
    sha256 = hashlib.sha256(text.write_csv().encode()).hexdigest()
    return Raw(name_of(query), sha256, text, first_row=1, notes=tuple(_notes(query)))


def name_of(query: Query) -> str:
    """What messages and records call a query's answer.

    Example:
        >>> name_of(Query("select 1", "data/answers.duckdb"))
        'answers.duckdb (SQL)'
    """
    return f"{query.shown} (SQL)"


def _unusable(file: DataFile, query: Query) -> Iterator[Problem]:
    """What is wrong with a query before a database is asked."""
    where = _place(file, query)
    why = why_not_a_query(query.sql)
    if why is not None:
        yield problem(
            "E-SQL",
            where,
            f"the SQL statement is not run: {why.en}.",
            f"该 SQL 语句不会执行：{why.zh}。",
            "Write one query that begins with SELECT or WITH.",
            "请写一条以 SELECT 或 WITH 开头的查询。",
        )
    if query.variable and not query.address:
        yield problem(
            "E-SQL",
            where,
            f"the environment variable {query.variable} is not set.",
            f"环境变量 {query.variable} 未设置。",
            f"Set {query.variable} to the database's address before you run csi.",
            f"请在运行前把数据库地址写入环境变量 {query.variable}。",
        )
    elif query.kind not in DRIVERS:
        yield problem(
            "E-SQL",
            where,
            f"databases of kind {query.kind}:// are not read.",
            f"不支持 {query.kind}:// 类型的数据库。",
            "Give the file of a DuckDB database or an address postgresql://host/name; else export the rows as Parquet.",
            "请给出 DuckDB 数据库文件，或 postgresql://host/name；否则请先导出为 Parquet。",
        )
    elif query.kind == "duckdb" and query.address != ":memory:" and not Path(query.address).is_file():
        yield problem(
            "E-SQL",
            where,
            f'there is no database file "{query.shown}".',
            f"数据库文件“{query.shown}”不存在。",
            "Check the name; it is looked up beside the study file.",
            "请检查文件名；文件应放在研究文件所在的文件夹。",
        )


def _place(file: DataFile, query: Query) -> str:
    return file.place or name_of(query)


@contextmanager
def _connected(file: DataFile, query: Query) -> Iterator[Any]:
    """A connection that reads only, closed at the end.

    Raises:
        Problems: the package is absent, or the connection is refused.
    """
    module, package = DRIVERS[query.kind]
    try:
        dbapi = importlib.import_module("adbc_driver_manager.dbapi")
        driver = importlib.import_module(module)
        importlib.import_module("pyarrow")
    except ImportError as error:
        raise Problems([_absent(file, query, package)]) from error
    try:
        if query.kind == "duckdb":
            reading = {} if query.address == ":memory:" else {"access_mode": "READ_ONLY"}
            connection = dbapi.connect(
                driver=driver.driver_path(),
                entrypoint="duckdb_adbc_init",
                db_kwargs={"path": query.address, **reading},
            )
        else:
            connection = importlib.import_module(f"{module}.dbapi").connect(_with_limit(query.address))
    except (dbapi.Error, ImportError) as error:
        raise Problems([_refused(file, query, error)]) from error
    try:
        yield connection
    except dbapi.Error as error:
        raise Problems([_failed(file, query, error)]) from error
    finally:
        connection.close()


def _with_limit(address: str) -> str:
    """An address with a limit on how long a server may take, where neither it nor libpq's variable has one."""
    if "connect_timeout" in address or os.environ.get("PGCONNECT_TIMEOUT"):
        return address
    return f"{address}{'&' if '?' in address else '?'}connect_timeout={WAIT}"


def _answer(file: DataFile, query: Query, cursor: Any) -> pl.DataFrame:  # noqa: ANN401 - a driver's own
    """The rows.

    Raises:
        Problems: two columns of one name, or no rows.
    """
    if query.kind == "postgresql":
        cursor.execute("SET TRANSACTION READ ONLY")
    cursor.execute(query.sql)
    names = Counter(str(column[0]) for column in cursor.description or ())
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        listed = ", ".join(twice)
        raise Problems(
            [
                problem(
                    "E-COLUMN",
                    _place(file, query),
                    f"the query gives several columns of one name: {listed}.",
                    f"查询结果有重名的列：{listed}。",
                    "Name each once: select a.id as id, b.id as other.",
                    "请分别命名，例如 select a.id as id, b.id as other。",
                )
            ]
        )
    with guarded():
        frame = pl.DataFrame(cursor.fetch_arrow())
    if not frame.height:
        en, zh = "the query gives no rows.", "查询没有返回任何行。"
        do, do_zh = "Check its conditions.", "请检查查询条件。"
        raise Problems([problem("E-EMPTY", _place(file, query), en, zh, do, do_zh)])
    return frame


def _notes(query: Query) -> Iterator[Note]:
    """What the reader assumed, and a password that should not stand where it does."""
    if not ordered(query.sql):
        yield note(
            "N-SQL-ORDER",
            f"{name_of(query)}: the query states no order; rows are put in the order of their cells.",
            f"{name_of(query)}：查询未写明顺序，各行按单元格内容排序。",
        )
    if not query.variable and has_password(query.database):
        yield note(
            "N-SQL-PASSWORD",
            f"{name_of(query)}: a password stands in the address; keep it in an environment variable and "
            "write `database: $NAME`.",
            f"{name_of(query)}：数据库地址中写有密码；请把地址放入环境变量，并写 database: $NAME。",
        )


def _absent(file: DataFile, query: Query, package: str) -> Problem:
    return problem(
        "E-SQL",
        _place(file, query),
        f"reading from a database needs the packages adbc-driver-manager, {package.replace('_', '-')} and pyarrow.",
        f"读取数据库需要安装 adbc-driver-manager、{package.replace('_', '-')} 和 pyarrow。",
        "Run `pip install csi[sql]`.",
        "请运行 pip install csi[sql]。",
    )


def _refused(file: DataFile, query: Query, error: Exception) -> Problem:
    said = _said(query, error)
    return problem(
        "E-SQL",
        _place(file, query),
        f"no connection to {query.shown}: {said}.",
        f"无法连接 {query.shown}：{said}。",
        "Check that the database runs, its address, user and password, and that nobody else holds the file open."
        if query.kind == "duckdb"
        else "Check that the server runs, its address, user and password.",
        "请检查数据库文件是否有效、是否被其他程序占用。"
        if query.kind == "duckdb"
        else "请检查服务器是否运行，以及地址、用户名和密码。",
    )


def _failed(file: DataFile, query: Query, error: Exception) -> Problem:
    said = _said(query, error)
    return problem(
        "E-SQL",
        _place(file, query),
        f"the query failed at {query.shown}: {said}.",
        f"查询在 {query.shown} 失败：{said}。",
        "Try the statement in the database's own client; cast columns of unusual types to text.",
        "请先在数据库客户端中试运行该语句；特殊类型的列请转换为文本。",
    )


def _said(query: Query, error: Exception) -> str:
    """The first line of a driver's message, in one sentence and without secrets."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    first = re.sub(r"^(?:[A-Z_]+|\[libpq\]|Failed to connect)[:\s]+", "", lines[0])
    return query.without_secrets(first)[:LONGEST].rstrip(". ")
