"""`python -m ops deploy-policy`: what a role may do that deploys a stage; docs/deploying.md says how to make it."""

from string import Template

from ops import PROJECT
from ops.shared.aws import account, client
from ops.shared.stages import Deployed

PATH = PROJECT / "infra" / "deploy-policy.json"


def show_deploy_policy(stage: Deployed) -> None:
    """Print what a role may do that deploys a stage, as an IAM policy for this account and region."""
    print(text(stage))


def text(stage: str) -> str:
    """The policy as JSON, for a stage in the account and region of the environment."""
    where = client("sts").meta
    return Template(PATH.read_text()).substitute(
        Stage=stage, AccountId=account(), Region=where.region_name, Partition=where.partition
    )
