"""Weighted second moments of 24 items in 200 cells of brand and wave from Parquet larger than memory: recode, reverse,
filter, sum. The pass of csi beside the same in polars expressions, in DuckDB, and beside reading the columns alone.

    python tests/bench/stream.py [ROWS] [ROUNDS]     20 million rows, one round
    python tests/bench/stream.py linear              1e5 to 2e7 rows, the pass of csi alone

Every run is a process of its own (getrusage: wall and processor seconds of the run, peak memory of the process). The
file is made in a temporary folder and removed.
"""

import hashlib
import importlib
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

import csi
from csi.errors import Text
from csi.survey.codebook import Codebook, Item, Scale

ITEMS = [f"q{j}" for j in range(24)]
TURNED = set(ITEMS[::4])
GROUP = 1_000_000
KEYS = ["brand", "wave"]
ENGINES = ("scan", "csi", "polars", "duckdb")


def made(path: Path, rows: int) -> None:
    """A file of `rows` answers: int8 items of 1 to 10, 0.2 % null and 0.3 % codes 98 and 99 each, float32 weights."""
    parts = []
    for number, start in enumerate(range(0, rows, GROUP)):
        rng, n = np.random.default_rng(number), min(GROUP, rows - start)
        base = rng.normal(6.5, 1.6, n).astype(np.float32)
        columns = {"brand": rng.integers(0, 20, n, dtype=np.uint8), "wave": rng.integers(0, 10, n, dtype=np.uint8)}
        frame = {**columns, "weight": (np.rint(rng.gamma(4, 0.25, n) * 4096 + 1) / 4096).astype(np.float32)}
        for name in ITEMS:
            x = np.clip(np.rint(base + rng.normal(0, 1.4, n).astype(np.float32)), 1, 10).astype(np.int8)
            chance = rng.random(n, dtype=np.float32)
            frame[name] = pl.Series(np.where(chance > 0.997, 98 + (chance > 0.9985), x).astype(np.int8)).scatter(
                np.flatnonzero(chance < 0.002), None
            )
        parts.append(path.with_name(f"part{number}.parquet"))
        pl.DataFrame(frame).write_parquet(parts[-1], row_group_size=GROUP)
    pl.concat([pl.scan_parquet(p) for p in parts]).sink_parquet(path, row_group_size=GROUP)
    for part in parts:
        part.unlink()


def codebook() -> Codebook:
    """One scale of ten points; every fourth item is turned over."""
    ten = Scale("ten", 1, 10, {"98": "dont_know", "99": "refused"})
    items = tuple(Item(n, "all", ten, Text(n, n), reverse=n in TURNED) for n in ITEMS)
    return Codebook(items, {}, {"brand": "brand", "wave": "wave", "weight": "weight"})


def by_csi(path: Path) -> dict[str, object]:
    """The pass of csi."""
    moments = csi.read_panel(path, codebook(), stream=True).moments(ITEMS, KEYS)
    cells = moments.cells.select(pl.col(KEYS).cast(pl.Int64))
    order = cells.with_row_index("at").sort(KEYS)["at"].to_numpy()
    bits = hashlib.sha256(b"".join(getattr(moments, n).tobytes() for n in ("n", "sum_w", "sum_w2", "mean", "cov")))
    return {"bits": bits.hexdigest(), "cov": moments.cov[order].ravel().tolist(), "n": moments.n[order].tolist()}


def coded() -> dict[str, pl.Expr]:
    """Items as polars expressions."""
    value = {n: pl.when(pl.col(n) <= 10).then(pl.col(n)) for n in ITEMS}
    return {n: (11 - v if n in TURNED else v).cast(pl.Float64) for n, v in value.items()}


def by_polars(path: Path) -> dict[str, object]:
    """301 sums as expressions."""
    w = pl.col("weight").cast(pl.Float64)
    rows = pl.scan_parquet(path).select(*KEYS, w, **coded()).drop_nulls()
    sums = [pl.len().alias("n"), pl.col("weight").sum().alias("w")]
    sums += [(pl.col("weight") * pl.col(a)).sum().alias(f"{a}_") for a in ITEMS]
    for i, a in enumerate(ITEMS):
        sums += [(pl.col("weight") * pl.col(a) * pl.col(b)).sum().alias(f"{a}_{b}") for b in ITEMS[i:]]
    return covariances(rows.group_by(KEYS).agg(sums).sort(KEYS).collect())


def by_duckdb(path: Path) -> dict[str, object]:
    """301 sums as SQL."""
    duckdb = importlib.import_module("duckdb")  # optional
    value = {n: f"case when {n} <= 10 then {n}::double end" for n in ITEMS}
    value |= {n: f"11 - ({v})" for n, v in value.items() if n in TURNED}
    inner = ", ".join(f"{v} as {n}" for n, v in value.items())
    sums = ["count(*) as n", "sum(weight) as w", *(f"sum(weight * {a}) as {a}_" for a in ITEMS)]
    for i, a in enumerate(ITEMS):
        sums += [f"sum(weight * {a} * {b}) as {a}_{b}" for b in ITEMS[i:]]
    whole = " and ".join(f"{n} is not null" for n in ITEMS)
    said = ", ".join(sums)
    sql = f"select brand, wave, {said} from (select brand, wave, weight::double as weight, {inner} "  # noqa: S608 - ours
    sql += f"from read_parquet('{path}')) where {whole} group by brand, wave order by brand, wave"
    with duckdb.connect() as base:
        base.execute("set threads = 2")
        return covariances(pl.DataFrame(base.execute(sql).fetchnumpy()))


def covariances(sums: pl.DataFrame) -> dict[str, object]:
    """Covariances with divisor n - 1 from sums about zero."""
    n, w = sums["n"].to_numpy().astype(float), sums["w"].to_numpy()
    mean = np.column_stack([sums[f"{a}_"].to_numpy() for a in ITEMS]) / w[:, None]
    cov = np.empty((sums.height, 24, 24))
    for i, a in enumerate(ITEMS):
        for j in range(i, 24):
            cov[:, i, j] = cov[:, j, i] = sums[f"{a}_{ITEMS[j]}"].to_numpy() / w - mean[:, i] * mean[:, j]
    return {"cov": (cov * (n / (n - 1))[:, None, None]).ravel().tolist(), "n": n.tolist()}


def by_scan(path: Path) -> dict[str, object]:
    """Every column read, nothing made of it but a mean."""
    return {"mean": pl.scan_parquet(path).mean().collect().row(0)[-1]}


def run(engine: str, path: Path) -> None:
    """One run in this process, told as JSON."""
    ready(engine)
    runner = {"scan": by_scan, "csi": by_csi, "polars": by_polars, "duckdb": by_duckdb}[engine]
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    found = runner(path)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    peak = after.ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)
    print(json.dumps({"wall": wall, "cpu": cpu, "peak": peak, **found}))


def ready(engine: str) -> None:
    """What is imported at first use, imported before the clock starts; a first small query starts the threads."""
    assert callable(csi.read_panel)
    pl.LazyFrame({"a": [1]}).select(pl.col("a").sum()).collect()
    if engine == "duckdb":
        importlib.import_module("duckdb")


def ran(engine: str, path: Path) -> dict[str, object]:
    """One run in a process of its own."""
    done = subprocess.run([sys.executable, __file__, "run", engine, str(path)], check=True, capture_output=True)
    return json.loads(done.stdout.splitlines()[-1])


def compared(rows: int, rounds: int) -> None:
    """All engines on one file, in turn."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answers.parquet"
        start = time.perf_counter()
        made(path, rows)
        size = path.stat().st_size / 2**20
        print(f"{rows:,} rows x 24 int8 items, {size:.0f} MB Parquet, made in {time.perf_counter() - start:.0f} s")
        runs = {engine: [] for engine in ENGINES if engine != "duckdb" or has_duckdb()}
        for _ in range(rounds):
            for engine, found in runs.items():
                found.append(ran(engine, path))
    own = runs["csi"]
    for engine, found in runs.items():
        wall, cpu = (statistics.median(f[k] for f in found) for k in ("wall", "cpu"))
        peak = max(f["peak"] for f in found)
        pairs = [(f["wall"] / o["wall"], f["cpu"] / o["cpu"]) for f, o in zip(found, own, strict=True)]
        ratio, work = (statistics.median(p[k] for p in pairs) for k in (0, 1))
        print(
            f"{engine:7} {wall:6.2f} s wall {cpu:6.2f} s cpu {rows / wall / 1e6:6.2f} M rows/s {peak:5.2f} GB"
            f"   {ratio:5.2f} x csi's wall, {work:5.2f} x its cpu"
        )
    for engine in ("polars", "duckdb"):
        if engine in runs:
            one, other = np.array(own[0]["cov"]), np.array(runs[engine][0]["cov"])
            scale = np.sqrt(np.abs(one).max())
            assert own[0]["n"] == runs[engine][0]["n"]
            print(f"largest difference of a covariance from {engine}: {np.abs(one - other).max() / scale**2:.1e}")
    again = {found["bits"] for found in own}
    print(f"bits of {len(own)} runs of csi: {'the same' if len(again) == 1 else 'DIFFERENT'} ({own[0]['bits'][:12]})")


def linear() -> None:
    """The pass of csi from 1e5 to 2e7 rows."""
    print("| rows | wall s | cpu s | M rows/s | cpu microseconds per row | peak GB |\n|---|---|---|---|---|---|")
    for rows in (100_000, 500_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000, 20_000_000):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "answers.parquet"
            made(path, rows)
            found = [ran("csi", path) for _ in range(3)]
        wall, cpu, peak = (statistics.median(f[k] for f in found) for k in ("wall", "cpu", "peak"))
        speed = f"{rows / wall / 1e6:.2f} | {cpu / rows * 1e6:.2f}"
        print(f"| {rows:,} | {wall:.2f} | {cpu:.2f} | {speed} | {peak:.2f} |", flush=True)


def has_duckdb() -> bool:
    """Whether DuckDB is at hand."""
    return subprocess.run([sys.executable, "-c", "import duckdb"], check=False, capture_output=True).returncode == 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["run"]:
        run(sys.argv[2], Path(sys.argv[3]))
    elif sys.argv[1:2] == ["linear"]:
        linear()
    else:
        compared(
            *[int(a) for a in [*sys.argv[1:], "20000000", "1"][:2]] if len(sys.argv) != 2 else (int(sys.argv[1]), 1)
        )
