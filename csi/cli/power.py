"""`csi power WHAT`: people a study needs, what it would find with those it has, how small an effect it could see."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import polars as pl

from csi.cli.answer import Answer, Grid
from csi.cli.grids import grid
from csi.cli.progress import working
from csi.cli.shell import UsageError
from csi.errors import Language, Text
from csi.measures.sizing.model_power import HEADINGS, ModelPower, power_model
from csi.measures.sizing.path_power import power_path
from csi.measures.sizing.pls_power import power_pls
from csi.measures.sizing.power import Power
from csi.measures.sizing.reliability_power import power_alpha, power_icc
from csi.measures.sizing.rmsea_power import power_invariance, power_rmsea
from csi.reporting.section import Kind

DRAWING: Final = Text("Drawing samples", "抽取样本")
COMMON: Final = ("n", "power", "significance")
OWN: Final = {
    "rmsea": ("df", "rmsea", "test", "null"),
    "path": ("model", "parameter", "effect", "test"),
    "alpha": ("items", "alpha", "null", "width"),
    "icc": ("ratings", "icc", "null", "width"),
    "invariance": ("df", "df_constrained", "rmsea", "rmsea_constrained", "groups"),
    "pls": ("path", "method"),
    "model": ("model", "replicates", "seed"),
}
"""What each question takes beside n, power and significance."""

NEEDED: Final = {
    "rmsea": ("df",),
    "path": ("model", "parameter"),
    "alpha": ("items",),
    "icc": ("ratings",),
    "invariance": ("df", "df_constrained"),
    "pls": (),
    "model": ("model", "n"),
}
FUNCTIONS: Final[dict[str, Callable[..., Power]]] = {
    "rmsea": power_rmsea,
    "path": power_path,
    "alpha": power_alpha,
    "icc": power_icc,
    "invariance": power_invariance,
    "pls": power_pls,
}
PLAIN: Final = ("df", "df_constrained", "model", "parameter", "items", "ratings", "path")
"""What is given by place, the rest by name."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The question, and two of n, power and an effect."""
    add = parser.add_argument
    what = "what is asked: rmsea, path, alpha, icc, invariance, pls or model (Monte Carlo)"
    add("what", metavar="WHAT", choices=tuple(OWN), help=what)
    how = 'of path and model: a population with values, such as "x =~ .8*x1 + .7*x2; y ~ .3*x", or a file of it'
    add("model", metavar="MODEL", nargs="?", help=how)
    add("--n", type=int, nargs="+", metavar="N", help="people (of model: one or several numbers)")
    add("--power", type=float, metavar="P", help="the chance to find the effect")
    add("--significance", type=float, default=0.05, metavar="P", help="of the test (0.05)")
    add("--df", type=float, metavar="DF", help="of rmsea and invariance: degrees of freedom of the model")
    add("--df-constrained", type=float, metavar="DF", help="of invariance: degrees of freedom of the constrained model")
    add("--rmsea", type=float, metavar="E", help="of rmsea: the true one; of invariance: of the free model (0.05)")
    add("--rmsea-constrained", type=float, metavar="E", help="of invariance: of the constrained model")
    add("--groups", type=int, metavar="G", help="of invariance: how many (2)")
    add("--test", metavar="NAME", help="of rmsea: close, not-close, exact; of path: lrt, wald")
    add("--null", type=float, metavar="X", help="what is tested against")
    add("--items", type=int, metavar="K", help="of alpha: how many items")
    add("--alpha", type=float, metavar="A", help="of alpha: the true one")
    add("--ratings", type=int, metavar="K", help="of icc: ratings of each person")
    add("--icc", type=float, metavar="R", help="of icc: the true one")
    add("--width", type=float, metavar="W", help="of alpha and icc: of the interval wanted, in place of a test")
    add("--path", type=float, metavar="B", help="of pls: the smallest path")
    add("--method", metavar="NAME", help="of pls: inverse-square-root or gamma-exponential")
    add("--parameter", metavar="TEXT", help='of path: such as "y ~ x"')
    add("--effect", type=float, metavar="X", help="of path: its value, in place of the model's")
    add("--replicates", type=int, metavar="B", help="of model: samples drawn of each n (1000)")
    add("--seed", type=int, metavar="N", help="of model: of the draws (1)")


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """The third of n, power and effect; of a model every parameter's power."""
    asked = _asked(args)
    if args.what == "model":
        with working(DRAWING.say(lang), quiet=args.quiet):
            found = power_model(asked.pop("model"), asked.pop("n"), **asked)
        return Answer(_model_blocks(found, lang), _model_data(found), found.notes)
    if "n" in asked:
        asked["n"] = asked["n"][0]
    placed = [asked.pop(name) for name in PLAIN if name in asked]
    answer = FUNCTIONS[args.what](*placed, **asked)
    data = {
        **answer.table.row(0, named=True),
        "effect_name": answer.name.en,
        "sentences": [s.en for s in answer.sentences],
    }
    return Answer(tuple(s.say(lang) for s in answer.sentences), data, answer.notes)


def _asked(args: argparse.Namespace) -> dict[str, Any]:
    """What was typed of what this question takes.

    Raises:
        UsageError: an option of another question, or one that is missing.
    """
    takes = OWN[args.what]
    given = {name for own in OWN.values() for name in own if getattr(args, name) is not None}
    strange = [_typed(name) for name in sorted(given - set(takes))]
    if strange:
        raise UsageError(f"not for {args.what}: {', '.join(strange)}")
    absent = [_typed(name) for name in NEEDED[args.what] if getattr(args, name) is None]
    if absent:
        raise UsageError(f"the following arguments are required: {', '.join(absent)}")
    if args.what == "model" and args.power is not None:
        raise UsageError("not for model: --power")
    if args.what != "model" and args.n is not None and len(args.n) > 1:
        raise UsageError(f"one --n for {args.what}; several are for model")
    asked = {name: getattr(args, name) for name in (*takes, *COMMON) if getattr(args, name) is not None}
    if "model" in asked:
        asked["model"] = _text(asked["model"])
    return asked


def _typed(name: str) -> str:
    """How an argument is typed."""
    return "MODEL" if name == "model" else f"--{name.replace('_', '-')}"


def _text(model: str) -> str:
    """The model's text; that of a file where there is one."""
    if "~" in model:
        return model
    path = Path(model)
    if not path.is_file():
        raise UsageError(f"{model} is no model text and no file")
    return path.read_text(encoding="utf-8")


def _model_blocks(found: ModelPower, lang: Language) -> tuple[str | Grid, ...]:
    """Parameters, how fits ended, sentences."""
    named = found.table.with_columns(parameter=pl.concat_str("lhs", "op", "rhs", separator=" "))
    kinds: dict[str, Kind] = {"n": "count", "parameter": "text"}
    kinds |= dict.fromkeys(
        ("population", "mean", "bias", "sd", "std_error", "coverage", "power", "mc_error"), "estimate"
    )
    kinds["usable"] = "count"
    headings = {**HEADINGS, "parameter": Text("parameter", "参数")}
    ended = {"converged": Text("converged", "收敛"), "improper": Text("improper", "不恰当解")}
    shares: dict[str, Kind] = {"n": "count", "samples": "count", "converged": "share", "improper": "share"}
    ended["samples"] = Text("samples", "样本数")
    return (
        grid(named, kinds, lang, Text("Power by Monte Carlo", "模拟功效"), headings=headings),
        grid(found.fits, shares, lang, Text("Fits", "拟合"), headings=ended),
        *(s.say(lang) for s in found.sentences),
    )


def _model_data(found: ModelPower) -> dict[str, object]:
    """Everything in full precision, for machines."""
    return {
        "what": "model",
        "significance": found.significance,
        "replicates": found.replicates,
        "seed": found.seed,
        "parameters": found.table,
        "fits": found.fits,
        "sentences": [s.en for s in found.sentences],
    }
