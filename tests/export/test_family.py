import numpy as np
import pytest

from export.errors import UnknownName
from export.family import FAMILIES, check_offered, family
from export.precision import PRECISIONS, precision
from tests.fakes.tiny_family import FAMILY


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_keeps_what_it_states(name):
    found = family(name)
    assert found.name == name
    assert set(found.precisions) <= set(PRECISIONS)
    for limits in map(found.limits, found.precisions):
        assert limits
    samples = found.trace_inputs()
    assert list(samples) == [tensor.name for tensor in found.signature.inputs]
    assert all(len(array) > 1 for array in samples.values())  # an axis of 1 would be traced as a constant


@pytest.mark.parametrize("name", FAMILIES)
def test_samples_follow_the_generator_alone(name):
    first, again, other = (family(name).samples(np.random.default_rng(seed), 2) for seed in (1, 1, 2))
    for tensor in family(name).signature.inputs:
        np.testing.assert_array_equal(first[tensor.name], again[tensor.name])
        assert (first[tensor.name] != other[tensor.name]).any()


@pytest.mark.parametrize("name", PRECISIONS)
def test_a_precision_is_found_by_its_name(name):
    assert precision(name).name == name


def test_what_there_is_not_is_an_error_that_names_what_there_is():
    with pytest.raises(UnknownName, match=r"no model family is called 'wav3lip'; there are .*wav2lip"):
        family("wav3lip")
    with pytest.raises(UnknownName, match=r"no precision is called 'fp8'; there are fp32, fp16"):
        precision("fp8")
    with pytest.raises(UnknownName, match="no precision of tiny is called 'int8'; there are fp32, fp16, coarse"):
        check_offered(FAMILY, "int8")


def test_the_axes_that_vary_are_the_batch_and_the_named_sizes():
    assert family("wav2lip").dynamic_axes() == {"FACES": {0: "batch"}, "MEL": {0: "batch"}}
    assert family("s3fd").dynamic_axes() == {"FRAMES": {0: "batch", 1: "height", 2: "width"}}
