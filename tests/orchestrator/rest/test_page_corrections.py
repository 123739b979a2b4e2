"""Correcting sentences on the page, in a real browser; a real session owner renders them on fake engines."""

import httpx
import pytest
from playwright.sync_api import expect

from client.errors import EngineRefused
from tests.browsing import wait_until
from tests.fakes.dubbing import TEXTS, TRANSLATIONS, dubbing, three_sentences

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with dubbing(tmp_path_factory.mktemp("dubbing")) as service:
        yield service


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return three_sentences(tmp_path_factory.mktemp("clip") / "clip.mp4")


@pytest.fixture
def dub_id(service, clip):
    return service.dub(clip)


@pytest.fixture
def page(browser, service, dub_id):
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    page = context.new_page()
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("console", lambda message: page.faults.append(message.text) if "Content Security" in message.text else None)
    page.goto(f"{service.url}/#{dub_id}")
    expect(page.locator("#sentences tr")).to_have_count(3)
    yield page
    context.close()
    assert page.faults == []


def said(page):
    return page.locator("#sentences tr:not(.editor) td:nth-child(3)")


def edit(page, number, **texts):
    page.get_by_role("button", name=f"Edit sentence {number}").click()
    for name, value in texts.items():
        page.locator(f".editor textarea[name={name}]").fill(value)


def stages(service, dub_id):
    found = httpx.get(f"{service.url}/v1/dubs/{dub_id}/report.json").json()["stages"]
    return {name: (found[name]["runs"], found[name]["reused"]) for name in ("stt", "mt", "tts")}


def test_one_sentence_is_corrected_rendered_and_compared(page, service, dub_id):
    expect(page.locator("#corrections")).to_be_hidden()
    edit(page, 2, translation="Dos <b>pececitos</b>.")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".editor")).to_have_count(0)
    expect(said(page).nth(1)).to_contain_text("not rendered yet: Dos <b>pececitos</b>.")
    expect(page.locator("#changes")).to_have_text("1 sentence is changed")
    expect(page.locator("#figures")).not_to_contain_text("revision")

    page.get_by_role("button", name="Render").click()
    expect(page.locator("#figures")).to_contain_text("revision 2", timeout=30_000)
    expect(said(page)).to_have_text([TRANSLATIONS[0], "Dos <b>pececitos</b>.", TRANSLATIONS[2]])
    expect(page.locator("#corrections")).to_be_hidden()
    subtitles = httpx.get(f"{service.url}/v1/dubs/{dub_id}/subtitles.srt").text
    assert "Dos <b>pececitos</b>." in subtitles
    assert TRANSLATIONS[1] not in subtitles
    assert stages(service, dub_id) == {"stt": (0, 3), "mt": (0, 2), "tts": (1, 2)}
    for video in ("source", "result"):
        wait_until(page, f"document.querySelector('#{video}-video').readyState >= 2")
    assert "revision=2" in page.locator("#result-video").get_attribute("src")
    wait_until(page, "document.querySelector('#result-video').textTracks[0].cues?.length === 3")


def test_a_sentence_can_be_listened_to_in_both_languages(page):
    edit(page, 2)
    for button, video, other in (("Hear source", "source", "result"), ("Hear dub", "result", "source")):
        playing, silent = (f"document.querySelector('#{name}-video')" for name in (video, other))
        wait_until(page, f"{playing}.readyState >= 2")
        page.get_by_role("button", name=button).click()
        wait_until(page, f"!{playing}.paused && !{playing}.muted && {playing}.currentTime > 2.5")
        assert page.evaluate(f"{silent}.paused")
        wait_until(page, f"{playing}.paused && {playing}.currentTime < 5.4")


def test_the_keyboard_is_enough(page):
    button = page.get_by_role("button", name="Edit sentence 1")
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "true")
    expect(page.locator(".editor textarea[name=translation]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".editor")).to_have_count(0)
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Control+A")
    page.keyboard.type("Un tiburón.")
    page.keyboard.press("Control+Enter")
    expect(said(page).first).to_contain_text("not rendered yet: Un tiburón.")
    expect(button).to_be_focused()


def test_a_sentence_is_skipped_and_that_is_taken_back(page):
    edit(page, 3)
    page.locator(".editor input[name=skip]").check()
    page.get_by_role("button", name="Save").click()
    expect(said(page).nth(2)).to_contain_text("not rendered yet: its own sound is kept")
    edit(page, 3)
    page.locator(".editor input[name=skip]").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(said(page).nth(2)).to_have_text(TRANSLATIONS[2])
    expect(page.locator("#corrections")).to_be_hidden()


def test_whose_lips_move_is_chosen_and_the_face_is_outlined(page, service, dub_id):
    wait_until(page, "document.querySelector('#source-video').readyState >= 1")
    edit(page, 2)
    who = page.get_by_label("Whose lips move")
    expect(who.locator("option")).to_have_text(["found by itself (face 1)", "face 1", "nobody's"])
    expect(page.locator("#face")).to_be_hidden()
    who.select_option("1")
    expect(page.locator("#face")).to_be_visible()
    video, face = page.locator("#source-video").bounding_box(), page.locator("#face").bounding_box()
    # the face is in the middle of the picture and half as high, and the picture in the middle of the video's box
    assert abs(face["x"] + face["width"] / 2 - video["x"] - video["width"] / 2) < 2
    assert abs(face["y"] + face["height"] / 2 - video["y"] - video["height"] / 2) < 2
    assert abs(face["height"] / min(video["width"], video["height"]) - 0.5) < 0.02
    who.select_option("0")
    expect(page.locator("#face")).to_be_hidden()
    page.get_by_role("button", name="Save").click()
    expect(said(page).nth(1)).to_contain_text("not rendered yet: nobody's lips move")
    page.get_by_role("button", name="Render").click()
    expect(page.locator("#figures")).to_contain_text("revision 2", timeout=30_000)
    expect(said(page)).to_have_text(list(TRANSLATIONS))
    assert stages(service, dub_id) == {"stt": (0, 3), "mt": (0, 3), "tts": (0, 3)}
    segments = httpx.get(f"{service.url}/v1/dubs/{dub_id}/segments.json").json()["segments"]
    assert [segment.get("face", 0) for segment in segments] == [1, 0, 1]


def test_what_cannot_be_said_is_refused_in_plain_words(page):
    edit(page, 1, translation="...")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#problem-detail")).to_contain_text("nothing that can be said")
    expect(page.locator(".editor")).to_have_count(1)


def test_a_correction_of_somebody_else_is_shown_instead(page, service, dub_id):
    edit(page, 1, translation="Uno.")
    address = f"{service.url}/v1/dubs/{dub_id}/segments/0"
    httpx.patch(address, json={"translation": "Otro."}).raise_for_status()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#problem-title")).to_have_text("Correction outdated")
    expect(said(page).first).to_contain_text("not rendered yet: Otro.")


def test_a_failed_render_says_why_and_the_old_result_stays(page, service):
    service.engines.mt_engine._failures = [EngineRefused("mt", "no such words")]
    edit(page, 1, text="One shark.")
    page.get_by_role("button", name="Save").click()
    expect(said(page).first).to_contain_text("translated anew: One shark.")
    page.get_by_role("button", name="Render").click()
    expect(page.locator("#problem-detail")).to_contain_text("no such words", timeout=30_000)
    expect(page.locator("#sentences tr td:nth-child(2)")).to_have_text(list(TEXTS))
    expect(page.get_by_role("button", name="Render")).to_be_visible()


def test_the_page_needs_no_sideways_scrolling_on_a_phone_while_a_sentence_is_edited(page):
    page.set_viewport_size({"width": 360, "height": 740})
    edit(page, 1)
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
