"""Do intervals of stages, moves and emotion over waves cover, and do tests of homogeneity hold their level?

    python tests/slow/lifecycle_coverage.py [PANELS]        (about two minutes on one core for 2,000)

The functions behind `csi.lifecycle` and `csi.emotion_waves`, on arrays. 250 customers follow a chain of four stages,
the last absorbing, over four waves: shares of the stages in the last wave, moves of the first pair of waves and of all
pairs together, shares gone after some waves and waves until then. "clusters": 50 clusters of 5 that are carried on
together; "weights": weights (coefficient of variation about .5) that go with the first stage. Truth is exact.
Homogeneity over pairs of waves holds, for every origin and for all; "few": 60 customers, tables with the same margins.
Emotion: 300 customers with strong negative emotion, a third each with a complaint handled, not handled, none; "alike":
handling makes no difference, with and without clusters of 5. "patterns": two scores of 250 customers that stay in
equilibrium over three waves; three patterns of the first wave applied to all, homogeneous moves.
Gated: shares between .12 and .88 (Wilson), shares gone and waves until then, differences of emotion (92.5 to 97 %, mean
standard error / Monte Carlo deviation within .95 and 1.05), tests at 5 % (4 to 6.5 %; tables with the same margins at
most 5 % and three errors). Tabled: shares of .1 or less.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial

import numpy as np
import polars as pl
from panels import Held, Label, Study, Told
from scipy.special import ndtr

from csi.behaviour.absorption import ahead
from csi.behaviour.emotion_waves import _differences, _table
from csi.behaviour.homogeneity import homogeneity
from csi.behaviour.lifecycle import pooling
from csi.behaviour.partition import k_means, nearest
from csi.behaviour.transitions import Moves, Shares, flags_of, shares
from csi.survey.bases import Bases

STAGES = ("new", "regular", "loyal", "gone")
CHAIN = np.array([[0.5, 0.3, 0.1, 0.1], [0.0, 0.7, 0.2, 0.1], [0.0, 0.15, 0.75, 0.1], [0, 0, 0, 1.0]])
START, WAVES, SIZE = np.array([0.45, 0.35, 0.2]), 4, 250
LEVEL = 0.95
PAIRS = (("w1", "first pair"), ("all", "all pairs"))
GATED = ("size", "move", "ahead", "difference", "turned")
DISCLOSED = {
    "stages, clusters: homogeneous: new": "The second-order test is careful where rows have few moves (some about 30); "
    "expected counts allow it in three quarters of panels only.",
}


def walked(rng: np.random.Generator, n: int, *, clusters: bool) -> np.ndarray:
    """(n, W) stages; clusters of 5 are carried on together in each pair of waves."""
    at = rng.choice(3, n, p=START)
    out = [at]
    for _ in range(WAVES - 1):
        carried = rng.normal(size=n)
        if clusters:
            carried = np.sqrt(0.7) * carried + np.sqrt(0.3) * rng.normal(size=n // 5).repeat(5)
        at = np.minimum((ndtr(carried)[:, None] > np.cumsum(CHAIN, axis=1)[at]).sum(axis=1), 3)
        out.append(at)
    return np.stack(out, axis=1)


def weights_of(rng: np.random.Generator, start: np.ndarray) -> np.ndarray:
    """Weights that go with the first stage."""
    return np.exp(0.4 * rng.normal(size=start.size)) * HEAVY[start]


def kind_of(kind: str, share: float) -> str:
    """Whether a share is near 0 or 1."""
    return kind if 0.12 < share < 0.88 else f"{kind} near its end"


def truths(start: np.ndarray) -> dict[Label, float]:
    """Sizes in the last wave, moves, shares gone and waves until then."""
    last = np.array([*start, 0.0]) @ np.linalg.matrix_power(CHAIN, WAVES - 1)
    out: dict[Label, float] = {(kind_of("size", p), STAGES[k]): float(p) for k, p in enumerate(last)}
    for _, name in PAIRS:
        for i, j in zip(*np.nonzero(CHAIN[:3]), strict=True):
            out[kind_of("move", CHAIN[i, j]), f"{STAGES[i]} to {STAGES[j]}, {name}"] = float(CHAIN[i, j])
    until = np.linalg.solve(np.eye(3) - CHAIN[:3, :3], np.ones(3))
    for i in range(3):
        out["ahead", f"{STAGES[i]}: waves"] = float(until[i])
        for k in (2, 4):
            out["ahead", f"{STAGES[i]}: gone in {k}"] = float(np.linalg.matrix_power(CHAIN, k)[i, 3])
    return out


HEAVY = np.array([1.0, 0.8, 1.4])
PLAIN, WEIGHTED = truths(np.array(START)), truths(START * HEAVY / (START @ HEAVY))


def moves_of(stages: np.ndarray) -> Moves:
    """Moves of (n, W) stages without weights or clusters."""
    n, pairs = stages.shape[0], stages.shape[1] - 1
    pair, unit = np.repeat(np.arange(pairs), n), np.tile(np.arange(n), pairs)
    origin, goal = stages[:, :-1].T.ravel(), stages[:, 1:].T.ravel()
    return Moves(pair, origin, goal, np.ones(n * pairs), unit, np.zeros(n, dtype=np.int64))


def few(rng: np.random.Generator, n: int = 60) -> Told:
    """Tests of few customers."""
    own, whole = homogeneity(moves_of(walked(rng, n, clusters=False)), range(3), 1, 1)
    return {}, {f"homogeneous: {s}": t.p_value for s, t in zip((*STAGES[:3], "all"), (*own, whole), strict=True)}


def told(rng: np.random.Generator, truth: dict[Label, float], design: str, n: int = SIZE) -> Told:
    """One panel of stages."""
    stages = walked(rng, n, clusters=design == "clusters")
    weight = weights_of(rng, stages[:, 0]) if design == "weights" else np.ones(n)
    own = np.arange(n) // 5 if design == "clusters" else np.arange(n)
    stratum = np.zeros(n, dtype=np.int64)
    weight, kinds = weight / weight.mean(), {name: kind for kind, name in truth}
    rows: dict[str, tuple[float, ...]] = {}

    def shown(names: tuple[str, ...], found: Shares) -> None:
        numbers = (found.share, found.std_error, found.low, found.high)
        rows.update(zip(names, zip(*(x.tolist() for x in numbers), strict=True), strict=True))

    shown(STAGES, shares(flags_of(stages[:, -1], 4), weight, own, stratum, LEVEL))
    plain = moves_of(stages)
    moves = replace(plain, weight=weight[plain.unit], unit=own[plain.unit])
    kept = []
    for i in range(3):
        here = moves.origin == i
        pairs = pooling(np.bincount(moves.pair[here], minlength=WAVES - 1), 30)
        kept.append(here & np.isin(moves.pair, pairs))
        for name, which in (("first pair", here & (moves.pair == 0)), ("all pairs", kept[-1])):
            m = moves.of(which)
            names = tuple(f"{STAGES[i]} to {goal}, {name}" for goal in STAGES)
            shown(names, shares(flags_of(m.goal, 4), m.weight, m.unit, m.stratum, LEVEL))
    found = ahead(moves.of(np.any(kept, axis=0)), 4, 3, 4, LEVEL)
    for i in range(3):
        for k, name in enumerate(("gone in 1", "gone in 2", "gone in 3", "gone in 4", "waves")):
            numbers = (found.value, found.std_error, found.low, found.high)
            rows[f"{STAGES[i]}: {name}"] = tuple(float(x[i, k]) for x in numbers)
    tests, whole = homogeneity(moves, range(3), 30, 1)
    p = {f"homogeneous: {s}": t.p_value for s, t in zip((*STAGES[:3], "all"), (*tests, whole), strict=True)}
    return {(kinds[name], name): row for name, row in rows.items() if name in kinds}, p


GROUPS = ("handled", "not handled", "no complaint")


def angry(rng: np.random.Generator, calm: tuple[float, ...], *, clusters: bool, n: int = 300) -> Told:
    """All are angry; a third each had a complaint handled, not handled, none; `calm`: shares not so afterwards."""
    group = rng.integers(0, 3, n)
    shared = rng.normal(size=n // 5).repeat(5) if clusters else np.zeros(n)
    u = ndtr((rng.normal(size=n) + 0.6 * shared) / np.sqrt(1 + 0.36 * clusters))
    then = np.where(u > np.choose(group, calm), 80.0, 20.0)
    frame = pl.DataFrame({
        "respondent": np.arange(n), "group": np.array(GROUPS)[group], "_negative": np.full(n, 80.0),
        "_later__negative": then, "_later__positive": 100 - then,
        **({"cluster": np.arange(n) // 5} if clusters else {}),
    })  # fmt: skip
    table = Bases(30, 100).withheld(_table(frame, 50.0, LEVEL))
    columns = ("share", "std_error", "conf_low", "conf_high")
    own = table.filter(outcome="not negative")
    rows = {("turned", r["group"]): tuple(r[c] for c in columns) for r in own.iter_rows(named=True)}
    gap = _differences(table, frame, 50.0).row(0, named=True)
    width = (gap["conf_high"] - gap["conf_low"]) / (2 * 1.96)
    rows["difference", "handled less not"] = (gap["difference"], width, gap["conf_low"], gap["conf_high"])
    zero = gap["conf_low"] > 0 or gap["conf_high"] < 0
    return rows, {} if calm[0] != calm[1] else {"difference = 0, by its interval": 0.04 if zero else 0.5}


def turned(calm: tuple[float, ...]) -> dict[Label, float]:
    """Shares and their difference."""
    shares: dict[Label, float] = {("turned", g): c for g, c in zip(GROUPS, calm, strict=True)}
    return shares | {("difference", "handled less not"): calm[0] - calm[1]}


def patterns(rng: np.random.Generator, n: int = 250) -> Told:
    """Two scores in equilibrium over three waves; three patterns of the first wave."""
    latent = [rng.normal(size=(n, 2))]
    for _ in range(2):
        latent.append(0.6 * latent[-1] + 0.8 * rng.normal(size=(n, 2)))
    points = [np.clip(50 + 20 * x @ np.array([[1, -0.4], [0, 0.9]]), 0, 100) for x in latent]
    centres = k_means(points[0], np.ones(n), 3, seed=1)
    stages = np.stack([nearest(p, centres) for p in points], axis=1)
    return {}, {"homogeneous moves of patterns": homogeneity(moves_of(stages), range(3), 30, 1)[1].p_value}


HOMOGENEOUS = {f"homogeneous: {origin}": "level" for origin in (*STAGES[:3], "all")}
CALM, ALIKE = (0.7, 0.4, 0.3), (0.5, 0.5, 0.3)
INTERVAL = {"difference = 0, by its interval": "at most"}


def studies() -> tuple[Study, ...]:
    """Populations and how they are told."""
    return (
        Study("stages", partial(told, truth=PLAIN, design=""), PLAIN, HOMOGENEOUS),
        Study("stages, clusters", partial(told, truth=PLAIN, design="clusters"), PLAIN, HOMOGENEOUS),
        Study("stages, weights", partial(told, truth=WEIGHTED, design="weights"), WEIGHTED, HOMOGENEOUS),
        Study("stages, few", few, {}, dict.fromkeys(HOMOGENEOUS, "conservative")),
        Study("emotion", partial(angry, calm=CALM, clusters=False), turned(CALM)),
        Study("emotion, alike", partial(angry, calm=ALIKE, clusters=False), turned(ALIKE), INTERVAL),
        Study("emotion, clusters", partial(angry, calm=ALIKE, clusters=True), turned(ALIKE), INTERVAL),
        Study("patterns", patterns, {}, {"homogeneous moves of patterns": "level"}),
    )  # fmt: skip


HELD = Held("lifecycle", "Stages, moves, emotion over waves", __doc__, GATED, DISCLOSED, studies)
tables, page, failures = HELD.tables, HELD.page, HELD.failures
TABLES = ("lifecycle_coverage", "lifecycle_nulls")

if __name__ == "__main__":
    sys.exit(HELD.run())
