"""What the tests of slow studies share: a study's script as a module, and the script run again."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
if str(HERE) not in sys.path:  # studies import `calibration`, as they do when they run alone
    sys.path.insert(0, str(HERE))


@pytest.fixture(scope="module")
def study(request):
    """The script that a test module names in STUDY, loaded."""
    file = HERE / request.module.STUDY
    spec = importlib.util.spec_from_file_location(f"study_{file.stem}", file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their own module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture
def made_again(request):
    """Run that script as `make check-slow` does; it must meet its gates."""
    done = subprocess.run(
        [sys.executable, str(HERE / request.module.STUDY)],
        check=False,
        text=True,
        capture_output=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONUTF8": "1"},
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout
