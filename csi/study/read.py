"""A study file as the fields of a `Study`; every problem of the study file, its codebook and its model at once."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from csi.errors import Language, Problem, Problems, problem
from csi.models.model import Model
from csi.models.nouns import Construct, Term
from csi.study.codebook import codebook_of, keys_of
from csi.study.crossed import crossed_problems
from csi.study.estimator import estimate_problems
from csi.study.explain import Held, held_to
from csi.study.fields import fields_of, files_of, settings_of
from csi.study.model import model_of
from csi.study.positions import Document, Loc, read_document
from csi.study.schema import StudyForm
from csi.study.schema_estimate import COVARIANCE
from csi.study.schema_survey import KeysForm
from csi.survey.codebook import KEY_ROLES, Codebook
from csi.survey.columns import missing_columns, pick, roles_of, used_columns
from csi.survey.readers import read_raw


def study_fields(path: str | Path) -> dict[str, Any]:
    """What a study file says, as the fields of `Study`.

    Raises:
        Problems: every problem at once, each with file, line and remedy, in the study's language.
    """
    path = Path(path)
    try:
        document = read_document(path)
    except Problems as error:
        raise Problems([*error.problems, *_codebook_beside(path)], error.lang) from error
    lang: Language = "zh" if document.data.get("language") == "zh" else "en"
    data = {key: value for key, value in document.data.items() if key != "codebook"}
    held = held_to(StudyForm, data, document, fill=stand_in)
    codebook, book, found = _codebook(path, document, held.form)
    sure = all(one.code in HARMLESS for one in found)
    problems = [*document.problems, *held.problems, *found]
    form, model = held.form, None
    if form is not None:
        model, found = _model(held, form, codebook, document, path.parent, lang, sure=sure)
        problems += [*found, *crossed_problems(held, form, codebook, model, document, path.parent)]
        if not held.faulty("estimate") and not held.faulty("replicate_weights"):
            settings = settings_of(form, codebook, model)
            problems += estimate_problems(form, settings, model, document, lang)
    if form is not None and problems:
        problems += _columns(held, form, codebook if sure else None, document, path.parent)
    if problems or form is None or codebook is None or model is None:
        raise Problems(problems, lang)
    return fields_of(path, form, codebook, model, document, book)


def answer_fields(path: Path) -> dict[str, Any] | None:
    """The fields of a study of which only the model is wrong, the codebook's constructs in its place, so that its
    answers can be read and told beside; None where anything else is wrong.
    """
    try:
        document = read_document(path)
        held = held_to(StudyForm, {k: v for k, v in document.data.items() if k != "codebook"}, document, fill=stand_in)
        codebook, book, found = _codebook(path, document, held.form)
    except Problems:
        return None
    form = held.form
    if form is None or codebook is None or document.problems or held.problems or found:
        return None
    if any(crossed_problems(held, form, codebook, None, document, path.parent)):
        return None
    blocks = {item.construct or item.name: codebook.items_of(item.construct) for item in codebook.items}
    model = Model(tuple(Construct(name, "=~", tuple(Term(i) for i in items)) for name, items in blocks.items()))
    return fields_of(path, form, codebook, model, document, book)


HARMLESS = ("E-SCALE", "E-COLUMN", "E-VALUE")
"""Problems of a codebook that leave no doubt about its items and constructs."""


def stand_in(at: Loc) -> object:
    """What a required value of the study file is taken for while the rest is checked."""
    match at:
        case ("csi",):
            return "1"
        case ("study",):
            return "unnamed"
        case ("data",):
            return [{"file": "."}]
        case ("data", int(), "file"):
            return "."
        case ("model",):
            return {}
    return None


def _model(
    held: Held[StudyForm],
    form: StudyForm,
    codebook: Codebook | None,
    document: Document,
    folder: Path,
    lang: Language,
    *,
    sure: bool,
) -> tuple[Model | None, list[Problem]]:
    """The model, unless the study file does not say which."""
    given = [one for one in (form.model.card, form.model.text, form.model.file) if one]
    if held.faulty("model") and len(given) != 1:
        return None, []
    covariance = form.estimate.estimator in COVARIANCE
    return model_of(form.model, codebook, document, folder, lang, sure=sure, covariance=covariance)


def _codebook_beside(path: Path) -> list[Problem]:
    """The problems of the codebook that an unreadable study file names."""
    named = path.is_file() and re.search(
        r"^codebook\s*[:：]\s*[\"']?([^\s\"'{#]+)", path.read_bytes().decode("utf-8", errors="replace"), re.MULTILINE
    )
    file = path.parent / named[1] if named else path.parent
    if not file.is_file():
        return []
    try:
        book = read_document(file)
    except Problems as error:
        return list(error.problems)
    return [*book.problems, *codebook_of(book.data, book, (), KeysForm())[1]]


def _columns(
    held: Held[StudyForm], form: StudyForm, codebook: Codebook | None, document: Document, folder: Path
) -> list[Problem]:
    """Columns that the exports lack, told together with what is wrong with the files that name them."""
    book = codebook or Codebook((), {}, {} if held.faulty("keys") else keys_of(form.keys))
    known = {*KEY_ROLES, *book.names}
    files = [
        replace(file, rename={n: c for n, c in file.rename.items() if codebook or n in known})
        for file in files_of(form, document, folder)
        if file.path.is_file() and not file.stream
    ]
    roles = roles_of(book, files)
    problems: list[Problem] = []
    for file in files:
        try:
            raw = read_raw(file, {*used_columns(book), *file.rename.values()})
        except Problems as error:
            problems += error.problems
        else:
            problems += missing_columns(pick(raw, file, book, roles), book, roles, alone=len(form.data) == 1)
    return problems


def _codebook(
    path: Path, document: Document, form: StudyForm | None
) -> tuple[Codebook | None, Document, list[Problem]]:
    """The codebook, inline or from its file, and the document it stands in."""
    value = document.data.get("codebook")
    keys = form.keys if form else StudyForm.model_fields["keys"].default
    if value is None:
        return None, document, [_no_codebook(document)]
    if not isinstance(value, str):
        codebook, problems = codebook_of(value, document, ("codebook",), keys)
        return codebook, document, problems
    try:
        book = read_document(path.parent / value, document.place(("codebook",)))
    except Problems as error:
        return None, document, list(error.problems)
    codebook, problems = codebook_of(book.data, book, (), keys)
    return codebook, book, [*book.problems, *problems]


def _no_codebook(document: Document) -> Problem:
    return problem(
        "E-KEY-MISSING",
        document.place(("codebook",)),
        'the key "codebook" is missing or blank.',
        "缺少键“codebook”，或其值为空。",
        "Name the codebook's file, or write scales, constructs and items under it.",
        "请写出编码簿的文件名，或在其下写 scales、constructs、items。",
    )
