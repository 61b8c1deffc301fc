"""Reference numbers of comparisons between groups: cSEM's MICOM on the bank data, seminr's MGA on the mobile data.

    CSI_REFERENCE_DIR=../shared python tests/reference/extract.py

Writes `groups/`: the programs' numbers with the moments of the groups they were computed from.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
CONSTRUCTS = ("IMAG", "EXPE", "QUAL", "VAL", "SAT", "LOY")
WHY_STEP_3 = (
    "cSEM 0.6.1.9000 joins the labels of its stacked groups to the rows in their file order (its issue 632, mended in "
    "its pull request 633): its step 3 compares the first 148 rows with the last 102. The moments of those are given "
    "as csem_rows; step 2 uses the true groups."
)


def rows_of(path: Path, items: Sequence[str], key: str) -> tuple[np.ndarray, np.ndarray]:
    """Answers (n, p) and one more column (n,)."""
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    return np.array([[float(r[i]) for i in items] for r in rows]), np.array([r[key] for r in rows])


def summary(x: np.ndarray) -> dict[str, Any]:
    """n, means and covariances (divisor n - 1)."""
    return {"n": len(x), "mean": x.mean(axis=0).tolist(), "cov": np.cov(x, rowvar=False).tolist()}


def micom(shared: Path) -> dict[str, Any]:
    """MICOM on the bank data by gender."""
    part = json.loads((shared / "reference/pls_csem_satisfaction.json").read_text("utf-8"))[
        "testMICOM_gender_499_seed1"
    ]
    names = json.loads((HERE / "satisfaction/moments.json").read_text("utf-8"))["names"]
    x, gender = rows_of(shared / "data/satisfaction/satisfaction.csv", names, "gender")
    women = int((gender == "female").sum())
    second, third = part["Step2"], part["Step3"]

    def listed(table: Mapping[str, float]) -> list[float]:
        return [table[c] for c in CONSTRUCTS]

    return {
        "constructs": list(CONSTRUCTS),
        "names": names,
        "permutations": 499,
        "c": listed(second["Test_statistic"]["female_male"]),
        "p_c": listed(second["P_value"]["none"]["1_2"]),
        "mean_difference": listed(third["Mean"]["Test_statistic"]["female_male"]),
        "p_mean": listed(third["Mean"]["P_value"]["none"]["female_male"]),
        "log_variance_ratio": listed(third["Var"]["Test_statistic"]["female_male"]),
        "p_variance": listed(third["Var"]["P_value"]["none"]["female_male"]),
        "groups": {"female": summary(x[gender == "female"]), "male": summary(x[gender == "male"])},
        "csem_rows": {"female": summary(x[:women]), "male": summary(x[women:])},
    }


def mga(shared: Path) -> dict[str, Any]:
    """Henseler's MGA on the mobile data, CUEX1 below 8 against the others."""
    part = json.loads((shared / "reference/pls_seminr_bootstrap.json").read_text("utf-8"))["mga_CUEX1_lt_8"]
    names = json.loads((HERE / "mobi/moments.json").read_text("utf-8"))["names"]
    x, first = rows_of(shared / "data/mobi/mobi.csv", names, "CUEX1")
    low = first.astype(float) < 8
    kept = {k: part[k] for k in ("source", "target", "group1_beta", "group2_beta", "diff", "pls_mga_p")}
    return {"names": names, **kept, "groups": {"low": summary(x[low]), "high": summary(x[~low])}}


def extract(shared: Path, write: Callable[[Path, object], None], command: str) -> None:
    """Write the folder."""
    folder = HERE / "groups"
    write(folder / "micom.json", micom(shared))
    write(folder / "mga.json", mga(shared))
    files = {"satisfaction.csv": "data/satisfaction/satisfaction.csv", "mobi.csv": "data/mobi/mobi.csv"}
    sources = {
        "micom.json": {
            "software": "cSEM 0.6.1.9000 (R 4.2.2), testMICOM, 499 permutations, seed 1, mode A, path weighting",
            "tolerance": 1e-6,
            "why": f"c and differences: fixed points of 1e-8; p: Monte Carlo. {WHY_STEP_3}",
        },
        "mga.json": {
            "software": "seminr 2.3.4 (R 4.2.2), estimate_pls_mga, seed 123, mode A, path weighting",
            "tolerance": 1e-6,
            "why": "estimates: fixed points (stop criterion 1e-7); p: Monte Carlo of its bootstrap",
        },
    }
    hashes = {name: hashlib.sha256((shared / path).read_bytes()).hexdigest() for name, path in files.items()}
    write(folder / "provenance.json", {"data_sha256": hashes, "command": command, "sources": sources})
