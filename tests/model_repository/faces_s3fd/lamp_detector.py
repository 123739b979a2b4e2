"""A checkpoint of S3FD's format whose answers are known by heart: it takes a red block of 32 px for a face.

No real weights are at hand, and random ones find nothing that anyone could check. This one passes the red channel
through to the level of stride 32 and asks there whether it is bright; the box is 128 px wide around the block.
"""

import torch

from export.s3fd.network import LEVELS, S3fd

_LEVEL = "fc7"
_PADDED_CELLS = 2  # fc6 has padding 3: what it sees of cell i it says in cell i + 2
_ANCHOR_STRIDES = 4


def lamp_state() -> dict[str, torch.Tensor]:
    """Return a state dict of width 1."""
    state = {name: torch.zeros_like(tensor) for name, tensor in S3fd(1).state_dict().items()}
    for name, tensor in state.items():
        if "mbox" not in name and tensor.ndim == 4:
            middle = tensor.shape[2] // 2
            tensor[0, 0, middle, middle] = 1.0
        if "mbox_conf" in name and tensor.ndim == 1:
            tensor[-1] = -10.0
    state["conv1_1.weight"].zero_()[0, 2, 1, 1] = 0.01  # the network reads BGR
    state[f"{_LEVEL}_mbox_conf.weight"][1, 0, 1, 1] = 10.0
    state[f"{_LEVEL}_mbox_conf.bias"][1] = -6.6  # bright red is 1.32, everything dark is 0
    state[f"{_LEVEL}_mbox_loc.bias"][:2] = -_PADDED_CELLS / (0.1 * _ANCHOR_STRIDES)
    assert _LEVEL in LEVELS
    return state
