"""A study with a product of constructs and without resamples: a report without a row for the product's index."""

from __future__ import annotations

from pathlib import Path

import pytest

import csi

TELECOM = Path("data/telecom/study.yaml")
PRODUCT = "model:\n  text: |\n    satisfaction ~ image + perceived_value + image:perceived_value\n"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    text = TELECOM.read_text(encoding="utf-8")
    for name in ("panel.csv", "codebook.yaml"):
        text = text.replace(name, str((TELECOM.parent / name).resolve()))
    text = text.replace("model: {card: ecsi_mobile}\n", PRODUCT).replace("n: 1000", "n: 0")
    path = tmp_path_factory.mktemp("product") / "study.yaml"
    path.write_text(text, encoding="utf-8")
    return csi.report(path, "2024Q2", "en,zh")


def test_the_index_has_no_row_of_the_product(report):
    chain = next(s for s in report.sections if s.key == "chain").data["chain"]
    assert chain["construct"].to_list() == ["image", "perceived_value", "satisfaction"]
    said = [n.text.en for s in report.sections for n in s.notes if s.key != "reliability"]
    assert not any(line == "image:perceived_value has no items of its own." for line in said)


def test_the_product_is_named_by_its_factors(report):
    [table] = next(s for s in report.sections if s.key == "model").tables
    name = table.texts["image:perceived_value"]
    assert (name.en, name.zh) == ("Image × Perceived value", "品牌形象 × 感知价值")
    assert table.frame["conf_low"].null_count() == table.frame.height
