"""`csi simulate RECIPE --out DIR`: a panel whose truth is known, with the study file and codebook that go with it."""

from __future__ import annotations

import argparse
from pathlib import Path

from csi.cli.answer import Answer
from csi.cli.progress import working
from csi.errors import Language, Problem, Problems, Text, problem
from csi.simulation.simulate import simulate
from csi.study.positions import read_document

DRAWING = Text("Drawing answers", "正在生成答卷")


def arguments(parser: argparse.ArgumentParser) -> None:
    """A recipe, where to write, and a seed."""
    parser.add_argument("recipe", metavar="RECIPE", type=Path, help="the recipe, such as data/telecom/recipe.yaml")
    parser.add_argument("--out", metavar="DIR", type=Path, help="folder to write into (beside the recipe by default)")
    parser.add_argument("--seed", type=int, help="instead of the recipe's own")


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """Draw, write, and say what was written."""
    if is_study(args.recipe):
        raise Problems([_a_study(args.recipe)], lang)
    with working(DRAWING.say(lang), quiet=args.quiet):
        drawn = simulate(args.recipe, seed=args.seed)
        written = drawn.write(args.out or args.recipe.parent)
    said = Text(
        f"{drawn.frame.height:,} answers, seed {drawn.seed}.",
        f"共 {drawn.frame.height:,} 份答卷，随机种子 {drawn.seed}。",
    )
    return Answer(
        blocks=(said.say(lang), *(str(p) for p in written)),
        data={"rows": drawn.frame.height, "seed": drawn.seed, "files": [str(p) for p in written], "truth": drawn.truth},
    )


def is_study(path: Path) -> bool:
    """Whether a file is a study file and not a recipe; what cannot be read is left to the recipe's own reader."""
    try:
        named = read_document(path).data
    except Problems:
        return False
    return "recipe" not in named and bool({"data", "codebook", "model"} & set(named))


def _a_study(path: Path) -> Problem:
    """A study file stands where a recipe belongs."""
    return problem(
        "E-RECIPE",
        str(path),
        "this is a study file, not a recipe.",
        "这是研究文件，不是模拟配方。",
        f"To read a study: csi check {path}. To draw answers, name a recipe (its first key is `recipe`).",
        f"查看研究请用 csi check {path}；生成模拟数据请指定配方文件（含 recipe 键）。",
    )
