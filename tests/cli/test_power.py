"""`csi power`: what a person reads and what a machine gets."""

import json

POPULATION = "x =~ .8*x1 + .8*x2 + .7*x3; y =~ .7*y1 + .7*y2 + .6*y3; y ~ .3*x"


def test_power_says_the_third_of_three(asked):
    code, out, err = asked("power", "rmsea", "--df", "10", "--rmsea", ".08", "--power", ".8", "--lang", "en")
    assert (code, err) == (0, "")
    assert "782 people" in out
    code, out, _ = asked("power", "pls", "--path", ".197", "--power", ".8", "--lang", "zh")
    assert "160 人" in out
    code, out, _ = asked("power", "invariance", "--df", "20", "--df-constrained", "22", "--rmsea", ".04",
                         "--rmsea-constrained", ".06", "--n", "200", "--groups", "1", "--json")  # fmt: skip
    assert abs(json.loads(out)["power"] - 0.789) < 0.0005


def test_power_of_a_population_in_a_file(asked, tmp_path):
    path = tmp_path / "population.txt"
    path.write_text(POPULATION, encoding="utf-8")
    code, out, _ = asked("power", "path", str(path), "--parameter", "y ~ x", "--power", ".8", "--json")
    assert (code, json.loads(out)["n"]) == (0, 146)
    code, out, _ = asked("power", "model", POPULATION, "--n", "120", "--replicates", "40", "--lang", "en")
    assert code == 0
    assert "y ~ x" in out
    code, out, _ = asked("power", "model", POPULATION, "--n", "120", "--replicates", "40", "--json")
    assert {"parameters", "fits"} <= set(json.loads(out))


def test_what_is_typed_wrong_is_told(asked):
    code, _, err = asked("power", "rmsea", "--df", "10", "--items", "3", "--lang", "en")
    assert (code, "--items" in err) == (2, True)
    code, _, err = asked("power", "alpha", "--alpha", ".8", "--lang", "en")
    assert (code, "--items" in err) == (2, True)
    code, _, err = asked("power", "rmsea", "--df", "10", "--rmsea", ".08", "--power", "1.4", "--lang", "en")
    assert (code, "power" in err) == (1, True)
    code, _, err = asked("power", "path", "nowhere.txt", "--parameter", "y ~ x", "--n", "100", "--lang", "en")
    assert (code, "no file" in err) == (2, True)
