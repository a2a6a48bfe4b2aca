"""The door to snapshots: everything other floors need, importable from here.

Reading:
    snapshots.latest(ws) -> Snapshot | None; snapshots.get(ws, id) -> Snapshot; snapshots.every(ws)
    snapshots.attach(con, snapshot, tables=None): one TEMP VIEW per contract table, always with all contract
    columns and exact types; a table or column not delivered is empty or NULL. Ask
    `snapshot.columns_delivered(table)` what was delivered (empty tuple: the table was not).

Writing (one writer at a time, nothing visible before `commit` returns):
    with snapshots.Draft(ws, made_at=now, as_of=None) as draft:   # adds to the newest snapshot
        merge = draft.add_rows(table="bill", source="SELECT … " | Path("bill.parquet"), con=con)
        draft.add_quarantine(table="bill", source="SELECT file, line, reason, …", con=con)  # views.QUARANTINE
        snapshot = draft.commit(delivery={"source": …}, deliveries={"bill": {…}})
"""

from mingcha.store.catalogue import Snapshot, every, get, latest
from mingcha.store.drafts import Draft, Merge
from mingcha.store.views import attach, quarantine

__all__ = ["Draft", "Merge", "Snapshot", "attach", "every", "get", "latest", "quarantine"]
