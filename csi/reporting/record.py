"""record.json: what a second person needs to get the same numbers; no clock, no path of a machine."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import platform
from importlib import metadata

import csi
from csi.reporting.analysis import Analysis
from csi.reporting.cell_marks import cell_marks
from csi.reporting.waves import wave_record
from csi.survey.codebook import Codebook
from csi.survey.panel import Panel

PACKAGES = ("numpy", "scipy", "polars")
"""Packages whose version can change a number, besides our own."""


def record(analysis: Analysis) -> dict[str, object]:
    """Hashes, seed, versions, settings, waves, the rules' effects, the index rule, notes.

    Returns:
        Plain values; the same analysis gives the same record.
    """
    a, settings = analysis, analysis.study.settings
    return {
        "study": a.study.name,
        "wave": a.wave,
        "previous": a.previous,
        "year_ago": a.year_ago,
        "waves": list(a.waves),
        "focal": a.focal,
        "answers": dict(a.n),
        "hashes": {
            "data": data_hash(a.panel),
            "study": a.study.sha256,
            "codebook": codebook_hash(a.study.codebook),
            "files": {s.name: s.sha256 for s in a.panel.sources},
        },
        "cells": cell_marks(a.panel),
        "design": wave_record(a.study, a.panel, a.repeats),
        "seed": settings.seed,
        "settings": dataclasses.asdict(settings),
        "rules": dataclasses.asdict(a.study.rules),
        "alerts": [dataclasses.asdict(rule) for rule in a.study.alerts],
        "events": [dataclasses.asdict(event) for event in a.study.events],
        "effects": [dataclasses.asdict(e) for e in a.panel.audit],
        "index": {
            "rule": a.index.rule,
            "base": a.index.base,
            "scheme": a.index.scheme,
            "level": a.index.level,
            "covers": "sampling error only",
        },
        "model": {"card": a.model.card, "text": str(a.model)},
        "replicates": counts(a),
        "versions": {"python": platform.python_version(), **versions()},
        "notes": [
            {"code": n.code, "en": n.text.en, "zh": n.text.zh}
            for n in dict.fromkeys((*a.notes, *a.panel.notes, *a.stack.notes, *a.index.notes))
        ],
    }


def versions() -> dict[str, str]:
    """Package -> version, for packages that can change a number.

    Example:
        >>> sorted(versions())
        ['csi', 'numpy', 'polars', 'scipy']
    """
    return {"csi": csi.__version__, **{name: metadata.version(name) for name in PACKAGES}}


def data_hash(panel: Panel) -> str:
    """SHA-256 over the hashes of the panel's files; over the kept answers when it came from a frame.

    Example:
        >>> from csi.survey.panel import Source
        >>> import polars as pl
        >>> book = Codebook((), {}, {})
        >>> files = (Source("a.csv", "00", 1, (), ()),)
        >>> data_hash(Panel(pl.DataFrame(), book, pl.DataFrame(), sources=files))[:8]
        'f1534392'
    """
    digests = [s.sha256 for s in panel.sources if s.sha256]
    if digests:
        return hashlib.sha256("".join(digests).encode()).hexdigest()
    return hashlib.sha256(panel.frame.write_csv().encode()).hexdigest()


def codebook_hash(codebook: Codebook) -> str:
    """SHA-256 over everything the codebook says."""
    said = {
        "items": [dataclasses.asdict(i) for i in codebook.items],
        "constructs": {name: dataclasses.asdict(text) for name, text in codebook.constructs.items()},
        "keys": dict(codebook.keys),
    }
    return hashlib.sha256(json.dumps(said, ensure_ascii=False, default=dict).encode()).hexdigest()


def counts(analysis: Analysis) -> list[dict[str, object]]:
    """Replicates of the focal brand's model that failed or have a negative weight."""
    if analysis.cell is None or analysis.cell.estimate.replicates is None:
        return []
    return list(analysis.cell.estimate.replicates.counts.iter_rows(named=True))
