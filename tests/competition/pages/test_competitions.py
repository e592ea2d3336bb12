from datetime import UTC, datetime, timedelta
from gzip import compress
from html.parser import HTMLParser

import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.urls import reverse
from django.utils import timezone

from competition.leaderboard import standings
from competition.submissions import lifecycle
from competition.tracks.calendar import Phase, calendar_of, window_of
from competition.tracks.models import Competition, Milestone, News, Picture, Track
from competition.tracks.picture_files import Written, put
from competition.tracks.templatetags.podium import time_left
from tests.examples import START, rewrite, scored_report

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FRONT_PAGE_BYTES = 100_000


@pytest.fixture
def open_track(make_track):
    return make_track("open-one")


@pytest.fixture
def shown(open_track):
    return open_track.competition


@pytest.fixture
def scored(alice, open_track, make_evaluation):
    evaluation = make_evaluation(alice, open_track)
    lease = lifecycle.claim(evaluation.pk, owner="w", now=START)
    lifecycle.record_scored(lease, scored_report(0.9), now=START, place=standings.place)
    return evaluation


def text_of(client, address):
    return client.get(address).content.decode()


def page(name, competition):
    return reverse(f"competition-{name}", args=[competition.slug])


def test_the_front_page_says_what_the_site_is_to_visitors_alone(client, open_track, alice):
    visitor = text_of(client, "/")
    client.force_login(alice)

    assert "How it works" in visitor
    assert "How it works" not in text_of(client, "/")


@pytest.mark.parametrize(
    ("superuser", "words"), [(True, "Create a competition"), (False, "as soon as an organiser opens a track")]
)
def test_an_empty_site_tells_what_one_may_do(client, superuser, words):
    client.force_login(User.objects.create_user("first", is_staff=superuser, is_superuser=superuser))

    assert words in text_of(client, "/")


@pytest.mark.parametrize("words", ["cvpr", "WORKSHOP", "open-one", "cvpr workshop", " "])
def test_a_competition_is_found_by_name_host_or_track(client, shown, words):
    Competition.objects.update(name="CVPR 2022", host="A workshop")

    assert shown.get_absolute_url() in text_of(client, f"/?q={words}")


@pytest.mark.parametrize("words", ["penguins", "cvpr penguins", "%", "_"])
def test_what_does_not_match_is_not_listed(client, shown, words):
    Competition.objects.update(name="CVPR 2022", summary="", host="")

    text = text_of(client, f"/?q={words}")

    assert shown.get_absolute_url() not in text
    assert "Nothing was found" in text


def test_the_name_of_a_hidden_track_finds_nothing(client, shown, make_track):
    secret = make_track("secret-word")
    Track.objects.filter(pk=secret.pk).update(is_open=False)

    assert "Nothing was found" in text_of(client, "/?q=secret-word")


def test_words_of_a_search_are_escaped(client, open_track):
    assert "<b>x" not in text_of(client, "/?q=<b>x")


def test_an_ended_competition_stands_below(client, open_track):
    rewrite(open_track, closes_at=timezone.now() - timedelta(hours=1))

    text = text_of(client, "/")

    assert "No competition is open at the moment" in text
    assert text.index('id="ended"') < text.index(open_track.competition.get_absolute_url())
    assert "Closed" not in text


def test_parts_that_are_empty_have_no_tab(client, shown):
    text = text_of(client, shown.get_absolute_url())

    assert page("rules", shown) not in text
    assert page("news", shown) not in text


@pytest.mark.parametrize("part", ["about_data", "rules"])
def test_a_text_has_its_page_and_its_tab(client, shown, part):
    Competition.objects.update(**{part: "Be **kind**."})
    address = page(part.removeprefix("about_"), shown)

    assert address in text_of(client, shown.get_absolute_url())
    assert "<strong>kind</strong>" in text_of(client, address)


def test_long_texts_have_their_contents_beside_them(client, shown):
    Competition.objects.update(rules="## One\n\n## Two\n\n## Three")

    assert '<a href="#text-two">Two</a>' in text_of(client, page("rules", shown))


def test_news_are_shown_from_their_time_on(client, shown):
    now = timezone.now()
    for title, hours in (("Yesterday's", -24), ("Tomorrow's", 24)):
        News.objects.create(
            competition=shown, title=title, text="x", published_at=now + timedelta(hours=hours)
        )

    for address in (shown.get_absolute_url(), page("news", shown), page("feed", shown)):
        text = text_of(client, address)
        assert "Yesterday" in text
        assert "Tomorrow" not in text


def test_the_feed_is_atom_and_leads_to_the_item(client, shown):
    item = News.objects.create(
        competition=shown, title="A & b", text="<script>x</script>**c**", published_at=NOW
    )

    answer = client.get(page("feed", shown))
    text = answer.content.decode()

    assert answer["Content-Type"].startswith("application/atom+xml")
    assert f"#news-{item.pk}" in text
    assert "A &amp; b" in text
    assert "script" not in text.replace("subscription", "")
    assert "2026-03-01T12:00:00+00:00" in text


def test_the_boards_of_all_tracks_stand_side_by_side(client, open_track, make_track, scored):
    make_track("open-two")

    text = text_of(client, page("leaderboards", open_track.competition))

    assert scored.submission.participant.username in text
    assert text.count("Whole leaderboard") == 2
    assert "Nobody has a score yet" in text


def test_ones_own_submissions_are_listed_and_nobody_elses(client, alice, bob, open_track, make_evaluation):
    make_evaluation(alice, open_track)
    make_evaluation(bob, open_track)
    client.force_login(alice)

    text = text_of(client, page("submissions", open_track.competition))

    assert text.count('data-label="Entry"') == 1


def test_a_cover_is_drawn_whoever_asks_and_may_be_kept(client):
    answer = client.get("/competitions/no-such/cover.svg", headers={"accept-encoding": "gzip"})

    assert answer["Content-Type"] == "image/svg+xml"
    assert "public" in answer["Cache-Control"]
    assert len(answer.content) < 1_000


@pytest.fixture
def picture(shown, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    row = put(
        Picture(competition=shown, name="banner"), Written(full=b"f", small=b"s", width=800, height=320)
    )
    row.save()
    return row


def test_an_own_picture_replaces_the_drawn_one_and_has_its_size(client, shown, picture):
    Competition.objects.update(picture=picture)

    text = text_of(client, "/")

    assert f"pictures/small/banner.webp?v={picture.sha256[:12]}" in text
    assert 'width="800" height="320"' in text


def test_a_picture_is_kept_for_as_long_as_it_is_the_same(client, shown, picture):
    address = f"{shown.get_absolute_url()}pictures/banner.webp"

    kept = client.get(f"{address}?v={picture.sha256[:12]}")
    asked_again = client.get(address)

    assert (kept.getvalue(), asked_again.getvalue()) == (b"f", b"f")
    assert "max-age=31536000" in kept["Cache-Control"]
    assert "max-age=0" in asked_again["Cache-Control"]


class Addresses(HTMLParser):
    """Collects what a page makes a browser fetch at once."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag in ("img", "script") and values.get("src"):
            self.found.add(values["src"])
        if tag == "link" and values.get("rel") in ("stylesheet", "icon"):
            self.found.add(values["href"])


def test_the_front_page_weighs_less_than_its_budget(client, make_track, settings):
    for number in range(12):
        track = make_track(f"track-{number}")
        track.competition = Competition.objects.create(
            slug=f"c{number}", name=f"C {number}", summary="x " * 100
        )
        track.save()
    html = client.get("/").content
    parser = Addresses()
    parser.feed(html.decode())

    def content(address):
        if address.startswith(settings.STATIC_URL):
            with open(finders.find(address.removeprefix(settings.STATIC_URL)), "rb") as file:  # noqa: PTH123
                return file.read()
        return client.get(address).content

    sizes = {address: len(compress(content(address))) for address in parser.found}
    sizes["/"] = len(compress(html))

    assert len(sizes) > 15
    assert sum(sizes.values()) < FRONT_PAGE_BYTES, sizes


def tracks(*windows):
    return [Track(is_open=True, opens_at=opens, closes_at=closes) for opens, closes in windows]


BEFORE, AFTER = NOW - timedelta(days=1), NOW + timedelta(days=1)


@pytest.mark.parametrize(
    ("windows", "phase"),
    [
        ([], Phase.PREPARING),
        ([(None, None)], Phase.RUNNING),
        ([(AFTER, None)], Phase.UPCOMING),
        ([(None, BEFORE)], Phase.ENDED),
        ([(None, BEFORE), (None, AFTER)], Phase.RUNNING),
        ([(None, BEFORE), (AFTER, None)], Phase.UPCOMING),
    ],
)
def test_a_competition_stands_where_its_tracks_stand(windows, phase):
    assert window_of(tracks(*windows), NOW).phase is phase


def test_a_track_without_an_end_leaves_the_competition_without_one():
    assert window_of(tracks((BEFORE, AFTER), (BEFORE, None)), NOW).closes_at is None


def test_a_track_that_is_not_open_says_nothing_of_the_window():
    hidden = Track(is_open=False, closes_at=AFTER)

    assert window_of([hidden, *tracks((None, BEFORE))], NOW).closes_at == BEFORE


def test_the_calendar_is_in_order_and_tells_what_is_past():
    row = Competition(results_at=NOW + timedelta(days=9))
    dates = [
        Milestone(name="Workshop", at=NOW + timedelta(days=20)),
        Milestone(name="Sample data", at=BEFORE),
    ]

    events = calendar_of(row, window_of(tracks((BEFORE - timedelta(days=1), AFTER)), NOW), dates, NOW)

    assert [(event.name, event.is_past) for event in events] == [
        ("Opens", True),
        ("Sample data", True),
        ("Closes", False),
        ("Results", False),
        ("Workshop", False),
    ]


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(days=24, hours=3), "24 days left"),
        (timedelta(days=2), "2 days left"),
        (timedelta(hours=47, minutes=59), "47 hours left"),
        (timedelta(hours=1), "1 hour left"),
        (timedelta(minutes=59), "59 minutes left"),
        (timedelta(seconds=59), "under a minute left"),
    ],
)
def test_the_time_left_is_in_the_unit_that_people_would_say(left, words):
    assert time_left(NOW + left, NOW) == words
