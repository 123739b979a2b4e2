from engine_kit.processor import bf16_supported


def test_bfloat16_is_looked_for_among_the_flags() -> None:
    assert bf16_supported("processor: 0\nflags\t\t: fpu avx512_bf16 sse\n")
    assert bf16_supported("flags : fpu amx_bf16\n")
    assert not bf16_supported("flags\t\t: fpu avx512f\n")
    assert not bf16_supported("")
