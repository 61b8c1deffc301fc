"""Answers that a study does not read whole: Parquet in passes, or a table of a Spark session."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Final

from csi.engines.spark import SparkRows, spark_rows, table_of
from csi.errors import Language, Note, Problem, Problems, Text, note, problem
from csi.moments.pools import check_executor
from csi.moments.stream_files import Files
from csi.moments.streamed import Streamed
from csi.study.former import formers
from csi.study.positions import Document
from csi.study.schema import StudyForm
from csi.survey.codebook import Codebook
from csi.survey.columns import roles_of
from csi.survey.datafile import DataFile
from csi.survey.parquet_answers import PARQUET, parquet_files
from csi.survey.rule_words import RULE_WORDS
from csi.survey.rules import Rules, active

if TYPE_CHECKING:
    from csi.study.study import Study

ROWWISE = {"drop", "first", "last"}
"""Actions of rules that leave out rows."""
PASSED = {"empty_rows", "speeders"}
"""Rules that a pass can follow: a row without answers has no complete answer either, and seconds stand in the row."""


def streams(study: Study) -> bool:
    """Whether no row of the study's answers is to be held."""
    return any(file.stream or file.spark for file in study.data)


def stream_problems(form: StudyForm, document: Document) -> Iterator[Problem]:
    """Files that are no one source, and sources that cannot stand beside each other."""
    for number, file in enumerate(form.data):
        if file.spark and (file.file or file.sql):
            en, zh = "a file or a spark table is expected, one of them.", "应写 file 或 spark，二者之一。"
            do = "Write {file: answers.parquet, stream: yes} or {spark: survey.answers}."
            do_zh = "请写 {file: answers.parquet, stream: yes} 或 {spark: survey.answers}。"
            yield problem("E-STREAM", document.place(("data", number)), en, zh, do, do_zh)
    kinds = {"spark" if f.spark else "stream" if f.stream else "whole" for f in form.data}
    if len(kinds) > 1 or (kinds == {"spark"} and len(form.data) > 1):
        en, zh = (
            "streamed files, tables and files that are read whole do not mix.",
            "流式文件、Spark 表与整体读取的文件不能混用。",
        )
        do, do_zh = "Stream all files, or name one table.", "请全部写 stream: yes，或只写一个 Spark 表。"
        yield problem("E-STREAM", document.place(("data",)), en, zh, do, do_zh)


ACTIONS = {"flag": Text("flag", "标记"), "drop": Text("drop", "剔除")}


def applied(rules: Rules, roles: Sequence[str]) -> tuple[str, ...]:
    """The rules that a pass follows: answers and rows of which no other row need be known.

    Example:
        >>> applied(Rules(speeders="drop"), ["duration"])
        ('out_of_range', 'not_a_number', 'empty_rows', 'speeders')
    """
    found = ["out_of_range", "not_a_number"]
    found += ["duplicates"] if "respondent" in roles and rules.duplicates == "stop" else []
    found += ["empty_rows"] if rules.empty_rows == "drop" else []
    return (*found, *(["speeders"] if rules.speeders == "drop" and "duration" in roles else []))


def unapplied(rules: Rules, roles: Sequence[str]) -> tuple[str, ...]:
    """The rules that are on, have what they need, and are not followed by a pass.

    Example:
        >>> unapplied(Rules(speeders="flag"), ["duration"])
        ('speeders', 'straight_lining')
    """
    done = applied(rules, roles)
    return tuple(r for r in (*active(rules, roles), "empty_rows") if r not in done)


def rule_notes(rules: Rules, roles: Sequence[str]) -> tuple[Note, ...]:
    """Which rules of a study were not applied to its streamed answers."""
    left = [(RULE_WORDS[name].label, ACTIONS[str(getattr(rules, name))]) for name in unapplied(rules, roles)]
    if not left:
        return ()
    few, few_zh = ", ".join(f"{r.en} ({a.en})" for r, a in left), "、".join(f"{r.zh}（{a.zh}）" for r, a in left)
    en = f"Rules not applied, as they need rows and a stream keeps none: {few}. No row was flagged; they drop none."
    zh = f"以下规则需要原始数据行，流式读取未执行：{few_zh}。"
    return (note("N-STREAM-RULES", en, f"{zh}未标记任何行；这些规则也不剔除行。"),)


LARGE: Final = 0.05
"""A Parquet file larger than this share of the machine's memory is told: read whole it takes many times its size."""


def large_notes(files: Sequence[DataFile], memory: int | None = None) -> Iterator[Note]:
    """A note on Parquet files that are read whole and are large beside the memory of the machine.

    Parameters:
        memory: bytes there are; None asks the machine.
    """
    have = _memory() if memory is None else memory
    for file in files:
        if file.stream or file.path.suffix.lower() not in PARQUET or not file.path.is_file():
            continue
        size = file.path.stat().st_size
        if have and size > LARGE * have:
            share = f"{100 * size / have:.0f} %"
            en = f"{file.path.name} has {size / 2**20:,.0f} MB, {share} of the memory, and is read whole; with"
            en += " stream: yes beside its name `csi index` and `csi fit` read it in passes that keep no row."
            zh = f"{file.path.name} 为 {size / 2**20:,.0f} MB，占内存的 {share}，且整体读取；在文件名旁写 stream: yes，"
            yield note("N-STREAM-LARGE", en, f"{zh}csi index 与 csi fit 即以流式读取，不保留原始数据行。")


def _memory() -> int:
    """Bytes of memory; 0 where the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 0


def streamed(study: Study, executor: Executor | None = None) -> Streamed:
    """The answers of a study whose files are streamed, or whose table is on Spark.

    Parameters:
        executor: takes parts of the files (processes started by "spawn" or "forkserver"); threads of this process
            without.

    Raises:
        Problems: files that cannot be streamed, rules and former scales that need rows.
    """
    check_executor(executor, study.language)
    found = [*_rules(study.rules)]
    if formers(study):
        en, zh = "scales that changed between waves are turned row by row.", "跨期变更的量表须逐行转换。"
        do, do_zh = (
            "Read the files whole, or stream the waves of one scale.",
            "请整体读取，或只流式读取同一量表的各期。",
        )
        found.append(problem("E-STREAM", "waves: breaks", en, zh, do, do_zh))
    if study.weighing is not None:
        en, zh = "weights are made row by row (raking, post-stratification).", "加权（边际校准、事后分层）须逐行进行。"
        do = "Weigh once, write the weights into the Parquet file, and name their column under keys: weight."
        do_zh = "请先完成加权并把权重写入 Parquet 文件，再在 keys 中写明 weight 列。"
        found.append(problem("E-STREAM", "weights", en, zh, do, do_zh))
    if study.settings.replicate_weights is not None:
        en, zh = "replicate weights are columns of rows.", "重复权重须逐行使用。"
        found.append(
            problem(
                "E-STREAM",
                "replicate_weights",
                en,
                zh,
                "Leave them out, or read the file whole.",
                "请删去，或整体读取文件。",
            )
        )
    if found:
        raise Problems(found, study.language)
    fastest = study.rules.speeders_seconds if study.rules.speeders == "drop" else 0.0
    rows = rows_of(study.data, study.codebook, fastest, executor)
    return streamed_rows(
        rows, study.codebook, study.rules, study.waves, tuple(study.brands), study.renamed, study.language
    )


def rows_of(
    files: Sequence[DataFile], codebook: Codebook, fastest: float = 0.0, executor: Executor | None = None
) -> Files | SparkRows:
    """Where the rows are."""
    roles = roles_of(codebook, files)
    if files and files[0].spark:
        return spark_rows(table_of(files[0].spark), codebook, roles, files[0], fastest)
    found = tuple(replace(one, fastest=fastest) for one in parquet_files(files, codebook, roles))
    return Files(found, roles, executor)


def streamed_rows(
    rows: Files | SparkRows,
    codebook: Codebook,
    rules: Rules,
    waves: Sequence[str] = (),
    brands: Sequence[str] = (),
    renamed: Mapping[str, str] | None = None,
    lang: Language = "en",
) -> Streamed:
    """Streamed answers under the rules that a pass can follow.

    Raises:
        Problems: E-STREAM for rules that need rows.
    """
    found = [*_rules(rules)]
    if found:
        raise Problems(found, lang)
    return Streamed(
        rows,
        codebook,
        stop=rules.out_of_range == "stop",
        words=rules.not_a_number == "stop",
        waves=tuple(waves),
        brands=tuple(brands),
        renamed=renamed or {},
        lang=lang,
    )


def _rules(rules: Rules) -> Iterator[Problem]:
    """Rules that leave out rows for what stands in other rows, or in a whole row."""
    for one in fields(rules):
        if str(getattr(rules, one.name)) in ROWWISE and one.name not in PASSED:
            said = f"{one.name}: {getattr(rules, one.name)}"
            en = f"{said} looks at whole rows or at several, which a stream does not hold."
            zh = f"{said} 需要整行或多行数据，流式读取无法执行。"
            do, do_zh = (
                "Flag instead, or write the cleaned rows to Parquet once.",
                "请改为 flag，或先将清理后的数据另存为 Parquet。",
            )
            if one.name == "duplicates":
                do, do_zh = do.replace("Flag", "Write stop"), do_zh.replace("flag", "stop")
            yield problem("E-STREAM", f"rules: {one.name}", en, zh, do, do_zh)
