import numpy as np
import onnx
import pytest

from export.errors import ExportError
from export.onnx_file import IR_VERSION, OPSET, add_metadata, drop_outputs, read_metadata, trace
from export.runtime import open_graph
from tests.fakes.tiny_family import FAMILY, TinyFamily


@pytest.fixture(scope="module")
def module():
    state = FAMILY.synth(1, 1.0)["state_dict"]
    return FAMILY.load({key.removeprefix("module."): tensor for key, tensor in state.items()})


@pytest.fixture(scope="module")
def traced(module, tmp_path_factory):
    path = tmp_path_factory.mktemp("traced") / "probed.onnx"
    trace(FAMILY, FAMILY.graph(module), path)
    return path


def test_it_computes_what_the_module_computes_at_any_batch_size(module, traced):
    for batch in (1, 2, 7):
        inputs = FAMILY.samples(np.random.default_rng(batch), batch)
        outputs, expected = open_graph(traced)(inputs), FAMILY.reference(module, inputs)
        np.testing.assert_allclose(outputs["MOVED_FLOAT"], expected["MOVED_FLOAT"], atol=1e-6)
        assert outputs["MOVED"].shape == expected["MOVED"].shape


def test_the_file_is_of_an_age_that_containers_read_and_names_its_sizes(traced):
    model = onnx.load(traced)
    assert [(each.domain, each.version) for each in model.opset_import] == [("", OPSET)]
    assert model.ir_version <= IR_VERSION
    sizes = [[dim.dim_param or dim.dim_value for dim in each.type.tensor_type.shape.dim] for each in model.graph.output]
    assert sizes == [["batch", 12, 14, 3]] * 2


def test_nothing_of_this_machine_is_in_the_file(traced):
    content = traced.read_bytes()
    assert b"/tiny_family" not in content
    assert b"stack_trace" not in content


def test_dropping_an_output_leaves_the_others(traced, tmp_path):
    drop_outputs(traced, ["MOVED_FLOAT"], tmp_path / "plain.onnx")
    inputs = FAMILY.samples(np.random.default_rng(0), 2)
    plain, probed = open_graph(tmp_path / "plain.onnx")(inputs), open_graph(traced)(inputs)
    assert list(plain) == ["MOVED"]
    np.testing.assert_array_equal(plain["MOVED"], probed["MOVED"])


def test_metadata_is_added_to_what_is_there(traced, tmp_path):
    path = tmp_path / "marked.onnx"
    path.write_bytes(traced.read_bytes())
    add_metadata(path, {"a": "1", "b": "2"})
    add_metadata(path, {"b": "3"})
    assert read_metadata(path) == {"a": "1", "b": "3"}


def test_a_module_that_cannot_be_traced_is_an_error(module, tmp_path):
    class Asks(TinyFamily):
        def graph(self, module):
            served = super().graph(module)
            served.forward = lambda pictures: (
                (pictures, pictures.float()) if pictures.sum() > 0 else (pictures, pictures)
            )
            return served

    with pytest.raises(ExportError, match="tiny cannot be traced"):
        trace(Asks(), Asks().graph(module), tmp_path / "never.onnx")
    assert not (tmp_path / "never.onnx").exists()
