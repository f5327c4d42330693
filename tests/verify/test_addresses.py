"""A base URL out of somebody's code is one safe host, or it is refused."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3.util import parse_url

from keyguard.verify.addresses import Base, Refused, is_loopback, read_base


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://relay.example/v1", "https://relay.example/v1"),
        (" https://Relay.Example/v1/ ", "https://relay.example/v1"),
        ("HTTPS://relay.example", "https://relay.example"),
        ("https://relay.example.:443/V1", "https://relay.example/V1"),
        ("https://relay.example:8443/v1", "https://relay.example:8443/v1"),
        ("https://relay.example/v1?key=x#y", "https://relay.example/v1"),
        ("https://relay.example//v1//", "https://relay.example/v1"),
        ("https://my_gateway.corp/v1", "https://my_gateway.corp/v1"),
        ("https://10.1.2.3/v1", "https://10.1.2.3/v1"),
        ("https://[2001:db8::1]:8443/v1", "https://[2001:db8::1]:8443/v1"),
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
        ("http://localhost:11434", "http://localhost:11434"),
        ("http://api.localhost", "http://api.localhost"),
        ("http://[::1]:80/v1", "http://[::1]/v1"),
    ],
)
def test_a_plain_address_is_taken(url: str, expected: str) -> None:
    found = read_base(url)
    assert isinstance(found, Base), found
    assert found.url == expected


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "bad-base"),
        ("relay.example/v1", "bad-base"),
        ("ftp://relay.example", "bad-base"),
        ("https://", "bad-base"),
        ("https:///v1", "bad-base"),
        ("https://relay example/v1", "bad-base"),
        ("https://relay.example/v 1", "bad-base"),
        ("https://relay.example\n/v1", "bad-base"),
        ("https://relay.example/v1\r\nX: y", "bad-base"),
        ("https://{resource}.openai.azure.com", "bad-base"),
        ("https://<host>/v1", "bad-base"),
        ("https://$HOST/v1", "bad-base"),
        ("https://中转.example/v1", "bad-base"),
        ("https://relay..example", "bad-base"),
        ("https://relay.example:0/v1", "bad-base"),
        ("https://relay.example:65536/v1", "bad-base"),
        ("https://relay.example/a/../../b", "bad-base"),
        ("https://relay.example/%2e%2e/b", "bad-base"),
        ("https://relay.example/a%5c@evil", "bad-base"),
        ("https://relay.example\\@evil.example/", "bad-base"),
        ("https://2852039166/v1", "bad-base"),
        ("https://0xa9fea9fe/v1", "bad-base"),
        ("https://0251.0376.0251.0376/v1", "bad-base"),
        ("https://169.254.43518/v1", "bad-base"),
        ("https://[fe80::1%25eth0]/v1", "bad-base"),
        ("https://[12345]/v1", "bad-base"),
        ("https://" + "a" * 3000, "bad-base"),
        ("https://user@relay.example/v1", "userinfo"),
        ("https://user:password@relay.example/v1", "userinfo"),
        ("https://api.openai.com@evil.example/v1", "userinfo"),
        ("https://169.254.169.254/latest", "refused-host"),
        ("https://169.254.170.2/", "refused-host"),
        ("https://[::ffff:169.254.169.254]/", "refused-host"),
        ("https://[2002:a9fe:a9fe::]/", "refused-host"),
        ("https://[fe80::1]/", "refused-host"),
        ("https://[fd00:ec2::254]/", "refused-host"),
        ("https://100.100.100.200/", "refused-host"),
        ("https://0.0.0.0:8000/", "refused-host"),
        ("https://[::]/", "refused-host"),
        ("https://224.0.0.1/", "refused-host"),
        ("https://Metadata.example./", "refused-host"),
        ("http://169.254.169.254/latest", "refused-host"),
        ("http://relay.example/v1", "plain"),
        ("http://10.0.0.1/v1", "plain"),
        ("http://192.168.1.5:8000/v1", "plain"),
        ("http://localhost.evil.example/v1", "plain"),
        ("http://127.0.0.1.evil.example/v1", "plain"),
    ],
)
def test_an_address_is_refused(url: str, why: str) -> None:
    assert read_base(url, {"metadata.example"}) == Refused(why)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9:80", "[::1]", "[::1]:8000", "localhost", "localhost:80"])
def test_this_machine_is_known(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["128.0.0.1", "localhost.example", "notlocalhost", "[::2]", "10.0.0.1", "example"])
def test_another_machine_is_not_this_one(host: str) -> None:
    assert not is_loopback(host)


@given(
    st.text("htps:/@#?\\[]%.0123456789abcdefxEVIL-_ \t\n{}", max_size=40).map(lambda text: "https://" + text)
    | st.text(max_size=60)
)
def test_what_is_taken_reads_the_same_everywhere(url: str) -> None:
    found = read_base(url)
    if isinstance(found, Base):
        assert (urlsplit(found.url).netloc, parse_url(found.url).netloc) == (found.host, found.host)
        assert read_base(found.url) == found
        assert found.url.isascii()
        assert found.url.isprintable()
