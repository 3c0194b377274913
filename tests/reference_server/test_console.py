"""The page at `/`, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from sendpoll.conformance.client.running.chromium import executable
from tests.reference_server.conftest import TOKEN, Api, ApiMaker

CHROMIUM = executable()
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")


@pytest.fixture(name="browser", scope="module")
def _browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(name="page")
def _page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 400, "height": 740})
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    context.close()
    assert faults == []


def enter(page: Page, api: Api, token: str = TOKEN) -> None:
    page.goto(api.url)
    give_token(page, token)


def give_token(page: Page, token: str) -> None:
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Use it").click()


def send(page: Page, message: str) -> None:
    page.get_by_label("Message").fill(message)
    page.get_by_role("button", name="Send").click()


@needs_chromium
def test_a_message_is_sent_and_its_answer_arrives_in_pieces(page: Page, make_api: ApiMaker) -> None:
    enter(page, make_api(chunks=30, chunk_interval=0.1))
    send(page, "介绍明日方舟")
    turn = page.locator(".turn")
    expect(turn).to_have_attribute("data-status", "running")
    expect(turn.locator(".text")).to_contain_text("你好")
    assert "完。" not in turn.locator(".text").inner_text()
    expect(turn).to_have_attribute("data-status", "completed", timeout=20_000)
    expect(turn.locator(".text")).to_contain_text("介绍明日方舟")
    expect(turn.locator(".text")).to_contain_text("完。")
    expect(turn.locator(".meta")).to_contain_text("skipped status, heartbeat, usage")


@needs_chromium
def test_a_reload_in_mid_answer_goes_on_from_the_offset(page: Page, make_api: ApiMaker) -> None:
    api = make_api(chunks=40, chunk_interval=0.1)
    enter(page, api)
    send(page, "x" * 60)
    expect(page.locator(".text")).to_contain_text("xxxx")
    asked: list[int] = []
    page.on("request", lambda request: asked.extend(map(int, re.findall(r"from=(\d+)", request.url))))
    page.reload()
    expect(page.locator(".text")).to_contain_text("xxxx")
    expect(page.locator(".turn")).to_have_attribute("data-status", "completed", timeout=20_000)
    assert asked
    assert asked[0] > 0
    shown = page.locator(".text").text_content() or ""
    assert shown.count("x" * 60) == 1
    assert shown.count("x") == 60
    assert (shown.startswith("你好"), shown.endswith("完。")) == (True, True)


@needs_chromium
def test_a_wrong_token_is_told_plainly_and_a_right_one_goes_on(page: Page, api: Api) -> None:
    enter(page, api, "wrong")
    expect(page.get_by_role("alert")).to_have_text("Wrong token: the server does not know it.")
    give_token(page, TOKEN)
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(page.get_by_label("Message")).to_be_visible()


@needs_chromium
def test_text_of_the_server_is_never_markup(page: Page, make_api: ApiMaker) -> None:
    enter(page, make_api(agent="echo"))
    attack = "<img src=x onerror=document.title='run'><script>document.title='run'</script>"
    send(page, attack)
    expect(page.locator(".text")).to_have_text(attack)
    assert page.locator("#log img, #log script").count() == 0
    assert page.title() == "Sendpoll console"


@needs_chromium
def test_a_failed_task_says_why(page: Page, make_api: ApiMaker) -> None:
    enter(page, make_api(agent="openai", openai_base_url="http://127.0.0.1:9/v1", openai_model="m"))
    send(page, "hi")
    expect(page.locator(".turn")).to_have_attribute("data-status", "failed")
    expect(page.locator(".reason")).to_contain_text("http://127.0.0.1:9/v1")


@needs_chromium
def test_nothing_is_wider_than_a_phone(page: Page, api: Api) -> None:
    enter(page, api)
    send(page, "w" * 300)
    expect(page.locator(".turn")).to_have_attribute("data-status", "completed", timeout=20_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    for name in ("Send", "New conversation", "Change token"):
        box = page.get_by_role("button", name=name).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 400


@needs_chromium
def test_enter_sends_and_shift_enter_does_not(page: Page, make_api: ApiMaker) -> None:
    enter(page, make_api(agent="echo"))
    box = page.get_by_label("Message")
    box.fill("one")
    box.press("Shift+Enter")
    box.press_sequentially("two")
    box.press("Enter")
    expect(page.locator(".text")).to_have_text("one\ntwo")
    expect(box).to_have_value("")


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html"),
        ("/console.js", "text/javascript"),
        ("/console.css", "text/css"),
        ("/icon.svg", "image/svg+xml"),
    ],
)
def test_every_file_of_the_page_is_served_with_its_type(api: Api, path: str, media_type: str) -> None:
    answer = httpx.get(f"{api.url}{path}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(media_type)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "innerHTML" not in answer.text
    assert not re.search(r"(src|href|url)[=(]\W?https?://", answer.text)
