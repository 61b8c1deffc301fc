"""csi/ARCHITECTURE.md is true: what it names exists, what exists it names."""

import re
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "csi"
PAGE = (PACKAGE / "ARCHITECTURE.md").read_text(encoding="utf-8")


def rooms_on_disk() -> set[str]:
    return {p.name for p in PACKAGE.iterdir() if p.is_dir() and any(p.glob("*.py"))}


def listed(heading: str) -> str:
    return PAGE.split(f"## {heading}")[1].split("```")[1]


def test_rooms_named_and_rooms_on_disk_are_the_same():
    named = set(re.findall(r"^  (\w+)/", listed("Rooms"), re.MULTILINE))
    assert named == rooms_on_disk()


def test_modules_at_the_top_are_named():
    named = set(re.findall(r"^  (\w+\.py)", listed("Rooms"), re.MULTILINE))
    assert named == {p.name for p in PACKAGE.glob("*.py")}


def test_layers_on_the_page_are_the_rooms():
    rows = [re.split(r"\s{3,}", row)[0].split(" | ") for row in listed("Who may import whom").strip().splitlines()]
    modules = {p.stem for p in PACKAGE.glob("[a-z]*.py")}
    assert {room for row in rows for room in row} == rooms_on_disk() | modules


def test_every_file_named_exists():
    paths = re.findall(r"`((?:\w+/)+[\w.]*)`", PAGE)
    assert paths
    missing = [p for p in paths if not (PACKAGE / p).exists() and not (PACKAGE.parent / p).exists()]
    assert not missing


def test_it_stays_a_page():
    assert len(PAGE.splitlines()) <= 150
