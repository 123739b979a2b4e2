import json
from pathlib import Path

import pytest
from generate.fields import BadFolder
from generate.folder import read_folder
from generate.whisper.section import read_section
from generate.whisper.text import Vocabulary
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.whisper_network import END, IDS, tokenizer, version


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    return opened(tmp_path_factory.mktemp("version"))


def opened(folder: Path, **settings: object) -> Vocabulary:
    found = version(folder, **settings)
    return Vocabulary(found, read_section(found.section, found.settings.vocab_size))


@given(st.text())
def test_tokens_spell_the_text_without_the_blanks_around_it(vocabulary: Vocabulary, text: str) -> None:
    assert vocabulary.text(list(text.encode())) == text.strip()


def test_special_tokens_are_no_text(vocabulary: Vocabulary) -> None:
    spelled = [*b" Hi", IDS["<|0.00|>"], IDS["<|nospeech|>"], *b" there", END]
    assert vocabulary.text(spelled) == "Hi there"


def test_half_a_character_is_marked(vocabulary: Vocabulary) -> None:
    assert vocabulary.text(list("é".encode()[:1])) == "\ufffd"


def test_no_tokens_are_no_text(vocabulary: Vocabulary) -> None:
    assert vocabulary.text([]) == ""


def test_a_vocabulary_of_another_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFolder, match=r"tokenizer.json gives <\|endoftext\|> the id 256, generation.json 255"):
        opened(tmp_path / "end", eos=255)
    with pytest.raises(BadFolder, match=r"eos must be the one id"):
        opened(tmp_path / "ends", eos=[256, 257])
    larger = tokenizer()
    larger.add_special_tokens(["<|yue|>"])
    version(tmp_path / "larger")
    larger.save(str(tmp_path / "larger" / "tokenizer.json"))
    with pytest.raises(BadFolder, match=r"tokenizer\.json has 269 tokens, the network only 268"):
        reopened(tmp_path / "larger")


def test_a_vocabulary_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    version(tmp_path)
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": "none"}))
    with pytest.raises(BadFolder, match=r"tokenizer\.json cannot be read"):
        reopened(tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(BadFolder, match=r"tokenizer\.json is missing"):
        reopened(tmp_path)


def reopened(folder: Path) -> Vocabulary:
    found = read_folder(folder)
    return Vocabulary(found, read_section(found.section, found.settings.vocab_size))
