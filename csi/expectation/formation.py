"""What forms expectation: how much of it goes with each of its causes.

    expectation = a + sum_j b_j cause_j + e

Expectation and causes are means of their items. Causes go together (word of mouth repeats the promise), so what each
accounts for is its relative weight; relative weights sum to R2.

Letters: `n` rows, `k` causes, `B` replicates.

Source:
    Zeithaml, Berry & Parasuraman (1993), Journal of the Academy of Marketing Science 21(1), 1-12; Johnson (2000),
    Multivariate Behavioral Research 35(1), 1-19.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Text, did_you_mean, note, problem
from csi.estimate.given import check_panel
from csi.expectation.composites import Composite, composite, doubts, items_named, labels_of, scores
from csi.expectation.formation_words import lines_of, sentences_of
from csi.expectation.influence import Cell, Influence, Untold, cells_of, influence_problems, orders_of, table_of
from csi.inference.order import Order
from csi.inference.settings import check_settings
from csi.moments.sample import sample_of
from csi.moments.stack import Sample
from csi.survey.bases import FLAGGED, SMALL, Bases, untold
from csi.survey.codebook import Codebook, Form
from csi.survey.keyed import cell_names
from csi.survey.panel import Panel

CAUSES: Final[Mapping[str, Text]] = {
    "wom": Text("word of mouth", "口碑"),
    "promise": Text("promises", "企业承诺"),
    "price": Text("price", "价格"),
    "role": Text("perceived role", "角色感知"),
    "past": Text("past experience", "过去的经验"),
    "need": Text("personal needs", "个人需要"),
    "norm": Text("industry standard", "行业标准"),
    "social": Text("social comparison", "社会比较"),
    "advert": Text("advertising", "广告暗示"),
    "judge": Text("own judgement", "自己的主观判断"),
    "first": Text("first impression", "初次使用印象"),
    "exper": Text("long experience", "长期使用体验"),
}
"""What expectations are said to come from."""

EXPECTATION: Final = "expectation"
"""The construct that is taken for the expectation where the codebook has it in the form asked for."""

VOCABULARY: Final = frozenset((name, name) for name in CAUSES)
"""Causes under their own names: what was not asked of them is left out."""

EIGHT: Final = ("wom", "promise", "price", "role", "past", "need", "norm", "social")
"""The causes of `formation`."""


@dataclass(frozen=True, slots=True, repr=False)
class Formation(Shown):
    """What expectation goes with, in every cell.

    Attributes:
        table: the cell's key columns, cause, items (how many), n, mean, sd, r (correlation with expectation), slope,
            std_error, p_value (robust), p_adjusted (Holm over the causes of a cell), beta, beta_low, beta_high,
            relative_weight, relative_low, relative_high, share (of R2), share_low, share_high, vif, flag, reason,
            reason_zh (of few answers, or why a cell cannot be told).
        fit: key columns, n, r2, r2_low, r2_high, r2_adjusted, condition (root of the largest over the smallest
            eigenvalue of the causes' correlations), flag, reason, reason_zh.
        orders: key columns, estimand, declared, hypothesis, support, weight (in the set with the unconstrained one),
            weight_complement, preferred (order of the estimates), preferred_support; empty without hypotheses.
        tests: cell -> the `Order` of the declared estimand. expected: form or outcome. absent: causes without items.
        labels, influence, replicates, seed, level, sentences, notes.
    """

    table: pl.DataFrame
    fit: pl.DataFrame
    orders: pl.DataFrame
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
def _(value: Formation, lang: str = "en") -> str:
    """Sentences, causes, the fit, orders, notes."""
    frames = (value.table, value.fit, value.orders)
    return lines_of(frames, value.sentences, value.notes, value.labels, lang)


def formation(
    panel: Panel,
    *,
    expected: Form = "Ew",
    outcome: str | Sequence[str] | None = None,
    causes: Sequence[str] | Mapping[str, str] = EIGHT,
    hypotheses: str | Sequence[str] = (),
    influence: Influence = "relative_weight",
    by: Sequence[str] = (),
    where: Mapping[str, str] | None = None,
    replicates: int = 1000,
    seed: int = 1,
    level: float = 0.95,
    small: int = SMALL,
    flagged: int = FLAGGED,
) -> Formation:
    """What expectation goes with: slopes, relative weights and their shares with bootstrap intervals.

    Parameters:
        panel: answers with a codebook. expected: the form whose items make the expectation: those of the construct
            "expectation" where it has some, else all. outcome: a construct or items to take instead.
        causes: constructs or items, or name -> construct; those the codebook does not have are listed and left out.
        hypotheses: orders such as "wom > promise > price", tested in every cell. influence: what is ordered:
            "relative_weight", "beta" or "slope" (needs one scale).
        by: key columns that make cells. where: keep only rows with these key values. replicates, seed: of the
            bootstrap (units within strata). level: of the percentile intervals.
        small, flagged: cells of fewer answers are withheld, or marked.

    Returns:
        A `Formation`; a cell of several that cannot be told is null, with the reason.

    Raises:
        Problems: E-ROLE (no expectation, fewer than two causes), E-COLL (causes that cannot be told apart), E-ROWS,
            E-ORDER, E-SETTING.

    Source:
        Zeithaml, Berry & Parasuraman (1993); Johnson (2000). Relative weights agree with R on the SQ data to 5e-5
        (tests/expectation/test_formation.py).

    Example:
        >>> import csi, numpy as np
        >>> from csi.survey.codebook import Codebook, Item, Scale
        >>> seven = Scale("seven", 1, 7)
        >>> items = [Item(n, c, seven, Text(n, n), form=f) for n, c, f in
        ...          (("e", "service", "Ew"), ("w", "wom", "P"), ("p", "price", "P"))]
        >>> rng = np.random.default_rng(1)
        >>> w, p = rng.integers(1, 8, (2, 200)).astype(float)
        >>> frame = pl.DataFrame({"e": np.clip(np.round(0.8 * w + rng.normal(1, 1, 200)), 1, 7), "w": w, "p": p})
        >>> panel = csi.Panel(frame, Codebook(tuple(items), {}, {}), frame.cast(pl.String))
        >>> formation(panel, replicates=100).table.sort("share")["cause"].to_list()
        ['price', 'wom']
    """
    check_settings(level, replicates, seed)
    influence_problems(influence)
    bases = Bases(small, flagged)
    parts, absent = parts_of(panel, expected, outcome, causes, "formation")
    sample = sample_of(panel, [i for p in parts for i in p.items], by, missing="pairwise", where=where)
    keys = sample.cells.drop("n")
    Z = scores(sample, parts)
    found = cells_of(sample, Z, parts, replicates, seed, small)
    labels = labels_of(panel.codebook, [p.name for p in parts[1:]], CAUSES)
    cells = dict(zip(cell_names(keys), found, strict=True))
    claims = {name: hypotheses for name, one in cells.items() if hypotheses and one.n >= small}
    tests, orders = orders_of(cells, keys, claims, influence, labels, seed)
    table, fit = table_of(keys, found, [parts] * len(found), level, bases)
    return Formation(
        table=table,
        fit=fit,
        orders=orders,
        tests=tests,
        expected=target_name(expected, outcome),
        absent=absent,
        labels=labels,
        influence=influence,
        replicates=replicates,
        seed=seed,
        level=level,
        sentences=(*bases.sentences(fit), *sentences_of(table, fit, orders, labels, keys.columns)),
        notes=(*_few(bases, fit, keys.columns), *notes_of(sample, found, parts, absent, table), *doubts(sample)),
    )


def _few(bases: Bases, fit: pl.DataFrame, keys: Sequence[str]) -> tuple[Note, ...]:
    """Cells with few answers, and those that cannot be told."""
    return (*bases.notes(fit, keys), *untold(fit, keys))


def parts_of(
    panel: Panel,
    expected: Form,
    outcome: str | Sequence[str] | None,
    causes: Sequence[str] | Mapping[str, str],
    call: str,
) -> tuple[tuple[Composite, ...], tuple[str, ...]]:
    """The expectation and the causes that the codebook has, as composites (the expectation first); absent causes.

    Raises:
        Problems: E-ROLE.
    """
    check_panel(panel)
    book = panel.codebook
    problems: list[Problem] = []
    asked = causes if isinstance(causes, Mapping) else {c: c for c in causes}
    there = {c: items_named(book, construct) for c, construct in asked.items()}
    present = {c: items for c, items in there.items() if items}
    target = _target(book, expected, outcome, {i for items in present.values() for i in items}, problems)
    if len(present) < 2:
        listed, known = ", ".join(asked), ", ".join(present) or "none of them"
        en = f"{call} needs at least two causes among {listed}; the codebook has {known}."
        zh = f"{call} 至少需要两个成因（{'、'.join(asked)}），编码簿中有：{'、'.join(present) or '无'}。"
        do = "Give their items construct: wom, promise, ... in the codebook, or name constructs: --causes wom=NAME."
        problems.append(
            problem(
                "E-ROLE",
                "causes",
                en,
                zh,
                do,
                "请在编码簿中为题项写 construct: wom、promise 等，或以 --causes wom=构念 指定。",
            )
        )
    problems += [
        _no_construct(c, name, book) for c, name in asked.items() if not there[c] and (c, name) not in VOCABULARY
    ]
    if problems:
        raise Problems(problems)
    parts = (composite(book, "expectation", target), *(composite(book, c, items) for c, items in present.items()))
    return parts, tuple(c for c, items in there.items() if not items)


def _no_construct(cause: str, name: str, book: Codebook) -> Problem:
    """A cause that is to be read from a construct or item that is not there."""
    hint = did_you_mean(name, [*book.constructs, *book.names])
    en = f'"{name}" (cause {cause}) is no construct or item.' if cause != name else f'"{name}" is no construct or item.'
    zh = f"“{name}”（成因 {cause}）不是构念或题项。" if cause != name else f"“{name}”不是构念或题项。"
    do, do_zh = "Name a construct or item of the codebook.", "请写编码簿中的构念或题项。"
    return problem("E-ROLE", "causes", en, zh, f"{hint.en} {do}".strip(), hint.zh + do_zh)


def _target(
    book: Codebook, expected: Form, outcome: str | Sequence[str] | None, taken: set[str], problems: list[Problem]
) -> tuple[str, ...]:
    """Items of the expectation."""
    if outcome is None:
        items = tuple(i for i in book.items_of(EXPECTATION, expected) if i not in taken)
        items = items or tuple(i.name for i in book.items if i.form == expected and i.name not in taken)
        if not items:
            en, zh = f"no item has form {expected}.", f"没有形式为 {expected} 的题项。"
            do, do_zh = (
                f"Write form: {expected} in the codebook, or name --outcome.",
                f"请在编码簿中写 form: {expected}，或给出 --outcome。",
            )
            problems.append(problem("E-ROLE", "expected", en, zh, do, do_zh))
        return items
    names = [outcome] if isinstance(outcome, str) else list(outcome)
    found: list[str] = []
    for name in names:
        items = items_named(book, name, expected) or items_named(book, name)
        if not items:
            hint = did_you_mean(name, [*book.constructs, *book.names])
            en, zh = f'"{name}" is no construct or item.', f"“{name}”不是构念或题项。"
            problems.append(problem("E-ROLE", "outcome", en, zh, hint.en, hint.zh))
        found += [i for i in items if i not in taken]
    if names and not found and not problems:
        en, zh = "the outcome is one of the causes.", "结果变量同时是成因。"
        problems.append(problem("E-ROLE", "outcome", en, zh, "Name another outcome.", "请指定其他结果变量。"))
    return tuple(dict.fromkeys(found))


def target_name(expected: Form, outcome: str | Sequence[str] | None) -> str:
    """What is explained: a form, or an outcome's names.

    Example:
        >>> target_name("Ew", None), target_name("Ew", ["a", "b"])
        ('Ew', 'a, b')
    """
    return expected if outcome is None else ", ".join([outcome] if isinstance(outcome, str) else outcome)


def notes_of(
    sample: Sample,
    cells: Sequence[Cell | Untold],
    parts: Sequence[Composite],
    absent: Sequence[str],
    table: pl.DataFrame,
) -> tuple[Note, ...]:
    """Causes left out, rows left out, collinearity, what the numbers are."""
    notes = []
    if absent:
        names = [CAUSES.get(a, Text(a, a)) for a in absent]
        en = f"not asked and left out: {', '.join(n.en for n in names)}; what remains shares"
        zh = f"未询问、未纳入的成因：{'、'.join(n.zh for n in names)}；其解释份额由其余成因分担。"
        notes.append(note("W-CAUSE", f"{en} what they would explain.", zh))
    kept = sum(c.n for c in cells)
    if kept < len(sample.rows):
        en = f"{len(sample.rows) - kept} of {len(sample.rows)} rows answer less than half of a block and stay out."
        notes.append(
            note("N-ROWS", en, f"{len(sample.rows)} 行中有 {len(sample.rows) - kept} 行某一区块作答不足一半，未纳入。")
        )
    high = table.filter(pl.col("vif") >= HIGH_VIF)["cause"].unique(maintain_order=True).to_list()
    if high:
        en = f"causes that go closely together (VIF {HIGH_VIF:g} or more): {', '.join(high)}; slopes are unsteady,"
        zh = f"成因之间高度相关（VIF ≥ {HIGH_VIF:g}）：{'、'.join(high)}；斜率不稳定，请看相对权重及其区间。"
        notes.append(note("W-VIF", f"{en} read relative weights with their intervals.", zh))
    en = "expectation and what it goes with come from one questionnaire: associated, not caused. Relative weights"
    zh = "期望与成因来自同一份问卷：仅为相关，并非因果。相对权重不会小于 0，其区间不能用来检验“为零”。"
    notes.append(note("N-FORMATION", f"{en} are never below 0, so their intervals test no zero.", zh))
    if any((p.low, p.high) == (0.0, 100.0) and len(p.items) > 1 for p in parts):
        en, zh = "blocks whose items differ in range are on 0 to 100.", "题项量程不同的区块已换算为 0–100。"
        notes.append(note("N-SCALE", en, zh))
    return tuple(notes)


HIGH_VIF: Final = 5.0
"""VIF from which causes are said to go closely together (Hair et al. 2019)."""
