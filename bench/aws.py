"""AWS at the other end of a TLS connection: a process that answers the calls of the app and of the baselines.

What is measured runs botocore as it is, down to the socket. Only where the names of AWS's endpoints lead is changed
(bench/programs/at_the_stub.py), so the work of signing, sending, encrypting and parsing is done as on AWS, and the
work of AWS itself is another process's.
"""

import asyncio
import io
import json
import ssl
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from botocore.httpsession import DEFAULT_CA_BUNDLE
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bench.events import follow
from chalicelib.links.status import Status
from chalicelib.redirects.cache import Redirect, to_item

REGION = "eu-central-1"
TABLES = {
    "LINKS_TABLE": "links",
    "REDIRECTS_TABLE": "redirects",
    "CLICKS_TABLE": "clicks",
    "DAILY_CLICKS_TABLE": "daily_clicks",
}

CACHED = to_item(Redirect("my-link", "https://example.com/a/page?of=some&length=1", Status.ACTIVE, version=1))
LINK = {
    **{name: attribute for name, attribute in CACHED.items() if name != "layout"},
    "owner": {"S": "ada"},
    "created_at": {"S": "2026-05-27T10:15:30.123Z"},
    "updated_at": {"S": "2026-05-27T10:15:30.123Z"},
}


@dataclass(frozen=True)
class Stub:
    """Where the stub listens, and whose word its certificate is good on."""

    port: int
    certificate: bytes
    authorities: Path
    """botocore's own list of authorities, and with them whoever vouches for the stub."""
    follow_event: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a program that is measured needs in its environment: that of a Lambda function."""
        return {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_SESSION_TOKEN": "t" * 900,  # a role's credentials come with one, and it is signed with each call
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_LAMBDA_FUNCTION_NAME": "linkly-dev-follow_link",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "CLICK_QUEUE_URL": f"https://sqs.{REGION}.amazonaws.com/123456789012/linkly-dev-clicks",
            "CLICK_RETENTION_DAYS": "90",
            "RETRY_PAUSE_SECONDS": "15",
            "STAGE": "dev",
            "FOLLOW_EVENT": str(self.follow_event),
            "STUB_PORT": str(self.port),
            **{variable: f"linkly-dev-{name}" for variable, name in TABLES.items()},
        }

    @property
    def environment_of_boto3(self) -> dict[str, str]:
        """The same for a program that calls by boto3, which must trust the stub too."""
        return {**self.environment, "AWS_CA_BUNDLE": str(self.authorities)}


@contextmanager
def stub(directory: Path) -> Iterator[Stub]:
    """Run the stub; `directory` is for its certificate."""
    authorities, identity, follow_event = (
        directory / name for name in ("authorities.pem", "identity.pem", "follow.json")
    )
    follow_event.write_text(json.dumps(follow("a-code")))
    certificate, key = _certificate()
    # The real authorities are there too: reading them is part of what a first connection costs.
    authorities.write_bytes(Path(DEFAULT_CA_BUNDLE).read_bytes() + certificate)
    identity.write_bytes(key + certificate)
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.aws", str(identity)],
        cwd=Path(__file__).parent.parent,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Stub(int((process.stdout or io.StringIO()).readline()), certificate, authorities, follow_event)
    finally:
        process.terminate()
        process.wait()


def _certificate() -> tuple[bytes, bytes]:
    """A certificate of our own for AWS's names in one region, and its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the bench")])
    now = datetime.now(UTC)
    names = [x509.DNSName(f"{service}.{REGION}.amazonaws.com") for service in ("dynamodb", "sqs")]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM), key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def answer(operation: str, request: dict[str, Any]) -> dict[str, Any]:
    """What AWS would say. Each code is cached, except one that begins with `first`: only the links table knows it."""
    match operation:
        case "GetItem":
            code = request["Key"]["code"]["S"]
            if request["TableName"].endswith("redirects"):
                return {} if code.startswith("first") else {"Item": {**CACHED, "code": {"S": code}}}
            return {"Item": {**LINK, "code": {"S": code}}}
        case "BatchGetItem":
            [[table, wanted]] = request["RequestItems"].items()
            return {
                "Responses": {table: [{**key, "status": LINK["status"]} for key in wanted["Keys"]]},
                "UnprocessedKeys": {},
            }
        case "SendMessage":
            return {"MessageId": "5fea7756-0ea4-451a-a703-a558b933e274", "MD5OfMessageBody": "0" * 32}
        case _:
            return {}


async def _serve(identity: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity)
    server = await asyncio.start_server(_converse, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


async def _converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
            request = json.loads(await reader.readexactly(int(headers["content-length"])))
            service, _, operation = headers["x-amz-target"].partition(".")
            body = json.dumps(answer(operation, request)).encode()
            version = "1.1" if "SQS" in service else "1.0"
            writer.write(
                b"HTTP/1.1 200 OK\r\n"
                + f"Content-Type: application/x-amz-json-{version}\r\n".encode()
                + b"x-amzn-RequestId: 5FEA7756-0EA4-451A-A703-A558B933E274\r\n"
                + f"x-amz-crc32: {zlib.crc32(body)}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
        writer.close()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
