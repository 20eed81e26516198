"""Words of all scripts, stop words by language, phrases, and tokenizers and lemmatisers of users."""

import sys
import unicodedata

import cli_texts
import numpy as np
import pytest

from ldavi import io
from ldavi.cli import main
from ldavi.io._counting.segmenters import unsegmented_language
from ldavi.io._counting.unicode_words import dotted_language

PATTERN = r"\b\w{3,}\b"


def words(text, language="any", **more):
    X, vocabulary = io.count_words([text], token_pattern=PATTERN, language=language, **more)
    return {word: int(n) for word, n in zip(vocabulary, X.toarray()[0], strict=True)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("नमस्ते घर की किताब", ["नमस्ते", "घर", "की", "किताब"]),  # Devanagari
        ("তোমার বই পড়া", ["তোমার", "বই", "পড়া"]),  # Bengali
        ("தமிழ் மொழி", ["தமிழ்", "மொழி"]),  # Tamil
        ("كِتَاب مَدْرَسَة يد", ["كِتَاب", "مَدْرَسَة", "يد"]),  # Arabic, with vowels
        ("שָׁלוֹם עם", ["שָׁלוֹם", "עם"]),  # Hebrew, with points
        ("می‌خواهم کتاب", ["می‌خواهم", "کتاب"]),  # Persian, with a joiner
        ("我 喜欢 吃 苹果", ["我", "喜欢", "吃", "苹果"]),  # Chinese in words
        ("책 물 자동차", ["책", "물", "자동차"]),  # Korean
        ("ねこ は かわいい", ["ねこ", "かわいい"]),  # Japanese in words: a single kana is a particle
        ("Ωμέγα να είναι", ["ωμέγα", "είναι"]),  # two letters of an alphabet are no word
        ("дом на горе", ["дом", "горе"]),
        ("người Việt ở", ["người", "việt"]),
    ],
)
def test_the_words_of_a_script_are_those_that_readers_see(text, expected):
    composed = [unicodedata.normalize("NFC", word) for word in expected]
    assert words(text) == dict.fromkeys(composed, 1)
    assert words(unicodedata.normalize("NFD", text)) == dict.fromkeys(composed, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cafe\u0301 café CAFÉ", {"café": 3}),
        ("Wörter\u00adbuch Wörterbuch", {"wörterbuch": 2}),
        ("كتـــاب كتاب", {"كتاب": 2}),
        ("ﬁnal final", {"final": 2}),
        ("ＡＢＣ abc", {"abc": 2}),
        ("İZMİR izmir", {"izmir": 2}),
    ],
)
def test_spellings_that_look_the_same_are_one_word(text, expected):
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("IŞIK ışık", {"ışık": 2}), ("ISPARTA DİYARBAKIR", {"ısparta": 1, "diyarbakır": 1})]
)
@pytest.mark.parametrize("language", ["turkish", "az", "TR"])
def test_turkish_capitals_are_lowered_as_in_turkish(text, expected, language):
    assert words(text, language) == expected


SEGMENTED = [
    ("chinese", "jieba", "我们喜欢苹果，汽车需要柴油。", {"喜欢", "苹果", "汽车", "需要", "柴油"}),
    ("japanese", "sudachipy", "東京で猫がミルクを飲む。", {"東京", "猫", "ミルク", "飲む"}),
    ("thai", "pythainlp", "แมวกินปลาในบ้าน", {"แมว", "กิน", "ปลา", "บ้าน"}),
]


@pytest.mark.parametrize(("language", "library", "text", "expected"), SEGMENTED)
def test_words_without_blanks_between_them_are_found(language, library, text, expected):
    pytest.importorskip(library)
    assert expected <= words(text, language).keys()


@pytest.mark.parametrize(("language", "library", "text", "expected"), SEGMENTED)
def test_texts_without_blanks_are_recognised(language, library, text, expected):
    assert unsegmented_language([text, "LDA"]) == language
    assert unsegmented_language([" ".join(sorted(expected))]) is None


def test_words_that_are_segmented_already_are_not_cut():
    pytest.importorskip("jieba")
    assert words("机器学习 方法 很 好", "chinese").keys() == {"机器学习", "方法", "很", "好"}


@pytest.mark.parametrize("language", ["klingon", "german", "", 3])
def test_a_language_without_rules_is_an_error_that_lists_those_with(language):
    with pytest.raises(ValueError, match="turkish"):
        words("soup", language)


def test_turkish_is_recognised_and_other_languages_are_not():
    assert dotted_language(["Işıklı bir akşamın ardından ırmağa doğru yürüdük"]) == "turkish"
    assert dotted_language(["Le garçon mange une crêpe à la crème brûlée"]) is None


def test_counts_are_the_same_for_a_text_alone_and_among_others():
    texts = ["cafe\u0301 noir", "plain ascii text", "我 喜欢 吃", "İZMİR"]
    counter = io.WordCounter(token_pattern=PATTERN, language="any").fit([texts])
    together = counter.transform(texts).toarray()
    np.testing.assert_array_equal(together, np.vstack([counter.transform([text]).toarray() for text in texts]))


# The command line


def model_of(tmp_path, lines, *options):
    path, model = tmp_path / "lines.txt", tmp_path / "lines.ldavi"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    assert main(["fit", str(path), "-k", "2", "-o", str(model), "--passes", "2", *options]) == 0
    return io.read_info(model)


@pytest.mark.parametrize(("language", "library", "text", "expected"), SEGMENTED)
def test_the_language_of_texts_is_noted_and_saved(tmp_path, capsys, language, library, text, expected):
    pytest.importorskip(library)
    info = model_of(tmp_path, [text, text], "--stop-words", "none")
    assert info.metadata["counting"]["language"] == language
    assert expected <= set(info.vocabulary)
    assert f"--language {language}" in capsys.readouterr().err


def test_a_missing_segmenter_is_noted(tmp_path, capsys, monkeypatch):
    find = __import__("importlib.util").util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "jieba" else find(name))
    from ldavi.io._counting.segmenters import segmenter

    segmenter.cache_clear()
    model_of(tmp_path, ["我们喜欢苹果", "汽车需要柴油"])
    segmenter.cache_clear()
    assert "ldavi[languages]" in capsys.readouterr().err


@pytest.mark.parametrize("pattern", ["[a-z]{9,}", "[0-9]+"])
def test_texts_most_of_whose_letters_are_in_no_word_are_noted(tmp_path, capsys, pattern):
    model_of(tmp_path, ["abcdefghij 12 " + "some short words are here " * 9] * 3, "--token-pattern", pattern)
    assert "of the letters of its texts are in words" in capsys.readouterr().err


# Stop words


STOP_FILES = {
    "lines": "soup\nbread\n",
    "blank lines, comments and blanks": "# my words\n\n  soup  \n\nbread # the food\n",
    "commas": "soup, bread,\n",
    "capitals": "Soup\nBREAD\n",
    "quotes": '"soup","bread"\n',
    "snowball": "soup           |  food\n | comment\nbread\n",
    "windows": "\ufeffsoup\r\nbread\r\n",
}


@pytest.mark.parametrize("kind", STOP_FILES)
def test_a_stop_word_file_is_read_as_people_write_it(tmp_path, kind):
    path = tmp_path / "stop.txt"
    path.write_bytes(STOP_FILES[kind].encode())
    assert io.read_stop_words(path) == ["soup", "bread"]
    assert words("soup bread salt", stop_words=path) == {"salt": 1}


@pytest.mark.parametrize("content", ["", "# nothing\n\n"])
def test_a_stop_word_file_without_words_is_an_error(tmp_path, content):
    (tmp_path / "stop.txt").write_text(content)
    with pytest.raises(io.CorpusError, match="no stop word"):
        io.read_stop_words(tmp_path / "stop.txt")


@pytest.mark.parametrize("word", ["don't", "ISN'T", "wouldn’t"])
def test_the_part_of_a_negation_that_is_a_word_is_a_stop_word(tmp_path, word):
    (tmp_path / "stop.txt").write_text(word, encoding="utf-8")
    assert words(f"{word} soup", stop_words=tmp_path / "stop.txt") == {"soup": 1}


def test_stop_words_that_match_no_word_are_noted(tmp_path, capsys):
    (tmp_path / "stop.txt").write_text("state-of-the-art\nthe\n")
    model_of(tmp_path, ["state soup bread"] * 3, "--stop-words", str(tmp_path / "stop.txt"))
    assert "'state-of-the-art'" in capsys.readouterr().err


@pytest.mark.parametrize(("language", "word"), [("german", "und"), ("fr", "dans"), ("Spanish", "para"), ("ru", "или")])
def test_stop_words_by_language(language, word):
    pytest.importorskip("stopwordsiso")
    assert words(f"{word} xylophon", stop_words=language) == {"xylophon": 1}


def test_stop_words_of_languages_and_files_are_combined(tmp_path):
    pytest.importorskip("stopwordsiso")
    (tmp_path / "own.txt").write_text("suppe\n")
    stop_words = f"german,english,{tmp_path / 'own.txt'}"
    info = model_of(tmp_path, ["suppe und brot with the salz und pfeffer"] * 3, "--stop-words", stop_words)
    assert info.vocabulary == ["brot", "pfeffer", "salz"]


@pytest.mark.parametrize("name", ["klingon", "none,german", "missing.txt"])
def test_a_name_that_is_no_language_and_no_file_is_refused(tmp_path, capsys, name):
    assert main(["fit", str(cli_texts.write_posts(tmp_path)), "-k", "2", "--stop-words", name]) == 2
    assert "--stop-words" in capsys.readouterr().err


# Phrases


CITY = [f"{a} new york {b}" for a in ("visit", "leave", "love") for b in ("today", "soon", "often")]


def test_pairs_that_belong_together_are_counted_as_one_word():
    X, vocabulary = io.count_words([*CITY, "new idea", "york castle"], phrases="auto")
    assert "new york" in vocabulary
    assert X[:, vocabulary.tolist().index("new york")].sum() == len(CITY)
    assert X[:, vocabulary.tolist().index("new")].sum() == 1


def test_phrases_of_batches_are_those_of_all_texts_and_are_kept():
    counter = io.WordCounter(phrases="auto").fit([CITY[:4], CITY[4:]])
    assert counter.phrases_ == io.find_phrases([CITY]) == ["new york"]
    assert counter.transform(["new york new"]).sum() == 1  # "new" alone is not in the texts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("new york york new york", {"new york": 1, "york new": 1, "york": 1}),
        ("york new york york", {"york new": 1, "york": 2}),
    ],
)
def test_phrases_do_not_overlap(text, expected):
    X, vocabulary = io.count_words([text], phrases=["new york", "york new"])
    assert dict(zip(vocabulary.tolist(), X.toarray()[0].tolist(), strict=True)) == expected


CITY_HALL = ["new york city hall is big", "i saw new york city hall", "new york city hall", "old city", "new idea"] * 3


@pytest.mark.parametrize(("max_words", "longest"), [(2, 2), (4, 4), (9, 4)])
def test_phrases_have_at_most_so_many_words(max_words, longest):
    phrases = io.find_phrases([CITY_HALL], min_count=8, min_npmi=0.3, max_words=max_words)
    assert max(phrase.count(" ") + 1 for phrase in phrases) == longest
    assert {word for phrase in phrases for word in phrase.split()} == {"new", "york", "city", "hall"}


def test_the_longest_phrase_at_a_word_is_counted():
    X, vocabulary = io.count_words(
        ["new york city", "new york is", "york city new"], phrases=["new york", "new york city", "york city"]
    )
    found = dict(zip(vocabulary.tolist(), X.toarray().sum(axis=0).tolist(), strict=True))
    assert found == {"new york city": 1, "new york": 1, "york city": 1, "is": 1, "new": 1}


def test_a_phrase_does_not_span_two_texts():
    _, vocabulary = io.count_words(["new york", "city"], phrases=["new york city"])
    assert vocabulary.tolist() == ["city", "new", "york"]


def test_longer_phrases_read_the_batches_several_times():
    with pytest.raises(ValueError, match="max_words > 2 reads the batches several times"):
        io.find_phrases(iter([CITY_HALL]), max_words=3)


@pytest.mark.parametrize("max_words", [1, 11, True, 2.5])
def test_a_maximum_of_words_that_is_no_length_is_refused(max_words):
    with pytest.raises(ValueError, match=r"max_words=.* must be an integer from 2 to 10"):
        io.find_phrases([CITY_HALL], max_words=max_words)


def test_longer_phrases_of_the_command_line_are_saved_and_counted_again(tmp_path):
    options = ["--phrases", "0.3", "--phrase-words", "4", "--min-df", "1", "--max-df", "1.0", "--stop-words", "none"]
    info = model_of(tmp_path, CITY_HALL * 2, *options)
    assert "new york city hall" in info.metadata["counting"]["phrases"]
    assert "new york city hall" in info.vocabulary


def test_no_phrase_crosses_texts_or_contains_a_stop_word():
    texts = ["soup of", "the day"] * 9
    assert io.find_phrases([texts], min_npmi=0.0) == ["soup of", "the day"]
    assert io.find_phrases([texts], min_npmi=0.0, stop_words=["of", "the"]) == []


@pytest.mark.parametrize(
    "parameters", [{"phrases": "often"}, {"phrases": ["new"]}, {"phrases": "auto", "ngram_range": (1, 2)}]
)
def test_invalid_phrases_are_refused(parameters):
    with pytest.raises(ValueError, match=r"phrases|ngram_range"):
        io.count_words(CITY, **parameters)


def test_batches_that_can_be_read_once_cannot_have_phrases_learned():
    with pytest.raises(ValueError, match="twice"):
        io.WordCounter(phrases="auto").fit(iter([CITY]))


@pytest.mark.parametrize("stream", [[], ["--stream"]])
def test_phrases_of_the_command_line_are_saved_and_counted_again(tmp_path, stream):
    info = model_of(tmp_path, CITY, "--phrases", "--min-df", "1", "--max-df", "1.0", *stream)
    assert info.metadata["counting"]["phrases"] == ["new york"]
    assert "new york" in info.vocabulary
    pipeline = io.load_pipeline(tmp_path / "lines.ldavi")
    column = list(info.vocabulary).index("new york")
    assert pipeline.named_steps["count"].transform(["new york"]).toarray()[0, column] == 1


# Tokenizers and lemmatisers


@pytest.mark.parametrize("lowercase", [True, False])
def test_a_tokenizer_replaces_the_pattern(lowercase):
    X, vocabulary = io.count_words(["Soup_bread_2", ""], tokenizer=lambda text: text.split("_"), lowercase=lowercase)
    assert vocabulary.tolist() == (["2", "bread", "soup"] if lowercase else ["2", "Soup", "bread"])
    assert X.toarray().tolist() == [[1, 1, 1], [0, 0, 0]]


def test_a_lemmatiser_is_called_once_for_each_word():
    calls = []

    def lemma(word):
        calls.append(word)
        return "" if word == "the" else word.removesuffix("s")

    X, vocabulary = io.count_words(["the soups", "soup soups the"], lemmatizer=lemma)
    assert vocabulary.tolist() == ["soup"]
    assert X.toarray().tolist() == [[1], [2]]
    assert sorted(calls) == ["soup", "soups", "the"]


@pytest.mark.parametrize(
    "parameters",
    [{"tokenizer": str.upper}, {"tokenizer": lambda text: [1]}, {"lemmatizer": lambda word: 1}, {"tokenizer": "split"}],
)
def test_a_function_that_returns_no_words_is_an_error_that_names_it(parameters):
    with pytest.raises(TypeError, match=next(iter(parameters))):
        io.count_words(["soup"], **parameters)


@pytest.fixture
def functions(tmp_path, monkeypatch):
    """Write a module with functions into the current folder."""
    (tmp_path / "own_words.py").write_text(
        "def tokens(text):\n    return text.split('_')\n\ndef lemma(word):\n    return word.rstrip('s')\n"
    )
    monkeypatch.chdir(tmp_path)
    yield
    sys.modules.pop("own_words", None)


@pytest.mark.usefixtures("functions")
def test_functions_of_the_command_line_are_imported_with_consent_only(tmp_path, capsys):
    chosen = ["--tokenizer", "own_words:tokens", "--lemmatizer", "own_words:lemma"]
    info = model_of(tmp_path, ["soups_bread", "bread_salt"] * 2, "--stop-words", "none", *chosen)
    assert info.vocabulary == ["bread", "salt", "soup"]
    arguments = ["transform", str(tmp_path / "lines.ldavi"), str(tmp_path / "lines.txt")]
    assert main(arguments) == 1
    assert "--tokenizer own_words:tokens" in capsys.readouterr().err
    assert main([*arguments, *chosen[:2]]) == 1
    assert main([*arguments, *chosen]) == 0


@pytest.mark.usefixtures("functions")
def test_a_pipeline_from_a_file_imports_no_function_without_consent(tmp_path):
    model_of(tmp_path, ["soup_bread", "bread_salt"] * 2, "--stop-words", "none", "--tokenizer", "own_words:tokens")
    sys.modules.pop("own_words")
    with pytest.raises(ValueError, match="tokenizer=own_words:tokens"):
        io.load_pipeline(tmp_path / "lines.ldavi", token_pattern=PATTERN)
    assert "own_words" not in sys.modules
    assert io.load_pipeline(tmp_path / "lines.ldavi", tokenizer="own_words:tokens").transform(["soup"]).shape == (1, 2)


@pytest.mark.parametrize("name", ["no_such_module:words", "os:no_such_function", "os:sep", "words"])
def test_a_function_that_cannot_be_imported_is_an_error(tmp_path, capsys, name):
    assert main(["fit", str(cli_texts.write_posts(tmp_path)), "-k", "2", "--tokenizer", name]) == 1
    assert f"--tokenizer {name}" in capsys.readouterr().err
