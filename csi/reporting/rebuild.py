"""A report made again from its record, and laid beside what was written: same inputs, same bytes, same numbers?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import Final, cast

import polars as pl

from csi.display import Shown, text
from csi.errors import Problems, Text, did_you_mean, problem
from csi.reporting.build import check_languages, ready
from csi.reporting.manifest import MANIFEST, RECORD, Manifest, digest, environment, read_manifest
from csi.reporting.write import files_of, relative, written
from csi.study.panel import read_study_panel
from csi.study.settings import IndexErrors
from csi.study.study import Study, given_study

NUMBERS = "numbers.json"

TOLERANCE = 1e-9
"""Largest difference of a number that two machines may have: |a - b| / max(1, |a|, |b|)."""

VERDICTS: Final = {
    "same": Text("same bytes", "逐字节一致"),
    "numbers": Text(f"same numbers within {TOLERANCE:g}", f"数值在 {TOLERANCE:g} 之内一致"),
    "differs": Text("made differently", "重建结果不同"),
    "edited": Text("changed since it was written", "写出后被改动"),
    "restored": Text("was not there; written again", "原已缺失，现已重新写出"),
}


@dataclass(frozen=True, slots=True, repr=False)
class Rebuilt(Shown):
    """What came of making a report again.

    Attributes:
        files: one row per file: file, verdict (a key of `VERDICTS`). inputs: one row per input or version that is not
            what it was: what, then, now. largest: the largest difference of a number, as of `TOLERANCE`; inf where
            something else differs. where: the place of that in numbers.json.
        verified: the inputs are the same, no file was edited, and every number is within the tolerance.
        textual: what differs at `where` is text.
    """

    files: pl.DataFrame
    inputs: pl.DataFrame
    largest: float
    where: str
    verified: bool
    textual: bool = False

    @property
    def sentence(self) -> Text:
        """What came of it."""
        same = int((self.files["verdict"] == "same").sum())
        of = self.files.height
        if self.verified and same == of:
            return Text(f"Verified: all {of} files have the same bytes.", f"核对一致：{of} 个文件逐字节相同。")
        gap = f"{self.largest:.2g}"
        if self.verified:
            en = f"Verified: the same numbers (largest difference {gap}); {same} of {of} files have the same bytes."
            return Text(en, f"核对一致：数值相同（最大差异 {gap}）；{of} 个文件中 {same} 个逐字节相同。")
        if self.largest <= TOLERANCE:
            en = "Not verified: the numbers are the same, other things are not."
            return Text(en, "未通过核对：数值一致，但有其他不同。")
        if self.largest == inf:
            en, zh = ("the text", "文字") if self.textual else ("what stands", "内容")
            return Text(f"Not verified: {en} at {self.where} differs.", f"未通过核对：{self.where} 处的{zh}不同。")
        en, zh = f"Not verified: numbers differ by up to {gap}", f"未通过核对：数值最大差异为 {gap}"
        return Text(f"{en} ({self.where}).", f"{zh}（{self.where}）。")


@text.register
def _(value: Rebuilt, lang: str = "en") -> str:
    """The sentence, what changed, every file."""
    lines = [value.sentence.say(lang), ""]
    lines += [f"  {r['what']}: {r['then']} -> {r['now']}" for r in value.inputs.iter_rows(named=True)]
    wide = max(len(name) for name in value.files["file"])
    lines += [f"  {name.ljust(wide)}  {VERDICTS[verdict].say(lang)}" for name, verdict in value.files.iter_rows()]
    return "\n".join(lines)


def rebuild(record: str | Path, study: Study | str | Path | None = None) -> Rebuilt:
    """Make a report again from what its record says, and verify it.

    Everything is computed anew from the study file and its data. Files that are there are never overwritten; one that
    is missing is written again.

    Parameters:
        record: the record.json of a report, or its folder. study: where the study file is now; by default where the
            manifest says.

    Returns:
        Rebuilt.

    Raises:
        Problems: E-RECORD without a manifest; E-REBUILD when the study file is not there; and those of `csi.report`.

    Example:
        >>> import csi
        >>> csi.rebuild("reports/nowhere/record.json")
        Traceback (most recent call last):
        ...
        csi.errors.Problems: reports/nowhere/record.json: there is no manifest of a report here (manifest.json). ...
    """
    made = read_manifest(record)
    own = _as_then(_study_of(made, study), made)
    panel = read_study_panel(own)
    own, panel, wave = ready(own, panel, made.asked.wave or None, made.asked.kind)
    languages = check_languages(list(made.asked.languages))
    files, _ = files_of(
        own, panel, wave, languages, made.folder, path=made.asked.study, kind=made.asked.kind,
        execute=made.asked.executed, to=tuple(made.asked.to),
        now="" if study is None else relative(own.path, made.folder),
    )  # fmt: skip
    verdicts = {name: _verdict(made, name, content) for name, content in files.items() if name != MANIFEST}
    largest, where, textual = _numbers(made.folder / NUMBERS, files[NUMBERS])
    if verdicts[NUMBERS] == "differs" and largest <= TOLERANCE:
        verdicts[NUMBERS] = "numbers"
    written(made.folder, {name: files[name] for name, v in verdicts.items() if v == "restored"})
    inputs = _inputs(made, json.loads(files[RECORD]))
    verified = "edited" not in verdicts.values() and largest <= TOLERANCE and not _changed(inputs)
    table = pl.DataFrame({"file": [*verdicts], "verdict": [*verdicts.values()]})
    return Rebuilt(table, inputs, largest, where, verified, textual)


def _study_of(made: Manifest, given: Study | str | Path | None) -> Study:
    """The study file."""
    if given is not None:
        return given_study(given)
    path = made.folder / made.asked.study
    if not path.exists():
        near = [p.name for p in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
        hint = did_you_mean(path.name, near)
        en, zh = f"the study file {path} is not there.", f"研究文件 {path} 不存在。"
        do = f"{hint.en} Say where it is: csi report STUDY --from {made.folder / RECORD}.".strip()
        do_zh = f"{hint.zh}请指明其位置：csi report STUDY --from {made.folder / RECORD}。"
        raise Problems([problem("E-REBUILD", str(made.folder), en, zh, do, do_zh)])
    return given_study(path)


def _as_then(study: Study, made: Manifest) -> Study:
    """The study with the resamples and errors that the command asked for."""
    own = replace(study.settings, replicates=made.asked.replicates, index_errors=cast("IndexErrors", made.asked.errors))
    return replace(study, settings=own)


def _verdict(made: Manifest, name: str, content: bytes) -> str:
    """How a file stands to what was written."""
    path = made.folder / name
    if not path.exists():
        return "restored"
    if digest(path.read_bytes()) != made.files.get(name):
        return "edited"
    return "same" if digest(content) == made.files[name] else "differs"


def _numbers(path: Path, content: bytes) -> tuple[float, str, bool]:
    """The largest difference of a number, where it is, whether it is of text."""
    try:
        then = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0.0, "", False
    return apart(then, json.loads(content))


def largest_difference(one: object, other: object, where: str = "") -> tuple[float, str]:
    """Largest |a - b| / max(1, |a|, |b|) of numbers at the same place, and the place; inf where anything else differs.

    Example:
        >>> largest_difference({"a": [1.0, 2.0]}, {"a": [1.0, 2.5]})
        (0.2, 'a.1')
        >>> largest_difference({"a": 1}, {"b": 1})
        (inf, 'a')
    """
    return apart(one, other, where)[:2]


def apart(one: object, other: object, where: str = "") -> tuple[float, str, bool]:
    """As `largest_difference`, and whether what differs there is text.

    Example:
        >>> apart({"title": {"zh": "甲"}}, {"title": {"zh": "乙"}})
        (inf, 'title.zh', True)
    """
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        odd = sorted(set(one) ^ set(other))
        if odd:
            return inf, f"{where}.{odd[0]}".lstrip("."), False
        parts = [apart(one[k], other[k], f"{where}.{k}") for k in one]
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        parts = [apart(a, b, f"{where}.{i}") for i, (a, b) in enumerate(zip(one, other, strict=True))]
    elif one == other:
        return 0.0, "", False
    elif isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return abs(one - other) / max(1.0, abs(one), abs(other)), where.lstrip("."), False
    else:
        return inf, where.lstrip("."), isinstance(one, str) and isinstance(other, str)
    return max(parts, default=(0.0, "", False), key=lambda part: part[0])


def _inputs(made: Manifest, record: Mapping[str, object]) -> pl.DataFrame:
    """What is not what it was: hashes of the inputs, versions."""
    try:
        then = json.loads((made.folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        then = {}
    old, new = (_flat(r.get("hashes", {})) for r in (then, record))
    rows = [(f"{HASH}{name}", old.get(name, ""), new.get(name, "")) for name in sorted({*old, *new}) if old]
    now = environment()
    rows += [(name, made.environment.get(name, ""), now.get(name, "")) for name in sorted({*made.environment, *now})]
    changed = [(what, _short(a), _short(b)) for what, a, b in rows if a != b]
    return pl.DataFrame(changed, schema={"what": pl.String, "then": pl.String, "now": pl.String}, orient="row")


HASH: Final = "SHA-256 of "


def _changed(inputs: pl.DataFrame) -> bool:
    """Whether an input (not a version) is another."""
    return bool(inputs["what"].str.starts_with(HASH).any())


def _flat(hashes: object) -> dict[str, str]:
    """Hashes of files beside those of the whole."""
    if not isinstance(hashes, Mapping):
        return {}
    whole = {str(k): str(v) for k, v in hashes.items() if isinstance(v, str)}
    files = hashes.get("files")
    return whole | ({str(k): str(v) for k, v in files.items()} if isinstance(files, Mapping) else {})


def _short(mark: str) -> str:
    """A hash by its first digits."""
    return mark[:12] if len(mark) == 64 else mark or "-"
