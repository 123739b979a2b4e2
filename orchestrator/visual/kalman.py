"""A Kalman filter with constant velocity on independent axes, and its smoother for times that have a future.

The motion model is continuous white noise acceleration: Bar-Shalom, Li, Kirubarajan, "Estimation with Applications
to Tracking and Navigation", 6.2.2; the smoother is Rauch's, Tung's and Striebel's, 8.6. (The discrete model, one
constant acceleration between two measurements, rings when measurements are far apart and precise, as ours are.)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
"""Shape [axes]."""

ACCELERATION_LASTS_S = 0.2
"""Time for which a head keeps an acceleration: turns its standard deviation into the noise's spectral density."""

_MEASURED = np.array([1.0, 0.0])
"""A measurement sees the value and not the speed."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is believed at one time."""

    time_s: float
    mean: NDArray[np.float64]
    """[axes, 2]: value and speed per second."""
    covariance: NDArray[np.float64]
    """[axes, 2, 2]."""

    @property
    def values(self) -> Vector:
        """Values without speeds."""
        return self.mean[:, 0]


@dataclass(frozen=True, slots=True)
class Step:
    """One measurement's passage through the filter, kept for the smoother."""

    predicted: Estimate
    filtered: Estimate


def first_estimate(time_s: float, values: Vector, value_std: Vector, speed_std: Vector) -> Estimate:
    """Start from one measurement; the speed is unknown, hence 0 with its standard deviation."""
    mean = np.stack([values, np.zeros_like(values)], axis=1)
    covariance = np.zeros((len(values), 2, 2))
    covariance[:, 0, 0] = value_std**2
    covariance[:, 1, 1] = speed_std**2
    return Estimate(time_s, mean, covariance)


def predict(estimate: Estimate, time_s: float, acceleration_std: Vector) -> Estimate:
    """Move an estimate forward in time."""
    dt = time_s - estimate.time_s
    transition = _transition(dt)
    noise = ACCELERATION_LASTS_S * np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]])
    covariance = transition @ estimate.covariance @ transition.T + acceleration_std[:, None, None] ** 2 * noise
    return Estimate(time_s, estimate.mean @ transition.T, covariance)


def correct(predicted: Estimate, values: Vector, value_std: Vector) -> Estimate:
    """Take a measurement of the values in."""
    innovation_variance = predicted.covariance[:, 0, 0] + value_std**2
    gain = predicted.covariance[:, :, 0] / innovation_variance[:, None]
    mean = predicted.mean + gain * (values - predicted.values)[:, None]
    kept = np.eye(2) - gain[:, :, None] * _MEASURED
    # Joseph's form: stays symmetric and positive however small the noise is.
    noise = gain[:, :, None] * gain[:, None, :] * (value_std**2)[:, None, None]
    return Estimate(predicted.time_s, mean, kept @ predicted.covariance @ kept.transpose(0, 2, 1) + noise)


def surprise(predicted: Estimate, values: Vector, value_std: Vector) -> float:
    """Return the squared Mahalanobis distance of a measurement; chi-squared with one degree of freedom an axis."""
    variance = predicted.covariance[:, 0, 0] + value_std**2
    return float(np.sum((values - predicted.values) ** 2 / variance))


def smooth(steps: Sequence[Step]) -> list[Estimate]:
    """Let every step know of the later ones (Rauch-Tung-Striebel): no lag, less noise. The last one stays."""
    smoothed = [steps[-1].filtered]
    for step, following in zip(reversed(steps[:-1]), reversed(steps[1:]), strict=True):
        transition = _transition(following.filtered.time_s - step.filtered.time_s)
        ahead, then = following.predicted, smoothed[-1]
        gain = step.filtered.covariance @ transition.T @ np.linalg.inv(ahead.covariance)
        mean = step.filtered.mean + (gain @ (then.mean - ahead.mean)[:, :, None])[:, :, 0]
        covariance = step.filtered.covariance + gain @ (then.covariance - ahead.covariance) @ gain.transpose(0, 2, 1)
        smoothed.append(Estimate(step.filtered.time_s, mean, covariance))
    smoothed.reverse()
    return smoothed


def between(before: Estimate, after: Estimate, time_s: float) -> Vector:
    """Return the values at a time between two estimates: the cubic that has both values and both speeds.

    For white noise acceleration this is the expected path between two known states.
    """
    dt = after.time_s - before.time_s
    if dt <= 0:
        return after.values
    t = (time_s - before.time_s) / dt
    from_before = (1 + 2 * t) * (1 - t) ** 2 * before.values + t * (1 - t) ** 2 * dt * before.mean[:, 1]
    from_after = t**2 * (3 - 2 * t) * after.values + t**2 * (t - 1) * dt * after.mean[:, 1]
    return np.asarray(from_before + from_after)


def _transition(dt: float) -> NDArray[np.float64]:
    return np.array([[1.0, dt], [0.0, 1.0]])
