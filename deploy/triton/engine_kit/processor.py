"""What the processor can do."""


def bf16_supported(cpuinfo: str) -> bool:
    """Tell from the text of /proc/cpuinfo whether the processor multiplies bfloat16 itself."""
    flags = next((line for line in cpuinfo.splitlines() if line.startswith("flags")), "").split()
    return "avx512_bf16" in flags or "amx_bf16" in flags
