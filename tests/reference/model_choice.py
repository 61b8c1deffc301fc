"""Regenerate selection criteria, VIF and redundancy analyses, from the folder named by `CSI_REFERENCE_DIR`.

    CSI_REFERENCE_DIR=../shared python tests/reference/model_choice.py

Writes `mobi/model_choice.json`, `satisfaction/redundancy.json` and `influencer/model_choice.json`.
"""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
COMMON = runpy.run_path(str(HERE / "extract.py"))
COMMAND = "CSI_REFERENCE_DIR=../shared python tests/reference/model_choice.py"
NAMES = {
    "AIC": "aic", "AICc": "aicc", "AICu": "aicu", "BIC": "bic", "HQ": "hq", "HQc": "hqc", "FPE": "fpe", "GM": "gm",
    "Mallows_Cp": "cp",
}  # fmt: skip
CASES = {"A": "composite_modeA_path", "B": "composite_modeB_centroid", "PLSc": "factor_PLSc_path"}
CSEM = "cSEM 0.6.1.9000 (R 4.2.2); printed with 15 digits, tolerance 1e-6"


def inflation(table: dict[str, Any]) -> dict[str, dict[str, float]]:
    """outcome -> predictor -> VIF, of outcomes with several predictors."""
    return {
        outcome: {p: v for p, v in zip(table["cols"], row, strict=True) if v}
        for outcome, row in zip(table["rows"], table["values"], strict=True)
    }


def main() -> None:
    """Write the files."""
    read, write = COMMON["read"], COMMON["write"]
    mobi = read("pls_csem_mobi.json")
    found: dict[str, Any] = {"provenance": {"command": COMMAND, "cSEM": CSEM}}
    for kind, name in CASES.items():
        part = mobi[name]["assess"]
        found[kind] = {
            "criteria": {ours: part[theirs] for theirs, ours in NAMES.items()},
            "vif": inflation(part["VIF"]),
        }
    write(HERE / "mobi" / "model_choice.json", found)
    redundancy = read("pls_csem_other.json")["redundancy_analysis"]
    why = "cSEM 0.6.1.9000, all constructs in mode B, path weighting, its default tolerance 1e-5; tolerance 1e-6"
    write(
        HERE / "satisfaction" / "redundancy.json", {"provenance": {"command": COMMAND, "cSEM": why}, "path": redundancy}
    )
    part = read("pls_seminr_influencer.json")
    rows = dict(zip(part["path"]["it_criteria"]["rows"], part["path"]["it_criteria"]["values"], strict=True))
    names = part["path"]["it_criteria"]["cols"]
    saved = {
        "provenance": {"command": COMMAND, "seminr": "seminr 2.3.4 (R 4.2.2); 15 digits, tolerance 1e-6"},
        "n": 222,
        "r2": part["path"]["rSquared"]["values"][0],
        "constructs": names,
        "aic": rows["AIC"],
        "bic": rows["BIC"],
        "bic_weights": [part["bic_weights_of_columns"][c] for c in names],
    }
    write(HERE / "influencer" / "model_choice.json", saved)


if __name__ == "__main__":
    main()
