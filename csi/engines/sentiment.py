"""Adapters for SnowNLP (Chinese) and VADER (English): how texts sound, 0 to 1, as second analysers of comments.

SnowNLP (MIT) is naive Bayes trained on shopping reviews: a sign rather than a strength. VADER (MIT) is a lexicon with
rules: r = .88 with the mean of human raters on tweets.

Source:
    Hutto & Gilbert (2014), ICWSM 8, 216-225 (VADER).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from csi.errors import MissingPackage
from csi.moments.stack import Array

HOW = 'scoring comments with {} needs {}: pip install "csi[text]" (or score them with the lexicon, or yourself)'


@dataclass(frozen=True, slots=True)
class SnowNlp:
    """SnowNLP's probability that a Chinese text is favourable."""

    name: str = "SnowNLP"
    languages: tuple[str, ...] = ("zh",)

    def score(self, texts: Sequence[str]) -> Array:
        """(n,) 0 to 1.

        Raises:
            MissingPackage: snownlp is not installed.
        """
        try:
            from snownlp import SnowNLP
        except ImportError as error:
            raise MissingPackage(HOW.format("SnowNLP", "snownlp")) from error
        return np.array([float(SnowNLP(t).sentiments) for t in texts], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Vader:
    """VADER's compound score of an English text, moved from -1..1 to 0..1."""

    name: str = "VADER"
    languages: tuple[str, ...] = ("en",)

    def score(self, texts: Sequence[str]) -> Array:
        """(n,) 0 to 1.

        Raises:
            MissingPackage: vaderSentiment is not installed.
        """
        try:
            from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
        except ImportError as error:
            raise MissingPackage(HOW.format("VADER", "vaderSentiment")) from error
        analyse = SentimentIntensityAnalyzer().polarity_scores
        return np.array([(float(analyse(t)["compound"]) + 1) / 2 for t in texts], dtype=np.float64)
