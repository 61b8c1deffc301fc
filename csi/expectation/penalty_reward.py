"""Penalty-reward contrasts: what low scores cost the outcome, and what high scores add to it.

    y = b0 + sum_j (penalty_j low_j + reward_j high_j)
    RIOCS = |penalty| + |reward|,  SGP = reward / RIOCS,  DGP = |penalty| / RIOCS,  IA = SGP - DGP

low_j marks scores at or below the low cut-point of name j, high_j those at or above the high one; one regression has
them all. IA is -1 for a perfect dissatisfier, 1 for a perfect satisfier, 0 where both count alike.

Letters: `n` rows, `m` names, `B` replicates.

Source:
    Brandt (1987), in Add value to your service (AMA), 61-65; Mikulic & Prebezac (2008), Managing Service Quality 18(6),
    559-576 (RIOCS, SGP, DGP, IA).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, get_args

import numpy as np
import polars as pl

from csi.behaviour.asked import Scored, scored
from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Text, one_of, problem, reason
from csi.estimate.given import check_panel
from csi.expectation.penalty_resampled import again, classes, impact, marks, potentials, quantiles_of
from csi.expectation.penalty_words import lines_of, notes_of, sentences_of
from csi.expectation.regression import Errors, Regression, regress
from csi.expectation.scores import finite
from csi.expectation.settings import check, outcome_of
from csi.inference.draws import percentiles
from csi.measures.tidy import with_reasons
from csi.moments.stack import Array
from csi.survey.bases import FLAGGED, SMALL, Bases
from csi.survey.codebook import Codebook
from csi.survey.keyed import stacked
from csi.survey.panel import Panel

KINDS: Final = ("dissatisfier", "hybrid", "satisfier", "unclassified")
LEAST: Final = 10
"""Respondents needed below, between and above the cut-points of a name."""

NO_SPLIT: Final = reason(
    "R-PENALTY",
    f"the rule leaves fewer than {LEAST} low, middle or high scores; left out of the regression.",
    f"按此规则低、中、高分中有一组不足 {LEAST} 人，未纳入回归。",
)
NO_FIT: Final = reason(
    "R-FEW",
    "no contrasts: too few answers, the outcome is the same throughout, or names go together entirely.",
    "无法给出对比：样本过少、结果变量没有变异，或各项完全共变。",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Settings that every cell shares."""

    quantiles: tuple[float, float]
    cuts: tuple[float, float] | None
    limit: float
    errors: Errors
    replicates: int
    seed: int
    level: float
    bases: Bases


@dataclass(frozen=True, slots=True, repr=False)
class PenaltyReward(Shown):
    """What low and high scores of each name go with. Frames start with the cell's key columns.

    Attributes:
        table: name, n, n_low, n_high (respondents), low, high (cut-points, 0-100), penalty, reward (points of the
            outcome, 0-100, against scores between the cut-points), each with _std_error, _low, _high, _p; p_symmetric
            (that penalty = -reward); riocs, sgp, dgp, ia, ia_low, ia_high (percentiles); kind ("dissatisfier",
            "hybrid", "satisfier"; "unclassified" where a sign is wrong), support (share of resamples with this kind),
            p_dissatisfier, p_hybrid, p_satisfier, p_unclassified (shares of resamples), flag, reason, reason_zh.
        fits: n, r2, resamples (that could be used), flag, reason, reason_zh.
        outcome, labels. quantiles, cuts: the rule (cuts, 0-100, where given). limit: |IA| above it is no hybrid.
        errors, replicates, seed, level, sentences, notes.
    """

    table: pl.DataFrame
    fits: pl.DataFrame
    outcome: str
    quantiles: tuple[float, float]
    cuts: tuple[float, float] | None
    limit: float
    errors: Errors
    labels: Mapping[str, Text]
    replicates: int
    seed: int
    level: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: PenaltyReward, lang: str = "en") -> str:
    """Sentences, contrasts, potentials, notes."""
    return lines_of(value.table, value.fits, value.sentences, value.notes, value.labels, lang)


def penalty_reward(
    panel: Panel,
    drivers: Sequence[str] | None = None,
    *,
    outcome: str | None = None,
    quantiles: tuple[float, float] = (0.25, 0.75),
    cuts: Sequence[float] | None = None,
    limit: float = 0.1,
    errors: Errors = "robust",
    by: Sequence[str] = (),
    where: Mapping[str, str] | None = None,
    replicates: int = 1000,
    seed: int = 1,
    level: float = 0.95,
    small: int = SMALL,
    flagged: int = FLAGGED,
) -> PenaltyReward:
    """Penalties and rewards of several names in one regression, and whether each is a dissatisfier or a satisfier.

    Parameters:
        panel: answers with a codebook. drivers: constructs or items that explain the outcome; scores are means of their
            items on 0-100. None takes the constructs whose perceptions name an attribute.
        outcome: a construct or item ("satisfaction").
        quantiles: scores at or below the first are low, at or above the second high; found in each cell, by the weights
            (quartiles). cuts: fixed scores (0-100) in their place. limit: |IA| above it is no hybrid.
        errors: "robust" (HC2, or CR2 by clusters and strata, with their own degrees of freedom), "hc3" (as other
            software prints it) or "classical".
        by: key columns that make cells. where: keep only rows with these key values. replicates, seed: of the bootstrap
            (units within strata), which takes the quantiles anew. level: of the intervals.
        small, flagged: cells of fewer answers are withheld, or marked.

    Returns:
        A `PenaltyReward`.

    Raises:
        Problems: E-ROLE (no drivers or outcome), E-SCALE (items without bounds), E-SETTING.

    Source:
        Brandt (1987); Mikulic & Prebezac (2008). Agrees with R (lm; HC3) on the SQ data
        (tests/expectation/test_penalty_reward.py).

    Example:
        >>> import csi
        >>> from csi.survey.codebook import Codebook, Item, Scale
        >>> five = Scale("five", 1, 5)
        >>> book = Codebook(tuple(Item(n, n, five, Text(n, n)) for n in ("speed", "satisfaction")), {}, {})
        >>> x = np.repeat([1.0, 2, 3, 4, 5], 20)
        >>> y = np.where(x < 2, 1.0, np.where(x > 4, 4.0, 3.0)) + np.tile([0.0, 0.5], 50)
        >>> frame = pl.DataFrame({"speed": x, "satisfaction": y})
        >>> panel = csi.Panel(frame, book, frame.cast(pl.String))
        >>> found = penalty_reward(panel, ["speed"], cuts=(0, 100), replicates=100)
        >>> found.table.select(pl.col("penalty", "reward").round(6), pl.col("ia").round(3), "kind").row(0)
        (-50.0, 25.0, -0.333, 'dissatisfier')
    """
    check_panel(panel)
    check(level, replicates=replicates)
    _settings(quantiles, cuts, limit, errors)
    names = _drivers(panel, drivers)
    target = _outcome(panel, outcome, names)
    found = scored(panel, (target, *names), by, where, level)
    fixed = None if cuts is None else (float(cuts[0]), float(cuts[1]))
    asked = Asked(quantiles, fixed, limit, errors, replicates, seed, level, Bases(small, flagged))
    return _of_cells(found, target, names, asked)


def _of_cells(found: Scored, target: str, names: Sequence[str], asked: Asked) -> PenaltyReward:
    """The contrasts of all cells."""
    bases, labels, keys = asked.bases, found.labels, found.sample.cells.drop("n")
    cells = [_cell(found, cell, names, asked) for cell in range(found.sample.cells.height)]
    table, fits = (bases.withheld(stacked(keys, list(parts))) for parts in zip(*cells, strict=True))
    rule, fixed = asked.cuts or asked.quantiles, asked.cuts is not None
    return PenaltyReward(
        table=table,
        fits=fits,
        outcome=target,
        quantiles=asked.quantiles,
        cuts=asked.cuts,
        limit=asked.limit,
        errors=asked.errors,
        labels=labels,
        replicates=asked.replicates,
        seed=asked.seed,
        level=asked.level,
        sentences=(*bases.sentences(fits), *sentences_of(table, labels, keys.columns, labels[target])),
        notes=(
            *notes_of(table, labels, keys.columns, rule, asked.limit, fixed=fixed),
            *bases.notes(fits, keys.columns),
            *found.sample.notes,
        ),
    )


def attributed(book: Codebook) -> tuple[str, ...]:
    """Constructs whose perceptions name an attribute.

    Example:
        >>> attributed(Codebook((), {}, {}))
        ()
    """
    return tuple(dict.fromkeys(i.construct for i in book.items if i.attribute and i.form == "P"))


def _cell(found: Scored, cell: int, names: Sequence[str], asked: Asked) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Contrasts and fit of one cell."""
    scores, design = found.rows(cell)
    y, x = scores[:, 0], scores[:, 1:]
    n, m = x.shape
    if n < max(asked.bases.small, 3 * LEAST):
        return _frames(names, n, {}, None, 0, np.zeros(m, dtype=bool))
    cuts = quantiles_of(x, design.weight, asked.quantiles) if asked.cuts is None else np.tile(asked.cuts, (m, 1)).T
    low, high = marks(x, cuts)
    sides = np.stack([low.sum(axis=0), (~(low | high)).sum(axis=0), high.sum(axis=0)])
    split = (sides >= LEAST).all(axis=0) & (cuts[0] < cuts[1])
    head = {"n_low": sides[0], "n_high": sides[2], "low": cuts[0], "high": cuts[1]}
    own = np.column_stack([np.ones(n), low[:, split], high[:, split]])
    fitted = regress(own, y, *design) if split.any() else None
    if fitted is None:
        return _frames(names, n, head, None, 0, split)
    fixed = None if asked.cuts is None else cuts[:, split]
    drawn = again(found.sample, (x[:, split], y, found.places(cell)), asked, fixed)
    numbers = {c: _spread(v, split) for c, v in _told(fitted, drawn, asked).items()}
    kinds = np.full(m, -1)
    kinds[split] = classes(*_halves(fitted.slopes), asked.limit)
    used = int(np.isfinite(drawn).all(axis=(1, 2)).sum())
    return _frames(names, n, head | numbers, (fitted, kinds), used, split)


def _halves(slopes: Array) -> tuple[Array, Array]:
    """Penalties and rewards of (..., 1 + 2 m) slopes."""
    m = (slopes.shape[-1] - 1) // 2
    return slopes[..., 1 : m + 1], slopes[..., m + 1 :]


def _told(fitted: Regression, drawn: Array, asked: Asked) -> dict[str, Array]:
    """Columns of the names that could be split.

    Parameters:
        drawn: (B, 2, m) penalties and rewards of resamples.
    """
    m = drawn.shape[2]
    each = np.eye(2 * m + 1)[1:]
    found = fitted.combined(np.concatenate([each, each[:m] + each[m:]]), asked.level, asked.errors)
    out: dict[str, Array] = {}
    for number, name in enumerate(("penalty", "reward")):
        for column, suffix in (
            ("estimate", ""), ("std_error", "_std_error"), ("conf_low", "_low"), ("conf_high", "_high"),
            ("p_value", "_p"),
        ):  # fmt: skip
            out[name + suffix] = found[column][number * m : (number + 1) * m]
    out["p_symmetric"] = found["p_value"][2 * m :]
    out |= potentials(*_halves(fitted.slopes))
    usable = drawn[np.isfinite(drawn).all(axis=(1, 2))]
    out["ia_low"], out["ia_high"] = percentiles(impact(usable[:, 0], usable[:, 1]), asked.level)
    kinds = classes(usable[:, 0], usable[:, 1], asked.limit)
    share = np.stack([(kinds == k).mean(axis=0) if len(usable) else np.full(m, np.nan) for k in range(len(KINDS))])
    out["support"] = share[classes(*_halves(fitted.slopes), asked.limit), np.arange(m)]
    return out | {f"p_{kind}": share[k] for k, kind in enumerate(KINDS)}


NUMBERS: Final = (
    "low", "high",
    *(f"{s}{e}" for s in ("penalty", "reward") for e in ("", "_std_error", "_low", "_high", "_p")),
    "p_symmetric", "riocs", "sgp", "dgp", "ia", "ia_low", "ia_high",
)  # fmt: skip
SHARES: Final = ("support", *(f"p_{kind}" for kind in KINDS))


def _spread(values: Array, split: Array) -> Array:
    """(m,) values at the names that could be split, NaN elsewhere."""
    out = np.full(split.size, np.nan)
    out[split] = values
    return out


def _frames(
    names: Sequence[str],
    n: int,
    numbers: Mapping[str, Array],
    fitted: tuple[Regression, Array] | None,
    used: int,
    split: Array,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The table and the fit of a cell; what was not computed is null, with a reason."""
    blank = np.full(len(names), np.nan)
    kinds = [None if fitted is None or k < 0 else KINDS[k] for k in (blank if fitted is None else fitted[1])]
    counts = {c: pl.Series(numbers[c] if c in numbers else [None] * len(names), dtype=pl.Int64) for c in COUNTS}
    told = {c: finite(numbers.get(c, blank)) for c in (*NUMBERS, *SHARES)}
    head = {"name": list(names), "n": [n] * len(names)}
    kind = {"kind": pl.Series(kinds, dtype=pl.String)}
    frame = pl.DataFrame(head | counts | {c: told[c] for c in NUMBERS} | kind | {c: told[c] for c in SHARES})
    why = [NO_SPLIT if counts["n_low"][0] is not None and not s else NO_FIT if fitted is None else None for s in split]
    r2 = {"n": [n], "r2": [None if fitted is None else fitted[0].r2], "resamples": [used]}
    fit = pl.DataFrame(r2, schema_overrides={"r2": pl.Float64})
    return with_reasons(frame, why), with_reasons(fit, [NO_FIT if fitted is None else None])


COUNTS: Final = ("n_low", "n_high")


def _drivers(panel: Panel, asked: Sequence[str] | None) -> tuple[str, ...]:
    """The names that explain.

    Raises:
        Problems: E-ROLE where there are none.
    """
    names = attributed(panel.codebook) if asked is None else tuple(dict.fromkeys(asked))
    if not names:
        en, zh = "nothing is named that explains the outcome.", "没有指定解释结果的构念或题项。"
        do, do_zh = "Name constructs or items: drivers=[...].", "请指定构念或题项：drivers=[…]。"
        raise Problems([problem("E-ROLE", "drivers", en, zh, do, do_zh)])
    return names


def _outcome(panel: Panel, asked: str | None, names: Sequence[str]) -> str:
    """The outcome, which is none of the names.

    Raises:
        Problems: E-ROLE.
    """
    book = panel.codebook
    taken = [i for n in names for i in (book.items_of(n, "P") or book.items_of(n) or (n,))]
    return outcome_of(panel, asked or None, taken, needed=True)[0]


def _settings(quantiles: Sequence[float], cuts: Sequence[float] | None, limit: float, errors: str) -> None:
    """Refuse rules and limits out of range.

    Raises:
        Problems: E-SETTING.
    """
    found: list[Problem] = one_of("errors", errors, get_args(Errors))
    given, ends, name = (quantiles, (0.0, 1.0), "quantiles") if cuts is None else (cuts, (0.0, 100.0), "cuts")
    inside = len(given) == 2 and ends[0] <= given[0] < given[1] <= ends[1]
    if not inside or (cuts is None and not (given[0] > 0 and given[1] < 1)):
        said = ", ".join(f"{g:g}" for g in given)
        en = f"{name} = ({said}) do not rise between {ends[0]:g} and {ends[1]:g}."
        zh = f"{name} =（{said}）未在 {ends[0]:g} 与 {ends[1]:g} 之间递增。"
        example = "(0.25, 0.75)" if cuts is None else "(25, 75)"
        found.append(problem("E-SETTING", name, en, zh, f"Write {example}.", f"请写 {example}。"))
    if not 0 <= limit < 1:
        en, zh = f"limit = {limit:g} is not from 0 to below 1.", f"limit = {limit:g} 不在 0 至 1（不含）之间。"
        found.append(problem("E-SETTING", "limit", en, zh, "Write 0.1.", "请写 0.1。"))
    if found:
        raise Problems(found)
