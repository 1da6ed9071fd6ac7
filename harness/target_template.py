"""Writes commented target files for people to fill in; `ringtrue init` calls it.

The text is data of its own, kept in line with `harness.target` by a test that loads every template.
"""

from __future__ import annotations

import difflib
from pathlib import Path


class TemplateError(Exception):
    """No template for that system, or the file cannot be written."""


_COMMON = """
# Where the harness takes callbacks. The implementation must be able to reach this place: when it runs on another
# machine, listen on an address that it reaches, or give the public URL of a tunnel that leads here.
[recorder]
listen = "127.0.0.1:0"
# public_url = "https://recorder.example"

# What may be dialled besides the harness's own agents. Nothing else is ever called.
[dial]
allow = []

# Seconds.
[timing]
connect = 5.0     # to open a connection
answer = 10.0     # for an answer, HTTP or SIP
callback = 5.0    # for a callback to arrive
quiet = 1.0       # how long nothing must come for "nothing more" to be believed

# Uncomment to be gentle with a live platform.
# [rate]
# max_per_second = 20
"""

_APIDAZE = """\
# An Apidaze platform to judge: `ringtrue run --target {path}`.
# Secrets come from the environment: ${{NAME}} is replaced by the variable NAME and never shown.

[apidaze]
base_url = "https://api.example/communication/apidaze/cpaas"
token_url = "https://api.example/oauth/client_credential/accesstoken"
client_id = "${{APIDAZE_CLIENT_ID}}"
client_secret = "${{APIDAZE_CLIENT_SECRET}}"
# credentials_in = "basic"          # how id and secret travel: "body" (default) or "basic"
# body_encoding = "json"            # "form" (default) or "json"
# status_domain_member = "domain"   # the member of an account's status that holds the SIP domain, if it is ambiguous
# verify_tls = false                # only for a platform with a certificate of its own

# What the platform supports here. What is not listed is not judged, and said so:
capabilities = []
# limited_client_id = "${{APIDAZE_LIMITED_ID}}"
# limited_client_secret = "${{APIDAZE_LIMITED_SECRET}}"

# [apidaze.sip]
# address = "192.0.2.5:4060"        # the outbound proxy
# transport = "udp"                 # or "tcp"
# domain = "sip.example"            # if it is another one than the status says
"""

_CALLABLE = """\
# A Callable platform to judge: `ringtrue run --target {path}`.
# Secrets come from the environment: ${{NAME}} is replaced by the variable NAME and never shown.

[callable]
base_url = "https://api.example/api/v1"
username = "${{CALLABLE_USER}}"
password = "${{CALLABLE_PASSWORD}}"
# account = "5554872eb0731b38efa4d444"   # the account to work on; else the first one listed
# What the platform supports here. What is not listed is not judged, and said so:
capabilities = []
# A user whose access tokens live a few seconds only, for the capability short-tokens; not needed if all tokens do.
# short_lived_username = "${{CALLABLE_SHORT_USER}}"
# short_lived_password = "${{CALLABLE_SHORT_PASSWORD}}"

# [callable.sip]
# address = "192.0.2.5:5060"
# transport = "udp"

# [callable.pstn]                   # where the platform's calls to outside numbers arrive
# listen = "127.0.0.1:5999"
# numbers = ["+441234567893"]
"""

_VTX = """\
# A VTX VoIP OpenAPI platform to judge: `ringtrue run --target {path}`.
# Secrets come from the environment: ${{NAME}} is replaced by the variable NAME and never shown.

[vtx]
base_url = "https://api.example"
username = "${{VTX_USER}}"
password = "${{VTX_PASSWORD}}"
application = "${{VTX_APPLICATION}}"  # the value of the X-C5-Application header
# What the platform supports here. What is not listed is not judged, and said so:
capabilities = []

# [vtx.sip]
# address = "192.0.2.5:5060"
# transport = "udp"

# Users that the harness may act as: three of them, each with such a table.
# [[vtx.users]]
# id = "168382"
# aor = "+41225662195@m.example"
# password = "${{VTX_USER_1_PASSWORD}}"
"""

_MEDIASERVICE = """\
# A Mediaservice platform to judge: `ringtrue run --target {path}`.
# Secrets come from the environment: ${{NAME}} is replaced by the variable NAME and never shown.

[mediaservice]
base_url = "https://api.example"
domain = "customer.example"
# auth = "sigv4"                    # none (default), basic (username, password), bearer (token), or sigv4:
# access_key = "AKIA…"
# secret_key = "${{MEDIASERVICE_SECRET_KEY}}"
# region = "eu-north-1"
# token = "${{MEDIASERVICE_TOKEN}}"  # also what the twins of operations (…jwt) take
# What the platform supports here. What is not listed is not judged, and said so:
capabilities = []

# [mediaservice.sip]
# address = "192.0.2.5:5060"
# transport = "udp"

# [mediaservice.s3]                 # a bucket to which prompt files may be moved; what is moved there stays there
# region = "eu-north-1"
# bucket = "prompt-archive"
# kms_key = "alias/prompts"
"""

TEMPLATES = {"apidaze": _APIDAZE, "callable": _CALLABLE, "vtx": _VTX, "mediaservice": _MEDIASERVICE}


def template_for(system: str, path: Path) -> str:
    """A system's template, to be written to `path`.

    Raises:
        TemplateError: an unknown system.
    """
    if system not in TEMPLATES:
        near = difflib.get_close_matches(system, TEMPLATES, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise TemplateError(f"unknown system {system!r}: expected one of {', '.join(TEMPLATES)}.{hint}")
    return TEMPLATES[system].format(path=" ".join(str(path).split())) + _COMMON


def write_new(path: Path, text: str) -> None:
    """Write a file that does not exist yet.

    Raises:
        TemplateError: it is there already, or cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise TemplateError(f"{path} is there already: name another one with --output, or move it away") from None
    except OSError as error:
        raise TemplateError(f"{path}: cannot be written: {error.strerror}") from error
