"""5,000 bootstrap refits of the ECSI model by PLS and by PLSc, beside seminr and openpls-engine of the package index.

All refit the same model on resamples of the same rows. seminr gives, per replicate, the same outputs: paths, weights,
loadings, HTMT and total effects; openpls-engine all but HTMT. They are called as programs, with their defaults, run
fewer replicates, and their time is stated per replicate. The rows are `mobi` (250 respondents) where
`CSI_REFERENCE_DIR` names the reference data, else one cell of the demonstration study.
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


def model_text(blocks: dict[str, list[str]]) -> str:
    """The model in lavaan's language."""
    measured = [f"{name} =~ {' + '.join(items)}" for name, items in blocks.items()]
    return "\n".join([*measured, *(f"{o} ~ {' + '.join(ps)}" for o, ps in ARROWS.items())])


def ours(blocks: dict[str, list[str]], frame: pl.DataFrame, settings: csi.PLS) -> tuple[float, float, float]:
    """Seconds of one fit; of 5,000 refits with paths, weights, loadings; and with HTMT and total effects in addition,
    each with its interval.
    """
    model = csi.Model.parse(model_text(blocks))
    est = csi.fit(model, frame, settings, scale=(1, 10))

    def everything() -> None:
        boot = csi.bootstrap(est, n=OURS, seed=1)
        frames = csi.validity(boot).table, csi.effects(boot).table
        assert all(f.height for f in frames)

    point = seconds(lambda: csi.fit(model, est.moments, settings))
    return point, seconds(lambda: csi.bootstrap(est, n=OURS, seed=1)), seconds(everything)


def seminr(blocks: dict[str, list[str]], frame: pl.DataFrame, kind: str) -> tuple[float, float]:
    """Seconds of one bare estimate and of one replicate of `seminr.bootstrap_model`, in one process.

    Parameters:
        kind: "composite", or "reflective" for consistent PLS.
    """
    theirs = importlib.import_module("seminr")
    measurement = theirs.constructs(*(getattr(theirs, kind)(name, items) for name, items in blocks.items()))
    structure = theirs.relationships(*(theirs.paths(from_=p, to=o) for o, ps in ARROWS.items() for p in ps))
    data = {name: [float(v) for v in frame[name]] for items in blocks.values() for name in items}
    fitted = theirs.estimate_pls(data, measurement, structure)
    whole = seconds(lambda: theirs.bootstrap_model(fitted, nboot=THEIRS, seed=1)) / THEIRS
    bare = seconds(lambda: [theirs.estimate_pls(data, measurement, structure) for _ in range(THEIRS)]) / THEIRS
    return bare, whole


def openpls(blocks: dict[str, list[str]], frame: pl.DataFrame) -> tuple[float, float]:
    """Seconds of one fit and of one replicate (paths, weights, loadings, r2, total effects) of `openpls.Plspm`."""
    theirs, config = importlib.import_module("openpls"), importlib.import_module("openpls.config")
    scheme = importlib.import_module("openpls.scheme").Scheme.PATH
    mode = importlib.import_module("openpls.mode").Mode.A
    structure = config.Structure()
    for outcome, predictors in ARROWS.items():
        structure.add_path(predictors, [outcome])
    setup = config.Config(structure.path(), default_scale=importlib.import_module("openpls.scale").Scale.NUM)
    for name, block in blocks.items():
        setup.add_lv(name, mode, *(config.MV(item) for item in block))
    items = [i for block in blocks.values() for i in block]
    data = importlib.import_module("pandas").DataFrame({i: [float(v) for v in frame[i]] for i in items})
    point = seconds(lambda: theirs.Plspm(data, setup, scheme))
    draws = {"bootstrap": True, "bootstrap_iterations": THEIRS, "processes": 1}
    return point, (seconds(lambda: theirs.Plspm(data, setup, scheme, **draws)) - point) / THEIRS


def ratio(what: str, times: float, aim: int) -> None:
    """A line of the comparison."""
    print(f"  {what:58s} {times:8.0f} times (aim: {aim})")


def main() -> None:
    name, blocks, frame = rows()
    plain, consistent = ours(blocks, frame, csi.PLS()), ours(blocks, frame, csi.PLS(consistent=True))
    print(f"csi, {OURS} refits of ECSI on {name} ({frame.height} rows), one process:")
    print(f"  PLS: paths, weights, loadings with intervals    {plain[1]:.3f} s")
    print(f"  PLS, and HTMT and total effects with intervals  {plain[2]:.3f} s (aim: below 1)")
    print(f"  PLSc, HTMT and total effects with intervals     {consistent[2]:.3f} s (aim: below 1.5)")
    try:
        bare, each = seminr(blocks, frame, "composite")
        bare_c, each_c = seminr(blocks, frame, "reflective")
        print(f"seminr: {1000 * each:.2f} ms a replicate, {1000 * each_c:.2f} ms with PLSc; all outputs in both")
        ratio("bootstrap, PLSc with HTMT and total effects", each_c * OURS / consistent[2], 20)
        ratio("bootstrap, PLS with HTMT and total effects", each * OURS / plain[2], 20)
        ratio("bootstrap, PLS: paths, weights, loadings of ours alone", each * OURS / plain[1], 50)
        ratio("and to its bare estimates, which bootstrap nothing", bare * OURS / plain[1], 50)
        ratio("one fit, PLS", bare / plain[0], 20)
        ratio("one fit, PLSc", bare_c / consistent[0], 20)
    except ImportError:
        print("seminr is not installed here: make bench installs it")
    try:
        point, each = openpls(blocks, frame)
        print(f"openpls-engine: {1000 * each:.1f} ms a replicate; paths, weights, loadings, r2, total effects")
        ratio("bootstrap, PLS with HTMT and total effects of ours", each * OURS / plain[2], 100)
        ratio("one fit, PLS", point / plain[0], 100)
    except ImportError:
        print("openpls-engine is not installed here: make bench installs it")


if __name__ == "__main__":
    main()
