"""One fit and 5,000 bootstrap refits of the ECSI model by PLS and PLSc, beside seminr and openpls-engine of the index.

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
from dataclasses import dataclass
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


def each(work: Callable[[], object], times: int = 60) -> float:
    """Median wall time of one of many calls."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def model_text(blocks: dict[str, list[str]]) -> str:
    """The model in lavaan's language."""
    measured = [f"{name} =~ {' + '.join(items)}" for name, items in blocks.items()]
    return "\n".join([*measured, *(f"{o} ~ {' + '.join(ps)}" for o, ps in ARROWS.items())])


@dataclass(frozen=True, slots=True)
class Ours:
    """Seconds of one fit to moments, to a frame, to a frame with HTMT and total effects; of 5,000 refits with paths,
    weights, loadings; and of these with HTMT and total effects in addition, each with its interval.
    """

    moments: float
    frame: float
    full: float
    refits: float
    everything: float


def ours(blocks: dict[str, list[str]], frame: pl.DataFrame, settings: csi.PLS) -> Ours:
    """All times of this side."""
    model = csi.Model.parse(model_text(blocks))
    est = csi.fit(model, frame, settings, scale=(1, 10))

    def full() -> None:
        one = csi.fit(model, frame, settings, scale=(1, 10))
        assert csi.validity(one).htmt.size == csi.effects(one).total.size

    def everything() -> None:
        boot = csi.bootstrap(est, n=OURS, seed=1)
        frames = csi.validity(boot).table, csi.effects(boot).table
        assert all(f.height for f in frames)

    return Ours(
        each(lambda: csi.fit(model, est.moments, settings)),
        each(lambda: csi.fit(model, frame, settings, scale=(1, 10))),
        each(full),
        seconds(lambda: csi.bootstrap(est, n=OURS, seed=1)),
        seconds(everything),
    )


def seminr(blocks: dict[str, list[str]], frame: pl.DataFrame, kind: str) -> tuple[float, float, float]:
    """Seconds of one bare estimate, of one with HTMT and total effects, and of one replicate of its bootstrap.

    Parameters:
        kind: "composite", or "reflective" for consistent PLS.
    """
    theirs = importlib.import_module("seminr")
    measurement = theirs.constructs(*(getattr(theirs, kind)(name, items) for name, items in blocks.items()))
    structure = theirs.relationships(*(theirs.paths(from_=p, to=o) for o, ps in ARROWS.items() for p in ps))
    data = {name: [float(v) for v in frame[name]] for items in blocks.values() for name in items}

    def full() -> None:
        one = theirs.estimate_pls(data, measurement, structure)
        theirs.htmt(one)
        theirs.total_effects(one.path_coef)

    fitted = theirs.estimate_pls(data, measurement, structure)
    whole = seconds(lambda: theirs.bootstrap_model(fitted, nboot=THEIRS, seed=1)) / THEIRS
    return each(lambda: theirs.estimate_pls(data, measurement, structure)), each(full), whole


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
    print(f"  PLS: paths, weights, loadings with intervals    {plain.refits:.3f} s")
    print(f"  PLS, and HTMT and total effects with intervals  {plain.everything:.3f} s (aim: below 1)")
    print(f"  PLSc, HTMT and total effects with intervals     {consistent.everything:.3f} s (aim: below 1.5)")
    for what, mine in (("PLS", plain), ("PLSc", consistent)):
        spent = f"{1e3 * mine.moments:.2f} ms to moments, {1e3 * mine.frame:.2f} ms to a frame"
        print(f"  one fit, {what}: {spent}, {1e3 * mine.full:.2f} ms with HTMT and total effects")
    try:
        bare, full, one = seminr(blocks, frame, "composite")
        bare_c, full_c, one_c = seminr(blocks, frame, "reflective")
        print(f"seminr: {1000 * one:.2f} ms a replicate, {1000 * one_c:.2f} ms with PLSc; all outputs in both")
        ratio("bootstrap, PLSc with HTMT and total effects", one_c * OURS / consistent.everything, 20)
        ratio("bootstrap, PLS with HTMT and total effects", one * OURS / plain.everything, 20)
        ratio("bootstrap, PLS: paths, weights, loadings of ours alone", one * OURS / plain.refits, 50)
        ratio("and to its bare estimates, which bootstrap nothing", bare * OURS / plain.refits, 50)
        ratio("one fit, PLS, ours to moments", bare / plain.moments, 50)
        ratio("one fit, PLS, to a frame", bare / plain.frame, 50)
        ratio("one fit, PLSc, ours to moments", bare_c / consistent.moments, 20)
        ratio("one fit, PLS, to a frame, with HTMT and total effects", full / plain.full, 20)
        ratio("one fit, PLSc, to a frame, with HTMT and total effects", full_c / consistent.full, 20)
    except ImportError:
        print("seminr is not installed here: make bench installs it")
    try:
        point, one = openpls(blocks, frame)
        print(f"openpls-engine: {1000 * one:.1f} ms a replicate; paths, weights, loadings, r2, total effects")
        ratio("bootstrap, PLS with HTMT and total effects of ours", one * OURS / plain.everything, 100)
        ratio("one fit, PLS, to a frame, with HTMT and total effects", point / plain.full, 100)
    except ImportError:
        print("openpls-engine is not installed here: make bench installs it")


if __name__ == "__main__":
    main()
