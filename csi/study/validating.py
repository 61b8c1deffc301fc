"""What a study file says of its questionnaire's validation, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from csi.errors import Problem, Text, did_you_mean, problem
from csi.measures.questionnaire.validating import Validating
from csi.study.positions import Document, Loc
from csi.study.schema import StudyForm
from csi.study.schema_telling import GroupForm, KnownForm
from csi.survey.codebook import KEY_ROLES, Codebook

TWO = 2
"""Waves of a retest."""


def validating_of(form: StudyForm) -> Validating:
    """The validation as the study file says it."""
    said = form.validation
    named: list[tuple[str, GroupForm | KnownForm]] = [
        *((g.name, g) for g in said.groups),
        *((k.by, k) for k in said.known),
    ]
    return Validating(
        scales={name: tuple(items) for name, items in said.scales.items()},
        groups=tuple(dict.fromkeys(g.name for g in said.groups)),
        known={k.by: tuple(k.low_to_high) for k in said.known},
        columns={name: one.column or name for name, one in named if one.column or name not in KEY_ROLES},
        labels={name: _label(name, one) for name, one in named},
        criterion=tuple(said.criterion),
        marker=tuple(said.marker),
        methods={trait: {m: _listed(i) for m, i in of.items()} for trait, of in said.methods.items()},
        retest=tuple(said.retest),
        short=said.short,
        keep=tuple(said.keep),
    )


def _label(name: str, one: GroupForm | KnownForm) -> Text:
    return Text(one.en or one.zh or name, one.zh or one.en or name)


def _listed(items: Sequence[str] | str) -> tuple[str, ...]:
    return (items,) if isinstance(items, str) else tuple(items)


def validating_problems(form: StudyForm, codebook: Codebook, document: Document) -> Iterator[Problem]:
    """Items nobody listed, items twice in a scale, a retest of waves that are not there."""
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
