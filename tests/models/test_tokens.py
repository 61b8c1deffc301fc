import pytest

from csi.models.syntax.tokens import half_width, tokens, written


def kinds(text):
    return [(t.kind, t.text) for t in tokens(text) if t.kind != "end"]


def test_operators_are_told_apart():
    assert [k for k, _ in kinds("=~ <~ ~~ ~ := == < >")] == ["operator"] * 8
    assert [t for _, t in kinds("a~~b<~c=~d~e")] == ["a", "~~", "b", "<~", "c", "=~", "d", "~", "e"]


def test_names_take_letters_of_any_script_dots_and_digits():
    assert kinds("满意度 imag.1_a é _x") == [("name", "满意度"), ("name", "imag.1_a"), ("name", "é"), ("name", "_x")]


@pytest.mark.parametrize(("text", "value"), [("1", 1.0), ("0.5", 0.5), (".5", 0.5), ("1e-3", 0.001), ("2.", 2.0)])
def test_numbers(text, value):
    ((kind, found),) = kinds(text)
    assert kind == "number"
    assert float(found) == value


def test_a_name_that_begins_with_a_digit_is_neither_number_nor_name():
    assert kinds("3x") == [("other", "3x")]


def test_comments_leave_no_tokens_even_with_quotes_in_them():
    assert kinds("y ~ x # it's \"so\"\n! all of it\ny ~ z") == [
        ("name", "y"), ("operator", "~"), ("name", "x"), ("name", "y"), ("operator", "~"), ("name", "z"),
    ]  # fmt: skip


def test_places_count_characters_from_one():
    token = tokens("f =~ x1\n满意 ~ f")[4]
    assert (token.text, token.line, token.column) == ("满意", 2, 1)


def test_full_width_is_read_and_marked():
    found = tokens("满意 ＝～ ｑ１＋ｑ２")
    assert [t.text for t in found] == ["满意", "=~", "q1", "+", "q2", "\n"]
    assert [t.wide for t in found] == [False, True, True, True, True, False]


def test_full_width_inside_a_quoted_name_belongs_to_it():
    (token, _) = tokens('"品牌：形象"')
    assert (token.text, token.wide) == ("品牌：形象", False)
    assert tokens("“品牌”")[0].wide


def test_half_width_keeps_the_length():
    line = "满意＝～“ａ”，！＃"
    assert len(half_width(line)) == len(line)


@pytest.mark.parametrize(
    "name", ["满意度", "x.1", "_a", "brand image", "NA", "3x", "a+b", "ｑ１", 'say "so"', "it's：ok"]
)
def test_a_written_name_reads_back(name):
    assert tokens(written(name))[0].text == name
