"""``GET /v1/openapi``: the addresses as OpenAPI 3.1, with the messages they take and the refusals they give.

Handlers read their bodies themselves (a version comes before a form), so Litestar knows no type of them: it is said
here, from the same types that are decoded.
"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar.openapi.plugins import JsonRenderPlugin

from central.api.access import OPEN
from operator_tui.appeals import history, talks
from operator_tui.appeals.errors import Code
from operator_tui.registry.asked import INSURED_PATH, Asked
from operator_tui.signin import files, people
from operator_tui.signin import messages as auth
from operator_tui.sync import protocol as sync

MESSAGES: dict[str, type[Any]] = {
    sync.SYNC_PATH: sync.SyncRequest,
    sync.PRESENCE_PATH: sync.PresenceRequest,
    sync.SUMS_PATH: sync.SumsRequest,
    sync.DAY_PATH: sync.DayRequest,
    sync.CARDS_PATH: sync.CardsRequest,
    sync.ENROL_PATH: sync.EnrolRequest,
    sync.FORK_PATH: sync.ForkRequest,
    auth.CHALLENGE_PATH: auth.ChallengeRequest,
    auth.SIGN_IN_PATH: auth.SignInRequest,
    auth.REFRESH_PATH: auth.RefreshRequest,
    auth.SIGN_OUT_PATH: auth.SignOutRequest,
    auth.PASSWORD_PATH: auth.PasswordRequest,
    auth.ESCROW_PATH: auth.EscrowRequest,
    auth.RESET_PATH: auth.ResetRequest,
    auth.JOIN_PATH: auth.JoinRequest,
    auth.OWN_SEATS_PATH: auth.OwnSeatsRequest,
    people.PEOPLE_PATH: people.PeopleRequest,
    people.ADD_PATH: people.AddRequest,
    people.CHANGE_PATH: people.ChangeRequest,
    people.CODE_PATH: people.CodeRequest,
    people.SEATS_PATH: people.SeatsRequest,
    people.REVOKE_PATH: people.RevokeRequest,
    auth.SEALED_WORK_PATH: auth.SealedWorkRequest,
    auth.OIDC_BEGIN_PATH: auth.OidcBegin,
    auth.OIDC_POLL_PATH: auth.OidcPoll,
    files.RECORDING_KEY_PATH: files.FileKeyRequest,
    files.ATTACHMENT_KEY_PATH: files.FileKeyRequest,
    files.VOICE_MAIL_KEY_PATH: files.FileKeyRequest,
    files.RECORDINGS_PATH: files.RecordingsRequest,
    history.HISTORY_PATH: history.Asked,
    talks.TALKS_PATH: talks.Asked,
    INSURED_PATH: Asked,
}
_JSON = "application/json"
_REFUSAL = {
    "type": "object",
    "required": ["code", "params"],
    "properties": {
        "code": {"type": "string", "enum": [code.value for code in Code]},
        "params": {"type": "object"},
    },
}


class Described(JsonRenderPlugin):
    """Litestar's description with bodies, refusals and the token in it."""

    def render(self, request: Any, openapi_schema: dict[str, Any]) -> bytes:
        open_paths = {
            path
            for handler in (route.route_handlers[0] for route in request.app.routes if hasattr(route, "route_handlers"))
            for path in handler.paths
            if handler.opt.get("access") == OPEN
        }
        return super().render(request, described(openapi_schema, open_paths))


def described(schema: dict[str, Any], open_paths: set[str]) -> dict[str, Any]:
    """The schema with what Litestar does not know."""
    _, components = msgspec.json.schema_components(MESSAGES.values(), ref_template="#/components/schemas/{name}")
    names = dict(zip(MESSAGES, msgspec.json.schema_components(MESSAGES.values())[0], strict=True))
    paths: dict[str, Any] = {}
    for path, methods in schema["paths"].items():
        paths[path] = {method: dict(operation) for method, operation in methods.items()}
        for method, operation in paths[path].items():
            operation["responses"] = {
                **{code: answer for code, answer in operation["responses"].items() if not code.startswith("4")},
                "4XX": {"description": "Refused", "content": {_JSON: {"schema": _ref("Refusal")}}},
                "503": {"description": "Database away", "content": {_JSON: {"schema": _ref("Refusal")}}},
            }
            operation["security"] = [] if path in open_paths else [{"token": []}]
            if method in ("post", "put"):
                body = _ref(names[path]["$ref"].rpartition("/")[2]) if path in names else {"type": "object"}
                operation["requestBody"] = {"required": True, "content": {_JSON: {"schema": body}}}
    given = schema.get("components", {})
    return {
        **schema,
        "paths": paths,
        "components": {
            **given,
            "schemas": {**given.get("schemas", {}), **components, "Refusal": _REFUSAL},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
