"""The messages with which the Hub's checks refuse a call; no token of an account is in them."""

import time

import pytest

from tests.support.loopback_hub import ACCOUNTS

REPO = "tester/ser"


def message_of(error) -> str:
    """The message of an exception that pytest caught: one line."""
    text = str(error.value)
    assert "\n" not in text
    assert not [secret for secret in ACCOUNTS if secret in text]
    return text


def refusal(call, *arguments, **options) -> str:
    """The message with which a call fails, in less than five seconds."""
    start = time.monotonic()
    with pytest.raises(ValueError) as error:  # noqa: PT011, the message is what is returned
        call(*arguments, **options)
    assert time.monotonic() - start < 5
    return message_of(error)
