"""What must never be committed: places of one machine, package index hosts, rows of reference data."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FORBIDDEN = [
    re.compile(pattern)
    for pattern in (
        "pypi" + r"\.org",
        "python" + "hosted",
        r"--(extra-)?" + "index-url https?",
        r"--find" + "-links",
        r"/(?<![\w.]/)" + r"(root|home|Users|work|opt)/\w",
        r":\\" + r"Users(?<=\b[A-Z]:.{6})",
    )
]
"""Each begins with what it is found by quickly; what must stand before is looked for afterwards."""
TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".json", ".txt", ".csv", ".lock", ".html", ".j2", ".svg", ".ipynb", ""}


def committed() -> list[Path]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git clone: nothing says which files are committed")
    listed = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [ROOT / n for n in listed.split("\0") if n and (ROOT / n).exists()]


def places(text: str) -> list[tuple[int, str]]:
    """What of a text is of one machine, with its line."""
    found = [one for pattern in FORBIDDEN for one in pattern.finditer(text)]
    return [(text.count("\n", 0, one.start()) + 1, one.group()) for one in found]


def test_no_place_of_one_machine_is_committed():
    wrong = []
    for path in committed():
        if path.suffix in TEXT:
            found = places(path.read_text(encoding="utf-8", errors="replace"))
            wrong += [f"{path.relative_to(ROOT)}:{number}: {what}" for number, what in found]
    assert not wrong


def test_a_place_of_one_machine_is_seen_and_what_looks_like_one_is_not():
    seen = [
        "/" + "home/me",
        " /" + "work/x",
        "C:\\" + "Users\\me",
        "https://" + "pypi" + ".org",
        "--index" + "-url http:",
    ]
    text = "\n".join(["first", *seen])
    assert sorted(number for number, _ in places(text)) == [2, 3, 4, 5, 6]
    assert places("a/" + "home/me ./" + "work/x AC:\\" + "Users /" + "homes/x /" + "opt/") == []


def test_the_lock_has_a_hash_for_every_pin_and_nothing_else():
    rows = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = [i for i, row in enumerate(rows) if not row.startswith(" ")]
    assert pins
    for i in pins:
        assert re.match(r"[a-z0-9-]+==\S+( ; .+)? \\$", rows[i]), rows[i]
        assert rows[i + 1].startswith("    --hash=sha256:")


def test_every_declared_dependency_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    names = [re.split(r"[<>=\[ ]", w)[0].lower() for w in wanted]
    assert not [n for n in names if not re.search(rf"^{n}==", lock, re.MULTILINE)]
