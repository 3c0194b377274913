"""Which proxy leads to a server: by name, by exception, and refused in words where it is of another kind."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from sendpoll.core.target.proxies import Proxy, excepted, proxy_to
from sendpoll.core.target.target import Target
from sendpoll.core.target.url import TargetError

PROXY = "http://proxy.example:3128"


def found(url: str, **proxies: str) -> Proxy | None:
    return proxy_to(urlsplit(url), proxies)


def test_the_scheme_names_the_proxy_and_all_stands_in_for_it() -> None:
    assert found("http://h.example", http=PROXY) == Proxy("proxy.example", 3128)
    assert found("https://h.example", http=PROXY) is None
    assert found("https://h.example", all=PROXY) == Proxy("proxy.example", 3128)
    assert found("https://h.example", https="http://one.example", all=PROXY) == Proxy("one.example", 80)
    assert found("http://h.example", http="proxy.example:8080") == Proxy("proxy.example", 8080)
    assert found("http://h.example") is None


@pytest.mark.parametrize("host", ["localhost", "api.localhost", "127.0.0.1", "127.8.8.8", "[::1]"])
@pytest.mark.parametrize("proxy", [PROXY, "socks5://proxy.example"])
def test_this_machine_is_asked_directly(host: str, proxy: str) -> None:
    assert found(f"http://{host}:8091", http=proxy, all=proxy) is None


@pytest.mark.parametrize(
    ("exceptions", "url"),
    [
        ("*", "http://h.example"),
        ("h.example", "http://h.example"),
        ("h.example", "http://api.h.example"),
        (".h.example", "http://api.h.example"),
        (".h.example", "http://h.example"),
        ("*.h.example", "http://api.h.example"),
        ("H.Example", "http://h.example"),
        ("h.example.", "http://h.example"),
        ("x.example, h.example", "http://h.example"),
        ("x.example h.example", "http://h.example"),
        ("h.example:8091", "http://h.example:8091"),
        ("h.example:443", "https://h.example"),
        ("10.1.2.3", "http://10.1.2.3:5"),
        ("10.0.0.0/8", "http://10.1.2.3"),
        ("10.1.2.3:80", "http://10.1.2.3"),
        ("2001:db8::/32", "http://[2001:db8::7]:5"),
        ("[2001:db8::7]", "http://[2001:db8::7]"),
        ("[2001:db8::7]:80", "http://[2001:db8::7]"),
        ("[2001:db8::]/32", "http://[2001:db8::7]"),
    ],
)
def test_what_no_proxy_lists_is_asked_directly(exceptions: str, url: str) -> None:
    assert excepted(urlsplit(url), exceptions)
    assert found(url, http=PROXY, https=PROXY, no=exceptions) is None


@pytest.mark.parametrize(
    ("exceptions", "url"),
    [
        ("", "http://h.example"),
        (",", "http://h.example"),
        ("h.example", "http://other-h.example"),
        ("h.example", "http://h.example.org"),
        ("h.example:8091", "http://h.example"),
        ("10.0.0.0/8", "http://11.1.2.3"),
        ("10.0.0.0/8", "http://h.example"),
        ("10.1.2.3:81", "http://10.1.2.3"),
        ("10.0.0.0/99", "http://10.1.2.3"),
        ("[2001:db8::7]:81", "http://[2001:db8::7]"),
        ("[", "http://[2001:db8::7]"),
        (".", "http://h.example"),
    ],
)
def test_what_it_does_not_list_is_not(exceptions: str, url: str) -> None:
    assert not excepted(urlsplit(url), exceptions)


def test_credentials_are_decoded_sent_and_secret() -> None:
    proxy = found("http://h.example", http="http://me:p%40ss@proxy.example")
    assert proxy is not None
    assert proxy.authorization == "Basic bWU6cEBzcw=="
    assert {"bWU6cEBzcw==", "p@ss", "p%40ss"} <= set(proxy.secrets)
    assert "p@ss" not in repr(proxy)


@pytest.mark.parametrize("named", ["https://proxy.example", "socks5://proxy.example:1080", "http://", "http://h:port"])
def test_a_proxy_of_another_kind_is_refused_with_the_mend(named: str) -> None:
    with pytest.raises(TargetError, match="no_proxy"):
        found("http://h.example", http=named)


def test_the_environment_is_read_in_both_cases_the_lower_first(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    target = Target(base_url="http://h.example")
    assert target.proxy is None
    monkeypatch.setenv("ALL_PROXY", PROXY)
    assert target.proxy == Proxy("proxy.example", 3128)
    monkeypatch.setenv("HTTP_PROXY", "http://upper.example")
    monkeypatch.setenv("http_proxy", "http://lower.example:1")
    assert target.proxy == Proxy("lower.example", 1)
    monkeypatch.setenv("NO_PROXY", "h.example")
    assert target.proxy is None


def test_the_password_of_a_proxy_is_a_secret_of_the_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://me:hunter22@proxy.example")
    assert Target(base_url="http://h.example").secrets["hunter22"] == "[secret]"
