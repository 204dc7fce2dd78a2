"""The function itself: there, current, ours, and large enough for the largest object."""

from __future__ import annotations

import base64
import hashlib
import io
import math
import re
import urllib.error
import urllib.request
import zipfile
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from s3torrent import __version__
from s3torrent.doctor.asking import Absent, ask
from s3torrent.doctor.finding import green, grey, red, yellow
from s3torrent.doctor.mend import (
    VISIBILITY_PER_TIMEOUT,
    aws,
    both,
    command,
    configure,
    set_attributes,
    set_variables,
    terraform,
    updated,
)

if TYPE_CHECKING:
    from s3torrent.doctor.case import Case
    from s3torrent.doctor.finding import Finding

HANDLER = "s3torrent.lambda_handler.handler"
RUNTIME = "python3.13"
FIRST_RUNTIME = (3, 11)
DEPRECATED = {
    (3, 11): date(2027, 6, 30),
    (3, 12): date(2028, 10, 31),
    (3, 13): date(2029, 6, 30),
    (3, 14): date(2029, 6, 30),
}
"""https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html, as of November 2026."""
SOON = timedelta(days=90)
MOST_TIMEOUT, LEAST_TIMEOUT = 900, 15
"""Seconds. With less than 10 left the function begins no object."""
LEAST_MEMORY = 256
"""MB: Python, boto3 and four connections take some 150."""
CPU_MB = 1769
"""With so much memory Lambda gives a whole CPU, with less a share of it."""
END_SECONDS = 5.0
"""Of a run, kept to write what came of it."""
DIRECT_RUNS = 3
"""Of an event without a queue: Lambda retries twice."""
ZIP = Path("dist/s3torrent-lambda.zip")
MOST_ZIP = 50 << 20
FETCH_SECONDS = 20.0


def function(case: Case) -> Finding | None:
    if case.function is None:
        return None
    try:
        there = case.configuration
    except Absent:
        mend = both(command("make", "package"), terraform("name", case.function))
        cause = f"function {case.function} does not exist in {case.region}, if name and region are right"
        return red(cause, mend)
    state, update = there.get("State", "Active"), there.get("LastUpdateStatus", "Successful")
    again = both(command("make", "package"), command("terraform", "apply"))
    if state == "Failed" or update == "Failed":
        why = there.get("StateReason") or there.get("LastUpdateStatusReason") or "no reason is told"
        return red(f"function {case.function}: {state}, last update {update}: {why}", again)
    if state == "Inactive":
        mend = aws(case, "lambda", "invoke", "--function-name", case.function, "/dev/null")
        return yellow(f"function {case.function} is Inactive: it was idle for weeks", mend)
    if state == "Pending" or update == "InProgress":
        mend = aws(case, "lambda", "wait", "function-updated-v2", "--function-name", case.function)
        return yellow(f"function {case.function} is being updated", mend)
    return green(f"{case.function} is {state}")


def handler(case: Case) -> Finding | None:
    if case.function is None:
        return None
    if case.configuration.get("PackageType") == "Image":
        return grey("the function is a container image: its handler is in there")
    found = case.configuration.get("Handler")
    if found == HANDLER:
        return green(HANDLER)
    return red(f"the handler is {found}; expected {HANDLER}", configure(case, "--handler", HANDLER))


def runtime(case: Case) -> Finding | None:
    if case.function is None:
        return None
    found = str(case.configuration.get("Runtime", ""))
    if not found:
        return grey("the function is a container image: its Python is in there")
    number = re.fullmatch(r"python(\d+)\.(\d+)", found)
    mend = configure(case, "--runtime", RUNTIME)
    if not number or (int(number[1]), int(number[2])) < FIRST_RUNTIME:
        return red(f"the runtime is {found}; expected python3.11 or newer", mend)
    ends = DEPRECATED.get((int(number[1]), int(number[2])))
    if ends and case.now().date() > ends - SOON:
        return yellow(f"AWS supports {found} until {ends}", mend)
    return green(found)


def memory(case: Case) -> Finding | None:
    if case.function is None:
        return None
    there = int(case.configuration.get("MemorySize", 128))
    if there < LEAST_MEMORY:
        cause = (
            f"the function has {there:,} MB; expected {LEAST_MEMORY} or more, better {CPU_MB:,} (a whole CPU)"
        )
        return yellow(cause, configure(case, "--memory-size", str(CPU_MB)))
    return green(f"{there:,} MB")


def concurrency(case: Case) -> Finding | None:
    """A function with none reserved for it is switched off."""
    if case.function is None:
        return None
    call, name = case.client("lambda").get_function_concurrency, ("--function-name", case.function)
    answer = ask(
        "lambda:GetFunctionConcurrency", f"function {case.function}", call, FunctionName=case.function
    )
    found = answer.get("ReservedConcurrentExecutions")
    if found == 0:
        cause = f"the reserved concurrency of function {case.function} is 0: it never runs"
        return red(cause, aws(case, "lambda", "delete-function-concurrency", *name))
    return green("none is reserved" if found is None else f"{int(found):,} reserved")


def time(case: Case, rate: float) -> Finding | None:
    """Whether the largest object is hashed in one run. ``rate``: bytes a second, with a whole CPU."""
    if case.function is None:
        return None
    timeout = int(case.configuration.get("Timeout", 3))
    if timeout < LEAST_TIMEOUT:
        cause = f"the function's timeout is {timeout} s; expected {LEAST_TIMEOUT} s or more"
        return red(cause, _longer(case, MOST_TIMEOUT))
    largest, settings = case.largest, case.settings
    if largest is None:
        return green(f"{timeout:,} s; the bucket is empty")
    seconds = largest.size / (rate * _cpu(case))
    told = f"{largest.ref} takes about {max(1, round(seconds)):,} s, the function has {timeout:,} s"
    if seconds <= timeout - END_SECONDS:
        return green(told)
    if settings.state_machine and largest.size >= settings.fanout_threshold:
        return green(f"{told}, and hands it over to its state machine")
    return _too_long(case, seconds, told)


def _cpu(case: Case) -> float:
    """Its share of a whole one."""
    return min(1.0, int(case.configuration.get("MemorySize", 128)) / CPU_MB)


def _too_long(case: Case, seconds: float, told: str) -> Finding:
    alone = case.settings.policy.engine == "transmission"
    if math.ceil(seconds + END_SECONDS) <= MOST_TIMEOUT:
        mend = _longer(case, min(MOST_TIMEOUT, math.ceil(2 * seconds + END_SECONDS)))
    elif _cpu(case) < 1:
        mend = both(_longer(case, MOST_TIMEOUT), updated(case), configure(case, "--memory-size", str(CPU_MB)))
    elif alone:
        mend = set_variables(case, {"TORRENT_ENGINE": "native"})
    else:
        mend = terraform("fanout_enabled", value=True)
    runs = math.ceil(seconds / (int(case.configuration["Timeout"]) - END_SECONDS))
    if alone:
        return red(f"{told}; transmission-create begins anew in each run", mend)
    if case.queue_url is None and runs > DIRECT_RUNS:
        return red(f"{told}: {runs} runs, and without a queue there are {DIRECT_RUNS}", mend)
    return yellow(f"{told}: it takes {runs} runs, one after the other", mend)


def _longer(case: Case, seconds: int) -> str:
    """The queue first: a message must not come back while it is worked on."""
    first = ""
    if case.queue_url and int(case.queue.get("VisibilityTimeout", "30")) < VISIBILITY_PER_TIMEOUT * seconds:
        wanted = {"VisibilityTimeout": str(VISIBILITY_PER_TIMEOUT * seconds)}
        first = set_attributes(case, case.queue_url, wanted)
    return both(first, configure(case, "--timeout", str(seconds)))


def version(case: Case) -> Finding | None:
    """What is deployed against this command, and the zip that ``make package`` wrote here."""
    if case.function is None:
        return None
    if case.configuration.get("PackageType") == "Image":
        return grey("the function is a container image")
    here = ZIP.is_file()
    if here and _sha256(ZIP.read_bytes()) == case.configuration.get("CodeSha256"):
        return green(f"{__version__}, the code of {ZIP}")
    return _compared(case, _deployed(case), here=here)


def _compared(case: Case, found: str | None, *, here: bool) -> Finding:
    if found is None:
        return grey("the function's zip cannot be read, or names no version")
    if found == __version__ and not here:
        return green(found)
    words = ("lambda", "update-function-code", "--function-name", str(case.function))
    mend = both(command("make", "package"), aws(case, *words, "--zip-file", f"fileb://{ZIP}"))
    if found == __version__:
        return yellow(f"the function is version {found}, as this command, but not the code of {ZIP}", mend)
    return yellow(f"the function is version {found}, this command {__version__}", mend)


def _deployed(case: Case) -> str | None:
    """The version that the function's zip names; None where it names none, or is too large to look."""
    name = str(case.function)
    call = case.client("lambda").get_function
    answer = ask("lambda:GetFunction", f"function {name}", call, FunctionName=name)
    url = str(answer.get("Code", {}).get("Location", ""))
    if urlsplit(url).scheme not in ("http", "https"):
        return None
    try:
        with _opener(url).open(url, timeout=FETCH_SECONDS) as body:
            archive = zipfile.ZipFile(io.BytesIO(body.read(MOST_ZIP)))
        text = archive.read("s3torrent/__init__.py").decode("utf-8", "replace")
    except (OSError, urllib.error.URLError, zipfile.BadZipFile, KeyError):
        return None
    found = re.search(r'^__version__ = "([^"]{1,40})"', text, re.MULTILINE)
    return found[1] if found else None


def _opener(url: str) -> urllib.request.OpenerDirector:
    """No proxy reaches this machine's own addresses."""
    local = urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")
    return urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if local else []))


def _sha256(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()
