"""400 brand-wave cells of 300 respondents, 24 items: one call from rows to estimates."""

import statistics
import time

import numpy as np
import polars as pl

import csi
from csi.moments.pearson import moments_of
from csi.moments.sample import sample_of

BRANDS, WAVES, RESPONDENTS = 20, 20, 300
BLOCKS = {"image": 5, "expectation": 3, "quality": 7, "value": 2, "satisfaction": 3, "complaints": 1, "loyalty": 3}
PATHS = """
expectation ~ image
quality ~ expectation
value ~ expectation + quality
satisfaction ~ image + expectation + quality + value
complaints ~ satisfaction
loyalty ~ image + satisfaction + complaints
"""


def drawn() -> tuple[pl.DataFrame, list[str]]:
    """Ten-point answers with one common factor: the numbers do not matter here, the sizes do."""
    rng = np.random.default_rng(20261121)
    n, items = BRANDS * WAVES * RESPONDENTS, [f"{b}{i}" for b, k in BLOCKS.items() for i in range(1, k + 1)]
    common = rng.normal(size=(n, 1))
    rows = np.clip(np.round(7 + 1.3 * common + 1.3 * rng.normal(size=(n, len(items)))), 1, 10)
    keys = {
        "brand": np.repeat([f"b{j:02d}" for j in range(BRANDS)], WAVES * RESPONDENTS),
        "wave": np.tile(np.repeat([f"w{j:02d}" for j in range(WAVES)], RESPONDENTS), BRANDS),
    }
    return pl.DataFrame({**keys, **{name: rows[:, j] for j, name in enumerate(items)}}), items


def timed(work, rounds: int = 5) -> float:
    """Median seconds of `work()`."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    frame, items = drawn()
    measured = "\n".join(f"{b} =~ " + " + ".join(f"{b}{i}" for i in range(1, k + 1)) for b, k in BLOCKS.items())
    model = csi.Model.parse(measured + PATHS)
    est = csi.fit(model, frame, csi.PLS(), by=["brand", "wave"], scale=(1, 10))
    whole = timed(lambda: csi.fit(model, frame, csi.PLS(), by=["brand", "wave"], scale=(1, 10)))
    sample = sample_of(frame, items, ["brand", "wave"], scale=(1, 10))
    counting = timed(lambda: moments_of(sample))
    print(
        f"{est.values.shape[0]} cells x {RESPONDENTS} respondents x {len(items)} items: "
        f"{whole:.3f} s from frame to estimates (moments alone {counting:.3f} s; aim: below 1)"
    )


if __name__ == "__main__":
    main()
