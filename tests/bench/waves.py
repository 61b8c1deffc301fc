"""A national index: companies x 40 waves x 250 respondents, 24 items; index, changes, leagues, tree of all waves.

    python tests/bench/waves.py [COMPANIES ...]        (40, 100, 200 and 400 by default; 400 are 4 million rows)

Standard errors are linearised and contain the uncertainty of the weights (the base wave's); rank sets are joint;
the tree is `csi.tree`: ten companies to an industry, four industries to a sector, one nation, revenue that changes
every wave, one company in fifty without answers in the last wave and carried, everything rebased to the first wave,
parents against the wave and the year before. Each number of companies runs in a process of its own, from a Parquet
file; peak memory is the process's (getrusage). The last line is what refits would cost: a bootstrap of twenty cells,
per refit.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

import csi
from csi.simulation import Tracked

WAVES, SIZE, BLOCKS = 40, 250, (5, 3, 4, 3, 3, 3, 3)
COMPANIES = (40, 100, 200, 400)
AIM = "aim at 400 companies: below 180 s and 4 GB"
REFITS = 1000


def population(companies: int) -> Tracked:
    """Companies at many levels, drifting upwards."""
    return Tracked.plain(np.linspace(-0.6, 0.6, companies)[:, None] + np.linspace(0.0, 0.3, WAVES), BLOCKS)


def written(companies: int, folder: Path) -> Path:
    """The answers as Parquet, company by company so that drawing needs little memory."""
    parts = []
    whole = population(companies)
    for c in range(companies):
        rows = Tracked.plain(whole.levels[[c]], BLOCKS).panel(SIZE, c).drop("id")
        rows = rows if c % 50 != 7 else rows.filter(pl.col("wave") != rows["wave"][-1])
        parts.append(rows.with_columns(brand=pl.lit(f"c{c:03d}")))
    file = folder / f"{companies}.parquet"
    pl.concat(parts).write_parquet(file)
    return file


def structure(names: list[str]) -> dict[str, dict[str, dict[str, list[str]]]]:
    """Sectors of four industries of ten companies."""
    industries = [names[k : k + 10] for k in range(0, len(names), 10)]
    sectors = [range(k, min(k + 4, len(industries))) for k in range(0, len(industries), 4)]
    return {"nation": {f"s{s}": {f"i{i}": industries[i] for i in mine} for s, mine in enumerate(sectors)}}


def weights(names: list[str], waves: list[str]) -> pl.DataFrame:
    """Revenue of every company and wave."""
    drift = np.random.default_rng(3).normal(0.01, 0.02, size=(len(names), len(waves))).cumsum(axis=1)
    size = np.random.default_rng(4).uniform(1, 5, size=(len(names), 1)) * np.exp(drift)
    rows = [(n, w, size[i, t]) for i, n in enumerate(names) for t, w in enumerate(waves)]
    return pl.DataFrame(rows, schema=["entity", "period", "weight"], orient="row")


def seconds(work, taken: dict[str, tuple[float, float]], name: str):
    """What `work()` returns; its wall and processor seconds under a name."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = work()
    taken[name] = time.perf_counter() - wall, time.process_time() - cpu
    return found


def measured(file: Path) -> None:
    """All steps on one file."""
    taken: dict[str, tuple[float, float]] = {}
    text = population(1).model
    settings, by = csi.PLS(), ["brand", "wave"]
    est = seconds(lambda: csi.fit(text, pl.read_parquet(file), settings, by=by, scale=(1, 10)), taken, "fit")
    n = int(est.moments.n.sum())
    made = seconds(lambda: csi.index(est, weights="base", std_error="linearised"), taken, "index")
    seconds(lambda: csi.changes(made, "c5"), taken, "changes")
    waves = made.cells["wave"].unique(maintain_order=True).to_list()
    seconds(lambda: [csi.pairwise(made, w, "c5", ranks="max-t") for w in waves], taken, "leagues")
    names = made.cells["brand"].unique(maintain_order=True).to_list()
    nation, revenue = structure(names), weights(names, waves)
    seconds(lambda: csi.tree(made, nation, revenue, "c5", missing="carry", base=waves[0]), taken, "tree")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)
    wall, cpu = (sum(t[k] for t in taken.values()) for k in (0, 1))
    steps = " | ".join(f"{t[1]:.1f}" for t in taken.values())
    print(f"| {est.values.shape[0]:,} | {n / 1e6:.1f} | {steps} | {cpu:.1f} | {wall:.1f} | {peak:.2f} |", flush=True)


def refits() -> None:
    """What a refit costs, index included."""
    one = Tracked.plain(np.zeros((4, 5)), BLOCKS)
    est = csi.fit(one.model, one.panel(SIZE, 1), csi.PLS(), by=["brand", "wave"], scale=(1, 10))
    csi.index(csi.bootstrap(est, 10, 1), weights="own")  # loads what is imported at first use
    start = time.process_time()
    csi.index(csi.bootstrap(est, REFITS, 1), weights="own")
    taken = time.process_time() - start
    print(f"\n{20 * REFITS:,} refits of a cell of {SIZE}: {20 * REFITS / taken:,.0f} refits per processor second.")


def main() -> None:
    """The cost curve."""
    print(f"Processor seconds by step ({AIM}).\n")
    print("| cells | million rows | fit | index | changes | leagues | tree | all | wall | peak GB |")
    print("|" + "---|" * 10, flush=True)
    for companies in [int(a) for a in sys.argv[1:]] or COMPANIES:
        with tempfile.TemporaryDirectory() as folder:
            file = written(companies, Path(folder))
            subprocess.run([sys.executable, __file__, str(file)], check=True)
    refits()


if __name__ == "__main__":
    if len(sys.argv) == 2 and sys.argv[1].endswith(".parquet"):
        measured(Path(sys.argv[1]))
    else:
        main()
