"""Regenerate what cSEM and ADANCO say of the fit of composite models, from the folder named by `CSI_REFERENCE_DIR`.

    CSI_REFERENCE_DIR=../shared python tests/reference/composite_fit.py

Writes `<data set>/composite_fit.json`: one entry per weighting scheme and kind of construct ("A", "B", "PLSc").
"""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
COMMON = runpy.run_path(str(HERE / "extract.py"))
COMMAND = "CSI_REFERENCE_DIR=../shared python tests/reference/composite_fit.py"
KINDS = {"A": "composite_modeA", "B": "composite_modeB", "PLSc": "factor_PLSc"}
NAMES = {
    "SRMR": "srmr", "DG": "d_g", "DL": "d_uls", "DML": "d_ml", "Df": "df", "Chi_square": "chi2", "NFI": "nfi",
    "CFI": "cfi", "NNFI": "tli", "IFI": "ifi", "RMSEA": "rmsea", "CN": "cn_05", "RMS_theta": "rms_theta",
    "GFI": "gfi_elementwise",
}  # fmt: skip
OF_ADANCO = {"SRMR": "srmr", "dULS": "d_uls", "dG": "d_g"}
SHEETS = {"saturated": "Goodness of model fit (saturate", "estimated": "Goodness of model fit (estimate"}


def csem(part: dict[str, Any]) -> dict[str, float]:
    """Fit of the estimated model, under our names."""
    return {ours: part["assess"][theirs] for theirs, ours in NAMES.items()}


def adanco(part: dict[str, Any]) -> dict[str, Any]:
    """Value and the 95 % and 99 % quantiles of the bootstrap, of both models."""
    rows = {model: {r[1]: r[2:] for r in part[sheet][1:]} for model, sheet in SHEETS.items()}
    return {model: {ours: found[theirs] for theirs, ours in OF_ADANCO.items()} for model, found in rows.items()}


def main() -> None:
    """Write the files."""
    read, write = COMMON["read"], COMMON["write"]
    printed = read("published_adanco_satisfaction.json")
    provenance = {
        "command": COMMAND,
        "cSEM": "cSEM 0.6.1.9000 (R 4.2.2), tolerance 1e-12; printed with 15 digits, tolerance 1e-6",
        "ADANCO": "ADANCO 2.2.1, centroid weighting, sheets shipped with cSEM's tests; converged to about 1e-6",
        "quantiles": "bootstrap; compared within Monte Carlo error",
    }
    for data, folder in (("mobi", "mobi"), ("satisfaction", "satisfaction")):
        source = read(f"pls_csem_{data}.json")
        found: dict[str, Any] = {"provenance": provenance, "csem": {}}
        for scheme in COMMON["SCHEMES"]:
            found["csem"][scheme] = {kind: csem(source[f"{name}_{scheme}"]) for kind, name in KINDS.items()}
        if data == "satisfaction":
            found["adanco"] = {"B": adanco(printed["composite"]), "PLSc": adanco(printed["common_factor"])}
            critical = source["testOMF_499_seed1"]
            found["test_omf"] = {
                "statistic": critical["Test_statistic"],
                "q95": dict(
                    zip(
                        critical["Critical_value"]["rows"],
                        [r[0] for r in critical["Critical_value"]["values"]],
                        strict=True,
                    )
                ),
            }
        write(HERE / folder / "composite_fit.json", found)


if __name__ == "__main__":
    main()
