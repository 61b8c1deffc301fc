"""Run the short programs of this folder and write what they print, with the machine and the date, to `speed.md`.

    python tests/bench/speed.py [PROGRAM ...]

Ratios (sides take turns in one run) carry over to other machines; seconds do not, and where the load is above the
number of processors they are inflated by other work.
"""

import datetime as dt
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PROGRAMS = ("report", "sem", "bootstrap", "absent", "predict", "groups", "cells", "startup")


def processor() -> str:
    """The processor's class, without its place or owner."""
    known = Path("/proc/cpuinfo")
    text = known.read_text(encoding="utf-8") if known.exists() else ""
    named = re.search(r"model name\s*:\s*(.+)", text)
    return " ".join((named[1] if named else platform.processor() or platform.machine()).split())


def printed(program: str) -> str:
    """What a program prints."""
    done = subprocess.run([sys.executable, str(HERE / f"{program}.py")], capture_output=True, text=True, check=False)
    return done.stdout.rstrip() or f"{program}.py ended with {done.returncode}"


def kept(text: str) -> dict[str, str]:
    """Sections of the page that is there, by program."""
    found = re.split(r"^## `(\w+)\.py`$", text, flags=re.MULTILINE)[1:]
    return dict(zip(found[::2], found[1::2], strict=True))


def main() -> None:
    """Write the page; programs that are not named keep what they had."""
    target = HERE / "speed.md"
    sections = kept(target.read_text(encoding="utf-8")) if target.exists() else {}
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    when = f"{dt.datetime.now(tz=dt.UTC):%Y-%m-%d}, {processor()}, {os.cpu_count()} processors, "
    for program in sys.argv[1:] or PROGRAMS:
        sections[program] = f"\n\n{when}load {load:.1f} at the start.\n\n```text\n{printed(program)}\n```\n\n"
    body = "".join(f"## `{p}.py`{sections[p]}" for p in PROGRAMS if p in sections)
    lead = "# How fast, beside other programs\n\n" + " ".join((__doc__ or "").split("\n\n")[-1].split())
    target.write_text(f"{lead} Written by `tests/bench/speed.py`.\n\n{body.rstrip()}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
