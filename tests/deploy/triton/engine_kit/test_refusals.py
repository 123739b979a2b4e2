import numpy as np
import pytest
from engine_kit.refusals import InvalidRequest, require_finite, require_one_of


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_value_that_is_not_finite_is_refused(value):
    with pytest.raises(InvalidRequest, match=r"^MEL holds NaN or infinite"):
        require_finite(np.array([[0.0, value]]), "MEL")


def test_finite_and_empty_arrays_pass():
    require_finite(np.array([1e30, -1.0]), "MEL")
    require_finite(np.zeros(0), "MEL")


def test_what_is_not_served_is_refused_with_what_is():
    require_one_of("en", "LANGUAGE", ["en", "es"])
    with pytest.raises(InvalidRequest, match=r"^LANGUAGE 'fr' is not served; there are: en es$"):
        require_one_of("fr", "LANGUAGE", ["en", "es"])
