"""How long the demonstration quarter's report takes, from study file to files in both languages, and its size."""

import statistics
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

STUDY = Path(__file__).parents[2] / "data/telecom/study.yaml"
ROUNDS = 3
NEEDS = {"notebook": (), "xlsx": (), "docx": ("docx", "typst"), "pdf": ("typst",), "pptx": ("pptx", "typst")}


def seconds(to: str, out: str) -> float:
    """Wall time of `csi report --to`, the start of Python and every import included."""
    words = ["report", str(STUDY), "--wave", "2026Q3", "--lang", "zh,en", "--to", to, "--out", out]
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "csi", *words], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    others = [kind for kind, modules in NEEDS.items() if all(find_spec(m) for m in modules)]
    with tempfile.TemporaryDirectory() as out:
        seconds("html", out)  # compiles what was never imported
        alone: list[float] = []
        more: dict[str, list[float]] = {kind: [] for kind in others}
        for _ in range(ROUNDS):
            alone.append(seconds("html", out))
            for kind in others:
                more[kind].append(seconds(f"html,{kind}", out) - alone[-1])
        size = (Path(out) / "2026Q3" / "report.html").stat().st_size
    print(f"page of both languages  {statistics.median(alone):6.2f} s (aim: 6), {size / 1e6:.2f} MB (aim: 1.5)")
    for kind, times in more.items():
        print(f"  and {kind:<12} {statistics.median(times):+14.2f} s (aim: {15 if kind == 'notebook' else 3})")


if __name__ == "__main__":
    main()
