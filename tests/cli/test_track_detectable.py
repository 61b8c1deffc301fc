"""`csi track` prints what change it could have found."""

import json
import re

import pytest

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
    names = {"t: significant in a": "smallest_significant", "80% power,": "minimal_detectable"}
    for how, column in names.items():
        said = re.search(how + r" single test at 5%\): vs previous ([\d.–]+), vs year ago ([\d.–]+)\.\n", out)
        for kind, ends in zip(("previous", "year"), said.groups(), strict=True):
            expected = sorted(r[f"{column}_{kind}"] for r in rows)
            beyond = [abs(r[f"change_{kind}"]) > r[f"smallest_significant_{kind}"] for r in rows]
            assert beyond == [r[f"p_value_{kind}"] < 0.05 for r in rows]
            assert ends == "–".join(dict.fromkeys(f"{v:.1f}" for v in (expected[0], expected[-1])))
    assert "最小可检出变化" in asked(*settings, "--lang", "zh")[1]


def test_the_first_wave_has_no_change_to_detect(asked, study):
    out = asked("track", study, "--wave", "2025Q3", "--errors", "linearised", "--no-gate", "--lang", "en")[1]
    assert "* significant at 5%" in out
    assert "Minimal detectable change" not in out
