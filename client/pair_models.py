"""Engines that route among models of single pairs: what they offer depends on which of those are loaded. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from client.contracts import EngineStatus

LANGUAGE_PAIRS = "language_pairs"
"""Parameter of an engine's config: "en-es es-en"."""
PAIR_MODELS = "pair_models"
"""Parameter of a routing engine's config: which models it routes among, "opus_mt_*"."""
PIVOT_LANGUAGE = "pivot_language"
"""Its parameter: the language by way of which it joins two pairs; left out: it joins none."""


def pair_models(parameters: Mapping[str, str], statuses: Iterable[EngineStatus]) -> tuple[str, ...]:
    """Return the ready models that an engine routes among; none for one that states its pairs itself."""
    pattern = parameters.get(PAIR_MODELS)
    if pattern is None or LANGUAGE_PAIRS in parameters:
        return ()
    return tuple(dict.fromkeys(each.name for each in statuses if each.ready and fnmatchcase(each.name, pattern)))


def with_pairs(parameters: Mapping[str, str], stated: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return the parameters with the `language_pairs` that its models' parameters, `stated`, make possible together."""
    pairs = dict.fromkeys(pair for each in stated for pair in each.get(LANGUAGE_PAIRS, "").split())
    if not pairs:
        return dict(parameters)
    pivot = parameters.get(PIVOT_LANGUAGE, "")
    parts = [pair.partition("-") for pair in pairs]
    into, out = [one for one, _, other in parts if other == pivot], [other for one, _, other in parts if one == pivot]
    joined = dict.fromkeys(f"{source}-{target}" for source in into for target in out if source != target)
    return {**parameters, LANGUAGE_PAIRS: " ".join(pairs | joined)}
