"""Peak memory of 5,000 and of 100,000 bootstrap refits with consistent PLS, HTMT and total effects, each in a process
of its own (getrusage; the interpreter and its libraries are included). The rows are those of `bootstrap.py`.
"""

import resource
import subprocess
import sys
import time

import bootstrap

import csi


def measured(refits: int) -> None:
    """Refit so often and print peak memory and time."""
    _, blocks, frame = bootstrap.rows()
    measures = [f"{name} =~ {' + '.join(items)}" for name, items in blocks.items()]
    arrows = [f"{outcome} ~ {' + '.join(predictors)}" for outcome, predictors in bootstrap.ARROWS.items()]
    est = csi.fit(csi.Model.parse("\n".join([*measures, *arrows])), frame, csi.PLS(consistent=True), scale=(1, 10))
    start = time.perf_counter()
    boot = csi.bootstrap(est, n=refits, seed=1)
    frames = csi.validity(boot).table, csi.effects(boot).table
    assert all(f.height for f in frames)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    print(f"{refits:7,} refits, PLSc with HTMT and total effects: {peak:4.0f} MB, {time.perf_counter() - start:.2f} s")


def main() -> None:
    """Both numbers of refits."""
    for refits in ("5000", "100000"):
        subprocess.run([sys.executable, __file__, refits], check=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measured(int(sys.argv[1]))
    else:
        main()
