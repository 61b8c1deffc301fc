"""`csi explain` of a rule on answers: what it looks at, its threshold, its source."""

import pytest

from csi.survey.rule_words import LIMITS, RULE_WORDS
from csi.survey.rules import Rules


@pytest.mark.parametrize("rule", sorted(RULE_WORDS))
def test_every_rule_is_explained_with_its_threshold_and_source(asked, rule):
    for lang in ("en", "zh"):
        code, out, _ = asked("explain", rule, "--lang", lang)
        assert code == 0
        words = RULE_WORDS[rule]
        plain = " ".join(out.split())
        for said in (words.label, words.what, words.source):
            assert " ".join(said.say(lang).split()) in plain
        for key in LIMITS.get(rule, ()):
            value = getattr(Rules(), key)
            assert (f"{key}: {value:g}" if isinstance(value, int | float) else key) in out
