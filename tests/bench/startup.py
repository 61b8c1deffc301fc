"""How long `csi --help` takes beside a bare interpreter."""

import statistics
import subprocess
import sys
import time

ROUNDS = 15


def seconds(*words: str) -> float:
    """Median wall time of `python words`."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    bare, asked = seconds("-c", "pass"), seconds("-m", "csi", "--help")
    print(f"csi --help: {asked:.3f} s, bare interpreter {bare:.3f} s, difference {asked - bare:.3f} s (aim: below 0.3)")


if __name__ == "__main__":
    main()
