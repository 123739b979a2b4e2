"""The one place where errors become HTTP: RFC 9457 problem details with a stable `type`."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from client.errors import EngineError, PolylipError
from orchestrator import errors

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:polylip:problem:"
RETRY_AFTER_S = 5
"""What a refused caller is asked to wait: about the time in which a broker or an engine comes back."""

STATUS: dict[type[PolylipError], HTTPStatus] = {
    PolylipError: HTTPStatus.INTERNAL_SERVER_ERROR,
    EngineError: HTTPStatus.BAD_GATEWAY,
    errors.ArtefactNotReady: HTTPStatus.NOT_FOUND,
    errors.BadRequest: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.BrokerError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ClipRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.ClipTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.CorrectionOutdated: HTTPStatus.PRECONDITION_FAILED,
    errors.CorrectionRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.DubNotFinished: HTTPStatus.CONFLICT,
    errors.DubNotFound: HTTPStatus.NOT_FOUND,
    errors.FaceNotFound: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.GlossaryRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.IdempotencyConflict: HTTPStatus.CONFLICT,
    errors.LanguagePairUnsupported: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.ModelNotFound: HTTPStatus.NOT_FOUND,
    errors.NoEarlierVersion: HTTPStatus.CONFLICT,
    errors.NotAVideo: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.RangeNotSatisfiable: HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
    errors.RenderInProgress: HTTPStatus.CONFLICT,
    errors.RepositoryUnusable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.SegmentNotFound: HTTPStatus.NOT_FOUND,
    errors.SwapInProgress: HTTPStatus.CONFLICT,
    errors.SwapRefused: HTTPStatus.CONFLICT,
    errors.TranscriptRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.TranscriptTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.VersionNotFound: HTTPStatus.NOT_FOUND,
    errors.WebhookRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
}
"""HTTP status of an error or its nearest ancestor; a retryable one without an entry of its own is 503."""

_FRAMEWORK_CODES = {
    HTTPStatus.NOT_FOUND: errors.DubNotFound.code,
    HTTPStatus.METHOD_NOT_ALLOWED: "method-not-allowed",
}


def status_of(kind: type[PolylipError]) -> HTTPStatus:
    """Return the HTTP status for a class of errors."""
    if kind in STATUS:
        return STATUS[kind]
    if kind.retryable:
        return HTTPStatus.SERVICE_UNAVAILABLE
    return next(STATUS[ancestor] for ancestor in kind.__mro__ if ancestor in STATUS)


def problem(
    status: int, code: str, detail: str, headers: Mapping[str, str] | None = None, **members: object
) -> JSONResponse:
    """Make a problem document; `members` are extensions (RFC 9457, section 3.2)."""
    body = {
        "type": TYPE_PREFIX + code,
        "title": code.replace("-", " ").capitalize(),
        "status": int(status),
        "code": code,
        "detail": detail,
        **members,
    }
    return JSONResponse(body, status, headers, MEDIA_TYPE)


def problem_of(error: PolylipError) -> JSONResponse:
    """Make the problem document of an error of ours."""
    status = status_of(type(error))
    members: dict[str, Any] = {}
    if isinstance(error, errors.LanguagePairUnsupported):
        members["pairs"] = [{"source": pair.source, "target": pair.target} for pair in error.pairs]
    if isinstance(error, errors.TranscriptRefused):
        members["line"] = error.line
    if isinstance(error, EngineError):
        members["model"] = error.model
    headers = {"Retry-After": str(RETRY_AFTER_S)} if error.retryable else None
    if status is HTTPStatus.INTERNAL_SERVER_ERROR:
        return problem(status, error.code, "an error of ours; it was logged", headers)
    return problem(status, error.code, str(error), headers, **members)


def install(app: FastAPI) -> None:
    """Answer every error of the application as a problem document."""
    app.add_exception_handler(PolylipError, _on_polylip_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)
    app.add_exception_handler(Exception, _on_unknown_error)


async def _on_polylip_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, PolylipError)
    answer = problem_of(error)
    if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("request failed", path=request.url.path, code=error.code, reason=str(error))
    return answer


async def _on_invalid_request(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found: Sequence[Any] = error.errors()
    detail = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in found)
    if all(item["loc"][0] == "path" for item in found):  # no dub has an id that is no UUID
        return problem(HTTPStatus.NOT_FOUND, errors.DubNotFound.code, detail)
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, errors.BadRequest.code, detail)


async def _on_http_exception(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    return problem(status, _FRAMEWORK_CODES.get(status, errors.BadRequest.code), error.detail, error.headers)


async def _on_disconnect(_request: Request, _error: Exception) -> Response:
    return problem(HTTPStatus.BAD_REQUEST, errors.BadRequest.code, "the client went away")  # nobody hears it


async def _on_unknown_error(_request: Request, _error: Exception) -> Response:
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, PolylipError.code, "an error of ours; it was logged")
