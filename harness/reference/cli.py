"""The reference platform's command line: reads arguments, reports wrong ones in one line, hands over to the server.

Called by `harness.reference.main`. Nothing heavy is imported before the arguments are known to be good, so that a wrong
call answers at once and a right one is ready early.
"""

from __future__ import annotations

import argparse
import difflib
import logging
import signal
import sys
from collections.abc import Iterable, Sequence
from types import FrameType
from typing import NoReturn

from harness.reference.settings import Settings, UsageError, parse_address
from harness.reference.systems import SYSTEM_NAMES

_EPILOG = """\
When it listens it prints one line of JSON on standard output, and nothing else:
  {"ready": true, "version": 1, "systems": {"<system>": {<the table of a target file>}}}
Log lines go to standard error. SIGTERM or SIGINT stops it with exit code 0; a port that is taken, an unknown system and an
unknown fault end with exit code 2.

Two settings can be changed while it runs, by PUT on the HTTP address, without credentials (below /_platform/<system>/ for
one system): /_platform/callback with {"url": "http://…"}, /_platform/pstn with {"address": "host:port"}.

examples
  python -m harness.reference --system apidaze --target-file mine.toml
      serve Apidaze on free ports of loopback, and write the target file that `ringtrue run --target mine.toml` reads
  python -m harness.reference --system apidaze --http 127.0.0.1:8080 --sip 127.0.0.1:5060
      the same, as a mock at addresses that an application can keep in its configuration
  python -m harness.reference --system apidaze --fault apidaze-update-lost
      the same with one promise broken, to see whether a test notices
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ringtrue platform",
        description="Serve the reference platform: a voice platform in one process, with real HTTP, SIP, RTP and callbacks.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "--system",
        action="append",
        default=[],
        metavar="S",
        help=f"serve this system ({', '.join(SYSTEM_NAMES)}); may be repeated",
    )
    add(
        "--http",
        default="127.0.0.1:0",
        metavar="H:P",
        help="where the APIs listen (default 127.0.0.1:0, any free port)",
    )
    add(
        "--sip",
        default="127.0.0.1:0",
        metavar="H:P",
        help="where SIP listens, UDP and TCP; several systems take consecutive ports (default 127.0.0.1:0, free ports)",
    )
    add(
        "--callback",
        metavar="URL",
        help="base URL to which callbacks are sent, for systems that have one configured (with --target-file: a free port "
        "of loopback, where `ringtrue run` will listen)",
    )
    add("--pstn", metavar="H:P", help="where calls to outside numbers are sent")
    add("--fault", action="append", default=[], metavar="ID", help="start with this promise broken; may be repeated")
    add("--variant", action="append", default=[], metavar="ID", help="differ in a way that is allowed; may be repeated")
    add("--list-variants", action="store_true", help="print id and words of each variant, tab separated, and stop")
    add(
        "--list-faults",
        action="store_true",
        help="print id, system, clause and words of each fault, tab separated, and stop",
    )
    add("--target-file", metavar="F", help="also write the target file that `ringtrue run --target F` reads")
    add(
        "--quota",
        type=int,
        default=100_000,
        metavar="N",
        help="apidaze: requests per hour of the first application (100000)",
    )
    add(
        "--limited-quota",
        type=int,
        default=5,
        metavar="N",
        help="apidaze: requests per minute of the limited application (5)",
    )
    add(
        "--token-life",
        type=int,
        default=3599,
        metavar="SEC",
        help="apidaze, callable: life of an access token in seconds (3599)",
    )
    add(
        "--auth",
        default="none",
        choices=["none", "basic", "bearer", "sigv4"],
        help="mediaservice: what its API asks for (none); credentials stand in the ready line",
    )
    add(
        "--alarm-path",
        default="alarm",
        metavar="PATH",
        help="mediaservice: alarms go here below the callback base (alarm)",
    )
    add(
        "--callback-timeout",
        type=float,
        default=4.0,
        metavar="SEC",
        help="mediaservice: how long the answer to a callback may take, in seconds (4)",
    )
    add("--s3", metavar="URL", help="mediaservice: an S3 endpoint to which prompt files can be moved")
    add("--exit-with-parent", action="store_true", help="stop when standard input, a pipe, is closed at the other end")
    add("--log-level", default="info", choices=["debug", "info", "warning", "error"], help="default info")
    return parser


def run(argv: Sequence[str] | None) -> int:
    """Parse, serve, and give the exit code."""
    signal.signal(signal.SIGTERM, _stop_before_start)
    args = _parser().parse_args(argv)
    try:
        if args.list_faults:
            _print_faults()
            return 0
        if args.list_variants:
            _print_variants()
            return 0
        settings = _settings(args)
        logging.basicConfig(
            level=args.log_level.upper(),
            stream=sys.stderr,
            format="%(asctime)s.%(msecs)03d %(levelname)-7s %(name)s: %(message)s",
            datefmt="%H:%M:%S",
        )
        from harness.reference.server import serve

        return serve(settings)
    except UsageError as error:
        print(f"ringtrue platform: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0


def _stop_before_start(_signum: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


def _settings(args: argparse.Namespace) -> Settings:
    systems = tuple(dict.fromkeys(args.system)) or SYSTEM_NAMES
    for name in systems:
        if name not in SYSTEM_NAMES:
            raise UsageError(_unknown("system", name, SYSTEM_NAMES))
    for option in ("quota", "limited_quota", "token_life"):
        if getattr(args, option) < 1:
            raise UsageError(f"--{option.replace('_', '-')} must be 1 or more, not {getattr(args, option)}")
    try:
        http, sip = parse_address(args.http), parse_address(args.sip)
        pstn = parse_address(args.pstn) if args.pstn else None
    except ValueError as error:
        raise UsageError(str(error)) from error
    if not 0 < args.callback_timeout <= 600:
        raise UsageError(f"--callback-timeout must be more than 0 and at most 600, not {args.callback_timeout:g}")
    if args.callback and not args.callback.startswith(("http://", "https://")):
        raise UsageError(f"--callback '{args.callback}' is not an http:// or https:// URL")
    faults = tuple(dict.fromkeys(args.fault))
    if faults:
        _check_faults(faults, systems)
    variants = tuple(dict.fromkeys(args.variant))
    if variants:
        _check_variants(variants)
    return Settings(
        systems=systems,
        http=http,
        sip=sip,
        pstn=pstn,
        callback=args.callback,
        faults=faults,
        variants=variants,
        target_file=args.target_file,
        quota=args.quota,
        limited_quota=args.limited_quota,
        token_life=args.token_life,
        exit_with_parent=args.exit_with_parent,
        mediaservice_auth=args.auth,
        alarm_path=args.alarm_path,
        callback_timeout=args.callback_timeout,
        s3=args.s3,
    )


def _check_faults(wanted: Iterable[str], systems: Sequence[str]) -> None:
    from harness.reference.faults import FAULTS

    for name in wanted:
        if name not in FAULTS:
            raise UsageError(_unknown("fault", name, tuple(FAULTS)) + "; --list-faults shows all")
        if FAULTS[name].system not in systems:
            raise UsageError(
                f"fault '{name}' belongs to system '{FAULTS[name].system}', which is not served (add --system)"
            )


def _check_variants(wanted: Iterable[str]) -> None:
    from harness.reference.variants import VARIANTS

    for name in wanted:
        if name not in VARIANTS:
            raise UsageError(_unknown("variant", name, tuple(VARIANTS)) + "; --list-variants shows all")


def _print_variants() -> None:
    from harness.reference.variants import VARIANTS

    for variant in VARIANTS.values():
        print(variant.id, variant.words, sep="\t")


def _print_faults() -> None:
    from harness.reference.faults import FAULTS

    for fault in FAULTS.values():
        print(fault.id, fault.system, fault.clause, fault.words, sep="\t")


def _unknown(kind: str, name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known)}"
    return f"unknown {kind} '{name}'; {hint}"
