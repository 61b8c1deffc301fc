"""The tracking table: brand by wave, what was found, how sure it is, what could have been found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problems, Text, note, problem
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_kind
from csi.survey.bases import COLUMNS as BASES
from csi.survey.bases import FLAGGED, SMALL, Bases
from csi.tracking.benchmark import MEAN, benchmark_problems, benchmarked
from csi.tracking.breaks import Break
from csi.tracking.changes import Changes, Family, changes
from csi.tracking.contrasts import construct_place
from csi.tracking.gate_applied import gate_notes
from csi.tracking.gate_shown import Comparable
from csi.tracking.index import Index, index
from csi.tracking.index_weights import Given, Rule
from csi.tracking.league import pairwise
from csi.tracking.show import shown
from csi.tracking.targets import COLUMNS as TARGETS
from csi.tracking.targets import Target, aimed, target_note
from csi.tracking.waves import Against


@dataclass(frozen=True, slots=True, repr=False)
class Tracking(Shown):
    """The tracking table of one construct.

    Attributes:
        table: one row per cell, waves in order within a brand; keys, construct, formula, n, n_effective,
            design_effect, index, std_error, conf_low, conf_high, then for "previous" and "year": change_*,
            std_error_*, statistic_*, p_value_*, p_holm_*, significant_*, smallest_significant_*,
            minimal_detectable_*, evidence_*, items_*, bias_*, bias_error_*, adjusted_*, link_* (what a change across a
            break goes through) and withheld_*, withheld_zh_* (why a change is not printed); with a benchmark its index
            (benchmark), difference_benchmark and as above std_error_benchmark ... withheld_zh_benchmark; rank,
            rank_low, rank_high (within the wave) and evidence_rank (the least favourable evidence of the brand's
            differences there); with targets target, gap, gap_low, gap_high (from the target) and attained ("reached",
            "missed", "undecided"); flag ("suppressed", "small" or null), reason, reason_zh.
        index, changes: what the table was made from, unsuppressed and at full precision.
        small, flagged: cells below `small` rows are suppressed, below `flagged` are marked.
    """

    table: pl.DataFrame
    index: Index
    changes: Changes
    construct: str
    small: int
    flagged: int
    notes: tuple[Note, ...] = ()


def track(
    source: Estimate | Index,
    construct: str = "satisfaction",
    waves: Sequence[str] | None = None,
    per_year: int = 4,
    small: int = SMALL,
    flagged: int = FLAGGED,
    weights: Rule | None = None,
    base: str | None = None,
    given: Given | None = None,
    level: float | None = None,
    family: Family = "release",
    breaks: Sequence[Break] = (),
    gate: Comparable | None = None,
    *,
    benchmark: str | None = MEAN,
    targets: Sequence[Target] = (),
    anyway: bool = False,
) -> Tracking:
    """Index, interval, changes, distance from a benchmark, ranks, targets and flags of every brand and wave.

    Parameters:
        source: an estimate (best after `bootstrap`), or an index made before (then weights, base, given and level are
            the index's and must not be passed).
        construct: which construct. waves: their order, gaps included. per_year: waves in a year; with one, the wave
            before is the one a year ago, and there is a single test.
        small: cells with fewer rows are suppressed. flagged: cells with fewer rows are marked "small".
        weights, base, given, level: as in `index`. family, breaks, gate, anyway: as in `changes`; with a gate ranks
            rest on comparable differences alone. benchmark: "mean" (of the wave's brands), a brand, or None.
        targets: of the construct; those of others are left aside.

    Returns:
        Tracking.

    Raises:
        Problems: as `index` and `changes`; E-INDEX when an index comes with index settings; E-BRAND for a
            benchmark that is not there.

    Example:
        >>> import csi
        >>> answers = {"a": [1, 4, 7, 9, 3, 6, 8, 9], "b": [2, 4, 8, 9, 3, 5, 9, 9], "wave": ["1"] * 4 + ["2"] * 4}
        >>> frame = pl.DataFrame(answers).with_columns(c="a", d="b")
        >>> model = csi.Model.parse("use =~ a + b" + chr(10) + "joy =~ c + d" + chr(10) + "joy ~ use")
        >>> est = csi.fit(model, frame, csi.PLS(), by=["wave"], scale=(1, 10))
        >>> track(est, "joy", small=2).table["flag"].to_list()
        ['small', 'small']
    """
    made = _index(source, weights, base, given, level)
    place = construct_place(made, construct)
    name = made.constructs[place]
    unknown = [] if benchmark is None else benchmark_problems(made, benchmark)
    if unknown:
        raise Problems(unknown)
    against: tuple[Against, ...] = ("previous",) if per_year == 1 else ("previous", "year")
    moved = changes(
        made,
        name,
        against,
        waves=waves,
        per_year=per_year,
        small=small,
        family=family,
        breaks=breaks,
        gate=gate,
        anyway=anyway,
    )
    table = made.table.filter(pl.col("construct") == name)
    table = table.select(*_keys(made), "construct", *OWN_COLUMNS)
    table = _with_changes(table, moved, _keys(made))
    if benchmark is not None and "brand" in made.cells.columns:
        table = _with_benchmark(table, benchmarked(made, place, benchmark, small, gate, anyway=anyway), _keys(made))
    table = _with_ranks(table, made, name, small, gate, anyway=anyway)
    table = Bases(small, flagged).withheld(_ordered(table, moved.waves))
    mine = [t for t in targets if t.construct.casefold() in {"", name.casefold()}]
    table = _with_targets(table, mine) if mine else table
    notes = dict.fromkeys((*made.notes, *moved.notes, *_notes(small, flagged), *gate_notes(gate)))
    notes |= dict.fromkeys([RANKS] if table["rank"].count() else [])
    notes |= dict.fromkeys([target_note(made.level)] if mine else [])
    notes |= dict.fromkeys([_benchmark_note(benchmark)] if benchmark and "benchmark" in table.columns else [])
    return Tracking(table, made, moved, name, small, flagged, tuple(notes))


def _index(
    source: Estimate | Index, weights: Rule | None, base: str | None, given: Given | None, level: float | None
) -> Index:
    """The index to tabulate."""
    wanted = Text("an estimate or an index", "估计结果或指数")
    remedy = Text("Give what csi.fit or csi.index returns.", "请给出 csi.fit 或 csi.index 的结果。")
    check_kind("source", source, (Estimate, Index), wanted, remedy)
    if isinstance(source, Estimate):
        return index(source, weights=weights, base=base, given=given, level=level)
    if any(setting is not None for setting in (weights, base, given, level)):
        en, zh = "an index already has its weights and level.", "指数已确定其权重与置信水平。"
        do, do_zh = "Pass the estimate, or leave these settings out.", "请传入估计结果，或省略这些设置。"
        raise Problems([problem("E-INDEX", "track", en, zh, do, do_zh)])
    return source


def _keys(made: Index) -> list[str]:
    return [k for k in made.cells.columns if k != "n"]


RANKS = note(
    "N-RANKS",
    "Rank intervals come from the pairs of each wave with Holm's correction.",
    "名次区间由各期两两比较（Holm 校正）得出。",
)
"""How rank intervals were made."""

OWN_COLUMNS = (
    "formula", "n", "n_effective", "design_effect", "index", "std_error", "conf_low", "conf_high", "reason",
    "reason_zh",
)  # fmt: skip
"""What the tracking table takes from the index's own."""

CHANGE_COLUMNS = (
    "change", "std_error", "statistic", "p_value", "p_holm", "significant", "smallest_significant",
    "minimal_detectable", "evidence", "items", "bias", "bias_error", "adjusted", "link",
)  # fmt: skip
"""What the tracking table takes from the table of changes, once per reference wave."""


def _with_changes(table: pl.DataFrame, moved: Changes, keys: Sequence[str]) -> pl.DataFrame:
    """Columns change_previous, ..., change_year, ..."""
    for kind in moved.table["against"].unique(maintain_order=True):
        part = moved.table.filter(pl.col("against") == kind)
        why = [pl.col("reason").alias(f"withheld_{kind}"), pl.col("reason_zh").alias(f"withheld_zh_{kind}")]
        part = part.select(*keys, *[pl.col(c).alias(f"{c}_{kind}") for c in CHANGE_COLUMNS], *why)
        table = table.join(part, on=keys, how="left", maintain_order="left")
    return table


TESTS = (
    "difference", "std_error", "statistic", "p_value", "p_holm", "significant", "evidence", "items", "bias", "adjusted",
)  # fmt: skip
"""What the tracking table takes from the comparison with the benchmark."""


def _with_benchmark(table: pl.DataFrame, found: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Columns benchmark, difference_benchmark, ...; none where no wave has two brands."""
    if "benchmark" not in found.columns:
        return table
    why = [pl.col("reason").alias("withheld_benchmark"), pl.col("reason_zh").alias("withheld_zh_benchmark")]
    part = found.select(*keys, "benchmark", *[pl.col(c).alias(f"{c}_benchmark") for c in TESTS], *why)
    return table.join(part, on=keys, how="left", maintain_order="left")


def _with_targets(table: pl.DataFrame, given: Sequence[Target]) -> pl.DataFrame:
    """The columns of targets, before those of the bases."""
    made = aimed(table, given)
    rest = [c for c in table.columns if c not in BASES]
    return made.select(*rest, *TARGETS, *BASES)


def _benchmark_note(benchmark: str) -> Note:
    """What the benchmark is."""
    own = benchmark == MEAN
    en = "the mean of the wave's brands, equally weighted, the brand among them" if own else benchmark
    zh = "当期各品牌（含本品牌）的等权均值" if own else benchmark
    return note("N-BENCHMARK", f"Benchmark: {en}; Holm within the wave.", f"基准：{zh}；各期内作 Holm 校正。")


def _with_ranks(
    table: pl.DataFrame, made: Index, construct: str, small: int, gate: Comparable | None, *, anyway: bool
) -> pl.DataFrame:
    """Columns rank, rank_low, rank_high, evidence_rank within each wave; null where a wave has one brand."""
    entity = [k for k in _keys(made) if k != "wave"]
    columns = ["rank", "rank_low", "rank_high"]
    if not entity:
        none = [pl.lit(None, dtype=pl.Int64).alias(c) for c in columns]
        return table.with_columns(none, evidence_rank=pl.lit(None, dtype=pl.String))
    parts = []
    for wave in made.cells["wave"].unique(maintain_order=True).to_list():
        ranked = pairwise(made, wave, construct, small, gate=gate, anyway=anyway).table.select(
            *entity, *[pl.col(c).cast(pl.Int64) for c in columns], evidence_rank="evidence"
        )
        parts.append(ranked.with_columns(pl.lit(wave).alias("wave")))
    return table.join(pl.concat(parts), on=[*entity, "wave"], how="left", maintain_order="left")


def _ordered(table: pl.DataFrame, waves: Sequence[str]) -> pl.DataFrame:
    """Rows with each brand's waves oldest first, brands in order of appearance."""
    entity = [k for k in table.columns[: table.columns.index("construct")] if k != "wave"]
    brand = table.select(entity).unique(maintain_order=True).with_row_index("_brand") if entity else None
    place = pl.col("wave").replace_strict(list(waves), list(range(len(waves))), return_dtype=pl.Int64).alias("_wave")
    numbered = table if brand is None else table.join(brand, on=entity, how="left", maintain_order="left")
    by = ["_wave"] if brand is None else ["_brand", "_wave"]
    return numbered.with_columns(place).sort(by, maintain_order=True).drop(by)


def _notes(small: int, flagged: int) -> tuple[Note, ...]:
    """The rules of small cells."""
    en = f"Cells with fewer than {small} answers are suppressed, fewer than {flagged} flagged."
    zh = f"样本量不足 {small} 的单元不予发布，不足 {flagged} 的加以标记。"
    return (note("N-SMALL", en, zh),)


@text.register
def _(value: Tracking, lang: str = "en") -> str:
    """The table and the notes."""
    return shown(Text("Tracking", "跟踪表").say(lang), value.table, value.notes, lang)
