"""What `csi segments` and `csi robustness` share: a model text and a data file, fitted by PLS in one cell."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from csi.cli.fit_model import as_written, read_model
from csi.cli.fit_options import codes, listed
from csi.cli.shell import UsageError
from csi.errors import Language, Note
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit
from csi.pls.estimator import PLS
from csi.survey.plain_file import PlainFile, read_plain


@dataclass(frozen=True, slots=True)
class Fitted:
    """The estimate, its file, and what was noted on the way."""

    est: Estimate
    file: PlainFile

    @property
    def notes(self) -> tuple[Note, ...]:
        """Of the file and of the estimate."""
        return (*self.file.notes, *self.est.notes)

    @property
    def heading(self) -> str:
        """What was fitted to what."""
        return (
            f"{self.file.name} · {self.est.settings.name} · n = {len(self.est.sample.rows) if self.est.sample else 0}"
        )


def pls_arguments(parser: argparse.ArgumentParser) -> None:
    """Model, data, and how the rows are taken."""
    add = parser.add_argument
    add("model", metavar="MODEL", type=Path, help="a model in lavaan's language: a file, or the text itself")
    add("data", metavar="DATA", type=Path, help="CSV, Parquet, Excel or SPSS file")
    add("--missing", default="listwise", metavar="HOW", help="listwise, pairwise, mean")
    add("--na", action="append", type=codes, metavar="CODES", help="codes that mean no answer, such as 97,98 (--na=-9)")
    add("--where", action="append", metavar="COLUMN=VALUE", help="only these rows")
    add("--weight", metavar="COLUMN", help="sampling weights")
    add("--seed", type=int, default=1, metavar="N", help="of everything random")


def fitted_of(args: argparse.Namespace, lang: Language) -> Fitted:
    """Read, fit.

    Raises:
        Problems: of the model, the data, the fit. UsageError: a --where without a value.
    """
    model = read_model(args.model, lang)
    where: dict[str, str] = {}
    for text in args.where or ():
        column, sign, value = text.partition("=")
        if not sign:
            raise UsageError(f"--where: {text}")
        where[column.strip()] = value.strip()
    settings = PLS(missing=args.missing)
    numbers = [*settings.needs(model), *([args.weight] if args.weight else [])]
    file = read_plain(args.data, numbers, list(where), listed(args.na))
    values = {column: as_written(file.frame[column], value) for column, value in where.items()}
    return Fitted(fit(model, file.frame, settings, where=values or None, weight=args.weight), file)
