"""SnowNLP and VADER behind one protocol; without them a message names the extra."""

from __future__ import annotations

import sys

import polars as pl
import pytest

import csi
from csi.engines.sentiment import SnowNlp, Vader
from csi.errors import MissingPackage


@pytest.mark.parametrize(("analyser", "module"), [(SnowNlp(), "snownlp"), (Vader(), "vaderSentiment.vaderSentiment")])
def test_a_package_that_is_not_there_is_named_with_its_extra(analyser, module, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingPackage, match=r"csi\[text\]"):
        analyser.score(["good"])


def test_vader_gives_its_published_signs():
    pytest.importorskip("vaderSentiment.vaderSentiment")
    scores = Vader().score(["Not good at all, still waiting", "very kind"])
    assert scores[0] == pytest.approx((1 - 0.341) / 2, abs=5.1e-4)
    assert scores[1] > 0.7


@pytest.mark.filterwarnings("ignore")
def test_snownlp_gives_the_signs_seen():
    pytest.importorskip("snownlp")
    scores = SnowNlp().score(["不便宜但是值得", "没有问题", "再也不会买了", "超出预期,很惊喜", "服务不好"])
    assert scores.tolist() == pytest.approx([0.740, 0.526, 0.279, 0.942, 0.234], abs=5.1e-4)


@pytest.mark.filterwarnings("ignore")
def test_each_sentence_goes_to_the_analyser_of_its_language():
    pytest.importorskip("snownlp")
    pytest.importorskip("vaderSentiment.vaderSentiment")
    said = pl.DataFrame({"id": ["a", "b"], "text": ["服务不好", "very kind"]})
    found = csi.comments(said, analyser="packages", small=0)
    assert found.analyser == "SnowNLP, VADER"
    assert [t > 0.5 for t in found.rows["tone"]] == [False, True]
