"""What is another program's, was named by mistake, or is no answer of AWS's: nothing is mended there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from s3torrent.cli import doctor as command
from s3torrent.cli.main import cli
from s3torrent.doctor import examination, seeds
from s3torrent.doctor.finding import Level
from s3torrent.types import ObjectRef, ObjectVersion
from support.doctoring import ACCOUNT, NOW, QUEUE, REGION, case, refused

if TYPE_CHECKING:
    from s3torrent.doctor.case import Case
    from s3torrent.doctor.finding import Finding

THEIRS = {
    "Table": {
        "TableStatus": "ACTIVE",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    }
}


def found_of(examined: Case) -> dict[str, Finding]:
    return {one.check: one for one in examination.examine(examined)}


def lacking_on(resource: str) -> Any:
    """IAM allows all, but nothing on what holds ``resource``."""

    def simulate(**asked: Any) -> dict[str, Any]:
        decision = "implicitDeny" if resource in asked["ResourceArns"][0] else "allowed"
        return {
            "EvaluationResults": [
                {"EvalActionName": one, "EvalDecision": decision} for one in asked["ActionNames"]
            ]
        }

    return simulate


def test_nothing_of_another_programs_table_is_changed() -> None:
    """Not its index, not its expiry (which would delete its items), not its price, and no right on it is given."""
    told = {"describe_table": THEIRS, "simulate_principal_policy": lacking_on(":table/")}
    found = found_of(case(told, variables={"DDB_TABLE": "orders"}))
    assert found["table-key"].level is Level.RED
    for name in ("table-index", "table-expiry", "table-capacity"):
        assert (found[name].level, found[name].mend) == (Level.GREY, "")
        assert found[name].cause == "table orders is another program's, and none of ours to look at"
    mends = " ".join(one.mend for one in found.values())
    assert "--table-name orders " not in mends
    assert "table/orders-status" in found["permissions"].mend
    assert 'table/orders"' not in mends


def test_where_the_function_uses_another_table_that_one_is_named() -> None:
    found = found_of(case({"describe_table": THEIRS}, table="orders"))
    assert found["table-key"].cause.endswith("it is another program's, and function s3torrent uses s3torrent")
    assert found["table-key"].mend == "s3torrent doctor --function s3torrent --table s3torrent"


def absent_but(*there: str) -> Any:
    def head(**asked: str) -> dict[str, str]:
        if asked["Bucket"] not in there:
            raise refused("404", 404)
        return {"BucketRegion": REGION}

    return head


def policy_for(bucket: str) -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": QUEUE,
        "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{bucket}"}},
    }
    return {"Attributes": {"QueueArn": QUEUE, "Policy": json.dumps({"Statement": [statement]})}}


def test_a_mistyped_bucket_is_told_from_one_that_is_to_be_made() -> None:
    """The queue's policy names the one that was meant: another would be made, and every upload be dropped."""
    told = {"head_bucket": absent_but("films"), "get_queue_attributes": policy_for("films")}
    one = found_of(case(told, variables={"S3_BUCKET": "film"}))["bucket"]
    assert one.cause == "bucket film does not exist; queue s3torrent is that of bucket films"
    assert '.Variables["S3_BUCKET"]="films"' in one.mend
    told = {"head_bucket": absent_but(), "get_queue_attributes": policy_for("films")}
    assert "create-bucket" in found_of(case(told, variables={"S3_BUCKET": "film"}))["bucket"].mend


def test_of_a_function_that_is_not_there_no_queue_is_made() -> None:
    """Its name or the region is wrong, most likely."""
    told = {
        "get_function_configuration": refused("ResourceNotFoundException", 404),
        "get_queue_url": refused("AWS.SimpleQueueService.NonExistentQueue"),
    }
    found = found_of(case(told, function="mien", bucket="films", table="t"))
    assert "if name and region are right" in found["function"].cause
    assert {found[name].level for name in ("queue", "queue-policy", "mapping")} == {Level.GREY}
    assert "create-queue" not in " ".join(one.mend for one in found.values())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("s3torrent", "s3torrent"),
        ("s3torrent:live", "s3torrent"),
        (f"{ACCOUNT}:function:s3torrent", "s3torrent"),
        (f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:s3torrent", "s3torrent"),
        (f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:s3torrent:7", "s3torrent"),
    ],
)
def test_a_function_has_the_forms_that_lambda_takes(text: str, name: str) -> None:
    assert command._name(text) == name


@pytest.mark.parametrize("answer", [{}, [1, 2], "<html>", {"Table": {}, "QueueUrl": ""}], ids=repr)
@pytest.mark.parametrize("function", ["s3torrent", None])
def test_answers_of_somebody_between_us_and_aws_make_nothing_red(answer: Any, function: str | None) -> None:
    """A proxy or a portal answers 200 to everything, with whatever it likes."""
    operations = [*case().clients.told, "describe_table", "describe_time_to_live"]
    examined = case(dict.fromkeys(operations, answer), function=function, bucket="films", table="t")
    found = found_of(examined)
    assert found["credentials"].level is Level.GREY
    assert {name for name, one in found.items() if one.level is Level.RED} <= {"region"}
    assert not [one for one in found.values() if "create-" in one.mend or "put-" in one.mend]


@pytest.mark.parametrize("profile", ["nope", ""])
def test_where_nothing_could_be_looked_at_the_exit_code_is_4(profile: str) -> None:
    """All grey is no health: a profile that does not exist, an endpoint that denies everything."""
    env = {"AWS_PROFILE": profile} if profile else {"AWS_REGION": "not a region"}
    ran = CliRunner().invoke(cli, ["doctor", "--function", "f", "--json"], env=env)
    assert ran.exit_code == 1
    assert type(ran.exception).__name__ == "EndpointUnreachable"
    assert "nothing of it could be looked at: " in str(ran.exception)
    assert {one["level"] for one in json.loads(ran.stdout)["findings"]} == {"grey"}


def test_web_seeds_are_tried_as_they_are_set_now() -> None:
    """The torrent may be from before they were changed."""
    asked: list[str] = []

    def check(_metainfo: object, url: str) -> dict[str, Any]:
        asked.append(url)
        problems = [{"code": "not-found", "detail": "404", "fatal": True, "hint": "upload it"}]
        return {"webSeed": url, "good": False, "problems": problems}

    torrent = (Path(__file__).parents[2] / "vectors/valid/v1_single.torrent").open("rb")
    examined = case(
        {"get_object": {"Body": torrent}}, variables={"TORRENT_WEB_SEEDS": "https://new.example.org/{key}"}
    )
    examined.objects = lambda _: [
        ObjectVersion(ObjectRef("films", key), None, "e", 1, NOW) for key in ("a b", "a b.torrent")
    ]
    with torrent:
        found = seeds.web_seeds(examined, check)
    assert found
    assert asked == ["https://new.example.org/a%20b"]
    assert (found.level, "not-found" in found.cause) == (Level.RED, True)
