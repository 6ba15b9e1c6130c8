"""The bucket of what was deployed: of each deployment the code, and the template.

CloudFormation fetches the code of the version before from here when it takes a deployment back, however long ago that
was deployed. So nothing expires by its age alone: what was superseded is tagged, after the deployment has succeeded.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from ops.deploying.package import Package
from ops.shared.aws import account, client

SUPERSEDED = {"Key": "linkly-superseded", "Value": "yes"}
"""The tag of what is not deployed any more. Uploading the same again replaces the object, which then has no tag."""

_LIFECYCLE = {
    "Rules": [
        {
            "ID": "superseded",
            "Status": "Enabled",
            "Filter": {"Tag": SUPERSEDED},
            # Since the upload: https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
            "Expiration": {"Days": 30},
        },
        {
            "ID": "incomplete",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        },
    ]
}


def bucket_name(stage: str) -> str:
    """The name of a stage's bucket in this account and region."""
    return f"linkly-{stage}-artifacts-{account()}-{client('s3').meta.region_name}"


def make_bucket(stage: str) -> str:
    """Make the bucket as it should be, unless it is; gives its name."""
    s3 = client("s3")
    region = s3.meta.region_name
    name = bucket_name(stage)
    location = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3.create_bucket(Bucket=name, **location)
    except (s3.exceptions.BucketAlreadyOwnedByYou, s3.exceptions.BucketAlreadyExists):
        s3.head_bucket(Bucket=name, ExpectedBucketOwner=account())  # refuses a bucket of somebody else
    closed = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=closed)
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps(_nothing_over_plain_http(name, s3.meta.partition)))
    s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration=_LIFECYCLE)
    return name


def upload(package: Package, template: Mapping[str, Any], bucket: str, tell: Callable[[str], None]) -> str:
    """Upload the code and the template; gives the template's URL."""
    tell(f"uploading {len(package.code) / 1_000_000:.1f} MB of code to s3://{bucket}/{package.code_key}")
    s3 = client("s3")
    s3.put_object(Bucket=bucket, Key=package.code_key, Body=package.code)
    s3.put_object(Bucket=bucket, Key=_template_key(package), Body=json.dumps(template).encode())
    return f"{s3.meta.endpoint_url}/{bucket}/{_template_key(package)}"


def supersede_all_but(package: Package, bucket: str) -> None:
    """Let what is in the bucket expire, but for this package, which is deployed.

    A call for each object, of which there are two for each deployment of the last thirty days.
    """
    s3 = client("s3")
    deployed = {package.code_key, _template_key(package)}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for key in {stored["Key"] for stored in page.get("Contents", [])} - deployed:
            s3.put_object_tagging(Bucket=bucket, Key=key, Tagging={"TagSet": [SUPERSEDED]})


def delete_bucket(stage: str, tell: Callable[[str], None]) -> None:
    """Delete the bucket and all that is in it, if it is there."""
    s3 = client("s3")
    bucket = bucket_name(stage)
    try:
        s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=account())
    except ClientError as error:
        if error.response["Error"]["Code"] != "404":
            raise
        return
    tell(f"deleting the bucket {bucket}")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for stored in page.get("Contents", []):
            s3.delete_object(Bucket=bucket, Key=stored["Key"])
    s3.delete_bucket(Bucket=bucket)


def _template_key(package: Package) -> str:
    return package.code_key.replace(".zip", ".json")


def _nothing_over_plain_http(bucket: str, partition: str) -> Mapping[str, Any]:
    """A bucket's policy, which allows nothing that IAM does not."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "NothingOverPlainHttp",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [f"arn:{partition}:s3:::{bucket}", f"arn:{partition}:s3:::{bucket}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }
