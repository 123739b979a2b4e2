import math

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from export.s3fd.graph import OUTPUTS, ServedS3fd
from export.s3fd.network import LEVELS, STRIDES, ChannelNorm, S3fd, width_of
from export.s3fd.synth import synthesise

# Output and input channels and kernel of the published file's layers.
PUBLISHED = {
    "conv1_1": (64, 3, 3),
    "conv1_2": (64, 64, 3),
    "conv2_1": (128, 64, 3),
    "conv2_2": (128, 128, 3),
    "conv3_1": (256, 128, 3),
    "conv3_2": (256, 256, 3),
    "conv3_3": (256, 256, 3),
    "conv4_1": (512, 256, 3),
    "conv4_2": (512, 512, 3),
    "conv4_3": (512, 512, 3),
    "conv5_1": (512, 512, 3),
    "conv5_2": (512, 512, 3),
    "conv5_3": (512, 512, 3),
    "fc6": (1024, 512, 3),
    "fc7": (1024, 1024, 1),
    "conv6_1": (256, 1024, 1),
    "conv6_2": (512, 256, 3),
    "conv7_1": (128, 512, 1),
    "conv7_2": (256, 128, 3),
    "conv3_3_norm_mbox_conf": (4, 256, 3),
    "conv3_3_norm_mbox_loc": (4, 256, 3),
    "conv4_3_norm_mbox_conf": (2, 512, 3),
    "conv4_3_norm_mbox_loc": (4, 512, 3),
    "conv5_3_norm_mbox_conf": (2, 512, 3),
    "conv5_3_norm_mbox_loc": (4, 512, 3),
    "fc7_mbox_conf": (2, 1024, 3),
    "fc7_mbox_loc": (4, 1024, 3),
    "conv6_2_mbox_conf": (2, 512, 3),
    "conv6_2_mbox_loc": (4, 512, 3),
    "conv7_2_mbox_conf": (2, 256, 3),
    "conv7_2_mbox_loc": (4, 256, 3),
}
NORMS = {"conv3_3_norm": 256, "conv4_3_norm": 512, "conv5_3_norm": 512}


def test_the_network_has_the_keys_and_shapes_of_the_published_file():
    found = {name: tuple(tensor.shape) for name, tensor in S3fd().state_dict().items()}
    expected = {f"{name}.weight": (out, into, k, k) for name, (out, into, k) in PUBLISHED.items()}
    expected |= {f"{name}.bias": (out,) for name, (out, _, _) in PUBLISHED.items()}
    expected |= {f"{name}.weight": (channels,) for name, channels in NORMS.items()}
    assert found == expected
    assert sum(parameter.numel() for parameter in S3fd().parameters()) == 22_459_110


def test_a_width_is_read_off_the_first_layer_and_doubtful_ones_are_the_published():
    assert width_of(S3fd(8).state_dict()) == 8
    for odd in ({}, {"conv1_1.weight": torch.tensor(1.0)}, {"conv1_1.weight": torch.zeros(70, 3, 3, 3)}):
        assert width_of(odd) == 64


@settings(max_examples=15, deadline=None)
@given(st.integers(32, 200), st.integers(32, 200), st.integers(1, 2))
def test_levels_have_the_anchors_of_the_published_network(height, width, batch):
    """Rounded down at each pooling; the fifth's padding adds four cells, the two strides after it round up."""

    def cells(side):
        deep = side // 32 + 4
        return [side // 4, side // 8, side // 16, deep, math.ceil(deep / 2), math.ceil(deep / 4)]

    with torch.no_grad():
        levels = ServedS3fd(S3fd(1)).eval()(torch.zeros(batch, height, width, 3, dtype=torch.uint8))
    assert len(levels) == len(OUTPUTS) == len(STRIDES) == len(LEVELS)
    for level, rows, columns in zip(levels, cells(height), cells(width), strict=True):
        assert level.shape == (batch, rows, columns, 5)


def test_the_background_of_the_first_level_is_the_largest_of_three_labels():
    network = S3fd(2).eval()
    network.load_state_dict(synthesise(2, seed=0))
    pixels = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        features = network.features(pixels)
        labels = network.conv3_3_norm_mbox_conf(features[0])
        (first, _), (second, _) = network(pixels)[:2]
        plain = network.conv4_3_norm_mbox_conf(features[1])
    background = torch.max(torch.max(labels[:, 0], labels[:, 1]), labels[:, 2])
    assert torch.equal(first, torch.stack([background, labels[:, 3]], dim=1))
    assert len({int(index) for index in labels[:, :3].argmax(dim=1).flatten()}) > 1
    assert torch.equal(second, plain)


def test_features_that_are_all_zero_stay_zero():
    assert (ChannelNorm(3, 10.0)(torch.zeros(1, 3, 2, 2)) == 0).all()


def test_each_position_is_scaled_to_the_learned_length():
    scaled = ChannelNorm(4, 10.0)(torch.randn(1, 4, 5, 6, generator=torch.Generator().manual_seed(0)))
    torch.testing.assert_close(scaled.norm(dim=1), torch.full((1, 5, 6), 10.0))
