"""The events that Lambda hands to the app, as API Gateway and SQS send them."""

from typing import Any


def follow(code: str) -> dict[str, Any]:
    """A browser's GET of a short link, as a REST API's proxy integration passes it on.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """
    headers = {
        "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
        "Accept-Encoding": "gzip, deflate, br",
        "Accept-Language": "en-GB,en;q=0.5",
        "CloudFront-Forwarded-Proto": "https",
        "CloudFront-Is-Desktop-Viewer": "true",
        "CloudFront-Is-Mobile-Viewer": "false",
        "CloudFront-Is-SmartTV-Viewer": "false",
        "CloudFront-Is-Tablet-Viewer": "false",
        "CloudFront-Viewer-ASN": "3320",
        "CloudFront-Viewer-Country": "DE",
        "Host": "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com",
        "Referer": "https://news.example/2026/05/27/an-article-with-a-link",
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Via": "2.0 7b1c0e4f4a3d2b1a09f8e7d6c5b4a392.cloudfront.net (CloudFront)",
        "X-Amz-Cf-Id": "Qe1mY7c0VQ4cJ3l2nX6y9r8s5t4u3v2w1x0yZaAbBcCdDeEfFgGhH==",
        "X-Amzn-Trace-Id": "Root=1-6a16c5d2-1f0e2d3c4b5a69788796a5b4",
        "X-Forwarded-For": "192.0.2.17, 198.51.100.4",
        "X-Forwarded-Port": "443",
        "X-Forwarded-Proto": "https",
    }
    return {
        "resource": "/{code}",
        "path": f"/{code}",
        "httpMethod": "GET",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"code": code},
        "stageVariables": None,
        "requestContext": {
            "resourceId": "x1y2z3",
            "resourcePath": "/{code}",
            "httpMethod": "GET",
            "extendedRequestId": "JqmQeEwTliAFhZg=",
            "requestTime": "27/May/2026:10:15:30 +0000",
            "path": f"/api/{code}",
            "accountId": "123456789012",
            "protocol": "HTTP/1.1",
            "stage": "api",
            "domainPrefix": "a1b2c3d4e5",
            "requestTimeEpoch": 1779876930123,
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "identity": {
                "cognitoIdentityPoolId": None,
                "accountId": None,
                "cognitoIdentityId": None,
                "caller": None,
                "sourceIp": "192.0.2.17",
                "principalOrgId": None,
                "accessKey": None,
                "cognitoAuthenticationType": None,
                "cognitoAuthenticationProvider": None,
                "userArn": None,
                "userAgent": headers["User-Agent"],
                "user": None,
            },
            "domainName": "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com",
            "deploymentId": "a1b2c3",
            "apiId": "a1b2c3d4e5",
        },
        "body": None,
        "isBase64Encoded": False,
    }
