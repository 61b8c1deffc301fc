"""`csi track` prints what change it could have found."""

import json
import re

import pytest
from scipy import stats

from csi.cli import main


@pytest.fixture
def asked(capsys):
    def ask(*args):
        code = main([str(a) for a in args])
        out, err = capsys.readouterr()
        return code, out, err

    return ask


def test_the_detectable_change_is_printed(asked, study):
    settings = ("track", study, "--wave", "2026Q3", "--errors", "linearised", "--no-gate")
    out = asked(*settings, "--lang", "en")[1]
    rows = json.loads(asked(*settings, "--json")[1])["tracking"]
    z = stats.norm.ppf(0.975)
    for how, factor in (("z: significant in a", z), ("80% power,", z + stats.norm.ppf(0.8))):
        said = re.search(how + r" single test at 5%\): vs previous ([\d.–]+), vs year ago ([\d.–]+)\.\n", out)
        for kind, ends in zip(("previous", "year"), said.groups(), strict=True):
            expected = sorted(factor * r[f"std_error_{kind}"] for r in rows)
            assert ends == "–".join(dict.fromkeys(f"{v:.1f}" for v in (expected[0], expected[-1])))
    assert "最小可检出变化" in asked(*settings, "--lang", "zh")[1]


def test_the_first_wave_has_no_change_to_detect(asked, study):
    out = asked("track", study, "--wave", "2025Q3", "--errors", "linearised", "--no-gate", "--lang", "en")[1]
    assert "* significant at 5%" in out
    assert "Minimal detectable change" not in out
