"""`--to FILE`: the tables of an answer as a workbook, as csv or parquet files."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from csi.cli.grids import HEADINGS
from csi.errors import Language, Text
from csi.reporting.sheets import check_kind, write_tables


def to_argument(parser: argparse.ArgumentParser) -> None:
    """Where the tables go."""
    what = "write the tables at full precision: xlsx (a sheet each), csv or parquet (the first; others beside it, "
    what += "FILE_name)"
    parser.add_argument("--to", metavar="FILE", type=Path, help=what)


def check_to(path: Path | None) -> None:
    """The file can be written, before any work is done.

    Raises:
        Problems: E-OUT.
    """
    if path is not None:
        check_kind(path)


def write_to(
    path: Path | None,
    title: Text,
    frames: Mapping[str, tuple[Text, pl.DataFrame]],
    lang: Language,
    headings: Mapping[str, Text] | None = None,
    texts: Mapping[str, Text] | None = None,
) -> tuple[str, ...]:
    """Write the tables where asked, and the files' names to be printed.

    Raises:
        Problems: E-OUT.
    """
    if path is None:
        return ()
    made = write_tables(path, title, frames, {**HEADINGS, **(headings or {})}, (lang,), texts)
    return tuple(str(file) for file in made)
