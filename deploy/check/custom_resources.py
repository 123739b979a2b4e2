"""The fields of other people's resources that we use, as their operators define them; a field not listed is refused.

Sources: RabbitMQ Cluster Operator 2.x, resource definition `rabbitmqclusters.rabbitmq.com`; KEDA 2.x, `scaledobjects`
and `triggerauthentications.keda.sh`, and the page of its RabbitMQ scaler. Written down here with the values that make
sense for us: Kubernetes itself would take any string in a trigger's metadata, and KEDA would find out when it runs.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string", "minLength": 1}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_ANY: Schema = {"type": "object"}
"""Kubernetes' own types, which `kubernetes-validate` sees in our other manifests."""


def _fields(required: str = "", **fields: Schema) -> Schema:
    return {"type": "object", "additionalProperties": False, "required": required.split(), "properties": fields}


def _list(item: Schema) -> Schema:
    return {"type": "array", "minItems": 1, "items": item}


_META = _fields("name namespace", name=_TEXT, namespace=_TEXT, labels=_ANY, annotations=_ANY)


def _resource(version: str, kind: str, spec: Schema) -> Schema:
    constant = {"apiVersion": {"const": version}, "kind": {"const": kind}}
    return _fields("apiVersion kind metadata spec", metadata=_META, spec=spec, **constant)


_RABBIT_TRIGGER = _fields(
    "protocol host vhostName queueName mode value",
    protocol={"const": "http"},  # amqp does not tell of messages that are delivered and not acknowledged
    host={"type": "string", "pattern": r"^http://[a-z0-9.-]+:15672$"},
    vhostName=_TEXT,
    queueName=_TEXT,
    mode={"const": "QueueLength"},
    value={"type": "string", "pattern": r"^[1-9]\d*$"},
    activationValue={"type": "string", "pattern": r"^\d+$"},
)

SCHEMAS: Mapping[tuple[str, str], Schema] = {
    ("rabbitmq.com/v1beta1", "RabbitmqCluster"): _resource(
        "rabbitmq.com/v1beta1",
        "RabbitmqCluster",
        _fields(
            "replicas image persistence resources",
            replicas={"enum": [3, 5, 7]},  # a quorum
            image=_TEXT,
            persistence=_fields("storage", storage=_TEXT, storageClassName=_TEXT),
            resources=_fields("requests limits", requests=_ANY, limits=_ANY),
            rabbitmq=_fields(additionalConfig=_TEXT, advancedConfig=_TEXT, envConfig=_TEXT, additionalPlugins=_ANY),
            affinity=_ANY,
            tolerations={"type": "array"},
            terminationGracePeriodSeconds=_COUNT,
            delayStartSeconds=_COUNT,
        ),
    ),
    ("keda.sh/v1alpha1", "TriggerAuthentication"): _resource(
        "keda.sh/v1alpha1",
        "TriggerAuthentication",
        _fields(
            "secretTargetRef",
            secretTargetRef=_list(
                _fields(
                    "parameter name key", parameter={"enum": ["host", "username", "password"]}, name=_TEXT, key=_TEXT
                )
            ),
        ),
    ),
    ("keda.sh/v1alpha1", "ScaledObject"): _resource(
        "keda.sh/v1alpha1",
        "ScaledObject",
        _fields(
            "scaleTargetRef minReplicaCount maxReplicaCount triggers",
            scaleTargetRef=_fields("name", name=_TEXT, apiVersion=_TEXT, kind=_TEXT),
            pollingInterval=_COUNT,
            cooldownPeriod=_COUNT,
            minReplicaCount=_COUNT,
            maxReplicaCount=_COUNT,
            fallback=_fields("failureThreshold replicas", failureThreshold=_COUNT, replicas=_COUNT),
            advanced=_fields(
                horizontalPodAutoscalerConfig=_fields(name=_TEXT, behavior=_ANY),
                restoreToOriginalReplicaCount={"type": "boolean"},
            ),
            triggers=_list(
                _fields(
                    "type metadata",
                    type={"const": "rabbitmq"},
                    name=_TEXT,
                    metadata=_RABBIT_TRIGGER,
                    authenticationRef=_fields("name", name=_TEXT),
                )
            ),
        ),
    ),
}


def check_custom(where: str, manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the resource's definition would refuse."""
    validator = Draft202012Validator(SCHEMAS[manifest["apiVersion"], manifest["kind"]])
    for error in validator.iter_errors(dict(manifest)):
        yield f"{where}: {error.json_path}: {error.message}"
