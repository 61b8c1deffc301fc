"""Regenerate `composed/`: higher-order constructs and products of seminr, cSEM and plspm on the mobile data.

    CSI_REFERENCE_DIR=../shared python tests/reference/composed.py

`repeated.json` is written by `composed/repeated_plspm.py`, which runs plspm itself. Matrices are kept as pairs
`{"row|column": value}` without their zeros.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SHARED = Path(os.environ.get("CSI_REFERENCE_DIR", "../shared"))


def read(name: str) -> Any:
    """A reference file as parsed JSON."""
    return json.loads((SHARED / "reference" / name).read_text(encoding="utf-8"))


def pairs(table: dict[str, Any]) -> dict[str, float]:
    """The cells of a matrix that are not 0."""
    rows = zip(table["rows"], table["values"], strict=True)
    return {f"{r}|{c}": v for r, row in rows for c, v in zip(table["cols"], row, strict=True) if v}


def higher_order() -> dict[str, Any]:
    """Second stages of seminr, and the plspm package's fixture of one."""
    found = read("pls_seminr_higher_order.json")
    kept = ("path_coef", "outer_weights", "outer_loadings", "reliability", "htmt", "fl_criteria", "cross_loadings")
    content = {
        case: {
            **{part: pairs(found[case]["second_stage"][part]) for part in kept},
            "r2": dict(zip(*(found[case]["second_stage"]["rSquared"][k] for k in ("cols",)),
                           found[case]["second_stage"]["rSquared"]["values"][0], strict=True)),
            "vif_items": found[case]["second_stage"]["vif_items"],
        }
        for case in ("A_A", "A_B", "B_A")
    }  # fmt: skip
    fixture = read("published_plspm_fixtures.json")["seminr-mobi-hoc-ts-paths"]
    names = fixture.pop("1")
    content["plspm_fixture"] = {
        "path_coef": {f"{x}|{y}": v for y, column in fixture.items() for x, v in zip(names, column, strict=True) if v}
    }
    return content


def products() -> dict[str, Any]:
    """Interactions of seminr, alone and with a higher-order construct."""
    found = read("pls_seminr_interaction.json")
    kept = ("path_coef", "outer_weights", "outer_loadings", "construct_correlations")
    content = {
        case: {
            **{part: pairs(found[case][part]) for part in kept},
            "r2": found[case]["rSquared"]["values"][0][0],
        }
        for case in ("two_stage", "product_indicator", "orthogonal", "two_stage_single", "two_stage_single_PLSc")
    }
    fixtures = read("published_seminr_fixtures.json")["fixtures"]
    paths = fixtures["hoc_2si-paths"]
    content["higher_order_two_stage"] = {
        "path_coef": {f"{x}|Satisfaction": v for x, v in zip(paths["1"], paths["Satisfaction"], strict=True) if v}
    }
    printed = fixtures["plsc-interaction-paths"]
    content["orthogonal_PLSc_printed"] = dict(zip(printed["1"], printed["Satisfaction"], strict=True))
    return content


def second_order_csem() -> dict[str, Any]:
    """cSEM's second stage, a factor of composites, and the scores' correlations of its first stage."""
    part = read("pls_csem_other.json")["second_order_factor_of_composites"]
    first, second = part["first_stage"], part["second_stage"]
    return {
        "names": first["construct_vcv"]["rows"],
        "proxy_vcv": first["proxy_vcv"]["values"],
        "reliabilities": second["reliabilities"],
        "construct_vcv": pairs(second["construct_vcv"]),
        "weights": pairs(second["weights_construct_by_item"]),
        "loadings": pairs(second["loadings_construct_by_item"]),
    }


def mediation() -> dict[str, Any]:
    """seminr's specific indirect effect; lavaan's defined effects with their delta-method errors."""
    boot = read("pls_seminr_bootstrap.json")["indirect_Image_Satisfaction_Loyalty"]
    content: dict[str, Any] = {"seminr": {"Image -> Satisfaction -> Loyalty": boot["Original Est."]}}
    found = read("cbsem_mediation.json")
    for case in ("latent_ML", "tal_or_ML"):
        p = found[case]["parameters"]
        rows = zip(p["label"], p["est"], p["se"], strict=True)
        kept = {label: {"est": est, "se": se} for label, est, se in rows if label in ("indirect", "total", "cp")}
        content[case] = {"syntax": found[case]["syntax"], **kept}
    return content


def main() -> None:
    """Write the folder, `repeated.json` excepted."""
    folder = HERE / "composed"
    sha = hashlib.sha256((SHARED / "data/mobi/mobi.csv").read_bytes()).hexdigest()
    seminr = {"software": "seminr 2.3.4 (R 4.2.2), stopCriterion 12", "tolerance": 1e-6,
              "why": "iterated to 1e-12, printed with 15 digits"}  # fmt: skip
    provenance = {
        "data": "mobi.csv",
        "data_sha256": sha,
        "command": "CSI_REFERENCE_DIR=../shared python tests/reference/composed.py",
        "sources": {
            "higher_order.json": {**seminr, "plspm_fixture": "test fixture of plspm (PyPI), made with seminr"},
            "products.json": {**seminr, "higher_order_two_stage": "test fixture of seminr 2.3.4",
                              "orthogonal_PLSc_printed": "test fixture of seminr 2.3.4, three digits"},
            "mediation.json": {"software": "seminr 2.3.4, lavaan 0.6.14 (R 4.2.2)", "tolerance": 1e-5,
                               "why": "lavaan stops near a gradient of 1e-7 (tal_or)"},
            "second_order_csem.json": {"software": "cSEM 0.6.1.9000 (R 4.2.2), tolerance 1e-12",
                                       "data": "its dgp_2ndorder_cf_of_c", "tolerance": 1e-6,
                                       "why": "printed with 15 digits"},
            "repeated.json": {"software": "plspm 0.5.7 (PyPI), tolerance 1e-12, Scale.NUM, repeated items as further "
                                          "columns", "command": "python tests/reference/composed/repeated_plspm.py "
                              "DATA", "tolerance": 1e-6, "why": "agrees with seminr to 1e-9 elsewhere"},
        },
    }  # fmt: skip
    made = {
        "higher_order": higher_order(),
        "products": products(),
        "second_order_csem": second_order_csem(),
        "mediation": mediation(),
    }
    for name, content in {**made, "provenance": provenance}.items():
        (folder / f"{name}.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
