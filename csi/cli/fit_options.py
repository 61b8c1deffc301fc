"""What `csi fit MODEL DATA` can be asked: options with their defaults, and the settings they stand for."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence

ONLY_MODEL: dict[str, object] = {
    "estimator": None,
    "weighting": "path",
    "modes": None,
    "missing": "listwise",
    "ordered": None,
    "groups": None,
    "equal": None,
    "free": None,
    "std_lv": False,
    "meanstructure": None,
    "growth": False,
    "bounds": None,
    "parameterization": "delta",
    "se": None,
    "test": None,
    "information": None,
    "likelihood": "normal",
    "random_x": False,
    "fixed_x": False,
    "conditional_x": None,
    "interaction": None,
    "higher_order": "two-stage",
    "pairs": None,
    "na": None,
    "weight": None,
    "unit": None,
    "stratum": None,
    "imputations": 0,
    "seed": 1,
    "interval": "percentile",
    "one_sided": None,
    "improper": "keep",
    "adjust": None,
    "jackknife": False,
    "replicate_weights": None,
    "replicate_kind": None,
    "rho": None,
    "rscales": None,
    "by": None,
    "where": None,
    "modification": None,
    "show_anyway": False,
}
"""Option -> its default, of those that belong to a model text with a data file."""

RSCALES = "a factor of each replicate, needed by jkn: numbers with commas, or a column of DATA that starts with them"

ONLY_STUDY: dict[str, object] = {"brand": None, "wave": None}


def model_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of a model text."""
    model = parser.add_argument_group("a model text with a data file (csi fit MODEL DATA)")
    add = model.add_argument
    how = "ML, MLR, MLM, GLS, ULS, WLS, WLSMV, ... (ML; WLSMV with --ordered); pls, plsc, sum, raw, pca, gsca"
    add("--estimator", metavar="NAME", help=how)
    add("--weighting", default="path", metavar="SCHEME", help="of pls and plsc: path, factorial, centroid")
    add("--modes", metavar="CONSTRUCT=MODE", help="of pls and plsc: image=B,value=A where not as the model says")
    add(
        "--missing",
        default="listwise",
        metavar="HOW",
        help="listwise, fiml, two-stage, pairwise; of composites: em, mean",
    )
    how = "of composites: pool so many imputed copies (with --bootstrap)"
    add("--imputations", type=int, default=0, metavar="M", help=how)
    add("--ordered", metavar="ITEMS", help='ordinal items, comma-separated, or "all"')
    add("--groups", metavar="COLUMN", help="column of a multi-group model")
    add("--equal", metavar="KINDS", help="equal over groups, such as loadings,intercepts")
    add("--free", metavar="ROWS", help='exceptions from --equal, such as "visual =~ x2, x7 ~ 1"')
    add("--std-lv", action="store_true", help="latents with variance 1 instead of marker items")
    add("--meanstructure", action=argparse.BooleanOptionalAction, help="means are modelled")
    add("--growth", action="store_true", help="latent means free, item intercepts 0")
    add("--bounds", metavar="KIND", help="standard or pos.var")
    add("--parameterization", default="delta", metavar="NAME", help="of ordinal items: delta or theta")
    add("--se", metavar="KIND", help="standard errors other than the estimator's own")
    add("--test", metavar="KIND", help="test of fit other than the estimator's own")
    add("--information", metavar="KIND", help="expected, observed, first.order")
    add("--likelihood", default="normal", metavar="KIND", help="normal or wishart")
    _exogenous_arguments(model)
    how = "double-mean-centred, orthogonal or lms; of pls and plsc: two-stage, product or orthogonal"
    add("--interaction", metavar="HOW", help=f"products a:b of latents: {how}")
    how = "two-stage, embedded or repeated"
    add(
        "--higher-order", default="two-stage", metavar="HOW", help=f"constructs made of constructs, pls and plsc: {how}"
    )
    add("--pairs", metavar="WHICH", help="items multiplied for an interaction: matched or all")
    add(
        "--na",
        action="append",
        type=codes,
        metavar="CODES",
        help="codes that mean no answer, such as 97,98,99 (--na=-9 for -9)",
    )
    add("--weight", metavar="COLUMN", help="sampling weights")
    add("--unit", "--cluster", metavar="COLUMN", help="respondents or clusters")
    add("--stratum", metavar="COLUMN", help="strata, for resampling")
    add("--seed", type=int, default=1, metavar="N", help="of --bootstrap")
    kinds = "percentile, basic, normal, t, bc, bca, studentised, double"
    add("--interval", default="percentile", metavar="KIND", help=f"of --bootstrap: {kinds}")
    what = "one-sided intervals and p-values: greater (without SIDE) or less than zero"
    add("--one-sided", nargs="?", const="greater", choices=["greater", "less"], metavar="SIDE", help=what)
    add("--improper", default="keep", metavar="HOW", help="replicates with an improper solution: keep or drop")
    how = "the paths as one family of tests: holm, hochberg, bonferroni, sidak (any false one), bh, by (their share)"
    add("--adjust", metavar="METHOD", help=how)
    add("--jackknife", action="store_true", help="standard errors and t intervals from leaving each unit out")
    add("--replicate-weights", metavar="COLUMNS", help='columns of replicate weights, such as "rw*"')
    add("--replicate-kind", metavar="KIND", help="of them: brr, fay, jk1, jk2, jkn, bootstrap, sdr, other")
    add("--rscales", metavar="NUMBERS|COLUMN", help=RSCALES)
    add("--rho", type=float, metavar="X", help="of --replicate-kind fay")
    add("--by", metavar="COLUMNS", help="a fit in every cell of these columns")
    add("--where", action="append", metavar="COLUMN=VALUE", help="only these rows")
    add("--modification", nargs="?", const=10, type=int, metavar="N", help="the N largest modification indices (10)")
    add("--show-anyway", action="store_true", help="print the paths of an unidentified or collinear model")


def _exogenous_arguments(model: argparse._ArgumentGroup) -> None:
    """How exogenous observed variables are taken."""
    known = model.add_mutually_exclusive_group()
    known.add_argument("--random-x", action="store_true", help="moments of exogenous observed variables are estimated")
    known.add_argument("--fixed-x", action="store_true", help="they are the sample's (so by default with ML, MLR, ...)")
    how = "of ordinal items: all is conditional on exogenous observed variables (so by default), or modelled jointly"
    model.add_argument("--conditional-x", action=argparse.BooleanOptionalAction, help=how)


def codes(text: str) -> str:
    """Codes that mean no answer, as typed; every one a number.

    Example:
        >>> codes("97,98，-9")
        '97,98，-9'
    """
    for code in listed(text):
        if not is_number(code):
            raise argparse.ArgumentTypeError(f"codes are numbers, not {code}")
    return text


def is_number(text: str) -> bool:
    """Whether `text` says a finite number.

    Example:
        >>> is_number("-9"), is_number("x"), is_number("nan")
        (True, False, False)
    """
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def given(args: argparse.Namespace, defaults: dict[str, object]) -> list[str]:
    """The options, as typed, that differ from their defaults.

    Example:
        >>> given(argparse.Namespace(brand="ZX", wave=None), ONLY_STUDY)
        ['--brand']
    """
    return ["--" + name.replace("_", "-") for name, usual in defaults.items() if getattr(args, name) != usual]


def listed(text: str | Sequence[str] | None) -> tuple[str, ...]:
    """The entries of a comma-separated option, given once or several times.

    Example:
        >>> listed(" x1, x2，x3")
        ('x1', 'x2', 'x3')
    """
    texts = [] if text is None else [text] if isinstance(text, str) else list(text)
    parts = [part.strip() for one in texts for part in one.replace("，", ",").split(",")]
    return tuple(part for part in parts if part)
