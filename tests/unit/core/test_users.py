"""Names that users may have."""

import pytest

from tui.core.errors import InvalidValueError
from tui.core.users import check_user_name


@pytest.mark.parametrize("name", ["a", "sam", "kim.lee", "o_brien-2", "a.b-", "sk-y", "x" * 32])
def test_names_that_are_taken_as_they_are(name: str) -> None:
    assert check_user_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "sam.",
        "sam..",
        "a.",
        "",
        "Sam",
        "2sam",
        ".sam",
        "-sam",
        "sam kim",
        "sam/openai",
        "säm",
        "sam\n",
        "x" * 33,
        "\x1b[31m",
        "sаm",
    ],
)
def test_names_of_the_wrong_form(name: str) -> None:
    with pytest.raises(InvalidValueError, match="small letters"):
        check_user_name(name)


@pytest.mark.parametrize("name", ["sk-abcdefghijklmnop", "sam.sk-proj-abcdefghijklmnop"])
def test_names_that_a_log_would_not_show(name: str) -> None:
    with pytest.raises(InvalidValueError, match="looks like an API key") as refused:
        check_user_name(name)
    assert name not in str(refused.value)


@pytest.mark.parametrize("name", ["local", "root", "admin", "default", "nobody", "www-data"])
def test_names_that_are_reserved(name: str) -> None:
    with pytest.raises(InvalidValueError, match="reserved"):
        check_user_name(name)
