"""`csi check STUDY` where no row of the answers is held: files, rules, cells and codes from one pass and the files."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

import polars as pl

from csi.cli.answer import FINE, PROBLEMS, Answer
from csi.cli.grids import each, grid
from csi.cli.progress import working
from csi.cli.streamed import READING, left_out
from csi.cli.studied import names
from csi.errors import Language, Problems, Text
from csi.moments.stack import Moments
from csi.moments.streamed import Streamed
from csi.pls.blueprint import composite_problems
from csi.reporting.section import Kind
from csi.study import Study
from csi.study.estimator import estimator_of
from csi.study.fitted import CELLS
from csi.study.grown import renamed_notes
from csi.study.streams import applied, streamed, unapplied
from csi.study.tables import all_events
from csi.tracking.index_variance import kish_n
from csi.tracking.waves import wave_order

COMPLETE = Text("Answers to the model's items by cell", "各单元模型题项的有效答卷")
CODED = Text("Codes of no answer", "表示未作答的代码")
HEADINGS = {
    "rule": Text("rule", "规则"),
    "action": Text("action", "处理"),
    "cells": Text("cells", "单元格数"),
    "reason": Text("reason", "原因"),
    "applied": Text("applied in the pass", "流式读取中执行"),
    "base": Text("base", "样本量提示"),
}
MORE = {
    "yes": Text("yes", "是"),
    "no": Text("no: it needs rows", "否：需要原始数据行"),
    "small": Text("too small to be published", "不足以发布"),
}
ELSE = Text(
    "Waves told apart by respondents, mode and interviewers, tables of events and the models of --models need rows.",
    "期间受访者重叠、调查方式与访员、事件表及 --models 所列模型需要原始数据行。",
)


def check_of_stream(study: Study, args: argparse.Namespace, lang: Language) -> Answer:
    """What one pass says of the answers to the model's items."""
    from csi.cli.check import (  # it imports this file
        ALL_GOOD,
        FILE_COLUMNS,
        FILE_KINDS,
        FILES,
        RULES,
        WORDS,
        file_told,
        future_notes,
        nothing_told,
        overview,
    )
    from csi.cli.check import HEADINGS as KNOWN  # likewise

    rows, moments = _passed(study, args, lang)
    problems = () if study.settings.covariance else tuple(composite_problems(study.model))
    origins = rows.rows.origins()
    cells, rules, coded = _cells(study, moments), _rules(study, rows), _coded(rows)
    waves = wave_order(cells) if "wave" in cells.columns else []
    brands = cells["brand"].unique(maintain_order=True).to_list() if "brand" in cells.columns else []
    none = nothing_told(study, cells)
    files = pl.DataFrame([file_told(one, lang) for one in origins], FILE_COLUMNS, orient="row")
    words = {**WORDS, **MORE}
    rule_kinds: dict[str, Kind] = dict.fromkeys(("rule", "action", "applied"), "text")
    coded_kinds: dict[str, Kind] = {"reason": "text", "cells": "count"}
    return Answer(
        blocks=(
            overview(study, waves, brands, int(moments.n.sum()), lang),
            grid(files, FILE_KINDS, lang, FILES, headings=KNOWN),
            grid(rules, rule_kinds, lang, RULES, words, HEADINGS),
            *([grid(coded, coded_kinds, lang, CODED, words, HEADINGS)] if coded.height else []),
            grid(cells, _kinds(cells), lang, COMPLETE, {**names(study, lang), **MORE, "": Text("", "")}, HEADINGS),
            ELSE.say(lang),
            *([] if problems or none else [ALL_GOOD.say(lang)]),
        ),
        data={
            "study": {"name": study.name, "sha256": study.sha256, "model": study.model.card or "text"},
            "files": origins,
            "rules": rules,
            "cells": cells,
            "absent": coded,
        },
        notes=(
            *moments.notes,
            *future_notes(waves, datetime.now(UTC).date()),
            *left_out(study, rows),
            *(() if problems else renamed_notes(study)),
            *((none,) if none else ()),
        ),
        problems=problems,
        code=PROBLEMS if problems else FINE,
        notes_first=True,
    )


def _passed(study: Study, args: argparse.Namespace, lang: Language) -> tuple[Streamed, Moments]:
    """The moments of the model's items in every brand and wave.

    Raises:
        Problems: of the answers and of the tables of events together.
    """
    _, found = all_events(study)
    estimator = estimator_of(study.settings)
    try:
        rows = streamed(study)
        by = [k for k in CELLS if k in rows.rows.roles]
        with working(READING.say(lang), quiet=args.quiet):
            moments = rows.moments(estimator.needs(study.model), by, missing=estimator.missing)
    except Problems as error:
        raise Problems([*error.problems, *found], study.language) from error
    if found:
        raise Problems(found, study.language)
    return rows, moments


def _cells(study: Study, moments: Moments) -> pl.DataFrame:
    """Answers and effective answers of each cell, and whether they are enough to be published."""
    few = pl.when(pl.col("n") < study.settings.small).then(pl.lit("small")).otherwise(pl.lit(""))
    return moments.cells.with_columns(n_effective=pl.Series(kish_n(moments)), base=few)


def _kinds(cells: pl.DataFrame) -> dict[str, Kind]:
    """How the cells are printed: effective answers only where weights make them fewer."""
    kinds: dict[str, Kind] = {**each([k for k in CELLS if k in cells.columns], "text"), "n": "count"}
    if ((cells["n"] - cells["n_effective"]).abs() > 0.5).any():
        kinds["n_effective"] = "count"
    return {**kinds, "base": "text"} if (cells["base"] != "").any() else kinds


def _rules(study: Study, rows: Streamed) -> pl.DataFrame:
    """The rules that are on, and whether the pass followed them."""
    roles = rows.rows.roles
    told = [(r, "yes") for r in applied(study.rules, roles)] + [(r, "no") for r in unapplied(study.rules, roles)]
    found = [(rule, str(getattr(study.rules, rule)), done) for rule, done in told]
    return pl.DataFrame(found, dict.fromkeys(("rule", "action", "applied"), pl.String), orient="row")


def _coded(rows: Streamed) -> pl.DataFrame:
    """How many answers are a code of no answer, by reason."""
    known: dict[str, dict[str, list[float]]] = {}
    for item in rows.codebook.names:
        for code, why in rows.codebook[item].scale.missing.items():
            if (number := _number(code)) is not None:
                known.setdefault(why, {}).setdefault(item, []).append(number)
    counts = [(why, sum(rows.rows.coded(codes, {}).values())) for why, codes in known.items()]
    return pl.DataFrame([c for c in counts if c[1]], {"reason": pl.String, "cells": pl.Int64}, orient="row").sort(
        "cells", descending=True
    )


def _number(code: str) -> float | None:
    try:
        return float(code)
    except ValueError:
        return None
