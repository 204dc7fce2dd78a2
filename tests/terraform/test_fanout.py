"""The state machine as Terraform makes it: what it and the function may do, and an object that goes through it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.deployed import fresh, status_of
from support.waiting import until
from terraform.test_recorder import PROVIDER_FILE, resources, statements

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]  # as in test_deployment

KEY, BODY = "films/one.mkv", b"content" * 300_000


@pytest.fixture
def backend(workspace, ministack, tmp_path: Path):
    made = workspace(tmp_path, "terraform/backend", ministack.endpoint)
    (made.folder / "provider.tf").write_text(PROVIDER_FILE)
    return made


def test_the_largest_objects_go_through_it(backend, ministack, function_zip) -> None:
    """With one more permission for the function, and a role that can do nothing but call it and look after its own."""
    name, bucket = fresh("s3t"), fresh("own")
    backend.set(
        name=name,
        bucket_name=bucket,
        lambda_zip=str(function_zip),
        endpoint_url=ministack.endpoint,
        fanout_enabled=True,
        fanout_threshold="1MiB",
        fanout_concurrency=2,
    )
    machine = f"arn:aws:states:us-east-1:000000000000:stateMachine:{name}-fanout"
    backend.succeed("apply", "-auto-approve")
    made = json.loads(backend.succeed("show", "-json"))["values"]["root_module"]["resources"]
    policies = {
        one["address"]: one["values"]["policy"] for one in made if one["type"] == "aws_iam_role_policy"
    }
    assert statements(policies["aws_iam_role_policy.function"])["HandOver"] == (
        {"states:StartExecution"},
        {machine},
    )
    function = f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    assert statements(policies["aws_iam_role_policy.fanout[0]"]) == {
        "CallTheFunction": ({"lambda:InvokeFunction"}, {function}),
        "StartChildren": ({"states:StartExecution"}, {machine}),
        "LookAfterChildren": (
            {"states:DescribeExecution", "states:StopExecution"},
            {f"arn:aws:states:us-east-1:000000000000:execution:{name}-fanout/*"},
        ),
    }
    assert backend.outputs()["state_machine_arn"] == machine
    try:
        s3 = ministack.client("s3")
        s3.put_object(Bucket=bucket, Key=KEY, Body=BODY)
        until(lambda: status_of(ministack, name, bucket, KEY).get("status") == "COMPLETED", "the torrent")
        listed = ministack.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
        assert [one["status"] for one in listed] == ["SUCCEEDED"]
        for key in (KEY, KEY + ".torrent"):
            s3.delete_object(Bucket=bucket, Key=key)
        for version in s3.list_object_versions(Bucket=bucket).get("Versions", []):
            s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
        for marker in s3.list_object_versions(Bucket=bucket).get("DeleteMarkers", []):
            s3.delete_object(Bucket=bucket, Key=marker["Key"], VersionId=marker["VersionId"])
    finally:
        ministack.client("dynamodb").update_table(TableName=name, DeletionProtectionEnabled=False)
        backend.run("destroy", "-auto-approve")


def test_without_it_nothing_of_it_is_made(backend, function_zip) -> None:
    backend.set(bucket_name="recordings", lambda_zip=str(function_zip))
    found = resources(backend.plan())
    assert not [address for address in found if "fanout" in address and not address.startswith("data.")]
    assert "HandOver" not in found["aws_iam_role_policy.function"]["policy"]
    assert not [
        name for name in found["aws_lambda_function.this"]["environment"][0]["variables"] if "FANOUT" in name
    ]


def test_the_other_engine_is_refused(backend, function_zip) -> None:
    backend.set(
        bucket_name="recordings",
        lambda_zip=str(function_zip),
        fanout_enabled=True,
        torrent_engine="transmission",
    )
    assert "cannot be spread" in backend.diagnostics()


@pytest.mark.parametrize(
    ("variable", "value"),
    [("fanout_threshold", "much"), ("fanout_concurrency", 0), ("fanout_concurrency", 10_001)],
)
def test_a_wrong_value_is_named(backend, variable: str, value: object) -> None:
    backend.set(bucket_name="recordings", **{variable: value})
    assert f"{variable} is " in backend.diagnostics()
