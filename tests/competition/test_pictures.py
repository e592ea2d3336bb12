import pytest
from django.utils.html import escape

from competition.pictures import avatar, cover


@pytest.mark.parametrize("draw", [avatar, cover])
def test_a_name_has_one_picture_and_another_name_another(draw):
    assert draw("marta") == draw("marta")
    assert len({draw(f"name-{number}") for number in range(40)}) > 30


@pytest.mark.parametrize("draw", [avatar, cover])
@pytest.mark.parametrize("name", ["", "ines.castro", "Ünïcødé", "<script>alert(1)</script>", "\"&'"])
def test_a_picture_says_nothing_of_the_name(draw, name):
    drawn = draw(name)

    assert "<script" not in drawn
    assert escape(name) not in drawn or not name


def test_an_avatar_is_short_enough_for_fifty_on_a_page():
    assert max(len(avatar(f"participant-{number}")) for number in range(100)) < 500


def test_screen_readers_skip_an_avatar():
    assert 'aria-hidden="true"' in avatar("marta")
