"""The page in a real browser: Debian's Chromium, headless."""

import re

import httpx
import pytest
from playwright.sync_api import expect

from orchestrator.media.probe import probe
from orchestrator.store.artefacts import Artefact
from tests.browsing import wait_until
from tests.fakes.gateway import FakeOwner, running_gateway
from tests.media_factory import make_clip
from tests.waiting import eventually

pytestmark = pytest.mark.browser

PLAYABLE = "video => video.readyState >= 2"


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return make_clip(tmp_path_factory.mktemp("clip") / "Ünser <b>Clip.mp4", duration_s=2)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with running_gateway(tmp_path_factory.mktemp("gateway"), probe=probe) as gateway:
        yield gateway


@pytest.fixture
def owner(gateway, clip):
    with FakeOwner(gateway.broker, gateway.dubs, gateway.media, result=clip.read_bytes()) as owner:
        yield owner


@pytest.fixture
def page(browser, gateway):
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    page = context.new_page()
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("console", lambda message: page.faults.append(message.text) if "Content Security" in message.text else None)
    page.on("request", lambda request: request.url.startswith(gateway.url) or page.faults.append(request.url))
    page.goto(gateway.url)
    expect(page.locator("#target option")).to_have_text(["Spanish"])
    yield page
    context.close()
    assert page.faults == []


def dub(page, clip):
    page.set_input_files("#clip", str(clip))
    page.click("#start")
    expect(page.locator("#job")).to_be_visible()


def test_a_clip_is_uploaded_watched_and_compared(page, owner, clip):
    dub(page, clip)
    expect(page.locator("#job-name")).to_have_text("Ünser <b>Clip.mp4")  # text, never markup
    expect(page.locator("#job-state")).to_have_text("Dubbing")
    expect(page.locator("#stage-faces .percent")).to_have_text("70 %")
    expect(page.locator("#stage-stt .percent")).to_have_text("100 %")
    expect(page.locator("#result")).to_be_hidden()
    owner.go.set()

    expect(page.locator("#job-state")).to_have_text("Done")
    for video in ("#source-video", "#result-video"):
        wait_until(page, f"({PLAYABLE})(document.querySelector('{video}'))")
    expect(page.locator("#result-video track").first).to_have_attribute("srclang", "es")
    expect(page.locator("#source-video track").first).to_have_attribute("srclang", "en")
    wait_until(page, "document.querySelector('#result-video').textTracks[0].cues?.length === 1")
    cue = page.evaluate("document.querySelector('#result-video').textTracks[0].cues[0].text")
    assert cue == "Hola a todos."
    expect(page.locator("#sentences tr td")).to_have_text([
        "0:00.1", "Hello <b>there</b>.", "Hola a todos.spoken 1.30 times as fast, 0.1 s late", "Edit"])  # fmt: skip
    links = page.locator("#downloads a")
    expect(links).to_have_count(5)
    expect(links.first).to_have_attribute("download", "Ünser <b>Clip.es.mp4")


def test_both_videos_play_and_stop_together_and_one_is_heard(page, owner, clip):
    owner.go.set()
    dub(page, clip)
    expect(page.locator("#sentences tr")).to_have_count(1)
    both = "[document.querySelector('#source-video'), document.querySelector('#result-video')]"
    wait_until(page, f"{both}.every({PLAYABLE})")
    page.click("#play")
    wait_until(page, f"{both}.every(video => !video.paused && video.currentTime > 0.1)")
    apart_s = page.evaluate(f"Math.abs({both}[0].currentTime - {both}[1].currentTime)")
    assert apart_s < 0.3
    expect(page.locator("#play")).to_have_text("Pause both")
    assert page.evaluate(f"{both}.map(video => video.muted)") == [True, False]
    page.get_by_text("Source", exact=True).last.click()
    assert page.evaluate(f"{both}.map(video => video.muted)") == [False, True]
    page.evaluate(f"{both}[1].pause()")  # by its own controls
    wait_until(page, f"{both}.every(video => video.paused)")
    expect(page.locator("#play")).to_have_text("Play both")
    page.click(".seek")
    wait_until(page, f"{both}.every(video => !video.paused && video.currentTime >= 0.1)")


def test_what_is_said_the_own_sound_and_fixed_translations_can_be_given(page, owner, clip, gateway, tmp_path):
    spoken = tmp_path / "spoken.srt"
    spoken.write_text("1\n00:00:00,200 --> 00:00:01,800\nA moon shot.\n")
    page.click("#more summary")
    page.set_input_files("#transcript-file", str(spoken))
    page.select_option("#background", "off")
    page.fill("#glossary", "moon shot")
    page.set_input_files("#clip", str(clip))
    page.click("#start")
    expect(page.locator("#problem-detail")).to_have_text("“moon shot” is not of the form “term = translation”.")
    page.fill("#glossary", "moon shot = gran salto\n\nAda=Ada")
    page.click("#start")
    expect(page.locator("#job")).to_be_visible()
    eventually(lambda: owner.jobs)
    job = owner.jobs[-1]
    assert (job.background, job.glossary) == ("off", {"moon shot": "gran salto", "Ada": "Ada"})
    with gateway.media.open(job.dub_id, Artefact.TRANSCRIPT) as kept:
        assert kept.read() == spoken.read_bytes()
    page.click("#again")
    assert page.input_value("#glossary") == ""


def test_a_reload_goes_on_where_it_was(page, owner, clip):
    dub(page, clip)
    expect(page.locator("#stage-faces .percent")).to_have_text("70 %")
    page.reload()
    expect(page.locator("#stage-faces .percent")).to_have_text("70 %")
    owner.go.set()
    expect(page.locator("#result")).to_be_visible()
    page.reload()
    expect(page.locator("#sentences tr")).to_have_count(1)


def test_what_is_no_video_is_refused_in_plain_words(page):
    page.set_input_files("#clip", {"name": "notes.txt", "mimeType": "video/mp4", "buffer": b"this is no video" * 20})
    page.click("#start")
    expect(page.locator("#problem")).to_be_visible()
    expect(page.locator("#problem-title")).to_have_text("Not a video")
    expect(page.locator("#problem-detail")).not_to_be_empty()
    expect(page.locator("#start")).to_be_enabled()
    expect(page.locator("#job")).to_be_hidden()


def test_a_failed_dub_says_why(page, owner, clip):
    owner.fails_with = ("engine-not-loaded", "lips_warp: it is not loaded")
    owner.go.set()
    dub(page, clip)
    expect(page.locator("#job-state")).to_have_text("Failed")
    expect(page.locator("#problem-detail")).to_have_text("lips_warp: it is not loaded")


def test_a_dub_is_deleted_after_a_question(page, gateway, owner, clip):
    owner.go.set()
    dub(page, clip)
    expect(page.locator("#result")).to_be_visible()
    dub_id = page.url.rpartition("#")[2]
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.click("#delete")
    assert httpx.get(f"{gateway.url}/v1/dubs/{dub_id}").status_code == 200
    page.once("dialog", lambda dialog: dialog.accept())
    page.click("#delete")
    expect(page.locator("#upload")).to_be_visible()
    assert httpx.get(f"{gateway.url}/v1/dubs/{dub_id}").status_code == 404


def test_the_address_of_an_unknown_dub_says_so(page, gateway):
    page.goto(f"{gateway.url}/#00000000-0000-0000-0000-000000000007")
    expect(page.locator("#problem-title")).to_have_text("Not found")
    expect(page.locator("#upload")).to_be_visible()


def test_the_page_needs_no_sideways_scrolling_on_a_phone(page, owner, clip):
    page.set_viewport_size({"width": 360, "height": 740})
    owner.go.set()
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not page.evaluate(wide)
    dub(page, clip)
    expect(page.locator("#sentences tr")).to_have_count(1)
    assert not page.evaluate(wide)


def test_the_reference_lists_every_call(page, gateway):
    page.goto(f"{gateway.url}/docs")
    paths = httpx.get(f"{gateway.url}/openapi.json").json()["paths"]
    expect(page.locator(".call")).to_have_count(sum(len(methods) for methods in paths.values()))
    expect(page.locator(".call").first).to_have_text(re.compile("POST.*/v1/dubs"))


def test_progress_goes_on_after_the_connection_broke(page, gateway, owner, clip):
    dub(page, clip)
    expect(page.locator("#stage-faces .percent")).to_have_text("70 %")
    page.context.set_offline(True)
    owner.go.set()
    eventually(lambda: bool(owner.settled), what="the dub is done while nobody listens")
    page.context.set_offline(False)
    expect(page.locator("#job-state")).to_have_text("Done", timeout=15_000)
