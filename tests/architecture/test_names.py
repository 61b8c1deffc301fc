"""Public names: pinned, documented, lazy."""

import ast
import importlib
import inspect
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import csi

ROOT = Path(__file__).parents[2]
PUBLIC = [
    "omega",
    "agreement",
    "retest",
    "icc",
    "GSCA",
    "PLS",
    "SEM",
    "Codebook",
    "Estimate",
    "Events",
    "Index",
    "Model",
    "Moments",
    "Panel",
    "Problems",
    "Query",
    "Semopy",
    "Study",
    "SumScores",
    "attitude",
    "bgnbd",
    "hazard",
    "repurchase",
    "survival",
    "blindfolding",
    "Alert",
    "alerts",
    "Target",
    "targets",
    "adequacy",
    "correlations",
    "n_factors",
    "efa",
    "adjust",
    "append",
    "batch",
    "alignment",
    "bollen_stine",
    "bootstrap",
    "Break",
    "changes",
    "item_link",
    "link",
    "decompose",
    "cipma",
    "comparable",
    "compare",
    "cta",
    "cvpat",
    "copula",
    "consistency",
    "diff",
    "driver_shares",
    "drivers",
    "effects",
    "eigenvalue_tests",
    "exact_fit",
    "factor_scores",
    "fimix",
    "fit",
    "fit_measures",
    "implied",
    "impute",
    "index",
    "invariance",
    "items",
    "dif",
    "irt",
    "jackknife",
    "johnson_neyman",
    "complaints",
    "feedback",
    "programme",
    "recovery",
    "emotion_patterns",
    "emotion_waves",
    "lifecycle",
    "stage_slopes",
    "journey",
    "loyalty_curve",
    "loyalty_types",
    "lrt",
    "make_replicates",
    "rake",
    "mediation",
    "mga",
    "micom",
    "modification_indices",
    "gap",
    "kano",
    "promise",
    "servqual",
    "surface",
    "change",
    "intervention",
    "dynamic_expectation",
    "adjustment",
    "tolerance",
    "penalty_reward",
    "nps",
    "comments",
    "text_indicator",
    "nca",
    "ipa",
    "key_drivers",
    "plan",
    "whatif",
    "medals",
    "pairwise",
    "pool",
    "rank_probabilities",
    "nonlinear",
    "pos",
    "predict",
    "predictions",
    "missingness",
    "quality",
    "r2",
    "read_events",
    "read_panel",
    "redundancy",
    "reliability",
    "replicate_weights",
    "rebuild",
    "report",
    "residuals",
    "run_card",
    "score_tests",
    "selection",
    "scores",
    "simple_slopes",
    "simulate",
    "family",
    "simultaneous",
    "standardised",
    "control",
    "short_form",
    "shrunken",
    "smooth",
    "track",
    "validate",
    "validity",
    "mtmm",
    "known_groups",
    "criterion",
    "common_method",
    "power_model",
    "power_path",
    "power_pls",
    "power_icc",
    "power_alpha",
    "power_invariance",
    "power_rmsea",
    "discriminant",
    "verify",
    "vif",
    "wald",
    "order",
    "formation",
    "formation_by_stage",
    "mentions",
    "reasonable",
    "balance",
    "stakeholders",
    "requirements",
    "kinds",
    "kcsi",
    "rates",
    "tree",
    "price_tolerance",
    "attrition",
    "coding",
    "overlap",
    "waves",
]
HEAVY = {
    "numpy",
    "polars",
    "pandas",
    "scipy",
    "semopy",
    "statsmodels",
    "pingouin",
    "pydantic",
    "yaml",
    "rich",
    "jinja2",
}


def test_the_list_is_pinned_and_sorted():
    assert csi.__all__ == sorted(PUBLIC, key=lambda n: (not n.isupper(), n[0].islower(), n))  # ruff's order, RUF022


@pytest.mark.parametrize("name", PUBLIC)
def test_every_name_loads_and_tells_what_it_is(name):
    value = getattr(csi, name)
    text = inspect.getdoc(value)
    assert text
    methods = [m for n, m in vars(value).items() if not n.startswith("_")] if isinstance(value, type) else []
    texts = [text, *(getattr(m, "__doc__", None) or "" for m in methods)]
    assert any("Example:" in t and ">>>" in t for t in texts), f"{name} shows no example"


def test_type_checkers_see_the_same_names_at_the_same_homes():
    tree = ast.parse(Path(csi.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name: node.module for node in block.body for alias in node.names}
    assert seen == csi._HOMES
    assert sorted(seen) == sorted(csi.__all__)


def test_no_folder_bears_a_public_function_name():
    rooms = {p.name for p in (ROOT / "csi").iterdir() if p.is_dir()}
    assert not rooms & {n for n in PUBLIC if not isinstance(getattr(csi, n), type)}


def loaded_by(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys, json; print(json.dumps(sorted(sys.modules)))"],
        capture_output=True,
        check=True,
        text=True,
        cwd=ROOT,
    )
    return {name.split(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


def test_importing_csi_loads_no_numerics_and_no_engine():
    assert not loaded_by("import csi") & HEAVY


def test_help_loads_no_numerics_and_no_engine():
    assert not loaded_by("from csi.cli import main; main(['--help'])") & HEAVY


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'fitt'"):
        csi.fitt  # noqa: B018 - the access is the test


def test_dir_lists_the_names_without_loading_them():
    assert set(PUBLIC) <= set(dir(importlib.import_module("csi")))


def test_one_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == csi.__version__
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest
    assert newest.group(1) == csi.__version__
