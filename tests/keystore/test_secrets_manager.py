"""AWS Secrets Manager as a store, over HTTP against moto's server on loopback."""

from __future__ import annotations

import time
import traceback
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from keyguard.keystore import StoreError, open_store, remote
from keyguard.keystore.secrets_manager import SecretsManager
from keyguard.model import Move, Secret
from keyguard.settings import Settings, Storing
from tests.keys import fill

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# boto3, moto and what they stand on warn of their own plans with the Python of tomorrow.
pytestmark = pytest.mark.filterwarnings("ignore")

NAME = "OPENAI_API_KEY"
KEY = fill("<openai-key>")
OTHER = fill("<anthropic-key>")


def move(name: str = NAME, value: str = KEY) -> Move:
    """A key on its way."""
    return Move(name, Secret(value))


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """An AWS of one's own."""
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    yield f"http://{host}:{port}"
    moto.stop()


@pytest.fixture
def aws(server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """A client of an empty account that the environment names."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_CONFIG_FILE", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(remote, "_FIRST_PAUSE", 0.0)
    client = boto3.session.Session().client("secretsmanager")
    yield client
    for secret in client.list_secrets(IncludePlannedDeletion=True)["SecretList"]:
        client.delete_secret(SecretId=secret["ARN"], ForceDeleteWithoutRecovery=True)


def failure(prefix: str = "", *moves: Move) -> str:
    """The error of a key that is not stored, the whole of what a traceback would show."""
    with pytest.raises(StoreError) as caught:
        SecretsManager(prefix).put(moves or [move()])
    shown = "".join(traceback.format_exception(caught.value, chain=not caught.value.__suppress_context__))
    assert KEY not in shown
    return str(caught.value)


def test_a_key_is_stored_under_its_name_behind_the_prefix(aws: Any) -> None:  # noqa: ANN401  # boto3 has no types
    receipt = SecretsManager("prod/app/").put([move(), move("ANTHROPIC_API_KEY", OTHER)])
    assert receipt == ("AWS Secrets Manager (prod/app/…)", (NAME, "ANTHROPIC_API_KEY"), (), ())
    assert aws.get_secret_value(SecretId=f"prod/app/{NAME}")["SecretString"] == KEY
    assert SecretsManager("prod/app/").lookup("ANTHROPIC_API_KEY") == OTHER
    assert SecretsManager("").lookup(NAME) is None


def test_a_second_time_writes_nothing(aws: Any) -> None:  # noqa: ANN401  # as above
    SecretsManager("").put([move()])
    assert SecretsManager("").put([move()]) == ("AWS Secrets Manager", (), (NAME,), ())
    assert len(aws.list_secret_version_ids(SecretId=NAME)["Versions"]) == 1


@pytest.mark.parametrize("value", [{"SecretString": OTHER}, {"SecretBinary": b"x"}], ids=["text", "bytes"])
def test_another_value_is_never_overwritten(aws: Any, value: dict[str, object]) -> None:  # noqa: ANN401  # as above
    aws.create_secret(Name=NAME, **value)
    assert "holds another value under OPENAI_API_KEY" in failure("", move("A_KEY"), move())
    assert [secret["Name"] for secret in aws.list_secrets()["SecretList"]] == [NAME]


def test_a_secret_that_comes_meanwhile_is_not_overwritten(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN401  # as above
    store = SecretsManager("")
    looked = store.lookup
    first = [True]

    def lookup(name: str) -> str | None:
        found = looked(name)
        if first.pop() if first else False:
            aws.create_secret(Name=NAME, SecretString=OTHER)
        return found

    monkeypatch.setattr(store, "lookup", lookup)
    with pytest.raises(StoreError, match="holds another value"):
        store.put([move()])
    assert aws.get_secret_value(SecretId=NAME)["SecretString"] == OTHER


def test_a_secret_on_its_way_out_is_told(aws: Any) -> None:  # noqa: ANN401  # as above
    aws.create_secret(Name=NAME, SecretString=OTHER)
    aws.delete_secret(SecretId=NAME, RecoveryWindowInDays=7)
    assert "(InvalidRequestException); a secret of that name may be on its way out" in failure()


def test_a_secret_that_appears_late_is_waited_for(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN401, ARG001  # as above
    store = SecretsManager("")
    looked, answers = store.lookup, [None, None, None]

    def lookup(name: str) -> str | None:
        return answers.pop() if answers else looked(name)

    monkeypatch.setattr(store, "lookup", lookup)
    assert store.put([move()]).written == (NAME,)


def test_a_request_that_is_denied_is_told_without_the_servers_words(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN401, ARG001  # as above
    def denied(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": f"no: {KEY}"}}, "CreateSecret")

    store = SecretsManager("")
    monkeypatch.setattr(store._client, "create_secret", denied)  # noqa: SLF001  # what AWS would answer
    with pytest.raises(StoreError, match=r"\(AccessDeniedException\); ask for the rights") as caught:
        store.put([move()])
    assert KEY not in str(caught.value)
    assert caught.value.__suppress_context__


def test_credentials_that_are_not_there_are_told(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN401, ARG001  # as above
    with monkeypatch.context() as without:
        without.delenv("AWS_ACCESS_KEY_ID")
        without.delenv("AWS_SECRET_ACCESS_KEY")
        assert "(NoCredentialsError); sign in" in failure()


def test_a_region_that_is_not_there_is_told(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN401, ARG001  # as above
    with monkeypatch.context() as without:
        without.delenv("AWS_DEFAULT_REGION")
        assert "(NoRegionError); set AWS_REGION" in failure()


def test_a_profile_that_is_not_there_is_told(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN401, ARG001  # as above
    with monkeypatch.context() as other:
        other.setenv("AWS_PROFILE", "nobody")
        assert "(ProfileNotFound); set AWS_PROFILE" in failure()


def test_a_port_where_nobody_listens_is_left_after_a_few_tries(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN401, ARG001  # as above
    with monkeypatch.context() as other:
        other.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        begin = time.monotonic()
        assert "(EndpointConnectionError); look at the connection" in failure()
        assert time.monotonic() - begin < 20
        opened = SecretsManager("")
        for name in ("A", "B"):
            with pytest.raises(StoreError, match="EndpointConnectionError"):
                opened.lookup(name)


def test_no_key_travels_in_the_clear(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN401, ARG001  # as above
    with monkeypatch.context() as other:
        other.setenv("AWS_ENDPOINT_URL", "http://aws.example.org")
        assert "would travel in the clear" in failure()


def test_the_settings_open_it_without_a_connection() -> None:
    opened = open_store(Settings(storing=Storing(kind="aws-secrets-manager", aws_prefix="a/")))
    assert isinstance(opened, SecretsManager)
    assert (opened.prefix, opened.name_of(KEY)) == ("a/", None)
