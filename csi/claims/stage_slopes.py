"""Slopes of a model at each stage, once constructs are the same there, and whether they rise or fall with the stage.

Source:
    Johnson, Herrmann & Huber (2006), Journal of Marketing 70(2), 122-132 (value drives intentions early, attitudes to
    brand and relationship later).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from csi.claims.stage_asked import LEAST, staged
from csi.claims.stage_composites import of_composites
from csi.claims.stage_covariance import of_covariance
from csi.claims.stage_frames import frames_of
from csi.claims.stage_words import HEADINGS, sentences_of, worded
from csi.display import Shown, text
from csi.errors import Note, Problems, Text, problem, seed_problems
from csi.estimate.given import check_panel
from csi.estimate.protocol import Estimator
from csi.estimate.shown import p_column
from csi.measures.shown import based, told
from csi.models.card import Card
from csi.models.model import Model
from csi.pls.composites import Composites
from csi.sem.estimator import SEM
from csi.survey.panel import Panel


@dataclass(frozen=True, slots=True, repr=False)
class StageSlopes(Shown):
    """Slopes by stage behind the gate of invariance.

    Attributes:
        table: stage, outcome, predictor, n, estimate (unstandardised with equal loadings; of composites standardised
            within the stage), std_error, conf_low, conf_high, reason, reason_zh; no rows where the gate withholds all.
        trends: outcome, predictor, estimate (change of the slope per stage), std_error, conf_low, conf_high, p_value,
            p_adjusted (Holm over the paths), claimed ("falls", "rises", ""), found ("falls", "rises", "open", "" where
            withheld), reason, reason_zh.
        gate: step ("configural", "metric", "scalar" with chi-square differences; or MICOM's "composition", "mean" and
            "variance" of each construct (about) and pair of stages (first, second), then "path"), value, df, p_value,
            verdict, p_plain (of permutations: not adjusted).
        route: "covariance" or "composites". stages, level, labels, sentences, notes. least: the least p that the
            permutations can give; one there is told as a bound.
    """

    table: pl.DataFrame
    trends: pl.DataFrame
    gate: pl.DataFrame
    route: str
    stages: tuple[str, ...]
    level: float
    labels: Mapping[str, Text]
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()
    least: float = 0.0


@text.register
def _(value: StageSlopes, lang: str = "en") -> str:
    """Sentences, trends, slopes, the gate, notes."""
    lines = [*(s.say(lang) for s in value.sentences), ""]
    for frame in (value.trends, value.table, value.gate):
        if frame.height:
            kept = worded(frame, lang, value.labels).select(
                c
                for c in frame.columns
                if frame[c].null_count() < frame.height and c not in ("reason", "reason_zh", "p_plain")
            )
            tests = (("p_value", "p_plain" if "p_plain" in frame.columns else ""), ("p_adjusted", "p_value"))
            said = [p_column(frame, c, value.least, raw) for c, raw in tests if value.least and c in kept.columns]
            lines += [based(kept.with_columns(said), HEADINGS, lang), ""]
    return "\n".join([*lines, *told((), value.notes, lang)])


def stage_slopes(
    model: Model | Card | str,
    panel: Panel,
    stages: Sequence[str],
    *,
    claims: Mapping[str, str] | None = None,
    estimator: Estimator | None = None,
    partial: bool = False,
    where: Mapping[str, str] | None = None,
    least: int = LEAST,
    permutations: int | None = None,
    replicates: int = 1000,
    seed: int = 1,
    level: float = 0.95,
    labels: Mapping[str, Text] | None = None,
) -> StageSlopes:
    """Slopes of a model at each stage and their trend along the stages, once constructs are the same there.

    trend = sum_s c_s slope_s,  c_s = (s - mean) / sum (s - mean)^2: the change of a slope per stage.

    Covariance models: equal loadings must stand (metric step), then unstandardised slopes of one fit and Wald tests.
    Composites: MICOM's steps 1 and 2 must stand for what a path rests on, then paths of every stage and permutation
    tests. What fails is withheld and the item that differs most named.

    Parameters:
        model: a model, its text, a card or its name (`lifecycle_loyalty`). panel: answers with a column stage. stages:
            two or more, in order; others take no part.
        claims: "outcome~predictor" -> "falls" or "rises"; a card brings its own. estimator: `csi.SEM(...)`, robust
            maximum likelihood without; `csi.PLS(...)` for composites. partial: loadings that differ may be set free.
        where: keep only rows with these key values. least: respondents that a stage needs.
        permutations: of composites, as in `csi.mga`. replicates: bootstrap resamples of composites. seed, level.
        labels: names of stages and constructs in words.

    Returns:
        A `StageSlopes`.

    Raises:
        Problems: E-STAGE (no column, one stage, unknown stages, too few respondents), E-WHERE, E-ORDER (a claim of no
            path), E-SETTING, E-METHOD, and what the fit finds.

    Example:
        >>> from csi.survey.codebook import Codebook
        >>> frame = pl.DataFrame({"stage": ["new"] * 3 + ["old"] * 3})
        >>> panel = Panel(frame, Codebook((), {}, {}), frame.select())
        >>> stage_slopes("f =~ a + b", panel, ["new"])  # doctest: +IGNORE_EXCEPTION_DETAIL
        Traceback (most recent call last):
        csi.errors.Problems: stages are new; a trend needs two or more.
    """
    check_panel(panel)
    _check(level, seed)
    settings = estimator or SEM(estimator="MLR")
    composites = isinstance(settings, Composites)
    rows = staged(model, panel, stages, claims, where, least, covariance=not composites)
    rows = replace(rows, labels={**rows.labels, **(labels or {})})
    if isinstance(settings, SEM):
        route = of_covariance(rows, settings, level, partial=partial)
    elif composites:
        route = of_composites(rows, settings, level, permutations=permutations, replicates=replicates, seed=seed)
    else:
        en, zh = (
            "stages are compared by csi.SEM or composites (csi.PLS).",
            "阶段比较须使用 csi.SEM 或合成变量（csi.PLS）。",
        )
        raise Problems([problem("E-ENGINE", "estimator", en, zh, "Use one of them.", "请使用其中之一。")])
    table, trends = frames_of(route.numbers, rows.stages, rows.sizes, rows.claims)
    said = {**{s: Text(s, s) for s in rows.stages}, **rows.labels}
    return StageSlopes(
        table=table,
        trends=trends,
        gate=route.gate,
        route="composites" if composites else "covariance",
        stages=rows.stages,
        level=level,
        labels=said,
        sentences=sentences_of(trends, route.why, said, level, route.least),
        notes=tuple(dict.fromkeys((*rows.notes, *route.notes))),
        least=route.least,
    )


def _check(level: float, seed: int) -> None:
    """Settings in range.

    Raises:
        Problems: E-SETTING.
    """
    found = [*seed_problems(seed)]
    if not 0 < level < 1:
        en, zh = f"level = {level:g} is not between 0 and 1.", f"level = {level:g} 不在 0 与 1 之间。"
        found.append(problem("E-SETTING", "level", en, zh, "Write 0.95.", "请写 0.95。"))
    if found:
        raise Problems(found)
