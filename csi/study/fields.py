"""What a study file says, as the fields of a `Study` and its settings."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from csi.errors import Text
from csi.models.model import Model
from csi.study.aims import target_of, views_of
from csi.study.asked import asked
from csi.study.beside import tree_plan
from csi.study.brands import brand_fields
from csi.study.codebook import text_of
from csi.study.former import break_said
from csi.study.options import FILES, Options
from csi.study.positions import Document
from csi.study.rate_items import rates_plan
from csi.study.replicated import replicates_said
from csi.study.schema import StudyForm
from csi.study.schema_estimate import COVARIANCE, OptionsForm
from csi.study.schema_survey import BrandForm, RulesForm, StageForm
from csi.study.settings import TARGET, Event, Gating, Settings, Telling
from csi.study.tables import tables_said
from csi.study.validating import validating_of
from csi.study.waves import per_year
from csi.study.weights import weigh_plan
from csi.survey.codebook import KEY_ROLES, Codebook
from csi.survey.datafile import DataFile
from csi.survey.rules import Rules
from csi.tracking.alerts import Alert

QUARTERS = 4
"""Waves in a year where neither the study file nor the names of its waves tell."""


def fields_of(
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
        "data": files_of(form, document, path.parent),
        "waves": tuple(form.waves.order),
        "brands": _labels(form.brands),
        "focal": next((b.name for b in form.brands if b.focal), ""),
        "weighing": weigh_plan(form, document, path.parent),
        "model": model,
        "rules": rules_of(form.rules),
        "settings": replace(
            settings_of(form, codebook, model),
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
        "beside": beside_of(form, document, path.parent),
        **brand_fields(form, document),
    }


def beside_of(form: StudyForm, document: Document, folder: Path) -> tuple[Path, ...]:
    """The files that a study names besides its answers."""
    book = document.data.get("codebook")
    rated = (one.file for one in form.validation.raters.values())
    named = (book if isinstance(book, str) else "", form.model.file, *(f.labels for f in form.data), *rated)
    return tuple(folder / name for name in dict.fromkeys(named) if name)


def rules_of(said: RulesForm) -> Rules:
    """The rules as the study file says them."""
    return Rules(**{**said.model_dump(), "contradictions": tuple(said.contradictions)})


def files_of(form: StudyForm, document: Document, folder: Path) -> tuple[DataFile, ...]:
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
            folder / f.labels if f.labels else None,
            tuple(f.personal),
            f.incomplete if "incomplete" in f.model_fields_set else "",
            stream=f.stream,
            spark=f.spark,
        )
        if not f.sql
        else asked(f, document.place(("data", i, "sql")), folder)
        for i, f in enumerate(form.data)
    )


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


def settings_of(form: StudyForm, codebook: Codebook | None, model: Model | None) -> Settings:
    """How to estimate; without waves the index has its own weights unless the study says otherwise."""
    keys = {} if codebook is None else codebook.keys
    waves = bool(form.waves.order) or "wave" in keys or any(file.wave for file in form.data)
    how, draws = form.estimate, form.bootstrap
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
        replicate_weights=replicates_said(form),
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
        validating=validating_of(form, codebook),
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
    return Telling(sections, told.desired, told.groups, rivals, told.permutations, told.levers, told.budget, told.worth)
