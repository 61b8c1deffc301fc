"""What a study file says of its questionnaire's validation, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from csi.errors import Problem, Text, did_you_mean, problem
from csi.measures.questionnaire.validating import Rated, Validating
from csi.study.positions import Document, Loc
from csi.study.schema import StudyForm
from csi.study.schema_telling import GroupForm, KnownForm, RatersForm
from csi.survey.codebook import KEY_ROLES, Codebook

TWO = 2
"""Waves of a retest."""


def validating_of(form: StudyForm, codebook: Codebook | None) -> Validating:
    """The validation as the study file says it."""
    said = form.validation
    named: list[tuple[str, GroupForm | KnownForm]] = [
        *((g.name, g) for g in said.groups),
        *((k.by, k) for k in said.known),
    ]
    held = {*KEY_ROLES, *(() if codebook is None else codebook.names)}
    rated = {c: c for one in said.raters.values() if not one.file for c in one.columns if c not in held}
    return Validating(
        scales={name: tuple(items) for name, items in said.scales.items()},
        groups=tuple(dict.fromkeys(g.name for g in said.groups)),
        known={k.by: tuple(k.low_to_high) for k in said.known},
        columns={name: one.column or name for name, one in named if one.column or name not in KEY_ROLES} | rated,
        labels={name: _label(name, one) for name, one in (*named, *said.raters.items())},
        criterion=tuple(said.criterion),
        marker=tuple(said.marker),
        methods={trait: {m: _listed(i) for m, i in of.items()} for trait, of in said.methods.items()},
        retest=tuple(said.retest),
        raters={
            name: Rated(tuple(one.columns), one.unit, one.rater, one.score, tuple(one.values), one.file)
            for name, one in said.raters.items()
        },
        short=said.short,
        keep=tuple(said.keep),
    )


def _label(name: str, one: GroupForm | KnownForm | RatersForm) -> Text:
    return Text(one.en or one.zh or name, one.zh or one.en or name)


def _listed(items: Sequence[str] | str) -> tuple[str, ...]:
    return (items,) if isinstance(items, str) else tuple(items)


def validating_problems(form: StudyForm, codebook: Codebook, document: Document, folder: Path) -> Iterator[Problem]:
    """Items nobody listed, items twice in a scale, a retest of waves or ratings of raters that are not there."""
    said, names = form.validation, codebook.names
    for construct, items in said.scales.items():
        yield from _items(items, names, ("validation", "scales", construct), document)
        if not items:
            en, zh = f'the scale "{construct}" has no items.', f"量表“{construct}”没有题项。"
            place = document.place(("validation", "scales", construct))
            yield problem("E-SCALES", place, en, zh, "Name its items.", "请写明题项。")
    for key, given in (("criterion", said.criterion), ("marker", said.marker), ("keep", said.keep)):
        yield from _items(given, names, ("validation", key), document)
    for trait, of in said.methods.items():
        for method, units in of.items():
            yield from _items(_listed(units), names, ("validation", "methods", trait, method), document)
    yield from _retest(form, document)
    for name, one in said.raters.items():
        yield from _raters(one, ("validation", "raters", name), document, folder)


def _raters(said: RatersForm, loc: Loc, document: Document, folder: Path) -> Iterator[Problem]:
    """Neither columns nor a long table, or both; fewer than two raters; no such file."""
    place = document.place(loc)
    long = [said.unit, said.rater, said.score]
    twice = [c for k, c in enumerate(said.columns) if c in said.columns[:k]]
    do = "Write `columns: [first, second]`, or `file`, `unit`, `rater` and `score` of a long table."
    do_zh = "请写 columns: [评分者一, 评分者二]，或写明长表的 file、unit、rater 与 score。"
    if bool(said.columns) == any(long):
        en, zh = "raters are columns, or the columns of a long table.", "评分者须为若干列，或长表中的列。"
        yield problem("E-RATINGS", place, en, zh, do, do_zh)
    elif any(long) and not (all(long) and said.file):
        en, zh = "a long table needs file, unit, rater and score.", "长表需要 file、unit、rater 与 score。"
        yield problem("E-RATINGS", place, en, zh, do, do_zh)
    elif said.columns and len(set(said.columns)) < TWO:
        en, zh = "two raters (columns) or more are needed.", "至少需要两位评分者（两列）。"
        yield problem("E-RATINGS", place, en, zh, do, do_zh)
    elif twice:
        en, zh = f'column "{twice[0]}" is listed twice.', f"列“{twice[0]}”重复列出。"
        yield problem("E-TWICE", place, en, zh, "Keep one of them.", "请只保留一个。")
    if said.file and not (folder / said.file).is_file():
        hint = did_you_mean(said.file, [p.name for p in folder.iterdir()] if folder.is_dir() else [])
        yield Problem("E-FILE", place, Text(f'there is no file "{said.file}".', f"文件“{said.file}”不存在。"), hint)


def _items(items: Sequence[str], names: Sequence[str], loc: Loc, document: Document) -> Iterator[Problem]:
    for number, item in enumerate(items):
        place = document.place((*loc, number))
        if item not in names:
            hint = did_you_mean(item, names)
            yield Problem("E-ITEM", place, Text(f'unknown item "{item}".', f"未知的题项“{item}”。"), hint)
        elif item in items[:number]:
            en, zh = f'item "{item}" is listed twice.', f"题项“{item}”重复列出。"
            yield problem("E-TWICE", place, en, zh, "Keep one of them.", "请只保留一个。")


def _retest(form: StudyForm, document: Document) -> Iterator[Problem]:
    waves, order = form.validation.retest, form.waves.order
    if not waves:
        return
    place = document.place(("validation", "retest"))
    if len(set(waves)) != TWO:
        en, zh = "a retest compares two different waves.", "重测须给出两个不同的期次。"
        yield problem("E-WAVE", place, en, zh, "Write retest: [first, second].", "请写 retest: [第一期, 第二期]。")
    for number, wave in enumerate(waves):
        if order and wave not in order:
            hint = did_you_mean(wave, order, every=True)
            what = Text(f'unknown wave "{wave}".', f"未知的期“{wave}”。")
            yield Problem("E-WAVE", document.place(("validation", "retest", number)), what, hint)
