"""The front page, and the pages of a competition."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from django.contrib.auth.decorators import login_required
from django.contrib.syndication.views import Feed
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.feedgenerator import Atom1Feed
from django.views.decorators.http import require_safe

from competition.accounts.people import signed_in_user
from competition.clock import database_now
from competition.leaderboard.tops import tops
from competition.submissions.selectors import submissions_of
from competition.tracks.calendar import Window, calendar_of, window_of
from competition.tracks.models import Competition, News
from competition.tracks.selectors import competitions_for, ended, matching, not_ended
from competition.tracks.texts import pictures_of, published, rendered

GOING_ON: Final = 60
ENDED_A_PAGE: Final = 12
LATEST_NEWS: Final = 3
NEWS_IN_FEED: Final = 30
TOP_ROWS: Final = 10
OWN_SUBMISSIONS: Final = 50
CONTENTS_FROM: Final = 3
"""A text with so many headings has its contents beside it."""


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show the competitions: those that go on, then those that ended."""
    now = database_now()
    words = request.GET.get("q", "").strip()
    found = matching(competitions_for(request.user), words)
    past = Paginator(ended(found, now), ENDED_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "now": now,
        "words": words,
        "going_on": [(row, _window(row, now)) for row in not_ended(found, now)[:GOING_ON]],
        "ended": [(row, _window(row, now)) for row in past],
        "page": past,
        "quoted": quote(words),
    }
    return render(request, "home.html", context)


@require_safe
def overview(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what a competition is about, its tracks and its dates."""
    context = _context(request, slug)
    found, now = context["competition"], context["now"]
    text = rendered(found.description, pictures_of(found))
    latest = list(published(found, now)[:LATEST_NEWS])
    calendar = calendar_of(found, context["window"], found.milestones.all(), now)
    return render(
        request,
        "competitions/overview.html",
        {**context, "text": text, "latest": latest, "calendar": calendar},
    )


@require_safe
def about_data(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what is told of the data."""
    return _text_page(request, slug, "about_data", "Data")


@require_safe
def rules(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the rules that all tracks share."""
    return _text_page(request, slug, "rules", "Rules")


@require_safe
def leaderboards(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the first rows of the board of each track."""
    context = _context(request, slug)
    found = tops(context["competition"].listed_tracks, limit=TOP_ROWS)
    boards = [(track, found.get(track.pk, [])) for track in context["competition"].listed_tracks]
    return render(
        request, "competitions/leaderboards.html", {**context, "boards": boards, "top_rows": TOP_ROWS}
    )


@login_required
@require_safe
def submissions(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one's own submissions to the competition, newest first."""
    context = _context(request, slug)
    own = submissions_of(signed_in_user(request)).filter(track__in=context["competition"].listed_tracks)
    return render(request, "competitions/submissions.html", {**context, "own": own[:OWN_SUBMISSIONS]})


@require_safe
def news(request: HttpRequest, slug: str) -> HttpResponse:
    """Show all news of a competition."""
    context = _context(request, slug)
    found = context["competition"]
    pictures = pictures_of(found)
    items = [
        (item, rendered(item.text, pictures).html) for item in published(found, context["now"])[:NEWS_IN_FEED]
    ]
    return render(request, "competitions/news.html", {**context, "items": items})


class NewsFeed(Feed):  # type: ignore[type-arg]  # generic in the stubs only
    """News of a competition for feed readers."""

    feed_type = Atom1Feed

    def get_object(self, request: HttpRequest, slug: str) -> Competition:
        """Return the competition; a feed reader is signed in as nobody and sees what anybody may."""
        return get_object_or_404(competitions_for(request.user), slug=slug)

    def title(self, obj: Competition) -> str:
        """Return the feed's title."""
        return f"News of {obj.name}"

    def link(self, obj: Competition) -> str:
        """Return the page that the feed is about."""
        return obj.get_absolute_url()

    def subtitle(self, obj: Competition) -> str:
        """Return what the competition is."""
        return obj.summary

    def items(self, obj: Competition) -> list[News]:
        """Return the newest, each with its competition at hand."""
        found = list(published(obj, database_now())[:NEWS_IN_FEED])
        for item in found:
            item.competition = obj
        return found

    def item_title(self, item: Any) -> str:
        """Return the title of one."""
        return str(item.title)

    def item_description(self, item: Any) -> str:
        """Return the text of one as HTML."""
        return str(rendered(item.text, {}).html)

    def item_pubdate(self, item: Any) -> datetime:
        """Return when it was told."""
        return item.published_at  # type: ignore[no-any-return]  # a row

    item_updateddate = item_pubdate


news_feed = require_safe(NewsFeed())


def _text_page(request: HttpRequest, slug: str, field: str, title: str) -> HttpResponse:
    context = _context(request, slug)
    found = context["competition"]
    text = rendered(getattr(found, field), pictures_of(found))
    return render(
        request,
        "competitions/text.html",
        {**context, "text": text, "title": title, "has_contents": len(text.headings) >= CONTENTS_FROM},
    )


def _context(request: HttpRequest, slug: str) -> dict[str, Any]:
    """Return what the head of each of a competition's pages shows."""
    now = database_now()
    found = get_object_or_404(competitions_for(request.user), slug=slug)
    window = _window(found, now)
    has_news = published(found, now).exists()
    return {
        "competition": found,
        "window": window,
        "now": now,
        "has_news": has_news,
        "tab": request.resolver_match.url_name if request.resolver_match else "",
    }


def _window(competition: Any, now: datetime) -> Window:
    return window_of(competition.listed_tracks, now)
