"""What forms expectation at each stage of use, and whether the order of influence is what it is said to be.

Never used: word of mouth, advertising, own judgement. First use: also the first impression. Long use: also the long
experience. What a stage cannot have is not in its regression, and answers there are refused.

Source:
    Zeithaml, Berry & Parasuraman (1993), Journal of the Academy of Marketing Science 21(1), 1-12.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Text, note, problem
from csi.estimate.given import check_panel
from csi.expectation.composites import Composite, doubts, labels_of, scores
from csi.expectation.formation import CAUSES, notes_of, parts_of, target_name
from csi.expectation.formation_words import judged, leader
from csi.expectation.influence import Cell, Influence, cell_of, influence_problems, orders_of, table_of
from csi.expectation.stages_words import STAGES, across_sentences, lines_of, summary
from csi.inference.adjust import adjust
from csi.inference.linearised import critical, p_of_t
from csi.inference.order import Order
from csi.inference.sandwich import Slopes, robust_slopes
from csi.inference.settings import check_settings
from csi.moments.sample import sample_of
from csi.moments.stack import Array, Sample
from csi.survey.bases import FLAGGED, SMALL, Bases, told_cells
from csi.survey.codebook import Form
from csi.survey.keyed import stacked
from csi.survey.panel import Panel

STAGE_CAUSES: Final = ("wom", "advert", "judge", "first", "exper")
"""The causes of `formation_by_stage`."""

OWN: Final = {"first": "first", "exper": "long"}
"""Causes that exist at one stage alone."""

ORDERS: Final = {"never": "wom > advert > judge", "first": "first > wom > advert", "long": "exper > judge > wom"}
"""What is said of each stage; tested, not assumed."""

LEAST: Final = 100
"""Respondents that a stage needs."""


@dataclass(frozen=True, slots=True, repr=False)
class Stages(Shown):
    """What expectation goes with at each stage.

    Attributes:
        table, fit: as of `Formation`, with the key column stage.
        orders: stage, estimand, declared, hypothesis, support, weight, weight_complement, preferred, preferred_support.
        ranking: stage, order, support, preferred: every order of the causes at a stage (declared estimand).
        across: cause, first, second (stages), difference (of unstandardised slopes, first minus second), std_error,
            p_value, p_adjusted (Holm), conf_low, conf_high: two-sided Wald tests of causes that stages share.
        tests: stage -> `Order`. expected, absent, labels, influence, replicates, seed, level, sentences, notes.
    """

    table: pl.DataFrame
    fit: pl.DataFrame
    orders: pl.DataFrame
    ranking: pl.DataFrame
    across: pl.DataFrame
    tests: Mapping[str, Order]
    expected: str
    absent: tuple[str, ...]
    labels: Mapping[str, Text]
    influence: Influence
    replicates: int
    seed: int
    level: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Stages, lang: str = "en") -> str:
    """Sentences, causes by stage, orders, differences between stages, notes."""
    frames = (value.table, value.fit, value.orders, value.across)
    return lines_of(frames, value.sentences, value.notes, value.labels, lang)


def formation_by_stage(
    panel: Panel,
    stages: Mapping[str, str | Sequence[str]] | None = None,
    *,
    expected: Form = "Ew",
    outcome: str | Sequence[str] | None = None,
    causes: Sequence[str] | Mapping[str, str] = STAGE_CAUSES,
    own: Mapping[str, str] = OWN,
    hypotheses: Mapping[str, str | Sequence[str]] | None = None,
    influence: Influence = "relative_weight",
    least: int = LEAST,
    where: Mapping[str, str] | None = None,
    replicates: int = 1000,
    seed: int = 1,
    level: float = 0.95,
    small: int = SMALL,
    flagged: int = FLAGGED,
) -> Stages:
    """Relative weights of the causes of expectation at each stage, with tests of the order that is said to hold.

    One declared estimand (relative weights) is looked at twice: share of resamples in which the order holds, and GORICA
    weight against the complement; standardised slopes stand beside. Between stages unstandardised slopes are compared.

    Parameters:
        panel: answers with a codebook and a column stage. stages: "never", "first", "long" -> the panel's name (or
            names); the names as they are when it is left out. expected, outcome: as in `csi.formation`.
        causes: constructs or items; a mapping gives them other names. own: cause -> the one stage that has it. least:
            respondents that a stage needs. hypotheses: stage -> orders; `ORDERS` where the causes are there.
        influence, where, replicates, seed, level, small, flagged: as in `csi.formation`.

    Returns:
        A `Stages`; a stage without respondents is left out.

    Raises:
        Problems: E-STAGE (no stages, unknown ones, too few rows), E-DESIGN (a cause is answered where it cannot be),
            E-ROLE, E-COLL, E-ORDER, E-SETTING.

    Example:
        >>> import csi
        >>> panel = csi.Study.read("data/telecom/study.yaml").panel()
        >>> formation_by_stage(panel)  # doctest: +IGNORE_EXCEPTION_DETAIL
        Traceback (most recent call last):
        csi.errors.Problems: regular cannot be placed.
    """
    check_settings(level, replicates, seed)
    influence_problems(influence)
    bases = Bases(small, flagged)
    named, problems = _stages(panel, stages, where)
    parts, absent = _parts(panel, expected, outcome, causes, problems)
    sample = sample_of(panel, [i for p in parts for i in p.items], ["stage"], missing="pairwise", where=where)
    stage, Z = _of_cells(sample, named), scores(sample, parts)
    joined, at = _joined(sample, stage), {s: _places(parts, s, own) for s in STAGES if s in stage}
    _refuse([*problems, *_design(sample, parts, stage, own), *_sizes(joined, Z, at, least)])
    labels = labels_of(panel.codebook, [p.name for p in parts[1:]], CAUSES)
    own_parts = {s: [parts[j] for j in places] for s, places in at.items()}
    cells = {s: cell_of(joined, Z[:, at[s]], p, list(STAGES).index(s), replicates, seed) for s, p in own_parts.items()}
    claims, untested = _claims(hypotheses, published := {s: c for s, c in cells.items() if c.n >= small})
    keys = pl.DataFrame({"stage": list(cells)}, schema={"stage": pl.String})
    tests, orders = orders_of(cells, keys, claims, influence, labels, seed)
    table, fit = table_of(keys, list(cells.values()), list(own_parts.values()), level, bases)
    across = _across(published, level)
    told = notes_of(sample, list(cells.values()), parts, absent, table)
    return Stages(
        table=table,
        fit=fit,
        orders=orders,
        ranking=_keyed({s: t.ranking for s, t in tests.items()}),
        across=across,
        tests=tests,
        expected=target_name(expected, outcome),
        absent=absent,
        labels=labels,
        influence=influence,
        replicates=replicates,
        seed=seed,
        level=level,
        sentences=(*bases.sentences(fit), *_sentences(table, fit, orders, labels), *across_sentences(across, labels)),
        notes=(*bases.notes(fit, ["stage"], STAGES), *_notes(untested, cells), *told, *doubts(sample, "N-NOT-ASKED")),
    )


def _refuse(problems: Sequence[Problem]) -> None:
    """Raise what was found."""
    if problems:
        raise Problems(problems)


def _parts(
    panel: Panel,
    expected: Form,
    outcome: str | Sequence[str] | None,
    causes: Sequence[str] | Mapping[str, str],
    problems: Sequence[Problem],
) -> tuple[tuple[Composite, ...], tuple[str, ...]]:
    """The expectation and its causes, absent causes.

    Raises:
        Problems: those there are and its own, where it has some or there is no column of stages.
    """
    try:
        found = parts_of(panel, expected, outcome, causes, "formation_by_stage")
    except Problems as refused:
        raise Problems([*problems, *refused.problems]) from refused
    if "stage" not in panel.frame.columns:
        raise Problems(problems)
    return found


def _stages(
    panel: Panel, stages: Mapping[str, str | Sequence[str]] | None, where: Mapping[str, str] | None
) -> tuple[dict[str, str], list[Problem]]:
    """The panel's names of stages -> never, first, long; what keeps others from being placed."""
    check_panel(panel)
    if "stage" not in panel.frame.columns:
        en, zh = "the panel has no column in the role stage.", "面板中没有角色为 stage 的列。"
        do, do_zh = "Name it in the study under keys: {stage: COLUMN}.", "请在研究文件的 keys 中写 {stage: 列名}。"
        return {}, [problem("E-STAGE", "stage", en, zh, do, do_zh)]
    frame = panel.frame
    for key, value in (where or {}).items():
        frame = frame.filter(pl.col(key) == value) if key in frame.columns else frame
    seen = frame["stage"].drop_nulls().unique().sort().to_list()
    asked = stages if stages is not None else {s: s for s in seen if s in STAGES}
    given = {t: ours for ours, own in asked.items() for t in ([own] if isinstance(own, str) else own)}
    known, found = ", ".join(STAGES), ", ".join(seen)
    problems: list[Problem] = []
    wrong = sorted({v for v in given.values() if v not in STAGES})
    unknown = [s for s in seen if s not in given]
    absent = [s for s in given if s not in seen]
    if wrong:
        en, zh = f"{', '.join(wrong)}: stages are {known}.", f"{'、'.join(wrong)}：阶段应为 {known}。"
        problems.append(problem("E-STAGE", "stages", en, zh, *_MAP))
    if unknown or not given:
        en = f"stages must be {known}; the panel has {found}, of which {', '.join(unknown or seen)} cannot be placed."
        zh = f"阶段应为 {known}；面板中有 {found}，其中 {'、'.join(unknown or seen)} 无法归类。"
        problems.append(problem("E-STAGE", "stages", en, zh, *_MAP))
    elif absent:
        en = f"stages name {', '.join(absent)}; the panel has {found}."
        zh = f"stages 中的 {'、'.join(absent)} 不在面板中；面板中有 {found}。"
        problems.append(problem("E-STAGE", "stages", en, zh, *_MAP))
    return {theirs: ours for theirs, ours in given.items() if ours in STAGES}, problems


_MAP = (
    (
        "Map them, as in stages={'never': 'prospect', 'first': 'new', 'long': 'old'} (--stages never=prospect,...; "
        "models: {formation_by_stage: {stages: {never: prospect, ...}}})."
    ),
    (
        "请写对应关系，例如 stages={'never': '潜在', 'first': '新', 'long': '老'}（--stages never=潜在,...；"
        "models: {formation_by_stage: {stages: {never: 潜在, ...}}}）。"
    ),
)


def _of_cells(sample: Sample, named: Mapping[str, str]) -> list[str]:
    """The stage of each cell of the sample; "" of respondents without one."""
    return [named.get(v, "") for v in sample.cells["stage"].to_list()]


def _joined(sample: Sample, stage: Sequence[str]) -> Sample:
    """The sample with one cell per stage, in the order of the stages."""
    order = list(STAGES)
    code = np.array([order.index(s) if s else -1 for s in stage], dtype=np.int64)
    cells = pl.DataFrame({"stage": order, "n": [int((code[sample.cell] == j).sum()) for j in range(len(order))]})
    return replace(sample, cell=code[sample.cell], cells=cells)


def _places(parts: Sequence[Composite], stage: str, own: Mapping[str, str]) -> list[int]:
    """Positions of the expectation and of the causes that a stage has."""
    return [0, *(j for j, p in enumerate(parts) if j and own.get(p.name, stage) == stage)]


def _design(sample: Sample, parts: Sequence[Composite], stage: Sequence[str], own: Mapping[str, str]) -> list[Problem]:
    """Answers where the design says that nobody was asked."""
    problems = []
    for part in parts[1:]:
        if part.name not in own:
            continue
        outside = np.array([s not in {own[part.name], ""} for s in stage], dtype=bool)[sample.cell]
        at = [sample.names.index(i) for i in part.items]
        count = int((np.isfinite(sample.rows[:, at]).any(axis=1) & outside).sum())
        if count:
            where = STAGES[own[part.name]]
            en = (
                f"{count} respondents of stages other than “{where.en}” answered {part.name} ({', '.join(part.items)})."
            )
            zh = f"{count} 位不属于“{where.zh}”的受访者回答了 {part.name}（{'、'.join(part.items)}）。"
            do = "Check the stages or the filter of the question; set answers that were not asked to missing."
            problems.append(
                problem("E-DESIGN", part.name, en, zh, do, "请检查阶段划分或跳题设置，并将未询问的回答设为缺失。")
            )
    return problems


def _sizes(sample: Sample, Z: Array, at: Mapping[str, Sequence[int]], least: int) -> list[Problem]:
    """Stages in which too few answered."""
    problems = []
    for stage, places in at.items():
        own = (sample.cell == list(STAGES).index(stage)) & np.isfinite(Z[:, places]).all(axis=1)
        count = int(own.sum())
        if count < least:
            name = STAGES[stage]
            en = f"of stage “{name.en}”, {count} respondents answered expectation and its causes; {least} are needed."
            zh = f"“{name.zh}”者中回答了期望及其成因的仅 {count} 人，至少需要 {least} 人。"
            do = "Ask more of them, or keep the other stages alone; in Python least= may be lowered, and said so."
            problems.append(
                problem(
                    "E-STAGE",
                    f"stage {stage}",
                    en,
                    zh,
                    do,
                    "请补充样本，或只保留其他阶段；在 Python 中可调低 least= 并加以说明。",
                )
            )
    return problems


def _claims(
    asked: Mapping[str, str | Sequence[str]] | None, cells: Mapping[str, Cell]
) -> tuple[dict[str, str | Sequence[str]], list[str]]:
    """Hypotheses of each stage that its causes allow; default ones that they do not."""
    if asked is not None:
        wrong = [s for s in asked if s not in cells]
        if wrong:
            en, zh = f"no respondents at {', '.join(wrong)}.", f"没有处于 {'、'.join(wrong)} 的受访者。"
            do = f"Stages with respondents: {', '.join(cells)}."
            raise Problems([problem("E-STAGE", "hypotheses", en, zh, do, f"有受访者的阶段：{'、'.join(cells)}。")])
        return dict(asked), []
    kept: dict[str, str | Sequence[str]] = {}
    left = []
    for stage, cell in cells.items():
        names = ORDERS[stage].split(" > ")
        if all(n in cell.names for n in names):
            kept[stage] = ORDERS[stage]
        else:
            left.append(stage)
    return kept, left


def _keyed(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Frames of stages below each other."""
    return stacked(pl.DataFrame({"stage": list(frames)}), list(frames.values())) if frames else pl.DataFrame()


def _across(cells: Mapping[str, Cell], level: float) -> pl.DataFrame:
    """Differences of the slopes of causes that two stages share.

    All stages stand in one regression with a block each, so that units that answer at two stages are one.
    """
    kinds = {"cause": pl.String, "first": pl.String, "second": pl.String}
    numbers = ("difference", "std_error", "p_value", "p_adjusted", "conf_low", "conf_high")
    schema = kinds | dict.fromkeys(numbers, pl.Float64)
    if len(cells) < 2:
        return pl.DataFrame(schema=schema)
    slopes, place = _blocks(cells)
    rows = []
    for first, second in combinations(cells, 2):
        for cause in (c for c in cells[first].names if c in cells[second].names):
            apart = np.zeros(len(slopes.slopes))
            apart[place[first, cause]], apart[place[second, cause]] = 1.0, -1.0
            error = float(np.sqrt(apart @ slopes.cov @ apart))
            rows.append((cause, first, second, float(apart @ slopes.slopes), error, slopes.joint_df(apart[None])))
    if not rows:
        return pl.DataFrame(schema=schema)
    difference, se, degrees = (np.array([r[k] for r in rows]) for k in (3, 4, 5))
    p, reach = p_of_t(difference / se, degrees), critical(level, degrees) * se
    columns = [difference, se, p, adjust(p, "holm"), difference - reach, difference + reach]
    names = {k: [r[j] for r in rows] for j, k in enumerate(kinds)}
    return pl.DataFrame(names | dict(zip(numbers, columns, strict=True)), schema=schema)


def _blocks(cells: Mapping[str, Cell]) -> tuple[Slopes, dict[tuple[str, str], int]]:
    """One regression with a block of predictors per stage, and the places of (stage, cause)."""
    width = sum(len(c.names) + 1 for c in cells.values())
    place: dict[tuple[str, str], int] = {}
    parts, at = [], 0
    for stage, cell in cells.items():
        X = np.zeros((cell.n, width))
        X[:, at] = 1.0
        X[:, at + 1 : at + 1 + len(cell.names)] = cell.Z[:, 1:]
        place |= {(stage, c): at + 1 + j for j, c in enumerate(cell.names)}
        at += len(cell.names) + 1
        parts.append(X)
    y, w, unit = (
        np.concatenate([a[k] for a in ((c.Z[:, 0], c.weight, c.unit) for c in cells.values())]) for k in range(3)
    )
    stratum = next(iter(cells.values())).stratum  # one sample, so one list of units
    return robust_slopes(np.concatenate(parts), y, w, unit.astype(np.int64), stratum), place


def _sentences(
    table: pl.DataFrame, fit: pl.DataFrame, orders: pl.DataFrame, labels: Mapping[str, Text]
) -> tuple[Text, ...]:
    """What the data say of the orders together; per stage which cause accounts for most, and of its order."""
    declared = orders.filter("declared") if orders.height else orders
    out = [summary(declared)] if declared.height > 1 else []
    for cell, rows in told_cells(fit, ["stage"]):
        stage = str(cell["stage"])
        name = STAGES[stage]
        said = [leader(table.filter(stage=stage), rows["r2"][0], labels)]
        tested = orders.filter(stage=stage, declared=True) if orders.height else orders
        said += [judged(o, labels) for o in tested.iter_rows(named=True)]
        out += [Text(f"{name.en.capitalize()}: {s.en}", f"{name.zh}：{s.zh}") for s in said]
    return tuple(out)


def _notes(untested: Sequence[str], cells: Mapping[str, Cell]) -> tuple[Note, ...]:
    """Orders that could not be tested, what contradicts them, what comparisons between stages take for granted."""
    notes = []
    if untested:
        names = [STAGES[s] for s in untested]
        en = f"the order said to hold at {', '.join(n.en for n in names)} is not tested: a cause in it was not asked."
        zh = f"未检验“{'、'.join(n.zh for n in names)}”阶段的次序：其中有成因未询问。"
        notes.append(note("W-ORDER", en, zh))
    en = "the orders are hypotheses, not weights: among hotel guests word of mouth mattered more to the experienced,"
    zh = "所述次序只是假设，不作为权重：一项酒店研究发现，口碑对有经验顾客更重要，新顾客更依赖个人因素（Trisca）。"
    notes.append(note("N-ORDER", f"{en} and novices leaned on personal factors (Trisca).", zh))
    if len(cells) > 1:
        en = "stages are compared by unstandardised slopes alone, which takes for granted that questions mean the same"
        en += " at each stage (csi comparable tests it); stages are not assigned at random."
        zh = "阶段之间只比较未标准化斜率，前提是各阶段对题项的理解相同（可用 csi comparable 检验）；所处阶段并非随机。"
        notes.append(note("N-STAGES", en, zh))
    return tuple(notes)
