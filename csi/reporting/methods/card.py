"""Any model card as a section: its diagram with estimates, signed paths, measurement, mediation, index, rivals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import get_args

import polars as pl

from csi.claims.card_run import CardRun
from csi.claims.occasions import of_occasions
from csi.claims.run import run_card
from csi.errors import Problems, Text, did_you_mean, problem
from csi.models.card import Card
from csi.reporting.methods.card_figure import figure_of
from csi.reporting.methods.card_finding import finding
from csi.reporting.methods.card_needs import needs_of
from csi.reporting.methods.card_stages import along_stages
from csi.reporting.methods.card_tables import data_of, tables_of
from csi.reporting.methods.card_words import items_of_waves, noted, worded, words_of
from csi.reporting.methods.method import Method, texts_of, titled
from csi.reporting.section import Section
from csi.study.estimator import estimator_of
from csi.study.options import Options
from csi.study.schema_estimate import EstimatorName
from csi.study.study import Study
from csi.survey.panel import Panel


def tell(card: Card, key: str, study: Study, panel: Panel, options: Options) -> Section:
    """The card run with the study's settings, told as a section."""
    settings = study.settings
    if options.estimator:
        settings = replace(settings, estimator=known_estimator(options.estimator))
    run = run_card(
        card,
        panel,
        estimator=estimator_of(settings),
        constructs=options.constructs,
        without=options.without,
        optional=True if options.optional is None else options.optional,
        by=options.by or None,
        where=options.where,
        stages=options.stages,
        replicates=None if settings.covariance else settings.replicates,
        seed=settings.seed,
        level=settings.level,
        small=settings.small,
        flagged=settings.flagged,
    )
    texts = {**texts_of(study), **items_of_waves(study, run), **words_of(run)}
    along = along_stages(card, run, study, panel, options, settings)
    title, more = titled((finding(run), *(worded(s, run, texts) for s in run.sentences), *along.sentences), card.title)
    first, first_zh = _place(run, texts)
    return Section(
        key=key,
        title=title,
        subtitle=Text(
            f"{card.title.en}. Standardised paths; an arrow is firm where its interval excludes 0; in the ellipses the "
            f"index, around them the share explained{first}",
            f"{card.title.zh}。标准化路径；区间不含 0 的箭头加粗；椭圆内为指数，外环为解释比例{first_zh}",
        ),
        figures=(figure_of(run, title, texts),),
        tables=(*tables_of(run, texts), *along.tables),
        paragraphs=more,
        notes=tuple(dict.fromkeys(noted(n, texts, study) for n in (*run.notes, *along.notes))),
        data={**data_of(run), **along.data},
    )


def known_estimator(name: str) -> EstimatorName:
    """The estimator of a name.

    Raises:
        Problems: E-OPTION with the nearest name.

    Example:
        >>> known_estimator("MLR")
        'mlr'
    """
    names: tuple[EstimatorName, ...] = get_args(EstimatorName)
    for one in names:
        if one == name.lower():
            return one
    hint = did_you_mean(name.lower(), names)
    en, zh = f'there is no estimator "{name}".', f"没有估计方法“{name}”。"
    raise Problems([problem("E-OPTION", "estimator", en, zh, hint.en, hint.zh)])


def _place(run: CardRun, texts: Mapping[str, Text]) -> tuple[str, str]:
    """Of which cell the diagram is, where there are several."""
    cells = run.estimate.moments.cells.select(pl.exclude("n"))
    if cells.height < 2 or not cells.width:
        return "", ""
    names = [texts.get(str(v), Text(str(v), str(v))) for v in cells.row(run.published or 0)]
    return f"; drawn for {' '.join(n.en for n in names)}", f"；图为 {' '.join(n.zh for n in names)}"


def method_of_card(card: Card, key: str) -> Method:
    """A card as a model of the library.

    Parameters:
        card: a card. key: what `--model` calls it: its id, its file, or its id and "_card" where a model with code of
            its own bears the name.
    """
    return Method(
        name=key,
        number=card.number,
        title=card.title,
        needs=needs_of(card),
        tell=partial(tell, card, key),
        options=("constructs", "without", "optional", "estimator", "stages"),
        panel=of_occasions(card),
    )
