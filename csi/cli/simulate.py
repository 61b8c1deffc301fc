"""`csi simulate RECIPE --out DIR`: a panel whose truth is known, with the study file and codebook that go with it."""

from __future__ import annotations

import argparse
from pathlib import Path

from csi.cli.answer import Answer
from csi.cli.progress import working
from csi.errors import Language, Text
from csi.simulation.simulate import simulate

DRAWING = Text("Drawing answers", "正在生成答卷")


def arguments(parser: argparse.ArgumentParser) -> None:
    """A recipe, where to write, and a seed."""
    parser.add_argument("recipe", metavar="RECIPE", type=Path, help="the recipe, such as data/telecom/recipe.yaml")
    parser.add_argument("--out", metavar="DIR", type=Path, help="folder to write into (beside the recipe by default)")
    parser.add_argument("--seed", type=int, help="instead of the recipe's own")


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """Draw, write, and say what was written."""
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
