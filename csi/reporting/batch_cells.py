"""Cells of a batch: which are worked out together, from which rows, and what their numbers come from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise

import numpy as np
import polars as pl

from csi.moments.assembled import FRACTION
from csi.moments.stack import Array, Ints, Sample
from csi.reporting.record import versions
from csi.study.fitted import base_of
from csi.study.settings import Settings
from csi.study.study import Study
from csi.survey.columns import named
from csi.survey.panel import Panel
from csi.tracking.waves import wave_order

BLOCK = 1024
"""Cells worked out together where the rule of the weights asks for no more."""

_ELSEWHERE = frozenset(
    [
        "telling",
        "gating",
        "rates",
        "tree",
        "waves_per_year",
        "flagged",
        "classes",
        "base_wave",
        "imputations",
        "index_weights",
        "window",
    ]
)
"""Settings that move no number of a cell's record, or do so through the cells that its weights come from."""

_RESAMPLING = frozenset(["replicates", "seed", "resampling", "interval", "improper", "replicate_weights"])
"""Settings that move a number under bootstrap errors alone."""


def sources_of(study: Study, sample: Sample) -> list[Ints]:
    """Per cell, the cells that determine its weights (under "own" the cell alone).

    A covariance model's weights come from the loadings of the base wave's cells, or of all.
    """
    rule, cells = study.settings.index_weights, sample.cells
    if study.settings.covariance:
        rule = "base" if rule == "base" else "pooled"
    if study.settings.formula == "F5" or (rule == "own" and not study.settings.covariance):
        return [np.zeros(0, dtype=np.int64)] * cells.height
    if rule == "base":
        return [np.flatnonzero((cells["wave"] == base_of(study)).to_numpy())] * cells.height
    if rule == "rolling":
        order, waves = wave_order(cells), cells["wave"].to_numpy()
        last = [order.index(w) for w in waves]
        window = {k: np.isin(waves, order[max(k - study.settings.window + 1, 0) : k + 1]) for k in set(last)}
        places = {k: np.flatnonzero(within) for k, within in window.items()}
        return [places[k] for k in last]
    if rule in {"entity", "wave"}:
        keys = ["wave"] if rule == "wave" else [k for k in cells.columns if k not in {"wave", "n"}]
        names = list(cells.select(keys).iter_rows())
        together: dict[tuple[object, ...], list[int]] = {}
        for c, name in enumerate(names):
            together.setdefault(name, []).append(c)
        arrays = {name: np.array(found) for name, found in together.items()}
        return [arrays[name] for name in names]
    return [np.arange(cells.height)] * cells.height


def blocks_of(todo: Sequence[int], sources: Sequence[Ints], size: int = BLOCK) -> Iterator[list[int]]:
    """The cells still to do, those with the same sources beside each other.

    Example:
        >>> [*blocks_of([0, 1, 2], [np.array([0]), np.array([1]), np.array([0])])]
        [[0, 2], [1]]
    """
    together: dict[bytes, list[int]] = {}
    for c in todo:
        together.setdefault(sources[c].tobytes(), []).append(c)
    for cells in together.values():
        for start in range(0, len(cells), size):
            yield cells[start : start + size]


def part_of(sample: Sample, taking_part: Ints, *, drawn: bool) -> Sample:
    """The rows of some cells. Where nothing is drawn, units of strata that do not occur are left out as well.

    Strata keep all their units, so that variances are those of the whole sample.

    Parameters:
        sample: sorted by cell. taking_part: numbers of cells, ascending. drawn: the resampling plan needs every unit.
    """
    ends = np.concatenate([[0], np.cumsum(sample.cells["n"].to_numpy())]).astype(np.int64)
    keep = np.concatenate([np.arange(ends[c], ends[c + 1]) for c in taking_part.tolist()])
    counts = ends[taking_part + 1] - ends[taking_part]
    part = replace(
        sample,
        rows=sample.rows[keep],
        weight=sample.weight[keep],
        cell=np.repeat(np.arange(taking_part.size), counts).astype(np.int64),
        unit=sample.unit[keep],
        cells=sample.cells[taking_part.tolist()],
        group=None if sample.group is None else sample.group[keep],
        place=None if sample.place is None else sample.place[keep],
    )
    return part if drawn else _narrowed(part)


def _narrowed(part: Sample) -> Sample:
    """Units and strata renumbered to the strata that occur."""
    used = np.zeros(int(part.stratum.max()) + 1, dtype=bool)
    used[part.stratum[part.unit]] = True
    kept = used[part.stratum]
    number = np.cumsum(kept) - 1
    return replace(
        part,
        unit=number[part.unit].astype(np.int64),
        stratum=(np.cumsum(used) - 1)[part.stratum[kept]].astype(np.int64),
        layer=None if part.layer is None else part.layer[kept],
        stream=None if part.stream is None else part.stream[used],
    )


@dataclass(frozen=True, slots=True)
class Marks:
    """What each cell's numbers come from, as SHA-256: `data` of its rows, `weights` of the rows behind its weights.

    Attributes:
        settings: name -> value of everything else that moves a number.
    """

    data: tuple[str, ...]
    weights: tuple[str, ...]
    settings: dict[str, str]

    def of(self, c: int) -> dict[str, object]:
        """What the record of a cell says of it; two records with the same are of the same numbers."""
        return {"data": self.data[c], "weights": self.weights[c], "settings": self.settings}


def marks_of(study: Study, panel: Panel, sample: Sample, sources: Sequence[Ints]) -> Marks:
    """The marks of every cell: answers, design weights, units and strata, the cells of its weights, settings."""
    own = _own(study, panel, sample)
    shared: dict[bytes, str] = {}
    for cells in sources:
        tag = cells.tobytes()
        if tag not in shared:
            shared[tag] = hashlib.sha256("".join(own[i] for i in cells).encode()).hexdigest()
    return Marks(tuple(own), tuple(shared[cells.tobytes()] for cells in sources), _settings(study, sample))


def _settings(study: Study, sample: Sample) -> dict[str, str]:
    """Settings, model, scales and versions that move numbers, as text."""
    said = {k: v for k, v in asdict(study.settings).items() if k not in _ELSEWHERE}
    if study.settings.index_errors != "bootstrap":
        said = {k: v for k, v in said.items() if k not in _RESAMPLING}
    scales = [*zip(sample.names, sample.minimum.tolist(), sample.maximum.tolist(), strict=True)]
    rule = {"weights": study.settings.index_weights, "base": base_of(study)}
    window = {"window": study.settings.window} if study.settings.index_weights == "rolling" else {}
    every = {**said, **rule, **window, "model": str(study.model), "scales": scales, **versions()}
    return {k: v if isinstance(v, str) else json.dumps(v, ensure_ascii=False, default=str) for k, v in every.items()}


def _own(study: Study, panel: Panel, sample: Sample) -> list[str]:
    """Per cell, the SHA-256 of its rows with their design; units count by which rows they share, not by number."""
    place = np.arange(len(sample.rows)) if sample.place is None else sample.place
    design = [_raw(panel, study.settings, place), sample.stratum[sample.unit].astype(np.float64)[:, None]]
    size = np.bincount(sample.stratum)[sample.stratum[sample.unit]].astype(np.float64)
    ends = np.concatenate([[0], np.cumsum(sample.cells["n"].to_numpy())]).astype(np.int64)
    found, whole = [], _whole(study, panel)
    for a, b in pairwise(ends):
        made = hashlib.sha256(np.ascontiguousarray(sample.rows[a:b]).tobytes() + whole)
        made.update(np.ascontiguousarray(design[0][a:b]).tobytes())
        made.update(_pattern(sample.unit[a:b]).tobytes())
        made.update(_pattern(sample.stratum[sample.unit[a:b]]).tobytes())
        made.update(size[a:b].tobytes())
        found.append(made.hexdigest())
    return found


def _whole(study: Study, panel: Panel) -> bytes:
    """The design of all rows, which replicate weights that are made of it come from; nothing where none are."""
    given = study.settings.replicate_weights
    if given is None or not given.make or study.settings.index_errors != "bootstrap":
        return b""
    roles = {"respondent", "wave", "brand", "weight", "stratum", "cluster", FRACTION}
    roles |= set() if panel.weighing is None else {v for names in panel.weighing.variables for v in names}
    design = panel.frame.select([c for c in panel.frame.columns if c in roles])
    return design.hash_rows().to_numpy().tobytes() if design.width else str(panel.frame.height).encode()


def _raw(panel: Panel, settings: Settings, place: Ints) -> Array:
    """(n, k) weights as they were given: of the design, and of replicates where the errors come from those."""
    given = settings.replicate_weights if settings.index_errors == "bootstrap" else None
    names = [] if given is None or given.make else list(named(given.columns, panel.frame.columns))
    names += ["weight"] if "weight" in panel.frame.columns else []
    found: Array = (
        panel.frame.select(pl.col(names).cast(pl.Float64))[place.tolist()].to_numpy()
        if names
        else np.zeros((place.size, 0))
    )
    return found


def _pattern(codes: Ints) -> Ints:
    """Codes renumbered in the order in which they first occur.

    Example:
        >>> _pattern(np.array([7, 7, 2, 7])).tolist()
        [0, 0, 1, 0]
    """
    if codes.size == 0 or (codes == codes[0]).all():
        return np.zeros(codes.size, dtype=np.int64)
    if (np.diff(codes) > 0).all():
        return np.arange(codes.size, dtype=np.int64)
    _, first, at = np.unique(codes, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first, kind="stable"), kind="stable")[at], dtype=np.int64)
