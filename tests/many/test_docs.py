"""docs/many.md: its queries run, and it tells of every table, view and column that is for people."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from keyguard.leaks import Audited, Moment, Sighting, Verdict
from keyguard.many.store import SCHEMA, Found, open_store, reading, summed_up
from tests.many.test_store import KEY, MOMENT, finding

if TYPE_CHECKING:
    from pathlib import Path as _Path

TEXT = (Path(__file__).parents[2] / "docs" / "many.md").read_text("utf-8")
QUERIES = re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL)
OTHER = "cd" * 32
TAKEN = Moment("2" * 40, "2024-05-16T07:08:09Z", "Bo", "remove it")


@pytest.fixture
def path(tmp_path: _Path) -> str:
    """A store with a shared key that lives, and one that was taken out."""
    from keyguard.inventory import KeySource, Peer, Row  # noqa: PLC0415  # for this store only

    row = Row("a.py", 3, 1, None, "sdk", "OpenAI", "openai", (Peer("relay.example.org", None, "relay"),))
    row = row._replace(key=KeySource("variable", ("OPENAI_API_KEY",)))
    here, past = Sighting(finding(), first=MOMENT, at_head=True), Sighting(finding(OTHER), first=MOMENT, last=TAKEN)
    found = [Found(Audited("app", "app"), (here, past), (row,)), Found(Audited("web", "web"), (here,))]
    with open_store(str(tmp_path / "audit.sqlite")) as store:
        store.begin((one.audited.name, one.audited.path) for one in found)
        for one in found:
            store.put(one)
        store.settle(summed_up)
        live = Verdict("live", at="2024-06-01T00:00:00Z")
        store.put_leaks(
            leak._replace(verdict=live, is_new=True) if leak.key == KEY else leak._replace(last=TAKEN)
            for leak in store.read().leaks
        )
        store.finish()
    return str(tmp_path / "audit.sqlite")


def test_every_query_answers(path: str) -> None:
    masked, who = "sk-proj-… (164 characters)", "Zoë <zoe@example.org>"
    with reading(path) as connection:
        answers = [connection.execute(query).fetchall() for query in QUERIES]
    assert answers == [
        [("app", 1), ("web", 1)],
        [("openai", masked, name, "app.py", MOMENT.date, who) for name in ("app", "web")],
        [("openai", 1, 10.0)],
        [("openai", masked, "app,web")],
        [("head", "openai", masked, name, "app.py", 3) for name in ("app", "web")],
        [("app", "a.py", 3, "relay.example.org", "OPENAI_API_KEY")],
    ]


def test_every_table_view_and_column_is_told(path: str) -> None:
    assert f"version of the schema, {SCHEMA};" in TEXT
    with reading(path) as connection:
        named = connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')").fetchall()
        told = {row[0] for row in named} - {"stale"}  # it is empty when nothing runs
        rows = {name: line for name in told for line in TEXT.splitlines() if line.startswith(f"| `{name}` |")}
        assert set(rows) == told
        for table in ("audits", "repositories", "leaks", "sightings", "commits", "connections"):
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]  # a table's name
            # A few say what their table says already, or are keyguard's own.
            own = {"id", "number", "place", "state", "kind", "name", "key", "severity", "provider", "masked", "col"}
            missing = [name for name in columns if f"`{name}`" not in rows[table] and not name.endswith("_json")]
            assert set(missing) <= own | {"repository", "line"}, table
