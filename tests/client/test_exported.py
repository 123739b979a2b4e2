from pathlib import Path

from client.exported import FAMILY_OF, export_command, not_loaded_reason
from export.bundle.family import BUNDLES
from export.family import FAMILIES, family

CHECKOUT = Path(__file__).parents[2]


def test_the_families_named_make_versions_of_the_models_that_name_them() -> None:
    models = {name: family(name).triton_model for name in set(FAMILY_OF.values()) & set(FAMILIES)}
    assert {model: FAMILY_OF[model] for model in models.values()} == {model: name for name, model in models.items()}
    assert set(FAMILY_OF.values()) <= {*FAMILIES, *BUNDLES}


def test_the_page_that_a_command_names_is_there() -> None:
    named = {export_command(model).rpartition("(")[2].rstrip(")") for model in FAMILY_OF}
    assert all((CHECKOUT / page).is_file() for page in named), named


def test_a_model_that_has_to_be_exported_says_how() -> None:
    assert "polylip models export wav2lip --checkpoint PATH" in export_command("lips_wav2lip")
    assert export_command("lips_wav2lip") in not_loaded_reason("lips_wav2lip")
    assert "models export s3fd" in not_loaded_reason("faces_s3fd")


def test_any_other_model_is_just_not_loaded() -> None:
    assert not_loaded_reason("lips_warp") == "it is not loaded"
