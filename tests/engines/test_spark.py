"""A local Spark session gives the bits of the local pass."""

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.study.estimator import estimator_of
from csi.study.streams import streamed

pyspark = pytest.importorskip("pyspark", reason="pyspark is not installed (csi[spark])")
pytest.importorskip("pyarrow", reason="pyarrow is not installed (csi[spark])")
pytestmark = [
    pytest.mark.skipif(shutil.which("java") is None, reason="there is no Java here"),
    pytest.mark.filterwarnings("ignore"),
]
TELECOM = Path(__file__).parents[2] / "data" / "telecom"


@pytest.fixture(scope="module")
def spark():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("PYSPARK_DRIVER_PYTHON", sys.executable)
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv("PYTHONPATH", str(Path(csi.__file__).parents[1]))
        builder = pytest.importorskip("pyspark.sql").SparkSession.builder.master("local[2]").appName("csi")
        for key, value in {
            "spark.ui.enabled": "false",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.sql.shuffle.partitions": "2",
        }.items():
            builder = builder.config(key, value)
        session = builder.getOrCreate()
        session.sparkContext.setLogLevel("ERROR")
        yield session
        session.stop()


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    keys = ["id", "quarter", "operator"]
    frame = pl.read_csv(TELECOM / "panel.csv").unique(keys, keep="first", maintain_order=True)
    place = tmp_path_factory.mktemp("spark") / "panel.parquet"
    frame.write_parquet(place)
    return place


@pytest.fixture(scope="module")
def study():
    return csi.Study.read(TELECOM / "study.yaml")


def asked(study):
    return {"rules": study.rules, "waves": study.waves, "brands": tuple(study.brands)}


@pytest.mark.parametrize("missing", ["listwise", "pairwise"])
def test_the_cluster_gives_the_bits_of_the_local_pass(spark, path, study, missing):
    frame = spark.read.parquet(str(path)).repartition(5)
    one = csi.read_panel(frame, study.codebook, **asked(study))
    other = csi.read_panel(path, study.codebook, stream=True, **asked(study))
    a, b = (s.moments(study.model.items, ["brand", "wave"], missing=missing) for s in (one, other))
    assert a.cells.equals(b.cells)
    for name in ("n", "sum_w", "sum_w2", "mean", "cov"):
        assert np.array_equal(getattr(a, name), getattr(b, name))


def test_a_fit_on_the_cluster_is_that_of_the_panel(spark, path, study):
    spark.read.parquet(str(path)).createOrReplaceTempView("answers")
    table = replace(study, data=(replace(study.data[0], spark="answers"),))
    panel = csi.read_panel(path, study.codebook, **asked(study))
    settings = estimator_of(study.settings)
    one, other = (csi.fit(study.model, d, settings, ["wave"]) for d in (panel, streamed(table)))
    assert np.array_equal(one.values, other.values)
    with pytest.raises(csi.Problems, match="rows"):
        csi.bootstrap(other)
    with pytest.raises(csi.Problems, match="no_such"):
        streamed(replace(table, data=(replace(study.data[0], spark="no_such"),)))


def test_bad_answers_on_the_cluster_are_told(spark, path, study):
    frame = pl.read_parquet(path)
    at = pl.int_range(pl.len())
    bad = frame.with_columns(sat1=pl.when(at == 5).then(77).otherwise("sat1"))
    place = path.with_name("bad.parquet")
    bad.write_parquet(place)
    stream = csi.read_panel(spark.read.parquet(str(place)), study.codebook, **asked(study))
    with pytest.raises(csi.Problems, match="outside its scale 1-10: 77"):
        stream.moments(["sat1"], ["wave"])
    frame.with_columns(sat1=pl.col("sat1").cast(pl.String), weight=-pl.col("weight")).write_parquet(place)
    with pytest.raises(csi.Problems) as caught:
        csi.read_panel(spark.read.parquet(str(place)), study.codebook, **asked(study))
    assert [p.code for p in caught.value.problems] == ["E-TYPE"]
    frame.with_columns(weight=-pl.col("weight")).write_parquet(place)
    stream = csi.read_panel(spark.read.parquet(str(place)), study.codebook, **asked(study))
    with pytest.raises(csi.Problems, match="weights are not positive"):
        stream.moments(["sat1"], ["wave"])
