"""The bucket of what was deployed: what is kept there, and what may expire."""

import boto3
import pytest

from ops.deploying import artifacts
from ops.deploying.package import Package

STAGE = "test"
OLD, NEW = (Package(code, {}, "v1") for code in (b"old code", b"new code"))


@pytest.fixture
def bucket() -> str:
    return make_bucket()


def make_bucket() -> str:
    """Make the bucket, without its policy: moto would refuse everybody, since it does not read the condition."""
    name = artifacts.make_bucket(STAGE)
    boto3.client("s3").delete_bucket_policy(Bucket=name)
    return name


def upload(package: Package, bucket: str) -> None:
    artifacts.upload(package, {}, bucket, lambda _: None)


def expiring(bucket: str) -> set[str]:
    """The keys of the objects that the bucket's lifecycle removes."""
    s3 = boto3.client("s3")
    [rule] = [rule for rule in s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] if "Expiration" in rule]
    assert (30, "Enabled") == (rule["Expiration"]["Days"], rule["Status"])
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    return {key for key in keys if rule["Filter"]["Tag"] in s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]}


def objects_of(package: Package) -> set[str]:
    return {package.code_key, package.code_key.replace(".zip", ".json")}


def test_what_is_deployed_does_not_expire_and_what_it_superseded_does(bucket: str) -> None:
    upload(OLD, bucket)
    artifacts.supersede_all_but(OLD, bucket)
    first = expiring(bucket)
    upload(NEW, bucket)
    meanwhile = expiring(bucket)
    artifacts.supersede_all_but(NEW, bucket)

    assert (set(), set(), objects_of(OLD)) == (first, meanwhile, expiring(bucket))


def test_what_is_deployed_again_does_not_expire(bucket: str) -> None:
    for package in (OLD, NEW):
        upload(package, bucket)
        artifacts.supersede_all_but(package, bucket)

    upload(OLD, bucket)
    meanwhile = expiring(bucket)
    artifacts.supersede_all_but(OLD, bucket)

    assert (set(), objects_of(NEW)) == (meanwhile, expiring(bucket))


def test_making_the_bucket_again_keeps_what_is_in_it(bucket: str) -> None:
    upload(OLD, bucket)

    again = make_bucket()

    assert bucket == again
    assert b"old code" == boto3.client("s3").get_object(Bucket=bucket, Key=OLD.code_key)["Body"].read()


def test_a_bucket_is_deleted_with_all_that_is_in_it(bucket: str) -> None:
    upload(OLD, bucket)
    upload(NEW, bucket)

    artifacts.delete_bucket(STAGE, lambda _: None)
    artifacts.delete_bucket(STAGE, lambda _: None)

    assert [] == boto3.client("s3").list_buckets()["Buckets"]
