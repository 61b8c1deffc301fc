"""Who had an intervention, when it began, and the comparisons that this allows; refusals.

Letters: `n` people, `W` waves.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.errors import Problem, Problems, did_you_mean, problem
from csi.expectation.change_waves import design_of
from csi.expectation.wide import Wide, named
from csi.inference.adjust import adjust
from csi.inference.linearised import Known, critical, p_of_t
from csi.inference.sandwich import robust_slopes
from csi.moments.stack import Array, Ints

Bools = npt.NDArray[np.bool_]
Kind = Literal["did", "before_after", "after_only"]
"""Both a control group and a period before; no control group; no period before."""

SCHEMA: Final = {
    "quantity": pl.String, "n": pl.Int64, "estimate": pl.Float64, "std_error": pl.Float64, "df": pl.Float64,
    "p_value": pl.Float64, "conf_low": pl.Float64, "conf_high": pl.Float64,
}  # fmt: skip
EVENTS: Final = {"wave": pl.String, "period": pl.String, **{k: v for k, v in SCHEMA.items() if k != "quantity"}}

FEWEST = 2
"""People of a group that a comparison needs."""

PARALLEL = 0.05
"""Differences of trends before with a smaller p (Holm) take the word effect away."""


@dataclass(frozen=True, slots=True)
class Design:
    """Who is compared with whom.

    Attributes:
        values: (n, W) answers. treated: (n,). waves: their names. start: index of the first wave after the beginning.
        weight: (n,). unit: (n,) of errors. stratum: (units,). later, unknown: people left out, first flagged later, or
            of whom it is not known whether they had it. known: margins that weights are raked to.
    """

    values: Array
    treated: Bools
    waves: tuple[str, ...]
    start: int
    weight: Array
    unit: Ints
    stratum: Ints
    later: int
    unknown: int
    known: Known | None = None

    @property
    def before(self) -> tuple[str, ...]:
        """Waves before."""
        return self.waves[: self.start]

    @property
    def after(self) -> tuple[str, ...]:
        """Waves after."""
        return self.waves[self.start :]

    @property
    def early(self) -> Array:
        """(n,) mean before; NaN where there is none."""
        return _mean(self.values[:, : self.start])

    @property
    def late(self) -> Array:
        """(n,) mean after."""
        return _mean(self.values[:, self.start :])

    @property
    def uneven(self) -> bool:
        """Whether somebody is absent in a wave of a period with several."""
        parts = (self.values[:, : self.start], self.values[:, self.start :])
        return any(bool((np.isfinite(x).any(axis=1) & ~np.isfinite(x).all(axis=1)).any()) for x in parts)

    @property
    def paired(self) -> int:
        """People who answered both before and after."""
        return int((np.isfinite(self.early) & np.isfinite(self.late)).sum())

    @property
    def kind(self) -> Kind:
        """What the design allows."""
        if not self.before:
            return "after_only"
        return "before_after" if self.treated.all() else "did"


def _mean(values: Array) -> Array:
    """(n,) means of the columns there are; NaN where there are none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a row without answers has no mean, and none is wanted
        return np.asarray(np.nanmean(values, axis=1)) if values.shape[1] else np.full(len(values), np.nan)


def design_from(data: Wide, items: Sequence[str], flag: str, since: str | None) -> Design:
    """The groups and periods of a panel.

    Raises:
        Problems: E-WAVE (no wave `since`), E-CAUSAL (nobody flagged).
    """
    W = len(data.waves)
    if since is not None and since not in data.waves:
        hint = did_you_mean(since, data.waves)
        en, zh = f'there is no wave "{since}".', f"没有“{since}”这一期。"
        raise Problems([problem("E-WAVE", "since", en, zh, hint.en, hint.zh)])
    columns = [[named(i, t) for i in items] for t in range(1, W + 1)]
    values = np.column_stack([data.frame.select(pl.mean_horizontal(c)).to_series().to_numpy() for c in columns])
    flags = data.frame.select(named(flag, t) for t in range(1, W + 1)).to_numpy().astype(np.float64)
    ever = np.nan_to_num(flags) > 0
    if not ever.any():
        raise Problems([_nobody(flag)])
    first = int(ever.any(axis=0).argmax())
    start = data.waves.index(since) if since is not None else first
    own = np.where(ever.any(axis=1), ever.argmax(axis=1), W)
    known, timely = _known(flags, values, first), (own <= start) | (own == W) | (since is not None)
    kept = known & timely
    weight, unit, stratum, margins = design_of(data)
    margins = None if margins is None else margins.at(kept)
    treated = np.asarray(own[kept] < W, dtype=np.bool_)
    left = int((known & ~timely).sum()), int((~known).sum())
    return Design(
        values[kept].astype(np.float64), treated, data.waves, start, weight[kept], unit[kept], stratum, *left, margins
    )


def _known(flags: Array, values: Array, first: int) -> Bools:
    """(n,) who had it, or is known not to have had it by every later wave of theirs in which anybody was asked.

    Parameters:
        flags, values: (n, W). first: the first wave in which somebody had it.
    """
    later = np.isfinite(flags[:, first:])
    asked = later.any(axis=0) & np.isfinite(values[:, first:])
    had = (np.nan_to_num(flags) > 0).any(axis=1)
    return np.asarray(had | (later.any(axis=1) & ~(asked & ~later).any(axis=1)))


def refuse(design: Design, effect: bool | None) -> None:
    """Refuse what compares nothing, and the word effect where the design does not carry it.

    Raises:
        Problems: E-CAUSAL.
    """
    found: list[Problem] = []
    if design.kind == "after_only" and design.treated.all():
        en = "everybody had it and no wave lies before it: there is nothing to compare with."
        zh = "所有人都接受了干预，且此前没有期次：无可比较。"
        do, do_zh = (
            "Add a control group or a wave before; csi track tells the waves.",
            "请补充对照组或干预前的期次；各期见 csi track。",
        )
        found.append(problem("E-CAUSAL", "intervention", en, zh, do, do_zh))
    elif effect is True and design.kind != "did":
        what, what_zh = (
            ("no pre-period", "没有干预前的期次") if not design.before else ("no control group", "没有对照组")
        )
        en, zh = f"{what}: this is a difference, not an effect.", f"{what_zh}：只能报告差异，不能称为效应。"
        do, do_zh = "Leave effect=True out; it is reported as a difference.", "请去掉 effect=True；将按差异报告。"
        found.append(problem("E-CAUSAL", "intervention", en, zh, do, do_zh))
    if found:
        raise Problems(found)


def _nobody(flag: str) -> Problem:
    """Nobody had it."""
    en, zh = f"nobody is flagged by {flag}.", f"没有人被 {flag} 标记。"
    do, do_zh = "Code who had the intervention 1.", "请将接受干预者编码为 1。"
    return problem("E-CAUSAL", "intervention", en, zh, do, do_zh)


def quantities(design: Design) -> list[tuple[str, Bools, Array]]:
    """What is told of either group: its name, whose rows count, their values."""
    change = design.late - design.early
    groups = {"treated": design.treated, "control": ~design.treated}
    parts = {"before": design.early, "after": design.late, "change": change}
    return [
        (f"{part}_{group}", own, values)
        for part, values in parts.items()
        for group, own in groups.items()
        if np.isfinite(values[own]).any()
    ]


def difference(design: Design, level: float) -> list[float]:
    """What the design compares: the slope of having it, with fixed effects of waves and (with a period before) persons.

    Of answers without gaps that is the mean change of the treated less that of the others (of their level without a
    period before); where waves are absent, groups whose gaps differ would change by what a wave adds for everybody.

    Returns:
        Columns of `SCHEMA`, n the people of the smaller group; NaN where waves cannot be told from having it.
    """
    if design.kind == "before_after":
        return estimate(design, design.late - design.early, design.treated, level)
    kept = np.isfinite(design.late) & (np.isfinite(design.early) | (design.kind == "after_only"))
    n = min(_heads(design.treated[kept]))
    person, wave = np.nonzero(np.isfinite(design.values) & kept[:, None])
    had = design.treated[person] & (wave >= design.start)
    X = np.column_stack([np.ones(wave.size), wave[:, None] == np.unique(wave)[1:], had]).astype(np.float64)
    y = design.values[person, wave]
    if design.kind == "did":
        X, y = _within(X[:, 1:], person), _within(y[:, None], person)[:, 0]
    if n < FEWEST or np.linalg.matrix_rank(X) < X.shape[1]:
        return [n, *[float("nan")] * 6]
    return _told(design, X, y, person, level)


def _within(x: Array, person: Ints) -> Array:
    """(n, k) less each person's mean."""
    codes, own = np.unique(person, return_inverse=True)
    total = np.zeros((codes.size, x.shape[1]))
    np.add.at(total, own, x)
    return np.asarray(x - (total / np.bincount(own)[:, None])[own])


def _heads(treated: Bools) -> tuple[int, int]:
    """People treated and not."""
    return int(treated.sum()), int(treated.size - treated.sum())


def estimate(design: Design, values: Array, own: Bools, level: float) -> list[float]:
    """n, mean of one group or treated less others, std_error, df, p, bounds.

    Parameters:
        values: (n,). own: (n,) rows that count.

    Returns:
        Columns of `SCHEMA`; n is of the smaller group where there are two.
    """
    rows = np.flatnonzero(own & np.isfinite(values))
    heads = _heads(design.treated[rows])
    two = min(heads) > 0
    if max(heads) < FEWEST or (two and min(heads) < FEWEST):
        return [min(heads) if two else max(heads), *[float("nan")] * 6]
    X = np.column_stack([np.ones(rows.size), design.treated[rows]]) if two else np.ones((rows.size, 1))
    return _told(design, X.astype(np.float64), values[rows], rows, level)


def _told(design: Design, X: Array, y: Array, person: Ints, level: float) -> list[float]:
    """The last slope with its error by unit: columns of `SCHEMA`.

    Parameters:
        X: (r, k). y: (r,). person: (r,) whose rows they are.
    """
    heads = _heads(design.treated[np.unique(person)])
    codes, unit = np.unique(design.unit[person], return_inverse=True)
    known = None if design.known is None else design.known.at(person)
    found = robust_slopes(X, y, design.weight[person], unit.astype(np.int64), design.stratum[codes], known)
    value, error, df = float(found.slopes[-1]), float(found.std_error[-1]), float(found.df[-1])
    at = np.array([df])
    reach = float(critical(level, at)[0]) * error
    p = float(p_of_t(np.array([value / error if error > 0 else np.nan]), at)[0])
    return [min(heads) or max(heads), value, error, df, p, value - reach, value + reach]


def events_of(design: Design, level: float) -> list[list[object]]:
    """Difference of the groups in each wave against the last wave before; none without both groups and such a wave."""
    if design.kind != "did":
        return []
    last, everyone = design.start - 1, np.ones(design.treated.size, dtype=np.bool_)
    rows: list[list[object]] = []
    for t, wave in enumerate(design.waves):
        if t != last:
            found = estimate(design, design.values[:, t] - design.values[:, last], everyone, level)
            rows.append([wave, "before" if t < last else "after", *found])
    return rows


def parallel_before(events: pl.DataFrame) -> bool | None:
    """Whether the groups' trends were alike before, as far as is seen (Holm); None where nothing can be seen."""
    p = events.filter(period="before")["p_value"].drop_nulls().to_numpy()
    return None if not p.size else bool((adjust(p, "holm") >= PARALLEL).all())
