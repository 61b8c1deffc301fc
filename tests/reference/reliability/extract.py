"""Regenerate `numbers.json` beside this file from the folder named by `CSI_REFERENCE_DIR`.

    CSI_REFERENCE_DIR=../shared python tests/reference/reliability/extract.py

What each number is compared with, to which tolerance, and where programs disagree: README.md.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SHARED = Path(os.environ.get("CSI_REFERENCE_DIR", "../shared"))
DATA = {
    "mobi": "mobi/mobi.csv",
    "bfi": "bfi/bfi.csv",
    "holzinger": "holzinger_swineford/holzinger_swineford.csv",
}


def read(name: str) -> Any:
    """A reference file as parsed JSON."""
    return json.loads((SHARED / "reference" / name).read_text(encoding="utf-8"))


def alphas(entry: dict[str, Any]) -> dict[str, Any]:
    """What is compared of psych's alpha."""
    total, feldt = entry["total"], entry["feldt"]
    low, high = (next(iter(feldt[side].values())) for side in ("lower.ci", "upper.ci"))
    names = {"alpha": "raw_alpha", "alpha_std": "std.alpha", "lambda6": "G6(smc)", "ase": "ase"}
    return {ours: total[theirs] for ours, theirs in names.items()} | {"feldt": [low, high]}


def omegas(entry: dict[str, Any]) -> dict[str, Any]:
    """What is compared of psych's omega."""
    names = ("omega_h", "omega_tot", "alpha", "G6", "schmid_leiman")
    return {name: entry[name] for name in names}


def numbers() -> dict[str, Any]:
    """Every number that the tests of consistency compare with."""
    own, agree = read("reliability.json"), read("agreement.json")
    ordinal, turned = read("ordinal_bfi.json"), read("ordinal_bfi_reversed.json")
    return {
        "alpha_mobi": {name: alphas(entry) for name, entry in own["alpha_mobi"].items()},
        "alpha_satisfaction_QUAL": alphas(own["alpha_satisfaction_QUAL"]),
        "alpha_bfi_reversed_missing": {n: alphas(e) for n, e in own["alpha_bfi_reversed_missing"].items()},
        "alpha_bfi_unreversed_A": alphas(own["alpha_bfi_unreversed_A"]),
        "alpha_hs9": alphas(own["alpha_hs9"]),
        **{name: own[name] for name in ("split_half_hs9", "guttman_hs9", "tenberge_perq")},
        **{name: omegas(own[name]) for name in own if name.startswith("omega_")},
        **{name: own[name] for name in own if name.startswith(("glb_", "semtools_"))},
        "ecsi": {n: e for n, e in read("cbsem_ecsi.json")["reliability"].items() if n.startswith("compRelSEM")},
        "democracy": read("cbsem_poldem.json")["compRelSEM"],
        "ordinal_bfi": ordinal["reliability_ordinal"],
        "ordinal_bfi_reversed": turned["reliability"],
        **{name: agree[name] for name in ("icc_shrout_fleiss", "icc_hs_speed", "kappa")},
    }


def provenance() -> dict[str, Any]:
    """Programs, data and tolerances."""
    hashes = {file: hashlib.sha256((SHARED / "data" / file).read_bytes()).hexdigest() for file in DATA.values()}
    return {
        "data_sha256": hashes,
        "command": "CSI_REFERENCE_DIR=../shared python tests/reference/reliability/extract.py",
        "sources": {
            "numbers.json": {
                "software": "psych 2.2.9, semTools 0.5-6, lavaan 0.6-14 (R 4.2.2)",
                "tolerance": "1e-6; README.md says where not, and why",
            }
        },
    }


if __name__ == "__main__":
    for name, content in (("numbers.json", numbers()), ("provenance.json", provenance())):
        (HERE / name).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
