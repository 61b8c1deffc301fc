"""Benchmarks are scripts, run by `make bench`; they are no tests."""

collect_ignore_glob = ["bench/*.py"]
