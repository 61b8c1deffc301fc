"""The help of a verb is in one language."""

import argparse
import importlib
import re

import pytest

from csi.cli.helped import known, untold
from csi.cli.verbs import VERBS

PRACTICE = (
    "init", "check", "index", "tree", "track", "league", "batch", "append", "diff", "comparable", "report", "simulate",
    "models", "explain", "fit", "quality", "missing", "weigh", "waves", "coding",
)  # fmt: skip
"""Verbs whose help is in Chinese throughout."""


@pytest.mark.parametrize("verb", PRACTICE)
def test_every_option_has_chinese_words(verb):
    parser = argparse.ArgumentParser(prog=f"csi {verb}")
    importlib.import_module(f"csi.cli.{verb}").arguments(parser)
    assert untold(parser, known()) == []


def test_a_page_of_help_is_in_one_language(asked):
    code, out, err = asked("report", "--help", "--lang", "zh")
    assert (code, err) == (0, "")
    assert out.startswith("用法：csi report [-h]")
    for said in (VERBS["report"].zh, "选项", "报告的期次（默认最近有答卷的一期）", "显示本帮助并退出"):
        assert said in out
    assert "show this help" not in out
    english = asked("report", "--help", "--lang", "en")[1]
    assert not re.search("[\u4e00-\u9fff]", english)
    assert "the report's wave (the latest with answers by default)" in english


def test_a_verb_with_words_of_its_own_is_english_throughout(asked):
    known_ = known()
    verb = next(v for v in VERBS if v == "nca")
    parser = argparse.ArgumentParser()
    importlib.import_module(f"csi.cli.{verb}").arguments(parser)
    out = asked(verb, "--help", "--lang", "zh")[1]
    assert bool(untold(parser, known_)) != (VERBS[verb].zh in out)
