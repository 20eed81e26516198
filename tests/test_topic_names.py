"""Names of topics read from files: as the report saves them, and from tables."""

import pytest

from ldavi import io


def read(tmp_path, content, name="names.json"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return io.read_topic_names(path)


@pytest.mark.parametrize(
    "content",
    [
        '{"0": "weather", "3": "sports"}',
        '{"3": " sports ", "0": "weather", "1": ""}',
        '["weather", "", "", "sports"]',
        "topic,name\n0,weather\n3,sports\n",
        "Topic;Name;words\r\n0;weather;rain\r\n3;sports;ball\r\n",
        "name\ttopic\nweather\t0\n\nsports\t3\n",
        b"\xef\xbb\xbftopic,name\n0,weather\n3,sports\n",
        'topic,name\n0,"weather"\n3,"sports\n"\n',
    ],
    ids=["json", "blanks", "list", "csv", "semicolons", "tabs", "byte order mark", "quotes"],
)
def test_names_are_read(tmp_path, content):
    assert read(tmp_path, content) == {0: "weather", 3: "sports"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty; expected JSON"),
        ('{"0": "a"', "line 1: is not valid JSON"),
        ('{"0": 7}', "has the name 7, which is not a text"),
        ('{"x": "a"}', "has the topic 'x'; topics are numbers from 0"),
        ('{"-1": "a"}', "has the topic '-1'"),
        ('{"0": "a", "0": "b"}', "names the topic 0 a second time"),
        ("0,weather\n3,sports\n", "line 1: has the columns 0, weather; expected JSON"),
        ("topic,name\n0,a\n0,b\n", "line 3: names the topic 0 a second time"),
        ("topic,name\n0,a,b\n", "line 2: has 3 cells, but the header has 2"),
        ("topic,name\nx,a\n", "line 2: has the topic 'x'"),
        (b"topic,name\n0,\xff\n", "is not UTF-8 at byte 13"),
    ],
)
def test_other_files_are_refused_with_name_and_position(tmp_path, content, message):
    with pytest.raises(io.CorpusError, match=r"names\.json") as error:
        read(tmp_path, content)
    assert message in str(error.value)


def test_a_topic_that_the_model_lacks_is_refused(tmp_path):
    path = tmp_path / "names.csv"
    path.write_text("topic,name\n3,sports\n")
    with pytest.raises(io.CorpusError, match=r"line 2: names the topic 3, but the model has the topics 0 to 2"):
        io.read_topic_names(path, 3)
