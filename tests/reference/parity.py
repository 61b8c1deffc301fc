"""The parity sheet: numbers of other programs, ours beside them, the difference and what it was held to.

    CSI_REFERENCE_DIR=../shared python -m tests.reference.parity

writes `parity.csv`, from which the documentation makes its page. A line is a kind of number of one case: how many were
compared, and the one that differs most by the standard of its tolerance. Lines that need rows outside the repository
are kept as they are where `CSI_REFERENCE_DIR` is not set.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

import csi
from csi.measures.blocks import correlations
from csi.measures.consistency.classical import alpha_error, lambdas
from csi.measures.consistency.one_factor import minres, omega_observed
from csi.measures.reliability import alpha

REFERENCE = Path(__file__).parent
SHEET = REFERENCE / "parity.csv"
SHARED = os.environ.get("CSI_REFERENCE_DIR")
FACTORS = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
SOLVED = ("weights", "loadings", "cross_loadings", "paths", "construct_cor", "score_cor")
SECOND = "lavaan 0.6.14 (R 4.2.2)"
EXACT = {"tolerance": 1e-12, "max_iterations": 3000}


@dataclass(frozen=True)
class Line:
    """One kind of number of one case: how many, and the one that is worst against its tolerance."""

    program: str
    data: str
    case: str
    quantity: str
    compared: int
    worst: str
    reference: float
    ours: float
    difference: float
    tolerance: float
    file: str

    @property
    def key(self) -> tuple[str, ...]:
        """What the line is about."""
        return (self.program, self.data, self.case, self.quantity)


def line(
    program: str,
    data: str,
    case: str,
    quantity: str,
    file: str,
    names: Sequence[str],
    ours: Any,
    theirs: Any,
    held: Any,
) -> Line | None:
    """The line of numbers that both have; None where there are none.

    Parameters:
        names, ours, theirs: alike in length; absent numbers are NaN. held: the tolerance, one or each.
    """
    a, b = (np.asarray(v, dtype=float).reshape(-1) for v in (ours, theirs))
    limit = np.broadcast_to(np.asarray(held, dtype=float), a.shape)
    both = np.flatnonzero(np.isfinite(a) & np.isfinite(b))
    if not both.size:
        return None
    apart = np.abs(a - b)
    at = both[np.argmax(apart[both] / limit[both])]
    numbers = (float(v) for v in (b[at], a[at], apart[at], limit[at]))
    return Line(program, data, case, quantity, int(both.size), names[at], *numbers, file)


def read(path: str) -> Any:
    """A committed file."""
    return json.loads((REFERENCE / path).read_text(encoding="utf-8"))


def moments(folder: str) -> csi.Moments:
    """Committed moments."""
    m = read(f"{folder}/moments.json")
    return csi.Moments.of(m["names"], m["cov"], m["n"], m["mean"])


def lavaan() -> Iterator[Line | None]:
    """Covariance models: estimates, standard errors, standardised estimates, fit measures."""
    from tests.sem.lavaan_cases import CASES, aligned, fitted, numbers, saved_of  # noqa: PLC0415 - needs the root
    from tests.sem.test_lavaan_fit import CONSTANT, is_open  # noqa: PLC0415 - same

    for case in (c for c in CASES if c.moments or SHARED):
        saved, est = saved_of(case.folder, case.record), fitted(case)
        about = (SECOND, case.folder, case.record)
        file, table = f"{case.folder}/lavaan/{case.record}.json", saved["parameters"]
        if not case.ridge:
            se = numbers(table["se"])
            slack = np.maximum(1e-5 * np.abs(numbers(table["est"])), 1e-4 * se) + (1e-8 if saved["polished"] else 1e-5)
            yield line(*about, "estimates", file, table["name"], aligned(est, saved), numbers(table["est"]), slack)
            ours = np.nan_to_num(aligned(est, saved, est.std_error[0]))
            yield line(*about, "standard errors", file, table["name"], ours, se, 1e-4 * se + 1e-10)
        kept = {n: v for n, v in saved["fit"].items() if v is not None and n not in CONSTANT and not is_open(case, n)}
        found = csi.fit_measures(est)
        limit = [max(1e-3 if case.polychoric else 1e-4, case.loose * abs(v)) for v in kept.values()]
        ours = [np.nan if found[n] is None else found[n] for n in kept]
        yield line(*about, "fit measures", file, list(kept), ours, list(kept.values()), limit)


def composites() -> Iterator[Line | None]:
    """PLS, consistent PLS, sums and components: solutions, and measures where a program prints them."""
    for data, scheme, mode in product(("mobi", "satisfaction"), ("path", "factorial", "centroid"), "AB"):
        file = f"{data}/pls_{scheme}_{mode}.json"
        saved, known = read(file), read(f"{data}/provenance.json")["sources"]
        text = (REFERENCE / data / "model.txt").read_text("utf-8")
        est = csi.fit(text.replace("=~", "<~") if mode == "B" else text, moments(data), csi.PLS(weighting=scheme))
        for program, expected in saved["programs"].items():
            about = (known[program]["software"], data, f"PLS {scheme}, mode {mode}")
            yield from _solved(about, file, est, saved, expected)
            if program == "seminr" and mode == "A":
                yield from _judged(about, file, est, saved["constructs"], expected)
    yield from _cases()


def _cases() -> Iterator[Line | None]:
    """The cases below `composites/`."""
    from tests.pls.test_composites_parity import FILES, case_of  # noqa: PLC0415 - needs the root

    for path in FILES:
        file = str(path.relative_to(REFERENCE))
        if "rows" in read(file) and not SHARED:
            continue
        saved, est = case_of(path)
        source = read(f"{path.parent.parent.name}/composites/provenance.json")["sources"][path.stem]["software"]
        for program, expected in saved["programs"].items():
            named = [s for s in source.split("; ") if s.split()[0].lower() == program.split()[0].lower()]
            about = (
                named[0] if named else f"{program} ({source})",
                path.parent.parent.name,
                path.stem.replace("_", " "),
            )
            yield from _solved(about, file, est, saved, expected)


def _solved(about: tuple[str, str, str], file: str, est: Any, saved: Any, expected: Any) -> Iterator[Line | None]:
    """Matrices of a solution and R2."""
    for name in (n for n in SOLVED if n in expected):
        value = getattr(est.solution, name)[0]
        heads = saved["constructs"]
        rows = saved["items"] if len(value) == len(saved["items"]) else heads
        columns = heads if value.ndim > 1 and value.shape[1] == len(heads) else saved["items"]
        names = [f"{r}, {c}" for r in rows for c in columns] if value.ndim > 1 else list(rows)
        yield line(*about, name.replace("_", " "), file, names, value, expected[name], 1e-6)
    if "r2" in expected:
        theirs = np.array(expected["r2"], dtype=float)
        yield line(*about, "r2", file, saved["constructs"], est.solution.r2[0], theirs, 1e-6)


def _judged(about: tuple[str, str, str], file: str, est: Any, names: list[str], expected: Any) -> Iterator[Line | None]:
    """Reliability, HTMT and total effects as seminr prints them."""
    found, judged = csi.reliability(est).values, csi.validity(est)
    lower = np.tril_indices(len(names), -1)
    pairs = [f"{names[i]}, {names[j]}" for i, j in zip(*lower, strict=True)]
    if "htmt" in expected:
        theirs = np.array(expected["htmt"], dtype=float)[lower]
        yield line(*about, "htmt", file, pairs, judged.htmt[0][lower], theirs, 1e-8)
    for name in (n for n in ("alpha", "rho_c", "ave", "rho_a") if n in expected.get("reliability", {})):
        yield line(*about, name, file, names, found[name][0], expected["reliability"][name], 1e-8)
    if "total_effects" in expected:
        both = [f"{y}, {x}" for y in names for x in names]
        yield line(*about, "total effects", file, both, csi.effects(est).total[0], expected["total_effects"], 1e-6)


def composite_fit() -> Iterator[Line | None]:
    """Fit of composite models by cSEM."""
    for data, scheme, kind in product(("mobi", "satisfaction"), ("path", "factorial", "centroid"), ("A", "B", "PLSc")):
        file = f"{data}/composite_fit.json"
        expected = {n: v for n, v in read(file)["csem"][scheme][kind].items() if n != "gfi_elementwise"}
        text = (REFERENCE / data / "model.txt").read_text("utf-8")
        settings = csi.PLS(weighting=scheme, consistent=kind == "PLSc", **EXACT)
        est = csi.fit(text.replace("=~", "<~") if kind == "B" else text, moments(data), settings)
        found = csi.fit_measures(est)
        about = ("cSEM 0.6.1.9000 (R 4.2.2), tolerance 1e-12", data, f"PLS {scheme}, {kind}")
        ours = [found[n] for n in expected]
        yield line(*about, "composite fit", file, list(expected), ours, list(expected.values()), 1e-6)


def reliabilities() -> Iterator[Line | None]:
    """psych's coefficients of scales and semTools' of models."""
    theirs, file = read("reliability/numbers.json"), "reliability/numbers.json"
    blocks = {("mobi", s): theirs["alpha_mobi"][s] for s in theirs["alpha_mobi"]}
    blocks |= {("satisfaction", "qual"): theirs["alpha_satisfaction_QUAL"], ("holzinger", "x"): theirs["alpha_hs9"]}
    for (data, start), numbers in blocks.items():
        cov, n = _block(data, start)
        cor = correlations(cov)
        ours = {"alpha": alpha(cov, np.ones((len(cov), 1)))[0], "alpha_std": alpha(cor, np.ones((len(cov), 1)))[0]}
        ours |= {"lambda6": lambdas(cor)["lambda6"], "ase": alpha_error(cov, n)}
        said = [float(np.asarray(v)) for v in ours.values()]
        named = [numbers[k] for k in ours]
        about = ("psych 2.2.9 (R 4.2.2)", data, f"scale {start}")
        yield line(*about, "alpha, its error, lambda 6", file, list(ours), said, named, 1e-10)
    cor = correlations(_block("mobi", "PERQ")[0])
    ours = [omega_observed(minres(cor[None])[0], cor)]
    expected = [theirs["omega_perq_1f"]["omega_h"]]
    yield line(
        "psych 2.2.9 (R 4.2.2)", "mobi", "scale PERQ", "omega", file, ["omega, one factor"], ours, expected, 1e-6
    )
    yield from _omegas(theirs, file)


def _omegas(theirs: Any, file: str) -> Iterator[Line | None]:
    """semTools' omega of fitted models."""
    program = "semTools 0.5-6, lavaan 0.6-14 (R 4.2.2)"
    models = {
        ("holzinger", "three factors"): (FACTORS, theirs["semtools_hs"]["compRelSEM"], "omega_total"),
        ("mobi", "ECSI"): (read("mobi/lavaan/CFA_ML.json")["syntax"], theirs["ecsi"]["compRelSEM"], "omega_total"),
        ("democracy", "three factors"): (
            read("democracy/lavaan/ML.json")["syntax"],
            theirs["democracy"],
            "omega_total",
        ),
    }
    for (data, case), (text, expected, coefficient) in models.items():
        table = csi.omega(csi.fit(text, moments(data), csi.SEM())).table
        rows = table.filter(coefficient=coefficient, denominator="observed")
        found = dict(rows.select("construct", "estimate").iter_rows())
        ours = [found[name] for name in expected]
        yield line(program, data, case, "omega", file, list(expected), ours, list(expected.values()), 1e-6)


def _block(folder: str, start: str) -> tuple[np.ndarray, int]:
    """The covariances of items whose names begin alike, and n."""
    m = read(f"{folder}/moments.json")
    at = [i for i, name in enumerate(m["names"]) if name.startswith(start)]
    return np.array(m["cov"])[np.ix_(at, at)], m["n"]


PARTS: tuple[Callable[[], Iterator[Line | None]], ...] = (lavaan, composites, composite_fit, reliabilities)


def lines() -> list[Line]:
    """Every line that can be made here."""
    return [found for part in PARTS for found in part() if found is not None]


def committed() -> list[Line]:
    """The lines of the sheet."""
    if not SHEET.exists():
        return []
    with SHEET.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [Line(**{f.name: _typed(f.type, row[f.name]) for f in fields(Line)}) for row in rows]


def _typed(kind: Any, text: str) -> Any:
    """A cell as the field's type."""
    return {"int": int, "float": float}.get(str(kind), str)(text)


def main() -> None:
    """Write the sheet."""
    made = {found.key: found for found in lines()}
    kept = {old.key: old for old in committed()} if not SHARED else {}
    every = {**kept, **made}
    with SHEET.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([f.name for f in fields(Line)])
        writer.writerows([f"{v:.12g}" if isinstance(v, float) else v for v in astuple(row)] for row in every.values())


if __name__ == "__main__":
    main()
