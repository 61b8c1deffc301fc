"""5,000 bootstrap refits of the ECSI model, beside the `seminr` package from the package index.

Both refit the same model on resamples of the same rows and give, per replicate, the same outputs: paths, weights,
loadings, HTMT and total effects. `seminr` is called as a program, with its defaults; it runs fewer replicates and its
time is stated per replicate. The rows are `mobi` (250 respondents) where `CSI_REFERENCE_DIR` names the reference data,
else one cell of the demonstration study.
"""

import importlib
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl

import csi

ROOT = Path(__file__).parents[2]
OURS, THEIRS, ROUNDS = 5000, 60, 3
BLOCKS = {
    "Image": ["IMAG1", "IMAG2", "IMAG3", "IMAG4", "IMAG5"],
    "Expectation": ["CUEX1", "CUEX2", "CUEX3"],
    "Quality": ["PERQ1", "PERQ2", "PERQ3", "PERQ4", "PERQ5", "PERQ6", "PERQ7"],
    "Value": ["PERV1", "PERV2"],
    "Satisfaction": ["CUSA1", "CUSA2", "CUSA3"],
    "Complaints": ["CUSCO"],
    "Loyalty": ["CUSL1", "CUSL2", "CUSL3"],
}
DEMO = {
    "Image": ["img1", "img2", "img3", "img4", "img5"],
    "Expectation": ["exp1", "exp2", "exp3"],
    "Quality": ["qua1", "qua2", "qua3", "qua4", "qua5", "qua6", "qua7"],
    "Value": ["val1", "val2"],
    "Satisfaction": ["sat1", "sat2", "sat3"],
    "Complaints": ["com1"],
    "Loyalty": ["loy1", "loy2", "loy3"],
}
ARROWS = {
    "Expectation": ["Image"],
    "Quality": ["Expectation"],
    "Value": ["Expectation", "Quality"],
    "Satisfaction": ["Image", "Expectation", "Quality", "Value"],
    "Complaints": ["Satisfaction"],
    "Loyalty": ["Image", "Satisfaction", "Complaints"],
}


def rows() -> tuple[str, dict[str, list[str]], pl.DataFrame]:
    """Name, blocks and complete rows of the data at hand."""
    folder = os.environ.get("CSI_REFERENCE_DIR")
    if folder and (Path(folder) / "data/mobi/mobi.csv").exists():
        return "mobi", BLOCKS, pl.read_csv(Path(folder) / "data/mobi/mobi.csv")
    items = [i for block in DEMO.values() for i in block]
    panel = csi.Study.read(ROOT / "data/telecom/study.yaml").panel().frame
    cell = panel.filter((pl.col("brand") == panel["brand"][0]) & (pl.col("wave") == panel["wave"][0]))
    return "one cell of data/telecom", DEMO, cell.select(items).drop_nulls()


def seconds(work: Callable[[], object]) -> float:
    """Median wall time."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def ours(blocks: dict[str, list[str]], frame: pl.DataFrame) -> tuple[float, float]:
    """Seconds for paths, weights, loadings; and with HTMT and total effects in addition, each with its interval."""
    measured = [f"{name} =~ {' + '.join(items)}" for name, items in blocks.items()]
    arrows = [f"{outcome} ~ {' + '.join(predictors)}" for outcome, predictors in ARROWS.items()]
    est = csi.fit(csi.Model.parse("\n".join([*measured, *arrows])), frame, csi.PLS(), scale=(1, 10))

    def everything() -> None:
        boot = csi.bootstrap(est, n=OURS, seed=1)
        csi.validity(boot)
        csi.effects(boot)

    return seconds(lambda: csi.bootstrap(est, n=OURS, seed=1)), seconds(everything)


def theirs(blocks: dict[str, list[str]], frame: pl.DataFrame) -> tuple[float, float]:
    """Seconds per replicate of `seminr.bootstrap_model` in one process, and of its bare estimate."""
    seminr = importlib.import_module("seminr")
    measurement = seminr.constructs(*(seminr.composite(name, items) for name, items in blocks.items()))
    structure = seminr.relationships(*(seminr.paths(from_=p, to=o) for o, ps in ARROWS.items() for p in ps))
    data = {name: [float(v) for v in frame[name]] for items in blocks.values() for name in items}
    model = seminr.estimate_pls(data, measurement, structure)
    whole = seconds(lambda: seminr.bootstrap_model(model, nboot=THEIRS, seed=1)) / THEIRS
    bare = seconds(lambda: [seminr.estimate_pls(data, measurement, structure) for _ in range(THEIRS)]) / THEIRS
    return whole, bare


def main() -> None:
    name, blocks, frame = rows()
    lean, full = ours(blocks, frame)
    print(f"csi, {OURS} refits of ECSI on {name} ({frame.height} rows), one process:")
    print(f"  paths, weights, loadings with intervals   {lean:.3f} s")
    print(f"  and HTMT and total effects with intervals {full:.3f} s (aim: below 1)")
    try:
        each, bare = theirs(blocks, frame)
    except ImportError:
        print("seminr is not installed here: make bench installs it")
        return
    print(f"seminr, all of these per replicate          {1000 * each:.3f} ms a replicate ({THEIRS} replicates)")
    print(f"ratio with the same outputs: {each * OURS / full:.0f} times (aim: 50)")
    print(f"ratio for paths, weights, loadings alone: {each * OURS / lean:.0f} times (aim: 100)")
    print(f"  and to its bare estimate, {1000 * bare:.3f} ms without any bootstrap: {bare * OURS / lean:.0f} times")


if __name__ == "__main__":
    main()
