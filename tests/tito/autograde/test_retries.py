"""What ended an attempt decides how many there are, and what the last one puts up with."""

from tito.autograde.retries import Attempts


def test_each_cause_has_its_number_of_attempts():
    attempts = Attempts()
    assert attempts.tolerated("ada") == {"submission"}
    assert attempts.may_try_again("ada", "machine")
    assert attempts.may_try_again("ada", "unknown")
    assert attempts.tolerated("ada") == {"submission", "unknown"}
    assert not attempts.may_try_again("ada", "unknown")
    assert attempts.may_try_again("ada", "machine")
    assert attempts.tolerated("ada") == {"submission", "unknown", "machine"}
    assert not attempts.may_try_again("ada", "machine")
    assert attempts.tolerated("bob") == {"submission"}


def test_workers_that_were_lost_before_they_had_begun_do_not_count():
    attempts = Attempts()
    assert all(attempts.may_try_again("ada", "worker", 0) for _ in range(9))
    assert attempts.may_try_again("ada", "worker")
    assert not attempts.may_try_again("ada", "worker")
    assert attempts.tolerated("ada") == {"submission"}
