"""The answers of a study, and the public door for answers with a codebook alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from csi.engines.spark import is_spark, spark_rows
from csi.errors import Language, Note, Problem, Problems, note, problem
from csi.moments.pools import check_executor
from csi.moments.streamed import Streamed
from csi.study.codebook import read_codebook
from csi.study.former import formers
from csi.study.replicated import answered_problems
from csi.study.streams import rows_of, streamed, streamed_rows, streams
from csi.study.weights import placed, weigh_groups, weighed, with_base
from csi.survey import read as survey
from csi.survey.codebook import Codebook
from csi.survey.columns import roles_of
from csi.survey.datafile import DataFile
from csi.survey.panel import Panel
from csi.survey.rules import Rules
from csi.survey.wave_changes import change_notes, wave_changes

if TYPE_CHECKING:
    from csi.study.study import Study


def read_study_panel(study: Study, aside: Sequence[str] = (), *, part: bool = False) -> Panel:
    """The answers of a study's files: waves, brands and stages in its order, its rules applied.

    Parameters:
        aside: keys of cells that are left aside when they hold what would stop the reading (see `Panel.aside`).
        part: they are added to others, so that a single answer sheet will do.

    Raises:
        Problems: everything that is wrong with the answers, in the study's language.
    """
    if streams(study):
        raise Problems([streamed(study).refusal], study.language)
    given = study.settings.replicate_weights
    plan, book = study.weighing, with_base(study.codebook, study.weighing)
    groups = {**study.settings.gating.columns, **study.settings.validating.columns}
    panel = _read(
        study,
        study.data,
        book,
        rules=study.rules,
        waves=study.waves,
        brands=tuple(study.brands),
        stages=tuple(study.stages),
        respondents=study.respondents,
        replicates=() if given is None else given.columns,
        groups={**groups, **weigh_groups(plan, book, groups)},
        renamed=study.renamed,
        lang=study.language,
        aside=aside,
        part=part,
        former=formers(study),
    )
    changes = wave_changes(panel.asked, panel.waves, formers(study), [b.wave for b in study.breaks])
    panel = replace(panel, notes=(*panel.notes, *change_notes(changes)))
    panel = replace(panel, notes=(*panel.notes, *outside_notes(study.path.parent, files_named(study))))
    if study.scales == "same":
        panel = replace(panel, unlike={}, notes=tuple(n for n in panel.notes if n.code != "W-SCALE-WAVE"))
    try:
        panel = weighed(panel, plan, part=part)
        found = answered_problems(given, panel)
    except Problems as error:
        raise Problems(error.problems, study.language) from error
    if found:
        raise Problems(found, study.language)
    return panel


def _read(study: Study, *args: Any, **said: Any) -> Panel:  # noqa: ANN401 - those of survey.read_panel
    """The answers; columns that weighing or raters need and no file has are told where the study file names them."""
    try:
        return survey.read_panel(*args, **said)
    except Problems as error:
        raise Problems(placed(_rated(error.problems, study), study.weighing), error.lang) from error


def _rated(problems: Sequence[Problem], study: Study) -> tuple[Problem, ...]:
    """Columns of raters that the answers lack, at the key that names them."""
    own = [f'"{c}"' for one in study.settings.validating.raters.values() for c in one.columns if not one.file]
    return tuple(
        replace(p, where="validation: raters") if p.where == "between" and any(c in p.what.en for c in own) else p
        for p in problems
    )


def files_named(study: Study) -> list[Path]:
    """Every file that a study names: answers, codebook, model, labels."""
    return [*(file.path for file in study.data), *study.beside]


def outside_notes(folder: Path, files: Sequence[Path]) -> Iterator[Note]:
    """A note on each file of a study that lies outside the folder of the study file, by its name or by a link."""
    home = folder.resolve()
    for file in files:
        if str(file) in {"", "."} or not file.exists() or file.resolve().is_relative_to(home):
            continue
        linked = file.absolute().parent.resolve().is_relative_to(home)
        how, how_zh = (
            ("a link leads there", "由链接指向") if linked else ("as the study file names it", "研究文件所写路径")
        )
        en = f"{file.name} lies outside the folder of the study file ({how}); who gets the folder does not get it."
        zh = f"{file.name} 位于研究文件所在文件夹之外（{how_zh}）；拿到该文件夹的人得不到该文件。"
        yield note("W-OUTSIDE", en, zh)


def read_panel(
    source: survey.Answers | Sequence[survey.Answers],
    codebook: Codebook | str | Path,
    *,
    rules: Rules = survey.STANDARD,
    keys: Mapping[str, str] | None = None,
    waves: Sequence[str] = (),
    brands: Sequence[str] = (),
    lang: Language = "en",
    stream: bool = False,
    executor: Executor | None = None,
) -> Panel | Streamed:
    """Answers with a codebook, no study file needed.

    Parameters:
        source: a path (CSV, Excel, Parquet, Arrow, SPSS, Stata), a polars or pandas frame, a `Query` of a database,
            or a list of them.
        codebook: a `Codebook`, or the path of a codebook.yaml.
        rules: what to do with doubtful rows and cells.
        keys: {role: column}, before the codebook's own: respondent, wave, brand, weight, stratum, cluster, stage,
            segment, duration.
        waves: the waves, oldest first. brands: the brands in order; other names in the data are then a problem.
        lang: language of the messages.
        stream: Parquet files are not read now but in passes that keep no row, by `csi.fit` and `csi.index`.
        executor: takes parts of streamed files (any of `concurrent.futures`; processes started by "spawn" or
            "forkserver", as a fork would wait for ever); threads of this process without.

    Returns:
        A `Panel`; where no row is held, of a Spark frame or with `stream`, `csi.moments.streamed.Streamed`.

    Raises:
        Problems: everything that is wrong with codebook and answers.

    Example:
        >>> import polars as pl
        >>> from csi.errors import Text
        >>> from csi.survey.codebook import Item, Scale
        >>> book = Codebook((Item("q1", "sat", Scale("ten", 1, 10), Text("Content", "满意")),), {}, {})
        >>> answers = pl.DataFrame({"q1": [7, 9, None], "w": ["2024Q1", "2024Q2", "2024Q2"]})
        >>> panel = read_panel(answers, book, keys={"wave": "w"})
        >>> panel.waves, panel.frame.height
        (('2024Q1', '2024Q2'), 2)
    """
    check_executor(executor, lang)
    book = codebook if isinstance(codebook, Codebook) else read_codebook(codebook, lang)
    if keys:
        book = replace(book, keys={**book.keys, **keys})
    if is_spark(source):
        rows = spark_rows(source, book, roles_of(book, [SPARK]), SPARK, _fastest(rules))
        return streamed_rows(rows, book, rules, waves, brands, lang=lang)
    if stream:
        files = rows_of(_files(source), book, _fastest(rules), executor)
        return streamed_rows(files, book, rules, waves, brands, lang=lang)
    panel = survey.read_panel(source, book, rules=rules, waves=waves, brands=brands, lang=lang)
    return replace(panel, notes=(*panel.notes, *change_notes(wave_changes(panel.asked, panel.waves))))


SPARK = DataFile(Path("spark"))
"""A frame of a cluster, as files are described."""


def _fastest(rules: Rules) -> float:
    """Seconds below which a pass leaves a row out."""
    return rules.speeders_seconds if rules.speeders == "drop" else 0.0


def _files(source: object) -> list[DataFile]:
    """Parquet files that were named.

    Raises:
        Problems: E-STREAM for frames, which are in memory already.
    """
    sources = list(source) if isinstance(source, list | tuple) else [source]
    files = []
    for one in sources:
        if not isinstance(one, str | Path | DataFile):
            en, zh = (
                "stream=True reads Parquet files; this is a frame.",
                "stream=True 用于 Parquet 文件，而这是数据框。",
            )
            do, do_zh = "Leave out stream.", "请删去 stream。"
            raise Problems([problem("E-STREAM", "source", en, zh, do, do_zh)])
        files.append(one if isinstance(one, DataFile) else DataFile(Path(one)))
    return files
