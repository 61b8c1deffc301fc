"""The answers of a study, and the public door for answers with a codebook alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from csi.errors import Language, Problems, problem
from csi.study.codebook import read_codebook
from csi.study.former import formers
from csi.survey import read as survey
from csi.survey.codebook import Codebook
from csi.survey.columns import named
from csi.survey.panel import Panel
from csi.survey.rules import Rules
from csi.survey.wave_changes import change_notes, wave_changes

if TYPE_CHECKING:
    from csi.study.study import Study


def read_study_panel(study: Study, aside: Sequence[str] = (), *, part: bool = False) -> Panel:
    """The answers of a study's files: waves, brands and stages in its order, its rules applied.

    Parameters:
        aside: keys of cells that are left aside when they hold what would stop the reading (see `Panel.aside`).
        part: they are added to others, so that a single answer sheet will do.

    Raises:
        Problems: everything that is wrong with the answers, in the study's language.
    """
    given = study.settings.replicate_weights
    panel = survey.read_panel(
        study.data,
        study.codebook,
        rules=study.rules,
        waves=study.waves,
        brands=tuple(study.brands),
        stages=tuple(study.stages),
        respondents=study.respondents,
        replicates=() if given is None else given.columns,
        groups=study.settings.gating.columns,
        renamed=study.renamed,
        lang=study.language,
        aside=aside,
        part=part,
        former=formers(study),
    )
    changes = wave_changes(panel.asked, panel.waves, formers(study), [b.wave for b in study.breaks])
    panel = replace(panel, notes=(*panel.notes, *change_notes(changes)))
    if study.scales == "same":
        panel = replace(panel, unlike={}, notes=tuple(n for n in panel.notes if n.code != "W-SCALE-WAVE"))
    count = 0 if given is None else len(named(given.columns, panel.frame.columns))
    if given is not None and len(given.rscales) not in (0, 1, count):
        en = f"there are {count} columns of replicate weights and {len(given.rscales)} rscales."
        zh = f"重复权重有 {count} 列，而 rscales 有 {len(given.rscales)} 个。"
        do, do_zh = "Give one for each column, or one for all.", "请每列给一个，或只给一个用于全部。"
        raise Problems([problem("E-SETTING", "replicate_weights", en, zh, do, do_zh)], study.language)
    return panel


def read_panel(
    source: survey.Answers | Sequence[survey.Answers],
    codebook: Codebook | str | Path,
    *,
    rules: Rules = survey.STANDARD,
    keys: Mapping[str, str] | None = None,
    waves: Sequence[str] = (),
    brands: Sequence[str] = (),
    lang: Language = "en",
) -> Panel:
    """Answers with a codebook, no study file needed.

    Parameters:
        source: a path (CSV, Excel, Parquet, Arrow, SPSS, Stata), a polars or pandas frame, a `Query` of a database,
            or a list of them.
        codebook: a `Codebook`, or the path of a codebook.yaml.
        rules: what to do with doubtful rows and cells.
        keys: {role: column}, before the codebook's own: respondent, wave, brand, weight, stratum, cluster, stage,
            segment, duration.
        waves: the waves, oldest first. brands: the brands in order; other names in the data are then a problem.
        lang: language of the messages.

    Returns:
        A `Panel`.

    Raises:
        Problems: everything that is wrong with codebook and answers.

    Example:
        >>> import polars as pl
        >>> from csi.errors import Text
        >>> from csi.survey.codebook import Item, Scale
        >>> book = Codebook((Item("q1", "sat", Scale("ten", 1, 10), Text("Content", "满意")),), {}, {})
        >>> answers = pl.DataFrame({"q1": [7, 9, None], "w": ["2024Q1", "2024Q2", "2024Q2"]})
        >>> panel = read_panel(answers, book, keys={"wave": "w"})
        >>> panel.waves, panel.frame.height
        (('2024Q1', '2024Q2'), 2)
    """
    book = codebook if isinstance(codebook, Codebook) else read_codebook(codebook, lang)
    if keys:
        book = replace(book, keys={**book.keys, **keys})
    panel = survey.read_panel(source, book, rules=rules, waves=waves, brands=brands, lang=lang)
    return replace(panel, notes=(*panel.notes, *change_notes(wave_changes(panel.asked, panel.waves))))
