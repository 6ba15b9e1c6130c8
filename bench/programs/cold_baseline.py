"""The least that anybody does who answers from DynamoDB and SQS: import boto3, make both clients, call each once."""

import at_the_stub  # noqa: F401
import boto3

dynamodb = boto3.client("dynamodb")
sqs = boto3.client("sqs")
dynamodb.get_item(TableName="linkly-dev-redirects", Key={"code": {"S": "my-link"}})
sqs.send_message(QueueUrl="https://sqs.eu-central-1.amazonaws.com/123456789012/linkly-dev-clicks", MessageBody="click")
