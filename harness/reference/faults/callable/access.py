"""Callable faults around log-in, tokens and refusals.

Part of the fault catalogue. Each function patches a Callable system that is made but not started.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from harness.reference.callable.access import ACCESS, REFRESH
from harness.reference.callable.api import ApiError
from harness.reference.faults.fault import Collector, put, wrap
from harness.reference.web import BadRequestError, basic_credentials

collect = Collector("callable")

Ask = Callable[..., Any]


@collect("log-in-without-refresh", "CA-token-for-password", "a log-in gives an access token and no refresh token")
def _log_in_without_refresh(system: Any) -> None:
    def tokens_for(make: Ask, values: Any) -> Any:
        granted = make(values)
        return granted if "token" in values else {**granted, "refresh_token": None}

    wrap(system.api, "tokens_for", tokens_for)


@collect("any-password", "CA-token-wrong-password", "any password is taken for right")
def _any_password(system: Any) -> None:
    put(system.access, "logs_in", lambda _username, _password: True)


@collect("wrong-password-404", "CA-token-wrong-password-status", "a wrong password is answered 404")
def _wrong_password_404(system: Any) -> None:
    _refusal(system, 401, 404, "authorize")


@collect("token-useless", "CA-token-opens-api", "access tokens do not open the list of accounts")
def _token_useless(system: Any) -> None:
    async def run(really_run: Ask, asked: Any) -> Any:
        if asked.operation == "listAccounts":
            raise ApiError(401, "this token is not recognised here")
        return await really_run(asked)

    wrap(system.api, "run", run)


@collect("no-token-needed", "CA-token-required", "trunks are listed without a token")
def _no_token_needed(system: Any) -> None:
    wrap(system.api, "needs_token", lambda needs, operation: operation != "listTrunks" and needs(operation))


@collect("any-token", "CA-token-required", "anything is taken for an access token")
def _any_token(system: Any) -> None:
    wrap(system.access, "user_of", lambda find, token, kind=ACCESS: "ringtrue" if kind == ACCESS else find(token, kind))


@collect("token-signature-unchecked", "CA-token-required", "the signature of an access token is not looked at")
def _signature_unchecked(system: Any) -> None:
    def user(find: Ask, token: str, kind: str = ACCESS) -> Any:
        try:
            claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        except (IndexError, ValueError):
            return find(token, kind)
        return claims.get("sub") if kind == ACCESS and claims.get("typ") == ACCESS else find(token, kind)

    wrap(system.access, "user_of", user)


@collect("password-opens-api", "CA-token-required", "user name and password open the API without a token")
def _password_opens(system: Any) -> None:
    def user(find: Ask, request: Any) -> Any:
        name, password = basic_credentials(request.headers.get("authorization", ""))
        return find(request) or (name if system.access.logs_in(name, password) else None)

    wrap(system.api, "user_of", user)


@collect("no-token-403", "CA-token-required-status", "a request without a token is answered 403")
def _no_token_403(system: Any) -> None:
    _refusal(system, 401, 403, "api")


@collect("token-opaque", "CA-token-jwt", "the access token is opaque")
def _token_opaque(system: Any) -> None:
    wrap(system.access, "sign", lambda sign, claims: sign(claims).replace(".", "~"))
    wrap(system.access, "user_of", lambda find, token, kind=ACCESS: find(token.replace("~", "."), kind))


@collect("token-roles-missing", "CA-token-roles", "the access token has no realm_access")
def _roles_missing(system: Any) -> None:
    def claims(make: Ask, *values: Any) -> Any:
        return {name: value for name, value in make(*values).items() if name != "realm_access"}

    wrap(system.access, "claims", claims)


@collect("token-roles-text", "CA-token-roles", "realm_access.roles is one string")
def _roles_text(system: Any) -> None:
    wrap(system.access, "claims", lambda make, *values: make(*values) | {"realm_access": {"roles": "VoiceChannel"}})


@collect("token-never-expires", "CA-token-expires", "access tokens are valid for ever")
def _never_expires(system: Any) -> None:
    put(system.access, "expired", lambda _claims: False)


@collect("token-life-other-unit", "CA-token-expires-in-seconds", "exp lies a thousand times expires_in after iat")
def _other_unit(system: Any) -> None:
    wrap(system.access, "claims", lambda make, user, kind, now, life: make(user, kind, now, life * 1000))


@collect("refresh-refused", "CA-token-refresh", "refresh tokens are not recognised")
def _refresh_refused(system: Any) -> None:
    wrap(system.access, "user_of", lambda find, token, kind=ACCESS: None if kind == REFRESH else find(token, kind))


@collect("refresh-token-refused", "CA-Refresh.token", "a request for tokens that gives token is refused")
def _token_refused(system: Any) -> None:
    def tokens_for(make: Ask, values: Any) -> Any:
        if "token" in values:
            raise ApiError(400, "token is not accepted")
        return make(values)

    wrap(system.api, "tokens_for", tokens_for)


@collect("refreshed-token-useless", "CA-token-refresh", "the access token that a refresh gives opens nothing")
def _refreshed_useless(system: Any) -> None:
    _refreshed(system, lambda tokens: tokens | {"access_token": system.access.sign({"typ": "none"})})


@collect("refresh-shape", "CA-token-refresh-shape", "the answer to a refresh has no refresh token")
def _refresh_shape(system: Any) -> None:
    _refreshed(system, lambda tokens: {name: value for name, value in tokens.items() if not name.startswith("refresh")})


@collect(
    "refresh-token-shorter", "CA-token-refresh-outlives", "the refresh token lives half as long as the access token"
)
def _refresh_shorter(system: Any) -> None:
    wrap(
        system.access,
        "grant",
        lambda grant, user: grant(user) | {"refresh_expires_in": system.access.life_of(user) / 2},
    )


@collect("any-refresh-token", "CA-token-bad-refresh", "anything is taken for a refresh token")
def _any_refresh(system: Any) -> None:
    wrap(
        system.access, "user_of", lambda find, token, kind=ACCESS: "ringtrue" if kind == REFRESH else find(token, kind)
    )


@collect("refusals-500", "CA-refusals-are-4xx", "a request with a wrong value is answered 500")
def _refusals_500(system: Any) -> None:
    _refusal(system, 400, 500, "api")


def _refreshed(system: Any, change: Callable[[Any], Any]) -> None:
    """Change the tokens that a refresh gives."""

    def tokens_for(make: Ask, values: Any) -> Any:
        return change(make(values)) if "token" in values else make(values)

    wrap(system.api, "tokens_for", tokens_for)


def _refusal(system: Any, status: int, instead: int, where: str) -> None:
    """Answer another status where `status` is due, at the token operation or everywhere else."""

    async def answer(run: Ask, request: Any) -> Any:
        try:
            return await run(request)
        except (ApiError, BadRequestError) as error:
            due = error.status if isinstance(error, ApiError) else 400
            if due == status and request.url.path.endswith("/authorize") == (where == "authorize"):
                raise ApiError(instead, str(error)) from error
            raise

    wrap(system.api, "answer", answer)
