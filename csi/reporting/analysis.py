"""Everything a report needs, computed once: `analyse` reads like the report's table of contents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, cast

import numpy as np
import polars as pl

from csi.errors import Note, Problem, Problems, Text, did_you_mean, note, problem
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit, fit_sample
from csi.estimate.later import Later
from csi.importance import Drivers, drivers
from csi.measures import Effects, Reliability, Validity, effects, reliability, validity
from csi.models.model import Model, product_labels
from csi.moments.sample import select
from csi.reporting.release import holm_within_waves
from csi.reporting.soundness import NUMBERS, absent_notes, cell_notes, estimate_notes, explained
from csi.reporting.usable import check_items, completed, no_waves, unanswered
from csi.reporting.waves import study_repeats
from csi.reporting.words import lowered
from csi.study.breaks import breaks_of
from csi.study.estimator import estimator_of
from csi.study.fitted import CELLS, base_of, indexed, resampled, with_replicates
from csi.study.gate import gated, gated_groups
from csi.study.study import Study
from csi.survey.disclosure import apart, beside
from csi.survey.flow import ruled_until
from csi.survey.panel import Panel
from csi.survey.repeats import Repeats
from csi.tracking.changes import Changes, changes
from csi.tracking.gate_shown import Comparable
from csi.tracking.index import Index, index
from csi.tracking.league import League, pairwise
from csi.tracking.sector import Sector, sector
from csi.tracking.waves import reference_wave

TESTED = (
    "std_error", "statistic", "df", "p_value", "p_holm", "significant", "half_width", "conf_low", "conf_high",
    "smallest_significant", "minimal_detectable",
)  # fmt: skip
"""Columns of a change that only a test fills: an untested change bears none of them."""

GROUPINGS = ("stage", "segment")
"""Keys that split the focal brand's answers in the heat table, in this order."""


EVERYBODY = Text("All respondents", "全体受访者")
"""What stands for the brand in a study without brands."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The focal brand at the report's wave: the fitted model, resampled, and what judges it."""

    estimate: Estimate
    reliability: Reliability
    validity: Validity
    effects: Effects
    drivers: Drivers


@dataclass(frozen=True, slots=True)
class Analysis:
    """What a report tells, before any word is chosen.

    Attributes:
        study, panel: what was asked and answered, cut at `wave`.
        wave, waves: the report's wave, and all waves up to it, oldest first.
        previous, year_ago: the waves it is compared with; None where there is none.
        target, focal: the published construct and the client's brand.
        brands: brands with answers, in the study's order. n: brand -> usable answers at the wave.
        index: every construct by brand x wave, with joint replicates. changes: their changes against both references.
        leagues: wave -> League of the target. sectors: construct -> Sector mean.
        cell: the focal brand's model; None when it has too few answers.
        groups: key ("stage", "segment") -> index of every construct by that key, focal brand at the wave.
        gate: whether brands and waves are comparable, tested for the target; None where it was not run.
        gate_groups: the same of the study's further groups (a language, a mode).
        notes: what is doubtful about the whole. absent: why an index or the model is missing although there are enough
            answers for it.
    """

    study: Study
    panel: Panel
    wave: str
    waves: tuple[str, ...]
    previous: str | None
    year_ago: str | None
    target: str
    focal: str
    brands: tuple[str, ...]
    n: Mapping[str, int]
    stack: Estimate
    index: Index
    changes: Changes
    leagues: Mapping[str, League]
    sectors: Mapping[str, Sector]
    cell: Cell | None
    groups: Mapping[str, Index]
    notes: tuple[Note, ...] = ()
    absent: tuple[Note, ...] = ()
    gate: Comparable | None = None
    gate_groups: tuple[Comparable, ...] = ()
    _repeats: Later[Repeats] = field(kw_only=True)

    @property
    def repeats(self) -> Repeats:
        """The design of the waves, found at first reading."""
        return self._repeats.value

    def enough(self, brand: str) -> bool:
        """Whether a brand has enough answers at the wave to be published."""
        return self.n.get(brand, 0) >= self.study.settings.small

    @property
    def model(self) -> Model:
        """The model."""
        return self.study.model

    @property
    def brand_labels(self) -> dict[str, Text]:
        """Brand -> its name in both languages."""
        return {b: self.study.brands.get(b, Text(b, b) if b else EVERYBODY) for b in self.brands}

    @property
    def construct_labels(self) -> dict[str, Text]:
        """Construct -> its name in both languages: the codebook's, else the model card's, else its own."""
        book = self.study.codebook.constructs
        own = {c: book.get(c) or self.model.labels.get(c) or Text(c, c) for c in self.model.names}
        return own | product_labels(self.model, own)

    @property
    def group_labels(self) -> dict[str, Text]:
        """Stage or segment -> its name in both languages."""
        return {**self.study.segments, **self.study.stages}

    def label(self, construct: str) -> Text:
        """A construct's name."""
        return self.construct_labels[construct]

    @property
    def target_name(self) -> Text:
        """The target's name inside a sentence."""
        return lowered(self.label(self.target))


def analyse(study: Study, panel: Panel, wave: str | None = None) -> Analysis:
    """Compute everything a report of `wave` tells.

    Parameters:
        study: the study file as a value. panel: its answers. wave: the last one with answers by default.

    Returns:
        Analysis; later waves take no part, so an old report can be made again.

    Raises:
        Problems: as `checked`; and those of the rooms below.
    """
    study, panel, wave = checked(study, panel, wave)
    waves = study.waves[: study.waves.index(wave) + 1]
    panel = until(panel, waves)
    settings, focal = study.settings, study.focal
    # the published numbers: every brand and wave, one resampling plan
    stack = with_replicates(study, panel, fit(study.model, panel, estimator_of(settings), by=CELLS))
    published = explained(indexed(study, stack))
    gate, untested = gated(study, published)
    grouped, ungrouped = gated_groups(study, panel)
    moved = released(study, published, waves, wave, gate, panel)
    n = answers(published, wave)
    present = [w for w in waves if w in set(published.cells["wave"].to_list())]
    leagues = {w: pairwise(published, w, settings.target, settings.small, gate=gate) for w in present}
    sectors = {c: sector(published, c, small=settings.small) for c in published.constructs}
    # the focal brand at the wave: model, measures, drivers; then its stages and segments
    enough = n.get(focal, 0) >= settings.small
    cell, doubts = focal_cell(study, panel, stack, wave) if enough else (None, (too_few(study, n.get(focal, 0)),))
    lost = absent_notes(study, published, published.table.filter(pl.col("wave") == wave), settings.target)
    return Analysis(
        study=study,
        panel=panel,
        wave=wave,
        waves=waves,
        previous=reference_wave(wave, "previous", waves, settings.waves_per_year),
        year_ago=reference_wave(wave, "year", waves, settings.waves_per_year),
        target=settings.target,
        focal=focal,
        brands=in_order(study, panel),
        n=n,
        stack=stack,
        index=replace(published, table=published.measured),
        changes=moved,
        leagues=leagues,
        sectors=sectors,
        cell=cell,
        groups=split(study, panel, wave, published) if cell is not None else {},
        notes=(*doubts, *cell_notes(study, stack, {"wave": wave}, published), *untested, *ungrouped),
        absent=(*lost, *(doubts if enough else ())),
        gate=gate,
        gate_groups=grouped,
        _repeats=Later(partial(study_repeats, study, panel)),
    )


def checked(study: Study, panel: Panel, wave: str | None = None) -> tuple[Study, Panel, str]:
    """Study, panel and wave, complete and fit for a report.

    Raises:
        Problems: E-WAVE, E-FOCAL, E-TARGET; E-EMPTY and E-CONSTANT for items that leave nothing to estimate.
    """
    if study.settings.imputations:
        raise Problems([copies_untold(study)], study.language)
    study, panel = completed(study, panel)
    wave = check_wave(study, panel, wave)
    check_names(study, panel, wave)
    check_items(study, panel, [wave, *filter(None, [base_of(study)])])
    silent = unanswered(study, panel, {"brand": study.focal, "wave": wave})
    if silent:
        raise Problems(silent, study.language)
    return study, panel, wave


def check_wave(study: Study, panel: Panel, wave: str | None) -> str:
    """The wave of the report, present in the study's order and in the data."""
    have = set(panel.frame["wave"].unique().to_list())
    answered = [w for w in study.waves if w in have]
    if wave is None and answered:
        return answered[-1]
    if wave in answered:
        return wave
    if no_waves(study):
        raise Problems([asked_without_waves(study)], study.language)
    hint = did_you_mean(wave or "", answered)
    listed = ", ".join(answered)
    known = Text(f"{hint.en} Waves with answers: {listed}.", f"{hint.zh}有数据的期次：{listed.replace(', ', '、')}。")
    if wave in study.waves:
        en, zh = f'the wave "{wave}" has no answers.', f"“{wave}”期没有数据。"
    else:
        en, zh = f'there is no wave "{wave}".', f"没有“{wave}”这一期。"
    raise Problems([problem("E-WAVE", str(study.path), en, zh, known.en, known.zh)], study.language)


def copies_untold(study: Study) -> Problem:
    """Why what needs joint replicates of all cells is not told of imputed copies."""
    en = "changes, ranks and drivers need joint replicates of all cells; pooled copies have none."
    zh = "变化、名次与驱动因素需要各单元的联合重抽样，多重插补合并后的结果没有。"
    do = "Use missing: em in place of imputations; csi index and csi fit pool the copies."
    do_zh = "请以 missing: em 代替 imputations；csi index 与 csi fit 可合并各份插补结果。"
    return problem("E-IMPUTE", str(study.path), en, zh, do, do_zh)


def asked_without_waves(study: Study) -> Problem:
    """A wave was asked of a study that has none."""
    do = "Leave --wave out, or name the column of the wave under keys (or give each file its wave)."
    do_zh = "请去掉 --wave，或在 keys 中写明期次所在的列（或为每个数据文件注明 wave）。"
    return problem("E-WAVE", str(study.path), "the study has no waves.", "该研究没有期次。", do, do_zh)


def check_names(study: Study, panel: Panel, wave: str) -> None:
    """The focal brand has answers at the wave and the target is a construct of the model."""
    found = []
    here = panel.frame.filter(pl.col("wave") == wave)["brand"].unique(maintain_order=True).to_list()
    if not study.focal and study.focal not in here:
        found.append(no_focal(study, here))
    elif study.focal not in here:
        hint = did_you_mean(study.focal, here)
        en, zh = (
            f'the focal brand "{study.focal}" has no answers in {wave}.',
            f"焦点品牌“{study.focal}”在 {wave} 期没有数据。",
        )
        found.append(problem("E-FOCAL", str(study.path), en, zh, hint.en, hint.zh))
    target = study.settings.target
    if target not in study.model.names:
        hint = did_you_mean(target, study.model.names)
        en, zh = f'the model has no construct "{target}".', f"模型中没有构念“{target}”。"
        found.append(problem("E-TARGET", str(study.path), en, zh, hint.en, hint.zh))
    if found:
        raise Problems(found, study.language)


def no_focal(study: Study, here: Sequence[str]) -> Problem:
    """Several brands and none of them is the report's own."""
    count = len(here)
    en, zh = f"there are {count} brands and none of them is the focal one.", f"共有 {count} 个品牌，尚未指定焦点品牌。"
    form = f"brands: [{{name: {here[0]}, focal: yes}}, {{name: {here[1]}}}]"
    do = f"A report has one focal brand: list the brands in the study file and mark it, such as {form}."
    do_zh = f"报告需要一个焦点品牌：请在研究文件中列出各品牌并标明，例如 {form}。"
    return problem("E-FOCAL", str(study.path), en, zh, do, do_zh)


def until(panel: Panel, waves: tuple[str, ...]) -> Panel:
    """The panel without later waves."""
    keep = panel.frame["wave"].is_in(list(waves))
    reasons = panel.reasons.filter(keep) if panel.reasons.height == panel.frame.height else panel.reasons
    ruled = ruled_until(panel, waves, keep)
    return replace(panel, frame=panel.frame.filter(keep), reasons=reasons, waves=waves, **ruled)


def released(
    study: Study,
    published: Index,
    waves: tuple[str, ...],
    wave: str,
    gate: Comparable | None = None,
    panel: Panel | None = None,
) -> Changes:
    """The changes a report prints: tested for the target of every brand, as `csi track` tests them; untested beside.

    Holm's correction counts the tests of one wave: the target, every brand, both references. `half_width` is half the
    interval at the level of the test's own Holm step, so that an interval without zero and "significant" are one
    statement. The focal brand's other constructs come with their change alone.
    """
    settings = study.settings
    yearly = settings.waves_per_year == 1  # the previous wave is the one a year ago: one test, not two
    every = changes(
        published,
        study.model.names,
        ("previous",) if yearly else ("previous", "year"),
        waves=waves,
        per_year=settings.waves_per_year,
        wave=wave,
        small=settings.small,
        breaks=[b for b in breaks_of(study, published, panel) if b.wave in waves],
        gate=gate,
    )
    target = pl.col("construct") == settings.target
    beside = ~target & (pl.col("brand") == study.focal) & (pl.col("against") == "previous")
    tested = holm_within_waves(replace(every, table=every.table.filter(target)))
    untested = [pl.lit(None, tested.table.schema[c]).alias(c) for c in TESTED]
    others = every.table.filter(beside).with_columns(untested).select(tested.table.columns)
    return replace(tested, table=pl.concat([tested.table, others]))


def answers(published: Index, wave: str) -> dict[str, int]:
    """Brand -> answers that entered the index at the wave."""
    here = published.cells.filter(pl.col("wave") == wave)
    return dict(zip(here["brand"].to_list(), here["n"].to_list(), strict=True))


def in_order(study: Study, panel: Panel) -> tuple[str, ...]:
    """Brands with answers: the study's order, then those it does not name."""
    have = panel.frame["brand"].unique(maintain_order=True).to_list()
    return (*(b for b in study.brands if b in have), *(b for b in have if b not in study.brands))


def focal_cell(study: Study, panel: Panel, stack: Estimate, wave: str) -> tuple[Cell | None, tuple[Note, ...]]:
    """The focal brand's model at the wave, under the plan that resamples every cell, and what judges it.

    Where its answers cannot carry the model (a constant item, collinear predictors, no convergence) there is none, and
    notes say why.
    """
    if stack.sample is None:
        raise ValueError("a report needs the rows behind its cells")
    cells = stack.sample.cells
    mine = select(stack.sample, ((cells["brand"] == study.focal) & (cells["wave"] == wave)).to_list())
    try:
        fitted = fit_sample(study.model, mine, estimator_of(study.settings))
        if not fitted.convergence.converged.all():
            return None, tuple(no_model(study, why.code, why.text) for why in fitted.convergence.reasons.values())
        est = resampled(study, panel, replace(fitted, notes=estimate_notes(fitted)))
    except Problems as found:
        said = [(p.code, Text(f"{p.what.en} {p.remedy.en}", f"{p.what.zh}{p.remedy.zh}")) for p in found.problems]
        return None, tuple(no_model(study, code, why) for code, why in said)
    return Cell(est, reliability(est), validity(est), effects(est), _drivers(est, study.settings.target)), ()


NO_DRIVERS: Final = {
    **dict.fromkeys(("construct", "item", "quadrant", "reason"), pl.String),
    **dict.fromkeys(("weight", "importance", "importance_std", "performance", "gain"), pl.Float64),
}
"""Columns of drivers where there are none."""


def _drivers(est: Estimate, target: str) -> Drivers:
    """The drivers of the target; without rows where nothing of the model leads to it."""
    if target not in est.solution.constructs or est.model.predictors(target):
        return drivers(est, target=target)
    led = next((y for y in est.solution.constructs if est.model.predictors(y)), None)
    if led is None:  # a measurement model: nothing leads to anything
        none = pl.DataFrame(schema=NO_DRIVERS)
        return Drivers(none, none, target, np.full(1, np.nan), {}, 0.95)
    found = drivers(est, target=led)
    return replace(found, table=found.table.clear(), items=found.items.clear(), target=target)


def groupings(panel: Panel) -> list[str]:
    """Keys that split the focal brand's answers."""
    return [key for key in GROUPINGS if key in panel.frame.columns]


def split(study: Study, panel: Panel, wave: str, published: Index) -> dict[str, Index]:
    """The focal brand's answers by stage and by segment."""
    return {key: by_group(study, panel, wave, key, published) for key in groupings(panel)}


def by_group(study: Study, panel: Panel, wave: str, key: str, published: Index) -> Index:
    """Every construct by `key` for the focal brand at the wave, with the published weights held fixed.

    The brand's own index is told beside it, so groups have no number where that would give away one of too few answers.
    """
    mine = (pl.col("brand") == study.focal) & (pl.col("wave") == wave) & pl.col(key).is_not_null()
    part = replace(panel, frame=panel.frame.filter(mine))
    split = fit(study.model, part, estimator_of(study.settings), by=(key,))
    given = published_weights(published, study.focal, wave)
    made = index(split, weights="given", given=given, level=study.settings.level)
    place = published.cells.select(here=(pl.col("brand") == study.focal) & (pl.col("wave") == wave))["here"].arg_true()[
        0
    ]
    values = made.values.copy()
    for j, name in enumerate(made.constructs):
        n, whole = made.n_of(j), published.n_of(published.constructs.index(name))[place]
        values[~apart(n, study.settings.small, max(int(whole - n.sum()), 0)), j] = np.nan
    gone, why = pl.Series((np.isnan(values) & ~np.isnan(made.values)).reshape(-1)), beside(study.settings.small)
    hidden = [pl.when(~gone).then(pl.col(c)).alias(c) for c in NUMBERS]
    told = {"reason": why.en, "reason_zh": why.zh}
    said = [pl.when(gone).then(pl.lit(text)).otherwise(pl.col(c)).alias(c) for c, text in told.items()]
    return replace(made, values=values, table=made.table.with_columns(*hidden, *said))


def published_weights(published: Index, brand: str, wave: str) -> dict[str, dict[str, float]]:
    """Construct -> item -> relative weight behind the published index of one cell; only constructs that have one."""
    table = published.weights
    for key, value in (("brand", brand), ("wave", wave)):
        if key in table.columns and published.rule != "base":
            table = table.filter(pl.col(key) == value)
    cell = published.table.filter((pl.col("brand") == brand) & (pl.col("wave") == wave) & pl.col("index").is_not_null())
    found: dict[str, dict[str, float]] = {}
    for row in table.filter(pl.col("construct").is_in(cell["construct"].to_list())).iter_rows(named=True):
        found.setdefault(cast("str", row["construct"]), {})[row["item"]] = row["weight"]
    return {c: weights for c, weights in found.items() if all(w is not None and w > 0 for w in weights.values())}


def focal_label(study: Study) -> Text:
    """The focal brand's name; all respondents in a study without brands."""
    return study.brands.get(study.focal, Text(study.focal, study.focal) if study.focal else EVERYBODY)


def too_few(study: Study, n: int) -> Note:
    """Why the report has no model."""
    small = study.settings.small
    brand = focal_label(study)
    en = f"{brand.en}: only {n} answers, fewer than {small}: no index, no answers and no model are printed for it."
    return note("W-BASE", en, f"{brand.zh}仅有 {n} 份有效答卷，少于 {small} 份：不公布其指数、答题分布与模型结果。")


def no_model(study: Study, code: str, why: Text) -> Note:
    """Why the focal brand's answers carry no model."""
    brand = focal_label(study)
    return note(code, f"No model for {brand.en}: {why.en.rstrip()}", f"{brand.zh}没有模型结果：{why.zh}")
