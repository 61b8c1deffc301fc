"""Sentences computed from numbers, in Chinese and English; each rule that cannot decide says so neutrally."""

from csi.reporting.words.causes import chain, held_paths, model, points, priorities, stages
from csi.reporting.words.facts import Change, Gap, Named, Standing
from csi.reporting.words.phrases import (
    arrows,
    begun,
    capital,
    listed,
    lowered,
    named,
    p_said,
    period,
    sentence,
    set_in_chinese,
    wave_name,
)
from csi.reporting.words.quality import fieldwork, items, measurement, separation
from csi.reporting.words.standing import headline, league, movement, trend

__all__ = [
    "Change",
    "Gap",
    "Named",
    "Standing",
    "arrows",
    "begun",
    "capital",
    "chain",
    "fieldwork",
    "headline",
    "held_paths",
    "items",
    "league",
    "listed",
    "lowered",
    "measurement",
    "model",
    "movement",
    "named",
    "p_said",
    "period",
    "points",
    "priorities",
    "sentence",
    "separation",
    "set_in_chinese",
    "stages",
    "trend",
    "wave_name",
]
