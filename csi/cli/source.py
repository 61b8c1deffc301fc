"""A STUDY, or a MODEL beside its DATA: what the verbs on one model take, found in one way."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import polars as pl

from csi.cli.answer import Grid
from csi.cli.estimators import composite_of, covariance_of, is_composite
from csi.cli.fit_model import as_written, read_model
from csi.cli.fit_options import codes, given, listed
from csi.cli.progress import working
from csi.cli.shell import UsageError
from csi.cli.studied import check_cells, check_enough, chosen, names, opened, place, provenance, shown
from csi.errors import Language, Note, Text
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit
from csi.estimate.protocol import Estimator
from csi.inference.bootstrap import bootstrap
from csi.inference.intervals import Interval
from csi.models.model import Model
from csi.pls.composed import Ways
from csi.pls.stages import HigherOrder, Interaction
from csi.reporting.soundness import told_groups
from csi.reporting.usable import no_waves
from csi.study import Study
from csi.study.estimator import estimator_of
from csi.study.fitted import fitted
from csi.survey.keyed import grouping
from csi.survey.panel import Panel
from csi.survey.plain_file import PlainFile, read_plain

RESAMPLING = Text("Resampling", "重抽样")

OF_MODEL: dict[str, object] = {
    "estimator": "pls", "weighting": "path", "consistent": False, "missing": "listwise", "higher_order": "two-stage",
    "interaction": "two-stage", "na": None, "weight": None, "unit": None, "stratum": None, "where": None, "scale": None,
    "imputations": 0,
}  # fmt: skip
"""Option -> its default, of those that only a model text takes: a study says all this itself."""

OF_STUDY: dict[str, object] = {"brand": None, "wave": None}


@dataclass(frozen=True, slots=True)
class Source:
    """A model, its estimator and its rows, wherever they come from.

    Attributes:
        data: a study's panel, or the frame of a file. by, where: the columns that make cells, and the rows asked for.
        design: weight, unit and stratum of a file. name: what heads the answer. notes: of the rows. seed, interval: of
            what is random. study: None for a model text. labels: construct -> its
            name in words. texts: the same of items and brands too. file: of a model text.
    """

    model: Model
    settings: Estimator
    data: Panel | pl.DataFrame
    name: str
    by: tuple[str, ...] = ()
    where: Mapping[str, str] = field(default_factory=dict)
    design: tuple[str | None, str | None, str | None] = (None, None, None)
    notes: tuple[Note, ...] = ()
    seed: int = 1
    interval: Interval = "percentile"
    scale: tuple[float, float] | None = None
    study: Study | None = None
    labels: Mapping[str, Text] = field(default_factory=dict)
    texts: Mapping[str, Text] = field(default_factory=dict)
    file: PlainFile | None = None

    def fit(self, model: Model | None = None, settings: Estimator | None = None) -> Estimate:
        """The model (or another one) in every cell, without resampling."""
        weight, unit, stratum = self.design
        return fit(
            model or self.model, self.data, settings or self.settings, self.by,
            where=dict(self.where) or None, scale=self.scale, weight=weight, unit=unit, stratum=stratum,
        )  # fmt: skip

    def with_errors(self, n: int, lang: Language, *, quiet: bool) -> Estimate:
        """The model in every cell with `n` resamples, a study's replicate weights, or its imputed copies."""
        with working(RESAMPLING.say(lang), quiet=quiet):
            if self.study is not None and isinstance(self.data, Panel):
                settings = replace(self.study.settings, replicates=n, seed=self.seed, interval=self.interval)
                study = replace(self.study, settings=settings)
                return fitted(study, self.data, self.by, dict(self.where) or None, errors=n > 0)
            est = self.fit()
            return bootstrap(est, n, self.seed, interval=self.interval) if n else est

    def heading(self, est: Estimate) -> str:
        """What was fitted to what."""
        return f"{self.name} · {est.settings.name} · n = {sum(est.moments.cells['n'])}"

    @property
    def origin(self) -> dict[str, object]:
        """Where the numbers come from, for `--json`."""
        model = {"model": str(self.model)}
        if self.file is not None:
            return {**model, "data": {"file": self.file.name, "sha256": self.file.sha256}}
        name = {} if self.study is None else {"name": self.study.name, "sha256": self.study.sha256}
        return {**model, "study": name, "cell": dict(self.where)}

    @property
    def record(self) -> dict[str, object]:
        """What `--record` adds of a study; nothing of a model text, whose record is the answer itself."""
        if self.study is None or not isinstance(self.data, Panel):
            return {}
        return provenance(self.study, self.data)

    def worded(self, blocks: Sequence[str | Grid], lang: Language) -> tuple[str | Grid, ...]:
        """The blocks with constructs of a study under their names in words."""
        if not self.labels:
            return tuple(blocks)
        said = {name: text.say(lang) for name, text in self.labels.items()}
        every = sorted(said, key=len, reverse=True)
        inside = re.compile(
            r"(?<![A-Za-z0-9_.])(" + "|".join(re.escape(name) for name in every) + r")(?![A-Za-z0-9_.])"
        )

        def swapped(text: str) -> str:
            return inside.sub(lambda found: said[found[1]], text)

        def cell(text: str) -> str:
            pieces = re.split(r"( -> | ~ |:)", text)
            whole = all(piece in said for piece in pieces[::2])
            return swapped(text) if whole or lang == "zh" else text

        return tuple(
            replace(
                block,
                title=swapped(block.title) if lang == "zh" else spoken(block.title, said),
                headings=tuple(map(cell, block.headings)),
                rows=tuple(tuple(map(cell, row)) for row in block.rows),
            )
            if isinstance(block, Grid)
            else swapped(block)
            if lang == "zh"
            else spoken(block, said)
            for block in blocks
        )


def spoken(sentence: str, said: Mapping[str, str]) -> str:
    """An English sentence with constructs under their names in words.

    A code such as "image" or "value" is an English word too: it is a construct's name only before a colon, in a formula
    or a list, and after the prepositions that the sentences use. A code that no English word looks like always is.

    Example:
        >>> spoken("value: no sign of a condition for image (d = 0.1).", {"value": "Perceived value", "image": "Image"})
        'Perceived value: no sign of a condition for Image (d = 0.1).'
        >>> spoken("loyalty ~ value, of little value.", {"value": "Perceived value", "loyalty": "Loyalty"})
        'Loyalty ~ Perceived value, of little value.'
    """
    names = sorted(said, key=len, reverse=True)
    code = "(" + "|".join(re.escape(name) for name in names) + r")(?![A-Za-z0-9_])"
    there = re.compile(
        rf"(?:(?<=^)|(?<=\n)|(?<=[(]|~|>|:|,)\s?|(?<=[ ]for )|(?<=[ ]on )|(?<=[ ]of )|(?<=high )){code}" + _AFTER
    )
    strange = re.compile(rf"(?<![A-Za-z0-9_.]){code}")

    def sure(found: re.Match[str]) -> str:
        return said[found[1]] if re.search(r"[^a-z]", found[1]) else found[0]

    def named(found: re.Match[str]) -> str:
        return found[0].replace(found[1], said[found[1]])

    return strange.sub(sure, there.sub(named, sentence))


_AFTER = r"(?=:| ~| ->| \(|,|;|\)|\.$|\. |\.\n| was | looks | leads | changes|$)"
"""What follows a construct's name in a sentence."""


def source_arguments(parser: argparse.ArgumentParser, estimators: Sequence[str] = (), *, by: str = "") -> None:
    """STUDY, or MODEL and DATA; which rows; how the model is fitted.

    Parameters:
        estimators: those the verb takes; none where it has no say. by: help of `--by`; the verb has none without it.
    """
    add = parser.add_argument
    what = "the study file, or a model in lavaan's language (a file, or the text itself) beside DATA"
    add("model", metavar="STUDY|MODEL", type=Path, help=what)
    add("data", metavar="DATA", nargs="?", type=Path, help="CSV, Parquet, Excel or SPSS file of a MODEL")
    if by:
        add("--by", metavar="COLUMNS", help=by)
    add("--seed", type=int, metavar="N", help="of everything random (the study's, or 1)")
    of_study = parser.add_argument_group("a study").add_argument
    of_study("--brand", help="one brand, by name or label (the focal one by default)")
    of_study("--wave", help="one wave (the latest by default)")
    of_model = parser.add_argument_group("a model text with a data file").add_argument
    if estimators:
        how = f"{', '.join(estimators)} ({estimators[0]})"
        of_model("--estimator", default=estimators[0], choices=tuple(estimators), metavar="NAME", help=how)
    of_model("--missing", default="listwise", metavar="HOW", help="listwise, pairwise, mean, em")
    how = "codes that mean no answer, such as 97,98 (--na=-9)"
    of_model("--na", action="append", type=codes, metavar="CODES", help=how)
    of_model("--where", action="append", metavar="COLUMN=VALUE", help="only these rows")
    of_model("--weight", metavar="COLUMN", help="sampling weights")
    of_model("--unit", "--cluster", metavar="COLUMN", help="respondents or clusters, which stay together")
    of_model("--stratum", metavar="COLUMN", help="strata, for resampling")


def source_of(
    args: argparse.Namespace,
    lang: Language,
    *,
    others: Sequence[Path] = (),
    settings: Callable[[argparse.Namespace], Estimator] | None = None,
    based: bool = True,
) -> Source:
    """The source that was typed.

    Parameters:
        others: further models whose items are wanted of the same rows. settings: the estimator of a model text, where
            it is not that of the options. based: a study's cells below its base are left out (by cell) or refused.

    Raises:
        Problems: of the study, the model, the data. UsageError: DATA missing or too many, options of the other kind.
    """
    is_study = args.model.suffix.lower() in {".yaml", ".yml"} or args.model.is_dir()
    if args.data is not None and str(args.model) == ".":
        raise UsageError("the model text is empty")
    if is_study and args.data is not None:
        raise UsageError("a study names its own data; DATA goes with a model text")
    if not is_study and args.data is None:
        raise UsageError("the following arguments are required: DATA")
    barred = {name: usual for name, usual in (OF_MODEL if is_study else OF_STUDY).items() if hasattr(args, name)}
    strange = given(args, barred)
    if strange:
        raise UsageError(f"not for {'a study' if is_study else 'a model text'}: {', '.join(strange)}")
    return _of_study(args, lang, based=based) if is_study else _of_model(args, lang, others, settings)


def _of_study(args: argparse.Namespace, lang: Language, *, based: bool) -> Source:
    """The model, rows and settings of a study: one cell, or the cells of --by in the latest wave."""
    study, panel = opened(args.model)
    by = tuple(dict.fromkeys(listed(getattr(args, "by", None))))
    grouping(panel.frame.columns, by, "--by")
    asked = chosen(study, panel, args.brand, args.wave)
    if by:
        where = {k: v for k, v in asked.items() if k not in by}
        if "wave" not in {*where, *by} and not no_waves(study):
            where["wave"] = panel.waves[-1]
    else:
        where = shown(study, panel, asked)
        check_cells(study, panel, where, anchored=False)
    where = {k: v for k, v in where.items() if k in panel.frame.columns}
    few: tuple[Note, ...] = ()
    if based and by:
        panel, few = told_groups(study, panel, by, where, fewest=1)
    elif based:
        check_enough(study, panel, where, lang)
    texts = names(study, lang)
    interval = getattr(args, "interval", None) or study.settings.interval
    return Source(
        model=study.model,
        settings=estimator_of(study.settings),
        data=panel,
        name=f"{study.title.say(lang) or study.name} · {place(where, texts, lang)}",
        by=by,
        where=where,
        notes=(*panel.notes, *few),
        seed=study.settings.seed if args.seed is None else args.seed,
        interval=interval,
        study=study,
        labels={c: texts[c] for c in study.model.names if c in texts},
        texts=texts,
    )


def _of_model(
    args: argparse.Namespace,
    lang: Language,
    others: Sequence[Path],
    settings: Callable[[argparse.Namespace], Estimator] | None,
) -> Source:
    """The model text, the columns of the file that it needs, and the options."""
    model, *rivals = [read_model(path, lang) for path in (args.model, *others)]
    estimator = settings(args) if settings is not None else typed_estimator(args)
    by, where = tuple(dict.fromkeys(listed(getattr(args, "by", None)))), _where(args)
    items = dict.fromkeys(item for one in (model, *rivals) for item in estimator.needs(one))
    design = (args.weight, args.unit, args.stratum)
    keys = [k for k in (*by, *where, args.unit, args.stratum) if k]
    file = read_plain(args.data, [*items, *([args.weight] if args.weight else [])], keys, listed(args.na))
    frame = file.frame if args.missing != "listwise" or not rivals else file.frame.drop_nulls(list(items))
    name = [] if "~" in str(args.model) else [args.model.name]
    return Source(
        model=model,
        settings=estimator,
        data=frame,
        name=" · ".join([*name, file.name]),
        by=by,
        where={column: as_written(frame[column], value) for column, value in where.items()},
        design=design,
        notes=file.notes,
        seed=1 if args.seed is None else args.seed,
        interval=getattr(args, "interval", None) or "percentile",
        scale=getattr(args, "scale", None),
        file=file,
    )


def typed_estimator(args: argparse.Namespace) -> Estimator:
    """The estimator of the options of a model text."""
    name = getattr(args, "estimator", "pls")
    if getattr(args, "consistent", False):
        name = "plsc"
    if not is_composite(name):
        return covariance_of(name, args.missing)
    higher, products = getattr(args, "higher_order", "two-stage"), getattr(args, "interaction", "two-stage")
    ways = Ways(cast("HigherOrder", higher), cast("Interaction", products))
    return composite_of(name, args.missing, getattr(args, "weighting", "path"), ways=ways)


def _where(args: argparse.Namespace) -> dict[str, str]:
    """Columns and values of --where.

    Raises:
        UsageError: an entry without a value.
    """
    found: dict[str, str] = {}
    for text in args.where or ():
        column, sign, value = text.partition("=")
        if not sign:
            raise UsageError(f"--where: {text}", Text("Write --where wave=2024.", "请写作 --where wave=2024。"))
        found[column.strip()] = value.strip()
    return found
