"""10 x 10 folds of PLSpredict on the ECSI model, beside the `seminr` package from the package index.

Both predict every answer of the endogenous constructs by the model fitted to the other nine folds, and by the linear
model. `seminr` is called as a program, with its defaults: one division into ten folds, ten times over for the ratio.
The rows are those of `tests/bench/bootstrap.py`.
"""

import importlib
import runpy
from pathlib import Path

import csi

COMMON = runpy.run_path(str(Path(__file__).with_name("bootstrap.py")))
ARROWS, seconds = COMMON["ARROWS"], COMMON["seconds"]


def main() -> None:
    """Print both times and their ratio."""
    name, blocks, frame = COMMON["rows"]()
    measured = [f"{c} =~ {' + '.join(items)}" for c, items in blocks.items()]
    arrows = [f"{outcome} ~ {' + '.join(predictors)}" for outcome, predictors in ARROWS.items()]
    est = csi.fit("\n".join([*measured, *arrows]), frame, csi.PLS())
    mine = seconds(lambda: csi.predict(est, 10, 10, technique="da", benchmark="all"))
    print(f"csi.predict, 10 x 10 folds of ECSI on {name} ({frame.height} rows): {mine:.3f} s (aim: below 0.5)")
    try:
        seminr = importlib.import_module("seminr")
    except ImportError:
        print("seminr is not installed here: make bench installs it")
        return
    measurement = seminr.constructs(*(seminr.composite(c, items) for c, items in blocks.items()))
    structure = seminr.relationships(*(seminr.paths(from_=p, to=o) for o, ps in ARROWS.items() for p in ps))
    data = {item: [float(v) for v in frame[item]] for items in blocks.values() for item in items}
    model = seminr.estimate_pls(data, measurement, structure)
    once = seconds(lambda: seminr.predict_pls(model, technique=seminr.predict_DA, no_folds=10, seed=1))
    print(f"seminr.predict_pls, 10 folds once: {once:.3f} s; ratio for 10 x 10: {10 * once / mine:.0f} times (aim: 20)")


if __name__ == "__main__":
    main()
