"""100,000 bootstrap refits stay below a gigabyte."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[1] / "bench" / "memory.py"


@pytest.mark.slow
@pytest.mark.parametrize("refits", ["5000", "100000"])
def test_peak_memory(refits):
    pytest.importorskip("resource", reason="no getrusage on this system")
    done = subprocess.run(
        [sys.executable, str(BENCH), refits],
        check=True,
        text=True,
        capture_output=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONUTF8": "1"},
    )
    peak = re.search(r"(\d+) MB", done.stdout)
    assert peak, done.stdout
    assert int(peak.group(1)) < 1000
