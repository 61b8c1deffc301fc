"""A batch of answers as sums by brand and wave, with the hashes that tell it from every other batch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import polars as pl

from csi.moments.sample import sample_of
from csi.reporting.append_checks import LEAST
from csi.reporting.record import codebook_hash
from csi.study.estimator import estimator_of
from csi.study.fitted import CELLS
from csi.study.study import Study
from csi.survey.panel import Panel
from csi.tracking.store import Batch, Seen, Store, centre_of, sums_of


def counted(study: Study, panel: Panel) -> Store:
    """The sums of a panel's complete rows by brand and wave, as a store of one batch; without any where none is."""
    items = estimator_of(study.settings).needs(study.model)
    if not panel.frame.drop_nulls(list(items)).height:
        return _nothing(study, panel, items)
    sample = sample_of(panel, items, CELLS, missing="listwise")
    place = np.arange(len(sample.rows)) if sample.place is None else sample.place
    frame = panel.frame[place.tolist()]
    weight = frame["weight"].to_numpy() if "weight" in frame.columns else np.ones(frame.height)
    centre = centre_of(sample.minimum, sample.maximum)
    sums = sums_of(sample.rows, weight, sample.cell, sample.cells.height, centre)
    return Store(
        names=sample.names,
        minimum=sample.minimum,
        maximum=sample.maximum,
        cells=sample.cells.drop("n"),
        sums=sums,
        batches=(_batch(panel, frame, sample.names),),
        seen=seen_of(panel.frame),
        origin=origin_of(study, sample.names),
    )


def _batch(panel: Panel, used: pl.DataFrame, names: tuple[str, ...]) -> Batch:
    """What is known of a batch; a few answers without names may be those of another day, word for word."""
    hashes = "+".join(s.sha256 for s in panel.sources if s.sha256)
    files = "+".join(s.name for s in panel.sources) or "frame"
    told = "respondent" in used.columns or used.height >= LEAST
    return Batch(files, hashes, content_of(used, names) if told else "", panel.frame.height, used.height)


def _nothing(study: Study, panel: Panel, items: Sequence[str]) -> Store:
    """The store of a batch of which no row is complete."""
    scales = [panel.codebook[i].scale for i in items]
    low, high = (np.array([getattr(s, end) for s in scales], dtype=np.float64) for end in ("minimum", "maximum"))
    none = np.zeros((0, len(items)))
    at = np.zeros(0, dtype=np.int64)
    return Store(
        names=tuple(items),
        minimum=low,
        maximum=high,
        cells=pl.DataFrame(schema=dict.fromkeys(CELLS, pl.String)),
        sums=sums_of(none, np.zeros(0), at, 0, centre_of(low, high)),
        batches=(_batch(panel, panel.frame.clear(), tuple(items)),),
        seen=seen_of(panel.frame.clear()),
        origin=origin_of(study, tuple(items)),
    )


def content_of(frame: pl.DataFrame, items: tuple[str, ...]) -> str:
    """SHA-256 of the answers used, whatever the order of rows and the format of the file."""
    keys = [k for k in ("brand", "wave", "respondent", "weight") if k in frame.columns]
    lines = sorted(frame.select(*keys, *items).write_csv(include_header=False).splitlines())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def seen_of(frame: pl.DataFrame) -> Seen:
    """Sorted 64-bit hashes of respondent, brand and wave; none where respondents have no names."""
    if "respondent" not in frame.columns:
        return np.array([], dtype=np.uint64)
    named = frame.filter(pl.col("respondent").is_not_null()).select("respondent", *CELLS)
    lines = ("\x1f".join("" if v is None else str(v) for v in row).encode() for row in named.iter_rows())
    digests = b"".join(hashlib.blake2b(line, digest_size=8).digest() for line in lines)
    return np.unique(np.frombuffer(digests, dtype=np.uint64))


def origin_of(study: Study, items: tuple[str, ...]) -> str:
    """SHA-256 of what the sums mean: codebook, rules, items."""
    said = {"codebook": codebook_hash(study.codebook), "rules": asdict(study.rules), "items": items}
    return hashlib.sha256(json.dumps(said, ensure_ascii=False, default=str).encode()).hexdigest()
