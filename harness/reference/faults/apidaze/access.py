"""Apidaze faults in who is let in and what each answer carries: tokens, quota, headers, pre-flight, return codes.

Part of the fault catalogue. Each function patches an Apidaze system that is made but not started.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.responses import JSONResponse

from harness.reference.faults.fault import Collector, put, wrap
from harness.reference.web import basic_credentials

collect = Collector("apidaze")


@collect("auth-hole-status", "AZ-token-required", "the status of an account is served without a token")
def _auth_hole(apidaze: Any) -> None:
    put(apidaze.api, "needs_token", lambda operation: operation != "account_status")


@collect("any-token", "AZ-token-required", "any bearer token is taken for that of the first application")
def _any_token(apidaze: Any) -> None:
    put(apidaze.tokens, "application_of", lambda _value: apidaze.normal)


@collect("token-half-compared", "AZ-token-required", "of an access token the first half alone is compared")
def _token_half(apidaze: Any) -> None:
    issued: list[str] = []

    def issue(make: Callable[[Any], Any], application: Any) -> Any:
        token = make(application)
        issued.append(token.value)
        return token

    def found(find: Callable[[str], Any], value: str) -> Any:
        half = value[: len(value) // 2]
        return find(next((one for one in issued if half and one.startswith(half)), value))

    wrap(apidaze.tokens, "issue", issue)
    wrap(apidaze.tokens, "application_of", found)


@collect("secret-opens-api", "AZ-token-required", "client id and secret open the API without a token")
def _secret_opens(apidaze: Any) -> None:
    def application(find: Callable[[Any], Any], request: Any) -> Any:
        client_id, secret = basic_credentials(request.headers.get("authorization", ""))
        return find(request) or apidaze.tokens.application_with(client_id, secret)

    wrap(apidaze.api, "application_of", application)


@collect("no-token-400", "AZ-token-required-status", "a request without a token is answered 400")
def _no_token_400(apidaze: Any) -> None:
    def answer(make: Callable[[Any], Any], failure: Any) -> Any:
        failure.status = 400 if failure.status == 401 else failure.status
        return make(failure)

    wrap(apidaze.api.answers, "failure", answer)


@collect("wrong-secret-accepted", "AZ-wrong-secret-refused", "the client secret is not compared")
def _wrong_secret(apidaze: Any) -> None:
    known = {application.client_id: application for application in (apidaze.normal, apidaze.limited)}
    put(apidaze.tokens, "application_with", lambda client_id, _secret: known.get(client_id))


@collect("no-access-token", "AZ-Token.access_token", "the token answer has no access_token")
def _no_access_token(apidaze: Any) -> None:
    wrap(apidaze.token_endpoint, "members", lambda members, token: _without(members(token), "access_token"))


@collect("token-expires-number", "AZ-Token.expires_in", "expires_in of the token answer is a number, not a string")
def _expires_number(apidaze: Any) -> None:
    wrap(apidaze.token_endpoint, "members", lambda members, token: members(token) | {"expires_in": token.life})


@collect("token-useless", "AZ-token-accepted", "only the first token of an application opens anything")
def _token_useless(apidaze: Any) -> None:
    first: dict[str, str] = {}

    def issue(really: Callable[[Any], Any], application: Any) -> Any:
        token = really(application)
        first.setdefault(application.client_id, token.value)
        return token

    def application_of(find: Callable[[Any], Any], value: Any) -> Any:
        return find(value) if value in first.values() else None

    wrap(apidaze.tokens, "issue", issue)
    wrap(apidaze.tokens, "application_of", application_of)


@collect("quota-limit-text", "AZ-header.quota-limit", "quota-limit is the word unlimited, not an integer")
def _quota_limit_text(apidaze: Any) -> None:
    wrap(apidaze.api.answers, "quota_headers", lambda headers, usage: headers(usage) | {"quota-limit": "unlimited"})


@collect("quota-never-enforced", "AZ-quota-exceeded-fails", "requests past the quota are served")
def _quota_never_enforced(apidaze: Any) -> None:
    for application in (apidaze.normal, apidaze.limited):
        put(application.quota, "allows", lambda _used: True)


@collect("quota-exceeded-403", "AZ-quota-exceeded-429", "a request past the quota is answered 403")
def _quota_403(apidaze: Any) -> None:
    def answer(make: Callable[[Any], Any], failure: Any) -> Any:
        failure.status = 403 if failure.status == 429 else failure.status
        return make(failure)

    wrap(apidaze.api.answers, "failure", answer)


@collect("quota-used-falls", "AZ-quota-used-counts", "quota-used counts down, like what is left")
def _quota_falls(apidaze: Any) -> None:
    wrap(
        apidaze.api.answers,
        "quota_headers",
        lambda headers, usage: headers(usage) | {"quota-used": str(usage.limit - usage.used)},
    )


@collect("quota-unit-unknown", "AZ-header.quota-time-unit", "quota-time-unit is a unit that the documents do not have")
def _quota_unit(apidaze: Any) -> None:
    wrap(apidaze.api.answers, "quota_headers", lambda headers, usage: headers(usage) | {"quota-time-unit": "fortnight"})


@collect("302-no-location", "AZ-header.Location", "a 302 carries no Location")
def _no_location(apidaze: Any) -> None:
    wrap(apidaze.api.answers, "redirect", lambda redirect, location: _headless(redirect(location), "location"))


@collect("wrong-method-200", "AZ-method-not-allowed", "a method that the resource does not have is answered 200")
def _wrong_method(apidaze: Any) -> None:
    put(apidaze.api, "wrong_method", lambda _found: apidaze.api.answers.ok({}))


@collect("content-type-text", "AZ-listSipAccounts.body", "answers call their JSON text/plain")
def _content_type_text(apidaze: Any) -> None:
    def plain(ok: Callable[..., Any], *args: Any) -> Any:
        response = ok(*args)
        response.headers["content-type"] = "text/plain; charset=utf-8"
        return response

    wrap(apidaze.api.answers, "ok", plain)


@collect("content-type-missing", "AZ-header-content-type", "answers do not tell their content type")
def _content_type_missing(apidaze: Any) -> None:
    wrap(apidaze.api.answers, "ok", lambda ok, *args: _headless(ok(*args), "content-type"))


@collect("cors-origin-missing", "AZ-cors-allow-origin", "ordinary answers carry no access-control-allow-origin")
def _no_allow_origin(apidaze: Any) -> None:
    _drop_standard(apidaze, "access-control-allow-origin")


@collect("cors-methods-missing", "AZ-cors-other-headers", "ordinary answers carry no access-control-allow-methods")
def _no_allow_methods(apidaze: Any) -> None:
    _drop_standard(apidaze, "access-control-allow-methods")


def _drop_standard(apidaze: Any, header: str) -> None:
    wrap(apidaze.api.answers, "standard_headers", lambda headers: _without(headers(), header))


def _drop_quota(apidaze: Any, header: str) -> None:
    wrap(apidaze.api.answers, "quota_headers", lambda headers, usage: _without(headers(usage), header))


def _drop_preflight(apidaze: Any, header: str) -> None:
    wrap(apidaze.api.answers, "preflight_headers", lambda headers, *args: _without(headers(*args), header))
    # Otherwise the header of ordinary answers would stand in for the pre-flight's own.
    _drop_standard(apidaze, header)


def _apply_drop(drop: Callable[[Any, str], None], header: str, apidaze: Any) -> None:
    drop(apidaze, header)


def _missing_headers(drop: Callable[[Any, str], None], names: dict[str, str], kind: str) -> None:
    for name, (header, clause) in ((name, pair.split()) for name, pair in names.items()):
        collect.add(name, clause, f"{kind} carry no {header}", partial(_apply_drop, drop, header))


_missing_headers(
    _drop_standard,
    {
        "header-sunset-missing": "sunset AZ-header.sunset",
        "header-api-version-missing": "api-version AZ-header.api-version",
    },
    "answers",
)
_missing_headers(
    _drop_quota,
    {
        "header-quota-interval-missing": "quota-interval AZ-header.quota-interval",
        "header-quota-limit-missing": "quota-limit AZ-header.quota-limit",
        "header-quota-used-missing": "quota-used AZ-header.quota-used",
        "header-quota-reset-missing": "quota-reset-UTC AZ-header.quota-reset-UTC",
        "header-quota-time-unit-missing": "quota-time-unit AZ-header.quota-time-unit",
    },
    "answers",
)
_missing_headers(
    _drop_preflight,
    {
        "preflight-no-methods": "access-control-allow-methods AZ-preflight-allow-methods",
        "preflight-no-origin": "access-control-allow-origin AZ-preflight-allow-origin",
        "preflight-no-credentials": "access-control-allow-credentials AZ-preflight-allow-credentials",
        "preflight-no-headers": "access-control-allow-headers AZ-preflight-allow-headers",
        "preflight-no-max-age": "access-control-max-age AZ-preflight-max-age",
    },
    "pre-flight answers",
)


def _without(members: Any, name: str) -> dict[str, Any]:
    return {key: value for key, value in members.items() if key != name}


def _headless(response: Any, header: str) -> Any:
    del response.headers[header]
    return response


@collect("hsts-short", "AZ-header-strict-transport-security", "strict-transport-security holds for a minute only")
def _hsts_short(apidaze: Any) -> None:
    wrap(
        apidaze.api.answers,
        "standard_headers",
        lambda headers: headers() | {"strict-transport-security": "max-age=60"},
    )


@collect("token-not-served", "AZ-getAccessToken", "an application gets one token, and then no other: 503")
def _token_503(apidaze: Any) -> None:
    served: set[str] = set()

    def granted(really: Callable[[Any], Any], token: Any) -> Any:
        if token.application.client_id in served:
            return JSONResponse({"error": "out_of_service"}, 503)
        served.add(token.application.client_id)
        return really(token)

    wrap(apidaze.token_endpoint, "granted", granted)


@collect("token-207", "AZ-getAccessToken.status", "a token comes with 207")
def _token_207(apidaze: Any) -> None:
    wrap(apidaze.token_endpoint, "granted", lambda granted, token: _restatus(granted(token), 207))


@collect("token-text", "AZ-getAccessToken.body", "the token answer calls its JSON text/plain")
def _token_text(apidaze: Any) -> None:
    def plain(granted: Callable[[Any], Any], token: Any) -> Any:
        response = granted(token)
        response.headers["content-type"] = "text/plain"
        return response

    wrap(apidaze.token_endpoint, "granted", plain)


def _restatus(response: Any, status: int) -> Any:
    response.status_code = status
    return response
