"""The page in a real browser: ``mmcodec demo`` is started, watched to its end, and handled."""

import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
from conftest import SAMPLES
from playwright.sync_api import sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
SHOWN = (
    "received",
    "kbps-now",
    "kbps-mean",
    "ratio",
    "buffer",
    "speed",
    "rate-now",
    "prompt-video",
)


@pytest.fixture(scope="module")
def browser():
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("there is no Chromium to open the page in")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def demo():
    """The URL of the page of a demonstration over 4.8 kbit/s."""
    command = [sys.executable, "-m", "mmcodec", "demo", str(SAMPLES / "clip.mp4")]
    process = subprocess.Popen(
        [*command, "--no-browser", "--link", "4800bps"], stderr=subprocess.PIPE, text=True
    )
    for line in process.stderr:
        if found := re.search(r"watch at (http://\S+)", line):
            yield found[1]
            break
    process.send_signal(signal.SIGINT)
    assert process.wait(15) in (0, -2, 130)


def shown(page):
    return {name: page.locator(f"#{name}").text_content() for name in SHOWN}


def state(page):
    return page.evaluate("document.body.dataset.state")


def reached(page, wanted):
    page.locator(f"body[data-state='{wanted}']").wait_for(timeout=60_000)


def test_the_sample_is_played_to_its_end(browser, demo):
    page, errors, seen = browser.new_page(), [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda line: line.type == "error" and errors.append(line.text))
    page.goto(demo)
    reached(page, "playing")
    page.locator("#rates input[value='1k']").check()
    until = time.monotonic() + 60
    while state(page) == "playing" and time.monotonic() < until:
        seen.append(shown(page))
        page.wait_for_timeout(300)
    assert state(page) == "ended"
    assert errors == []
    assert page.evaluate("document.getElementById('decoded').currentTime") > 18
    assert page.evaluate("document.getElementById('decoded').videoWidth") == 640
    for name in ("received", "kbps-now", "buffer", "prompt-video"):
        assert len({one[name] for one in seen}) >= 3, name
    assert any("1k" in one["rate-now"] for one in seen)
    assert not any("1k" in one["rate-now"] for one in seen[:1])
    assert page.locator("#timeline .cue[data-track='video']").count() >= 5
    received = float(re.sub(r"[^\d.]", "", seen[-1]["received"]))
    assert received * (1000 if "kB" in seen[-1]["received"] else 1) * 8 < 4800 * 18.7
    page.close()


def test_keys_and_names_for_those_who_do_not_see(browser, demo):
    page = browser.new_page(color_scheme="dark", viewport={"width": 360, "height": 740})
    page.goto(demo)
    reached(page, "playing")
    page.keyboard.press("k")
    reached(page, "ready")
    page.keyboard.press("k")
    reached(page, "playing")
    assert page.get_by_role("group", name="Rate").count() == 1
    assert page.get_by_role("main").count() == 1
    assert (
        page.locator("#prompt-video").get_attribute("aria-live")
        or page.locator("[aria-live] #prompt-video").count()
    )
    page.locator("#timeline .cue").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.classList.contains('cue')")
    assert page.evaluate("document.documentElement.scrollWidth <= 360")
    page.close()
