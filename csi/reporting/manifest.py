"""What a run left behind and how to make it again: the manifest beside a report."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from csi.errors import Problem, Problems, Text, problem
from csi.estimate.given import check_kind
from csi.reporting.record import versions

MANIFEST = "manifest.json"
RECORD = "record.json"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report was asked for.

    Attributes:
        study: the study file as seen from the report's folder. wave, kind, languages, to: as of `csi.write_report`.
        executed: whether the notebook was run. replicates, errors: of the settings, which a command may have changed.
    """

    study: str
    wave: str
    kind: str
    languages: Sequence[str]
    to: Sequence[str]
    executed: bool
    replicates: int
    errors: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was asked, where it was made, and the SHA-256 of every file.

    Attributes:
        asked: see `Asked`. environment: versions that can change a number, and the machine's kind. files: name ->
            SHA-256. folder: where it lies.
    """

    asked: Asked
    environment: Mapping[str, str]
    files: Mapping[str, str]
    folder: Path = field(default=Path())


def environment() -> dict[str, str]:
    """What may change a number between two machines."""
    kind = {"system": platform.system(), "machine": platform.machine()}
    return {"python": platform.python_version(), **versions(), **kind}


def digest(content: bytes) -> str:
    """SHA-256 of a file.

    Example:
        >>> digest(b"")[:8]
        'e3b0c442'
    """
    return hashlib.sha256(content).hexdigest()


def to_bytes(asked: Asked, files: Mapping[str, bytes]) -> bytes:
    """The manifest of files as it is written."""
    told = {name: getattr(asked, name) for name in Asked.__dataclass_fields__}
    marks = {name: digest(content) for name, content in sorted(files.items())}
    kept = {"asked": told, "environment": environment(), "files": marks}
    return (json.dumps(kept, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def read_manifest(path: str | Path) -> Manifest:
    """The manifest of a report, by its folder, its record or itself.

    Raises:
        Problems: E-RECORD when there is none, it says something else, or a file of another name was given.
    """
    wanted = Text("the record.json of a report, or its folder", "报告的 record.json 或其文件夹")
    check_kind("record", path, (str, Path), wanted, Text("Give its path.", "请给出其路径。"))
    given = Path(path)
    if given.is_file() and given.name not in (RECORD, MANIFEST):
        raise Problems([_no_record(given)])
    folder = given.parent if given.name in (RECORD, MANIFEST) else given
    try:
        said: Any = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        asked = Asked(**said["asked"])
        return Manifest(asked, dict(said["environment"]), dict(said["files"]), folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        en = f"there is no manifest of a report here ({MANIFEST})."
        zh = f"此处没有报告的清单（{MANIFEST}）。"
        do = "Give the record.json of a report that csi report wrote, with manifest.json beside it."
        do_zh = "请给出 csi report 生成的 record.json，且 manifest.json 须在同一文件夹。"
        raise Problems([problem("E-RECORD", str(given), en, zh, do, do_zh)]) from error


def _no_record(given: Path) -> Problem:
    """What a file is that was given for the record of a report, and what was expected."""
    if given.name == "numbers.json":
        en, zh = "this has the numbers of a report, not its record", "这是报告的数值文件，并非其记录"
    else:
        en, zh = "this is no record of a report", "这不是报告的记录"
    beside = given.parent / RECORD
    do = f"Give the {RECORD} of a report that csi report wrote, with {MANIFEST} beside it."
    do_zh = f"请给出 csi report 生成的 {RECORD}，且 {MANIFEST} 须在同一文件夹。"
    if beside.exists():
        do, do_zh = f"Give {beside}.", f"请给出 {beside}。"
    return problem(
        "E-RECORD",
        str(given),
        f"{en}; a {RECORD}, or the folder of a report, was expected.",
        f"{zh}；应为 {RECORD} 或报告所在的文件夹。",
        do,
        do_zh,
    )
