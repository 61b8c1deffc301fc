"""Answers from databases: DuckDB files and a PostgreSQL server, through ADBC."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import csi
from csi.cli import main
from csi.errors import Problems
from csi.survey import DataFile, read_panel
from csi.survey.query import Query
from csi.survey.readers import read_raw
from csi.survey.statement import why_not_a_query

duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed (extra sql)")
pytest.importorskip("adbc_driver_manager", reason="ADBC is not installed (extra sql)")
pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra sql)")

TABLE = "create table answers as select * from (values ('a', 4, 2), ('b', 9, 5), ('c', 5, 1)) t(id, s1, s2)"


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "answers.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(TABLE)
    return path


def only(query, **settings):
    with pytest.raises(Problems) as caught:
        read_raw(DataFile(Path(query.shown), query=query, **settings))
    (found,) = caught.value.problems
    return found


def test_a_duckdb_query_gives_the_panel_of_its_rows(book, database):
    panel = read_panel(Query("select * from answers order by id", str(database)), book)
    assert panel.frame["s1"].to_list() == [4.0, None, 5.0]
    assert panel.reasons["s1"].to_list() == [None, "refused", None]
    assert panel.sources[0].name == "answers.duckdb (SQL)"


def test_the_public_door_takes_a_query(book, database):
    panel = csi.read_panel(csi.Query("select * from answers", str(database)), book)
    assert panel.frame.height == 3
    assert "N-SQL-ORDER" in {n.code for n in panel.notes}


def test_rows_without_a_stated_order_come_in_one_and_the_hash_is_of_the_answer(database):
    def read(sql):
        return read_raw(DataFile(Path("d"), query=Query(sql, str(database))))

    up, down = read("select * from answers"), read("select * from (select * from answers order by id desc)")
    assert up.frame.rows() == down.frame.rows()
    assert up.sha256 == down.sha256
    assert read("select * from answers order by id desc").frame["id"].to_list() == ["c", "b", "a"]
    with duckdb.connect(str(database)) as connection:
        connection.execute("update answers set s1 = 3 where id = 'a'")
    assert read("select * from answers").sha256 != up.sha256


def test_two_queries_of_one_database_have_names_of_their_own(book, database):
    asked = [Query(f"from answers where id {sign} 'b'", str(database)) for sign in ("<=", ">")]
    panel = read_panel(asked, book)
    assert [s.name for s in panel.sources] == ["answers.duckdb (SQL) 1", "answers.duckdb (SQL) 2"]


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("drop table answers", "it would write (DROP)"),
        ("with a as (select 1) delete from answers", "it would write (DELETE)"),
        ("with a as (insert into answers values ('d', 1, 1) returning *) select * from a", "it would write (INSERT)"),
        ("select 1; drop table answers", "it holds several statements"),
        ("/* select */ update answers set s1 = 1", "it would write (UPDATE)"),
        ("select * into copied from answers", "it would write (SELECT INTO)"),
        ("explain analyze delete from answers", "it does not begin with SELECT or WITH"),
        ("-- nothing", "it is empty"),
        (" ; ", "it is empty"),
    ],
)
def test_statements_that_write_are_refused_before_the_database_is_asked(database, sql, why):
    found = only(Query(sql, str(database)))
    assert (found.code, found.what.en) == ("E-SQL", f"the SQL statement is not run: {why}.")
    with duckdb.connect(str(database), read_only=True) as connection:
        assert connection.execute("select count(*) from answers").fetchall() == [(3,)]


@pytest.mark.parametrize(
    "sql",
    [
        "select 'drop; it' as delete_me, update_time from a",
        "with a as (select 1 as id) select * from a",
        "(select 1) union (select 2)",
        'from answers select "insert into"',
        "values (1, 2)",
        "select replace(a, 'x', 'y') as load, set from t -- delete from t",
        "select $$ ; drop $$ as t",
        "select (call) , x from t;",
    ],
)
def test_queries_are_not_taken_for_writing(sql):
    assert why_not_a_query(sql) is None


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("selec id from answers", "does not begin with SELECT"),
        ("select * from nowhere", "nowhere does not exist"),
        ("select id, s1, id as id from answers", "several columns of one name: id"),
        ("select * from answers where s1 > 99", "no rows"),
        ("select error('boom') from answers", "boom"),
    ],
)
def test_what_fails_is_told_in_one_sentence(database, sql, words):
    found = only(Query(sql, str(database)))
    assert words in found.what.en
    assert "\n" not in found.what.en
    assert found.what.zh != found.what.en
    assert found.remedy.en
    assert found.remedy.zh


def test_a_database_that_is_not_there_or_none(tmp_path):
    assert 'no database file "nope.duckdb"' in only(Query("select 1", str(tmp_path / "nope.duckdb"))).what.en
    wrong = tmp_path / "notes.duckdb"
    wrong.write_text("id,s1\n1,2\n" * 900, encoding="utf-8")
    assert "no connection to notes.duckdb" in only(Query("select 1", str(wrong))).what.en
    assert "mysql://" in only(Query("select 1", "mysql://host/db")).what.en


def test_a_database_named_as_a_file_of_answers_says_what_to_write(database):
    with pytest.raises(Problems, match="is a database, not a file of answers"):
        read_raw(DataFile(database))


def test_the_address_comes_from_the_environment(book, database, monkeypatch):
    monkeypatch.delenv("CSI_SURVEYS", raising=False)
    assert "environment variable CSI_SURVEYS is not set" in only(Query("select 1", "$CSI_SURVEYS")).what.en
    monkeypatch.setenv("CSI_SURVEYS", str(database))
    panel = read_panel(Query("select * from answers", "$CSI_SURVEYS"), book)
    assert panel.sources[0].name == "$CSI_SURVEYS (SQL)"


def test_a_refused_connection_never_tells_who_or_by_which_password(monkeypatch):
    pytest.importorskip("adbc_driver_postgresql", reason="the PostgreSQL driver is not installed (extra sql)")
    for address in ("postgresql://ana:sec%40ret@127.0.0.1:1/sat", "postgresql://ana:sec ret@[::bad/sat"):
        monkeypatch.setenv("CSI_SURVEYS", address)
        for query in (Query("select 1", address), Query("select 1", "$CSI_SURVEYS")):
            told = str(only(query)) + only(query).say("zh")
            assert "no connection to" in told
            assert not any(secret in told for secret in ("ana", "sec%40ret", "sec@ret", "sec ret"))


def test_a_missing_package_is_named(database, monkeypatch):
    monkeypatch.setitem(sys.modules, "adbc_driver_manager.dbapi", None)
    found = only(Query("select 1", str(database)))
    assert "adbc-driver-manager" in found.what.en
    assert "pip install csi[sql]" in found.remedy.en


STUDY = """\
csi: 1
study: asked
language: en
data:
  - {sql: "select * from answers", database: %s}
codebook: {scales: {ten: {min: 1, max: 10}}, constructs: {}, items: [
  {name: s1, construct: sat, scale: ten}, {name: s2, construct: sat, scale: ten},
  {name: l1, construct: loy, scale: ten}, {name: l2, construct: loy, scale: ten}]}
keys: {respondent: id}
model: {text: "sat =~ s1 + s2\\nloy =~ l1 + l2\\nloy ~ sat"}
index: {target: sat}
"""


@pytest.fixture
def study(tmp_path):
    with duckdb.connect(str(tmp_path / "answers.duckdb")) as connection:
        connection.execute(
            "create table answers as select i as id, 1 + i % 10 as s1, 1 + (i * 7 + i // 3) % 10 as s2, "
            "1 + (i + i // 5) % 10 as l1, 1 + (i * 3) % 10 as l2 from range(200) t(i)"
        )
    path = tmp_path / "study.yaml"
    path.write_text(STUDY % "answers.duckdb", encoding="utf-8")
    return path


def test_a_study_file_asks_a_database_beside_it(study, capsys):
    assert main(["check", str(study)]) == 0
    assert "answers.duckdb (SQL)" in capsys.readouterr().out
    assert main(["index", str(study), "--json"]) == 0
    assert '"n": 200' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ('{sql: "select * from answers"}', 'the key "database" is missing'),
        ("{database: answers.duckdb}", 'the key "sql" is missing'),
        ('{sql: "select 1", database: answers.duckdb, file: a.csv}', "takes no `file`"),
        ('{sql: "select 1", database: answers.duckdb, sheet: one}', "takes no `sheet`"),
        ('{sql: "delete from answers", database: answers.duckdb}', "would write (DELETE)"),
        ('{sql: "select * from answers", database: answer.duckdb}', 'no database file "answer.duckdb"'),
    ],
)
def test_entries_of_a_study_file_that_cannot_be_asked(study, capsys, entry, words):
    text = study.read_text(encoding="utf-8").replace('{sql: "select * from answers", database: answers.duckdb}', entry)
    study.write_text(text, encoding="utf-8")
    assert main(["check", str(study)]) == 1
    told = capsys.readouterr().err
    assert words in told
    assert "study.yaml:5" in told


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A PostgreSQL server of its own, with a password and a table of answers."""
    pytest.importorskip("adbc_driver_postgresql", reason="the PostgreSQL driver is not installed (extra sql)")
    homes = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = shutil.which("initdb") or (str(homes[-1]) if homes else "")
    if not found:
        pytest.skip("no PostgreSQL server is installed")
    if os.name != "posix" or (os.geteuid() == 0 and shutil.which("runuser") is None):
        pytest.skip("a PostgreSQL server does not run as root, and no runuser is here")
    home = tmp_path_factory.mktemp("pg")
    for folder in (home, *home.parents):
        if folder.owner() == home.owner() and str(folder).startswith(str(tmp_path_factory.getbasetemp().parents[1])):
            folder.chmod(0o755)
    (home / "password").write_text("sekret", encoding="utf-8")
    (home / "password").chmod(0o644)
    as_other = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if as_other:
        shutil.chown(home, "postgres")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder, data, log = Path(found).resolve().parent, home / "data", home / "log"
    made = [*as_other, str(folder / "initdb"), "-D", str(data), "-U", "tester", "-A", "scram-sha-256"]
    begun = [*as_other, str(folder / "pg_ctl"), "-D", str(data), "-w", "-l", str(log)]
    options = f"-p {port} -k {home} -c listen_addresses=127.0.0.1 -c fsync=off"
    for command in ([*made, f"--pwfile={home / 'password'}"], [*begun, "-o", options, "start"]):
        ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=home, timeout=120)
        if ran.returncode:
            pytest.skip(f"no PostgreSQL server could be started here: {ran.stderr.strip()[-200:]}")
    yield f"postgresql://tester:sekret@127.0.0.1:{port}/postgres"
    subprocess.run([*begun, "-m", "immediate", "stop"], capture_output=True, check=False, cwd=home, timeout=60)


@pytest.fixture
def filled(server):
    from adbc_driver_postgresql import dbapi  # noqa: PLC0415

    with dbapi.connect(server) as connection, connection.cursor() as cursor:
        cursor.execute("drop table if exists answers")
        cursor.execute(TABLE)
        cursor.execute("create sequence if not exists counted")
        connection.commit()
    return server


def test_a_postgresql_query_gives_the_same_panel_as_duckdb(book, filled, database):
    sql = "select id, s1, s2, 1.5::numeric as w, date '2026-01-01' as d from answers order by id"
    ours = read_panel(Query(sql, filled), book)
    assert ours.frame.equals(read_panel(Query(sql, str(database)), book).frame)
    assert ours.sources[0].name.startswith("postgresql://127.0.0.1:")
    assert "sekret" not in repr(ours.sources) + str(ours.notes)
    assert "N-SQL-PASSWORD" in {n.code for n in ours.notes}


def test_postgresql_refuses_to_write_and_tells_what_failed(filled):
    assert "read-only transaction" in only(Query("select pg_catalog.setval('counted', 5) from answers", filled)).what.en
    found = only(Query("select 1 / 0 as a from answers", filled))
    assert "division by zero" in found.what.en
    wrong = only(Query("select 1", filled.replace("sekret", "guessed")))
    assert "no connection to postgresql://127.0.0.1" in wrong.what.en
    assert "guessed" not in str(wrong)
    assert "tester" not in str(wrong)


def test_types_a_frame_cannot_hold_are_told(filled):
    found = only(Query("select interval '1 day' as i", filled))
    assert "cast columns of unusual types to text" in found.remedy.en
    raw = read_raw(DataFile(Path("d"), query=Query("select array[1, 2] as l, true as f, null as n", filled)))
    assert raw.frame["f"].to_list() == ["1"]
    assert isinstance(raw.frame, pl.DataFrame)
