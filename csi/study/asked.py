"""Queries of databases among a study's data: which keys belong together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from csi.errors import Problem, problem
from csi.study.positions import Document
from csi.study.schema_survey import FileForm
from csi.survey.datafile import DataFile
from csi.survey.query import Query

FILE_ONLY = ("file", "encoding", "sheet", "labels")
"""Keys of files that a query has no use for."""


def asked(said: FileForm, place: str, folder: Path) -> DataFile:
    """A query as a source of answers; the file of a DuckDB database is looked up beside the study file."""
    query = Query(said.sql, said.database)
    if query.kind == "duckdb" and not query.variable and said.database != ":memory:":
        query = replace(query, database=str(folder / said.database))
    return DataFile(
        Path(query.shown),
        wave=said.wave,
        brand=said.brand,
        rename=dict(said.rename),
        place=place,
        personal=tuple(said.personal),
        query=query,
    )


def query_problems(said: FileForm, number: int, document: Document) -> Iterator[Problem]:
    """A query without a database, a database without a query, and keys that belong to files."""
    where = document.place(("data", number, "sql" if said.sql else "database"))
    for key, given, example in (("sql", said.sql, '"select ..."'), ("database", said.database, "answers.duckdb")):
        if not given.strip():
            yield problem(
                "E-KEY-MISSING",
                where,
                f'the key "{key}" is missing or blank.',
                f"缺少键“{key}”，或其值为空。",
                f"Add `{key}: {example}`.",
                f"请补充 {key}: {example}。",
            )
    for key in FILE_ONLY:
        if getattr(said, key):
            yield problem(
                "E-VALUE",
                document.place(("data", number, key)),
                f"a query of a database takes no `{key}`.",
                f"数据库查询不能带 {key}。",
                f"Remove `{key}`, or `sql` and `database`.",
                f"请删去 {key}，或删去 sql 与 database。",
            )
