import asyncio

import pytest

from orchestrator.errors import WebhookRefused
from orchestrator.rest.targets import Target, check_webhook, is_public
from orchestrator.settings import GatewaySettings

SIGNED = GatewaySettings(webhook_secret="s")
PRIVATE_ALLOWED = GatewaySettings(webhook_secret="s", webhook_allow_private=True)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
        *("100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
        *("64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:4136:e378::", "2001:db8::1"),
    ],
)
def test_addresses_of_the_gateways_own_network_are_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_addresses_of_the_internet_are_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1/h", "https://localhost:8001/v2", "http://[::1]/", "http://0x7f.1/", "http://2130706433/"),
        *("http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/", "http://[::ffff:127.0.0.1]/"),
    ],
)
def test_a_webhook_into_the_private_network_is_refused(url):
    with pytest.raises(WebhookRefused, match="not a public address"):
        asyncio.run(check_webhook(url, SIGNED))


@pytest.mark.parametrize(
    "url",
    [
        *("", "no address", "ftp://example.org/", "file:///etc/passwd", "http://", "//example.org", "http:///x"),
        *("http://user:password@1.1.1.1/", "http://1.1.1.1:99999/", "http://[::1/", "http://1.1.1.1/\r\nX: y"),
        "http://1.1.1.1/" + "x" * 3000,
    ],
)
def test_what_is_no_plain_web_address_is_refused(url):
    with pytest.raises(WebhookRefused):
        asyncio.run(check_webhook(url, PRIVATE_ALLOWED))


def test_one_private_address_of_several_is_enough_to_refuse(monkeypatch):
    async def resolve(_host, _port):
        return ["93.184.216.34", "10.0.0.1"]

    monkeypatch.setattr("orchestrator.rest.targets._resolve", resolve)
    with pytest.raises(WebhookRefused, match="not a public address"):
        asyncio.run(check_webhook("https://example.org/", SIGNED))


def test_a_public_webhook_is_resolved_once_for_the_connection(monkeypatch):
    async def resolve(_host, _port):
        return ["93.184.216.34"]

    monkeypatch.setattr("orchestrator.rest.targets._resolve", resolve)
    target = asyncio.run(check_webhook("https://example.org/hook", SIGNED))
    assert target == Target("https", "example.org", 443, "93.184.216.34")


def test_a_name_that_does_not_resolve_is_refused():
    with pytest.raises(WebhookRefused, match="does not resolve"):
        asyncio.run(check_webhook("http://nobody.invalid/", SIGNED))


def test_without_a_secret_there_are_no_webhooks():
    with pytest.raises(WebhookRefused, match="secret"):
        asyncio.run(check_webhook("http://127.0.0.1/", GatewaySettings(webhook_allow_private=True)))


def test_private_addresses_may_be_allowed():
    target = asyncio.run(check_webhook("http://127.0.0.1:9/x", PRIVATE_ALLOWED))
    assert (target.address, target.port) == ("127.0.0.1", 9)
