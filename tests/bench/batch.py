"""What `csi batch` costs: companies x 40 waves x 250 respondents from one study file, with three broken cells.

    python tests/bench/batch.py [COMPANIES ...]        (40, 100, 200 and 400 by default; 400 are 16,000 cells)

Each number of companies has a folder of its own (Parquet, codebook, study with weights of sampling and linearised
errors). The verb runs as users run it, in a process of its own, and is measured from outside: wall and processor
seconds, peak memory (getrusage, of the largest run so far), files and bytes left. At the last size it also runs killed
in the middle and started again, again with nothing to do, and again after the weights of one cell were changed.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from csi.simulation import Tracked

WAVES, SIZE, BLOCKS = 40, 250, (5, 3, 4, 3, 3, 3, 3)
COMPANIES = (40, 100, 200, 400)
CONSTANT, FEW, TEXT = ("c001", "w07"), ("c002", "w09"), ("c003", "w11")
CSI = [sys.executable, "-m", "csi"]


def population(companies: int) -> Tracked:
    """Companies at many levels, drifting upwards."""
    return Tracked.plain(np.linspace(-0.6, 0.6, companies)[:, None] + np.linspace(0.0, 0.3, WAVES), BLOCKS)


def here(cell: tuple[str, str]) -> pl.Expr:
    """The rows of a cell."""
    return (pl.col("brand") == cell[0]) & (pl.col("wave") == cell[1])


def answers(companies: int) -> pl.DataFrame:
    """All rows as text; one cell has a constant item, one 12 rows, one words in place of numbers."""
    whole, parts = population(companies), []
    rng = np.random.default_rng(4)
    for c in range(companies):
        rows = Tracked.plain(whole.levels[[c]], BLOCKS).panel(SIZE, c)
        weight = pl.Series("weight", rng.uniform(0.5, 2.0, rows.height).round(3))
        rows = rows.with_columns(weight, brand=pl.lit(f"c{c:03d}"), id=pl.format("c{}-{}", pl.lit(c), "id"))
        if c < 4:
            place = pl.int_range(pl.len()).over("brand", "wave")
            rows = rows.filter(~here(FEW) | (place < 12))
            rows = rows.with_columns(c7_1=pl.when(here(CONSTANT)).then(5).otherwise("c7_1"))
        item = pl.col("c7_2").cast(pl.String)
        parts.append(rows.with_columns(c7_2=pl.when(here(TEXT)).then(pl.lit("good")).otherwise(item)))
    return pl.concat(parts)


def study(companies: int, folder: Path, rule: str = "own") -> Path:
    """The folder of a study, its answers as Parquet; the path of the study file."""
    folder.mkdir(parents=True, exist_ok=True)
    one = population(1)
    answers(companies).write_parquet(folder / "panel.parquet")
    named = (f"  - {{name: {i}, construct: c{j + 1}, scale: ten}}" for i, j in zip(one.items, one.block, strict=True))
    said = "\n".join(["scales:", "  ten: {min: 1, max: 10}", "items:", *named])
    (folder / "codebook.yaml").write_text(f"{said}\n", encoding="utf-8")
    model = "".join(f"    {line}\n" for line in one.model.splitlines())
    text = f"""csi: 1
study: nation
title: {{zh: 全国满意度指数, en: A national index}}
language: en
data:
  - {{file: panel.parquet}}
codebook: codebook.yaml
keys: {{respondent: id, wave: wave, brand: brand, weight: weight}}
model:
  text: |
{model}index: {{target: c5, weights: {rule}, errors: linearised}}
report: {{small: 30}}
"""
    path = folder / "study.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def started(path: Path, out: Path) -> subprocess.Popen[bytes]:
    """The verb under way, as users run it."""
    words = [*CSI, "batch", str(path), "--out", str(out), "--json"]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def run(path: Path, out: Path) -> tuple[dict[str, object], str]:
    """What a whole run says, and its row of the table: processor and wall seconds, peak memory, files, megabytes."""
    start, before = time.perf_counter(), os.times()
    said = json.loads(started_to_end(path, out))
    after, wall = os.times(), time.perf_counter() - start
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    files = [f for f in out.rglob("*") if f.is_file()]
    size = sum(f.stat().st_size for f in files) / 2**20
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)
    fresh = sum(not c["kept"] for c in said["cells"])
    return said, f"{fresh:,} | {cpu:.1f} | {wall:.1f} | {fresh / cpu:,.0f} | {peak:.2f} | {len(files)} | {size:.1f} |"


def started_to_end(path: Path, out: Path) -> bytes:
    """What the verb prints."""
    with started(path, out) as process:
        return process.communicate()[0]


def killed(path: Path, out: Path) -> int:
    """Kill a run once half of its records are there; how many there were."""
    records, cells = out / "records.jsonl", 0
    with started(path, out) as process:
        while process.poll() is None:
            time.sleep(0.2)
            cells = len(records.read_bytes().splitlines()) if records.exists() else 0
            if cells >= int(path.parent.name) * WAVES // 2:
                process.send_signal(signal.SIGKILL)
                break
        process.communicate()
    return cells


def heavier(path: Path) -> None:
    """Other weights in one cell."""
    file = path.parent / "panel.parquet"
    frame = pl.read_parquet(file)
    other = pl.when(here(("c005", "w05"))).then(pl.col("weight") + 0.1).otherwise("weight")
    frame.with_columns(other).write_parquet(file)


def one(companies: int, folder: Path, *, again: bool) -> None:
    """The rows of one number of companies."""
    name, path = f"{companies * WAVES:,}", study(companies, folder / str(companies))
    said, row = run(path, folder / f"out{companies}")
    print(f"| {name} | all | {row}", flush=True)
    if not again:
        return
    half = killed(path, folder / "half")
    whole, row = run(path, folder / "half")
    print(f"| {name} | killed after {half:,}, started again | {row}", flush=True)
    bare = [[{k: v for k, v in c.items() if k != "kept"} for c in s["cells"]] for s in (said, whole)]
    print(f"| {name} | nothing changed | {run(path, folder / 'half')[1]}", flush=True)
    heavier(path)
    print(f"| {name} | weights of one cell changed | {run(path, folder / 'half')[1]}", flush=True)
    print("\nThe run that was killed and the whole one say the same of every cell:", bare[0] == bare[1])
    for cell in said["cells"]:
        if cell["status"] != "done":
            print(f"- {cell['brand']} {cell['wave']}: {cell['status']}: {cell['reason']}")


def main() -> None:
    """The cost curve, then what a restart costs."""
    sizes = [int(a) for a in sys.argv[1:]] or COMPANIES
    print(
        "| cells | run | made | cpu s | wall s | cells per cpu s | peak GB | files | MB |\n|" + "---|" * 9, flush=True
    )
    for companies in sizes:
        with tempfile.TemporaryDirectory() as folder:
            one(companies, Path(folder), again=companies == sizes[-1])


if __name__ == "__main__":
    main()
