import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.visual import kalman

ACCELERATION = np.array([4.0])
NOISE = np.array([0.02])


def run(times_s, values, acceleration=ACCELERATION, noise=NOISE):
    start = kalman.first_estimate(times_s[0], np.array([values[0]]), noise, np.array([1.0]))
    steps = [kalman.Step(start, start)]
    for time_s, value in zip(times_s[1:], values[1:], strict=True):
        predicted = kalman.predict(steps[-1].filtered, time_s, acceleration)
        steps.append(kalman.Step(predicted, kalman.correct(predicted, np.array([value]), noise)))
    return steps


@given(st.floats(-5, 5), st.floats(-3, 3), st.floats(0.02, 0.5))
def test_noiseless_steady_motion_is_found_exactly(start, speed, interval_s):
    times_s = np.arange(12) * interval_s
    estimates = kalman.smooth(run(times_s, start + speed * times_s))
    # The prior of speed 0 pulls a little at first, less than the noise that is allowed for.
    assert np.abs([e.values[0] - start - speed * e.time_s for e in estimates]).max() < 0.02
    last = estimates[-1]
    ahead = kalman.predict(last, last.time_s + interval_s, ACCELERATION)
    assert ahead.values[0] == pytest.approx(start + speed * ahead.time_s, abs=0.05)


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=12), st.floats(0.02, 0.5))
def test_covariances_stay_symmetric_and_positive_and_hindsight_never_knows_less(values, interval_s):
    steps = run(np.arange(len(values)) * interval_s, values)
    for step, smoothed in zip(steps, kalman.smooth(steps), strict=True):
        filtered = step.filtered.covariance[0]
        assert filtered[0, 1] == pytest.approx(filtered[1, 0])
        assert np.all(np.linalg.eigvalsh(filtered) > 0)
        assert smoothed.covariance[0, 0, 0] <= filtered[0, 0] + 1e-12


def test_noise_is_reduced_by_what_comes_later():
    random = np.random.default_rng(0)
    times_s = np.arange(400) * 0.2
    truth = 0.1 * np.sin(2 * np.pi * 0.2 * times_s)
    noisy = truth + random.normal(0, 0.02, len(times_s))
    steps = run(times_s, noisy, acceleration=np.array([0.5]))
    errors = {
        "measured": noisy - truth,
        "filtered": [step.filtered.values[0] for step in steps] - truth,
        "smoothed": [estimate.values[0] for estimate in kalman.smooth(steps)] - truth,
    }
    rms = {name: float(np.std(error)) for name, error in errors.items()}
    assert rms["smoothed"] < 0.75 * rms["measured"]
    assert rms["smoothed"] < rms["filtered"]


def test_the_path_between_two_estimates_is_the_cubic_through_both():
    def estimate(time_s):
        return kalman.Estimate(time_s, np.array([[time_s**3, 3 * time_s**2]]), np.eye(2)[None])

    for time_s in (1.0, 1.3, 1.9, 2.0):
        assert kalman.between(estimate(1.0), estimate(2.0), time_s)[0] == pytest.approx(time_s**3)
    assert kalman.between(estimate(1.0), estimate(1.0), 1.0)[0] == 1.0


def test_surprise_grows_with_the_distance_and_shrinks_with_the_doubt():
    near = kalman.first_estimate(0.0, np.array([0.0]), NOISE, np.array([1.0]))
    later = kalman.predict(near, 1.0, ACCELERATION)
    assert kalman.surprise(near, np.array([0.1]), NOISE) > kalman.surprise(near, np.array([0.05]), NOISE)
    assert kalman.surprise(later, np.array([0.1]), NOISE) < kalman.surprise(near, np.array([0.1]), NOISE)
    assert kalman.surprise(near, np.array([0.0]), NOISE) == 0
