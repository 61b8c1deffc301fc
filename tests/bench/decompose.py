"""The parts of every change of 400 brands over 40 waves, five classes, in one call: `python tests/bench/decompose.py`.

python tests/bench/decompose.py [BRANDS] [WAVES] [RESPONDENTS]
"""

import resource
import sys
import time

import numpy as np
import polars as pl

import csi

MODEL = "use =~ u1 + u2 + u3 + u4\njoy =~ j1 + j2 + j3\njoy ~ use"


def drawn(brands: int, waves: int, n: int) -> pl.DataFrame:
    """Ten-point answers with one common factor: the numbers do not matter here, the sizes do."""
    rng, rows = np.random.default_rng(20261122), brands * waves * n
    common = rng.normal(size=(rows, 1))
    answers = np.clip(np.round(7 + 1.2 * common + rng.normal(size=(rows, 7))), 1, 10)
    return pl.DataFrame(answers, schema=["u1", "u2", "u3", "u4", "j1", "j2", "j3"]).with_columns(
        brand=pl.Series(np.repeat([f"b{b:03d}" for b in range(brands)], waves * n)),
        wave=pl.Series(np.tile(np.repeat([f"w{t:02d}" for t in range(waves)], n), brands)),
        who=pl.Series(rng.choice(list("abcde"), rows)),
    )


def main() -> None:
    sizes = [int(a) for a in sys.argv[1:]]
    brands, waves, n = sizes if len(sizes) == 3 else (400, 40, 250)
    frame = drawn(brands, waves, n)
    made = csi.index(csi.fit(csi.Model.parse(MODEL), frame, csi.PLS(), by=["brand", "wave"], scale=(1, 10)))
    start, clock = time.process_time(), time.perf_counter()
    found = csi.decompose(made, by="who", construct="joy", data=frame)
    cpu, wall = time.process_time() - start, time.perf_counter() - clock
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    changes = found.table.filter(part="total").height
    print(
        f"{changes} changes of {brands} brands over {waves} waves of {n} with 5 classes: {wall:.1f} s ({cpu:.1f} s of "
        f"processor), {1000 * cpu / changes:.2f} ms each; peak of the whole run {peak:.2f} GB"
    )


if __name__ == "__main__":
    main()
