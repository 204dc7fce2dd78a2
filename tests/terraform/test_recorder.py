"""The recording task: nothing by default; with recorder_enabled the task definition and the roles as promised."""

from __future__ import annotations

import json
import shlex
import subprocess
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from s3torrent.config import from_environment
from support.ministack import REGION

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.stack

ACCOUNT = "000000000000"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/tools/recorder:1.2"
BUCKET = "arn:aws:s3:::recordings"
PROVIDER_FILE = """
provider "aws" {
  region            = "us-east-1"
  access_key        = "test"
  secret_key        = "test"
  s3_use_path_style = true
}
"""


@pytest.fixture(scope="module")
def backend(workspace, ministack, tmp_path_factory):
    """terraform/backend as a root of its own."""
    made = workspace(tmp_path_factory.mktemp("backend"), "terraform/backend", ministack.endpoint)
    (made.folder / "provider.tf").write_text(PROVIDER_FILE)
    return made


@pytest.fixture(scope="module")
def planned(backend, function_zip) -> Callable[..., dict[str, Any]]:
    """``planned(recorder_cpu=256)``: a plan with these variables."""

    def plan(**variables: Any) -> dict[str, Any]:
        backend.set(bucket_name="recordings", lambda_zip=str(function_zip), **variables)
        return backend.plan()

    return plan


def resources(plan: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Address -> planned values."""
    return {
        one["address"]: one.get("values", {}) for one in plan["planned_values"]["root_module"]["resources"]
    }


def statements(document: str) -> dict[str, tuple[set[str], set[str]]]:
    """Sid -> actions and resources."""

    def members(value: Any) -> set[str]:
        return set(value) if isinstance(value, list) else {value}

    return {
        one["Sid"]: (members(one["Action"]), members(one["Resource"]))
        for one in json.loads(document)["Statement"]
    }


def container_of(planned: dict[str, Any]) -> dict[str, Any]:
    (container,) = json.loads(planned["aws_ecs_task_definition.recorder[0]"]["container_definitions"])
    return container


def variables_of(container: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in container["environment"]}


def test_by_default_there_is_none(planned) -> None:
    plan = planned()
    assert not [address for address in resources(plan) if "recorder" in address or "ecs" in address]
    outputs = plan["planned_values"]["outputs"]
    assert outputs["recorder_run_command"].get("value") is None
    assert outputs["recorder_task_definition_arn"].get("value") is None


class TestEnabled:
    """One plan, looked at from every side."""

    def test_a_plan_with_everything_given(self, planned) -> None:
        plan = resources(
            planned(
                recorder_enabled=True,
                recorder_image=IMAGE,
                recorder_cpu=2048,
                recorder_memory_mb=5120,
                recorder_storage_gb=120,
                recorder_architecture="ARM64",
                recorder_prefix="shows/",
                recorder_mode="pipe",
                recorder_ttl_days=30,
                trackers=["udp://t.example:6969/announce"],
                web_seeds=["https://cdn.example/{key}"],
                torrent_version="hybrid",
                torrent_piece_length="4MiB",
                transmission_create="/opt/bin/transmission-create",
                kms_key_arn=KEY,
                log_retention_days=7,
                permissions_boundary_arn=f"arn:aws:iam::{ACCOUNT}:policy/boundary",
            )
        )
        self.it_runs_on_fargate_in_the_size_given(plan)
        self.the_container_can_do_little_besides_its_work(plan)
        self.it_makes_the_torrent_that_the_function_makes(plan)
        self.its_log_is_kept_and_encrypted_as_the_functions(plan)
        self.the_tasks_role_may_do_what_the_recorder_does_and_no_more(plan)
        self.ecs_may_pull_this_image_and_write_this_log(plan)
        self.only_tasks_of_this_account_take_the_roles(plan)

    def it_runs_on_fargate_in_the_size_given(self, plan) -> None:
        task = plan["aws_ecs_task_definition.recorder[0]"]
        assert (task["family"], task["requires_compatibilities"]) == ("s3torrent-recorder", ["FARGATE"])
        assert (task["network_mode"], task["cpu"], task["memory"]) == ("awsvpc", "2048", "5120")
        assert task["ephemeral_storage"] == [{"size_in_gib": 120}]
        assert task["runtime_platform"] == [{"cpu_architecture": "ARM64", "operating_system_family": "LINUX"}]

    def the_container_can_do_little_besides_its_work(self, plan) -> None:
        container = container_of(plan)
        assert (container["name"], container["image"], container["essential"]) == ("recorder", IMAGE, True)
        assert container["user"].partition(":")[0] not in ("", "0", "root")
        assert (container["privileged"], container["readonlyRootFilesystem"]) == (False, True)
        assert container["linuxParameters"] == {
            "initProcessEnabled": True,
            "capabilities": {"add": [], "drop": ["ALL"]},
        }
        assert container["stopTimeout"] == 120
        (mount,) = container["mountPoints"]
        (volume,) = plan["aws_ecs_task_definition.recorder[0]"]["volume"]
        assert (mount["sourceVolume"], mount["readOnly"]) == (volume["name"], False)
        variables = variables_of(container)
        assert {container["workingDirectory"], variables["HOME"], variables["TMPDIR"]} == {
            mount["containerPath"]
        }

    def it_makes_the_torrent_that_the_function_makes(self, plan) -> None:
        function = plan["aws_lambda_function.this"]["environment"][0]["variables"]
        recorder = variables_of(container_of(plan))
        ours, theirs = from_environment(recorder), from_environment(function)
        assert ours.policy == theirs.policy
        assert (ours.bucket, ours.table, ours.lease_seconds) == (
            theirs.bucket,
            theirs.table,
            theirs.lease_seconds,
        )
        assert {name: recorder[name] for name in recorder.keys() - function.keys()} == {
            "AWS_REGION": "us-east-1",
            "S3_KEY": "shows/",
            "RECORD_MODE": "pipe",
            "TTL_DAYS": "30",
            "HOME": "/recording",
            "TMPDIR": "/recording",
        }
        assert function.keys() - recorder.keys() == {"TRANSMISSION_CREATE"}

    def its_log_is_kept_and_encrypted_as_the_functions(self, plan) -> None:
        group = plan["aws_cloudwatch_log_group.recorder[0]"]
        assert (group["name"], group["retention_in_days"]) == ("/ecs/s3torrent-recorder", 7)
        assert group["kms_key_id"] == KEY
        log = container_of(plan)["logConfiguration"]
        assert log["logDriver"] == "awslogs"
        assert (log["options"]["awslogs-group"], log["options"]["awslogs-region"]) == (
            group["name"],
            "us-east-1",
        )

    def the_tasks_role_may_do_what_the_recorder_does_and_no_more(self, plan) -> None:
        assert statements(plan["aws_iam_role_policy.recorder[0]"]["policy"]) == {
            "WriteRecordings": (
                {
                    "s3:AbortMultipartUpload",
                    "s3:GetObject",
                    "s3:GetObjectVersion",
                    "s3:ListMultipartUploadParts",
                    "s3:PutObject",
                },
                {f"{BUCKET}/shows/*"},
            ),
            "FindUploads": ({"s3:ListBucketMultipartUploads"}, {BUCKET}),
            "WriteStatus": (
                {"dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:UpdateItem"},
                {f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/s3torrent"},
            ),
            "UseKeys": ({"kms:Decrypt", "kms:GenerateDataKey"}, {KEY}),
        }
        policy = json.loads(plan["aws_iam_role_policy.recorder[0]"]["policy"])
        assert [one["Condition"] for one in policy["Statement"] if "Condition" in one] == [
            {
                "StringEquals": {
                    "kms:ViaService": ["dynamodb.us-east-1.amazonaws.com", "s3.us-east-1.amazonaws.com"]
                }
            }
        ]

    def ecs_may_pull_this_image_and_write_this_log(self, plan) -> None:
        log = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/ecs/s3torrent-recorder:log-stream:*"
        assert statements(plan["aws_iam_role_policy.recorder_execution[0]"]["policy"]) == {
            "Log": ({"logs:CreateLogStream", "logs:PutLogEvents"}, {log}),
            "PullImage": (
                {"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"},
                {"arn:aws:ecr:eu-west-1:123456789012:repository/tools/recorder"},
            ),
            "LogInToRegistry": ({"ecr:GetAuthorizationToken"}, {"*"}),
        }

    def only_tasks_of_this_account_take_the_roles(self, plan) -> None:
        for role in ("aws_iam_role.recorder[0]", "aws_iam_role.recorder_execution[0]"):
            (statement,) = json.loads(plan[role]["assume_role_policy"])["Statement"]
            assert statement["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
            assert statement["Condition"] == {
                "ArnLike": {"aws:SourceArn": f"arn:aws:ecs:us-east-1:{ACCOUNT}:*"},
                "StringEquals": {"aws:SourceAccount": ACCOUNT},
            }
            assert plan[role]["permissions_boundary"] == f"arn:aws:iam::{ACCOUNT}:policy/boundary"


def test_a_public_image_by_its_digest_asks_nothing_of_ecr(planned) -> None:
    image = f"registry.example:5000/team/recorder@sha256:{'0' * 64}"
    plan = resources(planned(recorder_enabled=True, recorder_image=image))
    assert container_of(plan)["image"] == image
    assert set(statements(plan["aws_iam_role_policy.recorder_execution[0]"]["policy"])) == {"Log"}


class TestRefused:
    def test_a_recorder_without_an_image(self, backend) -> None:
        backend.set(bucket_name="recordings", recorder_enabled=True)
        assert "recorder_image is null and recorder_enabled true; expected the image" in backend.diagnostics()

    def test_each_wrong_value_is_named_with_what_was_expected(self, backend) -> None:
        wrong = {
            "recorder_image": ("recorder", "expected an image with a tag or a digest"),
            "recorder_architecture": ("x86_64", "expected X86_64 or ARM64"),
            "recorder_cpu": (1000, "expected one that Fargate knows: 256,"),
            "recorder_storage_gb": (20, "expected a whole number from 21 to 200"),
            "recorder_mode": ("stream", "expected file or pipe"),
            "recorder_ttl_days": (0.5, "expected a whole number from 1"),
        }
        backend.set(bucket_name="recordings", **{name: value for name, (value, _) in wrong.items()})
        said = backend.diagnostics().splitlines()
        for name, (value, expected) in wrong.items():
            assert any(f" {name} is " in line and str(value) in line and expected in line for line in said), (
                name,
                said,
            )

    @pytest.mark.parametrize(
        ("prefix", "expected"),
        [
            ("recordings", "that ends in /"),
            ("a*/", "has no *"),
            (".s3torrent/recordings/", "expected neither within the other"),
        ],
    )
    def test_a_prefix_that_would_allow_too_much_or_get_no_torrents(self, backend, prefix, expected) -> None:
        backend.set(bucket_name="recordings", recorder_prefix=prefix)
        said = backend.diagnostics()
        assert f"recorder_prefix is '{prefix}'" in said
        assert expected in said

    def test_memory_that_fargate_does_not_offer_with_the_cpus(self, backend) -> None:
        backend.set(bucket_name="recordings", recorder_cpu=8192, recorder_memory_mb=17408)
        assert (
            "recorder_memory_mb is 17408; expected with recorder_cpu 8192: 16384 to 61440 in steps of 4096"
            in backend.diagnostics()
        )


def test_the_sizes_are_those_of_fargate(backend) -> None:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html, in GiB."""
    backend.set(bucket_name="recordings")
    done = subprocess.run(
        [backend.terraform, "console"],
        cwd=backend.folder,
        env=backend.environment,
        input="jsonencode([local.fargate_memory, local.fargate_told])",
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    memory, told = json.loads(json.loads(done.stdout))
    table = {"512": (1, 4, 1), "1024": (2, 8, 1), "2048": (4, 16, 1), "4096": (8, 30, 1)}
    table |= {"8192": (16, 60, 4), "16384": (32, 120, 8)}
    assert memory.pop("256") == [512, 1024, 2048]
    assert told.pop("256") == "512, 1024 or 2048"
    assert memory == {
        cpu: [gib * 1024 for gib in range(least, most + 1, step)]
        for cpu, (least, most, step) in table.items()
    }
    assert told == {
        cpu: f"{least * 1024} to {most * 1024} in steps of {step * 1024}"
        for cpu, (least, most, step) in table.items()
    }


def test_applied_the_role_writes_recordings_and_nothing_else(
    workspace, strict_stack, tmp_path, function_zip
) -> None:
    """On a stack that enforces IAM. The task definition is registered as written: a second plan changes nothing."""
    stack = strict_stack
    stack.client("s3").create_bucket(Bucket="recordings")
    example = workspace(tmp_path, "terraform/backend", stack.endpoint)
    (example.folder / "provider.tf").write_text(PROVIDER_FILE)
    example.set(
        bucket_name="recordings",
        create_bucket=False,
        lambda_zip=str(function_zip),
        recorder_enabled=True,
        recorder_image=IMAGE,
    )
    targets = [
        f"-target={address}" for address in ("aws_ecs_task_definition.recorder", "aws_dynamodb_table.status")
    ]
    example.succeed("apply", "-auto-approve", *targets)
    messages = example.messages("plan", *targets)
    assert not [one for one in messages if one["@level"] == "error"]
    assert not [one["change"] for one in messages if one["type"] == "planned_change"]

    outputs = example.outputs()
    arn = outputs["recorder_task_definition_arn"]
    registered = stack.client("ecs").describe_task_definition(taskDefinition=arn)["taskDefinition"]
    words = shlex.split(outputs["recorder_run_command"])
    asked = dict(zip(words[3::2], words[4::2], strict=True))
    assert (words[:3], asked["--task-definition"]) == (["aws", "ecs", "run-task"], arn)
    (override,) = json.loads(asked["--overrides"])["containerOverrides"]
    assert override["name"] == registered["containerDefinitions"][0]["name"]
    assert (override["command"], override["environment"][0]["name"]) == (["URL", "OUTFILE"], "JOB_ID")

    iam = stack.client("iam")
    where = {"RoleName": outputs["recorder_task_role_name"], "PolicyName": "s3torrent-recorder"}
    policy = iam.get_role_policy(**where)["PolicyDocument"]
    iam.create_user(UserName="like-the-task")
    iam.put_user_policy(UserName="like-the-task", PolicyName="same", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName="like-the-task")["AccessKey"]
    session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=REGION)
    s3, dynamodb = (
        session.client(name, endpoint_url=stack.endpoint, config=stack.client(name).meta.config)
        for name in ("s3", "dynamodb")
    )
    here = {"Bucket": "recordings", "Key": "recordings/a.mkv"}
    item = {"TableName": "s3torrent", "Key": {"jobId": {"S": "one"}}}
    try:
        for _ in range(2):
            upload = s3.create_multipart_upload(**here)["UploadId"]
            part = s3.upload_part(**here, UploadId=upload, PartNumber=1, Body=b"recorded")
        found = s3.list_multipart_uploads(Bucket="recordings", Prefix=here["Key"])["Uploads"]
        assert len(found) == 2
        assert len(s3.list_parts(**here, UploadId=upload)["Parts"]) == 1
        (other,) = {one["UploadId"] for one in found} - {upload}
        s3.abort_multipart_upload(**here, UploadId=other)
        parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        s3.complete_multipart_upload(**here, UploadId=upload, MultipartUpload=parts)
        assert s3.get_object(**here)["Body"].read() == b"recorded"
        s3.put_object(Bucket="recordings", Key="recordings/a.mkv.torrent", Body=b"d")
        dynamodb.update_item(
            **item, UpdateExpression="SET a = :a", ExpressionAttributeValues={":a": {"S": "b"}}
        )
        assert dynamodb.get_item(**item)["Item"]["a"] == {"S": "b"}
        forbidden = [
            lambda: s3.put_object(Bucket="recordings", Key="elsewhere/a.mkv", Body=b""),
            lambda: s3.get_object(Bucket="recordings", Key="elsewhere/a.mkv"),
            lambda: s3.delete_object(**here),
            lambda: s3.list_objects_v2(Bucket="recordings"),
            lambda: dynamodb.delete_item(**item),
            lambda: dynamodb.scan(TableName="s3torrent"),
        ]
        for call in forbidden:
            with pytest.raises(ClientError, match=r"\(AccessDenied(Exception)?\)"):
                call()
    finally:
        s3.close()
        dynamodb.close()
    example.succeed("destroy", "-auto-approve")
    assert stack.client("ecs").list_task_definitions()["taskDefinitionArns"] == []
    assert iam.list_roles()["Roles"] == []
