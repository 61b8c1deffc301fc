"""A codebook of two five-point items, and a maker of CSV files."""

import pytest

from csi.errors import Text
from csi.survey.codebook import Codebook, Item, Scale

FIVE = Scale("five", 1, 5, {"8": "dont_know", "9": "refused", "(跳过)": "skipped"})


@pytest.fixture
def book():
    return Codebook(
        (
            Item("s1", "satisfaction", FIVE, Text("Content", "满意")),
            Item("s2", "satisfaction", FIVE, Text("Again", "再来"), reverse=True),
        ),
        {"satisfaction": Text("Satisfaction", "满意")},
        {"respondent": "id"},
    )


@pytest.fixture
def write(tmp_path):
    def _write(text, name="answers.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return _write
