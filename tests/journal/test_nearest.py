"""The order «По сроку» and the queue go by what is due first: what the sign at a row tells, whatever happens."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from operator_tui.appeals.card import OPEN_STATUSES, Card, Source, Status
from operator_tui.appeals.catalogue import catalogue_of
from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.deadlines import day_end_ms, local_date
from operator_tui.appeals.draft import draft_of, new_draft
from operator_tui.appeals.errors import Refusal
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.nearest import nearest_days, nearest_ms
from operator_tui.appeals.people import Role
from operator_tui.journal.journal import Journal
from operator_tui.journal.migrations import NEVER, OPEN
from operator_tui.journal.sieve import Order, Sieve
from operator_tui.secrets.cipher import open_encrypted
from tests.journal.making import KEY, STREAM, Server, appeal, enrolled, identity, open_journal

BY_TERM = Sieve(order=Order.DUE)
QUEUE = Sieve(statuses=(Status.IN_REVIEW,), order=Order.DUE)
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
ZONE = "Europe/Moscow"
REF = "26/ref"
# By its theme an appeal is answered in 0 to 30 days; a letter of the last one is to be forwarded in seven.
THEMES = {
    "К-01.3": "Консультация",
    "К-10.2": "Консультация",
    "Ж-03.1": "Жалоба",
    "Ж-17.4": "Жалоба",
    "Ж-12.2": "Жалоба",
}
LETTER = {"type": "Жалоба", "theme": "Ж-12.2", "source": Source.LETTER.value}


def order(journal: Journal, sieve: Sieve = BY_TERM) -> list[str]:
    """The list as it is scrolled through: page by page."""
    whole = [card.id for card in journal.page(sieve, 1000)]
    paged: list[str] = []
    while page := journal.page(sieve, 3, len(paged)):
        paged += [card.id for card in page]
    assert paged == whole
    assert journal.count(sieve) == len(whole)
    return whole


def by_sign(journal: Journal, status: Status | None = None) -> list[str]:
    """What is open, sorted by the instant that the sign is made of."""
    found = [card for card in journal.page(Sieve(any_status=True), 1000) if card.status in OPEN_STATUSES]

    def due(card: Card) -> tuple[int, str, str]:
        due_ms = nearest_ms(card, journal.catalogue, zone_of(journal))
        return NEVER if due_ms is None else due_ms, card.deadline, card.id

    return [card.id for card in sorted(found, key=due) if status in (None, card.status)]


def zone_of(journal: Journal) -> str:
    assert journal.device is not None
    return journal.device.operator.zone


def demand_order(journal: Journal) -> None:
    assert order(journal) == by_sign(journal)
    assert order(journal, QUEUE) == by_sign(journal, Status.IN_REVIEW)
    now_ms = journal._store.clock.now_ms()
    days = [nearest_days(card, journal.catalogue, now_ms, zone_of(journal)) for card in journal.page(BY_TERM, 1000)]
    known = [one for one in days if one is not None]
    assert known == sorted(known), "what is nearer stands in front"
    assert days == known + [None] * (len(days) - len(known)), "where nothing is due it stands last"


def exchange(server: Server, *journals: Journal) -> None:
    for one in (*journals, *journals):
        server.answer(one)
        one.receive(server.streams.get(REF, [])[one.cursors().get(REF, 0) :])


def promise(journal: Journal, due_ms: int) -> str:
    """What it is about is not known yet: it is to be answered within thirty days."""
    return journal.save_promised(new_draft(fields={"phone": "+78652000101"}), {"promise_due": due_ms}).id


def test_a_promise_stands_where_its_sign_says(journal: Journal, server: Server, clock: ManualClock) -> None:
    now_ms = clock.now_ms()
    month = journal.save(new_draft(fields={"type": "Жалоба", "theme": "Ж-03.1"})).id
    week = journal.save(new_draft(fields={"type": "Жалоба", "theme": "Ж-17.4"})).id
    soon = promise(journal, now_ms + HOUR_MS)
    assert order(journal) == [soon, week, month]
    journal.move(soon, Act.PROMISE, {"promise_due": now_ms + 8 * DAY_MS})
    assert order(journal) == [week, soon, month], "moved"
    journal.move(soon, Act.RESUME, {})
    assert order(journal) == [week, month, soon], "kept"
    journal.move(month, Act.DEFER, {"promise_due": now_ms + HOUR_MS})
    assert order(journal)[0] == month
    journal.move(month, Act.RESUME, {})
    assert order(journal) == [week, month, soon], "its own term counts again"
    journal.move(month, Act.DEFER, {"promise_due": now_ms + HOUR_MS})
    with admin(journal, server):
        journal.move(month, Act.VOID, {"reason": "ошибка"})
    assert month not in order(journal)
    demand_order(journal)


@contextlib.contextmanager
def admin(journal: Journal, server: Server) -> Iterator[None]:
    """An administrator sits down for a moment."""
    server.answer(journal)
    before = journal.device
    assert before is not None
    who = msgspec.structs.replace(before.operator, user=3001, role=Role.ADMINISTRATOR)
    journal.enrol(msgspec.structs.replace(before, operator=who))
    yield
    server.answer(journal)
    journal.enrol(before)


def test_the_filter_by_date_goes_by_it_too(journal: Journal, clock: ManualClock) -> None:
    journal.enrol(identity(role=Role.OPERATOR_2))
    now_ms = clock.now_ms()
    promised = promise(journal, now_ms + DAY_MS)
    letter = journal.save(new_draft(fields=LETTER)).id
    journal.save(new_draft(fields={"type": "Жалоба", "theme": "Ж-03.1"}))

    def until(days: int) -> list[str]:
        day = local_date(now_ms + days * DAY_MS, ZONE).isoformat()
        return [card.id for card in journal.page(Sieve(due=day, order=Order.DUE))]

    assert [until(days) for days in (0, 1, 6, 7)] == [[], [promised], [promised], [promised, letter]]
    assert journal.count(Sieve(due="2020-01-01")) == 0


def test_the_queue_goes_by_it_and_its_heaps_are_counted(journal: Journal, server: Server) -> None:
    ids = []
    for theme in ("К-10.2", "К-01.3"):
        ids.append(journal.save(new_draft(fields={"type": "Консультация", "theme": theme})).id)
        journal.move(ids[-1], Act.CLOSE, {"result": "R02", "comment": "Дан ответ"})
    assert order(journal, QUEUE) == by_sign(journal, Status.IN_REVIEW)
    assert [(heap.value, heap.count) for heap in journal.heaps(QUEUE, "result")] == [("R02", 2)]
    with admin(journal, server):
        journal.move(ids[0], Act.APPROVE, {})
    assert order(journal, QUEUE) == ids[1:]


def test_lists_of_what_is_finished_go_by_the_term_there_was(journal: Journal, server: Server) -> None:
    ids = []
    for theme, type_ in (("Ж-03.1", "Жалоба"), ("Ж-17.4", "Жалоба")):
        ids.append(journal.save(new_draft(fields={"type": type_, "theme": theme})).id)
        with admin(journal, server):
            journal.move(ids[-1], Act.VOID, {"reason": "ошибка"})
    assert order(journal, Sieve(statuses=(Status.VOID,), order=Order.DUE)) == ids[::-1]


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["new", "letter", "promised", "theme", "defer", "move", "resume", "close", "ask", "decide"]),
        st.integers(0, 7),
        st.integers(0, 60 * 24 * 12),
    ),
    min_size=8,
    max_size=16,
)


def act(desk: Journal, boss: Journal, what: str, place: int, minutes: int) -> None:
    now_ms = desk._store.clock.now_ms()
    due = now_ms + 60_000 * (minutes + 1)
    theme = list(THEMES)[minutes % len(THEMES)]
    fields = {"type": THEMES[theme], "theme": theme, "phone": "+78652000101"}
    if what == "new":
        desk.save(new_draft(fields=fields))
    elif what == "letter":
        desk.save(new_draft(fields={**fields, "source": Source.LETTER.value}))
    elif what == "promised":
        desk.save_promised(new_draft(fields={"phone": "+78652000101"}), {"promise_due": due})
    found = desk.page(Sieve(), 1000)
    if not found:
        return
    card = found[place % len(found)]
    if what == "theme":
        draft = draft_of(card)
        draft.fields |= {"type": THEMES[theme], "theme": theme}
        desk.save(draft)
    elif what in ("defer", "move"):
        desk.move(card.id, Act.DEFER if what == "defer" else Act.PROMISE, {"promise_due": due})
    elif what == "resume":
        desk.move(card.id, Act.RESUME, {})
    elif what == "close":
        desk.move(card.id, Act.CLOSE, {"result": "R02", "comment": "Дан ответ"})
    elif what == "ask":
        until = local_date(now_ms + (minutes % 40) * DAY_MS, ZONE).isoformat()
        given = {"result": "R05", "comment": "Ждём ответа", "new_date": until, "reason": "запрос"}
        desk.move(card.id, Act.CLOSE, given)
    elif what == "decide":
        boss.move(card.id, Act.APPROVE if minutes % 2 else Act.RETURN, {"remark": "проверьте"})


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(acts=ACTS)
def test_the_order_of_the_page_is_that_of_the_signs(acts: list[tuple[str, int, int]]) -> None:
    """At the desk that acts, at one that hears of it, in one that takes the appeals as they stand, in one whose server
    became another, and in one that is opened anew."""
    with tempfile.TemporaryDirectory(prefix="ot-nearest-") as folder, contextlib.ExitStack() as opened:
        clock, server = ManualClock(), Server()

        def journal(code: str, user: int, role: Role) -> Journal:
            (Path(folder) / code).mkdir()
            made = enrolled(Path(folder) / code, clock=clock, code=code, user=user, role=role, number=user)
            opened.callback(made.close)
            return made

        desk, boss = journal("aaaaaa", 1, Role.OPERATOR_2), journal("bbbbbb", 2, Role.ADMINISTRATOR)
        for what, place, minutes in acts:
            with contextlib.suppress(Refusal):
                act(desk, boss, what, place, minutes)
            demand_order(desk)
            exchange(server, desk, boss)
            demand_order(boss)
            clock.advance(60 * (minutes % 90))
        demand_order(desk)
        third, head = journal("cccccc", 3, Role.OPERATOR_1), len(server.streams.get(STREAM, []))
        third.begin_snapshot(STREAM, "epoch-1")
        third.put_snapshot(list(server.cards.values()), head)
        third.end_snapshot(STREAM, head)
        demand_order(third)
        assert order(third) == order(boss)
        boss.rewind(1, "epoch-2")
        demand_order(boss)
        boss.receive(server.events_after({STREAM: 0}))
        demand_order(boss)
        assert order(boss) == order(third)
        third.close()
        demand_order(open_again(opened, Path(folder) / "cccccc", clock))


def open_again(opened: contextlib.ExitStack, folder: Path, clock: ManualClock) -> Journal:
    journal = open_journal(folder, clock=clock)
    opened.callback(journal.close)
    return journal


# what the column follows from, beside the cards


@pytest.fixture
def boss(tmp_path: Path, clock: ManualClock) -> Iterator[Journal]:
    (tmp_path / "boss").mkdir()
    opened = enrolled(tmp_path / "boss", clock=clock, role=Role.ADMINISTRATOR, code="admin1", user=7, number=20)
    yield opened
    opened.close()


def edited(journal: Journal, name: str, key: str, **cells: str) -> None:
    row = {**journal.catalogue.reference.all(name)[key], **cells}
    journal.change_reference(name, {key: dict(row)})


def test_another_term_to_forward_moves_the_letters_on_every_desk_at_once(
    journal: Journal, boss: Journal, server: Server, clock: ManualClock
) -> None:
    promised = promise(boss, clock.now_ms() + 5 * DAY_MS)
    letter = boss.save(new_draft(fields=LETTER)).id
    exchange(server, boss, journal)
    assert order(journal) == order(boss) == [promised, letter]
    edited(boss, "terms", "forward", days="2")
    assert order(boss) == [letter, promised], "before the centre has answered"
    exchange(server, boss, journal)
    assert order(journal) == order(boss) == [letter, promised]
    edited(boss, "themes", "Ж-12.2", level2_group="policy")
    exchange(server, boss, journal)
    assert order(journal) == order(boss) == [promised, letter]
    demand_order(journal)


def test_a_change_of_the_lists_that_is_refused_moves_nothing(boss: Journal, clock: ManualClock) -> None:
    promised = promise(boss, clock.now_ms() + 5 * DAY_MS)
    letter = boss.save(new_draft(fields=LETTER)).id
    with pytest.raises(Refusal):
        boss.change_reference("terms", {"forward": {"code": "forward", "title": "Направление", "days": "скоро"}})
    assert order(boss) == [promised, letter]
    demand_order(boss)


def test_lists_that_changed_while_the_desk_was_closed_count_when_it_opens(
    journal: Journal, clock: ManualClock, tmp_path: Path
) -> None:
    journal.enrol(identity(role=Role.OPERATOR_2))
    promised = promise(journal, clock.now_ms() + 5 * DAY_MS)
    letter = journal.save(new_draft(fields=LETTER)).id
    assert order(journal) == [promised, letter]
    journal.close()
    release = open_journal(tmp_path, clock=clock)
    shorter = release.catalogue.reference.changed(
        [("terms", {"forward": {"code": "forward", "title": "Направление", "days": "2"}}, "release")]
    )
    release.close()
    again = Journal.open(tmp_path / "journal.db", KEY, catalogue=catalogue_of(shorter), clock=clock)
    assert order(again) == [letter, promised]
    again.close()


def test_a_day_ends_where_the_office_is(journal: Journal) -> None:
    day = journal.save(new_draft(fields={"type": "Жалоба", "theme": "Ж-17.4"}))
    in_moscow = day_end_ms(date.fromisoformat(day.deadline), ZONE)
    promised = promise(journal, in_moscow - HOUR_MS)
    assert order(journal) == [promised, day.id]
    device = journal.device
    assert device is not None
    moved = msgspec.structs.replace(device.operator, zone="Asia/Vladivostok")
    journal.enrol(msgspec.structs.replace(device, operator=moved))
    assert order(journal) == [day.id, promised], "there the day ends seven hours earlier"
    demand_order(journal)


def test_a_card_of_another_form_holds_nothing_up_and_stands_last(journal: Journal, server: Server) -> None:
    known = journal.save(appeal()).id
    server.answer(journal)
    event = msgspec.structs.replace(server.streams[STREAM][0], q=2, op="zzzzzz:1", c="zzzzzz:1")
    change = {**event.x, "deadline": "когда-нибудь"}
    journal.receive([msgspec.structs.replace(event, x=change)])
    assert order(journal) == [known, "zzzzzz:1"]


# journals of the release before


def as_before(folder: Path) -> None:
    """The file as the release before left it."""
    db = open_encrypted(folder / "journal.db", KEY)
    words = "find_number, find_name, find_phone, find_text"
    old, new = (", ".join(f"{of}.{word}" for word in words.split(", ")) for of in ("old", "new"))
    for statement in (
        "DROP INDEX shown_nearest",
        "DROP INDEX shown_review_nearest",
        "DROP TRIGGER shown_au",
        "ALTER TABLE shown DROP COLUMN nearest",
        f"CREATE INDEX shown_due ON shown(deadline, id) WHERE {OPEN}",
        "CREATE INDEX shown_review_due ON shown(deadline, id, result, theme, closer) WHERE status = 'review'",
        "CREATE TRIGGER shown_au AFTER UPDATE ON shown BEGIN "
        f"INSERT INTO shown_fts (shown_fts, rowid, {words}) VALUES('delete', old.rowid, {old}); "
        f"INSERT INTO shown_fts (rowid, {words}) VALUES (new.rowid, {new}); END",
        "DELETE FROM meta WHERE k = 'nearest'",
        "DELETE FROM _sqlite_migrations WHERE name = 'nearest_first'",
    ):
        db.execute(statement)
    db.close()


def test_a_journal_of_the_release_before_is_in_order_when_it_opens(
    journal: Journal, clock: ManualClock, tmp_path: Path
) -> None:
    journal.enrol(identity(role=Role.OPERATOR_2))
    far = journal.save(new_draft(fields={"type": "Жалоба", "theme": "Ж-03.1", "surname": "Прежнева"})).id
    letter = journal.save(new_draft(fields=LETTER)).id
    promised = promise(journal, clock.now_ms() + 5 * DAY_MS)
    closed = journal.save(appeal())
    journal.move(closed.id, Act.CLOSE, {"result": "R02", "comment": "Дан ответ"})
    journal.close()
    as_before(tmp_path)
    again = open_journal(tmp_path, clock=clock)
    assert [one for one in order(again) if one != closed.id] == [promised, letter, far]
    demand_order(again)
    draft = draft_of(again.page(Sieve(text="прежнева"))[0])
    draft.fields["surname"] = "Новикова"
    again.save(draft)
    assert (again.search("прежнева"), [card.id for card in again.search("новикова")]) == ([], [far])
    assert [file.name for file in tmp_path.glob("*before*")] != []
    again.close()


def test_a_desk_that_was_killed_before_the_column_was_filled_fills_it(
    journal: Journal, clock: ManualClock, tmp_path: Path
) -> None:
    far = journal.save(new_draft(fields={"type": "Жалоба", "theme": "Ж-03.1"})).id
    soon = promise(journal, clock.now_ms() + HOUR_MS)
    journal.close()
    db = open_encrypted(tmp_path / "journal.db", KEY)
    db.execute(f"UPDATE shown SET nearest = {NEVER}")
    db.execute("DELETE FROM meta WHERE k = 'nearest'")
    db.close()
    again = open_journal(tmp_path, clock=clock)
    assert order(again) == [soon, far]
    again.close()
