"""The commands of `ringtrue`: read options, call what does the work, return its exit code.

Everything heavy is imported inside the command that needs it, so that `--help` is there at once.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import click

from harness import __version__
from harness.gate.options import day, default_workers, percent

_EXITS = """\b
Exit codes
  0    conforms
  1    a documented promise was broken (with --strict an inferred one too), or a waiver is out of date
  2    wrong usage or target file
  3    nothing can be said: target unreachable, something missing, harness fault
  130  interrupted
"""

_PATH = click.Path(path_type=Path)
_FOLDER = click.Path(path_type=Path, file_okay=False)
_annotations = click.option(
    "--annotations", type=click.Choice(["auto", "github", "none"]), default="auto", show_default=True,
    help="Lines that GitHub shows beside the job; auto: when it runs there.",
)  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the `ringtrue` command; ends the process."""
    try:
        code = commands.main(args=arguments, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("ringtrue: interrupted", err=True)
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)


@click.group(epilog=_EXITS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="ringtrue")
def commands() -> None:
    """Tells whether a voice platform does what its documents say: over HTTP, in SIP and RTP, and in its callbacks."""


@commands.command(short_help="Judge an implementation, or the embedded platform.", epilog=_EXITS)
@click.option(
    "--target",
    type=_PATH,
    metavar="FILE",
    help="What to judge (see `ringtrue init`).  [default: the embedded reference platform]",
)
@click.option("--system", "systems", multiple=True, metavar="S", help="Only this system (may be repeated).")
@click.option("--url", metavar="URL", help="Another base URL than the target file's (one system only).")
@click.option(
    "-k",
    "keyword",
    metavar="EXPR",
    help="Only tests whose name, system or clause matches, as in pytest: 'register and not wrong'; `contract`: all that "
    "decides a documented promise of the HTTP API.",
)
@click.option("--strict", is_flag=True, help="Inferred promises fail too, instead of warning.")
@click.option(
    "--seed", type=int, default=1, show_default=True, metavar="N", help="Seed of everything that is generated."
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    metavar="N",
    help="Tests side by side.  [default: 2 for each core, with -k 1; at most 8]",
)
@click.option("--random-order", is_flag=True, help="Tests in an order that the seed gives.")
@click.option("--fail-fast", is_flag=True, help="Stop at the first deviation.")
@click.option(
    "--floor", type=percent, metavar="PERCENT", help="Documented clauses to decide, or exit 3.  [default: 90%]"
)
@click.option("--waivers", type=_PATH, metavar="FILE", help="Deviations that are known (see `ringtrue waive`).")
@click.option("--baseline", type=_PATH, metavar="RUN", help="Say what is new, fixed and changed since this run.")
@click.option("--new-only", is_flag=True, help="Only deviations that the baseline lacks make the exit code 1.")
@click.option(
    "--max-time", metavar="TIME", help="Begin no test after this time, such as 10m; exit 3 unless something failed."
)
@click.option(
    "--reruns",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    metavar="N",
    help="Run tests that found a deviation again, N times in all: what shows once in three runs is flaky, and not red.",
)
@click.option("--shard", metavar="I/N", help="Only this part of the tests; `ringtrue merge` joins the parts.")
@click.option("--durations", type=_PATH, metavar="RUN", help="Split into shards by how long tests took in this run.")
@click.option("--run-dir", type=_FOLDER, metavar="DIR", help="Where to write the run.  [default: reports/<time>]")
@click.option("--junit", type=_PATH, metavar="FILE", help="Write the JUnit file here too, beside that of the run.")
@click.option("--sarif", type=_PATH, metavar="FILE", help="Write the deviations as SARIF, for code scanning.")
@_annotations
@click.option("--specs", multiple=True, type=_FOLDER, metavar="DIR", help="A folder with more systems.")
@click.option("--features", multiple=True, type=_FOLDER, metavar="DIR", help="A folder with more features.")
@click.option(
    "--fault", "faults", multiple=True, metavar="ID", help="Start the embedded platform with this promise broken."
)
@click.option(
    "--variant", "variants", multiple=True, metavar="ID", help="Start the embedded platform in this conforming variant."
)
@click.option(
    "--mutant",
    metavar="ID",
    help="Put this mutant (see `ringtrue faults --mutants`) before the target: what is noticed?",
)
@click.option("-q", "--quiet", is_flag=True, help="No progress, only the result.")
@click.option("-v", "--verbose", is_flag=True, help="Also the ladder of each scenario that deviates.")
def run(target: Path | None, **options: Any) -> int:
    """Judge an implementation, or the embedded reference platform, and write a run to browse."""
    from harness.suites.runner import RunOptions
    from harness.suites.runner import run as run_suites

    if target is not None and (options["faults"] or options["variants"]):
        raise click.UsageError("--fault and --variant are for the embedded platform: leave --target away")
    options["workers"] = options["workers"] or default_workers(options["keyword"])
    return run_suites(RunOptions(target=target, **options))


@commands.command(short_help="Join shards, or runs of different systems, into one run.", epilog=_EXITS)
@click.argument("runs", nargs=-1, required=True, type=_PATH, metavar="RUN...")
@click.option("-o", "--output", required=True, type=_FOLDER, metavar="DIR", help="Where to write the merged run.")
@click.option("--floor", type=percent, metavar="PERCENT", help="As for `ringtrue run`.  [default: that of the shards]")
@click.option("--baseline", type=_PATH, metavar="RUN", help="Say what is new, fixed and changed since this run.")
@click.option("--new-only", is_flag=True, help="Only deviations that the baseline lacks make the exit code 1.")
@click.option("--sarif", type=_PATH, metavar="FILE", help="As for `ringtrue run`.")
@_annotations
@click.option("--specs", multiple=True, type=_FOLDER, metavar="DIR", help="As for `ringtrue run`.")
def merge(sarif: Path | None, annotations: str, **options: Any) -> int:
    """Join the shards of a run (or runs of different systems) into one, and judge the whole."""
    from harness.gate import GateError
    from harness.gate.merging import MergeOptions
    from harness.gate.merging import merge as merge_runs
    from harness.suites.runner import ShowOptions, show
    from harness.yamlfile import DataError

    try:
        record = merge_runs(MergeOptions(**options))
    except (GateError, DataError) as error:
        return _fail(error, 2)
    return show(record, ShowOptions(annotations=annotations, sarif=sarif))


@commands.command(short_help="Prove that the harness can fail: break promises on purpose.", epilog=_EXITS)
@click.argument("faults", nargs=-1, metavar="[NAME]...")
@click.option("--null", is_flag=True, help="Null targets instead of faults: nothing may pass against any of them.")
@click.option("--system", "systems", multiple=True, metavar="S", help="Only this system (may be repeated).")
@click.option("--only", metavar="REGEX", help="Only faults whose id or clause matches.")
@click.option("-k", "keyword", metavar="EXPR", help="Only tests that match may notice them: contract.")
@click.option("--variants", is_flag=True, help="Conforming variants instead of faults: none may raise a fail or warn.")
@click.option("--times", type=click.IntRange(1, 100), default=1, help="Run each variant so many times.")
@click.option("--mutants", is_flag=True, help="Mutants instead of faults: answers and callbacks made wrong by rule.")
@click.option("--list-mutants", is_flag=True, help="Only show them.")
@click.option(
    "--target",
    type=_PATH,
    metavar="FILE",
    help="Mutants before this target; 20 of them, unless --sample says otherwise.",
)
@click.option("--sample", type=click.IntRange(1), metavar="N", help="Only N of them, always the same, spread evenly.")
@click.option(
    "--jobs", type=click.IntRange(1, 64), metavar="N", help="Trials side by side.  [default: 3 for each core]"
)
@click.option(
    "--json", type=_PATH, metavar="FILE", help="Where to write the proof, and its page.  [default: reports/proof.json]"
)
@click.option("--update", is_flag=True, help="Take over what they came to as what is expected from now on.")
@click.option("-v", "--verbose", is_flag=True, help="A line for each fault as it comes.")
def faults(**options: Any) -> int:
    """Prove that the harness can fail: break promises of the reference platform one by one, and see which are noticed."""
    from harness.proof.command import FaultsOptions, run_faults

    return run_faults(FaultsOptions(**options))


@commands.command(short_help="Waive a deviation that a run found, for a while.")
@click.argument("which", metavar="CLAUSE|FINGERPRINT")
@click.option("--run", "run_dir", type=_PATH, default=Path("reports/latest"), show_default=True, metavar="RUN")
@click.option("--reason", required=True, metavar="TEXT", help="Why it is let pass.")
@click.option("--owner", required=True, metavar="NAME", help="Who answers for it.")
@click.option("--until", required=True, type=day, metavar="DATE", help="The last day on which it counts: 2027-01-31.")
@click.option("-o", "--output", type=_PATH, default=Path("waivers.toml"), show_default=True, metavar="FILE")
def waive(which: str, run_dir: Path, **wanted: Any) -> int:
    """Waive a deviation that a run found: write it to a file that `ringtrue run --waivers` reads."""
    from harness.gate.runs import RunError
    from harness.gate.waive import Request
    from harness.gate.waive import waive as write_waiver
    from harness.gate.waivers import WaiverError

    try:
        waiver = write_waiver(Request(which, run_dir, **wanted))
    except (RunError, WaiverError) as error:
        return _fail(error, 2)
    click.echo(f"{wanted['output']}: waives {waiver.clause} {waiver.fingerprint} until {waiver.until} ({waiver.owner})")
    return 0


@commands.command(short_help="Build the report of a run, and show it.")
@click.argument("run_dir", type=_FOLDER, default=Path("reports/latest"))
@click.option("--open", "open_browser", is_flag=True, help="Serve it on loopback and open a browser.")
@click.option("--serve", is_flag=True, help="Serve it on loopback.")
def report(run_dir: Path, open_browser: bool, serve: bool) -> int:
    """Build the Allure report of a run (the newest one, when none is named)."""
    from harness.report.browse import allure_report

    try:
        page = allure_report.build(run_dir)
    except allure_report.ReportError as error:
        return _fail(error, 3)
    click.echo(str(page))
    if open_browser or serve:
        allure_report.serve(page, open_browser=open_browser)
    return 0


@commands.command(short_help="Write a commented target file for a system.")
@click.argument("system")
@click.option("-o", "--output", type=_PATH, metavar="FILE", help="Where to write it.  [default: <system>.toml]")
@click.option("--base-url", metavar="URL", help="Where the API is.")
@click.option("--sip", metavar="HOST:PORT", help="Where the platform takes SIP.")
@click.option("--public-url", metavar="URL", help="How the platform reaches the recorder on this machine.")
@click.option("--listen", metavar="HOST:PORT", help="Where the recorder listens.")
@click.option("--capability", "capabilities", multiple=True, metavar="C", help="What it can do (may be repeated).")
@click.option("--allow", multiple=True, metavar="NUMBER", help="What may be dialled (may be repeated; * is any).")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Any other key: token_url=…, sip.domain=….")
@click.option("--no-input", is_flag=True, help="Ask nothing, also on a terminal.")
def init(system: str, output: Path | None, settings: tuple[str, ...], no_input: bool, **flags: Any) -> int:
    """Write a commented target file for a system: apidaze, callable, vtx or mediaservice. On a terminal it asks."""
    from harness.start.init import InitOptions
    from harness.start.init import init as write_file
    from harness.target_template import TemplateError

    places = {
        "base_url": f"{system}.base_url",
        "sip": f"{system}.sip.address",
        "public_url": "recorder.public_url",
        "listen": "recorder.listen",
        "capabilities": f"{system}.capabilities",
        "allow": "dial.allow",
    }
    given = {places[name]: value for name, value in flags.items() if value}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z0-9_.]+", key):
            raise click.BadParameter(
                f"{setting!r}: expected KEY=VALUE, such as token_url=https://…", param_hint="--set"
            )
        given[f"{system}.{key}"] = value
    try:
        return write_file(InitOptions(system, output, given, ask=not no_input))
    except TemplateError as error:
        return _fail(error, 2)


@commands.command(short_help="Say what is missing, here and at a target.")
@click.option("--target", type=_PATH, metavar="FILE", help="Also try what this target file describes.")
def doctor(target: Path | None) -> int:
    """Say what is missing on this machine, and whether a target can be reached and judged."""
    from harness.start.doctor import examine

    return examine(target)


@commands.command(short_help="Delete what a killed run left at its target.")
@click.argument("run_dir", type=_FOLDER, required=False)
@click.option("--target", type=_PATH, metavar="FILE", help="The target file that the run was given.")
@click.option("--url", metavar="URL", help="The base URL that the run was given with --url.")
@click.option("--dry-run", is_flag=True, help="Say what would be deleted, and delete nothing.")
def cleanup(run_dir: Path | None, target: Path | None, url: str | None, dry_run: bool) -> int:
    """Delete at the target what a run made there and left, because it was killed (the newest run, when none is named)."""
    from harness.suites.safety.cleanup import CleanupError, clean_up
    from harness.target import TargetError
    from harness.yamlfile import DataError

    try:
        return clean_up(run_dir, target, url=url, dry=dry_run, say=click.echo)
    except (CleanupError, TargetError, DataError) as error:
        return _fail(error, 2)


@commands.command(short_help="Stand between a platform and an application, and judge.", epilog=_EXITS)
@click.option("--system", metavar="S", help="Which system the platform is.  [default: the target file's]")
@click.option("--forward", required=True, metavar="URL", help="The application: where callbacks are passed on to.")
@click.option(
    "--listen", default="127.0.0.1:0", show_default=True, metavar="H:P", help="Where the platform calls (0: any port)."
)
@click.option("--api", metavar="URL", help="The platform's API: the application calls it through the recorder, too.")
@click.option(
    "--api-listen", default="127.0.0.1:0", show_default=True, metavar="H:P", help="Where the application calls."
)
@click.option("--target", type=_PATH, metavar="FILE", help="The platform, if its target file exists (timing, secrets).")
@click.option(
    "--wait",
    "answer_seconds",
    type=click.FloatRange(0.1, 3600),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="How long an answer may take; then it is a 502.",
)
@click.option("--insecure", is_flag=True, help="Do not verify the certificates of --forward and --api.")
@click.option("--strict", is_flag=True, help="Inferred promises fail too, instead of warning.")
@click.option("--run-dir", type=_FOLDER, metavar="DIR", help="Where to write the record.  [default: reports/<time>]")
@click.option("--specs", multiple=True, type=_FOLDER, metavar="DIR", help="A folder with more systems.")
@click.option("-q", "--quiet", is_flag=True, help="No line for each exchange, only the result.")
@click.option("-v", "--verbose", is_flag=True, help="Also a ladder of what deviates.")
def record(**options: Any) -> int:
    """Record between a platform and an application, and judge both when Ctrl-C ends it.

    Give the platform the printed address as its callback base, and with --api the application the other one as the base
    of the API.
    """
    from harness.recordings.live import RecordOptions
    from harness.recordings.live import record as record_traffic

    return record_traffic(RecordOptions(**options))


@commands.command(short_help="Judge recorded traffic, without sending any.", epilog=_EXITS)
@click.argument("recordings", nargs=-1, required=True, type=_PATH, metavar="RECORDING...")
@click.option("--system", metavar="S", help="Which system it is.  [default: told from what was recorded]")
@click.option(
    "--target", type=_PATH, metavar="FILE", help="The platform, if its target file exists (timing, SIP address)."
)
@click.option(
    "--sip", multiple=True, metavar="HOST:PORT", help="The platform's SIP address in a capture (may be repeated)."
)
@click.option("--strict", is_flag=True, help="Inferred promises fail too, instead of warning.")
@click.option("--run-dir", type=_FOLDER, metavar="DIR", help="Where to write the result.  [default: reports/<time>]")
@click.option("--specs", multiple=True, type=_FOLDER, metavar="DIR", help="A folder with more systems.")
@click.option("-v", "--verbose", is_flag=True, help="Also a ladder of what deviates.")
def check(**options: Any) -> int:
    """Judge recorded traffic without sending any: timelines (.jsonl), the folder of a run or of `ringtrue record`,
    mitmproxy flows, HAR, and SIP from pcap or pcapng. Several are taken together: `ringtrue check flows.mitm sip.pcap`.
    """
    from harness.recordings.checking import CheckOptions
    from harness.recordings.checking import check as check_recordings

    return check_recordings(CheckOptions(**options))


@commands.command(
    short_help="Serve the reference platform, a mock with real SIP.",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def platform(arguments: tuple[str, ...]) -> int:
    """Serve the reference platform: a mock with real SIP and real callbacks (`ringtrue platform --help`)."""
    from harness.reference import main as serve_platform

    return serve_platform(list(arguments))


@commands.command(short_help="Print the clauses, and what covers them.")
@click.option("--system", "systems", multiple=True, metavar="S", help="Only this system (may be repeated).")
@click.option(
    "--level", "levels", multiple=True, type=click.Choice(["documented", "inferred"]), help="Only this level."
)
@click.option(
    "--surface",
    "surfaces",
    multiple=True,
    type=click.Choice(["http", "callback", "sip", "media"]),
    help="Only this surface.",
)
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
@click.option("--specs", multiple=True, type=_FOLDER, metavar="DIR", help="A folder with more systems.")
def clauses(
    systems: tuple[str, ...], levels: tuple[str, ...], surfaces: tuple[str, ...], form: str, specs: tuple[Path, ...]
) -> int:
    """Print the clause catalogue: what is promised, where, how firmly, and what decides it."""
    from harness.clauses import Level, Surface
    from harness.contract import load_contracts
    from harness.report import catalogue
    from harness.suites.coverage import coverage_of
    from harness.yamlfile import DataError

    try:
        contracts = load_contracts(systems, specs)
        covered = coverage_of(contracts)
    except DataError as error:
        return _fail(error, 2)
    selection = catalogue.Selection(levels=tuple(map(Level, levels)), surfaces=tuple(map(Surface, surfaces)))
    chosen = [clause for contract in contracts.values() for clause in catalogue.select(contract.catalogue, selection)]
    match form:
        case "json":
            ledger = {system: contract.file.ledger for system, contract in contracts.items()}
            click.echo(catalogue.as_json(chosen, covered, ledger))
        case "markdown":
            click.echo(catalogue.as_markdown(chosen, covered))
        case _:
            click.echo(catalogue.as_text(chosen, covered))
    return 0


@commands.command(short_help="List the steps that feature files may use.")
@click.option("--system", "systems", multiple=True, metavar="S", help="Only this system (may be repeated).")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def steps(systems: tuple[str, ...], form: str) -> int:
    """List the steps that feature files may use, by system; your own features go to `ringtrue run --features DIR`."""
    from harness.suites.scenarios import steps as vocabulary

    known = vocabulary.all_steps()
    names = list(dict.fromkeys(step.system for step in known))
    for system in systems:
        if system not in names:
            return _fail(ValueError(f"no steps for the system {system!r}: expected one of {', '.join(names)}"), 2)
    chosen = [step for step in known if not systems or step.system in systems]
    click.echo(vocabulary.as_json(chosen) if form == "json" else vocabulary.as_text(chosen))
    return 0


def _fail(error: Exception, code: int) -> int:
    click.echo(f"ringtrue: {error}", err=True)
    return code
