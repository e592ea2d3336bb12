import pytest

from competition.markdown import to_html


def test_tables_and_emphasis_are_rendered():
    html = to_html("**bold**\n\n| a | b |\n|---|---|\n| 1 | 2 |")

    assert "<strong>bold</strong>" in html
    assert "<td>1</td>" in html


def test_a_heading_never_competes_with_the_pages_own():
    assert to_html("# Rules") == "<h2>Rules</h2>"


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[click](javascript:alert(1))",
        "<style>body{display:none}</style>",
        '<p style="position:fixed">over</p>',
        '<iframe src="https://example.org"></iframe>',
        '<form action="https://example.org"><input name=password></form>',
        '<a href="data:text/html,x">x</a>',
    ],
)
def test_what_could_run_restyle_or_ask_is_dropped(attack):
    html = to_html(attack)

    dangerous = (
        "<script",
        "onerror",
        "javascript:",
        "<style",
        "style=",
        "<iframe",
        "<form",
        "<input",
        "data:",
    )
    assert not [word for word in dangerous if word in html]
