"""`csi missing STUDY`: absent answers: why, in which patterns, by chance or not, the index under each treatment."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping

import polars as pl

from csi.cli.answer import Answer, Grid
from csi.cli.grids import HEADINGS, each, grid
from csi.cli.studied import names, study_argument
from csi.cli.to import check_to, to_argument, write_to
from csi.errors import Language, Note, Problems, Text, note, problem
from csi.reporting.section import Kind
from csi.reporting.words import answering as words
from csi.study import Study, read_study
from csi.study.missingness import Missingness, missingness

KEYS = ("brand", "wave")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The study file, imputed copies, a file of tables."""
    study_argument(parser)
    what = "imputed copies for the index by multiple imputation (the study's own number)"
    parser.add_argument("--imputations", type=int, metavar="M", help=what)
    to_argument(parser)


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """What the study does about absences; items, reasons, patterns, tests, treatments."""
    check_to(args.to)
    if args.imputations is not None and args.imputations < 2:
        en, zh = f"{args.imputations} imputation says nothing about its own uncertainty.", "插补次数不足两次。"
        raise Problems([problem("E-IMPUTE", "--imputations", en, zh, "Write 20, say.", "例如 20。")], lang)
    study = read_study(args.study)
    found = missingness(study, imputations=args.imputations or 0)
    texts = {**names(study, lang), **words.REASONS}
    whole = found.tests.row(0, named=True)
    said = words.by_chance(whole["p_value"])
    blocks: list[str | Grid] = [study.title.say(lang) or study.name, *(step.say(lang) for step in found.steps)]
    keys = [k for k in KEYS if k in found.tests.columns]
    own = found.tests.filter(pl.any_horizontal(pl.col(k).is_not_null() for k in keys)) if keys else found.tests.clear()
    several = words.cells_by_chance(own["p_value"].drop_nulls().to_list())
    blocks += [*(one.say(lang) for one in (said, several) if one.en), *_grids(found, texts, lang)]
    frames = {
        "items": (words.ABSENT_ITEMS, found.items),
        "reasons": (words.ABSENT_REASONS, found.reasons),
        "patterns": (words.PATTERNS, found.patterns),
        "tests": (words.LITTLE, found.tests),
        "treatments": (words.TREATMENTS, found.treatments),
    }
    kept = {name: pair for name, pair in frames.items() if pair[1].height}
    files = write_to(args.to, study.title, kept, lang, {**words.HEADINGS, **words.ABSENT}, texts)
    data: dict[str, object] = {name: frame for name, (_, frame) in frames.items()}
    data["steps"] = [step.say(lang) for step in found.steps]
    return Answer((*blocks, *files), data, (*found.notes, *_notes(study, found)))


def _grids(found: Missingness, texts: Mapping[str, Text], lang: Language) -> Iterator[Grid]:
    """What a person reads; `--json` and `--to` hold every cell."""
    heads = {**HEADINGS, **words.ABSENT}
    some = found.items.filter(pl.col("share") > 0)
    if some.height:
        yield grid(some, words.ABSENT_KINDS, lang, words.ABSENT_ITEMS, texts, heads)
    if found.reasons.height:
        keys = [k for k in KEYS if k in found.reasons.columns]
        whole = found.reasons.filter(pl.all_horizontal(pl.col(k).is_null() for k in keys)) if keys else found.reasons
        shaped = whole.pivot("reason", index="item", values="absent", maintain_order=True)
        kinds: dict[str, Kind] = {"item": "text", **each([c for c in shaped.columns if c != "item"], "count")}
        yield grid(shaped, kinds, lang, words.ABSENT_REASONS, texts, {**heads, **words.REASONS})
    if found.patterns.height:
        yield grid(_named(found.patterns, texts, lang), words.PATTERN_KINDS, lang, words.PATTERNS, None, heads)
    keys = [k for k in KEYS if k in found.tests.columns]
    yield _by_cell(found.tests, keys, words.LITTLE_KINDS, words.LITTLE, texts, lang)
    if found.treatments.height:
        shown = {c: k for c, k in words.TREATMENT_KINDS.items() if found.treatments[c].count()}
        yield _by_cell(found.treatments, keys, shown, words.TREATMENTS, texts, lang)


def _by_cell(
    frame: pl.DataFrame,
    keys: list[str],
    kinds: Mapping[str, Kind],
    title: Text,
    texts: Mapping[str, Text],
    lang: Language,
) -> Grid:
    """The line of all cells, and those of the latest wave."""
    every = pl.all_horizontal(pl.col(k).is_null() for k in keys) if keys else pl.lit(value=True)
    waves = frame["wave"].drop_nulls().unique(maintain_order=True).to_list() if "wave" in keys else []
    last = pl.col("wave") == waves[-1] if waves else pl.lit(value=True)
    mine = pl.concat([frame.filter(every), frame.filter(last & ~every)]) if keys else frame
    word = Text("all cells", "全部单元").say(lang)
    mine = mine.with_columns(pl.col(k).fill_null(word if k == keys[0] else "") for k in keys)
    return grid(mine, {**each(keys, "text"), **kinds}, lang, title, texts, {**HEADINGS, **words.ABSENT})


def _named(patterns: pl.DataFrame, texts: Mapping[str, Text], lang: Language) -> pl.DataFrame:
    """Patterns by the labels of their items; nothing left out, and the rest, in words."""
    none, rest = (
        Text("nothing", "无缺失").say(lang),
        Text("others, of few rows each", "其他（各不足最低份数）").say(lang),
    )
    comma = ", " if lang == "en" else "、"
    said = []
    for absent in patterns["absent"]:
        items = absent.split(", ") if absent else []
        short = [texts.get(i, Text(i, i)).say(lang) for i in items[:3]]
        more = f" +{len(items) - 3}" if len(items) > 3 else ""
        said.append(rest if absent is None else (comma.join(short) + more or none))
    return patterns.with_columns(pl.Series("absent", said, dtype=pl.String))


def _notes(study: Study, found: Missingness) -> Iterator[Note]:
    """What the test assumes, and what is withheld."""
    yield note(
        "N-MISSING-LITTLE",
        "Little's test is for large samples of normal answers and compares means between patterns; every cell has its "
        "own, so some are small by chance. Absences may depend on what is answered, or on what is not.",
        "Little 检验以大样本正态回答为前提，比较各模式的均值；各单元分别检验，偶有显著。缺失也可能依赖未答内容。",
    )
    small = study.settings.small
    if found.treatments.height and found.treatments["reason"].count():
        yield note(
            "N-MISSING-WITHHELD",
            f"Treatments are told only where they differ by no row or by {small} and more.",
            f"仅在处理之间相差 0 份或不少于 {small} 份答卷时给出其他处理的指数。",
        )
