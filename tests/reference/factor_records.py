"""Reference numbers of exploratory factor analysis: R's psych, stats and GPArotation on three data sets.

`extract.py` calls `extract` with the folder of the reference results.
Writes `factors/<data>.json` (correlations, adequacy, numbers of factors, solutions) and `factors/polychoric.json`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
Write = Callable[[Path, object], None]
DATA = {"bfi": "bfi/bfi.csv", "hs": "holzinger_swineford/holzinger_swineford.csv", "mobi": "mobi/mobi.csv"}
NUMBERS = ("chi", "STATISTIC", "dof", "PVAL", "objective", "RMSEA", "TLI", "BIC", "rms", "crms")


def extract(shared: Path, write: Write, command: str) -> None:
    """Write every case and where it comes from."""
    for data in DATA:
        write(HERE / "factors" / f"{data}.json", recorded(data, shared, command))
    write(HERE / "factors" / "polychoric.json", polychoric(shared, command))


def read(shared: Path, name: str) -> Any:
    """A reference file as parsed JSON."""
    return json.loads((shared / "reference" / name).read_text(encoding="utf-8"))


def provenance(shared: Path, command: str, file: str, data: str, versions: dict[str, str]) -> dict[str, Any]:
    """Software, data and command behind numbers."""
    content = (shared / "data" / data).read_bytes()
    return {
        "software": versions,
        "of": file,
        "data": Path(data).name,
        "data_sha256": hashlib.sha256(content).hexdigest(),
        "command": command,
        "tolerance": 1e-4,
        "why": "psych stops its rotations at a slope of 1e-5 and its extraction by L-BFGS-B",
    }


def solution(found: dict[str, Any]) -> dict[str, Any]:
    """Loadings, correlations of the factors, uniquenesses and fit of one analysis."""
    return {
        "loadings": found["loadings"]["values"],
        "phi": None if found["phi"] is None else found["phi"]["values"],
        "uniqueness": list(found["uniqueness"].values()),
        "complexity": list(found["complexity"].values()),
        "accounted": found["vaccounted"]["values"][0],
        **{name: found[name] for name in NUMBERS},
    }


def recorded(name: str, shared: Path, command: str) -> dict[str, Any]:
    """Everything of one data set."""
    part = read(shared, f"efa_{name}.json")
    facts = part["diagnostics"]
    (key,) = (k for k in part if k.startswith("fa") and k[2:].isdigit())
    record = {
        "provenance": provenance(shared, command, f"efa_{name}.json", DATA[name], part["versions"]),
        "names": facts["cor"]["rows"],
        "n": facts["n"],
        "cor": facts["cor"]["values"],
        "smc": list(facts["smc"].values()),
        "kmo": facts["kmo_overall"],
        "kmo_item": list(facts["kmo_item"].values()),
        "bartlett": facts["bartlett"],
        "determinant": facts["determinant"],
        "eigenvalues": facts["eigenvalues"],
        "parallel": part["parallel"],
        "map": part["map_vss"]["map"],
        "factors": int(key[2:]),
        "solutions": {k: solution(v) for k, v in part[key].items() if not k.startswith(("wls", "uls"))},
    }
    for other in ("factanal3_varimax", "pca3_varimax"):
        if other in part:
            record[other] = part[other]["loadings"]["values"]
    return record


def polychoric(shared: Path, command: str) -> dict[str, Any]:
    """Polychoric correlations of bfi by three programs, and five factors of them."""
    part = read(shared, "polychoric_bfi.json")
    five = part["fa5_minres_oblimin_on_complete_polychoric"]
    kinds = (
        "psych_pairwise_correct0",
        "psych_pairwise_correct05",
        "psych_complete_correct0",
        "lavaan_two_step_complete",
    )
    return {
        "provenance": provenance(shared, command, "polychoric_bfi.json", DATA["bfi"], part["versions"]),
        "names": part["lavaan_two_step_complete"]["rho"]["rows"],
        **{kind: part[kind]["rho"]["values"] for kind in kinds},
        "five": {"loadings": five["loadings"]["values"], "phi": five["phi"]["values"], "TLI": five["TLI"]},
        "five_rmsea": five["RMSEA"],
        "full": part["polycor_ML_A1_A2"],
    }
