"""The model a study names: a card filled from the codebook, or lavaan text here or in a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from csi.claims.blocks import blocks_of
from csi.errors import Language, Problem, Problems, Text, did_you_mean, problem
from csi.models.cards import read_card
from csi.models.check import check_composites
from csi.models.model import Construct, Model, Term
from csi.study.positions import Document, Loc
from csi.study.schema_estimate import ModelForm
from csi.survey.codebook import Codebook

OF_CODEBOOK = ("E-ITEM", "E-ROLE", "E-ITEM-TWICE")
"""Problems of a model that a faulty codebook may have caused; they are told once the codebook is right."""


def model_of(
    form: ModelForm,
    codebook: Codebook | None,
    document: Document,
    folder: Path,
    lang: Language,
    *,
    sure: bool = True,
    covariance: bool = False,
) -> tuple[Model | None, list[Problem]]:
    """The model, or None, and every problem, each at its line of the study file (or of the model's own file).

    `sure` is False when names or constructs of the codebook are faulty, so that what it lacks is not yet known.
    `covariance` says that the model is for a covariance engine.
    """
    given = [name for name in ("card", "text", "file") if getattr(form, name)]
    if len(given) != 1:
        return None, [_one_of_three(given, document)]
    book = codebook or Codebook((), {}, {})
    sure = sure and codebook is not None
    try:
        if form.card:
            model = _from_card(form, book, folder, lang, covariance=covariance)
        else:
            model = _from_text(form, document, folder, lang)
        if form.card or measured(model):
            where = document.place(("model", given[0]))
            found = [*_unknown_items(model, book, document, given[0])]
            found += [replace(one, where=_join(where, one.where)) for one in _checked(model, covariance=covariance)]
        elif not sure:
            return None, []
        else:
            model = with_items(model, book, lang)
            where = document.place(("model", given[0]))
            found = [replace(one, where=_join(where, one.where)) for one in _checked(model, covariance=covariance)]
    except Problems as error:
        model, found = None, [_placed(one, form, document) for one in error.problems]
    return model, [one for one in found if sure or one.code not in OF_CODEBOOK]


def _checked(model: Model, *, covariance: bool) -> list[Problem]:
    """What keeps a model from being fitted; a covariance engine takes constructs that no arrow touches (a measurement
    model), shared items and circles.
    """
    return [one for one in check_composites(model) if not covariance or one.code == "E-CONSTRUCT"]


def measured(model: Model) -> bool:
    """Whether a model says how any of its constructs is measured."""
    return any(construct.indicators for construct in model.constructs)


def with_items(model: Model, codebook: Codebook, lang: Language) -> Model:
    """A model of paths alone, its constructs measured by the codebook's items of the same constructs.

    Raises:
        Problems: names that the codebook has no items for; one problem when that is all of them.

    Example:
        >>> from csi.survey.codebook import Item, Scale
        >>> ten = Scale("ten", 1, 10)
        >>> items = (Item("q1", "quality", ten, Text("", "")), Item("s1", "satisfaction", ten, Text("", "")))
        >>> print(with_items(Model.parse("satisfaction ~ quality"), Codebook(items, {}, {}), "en"))
        quality =~ q1
        satisfaction =~ s1
        satisfaction ~ quality
    """
    products = {c.name: c.product_of for c in model.constructs if c.product_of}
    used = dict.fromkeys(n for path in model.paths for n in (path.outcome, path.predictor.name))
    names = dict.fromkeys(part for name in used for part in products.get(name, (name,)))
    have = list(dict.fromkeys(item.construct for item in codebook.items if item.construct))
    unknown = [name for name in names if name not in have]
    if len(unknown) == len(names):
        raise Problems([_unmeasured(have)], lang)
    if unknown:
        raise Problems([_no_such_construct(name, have) for name in unknown], lang)
    blocks = (
        Construct(name, "=~", tuple(Term(i) for i in codebook.items_of(name, "P") or codebook.items_of(name)))
        for name in have
        if name in names
    )
    return replace(model, constructs=(*blocks, *model.constructs))


def _unmeasured(have: list[str]) -> Problem:
    """Nothing says what the constructs are measured by."""
    first, listed, listed_zh = (have or ["satisfaction"])[0], ", ".join(have), "、".join(have)
    return problem(
        "E-MODEL",
        "model",
        "the model text has no `=~`: it does not say which items measure which construct.",
        "模型文本中没有“=~”，未说明各构念由哪些题项测量。",
        f"Add a line such as {first} =~ item1 + item2 for each construct"
        + (f", or use the codebook's names in the paths ({listed}); its items are then taken." if have else "."),
        f"请为每个构念补充一行，如 {first} =~ 题项1 + 题项2"
        + (f"；或在路径中使用编码簿的构念名（{listed_zh}），题项即取自编码簿。" if have else "。"),
    )


def _no_such_construct(name: str, have: list[str]) -> Problem:
    """A path's name that the codebook, from which the items come, has no items for."""
    what = Text(
        f'"{name}" has no items: the text has no `=~`, so items come from the codebook, which has none for it.',
        f"“{name}”没有题项：模型文本中没有“=~”，题项取自编码簿，而编码簿中没有它的题项。",
    )
    return Problem("E-CONSTRUCT", "model", what, did_you_mean(name, have))


def _from_card(form: ModelForm, codebook: Codebook, folder: Path, lang: Language, *, covariance: bool) -> Model:
    """A card with the items of the codebook's constructs (through `constructs` where their names differ)."""
    card = read_card(card_place(form.card, folder), lang)
    items = blocks_of(card, codebook, form.constructs, form.without, lang)
    optional = True if form.optional is None else form.optional
    without = [card.named(name) for name in form.without]
    return Model.card.of(card, items, optional, without, covariance=covariance, lang=lang)


def card_place(name: str, folder: Path) -> str:
    """A card's id, or the path of a card file, which is looked up beside the study file.

    Example:
        >>> card_place("acsi", Path("study"))
        'acsi'
    """
    own = name.endswith((".yaml", ".yml"))
    return str(folder / name) if own else name


def _from_text(form: ModelForm, document: Document, folder: Path, lang: Language) -> Model:
    """Lavaan text written in the study file, or in a file beside it."""
    if form.text:
        return Model.parse(form.text, lang=lang)
    path = folder / form.file
    if not path.is_file():
        raise Problems([_no_file(path, document)], lang)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise Problems([_not_utf8(path, document)], lang) from error
    return Model.parse(text, name=path.name, lang=lang)


def _placed(found: Problem, form: ModelForm, document: Document) -> Problem:
    """A problem of the model at its line: of the study file for text written there, else of the model's file."""
    spot = re.fullmatch(r"(.*), line (\d+), column (\d+)", found.where)
    key = next(name for name in ("card", "text", "file") if getattr(form, name))
    here = document.place(("model", key))
    if spot is None or not form.text:
        inside = found.where if spot or found.where.startswith(document.name) else _join(here, found.where)
        return replace(found, where=f"{spot[1]}:{spot[2]}:{spot[3]}" if spot else inside)
    if ("model", "text") in document.blocks:
        start = document.lines["model", "text"]
        return replace(found, where=f"{document.name}:{start + int(spot[2])} ({found.where})")
    return replace(found, where=_join(here, found.where))


def _join(here: str, inside: str) -> str:
    """`study.yaml:9 (model, line 2)`."""
    return f"{here} ({inside})" if inside and inside != "model" else here


def _line_of(name: str, document: Document, key: str) -> str:
    """Where a text written as a block in the study file names `name`; else where the model is given."""
    here: Loc = ("model", key)
    if here in document.blocks and key == "text":
        lines = document.text.splitlines()
        for number in range(document.lines[here], len(lines)):
            if re.search(rf"(?<![\w.]){re.escape(name)}(?![\w.])", lines[number].split("#")[0]):
                return f"{document.name}:{number + 1}"
    return document.place(here)


def _unknown_items(model: Model, codebook: Codebook, document: Document, key: str) -> Iterator[Problem]:
    """Items of the model that the codebook does not have."""
    constructs = set(model.names)
    for construct in model.constructs:
        for name in construct.items:
            if name not in codebook.names and name not in constructs:
                hint = did_you_mean(name, codebook.names)
                yield Problem(
                    "E-ITEM",
                    _line_of(name, document, key),
                    Text(
                        f'the model measures {construct.name} by "{name}", which is not in the codebook.',
                        f"模型用“{name}”测量 {construct.name}，但编码簿中没有它。",
                    ),
                    hint,
                )


def _one_of_three(given: list[str], document: Document) -> Problem:
    found, found_zh = (" and ".join(given), "、".join(given)) if given else ("none", "都没有")
    return problem(
        "E-MODEL",
        document.place(("model",)),
        f"a model is given by one of card, text, file; found {found}.",
        f"模型须由 card、text、file 之一给出；现有：{found_zh}。",
        "Keep one.",
        "请只写一个。",
    )


def _no_file(path: Path, document: Document) -> Problem:
    return problem(
        "E-FILE",
        document.place(("model", "file")),
        f'model file "{path}" does not exist.',
        f"模型文件“{path}”不存在。",
        "It is looked up beside the study file.",
        "文件应放在研究文件所在的文件夹。",
    )


def _not_utf8(path: Path, document: Document) -> Problem:
    return problem(
        "E-ENCODING",
        document.place(("model", "file")),
        f'model file "{path.name}" is not UTF-8.',
        f"模型文件“{path.name}”不是 UTF-8 编码。",
        "Save it as UTF-8.",
        "请另存为 UTF-8。",
    )
