"""Root runs these tests once more as somebody else, since the sandbox is not the same for both."""

import os

import pytest


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run as an ordinary user already")
def test_all_of_this_holds_for_an_ordinary_user(unprivileged):
    said, _ = unprivileged.communicate(timeout=600)
    assert unprivileged.returncode == 0, said[-6000:]
    assert " passed" in said
