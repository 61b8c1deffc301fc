"""`csi fit MODEL DATA`: a model text and a data file, without a study."""

import json

import numpy as np
import polars as pl
import pytest

import csi
from csi.cli import main

MODEL = "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6\ng ~ b*f\ntwice := 2*b\n"
N = 300


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    draw = np.random.default_rng(3)
    f = draw.normal(size=N)
    g = 0.5 * f + draw.normal(size=N)
    items = {f"x{j + 1}": np.round((f if j < 3 else g) + draw.normal(size=N), 2) for j in range(6)}
    return pl.DataFrame({**items, "school": ["Anna", "Bert"] * (N // 2), "w": np.tile([1.0, 2.0, 3.0], N // 3)})


@pytest.fixture
def files(frame, tmp_path):
    """A model and its data, as words of the command line."""
    (tmp_path / "model.lav").write_text(MODEL, encoding="utf-8")
    frame.write_csv(tmp_path / "answers.csv")
    return str(tmp_path / "model.lav"), str(tmp_path / "answers.csv")


@pytest.fixture
def asked(capsys):
    """Run `csi fit ...`; its code, its text, and what went to standard error."""

    def run(*words):
        code = main(["fit", *words])
        seen = capsys.readouterr()
        return code, seen.out, seen.err

    return run


def test_what_a_person_reads(asked, files):
    code, out, err = asked(*files, "--lang", "en")
    assert (code, err) == (0, "")
    head = out.splitlines()
    assert head[0] == "model.lav · answers.csv · SEM (ML)"
    assert head[1].startswith("n = 300 · 13 free parameters · converged after")
    assert head[2].startswith("χ²(8) = ")
    for said in (
        "CFI ",
        "RMSEA ",
        "SRMR ",
        "AIC ",
        "\nLoadings\n",
        "\nPaths\n",
        "\nVariances",
        "\nDefined\n",
        "\nR²\n",
    ):
        assert said in out


def test_in_chinese(asked, files):
    code, out, _ = asked(*files, "--lang", "zh")
    assert code == 0
    for said in ("个自由参数", "收敛", "载荷", "路径系数", "定义的参数"):
        assert said in out


def test_the_printed_numbers_are_those_of_the_fit(asked, files, frame):
    est = csi.fit(csi.Model.parse(MODEL), frame, csi.SEM(estimator="MLR"))
    row = est.table.row(by_predicate=pl.col("op") == "~", named=True)
    _, out, _ = asked(*files, "--estimator", "MLR", "--lang", "en")
    line = next(text for text in out.splitlines() if text.startswith("g  f"))
    assert line.split()[:5] == ["g", "f", "b", f"{row['estimate']:.3f}", f"{row['std_error']:.3f}"]
    assert "yuan.bentler" in out


def test_full_precision_for_machines(machine, files, frame):
    found = machine(*files)
    est = csi.fit(csi.Model.parse(MODEL), frame, csi.SEM())
    assert [r["estimate"] for r in found["parameters"]] == pytest.approx(est.table["estimate"].to_list(), rel=1e-12)
    measures = {r["measure"]: r["value"] for r in found["fit_measures"]}
    assert measures["cfi"] == pytest.approx(csi.fit_measures(est)["cfi"], rel=1e-12)
    assert {r["variable"] for r in found["r2"]} == {"g", *(f"x{j}" for j in range(1, 7))}
    assert found["settings"]["missing"] == "listwise"
    assert csi.Model.parse(found["model"]) == csi.Model.parse(MODEL)
    assert found["versions"]["csi"] == csi.__version__
    assert found["withheld"] == []


def test_options_stand_anywhere(machine, files):
    model, data = files
    first = machine(model, "--estimator", "MLR", data, "--std-lv")
    second = machine(model, data, "--std-lv", "--estimator", "MLR")
    assert first["parameters"] == second["parameters"]
    assert first["settings"]["std_lv"] is True


def test_the_model_may_be_typed(machine, files):
    assert len(machine("f =~ x1 + x2 + x3", files[1])["parameters"]) == 7


def test_groups_with_equal_and_free(machine, files, frame):
    found = machine(*files, "--groups", "school", "--equal", "loadings,intercepts", "--free", "f =~ x2, x5 ~ 1")
    settings = csi.SEM(groups="school", equal=("loadings", "intercepts"), free=("f =~ x2", "x5 ~ 1"))
    est = csi.fit(csi.Model.parse(MODEL), frame, settings)
    assert [r["estimate"] for r in found["parameters"]] == pytest.approx(est.table["estimate"].to_list(), rel=1e-12)
    assert {r["group"] for r in found["parameters"]} == {"Anna", "Bert", None}


def test_groups_are_printed_apart(asked, files):
    _, out, _ = asked(*files, "--groups", "school", "--lang", "en")
    assert "\nGroup Anna\n" in out
    assert "\nGroup Bert\n" in out
    assert "(Anna 150; Bert 150)" in out


def test_cells_by_a_column(machine, asked, files):
    found = machine(*files, "--by", "school")
    assert [(c["school"], c["n"], c["converged"]) for c in found["cells"]] == [
        ("Anna", 150, True), ("Bert", 150, True),
    ]  # fmt: skip
    only = machine(*files, "--where", "school=Bert")
    bert = [r["estimate"] for r in found["parameters"] if r["school"] == "Bert"]
    assert bert == pytest.approx([r["estimate"] for r in only["parameters"]], abs=1e-7)
    assert "2 cells" in asked(*files, "--by", "school", "--lang", "en")[1]


def test_all_items_ordinal(machine, frame, files, tmp_path):
    coded = frame.with_columns(pl.col("^x.$").clip(-1.4, 1.4).round(0) + 2)
    coded.write_csv(tmp_path / "coded.csv")
    found = machine(files[0], str(tmp_path / "coded.csv"), "--ordered", "all")
    assert found["settings"]["ordered"] == [f"x{j}" for j in range(1, 7)]
    assert "|" in {r["op"] for r in found["parameters"]}


def test_predictors_of_ordinal_items_are_given_or_joint(machine, asked, frame, tmp_path):
    coded = frame.with_columns(pl.col("^x[1-5]$").clip(-1.4, 1.4).round(0) + 2)
    coded.write_csv(tmp_path / "coded.csv")
    words = ("f =~ x1 + x2 + x3 + x4; f ~ x6", str(tmp_path / "coded.csv"), "--ordered", "x1,x2,x3,x4")
    found = [machine(*words, *more)["parameters"] for more in ((), ("--conditional-x",), ("--no-conditional-x",))]
    slopes = [next(r["estimate"] for r in rows if r["op"] == "~") for rows in found]
    assert slopes[0] == slopes[1] != slopes[2]
    assert "--no-conditional-x models them jointly" in asked(*words, "--lang", "en")[1]


def test_missing_codes_words_and_blanks(machine, frame, files, tmp_path):
    text = frame.write_csv().splitlines()
    text[1] = "99," + text[1].split(",", 1)[1]
    text[2] = "NA," + text[2].split(",", 1)[1]
    text[3] = "," + text[3].split(",", 1)[1]
    (tmp_path / "holes.csv").write_text("\n".join(text), encoding="utf-8")
    found = machine(files[0], str(tmp_path / "holes.csv"), "--na", "99", "--missing", "fiml")
    told = {n["code"]: n["text"] for n in found["notes"]}
    assert {"N-MISSING-CODES", "N-ABSENT-WORDS", "N-MISSING"} <= set(told)
    assert "3 of 300" in told["N-MISSING"] or "300 行中有 3 行" in told["N-MISSING"]


def test_parquet_is_read_too(machine, files, frame, tmp_path):
    frame.write_parquet(tmp_path / "a.parquet")
    assert machine(files[0], str(tmp_path / "a.parquet"))["parameters"] == machine(*files)["parameters"]


def test_weights_and_clusters(machine, files, frame):
    found = machine(*files, "--weight", "w", "--cluster", "school", "--estimator", "MLR", "--meanstructure")
    settings = csi.SEM(estimator="MLR", meanstructure=True)
    est = csi.fit(csi.Model.parse(MODEL), frame, settings, weight="w", unit="school")
    errors = [r["std_error"] for r in found["parameters"] if r["std_error"] is not None]
    assert errors == pytest.approx([e for e in est.table["std_error"] if e is not None], rel=1e-9)


def test_resampling(machine, asked, files):
    first = machine(*files, "--bootstrap", "100", "--seed", "4")
    path = next(r for r in first["parameters"] if r["op"] == "~")
    assert path["conf_low"] < path["estimate"] < path["conf_high"]
    assert first["parameters"] == machine(*files, "--bootstrap", "100", "--seed", "4")["parameters"]
    assert "low" in asked(*files, "--bootstrap", "100", "--lang", "en")[1]


def test_modification_indices(machine, asked, files):
    found = machine(*files, "--modification")["modification_indices"]
    largest = max(found, key=lambda r: r["mi"])
    out = asked(*files, "--modification", "3", "--lang", "en")[1].split("Largest modification indices\n")[1]
    assert out.splitlines()[2].split()[:3] == [largest["lhs"], largest["op"], largest["rhs"]]
    assert len([line for line in out.splitlines() if line]) == 5


def test_an_unidentified_model_has_no_modification_indices_but_a_reason(machine, asked, files):
    words = ("f =~ NA*x1 + x2 + x3", files[1], "--modification")
    code, out, err = asked(*words, "--lang", "en")
    assert err == ""
    assert "R-IDENT" in out.split("Largest modification indices\n")[1]
    assert {r["reason"] for r in machine(*words, code=code)["modification_indices"]} == {"R-IDENT"}


def test_paths_of_a_collinear_model_are_withheld(asked, machine, frame, files, tmp_path):
    f, draw = np.random.default_rng(3).normal(size=N), np.random.default_rng(6)
    twins = frame.with_columns(pl.Series(f"y{j}", f + draw.normal(size=N)) for j in (1, 2, 3))
    twins.write_csv(tmp_path / "twins.csv")
    model = "f =~ x1 + x2 + x3\nh =~ y1 + y2 + y3\ng =~ x4 + x5 + x6\ng ~ f + h"
    (tmp_path / "twins.lav").write_text(model, encoding="utf-8")
    words = str(tmp_path / "twins.lav"), str(tmp_path / "twins.csv")
    found = machine(*words, code=3)
    assert "E-COLL" in [w["code"] for w in found["withheld"]]
    assert {r["estimate"] for r in found["parameters"] if r["op"] == "~"} == {None}
    code, out, _ = asked(*words, "--lang", "en")
    assert code == 3
    assert "Paths: withheld." in out
    shown = machine(*words, "--show-anyway", code=3)
    assert all(r["estimate"] is not None for r in shown["parameters"] if r["op"] == "~")


def test_an_interaction_of_constructs(machine, frame, tmp_path):
    draw = np.random.default_rng(3)
    f = draw.normal(size=N)
    g = 0.5 * f + draw.normal(size=N)
    frame.with_columns(z=pl.Series(0.5 * f + 0.6 * f * g + np.random.default_rng(9).normal(size=N))).write_csv(
        tmp_path / "a.csv"
    )
    model = "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6\nz ~ f + g + f:g"
    found = machine(model, str(tmp_path / "a.csv"), "--interaction", "orthogonal")
    assert found["settings"]["interaction"] == "orthogonal"
    assert "f:g" in {r["rhs"] for r in found["parameters"] if r["op"] == "~"}


def test_a_record_is_written(asked, files, tmp_path):
    assert asked(*files, "--record", str(tmp_path / "record.json"))[0] == 0
    record = json.loads((tmp_path / "record.json").read_text(encoding="utf-8"))
    assert record["data"]["file"] == "answers.csv"
    assert len(record["data"]["sha256"]) == 64


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["model.lav"], "required: DATA"),
        (["model.lav", "a.csv", "--brand", "ZX"], "not for a model text: --brand"),
        (["study.yaml", "a.csv"], "a study names its own data"),
        (["study.yaml", "--estimator", "MLR"], "not for a study: --estimator"),
        (["model.lav", "a.csv", "--estimater", "MLR"], 'Did you mean "--estimator"?'),
    ],
)
def test_usage(asked, words, said):
    code, out, err = asked(*words, "--lang", "en")
    assert (code, out) == (2, "")
    assert said in err


def test_a_model_and_data_that_are_wrong_are_told_in_one_go(asked, frame, tmp_path):
    (tmp_path / "a.lav").write_text("f =~ x1 + x2 + x3\ng =~ x4 + x5 + x66", encoding="utf-8")
    frame.with_columns(x2=pl.lit("much")).write_csv(tmp_path / "a.csv")
    code, _, err = asked(str(tmp_path / "a.lav"), str(tmp_path / "a.csv"), "--lang", "en")
    assert code == 1
    assert 'Did you mean "x6"?' in err
    (tmp_path / "a.lav").write_text("f =~ x1 + x2 + x3", encoding="utf-8")
    _, _, err = asked(str(tmp_path / "a.lav"), str(tmp_path / "a.csv"), "--lang", "en")
    assert 'a.csv, column x2: 300 cells are not numbers: row 2 "much"' in err
    one = pl.when(pl.int_range(pl.len()) == 0).then(pl.lit("much")).otherwise(pl.col("x2").cast(pl.String))
    frame.with_columns(x2=one).write_csv(tmp_path / "a.csv")
    _, _, err = asked(str(tmp_path / "a.lav"), str(tmp_path / "a.csv"), "--lang", "en")
    assert '1 cell is not a number: row 2 "much"' in err


def test_files_that_do_not_exist(asked, files, tmp_path):
    code, _, err = asked(str(tmp_path / "modle.lav"), files[1], "--lang", "en")
    assert code == 1
    assert f"there is no model file of this name in {tmp_path}." in err
    assert f'Did you mean "{files[0]}"?' in err
    _, _, err = asked(str(tmp_path / "answers.txt"), files[1], "--lang", "en")
    assert "answers.csv" not in err  # a file of data is no model
    assert "Check its name" in err
    _, _, err = asked(str(tmp_path / "models" / "model.lav"), files[1], "--lang", "zh")
    assert f"文件夹 {tmp_path / 'models'} 不存在" in err
    assert asked(files[0], str(tmp_path / "nowhere.csv"))[0] == 1
    _, _, err = asked(files[1], files[0], "--lang", "en")
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "words",
    [
        ("--where", "school=Anna", "--unit", "school"),
        ("--where", "school=Anna", "--stratum", "school"),
        ("--where", "school=Anna", "--by", "school,school"),
        ("--groups", "school", "--unit", "school"),
    ],
)
def test_a_column_may_be_named_by_two_options(machine, files, words):
    rows = N // 2 if "--where" in words else N
    assert sum(cell["n"] for cell in machine(*files, *words)["cells"]) == rows


def test_one_column_cannot_make_cells_and_groups(asked, files):
    code, out, err = asked(*files, "--by", "school", "--groups", "school", "--lang", "en")
    assert (code, out, len(err.splitlines())) == (1, "", 1)
    assert "--by" in err
    assert "--groups" in err


def test_two_values_of_one_column_are_a_problem(asked, files):
    code, _, err = asked(*files, "--where", "school=Anna", "--where", "school=Bert", "--lang", "en")
    assert code == 1
    assert 'school cannot be "Anna" and "Bert"' in err


def test_residual_variances_have_a_dot(asked, files):
    _, out, _ = asked(*files, "--lang", "en")
    names = [line.split()[0] for line in out.partition("Variances")[2].partition("\n\n")[0].splitlines()[3:]]
    assert names == [".x1", ".x2", ".x3", ".x4", ".x5", ".x6", "f", ".g"]


def test_a_model_without_degrees_of_freedom_to_spare_has_no_fit(asked, machine, files):
    code, out, _ = asked("f =~ x1 + x2", files[1], "--lang", "en")
    assert code == 3
    assert "χ²(-1) = –, p = –" in out
    assert "converged after 1 iteration\n" in out
    assert "CFI" not in out
    assert out.count("not identified") == 1
    told = machine("f =~ x1 + x2", files[1], code=3)["fit_measures"]
    known = {m["measure"]: m["value"] for m in told if m["value"] is not None}
    assert {"npar": 4.0, "df": -1.0}.items() <= known.items()
    assert all(name in {"npar", "df"} or name.startswith("baseline_") for name in known)
    assert {m["reason"] for m in told if m["value"] is None} == {"negative_df"}


@pytest.mark.parametrize("codes", [("--na", "abc"), ("--na=-9,x",), ("--na", "nan")])
def test_missing_codes_are_numbers(asked, files, codes):
    code, _, err = asked(*files, *codes, "--lang", "en")
    assert (code, "codes are numbers, not" in err) == (2, True)


def test_where_compares_numbers_as_numbers(machine, files, frame):
    found = machine(*files, "--where", "w=2")
    assert found["cells"][0]["n"] == int((frame["w"] == 2).sum())


def test_json_names_the_estimator_that_was_used(machine, files):
    assert machine(*files)["settings"]["estimator"] == "ML"
    assert machine(*files, "--estimator", "MLR")["settings"]["estimator"] == "MLR"


def test_every_note_is_said_once(machine, files, frame, tmp_path):
    holes = frame.with_columns(pl.when(pl.int_range(N) > 4).then("x1").alias("x1"))
    holes.write_csv(tmp_path / "holes.csv")
    notes = machine(files[0], str(tmp_path / "holes.csv"), "--by", "school")["notes"]
    assert len(notes) == len({(n["code"], n["text"]) for n in notes})


def test_the_last_language_counts_and_every_one_must_be_known(asked, files):
    assert "converged" in asked(*files, "--lang", "zh", "--lang", "en")[1]
    assert asked(*files, "--lang", "fr", "--lang", "zh")[0] == 2


def test_sentences_name_options_not_settings(asked, files):
    code, out, err = asked(*files, "--missing", "fiml", "--estimator", "WLS", "--lang", "en")
    assert (code, out) == (2, "")
    assert "--missing: --missing fiml goes with maximum likelihood, not with WLS. Use --estimator ML or MLR." in err
    _, out, _ = asked(*files, "--where", "school=Anna", "--unit", "school", "--lang", "zh")
    assert "--estimator MLR 或 --bootstrap" in out
    assert "csi.bootstrap" not in out
    _, _, err = asked(*files, "--where", "school=Anna", "--groups", "school", "--lang", "en")
    assert "Leave --groups out" in err


def test_a_data_file_that_is_not_there(asked, files):
    code, _, err = asked(files[0], files[1].replace("answers", "answer"), "--lang", "en")
    assert code == 1
    assert "no such data file" in err
    assert files[1] in err
    assert "study" not in err


def test_a_model_without_its_operator(asked, files):
    code, _, err = asked("f = x1 + x2 + x3", files[1], "--lang", "en")
    assert code == 1
    assert "neither a file nor a model text: `=~` missing?" in err


@pytest.mark.parametrize("option", ["--by", "--weight"])
def test_an_item_is_neither_a_cell_nor_a_weight(asked, files, option):
    code, _, err = asked(*files, option, "x1", "--lang", "en")
    assert (code, err.split(". ")[0]) == (1, f'{option}: "x1" is an item of the model')
