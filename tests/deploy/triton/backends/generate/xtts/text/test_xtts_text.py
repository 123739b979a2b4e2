import string

import pytest
from engine_kit.refusals import InvalidRequest
from generate.fields import BadFolder
from generate.xtts.text import XttsText
from generate.xtts.text.cleaning import clean
from generate.xtts.text.languages import LANGUAGES
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

LATIN_AND_MORE = ("en", "es", "fr", "de", "it", "pt", "pl", "tr", "ru", "nl", "cs", "ar")
SENTENCES = {
    "en": "Hello there, how are you today? ",
    "ru": "Здравствуйте, как ваши дела сегодня? ",
    "ar": "مرحبا، كيف حالك اليوم؟ ",
    "zh": "你好，今天怎么样？",
    "ja": "こんにちは、今日はどうですか？",
    "ko": "안녕하세요, 오늘은 어떠세요? ",
    "hi": "नमस्ते, आज आप कैसे हैं? ",
}
HARD = [
    *(
        "1.234.567,89",
        "3:30",
        "100%",
        "+49 176 12345678901234567890",
        "👨‍👩‍👧 ok 😀",
        "https://a.b/c?d=e&f#g",
        "ALL CAPS",
    ),
    *(
        "“a” «b» 'c' \"d\"",
        "one\ntwo\r\nthree",
        "so\u00adft\u200bzero\ufeff",
        "x" * 700,
        "½ ² ① ㎏ ℃ Ⅻ",
        "[en][STOP][SPACE]",
    ),
    *("$", "$$5", "5$5€5£", "€ 1.2.3", "a\x00b", "\ud800a", "1e400", "9" * 1000, "0º", "12,,,3..4"),
]


def names(text: XttsText, vocabulary: Tokenizer, piece: str, language: str) -> list[str]:
    return [vocabulary.id_to_token(token) for token in text.tokens(piece, language)]


@pytest.fixture(scope="module")
def vocabulary(write_vocabulary):
    return Tokenizer.from_file(str(write_vocabulary()))


def test_the_languages_are_codes_in_the_checkpoints_order(text):
    assert text.languages == (*LATIN_AND_MORE, "zh", "hu", "ko", "ja", "hi")


def test_a_language_without_token_or_rules_is_not_served(write_vocabulary):
    vocabulary = write_vocabulary(["[STOP]", "[UNK]", "[SPACE]", "[zh-cn]", "[xx]", "[START]"])
    assert XttsText(vocabulary, ["en", "xx", "zh-cn"]).languages == ("zh",)


@pytest.mark.parametrize("missing", ["[STOP]", "[UNK]", "[SPACE]", "[START]", "[en]"])
def test_a_vocabulary_without_its_special_tokens_fails_the_load(write_vocabulary, missing):
    special = [token for token in ("[STOP]", "[UNK]", "[SPACE]", "[en]", "[START]") if token != missing]
    with pytest.raises(BadFolder, match=r"vocab\.json lacks " + missing.replace("[", r"\[")):
        XttsText(write_vocabulary(special), ["en"])


@pytest.mark.parametrize("content", [None, "", "{}", "[1]"])
def test_a_file_that_is_no_vocabulary_fails_the_load(tmp_path, content):
    path = tmp_path / "vocab.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(BadFolder, match=r"vocab\.json cannot be read"):
        XttsText(path, ["en"])


def test_a_missing_dictionary_fails_the_load(write_vocabulary, monkeypatch):
    def fail():
        raise RuntimeError("no dictionary")

    monkeypatch.setattr("generate.xtts.text.japanese.Cutlet", fail)
    with pytest.raises(BadFolder, match="Japanese cannot be read: no dictionary"):
        XttsText(write_vocabulary(), ["ja"])
    assert XttsText(write_vocabulary(), ["en"]).languages == ("en",)


def test_tokens_are_the_language_then_the_normalised_text_with_a_token_for_each_blank(text, vocabulary):
    said = names(text, vocabulary, '  The "2nd"  DR. ', "en")
    assert said == ["[en]", "th", "e", "[SPACE]", *"second", "[SPACE]", *"doctor"]


def test_chinese_has_its_token_by_its_own_name(text, vocabulary):
    assert names(text, vocabulary, "你好", "zh") == ["[zh-cn]", *"ni3hao3"]


def test_tokens_written_out_by_a_speaker_are_only_text(text, vocabulary):
    assert names(text, vocabulary, "[es] [STOP]", "en")[1:3] == ["e", "s"]
    assert not {"[es]", "[STOP]"} & set(names(text, vocabulary, "[es] [STOP]", "en"))


def test_letters_that_the_vocabulary_lacks_are_unknown(text, vocabulary):
    assert names(text, vocabulary, "ж", "ru") == ["[ru]", "[UNK]"]


@pytest.mark.parametrize("ask", ["pieces", "tokens"])
@pytest.mark.parametrize("language", ["xx", "", "zh-cn", "EN"])
def test_an_unknown_language_is_refused(text, ask, language):
    with pytest.raises(InvalidRequest, match=r"^LANGUAGE .* is not served; there are: en es"):
        getattr(text, ask)("hello", language)


@pytest.mark.parametrize("written", ["", "   ", "...?!", "😀 👍", "\u200b", "—\n—"])
def test_a_text_without_words_is_refused(text, written):
    with pytest.raises(InvalidRequest, match=r"^TEXT has nothing to speak"):
        text.pieces(written, "en")


def test_another_script_is_refused(text):
    with pytest.raises(InvalidRequest, match=r"^TEXT is in Cyrillic letters, 'es'"):
        text.pieces("Привет, как дела?", "es")


def test_a_short_text_is_one_piece(text):
    assert text.pieces(" Hello there.\nHow are you? 😀 ", "en") == ["Hello there. How are you?"]


@pytest.mark.parametrize("language", SENTENCES)
def test_a_long_text_is_cut_within_the_languages_limit_at_the_ends_of_sentences(text, language):
    pieces = text.pieces(SENTENCES[language] * 30, language)
    assert all(len(piece) <= LANGUAGES[language].max_chars and piece[-1] in "?？؟" for piece in pieces)
    assert sum(piece.count(SENTENCES[language].strip()) for piece in pieces) == 30


def test_a_limit_of_tokens_cuts_what_grows_when_it_is_spoken(write_vocabulary):
    text = XttsText(write_vocabulary(), ["en"], max_tokens=60)
    pieces = text.pieces("In 1987 and 1988 and 1989 they came. " * 2, "en")
    assert len(pieces) > 1 and all(len(text.tokens(piece, "en")) <= 60 for piece in pieces)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("written", HARD)
def test_hard_texts_are_spoken(text, language, written):
    spoken = f"{written} {SENTENCES.get(language, SENTENCES['en'])}"
    for piece in text.pieces(spoken, language):
        assert len(piece) <= LANGUAGES[language].max_chars
        assert len(text.tokens(piece, language)) > 1


@given(st.text(max_size=300), st.sampled_from(list(LANGUAGES)))
def test_no_text_makes_tokens_fail(text, written, language):
    assert text.tokens(written, language)


@given(
    st.text(st.sampled_from(string.ascii_letters + "  .,;!?-\n"), max_size=1500), st.sampled_from(["en", "zh", "ja"])
)
def test_pieces_keep_every_letter_and_the_limit(text, written, language):
    spoken = f"a {written}"
    pieces = text.pieces(spoken, language)
    assert all(0 < len(piece) <= LANGUAGES[language].max_chars for piece in pieces)
    kept = [[char for char in some if char.isalnum()] for some in ("".join(pieces), clean(spoken))]
    assert kept[0] == kept[1]
