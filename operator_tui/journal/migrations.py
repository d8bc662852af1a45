"""The journal's tables, step by step. Forward only; a step that was ever released is never edited."""

from __future__ import annotations

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

STEPS = Migrations("journal")

# Word for word in the index and in the query, or SQLite does not use the one for the other.
OPEN = "status IN ('deferred', 'review', 'work')"
# Later than every instant (UTC ms): nothing is due.
NEVER = 1 << 62
FTS_COLUMNS = ("find_number", "find_name", "find_phone", "find_text")


@STEPS()
def first(db: Database) -> None:
    """Everything of design 1.2 that this release uses."""
    db.create_table("meta", {"k": str, "v": str}, pk="k", not_null={"v"})
    db.create_table("stream", {"id": str, "cursor": int}, pk="id", not_null={"cursor"})
    # card: what the server has confirmed. stale: kept for the screen after a change of epoch, until it comes again.
    db.create_table(
        "card",
        {"id": str, "stream": str, "body": str, "stale": int},
        pk="id",
        not_null={"stream", "body"},
        defaults={"stale": 0},
    )
    db.create_table(
        "event",
        {"stream": str, "q": int, "card": str, "op": str, "body": str},
        pk=("stream", "q"),
        not_null={"card", "op", "body"},
    )
    db.table("event").create_index(["card"])
    # outbox: confirmed = the card's confirmed state already holds what this operation did.
    db.create_table(
        "outbox",
        {
            "device": str,
            "n": int,
            "card": str,
            "kind": str,
            "body": str,
            "at_ms": int,
            "state": str,
            "result": str,
            "seq": int,
            "confirmed": int,
        },
        pk=("device", "n"),
        not_null={"card", "kind", "body", "at_ms", "state"},
        defaults={"state": "pending", "confirmed": 0, "seq": 0},
    )
    db.execute("CREATE INDEX outbox_pending ON outbox(device, n) WHERE state = 'pending'")
    db.execute("CREATE INDEX outbox_folded ON outbox(card, device, n) WHERE card != ''")
    # shown: the confirmed card with the unconfirmed operations folded in; what the screen and the search read.
    # Its own integer key: the full-text index points at it, and VACUUM renumbers rows that have none.
    db.create_table(
        "shown",
        {
            "row": int,
            "id": str,
            "status": str,
            "created": str,
            "deadline": str,
            "phone": str,
            "enp": str,
            "body": str,
            **dict.fromkeys(FTS_COLUMNS, str),
        },
        pk="row",
        not_null={"id", "status", "created", "body"},
    )
    shown = db.table("shown")
    shown.create_index(["id"], unique=True)
    shown.create_index(["status", "created", "id"])
    shown.create_index(["phone"])
    shown.create_index(["enp"])
    shown.enable_fts(list(FTS_COLUMNS), tokenize="unicode61 remove_diacritics 0", create_triggers=True)
    db.create_table(
        "attention",
        {"op": str, "card": str, "reason": str, "current": str, "at_ms": int, "done": int},
        pk="op",
        defaults={"done": 0},
    )
    db.create_table("draft", {"id": str, "call": str, "body": str, "at_ms": int}, pk="id")
    # saved: which card a draft became, so that a second press of the key makes no second card.
    db.create_table("saved", {"draft": str, "card": str, "at_ms": int}, pk="draft")


@STEPS()
def newest_first(db: Database) -> None:
    """The home list reads the newest of the open appeals: without its index it sorts them all, 160 ms at 10,000."""
    db.execute(f"CREATE INDEX IF NOT EXISTS shown_open ON shown(created, id) WHERE {OPEN}")
    db.table("event").create_index(["op"], if_not_exists=True)
    db.table("outbox").create_index(["at_ms"], if_not_exists=True)


@STEPS()
def who_and_what(db: Database) -> None:
    """What inbox, review and filters ask for, beside the card instead of inside it."""
    for column, kind in (("worker", int), ("review", str), ("theme", str), ("result", str), ("closer", int)):
        db.table("shown").add_column(column, kind)
    db.execute(
        "UPDATE shown SET worker = body ->> '$.worker', review = coalesce(body ->> '$.review', ''), "
        "theme = coalesce(body ->> '$.fields.theme', ''), result = coalesce(body ->> '$.fields.result', ''), "
        "closer = body ->> '$.fields.closed_by'"
    )
    db.execute("CREATE INDEX IF NOT EXISTS shown_worker ON shown(worker, status, created, id)")
    db.execute(f"CREATE INDEX IF NOT EXISTS shown_due ON shown(deadline, id) WHERE {OPEN}")
    db.execute("CREATE INDEX IF NOT EXISTS shown_review ON shown(result, closer, created, id) WHERE status = 'review'")


@STEPS()
def review_by_term(db: Database) -> None:
    """The queue by term, and its heaps, from one index: without it a read of every card, 850 ms at 33,000."""
    db.execute("DROP INDEX IF EXISTS shown_review")
    db.execute(
        "CREATE INDEX IF NOT EXISTS shown_review_due ON shown(deadline, id, result, theme, closer) "
        "WHERE status = 'review'"
    )


@STEPS()
def promised_and_owed(db: Database) -> None:
    """The list «перезвоним до …», what a group has not taken, and what citizens still have to be told."""
    for column, kind in (("promise_due", int), ("team", str), ("owed", str)):
        db.table("shown").add_column(column, kind)
    db.execute(
        "UPDATE shown SET promise_due = coalesce(body ->> '$.fields.promise_due', 0), "
        "team = coalesce(body ->> '$.fields.group', ''), owed = coalesce(body ->> '$.fields.owed', '')"
    )
    db.execute("CREATE INDEX IF NOT EXISTS shown_promised ON shown(promise_due, id) WHERE status = 'deferred'")
    db.execute("CREATE INDEX IF NOT EXISTS shown_owed ON shown(worker, created, id) WHERE owed != ''")
    db.execute("CREATE INDEX IF NOT EXISTS shown_asked ON shown(created, id) WHERE review = 'correction'")


@STEPS()
def sent_elsewhere(db: Database) -> None:
    """Appeals that were sent to another organisation, to be listed with how they stand there."""
    db.table("shown").add_column("elsewhere", str)
    db.execute(
        "UPDATE shown SET elsewhere = CASE WHEN body ->> '$.author' = 0 AND body ->> '$.stamps' = '{}' "
        "THEN body ->> '$.stream' ELSE '' END"
    )
    db.execute("CREATE INDEX IF NOT EXISTS shown_elsewhere ON shown(created, id) WHERE elsewhere != ''")


@STEPS()
def reference_data(db: Database) -> None:
    """The rows of the reference data that the centre has changed; the others are the program's own."""
    db.create_table(
        "reference",
        {"list": str, "key": str, "row": str, "op": str},
        pk=("list", "key"),
        not_null={"row", "op"},
    )


@STEPS()
def files_on_their_way(db: Database) -> None:
    """What goes to the server beside the operations; recordings told before this release are queued too."""
    db.create_table(
        "file",
        {
            "name": str,
            "kind": str,
            "file": str,
            "card": str,
            "call": str,
            "size": int,
            "sent": int,
            "state": str,
            "reason": str,
            "at_ms": int,
            "there_ms": int,
        },
        pk="name",
        not_null={"kind", "file", "size", "at_ms"},
        defaults={"card": "", "call": "", "sent": 0, "state": "waits", "reason": "", "there_ms": 0},
    )
    db.execute("CREATE INDEX file_waits ON file(at_ms) WHERE state = 'waits'")
    db.table("file").create_index(["call"])
    db.execute(
        "INSERT OR IGNORE INTO file(name, kind, file, call, size, at_ms) SELECT body ->> '$.x.sha256', 'recording', "
        "body ->> '$.x.file', body ->> '$.x.call', coalesce(body ->> '$.x.size', 0), at_ms FROM outbox "
        "WHERE kind = 'call.recorded' AND state != 'rejected' AND coalesce(body ->> '$.x.sha256', '') != ''"
    )


@STEPS()
def snapshot_on_its_way(db: Database) -> None:
    """What has arrived of a snapshot, so that a desk that is killed goes on where it was."""
    db.create_table("snapshot_part", {"place": int, "content": bytes}, pk="place", not_null={"content"})


@STEPS()
def begun_forms(db: Database) -> None:
    """What was typed into forms and not sent; the key says whose it is, which form it is and of what."""
    columns = {"user": int, "form": str, "about": str, "more": str, "body": str, "at_ms": int}
    db.create_table("begun", columns, pk=("user", "form", "about", "more"), not_null={"body", "at_ms"})


@STEPS()
def nearest_first(db: Database) -> None:
    """Lists go by when something is due, which the sign at a row tells. nearing.py fills the column as it opens."""
    # The words are put into their index anew only where they are written: filling a column does not touch them.
    words, old, new = (", ".join(f"{of}{name}" for name in FTS_COLUMNS) for of in ("", "old.", "new."))
    db.execute("DROP TRIGGER shown_au")
    db.execute(
        f"CREATE TRIGGER shown_au AFTER UPDATE OF {words} ON shown BEGIN "
        f"INSERT INTO shown_fts(shown_fts, rowid, {words}) VALUES ('delete', old.rowid, {old}); "
        f"INSERT INTO shown_fts(rowid, {words}) VALUES (new.rowid, {new}); END"
    )
    db.execute(f"ALTER TABLE shown ADD COLUMN nearest INTEGER NOT NULL DEFAULT {NEVER}")
    db.execute("DROP INDEX shown_due")
    db.execute("DROP INDEX shown_review_due")
    db.execute(f"CREATE INDEX shown_nearest ON shown(nearest, deadline, id) WHERE {OPEN}")
    db.execute(
        "CREATE INDEX shown_review_nearest ON shown(nearest, deadline, id, result, theme, closer) "
        "WHERE status = 'review'"
    )
