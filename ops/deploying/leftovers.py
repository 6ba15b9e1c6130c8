"""What a stage leaves behind when its stack is deleted: tables, log groups, and the bucket of what was deployed."""

from collections.abc import Callable

from ops.deploying import artifacts
from ops.shared.aws import client
from ops.shared.stacks import stack_name


def delete(stage: str, tell: Callable[[str], None]) -> None:
    """Delete them for ever.

    They are found by their names, so that it works long after the stack was deleted, and again after a failure.
    """
    for table in _tables(stage):
        tell(f"deleting the table {table}")
        _delete_table(table)
    for group in _log_groups(stage):
        tell(f"deleting the log group {group}")
        client("logs").delete_log_group(logGroupName=group)
    artifacts.delete_bucket(stage, tell)


def _tables(stage: str) -> list[str]:
    pages = client("dynamodb").get_paginator("list_tables").paginate()
    # No stage has a hyphen in its name, so no other stage's tables begin like this.
    return [name for page in pages for name in page["TableNames"] if name.startswith(f"{stack_name(stage)}-")]


def _log_groups(stage: str) -> list[str]:
    pages = client("logs").get_paginator("describe_log_groups")
    return [
        group["logGroupName"]
        for service in ("lambda", "apigateway")
        for page in pages.paginate(logGroupNamePrefix=f"/aws/{service}/{stack_name(stage)}-")
        for group in page["logGroups"]
    ]


def _delete_table(table: str) -> None:
    dynamodb = client("dynamodb")
    patience = {"Delay": 2, "MaxAttempts": 300}
    found = dynamodb.describe_table(TableName=table)["Table"]
    if found.get("DeletionProtectionEnabled"):
        dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
    if found["TableStatus"] != "DELETING":  # one that is being changed cannot be deleted
        dynamodb.get_waiter("table_exists").wait(TableName=table, WaiterConfig=patience)
    dynamodb.delete_table(TableName=table)
    dynamodb.get_waiter("table_not_exists").wait(TableName=table, WaiterConfig=patience)
