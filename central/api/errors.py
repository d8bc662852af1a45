"""Refusals over HTTP: ``{"code": …, "params": {…}}`` with a status of 4xx, 503 while the database is away."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException

from central.log import log, log_failure
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.registry.asked import INSURED_PATH
from operator_tui.signin import files, people
from operator_tui.signin import messages as auth
from operator_tui.sync.protocol import (
    ENROL_PATH,
    EVENTS_PATH,
    FORK_PATH,
    HEALTH_PATH,
    JSON_TYPE,
    PRESENCE_PATH,
    SYNC_PATH,
)

AnyRequest = Request[Any, Any, Any]

_PATHS = frozenset(
    {SYNC_PATH, EVENTS_PATH, PRESENCE_PATH, ENROL_PATH, FORK_PATH, HEALTH_PATH}
    | {auth.CHALLENGE_PATH, auth.SIGN_IN_PATH, auth.REFRESH_PATH, auth.SIGN_OUT_PATH}
    | {auth.PASSWORD_PATH, auth.ESCROW_PATH, auth.RESET_PATH, auth.JOIN_PATH, auth.OWN_SEATS_PATH}
    | {people.PEOPLE_PATH, people.ADD_PATH, people.CHANGE_PATH, people.CODE_PATH}
    | {people.SEATS_PATH, people.REVOKE_PATH}
    | {INSURED_PATH}
    | {files.RECORDING_KEY_PATH, files.ATTACHMENT_KEY_PATH, auth.SEALED_WORK_PATH}
    | {auth.OIDC_BEGIN_PATH, auth.OIDC_POLL_PATH}
)
_STATUS = {
    Code.TOKEN_INVALID: 401,
    Code.TOKEN_EXPIRED: 401,
    Code.TOKEN_REPLAYED: 401,
    Code.PASSWORD_CHANGED: 401,
    Code.SIGN_IN_WRONG: 401,
    Code.DEVICE_SIGNATURE: 401,
    Code.DEVICE_OTHER: 403,
    Code.DEVICE_REVOKED: 403,
    Code.FILE_OTHER: 403,
    Code.PERSON_NEEDED: 403,
    Code.OIDC_STRANGER: 403,
    Code.OIDC_REFUSED: 403,
    Code.ACCOUNT_BLOCKED: 403,
    Code.RESET_CODE: 403,
    Code.SIGN_IN_LATER: 429,
    Code.ENROLMENT_CODE: 403,
    Code.RIGHT_MISSING: 403,
    Code.READ_ONLY: 403,
    Code.FORK: 409,
    Code.DATABASE_AWAY: 503,
    Code.REGION_MOVES: 503,
    Code.FILE_STORE_FULL: 507,
}
_STATUS_OF_REASON = {
    "file_unknown": 404,
    "offset": 409,
    "tus_version": 412,
    "file_size": 413,
    "content_type": 415,
    "checksum": 460,  # tus 1.0, checksum
    "too_large": 413,
    "dictionary": 415,
    "encoding": 415,
    "dictionary_unknown": 404,
}


# Filled by central/app.py with every address that has no part of its own in it.
SERVED: set[str] = set()


def status_of(refusal: Refusal) -> int:
    """The HTTP status of a refusal."""
    return _STATUS.get(refusal.code) or _STATUS_OF_REASON.get(str(refusal.params.get("reason")), 400)


def refused(request: AnyRequest, refusal: Refusal) -> Response[Any]:
    """A refusal of ours."""
    status = status_of(refusal)
    log("refused", path=short_path(request), status=status, code=refusal.code.value)
    return Response(refusal.wire(), status_code=status, media_type=JSON_TYPE)


def refused_by_http(request: AnyRequest, error: HTTPException) -> Response[Any]:
    """A refusal of the HTTP layer: no such path, a body too large, a wrong method."""
    reason = "too_large" if error.status_code == 413 else "http"
    refusal = Refusal(Code.BAD_REQUEST, reason=reason, status=error.status_code)
    log("refused", path=short_path(request), status=error.status_code, code=refusal.code.value)
    return Response(refusal.wire(), status_code=error.status_code, media_type=JSON_TYPE)


def failed(request: AnyRequest, error: Exception) -> Response[Any]:
    """Our own mistake: the desk keeps its work and tries again."""
    log_failure("failed", error, path=short_path(request), status=500)
    wire = Refusal(Code.SERVER_REFUSED, reason="failed").wire()
    return Response(wire, status_code=500, media_type=JSON_TYPE)


def short_path(request: AnyRequest) -> str:
    """One of our paths; any other may hold anything."""
    return request.url.path if request.url.path in _PATHS or request.url.path in SERVED else "?"
