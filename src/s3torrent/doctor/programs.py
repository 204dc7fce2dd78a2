"""transmission-create, where the engine needs it: the layer, its machine, the room in /tmp."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s3torrent.doctor.asking import Unseen, ask
from s3torrent.doctor.finding import green, red, yellow
from s3torrent.doctor.mend import aws, both, command, configure, set_variables

if TYPE_CHECKING:
    from s3torrent.doctor.case import Case
    from s3torrent.doctor.finding import Finding

LAYER_PROGRAM = Path("/opt/bin/transmission-create")
PLACEHOLDER_BYTES = 100_000
"""What is smaller is Terraform's placeholder: the real layer has 8.5 MB."""
MOST_STORAGE_MB = 10_240
SPARE_MB = 64
LAYER_ARN = "LAYER-ARN"
"""Stands for the one that is only known once it is published."""
LAYER_ZIP = "terraform/backend/lambda/transmission_tools_layer.zip"


def program(case: Case) -> Finding | None:
    """On this machine."""
    if case.function is not None or case.settings.policy.engine != "transmission":
        return None
    given = case.settings.transmission_create
    if given:
        if Path(given).is_file():
            return green(given)
        return red(f"TRANSMISSION_CREATE is {given}; no program is there", "unset TRANSMISSION_CREATE")
    found = shutil.which("transmission-create") or (LAYER_PROGRAM.is_file() and str(LAYER_PROGRAM))
    if found:
        return green(str(found))
    return red("transmission-create is not on PATH", "export TORRENT_ENGINE=native")


def layer(case: Case) -> Finding | None:
    """The function's."""
    if case.function is None:
        return None
    if case.settings.policy.engine != "transmission":
        return green("the native engine needs none")
    attached = [str(one["Arn"]) for one in case.configuration.get("Layers", [])]
    ours = [arn for arn in attached if "transmission" in arn.lower()]
    if ours:
        return _examined(case, ours[-1], [arn for arn in attached if arn not in ours])
    given = case.settings.transmission_create or ""
    if given and not given.startswith("/opt/"):
        return green(f"TRANSMISSION_CREATE is {given}, outside of any layer")
    if attached:
        cause = f"none of the layers is named after transmission: {', '.join(attached)}"
        return yellow(cause, _attach(case, attached))
    cause = "TORRENT_ENGINE is transmission, and no layer with transmission-create is attached"
    return red(cause, _attach(case, attached))


def _examined(case: Case, arn: str, others: list[str]) -> Finding:
    call = case.client("lambda").get_layer_version_by_arn
    answer = ask("lambda:GetLayerVersion", f"layer {arn}", call, Arn=arn)
    fit = answer.get("CompatibleArchitectures") or []
    if fit and _machine(case) not in fit:
        cause = f"layer {arn} is for {', '.join(fit)}; the function runs on {_machine(case)}"
        return red(cause, _attach(case, others))
    size = int(answer.get("Content", {}).get("CodeSize", PLACEHOLDER_BYTES))
    if size < PLACEHOLDER_BYTES:
        cause = f"layer {arn} has {size:,} bytes: it is the placeholder, without transmission-create"
        return red(cause, _attach(case, others))
    return green(arn)


def _machine(case: Case) -> str:
    return str((case.configuration.get("Architectures") or ["x86_64"])[0])


def _attach(case: Case, others: list[str]) -> str:
    """The newest one published; or build, publish and attach it. ``others`` stay."""
    published = _published(case)
    if published:
        return configure(case, "--layers", *others, published)
    machine = _machine(case)
    how = ("--layer-name", "transmission-tools", "--description", "Lambda layer with transmission-cli tools")
    runtime = str(case.configuration.get("Runtime", "python3.13"))
    fits = ("--compatible-runtimes", runtime, "--compatible-architectures", machine)
    answer = ("--zip-file", f"fileb://{LAYER_ZIP}", "--query", "LayerVersionArn", "--output", "text")
    publish = aws(case, "lambda", "publish-layer-version", *how, *fits, *answer)
    build = command("./util/build-transmission-lambda-layer.sh", "--arch", machine)
    attach = configure(case, "--layers", *others, LAYER_ARN).replace(LAYER_ARN, f'"$({publish})"')
    return both(build, attach)


def _published(case: Case) -> str | None:
    """Of a layer of that name that fits the machine, the newest version that is more than a placeholder."""
    client = case.client("lambda")
    try:
        found = ask("lambda:ListLayers", "the layers", client.list_layers).get("Layers", [])
    except Unseen:
        return None
    for one in found:
        newest: dict[str, Any] = one.get("LatestMatchingVersion", {})
        arn = str(newest.get("LayerVersionArn", ""))
        fit = newest.get("CompatibleArchitectures") or []
        if "transmission" not in str(one.get("LayerName", "")).lower() or (fit and _machine(case) not in fit):
            continue
        try:
            call = client.get_layer_version_by_arn
            content = ask("lambda:GetLayerVersion", f"layer {arn}", call, Arn=arn).get("Content", {})
        except Unseen:
            continue
        if int(content.get("CodeSize", 0)) >= PLACEHOLDER_BYTES:
            return arn
    return None


def storage(case: Case) -> Finding | None:
    """Whether the largest object fits /tmp, into which this engine downloads it."""
    if case.function is None:
        return None
    if case.settings.policy.engine != "transmission":
        return green("the native engine writes nothing to /tmp")
    there = int(case.configuration.get("EphemeralStorage", {}).get("Size", 512))
    largest = case.largest
    if largest is None:
        return green(f"{there:,} MB; the bucket is empty")
    wanted = math.ceil(largest.size / 1_000_000) + SPARE_MB
    if wanted <= there:
        return green(f"{there:,} MB; the largest object has {largest.size:,} bytes")
    cause = f"ephemeral storage has {there:,} MB, and {largest.ref} {largest.size:,} bytes"
    if wanted > MOST_STORAGE_MB:
        mend = set_variables(case, {"TORRENT_ENGINE": "native"})
        return red(f"{cause}, more than the {MOST_STORAGE_MB:,} MB there can be", mend)
    return red(cause, configure(case, "--ephemeral-storage", f"Size={wanted}"))
