"""A job of S3 Batch Operations, against AWS's own model of CreateJob and against its command line."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, unquote_plus

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from s3torrent.errors import UsageError
from s3torrent.pipeline import batch_job
from s3torrent.pipeline.batch_job import BatchJob, Manifest
from s3torrent.types import ObjectRef

if TYPE_CHECKING:
    from botocore.model import Shape

ROLE = "arn:aws:iam::123456789012:role/jobs/batch"
FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:s3torrent"
PLACE = ObjectRef("movies", ".s3torrent/batch/manifest.csv")
KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50)


def manifest_of(*keys: str) -> tuple[Manifest, bytes]:
    stream = io.BytesIO()
    manifest = Manifest(stream)
    for key in keys:
        manifest.add(ObjectRef("movies", key))
    return manifest, stream.getvalue()


def definition(**changed: Any) -> dict[str, Any]:
    job = BatchJob(
        **{"function": FUNCTION, "role": ROLE, "place": PLACE, "reports": ".s3torrent/batch", **changed}
    )
    return job.definition(manifest_of("a", "b")[0], "torrents of s3://movies/")


def create_job() -> Shape:
    shape = (
        ServiceModel(Loader().load_service_model("s3control", "service-2"))
        .operation_model("CreateJob")
        .input_shape
    )
    assert shape
    return shape


def faults(value: Any, shape: Any, path: str = "") -> list[str]:
    """What botocore's validator leaves out: patterns, choices and longest lengths of the model."""
    if shape.type_name == "structure":
        return [
            fault
            for name, inner in value.items()
            for fault in faults(inner, shape.members[name], f"{path}.{name}")
        ]
    if shape.type_name == "list":
        return [fault for inner in value for fault in faults(inner, shape.member, f"{path}[]")]
    found = []
    metadata = shape.metadata
    if shape.type_name == "string":
        if "pattern" in metadata and not re.fullmatch(metadata["pattern"], value):
            found.append(f"{path}: {value!r} is not like {metadata['pattern']}")
        if getattr(shape, "enum", []) and value not in shape.enum:
            found.append(f"{path}: {value!r} is none of {shape.enum}")
        if len(value) > metadata.get("max", len(value)):
            found.append(f"{path}: longer than {metadata['max']}")
    return found


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"function": f"{FUNCTION}:live"},
        {"role": ROLE.replace("arn:aws:", "arn:aws-cn:")},
        {"place": ObjectRef("lists", "x" * 1024)},
    ],
)
def test_the_definition_is_what_the_model_of_create_job_asks_for(changed: dict[str, Any]) -> None:
    """Nothing unknown, nothing missing, each value of its kind."""
    told = json.loads(json.dumps(definition(**changed)))
    shape = create_job()
    report = ParamValidator().validate(told, shape)
    assert not report.has_errors(), report.generate_report()
    assert not faults(told, shape)
    assert faults({**told, "RoleArn": "none"}, shape)


def test_what_it_says() -> None:
    told = definition()
    assert told["AccountId"] == "123456789012"
    assert told["Operation"]["LambdaInvoke"] == {"FunctionArn": FUNCTION, "InvocationSchemaVersion": "2.0"}
    assert told["Manifest"]["Location"] == {
        "ObjectArn": "arn:aws:s3:::movies/.s3torrent/batch/manifest.csv",
        "ETag": hashlib.md5(b"movies,a\nmovies,b\n", usedforsecurity=False).hexdigest(),
    }


def test_the_same_job_has_the_same_token_and_another_has_another() -> None:
    """So that a job that is sent twice runs once."""
    tokens = [
        definition(**changed)["ClientRequestToken"]
        for changed in ({}, {}, {"function": f"{FUNCTION}:live"}, {"place": ObjectRef("movies", "other")})
    ]
    assert tokens[0] == tokens[1]
    assert len(set(tokens)) == 3


def test_the_aws_command_line_takes_it(tmp_path: Path) -> None:
    """``--generate-cli-skeleton output`` reads and checks everything, and asks nobody."""
    path = tmp_path / "job.json"
    aws = [sys.executable, str(Path(sys.executable).with_name("aws")), "s3control", "create-job"]

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*aws, "--cli-input-json", f"file://{path}", "--generate-cli-skeleton", "output"],
            env={**os.environ, "AWS_DEFAULT_REGION": "eu-central-1"},
            capture_output=True,
            text=True,
            timeout=60,
        )

    path.write_text(json.dumps(definition()))
    done = run()
    assert (done.returncode, json.loads(done.stdout)) == (0, {"JobId": "JobId"}), done.stderr
    path.write_text(json.dumps({**definition(), "Priority": "high"}))
    assert run().returncode


@given(st.lists(KEYS, min_size=1, max_size=5))
def test_a_row_is_bucket_and_key_however_it_is_decoded(keys: list[str]) -> None:
    """By %XX alone or as forms are, with + for a space; no header, no quotes."""
    manifest, body = manifest_of(*keys)
    rows = list(csv.reader(io.StringIO(body.decode("ascii"))))
    for decode in (unquote, unquote_plus):
        assert [(bucket, decode(key)) for bucket, key in rows] == [("movies", key) for key in keys]
    assert (manifest.count, manifest.size) == (len(keys), len(body))
    assert manifest.etag == hashlib.md5(body, usedforsecurity=False).hexdigest()


@given(st.lists(st.integers(1, 300), min_size=1, max_size=30))
def test_the_etag_of_one_that_goes_up_in_parts(lengths: list[int]) -> None:
    """MD5 of the MD5s of its parts, and their number."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch_job, "PART", 64)
        patch.setattr(batch_job, "MOST_WHOLE", 0)
        manifest, body = manifest_of(*("x" * length for length in lengths))
        parts = [body[start : start + 64] for start in range(0, len(body), 64)]
        digests = b"".join(hashlib.md5(part, usedforsecurity=False).digest() for part in parts)
        assert manifest.etag == f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"function": "s3torrent"}, "--batch-function 's3torrent' is no ARN of a function"),
        ({"role": FUNCTION}, "--batch-role .* is no ARN of a role"),
        ({"role": "arn:aws:iam::12:role/x"}, "is no ARN of a role"),
    ],
)
def test_a_name_that_is_no_arn_is_refused(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told) as refused:
        definition(**changed)
    assert refused.value.hint.startswith("expected arn:")
