"""Regenerate what seminr and cSEM predict out of sample, from the folder named by `CSI_REFERENCE_DIR`.

    CSI_REFERENCE_DIR=../shared python tests/reference/prediction.py

Writes `mobi/prediction.json`: errors per item, the fold of every row, and (of one case) every prediction; and
`mobi/blindfolding.json`: Stone-Geisser's Q2 of semPLS.
"""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
COMMON = runpy.run_path(str(HERE / "extract.py"))
COMMAND = "CSI_REFERENCE_DIR=../shared python tests/reference/prediction.py"
SAT3 = """Image =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5
Expectation =~ CUEX1 + CUEX2 + CUEX3
Value =~ PERV1 + PERV2
Satisfaction =~ CUSA1 + CUSA2 + CUSA3
Satisfaction ~ Image + Expectation + Value
"""


def case(part: dict[str, Any]) -> dict[str, Any]:
    """Items, errors of PLS and LM, folds."""
    pls, lm = part["PLS_out_of_sample"], part["LM_out_of_sample"]
    return {
        "items": pls["cols"],
        "rmse": pls["values"][0],
        "mae": pls["values"][1],
        "lm_items": lm["cols"],
        "lm_rmse": lm["values"][0],
        "lm_mae": lm["values"][1],
        "fold_of_row": part.get("fold_of_row"),
    }


def main() -> None:
    """Write the file."""
    seminr = COMMON["read"]("pls_seminr_predict.json")
    csem = COMMON["read"]("pls_csem_other.json")["predict_mobi_sat3_10fold_seed1"]
    names = ("sat3_LOOCV_DA", "sat3_10fold_DA", "ecsi_10fold_DA", "ecsi_10fold_EA")
    found: dict[str, Any] = {
        "provenance": {
            "command": COMMAND,
            "seminr": "seminr 2.3.4 (R 4.2.2), predict_pls; LM takes the items of all other constructs; tolerance 1e-6",
            "cSEM": "cSEM 0.6.1.9000 (R 4.2.2), predict, 10 folds of its own, seed 1; within Monte Carlo error",
        },
        "sat3": SAT3,
        **{name: case(seminr[name]) for name in names},
        "csem_sat3_10fold": {k: csem[k] for k in ("Name", "RMSE_target", "MAE_target", "MAPE_target", "Q2_predict")},
    }
    found["sat3_LOOCV_DA"]["predictions"] = seminr["sat3_LOOCV_DA"]["PLS_out_of_sample_predictions"]["values"]
    COMMON["write"](HERE / "mobi" / "prediction.json", found)
    COMMON["write"](HERE / "mobi" / "blindfolding.json", blindfolding())


def blindfolding() -> dict[str, Any]:
    """Q2 with cells omitted column by column, from direct antecedents and from exogenous constructs."""
    saved = COMMON["read"]("pls_sempls.json")["blindfolding_q2"]
    found: dict[str, Any] = {
        "provenance": {
            "command": COMMAND,
            "data": "mobi.csv, rows in the file's order",
            "software": "semPLS 1.0.10 (R 4.2.2), qSquared, centroid weighting, omission distance 7, mean replacement",
            "tolerance": "1e-6 (PLS fixed points)",
        }
    }
    for name, case_ in (("da", "cells_mean_direct"), ("ea", "cells_mean_total")):
        part = saved[case_]
        found[name] = {c: v[0] for c, v in zip(part["rows"], part["values"], strict=True) if v[0] is not None}
    return found


if __name__ == "__main__":
    main()
