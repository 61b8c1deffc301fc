"""Do intervals of an adjusted expectation, of its making from wave to wave and of slopes by stage cover?

    python tests/slow/adjustment_coverage.py [PANELS]        (about three minutes on one core for 2,000)

The functions behind `csi.adjustment`, `csi.dynamic_expectation` and `csi.stage_slopes`, on arrays.
"adjustment": 250 people, half of whom had a training that lowers expectation by 0.8; the difference of leave-one-out R2
(truth: 400,000 people) alone, beside experience and with squares; paths from the training to the change of expectation
and on to satisfaction; through both, by percentiles of 300 resamples. "neither": the outcome goes with neither
expectation at the same experience. "waves": 150 people in three waves by Boulding's equations, slopes by least squares
with errors by person. "gains": 240 people in two waves, gains .7, .4, .2 at three stages; that experience and
expectation weigh alike is true. "slopes": 3 x 150 people with slopes .6, .35, .1 and .1, .3, .5 (factors by three
items, maximum likelihood with equal loadings), their trends by stage; "slopes, alike": trends are zero.
Gated: slopes, paths, gains, trends (92.5 to 97 %, mean standard error / Monte Carlo deviation within .95 and 1.05),
tests at 5 % (4 to 6.5 %). Tabled, as R2 and products are everywhere: differences of R2, what goes through both. Where
neither expectation tells anything the difference of R2 rejects at most 5 % and three errors, and far less (Vuong 1989).
The error of a difference of R2 grows with it (they correlate by .67 in "neither", alone), so the truth lies above the
limits more often than below: most where the difference is small, and there they cover less than a gate would ask.
"""

from __future__ import annotations

import sys
from functools import cache, partial

import numpy as np
import polars as pl
from panels import Held, Label, Study, Told
from scipy.special import stdtr

import csi
from csi.claims.stage_asked import staged
from csi.claims.stage_covariance import numbers_of
from csi.claims.stage_frames import contrast
from csi.errors import Text
from csi.expectation.adjustment_asked import Occasions
from csi.expectation.adjustment_numbers import compared, paths
from csi.expectation.dynamic_equations import equations, gains
from csi.expectation.followed import Followed
from csi.survey.codebook import Codebook, Item, Scale

LEVEL, RESAMPLES = 0.95, 300
SHAPES = ("alone", "linear", "polynomial")
PATHS = ("flag_change", "change_outcome", "flag_direct")
GATED = ("path of a flag", "weight of a wave", "gain", "trend of a slope")
DISCLOSED: dict[str, str] = {}
A, C, D, U, E, F = 0.6, 0.7, 0.2, 0.1, 0.5, 0.3
GAINS = (0.7, 0.4, 0.2)
SLOPES = {"value": (0.6, 0.35, 0.1), "brand": (0.1, 0.3, 0.5)}


def occasions(rng: np.random.Generator, n: int, b: float, resamples: int) -> Occasions:
    """Two waves of n people; satisfaction moves by b a point of adjusted expectation."""
    had = (np.arange(n) < n / 2).astype(float)
    first = rng.normal(size=n)
    last = 0.5 * first - 0.8 * had + 0.7 * rng.normal(size=n)
    seen = 0.3 * last + rng.normal(size=n)
    felt = b * last + 0.6 * seen + 0.7 * rng.normal(size=n)
    drawn = rng.multinomial(n - 1, np.full(n, 1 / n), size=resamples) * (n / (n - 1))
    strata = np.zeros(n, dtype=np.int64)
    return Occasions(first, last, felt, seen, had, np.ones(n), np.arange(n), strata, drawn, ("1", "2"), n,
                     pl.DataFrame(), ())  # fmt: skip


@cache
def differences(b: float) -> tuple[float, ...]:
    """Of 400,000 people."""
    found = compared(occasions(np.random.default_rng(7), 400_000, b, 0), LEVEL)[1]
    return tuple(found["estimate"].to_list())


def adjusted(rng: np.random.Generator, b: float = -0.5, n: int = 250) -> Told:
    """Differences of R2, paths."""
    rows = occasions(rng, n, b, RESAMPLES)
    found = compared(rows, LEVEL)[1].select("estimate", "std_error", "conf_low", "conf_high", "p_value").rows()
    told = {("r2 difference", s): r[:4] for s, r in zip(SHAPES, found, strict=True) if b or s == "alone"}
    assert rows.flag is not None
    own = {str(r[0]): r for r in paths(rows, rows.flag, LEVEL)}
    pick = {name: (r[2], r[3], r[7], r[8]) for name, r in own.items()}
    told |= {("path of a flag", n): pick[n] for n in PATHS if b}  # without b they err by the same
    told["through both", "indirect"] = pick["indirect"]
    p = {f"r2 difference = 0, {s}": r[4] for s, r in zip(SHAPES[1:], found[1:], strict=True)} if not b else {}
    return told, p or {"direct path = 0": float(own["flag_direct"][6])}


def of_adjusted(b: float) -> dict[Label, float]:
    """Truth."""
    known = dict(zip(SHAPES, differences(b), strict=True))
    made: dict[Label, float] = {("r2 difference", s): v for s, v in known.items() if b or s == "alone"}
    ways: dict[Label, float] = {("path of a flag", n): v for n, v in zip(PATHS, (-0.8, b, 0.0), strict=True) if b}
    return {**made, **ways, ("through both", "indirect"): 0.0 - 0.8 * b}


def followed(will: np.ndarray, seen: np.ndarray, more: dict[str, np.ndarray]) -> Followed:
    """Series without a panel around them."""
    n, W = will.shape
    values = {"A": will, "B": seen, **more}
    return Followed(values, tuple(str(t) for t in range(W)), np.ones(n), np.arange(n), np.zeros(n, dtype=np.int64),
                    pl.DataFrame(), ())  # fmt: skip


def moved(rng: np.random.Generator, n: int, waves: int, gain: np.ndarray) -> Followed:
    """Boulding's equations."""
    will, should, seen, rival = (np.empty((n, waves)) for _ in range(4))
    for t in range(waves):
        noise = rng.normal(size=(4, n))
        will[:, t], should[:, t], rival[:, t] = noise[0], 1 + noise[1], noise[3]
        if t:
            will[:, t] = 0.1 * t + will[:, t - 1] + gain * (seen[:, t - 1] - will[:, t - 1]) + 0.4 * noise[0]
            above = np.maximum(seen[:, t - 1] - should[:, t - 1], 0)
            should[:, t] = 0.3 + C * should[:, t - 1] + D * rival[:, t - 1] + U * above + 0.4 * noise[1]
        seen[:, t] = 0.2 * t + E * will[:, t] - F * should[:, t] + 0.8 * noise[2]
    return followed(will, seen, {"S": should, "C": rival})


WEIGHTS: dict[Label, float] = {
    ("weight of a wave", name): v
    for name, v in (("a", A), ("g", 1 - A), ("c", C), ("d", D), ("u", U), ("e", E), ("f", F))
}
PLACES = {"a": ("will", 1), "g": ("free", 2), "c": ("should", 1), "d": ("should", 2), "u": ("should", 3),
          "e": ("experience", 1), "f": ("experience", 2)}  # fmt: skip
TAKEN = ("estimate", "std_error", "conf_low", "conf_high")


def waved(rng: np.random.Generator, n: int = 150) -> Told:
    """Weights of all equations; that a + g = 1."""
    found = equations(moved(rng, n, 3, np.full(n, 1 - A)))
    told = {}
    for name, (equation, place) in PLACES.items():
        one = found[equation].found
        made = one.combined(np.eye(one.slopes.size)[[place]], LEVEL)
        told["weight of a wave", name] = tuple(float(made[c][0]) for c in TAKEN)
    free = found["free"].found
    L = np.zeros((1, free.slopes.size))
    L[0, 1:3] = 1.0
    whole = free.combined(L, LEVEL)
    t = (whole["estimate"][0] - 1) / whole["std_error"][0]

    return told, {"a + g = 1": float(2 * stdtr(whole["df"][0], -abs(t)))}


def gained(rng: np.random.Generator, n: int = 240) -> Told:
    """Gains of three stages; that both weigh alike."""
    stage = np.arange(n) % 3
    data = moved(rng, n, 2, np.array(GAINS)[stage])
    found = gains(data, np.tile(stage[:, None], 2).astype(float), ("x", "y", "z"), np.ones((1, n)))
    one = found.solved.found
    made = one.combined(np.eye(one.slopes.size)[found.places], LEVEL)
    rows = {("gain", f"stage {k + 1}"): tuple(float(made[c][k]) for c in TAKEN) for k in range(3)}
    return rows, {"both weigh alike": found.p_equal}


MODEL = "v =~ v1 + v2 + v3; b =~ b1 + b2 + b3; i =~ i1 + i2 + i3; b ~ v; i ~ v + b"


def sloped(rng: np.random.Generator, slopes: dict[str, tuple[float, ...]], n: int = 150) -> Told:
    """Trends of the slopes of intention; of the slope of brand on value p, which is zero."""
    parts = []
    for k, stage in enumerate("xyz"):
        v = rng.normal(size=n)
        b = 0.5 * v + 0.8 * rng.normal(size=n)
        i = slopes["value"][k] * v + slopes["brand"][k] * b + 0.6 * rng.normal(size=n)
        made = {f"{c}{j}": w * x + 0.5 * rng.normal(size=n) for c, x in (("v", v), ("b", b), ("i", i))
                for j, w in ((1, 1.0), (2, 0.9), (3, 0.8))}  # fmt: skip
        parts.append(pl.DataFrame(made).with_columns(stage=pl.lit(stage)))
    frame = pl.concat(parts)
    names = [c for c in frame.columns if c != "stage"]
    book = Codebook(tuple(Item(c, c, Scale("wide", -50, 50), Text(c, c)) for c in names), {}, {})
    panel = csi.Panel(frame, book, frame.select(names).cast(pl.String))
    rows = staged(MODEL, panel, ("x", "y", "z"), None, None, 50, covariance=True)
    found = numbers_of(rows, csi.SEM(), (), LEVEL)[0]
    at = {name: found.paths.index(p) for name, p in (("value", ("i", "v")), ("brand", ("i", "b")))}
    ends = (found.trend, found.trend_error, found.trend_low, found.trend_high)
    told = {("trend of a slope", name): tuple(float(x[k]) for x in ends) for name, k in at.items()}
    p = {"trend = 0": float(found.p[found.paths.index(("b", "v"))])}
    return told, p


def trends(slopes: dict[str, tuple[float, ...]]) -> dict[Label, float]:
    """Truth."""
    return {("trend of a slope", name): float(contrast(3) @ s) for name, s in slopes.items()}


ALIKE = {"value": (0.35, 0.35, 0.35), "brand": (0.3, 0.3, 0.3)}


def studies() -> tuple[Study, ...]:
    """Populations and how they are told."""
    stages: dict[Label, float] = {("gain", f"stage {k + 1}"): g for k, g in enumerate(GAINS)}
    zero = {f"r2 difference = 0, {s}": "conservative" for s in SHAPES[1:]}
    return (
        Study("adjustment", adjusted, of_adjusted(-0.5), {"direct path = 0": "level"}),
        Study("neither", partial(adjusted, b=0.0), of_adjusted(0.0), zero),
        Study("waves", waved, WEIGHTS, {"a + g = 1": "level"}),
        Study("gains", gained, stages, {"both weigh alike": "level"}),
        Study("slopes", partial(sloped, slopes=SLOPES), trends(SLOPES), {"trend = 0": "level"}),
        Study("slopes, alike", partial(sloped, slopes=ALIKE), trends(ALIKE), {"trend = 0": "level"}),
    )


HELD = Held("adjustment", "Adjusted expectation, waves, slopes by stage", __doc__, GATED, DISCLOSED, studies)
tables, page, failures = HELD.tables, HELD.page, HELD.failures
TABLES = ("adjustment_coverage", "adjustment_nulls")

if __name__ == "__main__":
    sys.exit(HELD.run())
