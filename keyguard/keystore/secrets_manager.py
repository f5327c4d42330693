"""Keys in AWS Secrets Manager, through boto3: one secret a variable, which is created and never changed."""

from __future__ import annotations

import functools

from keyguard.keystore.base import StoreError
from keyguard.keystore.remote import ATTEMPTS, CONNECT_TIMEOUT, READ_TIMEOUT, missing, put_each, refuse_plain
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from keyguard.keystore.base import Receipt
    from keyguard.model import Move

_ABSENT = "ResourceNotFoundException"
_PRESENT = "ResourceExistsException"
_REMEDIES = {
    "AccessDeniedException": "ask for the rights secretsmanager:CreateSecret and secretsmanager:GetSecretValue",
    "ExpiredTokenException": "sign in again, for example with aws sso login",
    "UnrecognizedClientException": "look at the credentials: aws sts get-caller-identity",
    "InvalidRequestException": "a secret of that name may be on its way out; restore it, or set another aws-prefix",
    "NoCredentialsError": "sign in, or set AWS_PROFILE",
    "NoRegionError": "set AWS_REGION, or a region in ~/.aws/config",
    "ProfileNotFound": "set AWS_PROFILE to a profile that ~/.aws/config has",
}


class SecretsManager:
    """The store `aws-secrets-manager`; account, region and endpoint are those of the user's environment."""

    kind = "aws-secrets-manager"

    def __init__(self, prefix: str) -> None:
        """Keep what stands before each name."""
        self.prefix = prefix
        self._unreachable = ""

    def lookup(self, name: str) -> str | None:
        """Give the text of a secret; bytes count as an empty one, which is no key."""
        boto = _boto()
        if self._unreachable:  # a run asks for several names, and the way to AWS does not get better meanwhile
            raise self._failed(name, "read", self._unreachable)
        try:
            found = self._client.get_secret_value(SecretId=self.prefix + name)
        except boto.ClientError as error:
            if _code(error) == _ABSENT:
                return None
            raise self._failed(name, "read", _code(error)) from None
        except boto.BotoCoreError as error:
            self._unreachable = type(error).__name__
            raise self._failed(name, "read", self._unreachable) from None
        return str(found.get("SecretString", ""))

    def name_of(self, value: str) -> str | None:  # noqa: ARG002  # as the protocol has it
        """Give None: that would read every secret of the account."""
        return None

    def put(self, moves: Sequence[Move]) -> Receipt:
        """Create the secrets that are not there yet; see `KeyStore.put`."""
        place = f"AWS Secrets Manager ({self.prefix}…)" if self.prefix else "AWS Secrets Manager"
        return put_each(moves, place, self.lookup, self._create)

    def _create(self, name: str, value: str) -> None:
        boto = _boto()
        try:
            # botocore gives the request a token, by which AWS knows it again when it is repeated.
            self._client.create_secret(Name=self.prefix + name, SecretString=value, Description="moved by keyguard")
        except boto.ClientError as error:
            # Somebody else created it since we looked: whether it is the same key, the read that follows tells.
            if _code(error) != _PRESENT:
                raise self._failed(name, "created", _code(error)) from None
        except boto.BotoCoreError as error:
            raise self._failed(name, "created", type(error).__name__) from None

    @functools.cached_property
    def _client(self) -> Any:  # noqa: ANN401  # a library that need not be installed
        boto = _boto()
        config = boto.Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            # "standard" waits longer each time, with jitter; it repeats what failed on the way or was throttled.
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        )
        client = boto.boto3.session.Session().client("secretsmanager", config=config)
        refuse_plain(client.meta.endpoint_url, "the endpoint of AWS Secrets Manager")
        return client

    def _failed(self, name: str, what: str, code: str) -> StoreError:
        """Give the error of a request; AWS's own text is left out, since it may quote what it was sent."""
        remedy = _REMEDIES.get(code, "look at the connection and the account, then run this again")
        return StoreError(f'AWS Secrets Manager: "{self.prefix}{name}" could not be {what} ({code}); {remedy}')


def _code(error: Any) -> str:  # noqa: ANN401  # as above
    return str(error.response.get("Error", {}).get("Code", "unknown"))


@functools.cache
def _boto() -> Any:  # noqa: ANN401  # as above
    """Give the parts of boto3 that are used here."""
    import types  # noqa: PLC0415  # in memory at any start

    try:
        import boto3  # noqa: PLC0415  # 150 ms, and an extra
        from botocore.config import Config  # noqa: PLC0415  # as above
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  # as above
    except ImportError:
        raise missing(library="boto3", extra="aws") from None
    return types.SimpleNamespace(boto3=boto3, Config=Config, BotoCoreError=BotoCoreError, ClientError=ClientError)
