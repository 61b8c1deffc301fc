"""Covariance models beside R's lavaan (where Rscript and lavaan are installed) and semopy, in one run.

Each side starts from a data frame in memory and the model as text, and ends with estimates, standard errors, the test
of exact fit and the fit measures in hand. Times are medians; starting R or Python, reading files and printing are not
counted. bootstrapLavaan runs fewer draws and its time is stated per draw.

The rows are `mobi` (250 respondents) and `bfi` (2,800) where `CSI_REFERENCE_DIR` names the reference data; else
normal rows from the committed moments of `mobi`, and six-point answers with five factors.
"""

import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

import csi

ROOT = Path(__file__).parents[2]
REFITS, DRAWS = 1000, 50
FULL = {
    "Image": ["IMAG1", "IMAG2", "IMAG3", "IMAG4", "IMAG5"],
    "Expectation": ["CUEX1", "CUEX2", "CUEX3"],
    "Quality": ["PERQ1", "PERQ2", "PERQ3", "PERQ4", "PERQ5", "PERQ6", "PERQ7"],
    "Value": ["PERV1", "PERV2"],
    "Satisfaction": ["CUSA1", "CUSA2", "CUSA3"],
    "Loyalty": ["CUSL1", "CUSL2", "CUSL3"],
}
ARROWS = """Quality ~ Expectation
Value ~ Expectation + Quality
Satisfaction ~ Expectation + Quality + Value
CUSCO ~ Satisfaction
Loyalty ~ Satisfaction + CUSCO
"""
TRAITS = {letter: [f"{letter}{i}" for i in range(1, 6)] for letter in "ACENO"}


def measured(blocks: dict[str, list[str]]) -> str:
    """The measurement model."""
    return "".join(f"{name} =~ {' + '.join(items)}\n" for name, items in blocks.items())


ACSI = measured({name: items for name, items in FULL.items() if name != "Image"}) + ARROWS
CFA = measured({**FULL, "Loyalty": [*FULL["Loyalty"], "CUSCO"]})
BFI = measured(TRAITS)
ORDERED = [item for items in TRAITS.values() for item in items]


# --- rows


def mobi() -> tuple[str, pl.DataFrame]:
    """The 24 items, read or drawn."""
    folder = os.environ.get("CSI_REFERENCE_DIR")
    if folder and (Path(folder) / "data/mobi/mobi.csv").exists():
        return "mobi", pl.read_csv(Path(folder) / "data/mobi/mobi.csv").cast(pl.Float64)
    told = json.loads((ROOT / "tests/reference/mobi/moments.json").read_text(encoding="utf-8"))
    rng = np.random.default_rng(20261121)
    rows = rng.multivariate_normal(told["mean"], told["cov"], size=int(told["n"]))
    return "rows drawn from the moments of mobi", pl.DataFrame(rows, schema=told["names"])


def bfi() -> tuple[str, pl.DataFrame]:
    """The 25 items with their absent answers, read or drawn."""
    folder = os.environ.get("CSI_REFERENCE_DIR")
    if folder and (Path(folder) / "data/bfi/bfi.csv").exists():
        frame = pl.read_csv(Path(folder) / "data/bfi/bfi.csv", null_values=["NA"])
        return "bfi", frame.select(ORDERED)
    rng = np.random.default_rng(20261122)
    traits = rng.multivariate_normal(np.zeros(5), 0.3 + 0.7 * np.eye(5), size=2800)
    latent = 0.65 * np.repeat(traits, 5, axis=1) + 0.76 * rng.normal(size=(2800, 25))
    answers = 1.0 + np.searchsorted([-1.5, -0.8, -0.1, 0.6, 1.3], latent)
    answers[rng.random(answers.shape) < 0.006] = np.nan
    return "drawn six-point answers", pl.DataFrame(answers, schema=ORDERED).fill_nan(None)


def with_holes(frame: pl.DataFrame) -> pl.DataFrame:
    """Ten percent of the answers absent, completely at random."""
    rows = frame.to_numpy().copy()
    rows[np.random.default_rng(1).random(rows.shape) < 0.1] = np.nan
    return pl.DataFrame(rows, schema=frame.columns).fill_nan(None)


# --- the three sides


def ours(text: str, frame: pl.DataFrame, settings: csi.SEM) -> csi.Estimate:
    """Text and frame to estimates with standard errors, and fit measures."""
    est = csi.fit(csi.Model.parse(text), frame, settings)
    csi.fit_measures(est)
    return est


def of_csi(frames: dict[str, pl.DataFrame]) -> dict[str, Callable[[], object]]:
    """The work of each case."""
    est = ours(ACSI, frames["mobi"], csi.SEM())
    ordinal = csi.SEM(estimator="WLSMV", ordered=tuple(ORDERED))
    return {
        "single": lambda: ours(ACSI, frames["mobi"], csi.SEM()),
        "bootstrap": lambda: csi.bootstrap(est, n=REFITS, seed=1),
        "wlsmv": lambda: ours(BFI, frames["bfi"], ordinal),
        "fiml_cfa": lambda: ours(CFA, frames["holes"], csi.SEM(missing="fiml")),
        "fiml_acsi": lambda: ours(ACSI, frames["holes"], csi.SEM(missing="fiml")),
    }


def of_semopy(frames: dict[str, pl.DataFrame]) -> Callable[[], object]:
    """A single fit with standard errors and statistics."""
    import pandas as pd  # noqa: PLC0415 - only this side needs it
    import semopy  # noqa: PLC0415 - as above

    rows = pd.DataFrame(frames["mobi"].to_dict(as_series=False))

    def work() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = semopy.Model(ACSI)
            model.fit(rows)
            model.inspect()
            semopy.calc_stats(model)

    return work


SCRIPT = """
suppressWarnings(suppressMessages(library(lavaan)))
at <- commandArgs(TRUE)[1]
rows <- function(name) read.csv(file.path(at, paste0(name, ".csv")))
text <- function(name) paste(readLines(file.path(at, paste0(name, ".txt"))), collapse = "\\n")
mobi <- rows("mobi"); bfi <- rows("bfi"); holes <- rows("holes")
acsi <- text("acsi"); six <- text("cfa"); traits <- text("bfi")
fit <- suppressWarnings(sem(acsi, mobi))
work <- list(
  single = function() { f <- sem(acsi, mobi); fitMeasures(f) },
  bootstrap = function() bootstrapLavaan(fit, R = %d),
  wlsmv = function() { f <- cfa(traits, bfi, ordered = names(bfi), estimator = "WLSMV"); fitMeasures(f) },
  fiml_cfa = function() { f <- cfa(six, holes, missing = "fiml"); fitMeasures(f) },
  fiml_cfa_bare = function() cfa(six, holes, missing = "fiml"),
  fiml_acsi = function() { f <- sem(acsi, holes, missing = "fiml"); fitMeasures(f) },
  fiml_acsi_bare = function() sem(acsi, holes, missing = "fiml")
)
now <- function() as.numeric(Sys.time())
cat("version", as.character(packageVersion("lavaan")), "\\n"); flush(stdout())
asked <- file("stdin", "r")
while (length(name <- readLines(asked, 1)) == 1) {
  start <- now(); invisible(suppressWarnings(work[[name]]())); cat("took", now() - start, "\\n"); flush(stdout())
}
"""


class Lavaan:
    """R with lavaan, waiting to be asked for one round of a case; `version` is "" where they are not installed."""

    def __init__(self, frames: dict[str, pl.DataFrame], folder: Path) -> None:
        self.version = ""
        if shutil.which("Rscript") is None:
            return
        for name, frame in frames.items():
            frame.write_csv(folder / f"{name}.csv", null_value="NA")
        for name, text in (("acsi", ACSI), ("cfa", CFA), ("bfi", BFI)):
            (folder / f"{name}.txt").write_text(text, encoding="utf-8")
        (folder / "bench.R").write_text(SCRIPT % DRAWS, encoding="utf-8")
        command = ["Rscript", str(folder / "bench.R"), str(folder)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.version = self._answer("version")

    def _answer(self, word: str) -> str:
        """What follows a word that R prints; "" where R has ended."""
        for line in self.process.stdout:
            if line.startswith(word):
                return line.split()[1]
        return ""

    def seconds(self, case: str) -> float:
        """One round."""
        self.process.stdin.write(f"{case}\n")
        self.process.stdin.flush()
        return float(self._answer("took"))

    def end(self) -> None:
        """Let R go."""
        if self.version:
            self.process.stdin.close()
            self.process.wait()


def took(work: Callable[[], object]) -> float:
    """Wall time of one round."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@dataclass(frozen=True, slots=True)
class Case:
    """What is timed: its title, the ratio aimed at, rounds of lavaan, and rounds of ours for each of those."""

    title: str
    aim: int
    rounds: int
    each: int


CASES = {
    "single": Case("single ML fit, ACSI-type", 50, 15, 20),
    "bootstrap": Case(f"{REFITS:,} bootstrap refits of it (lavaan: {DRAWS} draws, scaled)", 100, 3, 2),
    "wlsmv": Case("WLSMV, 25 ordinal items", 10, 3, 3),
    "fiml_cfa": Case("FIML, 24 items, 10 % absent, six factors", 10, 1, 3),
    "fiml_acsi": Case("FIML, ACSI-type, 10 % absent", 10, 2, 3),
}


def compared(name: str, mine: Callable[[], object], lavaan: Lavaan, other: Callable[[], object] | None) -> str:
    """A line about one case; the sides take turns, so that a busy machine slows them alike."""
    case = CASES[name]
    own, theirs, bare, third = [], [], [], []
    for _ in range(case.rounds):
        if lavaan.version:
            theirs.append(lavaan.seconds(name))
        if lavaan.version and name.startswith("fiml"):
            bare.append(lavaan.seconds(f"{name}_bare"))
        own += [took(mine) for _ in range(case.each)]
        if other is not None:
            third.append(took(other))
    middle = statistics.median(own)
    line = f"  {case.title:<60} csi {1000 * middle:8.2f} ms"
    if theirs:
        unit = REFITS / DRAWS if name == "bootstrap" else 1
        value = unit * statistics.median(theirs)
        line += f"   lavaan {1000 * value:8.0f} ms, {value / middle:5.1f} times (aim: {case.aim})"
    if bare:
        line += f"; without its fit measures {statistics.median(bare) / middle:.1f} times"
    if third:
        value = statistics.median(third)
        line += f"   semopy {1000 * value:5.1f} ms, {value / middle:.1f} times (aim: 15)"
    return line


def main() -> None:
    (name, rows), (name_bfi, answers) = mobi(), bfi()
    frames = {"mobi": rows, "bfi": answers, "holes": with_holes(rows)}
    print(f"covariance models on {name} ({rows.height} rows) and {name_bfi} ({answers.height} rows),")
    print("from text and data frame to estimates, standard errors and fit measures; medians of alternating rounds:")
    mine, semopy = of_csi(frames), of_semopy(frames)
    for work in (*mine.values(), semopy):
        work()
    with tempfile.TemporaryDirectory() as folder:
        lavaan = Lavaan(frames, Path(folder))
        for case in CASES:
            print(compared(case, mine[case], lavaan, semopy if case == "single" else None), flush=True)
        lavaan.end()
    known = (
        f"lavaan {lavaan.version}"
        if lavaan.version
        else "no lavaan here (Debian: r-cran-lavaan), so its part is left out"
    )
    print(f"  {known}; a model's text and layout are read once and kept, as they are for every later fit")


if __name__ == "__main__":
    main()
