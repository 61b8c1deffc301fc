"""A card against its rivals: fit of covariance models to the same items, difference tests, paths that differ from 0."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from csi.errors import Note, Problems, Text, note
from csi.estimate.estimate import Estimate
from csi.measures.effects import effects
from csi.measures.findings import number
from csi.measures.fit_measures import FitMeasures, fit_measures
from csi.measures.nested import Nested, lrt
from csi.measures.tidy import cells_of, tidy
from csi.models.card import Card
from csi.models.card_rivals import contest, merged
from csi.models.model import Model
from csi.moments.stack import Array

Blocks = Mapping[str, tuple[str, ...]]

MEASURES = ("chi2", "df", "cfi", "rmsea", "srmr", "bic")
CLEAR = 0.05
"""A difference with a smaller p-value is called one."""


@dataclass(frozen=True, slots=True)
class Contests:
    """What came of all contests.

    Attributes:
        table: key columns, rival, model ("card", "rival"), chi2, df, cfi, rmsea, srmr, bic (covariance models), r2 (of
            the target), significant (share of paths that differ from 0; both by the run's own estimator), chi2_diff,
            df_diff, p_value (in the rival's row).
        sentences, notes.
    """

    table: pl.DataFrame
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...]


NONE = Contests(pl.DataFrame(), (), ())
"""No rivals."""


def contests(
    card: Card,
    items: Blocks,
    without: tuple[str, ...],
    by_covariance: Callable[[Model], Estimate],
    by_own: Callable[[Model], Estimate],
    *,
    covariance: bool,
    told: Callable[[pl.DataFrame], pl.DataFrame] = lambda frame: frame,
) -> Contests:
    """The card against each of its rivals.

    Parameters:
        card: the card. items: of its constructs. without: constructs left out.
        by_covariance: fits a model with a covariance engine. by_own: fits a model as the run does, with its errors.
        covariance: whether the run's own engine is a covariance engine. told: withholds the numbers of cells with too
            few answers.
    """
    frames, sentences, notes = [], [], []
    for name, rival in card.rivals.items():
        kept = {n: b for n, b in items.items() if n not in without}
        own_card, other_card = contest(card, name)
        own_items = {n: b for n, b in kept.items() if n in own_card.constructs}
        parts = (*rival.merge.values(), *rival.higher.values(), *(card.constructs[n].of for n in rival.apart))
        if any(sum(p in kept for p in of) < 2 for of in parts):
            continue
        pair = ((own_card, own_items), (other_card, merged(rival, own_items)))
        gone = tuple(n for n in without if n in own_card.constructs)
        try:
            models = [_model(c, b, gone, covariance=True) for c, b in pair]
            fits = [by_covariance(model) for model in models]
            table = _compared(name, fits)
        except Problems as found:
            en = f"rival {name} could not be compared: {found.problems[0].what.en}"
            notes.append(note("N-RIVAL", en, f"竞争模型 {name} 无法比较：{found.problems[0].what.zh}"))
            continue
        runs: list[Estimate] = []
        try:
            if not rival.among:
                runs = fits if covariance else [by_own(_model(c, b, gone, covariance=False)) for c, b in pair]
        except Problems as found:
            en = f"rival {name} is compared by its fit alone, without R2 and paths: {found.problems[0].what.en}"
            zh = f"竞争模型 {name} 仅比较拟合，不含 R² 与路径：{found.problems[0].what.zh}"
            notes.append(note("N-RIVAL", en, zh))
        targets = (own_card.index.target, other_card.index.target)
        frames.append(told(table.with_columns(*_structural(runs, targets, table.height))))
        sentences += _sentences(frames[-1], Text(rival.en, rival.zh))
    frame = pl.concat(frames, how="diagonal_relaxed") if frames else pl.DataFrame()
    return Contests(frame, tuple(sentences), tuple(notes))


def _model(card: Card, items: Mapping[str, Sequence[str]], gone: tuple[str, ...], *, covariance: bool) -> Model:
    """The model of a card in a contest."""
    left = tuple(n for n in gone if n in card.constructs)
    blocks = {n: b for n, b in items.items() if n in card.constructs}
    return Model.card.of(card, blocks, without=left, covariance=covariance)


def _compared(name: str, fits: list[Estimate]) -> pl.DataFrame:
    """Fit of both, and the test of their difference."""
    cells = cells_of(fits[0])
    found = [fit_measures(one) for one in fits]
    numbers = {m: np.stack([_measure(one, m, cells.height) for one in found], axis=1) for m in MEASURES}
    difference = _difference(fits).table
    wider = difference["model"].to_list()[0]
    narrow = difference.filter(pl.col("model") != wider)
    for column in ("chi2_diff", "df_diff", "p_value"):
        values = narrow[column].cast(pl.Float64).to_numpy()
        numbers[column] = np.stack([np.full(cells.height, np.nan), values], axis=1)
    labels = pl.DataFrame({"rival": [name, name], "model": ["card", "rival"]})
    return tidy(cells, labels, numbers)


def _difference(fits: list[Estimate]) -> Nested:
    """The difference test; of scaled tests the form whose factor does not break down where a rival fits badly."""
    usual = lrt(card=fits[0], rival=fits[1])
    if usual.method != "satorra2001":
        return usual
    traced = lrt(card=fits[0], rival=fits[1], method="satorra2000")
    return usual if traced.table["p_value"].null_count() == traced.table.height else traced


def _measure(found: FitMeasures, name: str, cells: int) -> Array:
    """(b,) a measure, the robust form where there is one."""
    for form in (f"{name}_robust", f"{name}_scaled", name):
        if form in found.arrays and np.isfinite(found.arrays[form]).any():
            return found.arrays[form]
    return found.arrays.get(name, np.full(cells, np.nan))


def _structural(runs: list[Estimate], targets: tuple[str, str], height: int) -> list[pl.Series]:
    """R2 of the target and the share of paths whose interval excludes 0, card and rival in turn."""
    if not runs:
        none = [None] * height
        return [pl.Series("r2", none, dtype=pl.Float64), pl.Series("significant", none, dtype=pl.Float64)]
    b = height // 2
    r2, share = np.full((b, 2), np.nan), np.full((b, 2), np.nan)
    for k, (est, target) in enumerate(zip(runs, targets, strict=True)):
        if target in est.solution.constructs:
            r2[:, k] = est.solution.r2[:, est.solution.constructs.index(target)]
        share[:, k] = _firm(est)
    return [
        pl.Series("r2", r2.ravel()).fill_nan(None),
        pl.Series("significant", share.ravel()).fill_nan(None),
    ]


def _firm(est: Estimate) -> Array:
    """(b,) share of the model's arrows whose interval excludes 0; NaN without intervals."""
    table = effects(est).table.filter(pl.col("effect") == "direct")
    b = len(est.values)
    if "conf_low" not in table.columns or not table.height:
        return np.full(b, np.nan)
    low, high = (
        table[c].cast(pl.Float64).fill_null(np.nan).to_numpy().reshape(b, -1) for c in ("conf_low", "conf_high")
    )
    with np.errstate(invalid="ignore"):
        apart = (low > 0) | (high < 0)
    return np.where(np.isfinite(low).all(axis=1), apart.mean(axis=1), np.nan)


def _sentences(table: pl.DataFrame, label: Text) -> list[Text]:
    """Which of the two fits better, cell by cell."""
    keys = table.columns[: table.columns.index("rival")]
    rows = table.to_dicts()
    made = []
    for own, other in zip(rows[::2], rows[1::2], strict=True):
        p, df = other["p_value"], other["df_diff"]
        if p is None or df is None or own["df"] is None or other["df"] is None:
            continue
        narrower = other["df"] > own["df"]
        worse = p < CLEAR
        which = {
            (True, True): Text("fits worse than the card", "拟合差于模型卡"),
            (True, False): Text("fits as well as the card with fewer parameters", "以更少参数达到与模型卡相当的拟合"),
            (False, True): Text("fits better than the card", "拟合优于模型卡"),
            (False, False): Text("fits no better than the card", "拟合并不优于模型卡"),
        }[narrower, worse]
        test = f"Δχ² = {number(other['chi2_diff'])}, Δdf = {df:.0f}, p {_p(p)}"
        test_zh = f"{test.replace(', ', '，')}；CFI {_cfi(other['cfi'])}，模型卡 {_cfi(own['cfi'])}"
        test = f"{test}; CFI {_cfi(other['cfi'])}, the card's {_cfi(own['cfi'])}"
        cell = " ".join(str(own[k]) for k in keys if own[k])
        place, place_zh = (f"{cell}: ", f"{cell}：") if cell else ("", "")
        made.append(Text(f"{place}{label.en} {which.en} ({test}).", f"{place_zh}{label.zh}{which.zh}（{test_zh}）。"))
    return made


def _p(value: float) -> str:
    return "< .001" if value < 0.001 else f"= {value:.3f}".replace("0.", ".", 1)


def _cfi(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}".replace("0.", ".", 1)
