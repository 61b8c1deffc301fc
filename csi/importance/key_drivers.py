"""What goes with an outcome, by every customary metric of importance, with intervals, ranks and pairwise dominance.

Letters: `k` drivers, `x` pairs, `M` metrics, `b` cells, `B` replicates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

import numpy as np
import polars as pl

from csi.display import Shown, least_p, text
from csi.errors import Note, Problem, Problems, Text, did_you_mean, note, one_of, problem
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit
from csi.estimate.unrolled import on_items
from csi.importance.key_drivers_words import HUNDREDS, between_note, lines_of, notes_of, sentences_of
from csi.importance.key_frames import agreement_frame, differences_frame, metric_frame, pair_frame, wide_frame
from csi.importance.key_measured import Kind, Measured, of_copies, of_fit, of_rows
from csi.importance.separable import unreadable
from csi.inference.bootstrap import bootstrap
from csi.measures.tidy import cells_of, said_once
from csi.models.model import Construct, Model, Path, Term
from csi.pls.estimator import PLS
from csi.survey.panel import Panel

Family = Literal["linear", "logit", "ordered"]
SUBSETS: Final = 8
"""Drivers up to which logits of all subsets are taken."""
CATEGORIES: Final = 11


@dataclass(frozen=True, slots=True, repr=False)
class KeyDrivers(Shown):
    """Importance of drivers. Each frame starts with the cell's key columns.

    Attributes:
        table: driver, sign (of the coefficient), share (of what is explained, by LMG) with conf_low, conf_high, rank
            with rank_low, rank_high (of the draws), first_share (how often it is first), and every metric: correlation,
            beta, vif, first, last, pratt, car, johnson, lmg.
        metrics: driver, metric, estimate, std_error, conf_low, conf_high.
        pairs: driver, other, difference (of shares), std_error, conf_low, conf_high, p_value, p_adjusted (Holm's, over
            the pairs of the cell), complete (share of the subsets without both in which the driver adds more),
            conditional (share of the sizes of subsets), dominates ("complete", "conditional", "general": the strongest
            that holds, for the one with more LMG).
        agreement: metric, other, rank_correlation (Spearman's, over drivers).
        differences: driver, cell, other, difference (of shares), std_error, conf_low, conf_high, p_value, p_adjusted
            (Holm's); empty with one cell or without draws.
        outcome, drivers, family, level, labels, sentences, notes. least: the least p that the draws can give; one there
            is printed as a bound.
    """

    table: pl.DataFrame
    metrics: pl.DataFrame
    pairs: pl.DataFrame
    agreement: pl.DataFrame
    differences: pl.DataFrame
    outcome: str
    drivers: tuple[str, ...]
    family: Family
    level: float
    labels: Mapping[str, Text]
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()
    least: float = 0.0


@text.register
def _(value: KeyDrivers, lang: str = "en") -> str:
    """Sentences, metrics, pairs, agreement, differences, notes."""
    frames = (value.table, value.pairs, value.agreement, value.differences)
    return lines_of(value.sentences, frames, value.labels, value.notes, lang, value.least)


def key_drivers(
    data: object,
    outcome: str = "satisfaction",
    drivers: Sequence[str] | None = None,
    *,
    by: Sequence[str] = (),
    family: Family = "linear",
    r2: Kind = "mcfadden",
    replicates: int = 500,
    level: float = 0.95,
    seed: int = 1,
    where: Mapping[str, str] | None = None,
    weight: str | None = None,
    unit: str | None = None,
    stratum: str | None = None,
    na: Sequence[float] = (),
) -> KeyDrivers:
    """Importance of drivers by LMG, relative weights, CAR, Pratt and dominance, with intervals, ranks and differences.

    Drivers that go together share what they explain. LMG and dominance compare every subset of them (sampled orders of
    more than 15), relative weights and CAR scores turn them into unrelated ones; where methods put drivers in different
    orders that is said.

    Parameters:
        data: an estimate (its constructs, correlations and replicates are used), or a Panel or frame of columns, or
            completed copies of one (`csi.impute`), whose resamples are taken together.
        outcome: a construct, or a column. drivers: at least two constructs or columns (of an estimate by default those
            with an arrow to the outcome).
        by: key columns that make cells of a panel or frame. family: "linear"; of columns "logit" (two answers) or
            "ordered" (up to 11), for at most 8 drivers. r2: of these, whose shares are told: "mcfadden", "nagelkerke".
        replicates: resamples for intervals of columns (0: none). level, seed: of intervals and resamples.
        where, weight, unit, stratum, na: as in `csi.fit`.

    Returns:
        A `KeyDrivers`; NaN where drivers are collinear, or an estimate may not be read (as in `drivers`).

    Raises:
        Problems: E-SETTING (unknown names, fewer than two drivers, families, replicates between 1 and 99, levels),
            E-COLUMN, E-CATEGORY as `csi.fit`.

    Source:
        Groemping (2007), The American Statistician 61(2); Johnson (2000); Zuber & Strimmer (2011); Budescu (1993);
        Azen & Budescu (2003), Psychological Methods 8(2); of completed copies Schomaker & Heumann (2018), Statistics in
        Medicine 37(14); of logits Azen & Traxel (2009), Tonidandel & LeBreton (2010).
        LMG equals relaimpo 2.2-7 on its own example to 1e-12. PMVD (Feldman, 2005) is left out: see `csi explain pmvd`.

    Example:
        >>> frame = pl.DataFrame({"a": [1, 4, 7, 9, 5, 3], "b": [2, 3, 4, 9, 8, 1], "y": [1, 5, 6, 9, 6, 2]})
        >>> found = key_drivers(frame, "y", ["a", "b"], replicates=0)
        >>> found.table.select("driver", pl.col("share", "johnson").round(3)).rows()
        [('a', 0.581, 0.556), ('b', 0.419, 0.4)]
    """
    wrong = [*one_of("family", family, get_args(Family)), *one_of("r2", r2, get_args(Kind))]
    wrong += _numbers(replicates, level)
    if isinstance(data, Estimate):
        names = _of_estimate(data, outcome, drivers, family)
        if wrong:
            raise Problems(wrong)
        return _told_of_fit(on_items(data), names, outcome, family)
    names = _columns(drivers, outcome, family)
    if wrong:
        raise Problems(wrong)
    model, labels = _model(names, outcome), {c: Text(c, c) for c in (*names, outcome)}
    each = list[Measured]()
    for k, copy in enumerate(_copies(data)):
        est = fit(model, copy, PLS(), by, where=where, weight=weight, unit=unit, stratum=stratum, na=na)
        if family == "linear":
            est = bootstrap(est, replicates, seed + k, level=level) if replicates else est
            each.append(of_fit(est, list(range(len(names))), len(names)))
        else:
            each.append(_by_logit(est, names, outcome, (family, r2), replicates, seed + k, level))
    measured = each[0] if len(each) == 1 else of_copies(each, level)
    told = _told(est, measured, names, outcome, family, labels, level)
    return told if len(each) == 1 else replace(told, notes=(*told.notes, _imputed(len(each))))


def _told_of_fit(est: Estimate, names: Sequence[str], outcome: str, family: Family) -> KeyDrivers:
    """Importance of constructs in an estimate, by its own correlations and replicates."""
    at, y = [est.solution.constructs.index(c) for c in names], est.solution.constructs.index(outcome)
    labels = {c: Text(est.model.label(c), est.model.label(c, "zh")) for c in (*names, outcome)}
    why = unreadable(est, [*names, outcome])
    found = of_fit(est, at, y).without([w is not None for w in why])
    told = _told(est, found, names, outcome, family, labels, est.level)
    return replace(told, notes=(*(Note(r.code, r.text) for r in said_once(why).values()), *told.notes))


def _copies(data: object) -> Sequence[object]:
    """Completed copies of `csi.impute`, or what was given alone."""
    several = isinstance(data, Sequence) and len(data) > 1 and all(isinstance(d, Panel | pl.DataFrame) for d in data)
    return data if isinstance(data, Sequence) and several else (data,)


def _imputed(m: int) -> Note:
    """How completed copies were put together."""
    en = f"values are means over {m} completed copies, intervals come from the resamples of all of them together."
    return note("N-KEY-IMPUTED", en, f"数值为 {m} 份插补数据的均值，区间取自各份数据全部重抽样的合并结果。")


def _told(
    est: Estimate,
    found: Measured,
    names: Sequence[str],
    outcome: str,
    family: Family,
    labels: Mapping[str, Text],
    level: float,
) -> KeyDrivers:
    """Every frame, sentence and note."""
    cells = cells_of(est)
    table, pairs = wide_frame(cells, names, found, level), pair_frame(cells, names, found)
    agreement = agreement_frame(cells, found)
    differences = differences_frame(cells, names, found, level)
    said = sentences_of(table, pairs, agreement, differences, labels, outcome, level)
    return KeyDrivers(
        table=table,
        metrics=metric_frame(cells, names, found),
        pairs=pairs,
        agreement=agreement,
        differences=differences,
        outcome=outcome,
        drivers=tuple(names),
        family=family,
        level=level,
        labels=labels,
        sentences=said,
        notes=(
            *est.notes,
            *notes_of(table, len(names), family, drawn=bool(len(found.shares))),
            *((between_note(),) if differences.height and float(est.moments.n.min()) < HUNDREDS else ()),
        ),
        least=_least(found),
    )


def _by_logit(
    est: Estimate,
    names: Sequence[str],
    outcome: str,
    kind: tuple[Family, Kind],
    replicates: int,
    seed: int,
    level: float,
) -> Measured:
    """Shares of McFadden's or Nagelkerke's R2.

    Raises:
        Problems: answers with too few or too many categories, too many drivers.
    """
    sample, found, family = est.sample, list[Problem](), kind[0]
    if sample is None:
        raise AssertionError
    at, y = [sample.names.index(c) for c in names], sample.names.index(outcome)
    kinds = len(np.unique(sample.rows[:, y]))
    most = 2 if family == "logit" else CATEGORIES
    if not 2 <= kinds <= most:
        en = f"{outcome} has {kinds} different answers; {family} takes {'2' if most == 2 else f'2 to {most}'}."
        zh = f"{outcome} 有 {kinds} 种取值；{family} 要求 {'2' if most == 2 else f'2 至 {most}'} 种。"
        found.append(problem("E-SETTING", "family", en, zh, 'Use family="linear", say.', "例如 family=“linear”。"))
    if len(names) > SUBSETS:
        en, zh = (
            f"{len(names)} drivers make {2 ** len(names)} logits.",
            f"{len(names)} 个驱动因素需拟合 {2 ** len(names)} 次。",
        )
        found.append(problem("E-SETTING", "drivers", en, zh, f"Take at most {SUBSETS}.", f"至多取 {SUBSETS} 个。"))
    if found:
        raise Problems(found)
    return of_rows(sample, (at, y), replicates, seed, level, kind[1])


def _model(names: Sequence[str], outcome: str) -> Model:
    """One construct per column, each with an arrow to the outcome."""
    inner = [f"driver {j}" for j in range(len(names))]
    constructs = [
        Construct(c, "=~", (Term(item),)) for c, item in zip([*inner, "outcome"], [*names, outcome], strict=True)
    ]
    return Model(tuple(constructs), tuple(Path("outcome", Term(c)) for c in inner))


def _of_estimate(est: Estimate, outcome: str, drivers: object, family: str) -> list[str]:
    """The drivers of an estimate.

    Raises:
        Problems: E-SETTING.
    """
    known, found = list(est.solution.constructs), list[Problem]()
    products = {c.name for c in est.model.constructs if c.product_of}
    if outcome not in known:
        hint = did_you_mean(str(outcome), known)
        en, zh = f'the model has no construct "{outcome}".', f"模型中没有构念“{outcome}”。"
        raise Problems([problem("E-TARGET", "outcome", en, zh, hint.en, hint.zh)])
    names = [c for c in est.model.predictors(outcome) if c not in products] if drivers is None else _listed(drivers)
    for name in names:
        if name not in known or name == outcome or name in products:
            hint = did_you_mean(name, [c for c in known if c != outcome])
            found.append(
                problem(
                    "E-SETTING",
                    "drivers",
                    f'"{name}" is no driver here.',
                    f"“{name}”在此不能作驱动因素。",
                    hint.en,
                    hint.zh,
                )
            )
    if family != "linear":
        en, zh = "logits need answers, not an estimate.", "logit 需要原始回答，而非估计结果。"
        found.append(problem("E-SETTING", "family", en, zh, "Give a panel or a frame.", "请给出面板或数据框。"))
    found += _few(names)
    if found:
        raise Problems(found)
    return names


def _columns(drivers: object, outcome: object, family: str) -> list[str]:
    """The drivers among columns.

    Raises:
        Problems: E-SETTING.
    """
    del family
    names = _listed(drivers)
    found = _few(names)
    if not isinstance(outcome, str) or outcome in names:
        en, zh = (
            f"the outcome is a column that is no driver, not {outcome}.",
            f"结果应为驱动因素以外的列，而不是 {outcome}。",
        )
        found.append(problem("E-SETTING", "outcome", en, zh, "Name another column.", "请指定其他列。"))
    if found:
        raise Problems(found)
    return names


def _listed(drivers: object) -> list[str]:
    """Names as a list; nothing of anything else."""
    if isinstance(drivers, str):
        return [drivers]
    if isinstance(drivers, Sequence):
        return list(dict.fromkeys(str(d) for d in drivers))
    return []


def _few(names: Sequence[str]) -> list[Problem]:
    """Fewer than two drivers have nothing to share."""
    if len(names) >= 2:
        return []
    en, zh = f"{len(names)} drivers share nothing.", f"{len(names)} 个驱动因素无从分配。"
    do = 'Name at least two, such as drivers=["price", "service"].'
    return [problem("E-SETTING", "drivers", en, zh, do, "请至少指定两个，例如 drivers=[“price”, “service”]。")]


FEWEST: Final = 100


def _least(found: Measured) -> float:
    """The least p that the draws of every cell can give."""
    usable = np.isfinite(found.shares).all(axis=2).sum(axis=0)
    some = usable[usable > 1]
    return least_p(int(some.min()), 2) if some.size else 0.0


def _numbers(replicates: object, level: object) -> list[Problem]:
    """What is wrong with the number of resamples and the level."""
    found = []
    if isinstance(replicates, bool) or not isinstance(replicates, int) or 0 < replicates < FEWEST or replicates < 0:
        en, zh = (
            f"replicates are 0 or at least {FEWEST}, not {replicates}.",
            f"重抽样次数应为 0 或不少于 {FEWEST}，而不是 {replicates}。",
        )
        found.append(problem("E-SETTING", "replicates", en, zh, "Use replicates=500.", "请用 replicates=500。"))
    if isinstance(level, bool) or not isinstance(level, float) or not 0.5 <= level < 1:
        en, zh = f"a level is between 0.5 and 1, not {level}.", f"置信水平应在 0.5 与 1 之间，而不是 {level}。"
        found.append(problem("E-SETTING", "level", en, zh, "Use level=0.95.", "请用 level=0.95。"))
    return found
