"""What a password costs to guess."""

from __future__ import annotations

from time import process_time

import pytest

from central.auth.passwords import password_fits, password_hash
from operator_tui.appeals.errors import Code, Refusal


def test_a_hash_is_argon2id_of_rfc_9106_and_its_own_each_time() -> None:
    one, other = password_hash("верный пароль", "petrova"), password_hash("верный пароль", "petrova")
    assert one.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert one != other
    assert password_fits(one, "верный пароль")
    assert not password_fits(one, "неверный пароль")
    assert not password_fits("no hash", "верный пароль")


def test_nobody_takes_as_long_as_somebody() -> None:
    kept = password_hash("верный пароль", "petrova")
    password_fits(None, "x")
    times = []
    for hash_ in (kept, None):
        tries = []
        for _ in range(3):  # the best: what else the machine does makes a try dearer, never cheaper
            begin = process_time()
            assert not password_fits(hash_, "неверный пароль")
            tries.append(process_time() - begin)
        times.append(min(tries))
    assert 0.3 < times[0] / times[1] < 3.0


@pytest.mark.parametrize("password", ["", "короткий"[:7], "Petrova-Anna", "я" * 600])
def test_a_password_that_is_none(password: str) -> None:
    with pytest.raises(Refusal) as refused:
        password_hash(password, "petrova-anna")
    assert refused.value.code is Code.PASSWORD_WEAK
