import pytest
from engine_kit import ort_options
from engine_kit.ort_options import BadConfig, OpenVino, read_options


def config(accelerators: list | None = None, **parameters: str) -> dict:
    return {
        "default_model_filename": "",
        "parameters": {key: {"string_value": text} for key, text in parameters.items()},
        "optimization": {"execution_accelerators": {"cpu_execution_accelerator": accelerators or []}},
    }


def test_a_bare_config_means_the_native_defaults() -> None:
    options = read_options({})
    assert options.file_name == "model.onnx"
    assert options.graph_optimization_level == "ORT_ENABLE_ALL"
    assert options.execution_mode == "ORT_SEQUENTIAL"
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (0, 0)
    assert options.openvino is None


def test_threads_mode_and_memory_are_read_from_the_parameters() -> None:
    options = read_options(
        config(intra_op_thread_count="2", inter_op_thread_count="3", execution_mode="1", enable_mem_arena="0")
    )
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (2, 3)
    assert options.execution_mode == "ORT_PARALLEL"
    assert options.enable_cpu_mem_arena is False
    assert options.enable_mem_pattern is None
    assert options.allow_spinning is None


def test_spinning_can_be_allowed_or_not() -> None:
    for text, allowed in (("1", True), ("0", False)):
        assert read_options(config(**{"session.intra_op.allow_spinning": text})).allow_spinning is allowed


@pytest.mark.parametrize(("level", "name"), [(-1, "BASIC"), (0, "ALL"), (1, "EXTENDED")])
def test_graph_levels_mean_what_they_mean_to_the_native_backend(level: int, name: str) -> None:
    # Triton hands protobuf's integers over as numbers or as texts
    for written in (level, str(level)):
        options = read_options({"optimization": {"graph": {"level": written}}})
        assert options.graph_optimization_level == f"ORT_ENABLE_{name}"


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (config(intra_op_thread_count="two"), "intra_op_thread_count must be a whole number"),
        (config(execution_mode="2"), "execution_mode must be one of 0, 1"),
        ({"optimization": {"graph": {"level": 7}}}, "graph level 7"),
        (config([{"name": "warp_drive"}]), "unknown Execution Accelerator 'warp_drive'"),
        (config([{"name": "openvino", "parameters": {"precision": "FP4"}}]), "precision FP4"),
        ({"batch_input": [{"kind": "BATCH_ELEMENT_COUNT"}]}, "does not know batch_input"),
        ({"sequence_batching": {"state": [{"input_name": "S"}]}}, "does not know state"),
    ],
)
def test_what_cannot_be_is_refused_by_name(bad: dict, reason: str) -> None:
    with pytest.raises(BadConfig, match=reason):
        read_options(bad)


def test_openvino_computes_in_fp32_unless_told_otherwise() -> None:
    assert read_options(config([{"name": "openvino"}])).openvino == OpenVino("FP32")
    block = {"name": "openvino", "parameters": {"precision": "bf16"}}
    assert read_options(config([block])).openvino == OpenVino("BF16")


@pytest.mark.parametrize(
    ("precision", "metadata", "flags", "hint", "reason"),
    [
        ("BF16", {"polylip.precision": "bf16"}, "avx512_bf16", "bf16", "exported as bf16"),
        ("BF16", {"polylip.precision": "int8", "polylip.float_layers": "bf16"}, "amx_bf16", "bf16", "int8 with bf16"),
        ("BF16", {"polylip.precision": "int8", "polylip.float_layers": "fp32"}, "amx_bf16", "f32", "int8 with fp32"),
        ("BF16", {"polylip.precision": "int8"}, "amx_bf16", "f32", "int8 with fp32"),
        ("BF16", {"polylip.precision": "fp32"}, "avx512_bf16", "f32", "exported as fp32"),
        ("BF16", {}, "avx512_bf16", "f32", "does not say"),
        ("BF16", {"polylip.precision": "bf16"}, "avx512f", "f32", "no bfloat16"),
        ("FP32", {"polylip.precision": "bf16"}, "avx512_bf16", "f32", "the config asks for FP32"),
    ],
)
def test_bfloat16_serves_only_versions_exported_for_it_where_config_and_processor_allow(
    precision: str, metadata: dict, flags: str, hint: str, reason: str
) -> None:
    chosen = ort_options.arithmetic(OpenVino(precision), metadata, f"flags : fpu {flags}")
    assert chosen.hint == hint
    assert reason in chosen.reason


def test_a_missing_graph_is_named(tmp_path) -> None:
    with pytest.raises(BadConfig, match=r"unable to find .*/1/model.onnx"):
        ort_options.model_path(str(tmp_path), "1", read_options({}))


def test_a_folder_of_the_files_name_holds_the_graph(tmp_path) -> None:
    folder = tmp_path / "1" / "model.onnx"
    folder.mkdir(parents=True)
    (folder / "model.onnx").touch()
    assert ort_options.model_path(str(tmp_path), "1", read_options({})) == folder / "model.onnx"
