"""What a plan shows, what it refuses, and with which words."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import Any

import pytest
from botocore.exceptions import ClientError

from s3torrent.config import from_environment
from s3torrent.errors import ConfigError
from support.ministack import ENVIRONMENT

pytestmark = pytest.mark.stack

ACCOUNT = "000000000000"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
ALIAS = f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/mine"
LAYER = f"arn:aws:lambda:us-east-1:{ACCOUNT}:layer:transmission-tools:7"

# True: a plan lets it through.
TRACKERS = {
    "udp://t.example:6969/announce": True,
    "https://[2001:db8::1]:443/announce?k=%20": True,
    "wss://t.example": True,
    "http://t.example:65535?a=b#c": True,
    "udp://t.example/announce": False,
    "udp://t.example:99999/announce": False,
    "udp://t.example:0/announce": False,
    "http://t.example:65536/": False,
    "ftp://t.example/announce": False,
    "http://a.example/x,http://b.example/y": False,
    "http://a b.example/": False,
    "http://t.example/%zz": False,
    "http://t.example/100%": False,
    "http:///announce": False,
    "http://[:::]/announce": False,
    "http://[1::2::3]/announce": False,
    "http://[1:2]/announce": False,
    "http://me@t.example/announce": False,
    "udp://[::1]/announce": False,
    "http://[::1/announce": False,
}
WEB_SEEDS = {
    "https://cdn.example/{key}": True,
    "https://{bucket}.cdn.example/{key}?a=b": True,
    "http://cdn.example:8080/%20/{bucket}/{key}": True,
    "https://cdn.example/": False,
    "https://cdn.example/{key}/": False,
    "https://cdn.example/{name}/{key}": False,
    "https://cdn.example/{key}/{{bucket}}": False,
    "s3://cdn.example/{key}": False,
    "https:///{key}": False,
    "https://{key}": False,
    "https://cdn.example:99999/{key}": False,
    "https://cdn.example:0/{key}": False,
    "https://cdn.example/%zz/{key}": False,
    "https://cdn.example/%{key}": False,
    "https://cdn.example/{key}#top": False,
    "https://cdn.example/{key},https://cdn.example/": False,
    "https://[:::]/{key}": False,
}
STRICTER = {"http://me@t.example/announce", "https://{key}", "http://a.example/x,http://b.example/y"}
"""The function would take these (the last as two trackers)."""

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


def resources(plan: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Address -> planned values."""
    return {
        one["address"]: one.get("values", {}) for one in plan["planned_values"]["root_module"]["resources"]
    }


def statements(document: str) -> dict[str, Any]:
    return {one["Sid"]: one for one in json.loads(document)["Statement"]}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


class TestRefused:
    def test_each_wrong_value_is_named_with_what_was_expected(self, backend) -> None:
        wrong = {
            "name": ("My Torrents", "expected 3 to 40 lower-case letters"),
            "environment": ("staging", "expected dev or prod"),
            "bucket_name": ("arn:aws:s3:::b", "the name, not the ARN"),
            "table_name": ("a/b", "expected 3 to 255"),
            "event_source": ("sns", "expected sqs or s3"),
            "runtime": ("python3.8", "expected python3.11 or newer"),
            "architecture": ("amd64", "expected x86_64 or arm64"),
            "memory_mb": (64, "from 128 to 10240"),
            "timeout_seconds": (1000, "from 15 to 900"),
            "ephemeral_storage_mb": (100, "from 512 to 10240"),
            "endpoint_url": ("http://user@localhost:4566", "expected one such as http://"),
            "notification_prefix": ("recordings/*", "without *"),
            "notification_suffix": (" .mkv", "in plain ASCII"),
            "batch_size": (11, "from 1 to 10"),
            "max_receive_count": (0, "expected 1 to 1000"),
            "kms_key_arn": (ALIAS, "not of an alias"),
            "bucket_kms_key_arn": (ALIAS, "not of an alias"),
            "permissions_boundary_arn": ("boundary", "expected the ARN of a policy"),
            "alarm_topic_arn": ("topic", "expected the ARN of a topic"),
            "oldest_message_alarm_seconds": (5, "expected at least 60"),
            "bucket_policy_documents": (["{}"], "expected each with a Statement"),
            "log_retention_days": (42, "expected one that CloudWatch Logs knows"),
            "transmission_layer_arn": ("transmission-tools", "expected the ARN of a version"),
            "torrent_engine": ("ctorrent", "expected native or transmission"),
            "torrent_version": ("v3", "expected v1, v2 or hybrid"),
            "torrent_piece_length": ("3MiB", "expected auto, by-size, or a power of two"),
            "control_prefix": ("*", "that ends in / and has no *"),
            "lease_seconds": (1, "expected 5 to 900"),
            "prefix_rules": (["shows/*"], "expected folders with a / at their end"),
            "prefix_quiet_seconds": (0, "expected 1 to 86400"),
            "catalog": ("s3://bucket", "expected s3://BUCKET/PREFIX"),
            "catalog_url": ("torrents.example.org", "expected the URL of a folder"),
            "threads": (0.5, "from 1 to 64"),
            "log_level": ("info", "expected DEBUG, INFO, WARNING or ERROR"),
        }
        patterns = {"shows/*.mkv": True, "[!a]?": True, "*.tmp,*.part": False, " *.bak": False, "": False}
        lists = {"trackers": TRACKERS, "web_seeds": WEB_SEEDS, "include": patterns, "exclude": patterns}
        backend.set(
            **{name: value for name, (value, _) in wrong.items()},
            **{name: list(members) for name, members in lists.items()},
        )
        said = backend.diagnostics().splitlines()
        for name, (value, expected) in wrong.items():
            told = [line for line in said if f" {name} is " in line]
            assert any(
                (isinstance(value, list) or str(value) in line) and expected in line for line in told
            ), (name, said)
        for name, members in lists.items():
            told = [line.split("; expected")[0] for line in said if f" {name} has " in line]
            bad = {member for member, good in members.items() if not good}
            assert {one for one in members if any(f"'{one}'" in line for line in told)} == bad

    @pytest.mark.parametrize(
        ("variable", "members"),
        [("TRACKERS", TRACKERS), ("TORRENT_WEB_SEEDS", WEB_SEEDS)],
        ids=["trackers", "web seeds"],
    )
    def test_what_a_plan_lets_through_the_function_takes(self, variable, members) -> None:
        """The same tables as above, so the plan is never laxer than the function."""
        for member, good in members.items():
            try:
                from_environment({variable: member})
            except ConfigError:
                assert not good, member
            else:
                assert good or member in STRICTER, member

    def test_values_that_do_not_go_together(self, backend) -> None:
        backend.set(
            bucket_name="bucket",
            timeout_seconds=100,
            visibility_timeout_seconds=599,
            maximum_concurrency=5,
            reserved_concurrency=1,
            allow_create_table=True,
        )
        said = backend.diagnostics()
        assert "visibility_timeout_seconds is 599; expected 600 (6 x timeout_seconds) to 43200" in said
        assert "maximum_concurrency is 5; expected at most reserved_concurrency, 1 (so null, " in said
        assert "expected at most one maker of the table" in said

    def test_a_deployment_that_lacks_its_zip_and_its_layer(self, backend) -> None:
        backend.set(
            bucket_name="bucket",
            environment="prod",
            torrent_engine="transmission",
            torrent_version="hybrid",
            torrent_source="S",
            prefix_rules=["a/"],
            lambda_zip="nowhere.zip",
            trackers=[f"https://tracker-{n}.example/{'x' * 90}" for n in range(40)],
        )
        said = backend.diagnostics()
        assert "nowhere.zip is not there, or is no file; expected the function's zip. Run `make pack" in said
        assert "transmission_layer_arn is not set. Publish the layer" in said
        assert "torrent_version 'hybrid'; expected v1" in said
        assert "torrent_source 'S'; expected none" in said
        assert "torrent_engine 'transmission'; expected sqs, which keeps a folder's reminder" in said
        assert "longer than the 4,096 characters" in said

    def test_a_table_of_another_schema_and_a_bucket_that_is_not_there(
        self, backend, ministack, table_name, function_zip
    ) -> None:
        ministack.client("dynamodb").create_table(
            TableName=table_name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        )
        backend.set(
            bucket_name="bucket-that-is-not-there",
            create_bucket=False,
            create_table=False,
            table_name=table_name,
            lambda_zip=str(function_zip),
        )
        said = backend.diagnostics()
        assert f"{table_name} has partition key id, sort key none; expected partition key jobId" in said
        assert "S3 Bucket (bucket-that-is-not-there)" in said

    def test_a_table_whose_key_is_a_number_and_a_zip_that_is_a_folder(
        self, backend, ministack, table_name, bucket, tmp_path
    ) -> None:
        ministack.client("dynamodb").create_table(
            TableName=table_name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "jobId", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "jobId", "AttributeType": "N"}],
        )
        backend.set(
            bucket_name=bucket,
            create_bucket=False,
            create_table=False,
            table_name=table_name,
            lambda_zip=str(tmp_path),
        )
        said = backend.diagnostics()
        assert f"{table_name} has partition key jobId of type N; expected type S" in said
        assert f"{tmp_path} is not there, or is no file; expected the function's zip" in said


def test_rules_for_folders_are_read_by_the_function_which_may_list(backend, function_zip) -> None:
    backend.set(
        bucket_name="recordings",
        lambda_zip=str(function_zip),
        prefix_rules=["shows/*/"],
        prefix_quiet_seconds=60,
    )
    planned = resources(backend.plan())
    settings = from_environment(planned["aws_lambda_function.this"]["environment"][0]["variables"])
    assert (settings.prefix_rules, settings.prefix_quiet_seconds) == (("shows/*/",), 60)
    role = next(
        values["policy"] for name, values in planned.items() if name.startswith("aws_iam_role_policy.")
    )
    assert statements(role)["TellAbsentFromForbidden"]["Action"] == "s3:ListBucket"


def test_a_catalogue_is_kept_by_a_function_that_may_write_there_alone(backend, function_zip) -> None:
    backend.set(
        bucket_name="recordings",
        lambda_zip=str(function_zip),
        catalog="s3://pages/films/",
        catalog_url="https://torrents.example.org",
        catalog_title="Films",
    )
    planned = resources(backend.plan())
    settings = from_environment(planned["aws_lambda_function.this"]["environment"][0]["variables"])
    assert settings.catalog
    assert (str(settings.catalog.place), settings.catalog.url) == (
        "s3://pages/films/",
        "https://torrents.example.org/",
    )
    role = next(
        values["policy"] for name, values in planned.items() if name.startswith("aws_iam_role_policy.")
    )
    said = statements(role)
    assert said["KeepCatalogue"]["Resource"] == "arn:aws:s3:::pages/films/*"
    assert said["SeeCatalogue"]["Resource"] == "arn:aws:s3:::pages"


class TestProduction:
    """One plan, looked at from every side; several tests would each pay for it on every worker of xdist."""

    def test_a_plan_with_everything_given(self, backend, function_zip) -> None:
        backend.set(
            bucket_name="recordings",
            environment="prod",
            lambda_zip=str(function_zip),
            torrent_engine="transmission",
            transmission_layer_arn=LAYER,
            trackers=["udp://t.example:6969/announce", "https://t.example/announce"],
            web_seeds=["https://cdn.example/{key}"],
            include=["shows/*"],
            exclude=["*.tmp"],
            torrent_private=True,
            torrent_piece_length="4MiB",
            torrent_comment="C, with comma",
            timeout_seconds=600,
            architecture="arm64",
            reserved_concurrency=20,
            notification_prefix="shows/",
            notification_suffix=".mkv",
            kms_key_arn=KEY,
            tracing=True,
            allow_list_bucket=True,
            bucket_policy_documents=[
                json.dumps(
                    {
                        "Version": "2012-10-17",
                        "Statement": [
                            {
                                "Sid": "Cdn",
                                "Effect": "Allow",
                                "Principal": {"Service": "cloudfront.amazonaws.com"},
                                "Action": "s3:GetObject",
                                "Resource": "arn:aws:s3:::recordings/*",
                            }
                        ],
                    }
                )
            ],
        )
        planned = resources(backend.plan())
        self.the_function_reads_its_settings_as_they_were_given(planned)
        self.the_published_layer_is_used_and_none_is_made(planned)
        self.the_queue_waits_six_timeouts_and_hears_which_messages_failed(planned)
        self.an_event_that_waits_two_visibility_timeouts_sets_off_the_alarm(planned)
        self.the_bucket_notifies_of_the_keys_given(planned)
        self.only_this_bucket_of_this_account_may_send_to_the_queue(planned)
        self.the_role_may_do_what_the_function_does_and_no_more(planned)
        self.what_is_stored_is_encrypted_with_the_key_given(planned)
        self.the_table_is_guarded(planned)
        self.the_bucket_is_private_and_speaks_tls_only(planned)

    def the_function_reads_its_settings_as_they_were_given(self, planned) -> None:
        function = planned["aws_lambda_function.this"]
        settings = from_environment(function["environment"][0]["variables"])
        assert (settings.bucket, settings.table, settings.endpoint_url) == ("recordings", "s3torrent", None)
        assert settings.policy.trackers == (
            ("udp://t.example:6969/announce",),
            ("https://t.example/announce",),
        )
        assert settings.policy.web_seeds == ("https://cdn.example/{key}",)
        assert (settings.policy.private, settings.policy.piece_length) == (True, 4 << 20)
        assert settings.policy.comment == "C, with comma"
        assert (settings.include, settings.exclude) == (("shows/*",), ("*.tmp",))
        assert function["environment"][0]["variables"]["TORRENT_ENGINE"] == "transmission"

    def the_published_layer_is_used_and_none_is_made(self, planned) -> None:
        function = planned["aws_lambda_function.this"]
        assert (function["layers"], function["architectures"]) == ([LAYER], ["arm64"])
        assert not [address for address in planned if "aws_lambda_layer_version" in address]

    def the_queue_waits_six_timeouts_and_hears_which_messages_failed(self, planned) -> None:
        assert planned["aws_sqs_queue.events[0]"]["visibility_timeout_seconds"] == 3600
        assert planned["aws_lambda_event_source_mapping.queue[0]"]["function_response_types"] == [
            "ReportBatchItemFailures"
        ]

    def an_event_that_waits_two_visibility_timeouts_sets_off_the_alarm(self, planned) -> None:
        assert planned['aws_cloudwatch_metric_alarm.this["oldest-event"]']["threshold"] == 7200

    def the_bucket_notifies_of_the_keys_given(self, planned) -> None:
        (queue,) = planned["aws_s3_bucket_notification.this[0]"]["queue"]
        assert (queue["filter_prefix"], queue["filter_suffix"]) == ("shows/", ".mkv")

    def only_this_bucket_of_this_account_may_send_to_the_queue(self, planned) -> None:
        (statement,) = json.loads(planned["aws_sqs_queue.events[0]"]["policy"])["Statement"]
        assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
        assert statement["Action"] == "sqs:SendMessage"
        assert statement["Condition"] == {
            "ArnEquals": {"aws:SourceArn": "arn:aws:s3:::recordings"},
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
        }

    def the_role_may_do_what_the_function_does_and_no_more(self, planned) -> None:
        found = statements(planned["aws_iam_role_policy.function"]["policy"])
        bucket = "arn:aws:s3:::recordings"
        queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:s3torrent"
        table = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/s3torrent"
        log = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/lambda/s3torrent:log-stream:*"
        reads = {f"s3:GetObject{kind}" for kind in ("", "Version", "Attributes", "VersionAttributes")}
        assert {
            sid: (set(as_list(one["Action"])), set(as_list(one["Resource"]))) for sid, one in found.items()
        } == {
            "ReadObjects": (reads, {f"{bucket}/*"}),
            "WriteTorrents": ({"s3:PutObject"}, {f"{bucket}/*.torrent", f"{bucket}/.s3torrent/*"}),
            "TellAbsentFromForbidden": ({"s3:ListBucket"}, {bucket}),
            "RemoveOwn": ({"s3:DeleteObject"}, {f"{bucket}/.s3torrent/*"}),
            "WriteStatus": (
                {"dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:UpdateItem"},
                {table},
            ),
            "TakeEvents": (
                {
                    "sqs:ChangeMessageVisibility",
                    "sqs:DeleteMessage",
                    "sqs:GetQueueAttributes",
                    "sqs:ReceiveMessage",
                    "sqs:SendMessage",
                },
                {queue},
            ),
            "Log": ({"logs:CreateLogStream", "logs:PutLogEvents"}, {log}),
            "UseKeys": ({"kms:Decrypt", "kms:GenerateDataKey"}, {KEY}),
            "Trace": ({"xray:PutTelemetryRecords", "xray:PutTraceSegments"}, {"*"}),
        }
        services = {f"{service}.us-east-1.amazonaws.com" for service in ("dynamodb", "lambda", "s3", "sqs")}
        (asked_by,) = found["UseKeys"]["Condition"]["StringEquals"].items()
        assert (asked_by[0], set(asked_by[1])) == ("kms:ViaService", services)

    def what_is_stored_is_encrypted_with_the_key_given(self, planned) -> None:
        for queue in ("aws_sqs_queue.events[0]", "aws_sqs_queue.dead_letter"):
            assert planned[queue]["kms_master_key_id"] == KEY
        assert planned["aws_dynamodb_table.status[0]"]["server_side_encryption"] == [
            {"enabled": True, "kms_key_arn": KEY}
        ]
        (rule,) = planned["aws_s3_bucket_server_side_encryption_configuration.this[0]"]["rule"]
        assert rule["apply_server_side_encryption_by_default"][0]["kms_master_key_id"] == KEY
        assert planned["aws_cloudwatch_log_group.function"]["kms_key_id"] == KEY
        assert planned["aws_lambda_function.this"]["kms_key_arn"] == KEY

    def the_table_is_guarded(self, planned) -> None:
        table = planned["aws_dynamodb_table.status[0]"]
        assert table["deletion_protection_enabled"] is True
        assert table["point_in_time_recovery"][0]["enabled"] is True
        assert table["ttl"] == [{"attribute_name": "expiresAt", "enabled": True}]

    def the_bucket_is_private_and_speaks_tls_only(self, planned) -> None:
        block = planned["aws_s3_bucket_public_access_block.this[0]"]
        assert all(value for name, value in block.items() if name.startswith(("block", "ignore", "restrict")))
        found = statements(planned["aws_s3_bucket_policy.this[0]"]["policy"])
        assert found["TlsOnly"]["Effect"] == "Deny"
        assert found["TlsOnly"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert found["Cdn"]["Principal"] == {"Service": "cloudfront.amazonaws.com"}


class TestDevelopmentLayer:
    def test_a_first_apply_works_with_a_placeholder_and_a_second_takes_the_build(
        self, workspace, shown, ministack, tmp_path, function_zip, table_name
    ) -> None:
        backend = workspace(tmp_path, "terraform/backend", ministack.endpoint)
        (backend.folder / "provider.tf").write_text(PROVIDER_FILE)
        backend.set(
            name=table_name,
            bucket_name=table_name,
            torrent_engine="transmission",
            lambda_zip=str(function_zip),
        )
        said = backend.diagnostics("warning")
        assert "the layer is a placeholder" in said
        assert "Run util/build-transmission-lambda-layer.sh" in said
        backend.succeed("apply", "-auto-approve", "-target=aws_lambda_layer_version.transmission")
        layers = ministack.client("lambda").list_layer_versions(LayerName=f"{table_name}-transmission-tools")
        assert len(layers["LayerVersions"]) == 1

        build = backend.folder / "lambda/transmission_tools_layer.zip"
        build.parent.mkdir()
        shutil.copy(function_zip, build)
        messages = backend.messages()
        assert not [one for one in messages if one["@level"] in ("warn", "error")]
        changes = [one["change"] for one in messages if one["type"] == "planned_change"]
        (layer,) = (one for one in changes if one["resource"]["resource_type"] == "aws_lambda_layer_version")
        assert layer["action"] == "replace"
        publish = shown(
            'aws lambda publish-layer-version --layer-name transmission-tools --description "Lambda layer with transmission-cli tools" \\',
            "",
        )
        assert re.fullmatch(
            r"arn:aws:lambda:us-east-1:\d{12}:layer:transmission-tools:\d+\n",
            backend.shell("cd ../..\n" + publish),
        )


class TestNotificationOfAnExistingBucket:
    @pytest.mark.skipif(not (shutil.which("aws") and shutil.which("jq")), reason="needs the AWS CLI and jq")
    def test_the_commands_add_and_remove_ours_and_leave_the_others(
        self, workspace, shown, ministack, tmp_path, bucket, function_zip
    ) -> None:
        example = workspace(tmp_path, "examples/existing-bucket", ministack.endpoint)
        example.set(bucket_name=bucket, notification_prefix="it's/")
        example.override(name=bucket, lambda_zip=str(function_zip), notification_suffix=".mkv")
        transmission = shown('torrent_engine         = "transmission"', bucket).replace('"ARN"', f'"{LAYER}"')
        example.shell(transmission.removesuffix("terraform apply\n"))
        planned = example.plan()["planned_values"]
        (module,) = planned["root_module"]["child_modules"]
        (function,) = (one for one in module["resources"] if one["type"] == "aws_lambda_function")
        assert function["values"]["layers"] == [LAYER]
        assert function["values"]["ephemeral_storage"] == [{"size": 10240}]
        outputs = planned["outputs"]

        sqs, s3 = ministack.client("sqs"), ministack.client("s3")
        sqs.create_queue(QueueName=bucket)
        theirs = sqs.create_queue(QueueName=f"{bucket}-theirs")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=theirs, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        other = {"Id": "theirs", "QueueArn": arn, "Events": ["s3:ObjectTagging:*"]}
        sns = ministack.client("sns")
        gone = sns.create_topic(Name=bucket)["TopicArn"]
        topic = {
            "Id": "topic",
            "TopicArn": sns.create_topic(Name=f"{bucket}-theirs")["TopicArn"],
            "Events": other["Events"],
        }

        def notifications() -> dict[str, Any]:
            found = s3.get_bucket_notification_configuration(Bucket=bucket)
            return {name: value for name, value in found.items() if name != "ResponseMetadata"}

        def execute(name: str) -> None:
            done = subprocess.run(
                ["bash", "-euc", outputs[name]["value"]],
                cwd=tmp_path,
                env=example.environment | ENVIRONMENT,
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, done.stderr

        rules = [{"Name": "prefix", "Value": "it's/"}, {"Name": "suffix", "Value": ".mkv"}]
        ours = {
            "Id": bucket,
            "QueueArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:{bucket}",
            "Events": [
                "s3:ObjectCreated:*",
                "s3:ObjectRemoved:*",
                "s3:LifecycleExpiration:*",
                "s3:ObjectRestore:Completed",
            ],
            "Filter": {"Key": {"FilterRules": rules}},
        }
        execute("notification_command")  # where there was none before
        assert notifications() == {"QueueConfigurations": [ours]}
        # Ours of before: another filter, and other kinds, with targets that are gone since event_source changed.
        function = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{bucket}"
        outdated = {name: value for name, value in ours.items() if name != "Filter"}
        of_before = {
            "QueueConfigurations": [outdated, other],
            "TopicConfigurations": [{"Id": bucket, "TopicArn": gone, "Events": ours["Events"]}, topic],
            "LambdaFunctionConfigurations": [
                {"Id": bucket, "LambdaFunctionArn": function, "Events": ours["Events"]}
            ],
            "EventBridgeConfiguration": {},
        }
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=of_before)
        sns.delete_topic(TopicArn=gone)
        with pytest.raises(ClientError, match="Unable to validate"):
            s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=of_before)
        kept = {"TopicConfigurations": [topic], "EventBridgeConfiguration": {}}
        execute("notification_command")
        assert notifications() == {"QueueConfigurations": [other, ours], **kept}
        execute("notification_removal_command")
        assert notifications() == {"QueueConfigurations": [other], **kept}
