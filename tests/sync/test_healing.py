"""A copy that went astray: compared once a day, and only the days that differ are fetched again."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar

from central.store.database import Database
from operator_tui.appeals.clock import SystemClock
from operator_tui.appeals.draft import draft_of, new_draft
from operator_tui.appeals.sums import DAY_MS, day_of, day_sums, first_stamp
from operator_tui.journal.journal import Journal
from operator_tui.sync.protocol import DAY_PATH, SUMS_PATH
from operator_tui.sync.sender import Sender
from tests.sync.conftest import until
from tests.sync.test_listening import FIELDS, OpenJournal, made, open_house, plain

__all__ = ["made"]


def spoil(journal: Journal, card: str) -> None:
    """A mistake of ours or of a disk: the card is another than the server has."""
    db = journal._store.db
    (body,) = db.execute("SELECT body FROM card WHERE id = ?", [card]).fetchone()
    wrong = {**msgspec.json.decode(body), "rev": 99, "status": "closed"}
    db.execute("UPDATE card SET body = ? WHERE id = ?", [msgspec.json.encode(wrong).decode(), card])


async def healed(sender: Sender) -> bool:
    return await sender._healing.heal(SystemClock().now_ms())


async def test_what_went_astray_heals_and_what_is_unsent_stays(
    made: tuple[Litestar, Database], open_journal: OpenJournal, tmp_path: Path
) -> None:
    seen: list[str] = []
    async with (
        open_house(made, open_journal, tmp_path, plain) as house,
        house.desk("one", on_cards=seen.extend) as (one, sender, link),
    ):
        cards = [one.save(new_draft(fields=FIELDS)) for _ in range(4)]
        sender.kick()
        await until(lambda: one.unsent() == 0 and len(seen) >= 4)
        right = [one.card(card.id) for card in cards]
        assert await healed(sender)
        assert DAY_PATH not in link.asked, "nothing to mend, nothing fetched"
        spoil(one, cards[0].id)
        one._store.db.execute("DELETE FROM card WHERE id = ?", [cards[1].id])
        one._store.db.execute("DELETE FROM shown WHERE id = ?", [cards[1].id])
        seen.clear()
        assert await healed(sender)
        assert link.asked.count(DAY_PATH) == 1
        assert set(seen) == {cards[0].id, cards[1].id}
        assert [one.card(card.id) for card in cards] == right
        await sender.stop()
        draft = draft_of(cards[0])
        draft.fields["comment"] = "ещё не отправлено"
        unsent = one.save(draft)
        spoil(one, cards[0].id)
        assert await healed(sender)
        assert one.card(cards[0].id) == unsent


async def test_a_card_only_kept_for_the_screen_heals_too(
    made: tuple[Litestar, Database], open_journal: OpenJournal, tmp_path: Path
) -> None:
    """It is in no sum: a day with one would be fetched again and again."""
    async with open_house(made, open_journal, tmp_path, plain) as house, house.desk("one") as (one, sender, link):
        one.save(new_draft(fields=FIELDS))
        sender.kick()
        await until(lambda: one.unsent() == 0 and one._store.value("SELECT count(*) FROM card") == 1)
        one._store.db.execute("UPDATE card SET stale = 1")
        assert await healed(sender)
        assert await healed(sender)
        assert link.asked.count(DAY_PATH) == 1


async def test_days_with_nothing_to_mend_are_not_fetched_at_each_round(
    made: tuple[Litestar, Database], open_journal: OpenJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_house(made, open_journal, tmp_path, plain) as house, house.desk("one") as (one, sender, link):
        await until(lambda: one.checked_ms() > 0)
        monkeypatch.setattr(one, "sums", lambda since: ("26/tf", 0, dict.fromkeys(range(9), "f" * 16)))
        one.checked_ms(1)
        for _ in range(4):
            await sender.round()
        assert link.asked.count(DAY_PATH) == 3


async def test_it_is_done_once_a_day(
    made: tuple[Litestar, Database], open_journal: OpenJournal, tmp_path: Path
) -> None:
    async with open_house(made, open_journal, tmp_path, plain) as house, house.desk("one") as (one, sender, link):
        await until(lambda: one.checked_ms() > 0)
        for _ in range(3):
            await sender.round()
        assert link.asked.count(SUMS_PATH) == 1


async def test_a_strange_stream_has_no_sums(
    made: tuple[Litestar, Database], open_journal: OpenJournal, tmp_path: Path
) -> None:
    import httpx

    async with open_house(made, open_journal, tmp_path, plain) as house:
        transport = httpx.AsyncHTTPTransport(uds=str(house.socket))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=60) as client:
            headers = {"Authorization": f"Bearer {house.identity('Чтец').token}"}
            for path, more in ((SUMS_PATH, {"q": 0, "since": 0}), (DAY_PATH, {"day": 1})):
                answer = await client.post(path, headers=headers, json={"v": 1, "s": "77/tf", **more})
                assert answer.status_code == 403
                assert (await client.post(path, json={"v": 1, "s": "26/tf", **more})).status_code == 401
                assert (await client.post(path, headers=headers, json={"v": 1})).status_code == 400


@given(st.permutations([("a:1", 1, "work", None, f"{DAY_MS:012x}0000"), ("a:2", 2, "closed", 7, f"{DAY_MS:012x}0001")]))
def test_sums_know_no_order(rows: list[tuple[str, int, str, int | None, str]]) -> None:
    assert day_sums(rows) == day_sums(rows[::-1])
    assert list(day_sums(rows)) == [1]


@pytest.mark.parametrize("change", [("a:2", 1, "work", None), ("a:1", 2, "work", None), ("a:1", 1, "work", 7)])
def test_sums_show_every_difference(change: tuple[str, int, str, int | None]) -> None:
    stamp = first_stamp(20_000)
    assert day_of(stamp) == 20_000
    assert day_of("none") == -1
    assert day_sums([("a:1", 1, "work", None, stamp)]) != day_sums([(*change, stamp)])
