"""A study file as the fields of a `Study`; every problem of the study file, its codebook and its model at once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from csi.catalogue import guides
from csi.errors import Language, Problem, Problems, Text, did_you_mean, problem
from csi.models.cards import card_names, read_card
from csi.models.model import Model
from csi.study.aims import aim_problems, target_of, views_of
from csi.study.beside import beside_problems, tree_plan
from csi.study.brands import brand_fields, renamed_problems
from csi.study.breaks import break_problems
from csi.study.codebook import codebook_of, keys_of, text_of
from csi.study.estimator import estimate_problems
from csi.study.explain import Held, held_to
from csi.study.former import break_said, former_problems
from csi.study.model import card_place, model_of
from csi.study.options import FILES, Options
from csi.study.positions import Document, Loc, read_document
from csi.study.rate_items import rates_plan
from csi.study.schema import COVARIANCE, BrandForm, KeysForm, OptionsForm, StageForm, StudyForm
from csi.study.settings import TARGET, Event, Gating, ReplicateWeights, Settings, Telling
from csi.study.tables import table_problems, tables_said
from csi.study.waves import contradicts, per_year
from csi.survey.codebook import KEY_ROLES, Codebook
from csi.survey.columns import missing_columns, pick, roles_of
from csi.survey.datafile import DataFile
from csi.survey.readers import read_raw
from csi.survey.rules import Rules
from csi.tracking.alerts import Alert

QUARTERS = 4
"""Waves in a year where neither the study file nor the names of its waves tell."""


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
        problems += [*found, *_check(held, form, codebook, model, document, path.parent)]
        if not held.faulty("estimate") and not held.faulty("replicate_weights"):
            settings = _settings(form, codebook, model)
            problems += estimate_problems(form, settings, model, document, lang)
    if form is not None and problems:
        problems += _columns(held, form, codebook if sure else None, document, path.parent)
    if problems or form is None or codebook is None or model is None:
        raise Problems(problems, lang)
    return _fields(path, form, codebook, model, document, book)


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
        for file in _files(form, document, folder)
        if file.path.is_file()
    ]
    roles = roles_of(book, files)
    problems: list[Problem] = []
    for file in files:
        try:
            raw = read_raw(file)
        except Problems as error:
            problems += error.problems
        else:
            problems += missing_columns(pick(raw, file, book, roles), book, roles, alone=len(form.data) == 1)
    return problems


def _files(form: StudyForm, document: Document, folder: Path) -> tuple[DataFile, ...]:
    """The exports, each with the place that names it."""
    return tuple(
        DataFile(
            folder / f.file,
            f.encoding,
            f.sheet,
            f.wave,
            f.brand,
            dict(f.rename),
            document.place(("data", i, "file")),
        )
        for i, f in enumerate(form.data)
    )


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


def _check(
    held: Held[StudyForm],
    form: StudyForm,
    codebook: Codebook | None,
    model: Model | None,
    document: Document,
    folder: Path,
) -> Iterator[Problem]:
    """What crosses parts: waves, brands, files, renames and the index."""
    yield from _waves(form, document)
    yield from _lists(form, document)
    for number, file in enumerate(form.data):
        yield from _file(folder / file.file, document.place(("data", number, "file")))
    if form.rules.speeders != "off" and not held.faulty("keys") and codebook and not _has_duration(form, codebook):
        yield problem(
            "E-KEY",
            document.place(("rules", "speeders")),
            "the rule needs the key `duration`.",
            "该规则需要关键列 duration。",
            "Name its column under `keys`, or set speeders: off.",
            "请在 keys 中写出该列，或设置 speeders: off。",
        )
    yield from _methods(document)
    yield from beside_problems(held, form, codebook, document, folder)
    yield from table_problems(form, document, folder)
    names = model.names if model is not None else _names_of_card(form, folder)
    yield from aim_problems(form, names, document)
    if names and not held.faulty("index"):
        yield from _target(form, names, document)
    unsure = [i for i in range(len(form.waves.breaks)) if held.faulty("waves", "breaks", i, "link", "method")]
    yield from break_problems(form, model, form.index.target or TARGET, document, folder, unsure)
    yield from former_problems(form, codebook, document)


def _has_duration(form: StudyForm, codebook: Codebook) -> bool:
    return "duration" in codebook.keys or any("duration" in file.rename for file in form.data)


def _waves(form: StudyForm, document: Document) -> Iterator[Problem]:
    """Names of waves that the order does not know."""
    order = form.waves.order
    named: list[tuple[Loc, str]] = [(("waves", "base"), form.waves.base), (("index", "base"), form.index.base)]
    named += [(("report", "events", i, "wave"), event.wave) for i, event in enumerate(form.report.events)]
    named += [(("data", i, "wave"), file.wave) for i, file in enumerate(form.data)]
    named += [(("waves", "breaks", i, "wave"), one.wave) for i, one in enumerate(form.waves.breaks)]
    for loc, wave in named:
        if wave and order and wave not in order:
            hint = did_you_mean(wave, order, every=True)
            yield Problem("E-WAVE", document.place(loc), Text(f'unknown wave "{wave}".', f"未知的期“{wave}”。"), hint)
    many, told = form.waves.per_year, per_year(order)
    if many is not None and contradicts(order, many):
        few = ", ".join(order[:3]) + (", ..." if len(order) > 3 else "")
        yield problem(
            "E-WAVE",
            document.place(("waves", "per_year")),
            f"per_year is {many}, but the names of the waves ({few}) say {told} a year.",
            f"per_year 的值是 {many}，但各期名称（{few}）表明一年有 {told} 期。",
            f"Write `per_year: {told}` or leave it out; the comparison with a year ago goes back so many waves.",
            f"请写 per_year: {told}，或删去该键；同比按该期数往前追溯。",
        )


def _lists(form: StudyForm, document: Document) -> Iterator[Problem]:
    """Names listed twice, more than one focal brand, constant brands that are not listed."""
    lists: tuple[tuple[str, Loc, list[str]], ...] = (
        ("wave", ("waves", "order"), form.waves.order),
        ("brand", ("brands",), [brand.name for brand in form.brands]),
        ("stage", ("stages",), [stage.name for stage in form.stages]),
        ("segment", ("segments",), [segment.name for segment in form.segments]),
    )
    for what, loc, names in lists:
        for number, name in enumerate(names):
            if "，" in name and what == "wave":
                split = name.replace("，", ", ")
                yield problem(
                    "E-FULLWIDTH",
                    document.place((*loc, number)),
                    f'a full-width comma stands in "{name}", so that it is one wave.',
                    f"“{name}”中使用了全角逗号，被当作一期。",
                    f"Write `{split}`.",
                    f"请写成 {split}。",
                )
            if name in names[:number]:
                yield problem(
                    "E-TWICE",
                    document.place((*loc, number)),
                    f'{what} "{name}" is listed twice.',
                    f"“{name}”重复列出。",
                    "Keep one of them.",
                    "请只保留一个。",
                )
    yield from renamed_problems(form, document)
    focal = [number for number, brand in enumerate(form.brands) if brand.focal]
    if len(focal) > 1:
        yield problem(
            "E-FOCAL",
            document.place(("brands", focal[1])),
            "more than one brand is focal.",
            "不止一个品牌标为 focal。",
            "Mark one.",
            "请只标一个。",
        )
    known = [name for brand in form.brands for name in (brand.name, *brand.was)]
    for number, file in enumerate(form.data):
        if file.brand and known and file.brand not in known:
            hint = did_you_mean(file.brand, known)
            yield Problem(
                "E-BRAND",
                document.place(("data", number, "brand")),
                Text(f'unknown brand "{file.brand}".', f"未知的品牌“{file.brand}”。"),
                hint,
            )


def _file(path: Path, where: str) -> Iterator[Problem]:
    if not path.exists():
        near = (
            did_you_mean(path.name, [p.name for p in path.parent.iterdir()]) if path.parent.is_dir() else Text("", "")
        )
        hint = (
            near
            if "?" in near.en
            else Text("It is looked up beside the study file.", "文件应放在研究文件所在的文件夹。")
        )
        yield Problem("E-FILE", where, Text(f'data file "{path}" does not exist.', f"数据文件“{path}”不存在。"), hint)


def _methods(document: Document) -> Iterator[Problem]:
    """Names under `models` that are neither models nor cards of the library, nor files of cards."""
    given = document.data.get("models")
    known = (*guides(), *card_names(), *(f"{name}_card" for name in card_names()))
    for name in given if isinstance(given, dict) else ():
        if str(name) not in known and not str(name).endswith((".yaml", ".yml")):
            what = Text(f'there is no model "{name}" in the library.', f"模型库中没有“{name}”。")
            yield Problem("E-METHOD", document.place(("models", name)), what, did_you_mean(str(name), known))


def _names_of_card(form: StudyForm, folder: Path) -> tuple[str, ...]:
    """The constructs of the study's card, where it has one that exists."""
    place = card_place(form.model.card, folder)
    if form.model.card not in card_names() and not Path(place).is_file():
        return ()
    try:
        card = read_card(place)
    except Problems:  # told where the model is read
        return ()
    return tuple(name for name in card.constructs if name not in form.model.without)


def _target(form: StudyForm, names: Sequence[str], document: Document) -> Iterator[Problem]:
    """The index construct, when the model does not have it."""
    target = form.index.target or TARGET
    if target not in names:
        hint = did_you_mean(target, names)
        place = document.place(("index", "target") if form.index.target else ("index",))
        yield problem(
            "E-TARGET",
            place,
            f'the index target "{target}" is not a construct of the model.',
            f"指数目标“{target}”不是模型中的构念。",
            f"{hint.en} Set `index: {{target: ...}}`.",
            f"{hint.zh} 请设置 index: {{target: ……}}。",
        )


def _fields(
    path: Path, form: StudyForm, codebook: Codebook, model: Model, document: Document, book: Document
) -> dict[str, Any]:
    """The fields of `Study`."""
    texts = (document.text,) if book is document else (document.text, book.text)
    return {
        "path": path,
        "sha256": hashlib.sha256("\0".join((*texts, str(model))).encode()).hexdigest(),
        "name": form.study,
        "title": text_of(form.title),
        "sector": text_of(form.sector),
        "language": form.language,
        "codebook": codebook,
        "data": _files(form, document, path.parent),
        "waves": tuple(form.waves.order),
        "brands": _labels(form.brands),
        "focal": next((b.name for b in form.brands if b.focal), ""),
        "model": model,
        "rules": Rules(**form.rules.model_dump()),
        "settings": replace(
            _settings(form, codebook, model),
            tree=tree_plan(form.tree, path.parent),
            rates=rates_plan(form.rates),
            targets=tuple(target_of(one, form.index.target or TARGET) for one in form.targets),
            views=views_of(form.views),
            benchmark=form.index.benchmark,
        ),
        "stages": _labels(form.stages),
        "segments": _labels(form.segments),
        "events": tuple(Event(e.wave, Text(e.en, e.zh)) for e in form.report.events),
        "respondents": form.waves.respondents,
        "scales": form.waves.scales,
        "alerts": tuple(Alert(a.when, a.against, a.target, a.brand) for a in form.alerts),
        "breaks": tuple(
            break_said(one, path.parent, document.place(("waves", "breaks", i)))
            for i, one in enumerate(form.waves.breaks)
        ),
        "models": {name: _options(given, path.parent) for name, given in form.models.items()},
        "tables": tables_said(form, document, path.parent),
        **brand_fields(form, document),
    }


def _labels(said: Sequence[BrandForm] | Sequence[StageForm]) -> dict[str, Text]:
    """Names with their labels; what has none in a language is called as in the other, else by its name."""
    return {one.name: Text(one.en or one.zh or one.name, one.zh or one.en or one.name) for one in said}


def _options(given: OptionsForm | None, folder: Path) -> Options | None:
    """The options of a further model; None where it is switched off."""
    if given is None:
        return None
    said: dict[str, Any] = {name: getattr(given, name) for name in given.model_fields_set}
    said |= {name: folder / said[name] for name in FILES if said.get(name)}
    said |= {
        name: tuple(said[name])
        for name in ("without", "optional", "drivers", "cuts", "steps", "scores", "by")
        if said.get(name) is not None
    }
    return Options(**{n: v for n, v in said.items() if v is not None}, given=tuple(said))


def _settings(form: StudyForm, codebook: Codebook | None, model: Model | None) -> Settings:
    """How to estimate; without waves the index has its own weights unless the study says otherwise."""
    keys = {} if codebook is None else codebook.keys
    waves = bool(form.waves.order) or "wave" in keys or any(file.wave for file in form.data)
    how, draws, given = form.estimate, form.bootstrap, form.replicate_weights
    every = how.ordered == ["all"] and model is not None and "all" not in model.items
    return Settings(
        estimator="plsc" if how.consistent and how.estimator == "pls" else how.estimator,
        weighting=how.weighting,
        modes=dict(how.modes),
        higher_order=how.higher_order,
        interaction=how.interaction,
        ordered=model.items if every and model is not None else tuple(how.ordered),
        missing=how.missing,
        imputations=how.imputations,
        tolerance=how.tolerance,
        replicates=draws.n,
        seed=draws.seed,
        resampling=draws.resampling,
        interval=draws.interval,
        level=draws.level,
        improper=draws.improper,
        replicate_weights=None
        if given is None
        else ReplicateWeights(
            tuple(given.columns), given.kind, given.rho, given.combined, given.scale, tuple(given.rscales)
        ),
        target=form.index.target or TARGET,
        formula=form.index.formula,
        index_weights=form.index.weights or _index_rule(form, waves=waves),
        index_errors=form.index.errors,
        shrunken=form.index.shrunken,
        base_wave=form.index.base or form.waves.base,
        classes=form.index.classes,
        window=form.index.window,
        waves_per_year=form.waves.per_year or per_year(form.waves.order) or QUARTERS,
        small=form.report.small,
        flagged=form.report.flagged,
        telling=_telling(form),
        gating=_gating(form),
    )


def _gating(form: StudyForm) -> Gating:
    """Which differences are tested for comparability."""
    said = form.comparability
    names = tuple(dict.fromkeys(g.name for g in said.between))
    columns = {g.name: g.column or g.name for g in said.between if g.column or g.name not in KEY_ROLES}
    labels = {g.name: Text(g.en, g.zh) for g in said.between if g.en or g.zh}
    return Gating(said.gate, names, tuple(said.within), columns, labels, said.alpha, said.rule)


def _index_rule(form: StudyForm, *, waves: bool) -> Literal["base", "own", "pooled"]:
    """Whose weights the index has where the study does not say; a covariance model has none of a single cell."""
    if waves:
        return "base"
    return "pooled" if form.estimate.estimator in COVARIANCE else "own"


def _telling(form: StudyForm) -> Telling:
    """What reports tell beyond their kind."""
    told = form.report
    rivals = tuple(dict.fromkeys(told.rivals))
    sections: dict[str, bool] = {}
    sections.update((name, on) for name, on in told.sections.items())
    return Telling(sections, told.desired, told.groups, rivals, told.permutations)
